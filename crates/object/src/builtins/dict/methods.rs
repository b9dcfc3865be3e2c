//! Slots and methods of `dict`.

use crate::types::slots::Slots;

pub fn slots(_s: &mut Slots) {}

crate::method_table! { pub static METHODS = []; }
