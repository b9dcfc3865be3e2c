"""Shows every stage of a program side by side, aligned by source line.

    python -m taipan explain FILE [--function NAME] [--html OUT] [--no-run] [ARGUMENTS...]

The stages are the source, its tokens, its syntax tree, the bytecode and the register code that Taipan makes of the bytecode.
The program is run once: then each register instruction has a count of how often it was executed and, if it has an inline
cache, what that holds, how often it was right (hits) and how often it was not (misses). Of operators the counts say how
often both operands were small ints or both were floats, which need no call.

`explain` makes the `Explanation`; `taipan._text` and `taipan._html` show it.
"""

import ast
import dis
import io
import os
import sys
import tokenize
import types
from dataclasses import dataclass, field

import _taipan


@dataclass
class Token:
    kind: str
    text: str
    # (line, column, last line, end column), columns in characters; None where there is no such place.
    place: tuple | None


@dataclass
class Node:
    """A node of the syntax tree: `text` is its class and what it has besides other nodes."""

    depth: int
    text: str
    place: tuple


@dataclass
class Row:
    """A bytecode instruction with the register instructions made from it. Fusing leaves some rows without the latter."""

    offset: int
    text: str
    argument: str
    place: tuple | None
    registers: list = field(default_factory=list)


@dataclass
class Group:
    """Consecutive instructions of one code object that belong to the same line."""

    name: str
    rows: list


@dataclass
class Line:
    number: int
    text: str
    tokens: list = field(default_factory=list)
    nodes: list = field(default_factory=list)
    groups: list = field(default_factory=list)
    # Register instructions executed; None if nothing of the line is code.
    executed: int | None = None


@dataclass
class Explanation:
    filename: str
    lines: list
    codes: list
    # Whether the program was run, and how it ended if not at its last line.
    ran: bool
    ending: str = ""

    @property
    def executed(self):
        return sum(line.executed or 0 for line in self.lines)

    def restricted(self, first, last):
        lines = [line for line in self.lines if first <= line.number <= last]
        return Explanation(self.filename, lines, self.codes, self.ran, self.ending)


def explain(filename, *, function=None, run=True, arguments=()):
    """The explanation of a file, or only of the function or class in it whose qualified name is given.

    Running the program is left out unless `run`; `arguments` are the rest of its `sys.argv`. Raises SyntaxError as `compile`
    does, OSError if there is no such file, and LookupError if there is no such function.
    """
    with open(filename, "rb") as file:
        data = file.read()
    code = compile(data, filename, "exec", dont_inherit=True)
    source = io.TextIOWrapper(io.BytesIO(data), tokenize.detect_encoding(io.BytesIO(data).readline)[0]).read()
    texts = source.split("\n")
    if texts[-1] == "":
        texts.pop()
    lines = {number: Line(number, text) for number, text in enumerate(texts, 1)}
    codes = list(nested(code))
    span = place_of_function(codes, data, function) if function else None
    add_tokens(lines, data)
    add_nodes(lines, ast.parse(data, filename), texts)
    # The program's objects live until its caches have been read, which name their classes.
    module = types.ModuleType("__main__")
    ending = run_program(code, module, filename, arguments) if run else ""
    for each in codes:
        add_code(lines, each, texts)
    del module
    explanation = Explanation(filename, list(lines.values()), codes, run, ending)
    return explanation.restricted(*span) if span else explanation


