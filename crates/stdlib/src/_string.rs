//! `_string`: the parts of format strings, for `string.Formatter`.

use crate::payload::payload;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::text::builder::TextBuilder;
use taipan_object::text::format_string::{Access, FieldNameIterator, Key, Markup, MarkupIterator, split_field_name};
use taipan_object::text::{TextError, Unit};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Raised, Ref, Result, Value, Vm, method_table, with_units};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_string",
    doc: "\
        Parsing of format strings, for the string module",
    functions: FUNCTIONS,
    exec: |_, _| Ok(()),
};

method_table! { static FUNCTIONS = [
    MethodDef::new("formatter_parser($self, object, /)", "\
        go over the literal texts and the replacement fields of a format string", |vm, _, args| {
        let text = string_argument(vm, &args[0])?;
        Ok(FormatterIterator::make(FORMATTER_ITERATOR.ty(), text, FormatterIteratorState { at: 0 }))
    }),
    MethodDef::new("formatter_field_name_split($self, object, /)", "\
        split a field name, such as 'a.b[0]', into its first part and the others", |vm, _, args| {
        let text = string_argument(vm, &args[0])?;
        let (first, rest) = with_units!(text, |units| {
            let (first, rest) = split_field_name(units).map_err(|error| vm.text_error(error))?;
            (key_value(first), units.len() - rest.rest().len())
        });
        let rest = FieldNameParts::make(FIELD_NAME_ITERATOR.ty(), text, FieldNamePartsState { at: rest });
        Ok(Tuple::from_array([first, rest]).into_value())
    }),
]; }

fn string_argument(vm: &Vm, value: &Value) -> Result<Ref<Str>> {
    value.downcast_ref::<Str>().ok_or_else(|| vm.type_error(format!("expected str, got {}", value.ty().name())))
}

fn text_of<U: Unit>(units: &[U]) -> Value {
    let mut out = TextBuilder::with_capacity(units.len());
    out.push_units(units);
    Str::from_text(out.finish()).into_value()
}

fn key_value<U: Unit>(key: Key<U>) -> Value {
    match key {
        Key::Index(index) => Value::from(index),
        Key::Name(name) => text_of(name),
    }
}

/// What one step of an iterator found, and where the next one begins.
type Step = std::result::Result<(Value, usize), TextError>;

fn finish(vm: &Vm, step: Option<Step>, length: usize, set_place: impl FnOnce(usize)) -> Result<Option<Value>> {
    match step {
        None => Ok(None),
        Some(Ok((value, at))) => {
            set_place(at);
            Ok(Some(value))
        }
        Some(Err(error)) => {
            set_place(length);
            let raised: Raised = vm.text_error(error);
            Err(raised)
        }
    }
}

payload! {
    /// Goes through a format string; `at` is the place of the next piece.
    pub struct FormatterIterator(FormatterIteratorState): FORMATTER_ITERATOR [text: Ref<Str>] { at: usize }
}

pub static FORMATTER_ITERATOR: TypeSpec =
    TypeSpec::new::<FormatterIterator>("formatteriterator").flags(type_flags::DISALLOW_INSTANTIATION).slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|vm, this| {
            let iterator = FormatterIterator::of(this);
            let at = iterator.with(|state| state.at);
            let step = with_units!(iterator.text, |units| {
                let mut pieces = MarkupIterator::new(&units[at..]);
                pieces.next().map(|piece| piece.map(|piece| (piece_value(&piece), units.len() - pieces.rest().len())))
            });
            finish(vm, step, iterator.text.len(), |at| iterator.with(|state| state.at = at))
        });
    });

/// `(literal, field name, specification, conversion)`
fn piece_value<U: Unit>(piece: &Markup<U>) -> Value {
    let literal = text_of(piece.literal);
    Tuple::from_array(match &piece.field {
        None => [literal, Value::NONE, Value::NONE, Value::NONE],
        Some(field) => {
            let conversion = field.conversion.map_or(Value::NONE, |code| Str::from_code_point(code).into_value());
            [literal, text_of(field.name), text_of(field.spec), conversion]
        }
    })
    .into_value()
}

payload! {
    /// Goes through the steps of a field name.
    pub struct FieldNameParts(FieldNamePartsState): FIELD_NAME_ITERATOR [text: Ref<Str>] { at: usize }
}

pub static FIELD_NAME_ITERATOR: TypeSpec =
    TypeSpec::new::<FieldNameParts>("fieldnameiterator").flags(type_flags::DISALLOW_INSTANTIATION).slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(|vm, this| {
            let iterator = FieldNameParts::of(this);
            let at = iterator.with(|state| state.at);
            let step = with_units!(iterator.text, |units| {
                let mut parts = FieldNameIterator::new(&units[at..]);
                parts.next().map(|part| part.map(|part| (part_value(part), units.len() - parts.rest().len())))
            });
            finish(vm, step, iterator.text.len(), |at| iterator.with(|state| state.at = at))
        });
    });

/// `(is it an attribute, its name or the item's key)`
fn part_value<U: Unit>(part: Access<U>) -> Value {
    let (is_attribute, key) = match part {
        Access::Attribute(name) => (Value::TRUE, text_of(name)),
        Access::Item(key) => (Value::FALSE, key_value(key)),
    };
    Tuple::from_array([is_attribute, key]).into_value()
}
