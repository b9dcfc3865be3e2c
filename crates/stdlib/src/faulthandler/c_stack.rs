//! The native stack of the calling thread, for signal handlers.

use std::ffi::{CStr, c_int, c_void};

use super::write;

const MAX_FRAMES: usize = 32;

#[repr(C)]
struct UnwindContext {
    _private: [u8; 0],
}

unsafe extern "C" {
    fn _Unwind_Backtrace(f: extern "C" fn(*mut UnwindContext, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut UnwindContext) -> usize;
}

/// The addresses found.
struct Addresses {
    found: [usize; MAX_FRAMES],
    count: usize,
    is_truncated: bool,
}

extern "C" fn collect(context: *mut UnwindContext, data: *mut c_void) -> c_int {
    const GO_ON: c_int = 0;
    const END: c_int = 5;
    // SAFETY: `dump` passes its `Addresses`, the unwinder its context.
    let (addresses, address) = unsafe { (&mut *data.cast::<Addresses>(), _Unwind_GetIP(context)) };
    if address == 0 {
        return END;
    }
    if addresses.count == MAX_FRAMES {
        addresses.is_truncated = true;
        return END;
    }
    addresses.found[addresses.count] = address;
    addresses.count += 1;
    GO_ON
}

fn write_hexadecimal(fd: i32, number: usize) {
    let mut digits = [0u8; 18];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[rest & 15];
        rest >>= 4;
        if rest == 0 {
            break;
        }
    }
    digits[at - 2..at].copy_from_slice(b"0x");
    write(fd, &digits[at - 2..]);
}

fn write_frame(fd: i32, address: usize) {
    // SAFETY: zeros are a valid value, which the call fills.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: room for the result.
    let known = unsafe { libc::dladdr(address as *const c_void, &mut info) } != 0 && !info.dli_fname.is_null();
    if !known {
        write(fd, b"  <unknown> [");
        write_hexadecimal(fd, address);
        return write(fd, b"]\n");
    }
    write(fd, b"  Binary file \"");
    // SAFETY: C strings of loaded objects.
    write(fd, unsafe { CStr::from_ptr(info.dli_fname) }.to_bytes());
    write(fd, b"\", at ");
    let start = if info.dli_sname.is_null() {
        info.dli_fbase as usize
    } else {
        // SAFETY: as above.
        write(fd, unsafe { CStr::from_ptr(info.dli_sname) }.to_bytes());
        info.dli_saddr as usize
    };
    write(fd, if address >= start { b"+" } else { b"-" });
    write_hexadecimal(fd, address.abs_diff(start));
    write(fd, b" [");
    write_hexadecimal(fd, address);
    write(fd, b"]\n");
}

/// Writes the native stack.
pub fn dump(fd: i32) {
    let mut addresses = Addresses { found: [0; MAX_FRAMES], count: 0, is_truncated: false };
    // SAFETY: the callback gets what it expects.
    unsafe { _Unwind_Backtrace(collect, (&raw mut addresses).cast()) };
    write(fd, b"Current thread's C stack trace (most recent call first):\n");
    for address in &addresses.found[..addresses.count] {
        write_frame(fd, *address);
    }
    if addresses.is_truncated {
        write(fd, b"  <truncated rest of calls>\n");
    }
}
