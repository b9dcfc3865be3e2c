class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n, end=" ")
def pair(): return D("l"), D("r")
a, b = pair()
print("| unpacked")
a, _ = pair()
print("| again")
(a, b), c = pair(), D("c")
print("| nested")
first, *rest = [D(1), D(2), D(3)]
print("| starred", len(rest))
*_, last = D(4), D(5)
print("| last")
try:
    x, y = D(6), D(7), D(8)
except ValueError as e:
    print("|", e)
print("after error")
for i, (p, q) in enumerate([pair(), pair()]):
    print("| loop", i)
print(*[D(9).n, D(10).n], "| call")
[*[D(11)], *(D(12),)]
print("| display")
{**{"k": D(13)}, "k": D(14)}
print("| dict display")
del a, b, c, first, rest, _, last, p, q
print()
