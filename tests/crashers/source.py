"""Source text that nests deeply: the tokeniser, parser, symbol table, compiler, and what walks syntax trees."""

import ast
import symtable

from attempts import attempt

DEPTH = 10_000

NESTED = {
    "parentheses": ("(", "1", ")"),
    "lists": ("[", "1", "]"),
    "dicts": ("{1:", "1", "}"),
    "calls": ("f(", "1", ")"),
    "subscripts": ("a[", "1", "]"),
    "lambdas": ("lambda: ", "1", ""),
    "unary": ("-", "1", ""),
    "not": ("not ", "1", ""),
    "power": ("1 ** ", "1", ""),
    "await": ("await ", "x", ""),
    "conditional": ("1 if x else ", "1", ""),
    "walrus": ("(a := ", "1", ")"),
    "comprehensions": ("[x for x in ", "y", "]"),
    "generators": ("f(x for x in ", "y", ")"),
    "star targets": ("(*", "a", ",)"),
    "f-strings": ("f'{f\"{", "1", "}\"}'"),
    "f-string specs": ("f'{1:{", "2", "}}'"),
    "t-strings": ("t'{t\"{", "1", "}\"}'"),
    "attributes": ("", "a", ".b"),
    "trailing calls": ("", "a", "()"),
    "trailing subscripts": ("", "a", "[0]"),
    "sums": ("", "1", "+1"),
    "differences": ("", "a", "-a"),
    "comparisons": ("", "a", "<a"),
    "and": ("", "a", " and a"),
    "strings": ("", "'a'", " 'a'"),
    "assignments": ("a = ", "1", ""),
    "decorators": ("@f\n", "def f(): pass", ""),
    "dots": ("from .", ". import a", ""),
}


def statements(header, depth):
    return "".join(f"{' ' * level}{header}\n" for level in range(depth)) + " " * depth + "pass\n"


def chain(depth):
    return "if a: pass\n" + "elif a: pass\n" * depth


def patterns(depth):
    return f"match a:\n case {'[' * depth}{']' * depth}: pass\n"


sources = {name: before * DEPTH + middle + after * DEPTH for name, (before, middle, after) in NESTED.items()}
# Shallow enough for the parser's own limits, deep enough for those who walk its trees.
sources |= {f"{name}, few": before * 150 + middle + after * 150 for name, (before, middle, after) in NESTED.items()}
sources |= {
    f"{header.split()[0]} at {depth}": statements(header, depth)
    for depth in (15, 19, 50, 99, 5000)
    for header in ("if a:", "while a:", "for a in b:", "with a:", "def f():", "class C:", "async def f():")
}
sources |= {
    f"try at {depth}": "".join(f"{' ' * level}try:\n" for level in range(depth))
    + " " * depth + "pass\n"
    + "".join(f"{' ' * level}finally: pass\n" for level in reversed(range(depth)))
    for depth in (15, 19, 50, 90)
}
sources |= {f"elif {depth}": chain(depth) for depth in (100, 3000, DEPTH)}
sources |= {f"patterns {depth}": patterns(depth) for depth in (50, 150, DEPTH)}
sources |= {
    "union patterns": "match a:\n case " + "|".join(["1"] * DEPTH) + ": pass\n",
    "many arguments": "f(" + "a," * DEPTH + ")",
    "many parameters": "def f(" + ",".join(f"a{n}" for n in range(DEPTH)) + "): pass",
    "many names": "\n".join(f"a{n} = {n}" for n in range(DEPTH)),
    "many closures": "def f():\n" + "".join(f" a{n} = 1\n" for n in range(2000)) + " def g():\n" + "".join(f"  a{n}\n" for n in range(2000)),
    "type parameters": "def f[" + ",".join(f"T{n}" for n in range(2000)) + "](): pass",
    "no end": "(" * DEPTH,
    "wrong end": "(" * 150 + "]" * 150,
    "indented": "\n".join(" " * n + "if 1:" for n in range(200)),
    "continued": "1 + \\\n" * DEPTH + "1",
    "long number": "1" * 100_000,
    "long string": "'" + "a" * 1_000_000 + "'",
    "nul": "a\0b",
    "global": "global " + ",".join(f"a{n}" for n in range(DEPTH)),
    "braces": "f'" + "{" * DEPTH,
}
for name, source in sources.items():
    attempt(name, compile, source, "<source>", "exec")
    attempt(f"{name} (eval)", eval, source, {})
    tree = attempt(f"{name} (tree)", ast.parse, source)
    attempt(f"{name} (symtable)", symtable.symtable, source, "<source>", "exec")
    if isinstance(tree, ast.AST):
        attempt(f"{name} (optimised)", compile, tree, "<tree>", "exec", ast.PyCF_OPTIMIZED_AST)
        for function in (ast.dump, ast.unparse, ast.NodeVisitor().generic_visit, repr, ast.fix_missing_locations):
            attempt(f"{name} ({function.__name__})", function, tree)


def operators(depth):
    tree = ast.Constant(1)
    for _ in range(depth):
        tree = ast.UnaryOp(ast.USub(), tree)
    return ast.fix_missing_locations(ast.Expression(ast.Constant(1))), tree


for depth in (500, 5000, 100_000):
    module, tree = operators(depth)
    module.body = tree
    for node in (module,):
        attempt(f"tree of {depth}", compile, node, "<tree>", "eval")
        attempt(f"repr of a tree of {depth}", repr, node)
    attempt(f"literal of {depth}", ast.literal_eval, tree)
    del module, tree

loop = ast.Expression(ast.Constant(1, lineno=1, col_offset=0))
loop.body = ast.UnaryOp(ast.USub(), None, lineno=1, col_offset=0)
loop.body.operand = loop.body
attempt("a tree that contains itself", compile, loop, "<tree>", "eval")
attempt("its repr", repr, loop)
attempt("its text", ast.unparse, loop)
attempt("its dump", ast.dump, loop)
