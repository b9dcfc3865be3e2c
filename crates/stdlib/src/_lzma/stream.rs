//! A safe face of liblzma's streams.

use liblzma_sys as lz;

use crate::compression::{Decoder, NoMemory, Output, Step};

/// A status that is an error.
pub struct Failure(pub lz::lzma_ret);

impl From<NoMemory> for Failure {
    fn from(_: NoMemory) -> Failure {
        Failure(lz::LZMA_MEM_ERROR)
    }
}

/// A coder of the library.
pub struct Stream {
    raw: Box<lz::lzma_stream>,
    /// The kind of integrity check, once known.
    pub check: u32,
}

// SAFETY: a stream is used by one thread at a time, and liblzma has no thread-local state.
unsafe impl Send for Stream {}

impl Stream {
    /// A stream that `init` turns into a coder.
    pub fn new(check: u32, init: impl FnOnce(*mut lz::lzma_stream) -> lz::lzma_ret) -> Result<Stream, Failure> {
        // SAFETY: all zero is the library's `LZMA_STREAM_INIT`.
        let mut raw: Box<lz::lzma_stream> = Box::new(unsafe { std::mem::zeroed() });
        let code = init(&mut *raw);
        let stream = Stream { raw, check };
        if is_error(code) { Err(Failure(code)) } else { Ok(stream) }
    }

    /// One call of the library: the status and how much input was consumed.
    fn step(
        &mut self,
        input: &[u8],
        output: &mut Output,
        action: lz::lzma_action,
    ) -> Result<(lz::lzma_ret, usize), Failure> {
        let (room, length) = output.room()?;
        let raw = &mut *self.raw;
        raw.next_in = input.as_ptr();
        raw.avail_in = input.len();
        raw.next_out = room;
        raw.avail_out = length;
        // SAFETY: the stream is initialised, the input readable and the output writable for the lengths given.
        let mut code = unsafe { lz::lzma_code(raw, action) };
        if code == lz::LZMA_BUF_ERROR && raw.avail_in == 0 && raw.avail_out > 0 {
            // Nothing to do is not an error: more input may come.
            code = lz::LZMA_OK;
        }
        let consumed = input.len() - raw.avail_in;
        // SAFETY: the library wrote this many bytes.
        unsafe { output.advance(length - raw.avail_out) };
        if is_error(code) { Err(Failure(code)) } else { Ok((code, consumed)) }
    }

    /// Encodes all of `input`; with `finish`, ends the stream.
    pub fn encode(&mut self, mut input: &[u8], output: &mut Output, finish: bool) -> Result<(), Failure> {
        let action = if finish { lz::LZMA_FINISH } else { lz::LZMA_RUN };
        loop {
            let (code, consumed) = self.step(input, output, action)?;
            input = &input[consumed..];
            let done = if finish { code == lz::LZMA_STREAM_END } else { input.is_empty() };
            if done {
                return Ok(());
            }
        }
    }
}

fn is_error(code: lz::lzma_ret) -> bool {
    !matches!(code, lz::LZMA_OK | lz::LZMA_GET_CHECK | lz::LZMA_NO_CHECK | lz::LZMA_STREAM_END)
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: a stream of the library, initialised or blank.
        unsafe { lz::lzma_end(&mut *self.raw) };
    }
}

impl Decoder for Stream {
    type Failure = Failure;
    const NEEDS_INPUT_WHEN_FULL: bool = false;

    fn decode(&mut self, input: &[u8], output: &mut Output) -> Result<Step, Failure> {
        let mut consumed = 0;
        loop {
            let (code, more) = self.step(&input[consumed..], output, lz::LZMA_RUN)?;
            consumed += more;
            if code == lz::LZMA_GET_CHECK || code == lz::LZMA_NO_CHECK {
                // SAFETY: the decoder has just read the header that says so.
                self.check = unsafe { lz::lzma_get_check(&*self.raw) };
            }
            let finished = code == lz::LZMA_STREAM_END;
            let starved = consumed == input.len() && self.raw.avail_out != 0;
            if finished || starved || output.is_full() {
                return Ok(Step { consumed, finished });
            }
        }
    }
}
