//! Objects of what marshal reads.

use dashu_int::IBig;
use taipan_bytecode::marshal::{self, Builder, CodeParts, Error, Input, Reader};
use taipan_bytecode::{CodeData, Constant, SharedCode, Text};
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::set::{self, AnySet, Set};
use taipan_object::builtins::slice::Slice;
use taipan_object::builtins::str::{Str, intern_value};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{bytearray, complex, float, int};
use taipan_object::{Ref, Result, Value, Vm, codecs, exceptions};

use super::Failure;
use crate::code::{Code, value_to_constant};

type Outcome<T = Value> = std::result::Result<T, Failure>;

/// `marshal.loads(data)`
pub fn loads(vm: &Vm, data: &[u8]) -> Result {
    loads_with(vm, data, true)
}

/// The code object in `data`, whose constants become objects only when it runs; None if `data` has something else or is
/// faulty.
pub fn load_code(data: &[u8]) -> Option<SharedCode> {
    marshal::load_code(data).ok()
}

pub(super) fn loads_with(vm: &Vm, data: &[u8], allow_code: bool) -> Result {
    if allow_code && data.first().is_some_and(|tag| tag & 0x7F == b'c') {
        if let Some(code) = load_code(data) {
            return Ok(Code::new(code).into_value());
        }
    }
    read(vm, Reader::new(data), allow_code)
}

/// `marshal.load(file)`
pub(super) fn load(vm: &Vm, file: &Value, allow_code: bool) -> Result {
    // A read of nothing shows what kind of file it is.
    let data = vm.call_method(file, "read", &[Value::from(0)])?;
    if data.downcast::<Bytes>().is_none() {
        let name = data.ty().name();
        return Err(vm.type_error(format!("file.read() returned not bytes but {name}")));
    }
    read(vm, Reader::from_input(File { vm, file, taken: Vec::new() }), allow_code)
}

fn read<I: Input>(vm: &Vm, mut reader: Reader<I>, allow_code: bool) -> Result
where
    Failure: From<I::Error>,
{
    if !allow_code {
        reader = reader.disallow_code();
    }
    reader.read(&mut Objects { vm }).map_err(|failure| failure.raise(vm))
}

/// A file object, from which no more is read than the value takes.
struct File<'a> {
    vm: &'a Vm,
    file: &'a Value,
    taken: Vec<u8>,
}

impl Input for File<'_> {
    type Error = Failure;

    fn take(&mut self, count: usize) -> Outcome<&[u8]> {
        self.taken.clear();
        if count == 0 {
            return Ok(&[]);
        }
        let vm = self.vm;
        let mut room = Vec::new();
        if room.try_reserve_exact(count).is_err() {
            return Err(vm.memory_error().into());
        }
        room.resize(count, 0);
        let room = bytearray::new(room);
        let read = vm.call_method(self.file, "readinto", std::slice::from_ref(&room))?;
        let read = vm.index_i64(&read)?;
        if read > count as i64 {
            let message = format!("read() returned too much data: {count} bytes requested, {read} returned");
            return Err(vm.value_error(message).into());
        }
        let bytes = vm.bytes_like(&room)?;
        if read != count as i64 || bytes.len() != count {
            return Err(Error::EOFError("EOF read where not expected").into());
        }
        self.taken.extend_from_slice(&bytes);
        Ok(&self.taken)
    }

    fn type_code(&mut self) -> Outcome<u8> {
        let vm = self.vm;
        match self.take(1) {
            Ok(bytes) => Ok(bytes[0]),
            Err(Failure::Raised(raised)) => {
                drop(vm.catch(raised, exceptions::EOF_ERROR.ty())?);
                Err(Error::EOFError("EOF read where object expected").into())
            }
            Err(Failure::Format(Error::EOFError(_))) => Err(Error::EOFError("EOF read where object expected").into()),
            Err(failure) => Err(failure),
        }
    }

    fn remaining(&self) -> usize {
        4096
    }
}

struct Objects<'a> {
    vm: &'a Vm,
}

const BAD_DATA: Error = Error::ValueError("bad marshal data");

