//! Calendar time: broken-down times, their text, and the local time zone.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;

use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::Module;
use taipan_object::{Result, Value, Vm};

use super::STRUCT_TIME;
use super::conversion::{Rounding, object_to_time_t};

unsafe extern "C" {
    fn tzset();
    fn strftime(buffer: *mut libc::c_char, max: usize, format: *const libc::c_char, tm: *const libc::tm) -> usize;
}

/// A broken-down time, and the text of its zone if Python code gave it.
struct Broken {
    tm: libc::tm,
    zone: Option<CString>,
}

fn zone_name(tm: &libc::tm) -> Value {
    if tm.tm_zone.is_null() {
        return Value::NONE;
    }
    // SAFETY: the C library points to the name of a time zone.
    Str::from_fs_bytes(unsafe { CStr::from_ptr(tm.tm_zone) }.to_bytes()).into_value()
}

fn struct_time(vm: &Vm, tm: &libc::tm) -> Result {
    STRUCT_TIME.instance(
        vm,
        vec![
            Value::from(i64::from(tm.tm_year) + 1900),
            Value::from(tm.tm_mon + 1),
            Value::from(tm.tm_mday),
            Value::from(tm.tm_hour),
            Value::from(tm.tm_min),
            Value::from(tm.tm_sec),
            Value::from((tm.tm_wday + 6) % 7),
            Value::from(tm.tm_yday + 1),
            Value::from(tm.tm_isdst),
            zone_name(tm),
            Value::from(tm.tm_gmtoff),
        ],
    )
}

/// The seconds argument of `gmtime` and its like: now, if absent or `None`.
fn when(vm: &Vm, value: &Value) -> Result<i64> {
    match value.given() {
        Some(value) => object_to_time_t(vm, value, Rounding::Floor),
        None => Ok(super::clock(vm, libc::CLOCK_REALTIME)?.div_euclid(super::BILLION)),
    }
}

/// The broken-down time in UTC.
pub fn utc(vm: &Vm, seconds: i64) -> Result<libc::tm> {
    let mut tm = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: `tm` has room for the result; zeros are a valid one.
    if unsafe { libc::gmtime_r(&seconds, tm.as_mut_ptr()) }.is_null() {
        return Err(vm.last_os_error(None));
    }
    // SAFETY: as above.
    let mut tm = unsafe { tm.assume_init() };
    tm.tm_zone = c"UTC".as_ptr();
    Ok(tm)
}

/// The broken-down local time.
pub fn local(vm: &Vm, seconds: i64) -> Result<libc::tm> {
    let mut tm = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: `tm` has room for the result; zeros are a valid one.
    if unsafe { libc::localtime_r(&seconds, tm.as_mut_ptr()) }.is_null() {
        return Err(vm.last_os_error(None));
    }
    // SAFETY: as above.
    Ok(unsafe { tm.assume_init() })
}

/// A time tuple as a broken-down time (`gettmarg`).
fn from_tuple(vm: &Vm, value: &Value, function: &str) -> Result<Broken> {
    let Some(tuple) = value.downcast::<Tuple>() else {
        return Err(vm.type_error("Tuple or struct_time argument required"));
    };
    let [year, month, day, hour, minute, second, weekday, yearday, dst] = tuple.as_slice() else {
        return Err(vm.type_error(format!("{function}(): illegal time tuple argument")));
    };
    let number = |value: &Value| vm.index_i32(value);
    let year = number(year)?;
    // SAFETY: zeros are a valid `tm`.
    let mut tm: libc::tm = unsafe { MaybeUninit::zeroed().assume_init() };
    tm.tm_mon = number(month)?.wrapping_sub(1);
    tm.tm_mday = number(day)?;
    tm.tm_hour = number(hour)?;
    tm.tm_min = number(minute)?;
    tm.tm_sec = number(second)?;
    tm.tm_wday = number(weekday)?;
    tm.tm_yday = number(yearday)?.wrapping_sub(1);
    tm.tm_isdst = number(dst)?;
    if year < i32::MIN + 1900 {
        return Err(vm.overflow_error("year out of range"));
    }
    tm.tm_year = year - 1900;
    tm.tm_wday = tm.tm_wday.wrapping_add(1) % 7;
    let mut zone = None;
    if std::ptr::eq(value.ty(), STRUCT_TIME.ty(vm)?) {
        let name = vm.get_attr_str(value, "tm_zone")?;
        if !name.is_none() {
            zone = Some(crate::arguments::c_string(vm, &name, "tm_zone")?);
        }
        let offset = vm.get_attr_str(value, "tm_gmtoff")?;
        if !offset.is_none() {
            tm.tm_gmtoff = crate::arguments::c_long(vm, &offset)?;
        }
    }
    Ok(Broken { tm, zone })
}

