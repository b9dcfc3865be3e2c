//! The writing half of a buffer. The caller holds the lock.

use super::Buffered;
use super::raw::blocking_error;
use taipan_object::exceptions::BLOCKING_IO_ERROR;
use taipan_object::{Result, Vm};

impl Buffered {
    /// Writes to the raw stream what the buffer has to be written.
    pub fn flush_writes(&self, vm: &Vm) -> Result<()> {
        let (pending, rewind) = self.with(|state| {
            let pending = state.has_write_buffer() && state.write_pos != state.write_end;
            (pending, state.raw_offset() + (state.pos - state.write_pos))
        });
        if pending {
            if rewind != 0 {
                self.raw_seek(vm, -rewind, 1)?;
                self.with(|state| state.raw_pos -= rewind);
            }
            loop {
                let (buffer, start, end) = self.with(|state| {
                    (std::mem::take(&mut state.buffer), state.write_pos as usize, state.write_end as usize)
                });
                if start >= end {
                    self.with(|state| state.buffer = buffer);
                    break;
                }
                let written = self.raw_write(vm, buffer.get(start..end).unwrap_or(&[]));
                self.with(|state| state.buffer = buffer);
                let Some(written) = written? else { return Err(blocking_error(vm, 0)) };
                self.with(|state| {
                    state.write_pos += written as i64;
                    state.raw_pos = state.write_pos;
                });
                vm.check_signals()?;
            }
        }
        self.with(|state| state.reset_write_buffer());
        Ok(())
    }

    /// As [`Buffered::flush_writes`]; the raw stream then stands at the logical position.
    pub fn flush_and_rewind(&self, vm: &Vm) -> Result<()> {
        self.flush_writes(vm)?;
        if self.with(|state| state.readable) {
            // Rewinding also makes reads see what was written.
            let offset = self.with(|state| state.raw_offset());
            let sought = self.raw_seek(vm, -offset, 1);
            self.with(|state| state.reset_read_buffer());
            sought?;
        }
        Ok(())
    }

    /// Copies `data` into the buffer if it fits: true if it did.
    fn buffer_write(&self, data: &[u8]) -> bool {
        self.with(|state| {
            if !state.has_read_buffer() && !state.has_write_buffer() {
                state.pos = 0;
                state.raw_pos = 0;
            }
            let start = state.pos as usize;
            if data.len() as i64 > state.buffer_size - state.pos || data.len() as i64 >= state.buffer_size {
                return false;
            }
            let Some(room) = state.buffer.get_mut(start..start + data.len()) else { return false };
            room.copy_from_slice(data);
            if !state.has_write_buffer() || state.write_pos > state.pos {
                state.write_pos = state.pos;
            }
            state.adjust_position(state.pos + data.len() as i64);
            if state.write_end < state.pos {
                state.write_end = state.pos;
            }
            true
        })
    }

    /// Buffers what it can of `data` behind writes that would block: `BlockingIOError` if that is not all.
    fn buffer_behind(&self, vm: &Vm, data: &[u8]) -> Result<()> {
        let rejected = self.with(|state| {
            if state.readable {
                state.reset_read_buffer();
            }
            // Room is made by moving what is to be written to the front.
            let (start, end) = (state.write_pos as usize, state.write_end as usize);
            state.buffer.copy_within(start..end, 0);
            state.write_end -= state.write_pos;
            state.raw_pos -= state.write_pos;
            state.pos -= state.write_pos;
            state.write_pos = 0;
            let at = state.write_end as usize;
            let room = (state.buffer_size - state.write_end) as usize;
            let taken = room.min(data.len());
            state.buffer[at..at + taken].copy_from_slice(&data[..taken]);
            state.write_end += taken as i64;
            state.pos += taken as i64;
            (taken < data.len()).then_some(taken)
        });
        match rejected {
            None => Ok(()),
            Some(taken) => Err(blocking_error(vm, taken as i64)),
        }
    }

    /// Writes `data`, through the buffer if it is small.
    pub fn write(&self, vm: &Vm, data: &[u8]) -> Result<usize> {
        if self.buffer_write(data) {
            return Ok(data.len());
        }
        if let Err(raised) = self.flush_writes(vm) {
            if !vm.pending_matches(&raised, BLOCKING_IO_ERROR.ty()) {
                return Err(raised);
            }
            vm.discard(raised);
            self.buffer_behind(vm, data)?;
            return Ok(data.len());
        }
        // The raw stream is brought to the logical position, if something was read ahead.
        let offset = self.with(|state| state.raw_offset());
        if offset != 0 {
            self.raw_seek(vm, -offset, 1)?;
            self.with(|state| state.raw_pos -= offset);
        }
        let block = self.with(|state| state.buffer_size as usize);
        let mut written = 0;
        while data.len() - written > block {
            match self.raw_write(vm, &data[written..])? {
                Some(count) => written += count,
                None => {
                    self.with(|state| {
                        let size = block.min(state.buffer.len());
                        state.buffer[..size].copy_from_slice(&data[written..written + size]);
                        state.raw_pos = 0;
                        state.adjust_position(size as i64);
                        state.write_end = size as i64;
                    });
                    return Err(blocking_error(vm, (written + block) as i64));
                }
            }
            vm.check_signals()?;
        }
        let rest = &data[written..];
        self.with(|state| {
            if state.readable {
                state.reset_read_buffer();
            }
            state.buffer[..rest.len()].copy_from_slice(rest);
            state.write_pos = 0;
            state.write_end = rest.len() as i64;
            state.adjust_position(rest.len() as i64);
            state.raw_pos = 0;
        });
        Ok(data.len())
    }
}
