//! `generator`, `coroutine`, `async_generator`: a frame on the heap that is run in stretches.
//!
//! The three types share one layout, [`Generator`]: the object owns a [`Frame`] whose registers follow the object. The
//! eval loop continues in a generator without recursion when it can (`eval/iteration.rs`); [`resume`] is for callers in
//! native code. `coroutine.rs` has what is particular to coroutines and awaiting, `async_generator.rs` the awaitables of
//! asynchronous generators, `delegate.rs` `throw` and `close`.

mod anext;
mod async_generator;
mod coroutine;
mod delegate;

use std::cell::{Cell, UnsafeCell};
use std::mem::offset_of;
use std::ptr::{self, NonNull};

use smallvec::SmallVec;
use taipan_bytecode::code::{CO_ASYNC_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE};
use taipan_bytecode::{oparg, opcode::Opcode};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::cell::ObjectCell;
use taipan_object::exceptions::{self, STOP_ITERATION};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::{Payload, Visitor, allocate, to_value};
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, lookup, type_flags};
use taipan_object::vm::hooks::GeneratorKind;
use taipan_object::vm::names;
use taipan_object::{Raised, Ref, Result, Value, Vm};

use crate::code::Code;
use crate::frame::{FRAME_GENERATOR, Frame, HandledItem, Interp, clear_words, copy_words, release, retain};
use crate::function::Function;
use crate::instruction::{Fetched, Op, VARIANT, Word};
use crate::lower::Slot;

pub use anext::anext_awaitable;
pub use async_generator::{ASYNC_GENERATOR, wrap_value};
pub(crate) use async_generator::{enter_step, step_ended, step_raised, step_returned, step_yielded};
pub use coroutine::{COROUTINE, awaitable_of, get_awaitable};
pub use delegate::throw;

/// How far a generator has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Created,
    Suspended,
    Running,
    /// It returned, raised or was closed; its frame is gone.
    Cleared,
}

/// A generator, coroutine or asynchronous generator. The registers of its frame follow the struct.
#[repr(C)]
pub struct Generator {
    pub header: Header,
    state: Cell<State>,
    frame: UnsafeCell<Frame>,
    handled: HandledItem,
    code: Ref<Code>,
    /// `__name__` and `__qualname__`; UNBOUND: as the code says.
    names: ObjectCell<(Value, Value)>,
    /// `cr_origin`: where the coroutine was made, or None.
    origin: Value,
    /// Of asynchronous generators: the `finalizer` hook at the time of the first iteration.
    finalizer: ObjectCell<Option<Value>>,
    hooks_done: Cell<bool>,
    closed: Cell<bool>,
    running_async: Cell<bool>,
}

// SAFETY: repr(C), header first; visits what the frame owns while it is suspended. While it runs, what is on its stack
// counts as referenced from outside.
unsafe impl Payload for Generator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        GENERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        unsafe {
            let (name, qualname) = &*self.names.as_ptr();
            visit(name);
            visit(qualname);
            visit(&self.origin);
            (*self.finalizer.as_ptr()).iter().for_each(&mut *visit);
            let mut word = |word: u64| {
                if word != 0 {
                    visit(Value::borrow_word(&word));
                }
            };
            word(self.handled.exception.get());
            if self.state.get() == State::Cleared {
                return;
            }
            let frame = &*self.frame.get();
            word(frame.function);
            word(frame.namespace);
            for at in 0..frame.code().nlocalsplus() {
                word(*frame.regs.add(at));
            }
            if self.state.get() != State::Running {
                self.for_each_stack_word(word);
            }
        }
    }
    fn clear(&self) {
        self.clear_frame();
    }
    #[inline(always)]
    fn has_to_be_finalized(&self) -> bool {
        self.state.get() != State::Cleared
    }
}

impl Drop for Generator {
    #[inline(always)]
    fn drop(&mut self) {
        if self.state.get() != State::Cleared {
            self.clear_frame();
        }
    }
}

