"""Writes the code objects of code.py to code.txt, one a line. Run by CPython 3.14 in this directory."""
import types


def kinds(code):
    local = [0x20 | 0x40 * (name in code.co_cellvars) for name in code.co_varnames]
    cells = [0x40 for name in code.co_cellvars if name not in code.co_varnames]
    return bytes(local + cells + [0x80] * len(code.co_freevars))


def dump(code, out):
    name = f"code.py:{code.co_qualname.replace(' ', '_')}:{code.co_firstlineno}"
    print(name, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_stacksize, code.co_flags,
          len(code.co_consts), len(code.co_names), kinds(code).hex() or '-', code.co_code.hex(),
          code.co_exceptiontable.hex() or '-', file=out)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            dump(constant, out)


with open('code.py') as source, open('code.txt', 'w') as out:
    dump(compile(source.read(), 'code.py', 'exec'), out)
