//! The methods of `datetime.date`.

use super::{Date, check, isoformat, make};
use crate::_datetime::calendar::{IsoError, MAXYEAR, MINYEAR, Ymd, iso_to_ordinal};
use crate::_datetime::timezone::type_display;
use crate::_datetime::{iso, isocalendar, local, pickle, strftime};
use crate::payload::{class_of, signature};
use crate::time::conversion::{Rounding, object_to_time_t};
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::native::arguments::no_keywords;
use taipan_object::{Raised, Result, Value, Vm, method_table};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

signature!(REPLACE = "replace(year=<unchanged>, month=<unchanged>, day=<unchanged>)");
signature!(STRFTIME = "strftime(format)");
signature!(FROMISOCALENDAR = "fromisocalendar(year, week, day)");

/// `Wed Jan  1 00:00:00 2020`
pub fn ctime(date: Ymd, clock: &str) -> Value {
    let (weekday, month) = (WEEKDAYS[date.weekday() as usize], MONTHS[date.month as usize - 1]);
    Value::from(format!("{weekday} {month} {:2} {clock} {:04}", date.day, date.year))
}

/// A field of `replace`.
pub fn field(vm: &Vm, argument: &Value, current: i32) -> Result<i32> {
    match argument.bound() {
        Some(value) => vm.index_i32(value),
        None => Ok(current),
    }
}

fn replace(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = REPLACE.bind(vm, args, kwnames)?;
    let Ymd { year, month, day } = Date::of(this).ymd();
    let date = Ymd::new(field(vm, &bound[0], year)?, field(vm, &bound[1], month)?, field(vm, &bound[2], day)?);
    make(vm, this.ty(), date)
}

/// The argument of a `__format__` or `strftime`.
pub fn format_argument<'a>(vm: &Vm, argument: &'a Value, function: &str) -> Result<&'a Str> {
    match argument.downcast::<Str>() {
        Some(format) => Ok(format),
        None => {
            let got = type_display(argument);
            Err(vm.type_error(format!("{function}() argument 1 must be str, not {got}")))
        }
    }
}

/// The arguments of a function that takes exactly so many, by position.
pub fn exactly(vm: &Vm, function: &str, args: &[Value], kwnames: Option<&Value>, count: usize) -> Result<()> {
    no_keywords(vm, function, kwnames)?;
    if args.len() == count {
        return Ok(());
    }
    let (plural, given) = (if count == 1 { "" } else { "s" }, args.len());
    Err(vm.type_error(format!("{function}() takes exactly {count} argument{plural} ({given} given)")))
}

/// `__format__`: `strftime`, or `str` for an empty format.
pub fn format(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    exactly(vm, "__format__", args, kwnames, 1)?;
    let format = format_argument(vm, &args[0], "__format__")?;
    if format.len() == 0 {
        return vm.str(this);
    }
    vm.call_method(this, "strftime", args)
}

/// `strptime` of the class `this`; `function` is that of the module `_strptime`.
pub fn strptime(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>, function: &str) -> Result {
    exactly(vm, "strptime", args, kwnames, 2)?;
    for (at, argument) in args.iter().enumerate() {
        if argument.downcast::<Str>().is_none() {
            let got = type_display(argument);
            return Err(vm.type_error(format!("strptime() argument {} must be str, not {got}", at + 1)));
        }
    }
    let parse = vm.import_from("_strptime", function)?;
    vm.call_args(&parse, &[this.clone(), args[0].clone(), args[1].clone()])
}

fn iso_error(vm: &Vm, error: IsoError, year: i32, week: i32, day: i32) -> Raised {
    match error {
        IsoError::Year => vm.value_error(format!("year must be in {MINYEAR}..{MAXYEAR}, not {year}")),
        IsoError::Week => vm.value_error(format!("Invalid week: {week}")),
        IsoError::Weekday => vm.value_error(format!("Invalid weekday: {day} (range is [1, 7])")),
    }
}

fn fromisocalendar(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = FROMISOCALENDAR.bind(vm, args, kwnames)?;
    let mut parts = [0; 3];
    for (part, argument) in parts.iter_mut().zip(&bound) {
        let index = vm.index(argument)?;
        *part = match int::to_i64(&index).map(i32::try_from) {
            Some(Ok(n)) => n,
            _ => return Err(vm.value_error("ISO calendar component out of range")),
        };
    }
    let [year, week, day] = parts;
    match iso_to_ordinal(year, week, day) {
        Ok(ordinal) => make(vm, class_of(this), Ymd::from_ordinal(ordinal)),
        Err(error) => Err(iso_error(vm, error, year, week, day)),
    }
}

