//! `marshal`: objects from and to the format of `.pyc` files.
//!
//! The format itself is in `taipan_bytecode::marshal`; `load.rs` makes objects of what it reads, `dump.rs` shows it what
//! objects are.

mod dump;
mod load;

use taipan_bytecode::marshal::{Error, VERSION};
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::{Raised, Result, Value, Vm};

pub use dump::dumps;
pub use load::{load_code, loads};

pub static MODULE: ModuleDef = ModuleDef {
    name: "marshal",
    doc: "Reading and writing of Python values in a binary format that is specific to Python but independent of the \
          machine.\n\nSupported are None, bool, int, float, complex, str, bytes, bytearray, tuple, list, set, frozenset, \
          dict, slice, Ellipsis, StopIteration and code objects, as long as what they contain is supported.",
    functions: FUNCTIONS,
    exec,
};

fn exec(_vm: &Vm, module: &Module) -> Result<()> {
    module.set("version", Value::from(VERSION));
    Ok(())
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new(
            "dump($module, value, file, version=version, /, *, allow_code=True)",
            "Marshal a value, and write the bytes to a file.\n\n  \
             value\n    \
             An object of a type that marshal knows, else ValueError is raised.\n  \
             file\n    \
             A binary file, open for writing.\n  \
             version\n    \
             The version of the format.\n  \
             allow_code\n    \
             Whether code objects may occur.",
            |vm, _, args| {
                let version = version(vm, &args[2])?;
                let data = dumps(vm, &args[0], version, vm.is_true(&args[3])?)?;
                vm.call_method(&args[1], "write", &[data])
            },
        ),
        MethodDef::new(
            "load($module, file, /, *, allow_code=True)",
            "Read a marshalled value from a binary file.\n\n  \
             file\n    \
             The file; its read() must return bytes.\n  \
             allow_code\n    \
             Whether code objects may occur.",
            |vm, _, args| {
                vm.audit("marshal.load", &[])?;
                load::load(vm, &args[0], vm.is_true(&args[1])?)
            },
        ),
        MethodDef::new(
            "dumps($module, value, version=version, /, *, allow_code=True)",
            "Marshal a value, and return the bytes.\n\n  \
             value\n    \
             An object of a type that marshal knows, else ValueError is raised.\n  \
             version\n    \
             The version of the format.\n  \
             allow_code\n    \
             Whether code objects may occur.",
            |vm, _, args| {
                let version = version(vm, &args[1])?;
                dumps(vm, &args[0], version, vm.is_true(&args[2])?)
            },
        ),
        MethodDef::new(
            "loads($module, bytes, /, *, allow_code=True)",
            "Return the value that marshalled bytes represent.\n\n  \
             allow_code\n    \
             Whether code objects may occur.\n\n\
             What follows the value is ignored.",
            |vm, _, args| {
                let data = vm.bytes_like(&args[0])?;
                let payload = match taipan_object::builtins::bytes::is_bytes(&args[0]) {
                    true => args[0].clone(),
                    false => taipan_object::builtins::bytes::from_slice(vm, &data)?,
                };
                vm.audit("marshal.loads", &[payload])?;
                load::loads_with(vm, &data, vm.is_true(&args[1])?)
            },
        ),
    ];
}

fn version(vm: &Vm, argument: &Value) -> Result<i32> {
    argument.bound().map_or(Ok(VERSION), |version| vm.index_i32(version))
}

/// Why reading or writing failed: a fault of the data, or an exception already raised.
enum Failure {
    Format(Error),
    Raised(Raised),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Format(error)
    }
}

impl From<Raised> for Failure {
    fn from(raised: Raised) -> Failure {
        Failure::Raised(raised)
    }
}

impl Failure {
    fn raise(self, vm: &Vm) -> Raised {
        match self {
            Failure::Raised(raised) => raised,
            Failure::Format(Error::EOFError(message)) => vm.eof_error(message),
            Failure::Format(Error::ValueError(message)) => vm.value_error(message),
            Failure::Format(Error::TypeError(message)) => vm.type_error(message),
            Failure::Format(Error::MemoryError) => vm.memory_error(),
        }
    }
}
