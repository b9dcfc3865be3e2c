//! `csv.Dialect` as the reader and the writer use it: checked parameters.

use super::registered;
use crate::payload::{class_of, payload};
use taipan_object::builtins::int;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

/// When fields are quoted; the numbers are Python's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quoting {
    Minimal,
    All,
    NonNumeric,
    None,
    Strings,
    NotNull,
}

impl Quoting {
    fn from_number(n: i64) -> Option<Quoting> {
        use Quoting::*;
        [Minimal, All, NonNumeric, None, Strings, NotNull].get(usize::try_from(n).ok()?).copied()
    }
}

/// The parameters, without references: for the inner loops.
#[derive(Clone, Copy)]
pub struct Parameters {
    pub delimiter: u32,
    pub quotechar: Option<u32>,
    pub escapechar: Option<u32>,
    pub quoting: Quoting,
    pub doublequote: bool,
    pub skipinitialspace: bool,
    pub strict: bool,
}

impl crate::payload::Field for Parameters {
    fn visit(&self, _: taipan_object::object::Visitor) {}
    fn take(&mut self) -> Self {
        *self
    }
}

payload! {
    pub struct Dialect(DialectState): DIALECT [parameters: Parameters, lineterminator: Ref<Str>] {}
}

pub static DIALECT: TypeSpec = TypeSpec::new::<Dialect>("_csv.Dialect")
    .doc("The options of a CSV format.\n\nThey say how fields are delimited, quoted and escaped.")
    .flags(type_flags::BASETYPE)
    .slots(|s| s.new = Some(new))
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

method_table! { static METHODS = [
    MethodDef::raw("__reduce__", "raise TypeError, as the object cannot be pickled", cannot_pickle),
    MethodDef::raw("__reduce_ex__", "raise TypeError, as the object cannot be pickled", cannot_pickle),
]; }

fn cannot_pickle(vm: &Vm, this: &Value, _: &[Value], _: Option<&Value>) -> Result {
    Err(vm.type_error(format!("cannot pickle '{}' instances", this.ty().short_name())))
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("skipinitialspace", "", |_, this| Ok(Value::bool(Dialect::of(this).parameters.skipinitialspace))),
    MemberDef::new("doublequote", "", |_, this| Ok(Value::bool(Dialect::of(this).parameters.doublequote))),
    MemberDef::new("strict", "", |_, this| Ok(Value::bool(Dialect::of(this).parameters.strict))),
];

fn character_value(character: Option<u32>) -> Result {
    Ok(character.map_or(Value::NONE, |code| Str::from_code_point(code).into_value()))
}

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("delimiter", "", |_, this| character_value(Some(Dialect::of(this).parameters.delimiter))),
    GetSetDef::new("escapechar", "", |_, this| character_value(Dialect::of(this).parameters.escapechar)),
    GetSetDef::new("lineterminator", "", |_, this| Ok(Dialect::of(this).lineterminator.clone().into_value())),
    GetSetDef::new("quotechar", "", |_, this| character_value(Dialect::of(this).parameters.quotechar)),
    GetSetDef::new("quoting", "", |_, this| Ok(Value::from(Dialect::of(this).parameters.quoting as i64))),
];

const NAMES: [&str; 9] = [
    "dialect",
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
];

/// `Dialect(dialect=None, delimiter=…, …)`; also what `reader`, `writer` and `register_dialect` do with their arguments.
pub fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let class = class_of(class);
    let mut given = arguments(vm, args, kwnames)?;
    if let Some(base) = given[0].take().filter(|base| !base.is_none()) {
        let base = if base.downcast::<Str>().is_some() { registered(vm, &base)? } else { base };
        let overridden = given.iter().any(Option::is_some);
        if base.downcast::<Dialect>().is_some() && !overridden {
            return Ok(base);
        }
        for (name, given) in NAMES.iter().zip(&mut given).skip(1) {
            if given.is_none() {
                *given = vm.get_attr_opt(&base, intern(name).as_value())?;
            }
        }
    }
    let [_, delimiter, doublequote, escapechar, lineterminator, quotechar, quoting, skipinitialspace, strict] = given;
    let truth = |value: &Option<Value>, default| value.as_ref().map_or(Ok(default), |value| vm.is_true(value));
    let delimiter = match delimiter {
        None => u32::from(b','),
        Some(value) => character(vm, "delimiter", &value, "a unicode character")?,
    };
    let optional = |name, value: &Option<Value>, default| match value {
        None => Ok(default),
        Some(none) if none.is_none() => Ok(None),
        Some(value) => character(vm, name, value, "a unicode character or None").map(Some),
    };
    let doublequote = truth(&doublequote, true)?;
    let escapechar = optional("escapechar", &escapechar, None)?;
    let lineterminator = match lineterminator {
        None => Str::new("\r\n"),
        Some(text) => text
            .downcast_ref::<Str>()
            .ok_or_else(|| vm.type_error(format!("\"lineterminator\" must be a string, not {}", text.ty().name())))?,
    };
    let quotes_given = quoting.is_some();
    let no_quotechar = quotechar.as_ref().is_some_and(Value::is_none);
    let quotechar = optional("quotechar", &quotechar, Some(b'"'.into()))?;
    let quoting = quoting_argument(vm, quoting)?;
    let parameters = Parameters {
        delimiter,
        quotechar,
        escapechar,
        quoting: if no_quotechar && !quotes_given { Quoting::None } else { quoting },
        doublequote,
        skipinitialspace: truth(&skipinitialspace, false)?,
        strict: truth(&strict, false)?,
    };
    check(vm, &parameters, &lineterminator)?;
    Ok(Dialect::make(class, parameters, lineterminator, DialectState {}))
}

