//! The import system: `importlib`'s own machinery on our `_imp`. Counterpart of CPython's `Python/import.c`.
//!
//! `imp.rs` has the module of that name, `frozen.rs` the frozen modules, `embedded.rs` the embedded library as a place on
//! `sys.path`.
//! `importlib._bootstrap` runs under the name `_frozen_importlib`.

pub mod embedded;
pub mod frozen;
pub mod imp;
mod import_time;
pub mod lock;

use crate::code::Code;
use crate::compile::{Origin, Request, compile_source};
use crate::frame::Interp;
use std::sync::Mutex;
use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::exceptions;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm};
use taipan_syntax::Mode;

/// The native modules besides those of this crate.
static NATIVE: Mutex<Vec<&'static ModuleDef>> = Mutex::new(Vec::new());

/// Native modules of this crate.
static OWN: &[&ModuleDef] = &[
    &crate::ast_module::MODULE,
    &crate::builtins_module::MODULE,
    &crate::inspection::MODULE,
    &crate::sys_module::SYS,
    &crate::type_params::TYPING,
    &crate::lsprof_module::MODULE,
    &crate::marshal_module::MODULE,
    &crate::opcode_module::MODULE,
    &crate::symtable_module::MODULE,
    &crate::types_module::MODULE,
    &crate::tokenize_module::MODULE,
    &crate::tracemalloc_module::MODULE,
    &crate::warnings_module::MODULE,
    &imp::MODULE,
    &embedded::MODULE,
];

/// Makes native modules known.
pub fn register(modules: &[&'static ModuleDef]) {
    NATIVE.lock().expect("never poisoned").extend(modules);
}

/// The declaration of a native module.
pub fn native_module(name: &str) -> Option<&'static ModuleDef> {
    let registered = NATIVE.lock().expect("never poisoned").iter().find(|def| def.name == name).copied();
    registered.or_else(|| OWN.iter().find(|def| def.name == name).copied())
}

/// The names of all native modules, sorted.
pub fn native_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = NATIVE.lock().expect("never poisoned").iter().map(|def| def.name).collect();
    names.extend(OWN.iter().map(|def| def.name));
    names.sort_unstable();
    names.dedup();
    names
}

/// `sys.modules`, which all threads share.
static MODULES: Mutex<Option<Ref<Dict>>> = Mutex::new(None);

/// `sys.modules`
pub fn modules(vm: &Vm) -> Ref<Dict> {
    let interp = Interp::of(vm);
    let shared = || MODULES.lock().expect("never poisoned").get_or_insert_with(Dict::new).clone();
    let modules = interp.modules.take().unwrap_or_else(shared);
    interp.modules.set(Some(modules.clone()));
    modules
}

/// Forgets `sys.modules`: the interpreter is finalised.
pub fn forget_modules(vm: &Vm) {
    let shared = MODULES.lock().expect("never poisoned").take();
    let core = std::mem::take(&mut *CORE.lock().expect("never poisoned"));
    drop((shared, core, Interp::of(vm).modules.take()));
}

