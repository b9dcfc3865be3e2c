import sys
def count(x):
    return sys.getrefcount(x)
def two(x, y):
    return sys.getrefcount(x), sys.getrefcount(y)
def rebound(x):
    y = x
    first = sys.getrefcount(x)
    x = None
    return first, sys.getrefcount(y)
def default(x=object()):
    return sys.getrefcount(x)
def star(*args):
    return sys.getrefcount(args[0]), sys.getrefcount(args)
def double(**kw):
    return sys.getrefcount(kw["x"]), sys.getrefcount(kw)
def keyword(*, x):
    return sys.getrefcount(x)
o = object()
print(count(o), count(x=o), count(object()), count(*[o]), count(**{"x": o}))
print(two(o, o), two(o, y=o), two(object(), object()))
print(rebound(o), rebound(object()))
print(default(), default(o))
print(star(o), star(object()), star(o, o))
print(double(x=o), double(x=object()))
print(keyword(x=o), keyword(x=object()))
def inside():
    o = object()
    return count(o), count(x=o), two(o, o), star(o), double(x=o), keyword(x=o)
print(inside())
