//! Where a search may succeed: what every match must begin with.

use super::category::At;
use super::program::*;
use memchr::memmem;
use taipan_object::text::Unit;

#[derive(Debug)]
pub(super) enum Start {
    Anywhere,
    /// Only at the beginning of the text.
    Beginning,
    /// Only at the beginnings of lines.
    Line,
    Literal(Prefix),
    /// Only where one of these bytes is, and nothing beyond Latin-1.
    Bytes(Vec<u8>),
    Set {
        table: Box<[bool; 256]>,
        wide: bool,
    },
    Beginnings(Box<Beginnings>),
}

/// For each of the first characters, and for each way to begin, whether the character belongs to it.
#[derive(Debug)]
pub(super) struct Beginnings {
    /// By the character; the last two entries are for those beyond Latin-1 and for the end of the text.
    ways: [[u64; 258]; DEPTH],
}

/// So many characters of the beginnings are looked at.
const DEPTH: usize = 3;
const WIDE: usize = 256;
const END: usize = 257;

#[derive(Debug)]
pub(super) struct Prefix {
    codes: Vec<u32>,
    /// Boxed: its vectors want more alignment than objects have.
    finder: Option<Box<memmem::Finder<'static>>>,
    /// The literal is all there is to match.
    pub whole: bool,
}

/// No pattern that people write needs more steps to be analysed.
const MAX_STEPS: usize = 2000;

impl Start {
    pub(super) fn new(program: &Program) -> Start {
        if let Some(prefix) = literal_prefix(program) {
            return Start::Literal(prefix);
        }
        let first = program.insts.iter().find(|inst| !matches!(inst, Inst::Mark(_)));
        match first {
            Some(Inst::At(At::Beginning)) => return Start::Beginning,
            Some(Inst::At(At::BeginningLine)) => return Start::Line,
            _ => {}
        }
        let Some((table, wide)) = first_set(program) else { return Start::Anywhere };
        let members: Vec<u8> = (0..=255).filter(|&byte| table[byte as usize]).collect();
        if let Some(beginnings) = Beginnings::new(program)
            && members.len() > 1
        {
            return Start::Beginnings(Box::new(beginnings));
        }
        if members.len() <= 3 && !wide { Start::Bytes(members) } else { Start::Set { table, wide } }
    }

    /// The first place from `from` to `last` where a match may begin.
    #[inline]
    pub(super) fn find<U: Unit>(&self, text: &[U], from: usize, last: usize) -> Option<usize> {
        if from > last {
            return None;
        }
        // The characters that a match may begin with; at `last` there may be none.
        let window = &text[from..text.len().min(last + 1)];
        let found = match self {
            Start::Anywhere => return Some(from),
            Start::Beginning => return (from == 0).then_some(0),
            Start::Line => {
                if from == 0 || text[from - 1].code() == b'\n' as u32 {
                    return Some(from);
                }
                find_code(window, b'\n' as u32).map(|at| at + 1).filter(|&at| from + at <= last)
            }
            Start::Literal(prefix) => prefix.find(&text[from..]),
            Start::Bytes(members) => match (U::as_bytes(window), members.as_slice()) {
                (_, []) => None,
                (_, &[a]) => find_code(window, a as u32),
                (Some(bytes), &[a, b]) => memchr::memchr2(a, b, bytes),
                (Some(bytes), &[a, b, c]) => memchr::memchr3(a, b, c, bytes),
                _ => window.iter().position(|unit| members.iter().any(|&byte| byte as u32 == unit.code())),
            },
            Start::Set { table, wide } => {
                let may_begin = |unit: &U| table.get(unit.code() as usize).copied().unwrap_or(*wide);
                window.iter().position(may_begin)
            }
            Start::Beginnings(beginnings) => return beginnings.find(text, from, last),
        };
        found.map(|at| from + at).filter(|&at| at <= last)
    }
}

