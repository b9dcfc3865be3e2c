"""Code objects with damaged parts, made by `code.replace`, and run.

An input is the source on its first line, and on each further line one change; both as JSON. A change is
[path, field, way, place, value]; the path says which code of `co_consts` in which it is.
"""

import dis
import inspect
import json
import opcode
import types

import programs
import source_target

SNIPPETS = ['''
def f(a, b=2, *c, d=4, **e):
    x = [i * a for i in range(b) if i]
    for i, (j, k) in enumerate(zip(x, c)):
        while i < 3:
            i += 1
            if j: break
            else: continue
        else:
            x.append(k)
    return x, e, f"{a!r:>{b}}{d}", {**e, 1: a}, [*c, a], a < b < d
''', '''
def f(a=1, b=0):
    try:
        a / b
    except (ZeroDivisionError, TypeError) as error:
        b = error
        raise ValueError(a) from error
    finally:
        a = b
    return a
def g():
    try:
        return f()
    except* ValueError as group:
        return group
    finally:
        with open as x, (y := x) as z:
            del x
''', '''
class A:
    x: int = 1
    def __init__(self, a): self.a, self.b = a, self
    def m(self):
        def inner():
            nonlocal self
            self = super().__repr__()
            return lambda: (self, __class__)
        return inner()()
    @property
    def p(self): return self.a
class B[T: int](A):
    def m(self): return super().m(), super(B, self).p
B(1).m()
''', '''
def g(n=3):
    a = yield n
    try:
        a = yield from (i for i in range(n))
    except GeneratorExit:
        return 5
    yield a
async def c():
    async with x as y:
        async for z in y: yield z
    await g()
async def d(x=None):
    return [i async for i in c()], {i: j async for i, j in x}, await x
list(g())
''', '''
def f(a=(1, [2, {"k": 3}])):
    match a:
        case [x, *y]: return x, y
        case {"a": z, **w}: return z, w
        case int(x) | str(x) if x: return x
        case list(): a[0] = a[1:]; del a[:-1]; a[1:2] = a
        case _: assert a, "no"
    global q
    q = a @ a if a else not a is None in a
    import os.path as p, sys
    from os import path, sep as s
    return locals(), p, -a, ~a, +a
type X[*T, **P] = list[T]
f()
''', '''
def f(x=5):
    cell = x
    def g(y=cell): return cell + y, x
    for i in range(100): x += i * 2 - cell; cell ^= i
    print(x, cell, end="", file=F)
    return [g() for _ in (1, 2)], {(a, b) for a in "ab" for b in a}, {k: v for k, v in {}.items()}
def h(s="abc", n=1.5, l=[1, 2]): return s[0], s + "x", n * n, n < 2, l[0], len(l), l[0:1], isinstance(s, str), t"{s} {n!r}"
for _ in range(4): f(); h()
''']
FIELDS = """co_code co_code co_code co_code co_code co_code co_code co_code co_code co_code co_code co_code co_code co_stacksize co_exceptiontable co_exceptiontable co_linetable co_consts co_names
    co_varnames co_freevars co_cellvars co_nlocals co_argcount co_posonlyargcount co_kwonlyargcount co_flags co_firstlineno co_name
    co_qualname co_filename""".split()
NUMBERS = [0, 1, 2, 3, 4, 5, 7, 8, 16, 100, 127, 128, 255]
OPCODES = sorted(opcode.opmap.values())
VALUES = [None, True, 0, 1, -1, 2.5, "a", "__class__", ".0", "x", [1], ["a", "b"], {"code": True}, 1 << 70, "", {"list": True}, {"self": True}]


def prepare(corpus):
    source_target.prepare(corpus)


def some_source(rnd):
    if rnd.random() < 0.6:
        return rnd.choice(SNIPPETS)
    return source_target.excerpt(rnd)


def some_code(rnd):
    """Of an excerpt that compiles."""
    while True:
        try:
            return compile(some_source(rnd), "<source>", "exec", dont_inherit=True)
        except SyntaxError, ValueError:
            pass


def codes(code, path=()):
    yield path, code
    for index, constant in enumerate(code.co_consts):
        if isinstance(constant, types.CodeType):
            yield from codes(constant, (*path, index))


