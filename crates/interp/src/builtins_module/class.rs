//! `__build_class__`: what a `class` statement calls.

use taipan_object::builtins::cell::Cell;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::{TYPE, Type, creation};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

/// `__build_class__(func, name, *bases, metaclass=…, **keywords)`.
pub fn build_class(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    let names_given: Vec<Value> =
        kwnames.and_then(|names| names.downcast::<Tuple>()).map(|t| t.as_slice().to_vec()).unwrap_or_default();
    let (positional, values) = args.split_at(args.len() - names_given.len());
    if positional.len() < 2 {
        return Err(vm.type_error("__build_class__: not enough arguments"));
    }
    let (function, name) = (&positional[0], &positional[1]);
    if !crate::function::is_function(function) {
        return Err(vm.type_error("__build_class__: func must be a function"));
    }
    if name.downcast::<Str>().is_none() {
        return Err(vm.type_error("__build_class__: name is not a string"));
    }
    let original_bases = Tuple::from_slice(&positional[2..]).into_value();
    let (bases, replaced) = update_bases(vm, &positional[2..], &original_bases)?;
    let mut keywords: Vec<(Value, Value)> = names_given.into_iter().zip(values.iter().cloned()).collect();
    let explicit = keywords
        .iter()
        .position(|(name, _)| name.downcast::<Str>().is_some_and(|n| n.is_str("metaclass")))
        .map(|at| keywords.remove(at).1);
    let mut meta = match &explicit {
        Some(meta) => meta.clone(),
        None => match bases.first() {
            Some(base) => base.ty().to_value(),
            None => TYPE.value(),
        },
    };
    if meta.downcast::<Type>().is_some() {
        meta = creation::calculate_metaclass(vm, &meta, &bases)?;
    }
    let bases_tuple = Tuple::from_vec(bases).into_value();
    let keyword_values: Vec<Value> = keywords.iter().map(|(_, value)| value.clone()).collect();
    let keyword_names = Tuple::from_vec(keywords.into_iter().map(|(name, _)| name).collect());
    let with_keywords = |mut args: Vec<Value>| {
        args.extend(keyword_values.iter().cloned());
        args
    };
    let kwnames = (keyword_names.len() > 0).then_some(keyword_names.as_value());
    let namespace = match vm.get_attr_opt(&meta, &names().__prepare__)? {
        Some(prepare) => vm.call(&prepare, &with_keywords(vec![name.clone(), bases_tuple.clone()]), kwnames)?,
        None => Dict::new().into_value(),
    };
    if namespace.downcast::<Dict>().is_none() && namespace.ty().slots().subscript.is_none() {
        let shown = match meta.downcast::<Type>() {
            Some(meta) => meta.name(),
            None => "<metaclass>".to_string(),
        };
        let got = namespace.ty().name();
        return Err(vm.type_error(format!("{shown}.__prepare__() must return a mapping, not {got}")));
    }
    let cell = crate::function::call_class_body(vm, function, &namespace)?;
    if replaced {
        vm.set_item(&namespace, intern("__orig_bases__").as_value(), &original_bases)?;
    }
    let class = vm.call(&meta, &with_keywords(vec![name.clone(), bases_tuple, namespace]), kwnames)?;
    if let Some(cell) = cell.downcast::<Cell>()
        && class.downcast::<Type>().is_some()
    {
        match cell.get() {
            None => {
                let text = vm.display_name(name);
                return Err(vm.runtime_error(format!(
                    "__class__ not set defining '{text}' as {}. Was __classcell__ propagated to type.__new__?",
                    vm.repr_string(&class)?
                )));
            }
            Some(contents) if !contents.is(&class) => {
                let text = vm.display_name(name);
                return Err(vm.type_error(format!(
                    "__class__ set to {} defining '{text}' as {}",
                    vm.repr_string(&contents)?,
                    vm.repr_string(&class)?
                )));
            }
            Some(_) => {}
        }
    }
    Ok(class)
}

/// Replaces bases that are not classes by what their `__mro_entries__` say; whether any was.
fn update_bases(vm: &Vm, bases: &[Value], original: &Value) -> Result<(Vec<Value>, bool)> {
    let mut result = Vec::with_capacity(bases.len());
    let mut replaced = false;
    for base in bases {
        if base.downcast::<Type>().is_some() {
            result.push(base.clone());
            continue;
        }
        match vm.get_attr_opt(base, &names().__mro_entries__)? {
            None => result.push(base.clone()),
            Some(entries) => {
                let entries = vm.call(&entries, std::slice::from_ref(original), None)?;
                let Some(entries) = entries.downcast::<Tuple>() else {
                    return Err(vm.type_error("__mro_entries__ must return a tuple"));
                };
                result.extend_from_slice(entries.as_slice());
                replaced = true;
            }
        }
    }
    Ok((result, replaced))
}
