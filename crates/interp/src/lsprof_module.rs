//! `_lsprof`: the profiler behind `cProfile`, as a tool of `sys.monitoring`.
//!
//! Counterpart of CPython's `Modules/_lsprof.c`. Events come to methods of the profiler; times are in nanoseconds, or in the
//! units of the caller's timer.

use std::collections::HashMap;
use std::time::Instant;

use taipan_object::builtins::list::List;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::native::descriptors::MethodDescriptor;
use taipan_object::native::function::BuiltinFunction;
use taipan_object::native::module::{MODULE as MODULE_TYPE, ModuleDef};
use taipan_object::native::signature::Signature;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use crate::code::Code;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_lsprof",
    doc: "Fast profiler",
    functions: &[],
    exec: |vm, module| {
        module.set("Profiler", PROFILER.value());
        module.set("profiler_entry", ENTRY.ty(vm)?.to_value());
        module.set("profiler_subentry", SUBENTRY.ty(vm)?.to_value());
        Ok(())
    },
};

static ENTRY: StructSeq = StructSeq::new(
    "_lsprof.profiler_entry",
    "",
    &[Some("code"), Some("callcount"), Some("reccallcount"), Some("totaltime"), Some("inlinetime"), Some("calls")],
    6,
);

static SUBENTRY: StructSeq = StructSeq::new(
    "_lsprof.profiler_subentry",
    "",
    &[Some("code"), Some("callcount"), Some("reccallcount"), Some("totaltime"), Some("inlinetime")],
    5,
);

/// The tool number that profilers have.
const TOOL: i64 = 2;

/// What is known of the calls of one function, all of them or those from one caller.
#[derive(Default, Clone)]
struct Counts {
    calls: u64,
    recursive: u64,
    total: f64,
    inline: f64,
    /// How many calls run.
    depth: u64,
}

struct Entry {
    /// A code object, or the description of a native function.
    function: Value,
    counts: Counts,
    /// By callee.
    callees: Vec<(u64, Counts)>,
}

/// A call that runs.
struct Context {
    key: u64,
    begun: f64,
    /// Time spent in calls from here.
    inner: f64,
}

struct State {
    timer: Option<Value>,
    unit: f64,
    subcalls: bool,
    builtins: bool,
    enabled: bool,
    /// By the word of the code object or of what a native function is known by.
    entries: HashMap<u64, Entry>,
    order: Vec<u64>,
    stack: Vec<Context>,
    /// Objects whose words are keys.
    kept: Vec<Value>,
}

/// `_lsprof.Profiler`
#[repr(C)]
struct Profiler {
    header: Header,
    state: ObjectCell<State>,
}

// SAFETY: repr(C), header first, visits every value.
unsafe impl Payload for Profiler {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        PROFILER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        state.timer.iter().for_each(&mut *visit);
        state.entries.values().for_each(|entry| visit(&entry.function));
        state.kept.iter().for_each(&mut *visit);
    }
    fn clear(&self) {
        let old = self
            .with(|state| (state.timer.take(), std::mem::take(&mut state.entries), std::mem::take(&mut state.kept)));
        drop(old);
    }
}

static PROFILER: TypeSpec = TypeSpec::new::<Profiler>("_lsprof.Profiler")
    .doc(
        "Profiler(timer=None, timeunit=0.0, subcalls=True, builtins=True)\n--\n\nRecords how often functions are called and how \
         long they take.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| {
            let class = class.downcast::<Type>().expect("`tp_new` gets a type");
            let state = State {
                timer: None,
                unit: 0.0,
                subcalls: true,
                builtins: true,
                enabled: false,
                entries: HashMap::new(),
                order: Vec::new(),
                stack: Vec::new(),
                kept: Vec::new(),
            };
            let profiler = Profiler { header: Header::new(class), state: ObjectCell::new(state) };
            Ok(Ref::new_with_type(class, profiler).into_value())
        });
        s.init = Some(|vm, this, args, kwnames| {
            let bound = INIT.bind(vm, args, kwnames)?;
            let timer = bound[0].given().cloned();
            let unit = vm.float(&bound[1])?;
            let (subcalls, builtins) = (vm.is_true(&bound[2])?, vm.is_true(&bound[3])?);
            let old = own(this).with(|state| {
                state.unit = unit;
                state.subcalls = subcalls;
                state.builtins = builtins;
                std::mem::replace(&mut state.timer, timer)
            });
            drop(old);
            Ok(())
        });
    })
    .methods(METHODS);

