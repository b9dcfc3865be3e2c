//! Attribute lookup: along the MRO with a cache, the generic `__getattribute__`/`__setattr__`, and invalidation.
//!
//! A type's `version` stands for the outcome of every lookup on it; it is taken from a global counter when first
//! needed and dropped (with those of all subclasses) by [`invalidate`]. What inline caches need beyond a shape is
//! kept in `Type::cached`, an append-only list valid for one version ([`cached_index`]).

use crate::attributes;
use crate::builtins::dict::Dict;
use crate::builtins::str::Str;
use crate::header::{Header, object_flags};
use crate::heap;
use crate::object::Result;
use crate::types::{Type, type_flags};
use crate::value::Value;
use crate::vm::Vm;
use crate::vm::thread_table::{Hold, Spare};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering::*};

const CACHE_SIZE: usize = 4096;
/// So many entries are used at first: a small program is to touch few pages of the table.
const FIRST_CACHE_SIZE: usize = 512;
/// What `super` finds is asked for less often by this.
const AFTER_SHARE: usize = 8;

#[derive(Clone, Copy)]
struct Entry {
    version: u32,
    name: u64,
    /// Borrowed from a dict in the MRO: alive as long as the version is current. 0: the name is absent.
    value: u64,
}

/// What a thread found. It holds for other threads as well.
struct Caches {
    /// Bits of indices that are used beyond those of [`FIRST_CACHE_SIZE`].
    grown: usize,
    /// How often the names asked for were not there since it grew.
    misses: usize,
    found: [Entry; CACHE_SIZE],
    after: [AfterEntry; CACHE_SIZE / AFTER_SHARE],
}

impl Caches {
    /// The entry for a name of a type with this version.
    ///
    /// # Safety
    /// The caches are the thread's own.
    #[inline(always)]
    unsafe fn place(caches: *mut Caches, version: u32, name: &Value) -> *mut Entry {
        let hash = (version as u64).wrapping_mul(0x9E37_79B9) ^ (name.word() >> 4);
        // SAFETY: by contract; `grown` is less than the table's size.
        unsafe { (&raw mut (*caches).found).cast::<Entry>().add(hash as usize & Self::mask(caches)) }
    }

    /// # Safety
    /// The caches are the thread's own.
    #[inline(always)]
    unsafe fn mask(caches: *const Caches) -> usize {
        // SAFETY: by contract.
        unsafe { (*caches).grown | (FIRST_CACHE_SIZE - 1) }
    }

    /// Counts what was not there, and has the table grow when that was often. Then what it knows is found out anew.
    ///
    /// # Safety
    /// The caches are the thread's own.
    unsafe fn note_miss(caches: *mut Caches) {
        // SAFETY: by contract, and nothing else refers to these fields meanwhile.
        unsafe {
            (*caches).misses += 1;
            let size = Self::mask(caches) + 1;
            if (*caches).misses > 2 * size && size < CACHE_SIZE {
                (*caches).misses = 0;
                (*caches).grown = 2 * size - 1;
            }
        }
    }
}

static SPARE_CACHES: Spare<Caches> = Spare::new();

thread_local! {
    static CACHES: Cell<*mut Caches> = const { Cell::new(null_mut()) };
    // SAFETY: zeroed caches have no entry with a version, and entries are valid by their versions alone. Without the
    // address in its cell the thread finds nothing to use.
    static HELD_CACHES: Hold<Caches> = const { unsafe { Hold::new(&SPARE_CACHES, || CACHES.set(null_mut())) } };
}

/// The thread's caches; null if it is ending, or has no memory for them.
#[inline(always)]
fn caches() -> *mut Caches {
    let caches = CACHES.get();
    if caches.is_null() { get_caches() } else { caches }
}

#[cold]
#[inline(never)]
fn get_caches() -> *mut Caches {
    CACHES.set(HELD_CACHES.try_with(Hold::get).unwrap_or(null_mut()));
    CACHES.get()
}

