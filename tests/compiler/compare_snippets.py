"""Compares the outcome of compiling snippets with CPython's: code or error, warnings, symbol table.

    python3.14 compare_snippets.py gather SNIPPETS FILE...     the snippets: every string in the files, and the files
    compile_snippets < SNIPPETS > RESULTS                      an example of crates/compiler
    python3.14 compare_snippets.py compare SNIPPETS RESULTS    reports what differs
"""

import _symtable
import ast
import collections
import marshal
import sys
import textwrap
import types
import warnings

import compare_code

KEEP = 4  # differences shown of each kind


def strings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield ''.join(v.value if isinstance(v, ast.Constant) else 'x' for v in node.values)


def doctests(text):
    lines = []
    for line in text.split('\n') + ['']:
        line = line.strip()
        if line.startswith(('>>> ', '... ')):
            if line.startswith('>>> ') and lines:
                yield '\n'.join(lines) + '\n'
                lines = []
            lines.append(line[4:])
        elif line in ('...', '>>>'):
            lines.append('')
        elif lines:
            yield '\n'.join(lines) + '\n'
            lines = []


def parses(source, mode):
    try:
        compile(source, '<snippet>', mode, ast.PyCF_ONLY_AST)
        return True
    except Exception:
        return False


def gather(out, paths):
    seen = {}
    for path in paths:
        with open(path, 'rb') as f:
            data = f.read()
        try:
            tree = ast.parse(data)
        except (SyntaxError, ValueError):
            continue
        seen['exec', data, 0] = None
        for text in strings(tree):
            if len(text) > 4000:
                continue
            for source in (text, textwrap.dedent(text), *doctests(text)):
                try:
                    data = source.encode()
                except UnicodeEncodeError:
                    continue
                for mode in ('exec', 'single', 'eval'):
                    if ('exec', data, 0) in seen:
                        break
                    if parses(data, mode):
                        seen[mode, data, 0] = None
                        indented = textwrap.indent(source, '    ').encode()
                        for head in (b'def f():\n', b'class C:\n', b'async def f():\n'):
                            if mode == 'exec' and parses(head + indented, mode):
                                seen[mode, head + indented, 0] = None
                        seen[mode, data, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT] = None
                        break
    with open(out, 'wb') as f:
        marshal.dump(tuple((mode, data, n % 3, flags) for n, (mode, data, flags) in enumerate(seen)), f)
    print(len(seen), 'snippets')


def table(block):
    return (block.name, block.type, block.lineno, int(block.nested), tuple(block.varnames), dict(block.symbols),
            tuple(map(table, block.children)))


def our_table(block):
    *rest, symbols, children = block
    return *rest, dict(symbols), tuple(map(our_table, children))


def first_difference(ours, theirs):
    """The blocks that differ, nested ones rather than those around."""
    if isinstance(ours[1], str) or isinstance(theirs[1], str) or len(ours[-1]) != len(theirs[-1]):
        return ours, theirs
    for a, b in zip(ours[-1], theirs[-1]):
        if a != b:
            return first_difference(a, b)
    return ours[:-1], theirs[:-1]


def of_error(error):
    return (type(error).__name__, error.msg, error.lineno, error.offset, error.end_lineno, error.end_offset)


def expected(mode, data, level, flags):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        try:
            ast.parse(data, mode=mode)
        except SyntaxError:
            pass
        parser_warnings = len(caught)
        try:
            outcome = compile(data, '<snippet>', mode, flags, dont_inherit=True, optimize=level)
        except SyntaxError as error:
            outcome = of_error(error)
        except (RecursionError, MemoryError, ValueError) as error:
            outcome = type(error).__name__,
    said = [(str(w.message), w.lineno) for w in caught[2 * parser_warnings:]]
    try:
        symbols = table(_symtable.symtable(data, '<snippet>', mode))
    except SyntaxError as error:
        symbols = of_error(error)
    except RecursionError:
        symbols = 'RecursionError',
    return outcome, said, symbols


def compare(snippets, results):
    with open(snippets, 'rb') as f:
        snippets = marshal.load(f)
    with open(results, 'rb') as f:
        results = marshal.load(f)
    differing = collections.Counter()

    def differ(what, snippet, ours, theirs):
        differing[what] += 1
        if differing[what] <= KEEP:
            print(f'{what}: {snippet!r:.400}\n  our {ours!r:.600}\n  CPy {theirs!r:.600}')

    for snippet, result in zip(snippets, results):
        outcome, said, symbols = expected(*snippet)
        if result == 'parse error':
            if isinstance(outcome, types.CodeType):
                differ('parser', snippet, result, outcome)
            continue
        our_outcome, our_said, our_symbols = result
        if isinstance(our_outcome, types.CodeType) != isinstance(outcome, types.CodeType):
            differ('outcome', snippet, our_outcome, outcome)
        elif isinstance(outcome, types.CodeType):
            if not compare_code.compare(our_outcome, outcome, repr(snippet[1])[:300]):
                differing['code'] += 1
        elif our_outcome[:len(outcome)] != outcome:
            differ('error', snippet, our_outcome, outcome)
        if list(our_said) != said:
            differ('warnings', snippet, our_said, said)
        if snippet[3]:
            continue
        if not isinstance(our_symbols[1], str):
            our_symbols = our_table(our_symbols)
        if our_symbols[:len(symbols)] != symbols:
            differ('symbols', snippet, *first_difference(our_symbols, symbols))
    print(*differing.most_common(), sep='\n')
    print(len(snippets), 'snippets')


if __name__ == '__main__':
    match sys.argv[1:]:
        case ['gather', out, *paths]:
            gather(out, paths)
        case ['compare', snippets, results]:
            compare(snippets, results)
        case _:
            sys.exit(__doc__)
