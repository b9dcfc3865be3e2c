//! ISO 8601 text: formatting times, and `fromisoformat` of all three classes.
//!
//! Parsing works on UTF-8. Reading beyond the end yields 0, as from a C string.

use super::calendar::{Hms, IsoError, Ymd, days_in_month, iso_to_ordinal};
use super::{date, datetime, time, timedelta, timezone};
use std::fmt::Write;
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::types::Type;
use taipan_object::{Raised, Result, Value, Vm};

/// How much of a time is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    Auto,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
    Microseconds,
}

impl Precision {
    pub fn from_name(name: &Str) -> Option<Precision> {
        Some(match name.as_ascii()? {
            "auto" => Precision::Auto,
            "hours" => Precision::Hours,
            "minutes" => Precision::Minutes,
            "seconds" => Precision::Seconds,
            "milliseconds" => Precision::Milliseconds,
            "microseconds" => Precision::Microseconds,
            _ => return None,
        })
    }
}

fn push_two(text: &mut StrBuilder, n: i32) {
    text.push((b'0' + (n / 10) as u8).into());
    text.push((b'0' + (n % 10) as u8).into());
}

/// Appends a time of day.
pub fn push_time(text: &mut StrBuilder, time: Hms, precision: Precision) {
    let precision = match precision {
        Precision::Auto if time.microsecond == 0 => Precision::Seconds,
        Precision::Auto => Precision::Microseconds,
        given => given,
    };
    push_two(text, time.hour);
    if precision == Precision::Hours {
        return;
    }
    text.push(b':'.into());
    push_two(text, time.minute);
    if precision == Precision::Minutes {
        return;
    }
    text.push(b':'.into());
    push_two(text, time.second);
    let (mut fraction, mut unit) = match precision {
        Precision::Milliseconds => (time.microsecond / 1000, 100),
        Precision::Microseconds => (time.microsecond, 100_000),
        _ => return,
    };
    text.push(b'.'.into());
    while unit > 0 {
        text.push((b'0' + (fraction / unit) as u8).into());
        fraction %= unit;
        unit /= 10;
    }
}

/// The text does not have the form required.
struct Malformed;

type Parsed<T> = std::result::Result<T, Malformed>;

/// Text being read.
#[derive(Clone, Copy)]
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Reader<'a> {
        Reader { text, at: 0 }
    }
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }
    fn next(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }
    fn number(&mut self, digits: usize) -> Parsed<i32> {
        let mut n = 0;
        for _ in 0..digits {
            match self.next() {
                digit @ b'0'..=b'9' => n = n * 10 + i32::from(digit - b'0'),
                _ => return Err(Malformed),
            }
        }
        Ok(n)
    }
    fn expect(&mut self, byte: u8) -> Parsed<()> {
        if self.next() == byte { Ok(()) } else { Err(Malformed) }
    }
}

/// A date in one of the forms `YYYY-MM-DD`, `YYYYMMDD`, `YYYY-Www[-D]`, `YYYYWww[D]`, which ends the text.
fn parse_date(text: &[u8]) -> Parsed<Ymd> {
    let mut reader = Reader::new(text);
    let year = reader.number(4)?;
    let separated = reader.peek() == b'-';
    if separated {
        reader.at += 1;
    }
    if reader.peek() == b'W' {
        reader.at += 1;
        let week = reader.number(2)?;
        let mut weekday = 1;
        if reader.at < text.len() {
            if separated {
                reader.expect(b'-')?;
            }
            weekday = reader.number(1)?;
        }
        return match iso_to_ordinal(year, week, weekday) {
            Ok(ordinal) => Ok(Ymd::from_ordinal(ordinal)),
            Err(IsoError::Year | IsoError::Week | IsoError::Weekday) => Err(Malformed),
        };
    }
    let month = reader.number(2)?;
    if separated {
        reader.expect(b'-')?;
    }
    let day = reader.number(2)?;
    if reader.at == text.len() { Ok(Ymd::new(year, month, day)) } else { Err(Malformed) }
}

