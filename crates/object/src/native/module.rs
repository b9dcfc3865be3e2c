//! Module objects, and how native modules are declared.

use super::{MethodDef, function::BuiltinFunction};
use crate::builtins::dict::Dict;
use crate::builtins::str::{Str, intern};
use crate::cell::ObjectCell;
use crate::header::Header;
use crate::heap::Kind;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::{Type, TypeSpec};
use crate::value::Value;
use crate::vm::Vm;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A module: its namespace.
#[repr(C)]
pub struct Module {
    pub header: Header,
    pub dict: Ref<Dict>,
    /// The declaration, for native modules.
    pub def: Option<&'static ModuleDef>,
    /// The name that it was made with, if it is a str and not of a subclass.
    pub(crate) name: ObjectCell<Option<Value>>,
}

// SAFETY: repr(C), header first, visits the dict; a str refers to nothing.
unsafe impl Payload for Module {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        MODULE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(self.dict.as_value());
    }
    // Cycles through a module go through its namespace, which is cleared as a dict if nobody else has it: functions may.
}

/// Whether the end of a module is told on stderr, as `-v` asks for.
pub static TELL_DESTRUCTION: AtomicBool = AtomicBool::new(false);

impl Drop for Module {
    fn drop(&mut self) {
        if TELL_DESTRUCTION.load(Relaxed)
            && let Some(name) = self.name.get_mut()
            && let Some(name) = name.downcast::<Str>()
        {
            eprintln!("# destroy {}", name.to_string_lossy());
        }
    }
}

pub static MODULE: TypeSpec = TypeSpec::new::<Module>("module")
    .doc("module(name, doc=None)\n--\n\nA module that is not in a file.\n\nThe docstring doc may be any object.")
    .flags(crate::types::type_flags::BASETYPE | crate::types::type_flags::HAS_WEAKREF)
    .own_dict(|header, _| {
        // SAFETY: the type says that the object is a module.
        Some(unsafe { &*(header as *const Header as *const Module) }.dict.clone())
    })
    .slots(crate::builtins::module::slots)
    .methods(crate::builtins::module::METHODS)
    .members(crate::builtins::module::MEMBERS)
    .getset(crate::builtins::module::GETSET);

/// The declaration of a native module.
pub struct ModuleDef {
    pub name: &'static str,
    pub doc: &'static str,
    pub functions: &'static [MethodDef],
    /// Adds constants and types, once, when the module is first imported.
    pub exec: fn(&Vm, &Module) -> Result<()>,
}

impl Module {
    /// An empty module with `__name__` and the other standard names set to their initial values.
    pub fn new(name: &str) -> Ref<Module> {
        let module = Ref::new(Module::blank(MODULE.ty(), None));
        module.set_name(Value::from(name));
        for name in ["__doc__", "__package__", "__loader__", "__spec__"] {
            module.set(name, Value::NONE);
        }
        module
    }

    /// A native module, filled.
    pub fn from_def(vm: &Vm, def: &'static ModuleDef) -> Result<Ref<Module>> {
        let module = Ref::new(Module::blank(MODULE.ty(), Some(def)));
        module.set_name(intern(def.name).into_value());
        module.set("__doc__", if def.doc.is_empty() { Value::NONE } else { Value::from(def.doc) });
        for name in ["__package__", "__loader__", "__spec__"] {
            module.set(name, Value::NONE);
        }
        module.add_functions(def.functions);
        (def.exec)(vm, &module)?;
        Ok(module)
    }

    /// A module without anything in its namespace.
    pub(crate) fn blank(ty: &Type, def: Option<&'static ModuleDef>) -> Module {
        Module { header: Header::new(ty), dict: Dict::new(), def, name: ObjectCell::new(None) }
    }

    /// Gives a new module its name.
    pub(crate) fn set_name(&self, name: Value) {
        let text = name.downcast_exact::<Str>().map(|_| name.clone());
        let old = std::mem::replace(&mut *self.name.borrow(&self.header), text);
        drop(old);
        self.set("__name__", name);
    }

    /// Sets an attribute.
    pub fn set(&self, name: &str, value: Value) {
        self.dict.set_str(intern(name).as_value(), value);
    }
    /// Adds functions to a native module.
    pub fn add_functions(&self, functions: &'static [MethodDef]) {
        let Some(def) = self.def else { return };
        let name = intern(def.name).into_value();
        if def.name != "builtins" {
            super::note_owner(functions, def.name);
        }
        for function in functions {
            let value = BuiltinFunction::new(function, crate::object::to_value(self), name.clone());
            self.set(function.name(), value.into_value());
        }
    }
    /// Adds a built-in type under its name.
    pub fn add_type(&self, spec: &'static TypeSpec) {
        self.set(&spec.ty().short_name(), spec.value());
    }
    pub fn get(&self, name: &str) -> Option<Value> {
        self.dict.get_str(intern(name).as_value())
    }
}
