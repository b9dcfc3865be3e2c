//! Built-in functions that compile code or look at the running frame: `compile`, `eval`, `exec`, `dir`, `locals`.

use super::{no_keywords, wrong_count};
use crate::ast_module;
use crate::code::Code;
use crate::compile::{Origin, Request, compile_node, compile_source, flags};
use taipan_object::builtins::cell::Cell;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm};
use taipan_syntax::Mode;

/// Source text as bytes, and what it was.
pub fn source_bytes(vm: &Vm, source: &Value, function: &str, what: &str) -> Result<(Vec<u8>, Origin)> {
    let (bytes, origin) = if let Some(text) = source.downcast::<Str>() {
        match text.to_utf8() {
            Some(text) => (text.into_bytes(), Origin::Text),
            None => {
                // The same error as encoding it.
                vm.call_method(source, "encode", &[])?;
                return Err(vm.value_error("source code cannot be encoded"));
            }
        }
    } else if vm.has_buffer(source) {
        (vm.buffer_of(&vm.bytes_like(source)?)?, Origin::Bytes)
    } else {
        return Err(vm.type_error(format!("{function}() arg 1 must be a {what} object")));
    };
    if bytes.contains(&0) {
        return Err(vm.raise_new(
            taipan_object::exceptions::SYNTAX_ERROR.ty(),
            "source code string cannot contain null bytes".to_string(),
        ));
    }
    Ok((bytes, origin))
}

/// The flags that code run here hands on to what it compiles.
fn inherited_flags(vm: &Vm) -> u32 {
    crate::frame::Interp::of(vm).current_frame().map_or(0, |frame| frame.code().flags() & taipan_compiler::PYCF_MASK)
}

/// Bound as `compile(source, filename, mode, flags, dont_inherit, optimize, _feature_version)`.
pub fn compile(vm: &Vm, args: &[Value]) -> Result {
    let [source, filename, mode, given_flags, dont_inherit, optimize, feature_version] = args else {
        unreachable!("bound to the signature")
    };
    let filename = crate::import::fs_decode(vm, filename)?;
    let mode_text = vm.expect_str_argument(mode, |got| format!("compile() argument 'mode' must be str, not {got}"))?;
    let given = vm.index_i32(given_flags)? as u32;
    let optimize = vm.index_i32(optimize)?;
    let feature_version = vm.index_i32(feature_version)?;
    if given & !(taipan_compiler::PYCF_MASK | flags::COMPILE_MASK | 0x10) != 0 {
        return Err(vm.value_error("compile(): unrecognised flags"));
    }
    if !(-1..=2).contains(&optimize) {
        return Err(vm.value_error("compile(): invalid optimize value"));
    }
    let mut all_flags = given;
    if !vm.is_true(dont_inherit)? {
        all_flags |= inherited_flags(vm);
    }
    let mode = match mode_text.as_ascii() {
        Some("exec") => Mode::Exec,
        Some("eval") => Mode::Eval,
        Some("single") => Mode::Single,
        Some("func_type") => {
            if all_flags & flags::ONLY_AST == 0 {
                return Err(vm.value_error("compile() mode 'func_type' requires flag PyCF_ONLY_AST"));
            }
            Mode::FuncType
        }
        _ => {
            let message = if all_flags & flags::ONLY_AST != 0 {
                "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"
            } else {
                "compile() mode must be 'exec', 'eval' or 'single'"
            };
            return Err(vm.value_error(message));
        }
    };
    let optimize = if optimize < 0 { crate::config::get().optimize } else { optimize as u8 };
    let request =
        Request { filename: &filename, mode, flags: all_flags, optimize, feature_version, origin: Origin::Text };
    if ast_module::is_node(source) {
        vm.audit("compile", &[source.clone(), Value::NONE])?;
        return compile_node(vm, source, &request);
    }
    let (text, origin) = source_bytes(vm, source, "compile", "string, bytes or AST")?;
    crate::compile::audit(vm, &text, &filename)?;
    let request = Request { origin, ..request };
    compile_source(vm, &text, &request)
}

/// The namespaces that `eval` and `exec` run in.
fn namespaces(vm: &Vm, function: &str, globals: &Value, locals: &Value) -> Result<(Ref<Dict>, Value)> {
    if let Some(globals) = globals.given()
        && function == "exec"
        && globals.downcast::<Dict>().is_none()
    {
        let got = globals.ty().name();
        return Err(vm.type_error(format!("exec() globals must be a dict, not {got}")));
    }
    if let Some(locals) = locals.given()
        && locals.ty().slots().subscript.is_none()
    {
        let got = locals.ty().name();
        return Err(vm.type_error(match function {
            "eval" => "locals must be a mapping".to_string(),
            _ => format!("locals must be a mapping or None, not {got}"),
        }));
    }
    let (globals, locals) = match (globals.given(), locals.given()) {
        (Some(globals), Some(locals)) => (globals.clone(), locals.clone()),
        (Some(globals), None) => (globals.clone(), globals.clone()),
        (None, given) => {
            let Some(own) = vm.current_globals() else {
                return Err(vm.system_error("globals and locals cannot be NULL"));
            };
            let locals = match given {
                Some(locals) => locals.clone(),
                None => self::locals(vm)?,
            };
            (own, locals)
        }
    };
    let Some(dict) = globals.downcast_ref::<Dict>() else {
        let got = globals.ty().name();
        let is_mapping = globals.ty().slots().subscript.is_some();
        return Err(vm.type_error(match (function, is_mapping) {
            ("eval", true) => "globals must be a real dict; try eval(expr, {}, mapping)".to_string(),
            ("eval", false) => "globals must be a dict".to_string(),
            _ => format!("exec() globals must be a dict, not {got}"),
        }));
    };
    if dict.get_str(&names().__builtins__).is_none() {
        dict.set_str(&names().__builtins__, crate::frame::builtins_for_new_globals(vm));
    }
    Ok((dict, locals))
}

