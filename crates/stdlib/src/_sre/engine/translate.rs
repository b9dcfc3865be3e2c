//! Checks a code array and translates it, in one pass and without recursion.

use super::InvalidCode;
use super::category::{At, Category, Fold};
use super::charset::CharSet;
use super::opcode::*;
use super::program::*;
use super::start::Start;

/// A construct whose inner code is being read.
struct Region {
    kind: Kind,
    /// The word after the inner code.
    end: usize,
}

enum Kind {
    Root,
    /// An alternative. All jump to the same word, behind the construct.
    Alternative {
        branch: usize,
        jumps: Vec<usize>,
        target: Option<usize>,
    },
    Repeat {
        inst: usize,
        min: u32,
        max: u32,
    },
    Possessive {
        head: usize,
    },
    Assert {
        inst: usize,
    },
    AssertNot {
        inst: usize,
    },
    Atomic,
    Then {
        inst: usize,
    },
    Else {
        jump: usize,
    },
}

struct Translator<'a> {
    code: &'a [u32],
    at: usize,
    program: Program,
    regions: Vec<Region>,
    /// Literals may only be joined to an instruction at or after this one: no jump leads between them.
    boundary: usize,
}

pub(super) fn translate(code: &[u32], groups: usize) -> Result<Program, InvalidCode> {
    if code.last() != Some(&SUCCESS) || groups > MAXGROUPS as usize {
        return Err(InvalidCode);
    }
    let program = Program {
        insts: Vec::new(),
        literals: Vec::new(),
        literal_bytes: None,
        sets: Vec::new(),
        branches: Vec::new(),
        loops: Vec::new(),
        repeats: Vec::new(),
        groups,
        min_width: 0,
        start: Start::Anywhere,
    };
    let root = Region { kind: Kind::Root, end: code.len() - 1 };
    let mut translator = Translator { code, at: 0, program, regions: vec![root], boundary: 0 };
    while let Some(region) = translator.regions.last() {
        let end = region.end;
        if translator.at < end {
            translator.instruction(end)?;
        } else if translator.at == end {
            translator.close()?;
        } else {
            return Err(InvalidCode);
        }
    }
    let mut program = translator.program;
    let bytes: Option<Vec<u8>> = program.literals.iter().map(|&c| u8::try_from(c).ok()).collect();
    program.literal_bytes = bytes;
    Ok(program)
}

