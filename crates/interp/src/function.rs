//! `function`: code with globals, defaults and closure.
//!
//! Counterpart of CPython's `Objects/funcobject.c`. Binding of arguments to parameters is in `arguments.rs`, what Python
//! sees of a function in `attributes.rs`.

pub mod arguments;
mod attributes;

use std::cell::{Cell, OnceCell};

use smallvec::{SmallVec, smallvec};
use taipan_bytecode::code::CO_HAS_DOCSTRING;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::{Str, StrBuilder, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::module::Module;
use taipan_object::object::{Payload, Visitor, to_ref};
use taipan_object::types::{Called, Type, TypeSpec, type_flags};
use taipan_object::vm::names;
use taipan_object::{Ref, Value, Vm};

use crate::code::Code;

/// A Python function.
#[repr(C)]
pub struct Function {
    pub header: Header,
    /// Owned through `codes`, whose last item it is.
    code: Cell<*const Code>,
    pub globals: Ref<Dict>,
    pub builtins: Ref<Dict>,
    pub closure: OnceCell<Ref<Tuple>>,
    state: ObjectCell<State>,
}

/// What can be assigned.
struct State {
    /// The code and those it replaced: frames that run one do not own it.
    codes: SmallVec<[Ref<Code>; 1]>,
    defaults: Option<Ref<Tuple>>,
    kwdefaults: Option<Ref<Dict>>,
    /// These three are UNBOUND until somebody asks for them: then they are what the first code says.
    name: Value,
    qualname: Value,
    doc: Value,
    module: Value,
    dict: Option<Ref<Dict>>,
    annotations: Option<Value>,
    annotate: Option<Value>,
    type_params: Option<Value>,
}

// SAFETY: repr(C), header first; visits what it owns once (codes are leaves).
unsafe impl Payload for Function {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        FUNCTION.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        visit(self.globals.as_value());
        visit(self.builtins.as_value());
        self.closure.get().into_iter().for_each(|closure| visit(closure.as_value()));
        state.codes.iter().for_each(|code| visit(code.as_value()));
        state.defaults.iter().for_each(|defaults| visit(defaults.as_value()));
        state.kwdefaults.iter().for_each(|defaults| visit(defaults.as_value()));
        state.dict.iter().for_each(|dict| visit(dict.as_value()));
        for value in [&state.name, &state.qualname, &state.doc, &state.module] {
            visit(value);
        }
        for value in [&state.annotations, &state.annotate, &state.type_params].into_iter().flatten() {
            visit(value);
        }
    }
    fn clear(&self) {
        let mut state = self.state.borrow(&self.header);
        let garbage = (
            state.defaults.take(),
            state.kwdefaults.take(),
            state.dict.take(),
            state.annotations.take(),
            state.annotate.take(),
            state.type_params.take(),
            std::mem::replace(&mut state.doc, Value::NONE),
            std::mem::replace(&mut state.module, Value::NONE),
        );
        drop(state);
        drop(garbage);
    }
}

pub static FUNCTION: TypeSpec = TypeSpec::new::<Function>("function")
    .doc(attributes::DOC)
    .flags(type_flags::METHOD_DESCRIPTOR | type_flags::HAS_WEAKREF | type_flags::HAVE_VECTORCALL)
    .called(Called::Function)
    .own_dict(|header, create| {
        // SAFETY: the type says that the object is a function.
        let function = unsafe { &*(header as *const Header as *const Function) };
        let mut state = function.state.borrow(&function.header);
        if state.dict.is_none() && create {
            drop(state);
            let dict = Dict::new();
            state = function.state.borrow(&function.header);
            state.dict.get_or_insert(dict);
        }
        state.dict.clone()
    })
    .slots(attributes::slots)
    .members(attributes::MEMBERS)
    .getset(attributes::GETSET);

impl Function {
    /// A function without defaults or closure, as MAKE_FUNCTION makes it.
    pub fn new(vm: &Vm, code: Ref<Code>, globals: Ref<Dict>) -> Ref<Function> {
        Self::with_closure(vm, code, globals, None)
    }

    pub fn with_closure(vm: &Vm, code: Ref<Code>, globals: Ref<Dict>, closure: Option<Ref<Tuple>>) -> Ref<Function> {
        let builtins = builtins_of(vm, &globals);
        let module = globals.get_str(&names().__name__).unwrap_or(Value::NONE);
        Ref::new(Function {
            header: Header::new(FUNCTION.ty()),
            code: Cell::new(&*code),
            globals,
            builtins,
            closure: closure.map_or_else(OnceCell::new, OnceCell::from),
            state: ObjectCell::new(State {
                doc: if code.has_flag(CO_HAS_DOCSTRING) { Value::UNBOUND } else { Value::NONE },
                codes: smallvec![code],
                defaults: None,
                kwdefaults: None,
                name: Value::UNBOUND,
                qualname: Value::UNBOUND,
                module,
                dict: None,
                annotations: None,
                annotate: None,
                type_params: None,
            }),
        })
    }

    #[inline(always)]
    pub fn code(&self) -> &Code {
        // SAFETY: owned by the last item of `codes`, from which nothing is ever removed.
        unsafe { &*self.code.get() }
    }

    /// Replaces the code. Its number of free variables must fit the closure.
    pub fn set_code(&self, code: Ref<Code>) {
        self.code.set(&*code);
        self.state.borrow(&self.header).codes.push(code);
    }

    /// Sets the closure of a function that has none yet; false if it has.
    pub fn give_closure(&self, closure: Ref<Tuple>) -> bool {
        self.closure.set(closure).is_ok()
    }

