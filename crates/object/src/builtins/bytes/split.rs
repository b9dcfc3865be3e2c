//! `split`, `rsplit`, `splitlines`, `partition` and `strip` of bytes.

use super::view::{make, own, unchanged};
use super::{Bytes, empty};
use crate::buffer::BytesLike;
use crate::builtins::bytearray;
use crate::builtins::list::List;
use crate::builtins::str::search;
use crate::builtins::str::split::{rsplit_space, split_space};
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::text::builder::GivenUp;
use crate::value::Value;
use crate::vm::Vm;

/// White space in the sense of C's `isspace`.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn arguments<'a>(vm: &Vm, args: &'a [Value]) -> Result<(Option<BytesLike<'a>>, usize)> {
    let max = usize::try_from(vm.index_ssize(&args[1])?).unwrap_or(usize::MAX);
    if args[0].is_none() {
        return Ok((None, max));
    }
    let separator = vm.bytes_like(&args[0])?;
    if separator.is_empty() { Err(vm.value_error("empty separator")) } else { Ok((Some(separator), max)) }
}

fn list(vm: &Vm, this: &Value, data: &[u8], ranges: Vec<(usize, usize)>) -> Result {
    let mut parts = vm.buffer_for(ranges.len())?;
    for (start, end) in ranges {
        vm.check_memory()?;
        let whole = start == 0 && end == data.len();
        parts.push(if whole { unchanged(vm, this)? } else { make(vm, this, &data[start..end])? });
    }
    Ok(List::from_vec(parts).into_value())
}

pub(crate) fn split(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (separator, max) = arguments(vm, args)?;
    let data = own(vm, this)?;
    let mut ranges = Vec::new();
    match separator {
        None => split_space(&data, max, is_space, |start, end| ranges.put((start, end))),
        Some(separator) => {
            let mut start = 0;
            if max > 0 {
                search::for_each_match(&data, &separator, |at| {
                    ranges.put((start, at));
                    start = at + separator.len();
                    ranges.len() < max
                });
            }
            ranges.put((start, data.len()));
        }
    }
    list(vm, this, &data, ranges)
}

pub(crate) fn rsplit(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (separator, max) = arguments(vm, args)?;
    let data = own(vm, this)?;
    let mut ranges = Vec::new();
    match separator {
        None => rsplit_space(&data, max, is_space, |start, end| ranges.put((start, end))),
        Some(separator) => {
            let mut end = data.len();
            while ranges.len() < max
                && let Some(at) = search::rfind(&data[..end], &separator)
            {
                ranges.put((at + separator.len(), end));
                end = at;
            }
            ranges.put((0, end));
        }
    }
    ranges.reverse();
    list(vm, this, &data, ranges)
}

pub(crate) fn splitlines(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let keepends = vm.is_true(&args[0])?;
    let data = own(vm, this)?;
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < data.len() {
        let end = memchr::memchr2(b'\n', b'\r', &data[start..]).map_or(data.len(), |at| start + at);
        let next = match &data[end..] {
            [b'\r', b'\n', ..] => end + 2,
            [] => end,
            _ => end + 1,
        };
        ranges.put((start, if keepends { next } else { end }));
        start = next;
    }
    list(vm, this, &data, ranges)
}

/// The separator as the second part: of the type that the method makes, or for bytes the object itself.
fn separator_part(vm: &Vm, this: &Value, given: &Value, separator: &[u8]) -> Result {
    if this.downcast::<Bytes>().is_some() { Ok(given.clone()) } else { make(vm, this, separator) }
}

fn nothing(this: &Value) -> Value {
    if this.downcast::<Bytes>().is_some() { empty() } else { bytearray::new(Vec::new()) }
}

fn part_at(vm: &Vm, this: &Value, args: &[Value], from_end: bool) -> Result {
    let separator = vm.bytes_like(&args[0])?;
    if separator.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    let data = own(vm, this)?;
    let found = if from_end { search::rfind(&data, &separator) } else { search::find(&data, &separator) };
    let parts = match found {
        Some(at) => vec![
            make(vm, this, &data[..at])?,
            separator_part(vm, this, &args[0], &separator)?,
            make(vm, this, &data[at + separator.len()..])?,
        ],
        None if from_end => vec![nothing(this), nothing(this), unchanged(vm, this)?],
        None => vec![unchanged(vm, this)?, nothing(this), nothing(this)],
    };
    Ok(Tuple::from_vec(parts).into_value())
}

pub(crate) fn partition(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    part_at(vm, this, args, false)
}

pub(crate) fn rpartition(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    part_at(vm, this, args, true)
}

fn strip_sides(vm: &Vm, this: &Value, args: &[Value], left: bool, right: bool) -> Result {
    let set = args.first().and_then(Value::given).map(|set| vm.bytes_like(set)).transpose()?;
    let data = own(vm, this)?;
    let drop = |byte: u8| match &set {
        Some(set) => memchr::memchr(byte, set).is_some(),
        None => is_space(byte),
    };
    let (mut start, mut end) = (0, data.len());
    while left && start < end && drop(data[start]) {
        start += 1;
    }
    while right && end > start && drop(data[end - 1]) {
        end -= 1;
    }
    if start == 0 && end == data.len() { unchanged(vm, this) } else { make(vm, this, &data[start..end]) }
}

pub(crate) fn strip(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    strip_sides(vm, this, args, true, true)
}

pub(crate) fn lstrip(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    strip_sides(vm, this, args, true, false)
}

pub(crate) fn rstrip(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    strip_sides(vm, this, args, false, true)
}
