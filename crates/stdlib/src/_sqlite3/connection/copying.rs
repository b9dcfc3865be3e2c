//! `backup`, `serialize` and `deserialize`.

use std::ffi::CStr;
use std::os::raw::c_int;

use libsqlite3_sys as sql;
use taipan_object::buffer::BytesLike;
use taipan_object::builtins::bytes;
use taipan_object::builtins::str::Str;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm, codecs};

use super::Connection;
use crate::_sqlite3::database::Database;
use crate::_sqlite3::errors::{Class, check_database, database_error, raise};
use crate::arguments::{c_int, c_string};

/// A copy under way; finished when dropped.
struct Backup(*mut sql::sqlite3_backup);

impl Backup {
    fn start(target: &Database, source: &Database, name: &CStr) -> Option<Backup> {
        // SAFETY: open connections and C strings.
        let raw = blocking(|| unsafe {
            sql::sqlite3_backup_init(target.handle(), c"main".as_ptr(), source.handle(), name.as_ptr())
        });
        if raw.is_null() { None } else { Some(Backup(raw)) }
    }
    fn step(&self, pages: c_int) -> c_int {
        // SAFETY: a copy under way.
        blocking(|| unsafe { sql::sqlite3_backup_step(self.0, pages) })
    }
    /// Pages left and in all.
    fn pages(&self) -> (c_int, c_int) {
        // SAFETY: a copy under way.
        unsafe { (sql::sqlite3_backup_remaining(self.0), sql::sqlite3_backup_pagecount(self.0)) }
    }
    fn finish(self) -> c_int {
        let raw = self.0;
        std::mem::forget(self);
        // SAFETY: a copy under way, not used any more.
        blocking(|| unsafe { sql::sqlite3_backup_finish(raw) })
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        let raw = self.0;
        // SAFETY: as in `finish`.
        blocking(|| unsafe { sql::sqlite3_backup_finish(raw) });
    }
}

pub fn backup(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let Some(target) = args[0].downcast::<Connection>() else {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("backup() argument 'target' must be sqlite3.Connection, not {got}")));
    };
    let pages = c_int(vm, &args[1])?;
    let progress = &args[2];
    let name = c_string(vm, &args[3], "backup() argument 'name'")?;
    let pause = (vm.float(&args[4])? * 1000.0) as i64;
    let source = Connection::of(this);
    let source_database = source.ready(vm)?;
    let target_database = target.ready(vm)?;
    if std::ptr::eq(source, target) {
        return Err(vm.value_error("target cannot be the same connection instance"));
    }
    if !progress.is_none() && progress.ty().slots().call.is_none() {
        return Err(vm.type_error("progress argument must be a callable"));
    }
    let pages = if pages == 0 { -1 } else { pages };
    let Some(backup) = Backup::start(&target_database, &source_database, &name) else {
        return Err(database_error(vm, &target_database));
    };
    loop {
        let code = backup.step(pages);
        if !progress.is_none() {
            let (remaining, total) = backup.pages();
            vm.call_args(progress, &[Value::from(code), Value::from(remaining), Value::from(total)])?;
        }
        match code {
            sql::SQLITE_BUSY | sql::SQLITE_LOCKED => {
                // SAFETY: any number of milliseconds will do.
                blocking(|| unsafe { sql::sqlite3_sleep(pause.clamp(0, i64::from(i32::MAX)) as c_int) });
                vm.check_signals()?;
            }
            sql::SQLITE_OK => {}
            _ => break,
        }
    }
    if backup.finish() != sql::SQLITE_OK {
        check_database(vm, &target_database)?;
    }
    Ok(Value::NONE)
}

pub fn serialize(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let name = c_string(vm, &args[0], "serialize() argument 'name'")?;
    let database = Connection::of(this).ready(vm)?;
    let mut size: i64 = 0;
    // SAFETY: an open connection and a C string. Without the flag the library makes a copy, given back below.
    let data = blocking(|| unsafe { sql::sqlite3_serialize(database.handle(), name.as_ptr(), &mut size, 0) });
    if data.is_null() {
        let message = format!("unable to serialize '{}'", name.to_string_lossy());
        return Err(raise(vm, Class::OperationalError, message));
    }
    // SAFETY: the library's copy has `size` bytes.
    unsafe {
        let result = bytes::from_slice(vm, std::slice::from_raw_parts(data, size as usize));
        sql::sqlite3_free(data.cast());
        result
    }
}

pub fn deserialize(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    let encoded;
    let data = match args[0].downcast::<Str>() {
        Some(_) => {
            encoded = codecs::to_utf8(vm, &args[0])?;
            BytesLike::Bytes(encoded.as_bytes())
        }
        None => vm.bytes_like(&args[0])?,
    };
    let name = c_string(vm, &args[1], "deserialize() argument 'name'")?;
    let database = Connection::of(this).ready(vm)?;
    // SAFETY: any size will do.
    let copy = unsafe { sql::sqlite3_malloc64(data.len() as u64) }.cast::<u8>();
    if copy.is_null() {
        return Err(vm.memory_error());
    }
    // SAFETY: the copy has room for the data.
    unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), copy, data.len()) };
    let size = data.len() as i64;
    let flags = sql::SQLITE_DESERIALIZE_FREEONCLOSE | sql::SQLITE_DESERIALIZE_RESIZEABLE;
    // SAFETY: an open connection, a C string, memory of the library that it takes over, also on failure.
    let code =
        blocking(|| unsafe { sql::sqlite3_deserialize(database.handle(), name.as_ptr(), copy, size, size, flags) });
    if code != sql::SQLITE_OK {
        check_database(vm, &database)?;
        return Err(raise(vm, Class::OperationalError, "unable to deserialize"));
    }
    Ok(Value::NONE)
}
