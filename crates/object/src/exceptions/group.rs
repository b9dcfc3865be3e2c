//! Exception groups: `BaseExceptionGroup` and `ExceptionGroup` (PEP 654).
//!
//! The members are kept as a tuple in the field `exceptions`; `excs_str` remembers how a sequence that is neither list
//! nor tuple showed itself, since it may change later.

use super::*;
use crate::builtins::generic_alias;
use crate::builtins::list::List;
use crate::builtins::str::intern;
use crate::native::{MemberDef, MethodDef};
use crate::types::slots::Slots;
use crate::vm::names;

pub fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.str = Some(str);
    s.repr = Some(repr);
}

fn own_field(this: &Value, name: &str) -> Option<Value> {
    field(this, intern(name).as_value())
}

fn set_own_field(this: &Value, name: &str, value: Value) {
    set_field(this, intern(name).as_value(), value);
}

/// The members of a group.
pub fn exceptions(group: &Value) -> Vec<Value> {
    let tuple = own_field(group, "exceptions");
    tuple.and_then(|tuple| tuple.downcast::<Tuple>().map(|tuple| tuple.as_slice().to_vec())).unwrap_or_default()
}

/// Whether `value` is an exception group.
pub fn is_group(value: &Value) -> bool {
    value.ty().is_subtype(BASE_EXCEPTION_GROUP.ty())
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let mut ty = class.downcast::<Type>().expect("`tp_new` gets a type");
    let args = &args[..args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))];
    let [message, sequence] = args else {
        let count = args.len();
        return Err(vm.type_error(format!("BaseExceptionGroup.__new__() takes exactly 2 arguments ({count} given)")));
    };
    vm.expect_str_argument(message, |got| format!("BaseExceptionGroup.__new__() argument 1 must be str, not {got}"))?;
    if !vm.is_sequence(sequence) {
        return Err(vm.type_error("second argument (exceptions) must be a sequence"));
    }
    let plain = sequence.downcast_exact::<List>().is_some() || sequence.downcast_exact::<Tuple>().is_some();
    let shown = if plain { None } else { Some(vm.repr(sequence)?) };
    let members = vm.collect(sequence)?;
    if members.is_empty() {
        return Err(vm.value_error("second argument (exceptions) must be a non-empty sequence"));
    }
    let mut with_base_exceptions = false;
    for (at, member) in members.iter().enumerate() {
        if member.downcast::<BaseException>().is_none() {
            return Err(vm.value_error(format!("Item {at} of second argument (exceptions) is not an exception")));
        }
        with_base_exceptions |= !member.ty().is_subtype(EXCEPTION.ty());
    }
    if ty.is(&EXCEPTION_GROUP) {
        if with_base_exceptions {
            return Err(vm.type_error("Cannot nest BaseExceptions in an ExceptionGroup"));
        }
    } else if ty.is(&BASE_EXCEPTION_GROUP) {
        if !with_base_exceptions {
            ty = EXCEPTION_GROUP.ty();
        }
    } else if with_base_exceptions && ty.is_subtype(EXCEPTION.ty()) {
        return Err(vm.type_error(format!("Cannot nest BaseExceptions in '{}'", ty.name())));
    }
    let group = new_exception(ty, args.to_vec());
    set_own_field(&group, "message", message.clone());
    set_own_field(&group, "exceptions", Tuple::from_vec(members).into_value());
    if let Some(shown) = shown {
        set_own_field(&group, "excs_str", shown);
    }
    Ok(group)
}

/// Only stores the arguments; what the group holds is settled.
fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", this.ty().name())));
    }
    methods::set_args(this, args.to_vec());
    Ok(())
}

fn str(vm: &Vm, this: &Value) -> Result {
    let message = own_field(this, "message").unwrap_or(Value::NONE);
    let count = exceptions(this).len();
    let plural = if count == 1 { "" } else { "s" };
    Ok(Value::from(format!("{} ({count} sub-exception{plural})", vm.str_string(&message)?)))
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let message = vm.repr_string(&own_field(this, "message").unwrap_or(Value::NONE))?;
    let members = match own_field(this, "excs_str") {
        Some(shown) => vm.str_string(&shown)?,
        None => {
            let was_list = args(this).get(1).is_some_and(|sequence| sequence.downcast::<List>().is_some());
            let members = exceptions(this);
            let members =
                if was_list { List::from_vec(members).into_value() } else { Tuple::from_vec(members).into_value() };
            vm.repr_string(&members)?
        }
    };
    Ok(Value::from(format!("{}({message}, {members})", this.ty().short_name())))
}

