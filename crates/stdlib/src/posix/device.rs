//! Device numbers.

use taipan_object::builtins::int;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm};

use crate::arguments::c_uint;

/// An argument for a `dev_t`; −1 is no device.
pub fn device(vm: &Vm, value: &Value) -> Result<libc::dev_t> {
    let index = vm.index(value)?;
    if int::to_i64(&index) == Some(-1) {
        return Ok(libc::dev_t::MAX);
    }
    if int::is_negative(&index) {
        return Err(vm.overflow_error("can't convert negative int to unsigned"));
    }
    match int::to_ibig(&index).and_then(|n| u64::try_from(n).ok()) {
        Some(device) => Ok(device),
        None => Err(vm.overflow_error("int too big to convert")),
    }
}

/// The parts of no device are −1.
fn part(device: libc::dev_t, part: libc::c_uint) -> Value {
    if device == libc::dev_t::MAX { Value::from(-1) } else { Value::from(part) }
}

/// A part of a device number; −1 stands for none.
fn number(vm: &Vm, value: &Value) -> Result<libc::c_uint> {
    let index = vm.index(value)?;
    if int::to_i64(&index) == Some(-1) { Ok(libc::c_uint::MAX) } else { c_uint(vm, value) }
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("major($module, device, /)", "Return the major part of a device number.", |vm, _, args| {
            let device = device(vm, &args[0])?;
            Ok(part(device, libc::major(device)))
        }),
        MethodDef::new("minor($module, device, /)", "Return the minor part of a device number.", |vm, _, args| {
            let device = device(vm, &args[0])?;
            Ok(part(device, libc::minor(device)))
        }),
        MethodDef::new("makedev($module, major, minor, /)", "Make a device number from its parts.", |vm, _, args| {
            let (major, minor) = (number(vm, &args[0])?, number(vm, &args[1])?);
            if major == libc::c_uint::MAX && minor == libc::c_uint::MAX {
                return Ok(Value::from(-1));
            }
            Ok(Value::from(libc::makedev(major, minor)))
        }),
    ];
}
