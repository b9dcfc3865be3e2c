//! Constants of code objects as Python objects, and back.

use taipan_bytecode::{Constant, Text};
use taipan_object::builtins::str::{Str, intern_value};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{float, int};
use taipan_object::{Value, Vm};

use super::Code;
use crate::pending;

/// The text as an interned str.
pub fn interned(text: &Text) -> Value {
    intern_value(Str::from_wtf8(text.as_bytes()).into_value())
}

fn str_constant(text: &Text) -> Value {
    let looks_like_name = text.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if looks_like_name { interned(text) } else { Str::from_wtf8(text.as_bytes()).into_value() }
}

/// A constant as an object.
pub fn constant_to_value(constant: &Constant) -> Value {
    match constant {
        Constant::None => Value::NONE,
        Constant::True => Value::TRUE,
        Constant::False => Value::FALSE,
        Constant::Ellipsis => Value::ELLIPSIS,
        Constant::Int(value) => int::from_ibig(value.clone()),
        Constant::Float(value) => float::from_f64(*value),
        Constant::Complex(real, imag) => pending::complex(*real, *imag),
        Constant::Str(text) => str_constant(text),
        Constant::Bytes(data) => pending::bytes(data),
        Constant::Tuple(items) => Tuple::from_vec(items.iter().map(constant_to_value).collect()).into_value(),
        Constant::FrozenSet(items) => pending::frozen_set(items.iter().map(constant_to_value).collect()),
        Constant::Slice(parts) => {
            let [start, stop, step] = &**parts;
            pending::slice_constant([constant_to_value(start), constant_to_value(stop), constant_to_value(step)])
        }
        Constant::Code(data) => Code::new(data.clone()).into_value(),
    }
}

/// The constant that an object of one of the constants' types stands for.
pub fn value_to_constant(vm: &Vm, value: &Value) -> Option<Constant> {
    Some(match value {
        _ if value.is_none() => Constant::None,
        _ if value.is_true() => Constant::True,
        _ if value.is_false() => Constant::False,
        _ if value.word() == Value::ELLIPSIS.word() => Constant::Ellipsis,
        _ if int::is_exact(value) => Constant::Int(int::to_ibig(value)?),
        _ if value.ty().is(&float::FLOAT) => Constant::Float(float::to_f64(value)?),
        _ => {
            if let Some(text) = value.downcast_exact::<Str>() {
                Constant::Str(Text::from_bytes(&text.to_wtf8())?)
            } else if let Some(tuple) = value.downcast_exact::<Tuple>() {
                let items: Option<Vec<Constant>> =
                    tuple.as_slice().iter().map(|item| value_to_constant(vm, item)).collect();
                Constant::Tuple(items?.into())
            } else if let Some(code) = value.downcast_exact::<Code>() {
                Constant::Code(code.data.clone())
            } else {
                return None;
            }
        }
    })
}
