"""Writes `_sre/engine/cases.tsv`: patterns' code arrays and what CPython matches with them.

Usage: python3.14 sre_cases.py OUTPUT [COUNT SEED], the latter for so many random patterns instead of the chosen ones.
Fields: pattern, code, groups, text (code points), method, outcome. The outcome of a match is the spans of the groups
and lastindex; that of `findall` the spans of all matches.
"""
import random
import re
import sys
import warnings
from re import _compiler, _parser

warnings.simplefilter("ignore")
PATTERNS = r"""
abc|a.c|a*|a+b|a??b|(a)(b)?|(?:a|b)*c|(a|ab)(c|bcd)(d*)|(?:(a)|b)*|(?:(a)|(b)|c)*?$|x*y*z*|[a-c]+|[^a-c]+|\d+|\D+|\w+\s\w+
^a|a$|\Aab|b\Z|(?m)^b|(?m)a$|\bword\b|\Bor|\B|\b|(?i)AbC|(?i)straße|(?i)[k-s]+|(?i)ſ|(?i)K|(?is)a.B|(?s).+|(?a)\w+|(?ai)[a-z]+
(a)\1|(a*)\1b|(?i)(a)\1|(?P<x>a)(?P=x)|(a)?(?(1)b|c)|(a)?(?(1)b)|(?=ab)a|(?!ab)a|(?<=a)b|(?<!a)b|(?=(a+))\1b|(?<=(a))b|(?!(a)b)a
a{2,3}|a{2,3}?|(?:ab){2}|(?:ab){1,2}?c|(?:a|b){2,3}c|(?:a?)*b|(?:a*)*b|(?:a*)+b|(?:a*?)*?b|(a?)*|(a?)+?b|(?>a*)ab|(?>a|ab)c|a*+a|a++b
(?:ab)*+a|(?:ab)++c|(a|b)*+b|(?:a?){2,5}+|(a?)*+b|(?>(a|b)*)c|((a)|(b))*c|(?:(?=(a))a)+|(?:(a)(?!b))*|(.)*?b|(.*)b|(.*?)b|.*?bc|[^b]*b
(?:ab|cd|ef|gh)+|foo|foobar|fo+|(?:foo|bar|baz|qux|b)|(?:foo|bar)baz|(foo|bar)*|[é-ü]+|[\u0100-\u0200]+|[^\u0100]+|[\U0001f600-\U0001f64f]|€+|(?i)[à-ý]|(?i)É
"(?:\\.|[^"\\])*"|<(\w+)[^>]*>.*?</\1>|(\d+)-(\d+)|\s+|\S+|(?:\w+\s)*\w+$|(a+)+b|(a|aa)+$|^(?:a|b|ab)*$|(?:^|x)a|(?:a|^b)+|a|b|c||x?|(|a)+|(a|)+
(?:.(a))*?b|(?:(a)|b(?=(c))c)*|(?:x(?:(a)|(b))y)*|((?:a|b)+)(b)|(?<=a.c)d|(?<![ab])c|(?<!^)a|(?:(?<=a)b|a)*|[]-a]+|[a\]]+|[\s\S]|[\d\-x]+|[^\W\d_]+
(?i:a)b|a(?i:b)c|(?-i:a)b|(?s:.)|.|(?m:^)a|\n|a\n|$|\n$|(?m)$|(?m)^|^$|a|(?i)ǆ|(?i)σ|(?i)İ|(?i)ı|[\x00-\xff]+|[^\x00-\x7f]+|\x80|(?u)\d|(?a)\d
(?:a{0,2}b){2}|(?:[ab]{1,2}c)+|(?:a{,3}?b)*|(?>a{2,}?)b|((a*)*)*|(a(b(c)?)?)?|(?:a(?:b(?:c|d)|e)|f)+|(?(1)a|b)(c)?|(c)?(?:(?(1)a|b))+|()|()*|(?:)*x|(?:()|a)+|(?:a|())*?b
""".replace("\n", "|~")
TEXTS = ["", "a", "b", "ab", "aab", "abc", "abcd", "aaab", "abab", "ababc", "abbab", "caab", "xaaby", "xyz", "a\n", "\na", "ab\nab\n",
         "Straße STRASSE straSSe", "word or words", "foobarbaz foo bar", "aébÉüÜ€ĀāȀ", "kKſsS\u212a", "σςΣ", "ǅǆǄ", "iIİı",
         "\U0001f600\U0001f64fa\U00010428\U00010400", "\"a\\\"b\" \"c", "<b x='1'>t</b><i></b>", "12-34 5-6 ٣٤", "a b  c\td", "aaaaaaa", "aaaabaaaa",
         "abcabdabeff", "x\x80\xff\x00", "ccabcacb", "xayxby", "abacad", "a_1 é2", "-]a", "abcdefgh"]


