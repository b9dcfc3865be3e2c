"""What becomes of a source: code or an error, warnings, symbol table or an error, tokens.

A request is (mode, source bytes, level); the answer is (code or error, warnings, symbol table or error, tokens). An error
is a tuple: class, message and, where it has a place, line, offset, end line, end offset and text. Of the tokens there is
a digest, the last three and how they end.
Run as a program, this answers requests: those on its standard input, marshalled.
"""

import _symtable
import hashlib
import io
import marshal
import subprocess
import sys
import tokenize
import types
import warnings


def of_error(error):
    if not isinstance(error, SyntaxError):
        return type(error).__name__, ''
    if error.filename is None and error.lineno is None:
        return type(error).__name__, error.msg
    return (type(error).__name__, error.msg, error.lineno, error.offset, error.end_lineno, error.end_offset, error.text)


def symbol_table(source, filename, mode='exec'):
    return table(_symtable.symtable(source, filename, mode))


def table(block):
    return (block.name, block.type, block.lineno, int(block.nested), tuple(block.varnames),
            tuple(sorted(block.symbols.items())), tuple(map(table, block.children)))


def tokens(source):
    digest, last, end = hashlib.blake2b(digest_size=8), [], None
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            digest.update(repr(tuple(token)).encode('utf-8', 'surrogatepass'))
            last = last[-2:] + [tuple(token)]
    except tokenize.TokenError as error:
        end = repr(error)
    except (SyntaxError, ValueError) as error:
        end = of_error(error)
    return digest.digest(), tuple(last), end


def of(request):
    mode, source, level = request
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        try:
            outcome = compile(source, '<snippet>', mode, dont_inherit=True, optimize=level)
        except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
            outcome = of_error(error)
        said = tuple((w.category.__name__, str(w.message), w.lineno) for w in caught)
        try:
            symbols = symbol_table(source, '<snippet>', mode)
        except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
            symbols = of_error(error)
        return outcome, said, symbols, tokens(source)


def by(python, requests):
    """The answers of another interpreter; to requests that end it `'crash'`."""
    done = subprocess.run([python, __file__], input=marshal.dumps(tuple(requests)), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=600)
    if done.returncode == 0:
        return marshal.loads(done.stdout)
    if len(requests) == 1:
        print('crash:', requests[0], done.stderr.decode()[-500:], file=sys.stderr)
        return ['crash']
    half = len(requests) // 2
    return [*by(python, requests[:half]), *by(python, requests[half:])]


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
    return answer != 'crash' and isinstance(answer[0], types.CodeType)


if __name__ == '__main__':
    answers = tuple(map(of, marshal.loads(sys.stdin.buffer.read())))
    sys.stdout.buffer.write(marshal.dumps(answers))
