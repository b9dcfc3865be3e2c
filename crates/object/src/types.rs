//! Type objects: what a type is and how the built-in ones are declared.
//!
//! A built-in type is declared by a `static` [`TypeSpec`] and comes into being on first use ([`TypeSpec::ty`]).
//! `slots.rs` has the slot table, `slot_dispatch.rs` the slot functions of classes written in Python, `lookup.rs`
//! attribute lookup along the MRO with its cache, `mro.rs` the C3 linearisation, `creation.rs` `type.__new__`.

pub mod creation;
pub mod lookup;
pub mod mro;
pub mod slot_dispatch;
pub mod slots;

use crate::builtins::dict::Dict;
use crate::builtins::str::{Str, intern};
use crate::builtins::tuple::Tuple;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::native::{GetSetDef, MemberDef, MethodDef};
use crate::object::{self, Payload, Ref, Visitor};
use crate::value::Value;
use slots::Slots;
use std::cell::{Cell, UnsafeCell};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::*};

/// Type flags; the values of those that CPython shows in `__flags__` are CPython's.
pub mod type_flags {
    pub const HEAPTYPE: u64 = 1 << 9;
    pub const BASETYPE: u64 = 1 << 10;
    pub const IMMUTABLETYPE: u64 = 1 << 8;
    pub const DISALLOW_INSTANTIATION: u64 = 1 << 7;
    pub const SEQUENCE: u64 = 1 << 5;
    pub const MAPPING: u64 = 1 << 6;
    /// Shown by the types whose instances are called without a tuple being made; nothing depends on it here.
    pub const HAVE_VECTORCALL: u64 = 1 << 11;
    pub const READY: u64 = 1 << 12;
    pub const HAVE_GC: u64 = 1 << 14;
    /// Functions of this type are called with `self` prepended instead of being bound first.
    pub const METHOD_DESCRIPTOR: u64 = 1 << 17;
    pub const IS_ABSTRACT: u64 = 1 << 20;
    pub const MATCH_SELF: u64 = 1 << 22;
    pub const ITEMS_AT_END: u64 = 1 << 23;
    pub const LONG_SUBCLASS: u64 = 1 << 24;
    pub const LIST_SUBCLASS: u64 = 1 << 25;
    pub const TUPLE_SUBCLASS: u64 = 1 << 26;
    pub const BYTES_SUBCLASS: u64 = 1 << 27;
    pub const UNICODE_SUBCLASS: u64 = 1 << 28;
    pub const DICT_SUBCLASS: u64 = 1 << 29;
    pub const BASE_EXC_SUBCLASS: u64 = 1 << 30;
    pub const TYPE_SUBCLASS: u64 = 1 << 31;
    /// Flags passed on to subclasses.
    pub const INHERITED: u64 = SEQUENCE
        | MAPPING
        | MATCH_SELF
        | LONG_SUBCLASS
        | LIST_SUBCLASS
        | TUPLE_SUBCLASS
        | BYTES_SUBCLASS
        | UNICODE_SUBCLASS
        | DICT_SUBCLASS
        | BASE_EXC_SUBCLASS
        | TYPE_SUBCLASS
        | HAS_DICT
        | HAS_WEAKREF
        | VAR_SIZED
        | HAVE_GC;
    /// Instances have attributes (a `__dict__`).
    pub const HAS_DICT: u64 = 1 << 40;
    /// Instances can be referenced weakly.
    pub const HAS_WEAKREF: u64 = 1 << 41;
    /// The payload's size varies: the attributes word stands at the end of the block.
    pub const VAR_SIZED: u64 = 1 << 42;
    /// A finaliser (`__del__`, or that of generators and files) may have to run.
    pub const NEEDS_FINALIZE: u64 = 1 << 43;
    /// Some instance attribute has the name of a class attribute (see `Type::shadowed`).
    pub const HAS_SHADOWED: u64 = 1 << 44;
    /// A built-in type that CPython makes at run time, and whose `__flags__` say so: `copyreg` asks.
    pub const SHOWN_AS_HEAPTYPE: u64 = 1 << 45;
    /// Instances are made as `object.__new__` makes them: the type has no `__new__` of its own to show.
    pub const GENERIC_NEW: u64 = 1 << 46;
    /// The MRO has classes that are not told of changes (a custom `mro()` chose them): the type gets no version.
    pub const UNVERSIONED: u64 = 1 << 47;
    /// The namespace of some class in the MRO has keys that are no strings: lookups may compare with them.
    pub const ODD_NAMES: u64 = 1 << 48;
    /// The destruction of an instance runs no code but the heap's and that of what it refers to: it may happen while other
    /// threads run.
    pub const DIES_QUIETLY: u64 = 1 << 49;
    /// Programs make instances once, for all threads: those that are there when the first thread starts live for ever.
    pub const FOR_ALL_THREADS: u64 = 1 << 50;
    /// Instances may be called with constant arguments while other threads run.
    pub const CALLED_BESIDE: u64 = 1 << 51;
    /// Instances may be compared, hashed, asked for their truth and so on while other threads run.
    pub const USED_BESIDE: u64 = 1 << 52;
    /// An instance may live for ever once threads are seen to use it all the time.
    pub const MAY_LAST: u64 = 1 << 53;
    /// Shown by types whose instances can have a `__dict__` that is made on demand.
    pub const MANAGED_DICT: u64 = 1 << 4;
    /// Shown by types whose instances keep attributes in the object.
    pub const INLINE_VALUES: u64 = 1 << 2;