/// Checks that the fields are in their ranges; zero stands for the first day and month.
fn check_ranges(vm: &Vm, tm: &mut libc::tm) -> Result<()> {
    match tm.tm_mon {
        -1 => tm.tm_mon = 0,
        0..=11 => {}
        _ => return Err(vm.value_error("month out of range")),
    }
    match tm.tm_mday {
        0 => tm.tm_mday = 1,
        1..=31 => {}
        _ => return Err(vm.value_error("day of month out of range")),
    }
    if !(0..=23).contains(&tm.tm_hour) {
        return Err(vm.value_error("hour out of range"));
    }
    if !(0..=59).contains(&tm.tm_min) {
        return Err(vm.value_error("minute out of range"));
    }
    if !(0..=61).contains(&tm.tm_sec) {
        return Err(vm.value_error("seconds out of range"));
    }
    if tm.tm_wday < 0 {
        return Err(vm.value_error("day of week out of range"));
    }
    match tm.tm_yday {
        -1 => tm.tm_yday = 0,
        0..=365 => {}
        _ => return Err(vm.value_error("day of year out of range")),
    }
    Ok(())
}

fn ascii_time(tm: &libc::tm) -> Value {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (day, month) = (DAYS[tm.tm_wday as usize % 7], MONTHS[tm.tm_mon as usize % 12]);
    let year = i64::from(tm.tm_year) + 1900;
    let clock = format!("{:02}:{:02}:{:02}", tm.tm_hour, tm.tm_min, tm.tm_sec);
    Value::from(format!("{day} {month}{:3} {clock} {year}", tm.tm_mday))
}

/// The text of an ASCII format without NUL.
fn format_chunk(vm: &Vm, format: &str, tm: &libc::tm) -> Result<Vec<u8>> {
    let Ok(format) = CString::new(format) else { return Ok(Vec::new()) };
    let length = format.as_bytes().len();
    let mut size = 1024;
    loop {
        let mut buffer: Vec<u8> = Vec::new();
        if buffer.try_reserve_exact(size).is_err() {
            return Err(vm.memory_error());
        }
        // SAFETY: the buffer has room for `size` bytes, format and zone are C strings.
        let written = unsafe { strftime(buffer.as_mut_ptr().cast(), size, format.as_ptr(), tm) };
        // An empty result is told from a small buffer by the size: no directive yields 256 times its own length.
        if written > 0 || size >= 256 * length {
            // SAFETY: so many bytes were written.
            unsafe { buffer.set_len(written) };
            return Ok(buffer);
        }
        size *= 2;
    }
}

/// `strftime` of a format that may contain NUL and what the C library would not understand: only ASCII runs go there.
fn format_time(vm: &Vm, format: &Str, tm: &libc::tm) -> Result {
    // Code points, a copy as text and one for the C library, and what comes of it.
    vm.check_room(format.len().saturating_mul(16))?;
    let mut out = StrBuilder::new();
    let points = format.to_code_points();
    let ascii = |point: u32| (1..128).contains(&point);
    let mut at = 0;
    while at < points.len() {
        if !ascii(points[at]) {
            out.push(points[at]);
            at += 1;
            continue;
        }
        let start = at;
        while at < points.len() && ascii(points[at]) {
            at += 1;
        }
        let chunk: String = points[start..at].iter().filter_map(|p| char::from_u32(*p)).collect();
        let text = format_chunk(vm, &chunk, tm)?;
        out.push_text(&Str::from_fs_bytes(&text));
    }
    Ok(out.finish().into_value())
}

/// `time.strftime(format, tuple)`
pub fn format_tuple(vm: &Vm, format: &Str, tuple: &Value) -> Result {
    format_broken(vm, format, from_tuple(vm, tuple, "strftime")?)
}

