//! `_functools`: `partial`, `reduce`, `cmp_to_key` and the wrapper behind `lru_cache`.

pub mod cmp_to_key;
pub mod lru_cache;
pub mod partial;

use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_functools",
    doc: "What functools is made of.",
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
        "Combine the items of an iterable into one value, from left to right.\n\n\
        The function gets the value so far and the next item, and returns the new\n\
        value.  The first value is initial if it is given, else the first item;\n\
        an empty iterable without initial raises TypeError.\n\n\
        For example, reduce(f, 'abc') is f(f('a', 'b'), 'c').",
        |vm, _, args| reduce(vm, &args[0], &args[1], args[2].bound())),
    MethodDef::new("cmp_to_key($module, /, mycmp)", "Make a key function from one that compares two objects.\n\n  \
        mycmp\n    \
        A function of two arguments; its result is negative, zero or\n    \
        positive as the first is less than, equal to or greater than the\n    \
        second.", |_, _, args| {
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
    while let Some(item) = vm.next_of_any(&iterator)? {
        result = vm.call_args(function, &[result, item])?;
    }
    Ok(result)
}
