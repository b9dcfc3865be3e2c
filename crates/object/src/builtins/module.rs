//! Methods and slots of `module`.

use crate::builtins::dict::Dict;
use crate::builtins::list::List;
use crate::builtins::set::AnySet;
use crate::builtins::str::Str;
use crate::native::module::Module;
use crate::native::signature::Signature;
use crate::native::{GetSetDef, MemberDef, MethodDef};
use crate::object::{Ref, Result};
use crate::types::slots::{Binary, Slots};
use crate::types::{Type, lookup};
use crate::value::Value;
use crate::vm::{Vm, names};
use std::sync::{LazyLock, OnceLock};

pub fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.repr = Some(repr);
    s.getattro = Some(getattro);
}

fn own(this: &Value) -> &Module {
    this.downcast::<Module>().expect("called on a module")
}

/// An empty namespace, whatever the arguments.
fn new(_vm: &Vm, class: &Value, _args: &[Value], _kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("`tp_new` gets a type");
    Ok(Ref::new_with_type(ty, Module::blank(ty, None)).into_value())
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::parse("module(name, doc=None)"));
    let bound = SIGNATURE.bind(vm, args, kwnames)?;
    vm.expect_str_argument(&bound[0], |got| format!("module() argument 'name' must be str, not {got}"))?;
    let module = own(this);
    module.set_name(bound[0].clone());
    module.set("__doc__", bound[1].clone());
    for name in ["__package__", "__loader__", "__spec__"] {
        module.set(name, Value::NONE);
    }
    Ok(())
}

/// The import system knows how a module shows itself.
fn repr(vm: &Vm, this: &Value) -> Result {
    let show = vm.import_from("_frozen_importlib", "_module_repr")?;
    vm.call_args(&show, std::slice::from_ref(this))
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("__dir__($self, /)", "List the names of the module: what its __dir__() says, or its namespace.", |vm, this, _| {
        let dict = vm.get_attr(this, &names().__dict__)?;
        let Some(dict) = dict.downcast::<Dict>() else {
            return Err(vm.type_error("<module>.__dict__ is not a dictionary"));
        };
        match dict.get_str(&names().__dir__) {
            Some(hook) => vm.call_args(&hook, &[]),
            None => Ok(List::from_vec(dict.keys()).into_value()),
        }
    }),
]; }

pub static MEMBERS: &[MemberDef] = &[MemberDef::new("__dict__", "", |_, this| Ok(own(this).dict.as_value().clone()))];

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("__annotations__", "", |vm, this| {
        let dict = &own(this).dict;
        if let Some(annotations) = dict.get_str(&names().__annotations__) {
            return Ok(annotations);
        }
        let annotate = dict.get_str(&names().__annotate__);
        // What a module says of itself while it is still being run is not final.
        let settled = !is_initializing(vm, dict.get_str(&names().__spec__).as_ref())?;
        let annotations = crate::builtins::type_object::annotations::evaluate(vm, annotate.as_ref())?;
        if settled {
            dict.set_str(&names().__annotations__, annotations.clone());
        }
        Ok(annotations)
    })
    .setter(|vm, this, value| {
        let dict = &own(this).dict;
        match value {
            Some(value) => dict.set_str(&names().__annotations__, value.clone()),
            None if dict.remove_str(&names().__annotations__).is_none() => {
                return Err(vm.attribute_error_name(&names().__annotations__));
            }
            None => {}
        }
        drop(dict.remove_str(&names().__annotate__));
        Ok(())
    }),
    GetSetDef::new("__annotate__", "", |_, this| {
        let dict = &own(this).dict;
        Ok(dict.get_str(&names().__annotate__).unwrap_or_else(|| {
            dict.set_str(&names().__annotate__, Value::NONE);
            Value::NONE
        }))
    })
    .setter(|vm, this, value| {
        let Some(value) = value else { return Err(vm.type_error("cannot delete __annotate__ attribute")) };
        if !value.is_none() && value.ty().slots().call.is_none() {
            return Err(vm.type_error("__annotate__ must be callable or None"));
        }
        let dict = &own(this).dict;
        dict.set_str(&names().__annotate__, value.clone());
        if !value.is_none() {
            drop(dict.remove_str(&names().__annotations__));
        }
        Ok(())
    }),
];

pub(crate) fn is_getattro(f: Binary) -> bool {
    std::ptr::fn_addr_eq(f, getattro as Binary)
}

/// As [`getattro`]; `None` when nothing has the name.
pub(crate) fn getattro_opt(vm: &Vm, this: &Value, name: &Value) -> Result<Option<Value>> {
    if let Some(value) = lookup::generic_getattr_opt(vm, this, name)? {
        return Ok(Some(value));
    }
    match own(this).dict.get_str(&names().__getattr__) {
        Some(hook) => vm.call(&hook, std::slice::from_ref(name), None).map(Some),
        None => Ok(None),
    }
}

