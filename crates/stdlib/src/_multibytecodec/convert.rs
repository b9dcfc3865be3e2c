//! Conversion of whole texts, and the handling of errors in them.

use super::codec::{Codec, State, Trouble};
use taipan_object::builtins::str::Str;
use taipan_object::codecs::{Decoding, Encoding, Substitute};
use taipan_object::text::codecs::CodecError;
use taipan_object::{Result, Value, Vm};

const ILLEGAL: &str = "illegal multibyte sequence";
const INCOMPLETE: &str = "incomplete multibyte sequence";

/// Encodes a str: the bytes, and how many characters were used. Unless the input is `last`, characters at the end that may
/// be the first of a pair are left.
pub fn encode(
    vm: &Vm,
    codec: &'static dyn Codec,
    state: &mut State,
    text: &Value,
    errors: &str,
    last: bool,
) -> Result<(Vec<u8>, usize)> {
    let Some(own) = text.downcast::<Str>() else { return Ok((Vec::new(), 0)) };
    let points = own.to_code_points();
    let mut encoding = Encoding::new(vm, codec.name(), Some(errors));
    encoding.saturating = true;
    encoding.out.try_reserve(points.len() * 2).map_err(|_| vm.memory_error())?;
    let mut at = 0;
    while at < points.len() {
        let error = match codec.encode(state, &points[at..], last, &mut encoding.out) {
            Ok(used) => {
                at += used;
                continue;
            }
            Err(Trouble::Incomplete) if !last => break,
            Err(Trouble::Incomplete) => CodecError { start: at, end: points.len(), reason: INCOMPLETE },
            Err(Trouble::Illegal(count)) => CodecError { start: at, end: at + count, reason: ILLEGAL },
        };
        let (substitute, next) = encoding.handle(text, own, error)?;
        match substitute {
            Substitute::Bytes(bytes) => encoding.out.extend(bytes),
            Substitute::Text(replacement) => {
                let (bytes, _) = encode_part(vm, codec, state, &replacement)?;
                encoding.out.extend(bytes);
            }
        }
        at = next;
    }
    if last {
        codec.finish(state, &mut encoding.out);
    }
    Ok((encoding.out, at))
}

/// Encodes what replaces a character: nothing else may be wrong with it, and the output goes on behind it.
fn encode_part(vm: &Vm, codec: &'static dyn Codec, state: &mut State, text: &Value) -> Result<(Vec<u8>, usize)> {
    let Some(own) = text.downcast::<Str>() else { return Ok((Vec::new(), 0)) };
    let points = own.to_code_points();
    let mut encoding = Encoding::new(vm, codec.name(), None);
    let mut at = 0;
    while at < points.len() {
        match codec.encode(state, &points[at..], true, &mut encoding.out) {
            Ok(used) => at += used,
            Err(Trouble::Incomplete) => {
                return Err(encoding.fail(text, CodecError { start: at, end: points.len(), reason: INCOMPLETE }));
            }
            Err(Trouble::Illegal(count)) => {
                return Err(encoding.fail(text, CodecError { start: at, end: at + count, reason: ILLEGAL }));
            }
        }
    }
    Ok((encoding.out, at))
}

/// Decodes bytes: a str, and how many bytes were used. Unless the input is `last`, an incomplete character at the end is
/// left.
pub fn decode(
    vm: &Vm,
    codec: &'static dyn Codec,
    state: &mut State,
    bytes: &[u8],
    errors: &str,
    last: bool,
) -> Result<(Value, usize)> {
    let mut decoding = Decoding::new(vm, codec.name(), Some(errors));
    decoding.saturating = true;
    decoding.out.try_reserve(bytes.len()).map_err(|_| vm.memory_error())?;
    let used = decoding.run(bytes, 0, &mut |bytes, at, out| {
        while *at < bytes.len() {
            match codec.decode(state, &bytes[*at..], out) {
                Ok(used) => *at += used,
                Err(Trouble::Incomplete) if !last => break,
                Err(Trouble::Incomplete) => {
                    return Ok(Err(CodecError { start: *at, end: bytes.len(), reason: INCOMPLETE }));
                }
                Err(Trouble::Illegal(count)) => {
                    return Ok(Err(CodecError { start: *at, end: *at + count, reason: ILLEGAL }));
                }
            }
        }
        Ok(Ok(()))
    })?;
    Ok((decoding.finish().into_value(), used))
}
