//! `Decimal.__format__`.

use super::own;
use crate::_decimal::context;
use crate::_decimal::mpd::{self, Coefficient, Number, coefficient::check_room, integral};
use crate::payload::signature;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::number_locale::NumberText;
use taipan_object::builtins::str::{Str, StrBuilder, intern};
use taipan_object::exceptions::DEPRECATION_WARNING;
use taipan_object::{Raised, Result, Value, Vm};

signature!(FORMAT = "(fmtarg, override=None, /)");

/// A parsed specification.
struct Spec {
    fill: u32,
    align: u8,
    sign: u8,
    no_negative_zero: bool,
    alternate: bool,
    zero_padded: bool,
    width: i64,
    precision: Option<i64>,
    fraction_separator: Option<u8>,
    /// One of `eEfFgG%`.
    kind: u8,
    /// The locale's punctuation was asked for.
    local: bool,
    punctuation: Punctuation,
}

struct Punctuation {
    point: String,
    separator: String,
    /// Sizes of groups as in the C library's locale.
    grouping: Vec<u8>,
}

impl Punctuation {
    fn plain(separator: &str) -> Punctuation {
        let grouping = if separator.is_empty() { Vec::new() } else { vec![3] };
        Punctuation { point: ".".to_string(), separator: separator.to_string(), grouping }
    }
}

#[cold]
fn invalid(vm: &Vm) -> Raised {
    vm.value_error("invalid format string")
}

#[cold]
fn too_large(vm: &Vm) -> Raised {
    vm.value_error("format specification exceeds internal limits of _decimal")
}

/// The code points of a specification being read.
struct Reader<'a> {
    points: &'a [u32],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self, offset: usize) -> Option<u8> {
        self.points.get(self.at + offset).and_then(|point| u8::try_from(*point).ok())
    }
    fn take(&mut self, allowed: &[u8]) -> Option<u8> {
        let byte = self.peek(0).filter(|byte| allowed.contains(byte))?;
        self.at += 1;
        Some(byte)
    }
    fn number(&mut self) -> Option<i64> {
        let mut n: Option<i64> = None;
        while let Some(digit) = self.take(b"0123456789") {
            n = Some(n.unwrap_or(0).saturating_mul(10).saturating_add(i64::from(digit - b'0')));
        }
        n
    }
}

fn parse(vm: &Vm, text: &Str, capitals: bool) -> Result<Spec> {
    let points = text.to_code_points();
    let mut reader = Reader { points: &points, at: 0 };
    let is_align = |byte: Option<u8>| byte.is_some_and(|byte| b"<>=^".contains(&byte));
    let (mut fill, mut align) = (None, None);
    if is_align(reader.peek(1)) {
        fill = points.first().copied();
        align = reader.peek(1);
        reader.at = 2;
    } else if is_align(reader.peek(0)) {
        align = reader.peek(0);
        reader.at = 1;
    }
    let sign = reader.take(b"-+ ").unwrap_or(b'-');
    let no_negative_zero = reader.take(b"z").is_some();
    let alternate = reader.take(b"#").is_some();
    let zero_padded = reader.take(b"0").is_some();
    let width = reader.number();
    let separator = reader.take(b",_");
    let (mut precision, mut fraction_separator) = (None, None);
    if reader.take(b".").is_some() {
        precision = reader.number();
        fraction_separator = reader.take(b",_");
        if precision.is_none() && fraction_separator.is_none() {
            return Err(invalid(vm));
        }
    }
    let kind = reader.take(b"eEfFgGnN%");
    if reader.at < points.len() || zero_padded && align.is_some() {
        return Err(invalid(vm));
    }
    if width == Some(i64::MAX) {
        return Err(vm.overflow_error("cannot fit 'int' into an index-sized integer"));
    }
    let local = matches!(kind, Some(b'n' | b'N'));
    if local && (separator.is_some() || fraction_separator.is_some()) {
        return Err(invalid(vm));
    }
    if kind == Some(b'N') {
        let message = "Format specifier 'N' is deprecated and slated for removal in Python 3.18";
        vm.warn(&DEPRECATION_WARNING.value(), message, 1)?;
    }
    let kind = match kind {
        Some(b'n') => b'g',
        Some(b'N') => b'G',
        Some(kind) => kind,
        None if capitals => b'G',
        None => b'g',
    };
    if precision == Some(0) && matches!(kind, b'g' | b'G') {
        precision = Some(1);
    }
    let punctuation = match separator {
        _ if local => local_punctuation(),
        Some(b',') => Punctuation::plain(","),
        Some(_) => Punctuation::plain("_"),
        None => Punctuation::plain(""),
    };
    Ok(Spec {
        fill: fill.unwrap_or(if zero_padded { b'0' } else { b' ' }.into()),
        align: align.unwrap_or(if zero_padded { b'=' } else { b'>' }),
        sign,
        no_negative_zero,
        alternate,
        zero_padded,
        width: width.unwrap_or(0),
        precision,
        fraction_separator,
        kind,
        local,
        punctuation,
    })
}

