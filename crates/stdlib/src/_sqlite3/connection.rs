//! `sqlite3.Connection`: representation, opening and closing, transactions, attributes.
//!
//! `connection/functions.rs` has functions, aggregates and collations, `hooks.rs` authorizer, progress and trace
//! callbacks, `copying.rs` backup and (de)serialisation, `settings.rs` limits, switches and extensions.

mod context;
mod copying;
mod functions;
mod hooks;
mod settings;

use std::ffi::CStr;
use std::sync::{Arc, Weak};

use libsqlite3_sys as sql;
use taipan_object::builtins::int;
use taipan_object::builtins::str::{STR, Str};
use taipan_object::cell::{Borrow, ObjectCell};
use taipan_object::exceptions::DEPRECATION_WARNING;
use taipan_object::header::Header;
use taipan_object::heap::Kind;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::object::{Payload, Visitor};
use taipan_object::types::{Type, TypeSpec, type_flags};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::blob::{self, Handle};
use super::cursor::{self, CURSOR, Cursor};
use super::database::{Database, Statement};
use super::errors::{self, Class, check_code, check_database, programming_error};
use super::statement::{self, Cache};
use crate::_thread::get_ident;
use crate::arguments::{c_int, fs_converter};
use crate::payload::{class_of, signature};
use context::Context;
pub use context::enable_callback_tracebacks;

pub const PARSE_DECLTYPES: i32 = 1;
pub const PARSE_COLNAMES: i32 = 2;
pub const LEGACY_TRANSACTION_CONTROL: i64 = -1;

/// How transactions begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Autocommit {
    /// By `isolation_level`, before statements that change rows.
    Legacy,
    /// There is always one.
    Disabled,
    /// Only when the program says BEGIN.
    Enabled,
}

/// The levels with the statements that begin their transactions.
const ISOLATION_LEVELS: [(&str, &CStr); 4] = [
    ("", c"BEGIN "),
    ("DEFERRED", c"BEGIN DEFERRED"),
    ("IMMEDIATE", c"BEGIN IMMEDIATE"),
    ("EXCLUSIVE", c"BEGIN EXCLUSIVE"),
];

#[repr(C)]
pub struct Connection {
    pub header: Header,
    state: ObjectCell<State>,
}

pub struct State {
    database: Option<Arc<Database>>,
    initialized: bool,
    detect_types: i32,
    /// Index in [`ISOLATION_LEVELS`].
    isolation_level: Option<usize>,
    check_same_thread: bool,
    thread: u64,
    autocommit: Autocommit,
    row_factory: Value,
    text_factory: Value,
    statements: Cache,
    /// What the hooks call; SQLite has pointers to the contexts.
    hooks: [Option<Box<Context>>; 3],
    blobs: Vec<Weak<Handle>>,
}

// SAFETY: repr(C), header first, visits every reference.
unsafe impl Payload for Connection {
    const KIND: Kind = Kind::Container;
    fn static_type() -> &'static Type {
        CONNECTION.ty()
    }
    fn traverse(&self, visit: Visitor) {
        // SAFETY: the collector has stopped the world.
        let state = unsafe { &*self.state.as_ptr() };
        visit(&state.row_factory);
        visit(&state.text_factory);
        state.hooks.iter().flatten().for_each(|context| visit(&context.callable));
    }
    fn clear(&self) {
        let mut state = self.state();
        let old = (
            std::mem::replace(&mut state.row_factory, Value::NONE),
            std::mem::replace(&mut state.text_factory, Value::NONE),
            state.database.take(),
            std::mem::replace(&mut state.statements, Cache::new(0)),
            std::mem::take(&mut state.hooks),
        );
        drop(state);
        if let Some(database) = &old.2 {
            hooks::remove_all(database);
        }
        drop(old);
    }
}

pub static CONNECTION: TypeSpec = TypeSpec::new::<Connection>("sqlite3.Connection")
    .doc("A connection to an SQLite database.")
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(new);
        s.init = Some(init);
        s.call = Some(call);
        s.finalize = Some(finalize);
    })
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

