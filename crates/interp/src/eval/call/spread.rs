//! `f(*arguments, **keywords)`.

use smallvec::SmallVec;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::method::BoundMethod;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::{TUPLE, Tuple};
use taipan_object::exceptions::TYPE_ERROR;
use taipan_object::{Ref, Result, Value, Vm};

use super::super::{Flow, Machine, variant, word_of};
use super::{LENDABLE, Operands};
use crate::frame::{retain, retain_live};
use crate::function::arguments::Arguments;
use crate::function::{FUNCTION, Function};
use crate::instruction::Fetched;

impl Machine<'_> {
    #[inline(never)]
    pub unsafe fn call_function_ex(&mut self, w: Fetched) -> Flow {
        // SAFETY: owned operands from `b` on, consumed.
        unsafe {
            let may_go_on = self.safepoint();
            self.save();
            let vm = self.vm;
            let base = self.regs.add(w.b() as usize);
            let callable = Value::from_word(*base);
            let arguments = Value::from_word(*base.add(2));
            let keywords = if variant(w) { None } else { Some(Value::from_word(*base.add(3))) };
            if !may_go_on {
                return self.unwind();
            }
            if let Some((operands, names)) = self.spread_out(&callable, &arguments, keywords.as_ref(), base.add(2)) {
                drop((arguments, keywords, callable));
                let code = (*(operands.callable as *const Function)).code();
                if names.is_none() && code.simple_args == operands.count as i32 && !code.entry.get().is_null() {
                    let Operands { callable, first, count, .. } = operands;
                    return self.call_simple(callable, false, first, count, 0, code, 1);
                }
                return self.call_python(&operands, names.as_ref().map(Ref::as_value), 1);
            }
            let (args, kwnames) = match spread(vm, &callable, &arguments, keywords.as_ref()) {
                Ok(spread) => spread,
                Err(_) => return self.unwind(),
            };
            drop((arguments, keywords));
            let kwnames = kwnames.as_ref().map(Ref::as_value);
            if callable.ty().is(&FUNCTION) {
                return self.enter_function(callable.into_word(), args, kwnames, base.add(2), 1);
            }
            let epoch = crate::monitoring::epoch();
            let mut result = vm.call(&callable, &args, kwnames);
            if crate::monitoring::watching() {
                let interp = self.interp;
                // Values of keywords stand behind the positional arguments.
                let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
                let first = args[..args.len() - keywords].first();
                result = crate::monitoring::native_call_over(vm, interp, self.frame, &callable, first, epoch, result);
                drop((args, callable));
                return self.finish_watched(w, word_of(result), 1);
            }
            // The last one dies first, as elsewhere.
            args.into_iter().rev().for_each(drop);
            drop(callable);
            self.finish_native(w, word_of(result), 1)
        }
    }

    /// The operands of `callable(*arguments, **keywords)` written out from `first` on, or where the frame ends, if it is a Python
    /// function or a method that is one, and they are an exact tuple and an exact dict of few items.
    pub(super) unsafe fn spread_out(
        &self,
        callable: &Value,
        arguments: &Value,
        keywords: Option<&Value>,
        first: *mut u64,
    ) -> Option<(Operands, Option<Ref<Tuple>>)> {
        let (function, receiver) = match callable.downcast_exact::<BoundMethod>() {
            Some(method) => (&method.function, Some(&method.this)),
            None => (callable, None),
        };
        if !function.ty().is(&FUNCTION) {
            return None;
        }
        let arguments = arguments.downcast_exact::<Tuple>()?.as_slice();
        let keywords = match keywords {
            Some(keywords) => Some(keywords.downcast_exact::<Dict>()?).filter(|keywords| keywords.len() != 0),
            None => None,
        };
        let positional = usize::from(receiver.is_some()) + arguments.len();
        let count = positional + keywords.map_or(0, Dict::len);
        // SAFETY: the registers above the call's operands are free; owned words are written to them.
        unsafe {
            let first = self.window(first);
            if count > LENDABLE || first.add(count) > self.interp.stacks.registers_end.get() {
                return None;
            }
            // Names first: what they are decides, and nothing has been written yet.
            let names = match keywords {
                Some(keywords) => Some(names_and_values(keywords, first.add(positional), count - positional)?),
                None => None,
            };
            let mut at = first;
            for value in receiver.into_iter().chain(arguments) {
                *at = retain(value.word());
                at = at.add(1);
            }
            let callable = retain_live(function.word());
            Some((Operands { callable, first, count, borrowed: 0, callable_borrowed: false }, names))
        }
    }
}

/// The names of a dict of `count` keyword arguments, whose values are written from `to` on as owned words; nothing, unless all
/// names are exact strings.
unsafe fn names_and_values(keywords: &Dict, to: *mut u64, count: usize) -> Option<Ref<Tuple>> {
    let table = keywords.state.borrow(&keywords.header);
    let live = || table.entries.iter().filter_map(|entry| entry.key.as_ref().map(|key| (key, &entry.value)));
    if !live().all(|(name, _)| name.downcast_exact::<Str>().is_some()) || live().count() != count {
        return None;
    }
    let mut names: SmallVec<[Value; 8]> = SmallVec::new();
    for (at, (name, value)) in live().enumerate() {
        names.push(name.clone());
        // SAFETY: by the caller, there is room for so many words.
        unsafe { *to.add(at) = retain(value.word()) };
    }
    drop(table);
    Some(Tuple::new_with_type(TUPLE.ty(), names.into_iter()))
}

/// `f(*arguments, **keywords)` as a vectorcall.
pub(super) fn spread(
    vm: &Vm,
    callable: &Value,
    arguments: &Value,
    keywords: Option<&Value>,
) -> Result<(Arguments, Option<Ref<Tuple>>)> {
    let mut args: Arguments = match arguments.downcast_exact::<Tuple>() {
        Some(tuple) => tuple.as_slice().iter().cloned().collect(),
        None => match vm.collect(arguments) {
            Ok(items) => items.into(),
            Err(raised) => {
                let slots = arguments.ty().slots();
                if slots.iter.is_some() || slots.item.is_some() || !vm.pending_matches(&raised, TYPE_ERROR.ty()) {
                    return Err(raised);
                }
                vm.discard(raised);
                let (function, name) = (super::super::build::function_text(vm, callable)?, arguments.ty().name());
                return Err(vm.type_error(format!("{function} argument after * must be an iterable, not {name}")));
            }
        },
    };
    let Some(keywords) = keywords else { return Ok((args, None)) };
    let Some(keywords) = keywords.downcast::<Dict>() else {
        let (function, name) = (super::super::build::function_text(vm, callable)?, keywords.ty().name());
        return Err(vm.type_error(format!("{function} argument after ** must be a mapping, not {name}")));
    };
    let (names, values): (Vec<Value>, Vec<Value>) = keywords.items().into_iter().unzip();
    if names.is_empty() {
        return Ok((args, None));
    }
    if names.iter().any(|name| name.downcast::<taipan_object::builtins::str::Str>().is_none())
        && !crate::ast_module::takes_any_keywords(callable)
    {
        return Err(vm.type_error("keywords must be strings"));
    }
    args.extend(values);
    Ok((args, Some(Tuple::from_vec(names))))
}
