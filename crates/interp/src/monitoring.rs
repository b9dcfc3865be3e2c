//! Watching execution: `sys.settrace`, `sys.setprofile` and `sys.monitoring` (PEP 669).
//!
//! While anyone watches, calls enter the debug lowering of their code, in which a `Boundary` stands before each bytecode
//! instruction: [`boundary`] finds out there what is to be reported. Frames that run the other lowering are switched at
//! the next place where their state is known ([`switch`]). When nobody watches, all this costs nothing.
//!
//! `tools.rs` has the tools of `sys.monitoring` and their events, `module.rs` its functions, `tracing.rs` the functions
//! set by `settrace` and `setprofile`, `lines.rs` where lines start, `jump.rs` the assignment of `f_lineno`.

mod jump;
mod lines;
mod module;
pub mod switch;
mod tools;
pub mod tracing;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use taipan_bytecode::opcode::Opcode;
use taipan_object::builtins::method::BoundMethod;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::STOP_ITERATION;
use taipan_object::header::Header;
use taipan_object::object::to_value;
use taipan_object::{Result, Value, Vm};

use crate::code::{CODE, Code};
use crate::frame::{Frame, Interp};
use crate::frame_object;
use crate::generator;
pub(crate) use lines::Lines;
pub(crate) use tools::{Watched, settle};

pub use jump::set_lineno;
pub use module::new_module;
pub use tools::Event;

/// Whether anything watches: then calls enter debug code.
static WATCHING: AtomicBool = AtomicBool::new(false);
/// Counts the changes of what is watched: the end of a native call is reported only if its start could have been.
static EPOCH: AtomicU32 = AtomicU32::new(0);
/// Changes with all that decides whether something is to be reported at a place.
static STAMP: AtomicU32 = AtomicU32::new(1);

#[inline(always)]
pub fn watching() -> bool {
    WATCHING.load(Relaxed)
}

#[inline(always)]
pub fn epoch() -> u32 {
    EPOCH.load(Relaxed)
}

/// Whether some frame's `f_trace_opcodes` was ever set.
static OPCODES_TRACED: AtomicBool = AtomicBool::new(false);

/// To be called before a frame's opcodes are traced: no place is quiet any more without looking.
pub(crate) fn trace_opcodes() {
    OPCODES_TRACED.store(true, Relaxed);
    STAMP.fetch_add(1, Relaxed);
}

/// To be called when something may have begun or ceased to watch.
pub(crate) fn update(vm: &Vm) {
    let wanted = tools::any_events() || tracing::any_function(vm);
    EPOCH.fetch_add(1, Relaxed);
    STAMP.fetch_add(1, Relaxed);
    if WATCHING.swap(wanted, Relaxed) != wanted {
        let mut generators = Vec::new();
        taipan_object::heap::for_each_object(&mut |object| {
            // SAFETY: the walk shows live objects.
            let header = unsafe { object.cast::<Header>().as_ref() };
            if header.ty().is(&CODE) {
                // SAFETY: an exact instance of the type.
                unsafe { object.cast::<Code>().as_ref() }.reconsider_entry();
            } else if wanted
                && let Some(generator) = generator::of_object(header).filter(|generator| generator.can_resume())
            {
                generators.push(to_value(generator));
            }
        });
        generators.iter().filter_map(generator::of_value).for_each(|generator| switch::suspended(vm, generator));
    }
    if wanted {
        switch::request(vm);
    }
}

/// What happens at an event: everything that tools or trace functions may be told.
pub(crate) struct Report<'a> {
    pub vm: &'a Vm,
    pub interp: &'a Interp,
    pub frame: *mut Frame,
    pub unit: u32,
}

impl Report<'_> {
    fn code(&self) -> &Code {
        // SAFETY: reports are made about live frames.
        unsafe { (*self.frame).code() }
    }

    fn tell(&self, event: Event, args: &[Value]) -> Result<()> {
        tools::fire(self, event, self.unit, args)
    }

    /// As [`tell`](Self::tell), with another place shown than the one at which the event can be switched off.
    fn tell_at(&self, shown: u32, event: Event, args: &[Value]) -> Result<()> {
        tools::fire(self, event, shown, args)
    }
}

/// Whether it is known that nothing is to be reported at a boundary. Its second word is the stamp of the time at which there was
/// nothing.
#[inline(always)]
pub(crate) fn is_quiet(noted: u64) -> bool {
    noted as u32 == STAMP.load(Relaxed)
}

