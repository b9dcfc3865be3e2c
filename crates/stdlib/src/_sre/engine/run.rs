//! The matcher: runs a program from one place, backtracking over a stack of choices and of values to restore.

use super::MatchError;
use super::category::{Fold, Locale};
use super::program::*;
use super::start::find_code;
use taipan_object::text::Unit;

/// Asked now and then whether to stop (because a signal handler raised).
pub type Interrupt<'a> = &'a mut dyn FnMut() -> bool;

/// A mark that is not set.
const NONE: usize = usize::MAX;

/// A match in the making or made; iteration over matches keeps one.
pub struct State<'a, U> {
    pub(super) program: &'a Program,
    /// The text up to the end of the search.
    pub(super) text: &'a [U],
    pub(super) start: usize,
    pub(super) ptr: usize,
    /// An empty match at `start` does not count.
    pub(super) must_advance: bool,
    /// Only a match up to the end counts.
    pub(super) match_all: bool,
    marks: Vec<usize>,
    lastindex: u32,
    slots: Vec<Slot>,
    stack: Vec<Frame>,
    locale: &'a Locale,
    interrupt: Interrupt<'a>,
    ticks: u32,
}

/// The memory of a [`State`], empty or kept from an earlier one.
#[derive(Debug, Default)]
pub struct Scratch {
    marks: Vec<usize>,
    slots: Vec<Slot>,
    stack: Vec<Frame>,
}

impl Scratch {
    pub const fn new() -> Scratch {
        Scratch { marks: Vec::new(), slots: Vec::new(), stack: Vec::new() }
    }
}

/// A larger stack is not kept.
const SCRATCH_FRAMES: usize = 4096;

/// The state of a loop: the turns begun, and where the last one began.
#[derive(Clone, Copy, Debug)]
struct Slot {
    count: u32,
    last: usize,
}

const NO_BARRIER: u32 = u32::MAX;
const NO_PC: Pc = Pc::MAX;

/// What failing finds on the stack: the first three are restored in passing.
#[derive(Clone, Copy, Debug)]
enum Frame {
    Mark {
        mark: u32,
        lastindex: u32,
        old: usize,
    },
    Slot {
        slot: u32,
        count: u32,
        last: usize,
    },
    /// The bottom of an assertion or atomic part; goes on at `on_fail`, if that is given.
    Barrier {
        outer: u32,
        on_fail: Pc,
        ptr: usize,
    },
    /// Alternatives from `next` on are left.
    Branch {
        branch: u32,
        next: u32,
        ptr: usize,
    },
    /// A greedy repeat that may end at `upto`, or before it down to `least`.
    Fewer {
        pc: Pc,
        upto: usize,
        least: usize,
    },
    /// A lazy repeat that may go on at `ptr`.
    Further {
        pc: Pc,
        ptr: usize,
        limit: usize,
    },
    /// A loop that may end at `ptr`.
    Leave {
        number: u32,
        count: u32,
        last: usize,
        ptr: usize,
    },
    /// A lazy loop that may take a further turn at `ptr`.
    Again {
        number: u32,
        ptr: usize,
    },
}

impl<'a, U: Unit> State<'a, U> {
    /// Prepares for matching `text[start..end]`. What precedes `start` is still seen by assertions.
    pub fn new(
        program: &'a Program,
        text: &'a [U],
        start: usize,
        end: usize,
        locale: &'a Locale,
        interrupt: Interrupt<'a>,
        mut scratch: Scratch,
    ) -> Self {
        let end = end.min(text.len());
        scratch.marks.clear();
        scratch.marks.resize(2 * program.groups, NONE);
        scratch.slots.clear();
        scratch.slots.resize(program.loops.len(), Slot { count: 0, last: NONE });
        State {
            program,
            text: &text[..end],
            start: start.min(end),
            ptr: start.min(end),
            must_advance: false,
            match_all: false,
            marks: scratch.marks,
            lastindex: 0,
            slots: scratch.slots,
            stack: scratch.stack,
            locale,
            interrupt,
            ticks: 0,
        }
    }

    /// The memory, for the next match.
    pub fn into_scratch(self) -> Scratch {
        let mut stack = self.stack;
        if stack.capacity() > SCRATCH_FRAMES {
            stack = Vec::new();
        }
        Scratch { marks: self.marks, slots: self.slots, stack }
    }

