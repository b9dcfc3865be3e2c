//! `cast`.

use super::items::{native_format, size_of_format};
use super::{Layout, MAX_DIMENSIONS, own};
use crate::buffer::Dimensions;
use crate::builtins::int;
use crate::builtins::list::List;
use crate::builtins::str::Str;
use crate::builtins::tuple::Tuple;
use crate::object::Result;
use crate::value::Value;
use crate::vm::Vm;
use std::borrow::Cow;

fn is_byte_format(format: u8) -> bool {
    matches!(format, b'b' | b'B' | b'c')
}

pub(super) fn cast(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let view = own(this);
    let layout = view.layout(vm)?;
    let format = vm.expect_str_argument(&args[0], |got| format!("cast() argument 'format' must be str, not {got}"))?;
    if !layout.as_buffer(this).is_c_contiguous() {
        return Err(vm.type_error("memoryview: casts are restricted to C-contiguous views"));
    }
    let shape = args[1].bound();
    if (shape.is_some() || layout.dimensions() != 1) && layout.shape.contains(&0) {
        return Err(vm.type_error("memoryview: cannot cast view with zeros in shape or strides"));
    }
    if let Some(shape) = shape {
        let Some(dimensions) = shape_length(shape) else {
            return Err(vm.type_error("shape must be a list or a tuple"));
        };
        if dimensions > MAX_DIMENSIONS {
            return Err(vm.value_error("memoryview: number of dimensions must not exceed 64"));
        }
        if layout.dimensions() != 1 && dimensions != 1 {
            return Err(vm.type_error("memoryview: cast must be 1D -> ND or ND -> 1D"));
        }
    }
    if format.as_ascii().is_none() {
        crate::codecs::encode(vm, &args[0], Some("ascii"), None)?;
    }
    let mut cast = to_format(vm, &layout, format)?;
    if let Some(shape) = args[1].bound() {
        to_shape(vm, &mut cast, shape)?;
    }
    view.sibling(vm, cast)
}

fn shape_length(shape: &Value) -> Option<usize> {
    shape.downcast::<Tuple>().map(Tuple::len).or_else(|| shape.downcast::<List>().map(List::len))
}

/// The view as one dimension of another format.
fn to_format(vm: &Vm, layout: &Layout, format: &Str) -> Result<Layout> {
    let text = format.to_string_lossy();
    let source = native_format(&layout.format);
    let Some(target) = native_format(&text) else {
        return Err(vm.value_error(
            "memoryview: destination format must be a native single character format prefixed with an optional '@'",
        ));
    };
    if !source.is_some_and(is_byte_format) && !is_byte_format(target) {
        return Err(vm.type_error("memoryview: cannot cast between two non-byte formats"));
    }
    let itemsize = size_of_format(target).unwrap_or(1);
    if !layout.length.is_multiple_of(itemsize) {
        return Err(vm.type_error("memoryview: length is not a multiple of itemsize"));
    }
    Ok(Layout {
        itemsize,
        format: Cow::Owned(text),
        shape: Dimensions::from_slice(&[(layout.length / itemsize) as isize]),
        strides: Dimensions::from_slice(&[itemsize as isize]),
        ..layout.clone()
    })
}

fn to_shape(vm: &Vm, layout: &mut Layout, shape: &Value) -> Result<()> {
    let items = if let Some(tuple) = shape.downcast::<Tuple>() {
        tuple.as_slice().to_vec()
    } else if let Some(list) = shape.downcast::<List>() {
        list.to_vec()
    } else {
        return Err(vm.type_error("shape must be a list or a tuple"));
    };
    if items.len() > MAX_DIMENSIONS {
        return Err(vm.value_error(format!("memoryview: number of dimensions must not exceed {MAX_DIMENSIONS}")));
    }
    let mut lengths = Dimensions::new();
    let mut size = layout.itemsize as isize;
    for item in &items {
        if !int::is_int(item) {
            return Err(vm.type_error("memoryview.cast(): elements of shape must be integers"));
        }
        let Some(length) = int::to_i64(item).filter(|length| *length > 0) else {
            return Err(vm.value_error("memoryview.cast(): elements of shape must be integers > 0"));
        };
        size = match size.checked_mul(length as isize) {
            Some(size) => size,
            None => return Err(vm.value_error("memoryview.cast(): product(shape) > SSIZE_MAX")),
        };
        lengths.push(length as isize);
    }
    if size as usize != layout.length {
        return Err(vm.type_error("memoryview: product(shape) * itemsize != buffer size"));
    }
    let mut strides: Dimensions = lengths.iter().map(|_| 0).collect();
    let mut stride = layout.itemsize as isize;
    for (to, length) in strides.iter_mut().zip(&lengths).rev() {
        *to = stride;
        stride *= length;
    }
    layout.shape = lengths;
    layout.strides = strides;
    Ok(())
}
