"""Compares the control-flow-graph optimiser with CPython's, on the instruction sequences that CPython generates.

    python3.14 compare_cfg.py export OUT FILE...    writes units for the example program `optimize_cfg`
    optimize_cfg < OUT > RESULTS
    python3.14 compare_cfg.py check OUT RESULTS     optimises the units and compares

Functions' constants are not to be had from CPython at that stage, so strings stand for them.
"""

import _opcode
import _testinternalcapi
import ast
import dis
import marshal
import sys

HAS_TARGET = {op for op in range(267) if _opcode.has_jump(op) or _opcode.has_exc(op)}


def sequences(sequence):
    yield sequence, False
    for nested in sequence.get_nested():
        for inner, _ in sequences(nested):
            yield inner, True


def unit(sequence, is_nested, consts):
    instructions = tuple(
        (op, arg or 0, line, end_line, col, end_col)
        for op, arg, line, end_line, col, end_col in sequence.get_instructions()
    )
    used = [arg for op, arg, *_ in instructions if _opcode.has_const(op)]
    if is_nested or any(hasattr(c, 'co_code') for c in consts):
        consts = [f'constant {i}' for i in range(max(used, default=-1) + 1)]
    nlocals = max((max(arg >> 4, arg & 15) if 'FAST_' in dis.opname[op][9:] else arg
                   for op, arg, *_ in instructions if _opcode.has_local(op) and op != dis.opmap['LOAD_DEREF']),
                  default=-1) + 1
    return instructions, tuple(consts), nlocals


def export(out, files):
    units = []
    for file in files:
        try:
            with open(file, 'rb') as f:
                tree = ast.parse(f.read())
            sequence, metadata = _testinternalcapi.compiler_codegen(tree, file, 0)
        except (SyntaxError, ValueError, RecursionError):
            continue
        units += (unit(s, nested, metadata['consts']) for s, nested in sequences(sequence))
    with open(out, 'wb') as f:
        f.write(marshal.dumps(tuple(units)))
    print(len(units), 'units')


def rebuild(instructions):
    sequence = _testinternalcapi.new_instruction_sequence()
    labels = [sequence.new_label() for _ in instructions]
    for i, (op, arg, line, end_line, col, end_col) in enumerate(instructions):
        sequence.use_label(labels[i])
        sequence.addop(op, labels[arg] if op in HAS_TARGET else arg, line, end_line, col, end_col)
    return sequence


def shape(constant):
    """A text that tells 1, 1.0 and True apart and does not depend on the order of sets."""
    if isinstance(constant, frozenset):
        return f'frozenset({sorted(map(shape, constant))})'
    if isinstance(constant, (tuple, list)):
        return f'({", ".join(map(shape, constant))})'
    return repr(constant)


def loads(instructions, consts):
    return [(op, shape(consts[arg]) if _opcode.has_const(op) else arg, *location)
            for op, arg, *location in instructions]


def show(instruction):
    op, arg, *location = instruction
    return f'{op:3} {name(op)} {arg} {location}'


def name(op):
    return next((n for n, v in dis._all_opmap.items() if v == op), '?')


def check(units, results):
    failures = 0
    for number, ((instructions, consts, nlocals), result) in enumerate(zip(units, results, strict=True)):
        expected_consts = list(consts)
        try:
            expected = _testinternalcapi.optimize_cfg(rebuild(instructions), expected_consts, nlocals)
            expected = [(op, arg or 0, *rest) for op, arg, *rest in expected.get_instructions()]
        except Exception as e:
            expected = str(e)
        if isinstance(result, str) or isinstance(expected, str):
            same = result == expected
            print(result, '|', expected)
        else:
            # The functions' constants were not entered in CPython's table of all constants, so what folding adds may
            # be there twice: the values are compared, not the indices.
            same = loads(result[0], result[1]) == loads(expected, expected_consts)
        if not same:
            failures += 1
            if failures <= 10:
                print('unit', number)
                for i, (a, b) in enumerate(zip(loads(*result), loads(expected, expected_consts))):
                    if a != b:
                        print('  first difference at', i, 'ours', show(a), 'CPython', show(b))
                        break
                with open(f'/tmp/cfg_{number}.txt', 'w') as f:
                    print('input', *map(show, instructions), sep='\n', file=f)
                    print('\nours', *map(show, result[0]), sep='\n', file=f)
                    print('\nCPython', *map(show, expected), sep='\n', file=f)
    print(len(units), 'units', failures, 'differ')


if sys.argv[1] == 'export':
    export(sys.argv[2], sys.argv[3:])
else:
    with open(sys.argv[2], 'rb') as f, open(sys.argv[3], 'rb') as g:
        check(marshal.load(f), marshal.load(g))
