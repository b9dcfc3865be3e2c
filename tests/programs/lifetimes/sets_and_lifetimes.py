class D:
    def __init__(self, n): self.n = n
    def __hash__(self): return self.n
    def __eq__(self, o): return self.n == o.n
    def __del__(self): print("del", self.n, id(self) in first, end=" ")
first = set()
def new(n):
    d = D(n)
    return d
s = {new(1), new(2)}
first = {id(x) for x in s}
s.add(new(1))
print("| added an equal one")
s.discard(new(2))
print("| discarded")
s |= {new(3)}
print("| updated")
s -= {new(1)}
print("| difference")
s.pop()
print("| popped", len(s))
f = frozenset([new(5), new(5)])
print("|")
d = {new(7): "a"}
first = {id(x) for x in d}
d[new(7)] = "b"
print("|", d[new(7)], "|")
d.clear()
print()
