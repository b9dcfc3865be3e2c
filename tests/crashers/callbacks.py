"""Code that the interpreter calls back, and that does what it should not: handlers, hooks, trace functions, streams, importers."""

import array
import asyncio
import builtins
import codecs
import collections
import copy
import ctypes
import encodings
import functools
import gc
import importlib
import io
import itertools
import mmap
import pickle
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import types
import warnings
import weakref
import xml.parsers.expat

from attempts import attempt, raises

warnings.simplefilter("ignore")
sys.unraisablehook = lambda unraisable: None

# Error handlers whose answers make no sense.
ANSWERS = [
    None, 1, "a", (), ("a",), ("a", 1, 2), (1, 1), ("a", "b"), (b"a", 1), ("a", -1), ("a", -(1 << 70)), ("a", 1 << 70), ("a", 10**6),
    ("a", sys.maxsize), ("a", 0), ("\ud800", 1), ("é", 1), ("€" * 1000, 1), (b"\xff", 1), (b"", 0), ("", 0), (bytearray(b"a"), 1), ["a", 1],
]
calls = 0


def handler(answer):
    def handle(error):
        global calls
        calls += 1
        if calls > 50:
            raise error
        for name, value in (("start", -5), ("end", 1 << 40), ("object", b"x" * calls), ("object", "y" * calls), ("reason", None), ("encoding", "z" * 1000)):
            try:
                setattr(error, name, value)
            except (TypeError, AttributeError):
                pass
        str(error), repr(error)
        return answer

    return handle


TEXTS = ["a\ud800é€\U0001f600" * 3, "\udcff", "é" * 100]
DATA = [b"a\xff\xfe\xc3(" * 3, b"\x80", b"\\x", b"\\N{foo}\\", b"+AA-", b"\xd8\x00\xd8", b"\xff" * 100, b"\x81\x30\x81", b"\x1b$("]
ENCODINGS = [
    "ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-32", "utf-32-be", "utf-7", "cp1252", "charmap", "unicode_escape", "raw_unicode_escape",
    "gb18030", "shift_jis", "iso2022_jp", "euc_kr", "big5hkscs", "hz", "idna", "punycode", "utf-8-sig", "koi8-r",
]
for answer in ANSWERS:
    codecs.register_error("hostile", handler(answer))
    for encoding in ENCODINGS:
        for text in TEXTS:
            calls = 0
            attempt(f"encoding {encoding} {answer!r:.20}", text.encode, encoding, "hostile")
        for data in DATA:
            calls = 0
            attempt(f"decoding {encoding} {answer!r:.20}", data.decode, encoding, "hostile")
            attempt(f"decoding {encoding} in parts", lambda: [codecs.getincrementaldecoder(encoding)("hostile").decode(data[:n]) for n in range(len(data))])
            attempt(f"reading {encoding}", lambda: io.TextIOWrapper(io.BytesIO(data), encoding, "hostile").read())
for name in ("strict", "ignore", "replace", "xmlcharrefreplace", "backslashreplace", "namereplace", "surrogateescape", "surrogatepass"):
    function = codecs.lookup_error(name)
    for error in (
        None, 1, ValueError(), UnicodeError("a"), UnicodeEncodeError("a", "b" * 5, -10, 1 << 40, "c"), UnicodeEncodeError("a", "", 0, 1, "c"), UnicodeEncodeError("utf-8", "\ud800", 5, 2, "c"),
        UnicodeDecodeError("a", b"", 3, 10, "c"), UnicodeDecodeError("utf-16", b"\xff" * 5, 2, 1, "c"), UnicodeTranslateError("abc", 7, 1, "d"), UnicodeTranslateError("", -1, -1, "d"),
        UnicodeEncodeError.__new__(UnicodeEncodeError), UnicodeDecodeError.__new__(UnicodeDecodeError), UnicodeTranslateError.__new__(UnicodeTranslateError),
    ):
        attempt(name, function, error)
        attempt(name, str, error)
for answer in ANSWERS + [codecs.lookup("ascii"), (len, len, len, len), (1, 2, 3, 4)]:
    search = lambda name, answer=answer: answer if name.startswith("hostile") else None
    codecs.register(search)
    for use in (lambda name: "a".encode(name), lambda name: b"a".decode(name), codecs.lookup, lambda name: io.TextIOWrapper(io.BytesIO(), name), lambda name: compile(f"# coding: {name}\n1".encode(), "x", "eval")):
        attempt("codec", use, f"hostile{id(answer)}")
    attempt("codec", codecs.unregister, search)


class StateCodec(codecs.IncrementalDecoder):
    answers = iter(())

    def decode(self, data, final=False):
        return next(StateCodec.answers, "")

    def getstate(self):
        return next(StateCodec.answers, (b"", 0))


