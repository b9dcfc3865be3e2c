//! The exceptions of DB-API, and how SQLite's result codes become them.

use std::ffi::CStr;
use std::os::raw::c_int;
use std::sync::OnceLock;

use libsqlite3_sys as sql;
use taipan_object::builtins::str::intern;
use taipan_object::exceptions::EXCEPTION;
use taipan_object::native::module::Module;
use taipan_object::vm::Raised;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

use super::constants;
use super::database::Database;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Warning,
    Error,
    InterfaceError,
    DatabaseError,
    DataError,
    OperationalError,
    IntegrityError,
    InternalError,
    ProgrammingError,
    NotSupportedError,
}
use Class::*;

/// The classes with their names and bases, in an order in which bases come first.
const CLASSES: [(Class, &str, Option<Class>); 10] = [
    (Warning, "Warning", None),
    (Error, "Error", None),
    (InterfaceError, "InterfaceError", Some(Error)),
    (DatabaseError, "DatabaseError", Some(Error)),
    (DataError, "DataError", Some(DatabaseError)),
    (OperationalError, "OperationalError", Some(DatabaseError)),
    (IntegrityError, "IntegrityError", Some(DatabaseError)),
    (InternalError, "InternalError", Some(DatabaseError)),
    (ProgrammingError, "ProgrammingError", Some(DatabaseError)),
    (NotSupportedError, "NotSupportedError", Some(DatabaseError)),
];

static CREATED: OnceLock<Vec<Value>> = OnceLock::new();

fn classes(vm: &Vm) -> Result<&'static [Value]> {
    if let Some(classes) = CREATED.get() {
        return Ok(classes);
    }
    let mut made: Vec<Value> = Vec::new();
    for (_, name, base) in CLASSES {
        let base = base.map_or_else(|| EXCEPTION.value(), |base| made[base as usize].clone());
        made.push(crate::exception_type::new(vm, "sqlite3", name, vec![base], None)?);
    }
    Ok(CREATED.get_or_init(|| made))
}

pub fn class(vm: &Vm, class: Class) -> Result {
    Ok(classes(vm)?[class as usize].clone())
}

pub fn add_to(vm: &Vm, module: &Module) -> Result<()> {
    for (class, (_, name, _)) in classes(vm)?.iter().zip(CLASSES) {
        module.set(name, class.clone());
    }
    Ok(())
}

#[cold]
pub fn raise(vm: &Vm, kind: Class, message: impl Into<String>) -> Raised {
    let message = Value::from(message.into());
    match class(vm, kind).and_then(|class| vm.call_args(&class, &[message])) {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

#[cold]
pub fn programming_error(vm: &Vm, message: impl Into<String>) -> Raised {
    raise(vm, ProgrammingError, message)
}

/// What a result code is to Python; `None` for success.
fn class_of(code: c_int) -> Option<Class> {
    Some(match code & 0xff {
        sql::SQLITE_OK => return None,
        sql::SQLITE_INTERNAL | sql::SQLITE_NOTFOUND => InternalError,
        sql::SQLITE_ERROR
        | sql::SQLITE_PERM
        | sql::SQLITE_ABORT
        | sql::SQLITE_BUSY
        | sql::SQLITE_LOCKED
        | sql::SQLITE_READONLY
        | sql::SQLITE_INTERRUPT
        | sql::SQLITE_IOERR
        | sql::SQLITE_FULL
        | sql::SQLITE_CANTOPEN
        | sql::SQLITE_PROTOCOL
        | sql::SQLITE_EMPTY
        | sql::SQLITE_SCHEMA => OperationalError,
        sql::SQLITE_CORRUPT => DatabaseError,
        sql::SQLITE_TOOBIG => DataError,
        sql::SQLITE_CONSTRAINT | sql::SQLITE_MISMATCH => IntegrityError,
        sql::SQLITE_MISUSE | sql::SQLITE_RANGE => InterfaceError,
        _ => DatabaseError,
    })
}

/// Raises the exception for a code and what it is about.
fn raise_code(vm: &Vm, code: c_int, extended: c_int, message: String) -> Result<()> {
    if code & 0xff == sql::SQLITE_NOMEM {
        return Err(vm.memory_error());
    }
    let Some(kind) = class_of(code) else { return Ok(()) };
    let exception = vm.call_args(&class(vm, kind)?, &[Value::from(message)])?;
    vm.set_attr(&exception, intern("sqlite_errorcode").as_value(), &Value::from(extended))?;
    let name = Value::from(constants::error_name(extended));
    vm.set_attr(&exception, intern("sqlite_errorname").as_value(), &name)?;
    Err(vm.raise(exception))
}

/// Raises the error that the connection's last call left, if it left one.
#[cold]
pub fn check_database(vm: &Vm, database: &Database) -> Result<()> {
    let (code, extended, message) = blocking(|| {
        // SAFETY: an open connection; the message is copied before the connection is used again.
        unsafe {
            let handle = database.handle();
            let message = CStr::from_ptr(sql::sqlite3_errmsg(handle)).to_string_lossy().into_owned();
            (sql::sqlite3_errcode(handle), sql::sqlite3_extended_errcode(handle), message)
        }
    });
    raise_code(vm, code, extended, message)
}

/// As [`check_database`], for a call that must have left an error.
#[cold]
pub fn database_error(vm: &Vm, database: &Database) -> Raised {
    match check_database(vm, database) {
        Err(raised) => raised,
        Ok(()) => vm.system_error("SQLite failed without saying why"),
    }
}

/// Raises the error for a code that is not left on the connection.
#[cold]
pub fn check_code(vm: &Vm, code: c_int) -> Result<()> {
    // SAFETY: a static string.
    let message = unsafe { CStr::from_ptr(sql::sqlite3_errstr(code)) }.to_string_lossy().into_owned();
    raise_code(vm, code, code, message)
}