    /// Whether an empty match at [`State::start`] does not count.
    pub fn must_advance(&self) -> bool {
        self.must_advance
    }

    pub fn set_must_advance(&mut self, must_advance: bool) {
        self.must_advance = must_advance;
    }

    /// Matches at [`State::start`]; with `full`, only up to the end of the text.
    pub fn match_here(&mut self, full: bool) -> Result<bool, MatchError> {
        self.reset();
        self.match_all = full;
        self.run(self.start)
    }

    /// Where the match begins; before a match, where matching begins.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Where the match ends.
    pub fn end(&self) -> usize {
        self.ptr
    }

    /// The end of the text to match.
    pub fn limit(&self) -> usize {
        self.text.len()
    }

    /// The span of a group, counted from 1 (0 is the whole match).
    pub fn group(&self, group: usize) -> Option<(usize, usize)> {
        let Some(at) = group.checked_sub(1) else { return Some((self.start, self.ptr)) };
        let (start, end) = (self.marks[2 * at], self.marks[2 * at + 1]);
        (start != NONE && end != NONE).then_some((start, end))
    }

    /// The last group that was closed; 0 for none.
    pub fn lastindex(&self) -> usize {
        self.lastindex as usize
    }

    /// Goes on behind the match, where an empty one does not count when this one was empty.
    pub fn advance(&mut self) {
        self.must_advance = self.ptr == self.start;
        self.start = self.ptr;
    }

    /// Forgets the groups.
    pub(super) fn reset(&mut self) {
        self.marks.fill(NONE);
        self.lastindex = 0;
    }

    pub(super) fn tick(&mut self) -> Result<(), MatchError> {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(4096) && (self.interrupt)() { Err(MatchError::Interrupted) } else { Ok(()) }
    }

    /// Matches at `at`. After a failure the groups are as before.
    pub(super) fn run(&mut self, at: usize) -> Result<bool, MatchError> {
        let mut stack = std::mem::take(&mut self.stack);
        let result = self.execute(&mut stack, at);
        stack.clear();
        self.stack = stack;
        result
    }

    /// Room for what the program can push without passing the end of a loop or failing.
    #[inline]
    fn make_room(&self, stack: &mut Vec<Frame>) -> Result<(), MatchError> {
        let room = 2 * self.program.insts.len() + 16;
        if stack.capacity() - stack.len() < room {
            stack.try_reserve(room).map_err(|_| MatchError::Memory)?;
        }
        // Barriers are found by 32-bit indices.
        if stack.len() >= NO_BARRIER as usize / 2 { Err(MatchError::Memory) } else { Ok(()) }
    }

