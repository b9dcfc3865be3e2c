"""How the time of large heaps grows: collections, destruction, dict, set and string building.

    scaling.py [NAME...]

Each measure prints seconds. Run it by two interpreters.
"""

import gc
import sys
import time


class Node:
    __slots__ = ("next", "left", "right", "edges")


def timed(name, function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    print(f"{name:28} {time.perf_counter() - start:8.3f} s", flush=True)
    return result


def collector():
    """Building 10^7 live containers with the collector on, one full collection of them, and the longest pause."""
    pauses = []
    begun = 0.0

    def watch(phase, info):
        nonlocal begun
        if phase == "start":
            begun = time.perf_counter()
        else:
            pauses.append(time.perf_counter() - begun)

    gc.callbacks.append(watch)
    heap = timed("build 10^7 lists", lambda: [[i] for i in range(10**7)])
    print(f"{'  collections':28} {len(pauses):8}")
    print(f"{'  longest pause':28} {max(pauses, default=0):8.3f} s")
    print(f"{'  all pauses':28} {sum(pauses):8.3f} s")
    timed("full collection", gc.collect)
    timed("full collection again", gc.collect)
    gc.callbacks.clear()
    timed("destroy", heap.clear)


def linked_list():
    def build():
        head = None
        for _ in range(10**7):
            node = Node()
            node.next = head
            head = node
        return [head]

    gc.disable()
    held = timed("build linked list 10^7", build)
    timed("destroy linked list", held.clear)


def tree():
    def build():
        level = [Node() for _ in range(2**22)]
        while len(level) > 1:
            above = []
            for at in range(0, len(level), 2):
                node = Node()
                node.left, node.right = level[at], level[at + 1]
                above.append(node)
            level = above
        return level

    gc.disable()
    held = timed("build tree 2^23", build)
    timed("destroy tree", held.clear)


def graph():
    def build():
        nodes = [Node() for _ in range(3 * 10**6)]
        count = len(nodes)
        for at, node in enumerate(nodes):
            node.edges = [nodes[(at * 7 + 1) % count], nodes[(at * 31 + 5) % count]]
        return nodes

    gc.disable()
    held = timed("build graph 3*10^6", build)
    held.clear()
    timed("collect graph", gc.collect)


def dictionaries():
    def fill(count):
        table = {}
        for i in range(count):
            table[i * 7] = i
        return table

    def look(table, count):
        total = 0
        for i in range(count):
            total += table[i * 7]
        return total

    for count in (10**6, 10**7):
        table = timed(f"dict: insert {count}", fill, count)
        timed(f"dict: look up {count}", look, table, count)
        timed("dict: delete all", lambda: [table.pop(i * 7) for i in range(count)].clear())


def sets():
    def fill(count):
        members = set()
        for i in range(count):
            members.add(i * 7)
        return members

    for count in (10**6, 10**7):
        members = timed(f"set: add {count}", fill, count)
        timed(f"set: test {count}", lambda: sum(i in members for i in range(count)))


def building():
    def grow(count):
        text = ""
        for _ in range(count):
            text += "x"
        return text

    for count in (10**6, 10**7):
        timed(f"s += 'x', {count} times", grow, count)


MEASURES = [collector, linked_list, tree, graph, dictionaries, sets, building]


def main():
    wanted = sys.argv[1:]
    for measure in MEASURES:
        if not wanted or measure.__name__ in wanted:
            measure()
            gc.enable()


main()
