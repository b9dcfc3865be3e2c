"""Exceptions in every shape: chaining, groups, notes, finally and with, custom hierarchies, tracebacks as text."""

import contextlib
import io
import linecache
import sys
import traceback
import warnings


class AppError(Exception):
    code = 1

    def __init__(self, message, **details):
        super().__init__(message)
        self.details = details

    def __str__(self):
        extra = ", ".join(f"{key}={value!r}" for key, value in self.details.items())
        return super().__str__() + (f" [{extra}]" if extra else "")


class ConfigError(AppError):
    code = 2


class RetryError(ExceptionGroup):
    def derive(self, excs):
        return RetryError(self.message, excs)


def names(tb):
    return [(frame.name, frame.line) for frame in traceback.extract_tb(tb)]


def text_of(error, **options):
    lines = "".join(traceback.format_exception(error, **options))
    return lines.replace(__file__, "exceptions.py")


def parse(text):
    try:
        return int(text)
    except ValueError as error:
        error.add_note(f"while parsing {text!r}")
        raise ConfigError("bad number", text=text) from error


def lookup(table, key):
    try:
        return table[key]
    except KeyError:
        return parse(key)


def quiet(key):
    try:
        return {}[key]
    except KeyError:
        raise AppError("not found", key=key) from None


def order_of_finally():
    log = []

    def inner(how):
        try:
            log.append("try")
            if how == "raise":
                raise AppError("x")
            if how == "return":
                return "returned"
            log.append("body")
        except AppError:
            log.append("except")
            return "handled"
        else:
            log.append("else")
        finally:
            log.append("finally")
        return "end"

    for how in ("pass", "return", "raise"):
        log.append(inner(how))
    for number in range(3):
        try:
            if number == 0:
                continue
            if number == 2:
                break
        finally:
            log.append(f"loop {number}")
    return log


class Resource:
    live = []

    def __init__(self, name, fail_at=None, swallow=()):
        self.name, self.fail_at, self.swallow = name, fail_at, swallow

    def __enter__(self):
        if self.fail_at == "enter":
            raise AppError("enter failed", name=self.name)
        Resource.live.append(self.name)
        return self

    def __exit__(self, kind, value, tb):
        Resource.live.remove(self.name)
        print(f"  exit {self.name}: {kind.__name__ if kind else None}")
        if self.fail_at == "exit":
            raise AppError("exit failed", name=self.name)
        return kind is not None and issubclass(kind, self.swallow)


def contexts():
    with Resource("a") as a, Resource("b", swallow=(ZeroDivisionError,)):
        print("  inside", a.name, Resource.live)
        1 / 0
    try:
        with Resource("c"), Resource("d", fail_at="exit"):
            raise KeyError("body")
    except AppError as error:
        print("  ", error, "during", repr(error.__context__))
    try:
        with Resource("e"), Resource("f", fail_at="enter"):
            print("never")
    except AppError as error:
        print("  ", error, Resource.live)
    with contextlib.ExitStack() as stack:
        for name in "xyz":
            stack.enter_context(Resource(name))
        stack.callback(print, "  callback")
        stack.pop_all().close()
    with contextlib.suppress(LookupError):
        raise IndexError("suppressed")


def groups():
    def fail(kind, *args):
        try:
            raise kind(*args)
        except Exception as error:
            return error

    group = ExceptionGroup("many", [fail(ValueError, 1), ExceptionGroup("inner", [fail(TypeError, 2), fail(OSError, 2, "gone")]),
                                    fail(ConfigError, "late")])
    caught = []
    try:
        try:
            raise group
        except* (ValueError, TypeError) as some:
            caught.append(("values and types", some))
        except* OSError as some:
            caught.append(("os", some))
            raise RuntimeError("while handling") from some
    except ExceptionGroup as rest:
        caught.append(("rest", rest))
    for name, error in caught:
        print(f"{name}: {error!r}")
    matching, others = group.split(lambda error: isinstance(error, AppError))
    print(matching, others, group.subgroup(OSError).exceptions[0].exceptions)
    print(type(RetryError("r", [ValueError(1), OSError(2)]).split(OSError)[0]).__name__)
    print(text_of(group))

    def flatten(error):
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from flatten(each)
        else:
            yield error

    print([type(error).__name__ for error in flatten(group)])
    for bad in [lambda: ExceptionGroup("x", []), lambda: ExceptionGroup("x", [KeyboardInterrupt()]), lambda: ExceptionGroup(1, [OSError()])]:
        try:
            bad()
        except (TypeError, ValueError) as error:
            print(f"{type(error).__name__}: {error}")
    print(type(BaseExceptionGroup("x", [OSError()])).__name__, type(BaseExceptionGroup("x", [SystemExit()])).__name__)


def recursion(n):
    return recursion(n + 1)


def generator():
    try:
        yield 1
    except GeneratorExit:
        print("closed")
        raise
    except ValueError as error:
        yield f"saw {error}"
    raise StopIteration("inside")


