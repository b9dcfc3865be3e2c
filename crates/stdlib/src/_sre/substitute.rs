//! `sub` and `subn`, and the expansion of templates.

use super::match_object::Match;
use super::matching::{failed, ssize, subject, with_state};
use super::pattern::Pattern;
use super::subject::{Subject, with_units};
use super::template::{self, Template};
use crate::payload::signature;
use taipan_object::builtins::bytes;
use taipan_object::builtins::str::{Data, Str};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::signature::Signature;
use taipan_object::text::Unit;
use taipan_object::text::builder::TextBuilder;
use taipan_object::{Raised, Ref, Result, Value, Vm};

signature!(SUB = "sub($self, /, repl, string, count=0)");
signature!(SUBN = "subn($self, /, repl, string, count=0)");

pub fn sub(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    substitute(vm, this, &SUB, args, kwnames).map(|(text, _)| text)
}

pub fn subn(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let (text, count) = substitute(vm, this, &SUBN, args, kwnames)?;
    Ok(Tuple::from_array([text, Value::from(count)]).into_value())
}

/// What matches are replaced by.
enum Replacement {
    Literal(Value),
    Template(Ref<Template>),
    Call(Value),
}

impl Replacement {
    fn of(vm: &Vm, pattern: &Value, replacement: &Value) -> Result<Replacement> {
        if replacement.ty().slots().call.is_some() {
            return Ok(Replacement::Call(replacement.clone()));
        }
        let literal = match Subject::of(vm, replacement) {
            Ok(subject) => with_units!(subject, units => units.iter().all(|unit| unit.code() != u32::from(b'\\'))),
            Err(raised) => {
                vm.discard(raised);
                false
            }
        };
        if literal {
            return Ok(Replacement::Literal(replacement.clone()));
        }
        let template = template::from_text(vm, pattern, replacement)?;
        Ok(if template.items.is_empty() {
            Replacement::Literal(template.literal.clone())
        } else {
            Replacement::Template(template)
        })
    }
}

fn substitute(
    vm: &Vm,
    this: &Value,
    signature: &Signature,
    args: &[Value],
    kwnames: Option<&Value>,
) -> Result<(Value, i64)> {
    let bound;
    let (replacement, string, limit) = match (args, kwnames) {
        ([replacement, string], None) => (replacement, string, 0),
        _ => {
            bound = signature.bind(vm, args, kwnames)?;
            (&bound[0], &bound[1], ssize(vm, &bound[2])?)
        }
    };
    let pattern = Pattern::of(this);
    let replacement = Replacement::of(vm, this, replacement)?;
    let subject = subject(vm, pattern, string)?;
    let len = subject.len();
    let mut output = Output::new(&subject);
    let mut count = 0;
    let mut copied = 0;
    with_units!(subject, units => with_state(vm, pattern, units, 0, len, |state| {
        while (limit == 0 || count < limit) && state.search().map_err(|error| failed(vm, error))? {
            let (start, end) = (state.start(), state.end());
            if copied < start {
                output.push_units(vm, &units[copied..start])?;
            }
            match &replacement {
                Replacement::Literal(item) => output.push(vm, item)?,
                Replacement::Template(template) => {
                    let group = |number: usize| match number <= pattern.groups() {
                        true => Ok(state.group(number).map(|(start, end)| &units[start..end])),
                        false => Err(no_such_group(vm)),
                    };
                    output.push_template(vm, template, group)?;
                }
                Replacement::Call(function) => {
                    let found = Match::make(this, string, state, 0, len);
                    let item = vm.call(function, std::slice::from_ref(&found), None)?;
                    if !item.is_none() {
                        output.push(vm, &item)?;
                    }
                }
            }
            copied = end;
            count += 1;
            state.advance();
        }
        if copied == 0 && output.pieces == 0 {
            return Ok(());
        }
        if copied < len { output.push_units(vm, &units[copied..]) } else { Ok(()) }
    }))?;
    let result = if output.pieces == 0 && copied == 0 { subject.slice(vm, 0, len)? } else { output.finish(vm)? };
    Ok((result, count))
}

#[cold]
fn no_such_group(vm: &Vm) -> Raised {
    vm.index_error("no such group")
}

