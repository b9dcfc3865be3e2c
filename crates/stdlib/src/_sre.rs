//! `_sre`, the native part of `re`.
//!
//! `engine/` matches; the rest are the objects around it: [`pattern`], what its methods do ([`matching`],
//! [`substitute`]), and what they return ([`match_object`], [`scanner`], [`template`]).

pub mod engine;
mod match_object;
mod matching;
mod pattern;
mod scanner;
mod subject;
mod substitute;
mod template;

use engine::{category, opcode};
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::{Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef { name: "_sre", doc: "", functions: FUNCTIONS, exec };

fn exec(_vm: &Vm, module: &Module) -> Result<()> {
    module.set("MAGIC", Value::from(opcode::MAGIC));
    module.set("CODESIZE", Value::from(opcode::CODESIZE));
    module.set("MAXREPEAT", Value::from(opcode::MAXREPEAT));
    module.set("MAXGROUPS", Value::from(opcode::MAXGROUPS));
    Ok(())
}

/// A character given by its number; none that exists is negative.
fn character(vm: &Vm, argument: &Value) -> Result<u32> {
    Ok(vm.index_i32(argument)? as u32)
}

method_table! { static FUNCTIONS = [
    MethodDef::new(
        "compile($module, /, pattern, flags, code, groups, groupindex,\n        indexgroup)",
        "",
        pattern::compile,
    ),
    MethodDef::new(
        "template($module, pattern, template, /)",
        "Compile a replacement template; for internal use.\n\n  \
         template\n    \
         What re._parser.parse_template() gives: a list of literals (str or\n    \
         bytes) and group numbers (int) in turn, which begins and ends with\n    \
         a literal.",
        template::compile,
    ),
    MethodDef::new("getcodesize($module, /)", "", |_, _, _| Ok(Value::from(opcode::CODESIZE))),
    MethodDef::new("ascii_iscased($module, character, /)", "", |vm, _, args| {
        Ok(Value::bool(category::ascii_is_cased(character(vm, &args[0])?)))
    }),
    MethodDef::new("unicode_iscased($module, character, /)", "", |vm, _, args| {
        Ok(Value::bool(category::unicode_is_cased(character(vm, &args[0])?)))
    }),
    MethodDef::new("ascii_tolower($module, character, /)", "", |vm, _, args| {
        Ok(Value::from(category::ascii_lower(character(vm, &args[0])?) as i32))
    }),
    MethodDef::new("unicode_tolower($module, character, /)", "", |vm, _, args| {
        Ok(Value::from(category::unicode_lower(character(vm, &args[0])?) as i32))
    }),
]; }
