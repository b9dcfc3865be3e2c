//! Calls of foreign functions: arguments, the call itself, the result.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::EXCEPTION;
use taipan_object::object::Ref;
use taipan_object::types::Type;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Result, Value, Vm};

use super::abi::{Call, Shape};
use super::argument::Argument;
use super::cdata::CData;
use super::codes;
use super::ctype::{self, CType};
use super::function::{FUNCFLAG_PYTHONAPI, FUNCFLAG_USE_ERRNO};

/// The most arguments that a call may have.
pub const MAX_ARGUMENTS: usize = 1024;

thread_local! {
    /// The thread's own copy of `errno`, swapped with the real one around calls that ask for it.
    pub static ERRNO: Cell<i32> = const { Cell::new(0) };
}

/// Swaps the thread's copy of `errno` with the real one.
pub fn swap_errno() {
    // SAFETY: the thread's own errno.
    unsafe {
        let real = libc::__errno_location();
        *real = ERRNO.replace(*real);
    }
}

/// `ctypes.ArgumentError`
pub fn argument_error_class(vm: &Vm) -> Result<&'static Value> {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class);
    }
    let class = crate::exception_type::new(vm, "ctypes", "ArgumentError", vec![EXCEPTION.value()], None)?;
    Ok(CLASS.get_or_init(|| class))
}

pub fn argument_error(vm: &Vm, message: String) -> Raised {
    match argument_error_class(vm) {
        Ok(class) => match class.downcast::<Type>() {
            Some(class) => vm.raise_new(class, message),
            None => vm.type_error(message),
        },
        Err(raised) => raised,
    }
}

/// Another exception in place of the one in flight, with what that says after `prefix`.
pub fn extend_error(vm: &Vm, raised: Raised, class: &Type, prefix: &str) -> Raised {
    let error = vm.take(raised);
    let said = match vm.str_string(&error) {
        Ok(said) => said,
        Err(again) => {
            vm.discard(again);
            "???".to_string()
        }
    };
    vm.raise_new(class, format!("{prefix}{}: {said}", error.ty().short_name()))
}

/// Converts an argument as it is, without a type that says how.
fn convert(vm: &Vm, value: &Value, number: usize) -> Result<Ref<Argument>> {
    if let Some(instance) = value.downcast::<CData>() {
        return Ok(Argument::of_instance(value, instance));
    }
    if let Some(argument) = value.downcast_ref::<Argument>() {
        return Ok(argument);
    }
    let pointer = |target: usize, object: Option<Value>| {
        let argument = Argument::pointer(b'P', target, object);
        argument.downcast_ref::<Argument>().expect("just made")
    };
    if value.is_none() {
        return Ok(pointer(0, None));
    }
    if int::is_int(value) {
        let fits = int::to_i64(value).is_some() || int::to_u64(value).is_some();
        if !fits {
            return Err(vm.overflow_error("int too long to convert"));
        }
        let number = crate::arguments::c_ulong_mask(vm, value)? as u32;
        // SAFETY: the local variable has the four bytes of an int.
        return Ok(unsafe { Argument::new(b'i', None, Arc::new(Shape::int()), (&raw const number).cast()) });
    }
    if let Some(data) = value.downcast::<Bytes>() {
        return Ok(pointer(data.as_slice().as_ptr() as usize, Some(value.clone())));
    }
    if let Some(text) = value.downcast::<Str>() {
        let (kept, start) = codes::wide_copy(vm, text)?;
        return Ok(pointer(start as usize, Some(kept)));
    }
    if let Some(parameter) = ctype::as_parameter(vm, value)? {
        ctype::check_recursion(vm)?;
        return convert(vm, &parameter, number);
    }
    Err(vm.type_error(format!("Don't know how to convert parameter {number}")))
}

