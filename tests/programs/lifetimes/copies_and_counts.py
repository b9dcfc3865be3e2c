import copy, sys, pickle
class C:
    def __init__(self): self.x = []
c = C()
x = c.x
print(sys.getrefcount(x))
d = copy.copy(c)
print(sys.getrefcount(x), d.x is x)
e = copy.deepcopy(c)
print(sys.getrefcount(x), e.x is x)
l = [x] * 5
m = l.copy()
print(sys.getrefcount(x))
t = tuple(l)
print(sys.getrefcount(x), tuple(t) is t, sys.getrefcount(t))
s = l[::2]
print(sys.getrefcount(x))
f = pickle.loads(pickle.dumps(c))
print(sys.getrefcount(x))
del l, m, t, s, d
print(sys.getrefcount(x))
