"""Compares what CPython and another interpreter say about mutated programs.

    python3.14 mutants.py PYTHON [--seed N] [--count N] [--whole] [--only INDEX] [--show N] FOLDER...

PYTHON is the interpreter to compare. A mutant is a run of statements of some file, or with --whole a whole file, in which
one to three tokens, characters or lines were deleted, doubled, swapped or replaced, a line was indented otherwise, or the
end was cut off. Mutant INDEX of a seed and folders is always the same.
"""

import argparse
import ast
import collections
import random
import re
import sys
import time

import outcome
import stages

BATCH = 500
TOKEN = re.compile(r'''
    [rRbBuUfFtT]{0,2}(?:\'\'\'[\s\S]*?\'\'\'|"""[\s\S]*?"""|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    | \#[^\n]* | \w+ | \.\.\. | \*\*=? | //=? | >>=? | <<=? | -> | :=
    | [-+*/%@&|^=!<>]=? | [ \t\f]+ | \n[ \t]* | [^\w\s]
''', re.X)
WORDS = '''False None True and as assert async await break class continue def del elif else except finally for from global
    if import in is lambda nonlocal not or pass raise return try while with yield match case type _ print exec self x
    super __class__ __debug__ __future__ int str 0 1 42 0x1F 0o17 0b1 1_000 1.5 1e3 2j 0777 1_ 0xg 1e 0b2 1__0 5a 1if
    "s" 'it' b"b" r"\\d" "\\d" "\\x" "\\N{foo}" f"{x}" f"{x!r}" f"{x" f"{x:{y}}" f"{}" f"{x=}" t"{x}" u"u" """ \''' " '
    ( ) [ ] { } : , ; . ... -> := = == != <> < > <= >= + - * ** / // % @ & | ^ ~ << >> += -= *= **= //= >>= @= ! ? $
    `'''.split()
CHARACTERS = [*'()[]{}:,;.=+-*/\\\'"#@!?$`~ \t\n\f\r_aZ09', '\0', 'é', '€', '²', '·', '٣', '\xa0', '\u2028', '“', '𝐱', '😀']


def sources(folders):
    """Path and text of the files that are UTF-8 and compile."""
    for path in stages.files(folders):
        try:
            with open(path, 'rb') as f:
                data = f.read()
            text = data.decode()
        except UnicodeDecodeError:
            continue
        if 0 < len(text) < 300_000 and '\0' not in text:
            yield path, text.replace('\r\n', '\n').removeprefix('\ufeff')


class Corpus:
    def __init__(self, folders):
        self.files = list(sources(folders))
        self.pieces = {}

    def excerpt(self, rnd, whole):
        path, text = rnd.choice(self.files)
        if whole:
            return path, text
        if path not in self.pieces:
            self.pieces[path] = list(pieces(text))
        return path, rnd.choice(self.pieces[path] or [text[:2000]])


