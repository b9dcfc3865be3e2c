//! Code of the embedded library as it lies in the program's memory: read in place, one code object at a time.
//!
//! A pack holds the code objects of one module. Numbers are little-endian, of 32 bits unless said otherwise, and offsets
//! count from the pack's start:
//!
//! * the number of strings, the number of code objects;
//! * for each string offset and length of its generalised UTF-8; each text is there once;
//! * for each code object a record of [`RECORD`] numbers, the module's own first (see [`Packed::unpack`]);
//! * what offsets lead to: bytes, lists of strings' numbers, and constants as [`Writer::constant`] writes them.
//!
//! Of the texts the long ones come last, mostly documentation, and of the rest what code that has register code is run
//! without: so what a start reads lies close together.
//!
//! A record may lead to register code, about which only the crate that made it knows more.
//!
//! The build makes packs from what it has compiled, and verifies that. They are trusted, as the program is of which they
//! are a part.

use std::collections::HashMap;
use std::sync::Arc;

use dashu_int::{IBig, Sign, UBig};

use crate::code::{Bytes, CodeData, CodeHead, SharedCode};
use crate::constant::Constant;
use crate::text::Text;
use crate::verify::verify;

/// Bytes of a number.
const WORD: usize = 4;
/// Numbers of a code object's record.
const RECORD: usize = 25;
const HEADER: usize = 2 * WORD;

mod tag {
    pub const NONE: u8 = 0;
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const ELLIPSIS: u8 = 3;
    pub const INT: u8 = 4;
    pub const BIG_INT: u8 = 5;
    pub const NEGATIVE_BIG_INT: u8 = 6;
    pub const FLOAT: u8 = 7;
    pub const COMPLEX: u8 = 8;
    pub const STR: u8 = 9;
    pub const BYTES: u8 = 10;
    pub const TUPLE: u8 = 11;
    pub const FROZEN_SET: u8 = 12;
    pub const SLICE: u8 = 13;
    pub const CODE: u8 = 14;
}

/// The pack of a module's code. `register_code` makes what is packed with a code object so that it need not be lowered.
pub fn pack(code: &SharedCode, register_code: &dyn Fn(&CodeData) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.codes.push(code.clone());
    let mut records = Vec::new();
    // Writing a code object finds those among its constants.
    while let Some(code) = writer.codes.get(records.len()).cloned() {
        records.push(writer.record(&code, register_code(&code).unwrap_or_default()));
    }
    writer.finish(&records)
}

/// The code of a module from its pack, with the given file name.
pub fn unpack(pack: &'static [u8], filename: Text) -> SharedCode {
    SharedCode::packed(Packed { pack: Arc::new(Pack { bytes: pack, filename }), index: 0 })
}

/// A record is complete but for the offsets, which do not yet count from the pack's start.
#[derive(Default)]
struct Writer {
    codes: Vec<SharedCode>,
    strings: Vec<Text>,
    string_index: HashMap<Text, u32>,
    data: Vec<u8>,
    /// What is seldom read; offsets in here have the bit [`SELDOM`].
    seldom: Vec<u8>,
}

/// Which numbers of a record are offsets.
const OFFSETS: [usize; 9] = [8, 10, 12, 14, 16, 17, 18, 21, 23];
const SELDOM: u32 = 1 << 31;
/// Texts of more bytes are long.
const LONG: usize = 64;

impl Writer {
    fn record(&mut self, code: &CodeData, register_code: Vec<u8>) -> [u32; RECORD] {
        let runs_without_bytecode = !register_code.is_empty();
        let mut bytecode = |bytes: &[u8]| if runs_without_bytecode { self.seldom(bytes) } else { self.bytes(bytes) };
        let proof = verify(code).map(|verified| verified.proof()).unwrap_or_default();
        let (code_at, exceptiontable) = (bytecode(&code.code), bytecode(&code.exceptiontable));
        let proof_at = bytecode(&proof);
        let (linetable, kinds) = (self.seldom(&code.linetable), self.bytes(&code.localspluskinds));
        let (names, localsplusnames) = (self.names(&code.names), self.names(&code.localsplusnames));
        let mut consts = Vec::new();
        code.consts.iter().for_each(|constant| self.constant(&mut consts, constant));
        [
            code.argcount,
            code.posonlyargcount,
            code.kwonlyargcount,
            code.stacksize,
            code.flags,
            code.firstlineno as u32,
            self.string(&code.name),
            self.string(&code.qualname),
            code_at,
            code.code.len() as u32,
            linetable,
            code.linetable.len() as u32,
            exceptiontable,
            code.exceptiontable.len() as u32,
            kinds,
            code.localspluskinds.len() as u32,
            names,
            localsplusnames,
            self.bytes(&consts),
            number(code.names.len()),
            number(code.consts.len()),
            proof_at,
            number(proof.len()),
            self.bytes(&register_code),
            number(register_code.len()),
        ]
    }

