//! Reading.

use dashu_int::{IBig, UBig};

use super::{CodeParts, Error, MAX_DEPTH, tag};

/// Makes objects of what is read. Lists, dicts and sets are made empty and then filled, since they may hold themselves.
pub trait Builder {
    type Value: Clone;
    type Error: From<Error>;

    fn none(&mut self) -> Result<Self::Value, Self::Error>;
    fn bool(&mut self, value: bool) -> Result<Self::Value, Self::Error>;
    fn ellipsis(&mut self) -> Result<Self::Value, Self::Error>;
    fn stop_iteration(&mut self) -> Result<Self::Value, Self::Error>;
    fn int(&mut self, value: i32) -> Result<Self::Value, Self::Error>;
    fn big_int(&mut self, value: IBig) -> Result<Self::Value, Self::Error>;
    fn float(&mut self, value: f64) -> Result<Self::Value, Self::Error>;
    fn complex(&mut self, real: f64, imag: f64) -> Result<Self::Value, Self::Error>;
    fn bytes(&mut self, bytes: &[u8]) -> Result<Self::Value, Self::Error>;
    /// UTF-8, surrogates allowed; not checked yet.
    fn str(&mut self, bytes: &[u8], interned: bool) -> Result<Self::Value, Self::Error>;
    fn tuple(&mut self, items: Vec<Self::Value>) -> Result<Self::Value, Self::Error>;
    /// A tuple of `length` items that [`Builder::fill_tuple`] will give, for a reference to it from within. None: there
    /// are no such references.
    fn unfilled_tuple(&mut self, _length: usize) -> Result<Option<Self::Value>, Self::Error> {
        Ok(None)
    }
    fn fill_tuple(&mut self, _tuple: &Self::Value, _items: Vec<Self::Value>) {}
    fn list(&mut self) -> Result<Self::Value, Self::Error>;
    fn list_append(&mut self, list: &Self::Value, item: Self::Value) -> Result<(), Self::Error>;
    fn dict(&mut self) -> Result<Self::Value, Self::Error>;
    fn dict_insert(&mut self, dict: &Self::Value, key: Self::Value, value: Self::Value) -> Result<(), Self::Error>;
    fn set(&mut self) -> Result<Self::Value, Self::Error>;
    fn set_add(&mut self, set: &Self::Value, item: Self::Value) -> Result<(), Self::Error>;
    fn frozen_set(&mut self, items: Vec<Self::Value>) -> Result<Self::Value, Self::Error>;
    fn slice(&mut self, start: Self::Value, stop: Self::Value, step: Self::Value) -> Result<Self::Value, Self::Error>;
    fn code(&mut self, parts: CodeParts<Self::Value>) -> Result<Self::Value, Self::Error>;
}

/// Where a reader's bytes come from.
pub trait Input {
    type Error: From<Error>;

    /// The next `count` bytes.
    fn take(&mut self, count: usize) -> Result<&[u8], Self::Error>;

    /// The next byte, where an object has to begin.
    fn type_code(&mut self) -> Result<u8, Self::Error>;

    /// How many bytes are left at most, for the sizes of allocations.
    fn remaining(&self) -> usize;
}

/// Bytes in memory.
pub struct Slice<'a> {
    data: &'a [u8],
    at: usize,
}

impl Input for Slice<'_> {
    type Error = Error;

    fn take(&mut self, count: usize) -> Result<&[u8], Error> {
        let taken = self.data[self.at..].get(..count).ok_or(Error::EOFError("marshal data too short"))?;
        self.at += count;
        Ok(taken)
    }

    fn type_code(&mut self) -> Result<u8, Error> {
        let code = *self.data.get(self.at).ok_or(Error::EOFError("EOF read where object expected"))?;
        self.at += 1;
        Ok(code)
    }

    fn remaining(&self) -> usize {
        self.data.len() - self.at
    }
}

/// Reads objects; the references of one object do not reach into the next.
pub struct Reader<I> {
    input: I,
    allow_code: bool,
}

/// What has been started and waits for parts.
enum Frame<V> {
    Tuple { missing: usize, items: Vec<V> },
    List { missing: usize, list: V },
    Dict { dict: V, key: Option<V> },
    Set { missing: usize, set: V },
    FrozenSet { missing: usize, items: Vec<V> },
    Slice { parts: Vec<V> },
    Code { ints: [i32; 5], firstlineno: i32, parts: Vec<V> },
}

/// The objects of a code object before its `firstlineno`, and all.
const CODE_PARTS_BEFORE_LINE: usize = 8;
const CODE_PARTS: usize = 10;

enum Step<V> {
    Done(V),
    /// A new frame; its index among the references, if it is to be one.
    Started(Frame<V>, Option<usize>),
    Null,
}

