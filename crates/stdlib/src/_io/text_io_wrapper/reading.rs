//! Reading text.

use super::lines::{LineEnds, find_line_end};
use super::{TEXT_IO_WRAPPER, TextIoWrapper};
use crate::_io::buffered::methods as buffered;
use crate::_io::names::names;
use crate::_io::{os_error, repeat_if_interrupted, unsupported};
use taipan_object::builtins::bytes;
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::exceptions::BLOCKING_IO_ERROR;
use taipan_object::{Ref, Result, Value, Vm};

impl TextIoWrapper {
    /// Reads and decodes the next chunk, of at least about `hint` characters: false at the end of the file.
    fn read_chunk(&self, vm: &Vm, hint: usize) -> Result<bool> {
        let (has_decoder, telling, has_read1, chunk_size, ratio) = self.with(|state| {
            let has_decoder = !state.decoding.is_none();
            (has_decoder, state.telling, state.has_read1, state.chunk_size, state.bytes_per_character)
        });
        if !has_decoder {
            return Err(unsupported(vm, "not readable"));
        }
        let before = if telling { Some(self.decoder_state(vm)?) } else { None };
        let hint = if hint > 0 { (ratio.max(1.0) * hint as f64) as i64 } else { 0 };
        let size = Value::from(chunk_size.max(hint));
        let buffer = self.checked_buffer(vm)?;
        let fast = self.with(|state| state.fast) && has_read1;
        let chunk = match fast {
            true => buffered::read1(vm, &buffer, std::slice::from_ref(&size))?,
            false => {
                let method = if has_read1 { &names().read1 } else { &names().read };
                vm.call_method_name(&buffer, method, std::slice::from_ref(&size))?
            }
        };
        if !vm.has_buffer(&chunk) {
            let (method, got) = (if has_read1 { "read1" } else { "read" }, chunk.ty().name());
            return Err(
                vm.type_error(format!("underlying {method}() should have returned a bytes-like object, not '{got}'"))
            );
        }
        let length = vm.bytes_like(&chunk)?.len();
        let decoded = self.decode(vm, &chunk, length == 0)?;
        let characters = decoded.len();
        self.set_decoded(Some(decoded));
        self.with(|state| {
            state.bytes_per_character = if characters > 0 { length as f64 / characters as f64 } else { 0.0 };
        });
        if let Some((held, flags)) = before {
            let input = match vm.bytes_like(&held)? {
                held if held.is_empty() && bytes::is_bytes(&chunk) => chunk.clone(),
                held => {
                    let mut joined = held.to_vec();
                    joined.extend_from_slice(&vm.bytes_like(&chunk)?);
                    bytes::from_slice(vm, &joined)?
                }
            };
            self.set_snapshot(Some((flags, input)));
        }
        Ok(length > 0 || characters > 0)
    }

    /// As [`TextIoWrapper::read_chunk`], again when a signal interrupts it.
    fn next_chunk(&self, vm: &Vm, hint: usize) -> Result<bool> {
        // What the chunks make may have been given up.
        vm.check_memory()?;
        loop {
            match self.read_chunk(vm, hint) {
                Ok(more) => return Ok(more),
                Err(raised) => repeat_if_interrupted(vm, raised)?,
            }
        }
    }

    /// Everything up to the end.
    pub fn read_all(&self, vm: &Vm) -> Result {
        let rest = vm.call_method_name(&self.checked_buffer(vm)?, &names().read, &[])?;
        if rest.is_none() {
            return Err(vm.raise_new(BLOCKING_IO_ERROR.ty(), "Read returned None.".to_string()));
        }
        let decoded = self.decode(vm, &rest, true)?;
        let first = self.take_decoded(None);
        let text = if first.len() == 0 { decoded.into_value() } else { vm.add(first.as_value(), decoded.as_value())? };
        if self.with(|state| state.snapshot.is_some()) {
            self.set_decoded(None);
            self.set_snapshot(None);
        }
        Ok(text)
    }

