//! Reading of a pickle: the machine that its codes drive.

use super::super::opcode::*;
use super::super::{HIGHEST_PROTOCOL, globals, unpickling_error};
use super::input::Input;
use super::{FIND_CLASS, PERSISTENT_LOAD, UNPICKLER, Unpickler, find_class, no_persistent_load, overriding_method};
use taipan_object::builtins::bytearray;
use taipan_object::builtins::bytes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::float;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::memoryview::MEMORYVIEW;
use taipan_object::builtins::set::{self, Set};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::{self, Tuple};
use taipan_object::codecs;
use taipan_object::text::builder::GivenUp;
use taipan_object::text::codecs::Codec;
use taipan_object::text::codecs::escape::{self, Malformed};
use taipan_object::text::float_parse::parse_float_bytes;
use taipan_object::text::int_conversion::{self, Int};
use taipan_object::{Raised, Result, Value, Vm, exceptions};

/// One run of an unpickler.
pub struct Loader<'a> {
    pub vm: &'a Vm,
    pub unpickler: &'a Unpickler,
    pub input: Input<'a>,
    pub stack: Vec<Value>,
    /// Where the marks are.
    marks: Vec<usize>,
    /// What is below the last mark cannot be popped.
    fence: usize,
    find_class: Option<Value>,
    persistent_load: Option<Value>,
    /// Encoding and error handler for strings of Python 2.
    encoding: String,
    errors: String,
}

/// Room on the stack and in the memo to begin with: most pickles need no more.
const FIRST_ROOM: usize = 32;

