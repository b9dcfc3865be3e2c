//! Writing of one object: dispatch by type, the simple types, and the memo.

use super::super::opcode::*;
use super::buffer::{self, PickleBuffer};
use super::output::Output;
use super::{Pickler, globals, pickling_error};
use std::collections::HashSet;
use taipan_object::buffer::Buffer;
use taipan_object::builtins::bytearray::{BYTEARRAY, ByteArray};
use taipan_object::builtins::bytes::{self, BYTES, Bytes};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::float::Float;
use taipan_object::builtins::int::{self, Operand};
use taipan_object::builtins::list::List;
use taipan_object::builtins::set::{FrozenSet, Set};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::{self, Tuple};
use taipan_object::text::codecs::raw_unicode_escape;
use taipan_object::text::float_repr;
use taipan_object::text::int_conversion::small_to_decimal;
use taipan_object::{Result, Value, Vm};

/// One run of a pickler.
pub struct Saver<'a> {
    pub vm: &'a Vm,
    pub pickler: &'a Pickler,
    pub output: Output,
    pub protocol: u8,
    pub bin: bool,
    pub fast: bool,
    pub fix_imports: bool,
    pub globals: &'static globals::Globals,
    persistent_id: Option<Value>,
    pub reducer_override: Option<Value>,
    pub dispatch_table: Option<Value>,
    /// How deep containers are nested, and beyond a limit which they are: without a memo recursion has no end.
    fast_nesting: usize,
    fast_memo: HashSet<u64>,
}

const FAST_NESTING_LIMIT: usize = 50;

