//! `select.epoll` objects.

use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::OS_ERROR;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Ref, Result, Value, Vm};

use super::{milliseconds, timeout};
use crate::arguments::{c_int, c_ulong_mask, check, errno, fildes};
use crate::payload::{class_of, signature};
use crate::time::conversion::{Rounding, divide};
use crate::time::monotonic;

/// An epoll instance; −1 when it is closed.
#[repr(C)]
pub struct Epoll {
    header: Header,
    fd: AtomicI32,
}

// SAFETY: repr(C), header first, owns no references.
unsafe impl Payload for Epoll {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        EPOLL.ty()
    }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        let fd = *self.fd.get_mut();
        if fd >= 0 {
            // SAFETY: the descriptor is this object's own.
            unsafe { libc::close(fd) };
        }
    }
}

pub static EPOLL: TypeSpec = TypeSpec::new::<Epoll>("select.epoll")
    .doc("epoll(sizehint=-1, flags=0)\n--\n\nAn object that waits for events on the descriptors registered with it.\n\nsizehint is ignored, but must be positive or -1.")
    .flags(0)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let bound = NEW.bind(vm, args, kwnames)?;
            let (size, flags) = (c_int(vm, &bound[0])?, c_int(vm, &bound[1])?);
            if size != -1 && size <= 0 {
                return Err(vm.value_error("negative sizehint"));
            }
            if flags != 0 && flags != libc::EPOLL_CLOEXEC {
                return Err(vm.raise_new(OS_ERROR.ty(), "invalid flags".to_string()));
            }
            // SAFETY: takes a number.
            let fd = check(vm, unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
            Ok(make(class_of(class), fd as i32))
        });
    })
    .methods(METHODS)
    .getset(&[GetSetDef::new("closed", "Whether the object is closed", |_, this| {
        Ok(Value::bool(own(this).fd.load(Relaxed) < 0))
    })]);

signature!(NEW = "epoll(sizehint=-1, flags=0)");

fn make(class: &Type, fd: i32) -> Value {
    Ref::new_with_type(class, Epoll { header: Header::new(class), fd: AtomicI32::new(fd) }).into_value()
}

fn own(this: &Value) -> &Epoll {
    this.downcast::<Epoll>().expect("methods are called with instances of their type")
}

#[cold]
fn closed(vm: &Vm) -> Raised {
    vm.value_error("I/O operation on closed epoll object")
}

impl Epoll {
    fn descriptor(&self, vm: &Vm) -> Result<i32> {
        match self.fd.load(Relaxed) {
            fd if fd < 0 => Err(closed(vm)),
            fd => Ok(fd),
        }
    }

    fn close(&self, vm: &Vm) -> Result<()> {
        let fd = self.fd.swap(-1, Relaxed);
        if fd < 0 {
            return Ok(());
        }
        let (status, error) = blocking(|| {
            // SAFETY: the descriptor was this object's own.
            let status = unsafe { libc::close(fd) };
            (status, errno())
        });
        if status < 0 { Err(vm.os_error(error, None, None)) } else { Ok(()) }
    }

    fn control(&self, vm: &Vm, operation: i32, fd: i32, events: u32) -> Result {
        let own = self.descriptor(vm)?;
        let mut event = libc::epoll_event { events, u64: fd as u64 };
        // SAFETY: a valid event.
        check(vm, unsafe { libc::epoll_ctl(own, operation, fd, &mut event) })?;
        Ok(Value::NONE)
    }

