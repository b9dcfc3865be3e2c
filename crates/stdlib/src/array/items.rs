//! The types of items.

use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::{Raised, Result, Value, Vm};

/// What an item is, and its size in bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ItemType {
    pub typecode: u8,
    pub size: usize,
    pub kind: ItemKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    Signed,
    Unsigned,
    Float,
    Character,
}

pub const TYPECODES: &str = "bBuwhHiIlLqQfd";

impl ItemType {
    pub fn from_typecode(typecode: u32) -> Option<ItemType> {
        use ItemKind::*;
        let (size, kind) = match u8::try_from(typecode).ok()? {
            b'b' => (1, Signed),
            b'B' => (1, Unsigned),
            b'u' => (size_of::<libc::wchar_t>(), Character),
            b'w' => (4, Character),
            b'h' => (size_of::<libc::c_short>(), Signed),
            b'H' => (size_of::<libc::c_short>(), Unsigned),
            b'i' => (size_of::<libc::c_int>(), Signed),
            b'I' => (size_of::<libc::c_int>(), Unsigned),
            b'l' => (size_of::<libc::c_long>(), Signed),
            b'L' => (size_of::<libc::c_long>(), Unsigned),
            b'q' => (8, Signed),
            b'Q' => (8, Unsigned),
            b'f' => (4, Float),
            b'd' => (8, Float),
            _ => return None,
        };
        Some(ItemType { typecode: typecode as u8, size, kind })
    }

    pub fn is_character(&self) -> bool {
        self.kind == ItemKind::Character
    }

    /// The format of exported buffers.
    pub fn format(&self) -> &'static str {
        match TYPECODES.find(self.typecode as char) {
            _ if self.is_character() => "w",
            Some(at) => &TYPECODES[at..at + 1],
            None => "B",
        }
    }

    /// The number in the first bytes of `raw`, extended to 64 bits.
    #[inline]
    fn word(&self, raw: [u8; 8]) -> u64 {
        let shift = 64 - 8 * self.size as u32;
        let word = u64::from_ne_bytes(raw);
        let low = if cfg!(target_endian = "little") { word << shift } else { word };
        if self.kind == ItemKind::Signed { (low as i64 >> shift) as u64 } else { low >> shift }
    }

    /// The integer or code point in the first bytes of `raw`, for comparisons.
    pub fn integer(&self, raw: [u8; 8]) -> i128 {
        match self.kind {
            ItemKind::Signed => (self.word(raw) as i64).into(),
            _ => self.word(raw).into(),
        }
    }

    /// The item in the first bytes of `raw`.
    #[inline]
    pub fn to_value(&self, vm: &Vm, raw: [u8; 8]) -> Result {
        Ok(match self.kind {
            ItemKind::Signed => int::from_i64(self.word(raw) as i64),
            ItemKind::Unsigned => int::from_u64(self.word(raw)),
            ItemKind::Float if self.size == 8 => Value::from(f64::from_ne_bytes(raw)),
            ItemKind::Float => Value::from(f32::from_ne_bytes([raw[0], raw[1], raw[2], raw[3]]) as f64),
            ItemKind::Character => match self.word(raw) {
                code @ 0..=0x10ffff => Str::from_code_point(code as u32).into_value(),
                code => return Err(not_a_character(vm, code)),
            },
        })
    }

    /// The bytes of an item; the first `size` ones count.
    #[inline]
    pub fn to_bytes(&self, vm: &Vm, value: &Value) -> Result<[u8; 8]> {
        let word = match self.kind {
            ItemKind::Signed => self.signed(vm, value)? as u64,
            ItemKind::Unsigned => self.unsigned(vm, value)?,
            ItemKind::Float => {
                let f = vm.float(value)?;
                if self.size == 8 {
                    return Ok(f.to_ne_bytes());
                }
                let mut raw = [0; 8];
                raw[..4].copy_from_slice(&(f as f32).to_ne_bytes());
                return Ok(raw);
            }
            ItemKind::Character => character(vm, value)? as u64,
        };
        let mut raw = word.to_le_bytes();
        if cfg!(target_endian = "big") {
            raw[..self.size].reverse();
        }
        Ok(raw)
    }

    fn signed(&self, vm: &Vm, value: &Value) -> Result<i64> {
        let number = match value.as_small_int() {
            Some(n) => n,
            None => match int::to_i64(&vm.index(value)?) {
                Some(n) => n,
                None if self.typecode == b'q' => return Err(vm.overflow_error("int too big to convert")),
                None => return Err(vm.overflow_error("Python int too large to convert to C long")),
            },
        };
        let limit = 1i128 << (8 * self.size - 1);
        if !(-limit..limit).contains(&(number as i128)) {
            let name = match self.typecode {
                b'b' => "signed char",
                b'h' => "signed short integer",
                _ => "signed integer",
            };
            return Err(out_of_range(vm, name, number < 0));
        }
        Ok(number)
    }

    fn unsigned(&self, vm: &Vm, value: &Value) -> Result<u64> {
        let index = vm.index(value)?;
        if self.size < size_of::<libc::c_int>() {
            let name = if self.size == 1 { "unsigned byte integer" } else { "unsigned short" };
            return match int::to_i64(&index) {
                None => Err(vm.overflow_error("Python int too large to convert to C long")),
                Some(n) if (0..1 << (8 * self.size)).contains(&n) => Ok(n as u64),
                Some(n) => Err(out_of_range(vm, name, n < 0)),
            };
        }
        if int::is_negative(&index) {
            let message = match self.typecode {
                b'Q' => "can't convert negative int to unsigned",
                _ => "can't convert negative value to unsigned int",
            };
            return Err(vm.overflow_error(message));
        }
        match int::to_u64(&index) {
            Some(n) if self.size == 8 || n >> (8 * self.size) == 0 => Ok(n),
            Some(_) => Err(out_of_range(vm, "unsigned int", false)),
            None => Err(vm.overflow_error(match self.typecode {
                b'Q' => "int too big to convert",
                _ => "Python int too large to convert to C unsigned long",
            })),
        }
    }
}

