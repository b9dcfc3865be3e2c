"""A recursive-descent calculator with variables, functions, an AST, simplification and symbolic derivatives."""

import math
import re
import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


class Token(NamedTuple):
    kind: str
    text: str
    column: int


class CalcError(Exception):
    pass


TOKEN = re.compile(r"""
    (?P<number>\d+(?:\.\d*)?|\.\d+)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<op>\*\*|==|[-+*/%^()=,!])
  | (?P<space>\s+)
""", re.VERBOSE)


def scan(text):
    tokens, at = [], 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise CalcError(f"column {at + 1}: what is {text[at]!r}?")
        if found.lastgroup != "space":
            tokens.append(Token(found.lastgroup, found.group(), at + 1))
        at = found.end()
    tokens.append(Token("end", "", at + 1))
    return tokens


class Node:
    def __add__(self, other):
        return Binary("+", self, other).simplify()

    def __sub__(self, other):
        return Binary("-", self, other).simplify()

    def __mul__(self, other):
        return Binary("*", self, other).simplify()

    def __truediv__(self, other):
        return Binary("/", self, other).simplify()

    def __pow__(self, other):
        return Binary("^", self, other).simplify()

    def simplify(self):
        return self


@dataclass(frozen=True)
class Number(Node):
    value: Fraction

    def eval(self, scope):
        return self.value

    def derive(self, name):
        return ZERO

    def __str__(self):
        return str(self.value)


ZERO, ONE, TWO = (Number(Fraction(n)) for n in range(3))


@dataclass(frozen=True)
class Name(Node):
    name: str

    def eval(self, scope):
        try:
            return scope[self.name]
        except KeyError:
            raise CalcError(f"{self.name} has no value") from None

    def derive(self, name):
        return ONE if name == self.name else ZERO

    def __str__(self):
        return self.name


PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 4}


@dataclass(frozen=True)
class Binary(Node):
    op: str
    left: Node
    right: Node

    def eval(self, scope):
        a, b = self.left.eval(scope), self.right.eval(scope)
        try:
            match self.op:
                case "+":
                    return a + b
                case "-":
                    return a - b
                case "*":
                    return a * b
                case "/":
                    return a / b
                case "%":
                    return a % b
                case "^":
                    if abs(b) > 1000:
                        raise CalcError("the exponent is too large")
                    return a ** (int(b) if b == int(b) else b)
        except ZeroDivisionError:
            raise CalcError(f"division by zero in {self}") from None

    def simplify(self):
        match self:
            case Binary(op, Number(a), Number(b)) if op in "+-*" or (op == "/" and b):
                return Number(Binary(op, Number(a), Number(b)).eval({}))
            case Binary("+", x, Number(0)) | Binary("+", Number(0), x) | Binary("-", x, Number(0)):
                return x
            case Binary("*", Number(0), _) | Binary("*", _, Number(0)) | Binary("/", Number(0), _):
                return ZERO
            case Binary("*", Number(1), x) | Binary("*", x, Number(1)) | Binary("/", x, Number(1)) | Binary("^", x, Number(1)):
                return x
            case Binary("^", _, Number(0)):
                return ONE
            case Binary("-", x, y) if x == y:
                return ZERO
            case Binary("+", x, y) if x == y:
                return TWO * x
            case Binary("*", x, Number() as n):
                return Binary("*", n, x)
            case Binary("*", Number(a), Binary("*", Number(b), x)):
                return Binary("*", Number(a * b), x)
        return self

    def derive(self, name):
        f, g = self.left, self.right
        df, dg = f.derive(name), g.derive(name)
        match self.op:
            case "+":
                return df + dg
            case "-":
                return df - dg
            case "*":
                return df * g + f * dg
            case "/":
                return (df * g - f * dg) / g ** TWO
            case "^" if isinstance(g, Number):
                return g * f ** Number(g.value - 1) * df
            case "^":
                return self * (dg * Call("ln", (f,)) + g * df / f)
        raise CalcError(f"cannot derive {self.op}")

    def __str__(self):
        mine = PRECEDENCE[self.op]

        def part(node, strict):
            inner = PRECEDENCE.get(getattr(node, "op", None), 9)
            if isinstance(node, Number) and (node.value < 0 or node.value.denominator > 1):
                inner = 2
            return f"({node})" if inner < mine or (strict and inner == mine) else str(node)

        return f"{part(self.left, self.op == '^')} {self.op} {part(self.right, self.op in '-/%')}"


def factorial(n):
    if n != int(n) or n < 0:
        raise CalcError("factorial wants a natural number")
    return Fraction(math.factorial(int(n)))


FUNCTIONS = {
    "sqrt": (1, math.sqrt), "sin": (1, math.sin), "cos": (1, math.cos), "ln": (1, math.log), "exp": (1, math.exp),
    "gcd": (2, lambda a, b: Fraction(math.gcd(int(a), int(b)))), "max": (None, max), "min": (None, min),
    "fact": (1, factorial), "abs": (1, abs),
}