static NEXT_VERSION: AtomicU32 = AtomicU32::new(1);

/// The type's version, assigned if it has none. 0 when the counter is exhausted: then nothing is cached.
#[inline]
pub fn version(ty: &Type) -> u32 {
    let version = ty.version.load(Relaxed);
    if version != 0 { version } else { assign_version(ty) }
}

/// The type's version if it has one, else 0: what inline caches compare with.
#[inline(always)]
pub fn current_version(ty: &Type) -> u32 {
    ty.version.load(Relaxed)
}

/// The value with this index in the type's list of cached values.
///
/// # Safety
/// [`cached_index`] gave the index for the version that the type still has.
#[inline(always)]
pub unsafe fn cached_value(ty: &Type, index: u16) -> &Value {
    // SAFETY: the list only grows while the version stands, and no Python code runs while the caller looks.
    unsafe { (&*ty.cached.as_ptr()).get_unchecked(index as usize) }
}

#[cold]
fn assign_version(ty: &Type) -> u32 {
    const NEVER: u64 = type_flags::UNVERSIONED | type_flags::ODD_NAMES;
    if NEXT_VERSION.load(Relaxed) == u32::MAX || ty.flags() & NEVER != 0 || ty.mro().is_none() {
        return 0;
    }
    // A type is invalidated through its bases, so these must know that somebody depends on them.
    let bases = ty.bases();
    let bases = bases.iter().flat_map(|bases| bases.as_slice()).filter_map(|base| base.downcast::<Type>());
    for base in bases {
        if self::version(base) == 0 {
            return 0;
        }
    }
    let version = NEXT_VERSION.fetch_add(1, Relaxed);
    ty.version.store(version, Relaxed);
    version
}

/// Drops the version of the type and of all its subclasses.
pub fn invalidate(ty: &Type) {
    if ty.version.swap(0, Relaxed) != 0 {
        let cached = std::mem::take(&mut *ty.cached.borrow(&ty.header));
        let subclasses = ty.subclasses.borrow(&ty.header).clone();
        for sub in subclasses {
            // SAFETY: a subclass removes itself from the list when it dies, and none dies in this loop: values
            // taken out of caches are dropped after it.
            invalidate(unsafe { sub.as_ref() });
        }
        drop(cached);
    }
}

/// A property, staticmethod or classmethod was initialised a second time: caches that hold what it wraps are void.
#[cold]
pub(crate) fn descriptor_changed() {
    invalidate(crate::builtins::object::OBJECT.ty());
}

/// The dict of a type in an MRO.
fn namespace(ty: &Value) -> Option<crate::object::Ref<Dict>> {
    ty.downcast::<Type>().map(Type::dict)
}

/// Looks `name` (an interned string) up along the MRO, without binding.
#[inline]
pub fn find(ty: &Type, name: &Value) -> Option<Value> {
    let version = version(ty);
    if version == 0 {
        return find_uncached(ty, name);
    }
    let caches = caches();
    if caches.is_null() {
        return find_uncached(ty, name);
    }
    // SAFETY: the thread's own.
    let place = unsafe { Caches::place(caches, version, name) };
    // SAFETY: nothing else uses the entry meanwhile.
    let entry = unsafe { *place };
    if entry.version == version && entry.name == name.word() {
        if entry.value == 0 {
            return None;
        }
        // SAFETY: the version is current, so the namespace still owns the value.
        return Some(unsafe { Value::borrow_word(&entry.value) }.clone());
    }
    // This may look up other names: the namespaces of built-in types are made when they are first asked for.
    let found = find_uncached(ty, name);
    if is_interned(name) {
        let entry = Entry { version, name: name.word(), value: found.as_ref().map_or(0, Value::word) };
        // SAFETY: as above.
        unsafe {
            place.write(entry);
            Caches::note_miss(caches);
        }
    }
    found
}

