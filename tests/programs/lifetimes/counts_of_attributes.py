import sys
class Plain: pass
class Slotted:
    __slots__ = ("x", "y")
o = object()
base = sys.getrefcount(o)
def more():
    return sys.getrefcount(o) - base
p, s = Plain(), Slotted()
p.x = o
print(more())
p.y = o
print(more())
p.x = None
print(more())
del p.y
print(more())
s.x = s.y = o
print(more())
del s.x
print(more())
del s
print(more())
p.__dict__["z"] = o
print(more())
d = p.__dict__
p = None
print(more())
d.clear()
print(more())
Plain.shared = o
print(more())
q = Plain()
q.shared
print(more())
del Plain.shared
print(more())
setattr(q, "w", o)
print(more(), getattr(q, "w") is o, more())
delattr(q, "w")
print(more())
vars(q).update(a=o, b=o)
print(more())
del q, d
print(more())
