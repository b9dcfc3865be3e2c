//! `_locale`: the C library's locale. Programs import `locale` instead.
//!
//! `text.rs` converts between str and the locale's strings, `constants.rs` has the items of `nl_langinfo`,
//! `messages.rs` the gettext functions.

mod constants;
mod messages;
mod text;

use crate::arguments::{bad_argument, c_int};
use crate::exception_type;
use std::sync::OnceLock;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::types::Type;
use taipan_object::vm::Raised;
use taipan_object::{Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_locale",
    doc: "The C library's locales, for the locale module.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        libc_constants!(module; LC_CTYPE LC_TIME LC_COLLATE LC_MONETARY LC_MESSAGES LC_NUMERIC LC_ALL);
        module.set("CHAR_MAX", Value::from(libc::c_char::MAX as i64));
        for (name, item, _) in constants::ITEMS {
            module.set(name, Value::from(*item));
        }
        module.add_functions(messages::FUNCTIONS);
        module.set("Error", error_class(vm)?);
        Ok(())
    },
};

/// `locale.Error`
fn error_class(vm: &Vm) -> Result {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class.clone());
    }
    let class = exception_type::new(vm, "locale", "Error", vec![taipan_object::exceptions::EXCEPTION.value()], None)?;
    Ok(CLASS.get_or_init(|| class).clone())
}

/// Raises `locale.Error`.
#[cold]
fn error(vm: &Vm, message: &str) -> Raised {
    match error_class(vm) {
        Ok(class) => match class.downcast::<Type>() {
            Some(class) => vm.raise_args(class, vec![Value::from(message)]),
            None => vm.value_error(message),
        },
        Err(raised) => raised,
    }
}

fn setlocale(vm: &Vm, args: &[Value]) -> Result {
    let category = c_int(vm, &args[0])?;
    let locale = match args[1].given() {
        None => None,
        Some(locale) if locale.downcast::<Str>().is_some() => Some(text::c_string(vm, locale)?),
        Some(locale) => return Err(bad_argument(vm, "setlocale", "argument 2", "str or None", locale)),
    };
    // SAFETY: a null pointer or a C string; the GIL is held, under which alone the locale is changed and read.
    let current =
        unsafe { libc::setlocale(category, locale.as_ref().map_or(std::ptr::null(), |locale| locale.as_ptr())) };
    if current.is_null() {
        let message = if locale.is_some() { "unsupported locale setting" } else { "locale query failed" };
        return Err(error(vm, message));
    }
    // SAFETY: the call returned a C string.
    let name = unsafe { std::ffi::CStr::from_ptr(current) }.to_bytes().to_vec();
    text::decode(vm, &name)
}

/// The groups of digits, of which the last is repeated.
fn grouping(bytes: &[u8]) -> Value {
    let end = bytes.iter().position(|&size| size == libc::c_char::MAX as u8);
    let mut sizes: Vec<Value> =
        bytes[..end.map_or(bytes.len(), |at| at + 1)].iter().map(|&n| Value::from(n as i64)).collect();
    if end.is_none() && !sizes.is_empty() {
        sizes.push(Value::from(0));
    }
    List::from_vec(sizes).into_value()
}

fn localeconv(vm: &Vm) -> Result {
    // SAFETY: the call returns a valid struct whose strings are copied at once, under the GIL.
    let (conventions, strings, groups) = unsafe {
        let conventions = &*libc::localeconv();
        let copy = |text: *const libc::c_char| std::ffi::CStr::from_ptr(text).to_bytes().to_vec();
        let strings = [
            ("int_curr_symbol", libc::LC_MONETARY, copy(conventions.int_curr_symbol)),
            ("currency_symbol", libc::LC_MONETARY, copy(conventions.currency_symbol)),
            ("mon_decimal_point", libc::LC_MONETARY, copy(conventions.mon_decimal_point)),
            ("mon_thousands_sep", libc::LC_MONETARY, copy(conventions.mon_thousands_sep)),
            ("positive_sign", libc::LC_MONETARY, copy(conventions.positive_sign)),
            ("negative_sign", libc::LC_MONETARY, copy(conventions.negative_sign)),
            ("decimal_point", libc::LC_NUMERIC, copy(conventions.decimal_point)),
            ("thousands_sep", libc::LC_NUMERIC, copy(conventions.thousands_sep)),
        ];
        (conventions, strings, (copy(conventions.mon_grouping), copy(conventions.grouping)))
    };
    let numbers = [
        ("int_frac_digits", conventions.int_frac_digits),
        ("frac_digits", conventions.frac_digits),
        ("p_cs_precedes", conventions.p_cs_precedes),
        ("p_sep_by_space", conventions.p_sep_by_space),
        ("n_cs_precedes", conventions.n_cs_precedes),
        ("n_sep_by_space", conventions.n_sep_by_space),
        ("p_sign_posn", conventions.p_sign_posn),
        ("n_sign_posn", conventions.n_sign_posn),
    ]
    .map(|(name, number)| (name, number as i64));
    let result = Dict::new();
    let set = |name: &str, value: Value| result.set_str(taipan_object::builtins::str::intern(name).as_value(), value);
    let (monetary, numeric) = strings.split_at(6);
    for (name, category, bytes) in &monetary[..4] {
        set(name, text::decode_in(vm, *category, bytes)?);
    }
    set("mon_grouping", grouping(&groups.0));
    for (name, category, bytes) in &monetary[4..] {
        set(name, text::decode_in(vm, *category, bytes)?);
    }
    for (name, number) in numbers {
        set(name, Value::from(number));
    }
    for (name, category, bytes) in numeric {
        set(name, text::decode_in(vm, *category, bytes)?);
    }
    set("grouping", grouping(&groups.1));
    Ok(result.into_value())
}

