//! Elements of native formats as Python objects.

use super::Layout;
use crate::builtins::{bytes, float, int};
use crate::object::Result;
use crate::value::Value;
use crate::vm::{Raised, Vm};
use std::cmp::Ordering;

/// The native format character: a single one, perhaps after `@`.
pub(crate) fn native_format(format: &str) -> Option<u8> {
    let format = format.strip_prefix('@').unwrap_or(format);
    match *format.as_bytes() {
        [c] if size_of_format(c).is_some() => Some(c),
        _ => None,
    }
}

/// The size of an element of a native format.
pub(crate) fn size_of_format(format: u8) -> Option<usize> {
    Some(match format {
        b'c' | b'b' | b'B' | b'?' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'd' | b'P' => 8,
        _ => return None,
    })
}

/// An element.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Item {
    Byte(u8),
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
}

impl Item {
    pub fn read(format: u8, data: &[u8]) -> Item {
        macro_rules! read {
            ($t:ty) => {
                <$t>::from_ne_bytes(data[..size_of::<$t>()].try_into().expect("an item has its format's size"))
            };
        }
        match format {
            b'c' => Item::Byte(data[0]),
            b'?' => Item::Bool(data[0] != 0),
            b'b' => Item::Signed(read!(i8) as i64),
            b'B' => Item::Unsigned(data[0] as u64),
            b'h' => Item::Signed(read!(i16) as i64),
            b'H' => Item::Unsigned(read!(u16) as u64),
            b'i' => Item::Signed(read!(i32) as i64),
            b'I' => Item::Unsigned(read!(u32) as u64),
            b'l' | b'q' | b'n' => Item::Signed(read!(i64)),
            b'e' => Item::Float(half_to_f64(read!(u16))),
            b'f' => Item::Float(read!(f32) as f64),
            b'd' => Item::Float(read!(f64)),
            _ => Item::Unsigned(read!(u64)),
        }
    }

    pub fn to_value(self) -> Value {
        match self {
            Item::Byte(byte) => bytes::new(&[byte]),
            Item::Bool(b) => Value::bool(b),
            Item::Signed(n) => int::from_i64(n),
            Item::Unsigned(n) => int::from_u64(n),
            Item::Float(f) => float::from_f64(f),
        }
    }

    /// Whether the Python objects are equal.
    pub fn equals(self, other: Item) -> bool {
        use Item::*;
        let wide = |item: Item| match item {
            Bool(b) => Some(b as i128),
            Signed(n) => Some(n as i128),
            Unsigned(n) => Some(n as i128),
            _ => None,
        };
        match (self, other) {
            (Byte(a), Byte(b)) => a == b,
            (Byte(_), _) | (_, Byte(_)) => false,
            (Float(a), Float(b)) => a == b,
            (Float(f), n) | (n, Float(f)) => {
                let n = int::from_i128(wide(n).unwrap_or(0));
                int::Operand::of(&n).and_then(|n| n.partial_cmp_f64(f)) == Some(Ordering::Equal)
            }
            (a, b) => wide(a) == wide(b),
        }
    }
}

#[cold]
fn unsupported(vm: &Vm, format: &str) -> Raised {
    let is_single = format.strip_prefix('@').unwrap_or(format).chars().count() == 1;
    vm.not_implemented_error(match is_single {
        true => format!("memoryview: format {format} not supported"),
        false => format!("memoryview: unsupported format {format}"),
    })
}

/// An error unless elements of the format can be read and written.
pub(crate) fn check_format(vm: &Vm, format: &str) -> Result<()> {
    if native_format(format).is_some() { Ok(()) } else { Err(unsupported(vm, format)) }
}

/// An element of a layout as a Python object; formats that are no single native character are for `struct`.
pub(crate) fn unpack(vm: &Vm, layout: &Layout, data: &[u8]) -> Result {
    match native_format(&layout.format) {
        Some(format) => Ok(Item::read(format, data).to_value()),
        None => Err(unsupported(vm, &layout.format)),
    }
}

#[cold]
fn wrong_type(vm: &Vm, format: &str) -> Raised {
    vm.type_error(format!("memoryview: invalid type for format '{format}'"))
}

#[cold]
fn wrong_value(vm: &Vm, format: &str) -> Raised {
    vm.value_error(format!("memoryview: invalid value for format '{format}'"))
}

