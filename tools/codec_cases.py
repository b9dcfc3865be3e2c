"""Writes `text/codecs/cases.tsv`: codec, direction, error handler, input, outcome, as CPython has it.

Usage: python3.14 codec_cases.py OUTPUT [COUNT [SEED]]. Directions: d decode, p decode what may go on (the outcome ends
with how much was used), e encode. Bytes are hexadecimal, text is code points in hexadecimal; an error is `!start-end reason`.
"""
import codecs
import random
import sys

random.seed(int(sys.argv[3]) if len(sys.argv) > 3 else 7)
count = int(sys.argv[2]) if len(sys.argv) > 2 else 40
CODECS = {"utf-8": b"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xed\xa0\x80\xff\xc0\xf4\x90", "utf-16-le": b"\0\0a\xd8\xdc\xac\x20",
          "utf-16-be": b"\0\0a\xd8\xdc\xac\x20", "utf-32-le": b"\0\0\0\0\0\x01\x10\x11\xd8a", "utf-32-be": b"\0\0\0\0\x01\x10\x11\xd8a",
          "utf-7": b"+++--2AAIKw/a \\~\x80!dADc", "ascii": b"ab\x80\xff", "latin-1": b"ab\x80\xff", "cp1252": b"ab\x80\x81\x8d",
          "unicode-escape": b"\\\\\\\\\\0173xuUNn{}0000aF\n'\xe9", "raw-unicode-escape": b"\\\\\\\\uuU0000001aF\xe9"}
CHARS = "ab+-~\\\n\t'\0\x7f\x80\xe9\xff\u0100\u20ac\ud800\udbff\udc80\udcff\udfff\uffff\U00010000\U0010ffff\U0001f600"
DECODE = ("strict", "ignore", "replace", "backslashreplace", "surrogateescape", "surrogatepass")
ENCODE = DECODE + ("xmlcharrefreplace", "namereplace")


def hexes(text):
    return " ".join("%x" % ord(c) for c in text)


def partial(codec):
    name = {"utf-8": "utf_8", "utf-16-le": "utf_16_le", "utf-16-be": "utf_16_be", "utf-32-le": "utf_32_le",
            "utf-32-be": "utf_32_be", "utf-7": "utf_7", "unicode-escape": "unicode_escape",
            "raw-unicode-escape": "raw_unicode_escape"}.get(codec)
    return name and getattr(codecs, name + "_decode")


with open(sys.argv[1], "w") as out:
    for codec, alphabet in CODECS.items():
        for direction in "dpe":
            if direction == "p" and not partial(codec):
                continue
            for turn in range(count):
                handler = random.choice(ENCODE if direction == "e" else DECODE)
                length = random.randint(1, 12)
                try:
                    if direction == "e":
                        text = "".join(random.choice(CHARS) for _ in range(length))
                        shown = hexes(text)
                        result = text.encode(codec, handler).hex()
                    else:
                        data = bytes(random.choice(alphabet) for _ in range(length))
                        if codec.endswith("escape") and turn % 3 == 0:
                            data = random.choice((b"\\x4", b"\\u20a", b"\\U0001f60", b"\\N{BULLET}", b"\\N{bull", b"\\77", b"\\u20ac")) + data
                        if codec == "utf-8" and turn % 3 == 0:
                            data = "".join(random.choice("aé€\U0001f600") for _ in range(4)).encode()[:length] + data[:3]
                        shown = data.hex()
                        if direction == "d":
                            result = hexes(data.decode(codec, handler))
                        else:
                            text, used = partial(codec)(data, handler, False)
                            result = "%s,%d" % (hexes(text), used)
                except UnicodeError as error:
                    result = "!%d-%d %s" % (error.start, error.end, error.reason)
                print(codec, direction, handler, shown, result, sep="\t", file=out)
