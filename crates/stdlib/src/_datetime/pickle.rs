//! Recognising the packed states that `__reduce__` gives and constructors take back.

use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::{Result, Value, Vm, with_units};

/// The first argument of a constructor as a state of `N` bytes, if it is one: bytes, or a str of the same size (from
/// Python 2). `plausible` tells states from other arguments.
pub fn state<const N: usize>(
    vm: &Vm,
    value: &Value,
    what: &str,
    plausible: impl Fn(&[u8; N]) -> bool,
) -> Result<Option<[u8; N]>> {
    if let Some(data) = value.downcast::<Bytes>() {
        return Ok(<[u8; N]>::try_from(data.as_slice()).ok().filter(&plausible));
    }
    let Some(text) = value.downcast::<Str>() else { return Ok(None) };
    if text.len() != N {
        return Ok(None);
    }
    use taipan_object::text::Unit;
    let mut state = [0; N];
    let mut latin1 = true;
    with_units!(text, |units| {
        for (byte, unit) in state.iter_mut().zip(units) {
            *byte = unit.code().min(255) as u8;
            latin1 &= unit.code() < 256;
        }
    });
    // The deciding byte counts even if another one does not fit.
    if !plausible(&state) {
        return Ok(None);
    }
    if !latin1 {
        return Err(vm.value_error(format!(
            "Failed to encode latin1 string when unpickling a {what} object. pickle.load(data, encoding='latin1') is \
             assumed."
        )));
    }
    Ok(Some(state))
}

/// `(class, (state[, tzinfo]))`
pub fn reduced(this: &Value, state: &[u8], tzinfo: &Value) -> Value {
    let state = bytes::new(state);
    let arguments = match tzinfo.is_none() {
        true => Tuple::from_array([state]),
        false => Tuple::from_array([state, tzinfo.clone()]),
    };
    Tuple::from_array([this.ty().to_value(), arguments.into_value()]).into_value()
}
