//! The functions of CALL_INTRINSIC_1 and CALL_INTRINSIC_2.

use taipan_bytecode::code::{CO_ASYNC_GENERATOR, CO_COROUTINE};
use taipan_bytecode::oparg::{Intrinsic1, Intrinsic2};
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::count::is_only_reference;
use taipan_object::exceptions::group::{self, is_group};
use taipan_object::exceptions::{
    self, BASE_EXCEPTION_GROUP, RUNTIME_ERROR, STOP_ASYNC_ITERATION, STOP_ITERATION, new_exception,
};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use super::{Flow, Machine, release_operands, view, word_of};
use crate::frame::Frame;
use crate::function::Function;
use crate::instruction::{B_OWNED, Fetched};
use crate::type_params;

impl Machine<'_> {
    #[inline(never)]
    pub unsafe fn call_intrinsic_1(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            if w.c() == Intrinsic1::AsyncGenWrap as u16
                && let Some(flow) = self.yield_for_step(w)
            {
                return flow;
            }
            self.save();
            let word = self.get(w.b());
            let owned = w.flags() & B_OWNED != 0;
            let result = intrinsic_1(self.vm, &*self.frame, w.c() as u32, view(&word), owned);
            release_operands(w.flags(), word, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn call_intrinsic_2(&mut self, w: Fetched) -> Flow {
        // SAFETY: two owned words.
        unsafe {
            self.save();
            let [first, second]: [Value; 2] = self.take(w.b());
            let result = intrinsic_2(self.vm, w.c() as u32, &first, &second);
            drop((first, second));
            self.finish(w, word_of(result), 1)
        }
    }
}

/// `owned`: the reference to `value` ends with the instruction.
fn intrinsic_1(vm: &Vm, frame: &Frame, which: u32, value: &Value, owned: bool) -> Result {
    match Intrinsic1::from_oparg(which) {
        Some(Intrinsic1::Print) => {
            let sys = vm.import("sys")?;
            match vm.get_attr_opt(&sys, &names().displayhook)? {
                Some(hook) => vm.call(&hook, std::slice::from_ref(value), None),
                None => Err(vm.runtime_error("lost sys.displayhook")),
            }
        }
        Some(Intrinsic1::ImportStar) => super::import::import_star(vm, frame, value),
        Some(Intrinsic1::StopIterationError) => Ok(stop_iteration_error(frame, value)),
        Some(Intrinsic1::AsyncGenWrap) => Ok(crate::generator::wrap_value(value.clone())),
        Some(Intrinsic1::UnaryPositive) => vm.positive(value),
        Some(Intrinsic1::ListToTuple) => Ok(match value.downcast_exact::<List>() {
            // The items of a list that nobody else has can move.
            Some(list) if owned && is_only_reference(&list.header) => Tuple::from_vec(list.take()),
            _ => Tuple::from_vec(vm.collect(value)?),
        }
        .into_value()),
        Some(Intrinsic1::TypeVar) => type_params::type_var(vm, value),
        Some(Intrinsic1::ParamSpec) => type_params::param_spec(vm, value),
        Some(Intrinsic1::TypeVarTuple) => type_params::type_var_tuple(vm, value),
        Some(Intrinsic1::SubscriptGeneric) => type_params::subscript_generic(vm, value),
        Some(Intrinsic1::TypeAlias) => type_params::type_alias(vm, value),
        _ => Err(vm.system_error("unknown intrinsic")),
    }
}

fn intrinsic_2(vm: &Vm, which: u32, first: &Value, second: &Value) -> Result {
    match Intrinsic2::from_oparg(which) {
        Some(Intrinsic2::PrepReraiseStar) => prep_reraise_star(vm, first, second),
        Some(Intrinsic2::TypeVarWithBound) => type_params::type_var_with_bound(vm, first, second),
        Some(Intrinsic2::TypeVarWithConstraints) => type_params::type_var_with_constraints(vm, first, second),
        Some(Intrinsic2::SetFunctionTypeParams) => match first.downcast_exact::<Function>() {
            Some(function) => {
                function.set_type_params(second.clone());
                Ok(first.clone())
            }
            None => Err(vm.system_error("bytecode expects a function")),
        },
        Some(Intrinsic2::SetTypeParamDefault) => type_params::set_default(vm, first, second),
        _ => Err(vm.system_error("unknown intrinsic")),
    }
}

/// `StopIteration` must not leave a generator: it becomes `RuntimeError`.
fn stop_iteration_error(frame: &Frame, exception: &Value) -> Value {
    let code = frame.code();
    let ty = exception.ty();
    let message = if ty.is_subtype(STOP_ITERATION.ty()) {
        match () {
            _ if code.has_flag(CO_ASYNC_GENERATOR) => "async generator raised StopIteration",
            _ if code.has_flag(CO_COROUTINE) => "coroutine raised StopIteration",
            _ => "generator raised StopIteration",
        }
    } else if code.has_flag(CO_ASYNC_GENERATOR) && ty.is_subtype(STOP_ASYNC_ITERATION.ty()) {
        "async generator raised StopAsyncIteration"
    } else {
        return exception.clone();
    };
    let error = new_exception(RUNTIME_ERROR.ty(), vec![Value::from(message)]);
    exceptions::set_cause(&error, Some(exception.clone()));
    exceptions::set_context(&error, Some(exception.clone()));
    error
}

/// Whether two groups have notes, traceback, cause and context in common: the one is a part of the other.
fn same_metadata(vm: &Vm, a: &Value, b: &Value) -> Result<bool> {
    if !is_group(a) || !is_group(b) {
        return Ok(false);
    }
    let notes = |exception: &Value| vm.get_attr_opt(exception, &names().__notes__);
    let same = |a: Option<Value>, b: Option<Value>| match (a, b) {
        (Some(a), Some(b)) => a.is(&b),
        (None, None) => true,
        _ => false,
    };
    Ok(exceptions::traceback(a).is(&exceptions::traceback(b))
        && same(exceptions::cause(a), exceptions::cause(b))
        && same(exceptions::context(a), exceptions::context(b))
        && same(notes(a)?, notes(b)?))
}

fn leaves(vm: &Vm, exception: &Value, into: &mut Vec<u64>) -> Result<()> {
    vm.check_stack(" in exception group")?;
    if is_group(exception) {
        for member in group::exceptions(exception) {
            leaves(vm, &member, into)?;
        }
    } else {
        into.push(exception.word());
    }
    Ok(())
}

/// What remains to be raised after the `except*` clauses of `original` left the exceptions `raised` behind.
fn prep_reraise_star(vm: &Vm, original: &Value, raised: &Value) -> Result {
    let raised = vm.collect(raised)?;
    if raised.is_empty() {
        return Ok(Value::NONE);
    }
    if !is_group(original) {
        return Ok(raised[0].clone());
    }
    let (mut new, mut kept) = (Vec::new(), Vec::new());
    for exception in raised.iter().filter(|exception| !exception.is_none()) {
        if same_metadata(vm, exception, original)? {
            leaves(vm, exception, &mut kept)?;
        } else {
            new.push(exception.clone());
        }
    }
    let rest = if kept.is_empty() { None } else { group::projection(vm, original, &kept)? };
    if new.is_empty() {
        return Ok(rest.unwrap_or(Value::NONE));
    }
    new.extend(rest);
    if let [only] = new.as_slice() {
        return Ok(only.clone());
    }
    vm.instantiate(BASE_EXCEPTION_GROUP.ty(), &[Value::from(""), List::from_vec(new).into_value()])
}
