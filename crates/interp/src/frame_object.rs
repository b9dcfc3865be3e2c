//! `frame`: a frame as Python sees it, made only when someone asks.
//!
//! The object points to the live [`Frame`]. When that ends first, its locals pass to the object ([`take_over`]), which from
//! then on points to a copy of its own. There is room for the locals behind the object, unless they are many. `locals.rs`
//! has `f_locals`.

mod locals;

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr;

use taipan_bytecode::code::{CO_FAST_CELL, CO_FAST_FREE, CO_OPTIMIZED};
use taipan_object::builtins::cell::Cell as CellObject;
use taipan_object::builtins::dict::Dict;
use taipan_object::cell::ObjectCell;
use taipan_object::count::refcount;
use taipan_object::header::Header;
use taipan_object::heap::{self, Kind};
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor, allocate, to_value};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

use crate::code::Code;
use crate::frame::{FRAME_GENERATOR, FRAME_SEEN, Frame, is_pointer, release, retain};
use crate::generator::Generator;

pub use locals::FRAME_LOCALS_PROXY;

/// A frame object.
#[repr(C)]
pub struct FrameObject {
    pub header: Header,
    frame: Cell<*mut Frame>,
    /// The frame after its call is over; not initialised before.
    own: UnsafeCell<MaybeUninit<Frame>>,
    is_over: Cell<bool>,
    /// The locals of the frame that is over, if they are more than [`FEW_LOCALS`].
    many_locals: UnsafeCell<Box<[u64]>>,
    back: ObjectCell<Option<Value>>,
    trace: ObjectCell<Option<Value>>,
    pub trace_lines: Cell<bool>,
    pub trace_opcodes: Cell<bool>,
    /// The frame has a reference to this object.
    kept: Cell<bool>,
    /// `f_lineno` as set by a trace function; 0: by the position.
    pub lineno: Cell<i32>,
    /// Values of locals that were replaced through `f_locals` while the frame may still have them borrowed.
    overwritten: ObjectCell<Vec<Value>>,
    /// Names set through `f_locals` that are no locals.
    extra_locals: ObjectCell<Option<Ref<Dict>>>,
}

// SAFETY: repr(C), header first. What a live frame holds counts as referenced from outside.
unsafe impl Payload for FrameObject {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        FRAME.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world; words of the own copy are owned.
        unsafe {
            (*self.back.as_ptr()).iter().chain(&*self.trace.as_ptr()).for_each(&mut *visit);
            (*self.overwritten.as_ptr()).iter().for_each(&mut *visit);
            (*self.extra_locals.as_ptr()).iter().for_each(|dict| visit(dict.as_value()));
            if self.is_over() {
                let frame = self.frame();
                let locals = std::slice::from_raw_parts(frame.regs, frame.code().nlocalsplus());
                for word in [frame.function, frame.namespace].iter().chain(locals) {
                    if *word != 0 {
                        visit(Value::borrow_word(word));
                    }
                }
            }
        }
    }
    fn clear(&self) {
        self.clear_own_locals();
        let trace = self.trace.borrow(&self.header).take();
        let overwritten = std::mem::take(&mut *self.overwritten.borrow(&self.header));
        let extra = self.extra_locals.borrow(&self.header).take();
        drop((trace, overwritten, extra));
    }
}

impl Drop for FrameObject {
    fn drop(&mut self) {
        self.clear_own_locals();
        // SAFETY: the own copy owns its words; without one the frame is alive.
        unsafe {
            if self.is_over() {
                let (function, namespace) = (self.frame().function, self.frame().namespace);
                release(namespace);
                release(function);
            } else {
                (*self.frame.get()).object = 0;
            }
        }
    }
}

