//! Instances: memory with the layout that their class describes, their own or somebody else's.
//!
//! Counterpart of CPython's `CDataObject`. What the memory points to is kept alive in the tree of dictionaries that
//! `_objects` shows, whose root is the outermost object that contains the memory.

use std::cell::UnsafeCell;
use std::sync::Arc;

use taipan_object::buffer::{Buffer, Dimensions};
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind as HeapKind;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::{Payload, Ref, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, method_table};

use super::codes::{Bits, Code};
use super::ctype::{self, CType, Info, Kind};
use super::function::Function;

/// An instance of a class of C data.
#[repr(C)]
pub struct CData {
    pub header: Header,
    /// The memory of small instances.
    inline: UnsafeCell<[u64; 2]>,
    state: ObjectCell<State>,
}

struct State {
    /// What the class knew when the instance was made: `__class__` may be assigned.
    info: Arc<Info>,
    /// The memory: `inline`, that of `block`, or not the object's own.
    pointer: *mut u8,
    size: usize,
    is_own: bool,
    block: Option<Block>,
    /// Memory that the object had before it was resized: parts of it may be in use.
    retired: Vec<Block>,
    /// The object whose memory this is a part of.
    base: Option<Value>,
    /// Where in it.
    index: u32,
    /// Fields or items: something can be kept for each.
    length: usize,
    /// `_objects`
    objects: Option<Value>,
    /// What lends the memory.
    lender: Option<Buffer>,
    /// Of function pointers.
    function: Option<Box<Function>>,
}

/// Zeroed memory.
struct Block(Vec<u128>);

impl Block {
    fn new(size: usize) -> Option<Block> {
        let units = size.div_ceil(16);
        let mut memory = Vec::new();
        memory.try_reserve_exact(units).ok()?;
        memory.resize(units, 0);
        Some(Block(memory))
    }
}

// SAFETY: repr(C), header first; every reference of the state is visited.
unsafe impl Payload for CData {
    const KIND: HeapKind = HeapKind::Container;
    fn static_type() -> &'static Type {
        CDATA.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        state.base.iter().chain(&state.objects).for_each(&mut *visit);
        if let Some(lender) = &state.lender {
            visit(&lender.owner);
        }
        if let Some(function) = &state.function {
            function.values().for_each(visit);
        }
    }
    fn clear(&self) {
        let mut state = self.state.borrow(&self.header);
        // The base stays: the memory is a part of it.
        let old = (state.objects.take(), state.function.take());
        drop(state);
        drop(old);
    }
}

/// The place of what is kept, among those of the same container.
#[derive(Clone, Copy)]
pub enum Index {
    At(usize),
    /// The buffer that lends the memory.
    Buffer,
}

impl Index {
    fn number(self) -> u32 {
        match self {
            Index::At(index) => index as u32,
            Index::Buffer => u32::MAX,
        }
    }
}

impl CData {
    pub fn of(this: &Value) -> &CData {
        this.downcast::<CData>().expect("methods are called with instances of their type")
    }

    fn allocate(class: &CType, info: &Arc<Info>) -> Ref<CData> {
        class.set_final(true);
        let state = State {
            info: info.clone(),
            pointer: std::ptr::null_mut(),
            size: info.size,
            is_own: false,
            block: None,
            retired: Vec::new(),
            base: None,
            index: 0,
            length: info.length,
            objects: None,
            lender: None,
            function: None,
        };
        let payload = CData {
            header: Header::new(class.class()),
            inline: UnsafeCell::new([0; 2]),
            state: ObjectCell::new(state),
        };
        Ref::new_with_type(class.class(), payload)
    }

    /// A new instance with zeroed memory of its own.
    pub fn make(vm: &Vm, class: &Value) -> Result {
        let class = CType::of(class);
        let info = class.concrete(vm)?;
        let block = match Block::new(info.size).filter(|_| info.size > 16) {
            None if info.size > 16 => return Err(vm.memory_error()),
            block => block,
        };
        let object = Self::allocate(class, &info);
        let mut state = object.state.borrow(&object.header);
        state.is_own = true;
        state.block = block;
        state.pointer = match &mut state.block {
            Some(block) => block.0.as_mut_ptr().cast(),
            None => object.inline.get().cast(),
        };
        drop(state);
        Ok(object.into_value())
    }

