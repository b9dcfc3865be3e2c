//! `execute`, `executemany` and `executescript`.

use std::sync::Arc;

use libsqlite3_sys as sql;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple;
use taipan_object::{Result, Value, Vm, codecs};

use super::{Cursor, fetch};
use crate::_sqlite3::connection::{Autocommit, Connection, changes};
use crate::_sqlite3::database::{Database, Statement, c_text};
use crate::_sqlite3::errors::{Class, check_database, programming_error, raise};
use crate::_sqlite3::statement;
use taipan_object::vm::hooks::blocking;

/// Where the parameters of executions come from.
enum Parameters<'a> {
    Once(Value),
    Many(&'a Value),
}

impl Parameters<'_> {
    fn next(&mut self, vm: &Vm) -> Result<Option<Value>> {
        match self {
            Parameters::Once(parameters) => {
                let parameters = std::mem::replace(parameters, Value::UNBOUND);
                Ok(if parameters.is_unbound() { None } else { Some(parameters) })
            }
            Parameters::Many(iterator) => vm.next(iterator),
        }
    }
}

fn expect_sql(vm: &Vm, value: &Value, function: &str) -> Result<()> {
    match value.downcast::<Str>() {
        Some(_) => Ok(()),
        None => Err(vm.type_error(format!("{function}() argument 1 must be str, not {}", value.ty().name()))),
    }
}

pub fn execute(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    expect_sql(vm, &args[0], "execute")?;
    let parameters = args[1].bound().cloned().unwrap_or_else(|| tuple::empty().into_value());
    run(vm, this, &args[0], false, Parameters::Once(parameters))
}

pub fn executemany(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    expect_sql(vm, &args[0], "executemany")?;
    let cursor = Cursor::of(this);
    cursor.ready(vm)?;
    let iterator = cursor.locked(|| match args[1].ty().slots().iternext {
        Some(_) => Ok(args[1].clone()),
        None => vm.iter(&args[1]),
    })?;
    run(vm, this, &args[0], true, Parameters::Many(&iterator))
}

fn run(vm: &Vm, this: &Value, text: &Value, multiple: bool, mut parameters: Parameters) -> Result {
    let cursor = Cursor::of(this);
    let (connection, database) = cursor.ready(vm)?;
    let outcome =
        cursor.locked(|| work(vm, cursor, Connection::of(&connection), &database, text, multiple, &mut parameters));
    match outcome {
        Ok(()) => {
            let idle = cursor.state().statement.as_ref().is_some_and(|statement| !statement.is_busy());
            if idle {
                let statement = cursor.state().statement.take();
                drop(statement);
            }
            Ok(this.clone())
        }
        Err(raised) => {
            cursor.finish_statement();
            cursor.state().rowcount = -1;
            Err(raised)
        }
    }
}

fn work(
    vm: &Vm,
    cursor: &Cursor,
    connection: &Connection,
    database: &Arc<Database>,
    text: &Value,
    multiple: bool,
    parameters: &mut Parameters,
) -> Result<()> {
    let old = std::mem::replace(&mut cursor.state().description, Value::NONE);
    drop(old);
    cursor.finish_statement();
    let statement = idle_statement(vm, connection, database, text)?;
    cursor.state().statement = Some(statement.clone());
    if multiple && statement.is_readonly() {
        return Err(programming_error(vm, "executemany() can only execute DML statements."));
    }
    statement.reset();
    cursor.state().rowcount = if statement.is_dml { 0 } else { -1 };
    if statement.is_dml
        && connection.autocommit() == Autocommit::Legacy
        && let Some(begin) = connection.begin_statement()
        && database.is_autocommit()
        && blocking(|| database.execute(begin)) != sql::SQLITE_OK
    {
        check_database(vm, database)?;
    }
    let detect_types = connection.detect_types();
    while let Some(parameters) = parameters.next(vm)? {
        statement::bind(vm, database, &statement, &parameters)?;
        drop(parameters);
        let code = statement.step();
        if code != sql::SQLITE_DONE && code != sql::SQLITE_ROW {
            return check_database(vm, database);
        }
        if detect_types != 0 {
            let converters = Arc::new(fetch::column_converters(vm, &statement, detect_types)?);
            let old = cursor.state().converters.replace(converters);
            drop(old);
        }
        if statement.column_count() > 0 && cursor.state().description.is_none() {
            let description = fetch::description(vm, &statement, detect_types)?;
            cursor.state().description = description;
        }
        if code == sql::SQLITE_DONE {
            if statement.is_dml {
                cursor.state().rowcount += changes(database);
            }
            statement.reset();
        }
    }
    if !multiple {
        // SAFETY: an open connection.
        let rowid = unsafe { sql::sqlite3_last_insert_rowid(database.handle()) };
        let old = std::mem::replace(&mut cursor.state().lastrowid, Value::from(rowid));
        drop(old);
    }
    Ok(())
}

/// A statement for the SQL that no cursor is running: kept from earlier or prepared.
fn idle_statement(vm: &Vm, connection: &Connection, database: &Database, text: &Value) -> Result<Arc<Statement>> {
    let kept = connection.statement(vm, database, text)?;
    if kept.is_busy() {
        return Ok(Arc::new(statement::create(vm, database, text)?));
    }
    Ok(kept)
}

pub fn executescript(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if args[0].downcast::<Str>().is_none() {
        return Err(vm.type_error(format!("executescript() argument must be str, not {}", args[0].ty().name())));
    }
    let text = codecs::to_utf8(vm, &args[0])?;
    vm.check_room(text.len())?;
    let text = c_text(text).ok_or_else(|| vm.value_error("embedded null character"))?;
    let (connection, database) = Cursor::of(this).ready(vm)?;
    // SAFETY: an open connection.
    let limit = unsafe { sql::sqlite3_limit(database.handle(), sql::SQLITE_LIMIT_SQL_LENGTH, -1) };
    if text.count_bytes() > limit as usize {
        return Err(raise(vm, Class::DataError, "query string is too large"));
    }
    if Connection::of(&connection).autocommit() == Autocommit::Legacy
        && !database.is_autocommit()
        && blocking(|| database.execute(c"COMMIT")) != sql::SQLITE_OK
    {
        check_database(vm, &database)?;
    }
    let mut rest = text.as_c_str();
    loop {
        let (code, statement, tail) = blocking(|| Statement::prepare(&database, rest, false));
        if code != sql::SQLITE_OK {
            check_database(vm, &database)?;
            break;
        }
        let mut code = sql::SQLITE_DONE;
        if !statement.raw().is_null() {
            loop {
                code = statement.step();
                if code != sql::SQLITE_ROW {
                    break;
                }
            }
        }
        // Finalising the statement keeps its error on the connection.
        drop(statement);
        if code != sql::SQLITE_DONE {
            check_database(vm, &database)?;
        }
        if tail.is_empty() {
            break;
        }
        rest = tail;
    }
    Ok(this.clone())
}
