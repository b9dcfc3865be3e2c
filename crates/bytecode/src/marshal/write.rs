//! Writing.

use std::collections::HashMap;
use std::hash::Hash;

use dashu_int::IBig;
use dashu_int::ops::UnsignedAbs;

use super::{CodeParts, Error, MAX_DEPTH, tag};

/// What an object is, for the writer.
pub enum View<V> {
    None,
    Bool(bool),
    Ellipsis,
    StopIteration,
    Int(IBig),
    Float(f64),
    Complex(f64, f64),
    /// A bytes object, or another's buffer.
    Bytes(Vec<u8>),
    /// UTF-8, surrogates allowed.
    Str {
        bytes: Vec<u8>,
        interned: bool,
    },
    Tuple(Vec<V>),
    List(Vec<V>),
    Dict(Vec<(V, V)>),
    Set(Vec<V>),
    FrozenSet(Vec<V>),
    Slice(V, V, V),
    Code(Box<CodeParts<V>>),
    /// What the format has no place for.
    Other,
}

/// Shows objects to the writer.
pub trait Source {
    type Value: Clone;
    type Identity: Eq + Hash;
    type Error: From<Error>;

    fn view(&mut self, value: &Self::Value) -> Result<View<Self::Value>, Self::Error>;

    /// Tells apart objects that may occur several times; None for those that occur once.
    fn identity(&mut self, value: &Self::Value) -> Option<Self::Identity>;

