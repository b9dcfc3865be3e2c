//! `property`.

use crate::builtins::str::intern;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::arguments::no_keywords;
use crate::native::signature::Signature;
use crate::native::{GetSetDef, MemberDef, MethodDef};
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::slots::Slots;
use crate::types::{Type, TypeSpec, lookup, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};
use std::sync::LazyLock;

#[repr(C)]
pub struct Property {
    pub header: Header,
    state: ObjectCell<State>,
}

#[derive(Clone, Default)]
struct State {
    get: Option<Value>,
    set: Option<Value>,
    delete: Option<Value>,
    doc: Option<Value>,
    name: Option<Value>,
    /// The docstring is the getter's.
    getter_doc: bool,
}

impl State {
    fn values(&self) -> impl Iterator<Item = &Value> {
        [&self.get, &self.set, &self.delete, &self.doc, &self.name].into_iter().flatten()
    }
}

// SAFETY: repr(C), header first, visits every value.
unsafe impl Payload for Property {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        PROPERTY.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        unsafe { &*self.state.as_ptr() }.values().for_each(visit);
    }
    fn clear(&self) {
        let old = std::mem::take(&mut *self.state.borrow(&self.header));
        drop(old);
    }
}

pub static PROPERTY: TypeSpec = TypeSpec::new::<Property>("property")
    .doc(
        "property(fget=None, fset=None, fdel=None, doc=None)\n\
         --\n\n\
         An attribute that is computed by functions.\n\n  \
         fget\n    \
         is called with the instance, to get the value\n  \
         fset\n    \
         is called with the instance and a value, to set it\n  \
         fdel\n    \
         is called with the instance, to delete the attribute\n  \
         doc\n    \
         the docstring; that of fget by default\n\n\
         A property is usually made with decorators:\n\n\
         class Circle:\n    \
         @property\n    \
         def diameter(self):\n        \
         \"Twice the radius.\"\n        \
         return 2 * self.radius\n    \
         @diameter.setter\n    \
         def diameter(self, value):\n        \
         self.radius = value / 2\n\n\
         The function can also be called:\n\n    \
         diameter = property(get_diameter, set_diameter)\n\n\
         An operation for which there is no function raises AttributeError.",
    )
    .flags(type_flags::BASETYPE)
    .slots(slots)
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

fn own(value: &Value) -> &Property {
    value.downcast::<Property>().expect("called through its own slot")
}

/// `fget` of a property.
pub fn getter(this: &Value) -> Option<Value> {
    let property = this.downcast::<Property>()?;
    property.state.borrow(&property.header).get.clone()
}

impl Property {
    fn state(&self) -> State {
        self.state.borrow(&self.header).clone()
    }

    /// The name for error messages: set by `__set_name__`, else the getter's `__name__`.
    fn name(&self, vm: &Vm) -> Result<Option<Value>> {
        let state = self.state();
        match (state.name, state.get) {
            (Some(name), _) => Ok(Some(name)),
            (None, Some(get)) => vm.get_attr_opt(&get, &names().__name__),
            (None, None) => Ok(None),
        }
    }

    fn missing(&self, vm: &Vm, object: &Value, what: &str) -> crate::vm::Raised {
        let class = object.ty().to_value();
        let qualname = vm.get_attr(&class, &names().__qualname__).map_or_else(
            |raised| {
                vm.discard(raised);
                object.ty().name()
            },
            |name| vm.display_name(&name),
        );
        match self.name(vm) {
            Ok(Some(name)) => match vm.repr_string(&name) {
                Ok(name) => vm.attribute_error(format!("property {name} of '{qualname}' object has no {what}")),
                Err(raised) => raised,
            },
            Ok(None) => vm.attribute_error(format!("property of '{qualname}' object has no {what}")),
            Err(raised) => raised,
        }
    }
}

fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| {
        let ty = class.downcast::<Type>().expect("`tp_new` gets a type");
        let state = ObjectCell::new(State::default());
        Ok(Ref::new_with_type(ty, Property { header: Header::new(ty), state }).into_value())
    });
    s.init = Some(init);
    s.descr_get = Some(|vm, this, object, _| {
        let Some(object) = object else { return Ok(this.clone()) };
        let property = own(this);
        let get = property.state.borrow(&property.header).get.clone();
        match get {
            Some(get) => vm.call(&get, std::slice::from_ref(object), None),
            None => Err(property.missing(vm, object, "getter")),
        }
    });
    s.descr_set = Some(|vm, this, object, value| {
        let property = own(this);
        let state = property.state();
        match (value, state.set, state.delete) {
            (Some(value), Some(set), _) => vm.call(&set, &[object.clone(), value.clone()], None).map(drop),
            (None, _, Some(delete)) => vm.call(&delete, std::slice::from_ref(object), None).map(drop),
            (Some(_), None, _) => Err(property.missing(vm, object, "setter")),
            (None, _, None) => Err(property.missing(vm, object, "deleter")),
        }
    });
}

