//! The built-in exceptions: the common payload, and one declaration per class.
//!
//! `os_error.rs` has what is particular to `OSError`, `group.rs` exception groups, `methods.rs` the attributes and
//! methods of `BaseException`, `fields.rs` those of the classes with attributes of their own.

pub mod fields;
pub mod group;
pub mod methods;
pub mod os_error;

use crate::builtins::tuple::Tuple;
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::Vm;

/// An exception.
#[repr(C)]
pub struct BaseException {
    pub header: Header,
    pub state: ObjectCell<ExceptionState>,
}

pub struct ExceptionState {
    /// The tuple of arguments, or, if there is just one and nobody has asked for the tuple yet, that one.
    args: Value,
    /// `args` is the only argument itself.
    has_single: bool,
    /// `None` or a traceback.
    pub traceback: Value,
    pub context: Option<Value>,
    pub cause: Option<Value>,
    pub suppress_context: bool,
    /// The attributes of particular classes (`name`, `errno`, …), by interned name.
    pub fields: Vec<(Value, Value)>,
}

// SAFETY: repr(C), header first, visits every value.
unsafe impl Payload for BaseException {
    const KIND: Kind = Kind::Container;
    const SUBCLASS_FLAG: u64 = type_flags::BASE_EXC_SUBCLASS;
    fn static_type() -> &'static Type {
        BASE_EXCEPTION.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        visit(&state.args);
        visit(&state.traceback);
        state.context.iter().chain(&state.cause).for_each(&mut *visit);
        state.fields.iter().for_each(|(_, value)| visit(value));
    }
    fn clear(&self) {
        let old = std::mem::replace(&mut *self.state.borrow(&self.header), ExceptionState::empty());
        drop(old);
    }
}

impl ExceptionState {
    fn empty() -> ExceptionState {
        Self::new(crate::builtins::tuple::empty().into_value(), false)
    }

    #[inline(always)]
    fn new(args: Value, has_single: bool) -> ExceptionState {
        ExceptionState {
            args,
            has_single,
            traceback: Value::NONE,
            context: None,
            cause: None,
            suppress_context: false,
            fields: Vec::new(),
        }
    }

    /// `args`, which is made now if there was only the argument.
    fn args(&mut self) -> &Value {
        if self.has_single {
            let single = std::mem::replace(&mut self.args, Value::NONE);
            self.args = Tuple::from_array([single]).into_value();
            self.has_single = false;
        }
        &self.args
    }

    /// The arguments as a slice, if `args` is an exact tuple or only one.
    fn arguments(&self) -> Option<&[Value]> {
        match self.has_single {
            true => Some(std::slice::from_ref(&self.args)),
            false => self.args.downcast_exact::<Tuple>().map(Tuple::as_slice),
        }
    }

    /// Replaces `args`; the old ones are for the caller to drop.
    fn replace_args(&mut self, args: Value) -> Value {
        self.has_single = false;
        std::mem::replace(&mut self.args, args)
    }
}

/// Makes an instance of `ty`, a subclass of `BaseException`, without running `__init__`.
pub fn new_exception(ty: &Type, args: Vec<Value>) -> Value {
    with_args(ty, Tuple::from_vec(args))
}

/// As [`new_exception`], with one argument.
pub fn new_exception_with(ty: &Type, argument: Value) -> Value {
    with_state(ty, ExceptionState::new(argument, true))
}

/// As [`new_exception`], with `args` as they are to be.
pub(crate) fn with_args(ty: &Type, args: Ref<Tuple>) -> Value {
    with_state(ty, ExceptionState::new(args.into_value(), false))
}

#[inline]
fn with_state(ty: &Type, state: ExceptionState) -> Value {
    let exception = BaseException { header: Header::new(ty), state: ObjectCell::new(state) };
    let value = Ref::new_with_type(ty, exception).into_value();
    fields::init_from_args(&value);
    value
}

/// The exception payload of an exception object.
pub fn state(exception: &Value) -> &BaseException {
    exception.downcast::<BaseException>().expect("an exception object")
}

pub fn field(exception: &Value, name: &Value) -> Option<Value> {
    let exception = state(exception);
    let state = exception.state.borrow(&exception.header);
    state.fields.iter().find(|(n, _)| n.word() == name.word()).map(|(_, value)| value.clone())
}