def pieces(text):
    """Statements of a module or class, as text without indentation."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, RecursionError, ValueError):
        return
    lines = text.split('\n')
    blocks = [tree.body] + [node.body for node in ast.walk(tree) if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    for block in blocks:
        margin = block[0].col_offset if block else 0
        for statement in block:
            first = min([statement.lineno] + [d.lineno for d in getattr(statement, 'decorator_list', ())])
            if statement.end_lineno - first <= 60:
                part = lines[first - 1:statement.end_lineno]
                yield '\n'.join(line[margin:] if line[:margin].isspace() else line for line in part) + '\n'


def mutate(rnd, text):
    kinds = (token, token, token, token, character, character, line, indentation, truncation)
    for _ in range(rnd.choice((1, 1, 1, 2, 3))):
        text = rnd.choice(kinds)(rnd, text)
    return text


def token(rnd, text):
    tokens = TOKEN.findall(text)
    at = [i for i, t in enumerate(tokens) if not t.isspace() or '\n' in t]
    if not at:
        return text
    i = rnd.choice(at)
    match rnd.randrange(6):
        case 0:
            tokens[i] = ''
        case 1:
            tokens[i] += rnd.choice(('', ' ')) + tokens[i]
        case 2:
            j = rnd.choice(at[max(0, at.index(i) - 3):at.index(i) + 4])
            tokens[i], tokens[j] = tokens[j], tokens[i]
        case 3:
            tokens[i] = rnd.choice(WORDS)
        case 4:
            tokens[i] = tokens[rnd.choice(at)]
        case 5:
            tokens[i] = rnd.choice(('{0} {1}', '{1} {0}', '{0}{1}')).format(tokens[i], rnd.choice(WORDS))
    return ''.join(tokens)


def character(rnd, text):
    if not text:
        return text
    i = rnd.randrange(len(text))
    match rnd.randrange(4):
        case 0:
            return text[:i] + text[i + 1:]
        case 1:
            return text[:i] + text[i] + text[i:]
        case 2:
            return text[:i] + text[i + 1:i + 2] + text[i] + text[i + 2:]
        case _:
            return text[:i] + rnd.choice(CHARACTERS) + text[i + rnd.randrange(2):]


def line(rnd, text):
    lines = text.split('\n')
    i = rnd.randrange(len(lines))
    match rnd.randrange(4):
        case 0:
            del lines[i]
        case 1:
            lines.insert(i, lines[i])
        case 2:
            j = rnd.randrange(max(0, i - 2), min(len(lines), i + 3))
            lines[i], lines[j] = lines[j], lines[i]
        case 3:
            lines[i:i + 2] = [' '.join(lines[i:i + 2])]
    return '\n'.join(lines)


def indentation(rnd, text):
    lines = text.split('\n')
    i = rnd.randrange(len(lines))
    for j in range(i, min(len(lines), i + rnd.choice((1, 1, 3)))):
        body = lines[j].lstrip()
        margin = lines[j][:len(lines[j]) - len(body)]
        lines[j] = rnd.choice((margin + ' ', margin + '    ', margin + '\t', margin[1:], margin[4:], '',
                               margin.replace('    ', '\t'), margin + '\f')) + body
    return '\n'.join(lines)


def truncation(rnd, text):
    text = text[:rnd.randrange(len(text) + 1)]
    return text if rnd.random() < 0.5 else text + '\n'


def mutant(corpus, seed, index, whole):
    rnd = random.Random(f'{seed} {index}')
    path, text = corpus.excerpt(rnd, whole)
    data = mutate(rnd, text).encode()
    if rnd.random() < 0.01:
        at = rnd.randrange(len(data) + 1)
        data = data[:at] + bytes([rnd.randrange(128, 256)]) + data[at:]
    mode = rnd.choices(('exec', 'single', 'eval'), (90, 5, 5))[0]
    return path, (mode, data, rnd.choice((0, 0, 0, 1, 2)))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('python')
    parser.add_argument('folders', nargs='+')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=10_000)
    parser.add_argument('--whole', action='store_true')
    parser.add_argument('--only', type=int)
    parser.add_argument('--show', type=int, default=4)
    arguments = parser.parse_args()
    found = Corpus(arguments.folders)
    if arguments.only is not None:
        path, request = mutant(found, arguments.seed, arguments.only, arguments.whole)
        print(path, request[0], request[2], request[1].decode(errors='backslashreplace'), sep='\n')
        print(outcome.by(arguments.python, [request])[0], outcome.of(request), sep='\n')
        return
    counts, shown = collections.Counter(), collections.Counter()
    times = [0, 0]

    def differ(what, index, request, ours, theirs, group=None):
        counts[what] += 1
        group = group or what
        shown[group] += 1
        if shown[group] <= arguments.show:
            print(f'{what}: mutant {index}: {request[1][-300:]!r}\n  our {ours!r:.500}\n  CPy {theirs!r:.500}')

    for start in range(0, arguments.count, BATCH):
        indices = range(start, min(arguments.count, start + BATCH))
        requests = [mutant(found, arguments.seed, index, arguments.whole)[1] for index in indices]
        times[0] -= time.perf_counter()
        answers = outcome.by(arguments.python, requests)
        times[0] += time.perf_counter()
        for index, request, ours in zip(indices, requests, answers):
            times[1] -= time.perf_counter()
            theirs = outcome.of(request)
            times[1] += time.perf_counter()
            counts['mutants'] += 1
            if isinstance(ours, str):
                differ(ours, index, request, ours, theirs[0])
                continue
            if ours[3] != theirs[3]:
                differ('tokens', index, request, ours[3][1:], theirs[3][1:])
            if outcome.compiles(ours) != outcome.compiles(theirs):
                differ('compiles or not', index, request, ours[0], theirs[0])
                continue
            if outcome.compiles(theirs):
                counts['compile'] += 1
                if stages.code_texts(ours[0]) != stages.code_texts(theirs[0]):
                    differ('code', index, request, '', '')
            elif ours[0][:2] != theirs[0][:2]:
                differ('message', index, request, ours[0], theirs[0], f'{ours[0][1]} | {theirs[0][1]}')
            elif ours[0][2:6] != theirs[0][2:6]:
                differ('position', index, request, ours[0], theirs[0], f'position {ours[0][1]}')
            elif ours[0] != theirs[0]:
                differ('text', index, request, ours[0], theirs[0])
            if ours[1] != theirs[1]:
                differ('warnings', index, request, ours[1], theirs[1])
            if ours[2] != theirs[2]:
                if not (outcome.is_error(theirs[2]) and ours[0] == ours[2] and theirs[0] == theirs[2]):
                    differ('symbols', index, request, *outcome.first_difference(ours[2], theirs[2]))
    total = counts['mutants']
    print(f'seed {arguments.seed}: {total} mutants, {counts["compile"]} of them compile with both')
    for what in ('crash', 'compiles or not', 'message', 'position', 'text', 'warnings', 'code', 'symbols',
                 'tokens'):
        print(f'  {what + " agrees" if what != "crash" else "no crash"}: '
              f'{total - counts[what]} ({100 * (1 - counts[what] / total):.3f} %)')
    agree = total - sum(counts[what] for what in ('crash', 'compiles or not', 'message', 'position'))
    print(f'  all of the first four: {agree} ({100 * agree / total:.3f} %)')
    for group, number in shown.most_common(30):
        print(f'  {number:6} {group:.150}')
    print(f'  {times[0]:.1f} s for all of ours, {times[1]:.1f} s for CPython', file=sys.stderr)


if __name__ == '__main__':
    main()
