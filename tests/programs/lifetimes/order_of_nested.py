class N:
    def __init__(self, name, *children): self.name = name; self.children = children
    def __del__(self): print("del", self.name)
N("a", N("b", N("c"), N("d")), N("e"))
print("--")
x = N("root", N("left"), N("right"))
y = x.children[0]
del x
print("left alive")
del y
print("--")
chain = None
for i in range(5):
    chain = (chain, N(i))
del chain
print("--")
chain = N(0)
for i in range(1, 4):
    chain = N(i, chain)
del chain
print("--")
deep = None
for i in range(100000):
    deep = [deep]
del deep
print("deep list gone")
class L: pass
head = None
for i in range(100000):
    node = L(); node.next = head; head = node
del head, node
print("deep chain gone")
