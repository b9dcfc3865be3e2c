//! Calls and returns.
//!
//! A call of a Python function pushes a frame whose window starts at the arguments, and the loop goes on there. Native
//! callables get the registers as a slice. Calls from native code ([`call_function`], [`eval_code`]) start a loop of
//! their own.

use std::mem::MaybeUninit;

use smallvec::SmallVec;
use taipan_bytecode::code::{
    CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_NEWLOCALS, CO_OPTIMIZED, CO_VARARGS, CO_VARKEYWORDS,
};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::method::{BoundMethod, METHOD};
use taipan_object::builtins::object::{allocate_instance, is_object_new};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::{self, TUPLE, Tuple};
use taipan_object::builtins::type_object::makes_instances;
use taipan_object::exceptions::TYPE_ERROR;
use taipan_object::header::Header;
use taipan_object::native::Quick;
use taipan_object::native::descriptors::{METHOD_DESCRIPTOR, MethodDescriptor};
use taipan_object::native::function::{BUILTIN_FUNCTION, BuiltinFunction, Definition};
use taipan_object::types::slot_dispatch::is_dunder_init;
use taipan_object::types::{Called, TYPE, Type, lookup, type_flags};
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm};

use super::{Flow, Machine, quick, run, variant, view, word_of};
use crate::code::Code;
use crate::frame::{
    FRAME_CONSTRUCTOR, FRAME_ENTRY, FRAME_GENERATOR, FRAME_OPERATOR, FRAME_SEEN, FRAME_SWITCH, Frame, Interp,
    clear_words, copy_words, is_pointer, release, release_inline, release_live, retain, retain_live,
};
use crate::function::arguments::{Arguments, bind};
use crate::function::{FUNCTION, Function};
use crate::instruction::{Fetched, Op};

/// A frame's mask of borrowed parameters has so many bits.
const LENDABLE: usize = 32;

/// The `__init__` of a class whose instances are made by `object.__new__` and initialised by a Python function.
pub(super) fn python_constructor(class: &Type) -> Option<Value> {
    let slots = class.slots();
    if !slots.new.is_some_and(is_object_new)
        || !slots.init.is_some_and(is_dunder_init)
        || class.has_flags(type_flags::IS_ABSTRACT)
        || crate::monitoring::watching()
    {
        return None;
    }
    let init = lookup::find(class, &names().__init__)?;
    let function = init.downcast_exact::<Function>()?;
    let generator = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
    (!function.code().has_flag(generator)).then(|| init.clone())
}

/// Words that are to become a new frame's first locals.
type Locals = SmallVec<[u64; 16]>;

/// A Python call with its operands still in registers.
#[derive(Clone, Copy)]
pub(super) struct Operands {
    pub callable: u64,
    /// The first argument (`self`, if there is one).
    pub first: *mut u64,
    /// How many arguments there are, `self` and keyword ones included.
    pub count: usize,
    /// Bit i: argument i is borrowed.
    borrowed: u32,
    callable_borrowed: bool,
}

impl Operands {
    unsafe fn slice(&self) -> &[Value] {
        // SAFETY: the registers hold live values for as long as the call's operands are not released.
        unsafe { std::slice::from_raw_parts(self.first.cast(), self.count) }
    }

    fn is_borrowed(&self, index: usize) -> bool {
        index < 32 && self.borrowed >> index & 1 != 0
    }

    /// Argument `at` as an owned value: a borrowed one is cloned, others move.
    pub(super) unsafe fn take_argument(&self, at: usize) -> Value {
        // SAFETY: live.
        unsafe {
            let word = *self.first.add(at);
            Value::from_word(if self.is_borrowed(at) { retain_live(word) } else { word })
        }
    }

    /// The arguments as owned values; the callable stays.
    unsafe fn take_arguments(&self) -> Arguments {
        // SAFETY: as above, each once.
        unsafe { (0..self.count).map(|at| self.take_argument(at)).collect() }
    }

    /// The callable as an owned word.
    unsafe fn take_callable(&self) -> u64 {
        // SAFETY: live.
        unsafe { if self.callable_borrowed { retain_live(self.callable) } else { self.callable } }
    }

    #[inline(always)]
    unsafe fn release_arguments(&self) {
        // SAFETY: owned arguments end here.
        unsafe {
            let mut at = self.count;
            while at > LENDABLE {
                at -= 1;
                release_live(*self.first.add(at));
            }
            // The bit of the argument whose turn it is comes to the top.
            let mut borrowed = self.borrowed << (LENDABLE - at) % LENDABLE;
            while at > 0 {
                at -= 1;
                if (borrowed as i32) >= 0 {
                    release_live(*self.first.add(at));
                }
                borrowed <<= 1;
            }
        }
    }

    /// Releases all but the last of two arguments, which has moved.
    #[inline(always)]
    unsafe fn release_all_but_last(&self) {
        // SAFETY: as above.
        unsafe {
            if !self.is_borrowed(0) {
                release_live(*self.first);
            }
            if !self.callable_borrowed {
                release_live(self.callable);
            }
        }
    }

    #[inline(always)]
    unsafe fn release_all(&self) {
        // SAFETY: as above.
        unsafe {
            self.release_arguments();
            if !self.callable_borrowed {
                release_live(self.callable);
            }
        }
    }
}

/// What [`call_native`] gives when the call is not for it: the word of no value.
const NOT_NATIVE: u64 = 8;

