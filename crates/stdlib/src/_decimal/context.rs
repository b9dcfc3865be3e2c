//! `decimal.Context`, and which one is current.

pub mod attributes;
mod manager;
mod methods;

pub use manager::localcontext;

use super::mpd::{self, Rounding, status::*};
use super::signal_dict::{self, Bits};
use super::signals;
use crate::_contextvars::context_var::{self, ContextVar};
use crate::payload::class_of;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use taipan_object::builtins::str::intern;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

/// What operations read. It is copied out of the object for each of them.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub number: mpd::Context,
    pub capitals: bool,
}

impl Settings {
    const DEFAULT: Settings = Settings {
        number: mpd::Context { prec: 28, emax: 999_999, emin: -999_999, round: Rounding::HalfEven, clamp: false },
        capitals: true,
    };
}

const DEFAULT_TRAPS: u32 = INVALID | DIVISION_BY_ZERO | OVERFLOW;
const BASIC_TRAPS: u32 = DEFAULT_TRAPS | CLAMPED | UNDERFLOW;

#[repr(C)]
pub struct Context {
    pub header: Header,
    settings: ObjectCell<Settings>,
    traps: Bits,
    flags: Bits,
    /// The dictionaries, made when asked for.
    dictionaries: ObjectCell<[Option<Value>; 2]>,
}

// SAFETY: repr(C), header first, visits both dictionaries.
unsafe impl Payload for Context {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        CONTEXT.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        unsafe { &*self.dictionaries.as_ptr() }.iter().flatten().for_each(visit);
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.dictionaries.get_mut().iter().flatten().for_each(signal_dict::invalidate);
    }
}

pub static CONTEXT: TypeSpec = TypeSpec::new::<Context>("decimal.Context")
    .doc(
        "Context(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)\n\
         --\n\nWhat operations depend on: precision, rounding, limits of the exponent, which conditions raise exceptions; \
         and which have occurred.",
    )
    .flags(type_flags::BASETYPE)
    .slots(attributes::slots)
    .methods(methods::METHODS)
    .getset(attributes::GETSET);

impl Context {
    pub fn of(value: &Value) -> &Context {
        value.downcast::<Context>().expect("methods are called with instances of their type")
    }

    fn with_type(ty: &Type, settings: Settings, traps: u32, flags: u32) -> Ref<Context> {
        let bits = |conditions| Arc::new(AtomicU32::new(conditions));
        let context = Context {
            header: Header::new(ty),
            settings: ObjectCell::new(settings),
            traps: bits(traps),
            flags: bits(flags),
            dictionaries: ObjectCell::new([None, None]),
        };
        Ref::new_with_type(ty, context)
    }

    fn new(settings: Settings, traps: u32, flags: u32) -> Ref<Context> {
        Self::with_type(CONTEXT.ty(), settings, traps, flags)
    }

    #[inline]
    pub fn settings(&self) -> Settings {
        *self.settings.borrow(&self.header)
    }
    /// The part that arithmetic needs.
    #[inline]
    pub fn number(&self) -> mpd::Context {
        self.settings().number
    }
    pub fn traps(&self) -> u32 {
        self.traps.load(Relaxed)
    }
    pub fn flags(&self) -> u32 {
        self.flags.load(Relaxed)
    }
    pub fn copy(&self) -> Ref<Context> {
        Self::new(self.settings(), self.traps(), self.flags())
    }
    fn update(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings.borrow(&self.header));
    }

    /// Sets flags, and raises an exception if one of the conditions is trapped.
    #[inline]
    pub fn report(&self, vm: &Vm, conditions: u32) -> Result<()> {
        if conditions == 0 {
            return Ok(());
        }
        let old = self.flags.load(Relaxed);
        if old | conditions != old {
            self.flags.store(old | conditions, Relaxed);
        }
        let trapped = conditions & (self.traps() | MALLOC_ERROR);
        if trapped == 0 { Ok(()) } else { signals::raise(vm, trapped) }
    }

    /// The dictionary of the traps or the flags.
    fn dictionary(&self, traps: bool) -> Value {
        let at = usize::from(traps);
        let known = self.dictionaries.borrow(&self.header)[at].clone();
        known.unwrap_or_else(|| {
            let dict = signal_dict::new(if traps { self.traps.clone() } else { self.flags.clone() });
            self.dictionaries.borrow(&self.header)[at] = Some(dict.clone());
            dict
        })
    }
}

