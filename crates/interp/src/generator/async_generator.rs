//! `async_generator` and the awaitables that its methods give.
//!
//! An asynchronous generator's own yields come wrapped ([`wrap_value`]), so that they differ from what its awaits yield
//! to the event loop. The awaitables run it until a wrapped value appears and end with that as `StopIteration`.

use std::cell::Cell;

use taipan_object::exceptions::{GENERATOR_EXIT, RUNTIME_WARNING, STOP_ASYNC_ITERATION, STOP_ITERATION, new_exception};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Raised, Ref, Result, Value, Vm};

use super::delegate::{check_throw_arguments, exception_of, throw};
use super::{CLASS_GETITEM, Generator, Resumed, common_slots, name_getset, own, qualname_getset, resume, yield_from};
use crate::frame::Interp;

/// An asynchronous generator: the layout of a generator under a type of its own.
#[repr(transparent)]
pub struct AsyncGenerator(Generator);

// SAFETY: a transparent wrapper of a payload.
unsafe impl Payload for AsyncGenerator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        ASYNC_GENERATOR.ty()
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

pub static ASYNC_GENERATOR: TypeSpec = TypeSpec::new::<AsyncGenerator>("async_generator")
    .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::HAS_WEAKREF | type_flags::NEEDS_FINALIZE)
    .slots(|s| {
        common_slots(s);
        s.aiter = Some(|_, this| Ok(this.clone()));
        s.anext = Some(|vm, this| step(vm, this, Action::Send(Value::NONE)));
    })
    .methods(METHODS)
    .members(&[MemberDef::new("ag_running", "", |_, this| Ok(Value::bool(own(this).running_async.get())))])
    .getset(&[
        name_getset("the asynchronous generator's name"),
        qualname_getset("the asynchronous generator's qualified name"),
        GetSetDef::new("ag_await", "what is being awaited, or None", |_, this| Ok(yield_from(this))),
        GetSetDef::new("ag_frame", "", |vm, this| Ok(own(this).frame_object(vm))),
        GetSetDef::new("ag_code", "", |_, this| Ok(own(this).code.as_value().clone())),
        GetSetDef::new("ag_suspended", "", |_, this| Ok(Value::bool(own(this).is_suspended()))),
    ]);

taipan_object::method_table! {
    static METHODS = [
        taipan_object::builtins::object::methods::size_of_method("\
            gen.__sizeof__() -> number of bytes of memory that gen takes"),
        MethodDef::new("asend($self, object, /)", "\
            asend(v) -> awaitable; go on with v as the result of the yield.", |vm, this, args| {
            step(vm, this, Action::Send(args[0].clone()))
        }),
        MethodDef::raw(
            "athrow",
            "athrow(value)\n\
             athrow(type[,value[,tb]])\n\n\
             Return an awaitable; go on with an exception, raised by the yield.\n\
             The form with several arguments is deprecated.",
            |vm, this, args, kwnames| {
                check_throw_arguments(vm, args, kwnames)?;
                step(vm, this, Action::Throw(args.to_vec()))
            },
        ),
        MethodDef::new("aclose($self, /)", "\
            aclose() -> awaitable; end the generator with GeneratorExit.", |vm, this, _| {
            step(vm, this, Action::Close)
        }),
        CLASS_GETITEM,
    ];
}

/// `async_generator_wrapped_value`: what an asynchronous generator itself yields.
#[repr(C)]
struct WrappedValue {
    header: Header,
    value: Value,
}

// SAFETY: repr(C), header first, visits the value.
unsafe impl Payload for WrappedValue {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        WRAPPED_VALUE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.value);
    }
}

static WRAPPED_VALUE: TypeSpec =
    TypeSpec::new::<WrappedValue>("async_generator_wrapped_value").flags(type_flags::DISALLOW_INSTANTIATION);

/// Marks a value as yielded by an asynchronous generator itself.
pub fn wrap_value(value: Value) -> Value {
    Ref::new(WrappedValue { header: Header::new(WRAPPED_VALUE.ty()), value }).into_value()
}