@dataclass(frozen=True)
class Call(Node):
    name: str
    args: tuple

    def eval(self, scope):
        values = [arg.eval(scope) for arg in self.args]
        if self.name in scope.functions:
            params, body = scope.functions[self.name]
            self.check(len(params), len(values))
            return body.eval(Scope(dict(zip(params, values)), scope))
        if self.name not in FUNCTIONS:
            raise CalcError(f"no function {self.name}")
        count, function = FUNCTIONS[self.name]
        self.check(count, len(values))
        try:
            return function(*values)
        except (ValueError, OverflowError) as error:
            raise CalcError(f"{self}: {error}") from error

    def check(self, wanted, got):
        if wanted is not None and wanted != got:
            raise CalcError(f"{self.name} takes {wanted} argument{'s' * (wanted != 1)}, not {got}")

    def derive(self, name):
        (arg,) = self.args
        inner = arg.derive(name)
        match self.name:
            case "sin":
                return Call("cos", self.args) * inner
            case "cos":
                return ZERO - Call("sin", self.args) * inner
            case "exp":
                return self * inner
            case "ln":
                return inner / arg
            case "sqrt":
                return inner / (TWO * self)
        raise CalcError(f"cannot derive {self.name}")

    def __str__(self):
        return f"{self.name}({', '.join(map(str, self.args))})"


class Scope(dict):
    def __init__(self, values, outer=None):
        super().__init__(values)
        self.outer = outer
        self.functions = {} if outer is None else outer.functions

    def __missing__(self, name):
        if self.outer is None:
            raise KeyError(name)
        return self.outer[name]


class Parser:
    def __init__(self, text):
        self.tokens, self.at = scan(text), 0

    @property
    def token(self):
        return self.tokens[self.at]

    def accept(self, *texts):
        token = self.token
        if token.text in texts and token.kind == "op":
            self.at += 1
            return token

    def expect(self, text):
        if not self.accept(text):
            raise CalcError(f"column {self.token.column}: expected {text!r}, found {self.token.text or 'the end'!r}")

    def statement(self):
        node = self.sum()
        if self.accept("="):
            value = self.sum()
            self.expect_end()
            match node:
                case Name(name):
                    return "let", name, value
                case Call(name, args) if all(isinstance(arg, Name) for arg in args):
                    return "def", name, tuple(arg.name for arg in args), value
            raise CalcError(f"cannot assign to {node}")
        self.expect_end()
        return "show", node

    def expect_end(self):
        if self.token.kind != "end":
            raise CalcError(f"column {self.token.column}: unexpected {self.token.text!r}")

    def sum(self):
        node = self.product()
        while op := self.accept("+", "-"):
            node = Binary(op.text, node, self.product())
        return node

    def product(self):
        node = self.unary()
        while op := self.accept("*", "/", "%"):
            node = Binary(op.text, node, self.unary())
        return node

    def unary(self):
        if self.accept("-"):
            return Binary("-", ZERO, self.unary())
        self.accept("+")
        return self.power()

    def power(self):
        node = self.postfix()
        if self.accept("^", "**"):
            return Binary("^", node, self.unary())
        return node

    def postfix(self):
        node = self.atom()
        while self.accept("!"):
            node = Call("fact", (node,))
        return node

    def atom(self):
        token = self.token
        self.at += 1
        if token.kind == "number":
            return Number(Fraction(token.text))
        if token.kind == "name":
            if not self.accept("("):
                return Name(token.text)
            args = []
            if not self.accept(")"):
                args.append(self.sum())
                while self.accept(","):
                    args.append(self.sum())
                self.expect(")")
            return Call(token.text, tuple(args))
        self.at -= 1
        if self.accept("("):
            node = self.sum()
            self.expect(")")
            return node
        raise CalcError(f"column {token.column}: expected a value, found {token.text or 'the end'!r}")


def main():
    scope = Scope({"pi": math.pi, "e": math.e})
    for number, line in enumerate(sys.stdin, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            if line.startswith("d/d"):
                name, _, rest = line[3:].partition(" ")
                kind, node = Parser(rest).statement()
                result = node.derive(name)
                print(f"{number:>2}: d/d{name} {node} = {result}")
                continue
            match Parser(line).statement():
                case "let", name, node:
                    scope[name] = node.eval(scope)
                    print(f"{number:>2}: {name} = {scope[name]}")
                case "def", name, params, node:
                    scope.functions[name] = params, node
                    print(f"{number:>2}: {name}({', '.join(params)}) defined")
                case "show", node:
                    value = node.eval(scope)
                    text = f"{value:.10g}" if isinstance(value, float) else str(value)
                    print(f"{number:>2}: {node} = {text}")
        except CalcError as error:
            print(f"{number:>2}: error: {error}")


main()
