//! `posix_spawn`.

use std::ffi::CString;
use std::mem::MaybeUninit;

use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::{Raised, Result, Value, Vm};

use super::path::Path;
use super::process::{argument_strings, environment_strings, is_mapping, pointers};
use crate::arguments::{c_int, fs_converter};

/// What the child does with its descriptors before it executes the program.
struct FileActions(libc::posix_spawn_file_actions_t);

impl FileActions {
    fn new() -> FileActions {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: initialised by the call, which only fails for lack of memory, and does not allocate on glibc.
        unsafe {
            libc::posix_spawn_file_actions_init(actions.as_mut_ptr());
            FileActions(actions.assume_init())
        }
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
}

struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> Attributes {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: initialised by the call.
        unsafe {
            libc::posix_spawnattr_init(attributes.as_mut_ptr());
            Attributes(attributes.assume_init())
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}

const OPEN: i32 = 0;
const CLOSE: i32 = 1;
const DUP2: i32 = 2;
const CLOSEFROM: i32 = 3;

fn check(vm: &Vm, status: i32) -> Result<()> {
    if status == 0 { Ok(()) } else { Err(vm.os_error(status, None, None)) }
}

/// Adds the actions; the paths must live until the spawn.
fn file_actions(vm: &Vm, actions: &mut FileActions, value: &Value, paths: &mut Vec<CString>) -> Result<()> {
    if !vm.is_sequence(value) {
        return Err(vm.type_error("file_actions must be a sequence or None"));
    }
    for item in vm.collect(value)? {
        let parts = item.downcast::<Tuple>().map(Tuple::as_slice).unwrap_or_default();
        let Some(tag) = parts.first() else {
            return Err(vm.type_error("Each file_actions element must be a non-empty tuple"));
        };
        let wrong = |what: &str, count: usize| -> Raised {
            vm.type_error(format!("A {what} file_action tuple must have {count} elements"))
        };
        // SAFETY: the actions are initialised, paths are C strings that live as long as they.
        match (c_int(vm, tag)?, parts) {
            (OPEN, [_, fd, path, flags, mode]) => {
                let (fd, flags, mode) = (c_int(vm, fd)?, c_int(vm, flags)?, c_int(vm, mode)?);
                let path = fs_converter(vm, path)?;
                check(vm, unsafe {
                    libc::posix_spawn_file_actions_addopen(
                        &mut actions.0,
                        fd,
                        path.as_ptr(),
                        flags,
                        mode as libc::mode_t,
                    )
                })?;
                paths.push(path);
            }
            (OPEN, _) => return Err(wrong("open", 5)),
            (CLOSE, [_, fd]) => {
                let fd = c_int(vm, fd)?;
                check(vm, unsafe { libc::posix_spawn_file_actions_addclose(&mut actions.0, fd) })?;
            }
            (CLOSE, _) => return Err(wrong("close", 2)),
            (DUP2, [_, fd, new]) => {
                let (fd, new) = (c_int(vm, fd)?, c_int(vm, new)?);
                check(vm, unsafe { libc::posix_spawn_file_actions_adddup2(&mut actions.0, fd, new) })?;
            }
            (DUP2, _) => return Err(wrong("dup2", 3)),
            (CLOSEFROM, [_, fd]) => {
                let fd = c_int(vm, fd)?;
                check(vm, unsafe { posix_spawn_file_actions_addclosefrom_np(&mut actions.0, fd) })?;
            }
            (CLOSEFROM, _) => return Err(wrong("closefrom", 2)),
            _ => return Err(vm.type_error("Unknown file_actions identifier")),
        }
    }
    Ok(())
}

unsafe extern "C" {
    fn posix_spawn_file_actions_addclosefrom_np(
        actions: *mut libc::posix_spawn_file_actions_t,
        from: libc::c_int,
    ) -> libc::c_int;
}

/// `args`: path, argv, env, file_actions, setpgroup, resetids, setsid, setsigmask, setsigdef, scheduler.
fn attributes(vm: &Vm, function: &str, attributes: &mut Attributes, args: &[Value]) -> Result<()> {
    let mut flags = 0;
    let pointer = &raw mut attributes.0;
    // SAFETY (whole function): the attributes are initialised, sets and parameters are valid.
    if let Some(group) = args[4].given() {
        let group = c_int(vm, group)?;
        check(vm, unsafe { libc::posix_spawnattr_setpgroup(pointer, group) })?;
        flags |= libc::POSIX_SPAWN_SETPGROUP;
    }
    if vm.is_true(&args[5])? {
        flags |= libc::POSIX_SPAWN_RESETIDS;
    }
    if vm.is_true(&args[6])? {
        flags |= i32::from(libc::POSIX_SPAWN_SETSID);
    }
    if let Some(mask) = args[7].bound() {
        let mask = crate::_signal::signal_set(vm, mask)?;
        check(vm, unsafe { libc::posix_spawnattr_setsigmask(pointer, &mask) })?;
        flags |= libc::POSIX_SPAWN_SETSIGMASK;
    }
    if let Some(defaults) = args[8].bound() {
        let defaults = crate::_signal::signal_set(vm, defaults)?;
        check(vm, unsafe { libc::posix_spawnattr_setsigdefault(pointer, &defaults) })?;
        flags |= libc::POSIX_SPAWN_SETSIGDEF;
    }
    if let Some(scheduler) = args[9].given() {
        let Some(parts) = scheduler.downcast::<Tuple>().map(Tuple::as_slice) else {
            return Err(vm.type_error(format!("{function}: scheduler must be a tuple or None")));
        };
        let [policy, param] = parts else {
            return Err(vm.type_error(format!("{function}: scheduler must be a tuple or None")));
        };
        if !policy.is_none() {
            let policy = c_int(vm, policy)?;
            check(vm, unsafe { libc::posix_spawnattr_setschedpolicy(pointer, policy) })?;
            flags |= libc::POSIX_SPAWN_SETSCHEDULER;
        }
        let param = super::sched::sched_param(vm, param)?;
        check(vm, unsafe { libc::posix_spawnattr_setschedparam(pointer, &param) })?;
        flags |= libc::POSIX_SPAWN_SETSCHEDPARAM;
    }
    check(vm, unsafe { libc::posix_spawnattr_setflags(pointer, flags as libc::c_short) })
}

fn posix_spawn(vm: &Vm, function: &str, args: &[Value], search_path: bool) -> Result {
    let path = Path::plain(vm, function, &args[0])?;
    let argv = argument_strings(vm, &format!("{function}: argv"), &args[1])?;
    if argv.is_empty() {
        return Err(vm.value_error(format!("{function}: argv must not be empty")));
    }
    if argv[0].is_empty() {
        return Err(vm.value_error(format!("{function}: argv first element cannot be empty")));
    }
    if !args[2].is_none() && !is_mapping(vm, &args[2])? {
        return Err(vm.type_error(format!("{function}: environment must be a mapping object or None")));
    }
    let environment = if args[2].is_none() { None } else { Some(environment_strings(vm, &args[2])?) };
    let mut paths = Vec::new();
    let mut actions = FileActions::new();
    if let Some(value) = args[3].given() {
        file_actions(vm, &mut actions, value, &mut paths)?;
    }
    let mut spawn_attributes = Attributes::new();
    attributes(vm, function, &mut spawn_attributes, args)?;
    vm.audit("os.posix_spawn", &[args[0].clone(), args[1].clone(), args[2].clone()])?;
    let argv = pointers(&argv);
    let environment_pointers = environment.as_ref().map(|strings| pointers(strings));
    // SAFETY: `environ` is the C library's; only the GIL's holder changes it.
    let envp = environment_pointers.as_ref().map_or_else(|| unsafe { environ }, |e| e.as_ptr());
    let mut pid = 0;
    let spawn = if search_path { libc::posix_spawnp } else { libc::posix_spawn };
    // SAFETY: C strings, arrays end with null, actions and attributes are initialised.
    let status = unsafe { spawn(&mut pid, path.as_ptr(), &actions.0, &spawn_attributes.0, argv.as_ptr(), envp) };
    if status != 0 {
        return Err(path.error(vm, status));
    }
    Ok(Value::from(pid))
}

unsafe extern "C" {
    static environ: *const *mut libc::c_char;
}

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("posix_spawn($module, path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=<unrepresentable>, setsigdef=<unrepresentable>, scheduler=None)", "\
            Start a program in a new process, and return its id.", |vm, _, args| {
            posix_spawn(vm, "posix_spawn", args, false)
        }),
        MethodDef::new("posix_spawnp($module, path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=<unrepresentable>, setsigdef=<unrepresentable>, scheduler=None)", "Execute the program specified by path, found on PATH, in a new process.", |vm, _, args| {
            posix_spawn(vm, "posix_spawnp", args, true)
        }),
    ];
}