pub fn set_field(exception: &Value, name: &Value, value: Value) {
    let exception = state(exception);
    let mut state = exception.state.borrow(&exception.header);
    let old = match state.fields.iter_mut().find(|(n, _)| n.word() == name.word()) {
        Some((_, old)) => Some(std::mem::replace(old, value)),
        None => {
            state.fields.push((name.clone(), value));
            None
        }
    };
    drop(state);
    drop(old);
}

pub fn delete_field(exception: &Value, name: &Value) {
    let exception = state(exception);
    let mut state = exception.state.borrow(&exception.header);
    let at = state.fields.iter().position(|(n, _)| n.word() == name.word());
    let old = at.map(|at| state.fields.remove(at));
    drop(state);
    drop(old);
}

/// `exception.args`
pub fn args(exception: &Value) -> Vec<Value> {
    let exception = state(exception);
    let args = exception.state.borrow(&exception.header).args().clone();
    args.downcast::<Tuple>().map(|t| t.as_slice().to_vec()).unwrap_or_default()
}

pub fn traceback(exception: &Value) -> Value {
    let exception = state(exception);
    exception.state.borrow(&exception.header).traceback.clone()
}

/// `exception.__traceback__`, which becomes None.
pub fn take_traceback(exception: &Value) -> Value {
    let exception = state(exception);
    std::mem::replace(&mut exception.state.borrow(&exception.header).traceback, Value::NONE)
}

pub fn set_traceback(exception: &Value, traceback: Value) {
    let exception = state(exception);
    let old = std::mem::replace(&mut exception.state.borrow(&exception.header).traceback, traceback);
    drop(old);
}

pub fn context(exception: &Value) -> Option<Value> {
    let exception = state(exception);
    exception.state.borrow(&exception.header).context.clone()
}

pub fn set_context(exception: &Value, context: Option<Value>) {
    let exception = state(exception);
    let old = std::mem::replace(&mut exception.state.borrow(&exception.header).context, context);
    drop(old);
}

pub fn cause(exception: &Value) -> Option<Value> {
    let exception = state(exception);
    exception.state.borrow(&exception.header).cause.clone()
}

/// `exception.__suppress_context__`
pub fn suppresses_context(exception: &Value) -> bool {
    let exception = state(exception);
    exception.state.borrow(&exception.header).suppress_context
}

/// Sets `__cause__` and `__suppress_context__`.
pub fn set_cause(exception: &Value, cause: Option<Value>) {
    let exception = state(exception);
    let mut state = exception.state.borrow(&exception.header);
    state.suppress_context = true;
    let old = std::mem::replace(&mut state.cause, cause);
    drop(state);
    drop(old);
}

/// Makes `handled` the context of `exception`, breaking a cycle that would close.
pub fn chain_context(exception: &Value, handled: Value) {
    if exception.is(&handled) {
        return;
    }
    let mut at = handled.clone();
    // Brent's cycle detection: a chain that someone made circular by hand must not hang us.
    let (mut tortoise, mut power, mut lambda) = (at.clone(), 1, 0);
    while let Some(next) = context(&at) {
        if next.is(exception) {
            set_context(&at, None);
            break;
        }
        lambda += 1;
        if next.is(&tortoise) {
            break;
        }
        if lambda == power {
            (tortoise, power, lambda) = (next.clone(), power * 2, 0);
        }
        at = next;
    }
    set_context(exception, Some(handled));
}

/// Appends to `__notes__`.
pub fn add_note(exception: &Value, note: &str) {
    let names = crate::vm::names();
    let Some(header) = exception.as_object() else { return };
    let note = Value::from(note);
    match crate::attributes::get(header, &names.__notes__) {
        Some(notes) => {
            if let Some(list) = notes.downcast::<crate::builtins::list::List>() {
                list.push(note);
            }
        }
        None => {
            crate::attributes::set(header, &names.__notes__, crate::builtins::list::List::from_vec(vec![note]).into())
        }
    }
}

