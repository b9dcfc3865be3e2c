//! The functions that the grammar's alternatives name with `fn`.

use super::machine::{Machine, Raised};
use super::node::{Kind, Value};
use super::report::Reporter;
use crate::error::{ErrorKind, SyntaxError};
use crate::literal::{DecodeError, decode_bytes_escapes, decode_escapes};
use crate::parser::StringParts;

/// What a list of targets is for.
#[derive(Clone, Copy, PartialEq)]
enum TargetsType {
    Star,
    Del,
    For,
}

impl Machine<'_, '_> {
    /// Calls the function. `None` makes the rule fail.
    pub(super) fn function(&mut self, name: &str, values: &[Value]) -> Result<Option<Value>, Raised> {
        let value = |index: usize| values.get(index).copied().unwrap_or(Value::Null);
        let (a, b) = (value(0), value(1));
        Ok(match name {
            "binary" => Some(if self.children(b).is_empty() { a } else { self.make_node(Kind::Operation, &[]) }),
            "primary" => Some(match self.children(b).last() {
                Some(&tail) => self.make_node(self.kind(tail), &[]),
                None => a,
            }),
            "compare" => {
                let first = self.children(b).first().copied().unwrap_or(Value::Null);
                let kind = if self.kind(first) == Kind::In { Kind::InCompare } else { Kind::Compare };
                Some(self.make_node(kind, &[a]))
            }
            "check_barry_as_flufl" => self.check_barry_as_flufl(a)?,
            "future_import" => {
                self.note_future_import(a, b, value(2));
                Some(self.make_node(Kind::Other, &[]))
            }
            "note_statement" => {
                self.note_statement(a);
                Some(a)
            }
            "ensure_real" => {
                if self.is_imaginary(a) {
                    let message = "real number required in complex literal".to_owned();
                    return Err(self.error_at(self.place(a), message));
                }
                Some(a)
            }
            "ensure_imaginary" => {
                if !self.is_imaginary(a) {
                    let message = "imaginary number required in complex literal".to_owned();
                    return Err(self.error_at(self.place(a), message));
                }
                Some(a)
            }
            "call_arguments" => {
                let mut arguments = self.children(a).to_vec();
                arguments.extend_from_slice(self.children(b));
                Some(self.make_node(Kind::Call, &arguments))
            }
            "nonparen_genexp_in_call" => {
                let positional = self.positional_arguments(a);
                if positional.len() <= 1 {
                    return Ok(None);
                }
                let last = positional[positional.len() - 1];
                let place = self.range(last, self.last_comprehension_item(b));
                return Err(self.error_at(place, "Generator expression must be parenthesized".to_owned()));
            }
            "arguments_parsing_error" => {
                let unpacking = self.children(a).iter().any(|&argument| self.kind(argument) == Kind::DoubleStarred);
                return Err(self.error_last(format!(
                    "positional argument follows keyword argument{}",
                    if unpacking { " unpacking" } else { "" }
                )));
            }
            "legacy_statement" => {
                let Some(statement) = self.legacy_statement_name(a) else { return Ok(None) };
                let message = format!("Missing parentheses in call to '{statement}'. Did you mean {statement}(...)?");
                return Err(self.error_at(self.range(a, b), message));
            }
            "forgotten_comma" => {
                if self.legacy_statement_name(a).is_some() || self.tokens[self.mark - 1].level == 0 {
                    return Ok(None);
                }
                let message = "invalid syntax. Perhaps you forgot a comma?".to_owned();
                return Err(self.error_at(self.range(a, b), message));
            }
            "type_param_bound_error" => return Err(self.bound_error(a, b, "TypeVarTuple")),
            "param_spec_bound_error" => return Err(self.bound_error(a, b, "ParamSpec")),
            "invalid_star_target" => return self.check_target(a, TargetsType::Star),
            "invalid_del_target" => return self.check_target(a, TargetsType::Del),
            "invalid_for_target" => return self.check_target(a, TargetsType::For),
            "adjacent_less_greater" => {
                let (less, greater) = (self.place(a), self.place(b));
                if (less.end_lineno, less.end_col_offset) != (greater.lineno, greater.col_offset) {
                    return Ok(None);
                }
                let message = "invalid syntax.  Maybe you meant '!=' instead of '<>'?".to_owned();
                return Err(self.error_at(self.range(a, b), message));
            }
            "check_conversion" => self.check_conversion(a, b)?,
            "string" => Some(self.string(a)?),
            "format_spec_text" => {
                self.check_format_spec(a)?;
                Some(a)
            }
            "fstring" | "tstring" => {
                let raw = match a {
                    Value::Token(index) => self.text_at(index as usize).contains(['r', 'R']),
                    _ => false,
                };
                for part in self.children(b).to_vec() {
                    self.check_text(part, raw)?;
                }
                Some(self.make_node(if name == "fstring" { Kind::FString } else { Kind::TString }, &[]))
            }
            "concatenate" => Some(self.concatenate(a)?),
            _ => unreachable!("the grammar names no other function"),
        })
    }

