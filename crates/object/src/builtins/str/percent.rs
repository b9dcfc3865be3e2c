//! `%`-formatting of `str`, and the arguments that `bytes` formatting shares.

use super::{Data, Str};
use crate::builtins::bytes;
use crate::builtins::float;
use crate::builtins::int::{self, Operand};
use crate::builtins::tuple::Tuple;
use crate::exceptions;
use crate::object::Result;
use crate::text::builder::{Sink, TextBuilder};
use crate::text::int_conversion;
use crate::text::percent_format::{
    self, Directive, Flavor, not_all_converted, not_enough_arguments, parse_directive, star_wants_int,
};
use crate::text::{TextError, Unit};
use crate::value::Value;
use crate::vm::{Raised, Vm};
use crate::with_units;
use std::mem::MaybeUninit;

/// The right operand of `%`.
pub(crate) struct Arguments<'a> {
    vm: &'a Vm,
    /// The items of a tuple, or the one value.
    items: &'a [Value],
    next: usize,
    /// The operand, if `%(key)` may be looked up in it.
    mapping: Option<&'a Value>,
    /// The value of the last `%(key)`, not yet used.
    keyed: Option<Value>,
    used_mapping: bool,
    is_tuple: bool,
    bytes_keys: bool,
}

/// An exception in flight, or an error of the parser.
pub(crate) enum Failure {
    Raised(Raised),
    Text(TextError),
}
impl From<TextError> for Failure {
    fn from(error: TextError) -> Failure {
        Failure::Text(error)
    }
}

impl<'a> Arguments<'a> {
    pub fn new(vm: &'a Vm, operand: &'a Value, flavor: Flavor) -> Arguments<'a> {
        let tuple = operand.downcast::<Tuple>();
        let is_text = match flavor {
            Flavor::Str => operand.downcast::<Str>().is_some(),
            Flavor::Bytes => {
                operand.downcast::<Str>().is_some() || bytes::is_bytes(operand) || bytes::is_bytearray(operand)
            }
        };
        let is_mapping = operand.ty().slots().subscript.is_some() && tuple.is_none() && !is_text;
        Arguments {
            vm,
            items: tuple.map_or(std::slice::from_ref(operand), Tuple::as_slice),
            next: 0,
            mapping: if is_mapping { Some(operand) } else { None },
            keyed: None,
            used_mapping: false,
            is_tuple: tuple.is_some(),
            bytes_keys: flavor == Flavor::Bytes,
        }
    }

    /// The next value to convert.
    pub fn take(&mut self) -> Result {
        if let Some(value) = self.keyed.take() {
            return Ok(value);
        }
        match self.items.get(self.next) {
            Some(value) if !self.used_mapping => {
                self.next += 1;
                Ok(value.clone())
            }
            _ => Err(self.vm.text_error(not_enough_arguments())),
        }
    }

    /// What `take` would return, if that is one of the items.
    fn peek(&self) -> Option<&'a Value> {
        if self.keyed.is_some() || self.used_mapping { None } else { self.items.get(self.next) }
    }

    /// Drops the value of a `%(key)` that no conversion uses.
    pub fn forget_key(&mut self) {
        self.keyed = None;
    }

    /// Raises if arguments are left over.
    pub fn finish(&self, flavor: Flavor) -> Result<()> {
        let all_used = self.next >= self.items.len() || self.used_mapping;
        if all_used || !self.is_tuple && self.mapping.is_some() {
            return Ok(());
        }
        Err(self.vm.text_error(not_all_converted(flavor)))
    }

    fn star(&mut self) -> std::result::Result<Value, Failure> {
        let value = self.take().map_err(Failure::Raised)?;
        if int::is_int(&value) { Ok(value) } else { Err(star_wants_int().into()) }
    }
}

impl<U: Unit> percent_format::Arguments<U> for Arguments<'_> {
    type Error = Failure;

    fn key(&mut self, key: &[U]) -> std::result::Result<(), Failure> {
        let Some(mapping) = self.mapping else { return Ok(()) };
        let key = if self.bytes_keys {
            let key: Vec<u8> = key.iter().map(|unit| unit.code() as u8).collect();
            bytes::from_slice(self.vm, &key).map_err(Failure::Raised)?
        } else {
            let mut out = TextBuilder::new();
            out.push_units(key);
            Str::from_text(out.finish()).into_value()
        };
        self.keyed = Some(self.vm.get_item(mapping, &key).map_err(Failure::Raised)?);
        self.used_mapping = true;
        Ok(())
    }

    fn is_mapping(&self) -> bool {
        self.mapping.is_some()
    }

    fn star_width(&mut self) -> std::result::Result<isize, Failure> {
        let value = self.star()?;
        match int::to_i64(&value) {
            Some(width) => Ok(width as isize),
            None => Err(Failure::Raised(self.vm.overflow_error("Python int too large to convert to C ssize_t"))),
        }
    }

    fn star_precision(&mut self) -> std::result::Result<i32, Failure> {
        let value = self.star()?;
        match int::to_i64(&value).map(i32::try_from) {
            Some(Ok(precision)) => Ok(precision),
            _ => Err(Failure::Raised(self.vm.overflow_error("Python int too large to convert to C int"))),
        }
    }
}

