//! `json`'s encoder: writes objects as JSON text.

use super::text::{Escapes, Output};
use super::{encode_basestring, encode_basestring_ascii};
use crate::arguments::{bad_argument, fully_qualified_name, ssize};
use crate::payload::{class_of, payload, signature};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int::{self, INT};
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{float, list};
use taipan_object::native::function::{BuiltinFunction, Definition};
use taipan_object::native::{MemberDef, NativeFunction};
use taipan_object::text::float_repr;
use taipan_object::text::int_conversion::small_to_decimal;
use taipan_object::types::TypeSpec;
use taipan_object::{Raised, Ref, Result, Value, Vm};

payload! {
    /// `escapes`: the encoder of strings is one of this module's own.
    pub struct Encoder(EncoderState): ENCODER [
        markers: Option<Ref<Dict>>,
        default: Value,
        encoder: Value,
        indent: Value,
        key_separator: Ref<Str>,
        item_separator: Ref<Str>,
        sort_keys: bool,
        skipkeys: bool,
        allow_nan: bool,
        escapes: Option<Escapes>,
    ] {}
}

impl crate::payload::Field for Option<Escapes> {
    fn visit(&self, _: taipan_object::object::Visitor) {}
    fn take(&mut self) -> Self {
        *self
    }
}

pub static ENCODER: TypeSpec = TypeSpec::new::<Encoder>("_json.Encoder")
    .doc("Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)")
    .slots(|s| {
        s.new = Some(new);
        s.call = Some(|vm, this, args, kwnames| {
            let bound = CALL.bind(vm, args, kwnames)?;
            let level = ssize(vm, &bound[1])?;
            let encoder = Encoder::of(this);
            let mut writer = Writer::new(vm, encoder, level.max(0) as usize)?;
            writer.value(&bound[0])?;
            Ok(Tuple::from_array([writer.out.finish()]).into_value())
        });
    })
    .members(MEMBERS);

signature!(
    NEW = "make_encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)"
);
signature!(CALL = "_iterencode(obj, _current_indent_level)");

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("markers", "markers", |_, this| {
        Ok(Encoder::of(this).markers.as_ref().map_or(Value::NONE, |markers| markers.as_value().clone()))
    }),
    MemberDef::new("default", "default", |_, this| Ok(Encoder::of(this).default.clone())),
    MemberDef::new("encoder", "encoder", |_, this| Ok(Encoder::of(this).encoder.clone())),
    MemberDef::new("indent", "indent", |_, this| Ok(Encoder::of(this).indent.clone())),
    MemberDef::new("key_separator", "key_separator", |_, this| Ok(Encoder::of(this).key_separator.as_value().clone())),
    MemberDef::new("item_separator", "item_separator", |_, this| {
        Ok(Encoder::of(this).item_separator.as_value().clone())
    }),
    MemberDef::new("sort_keys", "sort_keys", |_, this| Ok(Value::bool(Encoder::of(this).sort_keys))),
    MemberDef::new("skipkeys", "skipkeys", |_, this| Ok(Value::bool(Encoder::of(this).skipkeys))),
];

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NEW.bind(vm, args, kwnames)?;
    let text = |at: usize| {
        let argument = format!("argument {}", at + 1);
        bound[at].downcast_ref::<Str>().ok_or_else(|| bad_argument(vm, "make_encoder", &argument, "str", &bound[at]))
    };
    let (key_separator, item_separator) = (text(4)?, text(5)?);
    let (sort_keys, skipkeys, allow_nan) = (vm.is_true(&bound[6])?, vm.is_true(&bound[7])?, vm.is_true(&bound[8])?);
    let markers = bound[0].downcast_ref::<Dict>();
    if markers.is_none() && !bound[0].is_none() {
        let got = bound[0].ty().name();
        return Err(vm.type_error(format!("make_encoder() argument 1 must be dict or None, not {got}")));
    }
    Ok(Encoder::make(
        class_of(class),
        markers,
        bound[1].clone(),
        bound[2].clone(),
        bound[3].clone(),
        key_separator,
        item_separator,
        sort_keys,
        skipkeys,
        allow_nan,
        own_escapes(&bound[2]),
        EncoderState {},
    ))
}

/// What the module's own encoders of strings do.
fn own_escapes(encoder: &Value) -> Option<Escapes> {
    let Definition::Method(def) = encoder.downcast_exact::<BuiltinFunction>()?.def else { return None };
    let NativeFunction::Bound(function) = def.function else { return None };
    type Function = fn(&Vm, &Value, &[Value]) -> Result;
    if std::ptr::fn_addr_eq(function, encode_basestring_ascii as Function) {
        return Some(Escapes::NonAscii);
    }
    std::ptr::fn_addr_eq(function, encode_basestring as Function).then_some(Escapes::Required)
}