pub static FRAME: TypeSpec = TypeSpec::new::<FrameObject>("frame")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.repr = Some(|vm, this| {
            let frame = own(this);
            let code = frame.code();
            let file = Value::from(code.data.filename.to_str_lossy().into_owned());
            let (file, name) = (vm.repr_string(&file)?, code.data.name.to_str_lossy());
            let line = frame.lineno().map_or("None".to_string(), |line| line.to_string());
            Ok(Value::from(format!("<frame at {:#x}, file {file}, line {line}, code {name}>", this.id())))
        });
    })
    .methods(METHODS)
    .members(&[MemberDef::new("f_trace_lines", "", |_, this| Ok(Value::bool(own(this).trace_lines.get()))).setter(
        |vm, this, value| {
            own(this).trace_lines.set(truth(vm, value)?);
            Ok(())
        },
    )])
    .getset(&[
        GetSetDef::new("f_back", "Return the previous frame.", |vm, this| {
            Ok(own(this).back(vm).unwrap_or(Value::NONE))
        }),
        GetSetDef::new(
            "f_locals",
            "\
            The local variables: a mapping through which they can also be changed.",
            |_, this| Ok(locals::f_locals(this)),
        ),
        GetSetDef::new("f_lineno", "The line being executed, or None.", |_, this| {
            Ok(own(this).lineno().map_or(Value::NONE, Value::from))
        })
        .setter(|vm, this, value| crate::monitoring::set_lineno(vm, own(this), value)),
        GetSetDef::new("f_trace", "The function that traces this frame, or None.", |_, this| {
            Ok(own(this).trace().unwrap_or(Value::NONE))
        })
        .setter(|_, this, value| {
            own(this).set_trace(value.filter(|value| !value.is_none()).cloned());
            Ok(())
        }),
        GetSetDef::new("f_lasti", "The offset in bytes of the instruction executed last.", |_, this| {
            Ok(Value::from(own(this).frame().lasti()))
        }),
        GetSetDef::new("f_globals", "The global variables, a dictionary.", |_, this| {
            Ok(own(this).frame().function().globals.as_value().clone())
        }),
        GetSetDef::new("f_builtins", "The built-in names, a dictionary.", |_, this| {
            Ok(own(this).frame().function().builtins.as_value().clone())
        }),
        GetSetDef::new("f_code", "The code object being executed.", |_, this| Ok(to_value(own(this).code()))),
        GetSetDef::new("f_trace_opcodes", "Whether trace functions are called for every instruction.", |_, this| {
            Ok(Value::bool(own(this).trace_opcodes.get()))
        })
        .setter(|vm, this, value| {
            if value.is_none() {
                let message = "attribute 'f_trace_opcodes' of 'frame' objects cannot be deleted";
                return Err(vm.attribute_error(message));
            }
            let traced = truth(vm, value)?;
            if traced {
                crate::monitoring::trace_opcodes();
            }
            own(this).trace_opcodes.set(traced);
            Ok(())
        }),
        GetSetDef::new("f_generator", "The generator or coroutine to which the frame belongs, or None.", |_, this| {
            let frame = own(this).frame();
            if frame.flags & FRAME_GENERATOR == 0 || own(this).is_over() {
                return Ok(Value::NONE);
            }
            // SAFETY: the frame is a live generator's.
            Ok(to_value(unsafe { Generator::of_frame(frame) }))
        }),
    ]);

fn own(this: &Value) -> &FrameObject {
    this.downcast::<FrameObject>().expect("called through its own slot")
}

fn truth(vm: &Vm, value: Option<&Value>) -> Result<bool> {
    match value {
        Some(value) if value.is_bool() => Ok(value.is_true()),
        Some(_) => Err(vm.type_error("attribute value type must be bool")),
        None => Err(vm.type_error("can't delete numeric/char attribute")),
    }
}

/// So many locals have their place behind the object.
const FEW_LOCALS: usize = 32;

/// The frame object of a live frame.
///
/// # Safety
/// The frame is alive and complete.
pub(crate) unsafe fn of_frame(_vm: &Vm, frame: *mut Frame) -> Value {
    // SAFETY: by contract.
    unsafe { object_of(frame) }
}

