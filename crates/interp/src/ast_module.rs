//! `_ast`: the syntax tree as Python objects, and back.
//!
//! Counterpart of CPython's generated `Python/Python-ast.c`. `classes.rs` makes the node classes from the table in
//! `taipan_syntax::ast`, `node.rs` is their base, `to_object.rs` makes objects of a tree, `from_object.rs` a tree of
//! objects.

mod classes;
mod from_object;
mod node;
mod repr;
mod to_object;

use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm};

use crate::compile::flags;

pub use from_object::tree_from_object;
pub use node::takes_any_keywords;
pub use to_object::object_from_tree;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_ast",
    doc: "",
    functions: &[],
    exec: |vm, module| {
        module.set("AST", node::AST.value());
        for (name, flag) in [
            ("PyCF_ALLOW_TOP_LEVEL_AWAIT", flags::ALLOW_TOP_LEVEL_AWAIT),
            ("PyCF_ONLY_AST", flags::ONLY_AST),
            ("PyCF_TYPE_COMMENTS", flags::TYPE_COMMENTS),
            ("PyCF_OPTIMIZED_AST", flags::OPTIMIZED_AST),
        ] {
            module.set(name, Value::from(flag));
        }
        for class in &classes::all(vm)?.list {
            module.set(class.name, class.ty.clone());
        }
        Ok(())
    },
};

/// Whether `value` is a node (`PyAST_Check`).
pub fn is_node(value: &Value) -> bool {
    value.ty().is_subtype(node::AST.ty())
}

/// Checks that a node can be compiled in `mode`.
pub fn check_mode(vm: &Vm, value: &Value, mode: taipan_syntax::Mode) -> Result<()> {
    let wanted = match mode {
        taipan_syntax::Mode::Exec => "Module",
        taipan_syntax::Mode::Eval => "Expression",
        taipan_syntax::Mode::Single => "Interactive",
        taipan_syntax::Mode::FuncType => "FunctionType",
    };
    let class = classes::all(vm)?.get(wanted).ty.clone();
    if vm.is_instance(value, &class)? {
        return Ok(());
    }
    Err(vm.type_error(format!("expected {wanted} node, got {}", value.ty().short_name())))
}