static SIGNATURE: LazyLock<Signature> =
    LazyLock::new(|| Signature::parse("property(fget=None, fset=None, fdel=None, doc=None)"));

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let bound = SIGNATURE.bind(vm, args, kwnames)?;
    let given = |i: usize| bound[i].given().cloned();
    let mut state = State { get: given(0), set: given(1), delete: given(2), ..State::default() };
    let mut doc = given(3);
    if doc.is_none()
        && let Some(get) = &state.get
    {
        doc = vm.get_attr_opt(get, &names().__doc__)?.filter(|doc| !doc.is_none());
        state.getter_doc = doc.is_some();
    }
    // A subclass keeps the docstring as an attribute of the instance.
    if !this.ty().is(&PROPERTY) {
        let stored = doc.take().unwrap_or(Value::NONE);
        if let Err(raised) = vm.set_attr(this, &names().__doc__, &stored) {
            if state.getter_doc {
                return Err(raised);
            }
            vm.catch(raised, crate::exceptions::attribute_error())?;
        }
    }
    state.doc = doc;
    let property = own(this);
    let old = std::mem::replace(&mut *property.state.borrow(&property.header), state);
    if old.get.is_some() {
        lookup::descriptor_changed();
    }
    drop(old);
    Ok(())
}

/// A copy with one accessor replaced.
fn copy(vm: &Vm, this: &Value, change: impl FnOnce(&mut State)) -> Result {
    let mut state = own(this).state();
    let name = state.name.take();
    change(&mut state);
    if state.getter_doc && state.get.is_some() {
        state.doc = None;
    }
    let arguments = [state.get, state.set, state.delete, state.doc].map(|value| value.unwrap_or(Value::NONE));
    let copy = vm.call(&this.ty().to_value(), &arguments, None)?;
    if let Some(property) = copy.downcast::<Property>() {
        property.state.borrow(&property.header).name = name;
    }
    Ok(copy)
}

crate::method_table! {
    static METHODS = [
        MethodDef::new("getter($self, object, /)", "\
            Return a copy of the property that gets values with another function.", |vm, this, args| {
            copy(vm, this, |state| state.get = args[0].given().cloned())
        }),
        MethodDef::new("setter($self, object, /)", "\
            Return a copy of the property that sets values with another function.", |vm, this, args| {
            copy(vm, this, |state| state.set = args[0].given().cloned())
        }),
        MethodDef::new("deleter($self, object, /)", "\
            Return a copy of the property that deletes with another function.", |vm, this, args| {
            copy(vm, this, |state| state.delete = args[0].given().cloned())
        }),
        MethodDef::raw("__set_name__($self, owner, name, /)", "\
            Note the name that the property has in its class.", |vm, this, args, kwnames| {
            no_keywords(vm, "property.__set_name__", kwnames)?;
            let [_, name] = args else {
                let given = args.len();
                return Err(vm.type_error(format!("__set_name__() takes 2 positional arguments but {given} were given")));
            };
            let property = own(this);
            let old = property.state.borrow(&property.header).name.replace(name.clone());
            drop(old);
            Ok(Value::NONE)
        }),
    ];
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("fget", "", |_, this| Ok(own(this).state().get.unwrap_or(Value::NONE))),
    MemberDef::new("fset", "", |_, this| Ok(own(this).state().set.unwrap_or(Value::NONE))),
    MemberDef::new("fdel", "", |_, this| Ok(own(this).state().delete.unwrap_or(Value::NONE))),
    MemberDef::new("__doc__", "", |_, this| Ok(own(this).state().doc.unwrap_or(Value::NONE))).setter(
        |_, this, value| {
            let property = own(this);
            let mut state = property.state.borrow(&property.header);
            let old = std::mem::replace(&mut state.doc, value.cloned());
            drop(state);
            drop(old);
            Ok(())
        },
    ),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__name__", "", |vm, this| match own(this).name(vm)? {
        Some(name) => Ok(name),
        None => Err(vm.no_attribute(this, &names().__name__)),
    })
    .setter(|_, this, value| {
        let property = own(this);
        let old = std::mem::replace(&mut property.state.borrow(&property.header).name, value.cloned());
        drop(old);
        Ok(())
    }),
    GetSetDef::new("__isabstractmethod__", "", |vm, this| {
        let state = own(this).state();
        for function in [&state.get, &state.set, &state.delete].into_iter().flatten() {
            if is_abstract(vm, function)? {
                return Ok(Value::TRUE);
            }
        }
        Ok(Value::FALSE)
    }),
];

/// Whether a function is marked by `abc.abstractmethod`.
pub fn is_abstract(vm: &Vm, function: &Value) -> Result<bool> {
    match vm.get_attr_opt(function, intern("__isabstractmethod__").as_value())? {
        Some(flag) => vm.is_true(&flag),
        None => Ok(false),
    }
}
