//! Programs run by the eval loop with a handful of builtins, and what they print.

use std::cell::RefCell;
use std::sync::Once;

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::str::intern;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::native::module::{Module, ModuleDef};
use taipan_object::object::Ref;
use taipan_object::types::TYPE;
use taipan_object::vm::hooks::{HOOKS, Hooks};
use taipan_object::{Result, Value, Vm, exceptions};

use crate::code::Code;
use crate::frame::Interp;
use crate::function::Function;

thread_local! {
    static OUTPUT: RefCell<String> = const { RefCell::new(String::new()) };
    static BUILTINS: RefCell<Option<Value>> = const { RefCell::new(None) };
}

fn text(vm: &Vm, value: &Value) -> Result<String> {
    match value.downcast::<taipan_object::builtins::str::Str>() {
        Some(text) => Ok(text.to_string_lossy()),
        None => vm.repr_string(value),
    }
}

/// `__build_class__` without metaclasses and keywords.
fn build_class(vm: &Vm, args: &[Value]) -> Result {
    let function = args[0].downcast_ref::<Function>().expect("a function");
    let namespace = Dict::new();
    let cell = crate::eval::run_function(vm, function, Some(namespace.as_value().clone()))?;
    let bases = Tuple::from_vec(args[2..].to_vec());
    let class = vm.call(&TYPE.value(), &[args[1].clone(), bases.into_value(), namespace.into_value()], None)?;
    if let Some(cell) = cell.downcast::<taipan_object::builtins::cell::Cell>() {
        cell.set(Some(class.clone()));
    }
    Ok(class)
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::raw("print", "", |vm, _, args, _| {
            let texts: Vec<String> = args.iter().map(|arg| text(vm, arg)).collect::<Result<_>>()?;
            OUTPUT.with_borrow_mut(|output| output.push_str(&(texts.join(" ") + "\n")));
            Ok(Value::NONE)
        }),
        MethodDef::raw("__build_class__", "", |vm, _, args, _| build_class(vm, args)),
        MethodDef::new("next($module, iterator, /)", "", |vm, _, args| vm.next_or_stop(&args[0])),
        MethodDef::new("iter($module, iterable, /)", "", |vm, _, args| vm.iter(&args[0])),
        MethodDef::new("refcount($module, object, /)", "", |_, _, args| {
            Ok(Value::from(args[0].as_object().map_or(0, taipan_object::count::refcount)))
        }),
        MethodDef::new("counter($module, stop, /)", "", |vm, _, args| {
            let stop = vm.index_i64(&args[0])?;
            let items = (0..stop).map(Value::from).collect();
            Ok(Tuple::from_vec(items).into_value())
        }),
        MethodDef::new("frame($module, /)", "", |vm, _, _| {
            let frame = Interp::of(vm).frame.get();
            // SAFETY: the current frame is alive.
            Ok(unsafe { crate::frame_object::of_frame(vm, frame) })
        }),
        MethodDef::raw("collect", "", |vm, _, _, _| Ok(Value::from(taipan_object::collector::collect(vm, 2)))),
    ];
}

static MODULE: ModuleDef = ModuleDef {
    name: "builtins",
    doc: "",
    functions: FUNCTIONS,
    exec: |_, module| {
        for spec in exceptions::ALL.iter().chain(&[&exceptions::BASE_EXCEPTION]) {
            module.add_type(spec);
        }
        use taipan_object::builtins as types;
        for spec in [
            &types::int::INT,
            &types::tuple::TUPLE,
            &types::list::LIST,
            &types::dict::DICT,
            &types::str::STR,
            &types::property::PROPERTY,
            &types::super_object::SUPER,
            &TYPE,
            &taipan_object::types::OBJECT,
        ] {
            module.add_type(spec);
        }
        Ok(())
    },
};

fn with_vm<R>(f: impl FnOnce(&Vm) -> R) -> R {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = HOOKS.set(Hooks {
            import_module: |vm, name| {
                BUILTINS.with_borrow(Clone::clone).filter(|_| name == "builtins").ok_or_else(|| vm.import_error(name))
            },
            write_unraisable: |vm, exception, message, _| {
                let text = vm.repr_string(&exception).unwrap_or_default();
                OUTPUT.with_borrow_mut(|output| output.push_str(&format!("unraisable {text} {message}\n")));
            },
            warn: |vm, category, message, _, _| {
                let category = vm.repr_string(category)?;
                OUTPUT.with_borrow_mut(|output| output.push_str(&format!("warning {category} {message}\n")));
                Ok(())
            },
            current_globals: |vm| {
                Interp::of(vm).current_frame().map(|frame| frame.function().globals.as_value().clone())
            },
            check_signals: |_| Ok(()),
            audit: |_, _, _| Ok(()),
            super_arguments: |vm| Err(vm.runtime_error("super(): no arguments")),
            is_function: |value| value.downcast::<Function>().is_some(),
            is_thread: |_, _| false,
            #[cfg(feature = "free-threading")]
            runs_beside: crate::threads::runs_beside,
            #[cfg(feature = "free-threading")]
            before_thread: crate::threads::prepare,
            thread_starts: crate::threads::starts,
            thread_ends: crate::threads::ends,
            run_exitfuncs: |_| {},
            finish_signals: || {},
            dump_traceback: crate::traceback::dump::dump_traceback,
            dump_extension_modules: crate::traceback::dump::dump_extension_modules,
            send: crate::generator::send,
            generator_kind: crate::generator::kind,
            before_fork: crate::threads::before_fork,
            after_fork: crate::threads::after_fork,
        });
    });
    let vm = Vm::new(1 << 20);
    vm.attach();
    Interp::attach(&vm);
    let builtins = Module::from_def(&vm, &MODULE).expect("builtins");
    BUILTINS.set(Some(builtins.into_value()));
    let result = f(&vm);
    // SAFETY: nothing runs any more.
    unsafe { Interp::detach(&vm) };
    result
}

