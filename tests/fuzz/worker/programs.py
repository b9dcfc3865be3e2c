"""Programs that call everything there is with arguments that make little sense.

A line is one call, guarded; the variables are `V[0]` to `V[7]`. Lines `A(lambda: ...)` are actions, which the special methods
of hostile objects run (`hostile.py`).
"""

import importlib
import inspect
import types

import hostile

COUNT = 8
MODULES = """builtins _collections _functools _operator _random _struct _sre _json _pickle _csv _datetime _decimal _heapq _bisect
    _weakref _io _codecs _string array itertools math cmath time zlib _bz2 _lzma binascii _hashlib _md5 _sha1 _sha2 _sha3 _blake2
    _contextvars _queue _statistics _stat _symtable _tokenize _tracemalloc _typing _opcode _imp marshal types unicodedata
    pyexpat _elementtree _sqlite3 _zoneinfo _abc _ast atexit errno gc sys _warnings select _ssl _uuid _locale
    _lsprof _zstd collections functools decimal datetime fractions json re pickle copy copyreg io codecs struct
    string textwrap enum dataclasses typing operator weakref contextlib heapq bisect random statistics inspect ast dis
    string.templatelib annotationlib graphlib reprlib pprint difflib ipaddress uuid base64 quopri html csv
    xml.etree.ElementTree zoneinfo calendar locale numbers abc keyword token tokenize traceback linecache warnings
    contextvars queue threading compression.zstd hashlib hmac secrets colorsys getopt argparse configparser gettext
    shlex fnmatch optparse sched timeit tracemalloc types mmap _sysconfig _suggestions _asyncio""".split()
# What ends, blocks or disarms the process by its very purpose, what the worker needs, and what wants the whole memory.
FORBIDDEN = {
    "exit", "quit", "input", "breakpoint", "_clear_type_cache", "setrecursionlimit", "setswitchinterval", "_exit", "abort",
    "freeze", "addaudithook", "set_int_max_str_digits", "help", "copyright", "credits", "license", "settrace", "setprofile",
    "_settraceallthreads", "_setprofileallthreads", "sleep", "register_at_fork", "_debugmallocstats", "interactive", "poll",
    "select", "epoll", "_enablelegacywindowsfsencoding", "remote_exec", "activate_stack_trampoline", "set_debug", "console",
    "monitoring", "use_tool_id", "register_callback", "set_events", "free_tool_id", "_shutdown", "_at_fork_reinit", "join",
    "_make_thread_handle", "start_new_thread", "start_new", "start_joinable_thread", "allocate_lock", "interrupt_main",
    "_baserepl",
}
FORBIDDEN_FOR_OWN_SAKE = {"hostile", "programs"}

