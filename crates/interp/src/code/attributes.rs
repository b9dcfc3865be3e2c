//! What Python sees of a code object: attributes, methods, constructor.

use super::iterators;

use taipan_bytecode::code::{
    CO_FAST_ARG_KW, CO_FAST_ARG_POS, CO_FAST_ARG_VAR, CO_FAST_CELL, CO_FAST_FREE, CO_FAST_LOCAL, CO_VARARGS,
    CO_VARKEYWORDS,
};
use taipan_bytecode::linetable::{lines, positions};
use taipan_bytecode::opcode::Opcode;
use taipan_bytecode::{CodeData, Constant, Text};
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::signature::unexpected_keyword;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::{Result, Value, Vm};

use super::{Code, constants, value_to_constant};

pub(super) fn slots(s: &mut Slots) {
    s.repr = Some(|_, this| {
        let code = own(this);
        let file = code.data.filename.to_str_lossy();
        let name = code.data.name.to_str_lossy();
        let (id, line) = (this.id(), code.data.firstlineno);
        let line = if line == 0 { -1 } else { line };
        Ok(Value::from(format!("<code object {name} at {id:#x}, file \"{file}\", line {line}>")))
    });
    s.hash = Some(|vm, this| {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let code = own(this);
        let data = &code.data;
        let mut hasher = DefaultHasher::new();
        (&data.name, data.argcount, data.posonlyargcount, data.kwonlyargcount, data.flags, data.firstlineno)
            .hash(&mut hasher);
        (&data.code, &data.linetable, &data.exceptiontable, &data.names, &data.localsplusnames).hash(&mut hasher);
        for constant in code.consts() {
            vm.hash(constant)?.hash(&mut hasher);
        }
        Ok((hasher.finish() >> 2) as i64)
    });
    s.richcompare = Some(|vm, this, other, op| {
        let (Some(a), Some(b)) = (this.downcast::<Code>(), other.downcast::<Code>()) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let equal = match op {
            CompareOp::Eq | CompareOp::Ne => same_code(vm, a, b)?,
            _ => return Ok(Value::NOT_IMPLEMENTED),
        };
        Ok(Value::bool(equal == (op == CompareOp::Eq)))
    });
    s.new = Some(|vm, _, args, kwnames| {
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error("code() takes no keyword arguments"));
        }
        construct(vm, args)
    });
}

