//! Finding substrings. Strings of different kinds are compared in the haystack's width.

use super::{Data, Str};
use crate::builtins::slice;
use crate::native::arguments::optional;
use crate::object::Result;
use crate::text::Unit;
use crate::value::Value;
use crate::vm::Vm;
use std::borrow::Cow;

/// A unit whose slices can be searched.
pub(crate) trait Searchable: Unit {
    fn bytes(units: &[Self]) -> &[u8];
    fn find_unit(haystack: &[Self], unit: Self) -> Option<usize> {
        haystack.iter().position(|u| *u == unit)
    }
    fn rfind_unit(haystack: &[Self], unit: Self) -> Option<usize> {
        haystack.iter().rposition(|u| *u == unit)
    }
    /// Finds a needle of at least two units in a haystack of at most [`SHORT`], for which a prepared search would take
    /// longer to prepare than to do.
    fn find_short(haystack: &[Self], needle: &[Self]) -> Option<usize> {
        haystack.windows(needle.len()).position(|window| window == needle)
    }
}

/// Haystacks of up to so many units are searched without preparation.
const SHORT: usize = 256;

impl Searchable for u8 {
    fn bytes(units: &[u8]) -> &[u8] {
        units
    }
    #[inline]
    fn find_unit(haystack: &[u8], unit: u8) -> Option<usize> {
        memchr::memchr(unit, haystack)
    }
    #[inline]
    fn rfind_unit(haystack: &[u8], unit: u8) -> Option<usize> {
        memchr::memrchr(unit, haystack)
    }
    fn find_short(haystack: &[u8], needle: &[u8]) -> Option<usize> {
        let (first, last, gap) = (needle[0], needle[needle.len() - 1], needle.len() - 1);
        let places = haystack.len().checked_sub(gap)?;
        let mut at = 0;
        // Sixteen places at a time by the needle's ends: a bit for each place where both are right.
        #[cfg(target_arch = "x86_64")]
        while at + 16 <= places {
            use std::arch::x86_64::*;
            // SAFETY: SSE2 is part of x86-64; both loads end at or before the end of the haystack.
            let mut hits = unsafe {
                let starts = _mm_loadu_si128(haystack.as_ptr().add(at).cast());
                let ends = _mm_loadu_si128(haystack.as_ptr().add(at + gap).cast());
                let starts = _mm_cmpeq_epi8(starts, _mm_set1_epi8(first as i8));
                let ends = _mm_cmpeq_epi8(ends, _mm_set1_epi8(last as i8));
                _mm_movemask_epi8(_mm_and_si128(starts, ends)) as u32
            };
            while hits != 0 {
                let place = at + hits.trailing_zeros() as usize;
                if haystack[place + 1..place + gap] == needle[1..gap] {
                    return Some(place);
                }
                hits &= hits - 1;
            }
            at += 16;
        }
        (at..places).find(|&place| {
            haystack[place] == first
                && haystack[place + gap] == last
                && haystack[place + 1..place + gap] == needle[1..gap]
        })
    }
}
impl Searchable for u16 {
    fn bytes(units: &[u16]) -> &[u8] {
        // SAFETY: any memory of integers is readable as bytes.
        unsafe { std::slice::from_raw_parts(units.as_ptr().cast(), size_of_val(units)) }
    }
}
impl Searchable for u32 {
    fn bytes(units: &[u32]) -> &[u8] {
        // SAFETY: any memory of integers is readable as bytes.
        unsafe { std::slice::from_raw_parts(units.as_ptr().cast(), size_of_val(units)) }
    }
}

/// The first occurrence of `needle`.
pub(crate) fn find<U: Searchable>(haystack: &[U], needle: &[U]) -> Option<usize> {
    match needle {
        [] => Some(0),
        [unit] => U::find_unit(haystack, *unit),
        _ if needle.len() > haystack.len() => None,
        _ if haystack.len() <= SHORT => U::find_short(haystack, needle),
        _ => Finder::new(needle).find(haystack),
    }
}

/// The last occurrence of `needle`.
pub(crate) fn rfind<U: Searchable>(haystack: &[U], needle: &[U]) -> Option<usize> {
    match needle {
        [] => Some(haystack.len()),
        [unit] => U::rfind_unit(haystack, *unit),
        _ if needle.len() > haystack.len() => None,
        _ => {
            let finder = memchr::memmem::FinderRev::new(U::bytes(needle));
            let (bytes, width) = (U::bytes(haystack), size_of::<U>());
            let mut end = bytes.len();
            loop {
                let at = finder.rfind(&bytes[..end])?;
                if at % width == 0 {
                    return Some(at / width);
                }
                end = at + needle.len() * width - 1;
            }
        }
    }
}

