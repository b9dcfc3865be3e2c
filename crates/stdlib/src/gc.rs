//! `gc`: the cycle collector's controls.

use std::sync::atomic::Ordering::Relaxed;

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::intern;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::collector::{self, GENERATIONS, debug_flags};
use taipan_object::native::MethodDef;
use taipan_object::native::arguments::no_keywords;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "gc",
    doc: "This module provides access to the garbage collector for reference cycles.\n\nenable, disable and isenabled are about automatic collection, collect collects at once;\nget_count, get_stats, get_threshold and set_threshold are about how often.\nget_objects, get_referrers, get_referents, is_tracked and is_finalized look at objects;\nfreeze, unfreeze and get_freeze_count are about those that no collection looks at.",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.set("callbacks", collector::callbacks());
        module.set("garbage", collector::garbage());
        let leak = debug_flags::COLLECTABLE | debug_flags::UNCOLLECTABLE | debug_flags::SAVEALL;
        for (name, flags) in [
            ("DEBUG_STATS", debug_flags::STATS),
            ("DEBUG_COLLECTABLE", debug_flags::COLLECTABLE),
            ("DEBUG_UNCOLLECTABLE", debug_flags::UNCOLLECTABLE),
            ("DEBUG_SAVEALL", debug_flags::SAVEALL),
            ("DEBUG_LEAK", leak),
        ] {
            module.set(name, Value::from(flags));
        }
        Ok(())
    },
};

method_table! { static FUNCTIONS = [
    MethodDef::new("enable($module, /)", "Collect garbage automatically.", |_, _, _| {
        collector::set_enabled(true);
        Ok(Value::NONE)
    }),
    MethodDef::new("disable($module, /)", "Collect garbage only when collect() is called.", |_, _, _| {
        collector::set_enabled(false);
        Ok(Value::NONE)
    }),
    MethodDef::new("isenabled($module, /)", "Tell whether garbage is collected automatically.", |_, _, _| {
        Ok(Value::bool(collector::is_enabled()))
    }),
    MethodDef::new("set_debug($module, flags, /)", "Set the garbage collection debugging flags.\n\n  flags\n    A union of DEBUG_ constants.", |vm, _, args| {
        collector::set_debug(vm.index_i32(&args[0])? as u32);
        Ok(Value::NONE)
    }),
    MethodDef::new("get_debug($module, /)", "Return the flags that set_debug() has set.", |_, _, _| {
        Ok(Value::from(collector::debug() as i32))
    }),
    MethodDef::new("get_count($module, /)", "\
        Return what is counted towards the next collection, for each generation.", |_, _, _| {
        let older = |at: usize| Value::from(GENERATIONS[at].count.load(Relaxed));
        Ok(Tuple::from_array([Value::from(collector::youngest_count()), older(1), older(2)]).into_value())
    }),
    MethodDef::raw("set_threshold", "set_threshold(threshold0, [threshold1, [threshold2]])\n\
        Set how much must be counted before each generation is collected.\n\n\
        If threshold0 is zero, nothing is collected automatically.", set_threshold),
    MethodDef::new("get_threshold($module, /)", "\
        Return the thresholds that set_threshold() has set, as a tuple.", |_, _, _| {
        let threshold = |at: usize| Value::from(GENERATIONS[at].threshold.load(Relaxed));
        Ok(Tuple::from_array([threshold(0), threshold(1), threshold(2)]).into_value())
    }),
    MethodDef::new("collect($module, /, generation=2)", "\
        Collect garbage now, and return how many objects were unreachable.\n\n\
        The generation, 2 by default, says how much is examined.  ValueError is\n\
        raised if there is no such generation.", |vm, _, args| {
        match usize::try_from(vm.index_i32(&args[0])?) {
            Ok(generation @ 0..=2) => Ok(Value::from(collector::collect(vm, generation))),
            _ => Err(vm.value_error("invalid generation")),
        }
    }),
    MethodDef::new("get_objects($module, /, generation=None)", "\
        List the objects that the collector watches, without this list.\n\n  \
        generation\n    \
        the generation to list; by default all", |vm, _, args| {
        let number = if args[0].is_none() { -1 } else { vm.index_i32(&args[0])? };
        vm.audit("gc.get_objects", &[Value::from(number)])?;
        Ok(List::from_vec(collector::objects(vm, generation(vm, &args[0])?)?).into_value())
    }),
    MethodDef::new("get_stats($module, /)", "\
        Return statistics of the collections, a dictionary for each generation.", |_, _, _| Ok(stats())),
    MethodDef::new("is_tracked($module, obj, /)", "Tell whether the collector watches the object.\n\n\
        It need not watch objects that cannot be part of a cycle, such as numbers.", |_, _, args| {
        Ok(Value::bool(collector::is_tracked(&args[0])))
    }),
    MethodDef::new("is_finalized($module, obj, /)", "\
        Tell whether the collector has called the object's finalizer.", |_, _, args| {
        Ok(Value::bool(collector::is_finalized(&args[0])))
    }),
    MethodDef::new("get_referrers($module, /, *objs)", "\
        List the objects that refer directly to any of the given ones.", |vm, _, args| {
        vm.audit("gc.get_referrers", std::slice::from_ref(&args[0]))?;
        get_referrers(vm, &args[0])
    }),
    MethodDef::new("get_referents($module, /, *objs)", "\
        List the objects to which the given ones refer directly.", |vm, _, args| {
        vm.audit("gc.get_referents", std::slice::from_ref(&args[0]))?;
        let objects = args[0].downcast::<Tuple>().map_or(&[][..], Tuple::as_slice);
        Ok(List::from_vec(objects.iter().flat_map(collector::referents).collect()).into_value())
    }),
    MethodDef::new("freeze($module, /)", "Set all present objects aside, so that collections leave them alone.\n\n\
        It is meant for a process about to fork: the memory of these objects\n\
        then stays shared with its children.  A collection just before would\n\
        leave gaps that are filled later, which unshares pages.", |_, _, _| {
        collector::freeze();
        Ok(Value::NONE)
    }),
    MethodDef::new("unfreeze($module, /)", "Give the objects that freeze() has set aside back to the collector.\n\n\
        They become part of the oldest generation.", |_, _, _| {
        collector::unfreeze();
        Ok(Value::NONE)
    }),
    MethodDef::new("get_freeze_count($module, /)", "Count the objects that freeze() has set aside.", |_, _, _| {
        Ok(Value::from(collector::frozen_count()))
    }),
]; }