/// What one step of an asynchronous generator does.
enum Action {
    Send(Value),
    /// The arguments of `athrow()`, looked at when the awaitable is first sent to.
    Throw(Vec<Value>),
    Close,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StepState {
    Init,
    Iterating,
    Closed,
}

macro_rules! step_type {
    ($name:ident $spec:ident $python:literal) => {
        /// The awaitable of one step.
        #[repr(C)]
        struct $name {
            header: Header,
            step: Step,
        }

        // SAFETY: repr(C), header first, visits what the step owns.
        unsafe impl Payload for $name {
            const KIND: Kind = Kind::Container;
            fn static_type() -> &'static Type {
                $spec.ty()
            }
            fn traverse(&self, visit: Visitor) {
                self.step.traverse(visit);
            }
            #[inline(always)]
            fn has_to_be_finalized(&self) -> bool {
                self.step.state.get() == StepState::Init
            }
        }

        static $spec: TypeSpec = TypeSpec::new::<$name>($python)
            .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::NEEDS_FINALIZE)
            .slots(step_slots)
            .methods(STEP_METHODS);
    };
}
step_type! { AsyncSend ASYNC_SEND "async_generator_asend" }
step_type! { AsyncThrow ASYNC_THROW "async_generator_athrow" }

/// Whether a type is that of the awaitables of asynchronous generators.
pub(super) fn is_step(ty: &Type) -> bool {
    ty.is(&ASYNC_SEND) || ty.is(&ASYNC_THROW)
}

struct Step {
    generator: Value,
    kind: Action,
    state: Cell<StepState>,
}

impl Step {
    fn traverse(&self, visit: Visitor) {
        visit(&self.generator);
        match &self.kind {
            Action::Send(value) => visit(value),
            Action::Throw(args) => args.iter().for_each(&mut *visit),
            Action::Close => {}
        }
    }
}

fn step_of(this: &Value) -> &Step {
    match this.downcast::<AsyncSend>() {
        Some(send) => &send.step,
        None => &this.downcast::<AsyncThrow>().expect("called through its own slot").step,
    }
}

/// Makes the awaitable of a step, telling the event loop of a generator's first.
fn step(vm: &Vm, this: &Value, kind: Action) -> Result {
    init_hooks(vm, this)?;
    let is_send = matches!(kind, Action::Send(_));
    let step = Step { generator: this.clone(), kind, state: Cell::new(StepState::Init) };
    Ok(if is_send {
        Ref::new(AsyncSend { header: Header::new(ASYNC_SEND.ty()), step }).into_value()
    } else {
        Ref::new(AsyncThrow { header: Header::new(ASYNC_THROW.ty()), step }).into_value()
    })
}

fn init_hooks(vm: &Vm, this: &Value) -> Result<()> {
    let generator = own(this);
    if generator.hooks_done.replace(true) {
        return Ok(());
    }
    let interp = Interp::of(vm);
    let peek = |cell: &Cell<Option<Value>>| {
        let value = cell.take();
        cell.set(value.clone());
        value
    };
    *generator.finalizer.borrow(&generator.header) = peek(&interp.asyncgen_finalizer);
    if let Some(first) = peek(&interp.asyncgen_firstiter) {
        vm.call(&first, std::slice::from_ref(this), None)?;
    }
    Ok(())
}

fn step_slots(s: &mut Slots) {
    s.iter = Some(|_, this| Ok(this.clone()));
    s.await_ = Some(|_, this| Ok(this.clone()));
    s.iternext = Some(|vm, this| send(vm, step_of(this), None)?.shown(vm).map(Some));
    s.send = Some(|vm, this, value| {
        Ok(match send(vm, step_of(this), Some(value))? {
            Outcome::Yielded(value) => (value, false),
            Outcome::Done(value) => (value.unwrap_or(Value::NONE), true),
        })
    });
    s.finalize = Some(|vm, this| {
        let step = step_of(this);
        if step.state.get() == StepState::Init {
            let generator = own(&step.generator);
            let method = match step.kind {
                Action::Send(_) => "asend",
                Action::Throw(_) => "athrow",
                Action::Close => "aclose",
            };
            let name = vm.display_name(&generator.qualname());
            let message = format!("coroutine method '{method}' of '{name}' was never awaited");
            if let Err(raised) = vm.warn(&RUNTIME_WARNING.value(), &message, 1) {
                vm.write_unraisable(raised, "Exception ignored while finalizing async generator", &step.generator);
            }
        }
    });
}

taipan_object::method_table! {
    static STEP_METHODS = [
    MethodDef::new("send($self, object, /)", "", |vm, this, args| {
        send(vm, step_of(this), Some(&args[0]))?.shown(vm)
    }),
    MethodDef::raw("throw", "", |vm, this, args, kwnames| {
        throw_step(vm, step_of(this), args, kwnames)?.shown(vm)
    }),
    MethodDef::new("close($self, /)", "", |vm, this, _| close_step(vm, step_of(this))),
];
}

/// What a step came to.
enum Outcome {
    /// It waits for something, which it yields.
    Yielded(Value),
    /// It is over, and this is what the `await` gives: what the generator yielded, or nothing.
    Done(Option<Value>),
}

