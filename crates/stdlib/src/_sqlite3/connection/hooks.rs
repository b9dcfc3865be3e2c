//! The authorizer, the progress handler and the trace callback.

use std::ffi::CStr;
use std::os::raw::{c_char, c_int, c_uint, c_void};

use libsqlite3_sys as sql;
use taipan_object::builtins::int;
use taipan_object::vm::hooks::{blocking, with_gil};
use taipan_object::{Result, Value, Vm};

use super::Connection;
use super::context::{self, Context, optional_text};
use super::functions::warn_keywords;
use crate::_sqlite3::database::Database;
use crate::_sqlite3::errors::{Class, check_database, raise};
use crate::arguments::c_int;
use crate::payload::signature;

/// Which of the connection's hooks.
#[derive(Clone, Copy)]
enum Hook {
    Authorizer,
    Progress,
    Trace,
}

/// Puts `callable` in the hook's place and has `install` tell SQLite of the new context; the code.
fn replace(connection: &Connection, hook: Hook, callable: &Value, install: impl FnOnce(*mut c_void) -> c_int) -> c_int {
    let context = if callable.is_none() { None } else { Some(Context::new(callable)) };
    let pointer = context.as_deref().map_or(std::ptr::null(), |context| context as *const Context);
    let code = blocking(|| install(pointer.cast_mut().cast()));
    // SQLite does not know the old context any more.
    let old = std::mem::replace(&mut connection.state().hooks[hook as usize], context);
    drop(old);
    code
}

/// Before the contexts go: SQLite calls none of them any more.
pub fn remove_all(database: &Database) {
    let nothing = std::ptr::null_mut();
    // SAFETY: an open connection.
    blocking(|| unsafe {
        sql::sqlite3_set_authorizer(database.handle(), None, nothing);
        sql::sqlite3_progress_handler(database.handle(), 0, None, nothing);
        sql::sqlite3_trace_v2(database.handle(), 0, None, nothing);
    });
}

signature!(SET_AUTHORIZER = "set_authorizer(authorizer_callback)");

pub fn set_authorizer(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    warn_keywords(vm, "set_authorizer", 1, &["authorizer_callback"], kwnames, args)?;
    let args = SET_AUTHORIZER.bind(vm, args, kwnames)?;
    let connection = Connection::of(this);
    let database = connection.ready(vm)?;
    let callback = if args[0].is_none() { None } else { Some(authorize as AuthorizeFunction) };
    let code = replace(connection, Hook::Authorizer, &args[0], |context| {
        // SAFETY: an open connection; the context lives until another one replaces it.
        unsafe { sql::sqlite3_set_authorizer(database.handle(), callback, context) }
    });
    if code != sql::SQLITE_OK {
        return Err(raise(vm, Class::OperationalError, "Error setting authorizer callback"));
    }
    Ok(Value::NONE)
}

type AuthorizeFunction =
    unsafe extern "C" fn(*mut c_void, c_int, *const c_char, *const c_char, *const c_char, *const c_char) -> c_int;

unsafe extern "C" fn authorize(
    pointer: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    database: *const c_char,
    trigger: *const c_char,
) -> c_int {
    // SAFETY: SQLite calls the authorizer with its context and C strings.
    with_gil(|vm| unsafe {
        let callable = Context::callable_at(pointer);
        let texts = [first, second, database, trigger].map(|text| optional_text(text));
        let [first, second, database, trigger] = texts;
        match vm.call_args(&callable, &[Value::from(action), first, second, database, trigger]) {
            Ok(answer) if int::is_int(&answer) => match int::to_i64(&answer).map(c_int::try_from) {
                Some(Ok(answer)) => answer,
                _ => sql::SQLITE_DENY,
            },
            Ok(_) => sql::SQLITE_DENY,
            Err(raised) => {
                context::report(vm, raised, &callable);
                sql::SQLITE_DENY
            }
        }
    })
}

signature!(SET_PROGRESS_HANDLER = "set_progress_handler(progress_handler, n)");

pub fn set_progress_handler(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    warn_keywords(vm, "set_progress_handler", 1, &["progress_handler"], kwnames, args)?;
    let args = SET_PROGRESS_HANDLER.bind(vm, args, kwnames)?;
    let steps = c_int(vm, &args[1])?;
    let connection = Connection::of(this);
    let database = connection.ready(vm)?;
    let callback = if args[0].is_none() { None } else { Some(progress as unsafe extern "C" fn(*mut c_void) -> c_int) };
    replace(connection, Hook::Progress, &args[0], |context| {
        // SAFETY: an open connection; the context lives until another one replaces it.
        unsafe { sql::sqlite3_progress_handler(database.handle(), steps, callback, context) };
        sql::SQLITE_OK
    });
    Ok(Value::NONE)
}

unsafe extern "C" fn progress(pointer: *mut c_void) -> c_int {
    // SAFETY: SQLite calls the handler with its context.
    with_gil(|vm| unsafe {
        let callable = Context::callable_at(pointer);
        match vm.call_args(&callable, &[]).and_then(|result| vm.is_true(&result)) {
            Ok(abort) => c_int::from(abort),
            Err(raised) => {
                context::report(vm, raised, &callable);
                -1
            }
        }
    })
}

signature!(SET_TRACE_CALLBACK = "set_trace_callback(trace_callback)");

pub fn set_trace_callback(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    warn_keywords(vm, "set_trace_callback", 1, &["trace_callback"], kwnames, args)?;
    let args = SET_TRACE_CALLBACK.bind(vm, args, kwnames)?;
    let connection = Connection::of(this);
    let database = connection.ready(vm)?;
    let enable = !args[0].is_none();
    let code = replace(connection, Hook::Trace, &args[0], |context| {
        let events = if enable { sql::SQLITE_TRACE_STMT as c_uint } else { 0 };
        // SAFETY: an open connection; the context lives until another one replaces it.
        unsafe { sql::sqlite3_trace_v2(database.handle(), events, if enable { Some(trace) } else { None }, context) }
    });
    if code != sql::SQLITE_OK {
        check_database(vm, &database)?;
    }
    Ok(Value::NONE)
}

unsafe extern "C" fn trace(event: c_uint, pointer: *mut c_void, statement: *mut c_void, text: *mut c_void) -> c_int {
    if event != sql::SQLITE_TRACE_STMT as c_uint {
        return 0;
    }
    // SAFETY: SQLite calls the callback with its context, the statement and its text.
    with_gil(|vm| unsafe {
        let callable = Context::callable_at(pointer);
        let statement: *mut sql::sqlite3_stmt = statement.cast();
        let unexpanded: *const c_char = text.cast();
        // The text of a statement within a trigger is a comment.
        let is_comment = !unexpanded.is_null() && CStr::from_ptr(unexpanded).to_bytes().starts_with(b"--");
        let expanded = if is_comment { std::ptr::null_mut() } else { sql::sqlite3_expanded_sql(statement) };
        let text = if !expanded.is_null() {
            let text = optional_text(expanded);
            sql::sqlite3_free(expanded.cast());
            text
        } else if is_comment {
            optional_text(unexpanded)
        } else {
            let message = "Expanded SQL string exceeds the maximum string length";
            context::report(vm, raise(vm, Class::DataError, message), &callable);
            optional_text(sql::sqlite3_sql(statement))
        };
        if let Err(raised) = vm.call_args(&callable, &[text]) {
            context::report(vm, raised, &callable);
        }
        0
    })
}
