//! A safe face of the zlib library's streams.

use std::ffi::CStr;
use std::mem::size_of;
use std::os::raw::{c_int, c_void};

use libz_sys as z;

use crate::compression::{NoMemory, Output};

/// Which way a stream works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Deflate,
    Inflate,
}

/// A zlib stream; the library keeps its address, so it is boxed.
pub struct Stream {
    raw: Box<z::z_stream>,
    direction: Direction,
}

// SAFETY: a stream is used by one thread at a time, and zlib has no thread-local state.
unsafe impl Send for Stream {}

/// A status other than success, with the library's explanation.
pub struct Failure {
    pub code: c_int,
    pub message: Option<String>,
    /// It was the dictionary that was refused, in the midst of something else.
    pub of_dictionary: bool,
}

impl From<NoMemory> for Failure {
    fn from(_: NoMemory) -> Failure {
        Failure::from(z::Z_MEM_ERROR)
    }
}
impl From<c_int> for Failure {
    fn from(code: c_int) -> Failure {
        Failure { code, message: None, of_dictionary: false }
    }
}

unsafe extern "C" fn allocate(_: *mut c_void, items: u32, size: u32) -> *mut c_void {
    // Not zeroed: zlib clears what it does not write first. Both factors have 32 bits.
    // SAFETY: `malloc` may be called with any size.
    unsafe { libc::malloc(items as usize * size as usize) }
}
unsafe extern "C" fn free(_: *mut c_void, block: *mut c_void) {
    // SAFETY: zlib gives back what `allocate` returned.
    unsafe { libc::free(block) }
}

fn blank() -> Box<z::z_stream> {
    Box::new(z::z_stream {
        next_in: std::ptr::null_mut(),
        avail_in: 0,
        total_in: 0,
        next_out: std::ptr::null_mut(),
        avail_out: 0,
        total_out: 0,
        msg: std::ptr::null_mut(),
        state: std::ptr::null_mut(),
        zalloc: allocate,
        zfree: free,
        opaque: std::ptr::null_mut(),
        data_type: 0,
        adler: 0,
        reserved: 0,
    })
}

const STREAM_SIZE: c_int = size_of::<z::z_stream>() as c_int;

/// `zlibVersion()`
pub fn version() -> &'static CStr {
    // SAFETY: the library returns a static string.
    unsafe { CStr::from_ptr(z::zlibVersion()) }
}

/// `adler32` of `data`, going on from `value`.
pub fn adler32(value: u32, data: &[u8]) -> u32 {
    // SAFETY: each part is readable for its length.
    let step = |value, part: &[u8]| unsafe { z::adler32(value, part.as_ptr(), part.len() as u32) };
    data.chunks(1 << 30).fold(u64::from(value), step) as u32
}

/// `crc32` of `data`, going on from `value`.
pub fn crc32(value: u32, data: &[u8]) -> u32 {
    // SAFETY: each part is readable for its length.
    let step = |value, part: &[u8]| unsafe { z::crc32(value, part.as_ptr(), part.len() as u32) };
    data.chunks(1 << 30).fold(u64::from(value), step) as u32
}

impl Stream {
    pub fn deflate(level: i32, method: i32, wbits: i32, mem_level: i32, strategy: i32) -> Result<Stream, Failure> {
        let mut stream = Stream { raw: blank(), direction: Direction::Deflate };
        // SAFETY: a fresh stream with allocation functions, and the version of the library linked with.
        let code = unsafe {
            z::deflateInit2_(&mut *stream.raw, level, method, wbits, mem_level, strategy, z::zlibVersion(), STREAM_SIZE)
        };
        if code == z::Z_OK { Ok(stream) } else { Err(stream.failure(code)) }
    }

    pub fn inflate(wbits: i32) -> Result<Stream, Failure> {
        let mut stream = Stream { raw: blank(), direction: Direction::Inflate };
        // SAFETY: as in `deflate`.
        let code = unsafe { z::inflateInit2_(&mut *stream.raw, wbits, z::zlibVersion(), STREAM_SIZE) };
        if code == z::Z_OK { Ok(stream) } else { Err(stream.failure(code)) }
    }

    /// A second stream in the same state.
    pub fn copy(&mut self) -> Result<Stream, Failure> {
        let mut copy = Stream { raw: blank(), direction: self.direction };
        // SAFETY: both are streams of the library; the copy's fields are overwritten.
        let code = unsafe {
            match self.direction {
                Direction::Deflate => z::deflateCopy(&mut *copy.raw, &mut *self.raw),
                Direction::Inflate => z::inflateCopy(&mut *copy.raw, &mut *self.raw),
            }
        };
        if code == z::Z_OK { Ok(copy) } else { Err(Failure::from(code)) }
    }

