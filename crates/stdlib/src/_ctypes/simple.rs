//! `_SimpleCData` and its metaclass: numbers, characters, strings and plain pointers.

use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::native::arguments::check_positional;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::{TypeSpec, creation, type_flags};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, method_table};

use super::argument::Argument;
use super::cdata::{self, CDATA, CData, Index};
use super::codes::{self, Code};
use super::ctype::{self, CTYPE, CType, Info, Kind};

pub static SIMPLE_TYPE: TypeSpec = TypeSpec::new::<CType>("_ctypes.PyCSimpleType")
    .doc("The metaclass of simple types.")
    .base(&CTYPE)
    .itemsize(40)
    .flags(type_flags::BASETYPE | type_flags::ITEMS_AT_END)
    .slots(|s| s.init = Some(init_type))
    .methods(ctype::METHODS);

pub static SIMPLE: TypeSpec = TypeSpec::new::<CData>("_ctypes._SimpleCData")
    .doc("The base of simple types.")
    .base(&CDATA)
    .metatype(&SIMPLE_TYPE)
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(cdata::new);
        s.init = Some(init);
        s.repr = Some(repr);
        s.bool = Some(|_, this| {
            let own = CData::of(this);
            // SAFETY: the memory has so many bytes.
            Ok(unsafe { std::slice::from_raw_parts(own.pointer(), own.size()) }.iter().any(|byte| *byte != 0))
        });
    })
    .methods(METHODS)
    .getset(&[GetSetDef::new("value", "", value).setter(|vm, this, value| match value {
        Some(value) => set_value(vm, this, value),
        None => Err(vm.type_error("can't delete attribute")),
    })]);

method_table! { static METHODS = [
    MethodDef::new("__ctypes_from_outparam__($self, /)", "What is returned for an output parameter: the value.", |vm, this, _| {
        if ctype::is_kept(&ctype::class_value(this.ty())) { Ok(this.clone()) } else { value(vm, this) }
    }),
]; }

fn init_type(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    ctype::init_class(vm, this, args, kwnames)?;
    let Some(code) = ctype::class_attribute(vm, this, "_type_")? else { return Err(ctype::must_define(vm, "_type_")) };
    let Some(text) = code.downcast::<Str>() else {
        return Err(vm.type_error("class must define a '_type_' string attribute"));
    };
    if text.len() != 1 {
        return Err(vm.value_error("class must define a '_type_' attribute which must be a string of length 1"));
    }
    let Some(letter) = u8::try_from(text.at(0)).ok().and_then(Code::from_letter) else {
        return Err(vm.attribute_error(format!(
            "class must define a '_type_' attribute which must be\na single character string containing one of the\n\
             supported types: '{}'.",
            codes::ALL
        )));
    };
    let class = CType::of(this);
    class.set_info(info(letter, &code));
    if letter.can_swap() && this.ty().is(&SIMPLE_TYPE) {
        let swapped = swapped_type(vm, this, args, letter, &code)?;
        let (little, big) = (intern("__ctype_le__"), intern("__ctype_be__"));
        vm.set_attr(this, big.as_value(), &swapped)?;
        vm.set_attr(this, little.as_value(), this)?;
        vm.set_attr(&swapped, little.as_value(), this)?;
        vm.set_attr(&swapped, big.as_value(), &swapped)?;
    }
    Ok(())
}

fn info(code: Code, proto: &Value) -> Info {
    let passing = code.passing();
    let mut info = Info::new(Kind::Simple, passing.size, passing.align, &code.format(), passing.clone());
    info.code = Some(code);
    info.proto = Some(proto.clone());
    info.has_pointer = code.is_pointer();
    info
}

/// A class of the same name, bases and namespace whose values are in big-endian order.
fn swapped_type(vm: &Vm, this: &Value, args: &[Value], code: Code, proto: &Value) -> Result {
    let [name, bases, namespace] = &args[..3] else { return Err(vm.type_error("a class has three parts")) };
    let name = Value::from(format!("{}_be", vm.display_name(name)));
    let Some(namespace) = namespace.downcast::<Dict>() else { return Err(vm.type_error("a namespace is a dict")) };
    let namespace = namespace.copy();
    // The cell is for the class that the statement makes.
    drop(namespace.remove_str(&names().__classcell__));
    let args = [name, bases.clone(), namespace.into_value()];
    let swapped = creation::new(vm, &this.ty().to_value(), &args, None)?;
    CType::of(&swapped).set_info(info(Code { swapped: true, ..code }, proto));
    Ok(swapped)
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let args = &args[..args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))];
    check_positional(vm, "__init__", args.len(), 0, 1)?;
    match args.first() {
        Some(value) => set_value(vm, this, value),
        None => Ok(()),
    }
}

/// The instance's code. (It has none if it was made by a class of another kind, and got this one by `__class__`.)
fn code_of(vm: &Vm, own: &CData) -> Result<Code> {
    own.info().code.ok_or_else(|| vm.type_error("the instance was not made by a simple type"))
}

