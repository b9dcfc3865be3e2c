//! `unpack` and `unpack_from`: bytes to values.

use super::layout::{Item, Kind, Layout};
use super::{error, pack};
use crate::arguments::ssize;
use taipan_object::builtins::memoryview::items::half_to_f64;
use taipan_object::builtins::tuple::{TUPLE, Tuple};
use taipan_object::builtins::{bytes, complex, int};
use taipan_object::{Result, Value, Vm};

pub fn unpack(vm: &Vm, layout: &Layout, buffer: &Value) -> Result {
    let data = vm.bytes_like(buffer)?;
    if data.len() != layout.size {
        return Err(error(vm, format!("unpack requires a buffer of {} bytes", layout.size)));
    }
    values(vm, layout, &data)
}

pub fn unpack_from(vm: &Vm, layout: &Layout, buffer: &Value, offset: &Value) -> Result {
    let offset = ssize(vm, offset)? as i64;
    let data = vm.bytes_like(buffer)?;
    let size = layout.size;
    let no_space = || format!("not enough data to unpack {size} bytes at offset {offset}");
    let at = pack::start(vm, offset, data.len(), size, no_space)?;
    match data.get(at..).and_then(|data| data.get(..size)) {
        Some(data) => values(vm, layout, data),
        None => {
            let (needed, length) = (at as u128 + size as u128, data.len());
            Err(error(
                vm,
                format!(
                    "unpack_from requires a buffer of at least {needed} bytes for unpacking {size} bytes at offset {at} (actual \
                     buffer size is {length})"
                ),
            ))
        }
    }
}

/// The values in `data`, which has the layout's size, as a tuple.
pub fn values(vm: &Vm, layout: &Layout, data: &[u8]) -> Result {
    // A single number, which is frequent.
    if let [item] = &layout.items[..]
        && item.repeat == 1
    {
        return Ok(Tuple::from_array([read(vm, item, layout.little_endian, &data[item.offset..])?]).into_value());
    }
    let mut values = smallvec::SmallVec::<[Value; 16]>::new();
    if values.try_reserve_exact(layout.values).is_err() {
        return Err(vm.memory_error());
    }
    for item in &layout.items {
        let mut at = item.offset;
        for _ in 0..item.repeat {
            values.push(read(vm, item, layout.little_endian, &data[at..])?);
            at += item.size;
        }
    }
    if values.is_empty() {
        return Ok(taipan_object::builtins::tuple::empty().into_value());
    }
    match Tuple::try_new_with_type(TUPLE.ty(), values.into_iter()) {
        Some(tuple) => Ok(tuple.into_value()),
        None => Err(vm.memory_error()),
    }
}

/// The bytes of a number, least significant first.
#[inline]
fn get<const N: usize>(data: &[u8], little_endian: bool) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&data[..N]);
    if !little_endian {
        bytes.reverse();
    }
    bytes
}

#[inline]
fn word(data: &[u8], size: usize, little_endian: bool) -> u64 {
    match size {
        1 => data[0] as u64,
        2 => u16::from_le_bytes(get(data, little_endian)) as u64,
        4 => u32::from_le_bytes(get(data, little_endian)) as u64,
        _ => u64::from_le_bytes(get(data, little_endian)),
    }
}

fn read(vm: &Vm, item: &Item, little_endian: bool, data: &[u8]) -> Result {
    let size = item.size;
    Ok(match item.kind {
        Kind::Signed => {
            let shift = 64 - 8 * size as u32;
            int::from_i64((word(data, size, little_endian) << shift) as i64 >> shift)
        }
        Kind::Unsigned | Kind::Pointer => int::from_u64(word(data, size, little_endian)),
        Kind::Bool => Value::bool(data[0] != 0),
        Kind::Char => bytes::new(&data[..1]),
        Kind::Bytes => bytes::from_slice(vm, &data[..size])?,
        Kind::Pascal => {
            let length = data[..size].first().map_or(0, |length| *length as usize).min(size.saturating_sub(1));
            bytes::from_slice(vm, data.get(1..=length).unwrap_or(&[]))?
        }
        Kind::Half => Value::from(half_to_f64(u16::from_le_bytes(get(data, little_endian)))),
        Kind::Single => Value::from(f32::from_le_bytes(get(data, little_endian)) as f64),
        Kind::Double => Value::from(f64::from_le_bytes(get(data, little_endian))),
        Kind::ComplexSingle => complex::from_parts((
            f32::from_le_bytes(get(data, little_endian)) as f64,
            f32::from_le_bytes(get(&data[4..], little_endian)) as f64,
        )),
        Kind::ComplexDouble => complex::from_parts((
            f64::from_le_bytes(get(data, little_endian)),
            f64::from_le_bytes(get(&data[8..], little_endian)),
        )),
    })
}
