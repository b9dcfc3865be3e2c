//! Operators of `datetime`: adding and subtracting durations, differences, comparisons.

use super::{DateTime, make, utcoffset, utcoffset_with_fold};
use crate::_datetime::calendar::{Hms, MAX_ORDINAL, SECONDS_PER_DAY, US_PER_DAY, US_PER_SECOND, Ymd};
use crate::_datetime::timedelta::{self, Delta};
use taipan_object::types::slots::{CompareOp, Slots};
use taipan_object::{Result, Value, Vm};

pub const MIXED_SUBTRACTION: &str = "can't subtract offset-naive and offset-aware datetimes";

pub fn slots(s: &mut Slots) {
    s.add = Some(|vm, a, b| {
        if a.downcast::<DateTime>().is_some() {
            return match timedelta::value(b) {
                Some(delta) => add(vm, a, delta, 1),
                None => Ok(Value::NOT_IMPLEMENTED),
            };
        }
        match (timedelta::value(a), b.downcast::<DateTime>()) {
            (Some(delta), Some(_)) => add(vm, b, delta, 1),
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    });
    s.subtract = Some(|vm, a, b| {
        if a.downcast::<DateTime>().is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        match (b.downcast::<DateTime>(), timedelta::value(b)) {
            (Some(_), _) => Ok(timedelta::new(difference(vm, a, b)?)),
            (None, Some(delta)) => add(vm, a, delta, -1),
            (None, None) => Ok(Value::NOT_IMPLEMENTED),
        }
    });
    s.richcompare = Some(richcompare);
}

/// The datetime `this` moved by `sign · delta`, of the same class.
pub fn add(vm: &Vm, this: &Value, delta: Delta, sign: i64) -> Result {
    let datetime = DateTime::of(this);
    let part = i64::from(delta.seconds) * US_PER_SECOND + i64::from(delta.microseconds);
    let us = datetime.packed().hms().microseconds() + sign * part;
    let (carry, us) = (us.div_euclid(US_PER_DAY), us.rem_euclid(US_PER_DAY));
    let ordinal = datetime.date().ymd().ordinal() + sign * i64::from(delta.days) + carry;
    if !(1..=MAX_ORDINAL).contains(&ordinal) {
        return Err(vm.overflow_error("date value out of range"));
    }
    let zone = datetime.tzinfo.clone();
    make(vm, this.ty(), Ymd::from_ordinal(ordinal), Hms::from_microseconds(us), zone, 0)
}

/// A number of microseconds of which the days fit.
fn delta_of(us: i64) -> Delta {
    let (days, rest) = (us.div_euclid(US_PER_DAY), us.rem_euclid(US_PER_DAY));
    let (seconds, microseconds) = (rest / US_PER_SECOND, rest % US_PER_SECOND);
    debug_assert!(seconds < SECONDS_PER_DAY);
    Delta { days: days as i32, seconds: seconds as i32, microseconds: microseconds as i32 }
}

/// `a - b` of two datetimes. Zones matter only if they differ.
fn difference(vm: &Vm, a: &Value, b: &Value) -> Result<Delta> {
    let (left, right) = (DateTime::of(a), DateTime::of(b));
    let mut us = left.microseconds() - right.microseconds();
    if !left.tzinfo.is(&right.tzinfo) {
        match (utcoffset(vm, a)?, utcoffset(vm, b)?) {
            (None, None) => {}
            (Some(x), Some(y)) => us += (y.total_microseconds() - x.total_microseconds()) as i64,
            _ => return Err(vm.type_error(MIXED_SUBTRACTION)),
        }
    }
    Ok(delta_of(us))
}

/// Whether the offset of a datetime, which is `offset`, depends on its fold. Such times equal none of another zone
/// (PEP 495).
fn is_problematic(vm: &Vm, this: &Value, offset: Option<Delta>) -> Result<bool> {
    let fold = DateTime::of(this).packed().fold();
    Ok(utcoffset_with_fold(vm, this, !fold)? != offset)
}

fn richcompare(vm: &Vm, this: &Value, other: &Value, op: CompareOp) -> Result {
    let Some(b) = other.downcast::<DateTime>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let a = DateTime::of(this);
    if a.tzinfo.is(&b.tzinfo) {
        return Ok(Value::bool(op.holds(a.key().cmp(&b.key()))));
    }
    let (x, y) = (utcoffset(vm, this)?, utcoffset(vm, other)?);
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    let mut ordering = match (x, y) {
        (x, y) if x == y => a.key().cmp(&b.key()),
        (Some(x), Some(y)) => {
            let us = a.microseconds() - b.microseconds();
            us.cmp(&((x.total_microseconds() - y.total_microseconds()) as i64))
        }
        _ => {
            return match op {
                CompareOp::Eq => Ok(Value::FALSE),
                CompareOp::Ne => Ok(Value::TRUE),
                _ => Err(vm.type_error("can't compare offset-naive and offset-aware datetimes")),
            };
        }
    };
    if equality && ordering.is_eq() && (is_problematic(vm, this, x)? || is_problematic(vm, other, y)?) {
        ordering = std::cmp::Ordering::Greater;
    }
    Ok(Value::bool(op.holds(ordering)))
}
