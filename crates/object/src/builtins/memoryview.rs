//! `memoryview`: representation, construction and release; `memoryview/` has indexing, items and methods.
//!
//! A view shares the exported [`Buffer`] with the views made from it, through a [`ManagedBuffer`]. The buffer is released
//! with the last of them.

use crate::buffer::{Buffer, Dimensions, buffer_flags};
use crate::cell::ObjectCell;
use crate::count;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::signature::Signature;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};
use std::borrow::Cow;
use std::sync::LazyLock;

pub mod cast;
pub mod compare;
pub mod index;
pub mod items;
pub mod iterator;
pub mod methods;

pub const MAX_DIMENSIONS: usize = 64;

/// The buffer that views share.
#[repr(C)]
pub struct ManagedBuffer {
    pub header: Header,
    /// `None` once released.
    buffer: ObjectCell<Option<Buffer>>,
}

// SAFETY: repr(C), header first, visits the exporter.
unsafe impl Payload for ManagedBuffer {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        MANAGED_BUFFER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(buffer) = unsafe { &*self.buffer.as_ptr() } {
            visit(&buffer.owner);
        }
    }
}

pub static MANAGED_BUFFER: TypeSpec =
    TypeSpec::new::<ManagedBuffer>("managedbuffer").flags(type_flags::DISALLOW_INSTANTIATION);

/// A view.
#[repr(C)]
pub struct MemoryView {
    pub header: Header,
    pub(crate) state: ObjectCell<State>,
}

/// What a view shows.
#[derive(Clone)]
pub(crate) struct Layout {
    /// The first element.
    pub pointer: *mut u8,
    /// Bytes: the product of the shape and the item size.
    pub length: usize,
    pub readonly: bool,
    pub itemsize: usize,
    pub format: Cow<'static, str>,
    pub shape: Dimensions,
    pub strides: Dimensions,
}

pub(crate) struct State {
    /// `None` once released.
    managed: Option<Ref<ManagedBuffer>>,
    layout: Layout,
    /// Buffers exported from this view.
    exports: usize,
    hash: Option<i64>,
}

// SAFETY: the memory is reached under the same rules as its owner's.
unsafe impl Send for State {}

// SAFETY: repr(C), header first, visits the managed buffer.
unsafe impl Payload for MemoryView {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        MEMORYVIEW.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(managed) = unsafe { &(*self.state.as_ptr()).managed } {
            visit(managed.as_value());
        }
    }
    fn clear(&self) {
        let mut state = self.state.borrow(&self.header);
        let released = if state.exports == 0 { state.managed.take() } else { None };
        drop(state);
        drop(released);
    }
}

pub static MEMORYVIEW: TypeSpec = TypeSpec::new::<MemoryView>("memoryview")
    .itemsize(8)
    .doc("memoryview(object)\n--\n\nA view of the memory of an object that supports the buffer protocol.")
    .flags(type_flags::SEQUENCE | type_flags::HAS_WEAKREF)
    .slots(methods::slots)
    .methods(methods::METHODS)
    .getset(methods::GETSET);

impl Layout {
    fn of(buffer: &Buffer) -> Layout {
        Layout {
            pointer: buffer.pointer,
            length: buffer.length,
            readonly: buffer.readonly,
            itemsize: buffer.itemsize,
            format: buffer.format.clone(),
            shape: buffer.shape.clone(),
            strides: buffer.strides.clone(),
        }
    }

    pub fn dimensions(&self) -> usize {
        self.shape.len()
    }

    /// Whether the elements, of one dimension, follow each other.
    pub fn is_plain(&self) -> bool {
        matches!((&self.shape[..], &self.strides[..]), ([length], [stride]) if *length <= 1 || *stride == self.itemsize as isize)
    }

    /// The layout as a buffer of `owner`, for its helpers; nothing is released at its end.
    pub fn as_buffer(&self, owner: &Value) -> Buffer {
        Buffer {
            owner: owner.clone(),
            pointer: self.pointer,
            length: self.length,
            readonly: self.readonly,
            itemsize: self.itemsize,
            format: self.format.clone(),
            shape: self.shape.clone(),
            strides: self.strides.clone(),
            release: None,
        }
    }

