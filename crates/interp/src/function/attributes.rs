//! What Python sees of a function.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::method;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::signature::Signature;
use taipan_object::native::{GetSetDef, MemberDef};
use taipan_object::object::{Ref, Result};
use taipan_object::types::slots::Slots;
use taipan_object::{Value, Vm};

use super::Function;
use crate::code::Code;
use std::sync::LazyLock;
use taipan_bytecode::code::{CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR};
use taipan_object::builtins::cell::Cell;

pub(super) const DOC: &str = "function(code, globals, name=None, argdefs=None, closure=None,\n         \
    kwdefaults=None)\n\
    --\n\n\
    A function, made from its parts.\n\n  \
    code\n    \
    the code object\n  \
    globals\n    \
    the dictionary of its global variables\n  \
    name\n    \
    its name; by default the name in the code object\n  \
    argdefs\n    \
    the defaults of the positional parameters, a tuple\n  \
    closure\n    \
    the cells of the free variables, a tuple\n  \
    kwdefaults\n    \
    the defaults of the keyword-only parameters, a dictionary";

fn own(this: &Value) -> &Function {
    this.downcast::<Function>().expect("called through its own slot")
}

pub(super) fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.call = Some(crate::eval::call_function);
    s.repr = Some(|vm, this| {
        let name = vm.display_name(&own(this).qualname());
        Ok(Value::from(format!("<function {name} at {:#x}>", this.id())))
    });
    s.descr_get = Some(|_, this, object, _| match object {
        Some(object) if !object.is_none() => Ok(method::new(this.clone(), object.clone())),
        _ => Ok(this.clone()),
    });
}

pub(super) static MEMBERS: &[MemberDef] = &[
    MemberDef::new("__closure__", "", |_, this| {
        Ok(own(this).closure.get().map_or(Value::NONE, |closure| closure.as_value().clone()))
    }),
    MemberDef::new("__globals__", "", |_, this| Ok(own(this).globals.as_value().clone())),
    MemberDef::new("__builtins__", "", |_, this| Ok(own(this).builtins.as_value().clone())),
];

fn optional<T: taipan_object::object::Payload>(value: Option<Ref<T>>) -> Value {
    value.map_or(Value::NONE, Ref::into_value)
}

/// `value` as a `T`, None for `None` and deletion, else an error.
fn optional_of<T: taipan_object::object::Payload>(
    vm: &Vm,
    value: Option<&Value>,
    message: &str,
) -> Result<Option<Ref<T>>> {
    match value.filter(|value| !value.is_none()) {
        None => Ok(None),
        Some(value) => match value.downcast_ref::<T>() {
            Some(value) => Ok(Some(value)),
            None => Err(vm.type_error(message)),
        },
    }
}

fn text(vm: &Vm, value: Option<&Value>, message: &str) -> Result {
    match value.filter(|value| value.downcast::<Str>().is_some()) {
        Some(value) => Ok(value.clone()),
        None => Err(vm.type_error(message)),
    }
}

