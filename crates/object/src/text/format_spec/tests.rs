//! Cases with CPython's answers, from `tools/format_spec_cases.py`.

use super::render::*;
use super::*;
use crate::text::builder::TextBuilder;

/// Reads the escapes of Python's `ascii`.
fn unescape(text: &str) -> Vec<u32> {
    let mut codes = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            codes.push(c as u32);
            continue;
        }
        let digits = match chars.next() {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            Some('n') => {
                codes.push(b'\n' as u32);
                continue;
            }
            other => {
                codes.extend(other.map(|c| c as u32));
                continue;
            }
        };
        let number: String = chars.by_ref().take(digits).collect();
        codes.push(u32::from_str_radix(&number, 16).expect("hexadecimal digits"));
    }
    codes
}

fn outcome(kind: &str, spec: &[u32], value: &str) -> Result<Vec<u32>, TextError> {
    let mut out = TextBuilder::new();
    match kind {
        "int" => {
            let value: i64 = value.parse().expect("an int");
            let parsed = FormatSpec::parse_int(spec, "int")?;
            match parsed.int_presentation("int")? {
                IntPresentation::Float => render_float(&parsed, value as f64, "int", &C_LOCALE, &mut out)?,
                IntPresentation::Character => {
                    parsed.check_int()?;
                    let code = u32::try_from(value).ok().filter(|&code| code < 0x110000);
                    render_character(&parsed, code.ok_or_else(character_range_error)?, &mut out)?;
                }
                IntPresentation::Base(base) => {
                    parsed.check_int()?;
                    let magnitude = value.unsigned_abs();
                    let digits = match base {
                        2 => format!("{magnitude:b}"),
                        8 => format!("{magnitude:o}"),
                        16 => format!("{magnitude:x}"),
                        _ => magnitude.to_string(),
                    };
                    render_int(&parsed, value < 0, digits.as_bytes(), &C_LOCALE, &mut out)?;
                }
            }
        }
        "float" => {
            let value: f64 = value.parse().expect("a float");
            if spec.is_empty() {
                return Ok(crate::text::float_repr::repr(value).bytes().map(u32::from).collect());
            }
            let parsed = FormatSpec::parse_float(spec, "float")?;
            render_float(&parsed, value, "float", &C_LOCALE, &mut out)?;
        }
        "complex" => {
            let (real, imag) = value.split_once(';').expect("two parts");
            let part = |text: &str| text.parse::<f64>().expect("a float");
            let parsed = FormatSpec::parse_float(spec, "complex")?;
            render_complex(&parsed, part(real), part(imag), "complex", &C_LOCALE, &mut out)?;
        }
        _ => {
            let parsed = FormatSpec::parse_str(spec, "str")?;
            render_str(&parsed, &unescape(value), "str", &mut out)?;
        }
    }
    Ok(out.finish().codes())
}

#[test]
fn as_cpython() {
    let mut wrong = Vec::new();
    for line in include_str!("cases.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let spec = unescape(fields[1]);
        let expected = unescape(fields[3]);
        let actual = match outcome(fields[0], &spec, fields[2]) {
            Ok(text) => text,
            Err(error) => format!("!{}", error.message).chars().map(|c| c as u32).collect(),
        };
        if actual != expected {
            let actual: String = actual.iter().filter_map(|&code| char::from_u32(code)).collect();
            wrong.push(format!("{line} but {actual:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn locale_grouping() {
    let locale = NumberLocale { decimal_point: "\u{66b}", thousands_sep: "\u{66c}", grouping: &[3, 2, 0] };
    let render = |spec: &str, digits: &str, locale: &NumberLocale| {
        let mut out = TextBuilder::new();
        let spec = FormatSpec::parse_int(spec.as_bytes(), "int").expect("a specification");
        render_int(&spec, false, digits.as_bytes(), locale, &mut out).expect("room");
        out.finish().codes().iter().filter_map(|&code| char::from_u32(code)).collect::<String>()
    };
    assert_eq!(render("n", "12345678", &locale), "1\u{66c}23\u{66c}45\u{66c}678");
    assert_eq!(render("012n", "12345", &locale), "00\u{66c}00\u{66c}12\u{66c}345");
    let ended = NumberLocale { grouping: &[3, 127], ..locale };
    assert_eq!(render("n", "12345678", &ended), "12345\u{66c}678");
}
