//! The C library's message catalogues (`libintl`).

use super::error;
use super::text::{c_string, decode};
use crate::arguments::{bad_argument, c_int, fs_converter};
use std::ffi::{CStr, CString, c_char, c_int as Int};
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm, method_table};

unsafe extern "C" {
    fn gettext(message: *const c_char) -> *mut c_char;
    fn dgettext(domain: *const c_char, message: *const c_char) -> *mut c_char;
    fn dcgettext(domain: *const c_char, message: *const c_char, category: Int) -> *mut c_char;
    fn textdomain(domain: *const c_char) -> *mut c_char;
    fn bindtextdomain(domain: *const c_char, directory: *const c_char) -> *mut c_char;
    fn bind_textdomain_codeset(domain: *const c_char, codeset: *const c_char) -> *mut c_char;
}

fn text(vm: &Vm, function: &str, argument: &str, value: &Value) -> Result<CString> {
    if value.downcast::<Str>().is_none() {
        return Err(bad_argument(vm, function, argument, "str", value));
    }
    c_string(vm, value)
}

fn optional_text(vm: &Vm, function: &str, argument: &str, value: &Value) -> Result<Option<CString>> {
    match value.given() {
        None => Ok(None),
        Some(value) if value.downcast::<Str>().is_some() => c_string(vm, value).map(Some),
        Some(value) => Err(bad_argument(vm, function, argument, "str or None", value)),
    }
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
}

/// The str for an answer of the C library; `None` for a null pointer.
fn answer(vm: &Vm, text: *const c_char) -> Result<Option<Value>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the functions return C strings, which are copied at once.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes().to_vec();
    decode(vm, &bytes).map(Some)
}

method_table! { pub static FUNCTIONS = [
    MethodDef::new("gettext($module, msg, /)", "gettext(msg) -> string\n\n\
        Translate a message with the catalog of the current domain.", |vm, _, args| {
        let message = text(vm, "gettext", "argument", &args[0])?;
        // SAFETY: a C string.
        Ok(answer(vm, unsafe { gettext(message.as_ptr()) })?.unwrap_or(Value::NONE))
    }),
    MethodDef::new("dgettext($module, domain, msg, /)", "dgettext(domain, msg) -> string\n\n\
        Translate a message with the catalog of a domain.", |vm, _, args| {
        let domain = optional_text(vm, "dgettext", "argument 1", &args[0])?;
        let message = text(vm, "dgettext", "argument 2", &args[1])?;
        // SAFETY: C strings, the domain perhaps null.
        Ok(answer(vm, unsafe { dgettext(pointer(&domain), message.as_ptr()) })?.unwrap_or(Value::NONE))
    }),
    MethodDef::new("dcgettext($module, domain, msg, category, /)", "\
        Translate a message with the catalog of a domain and category.", |vm, _, args| {
        let domain = optional_text(vm, "dcgettext", "argument 1", &args[0])?;
        let message = text(vm, "dcgettext", "argument 2", &args[1])?;
        let category = c_int(vm, &args[2])?;
        // SAFETY: as above.
        Ok(answer(vm, unsafe { dcgettext(pointer(&domain), message.as_ptr(), category) })?.unwrap_or(Value::NONE))
    }),
    MethodDef::new("textdomain($module, domain, /)", "\
        Set the domain of gettext(), unless it is None, and return the current one.", |vm, _, args| {
        let domain = optional_text(vm, "textdomain", "argument", &args[0])?;
        // SAFETY: a C string or null.
        match answer(vm, unsafe { textdomain(pointer(&domain)) })? {
            Some(domain) => Ok(domain),
            None => Err(vm.last_os_error(None)),
        }
    }),
    MethodDef::new("bindtextdomain($module, domain, dir, /)", "\
        Set the directory in which a domain's messages are looked for.", |vm, _, args| {
        let domain = text(vm, "bindtextdomain", "argument 1", &args[0])?;
        if domain.is_empty() {
            return Err(error(vm, "domain must be a non-empty string"));
        }
        let directory = args[1].given().map(|directory| fs_converter(vm, directory)).transpose()?;
        // SAFETY: C strings, the directory perhaps null.
        match answer(vm, unsafe { bindtextdomain(domain.as_ptr(), pointer(&directory)) })? {
            Some(directory) => Ok(directory),
            None => Err(vm.last_os_error(None)),
        }
    }),
    MethodDef::new("bind_textdomain_codeset($module, domain, codeset, /)", "\
        Set the encoding in which a domain's messages are returned.", |vm, _, args| {
        let domain = text(vm, "bind_textdomain_codeset", "argument 1", &args[0])?;
        let codeset = optional_text(vm, "bind_textdomain_codeset", "argument 2", &args[1])?;
        // SAFETY: C strings, the codeset perhaps null.
        Ok(answer(vm, unsafe { bind_textdomain_codeset(domain.as_ptr(), pointer(&codeset)) })?.unwrap_or(Value::NONE))
    }),
]; }
