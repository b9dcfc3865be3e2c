//! Users, groups, sessions, priorities: who a process is.

use std::ffi::CStr;

use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::{Result, Value, Vm};

use crate::arguments::{c_int, check, errno, fs_converter};

/// A user or group id; −1 is allowed and means "no change".
pub fn id(vm: &Vm, what: &str, value: &Value) -> Result<u32> {
    if value.ty().slots().index.is_none() {
        return Err(vm.type_error(format!("{what} should be integer, not {}", value.ty().name())));
    }
    let index = vm.index(value)?;
    match int::to_i64(&index) {
        Some(-1) => Ok(u32::MAX),
        // What a C long holds but an id does not is "less" in CPython, too.
        Some(n) => u32::try_from(n).map_err(|_| vm.overflow_error(format!("{what} is less than minimum"))),
        None if int::is_negative(&index) => Err(vm.overflow_error(format!("{what} is less than minimum"))),
        None => Err(vm.overflow_error(format!("{what} is greater than maximum"))),
    }
}

/// An id from the system: the largest number is −1.
pub fn from_id(id: u32) -> Value {
    if id == u32::MAX { Value::from(-1) } else { Value::from(id) }
}

fn group_list(groups: &[libc::gid_t]) -> Value {
    List::from_vec(groups.iter().map(|gid| from_id(*gid)).collect()).into_value()
}

macro_rules! getter {
    ($declaration:literal, $doc:literal, $call:expr) => {
        MethodDef::new($declaration, $doc, |_, _, _| {
            // SAFETY: takes nothing and cannot fail.
            Ok(from_id(unsafe { $call() }))
        })
    };
}

macro_rules! id_setter {
    ($declaration:literal, $doc:literal, $function:ident, $($what:literal)*) => {
        MethodDef::new($declaration, $doc, |vm, _, args| {
            let mut ids = args.iter();
            let mut next = |what: &str| match ids.next() {
                Some(value) => id(vm, what, value),
                None => Ok(0),
            };
            // SAFETY: takes numbers only.
            let status = { let arguments = ($(next($what)?,)*); call!($function, arguments, $($what)*) };
            check(vm, status)?;
            Ok(Value::NONE)
        })
    };
}

// SAFETY of all three: plain system calls, which take numbers and no pointers.
macro_rules! call {
    ($function:ident, $tuple:expr, $a:literal) => {
        unsafe { libc::$function($tuple.0) }
    };
    ($function:ident, $tuple:expr, $a:literal $b:literal) => {
        unsafe { libc::$function($tuple.0, $tuple.1) }
    };
    ($function:ident, $tuple:expr, $a:literal $b:literal $c:literal) => {
        unsafe { libc::$function($tuple.0, $tuple.1, $tuple.2) }
    };
}
fn three(ids: [u32; 3]) -> Value {
    Tuple::from_array(ids.map(from_id)).into_value()
}

/// The groups of a user.
fn group_list_of(vm: &Vm, user: &CStr, group: libc::gid_t) -> Result {
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let mut count = groups.len() as i32;
        // SAFETY: room for `count` ids.
        if unsafe { libc::getgrouplist(user.as_ptr(), group, groups.as_mut_ptr(), &mut count) } >= 0 {
            return Ok(group_list(&groups[..count as usize]));
        }
        if groups.len() >= 1 << 20 {
            return Err(vm.last_os_error(None));
        }
        groups.resize((groups.len() * 2).max(count.max(0) as usize), 0);
    }
}

