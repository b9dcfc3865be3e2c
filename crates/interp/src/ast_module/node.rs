//! `ast.AST`: construction, copying and pickling of nodes. What they look like is in `repr.rs`.

use taipan_object::attributes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::set::{self, Set};
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{generic_alias, union};
use taipan_object::exceptions;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::function::BuiltinFunction;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::slots::{self, Slots};
use taipan_object::types::{Type, TypeSpec, creation, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::classes::Class;
use super::{classes, repr};

/// A node: all its state is attributes.
#[repr(C)]
pub struct Node {
    header: Header,
}

// SAFETY: repr(C), header first, no references of its own.
unsafe impl Payload for Node {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        AST.ty()
    }
}

pub static AST: TypeSpec = TypeSpec::new::<Node>("ast.AST")
    .flags(type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::SHOWN_AS_HEAPTYPE)
    .slots(fill_slots)
    .methods(METHODS)
    .getset(GETSET)
    .populate(|ty| {
        ty.clear_flags(type_flags::IMMUTABLETYPE);
        for name in ["_fields", "__match_args__", "_attributes"] {
            ty.set_raw(name, Tuple::from_slice(&[]).into_value());
        }
    });

fn fill_slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| Ok(new_node(class.downcast::<Type>().expect("`tp_new` gets a type")).into_value()));
    s.init = Some(init);
    s.repr = Some(repr::repr);
}

/// A node of `class` without attributes.
pub fn new_node(class: &Type) -> Ref<Node> {
    Ref::new_with_type(class, Node { header: Header::new(class) })
}

/// A node of `class` with the attributes that the class names.
pub fn new_filled(class: &Class, values: impl Iterator<Item = Value>) -> Value {
    let node = new_node(class.as_type());
    attributes::fill(&node.header, &class.attributes, values, &class.filled);
    node.into_value()
}

static GETSET: &[GetSetDef] = &[GetSetDef::new("__dict__", "", creation::get_dict).setter(creation::set_dict)];

method_table! { static METHODS = [
    MethodDef::new("__reduce__($self, /)", "", |vm, this, _| reduce(vm, this)),
    MethodDef::raw("__replace__($self, /, **fields)", "\
        Return a copy of the node in which the given fields have other values.", replace),
]; }

/// The class attribute `name` of a node's class.
fn class_attribute(vm: &Vm, this: &Value, name: &str) -> Result<Option<Value>> {
    vm.get_attr_str_opt(&this.ty().to_value(), name)
}

/// `_fields` of a node's class as a list of names.
pub fn field_names(vm: &Vm, this: &Value) -> Result<Vec<Value>> {
    let fields = vm.get_attr_str(&this.ty().to_value(), "_fields")?;
    sequence_items(vm, &fields)
}

/// As [`field_names`], for classes that need not have any.
fn optional_field_names(vm: &Vm, this: &Value) -> Result<Vec<Value>> {
    match class_attribute(vm, this, "_fields")? {
        Some(fields) => sequence_items(vm, &fields),
        None => Ok(Vec::new()),
    }
}

fn sequence_items(vm: &Vm, fields: &Value) -> Result<Vec<Value>> {
    // The length is asked for first, so that what is no sequence is an error as in CPython.
    let length = vm.len(fields)?;
    (0..length).map(|at| vm.get_item(fields, &Value::from(at))).collect()
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let class_name = this.ty().name();
    let keywords = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[][..], Tuple::as_slice);
    let (args, keyword_values) = args.split_at(args.len() - keywords.len());
    let fields = vm.get_attr_str(&this.ty().to_value(), "_fields")?;
    let names = sequence_items(vm, &fields)?;
    let remaining = Set::new();
    for name in &names {
        set::add(vm, remaining.as_set(), name)?;
    }
    if args.len() > names.len() {
        let (count, plural) = (names.len(), if names.len() == 1 { "" } else { "s" });
        let name = this.ty().short_name();
        return Err(vm.type_error(format!("{name} constructor takes at most {count} positional argument{plural}")));
    }
    for (name, value) in names.iter().zip(args) {
        vm.set_attr(this, &vm.attribute_name(name)?, value)?;
        discard(vm, &remaining, name)?;
    }
    let mut attributes = None;
    for (name, value) in keywords.iter().zip(keyword_values) {
        if vm.contains(&fields, name)? {
            if !discard(vm, &remaining, name)? {
                let key = vm.repr_string(name)?;
                return Err(vm.type_error(format!("{} got multiple values for argument {key}", this.ty().short_name())));
            }
        } else {
            let known = match &attributes {
                Some(known) => known,
                None => attributes.insert(vm.get_attr_str(&this.ty().to_value(), "_attributes")?),
            };
            if !vm.contains(known, name)? {
                let key = vm.repr_string(name)?;
                warn(
                    vm,
                    &format!(
                        "{class_name}.__init__ got an unexpected keyword argument {key}. Support for arbitrary keyword arguments is deprecated and will be removed in Python 3.15."
                    ),
                )?;
            }
        }
        vm.set_attr(this, &vm.attribute_name(name)?, value)?;
    }
    set_omitted(vm, this, &class_name, &remaining)
}

