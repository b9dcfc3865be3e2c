//! `method`: a callable bound to an object.

use crate::header::Header;
use crate::heap::Kind;
use crate::native::MemberDef;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::slots::{CompareOp, Slots};
use crate::types::{Called, Type, TypeSpec, lookup, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

/// A bound method.
#[repr(C)]
pub struct BoundMethod {
    pub header: Header,
    pub function: Value,
    pub this: Value,
}

// SAFETY: repr(C), header first, visits both references.
unsafe impl Payload for BoundMethod {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        METHOD.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.function);
        visit(&self.this);
    }
}

pub static METHOD: TypeSpec = TypeSpec::new::<BoundMethod>("method")
    .doc("method(function, instance, /)\n--\n\nA function that is bound to an instance.")
    .flags(type_flags::HAS_WEAKREF | type_flags::HAVE_VECTORCALL)
    .called(Called::Method)
    .slots(slots)
    .members(&[
        MemberDef::new("__func__", "the function that calls are passed on to, with the instance", |_, this| {
            Ok(own(this).function.clone())
        }),
        MemberDef::new(
            "__self__",
            "\
            the instance that is passed as the first argument",
            |_, this| Ok(own(this).this.clone()),
        ),
    ])
    .getset(&[crate::native::GetSetDef::new("__doc__", "", |vm, this| {
        vm.get_attr(&own(this).function, &names().__doc__)
    })])
    .methods(METHODS);

crate::method_table! { static METHODS = [crate::native::MethodDef::new("__reduce__($self, /)", "", |vm, this, _| {
    let method = own(this);
    let getattr = vm.import_from("builtins", "getattr")?;
    let name = vm.get_attr(&method.function, &names().__name__)?;
    let args = crate::builtins::tuple::Tuple::from_vec(vec![method.this.clone(), name]);
    Ok(crate::builtins::tuple::Tuple::from_vec(vec![getattr, args.into_value()]).into_value())
})]; }

fn own(value: &Value) -> &BoundMethod {
    value.downcast::<BoundMethod>().expect("called through its own slot")
}

/// `function` bound to `this`.
#[inline]
pub fn new(function: Value, this: Value) -> Value {
    Ref::new(BoundMethod { header: Header::new(METHOD.ty()), function, this }).into_value()
}

fn slots(s: &mut Slots) {
    s.call = Some(|vm, this, args, kwnames| {
        let method = own(this);
        crate::vm::Method::Unbound(method.function.clone(), &method.this).call(vm, args, kwnames)
    });
    s.repr = Some(|vm, this| {
        let method = own(this);
        let name = match vm.get_attr_opt(&method.function, &names().__qualname__)? {
            Some(name) => Some(name),
            None => vm.get_attr_opt(&method.function, &names().__name__)?,
        };
        let name = name.map_or("?".to_string(), |name| vm.display_name(&name));
        Ok(Value::from(format!("<bound method {name} of {}>", vm.repr_string(&method.this)?)))
    });
    s.hash = Some(|vm, this| {
        let method = own(this);
        let hash = crate::hash::hash_pointer(method.this.id()) ^ vm.hash(&method.function)?;
        Ok(if hash == -1 { -2 } else { hash })
    });
    s.richcompare = Some(|vm, this, other, op| {
        let Some(other) = other.downcast::<BoundMethod>() else { return Ok(Value::NOT_IMPLEMENTED) };
        let this = own(this);
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let equal = this.this.is(&other.this) && vm.equal(&this.function, &other.function)?;
        Ok(Value::bool(equal == (op == CompareOp::Eq)))
    });
    s.getattro = Some(getattro);
    s.descr_get = Some(|_, this, _, _| Ok(this.clone()));
    s.new = Some(|vm, _, args, kwnames| {
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error("method() takes no keyword arguments"));
        }
        let [function, this] = args else {
            return Err(vm.type_error(format!("method expected 2 arguments, got {}", args.len())));
        };
        if function.ty().slots().call.is_none() {
            return Err(vm.type_error("first argument must be callable"));
        }
        if this.is_none() {
            return Err(vm.type_error("instance must not be None"));
        }
        Ok(new(function.clone(), this.clone()))
    });
}

/// Attributes of the method type, then those of the function.
fn getattro(vm: &Vm, this: &Value, name: &Value) -> Result {
    if let Some(descriptor) = lookup::find(this.ty(), name) {
        return match descriptor.ty().slots().descr_get {
            Some(get) => get(vm, &descriptor, Some(this), Some(&this.ty().to_value())),
            None => Ok(descriptor),
        };
    }
    vm.get_attr(&own(this).function, name)
}
