//! `array`: sequences of C numbers or characters.
//!
//! `items.rs` has the types of items, `construct.rs` the constructor, `sequence.rs` indexing, slices and operators,
//! `methods.rs` the methods, `reduce.rs` pickling, `iterator.rs` the iterator.
//!
//! Invariant: the length of the data is a multiple of the item size, and while a buffer is exported it does not change.

pub mod construct;
pub mod items;
pub mod iterator;
pub mod methods;
pub mod reduce;
pub mod sequence;

use items::ItemType;
use std::borrow::Cow;
use taipan_object::buffer::Buffer;
use taipan_object::cell::{Borrow, ObjectCell};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::module::ModuleDef;
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm};

pub static MODULE: ModuleDef = ModuleDef {
    name: "array",
    doc: "Sequences of numbers or characters, stored compactly.\n\n\
          An array is used like a list, but all of its items have one type, which\n\
          a letter states when the array is made.",
    functions: reduce::FUNCTIONS,
    exec: |vm, module| {
        module.add_type(&ARRAY);
        module.set("ArrayType", ARRAY.value());
        module.set("typecodes", Value::from(items::TYPECODES));
        let sequence = vm.import_from("collections.abc", "MutableSequence")?;
        vm.call_method(&sequence, "register", &[ARRAY.value()])?;
        Ok(())
    },
};

/// `array.array`
#[repr(C)]
pub struct Array {
    pub header: Header,
    items: ItemType,
    state: ObjectCell<State>,
}

struct State {
    data: Vec<u8>,
    exports: usize,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for Array {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        ARRAY.ty()
    }
}

pub static ARRAY: TypeSpec = TypeSpec::new::<Array>("array.array")
    .doc(
        "array(typecode [, initializer]) -> array\n\nReturn a new array whose items are restricted by typecode, and\ninitialized \
         from the optional initializer value, which must be a list,\nstring or iterable over elements of the appropriate \
         type.\n\nType codes:\n\n    'b', 'B'    signed and unsigned integers of 1 byte\n    'h', 'H'    of 2 bytes\n    'i', \
         'I'    of the size of C's int\n    'l', 'L'    of the size of C's long\n    'q', 'Q'    of 8 bytes\n    'f', 'd'    \
         floating-point numbers of 4 and 8 bytes\n    'w'         characters (4 bytes)\n    'u'         characters (C's wchar_t; \
         deprecated)\n\nAttributes:\n\ntypecode -- the typecode character used to create the array\nitemsize -- the length in \
         bytes of one array item\n",
    )
    .flags(type_flags::BASETYPE | type_flags::SEQUENCE | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(construct::new);
        s.buffer = Some(|_, this, _| Ok(export(this)));
        sequence::slots(s);
    })
    .methods(methods::METHODS)
    .getset(methods::GETSET);

impl Array {
    fn of(this: &Value) -> &Array {
        this.downcast::<Array>().expect("methods are called with instances of their type")
    }

    /// An instance of `ty`, array or a subclass.
    fn make(ty: &Type, items: ItemType, data: Vec<u8>) -> Value {
        let state = ObjectCell::new(State { data, exports: 0 });
        Ref::new_with_type(ty, Array { header: Header::new(ty), items, state }).into_value()
    }

    fn state(&self) -> Borrow<'_, State> {
        self.state.borrow(&self.header)
    }

    /// The number of items.
    fn len(&self) -> usize {
        self.state().data.len() / self.items.size
    }

    /// The item at a place.
    #[inline]
    fn get(&self, vm: &Vm, at: usize) -> Result<Option<Value>> {
        let size = self.items.size;
        let word = {
            let state = self.state();
            let item = at.checked_mul(size).and_then(|begin| state.data.get(begin..)?.get(..size));
            let Some(item) = item else { return Ok(None) };
            // Not by way of memory, where a load of eight bytes would wait for stores of fewer.
            match *item {
                [a] => u64::from(a),
                [a, b] => u64::from(u16::from_ne_bytes([a, b])),
                [a, b, c, d] => u64::from(u32::from_ne_bytes([a, b, c, d])),
                [a, b, c, d, e, f, g, h] => u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
                _ => unreachable!("items have 1, 2, 4 or 8 bytes"),
            }
        };
        let raw = if cfg!(target_endian = "little") { word } else { word << (64 - 8 * size) };
        self.items.to_value(vm, raw.to_ne_bytes()).map(Some)
    }

    /// A copy of the data.
    fn data(&self, vm: &Vm) -> Result<Vec<u8>> {
        let state = self.state();
        let mut copy = Vec::new();
        if copy.try_reserve_exact(state.data.len()).is_err() {
            drop(state);
            return Err(vm.memory_error());
        }
        copy.extend_from_slice(&state.data);
        Ok(copy)
    }

    /// Replaces a range of bytes, which is cut at the end of the data.
    fn splice(&self, vm: &Vm, start: usize, end: usize, new: &[u8]) -> Result<()> {
        let mut state = self.state();
        let end = end.min(state.data.len());
        let start = start.min(end);
        if end - start == new.len() {
            state.data[start..end].copy_from_slice(new);
            return Ok(());
        }
        let exported = state.exports > 0;
        if exported || state.data.try_reserve(new.len().saturating_sub(end - start)).is_err() {
            drop(state);
            return Err(if exported { exporting(vm) } else { vm.memory_error() });
        }
        if start == state.data.len() {
            state.data.extend_from_slice(new);
        } else {
            state.data.splice(start..end, new.iter().copied());
        }
        Ok(())
    }

    fn append_bytes(&self, vm: &Vm, new: &[u8]) -> Result<()> {
        self.splice(vm, usize::MAX, usize::MAX, new)
    }

    /// Raises `BufferError` if a buffer is exported.
    fn check_resizable(&self, vm: &Vm) -> Result<()> {
        if self.state().exports > 0 { Err(exporting(vm)) } else { Ok(()) }
    }
}

#[cold]
fn exporting(vm: &Vm) -> taipan_object::Raised {
    vm.buffer_error("cannot resize an array that is exporting buffers")
}

fn export(this: &Value) -> Buffer {
    let array = Array::of(this);
    let mut state = array.state();
    state.exports += 1;
    let (pointer, length) = (state.data.as_mut_ptr(), state.data.len());
    drop(state);
    let mut buffer = Buffer::bytes(this, pointer, length, false, Some(|owner| Array::of(owner).state().exports -= 1));
    buffer.itemsize = array.items.size;
    buffer.format = Cow::Borrowed(array.items.format());
    buffer.shape[0] = (length / array.items.size) as isize;
    buffer.strides[0] = array.items.size as isize;
    buffer
}
