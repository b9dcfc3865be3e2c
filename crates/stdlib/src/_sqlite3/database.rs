//! Handles of SQLite that close themselves: connections and statements.

use std::ffi::{CStr, CString};
use std::os::raw::c_int;
use std::ptr::NonNull;

use libsqlite3_sys as sql;
use taipan_object::vm::hooks::blocking;

unsafe extern "C" {
    /// Closes a connection once its last statement is finalised; the crate does not declare it.
    fn sqlite3_close_v2(handle: *mut sql::sqlite3) -> c_int;
}

/// A connection. SQLite serialises its use by several threads.
pub struct Database(NonNull<sql::sqlite3>);

// SAFETY: the library is built in its serialised threading mode.
unsafe impl Send for Database {}
// SAFETY: as above.
unsafe impl Sync for Database {}

impl Database {
    /// Opens a database; whatever the code, the connection may tell more about it.
    pub fn open(path: &CStr, flags: c_int) -> (c_int, Option<Database>) {
        let mut handle = std::ptr::null_mut();
        // SAFETY: a C string, and room for the handle.
        let code = unsafe { sql::sqlite3_open_v2(path.as_ptr(), &mut handle, flags, std::ptr::null()) };
        (code, NonNull::new(handle).map(Database))
    }

    pub fn handle(&self) -> *mut sql::sqlite3 {
        self.0.as_ptr()
    }

    /// Whether no transaction is open.
    pub fn is_autocommit(&self) -> bool {
        // SAFETY: an open connection.
        unsafe { sql::sqlite3_get_autocommit(self.handle()) != 0 }
    }

    /// Runs a statement that gives no rows; the code.
    pub fn execute(&self, text: &CStr) -> c_int {
        let mut raw = std::ptr::null_mut();
        // SAFETY: an open connection, a C string, room for the statement, which is finalised.
        unsafe {
            let code = sql::sqlite3_prepare_v2(self.handle(), text.as_ptr(), -1, &mut raw, std::ptr::null_mut());
            if code != sql::SQLITE_OK {
                return code;
            }
            sql::sqlite3_step(raw);
            sql::sqlite3_finalize(raw)
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: statements that still exist keep what they need until they are finalised.
        blocking(|| unsafe { sqlite3_close_v2(self.handle()) });
    }
}

/// A prepared statement; there is none behind SQL without any statement in it.
pub struct Statement {
    raw: *mut sql::sqlite3_stmt,
    /// INSERT, UPDATE, DELETE or REPLACE.
    pub is_dml: bool,
}

// SAFETY: as for connections.
unsafe impl Send for Statement {}
// SAFETY: as above.
unsafe impl Sync for Statement {}

impl Statement {
    /// Prepares the first statement of `text`: the code, and the text behind it.
    pub fn prepare<'a>(database: &Database, text: &'a CStr, is_dml: bool) -> (c_int, Statement, &'a CStr) {
        let (mut raw, mut tail) = (std::ptr::null_mut(), std::ptr::null());
        // SAFETY: an open connection, a C string with its length and zero byte, room for the results; the tail is
        // within the string.
        unsafe {
            let length = c_int::try_from(text.count_bytes() + 1).unwrap_or(-1);
            let code = sql::sqlite3_prepare_v2(database.handle(), text.as_ptr(), length, &mut raw, &mut tail);
            let tail = if tail.is_null() { c"" } else { CStr::from_ptr(tail) };
            (code, Statement { raw, is_dml }, tail)
        }
    }

    pub fn raw(&self) -> *mut sql::sqlite3_stmt {
        self.raw
    }

    /// Whether it has been stepped and neither run to its end nor reset.
    pub fn is_busy(&self) -> bool {
        // SAFETY: a statement or null.
        unsafe { sql::sqlite3_stmt_busy(self.raw) != 0 }
    }

    pub fn is_readonly(&self) -> bool {
        // SAFETY: a statement or null.
        unsafe { sql::sqlite3_stmt_readonly(self.raw) != 0 }
    }

    pub fn step(&self) -> c_int {
        // SAFETY: a statement or null.
        blocking(|| unsafe { sql::sqlite3_step(self.raw) })
    }

    pub fn reset(&self) {
        if !self.raw.is_null() {
            // SAFETY: a statement.
            blocking(|| unsafe { sql::sqlite3_reset(self.raw) });
        }
    }

    /// Columns of the result.
    pub fn column_count(&self) -> c_int {
        // SAFETY: a statement or null.
        unsafe { sql::sqlite3_column_count(self.raw) }
    }

    /// Columns of the current row; 0 if there is none.
    pub fn data_count(&self) -> c_int {
        // SAFETY: a statement or null.
        unsafe { sql::sqlite3_data_count(self.raw) }
    }

    /// A name that SQLite keeps until the statement is next used.
    fn name(&self, name: *const std::os::raw::c_char) -> Option<Vec<u8>> {
        // SAFETY: null or a C string, which is copied at once.
        if name.is_null() { None } else { Some(unsafe { CStr::from_ptr(name) }.to_bytes().to_vec()) }
    }
    pub fn column_name(&self, column: c_int) -> Option<Vec<u8>> {
        // SAFETY: a statement or null.
        self.name(unsafe { sql::sqlite3_column_name(self.raw, column) })
    }
    pub fn column_decltype(&self, column: c_int) -> Option<Vec<u8>> {
        // SAFETY: a statement or null.
        self.name(unsafe { sql::sqlite3_column_decltype(self.raw, column) })
    }
    pub fn parameter_name(&self, parameter: c_int) -> Option<Vec<u8>> {
        // SAFETY: a statement or null.
        self.name(unsafe { sql::sqlite3_bind_parameter_name(self.raw, parameter) })
    }
    pub fn parameter_count(&self) -> c_int {
        // SAFETY: a statement or null.
        unsafe { sql::sqlite3_bind_parameter_count(self.raw) }
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: a statement that nobody else uses any more.
            blocking(|| unsafe { sql::sqlite3_finalize(self.raw) });
        }
    }
}

/// The text behind comments and white space; `None` if there is nothing else.
pub fn skip_comments(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        match text {
            [] => return None,
            [b' ' | b'\t' | 0x0c | b'\n' | b'\r', rest @ ..] => text = rest,
            [b'-', b'-', rest @ ..] => text = &rest[memchr::memchr(b'\n', rest)? + 1..],
            [b'/', b'*', rest @ ..] => text = &rest[memchr::memmem::find(rest, b"*/")? + 2..],
            _ => return Some(text),
        }
    }
}

/// Whether SQL begins with a statement that changes rows.
pub fn is_dml(text: &[u8]) -> bool {
    let Some(text) = skip_comments(text) else { return false };
    ["insert", "update", "delete", "replace"]
        .iter()
        .any(|verb| text.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb.as_bytes())))
}

/// Text as a C string; `None` if it has a zero byte in it.
pub fn c_text(text: String) -> Option<CString> {
    CString::new(text).ok()
}
