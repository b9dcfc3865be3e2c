//! `_Pointer` and its metaclass.

use taipan_object::builtins::bytes;
use taipan_object::builtins::list::List;
use taipan_object::builtins::slice::Slice;
use taipan_object::native::arguments::check_positional;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

use super::abi::Shape;
use super::argument::Argument;
use super::cdata::{self, Access, CDATA, CData, Index};
use super::codes;
use super::ctype::{self, CTYPE, CType, Info, Kind};

pub static POINTER_TYPE: TypeSpec = TypeSpec::new::<CType>("_ctypes.PyCPointerType")
    .doc("The metaclass of pointers.")
    .base(&CTYPE)
    .itemsize(40)
    .flags(type_flags::BASETYPE | type_flags::ITEMS_AT_END)
    .slots(|s| s.init = Some(init_type))
    .methods(TYPE_METHODS);

method_table! { static TYPE_METHODS = [
    MethodDef::new("from_address($self, value, /)", "An instance at an address.", ctype::from_address),
    MethodDef::new("from_buffer($self, obj, offset=0, /)", "An instance in the memory of a writable buffer.", ctype::from_buffer),
    MethodDef::new("from_buffer_copy($self, buffer, offset=0, /)", "An instance with a copy of a buffer's bytes.",
        ctype::from_buffer_copy),
    MethodDef::new("in_dll($self, dll, name, /)", "An instance at a symbol of a library.", ctype::in_dll),
    MethodDef::new("from_param($self, value, /)", "Converts an argument of a foreign function.", |vm, this, args| {
        from_param(vm, this, &args[0])
    }),
    MethodDef::new("set_type($self, type, /)", "Completes a pointer type.", |vm, this, args| {
        let class = CType::of(this);
        let mut info = (*class.concrete(vm)?).clone();
        point_to(vm, this, &mut info, &args[0])?;
        class.set_info(info);
        vm.set_attr_str(this, "_type_", &args[0])?;
        Ok(Value::NONE)
    }),
]; }

pub static POINTER: TypeSpec = TypeSpec::new::<CData>("_ctypes._Pointer")
    .doc("The base of pointers.")
    .base(&CDATA)
    .metatype(&POINTER_TYPE)
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|vm, class, args, kwnames| {
            if CType::of(class).info().is_none_or(|info| info.proto.is_none()) {
                return Err(vm.type_error("Cannot create instance: has no _type_"));
            }
            cdata::new(vm, class, args, kwnames)
        });
        s.init = Some(init);
        s.bool = Some(|_, this| Ok(!CData::of(this).target().is_null()));
        s.item = Some(item);
        s.subscript = Some(subscript);
        s.ass_subscript = Some(assign);
    })
    .getset(&[GetSetDef::new("contents", "the object this pointer points to", |vm, this| {
        let target = target(vm, this)?;
        CData::part_of(vm, &pointed(vm, this)?, this, 0, target)
    })
    .setter(set_contents)]);

fn init_type(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    ctype::init_class(vm, this, args, kwnames)?;
    let mut info = Info::new(Kind::Pointer, 8, 8, "X{}", Shape::pointer());
    info.length = 1;
    info.has_pointer = true;
    if let Some(pointed) = ctype::own_entry(this, "_type_") {
        point_to(vm, this, &mut info, &pointed)?;
    }
    CType::of(this).set_info(info);
    Ok(())
}

/// Completes what a pointer type knows by the type it points to, which learns of the pointer type.
fn point_to(vm: &Vm, this: &Value, info: &mut Info, pointed: &Value) -> Result<()> {
    if pointed.downcast::<Type>().is_none() {
        return Err(vm.type_error("_type_ must be a type"));
    }
    let Some(item) = ctype::info_of_class(pointed) else {
        return Err(vm.type_error(format!("{} must have storage info", vm.repr_string(pointed)?)));
    };
    info.proto = Some(pointed.clone());
    let dimensions: Vec<String> = item.shape.iter().map(isize::to_string).collect();
    info.format = match dimensions.is_empty() {
        true => format!("&{}", item.format),
        false => format!("&({}){}", dimensions.join(","), item.format),
    };
    let pointed = CType::of(pointed);
    if pointed.pointer_type().is_none() {
        pointed.set_pointer_type(Some(this.clone()));
    }
    Ok(())
}

/// `from_param` of pointer types: references, arrays and pointers to the right type fit, and instances of it.
pub fn from_param(vm: &Vm, this: &Value, value: &Value) -> Result {
    if value.is_none() {
        return Ok(Value::NONE);
    }
    let info = CType::of(this).concrete(vm)?;
    let Some(pointed) = info.proto.clone() else { return Err(vm.type_error("abstract class")) };
    if vm.is_instance(value, &pointed)?
        && let Some(instance) = value.downcast::<CData>()
    {
        return Ok(Argument::pointer(b'P', instance.pointer() as usize, Some(value.clone())));
    }
    if let Some(instance) = value.downcast::<CData>() {
        let info = instance.info();
        if matches!(info.kind, Kind::Pointer | Kind::Array)
            && let Some(item) = &info.proto
            && vm.is_subclass(item, &pointed)?
        {
            return Ok(value.clone());
        }
    }
    ctype::from_param(vm, this, value)
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let args = &args[..args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))];
    check_positional(vm, "POINTER", args.len(), 0, 1)?;
    match args.first() {
        Some(value) => set_contents(vm, this, Some(value)),
        None => Ok(()),
    }
}

