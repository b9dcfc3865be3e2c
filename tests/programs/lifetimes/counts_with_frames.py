import sys
o = object()
base = sys.getrefcount(o)
def f(x):
    frame = sys._getframe()
    here = sys.getrefcount(x) - base
    frame.f_locals
    there = sys.getrefcount(x) - base
    del frame
    return here, there, sys.getrefcount(x) - base
print(f(o), sys.getrefcount(o) - base)
def g(x):
    return sys._getframe()
frame = g(o)
print(sys.getrefcount(o) - base)
print(frame.f_locals["x"] is o)
frame.clear()
print(sys.getrefcount(o) - base)
def h(x):
    d = locals()
    return sys.getrefcount(x) - base
print(h(o))
