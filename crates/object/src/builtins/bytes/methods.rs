//! Slots and methods of `bytes`.

use super::Bytes;
use crate::buffer::{Buffer, buffer_flags};
use crate::native::MethodDef;
use crate::types::slots::Slots;

pub fn slots(s: &mut Slots) {
    s.hash = Some(|_, this| Ok(this.downcast::<Bytes>().map_or(0, Bytes::hash)));
    s.buffer = Some(|vm, this, flags| {
        if flags & buffer_flags::WRITABLE != 0 {
            return Err(vm.buffer_error("Object is not writable."));
        }
        let data = this.downcast::<Bytes>().map_or(&[][..], Bytes::as_slice);
        Ok(Buffer::bytes(this, data.as_ptr().cast_mut(), data.len(), true, None))
    });
}

pub static METHODS: &[MethodDef] = &[];
