//! `CFuncPtr` and its metaclass: pointers to C functions.

use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::GetSetDef;
use taipan_object::native::arguments::check_positional;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

use super::abi::Shape;
use super::call::{self, MAX_ARGUMENTS};
use super::cdata::{CDATA, CData, Index};
use super::ctype::{self, CTYPE, CType, Info, Kind};
use super::parameters;
use super::{callback, library};

pub const FUNCFLAG_CDECL: u32 = 1;
pub const FUNCFLAG_PYTHONAPI: u32 = 4;
pub const FUNCFLAG_USE_ERRNO: u32 = 8;
pub const FUNCFLAG_USE_LASTERROR: u32 = 16;

/// What a function pointer has beyond its memory. What it does not say, its class does.
#[derive(Default)]
pub struct Function {
    argtypes: Option<Value>,
    converters: Option<Vec<Value>>,
    restype: Option<Value>,
    checker: Option<Value>,
    errcheck: Option<Value>,
    paramflags: Option<Value>,
    /// What the C function calls, if it was made of a Python function.
    callable: Option<Value>,
}

impl Function {
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        let single = [&self.argtypes, &self.restype, &self.checker, &self.errcheck, &self.paramflags, &self.callable];
        single.into_iter().flatten().chain(self.converters.iter().flatten())
    }
}

pub static FUNCTION_TYPE: TypeSpec = TypeSpec::new::<CType>("_ctypes.PyCFuncPtrType")
    .doc("The metaclass of function pointers.")
    .base(&CTYPE)
    .itemsize(40)
    .flags(type_flags::BASETYPE | type_flags::ITEMS_AT_END)
    .slots(|s| s.init = Some(init_type))
    .methods(ctype::METHODS);

pub static FUNCTION: TypeSpec = TypeSpec::new::<CData>("_ctypes.CFuncPtr")
    .doc("The base of function pointers.")
    .base(&CDATA)
    .metatype(&FUNCTION_TYPE)
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(new);
        s.repr = Some(|_, this| Ok(Value::from(format!("<{} object at 0x{:x}>", this.ty().name(), this.id()))));
        s.call = Some(call_function);
        s.bool = Some(|_, this| Ok(!CData::of(this).target().is_null()));
    })
    .getset(&[
        GetSetDef::new("errcheck", "what checks the result", |_, this| {
            Ok(CData::of(this).with_function(|own| own.errcheck.clone()).unwrap_or(Value::NONE))
        })
        .setter(|vm, this, value| {
            if value.is_some_and(|value| value.ty().slots().call.is_none()) {
                return Err(vm.type_error("the errcheck attribute must be callable"));
            }
            let old = CData::of(this).with_function(|own| std::mem::replace(&mut own.errcheck, value.cloned()));
            drop(old);
            Ok(())
        }),
        GetSetDef::new("restype", "the type of the result", |_, this| {
            let own = CData::of(this);
            let restype = own.with_function(|own| own.restype.clone());
            Ok(restype.or_else(|| own.info().restype.clone()).unwrap_or(Value::NONE))
        })
        .setter(set_restype),
        GetSetDef::new("argtypes", "the types of the arguments", |_, this| {
            let own = CData::of(this);
            let argtypes = own.with_function(|own| own.argtypes.clone());
            Ok(argtypes.or_else(|| own.info().argtypes.clone()).unwrap_or(Value::NONE))
        })
        .setter(set_argtypes),
    ]);

fn set_restype(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let checker = match value {
        Some(value) => {
            check_restype(vm, value, "restype")?;
            checker_of(vm, value)?
        }
        None => None,
    };
    let old = CData::of(this).with_function(|own| {
        (std::mem::replace(&mut own.restype, value.cloned()), std::mem::replace(&mut own.checker, checker))
    });
    drop(old);
    Ok(())
}

