"""Compares code objects with CPython's, attribute by attribute and constant by constant."""

import collections
import dis
import io
import marshal
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
    """The code objects that differ, of `expected` and those within."""
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
    different = [] if same else [expected]
    inner = [[c for c in code.co_consts if isinstance(c, types.CodeType)] for code in (ours, expected)]
    for a, b in zip(*inner):
        different += compare(a, b, path)
    return different
