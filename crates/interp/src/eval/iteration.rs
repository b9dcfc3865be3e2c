//! Loops, generators and awaiting.

use taipan_object::builtins::list::iterator::{LIST_ITERATOR, ListIterator};
use taipan_object::builtins::range::iterator::{RANGE_ITERATOR, RangeIterator};
use taipan_object::builtins::str::iterator::{STR_ASCII_ITERATOR, str_iter_next};
use taipan_object::builtins::tuple::iterator::{TUPLE_ITERATOR, TupleIterator};
use taipan_object::exceptions::{STOP_ASYNC_ITERATION, STOP_ITERATION};
use taipan_object::header::Header;
use taipan_object::{Result, Value, Vm};

use super::{Flow, Machine, leave_frame, release_operands, view, word_of};
use crate::frame::{FRAME_ENTRY, FRAME_SWITCH, Frame, release, retain};
use crate::generator::{self, ASYNC_GENERATOR, COROUTINE, GENERATOR, Generator};
use crate::instruction::{C_OWNED, Op, Word};

#[inline(never)]
unsafe fn next_slow(vm: &Vm, iterator: u64) -> Result<Option<Value>> {
    // SAFETY: live operand.
    unsafe { vm.next(view(&iterator)) }
}

impl Machine<'_> {
    /// A safepoint, then the jump.
    #[inline(always)]
    pub unsafe fn jump_backward(&mut self, w: Word) -> Flow {
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
                    return self.switch_loops();
                }
            }
            self.jump(w.bc() as u64)
        }
    }

    #[inline(never)]
    pub unsafe fn get_iter(&mut self, w: Word) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let iterable = self.get(w.b());
            let result = self.vm.iter(view(&iterable));
            release_operands(w.flags(), iterable, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(always)]
    pub unsafe fn for_iter(&mut self, w: Word) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            let iterator = self.get(w.b());
            self.save();
            if iterator & 7 == 0 {
                let ty = (*(iterator as *const Header)).ty();
                if ty.is(&RANGE_ITERATOR) {
                    let next = (*(iterator as *const RangeIterator)).next();
                    return self.iterated(w, next);
                }
                if ty.is(&LIST_ITERATOR) {
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
                        return self.enter_generator(generator, Value::NONE.into_word());
                    }
                }
            }
            let next = if crate::monitoring::watching() {
                crate::monitoring::next_watched(self.vm, self.interp, self.frame, view(&iterator))
            } else {
                next_slow(self.vm, iterator)
            };
            match next {
                Ok(Some(value)) => {
                    self.set(w, value.into_word());
                    self.advance(2)
                }
                Ok(None) => self.jump(self.extra(1)),
                Err(_) => self.unwind(),
            }
        }
    }

    /// Stores what a native iterator gave, or leaves the loop.
    #[inline(always)]
    unsafe fn iterated(&mut self, w: Word, next: Option<Value>) -> Flow {
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
            let frame = generator.prepare(self.vm, self.interp, sent);
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
            let (flags, words) = ((*frame).flags, (*frame).return_words as usize);
            // The locals and the function have moved to the generator.
            self.interp.frame.set((*frame).previous);
            self.interp.stacks.frame_top.set(frame);
            self.interp.depth_left.set(self.interp.depth_left.get() + 1);
            if flags & FRAME_ENTRY != 0 {
                return self.leave(generator);
            }
            self.load(self.interp.frame.get());
            let w = Word::decode(*self.pc);
            self.set(w, generator);
            self.advance(words)
        }
    }

    #[inline(always)]
    pub unsafe fn yield_value(&mut self, w: Word) -> Flow {
        // SAFETY: the verifier lets this run in generators only.
        unsafe {
            let value = self.take_b(w);
            self.put(w.a(), 0);
            self.save();
            let frame = self.frame;
            let generator = Generator::of_frame(frame);
            generator.suspend(self.vm, self.interp);
            let flags = (*frame).flags;
            if flags & (FRAME_ENTRY | FRAME_SWITCH) != 0 {
                (*frame).flags &= !(FRAME_ENTRY | FRAME_SWITCH);
                if flags & FRAME_ENTRY != 0 {
                    return self.leave(value);
                }
                return out!(self.yield_and_switch(value));
            }
            self.load(self.interp.frame.get());
            let w = Word::decode(*self.pc);
            self.set(w, value);
            self.advance(2)
        }
    }

    /// The end of a yield after which the frame below goes on in debug code.
    #[cold]
    #[inline(never)]
    unsafe fn yield_and_switch(&mut self, value: u64) -> Flow {
        // SAFETY: as in `yield_value`.
        unsafe {
            self.load(self.interp.frame.get());
            let w = Word::decode(*self.pc);
            self.set(w, value);
            let flow = self.advance(2);
            self.switch();
            flow
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
            if crate::monitoring::watching()
                && crate::monitoring::generator_over(self.vm, self.interp, self.frame, view(&result)).is_err()
            {
                release(result);
                return self.unwind();
            }
            let w = Word::decode(*self.pc);
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
    pub unsafe fn send(&mut self, w: Word) -> Flow {
        // SAFETY: live operands; the receiver stays.
        unsafe {
            self.save();
            let (receiver, value) = (self.get(w.b()), self.get(w.c()));
            if receiver & 7 == 0 {
                let ty = (*(receiver as *const Header)).ty();
                if ty.is(&GENERATOR) || ty.is(&COROUTINE) {
                    let generator = &*(receiver as *const Generator);
                    if generator.can_resume() && (generator.has_started() || value == Value::NONE.into_word()) {
                        let sent = if w.flags() & C_OWNED != 0 { value } else { retain(value) };
                        return self.enter_generator(generator, sent);
                    }
                }
            }
            out!(self.send_general(w, receiver, value))
        }
    }

    /// Sends to something that is no generator to be resumed in a frame of this loop.
    #[inline(never)]
    unsafe fn send_general(&mut self, w: Word, receiver: u64, value: u64) -> Flow {
        // SAFETY: live operands; the receiver stays.
        unsafe {
            let mut stop = None;
            let outcome = generator::send_noting(self.vm, view(&receiver), view(&value), &mut stop);
            release_operands(w.flags() & C_OWNED, 1, value);
            match outcome {
                Ok((value, done)) => {
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
                Err(_) => self.unwind(),
            }
        }
    }

    #[inline(never)]
    pub unsafe fn get_len(&mut self, w: Word) -> Flow {
        // SAFETY: live operand, which stays.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let result = self.vm.len(view(&word)).map(Value::from);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn get_yield_from_iter(&mut self, w: Word) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let code = (*self.frame).code();
            let result = generator::yield_from_iter(self.vm, view(&word), code.flags());
            release_operands(w.flags(), word, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn get_awaitable(&mut self, w: Word) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let word = self.get(w.b());
            if word & 7 == 0 && (*(word as *const Header)).ty().is(&COROUTINE) && (*(word as *const Generator)).is_new()
            {
                // A coroutine that has not started is what is awaited, and nobody awaits it yet.
                let word = self.take_b(w);
                self.set(w, word);
                return self.advance(1);
            }
            let result = generator::get_awaitable(self.vm, view(&word), w.c());
            release_operands(w.flags(), word, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn get_aiter(&mut self, w: Word) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let result = get_aiter(self.vm, view(&word));
            release_operands(w.flags(), word, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn get_anext(&mut self, w: Word) -> Flow {
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
    pub unsafe fn cleanup_throw(&mut self, w: Word) -> Flow {
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
    pub unsafe fn end_async_for(&mut self, w: Word) -> Flow {
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