WORDS_OF_LITERALS = """0 1 -1 2 3 7 255 256 -5 (1<<31) (1<<62) (1<<63) ((1<<63)-1) (-(1<<63)) (1<<64) (1<<200) True False None ... NotImplemented
    0.0 -0.0 1.5 1e308 1e-320 float('nan') float('inf') 1j complex('nan') '' 'a' 'abc' 'é' 'a\\0b' '€uro' '\\ud800' '\\U0001f600x'
    'a'*300 'utf-8' 'strict' 'surrogateescape' 'latin-1' 'utf-16' 'idna' 'unicode_escape' '%s%d' '{0}{a}' '%*.*f' 'r' 'w' 'rb' 'i' 'd' 'B' 'u' '<i' '3s'
    '(a|b)*c' '(?P<a>.)+' '[' '\\\\1' 'YYYY' '%Y-%m-%d' '2020-01-01' '[1,{"a":2.5}]' '<a b="c">d</a>' 'x = 1' 'lambda: 0'
    b'' b'a' b'abc' b'\\xff\\0' b'x'*300 bytearray() bytearray(b'abc') memoryview(b'abc') memoryview(bytearray(8))
    memoryview(bytearray(12)).cast('i') memoryview(b'abcd').cast('B',(2,2)) () (1,) (1,2,3) ('a',) [] [1] [1,2,3] ['a','b'] {} {1:2}
    {'a':1} set() {1,2} frozenset() frozenset({1}) range(5) range(0,-10,-3) range(1<<20) slice(None) slice(1,-1,2)
    slice(None,None,-1) slice(1<<70) object() type(None) int str list dict object type len print (lambda:0) (lambda*a,**k:a)
    (lambda x:x) iter([1,2]) iter('ab') reversed([1,2]) (x for x in 'abc') G() G(3) enumerate('ab') zip('ab',[1]) map(F,[1,2])
    filter(None,[0,1]) iter(F,1) C() AG() F globals() vars() dir() {}.keys() {1:2}.items() {1:2}.values() iter({1:2})
    type('X',(),{}) type('Y',(int,),{}) types.SimpleNamespace(a=1) types.MappingProxyType({}) weakref.ref(F) weakref.proxy(F)
    property(F) classmethod(F) staticmethod(F) super(int,1) [].append [].__len__ list.append str.join object.__init__ F.__code__
    (lambda:F).__closure__ sys._getframe() sys.flags ValueError('a') OSError(2,'b') ExceptionGroup('a',[ValueError(1)])
    UnicodeDecodeError('a',b'b',0,1,'c') KeyError() StopIteration(5) types.CellType() types.CellType(1) types.GenericAlias(list,(int,))
    int|str list[int] typing.TypeVar('T') t'{1}' array.array('i',[1,2]) array.array('d') array.array('u','ab')
    collections.deque([1,2],3) collections.deque('abc') collections.OrderedDict(a=1) collections.defaultdict(F) collections.Counter('aab')
    collections.ChainMap({1:2}) io.BytesIO(b'abc') io.StringIO('a\\nb') io.BufferedReader(io.BytesIO(b'ab')) io.BufferedRandom(io.BytesIO(b'abc'))
    io.BufferedWriter(io.BytesIO()) io.TextIOWrapper(io.BytesIO(b'ab\\nc')) io.BufferedRWPair(io.BytesIO(),io.BytesIO())
    io.IncrementalNewlineDecoder(None,True) itertools.chain('a',[1]) itertools.tee('ab')[0]
    itertools.groupby('aab') itertools.islice('abc',1,None) itertools.product('ab',repeat=2) itertools.permutations([1,2,3])
    itertools.combinations([1,2,3],2) itertools.accumulate([1,2]) itertools.batched('abc',2) itertools.pairwise('abc')
    itertools.zip_longest('a','bc') itertools.repeat(1,3) itertools.starmap(F,[(1,)]) functools.partial(F,1) functools.lru_cache(F)
    functools.cmp_to_key(F) functools.cached_property(F) functools.singledispatch(F) re.compile('a(b)?') re.match('a(b)?','ab')
    re.compile(b'.').finditer(b'ab') re.compile('(?=a)').scanner('aab') struct.Struct('<iq') struct.Struct('3s2x').iter_unpack(bytes(10))
    decimal.Decimal('1.5') decimal.Decimal('NaN') decimal.Decimal('sNaN') decimal.Context(prec=3) fractions.Fraction(1,3)
    datetime.date(2020,2,29) datetime.datetime(2020,1,1,tzinfo=datetime.timezone.utc) datetime.timedelta(1) datetime.time(1) datetime.timezone.utc
    random.Random(1) json.JSONEncoder() json.JSONDecoder() pickle.Pickler(io.BytesIO()) pickle.Unpickler(io.BytesIO(b'N.'))
    csv.reader(['a,b']) csv.writer(io.StringIO()) zlib.compressobj() zlib.decompressobj() bz2.BZ2Compressor() bz2.BZ2Decompressor()
    lzma.LZMACompressor() lzma.LZMADecompressor() hashlib.sha256() hashlib.blake2b() hashlib.md5() hashlib.shake_128() queue.SimpleQueue()
    contextvars.ContextVar('a') contextvars.copy_context() ET.Element('a') ET.fromstring('<a><b/></a>') ET.XMLParser() ET.TreeBuilder()
    sqlite3.connect(':memory:') sqlite3.connect(':memory:').execute('select 1') ast.parse('x=1') ast.Name('x') ast.Constant(1)
    codecs.getincrementaldecoder('utf-8')() codecs.getincrementalencoder('utf-16')() codecs.lookup('utf-8') unicodedata.ucd_3_2_0
    threading.Lock() threading.RLock() threading.local() threading.get_ident() graphlib.TopologicalSorter({1:[2]}) string.Formatter()
    textwrap.TextWrapper() enum.Enum('E','a b') dataclasses.make_dataclass('D',['a'])(1) collections.namedtuple('N','a b')(1,2)
    types.ModuleType('m') sys.implementation sys.version_info time.localtime() inspect.signature(F) xml.parsers.expat.ParserCreate()
    ssl.MemoryBIO() zstd.ZstdCompressor() zstd.ZstdDecompressor() uuid.UUID(int=1) ipaddress.ip_address('1.2.3.4') difflib.SequenceMatcher(None,'a','b')
    symtable.symtable('x=1','a','exec') operator.itemgetter(1) operator.attrgetter('a.b') operator.methodcaller('a') zoneinfo.ZoneInfo('UTC') I('_asyncio').Future(loop=F) I('_asyncio').Task(C(),loop=F)
    Plain() PlainToo() Slots() SlotsToo() Watched() Meta('M',(),{}) Plain PlainToo Slots Meta"""
