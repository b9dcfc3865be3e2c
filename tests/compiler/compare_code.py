"""Compares code objects with CPython's.

    compile_files LEVEL ROOT OUT < LIST             an example of crates/compiler
    python3.14 compare_code.py LEVEL OUT LIST [MODE]    reports what differs
"""

import collections
import dis
import io
import marshal
import sys
import types

ATTRIBUTES = '''co_name co_qualname co_filename co_firstlineno co_argcount co_posonlyargcount co_kwonlyargcount
    co_flags co_nlocals co_stacksize co_names co_varnames co_cellvars co_freevars co_code co_linetable
    co_exceptiontable'''.split()
differing = collections.Counter()
shown = collections.Counter()
SHOW = 3


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


def listing(code):
    out = io.StringIO()
    for instruction in dis.get_instructions(code):
        argument = instruction.argval
        if instruction.opname == 'LOAD_CONST':
            argument = f'{instruction.oparg} {shape(argument)}'
        print(instruction.offset, instruction.opname, argument, tuple(instruction.positions), file=out)
    for entry in dis._parse_exception_table(code):
        print('except', tuple(entry), file=out)
    return out.getvalue().splitlines()


def kinds(code):
    """`co_localspluskinds`, which only marshal shows."""
    data = marshal.dumps(code.replace(co_consts=(), co_names=(), co_name='', co_qualname='', co_filename=''))
    return data


def report(what, path, ours, expected, detail):
    differing[what] += 1
    shown[what] += 1
    if shown[what] <= SHOW:
        print(f'{what} differs: {path} {expected.co_qualname}')
        print(detail())


def first_difference(ours, expected):
    a, b = listing(ours), listing(expected)
    for index, (left, right) in enumerate(zip(a + ['end'], b + ['end'])):
        if left != right:
            lines = [f'      {line}' for line in a[max(0, index - 4):index]]
            lines += [f'  our {line}' for line in a[index:index + 4]] + [f'  CPy {line}' for line in b[index:index + 4]]
            return '\n'.join(lines)
    return '  the listings agree'


def compare(ours, expected, path):
    same = True
    for name in ATTRIBUTES:
        a, b = getattr(ours, name), getattr(expected, name)
        if a != b:
            same = False
            if name in ('co_code', 'co_linetable', 'co_exceptiontable'):
                report(name, path, ours, expected, lambda: first_difference(ours, expected))
            else:
                report(name, path, ours, expected, lambda: f'  our {a!r}\n  CPy {b!r}')
    a, b = shape(ours.co_consts), shape(expected.co_consts)
    if a != b:
        same = False
        report('co_consts', path, ours, expected, lambda: f'  our {a[:1000]}\n  CPy {b[:1000]}')
    if same and kinds(ours) != kinds(expected):
        same = False
        report('co_localspluskinds', path, ours, expected,
               lambda: f'  {ours.co_varnames} {ours.co_cellvars}\n  {kinds(ours)}\n  {kinds(expected)}')
    inner = [[c for c in code.co_consts if isinstance(c, types.CodeType)] for code in (ours, expected)]
    for a, b in zip(*inner):
        same &= compare(a, b, path)
    return same


def main(level, out, listed, mode='exec'):
    files = failed = agreeing = missing = 0
    for index, path in enumerate(open(listed).read().split('\n')[:-1]):
        try:
            with open(path, 'rb') as f:
                expected = compile(f.read(), path, mode, dont_inherit=True, optimize=level)
        except (SyntaxError, ValueError) as error:
            expected = error
        files += 1
        try:
            with open(f'{out}/{index}.m', 'rb') as f:
                ours = marshal.load(f)
        except FileNotFoundError:
            with open(f'{out}/{index}.err') as f:
                ours = f.read()
        if isinstance(ours, str) or isinstance(expected, Exception):
            if isinstance(ours, str) and isinstance(expected, Exception):
                agreeing += 1
            else:
                failed += 1
                print('error:', str(ours)[:300].strip(), '|', str(expected)[:300])
            continue
        agreeing += compare(ours, expected, path)
    print(*differing.most_common(), sep='\n')
    print(f'{files} files, {agreeing} agree, {failed} compile with one only')


if __name__ == '__main__':
    import warnings
    warnings.simplefilter('ignore')
    main(int(sys.argv[1]), *sys.argv[2:])
