//! `_multiprocessing`: the named semaphores that `multiprocessing` synchronises processes with.

use crate::arguments::{c_int, errno, fs_converter};
use crate::payload::{class_of, payload, signature};
use std::ffi::CString;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::exceptions::ASSERTION_ERROR;
use taipan_object::native::module::ModuleDef;
use taipan_object::native::{MemberDef, MethodDef};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm, codecs, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_multiprocessing",
    doc: "",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.add_type(&SEM_LOCK);
        let flags = Dict::new();
        for name in ["HAVE_SEM_OPEN", "HAVE_SEM_TIMEDWAIT"] {
            flags.set_str(intern(name).as_value(), Value::from(1));
        }
        module.set("flags", flags.into_value());
        Ok(())
    },
};

/// The kinds of [`SemLock`]: the thread that holds a recursive mutex may acquire it again.
const RECURSIVE_MUTEX: i32 = 0;
const SEMAPHORE: i32 = 1;

payload! {
    /// A semaphore: `count` is how often this process has acquired it, `owner` the thread that did so last.
    pub struct SemLock(SemLockState): SEM_LOCK {
        handle: usize,
        kind: i32,
        maxvalue: i32,
        count: i32,
        owner: u64,
        name: Value,
    }
}

impl Drop for SemLockState {
    fn drop(&mut self) {
        if self.handle != 0 {
            // SAFETY: opened by this object, closed once.
            unsafe { libc::sem_close(self.handle as *mut libc::sem_t) };
        }
    }
}

pub static SEM_LOCK: TypeSpec = TypeSpec::new::<SemLock>("_multiprocessing.SemLock")
    .doc("SemLock(kind, value, maxvalue, name, unlink)\n--\n\nA semaphore or recursive lock that processes can share")
    .flags(type_flags::BASETYPE)
    .slots(|s| s.new = Some(new))
    .methods(METHODS)
    .members(&[
        MemberDef::new("handle", "", |_, this| Ok(Value::from(SemLock::of(this).with(|state| state.handle)))),
        MemberDef::new("kind", "", |_, this| Ok(Value::from(SemLock::of(this).with(|state| state.kind)))),
        MemberDef::new("maxvalue", "", |_, this| Ok(Value::from(SemLock::of(this).with(|state| state.maxvalue)))),
        MemberDef::new("name", "", |_, this| Ok(SemLock::of(this).with(|state| state.name.clone()))),
    ])
    .populate(|ty| ty.set_raw("SEM_VALUE_MAX", Value::from(i32::MAX)));

signature!(NEW = "SemLock(kind, value, maxvalue, name, unlink)");

fn semaphore_name(vm: &Vm, value: &Value) -> Result<CString> {
    CString::new(codecs::to_utf8(vm, value)?).map_err(|_| vm.value_error("embedded null character"))
}

fn make(class: &Type, handle: *mut libc::sem_t, kind: i32, maxvalue: i32, name: Value) -> Value {
    SemLock::make(class, SemLockState { handle: handle as usize, kind, maxvalue, count: 0, owner: 0, name })
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let bound = NEW.bind(vm, args, kwnames)?;
    let (kind, value, maxvalue) = (c_int(vm, &bound[0])?, c_int(vm, &bound[1])?, c_int(vm, &bound[2])?);
    if bound[3].downcast::<Str>().is_none() {
        return Err(crate::arguments::bad_argument(vm, "SemLock", "argument 'name'", "str", &bound[3]));
    }
    let unlink = vm.is_true(&bound[4])?;
    if kind != RECURSIVE_MUTEX && kind != SEMAPHORE {
        return Err(vm.value_error("unrecognized kind"));
    }
    let name = semaphore_name(vm, &bound[3])?;
    // SAFETY: a C string; the last two arguments are those that O_CREAT wants.
    let handle = unsafe {
        let handle = libc::sem_open(name.as_ptr(), libc::O_CREAT | libc::O_EXCL, 0o600, value as libc::c_uint);
        if handle == libc::SEM_FAILED {
            return Err(vm.last_os_error(None));
        }
        if unlink && libc::sem_unlink(name.as_ptr()) < 0 {
            let raised = vm.last_os_error(None);
            libc::sem_close(handle);
            return Err(raised);
        }
        handle
    };
    let kept = if unlink { Value::NONE } else { bound[3].clone() };
    Ok(make(class_of(class), handle, kind, maxvalue, kept))
}

