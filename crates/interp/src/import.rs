//! `__import__`: modules by name.
//!
//! Native modules are those that were registered; others come from the embedded library and then from the directories
//! in `sys.path`.

use std::sync::{Arc, Mutex, OnceLock};

use taipan_bytecode::CodeData;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::exceptions::{MODULE_NOT_FOUND_ERROR, new_exception, set_field};
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::vm::names;
use taipan_object::{Raised, Ref, Result, Value, Vm};
use taipan_syntax::Mode;

use crate::code::Code;
use crate::compile::{Request, compile_source};
use crate::frame::Interp;

/// The code of a module in the embedded library, and whether it is a package.
pub type Library = fn(&str) -> Option<(Arc<CodeData>, bool)>;

static NATIVE: Mutex<Vec<&'static ModuleDef>> = Mutex::new(Vec::new());
static LIBRARY: OnceLock<Library> = OnceLock::new();

/// Makes native modules known.
pub fn register(modules: &[&'static ModuleDef]) {
    NATIVE.lock().expect("never poisoned").extend(modules);
}

/// Sets where the modules of the embedded library come from.
pub fn set_library(library: Library) {
    let _ = LIBRARY.set(library);
}

/// `sys.modules`.
pub fn modules(vm: &Vm) -> Ref<Dict> {
    let interp = Interp::of(vm);
    let modules = interp.modules.take().unwrap_or_else(Dict::new);
    interp.modules.set(Some(modules.clone()));
    modules
}

/// A file name given as str, bytes or path object, as a str.
pub fn fs_decode(vm: &Vm, path: &Value) -> Result {
    let path = match vm.call_special(path, &names().__fspath__, &[]) {
        Some(result) => result?,
        None => path.clone(),
    };
    if path.downcast::<Str>().is_some() {
        return Ok(path);
    }
    if vm.has_buffer(&path) {
        return Ok(Str::from_fs_bytes(vm.bytes_like(&path)?.as_ref()).into_value());
    }
    let name = path.ty().name();
    Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {name}")))
}

/// `__import__(name, globals, …, fromlist, level)`.
pub fn import_name(vm: &Vm, name: &Value, globals: Option<&Value>, fromlist: Option<&Value>, level: i32) -> Result {
    let Some(text) = name.downcast::<Str>() else {
        let got = name.ty().name();
        return Err(vm.type_error(format!("__import__() argument 1 must be str, not {got}")));
    };
    if level < 0 {
        return Err(vm.value_error("level must be >= 0"));
    }
    let text = text.to_string_lossy();
    if text.is_empty() && level == 0 {
        return Err(vm.value_error("Empty module name"));
    }
    let full = if level > 0 { resolve(vm, &text, globals, level)? } else { text.clone() };
    let module = import_full(vm, &full)?;
    let wanted = match fromlist {
        Some(fromlist) if vm.is_true(fromlist)? => vm.collect(fromlist)?,
        _ => {
            // `import a.b` binds `a`.
            let top = text.split('.').next().unwrap_or_default();
            let cut = full.len() - (text.len() - top.len());
            return if level > 0 && text.is_empty() { Ok(module) } else { import_full(vm, &full[..cut]) };
        }
    };
    if vm.get_attr_opt(&module, &names().__path__)?.is_some() {
        for item in wanted {
            let item_name = vm.display_name(&item);
            if item_name != "*" && vm.get_attr_opt(&module, &item)?.is_none() {
                let full = format!("{full}.{item_name}");
                match import_full(vm, &full) {
                    Ok(_) => {}
                    Err(raised) => {
                        let exception = vm.catch(raised, MODULE_NOT_FOUND_ERROR.ty())?;
                        let missing = taipan_object::exceptions::field(&exception, &names().name);
                        if !missing.is_some_and(|name| vm.display_name(&name) == full) {
                            return Err(vm.set_exception(exception));
                        }
                    }
                }
            }
        }
    }
    Ok(module)
}

/// The absolute name of a relative import.
fn resolve(vm: &Vm, name: &str, globals: Option<&Value>, level: i32) -> Result<String> {
    let Some(globals) = globals.and_then(|globals| globals.downcast::<Dict>()) else {
        return Err(vm.raise_new(taipan_object::exceptions::KEY_ERROR.ty(), "'__name__' not in globals".to_string()));
    };
    let text =
        |key: &Value| globals.get_str(key).filter(|v| v.downcast::<Str>().is_some()).map(|v| vm.display_name(&v));
    let package = match text(&names().__package__) {
        Some(package) => package,
        None => {
            let module = text(&names().__name__).unwrap_or_default();
            if globals.get_str(&names().__path__).is_some() {
                module
            } else {
                module.rsplit_once('.').map_or(String::new(), |(package, _)| package.to_string())
            }
        }
    };
    if package.is_empty() {
        return Err(vm.import_error("attempted relative import with no known parent package"));
    }
    let mut base = package.as_str();
    for _ in 1..level {
        match base.rsplit_once('.') {
            Some((parent, _)) => base = parent,
            None => return Err(vm.import_error("attempted relative import beyond top-level package")),
        }
    }
    Ok(if name.is_empty() { base.to_string() } else { format!("{base}.{name}") })
}

/// Imports the module with this absolute name, packages above it first.
pub fn import_full(vm: &Vm, name: &str) -> Result {
    vm.check_stack(" while importing")?;
    let key = intern(name).into_value();
    if let Some(module) = modules(vm).get_str(&key) {
        if module.is_none() {
            let message = format!("import of {name} halted; None in sys.modules");
            return Err(not_found(vm, name, message));
        }
        return Ok(module);
    }
    let parent = match name.rsplit_once('.') {
        Some((parent, _)) => {
            let package = import_full(vm, parent)?;
            if let Some(module) = modules(vm).get_str(&key) {
                return Ok(module);
            }
            if vm.get_attr_opt(&package, &names().__path__)?.is_none() {
                let message = format!("No module named '{name}'; '{parent}' is not a package");
                return Err(not_found(vm, name, message));
            }
            Some(package)
        }
        None => None,
    };
    let module = load(vm, name, parent.as_ref())?;
    if let (Some(parent), Some((_, last))) = (&parent, name.rsplit_once('.')) {
        vm.set_attr_str(parent, last, &module)?;
    }
    Ok(modules(vm).get_str(&key).unwrap_or(module))
}

fn not_found(vm: &Vm, name: &str, message: String) -> Raised {
    let exception = new_exception(MODULE_NOT_FOUND_ERROR.ty(), vec![Value::from(message)]);
    set_field(&exception, &names().name, Value::from(name));
    vm.raise(exception)
}

fn load(vm: &Vm, name: &str, parent: Option<&Value>) -> Result {
    let native = NATIVE.lock().expect("never poisoned").iter().find(|def| def.name == name).copied();
    if let Some(def) = native {
        let module = Module::from_def(vm, def)?;
        modules(vm).set_str(intern(name).as_value(), module.as_value().clone());
        return Ok(module.into_value());
    }
    if let Some((data, is_package)) = LIBRARY.get().and_then(|library| library(name)) {
        let file = data.filename.to_str_lossy().into_owned();
        return run_module(vm, name, Code::new(data), &file, is_package);
    }
    let path = match parent {
        Some(parent) => vm.get_attr(parent, &names().__path__)?,
        None => match crate::sys_module::get(vm, "path") {
            Some(path) => path,
            None => return Err(not_found(vm, name, format!("No module named '{name}'"))),
        },
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    for directory in vm.collect(&path)? {
        let Some(directory) = directory.downcast::<Str>() else { continue };
        let directory = std::path::PathBuf::from(directory.to_string_lossy());
        for (file, is_package) in
            [(directory.join(last).join("__init__.py"), true), (directory.join(format!("{last}.py")), false)]
        {
            if let Ok(source) = std::fs::read(&file) {
                let file = file.to_string_lossy().into_owned();
                let code = compile_file(vm, &source, &file)?;
                return run_module(vm, name, code, &file, is_package);
            }
        }
    }
    Err(not_found(vm, name, format!("No module named '{name}'")))
}

/// Compiles a source file.
pub fn compile_file(vm: &Vm, source: &[u8], file: &str) -> Result<Ref<Code>> {
    let filename = Value::from(file);
    let optimize = crate::config::get().optimize;
    let request =
        Request { filename: &filename, mode: Mode::Exec, flags: 0, optimize, feature_version: -1, is_text: false };
    let code = compile_source(vm, source, &request)?;
    Ok(code.downcast_ref::<Code>().expect("the compiler makes code"))
}

fn run_module(vm: &Vm, name: &str, code: Ref<Code>, file: &str, is_package: bool) -> Result {
    let module = Module::new(name);
    module.set("__builtins__", vm.import("builtins")?);
    module.set("__file__", Value::from(file));
    let package = match is_package {
        true => name,
        false => name.rsplit_once('.').map_or("", |(package, _)| package),
    };
    module.set("__package__", Value::from(package));
    if is_package {
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
        module.set("__path__", List::from_vec(vec![Value::from(directory)]).into_value());
    }
    let key = intern(name).into_value();
    modules(vm).set_str(&key, module.as_value().clone());
    match crate::eval::eval_code(vm, &code, &module.dict, None, None) {
        Ok(_) => Ok(modules(vm).get_str(&key).unwrap_or_else(|| module.as_value().clone())),
        Err(raised) => {
            let exception = vm.take(raised);
            drop(modules(vm).remove_str(&key));
            Err(vm.set_exception(exception))
        }
    }
}

/// The hook for native code: the module with this name itself.
pub fn import_module(vm: &Vm, name: &str) -> Result {
    import_full(vm, name)
}
