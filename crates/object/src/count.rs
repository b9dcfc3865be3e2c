//! Biased reference counts (PEP 703) and what happens when one reaches zero.
//!
//! The owner of an object counts in `Header::local` without atomics, other threads in the shared word (`count/sharing.rs`).
//! With the GIL on, and without it before a second thread starts, every object's owner is 0 and every count takes the fast
//! path, for which nothing of the thread is asked. What is for other owners is never inlined.
//!
//! Nested destruction: deallocation recurses natively only [`NESTING_LIMIT`] deep; beyond, objects wait in
//! a per-thread list which the outermost deallocation works off. What runs Python code (finalisers, callbacks of weak
//! references) begins anew ([`running_python`]): what is destroyed in there is destroyed before it goes on, as deep as the
//! recursion limit allows, and its end leaves nothing waiting that came up in it.

#[cfg(feature = "free-threading")]
mod sharing;
#[cfg(not(feature = "free-threading"))]
#[path = "count/single.rs"]
mod sharing;

#[cfg(feature = "free-threading")]
pub(crate) use sharing::{FIRST, NOBODY, end_sole_ownership, set_owner, set_shared};
pub use sharing::{current_owner, is_counted_aside, is_only_reference};
pub(crate) use sharing::{end_revival, gather, has_other_owners, restore, revive};
#[cfg(feature = "free-threading")]
pub use sharing::{has_waiting, is_shared, settle};

use crate::header::{Header, IMMORTAL};
use crate::heap;
use crate::vm::Vm;
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

const NESTING_LIMIT: u32 = 50;

thread_local! {
    static NESTING: Cell<u32> = const { Cell::new(0) };
    static DEFERRED: RefCell<Vec<NonNull<Header>>> = const { RefCell::new(Vec::new()) };
    /// How many objects are in the list.
    static WAITING: Cell<usize> = const { Cell::new(0) };
    /// How many calls of [`running_python`] are under way.
    static RUNNING: Cell<u32> = const { Cell::new(0) };
}

/// Adds a reference.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub unsafe fn incref(object: *mut Header) {
    // SAFETY: alive by contract.
    let header = unsafe { &*object };
    heap::assert_alive(object as usize);
    let owner = header.owner.load(Relaxed);
    #[cfg(feature = "stats")]
    note(&crate::stats::INCREFS, owner);
    if owner == 0 {
        let count = header.local.get().wrapping_add(1);
        header.local.set(count);
        if count == 0 {
            std::hint::cold_path();
            // SAFETY: alive by contract.
            unsafe { aside::incref(object) };
        }
    } else if cfg!(feature = "free-threading") {
        std::hint::cold_path();
        if owner == current_owner() && header.local.get() != u32::MAX {
            header.local.set(header.local.get() + 1);
        } else if owner != IMMORTAL {
            // SAFETY: alive by contract.
            unsafe { aside::incref(object) };
        }
    }
}

/// What rarely has to be done when a reference is added. Counts are everywhere: a call, even one that is never made, would
/// have the code around it keep what it works on out of the registers that a call may change.
unsafe extern "C" fn incref_rarely(object: *mut Header) {
    // SAFETY: alive by the contract of `incref`.
    let header = unsafe { &*object };
    if header.owner.load(Relaxed) != 0 {
        sharing::incref_numbered(header);
    } else {
        // 2^32 references: the object can no longer be counted, so it lives for ever.
        header.make_immortal();
    }
}

#[cfg(all(target_arch = "x86_64", not(windows), not(miri)))]
mod aside {
    use super::{Header, incref_rarely};
    use std::arch::{asm, naked_asm};

    /// Calls [`incref_rarely`], as far as the code around can see without changing registers.
    ///
    /// # Safety
    /// `object` is alive.
    #[inline(always)]
    pub(super) unsafe fn incref(object: *mut Header) {
        // SAFETY: alive by contract; all registers are kept but those of vector
        // extensions, which code that counts does not use; and what is done needs no more than the stack, which is aligned.
        unsafe { asm!("call {}", sym keeping_registers, in("rdi") object) };
    }