method_table! { pub static METHODS = [
    MethodDef::new("fromtimestamp($type, timestamp, /)", "Return the local date of a POSIX timestamp.\n\n\
        That is a number of seconds since 1970 began in UTC, as time.time()\n\
        returns it.", |vm, this, args| {
        let seconds = object_to_time_t(vm, &args[0], Rounding::Floor)?;
        make(vm, class_of(this), local::ymd(&local::broken_down(vm, seconds)?))
    }).class(),
    MethodDef::new("fromordinal(ordinal, /)", "\
        int -> the date with that number, as toordinal() counts days.", |vm, this, args| {
        let ordinal = vm.index_i32(&args[0])?;
        if ordinal < 1 {
            return Err(vm.value_error("ordinal must be >= 1"));
        }
        make(vm, class_of(this), Ymd::from_ordinal(ordinal.into()))
    }).class(),
    MethodDef::new("fromisoformat($type, object, /)", "\
        str -> date; most formats of ISO 8601 are understood.", |vm, this, args| {
        iso::date_from_text(vm, class_of(this), &args[0])
    }).class(),
    MethodDef::raw("fromisocalendar", "int, int, int -> the date with that ISO year, week and weekday.\n\n\
        isocalendar() gives the three numbers of a date", fromisocalendar).class(),
    MethodDef::raw("strptime", "\
        string, format -> the date in a string, parsed as by time.strptime().", |vm, this, args, kwnames| {
        strptime(vm, this, args, kwnames, "_strptime_datetime_date")
    }).class(),
    MethodDef::new("today($type, /)", "\
        The current local date, or date and time for a datetime class.", |vm, this, _| {
        let class = class_of(this);
        let now = local::now(vm)?;
        if class.is(&super::DATE) {
            let date = local::ymd(&local::broken_down(vm, now.0)?);
            check(vm, date)?;
            return Ok(super::new(date));
        }
        let time = vm.import_from("time", "time")?;
        let now = vm.call_args(&time, &[])?;
        vm.call_method(this, "fromtimestamp", &[now])
    }).class(),
    MethodDef::new("ctime($self, /)", "Return date and time in the form 'Thu Jan  1 00:00:00 \
        1970'.", |_, this, _| Ok(ctime(Date::of(this).ymd(), "00:00:00"))),
    MethodDef::raw("strftime", "format -> a string; codes such as %Y stand for fields.", |vm, this, args, kwnames| {
        let bound = STRFTIME.bind(vm, args, kwnames)?;
        let format = format_argument(vm, &bound[0], "strftime")?;
        strftime::date(vm, this, format)
    }),
    MethodDef::raw("__format__", "Format as strftime() does, or as str() if the format is empty.", format),
    MethodDef::new("timetuple($self, /)", "Return a time.struct_time with the same fields.", |vm, this, _| {
        local::time_tuple(vm, Date::of(this).ymd(), Default::default(), -1)
    }),
    MethodDef::new("isocalendar($self, /)", "\
        Return the ISO year, week and weekday (1 is Monday) as a named tuple.", |_, this, _| {
        Ok(isocalendar::new(Date::of(this).ymd().iso_calendar()))
    }),
    MethodDef::new("isoformat($self, /)", "\
        Return the date in the form YYYY-MM-DD.", |_, this, _| Ok(isoformat(Date::of(this).ymd()))),
    MethodDef::new("isoweekday($self, /)", "Return the number of the day in its week.\n\n\
        It is 1 on Monday and 7 on Sunday.", |_, this, _| {
        Ok(Value::from(Date::of(this).ymd().weekday() + 1))
    }),
    MethodDef::new("toordinal($self, /)", "Count the days since January 1 of year 1, which is day 1.", |_, this, _| {
        Ok(Value::from(Date::of(this).ymd().ordinal()))
    }),
    MethodDef::new("weekday($self, /)", "Return the number of the day in its week.\n\n\
        It is 0 on Monday and 6 on Sunday.", |_, this, _| {
        Ok(Value::from(Date::of(this).ymd().weekday()))
    }),
    MethodDef::raw("replace($self, /, year=unchanged, month=unchanged, day=unchanged)", "\
        Return a date in which the given fields have other values.", replace),
    MethodDef::raw("__replace__($self, /, **changes)", "An alias of replace(), for copy.replace().", replace),
    MethodDef::new("__reduce__($self, /)", "__reduce__() -> (cls, state)", |_, this, _| {
        Ok(pickle::reduced(this, &Date::of(this).date.bytes(), &Value::NONE))
    }),
]; }
