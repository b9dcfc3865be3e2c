//! `code`: a code object, its constants and names as objects, and its register code.
//!
//! Counterpart of CPython's `Objects/codeobject.c`. Constants and names become objects, and the bytecode register code,
//! when the code is first run or looked at. Most code never is: what only code that runs has lies elsewhere, so that the
//! object itself is small.

mod attributes;
mod constants;
mod iterators;

use std::cell::Cell;
use std::ptr;
use std::sync::{Arc, OnceLock};

use taipan_bytecode::SharedCode;
use taipan_bytecode::Text;
use taipan_bytecode::code::{CO_NEWLOCALS, CO_OPTIMIZED, CO_VARARGS, CO_VARKEYWORDS};
use taipan_bytecode::linetable::{self, Position};
use taipan_bytecode::opcode::Opcode;
#[cfg(feature = "free-threading")]
use taipan_object::builtins::{bytes::BYTES, float::FLOAT, int::INT, str::STR, tuple::Tuple};
use taipan_object::header::Header;
use taipan_object::heap::{self, Kind};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec};
use taipan_object::{Ref, Result, Value, Vm};

use crate::config;
use crate::inspection::{self, Counting};
use crate::lower::{Lowered, lower_for_counting, lower_for_debugging, lower_shared};
use crate::verify::Checked;
use constants::Shared;
pub use constants::{interned, value_to_constant};

/// A code object.
#[repr(C)]
pub struct Code {
    pub header: Header,
    /// The register code that calls enter; null until it is made.
    pub entry: Cell<*const u64>,
    /// The constants as words, those of [`Lowered::small_ints`] behind `co_consts`.
    pub constants: Cell<*const u64>,
    /// The number of arguments if there are no others than positional ones, else −1.
    pub simple_args: i32,
    /// The same while there is an entry, else −1, too.
    pub exact_args: Cell<i32>,
    pub registers: Cell<u32>,
    /// [`Lowered::assigned`]
    pub assigned: Cell<u32>,
    nlocalsplus: u32,
    /// Bit i: there is a local i; of the first 32.
    pub locals_mask: u32,
    flags: u32,
    pub data: SharedCode,
    objects: OnceLock<Box<Objects>>,
    shared: Arc<Shared>,
    localsplusnames: OnceLock<Box<[Value]>>,
    name: OnceLock<Value>,
    qualname: OnceLock<Value>,
    code: OnceLock<Box<RegisterCode>>,
    debug_code: OnceLock<Box<RegisterCode>>,
    counting: OnceLock<Box<Counting>>,
    /// What reports about the code need to know.
    pub(crate) lines: OnceLock<Box<crate::monitoring::Lines>>,
    pub(crate) watched: crate::monitoring::Watched,
    /// `co_extra`, monitoring and others may hang data on a code by its id.
    pub version: u32,
}

struct Objects {
    consts: Box<[Value]>,
    names: Box<[Value]>,
}

fn interned_names(names: &[Text]) -> Box<[Value]> {
    names.iter().map(constants::interned).collect()
}

/// Makes a constant, and what it consists of, immortal.
#[cfg(feature = "free-threading")]
fn make_immortal(constant: &Value) {
    let Some(header) = constant.as_object() else { return };
    let ty = header.ty();
    if ty.is(&STR) || ty.is(&BYTES) || ty.is(&INT) || ty.is(&FLOAT) {
        header.make_immortal();
    } else if let Some(tuple) = constant.downcast_exact::<Tuple>() {
        header.make_immortal();
        tuple.as_slice().iter().for_each(make_immortal);
    }
}

/// Register code with its constants.
pub struct RegisterCode {
    pub lowered: Lowered,
    pub constants: Box<[Value]>,
}

// SAFETY: repr(C), header first. Constants are immutable and cannot refer to the code, so it is no container.
unsafe impl Payload for Code {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        CODE.ty()
    }
    fn traverse(&self, _: Visitor) {}
}

pub static CODE: TypeSpec = TypeSpec::new::<Code>("code")
    .doc(
        "code(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize,\n     \
        flags, codestring, constants, names, varnames, filename, name,\n     \
        qualname, firstlineno, linetable, exceptiontable, freevars=(),\n     \
        cellvars=(), /)\n\
        --\n\n\
        Compiled code.  compile() makes it; few programs need this constructor.",
    )
    .flags(taipan_object::types::type_flags::HAS_WEAKREF)
    .slots(attributes::slots)
    .methods(attributes::METHODS)
    .members(attributes::MEMBERS)
    .getset(attributes::GETSET);

impl Code {
    pub fn new(data: SharedCode) -> Ref<Code> {
        Self::sharing(data, Arc::default())
    }

    /// A code object that shares its constants with others.
    fn sharing(data: SharedCode, shared: Arc<Shared>) -> Ref<Code> {
        Self::build(data, OnceLock::new(), shared)
    }

    /// A code object whose constants are given as objects (they may be of any type).
    pub fn with_consts(data: SharedCode, consts: Vec<Value>) -> Ref<Code> {
        let objects = Objects { consts: consts.into(), names: interned_names(&data.names) };
        Self::build(data, OnceLock::from(Box::new(objects)), Arc::default())
    }

