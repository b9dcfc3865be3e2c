//! Weak references: `weakref.ref`, proxies, and what happens to them when their object dies.
//!
//! References are registered in a side table keyed by the object's address (flag `HAS_WEAKREFS` says that there is an
//! entry), newest first as in CPython; the plain reference without callback is shared.

use crate::cell::ObjectCell;
use crate::count;
use crate::hash::Spread;
use crate::header::{Header, object_flags};
use crate::heap::Kind;
use crate::native::MemberDef;
use crate::native::function::BuiltinFunction;
use crate::object::{Payload, Ref, Result, Visitor};
use crate::types::slots::{CompareOp, Slots};
use crate::types::{Type, TypeSpec, type_flags};
use crate::value::Value;
use crate::vm::{Vm, names};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ptr::NonNull;
use std::sync::{LazyLock, Mutex};

pub mod proxy;

/// A weak reference (also the layout of proxies).
#[repr(C)]
pub struct WeakRef {
    pub header: Header,
    state: ObjectCell<State>,
}

struct State {
    /// Address of the object; 0 once it is dead.
    target: usize,
    callback: Option<Value>,
    hash: Option<i64>,
}

// SAFETY: repr(C), header first, visits the callback.
unsafe impl Payload for WeakRef {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        REFERENCE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some(callback) = unsafe { &(*self.state.as_ptr()).callback } {
            visit(callback);
        }
    }
    fn clear(&self) {
        let old = self.state.borrow(&self.header).callback.take();
        drop(old);
    }
}

