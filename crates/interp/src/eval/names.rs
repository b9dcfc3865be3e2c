//! Locals that may be unbound, cells, globals and the names of class and module code.
//!
//! LOAD_GLOBAL's caches are {keys version of the globals: 32, of the builtins: 32} and the address of the value's place in
//! the one that has the name; the builtins' version is 0 if it is the globals. A keys version says which names a dict has, and
//! that its entries have not moved, so the value is read afresh. The second word is 0 as long as there is no cache.

use taipan_bytecode::code::CO_OPTIMIZED;
use taipan_object::builtins::cell::Cell;
use taipan_object::builtins::dict::{DICT, Dict, Probe};
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::{self, NAME_ERROR, UNBOUND_LOCAL_ERROR, new_exception, set_field};
use taipan_object::types::TypeSpec;
use taipan_object::vm::names;
use taipan_object::{Ref, Result, Value, Vm};

use super::{Flow, Machine, release_operands, view, word_of};
use crate::frame::{Frame, is_pointer, release, release_live, retain, retain_live};
use crate::function::Function;
use crate::instruction::{FAILURES, Fetched, LENDS, Op, Word, write_op};

/// The value that a filled cache of LOAD_GLOBAL gives in `function`, borrowed.
///
/// # Safety
/// The words are the caches of an instruction of the function's code.
#[inline(always)]
pub(super) unsafe fn cached_global(function: &Function, first: u64, second: u64) -> Option<u64> {
    // SAFETY: by contract; versions say that the place is still the name's. Nothing runs between the tests and the read.
    unsafe {
        if cached_version(&function.globals) != first as u32 || second == 0 {
            return None;
        }
        let builtins_version = (first >> 32) as u32;
        if builtins_version != 0 && cached_version(&function.builtins) != builtins_version {
            return None;
        }
        Some(*(second as *const u64))
    }
}

/// Where the value is that [`cached_global`] gives.
///
/// # Safety
/// It gives one.
#[cfg(feature = "free-threading")]
pub(super) unsafe fn cached_place(second: u64) -> *const u64 {
    second as *const u64
}

/// Whether the cache of a LOAD_GLOBAL is about the globals.
#[cfg(feature = "free-threading")]
pub(super) fn is_in_globals(first: u64) -> bool {
    first >> 32 == 0
}

/// In words, what the cache of a LOAD_GLOBAL holds; `None` if nothing.
pub(crate) fn describe_global_cache(first: u64) -> Option<&'static str> {
    match first {
        0 => None,
        _ if first >> 32 == 0 => Some("globals"),
        _ => Some("builtins"),
    }
}

/// "name 'x' is not defined", with the name as attribute.
pub(crate) fn raise_name_error(vm: &Vm, class: &'static TypeSpec, message: String, name: &Value) {
    let exception = new_exception(class.ty(), vec![Value::from(message)]);
    set_field(&exception, &names().name, name.clone());
    let _ = vm.raise(exception);
}

/// Raises the error of an unbound local, cell or free variable.
#[cold]
#[inline(never)]
pub(crate) fn raise_unbound(vm: &Vm, frame: &Frame, local: u16) {
    let code = frame.code();
    let name = &code.localsplusnames()[local as usize];
    let text = vm.display_name(name);
    if code.data.localspluskinds[local as usize] & taipan_bytecode::code::CO_FAST_FREE != 0 {
        let message =
            format!("cannot access free variable '{text}' where it is not associated with a value in enclosing scope");
        raise_name_error(vm, &NAME_ERROR, message, name);
    } else {
        let message = format!("cannot access local variable '{text}' where it is not associated with a value");
        let _ = vm.raise_new(UNBOUND_LOCAL_ERROR.ty(), message);
    }
}

#[cold]
fn raise_undefined(vm: &Vm, name: &Value) {
    raise_name_error(vm, &NAME_ERROR, format!("name '{}' is not defined", vm.display_name(name)), name);
}

/// `mapping[name]`, None for a `KeyError`.
fn get_optional(vm: &Vm, mapping: &Value, name: &Value) -> Result<Option<Value>> {
    if let Some(dict) = mapping.downcast_exact::<Dict>() {
        return dict.get(vm, name);
    }
    match vm.get_item(mapping, name) {
        Ok(value) => Ok(Some(value)),
        Err(raised) => vm.catch(raised, exceptions::KEY_ERROR.ty()).map(|_| None),
    }
}

