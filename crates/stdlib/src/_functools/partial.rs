//! `functools.partial` and `functools.Placeholder`.

use crate::payload::{class_of, payload};
use smallvec::SmallVec;
use std::sync::OnceLock;
use taipan_object::attributes;
use taipan_object::builtins::dict::{self, Dict};
use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::builtins::method;
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::{TUPLE, Tuple};
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::types::{TypeSpec, creation, type_flags};
use taipan_object::vm::{names, with_joined};
use taipan_object::{Ref, Result, Value, Vm, method_table};

payload! {
    /// `functools._PlaceholderType`
    pub struct Placeholder(PlaceholderState): PLACEHOLDER_TYPE {}
}

pub static PLACEHOLDER_TYPE: TypeSpec = TypeSpec::new::<Placeholder>("functools._PlaceholderType")
    .doc("The type of Placeholder.\n\nIn a partial object, Placeholder keeps a position free for an argument.")
    .slots(|s| {
        s.new = Some(|vm, _, args, _| match args {
            [] => Ok(placeholder()),
            _ => Err(vm.type_error("PlaceholderType takes no arguments")),
        });
        s.repr = Some(|_, _| Ok(Value::from("Placeholder")));
    })
    .methods(PLACEHOLDER_METHODS);

method_table! { static PLACEHOLDER_METHODS = [
    MethodDef::new("__reduce__($self, /)", "", |_, _, _| Ok(Value::from("Placeholder"))),
]; }

/// `functools.Placeholder`
pub fn placeholder() -> Value {
    static PLACEHOLDER: OnceLock<Value> = OnceLock::new();
    PLACEHOLDER.get_or_init(|| Placeholder::make(PLACEHOLDER_TYPE.ty(), PlaceholderState {})).clone()
}

fn is_placeholder(value: &Value) -> bool {
    value.is_object() && value.is(&placeholder())
}

payload! {
    /// `functools.partial`: `placeholders` counts those among the arguments.
    pub struct Partial(PartialState): PARTIAL {
        function: Value, args: Value, keywords: Value, placeholders: usize
    }
}

pub static PARTIAL: TypeSpec = TypeSpec::new::<Partial>("functools.partial")
    .doc(
        "partial(func, /, *args, **keywords)\n\
        --\n\n\
        A callable that adds stored arguments to those of a call, and calls a function.",
    )
    .flags(type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(new);
        s.call = Some(call);
        s.repr = Some(repr);
        s.descr_get = Some(|_, this, object, _| {
            Ok(match object {
                Some(object) if !object.is_none() => method::new(this.clone(), object.clone()),
                _ => this.clone(),
            })
        });
    })
    .members(MEMBERS)
    .getset(&[GetSetDef::new("__dict__", "", creation::get_dict).setter(creation::set_dict)])
    .methods(METHODS);

fn items(tuple: &Value) -> &[Value] {
    tuple.downcast::<Tuple>().map_or(&[], Tuple::as_slice)
}

fn keyword_dict(keywords: &Value) -> Ref<Dict> {
    keywords.downcast_ref::<Dict>().unwrap_or_else(Dict::new)
}