for answers in ([1], [b"a"], [None], [(1, 2)], ["a" * 100], ["a", (b"x" * 10, -5), "b", ("", 1 << 80)], ["é", 7, "b"], [(b"", "a"), "a", "a"], ["\ud800" * 10, (b"a", 1)] * 5):
    codecs.register(lambda name, answers=answers: codecs.CodecInfo(codecs.lookup("latin-1").encode, codecs.lookup("latin-1").decode, incrementaldecoder=StateCodec, incrementalencoder=codecs.lookup("latin-1").incrementalencoder, name="state") if name == "state" else None)
    for use in (lambda it: it.read(), lambda it: it.read(3), lambda it: it.readline(), lambda it: [it.read(1), it.tell()], lambda it: [next(it), it.tell()], lambda it: [it.read(2), it.tell(), it.seek(1 << 64)], lambda it: [it.read(2), it.seek(it.tell())], lambda it: it.seek(12345678901234567890123456)):
        StateCodec.answers = iter(list(answers))
        attempt("decoder", lambda: use(io.TextIOWrapper(io.BytesIO(b"abc\ndef" * 10), "state")))


# Streams that lie.
class Raw(io.RawIOBase):
    def __init__(self, answer):
        self.answer = answer
        self.calls = 0

    def readable(self):
        return True

    writable = seekable = readable

    def react(self, *arguments):
        # What never ends has to end.
        self.calls += 1
        if self.calls > 100:
            raise OSError
        return self.answer(*arguments) if callable(self.answer) else self.answer

    readinto = write = seek = tell = truncate = read = readall = react


def grab(buffer, kept=[]):
    kept.append(buffer)
    return len(buffer)


def into(view):
    stream.__init__(Raw(1))
    return 1


def release(view):
    if isinstance(view, memoryview):
        view.release()
    return 5


def closing(*arguments):
    stream.close()
    return 3


def detaching(*arguments):
    stream.detach()
    return 2


def again(*arguments):
    stream.read(1)
    stream.write(b"a")
    return 1


for answer in (None, 0, -1, -2, 5, 10**6, 1 << 62, 1 << 70, "a", b"abc", b"x" * 100_000, grab, into, release, closing, detaching, again, 1.5, [], memoryview(b"abc")):
    for kind in (io.BufferedReader, io.BufferedWriter, io.BufferedRandom, lambda raw: io.BufferedRWPair(raw, raw), io.TextIOWrapper, lambda raw: io.TextIOWrapper(io.BufferedReader(raw)), lambda raw: io.TextIOWrapper(io.BufferedRandom(raw), write_through=True)):
        for use in (
            lambda it: it.read(), lambda it: it.read(5), lambda it: it.read(100_000), lambda it: it.read1(), lambda it: it.readinto(bytearray(10)), lambda it: it.readinto1(bytearray(100_000)), lambda it: it.readline(),
            lambda it: it.peek(3), lambda it: it.seek(1), lambda it: it.seek(-1, 2), lambda it: it.tell(), lambda it: [it.write(b"abc"), it.flush()], lambda it: it.write(b"a" * 100_000), lambda it: [it.write("a" * 100_000), it.flush()],
            lambda it: it.truncate(), lambda it: [it.read(1), it.seek(0, 1), it.write(b"a"), it.tell()], lambda it: list(itertools.islice(it, 10)), lambda it: it.detach(), lambda it: it.close(), lambda it: it.__init__(it), lambda it: it.readlines(5),
        ):
            stream = attempt("stream", kind, Raw(answer))
            attempt(f"stream of {answer!r:.30}", use, stream)
            attempt("closing", stream.close if hasattr(stream, "close") else print)
stream = None
for bits in range(4):
    it = io.BytesIO(b"abc" * 100)
    view = it.getbuffer()
    for use in (lambda: it.write(b"a" * 10_000), lambda: it.truncate(0), it.close, lambda: it.__init__(b""), lambda: it.__setstate__((b"a", 0, None)), lambda: it.__setstate__((bytearray(5), 1 << 60, {})), it.getvalue, lambda: it.readinto(view), lambda: view[:] and view.release()):
        attempt("getbuffer", use)
for state in ((), (1,), ("", "", 0, None), ("a", "\n", -1, None), ("a", "\n", 1 << 62, None), ("a", "\n", 1 << 70, None), ("a", 5, 0, None), ("abc", "\r\n", 2, {"a": 1})):
    it = io.StringIO()
    attempt("state", it.__setstate__, state)
    attempt("state", it.read)
    attempt("state", it.write, "abc")
for size in (-1, -2, 0, 1, 1 << 62, 1 << 64):
    for name in ("read", "readline", "readlines", "truncate", "seek", "read1", "peek"):
        for it in (io.BytesIO(b"a\nb"), io.StringIO("a\nb"), io.BufferedReader(io.BytesIO(b"a\nb")), io.TextIOWrapper(io.BytesIO(b"a\nb"))):
            attempt(name, lambda: getattr(it, name)(size))

