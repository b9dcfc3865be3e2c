//! The decoder and the encoder of a text stream: native ones for the common encodings, else those of the codec.

use super::TextIoWrapper;
use crate::_io::names::names;
use crate::_io::newline_decoder::state_items;
use taipan_object::builtins::bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::codecs::{self, Native, registry};
use taipan_object::text::codecs::Codec;
use taipan_object::{Ref, Result, Value, Vm};

/// One direction of a stream.
#[derive(Clone, Default)]
pub enum Coding {
    /// The buffer does not go this way.
    #[default]
    None,
    Native(Codec),
    /// An incremental decoder or encoder.
    Object(Value),
}

impl Coding {
    pub fn is_none(&self) -> bool {
        matches!(self, Coding::None)
    }
}

/// The native codec for an encoding, if it keeps no state but incomplete sequences.
pub fn native(encoding: &str) -> Option<Codec> {
    match Native::from_name(&registry::normalize(encoding)) {
        Some(Native::Plain(codec)) => Some(codec),
        _ => None,
    }
}

impl TextIoWrapper {
    fn errors_name(&self) -> Option<String> {
        self.with(|state| {
            let errors = state.errors.downcast::<Str>()?;
            (!errors.is_str("strict")).then(|| errors.to_string_lossy())
        })
    }

    /// Decodes the next bytes.
    pub fn decode(&self, vm: &Vm, input: &Value, is_final: bool) -> Result<Ref<Str>> {
        let text = match self.with(|state| state.decoding.clone()) {
            Coding::Native(codec) => {
                let data = vm.bytes_like(input)?;
                self.decode_natively(vm, codec, &data, is_final)?
            }
            Coding::Object(decoder) => {
                let text = vm.call_method_name(&decoder, &names().decode, &[input.clone(), Value::bool(is_final)])?;
                match text.downcast_ref::<Str>() {
                    Some(text) => text,
                    None => {
                        let got = text.ty().name();
                        return Err(vm.type_error(format!("decoder should return a string result, not '{got}'")));
                    }
                }
            }
            Coding::None => return Err(crate::_io::unsupported(vm, "not readable")),
        };
        match self.with(|state| state.newlines) {
            Some(mut newlines) => {
                let text = newlines.decode(text, is_final);
                self.with(|state| state.newlines = Some(newlines));
                Ok(text)
            }
            None => Ok(text),
        }
    }

    fn decode_natively(&self, vm: &Vm, codec: Codec, input: &[u8], is_final: bool) -> Result<Ref<Str>> {
        let errors = self.errors_name();
        let mut joined = self.with(|state| state.undecoded.clone());
        let data = if joined.is_empty() {
            input
        } else {
            joined.extend_from_slice(input);
            &joined
        };
        let (text, used) = codecs::decode_native(vm, codec, data, 0, errors.as_deref(), is_final)?;
        let rest = data.get(used..).unwrap_or(&[]).to_vec();
        self.with(|state| state.undecoded = rest);
        Ok(text)
    }

    pub fn reset_decoder(&self, vm: &Vm) -> Result<()> {
        let decoder = self.with(|state| {
            state.undecoded.clear();
            if let Some(newlines) = &mut state.newlines {
                newlines.reset();
            }
            state.decoding.clone()
        });
        if let Coding::Object(decoder) = decoder {
            vm.call_method_name(&decoder, &names().reset, &[])?;
        }
        Ok(())
    }

    /// The bytes that the decoder holds back, and its flags.
    pub fn decoder_state(&self, vm: &Vm) -> Result<(Value, i64)> {
        let (buffer, flags) = match self.with(|state| state.decoding.clone()) {
            Coding::Object(decoder) => {
                let state = vm.call_method_name(&decoder, &names().getstate, &[])?;
                state_items(vm, &state)?
            }
            _ => (self.with(|state| bytes::from_slice(vm, &state.undecoded))?, 0),
        };
        Ok(match self.with(|state| state.newlines) {
            Some(newlines) => (buffer, flags << 1 | newlines.pending_cr as i64),
            None => (buffer, flags),
        })
    }

    pub fn set_decoder_state(&self, vm: &Vm, buffer: &Value, flags: i64) -> Result<()> {
        let (decoder, flags) = self.with(|state| {
            let flags = match &mut state.newlines {
                Some(newlines) => {
                    newlines.pending_cr = flags & 1 != 0;
                    flags >> 1
                }
                None => flags,
            };
            (state.decoding.clone(), flags)
        });
        if let Coding::Object(decoder) = decoder {
            let state = Tuple::from_array([buffer.clone(), int::from_i64(flags)]).into_value();
            vm.call_method_name(&decoder, &names().setstate, &[state])?;
            return Ok(());
        }
        let held = vm.buffer_of(&vm.bytes_like(buffer)?)?;
        self.with(|state| state.undecoded = held);
        Ok(())
    }

    /// Encodes a str that is not ASCII, or whose encoder is not native.
    pub fn encode(&self, vm: &Vm, text: &Value) -> Result<Vec<u8>> {
        match self.with(|state| state.encoding.clone()) {
            Coding::Native(codec) => codecs::encode_native(vm, codec, text, self.errors_name().as_deref()),
            Coding::Object(encoder) => {
                let encoded = vm.call_method_name(&encoder, &names().encode, std::slice::from_ref(text))?;
                match encoded.downcast::<bytes::Bytes>() {
                    Some(data) => vm.buffer_of(data.as_slice()),
                    None => {
                        let got = encoded.ty().name();
                        Err(vm.type_error(format!("encoder should return a bytes object, not '{got}'")))
                    }
                }
            }
            Coding::None => Err(crate::_io::unsupported(vm, "not writable")),
        }
    }

    /// Tells the encoder whether it is at the beginning of the file, where a byte order mark goes.
    pub fn set_encoder_position(&self, vm: &Vm, at_start: bool) -> Result<()> {
        if let Coding::Object(encoder) = self.with(|state| state.encoding.clone()) {
            if at_start {
                vm.call_method_name(&encoder, &names().reset, &[])?;
            } else {
                vm.call_method_name(&encoder, &names().setstate, &[Value::from(0)])?;
            }
        }
        Ok(())
    }
}
