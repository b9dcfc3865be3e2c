//! Universal newlines: [`Newlines`] notes which line ends a text has and may translate them to `\n`;
//! `_io.IncrementalNewlineDecoder` is that behind another decoder.

use super::names::names;
use crate::payload::{class_of, payload, signature};
use taipan_object::builtins::bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::str::{Data, Str};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::text::Unit;
use taipan_object::text::builder::GivenUp;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

const SEEN_CR: u8 = 1;
const SEEN_LF: u8 = 2;
const SEEN_CRLF: u8 = 4;

/// The state of the translation.
#[derive(Clone, Copy, Default)]
pub struct Newlines {
    pub translate: bool,
    /// The text so far ended with a `\r` that is held back: a `\n` may follow.
    pub pending_cr: bool,
    seen: u8,
}

impl Newlines {
    pub fn new(translate: bool) -> Newlines {
        Newlines { translate, ..Newlines::default() }
    }

    pub fn reset(&mut self) {
        self.seen = 0;
        self.pending_cr = false;
    }

    /// The next piece of the text, translated.
    pub fn decode(&mut self, text: Ref<Str>, is_final: bool) -> Ref<Str> {
        match text.data() {
            // Without a `\r` there is nothing to do but to note the `\n`s.
            Data::Ascii(units) | Data::Latin1(units) if !self.pending_cr && memchr::memchr(b'\r', units).is_none() => {
                if self.seen & SEEN_LF == 0 && memchr::memchr(b'\n', units).is_some() {
                    self.seen |= SEEN_LF;
                }
                text
            }
            Data::Ascii(units) => {
                let converted = self.convert(units, is_final);
                Str::from_ascii(&converted)
            }
            Data::Latin1(units) => {
                let converted = self.convert(units, is_final);
                Str::from_latin1(&converted)
            }
            Data::Ucs2(units) => {
                let converted = self.convert(units, is_final);
                Str::from_ucs2(&converted)
            }
            Data::Ucs4(units) => {
                let converted = self.convert(units, is_final);
                Str::from_code_points(&converted)
            }
        }
    }

    fn convert<U: Unit>(&mut self, units: &[U], is_final: bool) -> Vec<U> {
        let unit = |byte: u8| U::from_code(byte as u32).expect("every kind holds ASCII");
        let mut out = Vec::new();
        out.make_room(units.len() + 1);
        let mut units = units;
        if self.pending_cr && (is_final || !units.is_empty()) {
            self.pending_cr = false;
            self.carriage_return(units.first().map(|unit| unit.code()), &mut out, unit);
            if units.first().is_some_and(|first| first.code() == 10) {
                units = &units[1..];
            }
        }
        if !is_final && units.last().is_some_and(|last| last.code() == 13) {
            self.pending_cr = true;
            units = &units[..units.len() - 1];
        }
        let mut at = 0;
        while at < units.len() {
            match units[at].code() {
                10 => {
                    self.seen |= SEEN_LF;
                    out.put(units[at]);
                }
                13 => {
                    let next = units.get(at + 1).map(|unit| unit.code());
                    self.carriage_return(next, &mut out, unit);
                    if next == Some(10) {
                        at += 1;
                    }
                }
                _ => out.put(units[at]),
            }
            at += 1;
        }
        out
    }

    /// Writes the line end that begins with a `\r`; the caller skips the `\n` that belongs to it.
    fn carriage_return<U: Unit>(&mut self, next: Option<u32>, out: &mut Vec<U>, unit: impl Fn(u8) -> U) {
        let pair = next == Some(10);
        self.seen |= if pair { SEEN_CRLF } else { SEEN_CR };
        if self.translate {
            out.put(unit(b'\n'));
            return;
        }
        out.put(unit(b'\r'));
        if pair {
            out.put(unit(b'\n'));
        }
    }

    /// The line ends seen so far: `None`, one of them, or a tuple.
    pub fn seen(&self) -> Value {
        let kinds = [(SEEN_CR, "\r"), (SEEN_LF, "\n"), (SEEN_CRLF, "\r\n")];
        let mut seen: Vec<Value> =
            kinds.iter().filter(|(flag, _)| self.seen & flag != 0).map(|(_, text)| Value::from(*text)).collect();
        match seen.len() {
            0 => Value::NONE,
            1 => seen.pop().unwrap_or(Value::NONE),
            _ => Tuple::from_vec(seen).into_value(),
        }
    }
}

impl crate::payload::Field for Newlines {
    fn visit(&self, _: taipan_object::object::Visitor) {}
    fn take(&mut self) -> Self {
        *self
    }
}

payload! {
    pub struct IncrementalNewlineDecoder(DecoderState): INCREMENTAL_NEWLINE_DECODER {
        decoder: Option<Value>, errors: Value, newlines: Newlines
    }
}

pub static INCREMENTAL_NEWLINE_DECODER: TypeSpec =
    TypeSpec::new::<IncrementalNewlineDecoder>("_io.IncrementalNewlineDecoder")
        .doc(
            "IncrementalNewlineDecoder(decoder, translate, errors='strict')\n--\n\nCodec used when reading a file in \
             universal newlines mode.\n\nIt notes which line ends another decoder's text has and, with translate, makes \
             them all \\n. Without\na decoder, it takes text.",
        )
        .flags(type_flags::BASETYPE | type_flags::GENERIC_NEW)
        .slots(|s| {
            s.new = Some(|_, class, _, _| {
                let state = DecoderState { decoder: None, errors: Value::UNBOUND, newlines: Newlines::default() };
                Ok(IncrementalNewlineDecoder::make(class_of(class), state))
            });
            s.init = Some(init);
        })
        .methods(METHODS)
        .getset(&[GetSetDef::new("newlines", "", |vm, this| {
            check_initialized(vm, this)?;
            Ok(IncrementalNewlineDecoder::of(this).with(|state| state.newlines).seen())
        })]);