# Buffers that are resized while they are exported, released while they are used.
for kind in (bytearray, lambda data: array.array("B", data), lambda data: (ctypes.c_char * 64).from_buffer(bytearray(64))):
    it = kind(b"abcd" * 16)
    view = memoryview(it)
    for use in ("it.clear()", "it.append(1)", "it.pop()", "it.extend(b'abc')", "it.__init__(b'a')", "it.__imul__(0)", "it.__delitem__(slice(None))", "it.__setitem__(slice(0, 1), it)", "it.resize(0)", "it.insert(0, 1)", "it.byteswap()", "it.frombytes(b'a')", "it.take_bytes()", "ctypes.resize(it, 10**6)"):
        attempt(use, eval, use, {"it": it, "ctypes": ctypes})
    bytes(view)


class Releasing:
    def __init__(self, view):
        self.view = view

    def __index__(self):
        try:
            self.view.release()
        except BufferError:
            pass
        return 1

    def __eq__(self, other):
        self.__index__()
        return True

    def __buffer__(self, flags):
        self.__index__()
        return memoryview(bytes(4))


for use in (
    lambda it, own: it[own], lambda it, own: it.__setitem__(own, 1), lambda it, own: it.__setitem__(0, own), lambda it, own: it[own:], lambda it, own: it.__setitem__(slice(None, own), b"a"), lambda it, own: it.cast("b", [own, own]), lambda it, own: it == own, lambda it, own: own in it,
    lambda it, own: it.hex(":", own), lambda it, own: it.tobytes(own), lambda it, own: it.index(own), lambda it, own: it.count(own), lambda it, own: struct.pack_into("i", it, own, 1), lambda it, own: struct.pack_into("ii", it, 0, 1, own), lambda it, own: struct.unpack_from("i", it, own),
    lambda it, own: it.__setitem__(slice(0, 4), own), lambda it, own: bytes(it).join([own, own]), lambda it, own: b"".join([it, own, it]), lambda it, own: io.BytesIO(b"abc").readinto(own), lambda it, own: bytearray(it).extend([own]), lambda it, own: it[(own,)], lambda it, own: it[own, own],
):
    for _ in range(2):
        it = memoryview(bytearray(64))
        attempt("released", use, it, Releasing(it))
        it = memoryview(bytearray(64)).cast("i")
        attempt("released", use, it, Releasing(it))
it = mmap.mmap(-1, 4096)


class Closing:
    def __index__(self):
        it.close()
        return 0


for use in (lambda: it[Closing()], lambda: it.__setitem__(Closing(), 1), lambda: it[Closing():5], lambda: it.find(b"a", Closing()), lambda: it.move(0, Closing(), 10), lambda: it.read(Closing()), lambda: it.seek(Closing()), lambda: it.resize(Closing()), lambda: it.flush(Closing(), 10), lambda: it.write(memoryview(it)), lambda: it.__setitem__(slice(0, 10), bytes(Closing()))):
    it = mmap.mmap(-1, 4096)
    attempt("mmap", use)

# Formats of struct, arrays and foreign types at their ends.
for text in ("", "@", "<>", "9" * 30 + "x", f"{sys.maxsize}c", f"{sys.maxsize}i", "0s", "0p", "1p", "300p", "-1i", "i" * 100_000, "x" * 100_000, " i ", "\0", "i\0", "é", "n", "<n", "P", "?", "e", "0i0q0d", "999999999s", "F", "<D", "1x" * 1000):
    for use in (struct.calcsize, struct.Struct, lambda it: struct.pack(it, *range(3)), lambda it: struct.pack(it, b"a" * 1000), lambda it: struct.unpack(it, b""), lambda it: struct.unpack(it, bytes(8)), lambda it: struct.unpack_from(it, bytes(8), -(1 << 62)), lambda it: struct.unpack_from(it, bytes(8), 1 << 62), lambda it: struct.pack_into(it, bytearray(8), -8, 1), lambda it: list(struct.iter_unpack(it, bytes(64)))):
        attempt(f"struct {text:.20}", use, text)
half = struct.Struct.__new__(struct.Struct)
for use in (lambda: half.pack(1), lambda: half.unpack(b""), lambda: half.size, lambda: half.format, lambda: half.iter_unpack(b""), lambda: repr(half), lambda: half.__init__("i") or half.__init__("10000s") or half.pack(b"a")):
    attempt("half a Struct", use)
for code in "bBuwhHiIlLqQfd":
    it = attempt("array", array.array, code)
    for use in (lambda: it.extend(it), lambda: it.append(1 << 64), lambda: it.append("ab"), lambda: it.frombytes(b"abc"), lambda: it.fromlist([1, None]), lambda: it.fromunicode("abc"), lambda: it.insert(-(1 << 62), 1), lambda: it.pop(1 << 62), lambda: it * (1 << 62), lambda: it.__setitem__(slice(None, None, -1), it), lambda: it.index(1, 1 << 62), lambda: it.fromfile(io.BytesIO(b"a"), 1 << 62), lambda: it.buffer_info(), lambda: it.byteswap(), lambda: memoryview(it).cast("B"), lambda: it.__reduce_ex__(4)):
        attempt(f"array of {code}", use)
