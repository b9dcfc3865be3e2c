//! An oracle for the lowering: follows register code along every path and checks who owns what.
//!
//! Every consumed register must own its value, nothing owned may be overwritten or forgotten, and at each site the map
//! must say what is really there. Used by tests only.

use super::{Lowered, Slot};
use crate::instruction::{A_LOCAL, B_OWNED, C_OWNED, EFFECT_RAISE, Op, Operand, VARIANT, Word, own_lent};
use crate::verify::NO_HANDLER;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Nothing,
    Owned,
    Borrowed,
}
use Held::*;

type Held2 = Vec<Held>;

struct Check<'a> {
    code: &'a Lowered,
    /// By pc: the stack registers on entry.
    seen: Vec<Option<Held2>>,
    work: Vec<usize>,
}

pub fn check(code: &Lowered) -> Result<(), String> {
    let mut check = Check { code, seen: vec![None; code.words.len() + 1], work: Vec::new() };
    check.flow(0, &vec![Nothing; (code.registers - code.nlocalsplus) as usize])?;
    while let Some(pc) = check.work.pop() {
        check
            .run(pc)
            .map_err(|message| format!("at {pc}: {}: {message}", crate::instruction::disassemble(&code.words, pc)))?;
    }
    Ok(())
}

impl Check<'_> {
    fn flow(&mut self, pc: usize, held: &Held2) -> Result<(), String> {
        if pc >= self.code.words.len() {
            return Err(format!("control reaches {pc}"));
        }
        match &mut self.seen[pc] {
            None => self.seen[pc] = Some(held.clone()),
            Some(known) => {
                let mut changed = false;
                for (old, new) in known.iter_mut().zip(held) {
                    if (*old == Owned) != (*new == Owned) {
                        return Err(format!("{old:?} and {new:?} meet at {pc}"));
                    }
                    if *old == Borrowed && *new == Nothing {
                        *old = Nothing;
                        changed = true;
                    }
                }
                if !changed {
                    return Ok(());
                }
            }
        }
        self.work.push(pc);
        Ok(())
    }

    fn run(&mut self, pc: usize) -> Result<(), String> {
        let code = self.code;
        let mut held = self.seen[pc].clone().expect("work has a state");
        let word = Word::decode(code.words[pc]);
        let op = Op::from_u8(word.op()).ok_or("no such instruction")?;
        let nlocals = code.nlocalsplus as usize;
        // What is lent is owned once it has been taken.
        let flags = if op == Op::LoadSuperAttr { word.flags() } else { own_lent(word.flags()) };
        let mut consumed = Vec::new();
        let mut written: Vec<u16> = Vec::new();
        for (operand, (register, bit)) in
            op.operands().iter().zip([(word.a(), A_LOCAL), (word.b(), B_OWNED), (word.c(), C_OWNED)])
        {
            let slot = (register as usize).checked_sub(nlocals);
            match operand {
                Operand::src | Operand::peek => {
                    let owned = *operand == Operand::src && flags & bit != 0;
                    if op == Op::Reraise && bit == C_OWNED && word.flags() & VARIANT == 0 {
                        continue;
                    }
                    match slot {
                        None if owned => return Err("consumes a local".into()),
                        None => {}
                        Some(slot) => match *held.get(slot).ok_or("register out of range")? {
                            Nothing => return Err(format!("reads empty r{register}")),
                            Borrowed if owned => return Err(format!("consumes borrowed r{register}")),
                            _ if owned => consumed.push(slot),
                            _ => {}
                        },
                    }
                }
                Operand::base => {
                    let slot = slot.ok_or("base is a local")?;
                    let mask = if matches!(op, Op::Call | Op::CallKw) { code.words[pc + 1] as u32 } else { 0 };
                    let extra_names = op == Op::CallKw && code.words[pc + 1] >> 32 == 0;
                    let count = match op {
                        Op::Call | Op::CallKw => 2 + word.c() as usize + extra_names as usize,
                        Op::CallFunctionEx => 4,
                        Op::StoreSlice => 4,
                        Op::BinarySlice | Op::LoadSuperAttr | Op::MatchClass | Op::CleanupThrow => 3,
                        Op::WithExceptStart => 5,
                        Op::BuildMap => 2 * word.c() as usize,
                        Op::BuildInterpolation => 2 + (word.flags() & VARIANT != 0) as usize,
                        Op::BuildTuple | Op::BuildList | Op::BuildSet | Op::BuildString | Op::BuildSlice => {
                            word.c() as usize
                        }
                        _ => 2,
                    };
                    for index in 0..count {
                        let null = match op {
                            Op::Call | Op::CallKw => index == 1 && word.flags() & VARIANT != 0,
                            Op::CallFunctionEx => index == 1 || (index == 3 && word.flags() & VARIANT != 0),
                            _ => false,
                        };
                        if null {
                            // It may hold a null.
                            if held[slot + index] == Owned {
                                consumed.push(slot + index);
                            }
                            continue;
                        }
                        let expected = if index < 32 && mask >> index & 1 != 0 { Borrowed } else { Owned };
                        if held[slot + index] != expected {
                            return Err(format!("register {index} of base is {:?}", held[slot + index]));
                        }
                        if op != Op::WithExceptStart && expected == Owned {
                            consumed.push(slot + index);
                        }
                    }
                }
                Operand::dst => written.push(register),
                _ => {}
            }
        }
        match op {
            Op::BorrowPair
            | Op::BorrowLocalConst
            | Op::BorrowConstLocal
            | Op::BorrowConstPair
            | Op::LoadMethod
            | Op::LoadSpecial
            | Op::CleanupThrow
            | Op::CheckEgMatch => written.push(word.a() + 1),
            Op::LoadSuperAttr if word.flags() & VARIANT != 0 => written.push(word.a() + 1),
            Op::UnpackSequence => written = (word.a()..word.a() + word.c()).collect(),
            Op::UnpackEx => {
                let counts = code.words[pc + 1];
                let count = 1 + (counts & 0xFF) + (counts >> 8);
                written = (word.a()..word.a() + count as u16).collect();
            }
            Op::UnpackToLocals | Op::UnpackToMany => {
                let at = |index: u16| code.words[pc + 1 + index as usize / 4] >> (16 * (index % 4));
                let locals = (0..word.c()).map(|index| at(index) as u16);
                if locals.into_iter().any(|local| local as usize >= nlocals) {
                    return Err("unpacks to no local".into());
                }
            }
            Op::PushExcInfo => written.push(word.a() + 1),
            _ => {}
        }
        for &slot in &consumed {
            if held[slot] != Owned {
                return Err("consumes a register twice".into());
            }
            held[slot] = Nothing;
        }
        if op == Op::YieldValue {
            held[word.a() as usize - nlocals] = Owned;
            written.clear();
        }
        if op.effects() != 0 {
            let site = code.site(pc as u32).ok_or("no site")?;
            let map = &code.maps[site.map as usize];
            for (slot, held) in held.iter().enumerate() {
                let fits = match map.get(slot) {
                    Some(Slot::Own) => *held == Owned,
                    Some(Slot::Borrowed(_)) => *held == Borrowed,
                    _ => *held != Owned,
                };
                // Materialising an operand cannot raise; its map may be that of the operation to come.
                if !fits && op.effects() & EFFECT_RAISE != 0 {
                    return Err(format!("slot {slot} is {held:?}, the map says {:?}", map.get(slot)));
                }
            }
            if op.effects() & EFFECT_RAISE != 0 && site.handler != NO_HANDLER {
                let handler = code.handlers[site.handler as usize];
                if map.len() < handler.depth as usize {
                    return Err("map is lower than the handler".into());
                }
                let mut entry = vec![Nothing; held.len()];
                let depth = handler.depth as usize + 1 + handler.push_lasti as usize;
                entry.get_mut(..depth).ok_or("handler out of range")?.fill(Owned);
                self.flow(handler.pc as usize, &entry)?;
            }
        }
        let target = |distance: u64| (pc as i64 + distance as u32 as i32 as i64) as usize;
        let next = pc + op.len();
        let taken = match op {
            Op::Jump | Op::JumpBackward => {
                self.flow(target(word.bc() as u64), &held)?;
                return Ok(());
            }
            Op::Return | Op::ReturnConst | Op::Raise | Op::RaiseOne | Op::RaiseAgain | Op::Reraise => {
                if matches!(op, Op::Return | Op::ReturnConst) && held.contains(&Owned) {
                    return Err("returns with values on the stack".into());
                }
                return Ok(());
            }
            _ if op.extras().contains(&crate::instruction::Extra::jump) => Some(target(code.words[pc + 1])),
            _ => None,
        };
        if let Some(taken) = taken
            && op != Op::Send
        {
            self.flow(taken, &held)?;
        }
        for register in written {
            match (register as usize).checked_sub(nlocals) {
                None if word.flags() & A_LOCAL == 0 => return Err("writes a local without saying so".into()),
                None => {}
                Some(slot) => {
                    if word.flags() & A_LOCAL != 0 {
                        return Err("destination is no local".into());
                    }
                    if *held.get(slot).ok_or("register out of range")? == Owned {
                        return Err(format!("overwrites r{register}"));
                    }
                    held[slot] = Owned;
                }
            }
        }
        let a = (word.a() as usize).wrapping_sub(nlocals);
        match op {
            Op::Borrow => held[a] = Borrowed,
            Op::BorrowPair | Op::BorrowLocalConst | Op::BorrowConstLocal | Op::BorrowConstPair => {
                held[a..a + 2].fill(Borrowed)
            }
            Op::LoadConst if word.flags() & (A_LOCAL | B_OWNED) == 0 => held[a] = Borrowed,
            Op::LoadMethod if word.flags() & VARIANT != 0 => held[a + 1] = Borrowed,
            Op::Own => {
                if held[a] != Borrowed {
                    return Err("owns what is not borrowed".into());
                }
                held[a] = Owned;
            }
            _ => {}
        }
        if let Some(taken) = taken
            && op == Op::Send
        {
            self.flow(taken, &held)?;
        }
        self.flow(next, &held)
    }
}
