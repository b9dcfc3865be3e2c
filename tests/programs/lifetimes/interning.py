# Which equal values are one object: small ints, strings that look like names, constants of one compilation.
import sys


def compiled(source):
    namespace = {}
    exec(compile(source, "<made>", "exec"), namespace)
    return namespace


def fresh(text):
    """A string with this text that no constant shares."""
    return "".join([text[:1], text[1:]]) if len(text) > 1 else text


print("small ints", [int(str(n)) is n for n in (-5, -1, 0, 1, 255, 256)])
print("computed", all(int(str(n)) is n + 1 - 1 for n in range(-5, 257)))
print("None, True, False, ...", eval("None") is None, eval("True") is (1 == 1), eval("...") is Ellipsis)
print("empty", "".join([]) is "", b"".join([]) is bytes(), tuple([]) is ())
print("empty frozenset", frozenset() is frozenset([]))
print("one character", all(chr(n) is chr(n) for n in range(256)), "abc"[1] is "b", "é"[0] is chr(0xE9))
print("one character beyond Latin-1", chr(0x3B1) is chr(0x3B1))
print("one byte", bytes([65]) is b"A", b"ABC"[1:2] is b"B")

name = "some_name"
print("joined", "".join(["some", "_name"]) is name, sys.intern("".join(["some", "_name"])) is name)
print("attribute names", compiled("class A: some_name = 1\nnames = list(vars(A))")["names"][1:] and
      [n for n in compiled("class A: some_name = 1\nnames = list(vars(A))")["names"] if n == name][0] is name)
print("keyword names", list((lambda **kw: kw)(some_name=1))[0] is name)
print("names of code", [n for n in compiled.__code__.co_varnames if n == "namespace"][0] is sys.intern("namespace"))
print("function names", fresh.__name__ is sys.intern("fresh"), fresh.__qualname__ is fresh.__code__.co_qualname)
print("interned?", sys._is_interned(name), sys._is_interned(fresh("some name")), sys._is_interned("some name"))
print("constants in two units", compiled("a = 'with space'")["a"] is compiled("a = 'with space'")["a"],
      compiled("a = 'with_name'")["a"] is compiled("a = 'with_name'")["a"])
print("tuples in two units", compiled("a = (1, 'x')")["a"] is compiled("a = (1, 'x')")["a"])

ns = compiled("""
a = (1, "x", b"y", 2.5, None)
b = (1, "x", b"y", 2.5, None)
def f(): return (1, "x", b"y", 2.5, None)
def g():
    def h(): return "two words", b"some bytes", (1, (2, 3))
    return h
c = "two words"
d = b"some bytes"
e = (1, (2, 3))
class K:
    text = "two words"
    pair = (2, 3)
    def m(self, default="two words"): return default
minus = -1.5
imaginary = 2j
""")
print("one unit", ns["a"] is ns["b"], ns["a"] is ns["f"](), [x is y for x, y in zip(ns["g"]()(), (ns["c"], ns["d"], ns["e"]))])
print("class and default", ns["K"].text is ns["c"], ns["K"]().m() is ns["c"], ns["K"].pair is ns["e"][1])

ns = compiled("a = 'ab' 'cd'; b = 'abcd'; c = 'a' * 3; d = 'aaa'; e = 'x y' * 2; f = 'x yx y'; g = (1,) * 2; h = (1, 1)")
print("folded", ns["a"] is ns["b"], ns["c"] is ns["d"], ns["e"] is ns["f"], ns["g"] is ns["h"])
ns = compiled("a = 1.0; b = 1.0; c = 1; d = True; e = -0.0; f = 0.0; g = (0.0,); h = (-0.0,); i = (1,); j = (True,); k = (1.0,)")
print("equal but not the same", ns["c"] is ns["d"], ns["g"] is ns["h"], ns["i"] is ns["j"], ns["i"] is ns["k"], ns["a"] is ns["b"])
print("consts", compiled("def f(x):\n return x in {1, 2}, x in [1, 2], 'q', 'q'")["f"].__code__.co_consts)
print("across functions", compiled("def f(): return 'not a name'\ndef g(): return 'not a name'\nsame = f() is g()")["same"])
print("f-strings", (lambda v: f"{v}" is v)("already text"), (lambda v: f"a{v}" is f"a{v}")("b"))
print("slices", name[:] is name, (1, 2)[:] is (1, 2)[0:2], name[0:4] is "some")
print("str of str", str(name) is name, name.strip() is name, name.replace("zz", "") is name, name + "" is name, "" + name is name)
print("of a subclass", str(type("S", (str,), {})(name)) is name, type(sys.intern(name)) is str)
try:
    sys.intern(type("S", (str,), {})(name))
except TypeError as error:
    print(error)
print("bytes", bytes(b"abc") is b"abc", (lambda b: bytes(b) is b)(b"long enough"), (lambda b: b[:] is b)(b"long enough"))
print("tuple and frozenset of themselves", (lambda t: tuple(t) is t)((1, 2)), (lambda s: frozenset(s) is s)(frozenset([1])))
print("split", "a b".split()[0] is "a", "some_name x".split()[0] is name)
print("dict keys", next(iter({"some_name": 1})) is name, next(iter(dict(some_name=1))) is name)
setattr(type("T", (), {}), "".join(["some", "_name"]), 1)
class T: pass
t = T()
setattr(t, "".join(["some", "_name"]), 1)
print("setattr", list(vars(t))[0] is name)
d = {}
d["".join(["some", "_name"])] = 1
print("subscription", list(d)[0] is name)
import marshal, pickle
loaded = marshal.loads(marshal.dumps(["some_name", "some_name", "two words", "two words"]))
print("marshal", loaded[0] is name, loaded[0] is loaded[1], loaded[2] is loaded[3])
loaded = pickle.loads(pickle.dumps([vars(t), "two words", "two words"]))
print("pickle", list(loaded[0])[0] is name, loaded[1] is loaded[2])
