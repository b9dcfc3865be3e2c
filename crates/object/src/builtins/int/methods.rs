//! Slots and methods of `int`.

use crate::native::GetSetDef;
use crate::types::slots::Slots;

pub fn slots(_s: &mut Slots) {}

crate::method_table! { pub static METHODS = []; }
pub static GETSET: &[GetSetDef] = &[];
