def fib(n):
    return n if n < 2 else fib(n-1)+fib(n-2)
def nb(bodies, dt, xs):
    s = 0
    for i, b in enumerate(bodies):
        x, y = b
        if x is None or y in xs and not s:
            continue
        s += x * dt - y[i] ** 2
        b.vx = self.q(s, i, k=1)
        print(s)
    else:
        s = s or 3
    try:
        a = x.y
    except ValueError as e:
        return e.f(*a, **s)
    with a as q:
        return [z for z in a if z < 3 <= s]
    x, y = y, x
    return f"{x!r:>{y}}" + x[1:]

def f(x,y):
    for i in range(10):
        if x < i: break
    return x[1:y] + g(x, y=2)
def c(y):
    def inner(): return x
    x = 1
    return [inner for x in y if (lambda: x)] + [x for x in y]
def g():
    try:
        with a as b: yield 1
    except* E as e: pass
    except* K: yield from z
    finally: print(3)
async def h(q):
    async with a: pass
    async for z in y: await z
    match q:
        case {'a':1, **k}: pass
        case P(a,b=3): pass
        case [x,*z]: pass
    return [x async for x in y]
class C[T](B):
    x: int = 3
    def m(self): return super().m() + __class__
type A[T]=int
import a.b as c
from z import *
del x, x.a, x[1], x[1:2]
t"a{x!r:>{3}}b"
x, *y = 3
f(*a, **b)
assert x

def generator(n):
    total = yield
    while True:
        try:
            total += yield (n, total)
        except GeneratorExit:
            return total
        finally:
            n += 1


async def stream(source, *args, key=None, **kwargs):
    async with source as s, s.other():
        async for item in s:
            yield item, [x async for x in item if await x], {k: v for k, v in args}
    await source.close(*args, **kwargs)


class Meta(type):
    def __new__(cls, name, bases, ns, /, **kw):
        self = super().__new__(cls, name, bases, ns)
        self.registry = {**kw, "a": [*bases, 1]}
        return self


def closures():
    x = 1
    def inner():
        nonlocal x
        x += 1
        del x
        return lambda: (x, y)
    y = 2
    return inner


def swap(a, b, c):
    a, b = b, a
    a, b, c = c, a, b
    a[b], a.x = c, b
    x = a and b or c
    if not (a < b <= c != x) or x is not None and x not in a:
        a[1:b] = c[b:]
        del a[1:2], b.x, a[0]
    (y := a)[0] += y.z
    y.z -= 1
    assert a, "message"
    raise ValueError from y


def groups():
    try:
        pass
    except* (ValueError, OSError) as e:
        raise
    except* KeyError:
        pass
    else:
        import a.b.c, d as e
    finally:
        global g
        g = 3
        del g
    for i in range(3):
        for j in range(i):
            if j: break
        else:
            continue
        break
    return




def templates(a):
    return t"{a!r:>{a}} {a=}", f"{a!s}{a}", (lambda *, k=1: k), f"{a:x}"
