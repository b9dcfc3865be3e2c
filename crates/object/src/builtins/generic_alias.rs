//! `types.GenericAlias`: `list[int]` (PEP 585).

use crate::builtins::list::List;
use crate::builtins::str::{Str, intern};
use crate::builtins::tuple::Tuple;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::{GetSetDef, MemberDef, MethodDef};
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::slots::{CompareOp, Slots};
use crate::types::{Type, TypeSpec, lookup, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};

#[repr(C)]
pub struct GenericAlias {
    pub header: Header,
    pub origin: Value,
    /// A tuple.
    pub args: Value,
    parameters: crate::cell::ObjectCell<Option<Value>>,
    /// `*list[int]`
    pub starred: bool,
}

// SAFETY: repr(C), header first, visits every value.
unsafe impl Payload for GenericAlias {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        GENERIC_ALIAS.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.origin);
        visit(&self.args);
        // SAFETY: the collector has stopped the world.
        if let Some(parameters) = unsafe { &*self.parameters.as_ptr() } {
            visit(parameters);
        }
    }
}

pub static GENERIC_ALIAS: TypeSpec = TypeSpec::new::<GenericAlias>("types.GenericAlias")
    .doc(
        "GenericAlias(origin, args, /)\n\
        --\n\n\
        A generic type with its arguments\n\n\
        list[int] is one; its __origin__ is list and its __args__ are (int,).",
    )
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF | type_flags::HAVE_VECTORCALL)
    .slots(slots)
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

fn own(value: &Value) -> &GenericAlias {
    value.downcast::<GenericAlias>().expect("called through its own slot")
}

/// `origin[args]`.
pub fn new(_vm: &Vm, origin: &Value, args: &Value) -> Value {
    make(GENERIC_ALIAS.ty(), origin.clone(), as_tuple(args), false)
}

/// `__class_getitem__` of built-in generic classes. A constant on purpose: each class has a definition of its own.
#[allow(clippy::declare_interior_mutable_const)]
pub const CLASS_GETITEM: MethodDef =
    MethodDef::new("__class_getitem__($type, object, /)", "See PEP 585", |vm, class, args| {
        Ok(new(vm, class, &args[0]))
    })
    .class();

fn as_tuple(args: &Value) -> Value {
    if args.downcast::<Tuple>().is_some() {
        args.clone()
    } else {
        Tuple::from_slice(std::slice::from_ref(args)).into_value()
    }
}

fn make(ty: &Type, origin: Value, args: Value, starred: bool) -> Value {
    let parameters = crate::cell::ObjectCell::new(None);
    Ref::new_with_type(ty, GenericAlias { header: Header::new(ty), origin, args, parameters, starred }).into_value()
}

/// How a type argument is shown.
pub fn repr_item(vm: &Vm, item: &Value) -> Result<String> {
    if item.word() == Value::ELLIPSIS.word() {
        return Ok("...".to_string());
    }
    // What looks like a parameterized type shows itself.
    if item.downcast::<Type>().is_none()
        && vm.get_attr_opt(item, &names().__origin__)?.is_some()
        && vm.get_attr_opt(item, &names().__args__)?.is_some()
    {
        return vm.repr_string(item);
    }
    let Some(qualname) = vm.get_attr_opt(item, &names().__qualname__)? else { return vm.repr_string(item) };
    match vm.get_attr_opt(item, &names().__module__)? {
        Some(module) if !module.is_none() => {
            let (qualname, module) = (vm.str_string(&qualname)?, vm.str_string(&module)?);
            Ok(if module == "builtins" { qualname } else { format!("{module}.{qualname}") })
        }
        _ => vm.repr_string(item),
    }
}

/// As [`repr_item`], for the arguments of an alias: of a list its items are shown likewise.
fn repr_argument(vm: &Vm, argument: &Value) -> Result<String> {
    let Some(list) = argument.downcast::<List>() else { return repr_item(vm, argument) };
    let mut shown = Vec::new();
    for at in 0..list.len() {
        // The items' `__repr__` may shorten the list.
        let Some(item) = list.get(at) else { return Err(vm.index_error("list index out of range")) };
        shown.push(repr_item(vm, &item)?);
    }
    Ok(format!("[{}]", shown.join(", ")))
}

