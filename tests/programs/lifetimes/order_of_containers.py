class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n, end="; ")
a = [D(1), D(2), D(3)]
del a; print()
a = (D(1), D(2), D(3))
del a; print()
a = {"x": D(1), "y": D(2), "z": D(3)}
del a; print()
a = {1: D(1), 2: D(2)}
a.clear(); print()
a = [D(1), [D(2), [D(3)]], D(4)]
a = None; print()
a = [D(1), D(2), D(3)]
a[1] = None; print()
del a[0]; print()
a[:] = [D(4), D(5)]; print()
a.pop(); print()
a.clear(); print()
a = [D(i) for i in range(5)]
del a[1:4]; print()
a[::] = (); print()
d = {"a": D("old")}
d["a"] = D("new"); print()
d |= {"a": D("newer")}; print()
d.update(a=D("newest")); print()
d.pop("a"); print()
d = {}
d.setdefault("k", D("v")); print()
d.setdefault("k", D("unused")); print()
del d["k"]; print()
from collections import deque, OrderedDict
q = deque([D(1), D(2), D(3)], maxlen=3)
q.append(D(4)); print()
q.popleft(); print()
q.clear(); print()
o = OrderedDict(a=D(1), b=D(2))
o.move_to_end("a"); print()
o.clear(); print()
