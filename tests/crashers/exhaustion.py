"""Memory that runs out in the middle of everything that allocates in proportion to its input or its arguments.

Each attempt has 64 MiB of address space beyond what the process has mapped. It may succeed or fail in any ordinary way.
"""

import array
import ast
import asyncio
import base64
import binascii
import bisect
import bz2
import codecs
import collections
import contextvars
import copy
import csv
import ctypes
import datetime
import decimal
import difflib
import dis
import email
import enum
import fnmatch
import fractions
import functools
import glob
import hashlib
import heapq
import html
import inspect
import io
import itertools
import json
import locale
import lzma
import marshal
import math
import mmap
import operator
import os
import pickle
import pprint
import queue
import random
import re
import reprlib
import resource
import select
import shlex
import socket
import sqlite3
import statistics
import string
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tokenize
import traceback
import types
import unicodedata
import urllib.parse
import weakref
import xml.etree.ElementTree as ElementTree
import zlib
from compression import zstd

from attempts import attempt

HUGE = sys.maxsize // 2
# A unit of size: a few hundred of them are more than there is.
K = 1 << 17


def endless(item):
    return itertools.repeat(item)


def text(size):
    return "a" * (size * K)


def wide(size):
    return "\u20ac" * (size * K)


def data(size):
    return bytes(size * K)


def array_of(size):
    return bytearray(size * K)


def items(size):
    return [None] * (size * K)


def number(size):
    return 1 << (size * 8 * K)


def grow(make):
    kept = []
    while True:
        kept.append(make(len(kept)))


class Sequence:
    """Of any length."""

    def __init__(self, item):
        self.item = item

    def __len__(self):
        return HUGE

    def __getitem__(self, index):
        return self.item


class Hint:
    def __length_hint__(self):
        return HUGE

    def __iter__(self):
        return iter([1, 2])


class Endless(io.RawIOBase):
    def readable(self):
        return True

    def readinto(self, buffer):
        return len(buffer)


class Generous(io.RawIOBase):
    def readable(self):
        return True

    def readall(self):
        return data(300)

    def read(self, size=-1):
        return data(300)


TEXTS = [
    lambda: hex(1 << 8 * 400 * K),
    lambda: bin(1 << 8 * 60 * K),
    lambda: oct(1 << 8 * 300 * K),
    lambda: format(1 << 8 * 400 * K, 'x'),
    lambda: format(1 << 8 * 60 * K, '_b'),
    lambda: '%x' % (1 << 8 * 400 * K),
    lambda: '%#o' % (1 << 8 * 300 * K),
    lambda: f'{1 << 8 * 400 * K:#x}',
    lambda: f'{1 << 8 * 60 * K:b}',
    lambda: text(200) + text(200) + text(200),
    lambda: [(x := text(200)), x.upper() + x.lower() + x.swapcase() + x.title()],
    lambda: [(x := text(200)), x.capitalize(), x.casefold() + x],
    lambda: [(x := wide(60)), x.upper(), x.lower() + x, x.title() + x + x],
    lambda: 'ß'.__mul__(200 * K).upper(),
    lambda: 'ŉ'.__mul__(100 * K).upper(),
    lambda: text(200).encode('utf-16'),
    lambda: text(200).encode('utf-32'),
    lambda: text(200).encode('utf-7') + text(200).encode(),
    lambda: wide(60).encode('utf-8') + wide(60).encode('unicode_escape'),
    lambda: wide(60).encode('ascii', 'backslashreplace'),
    lambda: wide(60).encode('ascii', 'xmlcharrefreplace'),
    lambda: wide(60).encode('ascii', 'namereplace'),
    lambda: wide(60).encode('ascii', 'replace') * 10,
    lambda: ('\udc80' * (200 * K)).encode('utf-8', 'surrogateescape'),
    lambda: ('\ud800' * (100 * K)).encode('utf-8', 'surrogatepass'),
    lambda: text(200).encode('raw_unicode_escape') * 3,
    lambda: wide(60).encode('raw_unicode_escape'),
    lambda: wide(60).encode('cp1252', 'backslashreplace'),
    lambda: wide(100).encode('gb18030'),
    lambda: text(200).encode('idna'),
    lambda: data(300).decode('latin-1') * 2,
    lambda: data(300).decode('utf-8') * 2,
    lambda: (b'\xff' * (200 * K)).decode('utf-8', 'replace'),
    lambda: (b'\xff' * (200 * K)).decode('utf-8', 'backslashreplace'),
    lambda: (b'\xff' * (300 * K)).decode('ascii', 'surrogateescape'),
    lambda: data(300).decode('utf-16'),
    lambda: data(300).decode('cp1252') * 2,
    lambda: data(100).decode('charmap') * 9,
    lambda: (b'\xe9' * (300 * K)).decode('cp037') * 2,
    lambda: (b'\\u20ac' * (100 * K)).decode('unicode_escape'),
    lambda: (b'ab' * (100 * K)).decode('utf-7') * 3,
    lambda: codecs.encode(data(300), 'hex'),
    lambda: codecs.encode(data(200), 'quopri'),
    lambda: codecs.encode(data(200), 'uu'),
    lambda: text(200).split('a'),
    lambda: text(100).splitlines() * 900000000,
    lambda: ('\n' * (100 * K)).splitlines(),
    lambda: ('a ' * (60 * K)).split(),
    lambda: ('a ' * (60 * K)).rsplit(),
    lambda: ('a,' * (60 * K)).rsplit(','),
    lambda: text(200).partition('b')[0] + text(200).rpartition('b')[2] + text(200),
    lambda: text(300).center(K * 900),
    lambda: text(300).replace('a', 'bcd'),
    lambda: text(300).replace('a', '€'),
    lambda: text(300).replace('', '-'),
    lambda: text(300).translate({97: 'bcd'}),
    lambda: text(300).translate({97: 8364}),
    lambda: text(300).translate(str.maketrans('a', '€')),
    lambda: ('\t' * (100 * K)).expandtabs(8),
    lambda: '\t'.expandtabs(2147483647),
    lambda: ('a\t' * 4).expandtabs(2000000000),
    lambda: ''.join([text(100)] * 8),
    lambda: text(100).join('abcdefghi'),
    lambda: '-'.join(endless('abc')),
    lambda: ''.join((x for x in endless('abc' * 1000))),
    lambda: repr(text(600)),
    lambda: repr('\n' * (200 * K)),
    lambda: repr('\x00' * (150 * K)),
    lambda: ascii(wide(100)),
    lambda: ascii('😀' * (50 * K)),
    lambda: text(300)[::-1] + text(300),
    lambda: text(300)[::2] + text(600),
    lambda: list(text(100)),
    lambda: tuple(wide(60)),
    lambda: sorted(text(100)),
    lambda: set(map(str, itertools.count())),
    lambda: text(300).format() + text(300),
    lambda: ('{0}' * 1000).format(text(1)),
    lambda: '{:>{}}'.format(1, 900 * K),
    lambda: '{0:900000000}{0:900000000}'.format(1),
    lambda: '%900000000s%900000000s' % (1, 2),
    lambda: '%s' * 10 % ((text(100),) * 10),
    lambda: format(decimal.Decimal(1), '.900000000f'),
    lambda: format(1.0, ',.900000000f'),
    lambda: format(1, '0900000000,d'),
    lambda: format(1j, '.900000000f'),
    lambda: f'{text(300)!r:>900000000}',
    lambda: f'{text(100)}{text(100)}{text(100)}{text(100)}{text(100)}{text(100)}',
    lambda: string.Template('$a' * 100).substitute(a=text(10)),
    lambda: text(300).removeprefix('a') + text(300),
    lambda: text(300).strip('b') + text(300).lstrip('a') + text(200),
    lambda: str.maketrans(text(30), text(30)),
    lambda: text(300).zfill(900 * K),
    lambda: html.escape('<' * (200 * K)),
    lambda: urllib.parse.quote('<' * (60 * K)),
    lambda: unicodedata.normalize('NFD', 'ﷺ' * (50 * K)),
    lambda: unicodedata.normalize('NFKD', 'ﷺ' * (30 * K)),
    lambda: shlex.quote("'" * (200 * K)),
    lambda: re.escape('.' * (200 * K)),
    lambda: 'a' * 30 * K * 30,
    lambda: [(x := 'a'), [(x := (x + x)) for _ in range(60)]],
    lambda: operator.iconcat(text(300), text(300)),
    lambda: int('7' * (4300 * 1)) ** 10 ** 6,
    lambda: str(data(300), 'latin-1') + text(300),
]

