//! What patterns do with strings: `match`, `fullmatch`, `search`, `findall`, `finditer`, `scanner`, `split`.

use super::engine::opcode::SRE_FLAG_LOCALE;
use super::engine::{Locale, MatchError, Scratch, State};
use super::match_object::Match;
use super::pattern::Pattern;
use super::scanner::Scanner;
use super::subject::{Subject, with_units};
use crate::payload::signature;
use std::cell::Cell;
use taipan_object::builtins::iterator::callable_iterator;
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::cell::is_parallel;
use taipan_object::native::signature::Signature;
use taipan_object::text::Unit;
use taipan_object::{Raised, Result, Value, Vm, exceptions};

/// The arguments `string, pos=0, endpos=sys.maxsize`.
struct Range {
    string: Value,
    pos: i64,
    endpos: i64,
}

impl Range {
    #[inline]
    fn bind(vm: &Vm, signature: &Signature, args: &[Value], kwnames: Option<&Value>) -> Result<Range> {
        if let ([string], None) = (args, kwnames) {
            return Ok(Range { string: string.clone(), pos: 0, endpos: i64::MAX });
        }
        let bound = signature.bind(vm, args, kwnames)?;
        let pos = ssize(vm, &bound[1])?;
        let endpos = bound[2].bound().map_or(Ok(i64::MAX), |endpos| ssize(vm, endpos))?;
        Ok(Range { string: bound[0].clone(), pos, endpos })
    }

    /// Start and end within a string of this length.
    fn clamp(&self, len: usize) -> (usize, usize) {
        let within = |index: i64| usize::try_from(index).map_or(0, |index| index.min(len));
        (within(self.pos), within(self.endpos))
    }
}

/// An argument as a C `ssize_t`.
pub fn ssize(vm: &Vm, value: &Value) -> Result<i64> {
    if let Some(n) = value.as_small_int() {
        return Ok(n);
    }
    match vm.index_i64(value) {
        Err(raised) if vm.pending_matches(&raised, exceptions::OVERFLOW_ERROR.ty()) => {
            vm.discard(raised);
            Err(vm.overflow_error("Python int too large to convert to C ssize_t"))
        }
        result => result,
    }
}

/// The string to be matched, of the kind that the pattern is for.
#[inline]
pub fn subject<'a>(vm: &Vm, pattern: &Pattern, string: &'a Value) -> Result<Subject<'a>> {
    let subject = Subject::of(vm, string)?;
    match pattern.is_bytes {
        Some(true) if !subject.is_bytes() => Err(vm.type_error("cannot use a bytes pattern on a string-like object")),
        Some(false) if subject.is_bytes() => Err(vm.type_error("cannot use a string pattern on a bytes-like object")),
        _ => Ok(subject),
    }
}

thread_local! {
    /// What a pattern's `scratch` is otherwise, while threads run in parallel: they would wait for each other's.
    static SCRATCH: Cell<Scratch> = const { Cell::new(Scratch::new()) };
}

#[inline]
fn take_scratch(pattern: &Pattern) -> Scratch {
    if is_parallel() {
        return SCRATCH.try_with(Cell::take).unwrap_or_default();
    }
    pattern.scratch.borrow(&pattern.header).take().unwrap_or_default()
}

#[inline]
fn give_scratch_back(pattern: &Pattern, scratch: Scratch) {
    if is_parallel() {
        // Where the thread ends, there is no place for it any more.
        let _ = SCRATCH.try_with(|place| place.set(scratch));
    } else {
        *pattern.scratch.borrow(&pattern.header) = Some(scratch);
    }
}

/// Runs `f` with a state for `units[start..end]`.
#[inline]
pub fn with_state<U: Unit, R>(
    vm: &Vm,
    pattern: &Pattern,
    units: &[U],
    start: usize,
    end: usize,
    f: impl FnOnce(&mut State<U>) -> R,
) -> R {
    let scratch = take_scratch(pattern);
    let current;
    let locale = if pattern.flags as u32 & SRE_FLAG_LOCALE != 0 {
        current = Locale::current();
        &current
    } else {
        &Locale::C
    };
    // The exception stays in flight.
    let mut interrupt = || vm.check_signals().is_err();
    let mut state = State::new(&pattern.program, units, start, end, locale, &mut interrupt, scratch);
    let result = f(&mut state);
    give_scratch_back(pattern, state.into_scratch());
    result
}

#[cold]
pub fn failed(vm: &Vm, error: MatchError) -> Raised {
    match error {
        MatchError::Memory => vm.memory_error(),
        MatchError::Interrupted => vm.raised(),
    }
}

