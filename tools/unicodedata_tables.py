"""Writes the tables of the module unicodedata: facts of the Unicode Character Database as CPython answers them.

    python3.14 tools/unicodedata_tables.py > crates/stdlib/src/unicodedata/tables.rs
"""

import sys
import unicodedata
from fractions import Fraction

ROW = 128


def numbers(name, kind, values):
    print(f"pub static {name}: [{kind}; {len(values)}] = [")
    line = "   "
    for value in values:
        item = f" {value},"
        if len(line) + len(item) > 118:
            print(line)
            line = "   "
        line += item
    print(line)
    print("];")


def records(prefix, ucd):
    known, rows, row_index, flat = {}, {}, [], []
    for start in range(0, sys.maxunicode + 1, ROW):
        row = []
        for at in range(start, start + ROW):
            c = chr(at)
            record = (ucd.category(c), ucd.bidirectional(c), ucd.combining(c), ucd.east_asian_width(c), ucd.mirrored(c))
            row.append(known.setdefault(record, len(known)))
        row = tuple(row)
        if row not in rows:
            rows[row] = len(rows)
            flat.extend(row)
        row_index.append(rows[row])
    print(f"pub static {prefix}RECORDS: [Record; {len(known)}] = [")
    for category, bidirectional, combining, width, mirrored in known:
        print(f'    Record {{ category: "{category}", bidirectional: "{bidirectional}", combining: {combining}, '
              f'width: "{width}", mirrored: {str(bool(mirrored)).lower()} }},')
    print("];")
    numbers(prefix + "ROWS", "u16", row_index)
    numbers(prefix + "CELLS", "u16", flat)


def decompositions(prefix, ucd):
    points, texts, offsets, lengths = [], {}, [], []
    blob = ""
    for at in range(sys.maxunicode + 1):
        text = ucd.decomposition(chr(at))
        if text and not 0xAC00 <= at <= 0xD7A3:
            if text not in texts:
                texts[text] = len(blob)
                blob += text
            points.append(at)
            offsets.append(texts[text])
            lengths.append(len(text))
    numbers(prefix + "DECOMPOSED", "u32", points)
    numbers(prefix + "DECOMPOSITION_OFFSETS", "u32", offsets)
    numbers(prefix + "DECOMPOSITION_LENGTHS", "u8", lengths)
    print(f"pub static {prefix}DECOMPOSITIONS: &str = concat!(")
    for start in range(0, len(blob), 110):
        print(f'    "{blob[start:start + 110]}",')
    print(");")


def compositions(prefix, ucd):
    pairs = []
    for at in range(sys.maxunicode + 1):
        c = chr(at)
        parts = ucd.decomposition(c).split()
        if len(parts) == 2 and not parts[0].startswith("<") and not 0xAC00 <= at <= 0xD7A3:
            if ucd.normalize("NFC", c) == c:
                pairs.append((int(parts[0], 16), int(parts[1], 16), at))
    pairs.sort()
    print(f"pub static {prefix}COMPOSITIONS: [(u32, u32, u32); {len(pairs)}] = [")
    for pair in pairs:
        print(f"    {pair},")
    print("];")


def numeric(prefix, ucd):
    rows = []
    for at in range(sys.maxunicode + 1):
        c = chr(at)
        value = ucd.numeric(c, None)
        if value is None and ucd.digit(c, None) is not None:
            rows.append((at, 0.0, 0.0, ucd.digit(c, -1), ucd.decimal(c, -1)))
        elif value is not None:
            fraction = Fraction(value).limit_denominator(1000)
            assert float(fraction) == value, (at, value)
            rows.append((at, float(fraction.numerator), float(fraction.denominator), ucd.digit(c, -1), ucd.decimal(c, -1)))
    print("/// Code point, numerator, denominator (0: no numeric value), digit and decimal value (−1: none).")
    print(f"pub static {prefix}NUMERIC: [(u32, f64, f64, i8, i8); {len(rows)}] = [")
    for row in rows:
        print("    ({}, {:.1f}, {:.1f}, {}, {}),".format(*row))
    print("];")


print("//! Tables of the Unicode Character Database, versions 16.0.0 and (`OLD_…`) 3.2.0. Made by")
print("//! `tools/unicodedata_tables.py`; `unicodedata.rs` says how they are read.")
print()
print("use super::Record;")
print()
print("/// Code points in a row.")
print(f"pub const ROW: usize = {ROW};")
for prefix, ucd in (("", unicodedata), ("OLD_", unicodedata.ucd_3_2_0)):
    records(prefix, ucd)
    decompositions(prefix, ucd)
    compositions(prefix, ucd)
    numeric(prefix, ucd)
