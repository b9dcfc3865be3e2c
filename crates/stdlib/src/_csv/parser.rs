//! Splitting of lines into fields.
//!
//! The parser runs no Python code: fields that are to become numbers are marked, and the reader converts them.

use super::dialect::{Parameters, Quoting};
use taipan_object::builtins::str::Str;
use taipan_object::text::Unit;
use taipan_object::text::builder::GivenUp;
use taipan_object::{Value, with_units};

/// Where in a record the parser is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    StartRecord,
    StartField,
    EscapedChar,
    InField,
    InQuotedField,
    EscapeInQuotedField,
    QuoteInQuotedField,
    EatCrnl,
    AfterEscapedCrnl,
}

/// What is wrong with a line.
pub enum Failure {
    DelimiterExpected,
    NewlineInUnquotedField,
    FieldTooLarge,
}

/// A field of a record; numbers are still text.
pub enum FieldValue {
    Done(Value),
    Number(Value),
}

pub struct Parser {
    state: State,
    field: Buffer,
    unquoted: bool,
    pub fields: Vec<FieldValue>,
    /// A record has begun, and nobody has taken it yet.
    pub in_record: bool,
}

/// The characters of the present field.
#[derive(Default)]
struct Buffer {
    narrow: Vec<u8>,
    /// Used instead once a character needs it.
    wide: Vec<u32>,
}

impl Buffer {
    fn len(&self) -> usize {
        if self.wide.is_empty() { self.narrow.len() } else { self.wide.len() }
    }

    fn push(&mut self, code: u32) {
        if self.wide.is_empty() {
            match u8::try_from(code) {
                Ok(byte) => return self.narrow.put(byte),
                Err(_) => self.widen(),
            }
        }
        self.wide.put(code);
    }

    fn widen(&mut self) {
        self.wide.extend(self.narrow.iter().map(|byte| u32::from(*byte)));
    }

    fn extend<U: Unit>(&mut self, units: &[U]) {
        if self.wide.is_empty() {
            if units.iter().all(|unit| unit.code() < 256) {
                self.narrow.extend(units.iter().map(|unit| unit.code() as u8));
                return;
            }
            self.widen();
        }
        self.wide.extend(units.iter().map(|unit| unit.code()));
    }

    /// The text collected; the buffer is empty then.
    fn take(&mut self) -> Value {
        let text =
            if self.wide.is_empty() { Str::from_latin1(&self.narrow) } else { Str::from_code_points(&self.wide) };
        self.narrow.clear();
        self.wide.clear();
        text.into_value()
    }
}

const RETURN: u32 = b'\r' as u32;
const NEWLINE: u32 = b'\n' as u32;

impl Parser {
    pub fn new() -> Parser {
        Parser {
            state: State::StartRecord,
            field: Buffer::default(),
            unquoted: false,
            fields: Vec::new(),
            in_record: false,
        }
    }

    /// Begins a record; what is left of a former one is returned.
    pub fn reset(&mut self) -> Vec<FieldValue> {
        self.state = State::StartRecord;
        self.field.take();
        self.unquoted = false;
        self.in_record = true;
        std::mem::take(&mut self.fields)
    }

    pub fn at_start(&self) -> bool {
        self.state == State::StartRecord
    }

    /// Whether a record that ends here is cut off.
    pub fn is_inside_field(&self) -> bool {
        self.field.len() != 0 || self.state == State::InQuotedField
    }

    /// Reads a line.
    pub fn line(&mut self, parameters: &Parameters, limit: i64, line: &Str) -> Result<(), Failure> {
        with_units!(line, |units| {
            let mut at = 0;
            while at < units.len() {
                let run = self.plain_run(parameters, &units[at..]);
                if run > 0 {
                    self.add_run(limit, &units[at..at + run])?;
                    at += run;
                    continue;
                }
                self.character(parameters, limit, units[at].code())?;
                at += 1;
            }
        });
        self.end_of_line(parameters, limit)
    }

    /// How many of the units are contents of the present field, whatever comes next.
    #[inline]
    fn plain_run<U: Unit>(&self, parameters: &Parameters, units: &[U]) -> usize {
        // What no unit equals: codes are below.
        const NONE: u32 = u32::MAX;
        let escape = parameters.escapechar.unwrap_or(NONE);
        let end = match self.state {
            State::InField => {
                let delimiter = parameters.delimiter;
                units.iter().position(|unit| {
                    let code = unit.code();
                    code == delimiter || code == NEWLINE || code == RETURN || code == escape
                })
            }
            State::InQuotedField => {
                let quote = parameters.quotechar.unwrap_or(NONE);
                units.iter().position(|unit| {
                    let code = unit.code();
                    code == quote || code == escape
                })
            }
            _ => return 0,
        };
        end.unwrap_or(units.len())
    }

