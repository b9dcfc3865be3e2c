//! `Unpickler`: the object. `unpickler/load.rs` reads objects, `unpickler/input.rs` gets the bytes.

mod build;
mod input;
mod load;

use super::memo::UnpicklerMemo;
use super::{attribute_at, dotted_path, globals, import, raise_over, unpickling_error};
use crate::arguments::fully_qualified_name;
use crate::payload::{class_of, payload, signature};
use input::{File, Input};
use load::Loader;
use taipan_object::builtins::dict::{DICT, Dict};
use taipan_object::builtins::int;
use taipan_object::builtins::str::Str;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::codecs;
use taipan_object::exceptions;
use taipan_object::native::function::{BuiltinFunction, Definition};
use taipan_object::native::{GetSetDef, MethodDef};
use taipan_object::types::slots::hash_not_implemented;
use taipan_object::types::{TypeSpec, lookup, type_flags};
use taipan_object::{Result, Value, Vm, method_table};

payload! {
    /// `pickle.Unpickler`
    pub struct Unpickler(UnpicklerState): UNPICKLER {
        memo: UnpicklerMemo,
        /// `None` before initialisation, and for `loads`.
        file: Option<File>,
        /// The protocol that the pickle being read has named.
        protocol: u8,
        fix_imports: bool,
        encoding: String,
        errors: String,
        /// An iterator of out-of-band buffers.
        buffers: Option<Value>,
        /// `persistent_load` as set on the instance.
        persistent_load: Option<Value>,
        running: bool,
    }
}

signature!(NEW = "Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())");

pub static UNPICKLER: TypeSpec = TypeSpec::new::<Unpickler>("_pickle.Unpickler")
    .doc(
        "Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict',\n          buffers=())\n--\n\n\
         Reads pickles of any protocol from *file*, which has read(n) and readline().\n\n\
         *encoding* and *errors* say how strs of 8 bits in pickles of Python 2 are\n\
         decoded; 'bytes' leaves them as bytes. With *fix_imports* Python 2's names\n\
         of modules are understood. *buffers* yields the buffers that were left out.",
    )
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| Ok(Unpickler::make(class_of(class), UnpicklerState::new())));
        s.init = Some(init);
        s.getattro = Some(|vm, this, name| match instance_persistent_load(this, name) {
            Some(own) => Ok(own),
            None => lookup::generic_getattr(vm, this, name),
        });
        s.setattro = Some(|vm, this, name, value| {
            if !is_persistent_load(name) {
                return lookup::generic_setattr(vm, this, name, value);
            }
            let unpickler = Unpickler::of(this);
            let old = unpickler.with(|state| std::mem::replace(&mut state.persistent_load, value.cloned()));
            drop(old);
            Ok(())
        });
    })
    .methods(METHODS)
    .getset(GETSET);

impl UnpicklerState {
    fn new() -> UnpicklerState {
        UnpicklerState {
            memo: UnpicklerMemo::new(),
            file: None,
            protocol: 0,
            fix_imports: true,
            encoding: String::new(),
            errors: String::new(),
            buffers: None,
            persistent_load: None,
            running: false,
        }
    }
}

/// The checked arguments `fix_imports, encoding, errors, buffers`.
struct Options {
    fix_imports: bool,
    encoding: String,
    errors: String,
    buffers: Option<Value>,
}

impl Options {
    fn of(vm: &Vm, function: &str, args: &[Value]) -> Result<Options> {
        let text = |at: usize, name: &str, default: &str| {
            let text = codecs::name_argument(vm, function, name, &args[at])?;
            Ok(text.as_deref().unwrap_or(default).to_string())
        };
        let is_default = args[3].is_none() || args[3].downcast_exact::<Tuple>().is_some_and(|tuple| tuple.len() == 0);
        Ok(Options {
            fix_imports: vm.is_true(&args[0])?,
            encoding: text(1, "encoding", "ASCII")?,
            errors: text(2, "errors", "strict")?,
            buffers: if is_default { None } else { Some(vm.iter(&args[3])?) },
        })
    }

    fn apply(self, state: &mut UnpicklerState) -> Option<Value> {
        state.fix_imports = self.fix_imports;
        state.encoding = self.encoding;
        state.errors = self.errors;
        std::mem::replace(&mut state.buffers, self.buffers)
    }
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let bound = NEW.bind(vm, args, kwnames)?;
    let unpickler = Unpickler::of(this);
    if unpickler.with(|state| state.running) {
        return Err(vm.runtime_error("Unpickler object is already being used"));
    }
    let file = File::of(vm, &bound[0])?;
    let options = Options::of(vm, "Unpickler", &bound[1..])?;
    let old = unpickler.with(|state| {
        let memo = std::mem::replace(&mut state.memo, UnpicklerMemo::new());
        (memo, state.file.replace(file), options.apply(state))
    });
    drop(old);
    Ok(())
}

