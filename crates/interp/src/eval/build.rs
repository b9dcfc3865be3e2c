//! Containers, strings, functions; unpacking.

use smallvec::SmallVec;
use taipan_bytecode::oparg::{Conversion, function_attribute};
use taipan_object::builtins::dict::{self, Dict, Existing};
use taipan_object::builtins::list::{LIST, List};
use taipan_object::builtins::set::{self, AnySet, Set};
use taipan_object::builtins::slice::Slice;
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::{TUPLE, Tuple};
use taipan_object::exceptions::{ATTRIBUTE_ERROR, KEY_ERROR, TYPE_ERROR};
use taipan_object::header::Header;
use taipan_object::types::{Type, type_flags};
use taipan_object::{Result, Value, Vm};

use super::{Flow, Machine, release_operands, variant, view, word_of};
use crate::code::Code;
use crate::frame::{Frame, release, release_live, retain_live};
use crate::function::Function;
use crate::instruction::{B_OWNED, Fetched};

/// Values that lie in consecutive registers and are to be moved out of them.
struct Moved {
    at: *const Value,
    left: usize,
}

impl Iterator for Moved {
    type Item = Value;
    fn next(&mut self) -> Option<Value> {
        if self.left == 0 {
            return None;
        }
        // SAFETY: the registers own their values, each is read once.
        unsafe {
            let value = self.at.read();
            self.at = self.at.add(1);
            self.left -= 1;
            Some(value)
        }
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Moved {}

impl Drop for Moved {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

/// The 16-bit part with number `at` of the words from `places` on.
///
/// # Safety
/// There are that many words.
#[inline(always)]
unsafe fn destination(places: *const u64, at: usize) -> u16 {
    // SAFETY: by contract.
    unsafe { (*places.add(at / 4) >> (16 * (at % 4))) as u16 }
}

impl Machine<'_> {
    #[cold]
    fn wrong_bytecode(&mut self) -> Flow {
        let _ = self.vm.system_error("bytecode expects an operand of another type");
        self.unwind()
    }

    /// The owned values from `b` on, to be moved out.
    #[inline(never)]
    unsafe fn moved(&self, w: Fetched, count: usize) -> Moved {
        // SAFETY: the registers are in range.
        unsafe { Moved { at: self.regs.add(w.b() as usize).cast(), left: count } }
    }

    #[inline(never)]
    pub unsafe fn build_tuple(&mut self, w: Fetched) -> Flow {
        // SAFETY: `c` owned words.
        unsafe {
            self.save();
            let tuple = match w.c() {
                0 => Tuple::from_vec(Vec::new()),
                count => Tuple::new_with_type(TUPLE.ty(), self.moved(w, count as usize)),
            };
            self.finish(w, tuple.into_value().into_word(), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn build_list(&mut self, w: Fetched) -> Flow {
        // SAFETY: `c` owned words.
        unsafe {
            self.save();
            let list = List::from_vec(self.moved(w, w.c() as usize).collect());
            self.finish(w, list.into_value().into_word(), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn build_set(&mut self, w: Fetched) -> Flow {
        // SAFETY: `c` owned words.
        unsafe {
            self.save();
            let items: Vec<Value> = self.moved(w, w.c() as usize).collect();
            let result = set::from_keys(self.vm, &items);
            drop(items);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn build_map(&mut self, w: Fetched) -> Flow {
        // SAFETY: `c` owned pairs.
        unsafe {
            self.save();
            let mut items = self.moved(w, 2 * w.c() as usize);
            let dict = if w.c() == 0 { Dict::new() } else { Dict::with_capacity(w.c() as usize) };
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                if dict.set(self.vm, &key, value).is_err() {
                    drop(items);
                    return self.unwind();
                }
            }
            drop(items);
            self.finish(w, dict.into_value().into_word(), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn build_string(&mut self, w: Fetched) -> Flow {
        // SAFETY: `c` owned words.
        unsafe {
            self.save();
            let parts: SmallVec<[Value; 8]> = self.moved(w, w.c() as usize).collect();
            if parts.iter().any(|part| part.downcast::<Str>().is_none()) {
                return self.wrong_bytecode();
            }
            let text = join(&parts);
            drop(parts);
            self.finish(w, text.into_word(), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn build_slice(&mut self, w: Fetched) -> Flow {
        // SAFETY: two or three owned words.
        unsafe {
            self.save();
            let mut parts = self.moved(w, w.c() as usize);
            let [start, stop, step] = std::array::from_fn(|_| parts.next().unwrap_or(Value::NONE));
            self.finish(w, Slice::new(start, stop, step).into_value().into_word(), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn build_template(&mut self, w: Fetched) -> Flow {
        // SAFETY: two owned words.
        unsafe {
            self.save();
            let [strings, interpolations] = self.take(w.b());
            let result = crate::template::template(self.vm, strings, interpolations);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn build_interpolation(&mut self, w: Fetched) -> Flow {
        // SAFETY: two or three owned words.
        unsafe {
            self.save();
            let mut parts = self.moved(w, 2 + variant(w) as usize);
            let (Some(value), Some(expression)) = (parts.next(), parts.next()) else { return self.wrong_bytecode() };
            let spec = parts.next().unwrap_or_else(taipan_object::builtins::str::empty);
            let conversion = match Conversion::from_oparg(w.c() as u32) {
                Some(Conversion::Str) => Value::from("s"),
                Some(Conversion::Repr) => Value::from("r"),
                Some(Conversion::Ascii) => Value::from("a"),
                _ => Value::NONE,
            };
            let result = crate::template::interpolation(value, expression, conversion, spec);
            self.finish(w, result.into_word(), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn convert_value(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let result = match Conversion::from_oparg(w.c() as u32) {
                Some(Conversion::Str) => self.vm.str(view(&word)),
                Some(Conversion::Repr) => self.vm.repr(view(&word)),
                _ => ascii(self.vm, view(&word)),
            };
            release_operands(w.flags(), word, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn format_simple(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operand, released if owned.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let value = view(&word);
            let result = match value.downcast_exact::<Str>() {
                Some(_) => Ok(value.clone()),
                None => self.vm.format(value, &taipan_object::builtins::str::empty()),
            };
            release_operands(w.flags(), word, 1);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn format_with_spec(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, released if owned.
        unsafe {
            self.save();
            let (value, spec) = (self.get(w.b()), self.get(w.c()));
            let result = self.vm.format(view(&value), view(&spec));
            release_operands(w.flags(), value, spec);
            self.finish(w, word_of(result), 1)
        }
    }

    #[inline(always)]
    pub unsafe fn list_append(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            let list = self.get(w.b());
            if list & 7 != 0 || !(*(list as *const Header)).ty().is(&LIST) {
                self.save();
                return self.wrong_bytecode();
            }
            let value = Value::from_word(self.take_c(w));
            self.save();
            let result = (*(list as *const List)).append(self.vm, value);
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn list_extend(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, `c` released if owned.
        unsafe {
            self.save();
            let (list, iterable) = (self.get(w.b()), self.get(w.c()));
            let result = extend(self.vm, view(&list), view(&iterable));
            release_operands(w.flags(), 1, iterable);
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn set_add(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            self.save();
            let (set, item) = (self.get(w.b()), self.get(w.c()));
            let result = match AnySet::of(view(&set)).filter(|_| view(&set).downcast::<Set>().is_some()) {
                Some(set) => set::add(self.vm, set, view(&item)),
                // Programs may rebind `__conditional_annotations__`.
                None => Err(self.vm.type_error(format!("'{}' object is not a set", view(&set).ty().name()))),
            };
            release_operands(w.flags(), 1, item);
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn set_update(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, `c` released if owned.
        unsafe {
            self.save();
            let (set, iterable) = (self.get(w.b()), self.get(w.c()));
            let Some(set) = AnySet::of(view(&set)) else { return self.wrong_bytecode() };
            let result = set::update(self.vm, set, view(&iterable));
            release_operands(w.flags(), 1, iterable);
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn map_add(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands.
        unsafe {
            self.save();
            let (map, key, value) = (self.get(w.a()), self.get(w.b()), self.take_c(w));
            let value = Value::from_word(value);
            let result = match view(&map).downcast::<Dict>() {
                Some(dict) => dict.set(self.vm, view(&key), value),
                None => Err(self.vm.system_error("bytecode expects a dict")),
            };
            release_operands(w.flags() & B_OWNED, key, 1);
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn dict_update(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, `c` released if owned.
        unsafe {
            self.save();
            let (map, other) = (self.get(w.b()), self.get(w.c()));
            let result = update(self.vm, view(&map), view(&other));
            release_operands(w.flags(), 1, other);
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn dict_merge(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, `c` released if owned.
        unsafe {
            self.save();
            let (callable, map, other) = (self.get(w.a()), self.get(w.b()), self.get(w.c()));
            let result = merge(self.vm, view(&callable), view(&map), view(&other));
            release_operands(w.flags(), 1, other);
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn keyword_dict(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands, `c` released if owned.
        unsafe {
            let (callable, other) = (self.get(w.b()), self.get(w.c()));
            if view(&other).downcast_exact::<Dict>().is_some() {
                let word = self.take_c(w);
                self.put(w.a(), word);
                return self.advance(1);
            }
            self.save();
            let dict = Dict::new().into_value();
            let result = merge(self.vm, view(&callable), &dict, view(&other));
            release_operands(w.flags(), 1, other);
            self.finish(w, word_of(result.map(|()| dict)), 1)
        }
    }

    /// Clones the items of an exact tuple or list of the right length.
    unsafe fn simple_items(&self, word: u64, count: usize) -> Option<SmallVec<[Value; 4]>> {
        if word & 7 != 0 {
            return None;
        }
        // SAFETY: a live object; nothing runs while the items are cloned.
        unsafe {
            let ty = (*(word as *const Header)).ty();
            let items: &[Value] = if ty.is(&TUPLE) || is_iterated_as_tuple(ty) {
                (*(word as *const Tuple)).as_slice()
            } else if ty.is(&LIST) {
                &*(*(word as *const List)).items.as_ptr()
            } else {
                return None;
            };
            if items.len() == count { Some(items.iter().cloned().collect()) } else { None }
        }
    }

    /// Operand `b` as an owned word with its items, if it is an exact tuple of that length.
    #[inline(always)]
    unsafe fn exact_tuple<'t>(&self, w: Fetched, count: usize) -> Option<(u64, &'t [Value])> {
        // SAFETY: a live operand; the items live as long as the word that the caller then owns.
        unsafe {
            let word = self.get(w.b());
            if word & 7 != 0 || !(*(word as *const Header)).ty().is(&TUPLE) {
                return None;
            }
            let items = (*(word as *const Tuple)).as_slice();
            if items.len() != count {
                return None;
            }
            self.save();
            if w.flags() & B_OWNED == 0 {
                retain_live(word);
            }
            Some((word, items))
        }
    }

    /// Operand `b`'s items in `places`, as owned words, if it is an exact list of that length; the operand is released then.
    #[inline(always)]
    unsafe fn exact_list(&self, w: Fetched, places: impl ExactSizeIterator<Item = *mut u64>) -> bool {
        // SAFETY: a live operand; nothing runs while its items are retained. The places are free.
        unsafe {
            let word = self.get(w.b());
            if word & 7 != 0 || !(*(word as *const Header)).ty().is(&LIST) {
                return false;
            }
            {
                let list = &*(word as *const List);
                let items = list.items.borrow(&list.header);
                if items.len() != places.len() {
                    return false;
                }
                for (place, item) in places.zip(items.iter()) {
                    *place = retain_live(item.word());
                }
            }
            self.save();
            release_operands(w.flags(), word, 1);
            true
        }
    }

    unsafe fn items_of(&mut self, w: Fetched, count: usize) -> Option<SmallVec<[Value; 4]>> {
        // SAFETY: a live operand, released if owned.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let items = match self.simple_items(word, count) {
                Some(items) => Some(items),
                None => unpack(self.vm, view(&word), count).ok(),
            };
            release_operands(w.flags(), word, 1);
            items
        }
    }

    #[inline(never)]
    pub unsafe fn unpack_sequence(&mut self, w: Fetched) -> Flow {
        // SAFETY: the destinations are free stack registers.
        unsafe {
            if let Some((tuple, items)) = self.exact_tuple(w, w.c() as usize) {
                for (register, item) in (w.a()..w.a() + w.c()).rev().zip(items) {
                    self.put(register, retain_live(item.word()));
                }
                release_live(tuple);
                return self.advance(1);
            }
            let registers = self.regs.add(w.a() as usize);
            if self.exact_list(w, (0..w.c() as usize).rev().map(|at| registers.add(at))) {
                return self.advance(1);
            }
            let Some(items) = self.items_of(w, w.c() as usize) else { return self.unwind() };
            for (register, item) in (w.a()..w.a() + w.c()).rev().zip(items) {
                self.put(register, item.into_word());
            }
            self.advance(1)
        }
    }

    #[inline(never)]
    pub unsafe fn unpack_to_locals(&mut self, w: Fetched) -> Flow {
        // SAFETY: as there.
        unsafe { self.unpack_to::<4>(w) }
    }

    #[inline(never)]
    pub unsafe fn unpack_to_many(&mut self, w: Fetched) -> Flow {
        // SAFETY: as there.
        unsafe { self.unpack_to::<12>(w) }
    }

    /// Unpacks to locals, whose numbers are in as many words as `MOST` of them need.
    #[inline(always)]
    unsafe fn unpack_to<const MOST: usize>(&mut self, w: Fetched) -> Flow {
        // SAFETY: the destinations are locals.
        unsafe {
            let words = 1 + MOST / 4;
            let places = self.pc.add(1);
            if let Some((tuple, items)) = self.exact_tuple(w, w.c() as usize) {
                for (at, item) in items.iter().enumerate() {
                    let local = destination(places, at);
                    let old = self.get(local);
                    self.put(local, retain_live(item.word()));
                    if crate::frame::is_pointer(old) {
                        self.release_local(local, old);
                    }
                }
                release_live(tuple);
                return self.advance(words);
            }
            let mut items = [0; MOST];
            if self.exact_list(w, items.iter_mut().take(w.c() as usize).map(|item| item as *mut u64)) {
                self.put_locals(places, &items[..w.c() as usize]);
                return self.advance(words);
            }
            let Some(items) = self.items_of(w, w.c() as usize) else { return self.unwind() };
            let items: SmallVec<[u64; 4]> = items.into_iter().map(Value::into_word).collect();
            self.put_locals(places, &items);
            self.advance(words)
        }
    }

    /// Stores owned words in the locals whose numbers are the 16-bit parts of the words from `places` on.
    #[inline(always)]
    pub(super) unsafe fn put_locals(&self, places: *const u64, items: &[u64]) {
        // SAFETY: the locals are the current frame's.
        unsafe {
            for (at, item) in items.iter().enumerate() {
                let local = destination(places, at);
                let old = self.get(local);
                self.put(local, *item);
                if crate::frame::is_pointer(old) {
                    self.release_local(local, old);
                }
            }
        }
    }

    #[inline(never)]
    pub unsafe fn unpack_ex(&mut self, w: Fetched) -> Flow {
        // SAFETY: a live operand, released if owned; the destinations are free stack registers.
        unsafe {
            self.save();
            let counts = self.extra(1) as usize;
            let (before, after) = (counts & 0xFF, counts >> 8);
            let word = self.get(w.b());
            let items = unpack_starred(self.vm, view(&word), before, after);
            release_operands(w.flags(), word, 1);
            let Ok(items) = items else { return self.unwind() };
            for (at, item) in items.into_iter().rev().enumerate() {
                self.put(w.a() + at as u16, item.into_word());
            }
            self.advance(2)
        }
    }

    #[inline(never)]
    pub unsafe fn make_function(&mut self, w: Fetched) -> Flow {
        // SAFETY: a live operand, released if owned.
        unsafe {
            self.save();
            let word = self.get(w.b());
            let Some(code) = view(&word).downcast_ref::<Code>() else { return self.wrong_bytecode() };
            let frame: &Frame = &*self.frame;
            let function = Function::new(self.vm, code, frame.function().globals.clone());
            release_operands(w.flags(), word, 1);
            self.finish(w, function.into_value().into_word(), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn set_function_attribute(&mut self, w: Fetched) -> Flow {
        // SAFETY: live operands; the function moves on.
        unsafe {
            self.save();
            let attribute = Value::from_word(self.take_b(w));
            let target = self.take_c(w);
            let value = view(&target);
            let done = value
                .downcast_exact::<Function>()
                .is_some_and(|function| set_attribute(function, self.extra(1) as u32, attribute));
            if !done {
                release(target);
                return self.wrong_bytecode();
            }
            self.finish(w, target, 2)
        }
    }
}

/// False if the attribute has the wrong type.
fn set_attribute(function: &Function, which: u32, value: Value) -> bool {
    match which {
        function_attribute::DEFAULTS => match value.downcast_ref::<Tuple>() {
            Some(defaults) => function.set_defaults(Some(defaults)),
            None => return false,
        },
        function_attribute::KWDEFAULTS => match value.downcast_ref::<Dict>() {
            Some(defaults) => function.set_kwdefaults(Some(defaults)),
            None => return false,
        },
        function_attribute::ANNOTATIONS => function.set_annotations(Some(value)),
        function_attribute::ANNOTATE => {
            if let Some(annotate) = value.downcast::<Function>() {
                annotate.name_as_annotate_of(function);
            }
            function.set_annotate(Some(value))
        }
        _ => {
            let Some(closure) = value.downcast_ref::<Tuple>() else { return false };
            let cells = closure.as_slice();
            if cells.iter().any(|cell| cell.downcast::<taipan_object::builtins::cell::Cell>().is_none()) {
                return false;
            }
            return function.give_closure(closure);
        }
    }
    true
}

/// The strings one after another.
fn join(parts: &[Value]) -> Value {
    let texts = || parts.iter().filter_map(|part| part.downcast::<Str>());
    if texts().all(Str::is_ascii) {
        let mut bytes = Vec::with_capacity(texts().map(Str::len).sum());
        texts().for_each(|text| bytes.extend_from_slice(text.raw_bytes()));
        return Str::from_ascii(&bytes).into_value();
    }
    let mut builder = StrBuilder::with_capacity(texts().map(Str::len).sum());
    texts().for_each(|text| builder.push_text(text));
    builder.finish().into_value()
}

fn extend(vm: &Vm, list: &Value, iterable: &Value) -> Result<()> {
    let Some(list) = list.downcast::<List>() else { return Err(vm.system_error("bytecode expects a list")) };
    match taipan_object::builtins::list::methods::extend(vm, list, iterable) {
        Ok(()) => Ok(()),
        Err(raised) => {
            let iterable_slots = iterable.ty().slots();
            if iterable_slots.iter.is_some() || iterable_slots.item.is_some() {
                return Err(raised);
            }
            vm.catch(raised, TYPE_ERROR.ty())?;
            let name = iterable.ty().name();
            Err(vm.type_error(format!("Value after * must be an iterable, not {name}")))
        }
    }
}

/// `map.update(other)` for a mapping `other`.
pub(super) fn update_from_mapping(vm: &Vm, map: &Dict, other: &Value) -> Result<()> {
    dict::merge(vm, map, other, Existing::Replace)
}

fn update(vm: &Vm, map: &Value, other: &Value) -> Result<()> {
    let Some(map) = map.downcast::<Dict>() else { return Err(vm.system_error("bytecode expects a dict")) };
    update_from_mapping(vm, map, other).or_else(|raised| {
        if !vm.pending_matches(&raised, ATTRIBUTE_ERROR.ty()) {
            return Err(raised);
        }
        vm.discard(raised);
        Err(vm.type_error(format!("'{}' object is not a mapping", other.ty().name())))
    })
}

/// Whether an object has no attribute `keys`, with an exception in flight.
#[cold]
fn lacks_keys(vm: &Vm, object: &Value) -> bool {
    vm.preserving_exception(|vm| match vm.get_attr_opt(object, &taipan_object::vm::names().keys) {
        Ok(keys) => keys.is_none(),
        Err(raised) => {
            vm.discard(raised);
            false
        }
    })
}

/// `callable(**map, **other)`: names must be distinct.
fn merge(vm: &Vm, callable: &Value, map: &Value, other: &Value) -> Result<()> {
    let Some(map) = map.downcast::<Dict>() else { return Err(vm.system_error("bytecode expects a dict")) };
    let merged = dict::merge(vm, map, other, Existing::Refuse);
    merged.or_else(|raised| {
        if vm.pending_matches(&raised, ATTRIBUTE_ERROR.ty()) && lacks_keys(vm, other) {
            vm.discard(raised);
            let (function, name) = (function_text(vm, callable)?, other.ty().name());
            return Err(vm.type_error(format!("{function} argument after ** must be a mapping, not {name}")));
        }
        if !vm.pending_matches(&raised, KEY_ERROR.ty()) {
            return Err(raised);
        }
        let exception = vm.take(raised);
        let args = taipan_object::exceptions::args(&exception);
        let [key] = &args[..] else { return Err(vm.set_exception(exception)) };
        let (function, key) = (function_text(vm, callable)?, vm.str_string(key)?);
        Err(vm.type_error(format!("{function} got multiple values for keyword argument '{key}'")))
    })
}

/// How errors about a call name the callable: `module.qualname()`.
pub(super) fn function_text(vm: &Vm, callable: &Value) -> Result<String> {
    let names = taipan_object::vm::names();
    let Some(qualname) = vm.get_attr_opt(callable, &names.__qualname__)? else { return vm.str_string(callable) };
    let qualname = vm.str_string(&qualname)?;
    match vm.get_attr_opt(callable, &names.__module__)? {
        Some(module) if !module.is_none() && vm.str_string(&module)? != "builtins" => {
            Ok(format!("{}.{qualname}()", vm.str_string(&module)?))
        }
        _ => Ok(format!("{qualname}()")),
    }
}

fn iterator_to_unpack(vm: &Vm, iterable: &Value) -> Result {
    vm.iter(iterable).or_else(|raised| {
        let slots = iterable.ty().slots();
        if slots.iter.is_some() || slots.item.is_some() || !vm.pending_matches(&raised, TYPE_ERROR.ty()) {
            return Err(raised);
        }
        vm.discard(raised);
        Err(vm.type_error(format!("cannot unpack non-iterable {} object", iterable.ty().name())))
    })
}

#[inline(never)]
fn unpack(vm: &Vm, iterable: &Value, count: usize) -> Result<SmallVec<[Value; 4]>> {
    let iterator = iterator_to_unpack(vm, iterable)?;
    let mut items = SmallVec::new();
    while items.len() < count {
        match vm.next(&iterator)? {
            Some(item) => items.push(item),
            None => {
                let got = items.len();
                return Err(vm.value_error(format!("not enough values to unpack (expected {count}, got {got})")));
            }
        }
    }
    if vm.next(&iterator)?.is_none() {
        return Ok(items);
    }
    let length = (iterable.downcast_exact::<List>().map(List::len))
        .or_else(|| iterable.downcast_exact::<Tuple>().map(Tuple::len))
        .or_else(|| iterable.downcast_exact::<Dict>().map(Dict::len));
    let got = match length.filter(|length| *length > count) {
        Some(length) => format!(", got {length}"),
        None => String::new(),
    };
    Err(vm.value_error(format!("too many values to unpack (expected {count}{got})")))
}

/// Whether a class of tuples has no other way to iterate than they.
fn is_iterated_as_tuple(ty: &Type) -> bool {
    ty.has_flags(type_flags::TUPLE_SUBCLASS)
        && match (ty.slots().iter, TUPLE.ty().slots().iter) {
            (Some(own), Some(tuple)) => std::ptr::fn_addr_eq(own, tuple),
            _ => false,
        }
}

fn unpack_starred(vm: &Vm, iterable: &Value, before: usize, after: usize) -> Result<SmallVec<[Value; 8]>> {
    let known = match iterable.downcast_exact::<List>() {
        Some(list) => Some(list.to_vec()),
        None => iterable.downcast_exact::<Tuple>().map(|tuple| tuple.as_slice().to_vec()),
    };
    if let Some(mut all) = known.filter(|all| all.len() >= before + after) {
        let last = all.split_off(all.len() - after);
        let middle = List::from_vec(all.split_off(before)).into_value();
        return Ok(all.into_iter().chain([middle]).chain(last).collect());
    }
    let iterator = iterator_to_unpack(vm, iterable)?;
    let mut items = SmallVec::new();
    while items.len() < before {
        match vm.next(&iterator)? {
            Some(item) => items.push(item),
            None => {
                let (least, got) = (before + after, items.len());
                let message = format!("not enough values to unpack (expected at least {least}, got {got})");
                return Err(vm.value_error(message));
            }
        }
    }
    let mut rest = vm.collect(&iterator)?;
    if rest.len() < after {
        let (least, got) = (before + after, before + rest.len());
        return Err(vm.value_error(format!("not enough values to unpack (expected at least {least}, got {got})")));
    }
    let tail = rest.split_off(rest.len() - after);
    items.push(List::from_vec(rest).into_value());
    items.extend(tail);
    Ok(items)
}

/// `ascii(value)`.
fn ascii(vm: &Vm, value: &Value) -> Result {
    let ascii = vm.import_from("builtins", "ascii")?;
    vm.call(&ascii, std::slice::from_ref(value), None)
}
