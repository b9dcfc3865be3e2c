//! Calls and returns.
//!
//! A call of a Python function pushes a frame whose window starts at the arguments, and the loop goes on there. Native
//! callables get the registers as a slice. Calls from native code ([`call_function`], [`eval_code`]) start a loop of
//! their own.

mod binding;
mod native;
mod returns;
mod spread;

use std::ptr;

use smallvec::SmallVec;
use taipan_bytecode::code::{CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_NEWLOCALS, CO_OPTIMIZED};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::method::BoundMethod;
use taipan_object::builtins::object::{allocate_instance, is_object_new};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::type_object::makes_instances;
use taipan_object::header::Header;
use taipan_object::types::slot_dispatch::is_dunder_init;
use taipan_object::types::{Called, TYPE, Type, lookup, type_flags};
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm};

use super::{Flow, Machine, run, variant, view};
use crate::code::Code;
use crate::frame::{
    FRAME_CONSTRUCTOR, FRAME_ENTRY, FRAME_GENERATOR, FRAME_OPERATOR, Frame, Interp, clear_words, copy_words,
    is_pointer, release, release_live, retain, retain_live,
};
use crate::function::arguments::{Arguments, bind};
use crate::function::{FUNCTION, Function};
use crate::instruction::{FAILURES, Fetched, Op, write_op};
use native::{NOT_NATIVE, call_native};

pub(crate) use returns::leave_frame;

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
            let mut borrowed = self.borrowed << ((LENDABLE - at) % LENDABLE);
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
    resume: *const u64,
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
            resume,
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

    /// The safepoint before a call at which there is something to look after; where to go on, if not with the call.
    #[cfg(feature = "free-threading")]
    #[cold]
    #[inline(never)]
    unsafe fn interrupted_call(&mut self, w: Fetched) -> Option<Flow> {
        // SAFETY: live operands, consumed if it raised.
        unsafe {
            if !self.safepoint() {
                release_operands_of(self.operands(w));
                return Some(self.unwind());
            }
        }
        taipan_object::vm::world::is_parallel().then(|| self.switch_loops())
    }

    #[inline(always)]
    pub unsafe fn call(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, consumed.
        unsafe {
            #[cfg(feature = "free-threading")]
            if self.interp.eval_breaker()
                && let Some(flow) = out!(self.interrupted_call(w))
            {
                return flow;
            }
            #[cfg(not(feature = "free-threading"))]
            if !self.safepoint() {
                release_operands_of(self.operands(w));
                return self.unwind();
            }
            let operands = self.operands(w);
            if operands.callable & 7 == 0 {
                match (*(operands.callable as *const Header)).ty().called() {
                    Called::Function => {
                        let code = (*(operands.callable as *const Function)).code();
                        if code.simple_args == operands.count as i32
                            && (!code.entry.get().is_null() || out!(self.lowered(code)))
                        {
                            let method = operands.count != w.c() as usize;
                            self.quicken_call(w, if method { Op::CallMethod } else { Op::CallFunction }, method);
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

    /// Writes the instruction as one for just such calls, with a `self` or without, unless it has been one too often.
    #[inline(always)]
    unsafe fn quicken_call(&self, w: Fetched, quick: Op, with_self: bool) {
        if w.flags() & FAILURES != FAILURES && with_self != variant(w) {
            // SAFETY: opcodes are written in place.
            unsafe { write_op(self.pc, quick) };
        }
    }

    /// Goes on with the general instruction, which may be written as a quick one again.
    #[inline(always)]
    pub(super) unsafe fn call_generally(&mut self) -> Flow {
        // SAFETY: opcodes are written in place.
        unsafe { write_op(self.pc, Op::Call) };
        Flow::NEXT
    }

    /// A call of a Python function that takes just what is given, as long as that holds; with `METHOD` there is a `self`.
    #[inline(always)]
    pub unsafe fn call_exactly<const METHOD: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, consumed.
        unsafe {
            let base = self.regs.add(w.b() as usize);
            let (callable, count) = (*base, w.c() as usize + METHOD as usize);
            if self.interp.eval_breaker() {
                // The general way has the safepoint.
                return self.call_generally();
            }
            if callable & 7 == 0 && (*(callable as *const Header)).ty().is(&FUNCTION) && (!METHOD || *base.add(1) != 0)
            {
                let code = (*(callable as *const Function)).code();
                if code.exact_args.get() == count as i32 {
                    let mask = self.extra(1) as u32;
                    let (first, lent) = (base.add(2 - METHOD as usize), mask >> (2 - METHOD as u32));
                    return self.call_simple(callable, mask & 1 != 0, first, count, lent, code, 2);
                }
            }
            self.unquicken(Op::Call)
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
            let resume = self.pc.add(words as usize);
            let frame = push_frame(self.interp, code, function, regs, lent, 0, resume);
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
            let frame = push_frame(interp, code, function, regs, 0b11, FRAME_OPERATOR, self.pc.add(1));
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
                    let frame = push_frame(self.interp, code, function, regs, 0, 0, self.pc.add(words as usize));
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
        code.enter(vm)?;
        if !has_room(vm, interp, regs, code.registers.get()) {
            return Err(vm.raised());
        }
        let (code, borrowed) = if code.simple_args == args.len() as i32 && kwnames.is_none() && args.len() <= LENDABLE {
            copy_words(args.as_ptr().cast::<u64>(), regs, args.len());
            clear_words(regs.add(args.len()), code.nlocalsplus() - args.len());
            (code as *const Code, ((1u64 << args.len()) - 1) as u32)
        } else if let Some(lent) = binding::bind_lent(function, args, kwnames, regs) {
            (code as *const Code, lent)
        } else {
            (prepare(vm, interp, function, args.iter().cloned().collect(), kwnames, regs)?, 0)
        };
        let function = this.clone().into_word();
        let frame = push_frame(interp, code, function, regs, borrowed, FRAME_ENTRY, ptr::null());
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
        let frame = push_frame(interp, code, function.into_value().into_word(), regs, 0, FRAME_ENTRY, ptr::null());
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