/// An unpickler of the type itself.
fn exact(vm: &Vm, function: &str, file: Option<File>, args: &[Value]) -> Result {
    let options = Options::of(vm, function, args)?;
    let mut state = UnpicklerState::new();
    state.file = file;
    options.apply(&mut state);
    Ok(Unpickler::make(UNPICKLER.ty(), state))
}

/// `load(file, …)`
pub fn load(vm: &Vm, file: &Value, function: &str, args: &[Value]) -> Result {
    let file = File::of(vm, file)?;
    let unpickler = exact(vm, function, Some(file), args)?;
    run(vm, &unpickler)
}

/// `loads(data, …)`
pub fn loads(vm: &Vm, data: &Value, args: &[Value]) -> Result {
    let bytes = vm.bytes_like(data)?;
    let unpickler = exact(vm, "loads", None, args)?;
    Loader::new(vm, &unpickler, Input::of_bytes(&bytes))?.load()
}

/// Reads a pickle from the file.
fn run(vm: &Vm, this: &Value) -> Result {
    let file = Unpickler::of(this).with(|state| state.file.clone());
    let Some(file) = file else {
        let name = fully_qualified_name(vm, this);
        return Err(unpickling_error(vm, format!("Unpickler.__init__() was not called by {name}.__init__()")));
    };
    let mut loader = Loader::new(vm, this, Input::of_file(file))?;
    match loader.load() {
        Ok(object) => {
            loader.input.give_back(vm)?;
            Ok(object)
        }
        Err(raised) => {
            // The first error is the one to tell.
            vm.preserving_exception(|vm| {
                if let Err(raised) = loader.input.give_back(vm) {
                    vm.discard(raised);
                }
            });
            Err(raised)
        }
    }
}

fn is_persistent_load(name: &Value) -> bool {
    name.downcast::<Str>().is_some_and(|name| name.is_str("persistent_load"))
}

/// `persistent_load` if that is the name and it is set on the instance.
fn instance_persistent_load(this: &Value, name: &Value) -> Option<Value> {
    let own = Unpickler::of(this).with(|state| state.persistent_load.clone())?;
    is_persistent_load(name).then_some(own)
}

/// Where the methods stand that subclasses override.
const PERSISTENT_LOAD: usize = 0;
const FIND_CLASS: usize = 1;

/// The method of this name unless it is the type's own, number `own` of its methods.
fn overriding_method(vm: &Vm, this: &Value, name: &str, own: usize) -> Result<Option<Value>> {
    let method = vm.get_attr_str(this, name)?;
    let is_own = method
        .downcast_exact::<BuiltinFunction>()
        .is_some_and(|function| matches!(function.def, Definition::Method(def) if std::ptr::eq(def, &METHODS[own])));
    Ok((!is_own).then_some(method))
}

fn no_persistent_load(vm: &Vm) -> Result {
    let message = "A load persistent id instruction was encountered, but no persistent_load function was specified.";
    Err(unpickling_error(vm, message))
}

/// `Unpickler.find_class`
fn find_class(vm: &Vm, unpickler: &Unpickler, module: &Value, name: &Value) -> Result {
    vm.audit("pickle.find_class", &[module.clone(), name.clone()])?;
    let (mut module, mut name) = (module.clone(), name.clone());
    let (protocol, fix_imports) = unpickler.with(|state| (state.protocol, state.fix_imports));
    if protocol < 3 && fix_imports {
        let globals = globals::globals(vm)?;
        let key = Tuple::from_array([module.clone(), name.clone()]).into_value();
        if let Some(new) = globals.name_mapping.get(vm, &key)? {
            match new.downcast::<Tuple>().map(Tuple::as_slice) {
                Some([new_module, new_name]) => (module, name) = (new_module.clone(), new_name.clone()),
                _ => {
                    let got = new.ty().name();
                    return Err(
                        vm.runtime_error(format!("_compat_pickle.NAME_MAPPING values should be 2-tuples, not {got}"))
                    );
                }
            }
        } else if let Some(new) = globals.import_mapping.get(vm, &module)? {
            module = new;
        }
    }
    let Some(module_name) = module.downcast::<Str>() else {
        return Err(vm.type_error("module name must be a string"));
    };
    let found = import(vm, module_name)?;
    let Some(text) = name.downcast::<Str>() else {
        let got = name.ty().name();
        return Err(vm.type_error(format!("attribute name must be string, not '{got}'")));
    };
    if protocol < 4 {
        return vm.get_attr(&found, &text.interned(&name));
    }
    let path = dotted_path(text, &name);
    attribute_at(vm, &found, &path).map_err(|raised| {
        if path.len() < 2 || !vm.pending_matches(&raised, exceptions::ATTRIBUTE_ERROR.ty()) {
            return raised;
        }
        raise_over(vm, raised, |_| match (vm.repr_string(&name), vm.repr_string(&module)) {
            (Ok(name), Ok(module)) => vm.attribute_error(format!("Can't resolve path {name} on module {module}")),
            (Err(raised), _) | (_, Err(raised)) => raised,
        })
    })
}

