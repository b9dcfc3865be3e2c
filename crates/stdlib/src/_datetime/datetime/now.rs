//! Datetimes from the clock and from timestamps, and back.

use super::{DateTime, make};
use crate::_datetime::calendar::{Hms, MAXYEAR, MINYEAR, SECONDS_PER_DAY};
use crate::_datetime::{local, tzinfo};
use crate::payload::{class_of, signature};
use crate::time::conversion::{BILLION, Rounding, object_to_time_t, object_to_timespec};
use taipan_object::builtins::{float, int};
use taipan_object::exceptions::DEPRECATION_WARNING;
use taipan_object::types::Type;
use taipan_object::{Ref, Result, Value, Vm};

signature!(FROMTIMESTAMP = "fromtimestamp(timestamp, tz=None)");
signature!(NOW = "now(tz=None)");

/// The local datetime at an absolute time; the second one of a repeated hour has its fold set.
fn local_datetime(vm: &Vm, class: &Type, seconds: i64, us: i32) -> Result {
    let tm = local::broken_down(vm, seconds)?;
    let (date, time) = (local::ymd(&tm), local::hms(&tm, us));
    let mut fold = 0;
    if (MINYEAR..=MAXYEAR).contains(&date.year) {
        let here = date.ordinal() * SECONDS_PER_DAY + time.seconds();
        let absolute = local::EPOCH + seconds;
        let before = local::local(vm, absolute - local::MAX_FOLD_SECONDS)?;
        let transition = here - before - local::MAX_FOLD_SECONDS;
        if transition < 0 && local::local(vm, absolute + transition)? == here {
            fold = 1;
        }
    }
    make(vm, class, date, time, Value::NONE, fold)
}

fn utc_datetime(vm: &Vm, class: &Type, seconds: i64, us: i32, zone: Value) -> Result {
    let (date, time) = local::utc(vm, seconds)?;
    make(vm, class, date, Hms { microsecond: us, ..time }, zone, 0)
}

/// The datetime of a zone at an absolute time.
fn zoned(vm: &Vm, class: &Type, (seconds, us): (i64, i32), zone: &Value) -> Result {
    tzinfo::check(vm, zone)?;
    if zone.is_none() {
        return local_datetime(vm, class, seconds, us);
    }
    let utc = utc_datetime(vm, class, seconds, us, zone.clone())?;
    vm.call_method(zone, "fromutc", &[utc])
}

pub fn now(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NOW.bind(vm, args, kwnames)?;
    tzinfo::check(vm, &bound[0])?;
    zoned(vm, class_of(this), local::now(vm)?, &bound[0])
}

pub fn utcnow(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    vm.warn(
        &DEPRECATION_WARNING.value(),
        "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. Use timezone-aware \
         objects to represent datetimes in UTC: datetime.datetime.now(datetime.UTC).",
        1,
    )?;
    let (seconds, us) = local::now(vm)?;
    utc_datetime(vm, class_of(this), seconds, us, Value::NONE)
}

/// A timestamp as seconds and microseconds, rounded half to even.
fn timestamp_argument(vm: &Vm, value: &Value) -> Result<(i64, i32)> {
    match float::to_f64(value) {
        Some(n) if n.is_finite() => {
            let (mut seconds, mut us) = (n.trunc(), (n.fract() * 1e6).round_ties_even());
            if us >= 1e6 {
                (seconds, us) = (seconds + 1.0, us - 1e6);
            } else if us < 0.0 {
                (seconds, us) = (seconds - 1.0, us + 1e6);
            }
            Ok((object_to_time_t(vm, &Value::from(seconds), Rounding::Floor)?, us as i32))
        }
        _ => {
            let (seconds, nanoseconds) = object_to_timespec(vm, value, Rounding::HalfEven)?;
            debug_assert!(nanoseconds < BILLION);
            Ok((seconds, (nanoseconds / 1000) as i32))
        }
    }
}

pub fn fromtimestamp(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = FROMTIMESTAMP.bind(vm, args, kwnames)?;
    tzinfo::check(vm, &bound[1])?;
    zoned(vm, class_of(this), timestamp_argument(vm, &bound[0])?, &bound[1])
}

pub fn utcfromtimestamp(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    vm.warn(
        &DEPRECATION_WARNING.value(),
        "datetime.datetime.utcfromtimestamp() is deprecated and scheduled for removal in a future version. Use \
         timezone-aware objects to represent datetimes in UTC: datetime.datetime.fromtimestamp(timestamp, datetime.UTC).",
        1,
    )?;
    let (seconds, us) = timestamp_argument(vm, &args[0])?;
    utc_datetime(vm, class_of(this), seconds, us, Value::NONE)
}

/// Seconds since 1970 as a float.
pub fn timestamp(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let datetime = DateTime::of(this);
    if datetime.tzinfo.is_none() {
        let here = datetime.microseconds().div_euclid(1_000_000);
        let seconds = local::to_absolute(vm, here, datetime.packed().fold())? - local::EPOCH;
        let us = datetime.packed().hms().microsecond;
        return Ok(Value::from(seconds as f64 + f64::from(us) / 1e6));
    }
    let Some(offset) = super::utcoffset(vm, this)? else {
        return Err(vm.type_error(super::arithmetic::MIXED_SUBTRACTION));
    };
    let us = i128::from(datetime.microseconds() - local::EPOCH * 1_000_000) - offset.total_microseconds();
    if us.unsigned_abs() < 1 << 53 {
        return Ok(Value::from(us as f64 / 1e6));
    }
    int::true_divide(vm, &int::from_i128(us), &Value::from(1_000_000))
}

/// The system's zone at a datetime without one.
pub fn local_zone_of_naive(vm: &Vm, this: &Value) -> Result {
    let datetime = DateTime::of(this);
    let here = datetime.microseconds().div_euclid(1_000_000);
    let absolute = local::to_absolute(vm, here, datetime.packed().fold())?;
    local::zone_at(vm, absolute - local::EPOCH)
}

/// The system's zone at a datetime in UTC.
pub fn local_zone(vm: &Vm, utc: &Value) -> Result {
    let seconds = DateTime::of(utc).microseconds().div_euclid(1_000_000);
    local::zone_at(vm, seconds - local::EPOCH)
}

/// The datetime `this` with another zone and no fold, of the same class.
pub fn with_zone(this: &Value, zone: &Value) -> Value {
    let (class, datetime) = (this.ty(), DateTime::of(this));
    let time = datetime.packed().with_fold(false);
    Ref::new_with_type(class, DateTime::with_type(class, datetime.date(), time, zone.clone())).into_value()
}
