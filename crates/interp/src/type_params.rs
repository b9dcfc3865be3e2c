//! Type parameters and aliases of PEP 695, as `typing`'s own classes make them.

use taipan_object::builtins::tuple::Tuple;
use taipan_object::{Result, Value, Vm};

fn typing_class(vm: &Vm, name: &str) -> Result {
    vm.import_from("_typing", name)
}

fn inferred(vm: &Vm, class: &str, name: &Value) -> Result {
    let class = typing_class(vm, class)?;
    vm.call_keywords(&class, std::slice::from_ref(name), &[("infer_variance", Value::TRUE)])
}

pub fn type_var(vm: &Vm, name: &Value) -> Result {
    inferred(vm, "TypeVar", name)
}

pub fn param_spec(vm: &Vm, name: &Value) -> Result {
    inferred(vm, "ParamSpec", name)
}

pub fn type_var_tuple(vm: &Vm, name: &Value) -> Result {
    let class = typing_class(vm, "TypeVarTuple")?;
    vm.call(&class, std::slice::from_ref(name), None)
}

/// `evaluate` computes the bound when it is asked for.
pub fn type_var_with_bound(vm: &Vm, name: &Value, evaluate: &Value) -> Result {
    let class = typing_class(vm, "TypeVar")?;
    vm.call_method(&class, "_with_lazy_bound", &[name.clone(), evaluate.clone()])
}

pub fn type_var_with_constraints(vm: &Vm, name: &Value, evaluate: &Value) -> Result {
    let class = typing_class(vm, "TypeVar")?;
    vm.call_method(&class, "_with_lazy_constraints", &[name.clone(), evaluate.clone()])
}

pub fn set_default(vm: &Vm, parameter: &Value, evaluate: &Value) -> Result {
    vm.call_method(parameter, "_set_lazy_default", std::slice::from_ref(evaluate))?;
    Ok(parameter.clone())
}

/// `Generic[*parameters]`.
pub fn subscript_generic(vm: &Vm, parameters: &Value) -> Result {
    let generic = typing_class(vm, "Generic")?;
    let mut unpacked = Vec::new();
    for parameter in vm.collect(parameters)? {
        unpacked.push(match parameter.ty().name().as_str() {
            "TypeVarTuple" => {
                let unpack = vm.import_from("typing", "Unpack")?;
                vm.get_item(&unpack, &parameter)?
            }
            _ => parameter,
        });
    }
    let key = match unpacked.as_slice() {
        [only] => only.clone(),
        _ => Tuple::from_vec(unpacked).into_value(),
    };
    vm.get_item(&generic, &key)
}

/// From (name, type parameters or None, function that computes the value).
pub fn type_alias(vm: &Vm, parts: &Value) -> Result {
    let class = typing_class(vm, "TypeAliasType")?;
    vm.call_method(&class, "_with_lazy_value", std::slice::from_ref(parts))
}
