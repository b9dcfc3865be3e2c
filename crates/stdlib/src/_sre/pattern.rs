//! `re.Pattern`: representation, construction, comparison; its methods are in `matching.rs` and `substitute.rs`.

use super::engine::opcode::*;
use super::engine::{Program, Scratch};
use super::{matching, substitute};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{generic_alias, int, mappingproxy};
use taipan_object::cell::ObjectCell;
use taipan_object::hash::hash_bytes;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::subject::Subject;

/// A compiled regular expression.
#[repr(C)]
pub struct Pattern {
    pub header: Header,
    /// What it was compiled from, or `None`.
    pattern: Value,
    pub groupindex: Ref<Dict>,
    pub indexgroup: Ref<Tuple>,
    pub flags: i32,
    /// Whether it matches bytes; None if either.
    pub is_bytes: Option<bool>,
    code: Box<[u32]>,
    pub program: Program,
    /// Memory that matching uses and gives back, unless threads run in parallel: each has its own then.
    pub scratch: ObjectCell<Option<Scratch>>,
}

// SAFETY: repr(C), header first, visits every reference.
unsafe impl Payload for Pattern {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        PATTERN.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.pattern);
        visit(self.groupindex.as_value());
        visit(self.indexgroup.as_value());
    }
}

pub static PATTERN: TypeSpec = TypeSpec::new::<Pattern>("re.Pattern")
    .doc("Compiled regular expression object.")
    .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::HAS_WEAKREF | type_flags::FOR_ALL_THREADS)
    .slots(slots)
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

fn slots(s: &mut Slots) {
    s.repr = Some(|vm, this| repr(vm, Pattern::of(this)));
    s.hash = Some(|vm, this| {
        let pattern = Pattern::of(this);
        let code: Vec<u8> = pattern.code.iter().flat_map(|word| word.to_le_bytes()).collect();
        let shape = i64::from(pattern.flags) ^ pattern.is_bytes.map_or(-1, i64::from) ^ pattern.groups() as i64;
        let hash = vm.hash(&pattern.pattern)? ^ hash_bytes(&code) ^ shape;
        Ok(if hash == -1 { -2 } else { hash })
    });
    s.richcompare = Some(|vm, this, other, op| {
        let (Some(a), Some(b)) = (this.downcast::<Pattern>(), other.downcast::<Pattern>()) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        // Strings and bytes are told apart first: to compare them may be an error (-bb).
        let equal = std::ptr::eq(a, b)
            || a.flags == b.flags
                && a.is_bytes == b.is_bytes
                && a.code == b.code
                && vm.equal_or_identical(&a.pattern, &b.pattern)?;
        Ok(Value::bool(equal == (op == CompareOp::Eq)))
    });
}

impl Pattern {
    #[inline]
    pub fn of(value: &Value) -> &Pattern {
        value.downcast::<Pattern>().expect("called with an instance of its type")
    }

    pub fn groups(&self) -> usize {
        self.program.groups()
    }
}

/// `_sre.compile(pattern, flags, code, groups, groupindex, indexgroup)`
pub fn compile(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let [pattern, flags, code, groups, groupindex, indexgroup] = args else { unreachable!("six are declared") };
    let flags = vm.index_i32(flags)?;
    let wrong = |name: &str, wanted: &str, got: &Value| {
        vm.type_error(format!("compile() argument '{name}' must be {wanted}, not {}", got.ty().name()))
    };
    let Some(code_list) = code.downcast::<List>() else { return Err(wrong("code", "list", code)) };
    let groups = vm.index_i64(groups)?;
    let Some(groupindex) = groupindex.downcast_ref::<Dict>() else {
        return Err(wrong("groupindex", "dict", groupindex));
    };
    let Some(indexgroup) = indexgroup.downcast_ref::<Tuple>() else {
        return Err(wrong("indexgroup", "tuple", indexgroup));
    };
    let mut code = Vec::with_capacity(code_list.len());
    for word in code_list.to_vec() {
        if !int::is_int(&word) {
            return Err(vm.type_error("an integer is required"));
        }
        if int::is_negative(&word) {
            return Err(vm.overflow_error("can't convert negative value to unsigned int"));
        }
        match int::to_i64(&word).and_then(|word| u32::try_from(word).ok()) {
            Some(word) => code.push(word),
            None => return Err(vm.overflow_error("regular expression code size limit exceeded")),
        }
    }
    let is_bytes = if pattern.is_none() { None } else { Some(Subject::of(vm, pattern)?.is_bytes()) };
    let program = u32::try_from(groups)
        .ok()
        .filter(|groups| *groups <= MAXGROUPS)
        .and_then(|groups| Program::new(&code, groups as usize).ok());
    let Some(program) = program else { return Err(vm.runtime_error("invalid SRE code")) };
    Ok(Ref::new(Pattern {
        header: Header::new(PATTERN.ty()),
        pattern: pattern.clone(),
        groupindex,
        indexgroup,
        flags,
        is_bytes,
        code: code.into(),
        program,
        scratch: ObjectCell::new(None),
    })
    .into_value())
}

