//! How native code is declared to Python: methods, functions, getters, members and modules.
//!
//! A signature is stated once, as Python states it (`"append($self, object, /)"`); binding of arguments, the errors of
//! wrong calls and `__text_signature__` derive from it (`signature.rs`). `function.rs` and `descriptors.rs` have the
//! Python objects made from the declarations, `module.rs` modules.

pub mod arguments;
pub mod descriptors;
pub mod function;
pub mod member;
pub mod module;
pub mod signature;

use crate::builtins::dict::Dict;
use crate::builtins::str::intern;
use crate::header::Header;
use crate::object::{Ref, Result};
use crate::types::slots::{SLOT_ROWS, SlotFn, Slots, is_sequence_alias};
use crate::types::{Type, TypeSpec};
use crate::value::Value;
use crate::vm::Vm;
use signature::Signature;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

/// What the eval loop may answer itself, without calling the function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quick {
    No,
    /// `len(obj)`
    Len,
    /// `isinstance(obj, cls)`
    IsInstance,
    /// `list.append(object)`
    ListAppend,
    /// `list.pop()`
    ListPop,
}

/// What a native function may do while other threads run (`interp/src/eval/shared/audit.rs`).
#[cfg(feature = "free-threading")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Audited {
    /// Nobody has asked yet.
    Unknown,
    /// It must not be called then.
    No,
    /// It may be called with whatever arguments.
    Free,
    /// With an object whose length is plain to see.
    Sized,
    /// With arguments that do not change.
    Constant,
    /// The same; it may take long.
    Long,
    /// It reads the items of its first argument, which have to be constant, as the other arguments.
    Items,
    /// It reads its object; arguments may be hashed and compared.
    Reads,
    /// It writes to its object, and stores its arguments.
    Writes,
    /// As `Writes`; the first argument is hashed and compared.
    WritesKey,
    /// As `Writes`; it takes the items of its argument.
    Takes,
    /// It compares the items of its object.
    Sorts,
    /// It takes the next item of an iterator.
    Next,
}

/// A native function or method.
pub struct MethodDef {
    /// `name(params)` as in `__text_signature__`, e.g. `"sort($self, /, *, key=None, reverse=False)"`.
    pub declaration: &'static str,
    pub doc: &'static str,
    pub function: NativeFunction,
    pub binding: Binding,
    pub quick: Quick,
    parsed: OnceLock<Signature>,
    /// Whether the function takes fewer arguments than it declares (see [`MethodDef::optional`]).
    takes_fewer: bool,
    /// How many positional arguments the function takes just as they are: the least, and above bit 32 how many more at most.
    /// [`NEVER`] if there is no such number, or as long as the signature has not been parsed.
    exact: AtomicU64,
    #[cfg(feature = "free-threading")]
    audited: std::sync::atomic::AtomicU8,
}

/// No call has so many arguments.
const NEVER: u64 = u32::MAX as u64;

/// A table of methods, by its addresses, and the name of the type or module that it belongs to.
struct Owner {
    start: usize,
    end: usize,
    name: &'static str,
}

/// The owners of all tables that are in use, the first user of a table first.
static OWNERS: Mutex<Vec<Owner>> = Mutex::new(Vec::new());

/// Says to which type or module the functions of a table belong, for messages; the first of several that share it counts.
pub(crate) fn note_owner(table: &'static [MethodDef], name: &'static str) {
    if !table.is_empty() {
        let range = table.as_ptr_range();
        let owner = Owner { start: range.start as usize, end: range.end as usize, name };
        OWNERS.lock().expect("never poisoned").push(owner);
    }
}

