//! Conversion between Python's numbers and the system's times (CPython's `Python/pytime.c`).

use taipan_object::builtins::{float, int};
use taipan_object::{Raised, Result, Value, Vm};

/// How what does not fit is rounded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    Floor,
    Ceiling,
    HalfEven,
    /// Away from zero.
    Up,
}

impl Rounding {
    pub fn round(self, value: f64) -> f64 {
        match self {
            Rounding::Floor => value.floor(),
            Rounding::Ceiling => value.ceil(),
            Rounding::HalfEven => value.round_ties_even(),
            Rounding::Up if value >= 0.0 => value.ceil(),
            Rounding::Up => value.floor(),
        }
    }
}

pub const BILLION: i64 = 1_000_000_000;

#[cold]
fn out_of_time_t(vm: &Vm) -> Raised {
    vm.overflow_error("timestamp out of range for platform time_t")
}

#[cold]
fn out_of_time(vm: &Vm) -> Raised {
    vm.overflow_error("timestamp out of range for C PyTime_t")
}

#[cold]
fn not_a_number(vm: &Vm) -> Raised {
    vm.value_error("Invalid value NaN (not a number)")
}

/// Seconds as a `time_t` (`_PyTime_ObjectToTime_t`).
pub fn object_to_time_t(vm: &Vm, value: &Value, rounding: Rounding) -> Result<i64> {
    if let Some(seconds) = float::to_f64(value) {
        if seconds.is_nan() {
            return Err(not_a_number(vm));
        }
        return double_to_time_t(vm, rounding.round(seconds));
    }
    int::to_i64(&vm.index(value)?).ok_or_else(|| out_of_time_t(vm))
}

fn double_to_time_t(vm: &Vm, seconds: f64) -> Result<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&seconds) { Ok(seconds as i64) } else { Err(out_of_time_t(vm)) }
}

/// Seconds as whole seconds and nanoseconds (`_PyTime_ObjectToTimespec`).
pub fn object_to_timespec(vm: &Vm, value: &Value, rounding: Rounding) -> Result<(i64, i64)> {
    if let Some(number) = float::to_f64(value) {
        if number.is_nan() {
            return Err(not_a_number(vm));
        }
        let (mut seconds, mut fraction) = (number.trunc(), number.fract());
        fraction = rounding.round(fraction * 1e9);
        if fraction >= 1e9 {
            (seconds, fraction) = (seconds + 1.0, fraction - 1e9);
        } else if fraction < 0.0 {
            (seconds, fraction) = (seconds - 1.0, fraction + 1e9);
        }
        return Ok((double_to_time_t(vm, seconds)?, fraction as i64));
    }
    if value.ty().slots().index.is_none() {
        return Err(vm.type_error(format!("argument must be int or float, not {}", value.ty().name())));
    }
    Ok((int::to_i64(&vm.index(value)?).ok_or_else(|| out_of_time_t(vm))?, 0))
}

/// Seconds as nanoseconds (`_PyTime_FromSecondsObject`).
pub fn object_to_nanoseconds(vm: &Vm, value: &Value, rounding: Rounding) -> Result<i64> {
    object_to_time(vm, value, BILLION, rounding)
}

/// A number of units, each so many nanoseconds, as nanoseconds.
pub fn object_to_time(vm: &Vm, value: &Value, unit: i64, rounding: Rounding) -> Result<i64> {
    if let Some(seconds) = float::to_f64(value) {
        if seconds.is_nan() {
            return Err(not_a_number(vm));
        }
        let nanoseconds = rounding.round(seconds * unit as f64);
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        return if (-LIMIT..LIMIT).contains(&nanoseconds) { Ok(nanoseconds as i64) } else { Err(out_of_time(vm)) };
    }
    if value.ty().slots().index.is_none() {
        let name = value.ty().name();
        return Err(vm.type_error(format!("'{name}' object cannot be interpreted as an integer or float")));
    }
    let seconds = int::to_i64(&vm.index(value)?);
    seconds.and_then(|s| s.checked_mul(unit)).ok_or_else(|| out_of_time(vm))
}

/// Seconds (or thousandths, …) of nanoseconds: `nanoseconds / unit` rounded.
pub fn divide(nanoseconds: i64, unit: i64, rounding: Rounding) -> i64 {
    let (quotient, rest) = (nanoseconds.div_euclid(unit), nanoseconds.rem_euclid(unit));
    let up = match rounding {
        Rounding::Floor => false,
        Rounding::Ceiling => rest > 0,
        Rounding::HalfEven => rest * 2 > unit || rest * 2 == unit && quotient % 2 != 0,
        Rounding::Up => rest > 0 && nanoseconds > 0,
    };
    quotient + i64::from(up)
}

/// Nanoseconds as a timespec.
pub fn timespec(nanoseconds: i64) -> libc::timespec {
    libc::timespec { tv_sec: nanoseconds.div_euclid(BILLION), tv_nsec: nanoseconds.rem_euclid(BILLION) }
}

/// Nanoseconds as a timeval, rounded.
pub fn timeval(nanoseconds: i64, rounding: Rounding) -> libc::timeval {
    let microseconds = divide(nanoseconds, 1000, rounding);
    libc::timeval { tv_sec: microseconds.div_euclid(1_000_000), tv_usec: microseconds.rem_euclid(1_000_000) }
}

/// Nanoseconds as seconds in a float.
pub fn seconds(nanoseconds: i64) -> f64 {
    // Whole seconds are exact; the division is correctly rounded else, for times below 2^53 ns after the epoch.
    if nanoseconds % BILLION == 0 { (nanoseconds / BILLION) as f64 } else { nanoseconds as f64 / 1e9 }
}