/// The type that an instance points to.
fn pointed(vm: &Vm, this: &Value) -> Result {
    let proto = CData::of(this).info().proto.clone().filter(|proto| proto.downcast::<CType>().is_some());
    proto.ok_or_else(|| vm.type_error("the instance was not made by a pointer type"))
}

/// Where an instance points to.
fn target(vm: &Vm, this: &Value) -> Result<*mut u8> {
    let target = CData::of(this).target();
    if target.is_null() { Err(vm.value_error("NULL pointer access")) } else { Ok(target) }
}

fn set_contents(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let Some(value) = value else { return Err(vm.type_error("Pointer does not support item deletion")) };
    let class = pointed(vm, this)?;
    // Whatever the instance's type: a pointer is as good as a cast.
    let Some(instance) = value.downcast::<CData>() else {
        let (wanted, got) = (CType::of(&class).class().name(), value.ty().name());
        return Err(vm.type_error(format!("expected {wanted} instead of {got}")));
    };
    let own = CData::of(this);
    own.set_target(instance.pointer());
    own.keep(vm, this, Index::At(1), value.clone())?;
    own.keep(vm, this, Index::At(0), CData::kept(value))
}

/// The type and size of what is pointed to, and its address `index` further.
fn place(vm: &Vm, this: &Value, index: i64) -> Result<(Value, usize, *mut u8)> {
    let target = target(vm, this)?;
    let class = pointed(vm, this)?;
    let size = CType::of(&class).concrete(vm)?.size;
    Ok((class, size, target.wrapping_offset((index as isize).wrapping_mul(size as isize))))
}

fn item(vm: &Vm, this: &Value, index: i64) -> Result {
    let (class, size, pointer) = place(vm, this, index)?;
    cdata::read(vm, &class, Access::Plain, this, index as usize, size, pointer)
}

fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    if key.ty().slots().index.is_some() {
        let index = vm.index_or_index_error(key)?;
        return item(vm, this, index);
    }
    if key.downcast::<Slice>().is_none() {
        return Err(vm.type_error("Pointer indices must be integer"));
    }
    // A pointer has no length for indices to count from, nor to end at.
    let (start, stop, step) =
        (vm.get_attr_str(key, "start")?, vm.get_attr_str(key, "stop")?, vm.get_attr_str(key, "step")?);
    let step = if step.is_none() { 1 } else { vm.index_ssize(&step)? };
    if step == 0 {
        return Err(vm.value_error("slice step cannot be zero"));
    }
    let start = match start.is_none() {
        true if step < 0 => return Err(vm.value_error("slice start is required for step < 0")),
        true => 0,
        false => vm.index_ssize(&start)?,
    };
    if stop.is_none() {
        return Err(vm.value_error("slice stop is required"));
    }
    let stop = vm.index_ssize(&stop)?;
    let distance = if step > 0 { stop.saturating_sub(start) } else { start.saturating_sub(stop) };
    let count = if distance <= 0 { 0 } else { (distance - 1) / step.saturating_abs() + 1 };
    let positions = (0..count).map(|at| start.wrapping_add(at.wrapping_mul(step)));
    let code = ctype::info_of_class(&pointed(vm, this)?).and_then(|info| info.code);
    match code {
        Some(code) if code.is_char() => {
            let target = if count == 0 { CData::of(this).target() } else { target(vm, this)? };
            // SAFETY: what is pointed to, the program vouches for.
            let picked: Vec<u8> = positions.map(|at| unsafe { target.wrapping_offset(at as isize).read() }).collect();
            bytes::from_slice(vm, &picked)
        }
        Some(code) if code.is_wide_char() => {
            let target = if count == 0 { CData::of(this).target() } else { target(vm, this)? }.cast::<u32>();
            let read = |at: i64| {
                // SAFETY: what is pointed to, the program vouches for.
                unsafe { target.wrapping_offset(at as isize).read_unaligned() }
            };
            codes::wide_string(vm, &positions.map(read).collect::<Vec<u32>>())
        }
        _ => {
            let items: Result<Vec<Value>> = positions.map(|at| item(vm, this, at)).collect();
            Ok(List::from_vec(items?).into_value())
        }
    }
}

fn assign(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Result<()> {
    let Some(value) = value else { return Err(vm.type_error("Pointer does not support item deletion")) };
    let index = vm.index_or_index_error(key)?;
    let (class, size, pointer) = place(vm, this, index)?;
    cdata::write(vm, &class, Access::Plain, this, value, index as usize, size, pointer)
}