/// The type variables in `args`, in order of appearance.
pub fn collect_parameters(vm: &Vm, args: &[Value]) -> Result<Vec<Value>> {
    vm.check_stack(" while collecting type parameters")?;
    let mut found: Vec<Value> = Vec::new();
    let mut add = |value: Value| {
        if !found.iter().any(|f| f.is(&value)) {
            found.push(value);
        }
    };
    for arg in args {
        if arg.downcast::<Type>().is_some() {
            continue;
        }
        if vm.get_attr_opt(arg, &names().__typing_subst__)?.is_some() {
            add(arg.clone());
        } else if arg.downcast::<Tuple>().is_some() || arg.downcast::<List>().is_some() {
            for inner in collect_parameters(vm, &vm.collect(arg)?)? {
                add(inner);
            }
        } else if let Some(inner) = vm.get_attr_opt(arg, &names().__parameters__)?
            && let Some(inner) = inner.downcast::<Tuple>()
        {
            inner.as_slice().iter().cloned().for_each(&mut add);
        }
    }
    Ok(found)
}

fn parameters(vm: &Vm, this: &Value) -> Result {
    let alias = own(this);
    let cached = alias.parameters.borrow(&alias.header).clone();
    if let Some(parameters) = cached {
        return Ok(parameters);
    }
    let args = alias.args.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).unwrap_or_default();
    let parameters = Tuple::from_vec(collect_parameters(vm, &args)?).into_value();
    let old = alias.parameters.borrow(&alias.header).replace(parameters.clone());
    drop(old);
    Ok(parameters)
}

/// What is between the brackets, with `*tuple[…]` of a known length unpacked.
fn unpacked_items(vm: &Vm, item: &Value) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let given = as_tuple(item);
    for item in given.downcast::<Tuple>().expect("just made").as_slice() {
        if item.downcast::<Type>().is_none()
            && let Some(inner) = vm.get_attr_opt(item, intern("__typing_unpacked_tuple_args__").as_value())?
            && let Some(inner) = inner.downcast::<Tuple>()
            && inner.as_slice().last().is_none_or(|last| last.word() != Value::ELLIPSIS.word())
        {
            items.extend_from_slice(inner.as_slice());
        } else {
            items.push(item.clone());
        }
    }
    Ok(items)
}

/// The arguments after substituting what is in `item` for the parameters (`_Py_subs_parameters`).
pub fn substitute(vm: &Vm, this: &Value, args: &[Value], parameters: &[Value], item: &Value) -> Result<Vec<Value>> {
    vm.check_stack(" while substituting type parameters")?;
    if parameters.is_empty() {
        return Err(vm.type_error(format!("{} is not a generic class", vm.repr_string(this)?)));
    }
    let mut item = Tuple::from_vec(unpacked_items(vm, item)?).into_value();
    for parameter in parameters {
        if let Some(prepare) = vm.get_attr_opt(parameter, &names().__typing_prepare_subst__)?
            && !prepare.is_none()
        {
            item = vm.call(&prepare, &[this.clone(), as_tuple(&item)], None)?;
        }
    }
    let items = as_tuple(&item);
    let items = items.downcast::<Tuple>().expect("just made").as_slice();
    if items.len() != parameters.len() {
        let (many, expected) = (if items.len() > parameters.len() { "many" } else { "few" }, parameters.len());
        return Err(vm.type_error(format!(
            "Too {many} arguments for {}; actual {}, expected {expected}",
            vm.repr_string(this)?,
            items.len()
        )));
    }
    let mut result = Vec::with_capacity(args.len());
    for arg in args {
        if arg.downcast::<Type>().is_some() {
            result.push(arg.clone());
            continue;
        }
        if arg.downcast::<Tuple>().is_some() || arg.downcast::<List>().is_some() {
            let replaced = substitute(vm, this, &vm.collect(arg)?, parameters, &item)?;
            result.push(match arg.downcast::<Tuple>() {
                Some(_) => Tuple::from_vec(replaced).into_value(),
                None => List::from_vec(replaced).into_value(),
            });
            continue;
        }
        let unpacks = match vm.get_attr_opt(arg, &names().__typing_is_unpacked_typevartuple__)? {
            Some(flag) => vm.is_true(&flag)?,
            None => false,
        };
        let value = match vm.get_attr_opt(arg, &names().__typing_subst__)? {
            Some(subst) => match parameters.iter().position(|parameter| parameter.is(arg)) {
                Some(at) => vm.call(&subst, std::slice::from_ref(&items[at]), None)?,
                None => {
                    let shown = vm.repr_string(arg)?;
                    let message = format!("argument {shown} with __typing_subst__ was not found in __parameters__");
                    return Err(vm.type_error(message));
                }
            },
            None => substitute_inside(vm, arg, parameters, items)?,
        };
        match value.downcast::<Tuple>() {
            Some(tuple) if unpacks => result.extend_from_slice(tuple.as_slice()),
            None if unpacks => {
                let (of, got) = (arg.ty().qualified_name(), value.ty().qualified_name());
                return Err(
                    vm.type_error(format!("expected __typing_subst__ of {of} objects to return a tuple, not {got}"))
                );
            }
            _ => result.push(value),
        }
    }
    Ok(result)
}