unsafe extern "C" {
    fn getlogin_r(name: *mut libc::c_char, size: usize) -> libc::c_int;
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        getter!("getuid($module, /)", "The real user id of the process.", libc::getuid),
        getter!("geteuid($module, /)", "The effective user id of the process.", libc::geteuid),
        getter!("getgid($module, /)", "The real group id of the process.", libc::getgid),
        getter!("getegid($module, /)", "The effective group id of the process.", libc::getegid),
        id_setter!("setuid($module, uid, /)", "Set the user id of the process.", setuid, "uid"),
        id_setter!("seteuid($module, euid, /)", "Set the effective user id of the process.", seteuid, "uid"),
        id_setter!("setgid($module, gid, /)", "Set the group id of the process.", setgid, "gid"),
        id_setter!("setegid($module, egid, /)", "Set the effective group id of the process.", setegid, "gid"),
        id_setter!("setreuid($module, ruid, euid, /)", "Set the real and effective user ids.", setreuid, "uid" "uid"),
        id_setter!("setregid($module, rgid, egid, /)", "Set the real and effective group ids.", setregid, "gid" "gid"),
        id_setter!("setresuid($module, ruid, euid, suid, /)", "\
            Set the user ids of the process: the real, effective and saved one.", setresuid, "uid" "uid" "uid"),
        id_setter!("setresgid($module, rgid, egid, sgid, /)", "\
            Set the group ids of the process: the real, effective and saved one.", setresgid, "gid" "gid" "gid"),
        MethodDef::new("getresuid($module, /)", "The real, effective and saved user ids.", |vm, _, _| {
            let (mut real, mut effective, mut saved) = (0, 0, 0);
            // SAFETY: room for each result.
            check(vm, unsafe { libc::getresuid(&mut real, &mut effective, &mut saved) })?;
            Ok(three([real, effective, saved]))
        }),
        MethodDef::new("getresgid($module, /)", "The real, effective and saved group ids.", |vm, _, _| {
            let (mut real, mut effective, mut saved) = (0, 0, 0);
            // SAFETY: room for each result.
            check(vm, unsafe { libc::getresgid(&mut real, &mut effective, &mut saved) })?;
            Ok(three([real, effective, saved]))
        }),
        MethodDef::new("getgroups($module, /)", "The supplemental group ids of the process.", |vm, _, _| {
            // SAFETY: a count of zero asks for the number of groups.
            let count = check(vm, unsafe { libc::getgroups(0, std::ptr::null_mut()) })?;
            let mut groups: Vec<libc::gid_t> = vec![0; count as usize];
            // SAFETY: room for so many ids.
            let count = check(vm, unsafe { libc::getgroups(groups.len() as i32, groups.as_mut_ptr()) })?;
            Ok(group_list(&groups[..count as usize]))
        }),
        MethodDef::new("setgroups($module, groups, /)", "Set the supplemental group ids of the process.", |vm, _, args| {
            if !vm.is_sequence(&args[0]) {
                return Err(vm.type_error("setgroups argument must be a sequence"));
            }
            let mut groups = Vec::new();
            for item in vm.collect(&args[0])? {
                if !int::is_int(&item) {
                    return Err(vm.type_error("groups must be integers"));
                }
                groups.push(id(vm, "gid", &item)?);
            }
            // SAFETY: so many ids are there.
            check(vm, unsafe { libc::setgroups(groups.len(), groups.as_ptr()) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("getgrouplist($module, user, group, /)", "The groups to which a user belongs.", |vm, _, args| {
            let user = crate::arguments::c_string(vm, &args[0], "getgrouplist() argument 1")?;
            group_list_of(vm, &user, id(vm, "gid", &args[1])?)
        }),
        MethodDef::new("initgroups($module, username, gid, /)", "Set the supplemental groups to those of a user.", |vm, _, args| {
            let user = fs_converter(vm, &args[0])?;
            let gid = id(vm, "gid", &args[1])?;
            // SAFETY: a C string.
            check(vm, unsafe { libc::initgroups(user.as_ptr(), gid) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("getlogin($module, /)", "The name of the user who is logged in on the terminal.", |vm, _, _| {
            let mut name = [0u8; 256];
            // SAFETY: room for the name.
            match unsafe { getlogin_r(name.as_mut_ptr().cast(), name.len()) } {
                0 => Ok(Str::from_fs_bytes(super::files::until_nul(&name)).into_value()),
                errno => Err(vm.os_error(errno, None, None)),
            }
        }),
        MethodDef::new("getpid($module, /)", "The id of the process.", |_, _, _| Ok(Value::from(std::process::id()))),
        MethodDef::new("getppid($module, /)", "The id of the parent process.", |_, _, _| {
            Ok(Value::from(std::os::unix::process::parent_id()))
        }),
        MethodDef::new("getpgrp($module, /)", "The process group id of the process.", |_, _, _| {
            // SAFETY: cannot fail.
            Ok(Value::from(unsafe { libc::getpgrp() }))
        }),
        MethodDef::new("getpgid($module, /, pid)", "The process group id of a process.", |vm, _, args| {
            let pid = c_int(vm, &args[0])?;
            // SAFETY: takes a number.
            Ok(Value::from(check(vm, unsafe { libc::getpgid(pid) })?))
        }),
        MethodDef::new("setpgid($module, pid, pgrp, /)", "Put a process into a process group.", |vm, _, args| {
            let (pid, group) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
            // SAFETY: takes numbers.
            check(vm, unsafe { libc::setpgid(pid, group) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("setpgrp($module, /)", "Make the process the leader of its process group.", |vm, _, _| {
            // SAFETY: takes numbers.
            check(vm, unsafe { libc::setpgid(0, 0) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("getsid($module, pid, /)", "The session id of a process.", |vm, _, args| {
            let pid = c_int(vm, &args[0])?;
            // SAFETY: takes a number.
            Ok(Value::from(check(vm, unsafe { libc::getsid(pid) })?))
        }),
        MethodDef::new("setsid($module, /)", "Make the process the leader of a new session.", |vm, _, _| {
            // SAFETY: takes nothing.
            check(vm, unsafe { libc::setsid() })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("nice($module, increment, /)", "Add to the niceness of the process; the new one.", |vm, _, args| {
            let increment = c_int(vm, &args[0])?;
            // SAFETY: errno tells a niceness of −1 from failure.
            let niceness = unsafe {
                *libc::__errno_location() = 0;
                libc::nice(increment)
            };
            if niceness == -1 && errno() != 0 {
                return Err(vm.last_os_error(None));
            }
            Ok(Value::from(niceness))
        }),
        MethodDef::new("getpriority($module, /, which, who)", "The scheduling priority of a process, group or user.", |vm, _, args| {
            let (which, who) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?);
            // SAFETY: errno tells a priority of −1 from failure.
            let priority = unsafe {
                *libc::__errno_location() = 0;
                libc::getpriority(which as libc::__priority_which_t, who as libc::id_t)
            };
            if priority == -1 && errno() != 0 {
                return Err(vm.last_os_error(None));
            }
            Ok(Value::from(priority))
        }),
        MethodDef::new("setpriority($module, /, which, who, priority)", "Set the scheduling priority of a process, group or user.", |vm, _, args| {
            let (which, who, priority) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?, c_int(vm, &args[2])?);
            // SAFETY: takes numbers.
            check(vm, unsafe { libc::setpriority(which as libc::__priority_which_t, who as libc::id_t, priority) })?;
            Ok(Value::NONE)
        }),
    ];
}
