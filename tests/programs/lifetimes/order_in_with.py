class D:
    def __init__(self, n): self.n = n
    def __enter__(self): print("enter", self.n); return D(self.n + "'")
    def __exit__(self, *e): print("exit", self.n)
    def __del__(self): print("del", self.n)
with D("a"):
    print("body")
print("after a")
with D("b") as b:
    print("body", b.n)
print("after b")
with D("c") as c, D("d") as d:
    print("body")
print("after cd")
try:
    with D("e"):
        raise ValueError
except ValueError:
    print("caught")
del b, c, d
print("end")
