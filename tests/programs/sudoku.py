"""A sudoku solver: constraint propagation on bit sets, then exact cover by Algorithm X as a second opinion."""

from collections import defaultdict
from functools import cache
from itertools import chain, product

PUZZLES = {
    "easy": "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79",
    "medium": "..9748...7.........2.1.9.....7...24..64.1.59..98...3.....8.3.2.........6...2759..",
    "hard": "4.....8.5.3..........7......2.....6.....8.4......1.......6.3.7.5..2.....1.4......",
    "two": "..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9"[::-1],
    "impossible": "55..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79",
    "stuck": "516849732397605...809732165135.684.794.57..8.87...6...2...........9.....7.........",
}

CELLS = range(81)
ALL = 0b111111111


@cache
def units(cell):
    row, column = divmod(cell, 9)
    box = [(row // 3 * 3 + i) * 9 + column // 3 * 3 + j for i, j in product(range(3), repeat=2)]
    return [range(row * 9, row * 9 + 9), range(column, 81, 9), box]


@cache
def peers(cell):
    return frozenset(chain.from_iterable(units(cell))) - {cell}


class Contradiction(Exception):
    pass


class Grid:
    searched = 0

    def __init__(self, options=None):
        self.options = options or [ALL] * 81

    @classmethod
    def parse(cls, text):
        grid = cls()
        for cell, char in enumerate(text):
            if char in "123456789":
                grid.assign(cell, 1 << int(char) - 1)
        return grid

    def assign(self, cell, bit):
        if not self.options[cell] & bit:
            raise Contradiction(f"{bit.bit_length()} does not fit row {cell // 9 + 1} column {cell % 9 + 1}")
        self.eliminate(cell, self.options[cell] & ~bit)

    def eliminate(self, cell, bits):
        before = self.options[cell]
        after = before & ~bits
        if after == before:
            return
        if not after:
            raise Contradiction(f"nothing is left for row {cell // 9 + 1} column {cell % 9 + 1}")
        self.options[cell] = after
        if after.bit_count() == 1:
            for peer in peers(cell):
                self.eliminate(peer, after)
        for unit in units(cell):
            rest = before & bits
            while rest:
                bit = rest & -rest
                rest ^= bit
                places = [other for other in unit if self.options[other] & bit]
                if not places:
                    raise Contradiction(f"no place for {bit.bit_length()}")
                if len(places) == 1:
                    self.assign(places[0], bit)

    def solutions(self):
        Grid.searched += 1
        open_cells = [cell for cell in CELLS if self.options[cell].bit_count() > 1]
        if not open_cells:
            yield self
            return
        cell = min(open_cells, key=lambda cell: (self.options[cell].bit_count(), cell))
        for digit in range(9):
            if self.options[cell] >> digit & 1:
                attempt = Grid(self.options[:])
                try:
                    attempt.assign(cell, 1 << digit)
                except Contradiction:
                    continue
                yield from attempt.solutions()

    def __str__(self):
        return "".join(str(bits.bit_length()) if bits.bit_count() == 1 else "." for bits in self.options)

    def show(self):
        text = str(self)
        for row in range(9):
            line = text[row * 9:row * 9 + 9]
            print(" ".join(line[:3]), "|", " ".join(line[3:6]), "|", " ".join(line[6:]))
            if row in (2, 5):
                print("------+-------+------")


def exact_cover(text):
    rows = {}
    for r, c, n in product(range(9), range(9), range(1, 10)):
        if text[r * 9 + c] in ("." "0", ".", "0", str(n)):
            rows[r, c, n] = [("cell", r, c), ("row", r, n), ("column", c, n), ("box", r // 3 * 3 + c // 3, n)]
    columns = defaultdict(set)
    for row, constraints in rows.items():
        for constraint in constraints:
            columns[constraint].add(row)
    if len(columns) < 324:
        return

    def select(row):
        removed = []
        for constraint in rows[row]:
            for other in columns[constraint]:
                for theirs in rows[other]:
                    if theirs != constraint:
                        columns[theirs].remove(other)
            removed.append(columns.pop(constraint))
        return removed

    def restore(row, removed):
        for constraint in reversed(rows[row]):
            columns[constraint] = removed.pop()
            for other in columns[constraint]:
                for theirs in rows[other]:
                    if theirs != constraint:
                        columns[theirs].add(other)

    def search(chosen):
        if not columns:
            yield "".join(str(n) for _, _, n in sorted(chosen))
            return
        constraint = min(columns, key=lambda key: (len(columns[key]), str(key)))
        for row in sorted(columns[constraint]):
            removed = select(row)
            yield from search(chosen + [row])
            restore(row, removed)

    yield from search([])


def valid(text):
    return all(sorted(text[cell] for cell in unit) == list("123456789") for cell in CELLS for unit in units(cell))


def main():
    for name, puzzle in PUZZLES.items():
        puzzle = puzzle[:81].ljust(81, ".")
        Grid.searched = 0
        print(f"{name}: {81 - puzzle.count('.')} givens")
        try:
            start = Grid.parse(puzzle)
        except Contradiction as error:
            print("  impossible:", error)
            print("  exact cover finds", next(exact_cover(puzzle), None))
            continue
        solutions = []
        for solution in start.solutions():
            solutions.append(solution)
            if len(solutions) == 2:
                break
        print(f"  {len(solutions)} found, searched {Grid.searched}, after propagation {81 - str(start).count('.')} known")
        if not solutions:
            print("  exact cover finds", next(exact_cover(puzzle), None))
            continue
        solutions[0].show()
        text = str(solutions[0])
        print("  valid:", valid(text), "keeps givens:", all(p in (".", t) for p, t in zip(puzzle, text)))
        if name in ("easy", "medium"):
            print("  the same by exact cover:", next(exact_cover(puzzle)) == text)
    print(peers.cache_info().currsize, units.cache_info().currsize, sorted(peers(40)))


main()
