//! `send`, `throw` and `close`, with their way through `yield from`.

use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{self, BASE_EXCEPTION, BaseException, GENERATOR_EXIT, STOP_ITERATION};
use taipan_object::types::Type;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use super::{ASYNC_GENERATOR, COROUTINE, Generator, Resumed, State, of_value, resume};
use crate::frame::Interp;
use crate::traceback::Traceback;

/// A resumption's outcome as Python sees it.
pub(super) fn outcome(vm: &Vm, resumed: Resumed) -> Result {
    match resumed {
        Resumed::Yielded(value) => Ok(value),
        Resumed::Returned(value) if value.is_none() => Err(vm.stop_iteration(None)),
        Resumed::Returned(value) => Err(vm.stop_iteration(Some(value))),
    }
}

pub(super) fn send_method(vm: &Vm, generator: &Generator, value: &Value) -> Result {
    outcome(vm, resume(vm, generator, Some(value), false)?)
}

/// Whether `throw` or `athrow` may be called so.
pub(super) fn check_throw_arguments(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
        return Err(vm.type_error("throw() takes no keyword arguments"));
    }
    if args.is_empty() {
        return Err(vm.type_error("throw expected at least 1 argument, got 0"));
    }
    if args.len() > 3 {
        return Err(vm.type_error(format!("throw expected at most 3 arguments, got {}", args.len())));
    }
    if args.len() > 1 {
        vm.warn(
            &exceptions::DEPRECATION_WARNING.value(),
            "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.",
            1,
        )?;
    }
    Ok(())
}

