//! `xml.etree.ElementTree.Element`: representation, attributes, the sequence of children.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::slice::Slice;
use taipan_object::exceptions::DEPRECATION_WARNING;
use taipan_object::native::GetSetDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use super::methods::METHODS;
use crate::payload::{class_of, payload};

payload! {
    pub struct Element(ElementState): ELEMENT {
        tag: Value,
        text: Value,
        tail: Value,
        /// Made when it is asked for.
        attributes: Option<Ref<Dict>>,
        children: Vec<Value>,
    }
}

pub static ELEMENT: TypeSpec = TypeSpec::new::<Element>("xml.etree.ElementTree.Element")
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(|_, class, _, _| Ok(Element::make(class_of(class), Element::blank(Value::NONE, None))));
        s.init = Some(init);
        s.repr = Some(repr);
        s.bool = Some(truth);
        s.length = Some(|_, this| Ok(Element::of(this).len()));
        s.item = Some(|vm, this, index| Element::of(this).child_or_error(vm, index));
        s.subscript = Some(subscript);
        s.ass_subscript = Some(ass_subscript);
    })
    .methods(METHODS)
    .getset(GETSET);

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let attributes = super::attributes(vm, "Element", 1, args, kwnames)?;
    let old = Element::of(this).with(|state| {
        (
            std::mem::replace(&mut state.tag, args[0].clone()),
            std::mem::replace(&mut state.attributes, attributes),
            std::mem::replace(&mut state.text, Value::NONE),
            std::mem::replace(&mut state.tail, Value::NONE),
        )
    });
    drop(old);
    Ok(())
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let tag = Element::of(this).tag();
    if tag.is_none() {
        return Ok(Value::from(format!("<Element at {:#x}>", this.id())));
    }
    if !vm.enter_repr(this) {
        return Err(vm.runtime_error(format!("reentrant call inside {}.__repr__", this.ty().full_name())));
    }
    let tag = vm.repr_string(&tag);
    vm.leave_repr(this);
    Ok(Value::from(format!("<Element {} at {:#x}>", tag?, this.id())))
}

fn truth(vm: &Vm, this: &Value) -> Result<bool> {
    vm.warn(
        &DEPRECATION_WARNING.value(),
        "Testing an element's truth value will always return True in future versions.  Use specific 'len(elem)' or 'elem is \
         not None' test instead.",
        1,
    )?;
    Ok(Element::of(this).len() != 0)
}

impl Element {
    fn blank(tag: Value, attributes: Option<Ref<Dict>>) -> ElementState {
        ElementState { tag, text: Value::NONE, tail: Value::NONE, attributes, children: Vec::new() }
    }

    /// A new exact element.
    pub fn create(tag: Value, attributes: Option<Ref<Dict>>) -> Value {
        Element::make(ELEMENT.ty(), Element::blank(tag, attributes))
    }

    pub fn tag(&self) -> Value {
        self.with(|state| state.tag.clone())
    }
    pub fn text(&self) -> Value {
        self.with(|state| state.text.clone())
    }
    pub fn tail(&self) -> Value {
        self.with(|state| state.tail.clone())
    }
    pub fn set_tag(&self, tag: Value) {
        drop(self.with(|state| std::mem::replace(&mut state.tag, tag)));
    }
    pub fn set_text(&self, text: Value) {
        drop(self.with(|state| std::mem::replace(&mut state.text, text)));
    }
    pub fn set_tail(&self, tail: Value) {
        drop(self.with(|state| std::mem::replace(&mut state.tail, tail)));
    }
    pub fn set_attributes(&self, attributes: Option<Ref<Dict>>) {
        drop(self.with(|state| std::mem::replace(&mut state.attributes, attributes)));
    }
    pub fn existing_attributes(&self) -> Option<Ref<Dict>> {
        self.with(|state| state.attributes.clone())
    }
    pub fn attributes(&self) -> Ref<Dict> {
        if let Some(attributes) = self.existing_attributes() {
            return attributes;
        }
        let attributes = Dict::new();
        self.with(|state| state.attributes.get_or_insert(attributes).clone())
    }

    pub fn len(&self) -> usize {
        self.with(|state| state.children.len())
    }
    pub fn child(&self, at: usize) -> Option<Value> {
        self.with(|state| state.children.get(at).cloned())
    }
    pub fn children(&self) -> Vec<Value> {
        self.with(|state| state.children.clone())
    }
    pub fn push(&self, child: Value) {
        self.with(|state| state.children.push(child));
    }
    pub fn insert(&self, at: usize, child: Value) {
        self.with(|state| {
            let at = at.min(state.children.len());
            state.children.insert(at, child);
        });
    }
    pub fn take_child(&self, at: usize) -> Option<Value> {
        self.with(|state| if at < state.children.len() { Some(state.children.remove(at)) } else { None })
    }
    pub fn replace_children(&self, children: Vec<Value>) {
        drop(self.with(|state| std::mem::replace(&mut state.children, children)));
    }

