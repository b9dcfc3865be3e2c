//! `_warnings`: issuing warnings. Counterpart of CPython's `Python/_warnings.c`.
//!
//! `warn` finds out where a warning belongs and passes it to `explicit.rs`, which asks the filters (`filters.rs`) and the
//! registry of the module concerned whether to show it. Native code warns without importing `warnings`; once that module
//! is there, its attributes count and it does the showing. `lock.rs` is the lock that `warnings` changes filters under.

mod explicit;
mod filters;
mod lock;

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{USER_WARNING, WARNING};
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::types::Type;
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm, method_table};

use crate::frame::{Frame, Interp};
use crate::import;
pub use explicit::{Explicit, warn_explicit};
use lock::Lock;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_warnings",
    doc: "Issuing warnings and asking the filters, natively.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        let state = filters::initial(vm)?;
        module.set("filters", state.filters);
        module.set("_onceregistry", state.once_registry);
        module.set("_defaultaction", state.default_action);
        module.set("_warnings_context", state.context);
        Ok(())
    },
};

method_table! {
    static FUNCTIONS = [
        MethodDef::new(
            "warn($module, /, message, category=None, stacklevel=1, source=None, *,\n     skip_file_prefixes=())",
            "Issue a warning: show it, raise it or drop it, as the filters say.\n\nThe warning is about the code *stacklevel* calls up; frames of files whose\nnames begin with one of *skip_file_prefixes* do not count. *category* is\nUserWarning by default, *source* the object that a ResourceWarning is about.",
            |vm, _, args| {
                let stacklevel = vm.index_i64(&args[2])?;
                let Some(prefixes) = args[4].downcast::<Tuple>().map(Tuple::as_slice) else {
                    let got = vm.argument_type(&args[4]);
                    return Err(vm.type_error(format!("warn() argument 'skip_file_prefixes' must be tuple, not {got}")));
                };
                let category = category_of(vm, &args[0], args[1].given())?;
                let stacklevel = if prefixes.is_empty() { stacklevel } else { stacklevel.max(2) };
                warn_from(vm, &category, &args[0], stacklevel, source_of(&args[3]), prefixes)?;
                Ok(Value::NONE)
            },
        ),
        MethodDef::new(
            "warn_explicit($module, /, message, category, filename, lineno,\n              module=<unrepresentable>, \
             registry=None,\n              module_globals=None, source=None)",
            "As warn(), about a place that the caller gives.",
            |vm, _, args| {
                vm.expect_str_argument(&args[2], |got| format!("warn_explicit() argument 'filename' must be str, not {got}"))?;
                let lineno = vm.index_i32(&args[3])?;
                let source_line = match args[6].given().filter(|globals| !globals.is_none()) {
                    Some(globals) => explicit::source_line(vm, globals, lineno)?,
                    None => None,
                };
                warn_explicit(vm, &Explicit {
                    category: &args[1],
                    message: &args[0],
                    filename: &args[2],
                    lineno,
                    module: Some(&args[4]).filter(|module| !module.is_unbound()),
                    registry: args[5].given().filter(|registry| !registry.is_none()),
                    source_line,
                    source: source_of(&args[7]),
                })?;
                Ok(Value::NONE)
            },
        ),
        MethodDef::new("_filters_mutated_lock_held($module, /)", "", |vm, _, _| {
            if !Lock::is_held() {
                return Err(vm.runtime_error("warnings lock is not held"));
            }
            filters::mutated();
            Ok(Value::NONE)
        }),
        MethodDef::new("_acquire_lock($module, /)", "", |_, _, _| {
            Lock::acquire();
            Ok(Value::NONE)
        }),
        MethodDef::new("_release_lock($module, /)", "", |vm, _, _| match Lock::release() {
            true => Ok(Value::NONE),
            false => Err(vm.runtime_error("cannot release un-acquired lock")),
        }),
    ];
}

fn source_of(value: &Value) -> Option<&Value> {
    value.given().filter(|source| !source.is_none())
}

/// The class of a warning: that of the message if it is one, else `category`, else `UserWarning`.
fn category_of(vm: &Vm, message: &Value, category: Option<&Value>) -> Result {
    if vm.is_instance(message, &WARNING.value())? {
        return Ok(message.ty().to_value());
    }
    match category.filter(|category| !category.is_none()) {
        None => Ok(USER_WARNING.value()),
        Some(category) => match category.downcast::<Type>() {
            Some(class) if class.is_subtype(WARNING.ty()) => Ok(category.clone()),
            _ => {
                let got = category.ty().name();
                Err(vm.type_error(format!("category must be a Warning subclass, not '{got}'")))
            }
        },
    }
}

