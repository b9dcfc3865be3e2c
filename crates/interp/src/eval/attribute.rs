//! Attributes, with inline caches.
//!
//! A cache is two words: {shape: 32, index: 16, kind: 8} and {type version: 32, new shape: 32}. The object's shape tells
//! its type and which names are in which slots; the version says that no lookup on the type has changed since. The
//! first word's kind says what the index means.

use std::cell::UnsafeCell;

use taipan_object::attributes;
use taipan_object::builtins::dict::Entry;
use taipan_object::builtins::method;
use taipan_object::builtins::property::{self, PROPERTY};
use taipan_object::builtins::staticmethod::{self, CLASSMETHOD, STATICMETHOD};
use taipan_object::builtins::super_object::{self, SUPER};
use taipan_object::builtins::type_object::is_getattro;
#[cfg(feature = "free-threading")]
use taipan_object::count::is_shared;
use taipan_object::header::{Header, object_flags};
use taipan_object::native::descriptors;
use taipan_object::native::member::{MemberDescriptor, Place};
use taipan_object::native::module::{MODULE, Module};
use taipan_object::native::own_dict;
use taipan_object::shape;
use taipan_object::types::creation::FROM_END;
use taipan_object::types::{TYPE, Type, lookup, type_flags};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use super::{Flow, Machine, release_operands, variant, variant2, view, word_of};
use crate::frame::{is_pointer, release_live, retain_live};
use crate::function::{FUNCTION, Function};
use crate::instruction::{A_LOCAL, B_OWNED, FAILURES, Fetched, LENDS, LENT, ONE_FAILURE, Op, VARIANT, Word};

/// The index is that of a word of the object.
pub(super) const SLOT: u64 = 1;
/// The index is in the type's list of cached values; the value is no method.
pub(super) const VALUE: u64 = 2;
/// As `VALUE`, for a method that gets `self`.
pub(super) const METHOD: u64 = 3;
/// The object is a class: the version is its own, and so is the list; instead of a new shape there is its metatype's version.
pub(super) const CLASS_VALUE: u64 = 4;
/// The object is a module: the version is its dict's keys version, the index an entry.
pub(super) const MODULE_ENTRY: u64 = 5;
/// Of a store: the attribute is new; the object gets the new shape.
pub(super) const NEW_SLOT: u64 = 6;
/// The value in the type's list is the getter of a property, a Python function of one argument.
pub(super) const PROPERTY_GETTER: u64 = 7;
/// The object is a class, the value in its list a method that gets the class.
pub(super) const CLASS_METHOD: u64 = 8;
/// The index is that of a slot in the object's overflow array.
pub(super) const OVERFLOW_SLOT: u64 = 9;
/// The value in the type's list is a descriptor of a built-in type, which is to be asked for the object.
const DESCRIPTOR: u64 = 10;
/// The object is a class, as for `CLASS_VALUE`, and the value in its list a descriptor, which is to be asked for the class.
const CLASS_DESCRIPTOR: u64 = 11;
/// The value in the type's list is a method that gets the object's class.
const METHOD_OF_CLASS: u64 = 12;
/// The object is no heap object, and the value in its type's list a method. There is no shape: the version tells the type.
const IMMEDIATE_METHOD: u64 = 13;
/// The object has its attributes in a dict, as the kinds from here on; the index is that of the entry in which one had the
/// name.
const DICT_ENTRY: u64 = 14;
/// As `VALUE`, if the object's dict does not have the name.
const VALUE_BESIDE_DICT: u64 = 15;
/// As `METHOD`, if the object's dict does not have the name.
const METHOD_BESIDE_DICT: u64 = 16;

/// In place of a shape where an object has none. No object has it for its shape.
const NO_SHAPE: u32 = u32::MAX;

#[inline(always)]
pub(super) fn kind(cache: u64) -> u64 {
    cache >> 48 & 0xFF
}

#[inline(always)]
pub(super) fn index(cache: u64) -> usize {
    (cache >> 32) as u16 as usize
}

/// The two cache words behind an instruction. Their parts are loaded when they are needed.
#[derive(Clone, Copy)]
struct Site(*const u64);

impl Site {
    /// # Safety
    /// (of all of them) The words are there. Volatile, as LLVM would load whole words and cut the parts out.
    #[inline(always)]
    unsafe fn shape(self) -> u32 {
        // SAFETY: by contract.
        unsafe { self.0.cast::<u32>().read_volatile() }
    }

    #[inline(always)]
    unsafe fn index(self) -> usize {
        // SAFETY: by contract.
        unsafe { self.0.cast::<u16>().add(2).read_volatile() as usize }
    }

    #[inline(always)]
    unsafe fn kind(self) -> u64 {
        // SAFETY: by contract.
        unsafe { self.0.cast::<u8>().add(6).read_volatile() as u64 }
    }

    #[inline(always)]
    unsafe fn version(self) -> u32 {
        // SAFETY: by contract.
        unsafe { self.0.add(1).cast::<u32>().read_volatile() }
    }

    /// The shape that a store gives, or a metatype's version.
    #[inline(always)]
    unsafe fn other(self) -> u32 {
        // SAFETY: by contract.
        unsafe { self.0.add(1).cast::<u32>().add(1).read_volatile() }
    }

    /// Whether the cache is one for the shape of `object` and for its type as it is now.
    ///
    /// # Safety
    /// `object` is live.
    #[inline(always)]
    unsafe fn fits(self, object: u64) -> bool {
        // SAFETY: by contract.
        unsafe {
            object & 7 == 0 && {
                let header = &*(object as *const Header);
                header.shape_id() == self.shape() && lookup::current_version(header.ty()) == self.version()
            }
        }
    }

    /// The value in the list of `ty`, the type of an object that the cache fits, or the class itself that it is for.
    #[inline(always)]
    unsafe fn value_of(self, ty: &Type) -> u64 {
        // SAFETY: by contract.
        unsafe { lookup::cached_value(ty, self.index() as u16).word() }
    }
}

/// Whether [`cached`] can find something by a cache of this kind.
#[inline(always)]
fn is_direct(cache: u64) -> bool {
    let kind = kind(cache);
    kind != 0 && kind <= OVERFLOW_SLOT && kind != PROPERTY_GETTER
}

/// Whether something is to be done with what a cache of this kind has.
#[inline(always)]
fn is_indirect(cache: u64) -> bool {
    let kind = kind(cache);
    kind == PROPERTY_GETTER || (DESCRIPTOR..DICT_ENTRY).contains(&kind)
}

struct Cache {
    first: u64,
    second: u64,
}

impl Cache {
    fn new(kind: u64, shape: u32, index: usize, version: u32, new_shape: u32) -> Option<Cache> {
        if shape == 0 || version == 0 || index > 0xFFFF {
            return None;
        }
        Some(Cache {
            first: shape as u64 | (index as u64) << 32 | kind << 48,
            second: version as u64 | (new_shape as u64) << 32,
        })
    }

    /// # Safety
    /// `at` points to the cache words of an instruction, for which the cache fits `object`, if it is a method's.
    unsafe fn store(self, object: u64, at: *mut u64) {
        // SAFETY: by contract.
        unsafe {
            *at = 0;
            *at.add(1) = self.second;
            *at = self.first;
            quicken(at.sub(1), kind(self.first), object);
        }
    }
}

