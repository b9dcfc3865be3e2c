//! `csv.reader`

use super::dialect::Dialect;
use super::parser::{Failure, FieldValue, Parser};
use super::{FIELD_LIMIT, dialect_argument, error};
use crate::payload::payload;
use std::sync::atomic::Ordering::Relaxed;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::native::{MemberDef, arguments};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Raised, Ref, Result, Value, Vm};

payload! {
    pub struct Reader(ReaderState): READER [lines: Value, dialect: Ref<Dialect>] { parser: Parser, line_num: usize }
}

pub static READER: TypeSpec = TypeSpec::new::<Reader>("_csv.reader")
    .doc(
        "Parses CSV.\n\n\
        An iterator that takes lines of text and gives one record at a\n\
        time, as a list of its fields.",
    )
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    })
    .members(MEMBERS);

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("dialect", "", |_, this| Ok(Reader::of(this).dialect.clone().into_value())),
    MemberDef::new("line_num", "", |_, this| Ok(Value::from(Reader::of(this).with(|state| state.line_num)))),
];

pub fn new(vm: &Vm, _: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    arguments::check_positional(vm, "reader", args.len() - keywords, 1, 2)?;
    let lines = vm.iter(&args[0])?;
    let dialect = dialect_argument(vm, "reader", args, kwnames, 1)?;
    Ok(Reader::make(READER.ty(), lines, dialect, ReaderState { parser: Parser::new(), line_num: 0 }))
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let reader = Reader::of(this);
    let parameters = reader.dialect.parameters;
    let old = reader.with(|state| state.parser.reset());
    drop(old);
    loop {
        let Some(line) = vm.next(&reader.lines)? else {
            if !reader.with(|state| state.parser.is_inside_field()) {
                return Ok(None);
            }
            if parameters.strict {
                reader.row(vm)?;
                return Err(error(vm, "unexpected end of data"));
            }
            reader.with(|state| state.parser.save_field(&parameters));
            break;
        };
        let Some(text) = line.downcast::<Str>() else {
            let got = line.ty().name();
            return Err(error(
                vm,
                format!("iterator should return strings, not {got} (the file should be opened in text mode)"),
            ));
        };
        if !reader.with(|state| state.parser.in_record) {
            return Err(error(vm, "iterator has already advanced the reader"));
        }
        let limit = FIELD_LIMIT.load(Relaxed);
        let outcome = reader.with(|state| {
            state.line_num += 1;
            state.parser.line(&parameters, limit, text).map(|()| state.parser.at_start())
        });
        match outcome {
            Ok(true) => break,
            Ok(false) => {}
            Err(failure) => {
                // A field that is no number comes before what is wrong after it.
                reader.row(vm)?;
                return Err(failed(vm, reader, failure, limit));
            }
        }
    }
    let row = reader.row(vm)?;
    Ok(Some(List::from_vec(row).into_value()))
}

impl Reader {
    /// Takes the fields of the record.
    fn row(&self, vm: &Vm) -> Result<Vec<Value>> {
        let fields = self.with(|state| {
            state.parser.in_record = false;
            std::mem::take(&mut state.parser.fields)
        });
        let number = |field| match field {
            FieldValue::Done(value) => Ok(value),
            FieldValue::Number(text) => vm.call_args(&taipan_object::builtins::float::FLOAT.value(), &[text]),
        };
        fields.into_iter().map(number).collect()
    }
}

#[cold]
fn failed(vm: &Vm, reader: &Reader, failure: Failure, limit: i64) -> Raised {
    let parameters = reader.dialect.parameters;
    let character = |code: u32| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    match failure {
        Failure::FieldTooLarge => error(vm, format!("field larger than field limit ({limit})")),
        Failure::NewlineInUnquotedField => {
            let hint = "do you need to open the file with newline=''?";
            error(vm, format!("new-line character seen in unquoted field - {hint}"))
        }
        Failure::DelimiterExpected => {
            let quote = parameters.quotechar.map_or('"', character);
            error(vm, format!("'{}' expected after '{quote}'", character(parameters.delimiter)))
        }
    }
}