impl Partial {
    fn parts(&self) -> (Value, Value, Value, usize) {
        self.with(|state| (state.function.clone(), state.args.clone(), state.keywords.clone(), state.placeholders))
    }
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let names = kwnames.map_or(&[][..], items);
    let (positional, keyword_values) = args.split_at(args.len() - names.len());
    let Some((function, positional)) = positional.split_first() else {
        return Err(vm.type_error("type 'partial' takes at least one argument"));
    };
    if function.ty().slots().call.is_none() {
        return Err(vm.type_error("the first argument must be callable"));
    }
    if positional.last().is_some_and(is_placeholder) {
        return Err(vm.type_error("trailing Placeholders are not allowed"));
    }
    if keyword_values.iter().any(is_placeholder) {
        return Err(vm.type_error("Placeholder cannot be passed as a keyword argument"));
    }
    let mut function = function.clone();
    let mut all: Vec<Value> = Vec::with_capacity(positional.len());
    let keywords;
    // A partial of a partial without attributes of its own becomes one.
    match flattened(&function) {
        Some((inner, inner_args, inner_keywords)) => {
            let mut given = positional.iter();
            for argument in items(&inner_args) {
                match is_placeholder(argument) {
                    true => all.push(given.next().unwrap_or(argument).clone()),
                    false => all.push(argument.clone()),
                }
            }
            all.extend(given.cloned());
            keywords = keyword_dict(&inner_keywords).try_copy(vm)?;
            function = inner;
        }
        None => {
            all.extend_from_slice(positional);
            keywords = Dict::new();
        }
    }
    for (name, value) in names.iter().zip(keyword_values) {
        keywords.set(vm, name, value.clone())?;
    }
    let placeholders = all.iter().filter(|argument| is_placeholder(argument)).count();
    let args = Tuple::from_vec(all).into_value();
    let state = PartialState { function, args, keywords: keywords.into_value(), placeholders };
    Ok(Partial::make(class_of(class), state))
}

/// Function, arguments and keywords of a partial that can be merged into another.
fn flattened(function: &Value) -> Option<(Value, Value, Value)> {
    let partial = function.downcast::<Partial>()?;
    let is_plain = function
        .ty()
        .slots()
        .call
        .is_some_and(|slot| std::ptr::fn_addr_eq(slot, call as taipan_object::types::slots::Call));
    if !is_plain || attributes::has_any(&partial.header) {
        return None;
    }
    let (function, args, keywords, _) = partial.parts();
    Some((function, args, keywords))
}

fn call(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    vm.check_stack(" while calling a Python object")?;
    let (function, bound, keywords, placeholders) = Partial::of(this).parts();
    if placeholders == 0 && keywords.downcast::<Dict>().is_none_or(|keywords| keywords.len() == 0) {
        return with_joined(items(&bound), args, |all| vm.call(&function, all, kwnames));
    }
    let names = kwnames.map_or(&[][..], items);
    let (positional, keyword_values) = args.split_at(args.len() - names.len());
    if positional.len() < placeholders {
        return Err(vm.type_error(format!(
            "missing positional arguments in 'partial' call; expected at least {placeholders}, got {}",
            positional.len()
        )));
    }
    let bound = items(&bound);
    let mut all: SmallVec<[Value; 8]> = SmallVec::with_capacity(bound.len() + args.len());
    let mut given = positional.iter();
    for argument in bound {
        match placeholders > 0 && is_placeholder(argument) {
            true => all.extend(given.next().cloned()),
            false => all.push(argument.clone()),
        }
    }
    all.extend(given.cloned());
    let keywords = keyword_dict(&keywords);
    if keywords.len() == 0 {
        all.extend(keyword_values.iter().cloned());
        return vm.call(&function, &all, kwnames);
    }
    let merged = match names {
        [] => keywords,
        _ => {
            let merged = keywords.try_copy(vm)?;
            for (name, value) in names.iter().zip(keyword_values) {
                merged.set(vm, name, value.clone())?;
            }
            merged
        }
    };
    let mut merged_names: SmallVec<[Value; 8]> = SmallVec::new();
    {
        let table = merged.state.borrow(&merged.header);
        for (name, value) in table.entries.iter().filter_map(|entry| Some((entry.key.as_ref()?, &entry.value))) {
            merged_names.push(name.clone());
            all.push(value.clone());
        }
    }
    if merged_names.iter().any(|name| name.downcast::<Str>().is_none()) {
        return Err(vm.type_error("keywords must be strings"));
    }
    let merged_names = Tuple::new_with_type(TUPLE.ty(), merged_names.into_iter());
    vm.call(&function, &all, Some(merged_names.as_value()))
}

fn repr(vm: &Vm, this: &Value) -> Result {
    if !vm.enter_repr(this) {
        return Ok(Value::from("..."));
    }
    let result = repr_parts(vm, this);
    vm.leave_repr(this);
    result
}