for use in (
    lambda: ctypes.c_char * -1, lambda: ctypes.c_char * (1 << 62), lambda: (ctypes.c_int * 3)(*range(4)), lambda: (ctypes.c_int * 3)()[-4], lambda: (ctypes.c_int * 3)()[1 << 62], lambda: ctypes.c_int.from_buffer(bytearray(2)), lambda: ctypes.c_int.from_buffer(bytearray(8), -1),
    lambda: ctypes.c_int.from_buffer_copy(b"abcd", 1 << 62), lambda: ctypes.POINTER(ctypes.c_int)().contents, lambda: ctypes.POINTER(ctypes.c_int)()[0], lambda: ctypes.cast(0, ctypes.c_char_p).value, lambda: ctypes.resize(ctypes.c_int(), -1), lambda: ctypes.resize(ctypes.c_int(), 0),
    lambda: type("S", (ctypes.Structure,), {"_fields_": [("a", ctypes.c_int, 33)]}), lambda: type("S", (ctypes.Structure,), {"_fields_": [("a", ctypes.c_int, -1)]}), lambda: type("S", (ctypes.Structure,), {"_fields_": 1}), lambda: type("S", (ctypes.Structure,), {"_fields_": [(1, 2, 3, 4)]}),
    lambda: type("S", (ctypes.Structure,), {"_pack_": -1, "_fields_": []}), lambda: type("S", (ctypes.Structure,), {"_align_": 3, "_fields_": []}), lambda: type("S", (ctypes.Structure,), {"_anonymous_": ["a"], "_fields_": [("b", ctypes.c_int)]}), lambda: type("A", (ctypes.Array,), {"_length_": 1 << 62, "_type_": ctypes.c_int}),
    lambda: ctypes.string_at(b"abc", -5), lambda: ctypes.sizeof(1), lambda: ctypes.addressof(1), lambda: ctypes.byref(ctypes.c_int(), "a"), lambda: ctypes.pythonapi.missing, lambda: ctypes.CDLL(None).abs(), lambda: ctypes.CDLL(None).abs([]), lambda: ctypes.create_string_buffer(-1), lambda: ctypes.create_unicode_buffer(1 << 62), lambda: ctypes.c_wchar("ab"),
    lambda: ctypes.c_char(b"ab"), lambda: ctypes.Structure.__new__(ctypes.Structure), lambda: ctypes._SimpleCData(), lambda: ctypes.CFUNCTYPE(ctypes.c_int)(lambda: "a")(), lambda: ctypes.CFUNCTYPE(ctypes.py_object)(lambda: 1 / 0)(), lambda: ctypes.CFUNCTYPE(1), lambda: ctypes.py_object().value, lambda: ctypes.BigEndianStructure.__class__("S", (ctypes.BigEndianStructure,), {"_fields_": [("a", object)]}),
):
    attempt("ctypes", use)


# Iterators that are entered again.
class Reentrant:
    def __init__(self, make):
        self.depth = 0
        self.it = make(self)

    def __iter__(self):
        return self

    def __next__(self):
        self.depth += 1
        if self.depth > 30:
            raise StopIteration
        return next(self.it)

    def __call__(self, *arguments):
        return self.__next__()


def generator(own):
    while True:
        yield next(own)


for make in (
    generator, lambda own: map(next, itertools.repeat(own)), lambda own: filter(own, own), lambda own: zip(own, own), lambda own: enumerate(own), lambda own: iter(own, 1), lambda own: itertools.chain(own, own), lambda own: itertools.chain.from_iterable(own), lambda own: itertools.cycle(own), lambda own: itertools.tee(own)[0],
    lambda own: itertools.islice(own, 100), lambda own: itertools.groupby(own), lambda own: itertools.groupby([1, 2], own), lambda own: itertools.accumulate(own, own), lambda own: itertools.takewhile(own, own), lambda own: itertools.dropwhile(own, own), lambda own: itertools.filterfalse(own, own), lambda own: itertools.starmap(own, own), lambda own: itertools.zip_longest(own, own),
    lambda own: itertools.pairwise(own), lambda own: itertools.batched(own, 3), lambda own: itertools.compress(own, own), lambda own: reversed([1]), lambda own: map(own, own, own), lambda own: itertools.count(own), lambda own: iter(collections.deque([1])), lambda own: (x for x in own), lambda own: (yield_ for yield_ in map(own, [1, 2])),
):
    own = attempt("reentrant", Reentrant, make)
    attempt("reentrant", lambda: list(itertools.islice(own, 200)))
    attempt("reentrant", lambda: copy.copy(own.it))


def throwing():
    try:
        yield 1
    finally:
        attempt("own send", running.send, 1)
        attempt("own throw", running.throw, ValueError)
        attempt("own close", running.close)
        yield 2