fn global(vm: &Vm, frame: &Frame, name: &Value) -> Result<Option<Value>> {
    let function = frame.function();
    match get_optional(vm, function.globals.as_value(), name)? {
        Some(value) => Ok(Some(value)),
        None => get_optional(vm, function.builtins.as_value(), name),
    }
}

fn found(vm: &Vm, result: Result<Option<Value>>, name: &Value) -> u64 {
    match result {
        Ok(Some(value)) => value.into_word(),
        Ok(None) => {
            raise_undefined(vm, name);
            0
        }
        Err(_) => 0,
    }
}

fn hash_of(name: &Value) -> i64 {
    name.downcast::<Str>().map_or(0, Str::hash)
}

#[cold]
#[inline(never)]
unsafe fn load_global_slow(vm: &Vm, frame: &Frame, index: u32, caches: *mut u64) -> u64 {
    let name = frame.code().name_at(index as usize);
    let function = frame.function();
    let (globals, builtins) = (&function.globals, &function.builtins);
    if globals.as_value().ty().is(&DICT) && builtins.as_value().ty().is(&DICT) {
        let mut table = globals.state.borrow(&globals.header);
        let version = table.keys_version();
        let mut caches_made = None;
        let hash = hash_of(name);
        // Where only `__eq__` could tell a key from the name, nothing is cached.
        match table.lookup(name, hash) {
            Probe::Found(entry) if version != 0 => {
                caches_made = Some((version as u64, &raw const table.entries[entry].value));
            }
            Probe::Absent if !std::ptr::eq(&**globals, &**builtins) => {
                drop(table);
                let mut builtins_table = builtins.state.borrow(&builtins.header);
                let builtins_version = builtins_table.keys_version();
                if let Probe::Found(entry) = builtins_table.lookup(name, hash)
                    && version != 0
                    && builtins_version != 0
                {
                    let versions = version as u64 | (builtins_version as u64) << 32;
                    caches_made = Some((versions, &raw const builtins_table.entries[entry].value));
                }
            }
            _ => {}
        }
        if let Some((first, second)) = caches_made {
            // SAFETY: the instruction has two cache words.
            unsafe {
                *caches.add(1) = 0;
                *caches = first;
                *caches.add(1) = second as u64;
                let w = Word::decode(*caches.sub(1));
                if w.op() == Op::LoadGlobal as u8 && w.flags() & !FAILURES == 0 && w.flags() & FAILURES != FAILURES {
                    write_op(caches.sub(1), if first >> 32 == 0 { Op::LoadModuleGlobal } else { Op::LoadBuiltin });
                }
            }
        }
    }
    found(vm, global(vm, frame, name), name)
}

/// Where names that are no fast locals live. A function of module code, if it is called, has its globals for that.
fn namespace_of(vm: &Vm, frame: &Frame) -> Result {
    match frame.namespace {
        0 if frame.code().has_flag(CO_OPTIMIZED) => Err(vm.system_error("a function has no namespace for its names")),
        0 => Ok(frame.function().globals.as_value().clone()),
        // SAFETY: the frame owns its namespace.
        namespace => Ok(unsafe { view(&namespace) }.clone()),
    }
}

#[cold]
#[inline(never)]
fn load_name_slow(vm: &Vm, frame: &Frame, name: &Value) -> u64 {
    let result = namespace_of(vm, frame).and_then(|namespace| get_optional(vm, &namespace, name));
    match result {
        Ok(None) => found(vm, global(vm, frame, name), name),
        result => found(vm, result, name),
    }
}

#[inline(never)]
unsafe fn store_name_slow(vm: &Vm, frame: &Frame, name: &Value, value: &Value) -> Result<()> {
    let namespace = namespace_of(vm, frame)?;
    match namespace.downcast_exact::<Dict>() {
        Some(dict) => dict.set(vm, name, value.clone()),
        None => vm.set_item(&namespace, name, value),
    }
}

#[cold]
#[inline(never)]
unsafe fn delete_name_slow(vm: &Vm, frame: &Frame, name: &Value) -> Result<()> {
    let namespace = namespace_of(vm, frame)?;
    let deleted = vm.delete_item(&namespace, name);
    deleted.or_else(|raised| {
        vm.catch(raised, exceptions::KEY_ERROR.ty())?;
        raise_undefined(vm, name);
        Err(vm.raised())
    })
}