impl Drop for WeakRef {
    fn drop(&mut self) {
        let target = self.state.get_mut().target;
        if target != 0 {
            let me = NonNull::from(&*self);
            if let Some(list) = registry().get_mut(&target) {
                list.retain(|reference| reference.0 != me);
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Entry(NonNull<WeakRef>);
// SAFETY: entries are followed only while the registry is locked or the referent dies, with the object alive.
unsafe impl Send for Entry {}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Default::default);

type Registry = HashMap<usize, Vec<Entry>, BuildHasherDefault<Spread>>;

fn registry() -> std::sync::MutexGuard<'static, Registry> {
    REGISTRY.lock().expect("the weak reference registry is never poisoned")
}

/// Whether some object's death calls a function that does more than take a dead class out of an ABC's sets: those of
/// `_abc` are bound to a reference.
pub fn any_callback() -> bool {
    let calls = |entry: &Entry| {
        // SAFETY: the registry has only references that are alive, as long as it is locked.
        let reference = unsafe { entry.0.as_ref() };
        let state = reference.state.borrow(&reference.header);
        let of_abc = |callback: &Value| {
            callback.downcast::<BuiltinFunction>().is_some_and(|function| function.this.downcast::<WeakRef>().is_some())
        };
        state.callback.as_ref().is_some_and(|callback| !of_abc(callback))
    };
    registry().values().flatten().any(calls)
}

pub static REFERENCE: TypeSpec = TypeSpec::new::<WeakRef>("weakref.ReferenceType")
    .flags(type_flags::BASETYPE)
    .slots(slots)
    .members(&[MemberDef::new("__callback__", "", |_, this| Ok(callback(this).unwrap_or(Value::NONE)))])
    .methods(METHODS);

crate::method_table! {
    static METHODS = [crate::builtins::generic_alias::CLASS_GETITEM];
}

fn own(value: &Value) -> &WeakRef {
    let header = value.as_object().expect("an object");
    // SAFETY: references and proxies share the layout, and slots are called with their own instances only.
    unsafe { &*(header as *const Header as *const WeakRef) }
}

fn callback(this: &Value) -> Option<Value> {
    let reference = own(this);
    reference.state.borrow(&reference.header).callback.clone()
}

/// The referent, if it is alive.
pub fn target(this: &Value) -> Option<Value> {
    let reference = own(this);
    let _table = registry();
    let address = reference.state.borrow(&reference.header).target;
    if address == 0 {
        return None;
    }
    let pointer = NonNull::new(address as *mut Header)?;
    // SAFETY: a dying object clears its references (under the registry's lock) before its memory goes, so the header
    // is there; a count of zero means that it is dying now.
    unsafe {
        if crate::count::refcount(pointer.as_ref()) == 0 && !pointer.as_ref().is_immortal() {
            return None;
        }
        crate::count::incref(pointer.as_ptr());
        Some(Value::from_object_pointer(pointer))
    }
}

/// Whether objects of this type can be referenced weakly.
pub fn supports(ty: &Type) -> bool {
    ty.has_flags(type_flags::HAS_WEAKREF)
}

/// Whether there may be weak references to `object`.
pub fn is_referenced(object: &Value) -> bool {
    object.as_object().is_some_and(|header| header.has_flag(object_flags::HAS_WEAKREFS))
}

/// Whether `value` is a plain reference to `object`, which is alive.
pub fn is_to(value: &Value, object: &Value) -> bool {
    value.downcast_exact::<WeakRef>().is_some_and(|reference| {
        // SAFETY: a plain field read, no Python code. What dies meanwhile is not `object`.
        unsafe { (*reference.state.as_ptr()).target as u64 == object.word() }
    })
}

/// A reference of type `ty` to `object`.
pub fn create(vm: &Vm, ty: &Type, object: &Value, callback: Option<Value>) -> Result {
    let header = match object.as_object() {
        Some(header) if supports(object.ty()) => header,
        _ => {
            let name = object.ty().name();
            return Err(vm.type_error(format!("cannot create weak reference to '{name}' object")));
        }
    };
    let address = header as *const Header as usize;
    let sharable = callback.is_none() && !ty.is_heap_type();
    if sharable && header.has_flag(object_flags::HAS_WEAKREFS) {
        let existing = registry().get(&address).and_then(|list| {
            // What is shared stands first: a reference, a proxy.
            list.iter().take(2).find_map(|entry| {
                // SAFETY: registered references are alive: they remove themselves when they are dropped.
                let reference = unsafe { entry.0.as_ref() };
                // SAFETY: plain field reads, no Python code.
                let plain = unsafe { (*reference.state.as_ptr()).callback.is_none() };
                let live = crate::count::refcount(&reference.header) > 0;
                (plain && live && std::ptr::eq(reference.header.ty(), ty)).then(|| crate::object::to_value(reference))
            })
        });
        if let Some(existing) = existing {
            return Ok(existing);
        }
    }
    let state = ObjectCell::new(State { target: address, callback, hash: None });
    let reference = Ref::new_with_type_unchecked(ty, WeakRef { header: Header::new(ty), state });
    header.set_flag(object_flags::HAS_WEAKREFS);
    let entry = Entry(NonNull::from(&*reference));
    let mut table = registry();
    let list = table.entry(address).or_default();
    // The shared reference, the shared proxy, then the others, newest first.
    let is_shared = |entry: &Entry, reference: bool| {
        // SAFETY: registered references are alive; a plain field read.
        let (ty, plain) =
            unsafe { (entry.0.as_ref().header.ty(), (*entry.0.as_ref().state.as_ptr()).callback.is_none()) };
        plain && !ty.is_heap_type() && std::ptr::eq(ty, REFERENCE.ty()) == reference
    };
    let mut at = 0;
    if !(sharable && std::ptr::eq(ty, REFERENCE.ty())) {
        at += usize::from(list.first().is_some_and(|entry| is_shared(entry, true)));
        if !sharable {
            at += usize::from(list.get(at).is_some_and(|entry| is_shared(entry, false)));
        }
    }
    list.insert(at, entry);
    drop(table);
    Ok(reference.into_value())
}

/// All references to an object, plain ones first.
pub fn references(object: &Value) -> Vec<Value> {
    let table = registry();
    let list = table.get(&(object.word() as usize)).map(Vec::as_slice).unwrap_or_default();
    // SAFETY: registered references are alive.
    list.iter().map(|entry| crate::object::to_value(unsafe { entry.0.as_ref() })).collect()
}

/// The oldest plain weak reference to an object.
pub fn first_reference(object: &Value) -> Option<Value> {
    references(object).into_iter().next()
}

/// Detaches every reference to an object; those with callbacks.
fn detach(header: &Header) -> Vec<(Value, Value)> {
    let list = registry().remove(&(header as *const Header as usize)).unwrap_or_default();
    header.clear_flag(object_flags::HAS_WEAKREFS);
    let mut callbacks = Vec::new();
    for entry in list {
        // SAFETY: registered references are alive; a count of zero means that one is being dropped.
        let reference = unsafe { entry.0.as_ref() };
        let mut state = reference.state.borrow(&reference.header);
        state.target = 0;
        let callback = state.callback.take();
        drop(state);
        if let Some(callback) = callback
            && crate::count::refcount(&reference.header) > 0
        {
            callbacks.push((crate::object::to_value(reference), callback));
        }
    }
    callbacks
}

/// Clears the weak references to a dying object and runs their callbacks.
pub fn clear_references(header: &Header) {
    run_callbacks(detach(header));
}

/// As [`clear_references`], leaving the callbacks to the caller (the collector runs them after all are cleared).
pub fn take_callbacks(header: &Header) -> Vec<(Value, Value)> {
    detach(header)
}

pub fn run_callbacks(callbacks: Vec<(Value, Value)>) {
    for (reference, callback) in callbacks {
        let call = |vm: &Vm| {
            if let Err(raised) = vm.call(&callback, std::slice::from_ref(&reference), None) {
                vm.write_unraisable(raised, "Exception ignored while calling weakref callback", &callback);
            }
        };
        count::running_python(|| Vm::with_current(|vm| vm.preserving_exception(call)));
    }
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, class, args, kwnames| {
        let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
        if positional == 0 || positional > 2 {
            let (word, limit) = if positional == 0 { ("at least", 1) } else { ("at most", 2) };
            let plural = if limit == 1 { "" } else { "s" };
            return Err(vm.type_error(format!("__new__ expected {word} {limit} argument{plural}, got {positional}")));
        }
        let ty = class.downcast::<Type>().expect("`tp_new` gets a type");
        create(vm, ty, &args[0], args[..positional].get(1).and_then(Value::given).cloned())
    });
    s.init = Some(|vm, _, args, kwnames| {
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error("ref() takes no keyword arguments"));
        }
        if args.is_empty() || args.len() > 2 {
            let (word, limit) = if args.is_empty() { ("at least", 1) } else { ("at most", 2) };
            let plural = if limit == 1 { "" } else { "s" };
            return Err(vm.type_error(format!("__init__ expected {word} {limit} argument{plural}, got {}", args.len())));
        }
        Ok(())
    });
    s.call = Some(|vm, this, args, kwnames| {
        if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error("weakref.ReferenceType() takes no keyword arguments"));
        }
        if !args.is_empty() {
            return Err(vm.type_error(format!("__call__ expected 0 arguments, got {}", args.len())));
        }
        Ok(target(this).unwrap_or(Value::NONE))
    });
    s.hash = Some(|vm, this| {
        let reference = own(this);
        if let Some(hash) = reference.state.borrow(&reference.header).hash {
            return Ok(hash);
        }
        let Some(object) = target(this) else { return Err(vm.type_error("weak object has gone away")) };
        let hash = vm.hash(&object)?;
        reference.state.borrow(&reference.header).hash = Some(hash);
        Ok(hash)
    });
    s.richcompare = Some(|vm, this, other, op| {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) || other.downcast::<WeakRef>().is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        match (target(this), target(other)) {
            (Some(a), Some(b)) => vm.rich_compare(&a, &b, op),
            _ => Ok(Value::bool(this.is(other) == (op == CompareOp::Eq))),
        }
    });
    s.repr = Some(|vm, this| {
        let at = this.id();
        let Some(object) = target(this) else { return Ok(Value::from(format!("<weakref at {at:#x}; dead>"))) };
        // A `__getattr__` is not asked.
        let name = crate::types::lookup::generic_getattr_opt(vm, &object, &names().__name__)
            .or_else(|raised| vm.catch(raised, crate::exceptions::attribute_error()).map(|_| None))?;
        let class = object.ty().full_name();
        Ok(Value::from(match name.filter(|name| name.downcast::<crate::builtins::str::Str>().is_some()) {
            Some(name) => {
                format!("<weakref at {at:#x}; to '{class}' at {:#x} ({})>", object.id(), vm.display_name(&name))
            }
            None => format!("<weakref at {at:#x}; to '{class}' at {:#x}>", object.id()),
        }))
    });
}

/// Arguments of `weakref.proxy`.
pub fn new_proxy(vm: &Vm, object: &Value, callback: Option<Value>) -> Result {
    let spec = if object.ty().slots().call.is_some() { &proxy::CALLABLE_PROXY } else { &proxy::PROXY };
    create(vm, spec.ty(), object, callback)
}
