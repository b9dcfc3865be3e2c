//! `contextvars.ContextVar`

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::builtins::str::Str;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::object::{to_ref, to_value};
use taipan_object::types::TypeSpec;
use taipan_object::types::slots::Slots;
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::token::{self, Token};
use super::{context, token::Origin};
use crate::payload::{class_of, payload};

payload! {
    /// `hash` is unique. `version` and `word` are the version of the context in which the variable was last looked up
    /// and the value found there, which that context keeps alive.
    pub struct ContextVar(ContextVarState): CONTEXT_VAR {
        name: Value, default: Option<Value>, hash: u64, version: u64, word: u64,
    }
}

pub static CONTEXT_VAR: TypeSpec =
    TypeSpec::new::<ContextVar>("_contextvars.ContextVar").slots(slots).methods(METHODS).members(MEMBERS);

static MEMBERS: &[MemberDef] =
    &[MemberDef::new("name", "", |_, this| Ok(ContextVar::of(this).with(|state| state.name.clone())))];

static NEXT_HASH: AtomicU64 = AtomicU64::new(1);

/// A new variable.
pub fn new(name: Value, default: Option<Value>) -> Ref<ContextVar> {
    // An odd factor maps different numbers to different hashes, and its high bits spread over the low ones.
    let hash = NEXT_HASH.fetch_add(1, Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    let state = ContextVarState { name, default, hash, version: 0, word: 0 };
    let var = ContextVar::make(CONTEXT_VAR.ty(), state);
    // SAFETY: just made with this layout.
    unsafe { Ref::from_value_unchecked(var) }
}

impl ContextVar {
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        self.with(|state| state.hash)
    }

    /// Remembers the value in the current context, which keeps it alive; `None`: it has none.
    fn remember(&self, value: Option<&Value>) {
        let (version, word) = value.map_or((0, 0), |value| (context::version(), value.word()));
        self.with(|state| (state.version, state.word) = (version, word));
    }

    /// The value in the current context.
    #[inline]
    pub fn value(&self) -> Option<Value> {
        let current = context::version();
        let known = self.with(|state| {
            // SAFETY: while the context in which the value was found is current, only `set` and `reset` change its
            // value there, and they call `remember`.
            (state.version == current && current != 0).then(|| unsafe { Value::borrow_word(&state.word).clone() })
        });
        known.or_else(|| {
            let value = context::current_if_any()?.find(self)?;
            self.remember(Some(&value));
            Some(value)
        })
    }

    /// `get()` without arguments; `None` if there is neither a value nor a default.
    pub fn get(&self) -> Option<Value> {
        self.value().or_else(|| self.with(|state| state.default.clone()))
    }

    /// Sets the value in the current context.
    pub fn set(&self, value: Value) -> Ref<Token> {
        let this = to_ref(self);
        let current = context::current();
        let old = current.find(self);
        // What is remembered must not outlive the value that it borrows.
        self.remember(None);
        let garbage = current.set(&this, value.clone());
        self.remember(Some(&value));
        drop(garbage);
        token::new(current, this, old)
    }

    /// `reset(token)`
    pub fn reset(&self, vm: &Vm, token: &Token) -> Result<()> {
        let Origin { used, var, context: origin, old } = token.origin();
        let wrong = |what: &str| -> Result<String> { Ok(format!("{} {what}", vm.repr_string(&to_value(token))?)) };
        if used {
            let message = wrong("has already been used once")?;
            return Err(vm.runtime_error(message));
        }
        if !std::ptr::eq(&*var, self) {
            let message = wrong("was created by a different ContextVar")?;
            return Err(vm.value_error(message));
        }
        let current = context::current();
        if !current.as_value().is(origin.as_value()) {
            let message = wrong("was created in a different Context")?;
            return Err(vm.value_error(message));
        }
        token.use_up();
        self.remember(None);
        match old {
            Some(old) => {
                let garbage = current.set(&var, old.clone());
                self.remember(Some(&old));
                drop(garbage);
            }
            None => {
                if !current.remove(self) {
                    return Err(lookup_error(vm, var.as_value()));
                }
            }
        }
        Ok(())
    }
}

fn construct(vm: &Vm, args: &[Value], kwnames: Option<&Value>) -> Result<(Value, Option<Value>)> {
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    let positional = args.len() - keywords;
    if args.len() > 2 {
        return Err(vm.type_error(format!("ContextVar() takes at most 2 arguments ({} given)", args.len())));
    }
    if positional > 1 {
        let message = format!("ContextVar() takes at most 1 positional argument ({positional} given)");
        return Err(vm.type_error(message));
    }
    if positional == 0 {
        return Err(vm.type_error("ContextVar() takes exactly 1 positional argument (0 given)"));
    }
    if let Some(name) = kwnames.and_then(|names| names.downcast::<taipan_object::builtins::tuple::Tuple>())
        && let [name] = name.as_slice()
        && vm.display_name(name) != "default"
    {
        let name = vm.display_name(name);
        return Err(vm.type_error(format!("ContextVar() got an unexpected keyword argument '{name}'")));
    }
    if args[0].downcast::<Str>().is_none() {
        return Err(vm.type_error("context variable name must be a str"));
    }
    vm.hash(&args[0])?;
    Ok((args[0].clone(), args.get(1).cloned()))
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, class, args, kwnames| {
        debug_assert!(class_of(class).is(&CONTEXT_VAR));
        let (name, default) = construct(vm, args, kwnames)?;
        Ok(new(name, default).into_value())
    });
    s.repr = Some(|vm, this| {
        let (name, default) = ContextVar::of(this).with(|state| (state.name.clone(), state.default.clone()));
        let name = vm.repr_string(&name)?;
        let default = match default {
            Some(default) => {
                if !vm.enter_repr(this) {
                    return Ok(Value::from("..."));
                }
                let shown = vm.repr_string(&default);
                vm.leave_repr(this);
                format!(" default={}", shown?)
            }
            None => String::new(),
        };
        Ok(Value::from(format!("<ContextVar name={name}{default} at {:#x}>", this.id())))
    });
    s.hash = Some(|_, this| Ok(taipan_object::hash::hash_pointer(this.word())));
}

method_table! { static METHODS = [
    MethodDef::new("get($self, default=<unrepresentable>, /)",
        "The value of the variable in the current context; else `default`, else the variable's default, else LookupError.",
        |vm, this, args| {
        let var = ContextVar::of(this);
        match var.value().or_else(|| args[0].bound().cloned()).or_else(|| var.get()) {
            Some(value) => Ok(value),
            None => Err(lookup_error(vm, this)),
        }
    }),
    MethodDef::new("set($self, value, /)",
        "Set the value of the variable in the current context.\n\nThe result is a token with which reset() restores the former one.",
        |_, this, args| Ok(ContextVar::of(this).set(args[0].clone()).into_value())),
    MethodDef::new("reset($self, token, /)",
        "Reset the variable to the value it had before the set() that made the token.", |vm, this, args| {
        let Some(token) = args[0].downcast::<Token>() else {
            let shown = vm.repr_string(&args[0])?;
            return Err(vm.type_error(format!("expected an instance of Token, got {shown}")));
        };
        ContextVar::of(this).reset(vm, token)?;
        Ok(Value::NONE)
    }),
    CLASS_GETITEM,
]; }

/// `LookupError(var)`
#[cold]
fn lookup_error(vm: &Vm, var: &Value) -> taipan_object::Raised {
    vm.raise_args(taipan_object::exceptions::LOOKUP_ERROR.ty(), vec![var.clone()])
}
