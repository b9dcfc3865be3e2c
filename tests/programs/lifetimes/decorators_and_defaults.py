class D:
    def __init__(self, n): self.n = n
    def __call__(self, f): return f
    def __del__(self): print("del", self.n)
@D("decorator")
def f(x=D("default"), *, y=D("kwdefault")): pass
print("defined")
f.__defaults__ = ()
print("defaults gone")
f.__kwdefaults__ = None
print("kwdefaults gone")
f.attribute = D("function attribute")
del f
print("function gone")
def g(x: D("annotation") = 1) -> D("return"): pass
print("annotations are lazy")
g.__annotations__
print("evaluated")
del g
print("end")
@D("class decorator")
class C: pass
print("class")
