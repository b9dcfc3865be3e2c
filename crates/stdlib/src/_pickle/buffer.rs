//! `PickleBuffer`: an object's memory, which may be kept out of the pickle.

use crate::payload::{Field, class_of, payload};
use taipan_object::buffer::{Buffer, buffer_flags};
use taipan_object::builtins::memoryview::MemoryView;
use taipan_object::native::MethodDef;
use taipan_object::native::signature::Signature;
use taipan_object::object::Visitor;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Raised, Result, Value, Vm, method_table};

payload! {
    /// `buffer`: `None` once released.
    pub struct PickleBuffer(PickleBufferState): PICKLE_BUFFER { buffer: Option<Buffer> }
}

impl Field for Option<Buffer> {
    fn visit(&self, visit: Visitor) {
        if let Some(buffer) = self {
            visit(&buffer.owner);
        }
    }
    fn take(&mut self) -> Self {
        Option::take(self)
    }
}

static NEW: std::sync::LazyLock<Signature> = std::sync::LazyLock::new(|| Signature::parse("PickleBuffer(object, /)"));

pub static PICKLE_BUFFER: TypeSpec = TypeSpec::new::<PickleBuffer>("pickle.PickleBuffer")
    .doc("A buffer that a pickle may leave out and hand over beside it.")
    .flags(type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            let keywords = kwnames.map_or(0, |names| vm.tuple_len(names));
            match args.len() - keywords {
                0 => return Err(vm.type_error("PickleBuffer() takes exactly 1 positional argument (0 given)")),
                1 => {}
                given => {
                    return Err(vm.type_error(format!("PickleBuffer() takes at most 1 argument ({given} given)")));
                }
            }
            let bound = NEW.bind(vm, args, kwnames)?;
            let buffer = vm.get_buffer(&bound[0], buffer_flags::FULL_RO)?;
            Ok(PickleBuffer::make(class_of(class), PickleBufferState { buffer: Some(buffer) }))
        });
        s.buffer = Some(|vm, this, flags| {
            let owner = PickleBuffer::of(this).owner(vm)?;
            vm.get_buffer(&owner, flags)
        });
    })
    .methods(METHODS);

#[cold]
fn released(vm: &Vm) -> Raised {
    vm.value_error("operation forbidden on released PickleBuffer object")
}

impl PickleBuffer {
    /// The object whose memory this is.
    fn owner(&self, vm: &Vm) -> Result {
        let owner = self.with(|state| state.buffer.as_ref().map(|buffer| buffer.owner.clone()));
        owner.ok_or_else(|| released(vm))
    }

    /// A view of the memory of its own, which lasts even if this object is released.
    pub fn view(&self, vm: &Vm) -> Result<Buffer> {
        let owner = self.owner(vm)?;
        vm.get_buffer(&owner, buffer_flags::FULL_RO)
    }
}

/// Whether the elements of a buffer fill its memory, in whatever order.
pub fn is_contiguous(buffer: &Buffer) -> bool {
    buffer.is_c_contiguous() || buffer.is_f_contiguous()
}

method_table! { static METHODS = [
    MethodDef::new("raw($self, /)",
        "The memory as a one-dimensional memoryview of bytes.\n\nBufferError if it lies in pieces.",
        |vm, this, _| {
            let mut buffer = PickleBuffer::of(this).view(vm)?;
            if !is_contiguous(&buffer) {
                return Err(vm.buffer_error("cannot extract raw buffer from non-contiguous buffer"));
            }
            buffer.itemsize = 1;
            buffer.format = "B".into();
            buffer.shape = [buffer.length as isize].into_iter().collect();
            buffer.strides = [1].into_iter().collect();
            Ok(MemoryView::from_buffer(buffer))
        }),
    MethodDef::new("release($self, /)",
        "Give the underlying buffer back; the object cannot be used any more.",
        |_, this, _| {
            let old = PickleBuffer::of(this).with(|state| state.buffer.take());
            drop(old);
            Ok(Value::NONE)
        }),
]; }
