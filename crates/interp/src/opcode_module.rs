//! `_opcode`: what `dis` and `opcode` ask about instructions.

use taipan_bytecode::oparg::{BinaryOp, Intrinsic1, Intrinsic2, SpecialMethod};
use taipan_bytecode::opcode::{self, flag};
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm, method_table};

use crate::code::Code;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_opcode",
    doc: "Opcode support module.",
    functions: FUNCTIONS,
    exec: |_, module| {
        // As in CPython: the interpreter adapts its code (to caches of its own), with the GIL and without.
        module.set("ENABLE_SPECIALIZATION", Value::from(1));
        module.set("ENABLE_SPECIALIZATION_FT", Value::from(1));
        Ok(())
    },
};

macro_rules! question {
    ($declaration:literal, $doc:literal, $flag:ident) => {
        MethodDef::new($declaration, $doc, |vm, _, args| has(vm, &args[0], flag::$flag))
    };
}

method_table! { static FUNCTIONS = [
    MethodDef::new("stack_effect($module, opcode, oparg=None, /, *, jump=None)", "Compute the stack effect of the opcode.", |vm, _, args| {
        stack_effect(vm, &args[0], &args[1], &args[2])
    }),
    MethodDef::new("is_valid($module, /, opcode)", "Return True if opcode is valid, False otherwise.", |vm, _, args| {
        Ok(Value::bool(flags(vm, &args[0])?.is_some()))
    }),
    question!("has_arg($module, /, opcode)", "Return True if the opcode uses its oparg, False otherwise.", ARG),
    question!("has_const($module, /, opcode)", "Return True if the opcode accesses a constant, False otherwise.", CONST),
    question!("has_name($module, /, opcode)", "Return True if the opcode accesses an attribute by name, False otherwise.", NAME),
    question!("has_jump($module, /, opcode)", "Return True if the opcode has a jump target, False otherwise.", JUMP),
    question!("has_free($module, /, opcode)", "Return True if the opcode accesses a free variable, False otherwise.\n\nNote that 'free' in this context refers to names in the current scope\nthat are referenced by inner scopes or names that are referenced by\nouter scopes.", FREE),
    question!("has_local($module, /, opcode)", "Return True if the opcode accesses a local variable, False otherwise.", LOCAL),
    question!("has_exc($module, /, opcode)", "Return True if the opcode sets an exception handler, False otherwise.", EXC),
    MethodDef::new("get_specialization_stats($module, /)", "Return the specialization stats", |_, _, _| Ok(Value::NONE)),
    MethodDef::new("get_nb_ops($module, /)", "Return array of symbols of binary ops.\n\nIndexed by the BINARY_OP oparg value.", |_, _, _| {
        let pair = |op: &BinaryOp| Tuple::from_array([Value::from(op.name()), Value::from(op.text())]).into_value();
        Ok(list(BinaryOp::ALL.iter().map(pair)))
    }),
    MethodDef::new("get_intrinsic1_descs($module, /)", "Return a list of names of the unary intrinsics.", |_, _, _| {
        Ok(list(Intrinsic1::ALL.iter().map(|intrinsic| Value::from(intrinsic.text()))))
    }),
    MethodDef::new("get_intrinsic2_descs($module, /)", "Return a list of names of the binary intrinsics.", |_, _, _| {
        Ok(list(Intrinsic2::ALL.iter().map(|intrinsic| Value::from(intrinsic.text()))))
    }),
    MethodDef::new("get_executor($module, /, code, offset)", "Return the executor object at offset in code if exists, None otherwise.", |vm, _, args| {
        if args[0].downcast::<Code>().is_none() {
            return Err(vm.type_error(format!("expected a code object, not '{}'", args[0].ty().name())));
        }
        vm.index_i32(&args[1])?;
        Err(vm.value_error("no executor at given byte offset"))
    }),
    MethodDef::new("get_special_method_names($module, /)", "Return a list of special method names.", |_, _, _| {
        Ok(list(SpecialMethod::ALL.iter().map(|method| Value::from(method.text()))))
    }),
]; }

fn list(items: impl Iterator<Item = Value>) -> Value {
    List::from_vec(items.collect()).into_value()
}

fn flags(vm: &Vm, opcode: &Value) -> Result<Option<u16>> {
    let number = vm.index_i32(opcode)?;
    Ok(u16::try_from(number).ok().and_then(opcode::argument_flags))
}

fn has(vm: &Vm, opcode: &Value, flag: u16) -> Result {
    Ok(Value::bool(flags(vm, opcode)?.is_some_and(|flags| flags & flag != 0)))
}

fn stack_effect(vm: &Vm, opcode: &Value, oparg: &Value, jump: &Value) -> Result {
    let number = vm.index_i32(opcode)?;
    let oparg = if oparg.is_none() { 0 } else { vm.index_i32(oparg)? };
    let jump = match jump {
        _ if jump.is_none() => None,
        _ if jump.is_true() => Some(true),
        _ if jump.is_false() => Some(false),
        _ => return Err(vm.value_error("stack_effect: jump must be False, True or None")),
    };
    let effect = u16::try_from(number).ok().and_then(|number| opcode::stack_effect(number, oparg as u32, jump));
    match effect {
        Some(effect) => Ok(Value::from(effect)),
        None => Err(vm.value_error("invalid opcode or oparg")),
    }
}
