//! What a code array is translated to.

use super::category::{At, Fold};
use super::charset::CharSet;
use super::start::Start;
use super::{InvalidCode, translate};

/// An index into [`Program::insts`].
pub(super) type Pc = u32;

#[derive(Clone, Copy, Debug)]
pub(super) enum Inst {
    Fail,
    Match,
    One(Single),
    /// A run of literals: where it is in [`Program::literals`].
    Literals {
        start: u32,
        len: u32,
    },
    At(At),
    Mark(u32),
    Jump(Pc),
    /// Alternatives, by their number in [`Program::branches`].
    Branch(u32),
    GroupRef {
        group: u32,
        fold: Fold,
    },
    /// Goes on when the group has matched, to `no` when not.
    GroupExists {
        group: u32,
        no: Pc,
    },
    /// Matches what follows, `back` characters earlier, up to AssertEnd, without moving.
    Assert {
        back: u32,
    },
    AssertEnd,
    /// Goes on at `next` when what follows, up to AssertNotEnd, does not match.
    AssertNot {
        back: u32,
        next: Pc,
    },
    AssertNotEnd,
    /// An assertion about the one instruction that follows, which matches characters by itself.
    Peek {
        back: u32,
        negative: bool,
    },
    Atomic,
    AtomicEnd,
    /// Enters a loop, whose Until instruction is at `until`.
    Repeat {
        until: Pc,
        slot: u32,
    },
    /// The ends of loops, by their numbers in [`Program::loops`].
    MaxUntil(u32),
    MinUntil(u32),
    PossessiveHead(u32),
    PossessiveEnd {
        head: Pc,
    },
    /// Repeats of one character, by their numbers in [`Program::repeats`].
    RepeatOne(u32),
    MinRepeatOne(u32),
    PossessiveRepeatOne(u32),
}

/// Something that matches exactly one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Single {
    None,
    /// Anything but a newline.
    Any,
    AnyAll,
    Literal(u32),
    NotLiteral(u32),
    Set(u32),
    /// A set that depends on the locale.
    LocaleSet(u32),
}

/// What a part of the program must begin with, as far as one character tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    Unknown,
    Literal(u32),
    Set(u32),
}

#[derive(Debug)]
pub(super) struct Alternative {
    pub pc: Pc,
    pub first: First,
}

#[derive(Debug)]
pub(super) struct Branch {
    pub alternatives: Vec<Alternative>,
    /// For each character of Latin-1, the alternatives that may begin with it.
    pub by_first: Option<Box<[u64; 256]>>,
}

#[derive(Debug)]
pub(super) struct Loop {
    pub min: u32,
    /// `u32::MAX` is no limit.
    pub max: u32,
    /// The first instruction of the body.
    pub body: Pc,
    /// Where the program goes on after the loop.
    pub tail: Pc,
    pub body_first: First,
    pub tail_first: First,
}

#[derive(Debug)]
pub(super) struct Repeat {
    pub single: Single,
    pub min: usize,
    pub max: usize,
    /// What follows.
    pub tail: First,
    /// Nothing that is repeated can begin what follows, so giving characters back is of no use.
    pub exclusive: bool,
}

/// A checked and translated code array.
#[derive(Debug)]
pub struct Program {
    pub(super) insts: Vec<Inst>,
    pub(super) literals: Vec<u32>,
    /// The literals again, when they are bytes.
    pub(super) literal_bytes: Option<Vec<u8>>,
    pub(super) sets: Vec<CharSet>,
    pub(super) branches: Vec<Branch>,
    pub(super) loops: Vec<Loop>,
    pub(super) repeats: Vec<Repeat>,
    pub(super) groups: usize,
    /// No match is shorter.
    pub(super) min_width: usize,
    pub(super) start: Start,
}

impl Program {
    /// Checks and translates the code of a pattern with so many groups.
    pub fn new(code: &[u32], groups: usize) -> Result<Program, InvalidCode> {
        let mut program = translate::translate(code, groups)?;
        program.prepare();
        Ok(program)
    }

    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Works out what single characters tell about alternatives, repeats and the start.
    fn prepare(&mut self) {
        for number in 0..self.branches.len() {
            for at in 0..self.branches[number].alternatives.len() {
                let first = self.first_at(self.branches[number].alternatives[at].pc);
                self.branches[number].alternatives[at].first = first;
            }
            if (4..=64).contains(&self.branches[number].alternatives.len()) {
                self.branches[number].by_first = Some(self.dispatch_table(number));
            }
        }
        for pc in 0..self.insts.len() {
            if let Inst::RepeatOne(number) | Inst::MinRepeatOne(number) = self.insts[pc] {
                let tail = self.first_at(pc as Pc + 1);
                let single = self.repeats[number as usize].single;
                let exclusive = self.are_disjoint(single, tail);
                let repeat = &mut self.repeats[number as usize];
                (repeat.tail, repeat.exclusive) = (tail, exclusive);
            }
        }
        for number in 0..self.loops.len() {
            let (body, tail) = (self.loops[number].body, self.loops[number].tail);
            self.loops[number].body_first = self.first_at(body);
            self.loops[number].tail_first = self.first_at(tail);
        }
        self.start = Start::new(self);
    }

    fn dispatch_table(&self, number: usize) -> Box<[u64; 256]> {
        let mut table = Box::new([0; 256]);
        for (at, alternative) in self.branches[number].alternatives.iter().enumerate() {
            for c in 0..256 {
                let possible = match alternative.first {
                    First::Unknown => true,
                    First::Literal(literal) => c == literal,
                    First::Set(set) => self.sets[set as usize].contains(c),
                };
                table[c as usize] |= (possible as u64) << at;
            }
        }
        table
    }

    /// What the part at `pc` begins with. Marks are passed over; they cannot fail.
    fn first_at(&self, mut pc: Pc) -> First {
        // Jumps only go forward, but a bound costs nothing.
        for _ in 0..64 {
            match self.insts[pc as usize] {
                Inst::Mark(_) => pc += 1,
                Inst::Jump(target) => pc = target,
                Inst::One(Single::Literal(c)) => return First::Literal(c),
                Inst::One(Single::Set(set)) => return First::Set(set),
                Inst::Literals { start, .. } => return First::Literal(self.literals[start as usize]),
                Inst::RepeatOne(number) | Inst::PossessiveRepeatOne(number) | Inst::MinRepeatOne(number) => {
                    let repeat = &self.repeats[number as usize];
                    return match repeat.single {
                        Single::Literal(c) if repeat.min > 0 => First::Literal(c),
                        Single::Set(set) if repeat.min > 0 => First::Set(set),
                        _ => First::Unknown,
                    };
                }
                _ => break,
            }
        }
        First::Unknown
    }

    /// Whether no character is matched by both.
    fn are_disjoint(&self, single: Single, first: First) -> bool {
        let set = |number: u32| &self.sets[number as usize];
        match (single, first) {
            (_, First::Unknown) => false,
            (Single::Any, First::Literal(c)) => c == b'\n' as u32,
            (Single::Literal(a), First::Literal(b)) => a != b,
            (Single::NotLiteral(a), First::Literal(b)) => a == b,
            (Single::Set(number), First::Literal(c)) => !set(number).contains(c),
            (Single::Literal(c), First::Set(number)) => !set(number).contains(c),
            (Single::Set(a), First::Set(b)) => {
                let both = set(a).table().iter().zip(set(b).table()).any(|(&a, &b)| a && b);
                !both && !(set(a).may_have_wide() && set(b).may_have_wide())
            }
            _ => false,
        }
    }
}
