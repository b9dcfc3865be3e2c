"""A JSON parser by hand: string indexing, slices, dictionaries, recursion."""

from harness import run

WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
SPACE = frozenset(" \n\r\t")
NUMBER = frozenset("-+.eE0123456789")


def make_document():
    out, seed = [], 42
    for number in range(250):
        seed = (seed * 1103515245 + 12345) % 2147483648
        out.append('{"id": %d, "name": "user %d", "score": %.3f, "tags": ["a%d", "b\\n", "\\u00e9"], "ok": %s, "parent": null}'
                   % (number, seed % 997, seed / 7919, seed % 13, "true" if seed % 2 else "false"))
    return "[\n  " + ",\n  ".join(out) + "\n]"


def skip(text, at):
    while text[at] in SPACE:
        at += 1
    return at


def parse(text, at):
    at = skip(text, at)
    char = text[at]
    if char == "{":
        result = {}
        at = skip(text, at + 1)
        if text[at] == "}":
            return result, at + 1
        while True:
            key, at = parse_string(text, skip(text, at) + 1)
            at = skip(text, at)
            assert text[at] == ":"
            result[key], at = parse(text, at + 1)
            at = skip(text, at)
            if text[at] == "}":
                return result, at + 1
            at += 1
    if char == "[":
        result = []
        at = skip(text, at + 1)
        if text[at] == "]":
            return result, at + 1
        while True:
            value, at = parse(text, at)
            result.append(value)
            at = skip(text, at)
            if text[at] == "]":
                return result, at + 1
            at += 1
    if char == '"':
        return parse_string(text, at + 1)
    if char in WORDS:
        word, value = WORDS[char]
        return value, at + len(word)
    end = at
    while text[end] in NUMBER:
        end += 1
    number = text[at:end]
    return (float(number) if "." in number else int(number)), end


def parse_string(text, at):
    parts = []
    while True:
        begin = at
        char = text[at]
        while char != '"' and char != "\\":
            at += 1
            char = text[at]
        parts.append(text[begin:at])
        if char == '"':
            return "".join(parts), at + 1
        escape = text[at + 1]
        if escape == "u":
            parts.append(chr(int(text[at + 2:at + 6], 16)))
            at += 6
        else:
            parts.append({"n": "\n", "t": "\t"}.get(escape, escape))
            at += 2


DOCUMENT = make_document()


def work():
    value, _ = parse(DOCUMENT, 0)
    return len(value), sum(user["id"] for user in value), value[7]["name"], round(sum(user["score"] for user in value), 3)


run(work)
