//! The classes of C types: what a class of data knows of its memory, and the methods that all such classes have.
//!
//! Counterpart of CPython's `StgInfo`. A class is a [`CType`]: a `type` with an [`Info`] behind it.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use taipan_object::buffer::{Buffer, buffer_flags};
use taipan_object::builtins::int;
use taipan_object::builtins::memoryview;
use taipan_object::cell::ObjectCell;
use taipan_object::heap::Kind as HeapKind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::{Payload, Visitor, to_value};
use taipan_object::types::slots::Slots;
use taipan_object::types::{TYPE, Type, TypeSpec, type_flags};
use taipan_object::{Raised, Result, Value, Vm, method_table};

use super::abi::Shape;
use super::argument::Argument;
use super::cdata::CData;
use super::codes::Code;
use super::{array, library};

/// Which of the six kinds of data a class describes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Simple,
    Structure,
    Union,
    Array,
    Pointer,
    Function,
}

/// What a class knows of its instances' memory.
#[derive(Clone)]
pub struct Info {
    pub kind: Kind,
    pub size: usize,
    pub align: usize,
    /// Fields of a structure, items of an array.
    pub length: usize,
    /// How a simple type is read and written.
    pub code: Option<Code>,
    /// What an array or pointer consists of or points to.
    pub proto: Option<Value>,
    /// Instances are pointers, or contain some.
    pub has_pointer: bool,
    /// `_flags_` of a function type.
    pub flags: u32,
    pub argtypes: Option<Value>,
    /// `from_param` of each of the `argtypes`.
    pub converters: Option<Vec<Value>>,
    pub restype: Option<Value>,
    /// `_check_retval_` of the `restype`.
    pub checker: Option<Value>,
    /// As the buffer protocol shows an item.
    pub format: String,
    /// The dimensions of an array of arrays.
    pub shape: Vec<isize>,
    /// How instances are passed by value.
    pub passing: Arc<Shape>,
}

impl Info {
    pub fn new(kind: Kind, size: usize, align: usize, format: &str, passing: Shape) -> Info {
        Info {
            kind,
            size,
            align,
            length: 0,
            code: None,
            proto: None,
            has_pointer: false,
            flags: 0,
            argtypes: None,
            converters: None,
            restype: None,
            checker: None,
            format: format.to_string(),
            shape: Vec::new(),
            passing: Arc::new(passing),
        }
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        let single = [&self.proto, &self.argtypes, &self.restype, &self.checker];
        single.into_iter().flatten().chain(self.converters.iter().flatten())
    }
}

/// Weak references to array types, by length.
#[derive(Default)]
struct Arrays(HashMap<usize, Value>);

/// A class of C data.
#[repr(C)]
pub struct CType {
    class: Type,
    /// `None`: an abstract class. (All that follows `class` may start as zero bytes.)
    info: ObjectCell<Option<Arc<Info>>>,
    pointer_type: ObjectCell<Option<Value>>,
    /// Weak references to the array types made of this one, by length.
    arrays: ObjectCell<Option<Box<Arrays>>>,
    /// There are instances or types that depend on the layout: it may not change any more.
    is_final: Cell<bool>,
}

// Zero bytes are `None` for `info`: the pointer in it is never null, and `None` takes no room beside it.
const _: () = assert!(size_of::<Option<Arc<Info>>>() == size_of::<usize>());

// SAFETY: repr(C), begins with a `Type` and so with its header; visits what that visits and its own references, of which
// `info` is not shared with any other object.
unsafe impl Payload for CType {
    const KIND: HeapKind = HeapKind::Container;
    fn static_type() -> &'static Type {
        CTYPE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        self.class.traverse(visit);
        // SAFETY: the collector has stopped the world.
        unsafe {
            if let Some(info) = &*self.info.as_ptr() {
                info.values().for_each(&mut *visit);
            }
            (*self.pointer_type.as_ptr()).iter().for_each(&mut *visit);
            (*self.arrays.as_ptr()).iter().flat_map(|arrays| arrays.0.values()).for_each(&mut *visit);
        }
    }
    fn clear(&self) {
        let header = &self.class.header;
        let info = self.info.borrow(header).take();
        let pointer_type = self.pointer_type.borrow(header).take();
        let arrays = self.arrays.borrow(header).take();
        drop((info, pointer_type, arrays));
        self.class.clear();
    }
}

