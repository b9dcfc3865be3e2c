//! `typing.TypeVar`.

use std::sync::LazyLock;

use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::signature::Signature;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use super::lazy::Lazy;
use super::{Variance, generic};

#[repr(C)]
pub struct TypeVar {
    header: Header,
    name: Value,
    variance: Variance,
    bound: Lazy,
    constraints: Lazy,
    pub(super) default: Lazy,
}

// SAFETY: repr(C), header first; visits every value.
unsafe impl Payload for TypeVar {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        TYPE_VAR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.name);
        self.bound.traverse(visit);
        self.constraints.traverse(visit);
        self.default.traverse(visit);
    }
    fn clear(&self) {
        self.bound.clear(&self.header);
        self.constraints.clear(&self.header);
        self.default.clear(&self.header);
    }
}

pub static TYPE_VAR: TypeSpec = TypeSpec::new::<TypeVar>("typing.TypeVar")
    .doc("Type variable.\n\nMade by the syntax of type parameters or by calling TypeVar(name).")
    .flags(type_flags::HAS_DICT | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(new);
        s.repr = Some(|_, this| {
            let own = own(this);
            Ok(Value::from(own.variance.show(&own.name)))
        });
        s.or = Some(super::or);
    })
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET)
    .populate(super::generic::set_typing_module);

fn own(this: &Value) -> &TypeVar {
    this.downcast::<TypeVar>().expect("called through its own slot")
}

fn make(name: Value, variance: Variance, bound: Lazy, constraints: Lazy, default: Lazy) -> Value {
    let header = Header::new(TYPE_VAR.ty());
    Ref::new_with_type(TYPE_VAR.ty(), TypeVar { header, name, variance, bound, constraints, default }).into_value()
}

/// A variable made by the syntax of type parameters.
pub fn inferred(name: Value, bound: Lazy, constraints: Lazy) -> Value {
    make(name, Variance::INFERRED, bound, constraints, Lazy::absent())
}

fn new(vm: &Vm, _class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| {
        Signature::parse(
            "typevar(name, *constraints, bound=None, default=<unrepresentable>, covariant=False, contravariant=False, \
             infer_variance=False)",
        )
    });
    let args = SIGNATURE.bind(vm, args, kwnames)?;
    let [name, constraints, bound, default, covariant, contravariant, infer] = &args[..] else {
        return Err(vm.system_error("typevar() has seven parameters"));
    };
    let name = super::name_argument(vm, "typevar", name)?;
    let variance = Variance::check(vm, covariant, contravariant, infer)?;
    let bound = if bound.is_none() { None } else { Some(super::type_check(vm, bound, "Bound must be a type.")?) };
    let count = constraints.downcast::<Tuple>().map_or(0, Tuple::len);
    if count == 1 {
        return Err(vm.type_error("A single constraint is not allowed"));
    }
    if count > 1 && bound.is_some() {
        return Err(vm.type_error("Constraints cannot be combined with bound=..."));
    }
    let bound = bound.map_or_else(Lazy::absent, Lazy::computed);
    let constraints = if count > 1 { Lazy::computed(constraints.clone()) } else { Lazy::absent() };
    let variable = make(name, variance, bound, constraints, super::given_default(default));
    super::set_module(vm, &variable);
    Ok(variable)
}

fn default(vm: &Vm, this: &Value) -> Result {
    let own = own(this);
    Ok(super::default_or_none_given(own.default.get(vm, &own.header)?))
}

taipan_object::method_table! {
    static METHODS = [
        MethodDef::new("__typing_subst__($self, arg, /)", "", |vm, this, args| {
            super::call_typing(vm, "_typevar_subst", &[this.clone(), args[0].clone()])
        }),
        MethodDef::new("__typing_prepare_subst__($self, alias, args, /)", "", |vm, this, args| {
            super::with_default(vm, this, &args[0], &args[1], default(vm, this))
        }),
        MethodDef::new("__reduce__($self, /)", "", |_, this, _| Ok(own(this).name.clone())),
        MethodDef::new("has_default($self, /)", "", |_, this, _| {
            let own = own(this);
            Ok(Value::bool(own.default.is_given(&own.header)))
        }),
        MethodDef::new("__mro_entries__($self, object, /)", "", |vm, this, _| super::no_subclassing(vm, this)),
    ];
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("__name__", "", |_, this| Ok(own(this).name.clone())),
    MemberDef::new("__covariant__", "", |_, this| Ok(Value::bool(own(this).variance.covariant))),
    MemberDef::new("__contravariant__", "", |_, this| Ok(Value::bool(own(this).variance.contravariant))),
    MemberDef::new("__infer_variance__", "", |_, this| Ok(Value::bool(own(this).variance.infer))),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__bound__", "", |vm, this| {
        let own = own(this);
        Ok(own.bound.get(vm, &own.header)?.unwrap_or(Value::NONE))
    }),
    GetSetDef::new("__constraints__", "", |vm, this| {
        let own = own(this);
        let constraints = own.constraints.get(vm, &own.header)?;
        Ok(constraints.unwrap_or_else(|| Tuple::from_vec(Vec::new()).into_value()))
    }),
    GetSetDef::new("__default__", "", default),
    GetSetDef::new("evaluate_bound", "", |_, this| {
        let own = own(this);
        Ok(own.bound.evaluator(&own.header))
    }),
    GetSetDef::new("evaluate_constraints", "", |_, this| {
        let own = own(this);
        Ok(own.constraints.evaluator(&own.header))
    }),
    GetSetDef::new("evaluate_default", "", |_, this| {
        let own = own(this);
        Ok(generic::default_evaluator(&own.default, &own.header))
    }),
];
