//! The tree as Python objects.

use dashu_int::{IBig, Sign, UBig};
use smallvec::SmallVec;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{bytes, complex, float, int, set};
use taipan_object::{Result, Value, Vm};
use taipan_syntax::ast::{ClassId, Constant, Field, Mod, Node, PyStr};

use super::classes::{self, Classes};
use super::node;

/// The object for a whole tree.
pub fn object_from_tree(vm: &Vm, tree: &Mod) -> Result {
    let mut writer = Writer { vm, classes: classes::all(vm)?, names: Vec::new() };
    writer.names.resize(NAMES, None);
    writer.node(tree)
}

/// How many names are remembered.
const NAMES: usize = 1024;

struct Writer<'v, 't> {
    vm: &'v Vm,
    classes: &'static Classes,
    /// Names and what they were interned as, each where its hash leads.
    names: Vec<Option<(&'t str, Value)>>,
}

/// The attributes of a node under construction: no class has more.
type Attributes = SmallVec<[Value; 12]>;

impl<'t> Writer<'_, 't> {
    fn node(&mut self, tree: &dyn Node<'t>) -> Result {
        self.vm.check_stack(" during ast construction")?;
        let class = self.classes.of(tree.class());
        let mut values = Attributes::new();
        let mut failure = None;
        tree.fields(&mut |_, field| {
            if failure.is_none() {
                match self.field(field) {
                    Ok(value) => values.push(value),
                    Err(raised) => failure = Some(raised),
                }
            }
        });
        if let Some(raised) = failure {
            return Err(raised);
        }
        if let Some(span) = tree.span() {
            // Numbers of hand-made trees may be negative.
            let numbers = [span.lineno, span.col_offset, span.end_lineno, span.end_col_offset];
            values.extend(numbers.map(|number| Value::from(number as i32)));
        }
        Ok(node::new_filled(class, values.into_iter()))
    }

    fn singleton(&self, class: ClassId) -> Value {
        self.classes.of(class).singleton.clone().expect("operators and contexts have an instance")
    }

    /// The interned string of a name.
    fn name(&mut self, name: &'t str) -> Value {
        let place = &mut self.names[place_of(name.as_bytes())];
        match place {
            Some((known, value)) if *known == name => value.clone(),
            _ => {
                let value = intern(name).into_value();
                *place = Some((name, value.clone()));
                value
            }
        }
    }

    fn field(&mut self, field: Field<'t>) -> Result {
        let list = |items: Vec<Value>| List::from_vec(items).into_value();
        Ok(match field {
            Field::Singleton(class) => self.singleton(class),
            Field::Int(n) => Value::from(n),
            Field::Identifier(name) => name.map_or(Value::NONE, |name| self.name(name)),
            Field::Identifiers(names) => list(names.iter().map(|name| self.name(name)).collect()),
            Field::Str(text) => text.map_or(Value::NONE, text_object),
            Field::Constant(value) => self.constant(&value)?,
            Field::Node(None) => Value::NONE,
            Field::Node(Some(tree)) => self.node(tree)?,
            Field::Nodes(nodes) => {
                let mut items = Vec::with_capacity(nodes.len());
                for at in 0..nodes.len() {
                    items.push(match nodes.get(at) {
                        Some(tree) => self.node(tree)?,
                        None => Value::NONE,
                    });
                }
                list(items)
            }
            Field::CmpOps(ops) => list(ops.iter().map(|op| self.singleton(op.class())).collect()),
        })
    }

    fn constant(&mut self, value: &Constant<'t>) -> Result {
        let mut items =
            |items: &[Constant<'t>]| items.iter().map(|item| self.constant(item)).collect::<Result<Vec<_>>>();
        Ok(match *value {
            Constant::None => Value::NONE,
            Constant::True => Value::TRUE,
            Constant::False => Value::FALSE,
            Constant::Ellipsis => Value::ELLIPSIS,
            Constant::Int(n) => Value::from(n),
            Constant::BigInt(n) => {
                let bytes: Vec<u8> = n.limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
                let sign = if n.negative { Sign::Negative } else { Sign::Positive };
                int::from_ibig(IBig::from_parts(sign, UBig::from_le_bytes(&bytes)))
            }
            Constant::Float(f) => float::from_f64(f),
            Constant::Complex { real, imag } => complex::from_parts((real, imag)),
            Constant::Str(text) => {
                // As the parser of CPython does, what may be a name is interned.
                let is_name = text.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
                match text.to_str() {
                    Some(name) if is_name => self.name(name),
                    _ => text_object(text),
                }
            }
            Constant::Bytes(data) => bytes::from_slice(self.vm, data)?,
            Constant::Tuple(parts) => Tuple::from_vec(items(parts)?).into_value(),
            Constant::FrozenSet(parts) => {
                let keys = items(parts)?;
                set::frozen_from_keys(self.vm, &keys)?
            }
        })
    }
}

/// Where in [`Writer::names`] a name belongs: by its length and its last few bytes, in which names differ most.
fn place_of(name: &[u8]) -> usize {
    let tail = name.iter().rev().take(8).fold(name.len() as u64, |word, &byte| word << 7 ^ u64::from(byte));
    (tail.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize
}

fn text_object(text: PyStr) -> Value {
    Str::from_wtf8(text.as_bytes()).into_value()
}
