//! `_io.BufferedRWPair`: a reader and a writer as one stream, for sockets and pipes.

use super::methods::init_arguments;
use super::{reader, writer};
use crate::_io::bases::BUFFERED_IO_BASE;
use crate::_io::names::names;
use crate::_io::{iobase, with_context};
use crate::payload::{class_of, payload, signature};
use taipan_object::native::arguments::{check_positional, no_keywords};
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

payload! {
    pub struct RwPair(RwPairState): BUFFERED_RW_PAIR { reader: Option<Value>, writer: Option<Value> }
}

pub static BUFFERED_RW_PAIR: TypeSpec = TypeSpec::new::<RwPair>("_io.BufferedRWPair")
    .doc(
        "BufferedRWPair(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)\n--\n\nA buffered reader and writer object \
         together, over two raw streams that cannot be sought.",
    )
    .base(&BUFFERED_IO_BASE)
    .flags(type_flags::BASETYPE | type_flags::GENERIC_NEW)
    .slots(|s| {
        s.new = Some(|_, class, _, _| Ok(RwPair::make(class_of(class), RwPairState { reader: None, writer: None })));
        s.init = Some(init);
    })
    .methods(METHODS)
    .getset(&[GetSetDef::new("closed", "", |vm, this| match RwPair::of(this).with(|state| state.writer.clone()) {
        Some(writer) => vm.get_attr(&writer, &names().closed),
        None => Err(vm.runtime_error("the BufferedRWPair object is being garbage-collected")),
    })]);

signature!(INNER = "BufferedRWPair(raw, buffer_size=DEFAULT_BUFFER_SIZE)");

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    no_keywords(vm, "BufferedRWPair", kwnames)?;
    check_positional(vm, "BufferedRWPair", args.len(), 2, 3)?;
    let (_, size) = init_arguments(vm, &INNER, &args[1..], None)?;
    iobase::check_readable(vm, &args[0])?;
    iobase::check_writable(vm, &args[1])?;
    let size = Value::from(size);
    let reader = vm.call_args(&reader::BUFFERED_READER.value(), &[args[0].clone(), size.clone()])?;
    let writer = vm.call_args(&writer::BUFFERED_WRITER.value(), &[args[1].clone(), size])?;
    let old = RwPair::of(this).with(|state| (state.reader.replace(reader), state.writer.replace(writer)));
    drop(old);
    Ok(())
}

fn reader(vm: &Vm, this: &Value) -> Result {
    match RwPair::of(this).with(|state| state.reader.clone()) {
        Some(reader) => Ok(reader),
        None => Err(vm.value_error("I/O operation on uninitialized object")),
    }
}
fn writer(vm: &Vm, this: &Value) -> Result {
    match RwPair::of(this).with(|state| state.writer.clone()) {
        Some(writer) => Ok(writer),
        None => Err(vm.value_error("I/O operation on uninitialized object")),
    }
}

fn close(vm: &Vm, this: &Value) -> Result {
    let written = writer(vm, this).and_then(|writer| vm.call_method_name(&writer, &names().close, &[]));
    let first = written.err().map(|raised| vm.take(raised));
    let closed = reader(vm, this).and_then(|reader| vm.call_method_name(&reader, &names().close, &[]));
    match (closed, first) {
        (closed, None) => closed,
        (Ok(_), Some(first)) => Err(vm.set_exception(first)),
        (Err(raised), Some(first)) => Err(with_context(vm, raised, first)),
    }
}

macro_rules! forward {
    ($declaration:literal, $half:ident, $name:ident) => {
        MethodDef::raw($declaration, "", |vm, this, args, kwnames| {
            let half = $half(vm, this)?;
            let method = vm.get_attr(&half, &names().$name)?;
            vm.call(&method, args, kwnames)
        })
    };
}

method_table! { static METHODS = [
    forward!("read", reader, read),
    forward!("peek", reader, peek),
    forward!("read1", reader, read1),
    forward!("readinto", reader, readinto),
    forward!("readinto1", reader, readinto1),
    forward!("write", writer, write),
    forward!("flush($self, /)", writer, flush),
    forward!("readable($self, /)", reader, readable),
    forward!("writable($self, /)", writer, writable),
    MethodDef::new("close($self, /)", "", |vm, this, _| close(vm, this)),
    MethodDef::new("isatty($self, /)", "", |vm, this, _| {
        let terminal = vm.call_method_name(&writer(vm, this)?, &names().isatty, &[])?;
        if !terminal.is_false() {
            return Ok(terminal);
        }
        vm.call_method_name(&reader(vm, this)?, &names().isatty, &[])
    }),
]; }