running = throwing()
next(running)
attempt("a yield while it is closed", running.close)
left, right = itertools.tee(Reentrant(generator))


class Teed:
    def __iter__(self):
        return self

    def __next__(self):
        return next(teed)


teed = None
teed, other = itertools.tee(Teed())
attempt("a tee of itself", next, teed)
attempt("a tee of itself", next, other)

# Trace functions, monitoring.
def traced(count=3):
    total = 0
    for n in range(count):
        try:
            total += n
            [x for x in range(2)]
            if n == 1:
                raise ValueError
        except ValueError:
            pass
    return total


def tracing(act):
    events = 0

    def trace(frame, event, argument):
        nonlocal events
        events += 1
        if events < 500:
            act(frame, event, argument, trace)
        return trace

    sys.settrace(trace)
    try:
        traced()
        list(x for x in range(3))
        type("C", (), {})
        sorted([3, 1, 2], key=lambda x: -x)
    finally:
        sys.settrace(None)
        sys.setprofile(None)


def jump(line):
    def act(frame, event, argument, trace):
        frame.f_lineno = frame.f_code.co_firstlineno + line

    return act


for act in (
    lambda frame, event, argument, trace: sys.settrace(None), lambda frame, event, argument, trace: sys.settrace(trace), lambda frame, event, argument, trace: sys.setprofile(trace), lambda frame, event, argument, trace: 1 / 0, lambda frame, event, argument, trace: frame.f_locals.update(total="a", n=None, count=[]),
    lambda frame, event, argument, trace: frame.f_locals.pop("n", None), lambda frame, event, argument, trace: frame.clear(), lambda frame, event, argument, trace: setattr(frame, "f_trace", None), lambda frame, event, argument, trace: delattr(frame, "f_trace"), lambda frame, event, argument, trace: setattr(frame, "f_trace_opcodes", True),
    lambda frame, event, argument, trace: setattr(frame, "f_trace_lines", False), lambda frame, event, argument, trace: gc.collect(), lambda frame, event, argument, trace: setattr(traced, "__code__", (lambda count=3: 1).__code__), lambda frame, event, argument, trace: traced(1), lambda frame, event, argument, trace: sys.setrecursionlimit(60),
    lambda frame, event, argument, trace: frame.f_locals.__setitem__("frame", frame), lambda frame, event, argument, trace: frame.f_globals.update(gc=gc), lambda frame, event, argument, trace: setattr(frame, "f_lineno", 1 << 70), lambda frame, event, argument, trace: setattr(frame, "f_lineno", None), lambda frame, event, argument, trace: sys.exit(),
    *map(jump, range(-2, 12)),
):
    kept = traced.__code__
    try:
        attempt("tracing", tracing, act)
    except SystemExit:
        pass
    sys.setrecursionlimit(1000)
    traced.__code__ = kept
    sys.settrace(None)
    sys.setprofile(None)

monitoring = sys.monitoring
EVENTS = [getattr(monitoring.events, name) for name in dir(monitoring.events) if name.isupper() and name != "NO_EVENTS"]
for act in (
    lambda: monitoring.DISABLE, lambda: 1 / 0, lambda: monitoring.set_events(2, 0), lambda: monitoring.free_tool_id(2), lambda: monitoring.restart_events(), lambda: [monitoring.register_callback(2, event, None) for event in EVENTS],
    lambda: monitoring.set_local_events(2, traced.__code__, monitoring.events.LINE), lambda: monitoring.set_events(2, monitoring.events.INSTRUCTION), lambda: sys.settrace(lambda *arguments: None), lambda: gc.collect(), lambda: monitoring.use_tool_id(3, "x") or monitoring.free_tool_id(3), lambda: traced(1), lambda: sys._getframe(1).f_locals.clear(),
    lambda: monitoring.clear_tool_id(2),
):
    for event in EVENTS:
        count = 0

        def callback(*arguments):
            global count
            count += 1
            # Not what watches over the attempts.
            if count < 100 and arguments[0].co_name in ("traced", "<genexpr>"):
                return act()

        attempt("tool", monitoring.use_tool_id, 2, "crasher")
        attempt("callback", monitoring.register_callback, 2, event, callback)
        attempt("events", monitoring.set_events, 2, event)
        attempt("monitored", lambda: (traced(), list(x for x in range(3))))
        attempt("monitored", lambda: traced("a"))
        attempt("free", monitoring.free_tool_id, 2)
        sys.settrace(None)
for tool in (-1, 0, 5, 6, 7, 8, 100, 1 << 40, None):
    attempt("tool", monitoring.use_tool_id, tool, "x")
    attempt("tool", monitoring.get_events, tool)
    attempt("tool", monitoring.set_events, tool, 1 << 30)
    attempt("tool", monitoring.set_local_events, tool, traced.__code__, -1)
    attempt("tool", monitoring.register_callback, tool, 3, print)
    attempt("tool", monitoring.free_tool_id, tool)