method_table! { static METHODS = [
    MethodDef::new("persistent_load($self, pid, /)", "", |vm, _, _| no_persistent_load(vm)),
    MethodDef::new("find_class($self, module_name, global_name, /)",
        "The object *global_name* of module *module_name*, which is imported.\n\nEvery class and function that a pickle names is found with it; subclasses\nmay refuse some.",
        |vm, this, args| find_class(vm, Unpickler::of(this), &args[0], &args[1])),
    MethodDef::new("load($self, /)",
        "Read one object.",
        |vm, this, _| {
            let unpickler = Unpickler::of(this);
            if unpickler.with(|state| std::mem::replace(&mut state.running, true)) {
                return Err(vm.runtime_error("Unpickler object is already being used"));
            }
            let result = run(vm, this);
            unpickler.with(|state| state.running = false);
            result
        }),
]; }

fn set_memo(unpickler: &Unpickler, memo: UnpicklerMemo) {
    let old = unpickler.with(|state| std::mem::replace(&mut state.memo, memo));
    drop(old);
}

static GETSET: &[GetSetDef] = &[GetSetDef::new("memo", "", |_, this| {
    Ok(UnpicklerMemoProxy::make(UNPICKLER_MEMO_PROXY.ty(), this.clone(), UnpicklerMemoProxyState {}))
})
.setter(|vm, this, value| {
    let Some(value) = value else { return Err(vm.type_error("attribute deletion is not supported")) };
    let memo = if let Some(proxy) = value.downcast::<UnpicklerMemoProxy>() {
        Unpickler::of(&proxy.unpickler).with(|state| state.memo.copy())
    } else if let Some(dict) = value.downcast::<Dict>() {
        let mut memo = UnpicklerMemo::new();
        for (key, object) in dict.items() {
            if !int::is_int(&key) {
                return Err(vm.type_error("memo key must be integers"));
            }
            let number = crate::arguments::ssize(vm, &key)?;
            let Ok(number) = u64::try_from(number) else {
                return Err(vm.value_error("memo key must be positive integers."));
            };
            drop(memo.put(number, object));
        }
        memo
    } else {
        let got = value.ty().name();
        return Err(vm.type_error(format!("'memo' attribute must be an UnpicklerMemoProxy object or dict, not {got}")));
    };
    set_memo(Unpickler::of(this), memo);
    Ok(())
})];

payload! {
    /// An unpickler's memo as an object.
    pub struct UnpicklerMemoProxy(UnpicklerMemoProxyState): UNPICKLER_MEMO_PROXY [unpickler: Value] {}
}

pub static UNPICKLER_MEMO_PROXY: TypeSpec = TypeSpec::new::<UnpicklerMemoProxy>("_pickle.UnpicklerMemoProxy")
    .flags(type_flags::DISALLOW_INSTANTIATION)
    .slots(|s| s.hash = Some(hash_not_implemented))
    .methods(PROXY_METHODS);

fn memo_as_dict(vm: &Vm, proxy: &Value) -> Result {
    let dict = Dict::new();
    let entries = Unpickler::of(&UnpicklerMemoProxy::of(proxy).unpickler).with(|state| state.memo.entries());
    for (number, object) in entries {
        dict.set(vm, &Value::from(number), object)?;
    }
    Ok(dict.into_value())
}

method_table! { static PROXY_METHODS = [
    MethodDef::new("clear($self, /)", "Remove all items from memo.", |_, this, _| {
        set_memo(Unpickler::of(&UnpicklerMemoProxy::of(this).unpickler), UnpicklerMemo::new());
        Ok(Value::NONE)
    }),
    MethodDef::new("copy($self, /)", "Copy the memo to a new object.", |vm, this, _| memo_as_dict(vm, this)),
    MethodDef::new("__reduce__($self, /)", "Implement pickling support.", |vm, this, _| {
        let contents = Tuple::from_array([memo_as_dict(vm, this)?]).into_value();
        Ok(Tuple::from_array([DICT.value(), contents]).into_value())
    }),
]; }
