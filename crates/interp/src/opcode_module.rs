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
    doc: "Facts about bytecode instructions, for opcode and dis.",
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
    MethodDef::new("stack_effect($module, opcode, oparg=None, /, *, jump=None)", "\
        Return by how much an instruction changes the depth of the stack.", |vm, _, args| {
        stack_effect(vm, &args[0], &args[1], &args[2])
    }),
    MethodDef::new("is_valid($module, /, opcode)", "\
        Tell whether there is an instruction with this opcode.", |vm, _, args| {
        Ok(Value::bool(flags(vm, &args[0])?.is_some()))
    }),
    question!("has_arg($module, /, opcode)", "Tell whether an opcode has an argument.", ARG),
    question!("has_const($module, /, opcode)", "\
        Tell whether an opcode's argument is the index of a constant.", CONST),
    question!("has_name($module, /, opcode)", "Tell whether an opcode's argument is the index of a name.", NAME),
    question!("has_jump($module, /, opcode)", "Tell whether an opcode can jump.", JUMP),
    question!("has_free($module, /, opcode)", "Tell whether an opcode uses a free variable.\n\n\
        Cell variables, which inner functions share, count as well as those\n\
        that come from an outer function.", FREE),
    question!("has_local($module, /, opcode)", "Tell whether an opcode uses a local variable.", LOCAL),
    question!("has_exc($module, /, opcode)", "Tell whether an opcode sets up an exception handler.", EXC),
    MethodDef::new("get_specialization_stats($module, /)", "\
        Return counts of specializations, if they are recorded", |_, _, _| Ok(Value::NONE)),
    MethodDef::new("get_nb_ops($module, /)", "List the operators of BINARY_OP, as pairs of name and symbol.\n\n\
        The instruction's argument is an index of the list.", |_, _, _| {
        let pair = |op: &BinaryOp| Tuple::from_array([Value::from(op.name()), Value::from(op.text())]).into_value();
        Ok(list(BinaryOp::ALL.iter().map(pair)))
    }),
    MethodDef::new("get_intrinsic1_descs($module, /)", "\
        List the names of the intrinsic functions with one argument.", |_, _, _| {
        Ok(list(Intrinsic1::ALL.iter().map(|intrinsic| Value::from(intrinsic.text()))))
    }),
    MethodDef::new("get_intrinsic2_descs($module, /)", "\
        List the names of the intrinsic functions with two arguments.", |_, _, _| {
        Ok(list(Intrinsic2::ALL.iter().map(|intrinsic| Value::from(intrinsic.text()))))
    }),
    MethodDef::new("get_executor($module, /, code, offset)", "\
        Return the executor at an offset in a code object, or None.", |vm, _, args| {
        if args[0].downcast::<Code>().is_none() {
            return Err(vm.type_error(format!("expected a code object, not '{}'", args[0].ty().name())));
        }
        vm.index_i32(&args[1])?;
        Err(vm.value_error("no executor at given byte offset"))
    }),
    MethodDef::new("get_special_method_names($module, /)", "\
        List the special methods that LOAD_SPECIAL can load.", |_, _, _| {
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
