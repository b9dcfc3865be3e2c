//! The numeric part of the C library's locale, for the format type `n`.

use crate::text::format_spec::{C_LOCALE, FormatSpec, Grouping, NumberLocale};
use std::ffi::{CStr, c_char};

/// An owned [`NumberLocale`].
pub struct NumberText(Option<(String, String, Vec<u8>)>);

impl NumberText {
    /// What the specification needs: the locale for type `n`, the C locale otherwise.
    pub fn for_spec(spec: &FormatSpec) -> NumberText {
        if spec.grouping == Grouping::Locale { NumberText(Some(current())) } else { NumberText(None) }
    }

    /// The current locale.
    pub fn current() -> NumberText {
        NumberText(Some(current()))
    }

    pub fn borrow(&self) -> NumberLocale<'_> {
        match &self.0 {
            Some((decimal_point, thousands_sep, grouping)) => NumberLocale { decimal_point, thousands_sep, grouping },
            None => C_LOCALE,
        }
    }
}

fn current() -> (String, String, Vec<u8>) {
    // SAFETY: `localeconv` returns a valid struct of NUL-terminated strings; they are copied at once, with the GIL held,
    // under which alone the locale is changed.
    unsafe {
        let conventions = &*libc::localeconv();
        let bytes = |text: *const c_char| CStr::from_ptr(text).to_bytes().to_vec();
        let text = |text: *const c_char| String::from_utf8_lossy(&bytes(text)).into_owned();
        (text(conventions.decimal_point), text(conventions.thousands_sep), bytes(conventions.grouping))
    }
}
