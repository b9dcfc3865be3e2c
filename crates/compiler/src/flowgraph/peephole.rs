//! Rewriting of short instruction patterns within a block, and threading of jumps to jumps.

use taipan_bytecode::Opcode;
use taipan_bytecode::oparg::{COMPARE_OP_TO_BOOL, Intrinsic1};

use super::{BlockId, Graph, Instr, fold};
use crate::instruction_sequence::ConstTable;

impl Graph<'_> {
    pub(super) fn optimize_basic_block(&mut self, id: BlockId, consts: &mut ConstTable) {
        let mut at = 0;
        while at < self[id].instrs.len() {
            if self[id].instrs[at].target.is_some() && self.thread_jump(id, at) {
                continue;
            }
            optimize_instruction(&mut self[id].instrs, at, consts);
            at += 1;
        }
        self.optimize_swaps(id);
    }

    /// Shortens a jump to a jump. True if the instruction has to be looked at again.
    fn thread_jump(&mut self, id: BlockId, at: usize) -> bool {
        let instr = &self[id].instrs[at];
        let Some(target) = instr.target.filter(|_| instr.opcode.has_jump()) else { return false };
        let Some(&first) = self[target].instrs.first() else { return false };
        let threaded = match (instr.opcode, first.opcode) {
            (
                Opcode::POP_JUMP_IF_NOT_NONE
                | Opcode::POP_JUMP_IF_NONE
                | Opcode::POP_JUMP_IF_FALSE
                | Opcode::POP_JUMP_IF_TRUE
                | Opcode::JUMP_IF_FALSE
                | Opcode::JUMP_IF_TRUE,
                Opcode::JUMP,
            )
            | (Opcode::JUMP_IF_FALSE, Opcode::JUMP_IF_FALSE)
            | (Opcode::JUMP_IF_TRUE, Opcode::JUMP_IF_TRUE)
            | (Opcode::JUMP | Opcode::JUMP_NO_INTERRUPT, Opcode::JUMP_NO_INTERRUPT) => instr.opcode,
            (Opcode::JUMP | Opcode::JUMP_NO_INTERRUPT, Opcode::JUMP) => Opcode::JUMP,
            (Opcode::JUMP_IF_FALSE, Opcode::JUMP_IF_TRUE) | (Opcode::JUMP_IF_TRUE, Opcode::JUMP_IF_FALSE) => {
                self[id].instrs[at].target = self[target].next;
                return true;
            }
            _ => return false,
        };
        let (Some(final_target), true) = (first.target, first.target != Some(target)) else { return false };
        let block = &mut self[id];
        block.instrs[at].set_nop();
        // The NOP keeps the line of the first jump if that line needs it; the new jump has that of the second.
        block.instrs.add(Instr::jump(threaded, final_target, first.loc));
        true
    }
}

fn optimize_instruction(instrs: &mut [Instr], at: usize, consts: &mut ConstTable) {
    let Instr { opcode, oparg, .. } = instrs[at];
    let next = instrs.get(at + 1).map_or(Opcode::CACHE, |next| next.opcode);
    match opcode {
        Opcode::BUILD_TUPLE => {
            if next == Opcode::UNPACK_SEQUENCE && instrs[at + 1].oparg == oparg {
                match oparg {
                    1 => {
                        instrs[at].set_nop();
                        instrs[at + 1].set_nop();
                        return;
                    }
                    2 | 3 => {
                        instrs[at].set_nop();
                        instrs[at + 1].opcode = Opcode::SWAP;
                        return;
                    }
                    _ => {}
                }
            }
            fold::tuple_of_constants(instrs, at, consts);
        }
        Opcode::BUILD_LIST | Opcode::BUILD_SET => fold::lists_and_sets(instrs, at, next, consts),
        Opcode::LIST_APPEND | Opcode::SET_ADD if matches!(next, Opcode::GET_ITER | Opcode::CONTAINS_OP) => {
            fold::appended_constants(instrs, at, at + 1, consts);
        }
        Opcode::STORE_FAST => {
            if next == opcode && instrs[at + 1].oparg == oparg && instrs[at + 1].loc.lineno == instrs[at].loc.lineno {
                instrs[at].set(Opcode::POP_TOP, 0);
            }
        }
        Opcode::SWAP if oparg == 1 => instrs[at].set_nop(),
        Opcode::LOAD_GLOBAL if next == Opcode::PUSH_NULL && oparg & 1 == 0 => {
            instrs[at].oparg |= 1;
            instrs[at + 1].set_nop();
        }
        Opcode::COMPARE_OP if next == Opcode::TO_BOOL => {
            instrs[at].set_nop();
            instrs[at + 1].set(Opcode::COMPARE_OP, oparg | COMPARE_OP_TO_BOOL);
        }
        Opcode::CONTAINS_OP | Opcode::IS_OP => match next {
            Opcode::TO_BOOL => {
                instrs[at].set_nop();
                instrs[at + 1].set(opcode, oparg);
            }
            Opcode::UNARY_NOT => {
                instrs[at].set_nop();
                instrs[at + 1].set(opcode, oparg ^ 1);
            }
            _ => {}
        },
        Opcode::TO_BOOL if next == Opcode::TO_BOOL => instrs[at].set_nop(),
        Opcode::UNARY_NOT if next == Opcode::TO_BOOL => {
            instrs[at].set_nop();
            instrs[at + 1].set(Opcode::UNARY_NOT, 0);
        }
        Opcode::UNARY_NOT if next == Opcode::UNARY_NOT => {
            instrs[at].set_nop();
            instrs[at + 1].set_nop();
        }
        Opcode::UNARY_NOT | Opcode::UNARY_INVERT | Opcode::UNARY_NEGATIVE => fold::unary(instrs, at, consts),
        Opcode::CALL_INTRINSIC_1 => match Intrinsic1::from_oparg(oparg) {
            Some(Intrinsic1::ListToTuple) => {
                if !fold::appended_constants(instrs, at, at, consts) && next == Opcode::GET_ITER {
                    instrs[at].set_nop();
                }
            }
            Some(Intrinsic1::UnaryPositive) => fold::unary(instrs, at, consts),
            _ => {}
        },
        Opcode::BINARY_OP => fold::binary(instrs, at, consts),
        _ => {}
    }
}
