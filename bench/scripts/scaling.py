"""How the time of large heaps grows: collections, destruction, dict, set and string building.

    scaling.py [-n COUNT] [NAME...]

COUNT objects or operations, 10^7 if it is not given. Each measure prints seconds of the processor. Run it by two
interpreters.
"""

import gc
import sys
import time


COUNT = 10**7


class Node:
    __slots__ = ("next", "left", "right", "edges")


def timed(name, function, *arguments):
    start = time.process_time()
    result = function(*arguments)
    print(f"{name:28} {time.process_time() - start:8.3f} s", flush=True)
    return result


def collector():
    """Building live containers with the collector on, full collections of them, and the longest pause."""
    pauses = []
    begun = 0.0

    def watch(phase, info):
        nonlocal begun
        if phase == "start":
            begun = time.process_time()
        else:
            pauses.append(time.process_time() - begun)

    gc.callbacks.append(watch)
    heap = timed("build lists", lambda: [[i] for i in range(COUNT)])
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
        for _ in range(COUNT):
            node = Node()
            node.next = head
            head = node
        return [head]

    gc.disable()
    held = timed("build linked list", build)
    timed("destroy linked list", held.clear)


def tree():
    def build():
        level = [Node() for _ in range(COUNT // 2)]
        while len(level) > 1:
            above = []
            for at in range(0, len(level), 2):
                node = Node()
                node.left, node.right = level[at], level[min(at + 1, len(level) - 1)]
                above.append(node)
            level = above
        return level

    gc.disable()
    held = timed("build tree", build)
    timed("destroy tree", held.clear)


def graph():
    def build():
        nodes = [Node() for _ in range(COUNT // 3)]
        count = len(nodes)
        for at, node in enumerate(nodes):
            node.edges = [nodes[(at * 7 + 1) % count], nodes[(at * 31 + 5) % count]]
        return nodes

    gc.disable()
    held = timed("build graph", build)
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

    for count in (COUNT // 10, COUNT):
        table = timed(f"dict: insert {count}", fill, count)
        timed(f"dict: look up {count}", look, table, count)
        timed("dict: delete all", lambda: [table.pop(i * 7) for i in range(count)].clear())


def sets():
    def fill(count):
        members = set()
        for i in range(count):
            members.add(i * 7)
        return members

    for count in (COUNT // 10, COUNT):
        members = timed(f"set: add {count}", fill, count)
        timed(f"set: test {count}", lambda: sum(i in members for i in range(count)))


def building():
    def grow(count):
        text = ""
        for _ in range(count):
            text += "x"
        return text

    for count in (COUNT // 10, COUNT):
        timed(f"s += 'x', {count} times", grow, count)


MEASURES = [collector, linked_list, tree, graph, dictionaries, sets, building]


def main():
    global COUNT
    wanted = sys.argv[1:]
    if wanted[:1] == ["-n"]:
        COUNT = int(wanted[1])
        del wanted[:2]
    for measure in MEASURES:
        if not wanted or measure.__name__ in wanted:
            measure()
            gc.enable()


main()
