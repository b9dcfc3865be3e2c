import sys
def make(x):
    def inner():
        return x
    return inner, sys.getrefcount(x)
o = object()
base = sys.getrefcount(o)
f, seen = make(o)
print(seen - base, sys.getrefcount(o) - base)
g, seen = make(o)
print(sys.getrefcount(o) - base)
print(f.__closure__[0].cell_contents is o, sys.getrefcount(f.__closure__[0]))
del f
print(sys.getrefcount(o) - base)
g.__closure__[0].cell_contents = None
print(sys.getrefcount(o) - base)
def counter():
    n = o
    def get():
        return n
    def set(v):
        nonlocal n
        n = v
    return get, set
get, set_ = counter()
print(sys.getrefcount(o) - base)
set_(1)
print(sys.getrefcount(o) - base, get())
default = lambda x=o: x
print(sys.getrefcount(o) - base)
default.__defaults__ = None
print(sys.getrefcount(o) - base)
fs = [lambda: o for _ in range(3)]
print(sys.getrefcount(o) - base)
