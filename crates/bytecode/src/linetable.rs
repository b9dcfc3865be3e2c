//! The location table of a code object (`co_linetable`): a position for each run of code units.
//!
//! An entry covers 1 to 8 code units. Its first byte has bit 7 set, a form code in bits 3-6 and the length less one in
//! bits 0-2; then come the form's own bytes, all with bit 7 clear. Line numbers are stored as differences.

/// A range of source text; -1 stands for an unknown part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub lineno: i32,
    pub end_lineno: i32,
    pub col_offset: i32,
    pub end_col_offset: i32,
}

impl Position {
    pub const NONE: Position = Position { lineno: -1, end_lineno: -1, col_offset: -1, end_col_offset: -1 };
}

const MAX_ENTRY_UNITS: u32 = 8;
/// Forms 0 to 9 are the short form: same line, the column's high bits are the code.
const ONE_LINE_0: u8 = 10;
const ONE_LINE_2: u8 = 12;
const NO_COLUMNS: u8 = 13;
const LONG: u8 = 14;
const NO_LOCATION: u8 = 15;

/// Builds a table.
pub struct Writer {
    table: Vec<u8>,
    lineno: i32,
}

impl Writer {
    pub fn new(firstlineno: i32) -> Writer {
        Writer::over(firstlineno, Vec::new())
    }

    /// Adds to `table`, which is empty.
    pub fn over(firstlineno: i32, table: Vec<u8>) -> Writer {
        Writer { table, lineno: firstlineno }
    }

    /// Adds `units` code units at a position.
    pub fn add(&mut self, mut units: u32, position: Position) {
        while units > 0 {
            let count = units.min(MAX_ENTRY_UNITS);
            self.add_entry(count as u8, position);
            units -= count;
        }
    }

    pub fn finish(self) -> Vec<u8> {
        self.table
    }

    fn start(&mut self, code: u8, units: u8) {
        self.table.push(0x80 | code << 3 | (units - 1));
    }

    fn varint(&mut self, mut value: u32) {
        while value >= 64 {
            self.table.push(0x40 | (value & 0x3F) as u8);
            value >>= 6;
        }
        self.table.push(value as u8);
    }

    fn signed_varint(&mut self, value: i32) {
        self.varint(value.unsigned_abs() << 1 | u32::from(value < 0));
    }

    fn add_entry(&mut self, units: u8, position: Position) {
        let Position { lineno, end_lineno, col_offset, end_col_offset } = position;
        if lineno == -1 {
            self.start(NO_LOCATION, units);
            return;
        }
        let delta = lineno.wrapping_sub(self.lineno);
        if col_offset < 0 || end_col_offset < 0 {
            if end_lineno == lineno || end_lineno < 0 {
                self.start(NO_COLUMNS, units);
                self.signed_varint(delta);
                self.lineno = lineno;
                return;
            }
        } else if end_lineno == lineno {
            if delta == 0 && col_offset < 80 && end_col_offset >= col_offset && end_col_offset - col_offset < 16 {
                self.start((col_offset >> 3) as u8, units);
                self.table.push(((col_offset & 7) << 4 | (end_col_offset - col_offset)) as u8);
                return;
            }
            if (0..3).contains(&delta) && col_offset < 128 && end_col_offset < 128 {
                self.start(ONE_LINE_0 + delta as u8, units);
                self.table.extend_from_slice(&[col_offset as u8, end_col_offset as u8]);
                self.lineno = lineno;
                return;
            }
        }
        self.start(LONG, units);
        self.signed_varint(delta);
        self.varint(end_lineno.wrapping_sub(lineno) as u32);
        self.varint(col_offset.wrapping_add(1) as u32);
        self.varint(end_col_offset.wrapping_add(1) as u32);
        self.lineno = lineno;
    }
}

/// An entry of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The first code unit that it covers, and the one behind the last.
    pub start: u32,
    pub end: u32,
    pub position: Position,
}

/// Reads a table. A malformed one gives meaningless positions but never more entries than it has bytes.
#[derive(Clone)]
pub struct Entries<'a> {
    table: &'a [u8],
    at: usize,
    unit: u32,
    lineno: i32,
}

pub fn entries(table: &[u8], firstlineno: i32) -> Entries<'_> {
    Entries { table, at: 0, unit: 0, lineno: firstlineno }
}

