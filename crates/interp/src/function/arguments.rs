//! Binding of arguments to parameters, with CPython's errors.

use smallvec::SmallVec;
use taipan_bytecode::code::{CO_VARARGS, CO_VARKEYWORDS};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::object::Result;
use taipan_object::{Raised, Value, Vm};

use super::Function;
use crate::frame::release;
use taipan_object::text::suggestions;

/// Arguments on their way to a callee: positional ones, then the values of the keyword ones.
pub type Arguments = SmallVec<[Value; 8]>;

/// Fills the first locals, all null so far, from the arguments. On error the locals are null again.
///
/// # Safety
/// `locals` points to as many registers as the function's code has localsplus.
pub unsafe fn bind(
    vm: &Vm,
    function: &Function,
    args: Arguments,
    kwnames: Option<&Value>,
    locals: *mut u64,
) -> Result<()> {
    let total = function.code().total_args();
    // SAFETY: a code object's arguments are among its locals.
    let slots = unsafe { std::slice::from_raw_parts_mut(locals, total) };
    let result = fill(vm, function, args, kwnames, slots);
    if result.is_err() {
        for slot in slots {
            // SAFETY: a local owns what it holds.
            unsafe { release(std::mem::replace(slot, 0)) };
        }
    }
    result
}

fn fill(vm: &Vm, function: &Function, args: Arguments, kwnames: Option<&Value>, locals: &mut [u64]) -> Result<()> {
    let code = function.code();
    let argcount = code.data.argcount as usize;
    let named = argcount + code.data.kwonlyargcount as usize;
    let var_positional = code.has_flag(CO_VARARGS).then_some(named);
    let var_keyword = code.has_flag(CO_VARKEYWORDS).then_some(named + var_positional.is_some() as usize);
    let kwnames: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], |names| names.as_slice());
    let given = args.len() - kwnames.len();

    let extra_keywords = var_keyword.map(|at| {
        let dict = Dict::new();
        locals[at] = dict.as_value().clone().into_word();
        dict
    });
    let mut args = args.into_iter();
    for (local, value) in locals[..argcount].iter_mut().zip(args.by_ref().take(given.min(argcount))) {
        *local = value.into_word();
    }
    if let Some(at) = var_positional {
        let rest: Vec<Value> = args.by_ref().take(given.saturating_sub(argcount)).collect();
        locals[at] = Tuple::from_vec(rest).into_value().into_word();
    } else {
        args.by_ref().take(given.saturating_sub(argcount)).for_each(drop);
    }

    let posonly = code.data.posonlyargcount as usize;
    for (keyword, value) in kwnames.iter().zip(args) {
        let Some(text) = keyword.downcast::<Str>() else {
            return Err(vm.type_error(format!("{}() keywords must be strings", qualname(vm, function))));
        };
        let parameters = &code.localsplusnames()[posonly..named];
        let at = parameters.iter().position(|name| name.word() == keyword.word()).or_else(|| {
            parameters.iter().position(|name| name.downcast::<Str>().is_some_and(|name| name.equals(text)))
        });
        match at {
            Some(at) => {
                let local = &mut locals[posonly + at];
                if *local != 0 {
                    let (function, name) = (qualname(vm, function), vm.display_name(keyword));
                    return Err(vm.type_error(format!("{function}() got multiple values for argument '{name}'")));
                }
                *local = value.into_word();
            }
            None => match &extra_keywords {
                Some(dict) => dict.set(vm, keyword, value)?,
                None => return Err(unexpected_keyword(vm, function, kwnames, keyword)),
            },
        }
    }

    if given > argcount && var_positional.is_none() {
        return Err(too_many_positional(vm, function, given, locals));
    }
    if given < argcount {
        let defaults = function.defaults_slice();
        let required = argcount.saturating_sub(defaults.len());
        if locals[given.min(required)..required].contains(&0) {
            return Err(missing(vm, function, locals, 0..required, "positional"));
        }
        let skip = defaults.len().saturating_sub(argcount);
        for (local, default) in locals[required..argcount].iter_mut().zip(&defaults[skip..]) {
            if *local == 0 {
                *local = default.clone().into_word();
            }
        }
    }
    if named > argcount && locals[argcount..named].contains(&0) {
        if let Some(defaults) = function.kwdefaults() {
            for (local, name) in locals[argcount..named].iter_mut().zip(&code.localsplusnames()[argcount..named]) {
                if *local == 0
                    && let Some(default) = defaults.get(vm, name)?
                {
                    *local = default.into_word();
                }
            }
        }
        if locals[argcount..named].contains(&0) {
            return Err(missing(vm, function, locals, argcount..named, "keyword-only"));
        }
    }
    Ok(())
}

fn qualname(vm: &Vm, function: &Function) -> String {
    vm.display_name(&function.qualname())
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cold]
fn unexpected_keyword(vm: &Vm, function: &Function, kwnames: &[Value], keyword: &Value) -> Raised {
    let code = function.code();
    let posonly = code.data.posonlyargcount as usize;
    let misused: Vec<String> = code.localsplusnames()[..posonly]
        .iter()
        .filter(|name| kwnames.iter().any(|keyword| Str::same(keyword, name)))
        .map(|name| vm.display_name(name))
        .collect();
    let function_name = qualname(vm, function);
    if !misused.is_empty() {
        let names = misused.join(", ");
        return vm.type_error(format!(
            "{function_name}() got some positional-only arguments passed as keyword arguments: '{names}'"
        ));
    }
    let named = (code.data.argcount + code.data.kwonlyargcount) as usize;
    let name = vm.display_name(keyword);
    let candidates = code.localsplusnames()[posonly..named].iter().map(|name| vm.display_name(name));
    let hint = match suggestions::closest(&name, candidates) {
        Some(closest) => format!(". Did you mean '{closest}'?"),
        None => String::new(),
    };
    vm.type_error(format!("{function_name}() got an unexpected keyword argument '{name}'{hint}"))
}

#[cold]
fn too_many_positional(vm: &Vm, function: &Function, given: usize, locals: &[u64]) -> Raised {
    let code = function.code();
    let (argcount, kwonly) = (code.data.argcount as usize, code.data.kwonlyargcount as usize);
    let kwonly_given = locals[argcount..argcount + kwonly].iter().filter(|word| **word != 0).count();
    let defaults = function.defaults_slice().len();
    let (takes, is_plural) = match defaults {
        0 => (argcount.to_string(), argcount != 1),
        n => (format!("from {} to {argcount}", argcount.saturating_sub(n)), true),
    };
    let keywords = match kwonly_given {
        0 => String::new(),
        n => format!(" positional argument{} (and {n} keyword-only argument{})", plural(given), plural(n)),
    };
    vm.type_error(format!(
        "{}() takes {takes} positional argument{} but {given}{keywords} {} given",
        qualname(vm, function),
        if is_plural { "s" } else { "" },
        if given == 1 && kwonly_given == 0 { "was" } else { "were" },
    ))
}

#[cold]
fn missing(vm: &Vm, function: &Function, locals: &[u64], range: std::ops::Range<usize>, kind: &str) -> Raised {
    let names: Vec<String> = range
        .filter(|at| locals[*at] == 0)
        .map(|at| vm.repr_string(&function.code().localsplusnames()[at]))
        .collect::<Result<_>>()
        .unwrap_or_else(|raised| {
            vm.discard(raised);
            Vec::new()
        });
    let list = match names.as_slice() {
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
        [] => String::new(),
    };
    let (function, count) = (qualname(vm, function), names.len());
    vm.type_error(format!("{function}() missing {count} required {kind} argument{}: {list}", plural(count)))
}