fn new(_: &Vm, class: &Value, _: &[Value], _: Option<&Value>) -> Result {
    let class = class_of(class);
    let state = State {
        database: None,
        initialized: false,
        detect_types: 0,
        isolation_level: Some(0),
        check_same_thread: true,
        thread: 0,
        autocommit: Autocommit::Legacy,
        row_factory: Value::NONE,
        text_factory: STR.value(),
        statements: Cache::new(0),
        hooks: [None, None, None],
        blobs: Vec::new(),
    };
    Ok(Ref::new_with_type(class, Connection { header: Header::new(class), state: ObjectCell::new(state) }).into_value())
}

signature!(
    INIT = "Connection(database, timeout=5.0, detect_types=0, isolation_level='', check_same_thread=True, \
            factory=<unrepresentable>, cached_statements=128, uri=False, *, autocommit=-1)"
);

/// Warns of positional arguments beyond the first.
pub fn warn_positional(vm: &Vm, function: &str, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
    if (2..=8).contains(&positional) {
        vm.warn(
            &DEPRECATION_WARNING.value(),
            &format!(
                "Passing more than 1 positional argument to {function}() is deprecated. Parameters 'timeout', \
                 'detect_types', 'isolation_level', 'check_same_thread', 'factory', 'cached_statements' and 'uri' will \
                 become keyword-only parameters in Python 3.15."
            ),
            1,
        )?;
    }
    Ok(())
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    warn_positional(vm, "_sqlite3.Connection", args, kwnames)?;
    let args = INIT.bind(vm, args, kwnames)?;
    let timeout = vm.float(&args[1])?;
    let detect_types = c_int(vm, &args[2])?;
    let isolation_level = isolation_level(vm, &args[3])?;
    let check_same_thread = vm.is_true(&args[4])?;
    let cached_statements = c_int(vm, &args[6])?;
    let uri = vm.is_true(&args[7])?;
    let autocommit = autocommit(vm, &args[8])?;
    vm.audit("sqlite3.connect", &[args[0].clone()])?;
    let path = fs_converter(vm, &args[0])?;
    let connection = Connection::of(this);
    if connection.state().initialized {
        connection.state().initialized = false;
        connection.close(vm)?;
    }
    let flags = sql::SQLITE_OPEN_READWRITE | sql::SQLITE_OPEN_CREATE | if uri { sql::SQLITE_OPEN_URI } else { 0 };
    let (code, database) = blocking(|| {
        let (code, database) = Database::open(&path, flags);
        if let Some(database) = &database
            && code == sql::SQLITE_OK
        {
            let milliseconds = (timeout * 1000.0) as i32;
            // SAFETY: an open connection.
            unsafe { sql::sqlite3_busy_timeout(database.handle(), milliseconds) };
        }
        (code, database)
    });
    let Some(database) = database else { return Err(vm.memory_error()) };
    if code != sql::SQLITE_OK {
        check_database(vm, &database)?;
        return check_code(vm, code);
    }
    let database = Arc::new(database);
    let mut state = connection.state();
    let old = (
        state.database.replace(database.clone()),
        std::mem::replace(&mut state.statements, Cache::new(cached_statements.max(0) as usize)),
        std::mem::take(&mut state.hooks),
        std::mem::replace(&mut state.row_factory, Value::NONE),
        std::mem::replace(&mut state.text_factory, STR.value()),
    );
    state.detect_types = detect_types;
    state.isolation_level = isolation_level;
    state.check_same_thread = check_same_thread;
    state.thread = get_ident();
    state.autocommit = autocommit;
    state.initialized = true;
    drop(state);
    drop(old);
    vm.audit("sqlite3.connect/handle", std::slice::from_ref(this))?;
    if autocommit == Autocommit::Disabled {
        connection.run(vm, &database, c"BEGIN")?;
    }
    Ok(())
}

/// An `isolation_level` as index in the table.
fn isolation_level(vm: &Vm, value: &Value) -> Result<Option<usize>> {
    if value.is_none() {
        return Ok(None);
    }
    let Some(text) = value.downcast::<Str>() else {
        return Err(vm.type_error("isolation_level must be str or None"));
    };
    let text = text.to_string_lossy();
    if text.contains('\0') {
        return Err(vm.value_error("embedded null character"));
    }
    match ISOLATION_LEVELS.iter().position(|(level, _)| level.eq_ignore_ascii_case(&text)) {
        Some(at) => Ok(Some(at)),
        None => {
            let wanted = "'', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'";
            Err(vm.value_error(format!("isolation_level string must be {wanted}")))
        }
    }
}

