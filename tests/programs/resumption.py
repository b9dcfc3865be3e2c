"""What one sees of generators and their kin when the eval loop goes from one to another: chains of `yield from` and `await`,
steps of asynchronous generators, exceptions that pass them, and the objects that a frame leaves behind."""

import gc
import sys
import traceback
import types
import weakref


class Tree:
    def __init__(self, value, *children):
        self.value, self.children = value, children

    def __iter__(self):
        yield self.value
        for child in self.children:
            yield from child

    async def __aiter__(self):
        yield self.value
        for child in self.children:
            async for value in child:
                yield value


def build(depth):
    return Tree(depth, *(build(depth - 1) for _ in range(2 if depth else 0)))


@types.coroutine
def pause(value):
    got = yield value
    return got


def drive(coroutine, answers=()):
    seen, answers = [], iter(answers)
    try:
        seen.append(coroutine.send(None))
        while True:
            seen.append(coroutine.send(next(answers, None)))
    except StopIteration as stop:
        return seen, stop.value


print("-- chains")
print(list(build(3)))
tree = iter(build(3))
print(next(tree), next(tree), next(tree), next(tree), tree.gi_yieldfrom.gi_yieldfrom.gi_yieldfrom.__qualname__)


def inner():
    try:
        while True:
            print("got", (yield "ready"), [f.f_code.co_name for f in frames()])
    except KeyError as error:
        print("caught", repr(error), repr(sys.exception()))
        yield "after"
    finally:
        print("inner is over", sys.exception())


def frames():
    frame = sys._getframe(1)
    while frame.f_code.co_name != "<module>":
        yield frame
        frame = frame.f_back


def middle():
    try:
        raise LookupError("handled meanwhile")
    except LookupError:
        result = yield from inner()
        print("middle handles", repr(sys.exception()))
        return result


def outer():
    print("outer has", (yield from middle()), sys.exception())


chain = outer()
print(next(chain))
print(chain.gi_running, chain.gi_suspended, chain.gi_yieldfrom.gi_suspended)
print(chain.send(1))
print(chain.send(2))
print(chain.throw(KeyError("thrown")))
print(next(chain, "no more"))
chain = outer()
next(chain)
chain.close()
print(chain.gi_frame, chain.gi_running)


def reentrant():
    try:
        yield from itself()
    except ValueError as error:
        print(error)
    yield "then"


def itself():
    yield next(running)


running = reentrant()
print(next(running))

print("-- recursion")


def nest(n):
    if n:
        yield from nest(n - 1)
    else:
        yield sys._getframe().f_lineno > 0


for depth in (20, 600):
    print(depth, list(nest(depth)))
try:
    list(nest(5000))
except RecursionError as error:
    print("RecursionError", str(error)[:32])

print("-- coroutines")


async def leaf(n):
    return await pause(n) or n


async def branch(n):
    return await leaf(n) if n < 2 else (await branch(n - 1), await branch(n - 2))


print(drive(branch(4), "abcdefgh"))


async def failing(n):
    if n:
        return await failing(n - 1)
    await pause("about to fail")
    raise ValueError("from below")


async def guarding():
    try:
        await failing(3)
    except ValueError as error:
        return [entry.name for entry in traceback.extract_tb(error.__traceback__)]


print(drive(guarding()))

print("-- asynchronous generators")


async def collect(iterable):
    return [value async for value in iterable]


print(drive(collect(build(2))))


async def ticking(n):
    try:
        for i in range(n):
            got = yield await pause(i)
            print("sent", got)
    finally:
        print("cleaned", await pause("cleaning"))


async def stepping():
    ticks = ticking(3)
    print(await anext(ticks), ticks.ag_running, ticks.ag_suspended)
    print(await ticks.asend("A"))
    try:
        print(await ticks.athrow(KeyError("in")))
    except KeyError as error:
        print("out", error, ticks.ag_frame)
    print(await anext(ticks, "default"))
    try:
        await anext(ticks)
    except StopAsyncIteration as stop:
        print("stopped", stop.args, stop.__context__)


print(drive(stepping(), ["x", "y", "z"]))


async def raising():
    yield 1
    raise OSError("in a step")


async def watching():
    try:
        async for value in raising():
            print(value)
    except OSError as error:
        print(error, [entry.name for entry in traceback.extract_tb(error.__traceback__)])
    generator = raising()
    step = generator.asend(None)
    print(await step)
    try:
        await step
    except RuntimeError as error:
        print(error)
    try:
        await generator.asend(None)
    except OSError as error:
        print(error, generator.ag_frame)
    try:
        await raising().asend(1)
    except TypeError as error:
        print(error)


