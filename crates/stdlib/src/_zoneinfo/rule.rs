//! POSIX `TZ` strings: standard time and summer time, and the days of the year on which they begin.

use crate::_datetime::calendar::{Ymd, days_in_month, is_leap};
use crate::_zoneinfo::zone::EPOCH_ORDINAL;
use taipan_object::builtins::bytes;
use taipan_object::builtins::str::Str;
use taipan_object::{Raised, Result, Value, Vm};

/// The names of standard time and, if there is any, of summer time.
pub struct Abbreviations {
    pub std: Value,
    pub dst: Option<Value>,
}

/// When summer time is. Offsets are east of UTC, in seconds.
pub struct Rule {
    pub std_offset: i64,
    pub dst_offset: i64,
    start: Transition,
    end: Transition,
}

/// A day of every year, and the seconds from its beginning to the transition.
#[derive(Clone, Copy)]
struct Transition {
    day: Day,
    time: i64,
}

#[derive(Clone, Copy)]
enum Day {
    /// `n`: the days since the beginning of the year; as in CPython the last day of the year before is 0.
    OfYear(i64),
    /// `Jn`: the day of the year, 29 February not being counted.
    Julian(i64),
    /// `Mm.w.d`: a weekday of a month; week 5 is the last.
    Weekday { month: i32, week: i64, weekday: i64 },
}

const NEVER: Transition = Transition { day: Day::OfYear(0), time: 0 };

impl Transition {
    /// The local time of the transition in a year, as seconds since 1970.
    fn in_year(self, year: i64) -> i64 {
        let year = year as i32;
        let new_year = Ymd::new(year, 1, 1).ordinal() - EPOCH_ORDINAL;
        let days = match self.day {
            Day::OfYear(day) => new_year + day - 1,
            Day::Julian(day) if day >= 60 && is_leap(year) => new_year + day,
            Day::Julian(day) => new_year + day - 1,
            Day::Weekday { month, week, weekday } => {
                let first = Ymd::new(year, month, 1);
                // Sunday is 0 here and 6 there.
                let mut day = (weekday - i64::from(first.weekday()) - 1).rem_euclid(7) + (week - 1) * 7;
                if day >= i64::from(days_in_month(year, month)) {
                    day -= 7;
                }
                first.ordinal() - EPOCH_ORDINAL + day
            }
        };
        days * 86_400 + self.time
    }
}

impl Rule {
    fn saving(&self) -> i64 {
        self.dst_offset - self.std_offset
    }

    /// Whether it is summer time at a local time.
    pub fn is_dst_at_local(&self, timestamp: i64, year: i64, fold: bool) -> bool {
        let (mut start, mut end) = (self.start.in_year(year), self.end.in_year(year));
        // Of a time that exists twice, or not at all, the fold tells which side of the transition it is on.
        if fold == (self.saving() >= 0) {
            end -= self.saving();
        } else {
            start += self.saving();
        }
        within(start, end, timestamp)
    }

    /// Whether it is summer time at a UTC time, and whether the local time exists for the second time.
    pub fn at_utc(&self, timestamp: i64, year: i64) -> (bool, bool) {
        let start = self.start.in_year(year) - self.std_offset;
        let end = self.end.in_year(year) - self.dst_offset;
        let saving = self.saving();
        let repeated = if saving > 0 { end..end + saving } else { start..start - saving };
        (within(start, end, timestamp), repeated.contains(&timestamp))
    }
}

/// Whether a time is in the summer, which may have the new year in it.
fn within(start: i64, end: i64, timestamp: i64) -> bool {
    if start < end { (start..end).contains(&timestamp) } else { !(end..start).contains(&timestamp) }
}

