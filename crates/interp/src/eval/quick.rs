//! Calls that the eval loop answers itself: of built-in functions that only look at their argument's header or length,
//! and of the ends of lists.

use taipan_object::Value;
use taipan_object::builtins::bytes::{BYTES, Bytes};
use taipan_object::builtins::dict::{DICT, Dict};
use taipan_object::builtins::list::{LIST, List};
use taipan_object::builtins::str::{STR, Str};
use taipan_object::builtins::tuple::{TUPLE, Tuple};
use taipan_object::header::Header;
use taipan_object::native::Quick;
use taipan_object::types::{TYPE, Type};

use super::call::Operands;
use super::view;
use crate::frame::is_pointer;

/// The result of a native function's call, an owned word; 0 if the call has to be made. Neither Python code nor anything that
/// could fail has run, and the operands are still there.
///
/// # Safety
/// The operands are live.
#[inline(always)]
pub(super) unsafe fn of_function(quick: Quick, operands: &Operands) -> u64 {
    // SAFETY: live by contract.
    unsafe {
        match quick {
            Quick::Len if operands.count == 1 => length(*operands.first),
            Quick::IsInstance if operands.count == 2 => is_instance(*operands.first, *operands.first.add(1)),
            _ => 0,
        }
    }
}

/// The same of a native method's.
///
/// # Safety
/// As there, and the first operand is of the method's type.
#[inline(always)]
pub(super) unsafe fn of_method(quick: Quick, operands: &Operands) -> u64 {
    // SAFETY: live by contract, and the method says what the object is.
    unsafe {
        match quick {
            Quick::ListPop if operands.count == 1 => {
                (*(*operands.first as *const List)).pop_last().map_or(0, Value::into_word)
            }
            _ => 0,
        }
    }
}

/// The call as one of `list.append`, whose item moves into the list; false if it has to be made.
///
/// # Safety
/// As of [`of_method`].
#[inline(always)]
pub(super) unsafe fn append(quick: Quick, operands: &Operands) -> bool {
    // SAFETY: live by contract, and the method says what the object is.
    unsafe {
        quick == Quick::ListAppend
            && operands.count == 2
            && (*(*operands.first as *const List)).append_within(|| operands.take_argument(1))
    }
}

/// The length of an object of one of the usual types, as a word; 0 if it is of another type.
///
/// # Safety
/// The word is that of a live value.
#[inline(always)]
pub(super) unsafe fn length(word: u64) -> u64 {
    // SAFETY: live by contract, and the type says what the object is.
    unsafe {
        if !is_pointer(word) {
            return 0;
        }
        let object = word as *const Header;
        let ty = (*object).ty();
        let length = if ty.is(&LIST) {
            (*object.cast::<List>()).len()
        } else if ty.is(&STR) {
            (*object.cast::<Str>()).len()
        } else if ty.is(&TUPLE) {
            (*object.cast::<Tuple>()).len()
        } else if ty.is(&DICT) {
            (*object.cast::<Dict>()).len()
        } else if ty.is(&BYTES) {
            (*object.cast::<Bytes>()).as_slice().len()
        } else {
            return 0;
        };
        // No object has 2^62 items, so this is a small int.
        (length as u64) << 1 | 1
    }
}

/// `True` if an object's own type is `class` or derives from it. Whether another is an instance nevertheless, is for the
/// class or the object's `__class__` to say.
///
/// # Safety
/// The words are those of live values.
#[inline(always)]
unsafe fn is_instance(word: u64, class: u64) -> u64 {
    // SAFETY: live by contract; an object whose type is `type` is a type.
    unsafe {
        if !is_pointer(class) {
            return 0;
        }
        let ty = view(&word).ty();
        if std::ptr::eq(ty, class as *const Type) {
            return Value::TRUE.word();
        }
        let metatype = (*(class as *const Header)).ty();
        if metatype.is(&TYPE) && ty.is_subtype(&*(class as *const Type)) { Value::TRUE.word() } else { 0 }
    }
}
