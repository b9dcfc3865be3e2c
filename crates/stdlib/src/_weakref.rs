//! `_weakref`: what `weakref` builds upon. The types are in the object layer.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::weakref::{self, proxy};
use taipan_object::{Value, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_weakref",
    doc: "Weak references, for the weakref module.",
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
    MethodDef::new("getweakrefcount($module, object, /)", "Count the weak references to an object.", |_, _, args| {
        Ok(Value::from(weakref::references(&args[0]).len()))
    }),
    MethodDef::new("_remove_dead_weakref($module, dct, key, /)", "\
        Remove an item whose value is a dead weak reference, if it still is one.", |vm, _, args| {
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
    MethodDef::new("getweakrefs($module, object, /)", "List the weak references to an object.", |_, _, args| {
        Ok(List::from_vec(weakref::references(&args[0])).into_value())
    }),
    MethodDef::new("proxy($module, object, callback=None, /)", "\
        Make an object that behaves like another without keeping it alive.", |vm, _, args| {
        weakref::new_proxy(vm, &args[0], args[1].given().cloned())
    }),
]; }