IMPORTS = """sys types typing array collections io itertools functools re struct decimal fractions datetime random json pickle csv zlib bz2
    lzma hashlib queue contextvars sqlite3 ast codecs unicodedata threading graphlib string textwrap enum dataclasses time inspect
    ssl uuid ipaddress difflib symtable zoneinfo copy marshal math""".split()
MUTATIONS = """.clear() .append(1) .pop() .extend(range(50)) .reverse() .sort() .__init__() .remove(1) .insert(0,V[{b}]) .popitem()
    .update({{1:2,3:4}}) .setdefault(V[{b}],1) .add(V[{b}]) .discard(V[{b}]) .close() .release() .seek(0) .truncate() .read() .write(b'abc')
    .write('abc') .__delitem__(slice(None)) .__setitem__(0,V[{b}]) .__setitem__(slice(None),[1,2]) .__delitem__(0) .__imul__(3) .__iadd__([1])
    .__ior__({{1:2}}) .__iand__(set()) .rotate(1) .popleft() .appendleft(1) .resize(0) .detach() .__setstate__(()) .__next__() .send(None)
    .throw(ValueError) .cancel() .reset() .commit() .copy() .move_to_end(1) .__dict__.clear() .__class__ .gi_frame.clear() .f_locals.clear()
    .__exit__(None,None,None) .__enter__() .difference_update([1]) .symmetric_difference_update(V[{b}]) .intersection_update(V[{b}])""".split()
DUNDERS = sorted(hostile.METHODS)
BASES = """object list dict set tuple str int float bytes bytearray frozenset complex type Exception OSError property
    collections.deque collections.OrderedDict collections.defaultdict io.BytesIO io.StringIO io.RawIOBase array.array random.Random
    functools.partial decimal.Decimal datetime.date datetime.tzinfo types.SimpleNamespace types.ModuleType
    json.JSONEncoder pickle.Pickler pickle.Unpickler weakref.ref staticmethod enumerate zip map
    I('_asyncio').Future super codecs.IncrementalDecoder ET.Element sqlite3.Connection ast.Name string.Template threading.local""".split()
BINARY = "+ - * / // % @ ** << >> & | ^ == != < <= > >= in is and or".split()
ASSIGNED = "+= -= *= /= //= %= @= **= <<= >>= &= |= ^=".split()


