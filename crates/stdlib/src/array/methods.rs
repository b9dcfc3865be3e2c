//! The methods of `array.array`.

use super::items::{text_bytes, text_of};
use super::{ARRAY, Array, reduce};
use crate::arguments::{bad_argument, ssize};
use taipan_object::attributes::memory;
use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::generic_alias::CLASS_GETITEM;
use taipan_object::builtins::list::{self, List};
use taipan_object::builtins::slice::search_bounds;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::{Result, Value, Vm, method_table};

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("typecode", "the letter that states the type of the items", |_, this| {
        Ok(Str::from_code_point(Array::of(this).items.typecode.into()).into_value())
    }),
    GetSetDef::new("itemsize", "the number of bytes of an item", |_, this| Ok(Value::from(Array::of(this).items.size))),
];

method_table! { pub static METHODS = [
    MethodDef::new("append($self, v, /)", "Add one item at the end.", |vm, this, args| {
        let array = Array::of(this);
        let raw = array.items.to_bytes(vm, &args[0])?;
        array.append_bytes(vm, &raw[..array.items.size]).map(Value::from)
    }),
    MethodDef::new("buffer_info($self, /)",
        "Return (address, length) of the memory that holds the items.\n\n\
        The length is a number of items; times itemsize it is one of bytes.",
        |_, this, _| {
            let array = Array::of(this);
            let address = array.state().data.as_ptr() as usize;
            Ok(Tuple::from_array([Value::from(address), Value::from(array.len())]).into_value())
        }),
    MethodDef::new("byteswap($self, /)",
        "Reverse the bytes within each item.\n\nRuntimeError is raised unless items have 1, 2, 4 or 8 bytes.",
        |_, this, _| {
            let array = Array::of(this);
            let mut state = array.state();
            state.data.chunks_exact_mut(array.items.size).for_each(<[u8]>::reverse);
            Ok(Value::NONE)
        }),
    MethodDef::new("clear($self, /)", "Make the array empty.", |vm, this, _| {
        Array::of(this).splice(vm, 0, usize::MAX, &[]).map(Value::from)
    }),
    MethodDef::new("__copy__($self, /)", "\
        Return a new array with the same items.", |vm, this, _| copy(vm, Array::of(this))),
    MethodDef::new("count($self, v, /)", "Count the items that equal v.", |vm, this, args| {
        let array = Array::of(this);
        let (mut count, mut from) = (0usize, 0);
        while let Some(at) = find(vm, array, &args[0], from, usize::MAX)? {
            count += 1;
            from = at + 1;
        }
        Ok(Value::from(count))
    }),
    MethodDef::new("__deepcopy__($self, unused, /)", "\
        Return a new array with the same items.", |vm, this, _| copy(vm, Array::of(this))),
    MethodDef::new("extend($self, bb, /)", "\
        Add the items of an iterable, or of an array of the same type, at the end.", |vm, this, args| {
        extend(vm, Array::of(this), &args[0]).map(Value::from)
    }),
    MethodDef::new("fromfile($self, f, n, /)", "\
        Read n items in machine format from a binary file, and add them at the end.", |vm, this, args| {
        from_file(vm, Array::of(this), &args[0], &args[1])
    }),
    MethodDef::new("fromlist($self, list, /)", "\
        Add the items of a list at the end, or none of them if one does not fit.", |vm, this, args| {
        from_list(vm, Array::of(this), &args[0])
    }),
    MethodDef::new("frombytes($self, buffer, /)",
        "Add the items that the bytes represent in machine format.\n\n\
        ValueError is raised unless their number is a multiple of itemsize.",
        |vm, this, args| from_bytes(vm, Array::of(this), &args[0]).map(Value::from)),
    MethodDef::new("fromunicode($self, ustr, /)",
        "Add the characters of a string at the end.\n\n\
        ValueError is raised unless the array has characters.  The bytes of an\n\
        encoded string can be added to other arrays with frombytes().",
        |vm, this, args| {
            let array = Array::of(this);
            let Some(text) = args[0].downcast::<Str>() else {
                return Err(bad_argument(vm, "fromunicode", "argument", "str", &args[0]));
            };
            if !array.items.is_character() {
                return Err(vm.value_error("fromunicode() may only be called on unicode type arrays ('u' or 'w')"));
            }
            array.append_bytes(vm, &text_bytes(text)).map(Value::from)
        }),
    MethodDef::new("index($self, v, start=0, stop=sys.maxsize, /)",
        "Return the position of the first item that equals v.\n\nValueError is raised if there is none.",
        |vm, this, args| index(vm, Array::of(this), args)),
    MethodDef::new("insert($self, i, v, /)", "Put an item in front of the item at position i.", |vm, this, args| {
        let array = Array::of(this);
        let index = ssize(vm, &args[0])? as i64;
        let raw = array.items.to_bytes(vm, &args[1])?;
        let (length, size) = (array.len() as i64, array.items.size);
        let at = if index < 0 { (index + length).max(0) } else { index.min(length) } as usize;
        array.splice(vm, at * size, at * size, &raw[..size]).map(Value::from)
    }),
    MethodDef::new("pop($self, i=-1, /)", "Remove the item at position i, and return it.\n\n\
        By default it is the last one.", |vm, this, args| {
        let array = Array::of(this);
        let index = ssize(vm, &args[0])? as i64;
        let (length, size) = (array.len(), array.items.size);
        if length == 0 {
            return Err(vm.index_error("pop from empty array"));
        }
        let index = if index < 0 { index + length as i64 } else { index };
        let at = match usize::try_from(index) {
            Ok(at) if at < length => at,
            _ => return Err(vm.index_error("pop index out of range")),
        };
        let item = array.get(vm, at)?.unwrap_or(Value::NONE);
        array.splice(vm, at * size, (at + 1) * size, &[])?;
        Ok(item)
    }),
    MethodDef::new("__reduce_ex__($self, value, /)", "\
        Give what pickle needs to rebuild the object.", reduce::reduce_ex),
    MethodDef::new("remove($self, v, /)", "\
        Remove the first item that equals v; ValueError is raised if there is none.", |vm, this, args| {
        let array = Array::of(this);
        let Some(at) = find(vm, array, &args[0], 0, usize::MAX)? else {
            return Err(vm.value_error("array.remove(x): x not in array"));
        };
        let size = array.items.size;
        array.splice(vm, at * size, (at + 1) * size, &[]).map(Value::from)
    }),
    MethodDef::new("reverse($self, /)", "Put the items into the opposite order, in place.", |_, this, _| {
        let array = Array::of(this);
        let mut state = array.state();
        // The items' bytes keep their order.
        state.data.reverse();
        state.data.chunks_exact_mut(array.items.size).for_each(<[u8]>::reverse);
        Ok(Value::NONE)
    }),
    MethodDef::new("tofile($self, f, /)", "Write all items to a binary file, in machine format.", |vm, this, args| {
        const BLOCK: usize = 64 * 1024;
        let array = Array::of(this);
        let mut at = 0;
        loop {
            let block = {
                let state = array.state();
                let rest = state.data.get(at..).unwrap_or(&[]);
                if rest.is_empty() {
                    return Ok(Value::NONE);
                }
                bytes::new(&rest[..rest.len().min(BLOCK)])
            };
            vm.call_method(&args[0], "write", &[block])?;
            at += BLOCK;
        }
    }),
    MethodDef::new("tolist($self, /)", "Return a list of the items.", |vm, this, _| {
        to_list(vm, Array::of(this))
    }),
    MethodDef::new("tobytes($self, /)", "Return the items as bytes, in machine format.", |vm, this, _| {
        let array = Array::of(this);
        let state = array.state();
        bytes::from_slice(vm, &state.data)
    }),
    MethodDef::new("tounicode($self, /)",
        "Return the characters of the array as a string.\n\nValueError is raised unless the array has characters.",
        |vm, this, _| {
            let array = Array::of(this);
            if !array.items.is_character() {
                return Err(vm.value_error("tounicode() may only be called on unicode type arrays ('u' or 'w')"));
            }
            text_of(vm, array.items, &array.data(vm)?)
        }),
    MethodDef::new("__sizeof__($self, /)", "Give the number of bytes of memory that the array takes.", |_, this, _| {
        let capacity = Array::of(this).state().data.capacity();
        Ok(Value::from(memory(this) + capacity))
    }),
    CLASS_GETITEM,
]; }

