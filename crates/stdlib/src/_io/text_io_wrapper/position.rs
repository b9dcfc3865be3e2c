//! `seek` and `tell`: positions of text are cookies that say how to get the decoder there.

use super::TextIoWrapper;
use super::codec::Coding;
use crate::_io::names::names;
use crate::_io::{os_error, unsupported};
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::int;
use taipan_object::types::slots::CompareOp;
use taipan_object::{Result, Value, Vm};

/// Seek to byte `start`, set the decoder's flags, give it `bytes_to_feed` bytes (and the end of the file, with
/// `need_eof`), and drop `chars_to_skip` characters of what comes out.
#[derive(Default)]
struct Cookie {
    start: i64,
    flags: i32,
    bytes_to_feed: i32,
    chars_to_skip: i32,
    need_eof: bool,
}

impl Cookie {
    fn parse(vm: &Vm, value: &Value) -> Result<Cookie> {
        let index = vm.index(value)?;
        let big = int::to_ibig(&index).unwrap_or_default();
        let (_, magnitude) = big.into_parts();
        let digits = magnitude.to_le_bytes();
        if digits.len() > 21 {
            return Err(vm.overflow_error("int too big to convert"));
        }
        let mut all = [0u8; 21];
        all[..digits.len()].copy_from_slice(&digits);
        let word = |at: usize| i32::from_le_bytes([all[at], all[at + 1], all[at + 2], all[at + 3]]);
        let low = [all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7]];
        Ok(Cookie {
            start: i64::from_le_bytes(low),
            flags: word(8),
            bytes_to_feed: word(12),
            chars_to_skip: word(16),
            need_eof: all[20] != 0,
        })
    }

    fn build(&self) -> Value {
        let mut all = [0u8; 21];
        all[..8].copy_from_slice(&self.start.to_le_bytes());
        all[8..12].copy_from_slice(&self.flags.to_le_bytes());
        all[12..16].copy_from_slice(&self.bytes_to_feed.to_le_bytes());
        all[16..20].copy_from_slice(&self.chars_to_skip.to_le_bytes());
        all[20] = self.need_eof as u8;
        int::from_ibig(dashu_int::UBig::from_le_bytes(&all).into())
    }
}

impl TextIoWrapper {
    /// Puts the decoder in the state of a cookie's start.
    fn start_decoder(&self, vm: &Vm, cookie: &Cookie) -> Result<()> {
        if cookie.start == 0 && cookie.flags == 0 {
            return self.reset_decoder(vm);
        }
        self.set_decoder_state(vm, &bytes::empty(), cookie.flags as i64)
    }

    fn has_decoder(&self) -> bool {
        self.with(|state| !state.decoding.is_none())
    }
}

pub fn tell(vm: &Vm, this: &Value) -> Result {
    let own = TextIoWrapper::of(this);
    own.check_closed(vm, this)?;
    let (seekable, telling) = own.with(|state| (state.seekable, state.telling));
    if !seekable {
        return Err(unsupported(vm, "underlying stream is not seekable"));
    }
    if !telling {
        return Err(os_error(vm, "telling position disabled by next() call".to_string()));
    }
    own.flush_pending(vm)?;
    vm.call_method_name(this, &names().flush, &[])?;
    let position = vm.call_method_name(&own.checked_buffer(vm)?, &names().tell, &[])?;
    let snapshot = own.with(|state| state.snapshot.clone());
    let Some((flags, next_input)) = snapshot.filter(|_| own.has_decoder()) else { return Ok(position) };
    let input = next_input.downcast::<Bytes>().map_or(&[][..], Bytes::as_slice);
    let start = crate::_io::offset_argument(vm, &position)?;
    // Back to where the snapshot was taken.
    let mut cookie = Cookie { start: start - input.len() as i64, flags: flags as i32, ..Cookie::default() };
    let used = own.with(|state| state.used);
    if used == 0 || own.with(|state| state.decoded.is_none()) {
        return Ok(cookie.build());
    }
    let (held, held_flags) = own.decoder_state(vm)?;
    let found = find_position(vm, own, input, &mut cookie, used as i64);
    let restored = own.set_decoder_state(vm, &held, held_flags);
    found?;
    restored?;
    Ok(cookie.build())
}

