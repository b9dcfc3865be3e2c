//! `MultibyteIncrementalEncoder` and `MultibyteIncrementalDecoder`.

use super::codec::State;
use super::{CodecRef, codec_of, convert};
use crate::payload::{Field, class_of, payload, signature};
use dashu_int::UBig;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::int::{self, Operand};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::codecs::{self, name_argument, unicode_decode_error, unicode_encode_error};
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::Visitor;
use taipan_object::text::codecs::{Codec as TextCodec, CodecError};
use taipan_object::text::int_conversion::{self, Int};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Raised, Result, Value, Vm, exceptions, method_table};

/// Characters that may wait for the next piece.
const MAX_PENDING_CHARACTERS: usize = 2;
/// Bytes that may.
const MAX_PENDING_BYTES: usize = 8;
/// What is wrong if more of them do.
const OVERFLOW: &str = "pending buffer overflow";
const TOO_LARGE: &str = "pending buffer too large";

impl Field for State {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        *self
    }
}

payload! {
    pub struct Encoder(EncoderState): ENCODER [codec: CodecRef] { machine: Encoding }
}

/// The state of an encoder.
pub struct Encoding {
    pub state: State,
    /// A str.
    pub pending: Option<Value>,
    pub errors: String,
}

impl Field for Encoding {
    fn visit(&self, visit: Visitor) {
        self.pending.iter().for_each(visit);
    }
    fn take(&mut self) -> Self {
        Encoding { state: self.state, pending: self.pending.take(), errors: self.errors.clone() }
    }
}

payload! {
    pub struct Decoder(DecoderState): DECODER [codec: CodecRef] { machine: Decoding }
}

/// The state of a decoder.
#[derive(Clone)]
pub struct Decoding {
    pub state: State,
    pub pending: Vec<u8>,
    pub errors: String,
}

impl Field for Decoding {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        self.clone()
    }
}

impl Encoding {
    pub fn new(codec: CodecRef, errors: String) -> Encoding {
        Encoding { state: codec.initial_encoder(), pending: None, errors }
    }
}

impl Decoding {
    pub fn new(codec: CodecRef, errors: String) -> Decoding {
        Decoding { state: codec.initial_decoder(), pending: Vec::new(), errors }
    }
}

signature!(NEW_ENCODER = "IncrementalEncoder(errors='strict')");
signature!(NEW_DECODER = "IncrementalDecoder(errors='strict')");

pub fn errors_argument(vm: &Vm, function: &str, value: &Value) -> Result<String> {
    Ok(name_argument(vm, function, "errors", value)?.as_deref().unwrap_or("strict").to_string())
}

pub static ENCODER: TypeSpec = TypeSpec::new::<Encoder>("_multibytecodec.MultibyteIncrementalEncoder")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = NEW_ENCODER.bind(vm, args, kwnames)?;
            let errors = errors_argument(vm, "IncrementalEncoder", &bound[0])?;
            let codec = codec_of(vm, class)?;
            Ok(Encoder::make(class_of(class), codec, EncoderState { machine: Encoding::new(codec, errors) }))
        });
        s.init = Some(|_, _, _, _| Ok(()));
    })
    .methods(ENCODER_METHODS)
    .getset(ENCODER_GETSET);

pub static DECODER: TypeSpec = TypeSpec::new::<Decoder>("_multibytecodec.MultibyteIncrementalDecoder")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = NEW_DECODER.bind(vm, args, kwnames)?;
            let errors = errors_argument(vm, "IncrementalDecoder", &bound[0])?;
            let codec = codec_of(vm, class)?;
            Ok(Decoder::make(class_of(class), codec, DecoderState { machine: Decoding::new(codec, errors) }))
        });
        s.init = Some(|_, _, _, _| Ok(()));
    })
    .methods(DECODER_METHODS)
    .getset(DECODER_GETSET);

/// The value for an attribute `errors`.
pub fn errors_value(vm: &Vm, value: Option<&Value>) -> Result<String> {
    let Some(value) = value else { return Err(vm.attribute_error("cannot delete attribute")) };
    match value.downcast::<Str>() {
        Some(_) => codecs::to_utf8(vm, value),
        None => Err(vm.type_error("errors must be a string")),
    }
}

