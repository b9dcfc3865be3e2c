//! Programs of instructions, before and after [`optimize_cfg`](super::optimize_cfg).

use std::collections::HashMap;

use taipan_bytecode::{Constant, Opcode};

use super::optimize_cfg;
use crate::instruction_sequence::{ConstTable, InstructionSequence, Location};

/// Lines `label:` and `OPCODE [argument] [@line]`.
fn parse(program: &str) -> InstructionSequence {
    let mut sequence = InstructionSequence::new();
    let mut labels = HashMap::new();
    for line in program.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_suffix(':') {
            let label = *labels.entry(name).or_insert_with(|| sequence.new_label());
            sequence.use_label(label);
            continue;
        }
        let mut words = line.split_whitespace();
        let opcode = words.next().and_then(Opcode::from_name).expect("an opcode");
        let mut argument = "0";
        let mut location = Location::NONE;
        for word in words {
            match word.strip_prefix('@') {
                Some(line) => {
                    let line = line.parse().expect("a line");
                    location = Location::new(line, line, 0, 1);
                }
                None => argument = word,
            }
        }
        if opcode.has_target() {
            let label = *labels.entry(argument).or_insert_with(|| sequence.new_label());
            sequence.addop_jump(opcode, label, location);
        } else {
            sequence.addop(opcode, argument.parse().expect("a number"), location);
        }
    }
    sequence
}

fn show(sequence: &InstructionSequence) -> Vec<String> {
    let line = |lineno: i32| if lineno >= 0 { format!(" @{lineno}") } else { String::new() };
    sequence
        .instructions()
        .iter()
        .map(|instruction| {
            let argument = if instruction.opcode.has_arg() { format!(" {}", instruction.oparg) } else { String::new() };
            format!("{}{argument}{}", instruction.opcode.name(), line(instruction.location.lineno))
        })
        .collect()
}

/// Jumps of the expected program name instruction indices.
fn check(program: &str, constants: &[Constant], nlocals: usize, expected: &str) -> ConstTable {
    let mut consts = ConstTable::new();
    for constant in constants {
        consts.add(constant.clone());
    }
    let optimized = optimize_cfg(parse(program), &mut consts, nlocals).expect("a well-formed program");
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(show(&optimized), expected);
    consts
}

#[test]
fn folds_expressions_and_drops_their_operands() {
    let consts = check(
        "LOAD_CONST 0 @1
         LOAD_CONST 1 @1
         BINARY_OP 0 @1
         RETURN_VALUE @1",
        &[Constant::int(300), Constant::int(5)],
        0,
        "LOAD_CONST 1 @1
         RETURN_VALUE @1",
    );
    assert_eq!(consts.constants(), [Constant::int(300), Constant::int(305)]);
}

#[test]
fn constant_conditions_choose_a_way() {
    check(
        "LOAD_CONST 0 @1
         TO_BOOL @1
         POP_JUMP_IF_FALSE else @1
         LOAD_CONST 1 @2
         RETURN_VALUE @2
         else:
         LOAD_CONST 2 @3
         RETURN_VALUE @3",
        &[Constant::int(1), Constant::int(2), Constant::int(3)],
        0,
        "NOP @1
         LOAD_SMALL_INT 2 @2
         RETURN_VALUE @2",
    );
}

#[test]
fn jumps_to_jumps_are_threaded() {
    check(
        "LOAD_FAST 0 @1
         POP_JUMP_IF_NONE first @1
         LOAD_FAST 0 @2
         RETURN_VALUE @2
         first:
         JUMP second @1
         LOAD_FAST 0 @3
         POP_TOP @3
         second:
         LOAD_FAST 0 @4
         GET_ITER @4
         RETURN_VALUE @4",
        &[],
        0,
        "LOAD_FAST_BORROW 0 @1
         POP_JUMP_IF_NONE 4 @1
         LOAD_FAST_BORROW 0 @2
         RETURN_VALUE @2
         NOP @1
         LOAD_FAST_BORROW 0 @4
         GET_ITER @4
         RETURN_VALUE @4",
    );
}

