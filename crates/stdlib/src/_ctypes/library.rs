//! Shared libraries: loading them, and finding their symbols.

use std::ffi::{CStr, CString};

use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::OS_ERROR;
use taipan_object::native::MethodDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Result, Value, Vm, method_table};

use crate::arguments::{c_int, fs_converter};

/// What the dynamic linker says went wrong, if anything did.
fn last_error() -> Option<Vec<u8>> {
    // SAFETY: the message is the linker's own, and valid until its next call on this thread.
    unsafe {
        let message = libc::dlerror();
        (!message.is_null()).then(|| CStr::from_ptr(message).to_bytes().to_vec())
    }
}

fn os_error(vm: &Vm, message: Option<Vec<u8>>) -> Raised {
    let message = message.unwrap_or_else(|| b"dlerror() returned NULL".to_vec());
    vm.raise_args(OS_ERROR.ty(), vec![Str::from_fs_bytes(&message).into_value()])
}

/// The `_handle` of a library object.
pub fn handle_of(vm: &Vm, dll: &Value) -> Result<usize> {
    let handle = vm.get_attr_str(dll, "_handle")?;
    if !int::is_int(&handle) {
        return Err(vm.type_error("the _handle attribute of the second argument must be an integer"));
    }
    Ok(crate::arguments::c_ulong_mask(vm, &handle)? as usize)
}

/// Why there is no address for a symbol.
pub struct NoSymbol {
    name: String,
    /// What the linker says, if it does: a symbol may have the address 0.
    said: Option<Vec<u8>>,
}

impl NoSymbol {
    /// The message about the symbol, which is a `what`.
    pub fn message(&self, what: &str) -> String {
        match &self.said {
            Some(said) => Str::from_fs_bytes(said).to_string_lossy(),
            None => format!("{what} '{}' not found", self.name),
        }
    }
}

/// The address of a symbol.
pub fn symbol(vm: &Vm, handle: usize, name: &[u8]) -> Result<std::result::Result<usize, NoSymbol>> {
    let Ok(name) = CString::new(name) else { return Err(vm.value_error("embedded null character")) };
    last_error();
    // SAFETY: the handle is the linker's own, or 0 for the program: the program vouches for it.
    let address = unsafe { libc::dlsym(handle as *mut libc::c_void, name.as_ptr()) };
    if !address.is_null() {
        return Ok(Ok(address as usize));
    }
    Ok(Err(NoSymbol { name: name.to_string_lossy().into_owned(), said: last_error() }))
}

fn handle_argument(vm: &Vm, value: &Value) -> Result<*mut libc::c_void> {
    Ok(crate::arguments::c_ulong_mask(vm, value)? as usize as *mut libc::c_void)
}

method_table! { pub static METHODS = [
    MethodDef::raw("dlopen", "dlopen(name, flag={RTLD_GLOBAL|RTLD_LOCAL}): loads a shared library.", |vm, _, args, kwnames| {
        taipan_object::native::arguments::no_keywords(vm, "_ctypes.dlopen", kwnames)?;
        let (name, mode) = match args {
            [name] => (name, libc::RTLD_NOW),
            [name, mode] => (name, c_int(vm, mode)? | libc::RTLD_NOW),
            [] => return Err(vm.type_error("dlopen() takes at least 1 argument (0 given)")),
            _ => return Err(vm.type_error(format!("dlopen() takes at most 2 arguments ({} given)", args.len()))),
        };
        let path = if name.is_none() { None } else { Some(fs_converter(vm, name)?) };
        vm.audit("ctypes.dlopen", std::slice::from_ref(name))?;
        let start = path.as_ref().map_or(std::ptr::null(), |path| path.as_ptr());
        let (handle, error) = blocking(|| {
            last_error();
            // SAFETY: the path is a C string. A library's own initialisation is its business.
            let handle = unsafe { libc::dlopen(start, mode) } as usize;
            (handle, if handle == 0 { last_error() } else { None })
        });
        if handle == 0 { Err(os_error(vm, error)) } else { Ok(Value::from(handle)) }
    }),
    MethodDef::raw("dlclose", "Gives a library up.", |vm, _, args, _| {
        let [handle] = args else {
            return Err(vm.type_error(format!("dlclose() takes exactly 1 argument ({} given)", args.len())));
        };
        let handle = handle_argument(vm, handle)?;
        if handle.is_null() {
            return Err(vm.value_error("NULL is no handle of a library"));
        }
        // SAFETY: the program vouches for the handle, and for nothing of the library being in use.
        if unsafe { libc::dlclose(handle) } != 0 {
            return Err(os_error(vm, last_error()));
        }
        Ok(Value::NONE)
    }),
    MethodDef::raw("dlsym", "The address of a symbol of a library.", |vm, _, args, _| {
        let [handle, name] = args else {
            return Err(vm.type_error(format!("dlsym() takes exactly 2 arguments ({} given)", args.len())));
        };
        let number = handle_argument(vm, handle)? as usize;
        let text = vm.expect_str_argument(name, |got| format!("dlsym() argument 2 must be str, not {got}"))?;
        vm.audit("ctypes.dlsym/handle", &[handle.clone(), name.clone()])?;
        match symbol(vm, number, &text.to_fs_bytes())? {
            Ok(address) => Ok(Value::from(address)),
            Err(error) => Err(os_error(vm, Some(error.message("symbol").into_bytes()))),
        }
    }),
    MethodDef::new("dllist($self, /)", "The names of the shared libraries that are loaded.", |_, _, _| {
        let mut names: Vec<Value> = Vec::new();
        // SAFETY: the function below gets back the vector's address.
        unsafe { libc::dl_iterate_phdr(Some(note_library), (&raw mut names).cast()) };
        Ok(List::from_vec(names).into_value())
    }),
]; }

unsafe extern "C" fn note_library(
    info: *mut libc::dl_phdr_info,
    _: libc::size_t,
    names: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: called by the linker with an entry of its list, and by `dllist` with the vector.
    unsafe {
        if !(*info).dlpi_name.is_null() {
            let name = CStr::from_ptr((*info).dlpi_name).to_bytes();
            (*names.cast::<Vec<Value>>()).push(Str::from_fs_bytes(name).into_value());
        }
    }
    0
}
