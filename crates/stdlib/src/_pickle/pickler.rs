//! `Pickler`: the object. `pickler/save.rs` writes objects, `pickler/output.rs` gathers what is written.

mod containers;
mod global;
mod output;
mod reduce;
mod save;

use super::buffer;
use super::memo::PicklerMemo;
use super::{DEFAULT_PROTOCOL, HIGHEST_PROTOCOL, globals, pickling_error};
use crate::arguments::fully_qualified_name;
use crate::payload::{class_of, payload, signature};
use output::Output;
use save::Saver;
use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::int;
use taipan_object::builtins::str::{Str, intern};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::function::{BuiltinFunction, Definition};
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::types::slots::hash_not_implemented;
use taipan_object::types::{TypeSpec, lookup, type_flags};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, method_table};

payload! {
    /// `pickle.Pickler`
    pub struct Pickler(PicklerState): PICKLER {
        memo: PicklerMemo,
        /// The file's `write` method; `None` before initialisation, and for `dumps`.
        write: Option<Value>,
        protocol: u8,
        bin: i64,
        /// No memo.
        fast: i64,
        fix_imports: bool,
        buffer_callback: Option<Value>,
        dispatch_table: Option<Value>,
        /// `persistent_id` as set on the instance.
        persistent_id: Option<Value>,
        running: bool,
    }
}

signature!(NEW = "Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)");

pub static PICKLER: TypeSpec = TypeSpec::new::<Pickler>("_pickle.Pickler")
    .doc(
        "Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)\n--\n\n\
         Writes pickles to *file*, anything with a method write(bytes).\n\n\
         *protocol* is a number from 0 to 5; None stands for 5 and a negative number\n\
         for the highest. With *fix_imports*, protocols below 3 name modules as\n\
         Python 2 did. *buffer_callback*, for protocol 5, is called with each\n\
         PickleBuffer: if what it returns is false, the buffer's data stays out of\n\
         the pickle.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| Ok(Pickler::make(class_of(class), PicklerState::new(DEFAULT_PROTOCOL))));
        s.init = Some(init);
        s.getattro = Some(|vm, this, name| match instance_persistent_id(this, name) {
            Some(own) => Ok(own),
            None => lookup::generic_getattr(vm, this, name),
        });
        s.setattro = Some(|vm, this, name, value| {
            if !is_persistent_id(name) {
                return lookup::generic_setattr(vm, this, name, value);
            }
            let old = Pickler::of(this).with(|state| std::mem::replace(&mut state.persistent_id, value.cloned()));
            drop(old);
            Ok(())
        });
    })
    .methods(METHODS)
    .members(MEMBERS)
    .getset(GETSET);

impl PicklerState {
    fn new(protocol: u8) -> PicklerState {
        PicklerState {
            memo: PicklerMemo::new(),
            write: None,
            protocol,
            bin: i64::from(protocol >= 1),
            fast: 0,
            fix_imports: true,
            buffer_callback: None,
            dispatch_table: None,
            persistent_id: None,
            running: false,
        }
    }

    /// Sets what the arguments `protocol, fix_imports, buffer_callback` say.
    fn configure(&mut self, options: &Options) {
        self.protocol = options.protocol;
        self.bin = i64::from(options.protocol >= 1);
        self.fix_imports = options.fix_imports;
    }
}

/// The checked arguments `protocol, fix_imports, buffer_callback`.
struct Options {
    protocol: u8,
    fix_imports: bool,
    buffer_callback: Option<Value>,
}

impl Options {
    fn of(vm: &Vm, args: &[Value]) -> Result<Options> {
        let protocol = match args[0].is_none() {
            true => DEFAULT_PROTOCOL,
            false => match vm.index_i32(&args[0])? {
                ..0 => HIGHEST_PROTOCOL,
                protocol if protocol > i32::from(HIGHEST_PROTOCOL) => {
                    return Err(vm.value_error(format!("pickle protocol must be <= {HIGHEST_PROTOCOL}")));
                }
                protocol => protocol as u8,
            },
        };
        let fix_imports = vm.is_true(&args[1])? && protocol < 3;
        let buffer_callback = Some(args[2].clone()).filter(|callback| !callback.is_none());
        if buffer_callback.is_some() && protocol < 5 {
            return Err(vm.value_error("buffer_callback needs protocol >= 5"));
        }
        Ok(Options { protocol, fix_imports, buffer_callback })
    }
}

