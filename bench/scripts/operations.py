"""How many machine instructions single operations take, beside other interpreters: what no other load of the machine changes.

    operations.py COMMAND [COMMAND ...]

For each statement of the list a line is printed: the first command's instructions per execution as a share of the last one's,
those of each, the statement. The lines with the largest share come first. Needs valgrind; a COMMAND may have several words.

Each interpreter runs under callgrind, which is told to write down its counts whenever the clock is read: between two readings
one after the other, a statement has been executed so many times. An empty loop is subtracted.
"""

import collections
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

SETUP = '''
import re, os, functools, collections, types, math, itertools, operator, struct
import json, pickle, copy, datetime, io, decimal, fractions, threading, contextlib
ig = operator.itemgetter(1)
ag = operator.attrgetter('a')
dt = datetime.datetime(2020, 1, 2)
td = datetime.timedelta(1)
sio = io.StringIO()
dec = decimal.Decimal('2.5')
lk = threading.Lock()
@contextlib.contextmanager
def cm():
    yield 1
class A:
    cls = 1

    def __init__(self, a=1, b=2):
        self.a = a
        self.b = b

    def m(self, x=1, *, k=2):
        return x

    def n(self, x):
        return x

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return i

    def __iter__(self):
        return iter((1, 2, 3))

    def __repr__(self):
        return 'A'

    def __hash__(self):
        return 5

    def __eq__(self, o):
        return self is o

    def __lt__(self, o):
        return self.a < o.a

    def __bool__(self):
        return True

    def __contains__(self, x):
        return True

    @property
    def p(self):
        return self.a

    @classmethod
    def c(cls, x):
        return x

    @staticmethod
    def s(x):
        return x
class B(A):

    def __init__(self, *a, **k):
        super().__init__(*a, **k)

    def n(self, x):
        return super().n(x)
class L(list):
    pass
class D(dict):
    pass
NT = collections.namedtuple('NT', 'x y')
def f(a, b=2, *args, c=3, **kw):
    return a
def g(*a, **k):
    return f(*a, **k)
def h(a, b, c=3):
    return a
def gen():
    yield 1
    yield 2
def outer(x):

    def inner():
        return x
    return inner
o = A()
b = B()
l = L([1, 2, 3])
d = D(a=1)
dd = {'a': 1, 'b': 2, 'c': 3}
dk = {'a': 5, 'b': 6}
t = (1, 2, 3)
lst = [1, 2, 3, 4, 5, 6, 7, 8]
s = 'hello world'
w = 'foo'
nt = NT(1, 2)
de = collections.deque([1, 2, 3])
df = collections.defaultdict(list)
st = {'a', 'b', 'c'}
fs = frozenset(st)
pat = re.compile('wor')
i = 5
od = {o: 1}
by = b'abcdef'
parts = ['a', 'b', 'c']
e = ValueError('x')
big = 10 ** 30
part = functools.partial(h, 1, 2)
i3 = 3
class P:
    pass
pl = P()
pd = {pl: 1}
ps = {pl}
ti = {(1, 2): 3}
bi = {1: 2}
class S:
    __slots__ = ('a',)

    def __init__(self, a):
        self.a = a
so = S(1)
class E(Exception):
    pass
async def co():
    return 1
'''
STATEMENTS = '''
pass
h(1, 2)
h(1, b=2)
h(a=1, c=4, b=2)
f(1)
f(1, 2, 3, c=5)
f(1, x=3)
f(*t)
h(*t)
h(1, **{'b': 2})
g(1, 2)
g(1, c=2)
A()
A(1, b=3)
B(1)
b.n(1)
o.m(1)
o.m(x=1)
o.m(1, k=3)
o.p
A.c(1)
o.c(1)
o.s(1)
len(o)
o[1]
bool(o)
if o: pass
3 in o
for x in o: pass
repr(o)
str(o)
od[o]
o == 3
o < o
sorted((o, o))
isinstance(o, (list, A))
isinstance(s, str)
isinstance(o, B)
issubclass(B, A)
hasattr(o, 'zz')
getattr(o, 'a')
getattr(o, w, None)
setattr(o, 'a', 1)
o.a += 1
dd['a']
dd.get('zz')
dd.get('a', 3)
dd['d'] = 1; del dd['d']
dd.pop('zz', None)
dd.setdefault('a', 2)
dd.items()
for k, v in dd.items(): pass
for k in dd: pass
for k in list(dd): pass
list(dd.values())
dict(dd)
dd.copy()
{**dd, 'x': 1}
{k: v for k, v in dd.items()}
'a' in dd
'a' in st
i in (1, 5, 7)
w in ('a', 'foo')
st | fs
set(lst)
frozenset(lst)
st.add('a')
tuple(lst)
list(t)
[x for x in lst if x > 3]
[x * 2 for x in lst]
(1, i, 3)
[1, i, 3]
{'a': i}
{1, i}
lst[1:3]
lst[-1]
lst[1:]
s[1:3]
s[0]
s[::-1]
t[1:]
lst + lst
lst.append(1); lst.pop()
lst.index(3)
lst.extend(t); del lst[8:]
lst.insert(0, 1); del lst[0]
lst.sort()
sorted(lst)
sorted(lst, key=lambda x: -x)
lst.reverse()
reversed(lst)
for x in reversed(lst): pass
for n, x in enumerate(lst): pass
for x, y in zip(lst, t): pass
for x in range(3): pass
max(1, i)
max(lst)
min(lst, key=lambda x: -x)
sum(lst)
any(x > 3 for x in lst)
all(x for x in lst)
map(str, lst)
list(map(str, t))
list(filter(None, t))
abs(-3)
divmod(17, i)
int('42')
str(i)
repr(s)
hash(t)
id(o)
type(o)
type(o) is A
callable(o)
s.split()
s.split('o')
' '.join(parts)
s.startswith('he')
s.endswith(('x', 'ld'))
s.find('wor')
s.replace('o', 'x')
s.strip()
s.upper()
s.lower()
s.partition(' ')
s.isdigit()
s == w
s + w
'%s=%s' % (s, i)
f'{s}={i}'
f'{i:>5}'
f'{s!r}'
'{} {}'.format(s, i)
s.encode()
by.decode()
by[1:3]
by + by
ord('a')
chr(97)
s.join(parts)
s.count('o')
pat.match(s)
pat.search(s)
pat.search(s).group()
pat.sub('x', s)
re.match('wor', s)
l.append(1); l.pop()
l[0]
d['a']
d.get('a')
de.append(1); de.popleft()
df['x'].append(1); df['x'].pop()
nt.x
nt[0]
NT(1, 2)
x, y = nt
a, *r = lst
x, y = i, i3
try: dd['zz']
except KeyError: pass
try: raise e
except ValueError: pass
try: raise ValueError('x')
except ValueError as ex: pass
try: o.zz
except AttributeError: pass
for x in gen(): pass
list(gen())
next(gen())
next(iter(lst))
lambda: 1
outer(1)()
part()
part(c=3)
big + 1
big * big
big // 7
i << 3
i / 3
i ** 2
1.5 * i
i % 3 == 0 and i > 3
not i
x = y = i
x = None
os.path.join('a', 'b')
os.path.basename('/a/b')
os.environ.get('HOME')
pl in pd
pd[pl]
pl in ps
pd[pl] = 2
ti[1, 2]
bi[1]
(1, 2) in ti
x = P(); x.x = 1; x.y = 2
S(1)
so.a
E('x')
co().close()
[*lst, 1]
[*t, *lst]
(*t, 4)
{*t, 9}
def q(a, b=1): return a
lambda a: a + i
x = [0] * 10
lst == lst[:]
t == (1, 2, 3)
s in ('a', 'b', 'hello world')
'lo' in s
s and w or i
s.encode('utf-8')
b''.join((by, by))
by.find(b'c')
by[0]
for c in by: pass
for c in s: pass
int(3.7)
float('1.5')
str(1.5)
repr(1.5)
'%d' % i
'%s' % s
'%5.2f' % 1.5
f'{1.5:.2f}'
bool(lst)
tuple(x for x in lst)
set(x for x in lst)
dict(a=1, b=2)
dict([('a', 1), ('b', 2)])
dict(zip(parts, t))
dd.update(dk)
dd.update(a=3)
de.extend(t); de.clear()
lst.copy()
lst[::2]
lst[:] = [1, 2, 3, 4, 5, 6, 7, 8]
lst.count(3)
lst.remove(8); lst.append(8)
x = list(lst); x += t
a, b = 1, 2; a, b = b, a
round(2.567, 2)
pow(2, 10)
pow(2, 10, 7)
math.sqrt(2.0)
math.floor(2.5)
isinstance(i, int) and i > 2
getattr(o, 'zz', None)
setattr(pl, 'q', 1)
vars(pl)
pl.__dict__
pl.__class__
type(pl).__name__
o.m
o.m is o.m
super(B, b).n(1)
callable(pl)
iter(lst)
zip(lst, t)
enumerate(lst)
range(10)
filter(None, lst)
slice(1, 2)
object()
Exception()
collections.OrderedDict(a=1)
collections.Counter('abca')
functools.reduce(lambda a, b: a + b, lst)
itertools.chain(lst, t)
list(itertools.chain(lst, t))
list(itertools.islice(lst, 3))
operator.itemgetter(1)(lst)
ig(lst)
ag(o)
struct.pack('<IH', 1, 2)
struct.unpack('<IH', b'123456')
json.dumps(dk)
json.loads('{"a": [1, 2, "x"]}')
pickle.dumps(dk)
copy.copy(lst)
copy.deepcopy(t)
datetime.datetime(2020, 1, 2)
dt.strftime('%Y')
dt + td
dt < dt
io.StringIO()
io.BytesIO(b'abc').read()
sio.write('x')
decimal.Decimal('1.1') + dec
dec * dec
fractions.Fraction(1, 3)
lk.acquire(); lk.release()
with lk: pass
with cm(): pass
'''
# Executions that are counted, of copies in one loop.
LOOPS, COPIES, WARMUP = 50, 4, 60


