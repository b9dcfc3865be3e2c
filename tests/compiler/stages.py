"""Compares what each stage of Python makes of whole files with what CPython makes of them.

    python3.14 stages.py PYTHON [--cache FILE] [--stage NAME]... [--show N] [--every N] FOLDER...
    python3.14 stages.py PYTHON --sound [--every N] FOLDER...

PYTHON is the interpreter to compare. It runs this file, too, and answers with a digest for each file and stage, of code
also one for each code object. CACHE keeps the digests of CPython, by the files' contents.

With --sound, nothing is compared: each file must tokenise, parse and compile, and all its code objects must be verified
and lowered to register code, both ways. Files on which CPython fails must fail at the same step, and are named.
"""

import _tokenize
import argparse
import ast
import collections
import contextlib
import dis
import hashlib
import io
import json
import marshal
import os
import subprocess
import sys
import tokenize
import types
import warnings

import outcome

try:
    import _taipan
except ImportError:
    _taipan = None

CODE_ATTRIBUTES = '''co_name co_qualname co_filename co_firstlineno co_argcount co_posonlyargcount co_kwonlyargcount
    co_flags co_nlocals co_stacksize co_names co_varnames co_cellvars co_freevars co_code co_linetable
    co_exceptiontable'''.split()


def shape(constant):
    """A text that tells 1, 1.0 and True apart and does not depend on the order of sets."""
    if isinstance(constant, frozenset):
        return f'frozenset({sorted(map(shape, constant))})'
    if isinstance(constant, (tuple, list)):
        return f'({", ".join(map(shape, constant))})'
    if isinstance(constant, slice):
        return f'slice({shape((constant.start, constant.stop, constant.step))})'
    if isinstance(constant, types.CodeType):
        return f'<code {constant.co_qualname}>'
    return repr(constant)


def code_texts(code, readable=False):
    """A text for each code object, those within others included."""
    attributes = [f'{name} = {getattr(code, name)!r}' for name in CODE_ATTRIBUTES]
    attributes.append(f'co_consts = {shape(code.co_consts)}')
    # Only marshal shows the kinds of the locals. Version 2 has no references, which depend on reference counts; what it
    # says about the constants depends on the order of sets. It knows no slices.
    with contextlib.suppress(ValueError):
        without_constants = marshal.dumps(code, 2).replace(marshal.dumps(code.co_consts, 2), b'')
        attributes.append(f'marshal = {without_constants}')
    if readable:
        attributes[:0] = listing(code)
    texts = ['\n'.join(attributes)]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            texts += code_texts(constant, readable)
    return texts


def listing(code):
    yield f'{code.co_qualname}, line {code.co_firstlineno}'
    for instruction in dis.get_instructions(code):
        argument = shape(instruction.argval) if instruction.opname == 'LOAD_CONST' else instruction.argrepr
        positions = tuple(instruction.positions)
        yield f'{instruction.offset} {instruction.opname} {instruction.arg} {argument} {positions}'
    for entry in dis._parse_exception_table(code):
        yield f'except {tuple(entry)}'


def failure(error):
    if isinstance(error, SyntaxError):
        place = error.lineno, error.offset, error.end_lineno, error.end_offset, error.text
        return f'{type(error).__name__} {error.msg!r} {place} {len(error.args)}'
    return f'{type(error).__name__} {error}'


def attempt(function, *arguments, **keywords):
    """The texts that a stage gives, or the error that it raises."""
    try:
        return function(*arguments, **keywords)
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError) as error:
        return [failure(error)]


def collected(lines):
    """One text of lines; an error ends them."""
    out = []
    try:
        for line in lines:
            out.append(line)
    except (SyntaxError, ValueError, tokenize.TokenError) as error:
        out.append(failure(error))
    return ['\n'.join(out)]


