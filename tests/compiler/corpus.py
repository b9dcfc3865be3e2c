"""Compares the code objects, warnings and symbol tables of whole files with CPython's, at every level of optimisation.

    python3.14 corpus.py OUTCOMES CACHE FOLDER...

OUTCOMES is the program of that name, an example of crates/compiler. What CPython makes of the files is kept in CACHE.
"""

import hashlib
import io
import marshal
import os
import sys
import tokenize
import types

import code_objects
import outcome

LEVELS = 0, 1, 2


def files(folders):
    for folder in folders:
        for where, inner, names in os.walk(folder):
            inner.sort()
            for name in sorted(names):
                if name.endswith('.py'):
                    yield os.path.join(where, name)


def request(path):
    with open(path, 'rb') as f:
        data = f.read()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if encoding not in ('utf-8', 'utf-8-sig', 'iso-8859-1'):
            # Codecs are no part of the compiler.
            return 'exec', data.decode(encoding).encode(), outcome.IGNORE_COOKIE
    except (SyntaxError, UnicodeDecodeError):
        pass
    return 'exec', data, 0


def reference(cache, source):
    """The answers at all levels."""
    mode, data, flags = source
    kept = os.path.join(cache, hashlib.sha256(repr((sys.version, source)).encode()).hexdigest()[:32])
    try:
        with open(kept, 'rb') as f:
            return marshal.load(f)
    except FileNotFoundError:
        answers = tuple(outcome.expected((mode, data, level, flags), level == 0) for level in LEVELS)
        os.makedirs(cache, exist_ok=True)
        with open(kept, 'wb') as f:
            marshal.dump(answers, f)
        return answers


def code_count(code):
    return 1 + sum(code_count(c) for c in code.co_consts if isinstance(c, types.CodeType))


class Tally:
    def __init__(self):
        self.total = self.same = 0

    def add(self, same, what=None, path=None, ours=None, theirs=None):
        self.total += 1
        self.same += same
        if not same and what:
            print(f'{what} differs: {path}\n  our {ours!r:.600}\n  CPy {theirs!r:.600}')

    def __str__(self):
        return f'{self.same} of {self.total} ({100 * self.same / max(1, self.total):.3f} %)'


def main(program, cache, *folders):
    paths = list(files(folders))
    by_level, objects, said, symbols = [Tally() for _ in LEVELS], Tally(), Tally(), Tally()
    for start in range(0, len(paths), 100):
        batch = paths[start:start + 100]
        sources = [request(path) for path in batch]
        requests = [(mode, data, level, flags) for mode, data, flags in sources for level in LEVELS]
        answers = iter(outcome.ours(program, requests))
        for path, source in zip(batch, sources):
            for level, theirs in zip(LEVELS, reference(cache, source)):
                ours = next(answers)
                if outcome.compiles(ours) and outcome.compiles(theirs):
                    compared = code_objects.compare(ours[0], theirs[0], f'{path} -O{level}')
                    different = len(compared)
                    total = code_count(theirs[0])
                    objects.total += total
                    objects.same += total - different
                    by_level[level].add(not different)
                else:
                    by_level[level].add(ours[0] == theirs[0], 'outcome', path, ours[0], theirs[0])
                said.add(ours[1] == theirs[1], 'warnings', path, ours[1], theirs[1])
                if theirs[2] is not None:
                    same = ours[2] == theirs[2]
                    symbols.add(same, 'symbols', path, *((None, None) if same else
                                outcome.first_difference(ours[2], theirs[2])))
    for what, count in code_objects.differing.most_common():
        print(f'{what}: {count}')
    for level, tally in zip(LEVELS, by_level):
        print(f'files with identical outcome at -O{level}: {tally}')
    print(f'identical code objects: {objects}')
    print(f'identical warnings: {said}')
    print(f'identical symbol tables: {symbols}')


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
