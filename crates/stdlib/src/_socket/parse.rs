//! Arguments of functions that CPython parses with `PyArg_ParseTuple`, whose messages differ from Argument Clinic's.

use taipan_object::native::arguments::no_keywords;
use taipan_object::{Result, Value, Vm};

/// Checks the number of arguments; there must be no keywords.
pub fn count(vm: &Vm, name: &str, args: &[Value], kwnames: Option<&Value>, min: usize, max: usize) -> Result<()> {
    no_keywords(vm, name, kwnames)?;
    let given = args.len();
    if (min..=max).contains(&given) {
        return Ok(());
    }
    let (bound, limit) = match () {
        _ if min == max => ("exactly", min),
        _ if given < min => ("at least", min),
        _ => ("at most", max),
    };
    let plural = if limit == 1 { "" } else { "s" };
    let name = name.rsplit('.').next().unwrap_or(name);
    Err(vm.type_error(format!("{name}() takes {bound} {limit} argument{plural} ({given} given)")))
}

/// The `i` format: a C int; absent, `default`.
pub fn int(vm: &Vm, value: Option<&Value>, default: i32) -> Result<i32> {
    value.and_then(Value::bound).map_or(Ok(default), |value| vm.index_i32(value))
}
