import functools, operator, itertools, sys
o = object()
base = sys.getrefcount(o)
def more(): return sys.getrefcount(o) - base
p = functools.partial(print, o, k=o)
print(more())
del p
print(more())
@functools.lru_cache
def cached(x): return [x]
cached(o)
print(more())
cached.cache_clear()
print(more())
c = itertools.chain([o], [o])
print(more())
next(c)
print(more())
del c
print(more())
y = itertools.cycle([o])
next(y); next(y)
print(more())
del y
r = itertools.repeat(o)
print(more())
del r
a, b = itertools.tee([o])
next(a)
print(more())
next(b)
print(more())
del a, b
print(more())
print(functools.reduce(lambda a, b: b, [o, o]) is o, more())
i = operator.itemgetter(o)
print(more())
del i
m = map(lambda x: x, [o])
print(next(m) is o, more())
del m
print(more())
