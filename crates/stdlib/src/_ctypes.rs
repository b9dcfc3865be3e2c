//! `_ctypes`: C data, and calls of C functions.
//!
//! `ctype.rs` has what classes know of their instances' memory, `cdata.rs` the instances; `simple.rs` (with the type codes
//! in `codes.rs`), `structure.rs` (with `field.rs`), `array.rs`, `pointer.rs` and `function.rs` the kinds of types. `call.rs`
//! calls C functions, by the platform's convention in `abi.rs`; `argument.rs` and `parameters.rs` have their arguments;
//! `callback.rs` makes C functions of Python ones.
//!
//! Foreign code can do anything to the process. What is checked: types and sizes, indices of arrays, `NULL` pointers, and that
//! memory stays as long as an object of this module that refers to it by `_b_base_` or a buffer.
//!
//! There is no C API of Python in the process: `ctypes.pythonapi` finds none of its symbols.

mod abi;
mod argument;
mod array;
mod call;
mod callback;
mod cdata;
mod codes;
mod ctype;
mod field;
mod function;
mod library;
mod memory;
mod parameters;
mod pointer;
mod simple;
mod structure;

use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::{Result, Value, Vm, method_table};

use crate::arguments::c_int;
use argument::Argument;
use cdata::CData;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_ctypes",
    doc: "Creates and manipulates C data, and calls C functions.",
    functions: METHODS,
    exec: |vm, module| {
        module.add_functions(library::METHODS);
        for spec in [
            &structure::STRUCTURE,
            &structure::UNION,
            &pointer::POINTER,
            &array::ARRAY,
            &simple::SIMPLE,
            &function::FUNCTION,
            &field::FIELD,
        ] {
            module.add_type(spec);
        }
        int_constants!(module;
            FUNCFLAG_CDECL = function::FUNCFLAG_CDECL,
            FUNCFLAG_USE_ERRNO = function::FUNCFLAG_USE_ERRNO,
            FUNCFLAG_USE_LASTERROR = function::FUNCFLAG_USE_LASTERROR,
            FUNCFLAG_PYTHONAPI = function::FUNCFLAG_PYTHONAPI,
            CTYPES_MAX_ARGCOUNT = call::MAX_ARGUMENTS,
            SIZEOF_TIME_T = size_of::<libc::time_t>(),
        );
        libc_constants!(module; RTLD_LOCAL RTLD_GLOBAL);
        module.set("__version__", Value::from("1.1.0"));
        let addresses = [
            ("_memmove_addr", libc::memmove as *const () as usize),
            ("_memset_addr", libc::memset as *const () as usize),
            ("_string_at_addr", memory::string_at as *const () as usize),
            ("_wstring_at_addr", memory::wstring_at as *const () as usize),
            ("_memoryview_at_addr", memory::memoryview_at as *const () as usize),
            ("_cast_addr", memory::cast as *const () as usize),
        ];
        for (name, address) in addresses {
            module.set(name, Value::from(address));
        }
        module.set("ArgumentError", call::argument_error_class(vm)?.clone());
        Ok(())
    },
};

/// The instance that an argument of a function must be.
fn instance<'a>(vm: &Vm, value: &'a Value, function: &str, argument: &str) -> Result<&'a CData> {
    value.downcast::<CData>().ok_or_else(|| {
        let got = vm.argument_type(value);
        vm.type_error(format!("{function}() {argument} must be _ctypes._CData, not {got}"))
    })
}

fn call_at(vm: &Vm, args: &[Value], flags: u32) -> Result {
    let [function, arguments] = args else {
        return Err(vm.type_error(format!("function takes exactly 2 arguments ({} given)", args.len())));
    };
    if !taipan_object::builtins::int::is_int(function) {
        return Err(vm.type_error("an integer is required"));
    }
    let Some(tuple) = arguments.downcast::<Tuple>() else {
        let got = vm.argument_type(arguments);
        return Err(vm.type_error(format!("argument 2 must be tuple, not {got}")));
    };
    let address = crate::arguments::c_ulong_mask(vm, function)? as usize;
    if address == 0 {
        return Err(vm.value_error("NULL function pointer"));
    }
    call::call(vm, address, tuple.as_slice(), flags, None, None, None)
}

