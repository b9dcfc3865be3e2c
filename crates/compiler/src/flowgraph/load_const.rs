//! Constants whose next use is known: small ints, conditions, tests against None; and removal of constants that nothing
//! loads any longer.

use taipan_bytecode::{Constant, Opcode};

use super::{BlockId, ENTRY, Graph, Instr};
use crate::instruction_sequence::ConstTable;

/// The value of an instruction that loads a constant.
pub(super) fn const_value(opcode: Opcode, oparg: u32, consts: &ConstTable) -> Option<Constant> {
    match opcode {
        Opcode::LOAD_CONST => consts.constants().get(oparg as usize).cloned(),
        Opcode::LOAD_SMALL_INT => Some(Constant::int(i64::from(oparg))),
        _ => None,
    }
}

pub(super) fn loads_const(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::LOAD_CONST | Opcode::LOAD_SMALL_INT)
}

/// The argument of LOAD_SMALL_INT, for constants that it can load.
fn small_int(constant: &Constant) -> Option<u32> {
    match constant {
        Constant::Int(value) => u8::try_from(value).ok().map(u32::from),
        _ => None,
    }
}

/// Makes an instruction load the constant.
pub(super) fn make_load_const(instr: &mut Instr, constant: Constant, consts: &mut ConstTable) {
    match small_int(&constant) {
        Some(value) => instr.set(Opcode::LOAD_SMALL_INT, value),
        None => instr.set(Opcode::LOAD_CONST, consts.add(constant)),
    }
}

impl Graph<'_> {
    pub(super) fn optimize_load_const(&mut self, consts: &mut ConstTable) {
        let mut cursor = Some(ENTRY);
        while let Some(id) = cursor {
            self.optimize_load_const_of(id, consts);
            cursor = self[id].next;
        }
    }

    fn optimize_load_const_of(&mut self, id: BlockId, consts: &mut ConstTable) {
        let instrs = &mut self[id].instrs[..];
        // The load whose value is on top: a COPY 1 behind a LOAD_CONST stands for that.
        let (mut opcode, mut oparg) = (Opcode::CACHE, 0);
        for at in 0..instrs.len() {
            if instrs[at].opcode == Opcode::LOAD_CONST
                && let Some(value) = consts.constants().get(instrs[at].oparg as usize).and_then(small_int)
            {
                instrs[at].set(Opcode::LOAD_SMALL_INT, value);
            }
            let is_copy_of_load_const =
                opcode == Opcode::LOAD_CONST && instrs[at].opcode == Opcode::COPY && instrs[at].oparg == 1;
            if !is_copy_of_load_const {
                (opcode, oparg) = (instrs[at].opcode, instrs[at].oparg);
            }
            if !loads_const(opcode) {
                continue;
            }
            let Some(next) = instrs.get(at + 1).map(|next| next.opcode) else { continue };
            if !matches!(
                next,
                Opcode::POP_JUMP_IF_FALSE
                    | Opcode::POP_JUMP_IF_TRUE
                    | Opcode::JUMP_IF_FALSE
                    | Opcode::JUMP_IF_TRUE
                    | Opcode::IS_OP
                    | Opcode::TO_BOOL
            ) {
                continue;
            }
            let Some(constant) = const_value(opcode, oparg, consts) else { continue };
            match next {
                Opcode::POP_JUMP_IF_FALSE | Opcode::POP_JUMP_IF_TRUE | Opcode::JUMP_IF_FALSE | Opcode::JUMP_IF_TRUE => {
                    if next.is_conditional_jump() {
                        instrs[at].set_nop();
                    }
                    let jumps_if_true = matches!(next, Opcode::POP_JUMP_IF_TRUE | Opcode::JUMP_IF_TRUE);
                    if constant.is_true() == jumps_if_true {
                        instrs[at + 1].opcode = Opcode::JUMP;
                    } else {
                        instrs[at + 1].set_nop();
                    }
                }
                Opcode::IS_OP => {
                    let mut jump_at = at + 2;
                    if !matches!(constant, Constant::None) || jump_at >= instrs.len() {
                        continue;
                    }
                    if instrs[jump_at].opcode == Opcode::TO_BOOL {
                        instrs[jump_at].set_nop();
                        jump_at += 1;
                        if jump_at >= instrs.len() {
                            continue;
                        }
                    }
                    let mut invert = instrs[at + 1].oparg != 0;
                    match instrs[jump_at].opcode {
                        Opcode::POP_JUMP_IF_FALSE => invert = !invert,
                        Opcode::POP_JUMP_IF_TRUE => {}
                        _ => continue,
                    }
                    instrs[at].set_nop();
                    instrs[at + 1].set_nop();
                    instrs[jump_at].opcode =
                        if invert { Opcode::POP_JUMP_IF_NOT_NONE } else { Opcode::POP_JUMP_IF_NONE };
                }
                Opcode::TO_BOOL => {
                    let index = consts.add(Constant::bool(constant.is_true()));
                    instrs[at].set_nop();
                    instrs[at + 1].set(Opcode::LOAD_CONST, index);
                }
                _ => {}
            }
        }
    }

    /// Drops constants without a load; the first stays, it may be the docstring.
    pub(super) fn remove_unused_consts(&mut self, consts: &mut ConstTable) {
        let count = consts.constants().len();
        if count == 0 {
            return;
        }
        let mut used = vec![false; count];
        used[0] = true;
        for block in &self.blocks {
            for instr in block.instrs.iter().filter(|instr| instr.opcode.has_const()) {
                used[instr.oparg as usize] = true;
            }
        }
        if used.iter().all(|&used| used) {
            return;
        }
        let mut new_index = vec![0u32; count];
        let mut kept = 0;
        for (index, &used) in used.iter().enumerate() {
            new_index[index] = kept;
            kept += u32::from(used);
        }
        consts.retain(&used);
        for block in &mut self.blocks {
            for instr in block.instrs.iter_mut().filter(|instr| instr.opcode.has_const()) {
                instr.oparg = new_index[instr.oparg as usize];
            }
        }
    }
}
