//! Conversion of arguments to what system calls take: C integers, descriptors, file names, times.

use std::ffi::CString;

use taipan_object::buffer::BytesLike;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::{RUNTIME_WARNING, WARNING};
use taipan_object::native::arguments::check_positional;
use taipan_object::text::codecs::Codec;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::vm::hooks::blocking;
use taipan_object::vm::names;
use taipan_object::{Raised, Result, Value, Vm, codecs};

/// An argument for a C `int`.
pub fn c_int(vm: &Vm, value: &Value) -> Result<i32> {
    let index = vm.index(value)?;
    match int::to_i64(&index).map(i32::try_from) {
        Some(Ok(n)) => Ok(n),
        _ => Err(vm.overflow_error("Python int too large to convert to C int")),
    }
}

/// An argument for a C `unsigned int`.
pub fn c_uint(vm: &Vm, value: &Value) -> Result<u32> {
    let index = vm.index(value)?;
    if int::is_negative(&index) {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    match int::to_i64(&index).map(u32::try_from) {
        Some(Ok(n)) => Ok(n),
        _ => Err(vm.overflow_error("Python int too large to convert to C unsigned int")),
    }
}

/// An argument for a C `long`, `long long` or `off_t`.
pub fn c_long(vm: &Vm, value: &Value) -> Result<i64> {
    let index = vm.index(value)?;
    int::to_i64(&index).ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))
}

/// An argument for a `Py_ssize_t`.
pub fn ssize(vm: &Vm, value: &Value) -> Result<isize> {
    let index = vm.index(value)?;
    match int::to_i64(&index) {
        Some(n) => Ok(n as isize),
        None => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
    }
}

/// An argument for a C `unsigned long`, taken modulo 2^64.
pub fn c_ulong_mask(vm: &Vm, value: &Value) -> Result<u64> {
    let index = vm.index(value)?;
    match int::to_i64(&index) {
        Some(n) => Ok(n as u64),
        None => {
            let big = int::to_ibig(&index).unwrap_or_default();
            let modulus = dashu_int::IBig::from(1) << 64;
            let rest = ((big % &modulus) + &modulus) % modulus;
            Ok(u64::try_from(rest).unwrap_or(0))
        }
    }
}

/// The descriptor of an argument that is an int or has `fileno()`.
pub fn fildes(vm: &Vm, value: &Value) -> Result<i32> {
    let number = if int::is_int(value) {
        if value.is_bool() {
            vm.warn(&RUNTIME_WARNING.value(), "bool is used as a file descriptor", 1)?;
        }
        value.clone()
    } else {
        let Some(method) = vm.get_attr_str_opt(value, "fileno")? else {
            return Err(vm.type_error("argument must be an int, or have a fileno() method."));
        };
        let number = vm.call_args(&method, &[])?;
        if !int::is_int(&number) {
            return Err(vm.type_error("fileno() returned a non-integer"));
        }
        number
    };
    let fd = c_int(vm, &number)?;
    if fd < 0 {
        return Err(vm.value_error(format!("file descriptor cannot be a negative integer ({fd})")));
    }
    Ok(fd)
}

/// `os.fspath(value)`.
pub fn fspath(vm: &Vm, value: &Value) -> Result {
    if value.downcast::<Str>().is_some() || bytes::is_bytes(value) {
        return Ok(value.clone());
    }
    match call_fspath(vm, value) {
        Some(path) => {
            let path = path?;
            if path.downcast::<Str>().is_some() || bytes::is_bytes(&path) {
                return Ok(path);
            }
            let (owner, got) = (value.ty().name(), path.ty().name());
            Err(vm.type_error(format!("expected {owner}.__fspath__() to return str or bytes, not {got}")))
        }
        None => {
            let got = value.ty().name();
            Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {got}")))
        }
    }
}

/// `value.__fspath__()`; `None` if its class has no such method, or says `None`.
pub fn call_fspath(vm: &Vm, value: &Value) -> Option<Result> {
    let method = taipan_object::types::lookup::find(value.ty(), &names().__fspath__)?;
    if method.is_none() { None } else { vm.call_special(value, &names().__fspath__, &[]) }
}

/// The bytes of a str or bytes object, for the system.
pub fn fs_bytes(vm: &Vm, value: &Value) -> Result<Vec<u8>> {
    if let Some(data) = value.downcast::<Bytes>() {
        return vm.buffer_of(data.as_slice());
    }
    match value.downcast::<Str>() {
        Some(text) => match text.as_ascii() {
            Some(ascii) => vm.buffer_of(ascii.as_bytes()),
            None => codecs::encode_native(vm, Codec::Utf8, value, Some("surrogateescape")),
        },
        None => {
            let got = value.ty().name();
            Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {got}")))
        }
    }
}

/// A str, bytes or path object as a C string (`PyUnicode_FSConverter`).
pub fn fs_converter(vm: &Vm, value: &Value) -> Result<CString> {
    let path = fspath(vm, value)?;
    let bytes = fs_bytes(vm, &path)?;
    CString::new(bytes).map_err(|_| vm.value_error("embedded null byte"))
}