fn compile(source: &str) -> Ref<Code> {
    let arena = bumpalo::Bump::new();
    let options = taipan_syntax::ParseOptions::default();
    let parsed = taipan_syntax::parse(&arena, source.as_bytes(), &options).expect("syntax");
    let options = taipan_compiler::Options::new("test.py");
    let code = taipan_compiler::compile(&parsed.tree, &arena, &options, &mut Vec::new()).expect("compiles");
    Code::new(code.into())
}

/// What a program prints; an exception ends it with its type and arguments.
fn run(source: &str) -> String {
    std::thread::scope(|scope| {
        let build = std::thread::Builder::new().stack_size(8 << 20);
        let handle = build.spawn_scoped(scope, || {
            OUTPUT.take();
            with_vm(|vm| {
                let globals = Dict::new();
                globals.set_str(intern("__name__").as_value(), Value::from("__main__"));
                let result = crate::eval::eval_code(vm, &compile(source), &globals, None, None);
                if let Err(raised) = result {
                    let exception = vm.take(raised);
                    let mut lines = Vec::new();
                    let mut at = exceptions::traceback(&exception);
                    while let Some(traceback) = at.downcast_ref::<crate::traceback::Traceback>() {
                        lines.push(traceback.lineno().unwrap_or(-1).to_string());
                        at = traceback.next();
                    }
                    let args: Vec<String> =
                        exceptions::args(&exception).iter().map(|arg| text(vm, arg).unwrap_or_default()).collect();
                    let (name, args, lines) = (exception.ty().name(), args.join(" "), lines.join(" "));
                    OUTPUT.with_borrow_mut(|output| output.push_str(&format!("{name}: {args} @{lines}\n")));
                }
                globals.clear_items();
            });
            OUTPUT.take()
        });
        handle.expect("thread").join().expect("no panic")
    })
}

#[track_caller]
fn check(source: &str, expected: &str) {
    assert_eq!(run(source), expected);
}

#[test]
fn functions_and_recursion() {
    check(
        "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nprint(fib(20))\n\
         def f(a, b=2, *c, d, e=5, **g): return (a, b, c, d, e)\nprint(f(1, d=4), f(1, 2, 3, 4, d=5, e=6, h=7))\n\
         def deep(n): return 0 if n == 0 else 1 + deep(n - 1)\nprint(deep(900))\n\
         try: deep(5000)\nexcept RecursionError as e: print(e.args[0])",
        "6765\n(1, 2, (), 4, 5) (1, 2, (3, 4), 5, 6)\n900\nmaximum recursion depth exceeded\n",
    );
}

#[test]
fn errors_of_calls() {
    check("def f(a, b): pass\nf(1)", "TypeError: f() missing 1 required positional argument: 'b' @2\n");
    check(
        "def f(*, key): pass\nf(ky=1)",
        "TypeError: f() got an unexpected keyword argument 'ky'. Did you mean 'key'? @2\n",
    );
    check("x = 1\nx()", "TypeError: 'int' object is not callable @2\n");
    check("def f():\n    g()\ndef g():\n    print(h)\nf()", "NameError: name 'h' is not defined @5 2 4\n");
    check(
        "def f():\n    print(x)\n    x = 1\nf()",
        "UnboundLocalError: cannot access local variable 'x' where it is not associated with a value @4 2\n",
    );
}

#[test]
fn loops_and_arithmetic() {
    check(
        "t = 0\nfor i in counter(10):\n    if i == 3: continue\n    if i > 7: break\n    t += i * 2\nelse:\n    print('no')\n\
         print(t, 7 // 2, -7 // 2, -7 % 3, 7 / 2, 1 << 5, 6 & 3, 6 | 1, 6 ^ 3, -t, ~t, not t)\n\
         n = 10\nwhile n: n -= 3; print(n) if n < 4 else None\n    \n".replace("while n: n -= 3; print(n) if n < 4 else None\n    \n", "while n > 0:\n    n -= 3\nprint(n)\n").as_str(),
        "50 3 -4 2 3.5 32 2 7 5 -50 -51 False\n-2\n",
    );
    check(
        "a, b, c = 1, 2, 3\na, b, c = c, a, b\nprint(a, b, c)\n(x, *y), z = (1, 2, 3), 4\nprint(x, z)\nprint(1 < 2 < 3, 1 < 3 < 2)",
        "3 1 2\n1 4\nTrue False\n",
    );
}

