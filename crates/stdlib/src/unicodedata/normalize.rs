//! The normalization forms of Unicode Standard Annex 15.

use super::{CURRENT, Database, HANGUL, OLD};
use taipan_object::text::builder::GivenUp;

/// A normalization form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

impl Form {
    pub fn from_name(name: &str) -> Option<Form> {
        match name {
            "NFC" => Some(Form::Nfc),
            "NFD" => Some(Form::Nfd),
            "NFKC" => Some(Form::Nfkc),
            "NFKD" => Some(Form::Nfkd),
            _ => None,
        }
    }

    fn is_compatibility(self) -> bool {
        matches!(self, Form::Nfkc | Form::Nfkd)
    }

    fn composes(self) -> bool {
        matches!(self, Form::Nfc | Form::Nfkc)
    }
}

const L_BASE: u32 = 0x1100;
const V_BASE: u32 = 0x1161;
const T_BASE: u32 = 0x11A7;
const L_COUNT: u32 = 19;
const V_COUNT: u32 = 21;
const T_COUNT: u32 = 28;
const S_BASE: u32 = 0xAC00;

/// The canonical decomposition of a Hangul syllable by one step: into two parts, or into two jamo.
pub fn hangul_parts(point: u32) -> Vec<u32> {
    let index = point - S_BASE;
    let (l, v, t) = (index / (V_COUNT * T_COUNT), index % (V_COUNT * T_COUNT) / T_COUNT, index % T_COUNT);
    let mut parts = vec![L_BASE + l, V_BASE + v];
    if t > 0 {
        parts.push(T_BASE + t);
    }
    parts
}

/// The code points in a form.
pub fn normalize(database: &Database, form: Form, points: &[u32]) -> Vec<u32> {
    let mut result = Vec::new();
    result.make_room(points.len());
    for &point in points {
        decompose(database, form.is_compatibility(), point, &mut result);
    }
    // As CPython has it, version 3.2.0 orders and composes as the present one does.
    order(&CURRENT, &mut result);
    if form.composes() { compose(&CURRENT, &result) } else { result }
}

/// Characters whose decompositions were corrected after version 3.2.0, with what they were.
static CORRECTIONS: [(u32, u32); 5] =
    [(0x2f868, 0x2136a), (0x2f874, 0x5f33), (0x2f91f, 0x43ab), (0x2f95f, 0x7aae), (0x2f9bf, 0x4d57)];

fn decompose(database: &Database, compatibility: bool, point: u32, result: &mut Vec<u32>) {
    if point < 0x80 {
        return result.put(point);
    }
    if HANGUL.contains(&point) {
        return result.extend(hangul_parts(point));
    }
    if std::ptr::eq(database, &OLD)
        && let Some((_, original)) = CORRECTIONS.iter().find(|(corrected, _)| *corrected == point)
    {
        return result.put(*original);
    }
    let mapping = database.decomposition(point);
    if mapping.is_empty() || mapping.starts_with('<') && !compatibility {
        return result.put(point);
    }
    for part in mapping.split(' ').filter(|part| !part.starts_with('<')) {
        let part = u32::from_str_radix(part, 16).expect("mappings are hexadecimal numbers");
        decompose(database, compatibility, part, result);
    }
}

/// Puts combining characters into canonical order.
fn order(database: &Database, points: &mut [u32]) {
    let class = |point: u32| database.record(point).combining;
    let mut start = 0;
    while start < points.len() {
        if class(points[start]) == 0 {
            start += 1;
            continue;
        }
        let length = points[start..].iter().take_while(|point| class(**point) != 0).count();
        points[start..start + length].sort_by_key(|point| class(*point));
        start += length;
    }
}

fn composed(database: &Database, first: u32, second: u32) -> Option<u32> {
    if (L_BASE..L_BASE + L_COUNT).contains(&first) && (V_BASE..V_BASE + V_COUNT).contains(&second) {
        return Some(S_BASE + ((first - L_BASE) * V_COUNT + (second - V_BASE)) * T_COUNT);
    }
    if HANGUL.contains(&first) && (first - S_BASE) % T_COUNT == 0 && (T_BASE + 1..T_BASE + T_COUNT).contains(&second) {
        return Some(first + (second - T_BASE));
    }
    let pairs = database.compositions;
    let at = pairs.binary_search_by_key(&(first, second), |(first, second, _)| (*first, *second)).ok()?;
    Some(pairs[at].2)
}

fn compose(database: &Database, points: &[u32]) -> Vec<u32> {
    let mut result: Vec<u32> = Vec::new();
    if !result.make_room(points.len()) {
        return result;
    }
    let mut starter: Option<usize> = None;
    // The class of the last character after the starter that was not composed.
    let mut last_class = 0;
    for &point in points {
        let class = database.record(point).combining;
        if let Some(at) = starter
            && (last_class < class || last_class == 0 && result.len() == at + 1)
            && let Some(whole) = composed(database, result[at], point)
        {
            result[at] = whole;
            continue;
        }
        result.push(point);
        if class == 0 {
            starter = Some(result.len() - 1);
            last_class = 0;
        } else {
            last_class = class;
        }
    }
    result
}
