//! The BIO by which OpenSSL reaches a socket. It never blocks, however the socket is set: the connection is locked while
//! OpenSSL works, and another thread may want to write while this one waits for something to read.

use std::os::raw::{c_char, c_int, c_long, c_void};
use std::sync::LazyLock;

use taipan_object::{Result, Vm};
use taipan_openssl as ossl;

use super::super::errors;
use crate::arguments::errno;

struct Method(*mut ossl::BIO_METHOD);

// SAFETY: written once, then only read.
unsafe impl Send for Method {}
// SAFETY: as above.
unsafe impl Sync for Method {}

static METHOD: LazyLock<Method> = LazyLock::new(|| {
    // SAFETY: has no preconditions, but that the method is not null; the functions are for BIOs made by `new`.
    unsafe {
        let method = ossl::BIO_meth_new(ossl::BIO_get_new_index() | ossl::BIO_TYPE_SOURCE_SINK, c"socket".as_ptr());
        if !method.is_null() {
            ossl::BIO_meth_set_read(method, read);
            ossl::BIO_meth_set_write(method, write);
            ossl::BIO_meth_set_ctrl(method, ctrl);
        }
        Method(method)
    }
});

/// A BIO for a descriptor, which stays the socket's.
pub fn new(vm: &Vm, fd: c_int) -> Result<*mut ossl::BIO> {
    if METHOD.0.is_null() {
        return Err(vm.memory_error());
    }
    // SAFETY: a method that lives for ever.
    let bio = unsafe { ossl::BIO_new(METHOD.0) };
    if bio.is_null() {
        return Err(errors::refuse(vm, "failed to allocate BIO"));
    }
    // SAFETY: a live BIO, whose data is the number.
    unsafe {
        ossl::BIO_set_data(bio, fd as usize as *mut c_void);
        ossl::BIO_set_init(bio, 1);
    }
    Ok(bio)
}

fn descriptor(bio: *mut ossl::BIO) -> c_int {
    // SAFETY: called with a live BIO of this kind.
    unsafe { ossl::BIO_get_data(bio) as usize as c_int }
}

/// Sets what is to be known of a transfer's end.
fn finish(bio: *mut ossl::BIO, result: isize, direction: c_int) -> c_int {
    let retry = result < 0 && matches!(errno(), libc::EAGAIN | libc::EINTR);
    // SAFETY: a live BIO.
    unsafe {
        ossl::BIO_clear_flags(bio, ossl::BIO_FLAGS_RWS | ossl::BIO_FLAGS_SHOULD_RETRY);
        if retry {
            ossl::BIO_set_flags(bio, direction | ossl::BIO_FLAGS_SHOULD_RETRY);
        }
    }
    result as c_int
}

extern "C" fn read(bio: *mut ossl::BIO, room: *mut c_char, size: c_int) -> c_int {
    // SAFETY: room for so many bytes.
    let got = unsafe { libc::recv(descriptor(bio), room.cast(), size as usize, libc::MSG_DONTWAIT) };
    if got == 0 && size > 0 {
        // SAFETY: a live BIO.
        unsafe { ossl::BIO_set_flags(bio, ossl::BIO_FLAGS_IN_EOF) };
    }
    finish(bio, got, ossl::BIO_FLAGS_READ)
}

extern "C" fn write(bio: *mut ossl::BIO, data: *const c_char, size: c_int) -> c_int {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: so many bytes.
    let sent = unsafe { libc::send(descriptor(bio), data.cast(), size as usize, flags) };
    finish(bio, sent, ossl::BIO_FLAGS_WRITE)
}

extern "C" fn ctrl(bio: *mut ossl::BIO, command: c_int, _: c_long, _: *mut c_void) -> c_long {
    match command {
        ossl::BIO_CTRL_FLUSH | ossl::BIO_CTRL_DUP => 1,
        // SAFETY: a live BIO.
        ossl::BIO_CTRL_EOF => c_long::from(unsafe { ossl::BIO_test_flags(bio, ossl::BIO_FLAGS_IN_EOF) != 0 }),
        _ => 0,
    }
}