    fn execute(&mut self, stack: &mut Vec<Frame>, at: usize) -> Result<bool, MatchError> {
        let program = self.program;
        let insts = program.insts.as_slice();
        let text = self.text;
        let end = text.len();
        let mut barrier = NO_BARRIER;
        let mut pc = 0_usize;
        let mut ptr = at;
        self.make_room(stack)?;
        loop {
            'fail: {
                loop {
                    match insts[pc] {
                        Inst::Fail => break 'fail,
                        Inst::Match => {
                            if (self.match_all && ptr != end) || (self.must_advance && ptr == self.start) {
                                break 'fail;
                            }
                            self.ptr = ptr;
                            return Ok(true);
                        }
                        Inst::One(single) => {
                            if ptr >= end || !self.matches(single, text[ptr].code()) {
                                break 'fail;
                            }
                            ptr += 1;
                            pc += 1;
                        }
                        Inst::Literals { start, len } => {
                            if !self.literals_at(start as usize, len as usize, ptr) {
                                break 'fail;
                            }
                            ptr += len as usize;
                            pc += 1;
                        }
                        Inst::At(place) => {
                            if !place.holds(text, ptr, self.locale) {
                                break 'fail;
                            }
                            pc += 1;
                        }
                        Inst::Mark(mark) => {
                            let old = std::mem::replace(&mut self.marks[mark as usize], ptr);
                            stack.push(Frame::Mark { mark, lastindex: self.lastindex, old });
                            if mark & 1 == 1 {
                                self.lastindex = mark / 2 + 1;
                            }
                            pc += 1;
                        }
                        Inst::Jump(target) => pc = target as usize,
                        Inst::Branch(branch) => match self.next_alternative(branch, 0, ptr) {
                            Some((target, next)) => {
                                if let Some(next) = next {
                                    stack.push(Frame::Branch { branch, next, ptr });
                                }
                                pc = target;
                            }
                            None => break 'fail,
                        },
                        Inst::GroupRef { group, fold } => match self.group_length(group, fold, ptr) {
                            Some(length) => {
                                ptr += length;
                                pc += 1;
                            }
                            None => break 'fail,
                        },
                        Inst::GroupExists { group, no } => {
                            let (start, stop) = (self.marks[2 * group as usize], self.marks[2 * group as usize + 1]);
                            let exists = start != NONE && stop != NONE && start <= stop;
                            pc = if exists { pc + 1 } else { no as usize };
                        }
                        Inst::Assert { back } => {
                            if ptr < back as usize {
                                break 'fail;
                            }
                            stack.push(Frame::Barrier { outer: barrier, on_fail: NO_PC, ptr });
                            barrier = stack.len() as u32 - 1;
                            ptr -= back as usize;
                            pc += 1;
                        }
                        Inst::AssertNot { back, next } => {
                            if ptr < back as usize {
                                pc = next as usize;
                                continue;
                            }
                            stack.push(Frame::Barrier { outer: barrier, on_fail: next, ptr });
                            barrier = stack.len() as u32 - 1;
                            ptr -= back as usize;
                            pc += 1;
                        }
                        Inst::Peek { back, negative } => {
                            let found = match (ptr.checked_sub(back as usize), insts[pc + 1]) {
                                (None, _) => false,
                                (Some(from), Inst::Literals { start, len }) => {
                                    self.literals_at(start as usize, len as usize, from)
                                }
                                (Some(from), Inst::One(single)) => {
                                    from < end && self.matches(single, text[from].code())
                                }
                                _ => false,
                            };
                            if found == negative {
                                break 'fail;
                            }
                            pc += 2;
                        }
                        Inst::AssertEnd => {
                            (barrier, ptr) = cut(stack, barrier);
                            pc += 1;
                        }
                        Inst::AssertNotEnd => {
                            while stack.len() > barrier as usize + 1 {
                                if let Some(frame) = stack.pop() {
                                    self.restore(frame);
                                }
                            }
                            if let Some(Frame::Barrier { outer, .. }) = stack.pop() {
                                barrier = outer;
                            }
                            break 'fail;
                        }
                        Inst::Atomic => {
                            stack.push(Frame::Barrier { outer: barrier, on_fail: NO_PC, ptr });
                            barrier = stack.len() as u32 - 1;
                            pc += 1;
                        }
                        Inst::AtomicEnd => {
                            (barrier, _) = cut(stack, barrier);
                            pc += 1;
                        }
                        Inst::Repeat { until, slot } => {
                            let Slot { count, last } = self.slots[slot as usize];
                            stack.push(Frame::Slot { slot, count, last });
                            self.slots[slot as usize] = Slot { count: 0, last: NONE };
                            pc = until as usize;
                        }
                        Inst::MaxUntil(number) => {
                            self.tick()?;
                            self.make_room(stack)?;
                            let ends = &program.loops[number as usize];
                            let Slot { count, last } = self.slots[number as usize];
                            if count < ends.min {
                                stack.push(Frame::Slot { slot: number, count, last });
                                self.slots[number as usize].count = count + 1;
                                pc = ends.body as usize;
                            } else if (count < ends.max || ends.max == u32::MAX)
                                && ptr != last
                                && self.may_begin(ends.body_first, ptr)
                            {
                                stack.push(Frame::Leave { number, count, last, ptr });
                                self.slots[number as usize] = Slot { count: count.saturating_add(1), last: ptr };
                                pc = ends.body as usize;
                            } else {
                                pc += 1;
                            }
                        }
                        Inst::MinUntil(number) => {
                            self.tick()?;
                            self.make_room(stack)?;
                            let ends = &program.loops[number as usize];
                            let Slot { count, last } = self.slots[number as usize];
                            if count < ends.min {
                                stack.push(Frame::Slot { slot: number, count, last });
                                self.slots[number as usize].count = count + 1;
                                pc = ends.body as usize;
                            } else {
                                stack.push(Frame::Again { number, ptr });
                                pc += 1;
                            }
                        }
                        Inst::PossessiveHead(number) => {
                            let ends = &program.loops[number as usize];
                            let Slot { count, last } = self.slots[number as usize];
                            let required = count < ends.min;
                            if !required && ((count >= ends.max && ends.max != u32::MAX) || ptr == last) {
                                pc = ends.tail as usize;
                                continue;
                            }
                            stack.push(Frame::Slot { slot: number, count, last });
                            let slot = &mut self.slots[number as usize];
                            slot.count = count.saturating_add(1);
                            let on_fail = if required {
                                NO_PC
                            } else {
                                slot.last = ptr;
                                ends.tail
                            };
                            stack.push(Frame::Barrier { outer: barrier, on_fail, ptr });
                            barrier = stack.len() as u32 - 1;
                            pc += 1;
                        }
                        Inst::PossessiveEnd { head } => {
                            self.tick()?;
                            (barrier, _) = cut(stack, barrier);
                            self.make_room(stack)?;
                            pc = head as usize;
                        }
                        Inst::RepeatOne(number) => {
                            let repeat = &program.repeats[number as usize];
                            let upto = self.run_end(repeat.single, ptr, repeat.max);
                            if upto - ptr < repeat.min {
                                break 'fail;
                            }
                            let least = ptr + repeat.min;
                            if repeat.exclusive || upto == least {
                                ptr = upto;
                            } else {
                                let Some(place) = self.last_place(repeat.tail, least, upto) else { break 'fail };
                                if place > least {
                                    stack.push(Frame::Fewer { pc: pc as Pc, upto: place - 1, least });
                                }
                                ptr = place;
                            }
                            pc += 1;
                        }
                        Inst::PossessiveRepeatOne(number) => {
                            let repeat = &program.repeats[number as usize];
                            let upto = self.run_end(repeat.single, ptr, repeat.max);
                            if upto - ptr < repeat.min {
                                break 'fail;
                            }
                            ptr = upto;
                            pc += 1;
                        }
                        Inst::MinRepeatOne(number) => {
                            let repeat = &program.repeats[number as usize];
                            if self.run_end(repeat.single, ptr, repeat.min) - ptr < repeat.min {
                                break 'fail;
                            }
                            let limit = ptr.saturating_add(repeat.max).min(end);
                            match self.first_place(repeat, ptr + repeat.min, limit) {
                                Some(place) => {
                                    if place < limit && !repeat.exclusive {
                                        stack.push(Frame::Further { pc: pc as Pc, ptr: place, limit });
                                    }
                                    ptr = place;
                                    pc += 1;
                                }
                                None => break 'fail,
                            }
                        }
                    }
                }
            }
            // Something failed: back to the last choice.
            loop {
                let Some(frame) = stack.pop() else { return Ok(false) };
                match frame {
                    Frame::Mark { .. } | Frame::Slot { .. } => {
                        self.restore(frame);
                        continue;
                    }
                    Frame::Barrier { outer, on_fail, ptr: place } => {
                        barrier = outer;
                        if on_fail == NO_PC {
                            continue;
                        }
                        (pc, ptr) = (on_fail as usize, place);
                    }
                    Frame::Branch { branch, next, ptr: place } => {
                        let Some((target, next)) = self.next_alternative(branch, next, place) else { continue };
                        if let Some(next) = next {
                            stack.push(Frame::Branch { branch, next, ptr: place });
                        }
                        (pc, ptr) = (target, place);
                    }
                    Frame::Fewer { pc: repeat_pc, upto, least } => {
                        let Inst::RepeatOne(number) = insts[repeat_pc as usize] else { continue };
                        let tail = program.repeats[number as usize].tail;
                        let Some(place) = self.last_place(tail, least, upto) else { continue };
                        if place > least {
                            stack.push(Frame::Fewer { pc: repeat_pc, upto: place - 1, least });
                        }
                        (pc, ptr) = (repeat_pc as usize + 1, place);
                    }
                    Frame::Further { pc: repeat_pc, ptr: place, limit } => {
                        let Inst::MinRepeatOne(number) = insts[repeat_pc as usize] else { continue };
                        let repeat = &program.repeats[number as usize];
                        if place >= limit || !self.matches(repeat.single, text[place].code()) {
                            continue;
                        }
                        let Some(place) = self.first_place(repeat, place + 1, limit) else { continue };
                        if place < limit {
                            stack.push(Frame::Further { pc: repeat_pc, ptr: place, limit });
                        }
                        (pc, ptr) = (repeat_pc as usize + 1, place);
                    }
                    Frame::Leave { number, count, last, ptr: place } => {
                        let ends = &program.loops[number as usize];
                        self.slots[number as usize] = Slot { count, last };
                        if !self.may_begin(ends.tail_first, place) {
                            continue;
                        }
                        (pc, ptr) = (ends.tail as usize, place);
                    }
                    Frame::Again { number, ptr: place } => {
                        let ends = &program.loops[number as usize];
                        let Slot { count, last } = self.slots[number as usize];
                        if (count >= ends.max && ends.max != u32::MAX) || place == last {
                            continue;
                        }
                        stack.push(Frame::Slot { slot: number, count, last });
                        self.slots[number as usize] = Slot { count: count.saturating_add(1), last: place };
                        (pc, ptr) = (ends.body as usize, place);
                    }
                }
                self.tick()?;
                self.make_room(stack)?;
                break;
            }
        }
    }