/// Bound as `eval(source, globals, locals)`.
pub fn eval(vm: &Vm, args: &[Value]) -> Result {
    let [source, globals, locals] = args else { unreachable!("bound to the signature") };
    let (globals, locals) = namespaces(vm, "eval", globals, locals)?;
    if let Some(code) = source.downcast_ref::<Code>() {
        vm.audit("exec", std::slice::from_ref(source))?;
        if code.free_count() > 0 {
            return Err(vm.type_error("code object passed to eval() may not contain free variables"));
        }
        return crate::eval::eval_code(vm, &code, &globals, Some(locals), None);
    }
    let (mut text, origin) = source_bytes(vm, source, "eval", "string, bytes or code")?;
    let start = text.iter().position(|b| *b != b' ' && *b != b'\t').unwrap_or(text.len());
    text.drain(..start);
    let code = compile_string(vm, &text, origin, Mode::Eval)?;
    vm.audit("exec", &[code.as_value().clone()])?;
    crate::eval::eval_code(vm, &code, &globals, Some(locals), None)
}

fn compile_string(vm: &Vm, text: &[u8], origin: Origin, mode: Mode) -> Result<Ref<Code>> {
    let filename = super::interned("<string>");
    crate::compile::audit(vm, text, &filename)?;
    let flags = inherited_flags(vm);
    let optimize = crate::config::get().optimize;
    let request = Request { filename: &filename, mode, flags, optimize, feature_version: -1, origin };
    let code = compile_source(vm, text, &request)?;
    Ok(code.downcast_ref::<Code>().expect("the compiler makes code"))
}

/// Bound as `exec(source, globals, locals, closure)`.
pub fn exec(vm: &Vm, args: &[Value]) -> Result {
    let [source, globals, locals, closure] = args else { unreachable!("bound to the signature") };
    let (globals, locals) = namespaces(vm, "exec", globals, locals)?;
    if let Some(code) = source.downcast_ref::<Code>() {
        let free = code.free_count();
        let cells = closure.given().map(|closure| {
            let cells = closure.downcast::<Tuple>().filter(|t| t.len() == free);
            cells
                .filter(|t| t.as_slice().iter().all(|cell| cell.downcast::<Cell>().is_some()))
                .map(taipan_object::object::to_ref)
        });
        let closure = match (free, cells) {
            (0, None) => None,
            (0, Some(_)) => return Err(vm.type_error("cannot use a closure with this code object")),
            (_, Some(Some(cells))) => Some(cells),
            (n, _) => {
                return Err(vm.type_error(format!("code object requires a closure of exactly length {n}")));
            }
        };
        vm.audit("exec", std::slice::from_ref(source))?;
        crate::eval::eval_code(vm, &code, &globals, Some(locals), closure)?;
        return Ok(Value::NONE);
    }
    if closure.given().is_some() {
        return Err(vm.type_error("closure can only be used when source is a code object"));
    }
    let (text, origin) = source_bytes(vm, source, "exec", "string, bytes or code")?;
    let code = compile_string(vm, &text, origin, Mode::Exec)?;
    vm.audit("exec", &[code.as_value().clone()])?;
    crate::eval::eval_code(vm, &code, &globals, Some(locals), None)?;
    Ok(Value::NONE)
}

/// `locals()`
pub fn locals(vm: &Vm) -> Result {
    match crate::frame::Interp::of(vm).current_frame() {
        Some(frame) => crate::frame::locals(vm, frame),
        None => Err(vm.system_error("frame does not exist")),
    }
}

/// `dir([object])`
pub fn dir(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result {
    no_keywords(vm, "dir", kwnames)?;
    let found = match args {
        [] => {
            let locals = locals(vm)?;
            vm.call_method_name(&locals, &names().keys, &[])?
        }
        [object] => match vm.call_special(object, &super::interned("__dir__"), &[]) {
            Some(result) => result?,
            None => return Err(vm.type_error("object does not provide __dir__")),
        },
        _ => return Err(wrong_count(vm, "dir", 0, 1, args.len())),
    };
    let list = List::from_vec(vm.collect(&found)?).into_value();
    vm.call_method_name(&list, &names().sort, &[])?;
    Ok(list)
}
