//! The pure-Python standard library, embedded in the binary.