BYTES = [
    lambda: data(300) + data(300),
    lambda: data(300).replace(b'\x00', b'abc'),
    lambda: data(300).replace(b'', b'-'),
    lambda: array_of(300).replace(b'\x00', b'abc'),
    lambda: data(300).join([b'a'] * 4),
    lambda: data(100).split(b'\x00'),
    lambda: array_of(100).split(b'\x00'),
    lambda: (b'\n' * (100 * K)).splitlines(),
    lambda: (b'\t' * (100 * K)).expandtabs(),
    lambda: data(300).hex(),
    lambda: data(300).hex(':'),
    lambda: array_of(300).hex(),
    lambda: memoryview(data(300)).hex('-'),
    lambda: bytes.fromhex('00' * (300 * K)),
    lambda: bytearray.fromhex('00' * (300 * K)),
    lambda: data(300).center(900 * K),
    lambda: data(300).ljust(900 * K),
    lambda: data(300).zfill(900 * K),
    lambda: array_of(300).center(900 * K),
    lambda: data(300).translate(None, b'a') + data(300),
    lambda: data(300).upper() + data(300).lower(),
    lambda: array_of(300).swapcase() + array_of(300).title(),
    lambda: data(300)[::-1] + data(300),
    lambda: array_of(300)[::2] + array_of(500),
    lambda: list(data(100)),
    lambda: tuple(array_of(100)),
    lambda: sorted(data(100)),
    lambda: repr(data(200)),
    lambda: repr(array_of(200)),
    lambda: str(data(200)),
    lambda: '%r' % data(200),
    lambda: b'%a' % data(200),
    lambda: b'%s%s' % (data(300), data(300)),
    lambda: b'%900000000d' % 1,
    lambda: b'%.900000000f' % 1.0,
    lambda: bytes([1]) * HUGE,
    lambda: bytes(Hint()),
    lambda: bytearray(Hint()),
    lambda: bytes(Sequence(1)),
    lambda: array_of(300) * 3,
    lambda: operator.imul(array_of(300), 3),
    lambda: operator.iadd(array_of(300), data(400)),
    lambda: [(x := array_of(1))] and [x.extend(x) for _ in range(40)],
    lambda: [(x := array_of(300)), x.__setitem__(slice(0, 0), x)],
    lambda: [(x := array_of(300)), x.insert(0, 1), x.append(2), x.resize(900 * K)],
    lambda: array_of(1).resize(HUGE),
    lambda: array_of(1).resize(-1),
    lambda: [(x := array_of(300)), x.__iadd__(x)],
    lambda: array_of(300).copy() + array_of(1),
    lambda: memoryview(data(300)).tobytes() + data(300),
    lambda: memoryview(data(100)).tolist(),
    lambda: memoryview(data(240)).cast('d').tolist(),
    lambda: memoryview(data(200)).cast('B', [200, K]).tolist(),
    lambda: int.from_bytes(data(300)) << 8 * 300 * K,
    lambda: 1 .to_bytes(900 * K),
    lambda: (1 << 8 * 300 * K).to_bytes(900 * K),
    lambda: memoryview(data(300))[::2].tobytes() + data(400),
    lambda: base64.b64encode(data(400)),
    lambda: base64.b16encode(data(300)),
    lambda: base64.b32encode(data(20)) * 100,
    lambda: base64.a85encode(data(10)) * 100,
    lambda: binascii.b2a_hex(data(400)),
    lambda: binascii.b2a_qp(data(200)),
    lambda: binascii.a2b_base64(b'YWJj' * (130 * K)),
    lambda: binascii.b2a_base64(data(400)),
    lambda: binascii.unhexlify(b'00' * (250 * K)),
]

