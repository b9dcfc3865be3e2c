//! Slots and methods of `bytearray`.

use super::ByteArray;
use crate::buffer::Buffer;
use crate::native::MethodDef;
use crate::types::slots::Slots;

pub fn slots(s: &mut Slots) {
    s.buffer = Some(|_, this, _| {
        let array = this.downcast::<ByteArray>().expect("own slot");
        let mut state = array.state.borrow(&array.header);
        state.exports += 1;
        let data = state.as_mut_slice();
        let (pointer, length) = (data.as_mut_ptr(), data.len());
        drop(state);
        Ok(Buffer::bytes(this, pointer, length, false, Some(release)))
    });
}

fn release(owner: &crate::Value) {
    if let Some(array) = owner.downcast::<ByteArray>() {
        array.state.borrow(&array.header).exports -= 1;
    }
}

pub static METHODS: &[MethodDef] = &[];
