//! Type parameters and aliases (PEP 695, 696): the types of `typing` that the compiler's output needs, and `_typing`.
//!
//! Counterpart of CPython's `Objects/typevarobject.c`. Bounds, constraints, defaults and values of aliases are computed
//! when they are first asked for ([`lazy`]). What needs no frames is left to `typing` itself.

mod generic;
mod lazy;
mod module;
mod param_spec;
mod type_alias;
mod type_var;
mod type_var_tuple;

pub use module::TYPING;

use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::union;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use crate::frame::Interp;
use lazy::Lazy;

/// Calls a function of `typing`.
fn call_typing(vm: &Vm, name: &str, args: &[Value]) -> Result {
    vm.call(&vm.import_from("typing", name)?, args, None)
}

/// `bound`, checked to be something that can stand for a type.
fn type_check(vm: &Vm, value: &Value, message: &str) -> Result {
    call_typing(vm, "_type_check", &[value.clone(), Value::from(message)])
}

/// The `name` of a type parameter.
fn name_argument(vm: &Vm, function: &str, name: &Value) -> Result {
    vm.expect_str_argument(name, |got| format!("{function}() argument 'name' must be str, not {got}"))?;
    Ok(name.clone())
}

/// The module of the code that runs.
fn caller_module(vm: &Vm) -> Value {
    let Some(frame) = Interp::of(vm).current_frame() else { return Value::NONE };
    frame.function().globals.get_str(&names().__name__).unwrap_or(Value::NONE)
}

/// Gives a new type parameter its own `__module__`.
fn set_module(vm: &Vm, parameter: &Value) {
    let module = caller_module(vm);
    if let Some(header) = parameter.as_object() {
        taipan_object::attributes::set(header, &names().__module__, module);
    }
}

/// `left | right` with a type parameter or alias.
fn or(vm: &Vm, left: &Value, right: &Value) -> Result {
    union::from_args(vm, &[left.clone(), right.clone()])
}

fn no_subclassing(vm: &Vm, this: &Value) -> Result {
    Err(vm.type_error(format!("Cannot subclass an instance of {}", this.ty().short_name())))
}

/// How a parameter shows its variance.
struct Variance {
    covariant: bool,
    contravariant: bool,
    infer: bool,
}

impl Variance {
    fn check(vm: &Vm, covariant: &Value, contravariant: &Value, infer: &Value) -> Result<Variance> {
        let (covariant, contravariant) = (vm.is_true(covariant)?, vm.is_true(contravariant)?);
        let infer = vm.is_true(infer)?;
        if covariant && contravariant {
            return Err(vm.value_error("Bivariant types are not supported."));
        }
        if infer && (covariant || contravariant) {
            return Err(vm.value_error("Variance cannot be specified with infer_variance."));
        }
        Ok(Variance { covariant, contravariant, infer })
    }

    const INFERRED: Variance = Variance { covariant: false, contravariant: false, infer: true };

    fn show(&self, name: &Value) -> String {
        let name = name.downcast::<Str>().map(Str::to_string_lossy).unwrap_or_default();
        let sign = match self {
            Variance { infer: true, .. } => "",
            Variance { covariant: true, .. } => "+",
            Variance { contravariant: true, .. } => "-",
            _ => "~",
        };
        format!("{sign}{name}")
    }
}

/// `typing.NoDefault` for a parameter without default.
fn default_or_none_given(value: Option<Value>) -> Value {
    value.unwrap_or_else(generic::no_default)
}

/// A default given to a constructor.
fn given_default(value: &Value) -> Lazy {
    match value.bound() {
        Some(value) if !value.is(&generic::no_default()) => Lazy::computed(value.clone()),
        _ => Lazy::absent(),
    }
}