#[test]
fn closures_and_generators() {
    check(
        "def outer():\n    x = 1\n    def inc():\n        nonlocal x\n        x += 1\n        return x\n    return inc\n\
         i = outer()\nprint(i(), i())\n\
         def gen(n):\n    k = 0\n    while k < n:\n        got = yield k\n        if got: k = got\n        k += 1\n    return 'done'\n\
         g = gen(5)\nprint(next(g), next(g), g.send(2))\nfor v in g: print(v)\n\
         def delegate():\n    r = yield from gen(2)\n    print(r)\n    yield 9\n\
         for v in delegate(): print(v)\n\
         print(tuple(x * x for x in counter(4) if x % 2) if False else 0)",
        "2 3\n0 1 3\n4\n0\n1\ndone\n9\n0\n",
    );
    check(
        "def g():\n    try:\n        yield 1\n    except ValueError as e:\n        yield e.args\n    finally:\n        print('finally')\n\
         a = g()\nprint(next(a), a.throw(ValueError(3)))\na.close()\n\
         b = g()\nnext(b)\ndel b\nprint('end')",
        "1 (3,)\nfinally\nfinally\nend\n",
    );
}

#[test]
fn exceptions_and_with() {
    check(
        "class CM:\n    def __enter__(self):\n        print('enter')\n        return 5\n    def __exit__(self, t, v, tb):\n        print('exit', t is None)\n        return True\n\
         with CM() as x:\n    print(x)\n    raise ValueError(1)\n\
         def f():\n    try:\n        return 1 / 0\n    except ZeroDivisionError as e:\n        raise KeyError('k') from e\n    finally:\n        print('fin')\n\
         try:\n    f()\nexcept KeyError as e:\n    print(e.args, e.__cause__.args, e.__context__ is e.__cause__)\n\
         try:\n    raise ValueError\nexcept (TypeError, ValueError):\n    try: raise\n    except ValueError: print('again')\n\
         for i in counter(3):\n    try:\n        if i == 1: continue\n        print(i)\n    finally: print('f', i)",
        "enter\n5\nexit False\nfin\n('k',) ('division by zero',) True\nagain\n0\nf 0\nf 1\n2\nf 2\n",
    );
}

#[test]
fn classes_and_attributes() {
    check(
        "class A:\n    count = 0\n    def __init__(self, x):\n        self.x = x\n    def get(self): return self.x\n    @property\n    def double(self): return self.x * 2\n    def __del__(self): print('del', self.x)\n\
         class B(A):\n    def get(self): return super().get() + 1\n\
         a = A(1)\nb = B(2)\nfor o in (a, b, a, b): print(o.get(), o.double)\n\
         a.y = 3\nprint(a.y)\ndel a\nA.count += 1\nprint(b.count)\nb = None\n\
         class C:\n    def __init__(self): return 1\nC()",
        "1 2\n3 4\n1 2\n3 4\n3\ndel 1\n1\nTypeError: __init__() should return None, not 'int' @22\ndel 2\n",
    );
}

#[test]
fn reference_counts() {
    check(
        "class O: pass\ndef f(x): return refcount(x)\ndef g():\n    o = O()\n    return refcount(o), f(o), f(O())\nprint(g())",
        "(1, 1, 1)\n",
    );
}

#[test]
fn coroutines() {
    check(
        "class Awaitable:\n    def __await__(self):\n        got = yield 'out'\n        return got\n\
         async def inner(): return await Awaitable()\n\
         async def outer():\n    x = await inner()\n    print('got', x)\n    return x\n\
         c = outer()\nprint(c.send(None))\ntry: c.send(7)\nexcept StopIteration as e: print(e.value)\n\
         async def agen():\n    yield 1\n    yield 2\n\
         async def use():\n    async for x in agen(): print(x)\n\
         try: use().send(None)\nexcept StopIteration: print('over')",
        "out\ngot 7\n7\n1\n2\nover\n",
    );
}

#[test]
fn matching() {
    check(
        "class P:\n    __match_args__ = ('x', 'y')\n    def __init__(self, x, y):\n        self.x = x\n        self.y = y\n\
         def f(v):\n    match v:\n        case 1 | 2: return 'small'\n        case P(0, y=b): return ('p', b)\n        case (a, b, *r): return a\n        case int(n) if n > 5: return 'big'\n        case _: return 'else'\n\
         print(f(1), f(P(0, 3)), f((7, 8, 9)), f(10), f(None))",
        "small ('p', 3) 7 big else\n",
    );
}