/// A needle of two units or more, prepared.
pub(crate) struct Finder<'a, U> {
    finder: memchr::memmem::Finder<'a>,
    unit: std::marker::PhantomData<U>,
}

impl<'a, U: Searchable> Finder<'a, U> {
    pub fn new(needle: &'a [U]) -> Self {
        Finder { finder: memchr::memmem::Finder::new(U::bytes(needle)), unit: std::marker::PhantomData }
    }

    pub fn find(&self, haystack: &[U]) -> Option<usize> {
        let (bytes, width) = (U::bytes(haystack), size_of::<U>());
        let mut start = 0;
        loop {
            let at = start + self.finder.find(&bytes[start..])?;
            // A match across units is none.
            if at % width == 0 {
                return Some(at / width);
            }
            start = at + 1;
        }
    }
}

/// Calls `f` with the place of each occurrence that does not overlap the one before, while it returns true.
pub(crate) fn for_each_match<U: Searchable>(haystack: &[U], needle: &[U], mut f: impl FnMut(usize) -> bool) {
    let mut at = 0;
    if let [unit] = needle {
        while let Some(found) = U::find_unit(&haystack[at..], *unit) {
            if !f(at + found) {
                return;
            }
            at += found + 1;
        }
        return;
    }
    if haystack.len() <= SHORT {
        while let Some(found) = U::find_short(&haystack[at..], needle) {
            if !f(at + found) {
                return;
            }
            at += found + needle.len();
        }
        return;
    }
    let finder = Finder::new(needle);
    while let Some(found) = finder.find(&haystack[at..]) {
        if !f(at + found) {
            return;
        }
        at += found + needle.len();
    }
}

/// The occurrences of `needle` (not empty) that do not overlap.
pub(crate) fn count<U: Searchable>(haystack: &[U], needle: &[U]) -> usize {
    let mut count = 0;
    for_each_match(haystack, needle, |_| {
        count += 1;
        true
    });
    count
}

/// The needle in the width of `U`; `None` if it does not fit, so that it cannot occur.
fn widened<'a, U: Unit>(needle: &'a Str, same: impl Fn(Data<'a>) -> Option<&'a [U]>) -> Option<Cow<'a, [U]>> {
    match same(needle.data()) {
        Some(units) => Some(Cow::Borrowed(units)),
        None => needle.code_points().map(U::from_code).collect::<Option<Vec<U>>>().map(Cow::Owned),
    }
}

pub(crate) fn as_u16(data: Data<'_>) -> Option<&[u16]> {
    match data {
        Data::Ucs2(d) => Some(d),
        _ => None,
    }
}
pub(crate) fn as_u32(data: Data<'_>) -> Option<&[u32]> {
    match data {
        Data::Ucs4(d) => Some(d),
        _ => None,
    }
}

/// Evaluates an expression for haystack and needle in the haystack's width; `$absent` if the needle cannot occur.
macro_rules! with_both {
    ($haystack:expr, $needle:expr, |$h:ident, $n:ident| $body:expr, $absent:expr) => {{
        use $crate::builtins::str::{Data, search};
        if $needle.kind() > $haystack.kind() || $needle.max_code() > $haystack.max_code() {
            $absent
        } else {
            match $haystack.data() {
                Data::Ascii($h) | Data::Latin1($h) => {
                    // No wider than the haystack.
                    let $n: &[u8] = $needle.raw_bytes();
                    $body
                }
                Data::Ucs2($h) => match search::narrowed(&$needle, search::as_u16) {
                    Some($n) => {
                        let $n: &[u16] = &$n;
                        $body
                    }
                    None => $absent,
                },
                Data::Ucs4($h) => match search::narrowed(&$needle, search::as_u32) {
                    Some($n) => {
                        let $n: &[u32] = &$n;
                        $body
                    }
                    None => $absent,
                },
            }
        }
    }};
}
pub(crate) use with_both;

pub(crate) fn narrowed<'a, U: Unit>(
    needle: &'a Str,
    same: impl Fn(Data<'a>) -> Option<&'a [U]>,
) -> Option<Cow<'a, [U]>> {
    widened(needle, same)
}

/// Whether `needle` occurs in `haystack`.
pub fn contains(haystack: &Str, needle: &Str) -> bool {
    with_both!(haystack, needle, |h, n| find(h, n).is_some(), false)
}

/// The optional arguments `start` and `end` of a search, after its first, fitted to a length (`ADJUST_INDICES`); `start` may be beyond `end`.
#[inline]
pub(crate) fn bounds(vm: &Vm, args: &[Value], length: usize) -> Result<(usize, usize)> {
    match (optional(args, 1), optional(args, 2)) {
        (None, None) => Ok((0, length)),
        (start, end) => fitted(vm, start, end, length),
    }
}

