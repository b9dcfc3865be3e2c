//! The traps and flags of a context as mappings from signals to truth values.
//!
//! The class that Python sees is made by `type` from [`SIGNAL_DICT_MIXIN`] and `collections.abc.MutableMapping`.

use super::signals;
use crate::payload::class_of;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::StrBuilder;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::Payload;
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::types::{TYPE, Type, TypeSpec, type_flags};
use taipan_object::{Raised, Ref, Result, Value, Vm, method_table};

/// A set of conditions that a context and its signal dictionary share.
pub type Bits = Arc<AtomicU32>;

#[repr(C)]
pub struct SignalDict {
    pub header: Header,
    /// `None` in an instance that Python code made.
    bits: ObjectCell<Option<Bits>>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for SignalDict {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        SIGNAL_DICT_MIXIN.ty()
    }
}

pub static SIGNAL_DICT_MIXIN: TypeSpec =
    TypeSpec::new::<SignalDict>("decimal.SignalDictMixin").flags(type_flags::BASETYPE).slots(slots).methods(METHODS);

static CLASS: OnceLock<Value> = OnceLock::new();

/// Makes the class.
pub fn create_class(vm: &Vm) -> Result<()> {
    if CLASS.get().is_none() {
        let mapping = vm.import_from("collections.abc", "MutableMapping")?;
        let bases = Tuple::from_array([SIGNAL_DICT_MIXIN.value(), mapping]).into_value();
        let args = [Value::from("SignalDict"), bases, Dict::new().into_value()];
        let class = vm.call_args(&TYPE.value(), &args)?;
        let _ = CLASS.set(class);
    }
    Ok(())
}

/// The dictionary of a set of conditions.
pub fn new(bits: Bits) -> Value {
    let class = CLASS.get().and_then(|class| class.downcast::<Type>()).expect("made with the module");
    let dict = SignalDict { header: Header::new(class), bits: ObjectCell::new(Some(bits)) };
    Ref::new_with_type(class, dict).into_value()
}

/// The context to which a dictionary belongs is no more.
pub fn invalidate(dict: &Value) {
    if let Some(dict) = dict.downcast::<SignalDict>() {
        let bits = dict.bits.borrow(&dict.header).take();
        drop(bits);
    }
}

#[cold]
fn invalid(vm: &Vm) -> Raised {
    vm.value_error("invalid signal dict")
}

/// The error of a key or list item that is no signal.
#[cold]
pub fn unknown_signal(vm: &Vm) -> Raised {
    let message = "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n   Overflow, \
                   Underflow, Subnormal, Inexact, Rounded,\n   Clamped]";
    vm.raise_new(taipan_object::exceptions::KEY_ERROR.ty(), message.to_string())
}

/// The bits of a signal's class.
pub fn signal_bits(vm: &Vm, class: &Value) -> Result<u32> {
    signals::get().of_class(class).map(|signal| signal.bits).ok_or_else(|| unknown_signal(vm))
}

fn bits_of(vm: &Vm, this: &Value) -> Result<Bits> {
    let dict = this.downcast::<SignalDict>().expect("own slot");
    let bits = dict.bits.borrow(&dict.header).clone();
    bits.ok_or_else(|| invalid(vm))
}

/// The conditions of a signal dictionary, or of a plain dictionary with all signals as keys.
pub fn conditions(vm: &Vm, value: &Value) -> Result<u32> {
    if value.downcast::<SignalDict>().is_some() {
        return Ok(bits_of(vm, value)?.load(Relaxed));
    }
    let Some(dict) = value.downcast_ref::<Dict>() else {
        return Err(vm.type_error("argument must be a signal dict"));
    };
    if dict.len() != signals::COUNT {
        return Err(vm.raise_new(taipan_object::exceptions::KEY_ERROR.ty(), "invalid signal dict".to_string()));
    }
    let mut conditions = 0;
    for (class, set) in dict.items() {
        let bits = signal_bits(vm, &class)?;
        if vm.is_true(&set)? {
            conditions |= bits;
        }
    }
    Ok(conditions)
}

