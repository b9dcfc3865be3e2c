//! `member_descriptor`: an attribute that is a field of the object.
//!
//! Built-in types declare theirs as [`MemberDef`]s, classes get one for each name in `__slots__`, and struct sequences
//! for each field.

use super::descriptors::{check_instance, reduce_to_getattr};
use super::{GetSetDef, MemberDef, MethodDef};
use crate::builtins::str::intern;
use crate::builtins::tuple::Tuple;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result, Visitor, to_ref};
use crate::types::slots::Slots;
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

#[repr(C)]
pub struct MemberDescriptor {
    pub header: Header,
    /// `__objclass__`
    pub owner: Ref<Type>,
    pub name: Value,
    pub place: Place,
}

/// Where the value is.
#[derive(Clone, Copy)]
pub enum Place {
    Native(&'static MemberDef),
    /// A word of the instance, as [`crate::attributes::member_pointer`] finds it: 0 or an owned value.
    Slot(u32),
    /// An item of a struct sequence, or one of its attributes if the tuple does not show it.
    Field(Option<usize>),
}

// SAFETY: repr(C), header first, visits both references.
unsafe impl Payload for MemberDescriptor {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        MEMBER_DESCRIPTOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(self.owner.as_value());
        visit(&self.name);
    }
}

pub static MEMBER_DESCRIPTOR: TypeSpec = TypeSpec::new::<MemberDescriptor>("member_descriptor")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(slots)
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

/// The descriptor of a member of `owner`.
pub(crate) fn new(owner: &Type, name: Value, place: Place) -> Value {
    let header = Header::new(MEMBER_DESCRIPTOR.ty());
    Ref::new(MemberDescriptor { header, owner: to_ref(owner), name, place }).into_value()
}

/// The descriptor of a declared member.
pub(crate) fn native(owner: &Type, def: &'static MemberDef) -> Value {
    new(owner, intern(def.name).into_value(), Place::Native(def))
}

fn own(this: &Value) -> &MemberDescriptor {
    this.downcast::<MemberDescriptor>().expect("called through its own type's slot")
}

impl MemberDescriptor {
    /// The name of the owner, with its module for struct sequences.
    fn shown_owner(&self) -> String {
        match self.place {
            Place::Field(_) => crate::builtins::structseq::dotted(&self.owner),
            _ => self.owner.name(),
        }
    }

    pub(super) fn get(&self, vm: &Vm, object: &Value) -> Result {
        match self.place {
            Place::Native(def) => (def.get)(vm, object),
            Place::Slot(offset) => {
                let header = object.as_object().expect("an instance of a class with slots");
                // SAFETY: the owner's instances have a word at the offset: 0 or an owned value.
                unsafe {
                    let word = crate::attributes::member_pointer(header, offset);
                    if *word == 0 {
                        let (class, name) = (object.ty().qualified_name(), vm.display_name(&self.name));
                        let message = format!("'{class}' object has no attribute '{name}'");
                        return Err(vm.attribute_error_for(message, object, &self.name));
                    }
                    Ok(Value::borrow_word(&*word).clone())
                }
            }
            Place::Field(Some(index)) => {
                let tuple = object.downcast::<Tuple>().expect("struct sequences are tuples");
                Ok(tuple.as_slice()[index].clone())
            }
            Place::Field(None) => Ok(crate::builtins::structseq::hidden(object, &self.name)),
        }
    }

    fn set(&self, vm: &Vm, object: &Value, value: Option<&Value>) -> Result<()> {
        match self.place {
            Place::Native(MemberDef { set: Some(set), .. }) => set(vm, object, value),
            Place::Slot(offset) => {
                let header = object.as_object().expect("an instance of a class with slots");
                // SAFETY: as in `get`; the new word is stored before the old value is dropped.
                unsafe {
                    let word = crate::attributes::member_pointer(header, offset);
                    let old = std::mem::replace(&mut *word, value.map_or(0, |value| value.clone().into_word()));
                    if old != 0 {
                        drop(Value::from_word(old));
                    } else if value.is_none() {
                        return Err(vm.attribute_error_name(&self.name));
                    }
                }
                Ok(())
            }
            _ => Err(vm.attribute_error("readonly attribute")),
        }
    }
}

fn slots(s: &mut Slots) {
    s.repr = Some(|vm, this| {
        let d = own(this);
        Ok(Value::from(format!("<member '{}' of '{}' objects>", vm.display_name(&d.name), d.shown_owner())))
    });
    s.descr_get = Some(|vm, this, object, _| {
        let Some(object) = object else { return Ok(this.clone()) };
        let d = own(this);
        if !object.ty().is_subtype(&d.owner) {
            check_instance(vm, &d.owner, &vm.display_name(&d.name), object)?;
        }
        d.get(vm, object)
    });
    s.descr_set = Some(|vm, this, object, value| {
        let d = own(this);
        if !object.ty().is_subtype(&d.owner) {
            check_instance(vm, &d.owner, &vm.display_name(&d.name), object)?;
        }
        d.set(vm, object, value)
    });
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("__objclass__", "", |_, this| Ok(own(this).owner.as_value().clone())),
    MemberDef::new("__name__", "", |_, this| Ok(own(this).name.clone())),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__qualname__", "", |vm, this| {
        let d = own(this);
        let owner = vm.get_attr(d.owner.as_value(), &names().__qualname__)?;
        Ok(Value::from(format!("{}.{}", vm.display_name(&owner), vm.display_name(&d.name))))
    }),
    GetSetDef::new("__doc__", "", |_, this| {
        Ok(match own(this).place {
            Place::Native(def) if !def.doc.is_empty() => Value::from(def.doc),
            _ => Value::NONE,
        })
    }),
];

crate::method_table! {
    static METHODS = [MethodDef::new("__reduce__($self, /)", "", |vm, this, _| {
        let d = own(this);
        reduce_to_getattr(vm, d.owner.as_value(), &vm.display_name(&d.name))
    })];
}
