"""A small Lisp: reader, macros, tail calls, closures, call/cc by exceptions, and a prelude written in itself."""

import operator
import sys
from functools import reduce
from io import StringIO


class LispError(Exception):
    pass


class Symbol(str):
    table = {}
    __slots__ = ()

    def __repr__(self):
        return str(self)

    @classmethod
    def intern(cls, name):
        return cls.table.setdefault(name, cls(name))


sym = Symbol.intern
QUOTE, QUASI, UNQUOTE, SPLICE = map(sym, ["quote", "quasiquote", "unquote", "unquote-splicing"])
READER_MACROS = {"'": QUOTE, "`": QUASI, ",": UNQUOTE, ",@": SPLICE}


def tokenize(text):
    at, line = 0, 1
    while at < len(text):
        char = text[at]
        if char == "\n":
            line += 1
            at += 1
        elif char.isspace():
            at += 1
        elif char == ";":
            while at < len(text) and text[at] != "\n":
                at += 1
        elif char in "()'`":
            yield char, line
            at += 1
        elif char == ",":
            token = ",@" if text[at:at + 2] == ",@" else ","
            yield token, line
            at += len(token)
        elif char == '"':
            end = at + 1
            while end < len(text) and text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                raise LispError(f"line {line}: string never ends")
            yield text[at:end + 1], line
            at = end + 1
        else:
            end = at
            while end < len(text) and not text[end].isspace() and text[end] not in "()'`,;\"":
                end += 1
            yield text[at:end], line
            at = end


def atom(token):
    if token == "#t":
        return True
    if token == "#f":
        return False
    if token.startswith('"'):
        return token[1:-1].encode().decode("unicode_escape")
    for kind in (int, float):
        try:
            return kind(token)
        except ValueError:
            pass
    return sym(token)


def read_all(text):
    stack, out = [], []
    prefixes = [[]]
    for token, line in tokenize(text):
        if token == "(":
            stack.append(out)
            prefixes.append([])
            out = []
            continue
        if token in READER_MACROS:
            prefixes[-1].append(READER_MACROS[token])
            continue
        if token == ")":
            if not stack:
                raise LispError(f"line {line}: unexpected )")
            value, out = out, stack.pop()
            prefixes.pop()
        else:
            value = atom(token)
        while prefixes[-1]:
            value = [prefixes[-1].pop(), value]
        out.append(value)
    if stack:
        raise LispError("unexpected end of input")
    return out


def show(value):
    match value:
        case True:
            return "#t"
        case False:
            return "#f"
        case None:
            return "nil"
        case Symbol():
            return str(value)
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        case list():
            return "(" + " ".join(map(show, value)) + ")"
        case Procedure(name=name):
            return f"#<procedure {name}>"
        case Builtin(name=name):
            return f"#<builtin {name}>"
        case _:
            return str(value)


class Env(dict):
    def __init__(self, names=(), values=(), outer=None):
        self.outer = outer
        if isinstance(names, Symbol):
            self[names] = list(values)
            return
        names = list(names)
        if "." in names:
            fixed = names.index(".")
            if len(values) < fixed:
                raise LispError(f"expected at least {fixed} arguments, got {len(values)}")
            self.update(zip(names[:fixed], values))
            self[names[fixed + 1]] = list(values[fixed:])
        else:
            if len(names) != len(values):
                raise LispError(f"expected {len(names)} arguments, got {len(values)}")
            self.update(zip(names, values))

    def find(self, name):
        env = self
        while env is not None:
            if name in env:
                return env
            env = env.outer
        raise LispError(f"unbound variable: {name}")


class Procedure:
    def __init__(self, params, body, env, name="lambda"):
        self.params, self.body, self.env, self.name = params, body, env, name

    def __call__(self, *args):
        return evaluate(self.body, Env(self.params, args, self.env))


class Builtin:
    def __init__(self, name, function):
        self.name, self.function = name, function

    def __call__(self, *args):
        return self.function(*args)


class Throw(Exception):
    def __init__(self, tag, value):
        self.tag, self.value = tag, value


def callcc(procedure):
    tag = object()

    def escape(value):
        raise Throw(tag, value)

    try:
        return procedure(escape)
    except Throw as throw:
        if throw.tag is tag:
            return throw.value
        raise


MACROS = {}


def quasi(form):
    if not isinstance(form, list) or not form:
        return [QUOTE, form]
    if form[0] is UNQUOTE:
        return form[1]
    if isinstance(form[0], list) and form[0] and form[0][0] is SPLICE:
        return [sym("append"), form[0][1], quasi(form[1:])]
    return [sym("cons"), quasi(form[0]), quasi(form[1:])]


def begin(body):
    return body[0] if len(body) == 1 else [sym("begin"), *body]


def evaluate(x, env):
    while True:
        if isinstance(x, Symbol):
            return env.find(x)[x]
        if not isinstance(x, list):
            return x
        if not x:
            return None
        head = x[0]
        match head:
            case "quote":
                return x[1]
            case "quasiquote":
                x = quasi(x[1])
            case "if":
                test = evaluate(x[1], env)
                x = x[2] if test is not False and test is not None else (x[3] if len(x) > 3 else None)
            case "define":
                if isinstance(x[1], list):
                    (name, *params), *body = x[1:]
                    env[name] = Procedure(params, begin(body), env, name)
                else:
                    env[x[1]] = evaluate(x[2], env)
                return None
            case "set!":
                env.find(x[1])[x[1]] = evaluate(x[2], env)
                return None
            case "lambda":
                return Procedure(x[1], begin(x[2:]), env)
            case "macro":
                MACROS[x[1]] = evaluate(x[2], env)
                return None
            case "begin":
                for form in x[1:-1]:
                    evaluate(form, env)
                x = x[-1]
            case _ if isinstance(head, Symbol) and head in MACROS:
                x = MACROS[head](*x[1:])
            case _:
                function, *args = [evaluate(form, env) for form in x]
                if isinstance(function, Procedure):
                    x, env = function.body, Env(function.params, args, function.env)
                elif callable(function):
                    return function(*args)
                else:
                    raise LispError(f"not a procedure: {show(function)}")