/// Whether `init` is that of `BaseException`, which only stores the arguments.
pub fn is_base_init(init: crate::types::slots::Init) -> bool {
    std::ptr::fn_addr_eq(init, methods::init as crate::types::slots::Init)
}

macro_rules! exceptions {
    ($($spec:ident $name:literal $base:ident $doc:literal $({ $($builder:tt)* })?;)*) => {
        $(
            pub static $spec: TypeSpec = TypeSpec::new::<BaseException>($name)
                .doc($doc)
                .base(&$base)
                .flags(type_flags::BASETYPE)
                .slots(methods::simple_slots)
                $($($builder)*)?;
        )*
        /// All built-in exception classes except `BaseException`, for the `builtins` module.
        pub static ALL: &[&TypeSpec] = &[&group::EXCEPTION_GROUP, $(&$spec),*];
    };
}

pub static BASE_EXCEPTION: TypeSpec = TypeSpec::new::<BaseException>("BaseException")
    .doc("Base of all exceptions.")
    .flags(type_flags::BASETYPE | type_flags::BASE_EXC_SUBCLASS | type_flags::HAS_DICT)
    .slots(methods::slots)
    .methods(methods::METHODS)
    .members(methods::MEMBERS)
    .getset(methods::GETSET);

exceptions! {
    EXCEPTION "Exception" BASE_EXCEPTION "Base of every exception that is not meant to end the program.";
    SYSTEM_EXIT "SystemExit" BASE_EXCEPTION "A request to end the program, as made by \
        sys.exit()." { .slots(fields::init_slots).members(fields::SYSTEM_EXIT_MEMBERS) };
    KEYBOARD_INTERRUPT "KeyboardInterrupt" BASE_EXCEPTION "The user interrupted the program, usually with Ctrl+C.";
    GENERATOR_EXIT "GeneratorExit" BASE_EXCEPTION "Raised inside a generator or coroutine when it is closed.";
    BASE_EXCEPTION_GROUP "BaseExceptionGroup" BASE_EXCEPTION "Several exceptions, raised and handled together as \
        one." { .slots(group::slots).methods(group::METHODS).members(group::MEMBERS) };
    STOP_ITERATION "StopIteration" EXCEPTION "Raised by __next__() when an iterator has no more \
        items." { .slots(fields::init_slots).members(fields::STOP_ITERATION_MEMBERS) };
    STOP_ASYNC_ITERATION "StopAsyncIteration" EXCEPTION "\
        Raised by __anext__() when an asynchronous iterator has no more items.";
    ARITHMETIC_ERROR "ArithmeticError" EXCEPTION "An arithmetic operation failed; base of the more specific errors.";
    FLOATING_POINT_ERROR "FloatingPointError" ARITHMETIC_ERROR "A floating-point calculation failed.";
    OVERFLOW_ERROR "OverflowError" ARITHMETIC_ERROR "The result of a calculation is too large to represent.";
    ZERO_DIVISION_ERROR "ZeroDivisionError" ARITHMETIC_ERROR "The divisor of a division or modulo operation is zero.";
    ASSERTION_ERROR "AssertionError" EXCEPTION "Assertion failed.";
    ATTRIBUTE_ERROR "AttributeError" EXCEPTION "\
        The object does not have that \
        attribute." { .slots(fields::keyword_slots).members(fields::ATTRIBUTE_ERROR_MEMBERS).methods(fields::ATTRIBUTE_METHODS) };
    BUFFER_ERROR "BufferError" EXCEPTION "Buffer error.";
    EOF_ERROR "EOFError" EXCEPTION "The input ended before anything could be read.";
    IMPORT_ERROR "ImportError" EXCEPTION "\
        A module, or a name that was to be imported from one, was not \
        found." { .slots(fields::import_slots).members(fields::IMPORT_ERROR_MEMBERS).methods(fields::IMPORT_METHODS) };
    MODULE_NOT_FOUND_ERROR "ModuleNotFoundError" IMPORT_ERROR "Module not found." { .slots(|_| {}) };
    LOOKUP_ERROR "LookupError" EXCEPTION "An index or a key was not found; base of IndexError and KeyError.";
    INDEX_ERROR "IndexError" LOOKUP_ERROR "The index lies outside the sequence.";
    KEY_ERROR "KeyError" LOOKUP_ERROR "The mapping does not have that key." { .slots(methods::key_error_slots) };
    MEMORY_ERROR "MemoryError" EXCEPTION "Out of memory.";
    NAME_ERROR "NameError" EXCEPTION "\
        There is no variable of that name." { .slots(fields::name_slots).members(fields::NAME_ERROR_MEMBERS) };
    UNBOUND_LOCAL_ERROR "UnboundLocalError" NAME_ERROR "\
        A local variable was read before anything was assigned to it." { .slots(|_| {}) };
    OS_ERROR "OSError" EXCEPTION "\
        An operating system call failed, or input or output \
        did." { .slots(os_error::slots).members(os_error::MEMBERS).getset(os_error::GETSET).methods(os_error::METHODS) };
    BLOCKING_IO_ERROR "BlockingIOError" OS_ERROR "\
        The I/O operation cannot complete without blocking." { .slots(|_| {}) };
    CHILD_PROCESS_ERROR "ChildProcessError" OS_ERROR "An operation on a child process failed." { .slots(|_| {}) };
    CONNECTION_ERROR "ConnectionError" OS_ERROR "Connection error." { .slots(|_| {}) };
    BROKEN_PIPE_ERROR "BrokenPipeError" CONNECTION_ERROR "Broken pipe." { .slots(|_| {}) };
    CONNECTION_ABORTED_ERROR "ConnectionAbortedError" CONNECTION_ERROR "Connection aborted." { .slots(|_| {}) };
    CONNECTION_REFUSED_ERROR "ConnectionRefusedError" CONNECTION_ERROR "Connection refused." { .slots(|_| {}) };
    CONNECTION_RESET_ERROR "ConnectionResetError" CONNECTION_ERROR "Connection reset." { .slots(|_| {}) };
    FILE_EXISTS_ERROR "FileExistsError" OS_ERROR "\
        A file or directory of that name exists already." { .slots(|_| {}) };
    FILE_NOT_FOUND_ERROR "FileNotFoundError" OS_ERROR "File not found." { .slots(|_| {}) };
    INTERRUPTED_ERROR "InterruptedError" OS_ERROR "A signal interrupted a system call." { .slots(|_| {}) };
    IS_A_DIRECTORY_ERROR "IsADirectoryError" OS_ERROR "\
        The operation cannot be applied to a directory." { .slots(|_| {}) };
    NOT_A_DIRECTORY_ERROR "NotADirectoryError" OS_ERROR "\
        A directory was needed, but the path is something else." { .slots(|_| {}) };
    PERMISSION_ERROR "PermissionError" OS_ERROR "Access rights do not allow the operation." { .slots(|_| {}) };
    PROCESS_LOOKUP_ERROR "ProcessLookupError" OS_ERROR "Process not found." { .slots(|_| {}) };
    TIMEOUT_ERROR "TimeoutError" OS_ERROR "Timeout expired." { .slots(|_| {}) };
    REFERENCE_ERROR "ReferenceError" EXCEPTION "A weak proxy was used although its object no longer exists.";
    RUNTIME_ERROR "RuntimeError" EXCEPTION "An error at run time that fits no other category.";
    NOT_IMPLEMENTED_ERROR "NotImplementedError" RUNTIME_ERROR "The method or function has no implementation yet.";
    PYTHON_FINALIZATION_ERROR "PythonFinalizationError" RUNTIME_ERROR "\
        The operation is impossible because the interpreter is shutting down.";
    RECURSION_ERROR "RecursionError" RUNTIME_ERROR "Calls are nested too deeply.";
    SYNTAX_ERROR "SyntaxError" EXCEPTION "Invalid syntax." { .slots(fields::syntax_slots).members(fields::SYNTAX_ERROR_MEMBERS) };
    INCOMPLETE_INPUT_ERROR "_IncompleteInputError" SYNTAX_ERROR "incomplete input." { .slots(|_| {}) };
    INDENTATION_ERROR "IndentationError" SYNTAX_ERROR "A line is not indented as it should be." { .slots(|_| {}) };
    TAB_ERROR "TabError" INDENTATION_ERROR "\
        Tabs and spaces are mixed inconsistently in an indentation." { .slots(|_| {}) };
    SYSTEM_ERROR "SystemError" EXCEPTION "The interpreter found an inconsistency in itself.\n\n\
        This is a bug: please report it, with the traceback, sys.version and\n\
        the platform on which it occurred.";
    TYPE_ERROR "TypeError" EXCEPTION "An argument or operand has an unsuitable type.";
    VALUE_ERROR "ValueError" EXCEPTION "An argument has the right type but an unsuitable value.";
    UNICODE_ERROR "UnicodeError" VALUE_ERROR "Text cannot be encoded, decoded or translated.";
    UNICODE_DECODE_ERROR "UnicodeDecodeError" UNICODE_ERROR "\
        Bytes cannot be decoded." { .slots(fields::unicode_decode_slots).members(fields::UNICODE_ERROR_MEMBERS) };
    UNICODE_ENCODE_ERROR "UnicodeEncodeError" UNICODE_ERROR "\
        A string cannot be encoded." { .slots(fields::unicode_encode_slots).members(fields::UNICODE_ERROR_MEMBERS) };
    UNICODE_TRANSLATE_ERROR "UnicodeTranslateError" UNICODE_ERROR "A str could not be \
        translated." { .slots(fields::unicode_translate_slots).members(fields::UNICODE_ERROR_MEMBERS) };
    WARNING "Warning" EXCEPTION "Base of all categories of warnings.";
    BYTES_WARNING "BytesWarning" WARNING "Questionable use of bytes, such as str() of bytes or a comparison\n\
        of bytes with str; see the -b option.";
    DEPRECATION_WARNING "DeprecationWarning" WARNING "Warning about a feature that is deprecated.";
    ENCODING_WARNING "EncodingWarning" WARNING "\
        Warning about text encodings, as when the locale's is used implicitly.";
    FUTURE_WARNING "FutureWarning" WARNING "Warning for end users about code whose meaning is going to change.";
    IMPORT_WARNING "ImportWarning" WARNING "Warning about a likely error in how a module is imported.";
    PENDING_DEPRECATION_WARNING "PendingDeprecationWarning" WARNING "\
        Warning about a feature whose deprecation is planned but has not\n\
        begun.";
    RESOURCE_WARNING "ResourceWarning" WARNING "Warning about resources, such as files that were never closed.";
    RUNTIME_WARNING "RuntimeWarning" WARNING "Warning about questionable behavior at run time.";
    SYNTAX_WARNING "SyntaxWarning" WARNING "Warning about code that is valid but looks like an error.";
    UNICODE_WARNING "UnicodeWarning" WARNING "Warning about Unicode, mainly about conversions that are\n\
        questionable.";
    USER_WARNING "UserWarning" WARNING "Default category of warnings.warn(): a warning from user code.";
}

