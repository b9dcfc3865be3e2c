//! Constants of the tree as constants of code.

use dashu_int::{IBig, Sign, UBig};
use taipan_bytecode::{Constant, Text};
use taipan_syntax::ast;

pub(crate) fn text(text: ast::PyStr<'_>) -> Text {
    match text.to_str() {
        Some(text) => Text::new(text),
        None => Text::from_code_points(text.code_points()),
    }
}

pub(crate) fn constant(value: &ast::Constant<'_>) -> Constant {
    match *value {
        ast::Constant::None => Constant::None,
        ast::Constant::True => Constant::True,
        ast::Constant::False => Constant::False,
        ast::Constant::Ellipsis => Constant::Ellipsis,
        ast::Constant::Int(value) => Constant::int(value),
        ast::Constant::BigInt(value) => {
            let bytes: Vec<u8> = value.limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
            let sign = if value.negative { Sign::Negative } else { Sign::Positive };
            Constant::Int(IBig::from_parts(sign, UBig::from_le_bytes(&bytes)))
        }
        ast::Constant::Float(value) => Constant::Float(value),
        ast::Constant::Complex { real, imag } => Constant::Complex(real, imag),
        ast::Constant::Str(value) => Constant::Str(text(value)),
        ast::Constant::Bytes(value) => Constant::Bytes(value.into()),
        ast::Constant::Tuple(items) => Constant::tuple(items.iter().map(constant).collect()),
        ast::Constant::FrozenSet(items) => Constant::frozen_set(items.iter().map(constant).collect()),
    }
}
