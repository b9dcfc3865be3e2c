//! The tools of `sys.monitoring`: which events they want, globally and for single code objects, and their callbacks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, MutexGuard};

use taipan_object::object::to_ref;
use taipan_object::{Ref, Result, Value, Vm};

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
pub const LOCAL_EVENTS: u32 = ((1 << 11) - 1) | (1 << Event::Branch as u32);
const C_EVENTS: u32 = 1 << Event::CReturn as u32 | 1 << Event::CRaise as u32;

impl Event {
    /// The bits of an event set that ask for this event.
    fn wanted_by(self) -> u32 {
        match self {
            Event::BranchLeft | Event::BranchRight => 1 << self as u32 | 1 << Event::Branch as u32,
            // The events of native calls come with CALL.
            Event::CReturn | Event::CRaise => 1 << self as u32,
            _ => 1 << self as u32,
        }
    }
}

#[derive(Default)]
pub struct Tool {
    pub name: Option<Value>,
    pub events: u32,
    pub callbacks: [Option<Value>; EVENTS],
    /// Events for single code objects, by their address; the reference keeps it theirs.
    local: HashMap<usize, (Ref<Code>, u32)>,
    /// What a callback has switched off: code, unit, event.
    disabled: HashMap<(usize, u32, u8), Ref<Code>>,
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

fn refresh(vm: &Vm, tools: MutexGuard<'static, [Tool; TOOLS]>) {
    let active =
        tools.iter().fold(0, |all, tool| tool.local.values().fold(all | tool.events, |all, (_, set)| all | set));
    drop(tools);
    ACTIVE.store(active, Relaxed);
    super::update(vm);
}

/// Sets the events that a tool wants everywhere.
pub fn set_events(vm: &Vm, tool: usize, events: u32) {
    let mut tools = tools();
    tools[tool].events = events;
    refresh(vm, tools);
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
    refresh(vm, tools);
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
    refresh(vm, tools);
    drop((old, dropped));
}

/// `sys.monitoring.restart_events()`
pub fn restart_events() {
    let old: Vec<_> = tools().iter_mut().map(|tool| std::mem::take(&mut tool.disabled)).collect();
    drop(old);
}

/// Calls the callbacks of all tools that want the event: with the code, the offset (but for LINE) and `args`.
pub(super) fn fire(report: &Report, event: Event, args: &[Value]) -> Result<()> {
    if ACTIVE.load(Relaxed) & event.wanted_by() == 0 {
        return Ok(());
    }
    let code = report.code();
    let key = code as *const Code as usize;
    for number in 0..TOOLS {
        let calls = {
            let tools = tools();
            let tool = &tools[number];
            let local = tool.local.get(&key).map_or(0, |(_, set)| *set);
            let wanted = (tool.events | local) & event.wanted_by();
            let kinds = [event, Event::Branch];
            kinds.map(|kind| {
                match wanted & 1 << kind as u32 != 0 && !tool.disabled.contains_key(&(key, report.unit, kind as u8)) {
                    true => tool.callbacks[kind as usize].clone().map(|callback| (kind, callback)),
                    false => None,
                }
            })
        };
        for (kind, callback) in calls.into_iter().flatten() {
            call(report, number, kind, &callback, args)?;
            if event == kind && event != Event::BranchLeft && event != Event::BranchRight {
                break;
            }
        }
    }
    Ok(())
}

fn call(report: &Report, tool: usize, event: Event, callback: &Value, args: &[Value]) -> Result<()> {
    let vm = report.vm;
    let mut all = vec![code_value(report)];
    if event != Event::Line {
        all.push(Value::from(report.unit as i64 * 2));
    }
    all.extend_from_slice(args);
    report.interp.tracing.set(report.interp.tracing.get() + 1);
    let result = vm.call(callback, &all, None);
    report.interp.tracing.set(report.interp.tracing.get() - 1);
    if !result?.is(&disable()) {
        return Ok(());
    }
    let code = to_ref(report.code());
    let key = report.code() as *const Code as usize;
    if LOCAL_EVENTS & 1 << event as u32 == 0 && C_EVENTS & 1 << event as u32 == 0 {
        let old = tools()[tool].callbacks[event as usize].take();
        drop(old);
        return Err(vm.value_error(format!("Cannot disable {} events. Callback removed.", NAMES[event as usize])));
    }
    let old = tools()[tool].disabled.insert((key, report.unit, event as u8), code);
    drop(old);
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
    Ok(events)
}

/// An event set as Python shows it: without what came along with CALL.
pub fn shown(events: u32) -> i64 {
    i64::from(events & !C_EVENTS)
}
