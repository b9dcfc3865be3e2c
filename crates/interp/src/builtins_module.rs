//! The module `builtins`. Counterpart of CPython's `Python/bltinmodule.c`.
//!
//! Here are the functions on values; `aggregate.rs` has those over iterables, `scope.rs` those that look at frames or
//! compile code, `class.rs` `__build_class__`, `console.rs` `print` and `input`.

mod aggregate;
pub mod class;
mod console;
pub mod scope;

use std::sync::LazyLock;

use taipan_object::builtins as types;
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, StrBuilder, intern};
use taipan_object::exceptions;
use taipan_object::native::MethodDef;
use taipan_object::native::function::{BuiltinFunction, Definition};
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "builtins",
    doc: "Built-in functions, types, exceptions, and other objects.\n\nThis module provides direct access to all 'built-in'\n\
          identifiers of Python; for example, builtins.len is\nthe full name for the built-in function len().\n\nThis module is \
          not normally accessed explicitly by most\napplications, but can be useful in modules that provide\nobjects with the \
          same name as a builtin and in which the\nbuilt-in of that name is also needed.",
    functions: FUNCTIONS,
    exec,
};

fn exec(_vm: &Vm, module: &Module) -> Result<()> {
    for (name, value) in [
        ("None", Value::NONE),
        ("Ellipsis", Value::ELLIPSIS),
        ("NotImplemented", Value::NOT_IMPLEMENTED),
        ("False", Value::FALSE),
        ("True", Value::TRUE),
        ("__debug__", Value::bool(crate::config::get().optimize == 0)),
    ] {
        module.set(name, value);
    }
    for spec in [
        &types::bool::BOOL,
        &types::bytearray::BYTEARRAY,
        &types::bytes::BYTES,
        &types::staticmethod::CLASSMETHOD,
        &types::complex::COMPLEX,
        &types::dict::DICT,
        &types::enumerate::ENUMERATE,
        &types::map_filter::FILTER,
        &types::float::FLOAT,
        &types::set::FROZENSET,
        &types::property::PROPERTY,
        &types::range::RANGE,
        &types::reversed::REVERSED,
        &types::set::SET,
        &types::slice::SLICE,
        &types::int::INT,
        &types::list::LIST,
        &types::map_filter::MAP,
        &types::memoryview::MEMORYVIEW,
        &types::object::OBJECT,
        &types::reversed::REVERSED,
        &types::set::SET,
        &types::slice::SLICE,
        &types::staticmethod::STATICMETHOD,
        &types::str::STR,
        &types::super_object::SUPER,
        &types::tuple::TUPLE,
        &types::type_object::TYPE,
        &types::zip::ZIP,
        &exceptions::BASE_EXCEPTION,
    ] {
        module.add_type(spec);
    }
    for spec in exceptions::ALL {
        module.add_type(spec);
    }
    module.set("EnvironmentError", exceptions::OS_ERROR.value());
    module.set("IOError", exceptions::OS_ERROR.value());
    Ok(())
}

/// Whether `function` is the `__import__` that this module made.
pub(crate) fn is_own_import(function: &Value) -> bool {
    static OWN: LazyLock<Option<&'static MethodDef>> =
        LazyLock::new(|| FUNCTIONS.iter().find(|def| def.name() == "__import__"));
    let def = function.downcast_exact::<BuiltinFunction>().map(|function| function.def);
    matches!((def, *OWN), (Some(Definition::Method(def)), Some(own)) if std::ptr::eq(def, own))
}

