//! Calls of native functions.

use taipan_object::builtins::list::{LIST, List};
use taipan_object::builtins::method::{BoundMethod, METHOD};
use taipan_object::builtins::type_object;
use taipan_object::header::Header;
use taipan_object::native::descriptors::{METHOD_DESCRIPTOR, MethodDescriptor};
use taipan_object::native::function::{BUILTIN_FUNCTION, BuiltinFunction, Definition, call_new};
use taipan_object::native::{MethodDef, Quick};
use taipan_object::types::{TYPE, Type};
use taipan_object::{Value, Vm};

use super::super::{Flow, Machine, quick, variant, view, word_of};
use super::Operands;
use crate::frame::{is_pointer, release, release_live, retain_live};
use crate::function::FUNCTION;
use crate::instruction::{Fetched, Op};

/// Whether a method of `owner` is one for objects of type `ty`: most are of `owner` itself, or of a class that inherits from it.
#[inline(always)]
fn is_of(ty: &Type, owner: &Type) -> bool {
    std::ptr::eq(ty, owner) || ty.is_subtype(owner)
}

/// What [`call_native`] gives when the call is not for it: the word of no value.
pub(super) const NOT_NATIVE: u64 = 8;

/// Makes the call whose operands begin at `base`, if a native function is called with positional arguments, and releases
/// the operands: the owned word of the result, 0 if it raised, or [`NOT_NATIVE`], and nothing has happened. It gets no
/// machine, so that the eval loop keeps its own in registers.
///
/// # Safety
/// The operands are those of the CALL `w` of the current frame, whose `pc` is saved; `mask` says which are borrowed.
#[inline(never)]
pub(super) unsafe fn call_native(vm: &Vm, base: *mut u64, w: Fetched, mask: u32) -> u64 {
    // SAFETY: live operands, consumed.
    unsafe {
        let callable = *base;
        if !is_pointer(callable) || crate::monitoring::watching() || !vm.has_stack() {
            return NOT_NATIVE;
        }
        let has_self = !variant(w) && *base.add(1) != 0;
        let first = base.add(2 - has_self as usize);
        let count = w.c() as usize + has_self as usize;
        let args = std::slice::from_raw_parts(first.cast::<Value>(), count);
        let ty = (*(callable as *const Header)).ty();
        let result = if ty.is(&METHOD_DESCRIPTOR) {
            let descriptor = &*(callable as *const MethodDescriptor);
            match args.split_first() {
                Some((this, args)) if is_of(this.ty(), &descriptor.owner) => {
                    descriptor.def.call_positional(vm, this, args, false)
                }
                _ => return NOT_NATIVE,
            }
        } else if ty.is(&BUILTIN_FUNCTION) {
            let function = &*(callable as *const BuiltinFunction);
            match function.def {
                Definition::Method(def) => def.call_positional(vm, &function.this, args, true),
                Definition::New => call_new(vm, &function.this, args, None),
            }
        } else if ty.is(&FUNCTION) || ty.is(&METHOD) || ty.is_heap_type() {
            return NOT_NATIVE;
        } else if ty.is(&TYPE) {
            let class = &*(callable as *const Type);
            if class.is_heap_type() {
                return NOT_NATIVE;
            }
            type_object::call_built_in(vm, view(&callable), class, args)
        } else {
            let Some(call) = ty.slots().call else { return NOT_NATIVE };
            call(vm, view(&callable), args, None)
        };
        let result = word_of(result);
        let borrowed = mask >> (2 - has_self as u32);
        Operands { callable, first, count, borrowed, callable_borrowed: mask & 1 != 0 }.release_all();
        result
    }
}

