//! `_struct`: Python values as the bytes of C structs.
//!
//! `layout.rs` parses formats, `pack.rs` and `unpack.rs` convert values, `object.rs` has `Struct` and the cache of formats.

pub mod layout;
pub mod object;
pub mod pack;
pub mod unpack;

use object::{Struct, cached};
use std::sync::OnceLock;
use taipan_object::exceptions::EXCEPTION;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::types::Type;
use taipan_object::{Raised, Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_struct",
    doc: "Functions to convert between Python values and C structs.\nPython bytes objects are used to hold the data \
          representing the C struct.\nThe optional first format char says which byte order, sizes and alignment are meant:\n  \
          @: native order, sizes and alignment (the default)\n  =: native order, standard sizes, no alignment\n  <: \
          little-endian, standard sizes, no alignment\n  >, !: big-endian, standard sizes, no alignment\n\nThe others stand for \
          values and may be preceded by a count:\n  x: padding, c: char, b, B: byte, ?: bool, h, H: short, i, I: int, l, L: \
          long,\n  q, Q: long long, e: half float, f: float, d: double, F, D: complex, s: string,\n  p: Pascal string; only with \
          native sizes n, N: ssize_t, size_t, P: pointer.\nWhitespace between formats is ignored.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        module.add_type(&object::STRUCT);
        module.set("error", error_class(vm)?.clone());
        Ok(())
    },
};

/// `struct.error`
fn error_class(vm: &Vm) -> Result<&'static Value> {
    static CLASS: OnceLock<Value> = OnceLock::new();
    if let Some(class) = CLASS.get() {
        return Ok(class);
    }
    let class = crate::exception_type::new(vm, "struct", "error", vec![EXCEPTION.value()], None)?;
    Ok(CLASS.get_or_init(|| class))
}

#[cold]
fn error(vm: &Vm, message: impl Into<String>) -> Raised {
    match error_class(vm) {
        Ok(class) => match class.downcast::<Type>() {
            Some(class) => vm.raise_new(class, message.into()),
            None => vm.value_error(message),
        },
        Err(raised) => raised,
    }
}

/// The arguments after the format, which must be there.
fn after_format<'a>(vm: &Vm, name: &str, args: &'a [Value], kwnames: Option<&Value>) -> Result<(Value, &'a [Value])> {
    if kwnames.is_some_and(|names| vm.tuple_len(names) > 0) {
        return Err(vm.type_error(format!("_struct.{name}() takes no keyword arguments")));
    }
    match args.split_first() {
        Some((format, rest)) => Ok((cached(vm, format)?, rest)),
        None => Err(vm.type_error("missing format argument")),
    }
}

method_table! { static FUNCTIONS = [
    MethodDef::new("_clearcache($module, /)", "Forget the formats that were compiled.", |_, _, _| {
        object::cache().clear_items();
        Ok(Value::NONE)
    }),
    MethodDef::new("calcsize($module, format, /)", "\
        Return the number of bytes that the format describes.", |vm, _, args| {
        let layout = Struct::of(&cached(vm, &args[0])?).layout(vm)?;
        Ok(Value::from(layout.size))
    }),
    MethodDef::new("iter_unpack($module, format, buffer, /)",
        "Unpack one tuple after another from a buffer.\n\n\
        The iterator goes over the whole buffer, whose length in bytes must be\n\
        a multiple of calcsize(format); struct.error is raised otherwise.",
        |vm, _, args| object::iter_unpack(vm, &cached(vm, &args[0])?, &args[1])),
    MethodDef::raw("pack",
        "pack(format, v1, v2, ...) -> bytes\n\n\
        Lay out the values as the format says.  Their number and types must fit\n\
        it; struct.error is raised otherwise.",
        |vm, _, args, kwnames| {
            let (object, values) = after_format(vm, "pack", args, kwnames)?;
            pack::pack(vm, &*Struct::of(&object).layout(vm)?, values)
        }),
    MethodDef::raw("pack_into",
        "pack_into(format, buffer, offset, v1, v2, ...)\n\n\
        Lay out the values as the format says, in a writable buffer from the\n\
        byte at offset on; the rest of it stays as it is.  A negative offset is\n\
        counted from the end.  struct.error is raised if there is not enough room.",
        |vm, _, args, kwnames| {
            let (object, rest) = after_format(vm, "pack_into", args, kwnames)?;
            pack::pack_into(vm, &*Struct::of(&object).layout(vm)?, rest)
        }),
    MethodDef::new("unpack($module, format, buffer, /)",
        "Take a buffer apart into a tuple of values, as the format says.\n\n\
        The buffer must have exactly calcsize(format) bytes; struct.error is\n\
        raised otherwise.",
        |vm, _, args| unpack::unpack(vm, &*Struct::of(&cached(vm, &args[0])?).layout(vm)?, &args[1])),
    MethodDef::new("unpack_from($module, format, /, buffer, offset=0)",
        "Take a part of a buffer apart into a tuple of values.\n\n\
        The part starts at offset, which is counted from the end if negative.\n\
        It has calcsize(format) bytes; struct.error is raised if the buffer has\n\
        not so many.",
        |vm, _, args| unpack::unpack_from(vm, &*Struct::of(&cached(vm, &args[0])?).layout(vm)?, &args[1], &args[2])),
]; }