def generate(rnd):
    while True:
        source = some_source(rnd)
        try:
            found = list(codes(compile(source, "<source>", "exec", dont_inherit=True)))
            break
        except SyntaxError, ValueError:
            pass
    changes = []
    path, code = rnd.choice(found)
    for _ in range(rnd.choice([1, 1, 1, 2, 2, 3, 6])):
        if rnd.random() < 0.2:
            path, code = rnd.choice(found)
        field = rnd.choice(FIELDS)
        value = getattr(code, field)
        if field == "co_code":
            at = rnd.randrange(len(value) // 2)
            way = rnd.choice(["opcode", "opcode", "oparg", "oparg", "delete", "insert", "swap", "copy", "byte"])
            change = {
                "opcode": rnd.choice(OPCODES), "oparg": rnd.choice([*NUMBERS, rnd.randrange(256), value[2 * at + 1] ^ 1 << rnd.randrange(8)]),
                "delete": rnd.randrange(1, 4), "insert": [rnd.choice(OPCODES), rnd.choice(NUMBERS)], "swap": rnd.randrange(len(value) // 2),
                "copy": rnd.randrange(len(value) // 2), "byte": rnd.randrange(256),
            }[way]
        elif isinstance(value, bytes):
            at = rnd.randrange(len(value) + 1)
            way = rnd.choice(["byte", "delete", "insert"])
            change = {"byte": rnd.choice([*NUMBERS, rnd.randrange(256)]), "delete": rnd.randrange(1, 5),
                      "insert": [rnd.randrange(256) for _ in range(rnd.randrange(1, 9))]}[way]
        elif isinstance(value, tuple):
            at = rnd.randrange(len(value) + 1)
            way, change = rnd.choice(["item", "item", "delete", "append"]), rnd.choice(VALUES)
            if field != "co_consts" and rnd.random() < 0.8:
                change = rnd.choice(["a", "x", ".0", "__class__", *code.co_varnames, *code.co_names])
        elif isinstance(value, int):
            at, way = 0, rnd.choice(["add", "bit", "set"])
            change = {"add": rnd.choice([-2, -1, 1, 2]), "bit": rnd.randrange(32), "set": rnd.choice([0, 1, 10, 255, 65536, (1 << 31) - 1, -1])}[way]
        else:
            at, way, change = 0, "set", rnd.choice(["", "a", "<module>", "\ud800"])
        changes.append([path, field, way, at, change])
    return "\n".join(json.dumps(line) for line in [source, *changes]).encode()


def constant(value, code):
    if isinstance(value, dict):
        return code if "code" in value else [] if "list" in value else value
    return tuple(value) if isinstance(value, list) else value


def changed(code, path, field, way, at, value):
    if path:
        index, *rest = path
        consts = list(code.co_consts)
        if index < len(consts) and isinstance(consts[index], types.CodeType):
            consts[index] = changed(consts[index], rest, field, way, at, value)
        return code.replace(co_consts=tuple(consts))
    old = getattr(code, field)
    if field == "co_code":
        units = [old[n:n + 2] for n in range(0, len(old), 2)]
        at %= len(units)
        if way == "opcode":
            units[at] = bytes([value, units[at][1]])
        elif way == "oparg":
            units[at] = bytes([units[at][0], value])
        elif way == "delete":
            del units[at:at + value]
        elif way == "insert":
            units.insert(at, bytes(value))
        elif way == "swap":
            units[at], units[value % len(units)] = units[value % len(units)], units[at]
        elif way == "copy":
            units[at:at] = units[value:value + 3]
        else:
            units[at] = bytes([value, at & 255])
        new = b"".join(units)
    elif isinstance(old, bytes):
        new = bytearray(old)
        if way == "insert":
            new[at:at] = bytes(value)
        elif way == "delete":
            del new[at:at + value]
        else:
            new[at:at + 1] = bytes([value])
        new = bytes(new)
    elif isinstance(old, tuple):
        new = list(old)
        if way == "delete":
            del new[at:at + 1]
        elif way == "append":
            new.append(constant(value, code))
        else:
            new[at:at + 1] = [constant(value, code)]
        new = tuple(new)
    elif way == "add":
        new = old + value
    elif way == "bit":
        new = old ^ 1 << value
    else:
        new = value
    return code.replace(**{field: new})


def look(code):
    """All that can be asked of a code object."""
    for question in (
        lambda: list(dis.get_instructions(code)), lambda: list(code.co_lines()), lambda: list(code.co_positions()),
        lambda: list(code.co_branches()), lambda: hash(code), lambda: code == code.replace(co_name="x"), lambda: repr(code),
        lambda: [code._varname_from_oparg(n) for n in range(300)], lambda: inspect.getargs(code), lambda: code.co_code,
        lambda: dis.stack_effect(code.co_code[0], code.co_code[1]), lambda: code.__sizeof__(), lambda: list(dis.findlinestarts(code)),
    ):
        try:
            question()
        except Exception:
            pass


def run(code, names):
    """The code, and each in it as a function of its own."""
    names |= {"F": names["F"], "__name__": "__fuzz__"}
    try:
        exec(code, names)
    except Exception:
        pass
    for _, code in list(codes(code)):
        closure = tuple(types.CellType(n) for n in range(len(code.co_freevars)))
        count = code.co_argcount if 0 <= code.co_argcount < 50 else 3
        for arguments in [(), tuple(range(count)), ([1, 2, 3], "abc", 2.5)[:count], (iter([1, 2]),) * count]:
            try:
                function = types.FunctionType(code, names, "f", None, closure or None)
                result = function(*arguments)
                if hasattr(result, "send"):
                    for value in (None, 1, [2], None):
                        result.send(value)
                elif hasattr(result, "asend"):
                    result.asend(None).send(None)
                    result.aclose().send(None)
            except Exception:
                pass
            try:
                result.throw(ValueError)
            except Exception:
                pass


def execute(data):
    source, *changes = map(json.loads, data.decode().split("\n"))
    code = compile(source, "<source>", "exec", dont_inherit=True)
    for change in changes:
        code = changed(code, *change)
    look(code)
    run(code, programs.namespace())
