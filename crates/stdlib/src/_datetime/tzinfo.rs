//! `datetime.tzinfo`, and asking time zones for offsets and names.

use super::datetime::{self, DateTime};
use super::timedelta::{self, Delta};
use super::timezone::TimeZone;
use crate::payload::class_of;
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::{self, Tuple};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::Payload;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Raised, Ref, Result, Value, Vm, method_table};

/// An instance of `tzinfo` itself, which has no state.
#[repr(C)]
pub struct TzInfo {
    pub header: Header,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for TzInfo {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static taipan_object::types::Type {
        TZINFO.ty()
    }
}

pub static TZINFO: TypeSpec = TypeSpec::new::<TzInfo>("datetime.tzinfo")
    .doc("Base of classes that describe time zones; their methods are to be overridden.")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| {
            let class = class_of(class);
            Ok(Ref::new_with_type(class, TzInfo { header: Header::new(class) }).into_value())
        });
    })
    .methods(METHODS);

pub fn is_tzinfo(value: &Value) -> bool {
    value.downcast::<TzInfo>().is_some()
}

/// Checks that a `tzinfo` argument is a time zone or `None`.
pub fn check(vm: &Vm, value: &Value) -> Result<()> {
    if value.is_none() || is_tzinfo(value) {
        return Ok(());
    }
    let got = value.ty().name();
    Err(vm.type_error(format!("tzinfo argument must be None or of a tzinfo subclass, not type '{got}'")))
}

/// The error of an offset (a timedelta) of a day or more.
#[cold]
pub fn out_of_range(vm: &Vm, offset: &Value) -> Raised {
    match vm.repr_string(offset) {
        Ok(offset) => vm.value_error(format!(
            "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {offset}"
        )),
        Err(raised) => raised,
    }
}

/// Whether an offset is of less than a day.
pub fn in_range(offset: Delta) -> bool {
    offset.days == 0 || offset.days == -1 && (offset.seconds, offset.microseconds) != (0, 0)
}

/// `tzinfo.method(argument)`: `None` or a timedelta in range.
fn ask(vm: &Vm, tzinfo: &Value, method: &str, argument: &Value) -> Result {
    if tzinfo.is_none() {
        return Ok(Value::NONE);
    }
    let offset = vm.call_method(tzinfo, method, std::slice::from_ref(argument))?;
    if offset.is_none() {
        return Ok(offset);
    }
    match timedelta::value(&offset) {
        Some(value) if in_range(value) => Ok(offset),
        Some(_) => Err(out_of_range(vm, &offset)),
        None => {
            let got = offset.ty().name();
            Err(vm.type_error(format!("tzinfo.{method}() must return None or timedelta, not '{got}'")))
        }
    }
}

/// `tzinfo.utcoffset(argument)`; `None` if there is no zone or it does not know.
pub fn utcoffset_value(vm: &Vm, tzinfo: &Value, argument: &Value) -> Result {
    match tzinfo.downcast_exact::<TimeZone>() {
        Some(zone) => Ok(zone.offset.clone()),
        None => ask(vm, tzinfo, "utcoffset", argument),
    }
}

/// As [`utcoffset_value`].
#[inline]
pub fn utcoffset(vm: &Vm, tzinfo: &Value, argument: &Value) -> Result<Option<Delta>> {
    if tzinfo.is_none() {
        return Ok(None);
    }
    Ok(timedelta::value(&utcoffset_value(vm, tzinfo, argument)?))
}

/// `tzinfo.dst(argument)`
pub fn dst(vm: &Vm, tzinfo: &Value, argument: &Value) -> Result {
    ask(vm, tzinfo, "dst", argument)
}

/// `tzinfo.tzname(argument)`
pub fn tzname(vm: &Vm, tzinfo: &Value, argument: &Value) -> Result {
    if tzinfo.is_none() {
        return Ok(Value::NONE);
    }
    let name = vm.call_method(tzinfo, "tzname", std::slice::from_ref(argument))?;
    if name.is_none() || name.downcast::<Str>().is_some() {
        return Ok(name);
    }
    let got = name.ty().name();
    Err(vm.type_error(format!("tzinfo.tzname() must return None or a string, not '{got}'")))
}

/// Appends an offset as `+HH:MM[:SS[.ffffff]]`, with another separator or none.
pub fn push_offset(text: &mut StrBuilder, offset: Delta, separator: &str) {
    let us = offset.total_microseconds() as i64;
    let (sign, us) = if us < 0 { ('-', -us) } else { ('+', us) };
    let (seconds, microseconds) = (us / 1_000_000, us % 1_000_000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    text.push_str(&format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60));
    if seconds != 0 || microseconds != 0 {
        text.push_str(&format!("{separator}{seconds:02}"));
    }
    if microseconds != 0 {
        text.push_str(&format!(".{microseconds:06}"));
    }
}

macro_rules! not_implemented {
    ($declaration:literal, $name:literal, $doc:literal) => {
        MethodDef::new($declaration, $doc, |vm, _, _| {
            Err(vm.not_implemented_error(concat!("a tzinfo subclass must implement ", $name, "()")))
        })
    };
}

method_table! { static METHODS = [
    not_implemented!("tzname($self, object, /)", "tzname", "datetime -> the name of the time zone at that time."),
    not_implemented!("utcoffset($self, object, /)", "utcoffset", "\
        datetime -> a timedelta, how much local time is ahead of UTC (east is positive)"),
    not_implemented!("dst($self, object, /)", "dst", "\
        datetime -> a timedelta, by how much daylight saving time advances clocks."),
    MethodDef::new("fromutc($self, object, /)", "datetime in UTC -> the same moment in this time zone.", fromutc),
    MethodDef::new("__reduce__($self, /)", "-> (cls, state)", |vm, this, _| {
        let arguments = match vm.get_attr_str_opt(this, "__getinitargs__")? {
            Some(method) => vm.call_args(&method, &[])?,
            None => tuple::empty().into_value(),
        };
        let state = vm.call_method(this, "__getstate__", &[])?;
        Ok(Tuple::from_array([this.ty().to_value(), arguments, state]).into_value())
    }),
]; }

/// The argument of `fromutc`: a datetime of this zone.
pub fn fromutc_argument<'a>(vm: &Vm, this: &Value, argument: &'a Value) -> Result<&'a DateTime> {
    let Some(datetime) = argument.downcast::<DateTime>() else {
        return Err(vm.type_error("fromutc: argument must be a datetime"));
    };
    if !datetime.tzinfo.is(this) {
        return Err(vm.value_error("fromutc: dt.tzinfo is not self"));
    }
    Ok(datetime)
}

/// Works for zones that obey the rules: the standard offset does not depend on the time of year.
fn fromutc(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let argument = &args[0];
    let datetime = fromutc_argument(vm, this, argument)?;
    let zone = datetime.tzinfo.clone();
    let Some(offset) = utcoffset(vm, &zone, argument)? else {
        return Err(vm.value_error("fromutc: non-None utcoffset() result required"));
    };
    let Some(saving) = timedelta::value(&dst(vm, &zone, argument)?) else {
        return Err(vm.value_error("fromutc: non-None dst() result required"));
    };
    let standard = datetime::add(vm, argument, timedelta::combine(vm, offset, saving, -1)?, 1)?;
    match timedelta::value(&dst(vm, &zone, &standard)?) {
        None => Err(vm.value_error("fromutc: tz.dst() gave inconsistent results; cannot convert")),
        Some(Delta::ZERO) => Ok(standard),
        Some(saving) => datetime::add(vm, &standard, saving, 1),
    }
}