/// What [`find`] gives, borrowed, if it is known from before; null if not, or if there is nothing.
///
/// # Safety
/// The object is not used any more once Python code may have run.
#[inline(always)]
pub unsafe fn find_known(ty: &Type, name: &Value) -> *const Header {
    let (version, caches) = (current_version(ty), caches());
    if caches.is_null() {
        return std::ptr::null();
    }
    // SAFETY: the thread's own, and nothing else uses the entry meanwhile.
    let entry = unsafe { *Caches::place(caches, version, name) };
    if version == 0 || entry.version != version || entry.name != name.word() || entry.value & 7 != 0 {
        return std::ptr::null();
    }
    entry.value as *const Header
}

/// What [`find_after`] found. Valid like an [`Entry`].
#[derive(Clone, Copy)]
struct AfterEntry {
    version: u32,
    class: u64,
    name: u64,
    value: u64,
}

/// As [`find`], in what follows `class` in the MRO of `ty` (what `super` looks at).
pub fn find_after(ty: &Type, class: &Value, name: &Value) -> Option<Value> {
    let version = version(ty);
    if version == 0 {
        return find_after_uncached(ty, class, name);
    }
    let mixed = (version as u64).wrapping_mul(0x9E37_79B9) ^ (class.word() >> 4).wrapping_mul(5) ^ (name.word() >> 4);
    let caches = caches();
    if caches.is_null() {
        return find_after_uncached(ty, class, name);
    }
    // SAFETY: the thread's own, and the index is below the size.
    let place = unsafe {
        let at = mixed as usize & (Caches::mask(caches) / AFTER_SHARE);
        (&raw mut (*caches).after).cast::<AfterEntry>().add(at)
    };
    // SAFETY: nothing else uses the entry meanwhile.
    let entry = unsafe { *place };
    if entry.version == version && entry.class == class.word() && entry.name == name.word() {
        // SAFETY: the version is current, so the namespace still owns the value.
        return Some(unsafe { Value::borrow_word(&entry.value) }.clone());
    }
    let found = find_after_uncached(ty, class, name)?;
    if is_interned(name) {
        let entry = AfterEntry { version, class: class.word(), name: name.word(), value: found.word() };
        // SAFETY: as above.
        unsafe { place.write(entry) };
    }
    Some(found)
}

fn find_after_uncached(ty: &Type, class: &Value, name: &Value) -> Option<Value> {
    let mro = ty.mro()?;
    let at = mro.as_slice().iter().position(|base| base.is(class))?;
    mro.as_slice()[at + 1..].iter().find_map(|base| namespace(base)?.get_str(name))
}

fn is_interned(name: &Value) -> bool {
    name.downcast_exact::<Str>().is_some_and(Str::is_interned)
}

fn find_uncached(ty: &Type, name: &Value) -> Option<Value> {
    let mro = ty.mro()?;
    mro.as_slice().iter().find_map(|base| namespace(base)?.get_str(name))
}

/// As [`find`], for who looks an attribute up: a class may have names that are no strings, with which to compare.
#[inline]
pub fn find_attribute(vm: &Vm, ty: &Type, name: &Value) -> Result<Option<Value>> {
    if ty.has_flags(type_flags::ODD_NAMES) { find_comparing(vm, ty, name) } else { Ok(find(ty, name)) }
}