    /// An instance whose memory is at an address.
    pub fn at_address(vm: &Vm, class: &Value, pointer: *mut u8) -> Result {
        vm.audit("ctypes.cdata", &[Value::from(pointer as usize)])?;
        let class = CType::of(class);
        let info = class.concrete(vm)?;
        let object = Self::allocate(class, &info);
        object.state.borrow(&object.header).pointer = pointer;
        Ok(object.into_value())
    }

    /// An instance whose memory is a part of another's.
    pub fn part_of(vm: &Vm, class: &Value, base: &Value, index: usize, pointer: *mut u8) -> Result {
        let class = CType::of(class);
        let info = class.concrete(vm)?;
        let object = Self::allocate(class, &info);
        let mut state = object.state.borrow(&object.header);
        state.pointer = pointer;
        state.base = Some(base.clone());
        state.index = index as u32;
        drop(state);
        Ok(object.into_value())
    }

    /// What the class knows of the memory.
    pub fn info(&self) -> Arc<Info> {
        self.state.borrow(&self.header).info.clone()
    }

    pub fn pointer(&self) -> *mut u8 {
        self.state.borrow(&self.header).pointer
    }
    pub fn size(&self) -> usize {
        self.state.borrow(&self.header).size
    }
    pub fn length(&self) -> usize {
        self.state.borrow(&self.header).length
    }

    /// The pointer in the memory of a pointer instance.
    pub fn target(&self) -> *mut u8 {
        // SAFETY: instances of pointer, function and simple pointer types have eight bytes.
        unsafe { self.pointer().cast::<usize>().read_unaligned() as *mut u8 }
    }
    pub fn set_target(&self, target: *mut u8) {
        // SAFETY: as above.
        unsafe { self.pointer().cast::<usize>().write_unaligned(target as usize) }
    }

    /// Runs `f` with what a function pointer has beyond its memory: `f` must not run Python code nor drop values.
    pub fn with_function<R>(&self, f: impl FnOnce(&mut Function) -> R) -> R {
        f(self.state.borrow(&self.header).function.get_or_insert_default())
    }

    /// The object that contains the memory, with a dictionary for what it keeps.
    fn container(this: &Value) -> Value {
        let mut object = this.clone();
        loop {
            let own = Self::of(&object);
            let base = own.state.borrow(&own.header).base.clone();
            match base {
                Some(base) => object = base,
                None => break,
            }
        }
        let own = Self::of(&object);
        let mut state = own.state.borrow(&own.header);
        if state.objects.is_none() {
            let empty = if state.length > 0 { Dict::new().into_value() } else { Value::NONE };
            state.objects = Some(empty);
        }
        drop(state);
        object
    }

    /// What is kept for the memory of `this`.
    pub fn kept(this: &Value) -> Value {
        let container = Self::container(this);
        let own = Self::of(&container);
        own.objects()
    }

    /// What is kept for the memory of `this`, in a dictionary if there was nothing so far: a cast pointer shares it.
    pub fn kept_for_cast(this: &Value) -> Value {
        let container = Self::container(this);
        let own = Self::of(&container);
        let mut state = own.state.borrow(&own.header);
        match &state.objects {
            Some(objects) if !objects.is_none() => objects.clone(),
            _ => {
                let made = Dict::new().into_value();
                state.objects = Some(made.clone());
                made
            }
        }
    }

    /// Shares what another object keeps.
    pub fn share_kept(&self, kept: Value) {
        let old = self.state.borrow(&self.header).objects.replace(kept);
        drop(old);
    }

    fn objects(&self) -> Value {
        self.state.borrow(&self.header).objects.clone().unwrap_or(Value::NONE)
    }