/// `HH[:?MM[:?SS[.,fraction]]]` up to `end`, and whether something follows there.
fn parse_clock(text: &[u8], start: usize, end: usize) -> Parsed<(Hms, bool)> {
    let mut reader = Reader { text, at: start };
    let mut parts = [0; 3];
    let mut separated = true;
    let mut at = 0;
    loop {
        parts[at] = reader.number(2)?;
        let [hour, minute, second] = parts;
        let next = reader.next();
        if at == 0 {
            separated = next == b':';
        }
        if reader.at >= end {
            return Ok((Hms::new(hour, minute, second, 0), next != 0));
        }
        match next {
            b':' if separated && at == 2 => return Err(Malformed),
            b':' if separated => {}
            b'.' | b',' if at < 2 => return Err(Malformed),
            b'.' | b',' => break,
            _ if !separated => reader.at -= 1,
            _ => return Err(Malformed),
        }
        at += 1;
        if at == 3 {
            break;
        }
    }
    let [hour, minute, second] = parts;
    let digits = (end - reader.at).min(6);
    if digits == 0 {
        return Err(Malformed);
    }
    let mut microsecond = reader.number(digits)?;
    for _ in digits..6 {
        microsecond *= 10;
    }
    // Further digits are dropped.
    while reader.peek().is_ascii_digit() {
        reader.at += 1;
    }
    Ok((Hms::new(hour, minute, second, microsecond), reader.peek() != 0))
}

/// A time of day and the offset from UTC, in seconds and microseconds, if there is one.
fn parse_time(text: &[u8]) -> Parsed<(Hms, Option<(i64, i64)>)> {
    let mut zone = 0;
    while zone < text.len().max(1) && !matches!(text.get(zone), Some(b'+' | b'-' | b'Z')) {
        zone += 1;
    }
    let zone = zone.min(text.len());
    let (time, more) = parse_clock(text, 0, zone)?;
    match text.get(zone) {
        None if more => Err(Malformed),
        None => Ok((time, None)),
        Some(b'Z') if zone + 1 < text.len() => Err(Malformed),
        Some(b'Z') => Ok((time, Some((0, 0)))),
        Some(sign) => {
            let sign = if *sign == b'-' { -1 } else { 1 };
            let (offset, more) = parse_clock(text, zone + 1, text.len())?;
            if more {
                return Err(Malformed);
            }
            Ok((time, Some((sign * offset.seconds(), sign * i64::from(offset.microsecond)))))
        }
    }
}

/// Where the date ends: told by the characters at 4 and 5, and for weeks by what follows. The text has at least 7 bytes.
fn date_length(text: &[u8]) -> Parsed<usize> {
    let length = text.len();
    if length == 7 {
        return Ok(7);
    }
    if text[4] == b'-' {
        if text[5] != b'W' {
            return Ok(10);
        }
        // `YYYY-Www-D`, or `YYYY-Www` with a hyphen before the hours: that if two digits follow.
        if length > 8 && text[8] == b'-' {
            return match text.get(10) {
                _ if length == 9 => Err(Malformed),
                Some(byte) if byte.is_ascii_digit() => Ok(8),
                _ => Ok(10),
            };
        }
        return Ok(8);
    }
    if text[4] != b'W' {
        return Ok(8);
    }
    // `YYYYWww` or `YYYYWwwd`: what follows up to the first other character are pairs of digits in the former case.
    let digits_end = (7..length).find(|at| !text[*at].is_ascii_digit()).unwrap_or(length);
    Ok(if digits_end < 9 { digits_end } else { 7 + usize::from(digits_end % 2 == 1) })
}

#[cold]
fn invalid(vm: &Vm, text: &Value) -> Raised {
    match vm.repr(text) {
        Ok(repr) => {
            let class = taipan_object::exceptions::VALUE_ERROR.ty();
            taipan_object::builtins::str::error_with_text(vm, class, "Invalid isoformat string: ", &repr)
        }
        Err(raised) => raised,
    }
}

fn argument<'a>(vm: &Vm, value: &'a Value) -> Result<&'a Str> {
    value.downcast::<Str>().ok_or_else(|| vm.type_error("fromisoformat: argument must be str"))
}

