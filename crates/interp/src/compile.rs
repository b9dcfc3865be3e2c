//! Source text to code objects: parser and compiler on behalf of `compile`, `exec`, import and the command line, with
//! their errors and warnings as Python exceptions.

use bumpalo::Bump;
use std::sync::Arc;
use taipan_compiler::{CompileError, Options};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions;
use taipan_object::{Raised, Result, Value, Vm};
use taipan_syntax::{ErrorKind, Mode, ParseOptions, SyntaxError};

use crate::code::Code;

/// What `compile()` was asked for.
pub struct Request<'a> {
    pub filename: &'a Value,
    pub mode: Mode,
    /// `PyCF_` and `CO_FUTURE_` flags.
    pub flags: u32,
    pub optimize: u8,
    /// `feature_version`: the minor version, or −1.
    pub feature_version: i32,
    /// The source is text already, whatever it declares (`PyCF_IGNORE_COOKIE`).
    pub is_text: bool,
}

/// Compiles source text.
pub fn compile_source(vm: &Vm, source: &[u8], request: &Request) -> Result {
    let arena = Bump::new();
    let filename = vm.display_name(request.filename);
    let options = parse_options(request, &filename);
    let parsed = match taipan_syntax::parse(&arena, source, &options) {
        Ok(parsed) => parsed,
        Err(error) => return Err(raise_syntax_error(vm, error, request.filename, source)),
    };
    for warning in &parsed.warnings {
        let class = match warning.kind {
            taipan_syntax::WarningKind::SyntaxWarning => &exceptions::SYNTAX_WARNING,
            taipan_syntax::WarningKind::DeprecationWarning => &exceptions::DEPRECATION_WARNING,
        };
        if let Err(raised) = warn_explicit(vm, class.ty(), &warning.message, request.filename, warning.lineno as i32) {
            drop(vm.catch(raised, class.ty())?);
            return Err(raise_syntax_error(vm, warning.error.clone(), request.filename, source));
        }
    }
    compile_tree(vm, &parsed.tree, &arena, request, source)
}

/// The parser's options for a request.
pub fn parse_options<'o>(request: &Request, filename: &'o str) -> ParseOptions<'o> {
    ParseOptions {
        mode: request.mode,
        feature_version: u8::try_from(request.feature_version).unwrap_or(14),
        type_comments: request.flags & flags::TYPE_COMMENTS != 0,
        dont_imply_dedent: request.flags & flags::DONT_IMPLY_DEDENT != 0,
        allow_incomplete_input: request.flags & flags::ALLOW_INCOMPLETE_INPUT != 0,
        barry_as_flufl: request.flags & taipan_bytecode::code::CO_FUTURE_BARRY_AS_BDFL != 0,
        ignore_cookie: request.is_text,
        int_max_str_digits: taipan_object::builtins::int::max_str_digits(),
        decoder: Some(&decode),
        file: Some(filename),
    }
}

/// Decodes source text in an encoding that the parser does not know itself.
fn decode(encoding: &str, bytes: &[u8]) -> Option<std::result::Result<String, String>> {
    Vm::with_current(|vm| {
        let codecs = vm.import("codecs").and_then(|codecs| vm.get_attr_str(&codecs, "lookup"));
        let info = codecs.and_then(|lookup| vm.call(&lookup, &[Value::from(encoding)], None));
        let info = match info {
            Ok(info) => info,
            Err(raised) => {
                vm.discard(raised);
                return None;
            }
        };
        let bytes = taipan_object::builtins::bytes::new(bytes);
        let decoded = vm
            .get_attr_str(&info, "decode")
            .and_then(|decode| vm.call(&decode, &[bytes], None))
            .and_then(|pair| vm.get_item(&pair, &Value::from(0)));
        Some(match decoded {
            Ok(text) => match text.downcast::<Str>().and_then(Str::to_utf8) {
                Some(text) => Ok(text),
                None => Err("decoder did not return text".to_string()),
            },
            Err(raised) => {
                let exception = vm.take(raised);
                Err(vm.preserving_exception(|vm| {
                    vm.str_string(&exception).unwrap_or_else(|again| {
                        vm.discard(again);
                        String::new()
                    })
                }))
            }
        })
    })
}