/// Writes the instruction at `at`, whose cache is of that kind, as one for just that, if it is of the simplest form and has not
/// been one too often: classes find out what their instances need, so that the first ones have several shapes.
///
/// # Safety
/// `at` points to an instruction with caches.
#[inline(always)]
unsafe fn quicken(at: *mut u64, kind: u64, object: u64) {
    // SAFETY: by contract.
    unsafe {
        let w = Word::decode(*at);
        if w.flags() & FAILURES == FAILURES {
            return;
        }
        let flags = w.flags() & !FAILURES;
        let quick = match (Op::from_u8(w.op()), kind) {
            (Some(Op::LoadAttr), SLOT) if flags & !(A_LOCAL | LENT) == 0 => Op::LoadSlot,
            (Some(Op::LoadAttr), SLOT) if flags & !LENT == LENDS => Op::LendSlot,
            (Some(Op::LoadAttr), CLASS_VALUE | MODULE_ENTRY) if flags & !(A_LOCAL | LENT) == 0 => Op::LoadNamespace,
            (Some(Op::LoadMethod), CLASS_VALUE | MODULE_ENTRY) if flags == LENT => Op::LoadFunction,
            (Some(Op::LoadMethod), METHOD) if flags == VARIANT => Op::LoadOwnMethod,
            (Some(Op::LoadMethod), METHOD) if flags == B_OWNED || flags == LENT => Op::LoadMovedMethod,
            (Some(Op::StoreAttr), SLOT) => Op::StoreSlot,
            (Some(Op::StoreAttr), NEW_SLOT) => Op::StoreNewSlot,
            _ => return,
        };
        if kind == METHOD {
            *at.add(3) = Site(at.add(1)).value_of(view(&object).ty());
        }
        *at = w.with_op(quick).encode();
    }
}

/// What a cache in the table of all sites is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Load,
    Method,
    Store,
}

/// A cache that some site had for a shape and name.
#[derive(Clone, Copy)]
struct Shared {
    name: u64,
    shape: u32,
    used: Use,
    first: u64,
    second: u64,
}

/// How many caches are shared: for sites that see objects of many shapes in turn.
const SHARED: usize = 2048;

thread_local! {
    static SHARED_CACHES: UnsafeCell<[Shared; SHARED]> = const {
        UnsafeCell::new([Shared { name: 0, shape: 0, used: Use::Load, first: 0, second: 0 }; SHARED])
    };
}