fn copy(vm: &Vm, array: &Array) -> Result {
    Ok(Array::make(ARRAY.ty(), array.items, array.data(vm)?))
}

/// The first place in `start..stop` of an item equal to `value`.
pub fn find(vm: &Vm, array: &Array, value: &Value, start: usize, stop: usize) -> Result<Option<usize>> {
    let mut at = start;
    while at < stop {
        let Some(item) = array.get(vm, at)? else { break };
        if vm.equal(&item, value)? {
            return Ok(Some(at));
        }
        at += 1;
    }
    Ok(None)
}

fn index(vm: &Vm, array: &Array, args: &[Value]) -> Result {
    let (start, stop) = search_bounds(vm, &args[1], &args[2])?;
    let length = array.len() as i64;
    let fit = |n: i64| if n < 0 { n.saturating_add(length).max(0) as usize } else { n as usize };
    match find(vm, array, &args[0], fit(start), fit(stop))? {
        Some(at) => Ok(Value::from(at)),
        None => Err(vm.value_error("array.index(x): x not in array")),
    }
}

pub fn extend(vm: &Vm, array: &Array, other: &Value) -> Result<()> {
    match other.downcast::<Array>() {
        Some(other) if other.items != array.items => Err(vm.type_error("can only extend with array of same kind")),
        Some(other) => array.append_bytes(vm, &other.data(vm)?),
        None => extend_by_items(vm, array, other),
    }
}

