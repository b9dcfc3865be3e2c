//! `_remote_debugging`: looking into other processes. The types of the results are here; the looking is not: processes
//! of Taipan do not say where their frames are.

use taipan_object::builtins::structseq::StructSeq;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::module::ModuleDef;
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec, type_flags};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_remote_debugging",
    doc: "",
    functions: &[],
    exec: |vm, module| {
        module.add_type(&REMOTE_UNWINDER);
        for (name, ty) in [
            ("TaskInfo", &TASK_INFO),
            ("FrameInfo", &FRAME_INFO),
            ("CoroInfo", &CORO_INFO),
            ("ThreadInfo", &THREAD_INFO),
            ("AwaitedInfo", &AWAITED_INFO),
        ] {
            module.set(name, ty.ty(vm)?.to_value());
        }
        int_constants!(module; PROCESS_VM_READV_SUPPORTED = 0);
        Ok(())
    },
};

static TASK_INFO: StructSeq = StructSeq::new(
    "_remote_debugging.TaskInfo",
    "A task of asyncio.",
    &[Some("task_id"), Some("task_name"), Some("coroutine_stack"), Some("awaited_by")],
    4,
);

static FRAME_INFO: StructSeq =
    StructSeq::new("_remote_debugging.FrameInfo", "A frame.", &[Some("filename"), Some("lineno"), Some("funcname")], 3);

static CORO_INFO: StructSeq =
    StructSeq::new("_remote_debugging.CoroInfo", "A coroutine.", &[Some("call_stack"), Some("task_name")], 2);

static THREAD_INFO: StructSeq =
    StructSeq::new("_remote_debugging.ThreadInfo", "A thread.", &[Some("thread_id"), Some("frame_info")], 2);

static AWAITED_INFO: StructSeq = StructSeq::new(
    "_remote_debugging.AwaitedInfo",
    "What a thread is awaiting.",
    &[Some("thread_id"), Some("awaited_by")],
    2,
);

/// The class that CPython looks into processes with; it has no instances here.
#[repr(C)]
struct RemoteUnwinder {
    header: Header,
}

// SAFETY: repr(C), header first, owns no references.
unsafe impl Payload for RemoteUnwinder {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        REMOTE_UNWINDER.ty()
    }
}

static REMOTE_UNWINDER: TypeSpec = TypeSpec::new::<RemoteUnwinder>("_remote_debugging.RemoteUnwinder")
    .doc("RemoteUnwinder(pid): not available.")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, _, _, _| Err(vm.not_implemented_error("looking into other processes is not implemented")));
    });
