//! `typing.TypeAliasType`, what the `type` statement makes.

use std::sync::LazyLock;

use taipan_object::builtins::generic_alias;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::signature::Signature;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use super::lazy::Lazy;
use crate::function::Function;

#[repr(C)]
struct TypeAlias {
    header: Header,
    name: Value,
    /// A tuple that is not empty.
    parameters: Option<Value>,
    /// A str or None; aliases made by the statement have that of the function that computes the value.
    module: Value,
    value: Lazy,
}

// SAFETY: repr(C), header first; visits every value.
unsafe impl Payload for TypeAlias {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        TYPE_ALIAS_TYPE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.name);
        self.parameters.iter().for_each(&mut *visit);
        visit(&self.module);
        self.value.traverse(visit);
    }
    fn clear(&self) {
        self.value.clear(&self.header);
    }
}

pub static TYPE_ALIAS_TYPE: TypeSpec = TypeSpec::new::<TypeAlias>("typing.TypeAliasType")
    .doc("Type alias.\n\nMade by the type statement; its value is computed when it is first asked for.")
    .flags(type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(new);
        s.repr = Some(|_, this| Ok(own(this).name.clone()));
        s.or = Some(super::or);
        s.iter = Some(|vm, this| {
            let unpacked = super::unpack(vm, this)?;
            vm.iter(&Tuple::from_vec(vec![unpacked]).into_value())
        });
        s.subscript = Some(|vm, this, args| {
            if own(this).parameters.is_none() {
                return Err(vm.type_error("Only generic type aliases are subscriptable"));
            }
            Ok(generic_alias::new(vm, this, args))
        });
    })
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

fn own(this: &Value) -> &TypeAlias {
    this.downcast::<TypeAlias>().expect("called through its own slot")
}

fn make(name: Value, parameters: Option<Value>, module: Value, value: Lazy) -> Value {
    let header = Header::new(TYPE_ALIAS_TYPE.ty());
    Ref::new(TypeAlias { header, name, parameters, module, value }).into_value()
}

fn not_empty(parameters: &Value) -> Option<Value> {
    parameters.downcast::<Tuple>().filter(|parameters| parameters.len() > 0).map(|_| parameters.clone())
}

/// An alias made by the statement.
pub fn deferred(name: &Value, parameters: &Value, evaluate: &Value) -> Value {
    let module = evaluate.downcast::<Function>().map_or(Value::NONE, Function::module);
    make(name.clone(), not_empty(parameters), module, Lazy::deferred(evaluate.clone()))
}

fn new(vm: &Vm, _class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    static SIGNATURE: LazyLock<Signature> =
        LazyLock::new(|| Signature::parse("typealias(name, value, *, type_params=<unrepresentable>)"));
    let args = SIGNATURE.bind(vm, args, kwnames)?;
    let name = super::name_argument(vm, "typealias", &args[0])?;
    let mut parameters = None;
    if let Some(given) = args[2].bound() {
        let Some(tuple) = given.downcast::<Tuple>() else {
            return Err(vm.type_error("type_params must be a tuple"));
        };
        check_parameters(vm, tuple.as_slice())?;
        parameters = not_empty(given);
    }
    Ok(make(name, parameters, super::caller_module(vm), Lazy::computed(args[1].clone())))
}

/// Parameters without default come before those with one.
fn check_parameters(vm: &Vm, parameters: &[Value]) -> Result<()> {
    let mut default_seen = false;
    for parameter in parameters {
        let (Some(default), Some(header)) = (super::default_of(parameter), parameter.as_object()) else {
            return Err(vm.type_error(format!("Expected a type param, got {}", vm.repr_string(parameter)?)));
        };
        let has_default = default.is_given(header);
        if default_seen && !has_default {
            let shown = vm.repr_string(parameter)?;
            return Err(vm.type_error(format!("non-default type parameter '{shown}' follows default type parameter")));
        }
        default_seen |= has_default;
    }
    Ok(())
}

fn parameters(this: &Value) -> Value {
    own(this).parameters.clone().unwrap_or_else(|| Tuple::from_vec(Vec::new()).into_value())
}

taipan_object::method_table! {
    static METHODS = [MethodDef::new("__reduce__($self, /)", "", |_, this, _| Ok(own(this).name.clone()))];
}

static MEMBERS: &[MemberDef] = &[MemberDef::new("__name__", "", |_, this| Ok(own(this).name.clone()))];

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__parameters__", "", |vm, this| super::unpack_tuples(vm, &vm.collect(&parameters(this))?)),
    GetSetDef::new("__type_params__", "", |_, this| Ok(parameters(this))),
    GetSetDef::new("__value__", "", |vm, this| {
        let own = own(this);
        Ok(own.value.get(vm, &own.header)?.unwrap_or(Value::NONE))
    }),
    GetSetDef::new("evaluate_value", "", |_, this| {
        let own = own(this);
        Ok(own.value.evaluator(&own.header))
    }),
    GetSetDef::new("__module__", "", |_, this| Ok(own(this).module.clone())),
];
