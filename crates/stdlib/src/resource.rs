//! `resource`: limits and usage of system resources.

use taipan_object::builtins::int;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::OS_ERROR;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm};

use crate::arguments::{c_int, check};

pub static MODULE: ModuleDef = ModuleDef {
    name: "resource",
    doc: "",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.set("error", OS_ERROR.value());
        module.set("struct_rusage", STRUCT_RUSAGE.ty(vm)?.to_value());
        libc_constants!(module;
            RLIMIT_AS RLIMIT_CORE RLIMIT_CPU RLIMIT_DATA RLIMIT_FSIZE RLIMIT_MEMLOCK RLIMIT_MSGQUEUE RLIMIT_NICE
            RLIMIT_NOFILE RLIMIT_NPROC RLIMIT_RSS RLIMIT_RTPRIO RLIMIT_RTTIME RLIMIT_SIGPENDING RLIMIT_STACK
            RUSAGE_CHILDREN RUSAGE_SELF RUSAGE_THREAD);
        int_constants!(module; RLIMIT_OFILE = libc::RLIMIT_NOFILE, RLIM_INFINITY = -1);
        Ok(())
    },
};

static STRUCT_RUSAGE: StructSeq = StructSeq::new(
    "resource.struct_rusage",
    "What getrusage() returns: times in seconds, memory in kilobytes, counts of events.",
    &[
        Some("ru_utime"),
        Some("ru_stime"),
        Some("ru_maxrss"),
        Some("ru_ixrss"),
        Some("ru_idrss"),
        Some("ru_isrss"),
        Some("ru_minflt"),
        Some("ru_majflt"),
        Some("ru_nswap"),
        Some("ru_inblock"),
        Some("ru_oublock"),
        Some("ru_msgsnd"),
        Some("ru_msgrcv"),
        Some("ru_nsignals"),
        Some("ru_nvcsw"),
        Some("ru_nivcsw"),
    ],
    16,
);

/// The result object for a `struct rusage`.
pub fn struct_rusage(vm: &Vm, usage: &libc::rusage) -> Result {
    let seconds = |time: &libc::timeval| Value::from(time.tv_sec as f64 + time.tv_usec as f64 * 1e-6);
    let counts = [
        usage.ru_maxrss,
        usage.ru_ixrss,
        usage.ru_idrss,
        usage.ru_isrss,
        usage.ru_minflt,
        usage.ru_majflt,
        usage.ru_nswap,
        usage.ru_inblock,
        usage.ru_oublock,
        usage.ru_msgsnd,
        usage.ru_msgrcv,
        usage.ru_nsignals,
        usage.ru_nvcsw,
        usage.ru_nivcsw,
    ];
    let times = [seconds(&usage.ru_utime), seconds(&usage.ru_stime)];
    STRUCT_RUSAGE.instance(vm, times.into_iter().chain(counts.map(Value::from)).collect())
}

fn limits(limit: &libc::rlimit) -> Value {
    let number = |n: libc::rlim_t| if n == libc::RLIM_INFINITY { Value::from(-1) } else { Value::from(n) };
    Tuple::from_array([number(limit.rlim_cur), number(limit.rlim_max)]).into_value()
}

/// One limit: −1 is none.
fn limit(vm: &Vm, value: &Value) -> Result<libc::rlim_t> {
    let index = vm.index(value)?;
    if int::to_i64(&index) == Some(-1) {
        return Ok(libc::RLIM_INFINITY);
    }
    if int::is_negative(&index) {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    match int::to_ibig(&index).and_then(|n| u64::try_from(n).ok()) {
        Some(n) => Ok(n),
        None => Err(vm.overflow_error("Python int too large to convert to C rlim_t")),
    }
}

fn new_limits(vm: &Vm, value: &Value) -> Result<libc::rlimit> {
    match vm.collect(value)?.as_slice() {
        [current, max] => Ok(libc::rlimit { rlim_cur: limit(vm, current)?, rlim_max: limit(vm, max)? }),
        _ => Err(vm.value_error("expected a tuple of 2 integers")),
    }
}

/// The number of a resource.
fn resource(vm: &Vm, value: &Value) -> Result<libc::__rlimit_resource_t> {
    match c_int(vm, value)? {
        number @ 0..16 => Ok(number as libc::__rlimit_resource_t),
        _ => Err(vm.value_error("invalid resource specified")),
    }
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("getrusage($module, who, /)", "The resources used by who.", |vm, _, args| {
            let who = c_int(vm, &args[0])?;
            // SAFETY: zeros are a valid rusage, which the call fills.
            let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
            if unsafe { libc::getrusage(who, &mut usage) } < 0 {
                return match crate::arguments::errno() {
                    libc::EINVAL => Err(vm.value_error("invalid who parameter")),
                    errno => Err(vm.os_error(errno, None, None)),
                };
            }
            struct_rusage(vm, &usage)
        }),
        MethodDef::new("getrlimit($module, resource, /)", "The soft and hard limit of a resource.", |vm, _, args| {
            let resource = resource(vm, &args[0])?;
            let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: room for the result.
            check(vm, unsafe { libc::getrlimit(resource, &mut old) })?;
            Ok(limits(&old))
        }),
        MethodDef::new("setrlimit($module, resource, limits, /)", "Set the soft and hard limit of a resource.", |vm, _, args| {
            let resource = resource(vm, &args[0])?;
            let new = new_limits(vm, &args[1])?;
            // SAFETY: valid limits.
            if unsafe { libc::setrlimit(resource, &new) } < 0 {
                return Err(match crate::arguments::errno() {
                    libc::EINVAL => vm.value_error("current limit exceeds maximum limit"),
                    libc::EPERM => vm.value_error("not allowed to raise maximum limit"),
                    errno => vm.os_error(errno, None, None),
                });
            }
            Ok(Value::NONE)
        }),
        MethodDef::new("prlimit($module, pid, resource, limits=None, /)", "Get or set the limits of a resource of a process.", |vm, _, args| {
            let pid = c_int(vm, &args[0])?;
            let resource = resource(vm, &args[1])?;
            let new = args[2].given().map(|limits| new_limits(vm, limits)).transpose()?;
            let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            let pointer = new.as_ref().map_or(std::ptr::null(), |new| new as *const libc::rlimit);
            // SAFETY: null or valid limits, room for the old ones.
            if unsafe { libc::prlimit(pid, resource, pointer, &mut old) } < 0 {
                return Err(match crate::arguments::errno() {
                    libc::EINVAL => vm.value_error("current limit exceeds maximum limit"),
                    errno => vm.os_error(errno, None, None),
                });
            }
            Ok(limits(&old))
        }),
        MethodDef::new("getpagesize($module, /)", "The size of a memory page in bytes.", |_, _, _| {
            // SAFETY: takes a number.
            Ok(Value::from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }))
        }),
    ];
}
