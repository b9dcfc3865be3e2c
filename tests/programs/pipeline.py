"""Text processing by generators: sources, filters and sinks connected like a shell's pipes."""

import bisect
import contextlib
import heapq
import io
import itertools
import operator
import re
import textwrap
import unicodedata
from collections import Counter, deque

TEXT = """\
The quick brown fox jumps over the lazy dog. The dog, being lazy, did not mind; it slept.

"Why," asked the fox -- who was quick -- "do you never jump?"  The dog opened one eye.
'Jumping,' it said, 'is for foxes.'  And so the fox jumped: over the dog, over the log,
over the bog (which was wet), and over 1,024 frogs in 3.5 minutes.

Naïve café-goers in Zürich saw it all.  Ελληνικά too, and 日本語.
The end of the tale?  Not quite; the fox came back.  The dog slept.  The fox slept too.
"""

LOG = """\
2024-03-01T10:00:00 web1 GET /index.html 200 512
2024-03-01T10:00:01 web2 GET /login 200 128
2024-03-01T10:00:01 web1 POST /login 302 0
garbage that nobody can parse
2024-03-01T10:00:03 web1 GET /home 200 2048
2024-03-01T10:00:04 web2 GET /missing 404 64
2024-03-01T10:00:09 web2 GET /index.html 200 512
2024-03-01T10:00:10 web1 GET /boom 500 32
2024-03-01T10:00:10 web2 GET /boom 500 32
"""


class Pipe:
    """`source | stage | stage` for functions from iterables to iterables."""

    def __init__(self, items):
        self.items = items

    def __or__(self, stage):
        return Pipe(stage(self.items))

    def __gt__(self, sink):
        return sink(self.items)

    def __iter__(self):
        return iter(self.items)


def stage(function):
    def configure(*args, **kwargs):
        return lambda items: function(items, *args, **kwargs)
    return configure


@stage
def grep(items, pattern, invert=False):
    matcher = re.compile(pattern)
    for item in items:
        if bool(matcher.search(item)) is not invert:
            yield item


@stage
def words(lines):
    for line in lines:
        yield from re.findall(r"[^\W\d_]+(?:[-'][^\W\d_]+)*", line)


@stage
def each(items, function):
    return map(function, items)


@stage
def uniq(items, count=False):
    for value, group in itertools.groupby(items):
        yield (sum(1 for _ in group), value) if count else value


@stage
def window(items, size):
    items = iter(items)
    buffer = deque(itertools.islice(items, size), maxlen=size)
    if len(buffer) == size:
        yield tuple(buffer)
    for item in items:
        buffer.append(item)
        yield tuple(buffer)


@stage
def tee(items, sink):
    for item in items:
        sink(item)
        yield item


@stage
def external_sort(items, run=8):
    """Sorts in runs, and merges the runs."""
    items = iter(items)
    runs = []
    while chunk := sorted(itertools.islice(items, run)):
        runs.append(chunk)
    return heapq.merge(*runs)


def coroutine(function):
    def start(*args):
        generator = function(*args)
        next(generator)
        return generator
    return start


@coroutine
def average():
    total = count = 0
    value = None
    while True:
        value = yield total / count if count else None
        if value is None:
            return
        total += value
        count += 1


@coroutine
def split_by(function, sinks):
    counts = Counter()
    try:
        while True:
            item = yield counts
            key = function(item)
            counts[key] += 1
            sinks[key].append(item)
    except GeneratorExit:
        for key in sinks:
            sinks[key].append("<end>")
        raise


def parse(lines):
    for number, line in enumerate(lines, 1):
        try:
            time, host, method, path, status, size = line.split()
        except ValueError as error:
            got = yield ("bad", number, str(error))
            assert got is None
            continue
        yield ("ok", time[11:], host, method, path, int(status), int(size))


def chunks_of_file(text, size):
    with io.StringIO(text) as file, contextlib.closing(file):
        yield from iter(lambda: file.read(size), "")


def lines_of(chunks):
    rest = ""
    for chunk in chunks:
        *full, rest = (rest + chunk).split("\n")
        yield from full
    if rest:
        yield rest


