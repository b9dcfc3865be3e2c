//! `_taipan`: register code as Python programs can look at it, the counting of what it executes, and the heap's limit.
//!
//! While counting is on, calls enter the *counting lowering* of their code: the lowering for speed, with caches of its own,
//! and a `Count` before each instruction ([`crate::lower::lower_for_counting`]). Frames that are running stay in the code
//! that they run. When counting is off, none of this is executed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use taipan_object::builtins::list::List;
use taipan_object::builtins::structseq::StructSeq;
use taipan_object::header::Header;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm, heap, method_table};

use crate::code::{CODE, Code, RegisterCode};
use crate::eval::{describe_attribute_cache, describe_global_cache};
use crate::instruction::{Extra, Names, Op, operands};
use crate::lower::{self, NO_PC};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_taipan",
    doc: "Register code, what it executes, and the memory it may use. The module `taipan.explain` shows the first two.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.set("register_instruction", INSTRUCTION.ty(vm)?.to_value());
        Ok(())
    },
};

static INSTRUCTION: StructSeq = StructSeq::new(
    "_taipan.register_instruction",
    "An instruction of the register code.\n\n\
     pc: index of its first word, which jumps name\n\
     offset: that of the bytecode instruction it was made from, as in dis\n\
     opname, operands: as texts\n\
     cache: what its inline cache holds, as text; '' if it is empty, None if there is none\n\
     executed: how often it ran\n\
     hits, misses: how often its inline cache was right and was not\n\
     ints, floats, others: how often both of its operands were small ints, both were floats, or neither",
    &[
        Some("pc"),
        Some("offset"),
        Some("opname"),
        Some("operands"),
        Some("cache"),
        Some("executed"),
        Some("hits"),
        Some("misses"),
        Some("ints"),
        Some("floats"),
        Some("others"),
    ],
    11,
)
.sealed();

static COUNTING: AtomicBool = AtomicBool::new(false);

/// Whether calls enter the counting lowering.
pub fn counting() -> bool {
    COUNTING.load(Relaxed)
}

/// What an instruction is about to meet.
pub(crate) enum Met {
    Nothing,
    Hit,
    Miss,
    Ints,
    Floats,
    Others,
}

/// The counting lowering of a code object, and its counters.
pub struct Counting {
    pub code: RegisterCode,
    counters: Box<[Counter]>,
}

/// The counters of one instruction.
#[derive(Default)]
struct Counter {
    executed: AtomicU64,
    /// By [`Met`], without its first.
    met: [AtomicU64; 5],
}

impl Counting {
    pub(crate) fn new(code: RegisterCode) -> Counting {
        let words = &code.lowered.words;
        let counters = starts(words).filter(|at| words[*at] as u8 == Op::Count as u8).map(|_| Counter::default());
        Counting { counters: counters.collect(), code }
    }

    /// Counts instruction `number`.
    pub(crate) fn count(&self, number: usize, met: Met) {
        let Some(counter) = self.counters.get(number) else { return };
        counter.executed.fetch_add(1, Relaxed);
        if let Some(kind) = (met as usize).checked_sub(1) {
            counter.met[kind].fetch_add(1, Relaxed);
        }
    }
}

method_table! { static FUNCTIONS = [
    MethodDef::new(
        "register_code($module, code, /, *, debug=False)",
        "The register code of a code object: a list of register_instruction.\n\n\
         It is made afresh, for speed or as it is while a trace function watches.",
        |vm, _, args| {
            let code = code_argument(vm, &args[0])?;
            let register_code = code.lowered_afresh(vm, vm.is_true(&args[1])?)?;
            instructions(vm, code, &register_code, None)
        },
    ),
    MethodDef::new(
        "counted_code($module, code, /)",
        "The register code of a code object, with the caches and counts of its runs while counting was on.\n\n\
         None if there were none.",
        |vm, _, args| {
            let code = code_argument(vm, &args[0])?;
            match code.counted().zip(code.optimised()) {
                Some((counting, fast)) => instructions(vm, code, fast, Some(counting)),
                None => Ok(Value::NONE),
            }
        },
    ),
    MethodDef::new(
        "check($module, code, /)",
        "Verify a code object and lower it both ways, as its first call and its first traced call do.\n\n\
         Raise SystemError if the bytecode is unsound. Code objects among its constants are not looked at.",
        |vm, _, args| {
            let code = code_argument(vm, &args[0])?;
            for debug in [false, true] {
                code.lowered_afresh(vm, debug)?;
            }
            Ok(Value::NONE)
        },
    ),
    MethodDef::new(
        "set_counting($module, on, /)",
        "Let calls from now on count the instructions that they execute, or not.",
        |vm, _, args| {
            set_counting(vm.is_true(&args[0])?);
            Ok(Value::NONE)
        },
    ),
    MethodDef::new(
        "limit_memory($module, bytes, /)",
        "Let no more than about so many bytes be allocated; requests beyond raise MemoryError.\n\n\
         Objects and buffers of the interpreter's own count, not what C libraries allocate. None: as many as there are.",
        |vm, _, args| {
            let bytes = match args[0].is_none() {
                true => usize::MAX,
                false => vm.index_clipped(&args[0])?.max(0) as usize,
            };
            heap::set_limit(bytes);
            Ok(Value::NONE)
        },
    ),
    MethodDef::new("is_counting($module, /)", "Whether calls count.", |_, _, _| Ok(Value::bool(counting()))),
]; }