impl<'a> Reader<Slice<'a>> {
    pub fn new(data: &'a [u8]) -> Reader<Slice<'a>> {
        Reader::from_input(Slice { data, at: 0 })
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.input.at
    }
}

impl<I: Input> Reader<I> {
    pub fn from_input(input: I) -> Reader<I> {
        Reader { input, allow_code: true }
    }

    pub fn disallow_code(mut self) -> Reader<I> {
        self.allow_code = false;
        self
    }

    /// Reads the next object.
    pub fn read<B: Builder>(&mut self, builder: &mut B) -> Result<B::Value, B::Error>
    where
        B::Error: From<I::Error>,
    {
        let mut refs: Vec<Option<B::Value>> = Vec::new();
        let mut frames: Vec<(Frame<B::Value>, Option<usize>)> = Vec::new();
        loop {
            if frames.len() >= MAX_DEPTH {
                return Err(Error::ValueError("recursion limit exceeded").into());
            }
            let mut value = match self.step(builder, &mut refs, &frames)? {
                Step::Started(frame, reference) => match finished(frame, None, builder)? {
                    Ok(value) => {
                        settle(&mut refs, reference, &value);
                        value
                    }
                    Err(frame) => {
                        frames.push((frame, reference));
                        continue;
                    }
                },
                Step::Done(value) => value,
                Step::Null => match frames.pop() {
                    Some((Frame::Dict { dict, .. }, _)) => dict,
                    Some((frame, _)) => return Err(Error::TypeError(null_message(&frame)).into()),
                    None => return Err(Error::TypeError("NULL object in marshal data for object").into()),
                },
            };
            loop {
                let Some((mut frame, reference)) = frames.pop() else { return Ok(value) };
                self.give(builder, &mut frame, value)?;
                let unfilled = reference.and_then(|index| refs[index].clone());
                match finished(frame, unfilled, builder)? {
                    Ok(done) => {
                        settle(&mut refs, reference, &done);
                        value = done;
                    }
                    Err(frame) => {
                        frames.push((frame, reference));
                        break;
                    }
                }
            }
        }
    }

