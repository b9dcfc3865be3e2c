//! The end of the interpreter. Counterpart of `Py_FinalizeEx` and `finalize_modules` in CPython's `Python/pylifecycle.c`.
//!
//! What modules keep alive is finalised in stages: first `sys.modules` lets go of them, so that most die with their
//! namespaces intact; whatever is left has its names set to None; `sys` and `builtins` come last.
//!
//! If the process ends too and nothing could tell whether objects were destroyed ([`is_noticed`]), they are left to the
//! system.

use std::ptr::NonNull;

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::header::Header;
use taipan_object::native::module::Module;
use taipan_object::vm::hooks::HOOKS;
use taipan_object::weakref::{self, REFERENCE};
use taipan_object::{Value, Vm, collector, heap};

use crate::{config, import, streams, sys_module};

/// The exit code when the standard streams cannot be flushed at the end.
const FLUSHING_FAILED: i32 = 120;

/// Ends the interpreter: threads, `atexit` functions, buffers, what modules keep alive. `process_ends` if the process
/// does so next.
pub fn finish(vm: &Vm, process_ends: bool) -> i32 {
    wait_for_thread_shutdown(vm);
    if let Some(hooks) = HOOKS.get() {
        (hooks.run_exitfuncs)(vm);
    }
    vm.begin_finalizing();
    let flushed = streams::flush(vm);
    if let Some(hooks) = HOOKS.get() {
        (hooks.finish_signals)();
    }
    if process_ends && config::get().verbose == 0 && !is_noticed(vm) {
        return if flushed { 0 } else { FLUSHING_FAILED };
    }
    if collector::is_enabled() {
        collector::collect(vm, 2);
    }
    finalize_modules(vm);
    // What could not be flushed is not tried again.
    if flushed && streams::flush(vm) { 0 } else { FLUSHING_FAILED }
}

/// Whether the destruction of objects may have effects: a finaliser, a weak reference's callback, a watcher of the
/// collector. The standard streams, which were flushed, count only if they are not those of the start.
fn is_noticed(vm: &Vm) -> bool {
    if collector::is_watched() || weakref::any_callback() {
        return true;
    }
    let Some(streams) = standard_streams(vm) else { return true };
    let mut noticed = false;
    heap::for_each_object(&mut |block| {
        // SAFETY: the walker visits live objects, and nothing runs meanwhile.
        let object = unsafe { block.cast::<Header>().as_ref() };
        if object.ty().needs_finalize() && !streams.iter().any(|known| std::ptr::addr_eq(known.as_ptr(), object)) {
            noticed = true;
        }
    });
    noticed
}

/// The objects that make up `sys.stdin`, `stdout` and `stderr`, all of native types; `None` if the program has replaced
/// one.
fn standard_streams(vm: &Vm) -> Option<Vec<NonNull<Header>>> {
    let mut objects = Vec::with_capacity(9);
    for name in ["stdin", "stdout", "stderr"] {
        let original = sys_module::get(vm, &format!("__{name}__"))?;
        if !sys_module::get(vm, name)?.is(&original) {
            return None;
        }
        let mut part = Some(original).filter(|stream| !stream.is_none());
        for inner in ["buffer", "raw", ""] {
            let Some(object) = part.take() else { break };
            if object.ty().is_heap_type() {
                return None;
            }
            objects.push(NonNull::from(object.as_object()?));
            // The attributes of native streams run no code of the program; closed or detached ones have none.
            if !inner.is_empty() {
                part = vm.get_attr_str_opt(&object, inner).map_err(|raised| vm.discard(raised)).ok()?;
            }
        }
    }
    Some(objects)
}

fn wait_for_thread_shutdown(vm: &Vm) {
    let Some(threading) = import::modules(vm).get_str(intern("threading").as_value()) else { return };
    if let Err(raised) = vm.call_method(&threading, "_shutdown", &[]) {
        vm.write_unraisable(raised, "Exception ignored on threading shutdown", &Value::NONE);
    }
}

/// Attributes of `sys` that hold what programs left there.
const SYS_DELETES: [&str; 10] = [
    "path",
    "argv",
    "ps1",
    "ps2",
    "last_exc",
    "last_type",
    "last_value",
    "last_traceback",
    "__interactivehook__",
    "meta_path",
];

fn delete_special() {
    let sys = import::core_module("sys");
    let Some(sys) = sys.as_ref().and_then(Value::downcast::<Module>) else { return };
    let clear = |name: &str| {
        verbose(|| format!("# clear sys.{name}"));
        sys.set(name, Value::NONE);
    };
    ["path_importer_cache", "path_hooks"].into_iter().for_each(clear);
    if let Some(builtins) = import::core_module("builtins").as_ref().and_then(Value::downcast::<Module>) {
        verbose(|| "# clear builtins._".to_owned());
        builtins.set("_", Value::NONE);
    }
    SYS_DELETES.into_iter().for_each(clear);
    for name in ["stdin", "stdout", "stderr"] {
        verbose(|| format!("# restore sys.{name}"));
        sys.set(name, sys.get(&format!("__{name}__")).unwrap_or(Value::NONE));
    }
}

fn finalize_modules(vm: &Vm) {
    delete_special();
    let modules = import::modules(vm);
    let mut references = Vec::new();
    for (name, module) in modules.items() {
        verbose(|| format!("# cleanup[2] removing {}", vm.display_name(&name)));
        if module.downcast::<Module>().is_some() {
            match weakref::create(vm, REFERENCE.ty(), &module, None) {
                Ok(reference) => references.push(reference),
                Err(raised) => vm.discard(raised),
            }
        }
        if let Err(raised) = modules.set(vm, &name, Value::NONE) {
            vm.discard(raised);
        }
    }
    modules.clear_items();
    collector::collect(vm, 2);
    let core = [import::core_module("sys"), import::core_module("builtins")];
    while let Some(reference) = references.pop() {
        let Some(module) = weakref::target(&reference) else { continue };
        let is_core = core.iter().flatten().any(|core| core.is(&module));
        if let Some(module) = module.downcast::<Module>().filter(|_| !is_core) {
            report_wiping(vm, module);
            clear_namespace(vm, &module.dict);
        }
    }
    for module in core.iter().flatten().filter_map(Value::downcast::<Module>) {
        report_wiping(vm, module);
        clear_namespace(vm, &module.dict);
    }
    import::forget_modules(vm);
    collector::collect(vm, 2);
}

/// A line about the end of a module, with `-v`.
fn verbose(line: impl FnOnce() -> String) {
    if config::get().verbose > 0 {
        eprintln!("{}", line());
    }
}

fn report_wiping(vm: &Vm, module: &Module) {
    verbose(|| {
        let name = module.get("__name__").map_or_else(String::new, |name| vm.display_name(&name));
        format!("# cleanup[3] wiping {name}")
    });
}

/// Sets the names of a module to None, private ones first; `__builtins__` stays.
fn clear_namespace(vm: &Vm, namespace: &Dict) {
    let text = |name: &Value| name.downcast::<Str>().map(Str::to_string_lossy);
    let is_private = |name: &str| name.starts_with('_') && !name.starts_with("__");
    for private in [true, false] {
        for (name, value) in namespace.items() {
            let Some(text) = text(&name) else { continue };
            let is_wanted = if private { is_private(&text) } else { text != "__builtins__" };
            if is_wanted
                && !value.is_none()
                && let Err(raised) = namespace.set(vm, &name, Value::NONE)
            {
                vm.discard(raised);
            }
        }
    }
}
