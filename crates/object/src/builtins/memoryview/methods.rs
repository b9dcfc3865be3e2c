//! The slot table, methods and attributes of `memoryview`.

use super::items::unpack;
use super::{Layout, cast, compare, export, from_object_flags, index, iterator, new, own};
use crate::buffer::Buffer;
use crate::builtins::generic_alias;
use crate::builtins::list::List;
use crate::builtins::slice;
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::builtins::{bytes, int};
use crate::native::{GetSetDef, MethodDef};
use crate::object::Result;
use crate::types::slots::Slots;
use crate::value::Value;
use crate::vm::Vm;

pub fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.repr = Some(|_, this| {
        let state = if own(this).is_released() { "released memory" } else { "memory" };
        Ok(Value::from(format!("<{state} at {:#x}>", this.id())))
    });
    s.hash = Some(compare::hash);
    s.richcompare = Some(compare::compare);
    s.iter = Some(iterator::iter);
    s.length = Some(|vm, this| {
        let layout = own(this).layout(vm)?;
        match layout.shape.first() {
            Some(length) => Ok(*length as usize),
            None => Err(vm.type_error("0-dim memory has no length")),
        }
    });
    s.subscript = Some(index::subscript);
    s.ass_subscript = Some(index::assign);
    s.item = Some(index::item);
    s.buffer = Some(export);
}

/// The memory as a buffer, whose helpers then serve.
fn view(vm: &Vm, this: &Value) -> Result<(Layout, Buffer)> {
    let layout = own(this).layout(vm)?;
    let buffer = layout.as_buffer(this);
    Ok((layout, buffer))
}

fn release(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    own(this).release(vm).map(Value::from)
}

fn tobytes(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let order = match args[0].given() {
        None => "C",
        Some(order) => {
            let text = vm.expect_str_argument(order, |got| {
                format!("tobytes() argument 'order' must be str or None, not {got}")
            })?;
            text.as_ascii().unwrap_or("")
        }
    };
    if matches!(order, "C" | "A" | "F")
        && let Some(bytes) = own(this).read_plain(|data| bytes::from_slice(vm, data))
    {
        return bytes;
    }
    let (_, buffer) = view(vm, this)?;
    let data = match order {
        "C" => buffer.to_vec(vm)?,
        "A" if buffer.is_f_contiguous() => vm.buffer_of(buffer.as_slice())?,
        "A" => buffer.to_vec(vm)?,
        "F" => fortran_order(vm, &buffer)?,
        _ => return Err(vm.value_error("order must be 'C', 'F' or 'A'")),
    };
    bytes::from_slice(vm, &data)
}

/// The elements with the first index varying fastest.
fn fortran_order(vm: &Vm, buffer: &Buffer) -> Result<Vec<u8>> {
    let mut transposed = Layout::of(buffer).as_buffer(&buffer.owner);
    transposed.shape.reverse();
    transposed.strides.reverse();
    transposed.to_vec(vm)
}

fn hex(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let data = view(vm, this)?.1.to_vec(vm)?;
    let _held = own(this).hold();
    bytes::hex::to_hex(vm, &data, &args[0], &args[1])
}

fn tolist(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let (layout, buffer) = view(vm, this)?;
    let mut items = Vec::new();
    let mut failed = None;
    buffer.for_each_item(|item| {
        if failed.is_none() {
            match unpack(vm, &layout, item).and_then(|item| vm.reserve(&mut items, 1).map(|()| item)) {
                Ok(item) => items.push(item),
                Err(raised) => failed = Some(raised),
            }
        }
    });
    if let Some(raised) = failed {
        return Err(raised);
    }
    if layout.dimensions() == 0 {
        return items.pop().ok_or_else(|| vm.system_error("a view without dimensions has one element"));
    }
    if layout.dimensions() == 1 {
        return Ok(List::from_vec(items).into_value());
    }
    nested(vm, &layout.shape, &mut items.into_iter())
}

/// Lists of lists in the given shape.
fn nested(vm: &Vm, shape: &[isize], items: &mut dyn Iterator<Item = Value>) -> Result {
    let length = shape[0] as usize;
    let mut list = vm.buffer_for(length)?;
    for _ in 0..length {
        let item = match shape.len() {
            1 => items.next().unwrap_or(Value::NONE),
            _ => nested(vm, &shape[1..], items)?,
        };
        list.push(item);
    }
    Ok(List::from_vec(list).into_value())
}

fn toreadonly(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let layout = Layout { readonly: true, ..own(this).layout(vm)? };
    own(this).sibling(vm, layout)
}

fn from_flags(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    let flags = vm.index_i32(&args[1])?;
    from_object_flags(vm, &args[0], flags as u32)
}

fn count(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let iterator = iterator::iter(vm, this)?;
    let mut count = 0;
    while let Some(item) = vm.next(&iterator)? {
        count += vm.equal_or_identical(&item, &args[0])? as i64;
    }
    Ok(int::from_i64(count))
}