    #[inline]
    fn restore(&mut self, frame: Frame) {
        match frame {
            Frame::Mark { mark, lastindex, old } => {
                self.marks[mark as usize] = old;
                self.lastindex = lastindex;
            }
            Frame::Slot { slot, count, last } => self.slots[slot as usize] = Slot { count, last },
            _ => {}
        }
    }

    #[inline(always)]
    fn matches(&self, single: Single, c: u32) -> bool {
        match single {
            Single::None => false,
            Single::Any => c != b'\n' as u32,
            Single::AnyAll => true,
            Single::Literal(literal) => c == literal,
            Single::NotLiteral(literal) => c != literal,
            Single::Set(set) => self.program.sets[set as usize].contains(c),
            Single::LocaleSet(set) => self.program.sets[set as usize].contains_in(c, self.locale),
        }
    }

    #[inline]
    fn literals_at(&self, start: usize, len: usize, ptr: usize) -> bool {
        let Some(window) = self.text.get(ptr..ptr + len) else { return false };
        if let (Some(bytes), Some(window)) = (&self.program.literal_bytes, U::as_bytes(window)) {
            return bytes[start..start + len] == *window;
        }
        let literals = &self.program.literals[start..start + len];
        window.iter().zip(literals).all(|(unit, &code)| unit.code() == code)
    }