pub fn extend_by_items(vm: &Vm, array: &Array, iterable: &Value) -> Result<()> {
    let size = array.items.size;
    let iterator = vm.iter(iterable)?;
    while let Some(item) = vm.next(&iterator)? {
        let raw = array.items.to_bytes(vm, &item)?;
        array.append_bytes(vm, &raw[..size])?;
    }
    Ok(())
}

fn from_list(vm: &Vm, array: &Array, source: &Value) -> Result {
    let Some(list) = source.downcast::<List>() else { return Err(vm.type_error("arg must be list")) };
    let (length, size) = (list.len(), array.items.size);
    if length > 0 {
        array.check_resizable(vm)?;
    }
    // The array is left as it was when an item does not fit.
    let mut new = Vec::new();
    for at in 0..length {
        let Some(item) = list.get(at) else { return Err(vm.runtime_error("list changed size during iteration")) };
        let raw = array.items.to_bytes(vm, &item)?;
        if new.try_reserve(size).is_err() {
            return Err(vm.memory_error());
        }
        new.extend_from_slice(&raw[..size]);
        if list.len() != length {
            return Err(vm.runtime_error("list changed size during iteration"));
        }
    }
    array.append_bytes(vm, &new).map(Value::from)
}

pub fn from_bytes(vm: &Vm, array: &Array, source: &Value) -> Result<()> {
    let buffer = vm.bytes_like(source)?;
    if let taipan_object::buffer::BytesLike::Buffer(buffer) = &buffer
        && buffer.itemsize != 1
    {
        return Err(vm.type_error("a bytes-like object is required"));
    }
    if buffer.len() % array.items.size != 0 {
        return Err(vm.value_error("bytes length not a multiple of item size"));
    }
    if source.downcast::<Array>().is_some() {
        // Its own data, perhaps, which must not move while it is read.
        let copy = vm.buffer_of(&buffer)?;
        drop(buffer);
        return array.append_bytes(vm, &copy);
    }
    array.append_bytes(vm, &buffer)
}

fn from_file(vm: &Vm, array: &Array, file: &Value, count: &Value) -> Result {
    let count = ssize(vm, count)?;
    if count < 0 {
        return Err(vm.value_error("negative count"));
    }
    let Some(wanted) = (count as usize).checked_mul(array.items.size).filter(|bytes| *bytes <= isize::MAX as usize)
    else {
        return Err(vm.memory_error());
    };
    let data = vm.call_method(file, "read", &[Value::from(wanted)])?;
    let Some(read) = data.downcast::<Bytes>().map(|bytes| bytes.as_slice().len()) else {
        return Err(vm.type_error("read() didn't return bytes"));
    };
    from_bytes(vm, array, &data)?;
    if read != wanted {
        return Err(vm.eof_error("read() didn't return enough bytes"));
    }
    Ok(Value::NONE)
}

pub fn to_list(vm: &Vm, array: &Array) -> Result {
    let mut items = list::with_room(vm, array.len())?;
    let mut at = 0;
    while let Some(item) = array.get(vm, at)? {
        items.push(item);
        at += 1;
    }
    Ok(List::from_vec(items).into_value())
}
