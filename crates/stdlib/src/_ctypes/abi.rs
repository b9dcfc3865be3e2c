//! The calling convention of the platform: System V on x86-64.
//!
//! [`Shape`] says how a C type is passed, [`Call`] calls a C function with arguments known only at run time, and `closure.rs`
//! makes C functions of Rust closures. The registers and the stack are laid out here, in a [`Frame`]; the assembly does no
//! more than move that into and out of the machine.

pub mod closure;

use std::arch::naked_asm;
use std::mem::offset_of;

/// A number or pointer in memory, as the convention sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scalar {
    Integer { size: u8, signed: bool },
    Float,
    Double,
    LongDouble,
}

impl Scalar {
    fn align(self) -> usize {
        match self {
            Scalar::Integer { size, .. } => size as usize,
            Scalar::Float => 4,
            Scalar::Double => 8,
            Scalar::LongDouble => 16,
        }
    }
}

/// A C type: its size, and the scalars in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    pub size: usize,
    pub align: usize,
    /// The scalars and their offsets; empty for what is larger than any register can take.
    pub scalars: Vec<(usize, Scalar)>,
}

/// Nothing larger goes into registers.
pub const LARGEST_IN_REGISTERS: usize = 16;

/// Where an eight-byte part of a value goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Integer,
    Sse,
}

/// Where a value goes.
enum Place {
    Memory,
    Registers {
        classes: [Class; 2],
        count: usize,
    },
    /// One or two long doubles, returned on the floating-point stack; as arguments they are in memory.
    X87(u32),
}

impl Shape {
    pub fn scalar(scalar: Scalar) -> Shape {
        let size = scalar.align();
        Shape { size, align: size, scalars: vec![(0, scalar)] }
    }
    pub fn pointer() -> Shape {
        Shape::scalar(Scalar::Integer { size: 8, signed: false })
    }
    /// C's `int`.
    pub fn int() -> Shape {
        Shape::scalar(Scalar::Integer { size: 4, signed: true })
    }
    /// Two of `scalar`: a complex number.
    pub fn complex(scalar: Scalar) -> Shape {
        let part = scalar.align();
        Shape { size: 2 * part, align: part, scalars: vec![(0, scalar), (part, scalar)] }
    }

    fn place(&self) -> Place {
        if self.scalars.iter().any(|(_, scalar)| *scalar == Scalar::LongDouble) {
            let only = self.scalars.iter().all(|(_, scalar)| *scalar == Scalar::LongDouble);
            let count = self.scalars.len();
            // A structure of two long doubles is no complex number, but is never described: it is too large.
            return if only && count <= 2 && self.size == 16 * count {
                Place::X87(count as u32)
            } else {
                Place::Memory
            };
        }
        if self.size > LARGEST_IN_REGISTERS || self.scalars.iter().any(|(at, scalar)| at % scalar.align() != 0) {
            return Place::Memory;
        }
        let count = self.size.div_ceil(8);
        let mut classes = [Class::Sse; 2];
        for (at, scalar) in &self.scalars {
            if matches!(scalar, Scalar::Integer { .. }) {
                classes[at / 8] = Class::Integer;
            }
        }
        Place::Registers { classes, count }
    }

    /// The scalar, if it is an integer alone: it is extended to a register's width.
    fn lone_integer(&self) -> Option<(u8, bool)> {
        match self.scalars[..] {
            [(0, Scalar::Integer { size, signed })] if size as usize == self.size => Some((size, signed)),
            _ => None,
        }
    }
}

const GENERAL: usize = 6;
const VECTOR: usize = 8;

/// The machine at a call: arguments and results.
#[repr(C)]
#[derive(Default)]
pub struct Frame {
    general: [u64; GENERAL],
    vector: [u64; VECTOR],
    /// The arguments on the stack; of a closure's frame the caller's own.
    stack: usize,
    stack_words: usize,
    function: usize,
    /// How many long doubles are returned.
    x87_results: u32,
    x87: [[u8; 16]; 2],
    general_results: [u64; 2],
    vector_results: [u64; 2],
}