/// One group of a match under way: `empty` or `None` if it took no part.
fn group<U: Unit>(vm: &Vm, subject: &Subject, state: &State<U>, group: usize, empty: bool) -> Result {
    match state.group(group) {
        Some((start, end)) => subject.slice(vm, start, end),
        None if empty => Ok(subject.empty()),
        None => Ok(Value::NONE),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Match,
    FullMatch,
    Search,
}

fn match_one(vm: &Vm, this: &Value, range: &Range, way: Way) -> Result {
    let pattern = Pattern::of(this);
    let subject = subject(vm, pattern, &range.string)?;
    let (start, end) = range.clamp(subject.len());
    if start > end && way == Way::Search {
        return Ok(Value::NONE);
    }
    with_units!(subject, units => with_state(vm, pattern, units, start, end.max(start), |state| {
        let found = match way {
            Way::Match => state.match_here(false),
            Way::FullMatch => state.match_here(true),
            Way::Search => state.search(),
        };
        match found {
            Ok(true) => Ok(Match::make(this, &range.string, state, start, end)),
            Ok(false) => Ok(Value::NONE),
            Err(error) => Err(failed(vm, error)),
        }
    }))
}

signature!(MATCH = "match($self, /, string, pos=0, endpos=sys.maxsize)");
signature!(FULLMATCH = "fullmatch($self, /, string, pos=0, endpos=sys.maxsize)");
signature!(SEARCH = "search($self, /, string, pos=0, endpos=sys.maxsize)");
signature!(FINDALL = "findall($self, /, string, pos=0, endpos=sys.maxsize)");
signature!(FINDITER = "finditer($self, /, string, pos=0, endpos=sys.maxsize)");
signature!(SCANNER = "scanner($self, /, string, pos=0, endpos=sys.maxsize)");

pub fn match_prefix(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    match_one(vm, this, &Range::bind(vm, &MATCH, args, kwnames)?, Way::Match)
}

pub fn fullmatch(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    match_one(vm, this, &Range::bind(vm, &FULLMATCH, args, kwnames)?, Way::FullMatch)
}

pub fn search(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    match_one(vm, this, &Range::bind(vm, &SEARCH, args, kwnames)?, Way::Search)
}

pub fn scanner(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let range = Range::bind(vm, &SCANNER, args, kwnames)?;
    new_scanner(vm, this, &range)
}

fn new_scanner(vm: &Vm, this: &Value, range: &Range) -> Result {
    let (start, end) = range.clamp(subject(vm, Pattern::of(this), &range.string)?.len());
    Scanner::make(vm, this, &range.string, start, end)
}

pub fn finditer(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let range = Range::bind(vm, &FINDITER, args, kwnames)?;
    let scanner = new_scanner(vm, this, &range)?;
    let search = vm.get_attr_str(&scanner, "search")?;
    Ok(callable_iterator(&search, &Value::NONE))
}

pub fn findall(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let range = Range::bind(vm, &FINDALL, args, kwnames)?;
    let pattern = Pattern::of(this);
    let subject = subject(vm, pattern, &range.string)?;
    let (start, end) = range.clamp(subject.len());
    let list = List::from_vec(Vec::new());
    if start > end {
        return Ok(list.into_value());
    }
    let groups = pattern.groups();
    with_units!(subject, units => with_state(vm, pattern, units, start, end, |state| {
        while state.search().map_err(|error| failed(vm, error))? {
            let item = match groups {
                0 => subject.slice(vm, state.start(), state.end())?,
                1 => group(vm, &subject, state, 1, true)?,
                _ => {
                    let items: Result<Vec<Value>> =
                        (1..=groups).map(|number| group(vm, &subject, state, number, true)).collect();
                    Tuple::from_vec(items?).into_value()
                }
            };
            list.append(vm, item)?;
            state.advance();
        }
        Ok(())
    }))?;
    Ok(list.into_value())
}

pub fn split(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let pattern = Pattern::of(this);
    let maxsplit = ssize(vm, &args[1])?;
    let subject = subject(vm, pattern, &args[0])?;
    let list = List::from_vec(Vec::new());
    let end = subject.len();
    with_units!(subject, units => with_state(vm, pattern, units, 0, end, |state| {
        let (mut last, mut splits) = (0, 0);
        while (maxsplit == 0 || splits < maxsplit) && state.search().map_err(|error| failed(vm, error))? {
            list.append(vm, subject.slice(vm, last, state.start())?)?;
            for number in 1..=pattern.groups() {
                list.append(vm, group(vm, &subject, state, number, false)?)?;
            }
            splits += 1;
            state.advance();
            last = state.start();
        }
        list.append(vm, subject.slice(vm, last, end)?)
    }))?;
    Ok(list.into_value())
}
