import sys
class A: pass
print(sys.getrefcount(A) - sys.getrefcount(A))
n = sys.getrefcount(A)
a = A()
print(sys.getrefcount(A) - n)
b = [A() for _ in range(10)]
print(sys.getrefcount(A) - n)
del b
print(sys.getrefcount(A) - n)
class B(A): pass
print(sys.getrefcount(A) - n > 0)
def method(self): return sys.getrefcount(method)
print(sys.getrefcount(method))
A.m = method
print(sys.getrefcount(method), a.m())
bound = a.m
print(sys.getrefcount(method))
del bound, A.m
print(sys.getrefcount(method))