/// Modules that the interpreter itself uses, whatever becomes of `sys.modules`.
static CORE: Mutex<Vec<(&'static str, Value)>> = Mutex::new(Vec::new());

/// `sys`, `builtins` or `_frozen_importlib`.
pub fn core_module(name: &str) -> Option<Value> {
    CORE.lock().expect("never poisoned").iter().find(|(core, _)| *core == name).map(|(_, module)| module.clone())
}

fn remember_core_module(name: &str, module: &Value) {
    if let Some(name) = ["sys", "builtins", "_frozen_importlib"].into_iter().find(|core| *core == name) {
        let mut core = CORE.lock().expect("never poisoned");
        if core.iter().all(|(known, _)| *known != name) {
            core.push((name, module.clone()));
        }
    }
}

fn bootstrap(vm: &Vm) -> Result {
    const NAME: &str = "_frozen_importlib";
    // What a program puts into `sys.modules` in its place is not asked.
    match core_module(NAME).or_else(|| modules(vm).get_str(intern(NAME).as_value())) {
        Some(module) => Ok(module),
        None => Err(vm.import_error("the import system is not running")),
    }
}

/// A native module without `importlib`, for the start.
pub fn load_native(vm: &Vm, name: &str) -> Result<Option<Value>> {
    let Some(def) = native_module(name) else { return Ok(None) };
    let module = Module::from_def(vm, def)?.into_value();
    modules(vm).set_str(intern(name).as_value(), module.clone());
    remember_core_module(name, &module);
    Ok(Some(module))
}

/// Whether a module in `sys.modules` is still being initialised: then the import system must wait for it.
fn is_initializing(vm: &Vm, module: &Value) -> Result<bool> {
    let Some(spec) = vm.get_attr_opt(module, &names().__spec__)?.filter(|spec| !spec.is_none()) else {
        return Ok(false);
    };
    match vm.get_attr_str_opt(&spec, "_initializing")? {
        Some(flag) => vm.is_true(&flag),
        None => Ok(false),
    }
}

/// The module with an absolute name, imported if necessary.
pub fn import_absolute(vm: &Vm, name: &Value) -> Result {
    while let Some(module) = modules(vm).get(vm, name)?
        && !module.is_none()
    {
        if is_initializing(vm, &module)? {
            let bootstrap = bootstrap(vm)?;
            vm.call_method(&bootstrap, "_lock_unlock_module", std::slice::from_ref(name))?;
            // Another thread's import, which has been waited for, may have failed.
            if modules(vm).get(vm, name)?.is_none_or(|found| !found.is(&module)) {
                continue;
            }
        }
        if crate::config::get().import_time > 1 {
            import_time::note_cached(&vm.display_name(name));
        }
        return Ok(module);
    }
    let Ok(bootstrap) = bootstrap(vm).map_err(|raised| vm.discard(raised)) else {
        return match load_native(vm, &vm.display_name(name))? {
            Some(module) => Ok(module),
            None => Err(vm.import_error(format!("No module named '{}'", vm.display_name(name)))),
        };
    };
    let path = |name: &str| crate::sys_module::get(vm, name).unwrap_or(Value::NONE);
    vm.audit("import", &[name.clone(), Value::NONE, path("path"), path("meta_path"), path("path_hooks")])?;
    let import = vm.get_attr_str(&bootstrap, "_gcd_import")?;
    let load = || vm.call_method(&bootstrap, "_find_and_load", &[name.clone(), import]);
    match crate::config::get().import_time {
        0 => load(),
        _ => import_time::measure(&vm.display_name(name), load),
    }
}

/// Leaves the frames of `importlib` itself out of the traceback of an import that failed (`remove_importlib_frames`).
fn trim_traceback(vm: &Vm, raised: taipan_object::Raised) -> taipan_object::Raised {
    if crate::config::get().verbose > 0 {
        return raised;
    }
    let exception = vm.take(raised);
    let always = exception.ty().is_subtype(exceptions::IMPORT_ERROR.ty());
    let trimmed = crate::traceback::without_importlib(&exceptions::traceback(&exception), always);
    exceptions::set_traceback(&exception, trimmed);
    vm.set_exception(exception)
}

/// `__import__(name, globals, locals, fromlist, level)`.
pub fn import_name(vm: &Vm, name: &Value, globals: Option<&Value>, fromlist: Option<&Value>, level: i32) -> Result {
    import_by_name(vm, name, globals, fromlist, level).map_err(|raised| trim_traceback(vm, raised))
}

fn import_by_name(vm: &Vm, name: &Value, globals: Option<&Value>, fromlist: Option<&Value>, level: i32) -> Result {
    let Some(text) = name.downcast::<Str>() else {
        return Err(vm.type_error("module name must be a string"));
    };
    if level < 0 {
        return Err(vm.value_error("level must be >= 0"));
    }
    let absolute = if level > 0 {
        resolve_name(vm, name, globals, level)?
    } else if text.len() == 0 {
        return Err(vm.value_error("Empty module name"));
    } else {
        text.interned(name)
    };
    let module = import_absolute(vm, &absolute)?;
    let has_from = match fromlist {
        Some(fromlist) => vm.is_true(fromlist)?,
        None => false,
    };
    if has_from {
        let fromlist = fromlist.expect("just looked at");
        if vm.get_attr_opt(&module, &names().__path__)?.is_none() {
            return Ok(module);
        }
        let bootstrap = bootstrap(vm)?;
        let import = vm.get_attr_str(&bootstrap, "_gcd_import")?;
        return vm.call_method(&bootstrap, "_handle_fromlist", &[module, fromlist.clone(), import]);
    }
    let length = text.len();
    let Some(dot) = (0..length).position(|at| text.at(at) == '.' as u32) else { return Ok(module) };
    if level == 0 {
        let front = text.slice(0, dot).into_value();
        return import_absolute(vm, &front);
    }
    if text.len() == 0 {
        return Ok(module);
    }
    // The package in which the relative name's first part was found.
    let cut = length - dot;
    let full = absolute.downcast::<Str>().expect("names are strings");
    let front = full.slice(0, full.len() - cut).into_value();
    match modules(vm).get(vm, &front)? {
        Some(module) => Ok(module),
        None => {
            let front = vm.repr_string(&front)?;
            Err(vm.raise_new(exceptions::KEY_ERROR.ty(), format!("{front} not in sys.modules as expected")))
        }
    }
}

/// The absolute name of a relative import.
fn resolve_name(vm: &Vm, name: &Value, globals: Option<&Value>, level: i32) -> Result {
    let Some(globals) = globals else { return Err(vm.key_error(&Value::from("'__name__' not in globals"))) };
    let Some(globals) = globals.downcast::<Dict>() else { return Err(vm.type_error("globals must be a dict")) };
    let bootstrap = bootstrap(vm)?;
    let globals_value = taipan_object::object::to_value(globals);
    let package = vm.call_method(&bootstrap, "_calc___package__", std::slice::from_ref(&globals_value))?;
    let Some(text) = package.downcast::<Str>() else { return Err(vm.type_error("package must be a string")) };
    if text.len() == 0 {
        return Err(vm.import_error("attempted relative import with no known parent package"));
    }
    vm.call_method(&bootstrap, "_resolve_name", &[name.clone(), package, Value::from(level)])
}

/// For native code: the module with a dotted name.
pub fn import_module(vm: &Vm, name: &str) -> Result {
    if matches!(name, "sys" | "builtins")
        && modules(vm).get_str(intern(name).as_value()).is_none_or(|module| module.is_none())
        && let Some(module) = core_module(name)
    {
        return Ok(module);
    }
    import_absolute(vm, intern(name).as_value()).map_err(|raised| trim_traceback(vm, raised))
}

/// A path given as str, bytes or `os.PathLike`, as str.
pub fn fs_decode(vm: &Vm, path: &Value) -> Result {
    let mut path = path.clone();
    if path.downcast::<Str>().is_none()
        && !taipan_object::builtins::bytes::is_bytes(&path)
        && let Some(result) = vm.call_special(&path, &names().__fspath__, &[])
    {
        path = result?;
    }
    if path.downcast::<Str>().is_some() {
        return Ok(path);
    }
    if let Some(bytes) = path.downcast::<Bytes>() {
        return Ok(Str::from_fs_bytes(bytes.as_slice()).into_value());
    }
    let got = path.ty().name();
    Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {got}")))
}

/// Compiles a source file.
pub fn compile_file(vm: &Vm, source: &[u8], filename: &Value) -> Result<Ref<Code>> {
    compile_module(vm, source, filename, Origin::File)
}

/// Compiles a program that is no file's content.
pub fn compile_module(vm: &Vm, source: &[u8], filename: &Value, origin: Origin) -> Result<Ref<Code>> {
    let optimize = crate::config::get().optimize;
    let request = Request { filename, mode: Mode::Exec, flags: 0, optimize, feature_version: -1, origin };
    let code = compile_source(vm, source, &request)?;
    Ok(code.downcast_ref::<Code>().expect("the compiler makes code"))
}

/// Runs a frozen module, in the module of its name if that is in `sys.modules` (`PyImport_ImportFrozenModuleObject`).
fn run_frozen(vm: &Vm, frozen: &frozen::Frozen) -> Result {
    let code = frozen.code(vm)?;
    let name = intern(frozen.name);
    let modules = modules(vm);
    let existing = modules.get_str(name.as_value()).filter(|existing| existing.downcast::<Module>().is_some());
    let module = existing.unwrap_or_else(|| {
        let module = Module::new(frozen.name).into_value();
        modules.set_str(name.as_value(), module.clone());
        module
    });
    let fields = module.downcast::<Module>().expect("looked at or made above");
    fields.set("__builtins__", modules.get_str(&names().builtins).unwrap_or(Value::NONE));
    if frozen.is_package {
        fields.set("__path__", List::from_vec(Vec::new()).into_value());
    }
    // `FrozenImporter` finds the file's name out when there is a `sys`.
    fields.set("__origname__", frozen.origname.map_or(Value::NONE, Value::from));
    crate::eval::eval_code(vm, &code, &fields.dict, None, None)?;
    Ok(module)
}

/// Starts `importlib`: finders of native modules, then those that look at `sys.path`.
pub fn install(vm: &Vm) -> Result<()> {
    const BOOTSTRAP: &str = "_frozen_importlib";
    let bootstrap = run_frozen(vm, frozen::find(BOOTSTRAP).expect("the import system is frozen"))?;
    remember_core_module(BOOTSTRAP, &bootstrap);
    if crate::config::get().verbose > 0 {
        eprintln!("import {BOOTSTRAP} # frozen\nimport _imp # builtin");
    }
    let sys = import_absolute(vm, intern("sys").as_value())?;
    let Some(imp) = load_native(vm, "_imp")? else { return Err(vm.import_error("_imp is missing")) };
    vm.call_method(&bootstrap, "_install", &[sys, imp])?;
    vm.call_method(&bootstrap, "_install_external_importers", &[])?;
    embedded::install(vm)
}
