//! The attributes of contexts, and making contexts from them.

use super::Context;
use crate::_decimal::mpd::{Rounding, context as limits};
use crate::_decimal::signal_dict;
use crate::arguments::ssize;
use crate::payload::signature;
use std::sync::atomic::Ordering::Relaxed;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::native::GetSetDef;
use taipan_object::types::lookup;
use taipan_object::types::slots::Slots;
use taipan_object::{Raised, Result, Value, Vm};

pub const ROUNDINGS: [(&str, Rounding); 8] = [
    ("ROUND_UP", Rounding::Up),
    ("ROUND_DOWN", Rounding::Down),
    ("ROUND_CEILING", Rounding::Ceiling),
    ("ROUND_FLOOR", Rounding::Floor),
    ("ROUND_HALF_UP", Rounding::HalfUp),
    ("ROUND_HALF_DOWN", Rounding::HalfDown),
    ("ROUND_HALF_EVEN", Rounding::HalfEven),
    ("ROUND_05UP", Rounding::ZeroFiveUp),
];

pub fn rounding_name(round: Rounding) -> &'static str {
    ROUNDINGS.iter().find(|(_, rounding)| *rounding == round).map_or("", |(name, _)| name)
}

/// A rounding mode by its name.
pub fn rounding(vm: &Vm, value: &Value) -> Result<Rounding> {
    let named = value.downcast::<Str>().and_then(|text| ROUNDINGS.iter().find(|(name, _)| text.is_str(name)));
    match named {
        Some((_, rounding)) => Ok(*rounding),
        None => Err(vm.type_error(
            "valid values for rounding are:\n  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n   ROUND_HALF_UP, \
             ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n   ROUND_05UP]",
        )),
    }
}

/// An int argument (nothing else will do).
pub fn integer(vm: &Vm, value: &Value) -> Result<i64> {
    if !int::is_int(value) {
        return Err(vm.type_error("an integer is required"));
    }
    Ok(ssize(vm, value)? as i64)
}

fn in_range(vm: &Vm, value: &Value, range: std::ops::RangeInclusive<i64>, message: &str) -> Result<i64> {
    let n = integer(vm, value)?;
    if range.contains(&n) { Ok(n) } else { Err(vm.value_error(message)) }
}

#[cold]
fn undeletable(vm: &Vm) -> Raised {
    vm.attribute_error("context attributes cannot be deleted")
}

impl Context {
    pub fn set_prec(&self, vm: &Vm, value: &Value) -> Result<()> {
        let n = in_range(vm, value, 1..=limits::MAX_PREC, "valid range for prec is [1, MAX_PREC]")?;
        self.update(|settings| settings.number.prec = n);
        Ok(())
    }
    pub fn set_emin(&self, vm: &Vm, value: &Value) -> Result<()> {
        let n = in_range(vm, value, limits::MIN_EMIN..=0, "valid range for Emin is [MIN_EMIN, 0]")?;
        self.update(|settings| settings.number.emin = n);
        Ok(())
    }
    pub fn set_emax(&self, vm: &Vm, value: &Value) -> Result<()> {
        let n = in_range(vm, value, 0..=limits::MAX_EMAX, "valid range for Emax is [0, MAX_EMAX]")?;
        self.update(|settings| settings.number.emax = n);
        Ok(())
    }
    pub fn set_rounding(&self, vm: &Vm, value: &Value) -> Result<()> {
        let round = rounding(vm, value)?;
        self.update(|settings| settings.number.round = round);
        Ok(())
    }
    pub fn set_capitals(&self, vm: &Vm, value: &Value) -> Result<()> {
        let n = in_range(vm, value, 0..=1, "valid values for capitals are 0 or 1")?;
        self.update(|settings| settings.capitals = n == 1);
        Ok(())
    }
    pub fn set_clamp(&self, vm: &Vm, value: &Value) -> Result<()> {
        let n = in_range(vm, value, 0..=1, "valid values for clamp are 0 or 1")?;
        self.update(|settings| settings.number.clamp = n == 1);
        Ok(())
    }
    pub fn set_traps(&self, conditions: u32) {
        self.traps.store(conditions, Relaxed);
    }
    pub fn set_flags(&self, conditions: u32) {
        self.flags.store(conditions, Relaxed);
    }
}

