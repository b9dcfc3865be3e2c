import sys
a = "identifier"
b = "identifier"
print(a is b, "ab" + "c" is "abc", "x" * 3 is "xxx")
c = "".join(["iden", "tifier"])
print(c is a, sys.intern(c) is a)
print("a b" is "a b", chr(97) is "a", "abc"[0] is "a", "é"[0] is chr(233))
def f(): return "constant string with spaces"
def g(): return "constant string with spaces"
print(f() is f(), f() is g())
print((1, 2) is (1, 2), () is tuple(), b"" is bytes(), b"a" is b"abc"[:1])
print("" is str(), "" is "abc"[3:], frozenset() is frozenset())
x = "abc"
print(x[:] is x, str(x) is x, x + "" is x, x * 1 is x, "".join([x]) is x, x.strip() is x, f"{x}" is x)
t = (1, [])
print(t[:] is t, t + () is t, t * 1 is t, tuple(t) is t)
bs = b"abc"
print(bs[:] is bs, bytes(bs) is bs, bs + b"" is bs, bs.strip() is bs)
r = range(3)
print(r[:] is r, frozenset([1]) is frozenset([1]))
print(sys.intern("new one") is sys.intern("new " + "one"))
class C: pass
print(C.__name__ is "C", C().__class__ is C, getattr(C, "__module__") is __name__)
print(256 is 255 + 1, -5 is -4 - 1, True is (1 == 1), None is f.__doc__)