fn set_threshold(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    no_keywords(vm, "gc.set_threshold", kwnames)?;
    if !(1..=3).contains(&args.len()) {
        return Err(vm.type_error("gc.set_threshold requires 1 to 3 arguments"));
    }
    let thresholds = args
        .iter()
        .map(|arg| {
            let n = int::to_i64(&vm.index(arg)?).unwrap_or(i64::MAX);
            match i32::try_from(n) {
                Ok(n) => Ok(n),
                Err(_) if n < 0 => Err(vm.overflow_error("signed integer is less than minimum")),
                Err(_) => Err(vm.overflow_error("signed integer is greater than maximum")),
            }
        })
        .collect::<Result<Vec<i32>>>()?;
    for (generation, threshold) in GENERATIONS.iter().zip(thresholds) {
        generation.threshold.store(threshold.into(), Relaxed);
    }
    collector::apply_threshold();
    Ok(Value::NONE)
}

/// The generation that `get_objects` was asked for; `None` (or −1) stands for all.
fn generation(vm: &Vm, argument: &Value) -> Result<Option<usize>> {
    if argument.is_none() {
        return Ok(None);
    }
    if argument.ty().slots().index.is_none() {
        let got = argument.ty().name();
        return Err(vm.type_error(format!("argument should be integer or None, not '{got}'")));
    }
    match vm.index_i64(argument)? {
        -1 => Ok(None),
        generation @ 0..=2 => Ok(Some(generation as usize)),
        3.. => Err(vm.value_error("generation parameter must be less than the number of available generations (3)")),
        _ => Err(vm.value_error("generation parameter cannot be negative")),
    }
}

fn stats() -> Value {
    let of_generation = |generation: &collector::Generation| {
        let dict = Dict::new();
        for (name, counter) in [
            ("collections", &generation.collections),
            ("collected", &generation.collected),
            ("uncollectable", &generation.uncollectable),
        ] {
            dict.set_str(intern(name).as_value(), Value::from(counter.load(Relaxed)));
        }
        dict.into_value()
    };
    List::from_vec(GENERATIONS.iter().map(of_generation).collect()).into_value()
}

/// The tuple of arguments refers to the objects too, but is not asked for.
fn get_referrers(vm: &Vm, arguments: &Value) -> Result {
    let targets = arguments.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice);
    let mut found = collector::referrers(vm, targets)?;
    found.retain(|object| !object.is(arguments));
    vm.check_signals()?;
    Ok(List::from_vec(found).into_value())
}