/// Whether `callable` looks at its keywords itself, whatever they are: nodes are made with any that equals a field's name.
pub fn takes_any_keywords(callable: &Value) -> bool {
    let makes_nodes = |ty: &Type| ty.slots().init.is_some_and(|own| std::ptr::fn_addr_eq(own, init as slots::Init));
    match callable.downcast::<BuiltinFunction>() {
        Some(function) => function.name() == "__replace__" && makes_nodes(function.this.ty()),
        None => callable.downcast::<Type>().is_some_and(makes_nodes),
    }
}

/// Whether `name` was in the set.
fn discard(vm: &Vm, names: &Ref<Set>, name: &Value) -> Result<bool> {
    let hash = vm.hash(name)?;
    names.as_set().discard_hashed(vm, name, hash)
}

fn warn(vm: &Vm, message: &str) -> Result<()> {
    vm.warn(&exceptions::DEPRECATION_WARNING.value(), message, 1)
}

/// Gives the fields that the constructor was not given their defaults: an empty list, `Load()`, or none at all.
fn set_omitted(vm: &Vm, this: &Value, class_name: &str, omitted: &Ref<Set>) -> Result<()> {
    if omitted.as_set().len() == 0 {
        return Ok(());
    }
    let Some(types) = class_attribute(vm, this, "_field_types")? else { return Ok(()) };
    let Some(types) = types.downcast_ref::<Dict>() else {
        return Err(vm.system_error("bad argument to internal function"));
    };
    let context = &classes::all(vm)?.get("expr_context").ty;
    for name in omitted.as_set().keys() {
        let Some(ty) = types.get(vm, &name)? else {
            let field = vm.repr_string(&name)?;
            warn(
                vm,
                &format!(
                    "Field {field} is missing from {class_name}._field_types. This will become an error in Python 3.15."
                ),
            )?;
            continue;
        };
        if ty.downcast::<union::Union>().is_some() {
            // Optional: the class has `None`.
        } else if ty.downcast::<generic_alias::GenericAlias>().is_some() {
            vm.set_attr(this, &vm.attribute_name(&name)?, List::from_vec(Vec::new()).as_value())?;
        } else if ty.is(context) {
            let load = classes::all(vm)?.get("Load").singleton.clone().unwrap_or(Value::NONE);
            vm.set_attr(this, &vm.attribute_name(&name)?, &load)?;
        } else {
            let field = vm.repr_string(&name)?;
            warn(
                vm,
                &format!(
                    "{class_name}.__init__ missing 1 required positional argument: {field}. This will become an error in Python 3.15."
                ),
            )?;
        }
    }
    Ok(())
}