    pub fn set_dictionary(&mut self, dictionary: &[u8]) -> Result<(), Failure> {
        let length = u32::try_from(dictionary.len()).unwrap_or(u32::MAX);
        // SAFETY: an initialised stream; the library copies the dictionary.
        let code = unsafe {
            match self.direction {
                Direction::Deflate => z::deflateSetDictionary(&mut *self.raw, dictionary.as_ptr(), length),
                Direction::Inflate => z::inflateSetDictionary(&mut *self.raw, dictionary.as_ptr(), length),
            }
        };
        if code == z::Z_OK { Ok(()) } else { Err(self.failure(code)) }
    }

    pub fn failure(&self, code: c_int) -> Failure {
        let message = if self.raw.msg.is_null() {
            None
        } else {
            // SAFETY: `msg` is a static string of the library.
            Some(unsafe { CStr::from_ptr(self.raw.msg) }.to_string_lossy().into_owned())
        };
        Failure { code, message, of_dictionary: false }
    }

    /// One call of the library: the status and how much input was consumed.
    fn step(&mut self, input: &[u8], output: &mut Output, flush: c_int) -> Result<(c_int, usize), NoMemory> {
        let (room, length) = output.room()?;
        let given = u32::try_from(input.len()).unwrap_or(u32::MAX);
        let wanted = u32::try_from(length).unwrap_or(u32::MAX);
        let raw = &mut *self.raw;
        raw.next_in = input.as_ptr().cast_mut();
        raw.avail_in = given;
        raw.next_out = room;
        raw.avail_out = wanted;
        // SAFETY: the stream is initialised, the input readable and the output writable for the lengths given.
        let code = unsafe {
            match self.direction {
                Direction::Deflate => z::deflate(raw, flush),
                Direction::Inflate => z::inflate(raw, flush),
            }
        };
        let consumed = (given - raw.avail_in) as usize;
        // SAFETY: the library wrote this many bytes.
        unsafe { output.advance((wanted - raw.avail_out) as usize) };
        Ok((code, consumed))
    }

    /// Compresses all of `input` and then flushes as asked; the last status.
    pub fn deflate_all(&mut self, mut input: &[u8], output: &mut Output, flush: c_int) -> Result<c_int, Failure> {
        loop {
            let last = input.len() <= u32::MAX as usize;
            let (code, consumed) = self.step(input, output, if last { flush } else { z::Z_NO_FLUSH })?;
            if code == z::Z_STREAM_ERROR {
                return Err(self.failure(code));
            }
            input = &input[consumed..];
            // Output is complete when a call left room in it.
            if self.raw.avail_out != 0 && input.is_empty() {
                return Ok(code);
            }
        }
    }

    /// Decompresses until the input is used up, the output is full or the stream ends: the last status and how much
    /// input was consumed. With `finish`, the last part of the input is inflated as the stream's end.
    pub fn inflate_all(
        &mut self,
        input: &[u8],
        output: &mut Output,
        modes: (c_int, c_int),
        dictionary: Option<&[u8]>,
    ) -> (Result<c_int, Failure>, usize) {
        let mut consumed = 0;
        loop {
            let rest = &input[consumed..];
            let flush = if rest.len() <= u32::MAX as usize { modes.1 } else { modes.0 };
            let (code, more) = match self.step(rest, output, flush) {
                Ok(step) => step,
                Err(failure) => return (Err(failure.into()), consumed),
            };
            consumed += more;
            match code {
                z::Z_OK | z::Z_BUF_ERROR => {}
                z::Z_STREAM_END => return (Ok(code), consumed),
                z::Z_NEED_DICT if dictionary.is_some() => {
                    if let Err(failure) = self.set_dictionary(dictionary.unwrap_or_default()) {
                        return (Err(Failure { of_dictionary: true, ..failure }), consumed);
                    }
                    continue;
                }
                _ => return (Err(self.failure(code)), consumed),
            }
            let room_left = self.raw.avail_out != 0;
            if room_left && consumed == input.len() || output.is_full() {
                return (Ok(code), consumed);
            }
        }
    }

    /// Ends the stream, as dropping it does; the status.
    fn end(&mut self) -> c_int {
        // SAFETY: the stream is initialised or blank, which the library tells by its state.
        unsafe {
            match self.direction {
                Direction::Deflate => z::deflateEnd(&mut *self.raw),
                Direction::Inflate => z::inflateEnd(&mut *self.raw),
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.end();
    }
}
