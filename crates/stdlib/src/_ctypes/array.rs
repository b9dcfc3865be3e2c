//! `Array` and its metaclass.

use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::generic_alias;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::slice::Slice;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::descriptors;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table, weakref};

use super::abi::{LARGEST_IN_REGISTERS, Shape};
use super::cdata::{self, Access, CDATA, CData};
use super::codes;
use super::ctype::{self, CTYPE, CType, Info, Kind};

pub static ARRAY_TYPE: TypeSpec = TypeSpec::new::<CType>("_ctypes.PyCArrayType")
    .doc("The metaclass of arrays.")
    .base(&CTYPE)
    .itemsize(40)
    .flags(type_flags::BASETYPE | type_flags::ITEMS_AT_END)
    .slots(|s| s.init = Some(init_type))
    .methods(ctype::METHODS);

pub static ARRAY: TypeSpec = TypeSpec::new::<CData>("_ctypes.Array")
    .doc(
        "The base of arrays.\n\nA C type times a length is the type of such an array; a class may also say `_type_` and \
         `_length_`.",
    )
    .base(&CDATA)
    .metatype(&ARRAY_TYPE)
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(cdata::new);
        s.init = Some(|vm, this, args, kwnames| {
            let count = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
            for (at, value) in args[..count].iter().enumerate() {
                set_item(vm, this, at as i64, value)?;
            }
            Ok(())
        });
        s.length = Some(|_, this| Ok(CData::of(this).length()));
        s.item = Some(item);
        s.subscript = Some(subscript);
        s.ass_subscript = Some(assign);
    })
    .methods(METHODS);

method_table! { static METHODS = [
    MethodDef::new("__class_getitem__($type, object, /)", "Arrays are generic in the type of their items.", |vm, this, args| {
        Ok(generic_alias::new(vm, this, &args[0]))
    })
    .class(),
]; }

/// `type * length`
pub fn repeat(vm: &Vm, this: &Value, length: i64) -> Result {
    let Ok(count) = usize::try_from(length) else {
        return Err(vm.value_error(format!("Array length must be >= 0, not {length}")));
    };
    let item = CType::of(this);
    if let Some(known) = item.array_type(count) {
        return Ok(known);
    }
    if item.info().is_none() {
        return Err(vm.type_error("Expected a type object"));
    }
    let name = format!("{}_Array_{count}", item.class().name());
    let namespace = Dict::new();
    namespace.set_str(intern("_length_").as_value(), Value::from(length));
    namespace.set_str(intern("_type_").as_value(), this.clone());
    let bases = Tuple::from_array([ARRAY.value()]).into_value();
    let class = vm.call_args(&ARRAY_TYPE.value(), &[Value::from(name), bases, namespace.into_value()])?;
    let reference = weakref::create(vm, weakref::REFERENCE.ty(), &class, None)?;
    item.note_array_type(count, reference);
    Ok(class)
}

fn init_type(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    ctype::init_class(vm, this, args, kwnames)?;
    let Some(length) = ctype::class_attribute(vm, this, "_length_")? else {
        return Err(ctype::must_define(vm, "_length_"));
    };
    if !int::is_int(&length) {
        return Err(vm.type_error("The '_length_' attribute must be an integer"));
    }
    if int::is_negative(&length) {
        return Err(vm.value_error("The '_length_' attribute must not be negative"));
    }
    let Some(length) = int::to_i64(&length) else {
        return Err(vm.overflow_error("The '_length_' attribute is too large"));
    };
    let Some(item) = ctype::class_attribute(vm, this, "_type_")? else { return Err(ctype::must_define(vm, "_type_")) };
    let Some(item_info) = ctype::info_of_class(&item) else {
        return Err(vm.type_error("_type_ must have storage info"));
    };
    let length = length as usize;
    let Some(size) = item_info.size.checked_mul(length).filter(|size| isize::try_from(*size).is_ok()) else {
        return Err(vm.overflow_error("array too large"));
    };
    let mut scalars = Vec::new();
    if size <= LARGEST_IN_REGISTERS && item_info.size > 0 {
        for at in (0..size).step_by(item_info.size) {
            scalars.extend(item_info.passing.scalars.iter().map(|(inner, scalar)| (at + inner, *scalar)));
        }
    }
    let shape = Shape { size, align: item_info.align, scalars };
    let mut info = Info::new(Kind::Array, size, item_info.align, &item_info.format, shape);
    info.length = length;
    info.proto = Some(item.clone());
    info.has_pointer = item_info.has_pointer;
    info.shape = [length as isize].into_iter().chain(item_info.shape.iter().copied()).collect();
    let class = CType::of(this);
    class.set_info(info);
    let getset: &[&'static GetSetDef] = match item_info.code {
        Some(code) if code.is_char() => &[&RAW, &CHARS],
        Some(code) if code.is_wide_char() => &[&WIDE_CHARS],
        _ => &[],
    };
    for def in getset {
        class.class().set_raw(def.name, descriptors::getset(class.class(), def));
        class.class().modified();
    }
    Ok(())
}

/// The items' type and size, and the address of one.
struct Place {
    class: Value,
    size: usize,
    pointer: *mut u8,
}

fn place(vm: &Vm, this: &Value, index: i64) -> Result<Place> {
    let own = CData::of(this);
    let info = own.info();
    let at = usize::try_from(index).ok().filter(|at| *at < own.length());
    let class = info.proto.clone().filter(|_| info.kind == Kind::Array);
    let (Some(at), Some(class)) = (at, class) else { return Err(vm.index_error("invalid index")) };
    let size = info.size / info.length;
    Ok(Place { class, size, pointer: own.pointer().wrapping_add(at * size) })
}

