//! `sqlite3.Blob`: reading and writing a blob in place.

use std::os::raw::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering::SeqCst};

use libsqlite3_sys as sql;
use taipan_object::builtins::bytes::{BYTES, Bytes};
use taipan_object::builtins::int;
use taipan_object::builtins::slice::Slice;
use taipan_object::cell::ObjectCell;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::MethodDef;
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::connection::Connection;
use super::database::Database;
use super::errors::{check_database, database_error, programming_error};
use crate::arguments::{c_int, c_string};

/// A blob's handle, which its connection may close.
pub struct Handle(AtomicPtr<sql::sqlite3_blob>);

impl Handle {
    pub fn close(&self) {
        let raw = self.0.swap(std::ptr::null_mut(), SeqCst);
        if !raw.is_null() {
            // SAFETY: an open handle, taken out so that nobody uses it any more.
            blocking(|| unsafe { sql::sqlite3_blob_close(raw) });
        }
    }
    fn raw(&self) -> *mut sql::sqlite3_blob {
        self.0.load(SeqCst)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

#[repr(C)]
pub struct Blob {
    header: Header,
    connection: Value,
    handle: Arc<Handle>,
    offset: ObjectCell<i64>,
}

// SAFETY: repr(C), header first, visits the only value.
unsafe impl Payload for Blob {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        BLOB.ty()
    }
    fn traverse(&self, visit: Visitor) {
        visit(&self.connection);
    }
}

pub static BLOB: TypeSpec = TypeSpec::new::<Blob>("sqlite3.Blob")
    .flags(type_flags::DISALLOW_INSTANTIATION | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.length = Some(|vm, this| Ok(Blob::of(this).ready(vm)?.length as usize));
        s.subscript = Some(subscript);
        s.ass_subscript = Some(ass_subscript);
    })
    .methods(METHODS);

/// A blob that may be used now.
struct Open {
    database: Arc<Database>,
    raw: *mut sql::sqlite3_blob,
    length: i64,
}

impl Blob {
    fn of(value: &Value) -> &Blob {
        value.downcast::<Blob>().expect("methods are called with instances of their type")
    }

    fn ready(&self, vm: &Vm) -> Result<Open> {
        let database = Connection::of(&self.connection).ready(vm)?;
        let raw = self.handle.raw();
        if raw.is_null() {
            return Err(programming_error(vm, "Cannot operate on a closed blob."));
        }
        // SAFETY: an open handle.
        let length = i64::from(unsafe { sql::sqlite3_blob_bytes(raw) });
        Ok(Open { database, raw, length })
    }
    fn offset(&self) -> i64 {
        *self.offset.borrow(&self.header)
    }
    fn set_offset(&self, offset: i64) {
        *self.offset.borrow(&self.header) = offset;
    }
}

impl Open {
    fn failed(&self, vm: &Vm, code: c_int) -> taipan_object::vm::Raised {
        match code {
            sql::SQLITE_ABORT => super::errors::check_code(vm, code).err().unwrap_or_else(|| vm.memory_error()),
            _ => database_error(vm, &self.database),
        }
    }

    fn read(&self, vm: &Vm, offset: i64, length: i64) -> Result {
        let mut code = sql::SQLITE_OK;
        let data = Bytes::build(vm, BYTES.ty(), length as usize, |room| {
            code = blocking(|| {
                // SAFETY: an open handle and room for so many bytes.
                unsafe { sql::sqlite3_blob_read(self.raw, room.as_mut_ptr().cast(), length as c_int, offset as c_int) }
            });
        })?;
        if code == sql::SQLITE_OK { Ok(data) } else { Err(self.failed(vm, code)) }
    }

    fn write(&self, vm: &Vm, offset: i64, data: &[u8]) -> Result<()> {
        if data.len() as i64 > self.length - offset {
            return Err(vm.value_error("data longer than blob length"));
        }
        // SAFETY: an open handle and readable data.
        let code = blocking(|| unsafe {
            sql::sqlite3_blob_write(self.raw, data.as_ptr().cast(), data.len() as c_int, offset as c_int)
        });
        if code == sql::SQLITE_OK { Ok(()) } else { Err(self.failed(vm, code)) }
    }
}

