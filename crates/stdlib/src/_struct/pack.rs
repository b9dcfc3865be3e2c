//! `pack` and `pack_into`: values to bytes.
//!
//! Converting a value may run Python code, so `pack_into` collects the bytes aside and moves them to the buffer at the end.

use super::error;
use super::layout::{Item, Kind, Layout};
use smallvec::SmallVec;
use taipan_object::buffer::{Buffer, buffer_flags};
use taipan_object::builtins::bytearray::ByteArray;
use taipan_object::builtins::bytes::{BYTES, Bytes};
use taipan_object::builtins::memoryview::items::f64_to_half;
use taipan_object::builtins::{complex, int};
use taipan_object::exceptions::{BUFFER_ERROR, EXCEPTION};
use taipan_object::{Raised, Result, Value, Vm};

type Packed = SmallVec<[u8; 128]>;

pub fn pack(vm: &Vm, layout: &Layout, values: &[Value]) -> Result {
    check_count(vm, "pack", layout, values.len())?;
    let mut outcome = Ok(());
    // Nobody else sees the bytes while Python code converts values.
    let packed = Bytes::build(vm, BYTES.ty(), layout.size, |out| outcome = write_all(vm, layout, values, out))?;
    outcome.map(|()| packed)
}

fn check_count(vm: &Vm, name: &str, layout: &Layout, given: usize) -> Result<()> {
    if given == layout.values {
        return Ok(());
    }
    Err(error(vm, format!("{name} expected {} items for packing (got {given})", layout.values)))
}

/// `buffer, offset, v1, v2, …`
pub fn pack_into(vm: &Vm, layout: &Layout, args: &[Value]) -> Result {
    let (buffer, offset, values) = match args {
        [] => return Err(error(vm, "pack_into expected buffer argument")),
        [_] => return Err(error(vm, "pack_into expected offset argument")),
        [buffer, offset, values @ ..] => (buffer, offset, values),
    };
    check_count(vm, "pack_into", layout, values.len())?;
    let buffer = writable(vm, buffer)?;
    let offset = vm.index_or_index_error(offset)?;
    let size = layout.size;
    let at = start(vm, offset, buffer.length, size, || format!("no space to pack {size} bytes at offset {offset}"))?;
    if at > buffer.length || buffer.length - at < size {
        let (needed, length) = (at as u128 + size as u128, buffer.length);
        return Err(error(
            vm,
            format!(
                "pack_into requires a buffer of at least {needed} bytes for packing {size} bytes at offset {at} (actual buffer \
                 size is {length})"
            ),
        ));
    }
    let mut packed = Packed::new();
    if packed.try_reserve_exact(size).is_err() {
        return Err(vm.memory_error());
    }
    packed.resize(size, 0);
    write_all(vm, layout, values, &mut packed)?;
    buffer.as_mut_slice()[at..at + size].copy_from_slice(&packed);
    Ok(Value::NONE)
}

fn writable(vm: &Vm, value: &Value) -> Result<Buffer> {
    if vm.has_buffer(value) {
        match vm.get_buffer(value, buffer_flags::WRITABLE) {
            Ok(buffer) => return Ok(buffer),
            Err(raised) => vm.catch(raised, BUFFER_ERROR.ty()).map(drop)?,
        }
    }
    Err(vm.type_error(format!("argument must be read-write bytes-like object, not {}", value.ty().name())))
}

/// The place that an offset, which may count from the end, means in a buffer of `length` bytes. It may lie behind the end,
/// but not so that a negative offset's `size` bytes do.
pub fn start(vm: &Vm, offset: i64, length: usize, size: usize, no_space: impl FnOnce() -> String) -> Result<usize> {
    if offset >= 0 {
        return Ok(offset as usize);
    }
    if offset + size as i64 > 0 {
        return Err(error(vm, no_space()));
    }
    match length.checked_add_signed(offset as isize) {
        Some(at) => Ok(at),
        None => Err(error(vm, format!("offset {offset} out of range for {length}-byte buffer"))),
    }
}

/// Writes all values to `out`, which has the layout's size and holds zeros.
fn write_all(vm: &Vm, layout: &Layout, values: &[Value], out: &mut [u8]) -> Result<()> {
    let mut values = values.iter();
    for item in &layout.items {
        let mut at = item.offset;
        for value in values.by_ref().take(item.repeat) {
            write(vm, item, layout.little_endian, value, &mut out[at..at + item.size])?;
            at += item.size;
        }
    }
    Ok(())
}

/// Writes the bytes of a number, least significant first, in the layout's order.
#[inline]
fn put<const N: usize>(out: &mut [u8], little_endian: bool, mut bytes: [u8; N]) {
    if !little_endian {
        bytes.reverse();
    }
    out.copy_from_slice(&bytes);
}

#[inline]
fn put_word(out: &mut [u8], little_endian: bool, word: u64) {
    let bytes = word.to_le_bytes();
    match (out.len(), little_endian) {
        (size, true) => out.copy_from_slice(&bytes[..size]),
        (size, false) => out.iter_mut().zip(bytes[..size].iter().rev()).for_each(|(out, byte)| *out = *byte),
    }
}

