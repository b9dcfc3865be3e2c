"""An expression evaluator by structural pattern matching: sequences, mappings, classes, guards, captures, alternatives."""

import ast
import math
import operator
from dataclasses import dataclass
from types import SimpleNamespace

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
             ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.BitOr: operator.or_,
             ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
             ast.NotEq: operator.ne, ast.In: lambda a, b: a in b, ast.USub: operator.neg, ast.Not: operator.not_}


class Forbidden(Exception):
    pass


def evaluate(node, names):
    match node:
        case str():
            return evaluate(ast.parse(node, mode="eval"), names)
        case ast.Expression(body=body):
            return evaluate(body, names)
        case ast.Constant(value=None | bool() | int() | float() | complex() | str() as value):
            return value
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Name(id=name):
            raise Forbidden(f"unknown name {name}")
        case ast.BinOp(left, op, right):
            return OPERATORS[type(op)](evaluate(left, names), evaluate(right, names))
        case ast.UnaryOp(op, operand):
            return OPERATORS[type(op)](evaluate(operand, names))
        case ast.BoolOp(ast.And(), [first, *rest]):
            value = evaluate(first, names)
            while value and rest:
                value, rest = evaluate(rest[0], names), rest[1:]
            return value
        case ast.BoolOp(ast.Or(), [*_, _] as values):
            for each in values:
                if value := evaluate(each, names):
                    break
            return value
        case ast.Compare(left, ops, comparators):
            values = [evaluate(each, names) for each in [left, *comparators]]
            return all(OPERATORS[type(op)](a, b) for op, a, b in zip(ops, values, values[1:]))
        case ast.IfExp(test, body, orelse):
            return evaluate(body if evaluate(test, names) else orelse, names)
        case ast.List(elts) | ast.Tuple(elts):
            return [evaluate(each, names) for each in elts]
        case ast.Dict(keys, values):
            return {evaluate(key, names): evaluate(value, names) for key, value in zip(keys, values)}
        case ast.Subscript(value, ast.Slice(lower, upper, None)):
            bounds = (each and evaluate(each, names) for each in (lower, upper))
            return evaluate(value, names)[slice(*bounds)]
        case ast.Subscript(value, index):
            return evaluate(value, names)[evaluate(index, names)]
        case ast.Call(ast.Name(id="len" | "max" | "min" | "sum" | "abs" as name), args, []):
            function = {"len": len, "max": max, "min": min, "sum": sum, "abs": abs}[name]
            return function(*(evaluate(arg, names) for arg in args))
        case ast.Call(ast.Attribute(value=ast.Name(id="math"), attr=name), [arg]) if not name.startswith("_"):
            return getattr(math, name)(evaluate(arg, names))
        case ast.ListComp(elt, [ast.comprehension(ast.Name(id=name), source, ifs, 0)]):
            result = []
            for item in evaluate(source, names):
                inner = names | {name: item}
                if all(evaluate(each, inner) for each in ifs):
                    result.append(evaluate(elt, inner))
            return result
        case ast.JoinedStr(parts):
            return "".join(map(str, (evaluate(part, names) for part in parts)))
        case ast.FormattedValue(value, -1, None):
            return evaluate(value, names)
        case ast.AST():
            raise Forbidden(f"{type(node).__name__} at column {getattr(node, 'col_offset', '?')}")
        case _:
            raise TypeError(node)


@dataclass
class Point:
    x: float
    y: float


class Polar:
    __match_args__ = ("radius", "angle")

    def __init__(self, x, y):
        self.x, self.y = x, y

    @property
    def radius(self):
        return math.hypot(self.x, self.y)

    @property
    def angle(self):
        return round(math.degrees(math.atan2(self.y, self.x)))


LIMIT = SimpleNamespace(low=10, high=99)