/// A type argument that itself has type parameters, with those substituted.
fn substitute_inside(vm: &Vm, arg: &Value, parameters: &[Value], items: &[Value]) -> Result {
    let inner = vm.get_attr_opt(arg, &names().__parameters__)?;
    let Some(inner) = inner.as_ref().and_then(|inner| inner.downcast::<Tuple>()).filter(|inner| inner.len() > 0) else {
        return Ok(arg.clone());
    };
    let mut chosen = Vec::new();
    for parameter in inner.as_slice() {
        match parameters.iter().position(|known| known.is(parameter)) {
            Some(at) => match items[at].downcast::<Tuple>() {
                // A type variable tuple is what can be iterated.
                Some(many) if parameter.ty().slots().iter.is_some() => chosen.extend_from_slice(many.as_slice()),
                _ => chosen.push(items[at].clone()),
            },
            None => chosen.push(parameter.clone()),
        }
    }
    vm.get_item(arg, Tuple::from_vec(chosen).as_value())
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, class, args, kwnames| {
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error("GenericAlias() takes no keyword arguments"));
        }
        let [origin, args] = args else {
            return Err(vm.type_error(format!("GenericAlias expected 2 arguments, got {}", args.len())));
        };
        Ok(make(class.downcast::<Type>().expect("`tp_new` gets a type"), origin.clone(), as_tuple(args), false))
    });
    s.repr = Some(|vm, this| {
        let alias = own(this);
        let args = alias.args.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).unwrap_or_default();
        let shown = args.iter().map(|arg| repr_argument(vm, arg)).collect::<Result<Vec<_>>>()?;
        let star = if alias.starred { "*" } else { "" };
        let args = if shown.is_empty() { "()".to_string() } else { shown.join(", ") };
        Ok(Value::from(format!("{star}{}[{args}]", repr_item(vm, &alias.origin)?)))
    });
    s.hash = Some(|vm, this| {
        let alias = own(this);
        Ok(vm.hash(&alias.origin)? ^ vm.hash(&alias.args)?)
    });
    s.richcompare = Some(|vm, this, other, op| {
        let (Some(a), Some(b)) = (this.downcast::<GenericAlias>(), other.downcast::<GenericAlias>()) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        let equal = a.starred == b.starred && vm.equal(&a.origin, &b.origin)? && vm.equal(&a.args, &b.args)?;
        Ok(Value::bool(equal == (op == CompareOp::Eq)))
    });
    s.call = Some(|vm, this, args, kwnames| {
        let object = vm.call(&own(this).origin, args, kwnames)?;
        if let Err(raised) = vm.set_attr(&object, &names().__orig_class__, this) {
            let exception = vm.take(raised);
            let ty = exception.ty();
            if !ty.is_subtype(crate::exceptions::attribute_error()) && !ty.is_subtype(crate::exceptions::type_error()) {
                return Err(vm.set_exception(exception));
            }
        }
        Ok(object)
    });
    s.getattro = Some(|vm, this, name| {
        let text = name.downcast::<Str>().and_then(Str::as_ascii);
        if text.is_some_and(|text| OWN_NAMES.contains(&text) || NOT_OF_ORIGIN.contains(&text)) {
            return lookup::generic_getattr(vm, this, name);
        }
        vm.get_attr(&own(this).origin, name)
    });
    s.subscript = Some(|vm, this, item| {
        let parameters = parameters(vm, this)?;
        let alias = own(this);
        let args = alias.args.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).unwrap_or_default();
        let parameters = parameters.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).unwrap_or_default();
        let args = substitute(vm, this, &args, &parameters, item)?;
        Ok(make(GENERIC_ALIAS.ty(), alias.origin.clone(), Tuple::from_vec(args).into_value(), alias.starred))
    });
    s.iter = Some(|_, this| {
        let alias = own(this);
        let starred = make(this.ty(), alias.origin.clone(), alias.args.clone(), true);
        let iterator =
            AliasIterator { header: Header::new(ALIAS_ITERATOR.ty()), alias: ObjectCell::new(Some(starred)) };
        Ok(Ref::new(iterator).into_value())
    });
    s.or = Some(crate::builtins::union::or);
}