/// An extended integer, from its bytes.
///
/// # Safety
/// `size` (at most 8) bytes are readable at `from`.
unsafe fn extend(from: *const u8, size: u8, signed: bool) -> u64 {
    let mut word = [0u8; 8];
    // SAFETY: by contract.
    unsafe { std::ptr::copy_nonoverlapping(from, word.as_mut_ptr(), size as usize) };
    let shift = 64 - 8 * size as u32;
    let word = u64::from_le_bytes(word) << shift;
    if signed { (word as i64 >> shift) as u64 } else { word >> shift }
}

/// A call that is being prepared.
#[derive(Default)]
pub struct Call {
    frame: Frame,
    general: usize,
    vector: usize,
    stack: Vec<u64>,
    /// The result is written by the function itself.
    in_memory: bool,
}

impl Call {
    /// A call of `function`. A result that is returned in memory goes to `into`.
    pub fn new(function: usize, result: Option<&Shape>, into: *mut u8) -> Call {
        let mut call = Call::default();
        call.frame.function = function;
        match result.map(Shape::place) {
            Some(Place::Memory) => {
                call.in_memory = true;
                call.frame.general[0] = into as u64;
                call.general = 1;
            }
            Some(Place::X87(count)) => call.frame.x87_results = count,
            _ => {}
        }
        call
    }

    /// Adds an argument.
    ///
    /// # Safety
    /// `shape.size` bytes are readable at `from`.
    pub unsafe fn push(&mut self, shape: &Shape, from: *const u8) {
        if let Place::Registers { classes, count } = shape.place() {
            let general = classes[..count].iter().filter(|class| **class == Class::Integer).count();
            if self.general + general <= GENERAL && self.vector + count - general <= VECTOR {
                for (part, class) in classes[..count].iter().enumerate() {
                    let size = (shape.size - 8 * part).min(8) as u8;
                    let signed = shape.lone_integer().is_some_and(|(_, signed)| signed);
                    // SAFETY: the part is within the value.
                    let word = unsafe { extend(from.add(8 * part), size, signed) };
                    match class {
                        Class::Integer => {
                            self.frame.general[self.general] = word;
                            self.general += 1;
                        }
                        Class::Sse => {
                            self.frame.vector[self.vector] = word;
                            self.vector += 1;
                        }
                    }
                }
                return;
            }
        }
        while !(self.stack.len() * 8).is_multiple_of(shape.align.clamp(8, 16)) {
            self.stack.push(0);
        }
        for at in (0..shape.size).step_by(8) {
            let size = (shape.size - at).min(8) as u8;
            let signed = shape.lone_integer().is_some_and(|(_, signed)| signed);
            // SAFETY: the part is within the value.
            self.stack.push(unsafe { extend(from.add(at), size, signed) });
        }
    }

    /// Calls the function.
    ///
    /// # Safety
    /// The function exists and does with such arguments nothing that breaks the process's invariants.
    pub unsafe fn invoke(&mut self) {
        self.frame.stack = self.stack.as_ptr() as usize;
        self.frame.stack_words = self.stack.len();
        // SAFETY: the frame describes the call; the rest is the caller's responsibility.
        unsafe { invoke(&mut self.frame) };
    }

    /// Writes the result of the call.
    ///
    /// # Safety
    /// `shape` is that of the result, and `shape.size` bytes are writable at `into`.
    pub unsafe fn result(&self, shape: &Shape, into: *mut u8) {
        // SAFETY: by contract.
        match shape.place() {
            Place::Memory => debug_assert!(self.in_memory),
            Place::X87(count) => {
                for (part, number) in self.frame.x87[..count as usize].iter().enumerate() {
                    // SAFETY: each of them takes 16 bytes of the result, 10 of which have a meaning.
                    unsafe { std::ptr::copy_nonoverlapping(number.as_ptr(), into.add(16 * part), 10) };
                }
            }
            Place::Registers { classes, count } => {
                let (mut general, mut vector) = (self.frame.general_results.iter(), self.frame.vector_results.iter());
                for (part, class) in classes[..count].iter().enumerate() {
                    let next = if *class == Class::Integer { general.next() } else { vector.next() };
                    let word = next.expect("there are two of each").to_le_bytes();
                    let size = (shape.size - 8 * part).min(8);
                    // SAFETY: the part is within the result.
                    unsafe { std::ptr::copy_nonoverlapping(word.as_ptr(), into.add(8 * part), size) };
                }
            }
        }
    }
}

