//! Functions, aggregates, window functions and collations written in Python.

use std::os::raw::{c_int, c_void};

use libsqlite3_sys as sql;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::{ATTRIBUTE_ERROR, DEPRECATION_WARNING};
use taipan_object::vm::hooks::{blocking, with_gil};
use taipan_object::{Result, Value, Vm};

use super::Connection;
use super::context::{self, Context, arguments, destroy, set_error, set_result};
use crate::_sqlite3::database::Database;
use crate::_sqlite3::errors::{Class, check_code, check_database, programming_error, raise};
use crate::arguments::{c_int, c_string};
use crate::payload::signature;

/// Warns that parameters will be positional only.
pub fn warn_keywords(
    vm: &Vm,
    function: &str,
    positional: usize,
    names: &[&str],
    kwnames: Option<&Value>,
    args: &[Value],
) -> Result<()> {
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    if keywords == 0 || args.len() - keywords >= positional {
        return Ok(());
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let (listed, many) = match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => (format!("{} and {last}", rest.join(", ")), "s"),
        _ => (quoted.join(""), ""),
    };
    vm.warn(
        &DEPRECATION_WARNING.value(),
        &format!(
            "Passing keyword argument{many} {listed} to _sqlite3.Connection.{function}() is deprecated. Parameter{many} \
             {listed} will become positional-only in Python 3.15."
        ),
        1,
    )
}

/// A number of arguments that functions may have.
fn argument_count(vm: &Vm, database: &Database, value: &Value, name: &str) -> Result<c_int> {
    let count = c_int(vm, value)?;
    // SAFETY: an open connection.
    let limit = unsafe { sql::sqlite3_limit(database.handle(), sql::SQLITE_LIMIT_FUNCTION_ARG, -1) };
    if count < -1 || count > limit {
        return Err(programming_error(vm, format!("'{name}' must be between -1 and {limit}, not {count}")));
    }
    Ok(count)
}

fn context_pointer(callable: &Value) -> *mut c_void {
    Box::into_raw(Context::new(callable)).cast()
}

signature!(CREATE_FUNCTION = "create_function(name, narg, func, *, deterministic=False)");

pub fn create_function(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    warn_keywords(vm, "create_function", 3, &["name", "narg", "func"], kwnames, args)?;
    let args = CREATE_FUNCTION.bind(vm, args, kwnames)?;
    let name = c_string(vm, &args[0], "create_function() argument 'name'")?;
    c_int(vm, &args[1])?;
    let deterministic = vm.is_true(&args[3])?;
    let database = Connection::of(this).ready(vm)?;
    let count = argument_count(vm, &database, &args[1], "narg")?;
    let flags = sql::SQLITE_UTF8 | if deterministic { sql::SQLITE_DETERMINISTIC } else { 0 };
    let remove = args[2].is_none();
    let pointer = if remove { std::ptr::null_mut() } else { context_pointer(&args[2]) };
    // SAFETY: an open connection; the callbacks fit the context, which SQLite destroys, also on failure.
    let code = blocking(|| unsafe {
        sql::sqlite3_create_function_v2(
            database.handle(),
            name.as_ptr(),
            count,
            flags,
            pointer,
            if remove { None } else { Some(function) },
            None,
            None,
            if remove { None } else { Some(destroy) },
        )
    });
    if code != sql::SQLITE_OK {
        return Err(raise(vm, Class::OperationalError, "Error creating function"));
    }
    Ok(Value::NONE)
}

unsafe extern "C" fn function(context: *mut sql::sqlite3_context, count: c_int, values: *mut *mut sql::sqlite3_value) {
    // SAFETY: SQLite calls a function with its context and arguments.
    with_gil(|vm| unsafe {
        let callable = Context::callable_at(sql::sqlite3_user_data(context));
        let outcome = arguments(vm, count, values)
            .and_then(|arguments| vm.call_args(&callable, &arguments))
            .and_then(|result| set_result(vm, context, &result));
        if let Err(raised) = outcome {
            set_error(vm, context, raised, "user-defined function raised exception", &callable);
        }
    });
}

signature!(CREATE_AGGREGATE = "create_aggregate(name, n_arg, aggregate_class)");

