"""How much memory objects take: bytes an item, by the growth of the process's peak.

    memory.py [-n PART] [NAME...]

Each measure runs in a process of its own, which the script starts. PART divides the number of objects. `taipan-bench --memory`
runs it by several interpreters.
"""

import resource
import subprocess
import sys


class Point:
    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z


def instances(count):
    return [Point(None, None, None) for _ in range(count)]


class Slotted:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z


def slotted(count):
    return [Slotted(None, None, None) for _ in range(count)]


def ints(count):
    return [i + 1000 for i in range(count)]


def floats(count):
    return [i + 0.5 for i in range(count)]


def str_dict(count):
    return {f"key{i:07}": i for i in range(count)}


def triples(count):
    return [(i, None, True) for i in range(count)]


MEASURES = {
    "instances": (instances, 10**7),
    "slotted": (slotted, 10**7),
    "ints": (ints, 10**7),
    "floats": (floats, 10**7),
    "str_dict": (str_dict, 10**6),
    "triples": (triples, 10**6),
}


def peak():
    """The most memory that the process had, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(name, part):
    make, count = MEASURES[name]
    before = peak()
    made = make(count // part)
    after = peak()
    print(f"{name:10} {(after - before) * 1024 / len(made):8.1f} bytes an item")


def main():
    names = sys.argv[1:]
    part = 1
    if names[:1] == ["-n"]:
        part = int(names[1])
        del names[:2]
    if len(names) == 1:
        measure(names[0], part)
        return
    for name in names or MEASURES:
        subprocess.run([sys.executable, __file__, "-n", str(part), name], check=True)


main()