/// Copies the stack arguments, loads the registers, calls, and stores the results.
///
/// # Safety
/// As for [`Call::invoke`]; `frame.stack` has `frame.stack_words` words.
#[unsafe(naked)]
unsafe extern "C" fn invoke(frame: *mut Frame) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "sub rsp, 8",
        "mov rbx, rdi",
        "mov rcx, [rbx + {stack_words}]",
        "lea rax, [rcx * 8 + 15]",
        "and rax, -16",
        "sub rsp, rax",
        "mov rsi, [rbx + {stack}]",
        "mov rdi, rsp",
        "cld",
        "rep movsq",
        "movsd xmm0, [rbx + {vector}]",
        "movsd xmm1, [rbx + {vector} + 8]",
        "movsd xmm2, [rbx + {vector} + 16]",
        "movsd xmm3, [rbx + {vector} + 24]",
        "movsd xmm4, [rbx + {vector} + 32]",
        "movsd xmm5, [rbx + {vector} + 40]",
        "movsd xmm6, [rbx + {vector} + 48]",
        "movsd xmm7, [rbx + {vector} + 56]",
        "mov rdi, [rbx + {general}]",
        "mov rsi, [rbx + {general} + 8]",
        "mov rdx, [rbx + {general} + 16]",
        "mov rcx, [rbx + {general} + 24]",
        "mov r8, [rbx + {general} + 32]",
        "mov r9, [rbx + {general} + 40]",
        // For functions with a variable number of arguments: at most so many vector registers are used.
        "mov eax, 8",
        "call [rbx + {function}]",
        "mov [rbx + {general_results}], rax",
        "mov [rbx + {general_results} + 8], rdx",
        "movsd [rbx + {vector_results}], xmm0",
        "movsd [rbx + {vector_results} + 8], xmm1",
        "mov ecx, [rbx + {x87_results}]",
        "test ecx, ecx",
        "jz 2f",
        "fstp tbyte ptr [rbx + {x87}]",
        "cmp ecx, 1",
        "je 2f",
        "fstp tbyte ptr [rbx + {x87} + 16]",
        "2:",
        "lea rsp, [rbp - 8]",
        "pop rbx",
        "pop rbp",
        "ret",
        stack_words = const offset_of!(Frame, stack_words),
        stack = const offset_of!(Frame, stack),
        vector = const offset_of!(Frame, vector),
        general = const offset_of!(Frame, general),
        function = const offset_of!(Frame, function),
        general_results = const offset_of!(Frame, general_results),
        vector_results = const offset_of!(Frame, vector_results),
        x87_results = const offset_of!(Frame, x87_results),
        x87 = const offset_of!(Frame, x87),
    )
}

/// The nearest double to a long double.
///
/// # Safety
/// 10 bytes are readable at `from`.
pub unsafe fn read_long_double(from: *const u8) -> f64 {
    let mut double = 0.0f64;
    // SAFETY: reads by contract and writes a local variable.
    unsafe {
        std::arch::asm!("fld tbyte ptr [{from}]", "fstp qword ptr [{to}]", from = in(reg) from, to = in(reg) &raw mut double);
    }
    double
}

/// Writes a double as a long double.
///
/// # Safety
/// 10 bytes are writable at `into`.
pub unsafe fn write_long_double(into: *mut u8, double: f64) {
    // SAFETY: writes by contract and reads a local variable.
    unsafe {
        std::arch::asm!("fld qword ptr [{from}]", "fstp tbyte ptr [{to}]", from = in(reg) &raw const double, to = in(reg) into);
    }
}
