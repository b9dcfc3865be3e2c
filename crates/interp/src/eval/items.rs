//! Subscription and slicing.

use taipan_object::builtins::bytes::{BYTES, Bytes};
use taipan_object::builtins::dict::{DICT, Dict};
use taipan_object::builtins::list::assignment::assign_own;
use taipan_object::builtins::list::{LIST, List};
use taipan_object::builtins::slice::{Slice, simple_indices};
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::{TUPLE, Tuple};
use taipan_object::header::Header;
use taipan_object::types::lookup;
use taipan_object::types::slot_dispatch::is_dunder_getitem;
use taipan_object::types::slots::Binary;
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm};

use super::{Flow, Machine, release_operands, release_right_first, view, word_of};
use crate::frame::{is_pointer, release, release_live, retain_live};
use crate::function::Function;
use crate::instruction::{A_LOCAL, B_OWNED, C_OWNED, Fetched, LENDS, LENT};

/// The position that a small int's word means in a sequence of this length.
#[inline(always)]
fn position(word: u64, length: usize) -> Option<usize> {
    let index = word as i64 >> 1;
    let index = if index < 0 { index + length as i64 } else { index };
    if (index as u64) < length as u64 { Some(index as usize) } else { None }
}

/// The item of an exact list or tuple, borrowed, or of bytes, which is a small int.
#[inline(always)]
unsafe fn sequence_item(container: u64, index: u64) -> Option<u64> {
    // SAFETY: a live object; nothing runs between the reads.
    unsafe {
        let ty = (*(container as *const Header)).ty();
        if ty.is(&LIST) {
            let items = &*(*(container as *const List)).items.as_ptr();
            return position(index, items.len()).map(|at| items.get_unchecked(at).word());
        }
        if ty.is(&TUPLE) {
            let items = (*(container as *const Tuple)).as_slice();
            return position(index, items.len()).map(|at| items.get_unchecked(at).word());
        }
        if ty.is(&BYTES) {
            let bytes = (*(container as *const Bytes)).as_slice();
            return position(index, bytes.len()).map(|at| (*bytes.get_unchecked(at) as u64) << 1 | 1);
        }
        None
    }
}

/// `container[key]` of an exact dict.
#[inline(never)]
unsafe fn dict_item(vm: &Vm, flags: u8, container: u64, key: u64) -> u64 {
    // SAFETY: live operands, released if owned.
    unsafe {
        let result = match (*(container as *const Dict)).get(vm, view(&key)) {
            Ok(Some(value)) => value.into_word(),
            Ok(None) => word_of(Err(vm.key_error(view(&key)))),
            Err(_) => 0,
        };
        release_operands(flags, container, key);
        result
    }
}

/// `container[key]` by a native type's slot; characters of texts are found here.
#[inline(never)]
unsafe fn native_item(vm: &Vm, flags: u8, subscript: Binary, container: u64, key: u64) -> u64 {
    // SAFETY: live operands, released if owned; the slot is that of the container's type.
    unsafe {
        let result = match view(&container).downcast_exact::<Str>() {
            Some(text)
                if key & 1 != 0
                    && let Some(at) = position(key, text.len()) =>
            {
                Str::from_code_point(text.at(at)).into_value().into_word()
            }
            _ => word_of(vm.check_stack("").and_then(|()| subscript(vm, view(&container), view(&key)))),
        };
        release_operands(flags, container, key);
        result
    }
}

