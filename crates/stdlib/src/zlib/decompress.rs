//! `zlib.Decompress`, what `decompressobj()` returns, and `zlib._ZlibDecompressor`, which `gzip` reads with.

use libz_sys as z;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::Raised;
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::stream::{Failure, Stream};
use super::{DEF_BUF_SIZE, MAX_WBITS, dictionary, int_or, zlib_error};
use crate::compression::{Decoder, Decompressor, Kept, Output, Shared, Step, max_length, unlocked};
use crate::payload::signature;

/// A decompressor object.
#[repr(C)]
pub struct Decompress {
    header: Header,
    state: Shared<State>,
}

struct State {
    /// Gone once flushed at the end of the data.
    stream: Option<Stream>,
    dictionary: Option<Vec<u8>>,
    unused_data: Kept,
    unconsumed_tail: Kept,
    eof: bool,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Decompress {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        DECOMPRESS.ty()
    }
}

pub static DECOMPRESS: TypeSpec = TypeSpec::new::<Decompress>("zlib.Decompress")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .methods(METHODS)
    .members(MEMBERS);

impl Decompress {
    fn of(value: &Value) -> &Decompress {
        value.downcast::<Decompress>().expect("methods are called with instances of their type")
    }
    fn make(state: State) -> Value {
        Ref::new(Decompress { header: Header::new(DECOMPRESS.ty()), state: Shared::new(state) }).into_value()
    }
}

/// A stream that inflates, with the dictionary set at once for raw data, which does not ask for it.
fn open(vm: &Vm, wbits: i32, dictionary: Option<&[u8]>) -> Result<Stream> {
    let stream = Stream::inflate(wbits);
    let mut stream = stream.map_err(|failure| match failure.code {
        z::Z_MEM_ERROR => vm.memory_error_with("Can't allocate memory for decompression object"),
        z::Z_STREAM_ERROR => vm.value_error("Invalid initialization option"),
        _ => zlib_error(vm, &failure, "while creating decompression object"),
    })?;
    if let Some(dictionary) = dictionary
        && wbits < 0
    {
        let set = stream.set_dictionary(dictionary);
        set.map_err(|failure| zlib_error(vm, &failure, "while setting zdict"))?;
    }
    Ok(stream)
}

pub fn decompressobj(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let wbits = int_or(vm, &args[0], MAX_WBITS)?;
    let dictionary = match args[1].bound() {
        Some(zdict) if !vm.has_buffer(zdict) => {
            return Err(vm.type_error("zdict argument must support the buffer protocol"));
        }
        Some(zdict) => Some(dictionary(vm, zdict)?),
        None => None,
    };
    let stream = Some(open(vm, wbits, dictionary.as_deref())?);
    Ok(Decompress::make(State {
        stream,
        dictionary,
        unused_data: Kept::EMPTY,
        unconsumed_tail: Kept::EMPTY,
        eof: false,
    }))
}

impl State {
    /// Inflates `input` and keeps what is left of it.
    fn inflate(
        &mut self,
        vm: &Vm,
        input: &[u8],
        output: &mut Output,
        modes: (i32, i32),
    ) -> Result<std::result::Result<i32, Failure>> {
        let dictionary = self.dictionary.as_deref();
        let (outcome, consumed) = match &mut self.stream {
            Some(stream) => unlocked(input.len(), || stream.inflate_all(input, output, modes, dictionary)),
            None => (Err(Failure::from(z::Z_STREAM_ERROR)), 0),
        };
        if matches!(&outcome, Err(failure) if failure.code == z::Z_MEM_ERROR) {
            return Err(vm.memory_error());
        }
        let mut rest = &input[consumed..];
        if matches!(outcome, Ok(z::Z_STREAM_END)) {
            match self.unused_data.bytes() {
                [] => self.unused_data.set(vm, rest)?,
                before => {
                    let mut all = Vec::new();
                    all.try_reserve_exact(before.len() + rest.len()).map_err(|_| vm.memory_error())?;
                    all.extend_from_slice(before);
                    all.extend_from_slice(rest);
                    self.unused_data.set(vm, &all)?;
                }
            }
            rest = &[];
            self.eof = true;
        }
        self.unconsumed_tail.set(vm, rest)?;
        Ok(outcome)
    }
}

fn decompress(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let data = vm.bytes_like(&args[0])?;
    let max_length = vm.index_i64(&args[1])?;
    if max_length < 0 {
        return Err(vm.value_error("max_length must be non-negative"));
    }
    let mut state = Decompress::of(this).state.lock();
    let mut output = Output::new(if max_length == 0 { None } else { Some(max_length as usize) });
    match state.inflate(vm, &data, &mut output, (z::Z_SYNC_FLUSH, z::Z_SYNC_FLUSH))? {
        Ok(_) => output.into_bytes(vm),
        Err(failure) => Err(zlib_error(vm, &failure, "while decompressing data")),
    }
}

fn flush(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let length = args[0].bound().map_or(Ok(DEF_BUF_SIZE), |length| vm.index_i64(length))?;
    if length <= 0 {
        return Err(vm.value_error("length must be greater than zero"));
    }
    let mut state = Decompress::of(this).state.lock();
    let data = std::mem::replace(&mut state.unconsumed_tail, Kept::EMPTY);
    let mut output = Output::unlimited(length as usize).map_err(|_| vm.memory_error())?;
    let flushed_before = state.stream.is_none();
    match state.inflate(vm, data.bytes(), &mut output, (z::Z_NO_FLUSH, z::Z_FINISH))? {
        // Of data that is cut off, what came out of it so far is the result.
        Err(failure) if failure.code != z::Z_BUF_ERROR && !flushed_before => {
            return Err(zlib_error(vm, &failure, "while decompressing data"));
        }
        _ => {}
    }
    if state.eof {
        state.stream = None;
    }
    output.into_bytes(vm)
}

