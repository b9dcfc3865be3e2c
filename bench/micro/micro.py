"""The micro-table: about ninety things that every program does, each timed on its own.

    micro.py [SECONDS [NAME ...]]
    micro.py SECONDS -

For each entry a line `result NAME NANOSECONDS ...` is printed: the time of one execution of its statement in each of
three measurements of SECONDS. With `-` the names come from standard input, and each is measured once: so that two
interpreters can be measured in turn. A statement is executed eight times between two steps of the measuring loop.
"""

import sys
import time

COPIES = 8

SETUP = '''
import asyncio, functools, math, re
class Plain: pass
class WithInit:
    def __init__(self, a, b): self.a = a; self.b = b
class Slots:
    __slots__ = ("a", "b")
    def __init__(self, a, b): self.a = a; self.b = b
class Base:
    shared = 1
    def __init__(self): self.x = 1; self.y = 2; self.z = 3
    def method(self): return 1
    def method2(self, a, b): return a
    @property
    def prop(self): return 1
    @classmethod
    def cmethod(cls): return 1
    @staticmethod
    def smethod(a): return a
    def __len__(self): return 3
    def __getitem__(self, key): return key
    def __call__(self): return 1
    def __eq__(self, other): return True
    def __add__(self, other): return self
    def __contains__(self, item): return True
    def __enter__(self): return self
    def __exit__(self, *args): return None
class Derived(Base):
    def method(self): return super().method()
class Getattr:
    def __getattr__(self, name): return 1
class Descriptor:
    def __get__(self, instance, owner): return 1
    def __set__(self, instance, value): pass
class WithDescriptor: d = Descriptor()
def f0(): return None
def f1(a): return a
def f3(a, b, c): return a
def fd(a, b=2, c=3): return a
def fkw(a, *, b=1, c=2): return a
def star(*args, **kwargs): return args
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
def closure(n):
    def inner(): return n
    return inner
def decorator(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs): return f(*args, **kwargs)
    return wrapper
@decorator
def decorated(a): return a
def generator(n):
    for i in range(n): yield i
def delegating(n): yield from generator(n)
def deep(n):
    if n: return deep(n - 1)
    raise ValueError("x")
async def coroutine(): return 1
async def awaiting():
    for i in range(10): await coroutine()
def drive(c):
    try: c.send(None)
    except StopIteration as e: return e.value
def matching(x):
    match x:
        case {"a": 1}: return 1
        case [a, b]: return a
        case Base(x=1): return 3
        case str(): return 4
        case _: return 5
inner = closure(1)
add = lambda a, b: a + b
o = Base(); d = Derived(); p = Plain(); s = Slots(1, 2); g = Getattr(); wd = WithDescriptor(); bound = o.method
i = 12345; j = 678; x = 1.5; y = 2.25; big = 3 ** 200; big2 = 7 ** 150; neg = -3
l = list(range(100)); l2 = list(range(100, 0, -1)); t = tuple(range(10)); st = set(range(100)); words = ["w%d" % n for n in range(50)]
floats = [n * 0.5 for n in range(100)]; pairs = [(n % 7, n) for n in range(100)]
dct = {n: n for n in range(100)}; sd = {w: w for w in words}; text = "the quick brown fox jumps over the lazy dog " * 4
short = "hello"; name = "world"; data = b"some bytes here " * 8; key = "w7"; ba = bytearray(data)
pattern = re.compile(r"(\\w+) (\\w+)")
'''