pub static GENERATOR: TypeSpec = TypeSpec::new::<Generator>("generator")
    .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::HAS_WEAKREF | type_flags::NEEDS_FINALIZE)
    .slots(|s| {
        common_slots(s);
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(iternext);
    })
    .methods(METHODS)
    .getset(&[
        NAME,
        QUALNAME,
        GetSetDef::new("gi_yieldfrom", "what yield from is iterating over, or None", |_, this| Ok(yield_from(this))),
        GetSetDef::new("gi_running", "", |_, this| Ok(Value::bool(own(this).is_running()))),
        GetSetDef::new("gi_frame", "", |vm, this| Ok(own(this).frame_object(vm))),
        GetSetDef::new("gi_suspended", "", |_, this| Ok(Value::bool(own(this).is_suspended()))),
        GetSetDef::new("gi_code", "", |_, this| Ok(own(this).code.as_value().clone())),
    ]);

taipan_object::method_table! {
    static METHODS = [
        taipan_object::builtins::object::methods::size_of_method("\
            gen.__sizeof__() -> number of bytes of memory that gen takes"),
        MethodDef::new(
            "send($self, object, /)",
            "send(value) -> go on with value as the result of the yield.\n\
            Return what is yielded next; at the end, raise StopIteration.",
            |vm, this, args| delegate::send_method(vm, own(this), &args[0]),
        ),
        MethodDef::raw(
            "throw",
            "throw(value)\n\
             throw(type[,value[,tb]])\n\n\
             Go on with an exception, raised by the yield.\n\
             Return what is yielded next; at the end, raise StopIteration.\n\
             The form with several arguments is deprecated.",
            |vm, this, args, kwnames| delegate::throw_method(vm, own(this), args, kwnames),
        ),
        MethodDef::new("close($self, /)", "close() -> None; end the generator with GeneratorExit.", |vm, this, _| {
            delegate::close(vm, own(this))
        }),
        CLASS_GETITEM,
    ];
}

use taipan_object::builtins::generic_alias::CLASS_GETITEM;

const NAME: GetSetDef = name_getset("the generator's name");
const QUALNAME: GetSetDef = qualname_getset("the generator's qualified name");

const fn name_getset(doc: &'static str) -> GetSetDef {
    GetSetDef::new("__name__", doc, |_, this| Ok(own(this).name())).setter(|vm, this, value| {
        let Some(value) = value.filter(|value| value.downcast::<Str>().is_some()) else {
            return Err(vm.type_error("__name__ must be set to a string object"));
        };
        let generator = own(this);
        let old = std::mem::replace(&mut generator.names.borrow(&generator.header).0, value.clone());
        drop(old);
        Ok(())
    })
}

const fn qualname_getset(doc: &'static str) -> GetSetDef {
    GetSetDef::new("__qualname__", doc, |_, this| Ok(own(this).qualname())).setter(|vm, this, value| {
        let Some(value) = value.filter(|value| value.downcast::<Str>().is_some()) else {
            return Err(vm.type_error("__qualname__ must be set to a string object"));
        };
        let generator = own(this);
        let old = std::mem::replace(&mut generator.names.borrow(&generator.header).1, value.clone());
        drop(old);
        Ok(())
    })
}

/// `repr`, finaliser: alike for the three types.
fn common_slots(s: &mut Slots) {
    s.repr = Some(|vm, this| {
        let qualname = vm.display_name(&own(this).qualname());
        Ok(Value::from(format!("<{} object {qualname} at {:#x}>", this.ty().name(), this.id())))
    });
    s.finalize = Some(finalize);
}

fn own(this: &Value) -> &Generator {
    of_value(this).expect("called through its own slot")
}

/// The generator that `value` is, of whichever of the three types.
pub fn of_value(value: &Value) -> Option<&Generator> {
    value.as_object().and_then(of_object)
}

/// The same, of an object's header.
pub(crate) fn of_object(header: &Header) -> Option<&Generator> {
    let ty = header.ty();
    // SAFETY: the three types share the layout.
    (ty.is(&GENERATOR) || ty.is(&COROUTINE) || ty.is(&ASYNC_GENERATOR))
        .then(|| unsafe { &*(header as *const Header).cast() })
}

