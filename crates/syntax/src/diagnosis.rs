//! What is wrong with a source that the parser refuses: CPython's error, to the letter.
//!
//! CPython parses with a parsing expression grammar, a second time with extra rules for common mistakes if the first
//! time fails; message and position fall out of that process. So here the source is parsed again, slowly, by a
//! machine that runs the same grammar (`grammar.peg`) and nothing but looks for the error. Correct source never
//! comes here.

mod action;
mod grammar;
mod machine;
mod node;
mod report;

use machine::{Machine, Raised};
use node::{Place, Value};
use report::Reporter;

use crate::error::{ErrorKind, SyntaxError, Warning};
use crate::options::{Mode, ParseOptions};
use crate::token::{Token, TokenKind as T};
use crate::tokenizer::Status;

/// Explains why `source` does not parse. Warnings are added about what the parser, which made tokens up to `tokenized`,
/// has not seen.
pub(crate) fn diagnose(
    source: &str,
    options: &ParseOptions,
    tokenized: usize,
    warnings: &mut Vec<Warning>,
) -> SyntaxError {
    let mut machine = Machine::new(source, options, tokenized);
    let error = *explain(&mut machine);
    warnings.append(&mut machine.take_warnings());
    error
}

/// The error for source that nests deeper than the parser can go.
pub(crate) fn too_complex() -> SyntaxError {
    SyntaxError::bare(ErrorKind::MemoryError, "Parser stack overflowed - Python source too complex to parse")
}

fn explain(machine: &mut Machine) -> Raised {
    let first = machine.parse(false);
    if machine.overflowed {
        return Box::new(too_complex());
    }
    if let Ok(true) = first {
        if machine.options.mode == Mode::Single {
            return machine.error_last("multiple statements found while compiling a single statement".to_owned());
        }
        return machine.error_last("invalid syntax".to_owned());
    }
    let last = machine.tokens.last().copied();
    let last_kind = last.map_or(T::EndMarker, |token| token.kind);
    if machine.options.allow_incomplete_input && machine.tokenizer.at_end_of_source(last_kind) {
        return machine.error_last_of_kind(ErrorKind::IncompleteInputError, "incomplete input".to_owned());
    }
    let mut raised = explain_failure(machine, first.err(), last);
    raised.metadata = Some(Box::new(machine.metadata()));
    raised
}

/// Errors from the first pass stand. Otherwise the second looks for mistakes it knows.
fn explain_failure(machine: &mut Machine, first: Option<Raised>, last: Option<Token>) -> Raised {
    let found = match first {
        Some(raised) => Some(raised),
        None => machine.parse(true).err(),
    };
    if machine.overflowed {
        return Box::new(too_complex());
    }
    if let Some(raised) = found {
        if machine.tokenizer_is_ok() && raised.kind.is_syntax_error() {
            return check_rest_of_source(machine).unwrap_or(raised);
        }
        return raised;
    }
    let Some(last) = last else {
        return machine.error_last("error at start before reading any input".to_owned());
    };
    generic_error(machine, &last)
}

/// The error when no rule knows the mistake: `last` is the last token of the first pass.
fn generic_error(machine: &mut Machine, last: &Token) -> Raised {
    if last.kind == T::ErrorToken && matches!(machine.tokenizer.status(), Status::Eof) {
        return machine
            .unclosed_bracket()
            .unwrap_or_else(|| machine.error_last("unexpected EOF while parsing".to_owned()));
    }
    if matches!(last.kind, T::Indent | T::Dedent) {
        let message = if last.kind == T::Indent { "unexpected indent" } else { "unexpected unindent" };
        return machine.error_last_of_kind(ErrorKind::IndentationError, message.to_owned());
    }
    let place = Place {
        lineno: last.lineno.into(),
        col_offset: last.col_offset.into(),
        end_lineno: last.end_lineno.into(),
        end_col_offset: last.end_col_offset.into(),
    };
    let generic = machine.error_at(place, "invalid syntax".to_owned());
    check_rest_of_source(machine).unwrap_or(generic)
}

/// An error of the tokeniser further on explains more than a syntax error before it.
fn check_rest_of_source(machine: &mut Machine) -> Option<Raised> {
    let current = machine.tokens.len() as u32 - 1;
    let current_line = machine.place(Value::Token(current)).lineno;
    let found = loop {
        match machine.tokenizer.next_token().kind {
            T::ErrorToken => {
                if let Status::Error(error) = machine.tokenizer.status() {
                    break Some(error.clone());
                }
                break machine
                    .tokenizer
                    .brackets()
                    .last()
                    .is_some_and(|bracket| current_line > i64::from(bracket.lineno))
                    .then(|| machine.unclosed_bracket())
                    .flatten();
            }
            T::EndMarker => break None,
            _ => {}
        }
    };
    // Within an f-string, the error in the expression is the better one.
    if machine.tokenizer.inside_fstring() { None } else { found }
}