/// Calls the function at an address. `restype` of `None`: an int; of Python's `None`: nothing.
pub fn call(
    vm: &Vm,
    address: usize,
    args: &[Value],
    flags: u32,
    converters: Option<&[Value]>,
    restype: Option<&Value>,
    checker: Option<&Value>,
) -> Result {
    vm.audit("ctypes.call_function", &[Value::from(address), Tuple::from_slice(args).into_value()])?;
    if args.len() > MAX_ARGUMENTS {
        let count = args.len();
        return Err(argument_error(vm, format!("too many arguments ({count}), maximum is {MAX_ARGUMENTS}")));
    }
    let mut arguments = Vec::with_capacity(args.len());
    // What converters return lives until the call is over.
    let mut converted = Vec::new();
    for (at, value) in args.iter().enumerate() {
        let argument = match converters.and_then(|converters| converters.get(at)) {
            Some(converter) => vm.call_args(converter, std::slice::from_ref(value)).and_then(|parameter| {
                let argument = convert(vm, &parameter, at + 1);
                converted.push(parameter);
                argument
            }),
            None => convert(vm, value, at + 1),
        };
        match argument {
            Ok(argument) => arguments.push(argument),
            Err(raised) => {
                let class = argument_error_class(vm)?.downcast::<Type>().expect("an exception class");
                return Err(extend_error(vm, raised, class, &format!("argument {}: ", at + 1)));
            }
        }
    }
    vm.check_stack(" while calling a C function")?;
    let info = restype.and_then(ctype::info_of_class);
    let shape = match (restype, &info) {
        (Some(restype), _) if restype.is_none() => None,
        (_, Some(info)) => Some(info.passing.clone()),
        _ => Some(Arc::new(Shape::int())),
    };
    let mut memory = vec![0u128; shape.as_ref().map_or(0, |shape| shape.size.div_ceil(16)).max(1)];
    let result = memory.as_mut_ptr().cast::<u8>();
    let mut prepared = Call::new(address, shape.as_deref(), result);
    for argument in &arguments {
        // SAFETY: an argument has the bytes of its shape.
        unsafe { prepared.push(&argument.shape, argument.address()) };
    }
    let mut invoke = || {
        if flags & FUNCFLAG_USE_ERRNO != 0 {
            swap_errno();
        }
        // SAFETY: that there is such a function, which takes such arguments, the program vouches for.
        unsafe { prepared.invoke() };
        if flags & FUNCFLAG_USE_ERRNO != 0 {
            swap_errno();
        }
    };
    if flags & FUNCFLAG_PYTHONAPI != 0 {
        invoke();
        if vm.has_exception() {
            return Err(vm.raised());
        }
    } else {
        blocking(invoke);
    }
    let Some(shape) = shape else { return Ok(Value::NONE) };
    // SAFETY: the memory has room for a result of this shape.
    unsafe { prepared.result(&shape, result) };
    // SAFETY: the memory has the result's bytes; what it points to, the program vouches for.
    let value = unsafe { result_value(vm, restype, result)? };
    match checker {
        Some(checker) => vm.call_args(checker, &[value]),
        None => Ok(value),
    }
}

/// The Python object for a result.
///
/// # Safety
/// A value of the type is readable at `result`.
unsafe fn result_value(vm: &Vm, restype: Option<&Value>, result: *mut u8) -> Result {
    // SAFETY: by contract, in every case: a result without a C type is an int.
    unsafe {
        let info = restype.and_then(ctype::info_of_class);
        let (Some(restype), Some(info)) = (restype, info) else {
            let number = Value::from(result.cast::<i32>().read_unaligned());
            return match restype {
                Some(restype) => vm.call_args(restype, &[number]),
                None => Ok(number),
            };
        };
        if let Some(code) = info.code
            && !ctype::is_kept(restype)
        {
            if code.letter == b'O' {
                // The function gives its reference up.
                return match result.cast::<u64>().read_unaligned() {
                    0 => Err(vm.value_error("PyObject is NULL")),
                    word => Ok(Value::from_word(word)),
                };
            }
            return code.get(vm, result);
        }
        let instance = CData::make(vm, restype)?;
        let own = CData::of(&instance);
        std::ptr::copy_nonoverlapping(result, own.pointer(), CType::of(restype).concrete(vm)?.size);
        Ok(instance)
    }
}
