//! Pickling of arrays: by the machine's representation of items and its number, from which any machine can restore them.

use super::items::{ItemKind, ItemType};
use super::{ARRAY, Array, construct, methods};
use crate::arguments::c_int;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::types::Type;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, codecs, method_table};

method_table! { pub static FUNCTIONS = [
    MethodDef::new("_array_reconstructor($module, arraytype, typecode, mformat_code, items,\n                     /)",
        "Rebuild an array that was pickled; for internal use.", |vm, _, args| reconstruct(vm, args)),
]; }

/// How items are represented.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Integer { size: usize, signed: bool, big_endian: bool },
    Float { size: usize, big_endian: bool },
    Text { encoding: &'static str, size: usize },
}

impl Format {
    fn from_code(code: i32) -> Option<Format> {
        let big_endian = code % 2 == 1;
        Some(match code {
            0 | 1 => Format::Integer { size: 1, signed: code == 1, big_endian: false },
            2..=5 => Format::Integer { size: 2, signed: code >= 4, big_endian },
            6..=9 => Format::Integer { size: 4, signed: code >= 8, big_endian },
            10..=13 => Format::Integer { size: 8, signed: code >= 12, big_endian },
            14 | 15 => Format::Float { size: 4, big_endian },
            16 | 17 => Format::Float { size: 8, big_endian },
            // The sizes that CPython checks are twice those of a character.
            18 => Format::Text { encoding: "utf-16-le", size: 4 },
            19 => Format::Text { encoding: "utf-16-be", size: 4 },
            20 => Format::Text { encoding: "utf-32-le", size: 8 },
            21 => Format::Text { encoding: "utf-32-be", size: 8 },
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Format::Integer { size, .. } | Format::Float { size, .. } | Format::Text { size, .. } => size,
        }
    }
}

/// The code of an item type's format on this machine.
fn format_code(items: ItemType) -> i32 {
    let order = i32::from(cfg!(target_endian = "big"));
    match items.kind {
        ItemKind::Float => order + if items.size == 4 { 14 } else { 16 },
        ItemKind::Character => order + 20,
        kind => {
            let signed = kind == ItemKind::Signed;
            match items.size {
                1 => i32::from(signed),
                2 => order + if signed { 4 } else { 2 },
                4 => order + if signed { 8 } else { 6 },
                _ => order + if signed { 12 } else { 10 },
            }
        }
    }
}

pub fn reduce_ex(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let array = Array::of(this);
    if !int::is_int(&args[0]) {
        return Err(vm.type_error("__reduce_ex__ argument should be an integer"));
    }
    let protocol = crate::arguments::c_long(vm, &args[0])?;
    let dict = vm.get_attr_opt(this, &names().__dict__)?.unwrap_or(Value::NONE);
    let class = this.ty().to_value();
    let typecode = Value::from(char::from(array.items.typecode).to_string());
    if protocol < 3 {
        let arguments = Tuple::from_array([typecode, methods::to_list(vm, array)?]).into_value();
        return Ok(Tuple::from_array([class, arguments, dict]).into_value());
    }
    let reconstructor = vm.import_from("array", "_array_reconstructor")?;
    let data = bytes::from_slice(vm, &array.data(vm)?)?;
    let code = Value::from(format_code(array.items));
    let arguments = Tuple::from_array([class, typecode, code, data]).into_value();
    Ok(Tuple::from_array([reconstructor, arguments, dict]).into_value())
}

fn reconstruct(vm: &Vm, args: &[Value]) -> Result {
    let typecode = construct::typecode(vm, &args[1], "2", "_array_reconstructor():")?;
    let code = c_int(vm, &args[2])?;
    let Some(class) = args[0].downcast::<Type>() else {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("first argument must be a type object, not {got}")));
    };
    if !class.is_subtype(ARRAY.ty()) {
        let (name, array) = (class.name(), ARRAY.ty().name());
        return Err(vm.type_error(format!("{name} is not a subtype of {array}")));
    }
    let Some(items) = ItemType::from_typecode(typecode) else {
        return Err(vm.value_error("second argument must be a valid type code"));
    };
    let Some(format) = Format::from_code(code) else {
        return Err(vm.value_error("third argument must be a valid machine format code."));
    };
    let Some(data) = args[3].downcast::<Bytes>() else {
        return Err(vm.type_error(format!("fourth argument should be bytes, not {}", args[3].ty().name())));
    };
    if format_code(items) == code {
        return construct::make(vm, class, typecode, Some(&args[3]));
    }
    if data.as_slice().len() % format.size() != 0 {
        return Err(vm.value_error("string length not a multiple of item size"));
    }
    let (typecode, values) = convert(vm, items, format, data.as_slice())?;
    construct::make(vm, class, typecode, Some(&values))
}

/// The items in `data`, and the type code that holds them: for integers that of the format, whatever was asked for.
fn convert(vm: &Vm, items: ItemType, format: Format, data: &[u8]) -> Result<(u32, Value)> {
    let in_order = |item: &[u8], big_endian: bool| {
        let mut item = item.to_vec();
        if big_endian != cfg!(target_endian = "big") {
            item.reverse();
        }
        item
    };
    match format {
        Format::Integer { size, signed, big_endian } => {
            let kind = if signed { ItemKind::Signed } else { ItemKind::Unsigned };
            let all = super::items::TYPECODES.bytes().rev();
            let holder = all
                .filter_map(|code| ItemType::from_typecode(code.into()))
                .find(|items| items.size == size && items.kind == kind)
                .unwrap_or(items);
            let values = data.chunks_exact(size).map(|item| {
                let mut raw = [0; 8];
                raw[..size].copy_from_slice(&in_order(item, big_endian));
                holder.to_value(vm, raw)
            });
            let values = values.collect::<Result<Vec<Value>>>()?;
            Ok((holder.typecode.into(), List::from_vec(values).into_value()))
        }
        Format::Float { size, big_endian } => {
            let values = data.chunks_exact(size).map(|item| {
                let item = in_order(item, big_endian);
                Value::from(match item[..] {
                    [a, b, c, d] => f32::from_ne_bytes([a, b, c, d]) as f64,
                    [a, b, c, d, e, f, g, h] => f64::from_ne_bytes([a, b, c, d, e, f, g, h]),
                    _ => 0.0,
                })
            });
            Ok((items.typecode.into(), List::from_vec(values.collect()).into_value()))
        }
        Format::Text { encoding, .. } => Ok((items.typecode.into(), codecs::decode(vm, data, Some(encoding), None)?)),
    }
}