fn write_method(vm: &Vm, file: &Value) -> Result {
    match vm.get_attr_opt(file, &names().write)? {
        Some(write) => Ok(write),
        None => Err(vm.type_error("file must have a 'write' attribute")),
    }
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let bound = NEW.bind(vm, args, kwnames)?;
    let pickler = Pickler::of(this);
    if pickler.with(|state| state.running) {
        return Err(vm.runtime_error("Pickler object is already being used"));
    }
    let options = Options::of(vm, &bound[1..])?;
    let write = write_method(vm, &bound[0])?;
    let dispatch_table = vm.get_attr_str_opt(this, "dispatch_table")?;
    let old = pickler.with(|state| {
        state.configure(&options);
        state.fast = 0;
        (
            std::mem::replace(&mut state.memo, PicklerMemo::new()),
            state.write.replace(write),
            std::mem::replace(&mut state.dispatch_table, dispatch_table),
            std::mem::replace(&mut state.buffer_callback, options.buffer_callback),
        )
    });
    drop(old);
    Ok(())
}

/// A pickler of the type itself, with the given arguments.
fn exact(vm: &Vm, write: Option<Value>, args: &[Value]) -> Result {
    let options = Options::of(vm, args)?;
    let mut state = PicklerState::new(options.protocol);
    state.configure(&options);
    state.write = write;
    state.buffer_callback = options.buffer_callback;
    Ok(Pickler::make(PICKLER.ty(), state))
}

/// `dump(obj, file, …)`
pub fn dump(vm: &Vm, object: &Value, file: &Value, args: &[Value]) -> Result {
    let write = write_method(vm, file)?;
    let pickler = exact(vm, Some(write), args)?;
    run(vm, &pickler, object)?;
    Ok(Value::NONE)
}

/// `dumps(obj, …)`
pub fn dumps(vm: &Vm, object: &Value, args: &[Value]) -> Result {
    let pickler = exact(vm, None, args)?;
    let output = run(vm, &pickler, object)?;
    output.into_bytes(vm)
}

/// Writes a whole pickle; what has not gone to a file is in the output.
fn run(vm: &Vm, this: &Value, object: &Value) -> Result<Output> {
    let pickler = Pickler::of(this);
    let write = pickler.with(|state| state.write.clone());
    let mut saver = Saver::new(vm, this, Output::new(write))?;
    saver.dump(object)?;
    Ok(saver.output)
}

fn is_persistent_id(name: &Value) -> bool {
    name.downcast::<Str>().is_some_and(|name| name.is_str("persistent_id"))
}

/// `persistent_id` if that is the name and it is set on the instance.
fn instance_persistent_id(this: &Value, name: &Value) -> Option<Value> {
    let own = Pickler::of(this).with(|state| state.persistent_id.clone())?;
    is_persistent_id(name).then_some(own)
}

impl Pickler {
    /// What to ask for persistent ids; `None` if the answer is always `None`.
    fn persistent_id(&self, vm: &Vm, this: &Value) -> Result<Option<Value>> {
        if this.ty().is(&PICKLER) {
            return Ok(self.with(|state| state.persistent_id.clone()));
        }
        let method = vm.get_attr_str(this, "persistent_id")?;
        let is_default = method.downcast_exact::<BuiltinFunction>().is_some_and(
            |function| matches!(function.def, Definition::Method(def) if std::ptr::eq(def, &METHODS[PERSISTENT_ID])),
        );
        Ok((!is_default).then_some(method))
    }

    /// The table of a private dispatch table, if there is one.
    fn dispatch_table(&self) -> Option<Value> {
        self.with(|state| state.dispatch_table.clone())
    }
}

/// Where `persistent_id` stands among the methods.
const PERSISTENT_ID: usize = 0;

method_table! { static METHODS = [
    MethodDef::new("persistent_id($self, obj, /)", "", |_, _, _| Ok(Value::NONE)),
    MethodDef::new("dump($self, obj, /)", "Write one object.", |vm, this, args| {
        let pickler = Pickler::of(this);
        let (initialized, running) = pickler.with(|state| (state.write.is_some(), state.running));
        if !initialized {
            let name = fully_qualified_name(vm, this);
            return Err(pickling_error(vm, format!("Pickler.__init__() was not called by {name}.__init__()")));
        }
        if running {
            return Err(vm.runtime_error("Pickler object is already being used"));
        }
        pickler.with(|state| state.running = true);
        let result = run(vm, this, &args[0]);
        pickler.with(|state| state.running = false);
        result?;
        Ok(Value::NONE)
    }),
    MethodDef::new("clear_memo($self, /)",
        "Forget the objects written so far, so that they are written in full again.",
        |_, this, _| {
            set_memo(Pickler::of(this), PicklerMemo::new());
            Ok(Value::NONE)
        }),
]; }

fn set_memo(pickler: &Pickler, memo: PicklerMemo) {
    let old = pickler.with(|state| std::mem::replace(&mut state.memo, memo));
    drop(old);
}

