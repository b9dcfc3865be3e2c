# C data and C functions: numbers, structures, pointers, arrays, callbacks, errno.
import ctypes
import errno
import gc
import pickle
import threading
import weakref
from ctypes import (
    CDLL, CFUNCTYPE, POINTER, BigEndianStructure, Structure, Union, addressof, byref, c_bool, c_byte, c_char, c_char_p,
    c_double, c_float, c_int, c_long, c_longdouble, c_longlong, c_short, c_size_t, c_ubyte, c_uint, c_ulonglong,
    c_ushort, c_void_p, c_wchar, c_wchar_p, cast, create_string_buffer, create_unicode_buffer, memmove, memset,
    pointer, py_object, resize, sizeof, string_at,
)


def attempt(what, action):
    try:
        print(what, "->", action())
    except Exception as error:
        print(what, "raises", type(error).__name__ + ":", error)


libc = CDLL(None, use_errno=True)
libm = CDLL("libm.so.6")

# Numbers wrap around, and know their sizes.
for kind, value in [
    (c_byte, 200), (c_ubyte, -1), (c_short, 1 << 15), (c_ushort, -1), (c_int, 1 << 31), (c_uint, -1),
    (c_long, 1 << 63), (c_longlong, -(1 << 63) - 1), (c_ulonglong, -1), (c_float, 0.1), (c_double, 0.1),
    (c_longdouble, 0.1), (c_bool, []), (c_char, b"x"), (c_wchar, "\u20ac"), (c_void_p, None), (c_char_p, b"text"),
    (c_wchar_p, "text \U0001f600"), (py_object, [1]),
]:
    instance = kind(value)
    print(kind.__name__, sizeof(kind), ctypes.alignment(kind), repr(instance.value))
attempt("a str as int", lambda: c_int("1"))
attempt("two chars", lambda: c_char(b"xy"))
attempt("no object", lambda: py_object().value)

# Functions.
print(libc.strlen(b"hello"), libc.abs(-5), libc.toupper(ord("q")))
libm.pow.restype = c_double
libm.pow.argtypes = [c_double, c_double]
print(libm.pow(2, 0.5), libm.pow(10, 3))
libm.sqrtf.restype, libm.sqrtf.argtypes = c_float, (c_float,)
print(libm.sqrtf(2))
libm.fabsl.restype, libm.fabsl.argtypes = c_longdouble, (c_longdouble,)
print(libm.fabsl(-1.25))
attempt("too few", lambda: libm.pow(1))
attempt("wrong type", lambda: libm.pow(1, "x"))
attempt("inconvertible", lambda: libc.abs([]))
attempt("no such function", lambda: hasattr(libc, "no_such_function_here"))
libc.strchr.restype = c_char_p
libc.strchr.argtypes = [c_char_p, c_int]
print(libc.strchr(b"abcdef", ord("d")), libc.strchr(b"abcdef", ord("z")))
libc.snprintf.argtypes = [c_char_p, c_size_t, c_char_p]
buffer = create_string_buffer(80)
print(libc.snprintf(buffer, 80, b"%d %s %.3f %lld %c", c_int(42), b"str", c_double(2.5), c_longlong(1 << 40), c_int(33)))
print(buffer.value, len(buffer), buffer[:4], buffer[3:0:-1])

# More arguments than there are registers.
many = CFUNCTYPE(c_double, *[c_int] * 8, *[c_double] * 10)
print(many(lambda *args: sum(place * value for place, value in enumerate(args)))(*range(8), *[n / 2 for n in range(10)]))

# errno.
ctypes.set_errno(0)
print(libc.open(b"/no/such/file", 0), errno.errorcode[ctypes.get_errno()])
failed = []
other = threading.Thread(target=lambda: failed.append(ctypes.get_errno()))
other.start()
other.join()
print(failed)


# Checks of results.
def check(result, function, arguments):
    if result < 0:
        raise OSError(ctypes.get_errno(), "checked")
    return arguments


libc.open.errcheck = check
attempt("checked", lambda: libc.open(b"/no/such/file", 0))


# Structures by value and by pointer.
class Division(Structure):
    _fields_ = [("quot", c_int), ("rem", c_int)]


class LongDivision(Structure):
    _fields_ = [("quot", c_long), ("rem", c_long)]


libc.div.restype = Division
libc.ldiv.restype, libc.ldiv.argtypes = LongDivision, [c_long, c_long]
result = libc.div(17, 5)
print(type(result).__name__, result.quot, result.rem)
result = libc.ldiv(-(1 << 40), 7)
print(result.quot, result.rem)


class Tm(Structure):
    _fields_ = [(name, c_int) for name in "sec min hour mday mon year wday yday isdst".split()]
    _fields_ += [("gmtoff", c_long), ("zone", c_char_p)]


libc.gmtime_r.argtypes = [POINTER(c_long), POINTER(Tm)]
libc.gmtime_r.restype = POINTER(Tm)
moment = Tm()
returned = libc.gmtime_r(byref(c_long(1_000_000_000)), moment)
print(moment.year + 1900, moment.mon + 1, moment.mday, moment.hour, moment.min, moment.sec, moment.zone)
print(addressof(returned.contents) == addressof(moment), returned[0].mday)


class Point(Structure):
    _fields_ = [("x", c_double), ("y", c_double)]


class Mixed(Structure):
    _fields_ = [("number", c_double), ("count", c_int), ("tag", c_char)]


class Large(Structure):
    _fields_ = [("items", c_int * 6), ("point", Point)]


by_value = CFUNCTYPE(c_double, Point, Mixed, Large, c_float)
print(by_value(lambda p, m, l, f: p.x + p.y * 10 + m.number + m.count + ord(m.tag) + sum(l.items) + l.point.y + f)(
    Point(1, 2), Mixed(0.5, 7, b"A"), Large((c_int * 6)(1, 2, 3, 4, 5, 6), Point(8, 9)), 0.25))
