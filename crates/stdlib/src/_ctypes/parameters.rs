//! `paramflags`: which parameters of a foreign function are given, have names and defaults, or are returned.

use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::{Result, Value, Vm};

use super::ctype::{self, CType, Kind};

const IN: u64 = 1;
const OUT: u64 = 2;
const LCID: u64 = 4;

/// One entry of `paramflags`.
struct Parameter {
    flag: u64,
    name: Option<Value>,
    default: Option<Value>,
}

/// `(flag[, name[, default]])`
fn parse(vm: &Vm, item: &Value) -> Result<Parameter> {
    let malformed = || vm.type_error("paramflags must be a sequence of (int [,string [,value]]) tuples");
    let Some(item) = item.downcast::<Tuple>() else { return Err(malformed()) };
    let (flag, rest) = match item.as_slice() {
        [flag, rest @ ..] if int::is_int(flag) && rest.len() <= 2 => (flag, rest),
        _ => return Err(malformed()),
    };
    if rest.first().is_some_and(|name| !name.is_none() && name.downcast::<Str>().is_none()) {
        return Err(malformed());
    }
    Ok(Parameter {
        flag: crate::arguments::c_ulong_mask(vm, flag)?,
        name: rest.first().filter(|name| !name.is_none()).cloned(),
        default: rest.get(1).cloned(),
    })
}

/// Checks `paramflags` against the types of the arguments.
pub fn check(vm: &Vm, argtypes: Option<&Value>, paramflags: &Value) -> Result<()> {
    let Some(flags) = paramflags.downcast::<Tuple>() else {
        return Err(vm.type_error("paramflags must be a tuple or None"));
    };
    let Some(argtypes) = argtypes else { return Ok(()) };
    let argtypes = vm.collect(argtypes)?;
    if argtypes.len() != flags.len() {
        return Err(vm.value_error("paramflags must have the same length as argtypes"));
    }
    for (at, (item, class)) in flags.as_slice().iter().zip(&argtypes).enumerate() {
        let parameter = parse(vm, item)?;
        match parameter.flag & (IN | OUT | LCID) {
            0 | IN => {}
            flag if flag == IN | LCID || flag == IN | OUT => {}
            OUT => check_out(vm, class, at + 1)?,
            _ => return Err(vm.type_error(format!("paramflag value {} not supported", parameter.flag))),
        }
    }
    Ok(())
}

fn check_out(vm: &Vm, class: &Value, number: usize) -> Result<()> {
    let info = ctype::info_of_class(class);
    let fits = info.is_some_and(|info| match info.kind {
        Kind::Pointer | Kind::Array => true,
        _ => info.code.is_some_and(|code| matches!(code.letter, b'P' | b'z' | b'Z')),
    });
    if fits {
        return Ok(());
    }
    let got = match class.downcast::<taipan_object::types::Type>() {
        Some(class) => class.name(),
        None => class.ty().name(),
    };
    Err(vm.type_error(format!("'out' parameter {number} must be a pointer type, not {got}")))
}

/// The arguments of a call, and which of them are returned.
pub struct Built {
    pub arguments: Vec<Value>,
    /// By place; true: as they were given, false: what `__ctypes_from_outparam__` says.
    returned: Vec<(usize, bool)>,
}

impl Built {
    pub fn plain(arguments: Vec<Value>) -> Built {
        Built { arguments, returned: Vec::new() }
    }

    /// The result, or the parameters that are returned instead.
    pub fn result(&self, vm: &Vm, result: Value) -> Result {
        let mut returned = Vec::with_capacity(self.returned.len());
        for (at, as_given) in &self.returned {
            let argument = &self.arguments[*at];
            returned.push(match as_given {
                true => argument.clone(),
                false => vm.call_method(argument, "__ctypes_from_outparam__", &[])?,
            });
        }
        Ok(match returned.len() {
            0 => result,
            1 => returned.remove(0),
            _ => Tuple::from_vec(returned).into_value(),
        })
    }
}

/// The arguments of a call as the parameters say.
pub fn build(
    vm: &Vm,
    argtypes: &Value,
    paramflags: &Value,
    positional: &[Value],
    keywords: &[Value],
    kwnames: Option<&Value>,
) -> Result<Built> {
    let argtypes = vm.collect(argtypes)?;
    let flags = paramflags.downcast::<Tuple>().map(|flags| flags.as_slice().to_vec()).unwrap_or_default();
    if argtypes.is_empty() {
        return Ok(Built::plain(positional.to_vec()));
    }
    let names = kwnames.and_then(|names| names.downcast::<Tuple>());
    let mut built = Built { arguments: Vec::with_capacity(argtypes.len()), returned: Vec::new() };
    let mut used = 0;
    for (at, (item, class)) in flags.iter().zip(&argtypes).enumerate() {
        let parameter = parse(vm, item)?;
        let kind = parameter.flag & (IN | OUT | LCID);
        if kind == IN | LCID {
            built.arguments.push(parameter.default.unwrap_or_else(|| Value::from(0)));
            continue;
        }
        if kind == OUT {
            let value = match parameter.default {
                Some(default) => default,
                None => new_target(vm, class, at + 1)?,
            };
            built.returned.push((at, false));
            built.arguments.push(value);
            continue;
        }
        if kind & LCID != 0 {
            return Err(vm.value_error(format!("paramflag {} not yet implemented", parameter.flag)));
        }
        if kind == IN | OUT {
            built.returned.push((at, true));
        }
        let named = || {
            let name = parameter.name.as_ref()?.downcast::<Str>()?;
            let place =
                names?.as_slice().iter().position(|given| given.downcast::<Str>().is_some_and(|g| g.equals(name)))?;
            keywords.get(place).cloned()
        };
        let value = match positional.get(used).cloned().or_else(named) {
            Some(given) => {
                used += 1;
                given
            }
            None => match (parameter.default, &parameter.name) {
                (Some(default), _) => default,
                (None, Some(name)) => {
                    let name = vm.display_name(name);
                    return Err(vm.type_error(format!("required argument '{name}' missing")));
                }
                (None, None) => return Err(vm.type_error("not enough arguments")),
            },
        };
        built.arguments.push(value);
    }
    let given = positional.len() + keywords.len();
    if used != given {
        return Err(vm.type_error(format!("call takes exactly {used} arguments ({given} given)")));
    }
    Ok(built)
}

/// A new instance for an output parameter: an array, or what a pointer points to.
fn new_target(vm: &Vm, class: &Value, number: usize) -> Result {
    let Some(info) = ctype::info_of_class(class) else { return Err(vm.runtime_error("NULL stgdict unexpected")) };
    match (info.kind, &info.proto) {
        (Kind::Array, _) => vm.call_args(class, &[]),
        (_, Some(pointed)) if pointed.downcast::<CType>().is_some() => vm.call_args(pointed, &[]),
        _ => {
            let class = CType::of(class).class().name();
            Err(vm.type_error(format!("{class} 'out' parameter must be passed as default value {number}")))
        }
    }
}