/// # Safety
/// As of [`of_frame`].
unsafe fn object_of(frame: *mut Frame) -> Value {
    // SAFETY: by contract; a non-zero `object` is a live frame object. The new object has room for few locals.
    unsafe {
        if (*frame).object != 0 {
            return to_value(&*((*frame).object as *const FrameObject));
        }
        let locals = Some((*frame).code().nlocalsplus()).filter(|count| *count <= FEW_LOCALS).unwrap_or(0);
        let ty = FRAME.ty();
        let Some(block) = allocate(ty, size_of::<FrameObject>() + locals * size_of::<u64>()) else {
            heap::out_of_memory()
        };
        block.as_ptr().cast::<FrameObject>().write(FrameObject {
            header: Header::new(ty),
            frame: Cell::new(frame),
            own: UnsafeCell::new(MaybeUninit::uninit()),
            is_over: Cell::new(false),
            many_locals: UnsafeCell::new(Box::new([])),
            back: ObjectCell::new(None),
            trace: ObjectCell::new(None),
            trace_lines: Cell::new(true),
            trace_opcodes: Cell::new(false),
            kept: Cell::new(false),
            lineno: Cell::new(0),
            overwritten: ObjectCell::new(Vec::new()),
            extra_locals: ObjectCell::new(None),
        });
        let object = Value::from_object_pointer(block.cast());
        (*frame).object = object.word();
        (*frame).flags |= FRAME_SEEN;
        object
    }
}

/// As [`of_frame`], for a frame that is likely to be asked for its object again: the object lives as long as the frame.
///
/// # Safety
/// The frame is alive and complete.
pub(crate) unsafe fn kept_of_frame(vm: &Vm, frame: *mut Frame) -> Value {
    // SAFETY: by contract; the value is that of the frame's object.
    unsafe {
        let object = of_frame(vm, frame);
        (*(object.word() as *const FrameObject)).keep();
        object
    }
}

/// Whether the frame's object says that opcodes are traced.
///
/// # Safety
/// The frame is alive.
pub(crate) unsafe fn wants_opcodes(frame: *mut Frame) -> bool {
    // SAFETY: by contract; a non-zero `object` is a live frame object.
    unsafe { (*frame).object != 0 && (*((*frame).object as *const FrameObject)).trace_opcodes.get() }
}

/// The frame moved: its object is to follow.
///
/// # Safety
/// `object` is the word of the frame's object.
pub(crate) unsafe fn retarget(object: u64, frame: *mut Frame) {
    // SAFETY: by contract.
    unsafe { (*(object as *const FrameObject)).frame.set(frame) };
}

/// The frame ends: its locals pass to its object. The frame keeps its function and namespace. An object to which only the
/// frame refers ends instead: then the result is false, and the locals are still the frame's.
///
/// # Safety
/// The frame is alive and has an object.
pub(crate) unsafe fn take_over(frame: *mut Frame) -> bool {
    // SAFETY: by contract; each local's reference moves once.
    unsafe {
        let object = &*((*frame).object as *const FrameObject);
        if object.kept.get() && refcount(&object.header) == 1 {
            let kept = object.take_kept();
            drop(kept);
            return false;
        }
        let count = (*frame).code().nlocalsplus();
        let words = if count <= FEW_LOCALS {
            ((*frame).object as *mut FrameObject).add(1).cast::<u64>()
        } else {
            let many = &mut *object.many_locals.get();
            *many = vec![0; count].into_boxed_slice();
            many.as_mut_ptr()
        };
        for at in 0..count {
            let word = std::mem::replace(&mut *(*frame).regs.add(at), 0);
            let borrowed = at < 32 && (*frame).borrowed >> at & 1 != 0;
            words.add(at).write(if borrowed { retain(word) } else { word });
        }
        let own = (*object.own.get()).write(Frame {
            regs: words,
            pc: (*frame).pc,
            code: (*frame).code,
            previous: ptr::null_mut(),
            function: retain((*frame).function),
            namespace: retain((*frame).namespace),
            object: (*frame).object,
            top: ptr::null_mut(),
            borrowed: 0,
            flags: (*frame).flags,
            resume: ptr::null(),
        });
        (*frame).borrowed = 0;
        (*frame).object = 0;
        // As in CPython a generator that is over is nobody's callee.
        let back = match (*frame).previous {
            previous if previous.is_null() || (*frame).flags & FRAME_GENERATOR != 0 => None,
            previous => Some(object_of(previous)),
        };
        object.frame.set(own);
        object.is_over.set(true);
        let old = std::mem::replace(&mut *object.back.borrow(&object.header), back);
        drop(old);
        let overwritten = std::mem::take(&mut *object.overwritten.borrow(&object.header));
        let kept = object.take_kept();
        drop(overwritten);
        drop(kept);
    }
    true
}

