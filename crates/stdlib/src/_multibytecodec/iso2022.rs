//! ISO 2022: several character sets in seven bits, with escape sequences to change between them.
//!
//! The state has the sets that G0 to G2 stand for, by the last bytes of their escape sequences (with the top bit set for sets
//! of two bytes), and flags.

use super::codec::{
    self, Codec, EUC_JIS_2004, EUC_JISX0213, EUC_JP, EUC_KR_DOUBLE, State, TableCodec, Trouble, encode_by_table,
};
use taipan_object::text::builder::TextBuilder;

const ESC: u8 = 0x1b;
/// Shift to G1, and back.
const SO: u8 = 0x0e;
const SI: u8 = 0x0f;

const DOUBLE: u8 = 0x80;
const ASCII: u8 = b'B';
const ISO8859_1: u8 = b'A';
const ISO8859_7: u8 = b'F';
const JISX0201_R: u8 = b'J';
const JISX0201_K: u8 = b'I';
const JISX0208: u8 = b'B' | DOUBLE;
const JISX0208_OLD: u8 = b'@' | DOUBLE;
const JISX0212: u8 = b'D' | DOUBLE;
const JISX0213_2000_1: u8 = b'O' | DOUBLE;
const JISX0213_2004_1: u8 = b'Q' | DOUBLE;
const JISX0213_2: u8 = b'P' | DOUBLE;
const GB2312: u8 = b'A' | DOUBLE;
const KSX1001: u8 = b'C' | DOUBLE;

/// Where in the state the flags are.
const FLAGS: usize = 4;
const SHIFTED: u8 = 1;
/// An escape sequence that is not ours is passed on.
const PASSING: u8 = 2;

/// A set that an encoding uses, and the G it goes to.
struct Designation {
    set: u8,
    g: usize,
    /// The 8-bit codec with whose codes those of the set agree but for the top bits.
    codec: &'static TableCodec,
    /// Only pairs of characters are encoded in it, though it has others.
    pairs_only: bool,
}

const fn g0(set: u8, codec: &'static TableCodec) -> Designation {
    Designation { set, g: 0, codec, pairs_only: false }
}

pub struct Iso2022 {
    name: &'static str,
    /// In the order in which they are tried.
    designations: &'static [Designation],
    /// SO and SI have their meaning.
    has_shifts: bool,
    has_g2: bool,
    /// The escape sequence for JIS X 0208 of 1990 is known.
    has_jisx0208_1990: bool,
}

macro_rules! encodings {
    ($($encoding:ident = $name:literal [$($designation:expr),*] $shifts:literal $g2:literal;)*) => { $(
        pub static $encoding: Iso2022 = Iso2022 {
            name: $name,
            designations: &[$($designation),*],
            has_shifts: $shifts,
            has_g2: $g2,
            has_jisx0208_1990: !$shifts,
        };
    )* };
}

const fn pairs(set: u8, codec: &'static TableCodec) -> Designation {
    Designation { set, g: 0, codec, pairs_only: true }
}
const fn other(set: u8, g: usize, codec: &'static TableCodec) -> Designation {
    Designation { set, g, codec, pairs_only: false }
}