def split(text):
    """The patterns: a bar outside of brackets separates them."""
    depth = start = at = 0
    while at < len(text):
        c = text[at]
        if c == "\\":
            at += 1
        elif c == "[":
            at += 1 + (text[at + 1] == "^")
            at += text[at] == "]"
            while text[at] != "]":
                at += 1 + (text[at] == "\\")
        elif c == "(":
            depth += 1
        elif c == ")":
            depth -= 1
        elif c == "|" and depth == 0:
            yield text[start:at].removeprefix("~")
            start = at + 1
        at += 1
    yield text[start:].removeprefix("~")


def random_pattern(rng, depth=0):
    """A pattern over few letters, with everything that the engine has an instruction for."""
    kind = rng.random()
    if depth > 3 or kind < 0.35:
        return rng.choice(["a", "b", "c", "ab", ".", "[ab]", "[^a]", r"\w", r"\d", "^", "$", r"\b", r"\B", "[a-c]", "é", "[é€]", "K", "[^k]",
                           r"\1", r"\2", "\n", r"\s", "A", "1"])
    inner = lambda: random_pattern(rng, depth + 1)
    if kind < 0.5:
        return inner() + inner()
    if kind < 0.6:
        return "(?:" + "|".join(inner() for _ in range(rng.randint(2, 5))) + ")"
    if kind < 0.7:
        return "(" + inner() + ")"
    if kind < 0.9:
        return "(?:" * (wrap := rng.random() < 0.6) + inner() + ")" * wrap + rng.choice(["*", "+", "?", "{2}", "{1,3}", "{2,}", "{0,2}"]) + rng.choice(["", "", "?", "+"])
    return rng.choice(["(?=%s)", "(?!%s)", "(?<=a)%s", "(?<!b)%s", "(?>%s)", "(?(1)%s|b)", "(?(1)%s)", "(?i:%s)", "(?<=%s)"]) % inner()


def cases():
    if len(sys.argv) > 2:
        rng = random.Random(int(sys.argv[3]))
        for _ in range(int(sys.argv[2])):
            pattern = "".join(random_pattern(rng) for _ in range(rng.randint(1, 3)))
            flags = rng.choice([0, 0, 0, re.I, re.M, re.S, re.A, re.I | re.A])
            texts = ["".join(rng.choice("aaabbbcAB1 \né€kK\u212a\U0001f600"[:rng.choice([3, 6, 9, 12, 20])]) for _ in range(rng.randint(0, 9)))
                     for _ in range(4)]
            yield pattern, flags, texts
        return
    rng = random.Random(5)
    for pattern in split(PATTERNS):
        yield pattern, 0, rng.sample(TEXTS, 5)
    for pattern in (rb"a\xffb*", rb"(?L)\w+", rb"(?Li)a\xe9", rb"(?Li)[a-f]+", rb"(?Li)(a)\1", rb"\W", rb"(?i)\xe9|a", rb"(?L)\b\w", rb"[\x80-\xff]"):
        yield pattern, 0, [b"a\xffbbb", b"AaBf\xe9", b"\xe9\xc9", b"a b"]


def spans(match):
    if match is None:
        return "-"
    return " ".join("%d:%d" % match.span(group) for group in range(match.re.groups + 1)) + " %d" % (match.lastindex or 0)


with open(sys.argv[1], "w") as out:
    for pattern, flags, texts in cases():
        try:
            compiled = re.compile(pattern, flags)
            parsed = _parser.parse(pattern, flags)
        except (re.error, OverflowError, RecursionError):
            continue
        code = ",".join("%x" % int(word) for word in _compiler._code(parsed, flags))
        for text in texts:
            codes = ",".join("%x" % (ord(c) if isinstance(c, str) else c) for c in text)
            for method in ("match", "fullmatch", "search"):
                print(ascii(pattern), code, compiled.groups, codes, method, spans(getattr(compiled, method)(text)), sep="\t", file=out)
            found = " ".join("%d:%d" % match.span() for match in compiled.finditer(text))
            print(ascii(pattern), code, compiled.groups, codes, "findall", found, sep="\t", file=out)
