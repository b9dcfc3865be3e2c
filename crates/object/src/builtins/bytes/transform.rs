//! Case, predicates, padding, `replace`, `translate` and `join` of bytes.

use super::split::is_space;
use super::view::{make_owned, own, reserved, unchanged};
use super::{Bytes, from_slice};
use crate::builtins::list::List;
use crate::builtins::str::case::{is_titled, make_titled};
use crate::builtins::str::search;
use crate::builtins::tuple::Tuple;
use crate::exceptions;
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;

macro_rules! mappings {
    ($($name:ident $map:expr;)*) => { $(
        pub(crate) fn $name(vm: &Vm, this: &Value, _: &[Value]) -> Result {
            let map: fn(&mut [u8]) = $map;
            if let Some(bytes) = this.downcast::<Bytes>() {
                return Bytes::modified(vm, bytes.as_slice(), map);
            }
            let mut data = vm.buffer_of(&own(vm, this)?)?;
            map(&mut data);
            make_owned(vm, this, data)
        }
    )* };
}
mappings! {
    upper |data| data.make_ascii_uppercase();
    lower |data| data.make_ascii_lowercase();
    title |data| make_titled(data);
    swapcase |data| data.iter_mut().filter(|byte| byte.is_ascii_alphabetic()).for_each(|byte| *byte ^= 0x20);
    capitalize |data| {
        data.make_ascii_lowercase();
        if let Some(first) = data.first_mut() {
            first.make_ascii_uppercase();
        }
    };
}

macro_rules! predicates {
    ($($name:ident $test:expr;)*) => { $(
        pub(crate) fn $name(vm: &Vm, this: &Value, _: &[Value]) -> Result {
            let test: fn(&[u8]) -> bool = $test;
            Ok(Value::bool(test(&own(vm, this)?)))
        }
    )* };
}
predicates! {
    isalnum |data| !data.is_empty() && data.iter().all(u8::is_ascii_alphanumeric);
    isalpha |data| !data.is_empty() && data.iter().all(u8::is_ascii_alphabetic);
    isascii |data| data.is_ascii();
    isdigit |data| !data.is_empty() && data.iter().all(u8::is_ascii_digit);
    isspace |data| !data.is_empty() && data.iter().all(|byte| is_space(*byte));
    islower |data| !data.iter().any(u8::is_ascii_uppercase) && data.iter().any(u8::is_ascii_lowercase);
    isupper |data| !data.iter().any(u8::is_ascii_lowercase) && data.iter().any(u8::is_ascii_uppercase);
    istitle |data| data.iter().any(u8::is_ascii_alphabetic) && is_titled(data);
}

/// The width and fill byte of the justifying methods.
fn padding(vm: &Vm, name: &str, args: &[Value]) -> Result<(usize, u8)> {
    let width = usize::try_from(vm.index_ssize(&args[0])?).unwrap_or(0);
    let Some(fill) = args[1].bound() else { return Ok((width, b' ')) };
    if !super::is_bytes(fill) && !super::is_bytearray(fill) {
        let got = vm.argument_type(fill);
        return Err(vm.type_error(format!("{name}() argument 2 must be a byte string of length 1, not {got}")));
    }
    match *vm.bytes_like(fill)? {
        [byte] => Ok((width, byte)),
        ref bytes => {
            let length = bytes.len();
            let article = if super::is_bytes(fill) { "a bytes" } else { "a bytearray" };
            Err(vm.type_error(format!(
                "{name}(): argument 2 must be a byte string of length 1, not {article} object of length {length}"
            )))
        }
    }
}

fn padded(vm: &Vm, this: &Value, left: usize, right: usize, fill: u8) -> Result {
    if left == 0 && right == 0 {
        return unchanged(vm, this);
    }
    let data = own(vm, this)?;
    let mut out = reserved(vm, left.checked_add(right).and_then(|n| n.checked_add(data.len())))?;
    out.resize(left, fill);
    out.extend_from_slice(&data);
    out.resize(out.len() + right, fill);
    make_owned(vm, this, out)
}

pub(crate) fn center(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (width, fill) = padding(vm, "center", args)?;
    let missing = width.saturating_sub(own(vm, this)?.len());
    let left = missing / 2 + (missing & width & 1);
    padded(vm, this, left, missing - left, fill)
}

pub(crate) fn ljust(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (width, fill) = padding(vm, "ljust", args)?;
    let missing = width.saturating_sub(own(vm, this)?.len());
    padded(vm, this, 0, missing, fill)
}

pub(crate) fn rjust(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (width, fill) = padding(vm, "rjust", args)?;
    let missing = width.saturating_sub(own(vm, this)?.len());
    padded(vm, this, missing, 0, fill)
}

pub(crate) fn zfill(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let width = usize::try_from(vm.index_ssize(&args[0])?).unwrap_or(0);
    let data = own(vm, this)?;
    let zeros = width.saturating_sub(data.len());
    if zeros == 0 {
        return unchanged(vm, this);
    }
    let (sign, digits) = data.split_at(matches!(data.first(), Some(b'+' | b'-')) as usize);
    let mut out = reserved(vm, Some(width))?;
    out.extend_from_slice(sign);
    out.resize(sign.len() + zeros, b'0');
    out.extend_from_slice(digits);
    make_owned(vm, this, out)
}