# The collector's callbacks, weak references' callbacks, finalisers.
for act in (lambda *arguments: gc.collect(), lambda *arguments: gc.callbacks.clear(), lambda *arguments: gc.callbacks.append(print.__class__), lambda *arguments: 1 / 0, lambda *arguments: gc.disable(), lambda *arguments: gc.freeze(), lambda *arguments: gc.set_threshold(1), lambda *arguments: gc.get_objects() and None, lambda *arguments: gc.garbage.append(arguments)):
    gc.callbacks.append(act)
    for _ in range(3):
        loop = []
        loop.append(loop)
        del loop
        attempt("collection", gc.collect)
    gc.callbacks.clear()
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(2000, 10, 0)
    gc.garbage.clear()


class Weak:
    pass


count = 0


def remake(reference):
    global count
    count += 1
    it = Weak()
    references.append(weakref.ref(it, remake))


references = []
it = Weak()
references.append(weakref.ref(it, remake))
del it
if not 100 < count < 2000:
    raise AssertionError(f"callbacks of weak references nested {count} deep")
references.clear()
count = 0


class Endless:
    def __del__(self):
        global count
        count += 1
        Endless()


Endless()
if not 100 < count < 2000:
    raise AssertionError(f"__del__ nested {count} deep")


class Exporter:
    def __buffer__(self, flags):
        return memoryview(b"a")

    def __release_buffer__(self, view):
        global count
        count += 1
        memoryview(Exporter()).release()


count = 0
attempt("__release_buffer__", lambda: memoryview(Exporter()).release())
for act in (lambda ref: references.clear(), lambda ref: gc.collect(), lambda ref: ref(), lambda ref: 1 / 0, lambda ref: sys.exit(), lambda ref: ref.__init__(Weak), lambda ref: weakref.getweakrefs(Weak)):
    it = Weak()
    references = [weakref.ref(it, act) for _ in range(10)]
    proxies = [weakref.proxy(it, act) for _ in range(3)]
    del it
    attempt("proxy", str, proxies[0])
    attempt("proxy", hash, proxies[0])

# Signal handlers that raise, anywhere.
class Interrupt(Exception):
    pass


def interrupt(number, frame):
    # Not in what follows an attempt: nothing would catch what is raised while an Interrupt is being caught.
    while frame and frame.f_code is not attempt.__code__:
        frame = frame.f_back
    if frame:
        raise Interrupt


signal.signal(signal.SIGALRM, interrupt)
for use in (
    lambda: sorted(range(100_000), key=lambda n: -n), lambda: [str(n) for n in range(50_000)], lambda: sum(n for n in range(100_000)), lambda: {n: [n] for n in range(50_000)}, lambda: "".join(map(str, range(50_000))), lambda: functools.reduce(lambda a, b: a + b, range(50_000)),
    lambda: exec("for n in range(20000):\n try:\n  int('x')\n except ValueError:\n  pass"), lambda: importlib.reload(encodings), lambda: [type("C", (), {}) for _ in range(2000)], lambda: compile("a = [1]\n" * 5000, "x", "exec"), lambda: gc.collect(), lambda: [threading.Lock().acquire(timeout=0.001) for _ in range(20)],
    lambda: asyncio.run(asyncio.sleep(0.01)), lambda: sqlite3.connect(":memory:").execute("with recursive c(x) as (select 1 union all select x + 1 from c limit 50000) select sum(x) from c").fetchall(), lambda: 3**200_000 % 7, lambda: [print(n, file=io.StringIO()) for n in range(5000)],
):
    for _ in range(3):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0007)
            attempt("interrupted", use)
        except Interrupt:
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
signal.signal(signal.SIGALRM, signal.SIG_IGN)
asyncio.set_event_loop(None)

# The limit of recursion at its ends.
def recurse(depth=0):
    return recurse(depth + 1) if depth < 10**7 else depth


for limit in (-1, 0, 1, 2, 5, 10, 1 << 31, 1 << 70, (1 << 31) - 1, 1000):
    attempt("limit", sys.setrecursionlimit, limit)
    attempt("recursion", recurse)
    attempt("repr", repr, [[[[[[]]]]]])
    sys.setrecursionlimit(1000)
sys.setrecursionlimit((1 << 31) - 1)


def nested():
    return list(map(lambda _: nested(), [1]))


raises((RecursionError, MemoryError), "recursion through native code", nested)
sys.setrecursionlimit(1000)


# Parsers whose handlers pull the ground away.
for act in (lambda parser: setattr(parser, "StartElementHandler", None), lambda parser: parser.Parse(b"<b/>"), lambda parser: 1 / 0, lambda parser: parser.__init__(), lambda parser: parser.ExternalEntityParserCreate(None), lambda parser: setattr(parser, "buffer_text", True), lambda parser: setattr(parser, "buffer_size", 1), lambda parser: parser.StopParser() if hasattr(parser, "StopParser") else None):
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = parser.CharacterDataHandler = parser.EndElementHandler = parser.DefaultHandler = lambda *arguments, parser=parser, act=act: act(parser)
    attempt("expat", parser.Parse, b"<a x='1'>text<b/>more</a>", True)
    parser.StartElementHandler = parser.CharacterDataHandler = parser.EndElementHandler = parser.DefaultHandler = None
