"""Shows an explanation as text, with colours on a terminal."""

import shutil
import sys

import _colorize

from .explain import measure

COLOURS = {
    "number": "\x1b[2m",
    "source": "\x1b[1m",
    "kind": "\x1b[36m",
    "name": "\x1b[35m",
    "operation": "\x1b[34m",
    "register": "\x1b[32m",
    "measure": "\x1b[33m",
    "rule": "\x1b[2m",
}
RESET = "\x1b[0m"
# Room enough for all columns beside each other.
WIDE = 190


class Cell:
    """A line of a column: pieces of text, each with the name of its colour or None."""

    def __init__(self, *pieces):
        self.pieces = [(text, colour) for text, colour in pieces if text]

    def render(self, width, colours):
        """The text in exactly `width` characters, cut short if need be."""
        out, left = [], width
        total = sum(len(text) for text, _ in self.pieces)
        for text, colour in self.pieces:
            if total > width and len(text) >= left:
                text = text[: max(left - 1, 0)] + "…" if left else ""
            left -= len(text)
            out.append(f"{COLOURS[colour]}{text}{RESET}" if colours and colour and text else text)
            if not left:
                break
        return "".join(out) + " " * left


def write(explanation, file, *, width=None, colours=None):
    """Writes the explanation; the width is that of the terminal, and colours are used on one, unless told otherwise."""
    if width is None:
        width = shutil.get_terminal_size((120, 24)).columns
    if colours is None:
        colours = _colorize.can_colorize(file=file)
    width = max(width, 60)

    def put(text, colour=None):
        file.write(Cell((text, colour)).render(len(text), colours) + "\n")

    put(summary(explanation), "name")
    for line in explanation.lines:
        put("─" * width, "rule")
        right = "" if line.executed is None or not explanation.ran else f"  {line.executed:,} executed"
        space = max(width - 6 - len(right), 10) if right else len(line.text)
        text = [
            Cell((f"{line.number:>5} ", "number")).render(6, colours),
            Cell((line.text, "source")).render(space, colours),
            Cell((right, "measure")).render(len(right), colours),
        ]
        file.write("".join(text).rstrip() + "\n")
        code = bytecode_and_registers(line)
        if width >= WIDE:
            widths = shares(width, 3, 4, 4, 6)
            band(file, [tokens(line, widths[0]), nodes(line), *code], widths, colours)
        else:
            widths = shares(width, 3, 5)
            band(file, [tokens(line, widths[0]), nodes(line)], widths, colours)
            band(file, code, shares(width, 3, 4), colours)
    if explanation.ran and explanation.ending:
        put(f"the program {explanation.ending}", "measure")


def summary(explanation):
    parts = [f"{sys.implementation.name} {sys.version.split()[0]}, {explanation.filename}"]
    count = len(explanation.codes)
    parts.append(f"{count} code object{'s' * (count != 1)}")
    if explanation.ran:
        parts.append(f"{explanation.executed:,} register instructions executed in the lines shown")
    else:
        parts.append("not run")
    return ": ".join([parts[0], ", ".join(parts[1:])])


def shares(width, *parts):
    """The widths of columns in these proportions, with room for what separates them."""
    room = width - 6 - 3 * (len(parts) - 1)
    widths = [room * part // sum(parts) for part in parts]
    widths[-1] = room - sum(widths[:-1])
    return widths


def band(file, columns, widths, colours):
    height = max(map(len, columns))
    between = f" {COLOURS['rule']}│{RESET} " if colours else " │ "
    for row in range(height):
        cells = [column[row] if row < len(column) else Cell() for column in columns]
        rendered = between.join(cell.render(width, colours) for cell, width in zip(cells, widths))
        file.write(("      " + rendered).rstrip() + "\n")


def tokens(line, width):
    """The tokens, as many beside each other as there is room for. Those of lines without others are left out."""
    rows, left = [], 0
    if all(token.kind == "NL" for token in line.tokens):
        return []
    for token in line.tokens:
        pieces = [(token.kind, "kind"), (f" {token.text}" if token.text else "", None)]
        size = sum(len(text) for text, _ in pieces)
        if size + 3 > left:
            rows.append([])
            left = width
        else:
            pieces.insert(0, (" · ", "rule"))
            size += 3
        rows[-1] += pieces
        left -= size
    return [Cell(*row) for row in rows]


def nodes(line):
    least = min((node.depth for node in line.nodes), default=0)
    cells = []
    for node in line.nodes:
        name, _, rest = node.text.partition(": ")
        cells.append(Cell(("  " * (node.depth - least) + name + " ", "number"), (rest, None)))
    return cells


def bytecode_and_registers(line):
    """Two columns of the same height: what belongs together is on the same line."""
    left, right = [], []
    for group in line.groups:
        if len(line.groups) > 1 or group.name != "<module>":
            left.append(Cell((group.name, "name")))
            right.append(Cell())
        for row in group.rows:
            left.append(Cell((f"{row.offset:>5} ", "number"), (f"{row.text} ", "operation"), (row.argument, None)))
            for at, register in enumerate(row.registers):
                if at:
                    left.append(Cell())
                right.append(register_cell(register))
            if not row.registers:
                right.append(Cell())
    return left, right


def register_cell(register):
    counted = f"{register.executed:>9,} " if register.executed else f"{'':>10}"
    measured = measure(register)
    return Cell(
        (f"{register.pc:>4} ", "number"),
        (counted, "measure"),
        (register.opname + " ", "register"),
        (register.operands, None),
        (f"  {measured}" if measured else "", "measure"),
    )
