"""Prints the functions that a start executes, in the order in which they are to lie in the executable.

What lies together is read from the file together, and takes no memory for what is between. What every start executes comes
first, then what imports do; of these the most executed, and those of about the same count beside those of their module.

usage: order.py START IMPORTS ALL

Profiles of starts, of starts that import much, and of everything (as text: `llvm-profdata merge --text`).
"""

import sys


def counts(path):
    """The functions of a profile that were executed, with the highest of their counters."""
    found = {}
    with open(path) as file:
        for record in file.read().split("\n\n"):
            lines = [line for line in record.splitlines() if line and not line.startswith((":", "#"))]
            if len(lines) < 4:
                continue
            # A function that only its own module knows has the module's name before its own.
            name = lines[0].rpartition(";")[2]
            highest = max(map(int, lines[3:3 + int(lines[2])]))
            if highest > 0:
                found[name] = max(highest, found.get(name, 0))
    return found


def main():
    start, imports, everything = map(counts, sys.argv[1:])

    def place(name):
        highest = max(known.get(name, 0) for known in (start, imports, everything))
        return name not in start, -highest.bit_length(), name

    for name in sorted(start.keys() | imports.keys(), key=place):
        print(name)


main()
