//! `str.format`, `format_map` and `__format__`.

use super::Str;
use crate::builtins::dict::Dict;
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::text::builder::TextBuilder;
use crate::text::format_spec::FormatSpec;
use crate::text::format_spec::render::render_str;
use crate::text::format_string::{
    Access, AutoNumber, Field, Key, MarkupIterator, recursion_exceeded, split_field_name, unknown_conversion,
};
use crate::text::{TextError, Unit};
use crate::value::Value;
use crate::vm::Vm;
use crate::with_units;
use std::borrow::Cow;

/// Where fields get their values from.
struct Arguments<'a> {
    /// `None`: `format_map`, which has no positional arguments.
    positional: Option<&'a [Value]>,
    keywords: Keywords<'a>,
    auto_number: AutoNumber,
}

/// Where names are looked up.
enum Keywords<'a> {
    /// The keyword arguments of the call: names, and their values.
    Given(&'a [Value], &'a [Value]),
    Mapping(&'a Value),
}

pub(super) fn format_method(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let names = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[][..], Tuple::as_slice);
    let (positional, values) = args.split_at(args.len() - names.len());
    let keywords = Keywords::Given(names, values);
    let mut arguments = Arguments { positional: Some(positional), keywords, auto_number: AutoNumber::default() };
    format_text(vm, this, &mut arguments)
}

pub(super) fn format_map(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let keywords = Keywords::Mapping(&args[0]);
    let mut arguments = Arguments { positional: None, keywords, auto_number: AutoNumber::default() };
    format_text(vm, this, &mut arguments)
}

fn format_text(vm: &Vm, this: &Value, arguments: &mut Arguments) -> Result {
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    let mut out = TextBuilder::with_capacity(text.len() + 16);
    with_units!(text, |units| write_markup(vm, units, arguments, 2, &mut out))?;
    Ok(Str::from_text(out.finish()).into_value())
}

/// A part of a format string as a str.
fn text_of<U: Unit>(units: &[U]) -> Value {
    if units.is_empty() {
        return super::empty();
    }
    let mut out = TextBuilder::with_capacity(units.len());
    out.push_units(units);
    Str::from_text(out.finish()).into_value()
}

fn write_markup<U: Unit>(
    vm: &Vm,
    units: &[U],
    arguments: &mut Arguments,
    depth: u32,
    out: &mut TextBuilder,
) -> Result<()> {
    if depth == 0 {
        return Err(vm.text_error(recursion_exceeded()));
    }
    for markup in MarkupIterator::new(units) {
        let markup = markup.map_err(|error| vm.text_error(error))?;
        out.push_units(markup.literal);
        if let Some(field) = markup.field {
            write_field(vm, &field, arguments, depth, out)?;
        }
    }
    Ok(())
}

fn write_field<U: Unit>(
    vm: &Vm,
    field: &Field<U>,
    arguments: &mut Arguments,
    depth: u32,
    out: &mut TextBuilder,
) -> Result<()> {
    let mut value = field_value(vm, field.name, arguments)?;
    if let Some(conversion) = field.conversion {
        value = match u8::try_from(conversion) {
            Ok(b'r') => vm.repr(&value)?,
            Ok(b's') => vm.str(&value)?,
            Ok(b'a') => super::repr::ascii(&vm.repr(&value)?),
            _ => return Err(vm.text_error(unknown_conversion(conversion))),
        };
    }
    if field.spec.is_empty()
        && let Some(text) = value.downcast_exact::<Str>()
    {
        if out.try_reserve(text.len()).is_err() {
            return Err(vm.memory_error());
        }
        text.push_to(out);
        return Ok(());
    }
    let spec = if field.spec_needs_expanding {
        let mut expanded = TextBuilder::new();
        write_markup(vm, field.spec, arguments, depth - 1, &mut expanded)?;
        Str::from_text(expanded.finish()).into_value()
    } else {
        text_of(field.spec)
    };
    let formatted = vm.format(&value, &spec)?;
    if let Some(text) = formatted.downcast::<Str>() {
        if out.try_reserve(text.len()).is_err() {
            return Err(vm.memory_error());
        }
        text.push_to(out);
    }
    Ok(())
}

/// The value that a field name means.
fn field_value<U: Unit>(vm: &Vm, name: &[U], arguments: &mut Arguments) -> Result {
    let fail = |error: TextError| vm.text_error(error);
    let (first, rest) = split_field_name(name).map_err(fail)?;
    let index = arguments.auto_number.index(first).map_err(fail)?;
    let mut value = match (index, first) {
        (Some(index), _) => {
            let Some(positional) = arguments.positional else {
                return Err(vm.value_error("Format string contains positional fields"));
            };
            match positional.get(index) {
                Some(value) => value.clone(),
                None => {
                    let message = format!("Replacement index {index} out of range for positional args tuple");
                    return Err(vm.index_error(message));
                }
            }
        }
        (None, Key::Name(name)) => keyword(vm, arguments, &text_of(name))?,
        (None, Key::Index(_)) => unreachable!("an index is numbered"),
    };
    for access in rest {
        value = match access.map_err(fail)? {
            Access::Attribute(name) => {
                let name = vm.attribute_name(&text_of(name))?;
                vm.get_attr(&value, &name)?
            }
            Access::Item(Key::Index(index)) => vm.get_item(&value, &Value::from(index))?,
            Access::Item(Key::Name(name)) => vm.get_item(&value, &text_of(name))?,
        };
    }
    Ok(value)
}

fn keyword(vm: &Vm, arguments: &Arguments, name: &Value) -> Result {
    let keywords = match arguments.keywords {
        Keywords::Given(names, values) => {
            return match names.iter().position(|known| Str::same(known, name)) {
                Some(at) => Ok(values[at].clone()),
                None => Err(vm.key_error(name)),
            };
        }
        Keywords::Mapping(mapping) => mapping,
    };
    if let Some(dict) = keywords.downcast_exact::<Dict>() {
        return match dict.get(vm, name)? {
            Some(value) => Ok(value),
            None => Err(vm.key_error(name)),
        };
    }
    vm.get_item(keywords, name)
}

/// `str.__format__`
pub(crate) fn format_self(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let spec = vm.expect_str_argument(&args[0], |name| format!("__format__() argument must be str, not {name}"))?;
    if spec.len() == 0 {
        return if this.downcast_exact::<Str>().is_some() { Ok(this.clone()) } else { vm.str(this) };
    }
    let Some(text) = this.downcast::<Str>() else { return Ok(Value::NONE) };
    let type_name: Cow<str> =
        if this.downcast_exact::<Str>().is_some() { "str".into() } else { this.ty().name().into() };
    let parsed = with_units!(spec, |units| FormatSpec::parse_str(units, &type_name));
    let parsed = parsed.map_err(|error| vm.text_error(error))?;
    let mut out = TextBuilder::new();
    match with_units!(text, |units| render_str(&parsed, units, &type_name, &mut out)) {
        Ok(()) => Ok(Str::from_text(out.finish()).into_value()),
        Err(error) => Err(vm.text_error(error)),
    }
}
