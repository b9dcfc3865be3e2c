"""Special methods that call themselves, through every operation that calls special methods."""

import abc
import asyncio
import contextlib
import copy
import decimal
import enum
import functools
import io
import json
import math
import operator
import pickle
import re
import string
import sys
import traceback
import types
import typing
import weakref

from attempts import attempt, raises

SPECIAL = {
    "__repr__": repr,
    "__str__": str,
    "__bytes__": bytes,
    "__format__": format,
    "__hash__": hash,
    "__bool__": bool,
    "__len__": len,
    "__length_hint__": operator.length_hint,
    "__iter__": iter,
    "__next__": next,
    "__reversed__": reversed,
    "__contains__": lambda it: it in it,
    "__getitem__": lambda it: it[0],
    "__call__": lambda it: it(),
    "__getattr__": lambda it: it.a,
    "__getattribute__": lambda it: it.a,
    "__dir__": dir,
    "__eq__": lambda it: it == it,
    "__ne__": lambda it: it != it,
    "__lt__": lambda it: it < it,
    "__add__": lambda it: it + it,
    "__radd__": lambda it: 1 + it,
    "__iadd__": lambda it: operator.iadd(it, it),
    "__pow__": lambda it: it**it,
    "__divmod__": lambda it: divmod(it, it),
    "__matmul__": lambda it: it @ it,
    "__neg__": lambda it: -it,
    "__abs__": abs,
    "__index__": operator.index,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__round__": round,
    "__trunc__": math.trunc,
    "__floor__": math.floor,
    "__ceil__": math.ceil,
    "__enter__": lambda it: contextlib.ExitStack().enter_context(it),
    "__exit__": lambda it: it.__exit__(None, None, None),
    "__reduce_ex__": copy.copy,
    "__reduce__": pickle.dumps,
    "__getstate__": copy.copy,
    "__copy__": copy.copy,
    "__deepcopy__": copy.deepcopy,
    "__sizeof__": sys.getsizeof,
    "__fspath__": open,
    "__instancecheck__": lambda it: isinstance(1, it),
    "__subclasscheck__": lambda it: issubclass(int, it),
    "__mro_entries__": lambda it: types.resolve_bases((it,)),
    "__buffer__": memoryview,
    "__await__": lambda it: it.__await__(),
    "__setattr__": lambda it: setattr(it, "a", 1),
    "__delattr__": lambda it: delattr(it, "a"),
    "__setitem__": lambda it: operator.setitem(it, 1, 1),
    "__delitem__": lambda it: operator.delitem(it, 1),
}

for name, use in SPECIAL.items():
    for base in (object, list, dict, int, str, Exception):
        # The method does what called it, with the object itself and with another one.
        space = {name: lambda self, *arguments, use=use: use(self), "__exit__": lambda *arguments: None}
        if name == "__exit__":
            space[name] = lambda self, *arguments, use=use: use(self)
        if name not in ("__hash__", "__eq__"):
            space.setdefault("__hash__", lambda self: 1)
        it = attempt(f"{name} of {base}", type("It", (base,), space))
        if type(it) is not RecursionError:
            attempt(f"{name} of {base}", use, it)
        # The method is the object itself, or its like.
        made = attempt("class", type("It", (base,), {"__hash__": object.__hash__}))
        attempt(f"{name} is the object ({base})", setattr, type(made), name, made)
        attempt(f"{name} is the object ({base})", use, made)
        del type(made).__hash__
        with contextlib.suppress(AttributeError):
            delattr(type(made), name)


class Call:
    pass


Call.__call__ = Call()
raises(RecursionError, "an object as its own __call__", Call())
class Get:
    pass


Get.__get__ = Get()
Get.a = Get()
attempt("an object as its own __get__", lambda: Get().a)
Get.__set__ = Get()
attempt("an object as its own __set__", lambda: setattr(Get(), "a", 1))


def nest(wrap, depth=100_000, inner=print):
    for _ in range(depth):
        inner = wrap(inner)
    return inner


for wrap in (functools.partial, staticmethod, classmethod, functools.cache, lambda f: types.MethodType(f, 1),
             lambda f: property(f), functools.singledispatch, contextlib.contextmanager, functools.wraps(print)):
    # Each bound method adds an argument; the others are to be too deep for any stack.
    made = attempt("wrapped", nest, wrap, 3000 if isinstance(attempt("wrapped", wrap, print), types.MethodType) else 500_000)
    if isinstance(made, Exception):
        continue
    for use in (lambda it: it(), repr, hash, copy.copy, lambda it: it.__get__(1, int)(), lambda it: it.__isabstractmethod__,
                lambda it: it.__name__, lambda it: it.__wrapped__, callable, lambda it: it == it, __import__("inspect").signature):
        attempt(f"wrapped {wrap}", use, made)
    del made

