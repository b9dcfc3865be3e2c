//! `_pickle`: writing and reading pickles.
//!
//! `opcode.rs` names the codes of the format. `pickler.rs` has the object that writes pickles, `pickler/` the writing itself;
//! `unpickler.rs` and `unpickler/` read them. `memo.rs` remembers what was written or read, `globals.rs` has what the
//! library's modules `copyreg` and `_compat_pickle` contribute, `buffer.rs` is `PickleBuffer`.

mod buffer;
mod globals;
mod memo;
mod opcode;
mod pickler;
mod unpickler;

use crate::payload::class_of;
use std::sync::OnceLock;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::exceptions::{self, EXCEPTION};
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Raised, Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_pickle",
    doc: "Optimized C implementation for the Python pickle module.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        globals::globals(vm)?;
        let errors = errors(vm)?;
        module.set("PickleError", errors.base.clone());
        module.set("PicklingError", errors.pickling.clone());
        module.set("UnpicklingError", errors.unpickling.clone());
        module.add_type(&pickler::PICKLER);
        module.add_type(&unpickler::UNPICKLER);
        module.add_type(&buffer::PICKLE_BUFFER);
        Ok(())
    },
};

pub const HIGHEST_PROTOCOL: u8 = 5;
pub const DEFAULT_PROTOCOL: u8 = 5;

/// The exception classes of the module.
struct Errors {
    base: Value,
    pickling: Value,
    unpickling: Value,
}

fn errors(vm: &Vm) -> Result<&'static Errors> {
    static ERRORS: OnceLock<Errors> = OnceLock::new();
    if let Some(errors) = ERRORS.get() {
        return Ok(errors);
    }
    let class = |name, base: Value| crate::exception_type::new(vm, "_pickle", name, vec![base], None);
    let base = class("PickleError", EXCEPTION.value())?;
    let errors = Errors {
        pickling: class("PicklingError", base.clone())?,
        unpickling: class("UnpicklingError", base.clone())?,
        base,
    };
    Ok(ERRORS.get_or_init(|| errors))
}

/// Raises `PicklingError(message)`.
#[cold]
fn pickling_error(vm: &Vm, message: impl Into<String>) -> Raised {
    match errors(vm) {
        Ok(errors) => vm.raise_new(class_of(&errors.pickling), message.into()),
        Err(raised) => raised,
    }
}

/// Raises `UnpicklingError(message)`.
#[cold]
fn unpickling_error(vm: &Vm, message: impl Into<String>) -> Raised {
    match errors(vm) {
        Ok(errors) => vm.raise_new(class_of(&errors.unpickling), message.into()),
        Err(raised) => raised,
    }
}

/// Raises what `make` does, with the exception that is in flight as its context.
#[cold]
fn raise_over(vm: &Vm, raised: Raised, make: impl FnOnce(&Value) -> Raised) -> Raised {
    let context = vm.take(raised);
    let raised = make(&context);
    let exception = vm.take(raised);
    exceptions::chain_context(&exception, context);
    vm.set_exception(exception)
}

/// The attribute of a module at a dotted path.
fn attribute_at(vm: &Vm, module: &Value, path: &[Value]) -> Result {
    let mut object = module.clone();
    for name in path {
        object = vm.get_attr(&object, name)?;
    }
    Ok(object)
}

/// The components of a dotted name.
fn dotted_path(name: &Str, own: &Value) -> Vec<Value> {
    let points = name.to_code_points();
    if !points.contains(&u32::from(b'.')) {
        return vec![name.interned(own)];
    }
    let part = |part: &[u32]| {
        let part = Str::from_code_points(part).into_value();
        taipan_object::builtins::str::intern_value(part)
    };
    points.split(|code| *code == u32::from(b'.')).map(part).collect()
}

/// Imports the module with this name.
fn import(vm: &Vm, name: &Str) -> Result {
    if name.len() == 0 {
        return Err(vm.value_error("Empty module name"));
    }
    match name.to_utf8() {
        Some(text) => vm.import(&text),
        None => {
            let imported = sys_modules(vm)?;
            let key = taipan_object::object::to_value(name);
            vm.get_item(&imported, &key)
        }
    }
}

/// `sys.modules`
fn sys_modules(vm: &Vm) -> Result {
    let sys = vm.import("sys")?;
    vm.get_attr(&sys, intern("modules").as_value())
}

