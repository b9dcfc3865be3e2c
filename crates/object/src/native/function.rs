//! `builtin_function_or_method`: native functions of modules and bound native methods.

use super::{Binding, MethodDef};
use crate::builtins::str::intern;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::{GetSetDef, MemberDef};
use crate::object::{Payload, Ref, Result, Visitor, to_value};
use crate::types::slots::Slots;
use crate::types::{Called, Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

/// A native function with what it is bound to.
#[repr(C)]
pub struct BuiltinFunction {
    pub header: Header,
    pub def: Definition,
    /// `__self__`: the instance, class or module.
    pub this: Value,
    /// `__module__`: a name, or `None`.
    pub module: ObjectCell<Value>,
}

/// What a built-in function calls.
#[derive(Clone, Copy)]
pub enum Definition {
    Method(&'static MethodDef),
    /// The `__new__` of a built-in type; `this` is the type.
    New,
}

// SAFETY: repr(C), header first, visits both values.
unsafe impl Payload for BuiltinFunction {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        BUILTIN_FUNCTION.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.this);
        // SAFETY: the collector has stopped the world.
        visit(unsafe { &*self.module.as_ptr() });
    }
}

pub static BUILTIN_FUNCTION: TypeSpec = TypeSpec::new::<BuiltinFunction>("builtin_function_or_method")
    .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::HAS_WEAKREF | type_flags::HAVE_VECTORCALL)
    .called(Called::Builtin)
    .slots(slots)
    .getset(GETSET)
    .members(MEMBERS)
    .methods(METHODS);

fn slots(s: &mut Slots) {
    s.call = Some(call);
    s.repr = Some(repr);
    s.hash = Some(hash);
    s.richcompare = Some(richcompare);
}

impl BuiltinFunction {
    /// A function of a module (`this` = the module) or a method bound to `this`.
    pub fn new(def: &'static MethodDef, this: Value, module: Value) -> Ref<BuiltinFunction> {
        let def = Definition::Method(def);
        let module = ObjectCell::new(module);
        Ref::new(BuiltinFunction { header: Header::new(BUILTIN_FUNCTION.ty()), def, this, module })
    }
    pub fn name(&self) -> &'static str {
        match self.def {
            Definition::Method(def) => def.name(),
            Definition::New => "__new__",
        }
    }
}

/// The `__new__` of a built-in type.
pub(crate) fn new_wrapper(ty: &Type) -> Value {
    let header = Header::new(BUILTIN_FUNCTION.ty());
    let module = ObjectCell::new(Value::NONE);
    Ref::new(BuiltinFunction { header, def: Definition::New, this: to_value(ty), module }).into_value()
}

fn call(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let function = this.downcast::<BuiltinFunction>().expect("called through its own slot");
    vm.check_stack(" while calling a Python object")?;
    match function.def {
        Definition::Method(def) => def.call_bound(vm, &function.this, args, kwnames),
        Definition::New => call_new(vm, &function.this, args, kwnames),
    }
}

/// `tp_new_wrapper`: checks that the class asked for is one this `__new__` can make.
pub fn call_new(vm: &Vm, ty: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = ty.downcast::<Type>().expect("`__new__` is bound to a type");
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    if positional == 0 {
        let name = ty.name();
        return Err(vm.type_error(format!("{name}.__new__(): not enough arguments")));
    }
    let Some(class) = args[0].downcast::<Type>() else {
        let (name, got) = (ty.name(), args[0].ty().name());
        return Err(vm.type_error(format!("{name}.__new__(X): X is not a type object ({got})")));
    };
    if !class.is_subtype(ty) {
        let (name, sub) = (ty.name(), class.name());
        return Err(vm.type_error(format!("{name}.__new__({sub}): {sub} is not a subtype of {name}")));
    }
    // The most derived built-in base must be the one whose `__new__` this is.
    let mut native = class;
    while native.is_heap_type() && !native.has_flags(type_flags::IMMUTABLETYPE) {
        native = native.base().expect("only `object` has no base");
    }
    if native.has_flags(type_flags::DISALLOW_INSTANTIATION) {
        return Err(vm.type_error(format!("cannot create '{}' instances", class.full_name())));
    }
    let (own, wanted) = (ty.slots().new, native.slots().new);
    let same = matches!((own, wanted), (Some(a), Some(b)) if std::ptr::fn_addr_eq(a, b));
    if !same
        && ty.is(&crate::types::OBJECT)
        && native.has_flags(crate::types::type_flags::GENERIC_NEW)
        && let Some(new) = wanted
    {
        return new(vm, &args[0], &args[1..], kwnames);
    }
    if !same {
        let (name, sub, base) = (ty.name(), class.full_name(), native.full_name());
        return Err(vm.type_error(format!("{name}.__new__({sub}) is not safe, use {base}.__new__()")));
    }
    let new = own.expect("just compared");
    new(vm, &args[0], &args[1..], kwnames)
}

