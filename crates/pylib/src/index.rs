//! The table that the build script writes: a count, one record of fixed size per file in ascending order of paths, and
//! the paths. It is read in place, so that a start of the interpreter has nothing to set up.

use std::ops::Range;

static INDEX: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.index"));

const FIELD: usize = 4;
/// Path offset and length; offset, stored length and size of the source; the same of the code.
const RECORD: usize = 8 * FIELD;

/// Where a content lies in the data. It is stored as it is if the range is as long as its size, else compressed.
pub struct Blob {
    pub range: Range<usize>,
    pub size: usize,
}

pub fn count() -> usize {
    read(0)
}

pub fn path(at: usize) -> &'static str {
    let names = FIELD + count() * RECORD;
    let start = names + field(at, 0);
    std::str::from_utf8(&INDEX[start..start + field(at, 1)]).expect("the build script wrote UTF-8")
}

pub fn source(at: usize) -> Blob {
    blob(at, 2)
}

pub fn code(at: usize) -> Option<Blob> {
    Some(blob(at, 5)).filter(|blob| blob.size > 0)
}

/// How many paths, from the first on, satisfy `before`, which none does after one that does not.
pub fn partition_point(before: impl Fn(&str) -> bool) -> usize {
    partition_point_in(0..count(), before)
}

/// The same, within a range, counted from its start.
pub fn partition_point_in(range: Range<usize>, before: impl Fn(&str) -> bool) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low.midpoint(high);
        if before(path(middle)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low - range.start
}

fn blob(at: usize, first: usize) -> Blob {
    let start = field(at, first);
    Blob { range: start..start + field(at, first + 1), size: field(at, first + 2) }
}

fn field(at: usize, number: usize) -> usize {
    read(FIELD + at * RECORD + number * FIELD)
}

fn read(at: usize) -> usize {
    let bytes = INDEX[at..at + FIELD].try_into().expect("a slice of four bytes");
    u32::from_le_bytes(bytes) as usize
}
