"""How the time of large heaps grows: collections, destruction, dict, set and string building.

    scaling.py [-n COUNT] [NAME...]

COUNT objects or operations, 10^7 if it is not given; what is about operations alone does ten times as many. Each measure
prints seconds of the processor. `taipan-bench --scaling` runs it by several interpreters, a measure in each process.
"""

import gc
import sys
import time


COUNT = 10**7


class Node:
    __slots__ = ("next", "left", "right", "edges")


def report(name, seconds):
    print(f"{name:36} {seconds:9.4f} s", flush=True)


def timed(name, function, *arguments):
    start = time.process_time()
    result = function(*arguments)
    report(name, time.process_time() - start)
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
    heap = timed("collector: build lists", lambda: [[i] for i in range(COUNT)])
    report("collector: longest pause", max(pauses, default=0.0))
    report("collector: all pauses", sum(pauses))
    timed("collector: full collection", gc.collect)
    timed("collector: full collection again", gc.collect)
    gc.callbacks.clear()
    timed("collector: destroy", heap.clear)


def shuffled_collector():
    """Full collections of containers that refer to each other across the heap."""
    gc.disable()
    count = COUNT // 4
    heap = [[] for _ in range(count)]
    for at, item in enumerate(heap):
        item.append(heap[at * 7919 % count])
        item.append({"to": heap[(at * 104729 + 1) % count]})
    timed("collector: scattered references", gc.collect)
    for item in heap:
        item.clear()


def linked_list():
    def build():
        head = None
        for _ in range(COUNT):
            node = Node()
            node.next = head
            head = node
        return [head]

    gc.disable()
    held = timed("linked list: build", build)
    timed("linked list: collect", gc.collect)
    timed("linked list: destroy", held.clear)


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
    held = timed("tree: build", build)
    timed("tree: collect", gc.collect)
    timed("tree: destroy", held.clear)


def graph():
    def build():
        nodes = [Node() for _ in range(COUNT // 2)]
        count = len(nodes)
        for at, node in enumerate(nodes):
            node.edges = [nodes[(at * 7 + 1) % count], nodes[(at * 31 + 5) % count]]
        return nodes

    gc.disable()
    held = timed("graph: build", build)
    held.clear()
    timed("graph: collect", gc.collect)


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
        timed(f"dict: delete {count}", lambda: [table.pop(i * 7) for i in range(count)].clear())


def str_dictionaries():
    def fill(count):
        return {f"key{i}": i for i in range(count)}

    for count in (COUNT // 100, COUNT // 10):
        table = timed(f"dict of str: insert {count}", fill, count)
        keys = list(table)
        timed(f"dict of str: look up {count}", lambda: sum(table[key] for key in keys))


def dict_operations():
    """A window of keys that moves on: each operation adds one and takes another away."""

    def run(count):
        table = {}
        window = COUNT // 100
        for i in range(window):
            table[i] = i
        for i in range(window, count // 2):
            table[i] = i
            del table[i - window]
        return len(table)

    for count in (COUNT, COUNT * 10):
        timed(f"dict: {count} operations", run, count)


def sets():
    def fill(count):
        members = set()
        for i in range(count):
            members.add(i * 7)
        return members

    def test(members, count):
        found = 0
        for i in range(count):
            if i in members:
                found += 1
        return found

    for count in (COUNT // 10, COUNT):
        members = timed(f"set: add {count}", fill, count)
        timed(f"set: test {count}", test, members, count)
        timed(f"set: sum of tests {count}", lambda: sum(i in members for i in range(count)))


def set_operations():
    def run(count):
        members = set()
        window = COUNT // 100
        for i in range(window):
            members.add(i)
        for i in range(window, count // 2):
            members.add(i)
            members.discard(i - window)
        return len(members)

    for count in (COUNT, COUNT * 10):
        timed(f"set: {count} operations", run, count)


def building():
    def grow(count):
        text = ""
        for _ in range(count):
            text += "x"
        return text

    for count in (COUNT // 10, COUNT):
        timed(f"str: += {count} times", grow, count)


MEASURES = [
    collector,
    shuffled_collector,
    linked_list,
    tree,
    graph,
    dictionaries,
    str_dictionaries,
    dict_operations,
    sets,
    set_operations,
    building,
]


def main():
    global COUNT
    wanted = sys.argv[1:]
    if wanted[:1] == ["-l"]:
        print(*(measure.__name__ for measure in MEASURES), sep="\n")
        return
    if wanted[:1] == ["-n"]:
        COUNT = int(wanted[1])
        del wanted[:2]
    for measure in MEASURES:
        if not wanted or measure.__name__ in wanted:
            measure()
            gc.enable()


main()