    fn build(mut data: SharedCode, objects: OnceLock<Box<Objects>>, shared: Arc<Shared>) -> Ref<Code> {
        if !config::get().code_debug_ranges {
            data = data.changed(|data| {
                data.linetable = linetable::without_columns(&data.linetable, data.firstlineno).into_vec().into();
            });
        }
        let head = data.head();
        let simple = head.flags & (CO_VARARGS | CO_VARKEYWORDS) == 0
            && head.kwonlyargcount == 0
            && head.flags & (CO_OPTIMIZED | CO_NEWLOCALS) == CO_OPTIMIZED | CO_NEWLOCALS;
        Ref::new(Code {
            header: Header::new(CODE.ty()),
            entry: Cell::new(ptr::null()),
            constants: Cell::new(ptr::null()),
            simple_args: if simple { head.argcount as i32 } else { -1 },
            exact_args: Cell::new(-1),
            registers: Cell::new(0),
            assigned: Cell::new(0),
            nlocalsplus: head.nlocalsplus,
            locals_mask: 1u32.checked_shl(head.nlocalsplus).map_or(u32::MAX, |bit| bit - 1),
            flags: head.flags,
            data,
            objects,
            shared,
            localsplusnames: OnceLock::new(),
            name: OnceLock::new(),
            qualname: OnceLock::new(),
            code: OnceLock::new(),
            debug_code: OnceLock::new(),
            counting: OnceLock::new(),
            lines: OnceLock::new(),
            watched: Default::default(),
            version: 0,
        })
    }

    fn objects(&self) -> &Objects {
        self.objects.get_or_init(|| {
            let consts: Box<[Value]> = self.data.consts.iter().map(|constant| self.shared.value(constant)).collect();
            #[cfg(feature = "free-threading")]
            if self.header.is_immortal() && !taipan_object::count::is_shared() {
                consts.iter().for_each(make_immortal);
            }
            Box::new(Objects { consts, names: interned_names(&self.data.names) })
        })
    }

    /// The code, which all threads use, never dies, and neither do its constants: nobody counts references to them.
    #[cfg(feature = "free-threading")]
    pub fn make_immortal(&self) {
        self.header.make_immortal();
        if let Some(objects) = self.objects.get() {
            objects.consts.iter().for_each(make_immortal);
        }
    }

    #[inline(always)]
    pub fn nlocalsplus(&self) -> usize {
        self.nlocalsplus as usize
    }

    pub fn consts(&self) -> &[Value] {
        &self.objects().consts
    }

    /// `co_name`
    pub fn name_value(&self) -> &Value {
        self.name.get_or_init(|| constants::interned(&self.data.name))
    }

    /// `co_qualname`
    pub fn qualname_value(&self) -> &Value {
        self.qualname.get_or_init(|| constants::interned(&self.data.qualname))
    }

    pub fn names(&self) -> &[Value] {
        &self.objects().names
    }

    /// An entry of `co_names`.
    #[inline(always)]
    pub fn name_at(&self, index: usize) -> &Value {
        &self.objects().names[index]
    }

    pub fn localsplusnames(&self) -> &[Value] {
        self.localsplusnames.get_or_init(|| interned_names(&self.data.localsplusnames))
    }

    pub fn flags(&self) -> u32 {
        self.flags
    }