def nested(code):
    """A code object and those within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from nested(constant)


def place_of_function(codes, data, name):
    """The first and the last line of a function or class."""
    found = [code for code in codes if code.co_qualname == name]
    if not found:
        known = ", ".join(code.co_qualname for code in codes[1:]) or "none"
        raise LookupError(f"no function or class {name!r}; there are: {known}")
    first = found[0].co_firstlineno
    for node in ast.walk(ast.parse(data)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            start = min([node.lineno] + [decorator.lineno for decorator in getattr(node, "decorator_list", ())])
            if start == first:
                return first, node.end_lineno
    return first, max((line for _, _, line in found[0].co_lines() if line), default=first)


def add_tokens(lines, data):
    for token in tokenize.tokenize(io.BytesIO(data).readline):
        (row, column), (end_row, end_column) = token.start, token.end
        if row not in lines or token.type == tokenize.ENCODING:
            continue
        name = tokenize.tok_name[token.type]
        text = "" if token.type in (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT) else token.string
        lines[row].tokens.append(Token(name, text, (row, column, end_row, end_column)))


# Parts without a place of their own: where they are is where the part named begins.
PLACED_BY = {ast.comprehension: "target", ast.withitem: "context_expr", ast.match_case: "pattern"}


def add_nodes(lines, tree, texts):
    def visit(node, name, depth):
        described = [type(node).__name__]
        inner = []
        for key, value in ast.iter_fields(node):
            if isinstance(value, (ast.operator, ast.unaryop, ast.boolop, ast.expr_context)):
                described.append(type(value).__name__)
            elif isinstance(value, list) and value and all(isinstance(item, ast.cmpop) for item in value):
                described.append(" ".join(type(item).__name__ for item in value))
            elif isinstance(value, ast.AST):
                inner.append((key, value))
            elif isinstance(value, list) and any(isinstance(item, ast.AST) for item in value):
                inner += [(f"{key}[{at}]", item) for at, item in enumerate(value) if isinstance(item, ast.AST)]
            elif value is not None and value != []:
                described.append(f"{key}={value!r}")
        placed = getattr(node, PLACED_BY.get(type(node), ""), node)
        place = place_of(placed, texts)
        if place and place[0] in lines:
            lines[place[0]].nodes.append(Node(depth, f"{name}: {' '.join(described)}", place))
            depth += 1
        for key, child in inner:
            visit(child, key, depth)

    for at, statement in enumerate(tree.body):
        visit(statement, f"body[{at}]", 0)


def place_of(node, texts):
    if getattr(node, "lineno", None) is None:
        return None
    columns = characters(texts, node.lineno, node.col_offset), characters(texts, node.end_lineno, node.end_col_offset)
    return node.lineno, columns[0], node.end_lineno, columns[1]


def characters(texts, line, column):
    """A column counted in characters instead of bytes of UTF-8."""
    text = texts[line - 1] if 0 < line <= len(texts) else ""
    return column if text.isascii() else len(text.encode()[:column].decode(errors="replace"))


def add_code(lines, code, texts):
    registers = _taipan.counted_code(code)
    if registers is None:
        registers = _taipan.register_code(code)
    by_offset = {}
    for instruction in registers:
        by_offset.setdefault(instruction.offset, []).append(instruction)
    current, group = None, None
    for instruction in dis.get_instructions(code):
        positions = instruction.positions
        place = None
        if positions is not None and positions.lineno:
            if positions.col_offset is not None:
                start = characters(texts, positions.lineno, positions.col_offset)
                end = characters(texts, positions.end_lineno, positions.end_col_offset)
                place = positions.lineno, start, positions.end_lineno, end
            number = positions.lineno
        else:
            number = current or code.co_firstlineno
        if number not in lines:
            # The module's first instruction is on line 0.
            number = min(max(number, 1), len(lines))
            if not number:
                return
        if number != current or group is None:
            current, group = number, Group(code.co_qualname, [])
            lines[number].groups.append(group)
        if isinstance(instruction.argval, types.CodeType):
            argument = f"<code {instruction.argval.co_qualname}>"
        else:
            argument = "" if instruction.arg is None else instruction.argrepr or str(instruction.arg)
        row = Row(instruction.offset, instruction.opname, argument, place, by_offset.get(instruction.offset, []))
        group.rows.append(row)
        executed = sum(register.executed for register in row.registers)
        lines[number].executed = (lines[number].executed or 0) + executed


def run_program(code, module, filename, arguments):
    """Runs the code as the main program, in `module`, counting. The result says how it ended, if not in the usual way."""
    module.__file__, module.__builtins__ = filename, __builtins__
    saved = sys.modules["__main__"], sys.argv, sys.path[:]
    sys.modules["__main__"] = module
    sys.argv = [filename, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(filename))
    _taipan.set_counting(True)
    try:
        exec(code, module.__dict__)
    except SystemExit as error:
        return f"ended by SystemExit({error.code!r})"
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__.tb_next)
        return f"ended by {type(error).__name__}"
    finally:
        _taipan.set_counting(False)
        sys.stdout.flush()
        sys.modules["__main__"], sys.argv, sys.path[:] = saved
    return ""


def measure(instruction):
    """What was counted of a register instruction beside its executions, as text."""
    parts = []
    if instruction.cache is not None and instruction.executed:
        parts.append(instruction.cache or "no cache")
        parts.append(f"{instruction.hits:,} hit{'s' * (instruction.hits != 1)}")
        if instruction.misses:
            parts.append(f"{instruction.misses:,} miss{'es' * (instruction.misses != 1)}")
    for name in ("ints", "floats", "others"):
        if number := getattr(instruction, name):
            parts.append(f"{name} {number:,}")
    return ", ".join(parts)


def add_arguments(commands):
    parser = commands.add_parser(
        "explain",
        help="show every stage of a program side by side",
        description="Show source, tokens, syntax tree, bytecode and register code side by side, aligned by source line; "
        "the program is run, and what was executed is counted.",
    )
    parser.add_argument("file", help="the program")
    parser.add_argument("arguments", nargs="*", help="its arguments")
    parser.add_argument("--function", metavar="NAME", help="show only this function or class, by its qualified name")
    parser.add_argument("--html", metavar="OUT", help="write a page for a browser to this file")
    parser.add_argument("--no-run", action="store_true", help="do not run the program")
    parser.add_argument("--width", type=int, help="the width of the text; that of the terminal by default")
    parser.set_defaults(main=main)


def main(arguments):
    try:
        explanation = explain(
            arguments.file, function=arguments.function, run=not arguments.no_run, arguments=arguments.arguments
        )
    except SyntaxError as error:
        sys.excepthook(type(error), error.with_traceback(None), None)
        return 1
    except (OSError, LookupError) as error:
        print(f"python -m taipan explain: {error}", file=sys.stderr)
        return 1
    if arguments.html:
        from ._html import page

        with open(arguments.html, "w", encoding="utf-8") as file:
            file.write(page(explanation))
    else:
        from ._text import write

        write(explanation, sys.stdout, width=arguments.width)
    return 0
