//! The methods of `datetime.datetime`.

use super::{DateTime, construct, make, now, utcoffset};
use crate::_datetime::calendar::{Hms, Ymd};
use crate::_datetime::date::methods::{ctime, exactly, field, strptime};
use crate::_datetime::time::methods::precision;
use crate::_datetime::timezone::{self, type_display};
use crate::_datetime::{date, iso, local, pickle, time, timedelta, tzinfo};
use crate::payload::{class_of, signature};
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm, method_table};

signature!(ISOFORMAT = "isoformat(sep='T', timespec='auto')");
signature!(ASTIMEZONE = "astimezone(tz=None)");
signature!(
    REPLACE = "replace(year=<unchanged>, month=<unchanged>, day=<unchanged>, hour=<unchanged>, minute=<unchanged>, second=<unchanged>, microsecond=<unchanged>, tzinfo=<unchanged>, *, fold=<unchanged>)"
);

fn replace(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = REPLACE.bind(vm, args, kwnames)?;
    let datetime = DateTime::of(this);
    let Ymd { year, month, day } = datetime.date().ymd();
    let Hms { hour, minute, second, microsecond } = datetime.packed().hms();
    let date = Ymd::new(field(vm, &bound[0], year)?, field(vm, &bound[1], month)?, field(vm, &bound[2], day)?);
    let time = Hms::new(
        field(vm, &bound[3], hour)?,
        field(vm, &bound[4], minute)?,
        field(vm, &bound[5], second)?,
        field(vm, &bound[6], microsecond)?,
    );
    let zone = bound[7].bound().unwrap_or(&datetime.tzinfo).clone();
    make(vm, this.ty(), date, time, zone, field(vm, &bound[8], datetime.packed().fold().into())?)
}

fn isoformat(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = ISOFORMAT.bind(vm, args, kwnames)?;
    let separator = match bound[0].downcast::<Str>() {
        Some(text) if text.len() == 1 => text.at(0),
        Some(text) => {
            let length = text.len();
            return Err(vm.type_error(format!(
                "isoformat() argument 1 must be a unicode character, not a string of length {length}"
            )));
        }
        None => {
            let got = type_display(&bound[0]);
            return Err(vm.type_error(format!("isoformat() argument 1 must be a unicode character, not {got}")));
        }
    };
    let precision = precision(vm, &bound[1], 2)?;
    let datetime = DateTime::of(this);
    let mut text = StrBuilder::with_capacity(40);
    date::iso_text(datetime.date().ymd()).iter().for_each(|byte| text.push((*byte).into()));
    text.push(separator);
    iso::push_time(&mut text, datetime.packed().hms(), precision);
    if let Some(offset) = utcoffset(vm, this)? {
        tzinfo::push_offset(&mut text, offset, ":");
    }
    Ok(text.finish().into_value())
}

fn astimezone(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = ASTIMEZONE.bind(vm, args, kwnames)?;
    let target = &bound[0];
    tzinfo::check(vm, target)?;
    let mut own = DateTime::of(this).tzinfo.clone();
    if own.is_none() {
        own = now::local_zone_of_naive(vm, this)?;
    }
    if own.is(target) {
        return Ok(this.clone());
    }
    let offset = match tzinfo::utcoffset(vm, &own, this)? {
        Some(offset) => offset,
        // A zone that does not know its offset counts as none.
        None => {
            own = now::local_zone_of_naive(vm, this)?;
            if own.is(target) {
                return Ok(this.clone());
            }
            tzinfo::utcoffset(vm, &own, this)?.unwrap_or_default()
        }
    };
    let utc = now::with_zone(&super::add(vm, this, offset, -1)?, &timezone::utc());
    let target = match target.is_none() {
        true => now::local_zone(vm, &utc)?,
        false => target.clone(),
    };
    vm.call_method(&target, "fromutc", &[now::with_zone(&utc, &target)])
}

/// The packed state; protocols above 3 keep the fold in the month's highest bit.
fn reduce(this: &Value, protocol: i32) -> Value {
    let datetime = DateTime::of(this);
    let mut state = datetime.state();
    if protocol > 3 && datetime.packed().fold() {
        state[2] |= 0x80;
    }
    pickle::reduced(this, &state, &datetime.tzinfo)
}

fn timetuple(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let datetime = DateTime::of(this);
    let saving = timedelta::value(&tzinfo::dst(vm, &datetime.tzinfo, this)?);
    let dst = saving.map_or(-1, |saving| i32::from(!saving.is_zero()));
    local::time_tuple(vm, datetime.date().ymd(), datetime.packed().hms(), dst)
}