static INIT: std::sync::LazyLock<Signature> =
    std::sync::LazyLock::new(|| Signature::parse("Profiler(timer=None, timeunit=0.0, subcalls=True, builtins=True)"));

fn own(this: &Value) -> &Profiler {
    this.downcast::<Profiler>().expect("called with an instance of its type")
}

/// Nanoseconds since the first call.
fn clock() -> f64 {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as f64
}

impl Profiler {
    /// Runs `f`, which neither runs Python code nor drops values, with the state borrowed.
    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.borrow(&self.header))
    }

    /// The time in the timer's units. What is wrong with the caller's timer is reported, and counts as 0.
    fn now(&self, vm: &Vm) -> f64 {
        let Some(timer) = self.with(|state| state.timer.clone()) else { return clock() };
        match vm.call(&timer, &[], None).and_then(|time| vm.float(&time)) {
            Ok(time) => time,
            Err(raised) => {
                vm.write_unraisable(raised, "Exception ignored while calling _lsprof timer", &timer);
                0.0
            }
        }
    }

    fn enter(&self, vm: &Vm, key: u64, keep: &Value, function: impl FnOnce() -> Value) {
        let known = self.with(|state| state.entries.contains_key(&key));
        if !known {
            let entry = Entry { function: function(), counts: Counts::default(), callees: Vec::new() };
            self.with(|state| {
                state.entries.insert(key, entry);
                state.order.push(key);
                state.kept.push(keep.clone());
            });
        }
        let begun = self.now(vm);
        self.with(|state| {
            if state.subcalls
                && let Some(caller) = state.stack.last().map(|context| context.key)
                && let Some(caller) = state.entries.get_mut(&caller)
            {
                subentry(&mut caller.callees, key).depth += 1;
            }
            if let Some(entry) = state.entries.get_mut(&key) {
                entry.counts.depth += 1;
            }
            state.stack.push(Context { key, begun, inner: 0.0 });
        });
    }

    fn leave(&self, vm: &Vm, key: u64) {
        if !self.with(|state| state.stack.last().is_some_and(|context| context.key == key)) {
            return;
        }
        let now = self.now(vm);
        self.with(|state| state.end_call(now));
    }
}

impl State {
    /// Ends the innermost call.
    fn end_call(&mut self, now: f64) {
        let Some(context) = self.stack.pop() else { return };
        let total = now - context.begun;
        let inline = total - context.inner;
        let mut caller = None;
        if let Some(outer) = self.stack.last_mut() {
            outer.inner += total;
            caller = Some(outer.key);
        }
        if let Some(entry) = self.entries.get_mut(&context.key) {
            entry.counts.end(total, inline);
        }
        if self.subcalls
            && let Some(entry) = caller.and_then(|caller| self.entries.get_mut(&caller))
        {
            subentry(&mut entry.callees, context.key).end(total, inline);
        }
    }
}

impl Counts {
    fn end(&mut self, total: f64, inline: f64) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.total += total;
        } else {
            self.recursive += 1;
        }
        self.inline += inline;
        self.calls += 1;
    }
}

fn subentry(callees: &mut Vec<(u64, Counts)>, key: u64) -> &mut Counts {
    let at = match callees.iter().position(|(callee, _)| *callee == key) {
        Some(at) => at,
        None => {
            callees.push((key, Counts::default()));
            callees.len() - 1
        }
    };
    &mut callees[at].1
}

