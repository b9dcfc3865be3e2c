"""Prints, for the tests of `text/unicode`, CRC-32 checksums over all code points of what the running interpreter says."""
import unicodedata
import zlib

old = unicodedata.ucd_3_2_0
ALL = [chr(code) for code in range(0x110000)]


def hexes(text):
    return " ".join("%X" % ord(c) for c in text)


def flag(value):
    return "01"[bool(value)]


def number(value):
    return "-" if value is None else str(int(value * 1000 + 0.5))


QUESTIONS = {
    "types": lambda c: "".join(map(flag, (
        c.isalpha(), c.isdecimal(), c.isdigit(), c.isnumeric(), c.isspace(), c.isprintable(), c.isupper(), c.islower(),
        c.istitle(), c.isidentifier(), ("a" + c).isidentifier(), c.isalnum()))),
    "cases": lambda c: ",".join(map(hexes, (c.upper(), c.lower(), c.title(), c.casefold(), c.swapcase(),
                                            c.capitalize()))),
    "sigma": lambda c: ",".join(map(hexes, (("A" + c + "\u03a3").lower(), ("A\u03a3" + c).lower(),
                                            (c + "\u03a3b").title()))),
    "database": lambda c: "%s,%s,%d,%d,%s" % (unicodedata.category(c), unicodedata.bidirectional(c),
                                              unicodedata.combining(c), unicodedata.mirrored(c),
                                              unicodedata.east_asian_width(c)),
    "values": lambda c: "%s,%s,%s" % (unicodedata.decimal(c, "-"), unicodedata.digit(c, "-"),
                                      number(unicodedata.numeric(c, None))),
    "decomposition": unicodedata.decomposition,
    "normal": lambda c: ",".join(hexes(unicodedata.normalize(form, c)) for form in ("NFC", "NFD", "NFKC", "NFKD")),
    "marks": lambda c: ",".join(hexes(unicodedata.normalize(form, text)) for form in ("NFC", "NFKC")
                                for text in ("e" + c + "\u0301", c + "\u0316\u0300", "\u1100" + c, "\uac00" + c)),
    "names": lambda c: unicodedata.name(c, ""),
    "database_3_2_0": lambda c: "%s,%s,%d,%d,%s,%s,%s" % (
        old.category(c), old.bidirectional(c), old.combining(c), old.mirrored(c), old.east_asian_width(c),
        old.decimal(c, "-"), number(old.numeric(c, None))),
    "normal_3_2_0": lambda c: ",".join(hexes(old.normalize(form, c)) for form in ("NFC", "NFD", "NFKC", "NFKD")),
}
for name, ask in QUESTIONS.items():
    total = 0
    for c in ALL:
        total = zlib.crc32((ask(c) + "\n").encode(), total)
    print("%s: 0x%08x" % (name, total))