#[cold]
#[inline(never)]
fn make_cell(word: u64) -> u64 {
    // SAFETY: the local's reference passes to the cell.
    let content = if word == 0 { None } else { Some(unsafe { Value::from_word(word) }) };
    Cell::new(content).into_value().into_word()
}

impl Machine<'_> {
    #[inline(always)]
    pub(super) fn outcome(&mut self, result: Result<()>, words: usize) -> Flow {
        match result {
            // SAFETY: the instruction has `words` words.
            Ok(()) => unsafe { self.advance(words) },
            Err(_) => self.unwind(),
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) unsafe fn cell_missing(&mut self) -> Flow {
        let _ = self.vm.system_error("local variable is no cell");
        self.unwind()
    }

    #[inline(never)]
    pub unsafe fn check_cell(&mut self, w: Fetched) -> Flow {
        // SAFETY: a local is null or live.
        unsafe {
            let word = self.get(w.b());
            if word != 0 && view(&word).downcast_exact::<Cell>().is_some() {
                return self.advance(1);
            }
            self.save();
            self.cell_missing()
        }
    }

    /// A parameter that the caller lends gets its own reference.
    #[inline(always)]
    pub(super) unsafe fn own_parameter(&mut self, local: u16) {
        // SAFETY: the frame is alive and the parameter's value with it.
        unsafe {
            let borrowed = (*self.frame).borrowed;
            if borrowed != 0 && local < 32 && borrowed >> local & 1 != 0 {
                (*self.frame).borrowed = borrowed & !(1 << local);
                retain(self.get(local));
            }
        }
    }

    #[inline(never)]
    pub unsafe fn load_fast_and_clear(&mut self, w: Fetched) -> Flow {
        // SAFETY: the reference moves with the word.
        unsafe {
            self.own_parameter(w.b());
            self.put(w.a(), self.get(w.b()));
            self.put(w.b(), 0);
            self.advance(1)
        }
    }

    #[inline(never)]
    pub unsafe fn make_cell(&mut self, w: Fetched) -> Flow {
        // SAFETY: the local's reference moves into the cell.
        unsafe {
            self.save();
            self.own_parameter(w.a());
            let cell = make_cell(self.get(w.a()));
            self.put(w.a(), cell);
            self.advance(1)
        }
    }

    #[inline(never)]
    pub unsafe fn copy_free_vars(&mut self, w: Fetched) -> Flow {
        // SAFETY: the verifier compared `c` with the number of free variables, which are the last locals.
        unsafe {
            let frame = self.frame();
            let cells = frame.function().closure.get().map_or(&[][..], |closure| closure.as_slice());
            if cells.len() != w.c() as usize {
                self.save();
                let _ = self.vm.system_error("function has no closure for its code's free variables");
                return self.unwind();
            }
            let first = frame.code().nlocalsplus() - cells.len();
            let mut place = self.regs.add(first);
            for cell in cells {
                retain_live(cell.word());
                let old = std::mem::replace(&mut *place, cell.word());
                if old != 0 {
                    release(old);
                }
                place = place.add(1);
            }
            self.advance(1)
        }
    }

    /// The content of the cell in local `index`, borrowed; 0 if it is empty.
    #[inline(always)]
    pub(super) unsafe fn cell_content(&self, index: u16) -> u64 {
        // SAFETY: the verifier (or CheckCell) says that the local is a cell; `Option<Value>` is one word.
        unsafe {
            let cell = &*(self.get(index) as *const Cell);
            *cell.contents.as_ptr().cast::<u64>()
        }
    }

    #[inline(always)]
    pub unsafe fn load_deref(&mut self, w: Fetched) -> Flow {
        // SAFETY: the content is live.
        unsafe {
            let word = self.cell_content(w.b());
            if word == 0 {
                self.save();
                raise_unbound(self.vm, self.frame(), w.b());
                return self.unwind();
            }
            self.set(w, retain_live(word));
            self.advance(1)
        }
    }

    #[inline(always)]
    pub unsafe fn store_deref(&mut self, w: Fetched) -> Flow {
        // SAFETY: as in `cell_content`; the old content was the cell's.
        unsafe {
            let word = self.take_b(w);
            let cell = &*(self.get(w.c()) as *const Cell);
            let old = std::mem::replace(&mut *cell.contents.as_ptr().cast::<u64>(), word);
            if is_pointer(old) {
                self.save();
                release(old);
            }
            self.advance(1)
        }
    }

    #[inline(never)]
    pub unsafe fn delete_deref(&mut self, w: Fetched) -> Flow {
        // SAFETY: as in `store_deref`.
        unsafe {
            self.save();
            if self.cell_content(w.b()) == 0 {
                raise_unbound(self.vm, self.frame(), w.b());
                return self.unwind();
            }
            (*(self.get(w.b()) as *const Cell)).set(None);
            self.advance(1)
        }
    }

    #[inline(always)]
    pub unsafe fn load_global(&mut self, w: Fetched) -> Flow {
        // SAFETY: the frame's function and its dicts are alive; entries own their values.
        unsafe {
            if let Some(word) = cached_global((*self.frame).function(), self.extra(1), self.extra(2)) {
                if w.flags() & LENDS == 0 {
                    retain_live(word);
                }
                self.set(w, word);
                return self.advance(3);
            }
            self.save();
            let caches = self.pc.add(1).cast_mut();
            let word = load_global_slow(self.vm, self.frame(), w.bc(), caches);
            if w.flags() & LENDS != 0 && word != 0 {
                return out!(self.lend_global(w, word));
            }
            self.finish(w, word, 3)
        }
    }

    /// LoadGlobal of a name whose place is in the cache, as long as that holds: in the globals, or with `BUILTIN` in the built-ins,
    /// which the globals must not hide.
    #[inline(always)]
    pub unsafe fn load_known_global<const BUILTIN: bool>(&mut self, w: Fetched) -> Flow {
        // SAFETY: the frame's function and its dicts are alive; entries own their values. The cache is filled.
        unsafe {
            let function = (*self.frame).function();
            let versions = self.pc.add(1).cast::<u32>();
            if cached_version(&function.globals) == versions.read_volatile()
                && (!BUILTIN || cached_version(&function.builtins) == versions.add(1).read_volatile())
            {
                self.put(w.a(), retain_live(*(self.extra(2) as *const u64)));
                return self.advance(3);
            }
            self.unquicken(Op::LoadGlobal)
        }
    }

    /// Ends a LoadGlobal that is to lend the owned `word`, and may if the cache now says that a dict has it, too.
    #[cold]
    #[inline(never)]
    unsafe fn lend_global(&mut self, w: Fetched, word: u64) -> Flow {
        // SAFETY: as in `load_global`; the word's own reference is not the last one if it is released.
        unsafe {
            let lends = Fetched::at(self.pc).flags() & LENDS != 0;
            if lends && cached_global((*self.frame).function(), self.extra(1), self.extra(2)) == Some(word) {
                release_live(word);
            } else {
                self.stop_lending();
            }
            self.finish(w, word, 3)
        }
    }

    #[inline(never)]
    pub unsafe fn store_global(&mut self, w: Fetched) -> Flow {
        // SAFETY: a live operand, released if owned.
        unsafe {
            self.save();
            let frame = &*self.frame;
            let name = frame.code().name_at(w.c() as usize);
            let value = self.get(w.b());
            let globals = &frame.function().globals;
            let result = if globals.as_value().ty().is(&DICT) {
                globals.set_str(name, view(&value).clone());
                Ok(())
            } else {
                self.vm.set_item(globals.as_value(), name, view(&value))
            };
            release_operands(w.flags(), value, 1);
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn delete_global(&mut self, w: Fetched) -> Flow {
        // SAFETY: the frame is alive.
        unsafe {
            self.save();
            let frame = &*self.frame;
            let name = frame.code().name_at(w.c() as usize);
            match frame.function().globals.remove(self.vm, name) {
                Ok(Some(_)) => self.advance(1),
                Ok(None) => {
                    raise_undefined(self.vm, name);
                    self.unwind()
                }
                Err(_) => self.unwind(),
            }
        }
    }

    #[inline(never)]
    pub unsafe fn load_name(&mut self, w: Fetched) -> Flow {
        // SAFETY: the frame is alive.
        unsafe {
            self.save();
            let frame = &*self.frame;
            let word = load_name_slow(self.vm, frame, frame.code().name_at(w.bc() as usize));
            self.finish(w, word, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn store_name(&mut self, w: Fetched) -> Flow {
        // SAFETY: a live operand, released if owned.
        unsafe {
            self.save();
            let frame = &*self.frame;
            let value = self.get(w.b());
            let result = store_name_slow(self.vm, frame, frame.code().name_at(w.c() as usize), view(&value));
            release_operands(w.flags(), value, 1);
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn delete_name(&mut self, w: Fetched) -> Flow {
        // SAFETY: the frame is alive.
        unsafe {
            self.save();
            let frame = &*self.frame;
            let result = delete_name_slow(self.vm, frame, frame.code().name_at(w.c() as usize));
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn load_locals(&mut self, w: Fetched) -> Flow {
        // SAFETY: the frame owns its namespace.
        unsafe {
            self.save();
            let namespace = (*self.frame).namespace;
            if namespace == 0 {
                let _ = self.vm.system_error("no locals");
                return self.unwind();
            }
            self.finish(w, retain_live(namespace), 1)
        }
    }

    #[inline(never)]
    pub unsafe fn load_from_dict_or_deref(&mut self, w: Fetched) -> Flow {
        // SAFETY: a live operand, released if owned; the verifier saw to the cell.
        unsafe {
            self.save();
            let frame = &*self.frame;
            let mapping = self.get(w.b());
            let name = &frame.code().localsplusnames()[w.c() as usize];
            let word = match get_optional(self.vm, view(&mapping), name) {
                Ok(Some(value)) => value.into_word(),
                Ok(None) => match self.cell_content(w.c()) {
                    0 => {
                        raise_unbound(self.vm, frame, w.c());
                        0
                    }
                    word => retain_live(word),
                },
                Err(_) => 0,
            };
            release_operands(w.flags(), mapping, 1);
            self.finish(w, word, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn load_from_dict_or_globals(&mut self, w: Fetched) -> Flow {
        // SAFETY: a live operand, released if owned.
        unsafe {
            self.save();
            let frame = &*self.frame;
            let mapping = self.get(w.b());
            let name = frame.code().name_at(w.c() as usize);
            let result = match get_optional(self.vm, view(&mapping), name) {
                Ok(None) => global(self.vm, frame, name),
                result => result,
            };
            let word = found(self.vm, result, name);
            release_operands(w.flags(), mapping, 1);
            self.finish(w, word, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn load_build_class(&mut self, w: Fetched) -> Flow {
        // SAFETY: the frame is alive.
        unsafe {
            self.save();
            let name = &names().__build_class__;
            let word = match get_optional(self.vm, (*self.frame).function().builtins.as_value(), name) {
                Ok(Some(value)) => value.into_word(),
                Ok(None) => {
                    let _ = self.vm.name_error("__build_class__ not found");
                    0
                }
                Err(_) => 0,
            };
            self.finish(w, word, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn setup_annotations(&mut self) -> Flow {
        // SAFETY: the frame owns its namespace.
        unsafe {
            self.save();
            let namespace = (*self.frame).namespace;
            if namespace == 0 {
                let _ = self.vm.system_error("no locals found when setting up annotations");
                return self.unwind();
            }
            let name = &names().__annotations__;
            let result = match get_optional(self.vm, view(&namespace), name) {
                Ok(None) => self.vm.set_item(view(&namespace), name, Dict::new().as_value()),
                result => result.map(drop),
            };
            self.outcome(result, 1)
        }
    }

    #[inline(never)]
    pub unsafe fn load_common_constant(&mut self, w: Fetched) -> Flow {
        use taipan_bytecode::oparg::CommonConstant;
        // SAFETY: the frame is alive.
        unsafe {
            self.save();
            let result = match CommonConstant::from_oparg(w.c() as u32) {
                Some(CommonConstant::AssertionError) => Ok(exceptions::ASSERTION_ERROR.value()),
                Some(CommonConstant::NotImplementedError) => Ok(exceptions::NOT_IMPLEMENTED_ERROR.value()),
                Some(CommonConstant::Tuple) => Ok(taipan_object::builtins::tuple::TUPLE.value()),
                Some(CommonConstant::All) => self.interp.builtin(self.vm, "all"),
                _ => self.interp.builtin(self.vm, "any"),
            };
            self.finish(w, word_of(result), 1)
        }
    }
}

#[inline(always)]
unsafe fn cached_version(dict: &Ref<Dict>) -> u32 {
    // SAFETY: nothing runs while the version is read.
    unsafe { (*dict.state.as_ptr()).current_keys_version() }
}
