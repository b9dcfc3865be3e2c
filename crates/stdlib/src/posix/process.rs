//! Processes: `fork`, `exec`, waiting, signals sent, and what the process has used.

use std::ffi::{CStr, CString};
use std::sync::Mutex;

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

use super::path::{Accepts, Path};
use crate::arguments::{c_int, check, fs_converter, retry_or_raise};

pub static WAITID_RESULT: StructSeq = StructSeq::new(
    "posix.waitid_result",
    "What waitid() returns.",
    &[Some("si_pid"), Some("si_uid"), Some("si_signo"), Some("si_status"), Some("si_code")],
    5,
);

pub static TIMES_RESULT: StructSeq = StructSeq::new(
    "posix.times_result",
    "What times() returns, in seconds.",
    &[Some("user"), Some("system"), Some("children_user"), Some("children_system"), Some("elapsed")],
    5,
);

pub static UNAME_RESULT: StructSeq = StructSeq::new(
    "posix.uname_result",
    "What uname() returns.",
    &[Some("sysname"), Some("nodename"), Some("release"), Some("version"), Some("machine")],
    5,
);

/// The functions of `register_at_fork`.
#[derive(Default)]
struct AtFork {
    before: Vec<Value>,
    in_child: Vec<Value>,
    in_parent: Vec<Value>,
}

static AT_FORK: Mutex<AtFork> = Mutex::new(AtFork { before: Vec::new(), in_child: Vec::new(), in_parent: Vec::new() });

fn at_fork<R>(f: impl FnOnce(&mut AtFork) -> R) -> R {
    f(&mut AT_FORK.lock().expect("no panic while it is locked"))
}

fn run_hooks(vm: &Vm, functions: &[Value]) {
    for function in functions {
        if let Err(raised) = vm.call_args(function, &[]) {
            vm.write_unraisable(raised, "", function);
        }
    }
}

/// Forks by the system call `fork`, which returns like `fork()`, with what was registered to run before and after. In
/// the child the calling thread is the only one.
pub fn fork_process(vm: &Vm, fork: impl FnOnce() -> libc::pid_t) -> Result<libc::pid_t> {
    let mut functions = at_fork(|hooks| hooks.before.clone());
    functions.reverse();
    run_hooks(vm, &functions);
    vm.before_fork();
    let heap = taipan_object::heap::prepare_fork();
    let pid = fork();
    let error = if pid < 0 { crate::arguments::errno() } else { 0 };
    if pid == 0 {
        heap.in_child();
        crate::_signal::after_fork_in_child();
        crate::_io::lock::after_fork_in_child();
        crate::_thread::start::after_fork_in_child();
        crate::faulthandler::later::after_fork_in_child();
    } else {
        drop(heap);
    }
    vm.after_fork(pid == 0);
    if pid == 0 {
        crate::_asyncio::running::after_fork_in_child();
    }
    let functions = at_fork(|hooks| if pid == 0 { hooks.in_child.clone() } else { hooks.in_parent.clone() });
    run_hooks(vm, &functions);
    if pid < 0 { Err(vm.os_error(error, None, None)) } else { Ok(pid) }
}

/// Warns, in the parent, that the forked child may wait for what other threads held.
pub fn warn_about_fork_with_threads(vm: &Vm, name: &str) -> Result<()> {
    let threads = std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| {
        let (_, fields) = stat.rsplit_once(')')?;
        fields.split_ascii_whitespace().nth(17)?.parse::<usize>().ok()
    });
    if threads.is_none_or(|threads| threads <= 1) {
        return Ok(());
    }
    let pid = std::process::id();
    let message =
        format!("This process (pid={pid}) is multi-threaded, use of {name}() may lead to deadlocks in the child.");
    vm.warn(&taipan_object::exceptions::DEPRECATION_WARNING.value(), &message, 1)
}

/// The strings of an argument list, ready for `exec`.
pub fn argument_strings(vm: &Vm, function: &str, argv: &Value) -> Result<Vec<CString>> {
    let items = match (argv.downcast::<List>(), argv.downcast::<Tuple>()) {
        (Some(list), _) => list.to_vec(),
        (_, Some(tuple)) => tuple.as_slice().to_vec(),
        _ => return Err(vm.type_error(format!("{function} must be a tuple or list"))),
    };
    items.iter().map(|item| fs_converter(vm, item)).collect()
}

