//! The type codes of simple types: how their values are read from and written to memory.

use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::{bytearray::ByteArray, complex, float, int};
use taipan_object::{Result, Value, Vm};

use super::abi::{self, Scalar, Shape};

/// All codes, as the message about a wrong one lists them.
pub const ALL: &str = "cbBhHiIlLdDFGfuzZqQPOv?g";

/// A type code, and whether the bytes are in the order that is not the machine's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    pub letter: u8,
    pub swapped: bool,
}

/// The bits of a bit field: how many, and from which on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bits {
    pub count: u32,
    pub offset: u32,
}

/// Room for the value of any code.
type Raw = [u8; 32];

impl Code {
    pub fn from_letter(letter: u8) -> Option<Code> {
        ALL.as_bytes().contains(&letter).then_some(Code { letter, swapped: false })
    }

    /// How it is passed, and so its size and alignment.
    pub fn passing(self) -> Shape {
        let integer = |size: u8, signed: bool| Shape::scalar(Scalar::Integer { size, signed });
        match self.letter {
            b'c' | b'b' => integer(1, true),
            b'B' | b'?' => integer(1, false),
            b'h' | b'v' => integer(2, true),
            b'H' => integer(2, false),
            b'i' | b'u' => integer(4, true),
            b'I' => integer(4, false),
            b'l' | b'q' => integer(8, true),
            b'L' | b'Q' => integer(8, false),
            b'f' => Shape::scalar(Scalar::Float),
            b'd' => Shape::scalar(Scalar::Double),
            b'g' => Shape::scalar(Scalar::LongDouble),
            b'F' => Shape::complex(Scalar::Float),
            b'D' => Shape::complex(Scalar::Double),
            b'G' => Shape::complex(Scalar::LongDouble),
            _ => Shape::pointer(),
        }
    }

    /// Whether there is a type with the other byte order.
    pub fn can_swap(self) -> bool {
        b"hHiIlLqQfdFD".contains(&self.letter)
    }

    pub fn is_pointer(self) -> bool {
        b"zZPO".contains(&self.letter)
    }

    pub fn is_char(self) -> bool {
        self.letter == b'c'
    }
    pub fn is_wide_char(self) -> bool {
        self.letter == b'u'
    }

    /// Whether the type can be that of a bit field.
    pub fn can_be_bits(self) -> bool {
        b"bBhHiIlLqQ?".contains(&self.letter)
    }

    fn is_signed(self) -> bool {
        b"bhilqv".contains(&self.letter)
    }

    /// The item in the buffer protocol's syntax.
    pub fn format(self) -> String {
        let letter = match self.letter {
            b'l' => b'q',
            b'L' => b'Q',
            letter => letter,
        };
        format!("{}{}", if self.swapped { '>' } else { '<' }, letter as char)
    }

    /// Turns the bytes of a swapped value round; those of each part of a complex number.
    fn swap(self, bytes: &mut [u8]) {
        if self.swapped {
            let parts = if matches!(self.letter, b'F' | b'D') { 2 } else { 1 };
            let size = bytes.len() / parts;
            bytes.chunks_mut(size).for_each(<[u8]>::reverse);
        }
    }

    /// # Safety
    /// The value's bytes are readable at `from`.
    unsafe fn load(self, from: *const u8) -> Raw {
        let mut raw = Raw::default();
        let size = self.passing().size;
        // SAFETY: by contract; the largest value has 32 bytes.
        unsafe { std::ptr::copy_nonoverlapping(from, raw.as_mut_ptr(), size) };
        self.swap(&mut raw[..size]);
        raw
    }

    /// # Safety
    /// The value's bytes are writable at `into`.
    unsafe fn store(self, into: *mut u8, raw: &[u8]) {
        let size = self.passing().size;
        let mut raw_bytes = Raw::default();
        raw_bytes[..raw.len()].copy_from_slice(raw);
        self.swap(&mut raw_bytes[..size]);
        // SAFETY: by contract.
        unsafe { std::ptr::copy_nonoverlapping(raw_bytes.as_ptr(), into, size) };
    }

    fn integer(self, raw: &Raw) -> u64 {
        let size = self.passing().size;
        let word = u64::from_le_bytes(raw[..8].try_into().expect("eight bytes"));
        let shift = 64 - 8 * size as u32;
        if self.is_signed() { ((word << shift) as i64 >> shift) as u64 } else { word << shift >> shift }
    }

