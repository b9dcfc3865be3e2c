class D:
    def __init__(self, n): self.n = n
    def __iadd__(self, o): print("iadd"); return self
    def __sub__(self, o): return D(f"{self.n}-{o.n}")
    def __del__(self): print("del", self.n)
a = D("a")
a += D("b")
print("added in place")
a -= D("c")
print("subtracted")
l = [D("item")]
l[0] += D("x")
print("item in place")
l[0] -= D("y")
print("item replaced")
class H: pass
h = H()
h.v = D("v")
h.v -= D("w")
print("attribute replaced")
def f():
    x = D("local")
    x -= D("other")
    print("local replaced")
f()
(y := D("walrus"))
y = None
print("end")
del a, l, h