method_table! { static FUNCTIONS = [
    MethodDef::new("dump($module, /, obj, file, protocol=None, *, fix_imports=True,\n     buffer_callback=None)",
        "Write a pickled representation of obj to the open file object file.\n\nThis is equivalent to ``Pickler(file, protocol).dump(obj)``, but may\nbe more efficient.\n\nThe optional *protocol* argument tells the pickler to use the given\nprotocol; supported protocols are 0, 1, 2, 3, 4 and 5.  The default\nprotocol is 5. It was introduced in Python 3.8, and is incompatible\nwith previous versions.\n\nSpecifying a negative protocol version selects the highest protocol\nversion supported.  The higher the protocol used, the more recent the\nversion of Python needed to read the pickle produced.\n\nThe *file* argument must have a write() method that accepts a single\nbytes argument.  It can thus be a file object opened for binary\nwriting, an io.BytesIO instance, or any other custom object that meets\nthis interface.\n\nIf *fix_imports* is True and protocol is less than 3, pickle will try\nto map the new Python 3 names to the old module names used in Python\n2, so that the pickle data stream is readable with Python 2.\n\nIf *buffer_callback* is None (the default), buffer views are serialized\ninto *file* as part of the pickle stream.  It is an error if\n*buffer_callback* is not None and *protocol* is None or smaller than 5.",
        |vm, _, args| pickler::dump(vm, &args[0], &args[1], &args[2..])),
    MethodDef::new("dumps($module, /, obj, protocol=None, *, fix_imports=True,\n      buffer_callback=None)",
        "Return the pickled representation of the object as a bytes object.\n\nThe optional *protocol* argument tells the pickler to use the given\nprotocol; supported protocols are 0, 1, 2, 3, 4 and 5.  The default\nprotocol is 5. It was introduced in Python 3.8, and is incompatible\nwith previous versions.\n\nSpecifying a negative protocol version selects the highest protocol\nversion supported.  The higher the protocol used, the more recent the\nversion of Python needed to read the pickle produced.\n\nIf *fix_imports* is True and *protocol* is less than 3, pickle will\ntry to map the new Python 3 names to the old module names used in\nPython 2, so that the pickle data stream is readable with Python 2.\n\nIf *buffer_callback* is None (the default), buffer views are serialized\ninto *file* as part of the pickle stream.  It is an error if\n*buffer_callback* is not None and *protocol* is None or smaller than 5.",
        |vm, _, args| pickler::dumps(vm, &args[0], &args[1..])),
    MethodDef::new("load($module, /, file, *, fix_imports=True, encoding='ASCII',\n     errors='strict', buffers=())",
        "Read and return an object from the pickle data stored in a file.\n\nThis is equivalent to ``Unpickler(file).load()``, but may be more\nefficient.\n\nThe protocol version of the pickle is detected automatically, so no\nprotocol argument is needed.  Bytes past the pickled object's\nrepresentation are ignored.\n\nThe argument *file* must have two methods, a read() method that takes\nan integer argument, and a readline() method that requires no\narguments.  Both methods should return bytes.  Thus *file* can be a\nbinary file object opened for reading, an io.BytesIO object, or any\nother custom object that meets this interface.\n\nOptional keyword arguments are *fix_imports*, *encoding* and *errors*,\nwhich are used to control compatibility support for pickle stream\ngenerated by Python 2.  If *fix_imports* is True, pickle will try to\nmap the old Python 2 names to the new names used in Python 3.  The\n*encoding* and *errors* tell pickle how to decode 8-bit string\ninstances pickled by Python 2; these default to 'ASCII' and 'strict',\nrespectively.  The *encoding* can be 'bytes' to read these 8-bit\nstring instances as bytes objects.",
        |vm, _, args| unpickler::load(vm, &args[0], "load", &args[1..])),
    MethodDef::new("loads($module, data, /, *, fix_imports=True, encoding='ASCII',\n      errors='strict', buffers=())",
        "Read and return an object from the given pickle data.\n\nThe protocol version of the pickle is detected automatically, so no\nprotocol argument is needed.  Bytes past the pickled object's\nrepresentation are ignored.\n\nOptional keyword arguments are *fix_imports*, *encoding* and *errors*,\nwhich are used to control compatibility support for pickle stream\ngenerated by Python 2.  If *fix_imports* is True, pickle will try to\nmap the old Python 2 names to the new names used in Python 3.  The\n*encoding* and *errors* tell pickle how to decode 8-bit string\ninstances pickled by Python 2; these default to 'ASCII' and 'strict',\nrespectively.  The *encoding* can be 'bytes' to read these 8-bit\nstring instances as bytes objects.",
        |vm, _, args| unpickler::loads(vm, &args[0], &args[1..])),
]; }
