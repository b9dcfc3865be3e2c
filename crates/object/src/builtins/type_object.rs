//! `type`: calling classes, attributes of classes, `isinstance`. Class creation is in `types/creation.rs`; the methods
//! of `type` are in `type_object/methods.rs`.

use crate::builtins::object::{OBJECT, is_object_init};
use crate::builtins::tuple::{TUPLE, Tuple};
use crate::native::descriptors::GetSetDescriptor;
use crate::object::Result;
use crate::types::slots::Slots;
use crate::types::{Called, Type, TypeSpec, creation, lookup, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

pub mod annotations;
pub mod methods;

pub static TYPE: TypeSpec = TypeSpec::new::<Type>("type")
    .itemsize(40)
    .doc("type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type")
    .flags(
        type_flags::BASETYPE
            | type_flags::TYPE_SUBCLASS
            | type_flags::HAS_WEAKREF
            | type_flags::HAVE_VECTORCALL
            | type_flags::ITEMS_AT_END,
    )
    .called(Called::Class)
    .slots(slots)
    .methods(methods::METHODS)
    .members(methods::MEMBERS)
    .getset(methods::GETSET);

fn slots(s: &mut Slots) {
    s.call = Some(call);
    s.getattro = Some(getattro);
    s.setattro = Some(setattro);
    s.new = Some(creation::new);
    s.init = Some(init);
    s.repr = Some(methods::repr);
    s.or = Some(methods::union);
}

/// `class(*args)`: `__new__`, then `__init__` if an instance came out.
pub fn call(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let class = this.downcast::<Type>().expect("own slot");
    if std::ptr::eq(class, TYPE.ty()) {
        let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
        match args.len() - keywords {
            1 if keywords == 0 => return Ok(args[0].ty().to_value()),
            1 => return Err(vm.type_error("type() takes no keyword arguments")),
            3 => {}
            _ => return Err(vm.type_error("type() takes 1 or 3 arguments")),
        }
    }
    let new = match class.slots().new {
        Some(new) if !class.has_flags(type_flags::DISALLOW_INSTANTIATION) => new,
        _ => return Err(vm.type_error(format!("cannot create '{}' instances", class.full_name()))),
    };
    vm.check_stack(" while calling a Python object")?;
    initialized(vm, class, new(vm, this, args, kwnames)?, args, kwnames)
}

/// What a call of a class gives for what its `__new__` made: initialized, if it is an instance.
fn initialized(vm: &Vm, class: &Type, object: Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = object.ty();
    if !std::ptr::eq(ty, class) && !ty.is_subtype(class) {
        return Ok(object);
    }
    if let Some(init) = ty.slots().init
        && (ty.is_heap_type() || !is_object_init(init))
    {
        init(vm, &object, args, kwnames)?;
    }
    Ok(object)
}

/// As [`call`], of a built-in class with positional arguments.
#[inline(always)]
pub fn call_built_in(vm: &Vm, this: &Value, class: &Type, args: &[Value]) -> Result {
    let slots = class.slots();
    match slots.new {
        Some(new)
            if slots.init.is_none_or(is_object_init)
                && !class.has_flags(type_flags::DISALLOW_INSTANTIATION)
                && !std::ptr::eq(class, TYPE.ty()) =>
        {
            let object = new(vm, this, args, None)?;
            if std::ptr::eq(object.ty(), class) { Ok(object) } else { initialized(vm, class, object, args, None) }
        }
        _ => call(vm, this, args, None),
    }
}

fn init(vm: &Vm, _this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    if positional == 1 && args.len() > 1 {
        return Err(vm.type_error("type.__init__() takes no keyword arguments"));
    }
    if positional != 1 && positional != 3 {
        return Err(vm.type_error("type.__init__() takes 1 or 3 arguments"));
    }
    Ok(())
}

/// Attributes of a class: data descriptors of the metaclass, the class's own MRO, the rest of the metaclass.
pub fn getattro(vm: &Vm, this: &Value, name: &Value) -> Result {
    match getattro_opt(vm, this, name)? {
        Some(value) => Ok(value),
        None => {
            let class = this.downcast::<Type>().expect("own slot");
            let message = format!("type object '{}' has no attribute '{}'", class.name(), vm.display_name(name));
            Err(vm.attribute_error_for(message, this, name))
        }
    }
}

/// Whether a type's objects are classes whose attributes are found as `type` finds them.
pub fn is_getattro(f: crate::types::slots::Binary) -> bool {
    std::ptr::fn_addr_eq(f, getattro as crate::types::slots::Binary)
}

/// Whether calling the instances of `ty`, a metaclass, makes instances of theirs as `type` does.
#[inline(always)]
pub fn makes_instances(ty: &Type) -> bool {
    let plain = call as crate::types::slots::Call;
    ty.has_flags(type_flags::TYPE_SUBCLASS) && ty.slots().call.is_some_and(|f| std::ptr::fn_addr_eq(f, plain))
}

/// As [`getattro`]; `None` when nothing has the name.
pub fn getattro_opt(vm: &Vm, this: &Value, name: &Value) -> Result<Option<Value>> {
    let class = this.downcast::<Type>().expect("own slot");
    let meta = this.ty();
    let meta_attribute = lookup::find(meta, name);
    if let Some(descriptor) = &meta_attribute
        && descriptor.ty().slots().descr_set.is_some()
        && let Some(get) = descriptor.ty().slots().descr_get
    {
        return get(vm, descriptor, Some(this), Some(&meta.to_value())).map(Some);
    }
    if let Some(attribute) = lookup::find_attribute(vm, class, name)? {
        return match attribute.ty().slots().descr_get {
            Some(get) => get(vm, &attribute, None, Some(this)).map(Some),
            None => Ok(Some(attribute)),
        };
    }
    match meta_attribute {
        Some(attribute) => match attribute.ty().slots().descr_get {
            Some(get) => get(vm, &attribute, Some(this), Some(&meta.to_value())).map(Some),
            None => Ok(Some(attribute)),
        },
        None => Ok(None),
    }
}

/// Sets an attribute of a class, keeping slots and caches in step.
pub fn setattro(vm: &Vm, this: &Value, name: &Value, value: Option<&Value>) -> Result<()> {
    let class = this.downcast::<Type>().expect("own slot");
    if class.has_flags(type_flags::IMMUTABLETYPE) {
        return Err(vm.type_error(format!(
            "cannot set '{}' attribute of immutable type '{}'",
            vm.display_name(name),
            class.full_name()
        )));
    }
    if let Some(descriptor) = lookup::find(this.ty(), name)
        && let Some(set) = descriptor.ty().slots().descr_set
    {
        return set(vm, &descriptor, this, value);
    }
    let dict = class.dict();
    // The old value is dropped after the caches forget it.
    let old = dict.get_str(name);
    match value {
        Some(value) => dict.set_str(name, value.clone()),
        None if old.is_none() => {
            let message = format!("type object '{}' has no attribute '{}'", class.name(), vm.display_name(name));
            return Err(vm.attribute_error_for(message, this, name));
        }
        None => drop(dict.remove_str(name)),
    }
    class.modified();
    creation::update_slot(class, name);
    drop(old);
    Ok(())
}

/// `isinstance(object, class)`.
pub fn is_instance(vm: &Vm, object: &Value, class: &Value) -> Result<bool> {
    if std::ptr::from_ref(object.ty()) as u64 == class.word() {
        return Ok(true);
    }
    if class.ty().is(&TYPE) {
        return plain_is_instance(vm, object, class);
    }
    let union = if class.ty().is(&TUPLE) { None } else { crate::builtins::union::args(class) };
    if let Some(tuple) = union.as_ref().unwrap_or(class).downcast::<Tuple>() {
        vm.check_stack(" in __instancecheck__")?;
        for class in tuple.as_slice() {
            if is_instance(vm, object, class)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    match vm.call_special(class, &names().__instancecheck__, &[object]) {
        Some(result) => vm.is_true(&result?),
        None => plain_is_instance(vm, object, class),
    }
}

/// Whether what objects of the type have as `__class__` is their type: that of `object`, found in the usual way.
pub fn has_plain_class(ty: &Type) -> bool {
    let Some(getattro) = ty.slots().getattro else { return false };
    if !ty.is_heap_type() && lookup::is_generic_getattr(getattro) {
        return true;
    }
    if !lookup::is_generic_getattr(getattro) && !is_getattro(getattro) {
        return false;
    }
    let found = lookup::find(ty, &names().__class__);
    found
        .as_ref()
        .and_then(|found| found.downcast_exact::<GetSetDescriptor>())
        .is_some_and(|found| found.owner.is(&OBJECT))
}

/// `type.__instancecheck__`: by type, then by `__class__`.
pub fn plain_is_instance(vm: &Vm, object: &Value, class: &Value) -> Result<bool> {
    if let Some(class) = class.downcast::<Type>() {
        let ty = object.ty();
        if ty.is_subtype(class) {
            return Ok(true);
        }
        if has_plain_class(ty) {
            return Ok(false);
        }
        let claimed = vm.get_attr_opt(object, &names().__class__)?;
        return Ok(claimed.as_ref().and_then(|c| c.downcast::<Type>()).is_some_and(|c| c.is_subtype(class)));
    }
    check_class(vm, class, "isinstance() arg 2 must be a type, a tuple of types, or a union")?;
    match vm.get_attr_opt(object, &names().__class__)? {
        Some(own) => abstract_is_subclass(vm, &own, class),
        None => Ok(false),
    }
}

/// `issubclass(sub, class)`.
pub fn is_subclass(vm: &Vm, sub: &Value, class: &Value) -> Result<bool> {
    if class.ty().is(&TYPE) {
        if sub.is(class) {
            return Ok(true);
        }
        return plain_is_subclass(vm, sub, class);
    }
    let union = crate::builtins::union::args(class);
    if let Some(tuple) = union.as_ref().unwrap_or(class).downcast::<Tuple>() {
        vm.check_stack(" in __subclasscheck__")?;
        for class in tuple.as_slice() {
            if is_subclass(vm, sub, class)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    match vm.call_special(class, &names().__subclasscheck__, &[sub]) {
        Some(result) => vm.is_true(&result?),
        None => plain_is_subclass(vm, sub, class),
    }
}

/// `type.__subclasscheck__`.
pub fn plain_is_subclass(vm: &Vm, sub: &Value, class: &Value) -> Result<bool> {
    if let (Some(sub), Some(class)) = (sub.downcast::<Type>(), class.downcast::<Type>()) {
        return Ok(sub.is_subtype(class));
    }
    check_class(vm, sub, "issubclass() arg 1 must be a class")?;
    check_class(vm, class, "issubclass() arg 2 must be a class, a tuple of classes, or a union")?;
    abstract_is_subclass(vm, sub, class)
}

/// Refuses what has no tuple `__bases__`.
fn check_class(vm: &Vm, class: &Value, message: &str) -> Result<()> {
    match abstract_bases(vm, class)? {
        Some(_) => Ok(()),
        None => Err(vm.type_error(message)),
    }
}

fn abstract_bases(vm: &Vm, class: &Value) -> Result<Option<Vec<Value>>> {
    let bases = vm.get_attr_opt(class, &names().__bases__)?;
    Ok(bases.and_then(|bases| bases.downcast::<Tuple>().map(|t| t.as_slice().to_vec())))
}

fn abstract_is_subclass(vm: &Vm, sub: &Value, class: &Value) -> Result<bool> {
    if sub.is(class) {
        return Ok(true);
    }
    vm.check_stack(" in __issubclass__")?;
    for base in abstract_bases(vm, sub)?.unwrap_or_default() {
        if abstract_is_subclass(vm, &base, class)? {
            return Ok(true);
        }
    }
    Ok(false)
}
