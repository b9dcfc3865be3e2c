//! The exception table of a code object (`co_exceptiontable`): which handler covers which code units.
//!
//! Four numbers an entry (start, length, target, depth and lasti), each in groups of six bits, the highest first; bit 6
//! says that more follow, and bit 7 marks the first byte of an entry.

/// An entry; offsets are in code units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    pub start: u32,
    /// Behind the last code unit that is covered.
    pub end: u32,
    pub target: u32,
    /// The depth to which the stack is cut back.
    pub depth: u32,
    /// Whether the position of the raising instruction is pushed before the exception.
    pub lasti: bool,
}

const FIRST: u8 = 0x80;
const MORE: u8 = 0x40;

pub fn write_entry(table: &mut Vec<u8>, handler: Handler) {
    write_item(table, handler.start, FIRST);
    write_item(table, handler.end - handler.start, 0);
    write_item(table, handler.target, 0);
    write_item(table, handler.depth << 1 | u32::from(handler.lasti), 0);
}

fn write_item(table: &mut Vec<u8>, value: u32, mut mark: u8) {
    for shift in [30, 24, 18, 12, 6] {
        if value >> shift != 0 {
            table.push((value >> shift & 0x3F) as u8 | MORE | mark);
            mark = 0;
        }
    }
    table.push((value & 0x3F) as u8 | mark);
}

/// Reads a table in order; stops at what is no entry.
pub struct Handlers<'a> {
    table: &'a [u8],
}

pub fn handlers(table: &[u8]) -> Handlers<'_> {
    Handlers { table }
}

impl Handlers<'_> {
    fn item(&mut self) -> Option<u32> {
        let mut value = 0u32;
        loop {
            let (&byte, rest) = self.table.split_first()?;
            self.table = rest;
            value = value.checked_mul(64)? | u32::from(byte & 0x3F);
            if byte & MORE == 0 {
                return Some(value);
            }
        }
    }

    fn entry(&mut self) -> Option<Handler> {
        let start = self.item()?;
        let end = start.checked_add(self.item()?)?;
        let target = self.item()?;
        let depth_and_lasti = self.item()?;
        Some(Handler { start, end, target, depth: depth_and_lasti >> 1, lasti: depth_and_lasti & 1 != 0 })
    }
}

impl Iterator for Handlers<'_> {
    type Item = Handler;

    fn next(&mut self) -> Option<Handler> {
        let entry = self.entry();
        if entry.is_none() {
            self.table = &[];
        }
        entry
    }
}

/// The handler that covers a code unit.
pub fn handler_of(table: &[u8], unit: u32) -> Option<Handler> {
    handlers(table).take_while(|handler| handler.start <= unit).find(|handler| unit < handler.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let entries = [
            Handler { start: 0, end: 3, target: 70, depth: 0, lasti: false },
            Handler { start: 63, end: 64, target: 5000, depth: 40, lasti: true },
            Handler { start: 300_000, end: 1 << 31, target: u32::MAX, depth: 1, lasti: true },
        ];
        let mut table = Vec::new();
        for entry in entries {
            write_entry(&mut table, entry);
        }
        assert_eq!(handlers(&table).collect::<Vec<_>>(), entries);
        assert_eq!(handler_of(&table, 63), Some(entries[1]));
        assert_eq!(handler_of(&table, 62), None);
        assert_eq!(handlers(&table[..table.len() - 1]).count(), 2);
        assert_eq!(handlers(&[0x7F; 12]).count(), 0);
    }
}