connection = sqlite3.connect(":memory:")
connection.execute("create table t(a)")
connection.executemany("insert into t values(?)", [(n,) for n in range(100)])
for act in (lambda *arguments: connection.close(), lambda *arguments: connection.execute("drop table t"), lambda *arguments: 1 / 0, lambda *arguments: connection.create_function("f", -1, None), lambda *arguments: connection.execute("select f(1)"), lambda *arguments: connection.__init__(":memory:"), lambda *arguments: connection.rollback(), lambda *arguments: object(), lambda *arguments: 1 << 70, lambda *arguments: "\ud800"):
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t(a)")
    connection.executemany("insert into t values(?)", [(n,) for n in range(20)])
    attempt("sqlite", connection.create_function, "f", -1, act)
    attempt("sqlite", connection.create_collation, "c", act)
    attempt("sqlite", connection.set_authorizer, act)
    attempt("sqlite", connection.set_progress_handler, act, 1)
    attempt("sqlite", connection.set_trace_callback, act)
    attempt("sqlite", lambda: connection.execute("select f(a) from t").fetchall())
    connection = sqlite3.connect(":memory:")
    attempt("sqlite", connection.create_function, "f", -1, act)
    attempt("sqlite", connection.create_collation, "c", act)
    connection.row_factory = connection.text_factory = act
    attempt("sqlite", lambda: connection.execute("select f(1), 'a' union select f(2), 'b' order by 2 collate c").fetchall())
    cursor = attempt("sqlite", connection.cursor)
    attempt("sqlite", lambda: cursor.executemany("select ?", (cursor.execute("select 1").fetchall() for _ in range(3))))
del connection, cursor, parser


# Importers that misbehave, and names that the interpreter looks up: `attempt` needs some of them itself.
Base = BaseException


def survive(function, *arguments):
    try:
        return function(*arguments)
    except Base:
        pass


class Finder:
    def __init__(self, answer):
        self.answer = answer

    def find_spec(self, *arguments):
        return self.answer() if callable(self.answer) else self.answer


class Loader:
    def __init__(self, created):
        self.created = created

    def create_module(self, spec):
        return self.created

    def exec_module(self, module):
        sys.modules.pop("hostile_module", None)
        sys.meta_path.clear()


kept_path, kept_modules = list(sys.meta_path), dict(sys.modules)
for answer in (1, "a", object(), types.SimpleNamespace(), types.SimpleNamespace(loader=None, name=1), lambda: 1 / 0, lambda: sys.meta_path.clear(), lambda: __import__("hostile_module"), importlib.machinery.ModuleSpec("hostile_module", None), importlib.machinery.ModuleSpec("hostile_module", Loader(None)), importlib.machinery.ModuleSpec("hostile_module", Loader(1)), importlib.machinery.ModuleSpec(1, Loader(sys)), importlib.machinery.ModuleSpec("hostile_module", object(), is_package=True)):
    sys.meta_path.insert(0, Finder(answer))
    survive(lambda: __import__("hostile_module"))
    survive(lambda: __import__("hostile_module.sub.module"))
    survive(lambda: exec("from hostile_module import *", {}))
    sys.meta_path[:] = kept_path
for path in (None, 1, [1], [None], ["\0"], ["\ud800"], [b"a"], [io.StringIO()], ("/",), ["x" * 100_000]):
    kept = sys.path
    sys.path = path
    survive(lambda: __import__("hostile_module"))
    sys.path = kept
for value in (None, 1, "a", {}, object()):
    for name in ("meta_path", "path_hooks", "path_importer_cache", "modules", "stdout", "stderr", "displayhook", "excepthook", "unraisablehook", "warnoptions", "path", "flags", "builtin_module_names", "implementation"):
        kept = getattr(sys, name)
        setattr(sys, name, value)
        try:
            survive(lambda: __import__("hostile_module"))
            survive(lambda: exec("import os.path as hostile; from os import *", {}))
            survive(lambda: print(1))
            survive(lambda: eval(compile("1", "x", "single")))
            survive(lambda: warnings._warnings.warn("x") if hasattr(warnings, "_warnings") else warnings.warn("x"))
            survive(lambda: sys.modules.get("os"))
            Endless()
        finally:
            setattr(sys, name, kept)