    /// Keeps `kept` for what is at `index` of `this`.
    pub fn keep(&self, vm: &Vm, this: &Value, index: Index, kept: Value) -> Result<()> {
        if kept.is_none() {
            return Ok(());
        }
        if let Index::Buffer = index {
            let lender = vm.get_buffer(&kept, taipan_object::buffer::buffer_flags::FULL_RO)?;
            self.state.borrow(&self.header).lender = Some(lender);
        }
        let container = Self::container(this);
        let own = Self::of(&container);
        let objects = own.objects();
        let Some(dict) = objects.downcast_exact::<Dict>() else {
            let old = own.state.borrow(&own.header).objects.replace(kept);
            drop(old);
            return Ok(());
        };
        let mut key = format!("{:x}", index.number());
        let mut object = this.clone();
        loop {
            let inner = Self::of(&object);
            let state = inner.state.borrow(&inner.header);
            let Some(base) = state.base.clone() else { break };
            let part = format!(":{:x}", state.index);
            drop(state);
            key.push_str(&part);
            object = base;
        }
        dict.set(vm, &Value::from(key), kept)
    }

    /// Another size: the memory is moved.
    pub fn resize(&self, vm: &Vm, size: usize) -> Result<()> {
        let info = self.info();
        if size < info.size {
            return Err(vm.value_error(format!("minimum size is {}", info.size)));
        }
        let mut state = self.state.borrow(&self.header);
        if !state.is_own {
            drop(state);
            return Err(vm.value_error("Memory cannot be resized because this object doesn't own it"));
        }
        let capacity = state.block.as_ref().map_or(16, |block| block.0.len() * 16);
        if size > capacity {
            let Some(mut block) = Block::new(size) else {
                drop(state);
                return Err(vm.memory_error());
            };
            let pointer = block.0.as_mut_ptr().cast::<u8>();
            // SAFETY: the new block has more room than the old one has bytes.
            unsafe { std::ptr::copy_nonoverlapping(state.pointer, pointer, state.size) };
            let old = state.block.replace(block);
            state.retired.extend(old);
            state.pointer = pointer;
        }
        state.size = size;
        Ok(())
    }
}

/// How a value of a type is read and written where it is not just the type's own way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Access {
    #[default]
    Plain,
    Bits(Bits),
    /// An array of `char` as a field: bytes up to a zero.
    Chars,
    /// An array of `wchar_t` as a field: a string up to a zero.
    WideChars,
}

/// Reads a value of type `class` at `pointer`, which is in the memory of `source` (or what that points to).
pub fn read(
    vm: &Vm,
    class: &Value,
    access: Access,
    source: &Value,
    index: usize,
    size: usize,
    pointer: *mut u8,
) -> Result {
    let info = ctype::info_of_class(class);
    let code = info.as_ref().and_then(|info| info.code);
    // SAFETY: the pointer is within the memory of the source, whose layout says that such a value is there; or a pointer
    // leads there, which the program vouches for.
    unsafe {
        match (access, code) {
            (Access::Bits(bits), Some(code)) => return Ok(code.get_bits(pointer, bits)),
            (Access::Chars, _) => {
                let data = std::slice::from_raw_parts(pointer, size);
                return bytes::from_slice(vm, &data[..memchr::memchr(0, data).unwrap_or(size)]);
            }
            (Access::WideChars, _) => {
                let mut points = super::codes::read_wide(pointer.cast(), size / 4);
                points.truncate(points.iter().position(|point| *point == 0).unwrap_or(points.len()));
                return super::codes::wide_string(vm, &points);
            }
            (_, Some(code)) if !ctype::is_kept(class) => return code.get(vm, pointer),
            _ => {}
        }
    }
    CData::part_of(vm, class, source, index, pointer)
}

/// Writes a value of type `class` at `pointer`, which is in the memory of `target` (or what that points to).
pub fn write(
    vm: &Vm,
    class: &Value,
    access: Access,
    target: &Value,
    value: &Value,
    index: usize,
    size: usize,
    pointer: *mut u8,
) -> Result<()> {
    let keep = store(vm, class, access, value, size, pointer)?;
    CData::of(target).keep(vm, target, Index::At(index), keep)
}