def all_tokens(data):
    """What `tokenize` gives, then what the parser sees."""
    for token in tokenize.tokenize(io.BytesIO(data).readline):
        yield f'{token.exact_type} {tuple(token)}'
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    for token in _tokenize.TokenizerIter(io.BytesIO(data).readline, encoding=encoding, extra_tokens=False):
        yield f'{token}'


def tree(data, name, **options):
    return [ast.dump(ast.parse(data, name, **options), include_attributes=True, indent=1)]


def unparsed(data, name):
    return [ast.unparse(ast.parse(data, name))]


def trees(data, name, readable):
    texts = attempt(tree, data, name)
    if b'type:' in data:
        texts += attempt(tree, data, name, type_comments=True)
    return texts


def symbols(data, name):
    return [repr(outcome.symbol_table(data, name))]


def compiled(data, name, level, readable):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        code = attempt(compile, data, name, 'exec', dont_inherit=True, optimize=level)
    texts = code_texts(code, readable) if isinstance(code, types.CodeType) else code
    said = [f'{w.category.__name__} {w.message} {w.filename}:{w.lineno}' for w in caught]
    return texts + ['\n'.join(said)]


STAGES = {
    'tokens': lambda data, name, readable: collected(all_tokens(data)),
    'tree': trees,
    'optimised tree': lambda data, name, readable: attempt(tree, data, name, optimize=2),
    'unparse': lambda data, name, readable: attempt(unparsed, data, name),
    'symbols': lambda data, name, readable: attempt(symbols, data, name),
    'code -O0': lambda data, name, readable: compiled(data, name, 0, readable),
    'code -O1': lambda data, name, readable: compiled(data, name, 1, readable),
    'code -O2': lambda data, name, readable: compiled(data, name, 2, readable),
}


def all_codes(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from all_codes(constant)


def soundness(data, name, readable):
    """The steps at which a source fails, each with the error; last, the number of its code objects."""
    failures, codes = [], []

    def step(what, function):
        try:
            return function()
        except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError, tokenize.TokenError) as error:
            failures.append(f'{what}: {failure(error)}')

    step('tokenise', lambda: list(tokenize.tokenize(io.BytesIO(data).readline)))
    step('parse', lambda: ast.parse(data, name))
    for level in range(3):
        code = step(f'compile -O{level}', lambda: compile(data, name, 'exec', dont_inherit=True, optimize=level))
        codes += all_codes(code) if code else ()
    if _taipan:
        for code in codes:
            step(f'lower {code.co_qualname}', lambda: _taipan.check(code))
    return [*failures, str(len(codes))]


def texts(stage, path, readable=False):
    with open(path, 'rb') as file:
        data = file.read()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return (STAGES[stage] if stage in STAGES else soundness)(data, os.path.basename(path), readable)


def digest(text):
    return hashlib.blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=6).hexdigest()


def digests(stages, path):
    return {stage: [digest(text) for text in texts(stage, path)] for stage in stages}


def work():
    """Answers requests: the digests of a file, or the texts of one stage."""
    for line in sys.stdin:
        stages, path, readable = json.loads(line)
        answer = texts(stages[0], path, True) if readable else digests(stages, path)
        print(json.dumps(answer), flush=True)


class Worker:
    """The interpreter to compare, which is started anew when it has died."""

    def __init__(self, python):
        self.command = [python, __file__, 'work']
        self.process = None

    def ask(self, stages, path, readable=False):
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(json.dumps([stages, path, readable]) + '\n')
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        print('died with', self.process.wait())
        self.process = None


class Cache:
    def __init__(self, path):
        self.path = path
        self.known = {}
        if path:
            with contextlib.suppress(FileNotFoundError), open(path) as file:
                self.known = json.load(file)

    def digests(self, stages, path):
        with open(path, 'rb') as file:
            key = hashlib.sha256(sys.version.encode() + path.encode() + file.read()).hexdigest()[:32]
        known = self.known.setdefault(key, {})
        missing = [stage for stage in stages if stage not in known]
        known.update(digests(missing, path))
        return known

    def save(self):
        if self.path:
            with open(self.path, 'w') as file:
                json.dump(self.known, file)