/// `(class, (None, …), attributes)`: the leading fields that the node has are given as `None`, so that making the copy
/// warns of nothing; the state has their values.
fn reduce(vm: &Vm, this: &Value) -> Result {
    let namespace = vm.get_attr_str_opt(this, "__dict__")?;
    let Some(namespace) = namespace else {
        let args = Tuple::from_slice(&[]).into_value();
        return Ok(Tuple::from_array([this.ty().to_value(), args]).into_value());
    };
    let namespace = match namespace.downcast::<Dict>() {
        Some(dict) => dict.try_copy(vm)?,
        None => return Err(vm.system_error("bad argument to internal function")),
    };
    let mut given = Vec::new();
    for name in optional_field_names(vm, this)? {
        if !namespace.contains(vm, &name)? {
            break;
        }
        given.push(Value::NONE);
    }
    let args = Tuple::from_vec(given).into_value();
    Ok(Tuple::from_array([this.ty().to_value(), args, namespace.into_value()]).into_value())
}

/// `__replace__(**fields)`: a copy with some fields and attributes replaced; all required ones must be there then.
fn replace(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let keywords = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[][..], Tuple::as_slice);
    if args.len() > keywords.len() {
        return Err(vm.type_error("__replace__() takes no positional arguments"));
    }
    let class = this.ty().to_value();
    let fields = class_attribute(vm, this, "_fields")?;
    let known_attributes = class_attribute(vm, this, "_attributes")?;
    let mut allowed = optional_field_names(vm, this)?;
    if let Some(attributes) = &known_attributes {
        allowed.extend(sequence_items(vm, attributes)?);
    }
    let own = vm.get_attr_str_opt(this, "__dict__")?;
    let own = own.as_ref().and_then(|own| own.downcast::<Dict>());
    let is_allowed = |name: &Value| -> Result<bool> {
        for candidate in &allowed {
            if vm.equal_or_identical(candidate, name)? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    for name in keywords {
        if !is_allowed(name)? {
            let name = vm.repr_string(name)?;
            let class_name = this.ty().short_name();
            return Err(vm.type_error(format!("{class_name}.__replace__ got an unexpected keyword argument {name}.")));
        }
    }
    if let Some(fields) = &fields {
        check_missing(vm, this, fields, own, keywords)?;
    }
    let state = Dict::new();
    if let Some(own) = own {
        for (name, value) in own.items() {
            if is_allowed(&name)? {
                state.set(vm, &name, value)?;
            }
        }
    }
    for (name, value) in keywords.iter().zip(args) {
        state.set(vm, name, value.clone())?;
    }
    let (names, values): (Vec<Value>, Vec<Value>) = state.items().into_iter().unzip();
    if names.iter().any(|name| name.downcast::<Str>().is_none()) {
        return Err(vm.type_error("keywords must be strings"));
    }
    vm.call(&class, &values, Some(Tuple::from_vec(names).as_value()))
}

/// Raises if a field without a default is neither in the node nor given.
fn check_missing(vm: &Vm, this: &Value, fields: &Value, own: Option<&Dict>, given: &[Value]) -> Result<()> {
    let missing = Set::new();
    for name in sequence_items(vm, fields)? {
        let is_given = given.iter().any(|other| name.is(other) || Str::same(&name, other));
        let has_own = match own {
            Some(own) => own.contains(vm, &name)?,
            None => false,
        };
        if !is_given && !has_own {
            set::add(vm, missing.as_set(), &name)?;
        }
    }
    let types = class_attribute(vm, this, "_field_types")?;
    if let Some(types) = types.as_ref().and_then(|types| types.downcast::<Dict>()) {
        for name in missing.as_set().keys() {
            let optional = types.get(vm, &name)?.is_some_and(|ty| ty.downcast::<union::Union>().is_some());
            if optional {
                discard(vm, &missing, &name)?;
            }
        }
    }
    let mut names = missing.as_set().keys().iter().map(|name| vm.repr_string(name)).collect::<Result<Vec<_>>>()?;
    if names.is_empty() {
        return Ok(());
    }
    names.sort();
    let plural = if names.len() == 1 { "" } else { "s" };
    Err(vm.type_error(format!(
        "{}.__replace__ missing {} keyword argument{plural}: {}.",
        this.ty().short_name(),
        names.len(),
        names.join(", ")
    )))
}

/// A field of a node by its interned name.
pub fn field(vm: &Vm, this: &Value, name: &str) -> Result<Option<Value>> {
    vm.get_attr_opt(this, intern(name).as_value())
}