/// `match.expand(template)`
pub fn expand(vm: &Vm, found: &Match, template: &Value) -> Result {
    let template = template::from_text(vm, &found.pattern, template)?;
    if template.items.is_empty() {
        return Ok(template.literal.clone());
    }
    let subject = Subject::of(vm, found.string())?;
    let mut output = Output::new(&subject);
    with_units!(subject, units => output.push_template(vm, &template, |number| {
        let Some(span) = found.spans.get(number) else { return Err(no_such_group(vm)) };
        Ok(span.map(|(start, end)| {
            let end = end.min(units.len());
            &units[start.min(end)..end]
        }))
    }))?;
    output.finish(vm)
}

/// The result in the making: strings put one behind the other.
struct Output {
    contents: Contents,
    /// How many strings there are.
    pieces: usize,
}

enum Contents {
    /// Whether the subject is ASCII is known, so that its parts need not be looked at.
    Text {
        text: TextBuilder,
        ascii: bool,
    },
    Bytes(Vec<u8>),
}

impl Output {
    fn new(subject: &Subject) -> Output {
        let contents = match subject {
            Subject::Text(_, text) => Contents::Text { text: TextBuilder::new(), ascii: text.is_ascii() },
            Subject::Bytes(..) => Contents::Bytes(Vec::new()),
        };
        Output { contents, pieces: 0 }
    }

    /// Appends a part of the subject.
    #[inline]
    fn push_units<U: Unit>(&mut self, vm: &Vm, units: &[U]) -> Result<()> {
        self.pieces += 1;
        self.reserve(vm, units.len())?;
        match &mut self.contents {
            Contents::Text { text, ascii } => match U::as_bytes(units) {
                Some(bytes) if *ascii => text.push_ascii(bytes),
                _ => text.push_units(units),
            },
            Contents::Bytes(all) => all.extend_from_slice(U::as_bytes(units).unwrap_or_default()),
        }
        Ok(())
    }

    /// Appends a string that comes from elsewhere.
    fn push(&mut self, vm: &Vm, item: &Value) -> Result<()> {
        let at = self.pieces;
        self.pieces += 1;
        let name = || item.ty().name();
        match &mut self.contents {
            Contents::Text { .. } => {
                let Some(piece) = item.downcast::<Str>() else {
                    return Err(vm.type_error(format!("sequence item {at}: expected str instance, {} found", name())));
                };
                self.reserve(vm, piece.len())?;
                let Contents::Text { text, .. } = &mut self.contents else { return Ok(()) };
                match piece.data() {
                    Data::Ascii(units) => text.push_ascii(units),
                    Data::Latin1(units) => text.push_units(units),
                    Data::Ucs2(units) => text.push_units(units),
                    Data::Ucs4(units) => text.push_units(units),
                }
            }
            Contents::Bytes(all) => {
                if !vm.has_buffer(item) {
                    let name = name();
                    let message = format!("sequence item {at}: expected a bytes-like object, {name} found");
                    return Err(vm.type_error(message));
                }
                let piece = vm.bytes_like(item)?;
                if all.try_reserve(piece.len()).is_err() {
                    return Err(vm.memory_error());
                }
                all.extend_from_slice(&piece);
            }
        }
        Ok(())
    }

    /// Appends the template with the groups that `group` gives.
    fn push_template<'u, U: Unit>(
        &mut self,
        vm: &Vm,
        template: &Template,
        group: impl Fn(usize) -> Result<Option<&'u [U]>>,
    ) -> Result<()> {
        self.push(vm, &template.literal)?;
        for (number, literal) in &template.items {
            if let Some(units) = group(*number)? {
                self.push_units(vm, units)?;
            }
            if let Some(literal) = literal {
                self.push(vm, literal)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn reserve(&mut self, vm: &Vm, more: usize) -> Result<()> {
        let reserved = match &mut self.contents {
            Contents::Text { text, .. } => text.try_reserve(more),
            Contents::Bytes(all) => all.try_reserve(more),
        };
        reserved.map_err(|_| vm.memory_error())
    }

    fn finish(self, vm: &Vm) -> Result {
        match self.contents {
            Contents::Text { text, .. } => Ok(Str::from_text(text.finish()).into_value()),
            Contents::Bytes(all) => bytes::from_slice(vm, &all),
        }
    }
}