pub fn value(vm: &Vm, this: &Value) -> Result {
    let own = CData::of(this);
    // SAFETY: the memory has the code's size; where it points to, the program vouches for.
    unsafe { code_of(vm, own)?.get(vm, own.pointer()) }
}

fn set_value(vm: &Vm, this: &Value, value: &Value) -> Result<()> {
    let own = CData::of(this);
    // SAFETY: the memory has the code's size.
    let keep = unsafe { code_of(vm, own)?.set(vm, own.pointer(), value)? };
    own.keep(vm, this, Index::At(0), keep)
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let name = this.ty().name();
    if ctype::is_kept(&ctype::class_value(this.ty())) {
        return Ok(Value::from(format!("<{name} object at 0x{:x}>", this.id())));
    }
    let value = value(vm, this)?;
    Ok(Value::from(format!("{name}({})", vm.repr_string(&value)?)))
}

/// `from_param` of simple types.
pub fn from_param(vm: &Vm, this: &Value, value: &Value) -> Result {
    let class = CType::of(this);
    let info = class.concrete(vm)?;
    let Some(code) = info.code else { return Err(vm.type_error("not a simple type")) };
    let special = matches!(code.letter, b'z' | b'Z' | b'P');
    if special && value.is_none() {
        return Ok(Value::NONE);
    }
    if !special {
        if vm.is_instance(value, this)? {
            return Ok(value.clone());
        }
        return match convert(vm, code, value) {
            Ok(argument) => Ok(argument),
            Err(raised) => {
                let error = vm.take(raised);
                match ctype::as_parameter(vm, value)? {
                    Some(parameter) => {
                        ctype::check_recursion(vm)?;
                        from_param(vm, this, &parameter)
                    }
                    None => Err(vm.set_exception(error)),
                }
            }
        };
    }
    let is_string = |letter: u8| match letter {
        b'z' => value.downcast::<Bytes>().is_some(),
        _ => value.downcast::<Str>().is_some(),
    };
    match code.letter {
        b'P' => {
            if int::is_int(value) {
                return convert(vm, code, value);
            }
            for letter in [b'z', b'Z'] {
                if is_string(letter) {
                    return convert(vm, Code { letter, swapped: false }, value);
                }
            }
        }
        letter if is_string(letter) => return convert(vm, code, value),
        _ => {}
    }
    if vm.is_instance(value, this)? {
        return Ok(value.clone());
    }
    if let Some(instance) = value.downcast::<CData>() {
        let info = instance.info();
        let item = info.proto.as_ref().and_then(ctype::info_of_class).and_then(|item| item.code);
        let wanted = if code.letter == b'z' { b'c' } else { b'u' };
        match (code.letter, info.kind) {
            (b'P', Kind::Array | Kind::Pointer) => return Ok(value.clone()),
            (b'P', Kind::Function) => {
                return Ok(Argument::pointer(b'P', instance.target() as usize, Some(value.clone())));
            }
            (b'P', Kind::Simple) if info.code.is_some_and(|code| matches!(code.letter, b'z' | b'Z')) => {
                return Ok(Argument::pointer(b'Z', instance.target() as usize, Some(value.clone())));
            }
            (b'z' | b'Z', Kind::Array | Kind::Pointer) if item.is_some_and(|item| item.letter == wanted) => {
                return Ok(value.clone());
            }
            _ => {}
        }
    }
    if let Some(argument) = value.downcast_exact::<Argument>() {
        if code.letter == b'P' {
            if argument.tag == b'P' {
                return Ok(value.clone());
            }
        } else {
            let pointed = argument.object().and_then(|object| object.downcast::<CData>().map(CData::info));
            let wanted = if code.letter == b'z' { b'c' } else { b'u' };
            if pointed.and_then(|info| info.code).is_some_and(|code| code.letter == wanted) {
                return Ok(value.clone());
            }
        }
    }
    if let Some(parameter) = ctype::as_parameter(vm, value)? {
        ctype::check_recursion(vm)?;
        return from_param(vm, this, &parameter);
    }
    let (got, wanted) = (value.ty().name(), class.class().qualified_name());
    Err(vm.type_error(format!("'{got}' object cannot be interpreted as {wanted}")))
}

/// An argument with the bytes that the code gives a value.
fn convert(vm: &Vm, code: Code, value: &Value) -> Result {
    let mut raw = [0u128; 2];
    // SAFETY: the largest value of a code has 32 bytes.
    let keep = unsafe { code.set(vm, raw.as_mut_ptr().cast(), value)? };
    let keep = if keep.is_none() { None } else { Some(keep) };
    // SAFETY: as above.
    let argument = unsafe { Argument::new(code.letter, keep, code.passing().into(), raw.as_ptr().cast()) };
    Ok(argument.into_value())
}