/// `AttributeError`
pub fn attribute_error() -> &'static Type {
    ATTRIBUTE_ERROR.ty()
}
/// `StopIteration`
pub fn stop_iteration() -> &'static Type {
    STOP_ITERATION.ty()
}
/// `TypeError`
pub fn type_error() -> &'static Type {
    TYPE_ERROR.ty()
}

/// Makes an exception object of what `raise x` was given: an exception, or a class to be called.
pub fn normalize(vm: &Vm, value: &Value) -> Result {
    if value.downcast::<BaseException>().is_some() {
        return Ok(value.clone());
    }
    if let Some(class) = value.downcast::<Type>()
        && class.is_subtype(BASE_EXCEPTION.ty())
    {
        let exception = vm.call(value, &[], None)?;
        if exception.downcast::<BaseException>().is_none() {
            return Err(vm.type_error(format!(
                "calling {} should have returned an instance of BaseException, not {}",
                vm.repr_string(value)?,
                vm.repr_string(&exception.ty().to_value())?
            )));
        }
        return Ok(exception);
    }
    Err(vm.type_error("exceptions must derive from BaseException"))
}

/// The first built-in class among `ty` and its bases.
pub fn nearest_builtin(ty: &Type) -> &Type {
    let mut ty = ty;
    while ty.is_heap_type() {
        ty = ty.base().expect("only `object` has no base");
    }
    ty
}
