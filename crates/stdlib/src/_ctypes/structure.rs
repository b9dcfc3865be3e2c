//! `Structure`, `Union` and their metaclasses. Where fields lie is computed by `ctypes._layout`, written in Python.

use std::sync::Arc;

use taipan_object::builtins::int;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::{TYPE, Type, TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

use super::abi::{LARGEST_IN_REGISTERS, Shape};
use super::cdata::{self, CDATA, CData};
use super::ctype::{self, CTYPE, CType, Info, Kind};
use super::field::Field;

pub static STRUCT_TYPE: TypeSpec = TypeSpec::new::<CType>("_ctypes.PyCStructType")
    .doc("The metaclass of structures.")
    .base(&CTYPE)
    .itemsize(40)
    .flags(type_flags::BASETYPE | type_flags::ITEMS_AT_END)
    .slots(|s| {
        s.init = Some(|vm, this, args, kwnames| init_type(vm, this, args, kwnames, Kind::Structure));
        s.setattro = Some(|vm, this, name, value| set_attribute(vm, this, name, value, Kind::Structure));
    })
    .methods(ctype::METHODS);

pub static UNION_TYPE: TypeSpec = TypeSpec::new::<CType>("_ctypes.UnionType")
    .doc("The metaclass of unions.")
    .base(&CTYPE)
    .itemsize(40)
    .flags(type_flags::BASETYPE | type_flags::ITEMS_AT_END)
    .slots(|s| {
        s.init = Some(|vm, this, args, kwnames| init_type(vm, this, args, kwnames, Kind::Union));
        s.setattro = Some(|vm, this, name, value| set_attribute(vm, this, name, value, Kind::Union));
    })
    .methods(ctype::METHODS);

pub static STRUCTURE: TypeSpec = TypeSpec::new::<CData>("_ctypes.Structure")
    .doc("The base of structures.")
    .base(&CDATA)
    .metatype(&STRUCT_TYPE)
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(cdata::new);
        s.init = Some(init);
    });

pub static UNION: TypeSpec = TypeSpec::new::<CData>("_ctypes.Union")
    .doc("The base of unions.")
    .base(&CDATA)
    .metatype(&UNION_TYPE)
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(cdata::new);
        s.init = Some(init);
    });

/// What the base class knows, if it is not abstract.
fn base_info(class: &CType) -> Option<(Value, Arc<Info>)> {
    let base = ctype::class_value(class.class().base()?);
    let info = ctype::info_of_class(&base)?;
    Some((base, info))
}

fn init_type(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>, kind: Kind) -> Result<()> {
    ctype::init_class(vm, this, args, kwnames)?;
    if ctype::own_entry(this, "_abstract_").is_some() {
        return Ok(());
    }
    let class = CType::of(this);
    class.set_info(Info::new(kind, 0, 1, "B", Shape { size: 0, align: 1, scalars: Vec::new() }));
    class.set_final(false);
    if let Some(fields) = ctype::own_entry(this, "_fields_") {
        return vm.set_attr_str(this, "_fields_", &fields);
    }
    if let Some((base, info)) = base_info(class) {
        class.set_info((*info).clone());
        CType::of(&base).set_final(true);
    }
    Ok(())
}

fn set_attribute(vm: &Vm, this: &Value, name: &Value, value: Option<&Value>, kind: Kind) -> Result<()> {
    let plain = TYPE.ty().slots().setattro.expect("types have attributes");
    let Some(fields) = value.filter(|_| name.downcast::<Str>().is_some_and(|name| name.is_str("_fields_"))) else {
        return plain(vm, this, name, value);
    };
    let class = CType::of(this);
    if class.info().is_none() {
        return Err(vm.type_error("ctypes state is not initialized"));
    }
    if class.is_final() {
        return Err(vm.attribute_error("_fields_ is final"));
    }
    lay_out(vm, this, fields, kind)?;
    plain(vm, this, name, value)
}

fn size_attribute(vm: &Vm, layout: &Value, name: &str, may_be_zero: bool) -> Result<usize> {
    let value = vm.get_attr_str(layout, name)?;
    if !int::is_int(&value) {
        return Err(vm.type_error("an integer is required"));
    }
    let number = vm.index_ssize(&value)?;
    match usize::try_from(number) {
        Ok(size) if size > 0 || may_be_zero => Ok(size),
        _ => Err(vm.value_error(format!(
            "{name} must be a {} integer",
            if may_be_zero { "non-negative" } else { "positive" }
        ))),
    }
}

