//! `_csv`: reading and writing of comma-separated values.
//!
//! `dialect.rs` has the parameters of a format, `parser.rs` the state machine that splits lines, `reader.rs` and `writer.rs`
//! the objects.

pub mod dialect;
pub mod parser;
pub mod reader;
pub mod writer;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use taipan_object::builtins::dict::{self, Dict};
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::EXCEPTION;
use taipan_object::native::module::ModuleDef;
use taipan_object::native::{MethodDef, arguments};
use taipan_object::types::Type;
use taipan_object::{Raised, Ref, Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_csv",
    doc: "Reading and writing of CSV files.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.add_type(&dialect::DIALECT);
        module.set("Reader", reader::READER.value());
        module.set("Writer", writer::WRITER.value());
        module.set("Error", error_class(vm)?.clone());
        module.set("_dialects", registry().clone().into_value());
        int_constants!(module; QUOTE_MINIMAL = 0, QUOTE_ALL = 1, QUOTE_NONNUMERIC = 2, QUOTE_NONE = 3, QUOTE_STRINGS = 4, QUOTE_NOTNULL = 5);
        Ok(())
    },
};

/// The longest field that a reader accepts.
static FIELD_LIMIT: AtomicI64 = AtomicI64::new(128 * 1024);

/// Dialects by name.
fn registry() -> &'static Ref<Dict> {
    static REGISTRY: OnceLock<Ref<Dict>> = OnceLock::new();
    REGISTRY.get_or_init(Dict::new)
}

fn error_class(vm: &Vm) -> Result<&'static Value> {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class);
    }
    let class = crate::exception_type::new(vm, "_csv", "Error", vec![EXCEPTION.value()], None)?;
    Ok(CLASS.get_or_init(|| class))
}

/// `csv.Error`
#[cold]
fn error(vm: &Vm, message: impl Into<String>) -> Raised {
    match error_class(vm) {
        Ok(class) => match class.downcast::<Type>() {
            Some(class) => vm.raise_new(class, message.into()),
            None => vm.value_error(message),
        },
        Err(raised) => raised,
    }
}

/// The registered dialect with this name.
fn registered(vm: &Vm, name: &Value) -> Result {
    let hash = dict::hash_key(vm, name)?;
    registry().get_hashed(vm, name, hash)?.ok_or_else(|| error(vm, "unknown dialect"))
}

/// The dialect that the arguments of a function after its first `skipped` ones describe: `dialect='excel', **fmtparams`.
fn dialect_argument(
    vm: &Vm,
    function: &str,
    args: &[Value],
    kwnames: Option<&Value>,
    skipped: usize,
) -> Result<Ref<dialect::Dialect>> {
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    arguments::check_positional(vm, function, args.len() - keywords, skipped, skipped + 1)?;
    let dialect = dialect::new(vm, &dialect::DIALECT.value(), &args[skipped..], kwnames)?;
    dialect.downcast_ref().ok_or_else(|| vm.type_error("not a dialect"))
}

method_table! { static FUNCTIONS = [
    MethodDef::new("list_dialects($module, /)", "List the names of the registered dialects.", |_, _, _| {
        Ok(List::from_vec(registry().keys()).into_value())
    }),
    MethodDef::raw("register_dialect($module, name, /, dialect='excel', **fmtparams)",
        "Give a dialect of CSV a name.\n\n\
        It is made from another dialect, or the name of one, and keyword\n\
        arguments for options that differ.",
        |vm, _, args, kwnames| {
            let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
            arguments::check_positional(vm, "register_dialect", args.len() - keywords, 1, 2)?;
            if args[0].downcast::<Str>().is_none() {
                return Err(vm.type_error("dialect name must be a string"));
            }
            let dialect = dialect_argument(vm, "register_dialect", args, kwnames, 1)?;
            registry().set(vm, &args[0], dialect.into_value())?;
            Ok(Value::NONE)
        }),
    MethodDef::new("unregister_dialect($module, /, name)", "\
        Remove the dialect that is registered under a name.", |vm, _, args| {
        let hash = dict::hash_key(vm, &args[0])?;
        match registry().remove_hashed(vm, &args[0], hash)? {
            Some(_) => Ok(Value::NONE),
            None => Err(error(vm, "unknown dialect")),
        }
    }),
    MethodDef::new("get_dialect($module, /, name)", "\
        Return the dialect that is registered under a name.", |vm, _, args| {
        registered(vm, &args[0])
    }),
    MethodDef::new("field_size_limit($module, /, new_limit=<unrepresentable>)",
        "Set the greatest length of a field that may be parsed.\n\n\
        The result is the previous limit; without an argument nothing is\n\
        changed.",
        |vm, _, args| {
            let old = FIELD_LIMIT.load(Relaxed);
            if let Some(limit) = args[0].bound() {
                if !int::is_exact(limit) {
                    return Err(vm.type_error("limit must be an integer"));
                }
                FIELD_LIMIT.store(crate::arguments::ssize(vm, limit)? as i64, Relaxed);
            }
            Ok(Value::from(old))
        }),
    MethodDef::raw("reader($module, iterable, /, dialect='excel', **fmtparams)",
        "Make an iterator over the records of a CSV text.\n\n\
        The lines may come from any iterable of strings, such as a file.  Each\n\
        record is returned as a list of its fields.\n\n\
        A dialect, or its name, says how the text is to be read; keyword\n\
        arguments change single options of it.",
        reader::new),
    MethodDef::raw("writer($module, fileobj, /, dialect='excel', **fmtparams)",
        "Make an object that writes records of CSV text.\n\n\
        The file needs only a write() method that takes strings.  A dialect, or\n\
        its name, says how the text is written; keyword arguments change single\n\
        options of it.",
        writer::new),
]; }
