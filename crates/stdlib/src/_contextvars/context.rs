//! `contextvars.Context`, and the current context of each thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use taipan_object::native::MethodDef;
use taipan_object::object::to_ref;
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::context_var::ContextVar;
use super::hamt::{self, Node};
use super::iterator::{self, Part};
use crate::payload::payload;

payload! {
    /// `previous` is the context that was current before this one was entered; a context is entered once at a time.
    pub struct Context(ContextState): CONTEXT {
        map: Option<Ref<Node>>, len: usize, previous: Option<Ref<Context>>, entered: bool,
    }
}

pub static CONTEXT: TypeSpec =
    TypeSpec::new::<Context>("_contextvars.Context").flags(type_flags::HAS_WEAKREF).slots(slots).methods(METHODS);

thread_local! {
    /// The word of the thread's current context, owned; 0 if it has none yet.
    static CURRENT: Cell<u64> = const { Cell::new(0) };
    /// Changes whenever another context becomes current; unique among threads, never 0 once there is a context.
    static VERSION: Cell<u64> = const { Cell::new(0) };
}

static NEXT_VERSION: AtomicU64 = AtomicU64::new(1);

/// The version by which variables know that what they remember holds for the current context.
#[inline]
pub(super) fn version() -> u64 {
    VERSION.get()
}

fn replace_current(context: Option<Ref<Context>>) -> Option<Ref<Context>> {
    VERSION.set(NEXT_VERSION.fetch_add(1, Relaxed));
    let old = CURRENT.replace(context.map_or(0, |context| context.into_value().into_word()));
    // SAFETY: the word owned a reference to a context.
    (old != 0).then(|| unsafe { Ref::from_value_unchecked(Value::from_word(old)) })
}

/// The current context, if the thread has one yet.
#[inline]
pub(super) fn current_if_any() -> Option<Ref<Context>> {
    let word = CURRENT.get();
    // SAFETY: the word is a context's, alive as long as it is current.
    (word != 0).then(|| unsafe { Ref::from_value_unchecked(Value::borrow_word(&word).clone()) })
}

/// The current context.
pub fn current() -> Ref<Context> {
    current_if_any().unwrap_or_else(|| {
        let context = new();
        replace_current(Some(context.clone()));
        context
    })
}

/// Gives up the calling thread's context: it is about to end.
pub fn thread_ends() {
    drop(replace_current(None));
    VERSION.set(0);
}

/// An empty context.
pub fn new() -> Ref<Context> {
    with_map(None, 0)
}

fn with_map(map: Option<Ref<Node>>, len: usize) -> Ref<Context> {
    let state = ContextState { map, len, previous: None, entered: false };
    let context = Context::make(CONTEXT.ty(), state);
    // SAFETY: just made with this layout.
    unsafe { Ref::from_value_unchecked(context) }
}

/// `contextvars.copy_context()`
pub fn copy_current() -> Ref<Context> {
    current().copy()
}

impl Context {
    pub fn copy(&self) -> Ref<Context> {
        let (map, len) = self.with(|state| (state.map.clone(), state.len));
        with_map(map, len)
    }

    fn map(&self) -> Option<Ref<Node>> {
        self.with(|state| state.map.clone())
    }

    /// The value of a variable.
    pub fn find(&self, var: &ContextVar) -> Option<Value> {
        self.with(|state| state.map.as_ref().and_then(|map| map.find(var).cloned()))
    }

    /// Sets the value of a variable. The result is what to drop when all is consistent again.
    #[must_use]
    pub(super) fn set(&self, var: &Ref<ContextVar>, value: Value) -> [Option<Ref<Node>>; 2] {
        let old = self.map();
        let is_new = old.as_ref().is_none_or(|map| map.find(var).is_none());
        let map = hamt::assoc(old.as_ref(), var, value);
        let replaced = self.with(|state| {
            state.len += is_new as usize;
            state.map.replace(map)
        });
        [old, replaced]
    }

    /// Removes a variable; whether it was there.
    pub(super) fn remove(&self, var: &ContextVar) -> bool {
        let Some(old) = self.map().filter(|map| map.find(var).is_some()) else { return false };
        let map = hamt::without(&old, var);
        let replaced = self.with(|state| {
            state.len -= 1;
            std::mem::replace(&mut state.map, map)
        });
        drop((old, replaced));
        true
    }

    fn len(&self) -> usize {
        self.with(|state| state.len)
    }

