class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
def f(a, b, c=None): print("in f")
f(D("a"), D("b"), D("c"))
print("after f")
f(D("a"), c=D("c"), b=D("b"))
print("after keywords")
def star(*args, **kw): print("in star")
star(D(1), D(2), x=D("x"), y=D("y"))
print("after star")
def drop(a, b):
    a = None
    print("dropped a")
    del b
    print("dropped b")
drop(D("a"), D("b"))
class C:
    def m(self, x): print("in m")
    def __init__(self, *a): print("in init")
C(D("init")).m(D("m"))
print("after m")
list(map(lambda x: print("mapped"), [D(1), D(2)]))
print("after map")
sorted([D(2), D(1)], key=lambda d: d.n)
print("after sorted")
max(D(3), D(5), D(4), key=lambda d: d.n)
print("after max")
