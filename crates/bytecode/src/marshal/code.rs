//! Code objects as [`CodeData`].

use std::sync::Arc;

use dashu_int::IBig;

use super::read::{Builder, Reader};
use super::write::{Source, View, write};
use super::{CodeParts, Error, VERSION};
use crate::code::{CodeData, SharedCode};
use crate::constant::Constant;
use crate::text::Text;

/// Reads a code object.
pub fn load_code(data: &[u8]) -> Result<SharedCode, Error> {
    match load_constant(data)? {
        Constant::Code(code) => Ok(code),
        _ => Err(BAD_DATA),
    }
}

/// Reads a constant of any kind.
pub fn load_constant(data: &[u8]) -> Result<Constant, Error> {
    Reader::new(data).read(&mut ConstantBuilder)
}

/// Writes a code object.
pub fn dump_code(code: &SharedCode) -> Result<Vec<u8>, Error> {
    dump_constant(&Constant::Code(code.clone()))
}

/// Writes a constant of any kind.
pub fn dump_constant(constant: &Constant) -> Result<Vec<u8>, Error> {
    write(&mut ConstantSource, &Part::Constant(constant.clone()), VERSION, true)
}

const BAD_DATA: Error = Error::ValueError("bad marshal data");
/// For what no constant can be.
const NO_CONSTANT: Error = Error::ValueError("bad marshal data (unknown type code)");

struct ConstantBuilder;

impl Builder for ConstantBuilder {
    type Value = Constant;
    type Error = Error;

    fn none(&mut self) -> Result<Constant, Error> {
        Ok(Constant::None)
    }

    fn bool(&mut self, value: bool) -> Result<Constant, Error> {
        Ok(Constant::bool(value))
    }

    fn ellipsis(&mut self) -> Result<Constant, Error> {
        Ok(Constant::Ellipsis)
    }

    fn stop_iteration(&mut self) -> Result<Constant, Error> {
        Err(NO_CONSTANT)
    }

    fn int(&mut self, value: i32) -> Result<Constant, Error> {
        Ok(Constant::int(i64::from(value)))
    }

    fn big_int(&mut self, value: IBig) -> Result<Constant, Error> {
        Ok(Constant::Int(value))
    }

    fn float(&mut self, value: f64) -> Result<Constant, Error> {
        Ok(Constant::Float(value))
    }

    fn complex(&mut self, real: f64, imag: f64) -> Result<Constant, Error> {
        Ok(Constant::Complex(real, imag))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<Constant, Error> {
        Ok(Constant::Bytes(bytes.into()))
    }

    fn str(&mut self, bytes: &[u8], _interned: bool) -> Result<Constant, Error> {
        Text::from_bytes(bytes).map(Constant::Str).ok_or(BAD_DATA)
    }

    fn tuple(&mut self, items: Vec<Constant>) -> Result<Constant, Error> {
        Ok(Constant::Tuple(items.into()))
    }

    fn list(&mut self) -> Result<Constant, Error> {
        Err(NO_CONSTANT)
    }

    fn list_append(&mut self, _list: &Constant, _item: Constant) -> Result<(), Error> {
        Err(NO_CONSTANT)
    }

    fn dict(&mut self) -> Result<Constant, Error> {
        Err(NO_CONSTANT)
    }

    fn dict_insert(&mut self, _dict: &Constant, _key: Constant, _value: Constant) -> Result<(), Error> {
        Err(NO_CONSTANT)
    }

    fn set(&mut self) -> Result<Constant, Error> {
        Err(NO_CONSTANT)
    }

    fn set_add(&mut self, _set: &Constant, _item: Constant) -> Result<(), Error> {
        Err(NO_CONSTANT)
    }

    fn frozen_set(&mut self, items: Vec<Constant>) -> Result<Constant, Error> {
        Ok(Constant::frozen_set(items))
    }

    fn slice(&mut self, start: Constant, stop: Constant, step: Constant) -> Result<Constant, Error> {
        Ok(Constant::Slice(Arc::new([start, stop, step])))
    }

    fn code(&mut self, parts: CodeParts<Constant>) -> Result<Constant, Error> {
        let count = |value: i32| u32::try_from(value).map_err(|_| BAD_DATA);
        let bytes = |value: Constant| match value {
            Constant::Bytes(bytes) => Ok(bytes.to_vec().into()),
            _ => Err(BAD_DATA),
        };
        let text = |value: Constant| match value {
            Constant::Str(text) => Ok(text),
            _ => Err(BAD_DATA),
        };
        let items = |value: Constant| match value {
            Constant::Tuple(items) => Ok(items),
            _ => Err(BAD_DATA),
        };
        let texts = |value| items(value)?.iter().cloned().map(text).collect::<Result<Box<[Text]>, Error>>();
        Ok(Constant::Code(SharedCode::from(CodeData {
            argcount: count(parts.argcount)?,
            posonlyargcount: count(parts.posonlyargcount)?,
            kwonlyargcount: count(parts.kwonlyargcount)?,
            stacksize: count(parts.stacksize)?,
            flags: parts.flags as u32,
            code: bytes(parts.code)?,
            consts: Box::from(&*items(parts.consts)?),
            names: texts(parts.names)?,
            localsplusnames: texts(parts.localsplusnames)?,
            localspluskinds: bytes(parts.localspluskinds)?,
            filename: text(parts.filename)?,
            name: text(parts.name)?,
            qualname: text(parts.qualname)?,
            firstlineno: parts.firstlineno,
            linetable: bytes(parts.linetable)?,
            exceptiontable: bytes(parts.exceptiontable)?,
        })))
    }
}

struct ConstantSource;

/// A constant, or a part of a code object that is none by itself.
#[derive(Clone)]
enum Part {
    Constant(Constant),
    Bytes(crate::code::Bytes),
    /// An identifier: interned.
    Name(Text),
    Names(Box<[Text]>),
}

/// Strings and bytes are shared by value, the rest if it is the same allocation.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Str(Text),
    Bytes(Vec<u8>),
    Address(usize),
}