    /// Called when the members of a set were looked at: an error if it has not as many as before.
    fn check_set(&mut self, _set: &Self::Value, _length: usize) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Writes an object.
pub fn write<S: Source>(source: &mut S, value: &S::Value, version: i32, allow_code: bool) -> Result<Vec<u8>, S::Error> {
    write_nested(source, value, version, allow_code, 0)
}

/// Writes an object that lies in so many sets, each of which has it written apart to learn its place.
fn write_nested<S: Source>(
    source: &mut S,
    value: &S::Value,
    version: i32,
    allow_code: bool,
    set_depth: usize,
) -> Result<Vec<u8>, S::Error> {
    if set_depth > MAX_SET_DEPTH {
        return Err(TOO_DEEP.into());
    }
    let mut writer = Writer { out: Vec::new(), version, allow_code, set_depth, refs: HashMap::new(), open: Vec::new() };
    writer.write(source, value)?;
    Ok(writer.out)
}

/// Sets nested more deeply would take exponential time.
const MAX_SET_DEPTH: usize = 100;
const TOO_DEEP: Error = Error::ValueError("object too deeply nested to marshal");

struct Writer<I> {
    out: Vec<u8>,
    version: i32,
    allow_code: bool,
    set_depth: usize,
    refs: HashMap<I, u32>,
    /// Slices and code objects whose parts are being written. They must not occur in them: they could not be read.
    open: Vec<u32>,
}

/// What remains to be written, the next last.
enum Task<V> {
    Value(V),
    Long(i32),
    Null,
    /// The end of an object's parts, and the reference that was open until here.
    Leave(Option<u32>),
}

/// No object has more bytes before its parts and contents.
const LONGEST_START: usize = 64;

fn room_for<V>(tasks: &mut Vec<Task<V>>, more: usize) -> Result<(), Error> {
    tasks.try_reserve(more).map_err(|_| Error::MemoryError)
}

const UNMARSHALLABLE: Error = Error::ValueError("unmarshallable object");

impl<I: Eq + Hash> Writer<I> {
    fn write<S: Source<Identity = I>>(&mut self, source: &mut S, value: &S::Value) -> Result<(), S::Error> {
        let mut tasks = vec![Task::Value(value.clone())];
        let mut depth = 0;
        while let Some(task) = tasks.pop() {
            self.room(LONGEST_START)?;
            match task {
                Task::Long(value) => self.long(value),
                Task::Null => self.out.push(tag::NULL),
                Task::Leave(open) => {
                    depth -= 1;
                    self.open.retain(|index| Some(*index) != open);
                }
                Task::Value(value) => {
                    let before = tasks.len();
                    tasks.push(Task::Leave(None));
                    let open = self.value(source, &value, &mut tasks)?;
                    if tasks.len() == before + 1 {
                        tasks.pop();
                    } else {
                        depth += 1;
                        // The parts are one level deeper.
                        if depth >= MAX_DEPTH {
                            return Err(TOO_DEEP.into());
                        }
                        tasks[before] = Task::Leave(open);
                        self.open.extend(open);
                        // Parts were pushed in their order; the first has to come out first.
                        tasks[before + 1..].reverse();
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes room for so many bytes more.
    fn room(&mut self, bytes: usize) -> Result<(), Error> {
        self.out.try_reserve(bytes).map_err(|_| Error::MemoryError)
    }

    /// Writes an object up to its parts, which become tasks. The reference that is open while they are written.
    fn value<S: Source<Identity = I>>(
        &mut self,
        source: &mut S,
        value: &S::Value,
        tasks: &mut Vec<Task<S::Value>>,
    ) -> Result<Option<u32>, S::Error> {
        let mut opened = None;
        let view = source.view(value)?;
        match view {
            View::None => self.out.push(tag::NONE),
            View::Bool(true) => self.out.push(tag::TRUE),
            View::Bool(false) => self.out.push(tag::FALSE),
            View::Ellipsis => self.out.push(tag::ELLIPSIS),
            View::StopIteration => self.out.push(tag::STOP_ITERATION),
            View::Other => return Err(UNMARSHALLABLE.into()),
            view => {
                let mut flag = 0;
                if self.version >= 3
                    && let Some(identity) = source.identity(value)
                {
                    if let Some(&index) = self.refs.get(&identity) {
                        if self.open.contains(&index) {
                            return Err(UNMARSHALLABLE.into());
                        }
                        self.out.push(tag::REF);
                        self.long(index as i32);
                        return Ok(None);
                    }
                    self.refs.try_reserve(1).map_err(|_| Error::MemoryError)?;
                    let index = self.refs.len() as u32;
                    opened = matches!(view, View::Slice(..) | View::Code(_)).then_some(index);
                    self.refs.insert(identity, index);
                    flag = tag::FLAG_REF;
                }
                let members = match &view {
                    View::Set(items) | View::FrozenSet(items) => Some(items.len()),
                    _ => None,
                };
                self.shared(source, view, flag, tasks)?;
                if let Some(length) = members {
                    source.check_set(value, length)?;
                }
            }
        }
        Ok(opened)
    }

    fn shared<S: Source<Identity = I>>(
        &mut self,
        source: &mut S,
        view: View<S::Value>,
        flag: u8,
        tasks: &mut Vec<Task<S::Value>>,
    ) -> Result<(), S::Error> {
        match view {
            View::Int(value) => match i32::try_from(&value) {
                Ok(value) => {
                    self.out.push(tag::INT | flag);
                    self.long(value);
                }
                Err(_) => self.big_int(&value, flag)?,
            },
            View::Float(value) if self.version > 1 => {
                self.out.push(tag::BINARY_FLOAT | flag);
                self.out.extend(value.to_le_bytes());
            }
            View::Float(value) => {
                self.out.push(tag::FLOAT | flag);
                self.text_float(value);
            }
            View::Complex(real, imag) if self.version > 1 => {
                self.out.push(tag::BINARY_COMPLEX | flag);
                self.out.extend(real.to_le_bytes());
                self.out.extend(imag.to_le_bytes());
            }
            View::Complex(real, imag) => {
                self.out.push(tag::COMPLEX | flag);
                self.text_float(real);
                self.text_float(imag);
            }
            View::Bytes(bytes) => {
                self.out.push(tag::BYTES | flag);
                self.size(bytes.len())?;
                self.room(bytes.len())?;
                self.out.extend(bytes);
            }
            View::Str { bytes, interned } => self.str(&bytes, interned, flag)?,
            View::Tuple(items) => {
                if self.version >= 4 && items.len() < 256 {
                    self.out.extend([tag::SMALL_TUPLE | flag, items.len() as u8]);
                } else {
                    self.out.push(tag::TUPLE | flag);
                    self.size(items.len())?;
                }
                room_for(tasks, items.len())?;
                tasks.extend(items.into_iter().map(Task::Value));
            }
            View::List(items) => {
                self.out.push(tag::LIST | flag);
                self.size(items.len())?;
                room_for(tasks, items.len())?;
                tasks.extend(items.into_iter().map(Task::Value));
            }
            View::Dict(items) => {
                self.out.push(tag::DICT | flag);
                room_for(tasks, 2 * items.len())?;
                tasks.extend(items.into_iter().flat_map(|(key, value)| [Task::Value(key), Task::Value(value)]));
                tasks.push(Task::Null);
            }
            View::Set(items) => {
                self.out.push(tag::SET | flag);
                self.members(source, items, tasks)?;
            }
            View::FrozenSet(items) => {
                self.out.push(tag::FROZENSET | flag);
                self.members(source, items, tasks)?;
            }
            View::Slice(start, stop, step) => {
                if self.version < 5 {
                    return Err(UNMARSHALLABLE.into());
                }
                self.out.push(tag::SLICE | flag);
                tasks.extend([start, stop, step].map(Task::Value));
            }
            View::Code(parts) => {
                if !self.allow_code {
                    return Err(Error::ValueError("marshalling code objects is disallowed").into());
                }
                self.out.push(tag::CODE | flag);
                for int in [parts.argcount, parts.posonlyargcount, parts.kwonlyargcount, parts.stacksize, parts.flags] {
                    self.long(int);
                }
                tasks.extend(
                    [
                        parts.code,
                        parts.consts,
                        parts.names,
                        parts.localsplusnames,
                        parts.localspluskinds,
                        parts.filename,
                        parts.name,
                        parts.qualname,
                    ]
                    .map(Task::Value),
                );
                tasks.push(Task::Long(parts.firstlineno));
                tasks.extend([parts.linetable, parts.exceptiontable].map(Task::Value));
            }
            View::None | View::Bool(_) | View::Ellipsis | View::StopIteration | View::Other => {}
        }
        Ok(())
    }

    /// Members of a set in the order of what would be written for each alone, so that equal sets give equal bytes.
    fn members<S: Source<Identity = I>>(
        &mut self,
        source: &mut S,
        items: Vec<S::Value>,
        tasks: &mut Vec<Task<S::Value>>,
    ) -> Result<(), S::Error> {
        self.size(items.len())?;
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            let alone = write_nested(source, &item, self.version, self.allow_code, self.set_depth + 1)?;
            keyed.push((alone, item));
        }
        keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
        tasks.extend(keyed.into_iter().map(|(_, item)| Task::Value(item)));
        Ok(())
    }

    fn long(&mut self, value: i32) {
        self.out.extend(value.to_le_bytes());
    }

    fn size(&mut self, size: usize) -> Result<(), Error> {
        self.long(i32::try_from(size).map_err(|_| UNMARSHALLABLE)?);
        Ok(())
    }

    fn big_int(&mut self, value: &IBig, flag: u8) -> Result<(), Error> {
        let bytes = value.clone().unsigned_abs().to_le_bytes();
        let mut digits: Vec<u16> = Vec::with_capacity(bytes.len() * 8 / 15 + 1);
        let (mut pending, mut pending_bits) = (0u32, 0);
        for &byte in bytes.iter() {
            pending |= u32::from(byte) << pending_bits;
            pending_bits += 8;
            if pending_bits >= 15 {
                digits.push((pending & 0x7FFF) as u16);
                pending >>= 15;
                pending_bits -= 15;
            }
        }
        digits.push(pending as u16);
        while digits.last() == Some(&0) {
            digits.pop();
        }
        self.out.push(tag::LONG | flag);
        let count = i32::try_from(digits.len()).map_err(|_| UNMARSHALLABLE)?;
        self.long(if *value < IBig::ZERO { -count } else { count });
        for digit in digits {
            self.out.extend(digit.to_le_bytes());
        }
        Ok(())
    }

    fn str(&mut self, bytes: &[u8], interned: bool, flag: u8) -> Result<(), Error> {
        if self.version >= 4 && bytes.is_ascii() {
            if bytes.len() < 256 {
                let code = if interned { tag::SHORT_ASCII_INTERNED } else { tag::SHORT_ASCII };
                self.out.extend([code | flag, bytes.len() as u8]);
            } else {
                self.out.push(if interned { tag::ASCII_INTERNED } else { tag::ASCII } | flag);
                self.size(bytes.len())?;
            }
        } else {
            self.out.push(if interned && self.version >= 3 { tag::INTERNED } else { tag::UNICODE } | flag);
            self.size(bytes.len())?;
        }
        self.room(bytes.len())?;
        self.out.extend(bytes);
        Ok(())
    }

    /// As `'%.17g'` writes it, after its length.
    fn text_float(&mut self, value: f64) {
        let text = if value.is_nan() {
            "nan".to_string()
        } else if value.is_infinite() {
            if value > 0.0 { "inf" } else { "-inf" }.to_string()
        } else {
            general_17(value)
        };
        self.out.push(text.len() as u8);
        self.out.extend(text.into_bytes());
    }
}

fn general_17(value: f64) -> String {
    let scientific = format!("{value:.16e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| -> String {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text.to_string() }
    };
    if (-4..17).contains(&exponent) {
        trim(&format!("{value:.*}", (16 - exponent) as usize))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim(mantissa), exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::general_17;

    #[test]
    fn text_floats() {
        for (value, text) in [
            (0.1, "0.10000000000000001"),
            (1.0, "1"),
            (-0.0, "-0"),
            (1e300, "1.0000000000000001e+300"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1.5e-5, "1.5e-05"),
        ] {
            assert_eq!(general_17(value), text);
        }
    }
}
