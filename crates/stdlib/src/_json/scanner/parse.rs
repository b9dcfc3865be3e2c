//! The parser, by recursive descent over the units of a string.
//!
//! Keys of objects recur: a small table gives the str made before for the same text.

use super::Scanner;
use crate::_json::text::plain_run;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::float::FLOAT;
use taipan_object::builtins::int::INT;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Data, Str};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::text::Unit;
use taipan_object::text::builder::TextBuilder;
use taipan_object::{Raised, Ref, Result, Value, Vm};

/// The value that begins at `at`, and the place behind it.
pub fn value(vm: &Vm, scanner: &Scanner, source: &Value, text: &Str, at: usize) -> Result<(Value, usize)> {
    match text.data() {
        Data::Ascii(units) => Parser::new(vm, scanner, source, units, Str::from_ascii).value(at),
        Data::Latin1(units) => Parser::new(vm, scanner, source, units, Str::from_latin1).value(at),
        Data::Ucs2(units) => Parser::new(vm, scanner, source, units, Str::from_ucs2).value(at),
        Data::Ucs4(units) => Parser::new(vm, scanner, source, units, Str::from_code_points).value(at),
    }
}

/// The string whose contents begin at `at`, which is not behind the end, and the place behind it.
pub fn string(vm: &Vm, source: &Value, text: &Str, at: usize, strict: bool) -> Result<(Value, usize)> {
    match text.data() {
        Data::Ascii(units) => Text { vm, source, units, make: Str::from_ascii, strict }.string(at),
        Data::Latin1(units) => Text { vm, source, units, make: Str::from_latin1, strict }.string(at),
        Data::Ucs2(units) => Text { vm, source, units, make: Str::from_ucs2, strict }.string(at),
        Data::Ucs4(units) => Text { vm, source, units, make: Str::from_code_points, strict }.string(at),
    }
}

/// What is parsed.
struct Text<'a, U: Unit> {
    vm: &'a Vm,
    /// The str, for errors.
    source: &'a Value,
    units: &'a [U],
    /// Makes a str of some of the units.
    make: fn(&[U]) -> Ref<Str>,
    /// Control characters in strings are errors.
    strict: bool,
}

impl<U: Unit> Text<'_, U> {
    /// The unit at a place if it is ASCII; 0 behind the end and for others.
    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        match self.units.get(at) {
            Some(unit) if unit.code() < 0x80 => unit.code() as u8,
            _ => 0,
        }
    }

    #[inline]
    fn skip_space(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), b' ' | b'\n' | b'\r' | b'\t') {
            at += 1;
        }
        at
    }

    fn starts_with(&self, at: usize, word: &[u8]) -> bool {
        self.units.len() - at >= word.len() && word.iter().enumerate().all(|(i, byte)| self.byte(at + i) == *byte)
    }

    /// Raises `JSONDecodeError`.
    #[cold]
    fn error(&self, message: &str, at: i64) -> Raised {
        let vm = self.vm;
        let exception = vm
            .import_from("json.decoder", "JSONDecodeError")
            .and_then(|class| vm.call_args(&class, &[Value::from(message), self.source.clone(), Value::from(at)]));
        match exception {
            Ok(exception) => vm.raise(exception),
            Err(raised) => raised,
        }
    }

    /// The end of the run of ordinary characters from `at` on.
    #[inline]
    fn run(&self, at: usize) -> usize {
        let units = &self.units[at..];
        let length = match U::as_bytes(units) {
            Some(bytes) if self.strict => plain_run(bytes),
            Some(bytes) => memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len()),
            None => {
                let special = |unit: &U| {
                    let code = unit.code();
                    code == u32::from(b'"') || code == u32::from(b'\\') || code < 0x20 && self.strict
                };
                units.iter().position(special).unwrap_or(units.len())
            }
        };
        at + length
    }

    /// The string whose contents begin at `at`, and the place behind its quote.
    #[inline]
    fn string(&self, at: usize) -> Result<(Value, usize)> {
        let end = self.run(at);
        if self.byte(end) == b'"' {
            return Ok(((self.make)(&self.units[at..end]).into_value(), end + 1));
        }
        self.string_with_escapes(at, end)
    }

    /// As [`Text::string`], when the first run, which ends at `end`, is not the whole.
    #[inline(never)]
    fn string_with_escapes(&self, at: usize, mut end: usize) -> Result<(Value, usize)> {
        let unterminated = || self.error("Unterminated string starting at", at as i64 - 1);
        let mut out = TextBuilder::new();
        let mut start = at;
        loop {
            out.push_units(&self.units[start..end]);
            if end == self.units.len() {
                return Err(unterminated());
            }
            match self.byte(end) {
                b'"' => return Ok((Str::from_text(out.finish()).into_value(), end + 1)),
                b'\\' => {}
                _ => return Err(self.error("Invalid control character at", end as i64)),
            }
            if end + 1 == self.units.len() {
                return Err(unterminated());
            }
            let (code, next) = self.escape(end)?;
            out.push(code);
            start = next;
            end = self.run(next);
        }
    }

    /// The character of the escape whose backslash is at `at`, which is not the last unit, and the place behind it.
    fn escape(&self, at: usize) -> Result<(u32, usize)> {
        let code = match self.byte(at + 1) {
            letter @ (b'"' | b'\\' | b'/') => letter,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode_escape(at),
            _ => return Err(self.error("Invalid \\escape", at as i64)),
        };
        Ok((code.into(), at + 2))
    }

    fn unicode_escape(&self, at: usize) -> Result<(u32, usize)> {
        let invalid = |at: usize| self.error("Invalid \\uXXXX escape", at as i64);
        if at + 6 > self.units.len() {
            return Err(invalid(at + 1));
        }
        let Some(code) = self.hexadecimal(at + 2) else { return Err(invalid(at + 1)) };
        let has_second = (0xd800..0xdc00).contains(&code)
            && at + 12 <= self.units.len()
            && self.byte(at + 6) == b'\\'
            && self.byte(at + 7) == b'u';
        if !has_second {
            return Ok((code, at + 6));
        }
        match self.hexadecimal(at + 8) {
            Some(low @ 0xdc00..=0xdfff) => Ok((0x10000 + ((code & 0x3ff) << 10 | low & 0x3ff), at + 12)),
            Some(_) => Ok((code, at + 6)),
            None => Err(invalid(at + 7)),
        }
    }

    fn hexadecimal(&self, at: usize) -> Option<u32> {
        (at..at + 4).try_fold(0, |code, at| Some(code << 4 | (self.byte(at) as char).to_digit(16)?))
    }
}

