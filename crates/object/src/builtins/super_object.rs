//! `super`.

use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::MemberDef;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::slots::Slots;
use crate::types::{Type, TypeSpec, lookup, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

#[repr(C)]
pub struct Super {
    pub header: Header,
    state: ObjectCell<State>,
}

#[derive(Clone, Default)]
struct State {
    class: Option<Value>,
    object: Option<Value>,
    object_type: Option<Value>,
}

// SAFETY: repr(C), header first, visits every value.
unsafe impl Payload for Super {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        SUPER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        [&state.class, &state.object, &state.object_type].into_iter().flatten().for_each(visit);
    }
}

pub static SUPER: TypeSpec = TypeSpec::new::<Super>("super")
    .doc(
        "super() -> same as super(__class__, <first argument>)\n\
         super(type) -> unbound super object\n\
         super(type, obj) -> bound super object; requires isinstance(obj, type)\n\
         super(type, type2) -> bound super object; requires issubclass(type2, type)\n\n\
         Gives the attributes that come after a class in the order of search, so\n\
         that a method can call the one it overrides:\n\
         class Child(Parent):\n    \
         def method(self, x):\n        \
         return super().method(x) + 1\n\
         In class methods it is used in the same way.",
    )
    .flags(type_flags::BASETYPE)
    .slots(slots)
    .members(&[
        MemberDef::new(
            "__thisclass__",
            "the class after which the search for attributes \
            begins",
            |_, this| Ok(own(this).class.unwrap_or(Value::NONE)),
        ),
        MemberDef::new("__self__", "the instance or class to which attributes are bound, or None", |_, this| {
            Ok(own(this).object.unwrap_or(Value::NONE))
        }),
        MemberDef::new("__self_class__", "the class whose method resolution order is searched, or None", |_, this| {
            Ok(own(this).object_type.unwrap_or(Value::NONE))
        }),
    ]);

fn own(value: &Value) -> State {
    let object = value.downcast::<Super>().expect("called through its own slot");
    object.state.borrow(&object.header).clone()
}

/// The type whose MRO is searched: of an instance of `class`, or a subclass of it.
pub fn check(vm: &Vm, class: &Type, object: &Value) -> Result {
    if let Some(sub) = object.downcast::<Type>()
        && sub.is_subtype(class)
    {
        return Ok(object.clone());
    }
    if object.ty().is_subtype(class) {
        return Ok(object.ty().to_value());
    }
    let claimed = vm.get_attr_opt(object, &names().__class__)?;
    if let Some(claimed) = claimed
        && !claimed.is(&object.ty().to_value())
        && claimed.downcast::<Type>().is_some_and(|ty| ty.is_subtype(class))
    {
        return Ok(claimed);
    }
    let kind = if object.downcast::<Type>().is_some() { "type" } else { "instance of" };
    let name = object.downcast::<Type>().map_or_else(|| object.ty().name(), Type::name);
    Err(vm.type_error(format!(
        "super(type, obj): obj ({kind} {name}) is not an instance or subtype of type ({}).",
        class.name()
    )))
}

/// `super(class, object).name`; what LOAD_SUPER_ATTR calls when `super` is the built-in one.
pub fn get_attribute(vm: &Vm, class: &Value, object: &Value, name: &Value) -> Result {
    let Some(ty) = class.downcast::<Type>() else {
        return Err(vm.type_error(format!("super() argument 1 must be a type, not {}", class.ty().name())));
    };
    let object_type = check(vm, ty, object)?;
    match find(vm, class, object, &object_type, name)? {
        Some(value) => Ok(value),
        None => {
            let text = format!("'super' object has no attribute '{}'", vm.display_name(name));
            Err(vm.attribute_error_for(text, object, name))
        }
    }
}

/// The attribute after `class` in the MRO of `object_type`, bound.
fn find(vm: &Vm, class: &Value, object: &Value, object_type: &Value, name: &Value) -> Result<Option<Value>> {
    if name.is(&names().__class__) {
        return Ok(None);
    }
    let Some(found) = find_raw(class, object_type, name) else { return Ok(None) };
    match found.ty().slots().descr_get {
        Some(get) => {
            let instance = if object.is(object_type) { None } else { Some(object) };
            get(vm, &found, instance, Some(object_type)).map(Some)
        }
        None => Ok(Some(found)),
    }
}

/// The unbound attribute after `class` in the MRO of `object_type`.
pub fn find_raw(class: &Value, object_type: &Value, name: &Value) -> Option<Value> {
    lookup::find_after(object_type.downcast::<Type>()?, class, name)
}

fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| {
        let ty = class.downcast::<Type>().expect("`tp_new` gets a type");
        let state = ObjectCell::new(State::default());
        Ok(Ref::new_with_type(ty, Super { header: Header::new(ty), state }).into_value())
    });
    s.init = Some(|vm, this, args, kwnames| {
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error("super() takes no keyword arguments"));
        }
        if args.len() > 2 {
            return Err(vm.type_error(format!("super() expected at most 2 arguments, got {}", args.len())));
        }
        let (class, object) = match args {
            [] => match crate::vm::hooks::HOOKS.get() {
                Some(hooks) => (hooks.super_arguments)(vm).map(|(class, object)| (class, Some(object)))?,
                None => return Err(vm.runtime_error("super(): no current frame")),
            },
            [class] => (class.clone(), None),
            [class, object, ..] => (class.clone(), object.given().cloned()),
        };
        let Some(ty) = class.downcast::<Type>() else {
            return Err(vm.type_error(format!("super() argument 1 must be a type, not {}", class.ty().name())));
        };
        let object_type = match &object {
            Some(object) => Some(check(vm, ty, object)?),
            None => None,
        };
        let this = this.downcast::<Super>().expect("own slot");
        let state = State { class: Some(class), object, object_type };
        let old = std::mem::replace(&mut *this.state.borrow(&this.header), state);
        drop(old);
        Ok(())
    });
    s.getattro = Some(|vm, this, name| {
        let state = own(this);
        if let (Some(class), Some(object), Some(object_type)) = (&state.class, &state.object, &state.object_type)
            && let Some(value) = find(vm, class, object, object_type, name)?
        {
            return Ok(value);
        }
        lookup::generic_getattr(vm, this, name)
    });
    s.descr_get = Some(|vm, this, object, _| {
        let state = own(this);
        let (Some(object), Some(class), None) = (object.filter(|o| !o.is_none()), &state.class, &state.object) else {
            return Ok(this.clone());
        };
        if !this.ty().is(&SUPER) {
            return vm.call(&this.ty().to_value(), &[class.clone(), object.clone()], None);
        }
        let object_type = check(vm, class.downcast::<Type>().expect("set by init"), object)?;
        let state = State { class: Some(class.clone()), object: Some(object.clone()), object_type: Some(object_type) };
        let header = Header::new(SUPER.ty());
        Ok(Ref::new(Super { header, state: ObjectCell::new(state) }).into_value())
    });
    s.repr = Some(|_, this| {
        let state = own(this);
        let class = state.class.as_ref().and_then(|c| c.downcast::<Type>()).map_or("NULL".to_string(), Type::name);
        Ok(Value::from(match state.object_type.as_ref().and_then(|c| c.downcast::<Type>()) {
            Some(ty) => format!("<super: <class '{class}'>, <{} object>>", ty.name()),
            None => format!("<super: <class '{class}'>, NULL>"),
        }))
    });
}
