//! What a pickler has written and not yet given away: bytes in frames, if the protocol has them.

use super::super::opcode::FRAME;
use taipan_object::builtins::bytes;
use taipan_object::{Result, Value, Vm};

/// A frame is ended once it is this long; longer payloads stand outside frames.
const FRAME_SIZE_TARGET: usize = 64 * 1024;
/// Shorter frames do without a header.
const FRAME_SIZE_MIN: usize = 4;
/// A buffer of more than this grows where failure is reported, and there always has room for what one object takes outside
/// of payloads.
const LARGE: usize = 1 << 20;
const SLACK: usize = 2 * FRAME_SIZE_TARGET;
/// The code and eight bytes for the length.
const HEADER: usize = 9;

pub struct Output {
    buffer: Vec<u8>,
    /// Where the current frame begins: `HEADER` bytes are kept free there.
    frame: Option<usize>,
    framing: bool,
    /// The file's method; everything stays in the buffer without one.
    write: Option<Value>,
}

impl Output {
    pub fn new(write: Option<Value>) -> Output {
        Output { buffer: Vec::with_capacity(256), frame: None, framing: false, write }
    }

    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        self.buffer.push(byte);
    }

    #[inline(always)]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// A code and its argument.
    #[inline(always)]
    pub fn code<const N: usize>(&mut self, code: u8, argument: [u8; N]) {
        self.buffer.push(code);
        self.buffer.extend_from_slice(&argument);
    }

    /// From here on the pickle consists of frames.
    pub fn start_framing(&mut self) {
        self.framing = true;
        self.begin_frame();
    }

    pub fn stop_framing(&mut self) {
        self.end_frame();
        self.framing = false;
    }

    fn begin_frame(&mut self) {
        if self.framing {
            self.frame = Some(self.buffer.len());
            self.buffer.extend_from_slice(&[0; HEADER]);
        }
    }

    fn end_frame(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let length = self.buffer.len() - start - HEADER;
        if length < FRAME_SIZE_MIN {
            self.buffer.drain(start..start + HEADER);
            return;
        }
        self.buffer[start] = FRAME;
        self.buffer[start + 1..start + HEADER].copy_from_slice(&(length as u64).to_le_bytes());
    }

    /// Between two objects a frame that is long enough may end.
    #[inline(always)]
    pub fn boundary(&mut self, vm: &Vm) -> Result<()> {
        if self.buffer.len() > LARGE && self.buffer.capacity() - self.buffer.len() < SLACK {
            self.reserve(vm, SLACK)?;
        }
        match self.frame {
            Some(start) if self.buffer.len() - start - HEADER >= FRAME_SIZE_TARGET => self.next_frame(vm),
            _ => Ok(()),
        }
    }

    #[cold]
    fn next_frame(&mut self, vm: &Vm) -> Result<()> {
        self.end_frame();
        self.flush(vm)?;
        self.begin_frame();
        Ok(())
    }

    /// A code with its argument in `header`, and what it announces: `payload`, which is the whole of `object` if that is
    /// given.
    #[inline]
    pub fn payload(&mut self, vm: &Vm, header: &[u8], payload: &[u8], object: Option<&Value>) -> Result<()> {
        if payload.len() < FRAME_SIZE_TARGET {
            self.bytes(header);
            self.bytes(payload);
            return Ok(());
        }
        self.large_payload(vm, header, payload, object)
    }

    #[cold]
    fn large_payload(&mut self, vm: &Vm, header: &[u8], payload: &[u8], object: Option<&Value>) -> Result<()> {
        self.end_frame();
        self.reserve(vm, header.len() + SLACK)?;
        self.bytes(header);
        match self.write.clone() {
            None => {
                self.reserve(vm, payload.len() + SLACK)?;
                self.bytes(payload);
            }
            Some(write) => {
                self.flush(vm)?;
                let object = match object {
                    Some(object) => object.clone(),
                    None => bytes::from_slice(vm, payload)?,
                };
                vm.call_args(&write, &[object])?;
            }
        }
        self.begin_frame();
        Ok(())
    }

    fn reserve(&mut self, vm: &Vm, more: usize) -> Result<()> {
        self.buffer.try_reserve(more).map_err(|_| vm.memory_error())
    }

    /// Gives what has been gathered to the file, if there is one.
    pub fn flush(&mut self, vm: &Vm) -> Result<()> {
        let Some(write) = &self.write else { return Ok(()) };
        if !self.buffer.is_empty() {
            let data = bytes::from_slice(vm, &self.buffer)?;
            self.buffer.clear();
            vm.call_args(write, &[data])?;
        }
        Ok(())
    }

    pub fn into_bytes(self, vm: &Vm) -> Result {
        bytes::from_slice(vm, &self.buffer)
    }
}