def files(folders):
    for folder in folders:
        if not os.path.isdir(folder):
            yield folder
        for where, inner, names in os.walk(folder):
            inner.sort()
            for name in sorted(names):
                path = os.path.join(where, name)
                if name.endswith('.py') and os.path.isfile(path):
                    yield path


def show(worker, stage, path):
    """The first lines in which the texts differ."""
    worker.ask([stage], path, True)
    ours, expected = worker.answer() or [], texts(stage, path, True)
    for left, right in zip(ours + ['nothing'], expected + ['nothing']):
        if left == right:
            continue
        left, right = left.split('\n'), right.split('\n')
        if stage.startswith('code'):
            print('  in', right[0])
        at = next((i for i, pair in enumerate(zip(left, right)) if pair[0] != pair[1]), min(len(left), len(right)))
        for mark, lines in (('   ', left[max(0, at - 3):at]), ('our', left[at:at + 3]), ('CPy', right[at:at + 3])):
            for line in lines:
                print(f'  {mark} {line:.400}')
        return
    print('  the texts agree this time')


def check_soundness(worker, paths):
    """Prints what fails; the result is whether nothing does but what fails with CPython."""
    counts = collections.Counter()
    for path in paths:
        worker.ask(['sound'], path, True)
        *theirs, _ = texts('sound', path)
        *ours, number = worker.answer() or ['died', '0']
        counts['objects'] += int(number)
        if ours == theirs == []:
            counts['sound'] += 1
            continue
        steps = [[text.partition(':')[0] for text in failures] for failures in (ours, theirs)]
        meant = steps[0] == steps[1]
        counts['meant' if meant else 'failed'] += 1
        print(f'{path}: meant not to: {theirs[0]}' if meant else f'{path}: FAILS: {ours}, with CPython: {theirs}')
        sys.stdout.flush()
    print(f'{counts["sound"]} of {len(paths)} files tokenise, parse, compile, verify and lower '
          f'({counts["objects"]} code objects); {counts["meant"]} are meant not to; {counts["failed"]} fail')
    return not counts['failed']


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('python')
    parser.add_argument('folders', nargs='+')
    parser.add_argument('--cache')
    parser.add_argument('--stage', action='append', choices=STAGES)
    parser.add_argument('--show', type=int, default=3)
    parser.add_argument('--every', type=int, default=1)
    parser.add_argument('--sound', action='store_true')
    arguments = parser.parse_args()
    stages = arguments.stage or list(STAGES)
    worker, cache = Worker(arguments.python), Cache(arguments.cache)
    paths = list(files(arguments.folders))[::arguments.every]
    if arguments.sound:
        sys.exit(not check_soundness(worker, paths))
    same, shown = collections.Counter(), collections.Counter()
    for number, path in enumerate(paths):
        if number % 100 == 99:
            cache.save()
        worker.ask(stages, path)
        expected = cache.digests(stages, path)
        ours = worker.answer() or {}
        for stage in stages:
            theirs, mine = expected[stage], ours.get(stage, [])
            same[stage] += mine == theirs
            if stage.startswith('code'):
                same['objects'] += sum(map(str.__eq__, mine[:-1], theirs[:-1]))
                same['all objects'] += len(theirs) - 1
            if mine != theirs:
                shown[stage] += 1
                print(f'{stage} of {path} differs')
                if shown[stage] <= arguments.show:
                    show(worker, stage, path)
        sys.stdout.flush()
    cache.save()
    for stage in stages:
        print(f'{stage}: {same[stage]} of {len(paths)} files identical')
    if same['all objects']:
        share = 100 * same['objects'] / same['all objects']
        print(f'code objects: {same["objects"]} of {same["all objects"]} identical ({share:.4f} %)')


if __name__ == '__main__':
    if sys.argv[1:] == ['work']:
        work()
    elif len(sys.argv) < 3:
        sys.exit(__doc__)
    else:
        main()
