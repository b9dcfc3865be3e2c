//! The functions that `ctypes` calls by their addresses: they look at memory, and make Python objects.
//!
//! They are called like any foreign function that keeps the GIL: arguments and results are the words of values, and a
//! result of 0 says that an exception is in flight.

use std::ffi::{CStr, c_char, c_int};

use taipan_object::buffer::Buffer;
use taipan_object::builtins::bytes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::memoryview::MemoryView;
use taipan_object::{Result, Value, Vm};

use super::cdata::CData;
use super::codes;
use super::ctype::{self, CType, Kind};

fn word(f: impl FnOnce(&Vm) -> Result) -> u64 {
    Vm::with_current(|vm| match f(vm) {
        Ok(value) => value.into_word(),
        Err(_) => 0,
    })
}

/// Bytes in memory: so many, or (−1) up to a zero.
pub unsafe extern "C" fn string_at(start: *const u8, size: c_int) -> u64 {
    word(|vm| {
        vm.audit("ctypes.string_at", &[Value::from(start as usize), Value::from(size)])?;
        if size == -1 {
            // SAFETY: the program vouches for the string.
            return bytes::from_slice(vm, unsafe { CStr::from_ptr(start.cast::<c_char>()) }.to_bytes());
        }
        let Ok(size) = usize::try_from(size) else {
            return Err(vm.system_error("Negative size passed to PyBytes_FromStringAndSize".to_string()));
        };
        if size == 0 {
            return Ok(bytes::empty());
        }
        // SAFETY: the program vouches for the memory.
        bytes::from_slice(vm, unsafe { std::slice::from_raw_parts(start, size) })
    })
}

/// Wide characters in memory: so many, or (−1) up to a zero.
pub unsafe extern "C" fn wstring_at(start: *const u32, size: c_int) -> u64 {
    word(|vm| {
        vm.audit("ctypes.wstring_at", &[Value::from(start as usize), Value::from(size)])?;
        // SAFETY: the program vouches for the memory.
        let points = unsafe {
            let length = match usize::try_from(size) {
                Ok(length) => length,
                Err(_) if size == -1 => codes::wide_length(start),
                Err(_) => return Err(vm.system_error("Negative size passed to PyUnicode_FromWideChar".to_string())),
            };
            codes::read_wide(start, length)
        };
        codes::wide_string(vm, &points)
    })
}

/// A view of memory.
pub unsafe extern "C" fn memoryview_at(start: *mut u8, size: isize, readonly: c_int) -> u64 {
    word(|vm| {
        vm.audit(
            "ctypes.memoryview_at",
            &[Value::from(start as usize), Value::from(size as i64), Value::from(readonly)],
        )?;
        let Ok(length) = usize::try_from(size) else {
            return Err(vm.value_error(format!("memoryview_at: size is negative (or overflowed): {size}")));
        };
        Ok(MemoryView::from_buffer(Buffer::bytes(&Value::NONE, start, length, readonly != 0, None)))
    })
}

/// A pointer as an instance of another type.
pub unsafe extern "C" fn cast(pointer: usize, source: u64, class: u64) -> u64 {
    // SAFETY: called through a function type whose arguments are Python objects, which the caller keeps alive.
    let (source, class) = unsafe { (Value::borrow_word(&source), Value::borrow_word(&class)) };
    word(|vm| {
        let info = ctype::info_of_class(class);
        let fits = info.is_some_and(|info| match info.kind {
            Kind::Pointer | Kind::Function => true,
            _ => info.code.is_some_and(|code| code.is_pointer()),
        });
        if !fits {
            let message = "cast() argument 2 must be a pointer type";
            return Err(vm.type_error(match class.downcast::<CType>() {
                Some(class) => format!("{message}, not {}", class.class().name()),
                None => message.to_string(),
            }));
        }
        let result = vm.call_args(class, &[])?;
        let own = CData::of(&result);
        if source.downcast::<CData>().is_some() {
            // What is kept for the source is kept for the result, and the source itself.
            let kept = CData::kept_for_cast(source);
            if let Some(kept) = kept.downcast_exact::<Dict>() {
                kept.set(vm, &Value::from(source.id()), source.clone())?;
            }
            own.share_kept(kept);
        }
        own.set_target(pointer as *mut u8);
        Ok(result)
    })
}