macro_rules! attribute {
    ($name:literal, $get:expr, $set:ident) => {
        GetSetDef::new($name, "", |_, this| {
            let get: fn(&Context) -> Value = $get;
            Ok(get(Context::of(this)))
        })
        .setter(|vm, this, value| match value {
            Some(value) => Context::of(this).$set(vm, value),
            None => Err(undeletable(vm)),
        })
    };
}

pub static GETSET: &[GetSetDef] = &[
    attribute!("prec", |context| Value::from(context.number().prec), set_prec),
    attribute!("Emax", |context| Value::from(context.number().emax), set_emax),
    attribute!("Emin", |context| Value::from(context.number().emin), set_emin),
    attribute!("rounding", |context| Value::from(rounding_name(context.number().round)), set_rounding),
    attribute!("capitals", |context| Value::from(i32::from(context.settings().capitals)), set_capitals),
    attribute!("clamp", |context| Value::from(i32::from(context.number().clamp)), set_clamp),
];

signature!(
    INIT = "(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)"
);

pub fn slots(s: &mut Slots) {
    s.new = Some(super::construct);
    s.init = Some(|vm, this, args, kwnames| {
        let bound = INIT.bind(vm, args, kwnames)?;
        let context = Context::of(this);
        type Setter = fn(&Context, &Vm, &Value) -> Result<()>;
        let setters: [Setter; 6] = [
            Context::set_prec,
            Context::set_rounding,
            Context::set_emin,
            Context::set_emax,
            Context::set_capitals,
            Context::set_clamp,
        ];
        for (value, set) in bound.iter().zip(setters) {
            if !value.is_none() {
                set(context, vm, value)?;
            }
        }
        if !bound[7].is_none() {
            context.set_traps(signal_dict::conditions_of_list(vm, &bound[7])?);
        }
        if !bound[6].is_none() {
            context.set_flags(signal_dict::conditions_of_list(vm, &bound[6])?);
        }
        Ok(())
    });
    s.repr = Some(|_, this| Ok(Value::from(Context::of(this).text())));
    s.getattro = Some(|vm, this, name| match traps_or_flags(name) {
        Some(traps) => Ok(Context::of(this).dictionary(traps)),
        None => lookup::generic_getattr(vm, this, name),
    });
    s.setattro = Some(|vm, this, name, value| match (traps_or_flags(name), value) {
        (None, Some(value)) => lookup::generic_setattr(vm, this, name, Some(value)),
        (Some(true), Some(value)) => {
            Context::of(this).set_traps(signal_dict::conditions(vm, value)?);
            Ok(())
        }
        (Some(false), Some(value)) => {
            Context::of(this).set_flags(signal_dict::conditions(vm, value)?);
            Ok(())
        }
        (_, None) => Err(undeletable(vm)),
    });
}

/// Whether the name is `traps` (true) or `flags`.
fn traps_or_flags(name: &Value) -> Option<bool> {
    let name = name.downcast::<Str>().filter(|name| name.len() == 5)?;
    if name.is_str("traps") {
        Some(true)
    } else if name.is_str("flags") {
        Some(false)
    } else {
        None
    }
}

impl Context {
    fn text(&self) -> String {
        let settings = self.settings();
        let number = settings.number;
        format!(
            "Context(prec={}, rounding={}, Emin={}, Emax={}, capitals={}, clamp={}, flags={}, traps={})",
            number.prec,
            rounding_name(number.round),
            number.emin,
            number.emax,
            u8::from(settings.capitals),
            u8::from(number.clamp),
            signal_dict::names(self.flags()),
            signal_dict::names(self.traps())
        )
    }
}