/// Constants of types that marshal knows are compared as the compiler does, others by `==`.
fn same_code(vm: &Vm, a: &Code, b: &Code) -> Result<bool> {
    if a.data != b.data || a.consts().len() != b.consts().len() {
        return Ok(false);
    }
    for (x, y) in a.consts().iter().zip(b.consts()) {
        if value_to_constant(x).is_none() && !vm.equal_or_identical(x, y)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn own(this: &Value) -> &Code {
    this.downcast::<Code>().expect("called through its own slot")
}

fn text(text: &Text) -> Value {
    constants::interned(text)
}

fn tuple(items: Vec<Value>) -> Value {
    Tuple::from_vec(items).into_value()
}

fn names_of_kind(code: &Code, kind: u8) -> Value {
    let names = code.localsplusnames().iter().zip(&*code.data.localspluskinds);
    tuple(names.filter(|(_, k)| **k & kind != 0).map(|(name, _)| name.clone()).collect())
}

pub(super) static MEMBERS: &[MemberDef] = &[
    MemberDef::new("co_argcount", "", |_, this| Ok(Value::from(own(this).data.argcount))),
    MemberDef::new("co_posonlyargcount", "", |_, this| Ok(Value::from(own(this).data.posonlyargcount))),
    MemberDef::new("co_kwonlyargcount", "", |_, this| Ok(Value::from(own(this).data.kwonlyargcount))),
    MemberDef::new("co_stacksize", "", |_, this| Ok(Value::from(own(this).data.stacksize))),
    MemberDef::new("co_flags", "", |_, this| Ok(Value::from(own(this).data.flags))),
    MemberDef::new("co_names", "", |_, this| Ok(tuple(own(this).names().to_vec()))),
    MemberDef::new("co_filename", "", |_, this| Ok(text(&own(this).data.filename))),
    MemberDef::new("co_name", "", |_, this| Ok(text(&own(this).data.name))),
    MemberDef::new("co_qualname", "", |_, this| Ok(text(&own(this).data.qualname))),
    MemberDef::new("co_firstlineno", "", |_, this| Ok(Value::from(own(this).data.firstlineno))),
    MemberDef::new("co_linetable", "", |_, this| Ok(bytes::new(&own(this).data.linetable))),
    MemberDef::new("co_exceptiontable", "", |_, this| Ok(bytes::new(&own(this).data.exceptiontable))),
    MemberDef::new("co_consts", "", |_, this| Ok(tuple(own(this).consts().to_vec()))),
    MemberDef::new("co_nlocals", "", |_, this| Ok(Value::from(own(this).data.nlocals()))),
];

pub(super) static GETSET: &[GetSetDef] = &[
    GetSetDef::new("co_code", "", |_, this| Ok(bytes::new(&own(this).data.code))),
    GetSetDef::new("_co_code_adaptive", "", |_, this| Ok(bytes::new(&own(this).data.code))),
    GetSetDef::new("co_lnotab", "", |vm, this| {
        let message = "co_lnotab is deprecated, use co_lines instead.";
        vm.warn(&taipan_object::exceptions::DEPRECATION_WARNING.value(), message, 1)?;
        let code = own(this);
        Ok(bytes::new(&lnotab(&code.data.linetable, code.data.firstlineno)))
    }),
    GetSetDef::new("co_varnames", "", |_, this| Ok(names_of_kind(own(this), CO_FAST_LOCAL))),
    GetSetDef::new("co_cellvars", "", |_, this| Ok(names_of_kind(own(this), CO_FAST_CELL))),
    GetSetDef::new("co_freevars", "", |_, this| Ok(names_of_kind(own(this), CO_FAST_FREE))),
];

taipan_object::method_table! {
    pub(super) static METHODS = [
    MethodDef::new("co_lines($self, /)", "", |_, this, _| {
        let code = own(this);
        let items = lines(&code.data.linetable, code.data.firstlineno).map(|(start, end, line)| {
            tuple(vec![Value::from(start), Value::from(end), line.map_or(Value::NONE, Value::from)])
        });
        Ok(iterators::new(iterators::LINE_ITERATOR.ty(), items.collect()))
    }),
    MethodDef::new("co_positions($self, /)", "", |_, this, _| {
        let code = own(this);
        let part = |n: i32| if n == -1 { Value::NONE } else { Value::from(n) };
        let has_columns = crate::config::get().code_debug_ranges;
        let items = positions(&code.data.linetable, code.data.firstlineno).map(|p| {
            if !has_columns {
                return tuple(vec![part(p.lineno), part(p.lineno), Value::NONE, Value::NONE]);
            }
            tuple(vec![part(p.lineno), part(p.end_lineno), part(p.col_offset), part(p.end_col_offset)])
        });
        Ok(iterators::new(iterators::POSITIONS_ITERATOR.ty(), items.collect()))
    }),
    MethodDef::new("co_branches($self, /)", "", |_, this, _| {
        Ok(iterators::new(iterators::LINE_ITERATOR.ty(), branches(&own(this).data.code)))
    }),
    MethodDef::new("_varname_from_oparg($self, /, oparg)", "\
        The name of the local variable that an instruction refers to; internal.", |vm, this, args| {
        let code = own(this);
        let index = vm.index_i64(&args[0])?;
        match code.localsplusnames().get(index as usize) {
            Some(name) if index >= 0 => Ok(name.clone()),
            _ => Err(vm.index_error("tuple index out of range")),
        }
    }),
    taipan_object::builtins::object::methods::size_of_method(""),
    MethodDef::raw("replace($self, /, **changes)", "\
        Return a code object in which the given attributes have other values.", replace),
    MethodDef::raw("__replace__($self, /, **changes)", "An alias of replace(), for copy.replace().", replace),
];
}

/// The line table in the form it had before 3.10: pairs of a step in the code and a signed step in the lines.
fn lnotab(linetable: &[u8], first: i32) -> Vec<u8> {
    let (mut table, mut code, mut line) = (Vec::new(), 0i64, i64::from(first));
    for (start, _, at) in lines(linetable, first) {
        let (start, Some(at)) = (i64::from(start), at.map(i64::from)) else { continue };
        if at == line {
            continue;
        }
        let (mut code_step, mut line_step) = (start - code, at - line);
        (code, line) = (start, at);
        while code_step > 255 {
            table.extend([255, 0]);
            code_step -= 255;
        }
        while !(-128..=127).contains(&line_step) {
            let part = line_step.clamp(-128, 127);
            table.extend([code_step as u8, part as i8 as u8]);
            (code_step, line_step) = (0, line_step - part);
        }
        table.extend([code_step as u8, line_step as i8 as u8]);
    }
    table
}

/// `co_branches`: (source, not taken, taken) of each conditional jump.
fn branches(code: &[u8]) -> Vec<Value> {
    let (mut items, mut at, mut oparg) = (Vec::new(), 0, 0u32);
    while at + 1 < code.len() {
        let Some(op) = Opcode::from_u8(code[at]) else { break };
        oparg = oparg << 8 | code[at + 1] as u32;
        if op == Opcode::EXTENDED_ARG {
            at += 2;
            continue;
        }
        let next = at + 2 + 2 * op.cache_units();
        let item = |not_taken: usize, taken: usize| tuple(vec![at.into(), not_taken.into(), taken.into()]);
        match op {
            Opcode::FOR_ITER => items.push(item(next, next + 2 * oparg as usize + 4)),
            op if op.is_conditional_jump() => items.push(item(next + 2, next + 2 * oparg as usize)),
            Opcode::END_ASYNC_FOR => {
                let source = next.saturating_sub(2 * oparg as usize);
                items.push(tuple(vec![source.into(), (source + 4).into(), next.into()]));
            }
            _ => {}
        }
        oparg = 0;
        at = next;
    }
    items
}

/// The parts of a code object as its constructor takes them.
struct Parts {
    data: CodeData,
    consts: Vec<Value>,
    varnames: Vec<Text>,
    cellvars: Vec<Text>,
    freevars: Vec<Text>,
    nlocals: Option<i64>,
}

fn text_of(vm: &Vm, value: &Value, what: &str) -> Result<Text> {
    match value.downcast::<Str>() {
        Some(text) => Ok(Text::from_bytes(&text.to_wtf8()).expect("a str is WTF-8")),
        None => Err(vm.type_error(format!("{what} must be str, not {}", value.ty().name()))),
    }
}

fn texts_of(vm: &Vm, value: &Value, what: &str) -> Result<Vec<Text>> {
    let Some(tuple) = value.downcast::<Tuple>() else {
        return Err(vm.type_error(format!("{what} must be tuple, not {}", value.ty().name())));
    };
    tuple
        .as_slice()
        .iter()
        .map(|item| match item.downcast::<Str>() {
            Some(text) => Ok(Text::from_bytes(&text.to_wtf8()).expect("a str is WTF-8")),
            None => {
                let name = item.ty().name();
                Err(vm.type_error(format!("name tuples must contain only strings, not '{name}'")))
            }
        })
        .collect()
}

fn bytes_of(vm: &Vm, value: &Value, what: &str) -> Result<taipan_bytecode::Bytes> {
    match value.downcast::<Bytes>() {
        Some(bytes) => {
            vm.check_room(2 * bytes.as_slice().len())?;
            Ok(bytes.as_slice().to_vec().into())
        }
        None => Err(vm.type_error(format!("{what} must be bytes, not {}", value.ty().name()))),
    }
}

fn count_of(vm: &Vm, value: &Value, what: &str) -> Result<u32> {
    match u32::try_from(vm.index_i64(value)?) {
        Ok(count) if count <= i32::MAX as u32 => Ok(count),
        _ => Err(vm.value_error(format!("code: {what} must not be negative"))),
    }
}

impl Parts {
    /// What `replace()` takes.
    const NAMES: [&str; 18] = [
        "co_argcount",
        "co_posonlyargcount",
        "co_kwonlyargcount",
        "co_nlocals",
        "co_stacksize",
        "co_flags",
        "co_firstlineno",
        "co_code",
        "co_consts",
        "co_names",
        "co_varnames",
        "co_freevars",
        "co_cellvars",
        "co_filename",
        "co_name",
        "co_qualname",
        "co_linetable",
        "co_exceptiontable",
    ];

    fn set(&mut self, vm: &Vm, name: &str, value: &Value) -> Result<bool> {
        let argument = format!("replace() argument '{name}'");
        let what = argument.as_str();
        let data = &mut self.data;
        match name {
            "co_argcount" => data.argcount = count_of(vm, value, "argcount")?,
            "co_posonlyargcount" => data.posonlyargcount = count_of(vm, value, "posonlyargcount")?,
            "co_kwonlyargcount" => data.kwonlyargcount = count_of(vm, value, "kwonlyargcount")?,
            "co_nlocals" => self.nlocals = Some(vm.index_i64(value)?),
            "co_stacksize" => data.stacksize = count_of(vm, value, "stacksize")?,
            "co_flags" => data.flags = count_of(vm, value, "flags")?,
            "co_firstlineno" => data.firstlineno = count_of(vm, value, "firstlineno")? as i32,
            "co_code" => data.code = bytes_of(vm, value, what)?,
            "co_linetable" => data.linetable = bytes_of(vm, value, what)?,
            "co_exceptiontable" => data.exceptiontable = bytes_of(vm, value, what)?,
            "co_filename" => data.filename = text_of(vm, value, what)?,
            "co_name" => data.name = text_of(vm, value, what)?,
            "co_qualname" => data.qualname = text_of(vm, value, what)?,
            "co_names" => data.names = texts_of(vm, value, what)?.into(),
            "co_varnames" => self.varnames = texts_of(vm, value, what)?,
            "co_cellvars" => self.cellvars = texts_of(vm, value, what)?,
            "co_freevars" => self.freevars = texts_of(vm, value, what)?,
            "co_consts" => match value.downcast::<Tuple>() {
                Some(tuple) => self.consts = tuple.as_slice().to_vec(),
                None => {
                    let got = value.ty().name();
                    return Err(vm.type_error(format!("{what} must be tuple, not {got}")));
                }
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(mut self, vm: &Vm) -> Result {
        let data = &mut self.data;
        let invalid = |what: &str| Err(vm.value_error(format!("code: {what}")));
        if self.nlocals.is_some_and(|n| n != self.varnames.len() as i64) {
            return invalid("co_nlocals != len(co_varnames)");
        }
        if data.code.len() % 2 != 0 {
            return invalid("co_code is malformed");
        }
        if data.posonlyargcount > data.argcount {
            return invalid("co_posonlyargcount exceeds co_argcount");
        }
        let (varargs, varkeywords) = (data.flags & CO_VARARGS != 0, data.flags & CO_VARKEYWORDS != 0);
        let named = data.argcount as usize + data.kwonlyargcount as usize;
        let total = named + varargs as usize + varkeywords as usize;
        if total > self.varnames.len() {
            return invalid("varnames is too small");
        }
        let (mut names, mut kinds) = (Vec::new(), Vec::new());
        for (index, name) in self.varnames.iter().enumerate() {
            let mut kind = CO_FAST_LOCAL;
            if index < data.posonlyargcount as usize {
                kind |= CO_FAST_ARG_POS;
            } else if index < data.argcount as usize {
                kind |= CO_FAST_ARG_POS | CO_FAST_ARG_KW;
            } else if index < named {
                kind |= CO_FAST_ARG_KW;
            } else if index == named && varargs {
                kind |= CO_FAST_ARG_POS | CO_FAST_ARG_VAR;
            } else if index < total {
                kind |= CO_FAST_ARG_KW | CO_FAST_ARG_VAR;
            }
            if self.cellvars.contains(name) {
                kind |= CO_FAST_CELL;
            }
            names.push(name.clone());
            kinds.push(kind);
        }
        for name in &self.cellvars {
            if !self.varnames.contains(name) {
                names.push(name.clone());
                kinds.push(CO_FAST_CELL);
            }
        }
        for name in &self.freevars {
            names.push(name.clone());
            kinds.push(CO_FAST_FREE);
        }
        let numbers = [
            data.argcount.into(),
            data.posonlyargcount.into(),
            data.kwonlyargcount.into(),
            self.varnames.len() as i64,
            data.stacksize.into(),
            data.flags.into(),
        ];
        let texts = [bytes::new(&data.code), constants::interned(&data.filename), constants::interned(&data.name)];
        let described: Vec<Value> = texts.into_iter().chain(numbers.map(|number: i64| Value::from(number))).collect();
        vm.audit("code.__new__", &described)?;
        data.localsplusnames = names.into();
        data.localspluskinds = kinds.into();
        let constants: Vec<Option<Constant>> = self.consts.iter().map(value_to_constant).collect();
        data.consts = constants.into_iter().map(|constant| constant.unwrap_or(Constant::None)).collect();
        Ok(Code::with_consts(self.data.into(), self.consts).into_value())
    }
}

fn replace(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let code = own(this);
    let names: &[Value] = kwnames.and_then(|names| names.downcast::<Tuple>()).map_or(&[], |names| names.as_slice());
    if args.len() > names.len() {
        return Err(vm.type_error("replace() takes no positional arguments"));
    }
    let of_kind = |kind: u8| -> Vec<Text> {
        let pairs = code.data.localsplusnames.iter().zip(&*code.data.localspluskinds);
        pairs.filter(|(_, k)| **k & kind != 0).map(|(name, _)| name.clone()).collect()
    };
    let mut parts = Parts {
        data: (*code.data).clone(),
        consts: code.consts().to_vec(),
        varnames: of_kind(CO_FAST_LOCAL),
        cellvars: of_kind(CO_FAST_CELL),
        freevars: of_kind(CO_FAST_FREE),
        nlocals: None,
    };
    for (name, value) in names.iter().zip(args) {
        let text = vm.display_name(name);
        if !parts.set(vm, &text, value)? {
            let known = Parts::NAMES.iter().map(|name| name.to_string()).collect();
            return Err(unexpected_keyword(vm, "replace", name, known));
        }
    }
    parts.finish(vm)
}

/// `code(argcount, posonlyargcount, …)`.
fn construct(vm: &Vm, args: &[Value]) -> Result {
    const ORDER: [&str; 18] = [
        "co_argcount",
        "co_posonlyargcount",
        "co_kwonlyargcount",
        "co_nlocals",
        "co_stacksize",
        "co_flags",
        "co_code",
        "co_consts",
        "co_names",
        "co_varnames",
        "co_filename",
        "co_name",
        "co_qualname",
        "co_firstlineno",
        "co_linetable",
        "co_exceptiontable",
        "co_freevars",
        "co_cellvars",
    ];
    if !(16..=18).contains(&args.len()) {
        let (bound, limit) = if args.len() < 16 { ("at least", 16) } else { ("at most", 18) };
        return Err(vm.type_error(format!("code expected {bound} {limit} arguments, got {}", args.len())));
    }
    let empty = Text::new("");
    let data = CodeData {
        argcount: 0,
        posonlyargcount: 0,
        kwonlyargcount: 0,
        stacksize: 0,
        flags: 0,
        code: Default::default(),
        consts: Box::default(),
        names: Box::default(),
        localsplusnames: Box::default(),
        localspluskinds: Default::default(),
        filename: empty.clone(),
        name: empty.clone(),
        qualname: empty,
        firstlineno: 0,
        linetable: Default::default(),
        exceptiontable: Default::default(),
    };
    let mut parts = Parts { data, consts: vec![], varnames: vec![], cellvars: vec![], freevars: vec![], nlocals: None };
    for (at, (name, value)) in ORDER.iter().zip(args).enumerate() {
        let argument = format!("code() argument {}", at + 1);
        match *name {
            "co_code" | "co_linetable" | "co_exceptiontable" => drop(bytes_of(vm, value, &argument)?),
            "co_filename" | "co_name" | "co_qualname" => drop(text_of(vm, value, &argument)?),
            "co_names" | "co_varnames" | "co_freevars" | "co_cellvars" => drop(texts_of(vm, value, &argument)?),
            "co_consts" if value.downcast::<Tuple>().is_none() => {
                return Err(vm.type_error(format!("{argument} must be tuple, not {}", value.ty().name())));
            }
            _ => {}
        }
        parts.set(vm, name, value)?;
    }
    parts.finish(vm)
}