impl Machine<'_> {
    #[inline(always)]
    pub unsafe fn subscr<const K: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            let (container, index) = (self.get(w.b()), self.right::<K>(w));
            if index & 1 != 0
                && container & 7 == 0
                && let Some(word) = sequence_item(container, index)
            {
                if w.flags() & LENDS == 0 {
                    retain_live(word);
                }
                if w.releases_b() {
                    self.save();
                    release_live(container);
                }
                self.set(w, word);
                return self.advance(1);
            }
            if w.flags() & (LENDS | LENT) != 0 {
                if w.flags() & LENDS != 0 {
                    out!(self.stop_lending());
                    return Flow::NEXT;
                }
                retain_live(container);
            }
            let w = w.settled();
            if container & 7 == 0 {
                let ty = (*(container as *const Header)).ty();
                if ty.is(&DICT) {
                    self.save();
                    let result = dict_item(self.vm, w.flags(), container, index);
                    return self.finish(w, result, 1);
                }
                let subscript = ty.slots().subscript;
                if ty.is_heap_type() && subscript.is_some_and(is_dunder_getitem) {
                    let lent = (w.flags() & B_OWNED == 0) as u32 | ((K || w.flags() & C_OWNED == 0) as u32) << 1;
                    let method = lookup::find_known(ty, &names().__getitem__);
                    if self.takes_plainly(method, 2) {
                        return self.call_plainly(method, container, index, 2, lent, 1);
                    }
                    if let Some(flow) = out!(self.subscr_by_function(container, index, lent)) {
                        return flow;
                    }
                } else if let Some(subscript) = subscript {
                    self.save();
                    let result = native_item(self.vm, w.flags(), subscript, container, index);
                    return self.finish(w, result, 1);
                }
            }
            self.binary_slow::<K>(w)
        }
    }

    /// Enters `__getitem__` of a class, if it is a Python function.
    #[inline(never)]
    unsafe fn subscr_by_function(&mut self, container: u64, index: u64, lent: u32) -> Option<Flow> {
        // SAFETY: live operands, which become arguments. Bit i of `lent`: argument i is borrowed.
        unsafe {
            let ty = (*(container as *const Header)).ty();
            let method = lookup::find(ty, &names().__getitem__)?;
            method.downcast_exact::<Function>()?;
            self.save();
            Some(self.call_with_two(method.into_word(), container, index, lent, 1))
        }
    }

    #[inline(always)]
    pub unsafe fn store_subscr<const K: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands; `a` is a source here.
        unsafe {
            let (value, container, index) = (self.get(w.a()), self.get(w.b()), self.right::<K>(w));
            self.save();
            if index & 1 != 0 && container & 7 == 0 && (*(container as *const Header)).ty().is(&LIST) {
                let items = &mut *(*(container as *const List)).items.as_ptr();
                if let Some(at) = position(index, items.len()) {
                    let value = if w.flags() & A_LOCAL != 0 { value } else { retain_live(value) };
                    let slot = items.as_mut_ptr().add(at).cast::<u64>();
                    let old = std::mem::replace(&mut *slot, value);
                    if is_pointer(old) {
                        release(old);
                    }
                    if w.releases_b() {
                        release_live(container);
                    }
                    return self.advance(1);
                }
            }
            if w.flags() & LENT != 0 {
                retain_live(container);
            }
            let w = w.settled();
            let result = match view(&container).downcast_exact::<Dict>() {
                Some(dict) => dict.set(self.vm, view(&index), view(&value).clone()),
                None => self.vm.set_item(view(&container), view(&index), view(&value)),
            };
            release_right_first(w.flags(), container, index);
            if w.flags() & A_LOCAL != 0 {
                release_live(value);
            }
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn delete_subscr(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, released if owned.
        unsafe {
            self.save();
            let (container, index) = (self.get(w.b()), self.get(w.c()));
            let result = self.vm.delete_item(view(&container), view(&index));
            release_right_first(w.flags(), container, index);
            self.outcome(result, 1)
        }
    }

    /// Takes over the owned words from register `base` on.
    pub(super) unsafe fn take<const N: usize>(&self, base: u16) -> [Value; N] {
        // SAFETY: the instruction owns these registers.
        unsafe { std::array::from_fn(|at| Value::from_word(self.get(base + at as u16))) }
    }

    #[inline(never)]
    pub unsafe fn binary_slice(&mut self, w: Fetched) -> Flow {
        // SAFETY: three owned words.
        unsafe {
            self.save();
            let [container, start, stop] = self.take(w.b());
            let result = match container.downcast_exact::<List>() {
                Some(list) => list_slice(self.vm, list, &start, &stop),
                None => self.vm.get_item(&container, &slice(start, stop)),
            };
            drop(container);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn store_slice(&mut self, w: Fetched) -> Flow {
        // SAFETY: four owned words.
        unsafe {
            self.save();
            let [value, container, start, stop] = self.take(w.b());
            let result = match container.downcast_exact::<List>() {
                Some(list) => simple_indices(self.vm, &start, &stop)
                    .and_then(|(start, stop)| assign_own(self.vm, list, start, stop, value)),
                None => self.vm.set_item(&container, &slice(start, stop), &value),
            };
            drop(container);
            self.outcome(result, 1)
        }
    }
}

/// `list[start:stop]`
fn list_slice(vm: &Vm, list: &List, start: &Value, stop: &Value) -> Result {
    let (start, stop) = simple_indices(vm, start, stop)?;
    Ok(list.get_slice(vm, start, stop, 1)?.into_value())
}

fn slice(start: Value, stop: Value) -> Value {
    Slice::new(start, stop, Value::NONE).into_value()
}