/// Parses the directive at `at`.
pub(crate) fn directive<U: Unit>(
    vm: &Vm,
    units: &[U],
    at: &mut usize,
    flavor: Flavor,
    arguments: &mut Arguments,
) -> Result<Directive> {
    match parse_directive(units, at, flavor, arguments) {
        Ok(directive) => Ok(directive),
        Err(Failure::Raised(raised)) => Err(raised),
        Err(Failure::Text(error)) => Err(vm.text_error(error)),
    }
}

/// Writes a value for one of the types `d i u o x X`.
pub(crate) fn write_int(vm: &Vm, directive: &Directive, value: &Value, out: &mut impl Sink) -> Result<()> {
    let kind = directive.kind_byte();
    let number = if int::is_int(value) {
        value.clone()
    } else {
        let converted = match kind {
            b'o' | b'x' | b'X' => {
                if value.ty().slots().index.is_some() {
                    Some(vm.index(value))
                } else {
                    None
                }
            }
            _ => {
                let slots = value.ty().slots();
                if slots.int.is_some() || slots.index.is_some() {
                    Some(int::construct::from_value(vm, value))
                } else {
                    None
                }
            }
        };
        let wrong = || {
            let noun = if matches!(kind, b'o' | b'x' | b'X') { "an integer" } else { "a real number" };
            let name = value.ty().name();
            vm.type_error(format!("%{} format: {noun} is required, not {name}", kind as char))
        };
        match converted {
            Some(Ok(number)) => number,
            Some(Err(raised)) => {
                vm.catch(raised, exceptions::type_error())?;
                return Err(wrong());
            }
            None => return Err(wrong()),
        }
    };
    let Some(number) = Operand::of(&number) else { return Ok(()) };
    let digits = int::format::digits(vm, number, directive.base())?;
    directive.write_int(number.is_negative(), &digits, out).map_err(|error| vm.text_error(error))
}

/// Writes a value for one of the types `e E f F g G`.
pub(crate) fn write_float(vm: &Vm, directive: &Directive, value: &Value, out: &mut impl Sink) -> Result<()> {
    let f = float::as_f64(vm, value)?;
    directive.write_float(f, out).map_err(|error| vm.text_error(error))
}

/// The `%` operator: `left` is the format.
pub(super) fn remainder(vm: &Vm, left: &Value, right: &Value) -> Result {
    if left.downcast::<Str>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    format(vm, left, right)
}

/// `text % operand`
pub fn format(vm: &Vm, text: &Value, operand: &Value) -> Result {
    let Some(text) = text.downcast::<Str>() else { return Ok(Value::NOT_IMPLEMENTED) };
    if let Data::Ascii(units) = text.data()
        && let Some(short) = format_shortly(units, operand)
    {
        return Ok(short);
    }
    let mut out = TextBuilder::with_capacity(text.len() + 16);
    let mut arguments = Arguments::new(vm, operand, Flavor::Str);
    with_units!(text, |units| write(vm, units, &mut arguments, &mut out))?;
    arguments.finish(Flavor::Str)?;
    let text = Str::from_text(out.finish());
    vm.check_memory()?;
    Ok(text.into_value())
}

fn write<U: Unit>(vm: &Vm, units: &[U], arguments: &mut Arguments, out: &mut TextBuilder) -> Result<()> {
    let mut at = 0;
    while let Some(length) = find_percent(&units[at..]) {
        out.push_units(&units[at..at + length]);
        at += length + 1;
        if let (Some(kind), Some(value)) = (units.get(at), arguments.peek())
            && write_simply(kind.code(), value, out)
        {
            arguments.next += 1;
            at += 1;
            continue;
        }
        let directive = directive(vm, units, &mut at, Flavor::Str, arguments)?;
        if directive.is_percent() {
            arguments.forget_key();
            out.push(b'%' as u32);
            continue;
        }
        let value = arguments.take()?;
        write_value(vm, &directive, &value, out)?;
    }
    out.push_units(&units[at..]);
    Ok(())
}

fn find_percent<U: Unit>(units: &[U]) -> Option<usize> {
    match U::as_bytes(units) {
        Some(bytes) => memchr::memchr(b'%', bytes),
        None => units.iter().position(|unit| unit.code() == b'%' as u32),
    }
}

/// The longest text that [`format_shortly`] makes.
const SHORT: usize = 160;