#[inline(never)]
fn fitted(vm: &Vm, start: Option<&Value>, end: Option<&Value>, length: usize) -> Result<(usize, usize)> {
    let none = Value::NONE;
    let start = start.unwrap_or(&none);
    let end = end.unwrap_or(&none);
    let (start, end) = slice::simple_indices(vm, start, end)?;
    let length = length as i64;
    let fit = |index: i64| if index < 0 { index.saturating_add(length).max(0) } else { index };
    Ok((fit(start) as usize, fit(end).min(length) as usize))
}

/// The argument of a search method, a str.
fn needle<'a>(vm: &Vm, name: &str, value: &'a Value) -> Result<&'a Str> {
    vm.expect_str_argument(value, |got| format!("{name}() argument 1 must be str, not {got}"))
}

fn search(vm: &Vm, name: &str, this: &Value, args: &[Value], from_end: bool) -> Result<Option<usize>> {
    let needle = needle(vm, name, &args[0])?;
    let Some(text) = this.downcast::<Str>() else { return Ok(None) };
    let (start, end) = bounds(vm, args, text.len())?;
    if start > end || end - start < needle.len() {
        return Ok(None);
    }
    let found = with_both!(
        text,
        needle,
        |h, n| if from_end { rfind(&h[start..end], n) } else { find(&h[start..end], n) },
        None
    );
    Ok(found.map(|at| start + at))
}

pub(super) fn find_method(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let found = search(vm, "find", this, args, false)?;
    Ok(found.map_or(Value::small_int(-1), Value::from))
}

pub(super) fn rfind_method(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let found = search(vm, "rfind", this, args, true)?;
    Ok(found.map_or(Value::small_int(-1), Value::from))
}

pub(super) fn index_method(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    match search(vm, "index", this, args, false)? {
        Some(at) => Ok(Value::from(at)),
        None => Err(vm.value_error("substring not found")),
    }
}

pub(super) fn rindex_method(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    match search(vm, "rindex", this, args, true)? {
        Some(at) => Ok(Value::from(at)),
        None => Err(vm.value_error("substring not found")),
    }
}

pub(super) fn count_method(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let needle = needle(vm, "count", &args[0])?;
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::small_int(0)) };
    let (start, end) = bounds(vm, args, text.len())?;
    if start > end || end - start < needle.len() {
        return Ok(Value::small_int(0));
    }
    if needle.len() == 0 {
        return Ok(Value::from(end - start + 1));
    }
    Ok(Value::from(with_both!(text, needle, |h, n| count(&h[start..end], n), 0)))
}

/// Whether `part` stands at the start or the end of `text[start..end]`.
fn matches_at(text: &Str, part: &Str, start: usize, end: usize, at_end: bool) -> bool {
    if start > end || end - start < part.len() {
        return false;
    }
    let at = if at_end { end - part.len() } else { start };
    if text.kind() == part.kind() {
        let width = text.kind() as usize;
        return text.raw_bytes()[at * width..(at + part.len()) * width] == *part.raw_bytes();
    }
    with_both!(text, part, |h, n| &h[at..at + n.len()] == n, false)
}

fn affix(vm: &Vm, name: &str, this: &Value, args: &[Value], at_end: bool) -> Result {
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::FALSE) };
    let (start, end) = bounds(vm, args, text.len())?;
    if let Some(part) = args[0].downcast::<Str>() {
        return Ok(Value::bool(matches_at(text, part, start, end, at_end)));
    }
    let Some(parts) = args[0].downcast::<crate::builtins::tuple::Tuple>() else {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("{name} first arg must be str or a tuple of str, not {got}")));
    };
    for part in parts.as_slice() {
        let part = vm.expect_str(part, |got| format!("tuple for {name} must only contain str, not {got}"))?;
        if matches_at(text, part, start, end, at_end) {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

pub(super) fn startswith(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    affix(vm, "startswith", this, args, false)
}

pub(super) fn endswith(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    affix(vm, "endswith", this, args, true)
}

pub(super) fn removeprefix(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let part = vm.expect_str_argument(&args[0], |got| format!("removeprefix() argument must be str, not {got}"))?;
    match this.downcast::<Str>() {
        Some(text) if matches_at(text, part, 0, text.len(), false) => {
            Ok(text.slice(part.len(), text.len()).into_value())
        }
        _ => Ok(super::write::to_exact(this)),
    }
}

pub(super) fn removesuffix(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let part = vm.expect_str_argument(&args[0], |got| format!("removesuffix() argument must be str, not {got}"))?;
    match this.downcast::<Str>() {
        Some(text) if matches_at(text, part, 0, text.len(), true) => {
            Ok(text.slice(0, text.len() - part.len()).into_value())
        }
        _ => Ok(super::write::to_exact(this)),
    }
}
