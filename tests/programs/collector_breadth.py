"""Collections of heaps that are wide, deep or both: what is reachable stays, what is not goes."""

import gc
import weakref


class Node:
    def __init__(self, *edges):
        self.edges = list(edges)


def wide(count):
    """One list that refers to more containers than the collector's stack has room for, each of which refers to more."""
    return [[[i], {"i": i}] for i in range(count)]


def check(kept):
    return len(kept), sum(len(inner) for inner in kept), kept[0], kept[-1]


gc.collect()
gc.disable()

kept = wide(60000)
print("nothing is found:", gc.collect(), check(kept))
print("and again:", gc.collect())

kept.append(kept)
print("in a cycle that is referred to:", gc.collect(), len(kept))
del kept
print("lists and dicts:", gc.collect())

kept = wide(30000)
lost = wide(30000)
lost.append(lost)
kept.append(lost[100])
del lost
print("what something else refers to stays:", gc.collect(), kept[-1])
del kept

node = None
for _ in range(100000):
    node = Node(node) if node else Node()
print("a chain:", gc.collect(), len(node.edges))
node.edges.append(node)
head = weakref.ref(node)
del node
found = gc.collect()
print("a chain whose head refers to itself:", found, head() is None)

nodes = [Node() for _ in range(50000)]
for at, node in enumerate(nodes):
    node.edges = [nodes[at * 7 % 50000], nodes[(at * 31 + 5) % 50000]]
root = nodes[1]
reached, pending = {id(root)}, [root]
while pending:
    for other in pending.pop().edges:
        if id(other) not in reached:
            reached.add(id(other))
            pending.append(other)
expected = len(nodes) - len(reached)
watched = [weakref.ref(node) for node in nodes]
del nodes, node, other, pending
found = gc.collect()
alive = sum(reference() is not None for reference in watched)
print("a graph:", found == 2 * expected, alive == len(reached), expected > 0)
del root
print("its rest:", gc.collect() == 2 * len(reached), sum(reference() is not None for reference in watched))

gc.freeze()
kept = wide(20000)
kept.append(kept)
del kept
print("beside what is frozen:", gc.collect())
gc.unfreeze()
print("and afterwards:", gc.collect())


class Resurrects:
    def __init__(self, held):
        self.held = held
        self.itself = self

    def __del__(self):
        saved.append(self)


saved = []
Resurrects(wide(30000))
print("resurrected:", gc.collect(), check(saved[0].held))
saved[0].itself = None
del saved[0]
print("gone:", gc.collect(), len(saved))