    fn bytes(&mut self, bytes: &[u8]) -> u32 {
        let at = self.data.len();
        self.data.extend_from_slice(bytes);
        number(at)
    }

    fn seldom(&mut self, bytes: &[u8]) -> u32 {
        let at = self.seldom.len();
        self.seldom.extend_from_slice(bytes);
        number(at) | SELDOM
    }

    fn names(&mut self, names: &[Text]) -> u32 {
        let numbers: Vec<u8> = names.iter().flat_map(|name| self.string(name).to_le_bytes()).collect();
        self.bytes(&numbers)
    }

    fn string(&mut self, text: &Text) -> u32 {
        if let Some(&known) = self.string_index.get(text) {
            return known;
        }
        let index = number(self.strings.len());
        self.strings.push(text.clone());
        self.string_index.insert(text.clone(), index);
        index
    }

    /// A tag, and what belongs to it.
    fn constant(&mut self, out: &mut Vec<u8>, constant: &Constant) {
        let count = |length: usize| number(length).to_le_bytes();
        match constant {
            Constant::None => out.push(tag::NONE),
            Constant::True => out.push(tag::TRUE),
            Constant::False => out.push(tag::FALSE),
            Constant::Ellipsis => out.push(tag::ELLIPSIS),
            Constant::Int(value) => match i64::try_from(value) {
                Ok(value) => {
                    out.push(tag::INT);
                    out.extend(value.to_le_bytes());
                }
                Err(_) => {
                    let (sign, magnitude) = value.clone().into_parts();
                    out.push(if sign == Sign::Negative { tag::NEGATIVE_BIG_INT } else { tag::BIG_INT });
                    let bytes = magnitude.to_le_bytes();
                    out.extend(count(bytes.len()));
                    out.extend(&*bytes);
                }
            },
            Constant::Float(value) => {
                out.push(tag::FLOAT);
                out.extend(value.to_le_bytes());
            }
            Constant::Complex(real, imag) => {
                out.push(tag::COMPLEX);
                out.extend(real.to_le_bytes());
                out.extend(imag.to_le_bytes());
            }
            Constant::Str(text) => {
                out.push(tag::STR);
                out.extend(self.string(text).to_le_bytes());
            }
            Constant::Bytes(bytes) => {
                out.push(tag::BYTES);
                out.extend(count(bytes.len()));
                out.extend(&**bytes);
            }
            Constant::Tuple(items) | Constant::FrozenSet(items) => {
                out.push(if matches!(constant, Constant::Tuple(_)) { tag::TUPLE } else { tag::FROZEN_SET });
                out.extend(count(items.len()));
                items.iter().for_each(|item| self.constant(out, item));
            }
            Constant::Slice(parts) => {
                out.push(tag::SLICE);
                parts.iter().for_each(|part| self.constant(out, part));
            }
            Constant::Code(code) => {
                out.push(tag::CODE);
                out.extend(count(self.codes.len()));
                self.codes.push(code.clone());
            }
        }
    }

