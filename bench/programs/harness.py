"""What every benchmark program ends with: `run(work)` calls `work()` until enough time has passed, and prints each time.

    program.py [MIN_SECONDS [MIN_CALLS]]

`work` returns a value that must be the same in every call and on every interpreter.
"""

import sys
import time


def run(work):
    min_seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    min_calls = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    clock = time.perf_counter
    times = []
    begun = clock()
    first = None
    while len(times) < min_calls or clock() - begun < min_seconds:
        before = clock()
        result = work()
        times.append(clock() - before)
        if first is None:
            first = result
        elif result != first:
            raise SystemExit("results differ: %r, then %r" % (first, result))
    print("check", repr(first))
    print("times", *["%.9f" % seconds for seconds in times])
