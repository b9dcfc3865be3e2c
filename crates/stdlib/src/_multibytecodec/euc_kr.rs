//! EUC-KR: a table of two-byte codes, and syllables that are not in it made up of letters, in eight bytes.

use super::codec::{Codec, EUC_KR_DOUBLE, State, Trouble};
use taipan_object::text::builder::TextBuilder;

pub struct EucKr;

/// The first byte of letters.
const LETTER: u8 = 0xa4;
/// The letter that begins a made-up syllable, or says that it has no final consonant.
const FILLER: u8 = 0xd4;
const FIRST_CONSONANT: u8 = 0xa1;
const FIRST_VOWEL: u8 = 0xbf;
const VOWELS: u32 = 21;
/// 28 endings of a syllable, one of which is none.
const ENDINGS: u32 = 28;
const FIRST_SYLLABLE: u32 = 0xac00;
const LAST_SYLLABLE: u32 = 0xd7a3;

/// The consonants that begin syllables, by their places among all.
static INITIALS: [u8; 19] = [0, 1, 3, 6, 7, 8, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
/// Those that end syllables.
static FINALS: [u8; 27] =
    [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 25, 26, 27, 28, 29];

/// The syllable that three letters make.
fn compose(initial: u8, vowel: u8, last: u8) -> Option<u32> {
    let consonant = |letters: &[u8], byte: u8| {
        let place = byte.checked_sub(FIRST_CONSONANT)?;
        letters.iter().position(|letter| *letter == place).map(|at| at as u32)
    };
    let initial = consonant(&INITIALS, initial)?;
    let vowel = u32::from(vowel.checked_sub(FIRST_VOWEL)?);
    let last = if last == FILLER { 0 } else { consonant(&FINALS, last)? + 1 };
    (vowel < VOWELS).then_some(FIRST_SYLLABLE + (initial * VOWELS + vowel) * ENDINGS + last)
}

impl Codec for EucKr {
    fn name(&self) -> &'static str {
        "euc_kr"
    }

    fn encode(&self, state: &mut State, text: &[u32], flush: bool, out: &mut Vec<u8>) -> Result<usize, Trouble> {
        let point = text[0];
        if !(FIRST_SYLLABLE..=LAST_SYLLABLE).contains(&point) || EUC_KR_DOUBLE.table.code(point).is_some() {
            return EUC_KR_DOUBLE.encode(state, text, flush, out);
        }
        let syllable = point - FIRST_SYLLABLE;
        let initial = FIRST_CONSONANT + INITIALS[(syllable / (VOWELS * ENDINGS)) as usize];
        let vowel = FIRST_VOWEL + (syllable / ENDINGS % VOWELS) as u8;
        let last = match syllable % ENDINGS {
            0 => FILLER,
            last => FIRST_CONSONANT + FINALS[last as usize - 1],
        };
        out.extend_from_slice(&[LETTER, FILLER, LETTER, initial, LETTER, vowel, LETTER, last]);
        Ok(1)
    }

    fn decode(&self, _: &mut State, bytes: &[u8], out: &mut TextBuilder) -> Result<usize, Trouble> {
        if !bytes.starts_with(&[LETTER, FILLER]) {
            return EUC_KR_DOUBLE.decode_by_table(bytes, out);
        }
        match bytes {
            [_, _, LETTER, initial, LETTER, vowel, LETTER, last, ..] => match compose(*initial, *vowel, *last) {
                Some(syllable) => {
                    out.push(syllable);
                    Ok(8)
                }
                None => Err(Trouble::Illegal(1)),
            },
            _ if bytes.len() < 8 => Err(Trouble::Incomplete),
            _ => Err(Trouble::Illegal(1)),
        }
    }
}