method_table! {
    static FUNCTIONS = [
        MethodDef::raw("__build_class__", "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\nInternal helper function used by the class statement.", |vm, _, args, kwnames| class::build_class(vm, args, kwnames)),
        MethodDef::new("__import__($module, /, name, globals=None, locals=None, fromlist=(), level=0)", "Import a module.\n\nBecause this function is meant for use by the Python\ninterpreter and not for general use, it is better to use\nimportlib.import_module() to programmatically import a module.\n\nThe globals argument is only used to determine the context;\nthey are not modified.  The locals argument is unused.  The fromlist\nshould be a list of names to emulate ``from name import ...``, or an\nempty list to emulate ``import name``.\nWhen importing a module from a package, note that __import__('A.B', ...)\nreturns package A when fromlist is empty, but its submodule B when\nfromlist is not empty.  The level argument is used to determine whether to\nperform absolute or relative imports: 0 is absolute, while a positive number\nis the number of parent directories to search relative to the current module.", |vm, _, args| {
            let level = vm.index_i32(&args[4])?;
            crate::import::import_name(vm, &args[0], args[1].given(), args[3].given(), level)
        }),
        MethodDef::new("abs($module, number, /)", "Return the absolute value of the argument.", |vm, _, args| vm.absolute(&args[0])),
        MethodDef::new("all($module, iterable, /)", "Return True if bool(x) is True for all values x in the iterable.\n\nIf the iterable is empty, return True.", |vm, _, args| aggregate::all(vm, &args[0])),
        MethodDef::new("any($module, iterable, /)", "Return True if bool(x) is True for any x in the iterable.\n\nIf the iterable is empty, return False.", |vm, _, args| aggregate::any(vm, &args[0])),
        MethodDef::new("ascii($module, obj, /)", "Return an ASCII-only representation of an object.\n\nAs repr(), return a string containing a printable representation of an\nobject, but escape the non-ASCII characters in the string returned by\nrepr() using \\\\x, \\\\u or \\\\U escapes. This generates a string similar\nto that returned by repr() in Python 2.", |vm, _, args| ascii(vm, &args[0])),
        MethodDef::new("bin($module, number, /)", "Return the binary representation of an integer.\n\n   >>> bin(2796202)\n   '0b1010101010101010101010'", |vm, _, args| in_base(vm, &args[0], 2)),
        MethodDef::raw("breakpoint($module, /, *args, **kws)", "Call sys.breakpointhook(*args, **kws).\n\nsys.breakpointhook() must accept whatever arguments are passed.\n\nBy default, this drops you into the pdb debugger.", |vm, _, args, kwnames| {
            let Some(hook) = crate::sys_module::get(vm, "breakpointhook") else {
                return Err(vm.runtime_error("lost sys.breakpointhook"));
            };
            vm.audit("builtins.breakpoint", std::slice::from_ref(&hook))?;
            vm.call(&hook, args, kwnames)
        }),
        MethodDef::new("callable($module, obj, /)", "Return whether the object is callable (i.e., some kind of function).\n\nNote that classes are callable, as are instances of classes with a\n__call__() method.", |_, _, args| Ok(Value::bool(args[0].ty().slots().call.is_some()))),
        MethodDef::new("chr($module, i, /)", "Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff.", |vm, _, args| {
            let index = vm.index(&args[0])?;
            match int::to_i64(&index) {
                Some(n @ 0..=0x10FFFF) => Ok(Str::from_code_point(n as u32).into_value()),
                _ => Err(vm.value_error("chr() arg not in range(0x110000)")),
            }
        }),
        MethodDef::new("compile($module, /, source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)", "Compile source into a code object that can be executed by exec() or eval().\n\nThe source code may represent a Python module, statement or expression.\nThe filename will be used for run-time error messages.\nThe mode must be 'exec' to compile a module, 'single' to compile a\nsingle (interactive) statement, or 'eval' to compile an expression.\nThe flags argument, if present, controls which future statements influence\nthe compilation of the code.\nThe dont_inherit argument, if true, stops the compilation inheriting\nthe effects of any future statements in effect in the code calling\ncompile; if absent or false these statements do influence the compilation,\nin addition to any features explicitly specified.", |vm, _, args| scope::compile(vm, args)),
        MethodDef::new("delattr($module, obj, name, /)", "Deletes the named attribute from the given object.\n\ndelattr(x, 'y') is equivalent to ``del x.y``", |vm, _, args| {
            let name = vm.attribute_name(&args[1])?;
            vm.delete_attr(&args[0], &name).map(Value::from)
        }),
        MethodDef::raw("dir", "dir([object]) -> list of strings\n\nIf called without an argument, return the names in the current scope.\nElse, return an alphabetized list of names comprising (some of) the attributes\nof the given object, and of attributes reachable from it.\nIf the object supplies a method named __dir__, it will be used; otherwise\nthe default dir() logic is used and returns:\n  for a module object: the module's attributes.\n  for a class object:  its attributes, and recursively the attributes\n    of its bases.\n  for any other object: its attributes, its class's attributes, and\n    recursively the attributes of its class's base classes.", |vm, _, args, kwnames| scope::dir(vm, args, kwnames)),
        MethodDef::new("divmod($module, x, y, /)", "Return the tuple (x//y, x%y).  Invariant: div*y + mod == x.", |vm, _, args| vm.divmod(&args[0], &args[1])),
        MethodDef::new("eval($module, source, /, globals=None, locals=None)", "Evaluate the given source in the context of globals and locals.\n\nThe source may be a string representing a Python expression\nor a code object as returned by compile().\nThe globals must be a dictionary and locals can be any mapping,\ndefaulting to the current globals and locals.\nIf only globals is given, locals defaults to it.", |vm, _, args| scope::eval(vm, args)),
        MethodDef::new("exec($module, source, /, globals=None, locals=None, *, closure=None)", "Execute the given source in the context of globals and locals.\n\nThe source may be a string representing one or more Python statements\nor a code object as returned by compile().\nThe globals must be a dictionary and locals can be any mapping,\ndefaulting to the current globals and locals.\nIf only globals is given, locals defaults to it.\nThe closure must be a tuple of cellvars, and can only be used\nwhen source is a code object requiring exactly that many cellvars.", |vm, _, args| scope::exec(vm, args)),
        MethodDef::new("format($module, value, format_spec='', /)", "Return type(value).__format__(value, format_spec)\n\nMany built-in types implement format_spec according to the\nFormat Specification Mini-language. See help('FORMATTING')\nfor details.\n\nIf type(value) does not supply a method named __format__\nand format_spec is empty, then str(value) is returned.", |vm, _, args| {
            vm.expect_str_argument(&args[1], |got| format!("format() argument 2 must be str, not {got}"))?;
            vm.format(&args[0], &args[1])
        }),
        MethodDef::raw("getattr", "getattr(object, name[, default]) -> value\n\nGet a named attribute from an object; getattr(x, 'y') is equivalent to x.y.\nWhen a default argument is given, it is returned when the attribute doesn't\nexist; without it, an exception is raised in that case.", |vm, _, args, kwnames| {
            no_keywords(vm, "getattr", kwnames)?;
            match args {
                [object, name] => {
                    let name = vm.attribute_name(name)?;
                    vm.get_attr(object, &name)
                }
                [object, name, default] => {
                    let name = vm.attribute_name(name)?;
                    Ok(vm.get_attr_opt(object, &name)?.unwrap_or_else(|| default.clone()))
                }
                _ => Err(wrong_count(vm, "getattr", 2, 3, args.len())),
            }
        }),
        MethodDef::new("globals($module, /)", "Return the dictionary containing the current scope's global variables.\n\nNOTE: Updates to this dictionary *will* affect name lookups in the current\nglobal scope and vice-versa.", |vm, _, _| Ok(vm.current_globals().unwrap_or(Value::NONE))),
        MethodDef::new("hasattr($module, obj, name, /)", "Return whether the object has an attribute with the given name.\n\nThis is done by calling getattr(obj, name) and catching AttributeError.", |vm, _, args| {
            let name = vm.attribute_name(&args[1])?;
            Ok(Value::bool(vm.get_attr_opt(&args[0], &name)?.is_some()))
        }),
        MethodDef::new("hash($module, obj, /)", "Return the hash value for the given object.\n\nTwo objects that compare equal must also have the same hash value, but the\nreverse is not necessarily true.", |vm, _, args| vm.hash(&args[0]).map(Value::from)),
        MethodDef::new("hex($module, number, /)", "Return the hexadecimal representation of an integer.\n\n   >>> hex(12648430)\n   '0xc0ffee'", |vm, _, args| in_base(vm, &args[0], 16)),
        MethodDef::new("id($module, obj, /)", "Return the identity of an object.\n\nThis is guaranteed to be unique among simultaneously existing objects.\n(CPython uses the object's memory address.)", |_, _, args| Ok(Value::from(args[0].id()))),
        MethodDef::new("input($module, prompt='', /)", "Read a string from standard input.  The trailing newline is stripped.\n\nThe prompt string, if given, is printed to standard output without a\ntrailing newline before reading input.\n\nIf the user hits EOF (*nix: Ctrl-D, Windows: Ctrl-Z+Return), raise EOFError.\nOn *nix systems, readline is used if available.", |vm, _, args| console::input(vm, &args[0])),
        MethodDef::new("isinstance($module, obj, class_or_tuple, /)", "Return whether an object is an instance of a class or of a subclass thereof.\n\nA tuple, as in ``isinstance(x, (A, B, ...))``, may be given as the target to\ncheck against. This is equivalent to ``isinstance(x, A) or isinstance(x, B)\nor ...`` etc.", |vm, _, args| vm.is_instance(&args[0], &args[1]).map(Value::bool)),
        MethodDef::new("issubclass($module, cls, class_or_tuple, /)", "Return whether 'cls' is derived from another class or is the same class.\n\nA tuple, as in ``issubclass(x, (A, B, ...))``, may be given as the target to\ncheck against. This is equivalent to ``issubclass(x, A) or issubclass(x, B)\nor ...``.", |vm, _, args| vm.is_subclass(&args[0], &args[1]).map(Value::bool)),
        MethodDef::raw("iter", "iter(iterable) -> iterator\niter(callable, sentinel) -> iterator\n\nGet an iterator from an object.\nIn the first form, the argument must supply its own iterator, or be a sequence.\nIn the second form, the callable is called until it returns the sentinel.", |vm, _, args, kwnames| {
            no_keywords(vm, "iter", kwnames)?;
            match args {
                [iterable] => vm.iter(iterable),
                [callable, sentinel] => {
                    if callable.ty().slots().call.is_none() {
                        return Err(vm.type_error("iter(v, w): v must be callable"));
                    }
                    Ok(types::iterator::callable_iterator(callable, sentinel))
                }
                _ => Err(wrong_count(vm, "iter", 1, 2, args.len())),
            }
        }),
        MethodDef::new("aiter($module, async_iterable, /)", "Return an AsyncIterator for an AsyncIterable object.", |vm, _, args| {
            let Some(aiter) = args[0].ty().slots().aiter else {
                let name = args[0].ty().name();
                return Err(vm.type_error(format!("'{name}' object is not an async iterable")));
            };
            let iterator = aiter(vm, &args[0])?;
            if iterator.ty().slots().anext.is_none() {
                let name = iterator.ty().name();
                return Err(vm.type_error(format!("aiter() returned not an async iterator of type '{name}'")));
            }
            Ok(iterator)
        }),
        MethodDef::new("anext($module, async_iterator, default=<unrepresentable>, /)", "Return the next item from the async iterator.\n\nIf default is given and the async iterator is exhausted,\nit is returned instead of raising StopAsyncIteration.", |vm, _, args| {
            let Some(anext) = args[0].ty().slots().anext else {
                let name = args[0].ty().name();
                return Err(vm.type_error(format!("'{name}' object is not an async iterator")));
            };
            let awaitable = anext(vm, &args[0])?;
            match args[1].bound() {
                Some(default) => Ok(crate::generator::anext_awaitable(awaitable, default.clone())),
                None => Ok(awaitable),
            }
        }),
        MethodDef::new("len($module, obj, /)", "Return the number of items in a container.", |vm, _, args| vm.len(&args[0]).map(Value::from)),
        MethodDef::new("locals($module, /)", "Return a dictionary containing the current scope's local variables.\n\nNOTE: Whether or not updates to this dictionary will affect name lookups in\nthe local scope and vice-versa is *implementation dependent* and not\ncovered by any backwards compatibility guarantees.", |vm, _, _| scope::locals(vm)),
        MethodDef::raw("max", "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value\n\nWith a single iterable argument, return its biggest item. The\ndefault keyword-only argument specifies an object to return if\nthe provided iterable is empty.\nWith two or more positional arguments, return the largest argument.", |vm, _, args, kwnames| aggregate::min_max(vm, "max", args, kwnames)),
        MethodDef::raw("min", "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value\n\nWith a single iterable argument, return its smallest item. The\ndefault keyword-only argument specifies an object to return if\nthe provided iterable is empty.\nWith two or more positional arguments, return the smallest argument.", |vm, _, args, kwnames| aggregate::min_max(vm, "min", args, kwnames)),
        MethodDef::raw("next", "next(iterator[, default])\n\nReturn the next item from the iterator. If default is given and the iterator\nis exhausted, it is returned instead of raising StopIteration.", |vm, _, args, kwnames| {
            no_keywords(vm, "next", kwnames)?;
            let (iterator, default) = match args {
                [iterator] => (iterator, None),
                [iterator, default] => (iterator, Some(default)),
                _ => return Err(wrong_count(vm, "next", 1, 2, args.len())),
            };
            match next_item(vm, iterator) {
                Ok(Some(item)) => Ok(item),
                Ok(None) => match default {
                    Some(default) => Ok(default.clone()),
                    None => Err(vm.stop_iteration(None)),
                },
                Err(raised) => match default {
                    Some(default) => vm.catch(raised, exceptions::stop_iteration()).map(|_| default.clone()),
                    None => Err(raised),
                },
            }
        }),
        MethodDef::new("oct($module, number, /)", "Return the octal representation of an integer.\n\n   >>> oct(342391)\n   '0o1234567'", |vm, _, args| in_base(vm, &args[0], 8)),
        MethodDef::new("ord($module, character, /)", "Return the ordinal value of a character.\n\nIf the argument is a one-character string, return the Unicode code\npoint of that character.\n\nIf the argument is a bytes or bytearray object of length 1, return its\nsingle byte value.", |vm, _, args| ord(vm, &args[0])),
        MethodDef::new("pow($module, /, base, exp, mod=None)", "Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.\n\nSome types, such as ints, are able to use a more efficient algorithm when\ninvoked using the three argument form.", |vm, _, args| vm.power(&args[0], &args[1], &args[2])),
        MethodDef::new("print($module, /, *args, sep=' ', end='\\n', file=None, flush=False)", "Prints the values to a stream, or to sys.stdout by default.\n\n  sep\n    string inserted between values, default a space.\n  end\n    string appended after the last value, default a newline.\n  file\n    a file-like object (stream); defaults to the current sys.stdout.\n  flush\n    whether to forcibly flush the stream.", |vm, _, args| console::print(vm, args)),
        MethodDef::new("repr($module, obj, /)", "Return the canonical string representation of the object.\n\nFor many object types, including most builtins, eval(repr(obj)) == obj.", |vm, _, args| vm.repr(&args[0])),
        MethodDef::new("round($module, /, number, ndigits=None)", "Round a number to a given precision in decimal digits.\n\nThe return value is an integer if ndigits is omitted or None.  Otherwise\nthe return value has the same type as the number.  ndigits may be negative.", |vm, _, args| {
            let given: Vec<&Value> = args[1].given().into_iter().collect();
            match vm.call_special(&args[0], &names().__round__, &given) {
                Some(result) => result,
                None => Err(vm.type_error(format!("type {} doesn't define __round__ method", args[0].ty().name()))),
            }
        }),
        MethodDef::new("setattr($module, obj, name, value, /)", "Sets the named attribute on the given object to the specified value.\n\nsetattr(x, 'y', v) is equivalent to ``x.y = v``", |vm, _, args| {
            let name = vm.attribute_name(&args[1])?;
            vm.set_attr(&args[0], &name, &args[2]).map(Value::from)
        }),
        MethodDef::raw("sorted($module, iterable, /, *, key=None, reverse=False)", "Return a new list containing all items from the iterable in ascending order.\n\nA custom key function can be supplied to customize the sort order, and the\nreverse flag can be set to request the result in descending order.", |vm, _, args, kwnames| {
            let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
            if positional != 1 {
                return Err(vm.type_error(format!("sorted expected 1 argument, got {positional}")));
            }
            let list = List::from_vec(vm.collect(&args[0])?).into_value();
            let sort = vm.get_attr(&list, &names().sort)?;
            vm.call(&sort, &args[1..], kwnames)?;
            Ok(list)
        }),
        MethodDef::new("sum($module, iterable, /, start=0)", "Return the sum of a 'start' value (default: 0) plus an iterable of numbers\n\nWhen the iterable is empty, return the start value.\nThis function is intended specifically for use with numeric values and may\nreject non-numeric types.", |vm, _, args| aggregate::sum(vm, &args[0], &args[1])),
        MethodDef::raw("vars", "vars([object]) -> dictionary\n\nWithout arguments, equivalent to locals().\nWith an argument, equivalent to object.__dict__.", |vm, _, args, kwnames| {
            no_keywords(vm, "vars", kwnames)?;
            match args {
                [] => scope::locals(vm),
                [object] => match vm.get_attr_opt(object, &names().__dict__)? {
                    Some(dict) => Ok(dict),
                    None => Err(vm.type_error("vars() argument must have __dict__ attribute")),
                },
                _ => Err(wrong_count(vm, "vars", 0, 1, args.len())),
            }
        }),
    ];
}

