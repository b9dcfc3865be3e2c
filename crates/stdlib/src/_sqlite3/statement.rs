//! Preparing statements, keeping them for reuse, and binding parameters.

use std::collections::HashMap;
use std::os::raw::c_int;
use std::sync::Arc;

use libsqlite3_sys as sql;
use taipan_object::builtins::bytearray::ByteArray;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::builtins::{float, int};
use taipan_object::exceptions::LOOKUP_ERROR;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::object::Payload;
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Ref, Result, Value, Vm, codecs};

use super::adapt;
use super::database::{Database, Statement, c_text, is_dml, skip_comments};
use super::errors::{Class, check_database, database_error, programming_error, raise};

/// Prepares SQL that must be one statement.
pub fn create(vm: &Vm, database: &Database, text: &Value) -> Result<Statement> {
    let text = codecs::to_utf8(vm, text)?;
    // SAFETY: an open connection.
    let limit = unsafe { sql::sqlite3_limit(database.handle(), sql::SQLITE_LIMIT_SQL_LENGTH, -1) };
    if text.len() > limit as usize {
        return Err(raise(vm, Class::DataError, "query string is too large"));
    }
    let is_dml = is_dml(text.as_bytes());
    let Some(text) = c_text(text) else { return Err(programming_error(vm, "the query contains a null character")) };
    let (code, statement, tail) = blocking(|| Statement::prepare(database, &text, is_dml));
    if code != sql::SQLITE_OK {
        return Err(database_error(vm, database));
    }
    if skip_comments(tail.to_bytes()).is_some() {
        return Err(programming_error(vm, "You can only execute one statement at a time."));
    }
    Ok(statement)
}

/// Statements prepared lately, by their SQL.
pub struct Cache {
    capacity: usize,
    statements: HashMap<Box<str>, (Arc<Statement>, u64)>,
    uses: u64,
}

impl Cache {
    pub fn new(capacity: usize) -> Cache {
        Cache { capacity, statements: HashMap::new(), uses: 0 }
    }

    pub fn get(&mut self, text: &str) -> Option<Arc<Statement>> {
        self.uses += 1;
        let (statement, used) = self.statements.get_mut(text)?;
        *used = self.uses;
        Some(statement.clone())
    }

    /// Keeps a statement; the one that goes for it is to be dropped by the caller.
    #[must_use]
    pub fn insert(&mut self, text: &str, statement: Arc<Statement>) -> Option<Arc<Statement>> {
        if self.capacity == 0 {
            return None;
        }
        let mut gone = None;
        if self.statements.len() >= self.capacity
            && let Some(oldest) =
                self.statements.iter().min_by_key(|(_, (_, used))| *used).map(|(text, _)| text.clone())
        {
            gone = self.statements.remove(&oldest).map(|(statement, _)| statement);
        }
        self.uses += 1;
        let replaced = self.statements.insert(text.into(), (statement, self.uses));
        gone.or(replaced.map(|(statement, _)| statement))
    }
}

/// What `connection(sql)` returns.
#[repr(C)]
pub struct StatementObject {
    header: Header,
    _statement: Arc<Statement>,
}

// SAFETY: repr(C), header first, no references.
unsafe impl Payload for StatementObject {
    const KIND: Kind = Kind::Leaf;
    fn static_type() -> &'static Type {
        STATEMENT.ty()
    }
}

pub static STATEMENT: TypeSpec =
    TypeSpec::new::<StatementObject>("sqlite3.Statement").flags(type_flags::DISALLOW_INSTANTIATION);

pub fn wrap(statement: Arc<Statement>) -> Value {
    Ref::new(StatementObject { header: Header::new(STATEMENT.ty()), _statement: statement }).into_value()
}

