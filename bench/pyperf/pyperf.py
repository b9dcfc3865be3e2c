"""A stand-in for the package `pyperf`: enough of `Runner` for the scripts of `pyperformance`, in one process.

A benchmark is calibrated to run for at least --min-time, run --warmups times, and measured --values times. For each
benchmark a line `pyperf-result NAME SECONDS ...` is printed, with the seconds of one loop, besides a line for people.
"""

import argparse
import platform
import subprocess
import sys
import time

perf_counter = time.perf_counter
VERSION = (0, 0)


def python_implementation():
    return sys.implementation.name.lower()


def python_has_jit():
    return python_implementation() == "pypy"


class Benchmark:
    def __init__(self, name, values):
        self._name, self._values = name, tuple(values)

    def get_name(self):
        return self._name

    def get_values(self):
        return self._values

    def mean(self):
        return sum(self._values) / len(self._values)

    def median(self):
        ordered = sorted(self._values)
        middle = len(ordered) // 2
        return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


class Runner:
    def __init__(self, values=None, processes=None, warmups=None, loops=0, min_time=0.1, add_cmdline_args=None,
                 program_args=None, show_name=True, metadata=None, **ignored):
        self.metadata = dict(metadata or {})
        self.args = None
        self.argparser = parser = argparse.ArgumentParser()
        parser.add_argument("--values", "-n", type=int, default=3, help="how many values to measure")
        parser.add_argument("--warmups", "-w", type=int, default=1, help="how many values to drop before them")
        parser.add_argument("--loops", "-l", type=int, default=loops, help="loops for a value (0: calibrate)")
        parser.add_argument("--min-time", type=float, default=min_time, help="seconds that a value takes at least")
        parser.add_argument("--quiet", "-q", action="store_true")

    def parse_args(self, args=None):
        self.args = self.argparser.parse_args(args)
        return self.args

    def bench_time_func(self, name, time_func, *args, inner_loops=None, metadata=None):
        """`time_func(loops, *args)` returns the seconds that `loops` loops took."""
        return self._measure(name, lambda loops: time_func(loops, *args), inner_loops)

    def bench_func(self, name, func, *args, inner_loops=None, metadata=None):
        def run(loops):
            repeat = range(loops)
            begun = perf_counter()
            for _ in repeat:
                func(*args)
            return perf_counter() - begun

        return self._measure(name, run, inner_loops)

    def bench_async_func(self, name, func, *args, inner_loops=None, metadata=None, loop_factory=None):
        import asyncio

        async def loop(loops):
            repeat = range(loops)
            begun = perf_counter()
            for _ in repeat:
                await func(*args)
            return perf_counter() - begun

        def run(loops):
            if loop_factory is None:
                return asyncio.run(loop(loops))
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                return runner.run(loop(loops))

        return self._measure(name, run, inner_loops)

    def bench_command(self, name, command):
        def run(loops):
            begun = perf_counter()
            for _ in range(loops):
                subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
            return perf_counter() - begun

        return self._measure(name, run, None)

    def timeit(self, name, stmt=None, setup="pass", teardown="pass", inner_loops=None, duplicate=None, metadata=None,
               globals=None):
        import timeit

        timer = timeit.Timer(stmt if stmt is not None else name, setup, globals=globals)
        return self._measure(name, timer.timeit, inner_loops)

    def _measure(self, name, run, inner_loops):
        if self.args is None:
            self.parse_args()
        options = self.args
        loops = options.loops
        if loops < 1:
            loops = 1
            while (seconds := run(loops)) < options.min_time and loops < 1 << 30:
                loops = max(loops * 2, int(loops * options.min_time / max(seconds, 1e-9)))
        for _ in range(options.warmups):
            run(loops)
        scale = loops * (inner_loops or 1)
        result = Benchmark(name, [run(loops) / scale for _ in range(max(options.values, 1))])
        print("pyperf-result", name.replace(" ", "_"), *map(repr, result.get_values()))
        if not options.quiet:
            print(f"{name}: Mean +- {self._spread(result)}, {platform.python_implementation()}", flush=True)
        return result

    @staticmethod
    def _spread(result):
        mean = result.mean()
        values = result.get_values()
        deviation = (sum((value - mean) ** 2 for value in values) / max(len(values) - 1, 1)) ** 0.5
        for scale, unit in ((1, "sec"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")):
            if mean >= scale:
                break
        return f"std dev: {mean / scale:.3g} {unit} +- {deviation / scale:.2g} {unit}"
