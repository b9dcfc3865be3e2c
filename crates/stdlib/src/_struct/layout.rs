//! Formats: which values, where, in how many bytes.

use super::error;
use taipan_object::text::builder::GivenUp;
use taipan_object::{Result, Vm};

/// How a value is represented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Signed,
    Unsigned,
    /// `void *`, which any 64 bits are, signed or not.
    Pointer,
    Bool,
    Char,
    /// A string of fixed length.
    Bytes,
    /// A string whose length is its first byte.
    Pascal,
    Half,
    Single,
    Double,
    ComplexSingle,
    ComplexDouble,
}

/// So many values of one kind in a row.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    pub kind: Kind,
    pub letter: u8,
    pub offset: usize,
    /// Bytes of one value.
    pub size: usize,
    pub repeat: usize,
}

#[derive(Debug)]
pub struct Layout {
    pub items: Vec<Item>,
    pub little_endian: bool,
    /// Bytes in all.
    pub size: usize,
    /// How many values there are.
    pub values: usize,
}

/// Kind, size and alignment of a format character; `None` if there is no such character.
fn native(letter: u8) -> Option<(Kind, usize, usize)> {
    Some(match letter {
        b'h' => (Kind::Signed, size_of::<libc::c_short>(), align_of::<libc::c_short>()),
        b'H' => (Kind::Unsigned, size_of::<libc::c_short>(), align_of::<libc::c_short>()),
        b'i' => (Kind::Signed, size_of::<libc::c_int>(), align_of::<libc::c_int>()),
        b'I' => (Kind::Unsigned, size_of::<libc::c_int>(), align_of::<libc::c_int>()),
        b'l' => (Kind::Signed, size_of::<libc::c_long>(), align_of::<libc::c_long>()),
        b'L' => (Kind::Unsigned, size_of::<libc::c_long>(), align_of::<libc::c_long>()),
        b'q' => (Kind::Signed, 8, align_of::<libc::c_longlong>()),
        b'Q' => (Kind::Unsigned, 8, align_of::<libc::c_longlong>()),
        b'n' => (Kind::Signed, size_of::<isize>(), align_of::<isize>()),
        b'N' => (Kind::Unsigned, size_of::<usize>(), align_of::<usize>()),
        b'P' => (Kind::Pointer, size_of::<usize>(), align_of::<usize>()),
        b'e' => (Kind::Half, 2, 2),
        b'f' => (Kind::Single, 4, align_of::<f32>()),
        b'd' => (Kind::Double, 8, align_of::<f64>()),
        b'F' => (Kind::ComplexSingle, 8, align_of::<f32>()),
        b'D' => (Kind::ComplexDouble, 16, align_of::<f64>()),
        _ => standard(letter)?,
    })
}

/// As [`native`], with the standard sizes and no alignment.
fn standard(letter: u8) -> Option<(Kind, usize, usize)> {
    let (kind, size) = match letter {
        b'c' => (Kind::Char, 1),
        b'b' => (Kind::Signed, 1),
        b'B' => (Kind::Unsigned, 1),
        b'?' => (Kind::Bool, 1),
        b's' => (Kind::Bytes, 1),
        b'p' => (Kind::Pascal, 1),
        b'h' => (Kind::Signed, 2),
        b'H' => (Kind::Unsigned, 2),
        b'i' | b'l' => (Kind::Signed, 4),
        b'I' | b'L' => (Kind::Unsigned, 4),
        b'q' => (Kind::Signed, 8),
        b'Q' => (Kind::Unsigned, 8),
        b'e' => (Kind::Half, 2),
        b'f' => (Kind::Single, 4),
        b'd' => (Kind::Double, 8),
        b'F' => (Kind::ComplexSingle, 8),
        b'D' => (Kind::ComplexDouble, 16),
        _ => return None,
    };
    Some((kind, size, 1))
}

const TOO_LONG: &str = "total struct size too long";
const LIMIT: usize = isize::MAX as usize;

impl Layout {
    pub fn parse(vm: &Vm, format: &[u8]) -> Result<Layout> {
        parse(format).map_err(|message| error(vm, message))
    }
}

fn parse(format: &[u8]) -> std::result::Result<Layout, &'static str> {
    if format.contains(&0) {
        return Err("embedded null character");
    }
    let is_little = cfg!(target_endian = "little");
    let (describe, little_endian, rest): (fn(u8) -> Option<(Kind, usize, usize)>, bool, &[u8]) = match format {
        [b'<', rest @ ..] => (standard, true, rest),
        [b'>' | b'!', rest @ ..] => (standard, false, rest),
        [b'=', rest @ ..] => (standard, is_little, rest),
        [b'@', rest @ ..] => (native, is_little, rest),
        _ => (native, is_little, format),
    };
    let mut layout = Layout { items: Vec::new(), little_endian, size: 0, values: 0 };
    let mut letters = rest.iter().copied();
    while let Some(mut letter) = letters.next() {
        if matches!(letter, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) {
            continue;
        }
        let mut count = 1;
        if letter.is_ascii_digit() {
            count = (letter - b'0') as usize;
            loop {
                let Some(next) = letters.next() else {
                    return Err("repeat count given without format specifier");
                };
                letter = next;
                if !letter.is_ascii_digit() {
                    break;
                }
                let more = count.checked_mul(10).and_then(|count| count.checked_add((letter - b'0') as usize));
                count = more.filter(|count| *count <= LIMIT).ok_or(TOO_LONG)?;
            }
        }
        layout.add(letter, count, describe)?;
    }
    Ok(layout)
}

impl Layout {
    fn add(
        &mut self,
        letter: u8,
        count: usize,
        describe: fn(u8) -> Option<(Kind, usize, usize)>,
    ) -> std::result::Result<(), &'static str> {
        let room = |start: usize, bytes: Option<usize>| {
            bytes.and_then(|bytes| start.checked_add(bytes)).filter(|end| *end <= LIMIT).ok_or(TOO_LONG)
        };
        if letter == b'x' {
            self.size = room(self.size, Some(count))?;
            return Ok(());
        }
        let (kind, size, alignment) = describe(letter).ok_or("bad char in struct format")?;
        let offset = room(self.size.next_multiple_of(alignment), Some(0))?;
        self.size = room(offset, count.checked_mul(size))?;
        if matches!(kind, Kind::Bytes | Kind::Pascal) {
            self.items.put(Item { kind, letter, offset, size: count, repeat: 1 });
            self.values += 1;
        } else if count > 0 {
            self.items.put(Item { kind, letter, offset, size, repeat: count });
            self.values = self.values.checked_add(count).ok_or(TOO_LONG)?;
        }
        Ok(())
    }
}