impl Beginnings {
    /// For programs that begin with at least two known characters, or alternatives that do.
    fn new(program: &Program) -> Option<Beginnings> {
        let first = program.insts.iter().position(|inst| !matches!(inst, Inst::Mark(_)))?;
        let starts: Vec<usize> = match program.insts[first] {
            Inst::Branch(number) => {
                program.branches[number as usize].alternatives.iter().map(|alt| alt.pc as usize).collect()
            }
            _ => vec![first],
        };
        if starts.len() > 64 {
            return None;
        }
        let mut ways = [[0; 258]; DEPTH];
        for (way, &start) in starts.iter().enumerate() {
            let singles = leading(program, start);
            if singles.len() < 2 {
                return None;
            }
            for (depth, ways) in ways.iter_mut().enumerate() {
                let Some(&single) = singles.get(depth) else {
                    ways.iter_mut().for_each(|ways| *ways |= 1 << way);
                    continue;
                };
                for (c, ways) in ways.iter_mut().enumerate().take(END) {
                    *ways |= (may_match(program, single, c) as u64) << way;
                }
            }
        }
        Some(Beginnings { ways })
    }

    fn find<U: Unit>(&self, text: &[U], from: usize, last: usize) -> Option<usize> {
        let class = |at: usize| text.get(at).map_or(END, |unit| (unit.code() as usize).min(WIDE));
        let [first, second, third] = &self.ways;
        (from..=last).find(|&at| {
            let ways = first[class(at)];
            ways != 0 && {
                let ways = ways & second[class(at + 1)];
                ways != 0 && ways & third[class(at + 2)] != 0
            }
        })
    }
}

/// The characters that the program takes first from `pc` on, as far as they are certain.
fn leading(program: &Program, pc: usize) -> Vec<Single> {
    let mut singles = Vec::new();
    for inst in &program.insts[pc..] {
        match *inst {
            Inst::Mark(_) => {}
            Inst::One(single) => singles.push(single),
            Inst::Literals { start, len } => {
                let literals = &program.literals[start as usize..(start + len) as usize];
                singles.extend(literals.iter().take(DEPTH).map(|&c| Single::Literal(c)));
            }
            _ => break,
        }
        if singles.len() >= DEPTH {
            break;
        }
    }
    singles
}

/// Whether a character of Latin-1, or one beyond it, may be matched.
fn may_match(program: &Program, single: Single, c: usize) -> bool {
    match single {
        Single::None => false,
        Single::Any => c != b'\n' as usize,
        Single::AnyAll | Single::LocaleSet(_) => true,
        Single::Literal(literal) => c == (literal as usize).min(WIDE),
        Single::NotLiteral(literal) => c == WIDE || c != literal as usize,
        Single::Set(number) if c == WIDE => program.sets[number as usize].may_have_wide(),
        Single::Set(number) => program.sets[number as usize].contains(c as u32),
    }
}

/// Where the character first is.
#[inline]
pub(super) fn find_code<U: Unit>(text: &[U], code: u32) -> Option<usize> {
    match U::as_bytes(text) {
        Some(bytes) => memchr::memchr(u8::try_from(code).ok()?, bytes),
        None => {
            let wanted = U::from_code(code)?;
            text.iter().position(|&unit| unit == wanted)
        }
    }
}

impl Prefix {
    pub(super) fn len(&self) -> usize {
        self.codes.len()
    }

    fn find<U: Unit>(&self, text: &[U]) -> Option<usize> {
        if let Some(bytes) = U::as_bytes(text) {
            // Without a finder the literal has wider characters than the text.
            return self.finder.as_ref()?.find(bytes);
        }
        let first = *self.codes.first()?;
        let mut from = 0;
        loop {
            let at = from + find_code(&text[from..], first)?;
            let candidate = text.get(at..at + self.codes.len())?;
            if candidate.iter().zip(&self.codes).all(|(unit, &code)| unit.code() == code) {
                return Some(at);
            }
            from = at + 1;
        }
    }
}

/// The literal that every match begins with, when there is one.
fn literal_prefix(program: &Program) -> Option<Prefix> {
    let mut codes = Vec::new();
    let mut whole = true;
    for inst in &program.insts {
        match *inst {
            Inst::One(Single::Literal(c)) => codes.push(c),
            Inst::Literals { start, len } => {
                codes.extend_from_slice(&program.literals[start as usize..(start + len) as usize]);
            }
            Inst::Mark(_) => whole = false,
            // A condition on the place does not move it.
            Inst::At(At::Boundary(_) | At::NonBoundary(_)) if codes.is_empty() => whole = false,
            ref inst => {
                whole &= matches!(inst, Inst::Match);
                break;
            }
        }
    }
    if codes.is_empty() {
        return None;
    }
    let bytes: Option<Vec<u8>> = codes.iter().map(|&c| u8::try_from(c).ok()).collect();
    let finder = bytes.map(|bytes| Box::new(memmem::Finder::new(&bytes).into_owned()));
    Some(Prefix { codes, finder, whole })
}

