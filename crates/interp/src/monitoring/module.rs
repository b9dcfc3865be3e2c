//! The module `sys.monitoring`.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::namespace;
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::native::function::BuiltinFunction;
use taipan_object::native::module::Module;
use taipan_object::{Ref, Result, Value, Vm};

use super::tools::{self, EVENTS, LOCAL_EVENTS, NAMES, TOOLS, tools};
use crate::code::Code;

/// Makes the module.
pub fn new_module() -> Ref<Module> {
    let module = Module::new("sys.monitoring");
    for def in FUNCTIONS {
        let function = BuiltinFunction::new(def, module.as_value().clone(), Value::from("sys.monitoring"));
        module.set(def.name(), function.into_value());
    }
    for (name, id) in [("DEBUGGER_ID", 0), ("COVERAGE_ID", 1), ("PROFILER_ID", 2), ("OPTIMIZER_ID", 5)] {
        module.set(name, Value::from(id));
    }
    module.set("DISABLE", tools::disable());
    module.set("MISSING", tools::missing());
    let mut events = vec![("NO_EVENTS", Value::from(0))];
    events.extend(NAMES.iter().enumerate().map(|(at, name)| (*name, Value::from(1i64 << at))));
    module.set("events", namespace::new(events));
    module
}

fn tool_id(vm: &Vm, value: &Value) -> Result<usize> {
    let id = vm.index_i32(value)?;
    match usize::try_from(id) {
        Ok(id) if id < TOOLS => Ok(id),
        _ => Err(vm.value_error(format!("invalid tool {id} (must be between 0 and 5)"))),
    }
}

fn tool_in_use(vm: &Vm, value: &Value) -> Result<usize> {
    let id = tool_id(vm, value)?;
    match tools()[id].name.is_some() {
        true => Ok(id),
        false => Err(vm.value_error(format!("tool {id} is not in use"))),
    }
}

fn code_of<'v>(vm: &Vm, value: &'v Value) -> Result<&'v Code> {
    value.downcast::<Code>().ok_or_else(|| vm.type_error("code must be a code object"))
}

fn event_set(vm: &Vm, value: &Value) -> Result<i64> {
    let value = vm.index(value)?;
    int::to_i64(&value).ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("use_tool_id($module, tool_id, name, /)", "Claim a tool identifier.", |vm, _, args| {
            let id = tool_id(vm, &args[0])?;
            if args[1].downcast::<Str>().is_none() {
                return Err(vm.value_error("tool name must be a str"));
            }
            let mut tools = tools();
            if tools[id].name.is_some() {
                drop(tools);
                return Err(vm.value_error(format!("tool {id} is already in use")));
            }
            tools[id].name = Some(args[1].clone());
            Ok(Value::NONE)
        }),
        MethodDef::new("clear_tool_id($module, tool_id, /)", "Remove a tool's events and callbacks.", |vm, _, args| {
            let id = tool_id(vm, &args[0])?;
            tools::clear(vm, id, false);
            Ok(Value::NONE)
        }),
        MethodDef::new("free_tool_id($module, tool_id, /)", "Give a tool identifier up.", |vm, _, args| {
            let id = tool_id(vm, &args[0])?;
            tools::clear(vm, id, true);
            Ok(Value::NONE)
        }),
        MethodDef::new("get_tool($module, tool_id, /)", "The name of the tool with an identifier, or None.", |vm, _, args| {
            let id = tool_id(vm, &args[0])?;
            Ok(tools()[id].name.clone().unwrap_or(Value::NONE))
        }),
        MethodDef::new(
            "register_callback($module, tool_id, event, func, /)",
            "Set a tool's callback for an event; the one before.",
            |vm, _, args| {
                let id = tool_id(vm, &args[0])?;
                let events = event_set(vm, &args[1])?;
                if events <= 0 || events & (events - 1) != 0 {
                    return Err(vm.value_error("The callback can only be set for one event at a time"));
                }
                let at = events.trailing_zeros() as usize;
                if at >= EVENTS {
                    return Err(vm.value_error(format!("invalid event {events}")));
                }
                vm.audit("sys.monitoring.register_callback", std::slice::from_ref(&args[2]))?;
                let new = (!args[2].is_none()).then(|| args[2].clone());
                Ok(tools::register(id, at, new).unwrap_or(Value::NONE))
            },
        ),
        MethodDef::new("get_events($module, tool_id, /)", "The events a tool wants everywhere.", |vm, _, args| {
            let id = tool_id(vm, &args[0])?;
            Ok(Value::from(tools::shown(tools()[id].events)))
        }),
        MethodDef::new("set_events($module, tool_id, event_set, /)", "Set the events a tool wants everywhere.", |vm, _, args| {
            let id = tool_id(vm, &args[0])?;
            let events = tools::check_events(vm, event_set(vm, &args[1])?)?;
            tool_in_use(vm, &args[0])?;
            tools::set_events(vm, id, events);
            Ok(Value::NONE)
        }),
        MethodDef::new(
            "get_local_events($module, tool_id, code, /)",
            "The events a tool wants in a code object.",
            |vm, _, args| {
                let code = code_of(vm, &args[1])?;
                let id = tool_id(vm, &args[0])?;
                Ok(Value::from(tools::shown(tools::local_events(id, code))))
            },
        ),
        MethodDef::new(
            "set_local_events($module, tool_id, code, event_set, /)",
            "Set the events a tool wants in a code object.",
            |vm, _, args| {
                let code = code_of(vm, &args[1])?;
                let id = tool_id(vm, &args[0])?;
                let wanted = event_set(vm, &args[2])?;
                let events = tools::check_events(vm, wanted)?;
                if events & !(LOCAL_EVENTS | 3 << 16) != 0 {
                    return Err(vm.value_error(format!("invalid local event set 0x{wanted:x}")));
                }
                tool_in_use(vm, &args[0])?;
                tools::set_local_events(vm, id, code, events);
                Ok(Value::NONE)
            },
        ),
        MethodDef::new("restart_events($module, /)", "Enable all events again that callbacks disabled.", |vm, _, _| {
            tools::restart_events(vm);
            Ok(Value::NONE)
        }),
        MethodDef::new("_all_events($module, /)", "The tools that want each event, as a bit set by name.", |_, _, _| {
            let sets: Vec<u32> = tools().iter().map(|tool| tool.events).collect();
            let dict = Dict::new();
            for (at, name) in NAMES.iter().enumerate() {
                let mask = sets.iter().enumerate().fold(0, |mask, (tool, set)| mask | (set >> at & 1) << tool);
                if mask != 0 {
                    let name = taipan_object::builtins::str::intern(name);
                    dict.set_str(name.as_value(), Value::from(i64::from(mask)));
                }
            }
            Ok(dict.into_value())
        }),
    ];
}