#[test]
fn exits_without_line_are_duplicated() {
    check(
        "LOAD_FAST 0 @1
         POP_JUMP_IF_NONE end @1
         LOAD_FAST 0 @2
         POP_JUMP_IF_NOT_NONE end @2
         LOAD_GLOBAL 0 @3
         POP_TOP @3
         end:
         LOAD_CONST 0
         RETURN_VALUE",
        &[Constant::None],
        0,
        "LOAD_FAST_BORROW 0 @1
         POP_JUMP_IF_NONE 10 @1
         LOAD_FAST_BORROW 0 @2
         POP_JUMP_IF_NOT_NONE 8 @2
         LOAD_GLOBAL 0 @3
         POP_TOP @3
         LOAD_CONST 0 @3
         RETURN_VALUE @3
         LOAD_CONST 0 @2
         RETURN_VALUE @2
         LOAD_CONST 0 @1
         RETURN_VALUE @1",
    );
}

#[test]
fn loads_of_what_may_be_unbound_are_checked() {
    check(
        "LOAD_FAST 0 @1
         POP_TOP @1
         DELETE_FAST 0 @2
         LOAD_FAST 0 @3
         RETURN_VALUE @3",
        &[],
        1,
        "LOAD_FAST_CHECK 0 @1
         POP_TOP @1
         DELETE_FAST 0 @2
         LOAD_FAST_CHECK 0 @3
         RETURN_VALUE @3",
    );
}

#[test]
fn what_is_stored_or_outlives_its_local_is_owned() {
    check(
        "LOAD_FAST 0 @1
         STORE_FAST 1 @2
         LOAD_FAST 0 @3
         LOAD_CONST 0 @3
         STORE_FAST 0 @3
         RETURN_VALUE @3",
        &[Constant::None],
        0,
        "LOAD_FAST 0 @1
         STORE_FAST 1 @2
         LOAD_FAST 0 @3
         LOAD_CONST 0 @3
         STORE_FAST 0 @3
         RETURN_VALUE @3",
    );
}

#[test]
fn swaps_become_an_order_of_stores() {
    check(
        "LOAD_GLOBAL 0 @1
         LOAD_GLOBAL 2 @1
         SWAP 2 @1
         STORE_FAST 0 @1
         STORE_FAST 1 @1
         LOAD_CONST 0 @1
         RETURN_VALUE @1",
        &[Constant::None],
        0,
        "LOAD_GLOBAL 0 @1
         LOAD_GLOBAL 2 @1
         STORE_FAST_STORE_FAST 16 @1
         LOAD_CONST 0 @1
         RETURN_VALUE @1",
    );
}

#[test]
fn handlers_go_to_the_end() {
    check(
        "SETUP_FINALLY handler @1
         LOAD_GLOBAL 0 @1
         POP_TOP @1
         POP_BLOCK @1
         JUMP end @1
         handler:
         PUSH_EXC_INFO @2
         POP_TOP @2
         POP_EXCEPT @2
         JUMP end @2
         end:
         LOAD_GLOBAL 0 @3
         POP_TOP @3
         LOAD_CONST 0 @3
         RETURN_VALUE @3",
        &[Constant::None],
        0,
        "SETUP_FINALLY 7 @1
         LOAD_GLOBAL 0 @1
         POP_TOP @1
         LOAD_GLOBAL 0 @3
         POP_TOP @3
         LOAD_CONST 0 @3
         RETURN_VALUE @3
         PUSH_EXC_INFO @2
         POP_TOP @2
         POP_EXCEPT @2
         LOAD_GLOBAL 0 @3
         POP_TOP @3
         LOAD_CONST 0 @3
         RETURN_VALUE @3",
    );
}

#[test]
fn malformed_graphs_are_refused() {
    let mut consts = ConstTable::new();
    assert!(optimize_cfg(parse("POP_TOP @1\nRETURN_VALUE @1"), &mut consts, 0).is_err());
    let mut sequence = InstructionSequence::new();
    let unused = sequence.new_label();
    sequence.addop_jump(Opcode::JUMP, unused, Location::NONE);
    assert!(optimize_cfg(sequence, &mut consts, 0).is_err());
}
