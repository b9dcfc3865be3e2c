//! `MultibyteStreamReader` and `MultibyteStreamWriter`.

use super::incremental::{Decodes, Decoding, Encodes, Encoding, errors_argument, errors_value};
use super::{CodecRef, codec_of, convert};
use crate::payload::{class_of, payload, signature};
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::int;
use taipan_object::builtins::str::{self, Str};
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, method_table};

payload! {
    pub struct Reader(ReaderState): READER [codec: CodecRef, stream: Value] { machine: Decoding }
}

payload! {
    pub struct Writer(WriterState): WRITER [codec: CodecRef, stream: Value] { machine: Encoding }
}

signature!(NEW_READER = "StreamReader(stream, errors='strict')");
signature!(NEW_WRITER = "StreamWriter(stream, errors='strict')");

pub static READER: TypeSpec = TypeSpec::new::<Reader>("_multibytecodec.MultibyteStreamReader")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = NEW_READER.bind(vm, args, kwnames)?;
            let errors = errors_argument(vm, "StreamReader", &bound[1])?;
            let codec = codec_of(vm, class)?;
            let state = ReaderState { machine: Decoding::new(codec, errors) };
            Ok(Reader::make(class_of(class), codec, bound[0].clone(), state))
        });
        s.init = Some(|_, _, _, _| Ok(()));
    })
    .methods(READER_METHODS)
    .members(READER_MEMBERS)
    .getset(READER_GETSET);

pub static WRITER: TypeSpec = TypeSpec::new::<Writer>("_multibytecodec.MultibyteStreamWriter")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = NEW_WRITER.bind(vm, args, kwnames)?;
            let errors = errors_argument(vm, "StreamWriter", &bound[1])?;
            let codec = codec_of(vm, class)?;
            let state = WriterState { machine: Encoding::new(codec, errors) };
            Ok(Writer::make(class_of(class), codec, bound[0].clone(), state))
        });
        s.init = Some(|_, _, _, _| Ok(()));
    })
    .methods(WRITER_METHODS)
    .members(WRITER_MEMBERS)
    .getset(WRITER_GETSET);

static READER_MEMBERS: &[MemberDef] = &[MemberDef::new("stream", "", |_, this| Ok(Reader::of(this).stream.clone()))];
static WRITER_MEMBERS: &[MemberDef] = &[MemberDef::new("stream", "", |_, this| Ok(Writer::of(this).stream.clone()))];

static READER_GETSET: &[GetSetDef] = &[GetSetDef::new("errors", "how to treat errors", |_, this| {
    Ok(Value::from(Reader::of(this).with(|state| state.machine.errors.clone())))
})
.setter(|vm, this, value| {
    let errors = errors_value(vm, value)?;
    Reader::of(this).with(|state| state.machine.errors = errors);
    Ok(())
})];

static WRITER_GETSET: &[GetSetDef] = &[GetSetDef::new("errors", "how to treat errors", |_, this| {
    Ok(Value::from(Writer::of(this).with(|state| state.machine.errors.clone())))
})
.setter(|vm, this, value| {
    let errors = errors_value(vm, value)?;
    Writer::of(this).with(|state| state.machine.errors = errors);
    Ok(())
})];

impl Decodes for Reader {
    fn codec(&self) -> CodecRef {
        self.codec
    }
    fn with_decoding<R>(&self, f: impl FnOnce(&mut Decoding) -> R) -> R {
        self.with(|state| f(&mut state.machine))
    }
}

impl Encodes for Writer {
    fn codec(&self) -> CodecRef {
        self.codec
    }
    fn with_encoding<R>(&self, f: impl FnOnce(&mut Encoding) -> R) -> R {
        self.with(|state| f(&mut state.machine))
    }
}

/// The size asked for; all there is if negative.
fn size_argument(vm: &Vm, value: &Value) -> Result<i64> {
    match value {
        none if none.is_none() => Ok(-1),
        _ if int::is_int(value) => vm.index_ssize(value),
        _ => Err(vm.type_error("arg 1 must be an integer")),
    }
}

/// Reads with a method of the stream until there is some text.
fn read(vm: &Vm, this: &Value, method: &str, size: &Value) -> Result {
    let mut size = size_argument(vm, size)?;
    let reader = Reader::of(this);
    if size == 0 {
        return Ok(str::empty());
    }
    loop {
        let data = match size {
            ..0 => vm.call_method(&reader.stream, method, &[])?,
            _ => vm.call_method(&reader.stream, method, &[Value::from(size)])?,
        };
        let Some(own) = data.downcast::<Bytes>() else {
            let got = data.ty().name();
            return Err(vm.type_error(format!("stream function returned a non-bytes object ({got})")));
        };
        let at_end = own.as_slice().is_empty();
        let nothing_pending = reader.with(|state| state.machine.pending.is_empty());
        let text = reader.decode_piece(vm, own.as_slice(), at_end || size < 0)?;
        let is_empty = text.downcast::<Str>().is_none_or(|text| text.len() == 0);
        if size < 0 || !is_empty || at_end && nothing_pending {
            return Ok(text);
        }
        // One more byte may complete a character.
        size = 1;
    }
}

method_table! { static READER_METHODS = [
    MethodDef::new("read($self, sizeobj=None, /)", "", |vm, this, args| read(vm, this, "read", &args[0])),
    MethodDef::new("readline($self, sizeobj=None, /)", "", |vm, this, args| read(vm, this, "readline", &args[0])),
    MethodDef::new("readlines($self, sizehintobj=None, /)", "", |vm, this, args| {
        let text = read(vm, this, "read", &args[0])?;
        vm.call_method(&text, "splitlines", &[Value::TRUE])
    }),
    MethodDef::new("reset($self, /)", "", |_, this, _| {
        Reader::of(this).start_anew();
        Ok(Value::NONE)
    }),
]; }

fn write(vm: &Vm, this: &Value, text: &Value) -> Result<()> {
    let writer = Writer::of(this);
    let data = writer.encode_piece(vm, text, false)?;
    vm.call_method_name(&writer.stream, &names().write, &[data])?;
    Ok(())
}

method_table! { static WRITER_METHODS = [
    MethodDef::new("write($self, strobj, /)", "", |vm, this, args| write(vm, this, &args[0]).map(|()| Value::NONE)),
    MethodDef::new("writelines($self, lines, /)", "", |vm, this, args| {
        let lines = &args[0];
        if !vm.is_sequence(lines) {
            return Err(vm.type_error("arg must be a sequence object"));
        }
        let mut at = 0;
        // Writing may change the sequence.
        while at < vm.len(lines)? {
            let line = vm.get_item(lines, &Value::from(at))?;
            write(vm, this, &line)?;
            at += 1;
        }
        Ok(Value::NONE)
    }),
    MethodDef::new("reset($self, /)", "", |vm, this, _| {
        let writer = Writer::of(this);
        let (mut state, pending, errors) = writer.with(|own| {
            (own.machine.state, own.machine.pending.take(), own.machine.errors.clone())
        });
        let Some(pending) = pending else { return Ok(Value::NONE) };
        let result = convert::encode(vm, writer.codec.0, &mut state, &pending, &errors, true);
        writer.with(|own| own.machine.state = state);
        let (data, _) = result?;
        if !data.is_empty() {
            let data = bytes::from_slice(vm, &data)?;
            vm.call_method_name(&writer.stream, &names().write, &[data])?;
        }
        Ok(Value::NONE)
    }),
]; }
