//! `_io.BufferedWriter`

use super::methods as shared;
use super::{Buffered, new, spec};
use crate::_io::iobase;
use crate::payload::signature;
use taipan_object::method_table;
use taipan_object::native::MethodDef;
use taipan_object::types::TypeSpec;

signature!(INIT = "BufferedWriter(raw, buffer_size=DEFAULT_BUFFER_SIZE)");

pub static BUFFERED_WRITER: TypeSpec = spec("_io.BufferedWriter")
    .doc(
        "BufferedWriter(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n\
        --\n\n\
        A buffer of a raw stream that can be written to.",
    )
    .slots(|s| {
        s.new = Some(|_, class, _, _| Ok(new(class)));
        s.init = Some(|vm, this, args, kwnames| {
            let own = Buffered::of(this);
            let (raw, size) = shared::init_arguments(vm, &INIT, args, kwnames)?;
            own.set_not_ok();
            iobase::check_writable(vm, &raw)?;
            own.init(vm, this, &raw, size, false, true)
        });
        s.repr = Some(shared::repr);
    })
    .methods(METHODS)
    .members(shared::MEMBERS)
    .getset(shared::GETSET);

method_table! { static METHODS = [
    MethodDef::new("close($self, /)", "", shared::close),
    MethodDef::new("detach($self, /)", "", shared::detach),
    MethodDef::new("seekable($self, /)", "", shared::seekable),
    MethodDef::new("writable($self, /)", "", shared::writable),
    MethodDef::new("fileno($self, /)", "", shared::fileno),
    MethodDef::new("isatty($self, /)", "", shared::isatty),
    MethodDef::new("_dealloc_warn($self, source, /)", "", shared::dealloc_warn),
    MethodDef::new("write($self, buffer, /)", "Write the given buffer to the IO stream and return the number of bytes written.", shared::write),
    MethodDef::new("truncate($self, pos=None, /)", "", shared::truncate),
    MethodDef::new("flush($self, /)", "", shared::flush),
    MethodDef::new("seek($self, target, whence=0, /)", "", shared::seek),
    MethodDef::new("tell($self, /)", "", shared::tell),
    MethodDef::new("__sizeof__($self, /)", "", shared::sizeof),
    MethodDef::new("__getstate__($self, /)", "", shared::getstate),
]; }
