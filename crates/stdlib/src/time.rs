//! `time`: clocks, calendar time, sleeping. `time/` has the conversions, which other modules use too, and the calendar.

use std::mem::MaybeUninit;

use taipan_object::builtins::int;
use taipan_object::builtins::namespace;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::{self, blocking};
use taipan_object::{Result, Value, Vm};

use crate::arguments::{c_long, c_ulong_mask};
use conversion::{BILLION, Rounding, object_to_nanoseconds, seconds, timespec};

pub mod calendar;
pub mod conversion;

pub static MODULE: ModuleDef = ModuleDef {
    name: "time",
    doc: "Clocks, calendar time and sleeping.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        for functions in CLOCKS {
            module.add_functions(functions);
        }
        module.add_functions(calendar::FUNCTIONS);
        module.set("struct_time", STRUCT_TIME.ty(vm)?.to_value());
        libc_constants!(module;
            CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_MONOTONIC_RAW CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID
            CLOCK_BOOTTIME CLOCK_TAI);
        int_constants!(module; _STRUCT_TM_ITEMS = 11);
        calendar::set_time_zone(module);
        Ok(())
    },
};

pub static STRUCT_TIME: StructSeq = StructSeq::new(
    "time.struct_time",
    "What gmtime(), localtime() and strptime() return and asctime(), mktime() and strftime() take.",
    &[
        Some("tm_year"),
        Some("tm_mon"),
        Some("tm_mday"),
        Some("tm_hour"),
        Some("tm_min"),
        Some("tm_sec"),
        Some("tm_wday"),
        Some("tm_yday"),
        Some("tm_isdst"),
        Some("tm_zone"),
        Some("tm_gmtoff"),
    ],
    9,
);

/// A clock in nanoseconds.
pub fn clock(vm: &Vm, clock: libc::clockid_t) -> Result<i64> {
    let mut now = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `now` has room for the result.
    if unsafe { libc::clock_gettime(clock, now.as_mut_ptr()) } != 0 {
        return Err(vm.last_os_error(None));
    }
    // SAFETY: set by the successful call.
    let now = unsafe { now.assume_init() };
    Ok(now.tv_sec.saturating_mul(BILLION).saturating_add(now.tv_nsec))
}

/// `time.monotonic_ns()`
pub use taipan_object::parking::monotonic;

fn clock_id(vm: &Vm, value: &Value) -> Result<libc::clockid_t> {
    if !int::is_int(value) {
        return Err(vm.type_error(format!("clk_id should be integer, not {}", value.ty().name())));
    }
    crate::arguments::c_int(vm, value)
}

fn resolution(vm: &Vm, clock: libc::clockid_t) -> Result<f64> {
    let mut resolution = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `resolution` has room for the result.
    if unsafe { libc::clock_getres(clock, resolution.as_mut_ptr()) } != 0 {
        return Err(vm.last_os_error(None));
    }
    // SAFETY: set by the successful call.
    let resolution = unsafe { resolution.assume_init() };
    Ok(resolution.tv_sec as f64 + resolution.tv_nsec as f64 * 1e-9)
}

/// Sleeps until the monotonic clock shows `deadline`; signal handlers run meanwhile.
fn sleep_until(vm: &Vm, deadline: i64) -> Result<()> {
    let until = timespec(deadline);
    loop {
        let status = blocking(|| {
            // SAFETY: `until` is a valid timespec; no remainder is asked for.
            unsafe { libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &until, std::ptr::null_mut()) }
        });
        match status {
            0 => return Ok(()),
            libc::EINTR => vm.check_signals()?,
            errno => return Err(vm.os_error(errno, None, None)),
        }
    }
}

macro_rules! clock_functions {
    ($seconds:literal, $nanoseconds:literal, $clock:ident, $doc:literal) => {
        [
            MethodDef::new($seconds, concat!($doc, ", in seconds as a float."), |vm, _, _| {
                Ok(Value::from(seconds(clock(vm, libc::$clock)?)))
            }),
            MethodDef::new($nanoseconds, concat!($doc, ", in nanoseconds."), |vm, _, _| {
                Ok(Value::from(clock(vm, libc::$clock)?))
            }),
        ]
    };
}

