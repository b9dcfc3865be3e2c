//! What the interpreter supplies to the object layer.

use crate::object::Result;
use crate::value::Value;
use crate::vm::{Raised, Vm};
use std::sync::OnceLock;

/// Functions that need frames, modules or the import system.
pub struct Hooks {
    /// `__import__(name)`: the top-level or dotted module itself.
    pub import_module: fn(&Vm, &str) -> Result,
    /// `sys.unraisablehook` with the exception taken from flight.
    pub write_unraisable: fn(&Vm, Value, &str, &Value),
    /// `warnings.warn(message, category, stacklevel)`.
    pub warn: fn(&Vm, &Value, &str, usize) -> Result<()>,
    /// The globals of the running frame, or `None` outside Python code.
    pub current_globals: fn(&Vm) -> Option<Value>,
    /// Signals, pending calls and switch requests, for long-running native loops.
    pub check_signals: fn(&Vm) -> Result<()>,
    /// `sys.audit(event, *args)`.
    pub audit: fn(&Vm, &str, &[Value]) -> Result<()>,
    /// The `__class__` cell's contents and the first argument of the running function, for `super()`.
    pub super_arguments: fn(&Vm) -> Result<(Value, Value)>,
    /// Whether a value is a function made by `def` or `lambda`.
    pub is_function: fn(&Value) -> bool,
}

pub static HOOKS: OnceLock<Hooks> = OnceLock::new();

impl Vm {
    fn hooks(&self) -> Option<&'static Hooks> {
        HOOKS.get()
    }

    /// Imports a module, e.g. `vm.import("collections.abc")`.
    pub fn import(&self, name: &str) -> Result {
        match self.hooks() {
            Some(hooks) => (hooks.import_module)(self, name),
            None => Err(self.system_error("the import system is not running".to_string())),
        }
    }

    /// `module.name`, importing the module.
    pub fn import_from(&self, module: &str, name: &str) -> Result {
        let module = self.import(module)?;
        self.get_attr_str(&module, name)
    }

    /// Reports an exception that nobody can catch.
    pub fn write_unraisable(&self, raised: Raised, message: &str, object: &Value) {
        let exception = self.take(raised);
        if let Some(hooks) = self.hooks() {
            (hooks.write_unraisable)(self, exception, message, object);
        }
    }

    /// Issues a warning of `category` (a class); an error if the filters say so.
    pub fn warn(&self, category: &Value, message: &str, stacklevel: usize) -> Result<()> {
        match self.hooks() {
            Some(hooks) => (hooks.warn)(self, category, message, stacklevel),
            None => Ok(()),
        }
    }

    pub fn current_globals(&self) -> Option<Value> {
        self.hooks().and_then(|hooks| (hooks.current_globals)(self))
    }

    /// To be called now and then by native loops that may take long.
    pub fn check_signals(&self) -> Result<()> {
        match self.hooks() {
            Some(hooks) => (hooks.check_signals)(self),
            None => Ok(()),
        }
    }

    pub fn audit(&self, event: &str, args: &[Value]) -> Result<()> {
        match self.hooks() {
            Some(hooks) => (hooks.audit)(self, event, args),
            None => Ok(()),
        }
    }
}