    /// From this bit on stands how the eval loop calls instances of a type, see [`Called`](super::Called).
    pub(super) const CALLED_SHIFT: u32 = 56;
}

/// How the eval loop calls instances of a type. Types that are derived from these are not among them.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Called {
    /// By the type's slot.
    Otherwise,
    Function,
    Method,
    Class,
    MethodDescriptor,
    Builtin,
}
use type_flags as flag;

/// What may be done with instances of a built-in type while other threads run.
#[cfg(feature = "free-threading")]
pub mod beside {
    /// They may be compared, hashed, computed with, iterated over.
    pub const USE: u8 = 2;
    /// The same, by the thread that made them, as long as no other has touched them.
    pub const USE_OWN: u8 = 4;
    /// The same, but the first thread to touch one that another made is alone then.
    pub const USE_KNOWN: u8 = 32;
}

/// A type object.
#[repr(C)]
pub struct Type {
    pub header: Header,
    /// `tp_name`: for built-in types the dotted name, for classes `__name__`.
    name: ObjectCell<Box<str>>,
    pub(crate) flags: AtomicU64,
    /// Changes whenever the outcome of a lookup on the type may change; 0: not cached by anyone.
    pub(crate) version: AtomicU32,
    pub(crate) root_shape: AtomicU32,
    /// The shape of instances in dictionary mode; 0 until one exists.
    pub(crate) dict_shape: AtomicU32,
    /// The empty shapes made for the type: those that instances begin with now, began with, or have in dictionary mode.
    pub(crate) shapes: ObjectCell<Vec<u32>>,
    /// Bytes of the fixed part, `__slots__` included, attributes word and in-object slots excluded.
    pub(crate) basicsize: Cell<u32>,
    pub(crate) itemsize: Cell<u32>,
    /// How many in-object attribute slots new instances get.
    pub(crate) inline_slots: Cell<u16>,
    /// Instances made so far, until the slot count is settled.
    instances: Cell<u16>,
    /// How often instances made after those got more attributes than fit.
    overflows: Cell<u32>,
    /// The most attributes that one of the first instances had.
    pub(crate) used_slots: Cell<u16>,
    pub dealloc: unsafe fn(*mut Header),
    pub traverse: unsafe fn(*mut Header, Visitor),
    pub clear: unsafe fn(*mut Header),
    slots: UnsafeCell<Slots>,
    pub(crate) own_dict: Cell<Option<crate::native::OwnDict>>,
    pub(crate) base: ObjectCell<Option<Ref<Type>>>,
    pub(crate) bases: ObjectCell<Option<Ref<Tuple>>>,
    pub(crate) mro: ObjectCell<Option<Ref<Tuple>>>,
    dict: ObjectCell<Option<Ref<Dict>>>,
    /// `__qualname__` of a class; that of a built-in type is its name.
    pub(crate) qualname: ObjectCell<Option<Value>>,
    /// Direct subclasses, not owned: each removes itself when it dies.
    pub(crate) subclasses: ObjectCell<Vec<NonNull<Type>>>,
    /// What inline caches refer to by index, valid for `version` (see `lookup.rs`).
    pub(crate) cached: ObjectCell<Vec<Value>>,
    /// Names that are both in the MRO and instance attributes of some instance.
    pub(crate) shadowed: ObjectCell<Vec<Value>>,
    /// `__slots__` members declared by this very class: name and offset.
    pub(crate) slot_members: ObjectCell<Vec<(Value, u32)>>,
    pub spec: Option<&'static TypeSpec>,
    /// What may be done with instances of this built-in type while other threads run: bits of [`beside`].
    #[cfg(feature = "free-threading")]
    pub(crate) beside: std::sync::atomic::AtomicU8,
}

