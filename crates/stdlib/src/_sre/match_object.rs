//! `re.Match`.

use super::engine::State;
use super::pattern::Pattern;
use super::scanner::Scanner;
use super::subject::Subject;
use super::substitute;
use smallvec::SmallVec;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{generic_alias, int};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::text::Unit;
use taipan_object::types::slots::Slots;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

/// Where a pattern and its groups matched.
#[repr(C)]
pub struct Match {
    pub header: Header,
    pub pattern: Value,
    /// The string, or a scanner that has it ([`Scanner::source`]).
    source: Value,
    pos: usize,
    endpos: usize,
    /// The last group closed; 0 for none.
    lastindex: usize,
    /// The match itself, then its groups.
    pub spans: SmallVec<[Span; 3]>,
}

/// Start and end, if the group took part.
pub type Span = Option<(usize, usize)>;

// SAFETY: repr(C), header first, visits every reference.
unsafe impl Payload for Match {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        MATCH.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.pattern);
        visit(&self.source);
    }
}

pub static MATCH: TypeSpec = TypeSpec::new::<Match>("re.Match")
    .doc("The result of re.match() and re.search().\nMatch objects always have a boolean value of True.")
    .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::DIES_QUIETLY | type_flags::USED_BESIDE)
    .slots(slots)
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

fn slots(s: &mut Slots) {
    s.repr = Some(|vm, this| {
        let found = Match::of(this);
        let (start, end) = found.spans[0].unwrap_or_default();
        let group = vm.repr_string(&found.group(vm, 0, &Value::NONE)?)?;
        Ok(Value::from(format!("<re.Match object; span=({start}, {end}), match={group}>")))
    });
    s.subscript = Some(|vm, this, key| {
        let found = Match::of(this);
        found.group(vm, found.index(vm, key)?, &Value::NONE)
    });
}

impl Match {
    /// The match that a state has found. `source` is the string, or a scanner that has it.
    #[inline]
    pub fn make<U: Unit>(pattern: &Value, source: &Value, state: &State<U>, pos: usize, endpos: usize) -> Value {
        let groups = Pattern::of(pattern).groups();
        Ref::new(Match {
            header: Header::new(MATCH.ty()),
            pattern: pattern.clone(),
            source: source.clone(),
            pos,
            endpos,
            lastindex: state.lastindex(),
            spans: (0..=groups).map(|group| state.group(group)).collect(),
        })
        .into_value()
    }

    fn of(value: &Value) -> &Match {
        value.downcast::<Match>().expect("called with an instance of its type")
    }

    /// What was matched against.
    #[inline]
    pub fn string(&self) -> &Value {
        self.source.downcast_exact::<Scanner>().map_or(&self.source, Scanner::string)
    }

    /// The number of the group with this number or name.
    fn index(&self, vm: &Vm, key: &Value) -> Result<usize> {
        let index = if let Some(n) = key.as_small_int() {
            n
        } else if key.ty().slots().index.is_some() {
            vm.index_clipped(key)?
        } else {
            let found = Pattern::of(&self.pattern).groupindex.get(vm, key)?;
            found.as_ref().filter(|index| int::is_int(index)).and_then(int::to_i64).unwrap_or(-1)
        };
        match usize::try_from(index) {
            Ok(index) if index < self.spans.len() => Ok(index),
            _ => Err(vm.index_error("no such group")),
        }
    }

    fn group(&self, vm: &Vm, index: usize, default: &Value) -> Result {
        match self.spans[index] {
            Some((start, end)) => Subject::of(vm, self.string())?.slice(vm, start, end),
            None => Ok(default.clone()),
        }
    }

    /// The span of the group with this number or name; of the whole match, if none is given.
    fn span(&self, vm: &Vm, key: &Value) -> Result<Span> {
        Ok(self.spans[self.index(vm, key)?])
    }
}

/// −1 for a group that took no part.
fn bounds(span: Span) -> (i64, i64) {
    span.map_or((-1, -1), |(start, end)| (start as i64, end as i64))
}