/// Writes a value; what is to be kept.
fn store(vm: &Vm, class: &Value, access: Access, value: &Value, size: usize, pointer: *mut u8) -> Result {
    let info = ctype::info_of_class(class);
    let code: Option<Code> = info.as_ref().and_then(|info| info.code);
    // SAFETY: as in `read`; the functions write no more than the type's size.
    unsafe {
        match (access, code) {
            (Access::Bits(bits), Some(code)) => return code.set_bits(vm, pointer, bits, value).map(|()| Value::NONE),
            (Access::Chars, _) => return store_chars(vm, value, size, pointer),
            (Access::WideChars, _) => return store_wide_chars(vm, value, size, pointer),
            _ => {}
        }
        if let Some(code) = code
            && value.downcast::<CData>().is_none()
        {
            return code.set(vm, pointer, value);
        }
    }
    let class_type = class.downcast::<CType>();
    let class_name = || class_type.map_or_else(String::new, |class| class.class().name());
    let is_pointer = info.as_ref().is_some_and(|info| info.kind == Kind::Pointer);
    let Some(source) = value.downcast::<CData>() else {
        if let Some(items) = value.downcast::<Tuple>() {
            let made = vm.call_args(class, items.as_slice()).map_err(|raised| {
                super::call::extend_error(
                    vm,
                    raised,
                    taipan_object::exceptions::RUNTIME_ERROR.ty(),
                    &format!("({}) ", class_name()),
                )
            })?;
            return store(vm, class, access, &made, size, pointer);
        }
        if is_pointer && value.is_none() {
            // SAFETY: as above; pointers have eight bytes.
            unsafe { pointer.cast::<usize>().write_unaligned(0) };
            return Ok(Value::NONE);
        }
        return Err(vm.type_error(format!("expected {} instance, got {}", class_name(), value.ty().name())));
    };
    if vm.is_instance(value, class)? {
        if source.size() < size {
            return Err(vm.value_error("the instance is smaller than its type"));
        }
        // SAFETY: both have `size` bytes; they may overlap.
        unsafe { std::ptr::copy(source.pointer(), pointer, size) };
        return Ok(CData::kept(value));
    }
    let source_info = source.info();
    let incompatible = || {
        vm.type_error(format!(
            "incompatible types, {} instance instead of {} instance",
            value.ty().name(),
            class_name()
        ))
    };
    if is_pointer && source_info.kind == Kind::Array {
        let pointed = info.as_ref().and_then(|info| info.proto.clone());
        let same = source_info.proto.as_ref().zip(pointed.as_ref()).is_some_and(|(a, b)| a.is(b));
        if !same {
            return Err(incompatible());
        }
        // SAFETY: pointers have eight bytes.
        unsafe { pointer.cast::<usize>().write_unaligned(source.pointer() as usize) };
        // The array itself is kept too, as the pointer leads to it.
        return Ok(Tuple::from_array([CData::kept(value), value.clone()]).into_value());
    }
    Err(incompatible())
}

/// # Safety
/// `size` bytes are writable at `pointer`.
unsafe fn store_chars(vm: &Vm, value: &Value, size: usize, pointer: *mut u8) -> Result {
    let Some(data) = value.downcast::<Bytes>() else {
        return Err(vm.type_error(format!("expected bytes, {} found", value.ty().name())));
    };
    let data = data.as_slice();
    // What counts ends at a zero.
    let used = memchr::memchr(0, data).unwrap_or(data.len());
    if used > size {
        return Err(vm.value_error(format!("bytes too long ({used}, maximum length {size})")));
    }
    // SAFETY: as many bytes as fit, by contract; with the zero, if that fits.
    unsafe {
        std::ptr::copy_nonoverlapping(data.as_ptr(), pointer, used);
        if used < size {
            pointer.add(used).write(0);
        }
    }
    Ok(Value::NONE)
}

/// # Safety
/// `size` bytes are writable at `pointer`.
unsafe fn store_wide_chars(vm: &Vm, value: &Value, size: usize, pointer: *mut u8) -> Result {
    let Some(text) = value.downcast::<taipan_object::builtins::str::Str>() else {
        return Err(vm.type_error(format!("unicode string expected instead of {} instance", value.ty().name())));
    };
    let (length, room) = (text.len(), size / 4);
    if length > room {
        return Err(vm.value_error(format!("string too long ({length}, maximum length {room})")));
    }
    for (at, point) in text.code_points().chain([0]).take(room).enumerate() {
        // SAFETY: within the room.
        unsafe { pointer.cast::<u32>().add(at).write_unaligned(point) };
    }
    Ok(Value::NONE)
}

