//! Encoding and decoding of text: the native codecs at once, all others through the registry of codecs.
//!
//! Counterpart of `Python/codecs.c` and the codec half of `Objects/unicodeobject.c`. The conversions themselves are in
//! `text/codecs.rs`; here are the names, the exceptions and the handlers written in Python. `registry.rs` has the search
//! functions, `errors.rs` the error handlers.

use crate::builtins::bytes::{self, Bytes};
use crate::builtins::str::{Data, Str};
use crate::exceptions;
use crate::native::arguments::optional;
use crate::object::{Ref, Result};
use crate::text::Unit;
use crate::text::builder::TextBuilder;
use crate::text::codecs::handlers::{self, Handler, Replacement, SurrogateEncoding};
use crate::text::codecs::{ByteOrder, Codec, CodecError, unicode_escape, utf16, utf32};
use crate::value::Value;
use crate::vm::{Raised, Vm};
use crate::with_units;
use std::borrow::Cow;

pub mod errors;
pub mod registry;

/// A codec that needs no search, as named by `encode` and `decode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Native {
    Plain(Codec),
    /// The byte order comes from a mark, or is the machine's.
    Utf16,
    Utf32,
}

impl Native {
    /// The codec of this name, if it is one of those that need no search.
    pub fn named(name: &str) -> Option<Native> {
        match name {
            "utf-8" => Some(Native::Plain(Codec::Utf8)),
            _ => Native::from_name(name).or_else(|| Native::from_name(&registry::normalize(name))),
        }
    }

    /// The same for a name as [`registry::normalize`] gives it.
    pub fn from_name(name: &str) -> Option<Native> {
        Some(match name {
            "utf_8" | "utf8" => Native::Plain(Codec::Utf8),
            "utf_16" | "utf16" => Native::Utf16,
            "utf_32" | "utf32" => Native::Utf32,
            "ascii" | "us_ascii" => Native::Plain(Codec::Ascii),
            "latin1" | "latin_1" | "iso_8859_1" | "iso8859_1" => Native::Plain(Codec::Latin1),
            _ => return None,
        })
    }
}

/// What exceptions call the codec when it decodes.
fn decoding_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Utf7 => "utf7",
        codec => encoding_name(codec),
    }
}

/// What exceptions call the codec when it encodes.
fn encoding_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Utf8 => "utf-8",
        Codec::Utf16(ByteOrder::Little) => "utf-16-le",
        Codec::Utf16(ByteOrder::Big) => "utf-16-be",
        Codec::Utf32(ByteOrder::Little) => "utf-32-le",
        Codec::Utf32(ByteOrder::Big) => "utf-32-be",
        Codec::Utf7 => "utf-7",
        Codec::Ascii => "ascii",
        Codec::Latin1 => "latin-1",
        Codec::UnicodeEscape => "unicodeescape",
        Codec::RawUnicodeEscape => "rawunicodeescape",
    }
}

/// `UnicodeDecodeError(encoding, object, start, end, reason)`
#[cold]
pub fn unicode_decode_error(vm: &Vm, encoding: &str, object: &Value, error: CodecError) -> Raised {
    let args = vec![
        Value::from(encoding),
        object.clone(),
        Value::from(error.start),
        Value::from(error.end),
        Value::from(error.reason),
    ];
    vm.raise_args(exceptions::UNICODE_DECODE_ERROR.ty(), args)
}

/// `UnicodeEncodeError(encoding, object, start, end, reason)`
#[cold]
pub fn unicode_encode_error(vm: &Vm, encoding: &str, object: &Value, error: CodecError) -> Raised {
    let args = vec![
        Value::from(encoding),
        object.clone(),
        Value::from(error.start),
        Value::from(error.end),
        Value::from(error.reason),
    ];
    vm.raise_args(exceptions::UNICODE_ENCODE_ERROR.ty(), args)
}

/// How errors are handled: natively, or by a registered handler.
enum Policy<'a> {
    Native(Handler),
    Registered(&'a str),
}

