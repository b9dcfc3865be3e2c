"""How much memory objects take: bytes an item, by the growth of the process's peak.

    memory.py [NAME...]

Each measure runs in a process of its own, which the script starts.
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
    "ints": (ints, 10**7),
    "floats": (floats, 10**7),
    "str_dict": (str_dict, 10**6),
    "triples": (triples, 10**6),
}


def peak():
    """The most memory that the process had, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(name):
    make, count = MEASURES[name]
    before = peak()
    made = make(count)
    after = peak()
    print(f"{name:10} {(after - before) * 1024 / len(made):8.1f} bytes an item")


def main():
    if len(sys.argv) > 1:
        for name in sys.argv[1:]:
            measure(name)
        return
    for name in MEASURES:
        subprocess.run([sys.executable, __file__, name], check=True)


main()