    /// `size` characters, or fewer at the end.
    pub fn read_some(&self, vm: &Vm, size: usize) -> Result {
        let first = self.take_decoded(Some(size));
        let mut remaining = size - first.len();
        if remaining == 0 {
            return Ok(first.into_value());
        }
        let mut text = StrBuilder::new();
        text.push_text(&first);
        while remaining > 0 && self.next_chunk(vm, remaining)? {
            let piece = self.take_decoded(Some(remaining));
            remaining -= piece.len();
            text.push_text(&piece);
        }
        Ok(text.finish().into_value())
    }

    /// A line, or `limit` characters of it if that is not negative.
    pub fn read_line(&self, vm: &Vm, this: &Value, limit: i64) -> Result<Ref<Str>> {
        self.check_closed(vm, this)?;
        self.flush_pending(vm)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if let Some(line) = self.with(|state| {
            let decoded = state.decoded.as_ref()?;
            let (start, length) = (state.used, decoded.len());
            let end = start.saturating_add(limit).min(length);
            let end = match find_line_end(&state.line_ends, decoded.data(), start, length) {
                Some(found) => found.min(end),
                None if end - start == limit => end,
                None => return None,
            };
            state.used = end;
            Some(if start == 0 && end == length { decoded.clone() } else { decoded.slice(start, end) })
        }) {
            return Ok(line);
        }
        self.read_long_line(vm, limit)
    }

    /// A line that what was decoded does not have whole.
    fn read_long_line(&self, vm: &Vm, limit: usize) -> Result<Ref<Str>> {
        let mut line = StrBuilder::new();
        // A `\r` at the end of a piece that a `\n` may follow.
        let mut held_back: Option<Ref<Str>> = None;
        loop {
            while self.with(|state| state.decoded.as_ref().is_none_or(|decoded| decoded.len() <= state.used)) {
                if !self.next_chunk(vm, 0)? {
                    // Anything left is the last line.
                    self.set_decoded(None);
                    self.set_snapshot(None);
                    if let Some(held) = held_back {
                        line.push_text(&held);
                    }
                    return Ok(line.finish());
                }
            }
            let (ends, mut text, used) = self.with(|state| {
                let decoded = state.decoded.clone().expect("the loop above got a chunk");
                (state.line_ends, decoded, state.used)
            });
            let mut start = used;
            let held = held_back.take().map_or(0, |held| {
                let mut joined = StrBuilder::new();
                joined.push_text(&held);
                joined.push_text(&text.slice(used, text.len()));
                text = joined.finish();
                start = 0;
                held.len()
            });
            let length = text.len();
            let room = limit.saturating_sub(line.len());
            let found = find_line_end(&ends, text.data(), start, length);
            let keep = found.is_none() && ends == LineEnds::Both && text.at(length - 1) == 13;
            let consumed = found.unwrap_or(if keep { length - 1 } else { length });
            let done = found.is_some() || consumed - start >= room;
            let end = consumed.min(start.saturating_add(room));
            line.push_text(&text.slice(start, end));
            if done {
                // The rest stays: positions count from the chunk, of which the held-back character is no part.
                let used_now = if held > 0 { used + (end - held) } else { end };
                self.with(|state| state.used = used_now);
                return Ok(line.finish());
            }
            if keep {
                held_back = Some(text.slice(consumed, length));
            }
            self.set_decoded(None);
        }
    }
}

pub fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let own = TextIoWrapper::of(this);
    own.check_attached(vm)?;
    own.with(|state| state.telling = false);
    let line = if this.ty().is(&TEXT_IO_WRAPPER) {
        own.read_line(vm, this, -1)?
    } else {
        let line = vm.call_method_name(this, &names().readline, &[])?;
        match line.downcast_ref::<Str>() {
            Some(line) => line,
            None => {
                let got = line.ty().name();
                return Err(os_error(vm, format!("readline() should have returned a str object, not '{got}'")));
            }
        }
    };
    if line.len() > 0 {
        return Ok(Some(line.into_value()));
    }
    own.set_snapshot(None);
    own.with(|state| state.telling = state.seekable);
    Ok(None)
}
