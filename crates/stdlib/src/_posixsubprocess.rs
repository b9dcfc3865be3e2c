//! `_posixsubprocess`: `fork_exec`, the heart of `subprocess`.
//!
//! Everything that the child needs is converted beforehand ([`Plan`]); what runs in the child is in `child.rs`. Unless
//! Python code is to run in the child, or its identity changes, parent and child share memory until the program is
//! executed (as with `vfork`), and the child runs on a stack of its own.

mod child;

use std::ffi::CString;

use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Raised, Result, Value, Vm};

use crate::arguments::{c_int, errno, fs_converter};
use crate::posix::ids::id;
use crate::posix::process::{fork_process, pointers, warn_about_fork_with_threads};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_posixsubprocess",
    doc: "What the subprocess module needs on POSIX systems.",
    functions: FUNCTIONS,
    exec: |_, _| Ok(()),
};

/// What the child does, without any Python object.
struct Plan {
    argv: Vec<*mut libc::c_char>,
    executables: Vec<*mut libc::c_char>,
    environment: Option<Vec<*mut libc::c_char>>,
    working_directory: Option<CString>,
    close_fds: bool,
    /// Ascending.
    kept_fds: Vec<i32>,
    pipes: Pipes,
    restore_signals: bool,
    new_session: bool,
    process_group: i32,
    gid: Option<libc::gid_t>,
    extra_groups: Option<Vec<libc::gid_t>>,
    uid: Option<libc::uid_t>,
    umask: i32,
    /// The signal mask to restore before the program is executed.
    signal_mask: Option<libc::sigset_t>,
}

/// Descriptors of the standard streams' pipes, and of the one that errors are reported through; −1 for none.
struct Pipes {
    p2cread: i32,
    p2cwrite: i32,
    c2pread: i32,
    c2pwrite: i32,
    errread: i32,
    errwrite: i32,
    errpipe_read: i32,
    errpipe_write: i32,
}

/// The descriptors to keep: a tuple of ascending ints.
fn kept_fds(vm: &Vm, value: &Value) -> Result<Vec<i32>> {
    let Some(tuple) = value.downcast::<Tuple>() else {
        return Err(crate::arguments::bad_argument(vm, "fork_exec", "argument 4", "tuple", value));
    };
    let mut fds: Vec<i32> = Vec::with_capacity(tuple.len());
    for item in tuple.as_slice() {
        let number = if int::is_int(item) { int::to_i64(item).and_then(|n| i32::try_from(n).ok()) } else { None };
        match number {
            Some(fd) if fd > fds.last().copied().unwrap_or(-1) => fds.push(fd),
            _ => return Err(vm.value_error("bad value(s) in fds_to_keep")),
        }
    }
    Ok(fds)
}

fn items(vm: &Vm, value: &Value, message: &str) -> Result<Vec<Value>> {
    if let Some(list) = value.downcast::<List>() {
        return Ok(list.to_vec());
    }
    if let Some(tuple) = value.downcast::<Tuple>() {
        return Ok(tuple.as_slice().to_vec());
    }
    if !vm.is_sequence(value) {
        return Err(vm.type_error(message));
    }
    vm.collect(value)
}

/// A sequence of bytes objects as C strings.
fn byte_strings(vm: &Vm, value: &Value) -> Result<Vec<CString>> {
    vm.len(value)?;
    let convert = |item: &Value| match item.downcast::<Bytes>() {
        Some(bytes) => CString::new(bytes.as_slice()).map_err(|_| vm.value_error("embedded null byte")),
        None => Err(vm.type_error(format!("expected bytes, {} found", item.ty().name()))),
    };
    items(vm, value, "expected a sequence")?.iter().map(convert).collect()
}

