//! `TextIOWrapper(buffer, encoding, errors, newline, line_buffering, write_through)`, and `reconfigure`.

use super::codec::{Coding, native};
use super::lines::LineEnds;
use super::{CHUNK_SIZE, TextIoWrapper, is_fast_buffer};
use crate::_io::names::names;
use crate::_io::newline_decoder::Newlines;
use crate::_io::open::flag;
use crate::_io::unsupported;
use crate::payload::signature;
use taipan_object::builtins::str::Str;
use taipan_object::codecs::{errors as error_handlers, registry, to_utf8};
use taipan_object::exceptions::{ENCODING_WARNING, LOOKUP_ERROR};
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm};

signature!(
    INIT = "TextIOWrapper(buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)"
);

const CLASS: &str = "TextIOWrapper";
const RECONFIGURE_NAME: &str = "reconfigure";

/// A str argument without NUL, or `None`.
fn optional_str(vm: &Vm, function: &str, parameter: &str, value: &Value) -> Result<Option<String>> {
    let Some(given) = value.given() else { return Ok(None) };
    check_str(vm, function, parameter, given)?;
    let text = to_utf8(vm, given)?;
    if text.contains('\0') {
        return Err(vm.value_error("embedded null character"));
    }
    Ok(Some(text))
}

fn check_str(vm: &Vm, function: &str, parameter: &str, value: &Value) -> Result<()> {
    if value.downcast::<Str>().is_some() {
        return Ok(());
    }
    let got = value.ty().name();
    Err(vm.type_error(format!("{function}() argument '{parameter}' must be str or None, not {got}")))
}

/// In development mode, wrong error handlers are noticed before there is an error.
fn check_errors(vm: &Vm, errors: Option<&str>) -> Result<()> {
    if let Some(errors) = errors
        && flag(vm, "dev_mode")?
    {
        error_handlers::lookup(vm, Some(errors))?;
    }
    Ok(())
}

fn check_newline(vm: &Vm, newline: Option<&str>) -> Result<()> {
    match newline {
        None | Some("" | "\n" | "\r" | "\r\n") => Ok(()),
        Some(newline) => Err(vm.value_error(format!("illegal newline value: {newline}"))),
    }
}

/// The encoding of the locale.
pub fn locale_encoding(vm: &Vm) -> Result<String> {
    if flag(vm, "utf8_mode")? {
        return Ok("utf-8".to_string());
    }
    Ok(crate::_locale::encoding())
}

pub fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let bound = INIT.bind(vm, args, kwnames)?;
    let own = TextIoWrapper::of(this);
    let buffer = &bound[0];
    let encoding = optional_str(vm, CLASS, "encoding", &bound[1])?;
    let errors = &bound[2];
    let newline = optional_str(vm, CLASS, "newline", &bound[3])?;
    let (line_buffering, write_through) = (vm.is_true(&bound[4])?, vm.is_true(&bound[5])?);
    let old = own.with(|state| {
        (state.ok, state.detached) = (false, false);
        (state.snapshot.take(), state.decoded.take(), std::mem::replace(&mut state.buffer, Value::NONE))
    });
    drop(old);
    let errors_name = optional_str(vm, CLASS, "errors", errors)?;
    let errors = errors.given().cloned().unwrap_or_else(|| Value::from("strict"));
    check_newline(vm, newline.as_deref())?;
    let encoding_value = match encoding.as_deref() {
        None => {
            if flag(vm, "warn_default_encoding")? {
                vm.warn(&ENCODING_WARNING.value(), "'encoding' argument not specified", 1)?;
            }
            Value::from(locale_encoding(vm)?)
        }
        Some("locale") => Value::from(locale_encoding(vm)?),
        Some(_) => bound[1].clone(),
    };
    let encoding = encoding_value.downcast::<Str>().map(Str::to_string_lossy).unwrap_or_default();
    let codec = Codec::find(vm, &encoding)?;
    check_errors(vm, errors_name.as_deref())?;
    own.set_newline(newline.as_deref());
    let old = own.with(|state| {
        state.line_buffering = line_buffering;
        state.write_through = write_through;
        state.chunk_size = CHUNK_SIZE;
        state.used = 0;
        state.bytes_per_character = 0.0;
        state.pending.clear();
        state.undecoded.clear();
        state.fast = is_fast_buffer(buffer);
        (
            std::mem::replace(&mut state.buffer, buffer.clone()),
            std::mem::replace(&mut state.encoding_name, encoding_value),
            std::mem::replace(&mut state.errors, errors),
        )
    });
    drop(old);
    own.set_codec(vm, &codec)?;
    let seekable = vm.call_method_name(buffer, &names().seekable, &[])?;
    let seekable = vm.is_true(&seekable)?;
    let has_read1 = vm.get_attr_opt(buffer, &names().read1)?.is_some();
    own.with(|state| {
        state.seekable = seekable;
        state.telling = seekable;
        state.has_read1 = has_read1;
    });
    own.fix_encoder(vm)?;
    own.with(|state| state.ok = true);
    Ok(())
}

