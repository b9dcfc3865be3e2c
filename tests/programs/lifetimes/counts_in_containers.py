import sys
class Thing: pass
t = Thing()
base = sys.getrefcount(t)
def more():
    return sys.getrefcount(t) - base
keep = [t]
print("list", more())
keep.append(t)
print("append", more())
keep.extend([t, t])
print("extend", more())
keep *= 2
print("times", more())
del keep[0]
print("del item", more())
keep[:] = []
print("cleared", more())
keep = (t, t)
print("tuple", more())
keep = {t}
print("set", more())
keep = {t: t}
print("dict", more())
keep = {1: t}
keep[1] = None
print("replaced", more())
keep = {"a": t}
keep.pop("a")
print("popped", more())
keep = [t]
copy = keep[:]
print("slice", more())
copy = list(keep) + keep
print("sum", more())
keep = copy = None
print("gone", more())
keep = [[t] * 3 for _ in range(2)]
print("nested", more())
a, *b = keep[0]
print("unpacked", more())
del a, b
keep = frozenset([t])
print("frozenset", more())
keep = slice(t, t)
print("slice object", more())
keep = zip([t])
print("zip", more())
list(keep)
print("zip exhausted", more())
keep = iter([t])
print("iterator", more())
next(keep)
print("iterator advanced", more())
next(keep, None)
print("iterator exhausted", more())
