import sys
class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
ns = {"D": D}
exec("a = D('a'); b = D('b')", ns)
print("ran")
exec("del a", ns)
ns.clear()
print("cleared")
exec("x = D('x')", {"D": D})
print("after exec")
print(eval("D('eval').n", {"D": D}))
def f():
    exec("y = D('y')", globals(), {})
    print("in f")
f()
code = compile("z = D('z')\nz = None\nprint('end of code')", "c", "exec")
exec(code)
o = object()
base = sys.getrefcount(o)
exec("p = o", {"o": o}, loc := {})
print(sys.getrefcount(o) - base)
loc.clear()
print(sys.getrefcount(o) - base)
