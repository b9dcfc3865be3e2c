//! Constructors of exceptions with CPython's texts.

use crate::exceptions::*;
use crate::types::Type;
use crate::value::Value;
use crate::vm::{Raised, Vm, names};

macro_rules! error_constructors {
    ($($(#[$doc:meta])* $name:ident $spec:ident;)*) => {
        impl Vm {
            $(
                $(#[$doc])*
                #[cold]
                #[inline(never)]
                pub fn $name(&self, message: impl Into<String>) -> Raised {
                    self.raise_new($spec.ty(), message.into())
                }
            )*
        }
    };
}

error_constructors! {
    type_error TYPE_ERROR;
    value_error VALUE_ERROR;
    index_error INDEX_ERROR;
    overflow_error OVERFLOW_ERROR;
    zero_division_error ZERO_DIVISION_ERROR;
    attribute_error ATTRIBUTE_ERROR;
    name_error NAME_ERROR;
    unbound_local_error UNBOUND_LOCAL_ERROR;
    runtime_error RUNTIME_ERROR;
    recursion_error RECURSION_ERROR;
    not_implemented_error NOT_IMPLEMENTED_ERROR;
    system_error SYSTEM_ERROR;
    assertion_error ASSERTION_ERROR;
    import_error IMPORT_ERROR;
    buffer_error BUFFER_ERROR;
    eof_error EOF_ERROR;
    lookup_error LOOKUP_ERROR;
    memory_error_with MEMORY_ERROR;
    reference_error REFERENCE_ERROR;
}

/// Whether a call of the class does no more than [`new_exception`].
fn is_made_plainly(ty: &Type) -> bool {
    !ty.is_heap_type() && ty.slots().init.is_none_or(is_base_init)
}

impl Vm {
    /// Raises a new `ty(message)`.
    #[cold]
    #[inline(never)]
    pub fn raise_new(&self, ty: &Type, message: String) -> Raised {
        if is_made_plainly(ty) {
            return self.raise(new_exception_with(ty, Value::from(message)));
        }
        self.raise_args(ty, vec![Value::from(message)])
    }

    /// Raises a new `ty(*args)`, built without running Python code when `ty` is a built-in exception.
    #[cold]
    pub fn raise_args(&self, ty: &Type, args: Vec<Value>) -> Raised {
        if !is_made_plainly(ty) {
            return match self.instantiate(ty, &args) {
                Ok(exception) => self.raise(exception),
                Err(raised) => raised,
            };
        }
        self.raise(new_exception(ty, args))
    }

    /// `KeyError(key)`.
    #[cold]
    pub fn key_error(&self, key: &Value) -> Raised {
        self.raise(new_exception_with(KEY_ERROR.ty(), key.clone()))
    }

    /// `StopIteration(value)`.
    #[cold]
    pub fn stop_iteration(&self, value: Option<Value>) -> Raised {
        self.raise(match value {
            Some(value) => new_exception_with(STOP_ITERATION.ty(), value),
            None => new_exception(STOP_ITERATION.ty(), Vec::new()),
        })
    }

    /// `AttributeError` with `name` and `obj` set, for suggestions.
    #[cold]
    pub fn attribute_error_for(&self, message: String, object: &Value, name: &Value) -> Raised {
        let exception = new_exception_with(ATTRIBUTE_ERROR.ty(), Value::from(message));
        set_field(&exception, &names().name, name.clone());
        set_field(&exception, &names().obj, object.clone());
        self.raise(exception)
    }

    /// "'X' object has no attribute 'y'".
    #[cold]
    pub fn no_attribute(&self, object: &Value, name: &Value) -> Raised {
        let message = format!("'{}' object has no attribute '{}'", object.ty().name(), self.display_name(name));
        self.attribute_error_for(message, object, name)
    }

    /// The bare `AttributeError(name)` that a missing special method gives.
    #[cold]
    pub fn attribute_error_name(&self, name: &Value) -> Raised {
        self.raise_args(ATTRIBUTE_ERROR.ty(), vec![name.clone()])
    }

    /// `OSError` for an errno, mapped to its subclass, with up to two file names.
    #[cold]
    pub fn os_error(&self, errno: i32, filename: Option<&Value>, filename2: Option<&Value>) -> Raised {
        let message = crate::exceptions::os_error::strerror(errno);
        let mut args = vec![Value::from(errno), Value::from(message)];
        if let Some(filename) = filename {
            args.push(filename.clone());
            if let Some(filename2) = filename2 {
                args.push(Value::NONE);
                args.push(filename2.clone());
            }
        }
        match self.instantiate(OS_ERROR.ty(), &args) {
            Ok(exception) => self.raise(exception),
            Err(raised) => raised,
        }
    }

    /// `OSError` from the thread's `errno`.
    #[cold]
    pub fn last_os_error(&self, filename: Option<&Value>) -> Raised {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        self.os_error(errno, filename, None)
    }

    /// Adds a note to the exception in flight.
    #[cold]
    pub fn with_note(&self, raised: Raised, note: String) -> Raised {
        let exception = self.take(raised);
        match self.call_method(&exception, "add_note", &[Value::from(note)]) {
            Ok(_) => self.set_exception(exception),
            Err(raised) => raised,
        }
    }

    /// "unsupported operand type(s) for …".
    #[cold]
    pub fn unsupported_operands(&self, symbol: &str, left: &Value, right: &Value) -> Raised {
        self.type_error(format!(
            "unsupported operand type(s) for {symbol}: '{}' and '{}'",
            left.ty().name(),
            right.ty().name()
        ))
    }
}
