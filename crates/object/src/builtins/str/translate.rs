//! `translate` and `maketrans`.

use super::{Data, Str};
use crate::builtins::dict::Dict;
use crate::builtins::int;
use crate::exceptions;
use crate::object::Result;
use crate::text::builder::TextBuilder;
use crate::value::Value;
use crate::vm::Vm;

/// Of an ASCII character: it has not been looked up, or becomes more than another ASCII character.
const UNKNOWN: u8 = 0xff;
/// Of an ASCII character: it is left out.
const LEFT_OUT: u8 = 0xfe;

/// What a table says of a character.
enum Mapped {
    Same,
    Nothing,
    Code(u32),
    Text(Value),
}

fn look_up(vm: &Vm, table: &Value, code: u32) -> Result<Mapped> {
    let key = Value::from(code);
    let mapped = match table.downcast_exact::<Dict>() {
        // Most characters have no entry: they are not worth an exception.
        Some(dict) => match dict.get(vm, &key)? {
            Some(mapped) => mapped,
            None => return Ok(Mapped::Same),
        },
        None => match vm.get_item(table, &key) {
            Ok(mapped) => mapped,
            Err(raised) => {
                vm.catch(raised, exceptions::LOOKUP_ERROR.ty())?;
                return Ok(Mapped::Same);
            }
        },
    };
    if mapped.is_none() {
        return Ok(Mapped::Nothing);
    }
    if int::is_int(&mapped) {
        return match int::to_i64(&mapped) {
            Some(code @ 0..0x110000) => Ok(Mapped::Code(code as u32)),
            _ => Err(vm.value_error("character mapping must be in range(0x110000)")),
        };
    }
    if mapped.downcast::<Str>().is_some() {
        return Ok(Mapped::Text(mapped));
    }
    Err(vm.type_error("character mapping must return integer, None or str"))
}

fn push(out: &mut TextBuilder, code: u32, mapped: &Mapped) {
    match mapped {
        Mapped::Same => out.push(code),
        Mapped::Nothing => {}
        Mapped::Code(code) => out.push(*code),
        Mapped::Text(text) => {
            if let Some(text) = text.downcast::<Str>() {
                text.push_to(out);
            }
        }
    }
}

impl Str {
    /// Appends the text to a builder.
    pub(crate) fn push_to(&self, out: &mut TextBuilder) {
        match self.data() {
            Data::Ascii(units) => out.push_ascii(units),
            Data::Latin1(units) => out.push_units(units),
            Data::Ucs2(units) => out.push_units(units),
            Data::Ucs4(units) => out.push_units(units),
        }
    }
}

pub(super) fn translate(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    let table = &args[0];
    let mut out = TextBuilder::with_capacity(text.len());
    let mut known = [UNKNOWN; 128];
    for code in text.code_points() {
        match known.get(code as usize) {
            None | Some(&UNKNOWN) => {}
            Some(&LEFT_OUT) => continue,
            Some(&to) => {
                out.push(to as u32);
                continue;
            }
        }
        vm.check_memory()?;
        let mapped = look_up(vm, table, code)?;
        if let Some(entry) = known.get_mut(code as usize) {
            *entry = match mapped {
                Mapped::Same => code as u8,
                Mapped::Nothing => LEFT_OUT,
                Mapped::Code(to @ 0..0x80) => to as u8,
                Mapped::Code(_) | Mapped::Text(_) => UNKNOWN,
            };
        }
        push(&mut out, code, &mapped);
    }
    Ok(Str::from_text(out.finish()).into_value())
}

pub(super) fn maketrans(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let table = Dict::new();
    if let Some(to) = args[1].bound() {
        let to = vm.expect_str_argument(to, |got| format!("maketrans() argument 2 must be str, not {got}"))?;
        let delete = match args[2].bound() {
            Some(delete) => {
                Some(vm.expect_str_argument(delete, |got| format!("maketrans() argument 3 must be str, not {got}"))?)
            }
            None => None,
        };
        let Some(from) = args[0].downcast::<Str>() else {
            return Err(vm.type_error("first maketrans argument must be a string if there is a second argument"));
        };
        if from.len() != to.len() {
            return Err(vm.value_error("the first two maketrans arguments must have equal length"));
        }
        for (from, to) in from.code_points().zip(to.code_points()) {
            table.set(vm, &Value::from(from), Value::from(to))?;
        }
        for code in delete.iter().flat_map(|text| text.code_points()) {
            table.set(vm, &Value::from(code), Value::NONE)?;
        }
        return Ok(table.into_value());
    }
    let Some(source) = args[0].downcast_exact::<Dict>() else {
        return Err(vm.type_error("if you give only one argument to maketrans it must be a dict"));
    };
    for (key, value) in source.items() {
        if let Some(text) = key.downcast::<Str>() {
            if text.len() != 1 {
                return Err(vm.value_error("string keys in translatetable must be of length 1"));
            }
            table.set(vm, &Value::from(text.at(0)), value)?;
        } else if int::is_int(&key) {
            table.set(vm, &key, value)?;
        } else {
            return Err(vm.type_error("keys in translate table mustbe strings or integers"));
        }
    }
    Ok(table.into_value())
}
