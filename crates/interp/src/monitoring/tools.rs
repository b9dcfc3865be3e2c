//! The tools of `sys.monitoring`: which events they want, globally and for single code objects, and their callbacks.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, MutexGuard};

use taipan_bytecode::code::{CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR};
use taipan_bytecode::opcode::Opcode;
use taipan_object::object::to_ref;
use taipan_object::{Ref, Result, Value, Vm};

use super::lines::Lines;
use super::{Report, code_value};
use crate::code::Code;

/// Tools that programs can have.
pub const TOOLS: usize = 6;
pub const EVENTS: usize = 19;

/// What can be reported; the numbers are those of the bits in event sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Event {
    PyStart,
    PyResume,
    PyReturn,
    PyYield,
    Call,
    Line,
    Instruction,
    Jump,
    BranchLeft,
    BranchRight,
    StopIteration,
    Raise,
    ExceptionHandled,
    PyUnwind,
    PyThrow,
    Reraise,
    CReturn,
    CRaise,
    Branch,
}

pub const NAMES: [&str; EVENTS] = [
    "PY_START",
    "PY_RESUME",
    "PY_RETURN",
    "PY_YIELD",
    "CALL",
    "LINE",
    "INSTRUCTION",
    "JUMP",
    "BRANCH_LEFT",
    "BRANCH_RIGHT",
    "STOP_ITERATION",
    "RAISE",
    "EXCEPTION_HANDLED",
    "PY_UNWIND",
    "PY_THROW",
    "RERAISE",
    "C_RETURN",
    "C_RAISE",
    "BRANCH",
];

/// Events that can be asked for single code objects, and be disabled at single places.
pub const LOCAL_EVENTS: u32 = (1 << 11) - 1;
/// What BRANCH stands for.
const BRANCHES: u32 = 1 << Event::BranchLeft as u32 | 1 << Event::BranchRight as u32;
/// Events of which the boundary behind the instruction that they belong to reports.
pub(super) const MOVES: u32 = BRANCHES | 1 << Event::Jump as u32;
pub(super) const C_EVENTS: u32 = 1 << Event::CReturn as u32 | 1 << Event::CRaise as u32;

impl Event {
    pub(super) fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The event that this one is switched off with: those of native calls come with CALL.
    fn switch(self) -> Event {
        match self {
            Event::CReturn | Event::CRaise => Event::Call,
            event => event,
        }
    }

    /// What a trace function would call it, as far as `f_lineno` cares.
    fn trace_event(self) -> &'static str {
        match self {
            Event::Line | Event::Jump | Event::BranchLeft | Event::BranchRight | Event::PyResume => "line",
            Event::PyStart => "call",
            _ => "other",
        }
    }
}

#[derive(Clone)]
pub struct Callback {
    pub function: Value,
    /// It was registered for BRANCH: what it switches off is off in both directions.
    pub for_branch: bool,
}

#[derive(Default)]
pub struct Tool {
    pub name: Option<Value>,
    pub events: u32,
    pub callbacks: [Option<Callback>; EVENTS],
    /// Events for single code objects, by their address; the reference keeps it theirs.
    local: HashMap<usize, (Ref<Code>, u32), BuildHasherDefault<Mixer>>,
    /// What a callback has switched off: code, unit, event (that of [`Event::switch`]).
    disabled: HashMap<(usize, u32, u8), Ref<Code>, BuildHasherDefault<Mixer>>,
}

/// Hashes addresses and small numbers: nobody chooses them to collide.
#[derive(Default)]
struct Mixer(u64);

impl Mixer {
    fn mix(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.mix(u64::from(*byte)));
    }
    fn write_u8(&mut self, number: u8) {
        self.mix(u64::from(number));
    }
    fn write_u32(&mut self, number: u32) {
        self.mix(u64::from(number));
    }
    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// What a code object keeps of what is watched in it.
#[derive(Default)]
pub(crate) struct Watched {
    /// The events that some tool wants in the code: low 32 bits; when this was true, as [`ASKED`] counts: high 32 bits.
    wanted: AtomicU64,
    /// Events that all tools have switched off.
    off: Mutex<Off>,
}

