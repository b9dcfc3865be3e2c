//! The slot table and method table of `int`.

use super::{Operand, arithmetic, bits, bytes, compare, construct, format, from_i64, power, to_exact};
use crate::builtins::tuple::Tuple;
use crate::native::{GetSetDef, MethodDef};
use crate::object::Result;
use crate::types::slots::Slots;
use crate::value::Value;
use crate::vm::{Vm, gil};

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

/// What CPython's int takes: digits of 30 bits behind a header of 24 bytes, which is larger without the GIL.
fn sizeof(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let digits = Operand::of(this).map_or(1, |n| n.bit_length().div_ceil(30).max(1));
    Ok(Value::from(gil::header_growth() + 24 + 4 * digits))
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("conjugate($self, /)", "Return the integer itself, as its imaginary part is zero.", itself),
    MethodDef::new("bit_length($self, /)", "Count the binary digits of the absolute value; zero has none.\n\n\
        >>> (10).bit_length()\n\
        4\n\
        >>> (-255).bit_length()\n\
        8", bit_length),
    MethodDef::new("bit_count($self, /)", "Count the ones among the binary digits of the absolute value.\n\n\
        >>> (10).bit_count()\n\
        2\n\
        >>> (-255).bit_count()\n\
        8", bit_count),
    MethodDef::new("to_bytes($self, /, length=1, byteorder='big', *, signed=False)", "\
        Return the integer as bytes.\n\n  \
        length\n    \
        The number of bytes, 1 by default.  OverflowError is raised if\n    \
        the value needs more.\n  \
        byteorder\n    \
        'big', the default, puts the most significant byte first,\n    \
        'little' puts it last; sys.byteorder is this machine's order.\n  \
        signed\n    \
        Whether to use two's complement.  Without it, a negative integer\n    \
        raises OverflowError.", bytes::to_bytes),
    MethodDef::new("from_bytes($type, /, bytes, byteorder='big', *, signed=False)", "\
        Return the integer that the bytes represent.\n\n  \
        bytes\n    \
        An object that supports the buffer protocol, or an iterable of\n    \
        integers in range(256).\n  \
        byteorder\n    \
        'big', the default, if the most significant byte comes first,\n    \
        'little' if it comes last; sys.byteorder is this machine's order.\n  \
        signed\n    \
        Whether the bytes are in two's complement.", bytes::from_bytes).class(),
    MethodDef::new("as_integer_ratio($self, /)", "Return the integer and 1, a ratio equal to it.\n\n\
        This makes integers interchangeable with other rational numbers.\n\n\
        >>> (7).as_integer_ratio()\n\
        (7, 1)\n\
        >>> (-7).as_integer_ratio()\n\
        (-7, 1)\n\
        >>> True.as_integer_ratio()\n\
        (1, 1)", as_integer_ratio),
    MethodDef::new("__trunc__($self, /)", "Return the integer itself, there being no fraction to drop.", itself),
    MethodDef::new("__floor__($self, /)", "Return the integer itself, there being nothing to round down.", itself),
    MethodDef::new("__ceil__($self, /)", "Return the integer itself, there being nothing to round up.", itself),
    MethodDef::new("__round__($self, ndigits=None, /)", "\
        Return the integer, rounded to a power of ten if ndigits is negative.\n\n\
        Of two equally near results the even multiple is chosen.", format::round),
    MethodDef::new("__getnewargs__($self, /)", "", getnewargs),
    MethodDef::new("__format__($self, format_spec, /)", "\
        Return the number as text in the given format.", format::format),
    MethodDef::new("__sizeof__($self, /)", "Give the number of bytes of memory that the object takes.", sizeof),
    MethodDef::new("is_integer($self, /)", "\
        Return True; float has a method of this name as well.", |_, _, _| Ok(Value::TRUE)),
]; }

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("real", "the real part of a complex number", |_, this| Ok(to_exact(this))),
    GetSetDef::new("imag", "the number's imaginary part", |_, _| Ok(from_i64(0))),
    GetSetDef::new("numerator", "the integer itself, as the numerator of a fraction", |_, this| Ok(to_exact(this))),
    GetSetDef::new("denominator", "1, as the denominator of a fraction", |_, _| Ok(from_i64(1))),
];
