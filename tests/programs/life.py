"""Game of life on an unbounded board, as sets, as a torus of integers, and by HashLife-like memoised blocks."""

from collections import Counter
from functools import lru_cache
from itertools import islice, product

PATTERNS = {
    "blinker": ["OOO"],
    "glider": [".O.", "..O", "OOO"],
    "r-pentomino": [".OO", "OO.", ".O."],
    "acorn": [".O.....", "...O...", "OO..OOO"],
    "lwss": [".O..O", "O....", "O...O", "OOOO."],
    "diehard": ["......O.", "OO......", ".O...OOO"],
}


class Board(frozenset):
    """The living cells, as complex numbers."""

    NEIGHBOURS = [complex(x, y) for x, y in product((-1, 0, 1), repeat=2) if x or y]

    @classmethod
    def parse(cls, rows):
        return cls(complex(x, y) for y, row in enumerate(rows) for x, char in enumerate(row) if char == "O")

    def step(self):
        counts = Counter(cell + d for cell in self for d in self.NEIGHBOURS)
        return Board(cell for cell, count in counts.items() if count == 3 or count == 2 and cell in self)

    def generations(self):
        while True:
            yield self
            self = self.step()

    @property
    def box(self):
        xs, ys = [int(c.real) for c in self], [int(c.imag) for c in self]
        return min(xs), min(ys), max(xs), max(ys)

    def normal(self):
        x, y, _, _ = self.box
        return Board(cell - complex(x, y) for cell in self)

    def __str__(self):
        if not self:
            return "(empty)"
        x0, y0, x1, y1 = self.box
        return "\n".join("".join(".O"[complex(x, y) in self] for x in range(x0, x1 + 1)) for y in range(y0, y1 + 1))

    def rle(self):
        rows = str(self).split("\n")
        out = []
        for row in rows:
            line, previous, count = "", "", 0
            for char in row.rstrip(".") + "\0":
                if char == previous:
                    count += 1
                    continue
                if previous:
                    line += (str(count) if count > 1 else "") + ("o" if previous == "O" else "b")
                previous, count = char, 1
            out.append(line)
        return "$".join(out) + "!"


class Torus:
    """Rows as integers; a whole row's neighbours are counted with bit operations."""

    def __init__(self, width, height, cells):
        self.width, self.height = width, height
        self.rows = [0] * height
        for cell in cells:
            self.rows[int(cell.imag) % height] |= 1 << int(cell.real) % width

    def rotate(self, row):
        mask, width = (1 << self.width) - 1, self.width
        return (row << 1 | row >> width - 1) & mask, row, (row >> 1 | row << width - 1) & mask

    def step(self):
        sums = []
        for row in self.rows:
            a, b, c = self.rotate(row)
            sums.append((a ^ b ^ c, a & b | a & c | b & c))
        new = []
        for y, row in enumerate(self.rows):
            (l0, h0), (l1, h1), (l2, h2) = sums[y - 1], sums[y], sums[(y + 1) % self.height]
            ones = l0 ^ l1 ^ l2
            carry = l0 & l1 | l0 & l2 | l1 & l2
            twos = h0 ^ h1 ^ h2 ^ carry
            fours = (h0 & h1 | h0 & h2 | h1 & h2) | (h0 ^ h1 ^ h2) & carry
            # With the cell itself in the sum: three live, four keep what is there.
            new.append(ones & twos & ~fours | row & ~ones & ~twos & fours)
        self.rows = new

    def population(self):
        return sum(row.bit_count() for row in self.rows)

    def cells(self):
        return Board(complex(x, y) for y, row in enumerate(self.rows) for x in range(self.width) if row >> x & 1)


@lru_cache(maxsize=None)
def block_step(block):
    """The middle 2x2 of a 4x4 block of 16 bits, one generation on."""
    out = 0
    for x, y in product((1, 2), repeat=2):
        count = sum(block >> (y + dy) * 4 + x + dx & 1 for dx, dy in product((-1, 0, 1), repeat=2) if dx or dy)
        alive = block >> y * 4 + x & 1
        if count == 3 or alive and count == 2:
            out |= 1 << (y - 1) * 2 + x - 1
    return out


def blockwise(cells):
    """One generation by 4x4 blocks that overlap."""
    corners = {(int(cell.real) // 2 * 2 + dx, int(cell.imag) // 2 * 2 + dy)
               for cell in cells for dx, dy in product((-2, 0, 2), repeat=2)}
    result = set()
    for x, y in corners:
        block = 0
        for dx, dy in product(range(4), repeat=2):
            if complex(x - 1 + dx, y - 1 + dy) in cells:
                block |= 1 << dy * 4 + dx
        if block:
            middle = block_step(block)
            for dx, dy in product(range(2), repeat=2):
                if middle >> dy * 2 + dx & 1:
                    result.add(complex(x + dx, y + dy))
    return Board(result)


def period(board, limit=100):
    seen = {}
    for generation, cells in enumerate(islice(board.generations(), limit)):
        if not cells:
            return f"dies at {generation}"
        key = cells.normal()
        if key in seen:
            x, y, _, _ = cells.box
            first, fx, fy = seen[key]
            return f"period {generation - first}, moves {(x - fx, y - fy)}"
        x, y, _, _ = cells.box
        seen[key] = generation, x, y
    return f"no period within {limit}"


def main():
    for name, rows in PATTERNS.items():
        board = Board.parse(rows)
        populations = [len(cells) for cells in islice(board.generations(), 0, 131, 26)]
        print(f"{name}: {board.rle()} {period(board)}; populations {populations}")

    glider = Board.parse(PATTERNS["glider"])
    for generation, cells in zip(range(5), glider.generations()):
        print(f"generation {generation}", cells, sep="\n")

    acorn = Board.parse(PATTERNS["acorn"])
    torus = Torus(64, 48, acorn)
    flat = acorn
    for generation in range(30):
        torus.step()
        flat = flat.step()
    print("torus and plane agree:", torus.population() == len(flat), len(flat), flat.box)
    for _ in range(200):
        torus.step()
    print("torus after 230:", torus.population(), hash(torus.cells()) == hash(torus.cells()), torus.cells().rle()[:60])

    blocks = acorn
    for _ in range(40):
        blocks = blockwise(blocks)
    info = block_step.cache_info()
    print("blocks agree:", blocks == next(islice(acorn.generations(), 40, None)), info.misses < info.hits, info.currsize)
    print(str(Board()), Board() | glider == glider, sorted(glider, key=lambda c: (c.imag, c.real)))


main()
