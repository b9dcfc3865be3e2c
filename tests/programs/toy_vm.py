"""A toy language: tokenizer, compiler to stack code, peephole optimiser, disassembler and a virtual machine."""

import re
import struct
import sys
from collections import Counter, namedtuple
from enum import IntEnum

SOURCE = '''
# The first primes, then some strings and functions.
fn is_prime(n) {
    if n < 2 { return false; }
    let d = 2;
    while d * d <= n {
        if n % d == 0 { return false; }
        d = d + 1;
    }
    return true;
}
fn primes(count) {
    let found = []; let n = 2;
    while len(found) < count {
        if is_prime(n) { push(found, n); }
        n = n + 1;
    }
    return found;
}
print(primes(15));
fn fib(n) { if n < 2 { return n; } return fib(n - 1) + fib(n - 2); }
print("fib", fib(16));
fn make_adder(a) { return fn(b) { return a + b; }; }
let add5 = make_adder(5);
print(add5(10), make_adder("x")("y"));
let i = 0; let text = "";
while true {
    i = i + 1;
    if i > 20 { break; }
    if i % 3 == 0 and not (i % 2 == 0) or i == 20 { text = text + str(i) + " "; } else { continue; }
}
print(text, 2 + 3 * 4 - 1, -(2 + 3), 7 / 2, 1 == 1.0, "a" < "b");
let table = [[1, 2], [3, 4]];
table[1][0] = table[0][1] * 10;
print(table, table[1], len("hello"), [] == []);
fn apply(f, xs) { let out = []; let k = 0; while k < len(xs) { push(out, f(xs[k])); k = k + 1; } return out; }
print(apply(fn(x) { return x * x; }, [1, 2, 3]), apply(str, [true, nil]));
'''

Token = namedtuple("Token", "kind text line")
LEXER = re.compile(r"""(?P<number>\d+(\.\d+)?)|(?P<string>"[^"\n]*")|(?P<name>\w+)|(?P<op>[=!<>]=|[-+*/%<>=(){}\[\],;])
                       |(?P<skip>[ \t]+|\#[^\n]*)|(?P<newline>\n)|(?P<bad>.)""", re.VERBOSE)
KEYWORDS = {"fn", "let", "if", "else", "while", "break", "continue", "return", "true", "false", "nil", "and", "or", "not"}


class ToyError(Exception):
    pass


def lex(source):
    line = 1
    for found in LEXER.finditer(source):
        kind, text = found.lastgroup, found.group()
        if kind == "newline":
            line += 1
        elif kind == "bad":
            raise ToyError(f"line {line}: bad character {text!r}")
        elif kind != "skip":
            yield Token(text if text in KEYWORDS else kind, text, line)
    yield Token("end", "", line)


class Op(IntEnum):
    CONST, LOAD, STORE, GLOBAL, SET_GLOBAL, CELL, POP, CALL, RETURN, JUMP, JUMP_IF_FALSE, JUMP_IF_FALSE_KEEP, \
        JUMP_IF_TRUE_KEEP, BINARY, NEGATE, NOT, LIST, INDEX, SET_INDEX, CLOSURE, ADD_CONST = range(21)


BINARY = ["+", "-", "*", "/", "%", "<", ">", "<=", ">=", "==", "!="]
LEVELS = [["==", "!=", "<", ">", "<=", ">="], ["+", "-"], ["*", "/", "%"]]