impl<'a> Saver<'a> {
    pub fn new(vm: &'a Vm, this: &'a Value, output: Output) -> Result<Saver<'a>> {
        let pickler = Pickler::of(this);
        let persistent_id = pickler.persistent_id(vm, this)?;
        let reducer_override = match this.ty().is(&super::PICKLER) {
            true => None,
            false => vm.get_attr_str_opt(this, "reducer_override")?,
        };
        let (protocol, bin, fast, fix_imports, dispatch_table) = pickler.with(|state| {
            let dispatch_table = state.dispatch_table.clone();
            (state.protocol, state.bin != 0, state.fast != 0, state.fix_imports, dispatch_table)
        });
        let globals = globals::globals(vm)?;
        Ok(Saver {
            vm,
            pickler,
            output,
            protocol,
            bin,
            fast,
            fix_imports,
            globals,
            persistent_id,
            reducer_override,
            dispatch_table,
            fast_nesting: 0,
            fast_memo: HashSet::new(),
        })
    }

    /// Writes a whole pickle.
    pub fn dump(&mut self, object: &Value) -> Result<()> {
        if self.protocol >= 2 {
            self.output.code(PROTO, [self.protocol]);
        }
        if self.protocol >= 4 {
            self.output.start_framing();
        }
        self.save(object)?;
        self.output.byte(STOP);
        self.output.stop_framing();
        self.output.flush(self.vm)
    }

    pub fn save(&mut self, object: &Value) -> Result<()> {
        if self.persistent_id.is_some() && self.save_persistent(object)? {
            return Ok(());
        }
        self.save_itself(object)
    }

    /// Writes the object without asking for a persistent id.
    fn save_itself(&mut self, object: &Value) -> Result<()> {
        self.output.boundary(self.vm)?;
        if let Some(n) = object.as_small_int() {
            self.small_int(n);
            return Ok(());
        }
        if object.is_none() {
            self.output.byte(NONE);
            return Ok(());
        }
        if object.is_bool() {
            self.bool(object.is_true());
            return Ok(());
        }
        if let Some(f) = object.as_immediate_float() {
            self.float(f);
            return Ok(());
        }
        if let Some(float) = object.downcast_exact::<Float>() {
            self.float(float.value);
            return Ok(());
        }
        if int::is_exact(object) {
            return self.big_int(object);
        }
        if let Some(number) = self.memoized(object) {
            self.get(number);
            return Ok(());
        }
        if object.downcast_exact::<Str>().is_some() {
            return self.str(object);
        }
        if let Some(bytes) = object.downcast_exact::<Bytes>() {
            return self.bytes(object, bytes);
        }
        self.vm.check_stack(" while pickling an object")?;
        if let Some(list) = object.downcast_exact::<List>() {
            return self.list(object, list);
        }
        if let Some(dict) = object.downcast_exact::<Dict>() {
            return self.dict(object, dict);
        }
        if let Some(tuple) = object.downcast_exact::<Tuple>() {
            return self.tuple(object, tuple);
        }
        if object.downcast_exact::<Set>().is_some() {
            return self.set(object);
        }
        if object.downcast_exact::<FrozenSet>().is_some() {
            return self.frozenset(object);
        }
        if let Some(bytearray) = object.downcast_exact::<ByteArray>() {
            return self.bytearray(object, bytearray);
        }
        if let Some(buffer) = object.downcast_exact::<PickleBuffer>() {
            return self.pickle_buffer(object, buffer);
        }
        self.by_reduction(object)
    }

    /// Writes the persistent id of an object, if it has one.
    #[cold]
    fn save_persistent(&mut self, object: &Value) -> Result<bool> {
        let Some(function) = self.persistent_id.clone() else { return Ok(false) };
        let id = self.vm.call_args(&function, std::slice::from_ref(object))?;
        if id.is_none() {
            return Ok(false);
        }
        if self.bin {
            self.save_itself(&id)?;
            self.output.byte(BINPERSID);
            return Ok(true);
        }
        let text = self.vm.str(&id)?;
        let Some(ascii) = text.downcast::<Str>().and_then(Str::as_ascii) else {
            return Err(pickling_error(self.vm, "persistent IDs in protocol 0 must be ASCII strings"));
        };
        self.output.byte(PERSID);
        self.output.bytes(ascii.as_bytes());
        self.output.byte(b'\n');
        Ok(true)
    }

    /// The object's number in the memo.
    #[inline]
    pub fn memoized(&self, object: &Value) -> Option<u64> {
        self.pickler.with(|state| state.memo.get(object))
    }

    /// Gives the object a number, and says so.
    #[inline]
    pub fn memoize(&mut self, object: &Value) -> Result<()> {
        if self.fast {
            return Ok(());
        }
        let number = self.pickler.with(|state| {
            let number = state.memo.len() as u64;
            state.memo.put(object, number).map(|()| number)
        });
        let number = number.map_err(|_| self.vm.memory_error())?;
        match (self.protocol, self.bin, number) {
            (4.., _, _) => self.output.byte(MEMOIZE),
            (_, true, 0..256) => self.output.code(BINPUT, [number as u8]),
            (_, true, _) => self.output.code(LONG_BINPUT, (number as u32).to_le_bytes()),
            (_, false, _) => self.decimal_line(PUT, number as i64),
        }
        Ok(())
    }

    /// Refers to the object with this number.
    pub fn get(&mut self, number: u64) {
        match (self.bin, number) {
            (true, 0..256) => self.output.code(BINGET, [number as u8]),
            (true, _) => self.output.code(LONG_BINGET, (number as u32).to_le_bytes()),
            (false, _) => self.decimal_line(GET, number as i64),
        }
    }

    fn decimal_line(&mut self, code: u8, n: i64) {
        self.output.byte(code);
        self.output.bytes(small_to_decimal(n, &mut [0; 20]));
        self.output.byte(b'\n');
    }

    /// Enters a container; every success is followed by [`Saver::leave`].
    #[inline]
    pub fn enter(&mut self, object: &Value) -> Result<()> {
        if self.fast { self.enter_fast(object) } else { Ok(()) }
    }

    fn enter_fast(&mut self, object: &Value) -> Result<()> {
        self.fast_nesting += 1;
        if self.fast_nesting > FAST_NESTING_LIMIT && !self.fast_memo.insert(object.word()) {
            let (name, id) = (object.ty().name(), object.id());
            self.fast_nesting -= 1;
            return Err(self.vm.value_error(format!(
                "fast mode: can't pickle cyclic objects including object type {name} at {id:#x}"
            )));
        }
        Ok(())
    }

    #[inline]
    pub fn leave(&mut self, object: &Value) {
        if self.fast {
            if self.fast_nesting > FAST_NESTING_LIMIT {
                self.fast_memo.remove(&object.word());
            }
            self.fast_nesting -= 1;
        }
    }

    fn bool(&mut self, value: bool) {
        match (self.protocol >= 2, value) {
            (true, true) => self.output.byte(NEWTRUE),
            (true, false) => self.output.byte(NEWFALSE),
            (false, true) => self.output.bytes(b"I01\n"),
            (false, false) => self.output.bytes(b"I00\n"),
        }
    }

    #[inline]
    fn small_int(&mut self, n: i64) {
        match n {
            _ if !self.bin => self.decimal_int(n),
            0..=0xff => self.output.code(BININT1, [n as u8]),
            0..=0xffff => self.output.code(BININT2, (n as u16).to_le_bytes()),
            -0x8000_0000..=0x7fff_ffff => self.output.code(BININT, (n as i32).to_le_bytes()),
            _ if self.protocol >= 2 => {
                let bytes = n.to_le_bytes();
                self.output.byte(LONG1);
                let length = signed_length(&bytes);
                self.output.byte(length as u8);
                self.output.bytes(&bytes[..length]);
            }
            _ => self.decimal_int(n),
        }
    }

    fn decimal_int(&mut self, n: i64) {
        if i32::try_from(n).is_ok() {
            return self.decimal_line(INT, n);
        }
        self.output.byte(LONG);
        self.output.bytes(small_to_decimal(n, &mut [0; 20]));
        self.output.bytes(b"L\n");
    }

    fn big_int(&mut self, object: &Value) -> Result<()> {
        if self.protocol < 2 {
            let text = self.vm.repr(object)?;
            let digits = text.downcast::<Str>().and_then(Str::as_ascii).unwrap_or_default();
            self.output.byte(LONG);
            self.output.bytes(digits.as_bytes());
            self.output.bytes(b"L\n");
            return Ok(());
        }
        let bytes = match Operand::of(object) {
            Some(Operand::Big(n)) => n.to_le_bytes(),
            Some(Operand::Small(n)) => n.to_le_bytes().into(),
            None => return Ok(()),
        };
        let length = signed_length(&bytes);
        match u8::try_from(length) {
            Ok(length) => self.output.code(LONG1, [length]),
            Err(_) if length > i32::MAX as usize => {
                return Err(self.vm.overflow_error("int too large to pickle"));
            }
            Err(_) => self.output.code(LONG4, (length as u32).to_le_bytes()),
        }
        self.output.bytes(&bytes[..length]);
        Ok(())
    }

    fn float(&mut self, f: f64) {
        if self.bin {
            return self.output.code(BINFLOAT, f.to_be_bytes());
        }
        self.output.byte(FLOAT);
        self.output.bytes(float_repr::repr(f).as_bytes());
        self.output.byte(b'\n');
    }

    fn str(&mut self, object: &Value) -> Result<()> {
        let Some(text) = object.downcast::<Str>() else { return Ok(()) };
        if !self.bin {
            self.str_line(text);
        } else if let Some(ascii) = text.as_ascii() {
            self.utf8(ascii.as_bytes())?;
        } else {
            self.utf8(&text.to_wtf8())?;
        }
        self.memoize(object)
    }

    #[inline]
    fn utf8(&mut self, bytes: &[u8]) -> Result<()> {
        let length = bytes.len();
        if length <= 0xff && self.protocol >= 4 {
            self.output.code(SHORT_BINUNICODE, [length as u8]);
            self.output.bytes(bytes);
            return Ok(());
        }
        self.counted(BINUNICODE, BINUNICODE8, bytes, None, "cannot serialize a string larger than 4 GiB")
    }

    /// A payload whose length takes four bytes, or eight with protocol 4.
    fn counted(&mut self, code: u8, long: u8, bytes: &[u8], object: Option<&Value>, too_large: &str) -> Result<()> {
        let length = bytes.len();
        let mut header = [code, 0, 0, 0, 0, 0, 0, 0, 0];
        let size = match u32::try_from(length) {
            Ok(length) => {
                header[1..5].copy_from_slice(&length.to_le_bytes());
                5
            }
            Err(_) if self.protocol >= 4 => {
                header[0] = long;
                header[1..].copy_from_slice(&(length as u64).to_le_bytes());
                9
            }
            Err(_) => return Err(self.vm.overflow_error(too_large)),
        };
        self.output.payload(self.vm, &header[..size], bytes, object)
    }

    /// Protocol 0: one line, in which some characters besides those beyond Latin-1 are escapes.
    fn str_line(&mut self, text: &Str) {
        self.output.byte(UNICODE);
        let mut line = Vec::new();
        for code in text.code_points() {
            match code {
                0x5c | 0 | 0x0a | 0x0d | 0x1a => line.extend_from_slice(format!("\\u{code:04x}").as_bytes()),
                _ => raw_unicode_escape::encode(&[code], &mut line),
            }
        }
        self.output.bytes(&line);
        self.output.byte(b'\n');
    }

    fn bytes(&mut self, object: &Value, bytes: &Bytes) -> Result<()> {
        if self.protocol >= 3 {
            return self.bytes_data(object, bytes.as_slice(), Some(object));
        }
        if bytes.as_slice().is_empty() {
            return self.reduce_simply(object, &BYTES.value(), tuple::empty().into_value());
        }
        let text = Str::from_latin1(bytes.as_slice()).into_value();
        let args = Tuple::from_array([text, Value::from("latin1")]).into_value();
        self.reduce_simply(object, &self.globals.codecs_encode, args)
    }

    fn bytes_data(&mut self, object: &Value, bytes: &[u8], whole: Option<&Value>) -> Result<()> {
        match u8::try_from(bytes.len()) {
            Ok(length) => {
                self.output.code(SHORT_BINBYTES, [length]);
                self.output.bytes(bytes);
            }
            Err(_) => {
                let too_large = "cannot serialize a bytes object larger than 4 GiB";
                self.counted(BINBYTES, BINBYTES8, bytes, whole, too_large)?;
            }
        }
        self.memoize(object)
    }

    fn bytearray(&mut self, object: &Value, bytearray: &ByteArray) -> Result<()> {
        if self.protocol >= 5 {
            let data = bytearray.to_vec(self.vm)?;
            return self.bytearray_data(object, &data);
        }
        let args = match bytearray.len() {
            0 => tuple::empty().into_value(),
            _ => Tuple::from_array([bytes::from_slice(self.vm, &bytearray.to_vec(self.vm)?)?]).into_value(),
        };
        self.reduce_simply(object, &BYTEARRAY.value(), args)
    }

    fn bytearray_data(&mut self, object: &Value, data: &[u8]) -> Result<()> {
        let mut header = [BYTEARRAY8, 0, 0, 0, 0, 0, 0, 0, 0];
        header[1..].copy_from_slice(&(data.len() as u64).to_le_bytes());
        self.output.payload(self.vm, &header, data, None)?;
        self.memoize(object)
    }

    fn pickle_buffer(&mut self, object: &Value, buffer: &PickleBuffer) -> Result<()> {
        let vm = self.vm;
        if self.protocol < 5 {
            return Err(pickling_error(vm, "PickleBuffer can only be pickled with protocol >= 5"));
        }
        let view: Buffer = buffer.view(vm)?;
        if !buffer::is_contiguous(&view) {
            let message = "PickleBuffer can not be pickled when pointing to a non-contiguous buffer";
            return Err(pickling_error(vm, message));
        }
        let callback = self.pickler.with(|state| state.buffer_callback.clone());
        let in_band = match callback {
            None => true,
            Some(callback) => {
                let answer = vm.call_args(&callback, std::slice::from_ref(object))?;
                vm.is_true(&answer)?
            }
        };
        match (in_band, view.readonly) {
            (true, true) => self.bytes_data(object, view.as_slice(), None)?,
            (true, false) => self.bytearray_data(object, &view.to_vec(self.vm)?)?,
            (false, readonly) => {
                self.output.byte(NEXT_BUFFER);
                if readonly {
                    self.output.byte(READONLY_BUFFER);
                }
            }
        }
        Ok(())
    }

    /// Writes an object that a call makes anew.
    fn reduce_simply(&mut self, object: &Value, function: &Value, args: Value) -> Result<()> {
        let reduction = Tuple::from_array([function.clone(), args]);
        self.reduction(&reduction, Some(object))
    }

    /// As [`Saver::reduce_simply`], with one argument.
    pub fn reduce_with(&mut self, object: &Value, function: &Value, argument: Value) -> Result<()> {
        self.reduce_simply(object, function, Tuple::from_array([argument]).into_value())
    }
}

/// How many bytes a number in two's complement needs, the lowest first; none for zero.
fn signed_length(bytes: &[u8]) -> usize {
    let filler = if bytes.last().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
    let mut length = bytes.len();
    while length > 0 && bytes[length - 1] == filler {
        length -= 1;
    }
    // The top bit is the sign.
    match bytes[..length].last() {
        Some(byte) if (*byte >= 0x80) == (filler == 0xff) => length,
        None if filler == 0 => 0,
        _ => length + 1,
    }
}