    /// Makes this the current context.
    pub fn enter(&self, vm: &Vm) -> Result<()> {
        if self.with(|state| state.entered) {
            let shown = vm.repr_string(to_ref(self).as_value())?;
            return Err(vm.runtime_error(format!("cannot enter context: {shown} is already entered")));
        }
        let previous = replace_current(Some(to_ref(self)));
        self.with(|state| {
            state.entered = true;
            state.previous = previous;
        });
        Ok(())
    }

    /// Makes the context current that was so before [`Context::enter`].
    pub fn exit(&self, vm: &Vm) -> Result<()> {
        if !self.with(|state| state.entered) {
            let shown = vm.repr_string(to_ref(self).as_value())?;
            return Err(vm.runtime_error(format!("cannot exit context: {shown} has not been entered")));
        }
        if CURRENT.get() != self as *const Context as u64 {
            return Err(vm.runtime_error("cannot exit context: thread state references a different context object"));
        }
        let previous = self.with(|state| {
            state.entered = false;
            state.previous.take()
        });
        drop(replace_current(previous));
        Ok(())
    }

    /// `context.run(callable, *args, **kwargs)`
    pub fn run(&self, vm: &Vm, callable: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
        self.enter(vm)?;
        let result = vm.call(callable, args, kwnames);
        match self.exit(vm) {
            Ok(()) => result,
            Err(raised) => Err(raised),
        }
    }
}

/// A variable given as a key.
fn key<'a>(vm: &Vm, key: &'a Value) -> Result<&'a ContextVar> {
    match key.downcast::<ContextVar>() {
        Some(var) => Ok(var),
        None => {
            let shown = vm.repr_string(key)?;
            Err(vm.type_error(format!("a ContextVar key was expected, got {shown}")))
        }
    }
}

fn equal(vm: &Vm, left: &Context, right: &Context) -> Result<bool> {
    let (left, right) = (left.map(), right.map());
    let items = hamt::items(left.as_ref());
    for (var, value) in &items {
        match right.as_ref().and_then(|map| map.find(var)) {
            Some(other) if vm.equal_or_identical(value, other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, _, args, kwnames| {
        if !args.is_empty() || kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
            return Err(vm.type_error("Context() does not accept any arguments"));
        }
        Ok(new().into_value())
    });
    s.hash = Some(taipan_object::types::slots::hash_not_implemented);
    s.richcompare = Some(|vm, this, other, op| {
        let (Some(left), Some(right)) = (this.downcast::<Context>(), other.downcast::<Context>()) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        let wanted = match op {
            CompareOp::Eq => true,
            CompareOp::Ne => false,
            _ => return Ok(Value::NOT_IMPLEMENTED),
        };
        Ok(Value::bool((left.len() == right.len() && equal(vm, left, right)?) == wanted))
    });
    s.iter = Some(|_, this| Ok(iterator::new(Part::Keys, hamt::items(Context::of(this).map().as_ref()))));
    s.length = Some(|_, this| Ok(Context::of(this).len()));
    s.subscript = Some(|vm, this, index| {
        let var = key(vm, index)?;
        Context::of(this).find(var).ok_or_else(|| vm.key_error(index))
    });
    s.contains = Some(|vm, this, item| Ok(Context::of(this).find(key(vm, item)?).is_some()));
}

fn part(this: &Value, part: Part) -> Result {
    Ok(iterator::new(part, hamt::items(Context::of(this).map().as_ref())))
}

method_table! { static METHODS = [
    MethodDef::new("get($self, key, default=None, /)",
        "The value of the variable `key` in the context, or `default`.", |vm, this, args| {
        let var = key(vm, &args[0])?;
        Ok(Context::of(this).find(var).unwrap_or_else(|| args[1].clone()))
    }),
    MethodDef::new("items($self, /)", "All variables of the context with their values.", |_, this, _| {
        part(this, Part::Items)
    }),
    MethodDef::new("keys($self, /)", "All variables of the context.", |_, this, _| part(this, Part::Keys)),
    MethodDef::new("values($self, /)", "The values of all variables of the context.", |_, this, _| {
        part(this, Part::Values)
    }),
    MethodDef::new("copy($self, /)", "Return a new context with the same variables and values.", |_, this, _| {
        Ok(Context::of(this).copy().into_value())
    }),
    MethodDef::raw("run", "", |vm, this, args, kwnames| {
        let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
        if positional == 0 {
            return Err(vm.type_error("run() missing 1 required positional argument"));
        }
        Context::of(this).run(vm, &args[0], &args[1..], kwnames)
    }),
]; }
