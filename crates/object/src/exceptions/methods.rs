//! Slots, methods and attributes of `BaseException`; `KeyError.__str__`.

use super::*;
use crate::builtins::str::{Str, StrBuilder};
use crate::native::{GetSetDef, MemberDef, MethodDef};
use crate::types::slots::Slots;
use crate::vm::names;

pub fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.str = Some(str);
    s.repr = Some(repr);
}

/// Slots of the classes that differ from their base in nothing but their name.
pub fn simple_slots(s: &mut Slots) {
    s.new = Some(new);
}

/// `BaseException.__new__`: keeps the positional arguments.
pub fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("`tp_new` gets a type");
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    Ok(match &args[..positional] {
        [] => with_args(ty, crate::builtins::tuple::empty()),
        [one] => new_exception_with(ty, one.clone()),
        several => with_args(ty, Tuple::from_slice(several)),
    })
}

pub fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    if keywords > 0 {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", this.ty().name())));
    }
    if !has_args(this, args) {
        set_args(this, args.to_vec());
    }
    fields::init_from_args(this);
    Ok(())
}

/// Whether these are the arguments already: `__new__` has got the same ones.
fn has_args(this: &Value, args: &[Value]) -> bool {
    let exception = state(this);
    let state = exception.state.borrow(&exception.header);
    state.arguments().is_some_and(|own| own.len() == args.len() && own.iter().zip(args).all(|(own, new)| own.is(new)))
}

pub fn set_args(this: &Value, args: Vec<Value>) {
    let exception = state(this);
    let args = Tuple::from_vec(args).into_value();
    let old = exception.state.borrow(&exception.header).replace_args(args);
    drop(old);
}

fn str(vm: &Vm, this: &Value) -> Result {
    let args = args_tuple(this);
    match args.downcast::<Tuple>().map_or(&[][..], Tuple::as_slice) {
        [] => Ok(crate::builtins::str::empty()),
        [one] => vm.str(one),
        _ => vm.str(&args),
    }
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let args = args(this);
    let name = this.ty().short_name();
    let (shown, parentheses) = match args.as_slice() {
        [one] => (vm.repr(one)?, ["(", ")"]),
        _ => (vm.repr(&Tuple::from_vec(args).into_value())?, ["", ""]),
    };
    let mut text = StrBuilder::new();
    text.push_str(&name);
    text.push_str(parentheses[0]);
    if let Some(shown) = shown.downcast::<Str>() {
        text.push_text(shown);
    }
    text.push_str(parentheses[1]);
    Ok(text.finish().into_value())
}

pub fn key_error_slots(s: &mut Slots) {
    // The repr of the key, so that `KeyError('')` shows something.
    s.str = Some(|vm, this| match args(this).as_slice() {
        [key] => vm.repr(key),
        _ => str(vm, this),
    });
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("with_traceback($self, tb, /)", "\
        Store tb as this exception's __traceback__, then return the exception.", |vm, this, args| {
        set_checked_traceback(vm, this, &args[0])?;
        Ok(this.clone())
    }),
    MethodDef::new("add_note($self, note, /)", "\
        Attach a note, a str that is shown after the traceback.", |vm, this, args| {
        vm.expect_str_argument(&args[0], |got| format!("add_note() argument must be str, not {got}"))?;
        let notes = match vm.get_attr_opt(this, &names().__notes__)? {
            Some(notes) => notes,
            None => {
                let list = crate::builtins::list::List::from_vec(Vec::new()).into_value();
                vm.set_attr(this, &names().__notes__, &list)?;
                list
            }
        };
        match notes.downcast::<crate::builtins::list::List>() {
            Some(list) => list.push(args[0].clone()),
            None => return Err(vm.type_error("Cannot add note: __notes__ is not a list")),
        }
        Ok(Value::NONE)
    }),
    MethodDef::new("__reduce__($self, /)", "", |_, this, _| {
        let mut parts = vec![this.ty().to_value(), args_tuple(this)];
        if let Some(header) = this.as_object()
            && let Some(dict) = own_attributes(header)
        {
            parts.push(dict);
        }
        Ok(Tuple::from_vec(parts).into_value())
    }),
    MethodDef::new("__setstate__($self, state, /)", "", |vm, this, args| {
        if args[0].is_none() {
            return Ok(Value::NONE);
        }
        let Some(dict) = args[0].downcast::<crate::builtins::dict::Dict>() else {
            return Err(vm.type_error("state is not a dictionary"));
        };
        for (name, value) in dict.items() {
            let name = vm.attribute_name(&name)?;
            vm.set_attr(this, &name, &value)?;
        }
        Ok(Value::NONE)
    }),
]; }

/// `exception.args` as it is.
pub fn args_tuple(this: &Value) -> Value {
    let exception = state(this);
    exception.state.borrow(&exception.header).args().clone()
}

/// The instance dict, if the exception has attributes.
pub fn own_attributes(header: &Header) -> Option<Value> {
    let has = header.has_flag(crate::header::object_flags::DICT_MODE) || !crate::shape::of(header).names.is_empty();
    has.then(|| crate::attributes::dictionary(header).into_value())
}

fn set_checked_traceback(vm: &Vm, this: &Value, traceback: &Value) -> Result<()> {
    if !traceback.is_none() && traceback.ty().name() != "traceback" {
        return Err(vm.type_error("__traceback__ must be a traceback or None"));
    }
    set_traceback(this, traceback.clone());
    Ok(())
}

fn exception_or_none(vm: &Vm, value: &Value, what: &str) -> Result<Option<Value>> {
    if value.is_none() {
        return Ok(None);
    }
    if value.downcast::<BaseException>().is_none() {
        return Err(vm.type_error(format!("exception {what} must be None or derive from BaseException")));
    }
    Ok(Some(value.clone()))
}

pub static MEMBERS: &[MemberDef] = &[MemberDef::new("__suppress_context__", "", |_, this| {
    let exception = state(this);
    Ok(Value::bool(exception.state.borrow(&exception.header).suppress_context))
})
.setter(|vm, this, value| {
    let Some(value) = value else { return Err(vm.type_error("can't delete numeric/char attribute")) };
    if !value.is_bool() {
        return Err(vm.type_error("attribute value type must be bool"));
    }
    let exception = state(this);
    exception.state.borrow(&exception.header).suppress_context = value.is_true();
    Ok(())
})];

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__dict__", "", crate::types::creation::get_dict).setter(crate::types::creation::set_dict),
    GetSetDef::new("args", "", |_, this| Ok(args_tuple(this))).setter(|vm, this, value| {
        let Some(value) = value else { return Err(vm.type_error("args may not be deleted")) };
        let items = vm.collect(value)?;
        set_args(this, items);
        Ok(())
    }),
    GetSetDef::new("__traceback__", "", |_, this| Ok(traceback(this))).setter(|vm, this, value| match value {
        Some(value) => set_checked_traceback(vm, this, value),
        None => Err(vm.type_error("__traceback__ may not be deleted")),
    }),
    GetSetDef::new("__context__", "", |_, this| Ok(context(this).unwrap_or(Value::NONE))).setter(|vm, this, value| {
        let Some(value) = value else { return Err(vm.type_error("__context__ may not be deleted")) };
        set_context(this, exception_or_none(vm, value, "context")?);
        Ok(())
    }),
    GetSetDef::new("__cause__", "", |_, this| Ok(cause(this).unwrap_or(Value::NONE))).setter(|vm, this, value| {
        let Some(value) = value else { return Err(vm.type_error("__cause__ may not be deleted")) };
        set_cause(this, exception_or_none(vm, value, "cause")?);
        Ok(())
    }),
];
