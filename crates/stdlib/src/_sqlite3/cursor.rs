//! `sqlite3.Cursor`: representation, iteration, fetching; execution is in `cursor/execute.rs`, rows in `cursor/fetch.rs`.

mod execute;
mod fetch;

use std::sync::Arc;

use libsqlite3_sys as sql;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::cell::{Borrow, ObjectCell};
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef, arguments};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::connection::Connection;
use super::database::{Database, Statement};
use super::errors::{check_database, programming_error};
use crate::payload::{class_of, signature};

#[repr(C)]
pub struct Cursor {
    pub header: Header,
    state: ObjectCell<State>,
}

pub struct State {
    /// `None` before `__init__`.
    pub connection: Value,
    pub description: Value,
    /// Converters of the columns, if types are to be detected.
    pub converters: Option<Arc<Vec<Option<Value>>>>,
    pub arraysize: u32,
    pub lastrowid: Value,
    pub rowcount: i64,
    pub row_factory: Value,
    /// The statement being run.
    pub statement: Option<Arc<Statement>>,
    closed: bool,
    /// A method is at work, which Python code that it calls must not disturb.
    locked: bool,
    initialized: bool,
}

// SAFETY: repr(C), header first, visits every reference.
unsafe impl Payload for Cursor {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        CURSOR.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        for value in [&state.connection, &state.description, &state.lastrowid, &state.row_factory] {
            visit(value);
        }
        // Shared only while a row is being made, when the collector does not run on it.
        if let Some(converters) = &state.converters
            && Arc::strong_count(converters) == 1
        {
            converters.iter().flatten().for_each(visit);
        }
    }
    fn clear(&self) {
        self.finish_statement();
        let mut state = self.state();
        let take = |value: &mut Value| std::mem::replace(value, Value::NONE);
        let old = (
            take(&mut state.connection),
            take(&mut state.description),
            take(&mut state.row_factory),
            state.converters.take(),
        );
        drop(state);
        drop(old);
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        // A statement that is not done would keep its tables locked.
        if let Some(statement) = self.state.get_mut().statement.take() {
            statement.reset();
        }
    }
}

pub static CURSOR: TypeSpec = TypeSpec::new::<Cursor>("sqlite3.Cursor")
    .doc("Executes SQL statements and gives their rows.")
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(new);
        s.init = Some(init);
        s.iter = Some(|_, this| Ok(this.clone()));
        s.iternext = Some(next);
    })
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

fn new(_: &Vm, class: &Value, _: &[Value], _: Option<&Value>) -> Result {
    let class = class_of(class);
    let state = State {
        connection: Value::NONE,
        description: Value::NONE,
        converters: None,
        arraysize: 0,
        lastrowid: Value::NONE,
        rowcount: 0,
        row_factory: Value::NONE,
        statement: None,
        closed: false,
        locked: false,
        initialized: false,
    };
    Ok(Ref::new_with_type(class, Cursor { header: Header::new(class), state: ObjectCell::new(state) }).into_value())
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    arguments::no_keywords(vm, "Cursor", kwnames)?;
    arguments::check_positional(vm, "Cursor", args.len(), 1, 1)?;
    let Some(connection) = args[0].downcast::<Connection>() else {
        let got = args[0].ty().name();
        return Err(vm.type_error(format!("Cursor() argument 1 must be sqlite3.Connection, not {got}")));
    };
    let cursor = Cursor::of(this);
    cursor.check_locked(vm)?;
    let mut state = cursor.state();
    let old = (
        std::mem::replace(&mut state.connection, args[0].clone()),
        std::mem::replace(&mut state.description, Value::NONE),
        std::mem::replace(&mut state.row_factory, Value::NONE),
        state.statement.take(),
        state.converters.take(),
    );
    state.closed = false;
    state.arraysize = 1;
    state.rowcount = -1;
    state.lastrowid = Value::NONE;
    drop(state);
    drop(old);
    connection.check_thread(vm)?;
    cursor.state().initialized = true;
    Ok(())
}

impl Cursor {
    pub fn of(value: &Value) -> &Cursor {
        value.downcast::<Cursor>().expect("methods are called with instances of their type")
    }

    /// The state, borrowed: no Python code may run and no value may be dropped meanwhile.
    pub fn state(&self) -> Borrow<'_, State> {
        self.state.borrow(&self.header)
    }

    fn check_locked(&self, vm: &Vm) -> Result<()> {
        match self.state().locked {
            true => Err(programming_error(vm, "Recursive use of cursors not allowed.")),
            false => Ok(()),
        }
    }

    /// The open connection of a cursor that can be used now.
    fn ready(&self, vm: &Vm) -> Result<(Value, Arc<Database>)> {
        let (initialized, closed, connection) = {
            let state = self.state();
            (state.initialized, state.closed, state.connection.clone())
        };
        if !initialized {
            return Err(programming_error(vm, "Base Cursor.__init__ not called."));
        }
        if closed {
            return Err(programming_error(vm, "Cannot operate on a closed cursor."));
        }
        let database = Connection::of(&connection).ready(vm)?;
        self.check_locked(vm)?;
        Ok((connection, database))
    }

    /// Gives up the current statement.
    fn finish_statement(&self) {
        let statement = self.state().statement.take();
        if let Some(statement) = statement {
            statement.reset();
        }
    }

    /// Runs `work` with the cursor locked against use by the Python code that it calls.
    fn locked<R>(&self, work: impl FnOnce() -> R) -> R {
        self.state().locked = true;
        let result = work();
        self.state().locked = false;
        result
    }
}

