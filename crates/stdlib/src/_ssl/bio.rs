//! `ssl.MemoryBIO`: a buffer in place of a socket.

use std::os::raw::c_int;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};
use taipan_openssl as ossl;

use super::errors;
use crate::arguments::c_int;
use crate::payload::class_of;

/// An owned BIO.
pub struct Bio(*mut ossl::BIO);

// SAFETY: OpenSSL's objects may be used by any thread, one at a time.
unsafe impl Send for Bio {}
// SAFETY: as above; the GIL orders uses.
unsafe impl Sync for Bio {}

impl Drop for Bio {
    fn drop(&mut self) {
        // SAFETY: owned.
        unsafe { ossl::BIO_free(self.0) };
    }
}

impl Bio {
    /// An empty one in memory.
    pub fn memory(vm: &Vm) -> Result<Bio> {
        // SAFETY: has no preconditions.
        Bio::checked(vm, unsafe { ossl::BIO_new(ossl::BIO_s_mem()) })
    }

    /// One that reads from memory, which has to outlive it.
    pub fn reading<'a>(vm: &Vm, data: &'a [u8]) -> Result<(Bio, std::marker::PhantomData<&'a [u8]>)> {
        let Ok(length) = c_int::try_from(data.len()) else {
            return Err(vm.overflow_error("Certificate data is too long."));
        };
        // SAFETY: readable memory of the given length.
        let raw = unsafe { ossl::BIO_new_mem_buf(data.as_ptr().cast(), length) };
        Ok((Bio::checked(vm, raw)?, std::marker::PhantomData))
    }

    #[track_caller]
    fn checked(vm: &Vm, raw: *mut ossl::BIO) -> Result<Bio> {
        if raw.is_null() { Err(errors::refuse(vm, "failed to allocate BIO")) } else { Ok(Bio(raw)) }
    }

    pub fn from_raw(raw: *mut ossl::BIO) -> Option<Bio> {
        (!raw.is_null()).then_some(Bio(raw))
    }

    pub fn raw(&self) -> *mut ossl::BIO {
        self.0
    }

    pub fn pending(&self) -> usize {
        // SAFETY: a live BIO.
        unsafe { ossl::BIO_ctrl_pending(self.0) }
    }

    /// What was written into it.
    pub fn take(&self) -> Vec<u8> {
        let mut data = vec![0; self.pending()];
        // SAFETY: a live BIO and room for so many bytes.
        let got = unsafe { ossl::BIO_read(self.0, data.as_mut_ptr().cast(), data.len() as c_int) };
        data.truncate(usize::try_from(got).unwrap_or(0));
        data
    }
}

#[repr(C)]
pub struct MemoryBio {
    header: Header,
    pub bio: Bio,
    eof_written: AtomicBool,
}

// SAFETY: repr(C), header first, owns no references.
unsafe impl Payload for MemoryBio {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        MEMORY_BIO.ty()
    }
}

pub static MEMORY_BIO: TypeSpec = TypeSpec::new::<MemoryBio>("_ssl.MemoryBIO")
    .flags(type_flags::BASETYPE)
    .slots(|s| s.new = Some(new))
    .methods(METHODS)
    .getset(&[
        GetSetDef::new("pending", "How many bytes can be read.", |_, this| Ok(Value::from(own(this).bio.pending()))),
        GetSetDef::new("eof", "Whether all has been read and no more will come.", |_, this| {
            let this = own(this);
            Ok(Value::from(this.eof_written.load(Relaxed) && this.bio.pending() == 0))
        }),
    ]);

fn own(value: &Value) -> &MemoryBio {
    value.downcast::<MemoryBio>().expect("methods are called with instances of their type")
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let class = class_of(class);
    if class.is(&MEMORY_BIO) {
        taipan_object::native::arguments::no_keywords(vm, "MemoryBIO", kwnames)?;
        taipan_object::native::arguments::check_positional(vm, "MemoryBIO", args.len(), 0, 0)?;
    }
    let bio = Bio::memory(vm)?;
    // SAFETY: a live memory BIO. Empty, it says "try again", not "end of file".
    unsafe {
        ossl::BIO_set_flags(bio.raw(), ossl::BIO_FLAGS_READ | ossl::BIO_FLAGS_SHOULD_RETRY);
        ossl::BIO_set_mem_eof_return(bio.raw(), -1);
    }
    let header = Header::new(class);
    Ok(Ref::new_with_type(class, MemoryBio { header, bio, eof_written: AtomicBool::new(false) }).into_value())
}

method_table! { static METHODS = [
    MethodDef::new("read($self, size=-1, /)", "At most *size* bytes, or all that are there.\n\nNone may be there: `eof` tells whether any will come.", |vm, this, args| {
        let bio = &own(this).bio;
        let wanted = c_int(vm, &args[0])?;
        let available = bio.pending().min(c_int::MAX as usize);
        let length = usize::try_from(wanted).map_or(available, |wanted| wanted.min(available));
        if length == 0 {
            return Ok(bytes::empty());
        }
        // SAFETY: a live BIO and room for so many bytes, which are there. A negative number would be none.
        unsafe {
            Bytes::filled(vm, length, |room| {
                let got = ossl::BIO_read(bio.raw(), room.cast(), length as c_int);
                Ok(usize::try_from(got).unwrap_or(0))
            })
        }
    }),
    MethodDef::new("write($self, b, /)", "Append bytes; their number.", |vm, this, args| {
        let this = own(this);
        let data = vm.bytes_like(&args[0])?;
        let Ok(length) = c_int::try_from(data.len()) else {
            return Err(vm.overflow_error(format!("string longer than {} bytes", c_int::MAX)));
        };
        if this.eof_written.load(Relaxed) {
            return Err(errors::plain(vm, "cannot write() after write_eof()"));
        }
        // SAFETY: a live BIO and readable data.
        match unsafe { ossl::BIO_write(this.bio.raw(), data.as_ptr().cast(), length) } {
            written if written < 0 => Err(errors::raise(vm, None)),
            written => Ok(Value::from(written)),
        }
    }),
    MethodDef::new("write_eof($self, /)", "Say that nothing more will be written.", |_, this, _| {
        let this = own(this);
        this.eof_written.store(true, Relaxed);
        // SAFETY: a live memory BIO. Empty, it is at its end from now on.
        unsafe { ossl::BIO_set_mem_eof_return(this.bio.raw(), 0) };
        Ok(Value::NONE)
    }),
]; }
