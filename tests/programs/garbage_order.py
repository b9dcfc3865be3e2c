"""In which order the collector finalises what has survived a collection: as that collection reached it."""

import gc
import io
import os
import subprocess
import sys
import tempfile


class Link:
    def __init__(self, name, *others):
        self.name = name
        self.others = others

    def __del__(self):
        print("end of", self.name)


def chain(survives):
    gc.disable()
    inner = Link("inner")
    middle = Link("middle", inner)
    outer = Link("outer", middle)
    cycle = [outer]
    cycle.append(cycle)
    if survives:
        gc.collect()
    del inner, middle, outer, cycle
    gc.collect()


def file_in_cycle(path):
    file = open(path, "w")
    file.write("text")
    cycle = [file]
    cycle.append(cycle)
    gc.collect()
    del file, cycle
    gc.collect()
    return os.path.getsize(path)


AT_EXIT = """
import sys
out = open(sys.argv[1], "w")
def write():
    out.write("text")
write()
"""

print("young")
chain(False)
print("old")
chain(True)
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "file")
    print("in a cycle", file_in_cycle(path))
    subprocess.run([sys.executable, "-c", AT_EXIT, path], check=True)
    print("at the end", os.path.getsize(path))