impl Rule {
    /// Parses `std offset [dst [offset] , start [/time] , end [/time]]`.
    pub fn parse(vm: &Vm, text: &[u8]) -> Result<(Abbreviations, Rule)> {
        let mut parser = Parser { rest: text };
        let wrong = |problem: &str| malformed(vm, problem, text);
        let std = parser.abbreviation().ok_or_else(|| wrong("Invalid STD format in"))?;
        let std_offset = parser.offset().ok_or_else(|| wrong("Invalid STD offset in"))?;
        let std = Str::from_ascii(std).into_value();
        if parser.rest.is_empty() {
            let rule = Rule { std_offset, dst_offset: std_offset, start: NEVER, end: NEVER };
            return Ok((Abbreviations { std, dst: None }, rule));
        }
        let dst = parser.abbreviation().ok_or_else(|| wrong("Invalid DST format in"))?;
        let dst_offset = match parser.rest.first() {
            Some(b',') => std_offset + 3600,
            _ => parser.offset().ok_or_else(|| wrong("Invalid DST offset in"))?,
        };
        let mut transitions = [NEVER; 2];
        for transition in &mut transitions {
            if !parser.skip(b',') {
                return Err(wrong("Missing transition rules in TZ string:"));
            }
            *transition = parser.transition().ok_or_else(|| wrong("Malformed transition rule in TZ string:"))?;
        }
        if !parser.rest.is_empty() {
            return Err(wrong("Extraneous characters at end of TZ string:"));
        }
        let [start, end] = transitions;
        let dst = Some(Str::from_ascii(dst).into_value());
        Ok((Abbreviations { std, dst }, Rule { std_offset, dst_offset, start, end }))
    }
}

#[cold]
fn malformed(vm: &Vm, problem: &str, text: &[u8]) -> Raised {
    match vm.repr_string(&bytes::new(text)) {
        Ok(text) => vm.value_error(format!("{problem} {text}")),
        Err(raised) => raised,
    }
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    fn skip(&mut self, byte: u8) -> bool {
        match self.rest.strip_prefix(&[byte]) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken
    }

    /// Letters, or letters, digits and signs in angle brackets.
    fn abbreviation(&mut self) -> Option<&'a [u8]> {
        let quoted = self.skip(b'<');
        let belongs = |byte: &&u8| match quoted {
            true => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'),
            false => byte.is_ascii_alphabetic(),
        };
        let length = self.rest.iter().take_while(belongs).count();
        let text = self.take(length);
        (length > 0 && (!quoted || self.skip(b'>'))).then_some(text)
    }

    /// A number of `min` to `max` digits.
    fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let length = self.rest.iter().take(max).take_while(|byte| byte.is_ascii_digit()).count();
        let digits = self.take(length);
        (length >= min).then(|| digits.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0')))
    }

    /// `[+|-]hh[:mm[:ss]]` with at most so many hours, in seconds.
    fn time(&mut self, max_hours: i64) -> Option<i64> {
        let negative = self.skip(b'-');
        if !negative {
            self.skip(b'+');
        }
        let hours = self.number(1, 3).filter(|hours| *hours <= max_hours)?;
        let (mut minutes, mut seconds) = (0, 0);
        if self.skip(b':') {
            minutes = self.number(2, 2)?;
            if self.skip(b':') {
                seconds = self.number(2, 2)?;
            }
        }
        let total = hours * 3600 + minutes * 60 + seconds;
        Some(if negative { -total } else { total })
    }

    /// An offset, which is written west of UTC: the seconds east of it.
    fn offset(&mut self) -> Option<i64> {
        self.time(24).map(|west| -west)
    }

    fn transition(&mut self) -> Option<Transition> {
        let day = if self.skip(b'M') {
            let month = self.number(1, 2).filter(|month| (1..=12).contains(month))?;
            let week = self.skip(b'.').then(|| self.number(1, 1))?.filter(|week| (1..=5).contains(week))?;
            let weekday = self.skip(b'.').then(|| self.number(1, 1))?.filter(|weekday| (0..=6).contains(weekday))?;
            Day::Weekday { month: month as i32, week, weekday }
        } else if self.skip(b'J') {
            Day::Julian(self.number(1, 3).filter(|day| (1..=365).contains(day))?)
        } else {
            Day::OfYear(self.number(1, 3).filter(|day| *day <= 365)?)
        };
        let time = if self.skip(b'/') { self.time(167)? } else { 2 * 3600 };
        Some(Transition { day, time })
    }
}