/// Counts the changes of what tools want everywhere, and the restarts of what was switched off. At 0 nothing is known.
static ASKED: AtomicU32 = AtomicU32::new(1);

#[derive(Default)]
struct Off {
    /// When this was true.
    asked: u32,
    by_unit: Vec<u32>,
    /// How many wanted events are not switched off, at all places together; not known before one is.
    left: Option<u32>,
}

impl Off {
    /// Notes that no tool is told about an event at a place any more. Whether that was the last that was wanted in the code.
    fn note(&mut self, code: &Code, unit: u32, event: Event) -> bool {
        let at = unit as usize;
        if self.by_unit.len() <= at {
            self.by_unit.resize(at + 1, 0);
        }
        if self.by_unit[at] & event.bit() != 0 {
            return false;
        }
        self.by_unit[at] |= event.bit();
        let wanted = wanted(code) & !Event::PyResume.bit();
        let lines = Lines::of(code);
        let possible = |unit: u32| lines.possible(unit) & wanted;
        self.left = match self.left {
            None => {
                let off = |unit: u32| self.by_unit.get(unit as usize).copied().unwrap_or(0);
                Some(lines.traceable().map(|unit| (possible(unit) & !off(unit)).count_ones()).sum())
            }
            Some(left) if possible(unit) & event.bit() != 0 => Some(left.saturating_sub(1)),
            left => left,
        };
        self.left == Some(0)
    }
}

/// Events that can be switched off at the place where they are reported.
const SETTLING: u32 = 1 << Event::PyStart as u32
    | 1 << Event::PyResume as u32
    | 1 << Event::PyReturn as u32
    | 1 << Event::PyYield as u32
    | 1 << Event::Line as u32;

/// Code objects that calls enter as if nobody watched, since all that was wanted in them is switched off.
static SETTLED: Mutex<Vec<Ref<Code>>> = Mutex::new(Vec::new());

fn settled_code() -> MutexGuard<'static, Vec<Ref<Code>>> {
    SETTLED.lock().expect("nothing panics while it is locked")
}

/// Whether nothing is to be reported in the code before something changes. If so, [`unsettle`] will see to it that calls
/// decide anew. Suspended generators are found only when watching begins, so their code never settles.
pub(crate) fn settle(vm: &Vm, code: &Code) -> bool {
    let generator = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
    let settled = !code.has_flag(generator)
        && wanted(code) & !SETTLING == 0
        && code.watched.off().left == Some(0)
        && !super::tracing::any_function(vm);
    if settled {
        settled_code().push(to_ref(code));
    }
    settled
}

/// To be called when what was switched off, or was not wanted, may be wanted: frames of code that had settled are asked to
/// switch.
pub(super) fn unsettle(vm: &Vm) {
    let settled = std::mem::take(&mut *settled_code());
    if settled.is_empty() {
        return;
    }
    settled.iter().for_each(|code| code.reconsider_entry());
    super::switch::request(vm);
}

impl Watched {
    fn off(&self) -> MutexGuard<'_, Off> {
        let mut off = self.off.lock().expect("nothing panics while it is locked");
        let asked = ASKED.load(Relaxed);
        if off.asked != asked {
            *off = Off { asked, ..Off::default() };
        }
        off
    }

    /// What tools want in the code has changed.
    fn forget(&self) {
        self.wanted.store(0, Relaxed);
        *self.off.lock().expect("nothing panics while it is locked") = Off::default();
    }
}

/// The events that some tool wants in a code object, at whatever place.
pub(super) fn wanted(code: &Code) -> u32 {
    let known = code.watched.wanted.load(Relaxed);
    let asked = ASKED.load(Relaxed);
    if (known >> 32) as u32 == asked {
        return known as u32;
    }
    let key = code as *const Code as usize;
    let wanted =
        tools().iter().fold(0, |all, tool| all | tool.events | tool.local.get(&key).map_or(0, |(_, events)| *events));
    code.watched.wanted.store(u64::from(asked) << 32 | u64::from(wanted), Relaxed);
    wanted
}

