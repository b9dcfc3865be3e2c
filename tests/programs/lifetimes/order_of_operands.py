class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n if type(self.n) is str else "outer", end=" ")
    def __eq__(self, o): return True
    def __lt__(self, o): return True
    def __contains__(self, o): return True
    def __add__(self, o): return 1
    def __getitem__(self, i): return 1
    def __setitem__(self, i, v): pass
    def __delitem__(self, i): pass
    def __setattr__(self, n, v): self.__dict__[n] = v if n == "n" else None
    def __hash__(self): return 1
    def __format__(self, spec): return str(self.n)
    def __call__(self, *a, **k): return None
    def __iter__(self): return iter(())
    def __index__(self): return 0
    def __neg__(self): return 1
    def __bool__(self): return True
    def __getattr__(self, name): raise AttributeError(name)
def show(what, f):
    f()
    print("|", what)
show("eq", lambda: D("l") == D("r"))
show("lt", lambda: D("l") < D("r"))
show("in", lambda: D("l") in D("r"))
show("not in", lambda: D("l") not in D("r"))
show("is", lambda: D("l") is D("r"))
show("is not", lambda: D("l") is not D("r"))
show("add", lambda: D("l") + D("r"))
show("neg", lambda: -D("x"))
show("not", lambda: not D("x"))
show("chain", lambda: D("a") < D("b") < D("c"))
def store(): D("o")[D("k")] = D("v")
show("setitem", store)
def delete(): del D("o")[D("k")]
show("delitem", delete)
def attr(): D("o").x = D("v")
show("setattr", attr)
show("slice", lambda: D("o")[D("a"):D("b")])
def store_slice(): D("o")[D("a"):D("b")] = D("v")
show("set slice", store_slice)
show("f-string", lambda: f"{D('a')}{D('b')}{D('c'):x}")
show("call", lambda: D("f")(D("a"), D("b"), k=D("k")))
show("call star", lambda: D("f")(*(D("a"), D("b")), **{"k": D("k")}))
show("print", lambda: print(D("a").n, D("b").n, end=" "))
show("native", lambda: isinstance(D("a"), (D, int)))
show("native 2", lambda: divmod(7, 2) and max(D("a"), D("b"), key=lambda d: 1))
show("method", lambda: [].append(D("a")))
show("method 2", lambda: {}.get(D("a"), D("b")))
show("method 3", lambda: {}.setdefault(D("k"), D("v")))
show("keywords", lambda: dict(a=D("a"), b=D("b")))
show("sorted", lambda: sorted([D("a"), D("b")], key=lambda d: d.n, reverse=True))
show("class", lambda: D(D("arg")))
class N:
    def __new__(cls, *a): return object.__new__(cls)
    def __init__(self, *a): pass
show("new", lambda: N(D("a"), D("b")))
show("zip", lambda: list(zip([D("a"), D("b")], [D("c"), D("d")])))
show("getattr", lambda: getattr(D("o"), "missing", D("default")))
show("setattr call", lambda: setattr(D("o"), "x", D("v")))
show("hasattr", lambda: hasattr(D("o"), "q"))
show("tuple", lambda: (D("a"), D("b")))
show("list", lambda: [D("a"), D("b")])
show("set", lambda: {D("a"), D("b")})
show("dict", lambda: {D("a"): D("b"), 1: D("c")})
def unpack(): a, b = D("a"), D("b")
show("unpack", unpack)
def unpack3(): a, b, c = [D("a"), D("b"), D("c")]
show("unpack 3", unpack3)
def raising():
    try: raise ValueError(D("a"), D("b"))
    except ValueError: pass
show("raise", raising)
def loop():
    for x in D("it"): pass
show("loop", loop)
def loop2():
    for x in [D("a"), D("b")]: pass
show("loop 2", loop2)
def yields():
    x = yield D("y")
show("yield", lambda: list(yields()))
show("if", lambda: D("yes") if D("cond") else D("no"))
show("and", lambda: D("a") and D("b"))
show("or", lambda: D("a") or D("b"))
show("lambda", lambda: (lambda x, y: None)(D("x"), D("y")))
show("format", lambda: "{} {}".format(D("a"), D("b")))
show("percent", lambda: "%s %s" % (D("a").n, D("b").n))
show("iter", lambda: iter([D("a"), D("b")]))
show("map", lambda: list(map(lambda a, b: None, [D("a")], [D("b")])))
def aug():
    x = D("x"); x += D("y")
show("augmented", aug)
def delname():
    a = D("a"); b = D("b"); del a
show("del name", delname)
def try_finally():
    a = D("a")
    try: b = D("b"); return D("c")
    finally: d = D("d")
show("finally", try_finally)
def cells():
    a = D("a"); b = D("b"); c = D("c")
    def g(): return a, c
show("cells", cells)
def star_args(*args, **kw): pass
show("star args", lambda: star_args(D("a"), D("b"), x=D("x"), y=D("y")))
def defaults(a, b=None, *, c=None): pass
show("defaults", lambda: defaults(D("a"), c=D("c"), b=D("b")))
def gen_locals():
    a = D("a"); b = D("b"); yield 1
show("generator", lambda: next(gen_locals()))
def gen_stack():
    a = D("a"); [D("s"), (yield 1)]
show("generator stack", lambda: next(gen_stack()))
def with_frame():
    import sys
    a = D("a"); b = D("b"); f = sys._getframe(); del f
show("frame", with_frame)
def error():
    a = D("a"); b = D("b"); 1 / 0
def catches():
    try: error()
    except ZeroDivisionError: pass
show("unwind", catches)
