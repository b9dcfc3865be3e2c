//! The slot table and method table of `complex`.

use super::{COMPLEX, Complex, arithmetic, as_parts, construct, equals, from_parts, hash, parts};
use crate::builtins::float;
use crate::builtins::number_locale::NumberText;
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::native::{MemberDef, MethodDef};
use crate::object::Result;
use crate::text::builder::TextBuilder;
use crate::text::complex_text;
use crate::text::format_spec::FormatSpec;
use crate::text::format_spec::render::render_complex;
use crate::types::Type;
use crate::types::slots::{CompareOp, Slots};
use crate::value::Value;
use crate::vm::Vm;
use crate::with_units;

pub fn slots(s: &mut Slots) {
    s.new = Some(construct::new);
    s.repr = Some(|_, this| {
        let (real, imag) = value_of(this);
        Ok(Str::from_ascii(complex_text::repr(real, imag).as_bytes()).into_value())
    });
    s.hash = Some(|_, this| Ok(hash(value_of(this), this.id())));
    s.richcompare = Some(|_, this, other, op| {
        let number = parts(this).or_else(|| parts(other)).unwrap_or_default();
        let other = if parts(this).is_some() { other } else { this };
        Ok(match (op, equals(number, other)) {
            (CompareOp::Eq, Some(equal)) => Value::bool(equal),
            (CompareOp::Ne, Some(equal)) => Value::bool(!equal),
            _ => Value::NOT_IMPLEMENTED,
        })
    });
    s.add = Some(arithmetic::add);
    s.subtract = Some(arithmetic::subtract);
    s.multiply = Some(arithmetic::multiply);
    s.power = Some(arithmetic::power);
    s.negative = Some(|_, this| {
        let (real, imag) = value_of(this);
        Ok(from_parts((-real, -imag)))
    });
    s.positive = Some(|_, this| Ok(exact(this)));
    s.absolute = Some(|vm, this| match arithmetic::magnitude(value_of(this)) {
        Some(magnitude) => Ok(float::from_f64(magnitude)),
        None => Err(vm.overflow_error("absolute value too large")),
    });
    s.bool = Some(|_, this| Ok(value_of(this) != (0.0, 0.0)));
    s.true_divide = Some(arithmetic::true_divide);
}

fn value_of(this: &Value) -> (f64, f64) {
    parts(this).unwrap_or_default()
}

/// The exact complex number with the value of a subclass instance.
fn exact(this: &Value) -> Value {
    if this.downcast_exact::<Complex>().is_some() { this.clone() } else { from_parts(value_of(this)) }
}

fn from_number(vm: &Vm, class: &Value, args: &[Value]) -> Result {
    let exact = class.downcast::<Type>().is_some_and(|ty| ty.is(&COMPLEX));
    if exact && args[0].downcast_exact::<Complex>().is_some() {
        return Ok(args[0].clone());
    }
    let number = from_parts(as_parts(vm, &args[0])?);
    if exact { Ok(number) } else { vm.call_args(class, &[number]) }
}

fn conjugate(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let (real, imag) = value_of(this);
    Ok(from_parts((real, -imag)))
}

fn getnewargs(_: &Vm, this: &Value, _: &[Value]) -> Result {
    let (real, imag) = value_of(this);
    Ok(Tuple::from_vec(vec![float::from_f64(real), float::from_f64(imag)]).into_value())
}

fn format(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let spec = vm.expect_str_argument(&args[0], |name| format!("__format__() argument must be str, not {name}"))?;
    if spec.len() == 0 {
        return vm.str(this);
    }
    let type_name = this.ty().name();
    let spec = with_units!(spec, |units| FormatSpec::parse_float(units, &type_name));
    let spec = spec.map_err(|error| vm.text_error(error))?;
    let mut out = TextBuilder::new();
    let locale = NumberText::for_spec(&spec);
    let (real, imag) = value_of(this);
    match render_complex(&spec, real, imag, &type_name, &locale.borrow(), &mut out) {
        Ok(()) => Ok(Str::from_text(out.finish()).into_value()),
        Err(error) => Err(vm.text_error(error)),
    }
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("from_number($type, number, /)", "\
        Convert a number, but no string, to complex.", from_number).class(),
    MethodDef::new("conjugate($self, /)", "\
        Return the number with the opposite imaginary part: (1+2j) gives (1-2j).", conjugate),
    MethodDef::new("__complex__($self, /)", "\
        Return the same value as an object whose type is exactly complex.", |_, this, _| Ok(exact(this))),
    MethodDef::new("__getnewargs__($self, /)", "", getnewargs),
    MethodDef::new("__format__($self, format_spec, /)", "Return the number as text in the given format.", format),
]; }

pub static MEMBERS: &[MemberDef] = &[
    MemberDef::new("real", "the real part of a complex number", |_, this| Ok(float::from_f64(value_of(this).0))),
    MemberDef::new("imag", "the number's imaginary part", |_, this| Ok(float::from_f64(value_of(this).1))),
];