    /// Sets the length from the shape.
    pub fn update_length(&mut self) {
        self.length = self.shape.iter().product::<isize>() as usize * self.itemsize;
    }
}

pub(crate) fn own(this: &Value) -> &MemoryView {
    this.downcast::<MemoryView>().expect("called on a memoryview")
}

/// See [`MemoryView::hold`].
pub(crate) struct Hold<'a>(&'a MemoryView);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.state.borrow(&self.0.header).exports -= 1;
    }
}

impl MemoryView {
    pub(crate) fn with_layout(managed: Ref<ManagedBuffer>, layout: Layout) -> Value {
        let state = State { managed: Some(managed), layout, exports: 0, hash: None };
        Ref::new(MemoryView { header: Header::new(MEMORYVIEW.ty()), state: ObjectCell::new(state) }).into_value()
    }

    /// A view of a buffer.
    pub fn from_buffer(buffer: Buffer) -> Value {
        let layout = Layout::of(&buffer);
        let buffer = ObjectCell::new(Some(buffer));
        let managed = Ref::new(ManagedBuffer { header: Header::new(MANAGED_BUFFER.ty()), buffer });
        Self::with_layout(managed, layout)
    }

    /// The layout; `ValueError` once the view is released.
    pub(crate) fn layout(&self, vm: &Vm) -> Result<Layout> {
        let state = self.state.borrow(&self.header);
        if state.managed.is_none() {
            drop(state);
            return Err(vm.value_error("operation forbidden on released memoryview object"));
        }
        Ok(state.layout.clone())
    }

    /// What `read` makes of the bytes, if they follow each other in one dimension. It runs no Python code.
    pub(crate) fn read_plain<R>(&self, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let state = self.state.borrow(&self.header);
        if state.managed.is_none() || !state.layout.is_plain() {
            return None;
        }
        let data: &[u8] = match state.layout.length {
            0 => &[],
            // SAFETY: the buffer that is still managed has the elements that the layout describes.
            length => unsafe { std::slice::from_raw_parts(state.layout.pointer, length) },
        };
        Some(read(data))
    }

    /// Another view of the same buffer.
    pub(crate) fn sibling(&self, vm: &Vm, layout: Layout) -> Result {
        let managed = self.state.borrow(&self.header).managed.clone();
        match managed {
            Some(managed) => Ok(Self::with_layout(managed, layout)),
            None => Err(vm.value_error("operation forbidden on released memoryview object")),
        }
    }

    /// Keeps the view from being released as long as the result lives.
    pub(crate) fn hold(&self) -> Hold<'_> {
        self.state.borrow(&self.header).exports += 1;
        Hold(self)
    }

    /// The buffer that the view and its siblings share; `ValueError` once the view is released.
    pub(crate) fn managed(&self, vm: &Vm) -> Result<Ref<ManagedBuffer>> {
        let managed = self.state.borrow(&self.header).managed.clone();
        managed.ok_or_else(|| vm.value_error("operation forbidden on released memoryview object"))
    }

    /// `view.obj`
    pub(crate) fn object(&self) -> Value {
        let managed = self.state.borrow(&self.header).managed.clone();
        let Some(managed) = managed else { return Value::NONE };
        let owner = managed.buffer.borrow(&managed.header).as_ref().map(|buffer| buffer.owner.clone());
        owner.unwrap_or(Value::NONE)
    }

    pub(crate) fn is_released(&self) -> bool {
        self.state.borrow(&self.header).managed.is_none()
    }

    /// `view.release()`
    pub fn release(&self, vm: &Vm) -> Result<()> {
        let mut state = self.state.borrow(&self.header);
        let exports = state.exports;
        if exports > 0 {
            drop(state);
            let plural = if exports == 1 { "" } else { "s" };
            return Err(vm.buffer_error(format!("memoryview has {exports} exported buffer{plural}")));
        }
        let managed = state.managed.take();
        drop(state);
        drop(managed);
        Ok(())
    }

    /// The hash that was computed before, and a place to keep it.
    pub(crate) fn hash_cell(&self, new: Option<i64>) -> Option<i64> {
        let mut state = self.state.borrow(&self.header);
        if new.is_some() {
            state.hash = new;
        }
        state.hash
    }
}

