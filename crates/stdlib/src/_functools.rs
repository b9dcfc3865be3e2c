//! `_functools`: `partial`, `reduce`, `cmp_to_key` and the wrapper behind `lru_cache`.

pub mod cmp_to_key;
pub mod lru_cache;
pub mod partial;

use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_functools",
    doc: "Tools that operate on functions.",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.add_type(&partial::PLACEHOLDER_TYPE);
        module.set("Placeholder", partial::placeholder());
        module.add_type(&partial::PARTIAL);
        module.add_type(&lru_cache::LRU_CACHE_WRAPPER);
        Ok(())
    },
};

method_table! { static FUNCTIONS = [
    MethodDef::new("reduce($module, function, iterable, /, initial=<unrepresentable>)",
        "Apply a function of two arguments cumulatively to the items of an iterable, from left to right.\n\nThis effectively reduces the iterable to a single value.  If initial is present,\nit is placed before the items of the iterable in the calculation, and serves as\na default when the iterable is empty.\n\nFor example, reduce(lambda x, y: x+y, [1, 2, 3, 4, 5])\ncalculates ((((1 + 2) + 3) + 4) + 5).",
        |vm, _, args| reduce(vm, &args[0], &args[1], args[2].bound())),
    MethodDef::new("cmp_to_key($module, /, mycmp)", "Convert a cmp= function into a key= function.\n\n  mycmp\n    Function that compares two objects.", |_, _, args| {
        Ok(cmp_to_key::new(&args[0], None))
    }),
]; }

fn reduce(vm: &Vm, function: &Value, iterable: &Value, initial: Option<&Value>) -> Result {
    let iterator = vm.iter(iterable).or_else(|raised| {
        vm.catch(raised, taipan_object::exceptions::type_error())?;
        Err(vm.type_error("reduce() arg 2 must support iteration"))
    })?;
    let mut result = match initial {
        Some(initial) => initial.clone(),
        None => match vm.next(&iterator)? {
            Some(first) => first,
            None => return Err(vm.type_error("reduce() of empty iterable with no initial value")),
        },
    };
    while let Some(item) = vm.next(&iterator)? {
        result = vm.call_args(function, &[result, item])?;
    }
    Ok(result)
}
