//! Attributes, while other threads run: by what the instruction's caches say, or those that the thread had for the shape at
//! another place. The words of caches are written only by threads that are alone.

use taipan_object::cell::Locked;
use taipan_object::header::Header;
use taipan_object::native::module::Module;
use taipan_object::types::{Type, lookup};

use super::super::attribute::{
    CLASS_METHOD, CLASS_VALUE, METHOD, MODULE_ENTRY, NEW_SLOT, OVERFLOW_SLOT, PROPERTY_GETTER, SLOT, Use, VALUE,
    cached, index, kind, remembered,
};
use super::super::{Machine, release_operands};
use super::{
    Access, Alone, Done, Go, Own, Verdict, access, go_if, header, is_mine, is_read_freely, read_uncounted, replace_word,
};
use crate::frame::{is_pointer, release, retain};
use crate::instruction::{B_OWNED, Fetched, LENDS, Op, VARIANT};

/// The caches that are to be used for an object.
#[derive(Clone, Copy)]
struct Caches {
    first: u64,
    second: u64,
    /// They are the instruction's own.
    own: bool,
}

/// A value that was found: what is to be done about it.
enum Found {
    /// The instruction finds it itself.
    Itself,
    /// This owned word; whether it is a method.
    Word(u64, bool),
    Not(Verdict),
}