fn check_restype(vm: &Vm, value: &Value, name: &str) -> Result<()> {
    if value.is_none() || ctype::info_of_class(value).is_some() || value.ty().slots().call.is_some() {
        return Ok(());
    }
    Err(vm.type_error(format!("{name} must be a type, a callable, or None")))
}

fn checker_of(vm: &Vm, restype: &Value) -> Result<Option<Value>> {
    vm.get_attr_str_opt(restype, "_check_retval_")
}

fn set_argtypes(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let value = value.filter(|value| !value.is_none());
    let converters = value.map(|value| converters_of(vm, value)).transpose()?;
    let paramflags = CData::of(this).with_function(|own| own.paramflags.clone());
    if let (Some(value), Some(flags)) = (value, &paramflags) {
        parameters::check(vm, Some(value), flags)?;
    }
    let old = CData::of(this).with_function(|own| {
        (std::mem::replace(&mut own.argtypes, value.cloned()), std::mem::replace(&mut own.converters, converters))
    });
    drop(old);
    Ok(())
}

/// `from_param` of each of the types.
fn converters_of(vm: &Vm, argtypes: &Value) -> Result<Vec<Value>> {
    if !vm.is_sequence(argtypes) {
        return Err(vm.type_error("_argtypes_ must be a sequence of types"));
    }
    let types = vm.collect(argtypes)?;
    if types.len() > MAX_ARGUMENTS {
        let count = types.len();
        let message = format!("_argtypes_ has too many arguments ({count}), maximum is {MAX_ARGUMENTS}");
        return Err(call::argument_error(vm, message));
    }
    let mut converters = Vec::with_capacity(types.len());
    for (at, class) in types.iter().enumerate() {
        match vm.get_attr_str_opt(class, "from_param")? {
            Some(converter) => converters.push(converter),
            None => return Err(vm.type_error(format!("item {} in _argtypes_ has no from_param method", at + 1))),
        }
    }
    Ok(converters)
}

fn init_type(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    ctype::init_class(vm, this, args, kwnames)?;
    let mut info = Info::new(Kind::Function, 8, 8, "X{}", Shape::pointer());
    info.length = 1;
    info.has_pointer = true;
    let flags = ctype::class_attribute(vm, this, "_flags_")?.filter(int::is_int);
    let Some(flags) = flags else {
        return Err(vm.type_error("class must define _flags_ which must be an integer"));
    };
    info.flags = crate::arguments::c_ulong_mask(vm, &flags)? as u32;
    if let Some(argtypes) = ctype::class_attribute(vm, this, "_argtypes_")? {
        info.converters = Some(converters_of(vm, &argtypes)?);
        info.argtypes = Some(argtypes);
    }
    if let Some(restype) = ctype::class_attribute(vm, this, "_restype_")? {
        check_restype(vm, &restype, "_restype_")?;
        info.checker = checker_of(vm, &restype)?;
        info.restype = Some(restype);
    }
    CType::of(this).set_info(info);
    Ok(())
}

fn new(vm: &Vm, class: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let positional = &args[..args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))];
    let info = CType::of(class).concrete(vm)?;
    let Some(first) = positional.first() else { return CData::make(vm, class) };
    if first.downcast::<Tuple>().is_some() {
        check_positional(vm, "function", positional.len(), 1, 2)?;
        return from_library(vm, class, first, positional.get(1));
    }
    if positional.len() != 1 {
        let given = positional.len();
        return Err(vm.type_error(format!("function takes exactly 1 argument ({given} given)")));
    }
    if int::is_int(first) {
        let address = crate::arguments::c_ulong_mask(vm, first)?;
        let function = CData::make(vm, class)?;
        CData::of(&function).set_target(address as usize as *mut u8);
        return Ok(function);
    }
    if first.ty().slots().call.is_none() {
        return Err(vm.type_error("argument must be callable or integer function address"));
    }
    let Some(argtypes) = &info.argtypes else {
        return Err(vm.type_error("cannot construct instance of this class: no argtypes"));
    };
    let argtypes = vm.collect(argtypes)?;
    let thunk = callback::new(vm, first, argtypes, info.restype.as_ref(), info.flags)?;
    let function = CData::make(vm, class)?;
    let own = CData::of(&function);
    own.set_target(callback::address(&thunk) as *mut u8);
    own.with_function(|own| own.callable = Some(first.clone()));
    own.keep(vm, &function, Index::At(0), thunk)?;
    Ok(function)
}