    fn child_or_error(&self, vm: &Vm, index: i64) -> Result {
        let child = usize::try_from(index).ok().and_then(|at| self.child(at));
        child.ok_or_else(|| vm.index_error("child index out of range"))
    }
}

/// Checks that a value can be a child.
pub fn expect_element(vm: &Vm, value: &Value) -> Result<()> {
    match value.downcast::<Element>() {
        Some(_) => Ok(()),
        None => Err(vm.type_error(format!("expected an Element, not \"{}\"", value.ty().name()))),
    }
}

fn is_index(key: &Value) -> bool {
    key.ty().slots().index.is_some()
}

fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    let element = Element::of(this);
    if is_index(key) {
        let index = vm.index_or_index_error(key)?;
        return element.child_or_error(vm, if index < 0 { index + element.len() as i64 } else { index });
    }
    let Some(slice) = key.downcast::<Slice>() else {
        return Err(vm.type_error("element indices must be integers"));
    };
    let positions = slice.fit(vm, || element.len())?.positions();
    Ok(List::from_vec(positions.filter_map(|at| element.child(at)).collect()).into_value())
}

fn ass_subscript(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Result<()> {
    let element = Element::of(this);
    if is_index(key) {
        let index = vm.index_or_index_error(key)?;
        let index = if index < 0 { index + element.len() as i64 } else { index };
        let at = usize::try_from(index).ok().filter(|at| *at < element.len());
        let Some(at) = at else { return Err(vm.index_error("child assignment index out of range")) };
        let old = match value {
            Some(value) => {
                expect_element(vm, value)?;
                element.with(|state| state.children.get_mut(at).map(|child| std::mem::replace(child, value.clone())))
            }
            None => element.take_child(at),
        };
        drop(old);
        return Ok(());
    }
    let Some(slice) = key.downcast::<Slice>() else {
        return Err(vm.type_error("element indices must be integers"));
    };
    let new = match value {
        None => Vec::new(),
        Some(value) => {
            if vm.iter(value).map_err(|raised| vm.discard(raised)).is_err() {
                return Err(vm.type_error("assignment expects an iterable"));
            }
            vm.collect(value)?
        }
    };
    for child in &new {
        expect_element(vm, child)?;
    }
    let (start, stop, step) = slice.unpack(vm)?;
    let indices = taipan_object::builtins::slice::adjust_indices(element.len(), start, stop, step);
    let positions: Vec<usize> = indices.positions().collect();
    if step != 1 && value.is_some() && new.len() != positions.len() {
        return Err(vm.value_error(format!(
            "attempt to assign sequence of size {} to extended slice of size {}",
            new.len(),
            positions.len()
        )));
    }
    let mut children = element.children();
    if step != 1 && value.is_some() {
        for (at, child) in positions.iter().zip(new) {
            children[*at] = child;
        }
    } else if step == 1 {
        let length = children.len() as i64;
        let clip = |index: i64| if index < 0 { (index + length).max(0) } else { index.min(length) };
        let from = clip(start);
        let to = clip(stop).max(from);
        children.splice(from as usize..to as usize, new);
    } else {
        let mut at = 0;
        children.retain(|_| {
            at += 1;
            !positions.contains(&(at - 1))
        });
    }
    element.replace_children(children);
    Ok(())
}

macro_rules! plain_attribute {
    ($name:literal, $get:ident, $set:ident) => {
        GetSetDef::new($name, "", |_, this| Ok(Element::of(this).$get())).setter(|vm, this, value| {
            let Some(value) = value else { return Err(vm.attribute_error("can't delete element attribute")) };
            Element::of(this).$set(value.clone());
            Ok(())
        })
    };
}

static GETSET: &[GetSetDef] = &[
    plain_attribute!("tag", tag, set_tag),
    plain_attribute!("text", text, set_text),
    plain_attribute!("tail", tail, set_tail),
    GetSetDef::new("attrib", "", |_, this| Ok(Element::of(this).attributes().into_value())).setter(
        |vm, this, value| {
            let Some(value) = value else { return Err(vm.attribute_error("can't delete element attribute")) };
            let Some(dict) = value.downcast_ref::<Dict>() else {
                return Err(vm.type_error(format!("attrib must be dict, not {}", value.ty().name())));
            };
            Element::of(this).set_attributes(Some(dict));
            Ok(())
        },
    ),
];
