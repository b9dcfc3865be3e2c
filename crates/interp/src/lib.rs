//! Verifier, lowering to register code, interpreter, frames, functions, generators, import, `sys`, `builtins`.
