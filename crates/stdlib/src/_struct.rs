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
    MethodDef::new("_clearcache($module, /)", "Clear the internal cache.", |_, _, _| {
        object::cache().clear_items();
        Ok(Value::NONE)
    }),
    MethodDef::new("calcsize($module, format, /)", "Return size in bytes of the struct described by the format string.", |vm, _, args| {
        let layout = Struct::of(&cached(vm, &args[0])?).layout(vm)?;
        Ok(Value::from(layout.size))
    }),
    MethodDef::new("iter_unpack($module, format, buffer, /)",
        "Return an iterator yielding tuples unpacked from the given bytes.\n\nThe bytes are unpacked according to the format string, like\na repeated invocation of unpack_from().\n\nRequires that the bytes length be a multiple of the format struct size.",
        |vm, _, args| object::iter_unpack(vm, &cached(vm, &args[0])?, &args[1])),
    MethodDef::raw("pack",
        "pack(format, v1, v2, ...) -> bytes\n\nReturn a bytes object containing the values v1, v2, ... packed according\nto the format string.  See help(struct) for more on format strings.",
        |vm, _, args, kwnames| {
            let (object, values) = after_format(vm, "pack", args, kwnames)?;
            pack::pack(vm, &*Struct::of(&object).layout(vm)?, values)
        }),
    MethodDef::raw("pack_into",
        "pack_into(format, buffer, offset, v1, v2, ...)\n\nPack the values v1, v2, ... according to the format string and write\nthe packed bytes into the writable buffer buf starting at offset.  Note\nthat the offset is a required argument.  A negative offset counts from\nthe end of the buffer.  See help(struct) for more on format strings.",
        |vm, _, args, kwnames| {
            let (object, rest) = after_format(vm, "pack_into", args, kwnames)?;
            pack::pack_into(vm, &*Struct::of(&object).layout(vm)?, rest)
        }),
    MethodDef::new("unpack($module, format, buffer, /)",
        "Return a tuple containing values unpacked according to the format string.\n\nThe buffer's size in bytes must be calcsize(format).\n\nSee help(struct) for more on format strings.",
        |vm, _, args| unpack::unpack(vm, &*Struct::of(&cached(vm, &args[0])?).layout(vm)?, &args[1])),
    MethodDef::new("unpack_from($module, format, /, buffer, offset=0)",
        "Return a tuple containing values unpacked according to the format string.\n\nThe buffer's size, minus offset, must be at least calcsize(format).\nA negative offset counts from the end of the buffer.\n\nSee help(struct) for more on format strings.",
        |vm, _, args| unpack::unpack_from(vm, &*Struct::of(&cached(vm, &args[0])?).layout(vm)?, &args[1], &args[2])),
]; }