class Code:
    def __init__(self, name, params, outer=None):
        self.name, self.params, self.outer = name, params, outer
        self.locals, self.consts, self.free = list(params), [], []
        self.ops, self.lines = [], []

    def emit(self, op, arg=0, line=0):
        self.ops.append([op, arg])
        self.lines.append(line)
        return len(self.ops) - 1

    def const(self, value):
        for at, known in enumerate(self.consts):
            if known is value or (type(known) is type(value) and known == value):
                return at
        self.consts.append(value)
        return len(self.consts) - 1

    def patch(self, at):
        self.ops[at][1] = len(self.ops)

    def pack(self):
        return b"".join(struct.pack("<BH", op, arg) for op, arg in self.ops)

    def optimise(self):
        """Jumps to jumps go straight on; adding a constant is one instruction."""
        targets = {arg for op, arg in self.ops if "JUMP" in op.name}
        saved = 0
        for instruction in self.ops:
            while "JUMP" in instruction[0].name and instruction[1] < len(self.ops) and self.ops[instruction[1]][0] is Op.JUMP:
                instruction[1] = self.ops[instruction[1]][1]
        out, moved = [], {}
        at = 0
        while at < len(self.ops):
            moved[at] = len(out)
            (op, arg), following = self.ops[at], self.ops[at + 1:at + 2]
            if op is Op.CONST and following == [[Op.BINARY, 0]] and at + 1 not in targets:
                out.append([Op.ADD_CONST, arg])
                at, saved = at + 2, saved + 1
            else:
                out.append([op, arg])
                at += 1
        moved[at] = len(out)
        self.ops = [[op, moved[arg] if "JUMP" in op.name else arg] for op, arg in out]
        return saved


class Compiler:
    def __init__(self, source):
        self.tokens, self.at = list(lex(source)), 0
        self.code, self.codes, self.loops = Code("main", []), [], []

    @property
    def token(self):
        return self.tokens[self.at]

    def accept(self, *texts):
        if self.token.text in texts and self.token.kind != "string":
            self.at += 1
            return self.tokens[self.at - 1]

    def expect(self, text):
        found = self.accept(text)
        if not found:
            raise ToyError(f"line {self.token.line}: expected {text!r} before {self.token.text!r}")
        return found

    def name(self):
        token = self.token
        if token.kind != "name":
            raise ToyError(f"line {token.line}: expected a name before {token.text!r}")
        self.at += 1
        return token.text

    def emit(self, op, arg=0):
        return self.code.emit(op, arg, self.token.line)

    def program(self):
        while self.token.kind != "end":
            self.statement()
        self.emit(Op.CONST, self.code.const(None))
        self.emit(Op.RETURN)
        self.codes.append(self.code)
        return self.code

    def block(self):
        self.expect("{")
        while not self.accept("}"):
            self.statement()

    def statement(self):
        match self.token.kind:
            case "let":
                self.at += 1
                name = self.name()
                self.expect("=")
                self.expression()
                self.define(name)
                self.expect(";")
            case "fn" if self.tokens[self.at + 1].kind == "name":
                self.at += 1
                name = self.name()
                self.function(name)
                self.define(name)
            case "if":
                self.at += 1
                self.expression()
                otherwise = self.emit(Op.JUMP_IF_FALSE)
                self.block()
                if self.accept("else"):
                    end = self.emit(Op.JUMP)
                    self.code.patch(otherwise)
                    self.block()
                    self.code.patch(end)
                else:
                    self.code.patch(otherwise)
            case "while":
                self.at += 1
                start = len(self.code.ops)
                self.expression()
                end = self.emit(Op.JUMP_IF_FALSE)
                self.loops.append((start, [end]))
                self.block()
                self.emit(Op.JUMP, start)
                for at in self.loops.pop()[1]:
                    self.code.patch(at)
            case "break" | "continue" as kind:
                self.at += 1
                if not self.loops:
                    raise ToyError(f"line {self.token.line}: {kind} outside a loop")
                start, ends = self.loops[-1]
                jump = self.emit(Op.JUMP, start)
                if kind == "break":
                    ends.append(jump)
                self.expect(";")
            case "return":
                self.at += 1
                self.expression()
                self.emit(Op.RETURN)
                self.expect(";")
            case _:
                self.expression()
                if self.accept("="):
                    op, arg = self.code.ops.pop()
                    self.code.lines.pop()
                    self.expression()
                    match op:
                        case Op.LOAD:
                            self.emit(Op.STORE, arg)
                        case Op.GLOBAL:
                            self.emit(Op.SET_GLOBAL, arg)
                        case Op.INDEX:
                            self.emit(Op.SET_INDEX)
                        case _:
                            raise ToyError(f"line {self.token.line}: cannot assign to that")
                else:
                    self.emit(Op.POP)
                self.expect(";")

    def define(self, name):
        if self.code.outer is None:
            self.emit(Op.SET_GLOBAL, self.code.const(name))
        else:
            if name not in self.code.locals:
                self.code.locals.append(name)
            self.emit(Op.STORE, self.code.locals.index(name))

    def function(self, name):
        self.expect("(")
        params = []
        while not self.accept(")"):
            params.append(self.name())
            if not self.accept(","):
                self.expect(")")
                break
        self.code = Code(name, params, self.code)
        loops, self.loops = self.loops, []
        self.block()
        self.emit(Op.CONST, self.code.const(None))
        self.emit(Op.RETURN)
        self.loops = loops
        done, self.code = self.code, self.code.outer
        self.codes.append(done)
        self.emit(Op.CLOSURE, self.code.const(done))

    def expression(self):
        self.both()
        while self.accept("or"):
            end = self.emit(Op.JUMP_IF_TRUE_KEEP)
            self.both()
            self.code.patch(end)

    def both(self):
        self.negation()
        while self.accept("and"):
            end = self.emit(Op.JUMP_IF_FALSE_KEEP)
            self.negation()
            self.code.patch(end)

    def negation(self):
        if self.accept("not"):
            self.negation()
            self.emit(Op.NOT)
        else:
            self.binary(0)

    def binary(self, level):
        if level == len(LEVELS):
            return self.unary()
        self.binary(level + 1)
        while op := self.accept(*LEVELS[level]):
            self.binary(level + 1)
            self.emit(Op.BINARY, BINARY.index(op.text))

    def unary(self):
        if self.accept("-"):
            self.unary()
            self.emit(Op.NEGATE)
            return
        self.atom()
        while op := self.accept("(", "["):
            if op.text == "[":
                self.expression()
                self.expect("]")
                self.emit(Op.INDEX)
            else:
                self.emit(Op.CALL, self.items(")"))

    def items(self, end):
        count = 0
        while not self.accept(end):
            self.expression()
            count += 1
            if not self.accept(","):
                self.expect(end)
                break
        return count

    def atom(self):
        token = self.token
        self.at += 1
        match token.kind:
            case "number":
                value = float(token.text) if "." in token.text else int(token.text)
                self.emit(Op.CONST, self.code.const(value))
            case "string":
                self.emit(Op.CONST, self.code.const(token.text[1:-1]))
            case "true" | "false" | "nil":
                self.emit(Op.CONST, self.code.const({"true": True, "false": False, "nil": None}[token.kind]))
            case "name":
                self.load(token.text)
            case "fn":
                self.function("<lambda>")
            case "op" if token.text == "(":
                self.expression()
                self.expect(")")
            case "op" if token.text == "[":
                self.emit(Op.LIST, self.items("]"))
            case _:
                raise ToyError(f"line {token.line}: unexpected {token.text!r}")

    def load(self, name):
        if name in self.code.locals:
            return self.emit(Op.LOAD, self.code.locals.index(name))
        outer = self.code.outer
        while outer is not None and outer.outer is not None:
            if name in outer.locals:
                if name not in self.code.free:
                    self.code.free.append(name)
                return self.emit(Op.CELL, self.code.free.index(name))
            outer = outer.outer
        return self.emit(Op.GLOBAL, self.code.const(name))


