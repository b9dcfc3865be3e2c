//! Uuencoding: a line is a length and, for every three bytes, four characters from 32 on.

const MAX_LINE: usize = 45;

pub fn encode(data: &[u8], backtick: bool) -> Result<Vec<u8>, &'static str> {
    if data.len() > MAX_LINE {
        return Err("At most 45 bytes at once");
    }
    let character = |value: u32| match (value & 63) as u8 {
        0 if backtick => b'`',
        value => b' ' + value,
    };
    let mut line = vec![character(data.len() as u32)];
    for group in data.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        line.extend([18, 12, 6, 0].map(|shift| character(bits >> shift)));
    }
    line.push(b'\n');
    Ok(line)
}

pub fn decode(line: &[u8]) -> Result<Vec<u8>, &'static str> {
    let Some((first, rest)) = line.split_first() else { return Err("Missing length byte") };
    let length = usize::from(first.wrapping_sub(b' ') & 63);
    let mut characters = rest.iter().copied().peekable();
    let mut data = Vec::with_capacity(length);
    let (mut bits, mut count) = (0u32, 0);
    while data.len() < length {
        // Spaces at the end of the line may have got lost.
        let value = match characters.next() {
            None | Some(b'\n' | b'\r') => 0,
            Some(byte @ b' '..=b'`') => (byte - b' ') & 63,
            Some(_) => return Err("Illegal char"),
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            data.push((bits >> count) as u8);
        }
    }
    match characters.all(|byte| matches!(byte, b' ' | b'`' | b'\n' | b'\r')) {
        true => Ok(data),
        false => Err("Trailing garbage"),
    }
}
