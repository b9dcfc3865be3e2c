//! Checks of arguments for functions that take them as they come.

use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;

/// An argument that may be missing, of a function with [`MethodDef::optional`](super::MethodDef::optional).
#[inline(always)]
pub fn optional(args: &[Value], at: usize) -> Option<&Value> {
    args.get(at).and_then(Value::bound)
}

/// No keyword arguments (`_PyArg_NoKeywords`).
#[inline]
pub fn no_keywords(vm: &Vm, name: &str, kwnames: Option<&Value>) -> Result<()> {
    match kwnames {
        Some(names) if vm.tuple_len(names) > 0 => Err(vm.type_error(format!("{name}() takes no keyword arguments"))),
        _ => Ok(()),
    }
}

/// The number of positional arguments (`_PyArg_CheckPositional`).
#[inline]
pub fn check_positional(vm: &Vm, name: &str, given: usize, min: usize, max: usize) -> Result<()> {
    if given >= min && given <= max {
        return Ok(());
    }
    let (bound, limit) = match () {
        _ if min == max => ("", min),
        _ if given < min => ("at least ", min),
        _ => ("at most ", max),
    };
    let plural = if limit == 1 { "" } else { "s" };
    Err(vm.type_error(format!("{name} expected {bound}{limit} argument{plural}, got {given}")))
}

/// The arguments of `name(iterable=(), /)`.
pub fn optional_iterable<'a>(
    vm: &Vm,
    name: &str,
    args: &'a [Value],
    kwnames: Option<&Value>,
) -> Result<Option<&'a Value>> {
    no_keywords(vm, name, kwnames)?;
    check_positional(vm, name, args.len(), 0, 1)?;
    Ok(args.first())
}

/// As [`optional_iterable`], for constructors whose keyword arguments may be meant for a subclass's other half.
pub fn optional_iterable_ignoring_keywords<'a>(
    vm: &Vm,
    name: &str,
    args: &'a [Value],
    kwnames: Option<&Value>,
) -> Result<Option<&'a Value>> {
    let args = &args[..args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))];
    optional_iterable(vm, name, args, None)
}
