//! `_sre.SRE_Scanner`: goes through the matches of a pattern in a string, one at a time.

use super::match_object::Match;
use super::matching::{Way, failed, subject, with_state};
use super::pattern::Pattern;
use super::subject::with_units;
use taipan_object::buffer::{Buffer, buffer_flags};
use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::str::Str;
use taipan_object::cell::ObjectCell;
use taipan_object::count;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

#[repr(C)]
pub struct Scanner {
    pub header: Header,
    pattern: Value,
    string: Value,
    /// Keeps the memory of a mutable string in place.
    buffer: Option<Buffer>,
    pos: usize,
    endpos: usize,
    place: ObjectCell<Place>,
}

/// Where the next match may begin.
#[derive(Clone, Copy)]
enum Place {
    At {
        start: usize,
        must_advance: bool,
    },
    /// There was no further match.
    Exhausted,
    /// A call is under way.
    Executing,
}

// SAFETY: repr(C), header first, visits every reference.
unsafe impl Payload for Scanner {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        SCANNER.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.pattern);
        visit(&self.string);
        if let Some(buffer) = &self.buffer {
            visit(&buffer.owner);
        }
    }
}

pub static SCANNER: TypeSpec = TypeSpec::new::<Scanner>("_sre.SRE_Scanner")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .methods(METHODS)
    .members(MEMBERS);

impl Scanner {
    /// A scanner of `string[pos..endpos]`.
    pub fn make(vm: &Vm, pattern: &Value, string: &Value, pos: usize, endpos: usize) -> Result {
        let immutable = string.downcast::<Str>().is_some() || string.downcast_exact::<Bytes>().is_some();
        let buffer = if immutable { None } else { Some(vm.get_buffer(string, buffer_flags::SIMPLE)?) };
        let place = if pos > endpos { Place::Exhausted } else { Place::At { start: pos, must_advance: false } };
        Ok(Ref::new(Scanner {
            header: Header::new(SCANNER.ty()),
            pattern: pattern.clone(),
            string: string.clone(),
            buffer,
            pos,
            endpos,
            place: ObjectCell::new(place),
        })
        .into_value())
    }

    fn of(value: &Value) -> &Scanner {
        value.downcast::<Scanner>().expect("called with an instance of its type")
    }

    pub fn string(&self) -> &Value {
        &self.string
    }

    fn next(&self, vm: &Vm, this: &Value, way: Way) -> Result {
        let place = std::mem::replace(&mut *self.place.borrow(&self.header), Place::Executing);
        let (found, next) = match place {
            Place::Executing => return Err(vm.value_error("regular expression scanner already executing")),
            Place::Exhausted => (Ok(Value::NONE), Place::Exhausted),
            Place::At { start, must_advance } => match self.find(vm, self.source(this), way, start, must_advance) {
                Ok(Some((found, next))) => (Ok(found), next),
                Ok(None) => (Ok(Value::NONE), Place::Exhausted),
                Err(raised) => (Err(raised), place),
            },
        };
        *self.place.borrow(&self.header) = next;
        found
    }

    /// What matches refer to: the string, or this scanner, `this`, if the string is another thread's. Its count would be
    /// the place that all threads write to which scan it.
    fn source<'a>(&'a self, this: &'a Value) -> &'a Value {
        if self.buffer.is_none() && self.string.as_object().is_some_and(count::is_counted_aside) {
            this
        } else {
            &self.string
        }
    }

    fn find(
        &self,
        vm: &Vm,
        source: &Value,
        way: Way,
        start: usize,
        must_advance: bool,
    ) -> Result<Option<(Value, Place)>> {
        let pattern = Pattern::of(&self.pattern);
        let subject = subject(vm, pattern, &self.string)?;
        with_units!(subject, units => with_state(vm, pattern, units, start, self.endpos, |state| {
            state.set_must_advance(must_advance);
            let found = if way == Way::Search { state.search() } else { state.match_here(false) };
            if !found.map_err(|error| failed(vm, error))? {
                return Ok(None);
            }
            let found = Match::make(&self.pattern, source, state, self.pos, self.endpos);
            state.advance();
            Ok(Some((found, Place::At { start: state.start(), must_advance: state.must_advance() })))
        }))
    }
}

static MEMBERS: &[MemberDef] = &[MemberDef::new("pattern", "", |_, this| Ok(Scanner::of(this).pattern.clone()))];

method_table! { static METHODS = [
    MethodDef::new("match($self, /)", "", |vm, this, _| Scanner::of(this).next(vm, this, Way::Match)),
    MethodDef::new("search($self, /)", "", |vm, this, _| Scanner::of(this).next(vm, this, Way::Search)),
]; }