def expressions(text):
    """The expressions that follow one another in a text."""
    piece = ""
    for word in text.split():
        piece = f"{piece} {word}" if piece else word
        try:
            compile(piece, "<literal>", "eval")
        except SyntaxError:
            continue
        yield piece
        piece = ""
    assert not piece, piece


LITERALS = list(expressions(WORDS_OF_LITERALS))


def import_all():
    """What programs use; later nothing much can be imported any more."""
    for name in [*MODULES, *IMPORTS]:
        try:
            yield importlib.import_module(name)
        except ImportError:
            pass
    namespace()


class Vocabulary:
    """Every function and class that there is, with how many arguments it takes."""

    def __init__(self):
        self.functions = []
        self.methods = []
        seen = set()
        for module in import_all():
            name = module.__name__
            for attribute in sorted(vars(module)):
                value = getattr(module, attribute)
                owner = getattr(value, "__module__", None)
                if attribute in FORBIDDEN or not callable(value) or owner in FORBIDDEN_FOR_OWN_SAKE:
                    continue
                if id(value) in seen:
                    continue
                seen.add(id(value))
                self.functions.append((f"I({name!r}).{attribute}", arity(value)))
                if isinstance(value, type):
                    self.add_methods(value)
        for value in vars(types).values():
            if isinstance(value, type):
                self.add_methods(value)
        self.methods = sorted(set(self.methods))

    def add_methods(self, cls):
        for attribute in sorted(vars(cls)):
            if attribute not in FORBIDDEN and attribute.isidentifier():
                self.methods.append((attribute, arity(vars(cls)[attribute])))


