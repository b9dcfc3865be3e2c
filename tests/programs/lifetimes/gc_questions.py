import gc
class Plain: pass
class Slots: __slots__ = ("x",)
class Empty: __slots__ = ()
for o in (1, 1.5, "s", b"b", None, object(), [], {}, (), (1,), ([],), set(), frozenset(), Plain(), Slots(), Empty(),
          int, Plain, len, print, lambda: 0, (x for x in ()), range(3), iter([]), slice(1), Plain().__init__):
    print(type(o).__name__, gc.is_tracked(o))
print(gc.is_tracked({"a": 1}), gc.is_tracked({"a": []}))
a = [1, [2], "x"]
print(gc.get_referents(a) == a, gc.get_referents({"k": "v"}), gc.get_referents(1, "a"))
target = []
holder = [target]
named = {"t": target}
print([type(r).__name__ for r in gc.get_referrers(target) if r is holder or r is named])
p = Plain(); p.x = target
print(any(r is p or r == p.__dict__ for r in gc.get_referrers(target)))
print(any(o is holder for o in gc.get_objects()))
print(gc.is_finalized(p))
gc.freeze()
print(gc.get_freeze_count() > 0)
gc.unfreeze()
print(gc.get_freeze_count())
