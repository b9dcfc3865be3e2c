//! Constants of code objects as Python objects, and back.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Mutex};

use taipan_bytecode::{Constant, Text};
use taipan_compiler::symtable::FastHasher;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::set::{self, FrozenSet};
use taipan_object::builtins::slice::Slice;
use taipan_object::builtins::str::{Str, intern_wtf8};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{complex, float, int};
use taipan_object::{Value, Vm};

use super::Code;

/// The text as an interned str.
pub fn interned(text: &Text) -> Value {
    intern_wtf8(text.as_bytes())
}

fn looks_like_name(text: &Text) -> bool {
    text.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// The constants of what was compiled or loaded together, as objects: equal ones are one object, in whatever code they are.
#[derive(Default)]
pub struct Shared(Mutex<HashMap<Constant, Value, BuildHasherDefault<FastHasher>>>);

impl Shared {
    /// A constant as an object.
    pub fn value(self: &Arc<Self>, constant: &Constant) -> Value {
        match constant {
            Constant::None => Value::NONE,
            Constant::True => Value::TRUE,
            Constant::False => Value::FALSE,
            Constant::Ellipsis => Value::ELLIPSIS,
            Constant::Float(value) => float::from_f64(*value),
            Constant::Int(value) if i64::try_from(value).is_ok() => int::from_ibig(value.clone()),
            Constant::Str(text) if looks_like_name(text) => interned(text),
            Constant::Code(data) => Code::sharing(data.clone(), self.clone()).into_value(),
            _ => {
                let table = || self.0.lock().expect("never poisoned");
                let known = table().get(constant).cloned();
                // Made without the lock: the parts are looked up, too.
                known.unwrap_or_else(|| {
                    let made = self.make(constant);
                    table().entry(constant.clone()).or_insert(made).clone()
                })
            }
        }
    }

    fn make(self: &Arc<Self>, constant: &Constant) -> Value {
        match constant {
            Constant::Int(value) => int::from_ibig(value.clone()),
            Constant::Complex(real, imag) => complex::from_parts((*real, *imag)),
            Constant::Str(text) => Str::from_wtf8(text.as_bytes()).into_value(),
            Constant::Bytes(data) => bytes::new(data),
            Constant::Tuple(items) => Tuple::from_vec(items.iter().map(|item| self.value(item)).collect()).into_value(),
            Constant::FrozenSet(items) => self.frozen_set(items),
            Constant::Slice(parts) => {
                let [start, stop, step] = &**parts;
                Slice::new(self.value(start), self.value(stop), self.value(step)).into_value()
            }
            _ => self.value(constant),
        }
    }

    /// Constants hash and compare without Python code.
    fn frozen_set(self: &Arc<Self>, items: &[Constant]) -> Value {
        let items: Vec<Value> = items.iter().map(|item| self.value(item)).collect();
        Vm::with_current(|vm| {
            set::frozen_from_keys(vm, &items).unwrap_or_else(|raised| {
                vm.discard(raised);
                Value::NONE
            })
        })
    }
}

/// How deeply constants may be nested.
const MAX_DEPTH: u32 = 500;

/// The constant that an object of one of the constants' types stands for.
pub fn value_to_constant(value: &Value) -> Option<Constant> {
    nested_constant(value, 0)
}

fn nested_constant(value: &Value, depth: u32) -> Option<Constant> {
    if depth > MAX_DEPTH {
        return None;
    }
    let part = |value: &Value| nested_constant(value, depth + 1);
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
                let items: Option<Vec<Constant>> = tuple.as_slice().iter().map(part).collect();
                Constant::Tuple(items?.into())
            } else if let Some(bytes) = value.downcast_exact::<Bytes>() {
                Constant::Bytes(bytes.as_slice().into())
            } else if value.ty().is(&complex::COMPLEX) {
                let (real, imag) = complex::parts(value)?;
                Constant::Complex(real, imag)
            } else if let Some(set) = value.downcast_exact::<FrozenSet>() {
                let items: Option<Vec<Constant>> = set.as_set().keys().iter().map(part).collect();
                Constant::FrozenSet(items?.into())
            } else if let Some(slice) = value.downcast_exact::<Slice>() {
                Constant::Slice(Arc::new([part(&slice.start)?, part(&slice.stop)?, part(&slice.step)?]))
            } else if let Some(code) = value.downcast_exact::<Code>() {
                Constant::Code(code.data.clone())
            } else {
                return None;
            }
        }
    })
}