/// A str without NUL as a C string; `what` names the argument in messages, e.g. `crypt() argument 1`.
pub fn c_string(vm: &Vm, value: &Value, what: &str) -> Result<CString> {
    if value.downcast::<Str>().is_none() {
        return Err(vm.type_error(format!("{what} must be str, not {}", value.ty().name())));
    }
    CString::new(codecs::to_utf8(vm, value)?).map_err(|_| vm.value_error("embedded null character"))
}

/// The calling thread's `errno`.
pub fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Runs a system call, which returns a negative number on failure, without the GIL, and again whenever a signal
/// interrupts it; the inner error is the `errno`.
pub fn retry<T: Into<i64>>(vm: &Vm, mut call: impl FnMut() -> T) -> Result<std::result::Result<i64, i32>> {
    loop {
        let (result, error) = blocking(|| {
            let result = call().into();
            (result, if result < 0 { errno() } else { 0 })
        });
        if result >= 0 {
            return Ok(Ok(result));
        }
        if error != libc::EINTR {
            return Ok(Err(error));
        }
        vm.check_signals()?;
    }
}

/// As [`retry`]; failure is an `OSError`.
pub fn retry_or_raise<T: Into<i64>>(vm: &Vm, call: impl FnMut() -> T) -> Result<i64> {
    match retry(vm, call)? {
        Ok(result) => Ok(result),
        Err(errno) => Err(vm.os_error(errno, None, None)),
    }
}

/// The result of a system call that does not block; failure is an `OSError`.
pub fn check<T: Into<i64>>(vm: &Vm, result: T) -> Result<i64> {
    let result = result.into();
    if result < 0 { Err(vm.last_os_error(None)) } else { Ok(result) }
}

/// The bytes of a str (as UTF-8) or bytes-like argument (the `s*` of `PyArg_Parse`); `None` for anything else.
pub fn string_or_buffer<'a>(vm: &Vm, value: &'a Value) -> Result<Option<StringOrBuffer<'a>>> {
    if value.downcast::<Str>().is_some() {
        return Ok(Some(StringOrBuffer::Text(codecs::to_utf8(vm, value)?)));
    }
    if !vm.has_buffer(value) {
        return Ok(None);
    }
    Ok(Some(StringOrBuffer::Buffer(vm.bytes_like(value)?)))
}

/// What [`string_or_buffer`] finds.
pub enum StringOrBuffer<'a> {
    Text(String),
    Buffer(BytesLike<'a>),
}

impl std::ops::Deref for StringOrBuffer<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            StringOrBuffer::Text(text) => text.as_bytes(),
            StringOrBuffer::Buffer(buffer) => buffer,
        }
    }
}

/// `name() argument … must be expected, not type` (`_PyArg_BadArgument`).
#[cold]
pub fn bad_argument(vm: &Vm, function: &str, argument: &str, expected: &str, value: &Value) -> Raised {
    let got = if value.is_none() { "None".to_string() } else { value.ty().name() };
    vm.type_error(format!("{function}() {argument} must be {expected}, not {got}"))
}

/// The arguments of a constructor that takes between `min` and `max` positional ones. Keyword arguments are refused
/// unless they may be meant for the `__init__` of a subclass.
pub fn constructor_arguments<'a>(
    vm: &Vm,
    class: &Type,
    spec: &'static TypeSpec,
    (min, max): (usize, usize),
    args: &'a [Value],
    kwnames: Option<&Value>,
) -> Result<&'a [Value]> {
    let name = || spec.ty().short_name();
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    if keywords > 0
        && (class.is(spec) || class.slots().init.map(|f| f as usize) == spec.ty().slots().init.map(|f| f as usize))
    {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", name())));
    }
    let args = &args[..args.len() - keywords];
    if args.len() < min || args.len() > max {
        check_positional(vm, &name(), args.len(), min, max)?;
    }
    Ok(args)
}

/// Warns that an object was not closed (`ResourceWarning`), from its finaliser: `what` is what it is, `kind` what its
/// finaliser finalises.
pub fn unclosed_warning(vm: &Vm, what: &str, object: &Value, kind: &str) {
    let warned = vm.repr_string(object).and_then(|shown| vm.warn_resource(object, &format!("unclosed {what}{shown}")));
    if let Err(raised) = warned {
        // What the filters turned into an error cannot go anywhere; all else is for want of the machinery.
        if vm.pending_matches(&raised, WARNING.ty()) {
            vm.write_unraisable(raised, &format!("Exception ignored while finalizing {kind}"), object);
        } else {
            vm.discard(raised);
        }
    }
}

/// The name of a value's type with its module, unless that is `builtins` (`%T`).
#[cold]
pub fn fully_qualified_name(vm: &Vm, value: &Value) -> String {
    let ty = value.ty();
    if !ty.is_heap_type() {
        return ty.name();
    }
    let class = ty.to_value();
    let attribute = |name| {
        let text = vm.preserving_exception(|vm| match vm.get_attr_str_opt(&class, name) {
            Ok(text) => text,
            Err(raised) => {
                vm.discard(raised);
                None
            }
        });
        text.and_then(|text| text.downcast::<Str>().map(Str::to_string_lossy))
    };
    let qualname = attribute("__qualname__").unwrap_or_else(|| ty.name());
    match attribute("__module__") {
        Some(module) if module != "builtins" && module != "__main__" => format!("{module}.{qualname}"),
        _ => qualname,
    }
}
