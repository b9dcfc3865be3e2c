//! The times that `utime` takes.

use taipan_object::builtins::int;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::{Result, Value, Vm};

use crate::time::conversion::{Rounding, object_to_timespec};

/// The two timespecs that `times` or `ns` stand for; `None` for the current time.
pub fn times(vm: &Vm, times: &Value, ns: &Value) -> Result<Option<[libc::timespec; 2]>> {
    if !times.is_none() && !ns.is_unbound() {
        return Err(vm.value_error("utime: you may specify either 'times' or 'ns' but not both"));
    }
    if let Some(times) = times.given() {
        let Some([access, modification]) = pair(times) else {
            return Err(vm.type_error("utime: 'times' must be either a tuple of two ints or None"));
        };
        let timespec = |value| -> Result<libc::timespec> {
            let (seconds, nanoseconds) = object_to_timespec(vm, value, Rounding::Floor)?;
            Ok(libc::timespec { tv_sec: seconds, tv_nsec: nanoseconds })
        };
        return Ok(Some([timespec(&access)?, timespec(&modification)?]));
    }
    let Some(ns) = ns.bound() else { return Ok(None) };
    let Some([access, modification]) = pair(ns) else {
        return Err(vm.type_error("utime: 'ns' must be a tuple of two ints"));
    };
    Ok(Some([split(vm, &access)?, split(vm, &modification)?]))
}

fn pair(value: &Value) -> Option<[Value; 2]> {
    match value.downcast_exact::<Tuple>()?.as_slice() {
        [first, second] => Some([first.clone(), second.clone()]),
        _ => None,
    }
}

/// Nanoseconds as a timespec.
fn split(vm: &Vm, nanoseconds: &Value) -> Result<libc::timespec> {
    let billion = Value::from(1_000_000_000i64);
    let parts = vm.divmod(nanoseconds, &billion)?;
    let Some([seconds, rest]) = pair(&parts) else {
        let (from, got) = (nanoseconds.ty().name(), parts.ty().name());
        return Err(vm.type_error(format!("{from}.__divmod__() must return a 2-tuple, not {got}")));
    };
    let Some(tv_sec) = int::to_i64(&vm.index(&seconds)?) else {
        return Err(vm.overflow_error("timestamp out of range for platform time_t"));
    };
    Ok(libc::timespec { tv_sec, tv_nsec: crate::arguments::c_long(vm, &rest)? })
}