/// `BasicContext`
pub fn basic() -> Ref<Context> {
    let number = mpd::Context { prec: 9, round: Rounding::HalfUp, ..Settings::DEFAULT.number };
    Context::new(Settings { number, ..Settings::DEFAULT }, BASIC_TRAPS, 0)
}

/// `ExtendedContext`
pub fn extended() -> Ref<Context> {
    let number = mpd::Context { prec: 9, ..Settings::DEFAULT.number };
    Context::new(Settings { number, ..Settings::DEFAULT }, 0, 0)
}

/// `DefaultContext`, of which new contexts are copies.
pub fn default() -> &'static Ref<Context> {
    static DEFAULT: OnceLock<Ref<Context>> = OnceLock::new();
    DEFAULT.get_or_init(|| Context::new(Settings::DEFAULT, DEFAULT_TRAPS, 0))
}

pub const IEEE_MAX_BITS: i64 = 512;

/// `IEEEContext(bits)`
pub fn ieee(vm: &Vm, bits: i64) -> Result {
    if bits <= 0 || bits > IEEE_MAX_BITS || bits % 32 != 0 {
        return Err(vm.value_error(format!("argument must be a multiple of 32, with a maximum of {IEEE_MAX_BITS}")));
    }
    let emax = 3 * (1 << (bits / 16 + 3));
    let number =
        mpd::Context { prec: 9 * (bits / 32) - 2, emax, emin: 1 - emax, round: Rounding::HalfEven, clamp: true };
    Ok(Context::new(Settings { number, capitals: true }, 0, 0).into_value())
}

fn variable() -> &'static Ref<ContextVar> {
    static VARIABLE: OnceLock<Ref<ContextVar>> = OnceLock::new();
    VARIABLE.get_or_init(|| context_var::new(intern("decimal_context").into_value(), None))
}

/// The current context.
#[inline]
pub fn current() -> Ref<Context> {
    match variable().value().and_then(|context| context.downcast_ref::<Context>()) {
        Some(context) => context,
        None => first(),
    }
}

/// The first context of a thread or task.
#[cold]
fn first() -> Ref<Context> {
    let context = default().copy();
    context.flags.store(0, Relaxed);
    variable().set(context.as_value().clone());
    context
}

/// `setcontext(context)`: the module's own contexts are templates and are copied.
pub fn set_current(vm: &Vm, context: &Value) -> Result<()> {
    let Some(given) = context.downcast_ref::<Context>() else {
        return Err(vm.type_error("argument must be a context"));
    };
    let context = match is_template(&given) {
        true => {
            let copy = given.copy();
            copy.flags.store(0, Relaxed);
            copy
        }
        false => given,
    };
    variable().set(context.into_value());
    Ok(())
}

static TEMPLATES: OnceLock<[Ref<Context>; 3]> = OnceLock::new();

/// `DefaultContext`, `BasicContext` and `ExtendedContext`.
pub fn templates() -> &'static [Ref<Context>; 3] {
    TEMPLATES.get_or_init(|| [default().clone(), basic(), extended()])
}

fn is_template(context: &Ref<Context>) -> bool {
    templates().iter().any(|template| template.as_value().is(context.as_value()))
}

/// An optional `context` argument: the current one by default.
pub fn argument(vm: &Vm, value: &Value) -> Result<Ref<Context>> {
    match value.given() {
        None => Ok(current()),
        Some(context) => {
            context.downcast_ref::<Context>().ok_or_else(|| vm.type_error("optional argument must be a context"))
        }
    }
}

/// A new context of `class` with the default settings.
fn construct(_: &Vm, class: &Value, _: &[Value], _: Option<&Value>) -> Result {
    let class = class_of(class);
    let default = default();
    Ok(Context::with_type(class, default.settings(), default.traps(), 0).into_value())
}