/// Which of the three types a value has, if any.
pub fn kind(value: &Value) -> Option<GeneratorKind> {
    let ty = value.ty();
    [
        (&GENERATOR, GeneratorKind::Generator),
        (&COROUTINE, GeneratorKind::Coroutine),
        (&ASYNC_GENERATOR, GeneratorKind::AsyncGenerator),
    ]
    .into_iter()
    .find_map(|(spec, kind)| ty.is(spec).then_some(kind))
}

/// Memory for a generator of the kind that the code's flags ask for, all written but its locals. `names`: as in
/// [`Function::generator_names`].
///
/// # Safety
/// `pc` is that of the code's RETURN_GENERATOR; `function` and `namespace` are owned words, which pass to the generator. The
/// caller writes the locals before anything else happens.
#[inline(always)]
unsafe fn make(
    vm: &Vm,
    code: &Code,
    pc: *const u64,
    function: u64,
    namespace: u64,
    names: (Value, Value),
    origin: Value,
) -> Result<*mut Generator> {
    // SAFETY: by contract; the new object has room for the registers.
    unsafe {
        let spec = match () {
            _ if code.has_flag(CO_COROUTINE) => &COROUTINE,
            _ if code.has_flag(CO_ASYNC_GENERATOR) => &ASYNC_GENERATOR,
            _ => &GENERATOR,
        };
        let ty = spec.ty();
        let registers = code.registers.get() as usize;
        let Some(block) = allocate(ty, size_of::<Generator>() + registers * size_of::<u64>()) else {
            return Err(vm.memory_error());
        };
        let generator = block.as_ptr().cast::<Generator>();
        generator.write(Generator {
            header: Header::new(ty),
            state: Cell::new(State::Created),
            frame: UnsafeCell::new(Frame {
                regs: generator.add(1).cast::<u64>(),
                pc,
                code,
                previous: ptr::null_mut(),
                function,
                namespace,
                object: 0,
                top: ptr::null_mut(),
                borrowed: 0,
                flags: FRAME_GENERATOR,
                resume: ptr::null(),
            }),
            handled: HandledItem::new(),
            code: taipan_object::object::to_ref(code),
            names: ObjectCell::new(names),
            origin,
            finalizer: ObjectCell::new(None),
            hooks_done: Cell::new(false),
            closed: Cell::new(false),
            running_async: Cell::new(false),
        });
        Ok(generator)
    }
}

/// Moves a running frame into a new generator.
///
/// # Safety
/// The frame is current and has nothing on its operand stack; it is not used again but to find its caller.
pub(crate) unsafe fn from_frame(vm: &Vm, interp: &Interp, frame: *mut Frame) -> Result {
    // SAFETY: by contract.
    unsafe {
        let code = &*(*frame).code;
        let origin = match code.has_flag(CO_COROUTINE) {
            true => coroutine::origin(interp, (*frame).previous),
            false => Value::NONE,
        };
        let names = (*frame).function().generator_names();
        let generator = make(vm, code, (*frame).pc, (*frame).function, (*frame).namespace, names, origin)?;
        ((*frame).function, (*frame).namespace) = (0, 0);
        let mut borrowed = (*frame).borrowed;
        while borrowed != 0 {
            retain(*(*frame).regs.add(borrowed.trailing_zeros() as usize));
            borrowed &= borrowed - 1;
        }
        // What is above the locals is written before it is read, as in other frames.
        let own = (*generator).frame.get();
        copy_words((*frame).regs, (*own).regs, code.nlocalsplus());
        if (*frame).object != 0 {
            crate::frame_object::retarget((*frame).object, own);
            (*own).object = std::mem::replace(&mut (*frame).object, 0);
        }
        Ok(Value::from_object_pointer(NonNull::new_unchecked(generator.cast())))
    }
}