/// Attributes, then the module's `__getattr__`.
fn getattro(vm: &Vm, this: &Value, name: &Value) -> Result {
    if let Some(value) = getattro_opt(vm, this, name)? {
        return Ok(value);
    }
    let message = missing_attribute(vm, own(this), name)?;
    Err(vm.attribute_error_for(message, this, name))
}

/// Why a module lacks an attribute: it may still be in the middle of its import, or stand before a library module.
#[cold]
fn missing_attribute(vm: &Vm, module: &Module, name: &Value) -> Result<String> {
    let text = vm.display_name(name);
    let module_name = module.dict.get_str(&names().__name__).filter(|name| name.downcast::<Str>().is_some());
    let Some(module_name) = module_name else { return Ok(format!("module has no attribute '{text}'")) };
    let shown = vm.display_name(&module_name);
    let plain = format!("module '{shown}' has no attribute '{text}'");
    let Some(spec) = module.dict.get_str(&names().__spec__).filter(|spec| !spec.is_none()) else { return Ok(plain) };
    let Shadowing { origin, possibly, library } = shadowing(vm, &module_name, &spec)?;
    if library {
        return Ok(format!(
            "{plain} (consider renaming '{}' since it has the same name as the standard library module named \
             '{shown}' and prevents importing that standard library module)",
            origin.unwrap_or_default()
        ));
    }
    if is_initializing(vm, Some(&spec))? {
        return Ok(match origin {
            Some(origin) if possibly => format!(
                "{plain} (consider renaming '{origin}' if it has the same name as a library you intended to import)"
            ),
            Some(origin) => format!(
                "partially initialized module '{shown}' from '{origin}' has no attribute '{text}' (most likely due to a \
                 circular import)"
            ),
            None => format!(
                "partially initialized module '{shown}' has no attribute '{text}' (most likely due to a circular import)"
            ),
        });
    }
    if let Some(unfinished) = vm.get_attr_str_opt(&spec, "_uninitialized_submodules")?
        && vm.contains(&unfinished, name)?
    {
        return Ok(format!(
            "cannot access submodule '{text}' of module '{shown}' (most likely due to a circular import)"
        ));
    }
    Ok(plain)
}

/// Whether the spec says that its module is being imported.
fn is_initializing(vm: &Vm, spec: Option<&Value>) -> Result<bool> {
    let Some(spec) = spec.filter(|spec| !spec.is_none()) else { return Ok(false) };
    match vm.get_attr_str_opt(spec, "_initializing")? {
        Some(value) => vm.is_true(&value),
        None => Ok(false),
    }
}

/// The file that the spec's module comes from.
fn file_origin(vm: &Vm, spec: &Value) -> Result<Option<String>> {
    let Some(located) = vm.get_attr_str_opt(spec, "has_location")? else { return Ok(None) };
    if !vm.is_true(&located)? {
        return Ok(None);
    }
    let origin = vm.get_attr_str_opt(spec, "origin")?;
    Ok(origin.filter(|origin| origin.downcast::<Str>().is_some()).map(|origin| vm.display_name(&origin)))
}

/// Whether a module stands before one that was meant.
pub struct Shadowing {
    /// The module's file.
    pub origin: Option<String>,
    /// It lies in the program's own folder, which comes before the library.
    pub possibly: bool,
    /// It has the name of a module of the library, too.
    pub library: bool,
}

/// What is to be said of the module with this name and spec when it lacks what was asked of it.
pub fn shadowing(vm: &Vm, module_name: &Value, spec: &Value) -> Result<Shadowing> {
    let origin = file_origin(vm, spec)?;
    let possibly = match &origin {
        Some(origin) => is_in_program_folder(vm, origin)?,
        None => false,
    };
    let mut library = false;
    if possibly
        && let Some(names) = vm.get_attr_str_opt(&vm.import("sys")?, "stdlib_module_names")?
        && AnySet::of(&names).is_some()
    {
        library = vm.contains(&names, module_name)?;
    }
    Ok(Shadowing { origin, possibly, library })
}

/// What the program's start put first on `sys.path`.
static PROGRAM_FOLDER: OnceLock<String> = OnceLock::new();

/// Tells which folder the program's start put first on `sys.path`: modules in it stand before those of the library.
pub fn set_program_folder(folder: &str) {
    let _ = PROGRAM_FOLDER.set(folder.to_owned());
}

/// Whether the file lies in the program's own folder.
fn is_in_program_folder(vm: &Vm, origin: &str) -> Result<bool> {
    let flags = vm.import_from("sys", "flags")?;
    let safe = vm.get_attr_str(&flags, "safe_path")?;
    if vm.is_true(&safe)? {
        return Ok(false);
    }
    let Some((mut folder, file)) = origin.rsplit_once('/') else { return Ok(false) };
    if file == "__init__.py" {
        let Some((parent, _)) = folder.rsplit_once('/') else { return Ok(false) };
        folder = parent;
    }
    Ok(match PROGRAM_FOLDER.get() {
        Some(own) if own.is_empty() => std::env::current_dir().is_ok_and(|here| here.as_os_str() == folder),
        Some(own) => own == folder,
        None => false,
    })
}
