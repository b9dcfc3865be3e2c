//! A warning whose place is known: asks registries and filters, and shows it.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{IMPORT_ERROR, WARNING};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use super::attribute;
use super::filters::{self, Question};
use super::lock::Lock;
use crate::runtime::write_stderr;
use crate::{import, sys_module};

/// What a warning is about.
pub struct Explicit<'a> {
    pub category: &'a Value,
    pub message: &'a Value,
    pub filename: &'a Value,
    pub lineno: i32,
    /// `None`: by the file's name.
    pub module: Option<&'a Value>,
    pub registry: Option<&'a Value>,
    pub source_line: Option<Value>,
    /// The object that a `ResourceWarning` is about.
    pub source: Option<&'a Value>,
}

/// `warnings.warn_explicit`, `PyErr_WarnExplicitObject`.
pub fn warn_explicit(vm: &Vm, warning: &Explicit) -> Result<()> {
    let _lock = Lock::new();
    // Late in the interpreter's end modules have no names.
    if warning.module.is_some_and(|module| module.is_none()) {
        return Ok(());
    }
    let registry = match warning.registry {
        Some(registry) => match registry.downcast::<Dict>() {
            Some(registry) => Some(registry),
            None => return Err(vm.type_error("'registry' must be a dict or None")),
        },
        None => None,
    };
    let module = match warning.module {
        Some(module) => module.clone(),
        None => module_of_file(warning.filename),
    };
    let (text, category, message) = if vm.is_instance(warning.message, &WARNING.value())? {
        (vm.str(warning.message)?, warning.message.ty().to_value(), warning.message.clone())
    } else {
        let message = vm.call(warning.category, std::slice::from_ref(warning.message), None)?;
        (warning.message.clone(), warning.category.clone(), message)
    };
    let key = Tuple::from_array([text.clone(), category.clone(), Value::from(warning.lineno)]).into_value();
    if let Some(registry) = registry
        && already_warned(vm, registry, &key, false)?
    {
        return Ok(());
    }
    let question = Question { category: &category, text: &text, lineno: warning.lineno, module: &module };
    let (action, item) = filters::action(vm, &question)?;
    let is = |name: &str| action.downcast::<Str>().is_some_and(|action| action.is_str(name));
    if is("error") {
        return Err(vm.raise(taipan_object::exceptions::normalize(vm, &message)?));
    }
    if is("ignore") {
        return Ok(());
    }
    if !is("always") && !is("all") {
        if let Some(registry) = registry {
            registry.set(vm, &key, Value::TRUE)?;
        }
        let short_key = || Tuple::from_array([text.clone(), category.clone()]).into_value();
        let seen = if is("once") {
            match registry {
                Some(registry) => already_warned(vm, registry, &short_key(), true)?,
                None => already_warned(vm, &*filters::once_registry(vm)?, &short_key(), true)?,
            }
        } else if is("module") {
            registry.map_or(Ok(false), |registry| already_warned(vm, registry, &short_key(), true))?
        } else if is("default") {
            false
        } else {
            let (action, item) = (vm.repr_string(&action)?, vm.repr_string(&item)?);
            return Err(vm.runtime_error(format!("Unrecognized action ({action}) in warnings.filters:\n {item}")));
        };
        if seen {
            return Ok(());
        }
    }
    show(vm, warning, &text, &category, &message)
}

/// The module's name from that of its file.
fn module_of_file(filename: &Value) -> Value {
    let Some(name) = filename.downcast::<Str>() else { return Value::from("<unknown>") };
    match name.len() {
        0 => Value::from("<unknown>"),
        length if name.to_wtf8().ends_with(b".py") => name.slice(0, length - 3).into_value(),
        _ => filename.clone(),
    }
}

/// Whether a registry has `key`; if it has not, it is noted if `note` says so.
fn already_warned(vm: &Vm, registry: &Dict, key: &Value, note: bool) -> Result<bool> {
    let version_key = intern("version").into_value();
    let version = registry.get(vm, &version_key)?;
    let current = filters::version();
    if version.is_none_or(|version| !int::is_int(&version) || int::to_i64(&version) != Some(current)) {
        registry.clear_items();
        registry.set(vm, &version_key, Value::from(current))?;
    } else if let Some(known) = registry.get(vm, key)?
        && vm.is_true(&known)?
    {
        return Ok(true);
    }
    if note {
        registry.set(vm, key, Value::TRUE)?;
    }
    Ok(false)
}

