//! C functions that call a Rust closure.
//!
//! Each has an entry in a page of code that never changes once it is filled, and its closure in the page of data that
//! follows: no memory is writable and executable at once.

use std::arch::naked_asm;
use std::mem::offset_of;
use std::sync::Mutex;

use super::{Class, Frame, GENERAL, Place, Shape, VECTOR, extend};

/// What a closure does: `(arguments, result)`, where each argument's address has the bytes of its shape, and the result's
/// room for its shape, zeroed.
pub type Body = dyn Fn(&[*const u8], *mut u8) + Send + Sync;

struct Closure {
    arguments: Vec<Shape>,
    result: Option<Shape>,
    body: Box<Body>,
}

/// A C function that lives as long as this.
pub struct Thunk {
    slot: *mut Slot,
    closure: *mut Closure,
}

// SAFETY: the closure's body is `Send` and `Sync`; the slot is this thunk's own.
unsafe impl Send for Thunk {}
// SAFETY: as above.
unsafe impl Sync for Thunk {}

/// The data of one entry.
#[repr(C)]
struct Slot {
    closure: *mut Closure,
    entry: usize,
}

const PAGE: usize = 4096;
/// Of an entry in the page of code, and of its slot in the page of data.
const ENTRY: usize = 16;

struct FreeSlots(Vec<*mut Slot>);

// SAFETY: the slots are reached by whoever holds the lock.
unsafe impl Send for FreeSlots {}

static FREE: Mutex<FreeSlots> = Mutex::new(FreeSlots(Vec::new()));

impl Thunk {
    /// A C function with these arguments and result; `None` when the system gives no memory for it.
    pub fn new(arguments: Vec<Shape>, result: Option<Shape>, body: Box<Body>) -> Option<Thunk> {
        let mut free = FREE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if free.0.is_empty() {
            free.0 = map_pages()?;
        }
        let slot = free.0.pop()?;
        let closure = Box::into_raw(Box::new(Closure { arguments, result, body }));
        // SAFETY: the slot was free and is now this thunk's alone.
        unsafe { slot.write(Slot { closure, entry: enter as *const () as usize }) };
        Some(Thunk { slot, closure })
    }

    /// The function's address.
    pub fn address(&self) -> usize {
        self.slot as usize - PAGE
    }
}

impl Drop for Thunk {
    fn drop(&mut self) {
        // SAFETY: both were made by `new`. Whoever calls the function after this calls one that does not exist: `dispatch`
        // says so as long as the slot has no new closure.
        unsafe {
            (*self.slot).closure = std::ptr::null_mut();
            drop(Box::from_raw(self.closure));
        }
        FREE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).0.push(self.slot);
    }
}

/// A page of entries, and one of slots behind it.
fn map_pages() -> Option<Vec<*mut Slot>> {
    // SAFETY: new memory is mapped, filled within its bounds, and its first page then made executable.
    unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let code = libc::mmap(std::ptr::null_mut(), 2 * PAGE, protection, flags, -1, 0);
        if code == libc::MAP_FAILED {
            return None;
        }
        let code = code.cast::<u8>();
        for at in (0..PAGE).step_by(ENTRY) {
            // mov r11, [rip + slot.closure]; jmp [rip + slot.entry]
            let load = (PAGE - 7) as u32;
            let jump = (PAGE + 8 - 13) as u32;
            let mut entry = [0xCCu8; ENTRY];
            entry[..3].copy_from_slice(&[0x4C, 0x8B, 0x1D]);
            entry[3..7].copy_from_slice(&load.to_le_bytes());
            entry[7..9].copy_from_slice(&[0xFF, 0x25]);
            entry[9..13].copy_from_slice(&jump.to_le_bytes());
            std::ptr::copy_nonoverlapping(entry.as_ptr(), code.add(at), ENTRY);
        }
        if libc::mprotect(code.cast(), PAGE, libc::PROT_READ | libc::PROT_EXEC) != 0 {
            libc::munmap(code.cast(), 2 * PAGE);
            return None;
        }
        Some((0..PAGE).step_by(ENTRY).rev().map(|at| code.add(PAGE + at).cast::<Slot>()).collect())
    }
}

