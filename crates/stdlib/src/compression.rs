//! What the compression modules have in common: state used while other threads run, growing output, and the
//! incremental decompressor of `bz2`, `lzma`, `zstd` and `zlib._ZlibDecompressor`.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use taipan_object::builtins::bytes;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

/// State of an object whose methods let other threads run while they work on it.
pub struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    pub const fn new(state: T) -> Shared<T> {
        Shared(Mutex::new(state))
    }

    /// Waits, with the GIL released, for a thread that is at work on the state.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        match self.0.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(guard)) => guard.into_inner(),
            Err(TryLockError::WouldBlock) => blocking(|| self.0.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

/// Work on fewer bytes than this keeps the GIL.
const SHORT: usize = 1024;

/// Runs work on `length` bytes without the GIL if that is worth it.
pub fn unlocked<R>(length: usize, work: impl FnOnce() -> R) -> R {
    if length < SHORT { work() } else { blocking(work) }
}

/// There is no memory for more output.
#[derive(Debug)]
pub struct NoMemory;

/// Output that grows up to a limit.
pub struct Output {
    data: Vec<u8>,
    limit: usize,
}

const FIRST_BLOCK: usize = 32 * 1024;

impl Output {
    pub fn new(limit: Option<usize>) -> Output {
        Output { data: Vec::new(), limit: limit.unwrap_or(isize::MAX as usize) }
    }

    pub fn unlimited(first: usize) -> std::result::Result<Output, NoMemory> {
        let mut output = Output::new(None);
        output.data.try_reserve_exact(first).map_err(|_| NoMemory)?;
        Ok(output)
    }

    /// Whether no more may be written.
    pub fn is_full(&self) -> bool {
        self.data.len() >= self.limit
    }

    /// The room for the next bytes, which is empty only when the output is full.
    pub fn room(&mut self) -> std::result::Result<(*mut u8, usize), NoMemory> {
        let left = self.limit - self.data.len();
        if self.data.capacity() == self.data.len() && left > 0 {
            let more = self.data.len().clamp(FIRST_BLOCK, 64 * 1024 * 1024).min(left);
            self.data.try_reserve_exact(more).map_err(|_| NoMemory)?;
        }
        let spare = self.data.spare_capacity_mut();
        let length = spare.len().min(left);
        Ok((spare.as_mut_ptr().cast(), length))
    }

    /// Takes over what was written to the room.
    ///
    /// # Safety
    /// The first `written` bytes of the room are initialised.
    pub unsafe fn advance(&mut self, written: usize) {
        // SAFETY: by contract; the room is spare capacity.
        unsafe { self.data.set_len(self.data.len() + written) };
    }

    pub fn into_bytes(self, vm: &Vm) -> Result {
        bytes::from_slice(vm, &self.data)
    }
}

/// What one call of a decoder did.
pub struct Step {
    pub consumed: usize,
    /// The end of the compressed stream was reached.
    pub finished: bool,
}

/// A decompressing library's stream.
pub trait Decoder: Send {
    /// Why decoding failed, to be raised with the GIL held.
    type Failure: From<NoMemory>;

    /// Whether a decompressor whose output is full wants more input once it has consumed all there was.
    const NEEDS_INPUT_WHEN_FULL: bool;

    /// Decodes until the input is used up, the output is full or the stream ends.
    fn decode(&mut self, input: &[u8], output: &mut Output) -> std::result::Result<Step, Self::Failure>;
}

/// The state of an incremental decompressor.
pub struct Decompressor<D> {
    pub decoder: D,
    /// Input that did not fit the output's limit.
    pending: Vec<u8>,
    pub unused_data: Vec<u8>,
    pub eof: bool,
    pub needs_input: bool,
}

impl<D: Decoder> Decompressor<D> {
    pub fn new(decoder: D) -> Decompressor<D> {
        Decompressor { decoder, pending: Vec::new(), unused_data: Vec::new(), eof: false, needs_input: true }
    }

    /// `decompress(data, max_length)`; the caller has checked that the end is not reached.
    pub fn decompress(
        &mut self,
        vm: &Vm,
        data: &[u8],
        max_length: Option<usize>,
        raise: impl FnOnce(&Vm, D::Failure) -> taipan_object::vm::Raised,
    ) -> Result {
        let outcome = unlocked(data.len().max(self.pending.len()), || self.decode(data, max_length));
        match outcome {
            Ok(output) => output.into_bytes(vm),
            Err(failure) => {
                self.needs_input = false;
                Err(raise(vm, failure))
            }
        }
    }

    fn decode(&mut self, data: &[u8], max_length: Option<usize>) -> std::result::Result<Output, D::Failure> {
        let mut output = Output::new(max_length);
        let pending = std::mem::take(&mut self.pending);
        let joined;
        let input = if pending.is_empty() {
            data
        } else {
            let mut all = pending;
            all.try_reserve(data.len()).map_err(|_| NoMemory)?;
            all.extend_from_slice(data);
            joined = all;
            &joined
        };
        let step = self.decoder.decode(input, &mut output)?;
        let rest = &input[step.consumed..];
        let keep = |rest: &[u8]| -> std::result::Result<Vec<u8>, NoMemory> {
            let mut kept = Vec::new();
            kept.try_reserve_exact(rest.len()).map_err(|_| NoMemory)?;
            kept.extend_from_slice(rest);
            Ok(kept)
        };
        if step.finished {
            self.eof = true;
            self.needs_input = false;
            self.unused_data = keep(rest)?;
        } else if rest.is_empty() {
            self.needs_input = D::NEEDS_INPUT_WHEN_FULL || !output.is_full();
        } else {
            self.needs_input = false;
            self.pending = keep(rest)?;
        }
        Ok(output)
    }
}

/// A `max_length` argument: negative means no limit.
pub fn max_length(vm: &Vm, value: &Value) -> Result<Option<usize>> {
    Ok(usize::try_from(vm.index_i64(value)?).ok())
}