/// The next row, or `None`.
fn next(vm: &Vm, this: &Value) -> Result<Option<Value>> {
    let cursor = Cursor::of(this);
    let (connection, database) = cursor.ready(vm)?;
    let statement = cursor.state().statement.clone();
    let Some(statement) = statement else { return Ok(None) };
    if statement.data_count() == 0 {
        cursor.finish_statement();
        return Ok(None);
    }
    let converters = cursor.state().converters.clone();
    let row = cursor.locked(|| {
        fetch::row(vm, Connection::of(&connection), &statement, converters.as_ref().map(|all| all.as_slice()))
    });
    drop(converters);
    let row = row?;
    match statement.step() {
        sql::SQLITE_ROW => {}
        sql::SQLITE_DONE => {
            if statement.is_dml {
                cursor.state().rowcount = super::connection::changes(&database);
            }
            cursor.finish_statement();
        }
        _ => {
            let failed = check_database(vm, &database);
            cursor.finish_statement();
            failed?;
            return Ok(None);
        }
    }
    let factory = cursor.state().row_factory.clone();
    if factory.is_none() {
        return Ok(Some(row));
    }
    vm.call_args(&factory, &[this.clone(), row]).map(Some)
}

/// Rows until there are no more or `limit` of them.
fn rows(vm: &Vm, this: &Value, limit: Option<u32>) -> Result {
    let mut rows = Vec::new();
    while limit != Some(rows.len() as u32)
        && let Some(row) = next(vm, this)?
    {
        // Rows without end have to notice that memory runs out.
        vm.check_stack("")?;
        vm.reserve(&mut rows, 1)?;
        rows.push(row);
    }
    Ok(List::from_vec(rows).into_value())
}

signature!(FETCHMANY = "fetchmany(size=<unrepresentable>)");

fn fetchmany(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = FETCHMANY.bind(vm, args, kwnames)?;
    let size = match args[0].bound() {
        Some(size) => uint32(vm, size)?,
        None => Cursor::of(this).state().arraysize,
    };
    rows(vm, this, Some(size))
}

fn uint32(vm: &Vm, value: &Value) -> Result<u32> {
    let index = vm.index(value)?;
    if int::is_negative(&index) {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    let number = int::to_u64(&index).and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| vm.overflow_error("Python int too large to convert to C uint32_t"))
}

fn close(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let cursor = Cursor::of(this);
    cursor.check_locked(vm)?;
    let (initialized, connection) = {
        let state = cursor.state();
        (state.initialized, state.connection.clone())
    };
    if !initialized {
        return Err(programming_error(vm, "Base Cursor.__init__ not called."));
    }
    Connection::of(&connection).ready(vm)?;
    cursor.finish_statement();
    cursor.state().closed = true;
    Ok(Value::NONE)
}

method_table! { static METHODS = [
    MethodDef::new("close($self, /)", "Closes the cursor.", close),
    MethodDef::new("executemany($self, sql, seq_of_parameters, /)", "\
        Run an SQL statement once for each set of parameters.", execute::executemany),
    MethodDef::new("executescript($self, sql_script, /)", "\
        Run all SQL statements in a string.", execute::executescript),
    MethodDef::new("execute($self, sql, parameters=(), /)", "\
        Run one SQL statement with its parameters.", execute::execute),
    MethodDef::new("fetchall($self, /)", "Return all remaining rows as a list.", |vm, this, _| rows(vm, this, None)),
    MethodDef::raw("fetchmany($self, /, size=1)", "Fetches several rows from the resultset, arraysize by default.", fetchmany),
    MethodDef::new("fetchone($self, /)", "\
        Return the next row, or None if no row is left.", |vm, this, _| Ok(next(vm, this)?.unwrap_or(Value::NONE))),
    MethodDef::new("setinputsizes($self, sizes, /)", "\
        Does nothing; the DB-API demands that it exist.", |_, _, _| Ok(Value::NONE)),
    MethodDef::new("setoutputsize($self, size, column=None, /)", "\
        Does nothing; the DB-API demands that it exist.", |_, _, _| Ok(Value::NONE)),
]; }

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("connection", "", |_, this| Ok(Cursor::of(this).state().connection.clone())),
    MemberDef::new("description", "", |_, this| Ok(Cursor::of(this).state().description.clone())),
    MemberDef::new("lastrowid", "", |_, this| Ok(Cursor::of(this).state().lastrowid.clone())),
    MemberDef::new("rowcount", "", |_, this| Ok(Value::from(Cursor::of(this).state().rowcount))),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("arraysize", "", |_, this| Ok(Value::from(Cursor::of(this).state().arraysize))).setter(
        |vm, this, value| {
            let Some(value) = value else {
                let message = "attribute 'arraysize' of 'sqlite3.Cursor' objects cannot be deleted";
                return Err(vm.attribute_error(message));
            };
            let size = uint32(vm, value)?;
            Cursor::of(this).state().arraysize = size;
            Ok(())
        },
    ),
    GetSetDef::new("row_factory", "", |_, this| Ok(Cursor::of(this).state().row_factory.clone())).setter(
        |vm, this, value| {
            let Some(value) = value else { return Err(vm.attribute_error("cannot delete row_factory attribute")) };
            set_row_factory(this, value.clone());
            Ok(())
        },
    ),
];

pub fn set_row_factory(cursor: &Value, factory: Value) {
    let old = std::mem::replace(&mut Cursor::of(cursor).state().row_factory, factory);
    drop(old);
}