fn autocommit(vm: &Vm, value: &Value) -> Result<Autocommit> {
    if value.is_true() {
        return Ok(Autocommit::Enabled);
    }
    if value.is_false() {
        return Ok(Autocommit::Disabled);
    }
    match int::is_int(value) && int::to_i64(value) == Some(LEGACY_TRANSACTION_CONTROL) {
        true => Ok(Autocommit::Legacy),
        false => Err(vm.value_error("autocommit must be True, False, or sqlite3.LEGACY_TRANSACTION_CONTROL")),
    }
}

/// `connection(sql)`: a prepared statement.
fn call(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let connection = Connection::of(this);
    let database = connection.ready(vm)?;
    taipan_object::native::arguments::no_keywords(vm, "Connection", kwnames)?;
    if args.len() != 1 {
        return Err(vm.type_error(format!("function takes exactly 1 argument ({} given)", args.len())));
    }
    if args[0].downcast::<Str>().is_none() {
        return Err(vm.type_error(format!("argument 1 must be str, not {}", args[0].ty().name())));
    }
    Ok(statement::wrap(Arc::new(statement::create(vm, &database, &args[0])?)))
}

fn finalize(vm: &Vm, this: &Value) {
    let connection = Connection::of(this);
    if connection.state().database.is_none() {
        return;
    }
    crate::arguments::unclosed_warning(vm, "database in ", this, "database connection");
    if let Err(raised) = connection.close(vm) {
        vm.write_unraisable(raised, "Exception ignored while closing database", this);
    }
}

/// `sqlite3_changes`
pub fn changes(database: &Database) -> i64 {
    // SAFETY: an open connection.
    i64::from(unsafe { sql::sqlite3_changes(database.handle()) })
}

impl Connection {
    pub fn of(value: &Value) -> &Connection {
        value.downcast::<Connection>().expect("methods are called with instances of their type")
    }

    /// The state, borrowed: no Python code may run and no value may be dropped meanwhile.
    pub fn state(&self) -> Borrow<'_, State> {
        self.state.borrow(&self.header)
    }

    pub fn check_thread(&self, vm: &Vm) -> Result<()> {
        let (initialized, check, thread) = {
            let state = self.state();
            (state.initialized, state.check_same_thread, state.thread)
        };
        let this = get_ident();
        if initialized && check && thread != this {
            return Err(programming_error(
                vm,
                format!(
                    "SQLite objects created in a thread can only be used in that same thread. The object was created in \
                     thread id {thread} and this is thread id {this}."
                ),
            ));
        }
        Ok(())
    }

    /// The database, if the connection is open and may be used by this thread.
    pub fn ready(&self, vm: &Vm) -> Result<Arc<Database>> {
        self.check_thread(vm)?;
        self.open(vm)
    }

    /// The database, if the connection is open.
    pub fn open(&self, vm: &Vm) -> Result<Arc<Database>> {
        let (initialized, database) = {
            let state = self.state();
            (state.initialized, state.database.clone())
        };
        match database {
            _ if !initialized => Err(programming_error(vm, "Base Connection.__init__ not called.")),
            Some(database) => Ok(database),
            None => Err(programming_error(vm, "Cannot operate on a closed database.")),
        }
    }

    pub fn detect_types(&self) -> i32 {
        self.state().detect_types
    }
    pub fn autocommit(&self) -> Autocommit {
        self.state().autocommit
    }
    pub fn text_factory(&self) -> Value {
        self.state().text_factory.clone()
    }

    /// The statement that begins a transaction of the current level, if one is to begin by itself.
    pub fn begin_statement(&self) -> Option<&'static CStr> {
        self.state().isolation_level.map(|level| ISOLATION_LEVELS[level].1)
    }

    /// A statement for the SQL, prepared now or earlier.
    pub fn statement(&self, vm: &Vm, database: &Database, text: &Value) -> Result<Arc<Statement>> {
        let key = taipan_object::codecs::to_utf8(vm, text)?;
        let kept = self.state().statements.get(&key);
        if let Some(statement) = kept {
            return Ok(statement);
        }
        let statement = Arc::new(statement::create(vm, database, text)?);
        let gone = self.state().statements.insert(&key, statement.clone());
        drop(gone);
        Ok(statement)
    }

    pub fn register_blob(&self, handle: &Arc<Handle>) {
        let mut state = self.state();
        state.blobs.retain(|blob| blob.strong_count() > 0);
        state.blobs.push(Arc::downgrade(handle));
    }

    /// Runs a statement of transaction control.
    fn run(&self, vm: &Vm, database: &Database, text: &CStr) -> Result<()> {
        if blocking(|| database.execute(text)) != sql::SQLITE_OK {
            check_database(vm, database)?;
        }
        Ok(())
    }

    fn close(&self, vm: &Vm) -> Result<()> {
        let (database, cache, hooks, blobs, autocommit) = {
            let mut state = self.state();
            let cache = std::mem::replace(&mut state.statements, Cache::new(0));
            let (hooks, blobs) = (std::mem::take(&mut state.hooks), std::mem::take(&mut state.blobs));
            (state.database.take(), cache, hooks, blobs, state.autocommit)
        };
        for blob in blobs.iter().filter_map(Weak::upgrade) {
            blob.close();
        }
        drop(cache);
        let mut outcome = Ok(());
        if let Some(database) = database {
            if autocommit == Autocommit::Disabled && !database.is_autocommit() {
                outcome = self.run(vm, &database, c"ROLLBACK");
            }
            if hooks.iter().any(Option::is_some) {
                hooks::remove_all(&database);
            }
            drop(database);
        }
        drop(hooks);
        outcome
    }

    /// Ends the transaction with COMMIT or ROLLBACK.
    fn end_transaction(&self, vm: &Vm, end: &CStr) -> Result<()> {
        let database = self.ready(vm)?;
        match self.autocommit() {
            Autocommit::Legacy if !database.is_autocommit() => self.run(vm, &database, end),
            Autocommit::Disabled => {
                self.run(vm, &database, end)?;
                self.run(vm, &database, c"BEGIN")
            }
            _ => Ok(()),
        }
    }
}

