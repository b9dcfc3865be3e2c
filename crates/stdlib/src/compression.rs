//! What the compression modules have in common: state used while other threads run, growing output, and the
//! incremental decompressor of `bz2`, `lzma`, `zstd` and `zlib._ZlibDecompressor`.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::vm::Raised;
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

/// Bytes that an object keeps for whoever asks for them, who gets the same object each time.
#[derive(Clone)]
pub struct Kept(Option<Value>);

impl Kept {
    pub const EMPTY: Kept = Kept(None);

    pub fn bytes(&self) -> &[u8] {
        self.0.as_ref().and_then(|kept| kept.downcast::<Bytes>()).map_or(&[], |kept| kept.as_slice())
    }

    pub fn value(&self, vm: &Vm) -> Result {
        self.0.as_ref().map_or_else(|| bytes::from_slice(vm, &[]), |kept| Ok(kept.clone()))
    }

    /// Keeps `data` instead.
    pub fn set(&mut self, vm: &Vm, data: &[u8]) -> Result<()> {
        self.0 = if data.is_empty() { None } else { Some(bytes::from_slice(vm, data)?) };
        Ok(())
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
    pub unused_data: Kept,
    pub eof: bool,
    pub needs_input: bool,
}

impl<D: Decoder> Decompressor<D> {
    pub fn new(decoder: D) -> Decompressor<D> {
        Decompressor { decoder, pending: Vec::new(), unused_data: Kept::EMPTY, eof: false, needs_input: true }
    }

    /// `decompress(data, max_length)`; the caller has checked that the end is not reached.
    pub fn decompress(
        &mut self,
        vm: &Vm,
        data: &[u8],
        max_length: Option<usize>,
        raise: impl FnOnce(&Vm, D::Failure) -> Raised,
    ) -> Result {
        let joined;
        let input = if self.pending.is_empty() {
            data
        } else {
            let mut all = std::mem::take(&mut self.pending);
            if all.try_reserve(data.len()).is_err() {
                return Err(self.fail(vm, NoMemory.into(), raise));
            }
            all.extend_from_slice(data);
            joined = all;
            &joined
        };
        let mut output = Output::new(max_length);
        let step = match unlocked(input.len(), || self.decoder.decode(input, &mut output)) {
            Ok(step) => step,
            Err(failure) => return Err(self.fail(vm, failure, raise)),
        };
        let rest = &input[step.consumed..];
        self.needs_input = false;
        if step.finished {
            self.eof = true;
            self.unused_data.set(vm, rest)?;
        } else if rest.is_empty() {
            self.needs_input = D::NEEDS_INPUT_WHEN_FULL || !output.is_full();
        } else if self.pending.try_reserve_exact(rest.len()).is_ok() {
            self.pending.extend_from_slice(rest);
        } else {
            return Err(self.fail(vm, NoMemory.into(), raise));
        }
        output.into_bytes(vm)
    }

    #[cold]
    fn fail(&mut self, vm: &Vm, failure: D::Failure, raise: impl FnOnce(&Vm, D::Failure) -> Raised) -> Raised {
        self.needs_input = false;
        raise(vm, failure)
    }
}

/// A `max_length` argument: negative means no limit.
pub fn max_length(vm: &Vm, value: &Value) -> Result<Option<usize>> {
    Ok(usize::try_from(vm.index_i64(value)?).ok())
}
