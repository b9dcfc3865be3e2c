//! `_count_elements`, the loop of `collections.Counter`.

use taipan_object::builtins::dict::{DICT, Dict, hash_key};
use taipan_object::builtins::str::intern;
use taipan_object::native::MethodDef;
use taipan_object::types::lookup;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, method_table};

method_table! { pub static FUNCTIONS = [
    MethodDef::new("_count_elements($module, mapping, iterable, /)", "\
        Add 1 to the mapping's value for each item of the iterable", |vm, _, args| {
        count(vm, &args[0], &args[1])?;
        Ok(Value::NONE)
    }),
]; }

fn count(vm: &Vm, mapping: &Value, iterable: &Value) -> Result<()> {
    let iterator = vm.iter(iterable)?;
    let one = Value::small_int(1);
    match mapping.downcast::<Dict>().filter(|_| is_plain(mapping)) {
        Some(dict) => {
            while let Some(key) = vm.next(&iterator)? {
                let hash = hash_key(vm, &key)?;
                let count = match dict.get_hashed(vm, &key, hash)? {
                    Some(old) => vm.add(&old, &one)?,
                    None => one.clone(),
                };
                dict.set_hashed(vm, &key, hash, count)?;
            }
        }
        None => {
            let get = vm.get_attr(mapping, &names().get)?;
            let zero = Value::small_int(0);
            while let Some(key) = vm.next(&iterator)? {
                let old = vm.call_args(&get, &[key.clone(), zero.clone()])?;
                let count = vm.add(&old, &one)?;
                vm.set_item(mapping, &key, &count)?;
            }
        }
    }
    Ok(())
}

/// Whether `get` and `__setitem__` are those of dict itself.
fn is_plain(mapping: &Value) -> bool {
    let same = |name: &Value| match (lookup::find(mapping.ty(), name), lookup::find(DICT.ty(), name)) {
        (Some(a), Some(b)) => a.is(&b),
        _ => false,
    };
    same(&names().get) && same(intern("__setitem__").as_value())
}