/// Those of the wanted events at a place that no tool is told about any more.
pub(super) fn switched_off(code: &Code, unit: u32) -> u32 {
    code.watched.off().by_unit.get(unit as usize).copied().unwrap_or(0)
}

static STATE: LazyLock<Mutex<[Tool; TOOLS]>> = LazyLock::new(Default::default);
/// What any tool wants, anywhere.
static ACTIVE: AtomicU32 = AtomicU32::new(0);

/// `sys.monitoring.DISABLE` and `MISSING`.
static MARKERS: LazyLock<[Value; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| taipan_object::builtins::object::allocate_instance(taipan_object::builtins::object::OBJECT.ty()))
});

pub fn disable() -> Value {
    MARKERS[0].clone()
}

pub fn missing() -> Value {
    MARKERS[1].clone()
}

/// The tools. Nothing that may run Python code, also no drop of a value, may happen while they are locked.
pub fn tools() -> MutexGuard<'static, [Tool; TOOLS]> {
    STATE.lock().expect("nothing panics while the tools are locked")
}

pub fn any_events() -> bool {
    ACTIVE.load(Relaxed) != 0
}

/// What tools want has changed, if only in some code, so that what is known of other code stays true.
fn refresh(vm: &Vm, tools: MutexGuard<'static, [Tool; TOOLS]>, only: Option<&Code>) {
    let active =
        tools.iter().fold(0, |all, tool| tool.local.values().fold(all | tool.events, |all, (_, set)| all | set));
    drop(tools);
    ACTIVE.store(active, Relaxed);
    match only {
        Some(code) => {
            code.watched.forget();
            code.reconsider_entry();
            let mut all = settled_code();
            let settled = all.iter().position(|each| std::ptr::eq(&**each, code)).map(|at| all.swap_remove(at));
            drop(all);
            drop(settled);
        }
        None => {
            ASKED.fetch_add(1, Relaxed);
            unsettle(vm);
        }
    }
    super::update(vm);
}

/// Sets the events that a tool wants everywhere.
pub fn set_events(vm: &Vm, tool: usize, events: u32) {
    let mut tools = tools();
    tools[tool].events = events;
    refresh(vm, tools, None);
}

pub fn local_events(tool: usize, code: &Code) -> u32 {
    tools()[tool].local.get(&(code as *const Code as usize)).map_or(0, |(_, set)| *set)
}

/// Sets the events that a tool wants in a code object.
pub fn set_local_events(vm: &Vm, tool: usize, code: &Code, events: u32) {
    let key = code as *const Code as usize;
    let mut tools = tools();
    let old = match events {
        0 => tools[tool].local.remove(&key),
        _ => tools[tool].local.insert(key, (to_ref(code), events)),
    };
    refresh(vm, tools, Some(code));
    drop(old);
}

/// Takes a tool's callbacks and events away.
pub fn clear(vm: &Vm, tool: usize, also_name: bool) {
    let mut tools = tools();
    let name = tools[tool].name.take();
    let old = std::mem::take(&mut tools[tool]);
    let mut dropped = None;
    if also_name {
        dropped = name;
    } else {
        tools[tool].name = name;
    }
    refresh(vm, tools, None);
    drop((old, dropped));
}

/// `sys.monitoring.restart_events()`
pub fn restart_events(vm: &Vm) {
    let old: Vec<_> = tools().iter_mut().map(|tool| std::mem::take(&mut tool.disabled)).collect();
    ASKED.fetch_add(1, Relaxed);
    super::STAMP.fetch_add(1, Relaxed);
    unsettle(vm);
    drop(old);
}

impl Tool {
    fn wants(&self, code: usize, unit: u32, event: Event) -> bool {
        let local = self.local.get(&code).map_or(0, |(_, set)| *set);
        (self.events | local) & event.bit() != 0 && !self.disabled.contains_key(&(code, unit, event.switch() as u8))
    }
}

/// Whether some tool wants an event at a place.
pub(super) fn wants(code: &Code, unit: u32, event: Event) -> bool {
    let key = code as *const Code as usize;
    wanted(code) & event.bit() != 0 && tools().iter().any(|tool| tool.wants(key, unit, event))
}