/// Asks for a cache line that will be written to.
#[inline(always)]
fn claim(address: u64) {
    // SAFETY: nothing is accessed; the processor ignores an address that is none.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) address, options(nostack, readonly, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

impl Machine<'_> {
    /// Where an attribute is loaded for an operator in place (`x.a += 1`), its object is written to next: the cache lines are
    /// asked for as such before they are looked at. If other threads write to it too, they would change hands twice otherwise.
    #[inline(always)]
    pub(super) unsafe fn claim_what_changes(&self, w: Fetched) {
        const LENGTH: usize = Op::LoadAttr.len();
        const FIRST: [u8; 2] = [Op::Add as u8, Op::AddK as u8];
        const LAST: [u8; 2] = [Op::Xor as u8, Op::XorK as u8];
        // SAFETY: there is always a next instruction.
        unsafe {
            let (object, next) = (self.get(w.b()), Fetched::at(self.pc.add(LENGTH)));
            if next.flags() & VARIANT == 0 || !is_pointer(object) {
                return;
            }
            let op = next.op();
            if (0..2).any(|kind| (FIRST[kind]..=LAST[kind]).contains(&op)) {
                let (header, slot) = (object - 8, object + 8 * index(self.extra(1)) as u64);
                claim(header);
                claim(slot);
            }
        }
    }

    /// Whether an attribute or method is found by the instruction's own caches, in a slot that is read without a lock or in
    /// the class: then the instruction does no more than to read it.
    #[inline(always)]
    pub(super) unsafe fn has_plain_attribute(&self, w: Fetched) -> bool {
        // SAFETY: a live operand; the instruction has two caches, and shape and version say what is at the index.
        unsafe {
            let (word, first, second) = (self.get(w.b()), self.extra(1), self.extra(2));
            if !is_pointer(word) {
                return false;
            }
            let object = header(word);
            object.shape_id() == first as u32
                && lookup::current_version(object.ty()) == second as u32
                && match kind(first) {
                    METHOD | VALUE => true,
                    SLOT => is_read_freely(object) && *(word as *const u64).add(index(first)) != 0,
                    _ => false,
                }
        }
    }

    /// Whether a quick form finds its value in a class, or in a module whose dict is read without a lock.
    #[inline(always)]
    pub(super) unsafe fn has_plain_entry(&self, w: Fetched) -> bool {
        // SAFETY: a live operand; its shape says whether it is a module.
        unsafe {
            let (word, first) = (self.get(w.b()), self.extra(1));
            if !is_pointer(word) || header(word).shape_id() != first as u32 {
                return false;
            }
            match kind(first) {
                CLASS_VALUE => true,
                MODULE_ENTRY => {
                    let module = &*(word as *const Module);
                    is_read_freely(&module.dict.header)
                }
                _ => false,
            }
        }
    }

    /// Whether a store goes to a slot of an object that is mine, by the instruction's own caches.
    #[inline(always)]
    pub(super) unsafe fn stores_plainly(&self, w: Fetched) -> bool {
        // SAFETY: a live operand; the instruction has two caches.
        unsafe {
            let (word, first, second) = (self.get(w.b()), self.extra(1), self.extra(2));
            if !is_pointer(word) {
                return false;
            }
            let object = header(word);
            is_mine(object)
                && object.shape_id() == first as u32
                && lookup::current_version(object.ty()) == second as u32
                && matches!(kind(first), SLOT | NEW_SLOT | OVERFLOW_SLOT)
        }
    }

    /// Whether a method that `with` calls is what the instruction's cache has.
    #[inline(always)]
    pub(super) unsafe fn has_special(&self, w: Fetched) -> bool {
        // SAFETY: a live operand; the instruction has one cache.
        unsafe {
            let (word, cache) = (self.get(w.b()), self.extra(1));
            is_pointer(word) && cache != 0 && lookup::current_version(header(word).ty()) == cache as u32
        }
    }

    unsafe fn caches_for(&self, object: &Header, name: u16, used: Use) -> Option<Caches> {
        // SAFETY: the instruction has two caches.
        let (first, second) = unsafe { (self.extra(1), self.extra(2)) };
        if first as u32 == object.shape_id() && first != 0 {
            return Some(Caches { first, second, own: true });
        }
        // SAFETY: the frame is alive.
        let name = unsafe { (*(*self.frame).code).name_at(name as usize) };
        let (first, second) = remembered(object.shape_id(), name, used)?;
        Some(Caches { first, second, own: false })
    }

    /// The value of an attribute by the caches for its object: if it `lends`, without a reference to it.
    unsafe fn attribute(&self, word: u64, caches: Caches, lends: bool) -> Found {
        let Caches { first, second, own } = caches;
        let found = |word: u64, is_method: bool| {
            if own {
                return Found::Itself;
            }
            // SAFETY: a live value.
            Found::Word(if lends { word } else { unsafe { retain(word) } }, is_method)
        };
        // SAFETY: a live object; shape and version say what is at the index, as in `cached`.
        unsafe {
            let object = header(word);
            let ty = object.ty();
            match kind(first) {
                SLOT => {
                    if lookup::current_version(ty) != second as u32 {
                        return Found::Not(Alone);
                    }
                    let place = (word as *const u64).add(index(first));
                    match access(object) {
                        Access::Mine | Access::Read if *place == 0 => Found::Not(Alone),
                        Access::Mine | Access::Read => found(*place, false),
                        Access::Foreign => Found::Not(self.touches(object, false)),
                        Access::Locked => {
                            let value = match read_uncounted(place) {
                                Some(value) => value,
                                None if lends => return Found::Not(Own),
                                None => {
                                    let _locked = Locked::new(object);
                                    retain(*place)
                                }
                            };
                            if value == 0 { Found::Not(Alone) } else { Found::Word(value, false) }
                        }
                    }
                }
                VALUE | METHOD => {
                    if lookup::current_version(ty) != second as u32 {
                        return Found::Not(Alone);
                    }
                    found(lookup::cached_value(ty, index(first) as u16).word(), kind(first) == METHOD)
                }
                CLASS_VALUE | CLASS_METHOD => {
                    let class = &*(word as *const Type);
                    if lookup::current_version(class) != second as u32
                        || lookup::current_version(ty) != (second >> 32) as u32
                    {
                        return Found::Not(Alone);
                    }
                    found(lookup::cached_value(class, index(first) as u16).word(), kind(first) == CLASS_METHOD)
                }
                MODULE_ENTRY => {
                    let dict = &(*(word as *const Module)).dict;
                    let table = dict.state.as_ptr();
                    if access(&dict.header) == Access::Foreign {
                        return Found::Not(self.touches(&dict.header, false));
                    }
                    if (*table).current_keys_version() != second as u32 {
                        return Found::Not(Alone);
                    }
                    if access(&dict.header) != Access::Locked {
                        return found((*(*table).entries.as_ptr().add(index(first))).value.word(), false);
                    }
                    if lends {
                        return Found::Not(Own);
                    }
                    // No entry moves while others look, since the dict has a keys version.
                    let table = dict.state.borrow(&dict.header);
                    Found::Word(retain(table.entries.get_unchecked(index(first)).value.word()), false)
                }
                PROPERTY_GETTER if own && !lends && lookup::current_version(ty) == second as u32 => Found::Itself,
                // Beside the object: nobody else may have a part in that.
                _ if own && is_mine(object) && cached(word, [first, second].as_ptr()).is_some() => Found::Itself,
                _ => Found::Not(Alone),
            }
        }
    }

    pub(super) unsafe fn load_attr_beside(&self, w: Fetched) -> Verdict {
        // SAFETY: a live operand, released if owned.
        unsafe {
            let object = self.get(w.b());
            if !is_pointer(object) {
                return Alone;
            }
            let Some(caches) = self.caches_for(header(object), w.c(), Use::Load) else { return Alone };
            match self.attribute(object, caches, w.flags() & LENDS != 0) {
                Found::Itself => Go,
                Found::Not(verdict) => verdict,
                Found::Word(word, _) => {
                    if w.flags() & B_OWNED != 0 {
                        self.save();
                        release(object);
                    }
                    self.put_result(w, word)
                }
            }
        }
    }

    pub(super) unsafe fn load_method_beside(&self, w: Fetched) -> Verdict {
        // SAFETY: a live operand, which moves to the register of `self` or is released.
        unsafe {
            let object = self.get(w.b());
            if !is_pointer(object) {
                return Alone;
            }
            let Some(caches) = self.caches_for(header(object), w.c(), Use::Method) else { return Alone };
            if kind(caches.first) == PROPERTY_GETTER {
                return Alone;
            }
            match self.attribute(object, caches, false) {
                Found::Itself => Go,
                Found::Not(verdict) => verdict,
                Found::Word(word, is_method) => {
                    let mut copy = *self;
                    copy.put_method(w, word, is_method, object);
                    Done
                }
            }
        }
    }

    pub(super) unsafe fn store_attr_beside<const K: bool>(&self, w: Fetched) -> Verdict {
        // SAFETY: live operands; shape and version say that the slot is there.
        unsafe {
            let word = self.get(w.b());
            if !is_pointer(word) {
                return Alone;
            }
            let object = header(word);
            let access = access(object);
            if matches!(access, Access::Read | Access::Foreign) {
                return self.touches(object, true);
            }
            let Some(caches) = self.caches_for(object, w.a(), Use::Store) else { return Alone };
            if lookup::current_version(object.ty()) != caches.second as u32 {
                return Alone;
            }
            let in_object = matches!(kind(caches.first), SLOT | NEW_SLOT);
            if access == Access::Mine && caches.own {
                return go_if(in_object || kind(caches.first) == OVERFLOW_SLOT);
            }
            if !in_object {
                return Alone;
            }
            let slot = (word as *mut u64).add(index(caches.first));
            let locked = Locked::new(object);
            if object.shape_id() != caches.first as u32 {
                return Alone;
            }
            let value = if K { retain(self.constant(w.c() as u32)) } else { self.take_c(w) };
            let old = replace_word(slot, value);
            if kind(caches.first) == NEW_SLOT {
                object.set_shape_id((caches.second >> 32) as u32);
            }
            drop(locked);
            self.save();
            release(old);
            release_operands(w.flags() & B_OWNED, word, 1);
            Done
        }
    }
}
