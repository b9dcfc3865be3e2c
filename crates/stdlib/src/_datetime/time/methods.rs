//! The methods of `datetime.time`.

use super::{Time, isoformat, make};
use crate::_datetime::calendar::Hms;
use crate::_datetime::date::methods::{exactly, field, format, format_argument, strptime};
use crate::_datetime::timezone::type_display;
use crate::_datetime::{iso, pickle, strftime, tzinfo};
use crate::payload::{class_of, signature};
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm, method_table};

signature!(
    REPLACE = "replace(hour=<unchanged>, minute=<unchanged>, second=<unchanged>, microsecond=<unchanged>, tzinfo=<unchanged>, *, fold=<unchanged>)"
);
signature!(STRFTIME = "strftime(format)");
signature!(ISOFORMAT = "isoformat(timespec='auto')");

fn replace(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = REPLACE.bind(vm, args, kwnames)?;
    let time = Time::of(this);
    let Hms { hour, minute, second, microsecond } = time.packed().hms();
    let new = Hms::new(
        field(vm, &bound[0], hour)?,
        field(vm, &bound[1], minute)?,
        field(vm, &bound[2], second)?,
        field(vm, &bound[3], microsecond)?,
    );
    let zone = bound[4].bound().unwrap_or(&time.tzinfo).clone();
    make(vm, this.ty(), new, zone, field(vm, &bound[5], time.packed().fold().into())?)
}

/// The packed state; protocols above 3 keep the fold in the hour's highest bit.
fn reduce(this: &Value, protocol: i32) -> Value {
    let time = Time::of(this);
    let mut state = time.packed().bytes();
    if protocol > 3 && time.packed().fold() {
        state[0] |= 0x80;
    }
    pickle::reduced(this, &state, &time.tzinfo)
}

/// The `timespec` argument at a position.
pub fn precision(vm: &Vm, argument: &Value, position: usize) -> Result<iso::Precision> {
    let Some(text) = argument.downcast::<Str>() else {
        let got = type_display(argument);
        return Err(vm.type_error(format!("isoformat() argument {position} must be str, not {got}")));
    };
    iso::Precision::from_name(text).ok_or_else(|| vm.value_error("Unknown timespec value"))
}

method_table! { pub static METHODS = [
    MethodDef::raw("strptime", "\
        string, format -> the time in a string, parsed as by time.strptime().", |vm, this, args, kwnames| {
        strptime(vm, this, args, kwnames, "_strptime_datetime_time")
    }).class(),
    MethodDef::raw("isoformat", "Return string in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\n\
        timespec is the smallest unit: 'hours', 'minutes', 'seconds',\n\
        'milliseconds', 'microseconds', or 'auto'.", |vm, this, args, kwnames| {
        let bound = ISOFORMAT.bind(vm, args, kwnames)?;
        isoformat(vm, Time::of(this), precision(vm, &bound[0], 1)?)
    }),
    MethodDef::raw("strftime", "format -> a string; codes such as %Y stand for fields.", |vm, this, args, kwnames| {
        let bound = STRFTIME.bind(vm, args, kwnames)?;
        let format = format_argument(vm, &bound[0], "strftime")?;
        strftime::time(vm, Time::of(this), format)
    }),
    MethodDef::raw("__format__", "Format as strftime() does, or as str() if the format is empty.", format),
    MethodDef::new("utcoffset($self, /)", "\
        Return the difference from UTC as a timedelta, or None without a tzinfo.", |vm, this, _| {
        tzinfo::utcoffset_value(vm, &Time::of(this).tzinfo, &Value::NONE)
    }),
    MethodDef::new("tzname($self, /)", "Return the time zone's name, or None without a tzinfo.", |vm, this, _| {
        tzinfo::tzname(vm, &Time::of(this).tzinfo, &Value::NONE)
    }),
    MethodDef::new("dst($self, /)", "\
        Return the share of daylight saving time, or None without a tzinfo.", |vm, this, _| {
        tzinfo::dst(vm, &Time::of(this).tzinfo, &Value::NONE)
    }),
    MethodDef::raw("replace($self, /, hour=unchanged, minute=unchanged, second=unchanged,\n        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)", "\
        Return a time in which the given fields have other values.", replace),
    MethodDef::raw("__replace__($self, /, **changes)", "An alias of replace(), for copy.replace().", replace),
    MethodDef::new("fromisoformat($type, object, /)", "\
        string -> time; most formats of ISO 8601 are understood", |vm, this, args| {
        iso::time_from_text(vm, class_of(this), &args[0])
    }).class(),
    MethodDef::raw("__reduce_ex__", "__reduce_ex__(proto) -> (cls, state)", |vm, this, args, kwnames| {
        exactly(vm, "__reduce_ex__", args, kwnames, 1)?;
        Ok(reduce(this, vm.index_i32(&args[0])?))
    }),
    MethodDef::new("__reduce__($self, /)", "__reduce__() -> (cls, state)", |_, this, _| Ok(reduce(this, 2))),
]; }