    fn add_run<U: Unit>(&mut self, limit: i64, units: &[U]) -> Result<(), Failure> {
        if (self.field.len() + units.len()) as i64 > limit {
            return Err(Failure::FieldTooLarge);
        }
        self.field.extend(units);
        Ok(())
    }

    fn add(&mut self, limit: i64, code: u32) -> Result<(), Failure> {
        if self.field.len() as i64 >= limit {
            return Err(Failure::FieldTooLarge);
        }
        self.field.push(code);
        Ok(())
    }

    /// Ends the field.
    pub fn save_field(&mut self, parameters: &Parameters) {
        let empty = self.field.len() == 0;
        let quoting = parameters.quoting;
        let field = match (self.unquoted, empty) {
            (true, true) if matches!(quoting, Quoting::NotNull | Quoting::Strings) => FieldValue::Done(Value::NONE),
            (true, false) if matches!(quoting, Quoting::NonNumeric | Quoting::Strings) => {
                FieldValue::Number(self.field.take())
            }
            _ => FieldValue::Done(self.field.take()),
        };
        self.fields.put(field);
    }

    fn end_of_line(&mut self, parameters: &Parameters, limit: i64) -> Result<(), Failure> {
        match self.state {
            State::StartRecord | State::AfterEscapedCrnl | State::InQuotedField => {}
            State::StartField => {
                self.unquoted = true;
                self.save_field(parameters);
                self.state = State::StartRecord;
            }
            State::InField | State::QuoteInQuotedField => {
                self.save_field(parameters);
                self.state = State::StartRecord;
            }
            State::EatCrnl => self.state = State::StartRecord,
            State::EscapedChar => {
                self.add(limit, NEWLINE)?;
                self.state = State::InField;
            }
            State::EscapeInQuotedField => {
                self.add(limit, NEWLINE)?;
                self.state = State::InQuotedField;
            }
        }
        Ok(())
    }

    fn character(&mut self, parameters: &Parameters, limit: i64, code: u32) -> Result<(), Failure> {
        let is_end = code == NEWLINE || code == RETURN;
        let is_quote = parameters.quoting != Quoting::None && parameters.quotechar == Some(code);
        let is_escape = parameters.escapechar == Some(code);
        match self.state {
            State::StartRecord if is_end => self.state = State::EatCrnl,
            State::StartRecord | State::StartField => {
                self.unquoted = true;
                self.state = State::StartField;
                if is_end {
                    self.save_field(parameters);
                    self.state = State::EatCrnl;
                } else if is_quote {
                    self.unquoted = false;
                    self.state = State::InQuotedField;
                } else if is_escape {
                    self.state = State::EscapedChar;
                } else if code == u32::from(b' ') && parameters.skipinitialspace {
                } else if code == parameters.delimiter {
                    self.save_field(parameters);
                } else {
                    self.add(limit, code)?;
                    self.state = State::InField;
                }
            }
            State::EscapedChar => {
                self.add(limit, code)?;
                self.state = if is_end { State::AfterEscapedCrnl } else { State::InField };
            }
            State::AfterEscapedCrnl | State::InField => {
                if is_end {
                    self.save_field(parameters);
                    self.state = State::EatCrnl;
                } else if is_escape {
                    self.state = State::EscapedChar;
                } else if code == parameters.delimiter {
                    self.save_field(parameters);
                    self.state = State::StartField;
                } else {
                    // After an escaped end of line the field goes on in the next line, whatever comes.
                    self.add(limit, code)?;
                }
            }
            State::InQuotedField => {
                if is_escape {
                    self.state = State::EscapeInQuotedField;
                } else if is_quote {
                    self.state = if parameters.doublequote { State::QuoteInQuotedField } else { State::InField };
                } else {
                    self.add(limit, code)?;
                }
            }
            State::EscapeInQuotedField => {
                self.add(limit, code)?;
                self.state = State::InQuotedField;
            }
            State::QuoteInQuotedField => {
                if is_quote {
                    self.add(limit, code)?;
                    self.state = State::InQuotedField;
                } else if code == parameters.delimiter {
                    self.save_field(parameters);
                    self.state = State::StartField;
                } else if is_end {
                    self.save_field(parameters);
                    self.state = State::EatCrnl;
                } else if !parameters.strict {
                    self.add(limit, code)?;
                    self.state = State::InField;
                } else {
                    return Err(Failure::DelimiterExpected);
                }
            }
            State::EatCrnl if is_end => {}
            State::EatCrnl => return Err(Failure::NewlineInUnquotedField),
        }
        Ok(())
    }
}

impl crate::payload::Field for Parser {
    fn visit(&self, visit: taipan_object::object::Visitor) {
        for field in &self.fields {
            let (FieldValue::Done(value) | FieldValue::Number(value)) = field;
            visit(value);
        }
    }
    fn take(&mut self) -> Self {
        std::mem::replace(self, Parser::new())
    }
}