fn copy(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let mut state = Decompress::of(this).state.lock();
    let stream = match &mut state.stream {
        Some(stream) => stream.copy(),
        None => Err(Failure::from(z::Z_STREAM_ERROR)),
    };
    match stream {
        Ok(stream) => Ok(Decompress::make(State {
            stream: Some(stream),
            dictionary: state.dictionary.clone(),
            unused_data: state.unused_data.clone(),
            unconsumed_tail: state.unconsumed_tail.clone(),
            eof: state.eof,
        })),
        Err(failure) => Err(match failure.code {
            z::Z_STREAM_ERROR => vm.value_error("Inconsistent stream state"),
            z::Z_MEM_ERROR => vm.memory_error_with("Can't allocate memory for decompression object"),
            _ => zlib_error(vm, &failure, "while copying decompression object"),
        }),
    }
}

method_table! { static METHODS = [
    MethodDef::new(
        "decompress($self, data, /, max_length=0)",
        "What is ready of the decompressed data, as bytes.\n\nBeyond max_length, if that is not 0, input is kept in \
         unconsumed_tail.",
        decompress,
    ),
    MethodDef::new("flush($self, length=zlib.DEF_BUF_SIZE, /)", "The rest of the decompressed data, as bytes.", flush),
    MethodDef::new("copy($self, /)", "A decompressor in the same state.", copy),
    MethodDef::new("__copy__($self, /)", "", copy),
    MethodDef::new("__deepcopy__($self, memo, /)", "", copy),
]; }

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("unused_data", "", |vm, this| Decompress::of(this).state.lock().unused_data.value(vm)),
    MemberDef::new("unconsumed_tail", "", |vm, this| Decompress::of(this).state.lock().unconsumed_tail.value(vm)),
    MemberDef::new("eof", "", |_, this| Ok(Value::from(Decompress::of(this).state.lock().eof))),
];

/// The stream of a `_ZlibDecompressor`.
struct Inflater {
    stream: Stream,
    dictionary: Option<Vec<u8>>,
}

impl Decoder for Inflater {
    type Failure = Failure;
    const NEEDS_INPUT_WHEN_FULL: bool = true;

    fn decode(&mut self, input: &[u8], output: &mut Output) -> std::result::Result<Step, Failure> {
        let modes = (z::Z_SYNC_FLUSH, z::Z_SYNC_FLUSH);
        let (outcome, consumed) = self.stream.inflate_all(input, output, modes, self.dictionary.as_deref());
        Ok(Step { consumed, finished: outcome? == z::Z_STREAM_END })
    }
}

/// `zlib._ZlibDecompressor`
#[repr(C)]
pub struct ZlibDecompressor {
    header: Header,
    state: Shared<Decompressor<Inflater>>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for ZlibDecompressor {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        ZLIB_DECOMPRESSOR.ty()
    }
}

pub static ZLIB_DECOMPRESSOR: TypeSpec = TypeSpec::new::<ZlibDecompressor>("zlib._ZlibDecompressor")
    .doc("_ZlibDecompressor(wbits=15, zdict=b'')\n--\n\nDecompress data piece by piece.")
    .slots(|s| s.new = Some(new))
    .methods(DECOMPRESSOR_METHODS)
    .members(DECOMPRESSOR_MEMBERS);

signature!(NEW = "_ZlibDecompressor(wbits=15, zdict=b'')");

fn new(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = NEW.bind(vm, args, kwnames)?;
    let wbits = int_or(vm, &args[0], MAX_WBITS)?;
    let dictionary = match args[1].bound() {
        Some(zdict) if !vm.has_buffer(zdict) => {
            return Err(vm.type_error("zdict argument must support the buffer protocol"));
        }
        Some(zdict) => Some(dictionary(vm, zdict)?),
        None => None,
    };
    let stream = open(vm, wbits, dictionary.as_deref())?;
    let state = Shared::new(Decompressor::new(Inflater { stream, dictionary }));
    Ok(Ref::new(ZlibDecompressor { header: Header::new(ZLIB_DECOMPRESSOR.ty()), state }).into_value())
}

fn own(value: &Value) -> &ZlibDecompressor {
    value.downcast::<ZlibDecompressor>().expect("methods are called with instances of their type")
}

fn inflate_error(vm: &Vm, failure: Failure) -> Raised {
    match failure.code {
        z::Z_MEM_ERROR => vm.memory_error(),
        _ => zlib_error(vm, &failure, "while decompressing data"),
    }
}

method_table! { static DECOMPRESSOR_METHODS = [
    MethodDef::new(
        "decompress($self, /, data, max_length=-1)",
        "Decompress data, returning at most max_length bytes unless that is negative.\n\nAfter the end of the stream, \
         further data is in unused_data; needs_input says whether output can come without more input.",
        |vm, this, args| {
            let data = vm.bytes_like(&args[0])?;
            let limit = max_length(vm, &args[1])?;
            let mut state = own(this).state.lock();
            if state.eof {
                return Err(vm.eof_error("End of stream already reached"));
            }
            state.decompress(vm, &data, limit, inflate_error)
        },
    ),
]; }

static DECOMPRESSOR_MEMBERS: &[MemberDef] = &[
    MemberDef::new("eof", "Whether the compressed stream has ended.", |_, this| {
        Ok(Value::from(own(this).state.lock().eof))
    }),
    MemberDef::new("unused_data", "Bytes that followed the compressed stream.", |vm, this| {
        own(this).state.lock().unused_data.value(vm)
    }),
    MemberDef::new("needs_input", "Whether decompress() can give no more data unless it is given more.", |_, this| {
        Ok(Value::from(own(this).state.lock().needs_input))
    }),
];