    /// Reads one type code and what belongs to it, up to its parts.
    fn step<B: Builder>(
        &mut self,
        builder: &mut B,
        refs: &mut Vec<Option<B::Value>>,
        frames: &[(Frame<B::Value>, Option<usize>)],
    ) -> Result<Step<B::Value>, B::Error>
    where
        B::Error: From<I::Error>,
    {
        let code = self.input.type_code()?;
        let flagged = code & tag::FLAG_REF != 0;
        let value = match code & !tag::FLAG_REF {
            tag::NULL => return Ok(Step::Null),
            // These are never references, whatever the flag says.
            tag::NONE => return builder.none().map(Step::Done),
            tag::TRUE => return builder.bool(true).map(Step::Done),
            tag::FALSE => return builder.bool(false).map(Step::Done),
            tag::ELLIPSIS => return builder.ellipsis().map(Step::Done),
            tag::STOP_ITERATION => return builder.stop_iteration().map(Step::Done),
            tag::REF => {
                let index = self.long()?;
                const INVALID: Error = Error::ValueError("bad marshal data (invalid reference)");
                let index = usize::try_from(index).map_err(|_| INVALID)?;
                if let Some(Some(value)) = refs.get(index) {
                    return Ok(Step::Done(value.clone()));
                }
                // Only tuples can be referred to before they are complete.
                let incomplete = frames.iter().find(|(_, reference)| *reference == Some(index));
                let Some((Frame::Tuple { missing, items }, _)) = incomplete else { return Err(INVALID.into()) };
                let tuple = builder.unfilled_tuple(missing + items.len())?.ok_or(INVALID)?;
                refs[index] = Some(tuple.clone());
                return Ok(Step::Done(tuple));
            }
            tag::INT64 => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(self.input.take(8)?);
                builder.big_int(IBig::from(i64::from_le_bytes(bytes)))?
            }
            tag::INT => {
                let value = self.long()?;
                builder.int(value)?
            }
            tag::LONG => {
                let value = self.big_int()?;
                builder.big_int(value)?
            }
            tag::FLOAT => {
                let value = self.text_float()?;
                builder.float(value)?
            }
            tag::BINARY_FLOAT => {
                let value = self.binary_float()?;
                builder.float(value)?
            }
            tag::COMPLEX => {
                let (real, imag) = (self.text_float()?, self.text_float()?);
                builder.complex(real, imag)?
            }
            tag::BINARY_COMPLEX => {
                let (real, imag) = (self.binary_float()?, self.binary_float()?);
                builder.complex(real, imag)?
            }
            tag::BYTES => {
                let size = self.size("bad marshal data (bytes object size out of range)")?;
                builder.bytes(self.input.take(size)?)?
            }
            code @ (tag::ASCII | tag::ASCII_INTERNED) => {
                let size = self.size("bad marshal data (string size out of range)")?;
                builder.str(self.input.take(size)?, code == tag::ASCII_INTERNED)?
            }
            code @ (tag::SHORT_ASCII | tag::SHORT_ASCII_INTERNED) => {
                let size = usize::from(self.byte()?);
                builder.str(self.input.take(size)?, code == tag::SHORT_ASCII_INTERNED)?
            }
            code @ (tag::UNICODE | tag::INTERNED) => {
                let size = self.size("bad marshal data (string size out of range)")?;
                builder.str(self.input.take(size)?, code == tag::INTERNED)?
            }
            tag::SMALL_TUPLE => {
                let missing = usize::from(self.byte()?);
                return Ok(self.start_tuple(missing, flagged, refs));
            }
            tag::TUPLE => {
                let missing = self.size("bad marshal data (tuple size out of range)")?;
                return Ok(self.start_tuple(missing, flagged, refs));
            }
            tag::LIST => {
                let missing = self.size("bad marshal data (list size out of range)")?;
                let list = builder.list()?;
                remember(refs, flagged, Some(&list));
                return Ok(Step::Started(Frame::List { missing, list }, None));
            }
            tag::DICT => {
                let dict = builder.dict()?;
                remember(refs, flagged, Some(&dict));
                return Ok(Step::Started(Frame::Dict { dict, key: None }, None));
            }
            tag::SET => {
                let missing = self.size("bad marshal data (set size out of range)")?;
                let set = builder.set()?;
                remember(refs, flagged, Some(&set));
                return Ok(Step::Started(Frame::Set { missing, set }, None));
            }
            tag::FROZENSET => {
                let missing = self.size("bad marshal data (set size out of range)")?;
                let reference = remember(refs, flagged, None);
                return Ok(Step::Started(Frame::FrozenSet { missing, items: self.room(missing) }, reference));
            }
            tag::SLICE => {
                let reference = remember(refs, flagged, None);
                return Ok(Step::Started(Frame::Slice { parts: Vec::with_capacity(3) }, reference));
            }
            tag::CODE => {
                if !self.allow_code {
                    return Err(Error::ValueError("unmarshalling code objects is disallowed").into());
                }
                let reference = remember(refs, flagged, None);
                let mut ints = [0; 5];
                for int in &mut ints {
                    *int = self.long()?;
                }
                let parts = Vec::with_capacity(CODE_PARTS);
                return Ok(Step::Started(Frame::Code { ints, firstlineno: 0, parts }, reference));
            }
            _ => return Err(Error::ValueError("bad marshal data (unknown type code)").into()),
        };
        remember(refs, flagged, Some(&value));
        Ok(Step::Done(value))
    }

    /// Tuples are references only once they are complete.
    fn start_tuple<V: Clone>(&self, missing: usize, flagged: bool, refs: &mut Vec<Option<V>>) -> Step<V> {
        let reference = remember(refs, flagged, None);
        Step::Started(Frame::Tuple { missing, items: self.room(missing) }, reference)
    }

    /// An empty vector for so many parts, as far as the data can hold them.
    fn room<V>(&self, count: usize) -> Vec<V> {
        Vec::with_capacity(count.min(self.input.remaining()))
    }

    /// Adds a part to a frame.
    fn give<B: Builder>(
        &mut self,
        builder: &mut B,
        frame: &mut Frame<B::Value>,
        value: B::Value,
    ) -> Result<(), B::Error>
    where
        B::Error: From<I::Error>,
    {
        match frame {
            Frame::Tuple { missing, items } | Frame::FrozenSet { missing, items } => {
                *missing -= 1;
                items.push(value);
            }
            Frame::List { missing, list } => {
                *missing -= 1;
                builder.list_append(list, value)?;
            }
            Frame::Set { missing, set } => {
                *missing -= 1;
                builder.set_add(set, value)?;
            }
            Frame::Dict { dict, key } => match key.take() {
                None => *key = Some(value),
                Some(key) => builder.dict_insert(dict, key, value)?,
            },
            Frame::Slice { parts } => parts.push(value),
            Frame::Code { firstlineno, parts, .. } => {
                parts.push(value);
                if parts.len() == CODE_PARTS_BEFORE_LINE {
                    *firstlineno = self.long()?;
                }
            }
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, I::Error> {
        Ok(self.input.take(1)?[0])
    }

    fn long(&mut self) -> Result<i32, I::Error> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.input.take(4)?);
        Ok(i32::from_le_bytes(bytes))
    }

    fn size(&mut self, message: &'static str) -> Result<usize, I::Error> {
        usize::try_from(self.long()?).map_err(|_| Error::ValueError(message).into())
    }