    /// The value in memory.
    ///
    /// # Safety
    /// The value's bytes are readable at `from`, and what it points to is there.
    pub unsafe fn get(self, vm: &Vm, from: *const u8) -> Result {
        // SAFETY: by contract.
        let raw = unsafe { self.load(from) };
        let word = u64::from_le_bytes(raw[..8].try_into().expect("eight bytes"));
        let single = |at: usize| f32::from_le_bytes(raw[at..at + 4].try_into().expect("four bytes")) as f64;
        let double = |at: usize| f64::from_le_bytes(raw[at..at + 8].try_into().expect("eight bytes"));
        // SAFETY: there are ten bytes and more.
        let long = |at: usize| unsafe { abi::read_long_double(raw[at..at + 10].as_ptr()) };
        Ok(match self.letter {
            b'c' => bytes::new(&raw[..1]),
            b'?' => Value::bool(raw[0] != 0),
            b'v' => Value::bool(self.integer(&raw) != 0),
            b'b' | b'h' | b'i' | b'l' | b'q' => int::from_i64(self.integer(&raw) as i64),
            b'B' | b'H' | b'I' | b'L' | b'Q' => int::from_u64(self.integer(&raw)),
            b'f' => float::from_f64(single(0)),
            b'd' => float::from_f64(double(0)),
            b'g' => float::from_f64(long(0)),
            b'F' => complex::from_parts((single(0), single(4))),
            b'D' => complex::from_parts((double(0), double(8))),
            b'G' => complex::from_parts((long(0), long(16))),
            b'u' => wide_string(vm, &[word as u32])?,
            b'z' if word == 0 => Value::NONE,
            // SAFETY: a string is there by contract.
            b'z' => bytes::from_slice(vm, unsafe { std::ffi::CStr::from_ptr(word as *const libc::c_char) }.to_bytes())?,
            b'Z' if word == 0 => Value::NONE,
            b'Z' => {
                let start = word as *const u32;
                // SAFETY: a string is there by contract.
                let text = unsafe { read_wide(start, wide_length(start)) };
                wide_string(vm, &text)?
            }
            b'P' if word == 0 => Value::NONE,
            b'P' => int::from_u64(word),
            _ if word == 0 => return Err(vm.value_error("PyObject is NULL")),
            // SAFETY: the memory holds a value by contract.
            _ => unsafe { Value::borrow_word(&word) }.clone(),
        })
    }

    /// Writes a value; the result is what must be kept alive as long as the memory has it, or `None`.
    ///
    /// # Safety
    /// The value's bytes are writable at `into`.
    pub unsafe fn set(self, vm: &Vm, into: *mut u8, value: &Value) -> Result {
        let mut keep = Value::NONE;
        let raw: Raw = match self.letter {
            b'c' => padded(&[character(vm, value)?]),
            b'?' => padded(&[vm.is_true(value)? as u8]),
            b'v' => padded(&(if vm.is_true(value)? { -1i16 } else { 0 }).to_le_bytes()),
            b'f' => padded(&(float::as_f64(vm, value)? as f32).to_le_bytes()),
            b'd' => padded(&float::as_f64(vm, value)?.to_le_bytes()),
            b'g' => long_doubles(&[float::as_f64(vm, value)?]),
            b'F' | b'D' | b'G' => {
                let (real, imag) = complex::as_parts(vm, value)?;
                match self.letter {
                    b'F' => {
                        let mut raw = padded(&(real as f32).to_le_bytes());
                        raw[4..8].copy_from_slice(&(imag as f32).to_le_bytes());
                        raw
                    }
                    b'D' => {
                        let mut raw = padded(&real.to_le_bytes());
                        raw[8..16].copy_from_slice(&imag.to_le_bytes());
                        raw
                    }
                    _ => long_doubles(&[real, imag]),
                }
            }
            b'u' => padded(&wide_character(vm, value)?.to_le_bytes()),
            b'z' => {
                let word = if value.is_none() {
                    0
                } else if let Some(data) = value.downcast::<Bytes>() {
                    keep = value.clone();
                    data.as_slice().as_ptr() as u64
                } else {
                    address(vm, value, "bytes or integer address")?
                };
                padded(&word.to_le_bytes())
            }
            b'Z' => {
                let word = if value.is_none() {
                    0
                } else if let Some(text) = value.downcast::<Str>() {
                    let (kept, start) = wide_copy(vm, text)?;
                    keep = kept;
                    start as u64
                } else {
                    address(vm, value, "unicode string or integer address")?
                };
                padded(&word.to_le_bytes())
            }
            b'P' if value.is_none() => Raw::default(),
            b'P' if int::is_int(value) => padded(&crate::arguments::c_ulong_mask(vm, value)?.to_le_bytes()),
            b'P' => return Err(vm.type_error("cannot be converted to pointer")),
            b'O' => {
                keep = value.clone();
                padded(&value.word().to_le_bytes())
            }
            _ => padded(&crate::arguments::c_ulong_mask(vm, value)?.to_le_bytes()),
        };
        // SAFETY: by contract.
        unsafe { self.store(into, &raw[..self.passing().size]) };
        Ok(keep)
    }

