import weakref
class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n, "ref gives", ref() is self if ref else None)
ref = None
d = D("a")
ref = weakref.ref(d, lambda r: print("callback"))
del d
print("--")
class E:
    def __del__(self):
        print("del, a new ref gives", weakref.ref(self)() is self)
E()
print("--")
parent = D("parent")
parent.child = D("child")
refs = [weakref.ref(parent, lambda r: print("parent gone")), weakref.ref(parent.child, lambda r: print("child gone"))]
ref = None
del parent
print("--")
d = D("x")
weakref.finalize(d, print, "finalize 1")
weakref.finalize(d, print, "finalize 2")
r = weakref.ref(d, lambda r: print("callback"))
del d
print("end")
