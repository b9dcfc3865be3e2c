"""Writes the Unicode tables of `crates/object/src/text/unicode/` from the running interpreter's Unicode database.

Usage: python3.14 tables.py aliases.txt OUTPUT_DIRECTORY
"""
import collections
import sys
import unicodedata

LIMIT = 0x110000
aliases_path, out_dir = sys.argv[1:]
old = unicodedata.ucd_3_2_0

# Bits of a character's flags; `unicode.rs` names them again.
(ALPHA, DECIMAL, DIGIT, NUMERIC, SPACE, PRINTABLE, UPPER, LOWER, TITLE, XID_START, XID_CONTINUE, CASED,
 CASE_IGNORABLE, LINE_BREAK, SPECIAL_CASE) = (1 << n for n in range(15))
# Bits of a database record's normalisation byte.
(NFC_NO, NFD_NO, NFKC_NO, NFKD_NO, MAYBE_SECOND, IS_FIRST) = (1 << n for n in range(6))

CATEGORIES = "Lu Ll Lt Mn Mc Me Nd Nl No Zs Zl Zp Cc Cf Cs Co Cn Lm Lo Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So".split()
BIDI = ["", *"L LRE LRO R AL RLE RLO PDF EN ES ET AN CS NSM BN B S WS ON LRI RLI FSI PDI".split()]
WIDTHS = "F H W Na A N".split()

out = open(out_dir + "/tables.rs", "w")
out.write("//! Tables of the Unicode Character Database %s. Written by `tools/unicode/tables.py`.\n\n"
          % unicodedata.unidata_version)


def emit(name, kind, items):
    items = list(items)
    out.write("pub(super) static %s: [%s; %d] = [\n" % (name, kind, len(items)))
    line = "   "
    for item in items:
        text = " %s," % item
        if len(line) + len(text) > 119:
            out.write(line + "\n")
            line = "   "
        line += text
    out.write(line + "\n];\n\n")


def emit_staged(name, values):
    """Two-stage table: the block size that needs the least room."""
    best = None
    for shift in range(4, 10):
        blocks, first, second = {}, [], []
        for start in range(0, LIMIT, 1 << shift):
            block = tuple(values[start:start + (1 << shift)])
            if block not in blocks:
                blocks[block] = len(blocks)
                second.extend(block)
            first.append(blocks[block])
        size = len(first) * (1 if len(blocks) <= 256 else 2) + len(second) * (1 if max(second) < 256 else 2)
        if best is None or size < best[0]:
            best = size, shift, first, second
    _, shift, first, second = best
    out.write("pub(super) const %s_SHIFT: u32 = %d;\n" % (name, shift))
    emit(name + "_FIRST", "u8" if max(first) < 256 else "u16", first)
    emit(name + "_SECOND", "u8" if max(second) < 256 else "u16", second)


def records(values):
    index, numbers = {}, []
    for value in values:
        numbers.append(index.setdefault(value, len(index)))
    return list(index), numbers


# Numeric values: number 0 is "none".
numeric_values = [-2.0]
numeric_index = {}


def numeric_number(value):
    if value is None:
        return 0
    if value not in numeric_index:
        numeric_index[value] = len(numeric_values)
        numeric_values.append(value)
    return numeric_index[value]


# Character types and case mappings.
special = []
types = []
for code in range(LIMIT):
    c = chr(code)
    flags = 0
    for bit, test in ((ALPHA, c.isalpha()), (DECIMAL, c.isdecimal()), (DIGIT, c.isdigit()), (NUMERIC, c.isnumeric()),
                      (SPACE, c.isspace()), (PRINTABLE, c.isprintable()), (UPPER, c.isupper()), (LOWER, c.islower()),
                      (TITLE, unicodedata.category(c) == "Lt"), (XID_START, c.isidentifier()),
                      (XID_CONTINUE, ("a" + c).isidentifier()), (LINE_BREAK, len(("a" + c + "a").splitlines()) > 1)):
        flags |= bit if test else 0
    if flags & TITLE:
        flags &= ~UPPER
    alone = (c + "\u03a3").lower().endswith("\u03c2")
    after = ("A" + c + "\u03a3").lower().endswith("\u03c2")
    if c.isupper() or c.islower() or c.istitle():
        flags |= CASED
    if after and not alone:
        flags |= CASE_IGNORABLE
    assert not alone or flags & CASED
    mappings = [c.upper(), c.lower() if code != 0x3a3 else "\u03c3", c.title(), c.casefold()]
    deltas = [ord(m[0]) - code for m in mappings]
    if any(len(m) > 1 for m in mappings):
        flags |= SPECIAL_CASE
        special.append((code, mappings))
    decimal = unicodedata.decimal(c, 255)
    digit = unicodedata.digit(c, 255)
    types.append((flags, decimal, digit, numeric_number(unicodedata.numeric(c, None)), *deltas))