fn pair(span: Span) -> Value {
    let (start, end) = bounds(span);
    Tuple::from_array([Value::from(start), Value::from(end)]).into_value()
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("string", "The string passed to match() or search().", |_, this| {
        Ok(Match::of(this).string().clone())
    }),
    MemberDef::new("re", "The regular expression object.", |_, this| Ok(Match::of(this).pattern.clone())),
    MemberDef::new(
        "pos",
        "The index into the string at which the RE engine started looking for a match.",
        |_, this| Ok(Value::from(Match::of(this).pos)),
    ),
    MemberDef::new("endpos", "The index into the string beyond which the RE engine will not go.", |_, this| {
        Ok(Value::from(Match::of(this).endpos))
    }),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("lastindex", "The integer index of the last matched capturing group.", |_, this| {
        let lastindex = Match::of(this).lastindex;
        Ok(if lastindex == 0 { Value::NONE } else { Value::from(lastindex) })
    }),
    GetSetDef::new("lastgroup", "The name of the last matched capturing group.", |_, this| {
        let found = Match::of(this);
        let names = &Pattern::of(&found.pattern).indexgroup;
        let name = names.as_slice().get(found.lastindex).filter(|_| found.lastindex > 0);
        Ok(name.cloned().unwrap_or(Value::NONE))
    }),
    GetSetDef::new("regs", "", |_, this| {
        let spans = Match::of(this).spans.iter();
        Ok(Tuple::from_vec(spans.map(|span| pair(*span)).collect()).into_value())
    }),
];

fn group(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let found = Match::of(this);
    if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
        return Err(vm.type_error("Match.group() takes no keyword arguments"));
    }
    match args {
        [] => found.group(vm, 0, &Value::NONE),
        [key] => found.group(vm, found.index(vm, key)?, &Value::NONE),
        keys => {
            let groups: Result<Vec<Value>> =
                keys.iter().map(|key| found.group(vm, found.index(vm, key)?, &Value::NONE)).collect();
            Ok(Tuple::from_vec(groups?).into_value())
        }
    }
}

method_table! { static METHODS = [
    MethodDef::raw(
        "group",
        "group([group1, ...]) -> str or tuple.\n    Return subgroup(s) of the match by indices or names.\n    For 0 \
         returns the entire match.",
        group,
    ),
    MethodDef::new(
        "start($self, group=0, /)",
        "Return index of the start of the substring matched by group.",
        |vm, this, args| Ok(Value::from(bounds(Match::of(this).span(vm, &args[0])?).0)),
    ),
    MethodDef::new("end($self, group=0, /)", "Return index of the end of the substring matched by group.", |vm, this, args| {
        Ok(Value::from(bounds(Match::of(this).span(vm, &args[0])?).1))
    }),
    MethodDef::new(
        "span($self, group=0, /)",
        "For match object m, return the 2-tuple (m.start(group), m.end(group)).",
        |vm, this, args| Ok(pair(Match::of(this).span(vm, &args[0])?)),
    ),
    MethodDef::new(
        "groups($self, /, default=None)",
        "Return a tuple containing all the subgroups of the match, from 1.\n\n  default\n    Is used for groups that did \
         not participate in the match.",
        |vm, this, args| {
            let found = Match::of(this);
            let groups: Result<Vec<Value>> =
                (1..found.spans.len()).map(|index| found.group(vm, index, &args[0])).collect();
            Ok(Tuple::from_vec(groups?).into_value())
        },
    ),
    MethodDef::new(
        "groupdict($self, /, default=None)",
        "Return a dictionary containing all the named subgroups of the match, keyed by the subgroup name.\n\n  default\n    \
         Is used for groups that did not participate in the match.",
        |vm, this, args| {
            let found = Match::of(this);
            let dict = Dict::new();
            for name in Pattern::of(&found.pattern).groupindex.keys() {
                dict.set(vm, &name, found.group(vm, found.index(vm, &name)?, &args[0])?)?;
            }
            Ok(dict.into_value())
        },
    ),
    MethodDef::new(
        "expand($self, /, template)",
        "Return the string obtained by doing backslash substitution on the string template, as done by the sub() method.",
        |vm, this, args| substitute::expand(vm, Match::of(this), &args[0]),
    ),
    MethodDef::new("__copy__($self, /)", "", |_, this, _| Ok(this.clone())),
    MethodDef::new("__deepcopy__($self, memo, /)", "", |_, this, _| Ok(this.clone())),
    MethodDef::new(
        "__class_getitem__($type, object, /)",
        "Matches are generic over the type of string which was matched (str or bytes)",
        |vm, class, args| Ok(generic_alias::new(vm, class, &args[0])),
    )
    .class(),
]; }