impl Outcome {
    /// As Python code sees it.
    fn shown(self, vm: &Vm) -> Result {
        match self {
            Outcome::Yielded(value) => Ok(value),
            Outcome::Done(value) => Err(vm.stop_iteration(value)),
        }
    }
}

impl Step {
    fn ended(&self) {
        own(&self.generator).running_async.set(false);
        self.state.set(StepState::Closed);
    }

    /// The generator yielded `value`: if it is a wrapped one, the step is over.
    fn yielded(&self, value: Value) -> Outcome {
        match value.downcast::<WrappedValue>() {
            Some(wrapped) => {
                let value = wrapped.value.clone();
                self.ended();
                Outcome::Done(Some(value))
            }
            None => Outcome::Yielded(value),
        }
    }

    /// The generator returned.
    fn returned(&self, vm: &Vm) -> Raised {
        own(&self.generator).closed.set(true);
        self.ended();
        vm.raise(new_exception(STOP_ASYNC_ITERATION.ty(), Vec::new()))
    }

    /// The generator raised the exception in flight.
    fn raised(&self, vm: &Vm, raised: Raised) -> Raised {
        let exception = vm.pending(&raised);
        if exception.ty().is_subtype(STOP_ASYNC_ITERATION.ty()) || exception.ty().is_subtype(GENERATOR_EXIT.ty()) {
            own(&self.generator).closed.set(true);
        }
        self.ended();
        raised
    }
}

/// What a run of the generator means for the step.
fn unwrap(vm: &Vm, step: &Step, result: Result<Resumed>) -> Result<Outcome> {
    match result {
        Ok(Resumed::Yielded(value)) => Ok(step.yielded(value)),
        Ok(Resumed::Returned(_)) => Err(step.returned(vm)),
        Err(raised) => Err(step.raised(vm, raised)),
    }
}

/// If `receiver` is the awaitable of `asend()` or `__anext__()`, and its generator can go on with `value` in the eval loop: the
/// generator and what it is to be sent. From here on the step is under way; the loop says how it ends ([`step_yielded`],
/// [`step_returned`], [`step_raised`]).
pub(crate) fn enter_step<'a>(receiver: &'a Value, value: &Value) -> Option<(&'a Generator, Value)> {
    let step = &receiver.downcast_exact::<AsyncSend>()?.step;
    let Action::Send(first) = &step.kind else { return None };
    let generator = own(&step.generator);
    let sent = match step.state.get() {
        StepState::Closed => return None,
        StepState::Init if generator.running_async.get() => return None,
        StepState::Init if value.is_none() => first,
        StepState::Init | StepState::Iterating => value,
    };
    if !generator.can_resume() || !generator.has_started() && !sent.is_none() {
        return None;
    }
    step.state.set(StepState::Iterating);
    generator.running_async.set(true);
    Some((generator, sent.clone()))
}

/// The generator of a step that [`enter_step`] began yielded `value`: what the awaiting code gets, and whether the step is
/// over.
pub(crate) fn step_yielded(receiver: &Value, value: Value) -> (Value, bool) {
    match step_of(receiver).yielded(value) {
        Outcome::Yielded(value) => (value, false),
        Outcome::Done(value) => (value.unwrap_or(Value::NONE), true),
    }
}

/// The same, when it gave a value that is the step's.
pub(crate) fn step_ended(receiver: &Value) {
    step_of(receiver).ended();
}

/// The same, when it returned.
pub(crate) fn step_returned(vm: &Vm, receiver: &Value) -> Raised {
    step_of(receiver).returned(vm)
}

/// The same, when it raised the exception in flight.
pub(crate) fn step_raised(vm: &Vm, receiver: &Value) {
    let _ = step_of(receiver).raised(vm, vm.raised());
}

fn reused(vm: &Vm, step: &Step) -> Raised {
    let what = if matches!(step.kind, Action::Send(_)) { "__anext__()/asend()" } else { "aclose()/athrow()" };
    vm.runtime_error(format!("cannot reuse already awaited {what}"))
}

fn already_running(vm: &Vm, step: &Step) -> Raised {
    let what = match step.kind {
        Action::Send(_) => "anext()",
        Action::Throw(_) => "athrow()",
        Action::Close => "aclose()",
    };
    vm.runtime_error(format!("{what}: asynchronous generator is already running"))
}