class Closure:
    def __init__(self, code, cells):
        self.code, self.cells = code, cells

    def __repr__(self):
        return f"<fn {self.code.name}/{len(self.code.params)}>"


def show(value):
    match value:
        case True | False:
            return str(value).lower()
        case None:
            return "nil"
        case list():
            return "[" + ", ".join(map(show, value)) + "]"
    return str(value)


class Machine:
    def __init__(self, out):
        self.out, self.steps, self.counts = out, 0, Counter()
        self.globals = {"print": self.print, "len": len, "push": list.append, "str": show}

    def print(self, *values):
        self.out(" ".join(map(show, values)))

    def run(self, code):
        frames, stack, slots, cells, at = [], [], [None] * len(code.locals), {}, 0
        while True:
            op, arg = code.ops[at]
            at += 1
            self.steps += 1
            self.counts[op] += 1
            if op is Op.LOAD:
                stack.append(slots[arg])
            elif op is Op.CONST:
                stack.append(code.consts[arg])
            elif op is Op.STORE:
                slots[arg] = stack.pop()
            elif op is Op.ADD_CONST:
                stack[-1] = stack[-1] + code.consts[arg]
            elif op is Op.BINARY:
                right = stack.pop()
                stack[-1] = self.binary(BINARY[arg], stack[-1], right)
            elif op is Op.GLOBAL:
                name = code.consts[arg]
                if name not in self.globals:
                    raise ToyError(f"{code.name}: {name} is not defined")
                stack.append(self.globals[name])
            elif op is Op.SET_GLOBAL:
                self.globals[code.consts[arg]] = stack.pop()
            elif op is Op.CELL:
                stack.append(cells[code.free[arg]])
            elif op is Op.JUMP:
                at = arg
            elif op is Op.JUMP_IF_FALSE:
                if not stack.pop():
                    at = arg
            elif op in (Op.JUMP_IF_FALSE_KEEP, Op.JUMP_IF_TRUE_KEEP):
                if bool(stack[-1]) is (op is Op.JUMP_IF_TRUE_KEEP):
                    at = arg
                else:
                    stack.pop()
            elif op is Op.CALL:
                args = stack[len(stack) - arg:]
                del stack[len(stack) - arg:]
                function = stack.pop()
                if isinstance(function, Closure):
                    if len(function.code.params) != arg:
                        raise ToyError(f"{function} called with {arg} arguments")
                    if len(frames) > 200:
                        raise ToyError("stack overflow")
                    frames.append((code, slots, cells, at))
                    code, cells, at = function.code, function.cells, 0
                    slots = args + [None] * (len(code.locals) - arg)
                elif callable(function):
                    stack.append(function(*args))
                else:
                    raise ToyError(f"cannot call {show(function)}")
            elif op is Op.RETURN:
                if not frames:
                    return stack.pop()
                code, slots, cells, at = frames.pop()
            elif op is Op.CLOSURE:
                inner = code.consts[arg]
                stack.append(Closure(inner, cells | dict(zip(code.locals, slots))))
            elif op is Op.LIST:
                stack[len(stack) - arg:] = [stack[len(stack) - arg:]]
            elif op is Op.INDEX:
                index = stack.pop()
                stack[-1] = stack[-1][index]
            elif op is Op.SET_INDEX:
                value, index, target = stack.pop(), stack.pop(), stack.pop()
                target[index] = value
            elif op is Op.NOT:
                stack[-1] = not stack[-1]
            elif op is Op.NEGATE:
                stack[-1] = -stack[-1]
            elif op is Op.POP:
                stack.pop()

    def binary(self, op, a, b):
        match op:
            case "+": return a + b
            case "-": return a - b
            case "*": return a * b
            case "/": return a / b
            case "%": return a % b
            case "<": return a < b
            case ">": return a > b
            case "<=": return a <= b
            case ">=": return a >= b
            case "==": return a == b
            case _: return a != b


