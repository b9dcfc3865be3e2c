//! Every code point against CPython: the checksums come from `tools/unicode/digests.py`.

use super::case::*;
use super::normalize::{Form, is_normalized, normalize};
use super::*;
use crate::text::builder::TextBuilder;
use std::fmt::Write;

fn crc32(total: u32, bytes: &[u8]) -> u32 {
    let mut crc = !total;
    for &byte in bytes {
        crc ^= byte as u32;
        for _ in 0..8 {
            crc = if crc & 1 != 0 { crc >> 1 ^ 0xedb88320 } else { crc >> 1 };
        }
    }
    !crc
}

fn check(expected: u32, answer: impl Fn(u32, &mut String)) {
    let mut total = 0;
    let mut line = String::new();
    for c in 0..0x110000 {
        line.clear();
        answer(c, &mut line);
        line.push('\n');
        total = crc32(total, line.as_bytes());
    }
    assert_eq!(total, expected, "{total:#x} is not {expected:#x}");
}

fn hexes(codes: &[u32]) -> String {
    codes.iter().map(|code| format!("{code:X}")).collect::<Vec<_>>().join(" ")
}

fn mapped(map: fn(&[u32], &mut TextBuilder), text: &[u32]) -> String {
    let mut out = TextBuilder::new();
    map(text, &mut out);
    hexes(&out.finish().codes())
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_string(), |value| ((value * 1000.0 + 0.5).trunc() as i128).to_string())
}

fn small(value: Option<u8>) -> String {
    value.map_or_else(|| "-".to_string(), |value| value.to_string())
}

const FORMS: [Form; 4] = [Form::Nfc, Form::Nfd, Form::Nfkc, Form::Nfkd];

fn normal(text: &[u32], form: Form, version: Version) -> String {
    let normal = normalize(text, form, version);
    assert_eq!(normal.is_none(), is_normalized(text, form, version));
    hexes(normal.as_deref().unwrap_or(text))
}

#[test]
fn character_types() {
    check(0x96c5c1b4, |c, line| {
        let text = &[c];
        let answers = [
            is_alpha(c),
            is_decimal(c),
            is_digit(c),
            is_numeric(c),
            is_space(c),
            is_printable(c),
            is_upper_text(text),
            is_lower_text(text),
            is_title_text(text),
            is_identifier(text),
            is_identifier(&[97, c]),
            is_alnum(c),
        ];
        line.extend(answers.iter().map(|&yes| if yes { '1' } else { '0' }));
    });
}

#[test]
fn case_mappings() {
    check(0x393f381d, |c, line| {
        let maps = [upper, lower, title, casefold, swapcase, capitalize];
        *line = maps.map(|map| mapped(map, &[c])).join(",");
    });
}

#[test]
fn final_sigma() {
    check(0x74550a39, |c, line| {
        let after = mapped(lower, &[65, c, 0x3a3]);
        let before = mapped(lower, &[65, 0x3a3, c]);
        *line = [after, before, mapped(title, &[c, 0x3a3, 98])].join(",");
    });
}

#[test]
fn database() {
    check(0x6f76bf63, |c, line| {
        let (category, bidi, width) = (category(c), bidirectional(c), east_asian_width(c));
        write!(line, "{category},{bidi},{},{},{width}", combining(c), mirrored(c) as u8).unwrap();
    });
}

#[test]
fn values() {
    check(0xc13b58c4, |c, line| *line = [small(decimal(c)), small(digit(c)), number(numeric(c))].join(","));
}

#[test]
fn decompositions() {
    check(0xadf19fbc, |c, line| *line = Version::Current.decomposition(c));
}

#[test]
fn normal_forms() {
    check(0x8188b331, |c, line| *line = FORMS.map(|form| normal(&[c], form, Version::Current)).join(","));
}

#[test]
fn normal_forms_with_marks() {
    check(0x1a321f3a, |c, line| {
        let texts: [&[u32]; 4] = [&[101, c, 0x301], &[c, 0x316, 0x300], &[0x1100, c], &[0xac00, c]];
        let all = [Form::Nfc, Form::Nfkc].map(|form| texts.map(|text| normal(text, form, Version::Current)).join(","));
        *line = all.join(",");
    });
}

#[test]
fn every_name() {
    check(0x56fbbbef, |c, line| *line = names::name(c).unwrap_or_default());
}

#[test]
fn database_3_2_0() {
    let old = Version::V3_2_0;
    check(0xc092b616, |c, line| {
        let (category, bidi, width) = (old.category(c), old.bidirectional(c), old.east_asian_width(c));
        let (combining, mirrored) = (old.combining(c), old.mirrored(c) as u8);
        write!(line, "{category},{bidi},{combining},{mirrored},{width},").unwrap();
        write!(line, "{},{}", small(old.decimal(c)), number(old.numeric(c))).unwrap();
    });
}

#[test]
fn normal_forms_3_2_0() {
    check(0xeee7ca16, |c, line| *line = FORMS.map(|form| normal(&[c], form, Version::V3_2_0)).join(","));
}

#[test]
fn names_are_found() {
    for c in 0..0x110000 {
        if let Some(name) = names::name(c) {
            assert_eq!(names::lookup(name.as_bytes()), Some(names::Named::Character(c)), "{name}");
        }
    }
    let found = |name: &str| names::lookup(name.as_bytes());
    assert_eq!(found("null"), Some(names::Named::Character(0)));
    assert_eq!(found("LF"), Some(names::Named::Character(10)));
    assert_eq!(found("hangul syllable gag"), Some(names::Named::Character(0xac01)));
    assert_eq!(found("TANGUT IDEOGRAPH-17000"), Some(names::Named::Character(0x17000)));
    assert_eq!(found("cjk unified ideograph-4e00"), Some(names::Named::Character(0x4e00)));
    assert_eq!(found("Keycap Number Sign"), Some(names::Named::Sequence(&[0x23, 0xfe0f, 0x20e3])));
    for missing in
        ["", " ", "CJK UNIFIED IDEOGRAPH-04E00", "latin small letter  a", "LATIN", "HANGUL SYLLABLE ", "-4E00"]
    {
        assert_eq!(found(missing), None, "{missing}");
    }
}
