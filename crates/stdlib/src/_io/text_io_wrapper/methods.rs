//! The methods of `TextIOWrapper`.

use super::init::RECONFIGURE;
use super::{TextIoWrapper, position};
use crate::_io::names::names;
use crate::_io::{cannot_pickle, size_argument, with_context};
use taipan_object::builtins::str::Str;
use taipan_object::exceptions::VALUE_ERROR;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::{Result, Value, Vm, method_table};

pub fn repr(vm: &Vm, this: &Value) -> Result {
    let class = this.ty().full_name();
    let own = TextIoWrapper::of(this);
    own.check_initialized(vm)?;
    if !vm.enter_repr(this) {
        return Err(vm.runtime_error(format!("reentrant call inside {class}.__repr__")));
    }
    let text = describe(vm, this, &class);
    vm.leave_repr(this);
    text.map(Value::from)
}

fn describe(vm: &Vm, this: &Value, class: &str) -> Result<String> {
    let mut text = format!("<{class}");
    for name in ["name", "mode"] {
        let value = match vm.get_attr_str_opt(this, name) {
            Ok(value) => value,
            // A detached stream has none.
            Err(raised) => vm.catch(raised, VALUE_ERROR.ty()).map(|_| None)?,
        };
        if let Some(value) = value {
            text.push_str(&format!(" {name}={}", vm.repr_string(&value)?));
        }
    }
    let encoding = TextIoWrapper::of(this).with(|state| state.encoding_name.clone());
    text.push_str(&format!(" encoding={}>", vm.repr_string(&encoding)?));
    Ok(text)
}

fn close(vm: &Vm, this: &Value) -> Result {
    let own = TextIoWrapper::of(this);
    let buffer = own.checked_buffer(vm)?;
    let closed = vm.get_attr(this, &names().closed)?;
    // Whoever said so may have taken the buffer away.
    if vm.is_true(&closed)? || own.with(|state| state.detached) {
        return Ok(Value::NONE);
    }
    if own.with(|state| state.finalizing)
        && let Err(raised) = vm.call_method_name(&buffer, &names()._dealloc_warn, std::slice::from_ref(this))
    {
        vm.discard(raised);
    }
    let flushed = vm.call_method_name(this, &names().flush, &[]);
    let first = flushed.err().map(|raised| vm.take(raised));
    match (vm.call_method_name(&buffer, &names().close, &[]), first) {
        (closed, None) => closed,
        (Ok(_), Some(first)) => Err(vm.set_exception(first)),
        (Err(raised), Some(first)) => Err(with_context(vm, raised, first)),
    }
}

fn write(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let Some(text) = args[0].downcast::<Str>() else {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("write() argument must be str, not {got}")));
    };
    let own = TextIoWrapper::of(this);
    own.check_closed(vm, this)?;
    let length = text.len();
    own.write(vm, this, &args[0])?;
    Ok(Value::from(length))
}

fn flush(vm: &Vm, this: &Value) -> Result {
    let own = TextIoWrapper::of(this);
    own.check_closed(vm, this)?;
    own.with(|state| state.telling = state.seekable);
    own.flush_pending(vm)?;
    vm.call_method_name(&own.checked_buffer(vm)?, &names().flush, &[])
}

macro_rules! forward {
    ($declaration:literal, $name:ident) => {
        MethodDef::new($declaration, "", |vm, this, _| {
            let buffer = TextIoWrapper::of(this).checked_buffer(vm)?;
            vm.call_method_name(&buffer, &names().$name, &[])
        })
    };
}