# Tuples of classes.
deep = (int,)
for _ in range(100_000):
    deep = (deep,)
attempt("isinstance", isinstance, "", deep)
attempt("issubclass", issubclass, str, deep)
attempt("startswith", "a".startswith, deep)


def catch():
    try:
        raise ValueError
    except deep:
        pass


attempt("except", catch)
del deep


class Bases:
    @property
    def __bases__(self):
        return (Bases(),)

    @property
    def __class__(self):
        return Bases()


attempt("__bases__ without end", issubclass, Bases(), Bases())
attempt("__bases__ without end", issubclass, Bases(), int)
attempt("__class__ without end", isinstance, Bases(), Bases())


class Meta(abc.ABCMeta):
    def __instancecheck__(cls, instance):
        return isinstance(instance, cls)


class Abstract(metaclass=Meta):
    pass


raises(RecursionError, "__instancecheck__", isinstance, 1, Abstract)


class Hook(abc.ABC):
    @classmethod
    def __subclasshook__(cls, other):
        return issubclass(other, cls)


raises(RecursionError, "__subclasshook__", issubclass, int, Hook)
left, right = (type("A", (abc.ABC,), {}) for _ in range(2))
left.register(right)
attempt("registered in a circle", right.register, left)


# Classes upon classes.
def classes():
    made = object
    for _ in range(1500):
        made = type("C", (made,), {})
    return made


deep = attempt("classes", classes)
attempt("dir", dir, deep)
attempt("changed base", lambda: setattr(deep.__mro__[-2], "__len__", lambda self: 1))
attempt("mro", lambda: deep.mro())
attempt("attribute", lambda: deep().missing)
attempt("new bases", lambda: setattr(deep.__mro__[-2], "__bases__", (types.SimpleNamespace,)))
del deep


class Missing(dict):
    def __missing__(self, key):
        return self[key]


raises(RecursionError, "__missing__", lambda: Missing()[1])
raises(RecursionError, "__missing__", string.Formatter().vformat, "{a}", (), Missing())
raises(RecursionError, "__missing__", "{a}".format_map, Missing())


class Enum(enum.Enum):
    A = 1

    @classmethod
    def _missing_(cls, value):
        return cls(value)


attempt("_missing_", Enum, 2)
for text in ("{:" * 1000 + "}" * 1000, "{" * 100_000, "{0" + "[0]" * 100_000 + "}", "{0" + ".real" * 100_000 + "}", "{:{:{:{}}}}"):
    attempt("format", text.format, 1, 2, 3, 4)
    attempt("formatter", string.Formatter().format, text, 1, 2, 3, 4)
for text in ("(" * 20_000 + ")" * 20_000, "(?:" * 20_000 + ")" * 20_000, "(?=" * 5000 + ")" * 5000, "(a|" * 5000 + ")" * 5000,
             "(a*)*" * 500, "[" * 10_000, "(?P<a>(?P=a))" * 2, "(a)(?(1)" * 500 + ")" * 500, "a{65535}{65535}"):
    attempt("pattern", re.compile, text)
    attempt("pattern", re.match, text, "a" * 1000)
attempt("backtracking", re.match, r"(?:a|b)*?(?:(?:c)*)*$", "ab" * 200_000)
attempt("backtracking", re.match, r"(?:(a)|b)*", "ab" * 500_000)
attempt("backtracking", re.match, r"(?s:.)*?z", "ab" * 500_000)

# Coroutines and generators that await one another.
def delegating():
    inner = iter(())
    for _ in range(100_000):
        def body(inner=inner):
            yield from inner
        inner = body()
    return inner


attempt("yield from", lambda: list(delegating()))
attempt("yield from, closed", lambda: delegating().close())
attempt("yield from, thrown into", lambda: delegating().throw(ValueError))


def own():
    yield from me


me = own()
attempt("a generator that delegates to itself", next, me)


async def coroutine(depth):
    if depth:
        await coroutine(depth - 1)


attempt("coroutines", asyncio.run, coroutine(50_000))


async def asynchronous():
    async for item in asynchronous():
        yield item


async def all_of():
    async for _ in asynchronous():
        pass


attempt("asynchronous generators", asyncio.run, all_of())

# Chains of exceptions.
last = None
for _ in range(20_000):
    made = ValueError("x")
    made.__context__ = last
    last = made
attempt("chain", traceback.format_exception, last)
group = ValueError("x")
for _ in range(20_000):
    group = attempt("group", ExceptionGroup, "x", [group])
attempt("group", repr, group)
attempt("group", str, group)
attempt("group", lambda: group.split(KeyError))
attempt("group", lambda: group.subgroup(lambda each: False))
attempt("group", lambda: group.derive([ValueError()]))
attempt("group", traceback.format_exception, group)


def star():
    try:
        raise group
    except* KeyError:
        pass


