//! The reading half of a buffer. The caller holds the lock, except where it says otherwise.

use super::Buffered;
use crate::_io::names::names;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::{Result, Value, Vm};

impl Buffered {
    /// Reads into the buffer, after what it has: `None` when that would block.
    pub fn fill_buffer(&self, vm: &Vm) -> Result<Option<usize>> {
        let (mut buffer, start) = self.with(|state| {
            let start = if state.has_read_buffer() { state.read_end } else { 0 };
            (std::mem::take(&mut state.buffer), start as usize)
        });
        let start = start.min(buffer.len());
        let read = self.raw_read(vm, &mut buffer[start..]);
        self.with(|state| {
            state.buffer = buffer;
            if let Ok(Some(read @ 1..)) = read {
                state.read_end = (start + read) as i64;
                state.raw_pos = (start + read) as i64;
            }
        });
        read
    }

    /// The next `size` bytes if all of them were read ahead. Needs no lock.
    pub fn read_fast(&self, vm: &Vm, size: i64) -> Result<Option<Value>> {
        self.with(|state| {
            if size > state.readahead() {
                return Ok(None);
            }
            let ahead = state.ahead();
            // The buffer may be in use by another thread.
            let Some(data) = ahead.get(..size as usize) else { return Ok(None) };
            let data = bytes::from_slice(vm, data)?;
            state.pos += size;
            Ok(Some(data))
        })
    }

    /// Everything up to the end.
    pub fn read_all(&self, vm: &Vm) -> Result {
        let mut data = self.with(|state| {
            let data = state.ahead().to_vec();
            state.pos += data.len() as i64;
            data
        });
        let buffered = data.len();
        // Beyond the buffer, what was written has to be in the file.
        if self.with(|state| state.writable) {
            self.flush_and_rewind(vm)?;
        }
        self.with(|state| state.reset_read_buffer());
        let raw = self.raw();
        if let Some(readall) = vm.get_attr_opt(&raw, &names().readall)? {
            let rest = vm.call_args(&readall, &[])?;
            if rest.is_none() {
                return if buffered == 0 { Ok(rest) } else { bytes::from_slice(vm, &data) };
            }
            let Some(tail) = rest.downcast::<Bytes>() else {
                return Err(vm.type_error("readall() should return bytes"));
            };
            if buffered == 0 {
                return Ok(rest);
            }
            extend(vm, &mut data, tail.as_slice())?;
            return bytes::from_slice(vm, &data);
        }
        loop {
            let chunk = vm.call_method_name(&raw, &names().read, &[])?;
            let length = match chunk.downcast::<Bytes>() {
                Some(chunk) => chunk.as_slice().len(),
                None if chunk.is_none() => 0,
                None => return Err(vm.type_error("read() should return bytes")),
            };
            if length == 0 {
                return if data.is_empty() { Ok(chunk) } else { bytes::from_slice(vm, &data) };
            }
            extend(vm, &mut data, chunk.downcast::<Bytes>().map_or(&[], Bytes::as_slice))?;
            self.with(|state| {
                if state.abs_pos != -1 {
                    state.abs_pos += length as i64;
                }
            });
        }
    }

    /// `size` bytes, or fewer at the end of the file or when more would block; `None` when any would block.
    pub fn read_generic(&self, vm: &Vm, size: i64) -> Result {
        if let Some(data) = self.read_fast(vm, size)? {
            return Ok(data);
        }
        let mut data: Vec<u8> = Vec::new();
        if data.try_reserve_exact(size as usize).is_err() {
            return Err(vm.memory_error());
        }
        self.with(|state| {
            data.extend_from_slice(state.ahead());
            state.pos += data.len() as i64;
        });
        if self.with(|state| state.writable) {
            self.flush_and_rewind(vm)?;
        }
        self.with(|state| state.reset_read_buffer());
        let size = size as usize;
        // Whole blocks go directly to their place.
        loop {
            let (block, mask) = self.with(|state| (state.buffer_size, state.buffer_mask));
            let remaining = (size - data.len()) as i64;
            let direct = if mask != 0 { remaining & !mask } else { block * (remaining / block) };
            if direct == 0 {
                break;
            }
            let at = data.len();
            data.resize(at + direct as usize, 0);
            let read = self.raw_read(vm, &mut data[at..]);
            data.truncate(at + read.as_ref().ok().copied().flatten().unwrap_or(0));
            match read? {
                Some(0) => return bytes::from_slice(vm, &data),
                None if data.is_empty() => return Ok(Value::NONE),
                None => return bytes::from_slice(vm, &data),
                Some(_) => {}
            }
        }
        self.with(|state| (state.pos, state.raw_pos, state.read_end) = (0, 0, 0));
        // Nothing is read beyond what is needed: it might block.
        while data.len() < size && self.with(|state| state.read_end < state.buffer_size) {
            match self.fill_buffer(vm)? {
                Some(0) => break,
                None if data.is_empty() => return Ok(Value::NONE),
                None => break,
                Some(read) => self.with(|state| {
                    let taken = read.min(size - data.len());
                    data.extend_from_slice(state.ahead().get(..taken).unwrap_or(&[]));
                    state.pos += taken as i64;
                }),
            }
        }
        bytes::from_slice(vm, &data)
    }