/// A table of methods: `method_table! { pub static METHODS = [MethodDef::new(…), …]; }`.
///
/// (Definitions cache their parsed signature, so the table is a `static` of its own behind the slice.)
#[macro_export]
macro_rules! method_table {
    ($(#[$meta:meta])* $vis:vis static $name:ident = [$($def:expr),* $(,)?];) => {
        $(#[$meta])*
        $vis static $name: &[$crate::native::MethodDef] = {
            static TABLE: [$crate::native::MethodDef; <[&str]>::len(&[$(stringify!($def)),*])] = [$($def),*];
            &TABLE
        };
    };
}

/// What a method is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// An instance (or a module).
    Instance,
    /// `METH_CLASS`.
    Class,
    /// `METH_STATIC`.
    Static,
}

/// A Rust function that gets one value per declared parameter.
pub type BoundFunction = fn(&Vm, &Value, &[Value]) -> Result;

/// The Rust function behind a [`MethodDef`].
#[derive(Clone, Copy)]
pub enum NativeFunction {
    /// `(vm, self, args)`: one value per declared parameter after `$self`/`$module`/`$type`; declared defaults that are
    /// constants are filled in, other absent parameters are `Value::UNBOUND`; `*args` is a tuple, `**kwargs` a dict.
    Bound(BoundFunction),
    /// `(vm, self, args, kwnames)`: the vectorcall as it came; the function checks the arguments itself.
    Raw(fn(&Vm, &Value, &[Value], Option<&Value>) -> Result),
}

impl MethodDef {
    /// A method whose arguments are bound to its declared signature.
    pub const fn new(
        declaration: &'static str,
        doc: &'static str,
        function: fn(&Vm, &Value, &[Value]) -> Result,
    ) -> MethodDef {
        let function = NativeFunction::Bound(function);
        MethodDef {
            declaration,
            doc,
            function,
            binding: Binding::Instance,
            quick: Quick::No,
            parsed: OnceLock::new(),
            takes_fewer: false,
            exact: AtomicU64::new(NEVER),
            #[cfg(feature = "free-threading")]
            audited: std::sync::atomic::AtomicU8::new(0),
        }
    }

    /// A method that gets its arguments as they come. The declaration may lack the parentheses when CPython has no
    /// text signature for it.
    pub const fn raw(
        declaration: &'static str,
        doc: &'static str,
        function: fn(&Vm, &Value, &[Value], Option<&Value>) -> Result,
    ) -> MethodDef {
        let function = NativeFunction::Raw(function);
        MethodDef {
            declaration,
            doc,
            function,
            binding: Binding::Instance,
            quick: Quick::No,
            parsed: OnceLock::new(),
            takes_fewer: false,
            exact: AtomicU64::new(NEVER),
            #[cfg(feature = "free-threading")]
            audited: std::sync::atomic::AtomicU8::new(0),
        }
    }

    /// Says that the eval loop may answer calls itself.
    pub const fn quick(mut self, quick: Quick) -> MethodDef {
        self.quick = quick;
        self
    }
    /// Says that the function takes just the positional arguments that are given, where those that are missing at the end have
    /// defaults: it looks at them with [`arguments::optional`].
    pub const fn optional(mut self) -> MethodDef {
        self.takes_fewer = true;
        self
    }
    /// Makes it a class method.
    pub const fn class(mut self) -> MethodDef {
        self.binding = Binding::Class;
        self
    }
    /// Makes it a static method.
    pub const fn r#static(mut self) -> MethodDef {
        self.binding = Binding::Static;
        self
    }

    /// What is known of the function.
    #[cfg(feature = "free-threading")]
    #[inline]
    pub fn audited(&self) -> Audited {
        // SAFETY: only `set_audited` writes the byte.
        unsafe { std::mem::transmute(self.audited.load(Relaxed)) }
    }

    #[cfg(feature = "free-threading")]
    pub fn set_audited(&self, audited: Audited) {
        self.audited.store(audited as u8, Relaxed);
    }

    pub fn name(&self) -> &'static str {
        self.declaration.split('(').next().unwrap_or(self.declaration)
    }

    /// The signature, parsed on first use.
    pub fn signature(&self) -> &Signature {
        self.parsed.get_or_init(|| {
            let mut signature = Signature::parse(self.declaration);
            let address = std::ptr::from_ref(self) as usize;
            let owners = OWNERS.lock().expect("never poisoned");
            let owner = owners.iter().find(|owner| (owner.start..owner.end).contains(&address));
            signature.owner = owner.map(|owner| owner.name.to_string());
            if let Some(exact) = signature.exact_positional() {
                let least = if self.takes_fewer { signature.least_positional() } else { exact };
                self.exact.store(least as u64 | ((exact - least) as u64) << 32, Relaxed);
            }
            signature
        })
    }

    /// `(params)` as CPython shows it in `__text_signature__`; `None` if it has none.
    pub fn text_signature(&self) -> Option<&'static str> {
        self.declaration.find('(').map(|at| &self.declaration[at..])
    }

    /// Calls the function.
    #[inline]
    pub fn call(&self, vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
        match kwnames {
            None => self.call_positional(vm, this, args, false),
            Some(_) => self.call_keywords(vm, this, args, kwnames, false),
        }
    }

    /// Calls the function as a method bound to `this`, whose type messages name.
    #[inline]
    pub fn call_bound(&self, vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
        match kwnames {
            None => self.call_positional(vm, this, args, true),
            Some(_) => self.call_keywords(vm, this, args, kwnames, true),
        }
    }

    #[inline(always)]
    fn takes_exactly(&self, count: usize) -> bool {
        let exact = self.exact.load(Relaxed);
        (count as u64).wrapping_sub(exact & NEVER) <= exact >> 32
    }

    /// The function, if it takes `count` positional arguments just as they are.
    #[inline(always)]
    pub fn exactly(&self, count: usize) -> Option<BoundFunction> {
        match self.function {
            NativeFunction::Bound(f) if self.takes_exactly(count) => Some(f),
            _ => None,
        }
    }

    /// Calls the function with positional arguments only; `bound` as in [`MethodDef::call_bound`].
    #[inline(always)]
    pub fn call_positional(&self, vm: &Vm, this: &Value, args: &[Value], bound: bool) -> Result {
        match self.function {
            NativeFunction::Raw(f) => f(vm, this, args, None),
            NativeFunction::Bound(f) if self.takes_exactly(args.len()) => f(vm, this, args),
            NativeFunction::Bound(f) => self.call_with_defaults(vm, this, args, bound, f),
        }
    }

    #[inline(never)]
    fn call_with_defaults(&self, vm: &Vm, this: &Value, args: &[Value], bound: bool, f: BoundFunction) -> Result {
        match self.signature().call_with_defaults(vm, this, args, f) {
            Some(result) => result,
            None => self.call_keywords(vm, this, args, None, bound),
        }
    }

    #[inline(never)]
    fn call_keywords(&self, vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>, bound: bool) -> Result {
        match self.function {
            NativeFunction::Raw(f) => f(vm, this, args, kwnames),
            NativeFunction::Bound(f) => {
                let owner = Some(this).filter(|this| bound && !this.ty().is(&module::MODULE));
                self.signature().bind_and_call(vm, this, args, kwnames, owner, f)
            }
        }
    }
}