fn shared_index(shape: u32, name: &Value, used: Use) -> usize {
    let mixed = (u64::from(shape) << 2 | used as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ name.word() >> 4;
    (mixed ^ mixed >> 32) as usize % SHARED
}

/// Remembers a cache for other sites and other times.
fn share(cache: &Cache, name: &Value, used: Use) {
    let shape = cache.first as u32;
    SHARED_CACHES.with(|caches| {
        // SAFETY: thread-local, and nothing below re-enters.
        let entry = unsafe { &mut (*caches.get())[shared_index(shape, name, used)] };
        *entry = Shared { name: name.word(), shape, used, first: cache.first, second: cache.second };
    });
}

/// The cache that some site of this thread had for a shape and name.
pub(super) fn remembered(shape: u32, name: &Value, used: Use) -> Option<(u64, u64)> {
    // SAFETY: thread-local, and nothing re-enters.
    let entry = SHARED_CACHES.with(|caches| unsafe { (*caches.get())[shared_index(shape, name, used)] });
    let matches = entry.shape == shape && entry.name == name.word() && entry.used == used && shape != 0;
    matches.then_some((entry.first, entry.second))
}

/// Puts a shared cache of a simple kind for the shape of `object` into the site's, if there is one.
///
/// # Safety
/// `object` is live; `at` points to an instruction's two cache words.
#[inline(never)]
unsafe fn recall(object: u64, name: &Value, used: Use, at: *mut u64) -> bool {
    if object & 7 != 0 {
        return false;
    }
    // SAFETY: by contract.
    unsafe {
        let shape = (*(object as *const Header)).shape_id();
        let Some((first, second)) = remembered(shape, name, used).filter(|known| is_direct(known.0)) else {
            return false;
        };
        // It may not be valid any more, so the instruction does not become one for just this kind of cache.
        *at = 0;
        *at.add(1) = second;
        *at = first;
        true
    }
}

/// Puts a shared cache of that kind for `object`, with its type as it is now, into the site's, if there is one and the site's is
/// not one for it.
///
/// # Safety
/// `object` is live; `at` points to an instruction's two cache words.
#[inline(never)]
unsafe fn take_same(object: u64, name: &Value, used: Use, wanted: u64, at: *mut u64) -> bool {
    // SAFETY: by contract.
    unsafe {
        if object & 7 != 0 || Site(at).fits(object) {
            return false;
        }
        let header = &*(object as *const Header);
        let Some((first, second)) = remembered(header.shape_id(), name, used) else { return false };
        if kind(first) != wanted || lookup::current_version(header.ty()) != second as u32 {
            return false;
        }
        *at = first;
        *at.add(1) = second;
        if wanted == METHOD {
            *at.add(2) = Site(at).value_of(header.ty());
        }
        true
    }
}

/// Puts a shared cache that is valid for `object` into the site's, if there is one: then the instruction will hit.
///
/// # Safety
/// `object` is live; `at` points to an instruction's two cache words.
#[inline(never)]
unsafe fn take_shared(object: u64, name: &Value, used: Use, at: *mut u64) -> bool {
    if object & 7 != 0 {
        return false;
    }
    // SAFETY: by contract.
    unsafe {
        let header = &*(object as *const Header);
        let Some((first, second)) = remembered(header.shape_id(), name, used) else { return false };
        let words = [first, second];
        let valid = match used {
            Use::Store => {
                lookup::current_version(header.ty()) == second as u32
                    && (kind(first) != DICT_ENTRY || !slot_in_dict(header, index(first), name).is_null())
            }
            Use::Load | Use::Method if kind(first) >= DICT_ENTRY => beside_dict(object, words.as_ptr(), name).is_some(),
            Use::Load | Use::Method if is_indirect(first) => indirect_fits(object, words.as_ptr()),
            Use::Load | Use::Method => cached(object, words.as_ptr()).is_some(),
        };
        if valid {
            Cache { first, second }.store(object, at);
        }
        valid
    }
}

/// The value that the filled cache at `at` gives for `object`, borrowed, and whether it is a method.
///
/// # Safety
/// `object` is live; an instruction's two cache words are at `at`.
#[inline(always)]
pub(super) unsafe fn cached(object: u64, at: *const u64) -> Option<(u64, bool)> {
    if object & 7 != 0 {
        return None;
    }
    // SAFETY: `object` is live; shape and version say what is at the index.
    unsafe {
        let (site, header) = (Site(at), &*(object as *const Header));
        if header.shape_id() != site.shape() {
            return None;
        }
        let ty = header.ty();
        match site.kind() {
            SLOT if lookup::current_version(ty) == site.version() => {
                let word = *(object as *const u64).add(site.index());
                if word == 0 { None } else { Some((word, false)) }
            }
            METHOD if lookup::current_version(ty) == site.version() => Some((site.value_of(ty), true)),
            VALUE if lookup::current_version(ty) == site.version() => Some((site.value_of(ty), false)),
            kind @ (CLASS_VALUE | CLASS_METHOD) => {
                let word = class_value(object, site);
                if word == 0 { None } else { Some((word, kind == CLASS_METHOD)) }
            }
            MODULE_ENTRY => {
                let word = module_entry(object, site);
                if word == 0 { None } else { Some((word, false)) }
            }
            OVERFLOW_SLOT if lookup::current_version(ty) == site.version() => {
                let word = *attributes::overflow_pointer(header, ty, site.index());
                if word == 0 { None } else { Some((word, false)) }
            }
            _ => None,
        }
    }
}

/// Whether a cache for which something is to be done is one for `object`.
///
/// # Safety
/// As for [`cached`].
#[inline(always)]
unsafe fn indirect_fits(object: u64, at: *const u64) -> bool {
    // SAFETY: by contract.
    unsafe {
        let site = Site(at);
        match site.kind() {
            CLASS_DESCRIPTOR => {
                object & 7 == 0
                    && (*(object as *const Header)).shape_id() == site.shape()
                    && class_value(object, site) != 0
            }
            IMMEDIATE_METHOD => object & 7 != 0 && lookup::current_version(view(&object).ty()) == site.version(),
            _ => site.fits(object),
        }
    }
}

/// The value in the list of a class, borrowed; 0 if the class or its metatype has changed.
///
/// # Safety
/// The word is that of a live class, and the cache one of the kinds for classes.
#[inline(always)]
unsafe fn class_value(word: u64, site: Site) -> u64 {
    // SAFETY: by contract.
    unsafe {
        let class = &*(word as *const Type);
        let metatype = class.header.ty();
        if lookup::current_version(class) == site.version() && lookup::current_version(metatype) == site.other() {
            site.value_of(class)
        } else {
            0
        }
    }
}

/// The value of an entry in the dict of a module, borrowed; 0 if its keys have changed.
///
/// # Safety
/// The word is that of a live module, and the cache of the kind for modules.
#[inline(always)]
unsafe fn module_entry(word: u64, site: Site) -> u64 {
    // SAFETY: by contract; the version says that there is such an entry.
    unsafe {
        let module = &*(word as *const Module);
        let table = &*module.dict.state.as_ptr();
        if table.current_keys_version() == site.version() {
            table.entries.get_unchecked(site.index()).value.word()
        } else {
            0
        }
    }
}

/// As [`cached`], for an object that may have its attributes in a dict.
///
/// # Safety
/// `object` is live; the caches of an instruction with `name` are at `at`.
#[inline(never)]
unsafe fn beside_dict(object: u64, at: *const u64, name: &Value) -> Option<(u64, bool)> {
    // SAFETY: as above: the shape says that the object has a dict.
    unsafe {
        if !Site(at).fits(object) {
            return None;
        }
        let (first, header) = (*at, &*(object as *const Header));
        let ty = header.ty();
        let table = &*attributes::dictionary_of(header, ty).state.as_ptr();
        if kind(first) == DICT_ENTRY {
            let entry = match table.entries.get(index(first)) {
                Some(entry) if is_key(entry, name) => entry,
                _ => &table.entries[table.find_str(name)?],
            };
            return Some((entry.value.word(), false));
        }
        match table.find_str(name) {
            Some(_) => None,
            None => {
                let value = lookup::cached_value(ty, index(first) as u16);
                Some((value.word(), kind(first) == METHOD_BESIDE_DICT))
            }
        }
    }
}

fn is_key(entry: &Entry, name: &Value) -> bool {
    entry.key.as_ref().is_some_and(|key| key.word() == name.word())
}

/// Where the value of `name` is in the dict of an object, if it is where it was in another; null if not.
///
/// # Safety
/// The object has the shape of those with a dict.
#[inline(never)]
unsafe fn slot_in_dict(header: &Header, at: usize, name: &Value) -> *mut u64 {
    // SAFETY: by contract.
    unsafe {
        let table = &mut *attributes::dictionary_of(header, header.ty()).state.as_ptr();
        match table.entries.get_mut(at) {
            Some(entry) if is_key(entry, name) => (&raw mut entry.value).cast(),
            _ => std::ptr::null_mut(),
        }
    }
}

/// Whether the filled cache of a LoadAttr or LoadMethod is one for `object`.
///
/// # Safety
/// `object` is live; an instruction's caches are at `at`.
pub(super) unsafe fn load_hits(object: u64, at: *const u64) -> bool {
    // SAFETY: by contract.
    unsafe {
        if cached(object, at).is_some() {
            return true;
        }
        is_indirect(*at) && indirect_fits(object, at) || kind(*at) >= DICT_ENTRY && Site(at).fits(object)
    }
}

/// Whether the filled cache of a StoreAttr is one for `object`.
///
/// # Safety
/// As for [`load_hits`].
pub(super) unsafe fn store_hits(object: u64, at: *const u64) -> bool {
    // SAFETY: by contract.
    unsafe { Site(at).fits(object) }
}

/// In words, what an attribute's cache holds, such as `slot of Point`; `None` if nothing.
pub(crate) fn describe_cache(first: u64) -> Option<String> {
    let what = match kind(first) {
        SLOT => "slot",
        OVERFLOW_SLOT => "slot outside of the object",
        DICT_ENTRY => "entry of a dict",
        VALUE_BESIDE_DICT => "class value, the dict being without",
        METHOD_BESIDE_DICT => "method, the dict being without",
        VALUE => "class value",
        METHOD => "method",
        CLASS_VALUE => "value in a class",
        MODULE_ENTRY => "entry of a module",
        NEW_SLOT => "new slot",
        PROPERTY_GETTER => "property",
        CLASS_METHOD => "class method",
        DESCRIPTOR => "descriptor",
        CLASS_DESCRIPTOR => "descriptor in a class",
        METHOD_OF_CLASS => "class method, by its instance",
        IMMEDIATE_METHOD => "method of a small number",
        _ => return None,
    };
    if matches!(kind(first), CLASS_VALUE | CLASS_METHOD | MODULE_ENTRY | CLASS_DESCRIPTOR | IMMEDIATE_METHOD) {
        return Some(what.to_owned());
    }
    // SAFETY: shapes go with their types, and no type ends while this reads.
    let ty = unsafe { shape::get(first as u32).map(|shape| &*(shape.ty as *const Type)) };
    Some(match ty {
        Some(ty) => format!("{what} of {}", ty.name()),
        None => format!("{what} of a class that is gone"),
    })
}

/// The word index of an in-object slot.
fn slot_index(ty: &Type, slot: u16) -> usize {
    attributes::inline_offset(ty, slot) / 8
}

/// What can be cached of `class.name`.
fn cache_for_class(class: &Type, name: &Value, methods: bool) -> Option<Cache> {
    let (metatype, shape) = (class.header.ty(), class.header.shape_id());
    let metatype_version = lookup::version(metatype);
    let of_metatype = lookup::find(metatype, name);
    if let Some(descriptor) = of_metatype.as_ref().filter(|found| found.ty().slots().descr_set.is_some()) {
        return data_descriptor_cache(metatype, shape, descriptor, methods);
    }
    if metatype_version == 0 {
        return None;
    }
    let cache = |kind: u64, value: &Value| {
        let (version, at) = lookup::cached_index(class, value)?;
        Cache::new(kind, shape, at as usize, version, metatype_version)
    };
    let Some(value) = lookup::find(class, name) else {
        let method = of_metatype.filter(|found| methods && found.ty().has_flags(type_flags::METHOD_DESCRIPTOR))?;
        return cache(CLASS_METHOD, &method);
    };
    if value.ty().is(&CLASSMETHOD) {
        let function = staticmethod::function(&value);
        if methods && function.ty().is(&FUNCTION) {
            return cache(CLASS_METHOD, &function);
        }
    }
    if value.ty().is(&STATICMETHOD) {
        return cache(CLASS_VALUE, &staticmethod::function(&value));
    }
    // Methods found on a class are themselves; other descriptors may be anything.
    let value_type = value.ty();
    let own_type = !value_type.is_heap_type();
    if value_type.slots().descr_get.is_none() || own_type && value_type.has_flags(type_flags::METHOD_DESCRIPTOR) {
        return cache(CLASS_VALUE, &value);
    }
    if own_type { cache(CLASS_DESCRIPTOR, &value) } else { None }
}

/// What can be cached of `object.name`; `methods`: the caller can make use of an unbound method.
fn cache_for(object: &Value, name: &Value, methods: bool) -> Option<Cache> {
    let Some(header) = object.as_object() else {
        let method = lookup::find(object.ty(), name)?;
        if !methods || !method.ty().has_flags(type_flags::METHOD_DESCRIPTOR) {
            return None;
        }
        let (version, at) = lookup::cached_index(object.ty(), &method)?;
        return Cache::new(IMMEDIATE_METHOD, NO_SHAPE, at as usize, version, 0);
    };
    let ty = header.ty();
    let shape = header.shape_id();
    if ty.slots().getattro.is_some_and(is_getattro) {
        return cache_for_class(object.downcast::<Type>()?, name, methods);
    }
    if !lookup::looks_up_generically(ty) && !ty.is(&MODULE) {
        return None;
    }
    let found = lookup::find(ty, name);
    if let Some(descriptor) = found.as_ref().filter(|found| found.ty().slots().descr_set.is_some()) {
        return data_descriptor_cache(ty, shape, descriptor, methods);
    }
    let version = lookup::version(ty);
    if ty.is(&MODULE) {
        let dict = own_dict(ty, header)?;
        let mut table = dict.state.borrow(&dict.header);
        let keys_version = table.keys_version();
        let entry = table.find_str(name)?;
        return Cache::new(MODULE_ENTRY, shape, entry, keys_version, 0);
    }
    if own_dict(ty, header).is_some_and(|dict| dict.get_str(name).is_some()) {
        return None;
    }
    let dict_mode = header.has_flag(object_flags::DICT_MODE);
    if dict_mode {
        if ty.has_flags(type_flags::VAR_SIZED) {
            return None;
        }
        let dict = attributes::materialized(header)?;
        let entry = dict.state.borrow(&dict.header).find_str(name);
        if let Some(entry) = entry {
            return Cache::new(DICT_ENTRY, shape, entry, version, 0);
        }
    }
    if ty.has_dict()
        && !dict_mode
        && let Some((slot, capacity)) = shape::find(shape, name)
    {
        return slot_cache(ty, shape, slot, capacity, version);
    }
    // A namespace in the payload may get the name without the shape telling.
    if ty.has_own_dict() {
        return None;
    }
    let value = found?;
    if methods && value.ty().has_flags(type_flags::METHOD_DESCRIPTOR) {
        let (version, at) = lookup::cached_index(ty, &value)?;
        let kind = if dict_mode { METHOD_BESIDE_DICT } else { METHOD };
        return Cache::new(kind, shape, at as usize, version, 0);
    }
    let value = if value.ty().is(&STATICMETHOD) {
        staticmethod::function(&value)
    } else if value.ty().slots().descr_get.is_some() {
        return if dict_mode { None } else { descriptor_cache(ty, shape, &value, methods) };
    } else {
        value
    };
    let (version, at) = lookup::cached_index(ty, &value)?;
    let kind = if dict_mode { VALUE_BESIDE_DICT } else { VALUE };
    Cache::new(kind, shape, at as usize, version, 0)
}

/// The cache for a slot that the object has by its shape.
fn slot_cache(ty: &Type, shape: u32, slot: u16, capacity: u16, version: u32) -> Option<Cache> {
    if slot < capacity {
        return Cache::new(SLOT, shape, slot_index(ty, slot), version, 0);
    }
    if ty.has_flags(type_flags::VAR_SIZED) {
        return None;
    }
    Cache::new(OVERFLOW_SLOT, shape, (slot - capacity) as usize, version, 0)
}

/// What can be cached of an attribute that a data descriptor of the type provides.
fn data_descriptor_cache(ty: &Type, shape: u32, descriptor: &Value, methods: bool) -> Option<Cache> {
    if let Some(at) = member_word(ty, descriptor) {
        return Cache::new(SLOT, shape, at, lookup::version(ty), 0);
    }
    if descriptor.ty().is(&PROPERTY)
        && finds_all_itself(ty)
        && let Some(getter) = property::getter(descriptor)
        && let Some(function) = getter.downcast_exact::<Function>()
        && function.code().simple_args == 1
    {
        let (version, at) = lookup::cached_index(ty, &getter)?;
        return Cache::new(PROPERTY_GETTER, shape, at as usize, version, 0);
    }
    descriptor_cache(ty, shape, descriptor, methods)
}

/// Whether what a descriptor of the type's objects does not find is nowhere: it might be for `__getattr__` to say.
fn finds_all_itself(ty: &Type) -> bool {
    ty.slots().getattro.is_some_and(|getattro| lookup::is_generic_getattr(getattro) || is_getattro(getattro))
}

/// What can be cached of an attribute for which a descriptor, found on the type, is to be asked.
fn descriptor_cache(ty: &Type, shape: u32, descriptor: &Value, methods: bool) -> Option<Cache> {
    let descriptor_type = descriptor.ty();
    // Types of Python code may lose their `__get__`.
    if descriptor_type.is_heap_type() || descriptor_type.slots().descr_get.is_none() {
        return None;
    }
    if methods && descriptor_type.is(&CLASSMETHOD) {
        let function = staticmethod::function(descriptor);
        if function.ty().is(&FUNCTION) {
            let (version, at) = lookup::cached_index(ty, &function)?;
            return Cache::new(METHOD_OF_CLASS, shape, at as usize, version, 0);
        }
    }
    if !finds_all_itself(ty) && !descriptor_type.has_flags(type_flags::METHOD_DESCRIPTOR) {
        return None;
    }
    let (version, at) = lookup::cached_index(ty, descriptor)?;
    Cache::new(DESCRIPTOR, shape, at as usize, version, 0)
}

/// The word of an instance of `ty` in which a `__slots__` member is.
fn member_word(ty: &Type, descriptor: &Value) -> Option<usize> {
    let member = descriptor.downcast_exact::<MemberDescriptor>()?;
    let Place::Slot(offset) = member.place else { return None };
    (ty.is_subtype(&member.owner) && offset & FROM_END == 0).then_some(offset as usize / 8)
}

#[inline(never)]
unsafe fn load_attr_slow(vm: &Vm, flags: u8, object: u64, name: &Value, caches: *mut u64) -> u64 {
    // SAFETY: a live operand, released if owned; the caches are the instruction's.
    unsafe {
        let result = vm.get_attr(view(&object), name);
        if result.is_ok()
            && let Some(cache) = cache_for(view(&object), name, false)
        {
            share(&cache, name, Use::Load);
            cache.store(object, caches);
        }
        release_operands(flags, object, 1);
        word_of(result)
    }
}

/// `object.name` for a call: a method to be called with `object` (true), or anything else.
pub(crate) fn get_method(vm: &Vm, object: &Value, name: &Value) -> Result<(Value, bool)> {
    let ty = object.ty();
    if lookup::looks_up_generically(ty)
        && let Some(found) = lookup::find(ty, name)
        && found.ty().has_flags(type_flags::METHOD_DESCRIPTOR)
    {
        let own = object.as_object().and_then(|header| match own_dict(ty, header) {
            Some(dict) => dict.get_str(name),
            None => attributes::get(header, name),
        });
        return Ok(match own {
            Some(value) => (value, false),
            None => (found, true),
        });
    }
    Ok((vm.get_attr(object, name)?, false))
}

#[inline(never)]
unsafe fn load_method_slow(vm: &Vm, object: u64, name: &Value, caches: *mut u64) -> (u64, bool) {
    // SAFETY: a live operand; the caches are the instruction's.
    unsafe {
        match get_method(vm, view(&object), name) {
            Ok((value, is_method)) => {
                if let Some(cache) = cache_for(view(&object), name, true) {
                    share(&cache, name, Use::Method);
                    cache.store(object, caches);
                }
                (value.into_word(), is_method)
            }
            Err(_) => (0, false),
        }
    }
}

/// The cache for the store that has just been made.
fn store_cache_for(object: &Value, name: &Value, old_shape: u32) -> Option<Cache> {
    let header = object.as_object()?;
    let ty = header.ty();
    if !ty.slots().setattro.is_some_and(lookup::is_generic_setattr) {
        return None;
    }
    if let Some(descriptor) = lookup::find(ty, name).filter(|found| found.ty().slots().descr_set.is_some()) {
        let at = member_word(ty, &descriptor)?;
        return Cache::new(SLOT, header.shape_id(), at, lookup::version(ty), 0);
    }
    if !ty.has_dict() || ty.has_own_dict() {
        return None;
    }
    let shape = header.shape_id();
    if header.has_flag(object_flags::DICT_MODE) {
        if shape != old_shape || ty.has_flags(type_flags::VAR_SIZED) {
            return None;
        }
        let dict = attributes::materialized(header)?;
        let entry = dict.state.borrow(&dict.header).find_str(name)?;
        return Cache::new(DICT_ENTRY, shape, entry, lookup::version(ty), 0);
    }
    let (slot, capacity) = shape::find(shape, name)?;
    let version = lookup::version(ty);
    if shape == old_shape {
        return slot_cache(ty, shape, slot, capacity, version);
    }
    // SAFETY: the borrow ends before anything could end the type.
    let old = unsafe { shape::get(old_shape) }?;
    if slot >= capacity || old.capacity != capacity || old.names.len() != slot as usize {
        return None;
    }
    Cache::new(NEW_SLOT, old_shape, slot_index(ty, slot), version, shape)
}

#[inline(never)]
unsafe fn store_attr_slow(vm: &Vm, flags: u8, object: u64, value: u64, name: &Value, caches: *mut u64) -> Result<()> {
    // SAFETY: live operands, released if owned; the caches are the instruction's.
    unsafe {
        let target = view(&object);
        let old_shape = target.as_object().map_or(0, Header::shape_id);
        let result = vm.set_attr(target, name, view(&value));
        if result.is_ok()
            && old_shape != 0
            && let Some(cache) = store_cache_for(target, name, old_shape)
        {
            share(&cache, name, Use::Store);
            cache.store(object, caches);
        }
        release_operands(flags, object, value);
        result
    }
}

/// `object.name` of `super(class, object)`, as a method if possible.
fn super_method(vm: &Vm, class: &Value, object: &Value, name: &Value) -> Result<(Value, bool)> {
    if let Some(ty) = class.downcast::<Type>() {
        let object_type = super_object::check(vm, ty, object)?;
        if !object.is(&object_type)
            && let Some(found) = super_object::find_raw(class, &object_type, name)
            && found.ty().has_flags(type_flags::METHOD_DESCRIPTOR)
        {
            return Ok((found, true));
        }
    }
    Ok((super_object::get_attribute(vm, class, object, name)?, false))
}

const SPECIAL: [&str; 4] = ["__enter__", "__exit__", "__aenter__", "__aexit__"];

#[cold]
fn special_missing(vm: &Vm, object: &Value, which: usize) {
    let has = |name: &str| lookup::find(object.ty(), &crate::function::name(name)).is_some();
    let ty = object.ty().name();
    let (kind, other_kind, with) = match which {
        0 | 1 => ("", "asynchronous ", "async with"),
        _ => ("asynchronous ", "", "with"),
    };
    let others = if which < 2 { [SPECIAL[2], SPECIAL[3]] } else { [SPECIAL[0], SPECIAL[1]] };
    let mut message =
        format!("'{ty}' object does not support the {kind}context manager protocol (missed {} method)", SPECIAL[which]);
    if others.iter().all(|name| has(name)) {
        message.push_str(&format!(
            " but it supports the {other_kind}context manager protocol. Did you mean to use '{with}'?"
        ));
    }
    let _ = vm.type_error(message);
}

impl Machine<'_> {
    /// The caches of the current instruction, which are the words behind its first.
    #[inline(always)]
    unsafe fn site(&self) -> Site {
        // SAFETY: lowering emitted them.
        Site(unsafe { self.pc.add(1) })
    }

    #[inline(always)]
    pub unsafe fn load_attr(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            let object = self.get(w.b());
            let mut found = cached(object, self.pc.add(1));
            if found.is_none() && self.recalls(w, object, Use::Load) {
                found = cached(object, self.pc.add(1));
            }
            if let Some((word, _)) = found {
                if w.flags() & LENDS == 0 {
                    retain_live(word);
                }
                if w.releases_b() {
                    self.save();
                    release_live(object);
                }
                self.set(w, word);
                return self.advance(3);
            }
            if kind(self.extra(1)) == PROPERTY_GETTER && w.flags() & LENDS == 0 && self.site().fits(object) {
                return self.call_getter(w, object, 3);
            }
            if is_indirect(self.extra(1))
                && w.flags() & LENDS == 0
                && indirect_fits(object, self.pc.add(1))
                && self.vm.has_stack()
            {
                return out!(self.ask_descriptor(w, object));
            }
            if w.flags() & (LENDS | LENT) != 0 {
                if out!(self.renews_lending_cache(w, object)) {
                    return Flow::NEXT;
                }
                retain_live(object);
            }
            let w = w.settled();
            self.save();
            let name = (*(*self.frame).code).name_at(w.c() as usize);
            if kind(self.extra(1)) >= DICT_ENTRY
                && let Some((word, _)) = beside_dict(object, self.pc.add(1), name)
            {
                retain_live(word);
                release_operands(w.flags(), object, 1);
                self.set(w, word);
                return self.advance(3);
            }
            if !w.was_lent() && self.takes_shared(object, name, Use::Load) {
                return Flow::NEXT;
            }
            let word = load_attr_slow(self.vm, w.flags(), object, name, self.pc.add(1).cast_mut());
            self.finish(w, word, 3)
        }
    }

    /// Calls the getter of a property that the cache has, for `object`, from an instruction of `words` words.
    #[inline(always)]
    unsafe fn call_getter(&mut self, w: Fetched, object: u64, words: u16) -> Flow {
        // SAFETY: live operand, which passes to the frame if it is owned or lent; the cache is one for it.
        unsafe {
            let getter = self.site().value_of((*(object as *const Header)).ty()) as *const Header;
            if w.flags() & LENT != 0 {
                retain_live(object);
            }
            let lent = (w.flags() & (B_OWNED | LENT) == 0) as u32;
            if self.takes_plainly(getter, 1) {
                return self.call_plainly(getter, object, 0, 1, lent, words);
            }
            out!(self.call_with_one(retain_live(getter as u64), object, lent != 0, words))
        }
    }

    /// What the descriptor gives that the cache has: the owned word, 0 if it raised.
    ///
    /// # Safety
    /// The cache is one for `object`, of one of the kinds with a descriptor, and the `pc` is saved.
    #[inline(always)]
    unsafe fn described(&self, object: u64, name: u16) -> u64 {
        // SAFETY: by contract.
        unsafe {
            let (vm, site) = (self.vm, self.site());
            let this = view(&object);
            let result = match site.kind() {
                CLASS_DESCRIPTOR => {
                    let descriptor = site.value_of(&*(object as *const Type));
                    descriptors::get_again(vm, view(&descriptor), None, this)
                }
                _ => {
                    let class = this.ty() as *const Type as u64;
                    let descriptor = site.value_of(this.ty());
                    descriptors::get_again(vm, view(&descriptor), Some(this), view(&class))
                }
            };
            word_of(result.map_err(|raised| {
                let name = (*(*self.frame).code).name_at(name as usize);
                vm.with_attribute(raised, this, name)
            }))
        }
    }

    /// Ends a LoadAttr whose cache has a descriptor for `object`.
    #[inline(never)]
    unsafe fn ask_descriptor(&mut self, w: Fetched, object: u64) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            if w.flags() & LENT != 0 {
                retain_live(object);
            }
            let word = self.described(object, w.c());
            if w.flags() & (B_OWNED | LENT) != 0 {
                release_live(object);
            }
            self.finish(w, word, 3)
        }
    }

    /// A LoadMethod whose cache is one for `object` with which something is to be done.
    #[inline(never)]
    unsafe fn load_indirect_method(&mut self, w: Fetched, object: u64) -> Flow {
        // SAFETY: live operand, which moves to the register of `self` or is released.
        unsafe {
            self.save();
            match kind(self.extra(1)) {
                IMMEDIATE_METHOD => {
                    let method = self.site().value_of(view(&object).ty());
                    self.put_method(w, retain_live(method), true, object);
                }
                METHOD_OF_CLASS => {
                    let ty = view(&object).ty();
                    let (function, class) = (self.site().value_of(ty), ty.to_value());
                    if variant(w) {
                        // The call would borrow its `self`, and nothing says that the class stays one.
                        let bound = method::new(view(&function).clone(), class);
                        self.put(w.a(), bound.into_word());
                        self.put(w.a() + 1, 0);
                    } else {
                        self.put(w.a(), retain_live(function));
                        self.put(w.a() + 1, class.into_word());
                    }
                    if w.releases_b() {
                        release_live(object);
                    }
                }
                PROPERTY_GETTER => {
                    self.put(w.a() + 1, 0);
                    return self.call_getter(w, object, Op::LoadMethod.len() as u16);
                }
                _ => {
                    if w.flags() & LENT != 0 {
                        retain_live(object);
                    }
                    let word = self.described(object, w.c());
                    if w.flags() & (B_OWNED | LENT) != 0 {
                        release_live(object);
                    }
                    self.put(w.a() + 1, 0);
                    return self.finish(w, word, Op::LoadMethod.len());
                }
            }
            self.advance(Op::LoadMethod.len())
        }
    }

    /// Puts into the site's cache what another site, or this one at another time, had for an object of this shape; false if that
    /// is not known. It may not be valid any more.
    #[inline(always)]
    unsafe fn recalls(&self, w: Fetched, object: u64, used: Use) -> bool {
        // SAFETY: live operand; the instruction has two cache words.
        unsafe {
            if !is_direct(self.extra(1)) {
                return false;
            }
            let name = (*(*self.frame).code).name_at(w.c() as usize);
            recall(object, name, used, self.pc.add(1).cast_mut())
        }
    }

    /// As [`take_shared`], for the instruction that is executed, which is then to be tried again. Where the stack ends, no cache
    /// helps that has something done: the slow way says so.
    ///
    /// # Safety
    /// Live operand; the instruction has two cache words.
    #[inline(always)]
    unsafe fn takes_shared(&self, object: u64, name: &Value, used: Use) -> bool {
        // SAFETY: by contract.
        unsafe { self.vm.has_stack() && take_shared(object, name, used, self.pc.add(1).cast_mut()) }
    }

    /// Whether a LoadAttr that lends, or whose operand is lent, is to be tried again: its cache is one for the object now, or it
    /// does not lend any more.
    #[inline(never)]
    unsafe fn renews_lending_cache(&mut self, w: Fetched, object: u64) -> bool {
        // SAFETY: live operand; nothing that could end it runs.
        unsafe {
            let name = (*(*self.frame).code).name_at(w.c() as usize);
            let caches = self.pc.add(1).cast_mut();
            if self.takes_shared(object, name, Use::Load)
                && (is_direct(*caches) || w.flags() & LENDS == 0 && is_indirect(*caches))
            {
                return true;
            }
            if w.flags() & LENDS == 0 {
                return false;
            }
            if let Some(cache) = cache_for(view(&object), name, false) {
                share(&cache, name, Use::Load);
                cache.store(object, caches);
            }
            if cached(object, caches).is_none() {
                self.stop_lending();
            }
            true
        }
    }

    #[inline(always)]
    pub unsafe fn load_method(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which moves to the register of `self` or is released.
        unsafe {
            let object = self.get(w.b());
            let mut found = cached(object, self.pc.add(1));
            if found.is_none() && self.recalls(w, object, Use::Method) {
                found = cached(object, self.pc.add(1));
            }
            if let Some((word, is_method)) = found {
                self.put_method(w, retain_live(word), is_method, object);
                return self.advance(Op::LoadMethod.len());
            }
            if is_indirect(self.extra(1)) && indirect_fits(object, self.pc.add(1)) && self.vm.has_stack() {
                return out!(self.load_indirect_method(w, object));
            }
            self.save();
            let name = (*(*self.frame).code).name_at(w.c() as usize);
            let caches = self.pc.add(1).cast_mut();
            if w.flags() & LENT != 0 {
                if self.takes_shared(object, name, Use::Method) && kind(*caches) < DICT_ENTRY {
                    return Flow::NEXT;
                }
                retain_live(object);
            }
            let w = w.settled();
            if kind(*caches) >= DICT_ENTRY
                && let Some((word, is_method)) = beside_dict(object, caches, name)
            {
                self.put_method(w, retain_live(word), is_method, object);
                return self.advance(Op::LoadMethod.len());
            }
            if !w.was_lent() && self.takes_shared(object, name, Use::Method) {
                return Flow::NEXT;
            }
            let (word, is_method) = load_method_slow(self.vm, object, name, caches);
            if word == 0 {
                release_operands(w.flags(), object, 1);
                return self.unwind();
            }
            self.put_method(w, word, is_method, object);
            self.advance(Op::LoadMethod.len())
        }
    }

    /// LoadAttr of a slot, as long as the cache holds. With `LENDING` the result is lent, and else owned.
    #[inline(always)]
    pub unsafe fn load_slot<const LENDING: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand; shape and version say that the slot is there.
        unsafe {
            let (object, site) = (self.get(w.b()), self.site());
            if site.fits(object) {
                let word = *(object as *const u64).add(site.index());
                if LENDING {
                    if word != 0 {
                        self.put(w.a(), word);
                        return self.advance(3);
                    }
                } else if is_pointer(word) {
                    retain_live(word);
                    self.set(w, word);
                    return self.advance(3);
                } else if word != 0 {
                    self.set(w, word);
                    return self.advance(3);
                }
            }
            self.adapt(w.c(), object, Use::Load, SLOT, Op::LoadAttr)
        }
    }

    /// LoadMethod of a method, as long as the cache holds. With `MOVES` the operand moves to the register of `self`, and else
    /// that is borrowed from it.
    #[inline(always)]
    pub unsafe fn load_own_method<const MOVES: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand; shape and version say that the method is what is found.
        unsafe {
            let (object, site) = (self.get(w.b()), self.site());
            if site.fits(object) {
                // What the type has for this version; it comes from here, so that nothing waits for the type.
                let method = self.extra(3);
                if MOVES && w.flags() & LENT != 0 {
                    retain_live(object);
                }
                let to = self.regs.add(w.a() as usize);
                *to = retain_live(method);
                *to.add(1) = object;
                return self.advance(Op::LoadMethod.len());
            }
            self.adapt(w.c(), object, Use::Method, METHOD, Op::LoadMethod)
        }
    }

    /// LoadAttr of a value in a class or a module, as long as the cache holds. With `CALLED` it is a LoadMethod.
    #[inline(always)]
    pub unsafe fn load_namespace<const CALLED: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand; its shape says whether it is a class or a module.
        unsafe {
            let (object, site) = (self.get(w.b()), self.site());
            if object & 7 == 0 && (*(object as *const Header)).shape_id() == site.shape() {
                let word = match site.kind() {
                    CLASS_VALUE => class_value(object, site),
                    _ => module_entry(object, site),
                };
                if word != 0 {
                    retain_live(word);
                    if CALLED {
                        let to = self.regs.add(w.a() as usize);
                        *to = word;
                        *to.add(1) = 0;
                    } else {
                        self.set(w, word);
                    }
                    return self.advance(if CALLED { Op::LoadMethod.len() } else { 3 });
                }
            }
            self.unquicken(if CALLED { Op::LoadMethod } else { Op::LoadAttr })
        }
    }

    /// StoreAttr to a slot, as long as the cache holds.
    #[inline(always)]
    pub unsafe fn store_slot(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands; shape and version say that the slot is there.
        unsafe {
            let (object, site) = (self.get(w.b()), self.site());
            if site.fits(object) {
                let value = self.take_c(w);
                let slot = (object as *mut u64).add(site.index());
                let old = *slot;
                *slot = value;
                if is_pointer(old) {
                    self.save();
                    release_live(old);
                }
                return self.end_store(w, object);
            }
            self.adapt(w.a(), object, Use::Store, SLOT, Op::StoreAttr)
        }
    }

    /// Ends a store to an attribute of `object`, which is released if owned.
    #[inline(always)]
    unsafe fn end_store(&mut self, w: Fetched, object: u64) -> Flow {
        // SAFETY: a live operand.
        unsafe {
            if w.releases_b() {
                self.save();
                release_live(object);
            }
            self.advance(Op::StoreAttr.len())
        }
    }

    /// StoreAttr that gives the object one more attribute, as long as the cache holds.
    #[inline(always)]
    pub unsafe fn store_new_slot(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands; shape and version say that the slot is there, and that it is not in use.
        unsafe {
            let (object, site) = (self.get(w.b()), self.site());
            if site.fits(object) {
                let value = self.take_c(w);
                (object as *mut u64).add(site.index()).write(value);
                (*(object as *const Header)).set_shape_id(site.other());
                return self.end_store(w, object);
            }
            self.adapt(w.a(), object, Use::Store, NEW_SLOT, Op::StoreAttr)
        }
    }

    /// Goes on where a quick instruction's cache is not one for `object`: with what is remembered for its shape, if that is of the
    /// same `kind`, and else with `general`, the instruction in whose place it was written.
    #[inline(always)]
    unsafe fn adapt(&mut self, name: u16, object: u64, used: Use, kind: u64, general: Op) -> Flow {
        // SAFETY: live operand; the name is the instruction's.
        unsafe {
            #[cfg(feature = "free-threading")]
            if is_shared() {
                return out!(self.step_beside(Fetched::at(self.pc)));
            }
            let name = (*(*self.frame).code).name_at(name as usize);
            if take_same(object, name, used, kind, self.pc.add(1).cast_mut()) {
                return Flow::NEXT;
            }
            self.unquicken(general)
        }
    }

    /// Goes on with `general`, as which the instruction was emitted. Beside others the thread becomes alone first, as flags
    /// are written only then, and looks at the instruction again.
    #[inline(always)]
    pub(super) unsafe fn unquicken(&mut self, general: Op) -> Flow {
        // SAFETY: opcodes and flags are written in place.
        unsafe {
            #[cfg(feature = "free-threading")]
            if is_shared() {
                return out!(self.again_alone());
            }
            let w = Word::decode(*self.pc);
            *self.pc.cast_mut() = w.with_op(general).with_flags(w.flags() + ONE_FAILURE).encode();
        }
        Flow::NEXT
    }

    /// Writes a callable and its `self` to `a` and `a + 1`. An operand that is lent has to be taken if it is `self`.
    #[inline(always)]
    pub(super) unsafe fn put_method(&mut self, w: Fetched, callable: u64, is_method: bool, object: u64) {
        // SAFETY: live words.
        unsafe {
            self.put(w.a(), callable);
            if is_method {
                if !w.releases_b() && !variant(w) {
                    retain_live(object);
                }
                self.put(w.a() + 1, object);
            } else {
                self.put(w.a() + 1, 0);
                if w.releases_b() && is_pointer(object) {
                    self.save();
                    release_live(object);
                }
            }
        }
    }

    #[inline(always)]
    pub unsafe fn store_attr<const K: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands; shape and version say that the slot is there.
        unsafe {
            let (object, site) = (self.get(w.b()), self.site());
            if site.fits(object) {
                let header = &*(object as *const Header);
                let kind = site.kind();
                let slot = match kind {
                    OVERFLOW_SLOT => attributes::overflow_pointer(header, header.ty(), site.index()),
                    DICT_ENTRY => slot_in_dict(header, site.index(), (*(*self.frame).code).name_at(w.a() as usize)),
                    _ => (object as *mut u64).add(site.index()),
                };
                if kind != DICT_ENTRY || !slot.is_null() {
                    let value = if K { retain_live(self.constant(w.c() as u32)) } else { self.take_c(w) };
                    let old = *slot;
                    *slot = value;
                    if kind == NEW_SLOT {
                        header.set_shape_id(site.other());
                    }
                    if is_pointer(old) {
                        self.save();
                        release_live(old);
                    }
                    return self.end_store(w, object);
                }
            }
            self.save();
            let name = (*(*self.frame).code).name_at(w.a() as usize);
            if take_shared(object, name, Use::Store, self.pc.add(1).cast_mut()) {
                return Flow::NEXT;
            }
            if w.flags() & LENT != 0 {
                retain_live(object);
            }
            let (flags, value) = (w.settled().flags(), self.right::<K>(w));
            let result = store_attr_slow(self.vm, flags, object, value, name, self.pc.add(1).cast_mut());
            self.outcome(result, 3)
        }
    }

    #[inline(never)]
    pub unsafe fn delete_attr(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let object = self.get(w.b());
            let name = (*(*self.frame).code).name_at(w.c() as usize);
            let result = self.vm.delete_attr(view(&object), name);
            release_operands(w.flags(), object, 1);
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn load_super_attr(&mut self, w: Fetched) -> Flow {
        // SAFETY: three owned words from `b` on, all consumed.
        unsafe {
            self.save();
            let vm = self.vm;
            if variant(w) && self.load_super_method(w) {
                return self.advance(1);
            }
            let [callable, class, object] = [0, 1, 2].map(|at| Value::from_word(self.get(w.b() + at)));
            let name = (*(*self.frame).code).name_at(w.c() as usize);
            let found = if crate::monitoring::watching() && (*(*self.frame).code).is_debug_pc(self.pc) {
                let args = [class.clone(), object.clone()];
                let args = if variant2(w) { &args[..] } else { &[] };
                crate::monitoring::super_call(vm, self.interp, self.frame, &callable, args)
                    .and_then(|bound| vm.get_attr(&bound, name))
                    .map(|value| (value, false))
            } else if callable.ty().is(&TYPE) && callable.is(&SUPER.value()) {
                match variant(w) {
                    true => super_method(vm, &class, &object, name),
                    false => super_object::get_attribute(vm, &class, &object, name).map(|value| (value, false)),
                }
            } else {
                let args = [class.clone(), object.clone()];
                let args = if variant2(w) { &args[..] } else { &[] };
                vm.call(&callable, args, None).and_then(|bound| vm.get_attr(&bound, name)).map(|value| (value, false))
            };
            drop((callable, class));
            let Ok((value, is_method)) = found else { return self.unwind() };
            if variant(w) {
                self.put(w.a(), value.into_word());
                self.put(w.a() + 1, if is_method { object.into_word() } else { 0 });
            } else {
                drop(object);
                self.set(w, value.into_word());
            }
            self.advance(1)
        }
    }

    /// LOAD_SUPER_ATTR of a method for an instance that is nothing unusual; otherwise nothing has happened.
    #[inline(always)]
    unsafe fn load_super_method(&mut self, w: Fetched) -> bool {
        // SAFETY: three owned words from `b` on, consumed if a method is found.
        unsafe {
            let (callable, class, object) = (self.get(w.b()), self.get(w.b() + 1), self.get(w.b() + 2));
            let ty = view(&object).ty();
            if callable != SUPER.ty() as *const Type as u64
                || crate::monitoring::watching()
                || ty.has_flags(type_flags::TYPE_SUBCLASS)
            {
                return false;
            }
            let name = (*(*self.frame).code).name_at(w.c() as usize);
            match lookup::find_after(ty, view(&class), name) {
                Some(found) if found.ty().has_flags(type_flags::METHOD_DESCRIPTOR) => {
                    release_live(callable);
                    release_live(class);
                    self.put(w.a(), found.into_word());
                    self.put(w.a() + 1, object);
                    true
                }
                _ => false,
            }
        }
    }

    /// The cache is {type version: 32, index of the method in the type's list: 16}.
    #[inline(always)]
    pub unsafe fn load_special(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which moves to the register of `self`; versions are never reused, so one says what type it is,
        // too.
        unsafe {
            let (object, cache) = (self.get(w.b()), self.extra(1));
            if object & 7 == 0 && cache != 0 {
                let ty = (*(object as *const Header)).ty();
                if lookup::current_version(ty) == cache as u32 {
                    let found = retain_live(lookup::cached_value(ty, (cache >> 32) as u16).word());
                    self.put_method(w, found, true, object);
                    return self.advance(2);
                }
            }
            out!(self.load_special_slow(w))
        }
    }

    #[inline(never)]
    unsafe fn load_special_slow(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, which moves to the register of `self` or is released.
        unsafe {
            self.save();
            let (vm, object) = (self.vm, self.get(w.b()));
            let value = view(&object);
            let ty = value.ty();
            let names = names();
            let name = [&names.__enter__, &names.__exit__, &names.__aenter__, &names.__aexit__][w.c() as usize & 3];
            let Some(found) = lookup::find(ty, name) else {
                special_missing(vm, value, w.c() as usize & 3);
                release_operands(w.flags(), object, 1);
                return self.unwind();
            };
            if found.ty().has_flags(type_flags::METHOD_DESCRIPTOR) {
                #[cfg(feature = "free-threading")]
                let is_alone = !is_shared();
                #[cfg(not(feature = "free-threading"))]
                let is_alone = true;
                if is_alone && let Some((version, at)) = lookup::cached_index(ty, &found) {
                    *self.pc.add(1).cast_mut() = version as u64 | (at as u64) << 32;
                }
                self.put_method(w, found.into_word(), true, object);
                return self.advance(2);
            }
            let bound = match found.ty().slots().descr_get {
                Some(get) => get(vm, &found, Some(value), Some(&ty.to_value())),
                None => Ok(found),
            };
            match bound {
                Ok(bound) => {
                    self.put_method(w, bound.into_word(), false, object);
                    self.advance(2)
                }
                Err(_) => {
                    release_operands(w.flags(), object, 1);
                    self.unwind()
                }
            }
        }
    }
}