fn write(vm: &Vm, item: &Item, little_endian: bool, value: &Value, out: &mut [u8]) -> Result<()> {
    match item.kind {
        Kind::Signed => {
            let limit = 1i128 << (item.size * 8 - 1);
            let word = integer(vm, value)?;
            match word.filter(|n| (-limit..limit).contains(n)) {
                Some(n) => put_word(out, little_endian, n as u64),
                None => return Err(out_of_range(vm, item, -limit, limit - 1)),
            }
        }
        Kind::Unsigned => {
            let limit = 1i128 << (item.size * 8);
            let word = integer(vm, value)?;
            match word.filter(|n| (0..limit).contains(n)) {
                Some(n) => put_word(out, little_endian, n as u64),
                None => return Err(out_of_range(vm, item, 0, limit - 1)),
            }
        }
        Kind::Pointer => match integer(vm, value)?.filter(|n| (i64::MIN as i128..1 << 64).contains(n)) {
            Some(n) => put_word(out, little_endian, n as u64),
            None => return Err(error(vm, "int too large to convert")),
        },
        Kind::Bool => out[0] = u8::from(vm.is_true(value)?),
        Kind::Char => match value.downcast::<Bytes>().map(Bytes::as_slice) {
            Some([byte]) => out[0] = *byte,
            _ => return Err(error(vm, "char format requires a bytes object of length 1")),
        },
        Kind::Bytes => {
            with_text(vm, item, value, |text| {
                let length = text.len().min(out.len());
                out[..length].copy_from_slice(&text[..length]);
            })?;
        }
        Kind::Pascal => {
            with_text(vm, item, value, |text| {
                let Some((first, out)) = out.split_first_mut() else { return };
                let length = text.len().min(out.len());
                out[..length].copy_from_slice(&text[..length]);
                *first = length.min(255) as u8;
            })?;
        }
        Kind::Half => match f64_to_half(float(vm, value)?) {
            Some(bits) => put(out, little_endian, bits.to_le_bytes()),
            None => return Err(vm.overflow_error("float too large to pack with e format")),
        },
        Kind::Single => put(out, little_endian, single(vm, float(vm, value)?)?.to_le_bytes()),
        Kind::Double => put(out, little_endian, float(vm, value)?.to_le_bytes()),
        Kind::ComplexSingle => {
            let (real, imag) = complex_parts(vm, value)?;
            // As in CPython, overflow is an error only in the order that is not the machine's.
            let part = |f| if little_endian == cfg!(target_endian = "little") { Ok(f as f32) } else { single(vm, f) };
            put(&mut out[..4], little_endian, part(real)?.to_le_bytes());
            put(&mut out[4..], little_endian, part(imag)?.to_le_bytes());
        }
        Kind::ComplexDouble => {
            let (real, imag) = complex_parts(vm, value)?;
            put(&mut out[..8], little_endian, real.to_le_bytes());
            put(&mut out[8..], little_endian, imag.to_le_bytes());
        }
    }
    Ok(())
}

/// An int, if it fits 66 bits.
#[inline]
fn integer(vm: &Vm, value: &Value) -> Result<Option<i128>> {
    if let Some(n) = value.as_small_int() {
        return Ok(Some(n as i128));
    }
    if !int::is_int(value) && value.ty().slots().index.is_none() {
        return Err(error(vm, "required argument is not an integer"));
    }
    let index = vm.index(value)?;
    Ok(match int::to_i64(&index) {
        Some(n) => Some(n as i128),
        None => int::to_u64(&index).map(|n| n as i128),
    })
}

#[cold]
fn out_of_range(vm: &Vm, item: &Item, low: i128, high: i128) -> Raised {
    error(vm, format!("'{}' format requires {low} <= number <= {high}", item.letter as char))
}

fn float(vm: &Vm, value: &Value) -> Result<f64> {
    vm.float(value).or_else(|raised| {
        vm.catch(raised, EXCEPTION.ty())?;
        Err(error(vm, "required argument is not a float"))
    })
}

fn complex_parts(vm: &Vm, value: &Value) -> Result<(f64, f64)> {
    complex::as_parts(vm, value).or_else(|raised| {
        vm.catch(raised, EXCEPTION.ty())?;
        Err(error(vm, "required argument is not a complex"))
    })
}

fn single(vm: &Vm, f: f64) -> Result<f32> {
    let single = f as f32;
    if single.is_infinite() && f.is_finite() {
        return Err(vm.overflow_error("float too large to pack with f format"));
    }
    Ok(single)
}

/// Calls `f` with the contents of a bytes or bytearray object.
fn with_text(vm: &Vm, item: &Item, value: &Value, f: impl FnOnce(&[u8])) -> Result<()> {
    if let Some(bytes) = value.downcast::<Bytes>() {
        f(bytes.as_slice());
        return Ok(());
    }
    match value.downcast::<ByteArray>() {
        Some(array) => {
            f(&array.to_vec(vm)?);
            Ok(())
        }
        None => Err(error(vm, format!("argument for '{}' must be a bytes object", item.letter as char))),
    }
}
