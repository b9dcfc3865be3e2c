//! `split`, `rsplit`, `splitlines`, `partition` and `strip`.

use super::search::with_both;
use super::write::to_exact;
use super::{Data, Str};
use crate::builtins::list::List;
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::text::builder::GivenUp;
use crate::text::{Unit, unicode};
use crate::value::Value;
use crate::vm::Vm;
use crate::with_units;

/// Whether a code point is white space for `str`.
#[inline(always)]
pub(crate) fn is_space(code: u32) -> bool {
    if code < 0x80 { matches!(code, 0x09..=0x0d | 0x1c..=0x20) } else { unicode::is_space(code) }
}

#[inline(always)]
fn is_line_break(code: u32) -> bool {
    if code < 0x80 { matches!(code, 0x0a..=0x0d | 0x1c..=0x1e) } else { unicode::is_line_break(code) }
}

/// Calls `f` with the range of each word, at most `max` of them; what is left goes to `f` whole.
pub(crate) fn split_space<U: Unit>(
    units: &[U],
    max: usize,
    space: impl Fn(U) -> bool,
    mut f: impl FnMut(usize, usize),
) {
    let (mut at, end) = (0, units.len());
    let mut words = 0;
    loop {
        while at < end && space(units[at]) {
            at += 1;
        }
        if at == end {
            return;
        }
        let start = at;
        if words == max {
            f(start, end);
            return;
        }
        while at < end && !space(units[at]) {
            at += 1;
        }
        f(start, at);
        words += 1;
    }
}

/// The same from the end; ranges come last to first.
pub(crate) fn rsplit_space<U: Unit>(
    units: &[U],
    max: usize,
    space: impl Fn(U) -> bool,
    mut f: impl FnMut(usize, usize),
) {
    let mut at = units.len();
    let mut words = 0;
    loop {
        while at > 0 && space(units[at - 1]) {
            at -= 1;
        }
        if at == 0 {
            return;
        }
        let end = at;
        if words == max {
            f(0, end);
            return;
        }
        while at > 0 && !space(units[at - 1]) {
            at -= 1;
        }
        f(at, end);
        words += 1;
    }
}

/// The arguments of `split`: the separator (`None` for white space) and how often to split at most.
fn split_arguments<'a>(vm: &Vm, args: &'a [Value]) -> Result<(Option<&'a Str>, usize)> {
    let max = match args.get(1) {
        Some(max) => usize::try_from(vm.index_ssize(max)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let Some(separator) = args.first().and_then(Value::given) else { return Ok((None, max)) };
    let separator = vm.expect_str(separator, |got| format!("must be str or None, not {got}"))?;
    if separator.len() == 0 {
        return Err(vm.value_error("empty separator"));
    }
    Ok((Some(separator), max))
}

/// Room for so many parts is made at first.
const PARTS: usize = 8;

pub(super) fn split(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (separator, max) = split_arguments(vm, args)?;
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    let mut parts = Vec::with_capacity(PARTS);
    let mut push = |start: usize, end: usize| {
        if !vm.memory_is_exhausted() {
            parts.put(part(this, text, start, end));
        }
    };
    match separator {
        None => with_units!(text, |units| split_space(units, max, |unit| is_space(unit.code()), push)),
        Some(separator) => {
            let mut start = 0;
            let mut splits = 0;
            let width = separator.len();
            if max > 0 {
                with_both!(
                    text,
                    separator,
                    |h, n| search::for_each_match(h, n, |at| {
                        push(start, at);
                        start = at + width;
                        splits += 1;
                        splits < max
                    }),
                    ()
                );
            }
            push(start, text.len());
        }
    }
    Ok(List::from_vec(parts).into_value())
}

/// A part of the text; the text itself if it is all of it.
fn part(this: &Value, text: &Str, start: usize, end: usize) -> Value {
    if start == 0 && end == text.len() { to_exact(this) } else { text.slice(start, end).into_value() }
}

pub(super) fn rsplit(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (separator, max) = split_arguments(vm, args)?;
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    let mut parts = Vec::with_capacity(PARTS);
    let mut push = |start: usize, end: usize| {
        if !vm.memory_is_exhausted() {
            parts.put(part(this, text, start, end));
        }
    };
    match separator {
        None => with_units!(text, |units| rsplit_space(units, max, |unit| is_space(unit.code()), push)),
        Some(separator) => {
            let mut end = text.len();
            let mut splits = 0;
            with_both!(
                text,
                separator,
                |h, n| while splits < max
                    && let Some(at) = search::rfind(&h[..end], n)
                {
                    push(at + n.len(), end);
                    end = at;
                    splits += 1;
                },
                ()
            );
            push(0, end);
        }
    }
    parts.reverse();
    Ok(List::from_vec(parts).into_value())
}

pub(super) fn splitlines(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let keepends = args.first().map_or(Ok(false), |keepends| vm.is_true(keepends))?;
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    let mut lines = Vec::new();
    with_units!(text, |units| {
        let (mut start, length) = (0, units.len());
        while start < length && !vm.memory_is_exhausted() {
            let mut end = start;
            while end < length && !is_line_break(units[end].code()) {
                end += 1;
            }
            let mut next = end;
            if next < length {
                let is_crlf = units[next].code() == 13 && units.get(next + 1).is_some_and(|unit| unit.code() == 10);
                next += if is_crlf { 2 } else { 1 };
            }
            lines.put(part(this, text, start, if keepends { next } else { end }));
            start = next;
        }
    });
    Ok(List::from_vec(lines).into_value())
}

fn separator<'a>(vm: &Vm, value: &'a Value) -> Result<&'a Str> {
    let separator = vm.expect_str(value, |got| format!("must be str, not {got}"))?;
    if separator.len() == 0 { Err(vm.value_error("empty separator")) } else { Ok(separator) }
}

