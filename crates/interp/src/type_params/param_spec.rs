//! `typing.ParamSpec`, and its `args` and `kwargs`.

use std::sync::LazyLock;

use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::signature::Signature;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::{CompareOp, Slots, hash_not_implemented};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use super::lazy::Lazy;
use super::{Variance, generic};

#[repr(C)]
pub struct ParamSpec {
    header: Header,
    name: Value,
    variance: Variance,
    bound: Value,
    pub(super) default: Lazy,
}

// SAFETY: repr(C), header first; visits every value.
unsafe impl Payload for ParamSpec {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        PARAM_SPEC.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.name);
        visit(&self.bound);
        self.default.traverse(visit);
    }
    fn clear(&self) {
        self.default.clear(&self.header);
    }
}

pub static PARAM_SPEC: TypeSpec = TypeSpec::new::<ParamSpec>("typing.ParamSpec")
    .doc("Parameter specification variable.\n\nMade by the syntax of type parameters or by calling ParamSpec(name).")
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
    .populate(generic::set_typing_module);

fn own(this: &Value) -> &ParamSpec {
    this.downcast::<ParamSpec>().expect("called through its own slot")
}

fn make(name: Value, variance: Variance, bound: Value, default: Lazy) -> Value {
    let header = Header::new(PARAM_SPEC.ty());
    Ref::new_with_type(PARAM_SPEC.ty(), ParamSpec { header, name, variance, bound, default }).into_value()
}

/// A variable made by the syntax of type parameters.
pub fn inferred(name: Value) -> Value {
    make(name, Variance::INFERRED, Value::NONE, Lazy::absent())
}

fn new(vm: &Vm, _class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| {
        Signature::parse(
            "paramspec(name, *, bound=None, default=<unrepresentable>, covariant=False, contravariant=False, \
             infer_variance=False)",
        )
    });
    let args = SIGNATURE.bind(vm, args, kwnames)?;
    let [name, bound, default, covariant, contravariant, infer] = &args[..] else {
        return Err(vm.system_error("paramspec() has six parameters"));
    };
    let name = super::name_argument(vm, "paramspec", name)?;
    let variance = Variance::check(vm, covariant, contravariant, infer)?;
    let variable = make(name, variance, bound.clone(), super::given_default(default));
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
            super::call_typing(vm, "_paramspec_subst", &[this.clone(), args[0].clone()])
        }),
        MethodDef::new("__typing_prepare_subst__($self, alias, args, /)", "", |vm, this, args| {
            super::call_typing(vm, "_paramspec_prepare_subst", &[this.clone(), args[0].clone(), args[1].clone()])
        }),
        MethodDef::new("has_default($self, /)", "", |_, this, _| {
            let own = own(this);
            Ok(Value::bool(own.default.is_given(&own.header)))
        }),
        MethodDef::new("__reduce__($self, /)", "", |_, this, _| Ok(own(this).name.clone())),
        MethodDef::new("__mro_entries__($self, object, /)", "", |vm, this, _| super::no_subclassing(vm, this)),
    ];
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("__name__", "", |_, this| Ok(own(this).name.clone())),
    MemberDef::new("__bound__", "", |_, this| Ok(own(this).bound.clone())),
    MemberDef::new("__covariant__", "", |_, this| Ok(Value::bool(own(this).variance.covariant))),
    MemberDef::new("__contravariant__", "", |_, this| Ok(Value::bool(own(this).variance.contravariant))),
    MemberDef::new("__infer_variance__", "", |_, this| Ok(Value::bool(own(this).variance.infer))),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::new(
        "args",
        "Stands for the positional arguments, as the annotation of \
        *args.",
        |_, this| Ok(part(PARAM_SPEC_ARGS.ty(), this.clone())),
    ),
    GetSetDef::new(
        "kwargs",
        "Stands for the keyword arguments, as the annotation of \
        **kwargs.",
        |_, this| Ok(part(PARAM_SPEC_KWARGS.ty(), this.clone())),
    ),
    GetSetDef::new("__default__", "The parameters used if none are given, or NoDefault.", default),
    GetSetDef::new("evaluate_default", "", |_, this| {
        let own = own(this);
        Ok(generic::default_evaluator(&own.default, &own.header))
    }),
];

/// `P.args` and `P.kwargs`: two types of one layout.
#[repr(C)]
struct Part {
    header: Header,
    origin: Value,
}

// SAFETY: repr(C), header first; visits the origin.
unsafe impl Payload for Part {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        PARAM_SPEC_ARGS.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.origin);
    }
}

fn part(ty: &'static Type, origin: Value) -> Value {
    Ref::new_sibling(ty, Part { header: Header::new(ty), origin }).into_value()
}

fn origin(this: &Value) -> &Value {
    let header = this.as_object().expect("called through its own slot");
    // SAFETY: only the slots and members of the two types of this layout come here.
    unsafe { &(*(header as *const Header).cast::<Part>()).origin }
}

fn part_slots(s: &mut Slots) {
    s.richcompare = Some(|_, this, other, op| {
        if !std::ptr::eq(this.ty(), other.ty()) || !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        Ok(Value::bool(origin(this).is(origin(other)) == (op == CompareOp::Eq)))
    });
    s.hash = Some(hash_not_implemented);
}

fn part_repr(vm: &Vm, this: &Value, suffix: &str) -> Result {
    let shown = match origin(this).downcast::<ParamSpec>() {
        Some(own) => vm.str_string(&own.name)?,
        None => vm.repr_string(origin(this))?,
    };
    Ok(Value::from(format!("{shown}.{suffix}")))
}

taipan_object::method_table! {
    static PART_METHODS = [
        MethodDef::new("__mro_entries__($self, object, /)", "", |vm, this, _| super::no_subclassing(vm, this)),
    ];
}

static PART_MEMBERS: &[MemberDef] = &[MemberDef::new("__origin__", "", |_, this| Ok(origin(this).clone()))];

pub static PARAM_SPEC_ARGS: TypeSpec = TypeSpec::new::<Part>("typing.ParamSpecArgs")
    .doc("The positional arguments of a ParamSpec.")
    .flags(type_flags::HAS_WEAKREF)
    .slots(|s| {
        part_slots(s);
        s.new = Some(|vm, _, args, kwnames| {
            static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::parse("paramspecargs(origin)"));
            Ok(part(PARAM_SPEC_ARGS.ty(), SIGNATURE.bind(vm, args, kwnames)?[0].clone()))
        });
        s.repr = Some(|vm, this| part_repr(vm, this, "args"));
    })
    .methods(PART_METHODS)
    .members(PART_MEMBERS)
    .populate(generic::set_typing_module);

pub static PARAM_SPEC_KWARGS: TypeSpec = TypeSpec::new::<Part>("typing.ParamSpecKwargs")
    .doc("The keyword arguments of a ParamSpec.")
    .flags(type_flags::HAS_WEAKREF)
    .slots(|s| {
        part_slots(s);
        s.new = Some(|vm, _, args, kwnames| {
            static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::parse("paramspeckwargs(origin)"));
            Ok(part(PARAM_SPEC_KWARGS.ty(), SIGNATURE.bind(vm, args, kwnames)?[0].clone()))
        });
        s.repr = Some(|vm, this| part_repr(vm, this, "kwargs"));
    })
    .methods(PART_METHODS)
    .members(PART_MEMBERS)
    .populate(generic::set_typing_module);
