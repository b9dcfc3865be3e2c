//! The module `_imp`: what `importlib` needs from the interpreter.

use taipan_bytecode::{Constant, Text};
use taipan_object::builtins::bytes;
use taipan_object::builtins::list::List;
use taipan_object::builtins::memoryview;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{IMPORT_ERROR, new_exception, set_field};
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::vm::names;
use taipan_object::{Raised, Ref, Result, Value, Vm, method_table};

use super::frozen;
use crate::code::Code;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_imp",
    doc: "What importlib needs of the interpreter.",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.set("check_hash_based_pycs", Value::from(crate::config::get().check_hash_based_pycs));
        module.set("pyc_magic_number_token", Value::from(i64::from(taipan_bytecode::pyc::MAGIC_NUMBER) | 0x0A0D_0000));
        Ok(())
    },
};

/// Code whose file name is `old`, with the name `new`. Other code among its constants stays as it is.
fn with_filename(code: &Code, old: &Text, new: &Text) -> Ref<Code> {
    let mut data = (*code.data).clone();
    data.filename = new.clone();
    let constants: Vec<Value> = code
        .consts()
        .iter()
        .map(|constant| match constant.downcast::<Code>().filter(|code| code.data.filename == *old) {
            Some(code) => with_filename(code, old, new).into_value(),
            None => constant.clone(),
        })
        .collect();
    for (constant, value) in data.consts.iter_mut().zip(&constants) {
        if let (Constant::Code(inner), Some(code)) = (constant, value.downcast::<Code>()) {
            *inner = code.data.clone();
        }
    }
    Code::with_consts(data.into(), constants)
}

fn frozen_error(message: String, name: &Value) -> Value {
    let exception = new_exception(IMPORT_ERROR.ty(), vec![Value::from(message)]);
    set_field(&exception, &names().name, name.clone());
    exception
}

fn no_frozen_object(vm: &Vm, name: &Value) -> Result<Raised> {
    let message = format!("No such frozen object named {}", vm.repr_string(name)?);
    Ok(vm.raise(frozen_error(message, name)))
}

/// The code in `data`, or else that of the frozen module.
fn get_frozen_object(vm: &Vm, name: &Value, data: &Value) -> Result {
    let text = vm.expect_str_argument(name, |got| format!("get_frozen_object() argument 1 must be str, not {got}"))?;
    if data.is_none() {
        return match frozen::find(&text.to_string_lossy()) {
            Some(module) => Ok(module.code(vm)?.into_value()),
            None => Err(no_frozen_object(vm, name)?),
        };
    }
    let Some(bytes) = data.downcast::<bytes::Bytes>() else {
        let got = data.ty().name();
        return Err(vm.type_error(format!("get_frozen_object() argument 2 must be bytes, not {got}")));
    };
    let shown = vm.repr_string(name)?;
    let object = match crate::marshal_module::loads(vm, bytes.as_slice()) {
        Ok(object) => object,
        Err(raised) => {
            vm.discard(raised);
            return Err(vm.raise(frozen_error(format!("Frozen object named {shown} is invalid"), name)));
        }
    };
    match object.downcast::<Code>() {
        Some(_) => Ok(object),
        None => Err(vm.type_error(format!("frozen object {shown} is not a code object"))),
    }
}

/// `(data, is_package, origname)` of a frozen module, with its code as `marshal` writes it if `with_data` says so.
fn find_frozen(vm: &Vm, name: &Value, with_data: &Value) -> Result {
    let text = vm.expect_str_argument(name, |got| format!("find_frozen() argument 1 must be str, not {got}"))?;
    let with_data = vm.is_true(with_data)?;
    let Some(module) = frozen::find(&text.to_string_lossy()) else { return Ok(Value::NONE) };
    let data = match with_data {
        true => {
            let code = module.code(vm)?.into_value();
            let data = crate::marshal_module::dumps(vm, &code, taipan_bytecode::marshal::VERSION, true)?;
            memoryview::from_object(vm, &data)?
        }
        false => Value::NONE,
    };
    let origname = module.origname.map_or(Value::NONE, Value::from);
    Ok(Tuple::from_vec(vec![data, Value::bool(module.is_package), origname]).into_value())
}

/// Runs a frozen module's code, in the module of that name if there is one.
fn init_frozen(vm: &Vm, name: &Value) -> Result {
    let text = vm.expect_str_argument(name, |got| format!("init_frozen() argument must be str, not {got}"))?;
    match frozen::find(&text.to_string_lossy()) {
        Some(frozen) => super::run_frozen(vm, frozen),
        None => Ok(Value::NONE),
    }
}

