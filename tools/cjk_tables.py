"""Writes the tables of the East Asian codecs, by asking CPython's codecs for all sequences of bytes and all characters.

Run with CPython 3.14: python3.14 tools/cjk_tables.py crates/stdlib/src/_multibytecodec/tables

Each file has lines of a sign, a code in hexadecimal, a space, and the characters at that code and the codes after it (the
last byte counts). Signs:
    =  the code stands for the character and the other way round
    <  the code is only decoded to the character
    >  the character is only encoded as the code
    &  the code stands for two characters together (one such code per line)
    -  so many codes (a decimal number) from this one on mean nothing, though they do in the base
    ~  the base's `>` for the character does not hold
The first line names the table that the file is added to, or `none`.
"""

import pathlib
import sys

# The encodings with the tables that they extend. What an algorithm does (GB18030's four bytes, EUC-KR's made-up
# syllables) is in no table.
BASES = {
    "gb2312": None,
    "gbk": "gb2312",
    "gb18030": "gbk",
    "big5": None,
    "cp950": "big5",
    "big5hkscs": "big5",
    "shift_jis": None,
    "cp932": "shift_jis",
    "shift_jis_2004": "shift_jis",
    "shift_jisx0213": "shift_jis_2004",
    "euc_jp": None,
    "euc_jis_2004": "euc_jp",
    "euc_jisx0213": "euc_jis_2004",
    "euc_kr": None,
    "cp949": "euc_kr",
    "johab": None,
}


def decoded(encoding, code):
    try:
        return code.decode(encoding)
    except UnicodeDecodeError:
        return None


def decoding_table(encoding):
    """The texts of all codes of one or two bytes, and of three after 0x8F; identical ASCII is left out."""
    singles = [bytes([b]) for b in range(256)]
    codes = singles + [lead + bytes([trail]) for lead in singles if decoded(encoding, lead) is None for trail in range(256)]
    if encoding.startswith("euc_j"):
        codes += [bytes([0x8F, a, b]) for a in range(0x80, 256) for b in range(256)]
    table = {code: decoded(encoding, code) for code in codes}
    return {code: text for code, text in table.items() if text and text != code.decode("latin-1")[:1] * (code < b"\x80")}


def encoding_table(encoding):
    table = {}
    for point in range(0x110000):
        if not 0xD800 <= point < 0xE000:
            try:
                code = chr(point).encode(encoding)
            except UnicodeEncodeError:
                continue
            if len(code) < 4 and (point >= 0x80 or code != bytes([point])):
                table[chr(point)] = code
    return table


def entries(encoding):
    """The signs, codes and texts of a table."""
    decoding, encoding_ = decoding_table(encoding), encoding_table(encoding)
    table = {}
    for code, text in decoding.items():
        if len(text) > 1:
            table["&", code] = text
        elif encoding_.get(text) == code:
            table["=", code] = text
        else:
            table["<", code] = text
    for text, code in encoding_.items():
        if decoding.get(code) != text:
            table[">", code] = text
    return table


def runs(table):
    """Joins what follows each other."""
    last = None
    for (sign, code), text in sorted(table.items()):
        number = int.from_bytes(code)
        if last and sign == last[0] and sign != "&" and number == last[2] and number & 0xFF:
            last[2] += 1
            last[3].append(text)
            continue
        if last:
            yield last
        last = [sign, code, number + 1, [text]]
    if last:
        yield last


def main(directory):
    known = {}
    for name, base in BASES.items():
        table = known[name] = entries(name)
        before = known[base] if base else {}
        lines = [base or "none"]
        codes = {code for _, code in table}
        gone = {("-", code): "" for sign, code in before if code not in codes and sign != ">"}
        new = {key: text for key, text in table.items() if before.get(key) != text}
        for sign, code, _, texts in runs(gone):
            lines.append(f"{sign}{code.hex()} {len(texts)}")
        for sign, code, _, texts in runs(new):
            lines.append(f"{sign}{code.hex()} {''.join(texts)}")
        for sign, code in before:
            if sign == ">" and (sign, code) not in table and table.get(("=", code)) != before[sign, code]:
                lines.append(f"~{code.hex()} {before[sign, code]}")
        pathlib.Path(directory, f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