fn close(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    let connection = Connection::of(this);
    connection.check_thread(vm)?;
    if !connection.state().initialized {
        return Err(programming_error(vm, "Base Connection.__init__ not called."));
    }
    connection.close(vm)?;
    Ok(Value::NONE)
}

fn commit(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    Connection::of(this).end_transaction(vm, c"COMMIT").map(Value::from)
}

fn rollback(vm: &Vm, this: &Value, _: &[Value]) -> Result {
    Connection::of(this).end_transaction(vm, c"ROLLBACK").map(Value::from)
}

fn exit(vm: &Vm, this: &Value, args: &[Value]) -> Result {
    if args.iter().any(|arg| !arg.is_none()) {
        rollback(vm, this, &[])?;
        return Ok(Value::FALSE);
    }
    if let Err(raised) = commit(vm, this, &[]) {
        // To unlock the database.
        let failure = vm.take(raised);
        return Err(match rollback(vm, this, &[]) {
            Ok(_) => vm.set_exception(failure),
            Err(raised) => {
                let second = vm.take(raised);
                taipan_object::exceptions::chain_context(&second, failure);
                vm.set_exception(second)
            }
        });
    }
    Ok(Value::FALSE)
}

signature!(CURSOR_SIGNATURE = "cursor(factory=<unrepresentable>)");

fn cursor(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = CURSOR_SIGNATURE.bind(vm, args, kwnames)?;
    Connection::of(this).ready(vm)?;
    let factory = args[0].bound().cloned().unwrap_or_else(|| CURSOR.value());
    let cursor = vm.call_args(&factory, std::slice::from_ref(this))?;
    if cursor.downcast::<Cursor>().is_none() {
        return Err(vm.type_error(format!("factory must return a cursor, not {}", cursor.ty().name())));
    }
    let row_factory = Connection::of(this).state().row_factory.clone();
    if !row_factory.is_none() {
        cursor::set_row_factory(&cursor, row_factory);
    }
    Ok(cursor)
}

/// Makes a cursor and calls its method of the same name.
fn by_cursor(vm: &Vm, this: &Value, method: &str, args: &[Value]) -> Result {
    let cursor = vm.call_method(this, "cursor", &[])?;
    let given = args.iter().take_while(|arg| !arg.is_unbound()).count();
    vm.call_method(&cursor, method, &args[..given])
}