pub(crate) fn expandtabs(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let size = usize::try_from(vm.index_i32(&args[0])?).unwrap_or(0);
    let data = own(vm, this)?;
    let mut out = vm.buffer_for(data.len())?;
    let mut column = 0;
    for byte in data.iter() {
        if *byte == b'\t' {
            let spaces = if size > 0 { size - column % size } else { 0 };
            if out.try_reserve(spaces).is_err() {
                return Err(vm.memory_error());
            }
            out.resize(out.len() + spaces, b' ');
            column += spaces;
        } else {
            column = if matches!(byte, b'\n' | b'\r') { 0 } else { column + 1 };
            vm.reserve(&mut out, 1)?;
            out.push(*byte);
        }
    }
    make_owned(vm, this, out)
}

pub(crate) fn replace(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (old, new) = (vm.bytes_like(&args[0])?, vm.bytes_like(&args[1])?);
    let max = usize::try_from(vm.index_ssize(&args[2])?).unwrap_or(usize::MAX);
    let data = own(vm, this)?;
    let mut places = Vec::new();
    if max == 0 {
        return unchanged(vm, this);
    }
    if old.is_empty() {
        places = vm.buffer_from(0..(data.len() + 1).min(max))?;
    } else {
        let mut room = Ok(());
        search::for_each_match(&data, &old, |at| {
            room = vm.reserve(&mut places, 1);
            if room.is_ok() {
                places.push(at);
            }
            room.is_ok() && places.len() < max
        });
        room?;
    }
    if places.is_empty() {
        return unchanged(vm, this);
    }
    let added = new.len().checked_mul(places.len()).and_then(|added| added.checked_add(data.len()));
    let Some(length) = added.filter(|length| *length <= isize::MAX as usize) else {
        return Err(vm.overflow_error("replace bytes is too long"));
    };
    let mut out = reserved(vm, Some(length - old.len() * places.len()))?;
    let mut from = 0;
    for at in places {
        out.extend_from_slice(&data[from..at]);
        out.extend_from_slice(&new);
        from = at + old.len();
    }
    out.extend_from_slice(&data[from..]);
    make_owned(vm, this, out)
}

pub(crate) fn translate(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let table = match args[0].is_none() {
        true => None,
        false => Some(vm.bytes_like(&args[0])?),
    };
    if table.as_ref().is_some_and(|table| table.len() != 256) {
        return Err(vm.value_error("translation table must be 256 characters long"));
    }
    let delete = args[1].bound().map(|delete| vm.bytes_like(delete)).transpose()?;
    let table: Option<&[u8; 256]> = table.as_deref().and_then(|table| table.try_into().ok());
    let data = own(vm, this)?;
    match delete.filter(|delete| !delete.is_empty()) {
        None => translate_all(vm, this, &data, table),
        Some(delete) => translate_some(vm, this, &data, table, &delete),
    }
}

/// `translate` that deletes nothing.
fn translate_all(vm: &Vm, this: &Value, data: &[u8], table: Option<&[u8; 256]>) -> Result {
    let Some(table) = table else { return unchanged(vm, this) };
    let mut changed = 0;
    let mut map = |data: &mut [u8]| {
        for byte in data {
            let mapped = table[*byte as usize];
            changed |= mapped ^ *byte;
            *byte = mapped;
        }
    };
    if super::is_bytes(this) {
        let mapped = Bytes::modified(vm, data, &mut map)?;
        return if changed == 0 { unchanged(vm, this) } else { Ok(mapped) };
    }
    let mut out = vm.buffer_of(data)?;
    map(&mut out);
    make_owned(vm, this, out)
}

/// `translate` that leaves bytes out.
fn translate_some(vm: &Vm, this: &Value, data: &[u8], table: Option<&[u8; 256]>, delete: &[u8]) -> Result {
    let mut keep = [1u8; 256];
    for byte in delete {
        keep[*byte as usize] = 0;
    }
    let kept = data.iter().map(|byte| keep[*byte as usize] as usize).sum();
    if kept == data.len() {
        return translate_all(vm, this, data, table);
    }
    let mut out = reserved(vm, Some(kept))?;
    if kept > 0 {
        out.extend(data.iter().filter(|byte| keep[**byte as usize] != 0));
    }
    if let Some(table) = table {
        out.iter_mut().for_each(|byte| *byte = table[*byte as usize]);
    }
    make_owned(vm, this, out)
}

pub(crate) fn maketrans(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let (from, to) = (vm.bytes_like(&args[0])?, vm.bytes_like(&args[1])?);
    if from.len() != to.len() {
        return Err(vm.value_error("maketrans arguments must have same length"));
    }
    let mut table: [u8; 256] = std::array::from_fn(|at| at as u8);
    for (from, to) in from.iter().zip(to.iter()) {
        table[*from as usize] = *to;
    }
    from_slice(vm, &table)
}

