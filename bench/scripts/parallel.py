"""What a second thread gives, and what the machine would give: programs that two threads run side by side.

    parallel.py [-r ROUNDS] [NAME...]

Each program does its work once in one thread, then once in each of two threads at the same time, then once in each of two
processes. Printed are milliseconds, the least of ROUNDS (3 if it is not given), and two ratios: how much faster the work of two
is done by two threads than by one after the other, and the same for two processes, which share nothing: that is what the
machine can give.
"""

import gc
import json
import os
import queue
import random
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor


def numeric():
    total = 0
    x = 0.5
    for i in range(6_000_000):
        total += i * 3 % 7
        x = x * 3.7 * (1.0 - x)
    return total, x


def calls():
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    return fibonacci(29)


class Particle:
    def __init__(self, x, y):
        self.x = x
        self.y = y
        self.speed_x = 0.0
        self.speed_y = 0.0

    def pull(self, other):
        dx = other.x - self.x
        dy = other.y - self.y
        force = 1.0 / (dx * dx + dy * dy + 0.01)
        self.speed_x += dx * force
        self.speed_y += dy * force

    def move(self, step):
        self.x += self.speed_x * step
        self.y += self.speed_y * step


def simulation():
    particles = [Particle(float(i), float(i * i % 17)) for i in range(30)]
    for _ in range(700):
        for one in particles:
            for other in particles:
                if other is not one:
                    one.pull(other)
        for particle in particles:
            particle.move(0.001)
    return particles[0].x


def strings():
    parts = []
    for i in range(900_000):
        parts.append(f"item {i}".upper().replace("ITEM", "thing"))
    return len(",".join(parts))


WORDS = random.Random(1).choices("alpha beta gamma delta epsilon zeta eta theta iota kappa".split(), k=400_000)


def counting():
    counts = {}
    for _ in range(15):
        for word in WORDS:
            counts[word] = counts.get(word, 0) + 1
    return counts


TEXT = " ".join(f"name{i}@host{i % 97}.example.org and {i}" for i in range(200_000))
PATTERN = re.compile(r"(\w+)@(\w+)\.example\.(?:org|com)")


def regex():
    return sum(len(match.group(1)) for match in PATTERN.finditer(TEXT))


DOCUMENT = json.dumps([{"id": i, "name": f"name {i}", "tags": ["a", "b", str(i)], "value": i / 7} for i in range(6_000)])


def parsing():
    return sum(len(json.loads(DOCUMENT)) for _ in range(20))


def sorting():
    source = random.Random(2)
    numbers = [source.random() for _ in range(500_000)]
    numbers.sort()
    words = [str(number) for number in numbers]
    words.sort()
    return words[0]


TABLE = {i: i * i for i in range(10_000)}


def reading():
    table = TABLE
    total = 0
    for i in range(5_000_000):
        total += table[i % 10_000]
    return total


def generators():
    def numbers(n):
        for i in range(n):
            yield i

    return sum(i for i in numbers(4_000_000) if i % 3)


JOBS = queue.SimpleQueue()


def prepare_jobs():
    for i in range(200_000):
        JOBS.put(i)


def working():
    """Takes jobs from a queue that all share."""
    total = 0
    for _ in range(200_000):
        job = JOBS.get()
        for i in range(40):
            total += job * i
    return total


class Counter:
    def __init__(self):
        self.lock = threading.Lock()
        self.value = 0


COUNTER = Counter()


def locked():
    counter = COUNTER
    for i in range(500_000):
        local = 0
        for k in range(20):
            local += k
        with counter.lock:
            counter.value += local


APPENDED = []


def appending():
    append_to = APPENDED
    for i in range(500_000):
        local = 0
        for k in range(20):
            local += k
        append_to.append(local)


def tree():
    def build(depth):
        return None if depth == 0 else (build(depth - 1), depth, build(depth - 1))

    def total(node):
        return 0 if node is None else total(node[0]) + node[1] + total(node[2])

    return sum(total(build(13)) for _ in range(40))


def closures():
    def adder(n):
        return lambda x: x + n

    adders = [adder(i) for i in range(50)]
    total = 0
    for _ in range(100_000):
        for add in adders:
            total = add(total) & 0xFFFF
    return total


def pooled():
    """Runs as one task; the measure takes two at a time."""
    total = 0
    for i in range(8_000_000):
        total += i & 15
    return total


PROGRAMS = {
    function.__name__: function
    for function in (
        numeric, calls, simulation, strings, counting, regex, parsing, sorting, reading, generators, tree, closures,
        working, locked, appending, pooled,
    )
}


def in_threads(function, count):
    if function is pooled:
        with ThreadPoolExecutor(count) as pool:
            start = time.perf_counter()
            list(pool.map(lambda _: function(), range(count)))
            return time.perf_counter() - start
    threads = [threading.Thread(target=function) for _ in range(count)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def in_processes(function, count):
    start = time.perf_counter()
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            in_threads(function, 1)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    return time.perf_counter() - start


def measure(function, rounds):
    """The least times of one thread, of two threads and of two processes."""
    times = ([], [], [])
    for _ in range(rounds):
        for taken, run, count in zip(times, (in_threads, in_threads, in_processes), (1, 2, 2)):
            APPENDED.clear()
            if function is working:
                # Two processes have a queue each.
                for _ in range(count if run is in_threads else 1):
                    prepare_jobs()
            gc.collect()
            taken.append(run(function, count))
            while not JOBS.empty():
                JOBS.get()
    return [min(taken) for taken in times]


def main():
    arguments = sys.argv[1:]
    rounds = 3
    if arguments[:1] == ["-r"]:
        rounds = int(arguments[1])
        del arguments[:2]
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(f"{sys.implementation.name}, GIL {'on' if gil else 'off'}, {os.cpu_count()} processors")
    print(f"{'program':12} {'one':>8} {'two':>8} {'processes':>10} {'threads':>8} {'machine':>8}")
    product, count = 1.0, 0
    for name, function in PROGRAMS.items():
        if arguments and name not in arguments:
            continue
        one, two, processes = measure(function, rounds)
        product *= 2 * one / two
        count += 1
        print(
            f"{name:12} {one * 1000:8.1f} {two * 1000:8.1f} {processes * 1000:10.1f} {2 * one / two:8.2f} {2 * one / processes:8.2f}",
            flush=True,
        )
    print(f"geometric mean of {count}: {product ** (1 / count):.2f}")


if __name__ == "__main__":
    main()