/// What `object`'s method `name` gives, called without arguments, if it is a generator function with `flag` among its code's
/// flags that does nothing before it gives the generator. None: it has to be called.
pub(crate) fn by_method(vm: &Vm, object: &Value, name: &Value, flag: u32) -> Option<Value> {
    let ty = object.ty();
    if !ty.is_heap_type() {
        return None;
    }
    let method = lookup::find(ty, name)?;
    let function = method.downcast_exact::<Function>()?;
    let code = function.code();
    let entry = code.entry.get();
    if code.simple_args != 1 || !code.has_flag(flag) || entry.is_null() || Interp::of(vm).depth_left.get() <= 0 {
        return None;
    }
    // SAFETY: verified code is at the entry; the function's reference passes to the generator, whose locals are written at once.
    unsafe {
        if Word::decode(*entry).op() != Op::ReturnGenerator as u8 {
            return None;
        }
        let names = function.generator_names();
        let code = std::ptr::from_ref(code);
        let Ok(generator) = make(vm, &*code, entry, method.into_word(), 0, names, Value::NONE) else {
            vm.discard(vm.raised());
            return None;
        };
        let regs = (*(*generator).frame.get()).regs;
        *regs = object.clone().into_word();
        clear_words(regs.add(1), (*code).nlocalsplus() - 1);
        Some(Value::from_object_pointer(NonNull::new_unchecked(generator.cast())))
    }
}

impl Generator {
    /// The generator that owns `frame`.
    ///
    /// # Safety
    /// The frame has FRAME_GENERATOR.
    pub(crate) unsafe fn of_frame<'a>(frame: *const Frame) -> &'a Generator {
        // SAFETY: such frames lie in generators only.
        unsafe { &*frame.byte_sub(offset_of!(Generator, frame)).cast::<Generator>() }
    }

    pub fn state(&self) -> State {
        self.state.get()
    }

    pub fn frame(&self) -> *mut Frame {
        self.frame.get()
    }

    pub fn code(&self) -> &Code {
        &self.code
    }

    pub fn is_running(&self) -> bool {
        self.state.get() == State::Running
    }

    pub fn is_new(&self) -> bool {
        self.state.get() == State::Created
    }

    pub fn is_suspended(&self) -> bool {
        self.state.get() == State::Suspended
    }

    #[inline(always)]
    pub(crate) fn can_resume(&self) -> bool {
        matches!(self.state.get(), State::Created | State::Suspended)
    }

    pub(crate) fn has_started(&self) -> bool {
        self.state.get() == State::Suspended
    }

    pub fn name(&self) -> Value {
        let name = self.names.borrow(&self.header).0.clone();
        if name.is_unbound() { self.code.name_value().clone() } else { name }
    }

    pub fn qualname(&self) -> Value {
        let qualname = self.names.borrow(&self.header).1.clone();
        if qualname.is_unbound() { self.code.qualname_value().clone() } else { qualname }
    }

    /// `gi_frame`: the frame object, None once the frame is gone.
    fn frame_object(&self, vm: &Vm) -> Value {
        match self.state.get() {
            State::Cleared => Value::NONE,
            // SAFETY: the frame is alive until it is cleared.
            _ => unsafe { crate::frame_object::of_frame(vm, self.frame.get()) },
        }
    }

    /// Links the frame to the running one, with the owned word `sent` where the frame waits for it. Returns the frame and the
    /// instruction at which it waits.
    ///
    /// # Safety
    /// [`Generator::can_resume`]; the caller keeps the generator alive and makes its frame current.
    #[inline(always)]
    pub(crate) unsafe fn prepare(&self, vm: &Vm, interp: &Interp, sent: u64) -> (*mut Frame, Fetched) {
        // SAFETY: by contract.
        unsafe {
            let frame = self.frame.get();
            (*frame).top = interp.free_registers();
            (*frame).previous = interp.frame.get();
            interp.frame.set(frame);
            let w = Fetched::at((*frame).pc);
            *(*frame).regs.add(w.a() as usize) = sent;
            self.state.set(State::Running);
            interp.depth_left.set(interp.depth_left.get() - 1);
            self.handled.previous.set(interp.handled.get());
            interp.handled.set(&self.handled);
            if self.handled.exception.get() != 0 {
                interp.publish_handled(vm);
            }
            (frame, w)
        }
    }