/// An environment mapping as `NAME=value` strings.
pub fn environment_strings(vm: &Vm, env: &Value) -> Result<Vec<CString>> {
    let mut strings = Vec::new();
    let pairs: Vec<(Value, Value)> = match env.downcast::<Dict>() {
        Some(dict) => dict.items(),
        None => {
            let keys = vm.collect(&vm.call_method(env, "keys", &[])?)?;
            let values = vm.collect(&vm.call_method(env, "values", &[])?)?;
            keys.into_iter().zip(values).collect()
        }
    };
    for (key, value) in pairs {
        let (key, value) = (fs_converter(vm, &key)?, fs_converter(vm, &value)?);
        let name = key.as_bytes();
        if name.is_empty() || name[1..].contains(&b'=') {
            return Err(vm.value_error("illegal environment variable name"));
        }
        let entry = [name, b"=", value.as_bytes()].concat();
        strings.push(CString::new(entry).map_err(|_| vm.value_error("embedded null byte"))?);
    }
    Ok(strings)
}

/// Pointers to the strings, with a null at the end; valid as long as they are.
pub fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
    strings.iter().map(|s| s.as_ptr().cast_mut()).chain([std::ptr::null_mut()]).collect()
}

/// Whether a value is a mapping (`PyMapping_Check`, roughly: it can be subscripted and is no sequence of items).
pub fn is_mapping(vm: &Vm, value: &Value) -> Result<bool> {
    Ok(value.downcast::<Dict>().is_some() || vm.get_attr_str_opt(value, "keys")?.is_some())
}

fn check_arguments(vm: &Vm, function: &str, argv: &[CString]) -> Result<()> {
    match argv.first() {
        None => Err(vm.value_error(format!("{function}() arg 2 must not be empty"))),
        Some(first) if first.is_empty() => {
            Err(vm.value_error(format!("{function}() arg 2 first element cannot be empty")))
        }
        Some(_) => Ok(()),
    }
}

fn status_pair(pid: i64, status: i32) -> Value {
    Tuple::from_array([Value::from(pid), Value::from(status)]).into_value()
}

fn wait4(vm: &Vm, pid: i32, options: i32) -> Result {
    let mut status = 0;
    // SAFETY: zeros are a valid rusage.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: room for status and usage.
    let pid = retry_or_raise(vm, || unsafe { libc::wait4(pid, &mut status, options, &mut usage) })?;
    let usage = crate::resource::struct_rusage(vm, &usage)?;
    Ok(Tuple::from_array([Value::from(pid), Value::from(status), usage]).into_value())
}

