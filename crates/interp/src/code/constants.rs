//! Constants of code objects as Python objects, and back.

use std::sync::Arc;

use taipan_bytecode::{Constant, Text};
use taipan_object::builtins::str::{Str, intern_value};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{bytes, complex, float, int, set, slice};
use taipan_object::{Value, Vm};

use super::Code;

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
        Constant::Complex(real, imag) => complex::from_parts(*real, *imag),
        Constant::Str(text) => str_constant(text),
        Constant::Bytes(data) => bytes::Bytes::new(data).into_value(),
        Constant::Tuple(items) => Tuple::from_vec(items.iter().map(constant_to_value).collect()).into_value(),
        Constant::FrozenSet(items) => {
            let items: Vec<Value> = items.iter().map(constant_to_value).collect();
            // Constants hash without running Python code.
            Vm::with_current(|vm| match set::frozen_set(vm, items) {
                Ok(set) => set,
                Err(raised) => {
                    vm.discard(raised);
                    Value::NONE
                }
            })
        }
        Constant::Slice(parts) => {
            let [start, stop, step] = &**parts;
            slice::new(constant_to_value(start), constant_to_value(stop), constant_to_value(step))
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
            } else if let Some(data) = value.downcast_exact::<bytes::Bytes>() {
                Constant::Bytes(data.as_slice().into())
            } else if let Some(number) = value.downcast_exact::<complex::Complex>() {
                Constant::Complex(number.real, number.imag)
            } else if let Some(code) = value.downcast_exact::<Code>() {
                Constant::Code(code.data.clone())
            } else if let Some(slice) = value.downcast_exact::<slice::Slice>() {
                let part = |value: &Value| value_to_constant(vm, value);
                Constant::Slice(Arc::new([part(&slice.start)?, part(&slice.stop)?, part(&slice.step)?]))
            } else if value.ty().is(&set::FROZENSET) {
                let items = vm.collect(value).map_err(|raised| vm.discard(raised)).ok()?;
                let items: Option<Vec<Constant>> = items.iter().map(|item| value_to_constant(vm, item)).collect();
                Constant::FrozenSet(items?.into())
            } else {
                return None;
            }
        }
    })
}