/// `memoryview(object)`
pub fn from_object(vm: &Vm, object: &Value) -> Result {
    from_object_flags(vm, object, buffer_flags::FULL_RO)
}

fn from_object_flags(vm: &Vm, object: &Value, flags: u32) -> Result {
    if let Some(view) = object.downcast::<MemoryView>() {
        let layout = view.layout(vm)?;
        return view.sibling(vm, layout);
    }
    if !vm.has_buffer(object) {
        let name = object.ty().name();
        return Err(vm.type_error(format!("memoryview: a bytes-like object is required, not '{name}'")));
    }
    let buffer = vm.get_buffer(object, flags)?;
    if buffer.shape.len() > MAX_DIMENSIONS {
        return Err(vm.value_error(format!("memoryview: number of dimensions must not exceed {MAX_DIMENSIONS}")));
    }
    Ok(MemoryView::from_buffer(buffer))
}

fn new(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    static SIGNATURE: LazyLock<Signature> = LazyLock::new(|| Signature::parse("memoryview(object)"));
    let bound = SIGNATURE.bind(vm, args, kwnames)?;
    from_object(vm, &bound[0])
}

/// The buffer slot: a view's memory, under a request's conditions.
fn export(vm: &Vm, this: &Value, flags: u32) -> Result<Buffer> {
    let view = own(this);
    if let Some(buffer) = export_plain(view, this, flags) {
        return Ok(buffer);
    }
    let mut buffer = view.layout(vm)?.as_buffer(this);
    let wants = |flag: u32| flags & flag == flag;
    let fail = |message: &str| Err(vm.buffer_error(format!("memoryview: {message}")));
    if wants(buffer_flags::WRITABLE) && buffer.readonly {
        return fail("underlying buffer is not writable");
    }
    if wants(buffer_flags::C_CONTIGUOUS) && !buffer.is_c_contiguous() {
        return fail("underlying buffer is not C-contiguous");
    }
    if wants(buffer_flags::F_CONTIGUOUS) && !buffer.is_f_contiguous() {
        return fail("underlying buffer is not Fortran contiguous");
    }
    if wants(buffer_flags::ANY_CONTIGUOUS) && !buffer.is_c_contiguous() && !buffer.is_f_contiguous() {
        return fail("underlying buffer is not contiguous");
    }
    if !wants(buffer_flags::STRIDES) && !buffer.is_c_contiguous() {
        return fail("underlying buffer is not C-contiguous");
    }
    if !wants(buffer_flags::ND) {
        if wants(buffer_flags::FORMAT) {
            return fail("cannot cast to unsigned bytes if the format flag is present");
        }
        // Without a shape the buffer is plain bytes.
        buffer.itemsize = 1;
        buffer.shape = Dimensions::from_slice(&[buffer.length as isize]);
        buffer.strides = Dimensions::from_slice(&[1]);
    }
    if !wants(buffer_flags::FORMAT) {
        buffer.format = Cow::Borrowed("B");
    }
    view.state.borrow(&view.header).exports += 1;
    buffer.release = Some(end_export);
    Ok(buffer)
}

/// [`export`] of plain bytes, if it is them that are asked for and there.
fn export_plain(view: &MemoryView, this: &Value, flags: u32) -> Option<Buffer> {
    let mut state = view.state.borrow(&view.header);
    let writable = flags & buffer_flags::WRITABLE != 0;
    let layout = &state.layout;
    if flags & !buffer_flags::WRITABLE != buffer_flags::SIMPLE
        || state.managed.is_none()
        || !layout.is_plain()
        || writable && layout.readonly
    {
        return None;
    }
    let (pointer, length, readonly) = (layout.pointer, layout.length, layout.readonly);
    state.exports += 1;
    Some(Buffer::bytes(this, pointer, length, readonly, Some(end_export)))
}