space = vars(builtins)
kept = {**space}
for name in ("__import__", "__build_class__", "print", "len", "range", "type", "object", "Exception", "BaseException", "KeyError", "StopIteration", "AssertionError", "isinstance", "__debug__", "open", "compile", "repr", "str", "dict", "list"):
    for value in (None, 1, lambda *arguments, **keywords: 1, lambda *arguments, **keywords: recurse()):
        space[name] = value
        outcomes = []
        for source in ("import os", "from os import path", "class C(object): pass", "assert 0", "len([1])", "for _ in range(3): pass", "try:\n 1 / 0\nexcept Exception: pass", "next(iter([]))", "{}[1]", "with open('x'): pass", "type(1)", "f'{1!r}'", "isinstance(1, int)", "print(1, file=None)"):
            try:
                exec(source, {"__builtins__": space})
            except Base as exception:
                outcomes.append(exception)
            try:
                exec(source, {"__builtins__": {name: value}})
            except Base as exception:
                outcomes.append(exception)
        space.clear()
        space.update(kept)
for value in (None, 1, [], "a", {}, types.ModuleType("x"), collections.OrderedDict(), types.MappingProxyType({})):
    for source in ("print(1)", "import os", "class C: pass", "def f(): return len\nf()", "[x for x in range(3)]", "1 / 0", "del __builtins__\nprint", "__builtins__ = 5\ndef f(): return print\nf()"):
        survive(exec, source, {"__builtins__": value})
for name in ("os", "sys", "builtins", "warnings", "encodings", "importlib._bootstrap", "codecs", "io", "_io", "traceback", "linecache", "re", "threading", "abc", "__main__", "types"):
    for value in (None, 1, types.ModuleType("x")):
        sys.modules[name] = value
        for use in (lambda: exec("import os, sys, re"), lambda: exec("from os import path"), lambda: b"a".decode("koi8-u"), lambda: open("/nonexistent"), lambda: warnings.warn("x"), lambda: importlib.import_module("this.is.nowhere"), lambda: Endless.__mro__, lambda: compile("'\\d'", "x", "eval"), lambda: exec("class C[T]: pass"), lambda: pickle.loads(pickle.dumps(Weak()))):
            survive(use)
        sys.modules.clear()
        sys.modules.update(kept_modules)


# What happens at the end of a process.
ENDS = [
    "import threading, time\nfor _ in range(5): threading.Thread(target=lambda: [time.sleep(0.001) for _ in iter(int, 1)], daemon=True).start()",
    "import threading\ndef f(): threading.Thread(target=f).start() if n.append(1) or len(n) < 200 else None\nn = []\nf()",
    "import atexit, threading\natexit.register(lambda: threading.Thread(target=print).start())",
    "import atexit\ndef f(): atexit.register(f) if n.append(1) or len(n) < 100 else 1 / 0\nn = []\nf()",
    "import sys\nclass C:\n def __del__(self): import os; print(sys, os, open, C)\nc = C()\nsys.c = c\nc.c = c",
    "import sys, weakref\nclass C: pass\nc = C()\nweakref.finalize(c, lambda: sys.modules.clear())\nsys.modules['c'] = c",
    "import sys\nsys.stdout = sys.stderr = None\nclass C:\n def __del__(self): 1 / 0\nc = C()",
    "import sys\nsys.modules.clear()",
    "import sys\nsys.stdout.close()\nsys.stderr.close()\n1 / 0",
    "import gc\nclass C:\n def __del__(self): C.c = self; gc.collect()\nC()\nC().c = C",
    "import threading, sys\nt = threading.Thread(target=lambda: sys.exit(5))\nt.start()\nraise SystemExit([1])",
    "import asyncio\nasync def f():\n try: await asyncio.sleep(10)\n finally: await asyncio.sleep(10)\nloop = asyncio.new_event_loop()\nt = loop.create_task(f())\nloop.call_later(0.01, loop.stop)\nloop.run_forever()",
    "import builtins\nvars(builtins).clear()",
    "def g():\n try: yield\n finally: yield\nx = g()\nnext(x)",
    "import os, signal\nclass C:\n def __del__(self): os.kill(os.getpid(), signal.SIGINT)\nc = C()",
    "import threading, os\nl = threading.Lock()\nl.acquire()\nthreading.Thread(target=lambda: l.acquire(), daemon=True).start()\nif os.fork() == 0: pass\nelse: os.wait()",
    "import concurrent.futures as c\ne = c.ThreadPoolExecutor(4)\n[e.submit(lambda: e.submit(print)) for _ in range(20)]",
    "import sys\nsys.excepthook = lambda *a: 1 / 0\n1 / 0",
    "import sys\nsys.unraisablehook = 5\nclass C:\n def __del__(self): 1 / 0\nC()",
    "import faulthandler, threading\nfaulthandler.enable()\nfaulthandler.dump_traceback_later(0.01)\nfor _ in range(10**5): pass",
]
for source in ENDS:
    done = attempt("end", subprocess.run, [sys.executable, "-c", source], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    if not isinstance(done, subprocess.CompletedProcess):
        raise AssertionError(f"{source}: {done}")
    if done.returncode < 0 and done.returncode != -signal.SIGINT or b"panicked" in done.stderr or done.returncode == 101:
        raise AssertionError(f"{source}: {done}")