/// A computed attribute.
pub struct GetSetDef {
    pub name: &'static str,
    pub doc: &'static str,
    pub get: fn(&Vm, &Value) -> Result,
    /// `None` as value: deletion.
    pub set: Option<fn(&Vm, &Value, Option<&Value>) -> Result<()>>,
}

impl GetSetDef {
    pub const fn new(name: &'static str, doc: &'static str, get: fn(&Vm, &Value) -> Result) -> GetSetDef {
        GetSetDef { name, doc, get, set: None }
    }
    pub const fn setter(mut self, set: fn(&Vm, &Value, Option<&Value>) -> Result<()>) -> GetSetDef {
        self.set = Some(set);
        self
    }
}

/// A plain attribute of the payload (shown as `member_descriptor`).
pub struct MemberDef {
    pub name: &'static str,
    pub doc: &'static str,
    pub get: fn(&Vm, &Value) -> Result,
    pub set: Option<fn(&Vm, &Value, Option<&Value>) -> Result<()>>,
}

impl MemberDef {
    pub const fn new(name: &'static str, doc: &'static str, get: fn(&Vm, &Value) -> Result) -> MemberDef {
        MemberDef { name, doc, get, set: None }
    }
    pub const fn setter(mut self, set: fn(&Vm, &Value, Option<&Value>) -> Result<()>) -> MemberDef {
        self.set = Some(set);
        self
    }
}

