//! The header of `.pyc` files (PEP 552): magic number, flags, and what the source must be for the file to be valid.

/// The number that tells CPython 3.14's bytecode from other versions'.
pub const MAGIC_NUMBER: u16 = 3627;
pub const HEADER_SIZE: usize = 16;

/// The first four bytes of a file, `importlib.util.MAGIC_NUMBER`.
pub const fn magic() -> [u8; 4] {
    let [low, high] = MAGIC_NUMBER.to_le_bytes();
    [low, high, b'\r', b'\n']
}

/// What the file's code was compiled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Modification time and size of the source, both modulo 2^32.
    Timestamp { mtime: u32, size: u32 },
    /// The source's hash, and whether it is to be checked.
    Hash { hash: [u8; 8], check_source: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    BadMagic,
    TooShort,
    BadFlags(u32),
}

pub fn write_header(validity: Validity) -> [u8; HEADER_SIZE] {
    let mut header = [0; HEADER_SIZE];
    header[..4].copy_from_slice(&magic());
    let flags: u32 = match validity {
        Validity::Timestamp { mtime, size } => {
            header[8..12].copy_from_slice(&mtime.to_le_bytes());
            header[12..].copy_from_slice(&size.to_le_bytes());
            0
        }
        Validity::Hash { hash, check_source } => {
            header[8..].copy_from_slice(&hash);
            1 | u32::from(check_source) << 1
        }
    };
    header[4..8].copy_from_slice(&flags.to_le_bytes());
    header
}

/// Reads the header; the code object's marshal data follows at [`HEADER_SIZE`].
pub fn read_header(data: &[u8]) -> Result<Validity, HeaderError> {
    if data.get(..4) != Some(&magic()) {
        return Err(HeaderError::BadMagic);
    }
    if data.len() < HEADER_SIZE {
        return Err(HeaderError::TooShort);
    }
    let word = |at: usize| u32::from_le_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]);
    let flags = word(4);
    if flags & !3 != 0 {
        return Err(HeaderError::BadFlags(flags));
    }
    if flags & 1 == 0 {
        return Ok(Validity::Timestamp { mtime: word(8), size: word(12) });
    }
    let mut hash = [0; 8];
    hash.copy_from_slice(&data[8..HEADER_SIZE]);
    Ok(Validity::Hash { hash, check_source: flags & 2 != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for validity in [
            Validity::Timestamp { mtime: 0x12345678, size: 99 },
            Validity::Hash { hash: *b"abcdefgh", check_source: true },
        ] {
            assert_eq!(read_header(&write_header(validity)), Ok(validity));
        }
        assert_eq!(read_header(b"+\x0e\r\n"), Err(HeaderError::TooShort));
        assert_eq!(read_header(b"+\x0f\r\n"), Err(HeaderError::BadMagic));
        assert_eq!(magic(), *b"+\x0e\r\n");
    }
}
