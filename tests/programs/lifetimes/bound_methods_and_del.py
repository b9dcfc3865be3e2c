class D:
    def __init__(self, n): self.n = n
    def m(self): return self.n
    def __del__(self): print("del", self.n)
m = D("kept by method").m
print(m())
del m
print("--")
f = D("called").m()
print(f)
d = D("d")
m1, m2 = d.m, d.m
print(m1 is m2, m1 == m2)
del d, m1
print(m2())
del m2
s = super(D, D("super"))
print(type(s).__name__)
del s
p = property(D.m)
class E:
    p = p
    n = "E"
print(E().p)
import operator
g = operator.attrgetter("n")
print(g(D("getter")))
c = operator.methodcaller("m")
print(c(D("caller")))
print("end")