    #[inline(always)]
    fn leave_handled(&self, vm: &Vm, interp: &Interp) {
        interp.handled.set(self.handled.previous.get());
        if self.handled.exception.get() != 0 {
            interp.publish_handled(vm);
        }
    }

    /// Unlinks the running frame, which waits at its `pc`; the resumer's frame is current again.
    ///
    /// # Safety
    /// The frame is current.
    #[inline(always)]
    pub(crate) unsafe fn suspend(&self, vm: &Vm, interp: &Interp) {
        // SAFETY: by contract.
        unsafe {
            let frame = self.frame.get();
            self.state.set(State::Suspended);
            interp.frame.set((*frame).previous);
            (*frame).previous = ptr::null_mut();
            interp.depth_left.set(interp.depth_left.get() + 1);
            self.leave_handled(vm, interp);
        }
    }

    /// The running frame is about to end for good.
    #[inline(always)]
    pub(crate) fn finished(&self, vm: &Vm, interp: &Interp) {
        self.state.set(State::Cleared);
        interp.handled.set(self.handled.previous.get());
        let exception = self.handled.exception.get();
        if exception != 0 {
            interp.publish_handled(vm);
            self.handled.exception.set(0);
            // SAFETY: the item owned its exception.
            unsafe { release(exception) };
        }
    }

    /// Calls `f` with the words that the suspended frame's operand stack owns.
    unsafe fn for_each_stack_word(&self, mut f: impl FnMut(u64)) {
        // SAFETY: the map at the frame's pc says which registers own something.
        unsafe {
            let frame = &*self.frame.get();
            if self.state.get() != State::Suspended {
                return;
            }
            let stack = frame.regs.add(frame.code().nlocalsplus());
            for (at, slot) in crate::eval::find_map(frame).iter().enumerate() {
                if *slot == Slot::Own {
                    f(*stack.add(at));
                }
            }
        }
    }

    /// Drops what a frame that is not running owns; its frame object keeps the locals.
    fn clear_frame(&self) {
        if matches!(self.state.get(), State::Cleared | State::Running) {
            return;
        }
        let mut owned = SmallVec::<[u64; 8]>::new();
        // SAFETY: each word is taken once: the state says so from here on.
        unsafe {
            self.for_each_stack_word(|word| owned.push(word));
            self.state.set(State::Cleared);
            owned.into_iter().rev().for_each(|word| release(word));
            let frame = self.frame.get();
            if (*frame).object == 0 || !crate::frame_object::take_over(frame) {
                for at in (0..(*frame).code().nlocalsplus()).rev() {
                    release(std::mem::replace(&mut *(*frame).regs.add(at), 0));
                }
            }
            release(std::mem::replace(&mut (*frame).namespace, 0));
            release(std::mem::replace(&mut (*frame).function, 0));
            release(self.handled.exception.replace(0));
        }
    }

    /// Whether a `GeneratorExit` that is raised where the generator is suspended would meet no handler, and nobody watches.
    fn ends_unnoticed(&self) -> bool {
        if self.state.get() != State::Suspended || crate::monitoring::watching() {
            return false;
        }
        // The RESUME behind the YIELD_VALUE says how deep in handlers it is; the outermost one is every generator's own.
        // SAFETY: a suspended generator has its frame.
        let resume = (unsafe { (*self.frame()).unit() } as usize + 1) * 2;
        matches!(self.code.data.code.get(resume..), Some([op, arg, ..])
            if *op == Opcode::RESUME as u8 && *arg as u32 & oparg::resume::DEPTH1_MASK != 0)
    }

    /// The iterator to which a suspended `yield from` or `await` delegates.
    pub fn delegate(&self) -> Option<Value> {
        if self.state.get() != State::Suspended {
            return None;
        }
        // SAFETY: the frame is alive; the register below that of the value sent holds the receiver.
        unsafe {
            let frame = &*self.frame.get();
            let w = Word::decode(*frame.pc);
            if w.op() != Op::YieldValue as u8 || w.flags() & VARIANT == 0 {
                return None;
            }
            let map = crate::eval::find_map(frame);
            let receiver = map.len().checked_sub(2)?;
            let word = match map[receiver] {
                Slot::Own | Slot::Borrowed(_) => *frame.regs.add(w.a() as usize - 1),
                Slot::Local { local, .. } => *frame.regs.add(local as usize),
                _ => return None,
            };
            if word == 0 { None } else { Some(Value::borrow_word(&word).clone()) }
        }
    }