encodings! {
    ISO2022_KR = "iso2022_kr" [other(KSX1001, 1, &EUC_KR_DOUBLE)] true false;
    ISO2022_JP = "iso2022_jp" [g0(JISX0208, &EUC_JP), g0(JISX0201_R, &EUC_JP), g0(JISX0208_OLD, &EUC_JP)] false false;
    ISO2022_JP_1 = "iso2022_jp_1" [
        g0(JISX0208, &EUC_JP), g0(JISX0212, &EUC_JP), g0(JISX0201_R, &EUC_JP), g0(JISX0208_OLD, &EUC_JP)
    ] false false;
    ISO2022_JP_2 = "iso2022_jp_2" [
        g0(JISX0208, &EUC_JP), g0(JISX0212, &EUC_JP), g0(KSX1001, &EUC_KR_DOUBLE), g0(GB2312, &codec::GB2312),
        g0(JISX0201_R, &EUC_JP), g0(JISX0208_OLD, &EUC_JP), other(ISO8859_1, 2, &EUC_JP), other(ISO8859_7, 2, &EUC_JP)
    ] false true;
    ISO2022_JP_2004 = "iso2022_jp_2004" [
        pairs(JISX0213_2004_1, &EUC_JIS_2004), g0(JISX0208, &EUC_JP), g0(JISX0213_2004_1, &EUC_JIS_2004),
        g0(JISX0213_2, &EUC_JIS_2004)
    ] false false;
    ISO2022_JP_3 = "iso2022_jp_3" [
        pairs(JISX0213_2000_1, &EUC_JISX0213), g0(JISX0208, &EUC_JP), g0(JISX0213_2000_1, &EUC_JISX0213),
        g0(JISX0213_2, &EUC_JISX0213)
    ] false false;
    ISO2022_JP_EXT = "iso2022_jp_ext" [
        g0(JISX0208, &EUC_JP), g0(JISX0212, &EUC_JP), g0(JISX0201_R, &EUC_JP), g0(JISX0201_K, &EUC_JP),
        g0(JISX0208_OLD, &EUC_JP)
    ] false false;
}

/// Whether a set is the one that EUC codes of three bytes are for.
fn is_third_plane(set: u8) -> bool {
    matches!(set, JISX0212 | JISX0213_2)
}

/// The rows of JIS X 0213's second plane; those of JIS X 0212 are others.
fn is_in_plane_2(code: u32) -> bool {
    matches!((code >> 8 & 0x7f) - 0x20, 1 | 3..=5 | 8 | 12..=15 | 78..=94)
}

/// The 8-bit code for two bytes of a set.
fn eight_bit(set: u8, first: u8, second: u8) -> u32 {
    let code = u32::from(first | 0x80) << 8 | u32::from(second | 0x80);
    if is_third_plane(set) { 0x8f_0000 | code } else { code }
}

/// Decodes a character of a set; false if there is none.
fn decode_in(designation: &Designation, bytes: &[u8], out: &mut TextBuilder) -> bool {
    let set = designation.set;
    match (set, bytes) {
        (JISX0201_R, [byte]) => {
            out.push(match byte {
                b'\\' => 0xa5,
                b'~' => 0x203e,
                byte => (*byte).into(),
            });
            true
        }
        (JISX0201_K, [byte @ 0x21..=0x5f]) => {
            out.push(0xff61 + u32::from(byte - 0x21));
            true
        }
        (KSX1001, [0x24, 0x54]) => {
            out.push(0x3164);
            true
        }
        (JISX0213_2000_1 | JISX0213_2004_1, [0x22, 0x32]) => {
            out.push(u32::from(b'~'));
            true
        }
        (_, [first, second]) if *second < 0x80 => {
            let code = eight_bit(set, *first, *second);
            match set {
                JISX0212 if is_in_plane_2(code) => false,
                JISX0213_2 if !is_in_plane_2(code) => false,
                _ => designation.codec.table.push(code, out),
            }
        }
        _ => false,
    }
}

/// The code of a character in a set (one or two bytes in seven bits), and for how many characters it stands.
fn encode_in(designation: &Designation, text: &[u32], flush: bool) -> Result<(u32, usize), Trouble> {
    let point = text[0];
    let set = designation.set;
    match (set, point) {
        (JISX0201_R, 0xa5) => return Ok((0x5c, 1)),
        (JISX0201_R, 0x203e) => return Ok((0x7e, 1)),
        (JISX0201_K, 0xff61..=0xff9f) => return Ok((0x21 + point - 0xff61, 1)),
        (JISX0213_2000_1 | JISX0213_2004_1, 0xff5e) => return Err(Trouble::Illegal(1)),
        (JISX0201_R | JISX0201_K | ISO8859_1 | ISO8859_7, _) => return Err(Trouble::Illegal(1)),
        _ => {}
    }
    let (code, used) = encode_by_table(designation.codec.table, text, flush)?;
    let has_it = match code >> 16 {
        // The half-width letters of EUC are in no set of two bytes.
        0 => !is_third_plane(set) && code > 0xa1a0 && code & 0x80 != 0,
        _ => match set {
            JISX0212 => !is_in_plane_2(code),
            JISX0213_2 => is_in_plane_2(code),
            _ => false,
        },
    };
    if has_it && (used == 2 || !designation.pairs_only) { Ok((code & 0x7f7f, used)) } else { Err(Trouble::Illegal(1)) }
}