/// `separator.join(items)` for a list or tuple of nothing but exact bytes objects; `None` for others.
fn join_exact(vm: &Vm, separator: &Bytes, items: &Value) -> Option<Result> {
    let borrowed;
    let items: &[Value] = if let Some(tuple) = items.downcast_exact::<Tuple>() {
        tuple.as_slice()
    } else {
        let list = items.downcast_exact::<List>()?;
        borrowed = list.items.borrow(&list.header);
        &borrowed
    };
    let separator = separator.as_slice();
    let mut length = separator.len().checked_mul(items.len().checked_sub(1)?)?;
    for item in items {
        length = length.checked_add(item.downcast_exact::<Bytes>()?.as_slice().len())?;
    }
    if let [only] = items {
        return Some(Ok(only.clone()));
    }
    fn part(item: &Value) -> &[u8] {
        item.downcast_exact::<Bytes>().map_or(&[], Bytes::as_slice)
    }
    let (first, rest) = items.split_first()?;
    let rest = rest.iter().flat_map(|item| [separator, part(item)]);
    Some(Bytes::from_parts(vm, length, std::iter::once(part(first)).chain(rest)))
}

pub(crate) fn join(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if let Some(separator) = this.downcast::<Bytes>()
        && let Some(joined) = join_exact(vm, separator, &args[0])
    {
        return joined;
    }
    // Held all the time: the iterable's code cannot resize a bytearray.
    let separator = own(vm, this)?;
    let items = if let Some(tuple) = args[0].downcast_exact::<Tuple>() {
        vm.buffer_of(tuple.as_slice())?
    } else if let Some(list) = args[0].downcast_exact::<List>() {
        list.try_to_vec(vm)?
    } else {
        match vm.iter(&args[0]) {
            Ok(iterator) => vm.collect(&iterator)?,
            Err(raised) => {
                vm.catch(raised, exceptions::type_error())?;
                return Err(vm.type_error("can only join an iterable"));
            }
        }
    };
    if let [only] = items.as_slice()
        && only.downcast_exact::<Bytes>().is_some()
        && super::is_bytes(this)
    {
        return Ok(only.clone());
    }
    let mut parts = vm.buffer_for(items.len())?;
    let mut length = Some(0_usize);
    for (at, item) in items.iter().enumerate() {
        if !vm.has_buffer(item) {
            let name = item.ty().name();
            return Err(vm.type_error(format!("sequence item {at}: expected a bytes-like object, {name} found")));
        }
        let part = vm.bytes_like(item)?;
        length = length.and_then(|length| length.checked_add(part.len()));
        parts.push(part);
    }
    let between = separator.len().checked_mul(items.len().saturating_sub(1));
    let mut out = reserved(vm, length.zip(between).and_then(|(a, b)| a.checked_add(b)))?;
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(&separator);
        }
        out.extend_from_slice(part);
    }
    make_owned(vm, this, out)
}

/// `this + other`
pub(crate) fn concat(vm: &Vm, this: &Value, other: &Value) -> Result {
    if !vm.has_buffer(other) {
        let (own, got) = (this.ty().name(), other.ty().name());
        return Err(vm.type_error(format!("can't concat {got} to {own}")));
    }
    let (a, b) = (own(vm, this)?, vm.bytes_like(other)?);
    if super::is_bytes(this) {
        if a.is_empty() && other.downcast_exact::<Bytes>().is_some() {
            return Ok(other.clone());
        }
        if b.is_empty() && this.downcast_exact::<Bytes>().is_some() {
            return Ok(this.clone());
        }
        let Some(length) = a.len().checked_add(b.len()) else { return Err(vm.memory_error()) };
        return Bytes::from_parts(vm, length, [&*a, &*b].into_iter());
    }
    let mut out = reserved(vm, a.len().checked_add(b.len()))?;
    out.extend_from_slice(&a);
    out.extend_from_slice(&b);
    make_owned(vm, this, out)
}

/// `this * count`
pub(crate) fn repeat(vm: &Vm, this: &Value, count: i64) -> Result {
    let count = usize::try_from(count).unwrap_or(0);
    if count == 1 {
        return unchanged(vm, this);
    }
    if let Some(bytes) = this.downcast::<Bytes>() {
        let data = bytes.as_slice();
        let Some(length) = data.len().checked_mul(count) else { return Err(vm.memory_error()) };
        if length == data.len() {
            return unchanged(vm, this);
        }
        // CPython does not share what this makes either.
        return Bytes::build_unshared(vm, super::BYTES.ty(), length, |out| {
            out.chunks_exact_mut(data.len().max(1)).for_each(|part| part.copy_from_slice(data));
        });
    }
    let data = own(vm, this)?;
    let length = data.len().checked_mul(count);
    let mut out = reserved(vm, length)?;
    let length = length.unwrap_or(0);
    if length > 0 {
        out.extend_from_slice(&data);
        while out.len() < length {
            let more = out.len().min(length - out.len());
            out.extend_from_within(..more);
        }
    }
    make_owned(vm, this, out)
}