    /// The value of a bit field.
    ///
    /// # Safety
    /// The value's bytes are readable at `from`.
    pub unsafe fn get_bits(self, from: *const u8, bits: Bits) -> Value {
        // SAFETY: by contract.
        let word = self.integer(&unsafe { self.load(from) });
        let high = 64 - bits.count;
        let word = word >> bits.offset << high;
        match self.letter {
            b'?' => Value::bool(word != 0),
            _ if self.is_signed() => int::from_i64(word as i64 >> high),
            _ => int::from_u64(word >> high),
        }
    }

    /// Writes a bit field.
    ///
    /// # Safety
    /// The value's bytes are readable and writable at `into`.
    pub unsafe fn set_bits(self, vm: &Vm, into: *mut u8, bits: Bits, value: &Value) -> Result<()> {
        let new = match self.letter {
            b'?' => vm.is_true(value)? as u64,
            _ => crate::arguments::c_ulong_mask(vm, value)?,
        };
        let mask = u64::MAX >> (64 - bits.count) << bits.offset;
        // SAFETY: by contract.
        unsafe {
            let old = self.integer(&self.load(into));
            let word = old & !mask | new << bits.offset & mask;
            self.store(into, &word.to_le_bytes()[..self.passing().size]);
        }
        Ok(())
    }
}

fn padded(bytes: &[u8]) -> Raw {
    let mut raw = Raw::default();
    raw[..bytes.len()].copy_from_slice(bytes);
    raw
}

fn long_doubles(numbers: &[f64]) -> Raw {
    let mut raw = Raw::default();
    for (part, number) in raw.chunks_mut(16).zip(numbers) {
        // SAFETY: the part has 16 bytes.
        unsafe { abi::write_long_double(part.as_mut_ptr(), *number) };
    }
    raw
}

fn address(vm: &Vm, value: &Value, expected: &str) -> Result<u64> {
    if int::is_int(value) {
        return crate::arguments::c_ulong_mask(vm, value);
    }
    Err(vm.type_error(format!("{expected} expected instead of {} instance", value.ty().name())))
}

/// The byte for a `char`.
fn character(vm: &Vm, value: &Value) -> Result<u8> {
    const EXPECTED: &str = "one character bytes, bytearray, or an integer in range(256) expected, not";
    let single = |data: &[u8], what: &str| match data {
        [byte] => Ok(*byte),
        _ => Err(vm.type_error(format!("{EXPECTED} {what} of length {}", data.len()))),
    };
    if let Some(data) = value.downcast::<Bytes>() {
        return single(data.as_slice(), "bytes");
    }
    if value.downcast::<ByteArray>().is_some() {
        return single(&vm.bytes_like(value)?, "bytearray");
    }
    if int::is_int(value) {
        let byte = int::to_i64(value).and_then(|n| u8::try_from(n).ok());
        return byte.ok_or_else(|| vm.type_error("integer not in range(256)"));
    }
    Err(vm.type_error(format!("{EXPECTED} {}", value.ty().qualified_name())))
}

/// The code point for a `wchar_t`.
fn wide_character(vm: &Vm, value: &Value) -> Result<u32> {
    match value.downcast::<Str>() {
        Some(text) if text.len() == 1 => Ok(text.at(0)),
        Some(text) => {
            Err(vm.type_error(format!("a unicode character expected, not a string of length {}", text.len())))
        }
        None => {
            let got = value.ty().qualified_name();
            Err(vm.type_error(format!("a unicode character expected, not instance of {got}")))
        }
    }
}

/// A zero-terminated copy of a string for C, and its address.
pub fn wide_copy(vm: &Vm, text: &Str) -> Result<(Value, *const u8)> {
    let data: Vec<u8> = text.code_points().chain([0]).flat_map(u32::to_le_bytes).collect();
    let kept = bytes::from_slice(vm, &data)?;
    let start = kept.downcast::<Bytes>().map_or(std::ptr::null(), |data| data.as_slice().as_ptr());
    Ok((kept, start))
}

/// How many wide characters there are before a zero.
///
/// # Safety
/// There is such a string at `start`.
pub unsafe fn wide_length(start: *const u32) -> usize {
    let mut length = 0;
    // SAFETY: by contract; the address need not be aligned.
    while unsafe { start.add(length).read_unaligned() } != 0 {
        length += 1;
    }
    length
}

/// Wide characters in memory.
///
/// # Safety
/// So many of them are readable at `start`.
pub unsafe fn read_wide(start: *const u32, length: usize) -> Vec<u32> {
    // SAFETY: by contract; the address need not be aligned.
    (0..length).map(|at| unsafe { start.add(at).read_unaligned() }).collect()
}

/// A string of wide characters.
pub fn wide_string(vm: &Vm, points: &[u32]) -> Result {
    match points.iter().find(|point| **point > 0x10FFFF) {
        Some(point) => Err(vm.value_error(format!("character U+{point:x} is not in range [U+0000; U+10ffff]"))),
        None => Ok(Str::from_code_points(points).into_value()),
    }
}
