//! `_elementtree._element_iterator`: the elements of a tree, or their texts, in document order.

use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

use super::element::Element;
use crate::payload::payload;

payload! {
    pub struct ElementIterator(IteratorState): ELEMENT_ITERATOR {
        /// What iteration begins with.
        root: Option<Value>,
        /// Open elements.
        stack: Vec<Value>,
        /// The next child of each.
        positions: Vec<usize>,
        /// The tag to look for; `None` for any.
        tag: Value,
        texts: bool,
    }
}

pub static ELEMENT_ITERATOR: TypeSpec = TypeSpec::new::<ElementIterator>("_elementtree._element_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    });

fn make(root: &Value, tag: Value, texts: bool) -> Value {
    let state = IteratorState { root: Some(root.clone()), stack: Vec::new(), positions: Vec::new(), tag, texts };
    ElementIterator::make(ELEMENT_ITERATOR.ty(), state)
}

pub fn elements(root: &Value, tag: Value) -> Value {
    make(root, tag, false)
}
pub fn texts(root: &Value) -> Value {
    make(root, Value::NONE, true)
}

/// What a turn comes upon.
enum Found {
    Entered(Value),
    Left(Value),
    End,
}

fn advance(iterator: &ElementIterator) -> Found {
    let root = iterator.with(|state| state.root.take());
    if let Some(root) = root {
        iterator.with(|state| {
            state.stack.push(root.clone());
            state.positions.push(0);
        });
        return Found::Entered(root);
    }
    let open = iterator.with(|state| {
        let position = state.positions.last_mut()?;
        *position += 1;
        Some((state.stack.last().cloned()?, *position - 1))
    });
    let Some((element, position)) = open else { return Found::End };
    match Element::of(&element).child(position) {
        Some(child) => {
            iterator.with(|state| {
                state.stack.push(child.clone());
                state.positions.push(0);
            });
            Found::Entered(child)
        }
        None => {
            let left = iterator.with(|state| {
                state.positions.pop();
                state.stack.pop()
            });
            // The tail of the root is outside the tree.
            match iterator.with(|state| state.stack.is_empty()) {
                true => Found::End,
                false => Found::Left(left.unwrap_or(Value::NONE)),
            }
        }
    }
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = ElementIterator::of(this);
    let (tag, texts) = iterator.with(|state| (state.tag.clone(), state.texts));
    loop {
        let text = match advance(iterator) {
            Found::End => return Ok(None),
            Found::Left(_) if !texts => continue,
            Found::Left(element) => Element::of(&element).tail(),
            Found::Entered(element) if texts => Element::of(&element).text(),
            Found::Entered(element) => {
                if tag.is_none() || vm.equal_or_identical(&Element::of(&element).tag(), &tag)? {
                    return Ok(Some(element));
                }
                continue;
            }
        };
        if vm.is_true(&text)? {
            return Ok(Some(text));
        }
    }
}