#[cold]
fn not_midnight(vm: &Vm) -> Raised {
    vm.value_error("minute, second, and microsecond must be 0 when hour is 24")
}

/// `date.fromisoformat`
pub fn date_from_text(vm: &Vm, class: &Type, value: &Value) -> Result {
    let text = argument(vm, value)?.to_utf8();
    match text.as_deref().map(str::as_bytes) {
        Some(text @ ([_, _, _, _, _, _, _] | [_, _, _, _, _, _, _, _] | [_, _, _, _, _, _, _, _, _, _])) => {
            match parse_date(text) {
                Ok(date) => date::make(vm, class, date),
                Err(Malformed) => Err(invalid(vm, value)),
            }
        }
        _ => Err(invalid(vm, value)),
    }
}

/// The time zone for an offset that was parsed.
fn zone(vm: &Vm, offset: Option<(i64, i64)>) -> Result {
    match offset {
        None => Ok(Value::NONE),
        Some((0, 0)) => Ok(timezone::utc()),
        Some((seconds, us)) => timezone::from_delta(vm, timedelta::Delta::from_seconds(seconds, us)),
    }
}

/// `time.fromisoformat`
pub fn time_from_text(vm: &Vm, class: &Type, value: &Value) -> Result {
    let Some(text) = argument(vm, value)?.to_utf8() else { return Err(invalid(vm, value)) };
    let text = text.strip_prefix('T').unwrap_or(&text);
    let Ok((mut time, offset)) = parse_time(text.as_bytes()) else { return Err(invalid(vm, value)) };
    if time.hour == 24 {
        if time != Hms::new(24, 0, 0, 0) {
            return Err(not_midnight(vm));
        }
        time.hour = 0;
    }
    let zone = zone(vm, offset)?;
    time::make(vm, class, time, zone, 0)
}

/// The text in UTF-8. The separator between date and time may be anything, even a lone surrogate.
fn sanitized(text: &Str) -> Option<String> {
    if text.is_ascii() {
        return text.to_utf8();
    }
    let mut points = text.to_code_points();
    let is_surrogate = |point: u32| (0xD800..0xE000).contains(&point);
    if let Some(at) = [7, 8, 10].into_iter().find(|at| points.get(*at).is_some_and(|point| is_surrogate(*point))) {
        points[at] = 'T'.into();
    }
    let mut utf8 = String::with_capacity(points.len() + 8);
    for point in points {
        let _ = utf8.write_char(char::from_u32(point)?);
    }
    Some(utf8)
}

fn parse_datetime(text: &[u8]) -> Parsed<(Ymd, Hms, Option<(i64, i64)>)> {
    let end = date_length(text)?;
    let date = parse_date(&text[..end.min(text.len())])?;
    if text.len() <= end + 1 {
        return Ok((date, Hms::default(), None));
    }
    let separator = match text[end] {
        0..0x80 => 1,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
        _ => 2,
    };
    let (time, offset) = parse_time(text.get(end + separator..).unwrap_or_default())?;
    Ok((date, time, offset))
}

/// `datetime.fromisoformat`
pub fn datetime_from_text(vm: &Vm, class: &Type, value: &Value) -> Result {
    let text = argument(vm, value)?;
    let parsed = match if text.len() < 7 { None } else { sanitized(text) } {
        Some(utf8) => parse_datetime(utf8.as_bytes()),
        None => Err(Malformed),
    };
    let Ok((mut date, mut time, offset)) = parsed else { return Err(invalid(vm, value)) };
    let zone = zone(vm, offset)?;
    if time.hour == 24 && (1..=12).contains(&date.month) {
        let last = days_in_month(date.year, date.month);
        if date.day <= last {
            if time != Hms::new(24, 0, 0, 0) {
                return Err(not_midnight(vm));
            }
            time.hour = 0;
            date.day += 1;
            if date.day > last {
                date = Ymd::new(date.year + date.month / 12, date.month % 12 + 1, 1);
            }
        }
    }
    datetime::make(vm, class, date, time, zone, 0)
}
