//! Limits, switches and extensions of a connection.

use std::ffi::{CStr, c_char};
use std::os::raw::c_int;

use libsqlite3_sys as sql;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

use super::Connection;
use crate::_sqlite3::constants::CONFIG;
use crate::_sqlite3::errors::{Class, check_code, programming_error, raise};
use crate::arguments::{c_int, c_string};

fn limit(vm: &Vm, this: &Value, category: &Value, value: c_int) -> Result {
    let category = c_int(vm, category)?;
    let database = Connection::of(this).ready(vm)?;
    // SAFETY: an open connection.
    let old = unsafe { sql::sqlite3_limit(database.handle(), category, value) };
    if old < 0 {
        return Err(programming_error(vm, "'category' is out of bounds"));
    }
    Ok(Value::from(old))
}

pub fn setlimit(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let value = c_int(vm, &args[1])?;
    limit(vm, this, &args[0], value)
}

pub fn getlimit(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    limit(vm, this, &args[0], -1)
}

fn config(vm: &Vm, this: &Value, op: &Value, set: c_int) -> Result<c_int> {
    let op = c_int(vm, op)?;
    let database = Connection::of(this).ready(vm)?;
    if !CONFIG.iter().any(|(_, known)| *known == op) {
        return Err(vm.value_error(format!("unknown config 'op': {op}")));
    }
    let mut now: c_int = 0;
    // SAFETY: an open connection; these options take a number and a pointer to one.
    let code = blocking(|| unsafe { sql::sqlite3_db_config(database.handle(), op, set, &mut now as *mut c_int) });
    if code != sql::SQLITE_OK {
        check_code(vm, code)?;
    }
    Ok(now)
}

pub fn setconfig(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let enable = vm.is_true(&args[1])?;
    let now = config(vm, this, &args[0], c_int::from(enable))?;
    if enable != (now != 0) {
        return Err(raise(vm, Class::OperationalError, format!("Unable to set config {}", c_int(vm, &args[0])?)));
    }
    Ok(Value::NONE)
}

pub fn getconfig(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    Ok(Value::from(config(vm, this, &args[0], -1)? != 0))
}

pub fn enable_load_extension(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let enable = vm.is_true(&args[0])?;
    vm.audit("sqlite3.enable_load_extension", &[this.clone(), Value::from(enable)])?;
    let database = Connection::of(this).ready(vm)?;
    // SAFETY: an open connection.
    let code = unsafe { sql::sqlite3_enable_load_extension(database.handle(), c_int::from(enable)) };
    if code != sql::SQLITE_OK {
        return Err(raise(vm, Class::OperationalError, "Error enabling load extension"));
    }
    Ok(Value::NONE)
}

pub fn load_extension(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let name = c_string(vm, &args[0], "load_extension() argument 1")?;
    let entrypoint = match args[1].is_none() {
        true => None,
        false => Some(c_string(vm, &args[1], "load_extension() argument 'entrypoint'")?),
    };
    vm.audit("sqlite3.load_extension", &[this.clone(), args[0].clone()])?;
    let database = Connection::of(this).ready(vm)?;
    let mut message: *mut c_char = std::ptr::null_mut();
    let entrypoint = entrypoint.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
    // SAFETY: an open connection, C strings, room for a message, which is given back. As in C, the extension is the
    // program's own affair.
    let code =
        blocking(|| unsafe { sql::sqlite3_load_extension(database.handle(), name.as_ptr(), entrypoint, &mut message) });
    if code == sql::SQLITE_OK {
        return Ok(Value::NONE);
    }
    let text = if message.is_null() {
        "error during initialization".to_string()
    } else {
        // SAFETY: a C string made by the library.
        unsafe {
            let text = CStr::from_ptr(message).to_string_lossy().into_owned();
            sql::sqlite3_free(message.cast());
            text
        }
    };
    Err(raise(vm, Class::OperationalError, text))
}
