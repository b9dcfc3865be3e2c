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
    doc: "Pickling and unpickling, natively.",
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
        "Write the pickle of *obj* to *file*.\n\nThe arguments are those of Pickler.",
        |vm, _, args| pickler::dump(vm, &args[0], &args[1], &args[2..])),
    MethodDef::new("dumps($module, /, obj, protocol=None, *, fix_imports=True,\n      buffer_callback=None)",
        "The pickle of *obj*, as bytes.\n\nThe arguments are those of Pickler.",
        |vm, _, args| pickler::dumps(vm, &args[0], &args[1..])),
    MethodDef::new("load($module, /, file, *, fix_imports=True, encoding='ASCII',\n     errors='strict', buffers=())",
        "Read one object from *file*.\n\nThe arguments are those of Unpickler.",
        |vm, _, args| unpickler::load(vm, &args[0], "load", &args[1..])),
    MethodDef::new("loads($module, data, /, *, fix_imports=True, encoding='ASCII',\n      errors='strict', buffers=())",
        "The object whose pickle *data* begins with.\n\nThe arguments are those of Unpickler.",
        |vm, _, args| unpickler::loads(vm, &args[0], &args[1..])),
]; }