def flatten(tree):
    for node in tree:
        if isinstance(node, (list, tuple)):
            yield from flatten(node)
        else:
            yield node


def deaccent(text):
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def kwic(lines, keyword, width=24):
    text = " ".join(" ".join(lines).split())
    for found in re.finditer(rf"\b{keyword}\w*", text, re.IGNORECASE):
        left = text[max(0, found.start() - width):found.start()]
        right = text[found.end():found.end() + width]
        yield f"{left:>{width}}[{found.group()}]{right}"


def main():
    lines = list(lines_of(chunks_of_file(TEXT, 7)))
    print(lines == TEXT.splitlines(), len(lines), [len(line) for line in lines])

    seen = []
    counts = Pipe(lines) | words() | each(str.lower) | tee(seen.append) | external_sort() | uniq(count=True)
    top = heapq.nsmallest(8, counts, key=lambda pair: (-pair[0], pair[1]))
    print(len(seen), top)
    print(Counter(seen).most_common(3), Counter(map(len, seen)).total())

    bigrams = Pipe(seen) | window(2) | each(" ".join) > Counter
    print(sorted(bigrams.items(), key=lambda pair: (-pair[1], pair[0]))[:5])
    print(*(Pipe(lines) | grep("fox") | grep("quick", invert=True) | each(lambda line: line[:40])), sep="\n")
    print([deaccent(word) for word in seen if not word.isascii()], [unicodedata.name(c) for c in "ïü語"])
    print(*kwic(lines, "jump"), sep="\n")

    running = average()
    print([running.send(len(line)) for line in lines if line])
    try:
        running.send(None)
    except StopIteration as stop:
        print("stopped with", stop.value)

    sinks = {"vowel": [], "consonant": []}
    splitter = split_by(lambda word: "vowel" if word[0] in "aeiou" else "consonant", sinks)
    for word in seen[:12]:
        counted = splitter.send(word)
    splitter.close()
    print(dict(counted), sinks)

    records = list(parse(LOG.splitlines()))
    good = [record[1:] for record in records if record[0] == "ok"]
    print([record for record in records if record[0] == "bad"])
    by_host = operator.itemgetter(1)
    for host, group in itertools.groupby(sorted(good, key=by_host), by_host):
        group = list(group)
        print(host, len(group), sum(record[5] for record in group), [f"{r[2]} {r[3]}" for r in group if r[4] >= 400])
    times = [record[0] for record in good]
    print("before 10:00:04:", bisect.bisect(times, "10:00:04"), "of", len(times))
    total = itertools.accumulate(record[5] for record in good)
    print("running bytes", list(total), list(itertools.pairwise("abcd")), list(itertools.batched("abcdefg", 3)))

    print(list(flatten([1, [2, (3, [4, [5]])], [], 6])), list(itertools.compress("abcdef", [1, 0, 1, 0, 1, 1])))
    print(textwrap.fill(" ".join(lines), 60, initial_indent="* ", subsequent_indent="  ", max_lines=4))
    print(textwrap.indent(textwrap.dedent("\n    a\n      b\n    c"), "> "), textwrap.shorten(TEXT, 50))
    table = str.maketrans({"a": "4", "e": "3", "o": None, "t": "+"})
    print(lines[0].translate(table), lines[0].title().swapcase(), lines[0].partition(","), sep="\n")
    print(re.sub(r"(\w+) (\w+)", lambda m: f"{m[2]} {m[1]}", "one two three four"), re.split(r"\s*[,;]\s*", "a , b;c ,d"))
    print(re.sub(r"(?P<y>\d{4})-(?P<m>\d\d)", r"\g<m>/\g<y>", "2024-03 and 1999-12"), "%-8s|%+.2e|%#x" % ("left", 12345.678, 255))

    def numbered():
        try:
            received = yield "ready"
            while True:
                received = yield f"got {received!r}"
        except ValueError as error:
            yield f"handled {error}"
        finally:
            print("cleaned up")

    generator = numbered()
    print(next(generator), generator.send(1), generator.throw(ValueError("bad")), next(generator, "over"))
    print((lambda: (yield))().__next__(), sum(x * x for x in range(10) if x % 2), {k: v for k, v in zip("ab", itertools.count())})


main()
