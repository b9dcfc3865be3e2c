//! `typing.TypeVarTuple`.

use std::sync::LazyLock;

use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::signature::Signature;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use super::generic;
use super::lazy::Lazy;

#[repr(C)]
pub struct TypeVarTuple {
    header: Header,
    name: Value,
    pub(super) default: Lazy,
}

// SAFETY: repr(C), header first; visits every value.
unsafe impl Payload for TypeVarTuple {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        TYPE_VAR_TUPLE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.name);
        self.default.traverse(visit);
    }
    fn clear(&self) {
        self.default.clear(&self.header);
    }
}

pub static TYPE_VAR_TUPLE: TypeSpec = TypeSpec::new::<TypeVarTuple>("typing.TypeVarTuple")
    .doc("Type variable tuple.\n\nMade by the syntax of type parameters or by calling TypeVarTuple(name).")
    .flags(type_flags::HAS_DICT | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(new);
        s.repr = Some(|_, this| Ok(own(this).name.clone()));
        s.iter = Some(|vm, this| {
            let unpacked = super::unpack(vm, this)?;
            vm.iter(&Tuple::from_vec(vec![unpacked]).into_value())
        });
    })
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET)
    .populate(generic::set_typing_module);

fn own(this: &Value) -> &TypeVarTuple {
    this.downcast::<TypeVarTuple>().expect("called through its own slot")
}

fn make(name: Value, default: Lazy) -> Value {
    let header = Header::new(TYPE_VAR_TUPLE.ty());
    Ref::new_with_type(TYPE_VAR_TUPLE.ty(), TypeVarTuple { header, name, default }).into_value()
}

/// One made by the syntax of type parameters.
pub fn plain(name: Value) -> Value {
    make(name, Lazy::absent())
}

fn new(vm: &Vm, _class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    static SIGNATURE: LazyLock<Signature> =
        LazyLock::new(|| Signature::parse("typevartuple(name, *, default=<unrepresentable>)"));
    let args = SIGNATURE.bind(vm, args, kwnames)?;
    let name = super::name_argument(vm, "typevartuple", &args[0])?;
    let parameter = make(name, super::given_default(&args[1]));
    super::set_module(vm, &parameter);
    Ok(parameter)
}

taipan_object::method_table! {
    static METHODS = [
        MethodDef::new("__typing_subst__($self, arg, /)", "", |vm, _, _| {
            Err(vm.type_error("Substitution of bare TypeVarTuple is not supported"))
        }),
        MethodDef::new("__typing_prepare_subst__($self, alias, args, /)", "", |vm, this, args| {
            super::call_typing(vm, "_typevartuple_prepare_subst", &[this.clone(), args[0].clone(), args[1].clone()])
        }),
        MethodDef::new("__reduce__($self, /)", "", |_, this, _| Ok(own(this).name.clone())),
        MethodDef::new("has_default($self, /)", "", |_, this, _| {
            let own = own(this);
            Ok(Value::bool(own.default.is_given(&own.header)))
        }),
        MethodDef::new("__mro_entries__($self, object, /)", "", |vm, this, _| super::no_subclassing(vm, this)),
    ];
}

static MEMBERS: &[MemberDef] = &[MemberDef::new("__name__", "", |_, this| Ok(own(this).name.clone()))];

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__default__", "The types used if none are given, or NoDefault.", |vm, this| {
        let own = own(this);
        Ok(super::default_or_none_given(own.default.get(vm, &own.header)?))
    }),
    GetSetDef::new("evaluate_default", "", |_, this| {
        let own = own(this);
        Ok(generic::default_evaluator(&own.default, &own.header))
    }),
];