def main():
    compiler = Compiler(SOURCE)
    compiler.program()
    saved = sum(code.optimise() for code in compiler.codes)
    for code in compiler.codes:
        if code.name in ("is_prime", "make_adder", "<lambda>"):
            print(f"{code.name}: {len(code.ops)} ops, locals {code.locals}, free {code.free}, {code.pack().hex()[:40]}...")
            for at, (op, arg) in enumerate(code.ops):
                note = f"  ({show(code.consts[arg])})" if op in (Op.CONST, Op.GLOBAL, Op.ADD_CONST) else ""
                print(f"  {at:>3} {op.name:<14}{arg:>4}{note}")
    machine = Machine(print)
    machine.run(compiler.code)
    print(machine.steps, "steps;", saved, "merged;", [(op.name, n) for op, n in machine.counts.most_common(4)])
    for source in ["let = 3;", "x;", "1(2);", "fn f(a) { return a; } f();", "break;", "let a = 1 $ 2;", "1 = 2;", "[1][5];",
                   "fn f(n) { return f(n + 1); } f(0);", "if true { let x = 1;", "1 / 0;", '"a" - 1;']:
        try:
            Machine(print).run(Compiler(source).program())
            print("ran", source)
        except (ToyError, IndexError, ArithmeticError, TypeError) as error:
            print(f"{source:<32} {type(error).__name__}: {error}")
    return 0


sys.exit(main())