/// Registers a tool's callback for an event; the one before.
pub fn register(tool: usize, event: usize, function: Option<Value>) -> Option<Value> {
    let for_branch = event == Event::Branch as usize;
    let callback = function.map(|function| Callback { function, for_branch });
    let mut tools = tools();
    let callbacks = &mut tools[tool].callbacks;
    let old = std::mem::replace(&mut callbacks[event], callback.clone());
    let both = [Event::BranchLeft, Event::BranchRight].map(|event| match for_branch {
        true => std::mem::replace(&mut callbacks[event as usize], callback.clone()),
        false => None,
    });
    drop(tools);
    drop((both, callback));
    old.map(|callback| callback.function)
}

/// Calls the callbacks of all tools that want the event: with the code, the offset shown (but for LINE) and `args`.
pub(super) fn fire(report: &Report, event: Event, shown: u32, args: &[Value]) -> Result<()> {
    if wanted(report.code()) & event.bit() == 0 {
        return Ok(());
    }
    let key = report.code() as *const Code as usize;
    for number in (0..TOOLS).rev() {
        let callback = {
            let tools = tools();
            let tool = &tools[number];
            if tool.wants(key, report.unit, event) { tool.callbacks[event as usize].clone() } else { None }
        };
        if let Some(callback) = callback.filter(|callback| !callback.for_branch || is_old_branch(report)) {
            call(report, number, event, shown, &callback, args)?;
        }
    }
    Ok(())
}

/// Whether BRANCH is reported at a place too; the loops of `async for` are reported as BRANCH_LEFT and BRANCH_RIGHT only.
fn is_old_branch(report: &Report) -> bool {
    let op = Lines::of(report.code()).instruction(report.code(), report.unit).0;
    op == Opcode::FOR_ITER || op.is_conditional_jump()
}

fn call(report: &Report, tool: usize, event: Event, shown: u32, callback: &Callback, args: &[Value]) -> Result<()> {
    let (vm, interp) = (report.vm, report.interp);
    let mut all = vec![code_value(report)];
    if event != Event::Line {
        all.push(Value::from(shown as i64 * 2));
    }
    all.extend_from_slice(args);
    interp.tracing.set(interp.tracing.get() + 1);
    let outer = interp.trace_event.replace(event.trace_event());
    let result = vm.call(&callback.function, &all, None);
    interp.trace_event.set(outer);
    interp.tracing.set(interp.tracing.get() - 1);
    if !result?.is(&disable()) {
        return Ok(());
    }
    if LOCAL_EVENTS & event.bit() == 0 {
        let old = tools()[tool].callbacks[event as usize].take();
        drop(old);
        return Err(vm.value_error(format!("Cannot disable {} events. Callback removed.", NAMES[event as usize])));
    }
    let key = report.code() as *const Code as usize;
    let events = if callback.for_branch { vec![Event::BranchLeft, Event::BranchRight] } else { vec![event] };
    for event in events {
        let old = tools()[tool].disabled.insert((key, report.unit, event as u8), to_ref(report.code()));
        drop(old);
        if !wants(report.code(), report.unit, event) {
            let all = report.code().watched.off().note(report.code(), report.unit, event);
            if all {
                report.code().reconsider_entry();
            }
        }
    }
    Ok(())
}

/// Why an event set cannot be asked for.
pub fn check_events(vm: &Vm, events: i64) -> Result<u32> {
    if !(0..1 << EVENTS).contains(&events) {
        return Err(vm.value_error(format!("invalid event set 0x{events:x}")));
    }
    let mut events = events as u32;
    if events & C_EVENTS != 0 {
        if events & 1 << Event::Call as u32 == 0 {
            return Err(vm.value_error("cannot set C_RETURN or C_RAISE events independently"));
        }
        events |= C_EVENTS;
    } else if events & 1 << Event::Call as u32 != 0 {
        events |= C_EVENTS;
    }
    if events & Event::Branch.bit() != 0 {
        events = events & !Event::Branch.bit() | BRANCHES;
    }
    Ok(events)
}

/// An event set as Python shows it: without what came along with CALL.
pub fn shown(events: u32) -> i64 {
    i64::from(events & !C_EVENTS)
}