fn send(vm: &Vm, step: &Step, arg: Option<&Value>) -> Result<Outcome> {
    if step.state.get() == StepState::Closed {
        return Err(reused(vm, step));
    }
    let generator = own(&step.generator);
    if let Action::Send(value) = &step.kind {
        let mut arg = arg.cloned();
        if step.state.get() == StepState::Init {
            if generator.running_async.get() {
                step.state.set(StepState::Closed);
                return Err(already_running(vm, step));
            }
            if arg.as_ref().is_none_or(Value::is_none) {
                arg = Some(value.clone());
            }
            step.state.set(StepState::Iterating);
        }
        generator.running_async.set(true);
        return unwrap(vm, step, resume(vm, generator, arg.as_ref(), false));
    }
    if generator.state() == super::State::Cleared {
        step.state.set(StepState::Closed);
        return Ok(Outcome::Done(None));
    }
    if step.state.get() == StepState::Init {
        if generator.running_async.get() {
            step.state.set(StepState::Closed);
            return Err(already_running(vm, step));
        }
        if generator.closed.get() {
            step.state.set(StepState::Closed);
            return Err(vm.raise(new_exception(STOP_ASYNC_ITERATION.ty(), Vec::new())));
        }
        if arg.is_some_and(|arg| !arg.is_none()) {
            return Err(vm.runtime_error("can't send non-None value to a just-started coroutine"));
        }
        step.state.set(StepState::Iterating);
        generator.running_async.set(true);
        let result = match &step.kind {
            Action::Throw(args) => exception_of(vm, args).and_then(|exception| throw(vm, generator, exception, false)),
            _ => {
                generator.closed.set(true);
                throw(vm, generator, new_exception(GENERATOR_EXIT.ty(), Vec::new()), false)
            }
        };
        return thrown(vm, step, result);
    }
    let result = resume(vm, generator, arg, false);
    thrown(vm, step, result)
}

/// What a run means for `athrow()` and `aclose()`.
fn thrown(vm: &Vm, step: &Step, result: Result<Resumed>) -> Result<Outcome> {
    if matches!(step.kind, Action::Throw(_)) {
        return unwrap(vm, step, result);
    }
    let generator = own(&step.generator);
    match result {
        Ok(Resumed::Yielded(value)) if value.downcast::<WrappedValue>().is_some() => {
            generator.running_async.set(false);
            step.state.set(StepState::Closed);
            Err(vm.runtime_error("async generator ignored GeneratorExit"))
        }
        Ok(Resumed::Yielded(value)) => Ok(Outcome::Yielded(value)),
        Ok(Resumed::Returned(_)) => {
            generator.running_async.set(false);
            step.state.set(StepState::Closed);
            Ok(Outcome::Done(None))
        }
        Err(raised) => {
            generator.running_async.set(false);
            step.state.set(StepState::Closed);
            let exception = vm.take(raised);
            let ty = exception.ty();
            if ty.is_subtype(STOP_ASYNC_ITERATION.ty()) || ty.is_subtype(GENERATOR_EXIT.ty()) {
                return Ok(Outcome::Done(None));
            }
            Err(vm.set_exception(exception))
        }
    }
}

fn throw_step(vm: &Vm, step: &Step, args: &[Value], kwnames: Option<&Value>) -> Result<Outcome> {
    if step.state.get() == StepState::Closed {
        return Err(reused(vm, step));
    }
    let generator = own(&step.generator);
    if step.state.get() == StepState::Init {
        if generator.running_async.get() {
            step.state.set(StepState::Closed);
            return Err(already_running(vm, step));
        }
        step.state.set(StepState::Iterating);
        generator.running_async.set(true);
    }
    check_throw_arguments(vm, args, kwnames)?;
    let exception = exception_of(vm, args)?;
    let result = throw(vm, generator, exception, false);
    if matches!(step.kind, Action::Send(_)) { unwrap(vm, step, result) } else { thrown(vm, step, result) }
}

fn close_step(vm: &Vm, step: &Step) -> Result {
    if step.state.get() == StepState::Closed {
        return Ok(Value::NONE);
    }
    let exit = new_exception(GENERATOR_EXIT.ty(), Vec::new());
    match throw_step(vm, step, &[exit], None) {
        Ok(Outcome::Done(_)) => Ok(Value::NONE),
        Ok(Outcome::Yielded(_)) => Err(vm.runtime_error("coroutine ignored GeneratorExit")),
        Err(raised) => {
            let exception = vm.take(raised);
            let ty = exception.ty();
            let expected = [&STOP_ASYNC_ITERATION, &STOP_ITERATION, &GENERATOR_EXIT];
            if expected.iter().any(|spec| ty.is_subtype(spec.ty())) {
                return Ok(Value::NONE);
            }
            Err(vm.set_exception(exception))
        }
    }
}