ENTRIES = {
    "call/positional0": "f0()",
    "call/positional3": "f3(1, 2, 3)",
    "call/keyword": "f3(a=1, b=2, c=3)",
    "call/default": "fd(1)",
    "call/keyword_only": "fkw(1, b=3)",
    "call/star": "star(1, 2, k=3)",
    "call/star_expand": "f3(*t[:3])",
    "call/method": "o.method()",
    "call/method_args": "o.method2(1, 2)",
    "call/bound": "bound()",
    "call/builtin_len": "len(l)",
    "call/builtin_abs": "abs(neg)",
    "call/builtin_min": "min(i, j)",
    "call/builtin_type": "type(o)",
    "call/class_plain": "Plain()",
    "call/class_init": "WithInit(1, 2)",
    "call/class_slots": "Slots(1, 2)",
    "call/super": "d.method()",
    "call/closure": "inner()",
    "call/lambda": "add(1, 2)",
    "call/decorated": "decorated(1)",
    "call/recursion": "fib(8)",
    "call/classmethod": "Base.cmethod()",
    "call/staticmethod": "o.smethod(1)",
    "call/instance": "o()",
    "call/isinstance": "isinstance(o, Base)",
    "call/range_int": "int('42')",
    "attr/instance_get": "o.y",
    "attr/instance_set": "o.y = 5",
    "attr/class_get": "o.shared",
    "attr/slot_get": "s.a",
    "attr/slot_set": "s.a = 3",
    "attr/module": "math.pi",
    "attr/property": "o.prop",
    "attr/descriptor": "wd.d",
    "attr/missing_getattr": "g.nothing",
    "attr/getattr_default": "getattr(o, 'nothing', None)",
    "attr/hasattr": "hasattr(o, 'x')",
    "global/read": "i",
    "global/builtin": "len",
    "int/add": "k = i + j",
    "int/mul_mod": "k = i * j % 1000",
    "int/floordiv": "k = i // 7",
    "int/shift_and": "k = (i >> 3) & 255",
    "int/compare_chain": "0 < j < i",
    "int/big_mul": "big * big2",
    "int/big_add": "big + big2",
    "int/to_str": "str(i)",
    "int/in_place": "k = i; k += 1; k -= j; k *= 2",
    "float/arith": "k = x * y + x / y - 1.0",
    "float/pow_round": "round(x ** 2, 1)",
    "op/special_add": "o + 1",
    "op/special_eq": "o == 1",
    "op/special_getitem": "o[1]",
    "op/special_contains": "1 in o",
    "list/index": "l[50]",
    "list/store": "l[50] = 50",
    "list/append_pop": "l.append(1); l.pop()",
    "list/literal": "[i, j, i]",
    "list/slice": "l[10:20]",
    "list/concat": "l + l",
    "list/iterate": "for k in l: pass",
    "list/comprehension": "[k for k in l]",
    "list/comprehension_if": "[k + 1 for k in l if k & 1]",
    "list/sort_ints": "sorted(l2)",
    "list/sort_floats": "sorted(floats)",
    "list/sort_strings": "sorted(words)",
    "list/sort_tuples": "sorted(pairs)",
    "list/sort_key": "sorted(l, key=lambda k: -k)",
    "list/in": "77 in l",
    "list/copy_reverse": "k = l[:]; k.reverse()",
    "list/unpack": "a, b, *c = t",
    "list/enumerate_zip": "for a, (b, c) in enumerate(zip(t, t)): pass",
    "list/sum_max": "sum(l); max(l)",
    "list/map_filter": "list(map(str, t)); list(filter(None, t))",
    "dict/get_int": "dct[50]",
    "dict/get_str": "sd[key]",
    "dict/store": "sd[key] = 1",
    "dict/in": "key in sd",
    "dict/get_method": "sd.get(key, None)",
    "dict/literal": "{'a': 1, 'b': 2}",
    "dict/items": "for a, b in dct.items(): pass",
    "dict/comprehension": "{k: k for k in t}",
    "dict/update_copy": "k = dict(dct); k.update(sd)",
    "dict/setdefault": "sd.setdefault(key, 1)",
    "set/in_add": "5 in st; st.add(5)",
    "set/algebra": "st & {1, 2, 3}; st | {1}",
    "set/comprehension": "{k & 7 for k in t}",
    "tuple/make_index": "k = (i, j); k[0]",
    "tuple/compare_hash": "(1, i) < (1, j); hash((i, j))",
    "str/concat": "short + name",
    "str/fstring": "f'{short}-{i}-{x:.2f}'",
    "str/percent": "'%s-%d' % (short, i)",
    "str/format": "'{}-{:>5}'.format(short, i)",
    "str/join": "','.join(words)",
    "str/split": "text.split()",
    "str/replace": "text.replace('fox', 'cat')",
    "str/find_in": "text.find('lazy'); 'dog' in text",
    "str/slice_index": "text[4:9]; text[3]",
    "str/iterate": "for c in short: pass",
    "str/upper_strip": "short.upper(); ' x '.strip()",
    "str/startswith": "text.startswith('the')",
    "str/encode_decode": "short.encode().decode()",
    "str/compare": "short == name; short < name",
    "bytes/slice_find": "data[3:9]; data.find(b'here')",
    "bytes/iterate": "for c in data: pass",
    "bytes/bytearray_store": "ba[3] = 7",
    "gen/iterate": "for k in generator(20): pass",
    "gen/expression": "sum(k for k in t)",
    "gen/yield_from": "for k in delegating(20): pass",
    "gen/async": "drive(awaiting())",
    "exc/try_no_raise": "try: k = 1\nexcept ValueError: pass",
    "exc/raise_catch": "try: raise ValueError('x')\nexcept ValueError: pass",
    "exc/raise_deep": "try: deep(10)\nexcept ValueError: pass",
    "exc/key_error": "try: dct['no']\nexcept KeyError: pass",
    "exc/finally": "try: k = 1\nfinally: k = 2",
    "with/block": "with o: pass",
    "flow/for_range": "for k in range(100): pass",
    "flow/while": "k = 0\nwhile k < 50: k += 1",
    "flow/if_elif": "if i == 1: pass\nelif i == 2: pass\nelif i > 3: pass",
    "flow/match": "matching([1, 2]); matching('s'); matching(o)",
    "flow/bool_ops": "i and j or x; not i",
    "lib/import_cached": "import math",
    "lib/from_import": "from math import sin",
    "lib/re_match": "pattern.match(text)",
    "lib/lru_cache": "cached(3)",
    "lib/partial": "part(2)",
    "def/function": "def k(a): return a",
    "def/class": "class K: a = 1",
}
EXTRA = '''
cached = functools.lru_cache(f1)
part = functools.partial(f3, 1, c=2)
'''


