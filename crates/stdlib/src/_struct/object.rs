//! `struct.Struct`, the iterator of `iter_unpack`, and the cache of parsed formats.

use super::layout::Layout;
use super::{error, pack, unpack};
use crate::payload::{Field, class_of, payload, signature};
use std::sync::{Arc, OnceLock};
use taipan_object::buffer::{Buffer, buffer_flags};
use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::dict::{self, Dict};
use taipan_object::builtins::str::Str;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::text::codecs::Codec;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, codecs, method_table};

payload! {
    /// Without a layout until `__init__` has run.
    pub struct Struct(StructState): STRUCT { layout: Option<Arc<Layout>>, format: Option<Value> }
}

impl Field for Option<Arc<Layout>> {
    fn visit(&self, _: Visitor) {}
    fn take(&mut self) -> Self {
        None
    }
}

pub static STRUCT: TypeSpec = TypeSpec::new::<Struct>("_struct.Struct")
    .doc("Struct(fmt) --> compiled struct object\n\n")
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(|_, class, _, _| Ok(Struct::make(class_of(class), StructState { layout: None, format: None })));
        s.init = Some(|vm, this, args, kwnames| {
            let bound = INIT.bind(vm, args, kwnames)?;
            initialize(vm, Struct::of(this), &bound[0])
        });
        s.repr = Some(|vm, this| {
            let format = Struct::of(this).format(vm)?;
            let (name, format) = (this.ty().short_name(), vm.repr_string(&format)?);
            Ok(Value::from(format!("{name}({format})")))
        });
    })
    .methods(METHODS)
    .getset(GETSET);

signature!(INIT = "Struct(format)");

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("format", "the format, a string", |vm, this| Struct::of(this).format(vm)),
    GetSetDef::new("size", "how many bytes the format describes", |_, this| {
        let size = Struct::of(this).with(|state| state.layout.as_ref().map(|layout| layout.size));
        Ok(size.map_or(Value::small_int(-1), Value::from))
    }),
];

method_table! { static METHODS = [
    MethodDef::new("iter_unpack($self, buffer, /)",
        "Unpack one tuple after another from a buffer.\n\n\
        The iterator goes over the whole buffer, whose length in bytes must be\n\
        a multiple of the size; struct.error is raised otherwise.",
        |vm, this, args| iter_unpack(vm, this, &args[0])),
    MethodDef::raw("pack",
        "S.pack(v1, v2, ...) -> bytes\n\n\
        Lay out the values as the format says.  Their number and types must fit\n\
        it; struct.error is raised otherwise.",
        |vm, this, args, kwnames| {
            taipan_object::native::arguments::no_keywords(vm, "Struct.pack", kwnames)?;
            pack::pack(vm, &*Struct::of(this).layout(vm)?, args)
        }),
    MethodDef::raw("pack_into",
        "S.pack_into(buffer, offset, v1, v2, ...)\n\n\
        Lay out the values as the format says, in a writable buffer from the\n\
        byte at offset on; the rest of it stays as it is.  struct.error is raised\n\
        if there is not enough room.",
        |vm, this, args, kwnames| {
            taipan_object::native::arguments::no_keywords(vm, "Struct.pack_into", kwnames)?;
            pack::pack_into(vm, &*Struct::of(this).layout(vm)?, args)
        }),
    MethodDef::new("unpack($self, buffer, /)",
        "Take a buffer apart into a tuple of values.\n\n\
        The buffer must have exactly as many bytes as the format describes,\n\
        S.size; struct.error is raised otherwise.",
        |vm, this, args| unpack::unpack(vm, &*Struct::of(this).layout(vm)?, &args[0])),
    MethodDef::new("unpack_from($self, /, buffer, offset=0)",
        "Take a part of a buffer apart into a tuple of values.\n\n\
        The part starts at offset, which is counted from the end if negative.\n\
        It has as many bytes as the format describes; struct.error is raised if\n\
        the buffer has not so many.",
        |vm, this, args| unpack::unpack_from(vm, &*Struct::of(this).layout(vm)?, &args[0], &args[1])),
    MethodDef::new("__sizeof__($self, /)", "Bytes that the compiled format takes.", |vm, this, _| {
        let items = Struct::of(this).layout(vm)?.items.len();
        // As CPython, which keeps an entry of four words per item, and one to end them.
        Ok(Value::from(56 + 32 * (items + 1)))
    }),
]; }

impl Struct {
    #[inline]
    pub fn layout(&self, vm: &Vm) -> Result<Arc<Layout>> {
        self.with(|state| state.layout.clone()).ok_or_else(|| not_initialized(vm))
    }

    fn format(&self, vm: &Vm) -> Result {
        self.with(|state| state.format.clone()).ok_or_else(|| not_initialized(vm))
    }
}

#[cold]
fn not_initialized(vm: &Vm) -> taipan_object::Raised {
    vm.runtime_error("Struct object is not initialized")
}