def classify(value):
    match value:
        case None | False:
            return "nothing"
        case True:
            return "yes"
        case 0:
            return "zero"
        case int(n) if n < 0:
            return f"negative {-n}"
        case LIMIT.low | LIMIT.high:
            return "a limit"
        case int() | float() as number:
            return f"number {number}"
        case "":
            return "empty text"
        case "go" | "stop" as order:
            return f"order {order}"
        case str(text):
            return f"text of {len(text)}"
        case b"bytes":
            return "bytes"
        case -1j | 2 + 3j:
            return "a known complex"
        case []:
            return "empty sequence"
        case [only]:
            return f"one: {classify(only)}"
        case [Point(x=0, y=0), *_, Point() as last]:
            return f"from the origin to {last}"
        case [first, *middle, last] if first == last:
            return f"bracketed by {first!r}: {middle}"
        case (int(a) | str(a), (b, c), *rest):
            return f"nested {a} {b} {c} {rest}"
        case {"type": "circle", "r": r, **rest} if not rest:
            return f"circle {r}"
        case {"type": "rect", "size": [w, h]} | {"type": "rect", "w": w, "h": h}:
            return f"rectangle {w}x{h}"
        case {"type": str(kind), **rest}:
            return f"other shape {kind} with {sorted(rest)}"
        case {}:
            return "some mapping"
        case Point(x, y) if x == y:
            return f"diagonal {x}"
        case Point(0, y) | Point(y, 0):
            return f"axis {y}"
        case Point():
            return "point"
        case Polar(5, 90 | -90):
            return "five up or down"
        case Polar(radius=r, angle=a):
            return f"{r:.2f} at {a}"
        case type():
            return f"class {value.__name__}"
        case _:
            return f"something else: {type(value).__name__}"


def simplify(expr):
    """Algebra on tuples."""
    match expr:
        case ("+", 0, e) | ("+", e, 0) | ("*", 1, e) | ("*", e, 1) | ("-", e, 0) | ("/", e, 1) | ("^", e, 1):
            return simplify(e)
        case ("*", 0, _) | ("*", _, 0):
            return 0
        case ("^", _, 0):
            return 1
        case ("-", a, b) if a == b:
            return 0
        case ("+" | "-" | "*" as op, int(a), int(b)):
            return {"+": a + b, "-": a - b, "*": a * b}[op]
        case (str(op), a, b):
            new = (op, simplify(a), simplify(b))
            return simplify(new) if new != expr else new
        case _:
            return expr


def main():
    names = {"x": 7, "xs": [3, 1, 2], "d": {"k": "v"}, "name": "Ann"}
    for source in ["1 + 2 * 3 ** 2", "-x // 2 % 5", "1 < x <= 7 < 9", "x > 5 and xs[0] or 'no'", "0 or '' or None",
                   "[n * n for n in xs if n != 1]", "max(xs) + len(d['k'])", "xs[1:] + [x if not 0 else 1]", "math.sqrt(16)",
                   "f'{name} has {x + 1}'", "{'a': 1, 2: [x]}", "3 in xs", "(1, 2.5, 1j, None, True)", "x.__class__",
                   "__import__('os')", "y + 1", "lambda: 1", "[i for i in xs for j in xs]", "1 / 0", "xs[9]", "1 +", "math._x(1)"]:
        try:
            print(f"{source} -> {evaluate(source, names)!r}")
        except (Forbidden, ArithmeticError, LookupError) as error:
            print(f"{source} !! {type(error).__name__}: {error}")
        except SyntaxError as error:
            print(f"{source} !! {error.msg} at {error.offset}")

    for value in [None, False, True, 0, -5, 10, 99, 11, 2.5, "", "go", "going", b"bytes", -1j, 2 + 3j, 1j, [], (), [4], [[None]],
                  [Point(0, 0), 1, Point(2, 3)], [1, 2, 3, 1], ("a", [1, 2], 3), (1, (2, 3)), [1, 2], {"type": "circle", "r": 2},
                  {"type": "circle", "r": 2, "c": 1}, {"type": "rect", "size": (2, 3)}, {"type": "rect", "w": 1, "h": 2}, {},
                  {"k": 1}, Point(2, 2), Point(0, 4), Point(4, 0), Point(1, 2), Polar(0, 5), Polar(0, -5), Polar(3, 4), int, {1}, range(0)]:
        print(f"{value!r:.60} is {classify(value)}" if not isinstance(value, Polar) else f"polar is {classify(value)}")

    x = "x"
    for expr in [("+", ("*", x, 1), 0), ("-", ("+", 2, 3), ("*", 5, 1)), ("*", ("-", x, x), ("^", x, 2)), ("/", ("+", 0, x), ("^", 7, 0)),
                 ("+", ("*", 2, ("+", 1, 3)), ("^", x, ("-", 3, 2)))]:
        print(expr, "=", simplify(expr))

    try:
        match Point(1, 2):
            case Point(1, 2, 3):
                pass
    except TypeError as error:
        print(error)
    match [1, [2, [3, [4]]]]:
        case [a, [b, [c, [d]]]]:
            print(a, b, c, d)
    command = "move north fast".split()
    match command:
        case ["move", ("north" | "south") as way, *modifiers] if "fast" in modifiers:
            print("run", way)


main()