type_records, type_numbers = records(types)
emit_staged("TYPE", type_numbers)
out.write("/// Flags, decimal, digit, index of the numeric value; distances to upper, lower, title case and case folding.\n")
emit("TYPE_RECORDS", "(u16, u8, u8, u8, i32, i32, i32, i32)", map(str, type_records))
out.write("/// Characters one of whose full mappings has several characters: upper, lower, title case, case folding.\n")
emit("SPECIAL_CASES", "(u32, [&[u32]; 4])",
     ("(%d, [%s])" % (code, ", ".join("&%s" % [ord(m) for m in text] for text in maps)) for code, maps in special))

# Composition pairs: what NFC puts together again.
pairs = []
seconds, firsts = set(), set()
HANGUL = range(0xac00, 0xd7a4)  # composed and decomposed by arithmetic
for code in range(LIMIT):
    if code in HANGUL:
        continue
    parts = unicodedata.decomposition(chr(code)).split()
    if len(parts) == 2 and not parts[0].startswith("<"):
        first, second = (int(p, 16) for p in parts)
        if unicodedata.normalize("NFC", chr(first) + chr(second)) == chr(code):
            pairs.append((first, second, code))
            firsts.add(first)
            seconds.add(second)
pairs.sort()
seconds |= set(range(0x1161, 0x1176)) | set(range(0x11a8, 0x11c3))

# Database records.
rows = []
for code in range(LIMIT):
    c = chr(code)
    quick = 0
    for bit, form in ((NFC_NO, "NFC"), (NFD_NO, "NFD"), (NFKC_NO, "NFKC"), (NFKD_NO, "NFKD")):
        if unicodedata.normalize(form, c) != c:
            quick |= bit
    quick |= MAYBE_SECOND if code in seconds else 0
    quick |= IS_FIRST if code in firsts else 0
    rows.append((CATEGORIES.index(unicodedata.category(c)), BIDI.index(unicodedata.bidirectional(c)),
                 unicodedata.combining(c), unicodedata.mirrored(c),
                 WIDTHS.index(unicodedata.east_asian_width(c)), quick))
row_records, row_numbers = records(rows)
emit_staged("DATABASE", row_numbers)
out.write("/// Category, bidirectional class, combining class, mirrored, east asian width, normalisation bits.\n")
emit("DATABASE_RECORDS", "(u8, u8, u8, u8, u8, u8)", map(str, row_records))
emit("CATEGORIES", "&str", ('"%s"' % n for n in CATEGORIES))
emit("BIDIRECTIONAL", "&str", ('"%s"' % n for n in BIDI))
emit("EAST_ASIAN_WIDTH", "&str", ('"%s"' % n for n in WIDTHS))

# Decompositions: a header unit (length, number of the tag) and the code points.
tags = [""]
decomposition_data = [0]
offsets = []
for code in range(LIMIT):
    parts = unicodedata.decomposition(chr(code)).split()
    if not parts or code in HANGUL:
        offsets.append(0)
        continue
    tag = parts.pop(0) if parts[0].startswith("<") else ""
    if tag not in tags:
        tags.append(tag)
    offsets.append(len(decomposition_data))
    decomposition_data.append(len(parts) << 8 | tags.index(tag))
    decomposition_data.extend(int(p, 16) for p in parts)
emit_staged("DECOMPOSITION", offsets)
emit("DECOMPOSITION_TAGS", "&str", ('"%s"' % n for n in tags))
emit("DECOMPOSITION_DATA", "u32", decomposition_data)
out.write("/// First, second, composed; sorted.\n")
emit("COMPOSITIONS", "(u32, u32, u32)", map(str, pairs))

