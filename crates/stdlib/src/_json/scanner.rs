//! `json`'s scanner: makes objects of JSON text.

pub mod parse;

use crate::arguments::ssize;
use crate::payload::{class_of, payload, signature};
use taipan_object::Value;
use taipan_object::builtins::float::FLOAT;
use taipan_object::builtins::int::INT;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MemberDef;
use taipan_object::types::{Type, TypeSpec, type_flags};

payload! {
    pub struct Scanner(ScannerState): SCANNER [
        strict: bool,
        object_hook: Value,
        object_pairs_hook: Value,
        parse_float: Value,
        parse_int: Value,
        parse_constant: Value,
    ] {}
}

pub static SCANNER: TypeSpec = TypeSpec::new::<Scanner>("_json.Scanner")
    .doc("JSON scanner object")
    .flags(type_flags::CALLED_BESIDE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = NEW.bind(vm, args, kwnames)?;
            let attribute = |name| vm.get_attr_str(&bound[0], name);
            let strict = vm.is_true(&attribute("strict")?)?;
            Ok(Scanner::make(
                class_of(class),
                strict,
                attribute("object_hook")?,
                attribute("object_pairs_hook")?,
                attribute("parse_float")?,
                attribute("parse_int")?,
                attribute("parse_constant")?,
                ScannerState {},
            ))
        });
        s.call = Some(|vm, this, args, kwnames| {
            let bound = CALL.bind(vm, args, kwnames)?;
            let at = ssize(vm, &bound[1])?;
            let Some(text) = bound[0].downcast::<Str>() else {
                let got = bound[0].ty().name();
                return Err(vm.type_error(format!("first argument must be a string, not {got}")));
            };
            let Ok(at) = usize::try_from(at) else { return Err(vm.value_error("idx cannot be negative")) };
            let (value, end) = parse::value(vm, Scanner::of(this), &bound[0], text, at)?;
            Ok(Tuple::from_array([value, Value::from(end)]).into_value())
        });
    })
    .members(MEMBERS);

signature!(NEW = "make_scanner(context)");
signature!(CALL = "scan_once(string, idx)");

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("strict", "strict", |_, this| Ok(Value::bool(Scanner::of(this).strict))),
    MemberDef::new("object_hook", "object_hook", |_, this| Ok(Scanner::of(this).object_hook.clone())),
    MemberDef::new("object_pairs_hook", "", |_, this| Ok(Scanner::of(this).object_pairs_hook.clone())),
    MemberDef::new("parse_float", "parse_float", |_, this| Ok(Scanner::of(this).parse_float.clone())),
    MemberDef::new("parse_int", "parse_int", |_, this| Ok(Scanner::of(this).parse_int.clone())),
    MemberDef::new("parse_constant", "parse_constant", |_, this| Ok(Scanner::of(this).parse_constant.clone())),
];

impl Scanner {
    fn makes_floats(&self) -> bool {
        self.parse_float.downcast::<Type>().is_some_and(|class| class.is(&FLOAT))
    }
    fn makes_ints(&self) -> bool {
        self.parse_int.downcast::<Type>().is_some_and(|class| class.is(&INT))
    }
}