impl Entries<'_> {
    fn byte(&mut self) -> u8 {
        let byte = self.table.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    fn varint(&mut self) -> u32 {
        let mut value = 0u32;
        let mut shift = 0;
        loop {
            let byte = self.byte();
            value |= u32::from(byte & 0x3F).checked_shl(shift).unwrap_or(0);
            shift += 6;
            if byte & 0x40 == 0 {
                return value;
            }
        }
    }

    fn signed_varint(&mut self) -> i32 {
        let value = self.varint();
        let magnitude = (value >> 1) as i32;
        if value & 1 != 0 { -magnitude } else { magnitude }
    }
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if self.at >= self.table.len() {
            return None;
        }
        let first = self.byte();
        let start = self.unit;
        self.unit = self.unit.wrapping_add(u32::from(first & 7) + 1);
        let position = match first >> 3 & 0x0F {
            NO_LOCATION => Position::NONE,
            LONG => {
                self.lineno = self.lineno.wrapping_add(self.signed_varint());
                let end_lineno = self.lineno.wrapping_add(self.varint() as i32);
                let col_offset = (self.varint() as i32).wrapping_sub(1);
                let end_col_offset = (self.varint() as i32).wrapping_sub(1);
                Position { lineno: self.lineno, end_lineno, col_offset, end_col_offset }
            }
            NO_COLUMNS => {
                self.lineno = self.lineno.wrapping_add(self.signed_varint());
                Position { lineno: self.lineno, end_lineno: self.lineno, col_offset: -1, end_col_offset: -1 }
            }
            code @ ONE_LINE_0..=ONE_LINE_2 => {
                self.lineno = self.lineno.wrapping_add(i32::from(code - ONE_LINE_0));
                let (col_offset, end_col_offset) = (i32::from(self.byte()), i32::from(self.byte()));
                Position { lineno: self.lineno, end_lineno: self.lineno, col_offset, end_col_offset }
            }
            code => {
                let byte = self.byte();
                let col_offset = i32::from(code) << 3 | i32::from(byte >> 4 & 7);
                let end_col_offset = col_offset + i32::from(byte & 15);
                Position { lineno: self.lineno, end_lineno: self.lineno, col_offset, end_col_offset }
            }
        };
        Some(Entry { start, end: self.unit, position })
    }
}

/// A table that knows the same lines but no columns.
pub fn without_columns(table: &[u8], firstlineno: i32) -> Box<[u8]> {
    let mut writer = Writer::new(firstlineno);
    for Entry { start, end, position: Position { lineno, .. } } in entries(table, firstlineno) {
        writer.add(end - start, Position { lineno, end_lineno: lineno, col_offset: -1, end_col_offset: -1 });
    }
    writer.finish().into()
}

/// The position of a code unit.
pub fn position_of(table: &[u8], firstlineno: i32, unit: u32) -> Position {
    entries(table, firstlineno).find(|entry| unit < entry.end).map_or(Position::NONE, |entry| entry.position)
}

/// `co_lines`: runs of equal lines as (start, end, line), offsets in bytes; no line is None.
pub fn lines(table: &[u8], firstlineno: i32) -> impl Iterator<Item = (u32, u32, Option<i32>)> {
    let mut entries = entries(table, firstlineno).peekable();
    std::iter::from_fn(move || {
        let Entry { start, mut end, position } = entries.next()?;
        while let Some(more) = entries.next_if(|entry| entry.position.lineno == position.lineno) {
            end = more.end;
        }
        Some((start.wrapping_mul(2), end.wrapping_mul(2), (position.lineno != -1).then_some(position.lineno)))
    })
}

/// `co_positions`: the position of each code unit.
pub fn positions(table: &[u8], firstlineno: i32) -> impl Iterator<Item = Position> {
    entries(table, firstlineno)
        .flat_map(|entry| std::iter::repeat_n(entry.position, entry.end.wrapping_sub(entry.start) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let position = |lineno, end_lineno, col_offset, end_col_offset| Position {
            lineno,
            end_lineno,
            col_offset,
            end_col_offset,
        };
        let runs = [
            (1, position(0, 1, 0, 0)),
            (3, position(1, 1, 0, 15)),
            (9, position(2, 2, 100, 127)),
            (2, Position::NONE),
            (1, position(2, 2, -1, -1)),
            (4, position(300, 4000, 5, 2)),
            (1, position(1, 1, 79, 200)),
        ];
        let mut writer = Writer::new(1);
        for (units, position) in runs {
            writer.add(units, position);
        }
        let table = writer.finish();
        let expected: Vec<Position> =
            runs.iter().flat_map(|&(units, position)| std::iter::repeat_n(position, units as usize)).collect();
        assert_eq!(positions(&table, 1).collect::<Vec<_>>(), expected);
        assert_eq!(position_of(&table, 1, 3), runs[1].1);
        let first: Vec<_> = lines(&table, 1).take(3).collect();
        assert_eq!(first, [(0, 2, Some(0)), (2, 8, Some(1)), (8, 26, Some(2))]);
    }

    #[test]
    fn malformed_tables_end() {
        for table in [&[0xFFu8][..], &[0xF0, 0x7F, 0x7F], &[0xF8; 9], &[0xF0, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F]] {
            assert!(entries(table, i32::MAX).count() <= table.len());
        }
    }
}
