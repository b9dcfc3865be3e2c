//! The exception classes of conditions, and raising what is trapped.

use super::mpd::status::*;
use crate::exception_type;
use std::sync::OnceLock;
use taipan_object::builtins::list::List;
use taipan_object::exceptions::{ARITHMETIC_ERROR, TYPE_ERROR, ZERO_DIVISION_ERROR};
use taipan_object::native::module::Module;
use taipan_object::types::Type;
use taipan_object::{Result, Value, Vm};

/// A class and the conditions it stands for.
pub struct Signal {
    pub name: &'static str,
    pub bits: u32,
    pub class: Value,
}

/// The signals in the order of signal dictionaries, and the conditions behind `InvalidOperation`.
pub struct Signals {
    pub signals: Vec<Signal>,
    conditions: Vec<Signal>,
    exception: Value,
}

static SIGNALS: OnceLock<Signals> = OnceLock::new();

/// The classes, which exist once the module was imported.
pub fn get() -> &'static Signals {
    SIGNALS.get().expect("the module has been imported")
}

pub const COUNT: usize = 9;

fn create(vm: &Vm) -> Result<Signals> {
    let class = |name: &str, bases: Vec<Value>| exception_type::new(vm, "decimal", name, bases, None);
    let base = class("DecimalException", vec![ARITHMETIC_ERROR.value()])?;
    let simple = |name| class(name, vec![base.clone()]);
    let invalid = simple("InvalidOperation")?;
    let float = class("FloatOperation", vec![base.clone(), TYPE_ERROR.value()])?;
    let division = class("DivisionByZero", vec![base.clone(), ZERO_DIVISION_ERROR.value()])?;
    let inexact = simple("Inexact")?;
    let rounded = simple("Rounded")?;
    let subnormal = simple("Subnormal")?;
    let clamped = simple("Clamped")?;
    let overflow = class("Overflow", vec![inexact.clone(), rounded.clone()])?;
    let underflow = class("Underflow", vec![inexact.clone(), rounded.clone(), subnormal.clone()])?;
    let condition = |name| class(name, vec![invalid.clone()]);
    let undefined = class("DivisionUndefined", vec![invalid.clone(), ZERO_DIVISION_ERROR.value()])?;
    let conditions = vec![
        Signal { name: "InvalidOperation", bits: INVALID_OPERATION, class: invalid.clone() },
        Signal { name: "ConversionSyntax", bits: CONVERSION_SYNTAX, class: condition("ConversionSyntax")? },
        Signal { name: "DivisionImpossible", bits: DIVISION_IMPOSSIBLE, class: condition("DivisionImpossible")? },
        Signal { name: "DivisionUndefined", bits: DIVISION_UNDEFINED, class: undefined },
        Signal { name: "InvalidContext", bits: INVALID_CONTEXT, class: condition("InvalidContext")? },
    ];
    let signals = vec![
        Signal { name: "InvalidOperation", bits: INVALID, class: invalid },
        Signal { name: "FloatOperation", bits: FLOAT_OPERATION, class: float },
        Signal { name: "DivisionByZero", bits: DIVISION_BY_ZERO, class: division },
        Signal { name: "Overflow", bits: OVERFLOW, class: overflow },
        Signal { name: "Underflow", bits: UNDERFLOW, class: underflow },
        Signal { name: "Subnormal", bits: SUBNORMAL, class: subnormal },
        Signal { name: "Inexact", bits: INEXACT, class: inexact },
        Signal { name: "Rounded", bits: ROUNDED, class: rounded },
        Signal { name: "Clamped", bits: CLAMPED, class: clamped },
    ];
    Ok(Signals { signals, conditions, exception: base })
}

/// Makes the classes and adds them to the module.
pub fn add_classes(vm: &Vm, module: &Module) -> Result<()> {
    let signals = match SIGNALS.get() {
        Some(signals) => signals,
        None => {
            let signals = create(vm)?;
            SIGNALS.get_or_init(|| signals)
        }
    };
    module.set("DecimalException", signals.exception.clone());
    for signal in signals.signals.iter().chain(&signals.conditions[1..]) {
        module.set(signal.name, signal.class.clone());
    }
    Ok(())
}

impl Signals {
    /// The signal that a class is.
    pub fn of_class(&self, class: &Value) -> Option<&Signal> {
        self.signals.iter().find(|signal| signal.class.is(class))
    }
}

/// Raises the exception for trapped conditions: the first signal's, with all of them in a list.
#[cold]
pub fn raise(vm: &Vm, trapped: u32) -> Result<()> {
    if trapped & MALLOC_ERROR != 0 {
        return Err(vm.memory_error());
    }
    let Some(signals) = SIGNALS.get() else { return Ok(()) };
    let Some(first) = signals.signals.iter().find(|signal| signal.bits & trapped != 0) else { return Ok(()) };
    let all = signals.conditions.iter().chain(&signals.signals[1..]).filter(|signal| signal.bits & trapped != 0);
    let list = List::from_vec(all.map(|signal| signal.class.clone()).collect()).into_value();
    match first.class.downcast::<Type>() {
        Some(class) => Err(vm.raise_args(class, vec![list])),
        None => Ok(()),
    }
}