#[cold]
fn find_comparing(vm: &Vm, ty: &Type, name: &Value) -> Result<Option<Value>> {
    let Some(mro) = ty.mro() else { return Ok(None) };
    for base in mro.as_slice() {
        if let Some(dict) = namespace(base)
            && let Some(found) = dict.get(vm, name)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// As [`find`], also telling in which class of the MRO the name was found.
pub fn find_with_owner(ty: &Type, name: &Value) -> Option<(Value, Value)> {
    let mro = ty.mro()?;
    mro.as_slice().iter().find_map(|base| Some((namespace(base)?.get_str(name)?, base.clone())))
}

/// For inline caches: the type's version and the index in `Type::cached` of the value that `name` has there.
pub fn cached_index(ty: &Type, value: &Value) -> Option<(u32, u16)> {
    let version = version(ty);
    if version == 0 {
        return None;
    }
    let mut cached = ty.cached.borrow(&ty.header);
    let at = match cached.iter().position(|v| v.word() == value.word()) {
        Some(at) => at,
        None if cached.len() < u16::MAX as usize => {
            if let Some(header) = value.as_object() {
                header.set_flag(object_flags::CACHED);
            }
            cached.push(value.clone());
            cached.len() - 1
        }
        None => return None,
    };
    Some((version, at as u16))
}

/// How many classes hold the object for inline caches, beside the references that Python code has made.
pub fn cache_references(header: &Header) -> u64 {
    if !header.has_flag(object_flags::CACHED) {
        return 0;
    }
    let word = header as *const Header as u64;
    let mut count = 0;
    heap::for_each_container(&mut |block| {
        // SAFETY: the walker visits live objects; those whose type has the flag are classes.
        unsafe {
            let object = block.cast::<Header>().as_ref();
            if object.ty().has_flags(type_flags::TYPE_SUBCLASS) {
                let cached = &*block.cast::<Type>().as_ref().cached.as_ptr();
                count += cached.iter().filter(|value| value.word() == word).count() as u64;
            }
        }
    });
    if count == 0 {
        header.clear_flag(object_flags::CACHED);
    }
    count
}

/// Told when instances of `ty` get a new attribute: if the class has the name too, lookups through the class alone
/// are no longer valid for instances.
pub fn note_instance_attribute(ty: &Type, name: &Value) {
    if find(ty, name).is_some() && !is_shadowed(ty, name) {
        ty.shadowed.borrow(&ty.header).push(name.clone());
        ty.set_flags(type_flags::HAS_SHADOWED);
        invalidate(ty);
    }
}

/// Whether some instance of exactly this type has an attribute of this name in a slot.
pub fn is_shadowed(ty: &Type, name: &Value) -> bool {
    ty.has_flags(type_flags::HAS_SHADOWED)
        && ty.shadowed.borrow(&ty.header).iter().any(|shadowed| shadowed.word() == name.word())
}

/// `object.__getattribute__`: data descriptor, instance attribute, other class attribute.
pub fn generic_getattr(vm: &Vm, this: &Value, name: &Value) -> Result {
    match generic_getattr_opt(vm, this, name)? {
        Some(value) => Ok(value),
        None => Err(vm.no_attribute(this, name)),
    }
}

/// As [`generic_getattr`]; `None` instead of an `AttributeError` when nothing has the name.
pub fn generic_getattr_opt(vm: &Vm, this: &Value, name: &Value) -> Result<Option<Value>> {
    let ty = this.ty();
    let descriptor = find_attribute(vm, ty, name)?;
    if let Some(descriptor) = &descriptor
        && let slots = descriptor.ty().slots()
        && slots.descr_set.is_some()
        && let Some(get) = slots.descr_get
    {
        return get(vm, descriptor, Some(this), Some(&ty.to_value())).map(Some);
    }
    if let Some(header) = this.as_object()
        && let Some(value) = instance_attribute(vm, header, name)?
    {
        return Ok(Some(value));
    }
    match descriptor {
        Some(descriptor) => match descriptor.ty().slots().descr_get {
            Some(get) => get(vm, &descriptor, Some(this), Some(&ty.to_value())).map(Some),
            None => Ok(Some(descriptor)),
        },
        None => Ok(None),
    }
}

/// What the object itself has under the name. A namespace may have keys that are no strings, with which to compare.
fn instance_attribute(vm: &Vm, header: &crate::header::Header, name: &Value) -> Result<Option<Value>> {
    match header.ty().slots_dict(header) {
        Some(dict) => dict.get(vm, name),
        None if header.ty().has_flags(type_flags::TYPE_SUBCLASS) => {
            // The namespace of a class is its instance dict for `object.__getattribute__`.
            // SAFETY: objects whose type has the flag are classes.
            unsafe { &*(header as *const crate::header::Header as *const Type) }.dict().get(vm, name)
        }
        None => match attributes::materialized(header) {
            Some(dict) if header.ty().has_dict() => dict.get(vm, name),
            _ => Ok(attributes::get(header, name)),
        },
    }
}

impl Type {
    /// The namespace of objects of built-in types that keep one in their payload (modules, functions): set through
    /// [`crate::native::own_dict`].
    #[inline]
    fn slots_dict(&self, header: &crate::header::Header) -> Option<crate::object::Ref<Dict>> {
        crate::native::own_dict(self, header)
    }

    /// The shape of instances in dictionary mode.
    pub fn dict_mode_shape(&self) -> u32 {
        // Instances in dictionary mode share no slots: an empty shape of capacity 0 that is never extended.
        let existing = self.dict_shape.load(Relaxed);
        if existing != 0 {
            return existing;
        }
        let id = crate::shape::new_root(self, 0);
        self.dict_shape.store(id, Relaxed);
        id
    }
}

/// `object.__setattr__` and `object.__delattr__`.
pub fn generic_setattr(vm: &Vm, this: &Value, name: &Value, value: Option<&Value>) -> Result<()> {
    let ty = this.ty();
    let descriptor = find(ty, name);
    if let Some(descriptor) = &descriptor
        && let Some(set) = descriptor.ty().slots().descr_set
    {
        return set(vm, descriptor, this, value);
    }
    let header = this.as_object();
    let own = header.and_then(|header| crate::native::own_dict_for_write(ty, header));
    if let Some(dict) = own {
        return match value {
            Some(value) => {
                dict.set_str(name, value.clone());
                Ok(())
            }
            None => match dict.remove_str(name) {
                Some(_) => Ok(()),
                None => Err(vm.no_attribute(this, name)),
            },
        };
    }
    match (header, value) {
        (Some(header), Some(value)) if ty.has_dict() => {
            attributes::set(header, name, value.clone());
            Ok(())
        }
        (Some(header), None) if ty.has_dict() => match attributes::delete(header, name) {
            Some(_) => Ok(()),
            None => Err(vm.no_attribute(this, name)),
        },
        _ => {
            let type_name = ty.name();
            let name_text = vm.display_name(name);
            let message = match &descriptor {
                Some(_) => format!("'{type_name}' object attribute '{name_text}' is read-only"),
                None if ty.slots().setattro.is_some_and(is_generic_setattr) => format!(
                    "'{type_name}' object has no attribute '{name_text}' and no __dict__ for setting new attributes"
                ),
                None => format!("'{type_name}' object has no attribute '{name_text}'"),
            };
            Err(vm.attribute_error_for(message, this, name))
        }
    }
}

pub fn is_generic_setattr(f: crate::types::slots::SetAttr) -> bool {
    std::ptr::fn_addr_eq(f, generic_setattr as crate::types::slots::SetAttr)
}
pub fn is_generic_getattr(f: crate::types::slots::Binary) -> bool {
    std::ptr::fn_addr_eq(f, generic_getattr as crate::types::slots::Binary)
}

/// Whether attributes of instances are found as `object.__getattribute__` finds them. (What is not found may still be for the
/// class's `__getattr__` to say.)
pub fn looks_up_generically(ty: &Type) -> bool {
    let Some(getattro) = ty.slots().getattro else { return false };
    is_generic_getattr(getattro)
        || super::slot_dispatch::is_dunder_getattr(getattro)
            && find(ty, &crate::vm::names().__getattribute__).is_none_or(|method| is_object_getattribute(&method))
}

/// Whether `method` is `object.__getattribute__` itself.
pub fn is_object_getattribute(method: &Value) -> bool {
    crate::native::wrapped_slot_is(
        method,
        |f| matches!(f, crate::types::slots::SlotFn::Binary(f) if is_generic_getattr(f)),
    )
}