impl Machine<'_> {
    /// A call of a native method, if it takes just these arguments or the loop knows the answer; otherwise nothing has happened.
    #[inline(always)]
    pub(super) unsafe fn call_descriptor(&mut self, w: Fetched, operands: &Operands) -> Option<Flow> {
        // SAFETY: live operands, consumed; the callable is a method descriptor.
        unsafe {
            let descriptor = &*(operands.callable as *const MethodDescriptor);
            let Operands { first, count, .. } = *operands;
            if count == 0 || !is_of(view(&*first).ty(), &descriptor.owner) || crate::monitoring::watching() {
                return None;
            }
            let def = descriptor.def;
            // Quick forms are for methods that were looked up on their `self`.
            let has_self = count != w.c() as usize;
            if def.quick != Quick::No {
                if quick::append(def.quick, operands) {
                    if has_self {
                        self.quicken_call(w, Op::CallListAppend, true);
                    }
                    self.save();
                    operands.release_all_but_last();
                    return Some(self.finish(w, Value::NONE.word(), 2));
                }
                let answer = quick::of_method(def.quick, operands);
                if answer != 0 {
                    return Some(self.answered(w, operands, answer));
                }
            }
            let function = def.exactly(count - 1)?;
            if !self.vm.has_stack() {
                return None;
            }
            if has_self && def.quick == Quick::No {
                self.quicken_call(w, Op::CallNativeMethod, true);
            }
            self.save();
            let result = word_of(function(self.vm, view(&*first), &operands.slice()[1..]));
            operands.release_all();
            Some(self.end_call(w, result))
        }
    }

    /// As [`Machine::call_descriptor`] for a native function.
    #[inline(always)]
    pub(super) unsafe fn call_builtin(&mut self, w: Fetched, operands: &Operands) -> Option<Flow> {
        // SAFETY: live operands, consumed; the callable is a native function.
        unsafe {
            let function = &*(operands.callable as *const BuiltinFunction);
            let Definition::Method(def) = function.def else { return None };
            if crate::monitoring::watching() {
                return None;
            }
            if def.quick != Quick::No {
                let answer = quick::of_function(def.quick, operands);
                if answer != 0 {
                    let len = operands.count == 1;
                    self.quicken_call(w, if len { Op::CallLen } else { Op::CallIsInstance }, false);
                    return Some(self.answered(w, operands, answer));
                }
            }
            let native = def.exactly(operands.count)?;
            if !self.vm.has_stack() {
                return None;
            }
            if def.quick == Quick::No {
                self.quicken_call(w, Op::CallNative, false);
            }
            self.save();
            let result = word_of(native(self.vm, &function.this, operands.slice()));
            operands.release_all();
            Some(self.end_call(w, result))
        }
    }

    /// The definition of a native function that is called without `self`, if it is one and nobody watches.
    #[inline(always)]
    unsafe fn native_function(&self, callable: u64) -> Option<(&'static MethodDef, &Value)> {
        // SAFETY: a live operand, which outlives the result.
        unsafe {
            if callable & 7 != 0 || !(*(callable as *const Header)).ty().is(&BUILTIN_FUNCTION) {
                return None;
            }
            let function = &*(callable as *const BuiltinFunction);
            match function.def {
                Definition::Method(def) if !crate::monitoring::watching() => Some((def, &function.this)),
                _ => None,
            }
        }
    }

    /// A call of a native function with `count` arguments that the loop answers, as long as it does.
    #[inline(always)]
    pub unsafe fn call_quick(&mut self, w: Fetched, which: Quick, count: usize) -> Flow {
        // SAFETY: live operands, consumed; there is no `self`.
        unsafe {
            let base = self.regs.add(w.b() as usize);
            if let Some((def, _)) = self.native_function(*base)
                && def.quick == which
            {
                let mask = self.extra(1) as u32;
                let (callable_borrowed, borrowed) = (mask & 1 != 0, mask >> 2);
                let operands = Operands { callable: *base, first: base.add(2), count, borrowed, callable_borrowed };
                let answer = quick::of_function(which, &operands);
                if answer != 0 {
                    return self.answered(w, &operands, answer);
                }
            }
            self.unquicken(Op::Call)
        }
    }

    /// A call of a native function that takes just what is given, as long as it does.
    #[inline(always)]
    pub unsafe fn call_native_exactly(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, consumed; there is no `self`.
        unsafe {
            let (base, count) = (self.regs.add(w.b() as usize), w.c() as usize);
            if let Some((def, this)) = self.native_function(*base)
                && let Some(native) = def.exactly(count)
                && self.vm.has_stack()
            {
                self.save();
                let result = word_of(native(self.vm, this, std::slice::from_raw_parts(base.add(2).cast(), count)));
                let mask = self.extra(1) as u32;
                let (callable_borrowed, borrowed) = (mask & 1 != 0, mask >> 2);
                Operands { callable: *base, first: base.add(2), count, borrowed, callable_borrowed }.release_all();
                return self.end_call(w, result);
            }
            self.unquicken(Op::Call)
        }
    }

    /// A call of a native method with its `self` that takes just what is given, as long as it does.
    #[inline(always)]
    pub unsafe fn call_native_method(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, consumed: the method, `self` or null, and the arguments.
        unsafe {
            let (base, count) = (self.regs.add(w.b() as usize), w.c() as usize);
            let (callable, this) = (*base, *base.add(1));
            if callable & 7 == 0 && (*(callable as *const Header)).ty().is(&METHOD_DESCRIPTOR) && this != 0 {
                let descriptor = &*(callable as *const MethodDescriptor);
                if is_of(view(&this).ty(), &descriptor.owner)
                    && let Some(native) = descriptor.def.exactly(count)
                    && !crate::monitoring::watching()
                    && self.vm.has_stack()
                {
                    self.save();
                    let arguments = std::slice::from_raw_parts(base.add(2).cast(), count);
                    let result = word_of(native(self.vm, view(&*base.add(1)), arguments));
                    let mask = self.extra(1) as u32;
                    let (callable_borrowed, borrowed) = (mask & 1 != 0, mask >> 1);
                    Operands { callable, first: base.add(1), count: count + 1, borrowed, callable_borrowed }
                        .release_all();
                    return self.end_call(w, result);
                }
            }
            self.unquicken(Op::Call)
        }
    }

    /// A call of `list.append`, as long as it is one and there is room.
    #[inline(always)]
    pub unsafe fn call_list_append(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, consumed: the method, `self` or null, and the item, which moves into the list.
        unsafe {
            let base = self.regs.add(w.b() as usize);
            let (callable, list, mask) = (*base, *base.add(1), self.extra(1) as u32);
            if callable & 7 == 0
                && (*(callable as *const Header)).ty().is(&METHOD_DESCRIPTOR)
                && (*(callable as *const MethodDescriptor)).def.quick == Quick::ListAppend
                && is_pointer(list)
                && (*(list as *const Header)).ty().is(&LIST)
                && !crate::monitoring::watching()
            {
                let item = *base.add(2);
                let take = || Value::from_word(if mask & 4 != 0 { retain_live(item) } else { item });
                if (*(list as *const List)).append_within(take) {
                    self.save();
                    if mask & 2 == 0 {
                        release_live(list);
                    }
                    if mask & 1 == 0 {
                        release_live(callable);
                    }
                    self.set(w, Value::NONE.word());
                    return self.advance(2);
                }
                // The general way makes room.
                return self.call_generally();
            }
            self.unquicken(Op::Call)
        }
    }

    /// Ends a CALL whose answer is known: the operands are released. As every call, it is a safepoint: what could not
    /// say that memory was exhausted has it said here.
    #[inline(always)]
    pub(super) unsafe fn answered(&mut self, w: Fetched, operands: &Operands, answer: u64) -> Flow {
        // SAFETY: live operands.
        unsafe {
            self.save();
            operands.release_all();
            self.finish_native(w, answer, 2)
        }
    }

    /// Ends a CALL that the loop made without anybody watching: whoever does now, began in it.
    #[inline(always)]
    pub(super) unsafe fn end_call(&mut self, w: Fetched, result: u64) -> Flow {
        // SAFETY: live result.
        unsafe {
            if self.interp.eval_breaker() || crate::monitoring::watching() {
                return out!(self.finish_watched(w, result, 2));
            }
            self.finish(w, result, 2)
        }
    }

    /// After a native call: a signal that interrupted it, or exhausted memory, is handled before anything else happens.
    #[inline(always)]
    pub(super) unsafe fn finish_native(&mut self, w: Fetched, result: u64, words: usize) -> Flow {
        // SAFETY: live result.
        unsafe {
            if result != 0 && self.interp.eval_breaker() && self.interp.handle_eval_breaker(self.vm).is_err() {
                release(result);
                return self.unwind();
            }
            self.finish(w, result, words)
        }
    }

    /// Calls something that is no Python function.
    #[inline]
    pub(super) unsafe fn call_other(
        &mut self,
        w: Fetched,
        operands: &Operands,
        kwnames: Option<&Value>,
        words: usize,
    ) -> Flow {
        // SAFETY: live operands, consumed.
        unsafe {
            let callable = view(&operands.callable);
            if callable.ty().is(&METHOD) && operands.first == self.regs.add(w.b() as usize + 2) {
                let method = &*(operands.callable as *const BoundMethod);
                if method.function.ty().is(&FUNCTION) {
                    return self.call_method(operands, kwnames, words as u16);
                }
            }
            let epoch = crate::monitoring::epoch();
            let result = match callable.ty().slots().call {
                Some(call) => word_of(call(self.vm, callable, operands.slice(), kwnames)),
                None => {
                    let _ = self.vm.type_error(format!("'{}' object is not callable", callable.ty().name()));
                    0
                }
            };
            self.end_native(w, operands, epoch, result, words)
        }
    }

    /// After a native call: those who watch are told, and the operands released.
    #[inline(always)]
    pub(super) unsafe fn end_native(
        &mut self,
        w: Fetched,
        operands: &Operands,
        epoch: u32,
        result: u64,
        words: usize,
    ) -> Flow {
        // SAFETY: live operands, consumed; an owned result, 0 if the call raised.
        unsafe {
            if crate::monitoring::watching() {
                let result = self.report_native_call(operands, epoch, result);
                operands.release_all();
                return self.finish_watched(w, result, words);
            }
            operands.release_all();
            self.finish_native(w, result, words)
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) unsafe fn report_native_call(&self, operands: &Operands, epoch: u32, result: u64) -> u64 {
        // SAFETY: live operands; an owned result, 0 if it raised.
        unsafe {
            let result = if result == 0 { Err(self.vm.raised()) } else { Ok(Value::from_word(result)) };
            let (callable, argument) = (view(&operands.callable), operands.slice().first());
            let (vm, interp, frame) = (self.vm, self.interp, self.frame);
            word_of(crate::monitoring::native_call_over(vm, interp, frame, callable, argument, epoch, result))
        }
    }

    /// Ends a native call: tells those who watch, and switches to debug code if asked to.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn finish_watched(&mut self, w: Fetched, result: u64, words: usize) -> Flow {
        // SAFETY: the frame is current.
        unsafe {
            let flow = self.finish_native(w, result, words);
            if self.goes_on() && self.interp.switch_requested.get() {
                self.switch();
            }
            flow
        }
    }
}
