//! The functions set by `sys.settrace` and `sys.setprofile`. Counterpart of CPython's `Python/legacy_tracing.c`.

use std::cell::Cell;

use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions;
use taipan_object::object::to_ref;
use taipan_object::{Ref, Result, Value, Vm};

use super::Report;
use crate::frame::Interp;
use crate::frame_object::{self, FrameObject};
use crate::threads;

fn peek(cell: &Cell<Option<Value>>) -> Option<Value> {
    let value = cell.take();
    cell.set(value.clone());
    value
}

fn is_set(cell: &Cell<Option<Value>>) -> bool {
    let value = cell.take();
    let is_set = value.is_some();
    cell.set(value);
    is_set
}

/// Whether some thread has a trace or profile function.
pub(super) fn any_function(vm: &Vm) -> bool {
    let mut any = false;
    threads::for_each(vm, |_, vm| {
        let interp = Interp::of(vm);
        any |= is_set(&interp.trace) || is_set(&interp.profile);
    });
    any
}

/// Whether the thread has a trace or a profile function.
pub(super) fn any_function_here(interp: &Interp) -> bool {
    is_set(&interp.trace) || is_set(&interp.profile)
}

/// Whether the thread has a profile function.
pub(super) fn has_profile(interp: &Interp) -> bool {
    is_set(&interp.profile)
}

/// `sys.gettrace()`
pub fn trace_function(vm: &Vm) -> Option<Value> {
    peek(&Interp::of(vm).trace)
}

/// `sys.getprofile()`
pub fn profile_function(vm: &Vm) -> Option<Value> {
    peek(&Interp::of(vm).profile)
}

/// `sys.settrace(function)` of this thread or of all.
pub fn set_trace(vm: &Vm, function: Option<Value>, all_threads: bool) -> Result<()> {
    vm.audit("sys.settrace", &[])?;
    set(vm, function, all_threads, |interp| &interp.trace);
    Ok(())
}

/// `sys.setprofile(function)` of this thread or of all.
pub fn set_profile(vm: &Vm, function: Option<Value>, all_threads: bool) -> Result<()> {
    vm.audit("sys.setprofile", &[])?;
    set(vm, function, all_threads, |interp| &interp.profile);
    Ok(())
}

fn set(vm: &Vm, function: Option<Value>, all_threads: bool, cell: fn(&Interp) -> &Cell<Option<Value>>) {
    let mut old = Vec::new();
    if all_threads {
        threads::for_each(vm, |_, vm| old.push(cell(Interp::of(vm)).replace(function.clone())));
    } else {
        old.push(cell(Interp::of(vm)).replace(function));
    }
    super::tools::unsettle(vm);
    super::update(vm);
    drop(old);
}

impl Report<'_> {
    fn frame_object(&self) -> Ref<FrameObject> {
        // SAFETY: reports are made about live frames.
        let object = unsafe { frame_object::of_frame(self.vm, self.frame) };
        to_ref(object.downcast::<FrameObject>().expect("a frame object"))
    }

    /// Calls a trace or profile function; events within it are not reported.
    fn call(&self, function: &Value, event: &str, arg: &Value) -> Result {
        let frame = self.frame_object();
        let interp = self.interp;
        interp.tracing.set(interp.tracing.get() + 1);
        let args = [frame.as_value().clone(), taipan_object::builtins::str::intern(event).into_value(), arg.clone()];
        let result = self.vm.call(function, &args, None);
        interp.tracing.set(interp.tracing.get() - 1);
        result
    }

    /// Calls the profile function.
    fn profile(&self, event: &str, arg: &Value) -> Result<()> {
        let Some(function) = peek(&self.interp.profile) else { return Ok(()) };
        match self.call(&function, event, arg) {
            Ok(_) => Ok(()),
            Err(raised) => {
                drop(self.interp.profile.take());
                super::update(self.vm);
                Err(raised)
            }
        }
    }

    /// Calls the frame's trace function, or for the event `call` that of the thread.
    fn trace(&self, event: &'static str, arg: &Value) -> Result<()> {
        self.trace_as(event, event, arg)
    }

    /// As [`trace`](Self::trace); `permits` is the event as far as the assignment of `f_lineno` cares.
    fn trace_as(&self, event: &'static str, permits: &'static str, arg: &Value) -> Result<()> {
        if !is_set(&self.interp.trace) {
            return Ok(());
        }
        let frame = self.frame_object();
        let function = if event == "call" { peek(&self.interp.trace) } else { frame.trace() };
        let Some(function) = function else { return Ok(()) };
        self.interp.trace_event.set(permits);
        let result = self.call(&function, event, arg);
        self.interp.trace_event.set("");
        match result {
            Ok(result) if result.is_none() => Ok(()),
            Ok(result) => {
                frame.set_trace(Some(result));
                Ok(())
            }
            Err(raised) => {
                frame.set_trace(None);
                drop(self.interp.trace.take());
                super::update(self.vm);
                Err(raised)
            }
        }
    }
}

/// A frame starts or goes on.
pub(super) fn call_event(report: &Report) -> Result<()> {
    report.trace("call", &Value::NONE)?;
    report.profile("call", &Value::NONE)
}

/// A frame yields; the trace function may have it go on elsewhere instead.
pub(super) fn yield_event(report: &Report, value: &Value) -> Result<()> {
    report.trace_as("return", "line", value)?;
    report.profile("return", value)
}

/// A frame returns `value`, or ends by an exception.
pub(super) fn return_event(report: &Report, value: Option<&Value>) -> Result<()> {
    let value = value.cloned().unwrap_or(Value::NONE);
    report.trace("return", &value)?;
    report.profile("return", &value)
}

/// A line starts.
pub(super) fn line_event(report: &Report, line: i32) -> Result<()> {
    if !is_set(&report.interp.trace) {
        return Ok(());
    }
    let frame = report.frame_object();
    if !frame.trace_lines.get() || frame.trace().is_none() {
        return Ok(());
    }
    frame.lineno.set(line);
    let result = report.trace("line", &Value::NONE);
    frame.lineno.set(0);
    result
}

/// A jump backward to the same line starts that line again.
pub(super) fn jump_event(report: &Report, from: Option<i32>, to: Option<i32>, backward: bool) -> Result<()> {
    match to {
        Some(line) if backward && from == to => line_event(report, line),
        _ => Ok(()),
    }
}

pub(super) fn opcode_event(report: &Report) -> Result<()> {
    if !is_set(&report.interp.trace) {
        return Ok(());
    }
    let frame = report.frame_object();
    if frame.trace_opcodes.get() { report.trace("opcode", &Value::NONE) } else { Ok(()) }
}

pub(super) fn exception_event(report: &Report, exception: &Value) -> Result<()> {
    if !is_set(&report.interp.trace) {
        return Ok(());
    }
    let traceback = exceptions::traceback(exception);
    let arg = Tuple::from_vec(vec![exception.ty().to_value(), exception.clone(), traceback]);
    report.trace("exception", arg.as_value())
}

/// Profile functions are told about calls of native functions and methods.
pub(super) fn native_call_event(report: &Report, event: &str, callable: &Value) -> Result<()> {
    if !is_set(&report.interp.profile) {
        return Ok(());
    }
    if callable.downcast_exact::<taipan_object::native::function::BuiltinFunction>().is_none()
        && callable.downcast_exact::<taipan_object::native::descriptors::MethodDescriptor>().is_none()
    {
        return Ok(());
    }
    report.profile(event, callable)
}