fn initialize(vm: &Vm, object: &Struct, format: &Value) -> Result<()> {
    let (text, layout) = if format.downcast::<Str>().is_some() {
        let ascii = codecs::encode_native(vm, Codec::Ascii, format, None)?;
        (format.clone(), Layout::parse(vm, &ascii)?)
    } else if let Some(bytes) = format.downcast::<Bytes>() {
        let text = Str::from_fs_bytes(bytes.as_slice()).into_value();
        let ascii = codecs::encode_native(vm, Codec::Ascii, &text, None)?;
        (text, Layout::parse(vm, &ascii)?)
    } else {
        let got = format.ty().name();
        return Err(vm.type_error(format!("Struct() argument 1 must be a str or bytes object, not {got}")));
    };
    let old = object.with(|state| (state.layout.replace(Arc::new(layout)), state.format.replace(text)));
    drop(old);
    Ok(())
}

/// `Struct` objects by format.
pub fn cache() -> &'static Ref<Dict> {
    static CACHE: OnceLock<Ref<Dict>> = OnceLock::new();
    CACHE.get_or_init(Dict::new)
}

const CACHE_LIMIT: usize = 100;

/// The `Struct` of a format.
#[inline]
pub fn cached(vm: &Vm, format: &Value) -> Result {
    if format.downcast_exact::<Str>().is_some()
        && let Some(object) = cache().get_str(format)
    {
        return Ok(object);
    }
    make_cached(vm, format)
}

#[cold]
#[inline(never)]
fn make_cached(vm: &Vm, format: &Value) -> Result {
    let cache = cache();
    let hash = dict::hash_key(vm, format)?;
    if let Some(object) = cache.get_hashed(vm, format, hash)? {
        return Ok(object);
    }
    let object = Struct::make(STRUCT.ty(), StructState { layout: None, format: None });
    initialize(vm, Struct::of(&object), format)?;
    if cache.len() >= CACHE_LIMIT {
        cache.clear_items();
    }
    cache.set_hashed(vm, format, hash, object.clone())?;
    Ok(object)
}

/// The iterator of `iter_unpack`.
#[repr(C)]
pub struct UnpackIterator {
    pub header: Header,
    layout: Arc<Layout>,
    /// What is read, and where; `None` after the end.
    source: ObjectCell<Option<(Arc<Buffer>, usize)>>,
}

// SAFETY: repr(C), header first, visits the buffer's owner.
unsafe impl Payload for UnpackIterator {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        UNPACK_ITERATOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        if let Some((buffer, _)) = unsafe { &*self.source.as_ptr() } {
            visit(&buffer.owner);
        }
    }
    fn clear(&self) {
        self.end();
    }
}

pub static UNPACK_ITERATOR: TypeSpec = TypeSpec::new::<UnpackIterator>("_struct.unpack_iterator")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| {
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    })
    .methods(ITERATOR_METHODS);

method_table! { static ITERATOR_METHODS = [
    MethodDef::new("__length_hint__($self, /)", "The number of tuples that are left.", |_, this, _| {
        let iterator = own(this);
        let left = iterator.source.borrow(&iterator.header).as_ref().map_or(0, |(buffer, at)| buffer.length - at);
        Ok(Value::from(left / iterator.layout.size.max(1)))
    }),
]; }

fn own(this: &Value) -> &UnpackIterator {
    this.downcast::<UnpackIterator>().expect("methods are called with instances of their type")
}

impl UnpackIterator {
    fn end(&self) {
        let source = self.source.borrow(&self.header).take();
        drop(source);
    }
}

pub fn iter_unpack(vm: &Vm, object: &Value, buffer: &Value) -> Result {
    let layout = Struct::of(object).layout(vm)?;
    if layout.size == 0 {
        return Err(error(vm, "cannot iteratively unpack with a struct of length 0"));
    }
    let buffer = vm.get_buffer(buffer, buffer_flags::SIMPLE)?;
    if buffer.length % layout.size != 0 {
        let size = layout.size;
        return Err(error(vm, format!("iterative unpacking requires a buffer of a multiple of {size} bytes")));
    }
    let source = ObjectCell::new(Some((Arc::new(buffer), 0)));
    Ok(Ref::new(UnpackIterator { header: Header::new(UNPACK_ITERATOR.ty()), layout, source }).into_value())
}

fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let iterator = own(this);
    let size = iterator.layout.size;
    let place = iterator.source.borrow(&iterator.header).as_mut().map(|(buffer, at)| {
        *at += size;
        (buffer.clone(), *at - size)
    });
    let Some((buffer, at)) = place else { return Ok(None) };
    match buffer.as_slice().get(at..).and_then(|data| data.get(..size)) {
        Some(data) => unpack::values(vm, &iterator.layout, data).map(Some),
        None => {
            iterator.end();
            Ok(None)
        }
    }
}
