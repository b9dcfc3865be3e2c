//! Base64.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const INVALID: u8 = 0xff;

static VALUES: [u8; 256] = {
    let mut values = [INVALID; 256];
    let mut value = 0;
    while value < 64 {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Encodes `data`; one more byte of `out` than that takes is a newline.
pub fn encode(data: &[u8], out: &mut [u8]) {
    let character = |value: u32| ALPHABET[(value & 63) as usize];
    let (groups, rest) = (data.chunks_exact(3), data.len() % 3);
    let mut at = 0;
    for (quad, group) in out.chunks_exact_mut(4).zip(groups) {
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        quad.copy_from_slice(&[character(bits >> 18), character(bits >> 12), character(bits >> 6), character(bits)]);
        at += 4;
    }
    let tail = &data[data.len() - rest..];
    if let Some(first) = tail.first() {
        let second = tail.get(1).copied().unwrap_or(0);
        let bits = u32::from(*first) << 16 | u32::from(second) << 8;
        let third = if tail.len() == 2 { character(bits >> 6) } else { b'=' };
        out[at..at + 4].copy_from_slice(&[character(bits >> 18), character(bits >> 12), third, b'=']);
        at += 4;
    }
    if let Some(newline) = out.get_mut(at) {
        *newline = b'\n';
    }
}

/// How many bytes a text stands for that is nothing but whole groups of the alphabet, the last of them padded; `None` if it
/// is not of such a length.
pub fn padded_length(text: &[u8]) -> Option<usize> {
    let padding = match text {
        [.., b'=', b'='] => 2,
        [.., b'='] => 1,
        _ => 0,
    };
    if text.is_empty() || text.len() % 4 != 0 { None } else { Some(text.len() / 4 * 3 - padding) }
}

/// Decodes a text into the [`padded_length`] of it; false if it has other characters than those.
pub fn decode_padded(text: &[u8], out: &mut [u8]) -> bool {
    let mut seen = 0;
    let mut group = |quad: &[u8; 4]| {
        let values = quad.map(|byte| VALUES[byte as usize]);
        seen |= values[0] | values[1] | values[2] | values[3];
        let bits = values.iter().fold(0, |bits, value| bits << 6 | u32::from(*value));
        [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]
    };
    let (triples, tail) = out.as_chunks_mut::<3>();
    let (quads, _) = text.as_chunks::<4>();
    for (triple, quad) in triples.iter_mut().zip(quads) {
        *triple = group(quad);
    }
    if !tail.is_empty()
        && let Some(mut quad) = quads.last().copied()
    {
        // Padding adds no bits.
        quad[1 + tail.len()..].fill(ALPHABET[0]);
        tail.copy_from_slice(&group(&quad)[..tail.len()]);
    }
    seen < 64
}

/// Decodes `text`; the error is a message, or `None` if there is no memory. Unless `strict`, characters outside the alphabet
/// and misplaced padding are passed over.
pub fn decode(text: &[u8], strict: bool) -> Result<Vec<u8>, Option<String>> {
    let mut out = Vec::new();
    if out.try_reserve_exact(text.len() / 4 * 3 + 3).is_err() {
        return Err(None);
    }
    // Whole groups of characters of the alphabet, as far as they go.
    let mut at = 0;
    for quad in text.chunks_exact(4) {
        let values = [quad[0], quad[1], quad[2], quad[3]].map(|byte| VALUES[byte as usize]);
        if values[0] | values[1] | values[2] | values[3] >= 64 {
            break;
        }
        let bits = values.iter().fold(0, |bits, value| bits << 6 | u32::from(*value));
        out.extend_from_slice(&[(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]);
        at += 4;
    }
    decode_rest(text, at, strict, &mut out).map(|()| out)
}

fn decode_rest(text: &[u8], start: usize, strict: bool, out: &mut Vec<u8>) -> Result<(), Option<String>> {
    let error = |message: &str| Err(Some(message.to_string()));
    // How many characters of a group were read, and how many `=` since.
    let (mut in_group, mut padding, mut bits) = (0, 0, 0u32);
    let mut characters = start;
    for (at, byte) in text.iter().enumerate().skip(start) {
        if *byte == b'=' {
            padding += usize::from(in_group >= 2);
            if strict {
                match in_group {
                    _ if at == 0 => return error("Leading padding not allowed"),
                    0 => return error("Excess padding not allowed"),
                    1 => return Err(Some(cannot_be_one_more(characters))),
                    _ if in_group + padding > 4 => return error("Excess padding not allowed"),
                    _ => {}
                }
            }
            continue;
        }
        let value = VALUES[*byte as usize];
        if value == INVALID {
            if strict {
                return error("Only base64 data is allowed");
            }
            continue;
        }
        if strict && padding > 0 {
            let complete = in_group + padding == 4;
            return error(if complete { "Excess data after padding" } else { "Discontinuous padding not allowed" });
        }
        padding = 0;
        characters += 1;
        bits = bits << 6 | u32::from(value);
        in_group += 1;
        if in_group == 4 {
            out.extend_from_slice(&[(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]);
            (in_group, bits) = (0, 0);
        }
    }
    match in_group {
        0 => Ok(()),
        1 => Err(Some(cannot_be_one_more(characters))),
        _ if in_group + padding < 4 => error("Incorrect padding"),
        2 => {
            out.push((bits >> 4) as u8);
            Ok(())
        }
        _ => {
            out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]);
            Ok(())
        }
    }
}

fn cannot_be_one_more(characters: usize) -> String {
    format!(
        "Invalid base64-encoded string: number of data characters ({characters}) cannot be 1 more than a multiple of 4"
    )
}
