//! `csv.writer`

use super::dialect::{Dialect, Parameters, Quoting};
use super::{dialect_argument, error};
use crate::payload::payload;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::{complex, list::List};
use taipan_object::exceptions;
use taipan_object::native::{MemberDef, MethodDef, arguments};
use taipan_object::text::Unit;
use taipan_object::text::builder::TextBuilder;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table, with_units};

payload! {
    pub struct Writer(WriterState): WRITER [write: Value, dialect: Ref<Dialect>] {}
}

pub static WRITER: TypeSpec = TypeSpec::new::<Writer>("_csv.writer")
    .doc("Writes CSV.\n\nIt formats records, which are iterables of fields, as CSV text and\nwrites them to a file.")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .methods(METHODS)
    .members(MEMBERS);

static MEMBERS: &[MemberDef] =
    &[MemberDef::new("dialect", "", |_, this| Ok(Writer::of(this).dialect.clone().into_value()))];

method_table! { static METHODS = [
    MethodDef::new("writerow($self, row, /)",
        "Write one record.\n\nFields are converted by str(), except that None is written as ''.",
        |vm, this, args| write_row(vm, Writer::of(this), &args[0])),
    MethodDef::new("writerows($self, rows, /)",
        "Write all records of an iterable.\n\nFields are converted by str(), except that None is written as ''.",
        |vm, this, args| {
            let writer = Writer::of(this);
            let rows = vm.iter(&args[0])?;
            while let Some(row) = vm.next(&rows)? {
                write_row(vm, writer, &row)?;
            }
            Ok(Value::NONE)
        }),
]; }

pub fn new(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    arguments::check_positional(vm, "writer", args.len() - keywords, 1, 2)?;
    let dialect = dialect_argument(vm, "writer", args, kwnames, 1)?;
    match vm.get_attr_str_opt(&args[0], "write")? {
        Some(write) if write.ty().slots().call.is_some() => {
            Ok(Writer::make(WRITER.ty(), write, dialect, WriterState {}))
        }
        _ => Err(vm.type_error("argument 1 must have a \"write\" method")),
    }
}

/// A record in the making.
struct Record<'a> {
    parameters: &'a Parameters,
    lineterminator: &'a Str,
    text: TextBuilder,
    fields: usize,
}

fn write_row(vm: &Vm, writer: &Writer, row: &Value) -> Result {
    let parameters = &writer.dialect.parameters;
    let mut record =
        Record { parameters, lineterminator: &writer.dialect.lineterminator, text: TextBuilder::new(), fields: 0 };
    let mut last_is_null = false;
    let mut add = |field: &Value| {
        last_is_null = field.is_none();
        record.field(vm, field)
    };
    if let Some(list) = row.downcast_exact::<List>() {
        let mut at = 0;
        while let Some(field) = list.get(at) {
            add(&field)?;
            at += 1;
        }
    } else {
        let fields = vm.iter(row).or_else(|raised| {
            vm.catch(raised, exceptions::type_error())?;
            Err(error(vm, format!("iterable expected, not {}", row.ty().name())))
        })?;
        while let Some(field) = vm.next(&fields)? {
            add(&field)?;
        }
    }
    if record.fields > 0 && record.text.len() == 0 {
        let quoting = parameters.quoting;
        if quoting == Quoting::None || last_is_null && matches!(quoting, Quoting::Strings | Quoting::NotNull) {
            return Err(error(vm, "single empty field record must be quoted"));
        }
        record.fields = 0;
        record.text_field(vm, None, true)?;
    }
    with_units!(record.lineterminator, |units| record.text.push_units(units));
    let line = Str::from_text(record.text.finish()).into_value();
    vm.call_args(&writer.write, &[line])
}

/// `PyNumber_Check`
fn is_number(value: &Value) -> bool {
    let slots = value.ty().slots();
    slots.index.is_some()
        || slots.int.is_some()
        || slots.float.is_some()
        || value.downcast::<complex::Complex>().is_some()
}

impl Record<'_> {
    fn field(&mut self, vm: &Vm, field: &Value) -> Result<()> {
        let quoted = match self.parameters.quoting {
            Quoting::NonNumeric => !is_number(field),
            Quoting::All => true,
            Quoting::Strings => field.downcast::<Str>().is_some(),
            Quoting::NotNull => !field.is_none(),
            Quoting::Minimal | Quoting::None => false,
        };
        if let Some(text) = field.downcast::<Str>() {
            return self.text_field(vm, Some(text), quoted);
        }
        if field.is_none() {
            return self.text_field(vm, None, quoted);
        }
        let text = vm.str(field)?;
        self.text_field(vm, text.downcast::<Str>(), quoted)
    }

    /// Adds a field; `None` is a missing value.
    fn text_field(&mut self, vm: &Vm, field: Option<&Str>, mut quoted: bool) -> Result<()> {
        let parameters = self.parameters;
        let empty = field.is_none_or(|field| field.len() == 0);
        if empty && parameters.delimiter == u32::from(b' ') && parameters.skipinitialspace {
            let null = field.is_none() && matches!(parameters.quoting, Quoting::Strings | Quoting::NotNull);
            if parameters.quoting == Quoting::None || null {
                return Err(error(
                    vm,
                    "empty field must be quoted if delimiter is a space and skipinitialspace is true",
                ));
            }
            quoted = true;
        }
        if self.fields > 0 {
            self.text.push(parameters.delimiter);
        }
        self.fields += 1;
        if let Some(field) = field {
            quoted |= with_units!(field, |units| self.needs_quotes(units));
        }
        let quote = parameters.quotechar.filter(|_| quoted);
        self.text.try_reserve(field.map_or(0, Str::len)).map_err(|_| vm.memory_error())?;
        if let Some(quote) = quote {
            self.text.push(quote);
        }
        if let Some(field) = field {
            let complete = with_units!(field, |units| self.contents(units));
            if !complete {
                return Err(error(vm, "need to escape, but no escapechar set"));
            }
        }
        if let Some(quote) = quote {
            self.text.push(quote);
        }
        Ok(())
    }

    /// Whether a character has a meaning in the format.
    fn is_special(&self, code: u32) -> bool {
        let parameters = self.parameters;
        code == parameters.delimiter
            || Some(code) == parameters.escapechar
            || Some(code) == parameters.quotechar
            || code == u32::from(b'\n')
            || code == u32::from(b'\r')
            || self.lineterminator.code_points().any(|c| c == code)
    }

    /// Whether a special character is escaped rather than quoted.
    fn is_escaped(&self, code: u32) -> bool {
        let parameters = self.parameters;
        parameters.quoting == Quoting::None
            || Some(code) == parameters.quotechar && !parameters.doublequote
            || Some(code) == parameters.escapechar && Some(code) != parameters.quotechar
    }

    fn needs_quotes<U: Unit>(&self, units: &[U]) -> bool {
        units.iter().any(|unit| self.is_special(unit.code()) && !self.is_escaped(unit.code()))
    }

    /// Adds the characters of a field; false if one must be escaped and cannot.
    fn contents<U: Unit>(&mut self, units: &[U]) -> bool {
        let mut start = 0;
        for (at, unit) in units.iter().enumerate() {
            let code = unit.code();
            if !self.is_special(code) {
                continue;
            }
            self.text.push_units(&units[start..at]);
            start = at;
            if self.is_escaped(code) {
                let Some(escape) = self.parameters.escapechar else { return false };
                self.text.push(escape);
            } else if Some(code) == self.parameters.quotechar {
                self.text.push(code);
            }
        }
        self.text.push_units(&units[start..]);
        true
    }
}
