//! `_io.StringIO`: a text stream in memory.

mod methods;
mod text_buffer;

use super::bases::TEXT_IO_BASE;
use super::iobase::of_subclass;
use super::newline_decoder::Newlines;
use super::text_io_wrapper::lines::{LineEnds, find_line_end};
use crate::payload::{Field, class_of, payload, signature};
use taipan_object::builtins::str::Str;
use taipan_object::object::Visitor;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};
use text_buffer::TextBuffer;

payload! {
    /// `newlines` translates what is written, with newline=None or '' (`universal`); `written_end` is what a `\n`
    /// becomes, `line_ends` what ends a line.
    pub struct StringIo(StringIoState): STRING_IO finalized if of_subclass {
        text: TextBuffer,
        position: usize,
        ok: bool,
        closed: bool,
        newline: Value,
        universal: bool,
        newlines: Newlines,
        written_end: Option<Value>,
        line_ends: LineEnds,
    }
}

impl Field for TextBuffer {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}
impl Field for LineEnds {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        *self
    }
}

pub static STRING_IO: TypeSpec = TypeSpec::new::<StringIo>("_io.StringIO")
    .doc(
        "StringIO(initial_value='', newline='\\n')\n--\n\nText I/O implementation using an in-memory buffer.\n\nThe newline \
         argument is that of TextIOWrapper, except that by default nothing is translated.",
    )
    .base(&TEXT_IO_BASE)
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| {
            let state = StringIoState {
                text: TextBuffer::default(),
                position: 0,
                ok: false,
                closed: false,
                newline: Value::NONE,
                universal: false,
                newlines: Newlines::default(),
                written_end: None,
                line_ends: LineEnds::default(),
            };
            Ok(StringIo::make(class_of(class), state))
        });
        s.init = Some(init);
        s.iternext = Some(next);
    })
    .methods(methods::METHODS)
    .getset(methods::GETSET);

signature!(INIT = "StringIO(initial_value='', newline='\\n')");

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let bound = INIT.bind(vm, args, kwnames)?;
    StringIo::of(this).initialize(vm, &bound[0], &bound[1])
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let own = StringIo::of(this);
    own.check_open(vm)?;
    let line = if this.ty().is(&STRING_IO) {
        own.take_line(-1)
    } else {
        let line = vm.call_method_name(this, &super::names::names().readline, &[])?;
        if line.downcast::<Str>().is_none() {
            let got = line.ty().name();
            return Err(super::os_error(vm, format!("readline() should have returned a str object, not '{got}'")));
        }
        line
    };
    let empty = line.downcast::<Str>().is_some_and(|line| line.len() == 0);
    Ok(if empty { None } else { Some(line) })
}

impl StringIo {
    fn initialize(&self, vm: &Vm, initial: &Value, newline: &Value) -> Result<()> {
        self.with(|state| state.ok = false);
        let ends = match newline.given() {
            None => None,
            Some(newline) => match newline.downcast::<Str>() {
                Some(text) => Some(text.to_string_lossy()),
                None => {
                    let got = newline.ty().name();
                    return Err(vm.type_error(format!("newline must be str or None, not {got}")));
                }
            },
        };
        if ends.as_deref().is_some_and(|ends| !matches!(ends, "" | "\n" | "\r" | "\r\n")) {
            return Err(vm.value_error(format!("illegal newline value: {}", vm.repr_string(newline)?)));
        }
        if let Some(initial) = initial.given()
            && initial.downcast::<Str>().is_none()
        {
            let got = initial.ty().name();
            return Err(vm.type_error(format!("initial_value must be str or None, not {got}")));
        }
        let written_end = ends.as_deref().filter(|ends| ends.starts_with('\r')).map(Value::from);
        let universal = ends.as_deref().is_none_or(str::is_empty);
        let translate = ends.is_none();
        let old = self.with(|state| {
            state.position = 0;
            state.closed = false;
            state.universal = universal;
            state.newlines = Newlines::new(translate);
            state.line_ends = LineEnds::new(ends.as_deref());
            state.ok = true;
            (
                std::mem::take(&mut state.text),
                std::mem::replace(&mut state.newline, newline.clone()),
                std::mem::replace(&mut state.written_end, written_end),
            )
        });
        drop(old);
        if let Some(initial) = initial.given() {
            self.write(vm, initial)?;
            self.with(|state| state.position = 0);
        }
        Ok(())
    }

    fn check_initialized(&self, vm: &Vm) -> Result<()> {
        if self.with(|state| state.ok) {
            return Ok(());
        }
        Err(vm.value_error("I/O operation on uninitialized object"))
    }

    fn check_open(&self, vm: &Vm) -> Result<()> {
        self.check_initialized(vm)?;
        if self.with(|state| state.closed) { Err(vm.value_error("I/O operation on closed file")) } else { Ok(()) }
    }

    /// Writes a str at the position.
    fn write(&self, vm: &Vm, text: &Value) -> Result<()> {
        let own = text.downcast_ref::<Str>().expect("the caller has checked that it is a str");
        let (universal, written_end) = self.with(|state| (state.universal, state.written_end.clone()));
        let mut text = own;
        if universal {
            let mut newlines = self.with(|state| state.newlines);
            text = newlines.decode(text, true);
            self.with(|state| state.newlines = newlines);
        }
        let replaced;
        if let Some(end) = written_end
            && let Some(end) = end.downcast::<Str>()
        {
            let newline = taipan_object::builtins::str::intern("\n");
            replaced = taipan_object::builtins::str::join::replace(vm, text.as_value(), &newline, end, usize::MAX)?;
            text = replaced.downcast_ref::<Str>().unwrap_or(text);
        }
        let done = self.with(|state| {
            let written = state.text.write(state.position, &text);
            if let Some(end) = written {
                state.position = end;
            }
            written.is_some()
        });
        if done { Ok(()) } else { Err(vm.memory_error()) }
    }

    /// The next `size` characters.
    fn take(&self, size: usize) -> Value {
        self.with(|state| {
            let length = state.text.len();
            let start = state.position.min(length);
            let end = start.saturating_add(size).min(length);
            if end > start {
                state.position = end;
            }
            state.text.slice(start, end).into_value()
        })
    }

    /// The next line, at most `limit` characters if that is not negative.
    fn take_line(&self, limit: i64) -> Value {
        let length = self.with(|state| {
            let length = state.text.len();
            let start = state.position.min(length);
            let end = if limit < 0 { length } else { start.saturating_add(limit as usize).min(length) };
            let found = state.text.with_units(|data| find_line_end(&state.line_ends, data, start, end));
            found.unwrap_or(end) - start
        });
        self.take(length)
    }
}