fn show(vm: &Vm, warning: &Explicit, text: &Value, category: &Value, message: &Value) -> Result<()> {
    // Only the module can tell where a source was allocated.
    let Some(show) = attribute(vm, "_showwarnmsg", warning.source.is_some())? else {
        if let Err(raised) = show_plainly(vm, warning, text, category) {
            vm.discard(raised);
        }
        return Ok(());
    };
    if show.ty().slots().call.is_none() {
        return Err(vm.type_error("warnings._showwarnmsg() must be set to a callable"));
    }
    let Some(class) = attribute(vm, "WarningMessage", false)? else {
        return Err(vm.runtime_error("unable to get warnings.WarningMessage"));
    };
    let mut args = vec![
        message.clone(),
        category.clone(),
        warning.filename.clone(),
        Value::from(warning.lineno),
        Value::NONE,
        warning.source_line.clone().unwrap_or(Value::NONE),
    ];
    args.extend(warning.source.cloned());
    let message = vm.call(&class, &args, None)?;
    vm.call(&show, &[message], None).map(drop)
}

/// Shows a warning without the module `warnings`.
fn show_plainly(vm: &Vm, warning: &Explicit, text: &Value, category: &Value) -> Result<()> {
    if sys_module::get(vm, "stderr").is_none_or(|stream| stream.is_none()) {
        return Ok(());
    }
    let name = vm.get_attr(category, &names().__name__)?;
    let (filename, name, text) = (vm.str_string(warning.filename)?, vm.str_string(&name)?, vm.str_string(text)?);
    let mut output = format!("{filename}:{}: {name}: {text}\n", warning.lineno);
    let line = match &warning.source_line {
        Some(line) => Some(line.clone()),
        None => crate::compile::program_text(warning.filename, warning.lineno),
    };
    if let Some(line) = line.as_ref().and_then(|line| line.downcast::<Str>()) {
        let line = line.to_string_lossy();
        let line = line.trim_end_matches(['\n', '\r']).trim_start_matches([' ', '\t', '\x0c']);
        output.push_str(&format!("  {line}\n"));
    }
    write_stderr(vm, &output);
    Ok(())
}

/// The source line of a module, if its loader has the source.
pub fn source_line(vm: &Vm, globals: &Value, lineno: i32) -> Result<Option<Value>> {
    if globals.downcast::<Dict>().is_none() {
        let got = globals.ty().name();
        return Err(vm.type_error(format!("module_globals must be a dict, not '{got}'")));
    }
    let Some(bootstrap) = import::core_module("_frozen_importlib") else { return Ok(None) };
    let external = vm.get_attr_str(&bootstrap, "_bootstrap_external")?;
    let loader = vm.call_method(&external, "_bless_my_loader", std::slice::from_ref(globals))?;
    let globals = globals.downcast::<Dict>().expect("checked above");
    let Some(name) = globals.get(vm, &names().__name__)? else { return Ok(None) };
    let Some(get_source) = vm.get_attr_str_opt(&loader, "get_source")? else { return Ok(None) };
    let source = match vm.call(&get_source, &[name], None) {
        Ok(source) => source,
        // The loader of a program does not know it as `__main__`.
        Err(raised) => {
            vm.catch(raised, IMPORT_ERROR.ty())?;
            return Ok(None);
        }
    };
    if source.is_none() {
        return Ok(None);
    }
    vm.expect_str(&source, |got| format!("must be str, not {got}"))?;
    let split = vm.get_attr_str(&taipan_object::builtins::str::STR.value(), "splitlines")?;
    let lines = vm.call(&split, &[source], None)?;
    let line = usize::try_from(lineno - 1).ok();
    Ok(line.zip(lines.downcast::<taipan_object::builtins::list::List>()).and_then(|(line, lines)| lines.get(line)))
}