def chain(compare):
    return lambda *args: all(compare(a, b) for a, b in zip(args, args[1:]))


def make_globals(out):
    env = Env()
    builtins = {
        "+": lambda *a: sum(a), "*": lambda *a: reduce(operator.mul, a, 1),
        "-": lambda a, *b: a - sum(b) if b else -a, "/": operator.truediv, "quotient": operator.floordiv,
        "modulo": operator.mod, "<": chain(operator.lt), ">": chain(operator.gt), "<=": chain(operator.le),
        "=": chain(operator.eq), "eq?": operator.is_, "equal?": operator.eq, "not": lambda a: a is False,
        "car": lambda a: a[0], "cdr": lambda a: a[1:], "cons": lambda a, b: [a, *(b or [])],
        "list": lambda *a: list(a), "append": lambda *a: [x for part in a for x in (part or [])],
        "length": len, "null?": lambda a: a is None or a == [], "pair?": lambda a: isinstance(a, list) and a != [],
        "symbol?": lambda a: isinstance(a, Symbol), "number?": lambda a: isinstance(a, (int, float)),
        "call/cc": callcc, "apply": lambda f, a: f(*a), "string-append": lambda *a: "".join(a),
        "number->string": str, "display": lambda a: print(a if isinstance(a, str) else show(a), end="", file=out),
        "newline": lambda: print(file=out),
    }
    for name, function in builtins.items():
        env[sym(name)] = Builtin(name, function)
    return env


PRELUDE = """
(macro let (lambda (bindings . body) `((lambda ,(map car bindings) ,@body) ,@(map cadr bindings))))
(macro cond (lambda clauses
  (if (null? clauses) #f
      (if (eq? (car (car clauses)) 'else) `(begin ,@(cdr (car clauses)))
          `(if ,(car (car clauses)) (begin ,@(cdr (car clauses))) (cond ,@(cdr clauses)))))))
(macro and (lambda forms (if (null? forms) #t (if (null? (cdr forms)) (car forms) `(if ,(car forms) (and ,@(cdr forms)) #f)))))
(macro while (lambda (test . body) `(let ((loop #f)) (set! loop (lambda () (if ,test (begin ,@body (loop)) #f))) (loop))))
(define (cadr x) (car (cdr x)))
(define (map f xs) (if (null? xs) '() (cons (f (car xs)) (map f (cdr xs)))))
(define (filter f xs) (if (null? xs) '() (if (f (car xs)) (cons (car xs) (filter f (cdr xs))) (filter f (cdr xs)))))
(define (fold f init xs) (if (null? xs) init (fold f (f init (car xs)) (cdr xs))))
(define (range a b) (if (< a b) (cons a (range (+ a 1) b)) '()))
(define (compose f g) (lambda (x) (f (g x))))
"""

PROGRAM = """
(define (fact n) (if (< n 2) 1 (* n (fact (- n 1)))))
(fact 30)
(define (count n acc) (if (= n 0) acc (count (- n 1) (+ acc 1))))
(count 20000 0)
(define (ackermann m n)
  (cond ((= m 0) (+ n 1)) ((= n 0) (ackermann (- m 1) 1)) (else (ackermann (- m 1) (ackermann m (- n 1))))))
(ackermann 2 3)
(let ((x 3) (y 4)) (list x y `(x ,x ,@(list y y) end)))
(define counter (let ((n 0)) (lambda () (set! n (+ n 1)) n)))
(begin (counter) (counter) (counter))
(call/cc (lambda (k) (+ 1 (k 42))))
(fold + 0 (filter (lambda (x) (= 0 (modulo x 3))) (range 0 30)))
((compose car cdr) '(a b c))
(define (quicksort xs)
  (if (null? xs) '()
      (let ((p (car xs)) (rest (cdr xs)))
        (append (quicksort (filter (lambda (x) (< x p)) rest)) (list p)
                (quicksort (filter (lambda (x) (not (< x p))) rest))))))
(quicksort '(3 1 4 1 5 9 2 6 5 3 5 8 9 7 9))
(define i 0)
(while (< i 3) (display i) (display " ") (set! i (+ i 1)))
(define (variadic a . rest) (list a rest))
(variadic 1 2 3)
(lambda (x) x)
car
(string-append "tab\\there" " \\"quoted\\"")
(list #t #f 1.5 -7 'sym "s")
(and 1 2 (= 1 1) "last")
(unknown 1)
(1 2 3)
(fact)
(car 5)
"""


def main():
    out = StringIO()
    env = make_globals(out)
    for form in read_all(PRELUDE):
        evaluate(form, env)
    for form in read_all(PROGRAM):
        try:
            value = evaluate(form, env)
        except LispError as error:
            print(f"{show(form)[:60]} => error: {error}")
        except TypeError as error:
            print(f"{show(form)[:60]} => type error: {error}")
        else:
            if value is not None:
                print(f"{show(form)[:60]} => {show(value)}")
        if out.tell():
            print("output:", repr(out.getvalue()))
            out.seek(0)
            out.truncate()
    for broken in ["(a (b)", "a)", '"abc']:
        try:
            read_all(broken)
        except LispError as error:
            print(f"{broken!r}: {error}")
    print(len(Symbol.table), "symbols")
    return 0


if __name__ == "__main__":
    sys.exit(main())