#[cold]
fn out_of_range(vm: &Vm, name: &str, below: bool) -> Raised {
    vm.overflow_error(format!("{name} is {}", if below { "less than minimum" } else { "greater than maximum" }))
}

#[cold]
fn not_a_character(vm: &Vm, code: u64) -> Raised {
    vm.value_error(format!("character U+{code:x} is not in range [U+0000; U+10ffff]"))
}

fn character(vm: &Vm, value: &Value) -> Result<u32> {
    let got = match value.downcast::<Str>() {
        Some(text) if text.len() == 1 => return Ok(text.at(0)),
        Some(text) => format!("a string of length {}", text.len()),
        None => value.ty().name(),
    };
    Err(vm.type_error(format!("array item must be a unicode character, not {got}")))
}

/// The code points of a str as items.
pub fn text_bytes(text: &Str) -> Vec<u8> {
    text.code_points().flat_map(u32::to_ne_bytes).collect()
}

/// The text of character items.
pub fn text_of(vm: &Vm, items: ItemType, data: &[u8]) -> Result {
    if items.typecode == b'w' {
        let encoding = if cfg!(target_endian = "little") { "utf-32-le" } else { "utf-32-be" };
        return taipan_object::codecs::decode(vm, data, Some(encoding), Some("surrogatepass"));
    }
    let mut codes = Vec::with_capacity(data.len() / 4);
    for item in data.chunks_exact(4) {
        match u32::from_ne_bytes([item[0], item[1], item[2], item[3]]) {
            code @ 0..=0x10ffff => codes.push(code),
            code => return Err(not_a_character(vm, code.into())),
        }
    }
    Ok(Str::from_code_points(&codes).into_value())
}