/// A function of a library, by `(name, library)`.
fn from_library(vm: &Vm, class: &Value, pair: &Value, paramflags: Option<&Value>) -> Result {
    let pair = pair.downcast::<Tuple>().map(|pair| pair.as_slice().to_vec()).unwrap_or_default();
    let [name, dll] = &pair[..] else { return Err(vm.type_error("illegal func_spec argument")) };
    let bytes = if let Some(name) = name.downcast::<Bytes>() {
        name.as_slice().to_vec()
    } else if let Some(name) = name.downcast::<Str>() {
        name.to_fs_bytes()
    } else {
        return Err(vm.type_error("function name must be string, bytes object or integer"));
    };
    let handle = library::handle_of(vm, dll)?;
    vm.audit("ctypes.dlsym", &[dll.clone(), name.clone()])?;
    let address = match library::symbol(vm, handle, &bytes)? {
        Ok(address) => address,
        Err(error) => return Err(vm.attribute_error(error.message("function"))),
    };
    let paramflags = paramflags.filter(|flags| !flags.is_none());
    if let Some(flags) = paramflags {
        let info = CType::of(class).concrete(vm)?;
        parameters::check(vm, info.argtypes.as_ref(), flags)?;
    }
    let function = CData::make(vm, class)?;
    let own = CData::of(&function);
    own.set_target(address as *mut u8);
    own.with_function(|own| own.paramflags = paramflags.cloned());
    own.keep(vm, &function, Index::At(0), dll.clone())?;
    Ok(function)
}

fn call_function(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let own = CData::of(this);
    let info = own.info();
    let (argtypes, converters, restype, checker, errcheck, paramflags) = own.with_function(|own| {
        (
            own.argtypes.clone(),
            own.converters.clone(),
            own.restype.clone(),
            own.checker.clone(),
            own.errcheck.clone(),
            own.paramflags.clone(),
        )
    });
    let argtypes = argtypes.or_else(|| info.argtypes.clone());
    let converters = converters.as_deref().or(info.converters.as_deref());
    let (restype, checker) = match restype {
        Some(restype) => (Some(restype), checker),
        None => (info.restype.clone(), info.checker.clone()),
    };
    let address = own.target() as usize;
    if address == 0 {
        return Err(vm.value_error("NULL function pointer"));
    }
    let positional = &args[..args.len() - kwnames.map_or(0, |names| vm.tuple_len(names))];
    let built = match (&argtypes, &paramflags) {
        (Some(argtypes), Some(flags)) => {
            parameters::build(vm, argtypes, flags, positional, &args[positional.len()..], kwnames)?
        }
        _ => parameters::Built::plain(positional.to_vec()),
    };
    if let Some(converters) = converters {
        let (required, given) = (converters.len(), built.arguments.len());
        if required > given {
            let plural = if required == 1 { "" } else { "s" };
            let message = format!("this function takes at least {required} argument{plural} ({given} given)");
            return Err(vm.type_error(message));
        }
    }
    let result = call::call(vm, address, &built.arguments, info.flags, converters, restype.as_ref(), checker.as_ref())?;
    if let Some(errcheck) = errcheck {
        let arguments = Tuple::from_slice(&built.arguments).into_value();
        let checked = vm.call_args(&errcheck, &[result.clone(), this.clone(), arguments.clone()])?;
        // What returns the arguments leaves the result as it is.
        if !checked.is(&arguments) {
            return Ok(checked);
        }
    }
    built.result(vm, result)
}