    pub fn has_flag(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Positional, keyword-only, `*` and `**` parameters.
    pub fn total_args(&self) -> usize {
        (self.data.argcount + self.data.kwonlyargcount) as usize
            + self.has_flag(CO_VARARGS) as usize
            + self.has_flag(CO_VARKEYWORDS) as usize
    }

    /// The number of free variables.
    pub fn free_count(&self) -> usize {
        self.data.freevars().count()
    }

    pub fn qualname(&self) -> String {
        self.data.qualname.to_str_lossy().into_owned()
    }

    /// The register code that calls enter, made now if necessary; an error if the bytecode is unsound.
    pub fn enter(&self, vm: &Vm) -> Result<*const u64> {
        let entry = self.entry.get();
        if !entry.is_null() {
            return Ok(entry);
        }
        self.prepare(vm)
    }

    #[cold]
    fn prepare(&self, vm: &Vm) -> Result<*const u64> {
        let mut code: &RegisterCode = match self.code.get() {
            Some(code) => code,
            None => {
                // What the interpreter makes of the code for itself is no part of what the program allocates.
                let made = heap::without_tracing(|| self.make(vm, lower_shared(&self.data)))?;
                // Another thread may have been faster; either version will do.
                self.code.get_or_init(|| Box::new(made))
            }
        };
        if crate::monitoring::watching() {
            if !crate::monitoring::settle(vm, self) {
                code = self.debug_code(vm)?;
            }
        } else if inspection::counting() {
            code = &self.counting_code(vm)?.code;
        }
        self.constants.set(self.debug_code.get().map_or(code, |debug| debug).constants.as_ptr().cast());
        self.registers.set(code.lowered.registers);
        self.assigned.set(code.lowered.assigned);
        self.entry.set(code.lowered.words.as_ptr());
        self.exact_args.set(self.simple_args);
        Ok(self.entry.get())
    }

    /// The debug lowering. Its constants serve the other one too.
    pub fn debug_code(&self, vm: &Vm) -> Result<&RegisterCode> {
        if let Some(code) = self.debug_code.get() {
            return Ok(code);
        }
        let small_ints = self.code.get().map_or(&[][..], |code| &code.lowered.small_ints);
        let made = self.make(vm, lower_for_debugging(&self.data, small_ints))?;
        let code = self.debug_code.get_or_init(|| Box::new(made));
        self.constants.set(code.constants.as_ptr().cast());
        Ok(code)
    }

    /// The counting lowering, whose constants are those of the lowering for speed.
    fn counting_code(&self, vm: &Vm) -> Result<&Counting> {
        if let Some(counting) = self.counting.get() {
            return Ok(counting);
        }
        let code = self.make(vm, lower_for_counting(&self.data))?;
        Ok(self.counting.get_or_init(|| Box::new(Counting::new(code))))
    }

    /// What was counted, if the code was called while counting was on.
    pub fn counted(&self) -> Option<&Counting> {
        self.counting.get().map(|counting| &**counting)
    }

    /// The register code made afresh: nothing was run in it.
    pub fn lowered_afresh(&self, vm: &Vm, debug: bool) -> Result<RegisterCode> {
        self.make(vm, if debug { lower_for_debugging(&self.data, &[]) } else { lower_shared(&self.data) })
    }

    /// Lets the next call decide anew which lowering to enter.
    pub fn reconsider_entry(&self) {
        self.entry.set(ptr::null());
        self.exact_args.set(-1);
    }

    /// Whether `pc` lies in the debug lowering.
    pub fn is_debug_pc(&self, pc: *const u64) -> bool {
        self.debug_code.get().is_some_and(|code| code.lowered.words.as_ptr_range().contains(&pc))
    }

    fn make(&self, vm: &Vm, lowered: Checked<Lowered>) -> Result<RegisterCode> {
        let lowered = match lowered {
            Ok(lowered) => lowered,
            Err(error) => return Err(vm.system_error(format!("{error} in code object {}", self.qualname()))),
        };
        if self.consts().len() != self.data.consts.len() {
            return Err(vm.system_error("code object with inconsistent constants".to_string()));
        }
        let mut constants = self.consts().to_vec();
        constants.extend(lowered.small_ints.iter().map(|value| Value::small_int(*value as i64)));
        Ok(RegisterCode { lowered, constants: constants.into() })
    }

    fn lowerings(&self) -> impl Iterator<Item = &RegisterCode> {
        let counting = self.counting.get().map(|counting| &counting.code);
        let made = [&self.code, &self.debug_code].into_iter().filter_map(|code| code.get().map(|code| &**code));
        made.chain(counting)
    }

    /// The code to which `pc` belongs: the optimised or the debug lowering.
    pub fn register_code(&self, pc: *const u64) -> &RegisterCode {
        self.find_register_code(pc).expect("a frame's pc lies in its code")
    }

    fn find_register_code(&self, pc: *const u64) -> Option<&RegisterCode> {
        self.lowerings().find(|code| code.lowered.words.as_ptr_range().contains(&pc))
    }

    /// The line of the instruction at `pc`, if it is in this code and has one. Neither allocates nor panics.
    pub fn lineno_of_pc(&self, pc: *const u64) -> Option<i32> {
        let code = self.find_register_code(pc)?;
        self.lineno_of_unit(unit_in(code, pc))
    }

    /// The optimised lowering, if it was made.
    pub fn optimised(&self) -> Option<&RegisterCode> {
        self.code.get().map(|code| &**code)
    }

    /// The bytecode unit that the instruction at `pc` was made from.
    pub fn unit_of_pc(&self, pc: *const u64) -> u32 {
        unit_in(self.register_code(pc), pc)
    }

    /// As [`unit_of_pc`](Self::unit_of_pc), for a `pc` that may be none of this code's.
    pub fn try_unit_of_pc(&self, pc: *const u64) -> Option<u32> {
        self.find_register_code(pc).map(|code| unit_in(code, pc))
    }

    /// The unit of the first RESUME: before it, a frame is not yet complete.
    pub fn first_traceable(&self) -> u32 {
        let is_resume = |unit: &[u8]| unit[0] == Opcode::RESUME as u8;
        self.data.code.chunks_exact(2).position(is_resume).unwrap_or(0) as u32
    }

    pub fn position_of_unit(&self, unit: u32) -> Position {
        linetable::position_of(&self.data.linetable, self.data.firstlineno, unit)
    }

    pub fn lineno_of_unit(&self, unit: u32) -> Option<i32> {
        let lineno = self.position_of_unit(unit).lineno;
        (lineno != -1).then_some(lineno)
    }
}

fn unit_in(code: &RegisterCode, pc: *const u64) -> u32 {
    // SAFETY: `pc` lies in the words.
    let at = unsafe { pc.offset_from(code.lowered.words.as_ptr()) } as u32;
    code.lowered.unit_at(at)
}