/// Where decoders and encoders come from.
enum Codec {
    Native(taipan_object::text::codecs::Codec),
    /// A `CodecInfo`.
    Info(Value),
}

impl Codec {
    fn find(vm: &Vm, encoding: &str) -> Result<Codec> {
        if let Some(codec) = native(encoding) {
            return Ok(Codec::Native(codec));
        }
        let info = registry::lookup(vm, encoding)?;
        if let Some(is_text) = vm.get_attr_str_opt(&info, "_is_text_encoding")?
            && !vm.is_true(&is_text)?
        {
            return Err(vm.raise_new(
                LOOKUP_ERROR.ty(),
                format!("'{encoding}' is not a text encoding; use codecs.open() to handle arbitrary codecs"),
            ));
        }
        Ok(Codec::Info(info))
    }

    fn make(&self, vm: &Vm, kind: &str, errors: &Value) -> Result<Coding> {
        match self {
            Codec::Native(codec) => Ok(Coding::Native(*codec)),
            Codec::Info(info) => {
                let class = vm.get_attr_str(info, kind)?;
                vm.call_args(&class, std::slice::from_ref(errors)).map(Coding::Object)
            }
        }
    }
}

impl TextIoWrapper {
    fn set_newline(&self, newline: Option<&str>) {
        let universal = newline.is_none_or(str::is_empty);
        // On this system, `\n` is written as it is by default.
        let written_end = newline.filter(|newline| newline.starts_with('\r')).map(Value::from);
        let newline_value = newline.map_or(Value::NONE, Value::from);
        let old = self.with(|state| {
            state.line_ends = LineEnds::new(newline);
            state.newlines = universal.then(|| Newlines::new(newline.is_none()));
            (
                std::mem::replace(&mut state.written_end, written_end),
                std::mem::replace(&mut state.newline, newline_value),
            )
        });
        drop(old);
    }

    /// Makes decoder and encoder, as far as the buffer can be read and written.
    fn set_codec(&self, vm: &Vm, codec: &Codec) -> Result<()> {
        let (buffer, errors) = self.with(|state| (state.buffer.clone(), state.errors.clone()));
        let readable = vm.call_method_name(&buffer, &names().readable, &[])?;
        let decoding = match vm.is_true(&readable)? {
            true => codec.make(vm, "incrementaldecoder", &errors)?,
            false => Coding::None,
        };
        let old = self.with(|state| std::mem::replace(&mut state.decoding, decoding));
        drop(old);
        let writable = vm.call_method_name(&buffer, &names().writable, &[])?;
        let encoding = match vm.is_true(&writable)? {
            true => codec.make(vm, "incrementalencoder", &errors)?,
            false => Coding::None,
        };
        let old = self.with(|state| std::mem::replace(&mut state.encoding, encoding));
        drop(old);
        Ok(())
    }

