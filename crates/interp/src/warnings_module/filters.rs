//! The filters of warnings: which action a warning leads to.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{DEPRECATION_WARNING, IMPORT_WARNING, PENDING_DEPRECATION_WARNING, RESOURCE_WARNING};
use taipan_object::native::module::Module;
use taipan_object::{Ref, Result, Value, Vm};

use super::attribute;
use crate::import;

/// What `warnings` takes from this module; its own attributes count once it is imported.
#[derive(Clone)]
pub struct State {
    pub filters: Value,
    pub once_registry: Value,
    pub default_action: Value,
    /// A context variable: the filters of the current context.
    pub context: Value,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);
/// Counts the changes of the filters: what a registry remembers from before counts no longer.
static VERSION: AtomicI64 = AtomicI64::new(0);

/// The state as this module has it, made when first needed.
pub fn initial(vm: &Vm) -> Result<State> {
    if let Some(state) = &*STATE.lock().expect("nothing panics while it is held") {
        return Ok(state.clone());
    }
    let filter = |action: &str, category: Value, module: Value| {
        let items = [intern(action).into_value(), Value::NONE, category, module, Value::from(0)];
        Tuple::from_array(items).into_value()
    };
    let ignored = |category| filter("ignore", category, Value::NONE);
    let state = State {
        filters: List::from_vec(vec![
            filter("default", DEPRECATION_WARNING.value(), intern("__main__").into_value()),
            ignored(DEPRECATION_WARNING.value()),
            ignored(PENDING_DEPRECATION_WARNING.value()),
            ignored(IMPORT_WARNING.value()),
            ignored(RESOURCE_WARNING.value()),
        ])
        .into_value(),
        once_registry: Dict::new().into_value(),
        default_action: intern("default").into_value(),
        context: context_variable(vm)?,
    };
    Ok(STATE.lock().expect("nothing panics while it is held").get_or_insert(state).clone())
}

/// The variable `_warnings_context`. Its type comes from a module of its own, which nobody asked to be in `sys.modules`.
fn context_variable(vm: &Vm) -> Result {
    let Some(def) = import::native_module("_contextvars") else { return Ok(Value::NONE) };
    match Module::from_def(vm, def)?.get("ContextVar") {
        Some(class) => vm.call(&class, &[intern("_warnings_context").into_value()], None),
        None => Ok(Value::NONE),
    }
}

/// The filters have changed.
pub fn mutated() {
    VERSION.fetch_add(1, Relaxed);
}

pub fn version() -> i64 {
    VERSION.load(Relaxed)
}

/// An attribute of `warnings`; where that is gone, what it was when last used.
fn current(vm: &Vm, name: &str, field: fn(&mut State) -> &mut Value) -> Result {
    let mut initial = initial(vm)?;
    let Some(value) = attribute(vm, name, false)? else { return Ok(field(&mut initial).clone()) };
    let mut state = STATE.lock().expect("nothing panics while it is held");
    let old = state.as_mut().map(|state| std::mem::replace(field(state), value.clone()));
    drop(state);
    drop(old);
    Ok(value)
}

/// The registry for warnings shown once.
pub fn once_registry(vm: &Vm) -> Result<Ref<Dict>> {
    let registry = current(vm, "onceregistry", |state| &mut state.once_registry)?;
    registry.downcast_ref::<Dict>().ok_or_else(|| {
        let got = registry.ty().name();
        vm.type_error(format!("_warnings.onceregistry must be a dict, not '{got}'"))
    })
}

fn default_action(vm: &Vm) -> Result {
    let action = current(vm, "defaultaction", |state| &mut state.default_action)?;
    if action.downcast::<Str>().is_none() {
        let got = action.ty().name();
        return Err(vm.type_error(format!("_warnings.defaultaction must be a string, not '{got}'")));
    }
    Ok(action)
}

/// The filters of the current context, if it has its own.
fn context_filters(vm: &Vm) -> Result<Option<Value>> {
    if !crate::config::get().context_aware_warnings {
        return Ok(None);
    }
    let variable = initial(vm)?.context;
    if variable.is_none() {
        return Ok(None);
    }
    let context = vm.call_method(&variable, "get", &[Value::NONE])?;
    if context.is_none() {
        return Ok(None);
    }
    let filters = vm.get_attr_str(&context, "_filters")?;
    if filters.downcast::<List>().is_none() {
        return Err(vm.value_error("_filters of warnings._warnings_context must be a list"));
    }
    Ok(Some(filters))
}

/// What is asked about a warning.
pub struct Question<'a> {
    pub category: &'a Value,
    pub text: &'a Value,
    pub lineno: i32,
    pub module: &'a Value,
}

/// The action for a warning, and the filter that says so or None.
pub fn action(vm: &Vm, question: &Question) -> Result<(Value, Value)> {
    let found = match context_filters(vm)? {
        Some(filters) => search(vm, question, &filters, "_warnings_context")?,
        None => {
            let filters = current(vm, "filters", |state| &mut state.filters)?;
            if filters.downcast::<List>().is_none() {
                return Err(vm.value_error("_warnings.filters must be a list"));
            }
            search(vm, question, &filters, "filters")?
        }
    };
    match found {
        Some(found) => Ok(found),
        None => Ok((default_action(vm)?, Value::NONE)),
    }
}

fn search(vm: &Vm, question: &Question, filters: &Value, name: &str) -> Result<Option<(Value, Value)>> {
    let filters = filters.downcast::<List>().expect("checked by the caller");
    let mut at = 0;
    // Patterns are asked by Python code, which may change the list.
    while let Some(item) = filters.get(at) {
        let parts = item.downcast::<Tuple>().map(Tuple::as_slice);
        let Some([action, message, category, module, lineno]) = parts else {
            return Err(vm.value_error(format!("warnings.{name} item {at} isn't a 5-tuple")));
        };
        if action.downcast::<Str>().is_none() {
            let got = action.ty().name();
            return Err(vm.type_error(format!("action must be a string, not '{got}'")));
        }
        let text_fits = matches(vm, message, question.text)?;
        let module_fits = matches(vm, module, question.module)?;
        let is_subclass = vm.is_subclass(question.category, category)?;
        let line = vm.index_ssize(lineno)?;
        if is_subclass && text_fits && module_fits && (line == 0 || line == i64::from(question.lineno)) {
            return Ok(Some((action.clone(), item.clone())));
        }
        at += 1;
    }
    Ok(None)
}

/// Whether a pattern, a plain text or None fits.
fn matches(vm: &Vm, pattern: &Value, text: &Value) -> Result<bool> {
    if pattern.is_none() {
        return Ok(true);
    }
    if let Some(pattern) = pattern.downcast_exact::<Str>() {
        return Ok(text.downcast::<Str>().is_some_and(|text| text.equals(pattern)));
    }
    let found = vm.call_method(pattern, "match", std::slice::from_ref(text))?;
    vm.is_true(&found)
}
