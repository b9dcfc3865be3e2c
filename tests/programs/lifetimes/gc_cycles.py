import gc
gc.disable()
gc.collect()
class C: pass
def cycle(n):
    items = [C() for _ in range(n)]
    for a, b in zip(items, items[1:] + items[:1]):
        a.next = b
for n in (1, 2, 10):
    cycle(n)
    print(gc.collect())
x = []
x.append(x)
del x
print(gc.collect())
d = {}
d["d"] = d
del d
print(gc.collect())
t = ([],)
t[0].append(t)
del t
print(gc.collect())
def f():
    def g(): return g
f()
print(gc.collect())
class Klass: pass
del Klass
print(gc.collect() > 0)
print(gc.collect(), gc.collect(0), gc.collect(1), gc.collect(2))
print(gc.garbage)