SNIPPETS = [
    "1 +", "def f(:\n  pass", "x = (1,\n  2", "print 'a'", "if True:\npass", "a = b = 1 = 2", "f(x for x in y, 1)", "'abc", "return 1",
    "nonlocal x", "for x in range(3) print(x)", "class C\n  pass", "x = {1: 2, **3", "  indented", "def f():\n\tx\n        y", "break",
    "else:", "a b", "lambda x=1, y: 0", "f(a=1, 2)", "{1, 2: 3}", "del f()", "async with x: pass", "import a.b as c.d", "True = 1",
]

RUNTIME = [
    "1 + 'a'", "'a' + 1", "[1][2]", "{}['k']", "None.x", "(1).foo", "len(3)", "int('x')", "undefined", "print.nope", "[].appendd(1)",
    "f = lambda a: a; f()", "f = lambda a: a; f(1, 2)", "f = lambda *, k: k; f(z=1)", "a, b = 1", "a, b = [1, 2, 3]", "a, *b = []",
    "import nothing_like_this", "from math import tau2", "raise 1", "raise ValueError from 3", "assert 1 > 2, 'math works'", "assert []",
    "for x in 5: pass", "with 5: pass", "5()", "object().x = 1", "'abc'.index('z')", "[1, 2].remove(3)", "chr(-1)", "bytes([256])",
    "float('1e')", "2 ** 'a'", "1 << -1", "10 ** 400 * 1.0", "'%d' % 'x'", "'{} {}'.format(1)", "{[]: 1}", "sum(['a'])", "sorted([1, 'a'])",
    "next(iter([]))", "int.from_bytes(b'', 'middle')", "open('/nowhere/at/all')", "b'\\xff'.decode()", "'ä'.encode('ascii')", "class A(1): pass",
    "class A(int, str): pass", "type('A', (), {}, x=1)", "super().x", "globals()()", "range(1, 2, 0)", "slice(1)[2]", "min([])", "divmod(1, 0)",
]


def main():
    for function in [lambda: lookup({}, "42"), lambda: lookup({}, "x1"), lambda: quiet("k"), lambda: parse("zz")]:
        try:
            print(function())
        except AppError as error:
            print(f"{error} code {error.code} cause {error.__cause__!r} context {error.__context__!r} quiet {error.__suppress_context__}")
    try:
        lookup({}, "x1")
    except ConfigError as error:
        print(text_of(error))
        print(names(error.__traceback__)[-1], text_of(error, chain=False, limit=-1))
        print(traceback.format_exception_only(error.__cause__), error.__cause__.__notes__)
    print(order_of_finally())
    contexts()
    groups()

    try:
        recursion(0)
    except RecursionError as error:
        print(type(error).__name__, str(error)[:32], traceback.extract_tb(error.__traceback__)[-1].name)
    g = generator()
    print(next(g), g.throw(ValueError("thrown")))
    try:
        next(g)
    except RuntimeError as error:
        print(error, repr(error.__cause__))
    g = generator()
    next(g)
    g.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for source in SNIPPETS:
            try:
                compile(source, "<snippet>", "exec")
                print("compiled", repr(source))
            except SyntaxError as error:
                print(f"{source!r}: {type(error).__name__}: {error.msg} ({error.lineno}, {error.offset}, {error.end_lineno}, {error.end_offset})")
        for source in RUNTIME:
            try:
                exec(source, {})
                print("ran", repr(source))
            except Exception as error:
                print(f"{source}: {type(error).__name__}: {error}")

    linecache.cache["<made>"] = (None, None, ["def outer():\n", "    return inner(1)(2)['key'].attr + spam\n"], "<made>")
    scope = {}
    exec(compile("".join(linecache.cache["<made>"][2]), "<made>", "exec"), scope)
    for inner in [None, lambda x: None, lambda x: lambda y: None, lambda x: lambda y: {}, lambda x: lambda y: {"key": 1}]:
        scope["inner"] = inner
        try:
            scope["outer"]()
        except Exception as error:
            print("".join(traceback.format_exception(error)[-2:]), end="")
    try:
        scope["innner"]
    except KeyError as error:
        print(repr(error), str(error), error.args)
    stream = io.StringIO()
    with contextlib.redirect_stderr(stream):
        sys.excepthook(AppError, AppError("by the hook", n=1), None)
        traceback.print_stack(limit=1)
    print(stream.getvalue().replace(__file__, "exceptions.py"), end="")
    cyclic = ValueError("a")
    cyclic.__cause__ = TypeError("b")
    cyclic.__cause__.__context__ = cyclic
    print(text_of(cyclic))
    error = OSError(2, "No such file", "name")
    print(error, error.errno, error.filename, type(error).__name__, repr(KeyError("k")), UnicodeDecodeError("ascii", b"\xff", 0, 1, "why"))
    print(AppError("args", a=1).args, AppError.__mro__[1:3], isinstance(error, FileNotFoundError), ValueError(1) == ValueError(1))
    sys.exit(0)


main()