static CLOCKS: [&[MethodDef]; 5] = {
    static TIME: [MethodDef; 2] =
        clock_functions!("time($self, /)", "time_ns($self, /)", CLOCK_REALTIME, "The time since the Epoch");
    static MONOTONIC: [MethodDef; 2] = clock_functions!(
        "monotonic($self, /)",
        "monotonic_ns($self, /)",
        CLOCK_MONOTONIC,
        "A clock that never goes backward"
    );
    static PERF: [MethodDef; 2] = clock_functions!(
        "perf_counter($self, /)",
        "perf_counter_ns($self, /)",
        CLOCK_MONOTONIC,
        "A clock for measuring short durations"
    );
    static PROCESS: [MethodDef; 2] = clock_functions!(
        "process_time($self, /)",
        "process_time_ns($self, /)",
        CLOCK_PROCESS_CPUTIME_ID,
        "The processor time of the process"
    );
    static THREAD: [MethodDef; 2] = clock_functions!(
        "thread_time($self, /)",
        "thread_time_ns($self, /)",
        CLOCK_THREAD_CPUTIME_ID,
        "The processor time of the thread"
    );
    [&TIME, &MONOTONIC, &PERF, &PROCESS, &THREAD]
};

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("clock_gettime($module, clk_id, /)", "The time of a clock as a float.", |vm, _, args| {
            Ok(Value::from(seconds(clock(vm, clock_id(vm, &args[0])?)?)))
        }),
        MethodDef::new("clock_gettime_ns($module, clk_id, /)", "The time of a clock in nanoseconds.", |vm, _, args| {
            Ok(Value::from(clock(vm, clock_id(vm, &args[0])?)?))
        }),
        MethodDef::new("clock_settime(clk_id, time, /)", "Set the time of a clock.", |vm, _, args| {
            let clock = clock_id(vm, &args[0])?;
            let time = timespec(object_to_nanoseconds(vm, &args[1], Rounding::Floor)?);
            // SAFETY: a valid timespec.
            crate::arguments::check(vm, unsafe { libc::clock_settime(clock, &time) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("clock_settime_ns(clk_id, time, /)", "Set the time of a clock in nanoseconds.", |vm, _, args| {
            let clock = clock_id(vm, &args[0])?;
            if !int::is_int(&args[1]) {
                return Err(vm.type_error(format!("expect int, got {}", args[1].ty().name())));
            }
            let time = timespec(c_long(vm, &args[1])?);
            // SAFETY: a valid timespec.
            crate::arguments::check(vm, unsafe { libc::clock_settime(clock, &time) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("clock_getres(clk_id, /)", "The resolution of a clock in seconds.", |vm, _, args| {
            Ok(Value::from(resolution(vm, clock_id(vm, &args[0])?)?))
        }),
        MethodDef::new("pthread_getcpuclockid(thread_id, /)", "The id of the clock of a thread's processor time.", |vm, _, args| {
            let thread = c_ulong_mask(vm, &args[0])?;
            if !hooks::is_thread(vm, thread) {
                return Err(vm.os_error(libc::ESRCH, None, None));
            }
            let mut clock: libc::clockid_t = 0;
            // SAFETY: `clock` has room for the result, and the thread is alive: while it runs Python code, it cannot end without the
            // lock that this one holds.
            match unsafe { libc::pthread_getcpuclockid(thread, &mut clock) } {
                0 => Ok(Value::from(clock)),
                errno => Err(vm.os_error(errno, None, None)),
            }
        }),
        MethodDef::new("sleep($self, object, /)", "Wait for a number of seconds, which may be a fraction.", |vm, _, args| {
            vm.audit("time.sleep", std::slice::from_ref(&args[0]))?;
            let duration = object_to_nanoseconds(vm, &args[0], Rounding::Up)?;
            if duration < 0 {
                return Err(vm.value_error("sleep length must be non-negative"));
            }
            sleep_until(vm, monotonic().saturating_add(duration))?;
            Ok(Value::NONE)
        }),
        MethodDef::new("get_clock_info(name, /)", "What is known of the clock with this name.", |vm, _, args| {
            let name = vm.expect_str(&args[0], |got| format!("get_clock_info() argument 1 must be str, not {got}"))?;
            let (clock, implementation) = match name.to_string_lossy().as_str() {
                "time" => (libc::CLOCK_REALTIME, "clock_gettime(CLOCK_REALTIME)"),
                "monotonic" | "perf_counter" => (libc::CLOCK_MONOTONIC, "clock_gettime(CLOCK_MONOTONIC)"),
                "process_time" => (libc::CLOCK_PROCESS_CPUTIME_ID, "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)"),
                "thread_time" => (libc::CLOCK_THREAD_CPUTIME_ID, "clock_gettime(CLOCK_THREAD_CPUTIME_ID)"),
                _ => return Err(vm.value_error("unknown clock")),
            };
            let is_time = clock == libc::CLOCK_REALTIME;
            Ok(namespace::new(vec![
                ("implementation", Value::from(implementation)),
                ("monotonic", Value::bool(!is_time)),
                ("adjustable", Value::bool(is_time)),
                ("resolution", Value::from(resolution(vm, clock)?)),
            ]))
        }),
    ];
}
