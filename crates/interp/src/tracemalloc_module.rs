//! `_tracemalloc`: where the memory that is in use was allocated. Counterpart of CPython's `Python/tracemalloc.c`.
//!
//! The heap reports every allocation and free, of objects and of the buffers they own, while tracing is on
//! (`heap/trace.rs` of the object layer); `traces.rs` keeps what was reported. All of it is in domain 0.

mod traces;

use std::collections::HashMap;
use std::sync::Arc;

use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::heap;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm, method_table};

use traces::Traceback;
pub use traces::{after_fork, before_fork};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_tracemalloc",
    doc: "The tracing of memory allocations behind tracemalloc.",
    functions: FUNCTIONS,
    exec: |_, _| Ok(()),
};

/// As many frames of an allocation can be kept.
const MAX_FRAMES: i32 = u16::MAX as i32;

method_table! {
    static FUNCTIONS = [
        MethodDef::new("is_tracing($module, /)", "Whether allocations are traced.", |_, _, _| {
            Ok(Value::bool(traces::is_tracing()))
        }),
        MethodDef::new("clear_traces($module, /)", "Forget all traces.", |_, _, _| {
            traces::clear();
            Ok(Value::NONE)
        }),
        MethodDef::new(
            "_get_traces($module, /)",
            "The traces of all blocks, each with its size and pairs of file and line.",
            |_, _, _| Ok(all_traces()),
        ),
        MethodDef::new(
            "_get_object_traceback($module, obj, /)",
            "Where *obj* was allocated: pairs of file and line; None if that was not traced.",
            |_, _, args| {
                let Some(header) = args[0].as_object() else { return Ok(Value::NONE) };
                let traceback = traces::traceback_of(header as *const _ as usize);
                Ok(traceback.map_or(Value::NONE, |traceback| Names::default().tuple(&traceback)))
            },
        ),
        MethodDef::new(
            "start($module, nframe=1, /)",
            "Trace allocations from now on, with at most *nframe* calls each.",
            |vm, _, args| {
                start(vm, vm.index_i32(&args[0])?)?;
                Ok(Value::NONE)
            },
        ),
        MethodDef::new(
            "stop($module, /)",
            "Trace no more, and forget all traces.",
            |_, _, _| {
                traces::stop();
                Ok(Value::NONE)
            },
        ),
        MethodDef::new(
            "get_traceback_limit($module, /)",
            "How many calls a trace keeps at most.",
            |_, _, _| Ok(Value::from(traces::limit())),
        ),
        MethodDef::new(
            "get_tracemalloc_memory($module, /)",
            "The bytes that the traces themselves take.",
            |_, _, _| Ok(Value::from(traces::own_memory())),
        ),
        MethodDef::new(
            "get_traced_memory($module, /)",
            "The bytes that traced blocks take now, and the most they took.",
            |_, _, _| {
                let (size, peak) = traces::traced_memory();
                Ok(Tuple::from_array([Value::from(size), Value::from(peak)]).into_value())
            },
        ),
        MethodDef::new(
            "reset_peak($module, /)",
            "Let the peak be what is taken now.",
            |_, _, _| {
                traces::reset_peak();
                Ok(Value::NONE)
            },
        ),
    ];
}

/// Starts tracing; nothing changes if it is on.
pub fn start(vm: &Vm, frames: i32) -> Result<()> {
    if !(1..=MAX_FRAMES).contains(&frames) {
        return Err(vm.value_error(format!("the number of frames must be in range [1; {MAX_FRAMES}]")));
    }
    traces::start(frames as usize);
    Ok(())
}

/// The files' names as objects, shared among the tracebacks that are shown together.
#[derive(Default)]
struct Names(HashMap<usize, Value>);

impl Names {
    /// A traceback as Python sees it: (file, line) of each frame, the innermost first.
    fn tuple(&mut self, traceback: &Traceback) -> Value {
        let frames = traceback.frames.iter().map(|frame| {
            let name = self.0.entry(frame.code.address());
            let name = name.or_insert_with(|| crate::code::interned(&frame.code.filename)).clone();
            Tuple::from_array([name, Value::from(frame.lineno())]).into_value()
        });
        let mut frames: Vec<Value> = frames.collect();
        if frames.is_empty() {
            frames.push(Tuple::from_array([Value::from("<unknown>"), Value::from(0)]).into_value());
        }
        Tuple::from_vec(frames).into_value()
    }
}

fn all_traces() -> Value {
    // The list is not to be found in itself.
    heap::without_tracing(|| {
        let mut names = Names::default();
        let mut tuples: HashMap<*const Traceback, Value> = HashMap::new();
        let all = traces::all().into_iter().map(|(size, traceback)| {
            let frames = tuples.entry(Arc::as_ptr(&traceback)).or_insert_with(|| names.tuple(&traceback)).clone();
            let total = Value::from(traceback.total.max(1));
            Tuple::from_array([Value::from(0), Value::from(size), frames, total]).into_value()
        });
        List::from_vec(all.collect()).into_value()
    })
}