/// The bytes of a Python object as an element of a layout.
pub(crate) fn pack(vm: &Vm, layout: &Layout, value: &Value) -> Result<Vec<u8>> {
    let shown = layout.format.as_ref();
    let Some(format) = native_format(shown) else {
        return Err(unsupported(vm, shown));
    };
    match format {
        b'c' => match bytes::is_bytes(value) {
            true => match *vm.bytes_like(value)? {
                [byte] => Ok(vec![byte]),
                _ => Err(wrong_value(vm, shown)),
            },
            false => Err(wrong_type(vm, shown)),
        },
        b'?' => Ok(vec![vm.is_true(value)? as u8]),
        b'e' | b'f' | b'd' => {
            let f = match float::as_f64(vm, value) {
                Ok(f) => f,
                Err(raised) => {
                    vm.catch(raised, crate::exceptions::type_error())?;
                    return Err(wrong_type(vm, shown));
                }
            };
            match format {
                b'd' => Ok(f.to_ne_bytes().to_vec()),
                b'f' => {
                    let narrow = f as f32;
                    if narrow.is_infinite() && f.is_finite() {
                        return Err(wrong_value(vm, shown));
                    }
                    Ok(narrow.to_ne_bytes().to_vec())
                }
                _ => match f64_to_half(f) {
                    Some(half) => Ok(half.to_ne_bytes().to_vec()),
                    None => Err(wrong_value(vm, shown)),
                },
            }
        }
        _ => {
            if !int::is_int(value) && value.ty().slots().index.is_none() {
                return Err(wrong_type(vm, shown));
            }
            let index = vm.index(value)?;
            let wide = match (int::to_i64(&index), int::to_u64(&index)) {
                (Some(n), _) => n as i128,
                (None, Some(n)) => n as i128,
                _ => return Err(wrong_value(vm, shown)),
            };
            macro_rules! narrow {
                ($t:ty) => {
                    <$t>::try_from(wide).map(|n| n.to_ne_bytes().to_vec())
                };
            }
            match format {
                b'b' => narrow!(i8),
                b'B' => narrow!(u8),
                b'h' => narrow!(i16),
                b'H' => narrow!(u16),
                b'i' => narrow!(i32),
                b'I' => narrow!(u32),
                b'l' | b'q' | b'n' => narrow!(i64),
                _ => narrow!(u64),
            }
            .map_err(|_| wrong_value(vm, shown))
        }
    }
}

/// An IEEE half-precision number.
pub fn half_to_f64(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = ((bits >> 10 & 31) as i32, (bits & 0x3ff) as f64);
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    }
}

/// The nearest half-precision number, ties to even; `None` if a finite number is too large.
pub fn f64_to_half(f: f64) -> Option<u16> {
    let sign = if f.is_sign_negative() { 1 << 15 } else { 0 };
    let magnitude = f.abs();
    if magnitude.is_nan() {
        return Some(sign | 0x7e00);
    }
    if magnitude.is_infinite() {
        return Some(sign | 0x7c00);
    }
    // Beyond the midpoint of the largest number and the next power of two.
    if magnitude >= 65520.0 {
        return None;
    }
    let exponent = if magnitude < 2_f64.powi(-14) { -14 } else { magnitude.log2().floor() as i32 };
    let exponent = if magnitude < 2_f64.powi(exponent) && exponent > -14 { exponent - 1 } else { exponent };
    // Exact: scaling by a power of two.
    let units = (magnitude * 2_f64.powi(10 - exponent)).round_ties_even() as u32;
    // A carry out of the fraction goes into the exponent by itself.
    let biased = if units < 1024 && exponent == -14 { 0 } else { (exponent + 15) as u32 };
    let encoded = if biased == 0 { units } else { (biased << 10) + units - 1024 };
    Some(sign | encoded as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        for bits in (0..=0x7bff).chain([0x7c00, 0x8000, 0xfbff, 0xfc00]) {
            assert_eq!(f64_to_half(half_to_f64(bits)), Some(bits), "{bits:#x}");
        }
        assert_eq!(f64_to_half(65519.9), Some(0x7bff));
        assert_eq!(f64_to_half(65520.0), None);
        assert_eq!(f64_to_half(2_f64.powi(-25)), Some(0));
        assert_eq!(f64_to_half(2_f64.powi(-25) * 1.5), Some(1));
        assert_eq!(f64_to_half(1.0 + 2_f64.powi(-11)), Some(0x3c00));
        assert_eq!(f64_to_half(1.0 + 3.0 * 2_f64.powi(-11)), Some(0x3c02));
    }
}
