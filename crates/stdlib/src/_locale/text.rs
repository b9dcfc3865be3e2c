//! Conversion between str and the strings of the C library in the current locale.

use std::ffi::{CStr, CString};
use taipan_object::builtins::str::Str;
use taipan_object::text::codecs::Codec;
use taipan_object::{Result, Value, Vm, codecs};

unsafe extern "C" {
    fn mbrtowc(target: *mut libc::wchar_t, source: *const libc::c_char, size: usize, state: *mut MbState) -> usize;
}

/// `mbstate_t`, which is smaller than this in every C library.
#[repr(C, align(8))]
#[derive(Default)]
struct MbState([u64; 16]);

/// A str as UTF-8 without NUL.
pub fn c_string(vm: &Vm, value: &Value) -> Result<CString> {
    CString::new(codecs::to_utf8(vm, value)?).map_err(|_| vm.value_error("embedded null character"))
}

/// A str as wide characters, terminated.
pub fn wide(vm: &Vm, value: &Value) -> Result<Vec<libc::wchar_t>> {
    let points = value.downcast::<Str>().map(Str::to_code_points).unwrap_or_default();
    if points.contains(&0) {
        return Err(vm.value_error("embedded null character"));
    }
    Ok(points.iter().map(|&point| point as libc::wchar_t).chain([0]).collect())
}

/// Decodes a string of the locale for characters; bytes that it does not have become lone surrogates.
pub fn decode(vm: &Vm, bytes: &[u8]) -> Result {
    if bytes.is_ascii() {
        return Ok(Str::from_ascii(bytes).into_value());
    }
    if matches!(super::encoding().as_str(), "UTF-8" | "utf-8" | "utf8" | "UTF8") {
        return codecs::decode_native(vm, Codec::Utf8, bytes, 0, Some("surrogateescape"), true)
            .map(|(text, _)| text.into_value());
    }
    let mut points = Vec::with_capacity(bytes.len());
    let mut state = MbState::default();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let mut character: libc::wchar_t = 0;
        // SAFETY: the source has so many bytes; target and state are ours.
        let used = unsafe { mbrtowc(&mut character, rest.as_ptr().cast(), rest.len(), &mut state) };
        if (1..=rest.len()).contains(&used) {
            points.push(character as u32);
            rest = &rest[used..];
        } else {
            points.push(0xdc00 + first as u32);
            state = MbState::default();
            rest = &rest[1..];
        }
    }
    Ok(Str::from_code_points(&points).into_value())
}

/// As [`decode`], for a string of another category's locale.
pub fn decode_in(vm: &Vm, category: i32, bytes: &[u8]) -> Result {
    if bytes.is_ascii() {
        return Ok(Str::from_ascii(bytes).into_value());
    }
    // SAFETY: under the GIL, the locale is changed and put back; names are copied before the next call.
    unsafe {
        let name = |category| {
            let name = libc::setlocale(category, std::ptr::null());
            if name.is_null() { CString::default() } else { CStr::from_ptr(name).to_owned() }
        };
        let (wanted, current) = (name(category), name(libc::LC_CTYPE));
        if wanted == current {
            return decode(vm, bytes);
        }
        libc::setlocale(libc::LC_CTYPE, wanted.as_ptr());
        let text = decode(vm, bytes);
        libc::setlocale(libc::LC_CTYPE, current.as_ptr());
        text
    }
}