def arity(function):
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return 1, 3, ()
    required = sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters.values())
    positional = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters.values())
    many = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
    names = tuple(p.name for p in parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return required, positional + 2 * many, names


class Program:
    def __init__(self, rnd, vocabulary):
        self.rnd = rnd
        self.vocabulary = vocabulary

    def text(self):
        rnd = self.rnd
        lines = []
        for n in range(COUNT):
            lines.append(f"V[{n}] = T(lambda: {self.start()})")
        for _ in range(rnd.randrange(1, 5)):
            lines.append(f"A(lambda: {self.action()})")
        if rnd.random() < 0.5:
            lines.append(f"W.extend([{self.value()}, V[0]])")
        for _ in range(rnd.randrange(5, 40)):
            lines.append(self.line())
        if rnd.random() < 0.1:
            lines = ["for n in range(3):", *("    " + line for line in lines)]
        return "# program\n" + "\n".join(lines) + "\n"

    def start(self):
        rnd = self.rnd
        if rnd.random() < 0.4:
            return self.hostile()
        value = rnd.choice(LITERALS)
        if rnd.random() < 0.3:
            return f"[{', '.join(self.value() for _ in range(rnd.randrange(1, 6)))}]"
        if rnd.random() < 0.2:
            return "{" + ", ".join(f"{self.value()}: {self.value()}" for _ in range(rnd.randrange(1, 5))) + "}"
        return value

    def hostile(self):
        rnd = self.rnd
        base = rnd.choice(BASES) if rnd.random() < 0.7 else "object"
        names = rnd.sample(DUNDERS, rnd.randrange(1, 6))
        if rnd.random() < 0.6:
            names += rnd.sample(["__eq__", "__hash__", "__del__", "__index__", "__lt__", "__iter__", "__next__", "__repr__", "__len__"], 3)
        keyed = ", False" if rnd.random() < 0.2 else ""
        return f"H({base}, {names}{keyed})({self.arguments((0, 2, ())) if rnd.random() < 0.6 else ''})"

    def value(self):
        rnd = self.rnd
        chance = rnd.random()
        if chance < 0.5:
            return f"V[{rnd.randrange(COUNT)}]"
        if chance < 0.93:
            return rnd.choice(LITERALS)
        if chance < 0.96:
            return self.hostile()
        return self.call()

    def arguments(self, arity):
        rnd = self.rnd
        least, most, names = arity
        count = rnd.randrange(least, most + 1) if most >= least else least
        if rnd.random() < 0.05:
            count += rnd.choice([-1, 1])
        given = [self.value() for _ in range(max(count, 0))]
        if names and rnd.random() < 0.15:
            given.append(f"{rnd.choice(names)}={self.value()}")
        if rnd.random() < 0.03:
            given.append(f"*{self.value()}")
        if rnd.random() < 0.02:
            given.append(f"**{self.value()}")
        return ", ".join(given)

    def call(self):
        rnd = self.rnd
        if rnd.random() < 0.4:
            name, arity = rnd.choice(self.vocabulary.functions)
            return f"{name}({self.arguments(arity)})"
        name, arity = rnd.choice(self.vocabulary.methods)
        least, most, names = arity
        return f"V[{rnd.randrange(COUNT)}].{name}({self.arguments((max(least - 1, 0), max(most - 1, 0), names))})"

    def own_method(self):
        """A method that the object has, found when it runs."""
        rnd = self.rnd
        return f"M(V[{rnd.randrange(COUNT)}], {rnd.randrange(1 << 20)})({self.arguments((0, 3, ()))})"

    def action(self):
        rnd = self.rnd
        chance = rnd.random()
        a, b = rnd.randrange(COUNT), rnd.randrange(COUNT)
        if chance < 0.6:
            return f"V[{a}]{rnd.choice(MUTATIONS).format(b=b)}"
        if chance < 0.7:
            return f"V.__setitem__({a}, {self.value()})"
        if chance < 0.75:
            return f"setattr(V[{a}], '__class__', {rnd.choice(['Plain', 'PlainToo', 'Slots', 'SlotsToo', f'type(V[{b}])'])})"
        if chance < 0.8:
            return "gc.collect()"
        if chance < 0.9:
            return self.own_method()
        return self.call()

    def line(self):
        rnd = self.rnd
        chance = rnd.random()
        a, b, c = (rnd.randrange(COUNT) for _ in range(3))
        if chance < 0.35:
            return f"V[{a}] = T(lambda: {self.call()})" if rnd.random() < 0.3 else f"T(lambda: {self.call()})"
        if chance < 0.65:
            return f"T(lambda: {self.own_method()})"
        if chance < 0.72:
            return f"T(lambda: V[{a}] {rnd.choice(BINARY)} {self.value()})"
        if chance < 0.75:
            return f"S('V[{a}] {rnd.choice(ASSIGNED)} V[{b}]')"
        if chance < 0.8:
            return f"T(lambda: V[{a}][{self.value()}])"
        if chance < 0.99:
            return rnd.choice([
                f"S('V[{a}][V[{b}]] = V[{c}]')", f"S('del V[{a}][V[{b}]]')", f"S('V[{a}][V[{b}]:V[{c}]] = V[{a}]')",
                f"S('del V[{a}][::2]')", f"S('V[{a}][::-1] = V[{b}]')", f"S('for x in V[{a}]: V[{b}] = x; act()')",
                f"S('x, *y = V[{a}]; V[{b}] = y')", f"S('x, y = V[{a}]')", f"T(lambda: f'{{V[{a}]!r:{{V[{b}]}}}}')",
                f"T(lambda: [x for x in V[{a}] if x == V[{b}]])", f"T(lambda: {{**V[{a}], 1: 2}})", f"T(lambda: [*V[{a}], *V[{b}]])",
                f"T(lambda: F(*V[{a}], **V[{b}]))", f"S('with V[{a}] as x: act()')", f"S('del V[{a}]; gc.collect()')",
                f"T(lambda: sorted(V[{a}], key=F))", f"T(lambda: I('pickle').loads(I('pickle').dumps(V[{a}], {rnd.randrange(6)})))",
                f"T(lambda: I('copy').deepcopy(V[{a}]))", f"T(lambda: I('json').dumps(V[{a}]))", f"T(lambda: V[{a}].send(V[{b}]))",
                f"T(lambda: setattr(V[{a}], '{rnd.choice(DUNDERS)}', V[{b}]))", f"T(lambda: setattr(type(V[{a}]), '{rnd.choice(DUNDERS)}', V[{b}]))",
                f"T(lambda: setattr(V[{a}], 'a', V[{b}]))", f"T(lambda: delattr(V[{a}], '{rnd.choice(DUNDERS)}'))",
                f"T(lambda: setattr(V[{a}], '__class__', type(V[{b}])))", f"T(lambda: setattr(V[{a}], '__dict__', V[{b}]))",
                f"T(lambda: setattr(type(V[{a}]), '__bases__', (type(V[{b}]), Plain)))", f"T(lambda: {{V[{a}]: V[{b}]}}[V[{c}]])",
                f"T(lambda: {{V[{a}], V[{b}], V[{c}]}})", f"S('match V[{a}]:\\n case [x, *y]: V[{b}] = y\\n case {{\"a\": x, **y}}: V[{b}] = y\\n case Plain(a=x): pass')",
                f"T(lambda: repr(V[{a}]))", f"T(lambda: hash(V[{a}]))", f"T(lambda: dir(V[{a}]))", f"T(lambda: vars(V[{a}]).update(V[{b}]))",
                f"S('async def f():\\n async for x in V[{a}]: pass\\n await V[{b}]\\nf().send(None)')", f"S('def f(): yield from V[{a}]\\nV[{b}] = f()')",
                f"T(lambda: next(V[{a}]))", f"T(lambda: iter(V[{a}]))", f"S('try: raise V[{a}]\\nexcept* V[{b}] as e: V[{c}] = e')",
                f"S('try: raise V[{a}] from V[{b}]\\nexcept V[{c}] as e: act()')", f"T(lambda: isinstance(V[{a}], V[{b}]))",
                f"S('class X(V[{a}], metaclass=Meta): pass\\nV[{b}] = X()')", f"S('class X(V[{a}]): a = V[{b}]\\nV[{c}] = X')",
                f"T(lambda: type('Z', (type(V[{a}]),), {{'__slots__': V[{b}]}}))", f"T(lambda: memoryview(V[{a}]).cast('B')[V[{b}]])",
                f"T(lambda: print(V[{a}], end=V[{b}], file=V[{c}]))", f"T(lambda: (lambda x=V[{a}], *, y=V[{b}]: x)(**V[{c}]))",
                f"T(lambda: '%s %d' % V[{a}])", f"T(lambda: '{{0!r:>{{1}}}}'.format(V[{a}], V[{b}]))", f"T(lambda: ''.join(V[{a}]))",
                f"T(lambda: b''.join(V[{a}]))", f"T(lambda: int(V[{a}], V[{b}]))", f"T(lambda: max(V[{a}], key=V[{b}], default=V[{c}]))",
                f"T(lambda: eval(V[{a}], V[{b}], V[{c}]))", f"T(lambda: compile(V[{a}], 'x', 'exec'))", "T(lambda: gc.get_referrers(V[1]))",
            ])
        return f"V[{a}] = T(lambda: {self.start()})"


def module(name):
    return importlib.import_module(name)


def method_of(value, number):
    """One of the object's methods, by a number."""
    names = [name for name in dir(type(value)) if name not in FORBIDDEN]
    return getattr(value, names[number % len(names)])


def namespace():
    names = hostile.globals_of_program()
    names |= {name: module(name) for name in IMPORTS}
    names |= {"I": module, "M": method_of, "ET": module("xml.etree.ElementTree"), "xml": module("xml.parsers.expat") and module("xml")}
    names["zstd"] = module("compression.zstd")
    return names
