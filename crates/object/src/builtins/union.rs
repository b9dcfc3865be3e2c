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
    /// Those that have a hash, a frozenset, and a tuple of those that had none when the union was made.
    hashable: Value,
    unhashable: Value,
}

// SAFETY: repr(C), header first, visits the tuple.
unsafe impl Payload for Union {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        UNION.ty()
    }
    fn traverse(&self, visit: Visitor) {
        [&self.args, &self.hashable, &self.unhashable].into_iter().for_each(visit);
    }
}

pub static UNION: TypeSpec = TypeSpec::new::<Union>("typing.Union")
    .doc("A type that stands for any of several types\n\nint | str is an example")
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
    // Beside a union anything goes that may stand between its brackets.
    if left.downcast::<Union>().is_some() || right.downcast::<Union>().is_some() {
        return from_args(vm, &[left.clone(), right.clone()]);
    }
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

/// The members of a union to be.
#[derive(Default)]
struct Builder {
    members: Vec<Value>,
    hashable: Vec<(i64, Value)>,
    unhashable: Vec<Value>,
}

impl Builder {
    /// Adds a member unless it is there. Those without a hash are compared with their like alone.
    fn add(&mut self, vm: &Vm, member: Value) -> Result<()> {
        match vm.hash(&member) {
            Ok(hash) => {
                for (other_hash, other) in &self.hashable {
                    if *other_hash == hash && vm.equal_or_identical(other, &member)? {
                        return Ok(());
                    }
                }
                self.hashable.push((hash, member.clone()));
            }
            Err(raised) => {
                vm.discard(raised);
                for other in &self.unhashable {
                    if vm.equal_or_identical(other, &member)? {
                        return Ok(());
                    }
                }
                self.unhashable.push(member.clone());
            }
        }
        self.members.push(member);
        Ok(())
    }
}

/// The union of `args`, flattened and without duplicates; a single member is itself.
pub fn make(vm: &Vm, args: &[Value]) -> Result {
    let mut builder = Builder::default();
    for arg in args {
        if arg.downcast::<Union>().is_some() {
            members(arg).into_iter().try_for_each(|member| builder.add(vm, member))?;
        } else if arg.is_none() {
            builder.add(vm, crate::builtins::singletons::NONE_TYPE.value())?;
        } else {
            builder.add(vm, arg.clone())?;
        }
    }
    let Builder { mut members, hashable, unhashable } = builder;
    if members.len() == 1 {
        return Ok(members.remove(0));
    }
    let hashable: Vec<Value> = hashable.into_iter().map(|(_, member)| member).collect();
    let hashable = crate::builtins::set::frozen_from_keys(vm, &hashable)?;
    let union = Union {
        header: Header::new(UNION.ty()),
        args: Tuple::from_vec(members).into_value(),
        hashable,
        unhashable: Tuple::from_vec(unhashable).into_value(),
    };
    Ok(Ref::new(union).into_value())
}

fn unhashable(union: &Union) -> &[Value] {
    union.unhashable.downcast::<Tuple>().map_or(&[], Tuple::as_slice)
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
        let union = own(this);
        for member in unhashable(union) {
            vm.hash(member)?;
        }
        match unhashable(union).len() {
            0 => vm.hash(&union.hashable),
            // They have become hashable since.
            count => Err(vm.type_error(format!("union contains {count} unhashable elements"))),
        }
    });
    s.richcompare = Some(|vm, this, other, op| {
        let (a, Some(b)) = (own(this), other.downcast::<Union>()) else { return Ok(Value::NOT_IMPLEMENTED) };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let mut equal = vm.equal(&a.hashable, &b.hashable)? && unhashable(a).len() == unhashable(b).len();
        for member in unhashable(a) {
            equal = equal && vm.contains(&b.unhashable, member)?;
        }
        Ok(Value::bool(equal == (op == CompareOp::Eq)))
    });
    s.or = Some(or);
    s.getattro = Some(|vm, this, name| {
        // Of the attributes of `typing.Union` a union shows the module.
        if name.is(&crate::vm::names().__module__) {
            return vm.get_attr(&this.ty().to_value(), name);
        }
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
    GetSetDef::new("__parameters__", "The type variables that the union contains.", |vm, this| {
        Ok(Tuple::from_vec(collect_parameters(vm, &members(this))?).into_value())
    }),
    GetSetDef::new("__origin__", "The type of unions", |_, _| Ok(UNION.value())),
    GetSetDef::new("__name__", "Name of the type", |_, _| Ok(Str::new("Union").into_value())),
    GetSetDef::new("__qualname__", "The type's name, qualified", |_, _| Ok(Str::new("Union").into_value())),
];