/// `_CData`: the base of all.
pub static CDATA: TypeSpec = TypeSpec::new::<CData>("_ctypes._CData")
    .doc("The base of all classes of C data.")
    .flags(type_flags::BASETYPE | type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.hash = Some(|vm, _| Err(vm.type_error("unhashable type")));
        s.buffer = Some(|_, this, _| Ok(export(this)));
    })
    .methods(METHODS)
    .members(&[
        MemberDef::new("_b_base_", "the base object", |_, this| {
            let own = CData::of(this);
            Ok(own.state.borrow(&own.header).base.clone().unwrap_or(Value::NONE))
        }),
        MemberDef::new("_b_needsfree_", "whether the object owns the memory or not", |_, this| {
            let own = CData::of(this);
            let is_own = own.state.borrow(&own.header).is_own;
            Ok(Value::from(is_own as i64))
        }),
        MemberDef::new("_objects", "what is kept alive for the memory; not to be changed", |_, this| {
            Ok(CData::of(this).objects())
        }),
    ]);

/// A view of the memory. That stays where it is as long as the object lives.
fn export(this: &Value) -> Buffer {
    let own = CData::of(this);
    let info = own.info();
    let mut item = info.clone();
    while item.kind == Kind::Array
        && let Some(inner) = item.proto.as_ref().and_then(ctype::info_of_class)
    {
        item = inner;
    }
    let (pointer, length) = (own.pointer(), own.size());
    let mut buffer = Buffer::bytes(this, pointer, length, false, None);
    buffer.itemsize = item.size;
    buffer.format = info.format.clone().into();
    buffer.shape = Dimensions::from_slice(&info.shape);
    buffer.strides = info.shape.iter().map(|_| 0).collect();
    let mut stride = item.size as isize;
    for (place, count) in buffer.strides.iter_mut().zip(&info.shape).rev() {
        *place = stride;
        stride *= count;
    }
    // After a resize the memory is larger than what the type describes: a single item shows all of it, of an array the
    // shape says what there is.
    if !info.shape.is_empty() {
        buffer.length = length.min(stride as usize);
    }
    buffer
}

method_table! { static METHODS = [
    MethodDef::new("__ctypes_from_outparam__($self, /)", "What is returned for an output parameter: the instance.", |_, this, _| {
        Ok(this.clone())
    }),
    MethodDef::raw("__setstate__", "", |vm, this, args, kwnames| {
        taipan_object::native::arguments::no_keywords(vm, "_CData.__setstate__", kwnames)?;
        if args.len() != 2 {
            let given = args.len();
            return Err(vm.type_error(format!("__setstate__() takes exactly 2 arguments ({given} given)")));
        }
        if args[0].downcast::<Dict>().is_none() {
            let got = vm.argument_type(&args[0]);
            return Err(vm.type_error(format!("__setstate__() argument 1 must be dict, not {got}")));
        }
        let data = vm.bytes_like(&args[1])?;
        let own = CData::of(this);
        let length = data.len().min(own.size());
        // SAFETY: both have so many bytes.
        unsafe { std::ptr::copy(data.as_ptr(), own.pointer(), length) };
        drop(data);
        let namespace = vm.get_attr(this, &names().__dict__)?;
        vm.call_method(&namespace, "update", &args[..1])?;
        Ok(Value::NONE)
    }),
    MethodDef::new("__reduce__($self, /)", "For pickle.", |vm, this, _| {
        let own = CData::of(this);
        if own.info().has_pointer {
            return Err(vm.value_error("ctypes objects containing pointers cannot be pickled"));
        }
        let namespace = vm.get_attr(this, &names().__dict__)?;
        // SAFETY: the memory has so many bytes.
        let data = bytes::from_slice(vm, unsafe { std::slice::from_raw_parts(own.pointer(), own.size()) })?;
        let state = Tuple::from_array([namespace, data]).into_value();
        let unpickle = vm.import_from("_ctypes", "_unpickle")?;
        let args = Tuple::from_array([ctype::class_value(this.ty()), state]).into_value();
        Ok(Tuple::from_array([unpickle, args]).into_value())
    }),
]; }

/// The `__new__` of most classes.
pub fn new(vm: &Vm, class: &Value, _: &[Value], _: Option<&Value>) -> Result {
    match class.downcast::<CType>() {
        Some(_) => CData::make(vm, class),
        None => Err(vm.type_error("abstract class")),
    }
}
