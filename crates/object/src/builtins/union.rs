//! `typing.Union`: `int | str` (PEP 604; one type with `typing.Union` since 3.14).

use crate::builtins::generic_alias::{GenericAlias, collect_parameters, repr_item, substitute};
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::{GetSetDef, MemberDef, MethodDef};
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::slots::{CompareOp, Slots};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

#[repr(C)]
pub struct Union {
    pub header: Header,
    /// A tuple of the members, flat and without duplicates.
    pub args: Value,
}

// SAFETY: repr(C), header first, visits the tuple.
unsafe impl Payload for Union {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        UNION.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.args);
    }
}

pub static UNION: TypeSpec = TypeSpec::new::<Union>("typing.Union")
    .doc("Represent a union type\n\nE.g. for int | str")
    .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::HAS_WEAKREF)
    .slots(slots)
    .methods(METHODS)
    .members(&[MemberDef::new("__args__", "", |_, this| Ok(own(this).args.clone()))])
    .getset(GETSET);

fn own(value: &Value) -> &Union {
    value.downcast::<Union>().expect("called through its own slot")
}

fn members(value: &Value) -> Vec<Value> {
    own(value).args.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).unwrap_or_default()
}

/// Whether `value` may be an operand of `|` between types.
fn is_unionable(vm: &Vm, value: &Value) -> Result<bool> {
    if value.is_none()
        || value.downcast::<Type>().is_some()
        || value.downcast::<GenericAlias>().is_some()
        || value.downcast::<Union>().is_some()
    {
        return Ok(true);
    }
    let name = value.ty().full_name();
    let _ = vm;
    Ok(matches!(name.as_str(), "typing.TypeAliasType" | "typing.TypeVar" | "typing.ParamSpec"))
}

/// `left | right` for types; `NotImplemented` if an operand is none.
pub fn or(vm: &Vm, left: &Value, right: &Value) -> Result {
    if !is_unionable(vm, left)? || !is_unionable(vm, right)? {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    make(vm, &[left.clone(), right.clone()])
}

/// The union of what was written between `Union`'s brackets or beside a type parameter's `|`: what is no type is
/// checked by `typing`, which makes forward references of strings.
pub fn from_args(vm: &Vm, args: &[Value]) -> Result {
    let mut checked = Vec::with_capacity(args.len());
    for arg in args {
        checked.push(if is_unionable(vm, arg)? {
            arg.clone()
        } else {
            let check = vm.import_from("typing", "_type_check")?;
            let message = Value::from("Union[arg, ...]: each arg must be a type.");
            vm.call(&check, &[arg.clone(), message], None)?
        });
    }
    make(vm, &checked)
}

/// The union of `args`, flattened and without duplicates; a single member is itself.
pub fn make(vm: &Vm, args: &[Value]) -> Result {
    let mut flat: Vec<Value> = Vec::new();
    let mut add = |vm: &Vm, value: Value| -> Result<()> {
        for existing in &flat {
            if existing.is(&value) || vm.equal(existing, &value)? {
                return Ok(());
            }
        }
        flat.push(value);
        Ok(())
    };
    for arg in args {
        if arg.downcast::<Union>().is_some() {
            for member in members(arg) {
                add(vm, member)?;
            }
        } else if arg.is_none() {
            add(vm, crate::builtins::singletons::NONE_TYPE.value())?;
        } else {
            add(vm, arg.clone())?;
        }
    }
    if flat.len() == 1 {
        return Ok(flat.remove(0));
    }
    let args = Tuple::from_vec(flat).into_value();
    Ok(Ref::new(Union { header: Header::new(UNION.ty()), args }).into_value())
}

fn slots(s: &mut Slots) {
    s.repr = Some(|vm, this| {
        let shown = members(this)
            .iter()
            .map(|member| {
                if member.is(&crate::builtins::singletons::NONE_TYPE.value()) {
                    Ok("None".to_string())
                } else {
                    repr_item(vm, member)
                }
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Value::from(shown.join(" | ")))
    });
    s.hash = Some(|vm, this| {
        // Independent of the order of the members.
        let mut hash = 0x9E37_79B9i64;
        for member in members(this) {
            hash ^= vm.hash(&member)?.wrapping_mul(0x2545_F491_4F6C_DD1D);
        }
        Ok(if hash == -1 { -2 } else { hash })
    });
    s.richcompare = Some(|vm, this, other, op| {
        if other.downcast::<Union>().is_none() || !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let (a, b) = (members(this), members(other));
        let mut equal = a.len() == b.len();
        for member in &a {
            let mut found = false;
            for candidate in &b {
                found = found || vm.equal_or_identical(member, candidate)?;
            }
            equal = equal && found;
        }
        Ok(Value::bool(equal == (op == CompareOp::Eq)))
    });
    s.or = Some(or);
    s.getattro = Some(|vm, this, name| {
        // Nothing of `typing.Union`'s class-level names shows through an instance's `__module__`/`__qualname__`.
        crate::types::lookup::generic_getattr(vm, this, name)
    });
    s.subscript = Some(|vm, this, item| {
        let args = members(this);
        let parameters = collect_parameters(vm, &args)?;
        let args = substitute(vm, this, &args, &parameters, item)?;
        make(vm, &args)
    });
}

crate::method_table! {
    static METHODS = [
        MethodDef::new("__mro_entries__($self, object, /)", "", |vm, this, _| {
            let shown = vm.repr_string(this)?;
            Err(vm.type_error(format!("Cannot subclass {shown}")))
        }),
        MethodDef::new("__class_getitem__($type, object, /)", "The union of the given types.", |vm, _, args| match args[0].downcast::<Tuple>() {
            Some(tuple) if tuple.len() == 0 => Err(vm.type_error("Cannot take a Union of no types.")),
            Some(tuple) => from_args(vm, tuple.as_slice()),
            None => from_args(vm, args),
        }).class(),
    ];
}

/// The members of a union as a tuple; `None` for anything else.
pub fn args(value: &Value) -> Option<Value> {
    value.downcast::<Union>().map(|union| union.args.clone())
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__parameters__", "Type variables in the types.UnionType.", |vm, this| {
        Ok(Tuple::from_vec(collect_parameters(vm, &members(this))?).into_value())
    }),
    GetSetDef::new("__origin__", "Always returns the type", |_, _| Ok(UNION.value())),
    GetSetDef::new("__name__", "Name of the type", |_, _| Ok(Str::new("Union").into_value())),
    GetSetDef::new("__qualname__", "Qualified name of the type", |_, _| Ok(Str::new("Union").into_value())),
];
