//! Source text to code objects: parser and compiler on behalf of `compile`, `exec`, import and the command line, with
//! their errors and warnings as Python exceptions.

use bumpalo::Bump;
use std::os::unix::ffi::OsStrExt;
use taipan_compiler::ast_validate::{self, Invalid};
use taipan_compiler::{CompileError, Location, Options};
use taipan_object::builtins::bytes;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions;
use taipan_object::types::Type;
use taipan_object::{Raised, Result, Value, Vm, codecs};
use taipan_syntax::ast::Mod;
use taipan_syntax::{ErrorKind, Mode, ParseOptions, SyntaxError, Warning, WarningKind};

use crate::ast_module;
use crate::code::Code;
use crate::warnings_module::{self, Explicit};

/// What `compile()` was asked for.
pub struct Request<'a> {
    pub filename: &'a Value,
    pub mode: Mode,
    /// `PyCF_` and `CO_FUTURE_` flags.
    pub flags: u32,
    pub optimize: u8,
    /// `feature_version`: the minor version, or −1.
    pub feature_version: i32,
    pub origin: Origin,
}

/// What the bytes of a source are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A str in UTF-8, whatever it declares (`PyCF_IGNORE_COOKIE`).
    Text,
    /// A bytes object.
    Bytes,
    /// A file, which messages about its encoding name.
    File,
}

/// Tells audit hooks that a program has `source` compiled or parsed.
pub fn audit(vm: &Vm, source: &[u8], filename: &Value) -> Result<()> {
    if !crate::sys_module::is_auditing() {
        return Ok(());
    }
    vm.audit("compile", &[bytes::new(source), filename.clone()])
}

/// Compiles source text: to code, or to a tree if the flags say so.
pub fn compile_source(vm: &Vm, source: &[u8], request: &Request) -> Result {
    let arena = Bump::new();
    let tree = parse(vm, source, request, &arena)?;
    compile_tree(vm, &tree, &arena, request)
}

/// Compiles an object made by `compile()` with `PyCF_ONLY_AST`, or by hand.
pub fn compile_node(vm: &Vm, node: &Value, request: &Request) -> Result {
    ast_module::check_mode(vm, node, request.mode)?;
    let arena = Bump::new();
    let tree = ast_module::tree_from_object(vm, node, &arena)?;
    match ast_validate::validate(&tree, depth_limit(vm)) {
        Ok(()) => compile_tree(vm, &tree, &arena, request),
        Err(Invalid::Value(message)) => Err(vm.value_error(message)),
        Err(Invalid::Type(message)) => Err(vm.type_error(message)),
        Err(Invalid::Depth) => Err(vm.recursion_error("maximum recursion depth exceeded during compilation")),
    }
}

/// How deep the compiler may nest in what is left of the native stack.
fn depth_limit(vm: &Vm) -> usize {
    /// More than one level of a tree takes in any of the compiler's passes.
    const STACK_PER_LEVEL: usize = 2560;
    (vm.stack_left() / STACK_PER_LEVEL).min(taipan_compiler::DEFAULT_DEPTH_LIMIT)
}

/// Whether there is memory for the tokens and the tree of a source text, and the code made of it: neither the parser nor the
/// compiler can report that there is not.
fn check_room(vm: &Vm, source: &[u8]) -> Result<()> {
    /// What a byte of source takes at most, of those that dense expressions are made of.
    const ROOM_PER_BYTE: usize = 128;
    /// Texts that the heap's reserve is enough for.
    const SMALL: usize = 256 << 10;
    if source.len() < SMALL { Ok(()) } else { vm.check_room(source.len().saturating_mul(ROOM_PER_BYTE)) }
}

/// Parses source text; warnings are issued.
pub fn parse<'a>(vm: &Vm, source: &[u8], request: &Request, arena: &'a Bump) -> Result<Mod<'a>> {
    check_room(vm, source)?;
    let filename = vm.display_name(request.filename);
    let options = parse_options(request, &filename);
    let mut warnings = Vec::new();
    let tree = taipan_syntax::parse_reporting(arena, source, &options, &mut warnings);
    issue_warnings(vm, &warnings, request.filename)?;
    tree.map_err(|error| raise_syntax_error(vm, error, request.filename))
}

/// Issues the parser's warnings; one that the filters make an error of is raised as `SyntaxError`.
pub fn issue_warnings(vm: &Vm, warnings: &[Warning], filename: &Value) -> Result<()> {
    for warning in warnings {
        let class = match warning.kind {
            WarningKind::SyntaxWarning => &exceptions::SYNTAX_WARNING,
            WarningKind::DeprecationWarning => &exceptions::DEPRECATION_WARNING,
        };
        if let Err(raised) = warn_explicit(vm, class.ty(), &warning.message, filename, warning.lineno as i32) {
            drop(vm.catch(raised, class.ty())?);
            return Err(raise_syntax_error(vm, warning.error.clone(), filename));
        }
    }
    Ok(())
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
        ignore_cookie: request.origin == Origin::Text,
        int_max_str_digits: taipan_object::builtins::int::max_str_digits(),
        decoder: Some(&decode),
        file: (request.origin == Origin::File).then_some(filename),
    }
}