    /// Whether the character at `ptr` may begin what `first` describes.
    #[inline]
    fn may_begin(&self, first: First, ptr: usize) -> bool {
        match first {
            First::Unknown => true,
            First::Literal(c) => self.text.get(ptr).is_some_and(|unit| unit.code() == c),
            First::Set(set) => {
                self.text.get(ptr).is_some_and(|unit| self.program.sets[set as usize].contains(unit.code()))
            }
        }
    }

    /// The first alternative from number `from` on that may match here, and the number of the next one that may.
    #[inline]
    fn next_alternative(&self, branch: u32, from: u32, ptr: usize) -> Option<(usize, Option<u32>)> {
        let branch = &self.program.branches[branch as usize];
        let alternatives = branch.alternatives.as_slice();
        if let (Some(table), Some(c)) = (&branch.by_first, self.text.get(ptr).map(|unit| unit.code()))
            && c < 256
        {
            // `from` is the number of an alternative, so it is below 64.
            let possible = table[c as usize] >> from << from;
            if possible == 0 {
                return None;
            }
            let rest = possible & (possible - 1);
            let next = (rest != 0).then(|| rest.trailing_zeros());
            return Some((alternatives[possible.trailing_zeros() as usize].pc as usize, next));
        }
        let mut possible = alternatives.iter().enumerate().skip(from as usize);
        let mut viable = || possible.find(|(_, alternative)| self.may_begin(alternative.first, ptr));
        let (_, chosen) = viable()?;
        Some((chosen.pc as usize, viable().map(|(next, _)| next as u32)))
    }

