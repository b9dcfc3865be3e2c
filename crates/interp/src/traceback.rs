//! `traceback`: the frames that an exception passed.

pub mod dump;

use std::cell::Cell;

use taipan_object::builtins::list::List;
use taipan_object::cell::ObjectCell;
use taipan_object::exceptions;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Ref, Result, Value, Vm};

use crate::frame::Frame;
use crate::frame_object::{self, FrameObject};

/// One frame of a traceback.
#[repr(C)]
pub struct Traceback {
    pub header: Header,
    /// The next inner frame's, or None.
    next: ObjectCell<Value>,
    pub frame: Value,
    pub lasti: i32,
    /// −1: to be found from `lasti`.
    lineno: Cell<i32>,
}

// SAFETY: repr(C), header first, visits both references.
unsafe impl Payload for Traceback {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        TRACEBACK.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        visit(unsafe { &*self.next.as_ptr() });
        visit(&self.frame);
    }
    fn clear(&self) {
        let old = std::mem::replace(&mut *self.next.borrow(&self.header), Value::NONE);
        drop(old);
    }
}

pub static TRACEBACK: TypeSpec = TypeSpec::new::<Traceback>("traceback")
    .doc(
        "traceback(tb_next, tb_frame, tb_lasti, tb_lineno)\n\
        --\n\n\
        A place in the code that an exception passed, and the link to the next one.",
    )
    .slots(|s| s.new = Some(|vm, _, args, kwnames| construct(vm, args, kwnames)))
    .methods(METHODS)
    .members(&[
        MemberDef::new("tb_frame", "", |_, this| Ok(own(this).frame.clone())),
        MemberDef::new("tb_lasti", "", |_, this| Ok(Value::from(own(this).lasti))),
    ])
    .getset(&[
        GetSetDef::new("tb_next", "", |_, this| Ok(own(this).next())).setter(set_next),
        GetSetDef::new("tb_lineno", "", |_, this| Ok(own(this).lineno().map_or(Value::NONE, Value::from))),
    ]);

taipan_object::method_table! {
    static METHODS = [MethodDef::new("__dir__($self, /)", "", |_, _, _| {
        let names = ["tb_frame", "tb_next", "tb_lasti", "tb_lineno"];
        Ok(List::from_vec(names.iter().map(|name| crate::function::name(name)).collect()).into_value())
    })];
}

fn own(this: &Value) -> &Traceback {
    this.downcast::<Traceback>().expect("called through its own slot")
}

impl Traceback {
    pub fn next(&self) -> Value {
        self.next.borrow(&self.header).clone()
    }

    pub fn lineno(&self) -> Option<i32> {
        if self.lineno.get() != -1 {
            return Some(self.lineno.get());
        }
        let frame = self.frame.downcast::<FrameObject>()?;
        frame.code().lineno_of_unit((self.lasti / 2) as u32)
    }
}

fn new(next: Value, frame: Value, lasti: i32, lineno: i32) -> Value {
    Ref::new(Traceback {
        header: Header::new(TRACEBACK.ty()),
        next: ObjectCell::new(next),
        frame,
        lasti,
        lineno: Cell::new(lineno),
    })
    .into_value()
}

/// A traceback of `frame` where it is, followed by `next`.
///
/// # Safety
/// The frame is alive.
pub(crate) unsafe fn new_here(vm: &Vm, frame: *mut Frame, next: Value) -> Value {
    // SAFETY: by contract.
    unsafe {
        let lasti = (*frame).lasti();
        new(next, frame_object::of_frame(vm, frame), lasti, -1)
    }
}

/// Adds `frame`, which is at bytecode unit `unit`, to the traceback of the exception in flight.
///
/// # Safety
/// The frame is alive, an exception is in flight.
pub(crate) unsafe fn here(vm: &Vm, frame: *mut Frame, unit: u32) {
    let exception = vm.take(vm.raised());
    let next = exceptions::take_traceback(&exception);
    // SAFETY: by contract.
    let traceback = new(next, unsafe { frame_object::kept_of_frame(vm, frame) }, unit as i32 * 2, -1);
    exceptions::set_traceback(&exception, traceback);
    let _ = vm.set_exception(exception);
}

/// Gives an exception that has passed no frame the running one as its place.
pub fn place_here(vm: &Vm, exception: &Value) {
    if exceptions::traceback(exception).is_none()
        && let Some(frame) = crate::frame::Interp::of(vm).current_frame()
    {
        // SAFETY: the running frame is alive.
        let traceback = unsafe { new_here(vm, std::ptr::from_ref(frame).cast_mut(), Value::NONE) };
        exceptions::set_traceback(exception, traceback);
    }
}

