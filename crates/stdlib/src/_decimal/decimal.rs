//! `decimal.Decimal`: a number and its cached hash.

pub mod construct;
mod convert;
mod format;
pub mod methods;
pub mod operators;

use super::context::{self, Context};
use super::mpd::{self, Number, logical};
use std::ops::Deref;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use taipan_object::builtins::int::Operand as IntOperand;
use taipan_object::builtins::str::Str;
use taipan_object::hash::hash_pointer;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::object::Payload;
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Raised, Ref, Result, Value, Vm};

#[repr(C)]
pub struct Decimal {
    pub header: Header,
    /// −1: not computed.
    hash: AtomicI64,
    pub number: Number,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Decimal {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        DECIMAL.ty()
    }
}

pub static DECIMAL: TypeSpec = TypeSpec::new::<Decimal>("decimal.Decimal")
    .doc(
        "Decimal(value=\"0\", context=None)\n--\n\nA decimal number made from an int, a string, a tuple, a float or another \
         one, exactly.\nThe context only says whether invalid input raises an exception.",
    )
    .flags(type_flags::BASETYPE)
    .slots(slots)
    .methods(methods::METHODS)
    .getset(methods::GETSET)
    .populate(|ty| ty.set_raw("__module__", Value::from("decimal")));

/// An exact Decimal.
#[inline]
pub fn new(number: Number) -> Value {
    Ref::new(Decimal { header: Header::new(DECIMAL.ty()), hash: AtomicI64::new(-1), number }).into_value()
}

/// An instance of `ty`, Decimal or a subclass.
pub fn new_with_type(ty: &Type, number: Number) -> Value {
    Ref::new_with_type(ty, Decimal { header: Header::new(ty), hash: AtomicI64::new(-1), number }).into_value()
}

/// The number of a method's own instance.
#[inline]
fn own(this: &Value) -> &Number {
    &this.downcast::<Decimal>().expect("methods are called with instances of their type").number
}

/// A number from an argument: a Decimal's own or a converted int.
pub enum Operand<'a> {
    Borrowed(&'a Number),
    Owned(Number),
}

impl Deref for Operand<'_> {
    type Target = Number;
    #[inline(always)]
    fn deref(&self) -> &Number {
        match self {
            Operand::Borrowed(number) => number,
            Operand::Owned(number) => number,
        }
    }
}

impl<'a> Operand<'a> {
    /// `None` for what is neither a Decimal nor an int.
    #[inline]
    pub fn of(value: &'a Value) -> Option<Operand<'a>> {
        if let Some(decimal) = value.downcast_exact::<Decimal>() {
            return Some(Operand::Borrowed(&decimal.number));
        }
        match IntOperand::of(value) {
            Some(IntOperand::Small(n)) => Some(Operand::Owned(Number::from_i64(n))),
            Some(IntOperand::Big(n)) => Some(Operand::Owned(construct::from_big_int(n))),
            None => value.downcast::<Decimal>().map(|decimal| Operand::Borrowed(&decimal.number)),
        }
    }

    /// As [`Operand::of`], or a `TypeError`.
    pub fn expect(vm: &Vm, value: &'a Value) -> Result<Operand<'a>> {
        Operand::of(value).ok_or_else(|| unsupported(vm, value))
    }
}

#[cold]
pub fn unsupported(vm: &Vm, value: &Value) -> Raised {
    vm.type_error(format!("conversion from {} to Decimal is not supported", value.ty().name()))
}

/// An operation of one operand.
pub type Unary = fn(&Number, &mpd::Context, &mut u32) -> Number;
/// An operation of two operands.
pub type Binary = fn(&Number, &Number, &mpd::Context, &mut u32) -> Number;

pub fn apply_unary(vm: &Vm, context: &Context, a: &Number, f: Unary) -> Result {
    let mut status = 0;
    let result = f(a, &context.number(), &mut status);
    context.report(vm, status)?;
    Ok(new(result))
}

#[inline]
pub fn apply_binary(vm: &Vm, context: &Context, a: &Number, b: &Number, f: Binary) -> Result {
    let mut status = 0;
    let result = f(a, b, &context.number(), &mut status);
    context.report(vm, status)?;
    Ok(new(result))
}

/// The text of a number, by the capitals of a context.
pub fn text_of(number: &Number, engineering: bool, context: &Context) -> Value {
    Str::from_ascii(&mpd::text::to_text(number, engineering, context.settings().capitals)).into_value()
}

fn slots(s: &mut Slots) {
    s.new = Some(construct::construct);
    s.repr = Some(|_, this| {
        let mut text = b"Decimal('".to_vec();
        text.extend(mpd::text::to_text(own(this), false, context::current().settings().capitals));
        text.extend_from_slice(b"')");
        Ok(Str::from_ascii(&text).into_value())
    });
    s.str = Some(|_, this| Ok(text_of(own(this), false, &context::current())));
    s.hash = Some(hash);
    operators::slots(s);
    convert::slots(s);
}

fn hash(vm: &Vm, this: &Value) -> Result<i64> {
    let decimal = this.downcast::<Decimal>().expect("own slot");
    let known = decimal.hash.load(Relaxed);
    if known != -1 {
        return Ok(known);
    }
    let number = &decimal.number;
    if number.is_signaling() {
        return Err(vm.type_error("Cannot hash a signaling NaN value"));
    }
    if number.is_nan() {
        return Ok(hash_pointer(this.id()));
    }
    let magnitude = match number.is_infinite() {
        true => 314_159,
        false => logical::modular_hash(number) as i64,
    };
    let hash = match if number.negative { -magnitude } else { magnitude } {
        -1 => -2,
        hash => hash,
    };
    decimal.hash.store(hash, Relaxed);
    Ok(hash)
}