/// How a native function is known in the statistics: by what it is, not by what it is bound to.
fn native_function(vm: &Vm, callable: &Value) -> Option<(u64, Value)> {
    let of_type = |name: &str, ty: &Type| match vm.get_attr_str_opt(&ty.to_value(), name) {
        Ok(Some(method)) => Some((method.word(), method)),
        Ok(None) => None,
        Err(raised) => {
            vm.discard(raised);
            None
        }
    };
    if let Some(function) = callable.downcast_exact::<BuiltinFunction>() {
        if function.this.is_none() || function.this.ty().is(&MODULE_TYPE) {
            return Some((callable.word(), callable.clone()));
        }
        let ty = function.this.downcast::<Type>().unwrap_or(function.this.ty());
        return of_type(function.name(), ty).or_else(|| Some((callable.word(), callable.clone())));
    }
    callable.downcast_exact::<MethodDescriptor>()?;
    Some((callable.word(), callable.clone()))
}

fn description(vm: &Vm, callable: &Value) -> Value {
    let text = match callable.downcast_exact::<BuiltinFunction>() {
        Some(function) => {
            let name = function.name();
            let module = function.module.borrow(&function.header).clone();
            match module.is_none() {
                true => format!("<{name}>"),
                false => format!("<built-in method {}.{name}>", vm.display_name(&module)),
            }
        }
        None => vm.repr_string(callable).unwrap_or_else(|raised| {
            vm.discard(raised);
            "<built-in method>".to_string()
        }),
    };
    Value::from(text)
}

const CALLBACKS: [(&str, &str); 9] = [
    ("PY_START", "_pystart_callback"),
    ("PY_RESUME", "_pystart_callback"),
    ("PY_THROW", "_pythrow_callback"),
    ("PY_RETURN", "_pyreturn_callback"),
    ("PY_YIELD", "_pyreturn_callback"),
    ("PY_UNWIND", "_pyreturn_callback"),
    ("CALL", "_ccall_callback"),
    ("C_RETURN", "_creturn_callback"),
    ("C_RAISE", "_creturn_callback"),
];

/// `sys.monitoring` and the sum of the events that the profiler wants.
fn monitoring(vm: &Vm) -> Result<(Value, Value)> {
    let monitoring = vm.import_from("sys", "monitoring")?;
    let events = vm.get_attr_str(&monitoring, "events")?;
    Ok((monitoring, events))
}

fn enable(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let profiler = own(this);
    let (subcalls, builtins) = (args[0].given(), args[1].given());
    let subcalls = subcalls.map(|value| vm.is_true(value)).transpose()?;
    let builtins = builtins.map(|value| vm.is_true(value)).transpose()?;
    let (monitoring, events) = monitoring(vm)?;
    let tool = Value::from(TOOL);
    vm.call_method(&monitoring, "use_tool_id", &[tool.clone(), Value::from("cProfile")])?;
    let mut wanted = 0;
    for (event, method) in CALLBACKS {
        let number = vm.get_attr_str(&events, event)?;
        let callback = vm.get_attr_str(this, method)?;
        vm.call_method(&monitoring, "register_callback", &[tool.clone(), number.clone(), callback])?;
        wanted |= vm.index_i64(&number)?;
    }
    profiler.with(|state| {
        state.subcalls = subcalls.unwrap_or(state.subcalls);
        state.builtins = builtins.unwrap_or(state.builtins);
        state.enabled = true;
    });
    vm.call_method(&monitoring, "set_events", &[tool, Value::from(wanted)])?;
    Ok(Value::NONE)
}

fn disable(vm: &Vm, this: &Value) -> Result {
    let profiler = own(this);
    if !profiler.with(|state| state.enabled) {
        return Ok(Value::NONE);
    }
    let (monitoring, _) = monitoring(vm)?;
    vm.call_method(&monitoring, "set_events", &[Value::from(TOOL), Value::from(0)])?;
    vm.call_method(&monitoring, "free_tool_id", &[Value::from(TOOL)])?;
    let now = profiler.now(vm);
    profiler.with(|state| {
        state.enabled = false;
        while !state.stack.is_empty() {
            state.end_call(now);
        }
    });
    Ok(Value::NONE)
}