/// `Connection.blobopen`
pub fn blobopen(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let table = c_string(vm, &args[0], "blobopen() argument 1")?;
    let column = c_string(vm, &args[1], "blobopen() argument 2")?;
    if !int::is_int(&args[2]) {
        return Err(vm.type_error("expected 'int'"));
    }
    let Some(row) = int::to_i64(&args[2]) else {
        return Err(vm.overflow_error("Python int too large to convert to SQLite INTEGER"));
    };
    let readonly = vm.is_true(&args[3])?;
    let name = c_string(vm, &args[4], "blobopen() argument 'name'")?;
    let connection = Connection::of(this);
    let database = connection.ready(vm)?;
    let mut raw = std::ptr::null_mut();
    // SAFETY: an open connection, C strings, room for the handle.
    let code = blocking(|| unsafe {
        sql::sqlite3_blob_open(
            database.handle(),
            name.as_ptr(),
            table.as_ptr(),
            column.as_ptr(),
            row,
            c_int::from(!readonly),
            &mut raw,
        )
    });
    if code != sql::SQLITE_OK {
        check_database(vm, &database)?;
    }
    let handle = Arc::new(Handle(AtomicPtr::new(raw)));
    connection.register_blob(&handle);
    let blob = Blob { header: Header::new(BLOB.ty()), connection: this.clone(), handle, offset: ObjectCell::new(0) };
    Ok(Ref::new(blob).into_value())
}

fn read(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let length = c_int(vm, &args[0])?;
    let blob = Blob::of(this);
    let open = blob.ready(vm)?;
    let offset = blob.offset();
    let left = open.length - offset;
    let length = if length < 0 { left } else { i64::from(length).min(left) };
    if length <= 0 {
        return Ok(taipan_object::builtins::bytes::empty());
    }
    let data = open.read(vm, offset, length)?;
    blob.set_offset(offset + length);
    Ok(data)
}

fn write(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let data = vm.bytes_like(&args[0])?;
    let blob = Blob::of(this);
    let open = blob.ready(vm)?;
    let offset = blob.offset();
    open.write(vm, offset, &data)?;
    blob.set_offset(offset + data.len() as i64);
    Ok(Value::NONE)
}

fn seek(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let (offset, origin) = (i64::from(c_int(vm, &args[0])?), c_int(vm, &args[1])?);
    let blob = Blob::of(this);
    let open = blob.ready(vm)?;
    let base = match origin {
        libc::SEEK_SET => 0,
        libc::SEEK_CUR => blob.offset(),
        libc::SEEK_END => open.length,
        _ => return Err(vm.value_error("'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END")),
    };
    let target = base + offset;
    if i32::try_from(target).is_err() {
        return Err(vm.overflow_error("seek offset results in offset overflow"));
    }
    if !(0..=open.length).contains(&target) {
        return Err(vm.value_error("offset out of blob range"));
    }
    blob.set_offset(target);
    Ok(Value::NONE)
}

/// A position given as an index.
fn position(vm: &Vm, open: &Open, key: &Value) -> Result<i64> {
    let index = vm.index_or_index_error(key)?;
    let index = if index < 0 { index + open.length } else { index };
    if !(0..open.length).contains(&index) {
        return Err(vm.index_error("Blob index out of range"));
    }
    Ok(index)
}

fn is_index(key: &Value) -> bool {
    key.ty().slots().index.is_some()
}

/// Slices go forward, unless there is nothing in them.
fn check_step(vm: &Vm, step: i64, count: usize) -> Result<()> {
    if step < 0 && count > 0 {
        return Err(vm.value_error("Blob doesn't support slices with a negative step"));
    }
    Ok(())
}

fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    let open = Blob::of(this).ready(vm)?;
    if is_index(key) {
        let byte = open.read(vm, position(vm, &open, key)?, 1)?;
        return Ok(Value::from(u32::from(vm.bytes_like(&byte)?[0])));
    }
    let Some(slice) = key.downcast::<Slice>() else { return Err(vm.type_error("Blob indices must be integers")) };
    let indices = slice.fit(vm, || open.length as usize)?;
    check_step(vm, indices.step, indices.count)?;
    let positions: Vec<usize> = indices.positions().collect();
    let (Some(first), Some(last)) = (positions.iter().min(), positions.iter().max()) else {
        return Ok(taipan_object::builtins::bytes::empty());
    };
    let whole = open.read(vm, *first as i64, (last - first + 1) as i64)?;
    if positions.len() == last - first + 1 && positions.is_sorted() {
        return Ok(whole);
    }
    let whole = vm.bytes_like(&whole)?;
    let picked: Vec<u8> = positions.iter().map(|at| whole[at - first]).collect();
    taipan_object::builtins::bytes::from_slice(vm, &picked)
}

fn ass_subscript(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Result<()> {
    let open = Blob::of(this).ready(vm)?;
    if is_index(key) {
        let Some(value) = value else { return Err(vm.type_error("Blob doesn't support item deletion")) };
        let at = position(vm, &open, key)?;
        if !int::is_int(value) {
            let got = value.ty().name();
            return Err(vm.type_error(format!("'{got}' object cannot be interpreted as an integer")));
        }
        let Some(byte) = int::to_i64(value).and_then(|byte| u8::try_from(byte).ok()) else {
            return Err(vm.value_error("byte must be in range(0, 256)"));
        };
        return open.write(vm, at, &[byte]);
    }
    let Some(slice) = key.downcast::<Slice>() else { return Err(vm.type_error("Blob indices must be integers")) };
    let Some(value) = value else { return Err(vm.type_error("Blob doesn't support slice deletion")) };
    let indices = slice.fit(vm, || open.length as usize)?;
    check_step(vm, indices.step, indices.count)?;
    let positions: Vec<usize> = indices.positions().collect();
    let data = vm.bytes_like(value)?;
    if data.len() != positions.len() {
        return Err(vm.index_error("Blob slice assignment is wrong size"));
    }
    let (Some(first), Some(last)) = (positions.iter().min(), positions.iter().max()) else { return Ok(()) };
    if positions.len() == last - first + 1 && positions.is_sorted() {
        return open.write(vm, *first as i64, &data);
    }
    let whole = open.read(vm, *first as i64, (last - first + 1) as i64)?;
    let mut whole = vm.bytes_like(&whole)?.to_vec();
    for (at, byte) in positions.iter().zip(data.iter()) {
        whole[at - first] = *byte;
    }
    open.write(vm, *first as i64, &whole)
}

fn close(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let blob = Blob::of(this);
    Connection::of(&blob.connection).ready(vm)?;
    blob.handle.close();
    Ok(Value::NONE)
}

method_table! { static METHODS = [
    MethodDef::new("close($self, /)", "Close the blob.", close),
    MethodDef::new("__enter__($self, /)", "The blob itself.", |vm, this, _| {
        Blob::of(this).ready(vm)?;
        Ok(this.clone())
    }),
    MethodDef::new("__exit__($self, type, val, tb, /)", "Close the blob.", |vm, this, _| {
        Blob::of(this).ready(vm)?;
        Blob::of(this).handle.close();
        Ok(Value::FALSE)
    }),
    MethodDef::new("read($self, length=-1, /)", "Read bytes at the position, which moves on.", read),
    MethodDef::new("seek($self, offset, origin=0, /)", "Move to a position.", seek),
    MethodDef::new("tell($self, /)", "Return the position within the blob, in bytes.", |vm, this, _| {
        Blob::of(this).ready(vm)?;
        Ok(Value::from(Blob::of(this).offset()))
    }),
    MethodDef::new("write($self, data, /)", "Write bytes at the position; the blob keeps its length.", write),
]; }
