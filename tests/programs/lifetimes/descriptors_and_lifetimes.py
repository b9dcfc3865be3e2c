import sys
class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
class Desc:
    def __get__(self, o, t): return D("got")
    def __set__(self, o, v): print("set", v.n)
    def __delete__(self, o): print("delete")
class C:
    x = Desc()
c = C()
c.x
print("after get")
c.x = D("value")
print("after set")
del c.x
import functools
class P:
    @functools.cached_property
    def p(self): return D("cached")
p = P()
p.p
print("cached")
del p.p
print("uncached")
p.p
del p
print("gone with it")
class G:
    def __getattr__(self, name): return D(name)
    def __setattr__(self, name, value): print("setattr")
g = G()
g.missing
g.x = D("lost")
print("end")