static ENCODER_GETSET: &[GetSetDef] = &[GetSetDef::new("errors", "how to treat errors", |_, this| {
    Ok(Value::from(Encoder::of(this).with(|state| state.machine.errors.clone())))
})
.setter(|vm, this, value| {
    let errors = errors_value(vm, value)?;
    Encoder::of(this).with(|state| state.machine.errors = errors);
    Ok(())
})];

static DECODER_GETSET: &[GetSetDef] = &[GetSetDef::new("errors", "how to treat errors", |_, this| {
    Ok(Value::from(Decoder::of(this).with(|state| state.machine.errors.clone())))
})
.setter(|vm, this, value| {
    let errors = errors_value(vm, value)?;
    Decoder::of(this).with(|state| state.machine.errors = errors);
    Ok(())
})];

/// How an object's encoding is reached.
pub trait Encodes {
    fn codec(&self) -> CodecRef;
    fn with_encoding<R>(&self, f: impl FnOnce(&mut Encoding) -> R) -> R;

    /// Encodes a piece of text.
    fn encode_piece(&self, vm: &Vm, input: &Value, last: bool) -> Result {
        if input.downcast::<Str>().is_none() {
            return Err(vm.type_error("couldn't convert the object to str."));
        }
        let codec = self.codec();
        let (mut state, pending, errors) =
            self.with_encoding(|encoding| (encoding.state, encoding.pending.clone(), encoding.errors.clone()));
        let text = match &pending {
            Some(pending) => vm.add(pending, input)?,
            None => input.clone(),
        };
        let result = convert::encode(vm, codec.0, &mut state, &text, &errors, last);
        // What was written and is lost with an error has changed the state nevertheless.
        self.with_encoding(|encoding| encoding.state = state);
        let (data, used) = result?;
        let rest = match text.downcast::<Str>() {
            Some(own) if used < own.len() => {
                if own.len() - used > MAX_PENDING_CHARACTERS {
                    let error = CodecError { start: used, end: own.len(), reason: OVERFLOW };
                    return Err(unicode_encode_error(vm, codec.name(), &text, error));
                }
                Some(own.slice(used, own.len()).into_value())
            }
            _ => None,
        };
        let old = self.with_encoding(|encoding| std::mem::replace(&mut encoding.pending, rest));
        drop(old);
        bytes::from_slice(vm, &data)
    }

    /// Forgets the pending text; what ends the output.
    fn finish(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let codec = self.codec();
        let pending = self.with_encoding(|encoding| {
            codec.finish(&mut encoding.state, &mut out);
            encoding.pending.take()
        });
        drop(pending);
        out
    }
}

impl Encodes for Encoder {
    fn codec(&self) -> CodecRef {
        self.codec
    }
    fn with_encoding<R>(&self, f: impl FnOnce(&mut Encoding) -> R) -> R {
        self.with(|state| f(&mut state.machine))
    }
}

/// How an object's decoding is reached.
pub trait Decodes {
    fn codec(&self) -> CodecRef;
    fn with_decoding<R>(&self, f: impl FnOnce(&mut Decoding) -> R) -> R;

    /// Decodes a piece.
    fn decode_piece(&self, vm: &Vm, input: &[u8], last: bool) -> Result {
        let codec = self.codec();
        let Decoding { mut state, pending, errors } = self.with_decoding(|decoding| decoding.clone());
        let data = [&pending, input].concat();
        let result = convert::decode(vm, codec.0, &mut state, &data, &errors, last);
        self.with_decoding(|decoding| decoding.state = state);
        let (text, used) = result?;
        let rest = &data[used.min(data.len())..];
        if rest.len() > MAX_PENDING_BYTES {
            return Err(pending_error(vm, OVERFLOW));
        }
        self.with_decoding(|decoding| decoding.pending = rest.to_vec());
        Ok(text)
    }

    fn start_anew(&self) {
        let codec = self.codec();
        self.with_decoding(|decoding| {
            decoding.state = codec.initial_decoder();
            decoding.pending.clear();
        });
    }
}

impl Decodes for Decoder {
    fn codec(&self) -> CodecRef {
        self.codec
    }
    fn with_decoding<R>(&self, f: impl FnOnce(&mut Decoding) -> R) -> R {
        self.with(|state| f(&mut state.machine))
    }
}

#[cold]
fn pending_error(vm: &Vm, message: &str) -> Raised {
    vm.raise_new(exceptions::UNICODE_ERROR.ty(), message.to_string())
}

/// The int whose bytes these are, the lowest first.
fn int_of(bytes: &[u8]) -> Value {
    int::from_ibig(UBig::from_le_bytes(bytes).into())
}