    fn kind(&self) -> &'static str {
        match () {
            _ if self.code.has_flag(CO_COROUTINE) => "coroutine",
            _ if self.code.has_flag(CO_ASYNC_GENERATOR) => "async generator",
            _ => "generator",
        }
    }
}

fn yield_from(this: &Value) -> Value {
    own(this).delegate().unwrap_or(Value::NONE)
}

/// What a generator did when it was resumed.
pub enum Resumed {
    Yielded(Value),
    Returned(Value),
}

/// Resumes a generator from native code, with a value sent, or with the exception in flight raised in it.
pub fn resume(vm: &Vm, generator: &Generator, sent: Option<&Value>, raising: bool) -> Result<Resumed> {
    if generator.state.get() != State::Suspended
        && let Some(outcome) = resume_unsuspended(vm, generator, sent, raising)
    {
        return outcome;
    }
    let interp = Interp::of(vm);
    if !vm.has_stack() || interp.depth_left.get() <= 0 {
        return Err(no_room(vm));
    }
    let keep = to_value(generator);
    // SAFETY: it can be resumed, and `keep` outlives the run.
    let word = unsafe {
        let sent = sent.map_or(Value::NONE, Value::clone).into_word();
        let (frame, _) = generator.prepare(vm, interp, sent);
        if raising && generator.handled.exception.get() != 0 {
            // What is thrown is chained to what the generator itself handles.
            let exception = vm.take(vm.raised());
            let handled = Value::borrow_word(&generator.handled.exception.get()).clone();
            exceptions::chain_context(&exception, handled);
            let _ = vm.set_exception(exception);
        }
        crate::eval::resume_frame(vm, interp, frame, raising)
    };
    let result = match word {
        0 => Err(vm.raised()),
        _ => {
            // SAFETY: the loop returns an owned word.
            let value = unsafe { Value::from_word(word) };
            Ok(if generator.is_suspended() { Resumed::Yielded(value) } else { Resumed::Returned(value) })
        }
    };
    drop(keep);
    result
}

/// What comes of resuming a generator that does not wait at a `yield`; None: it can begin.
#[cold]
#[inline(never)]
fn resume_unsuspended(vm: &Vm, generator: &Generator, sent: Option<&Value>, raising: bool) -> Option<Result<Resumed>> {
    Some(match generator.state.get() {
        State::Running => {
            if raising {
                vm.discard(vm.raised());
            }
            Err(vm.value_error(format!("{} already executing", generator.kind())))
        }
        State::Created if !raising && sent.is_some_and(|value| !value.is_none()) => {
            let kind = generator.kind();
            Err(vm.type_error(format!("can't send non-None value to a just-started {kind}")))
        }
        State::Cleared if raising => Err(vm.raised()),
        State::Cleared if generator.code.has_flag(CO_COROUTINE) => {
            Err(vm.runtime_error("cannot reuse already awaited coroutine"))
        }
        State::Cleared => Ok(Resumed::Returned(Value::NONE)),
        State::Created | State::Suspended => return None,
    })
}

/// `RecursionError`, for want of native stack or because calls nest too deeply.
#[cold]
#[inline(never)]
fn no_room(vm: &Vm) -> Raised {
    match vm.check_stack("") {
        Err(raised) => raised,
        Ok(()) if vm.has_exception() => vm.raised(),
        Ok(()) => vm.recursion_error("maximum recursion depth exceeded"),
    }
}

fn iternext(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    // SAFETY: this slot is that of the three types, which share the layout.
    let generator = unsafe { &*(this.word() as *const Generator) };
    match resume(vm, generator, None, false)? {
        Resumed::Yielded(value) => Ok(Some(value)),
        Resumed::Returned(value) if value.is_none() => Ok(None),
        Resumed::Returned(value) => Err(vm.stop_iteration(Some(value))),
    }
}