    /// The length of the text at `ptr` that equals the group's.
    fn group_length(&self, group: u32, fold: Fold, ptr: usize) -> Option<usize> {
        let (start, stop) = (self.marks[2 * group as usize], self.marks[2 * group as usize + 1]);
        if start == NONE || stop == NONE || stop < start {
            return None;
        }
        let length = stop - start;
        let (wanted, window) = (&self.text[start..stop], self.text.get(ptr..ptr + length)?);
        let same = match fold {
            Fold::None => wanted == window,
            fold => wanted
                .iter()
                .zip(window)
                .all(|(a, b)| a == b || fold.lower(a.code(), self.locale) == fold.lower(b.code(), self.locale)),
        };
        same.then_some(length)
    }

    /// Where the run of what `single` matches ends that begins at `from`, at most `max` characters later.
    #[inline]
    fn run_end(&self, single: Single, from: usize, max: usize) -> usize {
        let text = self.text;
        let limit = from.saturating_add(max).min(text.len());
        let window = &text[from..limit];
        match single {
            Single::None => from,
            Single::AnyAll => limit,
            Single::Any => find_code(window, b'\n' as u32).map_or(limit, |at| from + at),
            Single::NotLiteral(c) => find_code(window, c).map_or(limit, |at| from + at),
            Single::Set(set) => self.program.sets[set as usize].run_end(text, from, limit),
            _ => {
                let stop = window.iter().position(|unit| !self.matches(single, unit.code()));
                stop.map_or(limit, |at| from + at)
            }
        }
    }

    /// The last place from `least` to `upto` where the tail may begin.
    #[inline]
    fn last_place(&self, tail: First, least: usize, upto: usize) -> Option<usize> {
        let text = self.text;
        let window = &text[least..text.len().min(upto + 1)];
        match tail {
            First::Unknown => Some(upto),
            First::Literal(c) => match U::as_bytes(window) {
                Some(bytes) => memchr::memrchr(u8::try_from(c).ok()?, bytes),
                None => window.iter().rposition(|unit| unit.code() == c),
            }
            .map(|at| least + at),
            First::Set(set) => {
                let set = &self.program.sets[set as usize];
                window.iter().rposition(|unit| set.contains(unit.code())).map(|at| least + at)
            }
        }
    }

    /// The first place from `from` to `limit` where the tail of a lazy repeat may begin, everything before being matched
    /// by the repeat.
    #[inline]
    fn first_place(&self, repeat: &Repeat, from: usize, limit: usize) -> Option<usize> {
        let text = self.text;
        if repeat.tail == First::Unknown {
            return Some(from);
        }
        if let (First::Literal(c), Some(bytes)) = (repeat.tail, U::as_bytes(text)) {
            let c = u8::try_from(c).ok()?;
            let window = &bytes[from..text.len().min(limit + 1)];
            match repeat.single {
                Single::AnyAll => return memchr::memchr(c, window).map(|at| from + at),
                Single::Any if c != b'\n' => {
                    return memchr::memchr2(c, b'\n', window).filter(|&at| window[at] == c).map(|at| from + at);
                }
                _ => {}
            }
        }
        let mut place = from;
        while !self.may_begin(repeat.tail, place) {
            if place >= limit || !self.matches(repeat.single, text[place].code()) {
                return None;
            }
            place += 1;
        }
        Some(place)
    }
}

/// Forgets the choices above the barrier, and the barrier; what is to be restored stays. Gives the outer barrier and
/// where the part began.
fn cut(stack: &mut Vec<Frame>, barrier: u32) -> (u32, usize) {
    let bottom = barrier as usize;
    let Frame::Barrier { outer, ptr, .. } = stack[bottom] else { return (NO_BARRIER, 0) };
    let mut kept = bottom;
    for at in bottom + 1..stack.len() {
        if matches!(stack[at], Frame::Mark { .. } | Frame::Slot { .. }) {
            stack[kept] = stack[at];
            kept += 1;
        }
    }
    stack.truncate(kept);
    (outer, ptr)
}
