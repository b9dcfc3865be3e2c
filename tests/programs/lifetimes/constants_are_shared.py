def f(): return 1.5, "text", (1, 2, (3, "x")), 10**3, b"bytes"
def g(): return 1.5, "text", (1, 2, (3, "x")), 10**3, b"bytes"
for a, b in zip(f.__code__.co_consts, g.__code__.co_consts):
    print(repr(a), a is b)
def h():
    a = (1, 2); b = (1, 2)
    return a is b, (1.0, 2) is (1, 2)
print(h())
print(f()[2] is f()[2])
c = compile("a = 'some text'; b = 'some text'; x = (a is b)", "", "exec")
ns = {}
exec(c, ns)
print(ns["x"])
lst = [lambda: (7, 8) for _ in range(2)]
print(lst[0]() is lst[1]())
print({1: "a"}.keys().isdisjoint([2]), frozenset({1, 2}) == {1, 2})
def s(x): return x in {1, 2, 3}
print(type(s.__code__.co_consts[1] if len(s.__code__.co_consts) > 1 else s.__code__.co_consts[0]).__name__)
def names(): return abc.defg
print(names.__code__.co_names[0] is "abc", names.__name__ is "names")
