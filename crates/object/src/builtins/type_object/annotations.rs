//! `__annotate__`, `__annotations__` and `__type_params__` of classes.
//!
//! The compiler stores the function that computes the annotations as `__annotate_func__` in the namespace; what it gave
//! is kept as `__annotations_cache__`. Built-in types have neither.

use crate::builtins::dict::Dict;
use crate::builtins::tuple::Tuple;
use crate::native::GetSetDef;
use crate::object::Result;
use crate::types::Type;
use crate::value::Value;
use crate::vm::{Vm, names};

pub const ANNOTATE: GetSetDef = GetSetDef::new("__annotate__", "", annotate).setter(set_annotate);
pub const ANNOTATIONS: GetSetDef = GetSetDef::new("__annotations__", "", annotations).setter(set_annotations);
pub const TYPE_PARAMS: GetSetDef = GetSetDef::new("__type_params__", "", type_params).setter(set_type_params);

fn own(value: &Value) -> &Type {
    value.downcast::<Type>().expect("called on a type")
}

/// Calls `__annotate__` for the values; an empty dict without one.
pub fn evaluate(vm: &Vm, annotate: Option<&Value>) -> Result {
    let Some(annotate) = annotate.filter(|annotate| annotate.ty().slots().call.is_some()) else {
        return Ok(Dict::new().into_value());
    };
    let made = vm.call_args(annotate, &[Value::small_int(1)])?;
    if made.downcast::<Dict>().is_none() {
        let got = made.ty().name();
        return Err(vm.type_error(format!("__annotate__ returned non-dict of type '{got}'")));
    }
    Ok(made)
}

fn missing(vm: &Vm, this: &Value, name: &Value) -> Result {
    let message = format!("type object '{}' has no attribute '{}'", own(this).name(), vm.display_name(name));
    Err(vm.attribute_error_for(message, this, name))
}

/// An entry of the namespace, bound if it is a descriptor.
fn entry(vm: &Vm, this: &Value, name: &Value) -> Result<Option<Value>> {
    let Some(value) = own(this).dict().get_str(name) else { return Ok(None) };
    match value.ty().slots().descr_get {
        Some(get) => get(vm, &value, None, Some(this)).map(Some),
        None => Ok(Some(value)),
    }
}

fn annotate(vm: &Vm, this: &Value) -> Result {
    let class = own(this);
    if !class.is_heap_type() {
        return missing(vm, this, &names().__annotate__);
    }
    if let Some(annotate) = entry(vm, this, &names().__annotate__)? {
        return Ok(annotate);
    }
    if let Some(annotate) = entry(vm, this, &names().__annotate_func__)? {
        return Ok(annotate);
    }
    class.dict().set_str(&names().__annotate_func__, Value::NONE);
    class.modified();
    Ok(Value::NONE)
}

fn check_mutable(vm: &Vm, class: &Type, name: &str) -> Result<()> {
    if class.is_heap_type() {
        return Ok(());
    }
    Err(vm.type_error(format!("cannot set '{name}' attribute of immutable type '{}'", class.full_name())))
}

fn set_annotate(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let class = own(this);
    let Some(value) = value else { return Err(vm.type_error("cannot delete __annotate__ attribute")) };
    check_mutable(vm, class, "__annotate__")?;
    if !value.is_none() && value.ty().slots().call.is_none() {
        return Err(vm.type_error("__annotate__ must be callable or None"));
    }
    let dict = class.dict();
    dict.set_str(&names().__annotate_func__, value.clone());
    if !value.is_none() {
        drop(dict.remove_str(&names().__annotations_cache__));
    }
    class.modified();
    Ok(())
}

fn annotations(vm: &Vm, this: &Value) -> Result {
    let class = own(this);
    if !class.is_heap_type() {
        return missing(vm, this, &names().__annotations__);
    }
    if let Some(known) = entry(vm, this, &names().__annotations__)? {
        return Ok(known);
    }
    if let Some(known) = entry(vm, this, &names().__annotations_cache__)? {
        return Ok(known);
    }
    let annotate = vm.get_attr(this, &names().__annotate__)?;
    let made = evaluate(vm, Some(&annotate))?;
    class.dict().set_str(&names().__annotations_cache__, made.clone());
    class.modified();
    Ok(made)
}

fn set_annotations(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let class = own(this);
    check_mutable(vm, class, "__annotations__")?;
    let dict = class.dict();
    let own_entry = dict.get_str(&names().__annotations__).is_some();
    let name = if own_entry { &names().__annotations__ } else { &names().__annotations_cache__ };
    let old = match value {
        Some(value) => {
            dict.set_str(name, value.clone());
            None
        }
        None => match dict.remove_str(name) {
            Some(old) => Some(old),
            None => return Err(vm.attribute_error_name(&names().__annotations__)),
        },
    };
    let functions = (dict.remove_str(&names().__annotate_func__), dict.remove_str(&names().__annotate__));
    let cache = if own_entry { dict.remove_str(&names().__annotations_cache__) } else { None };
    class.modified();
    drop((old, functions, cache));
    Ok(())
}

fn type_params(_vm: &Vm, this: &Value) -> Result {
    let class = own(this);
    let stored = class.dict().get_str(&names().__type_params__).filter(|_| !class.is(&crate::types::TYPE));
    Ok(stored.unwrap_or_else(|| Tuple::from_slice(&[]).into_value()))
}

fn set_type_params(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let class = own(this);
    check_mutable(vm, class, "__type_params__")?;
    let Some(value) = value else {
        let name = class.name();
        return Err(vm.type_error(format!("cannot delete '__type_params__' attribute of immutable type '{name}'")));
    };
    class.dict().set_str(&names().__type_params__, value.clone());
    class.modified();
    Ok(())
}