/// The lowest `length` bytes of an int.
fn bytes_of(vm: &Vm, value: &Value, length: usize) -> Result<Vec<u8>> {
    let plain = match Operand::of(value) {
        Some(Operand::Small(n)) => Int::Small(n),
        Some(Operand::Big(n)) => Int::Big(n.clone()),
        None => return Err(vm.type_error(format!("an integer is required, not {}", value.ty().name()))),
    };
    int_conversion::to_bytes(&plain, length, true, false).map_err(|error| vm.text_error(error))
}

method_table! { static ENCODER_METHODS = [
    MethodDef::new("encode($self, /, input, final=False)", "", |vm, this, args| {
        let last = vm.is_true(&args[1])?;
        Encoder::of(this).encode_piece(vm, &args[0], last)
    }),
    MethodDef::new("getstate($self, /)", "", |vm, this, _| {
        // The length of what is pending, that as UTF-8, and the state.
        let (state, pending) = Encoder::of(this).with(|state| (state.machine.state, state.machine.pending.clone()));
        let text = match &pending {
            Some(pending) => codecs::to_utf8(vm, pending)?,
            None => String::new(),
        };
        if text.len() > MAX_PENDING_CHARACTERS * 4 {
            return Err(pending_error(vm, TOO_LARGE));
        }
        Ok(int_of(&[&[text.len() as u8], text.as_bytes(), &state].concat()))
    }),
    MethodDef::new("setstate($self, state, /)", "", |vm, this, args| {
        let data = bytes_of(vm, &args[0], 1 + MAX_PENDING_CHARACTERS * 4 + size_of::<State>())?;
        let length = usize::from(data[0]);
        if length > MAX_PENDING_CHARACTERS * 4 {
            return Err(pending_error(vm, TOO_LARGE));
        }
        let (text, _) = codecs::decode_native(vm, TextCodec::Utf8, &data[1..1 + length], 0, None, true)?;
        let mut state = State::default();
        state.copy_from_slice(&data[1 + length..1 + length + size_of::<State>()]);
        let pending = (length > 0).then(|| text.into_value());
        let old = Encoder::of(this).with(|own| {
            own.machine.state = state;
            std::mem::replace(&mut own.machine.pending, pending)
        });
        drop(old);
        Ok(Value::NONE)
    }),
    MethodDef::new("reset($self, /)", "", |_, this, _| {
        Encoder::of(this).finish();
        Ok(Value::NONE)
    }),
]; }

method_table! { static DECODER_METHODS = [
    MethodDef::new("decode($self, /, input, final=False)", "", |vm, this, args| {
        let last = vm.is_true(&args[1])?;
        let data = vm.bytes_like(&args[0])?;
        Decoder::of(this).decode_piece(vm, &data, last)
    }),
    MethodDef::new("getstate($self, /)", "", |vm, this, _| {
        let Decoding { state, pending, .. } = Decoder::of(this).with(|state| state.machine.clone());
        Ok(Tuple::from_array([bytes::from_slice(vm, &pending)?, int_of(&state)]).into_value())
    }),
    MethodDef::new("setstate($self, state, /)", "", |vm, this, args| {
        let Some(pair) = args[0].downcast::<Tuple>() else {
            let got = args[0].ty().name();
            return Err(vm.type_error(format!("setstate() argument must be tuple, not {got}")));
        };
        let (pending, state) = match pair.as_slice() {
            [buffer, state] if let Some(pending) = buffer.downcast::<Bytes>() && int::is_int(state) => {
                (pending.as_slice().to_vec(), bytes_of(vm, state, size_of::<State>())?)
            }
            _ => return Err(vm.type_error("setstate(): illegal state argument")),
        };
        let decoder = Decoder::of(this);
        if pending.len() > MAX_PENDING_BYTES {
            let error = CodecError { start: 0, end: pending.len(), reason: TOO_LARGE };
            return Err(unicode_decode_error(vm, decoder.codec.name(), &bytes::from_slice(vm, &pending)?, error));
        }
        decoder.with(|own| {
            own.machine.pending = pending;
            own.machine.state.copy_from_slice(&state);
        });
        Ok(Value::NONE)
    }),
    MethodDef::new("reset($self, /)", "", |_, this, _| {
        Decoder::of(this).start_anew();
        Ok(Value::NONE)
    }),
]; }