impl CType {
    pub fn of(class: &Value) -> &CType {
        class.downcast::<CType>().expect("methods are called with instances of their type")
    }
    pub fn class(&self) -> &Type {
        &self.class
    }
    pub fn info(&self) -> Option<Arc<Info>> {
        self.info.borrow(&self.class.header).clone()
    }
    pub fn set_info(&self, info: Info) {
        let old = self.info.borrow(&self.class.header).replace(Arc::new(info));
        drop(old);
    }
    /// The information that instances need.
    pub fn concrete(&self, vm: &Vm) -> Result<Arc<Info>> {
        self.info().ok_or_else(|| vm.type_error("abstract class"))
    }
    pub fn is_final(&self) -> bool {
        self.is_final.get()
    }
    pub fn set_final(&self, is_final: bool) {
        self.is_final.set(is_final);
    }
    pub fn pointer_type(&self) -> Option<Value> {
        self.pointer_type.borrow(&self.class.header).clone()
    }
    pub fn set_pointer_type(&self, value: Option<Value>) {
        let old = std::mem::replace(&mut *self.pointer_type.borrow(&self.class.header), value);
        drop(old);
    }
    pub fn array_type(&self, length: usize) -> Option<Value> {
        let arrays = self.arrays.borrow(&self.class.header);
        let reference = arrays.as_ref().and_then(|arrays| arrays.0.get(&length)).cloned();
        drop(arrays);
        taipan_object::weakref::target(&reference?)
    }
    pub fn note_array_type(&self, length: usize, reference: Value) {
        let mut dead = Vec::new();
        let mut arrays = self.arrays.borrow(&self.class.header);
        let arrays_of = &mut arrays.get_or_insert_default().0;
        if arrays_of.len() == arrays_of.capacity() {
            dead.extend(arrays_of.extract_if(|_, weak| taipan_object::weakref::target(weak).is_none()));
        }
        let old = arrays_of.insert(length, reference);
        drop(arrays);
        drop((old, dead));
    }
}

/// What a value that is a class of C data knows; `None` for other values and for abstract classes.
pub fn info_of_class(class: &Value) -> Option<Arc<Info>> {
    class.downcast::<CType>().and_then(CType::info)
}

/// Whether instances of a simple class stay instances when they are read: it is derived from a concrete simple class.
pub fn is_kept(class: &Value) -> bool {
    let Some(class) = class.downcast::<CType>() else { return false };
    let is_simple = class.class.header.ty().is_subtype(super::simple::SIMPLE_TYPE.ty());
    is_simple && !class.class.base().is_some_and(|base| base.is(&super::simple::SIMPLE))
}

pub static CTYPE: TypeSpec = TypeSpec::new::<CType>("_ctypes.CType_Type")
    .base(&TYPE)
    .itemsize(40)
    .flags(type_flags::BASETYPE | type_flags::ITEMS_AT_END)
    .slots(|s: &mut Slots| {
        s.repeat = Some(array::repeat);
    })
    .methods(SIZEOF)
    .getset(&[GetSetDef::new("__pointer_type__", "the pointer type", |vm, this| {
        let class = CType::of(this);
        if class.info().is_none() {
            return Err(vm.type_error(format!("{} must have storage info", vm.repr_string(this)?)));
        }
        match class.pointer_type() {
            Some(pointer) => Ok(pointer),
            None => {
                let class = vm.repr_string(this)?;
                Err(vm.attribute_error(format!("{class} has no attribute '__pointer_type__'")))
            }
        }
    })
    .setter(|vm, this, value| {
        let class = CType::of(this);
        if class.info().is_none() {
            return Err(vm.type_error(format!("{} must have storage info", vm.repr_string(this)?)));
        }
        class.set_pointer_type(value.cloned());
        Ok(())
    })]);

method_table! { static SIZEOF = [
    MethodDef::new("__sizeof__($self, /)", "The bytes that the type object takes.", |_, _, _| {
        Ok(Value::from(size_of::<CType>() + size_of::<Info>()))
    }),
]; }

method_table! {
    /// What every class of C data can do; pointer types have some more.
    pub static METHODS = [
        MethodDef::new("from_address($self, value, /)", "An instance at an address.", from_address),
        MethodDef::new("from_buffer($self, obj, offset=0, /)", "An instance in the memory of a writable buffer.", from_buffer),
        MethodDef::new("from_buffer_copy($self, buffer, offset=0, /)", "An instance with a copy of a buffer's bytes.",
            from_buffer_copy),
        MethodDef::new("in_dll($self, dll, name, /)", "An instance at a symbol of a library.", in_dll),
        MethodDef::new("from_param($self, value, /)", "Converts an argument of a foreign function.", |vm, this, args| {
            if this.ty().is_subtype(super::simple::SIMPLE_TYPE.ty()) {
                super::simple::from_param(vm, this, &args[0])
            } else {
                from_param(vm, this, &args[0])
            }
        }),
    ];
}

pub fn from_address(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if !int::is_int(&args[0]) {
        return Err(vm.type_error("integer expected"));
    }
    let address = crate::arguments::c_ulong_mask(vm, &args[0])? as usize;
    CData::at_address(vm, this, address as *mut u8)
}

fn check_range(vm: &Vm, buffer_length: usize, offset: i64, size: usize) -> Result<usize> {
    let Ok(offset) = usize::try_from(offset) else { return Err(vm.value_error("offset cannot be negative")) };
    if buffer_length.checked_sub(offset).is_none_or(|rest| rest < size) {
        let least = size.saturating_add(offset);
        return Err(
            vm.value_error(format!("Buffer size too small ({buffer_length} instead of at least {least} bytes)"))
        );
    }
    Ok(offset)
}

