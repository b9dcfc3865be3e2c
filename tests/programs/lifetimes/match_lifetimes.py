class D:
    __match_args__ = ("n",)
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n if isinstance(self.n, (int, str)) else "D", end=" ")
match D(1):
    case D(n):
        print("| matched", n)
print("| after")
match D(2):
    case D(3):
        print("no")
    case D() as whole:
        print("| whole", whole.n)
del whole
print("| deleted")
match [D(4), D(5)]:
    case [a, *rest]:
        print("| sequence", len(rest))
del a, rest
print("| gone")
match {"k": D(6), "l": D(7)}:
    case {"k": v, **others}:
        print("| mapping", list(others))
del v, others
print("| gone")
match D("guard"):
    case D(n) if n == "x":
        pass
    case _:
        print("| default")
print("| end")
