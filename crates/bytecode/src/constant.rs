//! Constants of code objects, compared as the compiler compares them when it shares equal ones.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use dashu_int::IBig;

use crate::code::{CodeData, SharedCode};
use crate::text::Text;

/// A constant. Equality is that of the compiler's constant tables: type and value must agree all the way down (`1`,
/// `1.0` and `True` differ, and so do `0.0` and `-0.0`), and a NaN equals nothing.
#[derive(Clone, Debug)]
pub enum Constant {
    None,
    True,
    False,
    Ellipsis,
    Int(IBig),
    Float(f64),
    Complex(f64, f64),
    Str(Text),
    Bytes(Arc<[u8]>),
    Tuple(Arc<[Constant]>),
    /// The members, distinct, in no meaningful order.
    FrozenSet(Arc<[Constant]>),
    /// Start, stop, step.
    Slice(Arc<[Constant; 3]>),
    Code(SharedCode),
}

impl Constant {
    pub fn int(value: i64) -> Constant {
        Constant::Int(IBig::from(value))
    }

    pub fn str(text: &str) -> Constant {
        Constant::Str(Text::new(text))
    }

    pub fn bool(value: bool) -> Constant {
        if value { Constant::True } else { Constant::False }
    }

    pub fn tuple(items: Vec<Constant>) -> Constant {
        Constant::Tuple(items.into())
    }

    /// A frozen set of the items, equal ones (in the sense of this module) once.
    // What code reads only when it is needed is the same before and after, so hashes stay.
    #[allow(clippy::mutable_key_type)]
    pub fn frozen_set(items: Vec<Constant>) -> Constant {
        let mut distinct: Vec<Constant> = Vec::with_capacity(items.len());
        let mut seen = std::collections::HashSet::with_capacity(items.len());
        for item in items {
            if seen.insert(item.clone()) {
                distinct.push(item);
            }
        }
        Constant::FrozenSet(distinct.into())
    }

    pub fn as_code(&self) -> Option<&CodeData> {
        match self {
            Constant::Code(code) => Some(code),
            _ => None,
        }
    }

    /// The truth value.
    pub fn is_true(&self) -> bool {
        match self {
            Constant::None | Constant::False => false,
            Constant::True | Constant::Ellipsis | Constant::Slice(_) | Constant::Code(_) => true,
            Constant::Int(value) => *value != IBig::ZERO,
            Constant::Float(value) => *value != 0.0,
            Constant::Complex(real, imag) => *real != 0.0 || *imag != 0.0,
            Constant::Str(text) => !text.is_empty(),
            Constant::Bytes(bytes) => !bytes.is_empty(),
            Constant::Tuple(items) | Constant::FrozenSet(items) => !items.is_empty(),
        }
    }
}

fn same_float(left: f64, right: f64) -> bool {
    left == right && left.is_sign_negative() == right.is_sign_negative()
}

impl PartialEq for Constant {
    fn eq(&self, other: &Constant) -> bool {
        use Constant::*;
        match (self, other) {
            (None, None) | (True, True) | (False, False) | (Ellipsis, Ellipsis) => true,
            (Int(a), Int(b)) => a == b,
            (Float(a), Float(b)) => same_float(*a, *b),
            (Complex(a, b), Complex(c, d)) => same_float(*a, *c) && same_float(*b, *d),
            (Str(a), Str(b)) => a == b,
            (Bytes(a), Bytes(b)) => a == b,
            (Tuple(a), Tuple(b)) => a == b,
            (FrozenSet(a), FrozenSet(b)) => a.len() == b.len() && a.iter().all(|item| b.contains(item)),
            (Slice(a), Slice(b)) => a == b,
            (Code(a), Code(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Constant {}

impl Hash for Constant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Constant::None | Constant::True | Constant::False | Constant::Ellipsis => {}
            Constant::Int(value) => value.hash(state),
            Constant::Float(value) => value.to_bits().hash(state),
            Constant::Complex(real, imag) => (real.to_bits(), imag.to_bits()).hash(state),
            Constant::Str(text) => text.hash(state),
            Constant::Bytes(bytes) => bytes.hash(state),
            Constant::Tuple(items) => items.hash(state),
            Constant::FrozenSet(items) => items.len().hash(state),
            Constant::Slice(parts) => parts.hash(state),
            Constant::Code(code) => (&code.name, code.firstlineno, &code.code).hash(state),
        }
    }
}