fn local_punctuation() -> Punctuation {
    let locale = NumberText::current();
    let locale = locale.borrow();
    Punctuation {
        point: locale.decimal_point.to_string(),
        separator: locale.thousands_sep.to_string(),
        grouping: locale.grouping.to_vec(),
    }
}

/// What a dictionary says instead of the locale; without one it must say all.
fn override_punctuation(vm: &Vm, punctuation: &mut Punctuation, local: bool, value: &Value) -> Result<()> {
    let Some(dict) = value.downcast_ref::<Dict>() else {
        return Err(vm.type_error("optional argument must be a dict"));
    };
    let invalid = || vm.value_error("invalid override dict");
    if !local {
        punctuation.point.clear();
    }
    let text = |name: &str| -> Result<Option<String>> {
        match dict.get_str(intern(name).as_value()) {
            None => Ok(None),
            Some(value) => match value.downcast::<Str>() {
                Some(text) => Ok(Some(text.to_string_lossy())),
                None => Err(invalid()),
            },
        }
    };
    if let Some(point) = text("decimal_point")? {
        punctuation.point = point;
    }
    if let Some(separator) = text("thousands_sep")? {
        punctuation.separator = separator;
    }
    if let Some(grouping) = text("grouping")? {
        punctuation.grouping = grouping.into_bytes();
    }
    let long = |text: &str| text.len() > 4;
    // As C's characters have it, what is no ASCII is negative.
    let grouping_is_wrong = !punctuation.grouping.is_ascii();
    if punctuation.point.is_empty() || grouping_is_wrong || long(&punctuation.point) || long(&punctuation.separator) {
        return Err(invalid());
    }
    Ok(())
}

pub fn format(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    if args.is_empty() {
        return Err(vm.type_error("function takes at least 1 argument (0 given)"));
    }
    let bound = FORMAT.bind(vm, args, kwnames)?;
    let Some(text) = bound[0].downcast::<Str>() else { return Err(vm.type_error("format arg must be str")) };
    let context = context::current();
    let mut spec = parse(vm, text, context.settings().capitals)?;
    if !bound[1].is_none() {
        override_punctuation(vm, &mut spec.punctuation, spec.local, &bound[1])?;
    }
    let number = own(this);
    if !number.is_finite() {
        if spec.zero_padded {
            (spec.fill, spec.align) = (b' '.into(), b'>');
        }
        let mut body = String::from_utf8(mpd::text::to_text(&number.abs(), false, true)).unwrap_or_default();
        if spec.kind == b'%' {
            body.push('%');
        }
        return align(vm, &spec, sign(&spec, number.negative), &body);
    }
    if spec.precision.is_some_and(|precision| precision > mpd::context::MAX_PREC) {
        return Err(too_large(vm));
    }
    let mut status = 0;
    let settings = mpd::Context { round: context.number().round, ..mpd::Context::MAX };
    let rounded = round(number, &spec, &settings, &mut status);
    if status & mpd::status::MALLOC_ERROR != 0 {
        return Err(vm.memory_error());
    }
    if status & mpd::status::INVALID != 0 {
        return Err(too_large(vm));
    }
    finite(vm, &spec, &rounded)
}

/// The number with the digits that are shown.
fn round(number: &Number, spec: &Spec, context: &mpd::Context, status: &mut u32) -> Number {
    let mut number = number.clone();
    if spec.kind == b'%' {
        number.exp += 2;
    }
    if let Some(precision) = spec.precision {
        let digits = match spec.kind {
            b'e' | b'E' => Some(precision.saturating_add(1)),
            b'g' | b'G' if number.digits() > precision => Some(precision),
            b'g' | b'G' => None,
            _ => {
                number = integral::rescale(&number, precision.saturating_neg(), context, status);
                None
            }
        };
        if let Some(digits) = digits
            && !number.coefficient.is_zero()
        {
            let rescaled = |number: &Number, status: &mut u32| {
                integral::rescale(number, (number.adjusted() + 1).saturating_sub(digits), context, status)
            };
            let adjusted = number.adjusted();
            number = rescaled(&number, status);
            if number.is_finite() && number.adjusted() != adjusted {
                number = rescaled(&number, status);
            }
        }
    }
    if number.is_zero() && number.exp > 0 && matches!(spec.kind, b'f' | b'F' | b'%') {
        number = Number::finite(number.negative, Coefficient::ZERO, 0);
    }
    number
}

