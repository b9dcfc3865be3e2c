//! Runs of SWAP: each replaced by the shortest with the same effect, and by reordering what pops the values if possible.

use taipan_bytecode::Opcode;

use super::{BlockId, Graph, Instr};

impl Graph<'_> {
    pub(super) fn optimize_swaps(&mut self, id: BlockId) {
        let instrs = &mut self[id].instrs[..];
        let mut at = 0;
        while at < instrs.len() {
            if instrs[at].opcode == Opcode::SWAP {
                at = shorten_run(instrs, at);
                apply_static_swaps(instrs, at);
            }
            at += 1;
        }
    }
}

/// Replaces the run of SWAPs and NOPs that starts here by the shortest that permutes alike; returns its last index.
fn shorten_run(instrs: &mut [Instr], start: usize) -> usize {
    let len = instrs[start..].iter().take_while(|i| matches!(i.opcode, Opcode::SWAP | Opcode::NOP)).count();
    let run = &mut instrs[start..start + len];
    if run.iter().filter(|instr| instr.opcode == Opcode::SWAP).count() < 2 {
        return start;
    }
    let depth = run.iter().filter(|i| i.opcode == Opcode::SWAP).map(|i| i.oparg as usize).max().unwrap_or(0);
    let mut stack: Vec<Option<usize>> = (0..depth).map(Some).collect();
    for instr in run.iter().filter(|instr| instr.opcode == Opcode::SWAP) {
        stack.swap(0, (instr.oparg as usize).saturating_sub(1));
    }
    // Each cycle of the permutation, entered through the top, costs a swap per member; as these undo the permutation,
    // they are written back to front.
    let mut free = len;
    for first in 0..depth {
        if stack[first].is_none() || stack[first] == Some(first) {
            continue;
        }
        let mut at = first;
        loop {
            if at != 0 {
                free -= 1;
                run[free].set(Opcode::SWAP, at as u32 + 1);
            }
            match stack[at].take() {
                Some(next) => at = next,
                None => break,
            }
        }
    }
    for instr in &mut run[..free] {
        instr.set_nop();
    }
    start + len - 1
}

/// Whether it only takes the top of the stack, and neither raises nor jumps.
fn is_swappable(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::STORE_FAST | Opcode::STORE_FAST_MAYBE_NULL | Opcode::POP_TOP)
}

fn stored_local(instr: &Instr) -> Option<u32> {
    matches!(instr.opcode, Opcode::STORE_FAST | Opcode::STORE_FAST_MAYBE_NULL).then_some(instr.oparg)
}

/// The next swappable instruction, which must be on the line given: to reorder across lines could be seen by tracing.
fn next_swappable(instrs: &[Instr], after: usize, lineno: Option<i32>) -> Option<usize> {
    for (index, instr) in instrs.iter().enumerate().skip(after + 1) {
        if lineno.is_some_and(|lineno| lineno >= 0 && instr.loc.lineno != lineno) {
            return None;
        }
        if instr.opcode != Opcode::NOP {
            return is_swappable(instr.opcode).then_some(index);
        }
    }
    None
}

/// Turns SWAPs up to `from` into an exchange of the instructions behind that pop the two values.
fn apply_static_swaps(instrs: &mut [Instr], from: usize) {
    for at in (0..=from).rev() {
        let swap = instrs[at];
        if swap.opcode != Opcode::SWAP {
            if swap.opcode == Opcode::NOP || is_swappable(swap.opcode) {
                continue;
            }
            return;
        }
        let Some(first) = next_swappable(instrs, at, None) else { return };
        let lineno = instrs[first].loc.lineno;
        let mut second = first;
        for _ in 1..swap.oparg {
            match next_swappable(instrs, second, Some(lineno)) {
                Some(index) => second = index,
                None => return,
            }
        }
        // Not safe if both, or one of them and one in between, store to the same local.
        let (store_first, store_second) = (stored_local(&instrs[first]), stored_local(&instrs[second]));
        if store_first.is_some() || store_second.is_some() {
            if store_first == store_second {
                return;
            }
            let clashes = |instr: &Instr| {
                let store = stored_local(instr);
                store.is_some() && (store == store_first || store == store_second)
            };
            if instrs[first + 1..second.max(first + 1)].iter().any(clashes) {
                return;
            }
        }
        instrs[at].set_nop();
        instrs.swap(first, second);
    }
}
