"""Source text to tokens, tree, bytecode and execution.

An input is a program of `programs.py`, or an excerpt of a file of the corpus with some tokens or characters replaced.
"""

import ast
import importlib.util
import io
import os
import re
import sys
import tokenize

import programs

TOKEN = re.compile(r'''
    [rRbBuUfFtT]{0,2}(?:\'\'\'[\s\S]*?\'\'\'|"""[\s\S]*?"""|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    | \#[^\n]* | \w+ | \.\.\. | \*\*=? | //=? | >>=? | <<=? | -> | :=
    | [-+*/%@&|^=!<>]=? | [ \t\f]+ | \n[ \t]* | [^\w\s]
''', re.X)
WORDS = '''False None True and as assert async await break class continue def del elif else except finally for from global
    if import in is lambda nonlocal not or pass raise return try while with yield match case type _ print exec self x
    super __class__ __debug__ __future__ int str 0 1 42 0x1F 0o17 0b1 1_000 1.5 1e3 2j 0777 1_ 0xg 1e 0b2 1__0 5a 1if 1e400 9**9
    "s" 'it' b"b" r"\\d" "\\d" "\\x" "\\N{foo}" f"{x}" f"{x!r}" f"{x" f"{x:{y}}" f"{}" f"{x=}" t"{x}" u"u" """ \''' " '
    ( ) [ ] { } : , ; . ... -> := = == != <> < > <= >= + - * ** / // % @ & | ^ ~ << >> += -= *= **= //= >>= @= ! ? $
    `'''.split()
CHARACTERS = [*'()[]{}:,;.=+-*/\\\'"#@!?$`~ \t\n\f\r_aZ09', '\0', 'é', '€', '²', '·', '٣', '\xa0', '\u2028', '“', '𝐱', '😀', '\ud800', '\ufeff']
LIBRARY = """abc argparse ast base64 bisect calendar cmd codecs collections colorsys configparser contextlib copy csv dataclasses
    datetime decimal difflib dis enum fileinput fractions ftplib functools gettext glob graphlib gzip heapq html http.client
    imaplib inspect io ipaddress json.decoder keyword linecache locale logging mailbox mimetypes numbers operator optparse
    pickle pickletools plistlib pprint queue random re._parser reprlib sched shelve shlex statistics string stringprep
    tabnanny tarfile textwrap timeit token tokenize traceback types typing uuid warnings weakref xml.dom.minidom zipfile
    _pydecimal _pydatetime _pyio _collections_abc _strptime _threading_local asyncio.base_events unittest.mock""".split()

texts = []
vocabulary = None


def prepare(corpus):
    global vocabulary
    vocabulary = programs.Vocabulary()
    for name in LIBRARY:
        spec = importlib.util.find_spec(name)
        source = spec and spec.loader.get_source(name)
        if source:
            texts.append(source)
    for folder, _, names in sorted(os.walk(corpus)) if corpus else ():
        for name in sorted(names):
            if name.endswith(".py"):
                try:
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        texts.append(file.read(1 << 20))
                except (OSError, UnicodeDecodeError):
                    pass


def excerpt(rnd):
    """Some statements that belong together: from one line that is not indented to another."""
    text = rnd.choice(texts)
    starts = [match.start() for match in re.finditer(r"^[^\s#)\]}]", text, re.M)] or [0]
    at = rnd.randrange(len(starts))
    end = at + rnd.randrange(1, 6)
    return text[starts[at]:starts[end] if end < len(starts) else len(text)][:6000]


def mutated(rnd):
    text = excerpt(rnd)
    if rnd.random() < 0.3:
        text += excerpt(rnd)
    for _ in range(rnd.choice([0, 1, 1, 1, 2, 3, 8])):
        way = rnd.randrange(9)
        tokens = TOKEN.findall(text)
        if not tokens:
            break
        at, other = rnd.randrange(len(tokens)), rnd.randrange(len(tokens))
        if way == 0:
            del tokens[at]
        elif way == 1:
            tokens.insert(at, tokens[other])
        elif way == 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif way in (3, 4):
            tokens[at] = rnd.choice(WORDS) + " "
        elif way == 5:
            tokens[at:at] = TOKEN.findall(excerpt(rnd))[:rnd.randrange(1, 60)]
        elif way == 6:
            low, high = sorted((at, other))
            tokens[low:min(high, low + 40)] = tokens[low:low + 12] * rnd.choice([2, 3, 40, 400])
        elif way == 7:
            tokens[at] = rnd.choice(["(", "[", "{", "-", "not ", "lambda:", "x.", "f(", "await ", "*", "f'{"]) * rnd.choice([3, 100, 5000])
        else:
            characters = list("".join(tokens))
            characters[rnd.randrange(len(characters))] = rnd.choice(CHARACTERS)
            tokens = characters
        text = "".join(tokens)
    return text


def generate(rnd):
    if rnd.random() < 0.6:
        text = programs.Program(rnd, vocabulary).text()
    else:
        text = mutated(rnd)
    return text.encode("utf-8", "surrogatepass")


def execute(data):
    names = programs.namespace()
    if data.startswith(b"# program\n"):
        exec(compile(data, "<program>", "exec"), names)
        return
    way = len(data) % 4
    if way == 0:
        for _ in tokenize.tokenize(io.BytesIO(data).readline):
            pass
    tree = compile(data, "<source>", "exec", ast.PyCF_ONLY_AST)
    if way == 1:
        data = ast.unparse(tree)
        repr(tree)
    code = compile(tree if way == 2 else data, "<source>", "exec", dont_inherit=True, optimize=len(data) % 3)
    names |= {"__name__": "__fuzz__", "sys": sys}
    exec(code, names)
    for value in list(names.values()):
        if getattr(value, "__module__", None) == "__fuzz__" and callable(value):
            try:
                value()
            except Exception:
                pass
