//! The text streams on the standard file descriptors that `sys` has before `io` gives it better ones.

use std::io::Write;

use taipan_object::builtins::str::Str;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Value};

/// A stream on a file descriptor.
#[repr(C)]
struct ConsoleStream {
    header: Header,
    descriptor: i32,
}

// SAFETY: repr(C), header first, owns no references.
unsafe impl Payload for ConsoleStream {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        CONSOLE_STREAM.ty()
    }
    fn traverse(&self, _: Visitor) {}
}

static CONSOLE_STREAM: TypeSpec =
    TypeSpec::new::<ConsoleStream>("_console_stream").flags(type_flags::DISALLOW_INSTANTIATION).methods(METHODS);

taipan_object::method_table! {
    static METHODS = [
        MethodDef::new("write($self, text, /)", "", |vm, this, args| {
            let Some(text) = args[0].downcast::<Str>() else {
                let name = args[0].ty().name();
                return Err(vm.type_error(format!("write() argument must be str, not {name}")));
            };
            let bytes = text.to_string_lossy().into_bytes();
            let written = match own(this).descriptor {
                2 => std::io::stderr().write_all(&bytes),
                _ => std::io::stdout().write_all(&bytes),
            };
            match written {
                Ok(()) => Ok(Value::from(text.len())),
                Err(error) => Err(vm.os_error(error.raw_os_error().unwrap_or(0), None, None)),
            }
        }),
        MethodDef::new("flush($self, /)", "", |_, _, _| {
            let _ = std::io::stdout().flush();
            Ok(Value::NONE)
        }),
        MethodDef::new("fileno($self, /)", "", |_, this, _| Ok(Value::from(own(this).descriptor))),
        MethodDef::new("readline($self, /)", "", |vm, _, _| {
            let mut line = String::new();
            match std::io::stdin().read_line(&mut line) {
                Ok(_) => Ok(Value::from(line)),
                Err(error) => Err(vm.os_error(error.raw_os_error().unwrap_or(0), None, None)),
            }
        }),
    ];
}

fn own(this: &Value) -> &ConsoleStream {
    this.downcast::<ConsoleStream>().expect("called through its own slot")
}

pub(super) fn stream(descriptor: i32) -> Value {
    Ref::new(ConsoleStream { header: Header::new(CONSOLE_STREAM.ty()), descriptor }).into_value()
}
