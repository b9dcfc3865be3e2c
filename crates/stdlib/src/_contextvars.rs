//! `_contextvars`: variables whose values depend on the context in which code runs.
//!
//! A context is a persistent map (`hamt.rs`), so that copying one is a matter of one reference. Every thread has a
//! current context (`context.rs`).

pub mod context;
pub mod context_var;
mod hamt;
mod iterator;
pub mod token;

use taipan_object::Value;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_contextvars",
    doc: "Context Variables",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.add_type(&context::CONTEXT);
        module.add_type(&context_var::CONTEXT_VAR);
        module.add_type(&token::TOKEN);
        Ok(())
    },
};

taipan_object::method_table! { static FUNCTIONS = [
    MethodDef::new("copy_context($module, /)", "", |_, _, _| Ok(Value::from(context::copy_current()))),
]; }
