//! Scheduling: policies, parameters, the CPUs that a process may use, namespaces.

use taipan_object::builtins::int;
use taipan_object::builtins::set;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::types::Type;
use taipan_object::{Result, Value, Vm};

use crate::arguments::{c_int, c_long, check, fildes};

pub static SCHED_PARAM: StructSeq = StructSeq::new(
    "posix.sched_param",
    "The parameters of a scheduling policy: its priority.",
    &[Some("sched_priority")],
    1,
);

/// The type `sched_param`, which is called with the priority itself.
pub fn sched_param_type(vm: &Vm) -> Result<&'static Type> {
    let ty = SCHED_PARAM.ty(vm)?;
    let mut slots = *ty.slots();
    slots.new = Some(|vm, class, args, kwnames| {
        static SIGNATURE: std::sync::LazyLock<taipan_object::native::signature::Signature> =
            std::sync::LazyLock::new(|| {
                taipan_object::native::signature::Signature::parse("sched_param(sched_priority)")
            });
        let bound = SIGNATURE.bind(vm, args, kwnames)?;
        let ty = class.downcast::<Type>().expect("`tp_new` gets a type");
        Ok(Tuple::new_with_type(ty, bound.iter().cloned()).into_value())
    });
    // SAFETY: done once, while the module is filled by its first importer.
    unsafe { ty.set_slots(slots) };
    Ok(ty)
}

/// The argument of `sched_setparam` and its like.
pub fn sched_param(vm: &Vm, value: &Value) -> Result<libc::sched_param> {
    if !std::ptr::eq(value.ty(), SCHED_PARAM.ty(vm)?) {
        return Err(vm.type_error("must have a sched_param object"));
    }
    let priority = value.downcast::<Tuple>().and_then(|tuple| tuple.as_slice().first().cloned()).unwrap_or(Value::NONE);
    let index = vm.index(&priority)?;
    match int::to_i64(&index).map(i32::try_from) {
        Some(Ok(sched_priority)) => Ok(libc::sched_param { sched_priority }),
        Some(Err(_)) => Err(vm.overflow_error("sched_priority out of range")),
        None => Err(vm.overflow_error("Python int too large to convert to C long")),
    }
}

/// CPU masks of 2^16 CPUs.
const WORDS: usize = 1024;

taipan_object::method_table! {
    pub static FUNCTIONS = [
        MethodDef::new("sched_get_priority_max($module, /, policy)", "\
            Return the highest priority that a scheduling policy has.", |vm, _, args| {
            let policy = c_int(vm, &args[0])?;
            // SAFETY: takes a number.
            Ok(Value::from(check(vm, unsafe { libc::sched_get_priority_max(policy) })?))
        }),
        MethodDef::new("sched_get_priority_min($module, /, policy)", "\
            Return the lowest priority that a scheduling policy has.", |vm, _, args| {
            let policy = c_int(vm, &args[0])?;
            // SAFETY: takes a number.
            Ok(Value::from(check(vm, unsafe { libc::sched_get_priority_min(policy) })?))
        }),
        MethodDef::new("sched_getscheduler($module, pid, /)", "\
            Return the scheduling policy of a process.", |vm, _, args| {
            let pid = c_int(vm, &args[0])?;
            // SAFETY: takes a number.
            Ok(Value::from(check(vm, unsafe { libc::sched_getscheduler(pid) })?))
        }),
        MethodDef::new("sched_setscheduler($module, pid, policy, param, /)", "\
            Set the scheduling policy and parameters of a process.", |vm, _, args| {
            let (pid, policy, param) = (c_int(vm, &args[0])?, c_int(vm, &args[1])?, sched_param(vm, &args[2])?);
            // SAFETY: a valid sched_param.
            check(vm, unsafe { libc::sched_setscheduler(pid, policy, &param) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("sched_getparam($module, pid, /)", "\
            Return the scheduling parameters of a process.", |vm, _, args| {
            let pid = c_int(vm, &args[0])?;
            let mut param = libc::sched_param { sched_priority: 0 };
            // SAFETY: room for the result.
            check(vm, unsafe { libc::sched_getparam(pid, &mut param) })?;
            SCHED_PARAM.instance(vm, vec![Value::from(param.sched_priority)])
        }),
        MethodDef::new("sched_setparam($module, pid, param, /)", "\
            Set the scheduling parameters of a process.", |vm, _, args| {
            let (pid, param) = (c_int(vm, &args[0])?, sched_param(vm, &args[1])?);
            // SAFETY: a valid sched_param.
            check(vm, unsafe { libc::sched_setparam(pid, &param) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("sched_rr_get_interval($module, pid, /)", "\
            How many seconds a process runs at a time, under SCHED_RR.", |vm, _, args| {
            let pid = c_int(vm, &args[0])?;
            let mut interval = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: room for the result.
            check(vm, unsafe { libc::sched_rr_get_interval(pid, &mut interval) })?;
            Ok(Value::from(interval.tv_sec as f64 + 1e-9 * interval.tv_nsec as f64))
        }),
        MethodDef::new("sched_yield($module, /)", "Let other threads run on the processor first.", |_, _, _| {
            taipan_object::vm::hooks::blocking(std::thread::yield_now);
            Ok(Value::NONE)
        }),
        MethodDef::new("sched_getaffinity($module, pid, /)", "The set of CPUs that the process identified by pid may use.", |vm, _, args| {
            let pid = c_int(vm, &args[0])?;
            let mut mask = vec![0u64; WORDS];
            // SAFETY: room for so many bytes.
            check(vm, unsafe { libc::sched_getaffinity(pid, WORDS * 8, mask.as_mut_ptr().cast()) })?;
            let cpus: Vec<Value> = (0..WORDS * 64).filter(|cpu| mask[cpu / 64] >> (cpu % 64) & 1 == 1).map(Value::from).collect();
            set::from_keys(vm, &cpus)
        }),
        MethodDef::new("sched_setaffinity($module, pid, mask, /)", "Restrict the process identified by pid to a set of CPUs.", |vm, _, args| {
            let pid = c_int(vm, &args[0])?;
            let mut mask = vec![0u64; WORDS];
            vm.for_each(&args[1], |item| {
                if !int::is_int(&item) {
                    let got = vm.repr_string(&item.ty().to_value())?;
                    return Err(vm.type_error(format!("expected an iterator of ints, but iterator yielded {got}")));
                }
                let cpu = c_long(vm, &item)?;
                if cpu < 0 {
                    return Err(vm.value_error("negative CPU number"));
                }
                if cpu >= (WORDS * 64) as i64 {
                    return Err(vm.overflow_error("CPU number too large"));
                }
                mask[cpu as usize / 64] |= 1 << (cpu % 64);
                Ok(())
            })?;
            // SAFETY: so many bytes are there.
            check(vm, unsafe { libc::sched_setaffinity(pid, WORDS * 8, mask.as_ptr().cast()) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("unshare($module, /, flags)", "Disassociate parts of a process execution context.", |vm, _, args| {
            let flags = c_int(vm, &args[0])?;
            // SAFETY: takes a number.
            check(vm, unsafe { libc::unshare(flags) })?;
            Ok(Value::NONE)
        }),
        MethodDef::new("setns($module, /, fd, nstype=0)", "\
            Move this thread into a namespace of another process.", |vm, _, args| {
            let (fd, kind) = (fildes(vm, &args[0])?, c_int(vm, &args[1])?);
            // SAFETY: takes numbers.
            check(vm, unsafe { libc::setns(fd, kind) })?;
            Ok(Value::NONE)
        }),
    ];
}