/// ASCII text in the making, of limited length.
struct ShortText {
    text: [MaybeUninit<u8>; SHORT],
    length: usize,
}

impl ShortText {
    #[inline(always)]
    fn push(&mut self, byte: u8) -> Option<()> {
        self.text.get_mut(self.length)?.write(byte);
        self.length += 1;
        Some(())
    }

    #[inline(always)]
    fn push_all(&mut self, bytes: &[u8]) -> Option<()> {
        self.text.get_mut(self.length..self.length + bytes.len())?.write_copy_of_slice(bytes);
        self.length += bytes.len();
        Some(())
    }

    fn as_slice(&self) -> &[u8] {
        // SAFETY: so many bytes have been written, from the first on.
        unsafe { self.text[..self.length].assume_init_ref() }
    }
}

/// The formatted text in one pass, if it is short and takes no more than `%s` and `%d` of ASCII strings and small ints: most
/// texts do. `None` if not, and nothing has happened.
fn format_shortly(format: &[u8], operand: &Value) -> Option<Value> {
    let items = match operand.downcast_exact::<Tuple>() {
        Some(tuple) => tuple.as_slice(),
        None if operand.is_small_int() || operand.downcast_exact::<Str>().is_some() => std::slice::from_ref(operand),
        None => return None,
    };
    if let (b"%s", [item]) = (format, items)
        && item.downcast_exact::<Str>().is_some()
    {
        // The string itself, as in CPython.
        return Some(item.clone());
    }
    let mut text = ShortText { text: [const { MaybeUninit::uninit() }; SHORT], length: 0 };
    let (mut units, mut items) = (format.iter(), items.iter());
    while let Some(&unit) = units.next() {
        if unit != b'%' {
            text.push(unit)?;
            continue;
        }
        let kind @ (b's' | b'd') = *units.next()? else { return None };
        let item = items.next()?;
        if let Some(n) = item.as_small_int() {
            text.push_all(int_conversion::small_to_decimal(n, &mut [0; 20]))?;
        } else if kind == b's' {
            text.push_all(item.downcast_exact::<Str>()?.as_ascii()?.as_bytes())?;
        } else {
            return None;
        }
    }
    items.next().is_none().then(|| Str::from_ascii(text.as_slice()).into_value())
}

/// Writes a value for a directive that is nothing but its type, in the cases that need no more than that; false in others.
fn write_simply(kind: u32, value: &Value, out: &mut TextBuilder) -> bool {
    match u8::try_from(kind) {
        Ok(b's' | b'd') if value.is_small_int() => {
            let mut buffer = [0; 20];
            let n = value.as_small_int().unwrap_or(0);
            out.push_ascii(int_conversion::small_to_decimal(n, &mut buffer));
            true
        }
        Ok(b's') => match value.downcast_exact::<Str>() {
            Some(text) => {
                text.push_to(out);
                true
            }
            None => false,
        },
        _ => false,
    }
}

fn write_value(vm: &Vm, directive: &Directive, value: &Value, out: &mut TextBuilder) -> Result<()> {
    let write_text = |text: &Value, out: &mut TextBuilder| match text.downcast::<Str>() {
        Some(text) => with_units!(text, |units| directive.write_text(units, out)).map_err(|error| vm.text_error(error)),
        None => Ok(()),
    };
    match directive.kind_byte() {
        b's' => write_text(&vm.str(value)?, out),
        b'r' => write_text(&vm.repr(value)?, out),
        b'a' => write_text(&super::repr::ascii(&vm.repr(value)?), out),
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => write_int(vm, directive, value, out),
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => write_float(vm, directive, value, out),
        b'c' => {
            let code = character(vm, value)?;
            directive.write_character(code, out).map_err(|error| vm.text_error(error))
        }
        _ => Err(vm.text_error(directive.unsupported(Flavor::Str))),
    }
}

/// The code point that `%c` gets.
fn character(vm: &Vm, value: &Value) -> Result<u32> {
    if let Some(text) = value.downcast::<Str>() {
        return match text.len() {
            1 => Ok(text.at(0)),
            length => {
                Err(vm
                    .type_error(format!("%c requires an int or a unicode character, not a string of length {length}")))
            }
        };
    }
    let index = if value.ty().slots().index.is_some() { vm.index(value) } else { Err(vm.type_error("")) };
    let index = match index {
        Ok(index) => index,
        Err(raised) => {
            vm.catch(raised, crate::exceptions::type_error())?;
            let name = value.ty().qualified_name();
            return Err(vm.type_error(format!("%c requires an int or a unicode character, not {name}")));
        }
    };
    match int::to_i64(&index) {
        Some(code @ 0..0x110000) => Ok(code as u32),
        _ => Err(vm.overflow_error("%c arg not in range(0x110000)")),
    }
}