impl FrameObject {
    pub fn frame(&self) -> &Frame {
        // SAFETY: either the live frame, which would have cleared the pointer by taking over, or the own copy.
        unsafe { &*self.frame.get() }
    }

    pub fn frame_pointer(&self) -> *mut Frame {
        self.frame.get()
    }

    pub fn code(&self) -> &Code {
        self.frame().code()
    }

    /// Whether the call is over.
    pub fn is_over(&self) -> bool {
        self.is_over.get()
    }

    pub fn lineno(&self) -> Option<i32> {
        match self.lineno.get() {
            0 => self.frame().lineno(),
            line => Some(line),
        }
    }

    pub fn trace(&self) -> Option<Value> {
        self.trace.borrow(&self.header).clone()
    }

    /// Sets `f_trace`. An object that has a trace function lives as long as its frame.
    pub fn set_trace(&self, trace: Option<Value>) {
        let keep = trace.is_some() && !self.is_over();
        let old = std::mem::replace(&mut *self.trace.borrow(&self.header), trace);
        if keep {
            self.keep();
        }
        drop(old);
    }

    /// Lets the object live as long as its frame, which is not over.
    fn keep(&self) {
        if !self.kept.replace(true) {
            std::mem::forget(to_value(self));
        }
    }

    /// The reference that the frame has to its object, if it has one.
    fn take_kept(&self) -> Option<Value> {
        // SAFETY: `set_trace` left the reference to be ended here, once.
        self.kept.replace(false).then(|| unsafe { Value::from_word(self as *const FrameObject as u64) })
    }

    /// `f_back`.
    pub fn back(&self, vm: &Vm) -> Option<Value> {
        if self.is_over() {
            return self.back.borrow(&self.header).clone();
        }
        let frame = self.frame();
        if frame.flags & FRAME_GENERATOR != 0 {
            // SAFETY: the frame is a live generator's.
            let generator = unsafe { Generator::of_frame(frame) };
            if !generator.is_running() {
                return None;
            }
        }
        let previous = frame.previous;
        // SAFETY: the previous frame of a live frame is alive.
        if previous.is_null() { None } else { Some(unsafe { of_frame(vm, previous) }) }
    }

    /// The value of local `index`, that of its cell if it is one; None if unbound.
    pub(crate) fn local(&self, index: usize) -> Option<Value> {
        local_value(self.frame(), index)
    }

    /// Sets local `index` or the content of its cell.
    pub(crate) fn set_local(&self, index: usize, value: Value) {
        let frame = self.frame.get();
        // SAFETY: the index is in range; the old value may still be borrowed by the running code, so it is kept.
        unsafe {
            let kind = (*frame).code().data.localspluskinds[index];
            let slot = (*frame).regs.add(index);
            if kind & (CO_FAST_CELL | CO_FAST_FREE) != 0
                && is_pointer(*slot)
                && let Some(cell) = Value::borrow_word(&*slot).downcast_exact::<CellObject>()
            {
                return cell.set(Some(value));
            }
            let old = std::mem::replace(&mut *slot, value.into_word());
            if index < 32 && (*frame).borrowed >> index & 1 != 0 {
                (*frame).borrowed &= !(1 << index);
            } else if old != 0 {
                let old = Value::from_word(old);
                if self.is_over() {
                    drop(old);
                } else {
                    self.overwritten.borrow(&self.header).push(old);
                    self.keep();
                }
            }
        }
    }

