class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n, end=" ")
it = iter([D(1), D(2)])
next(it)
print("first out")
next(it, None)
print("second out")
print(next(it, "over"))
it = zip([D(3)], [D(4)])
next(it)
print("zipped")
print(next(it, "over"))
it = enumerate([D(5)])
next(it); print("enumerated"); print(next(it, "over"))
it = reversed([D(6), D(7)])
next(it); print("reversed"); next(it); print("again"); print(next(it, "over"))
it = filter(None, [D(8)])
next(it); print("filtered"); print(next(it, "over"))
d = {1: D(9)}
it = iter(d.values())
del d
print("dict deleted")
next(it); print("value out"); print(next(it, "over"))
it = iter((D(10),))
next(it); print("tuple item"); print(next(it, "over"))
import itertools
it = itertools.islice([D(11), D(12)], 1)
list(it); print("sliced")
del it
print()