/// The value that a `StopIteration` carries.
pub fn stop_iteration_value(exception: &Value) -> Value {
    exceptions::field(exception, &names().value).unwrap_or(Value::NONE)
}

/// Sends `value` into any iterator: what it gave, and whether it is done.
pub fn send(vm: &Vm, receiver: &Value, value: &Value) -> Result<(Value, bool)> {
    send_noting(vm, receiver, value, &mut None)
}

/// As [`send`]; the `StopIteration` that says that the iterator is done, if it raised one, is put into `noted`.
pub fn send_noting(vm: &Vm, receiver: &Value, value: &Value, noted: &mut Option<Value>) -> Result<(Value, bool)> {
    if let Some(generator) = of_value(receiver)
        && !receiver.ty().is(&ASYNC_GENERATOR)
    {
        return Ok(match resume(vm, generator, Some(value), false)? {
            Resumed::Yielded(value) => (value, false),
            Resumed::Returned(value) => (value, true),
        });
    }
    if let Some(send) = receiver.ty().slots().send {
        return send(vm, receiver, value);
    }
    let result = match receiver.ty().slots().iternext {
        Some(next) if value.is_none() => match next(vm, receiver) {
            Ok(Some(value)) => return Ok((value, false)),
            Ok(None) => return Ok((Value::NONE, true)),
            Err(raised) => Err(raised),
        },
        _ => vm.call_method_name(receiver, &names().send, std::slice::from_ref(value)),
    };
    match result {
        Ok(value) => Ok((value, false)),
        Err(raised) => {
            let stop = vm.catch(raised, STOP_ITERATION.ty())?;
            let value = stop_iteration_value(&stop);
            *noted = Some(stop);
            Ok((value, true))
        }
    }
}

/// The `StopIteration` with which a step of an asynchronous generator says in CPython that it gave `value`; `None` for any
/// other receiver.
pub fn stop_of_step(vm: &Vm, receiver: &Value, value: &Value) -> Result<Option<Value>> {
    if !async_generator::is_step(receiver.ty()) {
        return Ok(None);
    }
    let args = if value.is_none() { &[][..] } else { std::slice::from_ref(value) };
    vm.instantiate(STOP_ITERATION.ty(), args).map(Some)
}

/// GET_YIELD_FROM_ITER in code with these flags.
pub fn yield_from_iter(vm: &Vm, iterable: &Value, flags: u32) -> Result {
    if iterable.ty().is(&COROUTINE) {
        if flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE) == 0 {
            return Err(vm.type_error("cannot 'yield from' a coroutine object in a non-coroutine generator"));
        }
        return Ok(iterable.clone());
    }
    if iterable.ty().is(&GENERATOR) {
        return Ok(iterable.clone());
    }
    vm.iter(iterable)
}

/// `__del__`: closes what was left suspended.
pub(crate) fn finalize(vm: &Vm, this: &Value) {
    let generator = own(this);
    match generator.state.get() {
        State::Cleared | State::Running => return,
        State::Created if this.ty().is(&COROUTINE) => {
            coroutine::warn_never_awaited(vm, this, generator);
            return generator.clear_frame();
        }
        State::Created if !this.ty().is(&ASYNC_GENERATOR) => return generator.clear_frame(),
        _ => {}
    }
    if this.ty().is(&ASYNC_GENERATOR) {
        let finalizer = generator.finalizer.borrow(&generator.header).clone();
        if let Some(finalizer) = finalizer
            && !generator.closed.get()
        {
            if let Err(raised) = vm.call(&finalizer, std::slice::from_ref(this), None) {
                vm.write_unraisable(raised, "Exception ignored while finalizing generator", this);
            }
            return;
        }
    }
    if let Err(raised) = delegate::close(vm, generator) {
        vm.write_unraisable(raised, "Exception ignored while closing generator", this);
    }
}

/// A tuple of values as an object.
fn tuple(items: Vec<Value>) -> Value {
    Tuple::from_vec(items).into_value()
}

const _: () = assert!(size_of::<Generator>() % 8 == 0);
