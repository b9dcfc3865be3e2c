//! Where lines end.

use taipan_object::builtins::str::Data;
use taipan_object::text::Unit;

/// What ends a line in text that is read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum LineEnds {
    /// `\n`, which others have been translated to.
    #[default]
    Newline,
    /// `\n`, `\r` or `\r\n`.
    Universal,
    CarriageReturn,
    Both,
}

impl LineEnds {
    /// By the `newline` argument.
    pub fn new(newline: Option<&str>) -> LineEnds {
        match newline {
            Some("") => LineEnds::Universal,
            Some("\r") => LineEnds::CarriageReturn,
            Some("\r\n") => LineEnds::Both,
            _ => LineEnds::Newline,
        }
    }
}

fn find_unit<U: Unit>(units: &[U], wanted: u8) -> Option<usize> {
    match U::as_bytes(units) {
        Some(bytes) => memchr::memchr(wanted, bytes),
        None => units.iter().position(|unit| unit.code() == wanted as u32),
    }
}

fn find<U: Unit>(ends: LineEnds, units: &[U]) -> Option<usize> {
    match ends {
        LineEnds::Newline => find_unit(units, b'\n').map(|at| at + 1),
        LineEnds::CarriageReturn => find_unit(units, b'\r').map(|at| at + 1),
        LineEnds::Both => {
            let mut from = 0;
            while let Some(at) = find_unit(&units[from..], b'\r') {
                from += at + 1;
                match units.get(from) {
                    Some(next) if next.code() == 10 => return Some(from + 1),
                    _ => {}
                }
            }
            None
        }
        LineEnds::Universal => {
            let at = match U::as_bytes(units) {
                Some(bytes) => memchr::memchr2(b'\r', b'\n', bytes)?,
                None => units.iter().position(|unit| matches!(unit.code(), 10 | 13))?,
            };
            let pair = units[at].code() == 13 && units.get(at + 1).is_some_and(|next| next.code() == 10);
            Some(at + if pair { 2 } else { 1 })
        }
    }
}

/// The position after the first line end in `data[start..end]`.
pub fn find_line_end(ends: &LineEnds, data: Data<'_>, start: usize, end: usize) -> Option<usize> {
    let found = match data {
        Data::Ascii(units) | Data::Latin1(units) => find(*ends, &units[start..end]),
        Data::Ucs2(units) => find(*ends, &units[start..end]),
        Data::Ucs4(units) => find(*ends, &units[start..end]),
    };
    found.map(|at| start + at)
}
