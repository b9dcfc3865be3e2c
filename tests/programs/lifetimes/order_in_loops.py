class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n, end=" ")
for d in [D(1), D(2), D(3)]:
    print("body", d.n, end=" ")
print("| loop over")
del d
print()
for d in (D(i) for i in range(3)):
    print("body", d.n, end=" ")
print("| loop over")
for d in map(D, "xyz"):
    if d.n == "y":
        break
print("| broken")
for i in range(2):
    d = D(f"while{i}")
    print("iteration", i, end=" ")
print("| done")
[D(i).n for i in range(3)]
print("| comprehension")
[D(i) for i in range(3)]
print("| list")
any(D(i) for i in range(3))
print("| any")
a, b = D("a"), D("b")
a, b = b, a
print("swapped", a.n, b.n)
a = b = D("both")
print("| both")
del a, b, d
