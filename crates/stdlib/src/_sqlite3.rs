//! `_sqlite3`: DB-API over SQLite (crate `libsqlite3-sys`, its C source built in).
//!
//! SQLite's calls that can take long or wait for its locks run without the GIL; callbacks take it again. `database.rs`
//! has the handles, `connection.rs`, `cursor.rs`, `statement.rs`, `row.rs` and `blob.rs` the objects, `adapt.rs`
//! adapters and converters, `errors.rs` the exceptions, `constants.rs` the numbers.

mod adapt;
mod blob;
mod connection;
mod constants;
mod cursor;
mod database;
mod errors;
mod row;
mod statement;

use std::ffi::CStr;

use libsqlite3_sys as sql;
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm};

use crate::arguments::c_string;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_sqlite3",
    doc: "",
    functions: FUNCTIONS,
    exec: |vm, module| {
        errors::add_to(vm, module)?;
        for spec in [&blob::BLOB, &connection::CONNECTION, &cursor::CURSOR, &adapt::PREPARE_PROTOCOL, &row::ROW] {
            module.add_type(spec);
        }
        module.set("adapters", adapt::adapters().as_value().clone());
        module.set("converters", adapt::converters().as_value().clone());
        for table in [constants::RESULT_CODES, constants::AUTHORIZER_CODES, constants::LIMITS, constants::CONFIG] {
            for (name, value) in table {
                module.set(name, Value::from(*value));
            }
        }
        int_constants!(module;
            PARSE_DECLTYPES = connection::PARSE_DECLTYPES, PARSE_COLNAMES = connection::PARSE_COLNAMES,
            LEGACY_TRANSACTION_CONTROL = connection::LEGACY_TRANSACTION_CONTROL,
            threadsafety = THREADSAFETY);
        // SAFETY: a static string.
        let version = unsafe { CStr::from_ptr(sql::sqlite3_libversion()) };
        module.set("sqlite_version", Value::from(&*version.to_string_lossy()));
        Ok(())
    },
};

/// Threads may share the module, connections and cursors: the library is built in its serialised mode.
const THREADSAFETY: i64 = 3;

fn connect(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    connection::warn_positional(vm, "sqlite3.connect", args, kwnames)?;
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    let names = kwnames.and_then(|names| names.downcast::<taipan_object::builtins::tuple::Tuple>());
    let named = names.and_then(|names| {
        let is_factory = |name: &Value| name.downcast::<Str>().is_some_and(|name| name.is_str("factory"));
        names.as_slice().iter().position(is_factory).map(|at| &args[positional + at])
    });
    let factory = named.or(args[..positional].get(5)).cloned();
    let factory = factory.unwrap_or_else(|| connection::CONNECTION.value());
    vm.call(&factory, args, kwnames)
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new(
            "adapt($module, obj, proto=PrepareProtocolType, alt=<unrepresentable>, /)",
            "Convert an object as its adapter for the protocol does.",
            adapt::adapt,
        ),
        MethodDef::new("complete_statement($module, /, statement)", "\
            Tell whether a string ends with a complete SQL statement.", |vm, _, args| {
            let text = c_string(vm, &args[0], "complete_statement() argument 'statement'")?;
            // SAFETY: a C string.
            Ok(Value::from(unsafe { sql::sqlite3_complete(text.as_ptr()) } != 0))
        }),
        MethodDef::raw(
            "connect($module, /, database, timeout=5.0, detect_types=0,\n        isolation_level='', \
             check_same_thread=True,\n        factory=ConnectionType, cached_statements=128, uri=False, *,\n        \
             autocommit=sqlite3.LEGACY_TRANSACTION_CONTROL)",
            "Open a connection to the SQLite database file 'database'.\n\n\":memory:\" opens a database in RAM.",
            connect,
        ),
        MethodDef::new(
            "enable_callback_tracebacks($module, enable, /)",
            "Enable or disable reports of exceptions in callbacks.",
            connection::enable_callback_tracebacks,
        ),
        MethodDef::new("register_adapter($module, type, adapter, /)", "\
            Set the function that converts objects of a type to SQLite values.", adapt::register_adapter),
        MethodDef::new(
            "register_converter($module, typename, converter, /)",
            "Set the function that converts SQLite values of a declared type to objects.",
            adapt::register_converter,
        ),
    ];
}