print(drive(watching()))


async def stopping(exception):
    yield 0
    raise exception


async def stopped():
    for exception in StopIteration(1), StopAsyncIteration(2), GeneratorExit():
        try:
            await collect(stopping(exception))
        except (RuntimeError, GeneratorExit) as error:
            print(repr(error), repr(error.__cause__))


print(drive(stopped()))


async def self_stepping():
    yield 1
    try:
        await current.asend(None)
    except RuntimeError as error:
        print(error)
    yield 2


current = self_stepping()
print(drive(collect(current)))

step = stopping(None).asend(None)
for _ in range(2):
    try:
        print(step.send(None))
    except (StopIteration, RuntimeError) as stop:
        print(repr(stop), stop.args)
wrapped = stopping(None).__anext__()
try:
    wrapped.send(None)
except StopIteration as stop:
    print(stop.args, stop.value)
print(type(step).__name__, step.close())


async def none():
    yield None


try:
    none().__anext__().send(None)
except StopIteration as stop:
    print(stop.args, stop.value)

print("-- names")


def named():
    yield


named.__name__, named.__qualname__ = "other", "some.other"
generator = named()
named.__name__ = "third"
print(generator.__name__, generator.__qualname__, generator.gi_code.co_name)
generator.__name__ = "mine"
print(generator.__name__, next(generator), list(generator), generator.__name__, generator.__qualname__)


def another():
    yield 2


named.__code__ = another.__code__
print(list(named()), named().__name__, another().__qualname__)

print("-- arguments of exceptions")
for error in ValueError("x"), ValueError(), ValueError(("x",)), KeyError("k"), StopIteration(3), SystemExit(4):
    print(error.args, error.args is error.args, repr(error), str(error), error.__reduce__()[1])
error = ValueError("x")
error.__init__("y", "z")
print(error.args, error)
error.args = [1]
print(error.args)
stop = StopIteration(5)
stop.args = (6,)
print(stop.value, stop.args)
marker = object()
error = Exception(marker)
print(error.args[0] is marker)
try:
    {}["missing"]
except KeyError as missing:
    print(missing.args, str(missing))

print("-- frames that an exception passed")


class Canary:
    pass


def passed(depth):
    canary = Canary()
    canaries.append(weakref.ref(canary))
    if depth:
        passed(depth - 1)
    raise ValueError(depth)


canaries = []
try:
    passed(2)
except ValueError as error:
    kept = error
print([ref() is None for ref in canaries])
entry = kept.__traceback__
while entry.tb_next:
    entry = entry.tb_next
    print(entry.tb_frame.f_locals["depth"], entry.tb_frame.f_back is not None, entry.tb_lineno > 0)
entry.tb_frame.clear()
print([ref() is None for ref in canaries], entry.tb_frame.f_locals)
del kept, entry
gc.collect()
print([ref() is None for ref in canaries])


def many():
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = b8 = b9 = Canary()
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = c8 = c9 = d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = d8 = d9 = a0
    canaries.append(weakref.ref(a0))
    raise ValueError("many")


canaries.clear()
try:
    many()
except ValueError as error:
    print(len(error.__traceback__.tb_next.tb_frame.f_locals), canaries[0]() is None)
print(canaries[0]() is None)


def handles():
    local = Canary()
    canaries.append(weakref.ref(local))
    for _ in range(3):
        try:
            raise ValueError
        except ValueError:
            pass
    return sys._getframe().f_lineno > 0


canaries.clear()
print(handles(), canaries[0]())


def looped():
    for n in range(3):
        try:
            raise ValueError(n)
        except ValueError as error:
            yield error.__traceback__.tb_frame


found = list(looped())
print(found[0] is found[1] is found[2], found[0].f_locals, found[0].f_generator)

print("-- with")


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *details):
        print("exit", [getattr(detail, "__name__", detail) and type(detail).__name__ for detail in details])
        return True


class Replaced(Manager):
    pass


def use(manager):
    with manager as entered:
        raise ValueError(entered is manager)
    return type(manager).__name__


print(use(Manager()), use(Replaced()), use(Manager()))
Replaced.__exit__ = lambda self, *details: print("replaced") or True
print(use(Replaced()), use(Manager()))
Replaced.__enter__ = staticmethod(lambda: "static")
print(use(Replaced()))
del Manager.__exit__
for manager in Manager(), 1:
    try:
        use(manager)
    except TypeError as error:
        print(error)
