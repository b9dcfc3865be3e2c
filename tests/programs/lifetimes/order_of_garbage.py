import gc, weakref
class D:
    def __init__(self, n):
        self.n = n
        self.me = self
    def __del__(self): print("del", self.n, end="; ")
class Larger(D):
    def __init__(self, n):
        super().__init__(n)
        self.a = self.b = self.c = self.d = n
        self.list = [self]
        self.dict = {1: self}
class Slotted(D):
    __slots__ = ("q",)
gc.collect()
for n in range(6): D(n)
gc.collect(); print()
for n in range(4): D(n); Larger(n + 100); Slotted(n + 200)
gc.collect(); print()
old = [D(n) for n in range(5)]
gc.collect()
middle = [D(n) for n in range(10, 13)]
gc.collect(0)
young = [D(n) for n in range(20, 23)]
young[1].more = young[1].still_more = 1
del old, middle, young
gc.collect(); print()
kept = [Larger(1), Slotted(2), D(3)]
references = [weakref.ref(o, lambda r, n=n: print("callback", n, end="; ")) for n, o in enumerate(kept)]
kept.append(kept)
weakref.finalize(kept[1], print, "finalize")
del kept
gc.collect(); print()
class Comes(D):
    def __del__(self):
        super().__del__()
        back.append(self)
back = []
for n in range(3): Comes(n)
gc.collect(); print([o.n for o in back])
back.clear()
D(7)
gc.collect(); print()
