//! Objects as marshal writes them.

use taipan_bytecode::Text;
use taipan_bytecode::marshal::write::write;
use taipan_bytecode::marshal::{CodeParts, Source, View};
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::set::{AnySet, FrozenSet, Set};
use taipan_object::builtins::slice::Slice;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{complex, float, int};
use taipan_object::{Result, Value, Vm, count, exceptions};

use super::Failure;
use crate::code::{Code, interned};

/// `marshal.dumps(value, version)`
pub fn dumps(vm: &Vm, value: &Value, version: i32, allow_code: bool) -> Result {
    vm.audit("marshal.dumps", &[value.clone(), Value::from(version)])?;
    let written = write(&mut Objects { vm }, value, version, allow_code);
    bytes::from_slice(vm, &written.map_err(|failure| failure.raise(vm))?)
}

struct Objects<'a> {
    vm: &'a Vm,
}

impl Source for Objects<'_> {
    type Value = Value;
    type Identity = u64;
    type Error = Failure;

    fn view(&mut self, value: &Value) -> std::result::Result<View<Value>, Failure> {
        Ok(if value.is_none() {
            View::None
        } else if value.is_bool() {
            View::Bool(value.is_true())
        } else if value.is(&Value::ELLIPSIS) {
            View::Ellipsis
        } else if int::is_exact(value) {
            int::to_ibig(value).map_or(View::Other, View::Int)
        } else if float::is_exact(value) {
            float::to_f64(value).map_or(View::Other, View::Float)
        } else if value.is(&exceptions::STOP_ITERATION.value()) {
            View::StopIteration
        } else if value.ty().is(&complex::COMPLEX) {
            complex::parts(value).map_or(View::Other, |(real, imag)| View::Complex(real, imag))
        } else if let Some(text) = value.downcast_exact::<Str>() {
            View::Str { bytes: text.to_wtf8(), interned: text.is_interned() }
        } else if let Some(bytes) = value.downcast_exact::<Bytes>() {
            View::Bytes(self.vm.buffer_of(bytes.as_slice())?)
        } else if let Some(tuple) = value.downcast_exact::<Tuple>() {
            View::Tuple(self.vm.buffer_of(tuple.as_slice())?)
        } else if let Some(list) = value.downcast_exact::<List>() {
            View::List(list.try_to_vec(self.vm)?)
        } else if let Some(dict) = value.downcast_exact::<Dict>() {
            View::Dict(dict.items())
        } else if let Some(set) = value.downcast_exact::<Set>() {
            View::Set(set.as_set().keys())
        } else if let Some(set) = value.downcast_exact::<FrozenSet>() {
            View::FrozenSet(set.as_set().keys())
        } else if let Some(slice) = value.downcast_exact::<Slice>() {
            View::Slice(slice.start.clone(), slice.stop.clone(), slice.step.clone())
        } else if let Some(code) = value.downcast::<Code>() {
            View::Code(Box::new(parts(code)))
        } else if self.vm.has_buffer(value) {
            match self.vm.bytes_like(value) {
                Ok(bytes) => View::Bytes(self.vm.buffer_of(&bytes)?),
                Err(raised) => {
                    self.vm.discard(raised);
                    View::Other
                }
            }
        } else {
            View::Other
        })
    }

    fn check_set(&mut self, set: &Value, length: usize) -> std::result::Result<(), Failure> {
        match AnySet::of(set) {
            Some(set) if set.len() != length => Err(self.vm.runtime_error("set changed size during iteration").into()),
            _ => Ok(()),
        }
    }

    /// What only the task of writing it refers to occurs once, unless it is an interned string.
    fn identity(&mut self, value: &Value) -> Option<u64> {
        let Some(header) = value.as_object() else { return Some(value.word()) };
        let shared = header.is_immortal() || count::refcount(header) > 2;
        let interned = || value.downcast_exact::<Str>().is_some_and(Str::is_interned);
        (shared || interned()).then(|| value.word())
    }
}

fn parts(code: &Code) -> CodeParts<Value> {
    let data = &*code.data;
    let names = |names: &[Value]| Tuple::from_slice(names).into_value();
    let text = |text: &Text| interned(text);
    CodeParts {
        argcount: data.argcount as i32,
        posonlyargcount: data.posonlyargcount as i32,
        kwonlyargcount: data.kwonlyargcount as i32,
        stacksize: data.stacksize as i32,
        flags: data.flags as i32,
        firstlineno: data.firstlineno,
        code: bytes::new(&data.code),
        consts: names(code.consts()),
        names: names(code.names()),
        localsplusnames: names(code.localsplusnames()),
        localspluskinds: bytes::new(&data.localspluskinds),
        filename: text(&data.filename),
        name: text(&data.name),
        qualname: text(&data.qualname),
        linetable: bytes::new(&data.linetable),
        exceptiontable: bytes::new(&data.exceptiontable),
    }
}
