//! What SQLite calls back: a Python callable, reached through a pointer that SQLite keeps.

use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use libsqlite3_sys as sql;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::{bytes, float, int};
use taipan_object::exceptions::{MEMORY_ERROR, OVERFLOW_ERROR};
use taipan_object::vm::Raised;
use taipan_object::vm::hooks::with_gil;
use taipan_object::{Result, Value, Vm, codecs};

use crate::_sqlite3::errors::programming_error;
use crate::_sqlite3::statement::to_int64;

/// The callable behind a callback.
pub struct Context {
    pub callable: Value,
}

impl Context {
    pub fn new(callable: &Value) -> Box<Context> {
        Box::new(Context { callable: callable.clone() })
    }

    /// The context that SQLite was given.
    ///
    /// # Safety
    /// `pointer` came from a boxed context that SQLite, or the connection for it, still keeps; the GIL is held.
    pub unsafe fn callable_at(pointer: *mut c_void) -> Value {
        // SAFETY: by contract. The callable is cloned, as the callback may replace the context.
        unsafe { &*pointer.cast::<Context>() }.callable.clone()
    }
}

/// The destructor of contexts that SQLite owns.
pub unsafe extern "C" fn destroy(pointer: *mut c_void) {
    // SAFETY: SQLite gives back what `Box::into_raw` gave it, once.
    let context = unsafe { Box::from_raw(pointer.cast::<Context>()) };
    with_gil(|_| drop(context));
}

/// `sqlite3.enable_callback_tracebacks`
static TRACEBACKS: AtomicBool = AtomicBool::new(false);

pub fn enable_callback_tracebacks(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    TRACEBACKS.store(crate::arguments::c_int(vm, &args[0])? != 0, Relaxed);
    Ok(Value::NONE)
}

/// An exception that a callback raised: SQLite gets a code, Python at most a report.
pub fn report(vm: &Vm, raised: Raised, callable: &Value) {
    if !TRACEBACKS.load(Relaxed) {
        return vm.discard(raised);
    }
    let shown = vm.repr_string(callable).unwrap_or_else(|raised| {
        vm.discard(raised);
        callable.ty().name()
    });
    vm.write_unraisable(raised, &format!("Exception ignored on sqlite3 callback {shown}"), &Value::NONE);
}

/// Text from SQLite; `None` for null.
///
/// # Safety
/// `text` is null or a C string.
pub unsafe fn optional_text(text: *const c_char) -> Value {
    if text.is_null() {
        return Value::NONE;
    }
    // SAFETY: by contract.
    Value::from(&*unsafe { CStr::from_ptr(text) }.to_string_lossy())
}

/// Arguments of an SQL function as Python values.
///
/// # Safety
/// `values` are `count` protected values.
pub unsafe fn arguments(vm: &Vm, count: c_int, values: *mut *mut sql::sqlite3_value) -> Result<Vec<Value>> {
    (0..count as usize)
        .map(|at| {
            // SAFETY: by contract; the memory of texts and blobs is copied at once.
            unsafe {
                let value = *values.add(at);
                let data = |start: *const u8| -> &[u8] {
                    let length = sql::sqlite3_value_bytes(value).max(0) as usize;
                    if start.is_null() { &[] } else { std::slice::from_raw_parts(start, length) }
                };
                match sql::sqlite3_value_type(value) {
                    sql::SQLITE_INTEGER => Ok(Value::from(sql::sqlite3_value_int64(value))),
                    sql::SQLITE_FLOAT => Ok(Value::from(sql::sqlite3_value_double(value))),
                    sql::SQLITE_TEXT => codecs::decode(vm, data(sql::sqlite3_value_text(value)), None, None),
                    sql::SQLITE_BLOB => bytes::from_slice(vm, data(sql::sqlite3_value_blob(value).cast())),
                    _ => Ok(Value::NONE),
                }
            }
        })
        .collect()
}

/// Hands a Python value to SQLite as a function's result.
///
/// # Safety
/// `context` is that of a function being called.
pub unsafe fn set_result(vm: &Vm, context: *mut sql::sqlite3_context, value: &Value) -> Result<()> {
    let length = |length: usize, what: &str| {
        c_int::try_from(length).map_err(|_| vm.overflow_error(format!("{what} is longer than INT_MAX bytes")))
    };
    // SAFETY: by contract; the library copies texts and blobs.
    unsafe {
        if value.is_none() {
            sql::sqlite3_result_null(context);
        } else if int::is_int(value) {
            sql::sqlite3_result_int64(context, to_int64(vm, value)?);
        } else if let Some(number) = float::to_f64(value) {
            sql::sqlite3_result_double(context, number);
        } else if value.downcast::<Str>().is_some() {
            let text = codecs::to_utf8(vm, value)?;
            let length = length(text.len(), "string")?;
            sql::sqlite3_result_text(context, text.as_ptr().cast(), length, sql::SQLITE_TRANSIENT());
        } else if vm.has_buffer(value) {
            let data = vm.bytes_like(value)?;
            let length = length(data.len(), "BLOB")?;
            sql::sqlite3_result_blob(context, data.as_ptr().cast(), length, sql::SQLITE_TRANSIENT());
        } else {
            let got = value.ty().name();
            let message = format!("User-defined functions cannot return '{got}' values to SQLite");
            return Err(programming_error(vm, message));
        }
    }
    Ok(())
}

/// Tells SQLite of an exception that a function raised.
///
/// # Safety
/// `context` is that of a function being called.
pub unsafe fn set_error(vm: &Vm, context: *mut sql::sqlite3_context, raised: Raised, message: &str, callable: &Value) {
    // SAFETY: by contract; the library copies the message.
    unsafe {
        if vm.pending_matches(&raised, MEMORY_ERROR.ty()) {
            sql::sqlite3_result_error_nomem(context);
        } else if vm.pending_matches(&raised, OVERFLOW_ERROR.ty()) {
            sql::sqlite3_result_error_toobig(context);
        } else {
            let message = CString::new(message).unwrap_or_default();
            sql::sqlite3_result_error(context, message.as_ptr(), -1);
        }
    }
    report(vm, raised, callable);
}