impl Policy<'_> {
    fn new(errors: Option<&str>) -> Policy<'_> {
        let name = errors.unwrap_or("strict");
        match Handler::from_name(name) {
            Some(handler) => Policy::Native(handler),
            None => Policy::Registered(name),
        }
    }
}

/// The state of a decoder whose errors a handler written in Python may handle: it may even replace the input.
pub struct Decoding<'a> {
    vm: &'a Vm,
    encoding: &'a str,
    policy: Policy<'a>,
    /// The exception shown to the handler, made at the first error.
    exception: Option<Value>,
    /// A position from a handler that does not fit 64 bits is out of bounds rather than an `OverflowError`.
    pub saturating: bool,
    pub out: TextBuilder,
}

impl<'a> Decoding<'a> {
    pub fn new(vm: &'a Vm, encoding: &'a str, errors: Option<&'a str>) -> Decoding<'a> {
        Decoding {
            vm,
            encoding,
            policy: Policy::new(errors),
            exception: None,
            saturating: false,
            out: TextBuilder::new(),
        }
    }

    /// Handles an error natively: where to go on; `None` when a registered handler is to be asked.
    fn handle_natively(&mut self, bytes: &[u8], error: CodecError) -> Result<Option<usize>> {
        let Policy::Native(handler) = self.policy else { return Ok(None) };
        let surrogates = SurrogateEncoding::from_name(self.encoding);
        match handlers::decode_error(handler, surrogates, bytes, error.start, error.end) {
            Some((text, next)) => {
                self.out.push_units(&text);
                Ok(Some(next))
            }
            None => {
                let object = bytes::from_slice(self.vm, bytes)?;
                Err(unicode_decode_error(self.vm, self.encoding, &object, error))
            }
        }
    }

    /// Asks the registered handler; where to go on in the input, which it may have replaced.
    fn ask_handler(&mut self, object: &mut Value, error: CodecError) -> Result<usize> {
        let Policy::Registered(name) = self.policy else { unreachable!("native policies are handled natively") };
        let vm = self.vm;
        let handler = errors::lookup(vm, Some(name))?;
        let exception = match &self.exception {
            Some(exception) => {
                errors::update(vm, exception, error)?;
                exception.clone()
            }
            None => {
                let raised = unicode_decode_error(vm, self.encoding, object, error);
                self.exception.insert(vm.take(raised)).clone()
            }
        };
        let (text, position) =
            errors::call(vm, &handler, &exception, "decoding error handler must return (str, int) tuple")?;
        let Some(text) = text.downcast::<Str>() else {
            return Err(vm.type_error("decoding error handler must return (str, int) tuple"));
        };
        *object = errors::object_bytes(vm, &exception)?;
        let length = object.downcast::<Bytes>().map_or(0, |bytes| bytes.as_slice().len());
        let next = errors::position(vm, position, length, self.saturating)?;
        text.push_to(&mut self.out);
        Ok(next)
    }

    /// Runs `step` (which decodes until the end or an error) over the whole input; how much of it was used.
    pub fn run(
        &mut self,
        bytes: &[u8],
        start: usize,
        step: &mut dyn FnMut(&[u8], &mut usize, &mut TextBuilder) -> Result<std::result::Result<(), CodecError>>,
    ) -> Result<usize> {
        let mut at = start;
        while let Err(error) = step(bytes, &mut at, &mut self.out)? {
            match self.handle_natively(bytes, error)? {
                Some(next) => at = next,
                None => {
                    let object = bytes::from_slice(self.vm, bytes)?;
                    return self.run_with_handler(object, error, step);
                }
            }
        }
        Ok(at)
    }

    fn run_with_handler(
        &mut self,
        mut object: Value,
        error: CodecError,
        step: &mut dyn FnMut(&[u8], &mut usize, &mut TextBuilder) -> Result<std::result::Result<(), CodecError>>,
    ) -> Result<usize> {
        let mut at = self.ask_handler(&mut object, error)?;
        loop {
            let input = object.clone();
            let bytes = input.downcast::<Bytes>().map_or(&[][..], Bytes::as_slice);
            match step(bytes, &mut at, &mut self.out)? {
                Ok(()) => return Ok(at),
                Err(error) => at = self.ask_handler(&mut object, error)?,
            }
        }
    }

    pub fn finish(self) -> Ref<Str> {
        Str::from_text(self.out.finish())
    }
}

/// Decodes with a native codec from `start` on: the text and where decoding stopped (the end, unless the input is not
/// final and ends with an incomplete sequence).
pub fn decode_native(
    vm: &Vm,
    codec: Codec,
    bytes: &[u8],
    start: usize,
    errors: Option<&str>,
    is_final: bool,
) -> Result<(Ref<Str>, usize)> {
    match codec {
        Codec::Utf8 | Codec::Ascii | Codec::Latin1 if bytes[start..].is_ascii() => {
            return Ok((Str::from_ascii(&bytes[start..]), bytes.len()));
        }
        Codec::Latin1 => return Ok((Str::from_latin1(&bytes[start..]), bytes.len())),
        Codec::Utf8 if let Ok(text) = std::str::from_utf8(&bytes[start..]) => {
            return Ok((Str::new(text), bytes.len()));
        }
        _ => {}
    }
    let mut decoding = Decoding::new(vm, decoding_name(codec), errors);
    let mut invalid = None;
    let used = decoding.run(bytes, start, &mut |bytes, at, out| {
        if out.try_reserve(bytes.len() - (*at).min(bytes.len())).is_err() {
            return Err(vm.memory_error());
        }
        Ok(match codec {
            Codec::UnicodeEscape => unicode_escape::decode(bytes, at, is_final, &mut invalid, out),
            codec => codec.decode_step(bytes, at, is_final, out),
        })
    })?;
    if let Some(invalid) = invalid {
        vm.warn(&exceptions::DEPRECATION_WARNING.value(), &invalid.message(), 1)?;
    }
    Ok((decoding.finish(), used))
}

/// The byte order for a decoder that heeds the byte order mark, and where the text begins.
pub fn byte_order(bytes: &[u8], wide: bool) -> (Option<ByteOrder>, usize) {
    let mut at = 0;
    let order = if wide {
        utf32::take_byte_order_mark(bytes, &mut at)
    } else if bytes.len() >= 2 {
        utf16::take_byte_order_mark(bytes, &mut at)
    } else {
        None
    };
    (order, at)
}

fn decode_by_codec(vm: &Vm, native: Native, bytes: &[u8], errors: Option<&str>) -> Result {
    let (codec, start) = match native {
        Native::Plain(codec) => (codec, 0),
        Native::Utf16 => {
            let (order, start) = byte_order(bytes, false);
            (Codec::Utf16(order.unwrap_or(ByteOrder::NATIVE)), start)
        }
        Native::Utf32 => {
            let (order, start) = byte_order(bytes, true);
            (Codec::Utf32(order.unwrap_or(ByteOrder::NATIVE)), start)
        }
    };
    decode_native(vm, codec, bytes, start, errors, true).map(|(text, _)| text.into_value())
}

/// The state of an encoder.
pub struct Encoding<'a> {
    vm: &'a Vm,
    encoding: &'a str,
    policy: Policy<'a>,
    exception: Option<Value>,
    /// See [`Decoding::saturating`].
    pub saturating: bool,
    pub out: Vec<u8>,
}

