//! `import` statements: `builtins.__import__` does the work.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::module::{self, Shadowing};
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::{ATTRIBUTE_ERROR, IMPORT_ERROR, INDEX_ERROR, new_exception, set_field};
use taipan_object::vm::names;
use taipan_object::{Raised, Result, Value, Vm};

use super::{Flow, Machine, release_operands, view, word_of};
use crate::frame::Frame;
use crate::instruction::Fetched;

fn import_name(vm: &Vm, frame: &Frame, name: &Value, fromlist: &Value, level: &Value) -> Result {
    let function = frame.function();
    let Some(import) = function.builtins.get_str(&names().__import__) else {
        return Err(vm.import_error("__import__ not found"));
    };
    if crate::builtins_module::is_own_import(&import)
        && let Some(Ok(level)) = level.as_small_int().map(i32::try_from)
    {
        return crate::import::import_name(vm, name, Some(function.globals.as_value()), Some(fromlist), level);
    }
    // SAFETY: the frame owns its namespace.
    let locals = match frame.namespace {
        0 => Value::NONE,
        _ => unsafe { view(&frame.namespace) }.clone(),
    };
    let args = [name.clone(), function.globals.as_value().clone(), locals, fromlist.clone(), level.clone()];
    vm.call(&import, &args, None)
}

/// `from module import name`.
pub(crate) fn import_from(vm: &Vm, module: &Value, name: &Value) -> Result {
    let found = match vm.get_attr(module, name) {
        Ok(value) => return Ok(value),
        Err(raised) => raised,
    };
    vm.catch(found, ATTRIBUTE_ERROR.ty())?;
    // A submodule that is being imported is not an attribute of its package yet.
    let module_name = vm.get_attr_opt(module, &names().__name__)?.filter(|name| name.downcast::<Str>().is_some());
    if let Some(package) = &module_name {
        let full = format!("{}.{}", vm.display_name(package), vm.display_name(name));
        let modules = vm.import_from("sys", "modules")?;
        if let Some(found) = modules.downcast::<Dict>().and_then(|modules| modules.get_str(&Value::from(full))) {
            return Ok(found);
        }
    }
    Err(cannot_import(vm, module, module_name, name)?)
}

#[cold]
fn cannot_import(vm: &Vm, module: &Value, module_name: Option<Value>, name: &Value) -> Result<Raised> {
    let from = match &module_name {
        Some(name) => vm.repr_string(name)?,
        None => "'<unknown module name>'".to_string(),
    };
    let spec = vm.get_attr_opt(module, &names().__spec__)?.filter(|spec| !spec.is_none());
    let unknown = Value::from("<unknown module name>");
    let found = match &spec {
        Some(spec) => module::shadowing(vm, module_name.as_ref().unwrap_or(&unknown), spec)?,
        None => Shadowing { origin: None, possibly: false, library: false },
    };
    let origin = match &found.origin {
        Some(origin) => Some(Value::from(origin.as_str())),
        None => vm.get_attr_opt(module, &names().__file__)?.filter(|file| file.downcast::<Str>().is_some()),
    };
    let initializing = match &spec {
        Some(spec) => match vm.get_attr_str_opt(spec, "_initializing")? {
            Some(flag) => vm.is_true(&flag)?,
            None => false,
        },
        None => false,
    };
    let place = origin.as_ref().map_or("unknown location".to_string(), |origin| vm.display_name(origin));
    let quoted = origin.as_ref().map_or(Ok(String::new()), |origin| vm.repr_string(origin))?;
    let plain = format!("cannot import name {} from", vm.repr_string(name)?);
    let message = if found.library {
        format!(
            "{plain} {from} (consider renaming {quoted} since it has the same name as the standard library module named \
             {from} and prevents importing that standard library module)"
        )
    } else if initializing && found.possibly {
        format!(
            "{plain} {from} (consider renaming {quoted} if it has the same name as a library you intended to import)"
        )
    } else if initializing {
        format!("{plain} partially initialized module {from} (most likely due to a circular import) ({place})")
    } else {
        format!("{plain} {from} ({place})")
    };
    let exception = new_exception(IMPORT_ERROR.ty(), vec![Value::from(message)]);
    set_field(&exception, &names().name, module_name.unwrap_or(Value::NONE));
    set_field(&exception, &names().path, origin.unwrap_or(Value::NONE));
    set_field(&exception, &crate::function::name("name_from"), name.clone());
    Ok(vm.raise(exception))
}

