//! Writing text.

use super::TextIoWrapper;
use super::codec::Coding;
use crate::_io::buffered::methods::write_slice;
use crate::_io::names::names;
use crate::_io::{repeat_if_interrupted, unsupported};
use taipan_object::builtins::bytes;
use taipan_object::builtins::str::{Data, Str, intern};
use taipan_object::object::to_value;
use taipan_object::text::codecs::Codec;
use taipan_object::{Ref, Result, Value, Vm};

impl TextIoWrapper {
    /// Gives the collected bytes to the buffer.
    pub fn flush_pending(&self, vm: &Vm) -> Result<()> {
        let (pending, buffer, fast) = self.with(|state| {
            if state.pending.is_empty() {
                return (Vec::new(), Value::NONE, false);
            }
            (std::mem::take(&mut state.pending), state.buffer.clone(), state.fast)
        });
        if pending.is_empty() {
            return Ok(());
        }
        if fast {
            write_slice(vm, &buffer, &pending)?;
            // The room is used again.
            self.with(|state| {
                if state.pending.capacity() == 0 && pending.capacity() <= 1 << 16 {
                    state.pending = pending;
                    state.pending.clear();
                }
            });
            return Ok(());
        }
        let data = bytes::from_slice(vm, &pending)?;
        loop {
            match vm.call_method_name(&buffer, &names().write, std::slice::from_ref(&data)) {
                Ok(_) => return Ok(()),
                Err(raised) => repeat_if_interrupted(vm, raised)?,
            }
        }
    }

    /// Collects encoded bytes.
    fn collect(&self, vm: &Vm, data: &[u8]) -> Result<()> {
        // Whoever writes it may write more here.
        while self
            .with(|state| !state.pending.is_empty() && (state.pending.len() + data.len()) as i64 > state.chunk_size)
        {
            self.flush_pending(vm)?;
        }
        let reserved = self.with(|state| {
            state.pending.try_reserve(data.len())?;
            state.pending.extend_from_slice(data);
            Ok::<(), std::collections::TryReserveError>(())
        });
        reserved.or_else(|_| Err(vm.memory_error()))
    }

    /// The text with another line end. That of a subclass does it its way, which may change the stream.
    fn replace_newlines(&self, vm: &Vm, this: &Value, text: Ref<Str>, end: &Str) -> Result<Ref<Str>> {
        if text.as_value().downcast_exact::<Str>().is_some() {
            let replaced =
                taipan_object::builtins::str::join::replace(vm, text.as_value(), &intern("\n"), end, usize::MAX)?;
            return Ok(replaced.downcast_ref::<Str>().unwrap_or(text));
        }
        let arguments = [Value::from("\n"), to_value(end)];
        let replaced = vm.call_method(text.as_value(), "replace", &arguments)?;
        let Some(replaced) = replaced.downcast_ref::<Str>() else {
            let got = replaced.ty().name();
            return Err(vm.type_error(format!("replace() should return a str, not {got}")));
        };
        self.check_closed(vm, this)?;
        if self.with(|state| state.encoding.is_none()) {
            return Err(unsupported(vm, "not writable"));
        }
        Ok(replaced)
    }

    /// Writes a str.
    pub fn write(&self, vm: &Vm, this: &Value, text: &Value) -> Result<()> {
        let Some(mut own) = text.downcast_ref::<Str>() else { return Ok(()) };
        let (coding, written_end, line_buffering, write_through) = self.with(|state| {
            let coding = match &state.encoding {
                Coding::None => None,
                Coding::Native(codec) => Some(Some(*codec)),
                Coding::Object(_) => Some(None),
            };
            (coding, state.written_end.clone(), state.line_buffering, state.write_through)
        });
        let Some(codec) = coding else { return Err(unsupported(vm, "not writable")) };
        let has_newline = (written_end.is_some() || line_buffering) && has(&own, b'\n');
        if has_newline
            && let Some(end) = &written_end
            && let Some(end) = end.downcast::<Str>()
        {
            own = self.replace_newlines(vm, this, own, end)?;
        }
        let flush = line_buffering && (has_newline || has(&own, b'\r'));
        match (codec, own.data()) {
            (Some(Codec::Utf8 | Codec::Ascii | Codec::Latin1), Data::Ascii(units)) => self.collect(vm, units)?,
            (Some(Codec::Latin1), Data::Latin1(units)) => self.collect(vm, units)?,
            _ => {
                let encoded = self.encode(vm, own.as_value())?;
                self.collect(vm, &encoded)?;
            }
        }
        if flush || write_through || self.with(|state| state.pending.len() as i64 >= state.chunk_size) {
            self.flush_pending(vm)?;
        }
        if flush {
            vm.call_method_name(&self.checked_buffer(vm)?, &names().flush, &[])?;
        }
        if self.with(|state| state.snapshot.is_some()) {
            self.set_decoded(None);
            self.set_snapshot(None);
        }
        if self.with(|state| !state.decoding.is_none()) {
            self.reset_decoder(vm)?;
        }
        Ok(())
    }
}

fn has(text: &Str, wanted: u8) -> bool {
    match text.data() {
        Data::Ascii(units) | Data::Latin1(units) => memchr::memchr(wanted, units).is_some(),
        Data::Ucs2(units) => units.contains(&(wanted as u16)),
        Data::Ucs4(units) => units.contains(&(wanted as u32)),
    }
}