fn repr(_vm: &Vm, this: &Value) -> Result {
    let function = this.downcast::<BuiltinFunction>().expect("own slot");
    let bound = &function.this;
    let is_module = bound.is_none() || bound.ty().is(&super::module::MODULE);
    Ok(Value::from(if is_module {
        format!("<built-in function {}>", function.name())
    } else {
        format!("<built-in method {} of {} object at {:#x}>", function.name(), bound.ty().name(), bound.id())
    }))
}

fn hash(_vm: &Vm, this: &Value) -> Result<i64> {
    let function = this.downcast::<BuiltinFunction>().expect("own slot");
    Ok((function.this.id() >> 4) as i64 ^ function.name().as_ptr() as i64)
}

fn richcompare(_vm: &Vm, this: &Value, other: &Value, op: crate::types::slots::CompareOp) -> Result {
    use crate::types::slots::CompareOp::*;
    let (Some(a), Some(b)) = (this.downcast::<BuiltinFunction>(), other.downcast::<BuiltinFunction>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let same_def = match (a.def, b.def) {
        (Definition::Method(a), Definition::Method(b)) => std::ptr::eq(a, b),
        (Definition::New, Definition::New) => true,
        _ => false,
    };
    let equal = same_def && a.this.is(&b.this);
    match op {
        Eq => Ok(Value::bool(equal)),
        Ne => Ok(Value::bool(!equal)),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__name__", "", |_, this| {
        let function = this.downcast::<BuiltinFunction>().expect("own getter");
        Ok(intern(function.name()).into_value())
    }),
    GetSetDef::new("__qualname__", "", |vm, this| {
        let function = this.downcast::<BuiltinFunction>().expect("own getter");
        let name = function.name();
        let owner = match function.this.downcast::<Type>() {
            Some(ty) => ty.to_value(),
            None if function.this.is_none() || function.this.ty().is(&super::module::MODULE) => {
                return Ok(intern(name).into_value());
            }
            None => function.this.ty().to_value(),
        };
        let owner = vm.get_attr_str(&owner, "__qualname__")?;
        Ok(Value::from(format!("{}.{name}", vm.display_name(&owner))))
    }),
    GetSetDef::new("__doc__", "", |_, this| {
        let function = this.downcast::<BuiltinFunction>().expect("own getter");
        Ok(match function.def {
            Definition::Method(def) if def.doc.is_empty() => Value::NONE,
            Definition::Method(def) => Value::from(def.doc),
            Definition::New => Value::from("Create an instance; for the arguments see help() of the type itself."),
        })
    }),
    GetSetDef::new("__text_signature__", "", |_, this| {
        let function = this.downcast::<BuiltinFunction>().expect("own getter");
        Ok(match function.def {
            Definition::Method(def) => def.text_signature().map_or(Value::NONE, Value::from),
            Definition::New => Value::from("($type, *args, **kwargs)"),
        })
    }),
    GetSetDef::new("__self__", "", |_, this| {
        let function = this.downcast::<BuiltinFunction>().expect("own getter");
        Ok(match function.def {
            Definition::Method(def) if def.binding == Binding::Static => Value::NONE,
            _ => function.this.clone(),
        })
    }),
];

static MEMBERS: &[MemberDef] = &[MemberDef::new("__module__", "", |_, this| {
    let function = this.downcast::<BuiltinFunction>().expect("own getter");
    Ok(function.module.borrow(&function.header).clone())
})
.setter(|_, this, value| {
    let function = this.downcast::<BuiltinFunction>().expect("own setter");
    let value = value.cloned().unwrap_or(Value::NONE);
    let old = std::mem::replace(&mut *function.module.borrow(&function.header), value);
    drop(old);
    Ok(())
})];

crate::method_table! {
    static METHODS = [MethodDef::new("__reduce__($self, /)", "", |vm, this, _| {
        let function = this.downcast::<BuiltinFunction>().expect("own method");
        if function.this.is_none() || function.this.ty().is(&super::module::MODULE) {
            return Ok(intern(function.name()).into_value());
        }
        super::descriptors::reduce_to_getattr(vm, &function.this, function.name())
    })];
}