/// Where entries jump to, the closure in `r11`: stores the arguments' registers, and loads the results'.
#[unsafe(naked)]
unsafe extern "C" fn enter() {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, {size}",
        "mov [rsp + {general}], rdi",
        "mov [rsp + {general} + 8], rsi",
        "mov [rsp + {general} + 16], rdx",
        "mov [rsp + {general} + 24], rcx",
        "mov [rsp + {general} + 32], r8",
        "mov [rsp + {general} + 40], r9",
        "movsd [rsp + {vector}], xmm0",
        "movsd [rsp + {vector} + 8], xmm1",
        "movsd [rsp + {vector} + 16], xmm2",
        "movsd [rsp + {vector} + 24], xmm3",
        "movsd [rsp + {vector} + 32], xmm4",
        "movsd [rsp + {vector} + 40], xmm5",
        "movsd [rsp + {vector} + 48], xmm6",
        "movsd [rsp + {vector} + 56], xmm7",
        "lea rax, [rbp + 16]",
        "mov [rsp + {stack}], rax",
        "mov rdi, r11",
        "mov rsi, rsp",
        "cld",
        "call {dispatch}",
        "mov ecx, [rsp + {x87_results}]",
        "test ecx, ecx",
        "jz 2f",
        "cmp ecx, 1",
        "je 3f",
        "fld tbyte ptr [rsp + {x87} + 16]",
        "3:",
        "fld tbyte ptr [rsp + {x87}]",
        "2:",
        "mov rax, [rsp + {general_results}]",
        "mov rdx, [rsp + {general_results} + 8]",
        "movsd xmm0, [rsp + {vector_results}]",
        "movsd xmm1, [rsp + {vector_results} + 8]",
        "leave",
        "ret",
        size = const size_of::<Frame>().next_multiple_of(16),
        general = const offset_of!(Frame, general),
        vector = const offset_of!(Frame, vector),
        stack = const offset_of!(Frame, stack),
        general_results = const offset_of!(Frame, general_results),
        vector_results = const offset_of!(Frame, vector_results),
        x87_results = const offset_of!(Frame, x87_results),
        x87 = const offset_of!(Frame, x87),
        dispatch = sym dispatch,
    )
}

/// A copy of an argument that came in registers.
type Assembled = [u64; 2];

/// Finds the arguments, calls the closure, and puts the result where the convention wants it.
unsafe extern "C" fn dispatch(closure: *const Closure, frame: *mut Frame) {
    if closure.is_null() {
        eprintln!("Fatal Python error: a C function of ctypes was called after it was deleted");
        std::process::abort();
    }
    // SAFETY: entries have their slot's closure, which lives as long as the thunk; the frame is on the caller's stack.
    let (closure, frame) = unsafe { (&*closure, &mut *frame) };
    let place = closure.result.as_ref().map(Shape::place);
    let (mut general, mut vector, mut stack) = (0, 0, frame.stack);
    let mut memory_result = None;
    if matches!(place, Some(Place::Memory)) {
        memory_result = Some(frame.general[0]);
        general = 1;
    }
    let mut assembled: Vec<Assembled> = vec![[0; 2]; closure.arguments.len()];
    let mut addresses: Vec<*const u8> = Vec::with_capacity(closure.arguments.len());
    for (shape, copy) in closure.arguments.iter().zip(&mut assembled) {
        if let Place::Registers { classes, count } = shape.place() {
            let wanted = classes[..count].iter().filter(|class| **class == Class::Integer).count();
            if general + wanted <= GENERAL && vector + count - wanted <= VECTOR {
                for (part, class) in classes[..count].iter().enumerate() {
                    let (from, next) = match class {
                        Class::Integer => (&frame.general[..], &mut general),
                        Class::Sse => (&frame.vector[..], &mut vector),
                    };
                    copy[part] = from[*next];
                    *next += 1;
                }
                addresses.push(copy.as_ptr().cast());
                continue;
            }
        }
        stack = stack.next_multiple_of(shape.align.clamp(8, 16));
        addresses.push(stack as *const u8);
        stack += shape.size.next_multiple_of(8);
    }
    frame.x87_results = 0;
    let Some((shape, place)) = closure.result.as_ref().zip(place) else {
        (closure.body)(&addresses, std::ptr::null_mut());
        return;
    };
    let mut result = vec![0u64; shape.size.div_ceil(8).max(1)];
    (closure.body)(&addresses, result.as_mut_ptr().cast());
    match place {
        Place::Memory => {
            let into = memory_result.expect("set for such results");
            // SAFETY: the caller passed the address of room for the result.
            unsafe { std::ptr::copy_nonoverlapping(result.as_ptr().cast::<u8>(), into as *mut u8, shape.size) };
            frame.general_results = [into, 0];
        }
        Place::X87(count) => {
            frame.x87_results = count;
            for (part, words) in result.chunks(2).take(count as usize).enumerate() {
                frame.x87[part][..8].copy_from_slice(&words[0].to_le_bytes());
                frame.x87[part][8..].copy_from_slice(&words[1].to_le_bytes());
            }
        }
        Place::Registers { classes, count } => {
            let (mut general, mut vector) = (0, 0);
            for part in 0..count {
                match classes[part] {
                    Class::Integer => {
                        // SAFETY: `result` has the bytes of the integer.
                        let extended = shape
                            .lone_integer()
                            .map(|(size, signed)| unsafe { extend(result.as_ptr().cast(), size, signed) });
                        frame.general_results[general] = extended.unwrap_or(result[part]);
                        general += 1;
                    }
                    Class::Sse => {
                        frame.vector_results[vector] = result[part];
                        vector += 1;
                    }
                }
            }
        }
    }
}
