//! What is used of the Python part of `asyncio`, and the names looked up, interned once.

use std::sync::OnceLock;

use taipan_object::builtins::str::intern;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::Type;
use taipan_object::{Raised, Result, Value, Vm};

macro_rules! library {
    ($($field:ident = $module:literal $name:literal;)*) => {
        pub struct Library { $( pub $field: Value, )* }
        impl Library {
            fn load(vm: &Vm) -> Result<Library> {
                Ok(Library { $( $field: vm.import_from($module, $name)?, )* })
            }
        }
    };
}

library! {
    event_loop_policy = "asyncio.events" "_get_event_loop_policy";
    future_repr = "asyncio.base_futures" "_future_repr";
    task_repr = "asyncio.base_tasks" "_task_repr";
    task_get_stack = "asyncio.base_tasks" "_task_get_stack";
    task_print_stack = "asyncio.base_tasks" "_task_print_stack";
    invalid_state_error = "asyncio.exceptions" "InvalidStateError";
    cancelled_error = "asyncio.exceptions" "CancelledError";
    is_coroutine = "asyncio.coroutines" "iscoroutine";
    extract_stack = "traceback" "extract_stack";
    weak_set = "weakref" "WeakSet";
}

/// Imports what is needed, once.
pub fn library(vm: &Vm) -> Result<&'static Library> {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    match LIBRARY.get() {
        Some(library) => Ok(library),
        None => {
            let library = Library::load(vm)?;
            Ok(LIBRARY.get_or_init(|| library))
        }
    }
}

/// Raises `asyncio.InvalidStateError`.
#[cold]
pub fn invalid_state(vm: &Vm, message: impl Into<String>) -> Raised {
    let library = match library(vm) {
        Ok(library) => library,
        Err(raised) => return raised,
    };
    match library.invalid_state_error.downcast::<Type>() {
        Some(class) => vm.raise_new(class, message.into()),
        None => vm.system_error("asyncio.InvalidStateError is no class"),
    }
}

/// Whether an exception is an `asyncio.CancelledError`.
pub fn is_cancelled_error(vm: &Vm, exception: &Value) -> Result<bool> {
    let class = &library(vm)?.cancelled_error;
    Ok(class.downcast::<Type>().is_some_and(|class| exception.ty().is_subtype(class)))
}

macro_rules! asyncio_names {
    ($($name:ident)*) => {
        #[allow(non_snake_case)]
        pub struct Names {
            $( pub $name: Value, )*
            /// The keyword names `("context",)` and `("msg",)`.
            pub context_keyword: Value,
            pub message_keyword: Value,
        }
        impl Names {
            fn new() -> Names {
                let tuple = |name: &str| Tuple::from_array([intern(name).into_value()]).into_value();
                Names {
                    $( $name: intern(stringify!($name)).into_value(), )*
                    context_keyword: tuple("context"),
                    message_keyword: tuple("msg"),
                }
            }
        }
    };
}

asyncio_names! {
    _asyncio_future_blocking _loop add add_done_callback call_exception_handler call_soon cancel discard done get_debug
    get_loop is_running result
}

pub fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(Names::new)
}

/// `loop.call_soon(callback, *args, context=context)`
pub fn call_soon(
    vm: &Vm,
    event_loop: &Value,
    callback: Value,
    argument: Option<&Value>,
    context: &Value,
) -> Result<()> {
    let names = names();
    let keyword = Some(&names.context_keyword);
    match argument {
        None => vm.call_method_keywords(event_loop, &names.call_soon, &[callback, context.clone()], keyword),
        Some(argument) => {
            let args = [callback, argument.clone(), context.clone()];
            vm.call_method_keywords(event_loop, &names.call_soon, &args, keyword)
        }
    }
    .map(drop)
}