method_table! {
    static FUNCTIONS = [
        MethodDef::new("extension_suffixes($module, /)", "\
            List the endings of the file names of extension modules.", |_, _, _| {
            Ok(List::from_vec(Vec::new()).into_value())
        }),
        MethodDef::new("lock_held($module, /)", "Tell whether a thread holds the import lock.\n\n\
            It is always False where there are no threads.", |_, _, _| Ok(Value::bool(super::lock::is_held()))),
        MethodDef::new("acquire_lock($module, /)", "Take the import lock, waiting until it is free.\n\n\
            Import hooks can use it to keep other threads from importing.  It can\n\
            be taken several times by one thread.", |_, _, _| {
            super::lock::acquire();
            Ok(Value::NONE)
        }),
        MethodDef::new("release_lock($module, /)", "Give the import lock back.\n\n\
            RuntimeError is raised if this thread does not hold it.", |vm, _, _| {
            super::lock::release(vm)?;
            Ok(Value::NONE)
        }),
        MethodDef::new("get_frozen_object($module, name, data=None, /)", "\
            Return the code object of a frozen module.", |vm, _, args| {
            get_frozen_object(vm, &args[0], &args[1])
        }),
        MethodDef::new("find_frozen($module, name, /, *, withdata=False)", "\
            Describe the frozen module of this name; the result is None if there is \
            none.", |vm, _, args| find_frozen(vm, &args[0], &args[1])),
        MethodDef::new("is_frozen_package($module, name, /)", "\
            Tell whether the frozen module of this name is a package.", |vm, _, args| {
            let name = vm.expect_str_argument(&args[0], |got| format!("is_frozen_package() argument must be str, not {got}"))?;
            match frozen::find(&name.to_string_lossy()) {
                Some(module) => Ok(Value::bool(module.is_package)),
                None => Err(no_frozen_object(vm, &args[0])?),
            }
        }),
        MethodDef::new("create_builtin($module, spec, /)", "Create a built-in module from its spec.", |vm, _, args| {
            let name = vm.get_attr_str(&args[0], "name")?;
            let text = vm.display_name(&name);
            if let Some(existing) = super::modules(vm).get(vm, &name)?
                && matches!(text.as_str(), "sys" | "builtins")
            {
                return Ok(existing);
            }
            match super::native_module(&text) {
                Some(def) => Ok(Module::from_def(vm, def)?.into_value()),
                None => Ok(Value::NONE),
            }
        }),
        MethodDef::new("init_frozen($module, name, /)", "\
            Import a frozen module and return it.", |vm, _, args| init_frozen(vm, &args[0])),
        MethodDef::new("is_builtin($module, name, /)", "\
            Tell whether a module of this name is built in: 1, 0, or -1.", |vm, _, args| {
            let name = vm.expect_str_argument(&args[0], |got| format!("is_builtin() argument must be str, not {got}"))?;
            let text = name.to_string_lossy();
            Ok(Value::from(match super::native_module(&text) {
                Some(_) if matches!(text.as_str(), "sys" | "builtins") => -1,
                Some(_) => 1,
                None => 0,
            }))
        }),
        MethodDef::new("is_frozen($module, name, /)", "\
            Tell whether there is a frozen module of this name.", |vm, _, args| {
            let name = vm.expect_str_argument(&args[0], |got| format!("is_frozen() argument must be str, not {got}"))?;
            Ok(Value::bool(frozen::find(&name.to_string_lossy()).is_some()))
        }),
        MethodDef::new("exec_builtin($module, mod, /)", "\
            Execute the body of a built-in module.", |_, _, _| Ok(Value::from(0))),
        MethodDef::new("_fix_co_filename($module, code, path, /)", "The code with another co_filename, also in the functions and classes that had the same.\n\n  code\n    Code object.\n  path\n    File path to use.", |vm, _, args| {
            let Some(code) = args[0].downcast::<Code>() else {
                let got = args[0].ty().name();
                return Err(vm.type_error(format!("_fix_co_filename() argument 1 must be code, not {got}")));
            };
            let path = vm.expect_str_argument(&args[1], |got| format!("_fix_co_filename() argument 2 must be str, not {got}"))?;
            let old = code.data.filename.clone();
            Ok(match Text::from_bytes(&path.to_wtf8()).filter(|new| *new != old) {
                Some(new) => with_filename(code, &old, &new).into_value(),
                None => args[0].clone(),
            })
        }),
        MethodDef::new("source_hash($module, /, key, source)", "", |vm, _, args| {
            let key = vm.index(&args[0])?;
            let key = taipan_object::builtins::int::to_u64(&key).unwrap_or_default();
            let source = vm.bytes_like(&args[1])?;
            Ok(bytes::new(&taipan_object::hash::siphash13(key, 0, &source).to_le_bytes()))
        }),
        MethodDef::new("_override_multi_interp_extensions_check($module, override, /)", "", |_, _, _| Ok(Value::from(0))),
        MethodDef::new("_override_frozen_modules_for_tests($module, override, /)", "\
            Use the library's frozen modules (1), or do not (-1), or as the interpreter was started (0).", |vm, _, args| {
            frozen::override_for_tests(i64::from(vm.index_i32(&args[0])?));
            Ok(Value::NONE)
        }),
        MethodDef::new("_frozen_module_names($module, /)", "\
            List the names of the frozen modules.", |_, _, _| {
            Ok(List::from_vec(frozen::all().map(|module| Value::from(module.name)).collect()).into_value())
        }),
    ];
}