fn format_broken(vm: &Vm, format: &Str, mut broken: Broken) -> Result {
    check_ranges(vm, &mut broken.tm)?;
    // As glibc shows it for times without a zone.
    broken.tm.tm_isdst = broken.tm.tm_isdst.clamp(-1, 1);
    match &broken.zone {
        Some(zone) => broken.tm.tm_zone = zone.as_ptr(),
        None if broken.tm.tm_zone.is_null() => {
            // SAFETY: tzset reads the environment, which only the GIL's holder changes.
            unsafe { tzset() };
        }
        None => {}
    }
    format_time(vm, format, &broken.tm)
}

/// Sets `timezone`, `altzone`, `daylight` and `tzname`.
pub fn set_time_zone(module: &Module) {
    // SAFETY: tzset reads the environment, which only the GIL's holder changes.
    unsafe { tzset() };
    const YEAR: i64 = (365 * 24 + 6) * 3600;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    let start = now / YEAR * YEAR;
    let zone = |seconds: i64| {
        let mut tm = MaybeUninit::<libc::tm>::zeroed();
        // SAFETY: room for the result; zeros are a valid one.
        unsafe {
            libc::localtime_r(&seconds, tm.as_mut_ptr());
            let tm = tm.assume_init();
            (-tm.tm_gmtoff, zone_name(&tm))
        }
    };
    let (winter, winter_name) = zone(start);
    let (summer, summer_name) = zone(start + YEAR / 2);
    let southern = winter < summer;
    let (standard, alternative, names) = if southern {
        (summer, winter, [summer_name, winter_name])
    } else {
        (winter, summer, [winter_name, summer_name])
    };
    module.set("timezone", Value::from(standard));
    module.set("altzone", Value::from(alternative));
    module.set("daylight", Value::from(i32::from(winter != summer)));
    module.set("tzname", Tuple::from_array(names).into_value());
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("gmtime(seconds=None, /)", "Seconds since the Epoch as a time tuple in UTC.", |vm, _, args| {
            struct_time(vm, &utc(vm, when(vm, &args[0])?)?)
        }),
        MethodDef::new("localtime(seconds=None, /)", "Seconds since the Epoch as a time tuple in local time.", |vm, _, args| {
            struct_time(vm, &local(vm, when(vm, &args[0])?)?)
        }),
        MethodDef::new("asctime(tuple=None, /)", "A time tuple as text like 'Sat Jun 06 16:26:11 1998'.", |vm, _, args| {
            let mut tm = match args[0].bound() {
                Some(tuple) if !tuple.is_none() => from_tuple(vm, tuple, "asctime")?.tm,
                _ => local(vm, when(vm, &Value::NONE)?)?,
            };
            check_ranges(vm, &mut tm)?;
            Ok(ascii_time(&tm))
        }),
        MethodDef::new("ctime(seconds=None, /)", "Seconds since the Epoch as text in local time.", |vm, _, args| {
            Ok(ascii_time(&local(vm, when(vm, &args[0])?)?))
        }),
        MethodDef::new("mktime($self, object, /)", "A time tuple in local time as seconds since the Epoch.", |vm, _, args| {
            let mut tm = from_tuple(vm, &args[0], "mktime")?.tm;
            // The week day tells failure from a time just before the epoch.
            tm.tm_wday = -1;
            // SAFETY: a valid `tm`.
            let seconds = unsafe { libc::mktime(&mut tm) };
            if seconds == -1 && tm.tm_wday == -1 {
                return Err(vm.overflow_error("mktime argument out of range"));
            }
            Ok(Value::from(seconds as f64))
        }),
        MethodDef::new("strftime(format, tuple=None, /)", "A time tuple as text according to a format.", |vm, _, args| {
            let format = vm.expect_str(&args[0], |got| format!("strftime() argument 1 must be str, not {got}"))?;
            match args[1].given() {
                None => format_broken(vm, format, Broken { tm: local(vm, when(vm, &Value::NONE)?)?, zone: None }),
                Some(tuple) => format_tuple(vm, format, tuple),
            }
        }),
        MethodDef::new("strptime(string, format='%a %b %d %H:%M:%S %Y', /)", "Text as a time tuple according to a format.", |vm, _, args| {
            let parse = vm.import_from("_strptime", "_strptime_time")?;
            vm.call_args(&parse, if args[1].is_unbound() { &args[..1] } else { args })
        }),
        MethodDef::new("tzset($self, /)", "Set the time zone from the environment variable TZ.", |vm, _, _| {
            let module = vm.import("time")?;
            if let Some(module) = module.downcast::<Module>() {
                set_time_zone(module);
            }
            Ok(Value::NONE)
        }),
    ];
}