/// Binds the parameters of one execution.
pub fn bind(vm: &Vm, database: &Database, statement: &Statement, parameters: &Value) -> Result<()> {
    let needed = statement.parameter_count();
    let is_list = parameters.downcast_exact::<Tuple>().is_some() || parameters.downcast_exact::<List>().is_some();
    if is_list || parameters.downcast::<Dict>().is_none() && vm.is_sequence(parameters) {
        return bind_sequence(vm, database, statement, parameters, needed);
    }
    if parameters.ty().slots().subscript.is_none() {
        return Err(programming_error(vm, "parameters are of unsupported type"));
    }
    for at in 1..=needed {
        let Some(name) = statement.parameter_name(at) else {
            let supplied = "but you supplied a dictionary (which has only names).";
            return Err(programming_error(vm, format!("Binding {at} has no name, {supplied}")));
        };
        let name = String::from_utf8_lossy(name.get(1..).unwrap_or_default()).into_owned();
        let value = match vm.get_item(parameters, &Value::from(name.as_str())) {
            Ok(value) => value,
            Err(raised) => {
                vm.catch(raised, LOOKUP_ERROR.ty())?;
                let missing = "You did not supply a value for binding parameter";
                return Err(programming_error(vm, format!("{missing} :{name}.")));
            }
        };
        let value = adapt::parameter(vm, value)?;
        bind_value(vm, database, statement, at, &value)?;
    }
    Ok(())
}

fn bind_sequence(vm: &Vm, database: &Database, statement: &Statement, parameters: &Value, needed: c_int) -> Result<()> {
    let given = vm.len(parameters)?;
    if given != needed as usize {
        return Err(programming_error(
            vm,
            format!(
                "Incorrect number of bindings supplied. The current statement uses {needed}, and there are {given} supplied."
            ),
        ));
    }
    for at in 1..=needed {
        if let Some(name) = statement.parameter_name(at)
            && name.first() != Some(&b'?')
        {
            return Err(programming_error(
                vm,
                format!(
                    "Binding {at} ('{}') is a named parameter, but you supplied a sequence which requires nameless (qmark) \
                     placeholders.",
                    String::from_utf8_lossy(&name)
                ),
            ));
        }
        let index = at as usize - 1;
        let value = match parameters.downcast_exact::<Tuple>() {
            Some(tuple) => tuple.as_slice()[index].clone(),
            None => vm.get_item(parameters, &Value::from(index))?,
        };
        let value = adapt::parameter(vm, value)?;
        bind_value(vm, database, statement, at, &value)?;
    }
    Ok(())
}

fn bind_value(vm: &Vm, database: &Database, statement: &Statement, at: c_int, value: &Value) -> Result<()> {
    let raw = statement.raw();
    let code = if value.is_none() {
        // SAFETY: a statement, here and below.
        unsafe { sql::sqlite3_bind_null(raw, at) }
    } else if int::is_int(value) {
        let number = to_int64(vm, value)?;
        // SAFETY: as above.
        unsafe { sql::sqlite3_bind_int64(raw, at, number) }
    } else if let Some(number) = float::to_f64(value) {
        // SAFETY: as above.
        unsafe { sql::sqlite3_bind_double(raw, at, number) }
    } else if let Some(text) = value.downcast::<Str>() {
        let encoded;
        let utf8 = match text.as_ascii() {
            Some(ascii) => ascii,
            None => {
                encoded = codecs::to_utf8(vm, value)?;
                &encoded
            }
        };
        let Ok(length) = c_int::try_from(utf8.len()) else {
            return Err(vm.overflow_error("string longer than INT_MAX bytes"));
        };
        // SAFETY: as above; the library copies the text.
        unsafe { sql::sqlite3_bind_text(raw, at, utf8.as_ptr().cast(), length, sql::SQLITE_TRANSIENT()) }
    } else if vm.has_buffer(value) || value.downcast::<ByteArray>().is_some() {
        let data = vm.bytes_like(value)?;
        let Ok(length) = c_int::try_from(data.len()) else {
            return Err(vm.overflow_error("BLOB longer than INT_MAX bytes"));
        };
        // An empty slice's pointer is not null, which would bind NULL.
        // SAFETY: as above; the library copies the data.
        unsafe { sql::sqlite3_bind_blob(raw, at, data.as_ptr().cast(), length, sql::SQLITE_TRANSIENT()) }
    } else {
        let got = value.ty().name();
        return Err(programming_error(vm, format!("Error binding parameter {at}: type '{got}' is not supported")));
    };
    if code == sql::SQLITE_OK { Ok(()) } else { check_database(vm, database) }
}

pub fn to_int64(vm: &Vm, value: &Value) -> Result<i64> {
    int::to_i64(value).ok_or_else(|| vm.overflow_error("Python int too large to convert to SQLite INTEGER"))
}