fn find(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let layout = own(this).layout(vm)?;
    match layout.dimensions() {
        0 => return Err(vm.type_error("invalid lookup on 0-dim memory")),
        1 => {}
        _ => return Err(vm.not_implemented_error("multi-dimensional lookup is not implemented")),
    }
    let length = layout.shape[0] as i64;
    let (start, stop) = slice::search_bounds(vm, &args[1], &args[2])?;
    let fit = |index: i64| if index < 0 { index.saturating_add(length).max(0) } else { index };
    for at in fit(start)..fit(stop).min(length) {
        let item = index::item(vm, this, at)?;
        if vm.equal_or_identical(&item, &args[0])? {
            return Ok(int::from_i64(at));
        }
    }
    Err(vm.value_error("memoryview.index(x): x not found"))
}

fn enter(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    own(this).layout(vm)?;
    Ok(this.clone())
}

fn tuple_of(numbers: &[isize]) -> Value {
    Tuple::from_vec(numbers.iter().map(|n| Value::from(*n as i64)).collect()).into_value()
}

crate::method_table! { pub static METHODS = [
    MethodDef::new("release($self, /)", "\
        Let go of the underlying buffer; the view cannot be used afterwards.", release),
    MethodDef::new("tobytes($self, /, order='C')", "Return a copy of the data as bytes.\n\n\
        The order concerns views of several dimensions: 'C' or None makes the\n\
        last index vary fastest, 'F' the first.  'A' takes Fortran order if\n\
        the memory is contiguous in that order, and C order otherwise.", tobytes),
    MethodDef::new("hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)", "\
        Return the data as a string of two hexadecimal digits for each byte.\n\n  \
        sep\n    \
        A str or bytes of one ASCII character, to stand between groups.\n  \
        bytes_per_sep\n    \
        The number of bytes in a group.  Groups are counted from the\n    \
        right, or from the left if the number is negative.\n\n\
        Example:\n\
        >>> view = memoryview(b'\\x01\\x23\\x45')\n\
        >>> view.hex()\n\
        '012345'\n\
        >>> view.hex('-')\n\
        '01-23-45'\n\
        >>> view.hex('-', 2)\n\
        '01-2345'\n\
        >>> view.hex('-', -2)\n\
        '0123-45'", hex),
    MethodDef::new("tolist($self, /)", "\
        Return the elements as a list, nested if there are several dimensions.", tolist),
    MethodDef::new("cast($self, /, format, shape=<unrepresentable>)", "\
        Return a view of the same memory with another format or shape.", cast::cast),
    MethodDef::new("toreadonly($self, /)", "Return a view of the same memory that cannot be written to.", toreadonly),
    MethodDef::new("_from_flags($type, /, object, flags)", "\
        A view of the memory of an object that supports the buffer protocol.", from_flags).class(),
    MethodDef::new("count($self, value, /)", "Count the elements that equal value.", count),
    MethodDef::new("index($self, value, start=0, stop=sys.maxsize, /)", "\
        Return the position of the first element that equals value.\n\n\
        ValueError is raised if there is none.", find),
    MethodDef::new("__enter__($self, /)", "", enter),
    MethodDef::new("__exit__($self, /, *exc_info)", "\
        Let go of the underlying buffer; the view cannot be used afterwards.", release),
    MethodDef::new("__class_getitem__($type, object, /)", "Give an alias that states the type of the \
        elements", |vm, class, args| Ok(generic_alias::new(vm, class, &args[0]))).class(),
]; }

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("obj", "The object whose memory this is.", |vm, this| {
        own(this).layout(vm)?;
        Ok(own(this).object())
    }),
    GetSetDef::new("nbytes", "The number of bytes that a contiguous copy of the elements takes.", |vm, this| {
        Ok(Value::from(own(this).layout(vm)?.length))
    }),
    GetSetDef::new("readonly", "Whether the memory cannot be written to through this view.", |vm, this| {
        Ok(Value::bool(own(this).layout(vm)?.readonly))
    }),
    GetSetDef::new("itemsize", "The number of bytes of an element.", |vm, this| {
        Ok(Value::from(own(this).layout(vm)?.itemsize))
    }),
    GetSetDef::new("format", "The type of the elements, as a format of the struct module.", |vm, this| {
        Ok(Str::new(&own(this).layout(vm)?.format).into_value())
    }),
    GetSetDef::new("ndim", "The number of dimensions.", |vm, this| Ok(Value::from(own(this).layout(vm)?.dimensions()))),
    GetSetDef::new("shape", "The number of elements in each dimension, as a tuple.", |vm, this| {
        Ok(tuple_of(&own(this).layout(vm)?.shape))
    }),
    GetSetDef::new("strides", "The distance in bytes between neighbors in each dimension, a tuple.", |vm, this| {
        Ok(tuple_of(&own(this).layout(vm)?.strides))
    }),
    GetSetDef::new("suboffsets", "Offsets behind pointers, for arrays of pointers; usually ().", |vm, this| {
        own(this).layout(vm)?;
        Ok(tuple_of(&[]))
    }),
    GetSetDef::new("c_contiguous", "Whether the elements are contiguous in C order.", |vm, this| {
        Ok(Value::bool(view(vm, this)?.1.is_c_contiguous()))
    }),
    GetSetDef::new("f_contiguous", "Whether the elements are contiguous in Fortran order.", |vm, this| {
        Ok(Value::bool(view(vm, this)?.1.is_f_contiguous()))
    }),
    GetSetDef::new("contiguous", "Whether the elements are contiguous in either order.", |vm, this| {
        let buffer = view(vm, this)?.1;
        Ok(Value::bool(buffer.is_c_contiguous() || buffer.is_f_contiguous()))
    }),
];