    fn finish(self, records: &[[u32; RECORD]]) -> Vec<u8> {
        let mut texts = Vec::new();
        let mut places = vec![(0, 0); self.strings.len()];
        for is_long in [false, true] {
            for (place, text) in places.iter_mut().zip(&self.strings) {
                let text = text.as_bytes();
                if (text.len() > LONG) == is_long {
                    *place = (texts.len(), text.len());
                    texts.extend_from_slice(text);
                }
            }
        }
        let texts_at = HEADER + self.strings.len() * 2 * WORD + records.len() * RECORD * WORD;
        let data = texts_at + texts.len();
        let seldom = data + self.data.len();
        let mut numbers = vec![number(self.strings.len()), number(records.len())];
        for (at, length) in places {
            numbers.extend([number(texts_at + at), number(length)]);
        }
        for record in records {
            let mut record = *record;
            for field in OFFSETS {
                let offset = record[field];
                record[field] =
                    if offset & SELDOM == 0 { offset + number(data) } else { (offset ^ SELDOM) + number(seldom) };
            }
            numbers.extend(record);
        }
        let mut pack: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        [texts, self.data, self.seldom].iter().for_each(|part| pack.extend_from_slice(part));
        pack
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).ok().filter(|value| value & SELDOM == 0).expect("a module's code is smaller than 2 GiB")
}

struct Pack {
    bytes: &'static [u8],
    filename: Text,
}

/// A code object in a pack.
pub(crate) struct Packed {
    pack: Arc<Pack>,
    index: u32,
}

impl Pack {
    fn number(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes[at..at + WORD].try_into().expect("a slice of four bytes"))
    }

    fn slice(&self, at: u32, length: u32) -> &'static [u8] {
        &self.bytes[at as usize..][..length as usize]
    }

    fn string(&self, index: u32) -> Text {
        let at = HEADER + index as usize * 2 * WORD;
        Text::from_static(self.slice(self.number(at), self.number(at + WORD)))
    }

    fn names(&self, at: u32, count: u32) -> Box<[Text]> {
        let numbers = self.slice(at, count * WORD as u32).chunks_exact(WORD);
        numbers.map(|bytes| self.string(u32::from_le_bytes(bytes.try_into().expect("a slice of four bytes")))).collect()
    }
}

impl Packed {
    /// A number of the code object's record.
    fn field(&self, field: usize) -> u32 {
        let records = HEADER + self.pack.number(0) as usize * 2 * WORD;
        self.pack.number(records + (self.index as usize * RECORD + field) * WORD)
    }

    pub(crate) fn head(&self) -> CodeHead {
        CodeHead {
            argcount: self.field(0),
            kwonlyargcount: self.field(2),
            flags: self.field(4),
            nlocalsplus: self.field(15),
        }
    }

    /// `None` if the code could not be verified.
    pub(crate) fn proof(&self) -> Option<&'static [u8]> {
        Some(self.pack.slice(self.field(21), self.field(22))).filter(|proof| !proof.is_empty())
    }

    pub(crate) fn register_code(&self) -> Option<&'static [u8]> {
        Some(self.pack.slice(self.field(23), self.field(24))).filter(|code| !code.is_empty())
    }

    pub(crate) fn unpack(&self) -> CodeData {
        let pack = &*self.pack;
        let bytes = |field: usize| Bytes::Borrowed(pack.slice(self.field(field), self.field(field + 1)));
        let mut reader = Reader { pack: &self.pack, rest: &pack.bytes[self.field(18) as usize..] };
        CodeData {
            argcount: self.field(0),
            posonlyargcount: self.field(1),
            kwonlyargcount: self.field(2),
            stacksize: self.field(3),
            flags: self.field(4),
            code: bytes(8),
            consts: (0..self.field(20)).map(|_| reader.constant()).collect(),
            names: pack.names(self.field(16), self.field(19)),
            localsplusnames: pack.names(self.field(17), self.field(15)),
            localspluskinds: bytes(14),
            filename: pack.filename.clone(),
            name: pack.string(self.field(6)),
            qualname: pack.string(self.field(7)),
            firstlineno: self.field(5) as i32,
            linetable: bytes(10),
            exceptiontable: bytes(12),
        }
    }
}