def statements():
    """The list; a line that begins with `except` belongs to the one before."""
    result = []
    for line in STATEMENTS.strip().split("\n"):
        if line.startswith("except"):
            result[-1] += "\n" + line
        else:
            result.append(line)
    return result


def execute():
    """What is done under callgrind."""
    loops = []
    setup = compile(SETUP, "setup", "exec")
    for statement in statements():
        namespace = {}
        exec(setup, namespace)
        body = "\n".join("        " + line for line in statement.split("\n"))
        exec("def run(steps):\n    for _ in steps:\n%s\n" % "\n".join([body] * COPIES), namespace)
        namespace["run"](range(WARMUP))
        loops.append(namespace["run"])
    read = time.perf_counter
    for run in loops:
        read(), read(), read()
        run(range(LOOPS))
        read()
    read(), read(), read()


def count(command):
    """The instructions of one execution of each statement."""
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "counts")
        callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, "--dump-before=clock_gettime*"]
        done = subprocess.run(callgrind + command.split() + [os.path.abspath(__file__)], capture_output=True, text=True,
                              env=dict(os.environ, PYTHONHASHSEED="0", TAIPAN_OPERATIONS="1"))
        if done.returncode:
            raise SystemExit(f"{command}: exit status {done.returncode}\n{done.stderr[-2000:]}")
        files = sorted(glob.glob(out + ".*"), key=lambda name: int(name.rpartition(".")[2]))
        counts = []
        for name in files:
            with open(name) as file:
                counts.append(int(re.search(r"^(?:totals|summary): (\d+)", file.read(), re.MULTILINE)[1]))
    # Between two readings at once, what it takes to read the clock.
    gap = collections.Counter(counts).most_common(1)[0][0]
    gaps, at = [], 0
    while at < len(counts):
        end = at
        while end < len(counts) and abs(counts[end] - gap) <= 130:
            end += 1
        if end - at >= 2:
            gaps.append((at, end))
        at = max(end, at + 1)
    between = [sum(counts[first[1]:second[0]]) for first, second in zip(gaps, gaps[1:])][-len(statements()):]
    if len(between) < len(statements()):
        raise SystemExit(f"{command}: the clock was read {len(counts)} times, which tells too little")
    return [(each - between[0]) / LOOPS / COPIES for each in between]


def main():
    commands = sys.argv[1:]
    if not commands:
        raise SystemExit(__doc__)
    table = zip(statements(), *map(count, commands))
    rows = sorted(((row[1] / max(row[-1], 1), row) for row in table if row[0] != "pass"), reverse=True)
    for share, (statement, *counts) in rows:
        print(f"{share:6.2f}", *(f"{each:8.0f}" for each in counts), "", statement.replace("\n", " / "))


if os.environ.get("TAIPAN_OPERATIONS"):
    execute()
else:
    main()