/// Whether CPython interns a constant string: it looks like an identifier.
fn is_interned(text: &Text) -> bool {
    text.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

impl Source for ConstantSource {
    type Value = Part;
    type Identity = Identity;
    type Error = Error;

    fn view(&mut self, value: &Part) -> Result<View<Part>, Error> {
        let parts = |items: &[Constant]| items.iter().cloned().map(Part::Constant).collect();
        Ok(match value {
            Part::Bytes(bytes) => View::Bytes(bytes.to_vec()),
            Part::Name(name) => View::Str { bytes: name.as_bytes().to_vec(), interned: true },
            Part::Names(names) => View::Tuple(names.iter().cloned().map(Part::Name).collect()),
            Part::Constant(constant) => match constant {
                Constant::None => View::None,
                Constant::True => View::Bool(true),
                Constant::False => View::Bool(false),
                Constant::Ellipsis => View::Ellipsis,
                Constant::Int(value) => View::Int(value.clone()),
                Constant::Float(value) => View::Float(*value),
                Constant::Complex(real, imag) => View::Complex(*real, *imag),
                Constant::Str(text) => View::Str { bytes: text.as_bytes().to_vec(), interned: is_interned(text) },
                Constant::Bytes(bytes) => View::Bytes(bytes.to_vec()),
                Constant::Tuple(items) => View::Tuple(parts(items)),
                Constant::FrozenSet(items) => View::FrozenSet(parts(items)),
                Constant::Slice(items) => {
                    let [start, stop, step] = (**items).clone().map(Part::Constant);
                    View::Slice(start, stop, step)
                }
                Constant::Code(code) => View::Code(Box::new(code_parts(code))),
            },
        })
    }

    fn identity(&mut self, value: &Part) -> Option<Identity> {
        match value {
            Part::Bytes(bytes) => Some(Identity::Bytes(bytes.to_vec())),
            Part::Name(name) => Some(Identity::Str(name.clone())),
            Part::Names(_) => None,
            Part::Constant(constant) => match constant {
                Constant::Str(text) => Some(Identity::Str(text.clone())),
                Constant::Bytes(bytes) => Some(Identity::Bytes(bytes.to_vec())),
                // Empty slices may share an address with something else.
                Constant::Tuple(items) if Arc::strong_count(items) > 2 && !items.is_empty() => {
                    Some(Identity::Address(Arc::as_ptr(items).addr()))
                }
                Constant::Code(code) => Some(Identity::Address(code.address())),
                _ => None,
            },
        }
    }
}

fn code_parts(code: &CodeData) -> CodeParts<Part> {
    CodeParts {
        argcount: code.argcount as i32,
        posonlyargcount: code.posonlyargcount as i32,
        kwonlyargcount: code.kwonlyargcount as i32,
        stacksize: code.stacksize as i32,
        flags: code.flags as i32,
        firstlineno: code.firstlineno,
        code: Part::Bytes(code.code.clone()),
        consts: Part::Constant(Constant::Tuple(Arc::from(&*code.consts))),
        names: Part::Names(code.names.clone()),
        localsplusnames: Part::Names(code.localsplusnames.clone()),
        localspluskinds: Part::Bytes(code.localspluskinds.clone()),
        filename: Part::Constant(Constant::Str(code.filename.clone())),
        name: Part::Name(code.name.clone()),
        qualname: Part::Name(code.qualname.clone()),
        linetable: Part::Bytes(code.linetable.clone()),
        exceptiontable: Part::Bytes(code.exceptiontable.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> SharedCode {
        let inner = SharedCode::from(CodeData {
            argcount: 1,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            stacksize: 2,
            flags: 3,
            code: vec![128, 0, 84, 0, 35, 0].into(),
            consts: [Constant::None].into(),
            names: ["x".into(), "y".into()].into(),
            localsplusnames: ["x".into()].into(),
            localspluskinds: vec![0x26].into(),
            filename: "a.py".into(),
            name: "f".into(),
            qualname: "f".into(),
            firstlineno: 2,
            linetable: vec![0x80].into(),
            exceptiontable: vec![].into(),
        });
        SharedCode::from(CodeData {
            consts: [
                Constant::Code(inner),
                Constant::Int(-(IBig::ONE << 100)),
                Constant::Int(IBig::from(1i64 << 31)),
                Constant::int(-5),
                Constant::Float(1.5),
                Constant::Complex(-0.0, 2.0),
                Constant::Str(Text::from_code_points([0xD800, 0x1F600])),
                Constant::str("x"),
                Constant::FrozenSet([Constant::int(2), Constant::int(1)].into()),
                Constant::Slice(Arc::new([Constant::None, Constant::int(1), Constant::Ellipsis])),
                Constant::Bytes([1, 2, 255].into()),
                Constant::tuple(vec![Constant::True, Constant::tuple(vec![])]),
            ]
            .into(),
            ..(*sample_base()).clone()
        })
    }

    fn sample_base() -> SharedCode {
        SharedCode::from(CodeData {
            argcount: 0,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            stacksize: 1,
            flags: 0,
            code: vec![].into(),
            consts: [].into(),
            names: [].into(),
            localsplusnames: [].into(),
            localspluskinds: vec![].into(),
            filename: "a.py".into(),
            name: "<module>".into(),
            qualname: "<module>".into(),
            firstlineno: 1,
            linetable: vec![].into(),
            exceptiontable: vec![].into(),
        })
    }

    #[test]
    fn round_trip() {
        let code = sample();
        let data = dump_code(&code).expect("can be written");
        assert_eq!(load_code(&data).expect("can be read"), code);
    }

    #[test]
    fn hostile_data() {
        let data = dump_code(&sample()).expect("can be written");
        for end in 0..data.len() {
            assert!(load_code(&data[..end]).is_err());
        }
        for at in 0..data.len() {
            for change in [0x80, 0x7F, 1, 0xFF] {
                let mut data = data.clone();
                data[at] ^= change;
                let _ = load_code(&data);
            }
        }
        let nested: Vec<u8> = [b')', 1].repeat(1_000_000);
        assert_eq!(load_constant(&nested).err(), Some(Error::ValueError("recursion limit exceeded")));
        assert_eq!(load_constant(b"(\xff\xff\xff\x7f").err(), Some(Error::EOFError("EOF read where object expected")));
        assert_eq!(
            load_constant(b"\xa9\x01r\x00\x00\x00\x00").err(),
            Some(Error::ValueError("bad marshal data (invalid reference)"))
        );
        assert_eq!(load_constant(b")\x01\x30").err(), Some(Error::TypeError("NULL object in marshal data for tuple")));
    }
}