fn end_export(owner: &Value) {
    if let Some(view) = owner.downcast::<MemoryView>() {
        view.state.borrow(&view.header).exports -= 1;
    }
}

/// What keeps the buffer of an object whose `__buffer__` is written in Python: CPython's `_buffer_wrapper`.
#[repr(C)]
struct BufferWrapper {
    header: Header,
    view: Value,
    object: Value,
    /// The buffer of `view`.
    inner: ObjectCell<Option<Buffer>>,
}

// SAFETY: repr(C), header first, visits each value; the inner buffer's owner is one of its own.
unsafe impl Payload for BufferWrapper {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        BUFFER_WRAPPER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.view);
        visit(&self.object);
        // SAFETY: the collector has stopped the world.
        if let Some(buffer) = unsafe { &*self.inner.as_ptr() } {
            visit(&buffer.owner);
        }
    }
}

static BUFFER_WRAPPER: TypeSpec =
    TypeSpec::new::<BufferWrapper>("_buffer_wrapper").flags(type_flags::DISALLOW_INSTANTIATION);

/// The buffer of an object whose class defines `__buffer__` in Python.
pub(crate) fn buffer_from_method(vm: &Vm, object: &Value, flags: u32) -> Result<Buffer> {
    let Some(view) = vm.call_special(object, &names().__buffer__, &[&Value::from(flags)]) else {
        return Err(vm.type_error(format!("a bytes-like object is required, not '{}'", object.ty().name())));
    };
    let view = view?;
    if view.downcast::<MemoryView>().is_none() {
        return Err(vm.type_error("__buffer__ returned non-memoryview object"));
    }
    let inner = export(vm, &view, flags)?;
    let mut outer = Layout::of(&inner).as_buffer(&view);
    let wrapper = BufferWrapper {
        header: Header::new(BUFFER_WRAPPER.ty()),
        view,
        object: object.clone(),
        inner: ObjectCell::new(Some(inner)),
    };
    outer.owner = Ref::new(wrapper).into_value();
    outer.release = Some(release_wrapper);
    Ok(outer)
}

fn release_wrapper(owner: &Value) {
    let Some(wrapper) = owner.downcast::<BufferWrapper>() else { return };
    let inner = wrapper.inner.borrow(&wrapper.header).take();
    drop(inner);
    let Some(vm) = Vm::try_current() else { return };
    let release = |vm: &Vm| {
        if let Some(Err(raised)) = vm.call_special(&wrapper.object, &names().__release_buffer__, &[&wrapper.view]) {
            vm.write_unraisable(raised, "Exception ignored in __release_buffer__ of", &wrapper.object);
        }
        if !own(&wrapper.view).is_released()
            && let Err(raised) = own(&wrapper.view).release(vm)
        {
            vm.write_unraisable(raised, "Exception ignored while releasing a buffer of", &wrapper.object);
        }
    };
    count::running_python(|| vm.preserving_exception(release));
}

/// `object.__buffer__(flags)` of built-in types.
pub(crate) fn buffer_method(vm: &Vm, this: &Value, flags: &Value) -> Result {
    let flags = vm.index_i64(flags)? as u32;
    match this.ty().slots().buffer {
        Some(get) => Ok(MemoryView::from_buffer(get(vm, this, flags)?)),
        None => Err(vm.type_error(format!("a bytes-like object is required, not '{}'", this.ty().name()))),
    }
}

/// `object.__release_buffer__(view)` of built-in types.
pub(crate) fn release_buffer_method(vm: &Vm, this: &Value, view: &Value) -> Result {
    let Some(view) = view.downcast::<MemoryView>() else {
        return Err(vm.type_error("expected a memoryview object"));
    };
    if view.is_released() {
        return Err(vm.value_error("memoryview's underlying buffer has already been released"));
    }
    if !view.object().is(this) {
        return Err(vm.value_error("memoryview's buffer is not this object"));
    }
    view.release(vm)?;
    Ok(Value::NONE)
}
