import gc, weakref
gc.disable()
gc.collect()
class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
a, b = D("a"), D("b")
a.o, b.o = b, a
del a, b
print("collected", gc.collect())
a = D("self"); a.me = a
r = weakref.ref(a, lambda r: print("callback", r() is None))
del a
print("collected", gc.collect())
a = D("x"); a.me = a
a.ref = weakref.ref(a, lambda r: print("inside a cycle: not called"))
del a
print("collected", gc.collect())
a = [D("in list")]
a.append(a)
del a
gc.collect()
print("--")
outer = D("outer"); outer.me = outer
outer.inner = D("inner")
del outer
gc.collect()