impl Iso2022 {
    /// The escape sequence at the beginning of the bytes: it changes a set.
    fn escape(&self, state: &mut State, bytes: &[u8]) -> Result<usize, Trouble> {
        let mut length = 0;
        let mut at = 1;
        while at < 16 {
            match bytes.get(at) {
                None => return Err(Trouble::Incomplete),
                Some(b'@'..=b'Z') => {
                    length = at + 1;
                    break;
                }
                Some(b'&') if self.has_jisx0208_1990 && bytes.get(at + 1) == Some(&b'@') => at += 2,
                Some(_) => {}
            }
            at += 1;
        }
        let (set, g) = match &bytes[..length] {
            [] => return Err(Trouble::Illegal(1)),
            [_, b'$', set] => (set | DOUBLE, 0),
            [_, b'(', set] => (*set, 0),
            [_, b')', set] => (*set, 1),
            [_, b'.', set] if self.has_g2 => (*set, 2),
            [_, b'$', b'(', set] => (set | DOUBLE, 0),
            [_, b'$', b')', set] => (set | DOUBLE, 1),
            [_, _, _, ESC, b'$', b'B'] if self.has_jisx0208_1990 => (JISX0208, 0),
            _ => return Err(Trouble::Illegal(length)),
        };
        if set != ASCII && !self.designations.iter().any(|designation| designation.set == set) {
            return Err(Trouble::Illegal(length));
        }
        state[g] = set;
        Ok(length)
    }

    /// One character of G2.
    fn single_shift(&self, state: &State, byte: u8, out: &mut TextBuilder) -> Result<usize, Trouble> {
        let point = match state[2] {
            _ if byte >= 0x80 => None,
            ISO8859_1 => Some(u32::from(byte) + 0x80),
            ISO8859_7 => greek(byte | 0x80),
            _ => Some(u32::from(byte)),
        };
        match point {
            Some(point) => {
                out.push(point);
                Ok(3)
            }
            None => Err(Trouble::Illegal(3)),
        }
    }
}

/// ISO 8859-7 of 1987.
fn greek(byte: u8) -> Option<u32> {
    match byte {
        0xa0 | 0xa3 | 0xa6..=0xa9 | 0xab..=0xad | 0xb0..=0xb3 | 0xb7 | 0xbb | 0xbd => Some(byte.into()),
        0xa1 => Some(0x2018),
        0xa2 => Some(0x2019),
        0xaf => Some(0x2015),
        0xb4..=0xb6 | 0xb8..=0xba | 0xbc | 0xbe..=0xd1 | 0xd3..=0xfe => Some(u32::from(byte) + 0x2d0),
        _ => None,
    }
}

fn pass(byte: u8, out: &mut TextBuilder) -> Result<usize, Trouble> {
    out.push(byte.into());
    Ok(1)
}