attempt("except*", star)
del last, made, group

# Types of types.
alias = int
for _ in range(100_000):
    alias = list[alias]
for use in (repr, hash, lambda it: it == list[it], lambda it: it.__parameters__, lambda it: it[int], copy.deepcopy, lambda it: it | None,
            lambda it: isinstance(1, it), lambda it: it()):
    attempt("alias", use, alias)
del alias
T = typing.TypeVar("T")
alias = T
for _ in range(2000):
    alias = attempt("alias", lambda: list[alias])
attempt("alias", lambda: alias[int])
attempt("alias", repr, alias)
alias = T
for _ in range(1000):
    alias = attempt("alias", lambda: typing.List[alias])
attempt("alias", lambda: alias[int])
attempt("alias", repr, alias)

# Streams upon streams, proxies of proxies.
def streams(depth):
    stream = io.BytesIO(b"abc")
    for _ in range(depth):
        stream = io.BufferedReader(stream)
    return stream


# Making one asks all those below it where they are, and reading takes time in proportion to the cube of their number.
attempt("streams", lambda: streams(300).read())
stream = streams(3000)
attempt("streams", repr, stream)
attempt("streams", stream.close)
del stream


class Named(io.BytesIO):
    pass


named = Named()
named.name = io.BufferedReader(named)
attempt("a stream named by itself", repr, named.name)
text = io.TextIOWrapper(named)
named.name = text
attempt("a stream named by itself", repr, text)


class Target:
    def __eq__(self, other):
        return self.proxy == other

    def __repr__(self):
        return repr(self.proxy)

    def __hash__(self):
        return hash(self.reference)


target = Target()
target.proxy = weakref.proxy(target)
target.reference = weakref.ref(target)
attempt("proxy", lambda: target == 1)
attempt("proxy", str, target.proxy)
attempt("reference", hash, target.reference)


def recursion(*arguments):
    return recursion(*arguments)


raises(RecursionError, "function", recursion, 1)
raises(RecursionError, "sort", lambda: sorted([1, 2], key=lambda _: recursion()))
raises(RecursionError, "map", lambda: list(map(recursion, [1])))
raises(RecursionError, "reduce", lambda: functools.reduce(recursion, [1, 2]))
raises(RecursionError, "re.sub", lambda: re.sub("a", recursion, "a"))
raises(RecursionError, "json", lambda: json.dumps(object(), default=lambda it: object()))
raises(RecursionError, "json", lambda: json.loads("{}", object_hook=recursion))


def through(function):
    def again(*arguments):
        return function(again)

    return again


for function in (
    lambda again: list(map(again, [1])),
    lambda again: sorted([1], key=again),
    lambda again: max([1], key=again),
    lambda again: functools.reduce(again, [1, 2]),
    lambda again: re.sub("a", again, "a"),
    lambda again: eval("again()", {"again": again}),
    lambda again: exec("again()", {"again": again}),
    lambda again: functools.partial(again)(),
    lambda again: functools.cache(again)(),
    # What it made dies in the frame: dying behind it, as a result of `__del__`, would go on for ever in CPython, too.
    lambda again: type("C", (), {"__del__": lambda self: again() and None})(),
    lambda again: type("C", (), {"__init_subclass__": classmethod(again)}).__init_subclass__(),
    lambda again: type("C", (type("B", (), {"__init_subclass__": classmethod(again)}),), {}),
    lambda again: type("C", (type,), {"mro": again})("D", (), {}),
    lambda again: type("C", (), {"a": type("B", (), {"__set_name__": again})()}),
    lambda again: sys.audit("x") or again(),
    lambda again: __import__("threading").local() and again(),
    lambda again: next(iter(again, 1)),
    lambda again: list(iter(again, 1)),
    lambda again: str.translate("a", type("C", (), {"__getitem__": again})()),
    lambda again: "%s" % type("C", (), {"__str__": again})(),
    lambda again: f"{type('C', (), {'__format__': again})()}",
    lambda again: weakref.ref(type("C", (), {})(), again) and None,
    lambda again: decimal.Decimal(1) + type("C", (), {"__radd__": again})(),
    lambda again: io.TextIOWrapper(type("C", (io.BytesIO,), {"readable": again})()),
    lambda again: io.open("x", opener=again),
    lambda again: print(file=type("C", (), {"write": again})()),
    lambda again: copy.deepcopy(type("C", (), {"__deepcopy__": again})()),
    lambda again: pickle.dumps(type("C", (), {"__reduce__": again})()),
    lambda again: __import__("bisect").bisect([1], 1, key=again),
    lambda again: __import__("heapq").nsmallest(1, [1], key=again),
    lambda again: __import__("codecs").lookup_error(again),
    lambda again: asyncio.run(again()),
    lambda again: b"".decode("ascii") or again(),
):
    again = through(function)
    attempt("through", again)