/// What the alias has itself, whatever its origin has.
const OWN_NAMES: [&str; 9] = [
    "__class__",
    "__origin__",
    "__args__",
    "__unpacked__",
    "__parameters__",
    "__typing_unpacked_tuple_args__",
    "__mro_entries__",
    "__reduce_ex__",
    "__reduce__",
];

/// What the alias does not have although its origin may.
const NOT_OF_ORIGIN: [&str; 3] = ["__bases__", "__copy__", "__deepcopy__"];

crate::method_table! {
    static METHODS = [
        MethodDef::new("__mro_entries__($self, object, /)", "", |_, this, _| {
            Ok(Tuple::from_slice(std::slice::from_ref(&own(this).origin)).into_value())
        }),
        MethodDef::new("__instancecheck__($self, object, /)", "", |vm, _, _| {
            Err(vm.type_error("isinstance() argument 2 cannot be a parameterized generic"))
        }),
        MethodDef::new("__subclasscheck__($self, object, /)", "", |vm, _, _| {
            Err(vm.type_error("issubclass() argument 2 cannot be a parameterized generic"))
        }),
        MethodDef::new("__dir__($self, /)", "", |vm, this, _| {
            let listed = vm.call_special(&own(this).origin, &names().__dir__, &[]).unwrap_or_else(|| Ok(Value::NONE))?;
            let mut all = vm.collect(&listed)?;
            for name in &OWN_NAMES {
                let name = Value::from(*name);
                if !vm.contains(&listed, &name)? {
                    all.push(name);
                }
            }
            Ok(List::from_vec(all).into_value())
        }),
        MethodDef::new("__reduce__($self, /)", "", |vm, this, _| {
            let alias = own(this);
            if alias.starred {
                let plain = make(GENERIC_ALIAS.ty(), alias.origin.clone(), alias.args.clone(), false);
                let next = crate::builtins::iterator::builtin(vm, "next")?;
                let iterator = vm.iter(&plain)?;
                return Ok(Tuple::from_vec(vec![next, Tuple::from_vec(vec![iterator]).into_value()]).into_value());
            }
            let args = Tuple::from_vec(vec![alias.origin.clone(), alias.args.clone()]).into_value();
            Ok(Tuple::from_vec(vec![this.ty().to_value(), args]).into_value())
        }),
    ];
}

/// Gives the starred alias once.
#[repr(C)]
struct AliasIterator {
    header: Header,
    alias: ObjectCell<Option<Value>>,
}

// SAFETY: repr(C), header first; visits the alias.
unsafe impl Payload for AliasIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        ALIAS_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        unsafe { &*self.alias.as_ptr() }.iter().for_each(visit);
    }
}

static ALIAS_ITERATOR: TypeSpec = TypeSpec::new::<AliasIterator>("generic_alias_iterator")
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|_, this| {
            let iterator = own_iterator(this);
            Ok(iterator.alias.borrow(&iterator.header).take())
        });
    })
    .methods(ITERATOR_METHODS);

fn own_iterator(this: &Value) -> &AliasIterator {
    this.downcast::<AliasIterator>().expect("called through its own slot")
}

crate::method_table! {
    static ITERATOR_METHODS = [MethodDef::new("__reduce__($self, /)", "", |vm, this, _| {
        let iter = crate::builtins::iterator::builtin(vm, "iter")?;
        let iterator = own_iterator(this);
        let alias = iterator.alias.borrow(&iterator.header).clone();
        let rest = match alias {
            Some(starred) => {
                let starred = own(&starred);
                make(GENERIC_ALIAS.ty(), starred.origin.clone(), starred.args.clone(), false)
            }
            None => Tuple::from_slice(&[]).into_value(),
        };
        Ok(Tuple::from_array([iter, Tuple::from_array([rest]).into_value()]).into_value())
    })];
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("__origin__", "", |_, this| Ok(own(this).origin.clone())),
    MemberDef::new("__args__", "", |_, this| Ok(own(this).args.clone())),
    MemberDef::new("__unpacked__", "", |_, this| Ok(Value::bool(own(this).starred))),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__parameters__", "The type variables among the alias's arguments.", parameters),
    GetSetDef::new("__typing_unpacked_tuple_args__", "", |_, this| {
        let alias = own(this);
        let is_tuple = alias.starred && alias.origin.is(&crate::builtins::tuple::TUPLE.value());
        Ok(if is_tuple { alias.args.clone() } else { Value::NONE })
    }),
];
