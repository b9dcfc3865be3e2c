class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
class C: pass
c = C()
c.b = D("b"); c.a = D("a"); c.c = D("c")
c.a = D("new a")
print("replaced")
del c.b
print("deleted b")
del c
print("deleted c")
class S:
    __slots__ = ("z", "y", "x")
s = S()
s.x = D("x"); s.y = D("y"); s.z = D("z")
del s
print("deleted s")
class E:
    def __init__(self): self.d = D("inner")
    def __del__(self): print("del E")
e = E()
del e
print("deleted e")
class F(E):
    __slots__ = ("slot",)
f = F()
f.slot = D("slot")
f.extra = D("extra")
del f
print("deleted f")
C.attribute = D("class attribute")
del C.attribute
print("end")
