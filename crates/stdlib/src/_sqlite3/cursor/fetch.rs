//! Making Python values of a statement's current row.

use std::os::raw::c_int;

use libsqlite3_sys as sql;
use taipan_object::builtins::bytearray::BYTEARRAY;
use taipan_object::builtins::bytes::{self, BYTES};
use taipan_object::builtins::str::{STR, Str};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::types::Type;
use taipan_object::{Result, Value, Vm};

use crate::_sqlite3::adapt::converters;
use crate::_sqlite3::connection::{Connection, PARSE_COLNAMES, PARSE_DECLTYPES};
use crate::_sqlite3::database::Statement;
use crate::_sqlite3::errors::{Class, raise};

/// The current row as a tuple.
pub fn row(vm: &Vm, connection: &Connection, statement: &Statement, converters: Option<&[Option<Value>]>) -> Result {
    let text_factory = connection.text_factory();
    let columns = (0..statement.data_count()).map(|column| {
        match converters.and_then(|converters| converters.get(column as usize)).and_then(Option::as_ref) {
            Some(converter) => converted(vm, statement, column, converter),
            None => plain(vm, statement, column, &text_factory),
        }
    });
    Ok(Tuple::from_vec(columns.collect::<Result<Vec<Value>>>()?).into_value())
}

/// The bytes of a column as text or blob; `None` for NULL.
fn data(statement: &Statement, column: c_int, text: bool) -> Option<&[u8]> {
    // SAFETY: a statement with a current row; the memory is valid until the column is converted or the statement is
    // stepped, for which the callers do not wait.
    unsafe {
        let start = match text {
            true => sql::sqlite3_column_text(statement.raw(), column),
            false => sql::sqlite3_column_blob(statement.raw(), column).cast::<u8>(),
        };
        let length = sql::sqlite3_column_bytes(statement.raw(), column);
        if start.is_null() { None } else { Some(std::slice::from_raw_parts(start, length.max(0) as usize)) }
    }
}

fn converted(vm: &Vm, statement: &Statement, column: c_int, converter: &Value) -> Result {
    // SAFETY: a statement with a current row.
    if unsafe { sql::sqlite3_column_type(statement.raw(), column) } == sql::SQLITE_NULL {
        return Ok(Value::NONE);
    }
    // An empty blob is `None` to those who have it converted.
    match data(statement, column, false) {
        Some(data) => vm.call_args(converter, &[bytes::from_slice(vm, data)?]),
        None => Ok(Value::NONE),
    }
}

fn plain(vm: &Vm, statement: &Statement, column: c_int, text_factory: &Value) -> Result {
    let raw = statement.raw();
    // SAFETY: a statement with a current row, here and below.
    match unsafe { sql::sqlite3_column_type(raw, column) } {
        sql::SQLITE_NULL => Ok(Value::NONE),
        // SAFETY: as above.
        sql::SQLITE_INTEGER => Ok(Value::from(unsafe { sql::sqlite3_column_int64(raw, column) })),
        // SAFETY: as above.
        sql::SQLITE_FLOAT => Ok(Value::from(unsafe { sql::sqlite3_column_double(raw, column) })),
        sql::SQLITE_TEXT => text(vm, statement, column, text_factory),
        _ => bytes::from_slice(vm, data(statement, column, false).unwrap_or_default()),
    }
}

fn text(vm: &Vm, statement: &Statement, column: c_int, text_factory: &Value) -> Result {
    let is = |ty: &Type| text_factory.downcast::<Type>().is_some_and(|factory| std::ptr::eq(factory, ty));
    let Some(data) = data(statement, column, true) else { return Err(vm.memory_error()) };
    if is(STR.ty()) {
        return match std::str::from_utf8(data) {
            Ok(text) => Ok(Str::new(text).into_value()),
            Err(_) => {
                let shown = String::from_utf8_lossy(data).into_owned();
                let name = statement.column_name(column).unwrap_or_default();
                let name = String::from_utf8_lossy(&name);
                let message = format!("Could not decode to UTF-8 column '{name}' with text '{shown}'");
                Err(raise(vm, Class::OperationalError, message))
            }
        };
    }
    let data = bytes::from_slice(vm, data)?;
    if is(BYTES.ty()) {
        return Ok(data);
    }
    if is(BYTEARRAY.ty()) {
        return vm.call_args(&BYTEARRAY.value(), &[data]);
    }
    vm.call_args(text_factory, &[data])
}

/// The converters of a statement's columns, by what their names and declared types say.
pub fn column_converters(vm: &Vm, statement: &Statement, detect_types: i32) -> Result<Vec<Option<Value>>> {
    (0..statement.column_count())
        .map(|column| {
            if detect_types & PARSE_COLNAMES != 0
                && let Some(name) = statement.column_name(column)
                && let Some(open) = name.iter().position(|byte| *byte == b'[')
                && let Some(length) = name[open + 1..].iter().position(|byte| *byte == b']')
                && let Some(converter) = converter(vm, &name[open + 1..open + 1 + length])?
            {
                return Ok(Some(converter));
            }
            if detect_types & PARSE_DECLTYPES != 0
                && let Some(declared) = statement.column_decltype(column)
            {
                let end = declared.iter().position(|byte| matches!(byte, b' ' | b'(')).unwrap_or(declared.len());
                return converter(vm, &declared[..end]);
            }
            Ok(None)
        })
        .collect()
}

fn converter(vm: &Vm, name: &[u8]) -> Result<Option<Value>> {
    let name = Value::from(&*String::from_utf8_lossy(name));
    let name = vm.call_method(&name, "upper", &[])?;
    converters().get(vm, &name)
}

/// `Cursor.description` for a statement with columns.
pub fn description(vm: &Vm, statement: &Statement, detect_types: i32) -> Result {
    let columns = (0..statement.column_count()).map(|column| {
        let Some(name) = statement.column_name(column) else { return Err(vm.memory_error()) };
        let mut name = name.as_slice();
        if detect_types & PARSE_COLNAMES != 0
            && let Some(open) = name.iter().position(|byte| *byte == b'[')
        {
            name = &name[..open];
            name = name.strip_suffix(b" ").unwrap_or(name);
        }
        let mut row = vec![Value::NONE; 7];
        row[0] = taipan_object::codecs::decode(vm, name, None, None)?;
        Ok(Tuple::from_vec(row).into_value())
    });
    Ok(Tuple::from_vec(columns.collect::<Result<Vec<Value>>>()?).into_value())
}