impl Translator<'_> {
    fn word(&mut self) -> Result<u32, InvalidCode> {
        let word = self.code.get(self.at).copied().ok_or(InvalidCode)?;
        self.at += 1;
        Ok(word)
    }

    /// Reads a skip: the word that it leads to, at most `limit`.
    fn skip(&mut self, limit: usize) -> Result<usize, InvalidCode> {
        let from = self.at;
        let target = from.checked_add(self.word()? as usize).filter(|&target| target <= limit);
        target.filter(|&target| target > from).ok_or(InvalidCode)
    }

    fn emit(&mut self, inst: Inst) -> usize {
        self.program.insts.push(inst);
        self.program.insts.len() - 1
    }

    /// The next instruction's place, which something jumps to.
    fn label(&mut self) -> Pc {
        self.boundary = self.program.insts.len();
        self.boundary as Pc
    }

    fn enter(&mut self, kind: Kind, end: usize) -> Result<(), InvalidCode> {
        if end < self.at {
            return Err(InvalidCode);
        }
        self.boundary = self.program.insts.len();
        self.regions.push(Region { kind, end });
        Ok(())
    }

    fn expect(&mut self, op: u32) -> Result<(), InvalidCode> {
        if self.word()? == op { Ok(()) } else { Err(InvalidCode) }
    }

    fn add_set(&mut self, set: CharSet) -> Single {
        let locale = set.depends_on_locale();
        self.program.sets.push(set);
        let number = self.program.sets.len() as u32 - 1;
        if locale { Single::LocaleSet(number) } else { Single::Set(number) }
    }

    /// The rest of an instruction that matches one character; `None` when `op` is another.
    fn single(&mut self, op: u32, end: usize) -> Result<Option<Single>, InvalidCode> {
        let fold = match op {
            LITERAL_IGNORE | NOT_LITERAL_IGNORE | IN_IGNORE => Fold::Ascii,
            LITERAL_UNI_IGNORE | NOT_LITERAL_UNI_IGNORE | IN_UNI_IGNORE => Fold::Unicode,
            LITERAL_LOC_IGNORE | NOT_LITERAL_LOC_IGNORE | IN_LOC_IGNORE => Fold::Locale,
            _ => Fold::None,
        };
        Ok(Some(match op {
            FAILURE => Single::None,
            ANY => Single::Any,
            ANY_ALL => Single::AnyAll,
            LITERAL => Single::Literal(self.word()?),
            NOT_LITERAL => Single::NotLiteral(self.word()?),
            LITERAL_IGNORE | LITERAL_UNI_IGNORE | LITERAL_LOC_IGNORE => {
                let set = CharSet::literal(self.word()?, false, fold);
                self.add_set(set)
            }
            NOT_LITERAL_IGNORE | NOT_LITERAL_UNI_IGNORE | NOT_LITERAL_LOC_IGNORE => {
                let set = CharSet::literal(self.word()?, true, fold);
                self.add_set(set)
            }
            IN | IN_IGNORE | IN_UNI_IGNORE | IN_LOC_IGNORE => {
                let target = self.skip(end)?;
                let set = CharSet::parse(&self.code[self.at..target], fold)?;
                self.at = target;
                self.add_set(set)
            }
            CATEGORY => {
                let (category, negated) = Category::from_code(self.word()?).ok_or(InvalidCode)?;
                self.add_set(CharSet::category(category, negated))
            }
            _ => return Ok(None),
        }))
    }

    fn emit_single(&mut self, single: Single) {
        let Single::Literal(c) = single else {
            self.emit(Inst::One(single));
            return;
        };
        let literals = &mut self.program.literals;
        let joins = self.program.insts.len() > self.boundary;
        match self.program.insts.last_mut() {
            Some(Inst::Literals { start, len }) if joins && (*start + *len) as usize == literals.len() => {
                literals.push(c);
                *len += 1;
            }
            Some(inst @ Inst::One(Single::Literal(_))) if joins => {
                let Inst::One(Single::Literal(first)) = *inst else { return };
                *inst = Inst::Literals { start: literals.len() as u32, len: 2 };
                literals.extend([first, c]);
            }
            _ => {
                self.emit(Inst::One(single));
            }
        }
    }

    fn group(&mut self) -> Result<u32, InvalidCode> {
        let group = self.word()?;
        if (group as usize) < self.program.groups { Ok(group) } else { Err(InvalidCode) }
    }

    /// Reads the minimum and maximum of a repeat.
    fn bounds(&mut self) -> Result<(u32, u32), InvalidCode> {
        let (min, max) = (self.word()?, self.word()?);
        if min <= max { Ok((min, max)) } else { Err(InvalidCode) }
    }

    fn new_loop(&mut self, min: u32, max: u32) -> u32 {
        self.program.loops.push(Loop {
            min,
            max,
            body: 0,
            tail: 0,
            body_first: First::Unknown,
            tail_first: First::Unknown,
        });
        self.program.loops.len() as u32 - 1
    }

    fn instruction(&mut self, end: usize) -> Result<(), InvalidCode> {
        let op = self.word()?;
        if let Some(single) = self.single(op, end)? {
            if single == Single::None {
                self.emit(Inst::Fail);
            } else {
                self.emit_single(single);
            }
            return Ok(());
        }
        match op {
            AT => {
                let at = At::from_code(self.word()?).ok_or(InvalidCode)?;
                self.emit(Inst::At(at));
            }
            MARK => {
                let mark = self.word()?;
                if mark as usize >= 2 * self.program.groups {
                    return Err(InvalidCode);
                }
                self.emit(Inst::Mark(mark));
            }
            INFO => {
                let first = self.at == 1;
                let target = self.skip(end)?;
                let words = &self.code[self.at..target];
                if words.len() < 3 || words[1] > words[2] {
                    return Err(InvalidCode);
                }
                if first {
                    self.program.min_width = words[1] as usize;
                }
                self.at = target;
            }
            BRANCH => {
                self.program.branches.push(Branch { alternatives: Vec::new(), by_first: None });
                let branch = self.program.branches.len() - 1;
                self.emit(Inst::Branch(branch as u32));
                self.alternative(branch, Vec::new(), None, end)?;
            }
            GROUPREF | GROUPREF_IGNORE | GROUPREF_UNI_IGNORE | GROUPREF_LOC_IGNORE => {
                let fold = match op {
                    GROUPREF => Fold::None,
                    GROUPREF_IGNORE => Fold::Ascii,
                    GROUPREF_UNI_IGNORE => Fold::Unicode,
                    _ => Fold::Locale,
                };
                let group = self.group()?;
                self.emit(Inst::GroupRef { group, fold });
            }
            GROUPREF_EXISTS => {
                let group = self.group()?;
                let target = self.skip(end + 1)?;
                let inst = self.emit(Inst::GroupExists { group, no: 0 });
                self.enter(Kind::Then { inst }, target - 1)?;
            }
            JUMP => self.otherwise()?,
            ASSERT | ASSERT_NOT => {
                let target = self.skip(end)?;
                let back = self.word()?;
                if op == ASSERT {
                    let inst = self.emit(Inst::Assert { back });
                    self.enter(Kind::Assert { inst }, target - 1)?;
                } else {
                    let inst = self.emit(Inst::AssertNot { back, next: 0 });
                    self.enter(Kind::AssertNot { inst }, target - 1)?;
                }
            }
            ATOMIC_GROUP => {
                let target = self.skip(end)?;
                self.emit(Inst::Atomic);
                self.enter(Kind::Atomic, target - 1)?;
            }
            REPEAT => {
                let target = self.skip(end)?;
                let (min, max) = self.bounds()?;
                let inst = self.emit(Inst::Repeat { until: 0, slot: 0 });
                self.enter(Kind::Repeat { inst, min, max }, target)?;
            }
            POSSESSIVE_REPEAT => {
                let target = self.skip(end)?;
                let (min, max) = self.bounds()?;
                let slot = self.new_loop(min, max);
                let until = self.program.insts.len() as Pc + 1;
                self.emit(Inst::Repeat { until, slot });
                let head = self.emit(Inst::PossessiveHead(slot));
                self.program.loops[slot as usize].body = head as Pc + 1;
                self.enter(Kind::Possessive { head }, target)?;
            }
            REPEAT_ONE | MIN_REPEAT_ONE | POSSESSIVE_REPEAT_ONE => {
                let target = self.skip(end)?;
                let (min, max) = self.bounds()?;
                let inner = self.word()?;
                let single = self.single(inner, target - 1)?.ok_or(InvalidCode)?;
                self.expect(SUCCESS)?;
                if self.at != target {
                    return Err(InvalidCode);
                }
                let max = if max == MAXREPEAT { usize::MAX } else { max as usize };
                let repeat = Repeat { single, min: min as usize, max, tail: First::Unknown, exclusive: false };
                self.program.repeats.push(repeat);
                let number = self.program.repeats.len() as u32 - 1;
                self.emit(match op {
                    REPEAT_ONE => Inst::RepeatOne(number),
                    MIN_REPEAT_ONE => Inst::MinRepeatOne(number),
                    _ => Inst::PossessiveRepeatOne(number),
                });
            }
            _ => return Err(InvalidCode),
        }
        Ok(())
    }

    /// Simplifies the assertion at `inst` if only one instruction follows, and that can be tried without a stack.
    fn peeks(&mut self, inst: usize) -> bool {
        let [assertion, Inst::One(_) | Inst::Literals { .. }] = &mut self.program.insts[inst..] else { return false };
        *assertion = match *assertion {
            Inst::Assert { back } => Inst::Peek { back, negative: false },
            Inst::AssertNot { back, .. } => Inst::Peek { back, negative: true },
            _ => return false,
        };
        true
    }

    /// Begins an alternative, or ends the alternatives when there is none left. `limit` is the end of what surrounds
    /// them.
    fn alternative(
        &mut self,
        branch: usize,
        jumps: Vec<usize>,
        target: Option<usize>,
        limit: usize,
    ) -> Result<(), InvalidCode> {
        if self.code.get(self.at) == Some(&FAILURE) {
            self.at += 1;
            if target.is_some_and(|target| target != self.at) {
                return Err(InvalidCode);
            }
            let pc = self.label();
            for jump in jumps {
                self.program.insts[jump] = Inst::Jump(pc);
            }
            return Ok(());
        }
        let next = self.skip(limit)?;
        let pc = self.label();
        self.program.branches[branch].alternatives.push(Alternative { pc, first: First::Unknown });
        let end = next.checked_sub(2).ok_or(InvalidCode)?;
        self.enter(Kind::Alternative { branch, jumps, target }, end)
    }

    /// A JUMP between the two parts of a conditional.
    fn otherwise(&mut self) -> Result<(), InvalidCode> {
        let (inst, no) = match self.regions.last() {
            Some(Region { kind: Kind::Then { inst }, end }) if self.at + 1 == *end => (*inst, *end),
            _ => return Err(InvalidCode),
        };
        self.regions.pop();
        let limit = self.regions.last().map_or(0, |region| region.end);
        let target = self.skip(limit)?;
        let jump = self.emit(Inst::Jump(0));
        let pc = self.label();
        let Inst::GroupExists { no: place, .. } = &mut self.program.insts[inst] else { return Err(InvalidCode) };
        *place = pc;
        debug_assert_eq!(self.at, no);
        self.enter(Kind::Else { jump }, target)
    }

    /// Ends the innermost construct, whose inner code has been read.
    fn close(&mut self) -> Result<(), InvalidCode> {
        let Some(region) = self.regions.pop() else { return Err(InvalidCode) };
        let limit = self.regions.last().map_or(self.code.len(), |outer| outer.end);
        match region.kind {
            Kind::Root => {
                self.expect(SUCCESS)?;
                self.emit(Inst::Match);
            }
            Kind::Alternative { branch, mut jumps, target } => {
                self.expect(JUMP)?;
                let jump = self.skip(limit)?;
                if target.is_some_and(|target| target != jump) {
                    return Err(InvalidCode);
                }
                jumps.push(self.emit(Inst::Jump(0)));
                self.alternative(branch, jumps, Some(jump), limit)?;
            }
            Kind::Repeat { inst, min, max } => {
                let slot = self.new_loop(min, max);
                let pc = match self.word()? {
                    MAX_UNTIL => self.emit(Inst::MaxUntil(slot)),
                    MIN_UNTIL => self.emit(Inst::MinUntil(slot)),
                    _ => return Err(InvalidCode),
                };
                self.program.insts[inst] = Inst::Repeat { until: pc as Pc, slot };
                let tail = self.label();
                let ends = &mut self.program.loops[slot as usize];
                (ends.body, ends.tail) = (inst as Pc + 1, tail);
            }
            Kind::Possessive { head } => {
                self.expect(SUCCESS)?;
                self.emit(Inst::PossessiveEnd { head: head as Pc });
                let tail = self.label();
                let Inst::PossessiveHead(slot) = self.program.insts[head] else { return Err(InvalidCode) };
                self.program.loops[slot as usize].tail = tail;
            }
            Kind::Assert { inst } => {
                self.expect(SUCCESS)?;
                if !self.peeks(inst) {
                    self.emit(Inst::AssertEnd);
                }
                self.label();
            }
            Kind::AssertNot { inst } => {
                self.expect(SUCCESS)?;
                if self.peeks(inst) {
                    self.label();
                    return Ok(());
                }
                self.emit(Inst::AssertNotEnd);
                let pc = self.label();
                let Inst::AssertNot { next, .. } = &mut self.program.insts[inst] else { return Err(InvalidCode) };
                *next = pc;
            }
            Kind::Atomic => {
                self.expect(SUCCESS)?;
                self.emit(Inst::AtomicEnd);
                self.label();
            }
            Kind::Then { inst } => {
                let pc = self.label();
                let Inst::GroupExists { no, .. } = &mut self.program.insts[inst] else { return Err(InvalidCode) };
                *no = pc;
            }
            Kind::Else { jump } => {
                let pc = self.label();
                self.program.insts[jump] = Inst::Jump(pc);
            }
        }
        Ok(())
    }
}
