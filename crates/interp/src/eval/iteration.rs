//! Loops, generators and awaiting.

use taipan_bytecode::code::{CO_ASYNC_GENERATOR, CO_GENERATOR};
use taipan_object::builtins::dict::iterator::{DICT_KEY_ITERATOR, dict_iter_next};
use taipan_object::builtins::list::iterator::{LIST_ITERATOR, ListIterator};
use taipan_object::builtins::pairs::{PairWords, next_pair, yields_pairs};
use taipan_object::builtins::range::iterator::{RANGE_ITERATOR, RangeIterator};
use taipan_object::builtins::set::iterator::{SET_ITERATOR, SetIterator};
use taipan_object::builtins::str::iterator::{STR_ASCII_ITERATOR, str_iter_next};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::tuple::iterator::{TUPLE_ITERATOR, TupleIterator};
use taipan_object::exceptions::{STOP_ASYNC_ITERATION, STOP_ITERATION};
use taipan_object::header::Header;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use super::{Flow, Machine, leave_frame, release_operands, variant, view, word_of};
use crate::frame::{FRAME_ENTRY, FRAME_STEP, FRAME_SWITCH, Frame, Interp, release, retain_live};
use crate::generator::{self, ASYNC_GENERATOR, COROUTINE, GENERATOR, Generator};
use crate::instruction::{A_LOCAL, B_OWNED, C_OWNED, Fetched, Op, VARIANT, Word, write_op};

#[inline(never)]
unsafe fn next_slow(vm: &Vm, iterator: u64) -> Result<Option<Value>> {
    // SAFETY: live operand; an iterator of that type has that layout.
    unsafe {
        if iterator & 7 == 0 && !taipan_object::cell::is_parallel() {
            let ty = (*(iterator as *const Header)).ty();
            if ty.is(&DICT_KEY_ITERATOR) {
                return dict_iter_next(vm, view(&iterator));
            }
            if ty.is(&SET_ITERATOR) {
                return (*(iterator as *const SetIterator)).next(vm);
            }
            // The stack was looked at when the frame was entered; iterators over iterators look at it themselves.
            if let Some(next) = ty.slots().iternext
                && !ty.is_heap_type()
            {
                return match next(vm, view(&iterator)) {
                    Err(raised) => vm.stop_iteration_to_none(raised),
                    next => next,
                };
            }
        }
        vm.next(view(&iterator))
    }
}