point = Point(3, y=4)
print(point.x, point.y, Point.y, memoryview(point).format)
attempt("too many", lambda: Point(1, 2, 3))
attempt("twice", lambda: Point(1, x=2))
attempt("final", lambda: setattr(Point, "_fields_", []))


# Bit fields, unions, anonymous fields, both byte orders.
class Flags(Structure):
    _fields_ = [("low", c_uint, 3), ("signed", c_int, 5), ("rest", c_uint, 24), ("more", c_ubyte, 4)]


flags = Flags(9, -3, 0x123456, 21)
print(flags.low, flags.signed, flags.rest, flags.more, bytes(flags).hex(), Flags.signed)


class Word(Union):
    class Halves(Structure):
        _fields_ = [("low", c_ushort), ("high", c_ushort)]

    _anonymous_ = ["halves"]
    _fields_ = [("word", c_uint), ("halves", Halves), ("bytes", c_ubyte * 4)]


word = Word(0x12345678)
word.high += 1
print(hex(word.word), hex(word.low), list(word.bytes), Word.high)


class Packet(BigEndianStructure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("kind", c_ubyte), ("length", c_ushort), ("sequence", c_uint), ("ratio", c_double)]


packet = Packet(1, 0x0203, 0x04050607, 1.5)
print(bytes(packet).hex(), sizeof(Packet), packet.length, Packet.from_buffer_copy(bytes(packet)).ratio)

# Arrays.
numbers = (c_int * 5)(*range(5))
numbers[1:3] = [10, 20]
print(list(numbers), numbers[-1], numbers[::2], len(numbers), c_int * 5 is type(numbers))
attempt("beyond", lambda: numbers[5])
attempt("wrong length", lambda: numbers.__setitem__(slice(0, 2), [1]))
grid = (c_short * 3 * 2)((1, 2, 3), (4, 5, 6))
view = memoryview(grid)
print(view.shape, view.format, view.tobytes().hex(), grid[1][2])
text = create_unicode_buffer("\u20ac \U0001f600", 8)
print(text.value, len(text), text[:3])
storage = bytearray(b"abcdefgh")
shared = (c_char * 4).from_buffer(storage, 2)
shared[0] = b"X"
print(storage, shared.raw)
attempt("resized", lambda: storage.append(1))
attempt("small", lambda: c_int.from_buffer_copy(b"123"))

# Pointers.
number = c_int(7)
to_number = pointer(number)
to_number.contents.value = 8
to_number[0] += 1
print(number.value, bool(to_number), bool(POINTER(c_int)()), to_number[:1])
attempt("null", lambda: POINTER(c_int)().contents)
attempt("null item", lambda: POINTER(c_int)()[0])
attempt("wrong target", lambda: POINTER(c_int)(3))
print(cast(numbers, POINTER(c_int))[2], cast(b"bytes", c_char_p).value)


class Node(Structure):
    pass


Node._fields_ = [("value", c_int), ("next", POINTER(Node))]
chain = None
for value in range(4):
    chain = Node(value, pointer(chain) if chain else None)
gc.collect()
found = []
while True:
    found.append(chain.value)
    if not chain.next:
        break
    chain = chain.next.contents
print(found)


# Callbacks.
compare = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))
calls = 0


@compare
def ascending(a, b):
    global calls
    calls += 1
    return a[0] - b[0]


shuffled = (c_int * 10)(*[n * 7 % 10 for n in range(10)])
libc.qsort.restype = None
libc.qsort(shuffled, len(shuffled), sizeof(c_int), ascending)
print(list(shuffled), calls > 9)


class Owner:
    def callback(self):
        return 42


owner = Owner()
owner.function = CFUNCTYPE(c_int)(owner.callback)
print(owner.function())
watch = weakref.ref(owner)
del owner
gc.collect()
print(watch())
print(CFUNCTYPE(py_object, py_object)(lambda thing: [thing])("kept"))

# A thread that C code starts.
start = CFUNCTYPE(c_void_p, c_void_p)


@start
def body(argument):
    threads.append((argument, threading.current_thread() is threading.main_thread()))
    return argument + 1


threads = []
ident, result = ctypes.c_ulong(), c_void_p()
print(libc.pthread_create(byref(ident), None, body, c_void_p(5)), libc.pthread_join(ident, byref(result)))
print(threads, result.value)

# Parameters with names and defaults, and such as are returned.
frexp = CFUNCTYPE(c_double, c_double, POINTER(c_int))(("frexp", libm), ((1, "number"), (2, "exponent")))
print(frexp(12.0), frexp(number=0.125))
ldexp = CFUNCTYPE(c_double, c_double, c_int)(("ldexp", libm), ((1, "x", 3.0), (1, "exponent", 2)))
print(ldexp(), ldexp(1.0), ldexp(exponent=4))
attempt("missing", frexp)


class Handle:
    def __init__(self, text):
        self._as_parameter_ = text


print(libc.strlen(Handle(b"parameter")))

# Memory.
block = create_string_buffer(b"0123456789")
memmove(addressof(block) + 2, b"ab", 2)
memset(addressof(block) + 5, ord("-"), 3)
print(block.value, string_at(block, 4), ctypes.wstring_at("wide", 2))
growing = (c_int * 2)(1, 2)
resize(growing, 64)
print(sizeof(growing), list(growing))
print(pickle.loads(pickle.dumps(Division(3, 4))).rem)
attempt("pickled pointer", lambda: pickle.dumps(c_char_p(b"x")))
attempt("no library", lambda: CDLL("no-such-library.so"))
