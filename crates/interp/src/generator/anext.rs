//! `anext_awaitable`: what `anext(iterator, default)` gives.

use taipan_object::exceptions::STOP_ASYNC_ITERATION;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use super::{awaitable_of, of_value};

#[repr(C)]
struct AnextAwaitable {
    header: Header,
    wrapped: Value,
    default: Value,
}

// SAFETY: repr(C), header first, visits both values.
unsafe impl Payload for AnextAwaitable {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        ANEXT_AWAITABLE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.wrapped);
        visit(&self.default);
    }
}

static ANEXT_AWAITABLE: TypeSpec = TypeSpec::new::<AnextAwaitable>("anext_awaitable")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.await_ = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|vm, this| {
            let own = own(this);
            let result = iterator(vm, own).and_then(|iterator| vm.next_or_stop(&iterator));
            or_default(vm, own, result).map(Some)
        });
    })
    .methods(METHODS);

taipan_object::method_table! {
    static METHODS = [
        MethodDef::raw("send", "send(arg) -> send 'arg' into the wrapped iterator,\nreturn next yielded value or raise \
            StopIteration.", |vm, this, args, _| forward(vm, own(this), "send", args)),
        MethodDef::raw("throw", "throw(value)\n\
            throw(typ[,val[,tb]])\n\n\
            Pass an exception on to the wrapped iterator, and return what that\n\
            yields next.\n\
            The form with several arguments is \
            deprecated.", |vm, this, args, _| forward(vm, own(this), "throw", args)),
        MethodDef::raw("close", "close() -> None; end the generator with GeneratorExit.", |vm, this, args, _| {
            forward(vm, own(this), "close", args)
        }),
    ];
}

fn own(this: &Value) -> &AnextAwaitable {
    this.downcast::<AnextAwaitable>().expect("called through its own slot")
}

/// The awaitable of an iterator's next item, or of `default` when there is none.
pub fn anext_awaitable(wrapped: Value, default: Value) -> Value {
    Ref::new(AnextAwaitable { header: Header::new(ANEXT_AWAITABLE.ty()), wrapped, default }).into_value()
}

fn iterator(vm: &Vm, own: &AnextAwaitable) -> Result {
    let awaitable = awaitable_of(vm, &own.wrapped)?;
    match (of_value(&awaitable), awaitable.ty().slots().await_) {
        (Some(_), Some(await_)) => await_(vm, &awaitable),
        _ => Ok(awaitable),
    }
}

fn or_default(vm: &Vm, own: &AnextAwaitable, result: Result) -> Result {
    result.or_else(|raised| {
        vm.catch(raised, STOP_ASYNC_ITERATION.ty())?;
        Err(vm.stop_iteration(Some(own.default.clone())))
    })
}

fn forward(vm: &Vm, own: &AnextAwaitable, method: &str, args: &[Value]) -> Result {
    let result = iterator(vm, own).and_then(|iterator| vm.call_method(&iterator, method, args));
    or_default(vm, own, result)
}