/// The namespace that instances of a built-in type keep in their payload; `create` makes it if there is none yet.
pub type OwnDict = fn(&Header, create: bool) -> Option<Ref<Dict>>;

/// The payload namespace of `header`'s object, if its type keeps one.
#[inline]
pub fn own_dict(ty: &Type, header: &Header) -> Option<Ref<Dict>> {
    ty.own_dict.get().and_then(|get| get(header, false))
}

/// As [`own_dict`], made if necessary.
#[inline]
pub fn own_dict_for_write(ty: &Type, header: &Header) -> Option<Ref<Dict>> {
    ty.own_dict.get().and_then(|get| get(header, true))
}

/// Fills the dict of a built-in type from its declaration and slots, in CPython's order.
pub(crate) fn fill_type_dict(ty: &'static Type, spec: &'static TypeSpec) {
    let dict = ty.dict();
    let set = |name: &str, value: Value| dict.set_str(intern(name).as_value(), value);
    let mut own = Slots::default();
    (spec.slots)(&mut own);
    let hidden = crate::types::type_flags::DISALLOW_INSTANTIATION | crate::types::type_flags::GENERIC_NEW;
    if own.new.is_some() && ty.flags() & hidden == 0 {
        set("__new__", function::new_wrapper(ty));
    }
    for row in SLOT_ROWS {
        let Some(f) = (row.get)(ty.slots()) else { continue };
        let inherited = ty.base().and_then(|base| (row.get)(base.slots()));
        if inherited.is_some_and(|inherited| inherited.same(f)) || row.wrap == crate::types::slots::Wrap::None {
            continue;
        }
        let name = intern(row.name);
        // Sequence slots give way to the number slots' wrappers of the same name.
        if (is_sequence_alias(row) || matches!(f, SlotFn::Item(_))) && dict.get_str(name.as_value()).is_some() {
            continue;
        }
        if matches!(f, SlotFn::Hash(h) if std::ptr::fn_addr_eq(h, crate::types::slots::hash_not_implemented as crate::types::slots::Hash))
        {
            dict.set_str(name.as_value(), Value::NONE);
            continue;
        }
        dict.set_str(name.as_value(), descriptors::slot_wrapper(ty, row, f));
    }
    if own.buffer.is_some() {
        let release = !std::ptr::eq(spec, &crate::builtins::bytes::BYTES);
        for (name, method) in descriptors::buffer_methods(ty, release) {
            set(name, method);
        }
    }
    note_owner(spec.methods, spec.name.rsplit('.').next().unwrap_or(""));
    for def in spec.methods {
        set(def.name(), descriptors::method(ty, def));
    }
    for def in spec.members {
        set(def.name, member::native(ty, def));
    }
    for def in spec.getset {
        set(def.name, descriptors::getset(ty, def));
    }
    if dict.get_str(intern("__doc__").as_value()).is_none() {
        let doc = if spec.doc.is_empty() { Value::NONE } else { Value::from(spec.docstring()) };
        set("__doc__", doc);
    }
}

/// Whether `method` is a slot wrapper whose function satisfies `test`.
pub fn wrapped_slot_is(method: &Value, test: impl Fn(SlotFn) -> bool) -> bool {
    method.downcast_exact::<descriptors::SlotWrapper>().is_some_and(|wrapper| test(wrapper.function))
}
