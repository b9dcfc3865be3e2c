"""A JSON parser and printer by hand, checked against the library's."""

import json
import math
import random
import string


class JSONError(ValueError):
    def __init__(self, message, text, at):
        line = text.count("\n", 0, at) + 1
        column = at - (text.rfind("\n", 0, at) + 1) + 1
        super().__init__(f"{message} at line {line} column {column}")
        self.at = at


class Parser:
    ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
    WORDS = {"true": True, "false": False, "null": None}

    def __init__(self, text, max_depth=200):
        self.text, self.at, self.depth, self.max_depth = text, 0, 0, max_depth

    def error(self, message, at=None):
        return JSONError(message, self.text, self.at if at is None else at)

    def space(self):
        text, at = self.text, self.at
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        self.at = at
        return text[at] if at < len(text) else ""

    def parse(self):
        value = self.value()
        if self.space():
            raise self.error("extra data")
        return value

    def value(self):
        char = self.space()
        match char:
            case "{":
                return self.nested(self.object)
            case "[":
                return self.nested(self.array)
            case '"':
                return self.string()
            case "":
                raise self.error("unexpected end")
            case _ if char == "-" or char.isdigit():
                return self.number()
            case _:
                for word, value in self.WORDS.items():
                    if self.text.startswith(word, self.at):
                        self.at += len(word)
                        return value
                raise self.error(f"unexpected {char!r}")

    def nested(self, method):
        self.depth += 1
        if self.depth > self.max_depth:
            raise self.error("too deep")
        self.at += 1
        try:
            return method()
        finally:
            self.depth -= 1

    def object(self):
        result = {}
        if self.space() == "}":
            self.at += 1
            return result
        while True:
            if self.space() != '"':
                raise self.error("expected a name")
            name = self.string()
            if self.space() != ":":
                raise self.error("expected ':'")
            self.at += 1
            result[name] = self.value()
            match self.space():
                case ",":
                    self.at += 1
                case "}":
                    self.at += 1
                    return result
                case _:
                    raise self.error("expected ',' or '}'")

    def array(self):
        result = []
        if self.space() == "]":
            self.at += 1
            return result
        while True:
            result.append(self.value())
            char = self.space()
            self.at += 1
            if char == "]":
                return result
            if char != ",":
                self.at -= 1
                raise self.error("expected ',' or ']'")

    def string(self):
        start = self.at
        parts, at, text = [], start + 1, self.text
        while True:
            begin = at
            while at < len(text) and text[at] not in '"\\' and text[at] >= " ":
                at += 1
            parts.append(text[begin:at])
            if at >= len(text):
                raise self.error("string never ends", start)
            if text[at] == '"':
                self.at = at + 1
                return "".join(parts)
            if text[at] != "\\":
                raise self.error("control character", at)
            escape = text[at + 1:at + 2]
            if escape == "u":
                code = self.hex4(at + 2)
                at += 6
                if 0xD800 <= code < 0xDC00 and text[at:at + 2] == "\\u":
                    low = self.hex4(at + 2)
                    if 0xDC00 <= low < 0xE000:
                        code = 0x10000 + ((code - 0xD800) << 10 | low - 0xDC00)
                        at += 6
                parts.append(chr(code))
            elif escape in self.ESCAPES and escape:
                parts.append(self.ESCAPES[escape])
                at += 2
            else:
                raise self.error(f"bad escape \\{escape}", at)

    def hex4(self, at):
        digits = self.text[at:at + 4]
        if len(digits) != 4 or not all(digit in string.hexdigits for digit in digits):
            raise self.error("bad \\u escape", at)
        return int(digits, 16)

    def digits(self, at):
        begin = at
        while at < len(self.text) and self.text[at] in "0123456789":
            at += 1
        if at == begin:
            raise self.error("expected a digit", at)
        return at

    def number(self):
        text, begin = self.text, self.at
        at = begin + (text[begin] == "-")
        at = at + 1 if text[at:at + 1] == "0" else self.digits(at)
        kind = int
        if text[at:at + 1] == ".":
            kind, at = float, self.digits(at + 1)
        if text[at:at + 1] in ("e", "E"):
            at += 1
            if text[at:at + 1] in ("+", "-"):
                at += 1
            kind, at = float, self.digits(at)
        self.at = at
        return kind(text[begin:at])


def dumps(value, indent=0, level=0):
    pad, end, newline = " " * indent * (level + 1), " " * indent * level, "\n" if indent else ""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + "".join(map(escape, value)) + '"'
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            raise ValueError(f"no JSON for {value}")
        return repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        items = [pad + dumps(item, indent, level + 1) for item in value]
        left, right = "[]"
    elif isinstance(value, dict):
        items = [f"{pad}{dumps(str(key))}: {dumps(item, indent, level + 1)}" for key, item in value.items()]
        left, right = "{}"
    else:
        raise TypeError(f"no JSON for {type(value).__name__}")
    if not items:
        return left + right
    return left + newline + ("," + (newline or " ")).join(items) + newline + end + right


def escape(char):
    code = ord(char)
    if char in '"\\':
        return "\\" + char
    if char in "\n\t\r\b\f":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}[char]
    if code < 32 or code > 126:
        if code > 0xFFFF:
            code -= 0x10000
            return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
        return f"\\u{code:04x}"
    return char


def random_value(rng, depth):
    kind = rng.randrange(7 if depth else 5)
    match kind:
        case 0:
            return rng.choice([None, True, False])
        case 1:
            return rng.randrange(-10**12, 10**12)
        case 2:
            return round(rng.uniform(-1e6, 1e6), rng.randrange(8))
        case 3 | 4:
            alphabet = string.printable + "äß€\U0001F600\x00"
            return "".join(rng.choice(alphabet) for _ in range(rng.randrange(12)))
        case 5:
            return [random_value(rng, depth - 1) for _ in range(rng.randrange(5))]
        case _:
            return {f"k{i}": random_value(rng, depth - 1) for i in range(rng.randrange(5))}


def main():
    document = """
    {"name": "taipan", "tags": ["fast", "\\u0073afe", "\\ud83d\\ude00"], "nested": {"a": [1, 2.5, -3e2, 0], "b": {}},
     "empty": [], "yes": true, "no": false, "none": null, "escape": "\\"\\\\\\/\\b\\f\\n\\r\\t"}
    """
    value = Parser(document).parse()
    assert value == json.loads(document)
    print(dumps(value))
    print(dumps(value, indent=2))

    bad = ['{"a" 1}', "[1, 2", "[1 2]", '{"a": }', '"abc', '"\\x"', '"\\u12g4"', "tru", "01", "1.", "-", "[1],", '{,}',
           '"\n"', "\n\n  ?", "[" * 300]
    for text in bad:
        try:
            print("accepted", Parser(text).parse())
        except JSONError as error:
            print(f"{text[:12]!r:>18}: {error} (offset {error.at})")

    rng = random.Random(2024)
    total = 0
    for _ in range(300):
        value = random_value(rng, 4)
        text = dumps(value, indent=rng.choice([0, 2]))
        assert Parser(text).parse() == value
        assert json.loads(text) == value
        assert Parser(json.dumps(value)).parse() == value
        if isinstance(value, (list, dict)):
            assert dumps(value, indent=4) == json.dumps(value, indent=4)
        total += len(text)
    print("round trips:", total, "characters")


main()
