import sys
a = object()
print(sys.getrefcount(a))
b = a
print(sys.getrefcount(a))
c = d = a
print(sys.getrefcount(a), sys.getrefcount(d))
del c
print(sys.getrefcount(a))
b = None
print(sys.getrefcount(a))
def local():
    x = object()
    print(sys.getrefcount(x))
    y = x
    print(sys.getrefcount(x), sys.getrefcount(y))
    del y
    print(sys.getrefcount(x))
local()