fn item(vm: &Vm, this: &Value, index: i64) -> Result {
    let place = place(vm, this, index)?;
    cdata::read(vm, &place.class, Access::Plain, this, index as usize, place.size, place.pointer)
}

fn set_item(vm: &Vm, this: &Value, index: i64, value: &Value) -> Result<()> {
    let place = place(vm, this, index)?;
    cdata::write(vm, &place.class, Access::Plain, this, value, index as usize, place.size, place.pointer)
}

fn wrapped(own: &CData, index: i64) -> i64 {
    if index < 0 { index + own.length() as i64 } else { index }
}

/// The bytes of an instance.
fn memory(own: &CData) -> &[u8] {
    // SAFETY: the memory has so many bytes; users copy from it before anything else runs.
    unsafe { std::slice::from_raw_parts(own.pointer(), own.size()) }
}

fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    let own = CData::of(this);
    if key.ty().slots().index.is_some() {
        let index = vm.index_or_index_error(key)?;
        return item(vm, this, wrapped(own, index));
    }
    let Some(slice) = key.downcast::<Slice>() else { return Err(vm.type_error("indices must be integers")) };
    let indices = slice.fit(vm, || own.length())?;
    let code = own.info().proto.as_ref().and_then(ctype::info_of_class).and_then(|item| item.code);
    match code {
        Some(code) if code.is_char() => {
            let data = memory(own);
            let picked: Vec<u8> = indices.positions().filter_map(|at| data.get(at).copied()).collect();
            bytes::from_slice(vm, &picked)
        }
        Some(code) if code.is_wide_char() => {
            // SAFETY: the memory has so many wide characters.
            let points = unsafe { codes::read_wide(own.pointer().cast(), own.size() / 4) };
            let picked: Vec<u32> = indices.positions().filter_map(|at| points.get(at).copied()).collect();
            codes::wide_string(vm, &picked)
        }
        _ => {
            let items: Result<Vec<Value>> = indices.positions().map(|at| item(vm, this, at as i64)).collect();
            Ok(List::from_vec(items?).into_value())
        }
    }
}

fn assign(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Result<()> {
    let Some(value) = value else { return Err(vm.type_error("Array does not support item deletion")) };
    let own = CData::of(this);
    if key.ty().slots().index.is_some() {
        let index = vm.index_or_index_error(key)?;
        return set_item(vm, this, wrapped(own, index), value);
    }
    let Some(slice) = key.downcast::<Slice>() else { return Err(vm.type_error("indices must be integer")) };
    let indices = slice.fit(vm, || own.length())?;
    if vm.len(value)? != indices.count {
        return Err(vm.value_error("Can only assign sequence of same size"));
    }
    for (from, at) in indices.positions().enumerate() {
        let item = vm.get_item(value, &Value::from(from))?;
        set_item(vm, this, at as i64, &item)?;
    }
    Ok(())
}

/// `raw` of arrays of `char`.
static RAW: GetSetDef = GetSetDef::new("raw", "the bytes", |vm, this| bytes::from_slice(vm, memory(CData::of(this))))
    .setter(|vm, this, value| {
        let own = CData::of(this);
        let Some(value) = value else {
            let class = this.ty().name();
            return Err(vm.attribute_error(format!("attribute 'raw' of '{class}' objects cannot be deleted")));
        };
        let data = vm.bytes_like(value)?;
        if data.len() > own.size() {
            return Err(vm.value_error("byte string too long"));
        }
        // SAFETY: there is room for the bytes, which may be those of the array itself.
        unsafe { std::ptr::copy(data.as_ptr(), own.pointer(), data.len()) };
        Ok(())
    });

/// `value` of arrays of `char`.
static CHARS: GetSetDef = GetSetDef::new("value", "the bytes up to the first zero", |vm, this| {
    let data = memory(CData::of(this));
    bytes::from_slice(vm, &data[..memchr::memchr(0, data).unwrap_or(data.len())])
})
.setter(|vm, this, value| {
    let own = CData::of(this);
    let Some(value) = value else { return Err(vm.type_error("can't delete attribute")) };
    let Some(data) = value.downcast::<Bytes>() else {
        return Err(vm.type_error(format!("bytes expected instead of {} instance", value.ty().name())));
    };
    let data = data.as_slice();
    if data.len() > own.size() {
        return Err(vm.value_error("byte string too long"));
    }
    // SAFETY: there is room for the bytes, and for a zero where one is written.
    unsafe {
        std::ptr::copy_nonoverlapping(data.as_ptr(), own.pointer(), data.len());
        if data.len() < own.size() {
            own.pointer().add(data.len()).write(0);
        }
    }
    Ok(())
});

/// `value` of arrays of `wchar_t`.
static WIDE_CHARS: GetSetDef = GetSetDef::new("value", "the string up to the first zero", |vm, this| {
    let own = CData::of(this);
    // SAFETY: the memory has so many wide characters.
    let points = unsafe { codes::read_wide(own.pointer().cast(), own.size() / 4) };
    let end = points.iter().position(|point| *point == 0).unwrap_or(points.len());
    codes::wide_string(vm, &points[..end])
})
.setter(|vm, this, value| {
    let own = CData::of(this);
    let Some(value) = value else { return Err(vm.type_error("can't delete attribute")) };
    let Some(text) = value.downcast::<Str>() else {
        return Err(vm.type_error(format!("unicode string expected instead of {} instance", value.ty().name())));
    };
    let room = own.size() / 4;
    if text.len() > room {
        return Err(vm.value_error("string too long"));
    }
    for (at, point) in text.code_points().chain([0]).take(room).enumerate() {
        // SAFETY: within the room.
        unsafe { own.pointer().cast::<u32>().add(at).write_unaligned(point) };
    }
    Ok(())
});
