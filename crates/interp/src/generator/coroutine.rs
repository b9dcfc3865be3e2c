//! `coroutine`, and what can be awaited.

use taipan_bytecode::code::{CO_COROUTINE, CO_ITERABLE_COROUTINE};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::RUNTIME_WARNING;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use super::{
    CLASS_GETITEM, GENERATOR, Generator, common_slots, delegate, name_getset, of_value, own, qualname_getset,
    yield_from,
};
use crate::frame::{Frame, Interp};

/// A coroutine: the layout of a generator under a type of its own.
#[repr(transparent)]
pub struct Coroutine(Generator);

// SAFETY: a transparent wrapper of a payload.
unsafe impl Payload for Coroutine {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        COROUTINE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        self.0.traverse(visit);
    }
    fn clear(&self) {
        self.0.clear();
    }
    #[inline(always)]
    fn has_to_be_finalized(&self) -> bool {
        self.0.has_to_be_finalized()
    }
}

const SEND: MethodDef = MethodDef::new(
    "send($self, object, /)",
    "send(arg) -> pass a value into coroutine, where its await gives it.\n\
    Return what is yielded next; at the end, raise StopIteration.",
    |vm, this, args| delegate::send_method(vm, coroutine_of(this), &args[0]),
);
const THROW: MethodDef = MethodDef::raw(
    "throw",
    "throw(value)\n\
     throw(type[,value[,traceback]])\n\n\
     Raise an exception in coroutine, at its await.\n\
     Return what is yielded next; at the end, raise StopIteration.\n\
     The form with several arguments is deprecated.",
    |vm, this, args, kwnames| delegate::throw_method(vm, coroutine_of(this), args, kwnames),
);
const CLOSE: MethodDef = MethodDef::new(
    "close($self, /)",
    "\
        close() -> None; raise GeneratorExit inside coroutine, to end it.",
    |vm, this, _| delegate::close(vm, coroutine_of(this)),
);

/// The coroutine itself, or that behind its `__await__` wrapper.
fn coroutine_of(this: &Value) -> &Generator {
    match this.downcast::<CoroutineWrapper>() {
        Some(wrapper) => own(&wrapper.coroutine),
        None => own(this),
    }
}

pub static COROUTINE: TypeSpec = TypeSpec::new::<Coroutine>("coroutine")
    .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::HAS_WEAKREF | type_flags::NEEDS_FINALIZE)
    .slots(|s| {
        common_slots(s);
        s.await_ = Some(|_, this| {
            let header = Header::new(COROUTINE_WRAPPER.ty());
            Ok(Ref::new(CoroutineWrapper { header, coroutine: this.clone() }).into_value())
        });
    })
    .methods(METHODS)
    .members(&[MemberDef::new("cr_origin", "", |_, this| Ok(own(this).origin.clone()))])
    .getset(&[
        name_getset("short name of the coroutine"),
        qualname_getset("qualified name, the place of definition of the coroutine"),
        GetSetDef::new("cr_await", "what is being awaited, or None", |_, this| Ok(yield_from(this))),
        GetSetDef::new("cr_running", "", |_, this| Ok(Value::bool(own(this).is_running()))),
        GetSetDef::new("cr_frame", "", |vm, this| Ok(own(this).frame_object(vm))),
        GetSetDef::new("cr_code", "", |_, this| Ok(own(this).code.as_value().clone())),
        GetSetDef::new("cr_suspended", "", |_, this| Ok(Value::bool(own(this).is_suspended()))),
    ]);

taipan_object::method_table! {
    static METHODS = [
        taipan_object::builtins::object::methods::size_of_method("\
            gen.__sizeof__() -> number of bytes of memory that gen takes"),
SEND, THROW, CLOSE, CLASS_GETITEM];
}

/// `coroutine_wrapper`: the iterator that `coroutine.__await__()` gives.
#[repr(C)]
pub struct CoroutineWrapper {
    header: Header,
    coroutine: Value,
}

// SAFETY: repr(C), header first, visits the coroutine.
unsafe impl Payload for CoroutineWrapper {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        COROUTINE_WRAPPER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.coroutine);
    }
}