    fn clear_own_locals(&self) {
        // SAFETY: the own copy owns its words; each is null before it is released.
        unsafe {
            if self.is_over() {
                for at in (0..self.code().nlocalsplus()).rev() {
                    release(std::mem::replace(&mut *self.frame().regs.add(at), 0));
                }
            }
        }
    }
}

/// The value of a frame's local, that of its cell if it is one.
pub(crate) fn local_value(frame: &Frame, index: usize) -> Option<Value> {
    let value = frame.local(index)?;
    let kind = frame.code().data.localspluskinds[index];
    if kind & (CO_FAST_CELL | CO_FAST_FREE) != 0
        && let Some(cell) = value.downcast_exact::<CellObject>()
    {
        return cell.get();
    }
    Some(value)
}

/// `locals()` of a frame: the namespace, or a new dict of the bound locals.
pub fn snapshot(vm: &Vm, frame: &Frame) -> Result {
    if shows_namespace(frame) {
        // SAFETY: the frame owns its namespace.
        return Ok(unsafe { Value::borrow_word(&frame.namespace) }.clone());
    }
    let dict = Dict::new();
    for (index, name) in frame.code().localsplusnames().iter().enumerate() {
        if let Some(value) = local_value(frame, index) {
            dict.set(vm, name, value)?;
        }
    }
    if frame.object != 0 {
        // SAFETY: a non-zero `object` is a live frame object.
        let object = unsafe { &*(frame.object as *const FrameObject) };
        let extra = object.extra_locals.borrow(&object.header).clone();
        for (name, value) in extra.iter().flat_map(|extra| extra.items()) {
            dict.set(vm, &name, value)?;
        }
    }
    Ok(dict.into_value())
}

/// Whether the locals are those in the namespace: of module or class code, unless a comprehension is running in it, whose
/// variables are all there is to see then.
fn shows_namespace(frame: &Frame) -> bool {
    let kinds = &frame.code().data.localspluskinds;
    let hidden = |at: usize| kinds[at] & taipan_bytecode::code::CO_FAST_HIDDEN != 0 && frame.local(at).is_some();
    !frame.code().has_flag(CO_OPTIMIZED) && frame.namespace != 0 && !(0..frame.code().nlocalsplus()).any(hidden)
}

/// `frame.clear()`.
fn clear_method(vm: &Vm, object: &FrameObject) -> Result {
    if object.is_over() {
        object.clear_own_locals();
        return Ok(Value::NONE);
    }
    let frame = object.frame();
    if frame.flags & FRAME_GENERATOR == 0 {
        return Err(vm.runtime_error("cannot clear an executing frame"));
    }
    // SAFETY: the frame is a live generator's.
    let generator = unsafe { Generator::of_frame(frame) };
    if generator.is_running() {
        return Err(vm.runtime_error("cannot clear an executing frame"));
    }
    if generator.is_suspended() {
        return Err(vm.runtime_error("cannot clear a suspended frame"));
    }
    crate::generator::finalize(vm, &to_value(generator));
    generator.clear();
    object.clear_own_locals();
    Ok(Value::NONE)
}

taipan_object::method_table! {
    static METHODS = [
        taipan_object::builtins::object::methods::size_of_method("\
            Give the number of bytes of memory that the frame takes."),
        MethodDef::new("clear($self, /)", "\
            Drop the local variables; RuntimeError is raised while the frame runs.", |vm, this, _| {
        clear_method(vm, own(this))
    })];
}
