import sys
o = object()
base = sys.getrefcount(o)
def gen(x):
    yield sys.getrefcount(x) - base
    y = x
    yield sys.getrefcount(x) - base
    del y
    yield sys.getrefcount(x) - base
g = gen(o)
print(sys.getrefcount(o) - base)
print(list(g), sys.getrefcount(o) - base)
g = gen(o)
next(g)
print(sys.getrefcount(o) - base)
g.close()
print(sys.getrefcount(o) - base)
def receive():
    while True:
        x = yield
r = receive()
next(r)
r.send(o)
print(sys.getrefcount(o) - base)
r.send(None)
print(sys.getrefcount(o) - base)
def outer(x):
    yield from gen(x)
h = outer(o)
print(next(h), sys.getrefcount(o) - base)
del h
print(sys.getrefcount(o) - base)