/// Takes the layout of `fields` for the class's own, and makes their descriptors.
fn lay_out(vm: &Vm, this: &Value, fields: &Value, kind: Kind) -> Result<()> {
    let class = CType::of(this);
    let base = base_info(class);
    let get_layout = vm.import_from("ctypes._layout", "get_layout")?;
    let base_class = base.as_ref().map_or(Value::NONE, |(base, _)| base.clone());
    let arguments = [this.clone(), fields.clone(), Value::bool(kind == Kind::Structure), base_class];
    let layout = vm.call_args(&get_layout, &arguments)?;
    let align = size_attribute(vm, &layout, "align", false)?;
    let size = size_attribute(vm, &layout, "size", true)?;
    let format = vm.get_attr_str(&layout, "format_spec")?;
    let format = vm.expect_str(&format, |got| format!("format_spec must be a str, not {got}"))?.to_string_lossy();
    let descriptors = vm.get_attr_str(&layout, "fields")?;
    let descriptors = vm.collect(&descriptors)?;

    let mut scalars = Vec::new();
    let mut has_pointer = false;
    let mut length = descriptors.len();
    if let Some((_, info)) = &base {
        scalars.extend(info.passing.scalars.iter().copied());
        has_pointer = info.has_pointer;
        length += info.length;
    }
    let in_registers = size <= LARGEST_IN_REGISTERS;
    for descriptor in &descriptors {
        let Some(field) = descriptor.downcast::<Field>() else {
            let got = descriptor.ty().qualified_name();
            return Err(vm.type_error(format!("fields must be of type CField, got {got}")));
        };
        let Some(info) = ctype::info_of_class(&field.class) else {
            return Err(vm.type_error("the type of a field must be a C type"));
        };
        has_pointer |= info.has_pointer;
        if in_registers {
            let shifted = |(at, scalar): &(usize, _)| (at.wrapping_add_signed(field.offset), *scalar);
            scalars.extend(info.passing.scalars.iter().map(shifted).filter(|(at, _)| *at < size));
        }
        CType::of(&field.class).set_final(true);
        vm.set_attr(this, &field.name, descriptor)?;
    }
    if !in_registers {
        scalars.clear();
    }
    // A field of the class's own type, or code that made an instance meanwhile.
    if class.is_final() {
        return Err(vm.attribute_error("Structure or union cannot contain itself"));
    }
    let mut info = Info::new(kind, size, align, &format, Shape { size, align, scalars });
    info.length = length;
    info.has_pointer = has_pointer;
    class.set_info(info);
    class.set_final(true);
    make_anonymous(vm, this)
}

/// Makes the fields of anonymous fields attributes of the class.
fn make_anonymous(vm: &Vm, this: &Value) -> Result<()> {
    let Some(names) = ctype::class_attribute(vm, this, "_anonymous_")? else { return Ok(()) };
    if !vm.is_sequence(&names) {
        return Err(vm.type_error("_anonymous_ must be a sequence"));
    }
    for name in vm.collect(&names)? {
        let descriptor = vm.get_attr(this, &name)?;
        let Some(field) = descriptor.downcast::<Field>() else {
            let name = vm.display_name(&name);
            return Err(vm.attribute_error(format!("'{name}' is specified in _anonymous_ but not in _fields_")));
        };
        field.anonymous.set(true);
        lift_fields(vm, this, field, field.index, field.offset)?;
    }
    Ok(())
}

fn lift_fields(vm: &Vm, this: &Value, anonymous: &Field, index: usize, offset: isize) -> Result<()> {
    vm.check_stack(" while making the fields of an anonymous field")?;
    let fields = vm.get_attr_str(&anonymous.class, "_fields_")?;
    for pair in vm.collect(&fields)? {
        let name = vm.get_item(&pair, &Value::from(0))?;
        let descriptor = vm.get_attr(&anonymous.class, &name)?;
        let Some(field) = descriptor.downcast::<Field>() else { return Err(vm.type_error("unexpected type")) };
        if field.anonymous.get() {
            lift_fields(vm, this, field, index + field.index, offset + field.offset)?;
            continue;
        }
        vm.set_attr(this, &name, &field.moved(index, offset))?;
    }
    Ok(())
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let names: Vec<Value> =
        kwnames.and_then(|names| names.downcast::<Tuple>()).map(|names| names.as_slice().to_vec()).unwrap_or_default();
    let (positional, keywords) = args.split_at(args.len() - names.len());
    if !positional.is_empty() {
        let used = set_positional(vm, this, this.ty(), positional, &names)?;
        if used < positional.len() {
            return Err(vm.type_error("too many initializers"));
        }
    }
    for (name, value) in names.iter().zip(keywords) {
        vm.set_attr(this, name, value)?;
    }
    Ok(())
}

/// Sets the fields of a class and its bases in order; how many values were used.
fn set_positional(vm: &Vm, this: &Value, class: &Type, args: &[Value], names: &[Value]) -> Result<usize> {
    let mut at = 0;
    if let Some(base) = class.base()
        && ctype::info_of_class(&ctype::class_value(base)).is_some()
    {
        at = set_positional(vm, this, base, args, names)?;
    }
    let Some(fields) = class.dict().get_str(intern("_fields_").as_value()) else { return Ok(at) };
    for pair in vm.collect(&fields)? {
        let Some(value) = args.get(at) else { break };
        let name = vm.get_item(&pair, &Value::from(0))?;
        for given in names {
            if vm.equal(given, &name)? {
                let name = vm.repr_string(&name)?;
                return Err(vm.type_error(format!("duplicate values for field {name}")));
            }
        }
        vm.set_attr(this, &name, value)?;
        at += 1;
    }
    Ok(at)
}