pub(super) static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__code__", "", |_, this| Ok(taipan_object::object::to_value(own(this).code()))).setter(
        |vm, this, value| {
            let Some(code) = value.and_then(|value| value.downcast_ref::<Code>()) else {
                return Err(vm.type_error("__code__ must be set to a code object"));
            };
            let function = own(this);
            let (free, closure) = (code.data.freevars().count(), function.closure.get().map_or(0, |c| c.len()));
            if free != closure {
                let name = vm.display_name(&function.name());
                return Err(
                    vm.value_error(format!("{name}() requires a code object with {closure} free vars, not {free}"))
                );
            }
            const KINDS: u32 = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
            if (code.data.flags ^ function.code().data.flags) & KINDS != 0 {
                vm.warn(
                    &taipan_object::exceptions::DEPRECATION_WARNING.value(),
                    "Assigning a code object of non-matching type is deprecated (e.g., from a generator to a plain function)",
                    1,
                )?;
            }
            function.set_code(code);
            Ok(())
        },
    ),
    GetSetDef::new("__defaults__", "", |_, this| Ok(optional(own(this).defaults()))).setter(|vm, this, value| {
        let value = optional_of(vm, value, "__defaults__ must be set to a tuple object")?;
        own(this).set_defaults(value);
        Ok(())
    }),
    GetSetDef::new("__kwdefaults__", "", |_, this| Ok(optional(own(this).kwdefaults()))).setter(|vm, this, value| {
        let value = optional_of(vm, value, "__kwdefaults__ must be set to a dict object")?;
        own(this).set_kwdefaults(value);
        Ok(())
    }),
    GetSetDef::new("__annotations__", "The annotations of the parameters and the result.", annotations).setter(
        |vm, this, value| {
            let value = optional_of::<Dict>(vm, value, "__annotations__ must be set to a dict object")?;
            let function = own(this);
            function.set_annotations(value.map(Ref::into_value));
            function.set_annotate(None);
            Ok(())
        },
    ),
    GetSetDef::new("__annotate__", "The function that computes the annotations, or None.", |_, this| {
        let function = own(this);
        Ok(function.state.borrow(&function.header).annotate.clone().unwrap_or(Value::NONE))
    })
    .setter(|vm, this, value| {
        let function = own(this);
        match value {
            None => Err(vm.type_error("__annotate__ cannot be deleted")),
            Some(value) if value.is_none() => {
                function.set_annotate(None);
                Ok(())
            }
            Some(value) if value.ty().slots().call.is_some() => {
                function.set_annotate(Some(value.clone()));
                function.set_annotations(None);
                Ok(())
            }
            Some(_) => Err(vm.type_error("__annotate__ must be callable or None")),
        }
    }),
    GetSetDef::new("__dict__", "", |_, this| {
        let header = this.as_object().expect("a function is an object");
        Ok(optional(taipan_object::native::own_dict_for_write(this.ty(), header)))
    })
    .setter(|vm, this, value| {
        let Some(value) = value else { return Err(vm.type_error("cannot delete __dict__")) };
        let Some(dict) = value.downcast_ref::<Dict>() else {
            let name = value.ty().name();
            return Err(vm.type_error(format!("__dict__ must be set to a dictionary, not a '{name}'")));
        };
        let function = own(this);
        let old = function.state.borrow(&function.header).dict.replace(dict);
        drop(old);
        Ok(())
    }),
    GetSetDef::new("__doc__", "", |_, this| {
        let function = own(this);
        Ok(function.doc())
    })
    .setter(|_, this, value| {
        let function = own(this);
        let value = value.cloned().unwrap_or(Value::NONE);
        let old = std::mem::replace(&mut function.state.borrow(&function.header).doc, value);
        drop(old);
        Ok(())
    }),
    GetSetDef::new("__module__", "", |_, this| {
        let function = own(this);
        Ok(function.state.borrow(&function.header).module.clone())
    })
    .setter(|_, this, value| {
        let function = own(this);
        let value = value.cloned().unwrap_or(Value::NONE);
        let old = std::mem::replace(&mut function.state.borrow(&function.header).module, value);
        drop(old);
        Ok(())
    }),
    GetSetDef::new("__name__", "", |_, this| Ok(own(this).name())).setter(|vm, this, value| {
        let value = text(vm, value, "__name__ must be set to a string object")?;
        let function = own(this);
        let old = std::mem::replace(&mut function.state.borrow(&function.header).name, value);
        drop(old);
        Ok(())
    }),
    GetSetDef::new("__qualname__", "", |_, this| Ok(own(this).qualname())).setter(|vm, this, value| {
        let value = text(vm, value, "__qualname__ must be set to a string object")?;
        let function = own(this);
        let old = std::mem::replace(&mut function.state.borrow(&function.header).qualname, value);
        drop(old);
        Ok(())
    }),
    GetSetDef::new("__type_params__", "The type parameters with which the function was declared.", |_, this| {
        let function = own(this);
        let params = function.state.borrow(&function.header).type_params.clone();
        Ok(params.unwrap_or_else(|| Tuple::from_vec(Vec::new()).into_value()))
    })
    .setter(|vm, this, value| match value.filter(|value| value.downcast::<Tuple>().is_some()) {
        Some(value) => {
            own(this).set_type_params(value.clone());
            Ok(())
        }
        None => Err(vm.type_error("__type_params__ must be set to a tuple")),
    }),
];