/// `PyCF_` flags.
pub mod flags {
    pub const SOURCE_IS_UTF8: u32 = 0x100;
    pub const DONT_IMPLY_DEDENT: u32 = 0x200;
    pub const ONLY_AST: u32 = 0x400;
    pub const IGNORE_COOKIE: u32 = 0x800;
    pub const TYPE_COMMENTS: u32 = 0x1000;
    pub const ALLOW_TOP_LEVEL_AWAIT: u32 = 0x2000;
    pub const ALLOW_INCOMPLETE_INPUT: u32 = 0x4000;
    pub const OPTIMIZED_AST: u32 = 0x8000 | ONLY_AST;
    /// All flags that `compile()` accepts besides those of future features.
    pub const COMPILE_MASK: u32 =
        ONLY_AST | ALLOW_TOP_LEVEL_AWAIT | TYPE_COMMENTS | DONT_IMPLY_DEDENT | ALLOW_INCOMPLETE_INPUT | OPTIMIZED_AST;
}

/// Compiles a tree.
pub fn compile_tree<'a>(
    vm: &Vm,
    tree: &'a taipan_syntax::ast::Mod<'a>,
    arena: &'a Bump,
    request: &Request,
    source: &[u8],
) -> Result {
    let filename = request.filename.downcast::<Str>().map(Str::to_wtf8).unwrap_or_default();
    let filename = taipan_bytecode::Text::from_bytes(&filename).unwrap_or_else(|| taipan_bytecode::Text::new("?"));
    let mut options = Options::new(filename);
    options.optimize = request.optimize;
    options.flags = request.flags;
    let mut warnings = Vec::new();
    let result = taipan_compiler::compile(tree, arena, &options, &mut warnings);
    for warning in &warnings {
        let at = &warning.location;
        let position = [at.lineno, at.col_offset, at.end_lineno, at.end_col_offset];
        warn_at(vm, exceptions::SYNTAX_WARNING.ty(), &warning.message, request.filename, source, position)?;
    }
    match result {
        Ok(code) => Ok(Code::new(Arc::new(code)).into_value()),
        Err(error) => Err(raise_compile_error(vm, error, request.filename, source)),
    }
}

/// `warnings.warn_explicit`.
fn warn_explicit(
    vm: &Vm,
    category: &taipan_object::types::Type,
    message: &str,
    filename: &Value,
    lineno: i32,
) -> Result<()> {
    let explicit = vm.import_from("warnings", "warn_explicit")?;
    let args = [Value::from(message), category.to_value(), filename.clone(), Value::from(lineno)];
    vm.call_keywords(&explicit, &args, &[("module", Value::NONE), ("registry", Value::NONE)]).map(drop)
}

/// Issues a warning about a source line; as an error it becomes a `SyntaxError` there.
fn warn_at(
    vm: &Vm,
    category: &taipan_object::types::Type,
    message: &str,
    filename: &Value,
    source: &[u8],
    [lineno, col, end_lineno, end_col]: [i32; 4],
) -> Result<()> {
    match warn_explicit(vm, category, message, filename, lineno) {
        Ok(_) => Ok(()),
        Err(raised) => {
            let exception = vm.catch(raised, category)?;
            drop(exception);
            let to_offset = |line: i32, col: i32| {
                if col < 0 {
                    0
                } else {
                    character_offset(source_line(source, line).as_bytes(), col as usize) as i64 + 1
                }
            };
            let details = ErrorDetails {
                message: message.to_string(),
                lineno: lineno as i64,
                offset: Some(to_offset(lineno, col)),
                end_lineno: Some(end_lineno as i64),
                end_offset: Some(to_offset(end_lineno, end_col)),
                text: Some(Str::new(&source_line(source, lineno)).into_value()),
            };
            Err(raise_details(vm, exceptions::SYNTAX_ERROR.ty(), details, filename))
        }
    }
}