// SAFETY: `Cell`s and slots change only while the type is created or with the world stopped.
unsafe impl Sync for Type {}
// SAFETY: as above.
unsafe impl Send for Type {}

// SAFETY: repr(C), header first; traverse visits what the struct owns.
unsafe impl Payload for Type {
    const KIND: Kind = Kind::Container;
    const SUBCLASS_FLAG: u64 = type_flags::TYPE_SUBCLASS;
    fn static_type() -> &'static Type {
        TYPE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        unsafe {
            if let Some(base) = &*self.base.as_ptr() {
                visit(base.as_value());
            }
            for tuple in [&*self.bases.as_ptr(), &*self.mro.as_ptr()].into_iter().flatten() {
                visit(tuple.as_value());
            }
            if let Some(dict) = &*self.dict.as_ptr() {
                visit(dict.as_value());
            }
            (*self.cached.as_ptr()).iter().for_each(&mut *visit);
            (*self.qualname.as_ptr()).iter().for_each(visit);
        }
    }
    fn clear(&self) {
        self.modified();
        let dict = self.dict.borrow(&self.header).clone();
        if let Some(dict) = dict {
            dict.clear_items();
        }
        let mro = self.mro.borrow(&self.header).take();
        let cached = std::mem::take(&mut *self.cached.borrow(&self.header));
        drop((mro, cached));
    }
}

impl Drop for Type {
    fn drop(&mut self) {
        let me = NonNull::from(&*self);
        if let Some(bases) = self.bases.get_mut() {
            for base in bases.as_slice() {
                if let Some(base) = base.downcast::<Type>() {
                    base.subclasses.borrow(&base.header).retain(|sub| *sub != me);
                }
            }
        }
        crate::shape::free_all(std::mem::take(self.shapes.get_mut()));
    }
}

/// The declaration of a built-in type.
pub struct TypeSpec {
    /// `tp_name`: dotted for types outside `builtins`.
    pub name: &'static str,
    pub doc: &'static str,
    pub base: Option<&'static TypeSpec>,
    /// A further base, from which nothing but the place in the MRO comes.
    pub second_base: Option<&'static TypeSpec>,
    /// The type of the type, if it is not `type`. Its layout begins with [`Type`]; what follows starts as zero bytes.
    pub metatype: Option<&'static TypeSpec>,
    pub flags: u64,
    pub basicsize: usize,
    pub itemsize: usize,
    pub dealloc: unsafe fn(*mut Header),
    pub traverse: unsafe fn(*mut Header, Visitor),
    pub clear: unsafe fn(*mut Header),
    pub slots: fn(&mut Slots),
    pub methods: &'static [MethodDef],
    pub getset: &'static [GetSetDef],
    pub members: &'static [MemberDef],
    /// Further entries for the type's dict (constants, `__class_getitem__`…), run once.
    pub populate: Option<fn(&Type)>,
    /// Where instances keep their namespace, if in the payload.
    pub own_dict: Option<crate::native::OwnDict>,
    pub cell: AtomicPtr<Type>,
}