fn repr_parts(vm: &Vm, this: &Value) -> Result {
    let (function, args, keywords, _) = Partial::of(this).parts();
    let class = this.ty().to_value();
    let module = vm.get_attr(&class, &names().__module__)?;
    let qualname = vm.get_attr(&class, &names().__qualname__)?;
    let mut text = StrBuilder::new();
    text.push_str(&format!("{}.{}(", vm.display_name(&module), vm.display_name(&qualname)));
    text.push_repr(vm, &function)?;
    for argument in items(&args) {
        text.push_str(", ");
        text.push_repr(vm, argument)?;
    }
    for (name, value) in keyword_dict(&keywords).items() {
        text.push_str(", ");
        // Names need not be strings in a pickle.
        let name = vm.str(&name)?;
        if let Some(name) = name.downcast::<Str>() {
            text.push_text(name);
        }
        text.push_str("=");
        text.push_repr(vm, &value)?;
    }
    text.push_str(")");
    Ok(text.finish().into_value())
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("func", "the function that calls are passed on to", |_, this| Ok(Partial::of(this).parts().0)),
    MemberDef::new(
        "args",
        "\
        the positional arguments that are put before those of a call",
        |_, this| Ok(Partial::of(this).parts().1),
    ),
    MemberDef::new("keywords", "the keyword arguments of every call that does not give them itself", |_, this| {
        Ok(Partial::of(this).parts().2)
    }),
];

method_table! { static METHODS = [
    MethodDef::new("__reduce__($self, /)", "", |_, this, _| {
        let partial = Partial::of(this);
        let (function, args, keywords, _) = partial.parts();
        let attributes = match attributes::has_any(&partial.header) {
            true => attributes::dictionary(&partial.header).into_value(),
            false => Value::NONE,
        };
        let state = Tuple::from_array([function.clone(), args, keywords, attributes]).into_value();
        let arguments = Tuple::from_array([function]).into_value();
        Ok(Tuple::from_array([this.ty().to_value(), arguments, state]).into_value())
    }),
    MethodDef::new("__setstate__($self, object, /)", "", |vm, this, args| set_state(vm, this, &args[0])),
    CLASS_GETITEM,
]; }

fn set_state(vm: &Vm, this: &Value, state: &Value) -> Result {
    let invalid = || vm.type_error("invalid partial state");
    let Some([function, args, keywords, attributes]) = state.downcast::<Tuple>().map(Tuple::as_slice) else {
        return Err(invalid());
    };
    let (Some(_), Some(arguments)) = (function.ty().slots().call, args.downcast::<Tuple>()) else {
        return Err(invalid());
    };
    if !keywords.is_none() && keywords.downcast::<Dict>().is_none()
        || !attributes.is_none() && attributes.downcast::<Dict>().is_none()
    {
        return Err(invalid());
    }
    if arguments.as_slice().last().is_some_and(is_placeholder) {
        return Err(vm.type_error("trailing Placeholders are not allowed"));
    }
    let placeholders = arguments.as_slice().iter().filter(|argument| is_placeholder(argument)).count();
    let args = match args.downcast_exact::<Tuple>() {
        Some(_) => args.clone(),
        None => Tuple::from_slice(arguments.as_slice()).into_value(),
    };
    let keywords = match (keywords.downcast_exact::<Dict>(), keywords.downcast::<Dict>()) {
        (Some(_), _) => keywords.clone(),
        (None, Some(_)) => {
            let copy = Dict::new();
            dict::update(vm, &copy, keywords)?;
            copy.into_value()
        }
        (None, None) => Dict::new().into_value(),
    };
    let partial = Partial::of(this);
    let new = PartialState { function: function.clone(), args, keywords, placeholders };
    let old = partial.with(|state| std::mem::replace(state, new));
    drop(old);
    if let Some(attributes) = attributes.downcast_ref::<Dict>() {
        attributes::set_dictionary(&partial.header, attributes);
    } else if attributes::has_any(&partial.header) {
        attributes::set_dictionary(&partial.header, Dict::new());
    }
    Ok(Value::NONE)
}