fn getstats(vm: &Vm, this: &Value) -> Result {
    let profiler = own(this);
    let factor = profiler.with(|state| match (&state.timer, state.unit) {
        (None, _) => 1e-9,
        (Some(_), unit) if unit > 0.0 => unit,
        (Some(_), _) => 1.0,
    });
    type Row = (Value, Counts, Vec<(Value, Counts)>);
    let rows: Vec<Row> = profiler.with(|state| {
        let row = |key: &u64| {
            let entry = state.entries.get(key)?;
            let callees = entry
                .callees
                .iter()
                .filter_map(|(callee, counts)| Some((state.entries.get(callee)?.function.clone(), counts.clone())));
            (entry.counts.calls > 0).then(|| (entry.function.clone(), entry.counts.clone(), callees.collect()))
        };
        state.order.iter().filter_map(row).collect()
    });
    let fields = |function: Value, counts: &Counts| {
        vec![
            function,
            Value::from(counts.calls as i64),
            Value::from(counts.recursive as i64),
            Value::from(counts.total * factor),
            Value::from(counts.inline * factor),
        ]
    };
    let mut entries = Vec::new();
    for (function, counts, callees) in rows {
        let mut calls = Vec::new();
        for (callee, counts) in callees.into_iter().filter(|(_, counts)| counts.calls > 0) {
            calls.push(SUBENTRY.instance(vm, fields(callee, &counts))?);
        }
        let mut values = fields(function, &counts);
        values.push(if calls.is_empty() { Value::NONE } else { List::from_vec(calls).into_value() });
        entries.push(ENTRY.instance(vm, values)?);
    }
    Ok(List::from_vec(entries).into_value())
}

fn start(vm: &Vm, this: &Value, code: &Value) -> Result {
    if code.downcast::<Code>().is_some() {
        own(this).enter(vm, code.word(), code, || code.clone());
    }
    Ok(Value::NONE)
}

taipan_object::method_table! {
    static METHODS = [
        MethodDef::new("enable($self, /, subcalls=<unrepresentable>, builtins=<unrepresentable>)", "Start collecting.", enable),
        MethodDef::new("disable($self, /)", "Stop collecting.", |vm, this, _| disable(vm, this)),
        MethodDef::new("clear($self, /)", "Forget what has been collected.", |_, this, _| {
            let old = own(this).with(|state| {
                state.order.clear();
                state.stack.clear();
                (std::mem::take(&mut state.entries), std::mem::take(&mut state.kept))
            });
            drop(old);
            Ok(Value::NONE)
        }),
        MethodDef::new("getstats($self, /)", "The statistics, an entry for each function.", |vm, this, _| getstats(vm, this)),
        MethodDef::new("_pystart_callback($self, code, instruction_offset, /)", "", |vm, this, args| {
            start(vm, this, &args[0])
        }),
        MethodDef::new("_pythrow_callback($self, code, instruction_offset, exception, /)", "", |vm, this, args| {
            start(vm, this, &args[0])
        }),
        MethodDef::new("_pyreturn_callback($self, code, instruction_offset, retval, /)", "", |vm, this, args| {
            own(this).leave(vm, args[0].word());
            Ok(Value::NONE)
        }),
        MethodDef::new("_ccall_callback($self, code, instruction_offset, callable, self_arg, /)", "", |vm, this, args| {
            if own(this).with(|state| state.builtins)
                && let Some((key, function)) = native_function(vm, &args[2])
            {
                own(this).enter(vm, key, &function, || description(vm, &function));
            }
            Ok(Value::NONE)
        }),
        MethodDef::new("_creturn_callback($self, code, instruction_offset, callable, self_arg, /)", "", |vm, this, args| {
            if own(this).with(|state| state.builtins)
                && let Some((key, _)) = native_function(vm, &args[2])
            {
                own(this).leave(vm, key);
            }
            Ok(Value::NONE)
        }),
    ];
}