struct Reader<'a> {
    pack: &'a Arc<Pack>,
    rest: &'static [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.rest.split_first_chunk().expect("a pack is not cut off");
        self.rest = rest;
        *taken
    }

    fn count(&mut self) -> usize {
        u32::from_le_bytes(self.take()) as usize
    }

    fn bytes(&mut self) -> &'static [u8] {
        let count = self.count();
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken
    }

    fn constants(&mut self) -> Arc<[Constant]> {
        let count = self.count();
        (0..count).map(|_| self.constant()).collect()
    }

    fn constant(&mut self) -> Constant {
        let [kind] = self.take();
        match kind {
            tag::NONE => Constant::None,
            tag::TRUE => Constant::True,
            tag::FALSE => Constant::False,
            tag::ELLIPSIS => Constant::Ellipsis,
            tag::INT => Constant::int(i64::from_le_bytes(self.take())),
            tag::BIG_INT => Constant::Int(IBig::from(UBig::from_le_bytes(self.bytes()))),
            tag::NEGATIVE_BIG_INT => Constant::Int(-IBig::from(UBig::from_le_bytes(self.bytes()))),
            tag::FLOAT => Constant::Float(f64::from_le_bytes(self.take())),
            tag::COMPLEX => Constant::Complex(f64::from_le_bytes(self.take()), f64::from_le_bytes(self.take())),
            tag::STR => Constant::Str(self.pack.string(u32::from_le_bytes(self.take()))),
            tag::BYTES => Constant::Bytes(self.bytes().into()),
            tag::TUPLE => Constant::Tuple(self.constants()),
            tag::FROZEN_SET => Constant::FrozenSet(self.constants()),
            tag::SLICE => Constant::Slice(Arc::new([self.constant(), self.constant(), self.constant()])),
            tag::CODE => {
                let index = u32::from_le_bytes(self.take());
                Constant::Code(SharedCode::packed(Packed { pack: self.pack.clone(), index }))
            }
            _ => panic!("a pack has no constant of kind {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(name: &str, consts: Vec<Constant>) -> CodeData {
        CodeData {
            argcount: 2,
            posonlyargcount: 1,
            kwonlyargcount: 1,
            stacksize: 7,
            flags: 0x4000003,
            code: vec![128, 0, 35, 0].into(),
            consts: consts.into(),
            names: [Text::from("print"), Text::from(name)].into(),
            localsplusnames: [Text::from("a"), Text::from("print"), Text::from("c")].into(),
            localspluskinds: vec![0x26, 0x22, 0x60].into(),
            filename: Text::from("here.py"),
            name: Text::from(name),
            qualname: Text::from_code_points([0xDC80, 0x20AC, 0x10000]),
            firstlineno: -3,
            linetable: vec![1, 2, 3].into(),
            exceptiontable: Bytes::default(),
        }
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let big = IBig::from(7).pow(90);
        let inner = code("inner", vec![Constant::int(-1), Constant::Int(big.clone()), Constant::Int(-big)]);
        let consts = vec![
            Constant::None,
            Constant::tuple(vec![Constant::True, Constant::False, Constant::tuple(vec![]), Constant::Ellipsis]),
            Constant::Code(inner.clone().into()),
            Constant::Float(-0.0),
            Constant::Complex(1.5, f64::INFINITY),
            Constant::str("a"),
            Constant::Bytes(b"\0\xFF"[..].into()),
            Constant::frozen_set(vec![Constant::int(1), Constant::str("x")]),
            Constant::Slice(Arc::new([Constant::None, Constant::int(i64::MIN), Constant::Code(inner.into())])),
        ];
        let original = code("outer", consts);
        let registers = |code: &CodeData| (code.name == *"outer").then(|| vec![1, 2, 3]);
        let pack: &'static [u8] = pack(&original.clone().into(), &registers).leak();
        let unpacked = unpack(pack, Text::from("there.py"));
        assert_eq!(unpacked.head(), SharedCode::from(original.clone()).head());
        assert_eq!(*unpacked, original);
        assert_eq!(unpacked.head(), SharedCode::from(original.clone()).head());
        assert_eq!(
            (&unpacked.qualname, unpacked.posonlyargcount, unpacked.stacksize),
            (&original.qualname, original.posonlyargcount, original.stacksize)
        );
        let nested = unpacked.consts[2].as_code().expect("code");
        assert_eq!(nested.filename, Text::from("there.py"));
        assert_eq!(unpacked.register_code(), Some(&[1, 2, 3][..]));
        assert_eq!(nested.localspluskinds, original.localspluskinds);
    }
}
