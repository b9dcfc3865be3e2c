//! The counting lowering: the lowering for speed with a `Count` before each instruction.
//!
//! Only code that is called while counting is on enters it (`inspection` of the interpreter); the other lowerings know nothing of it.

use std::sync::OnceLock;

use taipan_bytecode::CodeData;

use super::{Lowered, NO_PC, Tables, lower};
use crate::instruction::{Extra, Op, Operand, Word};
use crate::verify::Checked;

/// Verifies and lowers `code` for counting. The `Count` before the instruction at word `n` of the lowering for speed has the
/// number of that instruction as its operand, counted from 0 in the order of the code.
pub fn lower_for_counting(code: &CodeData) -> Checked<Lowered> {
    Ok(with_counts(lower(code)?))
}

fn with_counts(plain: Lowered) -> Lowered {
    // By word of the plain code: where the `Count` of the instruction that starts there will be.
    let mut moved = vec![NO_PC; plain.words.len() + 1];
    let (mut at, mut number) = (0, 0);
    while at < plain.words.len() {
        moved[at] = (at + number) as u32;
        at += op_at(&plain.words, at).len();
        number += 1;
    }
    let mut words = Vec::with_capacity(plain.words.len() + number);
    let (mut at, mut number) = (0, 0);
    while at < plain.words.len() {
        let op = op_at(&plain.words, at);
        words.push(Word::new(Op::Count, 0, 0, number as u16, (number >> 16) as u16).encode());
        let start = words.len();
        words.extend_from_slice(&plain.words[at..at + op.len()]);
        let relative = |old: u64| {
            let target = at as i64 + i64::from(old as u32 as i32);
            u64::from((i64::from(moved[target as usize]) - start as i64) as i32 as u32)
        };
        if op.operands().contains(&Operand::jump32) {
            let word = words[start];
            words[start] = word & 0xFFFF_FFFF | relative(word >> 32) << 32;
        }
        for (index, extra) in op.extras().iter().enumerate() {
            if *extra == Extra::jump {
                let word = words[start + 1 + index];
                words[start + 1 + index] = word & !0xFFFF_FFFF | relative(word);
            }
        }
        at += op.len();
        number += 1;
    }
    let here = |pc: u32| if pc == NO_PC { NO_PC } else { moved[pc as usize] };
    let tables = Tables {
        sites: plain.sites.iter().map(|site| super::Site { pc: here(site.pc) + 1, ..*site }).collect(),
        handlers: plain.handlers.iter().map(|entry| super::HandlerEntry { pc: here(entry.pc), ..*entry }).collect(),
        maps: plain.maps.clone(),
    };
    Lowered {
        words,
        pc_of_unit: plain.pc_of_unit.iter().map(|pc| here(*pc)).collect(),
        tables: OnceLock::from(tables),
        stored: None,
        ..plain
    }
}

fn op_at(words: &[u64], at: usize) -> Op {
    Op::from_u8(words[at] as u8).expect("lowered code holds instructions")
}