impl TypeSpec {
    /// A declaration with layout `T` and defaults: no methods, `object` as base, not subclassable.
    pub const fn new<T: Payload>(name: &'static str) -> TypeSpec {
        TypeSpec {
            name,
            doc: "",
            base: None,
            second_base: None,
            metatype: None,
            flags: if matches!(T::KIND, Kind::Container) { flag::HAVE_GC } else { 0 },
            basicsize: size_of::<T>(),
            itemsize: 0,
            dealloc: object::deallocate::<T>,
            traverse: object::traverse::<T>,
            clear: object::clear::<T>,
            slots: |_| {},
            methods: &[],
            getset: &[],
            members: &[],
            populate: None,
            own_dict: None,
            cell: AtomicPtr::new(std::ptr::null_mut()),
        }
    }
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }
    pub const fn base(mut self, base: &'static TypeSpec) -> Self {
        self.base = Some(base);
        self
    }
    pub const fn second_base(mut self, base: &'static TypeSpec) -> Self {
        self.second_base = Some(base);
        self
    }
    pub const fn metatype(mut self, metatype: &'static TypeSpec) -> Self {
        self.metatype = Some(metatype);
        self
    }
    /// Adds flags.
    pub const fn flags(mut self, flags: u64) -> Self {
        self.flags |= flags;
        self
    }
    /// Says how the eval loop calls instances.
    pub const fn called(mut self, called: Called) -> Self {
        self.flags |= (called as u64) << flag::CALLED_SHIFT;
        self
    }
    pub const fn slots(mut self, slots: fn(&mut Slots)) -> Self {
        self.slots = slots;
        self
    }
    pub const fn methods(mut self, methods: &'static [MethodDef]) -> Self {
        self.methods = methods;
        self
    }
    pub const fn getset(mut self, getset: &'static [GetSetDef]) -> Self {
        self.getset = getset;
        self
    }
    pub const fn members(mut self, members: &'static [MemberDef]) -> Self {
        self.members = members;
        self
    }
    pub const fn populate(mut self, populate: fn(&Type)) -> Self {
        self.populate = Some(populate);
        self
    }
    /// What `__basicsize__` says, of a type without subclasses whose instances are larger.
    pub const fn basicsize(mut self, basicsize: usize) -> Self {
        self.basicsize = basicsize;
        self
    }
    pub const fn itemsize(mut self, itemsize: usize) -> Self {
        self.itemsize = itemsize;
        self
    }

    pub const fn own_dict(mut self, own_dict: crate::native::OwnDict) -> Self {
        self.own_dict = Some(own_dict);
        self
    }

    /// `(params)` of the constructor, if `doc` begins with `name(params)`, a line `--` and an empty one.
    pub fn text_signature(&self) -> Option<&'static str> {
        let (signature, _) = self.doc.split_once("\n--\n\n")?;
        signature.find('(').map(|at| &signature[at..])
    }

    /// `doc` without the constructor's signature.
    pub fn docstring(&self) -> &'static str {
        self.doc.split_once("\n--\n\n").map_or(self.doc, |(_, doc)| doc)
    }

    /// The type, made on first use.
    #[inline(always)]
    pub fn ty(&'static self) -> &'static Type {
        let pointer = self.cell.load(Acquire);
        if pointer.is_null() {
            return self.create();
        }
        // SAFETY: set once by `create` to an immortal type.
        unsafe { &*pointer }
    }

    /// A new reference to the type as a value.
    pub fn value(&'static self) -> Value {
        object::to_value(self.ty())
    }

    #[cold]
    fn create(&'static self) -> &'static Type {
        // A re-entrant lock: making a type makes the types of what it contains.
        let _guard = CREATION.lock();
        let existing = self.cell.load(Acquire);
        if !existing.is_null() {
            // SAFETY: as in `ty`.
            return unsafe { &*existing };
        }
        let base = self
            .base
            .map(|spec| spec.ty())
            .or_else(|| if std::ptr::eq(self, &OBJECT) { None } else { Some(OBJECT.ty()) });
        // Making the base may have made this type too.
        let existing = self.cell.load(Acquire);
        if !existing.is_null() {
            // SAFETY: as in `ty`.
            return unsafe { &*existing };
        }
        let ty = Type::allocate_static(self, base);
        ty.fill_static();
        ty
    }
}

static CREATION: ReentrantLock = ReentrantLock::new();

/// A lock that its holder may take again; used only while built-in types come into being.
struct ReentrantLock {
    holder: AtomicU64,
    depth: AtomicU32,
}

struct ReentrantGuard<'a>(&'a ReentrantLock);

impl ReentrantLock {
    const fn new() -> Self {
        ReentrantLock { holder: AtomicU64::new(0), depth: AtomicU32::new(0) }
    }
    fn lock(&self) -> ReentrantGuard<'_> {
        thread_local!(static ME: u8 = const { 0 });
        let me = ME.with(|byte| byte as *const u8 as u64);
        if self.holder.load(Acquire) != me {
            while self.holder.compare_exchange(0, me, AcqRel, Relaxed).is_err() {
                std::thread::yield_now();
            }
        }
        self.depth.fetch_add(1, Relaxed);
        ReentrantGuard(self)
    }
}
impl Drop for ReentrantGuard<'_> {
    fn drop(&mut self) {
        if self.0.depth.fetch_sub(1, Relaxed) == 1 {
            self.0.holder.store(0, Release);
        }
    }
}