# Differences of UCD 3.2.0.
ranges = []
for code in range(LIMIT):
    c = chr(code)
    now = (CATEGORIES.index(unicodedata.category(c)), BIDI.index(unicodedata.bidirectional(c)),
           unicodedata.mirrored(c), WIDTHS.index(unicodedata.east_asian_width(c)), unicodedata.decimal(c, 255),
           numeric_number(unicodedata.numeric(c, None)))
    then = (CATEGORIES.index(old.category(c)), BIDI.index(old.bidirectional(c)), old.mirrored(c),
            WIDTHS.index(old.east_asian_width(c)), old.decimal(c, 255), numeric_number(old.numeric(c, None)))
    assert old.combining(c) == (unicodedata.combining(c) if old.category(c) != "Cn" else 0)
    assert old.digit(c, None) == unicodedata.digit(c, None)
    if now != then:
        if ranges and ranges[-1][1] == code - 1 and ranges[-1][2] == then:
            ranges[-1][1] = code
        else:
            ranges.append([code, code, then])
out.write("/// First and last code point, category, bidirectional class, mirrored, width, decimal, numeric index in 3.2.0.\n")
emit("CHANGES_3_2_0", "(u32, u32, u8, u8, u8, u8, u8, u8)", ("(%d, %d, %s)" % (a, b, str(t)[1:-1]) for a, b, t in ranges))
corrections = []
for code in range(LIMIT):
    c = chr(code)
    if old.category(c) != "Cn" and unicodedata.normalize("NFD", c) != old.normalize("NFD", c):
        assert len(old.normalize("NFD", c)) == 1 and old.decomposition(c) == unicodedata.decomposition(c)
        corrections.append((code, ord(old.normalize("NFD", c))))
out.write("/// Characters whose normalisation was corrected after 3.2.0, and what they became before.\n")
emit("CORRECTIONS_3_2_0", "(u32, u32)", map(str, corrections))
emit("NUMERIC_VALUES", "f64", (repr(v) for v in numeric_values))

# Names: see `names.rs` for the layout of names.bin.
prefixes = []
spans = []
entries = []


def lookup(name):
    try:
        return unicodedata.lookup(name)
    except KeyError:
        return ""


for code in range(LIMIT):
    c = chr(code)
    name = unicodedata.name(c, "")
    if code in HANGUL:
        continue
    suffix = "-%X" % code
    if name.endswith(suffix) or not name and lookup("TANGUT IDEOGRAPH" + suffix) == c:
        prefix = name.removesuffix(suffix) if name else "TANGUT IDEOGRAPH"
        if spans and spans[-1][1] == code - 1 and spans[-1][2:] == [prefix, bool(name)]:
            spans[-1][1] = code
        else:
            spans.append([code, code, prefix, bool(name)])
    elif name:
        entries.append((code, name))
out.write("/// First and last of characters named by a prefix and their number, and whether `name` knows them.\n")
emit("NUMBERED_NAMES", "(u32, u32, &str, bool)",
     ('(%d, %d, "%s", %s)' % (a, b, prefix, str(named).lower()) for a, b, prefix, named in spans))
targets = []
for line in open(aliases_path):
    name, codes = line.rstrip("\n").split(";")
    entries.append((LIMIT + len(targets), name))
    targets.append("&%s" % [int(p, 16) for p in codes.split()])
emit("ALIASES", "&[u32]", targets)
out.close()
words = collections.Counter(word for _, name in entries for word in name.split(" "))
order = [word for word, _ in words.most_common()]
number = {word: n for n, word in enumerate(order)}
SHORT = 48
encoded = bytearray()
starts = []
for _, name in entries:
    starts.append(len(encoded))
    parts = name.split(" ")
    for at, word in enumerate(parts):
        last = 0x80 if at == len(parts) - 1 else 0
        n = number[word]
        if n < SHORT:
            encoded.append(last | n)
        else:
            encoded.append(last | SHORT + (n - SHORT >> 8))
            encoded.append(n - SHORT & 0xff)
lexicon = bytearray()
word_ends = []
for word in order:
    lexicon += word.encode("ascii")
    word_ends.append(len(lexicon))
by_name = sorted(range(len(entries)), key=lambda n: entries[n][1].encode("ascii"))


def integers(values, width):
    return b"".join(v.to_bytes(width, "little") for v in values)


with open(out_dir + "/names.bin", "wb") as names:
    sections = [integers((code for code, _ in entries), 3), integers(starts, 3), integers(by_name, 2), bytes(encoded),
                integers(word_ends, 3), bytes(lexicon)]
    names.write(integers([len(entries), len(encoded), len(order)], 4))
    for section in sections:
        names.write(section)
