//! Folding of expressions and displays of constants.

use taipan_bytecode::oparg::BinaryOp;
use taipan_bytecode::{Constant, Opcode};

use super::load_const::{const_value, loads_const, make_load_const};
use super::{Instr, constant_arithmetic};
use crate::instruction_sequence::{ConstTable, Location};

/// Displays longer than this are not folded.
const STACK_USE_GUIDELINE: u32 = 30;
/// A list or set of constants is built from a constant from this length on.
const MIN_CONST_SEQUENCE_SIZE: u32 = 3;

/// The indices of the `count` loads of constants directly before `end`, NOPs aside.
fn const_loads_before(instrs: &[Instr], end: usize, count: usize) -> Option<Vec<usize>> {
    let mut found = Vec::with_capacity(count);
    for index in (0..end).rev() {
        if found.len() == count {
            break;
        }
        if instrs[index].opcode == Opcode::NOP {
            continue;
        }
        if !loads_const(instrs[index].opcode) {
            return None;
        }
        found.push(index);
    }
    found.reverse();
    (found.len() == count).then_some(found)
}

fn values(instrs: &[Instr], loads: &[usize], consts: &ConstTable) -> Option<Vec<Constant>> {
    loads.iter().map(|&index| const_value(instrs[index].opcode, instrs[index].oparg, consts)).collect()
}

fn nop_out(instrs: &mut [Instr], indices: &[usize]) {
    for &index in indices {
        instrs[index].set_nop();
        instrs[index].loc = Location::NONE;
    }
}

pub(super) fn tuple_of_constants(instrs: &mut [Instr], at: usize, consts: &mut ConstTable) {
    let size = instrs[at].oparg;
    if size > STACK_USE_GUIDELINE {
        return;
    }
    let Some(loads) = const_loads_before(instrs, at, size as usize) else { return };
    let Some(items) = values(instrs, &loads, consts) else { return };
    nop_out(instrs, &loads);
    make_load_const(&mut instrs[at], Constant::tuple(items), consts);
}

/// A list or set that is built from nothing by adding constants, up to `end`, and of which only the members matter:
/// replaced by a constant tuple or frozen set that the instruction at `at` loads; an addition there loses its location,
/// too. Tells whether there was one.
pub(super) fn appended_constants(instrs: &mut [Instr], at: usize, end: usize, consts: &mut ConstTable) -> bool {
    let (build, add) = match instrs[at].opcode {
        Opcode::SET_ADD => (Opcode::BUILD_SET, Opcode::SET_ADD),
        _ => (Opcode::BUILD_LIST, Opcode::LIST_APPEND),
    };
    let mut loads = Vec::new();
    let mut expect_add = true;
    for pos in (0..end).rev() {
        let Instr { opcode, oparg, .. } = instrs[pos];
        if opcode == Opcode::NOP {
            continue;
        }
        if opcode == build && oparg == 0 && expect_add {
            loads.reverse();
            let Some(items) = values(instrs, &loads, consts) else { return false };
            let constant = if build == Opcode::BUILD_SET {
                constant_arithmetic::frozen_set(items)
            } else {
                Constant::tuple(items)
            };
            for instr in instrs[pos..end].iter_mut().filter(|instr| instr.opcode != Opcode::NOP) {
                instr.set_nop();
                instr.loc = Location::NONE;
            }
            make_load_const(&mut instrs[at], constant, consts);
            return true;
        }
        if expect_add {
            if opcode != add || oparg != 1 {
                return false;
            }
        } else if loads_const(opcode) {
            loads.push(pos);
        } else {
            return false;
        }
        expect_add = !expect_add;
    }
    false
}

/// Lists and sets that are only iterated over or searched become tuples and frozen sets; longer ones of constants are
/// made from one.
pub(super) fn lists_and_sets(instrs: &mut [Instr], at: usize, next: Opcode, consts: &mut ConstTable) {
    let contains_or_iter = matches!(next, Opcode::GET_ITER | Opcode::CONTAINS_OP);
    let Instr { opcode, oparg: size, loc, .. } = instrs[at];
    if size > STACK_USE_GUIDELINE || (size < MIN_CONST_SEQUENCE_SIZE && !contains_or_iter) {
        return;
    }
    let loads = const_loads_before(instrs, at, size as usize);
    let Some((loads, items)) = loads.and_then(|loads| values(instrs, &loads, consts).map(|items| (loads, items)))
    else {
        if contains_or_iter && opcode == Opcode::BUILD_LIST {
            instrs[at].opcode = Opcode::BUILD_TUPLE;
        }
        return;
    };
    let constant = match opcode {
        Opcode::BUILD_SET => constant_arithmetic::frozen_set(items),
        _ => Constant::tuple(items),
    };
    let index = consts.add(constant);
    nop_out(instrs, &loads);
    if contains_or_iter {
        instrs[at].set(Opcode::LOAD_CONST, index);
        return;
    }
    instrs[at - 2].loc = loc;
    instrs[at - 2].set(opcode, 0);
    instrs[at - 1].set(Opcode::LOAD_CONST, index);
    instrs[at].set(if opcode == Opcode::BUILD_LIST { Opcode::LIST_EXTEND } else { Opcode::SET_UPDATE }, 1);
}

pub(super) fn unary(instrs: &mut [Instr], at: usize, consts: &mut ConstTable) {
    let Some(loads) = const_loads_before(instrs, at, 1) else { return };
    let Some(operand) = const_value(instrs[loads[0]].opcode, instrs[loads[0]].oparg, consts) else { return };
    let result = match instrs[at].opcode {
        Opcode::UNARY_NEGATIVE => constant_arithmetic::negative(&operand),
        Opcode::UNARY_INVERT => constant_arithmetic::invert(&operand),
        Opcode::UNARY_NOT => Some(Constant::bool(!operand.is_true())),
        _ => constant_arithmetic::positive(&operand),
    };
    let Some(result) = result else { return };
    nop_out(instrs, &loads);
    make_load_const(&mut instrs[at], result, consts);
}

pub(super) fn binary(instrs: &mut [Instr], at: usize, consts: &mut ConstTable) {
    let Some(op) = BinaryOp::from_oparg(instrs[at].oparg) else { return };
    let Some(loads) = const_loads_before(instrs, at, 2) else { return };
    let Some(operands) = values(instrs, &loads, consts) else { return };
    let Some(result) = constant_arithmetic::binary(op, &operands[0], &operands[1]) else { return };
    nop_out(instrs, &loads);
    make_load_const(&mut instrs[at], result, consts);
}