/// Reports what the instruction at `unit` is about to do. `previous` is the frame's `pc` before.
///
/// # Safety
/// The frame is current, runs debug code and its `pc` is at the boundary of `unit`.
#[cold]
#[inline(never)]
pub(crate) unsafe fn boundary(
    vm: &Vm,
    interp: &Interp,
    frame: *mut Frame,
    previous: *const u64,
    unit: u32,
) -> Result<()> {
    if interp.tracing.get() > 0 {
        return Ok(());
    }
    let report = Report { vm, interp, frame, unit };
    let code = report.code();
    let lines = Lines::of(code);
    if unit < lines.first_traceable {
        return Ok(());
    }
    let wanted = tools::wanted(code);
    let nothing = match tracing::any_function_here(interp) {
        // SAFETY: by contract the frame is alive.
        true => wanted == 0 && lines.is_quiet(unit) && unsafe { !frame_object::wants_opcodes(frame) },
        false => {
            let events = lines.possible(unit) & wanted;
            wanted & tools::MOVES == 0 && (events == 0 || events & !tools::switched_off(code, unit) == 0)
        }
    };
    if nothing {
        interp.raised_at.set(None);
        let never_told = || wanted == 0 && lines.is_quiet(unit) && !OPCODES_TRACED.load(Relaxed);
        if never_told() || !tracing::any_function(vm) {
            // SAFETY: the frame's `pc` is at the boundary, whose second word is written in place.
            unsafe { *(*frame).pc.add(1).cast_mut() = STAMP.load(Relaxed).into() };
        }
        return Ok(());
    }
    // SAFETY: by contract the frame is alive.
    let here = unsafe { (*frame).pc };
    let raised = interp.raised_at.take();
    let before = match raised {
        Some(raised) => Some(raised),
        None if previous == here && unit == 0 => None,
        None => Some(code.unit_of_pc(previous)),
    };
    let (op, oparg) = lines.instruction(code, unit);
    // A loop that is over goes on behind END_FOR.
    let skipped = op == Opcode::END_FOR;
    if raised.is_none()
        && let Some(from) = before.filter(|from| *from >= lines.first_traceable)
    {
        moved(&report, lines, from, unit + u32::from(skipped))?;
    }
    // SAFETY: by contract the frame is alive.
    let jumped = || unsafe { (*frame).pc } != here;
    if skipped || jumped() {
        return Ok(());
    }
    if op == Opcode::RESUME {
        report.tell(resume_event(oparg), &[])?;
        return tracing::call_event(&report);
    }
    if let Some(line) = lines.start(unit) {
        let hidden =
            before.is_some_and(|before| lines.line(before) == Some(line) && !is_watched_start(&report, lines, before));
        if !hidden {
            report.tell(Event::Line, &[Value::from(line)])?;
            tracing::line_event(&report, line)?;
        }
        if jumped() {
            return Ok(());
        }
    }
    report.tell(Event::Instruction, &[])?;
    tracing::opcode_event(&report)?;
    if op == Opcode::NOT_TAKEN
        && let Some(before) = before
    {
        // Where each instruction is reported, the branch counts as this one's.
        let shown = if tools::wants(code, unit, Event::Instruction) { unit } else { before };
        let destination = Value::from(i64::from(lines.next(unit)) * 2);
        return Report { unit: before, ..report }.tell_at(shown, Event::BranchLeft, &[destination]);
    }
    // SAFETY: the debug lowering keeps the operand stack in its registers, all of it owned.
    unsafe { operation(&report, lines, op, oparg) }
}

fn resume_event(oparg: u32) -> Event {
    if oparg & 3 == 0 { Event::PyStart } else { Event::PyResume }
}

/// Whether the instruction is a RESUME that someone watches: only then is a line that begins behind it on its own
/// line reported.
fn is_watched_start(report: &Report, lines: &Lines, unit: u32) -> bool {
    let (op, oparg) = lines.instruction(report.code(), unit);
    op == Opcode::RESUME && (tools::wants(report.code(), unit, resume_event(oparg)) || tracing::any_function(report.vm))
}