fn utctimetuple(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let utc = match utcoffset(vm, this)? {
        Some(offset) => super::add(vm, this, offset, -1)?,
        None => this.clone(),
    };
    let Some(utc) = utc.downcast::<DateTime>() else {
        return Err(vm.type_error("an instance of datetime is required"));
    };
    local::time_tuple(vm, utc.date().ymd(), utc.packed().hms(), 0)
}

method_table! { pub static METHODS = [
    MethodDef::raw("now($type, /, tz=None)", "Return the current date and time.\n\n  \
        tz\n    \
        the time zone, a tzinfo\n\n\
        Without a time zone it is local time, with tzinfo None.", now::now).class(),
    MethodDef::new("utcnow($type, /)", "\
        Return the current date and time in UTC, with tzinfo None.", now::utcnow).class(),
    MethodDef::raw("fromtimestamp", "\
        timestamp[, tz] -> date and time, in tz or local, so many seconds after 1970 began in \
        UTC.", now::fromtimestamp).class(),
    MethodDef::new("utcfromtimestamp(timestamp, /)", "\
        Return the UTC date and time of a POSIX timestamp, with tzinfo None.", now::utcfromtimestamp).class(),
    MethodDef::raw("strptime", "\
        string, format -> the datetime in a string, parsed as by time.strptime().", |vm, this, args, kwnames| {
        strptime(vm, this, args, kwnames, "_strptime_datetime_datetime")
    }).class(),
    MethodDef::raw("combine", "date, time -> the datetime that has the fields of both", construct::combine).class(),
    MethodDef::new("fromisoformat($type, object, /)", "\
        string -> datetime; most formats of ISO 8601 are understood", |vm, this, args| {
        iso::datetime_from_text(vm, class_of(this), &args[0])
    }).class(),
    MethodDef::new("date($self, /)", "Return the date, without the time.", |_, this, _| {
        Ok(date::new(DateTime::of(this).date().ymd()))
    }),
    MethodDef::new("time($self, /)", "Return the time of day, without the time zone.", |_, this, _| {
        Ok(time::new(DateTime::of(this).packed(), Value::NONE))
    }),
    MethodDef::new("timetz($self, /)", "Return the time of day, with the time zone.", |_, this, _| {
        let datetime = DateTime::of(this);
        Ok(time::new(datetime.packed(), datetime.tzinfo.clone()))
    }),
    MethodDef::new("ctime($self, /)", "Return date and time in the form 'Thu Jan  1 00:00:00 1970'.", |_, this, _| {
        let datetime = DateTime::of(this);
        let Hms { hour, minute, second, .. } = datetime.packed().hms();
        Ok(ctime(datetime.date().ymd(), &format!("{hour:02}:{minute:02}:{second:02}")))
    }),
    MethodDef::new("timetuple($self, /)", "Return a time.struct_time with the same fields.", timetuple),
    MethodDef::new("timestamp($self, /)", "Return the seconds since 1970 began in UTC, as a float.", now::timestamp),
    MethodDef::new("utctimetuple($self, /)", "Convert to UTC, and return a time.struct_time.", utctimetuple),
    MethodDef::raw("isoformat", "[sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\
        The character sep, by default 'T', comes before the time.\n\
        timespec is the smallest unit of the time: 'hours', 'minutes', 'seconds',\n\
        'milliseconds', 'microseconds', or 'auto'.", isoformat),
    MethodDef::new("utcoffset($self, /)", "\
        Return the difference from UTC as a timedelta, or None without a tzinfo.", |vm, this, _| {
        tzinfo::utcoffset_value(vm, &DateTime::of(this).tzinfo, this)
    }),
    MethodDef::new("tzname($self, /)", "Return the time zone's name, or None without a tzinfo.", |vm, this, _| {
        tzinfo::tzname(vm, &DateTime::of(this).tzinfo, this)
    }),
    MethodDef::new("dst($self, /)", "\
        Return the share of daylight saving time, or None without a tzinfo.", |vm, this, _| {
        tzinfo::dst(vm, &DateTime::of(this).tzinfo, this)
    }),
    MethodDef::raw("replace($self, /, year=unchanged, month=unchanged, day=unchanged,\n        hour=unchanged, minute=unchanged, second=unchanged,\n        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)", "\
        Return a datetime in which the given fields have other values.", replace),
    MethodDef::raw("__replace__($self, /, **changes)", "An alias of replace(), for copy.replace().", replace),
    MethodDef::raw("astimezone", "tz -> the same moment in time zone tz, by default the local one", astimezone),
    MethodDef::raw("__reduce_ex__", "__reduce_ex__(proto) -> (cls, state)", |vm, this, args, kwnames| {
        exactly(vm, "__reduce_ex__", args, kwnames, 1)?;
        Ok(reduce(this, vm.index_i32(&args[0])?))
    }),
    MethodDef::new("__reduce__($self, /)", "__reduce__() -> (cls, state)", |_, this, _| Ok(reduce(this, 2))),
]; }