fn repr(vm: &Vm, pattern: &Pattern) -> Result {
    const NAMES: [(&str, u32); 7] = [
        ("re.IGNORECASE", SRE_FLAG_IGNORECASE),
        ("re.LOCALE", SRE_FLAG_LOCALE),
        ("re.MULTILINE", SRE_FLAG_MULTILINE),
        ("re.DOTALL", SRE_FLAG_DOTALL),
        ("re.VERBOSE", SRE_FLAG_VERBOSE),
        ("re.DEBUG", SRE_FLAG_DEBUG),
        ("re.ASCII", SRE_FLAG_ASCII),
    ];
    const ENCODINGS: u32 = SRE_FLAG_LOCALE | SRE_FLAG_UNICODE | SRE_FLAG_ASCII;
    let mut flags = pattern.flags as u32;
    // Of str patterns it goes without saying.
    if pattern.is_bytes == Some(false) && flags & ENCODINGS == SRE_FLAG_UNICODE {
        flags &= !SRE_FLAG_UNICODE;
    }
    let mut names = Vec::new();
    for (name, flag) in NAMES {
        if flags & flag != 0 {
            names.push(name.to_string());
            flags &= !flag;
        }
    }
    if flags != 0 {
        names.push(format!("{flags:#x}"));
    }
    let inner = vm.repr(&pattern.pattern)?;
    let inner = inner.downcast::<Str>().expect("`repr` makes a str");
    let mut text = StrBuilder::new();
    text.push_str("re.compile(");
    inner.code_points().take(200).for_each(|c| text.push(c));
    if !names.is_empty() {
        text.push_str(", ");
        text.push_str(&names.join("|"));
    }
    text.push_str(")");
    Ok(text.finish().into_value())
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("pattern", "The pattern string from which the RE object was compiled.", |_, this| {
        Ok(Pattern::of(this).pattern.clone())
    }),
    MemberDef::new("flags", "The regex matching flags.", |_, this| Ok(Value::from(Pattern::of(this).flags))),
    MemberDef::new("groups", "The number of capturing groups in the pattern.", |_, this| {
        Ok(Value::from(Pattern::of(this).groups()))
    }),
];

static GETSET: &[GetSetDef] =
    &[GetSetDef::new("groupindex", "A dictionary mapping group names to group numbers.", |_, this| {
        Ok(mappingproxy::new(Pattern::of(this).groupindex.as_value().clone()))
    })];

method_table! { static METHODS = [
    MethodDef::raw(
        "match($self, /, string, pos=0, endpos=sys.maxsize)",
        "Matches zero or more characters at the beginning of the string.",
        matching::match_prefix,
    ),
    MethodDef::raw(
        "fullmatch($self, /, string, pos=0, endpos=sys.maxsize)",
        "Matches against all of the string.",
        matching::fullmatch,
    ),
    MethodDef::raw(
        "search($self, /, string, pos=0, endpos=sys.maxsize)",
        "Scan through string looking for a match, and return a corresponding match object instance.\n\nReturn None if no \
         position in the string matches.",
        matching::search,
    ),
    MethodDef::raw(
        "sub($self, /, repl, string, count=0)",
        "Return the string obtained by replacing the leftmost non-overlapping occurrences of pattern in string by the \
         replacement repl.",
        substitute::sub,
    ),
    MethodDef::raw(
        "subn($self, /, repl, string, count=0)",
        "Return the tuple (new_string, number_of_subs_made) found by replacing the leftmost non-overlapping occurrences of \
         pattern with the replacement repl.",
        substitute::subn,
    ),
    MethodDef::raw(
        "findall($self, /, string, pos=0, endpos=sys.maxsize)",
        "Return a list of all non-overlapping matches of pattern in string.",
        matching::findall,
    ),
    MethodDef::new(
        "split($self, /, string, maxsplit=0)",
        "Split string by the occurrences of pattern.",
        matching::split,
    ),
    MethodDef::raw(
        "finditer($self, /, string, pos=0, endpos=sys.maxsize)",
        "Return an iterator over all non-overlapping matches for the RE pattern in string.\n\nFor each match, the iterator \
         returns a match object.",
        matching::finditer,
    ),
    MethodDef::raw("scanner($self, /, string, pos=0, endpos=sys.maxsize)", "", matching::scanner),
    MethodDef::new("__copy__($self, /)", "", |_, this, _| Ok(this.clone())),
    MethodDef::new("__deepcopy__($self, memo, /)", "", |_, this, _| Ok(this.clone())),
    MethodDef::new(
        "__class_getitem__($type, object, /)",
        "Patterns are generic over the type of string they handle (str or bytes)",
        |vm, class, args| Ok(generic_alias::new(vm, class, &args[0])),
    )
    .class(),
]; }