method_table! { pub static METHODS = [
    MethodDef::new("detach($self, /)", "", |vm, this, _| {
        let own = TextIoWrapper::of(this);
        own.check_attached(vm)?;
        vm.call_method_name(this, &names().flush, &[])?;
        Ok(own.with(|state| {
            state.detached = true;
            std::mem::replace(&mut state.buffer, Value::NONE)
        }))
    }),
    RECONFIGURE,
    MethodDef::new("write($self, text, /)", "", write),
    MethodDef::new("read($self, size=-1, /)", "", |vm, this, args| {
        let size = size_argument(vm, &args[0])?;
        let own = TextIoWrapper::of(this);
        own.check_closed(vm, this)?;
        if own.with(|state| state.decoding.is_none()) {
            return Err(crate::_io::unsupported(vm, "not readable"));
        }
        own.flush_pending(vm)?;
        if size < 0 { own.read_all(vm) } else { own.read_some(vm, size as usize) }
    }),
    MethodDef::new("readline($self, size=-1, /)", "", |vm, this, args| {
        let limit = vm.index_i64(&args[0])?;
        TextIoWrapper::of(this).read_line(vm, this, limit).map(|line| line.into_value())
    }),
    MethodDef::new("flush($self, /)", "", |vm, this, _| flush(vm, this)),
    MethodDef::new("close($self, /)", "", |vm, this, _| close(vm, this)),
    forward!("fileno($self, /)", fileno),
    forward!("seekable($self, /)", seekable),
    forward!("readable($self, /)", readable),
    forward!("writable($self, /)", writable),
    forward!("isatty($self, /)", isatty),
    MethodDef::new("seek($self, cookie, whence=os.SEEK_SET, /)", "Set the stream position, and return the new stream position.\n\nThe cookie is 0 or what tell() returned; other than from the start, only 0 is possible.", position::seek),
    MethodDef::new("tell($self, /)", "\
        Return the position, a number that is of use to seek() only.", |vm, this, _| position::tell(vm, this)),
    MethodDef::new("truncate($self, pos=None, /)", "", |vm, this, args| {
        let own = TextIoWrapper::of(this);
        own.check_attached(vm)?;
        vm.call_method_name(this, &names().flush, &[])?;
        vm.call_method_name(&own.checked_buffer(vm)?, &names().truncate, &args[..1])
    }),
    MethodDef::new("__getstate__($self, /)", "", |vm, this, _| Err(cannot_pickle(vm, this))),
]; }

pub static MEMBERS: &[MemberDef] = &[
    MemberDef::new("encoding", "", |_, this| Ok(TextIoWrapper::of(this).with(|state| state.encoding_name.clone()))),
    MemberDef::new("line_buffering", "", |_, this| {
        Ok(Value::bool(TextIoWrapper::of(this).with(|state| state.line_buffering)))
    }),
    MemberDef::new("write_through", "", |_, this| {
        Ok(Value::bool(TextIoWrapper::of(this).with(|state| state.write_through)))
    }),
    MemberDef::new("_finalizing", "", |_, this| {
        Ok(Value::bool(TextIoWrapper::of(this).with(|state| state.finalizing)))
    })
    .setter(|vm, this, value| {
        let finalizing = crate::_io::file_io::finalizing_argument(vm, value)?;
        TextIoWrapper::of(this).with(|state| state.finalizing = finalizing);
        Ok(())
    }),
];

pub static GETSET: &[GetSetDef] = &[
    GetSetDef::new("name", "", |vm, this| {
        let buffer = TextIoWrapper::of(this).checked_buffer(vm)?;
        vm.get_attr(&buffer, &names().name)
    }),
    GetSetDef::new("closed", "", |vm, this| {
        // A stream without a buffer counts as closed before it is initialised.
        if !TextIoWrapper::of(this).with(|state| state.ok) {
            return Ok(Value::TRUE);
        }
        let buffer = TextIoWrapper::of(this).checked_buffer(vm)?;
        vm.get_attr(&buffer, &names().closed)
    }),
    GetSetDef::new("newlines", "", |vm, this| {
        let own = TextIoWrapper::of(this);
        own.check_attached(vm)?;
        let newlines = own.with(|state| if state.decoding.is_none() { None } else { state.newlines });
        Ok(newlines.map_or(Value::NONE, |newlines| newlines.seen()))
    }),
    GetSetDef::new("errors", "", |vm, this| {
        let own = TextIoWrapper::of(this);
        own.check_initialized(vm)?;
        Ok(own.with(|state| state.errors.clone()))
    }),
    GetSetDef::new("_CHUNK_SIZE", "", |vm, this| {
        let own = TextIoWrapper::of(this);
        own.check_attached(vm)?;
        Ok(Value::from(own.with(|state| state.chunk_size)))
    })
    .setter(|vm, this, value| {
        let own = TextIoWrapper::of(this);
        own.check_attached(vm)?;
        let Some(value) = value else {
            let class = "_io.TextIOWrapper";
            return Err(vm.attribute_error(format!("attribute '_CHUNK_SIZE' of '{class}' objects cannot be deleted")));
        };
        let size = crate::_io::offset_argument(vm, value)?;
        if size <= 0 {
            return Err(vm.value_error("a strictly positive integer is required"));
        }
        own.with(|state| state.chunk_size = size);
        Ok(())
    }),
    GetSetDef::new("buffer", "", |vm, this| TextIoWrapper::of(this).checked_buffer(vm)),
];
