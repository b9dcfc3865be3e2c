"""Strings that grow in place are never changed under another name."""
def f(s):
    s += "y"
    return s
def g():
    t = "".join(["a","b","c"])
    u = f(t)
    assert t == "abc" and u == "abcy", (t,u)
    k = t
    t += "z"
    assert k == "abc" and t == "abcz"
    l = [t]
    t += "q"
    assert l == ["abcz"] and t == "abczq"
    h = hash(t); t += "w"; assert hash(t) == hash("abczqw")
    d = {t: 1}; t += "!"; assert d == {"abczqw": 1}
    x = "".join(["p","q"]); r = (x, x := x + "s", x); assert r == ("pq","pqs","pqs"), r
    y = "".join(["p","q"]); y += y; assert y == "pqpq"
    e = "".join(["p","q"]); e += "\u20ac"; e += "x"; assert e == "pq\u20acx" and len(e)==4
    def inner(): return c
    c = "".join("ab"); c += "d"; assert inner() == "abd"
    class S(str):
        def __radd__(self, o): return "radd"
    z = "".join("ab"); z += S("k"); assert z == "radd"
def gen():
    s = "".join("ab")
    while True:
        s += "x"
        yield s
g()
it = gen(); a = next(it); b = next(it); assert a == "abx" and b == "abxx"
import sys
def loc():
    s = "".join("ab"); L = locals(); s += "x"; assert L["s"] == "ab"; return sys._getframe().f_locals["s"]
assert loc() == "abx"
def tr():
    try:
        s = "".join("ab")
        s += 3
    except TypeError as e:
        assert s == "ab"; return str(e)
print(tr())
