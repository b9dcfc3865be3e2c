//! `object`: the base of all types.

use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result};
use crate::types::slots::{CompareOp, Slots};
use crate::types::{Type, TypeSpec, lookup, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

pub mod methods;

/// A plain object: nothing but the header (and what its class adds).
#[repr(C)]
pub struct Object {
    pub header: Header,
}

// SAFETY: repr(C), header first, no references of its own.
unsafe impl Payload for Object {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        OBJECT.ty()
    }
}

pub static OBJECT: TypeSpec = TypeSpec::new::<Object>("object")
    .doc(
        "object()\n\
         --\n\n\
         The class from which all others are derived.\n\n\
         Its instances have no attributes of their own, and none can be set;\n\
         object() takes no arguments.",
    )
    .flags(type_flags::BASETYPE)
    .slots(slots)
    .methods(methods::METHODS)
    .getset(methods::GETSET);

fn slots(s: &mut Slots) {
    s.repr = Some(repr);
    s.str = Some(|vm, this| vm.repr(this));
    s.hash = Some(|_, this| Ok(crate::hash::hash_pointer(this.id())));
    s.richcompare = Some(richcompare);
    s.getattro = Some(lookup::generic_getattr);
    s.setattro = Some(lookup::generic_setattr);
    s.new = Some(new);
    s.init = Some(init);
}

pub fn repr(vm: &Vm, this: &Value) -> Result {
    let class = this.ty().to_value();
    let module = vm.get_attr_opt(&class, &names().__module__)?;
    let qualname = vm.get_attr(&class, &names().__qualname__)?;
    let qualname = vm.display_name(&qualname);
    let name = match module {
        Some(module) if module.downcast::<crate::builtins::str::Str>().is_some_and(|m| !m.is_str("builtins")) => {
            format!("{}.{qualname}", vm.display_name(&module))
        }
        _ => qualname,
    };
    Ok(Value::from(format!("<{name} object at {:#x}>", this.id())))
}

pub fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    match op {
        CompareOp::Eq if this.is(other) => Ok(Value::TRUE),
        CompareOp::Ne => {
            // By default the inverse of `__eq__`.
            let Some(compare) = this.ty().slots().richcompare else { return Ok(Value::NOT_IMPLEMENTED) };
            let equal = compare(vm, this, other, CompareOp::Eq)?;
            if equal.is_not_implemented() {
                return Ok(equal);
            }
            Ok(Value::bool(!vm.is_true(&equal)?))
        }
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// Whether excess arguments are an error: they are unless exactly the other of `__new__`/`__init__` is overridden.
fn is_own_new(ty: &Type) -> bool {
    ty.slots().new.is_some_and(|f| std::ptr::fn_addr_eq(f, new as crate::types::slots::Call))
}
fn is_own_init(ty: &Type) -> bool {
    ty.slots().init.is_some_and(|f| std::ptr::fn_addr_eq(f, init as crate::types::slots::Init))
}

/// Whether a `tp_init` is `object.__init__`.
pub fn is_object_init(f: crate::types::slots::Init) -> bool {
    std::ptr::fn_addr_eq(f, init as crate::types::slots::Init)
}

/// Whether a `tp_new` is `object.__new__`.
pub fn is_object_new(f: crate::types::slots::Call) -> bool {
    std::ptr::fn_addr_eq(f, new as crate::types::slots::Call)
}

/// A new instance of `class` without its attributes.
pub fn allocate_instance(class: &Type) -> Value {
    Ref::new_with_type(class, Object { header: Header::new(class) }).into_value()
}

fn new(vm: &Vm, class: &Value, args: &[Value], _kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("`tp_new` gets a type");
    if !args.is_empty() {
        if !is_own_new(ty) {
            return Err(vm.type_error("object.__new__() takes exactly one argument (the type to instantiate)"));
        }
        if is_own_init(ty) {
            return Err(vm.type_error(format!("{}() takes no arguments", ty.name())));
        }
    }
    if ty.has_flags(type_flags::IS_ABSTRACT) {
        return Err(abstract_error(vm, ty)?);
    }
    Ok(allocate_instance(ty))
}

/// "Can't instantiate abstract class …".
fn abstract_error(vm: &Vm, ty: &Type) -> Result<crate::vm::Raised> {
    let methods = vm.get_attr(&ty.to_value(), &names().__abstractmethods__)?;
    let mut list = vm.collect(&methods)?.iter().map(|m| vm.display_name(m)).collect::<Vec<_>>();
    list.sort();
    let plural = if list.len() > 1 { "s" } else { "" };
    Ok(vm.type_error(format!(
        "Can't instantiate abstract class {} without an implementation for abstract method{plural} {}",
        ty.name(),
        list.iter().map(|m| format!("'{m}'")).collect::<Vec<_>>().join(", ")
    )))
}

fn init(vm: &Vm, this: &Value, args: &[Value], _kwnames: Option<&Value>) -> Result<()> {
    let ty = this.ty();
    if !args.is_empty() {
        if !is_own_init(ty) {
            return Err(vm.type_error("object.__init__() takes exactly one argument (the instance to initialize)"));
        }
        // Built-in types that cannot be made by a call have no `__new__` at all in CPython.
        let makes = ty.is_heap_type() || ty.is(&crate::types::OBJECT);
        if makes && is_own_new(ty) {
            return Err(vm.type_error(format!(
                "{}.__init__() takes exactly one argument (the instance to initialize)",
                ty.name()
            )));
        }
    }
    Ok(())
}