impl Machine<'_> {
    /// A safepoint, then the jump.
    #[inline(always)]
    pub unsafe fn jump_backward(&mut self, w: Fetched) -> Flow {
        // SAFETY: the frame is alive.
        unsafe {
            if self.interp.eval_breaker() {
                self.save();
                if self.interp.handle_eval_breaker(self.vm).is_err() {
                    return self.unwind();
                }
                if self.interp.switch_requested.get() {
                    let flow = self.jump(w.bc() as u64);
                    out!(self.switch());
                    return flow;
                }
                #[cfg(feature = "free-threading")]
                if taipan_object::vm::world::is_parallel() {
                    (*self.frame).pc = self.pc.offset(w.bc() as i32 as isize);
                    return out!(self.switch_loops());
                }
            }
            self.jump(w.bc() as u64)
        }
    }

    #[inline(never)]
    pub unsafe fn get_iter(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let iterable = self.get(w.b());
            let by_method = match view(&iterable).ty().is_heap_type() {
                true => generator::by_method(self.vm, view(&iterable), &names().__iter__, CO_GENERATOR),
                false => None,
            };
            let result = match by_method {
                Some(generator) => Ok(generator),
                None => self.vm.iter(view(&iterable)),
            };
            release_operands(w.flags(), iterable, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(always)]
    pub unsafe fn for_iter(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            let iterator = self.get(w.b());
            self.save();
            if variant(w)
                && let Some(flow) = out!(self.iterate_pairs(w, iterator))
            {
                return flow;
            }
            if iterator & 7 == 0 {
                let ty = (*(iterator as *const Header)).ty();
                if ty.is(&RANGE_ITERATOR) {
                    self.quicken_iteration(w, Op::ForIterRange);
                    let next = (*(iterator as *const RangeIterator)).next();
                    return self.iterated(w, next);
                }
                if ty.is(&LIST_ITERATOR) {
                    self.quicken_iteration(w, Op::ForIterList);
                    let next = (*(iterator as *const ListIterator)).step();
                    return self.iterated(w, next);
                }
                if ty.is(&TUPLE_ITERATOR) {
                    let next = (*(iterator as *const TupleIterator)).step();
                    return self.iterated(w, next);
                }
                if ty.is(&STR_ASCII_ITERATOR) {
                    return self.iterated(w, str_iter_next(view(&iterator)));
                }
                if ty.is(&GENERATOR) {
                    let generator = &*(iterator as *const Generator);
                    if generator.can_resume() {
                        self.quicken_iteration(w, Op::ForIterGenerator);
                        return self.enter_generator(generator, Value::NONE.into_word());
                    }
                }
            }
            if crate::monitoring::watching() {
                let next = crate::monitoring::next_watched(self.vm, self.interp, self.frame, view(&iterator));
                return self.iterated_slowly(w, next);
            }
            if iterator & 7 == 0 && !(*(iterator as *const Header)).ty().is_heap_type() {
                self.quicken_iteration(w, Op::ForIterNative);
            }
            self.iterated_slowly(w, next_slow(self.vm, iterator))
        }
    }

    /// Stores what an iterator gave, leaves the loop, or raises.
    #[inline(always)]
    unsafe fn iterated_slowly(&mut self, w: Fetched, next: Result<Option<Value>>) -> Flow {
        // SAFETY: the register takes the new reference.
        unsafe {
            match next {
                Ok(next) => self.iterated(w, next),
                Err(_) => self.unwind(),
            }
        }
    }

    /// Writes the instruction as one for iterators of just that type, unless it has been one that did not fit.
    #[inline(always)]
    unsafe fn quicken_iteration(&self, w: Fetched, quick: Op) {
        if w.flags() & !A_LOCAL == 0 {
            // SAFETY: opcodes are written in place.
            unsafe { write_op(self.pc, quick) };
        }
    }

    /// ForIter over a list, as long as that is what comes.
    #[inline(always)]
    pub unsafe fn for_iter_list(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            let iterator = self.get(w.b());
            if iterator & 7 == 0 && (*(iterator as *const Header)).ty().is(&LIST_ITERATOR) {
                // What is behind the last item may have to be released.
                self.save();
                let next = (*(iterator as *const ListIterator)).step();
                return self.iterated(w, next);
            }
            self.unquicken(Op::ForIter)
        }
    }

    /// ForIter over a range of small ints, as long as that is what comes.
    #[inline(always)]
    pub unsafe fn for_iter_range(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            let iterator = self.get(w.b());
            if iterator & 7 == 0 && (*(iterator as *const Header)).ty().is(&RANGE_ITERATOR) {
                let next = (*(iterator as *const RangeIterator)).next();
                return self.iterated(w, next);
            }
            self.unquicken(Op::ForIter)
        }
    }

    /// ForIter over a generator, as long as that is what comes.
    #[inline(always)]
    pub unsafe fn for_iter_generator(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            let iterator = self.get(w.b());
            if iterator & 7 == 0 && (*(iterator as *const Header)).ty().is(&GENERATOR) {
                let generator = &*(iterator as *const Generator);
                if generator.can_resume() {
                    self.save();
                    return self.enter_generator(generator, Value::NONE.into_word());
                }
            }
            self.unquicken(Op::ForIter)
        }
    }

    /// ForIter over a native iterator for which there is no other form, as long as that is what comes.
    #[inline(always)]
    pub unsafe fn for_iter_native(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            let iterator = self.get(w.b());
            if iterator & 7 == 0 && !crate::monitoring::watching() {
                let ty = (*(iterator as *const Header)).ty();
                if !ty.is_heap_type() && !ty.is(&GENERATOR) {
                    self.save();
                    return self.iterated_slowly(w, next_slow(self.vm, iterator));
                }
            }
            self.unquicken(Op::ForIter)
        }
    }

    /// ForIter over an iterator of pairs, and the instruction behind it, which takes the pair apart: no tuple is made. `None`
    /// if the iterator yields something else, or is watched: then nothing has happened.
    #[inline(never)]
    unsafe fn iterate_pairs(&mut self, w: Fetched, iterator: u64) -> Option<Flow> {
        // SAFETY: live operand, which stays; the destinations are locals or free stack registers.
        unsafe {
            let ty = view(&iterator).ty();
            if ty.is(&LIST_ITERATOR) {
                let Some(item) = (*(iterator as *const ListIterator)).step() else {
                    return Some(self.jump(self.extra(1)));
                };
                let pair = match item.downcast_exact::<Tuple>().map(Tuple::as_slice) {
                    Some([first, second]) => Some((retain_live(first.word()), retain_live(second.word()))),
                    _ => None,
                };
                let Some((first, second)) = pair else { return Some(self.iterated(w, Some(item))) };
                let flow = self.take_pair(first, second);
                drop(item);
                return Some(flow);
            }
            if !yields_pairs(ty) || crate::monitoring::watching() {
                return None;
            }
            match next_pair(self.vm, view(&iterator)) {
                PairWords(0, PairWords::END) => Some(self.jump(self.extra(1))),
                PairWords(0, PairWords::RAISED) => Some(self.unwind()),
                PairWords(0, _) => None,
                PairWords(first, second) => Some(self.take_pair(first, second)),
            }
        }
    }

    /// What the instruction behind a ForIter does with a pair, here two owned words.
    #[inline(always)]
    unsafe fn take_pair(&mut self, first: u64, second: u64) -> Flow {
        // SAFETY: the destinations are locals or free stack registers.
        unsafe {
            self.pc = self.pc.add(Op::ForIter.len());
            self.save();
            let w = Fetched::at(self.pc);
            if w.op() == Op::UnpackToLocals as u8 {
                self.put_locals(self.pc.add(1), &[first, second]);
                return self.advance(Op::UnpackToLocals.len());
            }
            self.put(w.a() + 1, first);
            self.put(w.a(), second);
            self.advance(Op::UnpackSequence.len())
        }
    }

    /// Stores what a native iterator gave, or leaves the loop.
    #[inline(always)]
    unsafe fn iterated(&mut self, w: Fetched, next: Option<Value>) -> Flow {
        // SAFETY: the register takes the new reference.
        unsafe {
            match next {
                Some(value) => {
                    self.set(w, value.into_word());
                    self.advance(2)
                }
                None => self.jump(self.extra(1)),
            }
        }
    }

    /// Continues in a suspended generator with the owned word `sent`.
    #[inline(always)]
    unsafe fn enter_generator(&mut self, generator: &Generator, sent: u64) -> Flow {
        // SAFETY: the generator can be resumed and is kept alive by the current frame.
        unsafe {
            if self.interp.depth_left.get() <= 0 {
                release(sent);
                let _ = self.vm.recursion_error("maximum recursion depth exceeded");
                return self.unwind();
            }
            let (mut frame, w) = generator.prepare(self.vm, self.interp, sent);
            if delegates(w) {
                frame = descend(self.vm, self.interp, frame);
            }
            (*frame).pc = (*frame).pc.add(Op::YieldValue.len());
            self.load(frame);
            Flow::NEXT
        }
    }

    /// Turns the frame into a generator, which the caller gets.
    #[inline(never)]
    pub unsafe fn return_generator(&mut self) -> Flow {
        // SAFETY: the verifier lets this run once, with nothing on the stack.
        unsafe {
            self.save();
            let frame = self.frame;
            let generator = match generator::from_frame(self.vm, self.interp, frame) {
                Ok(generator) => generator.into_word(),
                Err(_) => return self.unwind(),
            };
            let (flags, resume) = ((*frame).flags, (*frame).resume);
            // The locals and the function have moved to the generator.
            self.interp.frame.set((*frame).previous);
            self.interp.stacks.frame_top.set(frame);
            self.interp.depth_left.set(self.interp.depth_left.get() + 1);
            if flags & FRAME_ENTRY != 0 {
                return self.leave(generator);
            }
            self.load(self.interp.frame.get());
            let w = Fetched::at(self.pc);
            self.set(w, generator);
            self.pc = resume;
            Flow::NEXT
        }
    }

    #[inline(always)]
    pub unsafe fn yield_value(&mut self, w: Fetched) -> Flow {
        // SAFETY: the verifier lets this run in generators only.
        unsafe {
            let value = self.take_b(w);
            self.put(w.a(), 0);
            self.save();
            let frame = self.frame;
            let generator = Generator::of_frame(frame);
            generator.suspend(self.vm, self.interp);
            let flags = (*frame).flags;
            if flags & SPECIAL_RESUMPTION != 0 {
                (*frame).flags &= !SPECIAL_RESUMPTION;
                if flags & FRAME_ENTRY != 0 {
                    return self.leave(value);
                }
                return out!(self.yield_specially(value, flags));
            }
            let mut resumer = self.interp.frame.get();
            if Fetched::at((*resumer).pc).op() == Op::Send as u8 {
                resumer = ascend(self.vm, self.interp, resumer);
            }
            self.load(resumer);
            let w = Fetched::at(self.pc);
            self.set(w, value);
            self.advance(2)
        }
    }

    /// The end of a yield in a frame that was resumed for a step of an asynchronous generator, or after which the frame below
    /// goes on in debug code.
    #[inline(never)]
    unsafe fn yield_specially(&mut self, value: u64, flags: u16) -> Flow {
        // SAFETY: as in `yield_value`; the receiver of a step's SEND stays.
        unsafe {
            self.load(self.interp.frame.get());
            let w = Fetched::at(self.pc);
            let flow = if flags & FRAME_STEP != 0 {
                let receiver = self.get(w.b());
                let (value, done) = generator::step_yielded(view(&receiver), Value::from_word(value));
                self.sent(w, receiver, value, done, None)
            } else {
                self.set(w, value);
                self.advance(2)
            };
            if flags & FRAME_SWITCH != 0 && self.goes_on() {
                self.switch();
            }
            flow
        }
    }

    /// ASYNC_GEN_WRAP and the yield behind it, in a frame that was resumed for a step of its generator: what is yielded needs
    /// no wrapping, as it goes where it would be unwrapped. None: it is not so, and nothing has happened.
    #[inline(always)]
    pub(super) unsafe fn yield_for_step(&mut self, w: Fetched) -> Option<Flow> {
        // SAFETY: the next instruction is verified code; live operand, consumed. The receiver of the step's SEND stays.
        unsafe {
            let (frame, pc) = (self.frame, self.pc.add(Op::CallIntrinsic1.len()));
            let next = Word::decode(*pc);
            if (*frame).flags & SPECIAL_RESUMPTION != FRAME_STEP
                || next.op() != Op::YieldValue as u8
                || next.flags() & (VARIANT | B_OWNED) != B_OWNED
                || next.b() != w.a()
                || crate::monitoring::watching()
            {
                return None;
            }
            let value = self.take_b(w);
            self.put(next.a(), 0);
            (*frame).pc = pc;
            (*frame).flags &= !FRAME_STEP;
            Generator::of_frame(frame).suspend(self.vm, self.interp);
            self.load(self.interp.frame.get());
            let w = Fetched::at(self.pc);
            let receiver = self.get(w.b());
            generator::step_ended(view(&receiver));
            self.put(w.a(), value);
            Some(self.jump(self.extra(1)))
        }
    }

    /// RETURN_VALUE in a generator.
    #[inline(never)]
    pub(super) unsafe fn generator_return(&mut self, result: u64) -> Flow {
        // SAFETY: the frame is a generator's.
        unsafe {
            let frame = self.frame;
            let flags = (*frame).flags;
            finish_generator(self.vm, self.interp, frame);
            if flags & FRAME_ENTRY != 0 {
                return self.leave(result);
            }
            self.load(self.interp.frame.get());
            if flags & FRAME_STEP != 0 {
                release(result);
                let receiver = self.get(Fetched::at(self.pc).b());
                let _ = generator::step_returned(self.vm, view(&receiver));
                return self.unwind();
            }
            if crate::monitoring::watching()
                && crate::monitoring::generator_over(self.vm, self.interp, self.frame, view(&result)).is_err()
            {
                release(result);
                return self.unwind();
            }
            let w = Fetched::at(self.pc);
            if w.op() == Op::Send as u8 {
                self.put(w.a(), result);
            } else {
                release(result);
            }
            let flow = self.jump(self.extra(1));
            if flags & FRAME_SWITCH != 0 {
                self.switch();
            }
            flow
        }
    }

    #[inline(always)]
    pub unsafe fn send(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands; the receiver stays.
        unsafe {
            self.save();
            let (receiver, value) = (self.get(w.b()), self.get(w.c()));
            if receiver & 7 == 0 {
                let ty = (*(receiver as *const Header)).ty();
                if ty.is(&GENERATOR) || ty.is(&COROUTINE) {
                    let generator = &*(receiver as *const Generator);
                    if generator.can_resume() && (generator.has_started() || value == Value::NONE.into_word()) {
                        let sent = if w.flags() & C_OWNED != 0 { value } else { retain_live(value) };
                        return self.enter_generator(generator, sent);
                    }
                }
            }
            out!(self.send_general(w, receiver, value))
        }
    }

    /// Continues in an asynchronous generator, if the receiver is the awaitable of a step that can go on so.
    #[inline(always)]
    unsafe fn enter_step(&mut self, w: Fetched, receiver: u64, value: u64) -> bool {
        // SAFETY: live operands; the receiver stays, and keeps the generator alive.
        unsafe {
            if crate::monitoring::watching() || self.interp.depth_left.get() <= 0 {
                return false;
            }
            let Some((generator, sent)) = generator::enter_step(view(&receiver), view(&value)) else { return false };
            release_operands(w.flags() & C_OWNED, 1, value);
            let _ = self.enter_generator(generator, sent.into_word());
            (*generator.frame()).flags |= FRAME_STEP;
            true
        }
    }

    /// Sends to something that is no generator to be resumed in a frame of this loop.
    #[inline(never)]
    unsafe fn send_general(&mut self, w: Fetched, receiver: u64, value: u64) -> Flow {
        // SAFETY: live operands; the receiver stays.
        unsafe {
            if self.enter_step(w, receiver, value) {
                return Flow::NEXT;
            }
            let mut stop = None;
            let outcome = generator::send_noting(self.vm, view(&receiver), view(&value), &mut stop);
            release_operands(w.flags() & C_OWNED, 1, value);
            match outcome {
                Ok((value, done)) => self.sent(w, receiver, value, done, stop),
                Err(_) => self.unwind(),
            }
        }
    }

    /// Ends a SEND with what the receiver gave; `stop`: the exception by which it said that it is done.
    unsafe fn sent(&mut self, w: Fetched, receiver: u64, value: Value, done: bool, stop: Option<Value>) -> Flow {
        // SAFETY: a live receiver, which stays.
        unsafe {
            if done && crate::monitoring::watching() {
                let (vm, interp) = (self.vm, self.interp);
                let stop = match stop {
                    Some(stop) => Ok(Some(stop)),
                    None => generator::stop_of_step(vm, view(&receiver), &value),
                };
                let told = stop.and_then(|stop| match stop {
                    Some(stop) => crate::monitoring::delegate_over(vm, interp, self.frame, &stop),
                    None => Ok(()),
                });
                if told.is_err() {
                    return self.unwind();
                }
            }
            self.put(w.a(), value.into_word());
            if done { self.jump(self.extra(1)) } else { self.advance(2) }
        }
    }

    #[inline(never)]
    pub unsafe fn get_len(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let result = self.vm.len(view(&word)).map(Value::from);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn get_yield_from_iter(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let code = (*self.frame).code();
            let result = match generator::by_method(self.vm, view(&word), &names().__iter__, CO_GENERATOR) {
                Some(generator) => Ok(generator),
                None => generator::yield_from_iter(self.vm, view(&word), code.flags()),
            };
            release_operands(w.flags(), word, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(always)]
    pub unsafe fn get_awaitable(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand.
        unsafe {
            let word = self.get(w.b());
            if word & 7 == 0 && (*(word as *const Header)).ty().is(&COROUTINE) && (*(word as *const Generator)).is_new()
            {
                // A coroutine that has not started is what is awaited, and nobody awaits it yet.
                let word = self.take_b(w);
                self.set(w, word);
                return self.advance(1);
            }
            out!(self.get_other_awaitable(w))
        }
    }

    #[inline(never)]
    unsafe fn get_other_awaitable(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let result = generator::get_awaitable(self.vm, view(&word), w.c());
            release_operands(w.flags(), word, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn get_aiter(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let result = match generator::by_method(self.vm, view(&word), &names().__aiter__, CO_ASYNC_GENERATOR) {
                Some(generator) => Ok(generator),
                None => get_aiter(self.vm, view(&word)),
            };
            release_operands(w.flags(), word, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn get_anext(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let result = get_anext(self.vm, view(&word));
            self.finish(w, word_of(result), 1)
        }
    }

    /// An exception was thrown into a `yield from`: `StopIteration` ends it with a value.
    #[inline(never)]
    pub unsafe fn cleanup_throw(&mut self, w: Fetched) -> Flow {
        // SAFETY: three owned words.
        unsafe {
            self.save();
            let [receiver, last, exception]: [Value; 3] = self.take(w.b());
            if exception.ty().is_subtype(STOP_ITERATION.ty()) {
                let value = generator::stop_iteration_value(&exception);
                self.put(w.a(), Value::NONE.into_word());
                self.put(w.a() + 1, value.into_word());
                drop((receiver, last, exception));
                return self.advance(1);
            }
            reraise_value(self.vm, exception);
            drop((receiver, last));
            self.unwind_again()
        }
    }

    #[inline(never)]
    pub unsafe fn end_async_for(&mut self, w: Fetched) -> Flow {
        // SAFETY: two owned words.
        unsafe {
            self.save();
            let [awaitable, exception]: [Value; 2] = self.take(w.b());
            if exception.ty().is_subtype(STOP_ASYNC_ITERATION.ty()) {
                drop((awaitable, exception));
                return self.advance(1);
            }
            reraise_value(self.vm, exception);
            drop(awaitable);
            self.unwind_again()
        }
    }
}

/// What says that the end of a generator's run takes more than to go on in the frame below.
const SPECIAL_RESUMPTION: u16 = FRAME_ENTRY | FRAME_SWITCH | FRAME_STEP;

/// Whether an instruction is the yield of a `yield from` or `await`.
#[inline(always)]
fn delegates(w: Fetched) -> bool {
    w.op() == Op::YieldValue as u8 && w.flags() & VARIANT != 0
}

/// The generator or coroutine in a register, if it waits at a yield.
#[inline(always)]
unsafe fn suspended<'a>(receiver: u64) -> Option<&'a Generator> {
    // SAFETY: a live word; the types share the layout.
    unsafe {
        if receiver & 7 != 0 {
            return None;
        }
        let ty = (*(receiver as *const Header)).ty();
        #[cfg(feature = "free-threading")]
        if !super::shared::is_ours(&*(receiver as *const Header)) {
            return None;
        }
        let generator = &*(receiver as *const Generator);
        ((ty.is(&GENERATOR) || ty.is(&COROUTINE)) && generator.is_suspended()).then_some(generator)
    }
}

/// Goes from a frame that has just been resumed where it delegates to the innermost one that it delegates to, as far as these
/// are generators that wait: as their JUMP and SEND would, one after the other. Returns the frame to go on with, behind the
/// instruction at its `pc`.
#[inline(never)]
unsafe fn descend(vm: &Vm, interp: &Interp, mut frame: *mut Frame) -> *mut Frame {
    // SAFETY: the frame is current; verified code is at its `pc`. Registers are as the instructions passed over say.
    unsafe {
        let mut waits_at = Fetched::at((*frame).pc);
        while delegates(waits_at) && interp.depth_left.get() > 0 {
            let pc = (*frame).pc.add(Op::YieldValue.len());
            let jump = Word::decode(*pc);
            if jump.op() != Op::Jump as u8 {
                break;
            }
            let target = pc.offset(jump.bc() as i32 as isize);
            let send = Word::decode(*target);
            if send.op() != Op::Send as u8 || send.flags() & C_OWNED == 0 {
                break;
            }
            let regs = (*frame).regs;
            let Some(generator) = suspended(*regs.add(send.b() as usize)) else { break };
            (*frame).pc = target;
            (frame, waits_at) = generator.prepare(vm, interp, *regs.add(send.c() as usize));
        }
        frame
    }
}

/// The way back, when a generator yielded to the SEND of `frame`: as long as that yields on what it is sent, it waits there.
/// Returns the frame whose instruction gets the value, which is current then.
#[inline(never)]
unsafe fn ascend(vm: &Vm, interp: &Interp, mut frame: *mut Frame) -> *mut Frame {
    // SAFETY: as in `descend`.
    unsafe {
        while Fetched::at((*frame).pc).op() == Op::Send as u8 {
            let next = (*frame).pc.add(Op::Send.len());
            let w = Fetched::at(next);
            if !delegates(w) || (*frame).flags & SPECIAL_RESUMPTION != 0 {
                break;
            }
            (*frame).pc = next;
            *(*frame).regs.add(w.a() as usize) = 0;
            Generator::of_frame(frame).suspend(vm, interp);
            frame = interp.frame.get();
        }
        frame
    }
}

/// Puts an exception in flight as it is; anything else that forged code left in its place is an error.
pub(super) fn reraise_value(vm: &Vm, exception: Value) {
    use taipan_object::exceptions::BaseException;
    let _ = match exception.downcast::<BaseException>() {
        Some(_) => vm.set_exception(exception),
        None => vm.system_error("bytecode expects an exception"),
    };
}

/// Ends a generator's frame: the generator is exhausted and the resumer's frame is current.
pub(super) unsafe fn finish_generator(vm: &Vm, interp: &crate::frame::Interp, frame: *mut Frame) {
    // SAFETY: the frame is a running generator's.
    unsafe {
        let generator = Generator::of_frame(frame);
        // Its locals may be the last to refer to the generator.
        let keep = taipan_object::object::to_value(generator);
        generator.finished(vm, interp);
        let frame_top = interp.stacks.frame_top.get();
        leave_frame(interp, frame);
        interp.stacks.frame_top.set(frame_top);
        drop(keep);
    }
}

fn get_aiter(vm: &Vm, object: &Value) -> Result {
    let name = object.ty().name();
    let Some(aiter) = object.ty().slots().aiter else {
        return Err(vm.type_error(format!("'async for' requires an object with __aiter__ method, got {name}")));
    };
    let iterator = aiter(vm, object)?;
    if iterator.ty().slots().anext.is_none() {
        let name = iterator.ty().name();
        return Err(vm.type_error(format!(
            "'async for' received an object from __aiter__ that does not implement __anext__: {name}"
        )));
    }
    Ok(iterator)
}

fn get_anext(vm: &Vm, iterator: &Value) -> Result {
    if iterator.ty().is(&ASYNC_GENERATOR) {
        let anext = iterator.ty().slots().anext.expect("async generators have one");
        return anext(vm, iterator);
    }
    let Some(anext) = iterator.ty().slots().anext else {
        let name = iterator.ty().name();
        return Err(vm.type_error(format!("'async for' requires an iterator with __anext__ method, got {name}")));
    };
    let next = anext(vm, iterator)?;
    generator::awaitable_of(vm, &next).or_else(|raised| {
        let cause = vm.take(raised);
        let name = next.ty().name();
        let raised = vm.type_error(format!("'async for' received an invalid object from __anext__: {name}"));
        let error = vm.take(raised);
        taipan_object::exceptions::set_cause(&error, Some(cause.clone()));
        taipan_object::exceptions::set_context(&error, Some(cause));
        Err(vm.set_exception(error))
    })
}
