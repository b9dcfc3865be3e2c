import weakref, gc
class K:
    def __init__(self, n): self.n = n
    def __repr__(self): return f"K({self.n})"
d = weakref.WeakValueDictionary()
a, b = K(1), K(2)
d["a"], d["b"] = a, b
print(sorted(d.items(), key=lambda i: i[0]), len(d))
del a
print(list(d), len(d), "a" in d)
k = weakref.WeakKeyDictionary()
x, y = K("x"), K("y")
k[x], k[y] = 1, 2
print(len(k), x in k)
del x
print(len(k), list(k.values()))
s = weakref.WeakSet([b, y])
print(len(s), b in s)
del b
print(len(s), list(s), len(d))
it = iter(d)
m = weakref.WeakMethod(y.__repr__)
print(m()())
del y
print(m(), len(s), len(k))