/// Reports a jump or the way that a branch took, now that it is known where it led. (That a conditional jump did not
/// jump, NOT_TAKEN reports.)
fn moved(report: &Report, lines: &Lines, from: u32, to: u32) -> Result<()> {
    let code = report.code();
    let (op, oparg) = lines.instruction(code, from);
    let next = lines.next(from);
    let mut destination = to;
    let event = match op {
        Opcode::JUMP_FORWARD | Opcode::JUMP_BACKWARD => Event::Jump,
        Opcode::FOR_ITER if to == next => Event::BranchLeft,
        Opcode::FOR_ITER => {
            // The loop goes on behind END_FOR and POP_ITER.
            destination = next + oparg + 2;
            Event::BranchRight
        }
        Opcode::POP_JUMP_IF_FALSE
        | Opcode::POP_JUMP_IF_TRUE
        | Opcode::POP_JUMP_IF_NONE
        | Opcode::POP_JUMP_IF_NOT_NONE
            if to != next =>
        {
            Event::BranchRight
        }
        _ => return Ok(()),
    };
    let at = Report { unit: from, ..*report };
    at.tell(event, &[Value::from(destination as i64 * 2)])?;
    if event == Event::Jump {
        tracing::jump_event(report, lines.line(from), lines.line(to), to < from)?;
    }
    Ok(())
}

/// Reports calls, returns, yields and the end of an `async for`.
///
/// # Safety
/// The operand stack of the frame is in its registers.
unsafe fn operation(report: &Report, lines: &Lines, op: Opcode, oparg: u32) -> Result<()> {
    // SAFETY: the verifier proved how deep the stack is at each instruction; `peek` reads below that.
    unsafe {
        match op {
            Opcode::RETURN_VALUE => {
                let value = peek(report, 1);
                report.tell(Event::PyReturn, std::slice::from_ref(&value))?;
                tracing::return_event(report, Some(&value))
            }
            Opcode::YIELD_VALUE => {
                let value = peek(report, 1);
                report.tell(Event::PyYield, std::slice::from_ref(&value))?;
                tracing::yield_event(report, &value)
            }
            Opcode::CALL | Opcode::CALL_KW | Opcode::CALL_FUNCTION_EX => {
                let (callable, argument) = call_operands(report, op, oparg);
                report.tell(Event::Call, &[callable.clone(), argument])?;
                if !is_python_call(&callable) {
                    tracing::native_call_event(report, "c_call", &callable)?;
                }
                Ok(())
            }
            Opcode::END_ASYNC_FOR => {
                let next = lines.next(report.unit);
                let at = Report { unit: next.saturating_sub(oparg), ..*report };
                at.tell(Event::BranchRight, &[Value::from(i64::from(next) * 2)])
            }
            _ => Ok(()),
        }
    }
}

/// The value `depth` below the top of the stack (1: the top); `None` stands for a null.
unsafe fn peek(report: &Report, depth: usize) -> Value {
    let lines = Lines::of(report.code());
    let code = report.code();
    let top = lines.depth(report.unit) as usize;
    // SAFETY: as the caller says, the registers of the stack hold what the verifier saw.
    unsafe {
        let word = (*report.frame).regs.add(code.nlocalsplus() + top - depth);
        if *word == 0 { Value::NONE } else { Value::borrow_word(&*word).clone() }
    }
}

/// Whether the callable's own frame will report.
pub(crate) fn is_python_call(callable: &Value) -> bool {
    match callable.downcast_exact::<BoundMethod>() {
        Some(method) => method.function.ty().is(&crate::function::FUNCTION),
        None => callable.ty().is(&crate::function::FUNCTION),
    }
}

/// What is called, and its first argument or `sys.monitoring.MISSING`.
unsafe fn call_operands(report: &Report, op: Opcode, oparg: u32) -> (Value, Value) {
    let count = oparg as usize;
    // SAFETY: as in `operation`.
    unsafe {
        let (callable, this, first) = match op {
            Opcode::CALL_FUNCTION_EX => {
                let arguments = peek(report, 2);
                return (peek(report, 4), first_argument(&arguments));
            }
            Opcode::CALL_KW => (peek(report, count + 3), operand(report, count + 2), (count > 0).then(|| count + 1)),
            _ => (peek(report, count + 2), operand(report, count + 1), (count > 0).then_some(count)),
        };
        if this.is_none()
            && let Some(method) = callable.downcast_exact::<BoundMethod>()
        {
            return (method.function.clone(), method.this.clone());
        }
        let argument = match (this, first) {
            (Some(this), _) => this,
            (None, Some(first)) => peek(report, first),
            (None, None) => tools::missing(),
        };
        (callable, argument)
    }
}

/// The first item of a tuple of arguments, or `sys.monitoring.MISSING`.
fn first_argument(arguments: &Value) -> Value {
    let arguments = arguments.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice);
    arguments.first().cloned().unwrap_or_else(tools::missing)
}

