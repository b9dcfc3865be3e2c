//! `_weakref`: what `weakref` builds upon. The types are in the object layer.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::weakref::{self, proxy};
use taipan_object::{Value, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_weakref",
    doc: "Weak-reference support module.",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.set("ref", weakref::REFERENCE.value());
        module.add_type(&weakref::REFERENCE);
        module.add_type(&proxy::PROXY);
        module.add_type(&proxy::CALLABLE_PROXY);
        Ok(())
    },
};

method_table! { static FUNCTIONS = [
    MethodDef::new("getweakrefcount($module, object, /)", "Return the number of weak references to 'object'.", |_, _, args| {
        Ok(Value::from(weakref::references(&args[0]).len()))
    }),
    MethodDef::new("_remove_dead_weakref($module, dct, key, /)", "Atomically remove key from dict if it points to a dead weakref.", |vm, _, args| {
        let Some(dict) = args[0].downcast::<Dict>() else {
            let name = args[0].ty().name();
            return Err(vm.type_error(format!("_remove_dead_weakref() argument 1 must be dict, not {name}")));
        };
        if let Some(reference) = dict.get(vm, &args[1])? {
            if reference.downcast::<weakref::WeakRef>().is_none() {
                return Err(vm.type_error("not a weakref"));
            }
            if weakref::target(&reference).is_none() {
                let removed = dict.remove(vm, &args[1])?;
                drop(removed);
            }
        }
        Ok(Value::NONE)
    }),
    MethodDef::new("getweakrefs($module, object, /)", "Return a list of all weak reference objects pointing to 'object'.", |_, _, args| {
        Ok(List::from_vec(weakref::references(&args[0])).into_value())
    }),
    MethodDef::new("proxy($module, object, callback=None, /)", "Create a proxy object that weakly references 'object'.", |vm, _, args| {
        weakref::new_proxy(vm, &args[0], args[1].given().cloned())
    }),
]; }