CONTAINERS = [
    lambda: items(20) * 3,
    lambda: items(20) + items(20) + items(20),
    lambda: items(40)[:] + items(40),
    lambda: items(40).copy() + items(40),
    lambda: items(60)[::2] + items(60),
    lambda: operator.imul(items(20), 9),
    lambda: operator.iadd(items(40), items(40)),
    lambda: [(x := items(40)), x.extend(x)],
    lambda: [(x := items(40)), x.__setitem__(slice(0, 0), x)],
    lambda: [(x := items(40)), x.__setitem__(slice(0, None, 2), [1] * (20 * K))],
    lambda: [(x := items(60)), x.__delitem__(slice(0, None, 2)), items(60)],
    lambda: [(x := items(55)), x.insert(0, 1), x.insert(0, 1)],
    lambda: sorted(items(40)),
    lambda: [(x := items(50)), x.sort(key=lambda v: 1)],
    lambda: [(x := list(range(10 * K))), x.sort(key=str)],
    lambda: tuple(items(40)) + tuple(items(40)),
    lambda: tuple(items(40)) * 3,
    lambda: list(Hint()) * HUGE,
    lambda: list(Sequence(1)),
    lambda: tuple(Sequence(1)),
    lambda: [*endless(1)],
    lambda: (*endless(1),),
    lambda: {*itertools.count()},
    lambda: {**{i: i for i in itertools.count()}},
    lambda: dict(zip(itertools.count(), endless(1))),
    lambda: dict.fromkeys(range(100 * K)),
    lambda: set(range(100 * K)),
    lambda: frozenset(range(100 * K)),
    lambda: set(itertools.count()) | set(),
    lambda: [(x := set(range(4 * K))), [x | set(range(i * K, (i + 4) * K)) for i in range(4, 100, 4)], 1] and grow(lambda i: x.copy()),
    lambda: grow(lambda i: dict.fromkeys(range(100000))),
    lambda: [(d := dict.fromkeys(range(3 * K))), grow(lambda i: d.copy())],
    lambda: [(d := dict.fromkeys(range(3 * K))), grow(lambda i: d | d)],
    lambda: [(d := dict.fromkeys(range(3 * K))), grow(lambda i: list(d.items()))],
    lambda: [(d := dict.fromkeys(range(3 * K))), grow(lambda i: d.items() | d.items())],
    lambda: [(d := dict.fromkeys(range(3 * K))), grow(lambda i: d.keys() & d.keys())],
    lambda: [(d := dict.fromkeys(range(3 * K))), grow(lambda i: set(d))],
    lambda: [(d := {i: i for i in range(2 * K)}), grow(lambda i: d.update({j + i * K: 1 for j in range(K)}))],
    lambda: collections.Counter(itertools.count()),
    lambda: collections.OrderedDict(zip(itertools.count(), endless(1))),
    lambda: collections.defaultdict(int, zip(itertools.count(), endless(1))),
    lambda: [(d := collections.defaultdict(list)), grow(lambda i: d[i])],
    lambda: [(d := collections.OrderedDict()), grow(lambda i: d.__setitem__(i, 1))],
    lambda: collections.deque(endless(1)),
    lambda: collections.deque(range(100 * K)),
    lambda: [(d := collections.deque([1] * (20 * K))), d * 9],
    lambda: [(d := collections.deque([1] * (20 * K))), d + d + d + d],
    lambda: [(d := collections.deque([1] * (20 * K))), grow(lambda i: d.copy())],
    lambda: [(d := collections.deque([1] * (20 * K))), d.extend(d)],
    lambda: [(d := collections.deque([1] * (30 * K))), d.extendleft(d)],
    lambda: [(d := collections.deque()), grow(lambda i: d.appendleft(i))],
    lambda: collections.deque(endless(1), maxlen=HUGE),
    lambda: collections.namedtuple('A', ['a%d' % i for i in range(10 ** 5)]) and grow(lambda i: collections.namedtuple('A', 'a b')),
    lambda: array.array('d', endless(1.0)),
    lambda: array.array('q', range(100 * K)),
    lambda: array.array('b', data(300)) * 4,
    lambda: [(a := array.array('b', data(300))), a + a],
    lambda: [(a := array.array('b', data(300))), a.extend(a)],
    lambda: [(a := array.array('b', data(300))), a.frombytes(data(300))],
    lambda: [(a := array.array('b', data(300))), a.tobytes() + data(200)],
    lambda: array.array('d', bytes(160 * K)).tolist(),
    lambda: array.array('w', text(100)).tounicode() * 9,
    lambda: array.array('d').fromfile(open('/dev/zero', 'rb'), HUGE),
    lambda: array.array('b').fromfile(open('/dev/zero', 'rb'), 900 * K),
    lambda: [(a := array.array('b', data(300))), a.insert(0, 1), a.append(1), a[:] + a],
    lambda: repr(array.array('b', data(200))),
    lambda: heapq.nlargest(HUGE, itertools.count()),
    lambda: heapq.nsmallest(100 * K, itertools.count()),
    lambda: [(h := []), grow(lambda i: heapq.heappush(h, i))],
    lambda: queue.Queue and [(q := queue.SimpleQueue()), grow(lambda i: q.put(i))],
    lambda: copy.deepcopy([[i] for i in range(3 * K)]),
    lambda: copy.copy(items(60)),
    lambda: [items(30), copy.deepcopy(items(30)), 1],
    lambda: [(f := functools.lru_cache(None)(lambda x: x)), grow(f)],
    lambda: sum(endless([1] * 100000), []),
    lambda: range(HUGE)[HUGE // 2] * items(40),
    lambda: slice(None).indices(HUGE) and list(range(HUGE)),
    lambda: list(map(int, endless('1'))),
    lambda: list(filter(None, endless(1))),
    lambda: list(enumerate(endless(1))),
    lambda: list(reversed(range(HUGE))),
    lambda: max(endless([1]), key=lambda x: grow(lambda i: [i])),
    lambda: zip(*items(30)),
    lambda: list(zip(*[endless(1)] * 1000)),
    lambda: print(*endless(1), file=io.StringIO()),
    lambda: (lambda *a: a)(*endless(1)),
    lambda: (lambda **k: k)(**{f'a{i}': i for i in range(10 * K)}),
    lambda: type('C', (), {f'a{i}': i for i in range(5 * K)}),
    lambda: types.SimpleNamespace(**{f'a{i}': i for i in range(5 * K)}),
    lambda: [(o := Sequence(1)), grow(lambda i: setattr(o, f'x{i}', i))],
    lambda: [(C := type('C', (), {})), grow(lambda i: setattr(C, f'x{i}', i))],
    lambda: grow(lambda i: weakref.ref(Sequence(1), print)),
    lambda: grow(lambda i: contextvars.copy_context()),
    lambda: grow(lambda i: contextvars.ContextVar('a')),
    lambda: [(c := contextvars.copy_context()), grow(lambda i: c.run(contextvars.ContextVar('a').set, i))],
    lambda: random.sample(range(HUGE), 100 * K),
    lambda: random.choices([1], k=HUGE),
    lambda: random.randbytes(900 * K),
    lambda: random.getrandbits(8 * 900 * K),
    lambda: os.urandom(900 * K),
    lambda: os.urandom(HUGE),
    lambda: statistics.quantiles(range(30 * K)),
    lambda: memoryview(array_of(10)).cast('b', [HUGE, 1]),
    lambda: bisect.insort(items(0) + [1], 1) or grow(lambda i: [i]),
]

NUMBERS = [
    lambda: 1 << 8 * 900 * K,
    lambda: 10 ** 10 ** 10,
    lambda: 1 << 8 * 300 * K << 8 * 300 * K,
    lambda: [(x := number(200)), x + x, x - 1, x | 1, x ^ 1, x & x - 1],
    lambda: [(x := number(200)), ~x, -x, abs(-x) + x],
    lambda: number(100) >> 1 << 8 * 300 * K,
    lambda: pow(7, 10 ** 9),
    lambda: pow(7, 10 ** 10),
    lambda: math.factorial(10 ** 9),
    lambda: math.factorial(2147483647),
    lambda: math.comb(10 ** 10, 10 ** 9),
    lambda: math.perm(10 ** 10, 10 ** 9),
    lambda: int(b'1' * (300 * K), 16) * (1 << 8 * 400 * K),
    lambda: int('f' * (400 * K), 16) << 8 * 300 * K,
    lambda: int('1' * (400 * K), 2) << 8 * 500 * K,
    lambda: fractions.Fraction(1, 3) ** 10 ** 10,
    lambda: math.lcm(number(100), number(100) + 1) << 8 * 300 * K,
    lambda: math.ldexp(1.0, 10) * number(100),
    lambda: decimal.Decimal('1' * (100 * K)) + 1,
    lambda: decimal.Decimal((0, (1,) * (50 * K), 0)),
    lambda: decimal.Context(prec=decimal.MAX_PREC).sqrt(2),
    lambda: decimal.Context(prec=decimal.MAX_PREC).exp(1),
    lambda: decimal.Context(prec=decimal.MAX_PREC).ln(2),
    lambda: decimal.Context(prec=400000000).divide(1, 3),
    lambda: format(decimal.Decimal('1e900000000'), 'f'),
    lambda: decimal.Decimal('1e900000000').__int__(),
    lambda: int(decimal.Decimal('1e999999999999')),
    lambda: decimal.Decimal('1e400000000').as_integer_ratio(),
    lambda: hash(decimal.Decimal('1e999999999999')),
    lambda: str(decimal.Decimal('1e900000000').quantize(decimal.Decimal(1), context=decimal.Context(prec=999999999999))),
    lambda: decimal.Context(prec=decimal.MAX_PREC).shift(decimal.Decimal(1), 900000000),
    lambda: decimal.Context(prec=decimal.MAX_PREC).create_decimal(1).logical_invert(decimal.Context(prec=900000000)),
    lambda: datetime.timedelta(days=1) * number(1),
    lambda: float(number(100)),
    lambda: divmod(number(60), number(1) - 1) and number(1000),
    lambda: number(100).bit_length() and number(900),
]

STREAMS = [
    lambda: io.BytesIO(data(300)).read() + data(300),
    lambda: [(x := io.BytesIO()), grow(lambda i: x.write(bytes(K)))],
    lambda: [(x := io.StringIO()), grow(lambda i: x.write('a' * K))],
    lambda: [(x := io.StringIO()), grow(lambda i: x.write('€' * K))],
    lambda: [(x := io.StringIO(text(200))), x.getvalue() + x.read()],
    lambda: [(x := io.BytesIO()), x.seek(900 * K), x.write(b'a')],
    lambda: [(x := io.StringIO()), x.seek(900 * K), x.write('a')],
    lambda: [(x := io.BytesIO()), x.truncate(HUGE)],
    lambda: io.BytesIO(b'\n' * (60 * K)).readlines(),
    lambda: io.StringIO('\n' * (30 * K)).readlines(),
    lambda: open('/dev/zero').read(),
    lambda: open('/dev/zero').readline(),
    lambda: open('/dev/zero').readlines(),
    lambda: next(open('/dev/zero')),
    lambda: open('/dev/zero', encoding='latin-1').readline(),
    lambda: open('/dev/zero', newline='\r\n').readline(),
    lambda: open('/dev/zero', encoding='utf-16').readline(),
    lambda: open('/dev/zero', 'rb').readline(),
    lambda: open('/dev/zero', 'rb').readlines(),
    lambda: open('/dev/zero', 'rb', 0).read(),
    lambda: open('/dev/zero', 'rb', 0).readall(),
    lambda: open('/dev/zero', 'rb').read(900 * K),
    lambda: open('/dev/zero', 'rb').read(HUGE),
    lambda: open('/dev/zero', 'rb', 0).read(HUGE),
    lambda: open('/dev/zero', 'rb', 0).read(900 * K),
    lambda: open('/dev/zero', 'rb').read1(HUGE),
    lambda: open('/dev/zero', 'rb').peek(HUGE),
    lambda: open('/dev/zero').read(900 * K),
    lambda: open('/dev/zero').read(HUGE),
    lambda: open('/dev/zero', 'rb', buffering=900 * K),
    lambda: open('/dev/zero', 'rb', buffering=sys.maxsize),
    lambda: io.BufferedReader(io.BytesIO(), HUGE),
    lambda: io.BufferedWriter(io.BytesIO(), HUGE),
    lambda: io.BufferedRandom(io.BytesIO(), HUGE),
    lambda: io.BufferedRWPair(io.BytesIO(), io.BytesIO(), HUGE),
    lambda: io.BufferedReader(Endless()).read(),
    lambda: io.BufferedReader(Generous()).read() + data(300),
    lambda: io.TextIOWrapper(Endless()).read(),
    lambda: io.TextIOWrapper(io.BufferedReader(Endless())).readline(),
    lambda: Endless().readall(),
    lambda: Endless().read(HUGE),
    lambda: Endless().read(900 * K),
    lambda: io.TextIOWrapper(io.BytesIO()).write(text(300)) + 1 and [(x := io.TextIOWrapper(io.BytesIO())), grow(lambda i: x.write('a' * K))],
    lambda: [(x := io.TextIOWrapper(io.BytesIO(), newline='\r\n')), x.write('\n' * (200 * K)), x.flush()],
    lambda: io.IncrementalNewlineDecoder(None, True).decode('\r\n' * (200 * K)) * 2,
    lambda: io.open_code('/dev/zero').read(),
    lambda: os.read(os.open('/dev/zero', 0), 900 * K),
    lambda: os.pread(os.open('/dev/zero', 0), 900 * K, 0),
    lambda: os.readv(os.open('/dev/zero', 0), [array_of(300), array_of(300)]),
    lambda: mmap.mmap(-1, 900 * K),
    lambda: mmap.mmap(-1, HUGE),
    lambda: [(x := mmap.mmap(-1, 300 * K)), x[:] + x.read()],
    lambda: mmap.mmap(-1, 300 * K).resize(900 * K),
    lambda: socket.socketpair()[0].recv(HUGE),
    lambda: socket.socketpair()[0].recv(900 * K),
    lambda: socket.socketpair()[0].recvfrom(900 * K),
    lambda: socket.socketpair()[0].recvmsg(900 * K, 900 * K),
    lambda: tempfile.SpooledTemporaryFile(max_size=HUGE).write(data(600)),
    lambda: select.epoll().poll(0, 2147483647),
    lambda: csv.reader(['a,' * (30 * K)]).__next__(),
    lambda: csv.writer(io.StringIO()).writerow([text(150)] * 3),
    lambda: list(csv.reader(endless('a,b,c'))),
    lambda: subprocess.run(['true', text(300)]),
    lambda: subprocess.run(['cat', '/dev/zero'], capture_output=True),
    lambda: os.environb.__setitem__(b'a', data(1)),
    lambda: os.path.join(*['a' * K] * 600),
    lambda: os.path.normpath('a/' * (100 * K)),
    lambda: os.fsencode(wide(200)),
    lambda: os.listdir('/' * (400 * K)),
]

FORMATS = [
    lambda: json.dumps(items(40)),
    lambda: json.dumps([1.5] * (30 * K)),
    lambda: json.dumps('\x00' * (100 * K)),
    lambda: json.dumps(wide(60)),
    lambda: json.dumps({str(i): i for i in range(2 * K)}, indent=1000),
    lambda: json.dumps([[1]] * K, indent=' ' * 1000),
    lambda: json.loads('"' + text(300) + '"') + text(300),
    lambda: json.loads('[' + '1,' * (60 * K) + '1]'),
    lambda: json.loads('[' + '{},' * (6 * K) + '1]'),
    lambda: json.loads('"' + '\\u20ac' * (50 * K) + '"'),
    lambda: json.loads(b'"' + b'a' * (300 * K) + b'"'),
    lambda: json.loads('1' * 4000 + 'e' + '1' * 1000),
    lambda: json.dump(endless(1), io.StringIO()),
    lambda: list(json.JSONEncoder(indent=1).iterencode([1] * (30 * K))),
    lambda: pickle.dumps(data(300)) + data(300),
    lambda: pickle.dumps(text(300)) + data(300),
    lambda: pickle.dumps(wide(100)),
    lambda: pickle.dumps(items(200)),
    lambda: pickle.dumps([i * 1.5 for i in range(10 * K)]),
    lambda: pickle.dumps([[i] for i in range(3 * K)]),
    lambda: pickle.dumps(number(300)),
    lambda: pickle.loads(pickle.dumps(data(200))) + data(300),
    lambda: pickle.loads(b'\x80\x04]' + b'(' + b'N' * (60 * K) + b'e.'),
    lambda: pickle.loads(b'\x80\x04' + b']' * (60 * K) + b'.'),
    lambda: pickle.loads(b'\x80\x04' + b'2' * K + b'N' * (100 * K) + b'.'),
    lambda: pickle.loads(b'\x80\x04N' + b'2' * (100 * K) + b'.'),
    lambda: pickle.loads(b'\x80\x05\x96' + struct.pack('<Q', HUGE)),
    lambda: pickle.loads(b'\x80\x04\x8e' + struct.pack('<Q', 1 << 40)),
    lambda: pickle.loads(b'\x80\x04\x8d' + struct.pack('<Q', 1 << 40)),
    lambda: pickle.loads(b'\x80\x04B' + struct.pack('<I', 4294967295)),
    lambda: pickle.loads(b'Nr\xff\xff\xff\x7f.'),
    lambda: pickle.loads(b'Nr\xff\xff\xff\xff.'),
    lambda: pickle.loads(b'\x80\x04N' + b'\x94' * (200 * K) + b'.'),
    lambda: pickle.loads(b'\x80\x04' + b'\x95' + struct.pack('<Q', 1 << 62)),
    lambda: pickle.load(type('F', (), {'read': lambda s, k: data(300) * 3, 'readline': lambda s: data(600)})()),
    lambda: pickle.loads(b'(' * (100 * K)),
    lambda: pickle.loads(b'\x8b\xff\xff\xff\x7f'),
    lambda: pickle.Pickler(type('F', (), {'write': lambda s, d: grow(lambda i: bytes(K))})()).dump(items(1)),
    lambda: pickle.dumps(items(30), protocol=0),
    lambda: marshal.dumps(data(300)) + data(300),
    lambda: marshal.dumps(text(300)) + data(300),
    lambda: marshal.dumps(items(300)),
    lambda: marshal.dumps(number(300)),
    lambda: marshal.loads(b'[\xff\xff\xff\x7f' + b'N' * (100 * K)),
    lambda: marshal.loads(b'(\xff\xff\xff\x7f' + b'N' * 100),
    lambda: marshal.loads(b'l\xff\xff\xff\x7f' + b'N' * 100),
    lambda: marshal.loads(b's\xff\xff\xff\x7f' + b'N' * 100),
    lambda: marshal.loads(b'<\xff\xff\xff\x7f' + b'N' * 100),
    lambda: marshal.loads(b'[' + struct.pack('<I', 60 * K) + b'N' * (60 * K)),
    lambda: marshal.loads(b'<' + struct.pack('<I', 30 * K) + b'i1234' * (30 * K)),
    lambda: marshal.load(type('F', (), {'read': lambda s, k=0: data(600), 'readinto': lambda s, v: 1})()),
    lambda: struct.pack('900000000x'),
    lambda: struct.pack('300000000s300000000s', b'', b'') + data(300),
    lambda: struct.unpack('60000000B', bytes(60000000)) * 2,
    lambda: struct.unpack('300000000s', bytes(300000000)) + (data(300),),
    lambda: struct.Struct('B' * (100 * K)),
    lambda: struct.Struct('1B' * (60 * K)),
    lambda: struct.Struct(f'{HUGE}x{HUGE}x{HUGE}x'),
    lambda: list(struct.iter_unpack('B', data(100))),
    lambda: struct.unpack(f'{30 * K}d', bytes(8 * 30 * K)),
    lambda: zlib.compress(data(600)),
    lambda: zlib.decompress(zlib.compress(data(1) * 200)) * 5,
    lambda: [(z := zlib.compress(data(250))), zlib.decompress(z * 1) + data(300)],
    lambda: [(o := zlib.compressobj()), grow(lambda i: o.compress(random.randbytes(K)))],
    lambda: zlib.decompressobj().decompress(b'', HUGE),
    lambda: zlib.decompressobj().flush(HUGE),
    lambda: zlib.compressobj(wbits=-15, memLevel=9) and grow(lambda i: zlib.compressobj()),
    lambda: grow(lambda i: zlib.decompressobj()),
    lambda: bz2.decompress(bz2.compress(bytes(10 * K)) * 60),
    lambda: bz2.compress(data(600)),
    lambda: grow(lambda i: bz2.BZ2Compressor()),
    lambda: grow(lambda i: bz2.BZ2Decompressor()),
    lambda: lzma.compress(bytes(K), preset=9),
    lambda: grow(lambda i: lzma.LZMACompressor()),
    lambda: lzma.compress(b'a', format=lzma.FORMAT_RAW, filters=[{'id': lzma.FILTER_LZMA2, 'dict_size': 1536 * K}]),
    lambda: lzma.decompress(lzma.compress(bytes(10 * K), preset=0) * 60),
    lambda: grow(lambda i: lzma.LZMADecompressor()),
    lambda: zstd.decompress(zstd.compress(bytes(10 * K)) * 60),
    lambda: zstd.compress(data(600)),
    lambda: grow(lambda i: zstd.ZstdCompressor()),
    lambda: grow(lambda i: zstd.ZstdDecompressor()),
    lambda: zstd.train_dict([b'abc'] * 10, HUGE),
    lambda: zstd.train_dict([bytes(K)] * 400, K),
    lambda: zstd.compress(b'a', options={zstd.CompressionParameter.window_log: 31, zstd.CompressionParameter.compression_level: 22}),
    lambda: hashlib.shake_128(b'').digest(900 * K),
    lambda: hashlib.shake_128(b'').hexdigest(300 * K),
    lambda: hashlib.pbkdf2_hmac('sha1', b'a', b'b', 1, 900 * K),
    lambda: hashlib.scrypt(b'a', salt=b'b', n=1 << 20, r=8, p=1, maxmem=2147483647),
    lambda: grow(lambda i: hashlib.md5()),
    lambda: grow(lambda i: hashlib.blake2b()),
    lambda: random.Random(number(100)) and grow(lambda i: random.Random(i)),
    lambda: re.findall('', text(60)),
    lambda: re.findall('a', text(60)),
    lambda: re.split('', text(60)),
    lambda: re.sub('', 'bb', text(60)),
    lambda: re.sub('a', 'bcd' * 100, text(30)),
    lambda: re.sub('a', lambda m: 'bcd' * 100, text(1)) * 9,
    lambda: re.compile('a' * (20 * K)),
    lambda: re.compile('(a)' * 99999),
    lambda: re.compile('|'.join(map(str, range(K)))),
    lambda: re.compile('[' + ''.join(map(chr, range(256, 1114112, 2))).replace('\\', '').replace(']', '') + ']') and grow(lambda i: [i]),
    lambda: re.match('(a|b)*c', text(100)),
    lambda: re.match('(?:a|b)*?c', text(100)),
    lambda: re.match('(a)*', text(100)),
    lambda: re.match('(?:(a)|b)*', text(60)),
    lambda: list(re.finditer('a', text(60))),
    lambda: re.match('a*', text(300)).group() + text(300),
    lambda: re.match('(a*)', text(200)).groups() * 90 and text(600),
    lambda: re.match('(a*)', text(200)).expand('\\1\\1\\1'),
    lambda: re.match('((a)|b)*+', text(60)),
    lambda: re.compile('a{1000}{1000}{1000}'),
    lambda: re.sub('(a)', '\\1' * 1000, text(2)),
]

CODE = [
    lambda: compile('a=1\n' * (10 * K), 'x', 'exec'),
    lambda: compile("'" + text(300) + "'", 'x', 'eval'),
    lambda: compile('[' + '1,' * (20 * K) + ']', 'x', 'eval'),
    lambda: ast.parse('a\n' * (5 * K)),
    lambda: ast.literal_eval('[' + '1,' * (5 * K) + ']'),
    lambda: ast.unparse(ast.Constant(text(300))),
    lambda: eval("'a' * 900000000 * 9"),
    lambda: eval('(' + '1+' * (5 * K) + '1)'),
    lambda: compile('x' * (300 * K), 'x', 'eval'),
    lambda: compile(b'a=1\n' * (50 * K), 'x', 'exec'),
    lambda: compile('#' + text(600), 'x', 'exec'),
    lambda: compile('\n' * (300 * K), 'x', 'exec'),
    lambda: compile("f'" + '{a}' * (3 * K) + "'", 'x', 'eval'),
    lambda: compile("'a'" * (30 * K), 'x', 'eval'),
    lambda: compile('{' + '1:2,' * (5 * K) + '}', 'x', 'eval'),
    lambda: compile('f(' + 'a,' * (5 * K) + ')', 'x', 'eval'),
    lambda: compile('def f(' + ','.join((f'a{i}' for i in range(3 * K))) + '):0', 'x', 'exec'),
    lambda: compile('import ' + ','.join((f'a{i}' for i in range(3 * K))), 'x', 'exec'),
    lambda: compile(';'.join(['def f():0'] * (2 * K)), 'x', 'exec'),
    lambda: compile('1' * (300 * K), 'x', 'eval'),
    lambda: compile('0x' + '1' * (300 * K), 'x', 'eval'),
    lambda: compile("'\\x00'" * (30 * K), 'x', 'eval'),
    lambda: compile('a' * 10 + '.' + '.'.join('b' * (10 * K)), 'x', 'eval'),
    lambda: compile('x = ' + 'a if b else ' * 50000 + 'c', 'x', 'exec'),
    lambda: dis.Bytecode(compile('a=1\n' * 200000, 'x', 'exec')).dis() * 900,
    lambda: types.CodeType and (lambda: 0).__code__.replace(co_code=data(300)),
    lambda: (lambda: 0).__code__.replace(co_nlocals=2147483647),
    lambda: (lambda: 0).__code__.replace(co_stacksize=2147483647),
    lambda: (lambda: 0).__code__.replace(co_stacksize=2147483000),
    lambda: exec((lambda: 0).__code__.replace(co_stacksize=100 * K)),
    lambda: grow(lambda i: compile('a', 'x', 'eval')),
    lambda: grow(lambda i: eval('lambda: 0')),
    lambda: grow(lambda i: sys._getframe()),
    lambda: grow(lambda i: types.FunctionType((lambda: 0).__code__, {})),
    lambda: grow(lambda i: types.ModuleType('a')),
    lambda: grow(lambda i: type('C', (), {})),
    lambda: grow(lambda i: enum.Enum('E', 'A B')),
    lambda: ElementTree.fromstring('<a>' + '<b/>' * (5 * K) + '</a>'),
    lambda: ElementTree.fromstring('<a>' + text(300) + '</a>'),
    lambda: ElementTree.fromstring("<a b='" + text(300) + "'/>"),
    lambda: ElementTree.tostring(ElementTree.fromstring('<a>' + '<b/>' * K + '</a>')) * 100,
    lambda: ElementTree.fromstring('<!DOCTYPE a [' + ''.join((f"<!ENTITY e{i} '{('&e%d;' % (i - 1) * 10 if i else 'x' * 100)}'>" for i in range(12))) + ']><a>&e11;</a>'),
    lambda: [(e := ElementTree.Element('a')), grow(lambda i: ElementTree.SubElement(e, 'b'))],
    lambda: grow(lambda i: ElementTree.XMLParser()),
    lambda: [(p := ElementTree.XMLPullParser()), p.feed('<a>'), grow(lambda i: p.feed('<b/>' * 1000))],
    lambda: sqlite3.connect(':memory:').execute('select zeroblob(900000000)').fetchall(),
    lambda: sqlite3.connect(':memory:').execute('select randomblob(400000000) || randomblob(400000000)').fetchall(),
    lambda: sqlite3.connect(':memory:').execute('select ?', (text(400),)).fetchall(),
    lambda: sqlite3.connect(':memory:').execute('select ?', (data(400),)).fetchall(),
    lambda: sqlite3.connect(':memory:').execute('select hex(?)', (data(300),)).fetchall(),
    lambda: [(c := sqlite3.connect(':memory:')), c.execute('create table t(a)'), c.executemany('insert into t values(?)', endless((bytes(K),)))],
    lambda: [(c := sqlite3.connect(':memory:')), c.execute('create table t(a)'), c.execute('insert into t values(zeroblob(400000000))'), c.serialize() + c.serialize()],
    lambda: grow(lambda i: sqlite3.connect(':memory:')),
    lambda: [(c := sqlite3.connect(':memory:')), grow(lambda i: c.execute('select 1'))],
    lambda: [(c := sqlite3.connect(':memory:')), c.create_function('f', 0, lambda: grow(lambda i: bytes(K))), c.execute('select f()').fetchall()],
    lambda: [(c := sqlite3.connect(':memory:')), c.create_function('f', 0, lambda: data(400)), c.execute('select f(), f()').fetchall()],
    lambda: sqlite3.connect(':memory:').executescript('select 1;' * (30 * K)),
    lambda: '\n'.join(sqlite3.connect(':memory:').iterdump()) * HUGE,
    lambda: grow(lambda i: threading.Thread(target=threading.Event().wait, daemon=True).start()),
    lambda: grow(lambda i: threading.Lock()),
    lambda: grow(lambda i: threading.local()),
    lambda: [(t := threading.Thread(target=lambda: grow(lambda i: bytes(K)))), t.start(), t.join(), grow(lambda i: [i])],
    lambda: (ctypes.c_char * (900 * K))(),
    lambda: (ctypes.c_char * HUGE)(),
    lambda: ctypes.create_string_buffer(900 * K),
    lambda: ctypes.string_at(ctypes.create_string_buffer(300 * K), 300 * K) * 2,
    lambda: ctypes.resize(ctypes.c_int(1), 900 * K),
    lambda: ctypes.resize(ctypes.c_int(1), HUGE),
    lambda: grow(lambda i: ctypes.c_char * i),
    lambda: grow(lambda i: type('S', (ctypes.Structure,), {'_fields_': [('a', ctypes.c_int)]})),
    lambda: grow(lambda i: ctypes.CFUNCTYPE(None)(print)),
    lambda: ctypes.create_unicode_buffer(300 * K),
    lambda: traceback.format_exception(ValueError(text(200))) * 90,
    lambda: str(ValueError(text(200))) + repr(ValueError(text(200))),
    lambda: inspect.signature(eval('lambda ' + ','.join((f'a{i}' for i in range(100000))) + ':0')) and grow(lambda i: [i]),
    lambda: pprint.pformat(items(3)),
    lambda: difflib.ndiff(['a'] * 10, ['b'] * 10) and grow(lambda i: difflib.SequenceMatcher(None, 'a', 'b')),
    lambda: reprlib.repr(text(300)) and text(900),
    lambda: email.message_from_string('a: b\n' * (3 * K)),
    lambda: locale.strxfrm(text(300)),
    lambda: datetime.datetime.now().strftime('%Y' * (100 * K)),
    lambda: time.strftime('%Y' * (100 * K)),
    lambda: list(itertools.product(range(1000), repeat=3)),
    lambda: itertools.product(range(10 ** 8), repeat=2),
    lambda: itertools.product(*[range(10)] * (10 * K)),
    lambda: itertools.combinations(range(HUGE), 2),
    lambda: itertools.combinations(range(100 * K), 2),
    lambda: itertools.combinations([1] * 10, HUGE),
    lambda: itertools.combinations([1] * 10, 400 * K),
    lambda: itertools.permutations([1] * 10, 400 * K),
    lambda: itertools.permutations(range(60 * K)),
    lambda: itertools.combinations_with_replacement([1] * 10, 400 * K),
    lambda: itertools.tee([], HUGE),
    lambda: itertools.tee([], 10 * K),
    lambda: itertools.batched([1], HUGE).__next__() and list(itertools.batched(endless(1), 100 * K)),
    lambda: list(itertools.accumulate(endless([1]))),
    lambda: list(itertools.cycle(range(10))),
    lambda: list(itertools.cycle(range(HUGE))),
    lambda: list(itertools.zip_longest(*[endless(1)] * 100)),
    lambda: list(itertools.groupby(itertools.count())),
    lambda: list(itertools.islice(itertools.count(), HUGE)),
    lambda: itertools.starmap(print, endless(endless(1))).__next__(),
    lambda: list(itertools.pairwise(itertools.count())),
    lambda: list(itertools.compress(endless(1), endless(1))),
    lambda: sys.intern(text(300)) + text(300),
    lambda: sys.setswitchinterval(0.005) or (sys._current_frames() and grow(lambda i: sys.exc_info())),
    lambda: glob.glob('*' * (100 * K)),
    lambda: fnmatch.translate('*' * (30 * K)),
    lambda: fnmatch.translate('[a]' * (30 * K)),
]

for group in (TEXTS, BYTES, CONTAINERS, NUMBERS, STREAMS, FORMATS, CODE):
    for function in group:
        with open("/proc/self/statm") as file:
            limit = int(file.read().split()[0]) * resource.getpagesize() + (64 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
        try:
            attempt(f"line {function.__code__.co_firstlineno}", function)
            # What could not say that there was no memory left has it said at the next safepoint, such as a call.
            len(group)
        except MemoryError:
            pass
