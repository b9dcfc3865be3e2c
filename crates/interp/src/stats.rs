//! What `taipan -X stats` prints, in builds with the Cargo feature `stats`: here, the instructions that the eval loop
//! dispatches, how inline caches do, and what operators meet. References and allocations are counted by
//! [`taipan_object::stats`].

use std::fmt::Write;

use taipan_object::stats::{Counter, percent};

use crate::inspection::Met;
use crate::instruction::Op;

/// By opcode, how often it was dispatched.
static DISPATCHED: [Counter; 256] = [const { Counter::new() }; 256];
/// By opcode, what its instructions met: see [`Met`].
static MET: [[Counter; 6]; 256] = [const { [const { Counter::new() }; 6] }; 256];

/// Notes when the loop is about to execute an instruction.
#[inline(always)]
pub(crate) fn dispatched(op: u8, met: Met) {
    DISPATCHED[op as usize].count();
    MET[op as usize][met as usize].count();
}

/// What was counted, as text.
pub fn report() -> String {
    let all: u64 = DISPATCHED.iter().map(Counter::get).sum();
    let mut ops: Vec<(Op, u64)> = Op::ALL.iter().map(|op| (*op, DISPATCHED[*op as usize].get())).collect();
    ops.retain(|(_, count)| *count > 0);
    ops.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.name().cmp(right.0.name())));
    let mut text = format!("register instructions: {all} dispatches\n");
    for (op, count) in &ops {
        let _ = writeln!(text, "  {count:>14} {:5.1} % {}", percent(*count, all), op.name());
    }
    let _ = writeln!(text, "inline caches");
    for (op, count) in &ops {
        let [hits, misses] = [Met::Hit, Met::Miss].map(|met| MET[*op as usize][met as usize].get());
        if hits + misses > 0 {
            let rate = percent(hits, hits + misses);
            let _ =
                writeln!(text, "  {hits:>14} hits, {misses:>12} misses ({rate:5.1} % hits) of {count} {}", op.name());
        }
    }
    let _ = writeln!(text, "operands of operators and comparisons");
    for (op, _) in &ops {
        let [ints, floats, others] =
            [Met::Ints, Met::Floats, Met::Others].map(|met| MET[*op as usize][met as usize].get());
        if ints + floats + others > 0 {
            let _ = writeln!(text, "  {ints:>14} ints, {floats:>12} floats, {others:>12} others: {}", op.name());
        }
    }
    text + &taipan_object::stats::report(all)
}
