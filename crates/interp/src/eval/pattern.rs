//! `match` statements: mappings and classes.

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::{Type, type_flags};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use super::{Flow, Machine, view, word_of};
use crate::instruction::Fetched;

impl Machine<'_> {
    /// Whether the type of `b` has the flag.
    #[inline(never)]
    pub unsafe fn match_flag(&mut self, w: Fetched, flag: u64) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            let subject = self.get(w.b());
            let has = view(&subject).ty().has_flags(flag);
            self.set(w, Value::bool(has).into_word());
            self.advance(1)
        }
    }

    #[inline(never)]
    pub unsafe fn match_keys(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, which stay.
        unsafe {
            self.save();
            let (subject, keys) = (self.get(w.b()), self.get(w.c()));
            let result = match_keys(self.vm, view(&subject), view(&keys));
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn match_class(&mut self, w: Fetched) -> Flow {
        // SAFETY: three owned words.
        unsafe {
            self.save();
            let [subject, class, keywords]: [Value; 3] = self.take(w.b());
            let result = match_class(self.vm, &subject, &class, w.c() as usize, &keywords);
            drop((subject, class, keywords));
            let result = result.map(|values| values.map_or(Value::NONE, |v| Tuple::from_vec(v).into_value()));
            self.finish(w, word_of(result), 1)
        }
    }
}

/// The values of all `keys`, or None.
fn match_keys(vm: &Vm, subject: &Value, keys: &Value) -> Result {
    let keys = vm.collect(keys)?;
    if keys.is_empty() {
        return Ok(Tuple::from_vec(Vec::new()).into_value());
    }
    let get = vm.get_attr(subject, &names().get)?;
    // `get` is asked with a default that cannot be in the mapping.
    let dummy = taipan_object::builtins::object::allocate_instance(taipan_object::types::OBJECT.ty());
    let (mut seen, mut values): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for key in keys {
        for other in &seen {
            if vm.equal_or_identical(other, &key)? {
                let key = vm.repr_string(&key)?;
                return Err(vm.value_error(format!("mapping pattern checks duplicate key ({key})")));
            }
        }
        let value = match subject.downcast_exact::<Dict>() {
            Some(dict) => match dict.get(vm, &key)? {
                Some(value) => value,
                None => return Ok(Value::NONE),
            },
            None => vm.call(&get, &[key.clone(), dummy.clone()], None)?,
        };
        if value.is(&dummy) {
            return Ok(Value::NONE);
        }
        seen.push(key);
        values.push(value);
    }
    Ok(Tuple::from_vec(values).into_value())
}

fn attribute(vm: &Vm, subject: &Value, class: &Value, name: &Value, seen: &mut Vec<Value>) -> Result<Option<Value>> {
    if seen.iter().any(|known| Str::same(known, name)) {
        let (class, name) = (type_name(class), vm.repr_string(name)?);
        return Err(vm.type_error(format!("{class}() got multiple sub-patterns for attribute {name}")));
    }
    seen.push(name.clone());
    vm.get_attr_opt(subject, name)
}

fn type_name(class: &Value) -> String {
    class.downcast::<Type>().map(Type::full_name).unwrap_or_default()
}

/// The attributes that `class(positional…, keywords…)` asks for, if `subject` is an instance that has them.
fn match_class(
    vm: &Vm,
    subject: &Value,
    class: &Value,
    positional: usize,
    keywords: &Value,
) -> Result<Option<Vec<Value>>> {
    let Some(ty) = class.downcast::<Type>() else {
        return Err(vm.type_error("called match pattern must be a class"));
    };
    if !vm.is_instance(subject, class)? {
        return Ok(None);
    }
    let (mut seen, mut values) = (Vec::new(), Vec::new());
    if positional > 0 {
        let (mut match_self, mut args) = (false, Vec::new());
        match vm.get_attr_opt(class, &names().__match_args__)? {
            Some(match_args) => match match_args.downcast_exact::<Tuple>() {
                Some(tuple) => args = tuple.as_slice().to_vec(),
                None => {
                    let (class, got) = (type_name(class), match_args.ty().name());
                    return Err(vm.type_error(format!("{class}.__match_args__ must be a tuple (got {got})")));
                }
            },
            None => match_self = ty.has_flags(type_flags::MATCH_SELF),
        }
        let allowed = if match_self { 1 } else { args.len() };
        if allowed < positional {
            let (class, plural) = (type_name(class), if allowed == 1 { "" } else { "s" });
            return Err(vm.type_error(format!(
                "{class}() accepts {allowed} positional sub-pattern{plural} ({positional} given)"
            )));
        }
        if match_self {
            values.push(subject.clone());
        }
        for name in args.iter().take(if match_self { 0 } else { positional }) {
            if name.downcast_exact::<Str>().is_none() {
                let got = name.ty().name();
                return Err(vm.type_error(format!("__match_args__ elements must be strings (got {got})")));
            }
            match attribute(vm, subject, class, name, &mut seen)? {
                Some(value) => values.push(value),
                None => return Ok(None),
            }
        }
    }
    for name in vm.collect(keywords)? {
        match attribute(vm, subject, class, &name, &mut seen)? {
            Some(value) => values.push(value),
            None => return Ok(None),
        }
    }
    Ok(Some(values))
}