    /// What was read ahead or, if that is nothing, what one read gives; the position stays.
    pub fn peek(&self, vm: &Vm) -> Result {
        if self.with(|state| state.readahead() > 0) {
            return self.with(|state| bytes::from_slice(vm, state.ahead()));
        }
        self.with(|state| state.reset_read_buffer());
        let read = self.fill_buffer(vm)?.unwrap_or(0);
        self.with(|state| {
            state.pos = 0;
            bytes::from_slice(vm, &state.buffer[..read.min(state.buffer.len())])
        })
    }

    /// Reads into `target`: how many bytes; `None` when any would block. With `once`, the raw stream is asked once.
    /// Takes the lock itself.
    pub fn read_into(&self, vm: &Vm, this: &Value, target: &mut [u8], once: bool) -> Result<Option<usize>> {
        let mut written = 0;
        let done = self.with(|state| {
            let ahead = state.ahead();
            let (taken, enough) = (ahead.len().min(target.len()), ahead.len() >= target.len() && !ahead.is_empty());
            target[..taken].copy_from_slice(&ahead[..taken]);
            state.pos += taken as i64;
            written = taken;
            enough
        });
        if done {
            return Ok(Some(written));
        }
        let _guard = self.enter(vm, this)?;
        if self.with(|state| state.writable) {
            self.flush_and_rewind(vm)?;
        }
        let block = self.with(|state| {
            state.reset_read_buffer();
            state.pos = 0;
            state.buffer_size as usize
        });
        while written < target.len() {
            let remaining = target.len() - written;
            let read = if remaining > block {
                self.raw_read(vm, &mut target[written..])?
            } else if !(once && written > 0) {
                match self.fill_buffer(vm)? {
                    Some(read @ 1..) => {
                        let taken = read.min(remaining);
                        self.with(|state| {
                            let ahead = state.ahead();
                            let taken = taken.min(ahead.len());
                            target[written..written + taken].copy_from_slice(&ahead[..taken]);
                            state.pos += taken as i64;
                        });
                        Some(taken)
                    }
                    read => read,
                }
            } else {
                Some(0)
            };
            match read {
                Some(0) => break,
                None if written > 0 => break,
                None => return Ok(None),
                Some(read) => written += read,
            }
            if once {
                break;
            }
        }
        Ok(Some(written))
    }

    /// A line, of at most `limit` bytes if that is not negative. Takes the lock itself.
    pub fn read_line(&self, vm: &Vm, this: &Value, limit: i64) -> Result {
        self.check_closed(vm, "readline of closed file")?;
        let line = self.with(|state| {
            let ahead = state.ahead();
            let limited = if limit < 0 { ahead.len() } else { ahead.len().min(limit as usize) };
            let line = match memchr::memchr(b'\n', &ahead[..limited]) {
                Some(at) => &ahead[..at + 1],
                None if limit >= 0 && limited as i64 == limit => &ahead[..limited],
                None => return Ok(None),
            };
            let length = line.len() as i64;
            let line = bytes::from_slice(vm, line)?;
            state.pos += length;
            Ok(Some(line))
        })?;
        match line {
            Some(line) => Ok(line),
            None => self.read_long_line(vm, this, limit),
        }
    }

    /// A line whose end was not read ahead.
    fn read_long_line(&self, vm: &Vm, this: &Value, limit: i64) -> Result {
        let _guard = self.enter(vm, this)?;
        let mut line: Vec<u8> = Vec::new();
        let limit = if limit < 0 { usize::MAX } else { limit as usize };
        self.with(|state| {
            let ahead = state.ahead();
            line.extend_from_slice(&ahead[..ahead.len().min(limit)]);
            state.pos += line.len() as i64;
        });
        if self.with(|state| state.writable) {
            self.flush_and_rewind(vm)?;
        }
        while line.len() < limit {
            self.with(|state| state.reset_read_buffer());
            let Some(1..) = self.fill_buffer(vm)? else { break };
            let done = self.with(|state| {
                state.pos = 0;
                let ahead = state.ahead();
                let limited = &ahead[..ahead.len().min(limit - line.len())];
                let (taken, found) = match memchr::memchr(b'\n', limited) {
                    Some(at) => (&limited[..at + 1], true),
                    None => (limited, false),
                };
                if line.try_reserve(taken.len()).is_err() {
                    return Err(());
                }
                line.extend_from_slice(taken);
                state.pos = taken.len() as i64;
                Ok(found)
            });
            match done {
                Ok(true) => break,
                Ok(false) => {}
                Err(()) => return Err(vm.memory_error()),
            }
        }
        bytes::from_slice(vm, &line)
    }
}

fn extend(vm: &Vm, data: &mut Vec<u8>, tail: &[u8]) -> Result<()> {
    if data.try_reserve(tail.len()).is_err() {
        return Err(vm.memory_error());
    }
    data.extend_from_slice(tail);
    Ok(())
}