/// Annotations are made by `__annotate__` when first asked for.
fn annotations(vm: &Vm, this: &Value) -> Result {
    let function = own(this);
    let (known, annotate) = {
        let state = function.state.borrow(&function.header);
        (state.annotations.clone(), state.annotate.clone())
    };
    if let Some(known) = known {
        // The compiler may give a tuple of names and values in turn.
        let Some(pairs) = known.downcast::<Tuple>() else { return Ok(known) };
        let dict = Dict::new();
        for pair in pairs.as_slice().chunks_exact(2) {
            dict.set(vm, &pair[0], pair[1].clone())?;
        }
        function.set_annotations(Some(dict.as_value().clone()));
        return Ok(dict.into_value());
    }
    let made = match annotate {
        Some(annotate) => {
            let made = vm.call(&annotate, &[Value::small_int(1)], None)?;
            if made.downcast::<Dict>().is_none() {
                let name = made.ty().name();
                return Err(vm.type_error(format!("__annotate__ returned non-dict of type '{name}'")));
            }
            made
        }
        None => Dict::new().into_value(),
    };
    function.set_annotations(Some(made.clone()));
    Ok(made)
}

/// `function(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)`.
fn new(vm: &Vm, _class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| {
        Signature::parse("function(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)")
    });
    let bound = SIGNATURE.bind(vm, args, kwnames)?;
    let given: Vec<Option<&Value>> = bound.iter().map(Some).collect();
    let wrong = |what: &str, expected: &str, value: &Value| {
        let got = vm.argument_type(value);
        Err(vm.type_error(format!("function() argument '{what}' must be {expected}, not {got}")))
    };
    let (code_value, globals_value) = (given[0].expect("checked"), given[1].expect("checked"));
    let Some(code) = code_value.downcast_ref::<Code>() else { return wrong("code", "code", code_value) };
    let Some(globals) = globals_value.downcast_ref::<Dict>() else { return wrong("globals", "dict", globals_value) };
    let name = given[2].filter(|value| !value.is_none());
    if name.is_some_and(|name| name.downcast::<Str>().is_none()) {
        return Err(vm.type_error("arg 3 (name) must be None or string"));
    }
    let defaults = optional_of::<Tuple>(vm, given[3], "arg 4 (defaults) must be None or tuple")?;
    let free = code.data.freevars().count();
    let message = if free > 0 { "arg 5 (closure) must be tuple" } else { "arg 5 (closure) must be None or tuple" };
    let closure = optional_of::<Tuple>(vm, given[4], message)?;
    if free > 0 && closure.is_none() {
        return Err(vm.type_error("arg 5 (closure) must be tuple"));
    }
    let cells = closure.as_ref().map_or(0, |closure| closure.len());
    if cells != free {
        let name = code.data.name.to_str_lossy();
        return Err(vm.value_error(format!("{name} requires closure of length {free}, not {cells}")));
    }
    for cell in closure.iter().flat_map(|closure| closure.as_slice()) {
        if cell.downcast::<Cell>().is_none() {
            let found = cell.ty().name();
            return Err(vm.type_error(format!("arg 5 (closure) expected cell, found {found}")));
        }
    }
    let kwdefaults = optional_of::<Dict>(vm, given[5], "arg 6 (kwdefaults) must be None or dict")?;
    vm.audit("function.__new__", std::slice::from_ref(code_value))?;
    let function = Function::with_closure(vm, code, globals, closure.filter(|closure| closure.len() > 0));
    if let Some(name) = name {
        function.state.borrow(&function.header).name = name.clone();
    }
    function.set_defaults(defaults);
    function.set_kwdefaults(kwdefaults);
    Ok(function.into_value())
}
