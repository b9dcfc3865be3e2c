//! Adapters: turning values of any type into those SQLite knows; the registries of adapters and converters.

use std::sync::OnceLock;

use taipan_object::builtins::bytearray::BYTEARRAY;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::float::FLOAT;
use taipan_object::builtins::int::INT;
use taipan_object::builtins::str::{STR, Str};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::TYPE_ERROR;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use super::errors::programming_error;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// `sqlite3.PrepareProtocol`, what adapters are asked to adapt to.
#[repr(C)]
pub struct PrepareProtocol {
    header: Header,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for PrepareProtocol {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        PREPARE_PROTOCOL.ty()
    }
}

pub static PREPARE_PROTOCOL: TypeSpec = TypeSpec::new::<PrepareProtocol>("sqlite3.PrepareProtocol")
    .doc("PrepareProtocol()\n--\n\nThe protocol of values that can be bound to parameters.")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| {
            let class = crate::payload::class_of(class);
            Ok(Ref::new_with_type(class, PrepareProtocol { header: Header::new(class) }).into_value())
        });
        s.init = Some(|_, _, _, _| Ok(()));
    });

/// `sqlite3.adapters`: (type, protocol) to callable.
pub fn adapters() -> &'static Ref<Dict> {
    static ADAPTERS: OnceLock<Ref<Dict>> = OnceLock::new();
    ADAPTERS.get_or_init(Dict::new)
}

/// `sqlite3.converters`: the capitalised name of a declared type to callable.
pub fn converters() -> &'static Ref<Dict> {
    static CONVERTERS: OnceLock<Ref<Dict>> = OnceLock::new();
    CONVERTERS.get_or_init(Dict::new)
}

/// Some basic type has an adapter, so that every parameter must be looked up.
static BASE_TYPE_ADAPTED: AtomicBool = AtomicBool::new(false);

fn is_basic(ty: &Type) -> bool {
    [&INT, &FLOAT, &STR, &BYTEARRAY].iter().any(|basic| std::ptr::eq(basic.ty(), ty))
}

pub fn register_adapter(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    if args[0].downcast::<Type>().is_some_and(is_basic) {
        BASE_TYPE_ADAPTED.store(true, Relaxed);
    }
    let key = Tuple::from_array([args[0].clone(), PREPARE_PROTOCOL.value()]).into_value();
    adapters().set(vm, &key, args[1].clone())?;
    Ok(Value::NONE)
}

pub fn register_converter(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    if args[0].downcast::<Str>().is_none() {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("register_converter() argument 1 must be str, not {got}")));
    }
    let name = vm.call_method(&args[0], "upper", &[])?;
    converters().set(vm, &name, args[1].clone())?;
    Ok(Value::NONE)
}

/// `sqlite3.adapt(obj, proto, alt)`
pub fn adapt(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let protocol = args[1].bound().cloned().unwrap_or_else(|| PREPARE_PROTOCOL.value());
    match adapted(vm, &args[0], &protocol)? {
        Some(value) => Ok(value),
        None => match args[2].bound() {
            Some(alternative) => Ok(alternative.clone()),
            None => Err(programming_error(vm, "can't adapt")),
        },
    }
}

/// A parameter as it is to be bound.
#[inline]
pub fn parameter(vm: &Vm, value: Value) -> Result {
    if is_basic(value.ty()) && !BASE_TYPE_ADAPTED.load(Relaxed) {
        return Ok(value);
    }
    Ok(adapted(vm, &value, &PREPARE_PROTOCOL.value())?.unwrap_or(value))
}

fn adapted(vm: &Vm, value: &Value, protocol: &Value) -> Result<Option<Value>> {
    let key = Tuple::from_array([value.ty().to_value(), protocol.clone()]).into_value();
    if let Some(adapter) = adapters().get(vm, &key)? {
        return vm.call_args(&adapter, std::slice::from_ref(value)).map(Some);
    }
    if let Some(adapted) = ask(vm, protocol, "__adapt__", value)? {
        return Ok(Some(adapted));
    }
    ask(vm, value, "__conform__", protocol)
}

/// Calls a method that may be missing, say `None` or fail with a `TypeError` when it does not want to adapt.
fn ask(vm: &Vm, object: &Value, method: &str, argument: &Value) -> Result<Option<Value>> {
    let Some(method) = vm.get_attr_str_opt(object, method)? else { return Ok(None) };
    match vm.call_args(&method, std::slice::from_ref(argument)) {
        Ok(adapted) if adapted.is_none() => Ok(None),
        Ok(adapted) => Ok(Some(adapted)),
        Err(raised) => vm.catch(raised, TYPE_ERROR.ty()).map(|_| None),
    }
}