signature!(INIT = "IncrementalNewlineDecoder(decoder, translate, errors='strict')");

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let bound = INIT.bind(vm, args, kwnames)?;
    let translate = vm.is_true(&bound[1])?;
    let decoder = bound[0].given().cloned();
    let old = IncrementalNewlineDecoder::of(this).with(|state| {
        state.newlines = Newlines::new(translate);
        (std::mem::replace(&mut state.decoder, decoder), std::mem::replace(&mut state.errors, bound[2].clone()))
    });
    drop(old);
    Ok(())
}

fn check_initialized(vm: &Vm, this: &Value) -> Result<()> {
    if IncrementalNewlineDecoder::of(this).with(|state| state.errors.is_unbound()) {
        return Err(vm.value_error("IncrementalNewlineDecoder.__init__() not called"));
    }
    Ok(())
}

fn decode(vm: &Vm, this: &Value, input: &Value, is_final: bool) -> Result {
    check_initialized(vm, this)?;
    let own = IncrementalNewlineDecoder::of(this);
    let output = match own.with(|state| state.decoder.clone()) {
        Some(decoder) => vm.call_method_name(&decoder, &names().decode, &[input.clone(), Value::bool(is_final)])?,
        None => input.clone(),
    };
    let Some(text) = output.downcast_ref::<Str>() else {
        let got = output.ty().name();
        return Err(vm.type_error(format!("decoder should return a string result, not '{got}'")));
    };
    let mut newlines = own.with(|state| state.newlines);
    let text = newlines.decode(text, is_final);
    own.with(|state| state.newlines = newlines);
    Ok(text.into_value())
}

/// The two items of a decoder's state, which must be a tuple of bytes and an int.
pub fn state_items(vm: &Vm, state: &Value) -> Result<(Value, i64)> {
    let Some([buffer, flags]) = state.downcast::<Tuple>().map(Tuple::as_slice) else {
        return Err(vm.type_error("illegal decoder state"));
    };
    if !bytes::is_bytes(buffer) {
        let got = buffer.ty().name();
        return Err(
            vm.type_error(format!("illegal decoder state: the first item should be a bytes object, not '{got}'"))
        );
    }
    Ok((buffer.clone(), vm.index_i64(flags)?))
}

method_table! { static METHODS = [
    MethodDef::new("decode($self, /, input, final=False)", "", |vm, this, args| {
        let is_final = vm.is_true(&args[1])?;
        decode(vm, this, &args[0], is_final)
    }),
    MethodDef::new("getstate($self, /)", "", |vm, this, _| {
        check_initialized(vm, this)?;
        let own = IncrementalNewlineDecoder::of(this);
        let (buffer, flags) = match own.with(|state| state.decoder.clone()) {
            Some(decoder) => {
                let state = vm.call_method_name(&decoder, &names().getstate, &[])?;
                let Some([buffer, flags]) = state.downcast::<Tuple>().map(Tuple::as_slice) else {
                    return Err(vm.type_error("illegal decoder state"));
                };
                if !int::is_int(flags) {
                    return Err(vm.type_error("illegal decoder state"));
                }
                (buffer.clone(), flags.clone())
            }
            None => (bytes::empty(), Value::from(0)),
        };
        let pending = own.with(|state| state.newlines.pending_cr);
        let shifted = vm.lshift(&flags, &Value::from(1))?;
        let flags = if pending { vm.or(&shifted, &Value::from(1))? } else { shifted };
        Ok(Tuple::from_array([buffer, flags]).into_value())
    }),
    MethodDef::new("setstate($self, state, /)", "", |vm, this, args| {
        check_initialized(vm, this)?;
        let own = IncrementalNewlineDecoder::of(this);
        let Some(items) = args[0].downcast::<Tuple>().map(Tuple::as_slice) else {
            return Err(vm.type_error("state argument must be a tuple"));
        };
        let [buffer, flags] = items else {
            return Err(vm.type_error("setstate(): illegal state argument"));
        };
        if !int::is_int(flags) {
            return Err(vm.type_error("setstate(): illegal state argument"));
        }
        let bits = vm.index(flags)?;
        let pending = int::to_i64(&vm.and(&bits, &Value::from(1))?) == Some(1);
        own.with(|state| state.newlines.pending_cr = pending);
        match own.with(|state| state.decoder.clone()) {
            Some(decoder) => {
                let flags = vm.rshift(&bits, &Value::from(1))?;
                let state = Tuple::from_array([buffer.clone(), flags]).into_value();
                vm.call_method_name(&decoder, &names().setstate, &[state])
            }
            None => Ok(Value::NONE),
        }
    }),
    MethodDef::new("reset($self, /)", "", |vm, this, _| {
        check_initialized(vm, this)?;
        let own = IncrementalNewlineDecoder::of(this);
        own.with(|state| state.newlines.reset());
        match own.with(|state| state.decoder.clone()) {
            Some(decoder) => vm.call_method_name(&decoder, &names().reset, &[]),
            None => Ok(Value::NONE),
        }
    }),
]; }