    /// [`incref_rarely`] of the object in `rdi`, after which all registers are as before. An object of another thread's is
    /// counted here while there are several: as `incref_numbered` would, but for those that are looked at (`sharing/common.rs`).
    #[cfg(all(feature = "free-threading", target_os = "linux"))]
    #[unsafe(naked)]
    unsafe extern "C" fn keeping_registers() {
        naked_asm!(
            "push rax",
            "mov eax, [rdi + {owner}]",
            "test eax, eax",
            "jz 2f",
            "cmp eax, fs:[taipan_owner@tpoff]",
            "je 2f",
            "cmp byte ptr [rip + {parallel}], 0",
            "je 2f",
            "sub dword ptr fs:[taipan_sample@tpoff], 1",
            "jc 2f",
            "lock add qword ptr [rdi - 16], {one}",
            "pop rax",
            "ret",
            "2:",
            "pop rax",
            "jmp {rarely}",
            owner = const std::mem::offset_of!(Header, owner),
            parallel = sym crate::cell::PARALLEL,
            one = const super::sharing::ONE,
            rarely = sym rarely_keeping_registers,
        );
    }

    #[cfg(not(all(feature = "free-threading", target_os = "linux")))]
    use rarely_keeping_registers as keeping_registers;

    /// The same, for all objects.
    #[unsafe(naked)]
    unsafe extern "C" fn rarely_keeping_registers() {
        naked_asm!(
            "push rax", "push rcx", "push rdx", "push rsi", "push rdi", "push r8", "push r9", "push r10", "push r11",
            "sub rsp, 256",
            "movups [rsp], xmm0", "movups [rsp + 16], xmm1", "movups [rsp + 32], xmm2", "movups [rsp + 48], xmm3",
            "movups [rsp + 64], xmm4", "movups [rsp + 80], xmm5", "movups [rsp + 96], xmm6", "movups [rsp + 112], xmm7",
            "movups [rsp + 128], xmm8", "movups [rsp + 144], xmm9", "movups [rsp + 160], xmm10",
            "movups [rsp + 176], xmm11", "movups [rsp + 192], xmm12", "movups [rsp + 208], xmm13",
            "movups [rsp + 224], xmm14", "movups [rsp + 240], xmm15",
            "call {}",
            "movups xmm0, [rsp]", "movups xmm1, [rsp + 16]", "movups xmm2, [rsp + 32]", "movups xmm3, [rsp + 48]",
            "movups xmm4, [rsp + 64]", "movups xmm5, [rsp + 80]", "movups xmm6, [rsp + 96]", "movups xmm7, [rsp + 112]",
            "movups xmm8, [rsp + 128]", "movups xmm9, [rsp + 144]", "movups xmm10, [rsp + 160]",
            "movups xmm11, [rsp + 176]", "movups xmm12, [rsp + 192]", "movups xmm13, [rsp + 208]",
            "movups xmm14, [rsp + 224]", "movups xmm15, [rsp + 240]",
            "add rsp, 256",
            "pop r11", "pop r10", "pop r9", "pop r8", "pop rdi", "pop rsi", "pop rdx", "pop rcx", "pop rax",
            "ret",
            sym incref_rarely,
        );
    }
}

#[cfg(not(all(target_arch = "x86_64", not(windows), not(miri))))]
mod aside {
    pub(super) use super::incref_rarely as incref;
}