fn arguments(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result<[Option<Value>; 9]> {
    let keywords: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], Tuple::as_slice);
    let (positional, values) = args.split_at(args.len() - keywords.len());
    let mut given: [Option<Value>; 9] = Default::default();
    if args.len() > given.len() {
        return Err(vm.type_error(format!("function takes at most 9 arguments ({} given)", args.len())));
    }
    for (slot, value) in given.iter_mut().zip(positional) {
        *slot = Some(value.clone());
    }
    for (keyword, value) in keywords.iter().zip(values) {
        let known = NAMES.iter().position(|name| keyword.downcast::<Str>().is_some_and(|keyword| keyword.is_str(name)));
        match known {
            Some(at) if given[at].is_none() => given[at] = Some(value.clone()),
            Some(at) => {
                let name = NAMES[at];
                return Err(
                    vm.type_error(format!("argument for function given by name ('{name}') and position ({})", at + 1))
                );
            }
            None => {
                let keyword = vm.display_name(keyword);
                return Err(vm.type_error(format!("this function got an unexpected keyword argument '{keyword}'")));
            }
        }
    }
    Ok(given)
}

fn character(vm: &Vm, name: &str, value: &Value, expected: &str) -> Result<u32> {
    let got = match value.downcast::<Str>() {
        Some(text) if text.len() == 1 => return Ok(text.at(0)),
        Some(text) => format!("a string of length {}", text.len()),
        None => value.ty().name(),
    };
    Err(vm.type_error(format!("\"{name}\" must be {expected}, not {got}")))
}

fn quoting_argument(vm: &Vm, quoting: Option<Value>) -> Result<Quoting> {
    let Some(value) = quoting else { return Ok(Quoting::Minimal) };
    if !int::is_exact(&value) {
        return Err(vm.type_error(format!("\"quoting\" must be an integer, not {}", value.ty().name())));
    }
    let number = crate::arguments::c_int(vm, &value)?;
    Quoting::from_number(number.into()).ok_or_else(|| vm.type_error("bad \"quoting\" value"))
}

fn check(vm: &Vm, parameters: &Parameters, lineterminator: &Str) -> Result<()> {
    let Parameters { delimiter, quotechar, escapechar, .. } = *parameters;
    if quotechar.is_none() && parameters.quoting != Quoting::None {
        return Err(vm.type_error("quotechar must be set if quoting enabled"));
    }
    let spaces_allowed = !parameters.skipinitialspace;
    let characters = [
        ("delimiter", Some(delimiter), true),
        ("escapechar", escapechar, spaces_allowed),
        ("quotechar", quotechar, spaces_allowed),
    ];
    for (name, code, space_allowed) in characters {
        let Some(code) = code else { continue };
        if code == u32::from(b'\r') || code == u32::from(b'\n') || code == u32::from(b' ') && !space_allowed {
            return Err(vm.value_error(format!("bad {name} value")));
        }
        if lineterminator.code_points().any(|c| c == code) {
            return Err(vm.value_error(format!("bad {name} or lineterminator value")));
        }
    }
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let ((first, x, _), (second, y, _)) = (characters[a], characters[b]);
        if x.is_some() && x == y {
            return Err(vm.value_error(format!("bad {first} or {second} value")));
        }
    }
    Ok(())
}