/// One run of an encoder.
struct Writer<'a> {
    vm: &'a Vm,
    encoder: &'a Encoder,
    out: Output,
    level: usize,
    /// The newline and indentation of a level, made on first use.
    line_starts: Vec<Value>,
}

impl Writer<'_> {
    fn new<'a>(vm: &'a Vm, encoder: &'a Encoder, level: usize) -> Result<Writer<'a>> {
        Ok(Writer { vm, encoder, out: Output::with_capacity(64), level, line_starts: Vec::new() })
    }

    fn value(&mut self, value: &Value) -> Result<()> {
        if value.is_none() {
            self.out.push_ascii(b"null");
        } else if value.is_true() {
            self.out.push_ascii(b"true");
        } else if value.is_false() {
            self.out.push_ascii(b"false");
        } else if let Some(n) = value.as_small_int() {
            self.out.push_ascii(small_to_decimal(n, &mut [0; 20]));
        } else if value.downcast::<Str>().is_some() {
            self.string(value)?;
        } else if int::is_int(value) {
            self.int(value)?;
        } else if let Some(f) = float::to_f64(value) {
            self.float(f, value)?;
        } else if value.downcast::<List>().is_some() || value.downcast::<Tuple>().is_some() {
            self.vm.check_stack(" while encoding a JSON object")?;
            self.array(value)?;
        } else if let Some(dict) = value.downcast::<Dict>() {
            self.vm.check_stack(" while encoding a JSON object")?;
            self.object(value, dict)?;
        } else {
            self.other(value)?;
        }
        Ok(())
    }

    /// Writes a str, with the encoder given if it is not one of ours.
    #[inline]
    fn string(&mut self, value: &Value) -> Result<()> {
        if let (Some(escapes), Some(text)) = (self.encoder.escapes, value.downcast::<Str>()) {
            self.out.push_string(text, escapes);
            return Ok(());
        }
        let encoded = self.vm.call_args(&self.encoder.encoder, std::slice::from_ref(value))?;
        match encoded.downcast::<Str>() {
            Some(text) => self.out.push_text(text),
            None => {
                let got = encoded.ty().name();
                return Err(self.vm.type_error(format!("encoder() must return a string, not {got}")));
            }
        }
        Ok(())
    }

    fn int(&mut self, value: &Value) -> Result<()> {
        let exact = int::to_exact(value);
        let text = match INT.ty().slots().repr {
            Some(repr) => repr(self.vm, &exact)?,
            None => self.vm.repr(&exact)?,
        };
        if let Some(text) = text.downcast::<Str>() {
            self.out.push_text(text);
        }
        Ok(())
    }

    fn float_text(&self, f: f64, value: &Value) -> Result<String> {
        if f.is_finite() {
            return Ok(float_repr::repr(f));
        }
        if !self.encoder.allow_nan {
            let shown = self.vm.repr_string(value)?;
            return Err(self.vm.value_error(format!("Out of range float values are not JSON compliant: {shown}")));
        }
        let name = if f.is_nan() { "NaN" } else { "Infinity" };
        Ok(format!("{}{name}", if f < 0.0 { "-" } else { "" }))
    }

    fn float(&mut self, f: f64, value: &Value) -> Result<()> {
        let text = self.float_text(f, value)?;
        self.out.push_ascii(text.as_bytes());
        Ok(())
    }

    /// Notes that `value` is being written; the key to say when it is done.
    fn enter(&self, value: &Value) -> Result<Option<Value>> {
        let Some(markers) = &self.encoder.markers else { return Ok(None) };
        let key = Value::from(value.id());
        if markers.contains(self.vm, &key)? {
            return Err(self.vm.value_error("Circular reference detected"));
        }
        markers.set(self.vm, &key, value.clone())?;
        Ok(Some(key))
    }

    fn leave(&self, key: Option<Value>) -> Result<()> {
        if let (Some(markers), Some(key)) = (&self.encoder.markers, key) {
            match markers.remove(self.vm, &key)? {
                Some(value) => drop(value),
                None => return Err(self.vm.key_error(&key)),
            }
        }
        Ok(())
    }

    /// Writes what `default` makes of an object.
    fn other(&mut self, value: &Value) -> Result<()> {
        let key = self.enter(value)?;
        let replacement = self.vm.call_args(&self.encoder.default, std::slice::from_ref(value))?;
        self.vm.check_stack(" while encoding a JSON object")?;
        self.value(&replacement).map_err(|raised| self.note(raised, value, "object"))?;
        self.leave(key)
    }

    /// Says in a note what could not be written.
    #[cold]
    fn note(&self, raised: Raised, value: &Value, part: &str) -> Raised {
        self.vm.with_note(raised, format!("when serializing {} {part}", fully_qualified_name(self.vm, value)))
    }

    /// Begins a line at the present level, if there is indentation.
    fn line_start(&mut self) -> Result<()> {
        if self.encoder.indent.is_none() {
            return Ok(());
        }
        while self.line_starts.len() <= self.level {
            let next = match self.line_starts.last() {
                None => Value::from("\n"),
                Some(outer) => self.vm.add(outer, &self.encoder.indent)?,
            };
            self.line_starts.push(next);
        }
        if let Some(text) = self.line_starts[self.level].downcast::<Str>() {
            self.out.push_text(text);
        }
        Ok(())
    }

    fn separator(&mut self) -> Result<()> {
        self.out.push_text(&self.encoder.item_separator);
        self.line_start()
    }

    fn array(&mut self, value: &Value) -> Result<()> {
        let sequence = value.downcast::<List>();
        let item = |at: usize| match sequence {
            Some(list) => list.get(at),
            None => value.downcast::<Tuple>().and_then(|tuple| tuple.as_slice().get(at).cloned()),
        };
        let Some(mut element) = item(0) else {
            self.out.push_ascii(b"[]");
            return Ok(());
        };
        let key = self.enter(value)?;
        self.out.push_byte(b'[');
        self.level += 1;
        self.line_start()?;
        let mut at = 0;
        loop {
            self.value(&element).map_err(|raised| self.note(raised, value, &format!("item {at}")))?;
            at += 1;
            match item(at) {
                Some(next) => element = next,
                None => break,
            }
            self.separator()?;
        }
        self.leave(key)?;
        self.level -= 1;
        self.line_start()?;
        self.out.push_byte(b']');
        Ok(())
    }

    fn object(&mut self, value: &Value, dict: &Dict) -> Result<()> {
        if dict.len() == 0 {
            self.out.push_ascii(b"{}");
            return Ok(());
        }
        let marker = self.enter(value)?;
        self.out.push_byte(b'{');
        self.level += 1;
        let mut first = true;
        if self.encoder.sort_keys || value.downcast_exact::<Dict>().is_none() {
            let items = self.vm.call_method(value, "items", &[])?;
            let items = List::from_vec(self.vm.collect(&items)?);
            if self.encoder.sort_keys {
                list::sort::sort(self.vm, &items, None, false)?;
            }
            let mut at = 0;
            while let Some(item) = items.get(at) {
                match item.downcast::<Tuple>().map(Tuple::as_slice) {
                    Some([key, item]) => self.member(value, key, item, &mut first)?,
                    _ => return Err(self.vm.value_error("items must return 2-tuples")),
                }
                at += 1;
            }
        } else {
            let mut position = 0;
            while let Some((next, key, item)) = dict.next_item(position) {
                position = next;
                self.member(value, &key, &item, &mut first)?;
            }
        }
        self.leave(marker)?;
        self.level -= 1;
        // All members may have been skipped.
        if !first {
            self.line_start()?;
        }
        self.out.push_byte(b'}');
        Ok(())
    }

    /// Writes one member of the object `dict`.
    fn member(&mut self, dict: &Value, key: &Value, item: &Value, first: &mut bool) -> Result<()> {
        let made;
        let name = if key.downcast::<Str>().is_some() {
            key
        } else {
            match self.key_text(key)? {
                Some(text) => made = text,
                None => return Ok(()),
            }
            &made
        };
        if std::mem::take(first) {
            self.line_start()?;
        } else {
            self.separator()?;
        }
        self.string(name)?;
        self.out.push_text(&self.encoder.key_separator);
        self.value(item).map_err(|raised| match self.vm.preserving_exception(|vm| vm.repr_string(key)) {
            Ok(key) => self.note(raised, dict, &format!("item {key}")),
            // The key cannot be shown: the first error stays as it is.
            Err(_) => raised,
        })
    }

    /// The text of a key that is no str; `None` if it is skipped.
    fn key_text(&self, key: &Value) -> Result<Option<Value>> {
        Ok(Some(match float::to_f64(key) {
            Some(f) => Value::from(self.float_text(f, key)?),
            None if key.is_true() => Value::from("true"),
            None if key.is_false() => Value::from("false"),
            None if key.is_none() => Value::from("null"),
            None if int::is_int(key) => int::to_decimal(self.vm, &int::to_exact(key))?,
            None if self.encoder.skipkeys => return Ok(None),
            None => {
                let got = key.ty().name();
                return Err(self.vm.type_error(format!("keys must be str, int, float, bool or None, not {got}")));
            }
        }))
    }
}
