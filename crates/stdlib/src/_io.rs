//! `_io`: files, buffers and text streams. Programs import `io` instead.
//!
//! Counterpart of `Modules/_io`. The abstract classes are in `iobase.rs` and `bases.rs`, raw files in `file_io.rs`,
//! buffers in `buffered.rs` and `bytes_io.rs`, text in `text_io_wrapper.rs`, `string_io.rs` and `newline_decoder.rs`;
//! `open.rs` puts them together. `lock.rs` has the lock of a buffered stream, `names.rs` the names looked up.

mod bases;
mod buffered;
mod bytes_io;
mod file_io;
mod iobase;
pub mod lock;
mod names;
mod newline_decoder;
mod open;
mod string_io;
mod text_io_wrapper;

use std::sync::OnceLock;

use taipan_object::builtins::int;
use taipan_object::builtins::str::intern;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{BLOCKING_IO_ERROR, INTERRUPTED_ERROR, OS_ERROR, VALUE_ERROR};
use taipan_object::native::module::ModuleDef;
use taipan_object::types::{TYPE, Type};
use taipan_object::vm::Raised;
use taipan_object::{Result, Value, Vm};

pub use file_io::FileIo;

/// `io.DEFAULT_BUFFER_SIZE`
pub const DEFAULT_BUFFER_SIZE: usize = 128 * 1024;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_io",
    doc: "Files and other streams.",
    functions: open::FUNCTIONS,
    exec: |vm, module| {
        module.set("DEFAULT_BUFFER_SIZE", Value::from(DEFAULT_BUFFER_SIZE));
        module.set("UnsupportedOperation", unsupported_operation(vm)?);
        module.set("BlockingIOError", BLOCKING_IO_ERROR.value());
        for spec in [
            &iobase::IO_BASE,
            &bases::RAW_IO_BASE,
            &bases::BUFFERED_IO_BASE,
            &bases::TEXT_IO_BASE,
            &file_io::FILE_IO,
            &bytes_io::BYTES_IO,
            &bytes_io::BYTES_IO_BUFFER,
            &buffered::reader::BUFFERED_READER,
            &buffered::writer::BUFFERED_WRITER,
            &buffered::random::BUFFERED_RANDOM,
            &buffered::rw_pair::BUFFERED_RW_PAIR,
            &newline_decoder::INCREMENTAL_NEWLINE_DECODER,
            &string_io::STRING_IO,
            &text_io_wrapper::TEXT_IO_WRAPPER,
        ] {
            module.add_type(spec);
        }
        Ok(())
    },
};

/// `io.UnsupportedOperation`, an `OSError` and a `ValueError`.
fn unsupported_operation(vm: &Vm) -> Result {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class.clone());
    }
    let namespace = taipan_object::builtins::dict::Dict::new();
    namespace.set_str(intern("__module__").as_value(), Value::from("io"));
    let bases = Tuple::from_array([OS_ERROR.value(), VALUE_ERROR.value()]).into_value();
    let class = vm.call_args(&TYPE.value(), &[Value::from("UnsupportedOperation"), bases, namespace.into_value()])?;
    Ok(CLASS.get_or_init(|| class).clone())
}

/// Raises `io.UnsupportedOperation(message)`.
#[cold]
fn unsupported(vm: &Vm, message: &str) -> Raised {
    let class = match unsupported_operation(vm) {
        Ok(class) => class,
        Err(raised) => return raised,
    };
    match class.downcast::<Type>() {
        Some(class) => vm.raise_args(class, vec![Value::from(message)]),
        None => vm.value_error(message),
    }
}

/// `OSError(message)`
#[cold]
fn os_error(vm: &Vm, message: String) -> Raised {
    vm.raise_args(OS_ERROR.ty(), vec![Value::from(message)])
}

/// "cannot pickle 'X' instances"
#[cold]
fn cannot_pickle(vm: &Vm, this: &Value) -> Raised {
    vm.type_error(format!("cannot pickle '{}' instances", this.ty().short_name()))
}

/// Passes an exception on, unless it is a system call's interruption by a signal: then the call is to be repeated.
fn repeat_if_interrupted(vm: &Vm, raised: Raised) -> Result<()> {
    if !vm.pending_matches(&raised, INTERRUPTED_ERROR.ty()) {
        return Err(raised);
    }
    vm.discard(raised);
    vm.check_signals()
}

/// Combines the outcome of an action with that of one that came before: an exception of the latter is the context of
/// the former's.
fn after<T>(vm: &Vm, first: Result<T>, second: impl FnOnce(&Vm) -> Result<T>) -> Result<T> {
    match first {
        Ok(_) => second(vm),
        Err(raised) => {
            let exception = vm.take(raised);
            match second(vm) {
                Ok(_) => Err(vm.set_exception(exception)),
                Err(raised) => Err(with_context(vm, raised, exception)),
            }
        }
    }
}

/// Makes `first` the last context of the exception in flight.
fn with_context(vm: &Vm, raised: Raised, first: Value) -> Raised {
    let exception = vm.take(raised);
    taipan_object::exceptions::chain_context(&exception, first);
    vm.set_exception(exception)
}

/// An optional size: `None` counts as -1.
pub fn size_argument(vm: &Vm, value: &Value) -> Result<i64> {
    match value.given() {
        None => Ok(-1),
        Some(value) if int::is_int(value) || value.ty().slots().index.is_some() => vm.index_i64(value),
        Some(value) => {
            let name = value.ty().short_name();
            Err(vm.type_error(format!("argument should be integer or None, not '{name}'")))
        }
    }
}

/// A file offset; what does not fit is a `ValueError`.
fn offset_argument(vm: &Vm, value: &Value) -> Result<i64> {
    let index = vm.index(value)?;
    int::to_i64(&index)
        .ok_or_else(|| vm.value_error(format!("cannot fit '{}' into an index-sized integer", value.ty().name())))
}

/// Whether the attribute `closed` of a stream is true.
fn is_closed(vm: &Vm, stream: &Value) -> Result<bool> {
    let closed = vm.get_attr(stream, &names::names().closed)?;
    vm.is_true(&closed)
}
