//! GB18030: GBK's two bytes and some more, and four bytes for all other characters, in their order.

use super::codec::{Codec, GB18030_DOUBLE, State, Trouble};
use std::sync::LazyLock;
use taipan_object::text::builder::TextBuilder;

pub struct Gb18030;

/// The number of the four-byte code for U+10000.
const SUPPLEMENTARY: u32 = 189_000;

/// The characters of the BMP that have four bytes.
static REST_OF_BMP: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let has_four_bytes =
        |point: &u16| !(0xd800..0xe000).contains(point) && GB18030_DOUBLE.table.code(u32::from(*point)).is_none();
    (0x80..=0xffff).filter(has_four_bytes).collect()
});

impl Codec for Gb18030 {
    fn name(&self) -> &'static str {
        "gb18030"
    }

    fn encode(&self, state: &mut State, text: &[u32], flush: bool, out: &mut Vec<u8>) -> Result<usize, Trouble> {
        let point = text[0];
        if GB18030_DOUBLE.table.code(point).is_some() {
            return GB18030_DOUBLE.encode(state, text, flush, out);
        }
        let number = match u16::try_from(point) {
            Ok(unit) => match REST_OF_BMP.binary_search(&unit) {
                Ok(at) => at as u32,
                Err(_) => return Err(Trouble::Illegal(1)),
            },
            Err(_) => SUPPLEMENTARY + point - 0x1_0000,
        };
        let (rest, fourth) = (number / 10, number % 10);
        let (rest, third) = (rest / 126, rest % 126);
        let (first, second) = (rest / 10, rest % 10);
        out.extend_from_slice(&[0x81 + first as u8, 0x30 + second as u8, 0x81 + third as u8, 0x30 + fourth as u8]);
        Ok(1)
    }

    fn decode(&self, _: &mut State, bytes: &[u8], out: &mut TextBuilder) -> Result<usize, Trouble> {
        match bytes {
            [0x80..=0xff, b'0'..=b'9', ..] => {}
            _ => return GB18030_DOUBLE.decode_by_table(bytes, out),
        }
        let [first, second, third, fourth, ..] = *bytes else { return Err(Trouble::Incomplete) };
        if !matches!((first, third, fourth), (0x81..=0xfe, 0x81..=0xfe, b'0'..=b'9')) {
            return Err(Trouble::Illegal(1));
        }
        let digit = |byte: u8| u32::from(byte - b'0');
        let number =
            ((u32::from(first - 0x81) * 10 + digit(second)) * 126 + u32::from(third - 0x81)) * 10 + digit(fourth);
        let point = match number.checked_sub(SUPPLEMENTARY) {
            Some(above) => Some(above + 0x1_0000).filter(|point| *point < 0x11_0000),
            None => REST_OF_BMP.get(number as usize).map(|unit| u32::from(*unit)),
        };
        match point {
            Some(point) => {
                out.push(point);
                Ok(4)
            }
            None => Err(Trouble::Illegal(1)),
        }
    }
}
