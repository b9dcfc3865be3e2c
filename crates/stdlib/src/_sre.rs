//! `_sre`, the native part of `re`.

pub mod engine;
