//! The tables of the codecs: texts by code and codes by character. `tables/` has them as text, which
//! `tools/cjk_tables.py` writes and describes.

use taipan_object::text::builder::TextBuilder;

/// Entries of a table between these are numbers of texts that do not fit 16 bits.
const FIRST_LONG: u16 = 0xd800;
const LAST_LONG: u16 = 0xdfff;

/// No text.
const NONE: u16 = 0xffff;
/// No text, and the code is wrong as a whole, not in its first byte only.
const GONE: u16 = 0xfffe;

pub struct Table {
    singles: [u16; 256],
    /// By both bytes.
    double: Vec<u16>,
    /// By the last two of three bytes.
    triple: Vec<u16>,
    /// Characters beyond the BMP, and pairs.
    long: Vec<(u32, u32)>,
    /// Pages of 256 characters; 0 is no code.
    codes: Vec<Option<Box<[u32; 256]>>>,
    /// The codes of pairs of characters.
    pairs: Vec<(u32, u32, u32)>,
}

/// What a code stands for.
pub enum Found {
    Text(u32, Option<u32>),
    Nothing,
    Gone,
}

impl Table {
    /// Reads tables, each of which extends the ones before it. Codes that the last one takes away are wrong as a whole
    /// if `gone_whole` says so.
    pub fn parse(sources: &[&str], gone_whole: bool) -> Table {
        let mut table = Table {
            singles: [NONE; 256],
            double: vec![NONE; 0x10000],
            triple: Vec::new(),
            long: Vec::new(),
            codes: Vec::new(),
            pairs: Vec::new(),
        };
        for ascii in 0..0x80u16 {
            table.singles[usize::from(ascii)] = ascii;
            table.set_code(ascii.into(), ascii.into());
        }
        for source in sources {
            for line in source.lines().skip(1) {
                table.read_line(line, if gone_whole { GONE } else { NONE });
            }
        }
        // ASCII is itself even where other characters have its codes too.
        for ascii in 0..0x80 {
            if table.code(ascii).is_none() {
                table.set_code(ascii, ascii);
            }
        }
        table
    }

    fn read_line(&mut self, line: &str, gone: u16) {
        let Some((head, text)) = line.split_once(' ') else { return };
        let (sign, digits) = head.split_at(1);
        let first = u32::from_str_radix(digits, 16).expect("a table's code is a hexadecimal number");
        match sign {
            "-" => {
                let count: u32 = text.parse().expect("a count is a number");
                for code in first..first + count {
                    self.set_text(code, gone);
                }
            }
            "&" => {
                let mut points = text.chars().map(u32::from);
                if let (Some(base), Some(second)) = (points.next(), points.next()) {
                    self.set_text(first, FIRST_LONG + self.long.len() as u16);
                    self.long.push((base, second));
                    self.pairs.push((base, second, first));
                }
            }
            _ => {
                for (code, point) in (first..).zip(text.chars().map(u32::from)) {
                    self.read_entry(sign, code, point);
                }
            }
        }
    }

    fn read_entry(&mut self, sign: &str, code: u32, point: u32) {
        if matches!(sign, "=" | "<") {
            match u16::try_from(point) {
                Ok(unit) => self.set_text(code, unit),
                Err(_) => {
                    self.set_text(code, FIRST_LONG + self.long.len() as u16);
                    self.long.push((point, 0));
                }
            }
        }
        match sign {
            "=" | ">" => self.set_code(point, code),
            "~" => self.set_code(point, 0),
            _ => {}
        }
    }

    /// Sets what a code stands for; what it stood for before is no longer encoded as it.
    fn set_text(&mut self, code: u32, unit: u16) {
        if let Found::Text(point, None) = self.text(code)
            && self.code(point) == Some(code)
        {
            self.set_code(point, 0);
        }
        match code {
            0..0x100 => self.singles[code as usize] = unit,
            0x100..0x1_0000 => self.double[code as usize] = unit,
            _ => {
                if self.triple.is_empty() {
                    self.triple = vec![NONE; 0x10000];
                }
                self.triple[(code & 0xffff) as usize] = unit;
            }
        }
    }

    fn set_code(&mut self, point: u32, code: u32) {
        let page = (point >> 8) as usize;
        if self.codes.len() <= page {
            self.codes.resize_with(page + 1, || None);
        }
        self.codes[page].get_or_insert_with(|| Box::new([0; 256]))[(point & 0xff) as usize] = code;
    }

    /// What a code of one to three bytes stands for.
    #[inline]
    pub fn text(&self, code: u32) -> Found {
        let unit = match code {
            0..0x100 => self.singles[code as usize],
            0x100..0x1_0000 => self.double[code as usize],
            _ => self.triple.get((code & 0xffff) as usize).copied().unwrap_or(NONE),
        };
        match unit {
            NONE => Found::Nothing,
            GONE => Found::Gone,
            FIRST_LONG..=LAST_LONG => {
                let (point, second) = self.long[usize::from(unit - FIRST_LONG)];
                Found::Text(point, Some(second).filter(|second| *second != 0))
            }
            unit => Found::Text(unit.into(), None),
        }
    }

    /// Decodes a code; false if it stands for nothing.
    #[inline]
    pub fn push(&self, code: u32, out: &mut TextBuilder) -> bool {
        let Found::Text(point, second) = self.text(code) else { return false };
        out.push(point);
        if let Some(second) = second {
            out.push(second);
        }
        true
    }

    /// The code of a character.
    #[inline]
    pub fn code(&self, point: u32) -> Option<u32> {
        let page = self.codes.get((point >> 8) as usize)?.as_ref()?;
        let code = page[(point & 0xff) as usize];
        (code != 0 || point == 0).then_some(code)
    }

    /// Whether the character may be the first of a pair that has a code.
    pub fn begins_pair(&self, point: u32) -> bool {
        self.pairs.iter().any(|(base, _, _)| *base == point)
    }

    pub fn pair(&self, first: u32, second: u32) -> Option<u32> {
        self.pairs.iter().find(|pair| (pair.0, pair.1) == (first, second)).map(|pair| pair.2)
    }
}