impl<'a> Loader<'a> {
    pub fn new(vm: &'a Vm, this: &'a Value, input: Input<'a>) -> Result<Loader<'a>> {
        let unpickler = Unpickler::of(this);
        let (encoding, errors, own_load) = unpickler.with(|state| {
            state.protocol = 0;
            state.memo.make_room(FIRST_ROOM);
            (state.encoding.clone(), state.errors.clone(), state.persistent_load.clone())
        });
        let exact = this.ty().is(&UNPICKLER);
        let find_class = if exact { None } else { overriding_method(vm, this, "find_class", FIND_CLASS)? };
        let persistent_load = match exact {
            true => own_load,
            false => overriding_method(vm, this, "persistent_load", PERSISTENT_LOAD)?,
        };
        Ok(Loader {
            vm,
            unpickler,
            input,
            stack: Vec::with_capacity(FIRST_ROOM),
            marks: Vec::with_capacity(8),
            fence: 0,
            find_class,
            persistent_load,
            encoding,
            errors,
        })
    }

    /// Reads a pickle: the object.
    pub fn load(&mut self) -> Result {
        let vm = self.vm;
        loop {
            // Objects without end come from no safepoint.
            vm.check_memory()?;
            let code = match self.input.byte(vm) {
                Ok(code) => code,
                Err(raised) => return Err(self.out_of_input(raised)),
            };
            match code {
                NONE => self.push(Value::NONE),
                NEWTRUE => self.push(Value::TRUE),
                NEWFALSE => self.push(Value::FALSE),
                BININT1 => {
                    let n = self.input.byte(vm)?;
                    self.push(Value::small_int(n.into()));
                }
                BININT2 => {
                    let n = u16::from_le_bytes(self.input.array(vm)?);
                    self.push(Value::small_int(n.into()));
                }
                BININT => {
                    let n = i32::from_le_bytes(self.input.array(vm)?);
                    self.push(Value::small_int(n.into()));
                }
                BINFLOAT => {
                    let f = f64::from_be_bytes(self.input.array(vm)?);
                    self.push(float::from_f64(f));
                }
                SHORT_BINUNICODE => {
                    let length = self.input.byte(vm)?;
                    self.utf8(length.into())?;
                }
                BINUNICODE => {
                    let length = u32::from_le_bytes(self.input.array(vm)?);
                    self.utf8(length as usize)?;
                }
                BINUNICODE8 => {
                    let length = self.long_length("BINUNICODE exceeds system's maximum size")?;
                    self.utf8(length)?;
                }
                SHORT_BINBYTES => {
                    let length = self.input.byte(vm)?;
                    self.bytes(length.into())?;
                }
                BINBYTES => {
                    let length = u32::from_le_bytes(self.input.array(vm)?);
                    self.bytes(length as usize)?;
                }
                BINBYTES8 => {
                    let length = self.long_length("BINBYTES exceeds system's maximum size")?;
                    self.bytes(length)?;
                }
                BYTEARRAY8 => {
                    let length = self.long_length("BYTEARRAY8 exceeds system's maximum size")?;
                    let data = vm.buffer_of(self.input.read(vm, length)?)?;
                    self.push(bytearray::new(data));
                }
                MEMOIZE => {
                    let number = self.unpickler.with(|state| state.memo.len() as u64);
                    self.put(number)?;
                }
                BINPUT => {
                    let number = self.input.byte(vm)?;
                    self.put(number.into())?;
                }
                LONG_BINPUT => {
                    let number = u32::from_le_bytes(self.input.array(vm)?);
                    self.put(number.into())?;
                }
                BINGET => {
                    let number = self.input.byte(vm)?;
                    self.get(number.into())?;
                }
                LONG_BINGET => {
                    let number = u32::from_le_bytes(self.input.array(vm)?);
                    self.get(number.into())?;
                }
                EMPTY_LIST => self.push(List::from_vec(Vec::new()).into_value()),
                EMPTY_DICT => self.push(Dict::new().into_value()),
                EMPTY_TUPLE => self.push(tuple::empty().into_value()),
                EMPTY_SET => self.push(Set::new().into_value()),
                MARK => {
                    self.marks.put(self.stack.len());
                    self.fence = self.stack.len();
                }
                APPENDS => {
                    let at = self.mark()?;
                    self.append_from(at)?;
                }
                APPEND => {
                    let at = self.need(1)?;
                    self.append_from(at)?;
                }
                SETITEMS => {
                    let at = self.mark()?;
                    self.set_items_from(at)?;
                }
                SETITEM => {
                    let at = self.need(2)?;
                    self.set_items_from(at)?;
                }
                TUPLE1 => self.short_tuple(1)?,
                TUPLE2 => self.short_tuple(2)?,
                TUPLE3 => self.short_tuple(3)?,
                TUPLE => {
                    let items = self.pop_to_mark()?;
                    self.push(Tuple::from_vec(items).into_value());
                }
                LIST => {
                    let items = self.pop_to_mark()?;
                    self.push(List::from_vec(items).into_value());
                }
                DICT => self.dict()?,
                ADDITEMS => self.add_items()?,
                FROZENSET => {
                    let items = self.pop_to_mark()?;
                    self.push(set::frozen_from_keys(vm, &items)?);
                }
                GLOBAL => self.global()?,
                STACK_GLOBAL => self.stack_global()?,
                REDUCE => self.reduce()?,
                NEWOBJ => self.newobj()?,
                NEWOBJ_EX => self.newobj_ex()?,
                BUILD => self.build()?,
                LONG1 => {
                    let length = self.input.byte(vm)?;
                    self.long(length.into())?;
                }
                LONG4 => {
                    let length = self.signed_length("LONG")?;
                    self.long(length)?;
                }
                POP => self.pop_one()?,
                POP_MARK => drop(self.pop_to_mark()?),
                DUP => {
                    let top = self.top()?.clone();
                    self.push(top);
                }
                PROTO => {
                    let protocol = self.input.byte(vm)?;
                    if protocol > HIGHEST_PROTOCOL {
                        return Err(vm.value_error(format!("unsupported pickle protocol: {protocol}")));
                    }
                    self.unpickler.with(|state| state.protocol = protocol);
                }
                FRAME => {
                    let length = self.long_length("FRAME length exceeds system's maximum")?;
                    self.input.begin_frame(vm, length)?;
                }
                STOP => return self.pop(),
                INT => self.int_line()?,
                LONG => self.long_line()?,
                FLOAT => self.float_line()?,
                STRING => self.string_line()?,
                BINSTRING => {
                    let length = self.signed_length("BINSTRING")?;
                    self.string(length)?;
                }
                SHORT_BINSTRING => {
                    let length = self.input.byte(vm)?;
                    self.string(length.into())?;
                }
                UNICODE => {
                    let line = self.input.line(vm, 0)?;
                    let (text, _) = codecs::decode_native(vm, Codec::RawUnicodeEscape, line, 0, None, true)?;
                    self.push(text.into_value());
                }
                GET => {
                    let number = self.number_line()?;
                    self.get(number)?;
                }
                PUT => {
                    let number = self.number_line()?;
                    if number < 0 {
                        return Err(vm.value_error("negative PUT argument"));
                    }
                    self.put(number as u64)?;
                }
                PERSID => self.persistent_line()?,
                BINPERSID => {
                    let id = self.pop()?;
                    self.persistent(&id)?;
                }
                INST => self.inst()?,
                OBJ => self.obj()?,
                EXT1 => {
                    let code = self.input.byte(vm)?;
                    self.extension(code.into())?;
                }
                EXT2 => {
                    let code = u16::from_le_bytes(self.input.array(vm)?);
                    self.extension(code.into())?;
                }
                EXT4 => {
                    let code = i32::from_le_bytes(self.input.array(vm)?);
                    self.extension(code.into())?;
                }
                NEXT_BUFFER => self.next_buffer()?,
                READONLY_BUFFER => self.readonly_buffer()?,
                code => return Err(invalid_code(vm, code)),
            }
        }
    }

    /// The pickle ends before its end.
    #[cold]
    fn out_of_input(&self, raised: Raised) -> Raised {
        let vm = self.vm;
        let exception = vm.take(raised);
        let truncated = super::super::errors(vm).is_ok_and(|errors| exception.ty().to_value().is(&errors.unpickling));
        if truncated { vm.eof_error("Ran out of input") } else { vm.set_exception(exception) }
    }

    #[inline(always)]
    pub fn push(&mut self, value: Value) {
        self.stack.put(value);
    }

    #[inline]
    pub fn pop(&mut self) -> Result {
        if self.stack.len() <= self.fence {
            return Err(self.underflow());
        }
        self.stack.pop().ok_or_else(|| self.underflow())
    }

    #[inline]
    pub fn top(&self) -> Result<&Value> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence => Ok(top),
            _ => Err(self.underflow()),
        }
    }

    /// Where the last `count` values begin, which must be there.
    #[inline]
    pub fn need(&self, count: usize) -> Result<usize> {
        match self.stack.len().checked_sub(count) {
            Some(at) if at >= self.fence => Ok(at),
            _ => Err(self.underflow()),
        }
    }

    #[cold]
    pub fn underflow(&self) -> Raised {
        let message = if self.marks.is_empty() { "unpickling stack underflow" } else { "unexpected MARK found" };
        unpickling_error(self.vm, message)
    }

    pub fn fence(&self) -> usize {
        self.fence
    }

    /// Takes the last mark: what is behind it begins there.
    #[inline]
    pub fn mark(&mut self) -> Result<usize> {
        let Some(at) = self.marks.pop() else { return Err(unpickling_error(self.vm, "could not find MARK")) };
        self.fence = self.marks.last().copied().unwrap_or(0);
        Ok(at)
    }

    pub fn pop_to_mark(&mut self) -> Result<Vec<Value>> {
        let at = self.mark()?;
        Ok(self.stack.split_off(at))
    }

    /// Pops a value, or a mark if there is none behind it.
    fn pop_one(&mut self) -> Result<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.mark()?;
            return Ok(());
        }
        drop(self.pop()?);
        Ok(())
    }

    fn put(&mut self, number: u64) -> Result<()> {
        let object = self.top()?.clone();
        let old = self.unpickler.with(|state| state.memo.put(number, object));
        drop(old);
        Ok(())
    }

    fn get(&mut self, number: i64) -> Result<()> {
        let object = match u64::try_from(number) {
            Ok(number) => self.unpickler.with(|state| state.memo.get(number)),
            Err(_) => None,
        };
        match object {
            Some(object) => {
                self.push(object);
                Ok(())
            }
            None => Err(unpickling_error(self.vm, format!("Memo value not found at index {number}"))),
        }
    }

    /// A length in eight bytes; `too_large` begins the message if it is.
    fn long_length(&mut self, too_large: &str) -> Result<usize> {
        let length = u64::from_le_bytes(self.input.array(self.vm)?);
        if length > isize::MAX as u64 {
            let max = isize::MAX;
            return Err(self.vm.overflow_error(format!("{too_large} of {max} bytes")));
        }
        Ok(length as usize)
    }

    /// A length in four bytes, with sign.
    fn signed_length(&mut self, what: &str) -> Result<usize> {
        let length = i32::from_le_bytes(self.input.array(self.vm)?);
        usize::try_from(length).map_err(|_| unpickling_error(self.vm, format!("{what} pickle has negative byte count")))
    }

    #[inline]
    fn utf8(&mut self, length: usize) -> Result<()> {
        let data = self.input.read(self.vm, length)?;
        let text = if data.is_ascii() {
            Str::from_ascii(data)
        } else if let Ok(text) = std::str::from_utf8(data) {
            Str::new(text)
        } else {
            codecs::decode_native(self.vm, Codec::Utf8, data, 0, Some("surrogatepass"), true)?.0
        };
        self.push(text.into_value());
        Ok(())
    }

    fn bytes(&mut self, length: usize) -> Result<()> {
        let data = bytes::from_slice(self.vm, self.input.read(self.vm, length)?)?;
        self.push(data);
        Ok(())
    }

    fn short_tuple(&mut self, count: usize) -> Result<()> {
        let at = self.need(count)?;
        let items = Tuple::try_new_with_type(tuple::TUPLE.ty(), self.stack.drain(at..));
        let items = items.ok_or_else(|| self.vm.memory_error())?;
        self.push(items.into_value());
        Ok(())
    }

    fn dict(&mut self) -> Result<()> {
        let vm = self.vm;
        let items = self.pop_to_mark()?;
        if items.len() % 2 != 0 {
            return Err(unpickling_error(vm, "odd number of items for DICT"));
        }
        let dict = Dict::with_capacity(items.len() / 2);
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            dict.set(vm, &key, value)?;
        }
        self.push(dict.into_value());
        Ok(())
    }

    /// An int in two's complement.
    fn long(&mut self, length: usize) -> Result<()> {
        let data = self.input.read(self.vm, length)?;
        let n = from_int(int_conversion::from_bytes(data, true, true));
        self.push(n);
        Ok(())
    }

    /// `I`: an int in decimal, or a bool as `00` or `01`.
    fn int_line(&mut self) -> Result<()> {
        let line = self.input.line(self.vm, 1)?;
        let value = match line {
            b"00" => Value::FALSE,
            b"01" => Value::TRUE,
            _ => match int_conversion::parse_int_bytes(line, 10, int::construct::max_str_digits()) {
                Ok(n) => from_int(n),
                Err(_) => return Err(self.vm.value_error("could not convert string to int")),
            },
        };
        self.push(value);
        Ok(())
    }

    /// `L`: an int in decimal, with an `L` at its end or not.
    fn long_line(&mut self) -> Result<()> {
        let vm = self.vm;
        let line = self.input.line(vm, 1)?;
        let digits = line.strip_suffix(b"L").unwrap_or(line);
        let shown = if digits.len() == line.len() { [line, b"\n"].concat() } else { digits.to_vec() };
        let n = int::construct::from_value(vm, &bytes::from_slice(vm, digits)?)
            .map_err(|raised| bad_literal(vm, raised, &shown))?;
        self.push(n);
        Ok(())
    }

    /// The number that `GET` and `PUT` have for an argument.
    fn number_line(&mut self) -> Result<i64> {
        let vm = self.vm;
        let line = self.input.line(vm, 1)?;
        let shown = [line, b"\n"].concat();
        let n = int::construct::from_value(vm, &bytes::from_slice(vm, line)?)
            .map_err(|raised| bad_literal(vm, raised, &shown))?;
        int::to_i64(&n).ok_or_else(|| vm.overflow_error("Python int too large to convert to C ssize_t"))
    }

    fn float_line(&mut self) -> Result<()> {
        let line = self.input.line(self.vm, 1)?;
        let Some(f) = parse_float_bytes(line) else {
            let line = String::from_utf8_lossy(line).into_owned();
            return Err(self.vm.value_error(format!("could not convert string to float: '{line}\n'")));
        };
        self.push(float::from_f64(f));
        Ok(())
    }

    /// `S`: the literal of a string of Python 2.
    fn string_line(&mut self) -> Result<()> {
        let vm = self.vm;
        let line = self.input.line(vm, 0)?;
        let quoted = match line {
            [first @ (b'"' | b'\''), inner @ .., last] if first == last => inner,
            _ => return Err(unpickling_error(vm, "the STRING opcode argument must be quoted")),
        };
        let mut invalid = None;
        let data = escape::decode(quoted, Malformed::Strict, &mut invalid).map_err(|error| vm.text_error(error))?;
        if let Some(invalid) = invalid {
            vm.warn(&exceptions::DEPRECATION_WARNING.value(), &invalid.message(), 1)?;
        }
        self.push_string(&data)
    }

    fn string(&mut self, length: usize) -> Result<()> {
        let data = self.vm.buffer_of(self.input.read(self.vm, length)?)?;
        self.push_string(&data)
    }

    /// Pushes a string of Python 2: decoded, or as bytes.
    fn push_string(&mut self, data: &[u8]) -> Result<()> {
        let string = match self.encoding.as_str() {
            "bytes" => bytes::from_slice(self.vm, data)?,
            encoding => codecs::decode(self.vm, data, Some(encoding), Some(&self.errors))?,
        };
        self.push(string);
        Ok(())
    }

    fn persistent_line(&mut self) -> Result<()> {
        let line = self.input.line(self.vm, 0)?;
        if !line.is_ascii() {
            return Err(unpickling_error(self.vm, "persistent IDs in protocol 0 must be ASCII strings"));
        }
        let id = Str::from_ascii(line).into_value();
        self.persistent(&id)
    }

    /// Pushes the object with this persistent id.
    fn persistent(&mut self, id: &Value) -> Result<()> {
        let object = match &self.persistent_load {
            Some(load) => self.vm.call_args(load, std::slice::from_ref(id))?,
            None => no_persistent_load(self.vm)?,
        };
        self.push(object);
        Ok(())
    }

    fn next_buffer(&mut self) -> Result<()> {
        let Some(buffers) = self.unpickler.with(|state| state.buffers.clone()) else {
            let message = "pickle stream refers to out-of-band data but no *buffers* argument was given";
            return Err(unpickling_error(self.vm, message));
        };
        match self.vm.next(&buffers)? {
            Some(buffer) => {
                self.push(buffer);
                Ok(())
            }
            None => Err(unpickling_error(self.vm, "not enough out-of-band buffers")),
        }
    }

    fn readonly_buffer(&mut self) -> Result<()> {
        let vm = self.vm;
        let at = self.need(1)?;
        let view = vm.call_args(&MEMORYVIEW.value(), &[self.stack[at].clone()])?;
        let readonly = vm.get_attr_str(&view, "readonly")?;
        if !vm.is_true(&readonly)? {
            let readonly = vm.call_method(&view, "toreadonly", &[])?;
            let old = std::mem::replace(&mut self.stack[at], readonly);
            drop(old);
        }
        Ok(())
    }

    fn global(&mut self) -> Result<()> {
        let (module, name) = self.two_lines(Codec::Utf8)?;
        let class = self.find_class(&module, &name)?;
        self.push(class);
        Ok(())
    }

    /// The names of a module and of something in it, in lines.
    pub fn two_lines(&mut self, codec: Codec) -> Result<(Value, Value)> {
        let vm = self.vm;
        let mut names = [Value::NONE, Value::NONE];
        for name in &mut names {
            let line = self.input.line(vm, 1)?;
            *name = codecs::decode_native(vm, codec, line, 0, None, true)?.0.into_value();
        }
        let [module, name] = names;
        Ok((module, name))
    }

    fn stack_global(&mut self) -> Result<()> {
        let at = self.need(2)?;
        if self.stack[at..].iter().any(|name| name.downcast_exact::<Str>().is_none()) {
            return Err(unpickling_error(self.vm, "STACK_GLOBAL requires str"));
        }
        let (name, module) = (self.pop()?, self.pop()?);
        let class = self.find_class(&module, &name)?;
        self.push(class);
        Ok(())
    }

    pub fn find_class(&self, module: &Value, name: &Value) -> Result {
        match &self.find_class {
            Some(function) => self.vm.call_args(function, &[module.clone(), name.clone()]),
            None => find_class(self.vm, self.unpickler, module, name),
        }
    }

    /// Pushes the object with this code in the extension registry.
    fn extension(&mut self, code: i64) -> Result<()> {
        let vm = self.vm;
        let globals = globals::globals(vm)?;
        let key = Value::from(code);
        if let Some(object) = globals.extension_cache.get(vm, &key)? {
            self.push(object);
            return Ok(());
        }
        let Some(entry) = globals.inverted_registry.get(vm, &key)? else {
            return Err(match code {
                ..=0 => unpickling_error(vm, "EXT specifies code <= 0"),
                _ => vm.value_error(format!("unregistered extension code {code}")),
            });
        };
        let is_str = |value: &Value| value.downcast::<Str>().is_some();
        let object = match entry.downcast::<Tuple>().map(Tuple::as_slice) {
            Some([module, name]) if is_str(module) && is_str(name) => self.find_class(module, name)?,
            _ => {
                return Err(vm.value_error(format!("_inverted_registry[{code}] isn't a 2-tuple of strings")));
            }
        };
        globals.extension_cache.set(vm, &key, object.clone())?;
        self.push(object);
        Ok(())
    }
}

/// An int that was parsed.
fn from_int(n: Int) -> Value {
    match n {
        Int::Small(n) => Value::from(n),
        Int::Big(n) => int::from_ibig(n),
    }
}

/// Names the text with its line end in the message, as it stands in the pickle.
#[cold]
fn bad_literal(vm: &Vm, raised: Raised, shown: &[u8]) -> Raised {
    if !vm.pending_matches(&raised, exceptions::VALUE_ERROR.ty()) {
        return raised;
    }
    vm.discard(raised);
    match vm.repr_string(&Value::from(String::from_utf8_lossy(shown).into_owned())) {
        Ok(text) => vm.value_error(format!("invalid literal for int() with base 10: {text}")),
        Err(raised) => raised,
    }
}

#[cold]
fn invalid_code(vm: &Vm, code: u8) -> Raised {
    let shown = match code {
        b'\'' | b'\\' => format!("\\{}", char::from(code)),
        0x20..0x7f => char::from(code).to_string(),
        _ => format!("\\x{code:02x}"),
    };
    unpickling_error(vm, format!("invalid load key, '{shown}'."))
}