/// Decodes source text in an encoding that the parser does not know itself.
fn decode(encoding: &str, bytes: &[u8]) -> std::result::Result<String, String> {
    Vm::with_current(|vm| {
        codecs::decode(vm, bytes, Some(encoding), None).and_then(|text| codecs::to_utf8(vm, &text)).map_err(|raised| {
            let exception = vm.take(raised);
            vm.preserving_exception(|vm| {
                vm.str_string(&exception).unwrap_or_else(|again| {
                    vm.discard(again);
                    String::new()
                })
            })
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

/// The compiler's options for a request.
pub fn compiler_options(vm: &Vm, request: &Request) -> Options {
    let filename = request.filename.downcast::<Str>().map(Str::to_wtf8).unwrap_or_default();
    let filename = taipan_bytecode::Text::from_bytes(&filename).unwrap_or_else(|| taipan_bytecode::Text::new("?"));
    let mut options = Options::new(filename);
    options.optimize = request.optimize;
    options.flags = request.flags;
    options.depth_limit = depth_limit(vm);
    options
}

/// Compiles a tree: to code, or to an object if the flags say so.
fn compile_tree<'a>(vm: &Vm, tree: &'a Mod<'a>, arena: &'a Bump, request: &Request) -> Result {
    let options = compiler_options(vm, request);
    let raise = |error| raise_compile_error(vm, error, request.filename);
    if request.flags & flags::ONLY_AST != 0 {
        let optimized = request.flags & flags::OPTIMIZED_AST == flags::OPTIMIZED_AST;
        let tree = taipan_compiler::tree(tree, arena, &options, optimized).map_err(raise)?;
        return ast_module::object_from_tree(vm, tree);
    }
    let mut warnings = Vec::new();
    let result = taipan_compiler::compile(tree, arena, &options, &mut warnings);
    for warning in &warnings {
        warn_at(vm, exceptions::SYNTAX_WARNING.ty(), &warning.message, request.filename, warning.location)?;
    }
    match result {
        Ok(code) => Ok(Code::new(code.into()).into_value()),
        Err(error) => Err(raise(error)),
    }
}

/// `warnings.warn_explicit`.
fn warn_explicit(vm: &Vm, category: &Type, message: &str, filename: &Value, lineno: i32) -> Result<()> {
    let (category, message) = (category.to_value(), Value::from(message));
    let warning = Explicit {
        category: &category,
        message: &message,
        filename,
        lineno,
        module: None,
        registry: None,
        source_line: None,
        source: None,
    };
    warnings_module::warn_explicit(vm, &warning)
}

/// Issues a warning about a source line; as an error it becomes a `SyntaxError` there.
fn warn_at(vm: &Vm, category: &Type, message: &str, filename: &Value, location: Location) -> Result<()> {
    match warn_explicit(vm, category, message, filename, location.lineno) {
        Ok(_) => Ok(()),
        Err(raised) => {
            let exception = vm.catch(raised, category)?;
            drop(exception);
            Err(raise_at(vm, message.to_string(), location, filename))
        }
    }
}

/// A `SyntaxError` of the compiler: columns count bytes, and the text is the file's, if there is such a file.
fn raise_at(vm: &Vm, message: String, location: Location, filename: &Value) -> Raised {
    let details = ErrorDetails {
        message,
        lineno: location.lineno as i64,
        offset: Some(location.col_offset as i64 + 1),
        end_lineno: Some(location.end_lineno as i64),
        end_offset: Some(location.end_col_offset as i64 + 1),
        text: program_text(filename, location.lineno),
    };
    raise_details(vm, exceptions::SYNTAX_ERROR.ty(), details, filename)
}

/// As [`raise_at`], with the place in the attributes alone.
fn raise_with_attributes(vm: &Vm, message: String, location: Location, filename: &Value) -> Raised {
    let raised = vm.raise_args(exceptions::SYNTAX_ERROR.ty(), vec![Value::from(message)]);
    let attributes = [
        ("filename", filename.clone()),
        ("lineno", Value::from(location.lineno)),
        ("offset", Value::from(location.col_offset + 1)),
        ("end_lineno", Value::from(location.end_lineno)),
        ("end_offset", Value::from(location.end_col_offset + 1)),
        ("text", program_text(filename, location.lineno).unwrap_or(Value::NONE)),
    ];
    with_attributes(vm, raised, &attributes)
}

/// The exception in flight with attributes set.
pub fn with_attributes(vm: &Vm, raised: Raised, attributes: &[(&str, Value)]) -> Raised {
    let exception = vm.pending(&raised);
    for (name, value) in attributes {
        if let Err(second) = vm.set_attr_str(&exception, name, value) {
            return second;
        }
    }
    raised
}

/// Line `lineno` of a file, decoded as the file declares.
pub fn program_text(filename: &Value, lineno: i32) -> Option<Value> {
    let path = filename.downcast::<Str>()?.to_fs_bytes();
    let lineno = usize::try_from(lineno).ok()?.checked_sub(1)?;
    let data = std::fs::read(std::ffi::OsStr::from_bytes(&path)).ok()?;
    let mut line = data.split_inclusive(|byte| *byte == b'\n').nth(lineno)?.to_vec();
    if lineno == 0 && line.starts_with(b"\xef\xbb\xbf") {
        line.drain(..3);
    }
    if line.ends_with(b"\r\n") {
        line.truncate(line.len() - 2);
        line.push(b'\n');
    }
    let text = match taipan_syntax::declared_encoding(&data) {
        Some(encoding) if encoding != "utf-8" => decode(&encoding, &line).ok(),
        _ => None,
    };
    let line = match lineno {
        0 => line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line),
        _ => &line,
    };
    Some(Value::from(text.unwrap_or_else(|| String::from_utf8_lossy(line).into_owned())))
}

struct ErrorDetails {
    message: String,
    lineno: i64,
    offset: Option<i64>,
    end_lineno: Option<i64>,
    end_offset: Option<i64>,
    text: Option<Value>,
}

fn raise_details(vm: &Vm, class: &Type, details: ErrorDetails, filename: &Value) -> Raised {
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
pub fn raise_syntax_error(vm: &Vm, error: SyntaxError, filename: &Value) -> Raised {
    if error.kind == ErrorKind::UnicodeDecodeError {
        let object = taipan_object::builtins::bytes::new(error.text.unwrap_or_default().as_bytes());
        let (start, end) = (Value::from(error.offset), Value::from(error.end_offset));
        let args = vec![Value::from("unicodeescape"), object, start, end, Value::from(error.message)];
        return vm.raise_args(exceptions::UNICODE_DECODE_ERROR.ty(), args);
    }
    let class = syntax_error_class(error.kind);
    if !error.located {
        return vm.raise_args(class, vec![Value::from(error.message)]);
    }
    let text = error.text.map(|text| Str::from_wtf8(text.as_bytes()).into_value());
    // What has no text, as the codecs' complaints, has no end either.
    let has_end = text.is_some();
    let details = ErrorDetails {
        message: error.message,
        lineno: error.lineno,
        offset: Some(error.offset),
        end_lineno: has_end.then_some(error.end_lineno),
        end_offset: has_end.then_some(error.end_offset),
        text,
    };
    let mut attributes = Vec::new();
    if !error.filename_known {
        attributes.push(("filename", filename.clone()));
    }
    if let Some(metadata) = error.metadata {
        let source = metadata.source.map_or(Value::NONE, Value::from);
        let parts = [Value::from(metadata.lineno), Value::from(metadata.col_offset), source];
        attributes.push(("_metadata", Tuple::from_array(parts).into_value()));
    }
    let named = if error.filename_known { filename.clone() } else { Value::NONE };
    let raised = raise_details(vm, class, details, &named);
    with_attributes(vm, raised, &attributes)
}

/// The exception class for what the parser reported.
pub fn syntax_error_class(kind: ErrorKind) -> &'static Type {
    match kind {
        ErrorKind::SyntaxError => exceptions::SYNTAX_ERROR.ty(),
        ErrorKind::IndentationError => exceptions::INDENTATION_ERROR.ty(),
        ErrorKind::TabError => exceptions::TAB_ERROR.ty(),
        ErrorKind::IncompleteInputError => exceptions::INCOMPLETE_INPUT_ERROR.ty(),
        ErrorKind::UnicodeDecodeError => exceptions::UNICODE_DECODE_ERROR.ty(),
        ErrorKind::ValueError => exceptions::VALUE_ERROR.ty(),
        ErrorKind::MemoryError => exceptions::MEMORY_ERROR.ty(),
    }
}

/// Raises what the compiler reported.
pub fn raise_compile_error(vm: &Vm, error: CompileError, filename: &Value) -> Raised {
    match error {
        CompileError::Syntax { message, location, place_in_args: true } => raise_at(vm, message, location, filename),
        CompileError::Syntax { message, location, place_in_args: false } => {
            raise_with_attributes(vm, message, location, filename)
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
        CompileError::Internal(message) => vm.system_error(message.into_owned()),
    }
}
