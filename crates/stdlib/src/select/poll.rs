//! `select.poll` objects.

use std::collections::HashMap;

use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::object::Visitor;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm};

use super::{milliseconds, timeout};
use crate::arguments::{errno, fildes};
use crate::payload::{Field, payload};
use crate::time::conversion::Rounding;
use crate::time::monotonic;

payload! {
    /// What is registered, and whether a thread is waiting for it.
    pub struct Poll(PollState): POLL { descriptors: Descriptors, running: bool }
}

pub static POLL: TypeSpec =
    TypeSpec::new::<Poll>("select.poll").flags(type_flags::DISALLOW_INSTANTIATION).methods(METHODS);

/// Descriptors and events in order of registration. What is unregistered leaves a hole, a negative descriptor, which
/// the system passes over.
#[derive(Default)]
struct Descriptors {
    list: Vec<libc::pollfd>,
    places: HashMap<i32, usize>,
}

impl Field for Descriptors {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl Descriptors {
    fn set(&mut self, fd: i32, events: i16) {
        match self.places.get(&fd) {
            Some(at) => self.list[*at].events = events,
            None => {
                self.places.insert(fd, self.list.len());
                self.list.push(libc::pollfd { fd, events, revents: 0 });
            }
        }
    }

    fn remove(&mut self, fd: i32) -> bool {
        let Some(at) = self.places.remove(&fd) else { return false };
        self.list[at].fd = -1;
        if self.list.len() > 2 * self.places.len() + 16 {
            self.list.retain(|entry| entry.fd >= 0);
            self.places = self.list.iter().enumerate().map(|(at, entry)| (entry.fd, at)).collect();
        }
        true
    }
}

impl Poll {
    /// A new polling object.
    pub fn new() -> Value {
        Poll::make(POLL.ty(), PollState { descriptors: Descriptors::default(), running: false })
    }
}

/// Events as an `unsigned short`.
fn event_mask(vm: &Vm, value: &Value) -> Result<i16> {
    let index = vm.index(value)?;
    if int::is_negative(&index) {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    match int::to_i64(&index).and_then(|n| u16::try_from(n).ok()) {
        Some(events) => Ok(events as i16),
        None => Err(vm.overflow_error("Python int too large for C unsigned short")),
    }
}

fn poll(vm: &Vm, this: &Value, limit: &Value) -> Result {
    let mut left = match limit.given() {
        None => -1,
        Some(value) => {
            let time = timeout(vm, value, 1_000_000, "timeout must be an integer or None")?;
            milliseconds(vm, time, Rounding::Up)?
        }
    };
    let deadline = (left >= 0).then(|| monotonic().saturating_add(i64::from(left) * 1_000_000));
    let poll = Poll::of(this);
    let taken = poll.with(|state| {
        if state.running {
            return None;
        }
        state.running = true;
        Some(state.descriptors.list.clone())
    });
    let Some(mut list) = taken else { return Err(vm.runtime_error("concurrent poll() invocation")) };
    let result = loop {
        let (status, error) = blocking(|| {
            // SAFETY: the list has so many entries.
            let status = unsafe { libc::poll(list.as_mut_ptr(), list.len() as libc::nfds_t, left) };
            (status, errno())
        });
        if status >= 0 {
            break Ok(status);
        }
        if error != libc::EINTR {
            break Err(vm.os_error(error, None, None));
        }
        if let Err(raised) = vm.check_signals() {
            break Err(raised);
        }
        if let Some(deadline) = deadline {
            let rest = (deadline - monotonic()).max(0);
            left = crate::time::conversion::divide(rest, 1_000_000, Rounding::Up) as i32;
        }
    };
    poll.with(|state| state.running = false);
    result?;
    let ready = list.iter().filter(|entry| entry.fd >= 0 && entry.revents != 0);
    let pairs = ready.map(|entry| {
        let pair = [Value::from(entry.fd), Value::from(i32::from(entry.revents as u16))];
        Tuple::from_array(pair).into_value()
    });
    Ok(List::from_vec(pairs.collect()).into_value())
}

taipan_object::method_table! {
    static METHODS = [
        MethodDef::new("register($self, fd,\n         eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)", "Register a descriptor, or change the events that it is registered for.", |vm, this, args| {
            let fd = fildes(vm, &args[0])?;
            let default = libc::POLLIN | libc::POLLPRI | libc::POLLOUT;
            let events = args[1].bound().map_or(Ok(default), |events| event_mask(vm, events))?;
            Poll::of(this).with(|state| state.descriptors.set(fd, events));
            Ok(Value::NONE)
        }),
        MethodDef::new("modify($self, fd, eventmask, /)", "Change the events that a descriptor is registered for.", |vm, this, args| {
            let fd = fildes(vm, &args[0])?;
            let events = event_mask(vm, &args[1])?;
            let known = Poll::of(this).with(|state| {
                let known = state.descriptors.places.contains_key(&fd);
                if known {
                    state.descriptors.set(fd, events);
                }
                known
            });
            if known { Ok(Value::NONE) } else { Err(vm.os_error(libc::ENOENT, None, None)) }
        }),
        MethodDef::new("unregister($self, fd, /)", "Remove a descriptor that is registered.", |vm, this, args| {
            let fd = fildes(vm, &args[0])?;
            match Poll::of(this).with(|state| state.descriptors.remove(fd)) {
                true => Ok(Value::NONE),
                false => Err(vm.key_error(&Value::from(fd))),
            }
        }),
        MethodDef::new("poll($self, timeout=None, /)", "Wait for events, up to so many milliseconds.\n\nThe result is a list of (descriptor, events).", |vm, this, args| {
            poll(vm, this, &args[0])
        }),
    ];
}
