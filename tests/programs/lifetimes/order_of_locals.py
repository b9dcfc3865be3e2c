class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
def f():
    a = D("a")
    b = D("b")
    c = D("c")
    print("end of f")
f()
def g():
    c = D("c")
    a = D("a")
    c = D("other c")
    print("end of g")
    return None
g()
def h(x, y=None):
    z = D("z")
    x = None
    print("end of h")
h(D("x"), D("y"))
def early(n):
    a = D("a")
    if n:
        return "early"
    b = D("b")
    return "late"
print(early(1))
print(early(0))
