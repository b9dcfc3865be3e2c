//! The slot table and method table of `int`.

use super::{Operand, arithmetic, bits, bytes, compare, construct, format, from_i64, power, to_exact};
use crate::builtins::tuple::Tuple;
use crate::native::{GetSetDef, MethodDef};
use crate::object::Result;
use crate::types::slots::Slots;
use crate::value::Value;
use crate::vm::Vm;

pub fn slots(s: &mut Slots) {
    s.new = Some(construct::new);
    s.repr = Some(construct::to_decimal);
    s.hash = Some(|_, this| Ok(super::hash(this)));
    s.richcompare = Some(compare::compare);
    s.add = Some(arithmetic::add);
    s.subtract = Some(arithmetic::subtract);
    s.multiply = Some(arithmetic::multiply);
    s.remainder = Some(arithmetic::remainder);
    s.divmod = Some(arithmetic::divmod);
    s.power = Some(power::power);
    s.negative = Some(arithmetic::negative);
    s.positive = Some(|_, this| Ok(to_exact(this)));
    s.absolute = Some(arithmetic::absolute);
    s.bool = Some(|_, this| Ok(Operand::of(this).is_some_and(|n| !n.is_zero())));
    s.invert = Some(bits::invert);
    s.lshift = Some(bits::lshift);
    s.rshift = Some(bits::rshift);
    s.and = Some(bits::and);
    s.xor = Some(bits::xor);
    s.or = Some(bits::or);
    s.int = Some(|_, this| Ok(to_exact(this)));
    s.float = Some(format::to_float);
    s.floor_divide = Some(arithmetic::floor_divide);
    s.true_divide = Some(arithmetic::true_divide);
    s.index = Some(|_, this| Ok(to_exact(this)));
}

fn itself(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(to_exact(this))
}

fn bit_length(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Value::from(Operand::of(this).map_or(0, Operand::bit_length)))
}

fn bit_count(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Value::from(match Operand::of(this) {
        Some(Operand::Small(n)) => n.unsigned_abs().count_ones() as i64,
        Some(Operand::Big(n)) => n.as_sign_words().1.iter().map(|word| word.count_ones() as i64).sum(),
        None => 0,
    }))
}

fn as_integer_ratio(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Tuple::from_vec(vec![to_exact(this), Value::small_int(1)]).into_value())
}

fn getnewargs(_: &Vm, this: &Value, _: &[Value]) -> Result {
    Ok(Tuple::from_vec(vec![to_exact(this)]).into_value())
}

/// What CPython's int takes: digits of 30 bits behind a header of 24 bytes.
fn sizeof(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let digits = Operand::of(this).map_or(1, |n| n.bit_length().div_ceil(30).max(1));
    Ok(Value::from(24 + 4 * digits))
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("conjugate($self, /)", "Returns self, the complex conjugate of any int.", itself),
    MethodDef::new("bit_length($self, /)", "Number of bits necessary to represent self in binary.\n\n>>> bin(37)\n'0b100101'\n>>> (37).bit_length()\n6", bit_length),
    MethodDef::new("bit_count($self, /)", "Number of ones in the binary representation of the absolute value of self.\n\nAlso known as the population count.\n\n>>> bin(13)\n'0b1101'\n>>> (13).bit_count()\n3", bit_count),
    MethodDef::new("to_bytes($self, /, length=1, byteorder='big', *, signed=False)", "Return an array of bytes representing an integer.\n\n  length\n    Length of bytes object to use.  An OverflowError is raised if\n    the integer is not representable with the given number of bytes.\n    Default is length 1.\n  byteorder\n    The byte order used to represent the integer.  If byteorder is\n    'big', the most significant byte is at the beginning of the byte\n    array.  If byteorder is 'little', the most significant byte is at\n    the end of the byte array.  To request the native byte order of\n    the host system, use sys.byteorder as the byte order value.\n    Default is to use 'big'.\n  signed\n    Determines whether two's complement is used to represent the\n    integer.  If signed is False and a negative integer is given,\n    an OverflowError is raised.", bytes::to_bytes),
    MethodDef::new("from_bytes($type, /, bytes, byteorder='big', *, signed=False)", "Return the integer represented by the given array of bytes.\n\n  bytes\n    Holds the array of bytes to convert.  The argument must either\n    support the buffer protocol or be an iterable object producing\n    bytes.  Bytes and bytearray are examples of built-in objects that\n    support the buffer protocol.\n  byteorder\n    The byte order used to represent the integer.  If byteorder is\n    'big', the most significant byte is at the beginning of the byte\n    array.  If byteorder is 'little', the most significant byte is at\n    the end of the byte array.  To request the native byte order of\n    the host system, use sys.byteorder as the byte order value.\n    Default is to use 'big'.\n  signed\n    Indicates whether two's complement is used to represent the\n    integer.", bytes::from_bytes).class(),
    MethodDef::new("as_integer_ratio($self, /)", "Return a pair of integers, whose ratio is equal to the original int.\n\nThe ratio is in lowest terms and has a positive denominator.\n\n>>> (10).as_integer_ratio()\n(10, 1)\n>>> (-10).as_integer_ratio()\n(-10, 1)\n>>> (0).as_integer_ratio()\n(0, 1)", as_integer_ratio),
    MethodDef::new("__trunc__($self, /)", "Truncating an Integral returns itself.", itself),
    MethodDef::new("__floor__($self, /)", "Flooring an Integral returns itself.", itself),
    MethodDef::new("__ceil__($self, /)", "Ceiling of an Integral returns itself.", itself),
    MethodDef::new("__round__($self, ndigits=None, /)", "Rounding an Integral returns itself.\n\nRounding with an ndigits argument also returns an integer.", format::round),
    MethodDef::new("__getnewargs__($self, /)", "", getnewargs),
    MethodDef::new("__format__($self, format_spec, /)", "Convert to a string according to format_spec.", format::format),
    MethodDef::new("__sizeof__($self, /)", "Returns size in memory, in bytes.", sizeof),
    MethodDef::new("is_integer($self, /)", "Returns True. Exists for duck type compatibility with float.is_integer.", |_, _, _| Ok(Value::TRUE)),
]; }

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("real", "the real part of a complex number", |_, this| Ok(to_exact(this))),
    GetSetDef::new("imag", "the imaginary part of a complex number", |_, _| Ok(from_i64(0))),
    GetSetDef::new("numerator", "the numerator of a rational number in lowest terms", |_, this| Ok(to_exact(this))),
    GetSetDef::new("denominator", "the denominator of a rational number in lowest terms", |_, _| Ok(from_i64(1))),
];
