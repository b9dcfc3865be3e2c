"""Prints the functions that a start executes, in the order in which they are to lie in the executable.

What lies together is read from the file together, and takes no memory for what is between. The most executed come first;
those of about the same count lie beside those of their module.

usage: order.py START ALL

START: a profile of starts, ALL: the profile of everything (both as text: `llvm-profdata merge --text`).
"""

import re
import sys


def counts(path):
    """The functions of a profile that were executed, with the highest of their counters."""
    found = {}
    with open(path) as file:
        for record in file.read().split("\n\n"):
            lines = [line for line in record.splitlines() if line and not line.startswith((":", "#"))]
            if len(lines) < 4:
                continue
            highest = max(map(int, lines[3:3 + int(lines[2])]))
            if highest > 0:
                module, _, name = lines[0].rpartition(";")
                found[name, module] = highest
    return found


def main():
    start, everything = map(counts, sys.argv[1:])
    for name, module in sorted(start, key=lambda key: (-max(start[key], everything.get(key, 0)).bit_length(), key)):
        print(name)
        if module:
            # A function that only its own module knew: where another one has got its code, it is known as this.
            print(f"{name}.llvm.{re.sub('[^0-9A-Za-z]', '_', module)}")


main()
