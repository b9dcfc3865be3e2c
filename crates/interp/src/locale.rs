//! The locale that the process runs in, decided before the interpreter starts: coercion of the C locale (PEP 538) and
//! the UTF-8 mode (PEP 540).

use crate::config::Config;
use std::ffi::{CStr, CString};

/// Locales that the C locale gives way to.
const TARGETS: [&CStr; 3] = [c"C.UTF-8", c"C.utf8", c"UTF-8"];

/// Takes over the user's locale for characters and settles the UTF-8 mode. To be called before other threads run.
pub fn prepare(config: &mut Config) {
    let environment = |name: &str| if config.ignore_environment { None } else { std::env::var(name).ok() };
    let coercion = environment("PYTHONCOERCECLOCALE");
    let warn = coercion.as_deref() == Some("warn");
    set_from_environment();
    let plain = matches!(current().to_bytes(), b"C" | b"POSIX");
    config.utf8_mode = Some(config.utf8_mode.unwrap_or(plain));
    if plain && coercion.as_deref() != Some("0") && current().to_bytes() == b"C" {
        coerce(warn);
    }
    if warn && current().to_bytes() == b"C" {
        eprintln!(
            "Python runtime initialized with LC_CTYPE=C (a locale with default ASCII encoding), which may cause Unicode \
             compatibility problems. Using C.UTF-8, C.utf8, or UTF-8 (if available) as alternative Unicode-compatible \
             locales is recommended."
        );
    }
}

fn set_from_environment() {
    // SAFETY: a C string; no other thread runs yet.
    unsafe { libc::setlocale(libc::LC_CTYPE, c"".as_ptr()) };
}

/// The name of the locale for characters.
fn current() -> CString {
    // SAFETY: with a null pointer the call only asks; the answer is copied at once.
    unsafe {
        let name = libc::setlocale(libc::LC_CTYPE, std::ptr::null());
        if name.is_null() { CString::default() } else { CStr::from_ptr(name).to_owned() }
    }
}

/// Replaces the C locale by one with UTF-8, for child processes too, unless `LC_ALL` insists on it.
fn coerce(warn: bool) {
    if std::env::var_os("LC_ALL").is_some_and(|value| !value.is_empty()) {
        return;
    }
    for target in TARGETS {
        // SAFETY: C strings; no other thread runs yet.
        let (set, charset) = unsafe {
            let set = !libc::setlocale(libc::LC_CTYPE, target.as_ptr()).is_null();
            (set, CStr::from_ptr(libc::nl_langinfo(libc::CODESET)).to_bytes().is_empty())
        };
        if !set || charset {
            continue;
        }
        // SAFETY: no other thread runs yet that could read the environment.
        unsafe { libc::setenv(c"LC_CTYPE".as_ptr(), target.as_ptr(), 1) };
        if warn {
            eprintln!(
                "Python detected LC_CTYPE=C: LC_CTYPE coerced to {} (set another locale or PYTHONCOERCECLOCALE=0 to \
                 disable this locale coercion behavior).",
                target.to_string_lossy()
            );
        }
        set_from_environment();
        return;
    }
    set_from_environment();
}

/// Whether the locale for characters is one in which undecodable bytes are to be expected on the standard streams.
pub fn is_lenient() -> bool {
    let name = current();
    matches!(name.to_bytes(), b"C" | b"POSIX") || TARGETS.contains(&name.as_c_str())
}

/// The character set of the locale.
pub fn charset() -> String {
    // SAFETY: the answer is a C string, copied at once.
    unsafe { CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) }.to_string_lossy().into_owned()
}