fn this_thread() -> u64 {
    // SAFETY: the call only asks.
    unsafe { libc::pthread_self() as u64 }
}

impl SemLock {
    fn handle(&self) -> *mut libc::sem_t {
        self.with(|state| state.handle) as *mut libc::sem_t
    }

    fn is_mine(&self) -> bool {
        self.with(|state| state.count > 0 && state.owner == this_thread())
    }

    fn value(&self, vm: &Vm) -> Result<i32> {
        let mut value = 0;
        // SAFETY: the semaphore is open.
        if unsafe { libc::sem_getvalue(self.handle(), &mut value) } < 0 {
            return Err(vm.last_os_error(None));
        }
        // Some systems count the waiting processes.
        Ok(value.max(0))
    }

    /// Waits until the semaphore can be acquired, or the deadline.
    fn wait(&self, vm: &Vm, deadline: Option<libc::timespec>) -> Result<bool> {
        let handle = self.handle() as usize;
        loop {
            // SAFETY: the semaphore is open; nothing closes it while its object is in use.
            let (done, error) = blocking(|| unsafe {
                let handle = handle as *mut libc::sem_t;
                let done = match &deadline {
                    Some(deadline) => libc::sem_timedwait(handle, deadline),
                    None => libc::sem_wait(handle),
                };
                (done, errno())
            });
            match error {
                _ if done == 0 => return Ok(true),
                libc::EINTR => vm.check_signals()?,
                libc::EAGAIN | libc::ETIMEDOUT => return Ok(false),
                error => return Err(vm.os_error(error, None, None)),
            }
        }
    }

    fn acquire(&self, vm: &Vm, block: bool, timeout: &Value) -> Result<bool> {
        if self.with(|state| state.kind) == RECURSIVE_MUTEX && self.is_mine() {
            self.with(|state| state.count += 1);
            return Ok(true);
        }
        let deadline = match timeout.given().filter(|_| block) {
            None => None,
            Some(timeout) => Some(deadline(vm, vm.float(timeout)?)?),
        };
        // SAFETY: the semaphore is open.
        let acquired = match unsafe { libc::sem_trywait(self.handle()) } {
            0 => true,
            _ => match errno() {
                libc::EAGAIN if block => self.wait(vm, deadline)?,
                libc::EAGAIN => false,
                libc::EINTR if block => {
                    vm.check_signals()?;
                    self.wait(vm, deadline)?
                }
                error => return Err(vm.os_error(error, None, None)),
            },
        };
        if acquired {
            self.with(|state| {
                state.count += 1;
                state.owner = this_thread();
            });
        }
        Ok(acquired)
    }

    fn release(&self, vm: &Vm) -> Result<()> {
        if self.with(|state| state.kind) == RECURSIVE_MUTEX {
            if !self.is_mine() {
                let message = "attempt to release recursive lock not owned by thread";
                return Err(vm.raise_new(ASSERTION_ERROR.ty(), message.to_string()));
            }
            if self.with(|state| state.count) > 1 {
                self.with(|state| state.count -= 1);
                return Ok(());
            }
        } else if self.value(vm)? >= self.with(|state| state.maxvalue) {
            return Err(vm.value_error("semaphore or lock released too many times"));
        }
        // SAFETY: the semaphore is open.
        if unsafe { libc::sem_post(self.handle()) } < 0 {
            return Err(vm.last_os_error(None));
        }
        self.with(|state| state.count = state.count.wrapping_sub(1));
        Ok(())
    }
}

