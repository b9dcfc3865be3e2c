"""What becomes of a source under CPython and under the program `outcomes` (an example of crates/compiler).

A request is (mode, source bytes, level, flags); the answer is (code or error, warnings, symbol table or error). An error
is a tuple: class, message and, where it has a place, line, offset, end line, end offset and text.
"""

import _symtable
import marshal
import subprocess
import sys
import types
import warnings

IGNORE_COOKIE = 0x800


def of_error(error):
    if not isinstance(error, SyntaxError):
        return type(error).__name__, ''
    if error.filename is None and error.lineno is None:
        return type(error).__name__, error.msg
    return (type(error).__name__, error.msg, error.lineno, error.offset, error.end_lineno, error.end_offset, error.text)


def table(block):
    return (block.name, block.type, block.lineno, int(block.nested), tuple(block.varnames),
            tuple(sorted(block.symbols.items())), tuple(map(table, block.children)))


def expected(request, with_symbols=True):
    mode, data, level, flags = request
    source = data.decode() if flags & IGNORE_COOKIE else data
    flags &= ~IGNORE_COOKIE
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        try:
            outcome = compile(source, '<snippet>', mode, flags, dont_inherit=True, optimize=level)
        except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
            outcome = of_error(error)
        said = tuple((w.category.__name__, str(w.message), w.lineno) for w in caught)
        symbols = None
        if with_symbols and not flags:
            try:
                symbols = table(_symtable.symtable(source, '<snippet>', mode))
            except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
                symbols = of_error(error)
    return outcome, said, symbols


def ours(program, requests):
    """The program's answers; those to requests that end it are `'crash'`."""
    done = subprocess.run([program], input=marshal.dumps(tuple(requests)), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=600)
    if done.returncode == 0:
        return [normal(answer) for answer in marshal.loads(done.stdout)]
    if len(requests) == 1:
        print('crash:', requests[0], done.stderr.decode()[-500:], file=sys.stderr)
        return ['crash']
    half = len(requests) // 2
    return ours(program, requests[:half]) + ours(program, requests[half:])


def normal(answer):
    if isinstance(answer, str):
        return answer
    outcome, said, symbols = answer
    return outcome, said, symbols if is_error(symbols) else our_table(symbols)


def our_table(block):
    *rest, symbols, children = block
    return *rest, tuple(sorted(symbols)), tuple(map(our_table, children))


def is_error(outcome):
    """Whether code or a symbol table is none but an error."""
    return isinstance(outcome, tuple) and not isinstance(outcome[1], int)


def first_difference(ours, theirs):
    """The blocks that differ, nested ones rather than those around."""
    if is_error(ours) or is_error(theirs) or len(ours[-1]) != len(theirs[-1]):
        return ours, theirs
    for a, b in zip(ours[-1], theirs[-1]):
        if a != b:
            return first_difference(a, b)
    return ours[:-1], theirs[:-1]


def compiles(answer):
    return answer != 'crash' and answer != 'panic' and isinstance(answer[0], types.CodeType)