    fn is_imaginary(&self, number: Value) -> bool {
        matches!(number, Value::Token(index) if self.text_at(index as usize).ends_with(['j', 'J']))
    }

    fn positional_arguments(&self, call: Value) -> Vec<Value> {
        let is_positional = |&argument: &Value| !matches!(self.kind(argument), Kind::Keyword | Kind::DoubleStarred);
        self.children(call).iter().copied().filter(is_positional).collect()
    }

    /// `print` and `exec` were statements once.
    fn legacy_statement_name(&self, value: Value) -> Option<&'static str> {
        let Value::Token(index) = value else { return None };
        ["print", "exec"].into_iter().find(|&name| self.text_at(index as usize) == name)
    }

    fn check_barry_as_flufl(&self, token: Value) -> Result<Option<Value>, Raised> {
        let Value::Token(index) = token else { return Ok(None) };
        let is_flufl = self.text_at(index as usize) == "<>";
        if self.barry_as_flufl && !is_flufl {
            return Err(self.error_last("with Barry as BDFL, use '<>' instead of '!='".to_owned()));
        }
        Ok((self.barry_as_flufl == is_flufl).then_some(token))
    }

    fn note_future_import(&mut self, dots: Value, module: Value, names: Value) {
        let text = |machine: &Self, value: Value| {
            let place = machine.place(value);
            machine
                .tokens
                .iter()
                .find(|token| {
                    (i64::from(token.lineno), i64::from(token.col_offset)) == (place.lineno, place.col_offset)
                })
                .map(|token| machine.text(token))
        };
        if !self.children(dots).is_empty() || text(self, module) != Some("__future__") {
            return;
        }
        let names = self.children(names).to_vec();
        if names.into_iter().any(|name| text(self, name) == Some("barry_as_FLUFL")) {
            self.barry_as_flufl = true;
            self.tokenizer.set_barry_as_flufl(true);
        }
    }

    fn bound_error(&self, colon: Value, bound: Value, parameter: &str) -> Raised {
        let what = if self.kind(bound) == Kind::Tuple { "constraints" } else { "bound" };
        self.error_from(self.place(colon), format!("cannot use {what} with {parameter}"))
    }

    fn check_target(&self, target: Value, targets: TargetsType) -> Result<Option<Value>, Raised> {
        let Some(invalid) = self.invalid_target(target, targets) else { return Ok(None) };
        let verb = if targets == TargetsType::Del { "delete" } else { "assign to" };
        let message = format!("cannot {verb} {}", self.kind(invalid).expr_name());
        Err(self.error_at(self.place(invalid), message))
    }

    /// The first part of a target that cannot be assigned to or deleted.
    fn invalid_target(&self, target: Value, targets: TargetsType) -> Option<Value> {
        match self.kind(target) {
            Kind::List | Kind::Tuple => {
                self.children(target).iter().find_map(|&element| self.invalid_target(element, targets))
            }
            Kind::Starred if targets != TargetsType::Del => {
                self.children(target).first().and_then(|&value| self.invalid_target(value, targets))
            }
            // What should be `for a in b` was read as the comparison `a in b`.
            Kind::InCompare if targets == TargetsType::For => {
                self.children(target).first().and_then(|&left| self.invalid_target(left, targets))
            }
            Kind::Compare if targets == TargetsType::For => None,
            Kind::Name | Kind::Subscript | Kind::Attribute => None,
            _ => Some(target),
        }
    }

    fn check_conversion(&self, exclamation: Value, name: Value) -> Result<Option<Value>, Raised> {
        let prefix = self.tokenizer.string_prefix();
        let (mark, conversion) = (self.place(exclamation), self.place(name));
        if (mark.lineno, mark.end_col_offset) != (conversion.lineno, conversion.col_offset) {
            let message = format!("{prefix}-string: conversion type must come right after the exclamation mark");
            return Err(self.error_at(self.range(exclamation, name), message));
        }
        let Value::Token(index) = name else { return Ok(None) };
        let text = self.text_at(index as usize);
        if !matches!(text, "s" | "r" | "a") {
            let message = format!("{prefix}-string: invalid conversion character '{text}': expected 's', 'r', or 'a'");
            return Err(self.error_at(conversion, message));
        }
        Ok(Some(name))
    }

    fn string(&mut self, token: Value) -> Result<Value, Raised> {
        let Value::Token(index) = token else { return Ok(token) };
        let parts = StringParts::of_token(self.text_at(index as usize));
        if parts.bytes {
            if !parts.body.is_ascii() {
                let message = "bytes can only contain ASCII literal characters".to_owned();
                return Err(self.error_at(self.place(token), message));
            }
            if !parts.raw {
                let (_, invalid) =
                    decode_bytes_escapes(parts.body.as_bytes()).map_err(|error| self.error_last(error.message()))?;
                self.note_invalid_escape(index, parts.start, parts.body, invalid);
            }
            return Ok(self.make_node(Kind::BytesLiteral, &[]));
        }
        if !parts.raw {
            let (_, invalid) = decode_escapes(parts.body).map_err(|error| self.error_last(error.message()))?;
            self.note_invalid_escape(index, parts.start, parts.body, invalid);
        }
        Ok(self.make_node(Kind::Literal, &[]))
    }

    /// Checks the escapes in a piece of an f- or t-string; replacement fields have none.
    fn check_text(&mut self, part: Value, raw: bool) -> Result<(), Raised> {
        if let Value::Token(index) = part
            && !raw
        {
            let text = self.text_at(index as usize);
            let (_, invalid) =
                decode_escapes(text).map_err(|error| self.error_at(self.place(part), error.message()))?;
            self.note_invalid_escape(index, 0, text, invalid);
        }
        Ok(())
    }

    /// As [`Self::check_text`]; here CPython does not make a `SyntaxError` of the codec's.
    fn check_format_spec(&self, part: Value) -> Result<(), Raised> {
        if let Value::Token(index) = part
            && let Err(DecodeError::Unicode { object, start, end, reason }) =
                decode_escapes(self.text_at(index as usize))
        {
            return Err(Box::new(SyntaxError {
                offset: start as i64,
                end_offset: end as i64,
                text: Some(object),
                ..SyntaxError::bare(ErrorKind::UnicodeDecodeError, reason)
            }));
        }
        Ok(())
    }

    fn concatenate(&mut self, strings: Value) -> Result<Value, Raised> {
        let kinds: Vec<Kind> = self.children(strings).iter().map(|&string| self.kind(string)).collect();
        let has = |kind: Kind| kinds.contains(&kind);
        if has(Kind::BytesLiteral) && (has(Kind::Literal) || has(Kind::FString)) {
            return Err(self.error_last("cannot mix bytes and nonbytes literals".to_owned()));
        }
        if let ([_], Some(&only)) = (&kinds[..], self.children(strings).first()) {
            return Ok(only);
        }
        Ok(self.make_node(if has(Kind::FString) { Kind::FString } else { Kind::Literal }, &[]))
    }
}