/// `PyErr_WarnEx`, or with a source `PyErr_ResourceWarning`: for the object layer.
pub fn warn(vm: &Vm, category: &Value, message: &str, stacklevel: usize, source: Option<&Value>) -> Result<()> {
    let message = Value::from(message);
    let category = category_of(vm, &message, Some(category))?;
    warn_from(vm, &category, &message, i64::try_from(stacklevel).unwrap_or(i64::MAX), source, &[])
}

/// An attribute of the module `warnings`, which is only imported if `import` says so.
pub(crate) fn attribute(vm: &Vm, name: &str, import: bool) -> Result<Option<Value>> {
    let finalizing = crate::runtime::is_finalizing();
    let module = if import && !finalizing {
        match vm.import("warnings") {
            Ok(module) => Some(module),
            Err(raised) if vm.pending_matches(&raised, taipan_object::exceptions::IMPORT_ERROR.ty()) => {
                vm.discard(raised);
                None
            }
            Err(raised) => return Err(raised),
        }
    } else {
        import::modules(vm).get_str(intern("warnings").as_value()).filter(|module| !module.is_none())
    };
    match module {
        Some(module) => vm.get_attr_str_opt(&module, name),
        None => Ok(None),
    }
}

/// Issues a warning about the code `stacklevel` calls up.
fn warn_from(
    vm: &Vm,
    category: &Value,
    message: &Value,
    stacklevel: i64,
    source: Option<&Value>,
    skip_file_prefixes: &[Value],
) -> Result<()> {
    let prefixes = skip_file_prefixes
        .iter()
        .map(|prefix| match prefix.downcast::<Str>() {
            Some(prefix) => Ok(prefix.to_wtf8()),
            None => {
                let got = prefix.ty().name();
                Err(vm.type_error(format!("Found non-str '{got}' in skip_file_prefixes.")))
            }
        })
        .collect::<Result<Vec<_>>>()?;
    let (globals, filename, lineno) = match concerned(Interp::of(vm).current_frame(), stacklevel, &prefixes) {
        Some(frame) => {
            let filename = crate::code::interned(&frame.code().data.filename);
            (frame.function().globals.clone(), filename, frame.lineno().unwrap_or(0))
        }
        None => (sys_namespace(), Value::from("<sys>"), 0),
    };
    let key = intern("__warningregistry__").into_value();
    let registry = match globals.get_str(&key) {
        Some(registry) => registry,
        None => {
            let registry = Dict::new().into_value();
            globals.set_str(&key, registry.clone());
            registry
        }
    };
    let module = globals
        .get_str(&names().__name__)
        .filter(|name| name.is_none() || name.downcast::<Str>().is_some())
        .unwrap_or_else(|| Value::from("<string>"));
    warn_explicit(
        vm,
        &Explicit {
            category,
            message,
            filename: &filename,
            lineno,
            module: Some(&module),
            registry: Some(&registry).filter(|registry| !registry.is_none()),
            source_line: None,
            source,
        },
    )
}

fn sys_namespace() -> Ref<Dict> {
    let sys = import::core_module("sys");
    sys.as_ref().and_then(Value::downcast::<Module>).map_or_else(Dict::new, |sys| sys.dict.clone())
}

fn filename(frame: &Frame) -> &[u8] {
    frame.code().data.filename.as_bytes()
}

/// Whether the frame is part of the import system.
fn is_internal(frame: &Frame) -> bool {
    let contains = |part: &[u8]| filename(frame).windows(part.len()).any(|window| window == part);
    contains(b"importlib") && contains(b"_bootstrap")
}

/// The frame that a warning is about. Frames of the import system do not count, unless it is the one that warns.
fn concerned<'a>(innermost: Option<&'a Frame>, stacklevel: i64, prefixes: &[Vec<u8>]) -> Option<&'a Frame> {
    // SAFETY: frames of the chain are alive while the innermost runs.
    let back = |frame: &'a Frame| unsafe { frame.previous.as_ref() };
    let skipped =
        |frame: &Frame| is_internal(frame) || prefixes.iter().any(|prefix| filename(frame).starts_with(prefix));
    let mut frame = innermost;
    let all_count = stacklevel <= 0 || frame.is_some_and(is_internal);
    for _ in 1..stacklevel {
        frame = back(frame?);
        while !all_count && frame.is_some_and(skipped) {
            frame = frame.and_then(back);
        }
    }
    frame
}