pub fn create_aggregate(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    warn_keywords(vm, "create_aggregate", 3, &["name", "n_arg", "aggregate_class"], kwnames, args)?;
    let args = CREATE_AGGREGATE.bind(vm, args, kwnames)?;
    let name = c_string(vm, &args[0], "create_aggregate() argument 'name'")?;
    c_int(vm, &args[1])?;
    let database = Connection::of(this).ready(vm)?;
    let count = argument_count(vm, &database, &args[1], "n_arg")?;
    let remove = args[2].is_none();
    let pointer = if remove { std::ptr::null_mut() } else { context_pointer(&args[2]) };
    // SAFETY: as in `create_function`.
    let code = blocking(|| unsafe {
        sql::sqlite3_create_function_v2(
            database.handle(),
            name.as_ptr(),
            count,
            sql::SQLITE_UTF8,
            pointer,
            None,
            if remove { None } else { Some(step) },
            if remove { None } else { Some(finish) },
            if remove { None } else { Some(destroy) },
        )
    });
    if code != sql::SQLITE_OK {
        return Err(raise(vm, Class::OperationalError, "Error creating aggregate"));
    }
    Ok(Value::NONE)
}

pub fn create_window_function(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let name = c_string(vm, &args[0], "create_window_function() argument 1")?;
    c_int(vm, &args[1])?;
    let database = Connection::of(this).ready(vm)?;
    let count = argument_count(vm, &database, &args[1], "num_params")?;
    let remove = args[2].is_none();
    let pointer = if remove { std::ptr::null_mut() } else { context_pointer(&args[2]) };
    // SAFETY: as in `create_function`.
    let code = blocking(|| unsafe {
        sql::sqlite3_create_window_function(
            database.handle(),
            name.as_ptr(),
            count,
            sql::SQLITE_UTF8,
            pointer,
            if remove { None } else { Some(step) },
            if remove { None } else { Some(finish) },
            if remove { None } else { Some(value) },
            if remove { None } else { Some(inverse) },
            if remove { None } else { Some(destroy) },
        )
    });
    if code != sql::SQLITE_OK {
        // The error is not left on the connection.
        check_code(vm, code)?;
    }
    Ok(Value::NONE)
}

/// The word in which an aggregation keeps its instance: null, or an owned reference.
///
/// # Safety
/// `context` is that of an aggregate being called.
unsafe fn instance_slot(context: *mut sql::sqlite3_context, create: bool) -> *mut Option<Value> {
    let size = if create { size_of::<Option<Value>>() as c_int } else { 0 };
    // SAFETY: by contract. The memory is zeroed, which is `None`.
    unsafe { sql::sqlite3_aggregate_context(context, size).cast() }
}

unsafe extern "C" fn step(context: *mut sql::sqlite3_context, count: c_int, values: *mut *mut sql::sqlite3_value) {
    // SAFETY: SQLite calls an aggregate with its context and arguments.
    with_gil(|vm| unsafe {
        let class = Context::callable_at(sql::sqlite3_user_data(context));
        let slot = instance_slot(context, true);
        if slot.is_null() {
            return sql::sqlite3_result_error_nomem(context);
        }
        let instance = match &*slot {
            Some(instance) => instance.clone(),
            None => match vm.call_args(&class, &[]) {
                Ok(instance) => {
                    slot.write(Some(instance.clone()));
                    instance
                }
                Err(raised) => {
                    let message = "user-defined aggregate's '__init__' method raised error";
                    return set_error(vm, context, raised, message, &class);
                }
            },
        };
        call_with_arguments(vm, context, &instance, "step", count, values, &class);
    });
}

/// Calls a method of the instance with the arguments of the aggregate.
///
/// # Safety
/// As for the callbacks of aggregates.
unsafe fn call_with_arguments(
    vm: &Vm,
    context: *mut sql::sqlite3_context,
    instance: &Value,
    method: &str,
    count: c_int,
    values: *mut *mut sql::sqlite3_value,
    class: &Value,
) {
    // SAFETY: by contract.
    unsafe {
        let function = match vm.get_attr_str(instance, method) {
            Ok(function) => function,
            Err(raised) => {
                let message = format!("user-defined aggregate's '{method}' method not defined");
                return set_error(vm, context, raised, &message, class);
            }
        };
        let outcome = arguments(vm, count, values).and_then(|arguments| vm.call_args(&function, &arguments));
        if let Err(raised) = outcome {
            let message = format!("user-defined aggregate's '{method}' method raised error");
            set_error(vm, context, raised, &message, class);
        }
    }
}

