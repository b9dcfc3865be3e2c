//! Strings written in place: concatenation, repetition, and `s += t` on a string that nobody else sees.

use super::{Data, STR, Str};
use crate::heap;
use crate::object::{Ref, Result};
use crate::value::Value;
use crate::vm::Vm;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

impl Str {
    /// The largest code point that strings of this one's kind hold.
    #[inline]
    pub fn max_code(&self) -> u32 {
        match self.kind {
            1 if self.ascii.get() => 0x7f,
            1 => 0xff,
            2 => 0xffff,
            _ => 0x10ffff,
        }
    }

    /// An exact string of `length` code points, still undefined, of the kind for `max_code`, which must occur in it (or
    /// be the bound of a kind that does). The caller writes all of it with [`Str::put`] before anyone sees it.
    pub(super) fn undefined(vm: &Vm, length: usize, max_code: u32) -> Result<Ref<Str>> {
        let (kind, ascii) = match max_code {
            0..0x80 => (1, true),
            0x80..0x100 => (1, false),
            0x100..0x10000 => (2, false),
            _ => (4, false),
        };
        Str::try_allocate(STR.ty(), length, kind, ascii).ok_or_else(|| vm.memory_error())
    }

    /// Writes units at `at` of a string in the making, whose kind can hold them.
    pub(super) fn put(&self, at: usize, data: Data) {
        let length = match data {
            Data::Ascii(d) | Data::Latin1(d) => d.len(),
            Data::Ucs2(d) => d.len(),
            Data::Ucs4(d) => d.len(),
        };
        assert!(at + length <= self.len(), "the string has room");
        // SAFETY: checked; nobody else sees the string, so its data may be written.
        unsafe {
            let target = self.data_pointer();
            match (self.kind, data) {
                (1, Data::Ascii(d) | Data::Latin1(d)) => {
                    std::ptr::copy_nonoverlapping(d.as_ptr(), target.add(at), length);
                }
                (2, Data::Ucs2(d)) => std::ptr::copy_nonoverlapping(d.as_ptr(), target.cast::<u16>().add(at), length),
                (2, Data::Ascii(d) | Data::Latin1(d)) => {
                    let target = std::slice::from_raw_parts_mut(target.cast::<u16>().add(at), length);
                    target.iter_mut().zip(d).for_each(|(to, from)| *to = *from as u16);
                }
                (4, Data::Ucs4(d)) => std::ptr::copy_nonoverlapping(d.as_ptr(), target.cast::<u32>().add(at), length),
                (4, Data::Ascii(d) | Data::Latin1(d)) => {
                    let target = std::slice::from_raw_parts_mut(target.cast::<u32>().add(at), length);
                    target.iter_mut().zip(d).for_each(|(to, from)| *to = *from as u32);
                }
                (4, Data::Ucs2(d)) => {
                    let target = std::slice::from_raw_parts_mut(target.cast::<u32>().add(at), length);
                    target.iter_mut().zip(d).for_each(|(to, from)| *to = *from as u32);
                }
                _ => unreachable!("the kind of a string in the making holds what is put into it"),
            }
        }
    }

    /// Writes units at `at` of a string of bytes in the making; the place behind them.
    #[inline(always)]
    pub(super) fn put_bytes(&self, at: usize, bytes: &[u8]) -> usize {
        let end = at + bytes.len();
        assert!(self.kind == 1 && end <= self.len(), "the string has room");
        // SAFETY: as in `put`.
        unsafe {
            let target = self.data_pointer().add(at);
            let source = bytes.as_ptr();
            // In two pieces that overlap: most strings are so short that a call of `memcpy` would take longer.
            match bytes.len() {
                9..=16 => copy_ends::<u64>(source, target, bytes.len()),
                4..=8 => copy_ends::<u32>(source, target, bytes.len()),
                2..=3 => copy_ends::<u16>(source, target, bytes.len()),
                1 => *target = *source,
                0 => {}
                _ => std::ptr::copy_nonoverlapping(source, target, bytes.len()),
            }
        }
        end
    }

    /// Replaces each byte of a one-byte string in the making.
    pub(super) fn map_bytes(&self, map: impl Fn(u8) -> u8) {
        debug_assert_eq!(self.kind, 1);
        // SAFETY: as in `put`.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.data_pointer(), self.len()) };
        bytes.iter_mut().for_each(|byte| *byte = map(*byte));
    }

    /// A finished string in the narrowest kind, which is that of a narrower copy where its maker could not know.
    pub(super) fn canonical(&self) -> Value {
        let needed = match self.data() {
            Data::Ascii(_) => 0,
            Data::Latin1(d) => {
                if d.is_ascii() {
                    0
                } else {
                    0xff
                }
            }
            Data::Ucs2(d) => d.iter().fold(0, |all, unit| all | *unit as u32),
            Data::Ucs4(d) => d.iter().fold(0, |all, unit| all | *unit),
        };
        let narrow = match self.max_code() {
            0x7f => true,
            0xff => needed > 0x7f,
            0xffff => needed > 0xff,
            _ => needed > 0xffff,
        };
        if narrow { crate::object::to_value(self) } else { self.slice(0, self.len()).into_value() }
    }