/// The exception that `throw(type, value, traceback)` asks for.
pub(super) fn exception_of(vm: &Vm, args: &[Value]) -> Result {
    let traceback = args.get(2).filter(|traceback| !traceback.is_none());
    if traceback.is_some_and(|traceback| traceback.downcast::<Traceback>().is_none()) {
        return Err(vm.type_error("throw() third argument must be a traceback object"));
    }
    let (kind, value) = (&args[0], args.get(1).filter(|value| !value.is_none()));
    let exception = if kind.downcast::<BaseException>().is_some() {
        if value.is_some() {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        kind.clone()
    } else if let Some(class) = kind.downcast::<Type>()
        && class.is_subtype(BASE_EXCEPTION.ty())
    {
        let made = match value {
            None => exceptions::normalize(vm, kind),
            Some(value) if value.ty().is_subtype(class) => Ok(value.clone()),
            Some(value) => match value.downcast::<Tuple>() {
                Some(args) => vm.call(kind, args.as_slice(), None),
                None => vm.call(kind, std::slice::from_ref(value), None),
            },
        };
        // What goes wrong with making the exception is thrown in its place.
        made.unwrap_or_else(|raised| vm.take(raised))
    } else {
        let name = kind.ty().name();
        return Err(
            vm.type_error(format!("exceptions must be classes or instances deriving from BaseException, not {name}"))
        );
    };
    if let Some(traceback) = traceback {
        exceptions::set_traceback(&exception, traceback.clone());
    }
    Ok(exception)
}

pub(super) fn throw_method(vm: &Vm, generator: &Generator, args: &[Value], kwnames: Option<&Value>) -> Result {
    check_throw_arguments(vm, args, kwnames)?;
    let exception = exception_of(vm, args)?;
    if generator.state() == State::Cleared && generator.header.ty().is(&COROUTINE) {
        return Err(vm.runtime_error("cannot reuse already awaited coroutine"));
    }
    outcome(vm, throw(vm, generator, exception, true)?)
}

/// Runs `f` with the generator marked as running: it is on the way to a delegate.
fn while_delegating<T>(generator: &Generator, f: impl FnOnce() -> T) -> T {
    let state = generator.state.replace(State::Running);
    let result = f();
    generator.state.set(state);
    result
}

/// As [`while_delegating`], with the generator's frame in the chain of frames.
fn while_throwing<T>(vm: &Vm, generator: &Generator, f: impl FnOnce() -> T) -> T {
    let interp = Interp::of(vm);
    let frame = generator.frame();
    let previous = interp.frame.get();
    // SAFETY: the frame is suspended, and it is out of the chain again when `f` is over.
    unsafe {
        (*frame).top = interp.free_registers();
        (*frame).previous = previous;
    }
    interp.frame.set(frame);
    let result = while_delegating(generator, f);
    interp.frame.set(previous);
    // SAFETY: as above.
    unsafe { (*frame).previous = std::ptr::null_mut() };
    result
}

/// Raises `exception` in a generator or in what it delegates to. With `close_on_exit` a `GeneratorExit` closes that.
pub fn throw(vm: &Vm, generator: &Generator, exception: Value, close_on_exit: bool) -> Result<Resumed> {
    if let Some(delegate) = generator.delegate() {
        if close_on_exit && exception.ty().is_subtype(GENERATOR_EXIT.ty()) {
            let closed = while_delegating(generator, || close_iterator(vm, &delegate));
            if closed.is_err() {
                return resume(vm, generator, None, true);
            }
            let _ = vm.set_exception(exception);
            return resume(vm, generator, None, true);
        }
        let result = if let Some(inner) = of_value(&delegate).filter(|_| !delegate.ty().is(&ASYNC_GENERATOR)) {
            match while_throwing(vm, generator, || throw(vm, inner, exception, close_on_exit)) {
                Ok(Resumed::Yielded(value)) => Ok(value),
                Ok(Resumed::Returned(value)) => Err(vm.stop_iteration(Some(value))),
                Err(raised) => Err(raised),
            }
        } else {
            match vm.get_attr_opt(&delegate, &names().throw)? {
                Some(method) => while_throwing(vm, generator, || vm.call(&method, &[exception], None)),
                None => {
                    let _ = vm.set_exception(exception);
                    return resume(vm, generator, None, true);
                }
            }
        };
        return match result {
            Ok(value) => Ok(Resumed::Yielded(value)),
            Err(_) => resume(vm, generator, None, true),
        };
    }
    if generator.state() == State::Running {
        return Err(vm.value_error(format!("{} already executing", generator.kind())));
    }
    let _ = vm.set_exception(exception);
    resume(vm, generator, None, true)
}

/// Closes an iterator that has `close`.
fn close_iterator(vm: &Vm, iterator: &Value) -> Result<()> {
    if let Some(generator) = of_value(iterator).filter(|_| !iterator.ty().is(&ASYNC_GENERATOR)) {
        return close(vm, generator).map(drop);
    }
    match vm.get_attr_opt(iterator, &names().close) {
        Ok(Some(close)) => vm.call(&close, &[], None).map(drop),
        Ok(None) => Ok(()),
        Err(raised) => {
            vm.write_unraisable(raised, "Exception ignored while closing generator", iterator);
            Ok(())
        }
    }
}

/// `close()`: raises `GeneratorExit` where the generator waits. Its value if it returns one.
pub fn close(vm: &Vm, generator: &Generator) -> Result {
    match generator.state() {
        State::Created => {
            generator.clear_frame();
            return Ok(Value::NONE);
        }
        State::Cleared => return Ok(Value::NONE),
        State::Running => return Err(vm.value_error(format!("{} already executing", generator.kind()))),
        State::Suspended => {}
    }
    let closed = match generator.delegate() {
        Some(delegate) => while_delegating(generator, || close_iterator(vm, &delegate)),
        None if generator.ends_unnoticed() => {
            generator.clear_frame();
            return Ok(Value::NONE);
        }
        None => Ok(()),
    };
    if closed.is_ok() {
        let _ = vm.set_exception(exceptions::new_exception(GENERATOR_EXIT.ty(), Vec::new()));
    }
    match resume(vm, generator, None, true) {
        Ok(Resumed::Yielded(_)) => Err(vm.runtime_error(format!("{} ignored GeneratorExit", generator.kind()))),
        Ok(Resumed::Returned(value)) => Ok(value),
        Err(raised) => {
            let exception = vm.take(raised);
            let ty = exception.ty();
            if ty.is_subtype(GENERATOR_EXIT.ty()) || ty.is_subtype(STOP_ITERATION.ty()) {
                return Ok(Value::NONE);
            }
            Err(vm.set_exception(exception))
        }
    }
}