impl Type {
    fn blank(header: Header, name: &str, base: Option<&Type>, spec: Option<&'static TypeSpec>) -> Type {
        let model = spec.map(|s| (s.dealloc, s.traverse, s.clear)).or(base.map(|b| (b.dealloc, b.traverse, b.clear)));
        let (dealloc, traverse, clear) = model.expect("a type has a spec or a base");
        Type {
            header,
            name: ObjectCell::new(name.into()),
            flags: AtomicU64::new(0),
            version: AtomicU32::new(0),
            root_shape: AtomicU32::new(0),
            dict_shape: AtomicU32::new(0),
            shapes: ObjectCell::new(Vec::new()),
            basicsize: Cell::new(base.map_or(0, |b| b.basicsize.get())),
            itemsize: Cell::new(base.map_or(0, |b| b.itemsize.get())),
            inline_slots: Cell::new(0),
            instances: Cell::new(0),
            overflows: Cell::new(0),
            used_slots: Cell::new(0),
            dealloc,
            traverse,
            clear,
            slots: UnsafeCell::new(Slots::default()),
            own_dict: Cell::new(spec.and_then(|s| s.own_dict).or(base.and_then(|b| b.own_dict.get()))),
            base: ObjectCell::new(base.map(object::to_ref)),
            bases: ObjectCell::new(None),
            mro: ObjectCell::new(None),
            dict: ObjectCell::new(None),
            qualname: ObjectCell::new(None),
            subclasses: ObjectCell::new(Vec::new()),
            cached: ObjectCell::new(Vec::new()),
            shadowed: ObjectCell::new(Vec::new()),
            slot_members: ObjectCell::new(Vec::new()),
            spec,
            #[cfg(feature = "free-threading")]
            beside: std::sync::atomic::AtomicU8::new(match spec {
                Some(spec) if spec.flags & flag::USED_BESIDE != 0 => beside::USE,
                _ => 0,
            }),
        }
    }

