class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n, end=" ")
x = D("outer")
[x for x in [D("inner")]]
print("|", x.n)
{x.n: x for x in (D(1), D(2))}
print("| dict")
g = (x for x in [D(3), D(4)])
next(g)
print("| one taken")
del g
print("| generator gone")
def f():
    y = D("y")
    r = [y for _ in range(2)]
    del y
    print("in f", end=" ")
    r.clear()
    print("cleared", end=" ")
f()
print("|")
fs = [lambda z=D(i): z.n for i in range(2)]
print([f() for f in fs])
del fs, f
print("|")
print(sum(D(i).n for i in range(3)), "|")
del x
print()