fn extra_groups(vm: &Vm, value: &Value) -> Result<Option<Vec<libc::gid_t>>> {
    let Some(value) = value.given() else { return Ok(None) };
    let Some(list) = value.downcast::<List>() else {
        return Err(vm.type_error("setgroups argument must be a list"));
    };
    if list.len() > 65536 {
        return Err(vm.value_error("too many extra_groups"));
    }
    let convert = |item: &Value| {
        if !int::is_int(item) {
            return Err(vm.type_error("extra_groups must be integers"));
        }
        id(vm, "gid", item).map_err(|raised| {
            vm.discard(raised);
            vm.value_error("invalid group id")
        })
    };
    list.to_vec().iter().map(convert).collect::<Result<Vec<_>>>().map(Some)
}

fn identity(vm: &Vm, what: &str, value: &Value) -> Result<Option<u32>> {
    value.given().map(|value| id(vm, what, value)).transpose()
}

/// Blocks all signals; the mask before.
fn block_signals() -> libc::sigset_t {
    // SAFETY: valid sets.
    unsafe {
        let (mut all, mut old): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, &mut old);
        old
    }
}

/// A stack for a child that shares the parent's memory.
struct Stack {
    base: *mut libc::c_void,
}

impl Stack {
    const SIZE: usize = 256 << 10;

    fn new() -> Option<Stack> {
        // SAFETY: a new anonymous mapping.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                Stack::SIZE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK,
                -1,
                0,
            )
        };
        (base != libc::MAP_FAILED).then_some(Stack { base })
    }

    fn top(&self) -> *mut libc::c_void {
        // SAFETY: the end of the mapping, which is aligned to pages.
        unsafe { self.base.add(Stack::SIZE) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping is this object's own, and the child has left it.
        unsafe { libc::munmap(self.base, Stack::SIZE) };
    }
}

/// Starts the child that shares memory until it executes the program; its process id, or `None` for want of memory.
fn spawn_sharing_memory(plan: &mut Plan) -> Option<libc::pid_t> {
    let stack = Stack::new()?;
    // A handler that ran in the child would change the parent's memory.
    let mask = block_signals();
    plan.signal_mask = Some(mask);
    extern "C" fn run(plan: *mut libc::c_void) -> libc::c_int {
        // SAFETY: `clone` passes what it was given; the parent waits, so the plan lives.
        let plan = unsafe { &*plan.cast::<Plan>() };
        // SAFETY: this is the child, and its memory is prepared.
        unsafe { child::execute(plan, None) }
    }
    // SAFETY: the stack is as large as said; the parent stands still until the child has left its memory, so that the
    // child, which only makes system calls, is alone with it.
    let pid = unsafe {
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        libc::clone(run, stack.top(), flags, (&raw mut *plan).cast())
    };
    let error = errno();
    // SAFETY: a valid set; errno is put back for the caller.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, &mask, std::ptr::null_mut());
        *libc::__errno_location() = error;
    }
    Some(pid)
}

/// Calls `preexec_fn` in the child.
struct Preexec<'a> {
    vm: &'a Vm,
    function: &'a Value,
}

impl Preexec<'_> {
    fn call(&self) -> std::result::Result<(), ()> {
        self.vm.call_args(self.function, &[]).map(drop).map_err(|raised| self.vm.discard(raised))
    }
}

fn start(vm: &Vm, plan: &mut Plan, preexec: &Value) -> Result {
    if preexec.is_none() {
        let changes_identity = plan.uid.is_some() || plan.gid.is_some() || plan.extra_groups.is_some();
        if !changes_identity && let Some(pid) = spawn_sharing_memory(plan) {
            return if pid < 0 { Err(vm.last_os_error(None)) } else { Ok(Value::from(pid)) };
        }
        // SAFETY: the child only makes system calls and ends.
        return match unsafe { libc::fork() } {
            // SAFETY: this is the child.
            0 => unsafe { child::execute(plan, None) },
            pid if pid < 0 => Err(vm.last_os_error(None)),
            pid => Ok(Value::from(pid)),
        };
    }
    // SAFETY: as in `os.fork`.
    let pid = fork_process(vm, || unsafe { libc::fork() })?;
    if pid == 0 {
        // SAFETY: this is the child.
        unsafe { child::execute(plan, Some(&Preexec { vm, function: preexec })) }
    }
    warn_about_fork_with_threads(vm, "fork")?;
    Ok(Value::from(pid))
}