    /// Memory and slots of a built-in type; its cell is set before anything can ask for the type again.
    fn allocate_static(spec: &'static TypeSpec, base: Option<&Type>) -> &'static Type {
        let metatype = spec.metatype.map(|spec| spec.ty());
        let size = metatype.map_or(size_of::<Type>(), |ty| ty.instance_size().max(size_of::<Type>()));
        let block = crate::heap::allocate(size, Kind::Container).expect("memory for a built-in type");
        let pointer = block.as_ptr().cast::<Type>();
        // The header's type pointer is set once `type` itself exists; a static type is immortal.
        // SAFETY: the block has room for a `Type` and what its metatype adds; `TYPE.cell` may be null only while
        // `type`/`object` are made.
        unsafe {
            pointer.add(1).cast::<u8>().write_bytes(0, size - size_of::<Type>());
            let meta = TYPE.cell.load(Acquire);
            let header = Header::new(&*if meta.is_null() { pointer } else { meta });
            pointer.write(Type::blank(header, spec.name, base, Some(spec)));
            let ty: &'static Type = &*pointer;
            ty.header.make_immortal();
            ty.basicsize.set(spec.basicsize as u32);
            ty.itemsize.set(spec.itemsize as u32);
            let inherited = base.map_or(0, |b| b.flags.load(Relaxed) & flag::INHERITED & !flag::HAVE_GC);
            ty.flags.store(spec.flags | inherited | flag::IMMUTABLETYPE, Relaxed);
            let slots = &mut *ty.slots.get();
            (spec.slots)(slots);
            let own_new = slots.new.is_some();
            if let Some(base) = base {
                slots.inherit(base.slots());
                // `object.__new__` makes no instances of another layout, and some types have none to be made at all.
                let of_object = base.spec.is_some_and(|base| std::ptr::eq(base, &OBJECT));
                let other_layout = of_object && spec.basicsize != OBJECT.basicsize;
                if !own_new && (other_layout || spec.flags & flag::DISALLOW_INSTANTIATION != 0) {
                    slots.new = None;
                }
            }
            if slots.finalize.is_some() {
                ty.set_flags(flag::NEEDS_FINALIZE);
            }
            spec.cell.store(pointer, Release);
            let metatype = metatype.unwrap_or_else(|| TYPE.ty());
            if !std::ptr::eq(spec, &TYPE) {
                ty.header.set_type_pointer(metatype);
            }
            ty.header.set_shape_id(metatype.root_shape());
            ty.root_shape.store(crate::shape::new_root(ty, 0), Relaxed);
            ty
        }
    }

    /// Bases and MRO of a built-in type.
    fn fill_static(&'static self) {
        let spec = self.spec.expect("static types have a spec");
        let base = self.base();
        let second = spec.second_base.map(|spec| spec.ty());
        let bases: Vec<Value> = base.iter().chain(&second).map(|b| object::to_value(*b)).collect();
        let chain = |first: Option<&'static Type>| std::iter::successors(first, |ty| ty.base());
        // What both bases descend from comes last.
        let shared = |ty: &&Type| second.is_some_and(|second| second.is_subtype(ty));
        let mut mro = vec![object::to_value(self)];
        mro.extend(chain(base).filter(|ty| !shared(ty)).map(object::to_value));
        mro.extend(chain(second).filter(|ty| base.is_none_or(|base| !base.is_subtype(ty))).map(object::to_value));
        mro.extend(chain(base).filter(shared).map(object::to_value));
        *self.bases.borrow(&self.header) = Some(Tuple::from_vec(bases));
        *self.mro.borrow(&self.header) = Some(Tuple::from_vec(mro));
        for base in base.iter().chain(&second) {
            base.subclasses.borrow(&base.header).push(NonNull::from(self));
        }
        self.set_flags(flag::READY);
    }

    /// Makes the namespace of a built-in type.
    #[cold]
    fn fill_dict(&self) -> Ref<Dict> {
        let _guard = CREATION.lock();
        let existing = self.dict.borrow(&self.header).clone();
        if let Some(existing) = existing {
            return existing;
        }
        let spec = self.spec.expect("only built-in types come into being without a namespace");
        let dict = Dict::new();
        // Filling it asks for it.
        *self.dict.borrow(&self.header) = Some(dict.clone());
        crate::native::fill_type_dict(spec.ty(), spec);
        if let Some(populate) = spec.populate {
            populate(self);
        }
        dict
    }

    /// A class made at run time (`type.__new__` fills the rest): no dict entries, no MRO yet.
    pub fn new_heap(meta: &Type, name: &str, base: &Type, bases: Ref<Tuple>, dict: Ref<Dict>) -> Ref<Type> {
        let mut ty = Type::blank(Header::new(meta), name, Some(base), None);
        *ty.bases.get_mut() = Some(bases);
        *ty.dict.get_mut() = Some(dict);
        let inherited = base.flags.load(Relaxed) & flag::INHERITED;
        ty.flags.store(flag::HEAPTYPE | flag::BASETYPE | flag::HAVE_GC | inherited, Relaxed);
        if !base.has_flags(flag::VAR_SIZED) {
            ty.inline_slots.set(base.inline_slots.get().max(FIRST_INLINE_SLOTS));
        }
        let ty = Ref::<Type>::new_with_type(meta, ty);
        ty.root_shape.store(crate::shape::new_root(&ty, ty.inline_slots.get()), Relaxed);
        ty
    }

    #[inline(always)]
    pub fn slots(&self) -> &Slots {
        // SAFETY: written only during creation or with the world stopped (`update_slots`).
        unsafe { &*self.slots.get() }
    }

    /// Replaces the slots.
    ///
    /// # Safety
    /// No other thread runs Python code.
    pub unsafe fn set_slots(&self, slots: Slots) {
        // SAFETY: exclusive by contract.
        unsafe { *self.slots.get() = slots };
    }

    /// How the eval loop calls instances.
    #[inline(always)]
    pub fn called(&self) -> Called {
        // SAFETY: only `TypeSpec::called` writes these bits.
        unsafe { std::mem::transmute((self.flags.load(Relaxed) >> flag::CALLED_SHIFT) as u8) }
    }

    #[inline(always)]
    pub fn has_flags(&self, flags: u64) -> bool {
        self.flags.load(Relaxed) & flags == flags
    }
    pub fn set_flags(&self, flags: u64) {
        self.flags.fetch_or(flags, Relaxed);
    }
    pub fn clear_flags(&self, flags: u64) {
        self.flags.fetch_and(!flags, Relaxed);
    }
    pub fn flags(&self) -> u64 {
        self.flags.load(Relaxed)
    }
    /// `__flags__`: the types of CPython's extension modules are heap types, and tell by that.
    pub fn shown_flags(&self) -> u64 {
        let mut flags = self.flags() & 0xFFFF_FFFF;
        if self.has_dict() {
            flags |= flag::MANAGED_DICT;
            if !self.has_flags(flag::VAR_SIZED) && self.itemsize.get() == 0 {
                flags |= flag::INLINE_VALUES;
            }
        }
        let is_extension = self.spec.is_some_and(|spec| {
            spec.name.split_once('.').is_some_and(|(module, _)| !matches!(module, "types" | "typing"))
        });
        if is_extension || self.has_flags(flag::SHOWN_AS_HEAPTYPE) { flags | flag::HEAPTYPE } else { flags }
    }

    #[inline(always)]
    pub fn is_heap_type(&self) -> bool {
        self.has_flags(flag::HEAPTYPE)
    }
    /// Where the version is in a type, for compiled code.
    pub const VERSION_OFFSET: usize = std::mem::offset_of!(Type, version);

    #[inline(always)]
    pub fn is_container(&self) -> bool {
        self.has_flags(flag::HAVE_GC)
    }
    #[inline(always)]
    pub fn needs_finalize(&self) -> bool {
        self.has_flags(flag::NEEDS_FINALIZE)
    }
    /// Whether instances have attributes of their own.
    #[inline(always)]
    pub fn has_dict(&self) -> bool {
        self.has_flags(flag::HAS_DICT)
    }
    /// Whether instances keep a namespace in their payload.
    pub fn has_own_dict(&self) -> bool {
        self.own_dict.get().is_some()
    }
    #[inline(always)]
    pub fn root_shape(&self) -> u32 {
        self.root_shape.load(Relaxed)
    }

    /// `tp_name`, which messages show: dotted for built-in types outside `builtins`.
    pub fn name(&self) -> String {
        self.name.borrow(&self.header).to_string()
    }
    /// As [`Type::name`]; types made at run time that cannot be changed (struct sequences) have their module, too.
    pub fn full_name(&self) -> String {
        if self.has_flags(type_flags::IMMUTABLETYPE) { self.qualified_name() } else { self.name() }
    }
    /// The qualified name, after that of the module unless it is `builtins` or `__main__` (`%T` in CPython's messages).
    pub fn qualified_name(&self) -> String {
        if !self.is_heap_type() {
            return self.name();
        }
        let module = self.dict().get_str(&crate::vm::names().__module__);
        let text = |value: &Value| value.downcast::<Str>().map(Str::to_string_lossy);
        let qualname = self.qualname.borrow(&self.header).as_ref().and_then(text).unwrap_or_else(|| self.name());
        match module.as_ref().and_then(text) {
            Some(module) if module != "builtins" && module != "__main__" => format!("{module}.{qualname}"),
            _ => qualname,
        }
    }
    /// `__name__`: the last component (`_PyType_Name`).
    pub fn short_name(&self) -> String {
        self.with_short_name(str::to_owned)
    }
    /// Calls `f`, which runs no Python code, with `__name__`.
    pub(crate) fn with_short_name<R>(&self, f: impl FnOnce(&str) -> R) -> R {
        let name = self.name.borrow(&self.header);
        f(if self.is_heap_type() { &name } else { name.rsplit('.').next().unwrap_or("") })
    }
    pub fn set_name(&self, name: &str) {
        *self.name.borrow(&self.header) = name.into();
    }

    /// The namespace; that of a built-in type comes into being when it is first asked for.
    pub fn dict(&self) -> Ref<Dict> {
        let dict = self.dict.borrow(&self.header).clone();
        dict.unwrap_or_else(|| self.fill_dict())
    }
    pub fn base(&self) -> Option<&Type> {
        let base = self.base.borrow(&self.header);
        // SAFETY: a type keeps its base alive; `__bases__` assignment keeps the old base in the MRO of running lookups.
        base.as_ref().map(|base| unsafe { &*(&**base as *const Type) })
    }
    /// The method resolution order; `None` while the type is being made.
    pub fn mro(&self) -> Option<Ref<Tuple>> {
        self.mro.borrow(&self.header).clone()
    }
    pub fn bases(&self) -> Option<Ref<Tuple>> {
        self.bases.borrow(&self.header).clone()
    }
    /// `__subclasses__()`
    pub fn direct_subclasses(&self) -> Vec<Ref<Type>> {
        let subclasses = self.subclasses.borrow(&self.header);
        // SAFETY: a subclass removes itself from the list before it dies.
        subclasses.iter().map(|sub| object::to_ref(unsafe { sub.as_ref() })).collect()
    }

    /// Whether `other` is in this type's MRO.
    pub fn is_subtype(&self, other: &Type) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        // SAFETY: no Python code runs while the tuple is read, and replacing an MRO stops the world.
        if let Some(mro) = unsafe { &*self.mro.as_ptr() } {
            let address = other as *const Type as u64;
            return mro.as_slice().iter().any(|ty| ty.word() == address);
        }
        let mut ty = self.base();
        while let Some(base) = ty {
            if std::ptr::eq(base, other) {
                return true;
            }
            ty = base.base();
        }
        false
    }