impl Codec for Iso2022 {
    fn name(&self) -> &'static str {
        self.name
    }
    fn initial_encoder(&self) -> State {
        [ASCII, ASCII, 0, 0, 0, 0, 0, 0]
    }
    fn initial_decoder(&self) -> State {
        [ASCII, ASCII, ASCII, 0, 0, 0, 0, 0]
    }

    fn finish(&self, state: &mut State, out: &mut Vec<u8>) {
        if state[FLAGS] & SHIFTED != 0 {
            out.push(SI);
            state[FLAGS] &= !SHIFTED;
        }
        if state[0] != ASCII {
            out.extend_from_slice(&[ESC, b'(', ASCII]);
            state[0] = ASCII;
        }
    }

    fn encode(&self, state: &mut State, text: &[u32], flush: bool, out: &mut Vec<u8>) -> Result<usize, Trouble> {
        if let Ok(ascii @ 0..0x80) = u8::try_from(text[0]) {
            if state[0] != ASCII {
                out.extend_from_slice(&[ESC, b'(', ASCII]);
                state[0] = ASCII;
            }
            if state[FLAGS] & SHIFTED != 0 {
                out.push(SI);
                state[FLAGS] &= !SHIFTED;
            }
            out.push(ascii);
            return Ok(1);
        }
        for designation in self.designations {
            let (code, used) = match encode_in(designation, text, flush) {
                Ok(found) => found,
                Err(Trouble::Illegal(_)) => continue,
                Err(incomplete) => return Err(incomplete),
            };
            let (set, g) = (designation.set, designation.g);
            if g == 0 && state[FLAGS] & SHIFTED != 0 {
                out.push(SI);
                state[FLAGS] &= !SHIFTED;
            }
            if state[g] != set {
                let to = if g == 0 { b'(' } else { b')' };
                match set {
                    JISX0208 => out.extend_from_slice(&[ESC, b'$', b'B']),
                    _ if set & DOUBLE != 0 => out.extend_from_slice(&[ESC, b'$', to, set & !DOUBLE]),
                    _ => out.extend_from_slice(&[ESC, to, set]),
                }
                state[g] = set;
            }
            if g == 1 && state[FLAGS] & SHIFTED == 0 {
                out.push(SO);
                state[FLAGS] |= SHIFTED;
            }
            if set & DOUBLE != 0 {
                out.push((code >> 8) as u8);
            }
            out.push(code as u8);
            return Ok(used);
        }
        Err(Trouble::Illegal(1))
    }

    fn decode(&self, state: &mut State, bytes: &[u8], out: &mut TextBuilder) -> Result<usize, Trouble> {
        let first = bytes[0];
        if state[FLAGS] & PASSING != 0 {
            if matches!(first, b'@'..=b'Z') {
                state[FLAGS] &= !PASSING;
            }
            return pass(first, out);
        }
        match bytes {
            [ESC] => return Err(Trouble::Incomplete),
            [ESC, b'(' | b')' | b'$' | b'.' | b'&', ..] => return self.escape(state, bytes),
            [ESC, b'N', byte, ..] if self.has_g2 => return self.single_shift(state, *byte, out),
            [ESC, b'N'] if self.has_g2 => return Err(Trouble::Incomplete),
            [ESC, ..] => {
                state[FLAGS] |= PASSING;
                return pass(ESC, out);
            }
            [SI, ..] if self.has_shifts => {
                state[FLAGS] &= !SHIFTED;
                return Ok(1);
            }
            [SO, ..] if self.has_shifts => {
                state[FLAGS] |= SHIFTED;
                return Ok(1);
            }
            [b'\n', ..] => {
                state[FLAGS] &= !SHIFTED;
                return pass(b'\n', out);
            }
            [0..0x20, ..] => return pass(first, out),
            [0x80..=0xff, ..] => return Err(Trouble::Illegal(1)),
            _ => {}
        }
        let set = if state[FLAGS] & SHIFTED != 0 { state[1] } else { state[0] };
        if set == ASCII {
            return pass(first, out);
        }
        // A state that was set from outside may name any set.
        let Some(designation) = self.designations.iter().find(|designation| designation.set == set) else {
            return Err(Trouble::Illegal(1));
        };
        let width = if set & DOUBLE != 0 { 2 } else { 1 };
        let Some(code) = bytes.get(..width) else { return Err(Trouble::Incomplete) };
        if decode_in(designation, code, out) { Ok(width) } else { Err(Trouble::Illegal(width)) }
    }
}