fn code_argument<'a>(vm: &Vm, value: &'a Value) -> Result<&'a Code> {
    match value.downcast::<Code>() {
        Some(code) => Ok(code),
        None => Err(vm.type_error(format!("expected a code object, not '{}'", value.ty().name()))),
    }
}

fn set_counting(on: bool) {
    if COUNTING.swap(on, Relaxed) == on {
        return;
    }
    heap::for_each_object(&mut |object| {
        // SAFETY: the walk shows live objects.
        let header = unsafe { object.cast::<Header>().as_ref() };
        if header.ty().is(&CODE) {
            // SAFETY: an exact instance of the type.
            unsafe { object.cast::<Code>().as_ref() }.reconsider_entry();
        }
    });
}

/// Where instructions start.
fn starts(words: &[u64]) -> impl Iterator<Item = usize> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        at += Op::from_u8(*words.get(start)? as u8).map_or(1, Op::len);
        Some(start)
    })
}

/// The names of one code object.
struct CodeNames<'a> {
    vm: &'a Vm,
    code: &'a Code,
    constants: &'a [Value],
}

impl Names for CodeNames<'_> {
    fn register(&self, number: u16) -> String {
        let number = number as usize;
        match self.code.localsplusnames().get(number) {
            Some(name) => text_of(name),
            None => format!("s{}", number - self.code.nlocalsplus()),
        }
    }

    fn name(&self, index: u32) -> String {
        self.code.names().get(index as usize).map_or_else(|| format!("name{index}"), text_of)
    }

    fn constant(&self, index: u32) -> String {
        let Some(constant) = self.constants.get(index as usize) else { return format!("k{index}") };
        if let Some(code) = constant.downcast::<Code>() {
            return format!("<code {}>", code.qualname());
        }
        match self.vm.repr_string(constant) {
            Ok(text) => text,
            Err(raised) => {
                self.vm.discard(raised);
                format!("k{index}")
            }
        }
    }
}

fn text_of(name: &Value) -> String {
    name.downcast::<taipan_object::builtins::str::Str>().map_or_else(String::new, |name| name.to_string_lossy())
}

/// The offset in the bytecode that each word belongs to: that of the last instruction whose register code starts there or
/// before.
fn offsets(code: &Code, register_code: &RegisterCode) -> Vec<u32> {
    let mut offsets = vec![0; register_code.lowered.words.len()];
    let mut known: Vec<(u32, u32)> = Vec::new();
    let kept = &register_code.lowered.pc_of_unit;
    let made = if kept.is_empty() { lower::pc_of_unit(&code.data).unwrap_or_default() } else { Vec::new() };
    for (unit, &pc) in if kept.is_empty() { &made } else { kept }.iter().enumerate() {
        if pc != NO_PC {
            known.push((pc, unit as u32 * 2));
        }
    }
    let mut known = known.into_iter().peekable();
    let mut current = 0;
    for (at, offset) in offsets.iter_mut().enumerate() {
        while let Some((_, of)) = known.next_if(|(pc, _)| *pc as usize <= at) {
            current = of;
        }
        *offset = current;
    }
    offsets
}

/// The instructions of `register_code`; with what was counted in it, if it is the code for speed and `counting` is given.
fn instructions(vm: &Vm, code: &Code, register_code: &RegisterCode, counting: Option<&Counting>) -> Result {
    let names = CodeNames { vm, code, constants: &register_code.constants };
    let words = &register_code.lowered.words;
    let offsets = offsets(code, register_code);
    let mut all = Vec::new();
    for (number, at) in starts(words).enumerate() {
        let Some(op) = Op::from_u8(words[at] as u8) else { continue };
        // Behind this instruction's `Count`, and those of the instructions before.
        let cache_words = counting.and_then(|counting| counting.code.lowered.words.get(at + number + 1..));
        let first = cache_words.unwrap_or(&words[at..]).get(1).copied().unwrap_or_default();
        let cache = match op.extras().contains(&Extra::cache) {
            false => Value::NONE,
            true if op.unquickened() == Op::LoadGlobal => Value::from(describe_global_cache(first).unwrap_or_default()),
            true => Value::from(describe_attribute_cache(first).unwrap_or_default().as_str()),
        };
        let operands = operands(op, words, at, &names);
        let mut fields = vec![
            Value::from(at as i64),
            Value::from(i64::from(offsets[at])),
            Value::from(op.name()),
            Value::from(operands.trim_start()),
            cache,
        ];
        let count = |number: &AtomicU64| Value::from(number.load(Relaxed) as i64);
        match counting.and_then(|counting| counting.counters.get(number)) {
            Some(counter) => {
                fields.push(count(&counter.executed));
                fields.extend(counter.met.iter().map(count));
            }
            None => fields.extend((0..6).map(|_| Value::from(0))),
        }
        all.push(INSTRUCTION.instance(vm, fields)?);
    }
    Ok(List::from_vec(all).into_value())
}