signature!(ITERDUMP = "iterdump(*, filter=None)");

fn iterdump(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result {
    let args = ITERDUMP.bind(vm, args, kwnames)?;
    Connection::of(this).open(vm)?;
    let dump = vm.import("sqlite3.dump")?;
    let Some(function) = vm.get_attr_str_opt(&dump, "_iterdump")? else {
        return Err(errors::raise(vm, Class::OperationalError, "Failed to obtain _iterdump() reference"));
    };
    vm.call_keywords(&function, std::slice::from_ref(this), &[("filter", args[0].clone())])
}

method_table! { static METHODS = [
    MethodDef::new(
        "backup($self, /, target, *, pages=-1, progress=None, name='main',\n       sleep=0.25)",
        "Copy the database to another connection, while it may be in use.",
        copying::backup,
    ),
    MethodDef::new("close($self, /)", "Close the connection.\n\n\
        Changes that have not been committed are lost.", close),
    MethodDef::new("commit($self, /)", "End the transaction and keep its changes.", commit),
    MethodDef::raw("create_aggregate($self, /, name, n_arg, aggregate_class)", "Creates a new aggregate.", functions::create_aggregate),
    MethodDef::new("create_collation($self, name, callback, /)", "\
        Define how strings are compared by a named collation, or remove it.", functions::create_collation),
    MethodDef::raw(
        "create_function($self, /, name, narg, func, *, deterministic=False)",
        "Creates a new function.",
        functions::create_function,
    ),
    MethodDef::raw("cursor($self, /, factory=<unrepresentable>)", "\
        Make a cursor, with which statements are executed.", cursor),
    MethodDef::new("enable_load_extension($self, enable, /)", "\
        Allow or forbid loading extensions of SQLite.", settings::enable_load_extension),
    MethodDef::new("__enter__($self, /)", "The connection itself.", |vm, this, _| {
        Connection::of(this).open(vm)?;
        Ok(this.clone())
    }),
    MethodDef::new("executemany($self, sql, parameters, /)", "\
        Run an SQL statement once for each set of parameters.", |vm, this, args| {
        by_cursor(vm, this, "executemany", args)
    }),
    MethodDef::new("executescript($self, sql_script, /)", "Run all SQL statements in a string.", |vm, this, args| {
        by_cursor(vm, this, "executescript", args)
    }),
    MethodDef::new("execute($self, sql, parameters=<unrepresentable>, /)", "\
        Run one SQL statement with its parameters.", |vm, this, args| {
        by_cursor(vm, this, "execute", args)
    }),
    MethodDef::new(
        "__exit__($self, type, value, traceback, /)",
        "Commits, or rolls back if there is an exception.",
        exit,
    ),
    MethodDef::new("interrupt($self, /)", "Make statements that other threads are executing fail.", |vm, this, _| {
        let database = Connection::of(this).open(vm)?;
        // SAFETY: an open connection; any thread may do this.
        unsafe { sql::sqlite3_interrupt(database.handle()) };
        Ok(Value::NONE)
    }),
    MethodDef::raw("iterdump($self, /, *, filter=None)", "\
        Give the SQL statements that rebuild the database.", iterdump),
    MethodDef::new("load_extension($self, name, /, *, entrypoint=None)", "\
        Load an extension of SQLite from a shared library.", settings::load_extension),
    MethodDef::new("rollback($self, /)", "End the transaction and undo its changes.", rollback),
    MethodDef::raw("set_authorizer($self, /, authorizer_callback)", "Set authorizer callback.", hooks::set_authorizer),
    MethodDef::raw("set_progress_handler($self, /, progress_handler, n)", "Set progress handler callback.", hooks::set_progress_handler),
    MethodDef::raw("set_trace_callback($self, /, trace_callback)", "\
        Set a function to call with the text of each statement.", hooks::set_trace_callback),
    MethodDef::new("setlimit($self, category, limit, /)", "Set connection run-time limits; the previous one.", settings::setlimit),
    MethodDef::new("getlimit($self, category, /)", "Return one of the connection's limits.", settings::getlimit),
    MethodDef::new("serialize($self, /, *, name='main')", "Return the database as bytes.", copying::serialize),
    MethodDef::new("deserialize($self, data, /, *, name='main')", "Load a serialized database.", copying::deserialize),
    MethodDef::new(
        "create_window_function($self, name, num_params, aggregate_class, /)",
        "Define an aggregate window function, or remove it.",
        functions::create_window_function,
    ),
    MethodDef::new(
        "blobopen($self, table, column, rowid, /, *, readonly=False, name='main')",
        "Open a blob, whose bytes can then be read and written like a file's.",
        blob::blobopen,
    ),
    MethodDef::new("setconfig($self, op, enable=True, /)", "\
        Set or clear an option of the connection.", settings::setconfig),
    MethodDef::new("getconfig($self, op, /)", "\
        Return whether an option of the connection is set.", settings::getconfig),
]; }

macro_rules! exception_members {
    ($($name:ident)*) => {
        &[ $( MemberDef::new(stringify!($name), "", |vm, _| errors::class(vm, Class::$name)), )* ]
    };
}

static MEMBERS: &[MemberDef] = exception_members!(
    Warning Error InterfaceError DatabaseError DataError OperationalError IntegrityError InternalError ProgrammingError
    NotSupportedError
);

static GETSET: &[GetSetDef] = &[
    GetSetDef::new("isolation_level", "", |vm, this| {
        Connection::of(this).open(vm)?;
        let level = Connection::of(this).state().isolation_level;
        Ok(level.map_or(Value::NONE, |level| Value::from(ISOLATION_LEVELS[level].0)))
    })
    .setter(set_isolation_level),
    GetSetDef::new("total_changes", "", |vm, this| {
        let database = Connection::of(this).open(vm)?;
        // SAFETY: an open connection.
        Ok(Value::from(unsafe { sql::sqlite3_total_changes(database.handle()) }))
    }),
    GetSetDef::new("in_transaction", "", |vm, this| Ok(Value::from(!Connection::of(this).open(vm)?.is_autocommit()))),
    GetSetDef::new("autocommit", "", |vm, this| {
        Connection::of(this).ready(vm)?;
        Ok(match Connection::of(this).autocommit() {
            Autocommit::Enabled => Value::TRUE,
            Autocommit::Disabled => Value::FALSE,
            Autocommit::Legacy => Value::from(LEGACY_TRANSACTION_CONTROL),
        })
    })
    .setter(set_autocommit),
    GetSetDef::new("row_factory", "", |_, this| Ok(Connection::of(this).state().row_factory.clone())).setter(
        |vm, this, value| {
            let Some(value) = value else { return Err(vm.attribute_error("cannot delete row_factory attribute")) };
            let old = std::mem::replace(&mut Connection::of(this).state().row_factory, value.clone());
            drop(old);
            Ok(())
        },
    ),
    GetSetDef::new("text_factory", "", |_, this| Ok(Connection::of(this).text_factory())).setter(|vm, this, value| {
        let Some(value) = value else { return Err(vm.attribute_error("cannot delete text_factory attribute")) };
        let old = std::mem::replace(&mut Connection::of(this).state().text_factory, value.clone());
        drop(old);
        Ok(())
    }),
];

fn set_isolation_level(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let Some(value) = value else { return Err(vm.attribute_error("cannot delete attribute")) };
    let level = isolation_level(vm, value)?;
    if level.is_none() {
        Connection::of(this).state().isolation_level = None;
        // No transaction stays open behind the program's back.
        Connection::of(this).end_transaction(vm, c"COMMIT")?;
    }
    Connection::of(this).state().isolation_level = level;
    Ok(())
}

fn set_autocommit(vm: &Vm, this: &Value, value: Option<&Value>) -> Result<()> {
    let connection = Connection::of(this);
    let database = connection.ready(vm)?;
    let Some(value) = value else { return Err(vm.attribute_error("cannot delete autocommit attribute")) };
    let autocommit = autocommit(vm, value)?;
    match autocommit {
        Autocommit::Enabled if !database.is_autocommit() => connection.run(vm, &database, c"COMMIT")?,
        Autocommit::Disabled if database.is_autocommit() => connection.run(vm, &database, c"BEGIN")?,
        _ => {}
    }
    connection.state().autocommit = autocommit;
    Ok(())
}