fn three(first: Value, second: Value, third: Value) -> Result {
    Ok(Tuple::from_array([first, second, third]).into_value())
}

pub(super) fn partition(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let part = separator(vm, &args[0])?;
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    match with_both!(text, part, |h, n| search::find(h, n), None) {
        Some(at) => {
            let rest = text.slice(at + part.len(), text.len());
            three(text.slice(0, at).into_value(), args[0].clone(), rest.into_value())
        }
        None => three(to_exact(this), super::empty(), super::empty()),
    }
}

pub(super) fn rpartition(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let part = separator(vm, &args[0])?;
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    match with_both!(text, part, |h, n| search::rfind(h, n), None) {
        Some(at) => {
            let rest = text.slice(at + part.len(), text.len());
            three(text.slice(0, at).into_value(), args[0].clone(), rest.into_value())
        }
        None => three(super::empty(), super::empty(), to_exact(this)),
    }
}

#[inline(always)]
fn strip_sides(vm: &Vm, name: &str, this: &Value, args: &[Value], left: bool, right: bool) -> Result {
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    let chars = args.first().and_then(Value::given);
    if chars.is_none()
        && let Data::Ascii(bytes) = text.data()
    {
        let is_space = |byte: u8| is_space(byte as u32);
        let mut end = bytes.len();
        while right && end > 0 && is_space(bytes[end - 1]) {
            end -= 1;
        }
        let mut start = 0;
        while left && start < end && is_space(bytes[start]) {
            start += 1;
        }
        return Ok(part(this, text, start, end));
    }
    strip_general(vm, name, this, text, chars, left, right)
}

#[inline(never)]
fn strip_general(
    vm: &Vm,
    name: &str,
    this: &Value,
    text: &Str,
    chars: Option<&Value>,
    left: bool,
    right: bool,
) -> Result {
    let (mut start, mut end) = (0, text.len());
    let mut trim = |drop: &dyn Fn(u32) -> bool| {
        with_units!(text, |units| {
            while left && start < end && drop(units[start].code()) {
                start += 1;
            }
            while right && end > start && drop(units[end - 1].code()) {
                end -= 1;
            }
        })
    };
    let Some(chars) = chars else {
        trim(&is_space);
        return Ok(part(this, text, start, end));
    };
    {
        let chars = match chars.downcast::<Str>() {
            Some(chars) => chars,
            None => return Err(vm.type_error(format!("{name} arg must be None or str"))),
        };
        match chars.data() {
            Data::Ascii(set) | Data::Latin1(set) => {
                trim(&|code| code < 256 && memchr::memchr(code as u8, set).is_some())
            }
            Data::Ucs2(set) => trim(&|code| set.iter().any(|unit| *unit as u32 == code)),
            Data::Ucs4(set) => trim(&|code| set.contains(&code)),
        }
    }
    Ok(part(this, text, start, end))
}

pub(super) fn strip(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    strip_sides(vm, "strip", this, args, true, true)
}

pub(super) fn lstrip(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    strip_sides(vm, "lstrip", this, args, true, false)
}

pub(super) fn rstrip(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    strip_sides(vm, "rstrip", this, args, false, true)
}