impl Builder for Objects<'_> {
    type Value = Value;
    type Error = Failure;

    fn none(&mut self) -> Outcome {
        Ok(Value::NONE)
    }

    fn bool(&mut self, value: bool) -> Outcome {
        Ok(Value::bool(value))
    }

    fn ellipsis(&mut self) -> Outcome {
        Ok(Value::ELLIPSIS)
    }

    fn stop_iteration(&mut self) -> Outcome {
        Ok(exceptions::STOP_ITERATION.value())
    }

    fn int(&mut self, value: i32) -> Outcome {
        Ok(Value::from(value))
    }

    fn big_int(&mut self, value: IBig) -> Outcome {
        Ok(int::from_ibig(value))
    }

    fn float(&mut self, value: f64) -> Outcome {
        Ok(float::from_f64(value))
    }

    fn complex(&mut self, real: f64, imag: f64) -> Outcome {
        Ok(complex::from_parts((real, imag)))
    }

    fn bytes(&mut self, data: &[u8]) -> Outcome {
        Ok(bytes::from_slice(self.vm, data)?)
    }

    fn str(&mut self, data: &[u8], interned: bool) -> Outcome {
        let text = if let Ok(text) = std::str::from_utf8(data) {
            Str::new(text).into_value()
        } else if Text::from_bytes(data).is_some() {
            Str::from_wtf8(data).into_value()
        } else {
            codecs::decode(self.vm, data, Some("utf-8"), Some("surrogatepass"))?
        };
        Ok(if interned { intern_value(text) } else { text })
    }

    fn tuple(&mut self, items: Vec<Value>) -> Outcome {
        Ok(Tuple::try_from_vec(self.vm, items)?.into_value())
    }

    fn unfilled_tuple(&mut self, length: usize) -> Outcome<Option<Value>> {
        let mut items = Vec::new();
        if items.try_reserve_exact(length).is_err() {
            return Err(self.vm.memory_error().into());
        }
        items.resize(length, Value::NONE);
        self.tuple(items).map(Some)
    }

    fn fill_tuple(&mut self, tuple: &Value, items: Vec<Value>) {
        let tuple = tuple.downcast::<Tuple>().expect("made by `unfilled_tuple`");
        // SAFETY: only values that are being read refer to the tuple, and no slice of it is borrowed here.
        unsafe { tuple.fill(items) };
    }

    fn list(&mut self) -> Outcome {
        Ok(List::from_vec(Vec::new()).into_value())
    }

    fn list_append(&mut self, list: &Value, item: Value) -> Outcome<()> {
        let list = list.downcast::<List>().expect("made by `list`");
        Ok(list.append(self.vm, item)?)
    }

    fn dict(&mut self) -> Outcome {
        Ok(Dict::new().into_value())
    }

    fn dict_insert(&mut self, dict: &Value, key: Value, value: Value) -> Outcome<()> {
        let dict = dict.downcast::<Dict>().expect("made by `dict`");
        Ok(dict.set(self.vm, &key, value)?)
    }

    fn set(&mut self) -> Outcome {
        Ok(Set::new().into_value())
    }

    fn set_add(&mut self, set: &Value, item: Value) -> Outcome<()> {
        let set = AnySet::of(set).expect("made by `set`");
        Ok(set::add(self.vm, set, &item)?)
    }

    fn frozen_set(&mut self, items: Vec<Value>) -> Outcome {
        Ok(set::frozen_from_keys(self.vm, &items)?)
    }

    fn slice(&mut self, start: Value, stop: Value, step: Value) -> Outcome {
        Ok(Slice::new(start, stop, step).into_value())
    }

    fn code(&mut self, parts: CodeParts<Value>) -> Outcome {
        let vm = self.vm;
        let count = |n: i32| u32::try_from(n).map_err(|_| Failure::from(BAD_DATA));
        let bytes = |value: &Value| match value.downcast::<Bytes>() {
            Some(bytes) => Ok(taipan_bytecode::Bytes::Owned(bytes.as_slice().to_vec())),
            None => Err(Failure::from(BAD_DATA)),
        };
        let text = |value: &Value| match value.downcast::<Str>() {
            Some(text) => Text::from_bytes(&text.to_wtf8()).ok_or(Failure::from(BAD_DATA)),
            None => Err(Failure::from(BAD_DATA)),
        };
        let items = |value: &Value| match value.downcast_ref::<Tuple>() {
            Some(tuple) => Ok(tuple),
            None => Err(Failure::from(BAD_DATA)),
        };
        let texts = |value: &Value| -> Outcome<Box<[Text]>> { items(value)?.as_slice().iter().map(text).collect() };
        let consts: Ref<Tuple> = items(&parts.consts)?;
        let constants: Vec<Option<Constant>> = consts.as_slice().iter().map(value_to_constant).collect();
        let localsplusnames = texts(&parts.localsplusnames)?;
        let localspluskinds = bytes(&parts.localspluskinds)?;
        let code = bytes(&parts.code)?;
        if localsplusnames.len() != localspluskinds.len() {
            return Err(vm.value_error("code: co_localsplusnames and co_localspluskinds differ in length").into());
        }
        if code.len() % 2 != 0 {
            return Err(vm.value_error("code: co_code is malformed").into());
        }
        let (argcount, posonlyargcount) = (count(parts.argcount)?, count(parts.posonlyargcount)?);
        if posonlyargcount > argcount {
            return Err(vm.value_error("code: co_posonlyargcount exceeds co_argcount").into());
        }
        let data = CodeData {
            argcount,
            posonlyargcount,
            kwonlyargcount: count(parts.kwonlyargcount)?,
            stacksize: count(parts.stacksize)?,
            flags: parts.flags as u32,
            code,
            consts: constants.into_iter().map(|constant| constant.unwrap_or(Constant::None)).collect(),
            names: texts(&parts.names)?,
            localsplusnames,
            localspluskinds,
            filename: text(&parts.filename)?,
            name: text(&parts.name)?,
            qualname: text(&parts.qualname)?,
            firstlineno: parts.firstlineno,
            linetable: bytes(&parts.linetable)?,
            exceptiontable: bytes(&parts.exceptiontable)?,
        };
        Ok(Code::with_consts(data.into(), consts.as_slice().to_vec()).into_value())
    }
}