struct ErrorDetails {
    message: String,
    lineno: i64,
    offset: Option<i64>,
    end_lineno: Option<i64>,
    end_offset: Option<i64>,
    text: Option<Value>,
}

fn raise_details(vm: &Vm, class: &taipan_object::types::Type, details: ErrorDetails, filename: &Value) -> Raised {
    let or_none = |n: Option<i64>| n.map_or(Value::NONE, Value::from);
    let mut location = vec![
        filename.clone(),
        Value::from(details.lineno),
        or_none(details.offset),
        details.text.unwrap_or(Value::NONE),
    ];
    if let (Some(end_lineno), Some(end_offset)) = (details.end_lineno, details.end_offset) {
        location.push(Value::from(end_lineno));
        location.push(Value::from(end_offset));
    }
    vm.raise_args(class, vec![Value::from(details.message), Tuple::from_vec(location).into_value()])
}

/// Raises what the parser reported.
pub fn raise_syntax_error(vm: &Vm, error: SyntaxError, filename: &Value, _source: &[u8]) -> Raised {
    let class = match error.kind {
        ErrorKind::SyntaxError => &exceptions::SYNTAX_ERROR,
        ErrorKind::IndentationError => &exceptions::INDENTATION_ERROR,
        ErrorKind::TabError => &exceptions::TAB_ERROR,
        ErrorKind::IncompleteInputError => &exceptions::INCOMPLETE_INPUT_ERROR,
        ErrorKind::MemoryError => return vm.memory_error(),
    };
    if !error.located {
        return vm.raise_args(class.ty(), vec![Value::from(error.message)]);
    }
    let text = error.text.map(|text| Str::from_wtf8(text.as_bytes()).into_value());
    let details = ErrorDetails {
        message: error.message,
        lineno: error.lineno,
        offset: Some(error.offset),
        end_lineno: Some(error.end_lineno),
        end_offset: Some(error.end_offset),
        text,
    };
    raise_details(vm, class.ty(), details, filename)
}

/// Raises what the compiler reported.
pub fn raise_compile_error(vm: &Vm, error: CompileError, filename: &Value, source: &[u8]) -> Raised {
    match error {
        CompileError::Syntax { message, location } => {
            let text = source_line(source, location.lineno);
            let offset = |line: i32, col: i32| {
                (col >= 0).then(|| character_offset(source_line(source, line).as_bytes(), col as usize) as i64 + 1)
            };
            let details = ErrorDetails {
                message,
                lineno: location.lineno as i64,
                offset: offset(location.lineno, location.col_offset),
                end_lineno: Some(location.end_lineno as i64),
                end_offset: offset(location.end_lineno, location.end_col_offset),
                text: (!text.is_empty()).then(|| Str::new(&text).into_value()),
            };
            raise_details(vm, exceptions::SYNTAX_ERROR.ty(), details, filename)
        }
        CompileError::Surrogates { object, start, end } => vm.raise_args(
            exceptions::UNICODE_ENCODE_ERROR.ty(),
            vec![
                Value::from("utf-8"),
                Str::from_wtf8(object.as_bytes()).into_value(),
                Value::from(start),
                Value::from(end),
                Value::from("surrogates not allowed"),
            ],
        ),
        CompileError::Recursion(message) => vm.recursion_error(message),
        CompileError::Value(message) => vm.value_error(message),
        CompileError::Internal(message) => vm.system_error(message),
    }
}

/// Line `lineno` (from 1) with its end, or "".
fn source_line(source: &[u8], lineno: i32) -> String {
    let line = source.split_inclusive(|b| *b == b'\n').nth((lineno.max(1) - 1) as usize).unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}

/// The number of code points in the first `bytes` bytes of a line.
fn character_offset(line: &[u8], bytes: usize) -> usize {
    String::from_utf8_lossy(&line[..bytes.min(line.len())]).chars().count()
}