/// The value at a depth, unless it is a null.
unsafe fn operand(report: &Report, depth: usize) -> Option<Value> {
    let code = report.code();
    let top = Lines::of(code).depth(report.unit) as usize;
    // SAFETY: as in `peek`.
    unsafe {
        let word = (*report.frame).regs.add(code.nlocalsplus() + top - depth);
        (*word != 0).then(|| Value::borrow_word(&*word).clone())
    }
}

/// A native callable returned to debug code, or raised.
///
/// # Safety
/// The frame is current, its `pc` that of the call, which began in the epoch `begun`.
#[cold]
#[inline(never)]
pub(crate) unsafe fn native_call_over(
    vm: &Vm,
    interp: &Interp,
    frame: *mut Frame,
    callable: &Value,
    argument: Option<&Value>,
    begun: u32,
    result: Result,
) -> Result {
    // SAFETY: the frame is current.
    unsafe {
        if interp.tracing.get() > 0 || begun != epoch() || !(*frame).code().is_debug_pc((*frame).pc) {
            return result;
        }
        if tools::wanted((*frame).code()) & tools::C_EVENTS == 0 && !tracing::has_profile(interp) {
            return result;
        }
        let report = Report { vm, interp, frame, unit: (*frame).unit() };
        let op = Lines::of(report.code()).instruction(report.code(), report.unit).0;
        let (callable, argument) = match callable.downcast_exact::<BoundMethod>() {
            // Only this instruction does not take methods apart.
            Some(method) if op != Opcode::CALL_FUNCTION_EX => (&method.function, Some(&method.this)),
            _ => (callable, argument),
        };
        let argument = argument.cloned().unwrap_or_else(tools::missing);
        let args = [callable.clone(), argument];
        match result {
            Ok(value) => {
                report.tell(Event::CReturn, &args)?;
                tracing::native_call_event(&report, "c_return", callable)?;
                Ok(value)
            }
            Err(raised) => {
                let exception = vm.take(raised);
                report.tell(Event::CRaise, &args)?;
                tracing::native_call_event(&report, "c_exception", callable)?;
                Err(vm.set_exception(exception))
            }
        }
    }
}

/// Calls `super` on behalf of LOAD_SUPER_ATTR, in debug code: the call is reported as that of any native function.
///
/// # Safety
/// The frame is current, its `pc` that of the instruction.
#[cold]
#[inline(never)]
pub(crate) unsafe fn super_call(
    vm: &Vm,
    interp: &Interp,
    frame: *mut Frame,
    callable: &Value,
    args: &[Value],
) -> Result {
    let argument = args.first();
    // SAFETY: by contract.
    unsafe {
        if interp.tracing.get() == 0 {
            let report = Report { vm, interp, frame, unit: (*frame).unit() };
            report.tell(Event::Call, &[callable.clone(), argument.cloned().unwrap_or_else(tools::missing)])?;
        }
        let begun = epoch();
        let result = vm.call(callable, args, None);
        native_call_over(vm, interp, frame, callable, argument, begun, result)
    }
}

/// What [`Interp::raised_at`] says when the exception was thrown into a generator: it came from no instruction.
pub(crate) const THROWN: u32 = u32::MAX;

/// The generator that FOR_ITER or SEND was running has returned `value`.
///
/// # Safety
/// The frame is current, its `pc` that of the instruction.
#[cold]
#[inline(never)]
pub(crate) unsafe fn generator_over(vm: &Vm, interp: &Interp, frame: *mut Frame, value: &Value) -> Result<()> {
    if interp.tracing.get() > 0 {
        return Ok(());
    }
    // SAFETY: by contract.
    let (code, unit) = unsafe { ((*frame).code(), (*frame).unit()) };
    let lines = Lines::of(code);
    let (op, oparg) = lines.instruction(code, unit);
    let args = if value.is_none() { Vec::new() } else { vec![value.clone()] };
    if op == Opcode::FOR_ITER {
        // A loop over a generator raises nothing in CPython, unless there is a value for the exception to carry.
        if value.is_none() {
            return Ok(());
        }
        let exception = vm.instantiate(STOP_ITERATION.ty(), &args)?;
        return stopped(&Report { vm, interp, frame, unit }, Event::Raise, &exception);
    }
    // The event belongs to the END_SEND.
    let exception = vm.instantiate(STOP_ITERATION.ty(), &args)?;
    stopped(&Report { vm, interp, frame, unit: lines.next(unit) + oparg }, Event::StopIteration, &exception)
}

