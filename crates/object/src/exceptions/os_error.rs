//! `OSError`: errno, file names, and the subclass that goes with an errno.

use super::fields::field_member;
use super::*;
use crate::builtins::int;
use crate::builtins::str::intern;
use crate::native::{GetSetDef, MemberDef, MethodDef};
use crate::types::slots::Slots;

/// The system's text for an errno.
pub fn strerror(errno: i32) -> String {
    // SAFETY: strerror returns a valid C string, copied at once.
    unsafe { std::ffi::CStr::from_ptr(libc::strerror(errno)) }.to_string_lossy().into_owned()
}

/// The subclass for an errno (PEP 3151).
fn class_for(errno: i64) -> Option<&'static Type> {
    let spec = match i32::try_from(errno).ok()? {
        libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS => &BLOCKING_IO_ERROR,
        libc::EPIPE | libc::ESHUTDOWN => &BROKEN_PIPE_ERROR,
        libc::ECHILD => &CHILD_PROCESS_ERROR,
        libc::ECONNABORTED => &CONNECTION_ABORTED_ERROR,
        libc::ECONNREFUSED => &CONNECTION_REFUSED_ERROR,
        libc::ECONNRESET => &CONNECTION_RESET_ERROR,
        libc::EEXIST => &FILE_EXISTS_ERROR,
        libc::ENOENT => &FILE_NOT_FOUND_ERROR,
        libc::EISDIR => &IS_A_DIRECTORY_ERROR,
        libc::ENOTDIR => &NOT_A_DIRECTORY_ERROR,
        libc::EINTR => &INTERRUPTED_ERROR,
        libc::EACCES | libc::EPERM => &PERMISSION_ERROR,
        libc::ESRCH => &PROCESS_LOOKUP_ERROR,
        libc::ETIMEDOUT => &TIMEOUT_ERROR,
        _ => return None,
    };
    Some(spec.ty())
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let ty = class.downcast::<Type>().expect("`tp_new` gets a type");
    if uses_init(ty) {
        return Ok(new_exception(ty, Vec::new()));
    }
    let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
    if keywords > 0 {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", ty.name())));
    }
    let errno = args.first().filter(|_| (2..=5).contains(&args.len())).and_then(int::to_i64);
    let ty = errno.filter(|_| ty.is(&OS_ERROR)).and_then(class_for).unwrap_or(ty);
    let exception = new_exception(ty, args.to_vec());
    parse(vm, &exception, args)?;
    Ok(exception)
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    if !uses_init(this.ty()) {
        return Ok(());
    }
    if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", this.ty().name())));
    }
    methods::set_args(this, args.to_vec());
    parse(vm, this, args)
}

/// Whether `__init__` takes the arguments apart rather than `__new__`: in subclasses that override only the former,
/// and may take other arguments than they pass on.
fn uses_init(ty: &Type) -> bool {
    let own_init = ty.slots().init.is_some_and(|f| std::ptr::fn_addr_eq(f, init as crate::types::slots::Init));
    let own_new = ty.slots().new.is_some_and(|f| std::ptr::fn_addr_eq(f, new as crate::types::slots::Call));
    !own_init && own_new
}

pub fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.str = Some(|vm, this| {
        let get = |name: &str| field(this, intern(name).as_value());
        let or_none = |value: Option<Value>| value.unwrap_or(Value::NONE);
        let (errno, strerror) = (get("errno"), get("strerror"));
        if let Some(filename) = get("filename") {
            let (errno, strerror) = (vm.str_string(&or_none(errno))?, vm.str_string(&or_none(strerror))?);
            let first = vm.repr_string(&filename)?;
            return Ok(Value::from(match get("filename2") {
                Some(second) => format!("[Errno {errno}] {strerror}: {first} -> {}", vm.repr_string(&second)?),
                None => format!("[Errno {errno}] {strerror}: {first}"),
            }));
        }
        match (errno, strerror) {
            (Some(errno), Some(strerror)) => {
                Ok(Value::from(format!("[Errno {}] {}", vm.str_string(&errno)?, vm.str_string(&strerror)?)))
            }
            _ => (BASE_EXCEPTION.ty().slots().str.expect("BaseException has __str__"))(vm, this),
        }
    });
}

/// Takes errno, strerror and the file names from the arguments; `args` keeps the first two.
fn parse(vm: &Vm, this: &Value, args: &[Value]) -> Result<()> {
    if !(2..=5).contains(&args.len()) {
        return Ok(());
    }
    let set = |name: &str, value: &Value| set_field(this, intern(name).as_value(), value.clone());
    set("errno", &args[0]);
    set("strerror", &args[1]);
    if let Some(filename) = args.get(2).filter(|f| !f.is_none()) {
        let slots = filename.ty().slots();
        let is_number = slots.index.is_some() || slots.int.is_some() || slots.float.is_some();
        if this.ty().is(&BLOCKING_IO_ERROR) && is_number {
            let index = vm.index(filename)?;
            if int::to_i64(&index).is_none() {
                let name = filename.ty().name();
                return Err(vm.value_error(format!("cannot fit '{name}' into an index-sized integer")));
            }
            set("characters_written", &index);
            return Ok(());
        }
        set("filename", filename);
        if let Some(second) = args.get(4).filter(|f| !f.is_none()) {
            set("filename2", second);
        }
        methods::set_args(this, args[..2].to_vec());
    }
    Ok(())
}

pub static MEMBERS: &[MemberDef] = &[
    field_member!("errno", "number of the error, as in the errno module"),
    field_member!("strerror", "message of the system"),
    field_member!("filename", "name of the file"),
    field_member!("filename2", "name of the other file, if two are involved"),
];

pub static GETSET: &[GetSetDef] = &[GetSetDef::new("characters_written", "", |vm, this| {
    match field(this, intern("characters_written").as_value()) {
        Some(count) => Ok(count),
        None => Err(vm.attribute_error("characters_written")),
    }
})
.setter(|vm, this, value| {
    let name = intern("characters_written");
    let Some(value) = value else {
        if field(this, name.as_value()).is_none() {
            return Err(vm.attribute_error("characters_written"));
        }
        delete_field(this, name.as_value());
        return Ok(());
    };
    let count = vm.index(value)?;
    set_field(this, intern("characters_written").as_value(), count);
    Ok(())
})];

crate::method_table! { pub static METHODS = [MethodDef::new("__reduce__($self, /)", "", |_, this, _| {
    let mut list = args(this);
    let get = |name: &str| field(this, intern(name).as_value());
    if list.len() == 2
        && let Some(filename) = get("filename")
    {
        list.push(filename);
        if let Some(second) = get("filename2") {
            list.push(Value::NONE);
            list.push(second);
        }
    }
    let mut parts = vec![this.ty().to_value(), Tuple::from_vec(list).into_value()];
    parts.extend(this.as_object().and_then(methods::own_attributes));
    Ok(Tuple::from_vec(parts).into_value())
})]; }