/// So many seconds from now; none if negative.
fn deadline(vm: &Vm, seconds: f64) -> Result<libc::timespec> {
    // SAFETY: the struct is plain data, filled by the call.
    let mut now: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    if unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &mut now) } < 0 {
        return Err(vm.last_os_error(None));
    }
    let seconds = seconds.max(0.0);
    let whole = seconds.trunc();
    let nanoseconds = now.tv_nsec + ((seconds - whole) * 1e9) as i64;
    now.tv_sec = now.tv_sec.saturating_add(whole as i64).saturating_add(nanoseconds / 1_000_000_000);
    now.tv_nsec = nanoseconds % 1_000_000_000;
    Ok(now)
}

/// An object for the semaphore of another process, by its name, or one inherited by a fork, by its handle.
fn rebuild(vm: &Vm, class: &Value, args: &[Value]) -> Result {
    let handle = vm.index_i64(&args[0])?;
    let (kind, maxvalue) = (c_int(vm, &args[1])?, c_int(vm, &args[2])?);
    let handle = match args[3].given() {
        None => handle as usize as *mut libc::sem_t,
        Some(name) => {
            let name = semaphore_name(vm, name)?;
            // SAFETY: a C string.
            let handle = unsafe { libc::sem_open(name.as_ptr(), 0) };
            if handle == libc::SEM_FAILED {
                return Err(vm.last_os_error(None));
            }
            handle
        }
    };
    Ok(make(class_of(class), handle, kind, maxvalue, args[3].clone()))
}

method_table! { static METHODS = [
    MethodDef::new("acquire($self, /, block=True, timeout=None)", "\
        Decrement the semaphore or take the lock, waiting if need be.", |vm, this, args| {
        let block = vm.is_true(&args[0])?;
        SemLock::of(this).acquire(vm, block, &args[1]).map(Value::bool)
    }),
    MethodDef::new("release($self, /)", "Increment the semaphore or give the lock \
        back.", |vm, this, _| SemLock::of(this).release(vm).map(Value::from)),
    MethodDef::new("__enter__($self, /)", "Acquire it.", |vm, this, _| {
        SemLock::of(this).acquire(vm, true, &Value::NONE).map(Value::bool)
    }),
    MethodDef::new("__exit__($self, exc_type=None, exc_value=None, exc_tb=None, /)", "Release it.", |vm, this, _| {
        SemLock::of(this).release(vm).map(Value::from)
    }),
    MethodDef::new("_count($self, /)", "How often this process has acquired without releasing.", |_, this, _| {
        Ok(Value::from(SemLock::of(this).with(|state| state.count)))
    }),
    MethodDef::new("_is_mine($self, /)", "\
        Tell whether this thread holds the lock.", |_, this, _| Ok(Value::bool(SemLock::of(this).is_mine()))),
    MethodDef::new("_get_value($self, /)", "\
        Return the current value of the semaphore.", |vm, this, _| SemLock::of(this).value(vm).map(Value::from)),
    MethodDef::new("_is_zero($self, /)", "Tell whether the semaphore's value is zero.", |vm, this, _| {
        Ok(Value::bool(SemLock::of(this).value(vm)? == 0))
    }),
    MethodDef::new("_rebuild($type, handle, kind, maxvalue, name, /)", "", rebuild).class(),
    MethodDef::new("_after_fork($self, /)", "\
        Forget acquisitions of the parent, in a new child process.", |_, this, _| {
        SemLock::of(this).with(|state| state.count = 0);
        Ok(Value::NONE)
    }),
]; }

method_table! { static FUNCTIONS = [
    MethodDef::new("sem_unlink($module, name, /)", "", |vm, _, args| {
        if args[0].downcast::<Str>().is_none() {
            return Err(crate::arguments::bad_argument(vm, "sem_unlink", "argument", "str", &args[0]));
        }
        let name = fs_converter(vm, &args[0])?;
        // SAFETY: a C string.
        if unsafe { libc::sem_unlink(name.as_ptr()) } < 0 { Err(vm.last_os_error(None)) } else { Ok(Value::NONE) }
    }),
]; }
