//! The embedding API: what a Rust host depends on.