fn shutting_down(vm: &Vm) -> Result<Option<Raised>> {
    let finalizing = vm.call_args(&vm.import_from("sys", "is_finalizing")?, &[])?;
    if !vm.is_true(&finalizing)? {
        return Ok(None);
    }
    let message = "preexec_fn not supported at interpreter shutdown";
    Ok(Some(vm.raise_new(taipan_object::exceptions::PYTHON_FINALIZATION_ERROR.ty(), message.to_string())))
}

fn fork_exec(vm: &Vm, args: &[Value]) -> Result {
    let [
        process_args,
        executable_list,
        close_fds,
        pass_fds,
        cwd,
        env,
        p2cread,
        p2cwrite,
        c2pread,
        c2pwrite,
        errread,
        errwrite,
        errpipe_read,
        errpipe_write,
        restore_signals,
        call_setsid,
        pgid_to_set,
        gid,
        groups,
        uid,
        child_umask,
        preexec_fn,
    ] = args
    else {
        return Err(vm.system_error("fork_exec was called with a wrong number of arguments"));
    };
    let fd = |value: &Value| c_int(vm, value);
    let close_fds = vm.is_true(close_fds)?;
    let kept_fds = kept_fds(vm, pass_fds)?;
    let pipes = Pipes {
        p2cread: fd(p2cread)?,
        p2cwrite: fd(p2cwrite)?,
        c2pread: fd(c2pread)?,
        c2pwrite: fd(c2pwrite)?,
        errread: fd(errread)?,
        errwrite: fd(errwrite)?,
        errpipe_read: fd(errpipe_read)?,
        errpipe_write: fd(errpipe_write)?,
    };
    let (restore_signals, new_session) = (vm.is_true(restore_signals)?, vm.is_true(call_setsid)?);
    let (process_group, umask) = (c_int(vm, pgid_to_set)?, c_int(vm, child_umask)?);
    if !preexec_fn.is_none()
        && let Some(raised) = shutting_down(vm)?
    {
        return Err(raised);
    }
    if close_fds && pipes.errpipe_write < 3 {
        return Err(vm.value_error("errpipe_write must be >= 3"));
    }
    vm.audit("_posixsubprocess.fork_exec", &[executable_list.clone(), process_args.clone(), env.clone()])?;
    let executables = byte_strings(vm, executable_list)?;
    let argv = match process_args.given() {
        None => Vec::new(),
        Some(value) => {
            let strings = items(vm, value, "argv must be a tuple")?;
            strings.iter().map(|item| fs_converter(vm, item)).collect::<Result<Vec<_>>>()?
        }
    };
    let environment = env.given().map(|env| byte_strings(vm, env)).transpose()?;
    let mut plan = Plan {
        argv: pointers(&argv),
        executables: pointers(&executables),
        environment: environment.as_ref().map(|strings| pointers(strings)),
        working_directory: cwd.given().map(|cwd| fs_converter(vm, cwd)).transpose()?,
        close_fds,
        kept_fds,
        pipes,
        restore_signals,
        new_session,
        process_group,
        extra_groups: extra_groups(vm, groups)?,
        gid: identity(vm, "gid", gid)?,
        uid: identity(vm, "uid", uid)?,
        umask,
        signal_mask: None,
    };
    start(vm, &mut plan, preexec_fn)
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("fork_exec($module, args, executable_list, close_fds, pass_fds, cwd,\n          env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite,\n          errpipe_read, errpipe_write, restore_signals, call_setsid,\n          pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn,\n          /)", "Start a program in a new process; its process id.\n\nThe child tries the executables in turn. What goes wrong in it is written to errpipe_write as\n'ExceptionType:errno in hexadecimal:message'.", |vm, _, args| {
            fork_exec(vm, args)
        }),
    ];
}