class Entry:
    def __init__(self, name, seconds):
        statement = ENTRIES[name]
        namespace = {}
        exec(SETUP + EXTRA, namespace)
        # Definitions and imports are long enough to be measured one by one.
        self.copies = 1 if name.startswith(("def/", "lib/import", "lib/from")) else COPIES
        body = "\n".join("        " + line for line in statement.split("\n"))
        source = "def run(steps, clock):\n    begun = clock()\n    for _ in steps:\n%s\n    return clock() - begun\n"
        exec(source % "\n".join([body] * self.copies), namespace)
        self.run, self.steps = namespace["run"], 1
        while (spent := self.run(range(self.steps), time.perf_counter)) < seconds / 4:
            self.steps *= 2 if spent else 10
        self.steps = max(1, int(self.steps * seconds / spent))

    def measure(self):
        """Nanoseconds of one execution."""
        return self.run(range(self.steps), time.perf_counter) / self.steps / self.copies * 1e9


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.03
    if sys.argv[2:] == ["-"]:
        entries = {}
        for name in map(str.strip, sys.stdin):
            if name not in entries:
                entries[name] = Entry(name, seconds)
            print("result", name, "%.2f" % entries[name].measure(), flush=True)
        return
    for name in ENTRIES:
        if not sys.argv[2:] or any(part in name for part in sys.argv[2:]):
            entry = Entry(name, seconds)
            print("result", name, *("%.2f" % entry.measure() for _ in range(3)), flush=True)


main()