    fn binary_float(&mut self) -> Result<f64, I::Error> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.input.take(8)?);
        Ok(f64::from_le_bytes(bytes))
    }

    fn text_float(&mut self) -> Result<f64, I::Error> {
        let size = usize::from(self.byte()?);
        let text = std::str::from_utf8(self.input.take(size)?).ok();
        text.and_then(|text| text.parse().ok()).ok_or(Error::ValueError("could not convert string to float").into())
    }

    /// An int in digits of 15 bits, the lowest first; the sign is that of their number.
    fn big_int(&mut self) -> Result<IBig, I::Error> {
        let count = self.long()?;
        if count == i32::MIN {
            return Err(Error::ValueError("bad marshal data (long size out of range)").into());
        }
        let digits = self.input.take(count.unsigned_abs() as usize * 2)?;
        let mut bytes = Vec::with_capacity(digits.len());
        let (mut pending, mut pending_bits) = (0u32, 0);
        let mut last = None;
        for pair in digits.chunks_exact(2) {
            let digit = u16::from_le_bytes([pair[0], pair[1]]);
            if digit >= 1 << 15 {
                return Err(Error::ValueError("bad marshal data (digit out of range in long)").into());
            }
            last = Some(digit);
            pending |= u32::from(digit) << pending_bits;
            pending_bits += 15;
            while pending_bits >= 8 {
                bytes.push(pending as u8);
                pending >>= 8;
                pending_bits -= 8;
            }
        }
        bytes.push(pending as u8);
        if last == Some(0) {
            return Err(Error::ValueError("bad marshal data (unnormalized long data)").into());
        }
        let magnitude = IBig::from(UBig::from_le_bytes(&bytes));
        Ok(if count < 0 { -magnitude } else { magnitude })
    }
}

/// Makes the next reference if the flag asks for it; `value` is None while it is not complete.
fn remember<V: Clone>(refs: &mut Vec<Option<V>>, flagged: bool, value: Option<&V>) -> Option<usize> {
    flagged.then(|| {
        refs.push(value.cloned());
        refs.len() - 1
    })
}

fn settle<V: Clone>(refs: &mut [Option<V>], reference: Option<usize>, value: &V) {
    if let Some(index) = reference {
        refs[index] = Some(value.clone());
    }
}

/// The object of a frame that is complete, or else the frame. `unfilled` is the tuple that was referred to early.
fn finished<B: Builder>(
    frame: Frame<B::Value>,
    unfilled: Option<B::Value>,
    builder: &mut B,
) -> Result<Result<B::Value, Frame<B::Value>>, B::Error> {
    Ok(match frame {
        Frame::Tuple { missing: 0, items } => Ok(match unfilled {
            Some(tuple) => {
                builder.fill_tuple(&tuple, items);
                tuple
            }
            None => builder.tuple(items)?,
        }),
        Frame::FrozenSet { missing: 0, items } => Ok(builder.frozen_set(items)?),
        Frame::List { missing: 0, list } => Ok(list),
        Frame::Set { missing: 0, set } => Ok(set),
        Frame::Slice { parts } => match <[B::Value; 3]>::try_from(parts) {
            Ok([start, stop, step]) => Ok(builder.slice(start, stop, step)?),
            Err(parts) => Err(Frame::Slice { parts }),
        },
        Frame::Code { ints, firstlineno, parts } => match <[B::Value; CODE_PARTS]>::try_from(parts) {
            Ok(parts) => {
                let [argcount, posonlyargcount, kwonlyargcount, stacksize, flags] = ints;
                let [
                    code,
                    consts,
                    names,
                    localsplusnames,
                    localspluskinds,
                    filename,
                    name,
                    qualname,
                    linetable,
                    exceptiontable,
                ] = parts;
                Ok(builder.code(CodeParts {
                    argcount,
                    posonlyargcount,
                    kwonlyargcount,
                    stacksize,
                    flags,
                    firstlineno,
                    code,
                    consts,
                    names,
                    localsplusnames,
                    localspluskinds,
                    filename,
                    name,
                    qualname,
                    linetable,
                    exceptiontable,
                })?)
            }
            Err(parts) => Err(Frame::Code { ints, firstlineno, parts }),
        },
        frame => Err(frame),
    })
}

fn null_message<V>(frame: &Frame<V>) -> &'static str {
    match frame {
        Frame::Tuple { .. } => "NULL object in marshal data for tuple",
        Frame::List { .. } => "NULL object in marshal data for list",
        Frame::Dict { .. } => "NULL object in marshal data for dict",
        Frame::Set { .. } | Frame::FrozenSet { .. } => "NULL object in marshal data for set",
        Frame::Slice { .. } => "NULL object in marshal data for slice",
        Frame::Code { .. } => "NULL object in marshal data for code object",
    }
}