    /// In the midst of a file no byte order mark is written.
    fn fix_encoder(&self, vm: &Vm) -> Result<()> {
        let (seekable, native) = self.with(|state| (state.seekable, !matches!(state.encoding, Coding::Object(_))));
        if !seekable || native {
            return Ok(());
        }
        let position = vm.call_method_name(&self.buffer(), &names().tell, &[])?;
        if vm.equal(&position, &Value::from(0))? {
            return Ok(());
        }
        self.set_encoder_position(vm, false)
    }

    fn change_encoding(&self, vm: &Vm, encoding: &Value, errors: &Value, newline_changed: bool) -> Result<()> {
        if encoding.is_none() && errors.is_none() && !newline_changed {
            return Ok(());
        }
        let (old_encoding, old_errors) = self.with(|state| (state.encoding_name.clone(), state.errors.clone()));
        let (encoding, errors) = match (encoding.is_none(), errors.is_none()) {
            (true, true) => (old_encoding, old_errors),
            (true, false) => (old_encoding, errors.clone()),
            (false, true) => (encoding.clone(), Value::from("strict")),
            (false, false) => (encoding.clone(), errors.clone()),
        };
        let mut encoding = encoding;
        if encoding.downcast::<Str>().is_some_and(|text| text.is_str("locale")) {
            encoding = Value::from(locale_encoding(vm)?);
        }
        let name = encoding.downcast::<Str>().map(Str::to_string_lossy).unwrap_or_default();
        let codec = Codec::find(vm, &name)?;
        let old = self.with(|state| {
            (std::mem::replace(&mut state.encoding_name, encoding), std::mem::replace(&mut state.errors, errors))
        });
        drop(old);
        self.set_codec(vm, &codec)?;
        self.fix_encoder(vm)
    }
}

fn reconfigure(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let own = TextIoWrapper::of(this);
    own.check_attached(vm)?;
    let [encoding, errors, newline, line_buffering, write_through] = args else {
        unreachable!("reconfigure() declares five parameters")
    };
    let reading = own.with(|state| state.decoded.is_some());
    let newline_given = !newline.is_unbound();
    if reading && (!encoding.is_none() || !errors.is_none() || newline_given) {
        return Err(unsupported(
            vm,
            "It is not possible to set the encoding or newline of stream after the first read",
        ));
    }
    if let Some(encoding) = encoding.given() {
        check_str(vm, RECONFIGURE_NAME, "encoding", encoding)?;
        to_utf8(vm, encoding)?;
    }
    let errors_name = optional_str(vm, RECONFIGURE_NAME, "errors", errors)?;
    let newline_text = if newline_given { optional_str(vm, RECONFIGURE_NAME, "newline", newline)? } else { None };
    check_newline(vm, newline_text.as_deref())?;
    let flag = |value: &Value, old: bool| -> Result<bool> {
        match value.given() {
            None => Ok(old),
            Some(value) => Ok(vm.index_i32(value)? != 0),
        }
    };
    let (old_line_buffering, old_write_through) = own.with(|state| (state.line_buffering, state.write_through));
    let line_buffering = flag(line_buffering, old_line_buffering)?;
    let write_through = flag(write_through, old_write_through)?;
    check_errors(vm, errors_name.as_deref())?;
    vm.call_method_name(this, &names().flush, &[])?;
    own.set_decoded(None);
    if newline_given {
        own.set_newline(newline_text.as_deref());
    }
    own.change_encoding(vm, encoding, errors, newline_given)?;
    own.with(|state| (state.line_buffering, state.write_through) = (line_buffering, write_through));
    Ok(Value::NONE)
}

pub const RECONFIGURE: MethodDef = MethodDef::new(
    "reconfigure($self, /, *, encoding=None, errors=None, newline=<unrepresentable>, line_buffering=None, write_through=None)",
    "Reconfigure the text stream with new parameters.\n\nThe stream is flushed first.",
    reconfigure,
);