method_table! { static METHODS = [
    MethodDef::new("get_errno($self, /)", "", |vm, _, _| {
        vm.audit("ctypes.get_errno", &[])?;
        Ok(Value::from(call::ERRNO.get()))
    }),
    MethodDef::raw("set_errno", "", |vm, _, args, _| {
        let [value] = args else {
            return Err(vm.type_error(format!("function takes exactly 1 argument ({} given)", args.len())));
        };
        vm.audit("ctypes.set_errno", args)?;
        let value = c_int(vm, value)?;
        Ok(Value::from(call::ERRNO.replace(value)))
    }),
    MethodDef::raw("_unpickle", "", |vm, _, args, _| {
        let [class, state] = args else {
            return Err(vm.type_error(format!("function takes exactly 2 arguments ({} given)", args.len())));
        };
        let Some(state) = state.downcast::<Tuple>() else {
            let got = vm.argument_type(state);
            return Err(vm.type_error(format!("argument 2 must be tuple, not {got}")));
        };
        let object = vm.call_method(class, "__new__", std::slice::from_ref(class))?;
        vm.call_method(&object, "__setstate__", state.as_slice())?;
        Ok(object)
    }),
    MethodDef::new("buffer_info($self, object, /)", "The format, number of dimensions and shape of a type or instance.", |vm, _, args| {
        let info = match args[0].downcast::<CData>() {
            Some(own) => Some(own.info()),
            None => ctype::info_of_class(&args[0]),
        };
        let Some(info) = info else { return Err(vm.type_error("not a ctypes type or object")) };
        let shape: Vec<Value> = info.shape.iter().map(|count| Value::from(*count as i64)).collect();
        let dimensions = Value::from(shape.len());
        Ok(Tuple::from_array([Value::from(info.format.as_str()), dimensions, Tuple::from_vec(shape).into_value()]).into_value())
    }),
    MethodDef::new("resize($module, obj, size, /)", "Makes the memory of an instance larger.", |vm, _, args| {
        let own = instance(vm, &args[0], "resize", "argument 1")?;
        match usize::try_from(vm.index_ssize(&args[1])?) {
            Ok(size) => own.resize(vm, size)?,
            Err(_) => return Err(vm.value_error(format!("minimum size is {}", own.info().size))),
        }
        Ok(Value::NONE)
    }),
    MethodDef::new("alignment($self, object, /)", "The alignment of a C type or instance in bytes.", |vm, _, args| {
        let info = match args[0].downcast::<CData>() {
            Some(own) => Some(own.info()),
            None => ctype::info_of_class(&args[0]),
        };
        info.map(|info| Value::from(info.align)).ok_or_else(|| vm.type_error("no alignment info"))
    }),
    MethodDef::new("sizeof($module, obj, /)", "The size of a C type or instance in bytes.", |vm, _, args| {
        if let Some(info) = ctype::info_of_class(&args[0]) {
            return Ok(Value::from(info.size));
        }
        match args[0].downcast::<CData>() {
            Some(own) => Ok(Value::from(own.size())),
            None => Err(vm.type_error("this type has no size")),
        }
    }),
    MethodDef::new("byref($module, obj, offset=0, /)", "The address of an instance as an argument of a function.", |vm, _, args| {
        let own = instance(vm, &args[0], "byref", "argument 1")?;
        let offset = vm.index_ssize(&args[1])?;
        let target = own.pointer().wrapping_offset(offset as isize) as usize;
        Ok(Argument::pointer(b'P', target, Some(args[0].clone())))
    }),
    MethodDef::new("addressof($module, obj, /)", "The address of an instance's memory.", |vm, _, args| {
        let own = instance(vm, &args[0], "addressof", "argument")?;
        vm.audit("ctypes.addressof", args)?;
        Ok(Value::from(own.pointer() as usize))
    }),
    MethodDef::raw("call_function", "", |vm, _, args, _| call_at(vm, args, 0)),
    MethodDef::raw("call_cdeclfunction", "", |vm, _, args, _| call_at(vm, args, function::FUNCFLAG_CDECL)),
]; }
