//! `_asyncio.FutureIter`: yields the future, for its task to wait for, and then has its result.

use taipan_object::exceptions::{self, BASE_EXCEPTION, BaseException, DEPRECATION_WARNING};
use taipan_object::native::MethodDef;
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

use super::future::Future;
use crate::payload::payload;

payload! {
    pub struct FutureIterator(FutureIteratorState): FUTURE_ITERATOR { future: Option<Value> }
}

pub static FUTURE_ITERATOR: TypeSpec = TypeSpec::new::<FutureIterator>("_asyncio.FutureIter")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(slots)
    .methods(METHODS);

pub fn new(future: Value) -> Value {
    FutureIterator::make(FUTURE_ITERATOR.ty(), FutureIteratorState { future: Some(future) })
}

fn slots(s: &mut Slots) {
    s.iter = Some(|_, this| Ok(this.clone()));
    s.send = Some(|vm, this, _| advance(vm, this));
    s.iternext = Some(|vm, this| match advance(vm, this)? {
        (value, false) => Ok(Some(value)),
        (value, true) if value.is_none() => Ok(None),
        (value, true) => Err(vm.stop_iteration(Some(value))),
    });
}

/// The future while it is pending; its result (true) when it is done.
fn advance(vm: &Vm, this: &Value) -> Result<(Value, bool)> {
    let iterator = FutureIterator::of(this);
    let Some(value) = iterator.with(|state| state.future.clone()) else { return Ok((Value::NONE, true)) };
    let future = Future::of(&value);
    if future.is_pending() {
        if !future.is_blocking() {
            future.set_blocking(true);
            return Ok((value, false));
        }
        drop(iterator.with(|state| state.future.take()));
        return Err(vm.runtime_error("await wasn't used with future"));
    }
    drop(iterator.with(|state| state.future.take()));
    Ok((future.result(vm)?, true))
}

/// The exception that `throw(type, value, traceback)` asks for.
fn exception_of(vm: &Vm, args: &[Value]) -> Result {
    let kind = &args[0];
    let given = |at: usize| args.get(at).and_then(Value::given);
    let traceback = given(2);
    if traceback.is_some_and(|traceback| traceback.ty().name() != "traceback") {
        return Err(vm.type_error("throw() third argument must be a traceback"));
    }
    let exception = if let Some(class) = kind.downcast::<Type>()
        && class.is_subtype(BASE_EXCEPTION.ty())
    {
        match given(1) {
            None => exceptions::normalize(vm, kind)?,
            Some(value) if value.ty().is_subtype(class) => value.clone(),
            Some(value) => vm.call_args(kind, std::slice::from_ref(value))?,
        }
    } else if kind.downcast::<BaseException>().is_some() {
        if given(1).is_some() {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        kind.clone()
    } else {
        let message = "exceptions must be classes deriving BaseException or instances of such a class";
        return Err(vm.type_error(message));
    };
    if let Some(traceback) = traceback {
        exceptions::set_traceback(&exception, traceback.clone());
    }
    Ok(exception)
}

fn throw(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if args.is_empty() || args.len() > 3 {
        let (bound, count) = if args.is_empty() { ("least 1 argument", 0) } else { ("most 3 arguments", args.len()) };
        return Err(vm.type_error(format!("throw expected at {bound}, got {count}")));
    }
    if args.len() > 1 {
        let message = "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.";
        vm.warn(&DEPRECATION_WARNING.value(), message, 1)?;
    }
    let exception = exception_of(vm, args)?;
    drop(FutureIterator::of(this).with(|state| state.future.take()));
    Err(vm.set_exception(exception))
}

method_table! { static METHODS = [
    MethodDef::new("send($self, value, /)", "Resume, as next() does.", |vm, this, _| match advance(vm, this)? {
        (value, false) => Ok(value),
        (value, true) => Err(vm.stop_iteration(Some(value).filter(|value| !value.is_none()))),
    }),
    MethodDef::raw("throw", "", |vm, this, args, kwnames| {
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error("throw() takes no keyword arguments"));
        }
        throw(vm, this, args)
    }),
    MethodDef::new("close($self, /)", "Forget the future.", |_, this, _| {
        drop(FutureIterator::of(this).with(|state| state.future.take()));
        Ok(Value::NONE)
    }),
]; }