/// `from module import *`.
pub(super) fn import_star(vm: &Vm, frame: &Frame, module: &Value) -> Result {
    if frame.namespace == 0 {
        return Err(vm.system_error("no locals found during 'import *'"));
    }
    // SAFETY: the frame owns its namespace.
    let namespace = unsafe { view(&frame.namespace) };
    let (all, skip_private) = match vm.get_attr_opt(module, &names().__all__)? {
        Some(all) => (all, false),
        None => match vm.get_attr_opt(module, &names().__dict__)? {
            Some(dict) => (List::from_vec(vm.collect(&vm.call_method(&dict, "keys", &[])?)?).into_value(), true),
            None => return Err(vm.import_error("from-import-* object has no __dict__ and no __all__")),
        },
    };
    for at in 0.. {
        let Some(name) = item_of(vm, &all, at)? else { break };
        let Some(text) = name.downcast::<Str>() else {
            let module_name = vm.get_attr(module, &names().__name__)?;
            let module_name = vm.display_name(&module_name);
            let (place, got) = (if skip_private { "Key in" } else { "Item in" }, name.ty().name());
            let list = if skip_private { "__dict__" } else { "__all__" };
            return Err(vm.type_error(format!("{place} {module_name}.{list} must be str, not {got}")));
        };
        if skip_private && text.len() > 0 && text.at(0) == '_' as u32 {
            continue;
        }
        let value = vm.get_attr(module, &name)?;
        match namespace.downcast_exact::<Dict>() {
            Some(dict) => dict.set(vm, &name, value)?,
            None => vm.set_item(namespace, &name, &value)?,
        }
    }
    Ok(Value::NONE)
}

/// An item of what says which names a module exports; `None` at its end.
fn item_of(vm: &Vm, all: &Value, at: i64) -> Result<Option<Value>> {
    if let Some(list) = all.downcast_exact::<List>() {
        return Ok(list.get(at as usize));
    }
    let slots = all.ty().slots();
    let item = match slots.item {
        Some(item) => item(vm, all, at),
        None if vm.is_sequence(all) => vm.get_item(all, &Value::from(at)),
        None => {
            let name = all.ty().name();
            Err(vm.type_error(match slots.subscript {
                Some(_) => format!("{name} is not a sequence"),
                None => format!("'{name}' object does not support indexing"),
            }))
        }
    };
    match item {
        Ok(item) => Ok(Some(item)),
        Err(raised) => {
            drop(vm.catch(raised, INDEX_ERROR.ty())?);
            Ok(None)
        }
    }
}

impl Machine<'_> {
    #[inline(never)]
    pub unsafe fn import_name(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, released if owned.
        unsafe {
            self.save();
            let (level, fromlist) = (self.get(w.b()), self.get(w.c()));
            let frame = &*self.frame;
            let name = frame.code().name_at(self.extra(1) as usize);
            let result = import_name(self.vm, frame, name, view(&fromlist), view(&level));
            release_operands(w.flags(), level, fromlist);
            self.finish(w, word_of(result), 2)
        }
    }

    #[inline(never)]
    pub unsafe fn import_from(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            self.save();
            let module = self.get(w.b());
            let name = (*(*self.frame).code).name_at(w.c() as usize);
            let result = import_from(self.vm, view(&module), name);
            self.finish(w, word_of(result), 1)
        }
    }
}