/// Makes the call whose operands begin at `base`, if a native function is called with positional arguments, and releases
/// the operands: the owned word of the result, 0 if it raised, or [`NOT_NATIVE`], and nothing has happened. It gets no
/// machine, so that the eval loop keeps its own in registers.
///
/// # Safety
/// The operands are those of the CALL `w` of the current frame, whose `pc` is saved; `mask` says which are borrowed.
#[inline(never)]
unsafe fn call_native(vm: &Vm, base: *mut u64, w: Fetched, mask: u32) -> u64 {
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
                Some((this, args)) if std::ptr::eq(this.ty(), &*descriptor.owner) => {
                    descriptor.def.call_positional(vm, this, args, false)
                }
                _ => return NOT_NATIVE,
            }
        } else if ty.is(&BUILTIN_FUNCTION) {
            let function = &*(callable as *const BuiltinFunction);
            let Definition::Method(def) = function.def else { return NOT_NATIVE };
            def.call_positional(vm, &function.this, args, true)
        } else if ty.is(&FUNCTION) || ty.is(&METHOD) || ty.is_heap_type() {
            return NOT_NATIVE;
        } else if ty.is(&TYPE) && (*(callable as *const Type)).is_heap_type() {
            return NOT_NATIVE;
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

/// Whether a frame of `registers` registers starting at `regs` fits; if not, an error is raised.
#[inline(always)]
fn has_room(vm: &Vm, interp: &Interp, regs: *mut u64, registers: u32) -> bool {
    let (stacks, end) = (&interp.stacks, regs.wrapping_add(registers as usize));
    let exceeded = end > stacks.registers_end.get() || stacks.frame_top.get() >= stacks.frames_end.get();
    if interp.depth_left.get() <= 0 || exceeded && !stacks.extend(end) {
        no_room(vm);
        return false;
    }
    true
}

/// Releases the operands of a call that cannot be made.
///
/// # Safety
/// They are live, and not used again.
#[cold]
#[inline(never)]
unsafe fn release_operands_of(operands: Operands) {
    // SAFETY: by contract.
    unsafe { operands.release_all() }
}

#[cold]
#[inline(never)]
fn no_room(vm: &Vm) {
    let _ = vm.recursion_error("maximum recursion depth exceeded");
}

/// Pushes a frame record above the current frame and makes it current.
///
/// # Safety
/// There is room; the words in the locals and `function` pass to the frame; the code was lowered.
#[inline(always)]
unsafe fn push_frame(
    interp: &Interp,
    code: *const Code,
    function: u64,
    regs: *mut u64,
    borrowed: u32,
    flags: u16,
    return_words: u16,
) -> *mut Frame {
    // SAFETY: the record is free and within its stack.
    unsafe {
        let borrowed = match borrowed & (*code).assigned.get() {
            0 => borrowed,
            assigned => without_immediates(regs, borrowed, assigned),
        };
        let frame = interp.stacks.frame_top.get();
        frame.write(Frame {
            regs,
            pc: (*code).entry.get(),
            code,
            previous: interp.frame.get(),
            function,
            namespace: 0,
            object: 0,
            top: regs.add((*code).registers.get() as usize),
            borrowed,
            flags,
            return_words,
        });
        interp.stacks.frame_top.set(frame.add(1));
        interp.depth_left.set(interp.depth_left.get() - 1);
        interp.frame.set(frame);
        frame
    }
}

/// The mask of borrowed parameters without those, among the ones that are `assigned`, whose values are immediate: a store
/// looks at the mask only if the old value has to be released, so that the new one would stay borrowed.
unsafe fn without_immediates(regs: *const u64, mut borrowed: u32, mut assigned: u32) -> u32 {
    while assigned != 0 {
        let at = assigned.trailing_zeros();
        assigned &= assigned - 1;
        // SAFETY: parameters lie at the start of the frame's registers.
        if !is_pointer(unsafe { *regs.add(at as usize) }) {
            borrowed &= !(1 << at);
        }
    }
    borrowed
}

/// Releases what a frame's locals hold, the last one first.
#[inline(always)]
unsafe fn clear_locals(frame: *mut Frame) {
    // SAFETY: each local owns what it holds unless borrowed, and is null before that is released.
    unsafe {
        let regs = (*frame).regs;
        let count = (*(*frame).code).nlocalsplus();
        let borrowed = (*frame).borrowed;
        if borrowed == 0 {
            for at in (0..count).rev() {
                let slot = regs.add(at);
                let word = *slot;
                if is_pointer(word) {
                    *slot = 0;
                    release_inline(word);
                }
            }
        } else {
            let mut at = count;
            while at > LENDABLE {
                at -= 1;
                release(std::mem::replace(&mut *regs.add(at), 0));
            }
            // The bit of the local whose turn it is comes to the top.
            let mut borrowed = borrowed << (LENDABLE - at) % LENDABLE;
            while at > 0 {
                at -= 1;
                let slot = regs.add(at);
                let word = *slot;
                if (borrowed as i32) >= 0 && is_pointer(word) {
                    *slot = 0;
                    release(word);
                }
                borrowed <<= 1;
            }
        }
    }
}

/// As [`clear_locals`]. What a destructor has made of the frame meanwhile, its object, gets to know that the frame is over.
///
/// # Safety
/// The frame is current, and will not be after this.
#[inline(always)]
unsafe fn end_locals(frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        clear_locals(frame);
        if (*frame).object != 0 {
            crate::frame_object::take_over(frame);
        }
    }
}

/// Ends a frame of the thread's stack: its locals die or pass to its frame object, the record is free again, and the
/// previous frame is current.
///
/// # Safety
/// The frame is current and its stack registers hold nothing.
#[inline(always)]
pub(crate) unsafe fn leave_frame(interp: &Interp, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        if (*frame).object == 0 || !crate::frame_object::take_over(frame) {
            end_locals(frame);
        }
        if (*frame).namespace != 0 {
            release(std::mem::replace(&mut (*frame).namespace, 0));
        }
        pop_frame(interp, frame);
        interp.frame.set((*frame).previous);
    }
}

/// Releases a frame's function and its record; the caller makes the previous frame current.
///
/// # Safety
/// As of [`leave_frame`], and nothing but the function is left of what the frame owned.
#[inline(always)]
unsafe fn pop_frame(interp: &Interp, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe {
        taipan_object::count::decref(std::mem::replace(&mut (*frame).function, 0) as *mut Header);
        interp.stacks.frame_top.set(frame);
        interp.depth_left.set(interp.depth_left.get() + 1);
    }
}