/// The conditions of a list of signals, or of what [`conditions`] takes.
pub fn conditions_of_list(vm: &Vm, value: &Value) -> Result<u32> {
    match value.downcast::<taipan_object::builtins::list::List>() {
        Some(_) => vm.collect(value)?.iter().try_fold(0, |all, class| Ok(all | signal_bits(vm, class)?)),
        None => conditions(vm, value),
    }
}

/// The classes of the signals in a set of conditions.
pub fn classes(conditions: u32) -> Vec<Value> {
    let signals = signals::get().signals.iter();
    signals.filter(|signal| signal.bits & conditions != 0).map(|signal| signal.class.clone()).collect()
}

/// `[Inexact, Rounded]`, in the order of the lowest bits but for `InvalidOperation`.
pub fn names(conditions: u32) -> String {
    let mut present: Vec<_> = signals::get().signals.iter().filter(|signal| signal.bits & conditions != 0).collect();
    present.sort_by_key(|signal| signal.bits.trailing_zeros());
    let names: Vec<&str> = present.iter().map(|signal| signal.name).collect();
    format!("[{}]", names.join(", "))
}

fn slots(s: &mut Slots) {
    s.new = Some(|_, class, _, _| {
        let class = class_of(class);
        let dict = SignalDict { header: Header::new(class), bits: ObjectCell::new(None) };
        Ok(Ref::new_with_type(class, dict).into_value())
    });
    s.init = Some(|_, _, _, _| Ok(()));
    s.repr = Some(|vm, this| {
        let bits = bits_of(vm, this)?.load(Relaxed);
        let mut text = StrBuilder::new();
        for (at, signal) in signals::get().signals.iter().enumerate() {
            text.push_str(if at == 0 { "{" } else { ", " });
            text.push_repr(vm, &signal.class)?;
            text.push_str(if signal.bits & bits != 0 { ":True" } else { ":False" });
        }
        text.push_str("}");
        Ok(text.finish().into_value())
    });
    s.hash = Some(taipan_object::types::slots::hash_not_implemented);
    s.richcompare = Some(richcompare);
    s.length = Some(|vm, this| bits_of(vm, this).map(|_| signals::COUNT));
    s.iter = Some(|vm, this| {
        bits_of(vm, this)?;
        let classes = signals::get().signals.iter().map(|signal| signal.class.clone()).collect();
        vm.iter(Tuple::from_vec(classes).as_value())
    });
    s.subscript = Some(|vm, this, key| {
        let bits = bits_of(vm, this)?.load(Relaxed);
        Ok(Value::bool(signal_bits(vm, key)? & bits != 0))
    });
    s.ass_subscript = Some(|vm, this, key, value| {
        let bits = bits_of(vm, this)?;
        let Some(value) = value else { return Err(vm.value_error("signal keys cannot be deleted")) };
        let signal = signal_bits(vm, key)?;
        match vm.is_true(value)? {
            true => bits.fetch_or(signal, Relaxed),
            false => bits.fetch_and(!signal, Relaxed),
        };
        Ok(())
    });
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let own = bits_of(vm, this)?.load(Relaxed);
    let other = match (other.downcast::<SignalDict>(), other.downcast::<Dict>()) {
        (Some(_), _) => bits_of(vm, other)?.load(Relaxed),
        (None, Some(_)) => match conditions(vm, other) {
            Ok(conditions) => conditions,
            Err(raised) => {
                // Other keys than all the signals: not equal.
                vm.catch(raised, taipan_object::exceptions::KEY_ERROR.ty())?;
                return Ok(Value::bool(op == CompareOp::Ne));
            }
        },
        (None, None) => return Ok(Value::NOT_IMPLEMENTED),
    };
    let equal = normalized(own) == normalized(other);
    Ok(Value::bool(equal == (op == CompareOp::Eq)))
}

/// One bit for each signal.
fn normalized(conditions: u32) -> u32 {
    let signals = signals::get().signals.iter().enumerate();
    signals.fold(0, |all, (at, signal)| all | u32::from(signal.bits & conditions != 0) << at)
}

method_table! { static METHODS = [
    MethodDef::new("copy()", "", |vm, this, _| {
        let bits = bits_of(vm, this)?.load(Relaxed);
        let dict = Dict::new();
        for signal in &signals::get().signals {
            dict.set(vm, &signal.class, Value::bool(signal.bits & bits != 0))?;
        }
        Ok(dict.into_value())
    }),
]; }