/// What replaces what could not be encoded.
pub enum Substitute {
    Bytes(Vec<u8>),
    /// To be encoded in its turn.
    Text(Value),
}

impl<'a> Encoding<'a> {
    pub fn new(vm: &'a Vm, encoding: &'a str, errors: Option<&'a str>) -> Encoding<'a> {
        Encoding { vm, encoding, policy: Policy::new(errors), exception: None, saturating: false, out: Vec::new() }
    }

    /// The exception for an error that nothing handles.
    pub fn fail(&self, object: &Value, error: CodecError) -> Raised {
        if let Some(exception) = &self.exception {
            return match errors::update(self.vm, exception, error) {
                Ok(()) => self.vm.set_exception(exception.clone()),
                Err(raised) => raised,
            };
        }
        unicode_encode_error(self.vm, self.encoding, object, error)
    }

    /// What replaces `text[error.start..error.end]`, and where to go on.
    pub fn handle(&mut self, object: &Value, text: &Str, error: CodecError) -> Result<(Substitute, usize)> {
        let vm = self.vm;
        match self.policy {
            Policy::Native(handler) => {
                let surrogates = SurrogateEncoding::from_name(self.encoding);
                let replaced = with_units!(text, |units| handlers::encode_error(
                    handler,
                    surrogates,
                    units,
                    error.start,
                    error.end
                ));
                match replaced {
                    Some(Replacement::Bytes(bytes)) => Ok((Substitute::Bytes(bytes), error.end)),
                    Some(Replacement::Text(ascii)) => {
                        Ok((Substitute::Text(Str::from_ascii(&ascii).into_value()), error.end))
                    }
                    None => Err(self.fail(object, error)),
                }
            }
            Policy::Registered(name) => {
                let handler = errors::lookup(vm, Some(name))?;
                let exception = match &self.exception {
                    Some(exception) => {
                        errors::update(vm, exception, error)?;
                        exception.clone()
                    }
                    None => {
                        let raised = unicode_encode_error(vm, self.encoding, object, error);
                        self.exception.insert(vm.take(raised)).clone()
                    }
                };
                let message = "encoding error handler must return (str/bytes, int) tuple";
                let (replacement, position) = errors::call(vm, &handler, &exception, message)?;
                let substitute = if let Some(bytes) = replacement.downcast::<Bytes>() {
                    Substitute::Bytes(bytes.as_slice().to_vec())
                } else if replacement.downcast::<Str>().is_some() {
                    Substitute::Text(replacement)
                } else {
                    return Err(vm.type_error(message));
                };
                Ok((substitute, errors::position(vm, position, text.len(), self.saturating)?))
            }
        }
    }
}

/// What is encoded has a multiple of so many bytes.
fn width(codec: Codec) -> usize {
    match codec {
        Codec::Utf16(_) => 2,
        Codec::Utf32(_) => 4,
        _ => 1,
    }
}

/// Encodes `object`, a str, with a native codec; exceptions call the encoding `name`.
fn encode_with(
    vm: &Vm,
    codec: Codec,
    name: &str,
    object: &Value,
    mark: &[u8],
    errors: Option<&str>,
) -> Result<Vec<u8>> {
    let Some(text) = object.downcast::<Str>() else { return Ok(Vec::new()) };
    let mut encoding = Encoding::new(vm, name, errors);
    if encoding.out.try_reserve(text.len().saturating_mul(width(codec))).is_err() {
        return Err(vm.memory_error());
    }
    encoding.out.extend_from_slice(mark);
    let mut at = 0;
    loop {
        let step = with_units!(text, |units| codec.encode_step(units, &mut at, &mut encoding.out));
        let Err(mut error) = step else { break };
        if matches!(encoding.policy, Policy::Native(Handler::Surrogateescape)) && width(codec) == 1 {
            // Escaped bytes at the beginning do not belong to the error.
            while error.start < error.end && (0xdc80..0xdd00).contains(&text.at(error.start)) {
                encoding.out.push(text.at(error.start) as u8);
                error.start += 1;
            }
            if error.start == error.end {
                at = error.end;
                continue;
            }
        }
        let (substitute, next) = encoding.handle(object, text, error)?;
        match substitute {
            Substitute::Bytes(bytes) if !bytes.len().is_multiple_of(width(codec)) => {
                return Err(encoding.fail(object, error));
            }
            Substitute::Bytes(bytes) => encoding.out.extend(bytes),
            Substitute::Text(replacement) => {
                let replacement = replacement.downcast::<Str>().expect("a text substitute is a str");
                let fits = match codec {
                    Codec::Ascii | Codec::Latin1 => true,
                    _ => replacement.is_ascii(),
                };
                let encoded = fits
                    && with_units!(replacement, |units| codec.encode_step(units, &mut 0, &mut encoding.out)).is_ok();
                if !encoded {
                    return Err(encoding.fail(object, error));
                }
            }
        }
        at = next;
    }
    Ok(encoding.out)
}

/// Encodes `object`, a str, with a native codec.
pub fn encode_native(vm: &Vm, codec: Codec, object: &Value, errors: Option<&str>) -> Result<Vec<u8>> {
    if let Some(text) = object.downcast::<Str>() {
        match (codec, text.data()) {
            (Codec::Utf8 | Codec::Ascii | Codec::Latin1, Data::Ascii(units)) => return vm.buffer_of(units),
            (Codec::Latin1, Data::Latin1(units)) => return vm.buffer_of(units),
            _ => {}
        }
    }
    encode_with(vm, codec, encoding_name(codec), object, &[], errors)
}

/// `utf-16` or `utf-32` with a byte order mark, in the machine's order.
pub fn encode_with_mark(vm: &Vm, wide: bool, object: &Value, errors: Option<&str>) -> Result<Vec<u8>> {
    let little = ByteOrder::NATIVE == ByteOrder::Little;
    match (wide, little) {
        (false, true) => encode_with(vm, Codec::Utf16(ByteOrder::NATIVE), "utf-16", object, &[0xff, 0xfe], errors),
        (false, false) => encode_with(vm, Codec::Utf16(ByteOrder::NATIVE), "utf-16", object, &[0xfe, 0xff], errors),
        (true, true) => encode_with(vm, Codec::Utf32(ByteOrder::NATIVE), "utf-32", object, &[0xff, 0xfe, 0, 0], errors),
        (true, false) => {
            encode_with(vm, Codec::Utf32(ByteOrder::NATIVE), "utf-32", object, &[0, 0, 0xfe, 0xff], errors)
        }
    }
}

/// `text.encode(encoding, errors)`: a bytes object.
pub fn encode(vm: &Vm, text: &Value, encoding: Option<&str>, errors: Option<&str>) -> Result {
    let native = match encoding {
        None => Some(Native::Plain(Codec::Utf8)),
        Some(name) => Native::named(name),
    };
    let data = match native {
        Some(Native::Plain(codec)) => {
            if let Some(own) = text.downcast::<Str>()
                && let Data::Ascii(units) = own.data()
            {
                debug_assert!(matches!(codec, Codec::Utf8 | Codec::Ascii | Codec::Latin1));
                return bytes::from_slice(vm, units);
            }
            encode_native(vm, codec, text, errors)?
        }
        Some(Native::Utf16) => encode_with_mark(vm, false, text, errors)?,
        Some(Native::Utf32) => encode_with_mark(vm, true, text, errors)?,
        None => return registry::encode_text(vm, text, encoding.unwrap_or("utf-8"), errors),
    };
    bytes::from_slice(vm, &data)
}

/// `bytes.decode(encoding, errors)`: a str.
pub fn decode(vm: &Vm, data: &[u8], encoding: Option<&str>, errors: Option<&str>) -> Result {
    let native = match encoding {
        None => Some(Native::Plain(Codec::Utf8)),
        Some(name) => Native::named(name),
    };
    match native {
        Some(native) => decode_by_codec(vm, native, data, errors),
        None => {
            let object = bytes::from_slice(vm, data)?;
            registry::decode_text(vm, &object, encoding.unwrap_or("utf-8"), errors)
        }
    }
}

/// The text of a str as UTF-8; `UnicodeEncodeError` if it has lone surrogates.
pub fn to_utf8(vm: &Vm, text: &Value) -> Result<String> {
    match text.downcast::<Str>() {
        Some(own) => match own.to_utf8() {
            Some(utf8) => Ok(utf8),
            None => {
                let units = own.to_code_points();
                let at = units.iter().position(|unit| (0xd800..0xe000).contains(&unit.code())).unwrap_or(0);
                let run = units[at..].iter().take_while(|unit| (0xd800..0xe000).contains(&unit.code())).count();
                let error = CodecError { start: at, end: at + run, reason: "surrogates not allowed" };
                Err(unicode_encode_error(vm, "utf-8", text, error))
            }
        },
        None => Err(vm.type_error(format!("bad argument type for built-in operation ({})", text.ty().name()))),
    }
}

/// Whether arguments `(encoding, errors)` name a codec that keeps ASCII as it is, and no error handler of its own.
pub fn keeps_ascii(args: &[Value]) -> bool {
    if is_default(args) {
        return true;
    }
    const NAMES: [&str; 8] = ["utf-8", "utf8", "ascii", "latin-1", "UTF-8", "us-ascii", "latin1", "iso-8859-1"];
    is_strict(args) && optional(args, 0).is_none_or(|encoding| NAMES.iter().any(|name| is_named(encoding, name)))
}

/// The codec that arguments `(encoding, errors)` name, if it is one of the usual three and they ask for no error handler of
/// their own.
pub fn usual(args: &[Value]) -> Option<Codec> {
    if is_default(args) {
        return Some(Codec::Utf8);
    }
    if !is_strict(args) {
        return None;
    }
    let Some(encoding) = optional(args, 0) else { return Some(Codec::Utf8) };
    let encoding = encoding.downcast_exact::<Str>()?.as_ascii()?;
    match encoding {
        "utf-8" | "utf8" | "UTF-8" => Some(Codec::Utf8),
        "latin-1" | "latin1" | "iso-8859-1" => Some(Codec::Latin1),
        "ascii" | "us-ascii" => Some(Codec::Ascii),
        _ => None,
    }
}

/// Whether arguments `(encoding, errors)` are the defaults of signatures, or name the same by the same objects.
#[inline]
fn is_default(args: &[Value]) -> bool {
    if args.is_empty() {
        return true;
    }
    let names = crate::vm::names();
    optional(args, 1).is_none_or(|errors| errors.is(&names.strict))
        && optional(args, 0).is_none_or(|encoding| encoding.is(&names.utf_8))
}

fn is_named(argument: &Value, name: &str) -> bool {
    argument.downcast_exact::<Str>().is_some_and(|argument| argument.is_str(name))
}

fn is_strict(args: &[Value]) -> bool {
    optional(args, 1).is_none_or(|errors| is_named(errors, "strict"))
}

/// Whether arguments `(encoding, errors)` stand for strict UTF-8.
pub fn is_utf8(args: &[Value]) -> bool {
    is_strict(args) && optional(args, 0).is_none_or(|encoding| is_named(encoding, "utf-8"))
}

/// The optional arguments `(encoding, errors)` of a method.
pub fn name_arguments<'a>(vm: &Vm, function: &str, args: &'a [Value]) -> Result<(Name<'a>, Name<'a>)> {
    let name = |at, parameter| match args.get(at) {
        Some(value) => name_argument(vm, function, parameter, value),
        None => Ok(None),
    };
    Ok((name(0, "encoding")?, name(1, "errors")?))
}

/// What [`name_argument`] returns.
type Name<'a> = Option<Cow<'a, str>>;

/// The name of an encoding or error handler given as an argument: a str without NUL, or `None` for what was not given.
pub fn name_argument<'a>(vm: &Vm, function: &str, parameter: &str, value: &'a Value) -> Result<Name<'a>> {
    if value.is_unbound() {
        return Ok(None);
    }
    let Some(text) = value.downcast::<Str>() else {
        // `str` is the one that does not call `None` by its name.
        let got = if function == "str" { value.ty().name() } else { vm.argument_type(value) };
        return Err(vm.type_error(format!("{function}() argument '{parameter}' must be str, not {got}")));
    };
    let name = match text.as_ascii() {
        Some(ascii) => Cow::Borrowed(ascii),
        None => Cow::Owned(to_utf8(vm, value)?),
    };
    if name.contains('\0') {
        return Err(vm.value_error("embedded null character"));
    }
    Ok(Some(name))
}