/// Reports that an iteration ended with a `StopIteration`.
fn stopped(report: &Report, event: Event, exception: &Value) -> Result<()> {
    report.tell(event, std::slice::from_ref(exception))?;
    tracing::exception_event(report, exception)
}

/// An iterator that is no generator gave FOR_ITER or SEND a `StopIteration`: CPython reports that as raised, before the frame
/// is added to its traceback. What gives the exception's value without raising it (a step of an asynchronous generator) has
/// `exception` made.
///
/// # Safety
/// The frame is current, its `pc` that of the instruction.
#[cold]
#[inline(never)]
pub(crate) unsafe fn delegate_over(vm: &Vm, interp: &Interp, frame: *mut Frame, exception: &Value) -> Result<()> {
    // SAFETY: by contract.
    let unit = unsafe { (*frame).unit() };
    if interp.tracing.get() > 0 {
        return Ok(());
    }
    stopped(&Report { vm, interp, frame, unit }, Event::Raise, exception)
}

/// The next item for FOR_ITER; if there is none because of a `StopIteration`, that is reported.
///
/// # Safety
/// The frame is current, its `pc` that of the instruction.
#[cold]
#[inline(never)]
pub(crate) unsafe fn next_watched(
    vm: &Vm,
    interp: &Interp,
    frame: *mut Frame,
    iterator: &Value,
) -> Result<Option<Value>> {
    let Some(next) = iterator.ty().slots().iternext else { return vm.next(iterator) };
    vm.check_stack("")?;
    match next(vm, iterator) {
        Err(raised) => {
            let stop = vm.catch(raised, STOP_ITERATION.ty())?;
            // SAFETY: by contract.
            unsafe { delegate_over(vm, interp, frame, &stop) }?;
            Ok(None)
        }
        next => next,
    }
}

/// What [`exception`] is told about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It came to the frame, from the instruction that raised it or, if `by_call`, from a call of Python code.
    Raised { by_call: bool },
    /// It is raised again by the end of a handler.
    Reraised,
    /// A handler in the frame takes it.
    Handled,
    /// It leaves the frame.
    Unwinds { place: u32 },
    /// It is thrown into a generator.
    Thrown,
}

/// Where CPython says that an exception came from, which the frame's instruction raised or, if `by_call`, a call of Python
/// code that it made: one unit before the place where its interpreter would go on.
pub(crate) fn place_after(frame: &Frame, by_call: bool) -> u32 {
    let (lines, unit) = (Lines::of(frame.code()), frame.unit());
    match lines.instruction(frame.code(), unit).0 {
        Opcode::CALL | Opcode::CALL_KW | Opcode::CALL_FUNCTION_EX if by_call => unit.saturating_sub(1),
        _ => lines.next(unit) - 1,
    }
}

/// Reports on the exception in flight, which stays so unless a callback raises another.
///
/// # Safety
/// The frame is alive, its `pc` that of the instruction concerned; an exception is in flight.
#[cold]
#[inline(never)]
pub(crate) unsafe fn exception(vm: &Vm, interp: &Interp, frame: *mut Frame, stage: Stage) {
    // SAFETY: by contract.
    unsafe {
        if interp.tracing.get() > 0 {
            return;
        }
        let report = Report { vm, interp, frame, unit: (*frame).unit() };
        let lines = Lines::of(report.code());
        if report.unit < lines.first_traceable {
            return;
        }
        let exception = vm.take(vm.raised());
        let (event, shown) = match stage {
            Stage::Raised { by_call } => (Event::Raise, place_after(&*frame, by_call)),
            Stage::Reraised => (Event::Reraise, report.unit),
            Stage::Handled => (Event::ExceptionHandled, report.unit),
            Stage::Unwinds { place } => (Event::PyUnwind, place),
            Stage::Thrown => (Event::PyThrow, lines.next(report.unit)),
        };
        let told = report.tell_at(shown, event, std::slice::from_ref(&exception)).and_then(|()| match stage {
            Stage::Raised { .. } => tracing::exception_event(&report, &exception),
            Stage::Unwinds { .. } => tracing::return_event(&report, None),
            Stage::Thrown => tracing::call_event(&report),
            Stage::Reraised | Stage::Handled => Ok(()),
        });
        if told.is_ok() {
            let _ = vm.set_exception(exception);
        }
    }
}

/// The code object of a report as a value.
fn code_value(report: &Report) -> Value {
    to_value(report.code())
}
