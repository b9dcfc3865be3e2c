//! C functions that call Python functions.

use std::sync::OnceLock;

use taipan_object::exceptions::RUNTIME_WARNING;
use taipan_object::header::Header;
use taipan_object::heap::Kind as HeapKind;
use taipan_object::object::{Payload, Ref, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::hooks::with_gil;
use taipan_object::{Result, Value, Vm};

use super::abi::Shape;
use super::abi::closure::Thunk;
use super::call::swap_errno;
use super::cdata::CData;
use super::codes::Code;
use super::ctype::{self, CType};
use super::function::FUNCFLAG_USE_ERRNO;

/// Keeps a C function, and the Python function that it calls.
#[repr(C)]
pub struct Callback {
    header: Header,
    callable: Value,
    argtypes: Vec<Value>,
    /// How the result is written; `None` if there is none.
    result: Option<Code>,
    flags: u32,
    thunk: OnceLock<Thunk>,
}

// SAFETY: repr(C), header first, visits its references.
unsafe impl Payload for Callback {
    const KIND: HeapKind = HeapKind::Container;
    fn static_type() -> &'static Type {
        CALLBACK.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.callable);
        self.argtypes.iter().for_each(visit);
    }
}

pub static CALLBACK: TypeSpec =
    TypeSpec::new::<Callback>("_ctypes.CThunkObject").flags(type_flags::DISALLOW_INSTANTIATION);

/// A C function that calls `callable`.
pub fn new(vm: &Vm, callable: &Value, argtypes: Vec<Value>, restype: Option<&Value>, flags: u32) -> Result {
    let mut shapes = Vec::with_capacity(argtypes.len());
    for class in &argtypes {
        let Some(info) = ctype::info_of_class(class) else {
            return Err(
                vm.type_error(format!("invalid argument type for callback function: {}", vm.repr_string(class)?))
            );
        };
        // The arguments' sizes are settled now.
        CType::of(class).set_final(true);
        let is_array = info.kind == ctype::Kind::Array;
        shapes.push(if is_array { Shape::pointer() } else { (*info.passing).clone() });
    }
    let (result, shape) = match restype {
        Some(restype) if restype.is_none() => (None, None),
        Some(restype) => match ctype::info_of_class(restype).and_then(|info| info.code) {
            Some(code) => (Some(code), Some(code.passing())),
            None => return Err(vm.type_error("invalid result type for callback function")),
        },
        None => (None, None),
    };
    let callback = Ref::new(Callback {
        header: Header::new(CALLBACK.ty()),
        callable: callable.clone(),
        argtypes,
        result,
        flags,
        thunk: OnceLock::new(),
    });
    // The function holds no reference, so that the collector sees all there are: it is a part of the callback.
    let address = &raw const *callback as usize;
    let body = move |arguments: &[*const u8], result: *mut u8| {
        // SAFETY: the thunk, which is calling, is dropped before the memory of the callback is given up.
        let callback = unsafe { &*(address as *const Callback) };
        enter(callback, arguments, result);
    };
    let Some(thunk) = Thunk::new(shapes, shape, Box::new(body)) else { return Err(vm.memory_error()) };
    let _ = callback.thunk.set(thunk);
    Ok(callback.into_value())
}

/// The address of the C function.
pub fn address(callback: &Value) -> usize {
    let callback = callback.downcast::<Callback>().expect("made by `new`");
    callback.thunk.get().map_or(0, Thunk::address)
}

/// Called by C code: on whatever thread, with the GIL or without.
fn enter(callback: &Callback, arguments: &[*const u8], result: *mut u8) {
    if Vm::try_current().is_some() {
        with_gil(|vm| run(vm, callback, arguments, result));
    } else {
        crate::_thread::start::on_foreign_thread(|vm| run(vm, callback, arguments, result));
    }
}

fn run(vm: &Vm, callback: &Callback, arguments: &[*const u8], result: *mut u8) {
    // The callable may drop the last reference to the callback.
    let keep = taipan_object::object::to_value(callback);
    vm.preserving_exception(|vm| {
        let callable = &callback.callable;
        if callback.flags & FUNCFLAG_USE_ERRNO != 0 {
            swap_errno();
        }
        let returned = collect(vm, callback, arguments).and_then(|args| vm.call_args(callable, &args));
        if callback.flags & FUNCFLAG_USE_ERRNO != 0 {
            swap_errno();
        }
        let shown = |vm: &Vm| {
            vm.preserving_exception(|vm| match vm.repr_string(callable) {
                Ok(shown) => shown,
                Err(raised) => {
                    vm.discard(raised);
                    "<object repr() failed>".to_string()
                }
            })
        };
        let value = match returned {
            Ok(value) => value,
            Err(raised) => {
                let message = format!("Exception ignored while calling ctypes callback function {}", shown(vm));
                return vm.write_unraisable(raised, &message, &Value::NONE);
            }
        };
        let Some(code) = callback.result else { return };
        // SAFETY: the result has room for a value of the code.
        match unsafe { code.set(vm, result, &value) } {
            Err(raised) => {
                let message =
                    format!("Exception ignored while converting result of ctypes callback function {}", shown(vm));
                vm.write_unraisable(raised, &message, &Value::NONE);
            }
            Ok(keep) if keep.is_none() => {}
            Ok(keep) => {
                // The caller has it now, and nothing says for how long.
                std::mem::forget(keep);
                if code.letter != b'O'
                    && let Err(raised) = vm.warn(&RUNTIME_WARNING.value(), "memory leak in callback function.", 1)
                {
                    let message =
                        format!("Exception ignored while converting result of ctypes callback function {}", shown(vm));
                    vm.write_unraisable(raised, &message, &Value::NONE);
                }
            }
        }
    });
    drop(keep);
}

/// The Python objects for the arguments.
fn collect(vm: &Vm, callback: &Callback, arguments: &[*const u8]) -> Result<Vec<Value>> {
    let mut values = Vec::with_capacity(arguments.len());
    for (class, from) in callback.argtypes.iter().zip(arguments) {
        let info = CType::of(class).concrete(vm)?;
        if let Some(code) = info.code
            && !ctype::is_kept(class)
        {
            // SAFETY: the argument is there; what it points to, the caller vouches for.
            values.push(unsafe { code.get(vm, *from)? });
            continue;
        }
        let instance = CData::make(vm, class)?;
        let size = if info.kind == ctype::Kind::Array { 0 } else { info.size };
        // SAFETY: both have the type's size.
        unsafe { std::ptr::copy_nonoverlapping(*from, CData::of(&instance).pointer(), size) };
        values.push(instance);
    }
    Ok(values)
}