pub static COROUTINE_WRAPPER: TypeSpec = TypeSpec::new::<CoroutineWrapper>("coroutine_wrapper")
    .doc("A wrapper object implementing __await__ for coroutines.")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|vm, this| delegate::send_method(vm, coroutine_of(this), &Value::NONE).map(Some));
    })
    .methods(METHODS_1);

taipan_object::method_table! {
    static METHODS_1 = [SEND, THROW, CLOSE];
}

/// The iterator of an awaitable.
pub fn awaitable_of(vm: &Vm, object: &Value) -> Result {
    if object.ty().is(&super::COROUTINE) {
        return Ok(object.clone());
    }
    if object.ty().is(&GENERATOR) && own(object).code.has_flag(CO_ITERABLE_COROUTINE) {
        return Ok(object.clone());
    }
    let name = object.ty().name();
    let Some(await_) = object.ty().slots().await_ else {
        return Err(vm.type_error(format!("'{name}' object can't be awaited")));
    };
    let iterator = await_(vm, object)?;
    let flags = of_value(&iterator).map_or(0, |generator| generator.code.flags());
    if flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE) != 0 {
        return Err(vm.type_error("__await__() returned a coroutine"));
    }
    if iterator.ty().slots().iternext.is_none() {
        let got = iterator.ty().name();
        return Err(vm.type_error(format!("__await__() returned non-iterator of type '{got}'")));
    }
    Ok(iterator)
}

/// GET_AWAITABLE; `context` 1 and 2 say that `__aenter__` or `__aexit__` gave the object.
pub fn get_awaitable(vm: &Vm, object: &Value, context: u16) -> Result {
    let iterator = awaitable_of(vm, object).or_else(|raised| {
        let method = match context {
            1 => "__aenter__",
            2 => "__aexit__",
            _ => return Err(raised),
        };
        if object.ty().slots().await_.is_some() || object.ty().is(&GENERATOR) {
            return Err(raised);
        }
        vm.discard(raised);
        let name = object.ty().name();
        let message =
            format!("'async with' received an object from {method} that does not implement __await__: {name}");
        Err(vm.type_error(message))
    })?;
    if iterator.ty().is(&super::COROUTINE) && own(&iterator).delegate().is_some() {
        return Err(vm.runtime_error("coroutine is being awaited already"));
    }
    Ok(iterator)
}

/// `cr_origin`: (file, line, function) of the frames that make a coroutine, as many as
/// `sys.set_coroutine_origin_tracking_depth` asks for.
pub(super) fn origin(interp: &Interp, frame: *const Frame) -> Value {
    let depth = interp.coroutine_origin_depth.get();
    if depth <= 0 {
        return Value::NONE;
    }
    let mut items = Vec::new();
    let mut next = frame;
    // SAFETY: frames on the chain are alive.
    while let Some(frame) = unsafe { next.as_ref() }.filter(|_| items.len() < depth as usize) {
        let code = frame.code();
        let line = frame.lineno().map_or(Value::NONE, Value::from);
        let file = Value::from(code.data.filename.to_str_lossy().into_owned());
        items.push(super::tuple(vec![file, line, Value::from(code.data.name.to_str_lossy().into_owned())]));
        next = frame.previous;
    }
    Tuple::from_vec(items).into_value()
}

/// "coroutine 'x' was never awaited".
pub(super) fn warn_never_awaited(vm: &Vm, this: &Value, coroutine: &Generator) {
    let report = |raised| vm.write_unraisable(raised, "Exception ignored while finalizing coroutine", this);
    match vm.import_from("warnings", "_warn_unawaited_coroutine") {
        Ok(warn) => match vm.call(&warn, std::slice::from_ref(this), None) {
            Ok(_) => return,
            Err(raised) => {
                // As an error the warning counts as given.
                let warned = vm.pending_matches(&raised, RUNTIME_WARNING.ty());
                report(raised);
                if warned {
                    return;
                }
            }
        },
        Err(raised) => vm.discard(raised),
    }
    let name = vm.display_name(&coroutine.qualname());
    if let Err(raised) = vm.warn(&RUNTIME_WARNING.value(), &format!("coroutine '{name}' was never awaited"), 1) {
        report(raised);
    }
}
