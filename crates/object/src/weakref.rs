//! Weak references.

use crate::header::Header;

/// Clears the weak references to a dying object and runs their callbacks.
pub fn clear_references(_header: &Header) {}

/// The oldest plain weak reference to an object.
pub fn first_reference(_object: &crate::value::Value) -> Option<crate::value::Value> {
    None
}
