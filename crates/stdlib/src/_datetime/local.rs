//! Local time: asking the system, and the way from local to absolute time.

use super::calendar::{Hms, MAX_ORDINAL, MAXYEAR, MINYEAR, SECONDS_PER_DAY, Ymd};
use super::timedelta::{self, Delta};
use super::timezone;
use crate::time::conversion::BILLION;
use crate::time::{STRUCT_TIME, calendar};
use std::ffi::CStr;
use taipan_object::builtins::str::Str;
use taipan_object::{Result, Value, Vm};

/// Seconds from the beginning of the year 0 (as ordinals count) to 1970.
pub const EPOCH: i64 = 719_163 * SECONDS_PER_DAY;
/// As much as clocks are ever set back.
pub const MAX_FOLD_SECONDS: i64 = 24 * 3600;

/// Seconds and microseconds since 1970.
pub fn now(vm: &Vm) -> Result<(i64, i32)> {
    let now = crate::time::clock(vm, libc::CLOCK_REALTIME)?;
    Ok((now.div_euclid(BILLION), (now.rem_euclid(BILLION) / 1000) as i32))
}

/// The local time at an absolute one.
pub fn broken_down(vm: &Vm, seconds: i64) -> Result<libc::tm> {
    calendar::local(vm, seconds)
}

pub fn ymd(tm: &libc::tm) -> Ymd {
    // A year that does not fit is out of range anyway.
    Ymd::new(tm.tm_year.saturating_add(1900), tm.tm_mon + 1, tm.tm_mday)
}

/// Leap seconds, which only some time zone data have, count as the 59th.
pub fn hms(tm: &libc::tm, microsecond: i32) -> Hms {
    Hms::new(tm.tm_hour, tm.tm_min, tm.tm_sec.min(59), microsecond)
}

/// The date and time in UTC at an absolute one.
pub fn utc(vm: &Vm, seconds: i64) -> Result<(Ymd, Hms)> {
    let (days, rest) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
    let ordinal = days.saturating_add(719_163);
    if (1..=MAX_ORDINAL).contains(&ordinal) {
        return Ok((Ymd::from_ordinal(ordinal), Hms::from_microseconds(rest * 1_000_000)));
    }
    let tm = calendar::utc(vm, seconds)?;
    Ok((ymd(&tm), hms(&tm, 0)))
}

/// Local time in seconds, as [`EPOCH`] counts, at an absolute time counted likewise.
pub fn local(vm: &Vm, seconds: i64) -> Result<i64> {
    let tm = broken_down(vm, seconds.saturating_sub(EPOCH))?;
    let date = ymd(&tm);
    if !(MINYEAR..=MAXYEAR).contains(&date.year) {
        return Err(vm.value_error(format!("year must be in {MINYEAR}..{MAXYEAR}, not {}", date.year)));
    }
    // A leap second counts here: the result is compared, not shown.
    Ok(date.ordinal() * SECONDS_PER_DAY + Hms::new(tm.tm_hour, tm.tm_min, tm.tm_sec, 0).seconds())
}

/// The absolute time at a local one, both counted as [`EPOCH`] does. Of two, `fold` selects the later one; in a gap, it
/// selects the offset before it.
pub fn to_absolute(vm: &Vm, time: i64, fold: bool) -> Result<i64> {
    let offset_a = local(vm, time)? - time;
    let candidate_a = time - offset_a;
    let local_a = local(vm, candidate_a)?;
    let offset_b;
    if local_a == time {
        // One solution; is there another one before it, or after it?
        let probe = if fold { candidate_a + MAX_FOLD_SECONDS } else { candidate_a - MAX_FOLD_SECONDS };
        offset_b = local(vm, probe)? - probe;
        if offset_a == offset_b {
            return Ok(candidate_a);
        }
    } else {
        offset_b = local_a - candidate_a;
    }
    let candidate_b = time - offset_b;
    if local(vm, candidate_b)? == time {
        return Ok(candidate_b);
    }
    if local_a == time {
        return Ok(candidate_a);
    }
    Ok(if fold { candidate_a.min(candidate_b) } else { candidate_a.max(candidate_b) })
}

/// The system's time zone at an absolute time, as a fixed offset with its name.
pub fn zone_at(vm: &Vm, seconds: i64) -> Result {
    let tm = broken_down(vm, seconds)?;
    let name = match tm.tm_zone.is_null() {
        true => Value::from(""),
        // SAFETY: the C library points to the name of a time zone.
        false => Str::from_fs_bytes(unsafe { CStr::from_ptr(tm.tm_zone) }.to_bytes()).into_value(),
    };
    timezone::new(vm, timedelta::new(Delta::from_seconds(tm.tm_gmtoff, 0)), Some(name))
}

/// A `time.struct_time`.
pub fn time_tuple(vm: &Vm, date: Ymd, time: Hms, dst: i32) -> Result {
    let fields =
        [date.year, date.month, date.day, time.hour, time.minute, time.second, date.weekday(), date.day_of_year(), dst];
    let mut values: Vec<Value> = fields.into_iter().map(Value::from).collect();
    values.extend([Value::NONE, Value::NONE]);
    STRUCT_TIME.instance(vm, values)
}