fn finite(vm: &Vm, spec: &Spec, number: &Number) -> Result {
    let mut digits = Vec::new();
    number.coefficient.push_ascii(&mut digits);
    let count = digits.len() as i64;
    let left = number.exp.saturating_add(count);
    let point = match spec.kind {
        b'e' | b'E' => match spec.precision {
            Some(precision) if number.coefficient.is_zero() => 1 - precision,
            _ => 1,
        },
        b'g' | b'G' if number.exp <= 0 && left > -6 => left,
        b'g' | b'G' => 1,
        _ => left,
    };
    if check_room(point.unsigned_abs().min(i64::MAX as u64) as i64).is_err() {
        return Err(vm.memory_error());
    }
    let text = |digits: &[u8]| String::from_utf8_lossy(digits).into_owned();
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let (whole, fraction) = if point < 0 {
        ("0".to_string(), zeros(-point) + &text(&digits))
    } else if point > count {
        (text(&digits) + &zeros(point - count), String::new())
    } else {
        let (whole, fraction) = digits.split_at(point as usize);
        (if whole.is_empty() { "0".to_string() } else { text(whole) }, text(fraction))
    };
    let mut tail = String::new();
    if !fraction.is_empty() || spec.alternate {
        tail.push_str(&spec.punctuation.point);
    }
    match spec.fraction_separator {
        None => tail.push_str(&fraction),
        Some(separator) => {
            for (at, digit) in fraction.chars().enumerate() {
                if at > 0 && at % 3 == 0 {
                    tail.push(separator as char);
                }
                tail.push(digit);
            }
        }
    }
    let exponent = left - point;
    if exponent != 0 || matches!(spec.kind, b'e' | b'E') {
        let letter = if matches!(spec.kind, b'E' | b'G') { 'E' } else { 'e' };
        tail.push_str(&format!("{letter}{exponent:+}"));
    }
    if spec.kind == b'%' {
        tail.push('%');
    }
    let negative = number.negative && !(spec.no_negative_zero && number.coefficient.is_zero());
    let sign = sign(spec, negative);
    let room = match spec.zero_padded {
        true => spec.width - tail.chars().count() as i64 - sign.len() as i64,
        false => 0,
    };
    if check_room(room.saturating_mul(8)).is_err() {
        return Err(vm.memory_error());
    }
    let body = group(&whole, &spec.punctuation, room.max(1)) + &tail;
    align(vm, spec, sign, &body)
}

fn sign(spec: &Spec, negative: bool) -> &'static str {
    match (negative, spec.sign) {
        (true, _) => "-",
        (false, b'+') => "+",
        (false, b' ') => " ",
        _ => "",
    }
}

/// The sizes of the groups of digits from the right; the last one goes on.
fn group_sizes(grouping: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let mut at = 0;
    let mut current = usize::MAX;
    std::iter::from_fn(move || {
        match grouping.get(at) {
            // 127 (the largest signed char) means that the rest is one group, 0 that the last size repeats.
            Some(127..) => current = usize::MAX,
            Some(0) | None => {}
            Some(size) => current = usize::from(*size),
        }
        at += usize::from(at < grouping.len() && grouping[at] != 0);
        Some(current)
    })
}

/// Digits with separators, and zeros in front to fill the width.
fn group(digits: &str, punctuation: &Punctuation, mut width: i64) -> String {
    let separator = &punctuation.separator;
    let separator_width = separator.chars().count() as i64;
    let mut rest = digits;
    let mut groups: Vec<String> = Vec::new();
    let sizes = if punctuation.grouping.is_empty() { &[][..] } else { &punctuation.grouping[..] };
    for size in group_sizes(sizes) {
        if separator.is_empty() {
            break;
        }
        let length = size.min((rest.len() as i64).max(width).max(1) as usize);
        let taken = rest.len().min(length);
        let (left, group) = rest.split_at(rest.len() - taken);
        groups.push("0".repeat(length - taken) + group);
        rest = left;
        width -= length as i64;
        if rest.is_empty() && width <= 0 {
            groups.reverse();
            return groups.join(separator);
        }
        width -= separator_width;
    }
    let length = (rest.len() as i64).max(width).max(1) as usize;
    groups.push("0".repeat(length - rest.len()) + rest);
    groups.reverse();
    groups.join(separator)
}

fn align(vm: &Vm, spec: &Spec, sign: &str, body: &str) -> Result {
    let length = sign.len() + body.chars().count();
    let missing = usize::try_from(spec.width).unwrap_or(0).saturating_sub(length);
    if check_room((missing as i64).saturating_mul(8)).is_err() {
        return Err(vm.memory_error());
    }
    let (before, inside, after) = match spec.align {
        b'<' => (0, 0, missing),
        b'=' => (0, missing, 0),
        b'^' => (missing / 2, 0, missing - missing / 2),
        _ => (missing, 0, 0),
    };
    let mut text = StrBuilder::with_capacity(length + missing);
    let pad = |text: &mut StrBuilder, count: usize| (0..count).for_each(|_| text.push(spec.fill));
    pad(&mut text, before);
    text.push_str(sign);
    pad(&mut text, inside);
    text.push_str(body);
    pad(&mut text, after);
    Ok(text.finish().into_value())
}