struct Parser<'a, U: Unit> {
    text: Text<'a, U>,
    scanner: &'a Scanner,
    makes_floats: bool,
    makes_ints: bool,
    keys: Vec<Option<Value>>,
}

/// Slots of the table of keys, a power of two.
const KEYS: usize = 256;

impl<'a, U: Unit> Parser<'a, U> {
    fn new(
        vm: &'a Vm,
        scanner: &'a Scanner,
        source: &'a Value,
        units: &'a [U],
        make: fn(&[U]) -> Ref<Str>,
    ) -> Parser<'a, U> {
        Parser {
            text: Text { vm, source, units, make, strict: scanner.strict },
            scanner,
            makes_floats: scanner.makes_floats(),
            makes_ints: scanner.makes_ints(),
            keys: Vec::new(),
        }
    }

    /// No value begins here.
    #[cold]
    fn stop(&self, at: usize) -> Raised {
        self.text.vm.stop_iteration(Some(Value::from(at)))
    }

    fn value(&mut self, at: usize) -> Result<(Value, usize)> {
        let vm = self.text.vm;
        if at >= self.text.units.len() {
            return Err(self.stop(at));
        }
        match self.text.byte(at) {
            b'"' => return self.text.string(at + 1),
            b'{' => {
                vm.check_stack(" while decoding a JSON object from a unicode string")?;
                return self.object(at + 1);
            }
            b'[' => {
                vm.check_stack(" while decoding a JSON array from a unicode string")?;
                return self.array(at + 1);
            }
            b'n' if self.text.starts_with(at, b"null") => return Ok((Value::NONE, at + 4)),
            b't' if self.text.starts_with(at, b"true") => return Ok((Value::TRUE, at + 4)),
            b'f' if self.text.starts_with(at, b"false") => return Ok((Value::FALSE, at + 5)),
            b'N' if self.text.starts_with(at, b"NaN") => return self.constant("NaN", at),
            b'I' if self.text.starts_with(at, b"Infinity") => return self.constant("Infinity", at),
            b'-' if self.text.starts_with(at, b"-Infinity") => return self.constant("-Infinity", at),
            _ => {}
        }
        self.number(at)
    }

    fn constant(&self, name: &str, at: usize) -> Result<(Value, usize)> {
        let value = self.text.vm.call_args(&self.scanner.parse_constant, &[Value::from(name)])?;
        Ok((value, at + name.len()))
    }

    fn number(&self, start: usize) -> Result<(Value, usize)> {
        let text = &self.text;
        let digits = |mut at: usize| {
            while text.byte(at).is_ascii_digit() {
                at += 1;
            }
            at
        };
        let negative = text.byte(start) == b'-';
        let first = start + usize::from(negative);
        let mut end = match text.byte(first) {
            b'0' => first + 1,
            b'1'..=b'9' => digits(first + 1),
            _ => return Err(self.stop(start)),
        };
        let mut is_float = false;
        if text.byte(end) == b'.' && text.byte(end + 1).is_ascii_digit() {
            is_float = true;
            end = digits(end + 2);
        }
        if matches!(text.byte(end), b'e' | b'E') {
            let exponent = end + 1 + usize::from(matches!(text.byte(end + 1), b'+' | b'-'));
            if text.byte(exponent).is_ascii_digit() {
                is_float = true;
                end = digits(exponent);
            }
        }
        if !is_float && self.makes_ints && end - first <= 18 {
            let magnitude = (first..end).fold(0, |n, at| n * 10 + i64::from(text.byte(at) - b'0'));
            return Ok((Value::from(if negative { -magnitude } else { magnitude }), end));
        }
        if is_float && self.makes_floats {
            let units = &text.units[start..end];
            let number = match U::as_bytes(units) {
                Some(bytes) => parse_float(bytes),
                None => parse_float(&units.iter().map(|unit| unit.code() as u8).collect::<Vec<u8>>()),
            };
            if let Some(number) = number {
                return Ok((Value::from(number), end));
            }
        }
        let digits = (text.make)(&text.units[start..end]).into_value();
        let (int, float) = (INT.value(), FLOAT.value());
        let function = match (is_float, self.makes_ints, self.makes_floats) {
            (false, true, _) => &int,
            (false, false, _) => &self.scanner.parse_int,
            (true, _, true) => &float,
            (true, _, false) => &self.scanner.parse_float,
        };
        Ok((text.vm.call_args(function, &[digits])?, end))
    }

    /// The array whose contents begin at `at`.
    fn array(&mut self, at: usize) -> Result<(Value, usize)> {
        let vm = self.text.vm;
        let mut items = Vec::new();
        let mut at = self.text.skip_space(at);
        if self.text.byte(at) == b']' {
            return Ok((List::from_vec(items).into_value(), at + 1));
        }
        loop {
            let (item, end) = self.value(at)?;
            if items.try_reserve(1).is_err() {
                return Err(vm.memory_error());
            }
            items.push(item);
            at = self.text.skip_space(end);
            match self.text.byte(at) {
                b']' => return Ok((List::from_vec(items).into_value(), at + 1)),
                b',' => {}
                _ => return Err(self.text.error("Expecting ',' delimiter", at as i64)),
            }
            let comma = at;
            at = self.text.skip_space(at + 1);
            if self.text.byte(at) == b']' {
                return Err(self.text.error("Illegal trailing comma before end of array", comma as i64));
            }
        }
    }

    /// The object whose contents begin at `at`.
    fn object(&mut self, at: usize) -> Result<(Value, usize)> {
        let vm = self.text.vm;
        let as_pairs = !self.scanner.object_pairs_hook.is_none();
        let dict = Dict::new();
        let mut pairs = Vec::new();
        let mut at = self.text.skip_space(at);
        if self.text.byte(at) != b'}' {
            at = loop {
                if self.text.byte(at) != b'"' {
                    let message = "Expecting property name enclosed in double quotes";
                    return Err(self.text.error(message, at as i64));
                }
                let (key, end) = self.key(at + 1)?;
                at = self.text.skip_space(end);
                if self.text.byte(at) != b':' {
                    return Err(self.text.error("Expecting ':' delimiter", at as i64));
                }
                at = self.text.skip_space(at + 1);
                let (value, end) = self.value(at)?;
                if as_pairs {
                    pairs.push(Tuple::from_array([key, value]).into_value());
                } else {
                    dict.set(vm, &key, value)?;
                }
                at = self.text.skip_space(end);
                match self.text.byte(at) {
                    b'}' => break at,
                    b',' => {}
                    _ => return Err(self.text.error("Expecting ',' delimiter", at as i64)),
                }
                let comma = at;
                at = self.text.skip_space(at + 1);
                if self.text.byte(at) == b'}' {
                    return Err(self.text.error("Illegal trailing comma before end of object", comma as i64));
                }
            };
        }
        let object = if as_pairs {
            vm.call_args(&self.scanner.object_pairs_hook, &[List::from_vec(pairs).into_value()])?
        } else if self.scanner.object_hook.is_none() {
            dict.into_value()
        } else {
            vm.call_args(&self.scanner.object_hook, &[dict.into_value()])?
        };
        Ok((object, at + 1))
    }

    /// The key whose contents begin at `at`.
    #[inline]
    fn key(&mut self, at: usize) -> Result<(Value, usize)> {
        let end = self.text.run(at);
        if self.text.byte(end) != b'"' {
            return self.text.string_with_escapes(at, end);
        }
        let units = &self.text.units[at..end];
        if self.keys.is_empty() {
            self.keys.resize(KEYS, None);
        }
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let hash = units
            .iter()
            .fold(units.len() as u64, |hash, unit| (hash.rotate_left(5) ^ u64::from(unit.code())).wrapping_mul(FACTOR));
        let slot = &mut self.keys[(hash >> 32) as usize % KEYS];
        if let Some(key) = slot
            && key.downcast_exact::<Str>().is_some_and(|key| is_text(key, units))
        {
            return Ok((key.clone(), end + 1));
        }
        let key = (self.text.make)(units).into_value();
        let old = slot.replace(key.clone());
        drop(old);
        Ok((key, end + 1))
    }
}

fn is_text<U: Unit>(text: &Str, units: &[U]) -> bool {
    match U::as_bytes(units) {
        Some(bytes) => text.kind() == 1 && text.raw_bytes() == bytes,
        None => text.len() == units.len() && text.code_points().eq(units.iter().map(|unit| unit.code())),
    }
}

fn parse_float(digits: &[u8]) -> Option<f64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