    pub fn defaults(&self) -> Option<Ref<Tuple>> {
        self.state.borrow(&self.header).defaults.clone()
    }

    /// The defaults, for argument binding: alive until Python code runs.
    #[inline(always)]
    pub(crate) fn defaults_slice(&self) -> &[Value] {
        // SAFETY: read and cloned from before anything else can run.
        match unsafe { &(*self.state.as_ptr()).defaults } {
            Some(defaults) => defaults.as_slice(),
            None => &[],
        }
    }

    /// The word of a keyword-only parameter's default, borrowed.
    ///
    /// # Safety
    /// It is not used any more once Python code may have run.
    pub(crate) unsafe fn kwdefault(&self, name: &Value) -> Option<u64> {
        // SAFETY: only read, and no Python code runs.
        let table = unsafe {
            let defaults = (*self.state.as_ptr()).kwdefaults.as_ref()?;
            &*defaults.state.as_ptr()
        };
        Some(table.entries[table.find_str(name)?].value.word())
    }

    pub fn kwdefaults(&self) -> Option<Ref<Dict>> {
        self.state.borrow(&self.header).kwdefaults.clone()
    }

    pub fn name(&self) -> Value {
        self.stated(|state| &mut state.name, |code| code.name_value().clone())
    }

    pub fn qualname(&self) -> Value {
        self.stated(|state| &mut state.qualname, |code| code.qualname_value().clone())
    }

    /// The names of a generator that runs the function's code: UNBOUND where they are what the code says.
    #[inline(always)]
    pub(crate) fn generator_names(&self) -> (Value, Value) {
        {
            let state = self.state.borrow(&self.header);
            if state.codes.len() == 1 {
                return (state.name.clone(), state.qualname.clone());
            }
        }
        (self.name(), self.qualname())
    }

    pub fn doc(&self) -> Value {
        self.stated(|state| &mut state.doc, |code| code.consts().first().cloned().unwrap_or(Value::NONE))
    }

    /// What was assigned, or else what the code with which the function was made says.
    fn stated(&self, field: fn(&mut State) -> &mut Value, of_code: fn(&Code) -> Value) -> Value {
        let code = {
            let mut state = self.state.borrow(&self.header);
            let value = field(&mut state);
            if !value.is_unbound() {
                return value.clone();
            }
            state.codes[0].clone()
        };
        let value = of_code(&code);
        *field(&mut self.state.borrow(&self.header)) = value.clone();
        value
    }

    pub fn module(&self) -> Value {
        self.state.borrow(&self.header).module.clone()
    }

    pub fn set_defaults(&self, defaults: Option<Ref<Tuple>>) {
        let old = std::mem::replace(&mut self.state.borrow(&self.header).defaults, defaults);
        drop(old);
    }

    pub fn set_kwdefaults(&self, defaults: Option<Ref<Dict>>) {
        let old = std::mem::replace(&mut self.state.borrow(&self.header).kwdefaults, defaults);
        drop(old);
    }

    pub fn set_type_params(&self, params: Value) {
        let old = self.state.borrow(&self.header).type_params.replace(params);
        drop(old);
    }

    pub(crate) fn set_annotations(&self, annotations: Option<Value>) {
        let mut state = self.state.borrow(&self.header);
        let old = std::mem::replace(&mut state.annotations, annotations);
        drop(state);
        drop(old);
    }

    /// Gives the function that computes another's annotations its qualified name.
    pub(crate) fn name_as_annotate_of(&self, other: &Function) {
        let qualname = other.qualname();
        let Some(text) = qualname.downcast::<Str>() else { return };
        let mut name = StrBuilder::new();
        name.push_text(text);
        name.push_str(".__annotate__");
        let old = std::mem::replace(&mut self.state.borrow(&self.header).qualname, name.finish().into_value());
        drop(old);
    }

    pub(crate) fn set_annotate(&self, annotate: Option<Value>) {
        let old = std::mem::replace(&mut self.state.borrow(&self.header).annotate, annotate);
        drop(old);
    }
}

/// The builtins of code with these globals: `globals['__builtins__']`, or those of the running frame, or `builtins`.
pub fn builtins_of(vm: &Vm, globals: &Dict) -> Ref<Dict> {
    if let Some(builtins) = globals.get_str(&names().__builtins__) {
        if let Some(module) = builtins.downcast::<Module>() {
            return module.dict.clone();
        }
        if let Some(dict) = builtins.downcast::<Dict>() {
            return to_ref(dict);
        }
    }
    let interp = crate::frame::Interp::of(vm);
    if let Some(frame) = interp.current_frame() {
        return frame.function().builtins.clone();
    }
    match vm.import("builtins") {
        Ok(module) if module.downcast::<Module>().is_some() => {
            module.downcast::<Module>().map(|module| module.dict.clone()).expect("just tested")
        }
        Ok(_) => Dict::new(),
        Err(raised) => {
            vm.discard(raised);
            Dict::new()
        }
    }
}

/// `intern` of a name that only this module needs.
pub(crate) fn name(text: &str) -> Value {
    intern(text).into_value()
}

/// Whether `value` is a function made by `def` or `lambda`.
pub fn is_function(value: &Value) -> bool {
    value.downcast::<Function>().is_some()
}

/// Runs a class body in `namespace`.
pub fn call_class_body(vm: &Vm, function: &Value, namespace: &Value) -> taipan_object::Result {
    match function.downcast_ref::<Function>() {
        Some(function) => crate::eval::run_function(vm, function, Some(namespace.clone())),
        None => Err(vm.type_error("__build_class__: func must be a function")),
    }
}