/// The characters of Latin-1 that a match may begin with and whether others may; `None` when that excludes nothing or a
/// match may be empty.
fn first_set(program: &Program) -> Option<(Box<[bool; 256]>, bool)> {
    let mut table = Box::new([false; 256]);
    let mut wide = false;
    let mut seen = vec![false; program.insts.len()];
    let mut pending = vec![0_usize];
    let mut steps = 0;
    while let Some(pc) = pending.pop() {
        if std::mem::replace(seen.get_mut(pc)?, true) {
            continue;
        }
        steps += 1;
        if steps > MAX_STEPS {
            return None;
        }
        match program.insts[pc] {
            Inst::Fail => {}
            Inst::Match | Inst::GroupRef { .. } | Inst::AssertEnd | Inst::AssertNotEnd => return None,
            Inst::One(single) => add(program, single, &mut table, &mut wide)?,
            Inst::Literals { start, .. } => {
                add(program, Single::Literal(program.literals[start as usize]), &mut table, &mut wide)?;
            }
            Inst::At(_) | Inst::Mark(_) | Inst::Atomic | Inst::AtomicEnd => pending.push(pc + 1),
            Inst::Jump(target) => pending.push(target as usize),
            Inst::Branch(number) => {
                pending.extend(program.branches[number as usize].alternatives.iter().map(|alt| alt.pc as usize));
            }
            Inst::GroupExists { no, .. } => pending.extend([pc + 1, no as usize]),
            // What is ahead is looked at again afterwards.
            Inst::Assert { .. } => pending.push(after_assert(program, pc)?),
            Inst::AssertNot { next, .. } => pending.push(next as usize),
            Inst::Peek { .. } => pending.push(pc + 2),
            Inst::Repeat { until, .. } => pending.push(until as usize),
            Inst::MaxUntil(number) | Inst::MinUntil(number) | Inst::PossessiveHead(number) => {
                let ends = &program.loops[number as usize];
                pending.push(ends.body as usize);
                // The end of the loop is reached again after a body that matched nothing.
                if ends.min == 0 || can_be_empty(program, ends) {
                    pending.push(ends.tail as usize);
                }
            }
            Inst::PossessiveEnd { head } => pending.push(head as usize),
            Inst::RepeatOne(number) | Inst::MinRepeatOne(number) | Inst::PossessiveRepeatOne(number) => {
                let repeat = &program.repeats[number as usize];
                if repeat.max > 0 {
                    add(program, repeat.single, &mut table, &mut wide)?;
                }
                if repeat.min == 0 {
                    pending.push(pc + 1);
                }
            }
        }
    }
    (!table.iter().all(|&member| member)).then_some((table, wide))
}

/// Whether a turn of the loop may match nothing, as far as a look at its instructions tells: one that always takes a
/// character is enough, if nothing leads around it.
fn can_be_empty(program: &Program, ends: &Loop) -> bool {
    for inst in &program.insts[ends.body as usize..] {
        match *inst {
            Inst::One(_) | Inst::Literals { .. } => return false,
            Inst::RepeatOne(number) | Inst::MinRepeatOne(number) | Inst::PossessiveRepeatOne(number)
                if program.repeats[number as usize].min > 0 =>
            {
                return false;
            }
            Inst::Mark(_) | Inst::At(_) | Inst::RepeatOne(_) | Inst::MinRepeatOne(_) => {}
            _ => return true,
        }
    }
    true
}

/// The instruction after an assertion, whose end is found by counting nested ones.
fn after_assert(program: &Program, pc: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, inst) in program.insts.iter().enumerate().skip(pc) {
        match inst {
            Inst::Assert { .. } => depth += 1,
            Inst::AssertEnd => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// Adds what a single-character instruction matches; `None` when that is (nearly) everything.
fn add(program: &Program, single: Single, table: &mut [bool; 256], wide: &mut bool) -> Option<()> {
    match single {
        Single::None => {}
        Single::Any | Single::AnyAll | Single::NotLiteral(_) | Single::LocaleSet(_) => return None,
        Single::Literal(c) => match table.get_mut(c as usize) {
            Some(member) => *member = true,
            None => *wide = true,
        },
        Single::Set(number) => {
            let set = &program.sets[number as usize];
            for (member, &other) in table.iter_mut().zip(set.table()) {
                *member |= other;
            }
            *wide |= set.may_have_wide();
        }
    }
    Some(())
}
