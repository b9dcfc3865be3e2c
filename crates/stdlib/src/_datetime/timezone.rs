//! `datetime.timezone`: a fixed offset from UTC.

use super::datetime::{self, DateTime};
use super::timedelta::{self, Delta, TimeDelta};
use super::tzinfo::{self, TZINFO};
use crate::payload::signature;
use std::sync::LazyLock;
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Ref, Result, Value, Vm, method_table};

#[repr(C)]
pub struct TimeZone {
    pub header: Header,
    /// A timedelta.
    pub offset: Value,
    name: Option<Value>,
}

// SAFETY: repr(C), header first, visits both references.
unsafe impl Payload for TimeZone {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        TIMEZONE.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.offset);
        self.name.iter().for_each(visit);
    }
}

pub static TIMEZONE: TypeSpec = TypeSpec::new::<TimeZone>("datetime.timezone")
    .doc("A tzinfo whose difference from UTC never changes.")
    .base(&TZINFO)
    .slots(slots)
    .methods(METHODS)
    .populate(|ty| {
        let fixed = |seconds| make(timedelta::new(Delta::from_seconds(seconds, 0)), None);
        ty.set_raw("utc", utc());
        ty.set_raw("min", fixed(-(23 * 3600 + 59 * 60)));
        ty.set_raw("max", fixed(23 * 3600 + 59 * 60));
    });

signature!(NEW = "timezone(offset, name=<unrepresentable>)");

fn make(offset: Value, name: Option<Value>) -> Value {
    Ref::new(TimeZone { header: Header::new(TIMEZONE.ty()), offset, name }).into_value()
}

/// `timezone.utc`
pub fn utc() -> Value {
    static UTC: LazyLock<Value> = LazyLock::new(|| make(timedelta::zero(), None));
    UTC.clone()
}

/// A zone with an offset (a timedelta) of less than a day.
pub fn new(vm: &Vm, offset: Value, name: Option<Value>) -> Result {
    let value = timedelta::value(&offset).unwrap_or_default();
    if name.is_none() && value.is_zero() {
        return Ok(utc());
    }
    if !tzinfo::in_range(value) {
        return Err(tzinfo::out_of_range(vm, &offset));
    }
    Ok(make(offset, name))
}

/// A zone without a name.
pub fn from_delta(vm: &Vm, offset: Delta) -> Result {
    new(vm, timedelta::new(offset), None)
}

impl TimeZone {
    fn of(value: &Value) -> &TimeZone {
        value.downcast::<TimeZone>().expect("methods are called with instances of their type")
    }
    fn value(&self) -> Delta {
        timedelta::value(&self.offset).unwrap_or_default()
    }
    fn is_utc(&self) -> bool {
        utc().as_object().is_some_and(|header| std::ptr::eq(header, &self.header))
    }
    fn display(&self) -> Value {
        if let Some(name) = &self.name {
            return name.clone();
        }
        if self.is_utc() {
            return Value::from("UTC");
        }
        let mut text = StrBuilder::with_capacity(16);
        text.push_str("UTC");
        tzinfo::push_offset(&mut text, self.value(), ":");
        text.finish().into_value()
    }
}

fn slots(s: &mut Slots) {
    s.new = Some(|vm, _, args, kwnames| {
        let bound = NEW.bind(vm, args, kwnames)?;
        if bound[0].downcast::<TimeDelta>().is_none() {
            let got = type_display(&bound[0]);
            return Err(vm.type_error(format!("timezone() argument 1 must be datetime.timedelta, not {got}")));
        }
        if let Some(name) = bound[1].bound()
            && name.downcast::<Str>().is_none()
        {
            return Err(vm.type_error(format!("timezone() argument 2 must be str, not {}", type_display(name))));
        }
        new(vm, bound[0].clone(), bound[1].bound().cloned())
    });
    s.repr = Some(|vm, this| {
        let zone = TimeZone::of(this);
        let class = this.ty().name();
        if zone.is_utc() {
            return Ok(Value::from(format!("{class}.utc")));
        }
        let mut text = StrBuilder::new();
        text.push_str(&class);
        text.push_str("(");
        text.push_repr(vm, &zone.offset)?;
        if let Some(name) = &zone.name {
            text.push_str(", ");
            text.push_repr(vm, name)?;
        }
        text.push_str(")");
        Ok(text.finish().into_value())
    });
    s.str = Some(|_, this| Ok(TimeZone::of(this).display()));
    s.hash = Some(|_, this| Ok(TimeZone::of(this).value().hash()));
    s.richcompare = Some(|_, this, other, op| {
        let Some(other) = other.downcast::<TimeZone>() else { return Ok(Value::NOT_IMPLEMENTED) };
        let equal = TimeZone::of(this).value() == other.value();
        match op {
            CompareOp::Eq => Ok(Value::bool(equal)),
            CompareOp::Ne => Ok(Value::bool(!equal)),
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    });
}

/// The type of an argument as the messages of wrong arguments show it.
pub fn type_display(value: &Value) -> String {
    if value.is_none() { "None".to_string() } else { value.ty().name() }
}

/// The argument of `utcoffset` and its like, which must be a datetime or `None` and does not matter.
fn check_argument(vm: &Vm, argument: &Value, method: &str) -> Result<()> {
    if argument.is_none() || argument.downcast::<DateTime>().is_some() {
        return Ok(());
    }
    let got = argument.ty().name();
    Err(vm.type_error(format!("{method}(dt) argument must be a datetime instance or None, not {got}")))
}

method_table! { static METHODS = [
    MethodDef::new("tzname($self, object, /)", "\
        Return the name that the time zone was given, or one of the form 'UTC+HH:MM'.", |vm, this, args| {
        check_argument(vm, &args[0], "tzname")?;
        Ok(TimeZone::of(this).display())
    }),
    MethodDef::new("utcoffset($self, object, /)", "Return the time zone's difference from UTC.", |vm, this, args| {
        check_argument(vm, &args[0], "utcoffset")?;
        Ok(TimeZone::of(this).offset.clone())
    }),
    MethodDef::new("dst($self, object, /)", "Return None.", |vm, _, args| {
        check_argument(vm, &args[0], "dst")?;
        Ok(Value::NONE)
    }),
    MethodDef::new("fromutc($self, object, /)", "\
        datetime in UTC -> the same moment in this time zone.", |vm, this, args| {
        tzinfo::fromutc_argument(vm, this, &args[0])?;
        datetime::add(vm, &args[0], TimeZone::of(this).value(), 1)
    }),
    MethodDef::new("__getinitargs__($self, /)", "pickle support", |_, this, _| {
        let zone = TimeZone::of(this);
        Ok(match &zone.name {
            None => Tuple::from_array([zone.offset.clone()]).into_value(),
            Some(name) => Tuple::from_array([zone.offset.clone(), name.clone()]).into_value(),
        })
    }),
]; }
