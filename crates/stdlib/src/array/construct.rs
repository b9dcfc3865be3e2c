//! `array(typecode, initializer)`

use super::items::{ItemType, text_bytes};
use super::{ARRAY, Array, methods};
use taipan_object::builtins::bytes;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::DEPRECATION_WARNING;
use taipan_object::types::Type;
use taipan_object::{Result, Value, Vm};

/// A type code given as an argument, before it is known to be one; `what` names the argument in messages.
pub fn typecode(vm: &Vm, value: &Value, what: &str, long: &str) -> Result<u32> {
    match value.downcast::<Str>() {
        Some(text) if text.len() == 1 => Ok(text.at(0)),
        Some(text) => {
            let length = text.len();
            Err(vm.type_error(format!(
                "{long} argument {what} must be a unicode character, not a string of length {length}"
            )))
        }
        None => {
            let (name, got) = (long.trim_end_matches(':'), value.ty().name());
            Err(vm.type_error(format!("{name} argument {what} must be a unicode character, not {got}")))
        }
    }
}

pub fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let class = crate::payload::class_of(class);
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    let own_init =
        class.is(&ARRAY) || class.slots().init.map(|f| f as usize) == ARRAY.ty().slots().init.map(|f| f as usize);
    if keywords > 0 && own_init {
        return Err(vm.type_error("array.array() takes no keyword arguments"));
    }
    let (code, initial) = match &args[..args.len() - keywords] {
        [] => return Err(vm.type_error("array() takes at least 1 argument (0 given)")),
        [code] => (code, None),
        [code, initial] => (code, Some(initial)),
        more => return Err(vm.type_error(format!("array() takes at most 2 arguments ({} given)", more.len()))),
    };
    let code = typecode(vm, code, "1", "array()")?;
    make(vm, class, code, initial)
}

/// An array of a type code.
pub fn make(vm: &Vm, class: &Type, typecode: u32, initial: Option<&Value>) -> Result {
    if typecode == u32::from(b'u') {
        let message = "The 'u' type code is deprecated and will be removed in Python 3.16";
        vm.warn(&DEPRECATION_WARNING.value(), message, 1)?;
    }
    let items = ItemType::from_typecode(typecode);
    if let (Some(initial), Some(c)) = (initial, char::from_u32(typecode))
        && !items.is_some_and(|items| items.is_character())
    {
        if initial.downcast::<Str>().is_some() {
            return Err(vm.type_error(format!("cannot use a str to initialize an array with typecode '{c}'")));
        }
        if initial.downcast::<Array>().is_some_and(|array| array.items.is_character()) {
            return Err(vm.type_error(format!("cannot use a unicode array to initialize an array with typecode '{c}'")));
        }
    }
    let Some(items) = items else {
        return Err(vm.value_error("bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)"));
    };
    let Some(initial) = initial else { return Ok(Array::make(class, items, Vec::new())) };
    if let Some(text) = initial.downcast::<Str>() {
        return Ok(Array::make(class, items, text_bytes(text)));
    }
    if let Some(other) = initial.downcast::<Array>()
        && other.items == items
    {
        return Ok(Array::make(class, items, other.data(vm)?));
    }
    let result = Array::make(class, items, Vec::new());
    if bytes::is_bytes(initial) || bytes::is_bytearray(initial) {
        methods::from_bytes(vm, Array::of(&result), initial)?;
    } else {
        methods::extend_by_items(vm, Array::of(&result), initial)?;
    }
    Ok(result)
}