/// Calls a method of the instance and makes its result the aggregate's.
///
/// # Safety
/// As for the callbacks of aggregates.
unsafe fn call_for_result(vm: &Vm, context: *mut sql::sqlite3_context, instance: &Value, method: &str, class: &Value) {
    // SAFETY: by contract.
    unsafe {
        let function = vm.call_method(instance, method, &[]);
        if let Err(raised) = function.and_then(|result| set_result(vm, context, &result)) {
            let missing = vm.pending_matches(&raised, ATTRIBUTE_ERROR.ty());
            let what = if missing { "not defined" } else { "raised error" };
            let message = format!("user-defined aggregate's '{method}' method {what}");
            set_error(vm, context, raised, &message, class);
        }
    }
}

unsafe extern "C" fn finish(context: *mut sql::sqlite3_context) {
    // SAFETY: SQLite calls an aggregate with its context; the slot is not used afterwards.
    with_gil(|vm| unsafe {
        let class = Context::callable_at(sql::sqlite3_user_data(context));
        let slot = instance_slot(context, false);
        // Without rows, or after an exception in `__init__`, there is no instance.
        if slot.is_null() {
            return;
        }
        if let Some(instance) = (*slot).take() {
            call_for_result(vm, context, &instance, "finalize", &class);
        }
    });
}

unsafe extern "C" fn value(context: *mut sql::sqlite3_context) {
    // SAFETY: as in `finish`.
    with_gil(|vm| unsafe {
        let class = Context::callable_at(sql::sqlite3_user_data(context));
        let slot = instance_slot(context, false);
        if slot.is_null() {
            return;
        }
        if let Some(instance) = (*slot).clone() {
            call_for_result(vm, context, &instance, "value", &class);
        }
    });
}

unsafe extern "C" fn inverse(context: *mut sql::sqlite3_context, count: c_int, values: *mut *mut sql::sqlite3_value) {
    // SAFETY: as in `step`.
    with_gil(|vm| unsafe {
        let class = Context::callable_at(sql::sqlite3_user_data(context));
        let slot = instance_slot(context, false);
        if slot.is_null() {
            return;
        }
        if let Some(instance) = (*slot).clone() {
            call_with_arguments(vm, context, &instance, "inverse", count, values, &class);
        }
    });
}

pub fn create_collation(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if args[0].downcast::<Str>().is_none() {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("create_collation() argument 1 must be str, not {got}")));
    }
    let name = c_string(vm, &args[0], "create_collation() argument 1")?;
    let database = Connection::of(this).ready(vm)?;
    let remove = args[1].is_none();
    if !remove && args[1].ty().slots().call.is_none() {
        return Err(vm.type_error("parameter must be callable"));
    }
    let pointer = if remove { std::ptr::null_mut() } else { context_pointer(&args[1]) };
    // SAFETY: an open connection; the callbacks fit the context.
    let code = blocking(|| unsafe {
        sql::sqlite3_create_collation_v2(
            database.handle(),
            name.as_ptr(),
            sql::SQLITE_UTF8,
            pointer,
            if remove { None } else { Some(compare) },
            if remove { None } else { Some(destroy) },
        )
    });
    if code != sql::SQLITE_OK {
        // Unlike functions, SQLite does not destroy the context of a collation that it refuses.
        if !remove {
            // SAFETY: the pointer made above.
            drop(unsafe { Box::from_raw(pointer.cast::<Context>()) });
        }
        check_database(vm, &database)?;
    }
    Ok(Value::NONE)
}

unsafe extern "C" fn compare(
    pointer: *mut c_void,
    left_length: c_int,
    left: *const c_void,
    right_length: c_int,
    right: *const c_void,
) -> c_int {
    // SAFETY: SQLite calls a collation with its context and two texts.
    with_gil(|vm| unsafe {
        let callable = Context::callable_at(pointer);
        let text = |start: *const c_void, length: c_int| {
            let data =
                if start.is_null() { &[] } else { std::slice::from_raw_parts(start.cast(), length.max(0) as usize) };
            taipan_object::codecs::decode(vm, data, None, None)
        };
        let outcome = text(left, left_length)
            .and_then(|left| Ok([left, text(right, right_length)?]))
            .and_then(|texts| vm.call_args(&callable, &texts))
            .and_then(|result| vm.index(&result));
        match outcome {
            Ok(result) => match int::to_i64(&result) {
                Some(number) => number.signum() as c_int,
                None => 0,
            },
            Err(raised) => {
                context::report(vm, raised, &callable);
                0
            }
        }
    })
}