unsafe extern "C" {
    fn wcscoll(left: *const libc::wchar_t, right: *const libc::wchar_t) -> libc::c_int;
    fn wcsxfrm(target: *mut libc::wchar_t, source: *const libc::wchar_t, size: usize) -> usize;
}

fn strxfrm(vm: &Vm, string: &Value) -> Result {
    let Some(text) = string.downcast::<Str>() else {
        return Err(bad_argument(vm, "strxfrm", "argument", "str", string));
    };
    // Wide characters, those of the result, and its code points.
    vm.check_room(text.len().saturating_mul(12))?;
    let source = text::wide(vm, string)?;
    let mut size = source.len();
    loop {
        let mut target: Vec<libc::wchar_t> = Vec::new();
        if target.try_reserve_exact(size).is_err() {
            return Err(vm.memory_error());
        }
        target.resize(size, 0);
        // SAFETY: `errno` is this thread's; the source is terminated, the target has room for `size` characters.
        let (needed, error) = unsafe {
            *libc::__errno_location() = 0;
            let needed = wcsxfrm(target.as_mut_ptr(), source.as_ptr(), size);
            (needed, *libc::__errno_location())
        };
        if error != 0 && error != libc::ERANGE {
            return Err(vm.os_error(error, None, None));
        }
        if needed < size {
            let points: Vec<u32> = target[..needed].iter().map(|&point| point as u32).collect();
            if let Some(point) = points.iter().find(|point| **point > 0x10ffff) {
                return Err(vm.value_error(format!("character U+{point:x} is not in range [U+0000; U+10ffff]")));
            }
            return Ok(Str::from_code_points(&points).into_value());
        }
        size = needed.saturating_add(1);
    }
}

fn nl_langinfo(vm: &Vm, key: &Value) -> Result {
    let key = c_int(vm, key)?;
    let Some((_, item, category)) = constants::ITEMS.iter().find(|(_, item, _)| *item == key as i64) else {
        return Err(vm.value_error("unsupported langinfo constant"));
    };
    // SAFETY: the call returns a C string for every item, which is copied at once under the GIL.
    let bytes = unsafe {
        let start = libc::nl_langinfo(*item as libc::nl_item);
        if start.is_null() {
            Vec::new()
        } else if *item == constants::ALT_DIGITS && *start != 0 {
            // A hundred strings, one after the other.
            let mut all = Vec::new();
            let mut at = start;
            for number in 0..100 {
                let one = std::ffi::CStr::from_ptr(at).to_bytes();
                if number > 0 {
                    all.push(b';');
                }
                all.extend_from_slice(one);
                at = at.add(one.len() + 1);
            }
            all
        } else {
            std::ffi::CStr::from_ptr(start).to_bytes().to_vec()
        }
    };
    text::decode_in(vm, *category, &bytes)
}

/// The encoding of the locale.
pub fn encoding() -> String {
    // SAFETY: the call returns a C string, copied at once under the GIL.
    let name = unsafe { std::ffi::CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) };
    match name.to_string_lossy().into_owned() {
        name if name.is_empty() => "UTF-8".to_string(),
        name => name,
    }
}

method_table! { static FUNCTIONS = [
    MethodDef::new("setlocale($module, category, locale=None, /)", "\
        Set the locale of a category, or return it if none is given.", |vm, _, args| setlocale(vm, args)),
    MethodDef::new("localeconv($module, /)", "\
        Return a dictionary that says how numbers and money are written.", |vm, _, _| localeconv(vm)),
    MethodDef::new("strcoll($module, os1, os2, /)", "\
        Compare strings in the locale's order: negative, zero or positive.", |vm, _, args| {
        for (at, string) in args.iter().enumerate() {
            if string.downcast::<Str>().is_none() {
                return Err(bad_argument(vm, "strcoll", &format!("argument {}", at + 1), "str", string));
            }
        }
        let (left, right) = (text::wide(vm, &args[0])?, text::wide(vm, &args[1])?);
        // SAFETY: both are terminated.
        Ok(Value::from(unsafe { wcscoll(left.as_ptr(), right.as_ptr()) }))
    }),
    MethodDef::new("strxfrm($module, string, /)", "Return a string whose plain order is the locale's order of the \
        original.", |vm, _, args| strxfrm(vm, &args[0])),
    MethodDef::new("nl_langinfo($module, key, /)", "\
        Return the piece of locale information that a constant stands for.", |vm, _, args| nl_langinfo(vm, &args[0])),
    MethodDef::new("getencoding($module, /)", "\
        Return the name of the locale's encoding.", |_, _, _| Ok(Value::from(encoding()))),
]; }