/// Adds an entry for code that has no frame (a file that could not be compiled, a native callback).
pub fn add_entry(frame: Value, lasti: i32, lineno: i32, next: Value) -> Value {
    new(next, frame, lasti, lineno)
}

fn check_next(vm: &Vm, value: &Value) -> Result<()> {
    if !value.is_none() && value.downcast::<Traceback>().is_none() {
        let name = value.ty().name();
        return Err(vm.type_error(format!("expected traceback object or None, got '{name}'")));
    }
    Ok(())
}

fn set_next(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let Some(value) = value else { return Err(vm.type_error("can't delete tb_next attribute")) };
    check_next(vm, value)?;
    let mut at = value.clone();
    while let Some(traceback) = at.downcast_ref::<Traceback>() {
        if at.is(this) {
            return Err(vm.value_error("traceback loop detected"));
        }
        at = traceback.next();
    }
    let traceback = own(this);
    let old = std::mem::replace(&mut *traceback.next.borrow(&traceback.header), value.clone());
    drop(old);
    Ok(())
}

/// `traceback(tb_next, tb_frame, tb_lasti, tb_lineno)`.
fn construct(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    const NAMES: [&str; 4] = ["tb_next", "tb_frame", "tb_lasti", "tb_lineno"];
    let names: Vec<Value> = kwnames.map_or(Ok(Vec::new()), |names| vm.collect(names))?;
    let positional = args.len() - names.len();
    if args.len() > 4 {
        return Err(vm.type_error(format!("traceback() takes at most 4 arguments ({} given)", args.len())));
    }
    let mut given: [Option<&Value>; 4] = [None; 4];
    for (slot, value) in given.iter_mut().zip(&args[..positional]) {
        *slot = Some(value);
    }
    for (name, value) in names.iter().zip(&args[positional..]) {
        let text = vm.display_name(name);
        match NAMES.iter().position(|known| *known == text) {
            Some(at) if at >= positional => given[at] = Some(value),
            _ => return Err(vm.type_error(format!("traceback() got an unexpected keyword argument '{text}'"))),
        }
    }
    for (at, value) in given.iter().enumerate() {
        if value.is_none() {
            let name = NAMES[at];
            let message = format!("traceback() missing required argument '{name}' (pos {})", at + 1);
            return Err(vm.type_error(message));
        }
    }
    let [Some(next), Some(frame), Some(lasti), Some(lineno)] = given else { unreachable!("just checked") };
    if frame.downcast::<FrameObject>().is_none() {
        let name = frame.ty().name();
        return Err(vm.type_error(format!("traceback() argument 'tb_frame' must be frame, not {name}")));
    }
    let (lasti, lineno) = (vm.index_i32(lasti)?, vm.index_i32(lineno)?);
    check_next(vm, next)?;
    Ok(new(next.clone(), frame.clone(), lasti, lineno))
}

/// The traceback of a failed import without the entries of `importlib` (`remove_importlib_frames`): all of them with
/// `always`, else chunks that end in `_call_with_frames_removed`.
pub fn without_importlib(traceback: &Value, always: bool) -> Value {
    let mut entries: Vec<Value> = Vec::new();
    let mut at = traceback.clone();
    while let Some(entry) = at.downcast_ref::<Traceback>() {
        at = entry.next();
        entries.push(entry.into_value());
    }
    let place = |entry: &Value| {
        let frame = entry.downcast::<Traceback>().and_then(|entry| entry.frame.downcast::<FrameObject>());
        frame.map(|frame| (frame.code().data.filename.clone(), frame.code().data.name.clone()))
    };
    let is_importlib = |entry: &Value| {
        place(entry).is_some_and(|(file, _)| {
            matches!(
                file.as_str(),
                Some(
                    "<frozen importlib._bootstrap>"
                        | "<frozen importlib._bootstrap_external>"
                        | "<frozen _taipan_importer>"
                )
            )
        })
    };
    let mut kept: Vec<Value> = Vec::new();
    let mut chunk: Vec<Value> = Vec::new();
    for entry in entries {
        if is_importlib(&entry) {
            let removes = place(&entry).is_some_and(|(_, name)| name.as_str() == Some("_call_with_frames_removed"));
            chunk.push(entry);
            if always || removes {
                chunk.clear();
            }
        } else {
            kept.append(&mut chunk);
            kept.push(entry);
        }
    }
    kept.append(&mut chunk);
    let mut next = Value::NONE;
    for entry in kept.into_iter().rev() {
        if let Some(traceback) = entry.downcast::<Traceback>() {
            let old = std::mem::replace(&mut *traceback.next.borrow(&traceback.header), next);
            drop(old);
        }
        next = entry;
    }
    next
}