    /// Writes `count` times `code` at `at` of a string in the making.
    pub(super) fn put_repeated(&self, at: usize, code: u32, count: usize) {
        assert!(at + count <= self.len(), "the string has room");
        // SAFETY: as in `put`.
        unsafe {
            let target = self.data_pointer();
            match self.kind {
                1 => target.add(at).write_bytes(code as u8, count),
                2 => std::slice::from_raw_parts_mut(target.cast::<u16>().add(at), count).fill(code as u16),
                _ => std::slice::from_raw_parts_mut(target.cast::<u32>().add(at), count).fill(code),
            }
        }
    }
}

/// Copies `length` bytes, at least the size of `T` and at most twice that.
///
/// # Safety
/// So many bytes can be read and written, and the two places do not overlap.
#[inline(always)]
unsafe fn copy_ends<T: Copy>(source: *const u8, target: *mut u8, length: usize) {
    let last = length - size_of::<T>();
    // SAFETY: by contract.
    unsafe {
        let (start, end) = (source.cast::<T>().read_unaligned(), source.add(last).cast::<T>().read_unaligned());
        target.cast::<T>().write_unaligned(start);
        target.add(last).cast::<T>().write_unaligned(end);
    }
}

/// The exact str with the text of `value`, a str.
pub fn to_exact(value: &Value) -> Value {
    match value.downcast_exact::<Str>() {
        Some(_) => value.clone(),
        None => value.downcast::<Str>().map_or(Value::NONE, |text| text.slice(0, text.len()).into_value()),
    }
}

/// `left + right`
#[inline]
pub fn concat(vm: &Vm, left: &Value, right: &Value) -> Result {
    let Some(a) = left.downcast::<Str>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let Some(b) = right.downcast::<Str>() else {
        let name = right.ty().name();
        return Err(vm.type_error(format!("can only concatenate str (not \"{name}\") to str")));
    };
    if a.len() == 0 && right.downcast_exact::<Str>().is_some() {
        return Ok(right.clone());
    }
    if b.len() == 0 && left.downcast_exact::<Str>().is_some() {
        return Ok(left.clone());
    }
    if a.len() + b.len() == 1 {
        return Ok(to_exact(if a.len() == 1 { left } else { right }));
    }
    if a.len() + b.len() == 0 {
        return Ok(super::empty());
    }
    let whole = Str::undefined(vm, a.len() + b.len(), a.max_code().max(b.max_code()))?;
    if whole.kind == 1 {
        let at = whole.put_bytes(0, a.raw_bytes());
        whole.put_bytes(at, b.raw_bytes());
        return Ok(whole.into_value());
    }
    whole.put(0, a.data());
    whole.put(a.len(), b.data());
    Ok(whole.into_value())
}

/// `left + right` for a variable to which the result is assigned and that alone refers to `left`: appends where it stands,
/// if there is room, so that `s += t` in a loop is linear. `None` if that cannot be done.
pub fn concat_in_place(vm: &Vm, left: &Value, right: &Value) -> Option<Result> {
    let (a, b) = (left.downcast_exact::<Str>()?, right.downcast_exact::<Str>()?);
    let fits = a.max_code() >= b.max_code().min(0xff) && a.kind >= b.kind && b.len() > 0 && a.len() > 1;
    (fits && left.word() != right.word() && is_unshared(a)).then(|| append(vm, left, a, b))
}

/// Whether the variable's reference is the only one, so that the data may be changed.
fn is_unshared(text: &Str) -> bool {
    crate::count::is_only_reference(&text.header) && !text.is_interned()
}

fn append(vm: &Vm, left: &Value, a: &Str, b: &Str) -> Result {
    let (kind, length) = (a.kind as usize, a.len() + b.len());
    let ascii = a.is_ascii() && b.is_ascii();
    // SAFETY: `a` is an exact str, in its own block.
    let room = unsafe { heap::usable_size(NonNull::from(a).cast()) } - size_of::<Str>();
    let Some(needed) = length.checked_mul(kind) else { return Err(vm.memory_error()) };
    if needed <= room {
        let old = a.len();
        a.length.set(length);
        a.hash.store(-1, Relaxed);
        a.ascii.set(ascii);
        a.put(old, b.data());
        return Ok(left.clone());
    }
    // Room to grow, once the string has shown that it does.
    let spare = if a.len() > 16 { length / 4 } else { 0 };
    let grown = Str::try_allocate(STR.ty(), length + spare, a.kind, ascii).ok_or_else(|| vm.memory_error())?;
    grown.length.set(length);
    grown.put(0, a.data());
    grown.put(a.len(), b.data());
    Ok(grown.into_value())
}

/// `text * count`
pub fn repeat(vm: &Vm, this: &Value, count: i64) -> Result {
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NOT_IMPLEMENTED) };
    if count <= 0 || text.len() == 0 {
        return Ok(super::empty());
    }
    if count == 1 {
        return Ok(to_exact(this));
    }
    let count = count as usize;
    let Some(length) = text.len().checked_mul(count) else { return Err(vm.memory_error()) };
    let whole = Str::undefined(vm, length, text.max_code())?;
    if text.len() == 1 {
        whole.put_repeated(0, text.at(0), count);
        return Ok(whole.into_value());
    }
    let unit = text.raw_bytes();
    // SAFETY: the string in the making has room for `count` copies; each turn doubles what is there.
    unsafe {
        let target = whole.data_pointer();
        let total = unit.len() * count;
        std::ptr::copy_nonoverlapping(unit.as_ptr(), target, unit.len());
        let mut done = unit.len();
        while done < total {
            let more = done.min(total - done);
            std::ptr::copy_nonoverlapping(target, target.add(done), more);
            done += more;
        }
    }
    Ok(whole.into_value())
}
