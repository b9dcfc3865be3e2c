class D: pass
d = D()
d.__del__ = lambda: print("instance attribute is not called")
del d
d = D()
D.__del__ = lambda self: print("set later")
del d
d = D()
del D.__del__
del d
print("nothing")
class Base:
    def __del__(self): print("base")
class Derived(Base): pass
Derived()
class Over(Base):
    def __del__(self): print("over"); super().__del__()
Over()
class Multi(Derived, Over): pass
Multi()
class S(str):
    def __del__(self): print("str", self)
S("x")
class T(tuple):
    def __del__(self): print("tuple", len(self))
T((1, 2))
class I(int):
    def __del__(self): print("int", int(self))
I(7)
class X(Exception):
    def __del__(self): print("exception")
X()
class F(float):
    def __del__(self): print("float", float(self))
F(1.5) + 1