/// By what `split` and `subgroup` choose.
enum Matcher<'a> {
    Instance(&'a Value),
    InstanceOfAny(&'a Tuple),
    Predicate(&'a Value),
    /// Identity of leaves, by their words.
    OneOf(&'a [u64]),
}

fn is_exception_class(value: &Value) -> bool {
    value.downcast::<Type>().is_some_and(|class| class.is_subtype(BASE_EXCEPTION.ty()))
}

impl<'a> Matcher<'a> {
    fn of(vm: &Vm, value: &'a Value) -> Result<Matcher<'a>> {
        if is_exception_class(value) {
            return Ok(Matcher::Instance(value));
        }
        if let Some(classes) = value.downcast::<Tuple>() {
            if classes.as_slice().iter().all(is_exception_class) {
                return Ok(Matcher::InstanceOfAny(classes));
            }
        } else if value.downcast::<Type>().is_none() && value.ty().slots().call.is_some() {
            return Ok(Matcher::Predicate(value));
        }
        Err(vm.type_error("expected an exception type, a tuple of exception types, or a callable (other than a class)"))
    }

    fn matches(&self, vm: &Vm, exception: &Value) -> Result<bool> {
        let is_a = |class: &Value| class.downcast::<Type>().is_some_and(|class| exception.ty().is_subtype(class));
        match self {
            Matcher::Instance(class) => Ok(is_a(class)),
            Matcher::InstanceOfAny(classes) => Ok(classes.as_slice().iter().any(is_a)),
            Matcher::Predicate(predicate) => {
                let answer = vm.call(predicate, std::slice::from_ref(exception), None)?;
                vm.is_true(&answer)
            }
            Matcher::OneOf(words) => Ok(!is_group(exception) && words.contains(&exception.word())),
        }
    }
}

/// The parts of a group that do and do not match; the second only when asked for.
struct Parts {
    matched: Option<Value>,
    rest: Option<Value>,
}

fn split(vm: &Vm, exception: &Value, matcher: &Matcher, with_rest: bool) -> Result<Parts> {
    if matcher.matches(vm, exception)? {
        return Ok(Parts { matched: Some(exception.clone()), rest: None });
    }
    if !is_group(exception) {
        return Ok(Parts { matched: None, rest: with_rest.then(|| exception.clone()) });
    }
    vm.check_stack(" in exceptiongroup_split_recursive")?;
    let (mut matched, mut rest) = (Vec::new(), Vec::new());
    for member in exceptions(exception) {
        let parts = split(vm, &member, matcher, with_rest)?;
        matched.extend(parts.matched);
        rest.extend(parts.rest);
    }
    Ok(Parts { matched: subset(vm, exception, matched)?, rest: subset(vm, exception, rest)? })
}

/// A group like `original` with these members; none if there are none.
fn subset(vm: &Vm, original: &Value, members: Vec<Value>) -> Result<Option<Value>> {
    if members.is_empty() {
        return Ok(None);
    }
    let group = vm.call_method(original, "derive", &[List::from_vec(members).into_value()])?;
    if !is_group(&group) {
        return Err(vm.type_error("derive must return an instance of BaseExceptionGroup"));
    }
    let from = traceback(original);
    if !from.is_none() {
        set_traceback(&group, from);
    }
    set_context(&group, context(original));
    set_cause(&group, cause(original));
    if let Some(notes) = vm.get_attr_opt(original, &names().__notes__)?
        && vm.is_sequence(&notes)
    {
        let copy = List::from_vec(vm.collect(&notes)?).into_value();
        vm.set_attr(&group, &names().__notes__, &copy)?;
    }
    Ok(Some(group))
}

/// The part of `group` made of the leaves with these words.
pub fn projection(vm: &Vm, group: &Value, leaves: &[u64]) -> Result<Option<Value>> {
    Ok(split(vm, group, &Matcher::OneOf(leaves), false)?.matched)
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("__class_getitem__($type, object, /)", "\
        Give an alias that states the type of the exceptions in the \
        group.", |vm, class, args| Ok(generic_alias::new(vm, class, &args[0]))).class(),
    MethodDef::new("derive($self, excs, /)", "", |vm, this, args| {
        let message = own_field(this, "message").unwrap_or(Value::NONE);
        vm.instantiate(BASE_EXCEPTION_GROUP.ty(), &[message, args[0].clone()])
    }),
    MethodDef::new("split($self, matcher_value, /)", "", |vm, this, args| {
        let parts = split(vm, this, &Matcher::of(vm, &args[0])?, true)?;
        let or_none = |part: Option<Value>| part.unwrap_or(Value::NONE);
        Ok(Tuple::from_vec(vec![or_none(parts.matched), or_none(parts.rest)]).into_value())
    }),
    MethodDef::new("subgroup($self, matcher_value, /)", "", |vm, this, args| {
        let parts = split(vm, this, &Matcher::of(vm, &args[0])?, false)?;
        Ok(parts.matched.unwrap_or(Value::NONE))
    }),
]; }

pub static MEMBERS: &[MemberDef] = &[
    MemberDef::new(
        "message",
        "\
        message of the exception",
        |_, this| Ok(own_field(this, "message").unwrap_or(Value::NONE)),
    ),
    MemberDef::new("exceptions", "nested exceptions", |_, this| {
        Ok(own_field(this, "exceptions").unwrap_or(Value::NONE))
    }),
];

/// `ExceptionGroup` also derives from `Exception`.
pub static EXCEPTION_GROUP: TypeSpec = TypeSpec::new::<BaseException>("ExceptionGroup")
    .base(&BASE_EXCEPTION_GROUP)
    .second_base(&EXCEPTION)
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF)
    .populate(|ty| {
        // CPython makes this class at run time, which shows in what its namespace has.
        ty.set_raw("__module__", Value::from("builtins"));
        let weakref = crate::native::descriptors::getset(ty, &crate::types::creation::WEAKREF_GETSET);
        ty.set_raw("__weakref__", weakref);
    });
