//! `grp`: the database of groups.

use taipan_object::builtins::list::List;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm};

use crate::posix::ids::{from_id, id};
use crate::pwd::{name_argument, not_found, text, with_buffer};

pub static MODULE: ModuleDef = ModuleDef {
    name: "grp",
    doc: "The database of groups.\n\nEntries are struct_group objects: name, password, group id, names of the members.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.set("struct_group", STRUCT_GROUP.ty(vm)?.to_value());
        Ok(())
    },
};

static STRUCT_GROUP: StructSeq = StructSeq::new(
    "grp.struct_group",
    "An entry of the database of groups.",
    &[Some("gr_name"), Some("gr_passwd"), Some("gr_gid"), Some("gr_mem")],
    4,
);

/// # Safety
/// The strings of the entry are valid.
unsafe fn entry(vm: &Vm, group: &libc::group) -> Result {
    let mut members = Vec::new();
    // SAFETY: by contract; the array of members ends with null.
    let values = unsafe {
        let mut at = group.gr_mem;
        while !at.is_null() && !(*at).is_null() {
            members.push(text(*at));
            at = at.add(1);
        }
        vec![text(group.gr_name), text(group.gr_passwd), from_id(group.gr_gid), List::from_vec(members).into_value()]
    };
    STRUCT_GROUP.instance(vm, values)
}

/// Looks up one group; `None` if there is none.
fn look_up(
    vm: &Vm,
    get: impl Fn(*mut libc::group, *mut libc::c_char, usize, *mut *mut libc::group) -> i32,
) -> Result<Option<Value>> {
    // SAFETY: zeros (null pointers) are a valid group.
    let mut group: libc::group = unsafe { std::mem::zeroed() };
    let (found, buffer) = with_buffer(|buffer| {
        let mut result = std::ptr::null_mut();
        let status = get(&mut group, buffer.as_mut_ptr().cast(), buffer.len(), &mut result);
        (status, !result.is_null())
    });
    match found {
        // SAFETY: the entry's strings are in the buffer, which lives.
        Ok(true) => unsafe { entry(vm, &group) }.map(Some),
        Ok(false) => Ok(None),
        Err(errno) => {
            drop(buffer);
            Err(vm.os_error(errno, None, None))
        }
    }
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("getgrgid($module, /, id)", "The entry of the group with this id.", |vm, _, args| {
            let gid = id(vm, "gid", &args[0])?;
            // SAFETY: room for the entry, a buffer of the given size, room for the pointer.
            match look_up(vm, |group, buffer, size, result| unsafe { libc::getgrgid_r(gid, group, buffer, size, result) })? {
                Some(entry) => Ok(entry),
                None => Err(not_found(vm, format!("getgrgid(): gid not found: {}", vm.str_string(&from_id(gid))?))),
            }
        }),
        MethodDef::new("getgrnam($module, /, name)", "The entry of the group with this name.", |vm, _, args| {
            let name = name_argument(vm, "getgrnam", "argument 'name'", &args[0])?;
            // SAFETY: as above; the name is a C string.
            match look_up(vm, |group, buffer, size, result| unsafe { libc::getgrnam_r(name.as_ptr(), group, buffer, size, result) })? {
                Some(entry) => Ok(entry),
                None => Err(not_found(vm, format!("getgrnam(): name not found: {}", vm.repr_string(&args[0])?))),
            }
        }),
        MethodDef::new("getgrall($module, /)", "The entries of all groups, in no particular order.", |vm, _, _| {
            let mut groups = Vec::new();
            // SAFETY: the database's position and the static entry are used under the GIL, and nothing else runs meanwhile.
            unsafe {
                libc::setgrent();
                loop {
                    let group = libc::getgrent();
                    if group.is_null() {
                        break;
                    }
                    match entry(vm, &*group) {
                        Ok(group) => groups.push(group),
                        Err(raised) => {
                            libc::endgrent();
                            return Err(raised);
                        }
                    }
                }
                libc::endgrent();
            }
            Ok(List::from_vec(groups).into_value())
        }),
    ];
}