/// The argument list of a substitution in which `parameter` may be missing.
fn with_default(vm: &Vm, parameter: &Value, alias: &Value, args: &Value, default: Result) -> Result {
    let parameters = vm.get_attr(alias, &names().__parameters__)?;
    let parameters = vm.collect(&parameters)?;
    let args = vm.collect(args)?;
    let at = parameters.iter().position(|other| other.is(parameter)).unwrap_or(0);
    if at < args.len() {
        return Ok(Tuple::from_vec(args).into_value());
    }
    let default = default?;
    if at == args.len() && !default.is(&generic::no_default()) {
        let mut args = args;
        args.push(default);
        return Ok(Tuple::from_vec(args).into_value());
    }
    let (alias, count) = (vm.str_string(alias)?, args.len());
    Err(vm.type_error(format!("Too few arguments for {alias}; actual {count}, expected at least {}", at + 1)))
}

pub fn type_var(_vm: &Vm, name: &Value) -> Result {
    Ok(type_var::inferred(name.clone(), Lazy::absent(), Lazy::absent()))
}

/// `evaluate` computes the bound when it is asked for.
pub fn type_var_with_bound(_vm: &Vm, name: &Value, evaluate: &Value) -> Result {
    Ok(type_var::inferred(name.clone(), Lazy::deferred(evaluate.clone()), Lazy::absent()))
}

pub fn type_var_with_constraints(_vm: &Vm, name: &Value, evaluate: &Value) -> Result {
    Ok(type_var::inferred(name.clone(), Lazy::absent(), Lazy::deferred(evaluate.clone())))
}

pub fn param_spec(_vm: &Vm, name: &Value) -> Result {
    Ok(param_spec::inferred(name.clone()))
}

pub fn type_var_tuple(_vm: &Vm, name: &Value) -> Result {
    Ok(type_var_tuple::plain(name.clone()))
}

pub fn set_default(vm: &Vm, parameter: &Value, evaluate: &Value) -> Result {
    let header = parameter.as_object();
    match (default_of(parameter), header) {
        (Some(default), Some(header)) => default.defer(header, evaluate.clone()),
        _ => return Err(vm.type_error(format!("Expected a type param, got {}", vm.repr_string(parameter)?))),
    }
    Ok(parameter.clone())
}

/// Where a type parameter keeps its default.
fn default_of(parameter: &Value) -> Option<&Lazy> {
    if let Some(parameter) = parameter.downcast::<type_var::TypeVar>() {
        return Some(&parameter.default);
    }
    if let Some(parameter) = parameter.downcast::<param_spec::ParamSpec>() {
        return Some(&parameter.default);
    }
    parameter.downcast::<type_var_tuple::TypeVarTuple>().map(|parameter| &parameter.default)
}

/// `typing.Unpack[parameter]`.
fn unpack(vm: &Vm, parameter: &Value) -> Result {
    vm.get_item(&vm.import_from("typing", "Unpack")?, parameter)
}

/// The parameters, each TypeVarTuple unpacked.
fn unpack_tuples(vm: &Vm, parameters: &[Value]) -> Result {
    let unpacked: Result<Vec<Value>> = parameters
        .iter()
        .map(|parameter| match parameter.downcast::<type_var_tuple::TypeVarTuple>() {
            Some(_) => unpack(vm, parameter),
            None => Ok(parameter.clone()),
        })
        .collect();
    Ok(Tuple::from_vec(unpacked?).into_value())
}

/// `Generic[*parameters]`.
pub fn subscript_generic(vm: &Vm, parameters: &Value) -> Result {
    let parameters = unpack_tuples(vm, &vm.collect(parameters)?)?;
    call_typing(vm, "_GenericAlias", &[generic::GENERIC.value(), parameters])
}

/// From (name, type parameters or None, function that computes the value).
pub fn type_alias(vm: &Vm, parts: &Value) -> Result {
    match parts.downcast::<Tuple>().map(Tuple::as_slice) {
        Some([name, parameters, evaluate]) => Ok(type_alias::deferred(name, parameters, evaluate)),
        _ => Err(vm.system_error("bytecode expects the parts of a type alias")),
    }
}
