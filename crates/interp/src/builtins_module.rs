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
use taipan_object::builtins::str::{Str, intern};
use taipan_object::exceptions;
use taipan_object::native::function::{BuiltinFunction, Definition};
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::native::{MethodDef, Quick};
use taipan_object::vm::names;
use taipan_object::{Result, Value, Vm, method_table};

pub static MODULE: ModuleDef = ModuleDef {
    name: "builtins",
    doc: "The names that can be used everywhere without an import.\n\n\
          print, for example, is builtins.print.  A program imports this module\n\
          only in order to reach a built-in object whose name it uses for\n\
          something else.",
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
        MethodDef::raw("__build_class__", "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\n\
            Make a class from the function of its body; used by class \
            statements.", |vm, _, args, kwnames| class::build_class(vm, args, kwnames)),
        MethodDef::new("__import__($module, /, name, globals=None, locals=None, fromlist=(), level=0)", "\
            Import a module; called by import statements.\n\n\
            Programs should call importlib.import_module() instead.\n\n\
            The package of a relative import is found in globals; locals is not\n\
            used.  fromlist has the names that a ``from`` statement imports.\n\
            For a dotted name such as 'a.b', the result is the package a if\n\
            fromlist is empty, and the module a.b otherwise.\n\
            level is the number of leading dots, with 0 for an absolute import.", |vm, _, args| {
            let level = vm.index_i32(&args[4])?;
            crate::import::import_name(vm, &args[0], args[1].given(), args[3].given(), level)
        }),
        MethodDef::new("abs($module, number, /)", "\
            Return the magnitude of a number, by means of its __abs__().", |vm, _, args| vm.absolute(&args[0])),
        MethodDef::new("all($module, iterable, /)", "Tell whether every item of the iterable is true.\n\n\
            The result for an empty iterable is True.", |vm, _, args| aggregate::all(vm, &args[0])),
        MethodDef::new("any($module, iterable, /)", "Tell whether at least one item of the iterable is true.\n\n\
            The result for an empty iterable is False.", |vm, _, args| aggregate::any(vm, &args[0])),
        MethodDef::new("ascii($module, obj, /)", "Return repr(obj) with only ASCII characters in it.\n\n\
            Each other character is written as a \\x, \\u or \\U escape with its\n\
            code point in hexadecimal.", |vm, _, args| ascii(vm, &args[0])),
        MethodDef::new("bin($module, number, /)", "\
            Return the binary digits of an integer, after the prefix 0b.\n\n   \
            >>> bin(10)\n   \
            '0b1010'", |vm, _, args| in_base(vm, &args[0], 2)),
        MethodDef::raw("breakpoint($module, /, *args, **kws)", "\
            Enter the debugger, by calling sys.breakpointhook().\n\n\
            The arguments are passed on to it.\n\n\
            Unless it is replaced, the debugger is pdb.", |vm, _, args, kwnames| {
            let Some(hook) = crate::sys_module::get(vm, "breakpointhook") else {
                return Err(vm.runtime_error("lost sys.breakpointhook"));
            };
            vm.audit("builtins.breakpoint", std::slice::from_ref(&hook))?;
            vm.call(&hook, args, kwnames)
        }),
        MethodDef::new("callable($module, obj, /)", "Tell whether the object can be called.\n\n\
            Classes can, and so can instances of classes that define \
            __call__().", |_, _, args| Ok(Value::bool(args[0].ty().slots().call.is_some()))),
        MethodDef::new("chr($module, i, /)", "\
            Return the character whose code point is i, which must be in range(0x110000).", |vm, _, args| {
            let index = vm.index(&args[0])?;
            match int::to_i64(&index) {
                Some(n @ 0..=0x10FFFF) => Ok(Str::from_code_point(n as u32).into_value()),
                _ => Err(vm.value_error("chr() arg not in range(0x110000)")),
            }
        }),
        MethodDef::new("compile($module, /, source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)", "\
            Translate source code into a code object, for exec() or eval().\n\n\
            The source is a string, bytes, or a tree of the ast module.  The file\n\
            name appears in tracebacks.\n\
            The mode 'exec' takes a module, 'eval' one expression, and 'single' one\n\
            interactive statement, the value of which is printed.\n\
            flags can add future features, or ask for a tree with\n\
            ast.PyCF_ONLY_AST.  Unless dont_inherit is true, future features of the\n\
            calling code apply as well.\n\
            optimize is the level of the -O option, -1 that of the \
            interpreter.", |vm, _, args| scope::compile(vm, args)),
        MethodDef::new("delattr($module, obj, name, /)", "Remove an attribute of an object.\n\n\
            delattr(obj, 'name') does what ``del obj.name`` does.", |vm, _, args| {
            let name = vm.attribute_name(&args[1])?;
            vm.delete_attr(&args[0], &name).map(Value::from)
        }),
        MethodDef::raw("dir", "dir([object]) -> list of strings\n\n\
            Without an argument, list the names of the current scope; with one,\n\
            the names of the attributes of an object, as far as they are known.\n\
            An object's __dir__() is used if it has one.  Otherwise the list has\n  \
            for a module: the names defined in it\n  \
            for a class: its attributes and those of its bases\n  \
            for other objects: their own attributes and those of their \
            classes", |vm, _, args, kwnames| scope::dir(vm, args, kwnames)),
        MethodDef::new("divmod($module, x, y, /)", "Return x//y and x%y as a tuple (q, r), for which q*y + r == \
            x.", |vm, _, args| vm.divmod(&args[0], &args[1])),
        MethodDef::new("eval($module, source, /, globals=None, locals=None)", "\
            Evaluate an expression and return its value.\n\n\
            The expression is given as a string, as bytes, or as a code object\n\
            that compile() made.  Names are looked up in locals, a mapping, and in\n\
            globals, a dictionary.  By default these are the caller's, or globals\n\
            serves for both if only it is given.", |vm, _, args| scope::eval(vm, args)),
        MethodDef::new("exec($module, source, /, globals=None, locals=None, *, closure=None)", "\
            Execute statements, for their effects only.\n\n\
            The source is a string, bytes, or a code object that compile() made.\n\
            Names are looked up and assigned in locals, a mapping, and in globals,\n\
            a dictionary.  By default these are the caller's, or globals serves\n\
            for both if only it is given.\n\
            A code object that has free variables needs a closure: a tuple of as\n\
            many cells.  In other cases a closure is an error.", |vm, _, args| scope::exec(vm, args)),
        MethodDef::new("format($module, value, format_spec='', /)", "Return the value as text in the given format\n\n\
            The type of the value interprets the format, with its __format__()\n\
            method; see help('FORMATTING') for the built-in types.\n\n\
            An empty format usually gives the same as str(value).", |vm, _, args| {
            vm.expect_str_argument(&args[1], |got| format!("format() argument 2 must be str, not {got}"))?;
            vm.format(&args[0], &args[1])
        }),
        MethodDef::raw("getattr", "getattr(object, name[, default]) -> value\n\n\
            Return an attribute, whose name need not be known beforehand:\n\
            getattr(x, 'y') is x.y.  If there is no such attribute, default is\n\
            returned, or AttributeError raised without a default.", |vm, _, args, kwnames| {
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
        MethodDef::new("globals($module, /)", "Return the dictionary of the current module's global variables.\n\n\
            It is the namespace itself: changing it changes the \
            variables.", |vm, _, _| Ok(vm.current_globals().unwrap_or(Value::NONE))),
        MethodDef::new("hasattr($module, obj, name, /)", "Tell whether the object has an attribute of this name.\n\n\
            That is the case if getattr(obj, name) does not raise AttributeError.", |vm, _, args| {
            let name = vm.attribute_name(&args[1])?;
            Ok(Value::bool(vm.get_attr_opt(&args[0], &name)?.is_some()))
        }),
        MethodDef::new("hash($module, obj, /)", "\
            Return the integer by which dictionaries and sets find the object.\n\n\
            Equal objects have the same hash, and different ones may.  TypeError is\n\
            raised for objects without a hash, such as lists.", |vm, _, args| vm.hash(&args[0]).map(Value::from)),
        MethodDef::new("hex($module, number, /)", "\
            Return the hexadecimal digits of an integer, after the prefix 0x.\n\n   \
            >>> hex(255)\n   \
            '0xff'", |vm, _, args| in_base(vm, &args[0], 16)),
        MethodDef::new("id($module, obj, /)", "Return an integer that identifies the object.\n\n\
            No two objects that exist at the same time have the same \
            identity.", |_, _, args| Ok(Value::from(args[0].id()))),
        MethodDef::new("input($module, prompt='', /)", "\
            Read a line from standard input, and return it without its line end.\n\n\
            The prompt is first written to standard output, as it is.\n\n\
            EOFError is raised at the end of the input.  On a terminal the line can\n\
            be edited, if the readline module has been imported.", |vm, _, args| console::input(vm, &args[0])),
        MethodDef::new("isinstance($module, obj, class_or_tuple, /)", "\
            Tell whether an object is an instance of a class or of one derived from it.\n\n\
            A tuple of classes, or a union such as ``A | B``, stands for any of\n\
            them.", |vm, _, args| vm.is_instance(&args[0], &args[1]).map(Value::bool)).quick(Quick::IsInstance),
        MethodDef::new("issubclass($module, cls, class_or_tuple, /)", "\
            Tell whether cls is the given class or is derived from it.\n\n\
            A tuple of classes, or a union such as ``A | B``, stands for any of\n\
            them.", |vm, _, args| vm.is_subclass(&args[0], &args[1]).map(Value::bool)),
        MethodDef::raw("iter", "iter(iterable) -> iterator\n\
            iter(callable, sentinel) -> iterator\n\n\
            Return an iterator over the items of an iterable, or over what a\n\
            callable returns, when called without arguments, until that equals the\n\
            sentinel.", |vm, _, args, kwnames| {
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
        MethodDef::new("aiter($module, async_iterable, /)", "\
            Return the asynchronous iterator of an asynchronous iterable.", |vm, _, args| {
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
        MethodDef::new("anext($module, async_iterator, default=<unrepresentable>, /)", "\
            Return an awaitable that gives the next item of the iterator.\n\n\
            Once no items are left, it gives the default if there is one, and\n\
            raises StopAsyncIteration otherwise.", |vm, _, args| {
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
        MethodDef::new("len($module, obj, /)", "\
            Return how many items an object contains.", |vm, _, args| vm.len(&args[0]).map(Value::from)).quick(Quick::Len),
        MethodDef::new("locals($module, /)", "Return the local variables as a dictionary.\n\n\
            In a function it is a new one, so that changes of it have no effect; in\n\
            a module or a class body it is the namespace itself.", |vm, _, _| scope::locals(vm)),
        MethodDef::raw("max", "max(iterable, *[, default=obj, key=func]) -> value\n\
            max(arg1, arg2, *args, *[, key=func]) -> value\n\n\
            Return the greatest item of an iterable, or the greatest of several\n\
            arguments; of equal ones, the first.\n\
            The results of key, if given, are compared in place of the items.\n\
            An empty iterable gives default, or raises ValueError without \
            one.", |vm, _, args, kwnames| aggregate::min_max(vm, "max", args, kwnames)),
        MethodDef::raw("min", "min(iterable, *[, default=obj, key=func]) -> value\n\
            min(arg1, arg2, *args, *[, key=func]) -> value\n\n\
            Return the least item of an iterable, or the least of several\n\
            arguments; of equal ones, the first.\n\
            The results of key, if given, are compared in place of the items.\n\
            An empty iterable gives default, or raises ValueError without \
            one.", |vm, _, args, kwnames| aggregate::min_max(vm, "min", args, kwnames)),
        MethodDef::raw("next", "next(iterator[, default])\n\n\
            Return an iterator's next item.  If there is none, return the default,\n\
            or raise StopIteration without one.", |vm, _, args, kwnames| {
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
        MethodDef::new("oct($module, number, /)", "Return the octal digits of an integer, after the prefix 0o.\n\n   \
            >>> oct(8)\n   \
            '0o10'", |vm, _, args| in_base(vm, &args[0], 8)),
        MethodDef::new("ord($module, character, /)", "Return the number of a single character or byte.\n\n\
            A str of length 1 gives the code point of its character; a bytes or\n\
            bytearray of length 1 gives its byte.  Other lengths raise TypeError.", |vm, _, args| ord(vm, &args[0])),
        MethodDef::new("pow($module, /, base, exp, mod=None)", "\
            Return base to the power of exp, modulo mod if that is given.\n\n\
            With integers, pow(b, e, m) is much faster than b**e % m; there the\n\
            exponent may be negative if b has an inverse.", |vm, _, args| vm.power(&args[0], &args[1], &args[2])),
        MethodDef::new("print($module, /, *args, sep=' ', end='\\n', file=None, flush=False)", "\
            Write values to a text stream, converted by str().\n\n  \
            sep\n    \
            what to write between values; by default a space\n  \
            end\n    \
            what to write after the last one; by default a newline\n  \
            file\n    \
            the stream, an object with a write() method; by default sys.stdout\n  \
            flush\n    \
            whether to flush the stream afterwards", |vm, _, args| console::print(vm, args)),
        MethodDef::new("repr($module, obj, /)", "Return a string that represents the object, for programmers.\n\n\
            Where possible it is an expression that evaluates to an equal object.", |vm, _, args| vm.repr(&args[0])),
        MethodDef::new("round($module, /, number, ndigits=None)", "Round a number to ndigits decimal places.\n\n\
            Negative ndigits round to tens, hundreds and so on.  Without ndigits the\n\
            result is an integer.  Built-in types round halves to the even side.", |vm, _, args| {
            let given: Vec<&Value> = args[1].given().into_iter().collect();
            match vm.call_special(&args[0], &names().__round__, &given) {
                Some(result) => result,
                None => Err(vm.type_error(format!("type {} doesn't define __round__ method", args[0].ty().name()))),
            }
        }),
        MethodDef::new("setattr($module, obj, name, value, /)", "Set an attribute of an object.\n\n\
            setattr(obj, 'name', value) does what ``obj.name = value`` does.", |vm, _, args| {
            let name = vm.attribute_name(&args[1])?;
            vm.set_attr(&args[0], &name, &args[2]).map(Value::from)
        }),
        MethodDef::raw("sorted($module, iterable, /, *, key=None, reverse=False)", "\
            Return a new list of the items of an iterable, in ascending order.\n\n\
            Items that compare equal keep their order.  The results of a key function\n\
            are compared in place of the items; a true reverse makes the order descending.", |vm, _, args, kwnames| {
            let positional = args.len() - kwnames.map_or(0, |names| vm.tuple_len(names));
            if positional != 1 {
                return Err(vm.type_error(format!("sorted expected 1 argument, got {positional}")));
            }
            let list = List::from_vec(vm.collect(&args[0])?).into_value();
            let sort = vm.get_attr(&list, &names().sort)?;
            vm.call(&sort, &args[1..], kwnames)?;
            Ok(list)
        }),
        MethodDef::new("sum($module, iterable, /, start=0)", "Add up the numbers of an iterable, and start\n\n\
            The result for an empty iterable is start, which is 0 by default.\n\
            Strings are refused; use ''.join() for them.", |vm, _, args| aggregate::sum(vm, &args[0], &args[1])),
        MethodDef::raw("vars", "vars([object]) -> dictionary\n\n\
            Return the __dict__ of an object; without an argument, do what\n\
            locals() does.", |vm, _, args, kwnames| {
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
    int::format::prefixed(vm, int::Operand::of(&index).expect("an int"), base)
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
