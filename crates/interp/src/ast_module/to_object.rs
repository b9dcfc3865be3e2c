//! The tree as Python objects.

use dashu_int::{IBig, Sign, UBig};
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{bytes, complex, float, int, set};
use taipan_object::{Result, Value, Vm};
use taipan_syntax::ast::{Constant, Field, Mod, Node, PyStr};

use super::classes::{self, Classes};
use super::node;

/// The object for a whole tree.
pub fn object_from_tree(vm: &Vm, tree: &Mod) -> Result {
    let writer = Writer { vm, classes: classes::all(vm)? };
    writer.node(tree)
}

struct Writer<'v> {
    vm: &'v Vm,
    classes: &'static Classes,
}

impl Writer<'_> {
    fn node(&self, tree: &dyn Node) -> Result {
        self.vm.check_stack(" during ast construction")?;
        let class = self.classes.get(tree.class_name());
        let object = node::new_node(class.as_type());
        let mut names = class.fields.iter();
        let mut failure = None;
        tree.fields(&mut |_, field| {
            let Some(name) = names.next().filter(|_| failure.is_none()) else { return };
            match self.field(field) {
                Ok(value) => node::set_new(&object, name, value),
                Err(raised) => failure = Some(raised),
            }
        });
        if let Some(raised) = failure {
            return Err(raised);
        }
        if let Some(span) = tree.span() {
            // Numbers of hand-made trees may be negative.
            let numbers = [span.lineno, span.col_offset, span.end_lineno, span.end_col_offset];
            for (name, number) in self.classes.attributes.iter().zip(numbers) {
                node::set_new(&object, name, Value::from(number as i32));
            }
        }
        Ok(object.into_value())
    }

    fn singleton(&self, name: &str) -> Value {
        self.classes.get(name).singleton.clone().expect("operators and contexts have an instance")
    }

    fn field(&self, field: Field) -> Result {
        let list = |items: Vec<Value>| List::from_vec(items).into_value();
        Ok(match field {
            Field::Singleton(name) => self.singleton(name),
            Field::Int(n) => Value::from(n),
            Field::Identifier(name) => name.map_or(Value::NONE, |name| intern(name).into_value()),
            Field::Identifiers(names) => list(names.iter().map(|name| intern(name).into_value()).collect()),
            Field::Str(text) => text.map_or(Value::NONE, text_object),
            Field::Constant(value) => constant(self.vm, &value)?,
            Field::Node(None) => Value::NONE,
            Field::Node(Some(tree)) => self.node(tree)?,
            Field::Nodes(nodes) => {
                let item = |at| nodes.get(at).map_or(Ok(Value::NONE), |tree| self.node(tree));
                list((0..nodes.len()).map(item).collect::<Result<_>>()?)
            }
            Field::CmpOps(ops) => list(ops.iter().map(|op| self.singleton(op.class_name())).collect()),
        })
    }
}

fn text_object(text: PyStr) -> Value {
    Str::from_wtf8(text.as_bytes()).into_value()
}

fn constant(vm: &Vm, value: &Constant) -> Result {
    let items = |items: &[Constant]| items.iter().map(|item| constant(vm, item)).collect::<Result<Vec<_>>>();
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
                Some(name) if is_name => intern(name).into_value(),
                _ => text_object(text),
            }
        }
        Constant::Bytes(data) => bytes::from_slice(vm, data)?,
        Constant::Tuple(parts) => Tuple::from_vec(items(parts)?).into_value(),
        Constant::FrozenSet(parts) => set::frozen_from_keys(vm, &items(parts)?)?,
    })
}