    fn poll(&self, vm: &Vm, limit: &Value, max_events: i32) -> Result {
        let own = self.descriptor(vm)?;
        let mut left = -1;
        let mut deadline = None;
        if let Some(value) = limit.given() {
            let time = timeout(vm, value, 1_000_000_000, "timeout must be an integer or None")?;
            left = milliseconds(vm, time, Rounding::Ceiling)?;
            if time >= 0 {
                deadline = Some(monotonic().saturating_add(time));
            }
        }
        let max_events = match max_events {
            -1 => libc::FD_SETSIZE as i32 - 1,
            n if n < 1 => return Err(vm.value_error(format!("maxevents must be greater than 0, got {n}"))),
            n => n,
        };
        let mut events: Vec<libc::epoll_event> = Vec::new();
        if events.try_reserve_exact(max_events as usize).is_err() {
            return Err(vm.memory_error());
        }
        let count = loop {
            let (count, error) = blocking(|| {
                // SAFETY: room for so many events.
                let count = unsafe { libc::epoll_wait(own, events.as_mut_ptr(), max_events, left) };
                (count, errno())
            });
            if count >= 0 {
                break count as usize;
            }
            if error != libc::EINTR {
                return Err(vm.os_error(error, None, None));
            }
            vm.check_signals()?;
            if let Some(deadline) = deadline {
                left = divide((deadline - monotonic()).max(0), 1_000_000, Rounding::Ceiling) as i32;
            }
        };
        // SAFETY: the call has filled so many.
        unsafe { events.set_len(count) };
        let pairs = events.iter().map(|event| {
            let (fd, events) = (event.u64 as i32, event.events);
            Tuple::from_array([Value::from(fd), Value::from(events)]).into_value()
        });
        Ok(List::from_vec(pairs.collect()).into_value())
    }
}

/// Events as an `unsigned int`; higher bits go.
fn event_mask(vm: &Vm, value: &Value) -> Result<u32> {
    Ok(c_ulong_mask(vm, value)? as u32)
}

taipan_object::method_table! {
    static METHODS = [
        MethodDef::new("fromfd($type, fd, /)", "\
            Make an epoll object of a file descriptor that is one already.", |vm, class, args| {
            match c_int(vm, &args[0])? {
                fd if fd < 0 => Err(vm.raise_args(OS_ERROR.ty(), vec![Value::from(0), Value::from("Error")])),
                fd => Ok(make(class_of(class), fd)),
            }
        }).class(),
        MethodDef::new("close($self, /)", "\
            Close the object's file descriptor.", |vm, this, _| own(this).close(vm).map(Value::from)),
        MethodDef::new("fileno($self, /)", "\
            The number of the object's file descriptor.", |vm, this, _| own(this).descriptor(vm).map(Value::from)),
        MethodDef::new("modify($self, /, fd, eventmask)", "Change the events that a descriptor is registered for.", |vm, this, args| {
            let (fd, events) = (fildes(vm, &args[0])?, event_mask(vm, &args[1])?);
            own(this).control(vm, libc::EPOLL_CTL_MOD, fd, events)
        }),
        MethodDef::new("register($self, /, fd,\n         eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)", "Register a descriptor; it is an error if it is registered already.", |vm, this, args| {
            let fd = fildes(vm, &args[0])?;
            let default = (libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT) as u32;
            let events = args[1].bound().map_or(Ok(default), |events| event_mask(vm, events))?;
            own(this).control(vm, libc::EPOLL_CTL_ADD, fd, events)
        }),
        MethodDef::new("unregister($self, /, fd)", "Remove a descriptor that is registered.", |vm, this, args| {
            own(this).control(vm, libc::EPOLL_CTL_DEL, fildes(vm, &args[0])?, 0)
        }),
        MethodDef::new("poll($self, /, timeout=None, maxevents=-1)", "Wait for events, up to so many seconds (forever if it is None or negative).\n\nThe result is a list of (descriptor, events).", |vm, this, args| {
            own(this).poll(vm, &args[0], c_int(vm, &args[1])?)
        }),
        MethodDef::new("__enter__($self, /)", "", |vm, this, _| {
            own(this).descriptor(vm)?;
            Ok(this.clone())
        }),
        MethodDef::new("__exit__($self, exc_type=None, exc_value=None, exc_tb=None, /)", "", |vm, this, _| {
            own(this).close(vm).map(Value::from)
        }),
    ];
}
