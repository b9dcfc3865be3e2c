//! Cases with CPython's answers, from `tools/codec_cases.py`.

use super::handlers::*;
use super::*;
use crate::text::builder::TextBuilder;

const CP1252_80: [u32; 32] = [
    0x20ac, 0xfffe, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffe,
    0x017d, 0xfffe, 0xfffe, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
    0x0153, 0xfffe, 0x017e, 0x0178,
];

fn cp1252() -> Vec<u32> {
    (0..256).map(|byte| CP1252_80.get((byte as usize).wrapping_sub(0x80)).copied().unwrap_or(byte)).collect()
}

fn codec(name: &str) -> Option<Codec> {
    Some(match name {
        "utf-8" => Codec::Utf8,
        "utf-7" => Codec::Utf7,
        "utf-16-le" => Codec::Utf16(ByteOrder::Little),
        "utf-16-be" => Codec::Utf16(ByteOrder::Big),
        "utf-32-le" => Codec::Utf32(ByteOrder::Little),
        "utf-32-be" => Codec::Utf32(ByteOrder::Big),
        "ascii" => Codec::Ascii,
        "latin-1" => Codec::Latin1,
        "unicode-escape" => Codec::UnicodeEscape,
        "raw-unicode-escape" => Codec::RawUnicodeEscape,
        _ => return None,
    })
}

fn hexes(codes: &[u32]) -> String {
    codes.iter().map(|code| format!("{code:x}")).collect::<Vec<_>>().join(" ")
}

fn decode_charmap(handler: Handler, bytes: &[u8]) -> Result<Vec<u32>, CodecError> {
    let mut out = TextBuilder::new();
    let mut at = 0;
    while let Err(error) = charmap::decode(bytes, &mut at, &cp1252(), &mut out) {
        let (text, end) = decode_error(handler, None, bytes, error.start, error.end).ok_or(error)?;
        out.push_units(&text);
        at = end;
    }
    Ok(out.finish().codes())
}

fn encode_charmap(handler: Handler, text: &[u32]) -> Result<Vec<u8>, CodecError> {
    let map = charmap::EncodingMap::build(&cp1252()).expect("a plain table");
    let mut out = Vec::new();
    let mut at = 0;
    while let Err(error) = map.encode(text, &mut at, &mut out) {
        match encode_error(handler, None, text, error.start, error.end).ok_or(error)? {
            Replacement::Bytes(bytes) => out.extend(bytes),
            Replacement::Text(ascii) => map.encode(&ascii, &mut 0, &mut out)?,
        }
        at = error.end;
    }
    Ok(out)
}

fn parse_codes(text: &str) -> Vec<u32> {
    text.split_whitespace().map(|code| u32::from_str_radix(code, 16).expect("hexadecimal")).collect()
}

fn parse_bytes(text: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(pair).collect()
}

#[test]
fn as_cpython() {
    let path = std::env::var("CODEC_CASES").ok();
    let cases = match &path {
        Some(path) => std::fs::read_to_string(path).expect("a file of cases"),
        None => include_str!("cases.tsv").to_string(),
    };
    let mut wrong = Vec::new();
    for line in cases.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, direction, handler, input, expected] = fields[..] else { panic!("five fields in {line}") };
        let handler = Handler::from_name(handler).expect("a handler");
        let outcome = match (direction, codec(name)) {
            ("e", codec) => {
                let text = parse_codes(input);
                let encoded = match codec {
                    Some(codec) => encode(codec, &text, handler),
                    None => encode_charmap(handler, &text),
                };
                encoded.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
            }
            (_, None) => decode_charmap(handler, &parse_bytes(input)).map(|text| hexes(&text)),
            ("d", Some(codec)) => {
                decode(codec, &parse_bytes(input), handler, true).map(|(text, _)| hexes(&text.codes()))
            }
            (_, Some(codec)) => decode(codec, &parse_bytes(input), handler, false)
                .map(|(text, used)| format!("{},{used}", hexes(&text.codes()))),
        };
        let actual = outcome.unwrap_or_else(|error| format!("!{}-{} {}", error.start, error.end, error.reason));
        if actual != expected {
            wrong.push(format!("{line} but {actual}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong[..wrong.len().min(30)].join("\n"));
}

#[test]
fn bytes_escapes() {
    let decode = |text: &[u8]| escape::decode(text, escape::Malformed::Strict, &mut None);
    assert_eq!(decode(b"\\x41\\n\\101\\q\\\n\\777\\0"), Ok(b"A\nA\\q\xff\0".to_vec()));
    assert_eq!(decode(b"a\\x4").map_err(|error| error.message), Err("invalid \\x escape at position 1".into()));
    assert_eq!(decode(b"\\").map_err(|error| error.message), Err("Trailing \\ in string".into()));
    let mut invalid = None;
    assert_eq!(escape::decode(b"\\xz1\\x1", escape::Malformed::Replace, &mut invalid), Ok(b"?z1?".to_vec()));
    assert_eq!(escape::decode(b"\\q\\400", escape::Malformed::Ignore, &mut invalid), Ok(b"\\q\0".to_vec()));
    assert_eq!(
        invalid.map(|invalid| invalid.message()).as_deref(),
        Some("\"\\q\" is an invalid escape sequence. Such sequences will not work in the future. ")
    );
    assert_eq!(escape::encode(b"a'\\\x00\x7f\t"), b"a\\'\\\\\\x00\\x7f\\t");
}