/// Refuses keyword arguments.
pub(crate) fn no_keywords(vm: &Vm, function: &str, kwnames: Option<&Value>) -> Result<()> {
    match kwnames {
        Some(names) if vm.tuple_len(names) > 0 => {
            Err(vm.type_error(format!("{function}() takes no keyword arguments")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn wrong_count(vm: &Vm, function: &str, min: usize, max: usize, given: usize) -> taipan_object::Raised {
    let (word, limit) = if given < min { ("at least", min) } else { ("at most", max) };
    let plural = if limit == 1 { "" } else { "s" };
    vm.type_error(format!("{function} expected {word} {limit} argument{plural}, got {given}"))
}

/// The repr with everything beyond ASCII escaped.
pub fn ascii(vm: &Vm, value: &Value) -> Result {
    let repr = vm.repr(value)?;
    let text = repr.downcast::<Str>().expect("repr gives a str");
    if text.is_ascii() {
        return Ok(repr);
    }
    let mut escaped = String::with_capacity(text.len() * 2);
    for point in text.code_points() {
        match point {
            0..0x80 => escaped.push(point as u8 as char),
            0x80..0x100 => escaped.push_str(&format!("\\x{point:02x}")),
            0x100..0x10000 => escaped.push_str(&format!("\\u{point:04x}")),
            _ => escaped.push_str(&format!("\\U{point:08x}")),
        }
    }
    Ok(Value::from(escaped))
}

fn in_base(vm: &Vm, value: &Value, base: u32) -> Result {
    let index = vm.index(value)?;
    let number = int::Operand::of(&index).expect("an int");
    let digits = int::format::digits(vm, number, base)?;
    let mut text = StrBuilder::with_capacity(digits.len() + 3);
    text.push_str(match (number.is_negative(), base) {
        (false, 2) => "0b",
        (true, 2) => "-0b",
        (false, 8) => "0o",
        (true, 8) => "-0o",
        (false, _) => "0x",
        (true, _) => "-0x",
    });
    text.push_str(&digits);
    Ok(text.finish().into_value())
}

fn ord(vm: &Vm, value: &Value) -> Result {
    let length = if let Some(text) = value.downcast::<Str>() {
        if text.len() == 1 {
            return Ok(Value::from(text.at(0)));
        }
        text.len()
    } else if types::bytes::is_bytes(value) || types::bytes::is_bytearray(value) {
        let bytes = vm.bytes_like(value)?;
        let bytes: &[u8] = bytes.as_ref();
        if let [byte] = bytes {
            return Ok(Value::from(*byte as u32));
        }
        bytes.len()
    } else {
        let name = value.ty().name();
        return Err(vm.type_error(format!("ord() expected string of length 1, but {name} found")));
    };
    Err(vm.type_error(format!("ord() expected a character, but string of length {length} found")))
}

/// The interned name of a str constant.
pub(crate) fn interned(text: &str) -> Value {
    intern(text).into_value()
}

/// The iterator's next item; None when exhausted. Its own `StopIteration` is passed on.
fn next_item(vm: &Vm, iterator: &Value) -> Result<Option<Value>> {
    match iterator.ty().slots().iternext {
        Some(next) => next(vm, iterator),
        None => Err(vm.type_error(format!("'{}' object is not an iterator", iterator.ty().name()))),
    }
}
