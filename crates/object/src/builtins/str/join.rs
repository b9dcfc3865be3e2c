//! `join` and `replace`.

use super::search::with_both;
use super::write::to_exact;
use super::{Data, Str};
use crate::builtins::list::List;
use crate::builtins::tuple::Tuple;
use crate::exceptions;
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;
use smallvec::SmallVec;

pub(super) fn join_method(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if let Some(tuple) = args[0].downcast_exact::<Tuple>() {
        return join(vm, this, tuple.as_slice());
    }
    let Some(list) = args[0].downcast_exact::<List>() else { return join(vm, this, &collect(vm, &args[0])?) };
    {
        // Joining strings runs no Python code.
        let items = list.items.borrow(&list.header);
        if items.iter().all(|item| item.downcast::<Str>().is_some()) {
            return join(vm, this, &items);
        }
    }
    join(vm, this, &list.to_vec())
}

fn collect(vm: &Vm, iterable: &Value) -> Result<Vec<Value>> {
    if let Err(raised) = vm.iter(iterable) {
        vm.catch(raised, exceptions::type_error())?;
        return Err(vm.type_error("can only join an iterable"));
    }
    vm.collect(iterable)
}

/// `separator.join(items)`
pub fn join(vm: &Vm, separator: &Value, items: &[Value]) -> Result {
    match items {
        [] => return Ok(super::empty()),
        [only] if only.downcast_exact::<Str>().is_some() => return Ok(only.clone()),
        _ => {}
    }
    let Some(separator) = separator.downcast::<Str>() else { return Ok(Value::NONE) };
    let mut length = separator.len().checked_mul(items.len() - 1);
    let mut max_code = if items.len() > 1 && separator.len() > 0 { separator.max_code() } else { 0 };
    for (at, item) in items.iter().enumerate() {
        let text = match item.downcast_exact::<Str>() {
            Some(text) => text,
            None => match item.downcast::<Str>() {
                Some(text) => text,
                None => {
                    let name = item.ty().name();
                    return Err(vm.type_error(format!("sequence item {at}: expected str instance, {name} found")));
                }
            },
        };
        length = length.and_then(|length| length.checked_add(text.len()));
        if text.len() > 0 {
            max_code = max_code.max(text.max_code());
        }
    }
    let Some(length) = length else {
        return Err(vm.overflow_error("join() result is too long for a Python string"));
    };
    if length <= 1 {
        let only =
            items.iter().chain(std::iter::empty()).find(|item| item.downcast::<Str>().is_some_and(|t| t.len() > 0));
        return Ok(match only {
            Some(only) => to_exact(only),
            None if length == 1 => separator.slice(0, 1).into_value(),
            None => super::empty(),
        });
    }
    let whole = Str::undefined(vm, length, max_code)?;
    let mut at = 0;
    if whole.kind() == 1 {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                at = whole.put_bytes(at, separator.raw_bytes());
            }
            if let Some(text) = item.downcast::<Str>() {
                at = whole.put_bytes(at, text.raw_bytes());
            }
        }
        return Ok(whole.into_value());
    }
    for (i, item) in items.iter().enumerate() {
        if i > 0 && separator.len() > 0 {
            whole.put(at, separator.data());
            at += separator.len();
        }
        if let Some(text) = item.downcast::<Str>()
            && text.len() > 0
        {
            whole.put(at, text.data());
            at += text.len();
        }
    }
    Ok(whole.into_value())
}

pub(super) fn replace_method(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let old = vm.expect_str_argument(&args[0], |got| format!("replace() argument 1 must be str, not {got}"))?;
    let new = vm.expect_str_argument(&args[1], |got| format!("replace() argument 2 must be str, not {got}"))?;
    let max = match args.get(2) {
        Some(max) => usize::try_from(vm.index_ssize(max)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    replace(vm, this, old, new, max)
}

/// `this.replace(old, new, max)`
pub fn replace(vm: &Vm, this: &Value, old: &Str, new: &Str, max: usize) -> Result {
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    if max == 0 || old.equals(new) {
        return Ok(to_exact(this));
    }
    let (same_width, one_byte) = (old.len() == new.len(), text.kind() | old.kind() | new.kind() == 1);
    if one_byte && same_width && old.len() == 1 {
        return replace_byte(vm, this, text, old.raw_bytes()[0], new, max);
    }
    let mut places: SmallVec<[usize; 16]> = SmallVec::new();
    if old.len() == 0 {
        let count = text.len().saturating_add(1).min(max);
        places.try_reserve(count).map_err(|_| vm.memory_error())?;
        places.extend(0..count);
    } else {
        let mut has_room = true;
        with_both!(
            text,
            old,
            |h, n| search::for_each_match(h, n, |at| {
                has_room = places.try_reserve(1).is_ok();
                if has_room {
                    places.push(at);
                }
                has_room && places.len() < max
            }),
            ()
        );
        if !has_room {
            return Err(vm.memory_error());
        }
    }
    if places.is_empty() {
        return Ok(to_exact(this));
    }
    let length = new.len().checked_mul(places.len()).and_then(|more| more.checked_add(text.len()));
    let Some(length) = length else {
        return Err(vm.overflow_error("replace string is too long"));
    };
    let length = length - old.len() * places.len();
    if length == 0 {
        return Ok(super::empty());
    }
    let whole =
        Str::undefined(vm, length, if new.len() > 0 { new.max_code().max(text.max_code()) } else { text.max_code() })?;
    let (mut from, mut to) = (0, 0);
    let count = places.len();
    for (i, at) in places.into_iter().chain([text.len()]).enumerate() {
        put_range(&whole, to, text, from, at);
        to += at - from;
        if i < count {
            whole.put(to, new.data());
            to += new.len();
        }
        from = at + old.len();
    }
    debug_assert_eq!(to, length);
    Ok(if whole.is_ascii() { whole.into_value() } else { whole.canonical() })
}

/// [`replace`] of one code point by another in a string of bytes.
fn replace_byte(vm: &Vm, this: &Value, text: &Str, old: u8, new: &Str, max: usize) -> Result {
    let bytes = text.raw_bytes();
    let Some(first) = memchr::memchr(old, bytes) else { return Ok(to_exact(this)) };
    let whole = Str::undefined(vm, text.len(), text.max_code().max(new.max_code()))?;
    whole.put(0, text.data());
    let mut from = first;
    for _ in 0..max {
        whole.put(from, new.data());
        let Some(next) = memchr::memchr(old, &bytes[from + 1..]) else { break };
        from += 1 + next;
    }
    Ok(if whole.is_ascii() { whole.into_value() } else { whole.canonical() })
}

/// Writes `text[start..end]`.
fn put_range(whole: &Str, at: usize, text: &Str, start: usize, end: usize) {
    match text.data() {
        Data::Ascii(d) | Data::Latin1(d) => whole.put(at, Data::Latin1(&d[start..end])),
        Data::Ucs2(d) => whole.put(at, Data::Ucs2(&d[start..end])),
        Data::Ucs4(d) => whole.put(at, Data::Ucs4(&d[start..end])),
    }
}