    /// Bytes from the object's address on that an instance of fixed size takes, in-object slots included.
    #[inline]
    pub fn instance_size(&self) -> usize {
        let base = self.basicsize.get() as usize;
        if self.has_dict() { base + 8 + 8 * self.inline_slots.get() as usize } else { base }
    }

    /// How many `__slots__` members instances have at the end of their blocks.
    pub fn tail_members(&self) -> u32 {
        let mut count = 0;
        let mut next = Some(self);
        while let Some(ty) = next.filter(|ty| ty.is_heap_type()) {
            count += ty.slot_members.borrow(&ty.header).iter().filter(|(_, at)| at & creation::FROM_END != 0).count();
            next = ty.base();
        }
        count as u32
    }

    /// Counts an instance made, to settle how many in-object slots instances get.
    #[inline]
    pub(crate) fn note_instance(&self) {
        let made = self.instances.get();
        if made < LEARNING_INSTANCES {
            self.instances.set(made + 1);
            if made + 1 == SETTLING_INSTANCE {
                self.settle_inline_slots();
            }
        }
    }

    /// Later instances get as many in-object slots as the first ones used.
    #[cold]
    fn settle_inline_slots(&self) {
        let used = self.used_slots.get();
        if self.has_dict() && used != self.inline_slots.get() {
            self.inline_slots.set(used);
            self.root_shape.store(crate::shape::new_root(self, used), Relaxed);
        }
    }