fn audit_buffer(vm: &Vm, event: &str, buffer: &Buffer, offset: i64) -> Result<()> {
    vm.audit(event, &[Value::from(buffer.pointer as usize), Value::from(buffer.length), Value::from(offset)])
}

pub fn from_buffer(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let offset = vm.index_ssize(&args[1])?;
    let info = CType::of(this).concrete(vm)?;
    let view = memoryview::from_object(vm, &args[0])?;
    let buffer = vm.get_buffer(&view, buffer_flags::FULL_RO)?;
    if buffer.readonly {
        return Err(vm.type_error("underlying buffer is not writable"));
    }
    if !buffer.is_c_contiguous() {
        return Err(vm.type_error("underlying buffer is not C contiguous"));
    }
    let at = check_range(vm, buffer.length, offset, info.size)?;
    audit_buffer(vm, "ctypes.cdata/buffer", &buffer, offset)?;
    // The view is kept by the instance, and so the memory.
    let result = CData::at_address(vm, this, buffer.pointer.wrapping_add(at))?;
    drop(buffer);
    CData::of(&result).keep(vm, &result, super::cdata::Index::Buffer, view)?;
    Ok(result)
}

pub fn from_buffer_copy(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let offset = vm.index_ssize(&args[1])?;
    let info = CType::of(this).concrete(vm)?;
    let buffer = vm.get_buffer(&args[0], buffer_flags::SIMPLE)?;
    let at = check_range(vm, buffer.length, offset, info.size)?;
    audit_buffer(vm, "ctypes.cdata/buffer", &buffer, offset)?;
    let result = CData::make(vm, this)?;
    // SAFETY: the range was checked against the buffer's length; the instance has `info.size` bytes of its own.
    unsafe { std::ptr::copy_nonoverlapping(buffer.pointer.add(at), CData::of(&result).pointer(), info.size) };
    Ok(result)
}

pub fn in_dll(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let name = vm.expect_str(&args[1], |got| format!("in_dll() argument 2 must be str, not {got}"))?;
    vm.audit("ctypes.dlsym", &[args[0].clone(), args[1].clone()])?;
    let handle = library::handle_of(vm, &args[0])?;
    match library::symbol(vm, handle, &name.to_fs_bytes())? {
        Ok(address) => CData::at_address(vm, this, address as *mut u8),
        Err(error) => Err(vm.value_error(error.message("symbol"))),
    }
}

/// The attribute `_as_parameter_`, looked up where nothing else fits.
pub fn as_parameter(vm: &Vm, value: &Value) -> Result<Option<Value>> {
    vm.get_attr_str_opt(value, "_as_parameter_")
}

/// Guards against `_as_parameter_` that leads to itself.
pub fn check_recursion(vm: &Vm) -> Result<()> {
    vm.check_stack(" while processing _as_parameter_")
}

/// The general `from_param`: instances of the class, references to such, and what says `_as_parameter_`.
pub fn from_param(vm: &Vm, this: &Value, value: &Value) -> Result {
    if vm.is_instance(value, this)? {
        return Ok(value.clone());
    }
    let class_name = CType::of(this).class.name();
    if let Some(argument) = value.downcast_exact::<Argument>() {
        // A reference to what the type consists of or points to.
        let proto = CType::of(this).info().and_then(|info| info.proto.clone());
        if let (Some(object), Some(proto)) = (argument.object(), proto)
            && vm.is_instance(&object, &proto)?
        {
            return Ok(value.clone());
        }
        let got = argument.object().map_or_else(|| "???".to_string(), |object| object.ty().name());
        return Err(vm.type_error(format!("expected {class_name} instance instead of pointer to {got}")));
    }
    if let Some(parameter) = as_parameter(vm, value)? {
        check_recursion(vm)?;
        return from_param(vm, this, &parameter);
    }
    Err(vm.type_error(format!("expected {class_name} instance instead of {}", value.ty().name())))
}

/// Runs `type.__init__` for a new class, which must be new.
pub fn init_class(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    if let Some(init) = TYPE.ty().slots().init {
        init(vm, this, args, kwnames)?;
    }
    let class = CType::of(this);
    if class.info().is_some() {
        let name = class.class.name();
        return Err(vm.system_error(format!("StgInfo of '{name}' is already initialized.")));
    }
    Ok(())
}

/// An attribute of a class under construction, by whatever its MRO has.
pub fn class_attribute(vm: &Vm, class: &Value, name: &str) -> Result<Option<Value>> {
    vm.get_attr_str_opt(class, name)
}

/// An entry of the class's own namespace.
pub fn own_entry(class: &Value, name: &str) -> Option<Value> {
    let class = class.downcast::<Type>().expect("a class");
    class.dict().get_str(taipan_object::builtins::str::intern(name).as_value())
}

/// The value as a class, for the class's methods.
pub fn class_value(ty: &Type) -> Value {
    to_value(ty)
}

/// `AttributeError` for a class's missing attribute.
pub fn must_define(vm: &Vm, name: &str) -> Raised {
    vm.attribute_error(format!("class must define a '{name}' attribute"))
}
