//! `select`: waiting for descriptors to become ready. `poll.rs` and `epoll.rs` have the objects of these names.

mod epoll;
mod poll;

use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::{OS_ERROR, TYPE_ERROR};
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Result, Value, Vm};

use crate::arguments::{errno, fildes};
use crate::time::conversion::{Rounding, divide, object_to_time, timeval};
use crate::time::monotonic;

pub static MODULE: ModuleDef = ModuleDef {
    name: "select",
    doc: "Waiting for input and output on several descriptors at once.",
    functions: FUNCTIONS,
    exec: |_, module| {
        module.set("error", OS_ERROR.value());
        module.add_type(&epoll::EPOLL);
        int_constants!(module;
            EPOLLERR = 8, EPOLLET = 2147483648, EPOLLEXCLUSIVE = 268435456, EPOLLHUP = 16, EPOLLIN = 1,
            EPOLLMSG = 1024, EPOLLONESHOT = 1073741824, EPOLLOUT = 4, EPOLLPRI = 2, EPOLLRDBAND = 128,
            EPOLLRDHUP = 8192, EPOLLRDNORM = 64, EPOLLWAKEUP = 536870912, EPOLLWRBAND = 512, EPOLLWRNORM = 256,
            EPOLL_CLOEXEC = 524288, PIPE_BUF = 4096, POLLERR = 8, POLLHUP = 16, POLLIN = 1, POLLMSG = 1024,
            POLLNVAL = 32, POLLOUT = 4, POLLPRI = 2, POLLRDBAND = 128, POLLRDHUP = 8192, POLLRDNORM = 64,
            POLLWRBAND = 512, POLLWRNORM = 256,
        );
        Ok(())
    },
};

/// A number of units of time (each so many nanoseconds) in nanoseconds; `message` is for what is no number.
fn timeout(vm: &Vm, value: &Value, unit: i64, message: &str) -> Result<i64> {
    object_to_time(vm, value, unit, Rounding::Up).map_err(|raised| replace_type_error(vm, raised, message))
}

fn replace_type_error(vm: &Vm, raised: Raised, message: &str) -> Raised {
    match vm.catch(raised, TYPE_ERROR.ty()) {
        Ok(_) => vm.type_error(message),
        Err(raised) => raised,
    }
}

/// Milliseconds as `poll` and `epoll_wait` take them.
fn milliseconds(vm: &Vm, nanoseconds: i64, rounding: Rounding) -> Result<i32> {
    i32::try_from(divide(nanoseconds, 1_000_000, rounding)).map_err(|_| vm.overflow_error("timeout is too large"))
}

/// Descriptors to watch, with the objects that stand for them.
struct Watched {
    set: libc::fd_set,
    objects: Vec<(i32, Value)>,
    max: i32,
}

impl Watched {
    fn new(vm: &Vm, value: &Value) -> Result<Watched> {
        // SAFETY: zeros are an empty set.
        let mut watched = Watched { set: unsafe { std::mem::zeroed() }, objects: Vec::new(), max: -1 };
        let collected;
        let list = match value.downcast::<List>() {
            Some(list) => list,
            None => {
                let items = vm.collect(value);
                let items =
                    items.map_err(|raised| replace_type_error(vm, raised, "arguments 1-3 must be sequences"))?;
                collected = List::from_vec(items);
                &collected
            }
        };
        // `fileno()` may change the list, so every turn asks for its item anew.
        let mut at = 0;
        while let Some(object) = list.get(at) {
            let fd = fildes(vm, &object)?;
            if fd as usize >= libc::FD_SETSIZE {
                return Err(vm.value_error("filedescriptor out of range in select()"));
            }
            if at >= libc::FD_SETSIZE {
                return Err(vm.value_error("too many file descriptors in select()"));
            }
            // SAFETY: the set is valid and holds numbers up to FD_SETSIZE.
            unsafe { libc::FD_SET(fd, &mut watched.set) };
            watched.max = watched.max.max(fd);
            watched.objects.push((fd, object));
            at += 1;
        }
        Ok(watched)
    }

    fn ready(self, set: &libc::fd_set) -> Value {
        // SAFETY: the set is valid, the numbers are below FD_SETSIZE.
        let ready = |fd: i32| unsafe { libc::FD_ISSET(fd, set) };
        List::from_vec(self.objects.into_iter().filter(|(fd, _)| ready(*fd)).map(|(_, object)| object).collect())
            .into_value()
    }
}

fn select(vm: &Vm, args: &[Value]) -> Result {
    let mut left = match args[3].given() {
        None => None,
        Some(value) => match timeout(vm, value, 1_000_000_000, "timeout must be a float or None")? {
            time if time < 0 => return Err(vm.value_error("timeout must be non-negative")),
            time => Some(time),
        },
    };
    let (read, write, except) = (Watched::new(vm, &args[0])?, Watched::new(vm, &args[1])?, Watched::new(vm, &args[2])?);
    let deadline = left.map(|left| monotonic().saturating_add(left));
    let count = 1 + read.max.max(write.max).max(except.max);
    loop {
        let mut sets = [read.set, write.set, except.set];
        let mut limit = left.map(|left| timeval(left, Rounding::Up));
        let (status, error) = blocking(|| {
            let [read, write, except] = &mut sets;
            let limit = limit.as_mut().map_or(std::ptr::null_mut(), |limit| limit as *mut libc::timeval);
            // SAFETY: valid sets, null or a valid time.
            let status = unsafe { libc::select(count, read, write, except, limit) };
            (status, errno())
        });
        if status >= 0 {
            let lists = [read.ready(&sets[0]), write.ready(&sets[1]), except.ready(&sets[2])];
            return Ok(Tuple::from_array(lists).into_value());
        }
        if error != libc::EINTR {
            return Err(vm.os_error(error, None, None));
        }
        vm.check_signals()?;
        if let Some(deadline) = deadline {
            left = Some((deadline - monotonic()).max(0));
        }
    }
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("select($module, rlist, wlist, xlist, timeout=None, /)", "Wait until descriptors are ready for reading, writing or have exceptional conditions.\n\nThe arguments are sequences of descriptors or objects with a fileno() method, and a time in seconds.\nThe result is the three lists of what is ready.", |vm, _, args| {
            select(vm, args)
        }),
        MethodDef::new("poll($module, /)", "A new polling object, for registering descriptors and waiting for them.", |_, _, _| {
            Ok(poll::Poll::new())
        }),
    ];
}