/// Finds the last point before the position at which the decoder holds nothing back, and how to go on from there.
fn find_position(vm: &Vm, own: &TextIoWrapper, input: &[u8], cookie: &mut Cookie, skip: i64) -> Result<()> {
    let mut chars_to_skip = skip;
    let decode = |data: &[u8], is_final: bool| -> Result<i64> {
        let data = bytes::from_slice(vm, data)?;
        own.decode(vm, &data, is_final).map(|text| text.len() as i64)
    };
    // A guess by the ratio of bytes to characters comes close.
    let ratio = own.with(|state| state.bytes_per_character);
    let mut skip_bytes = ((ratio * chars_to_skip as f64) as i64).clamp(0, input.len() as i64);
    let mut skip_back = 1;
    while skip_bytes > 0 {
        own.start_decoder(vm, cookie)?;
        let decoded = decode(&input[..skip_bytes as usize], false)?;
        if decoded <= chars_to_skip {
            let (held, flags) = own.decoder_state(vm)?;
            let held = vm.bytes_like(&held)?.len() as i64;
            if held == 0 {
                cookie.flags = flags as i32;
                chars_to_skip -= decoded;
                break;
            }
            skip_bytes -= held;
            skip_back = 1;
        } else {
            skip_bytes -= skip_back;
            skip_back *= 2;
        }
    }
    if skip_bytes <= 0 {
        skip_bytes = 0;
        own.start_decoder(vm, cookie)?;
    }
    cookie.start += skip_bytes;
    cookie.chars_to_skip = chars_to_skip as i32;
    if chars_to_skip == 0 {
        return Ok(());
    }
    // From there on, byte by byte.
    let mut decoded = 0;
    let mut reached = false;
    for byte in &input[skip_bytes as usize..] {
        decoded += decode(std::slice::from_ref(byte), false)?;
        cookie.bytes_to_feed += 1;
        let (held, flags) = own.decoder_state(vm)?;
        if vm.bytes_like(&held)?.is_empty() && decoded <= chars_to_skip {
            cookie.start += cookie.bytes_to_feed as i64;
            chars_to_skip -= decoded;
            cookie.flags = flags as i32;
            cookie.bytes_to_feed = 0;
            decoded = 0;
        }
        if decoded >= chars_to_skip {
            reached = true;
            break;
        }
    }
    if !reached {
        decoded += decode(b"", true)?;
        cookie.need_eof = true;
        if decoded < chars_to_skip {
            return Err(os_error(vm, "can't reconstruct logical file position".to_string()));
        }
    }
    cookie.chars_to_skip = chars_to_skip as i32;
    Ok(())
}

pub fn seek(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let whence = match args[1].bound() {
        Some(whence) => vm.index_i32(whence)?,
        None => 0,
    };
    let own = TextIoWrapper::of(this);
    own.check_closed(vm, this)?;
    if !own.with(|state| state.seekable) {
        return Err(unsupported(vm, "underlying stream is not seekable"));
    }
    let zero = Value::from(0);
    let mut target = args[0].clone();
    match whence {
        0 => {}
        1 => {
            if !vm.equal(&target, &zero)? {
                return Err(unsupported(vm, "can't do nonzero cur-relative seeks"));
            }
            // Seeking to where we are brings the buffer to that position.
            target = vm.call_method_name(this, &names().tell, &[])?;
        }
        2 => {
            if !vm.equal(&target, &zero)? {
                return Err(unsupported(vm, "can't do nonzero end-relative seeks"));
            }
            return seek_end(vm, this, own);
        }
        _ => return Err(vm.value_error(format!("invalid whence ({whence}, should be 0, 1 or 2)"))),
    }
    if vm.compare(&target, &zero, CompareOp::Lt)? {
        return Err(vm.value_error(format!("negative seek position {}", vm.repr_string(&target)?)));
    }
    vm.call_method_name(this, &names().flush, &[])?;
    let cookie = Cookie::parse(vm, &target)?;
    let buffer = own.checked_buffer(vm)?;
    vm.call_method_name(&buffer, &names().seek, &[Value::from(cookie.start)])?;
    own.set_decoded(None);
    own.set_snapshot(None);
    if own.has_decoder() {
        own.start_decoder(vm, &cookie)?;
    }
    if cookie.chars_to_skip != 0 {
        let input = vm.call_method_name(&buffer, &names().read, &[Value::from(cookie.bytes_to_feed)])?;
        if !bytes::is_bytes(&input) {
            let got = input.ty().name();
            return Err(vm.type_error(format!("underlying read() should have returned a bytes object, not '{got}'")));
        }
        own.set_snapshot(Some((cookie.flags as i64, input.clone())));
        let decoded = own.decode(vm, &input, cookie.need_eof)?;
        let length = decoded.len() as i64;
        own.set_decoded(Some(decoded));
        if length < cookie.chars_to_skip as i64 {
            return Err(os_error(vm, "can't restore logical file position".to_string()));
        }
        own.with(|state| state.used = cookie.chars_to_skip.max(0) as usize);
    } else {
        own.set_snapshot(Some((cookie.flags as i64, bytes::empty())));
    }
    own.set_encoder_position(vm, cookie.start == 0 && cookie.flags == 0)?;
    Ok(target)
}

fn seek_end(vm: &Vm, this: &Value, own: &TextIoWrapper) -> Result {
    vm.call_method_name(this, &names().flush, &[])?;
    own.set_decoded(None);
    own.set_snapshot(None);
    if own.has_decoder() {
        own.reset_decoder(vm)?;
    }
    let position = vm.call_method_name(&own.checked_buffer(vm)?, &names().seek, &[Value::from(0), Value::from(2)])?;
    if own.with(|state| matches!(state.encoding, Coding::Object(_))) {
        let at_start = vm.equal(&position, &Value::from(0))?;
        own.set_encoder_position(vm, at_start)?;
    }
    Ok(position)
}
