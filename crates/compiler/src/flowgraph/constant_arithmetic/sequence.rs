//! Strings, bytes and tuples: concatenation, repetition, subscripts.

use std::sync::Arc;

use dashu_int::IBig;

use taipan_bytecode::oparg::BinaryOp;
use taipan_bytecode::{Constant, Text};

use super::int_of;

/// Repeated tuples are at most this long...
const MAX_COLLECTION_SIZE: usize = 256;
/// ...and hold at most this many items, nested ones included.
const MAX_TOTAL_ITEMS: usize = 1024;
/// Repeated strings are at most this long.
const MAX_STR_SIZE: usize = 4096;

pub(super) fn binary(op: BinaryOp, left: &Constant, right: &Constant) -> Option<Constant> {
    match op {
        BinaryOp::Add => concatenate(left, right),
        BinaryOp::Multiply => match (int_of(left), int_of(right)) {
            (None, Some(count)) => repeat(left, &count),
            (Some(count), None) => repeat(right, &count),
            _ => None,
        },
        BinaryOp::Subscr => subscript(left, right),
        _ => None,
    }
}

fn concatenate(left: &Constant, right: &Constant) -> Option<Constant> {
    Some(match (left, right) {
        (Constant::Str(a), Constant::Str(b)) => {
            Constant::Str(Text::from_bytes(&[a.as_bytes(), b.as_bytes()].concat())?)
        }
        (Constant::Bytes(a), Constant::Bytes(b)) => Constant::Bytes([&a[..], &b[..]].concat().into()),
        (Constant::Tuple(a), Constant::Tuple(b)) => Constant::Tuple([&a[..], &b[..]].concat().into()),
        _ => return None,
    })
}

fn len(sequence: &Constant) -> Option<usize> {
    Some(match sequence {
        Constant::Str(text) => text.char_count(),
        Constant::Bytes(bytes) => bytes.len(),
        Constant::Tuple(items) => items.len(),
        _ => return None,
    })
}

/// The limit less the items of a tuple, those of nested tuples included.
fn remaining_items(value: &Constant, limit: usize) -> Option<usize> {
    let Constant::Tuple(items) = value else { return Some(limit) };
    let limit = limit.checked_sub(items.len())?;
    items.iter().try_fold(limit, |limit, item| remaining_items(item, limit))
}

fn repeat(sequence: &Constant, count: &IBig) -> Option<Constant> {
    let size = len(sequence)?;
    if size == 0 {
        return isize::try_from(count).ok().map(|_| sequence.clone());
    }
    let count = usize::try_from(count).ok()?;
    let limit = if matches!(sequence, Constant::Tuple(_)) { MAX_COLLECTION_SIZE } else { MAX_STR_SIZE };
    if count > limit / size || (count > 0 && remaining_items(sequence, MAX_TOTAL_ITEMS / count).is_none()) {
        return None;
    }
    Some(match sequence {
        Constant::Str(text) => Constant::Str(Text::from_bytes(&text.as_bytes().repeat(count))?),
        Constant::Bytes(bytes) => Constant::Bytes(bytes.repeat(count).into()),
        Constant::Tuple(items) => {
            let length = items.len() * count;
            Constant::Tuple(items.iter().cycle().take(length).cloned().collect())
        }
        _ => return None,
    })
}

fn subscript(sequence: &Constant, index: &Constant) -> Option<Constant> {
    let size = len(sequence)?;
    if let Constant::Slice(parts) = index {
        return slice(sequence, size, parts);
    }
    let index = i64::try_from(&int_of(index)?).ok()?;
    let index = if index < 0 { index.checked_add(size as i64)? } else { index };
    let index = usize::try_from(index).ok().filter(|&index| index < size)?;
    Some(match sequence {
        Constant::Str(text) => Constant::Str(Text::from_code_points(text.code_points().nth(index))),
        Constant::Bytes(bytes) => Constant::int(i64::from(bytes[index])),
        Constant::Tuple(items) => items[index].clone(),
        _ => return None,
    })
}

/// A bound of a slice; what does not fit becomes the nearest that does.
fn bound(part: &Constant) -> Option<Option<i64>> {
    if matches!(part, Constant::None) {
        return Some(None);
    }
    let value = int_of(part)?;
    Some(Some(i64::try_from(&value).unwrap_or(if value < IBig::ZERO { -i64::MAX } else { i64::MAX })))
}

fn slice(sequence: &Constant, size: usize, parts: &Arc<[Constant; 3]>) -> Option<Constant> {
    let size = size as i64;
    let step = bound(&parts[2])?.unwrap_or(1).max(-i64::MAX);
    if step == 0 {
        return None;
    }
    let (lowest, highest) = if step < 0 { (-1, size - 1) } else { (0, size) };
    let clip = |value: i64| if value < 0 { (value.saturating_add(size)).max(lowest) } else { value.min(highest) };
    let start = bound(&parts[0])?.map_or(if step < 0 { highest } else { lowest }, clip);
    let stop = bound(&parts[1])?.map_or(if step < 0 { lowest } else { highest }, clip);
    let mut indices = Vec::new();
    let mut at = start;
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        indices.push(at as usize);
        match at.checked_add(step) {
            Some(next) => at = next,
            None => break,
        }
    }
    Some(match sequence {
        Constant::Str(text) => {
            let code_points: Vec<u32> = text.code_points().collect();
            Constant::Str(Text::from_code_points(indices.into_iter().map(|index| code_points[index])))
        }
        Constant::Bytes(bytes) => Constant::Bytes(indices.into_iter().map(|index| bytes[index]).collect()),
        Constant::Tuple(items) => Constant::Tuple(indices.into_iter().map(|index| items[index].clone()).collect()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences() {
        let text = Constant::str("h\u{E9}llo");
        let whole = |start, stop, step| Constant::Slice(Arc::new([start, stop, step]));
        let none = || Constant::None;
        assert_eq!(subscript(&text, &Constant::int(-4)), Some(Constant::str("\u{E9}")));
        assert_eq!(subscript(&text, &Constant::int(5)), None);
        assert_eq!(subscript(&text, &whole(none(), none(), Constant::int(-1))), Some(Constant::str("oll\u{E9}h")));
        assert_eq!(
            subscript(&text, &whole(Constant::int(1), Constant::int(-1), none())),
            Some(Constant::str("\u{E9}ll"))
        );
        assert_eq!(repeat(&Constant::str("ab"), &IBig::from(2)), Some(Constant::str("abab")));
        assert_eq!(repeat(&Constant::str("ab"), &IBig::from(2049)), None);
        assert_eq!(repeat(&Constant::str("ab"), &IBig::from(-1)), None);
        assert_eq!(repeat(&Constant::tuple(vec![Constant::None]), &IBig::from(257)), None);
    }
}