macro_rules! status_function {
    ($declaration:literal, $doc:literal, $test:expr) => {
        MethodDef::new($declaration, $doc, |vm, _, args| {
            let test: fn(i32) -> Value = $test;
            Ok(test(c_int(vm, &args[0])?))
        })
    };
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("_exit($module, /, status)", "\
            End the process at once: no handlers run and no buffers are flushed.", |vm, _, args| {
            let status = c_int(vm, &args[0])?;
            // SAFETY: ends the process.
            unsafe { libc::_exit(status) }
        }),
        MethodDef::new("abort($module, /)", "Abort the process at once.", |_, _, _| std::process::abort()),
        MethodDef::new("fork($module, /)", "Fork a child process: 0 in the child, its process id in the parent.", |vm, _, _| {
            if taipan_object::vm::gil::is_finalizing() {
                let message = "can't fork at interpreter shutdown".to_string();
                return Err(vm.raise_new(taipan_object::exceptions::PYTHON_FINALIZATION_ERROR.ty(), message));
            }
            vm.audit("os.fork", &[])?;
            // SAFETY: the child goes on with this thread alone; what other threads hold is theirs to release in
            // `register_at_fork` hooks, as in C.
            let pid = fork_process(vm, || unsafe { libc::fork() })?;
            if pid > 0 {
                warn_about_fork_with_threads(vm, "fork")?;
            }
            Ok(Value::from(pid))
        }),
        MethodDef::new("register_at_fork($module, /, *, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)", "Register functions to be called when forking a process.", |vm, _, args| {
            if args.iter().all(Value::is_unbound) {
                return Err(vm.type_error("At least one argument is required."));
            }
            for (name, function) in ["before", "after_in_child", "after_in_parent"].iter().zip(args) {
                if let Some(function) = function.bound()
                    && function.ty().slots().call.is_none()
                {
                    let got = function.ty().name();
                    return Err(vm.type_error(format!("'{name}' must be callable, not {got}")));
                }
            }
            at_fork(|hooks| {
                hooks.before.extend(args[0].bound().cloned());
                hooks.in_child.extend(args[1].bound().cloned());
                hooks.in_parent.extend(args[2].bound().cloned());
            });
            Ok(Value::NONE)
        }),
        MethodDef::new("execv($module, path, argv, /)", "\
            Replace this program by another one; the process stays the same.", |vm, _, args| {
            let path = Path::plain(vm, "execv", &args[0])?;
            let argv = argument_strings(vm, "execv() arg 2", &args[1])?;
            check_arguments(vm, "execv", &argv)?;
            vm.audit("os.exec", &[args[0].clone(), args[1].clone(), Value::NONE])?;
            let argv = pointers(&argv);
            // SAFETY: C strings, the array ends with null.
            unsafe { libc::execv(path.as_ptr(), argv.as_ptr().cast()) };
            Err(path.error(vm, crate::arguments::errno()))
        }),
        MethodDef::new("execve($module, /, path, argv, env)", "Execute an executable path with arguments and environment, replacing current process.", |vm, _, args| {
            let path = Path::new(vm, "execve", "path", &args[0], Accepts::Descriptors)?;
            let argv = argument_strings(vm, "execve: argv", &args[1])?;
            if argv.is_empty() {
                return Err(vm.value_error("execve: argv must not be empty"));
            }
            if argv[0].is_empty() {
                return Err(vm.value_error("execve: argv first element cannot be empty"));
            }
            if !is_mapping(vm, &args[2])? {
                return Err(vm.type_error("execve: environment must be a mapping object"));
            }
            let environment = environment_strings(vm, &args[2])?;
            vm.audit("os.exec", args)?;
            let (argv, environment) = (pointers(&argv), pointers(&environment));
            // SAFETY: C strings, both arrays end with null.
            unsafe {
                match path.fd {
                    Some(fd) => libc::fexecve(fd, argv.as_ptr().cast(), environment.as_ptr().cast()),
                    None => libc::execve(path.as_ptr(), argv.as_ptr().cast(), environment.as_ptr().cast()),
                };
            }
            Err(path.error(vm, crate::arguments::errno()))
        }),
        MethodDef::new("wait($module, /)", "Wait for completion of a child process; (pid, status).", |vm, _, _| {
            let mut status = 0;
            // SAFETY: room for the status.
            let pid = retry_or_raise(vm, || unsafe { libc::wait(&mut status) })?;
            Ok(status_pair(pid, status))
        }),
        MethodDef::new("waitpid($module, pid, options, /)", "Wait for completion of a given child process; (pid, status).", |vm, _, args| {
            let (pid, options) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
            let mut status = 0;
            // SAFETY: room for the status.
            let pid = retry_or_raise(vm, || unsafe { libc::waitpid(pid, &mut status, options) })?;
            Ok(status_pair(pid, status))
        }),
        MethodDef::new("wait3($module, /, options)", "Wait for completion of a child process; (pid, status, rusage).", |vm, _, args| {
            wait4(vm, -1, c_int(vm, &args[0])?)
        }),
        MethodDef::new("wait4($module, /, pid, options)", "\
            Wait for a certain child to end or stop; (pid, status, rusage).", |vm, _, args| {
            wait4(vm, c_int(vm, &args[0])?, c_int(vm, &args[1])?)
        }),
        MethodDef::new("waitid($module, idtype, id, options, /)", "Wait for a process or processes; a waitid_result, or None if no child is in such a state.", |vm, _, args| {
            let (kind, id, options) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?, c_int(vm, &args[2])?);
            // SAFETY: zeros are a valid siginfo.
            let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
            // SAFETY: room for the information.
            retry_or_raise(vm, || unsafe { libc::waitid(kind as libc::idtype_t, id as libc::id_t, &mut info, options) })?;
            // SAFETY: waitid fills the fields of a child's signal.
            let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
            if pid == 0 {
                return Ok(Value::NONE);
            }
            WAITID_RESULT.instance(vm, vec![
                Value::from(pid),
                super::ids::from_id(uid),
                Value::from(info.si_signo),
                Value::from(status),
                Value::from(info.si_code),
            ])
        }),
        MethodDef::new("kill($module, pid, signal, /)", "Send a signal to a process.", |vm, _, args| {
            let (pid, signal) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
            vm.audit("os.kill", args)?;
            // SAFETY: takes numbers.
            check(vm, unsafe { libc::kill(pid, signal) })?;
            vm.check_signals()?;
            Ok(Value::NONE)
        }),
        MethodDef::new("killpg($module, pgid, signal, /)", "\
            Send a signal to all processes of a group.", |vm, _, args| {
            let (group, signal) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
            vm.audit("os.killpg", args)?;
            // SAFETY: takes numbers.
            check(vm, unsafe { libc::killpg(group, signal) })?;
            vm.check_signals()?;
            Ok(Value::NONE)
        }),
        MethodDef::new("system($module, /, command)", "Execute the command in a subshell; its wait status.", |vm, _, args| {
            let command = fs_converter(vm, &args[0])?;
            vm.audit("os.system", args)?;
            // SAFETY: a C string.
            Ok(Value::from(blocking(|| unsafe { libc::system(command.as_ptr()) })))
        }),
        MethodDef::new("times($module, /)", "The processor times of the process and its children, and the elapsed time.", |vm, _, _| {
            // SAFETY: zeros are a valid `tms`, which the call fills.
            let (elapsed, times, ticks) = unsafe {
                let mut times: libc::tms = std::mem::zeroed();
                (libc::times(&mut times), times, libc::sysconf(libc::_SC_CLK_TCK) as f64)
            };
            if elapsed == -1 {
                return Err(vm.last_os_error(None));
            }
            let all = [times.tms_utime, times.tms_stime, times.tms_cutime, times.tms_cstime, elapsed];
            TIMES_RESULT.instance(vm, all.iter().map(|t| Value::from(*t as f64 / ticks)).collect())
        }),
        MethodDef::new("uname($module, /)", "The name and version of the operating system.", |vm, _, _| {
            // SAFETY: zeros are a valid utsname, which the call fills with C strings.
            unsafe {
                let mut names: libc::utsname = std::mem::zeroed();
                check(vm, libc::uname(&mut names))?;
                let text = |field: &[libc::c_char]| Str::from_fs_bytes(CStr::from_ptr(field.as_ptr()).to_bytes()).into_value();
                UNAME_RESULT.instance(vm, vec![
                    text(&names.sysname),
                    text(&names.nodename),
                    text(&names.release),
                    text(&names.version),
                    text(&names.machine),
                ])
            }
        }),
        MethodDef::new("getloadavg($module, /)", "The average number of processes in the run queue over the last 1, 5 and 15 minutes.", |vm, _, _| {
            let mut loads = [0f64; 3];
            // SAFETY: room for three numbers.
            if unsafe { libc::getloadavg(loads.as_mut_ptr(), 3) } != 3 {
                return Err(vm.raise_new(taipan_object::exceptions::OS_ERROR.ty(), "Load averages are unobtainable".to_string()));
            }
            Ok(Tuple::from_array(loads.map(Value::from)).into_value())
        }),
        MethodDef::new("cpu_count($module, /)", "The number of logical CPUs in the system; None if indeterminable.", |vm, _, _| {
            let configured = vm.call_args(&vm.import_from("sys", "_get_cpu_count_config")?, &[])?;
            if configured.as_small_int().is_some_and(|count| count > 0) {
                return Ok(configured);
            }
            // SAFETY: takes a number.
            let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
            Ok(if count < 1 { Value::NONE } else { Value::from(count) })
        }),
        status_function!("WCOREDUMP($module, status, /)", "\
            Tell whether the process wrote a core dump when it ended.", |s| Value::bool(libc::WCOREDUMP(s))),
        status_function!("WIFCONTINUED($module, /, status)", "\
            Tell whether the process, once stopped, has been continued.", |s| Value::bool(libc::WIFCONTINUED(s))),
        status_function!("WIFSTOPPED($module, /, status)", "\
            Tell whether the process is stopped, and may be continued.", |s| Value::bool(libc::WIFSTOPPED(s))),
        status_function!("WIFSIGNALED($module, /, status)", "\
            Tell whether a signal ended the process.", |s| Value::bool(libc::WIFSIGNALED(s))),
        status_function!("WIFEXITED($module, /, status)", "\
            Tell whether the process ended of its own accord, with an exit \
            status.", |s| Value::bool(libc::WIFEXITED(s))),
        status_function!("WEXITSTATUS($module, /, status)", "\
            Return the exit status that the process gave to exit().", |s| Value::from(libc::WEXITSTATUS(s))),
        status_function!("WTERMSIG($module, /, status)", "\
            Return the number of the signal that ended the process.", |s| Value::from(libc::WTERMSIG(s))),
        status_function!("WSTOPSIG($module, /, status)", "\
            Return the number of the signal that stopped the process.", |s| Value::from(libc::WSTOPSIG(s))),
        MethodDef::new("waitstatus_to_exitcode($module, /, status)", "A wait status as an exit code: negative for a signal.", |vm, _, args| {
            let status = c_int(vm, &args[0])?;
            if libc::WIFEXITED(status) {
                return Ok(Value::from(libc::WEXITSTATUS(status)));
            }
            if libc::WIFSIGNALED(status) {
                return Ok(Value::from(-libc::WTERMSIG(status)));
            }
            if libc::WIFSTOPPED(status) {
                let signal = libc::WSTOPSIG(status);
                return Err(vm.value_error(format!("process stopped by delivery of signal {signal}")));
            }
            Err(vm.value_error(format!("invalid wait status: {status}")))
        }),
    ];
}