    /// Whether the first instances are still being watched for the number of attributes they get.
    /// Whether the number of in-object slots of later instances may still change with the next one.
    #[cfg(feature = "free-threading")]
    pub fn is_settling(&self) -> bool {
        self.is_learning()
    }

    #[cfg(feature = "free-threading")]
    #[inline]
    pub fn is_allowed_beside(&self, bit: u8) -> bool {
        self.beside.load(Relaxed) & bit != 0
    }

    /// Says what may be done with instances while other threads run: bits of [`beside`].
    #[cfg(feature = "free-threading")]
    pub fn allow_beside(&self, bits: u8) {
        self.beside.fetch_or(bits, Relaxed);
    }

    pub(crate) fn is_learning(&self) -> bool {
        self.instances.get() < LEARNING_INSTANCES
    }

    /// Counts an instance that has more attributes than later ones would have room for; true if there have been so many that
    /// later ones shall have it.
    pub(crate) fn wants_more_slots(&self) -> bool {
        let overflows = self.overflows.get().saturating_add(1);
        self.overflows.set(overflows);
        self.used_slots.get() <= MOST_LEARNED_SLOTS && overflows.is_power_of_two() && overflows >= MANY_OVERFLOWS
    }

    /// To be called after any change to the type's namespace, bases or flags: invalidates what caches know of the
    /// type and of its subclasses.
    pub fn modified(&self) {
        lookup::invalidate(self);
    }

    /// Stores in the namespace of a type under construction or a built-in one.
    pub fn set_raw(&self, name: &str, value: Value) {
        self.dict().set_str(intern(name).as_value(), value);
    }

    pub fn to_value(&self) -> Value {
        object::to_value(self)
    }
    /// Whether this is the type that `spec` declares. (The pointer kept with the declaration is at a fixed address; what
    /// the type itself says would have to wait for the type's address.)
    #[inline(always)]
    pub fn is(&self, spec: &'static TypeSpec) -> bool {
        std::ptr::eq(self, spec.cell.load(Relaxed))
    }
    pub fn qualname_hint(&self) -> Ref<Str> {
        Str::new(&self.short_name())
    }
}

/// In-object slots of the first instances of a class: many a class has just one instance, with many attributes.
const FIRST_INLINE_SLOTS: u16 = 16;

/// With this instance the number of in-object slots becomes what those before it have used. It may grow after that.
const SETTLING_INSTANCE: u16 = 4;

/// After this many instances the number of in-object slots grows only when many overflow.
const LEARNING_INSTANCES: u16 = 64;

/// So many later instances must have got more attributes than they have slots before the number of slots grows again.
const MANY_OVERFLOWS: u32 = 32;

/// The number of slots does not grow beyond this once the first instances have been made.
const MOST_LEARNED_SLOTS: u16 = 32;

pub use crate::builtins::object::OBJECT;
pub use crate::builtins::type_object::TYPE;