impl Machine<'_> {
    /// Where a callee's window starts: at its arguments, unless these lie in a generator's registers.
    #[inline(always)]
    unsafe fn window(&self, first: *mut u64) -> *mut u64 {
        // SAFETY: the current frame is alive.
        unsafe { if (*self.frame).flags & FRAME_GENERATOR != 0 { (*self.frame).top } else { first } }
    }

    #[inline(always)]
    unsafe fn operands(&self, w: Fetched) -> Operands {
        // SAFETY: the call's operands lie from `b` on.
        unsafe {
            let base = self.regs.add(w.b() as usize);
            let mask = self.extra(1) as u32;
            let has_self = !variant(w) && *base.add(1) != 0;
            Operands {
                callable: *base,
                first: base.add(2 - has_self as usize),
                count: w.c() as usize + has_self as usize,
                borrowed: mask >> (2 - has_self as u32),
                callable_borrowed: mask & 1 != 0,
            }
        }
    }

    /// The safepoint before a call, whose operands are still in their registers; false if it raised.
    #[inline(always)]
    unsafe fn safepoint(&self) -> bool {
        // SAFETY: the frame is alive.
        unsafe {
            if self.interp.eval_breaker() {
                self.save();
                return self.interp.handle_eval_breaker(self.vm).is_ok();
            }
        }
        true
    }

    #[inline(always)]
    pub unsafe fn call(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, consumed.
        unsafe {
            #[cfg(feature = "free-threading")]
            let asked = self.interp.eval_breaker();
            if !self.safepoint() {
                release_operands_of(self.operands(w));
                return self.unwind();
            }
            #[cfg(feature = "free-threading")]
            if asked && taipan_object::vm::world::is_parallel() {
                return self.switch_loops();
            }
            let operands = self.operands(w);
            if operands.callable & 7 == 0 {
                match (*(operands.callable as *const Header)).ty().called() {
                    Called::Function => {
                        let code = (*(operands.callable as *const Function)).code();
                        if code.simple_args == operands.count as i32
                            && (!code.entry.get().is_null() || out!(self.lowered(code)))
                        {
                            let Operands { callable, callable_borrowed, first, count, borrowed } = operands;
                            return self.call_simple(callable, callable_borrowed, first, count, borrowed, code, 2);
                        }
                        self.save();
                        if code.simple_args >= 0
                            && let Some(flow) = self.call_defaulted(&operands, 2)
                        {
                            return flow;
                        }
                        return out!(self.call_general(w));
                    }
                    Called::MethodDescriptor => {
                        if let Some(flow) = self.call_descriptor(w, &operands) {
                            return flow;
                        }
                    }
                    Called::Builtin => {
                        if let Some(flow) = self.call_builtin(w, &operands) {
                            return flow;
                        }
                    }
                    Called::Method => return out!(self.call_method_object(w)),
                    Called::Class if (*(operands.callable as *const Type)).is_heap_type() => {
                        self.save();
                        return out!(self.call_general(w));
                    }
                    Called::Class => {
                        if operands.count == 1
                            && operands.callable == TYPE.ty() as *const Type as u64
                            && !crate::monitoring::watching()
                        {
                            let ty = retain_live(view(&*operands.first).ty() as *const Type as u64);
                            return self.answered(w, &operands, ty);
                        }
                    }
                    Called::Otherwise => {}
                }
            }
            self.save();
            let base = self.regs.add(w.b() as usize);
            match call_native(self.vm, base, w, self.extra(1) as u32) {
                NOT_NATIVE => out!(self.call_general(w)),
                result => self.end_call(w, result),
            }
        }
    }

    /// Ends a CALL that the loop made without anybody watching: whoever does now, began in it.
    #[inline(always)]
    unsafe fn end_call(&mut self, w: Fetched, result: u64) -> Flow {
        // SAFETY: live result.
        unsafe {
            if self.interp.eval_breaker() || crate::monitoring::watching() {
                return out!(self.finish_watched(w, result, 2));
            }
            self.finish(w, result, 2)
        }
    }

    /// Ends a CALL whose answer is known: the operands are released.
    #[inline(always)]
    unsafe fn answered(&mut self, w: Fetched, operands: &Operands, answer: u64) -> Flow {
        // SAFETY: live operands.
        unsafe {
            self.save();
            operands.release_all();
            self.finish(w, answer, 2)
        }
    }

    /// A call of a native method, if it takes just these arguments or the loop knows the answer; otherwise nothing has happened.
    #[inline(always)]
    unsafe fn call_descriptor(&mut self, w: Fetched, operands: &Operands) -> Option<Flow> {
        // SAFETY: live operands, consumed; the callable is a method descriptor.
        unsafe {
            let descriptor = &*(operands.callable as *const MethodDescriptor);
            let Operands { first, count, .. } = *operands;
            if count == 0 || !std::ptr::eq(view(&*first).ty(), &*descriptor.owner) || crate::monitoring::watching() {
                return None;
            }
            let def = descriptor.def;
            if def.quick != Quick::No {
                if quick::append(def.quick, operands) {
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
            self.save();
            let result = word_of(function(self.vm, view(&*first), &operands.slice()[1..]));
            operands.release_all();
            Some(self.end_call(w, result))
        }
    }

    /// As [`Machine::call_descriptor`] for a native function.
    #[inline(always)]
    unsafe fn call_builtin(&mut self, w: Fetched, operands: &Operands) -> Option<Flow> {
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
                    return Some(self.answered(w, operands, answer));
                }
            }
            let native = def.exactly(operands.count)?;
            if !self.vm.has_stack() {
                return None;
            }
            self.save();
            let result = word_of(native(self.vm, &function.this, operands.slice()));
            operands.release_all();
            Some(self.end_call(w, result))
        }
    }

    /// A call of a bound method: if it is one of a Python function that takes just what is given, `self` goes into the
    /// register before the arguments.
    #[inline(never)]
    unsafe fn call_method_object(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, consumed; the register before the arguments is that of a missing `self`.
        unsafe {
            self.save();
            let Operands { callable, first, count, borrowed, callable_borrowed } = self.operands(w);
            let method = &*(callable as *const BoundMethod);
            if first != self.regs.add(w.b() as usize + 2) || !method.function.ty().is(&FUNCTION) {
                return self.call_general(w);
            }
            let function = method.function.word();
            let code = (*(function as *const Function)).code();
            if code.simple_args != count as i32 + 1 || code.entry.get().is_null() {
                return self.call_general(w);
            }
            let first = first.sub(1);
            *first = retain_live(method.this.word());
            retain_live(function);
            if !callable_borrowed {
                release_live(callable);
            }
            self.call_simple(function, false, first, count + 1, borrowed << 1, code, 2)
        }
    }

    /// A call that is not one of a Python function with just the arguments that it takes. The operands are found anew,
    /// so that the eval loop needs not write them to memory.
    #[inline(never)]
    unsafe fn call_general(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, consumed.
        unsafe {
            let operands = self.operands(w);
            let ty = view(&operands.callable).ty();
            if ty.is(&FUNCTION) {
                if let Some(flow) = self.call_variadic(&operands, 2) {
                    return flow;
                }
                return self.call_python(&operands, None, 2);
            }
            if makes_instances(ty)
                && operands.first == self.regs.add(w.b() as usize + 2)
                && let Some(init) = python_constructor(&*(operands.callable as *const Type))
            {
                return self.construct(&operands, init, None, 2);
            }
            self.call_other(w, &operands, None, 2)
        }
    }

    /// Instantiates a class: `init`, its `__init__`, runs in a frame that returns the instance.
    #[inline(never)]
    unsafe fn construct(&mut self, operands: &Operands, init: Value, kwnames: Option<&Value>, words: u16) -> Flow {
        // SAFETY: live operands, consumed; the register before the arguments is that of a missing `self`.
        unsafe {
            let class = &*(operands.callable as *const Type);
            let code = (*(init.word() as *const Function)).code();
            let instance = allocate_instance(class).into_word();
            let first = operands.first.sub(1);
            *first = instance;
            if !operands.callable_borrowed {
                // The instance keeps its class alive.
                release_live(operands.callable);
            }
            let operands = Operands {
                callable: init.into_word(),
                first,
                count: operands.count + 1,
                // `self` is borrowed from the frame's reference to the instance.
                borrowed: operands.borrowed << 1 | 1,
                callable_borrowed: false,
            };
            let flow = if kwnames.is_none()
                && code.simple_args == operands.count as i32
                && (!code.entry.get().is_null() || self.lowered(code))
            {
                self.call_simple(operands.callable, false, first, operands.count, operands.borrowed, code, words)
            } else if kwnames.is_none()
                && let Some(flow) = self.call_defaulted(&operands, words)
            {
                flow
            } else {
                self.call_python(&operands, kwnames, words)
            };
            if self.goes_on() {
                (*self.frame).flags |= FRAME_CONSTRUCTOR;
                (*self.frame).namespace = instance;
            } else {
                release(instance);
            }
            flow
        }
    }

    /// Lowers code that is called for the first time; false if that fails (the general way of calling says why).
    #[cold]
    #[inline(never)]
    fn lowered(&self, code: &Code) -> bool {
        code.enter(self.vm).map_err(|raised| self.vm.discard(raised)).is_ok()
    }

    /// Enters a function that takes exactly the `count` arguments from `first` on, the borrowed ones in `lent`. What
    /// describes the call comes in pieces: a struct would be written to memory and read back.
    #[inline(always)]
    unsafe fn call_simple(
        &mut self,
        callable: u64,
        callable_borrowed: bool,
        first: *mut u64,
        count: usize,
        lent: u32,
        code: &Code,
        words: u16,
    ) -> Flow {
        // SAFETY: live operands, which pass to the frame.
        unsafe {
            self.save();
            let regs = self.window(first);
            if !has_room(self.vm, self.interp, regs, code.registers.get()) {
                release_operands_of(Operands { callable, first, count, borrowed: lent, callable_borrowed });
                return self.unwind();
            }
            if regs != first {
                copy_words(first, regs, count);
            }
            clear_words(regs.add(count), code.nlocalsplus() - count);
            let function = if callable_borrowed { retain_live(callable) } else { callable };
            let frame = push_frame(self.interp, code, function, regs, lent, 0, words);
            self.enter(frame, regs, code);
            Flow::NEXT
        }
    }

    /// Goes on in a frame that has just been pushed. What it is made of is not read back from it: a load of two fields
    /// at once would have to wait for their stores.
    #[inline(always)]
    unsafe fn enter(&mut self, frame: *mut Frame, regs: *mut u64, code: &Code) {
        self.frame = frame;
        self.regs = regs;
        self.pc = code.entry.get();
        self.constants = code.constants.get();
    }

    /// Enters a function that has only positional parameters, if defaults are there for those that are missing; otherwise
    /// nothing has happened.
    #[inline(always)]
    unsafe fn call_defaulted(&mut self, operands: &Operands, words: u16) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame.
        unsafe {
            let function = &*(operands.callable as *const Function);
            let (code, given) = (function.code(), operands.count);
            let defaults = function.defaults_slice();
            let argcount = usize::try_from(code.simple_args).ok()?;
            let required = argcount.checked_sub(defaults.len())?;
            if given >= argcount || given < required || argcount > LENDABLE || code.entry.get().is_null() {
                return None;
            }
            self.enter_defaulted(operands, code, &defaults[given - required..], words)
        }
    }

    /// Enters a function whose arguments stay where they are, with `defaults` behind them.
    #[inline(always)]
    unsafe fn enter_defaulted(
        &mut self,
        operands: &Operands,
        code: &Code,
        defaults: &[Value],
        words: u16,
    ) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame.
        unsafe {
            let given = operands.count;
            let regs = self.window(operands.first);
            if !has_room(self.vm, self.interp, regs, code.registers.get()) {
                operands.release_all();
                return Some(self.unwind());
            }
            if regs != operands.first {
                copy_words(operands.first, regs, given);
            }
            for (at, default) in defaults.iter().enumerate() {
                *regs.add(given + at) = retain_live(default.word());
            }
            let lent = operands.borrowed & ((1u64 << given) - 1) as u32;
            Some(self.enter_bound(operands, code, regs, given + defaults.len(), lent, words))
        }
    }

    /// Enters a function if all that is given has a place and nothing is missing; otherwise nothing has happened.
    #[inline(never)]
    unsafe fn call_bound(&mut self, operands: &Operands, kwnames: &[Value], words: u16) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame.
        unsafe {
            let function = &*(operands.callable as *const Function);
            let code = function.code();
            let argcount = code.data.argcount as usize;
            let given = operands.count - kwnames.len();
            if code.total_args() > LENDABLE
                || !code.has_flag(CO_NEWLOCALS)
                || given > argcount && !code.has_flag(CO_VARARGS)
                || code.entry.get().is_null() && !self.lowered(code)
            {
                return None;
            }
            let entered = match kwnames {
                [] => self.call_variadic(operands, words),
                _ => self.call_in_order(operands, kwnames, words),
            };
            if entered.is_some() {
                return entered;
            }
            let defaults = function.defaults_slice();
            let required = argcount.checked_sub(defaults.len())?;
            if !kwnames.is_empty() || code.total_args() != argcount || given < required {
                return self.call_sorted(operands, kwnames, words);
            }
            self.enter_defaulted(operands, code, &defaults[given - required..], words)
        }
    }

    /// Enters a function that takes any number of arguments, if it is called with positional ones and has what is missing;
    /// otherwise nothing has happened.
    #[inline(always)]
    unsafe fn call_variadic(&mut self, operands: &Operands, words: u16) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame; there are at most LENDABLE parameters and operands.
        unsafe {
            let function = &*(operands.callable as *const Function);
            let code = function.code();
            let (argcount, given) = (code.data.argcount as usize, operands.count);
            let named = argcount + code.data.kwonlyargcount as usize;
            if !code.has_flag(CO_VARARGS | CO_VARKEYWORDS)
                || !code.has_flag(CO_NEWLOCALS)
                || given > argcount && !code.has_flag(CO_VARARGS)
                || given.max(code.total_args()) > LENDABLE
                || code.entry.get().is_null()
            {
                return None;
            }
            let defaults = function.defaults_slice();
            let positional = given.min(argcount);
            let defaults = defaults.get((positional + defaults.len()).checked_sub(argcount)?..)?;
            let names = &code.localsplusnames()[argcount..named];
            if !names.iter().all(|name| function.kwdefault(name).is_some()) {
                return None;
            }
            let regs = self.window(operands.first);
            if !has_room(self.vm, self.interp, regs, code.registers.get()) {
                operands.release_all();
                return Some(self.unwind());
            }
            // What is given for `*args` leaves the registers before anything else comes into them.
            let rest = match code.has_flag(CO_VARARGS) {
                false => 0,
                true if positional == given => tuple::empty().into_value().into_word(),
                true => Tuple::new_with_type(TUPLE.ty(), (positional..given).map(|at| operands.take_argument(at)))
                    .into_value()
                    .into_word(),
            };
            if regs != operands.first {
                copy_words(operands.first, regs, positional);
            }
            let mut total = positional;
            for default in defaults {
                *regs.add(total) = retain_live(default.word());
                total += 1;
            }
            for name in names {
                // What is missing has been found out above.
                *regs.add(total) = retain_live(function.kwdefault(name).unwrap_or(Value::NONE.word()));
                total += 1;
            }
            if rest != 0 {
                *regs.add(total) = rest;
                total += 1;
            }
            if code.has_flag(CO_VARKEYWORDS) {
                *regs.add(total) = Dict::with_capacity(0).into_value().into_word();
                total += 1;
            }
            let lent = operands.borrowed & ((1u64 << positional) - 1) as u32;
            Some(self.enter_bound(operands, code, regs, total, lent, words))
        }
    }

    /// As [`Machine::call_bound`], if the keyword arguments come in the order of the parameters behind the positional ones: then
    /// all are where they should be.
    #[inline(always)]
    unsafe fn call_in_order(&mut self, operands: &Operands, kwnames: &[Value], words: u16) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame; there are at most LENDABLE parameters and operands.
        unsafe {
            let function = &*(operands.callable as *const Function);
            let code = function.code();
            let argcount = code.data.argcount as usize;
            let total = argcount + code.data.kwonlyargcount as usize;
            let given = operands.count - kwnames.len();
            if code.has_flag(CO_VARARGS | CO_VARKEYWORDS)
                || operands.count > total
                || given > argcount
                || given < code.data.posonlyargcount as usize
            {
                return None;
            }
            let names = code.localsplusnames();
            if names[given..operands.count].iter().zip(kwnames).any(|(name, keyword)| name.word() != keyword.word()) {
                return None;
            }
            let regs = self.window(operands.first);
            if regs.add(code.registers.get() as usize) > self.interp.stacks.registers_end.get() {
                return None;
            }
            // A default that is missing makes it an error, which is found out again where the message is made. What lies
            // behind the arguments is free.
            let defaults = function.defaults_slice();
            for (place, name) in names.iter().enumerate().take(total).skip(operands.count) {
                let default = if place >= argcount {
                    function.kwdefault(name)?
                } else {
                    defaults.get((place + defaults.len()).checked_sub(argcount)?)?.word()
                };
                *regs.add(place) = default;
            }
            if !has_room(self.vm, self.interp, regs, code.registers.get()) {
                operands.release_all();
                return Some(self.unwind());
            }
            for place in operands.count..total {
                retain_live(*regs.add(place));
            }
            if regs != operands.first {
                copy_words(operands.first, regs, operands.count);
            }
            let lent = operands.borrowed & ((1u64 << operands.count) - 1) as u32;
            Some(self.enter_bound(operands, code, regs, total, lent, words))
        }
    }

    /// The general case of [`Machine::call_bound`]: bits say which parameters are filled, borrowed, defaulted.
    #[inline(never)]
    unsafe fn call_sorted(&mut self, operands: &Operands, kwnames: &[Value], words: u16) -> Option<Flow> {
        // SAFETY: live operands, which pass to the frame; there are at most LENDABLE parameters and operands.
        unsafe {
            let function = &*(operands.callable as *const Function);
            let code = function.code();
            let argcount = code.data.argcount as usize;
            let posonly = code.data.posonlyargcount as usize;
            let named = argcount + code.data.kwonlyargcount as usize;
            let given = operands.count - kwnames.len();
            let positional = given.min(argcount);
            let names = code.localsplusnames().as_ptr();
            // What comes behind the positional arguments: keyword arguments' words, defaults, the rest.
            let mut space = [const { MaybeUninit::<u64>::uninit() }; LENDABLE];
            let space = space.as_mut_ptr().cast::<u64>();
            let mut filled = ((1u64 << positional) - 1) as u32;
            let mut lent = operands.borrowed & filled;
            // Bit i: keyword i is none of a parameter.
            let mut extra_keywords = 0u32;
            for (at, keyword) in kwnames.iter().enumerate() {
                // Mostly they come in the order of the parameters.
                let mut place = positional.max(posonly) + at;
                if place >= named || (*names.add(place)).word() != keyword.word() {
                    match (posonly..named).find(|place| (*names.add(*place)).word() == keyword.word()) {
                        Some(found) => place = found,
                        None if code.has_flag(CO_VARKEYWORDS)
                            && keyword.downcast_exact::<Str>().is_some_and(Str::is_interned) =>
                        {
                            extra_keywords |= 1 << at;
                            continue;
                        }
                        None => return None,
                    }
                }
                if filled >> place & 1 != 0 {
                    return None;
                }
                filled |= 1 << place;
                *space.add(place) = *operands.first.add(given + at);
                lent |= u32::from(operands.is_borrowed(given + at)) << place;
            }
            let missing = ((1u64 << named) - 1) as u32 & !filled;
            let mut left = missing;
            let defaults = function.defaults_slice();
            while left != 0 {
                let place = left.trailing_zeros() as usize;
                left &= left - 1;
                *space.add(place) = if place >= argcount {
                    function.kwdefault(&*names.add(place))?
                } else {
                    defaults.get((place + defaults.len()).checked_sub(argcount)?)?.word()
                };
            }
            let regs = self.window(operands.first);
            if !has_room(self.vm, self.interp, regs, code.registers.get()) {
                operands.release_all();
                return Some(self.unwind());
            }
            let mut total = named;
            if code.has_flag(CO_VARARGS) {
                let rest = if positional == given {
                    tuple::empty()
                } else {
                    Tuple::new_with_type(TUPLE.ty(), (positional..given).map(|at| operands.take_argument(at)))
                };
                *space.add(total) = rest.into_value().into_word();
                total += 1;
            }
            if code.has_flag(CO_VARKEYWORDS) {
                let dict = Dict::with_capacity(extra_keywords.count_ones() as usize);
                while extra_keywords != 0 {
                    let at = extra_keywords.trailing_zeros() as usize;
                    extra_keywords &= extra_keywords - 1;
                    dict.set_str(&kwnames[at], operands.take_argument(given + at));
                }
                *space.add(total) = dict.into_value().into_word();
                total += 1;
            }
            if regs != operands.first {
                copy_words(operands.first, regs, positional);
            }
            for place in positional..total {
                let word = *space.add(place);
                *regs.add(place) =
                    if missing >> (place & 31) & 1 != 0 && place < named { retain_live(word) } else { word };
            }
            Some(self.enter_bound(operands, code, regs, total, lent, words))
        }
    }

    /// Enters a function whose first `bound` locals are in `regs`.
    #[inline(always)]
    unsafe fn enter_bound(
        &mut self,
        operands: &Operands,
        code: &Code,
        regs: *mut u64,
        bound: usize,
        lent: u32,
        words: u16,
    ) -> Flow {
        // SAFETY: there is room for the frame; the operands pass to it.
        unsafe {
            let callee = operands.take_callable();
            clear_words(regs.add(bound), code.nlocalsplus() - bound);
            let frame = push_frame(self.interp, code, callee, regs, lent, 0, words);
            self.enter(frame, regs, code);
            Flow::NEXT
        }
    }

    /// Whether `callable`, which may be null, is a Python function that takes just `count` arguments and has run before, and
    /// there is room for a call of it from an instruction without call operands.
    #[inline(always)]
    pub(super) unsafe fn takes_plainly(&self, callable: *const Header, count: usize) -> bool {
        // SAFETY: null or a live object; the frame is alive.
        unsafe {
            if callable.is_null() || !(*callable).ty().is(&FUNCTION) {
                return false;
            }
            let code = (*callable.cast::<Function>()).code();
            let stacks = &self.interp.stacks;
            code.simple_args == count as i32
                && !code.entry.get().is_null()
                && (*self.frame).top.add(code.registers.get() as usize) <= stacks.registers_end.get()
        }
    }

    /// Calls a function that [`Machine::takes_plainly`] its `count` arguments, one or two, from an instruction of `words`
    /// words. Bit i of `lent`: argument i is borrowed.
    #[inline(always)]
    pub(super) unsafe fn call_plainly(
        &mut self,
        function: *const Header,
        argument: u64,
        second: u64,
        count: usize,
        lent: u32,
        words: u16,
    ) -> Flow {
        // SAFETY: live words, which pass to the frame; the window starts where the frame's own registers end.
        unsafe {
            let first = (*self.frame).top;
            *first = argument;
            if count == 2 {
                *first.add(1) = second;
            }
            let code = (*function.cast::<Function>()).code();
            self.call_simple(function as u64, true, first, count, lent, code, words)
        }
    }

    /// Calls the function in the owned word `function`, which takes one argument, from an instruction without call
    /// operands of `words` words.
    #[inline(never)]
    pub(super) unsafe fn call_with_one(&mut self, function: u64, argument: u64, lent: bool, words: u16) -> Flow {
        // SAFETY: live words; the window starts where the frame's own registers end.
        unsafe {
            let first = (*self.frame).top;
            if self.is_beyond(first.add(1)) {
                release_live(function);
                if !lent {
                    release_live(argument);
                }
                no_room(self.vm);
                return self.unwind();
            }
            *first = argument;
            self.call_above(function, 1, lent as u32, words)
        }
    }

    /// Whether registers up to `end` do not fit.
    fn is_beyond(&self, end: *mut u64) -> bool {
        let stacks = &self.interp.stacks;
        end > stacks.registers_end.get() && !stacks.extend(end)
    }

    /// As [`Machine::call_with_one`] with two arguments. Bit i of `lent`: argument i is borrowed.
    #[inline(always)]
    pub(super) unsafe fn call_with_two(
        &mut self,
        function: u64,
        argument: u64,
        second: u64,
        lent: u32,
        words: u16,
    ) -> Flow {
        // SAFETY: as above.
        unsafe {
            let first = (*self.frame).top;
            if self.is_beyond(first.add(2)) {
                release_live(function);
                if lent & 1 == 0 {
                    release_live(argument);
                }
                if lent & 2 == 0 {
                    release_live(second);
                }
                no_room(self.vm);
                return self.unwind();
            }
            *first = argument;
            *first.add(1) = second;
            self.call_above(function, 2, lent, words)
        }
    }

    /// Enters the function in the owned word `function`, the method of an operator, with both operands borrowed. False if
    /// it does not take just these, or there is no room: then the function is released and nothing has happened.
    pub(super) unsafe fn call_operator(&mut self, function: u64, left: u64, right: u64) -> bool {
        // SAFETY: live words; the window starts where the frame's own registers end.
        unsafe {
            let regs = (*self.frame).top;
            let code = (*(function as *const Function)).code();
            let generator = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
            let (interp, stacks) = (self.interp, &self.interp.stacks);
            if code.simple_args != 2
                || code.has_flag(generator)
                || code.entry.get().is_null()
                || interp.depth_left.get() <= 1
                || regs.wrapping_add(code.registers.get() as usize) > stacks.registers_end.get()
                || stacks.frame_top.get() >= stacks.frames_end.get()
            {
                release_live(function);
                return false;
            }
            *regs = left;
            *regs.add(1) = right;
            clear_words(regs.add(2), code.nlocalsplus() - 2);
            let frame = push_frame(interp, code, function, regs, 0b11, FRAME_OPERATOR, 1);
            self.enter(frame, regs, code);
            true
        }
    }

    /// Calls a function with arguments that lie where the frame's own registers end.
    #[inline(always)]
    unsafe fn call_above(&mut self, function: u64, count: usize, lent: u32, words: u16) -> Flow {
        // SAFETY: live words.
        unsafe {
            let first = (*self.frame).top;
            let code = (*(function as *const Function)).code();
            if code.simple_args == count as i32 && (!code.entry.get().is_null() || self.lowered(code)) {
                return self.call_simple(function, false, first, count, lent, code, words);
            }
            self.save();
            let operands = Operands { callable: function, first, count, borrowed: lent, callable_borrowed: false };
            self.call_python(&operands, None, words)
        }
    }

    /// Enters a function, binding the arguments.
    #[inline(never)]
    unsafe fn call_python(&mut self, operands: &Operands, kwnames: Option<&Value>, words: u16) -> Flow {
        // SAFETY: live operands, consumed.
        unsafe {
            let keywords = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[][..], Tuple::as_slice);
            if operands.count <= LENDABLE
                && let Some(flow) = self.call_bound(operands, keywords, words)
            {
                return flow;
            }
            let function = operands.take_callable();
            let args = operands.take_arguments();
            self.enter_function(function, args, kwnames, operands.first, words)
        }
    }

    /// Enters the function in the owned word `function`.
    unsafe fn enter_function(
        &mut self,
        function: u64,
        args: Arguments,
        kwnames: Option<&Value>,
        first: *mut u64,
        words: u16,
    ) -> Flow {
        // SAFETY: `function` is a Function's word and passes to the frame.
        unsafe {
            let regs = self.window(first);
            match prepare(self.vm, self.interp, &*(function as *const Function), args, kwnames, regs) {
                Ok(code) => {
                    let frame = push_frame(self.interp, code, function, regs, 0, 0, words);
                    self.enter(frame, regs, &*code);
                    Flow::NEXT
                }
                Err(_) => {
                    release_live(function);
                    self.unwind()
                }
            }
        }
    }

    /// After a native call: a signal that interrupted it is handled before anything else happens.
    #[inline(always)]
    unsafe fn finish_native(&mut self, w: Fetched, result: u64, words: usize) -> Flow {
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
    unsafe fn call_other(&mut self, w: Fetched, operands: &Operands, kwnames: Option<&Value>, words: usize) -> Flow {
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
    unsafe fn end_native(&mut self, w: Fetched, operands: &Operands, epoch: u32, result: u64, words: usize) -> Flow {
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
    unsafe fn report_native_call(&self, operands: &Operands, epoch: u32, result: u64) -> u64 {
        // SAFETY: live operands; an owned result, 0 if it raised.
        unsafe {
            let result = if result == 0 { Err(self.vm.raised()) } else { Ok(Value::from_word(result)) };
            let (callable, argument) = (view(&operands.callable), operands.slice().first());
            let (vm, interp, frame) = (self.vm, self.interp, self.frame);
            word_of(crate::monitoring::native_call_over(vm, interp, frame, callable, argument, epoch, result))
        }
    }

    /// Calls a bound method of a Python function: `self` goes into the register before the arguments.
    #[inline(never)]
    unsafe fn call_method(&mut self, operands: &Operands, kwnames: Option<&Value>, words: u16) -> Flow {
        // SAFETY: live operands; the register before the arguments is that of a missing `self`.
        unsafe {
            let method = &*(operands.callable as *const BoundMethod);
            let function = method.function.clone().into_word();
            *operands.first.sub(1) = method.this.clone().into_word();
            if !operands.callable_borrowed {
                release_live(operands.callable);
            }
            let (first, count, borrowed) = (operands.first.sub(1), operands.count + 1, operands.borrowed << 1);
            let code = (*(function as *const Function)).code();
            if kwnames.is_none()
                && code.simple_args == count as i32
                && (!code.entry.get().is_null() || self.lowered(code))
            {
                return self.call_simple(function, false, first, count, borrowed, code, words);
            }
            let operands = Operands { callable: function, first, count, borrowed, callable_borrowed: false };
            self.call_python(&operands, kwnames, words)
        }
    }

    #[inline(never)]
    pub unsafe fn call_kw(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, consumed.
        unsafe {
            let may_go_on = self.safepoint();
            self.save();
            let operands = self.operands(w);
            let constant = (self.extra(1) >> 32) as u32;
            let on_stack = constant == 0;
            let names = match constant {
                0 => *operands.first.add(operands.count),
                index => self.constant(index - 1),
            };
            if may_go_on
                && !on_stack
                && view(&operands.callable).ty().is(&FUNCTION)
                && operands.count <= LENDABLE
                && let Some(names) = view(&names).downcast_exact::<Tuple>()
                && names.len() <= w.c() as usize
                && let Some(flow) = self.call_bound(&operands, names.as_slice(), 2)
            {
                return flow;
            }
            let names_value = Value::from_word(if on_stack { names } else { retain(names) });
            if !may_go_on {
                operands.release_all();
                return self.unwind();
            }
            let count = names_value.downcast::<Tuple>().map(Tuple::len);
            if count.is_none_or(|count| count > w.c() as usize) {
                operands.release_all();
                let _ = self.vm.system_error("bytecode expects a tuple of keyword names");
                return self.unwind();
            }
            if view(&operands.callable).ty().is(&FUNCTION) {
                return self.call_python(&operands, Some(&names_value), 2);
            }
            if makes_instances(view(&operands.callable).ty())
                && operands.first == self.regs.add(w.b() as usize + 2)
                && let Some(init) = python_constructor(&*(operands.callable as *const Type))
            {
                return self.construct(&operands, init, Some(&names_value), 2);
            }
            self.call_other(w, &operands, Some(&names_value), 2)
        }
    }

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
    unsafe fn spread_out(
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
            Some(keywords) => keywords.downcast_exact::<Dict>()?.items(),
            None => Vec::new(),
        };
        if keywords.iter().any(|(name, _)| name.downcast_exact::<Str>().is_none()) {
            return None;
        }
        let count = usize::from(receiver.is_some()) + arguments.len() + keywords.len();
        // SAFETY: the registers above the call's operands are free; owned words are written to them.
        unsafe {
            let first = self.window(first);
            if count > LENDABLE || first.add(count) > self.interp.stacks.registers_end.get() {
                return None;
            }
            let names = (!keywords.is_empty())
                .then(|| Tuple::new_with_type(TUPLE.ty(), keywords.iter().map(|(name, _)| name.clone())));
            let values = receiver.into_iter().chain(arguments).chain(keywords.iter().map(|(_, value)| value));
            for (at, value) in values.enumerate() {
                *first.add(at) = value.clone().into_word();
            }
            let callable = retain_live(function.word());
            Some((Operands { callable, first, count, borrowed: 0, callable_borrowed: false }, names))
        }
    }

    /// Ends the frame with `result`, an owned word.
    #[inline(always)]
    pub unsafe fn do_return(&mut self, mut result: u64) -> Flow {
        // SAFETY: the frame's stack registers hold nothing any more.
        unsafe {
            let frame = self.frame;
            let flags = (*frame).flags;
            (*frame).pc = self.pc;
            const UNUSUAL: u16 =
                FRAME_ENTRY | FRAME_GENERATOR | FRAME_CONSTRUCTOR | FRAME_SWITCH | FRAME_OPERATOR | FRAME_SEEN;
            if flags & UNUSUAL == 0 {
                // Such a frame has neither an object nor a namespace.
                let words = (*frame).return_words as usize;
                end_locals(frame);
                pop_frame(self.interp, frame);
                self.load((*frame).previous);
                let w = Fetched::at(self.pc);
                self.set(w, result);
                return self.advance(words);
            }
            if flags & (FRAME_GENERATOR | FRAME_CONSTRUCTOR | FRAME_SWITCH | FRAME_OPERATOR) != 0 {
                if flags & FRAME_GENERATOR != 0 {
                    return out!(self.generator_return(result));
                }
                if flags & FRAME_OPERATOR != 0 {
                    return out!(self.operator_return(result));
                }
                if flags & FRAME_CONSTRUCTOR == 0 {
                    return out!(self.return_and_switch(result));
                }
                if result != Value::NONE.into_word() {
                    leave_frame(self.interp, frame);
                    self.load(self.interp.frame.get());
                    init_result_error(self.vm, Value::from_word(result));
                    return self.unwind();
                }
                result = std::mem::replace(&mut (*frame).namespace, 0);
            }
            let words = (*frame).return_words as usize;
            leave_frame(self.interp, frame);
            if flags & FRAME_ENTRY != 0 {
                return self.leave(result);
            }
            self.load(self.interp.frame.get());
            let w = Fetched::at(self.pc);
            self.set(w, result);
            self.advance(words)
        }
    }
}

#[cold]
fn init_result_error(vm: &Vm, result: Value) {
    let _ = vm.type_error(format!("__init__() should return None, not '{}'", result.ty().name()));
}

impl Machine<'_> {
    /// As [`Machine::do_return`], and the frame below goes on in debug code.
    #[cold]
    #[inline(never)]
    unsafe fn return_and_switch(&mut self, result: u64) -> Flow {
        // SAFETY: as in `do_return`.
        unsafe {
            let frame = self.frame;
            let (flags, words) = ((*frame).flags, (*frame).return_words as usize);
            leave_frame(self.interp, frame);
            if flags & FRAME_ENTRY != 0 {
                return self.leave(result);
            }
            self.load(self.interp.frame.get());
            let w = Fetched::at(self.pc);
            self.set(w, result);
            let flow = self.advance(words);
            self.switch();
            flow
        }
    }

    /// Goes on in debug code, if the next instruction is where a bytecode instruction starts.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn switch(&mut self) {
        // SAFETY: the frame is current.
        unsafe {
            let saved = (*self.frame).pc;
            (*self.frame).pc = self.pc;
            crate::monitoring::switch::to_debug_code(self.vm, self.frame);
            self.pc = (*self.frame).pc;
            // What reports take for the instruction before is the one that has just been done.
            (*self.frame).pc = saved;
            self.constants = (*(*self.frame).code).constants.get();
        }
    }

    /// Ends a native call: tells those who watch, and switches to debug code if asked to.
    #[cold]
    #[inline(never)]
    unsafe fn finish_watched(&mut self, w: Fetched, result: u64, words: usize) -> Flow {
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

/// Checks that there is room at `regs`, binds arguments and fills the new frame's locals.
unsafe fn prepare(
    vm: &Vm,
    interp: &Interp,
    function: &Function,
    args: Arguments,
    kwnames: Option<&Value>,
    regs: *mut u64,
) -> Result<*const Code> {
    let code = function.code();
    code.enter(vm)?;
    if !has_room(vm, interp, regs, code.registers.get()) {
        return Err(vm.raised());
    }
    let total = code.total_args();
    // Binding may run Python code, which uses the registers; so the window is filled when it is over.
    let mut locals: Locals = SmallVec::from_elem(0, total);
    // SAFETY: as many words as the code has arguments; they move to the window.
    unsafe {
        if code.simple_args == args.len() as i32 && kwnames.is_none() {
            for (local, value) in locals.iter_mut().zip(args) {
                *local = value.into_word();
            }
        } else {
            bind(vm, function, args, kwnames, locals.as_mut_ptr())?;
        }
        std::ptr::copy_nonoverlapping(locals.as_ptr(), regs, total);
        for at in total..code.nlocalsplus() {
            *regs.add(at) = 0;
        }
    }
    Ok(code)
}

/// `f(*arguments, **keywords)` as a vectorcall.
fn spread(
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
                let (function, name) = (super::build::function_text(vm, callable)?, arguments.ty().name());
                return Err(vm.type_error(format!("{function} argument after * must be an iterable, not {name}")));
            }
        },
    };
    let Some(keywords) = keywords else { return Ok((args, None)) };
    let Some(keywords) = keywords.downcast::<Dict>() else {
        let (function, name) = (super::build::function_text(vm, callable)?, keywords.ty().name());
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

/// `function.__call__`: runs the function in a loop of its own.
pub fn call_function(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let Some(function) = this.downcast::<Function>() else {
        return Err(vm.type_error(format!("'{}' object is not callable", this.ty().name())));
    };
    vm.check_stack("")?;
    let interp = Interp::of(vm);
    if interp.eval_breaker() {
        interp.handle_eval_breaker(vm)?;
    }
    let regs = interp.free_registers();
    let code = function.code();
    // SAFETY: the frame is complete; the caller's slice keeps lent arguments alive during the call.
    unsafe {
        let (code, borrowed) = if code.simple_args == args.len() as i32 && kwnames.is_none() && args.len() <= 32 {
            code.enter(vm)?;
            if !has_room(vm, interp, regs, code.registers.get()) {
                return Err(vm.raised());
            }
            copy_words(args.as_ptr().cast::<u64>(), regs, args.len());
            clear_words(regs.add(args.len()), code.nlocalsplus() - args.len());
            (code as *const Code, if args.len() == 32 { u32::MAX } else { (1 << args.len()) - 1 })
        } else {
            (prepare(vm, interp, function, args.iter().cloned().collect(), kwnames, regs)?, 0)
        };
        let function = this.clone().into_word();
        let frame = push_frame(interp, code, function, regs, borrowed, FRAME_ENTRY, 0);
        finish_run(vm, run(vm, interp, frame))
    }
}

unsafe fn finish_run(vm: &Vm, word: u64) -> Result {
    // SAFETY: the loop returns an owned word, 0 if it raised.
    unsafe { if word == 0 { Err(vm.raised()) } else { Ok(Value::from_word(word)) } }
}

/// Runs the code of a module, a class body, `exec` or `eval`. `namespace`: where names are stored (the globals if None).
pub fn eval_code(
    vm: &Vm,
    code: &Ref<Code>,
    globals: &Ref<Dict>,
    namespace: Option<Value>,
    closure: Option<Ref<Tuple>>,
) -> Result {
    let function = Function::with_closure(vm, code.clone(), globals.clone(), closure);
    run_function(vm, function, namespace)
}

/// Calls `function` without arguments, its names in `namespace` (class bodies).
pub fn run_function(vm: &Vm, function: Ref<Function>, namespace: Option<Value>) -> Result {
    vm.check_stack("")?;
    let interp = Interp::of(vm);
    let regs = interp.free_registers();
    // SAFETY: the frame is complete.
    unsafe {
        let code = prepare(vm, interp, &function, Arguments::new(), None, regs)?;
        let own_locals = (*code).has_flag(CO_OPTIMIZED | CO_NEWLOCALS);
        let namespace = match namespace {
            Some(namespace) => namespace.into_word(),
            None if own_locals => 0,
            None => function.globals.as_value().clone().into_word(),
        };
        let frame = push_frame(interp, code, function.into_value().into_word(), regs, 0, FRAME_ENTRY, 0);
        (*frame).namespace = namespace;
        finish_run(vm, run(vm, interp, frame))
    }
}

/// Resumes a suspended generator's frame in a loop of its own: its word, 0 if it raised. With `raising`, the exception in
/// flight is raised where the frame is.
///
/// # Safety
/// The frame is a suspended generator's and its generator is prepared to run.
pub(crate) unsafe fn resume_frame(vm: &Vm, interp: &Interp, frame: *mut Frame, raising: bool) -> u64 {
    // SAFETY: by contract.
    unsafe {
        (*frame).flags |= FRAME_ENTRY;
        if raising {
            if crate::monitoring::watching() {
                crate::monitoring::exception(vm, interp, frame, crate::monitoring::Stage::Thrown);
                interp.raised_at.set(Some(crate::monitoring::THROWN));
            }
            let handler = super::unwind::unwind(vm, interp, frame, true);
            if handler.is_null() {
                return 0;
            }
        } else {
            (*frame).pc = (*frame).pc.add(Op::YieldValue.len());
        }
        run(vm, interp, frame)
    }
}