/// Ends a reference; the object dies with its last one.
///
/// # Safety
/// The caller owned the reference and does not use it again.
#[inline(always)]
pub unsafe fn decref(object: *mut Header) {
    // SAFETY: alive by contract.
    let header = unsafe { &*object };
    heap::assert_alive(object as usize);
    let owner = header.owner.load(Relaxed);
    #[cfg(feature = "stats")]
    note(&crate::stats::DECREFS, owner);
    if owner == 0 {
        let count = header.local.get() - 1;
        header.local.set(count);
        if count == 0 {
            // SAFETY: that was the last reference.
            unsafe { dead(object) };
        }
    } else if owner != IMMORTAL {
        sharing::decref_numbered(object);
    }
}

/// Counts an operation on an object with that owner.
#[cfg(feature = "stats")]
#[inline(always)]
fn note(operations: &crate::stats::Counter, owner: u32) {
    operations.count();
    if owner != current_owner() {
        crate::stats::FOREIGN.count();
    }
}

/// Deallocates, or defers when deallocations are nested too deeply.
///
/// # Safety
/// The count of `object` is zero.
#[cold]
#[inline(never)]
unsafe fn dead(object: *mut Header) {
    if sharing::leave_to_others(object) {
        return;
    }
    let depth = NESTING.get();
    if depth >= NESTING_LIMIT {
        defer(object);
        return;
    }
    NESTING.set(depth + 1);
    if depth > 0 {
        // SAFETY: dead, and only here is it deallocated.
        unsafe { deallocate(object) };
    } else {
        let others = WAITING.get();
        // SAFETY: as above.
        unsafe { deallocate(object) };
        if WAITING.get() > others {
            work_off(others);
        }
    }
    NESTING.set(depth);
}

#[cold]
#[inline(never)]
fn defer(object: *mut Header) {
    // SAFETY: not null: it was dereferenced.
    DEFERRED.with_borrow_mut(|list| list.push(unsafe { NonNull::new_unchecked(object) }));
    WAITING.set(WAITING.get() + 1);
}

/// Below this, deallocations that run Python code are put off.
const LITTLE_STACK: usize = 128 * 1024;

/// Deallocates what waits, but for the first `others` objects. Where the stack nears its end this is left to an outer one:
/// early enough that what is begun here is not put off at once.
#[cold]
#[inline(never)]
fn work_off(others: usize) {
    while WAITING.get() > others && !is_short_of_stack(2 * LITTLE_STACK) {
        WAITING.set(WAITING.get() - 1);
        let next = DEFERRED.with_borrow_mut(|list| list.pop()).expect("as many as are counted");
        // SAFETY: put there by `defer`, once.
        unsafe { deallocate(next.as_ptr()) };
    }
}

/// Whether there is less stack than that, and an outer deallocation to leave the rest to.
fn is_short_of_stack(needed: usize) -> bool {
    RUNNING.get() > 0 && Vm::try_current().is_some_and(|vm| vm.stack_left() < needed)
}

/// Puts a deallocation off that has just begun, if the stack is at its end and an outer one is under way that will come to it.
pub(crate) fn put_off(object: *mut Header) -> bool {
    let put_off = is_short_of_stack(LITTLE_STACK);
    if put_off {
        defer(object);
    }
    put_off
}

/// Calls `run`, which runs Python code in the middle of a destruction.
pub fn running_python<R>(run: impl FnOnce() -> R) -> R {
    let depth = NESTING.replace(0);
    RUNNING.set(RUNNING.get() + 1);
    let exhausted = heap::MEMORY_EXHAUSTED.load(Relaxed);
    let result = run();
    if exhausted {
        // Whoever ran out of memory before has to be told, not only the code that ran here.
        heap::signal_exhausted();
    }
    RUNNING.set(RUNNING.get() - 1);
    NESTING.set(depth);
    result
}

unsafe fn deallocate(object: *mut Header) {
    // SAFETY: the type's `dealloc` fits every instance of the type.
    unsafe {
        let dealloc = (*object).ty().dealloc;
        dealloc(object);
    }
}

/// `sys.getrefcount` without the reference of its argument.
pub fn refcount(header: &Header) -> u64 {
    sharing::total(header)
}
