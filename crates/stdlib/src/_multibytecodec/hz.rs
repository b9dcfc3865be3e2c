//! HZ: ASCII, and GB 2312 in seven bits between `~{` and `~}`.

use super::codec::{Codec, GB2312, State, Trouble};
use taipan_object::text::builder::TextBuilder;

pub struct Hz;

/// Whether what follows is GB 2312.
fn is_double(state: &State) -> bool {
    state[0] != 0
}

impl Codec for Hz {
    fn name(&self) -> &'static str {
        "hz"
    }

    fn encode(&self, state: &mut State, text: &[u32], _: bool, out: &mut Vec<u8>) -> Result<usize, Trouble> {
        let Some(code) = GB2312.table.code(text[0]) else { return Err(Trouble::Illegal(1)) };
        match u8::try_from(code) {
            Ok(ascii) => {
                self.finish(state, out);
                out.push(ascii);
                if ascii == b'~' {
                    out.push(b'~');
                }
            }
            Err(_) => {
                if !is_double(state) {
                    out.extend_from_slice(b"~{");
                    state[0] = 1;
                }
                out.extend_from_slice(&[(code >> 8) as u8 & 0x7f, code as u8 & 0x7f]);
            }
        }
        Ok(1)
    }

    fn finish(&self, state: &mut State, out: &mut Vec<u8>) {
        if is_double(state) {
            out.extend_from_slice(b"~}");
            state[0] = 0;
        }
    }

    fn decode(&self, state: &mut State, bytes: &[u8], out: &mut TextBuilder) -> Result<usize, Trouble> {
        let double = is_double(state);
        match (bytes, double) {
            ([b'~'], _) => Err(Trouble::Incomplete),
            ([b'~', b'~', ..], false) => {
                out.push(u32::from(b'~'));
                Ok(2)
            }
            ([b'~', b'\n', ..], false) => Ok(2),
            ([b'~', b'{', ..], false) => {
                state[0] = 1;
                Ok(2)
            }
            ([b'~', b'}', ..], true) => {
                state[0] = 0;
                Ok(2)
            }
            ([b'~' | 0x80..=0xff, ..], _) => Err(Trouble::Illegal(1)),
            ([ascii, ..], false) => {
                out.push((*ascii).into());
                Ok(1)
            }
            ([first, second, ..], true) => {
                let code = u32::from(*first | 0x80) << 8 | u32::from(*second | 0x80);
                if *second < 0x80 && GB2312.table.push(code, out) { Ok(2) } else { Err(Trouble::Illegal(1)) }
            }
            _ => Err(Trouble::Incomplete),
        }
    }
}