/// The value for a member that is a C int.
fn member_int(vm: &Vm, value: Option<&Value>) -> Result<i64> {
    let Some(value) = value else { return Err(vm.type_error("can't delete numeric/char attribute")) };
    let n = crate::arguments::c_long(vm, value)?;
    if i32::try_from(n).is_err() {
        vm.warn(&exceptions_warning(), "Truncation of value to int", 1)?;
    }
    Ok(i64::from(n as i32))
}

fn exceptions_warning() -> Value {
    taipan_object::exceptions::RUNTIME_WARNING.value()
}

static MEMBERS: &[MemberDef] = &[
    MemberDef::new("bin", "", |_, this| Ok(Value::from(Pickler::of(this).with(|state| state.bin)))).setter(
        |vm, this, value| {
            let bin = member_int(vm, value)?;
            Pickler::of(this).with(|state| state.bin = bin);
            Ok(())
        },
    ),
    MemberDef::new("fast", "", |_, this| Ok(Value::from(Pickler::of(this).with(|state| state.fast)))).setter(
        |vm, this, value| {
            let fast = member_int(vm, value)?;
            Pickler::of(this).with(|state| state.fast = fast);
            Ok(())
        },
    ),
    MemberDef::new("dispatch_table", "", |vm, this| {
        let name = intern("dispatch_table").into_value();
        Pickler::of(this).dispatch_table().ok_or_else(|| vm.no_attribute(this, &name))
    })
    .setter(|vm, this, value| {
        let pickler = Pickler::of(this);
        let old = pickler.with(|state| std::mem::replace(&mut state.dispatch_table, value.cloned()));
        if value.is_none() && old.is_none() {
            return Err(vm.attribute_error_name(intern("dispatch_table").as_value()));
        }
        drop(old);
        Ok(())
    }),
];

static GETSET: &[GetSetDef] = &[GetSetDef::new("memo", "", |_, this| {
    Ok(PicklerMemoProxy::make(PICKLER_MEMO_PROXY.ty(), this.clone(), PicklerMemoProxyState {}))
})
.setter(|vm, this, value| {
    let Some(value) = value else { return Err(vm.type_error("attribute deletion is not supported")) };
    let memo = if let Some(proxy) = value.downcast::<PicklerMemoProxy>() {
        Pickler::of(&proxy.pickler).with(|state| state.memo.copy())
    } else if let Some(dict) = value.downcast::<Dict>() {
        let mut memo = PicklerMemo::new();
        for (_, entry) in dict.items() {
            let Some([number, object]) = entry.downcast::<Tuple>().map(Tuple::as_slice) else {
                return Err(vm.type_error("'memo' values must be 2-item tuples"));
            };
            if !int::is_int(number) {
                return Err(vm.type_error("an integer is required"));
            }
            memo.put(object, crate::arguments::ssize(vm, number)? as u64).map_err(|_| vm.memory_error())?;
        }
        memo
    } else {
        let got = value.ty().name();
        return Err(vm.type_error(format!("'memo' attribute must be a PicklerMemoProxy object or dict, not {got}")));
    };
    set_memo(Pickler::of(this), memo);
    Ok(())
})];

payload! {
    /// A pickler's memo as an object.
    pub struct PicklerMemoProxy(PicklerMemoProxyState): PICKLER_MEMO_PROXY [pickler: Value] {}
}

pub static PICKLER_MEMO_PROXY: TypeSpec = TypeSpec::new::<PicklerMemoProxy>("_pickle.PicklerMemoProxy")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| s.hash = Some(hash_not_implemented))
    .methods(PROXY_METHODS);

fn memo_as_dict(vm: &Vm, proxy: &Value) -> Result {
    let dict = Dict::new();
    let entries = Pickler::of(&PicklerMemoProxy::of(proxy).pickler).with(|state| state.memo.entries());
    for (object, number) in entries {
        let key = Value::from(object.id());
        dict.set(vm, &key, Tuple::from_array([Value::from(number), object]).into_value())?;
    }
    Ok(dict.into_value())
}

method_table! { static PROXY_METHODS = [
    MethodDef::new("clear($self, /)", "Remove all items from memo.", |_, this, _| {
        set_memo(Pickler::of(&PicklerMemoProxy::of(this).pickler), PicklerMemo::new());
        Ok(Value::NONE)
    }),
    MethodDef::new("copy($self, /)", "Copy the memo to a new object.", |vm, this, _| memo_as_dict(vm, this)),
    MethodDef::new("__reduce__($self, /)", "Implement pickle support.", |vm, this, _| {
        let contents = Tuple::from_array([memo_as_dict(vm, this)?]).into_value();
        Ok(Tuple::from_array([taipan_object::builtins::dict::DICT.value(), contents]).into_value())
    }),
]; }
