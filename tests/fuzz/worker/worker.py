"""Makes inputs and runs them, in forked processes so that each begins from the same state.

    worker.py run TARGET FIRST COUNT      inputs FIRST, FIRST+1, ... (COUNT 0: without end)
    worker.py replay TARGET FILE...       saved inputs, in this process
    worker.py show TARGET NUMBER          an input on the standard output

`taipan-fuzz` starts this in an empty directory. Each batch of inputs is a process; the file `current` has the number and
the text of the input that it is at, `stderr` what it wrote. After a batch there is a line on the standard output: the number
behind the batch, how many inputs were cut short, and the batch's wait status; if that is not 0, a byte is awaited. An input depends on its number alone.
"""

import gc
import io
import os
import random
import signal
import sys
import warnings

import code_target
import confinement
import marshal_target
import programs
import source_target

TARGETS = {"source": source_target, "marshal": marshal_target, "code": code_target}
BATCH = 20
# Of processor time, for a batch.
CPU_SECONDS = 10
MEMORY = 4 << 30
TIME_LIMIT = 0.15
STEP_LIMIT = 30_000
TOOL = 3


class Stop(BaseException):
    """An input has had its steps, or its time."""


class Limits:
    """Cuts an input short: after a number of instructions, or, running as it does otherwise, after a time."""

    def __init__(self):
        self.cut = 0
        self.steps = 0
        self.setitimer = signal.setitimer
        signal.signal(signal.SIGALRM, self.alarm)
        self.monitoring = sys.monitoring
        self.events = sys.monitoring.events.INSTRUCTION
        self.on = False

    def alarm(self, number, frame):
        self.cut += 1
        raise Stop

    def instruction(self, code, offset):
        self.steps += 1
        # Not on the way out of here.
        if self.steps > STEP_LIMIT and self.on and code.co_filename != __file__:
            self.cut += self.steps == STEP_LIMIT + 1
            raise Stop

    def start(self, counted):
        self.steps = 0
        if counted:
            self.on = True
            self.monitoring.use_tool_id(TOOL, "fuzz")
            self.monitoring.register_callback(TOOL, self.events, self.instruction)
            self.monitoring.set_events(TOOL, self.events)
        self.setitimer(signal.ITIMER_REAL, TIME_LIMIT * (20 if counted else 1), TIME_LIMIT)

    def stop(self):
        self.setitimer(signal.ITIMER_REAL, 0, 0)
        if self.on:
            self.on = False
            self.monitoring.free_tool_id(TOOL)


def generate(target, number):
    return target.generate(random.Random(f"{number}"))


def execute(target, limits, data):
    """Runs one input. Whether its instructions are counted depends on its text, so that a replay does the same."""
    counted = sum(data) % 4 == 0
    sys.setrecursionlimit(1000)
    try:
        try:
            limits.start(counted)
            target.execute(data)
        finally:
            limits.stop()
    except (Exception, Stop, SystemExit, KeyboardInterrupt, GeneratorExit) as error:
        return error.with_traceback(None)
    finally:
        limits.stop()


def batch(target, first, count):
    """In the forked process."""
    write, seek, truncate, leave = os.write, os.lseek, os.ftruncate, os._exit
    current = os.open("current", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    errors = os.open("stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    os.dup2(errors, 2)
    for descriptor in (0, 1):
        os.dup2(os.open("/dev/null", os.O_RDWR), descriptor)
    counts = os.open("cut", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    limits = Limits()
    confinement.limit_resources(CPU_SECONDS, MEMORY)
    inputs = [(number, generate(target, number)) for number in range(first, first + count)]
    confinement.confine()
    for number, data in inputs:
        truncate(current, 0)
        seek(current, 0, 0)
        write(current, b"%d\n" % number + data)
        execute(target, limits, data)
        if limits.cut:
            seek(counts, 0, 0)
            write(counts, b"%d" % limits.cut)
    sys.stdout = sys.stderr = io.StringIO()
    if first // BATCH % 4:
        leave(0)
    # The others take the way out, with all that the inputs have left.


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def run(target, first, count):
    end = first + count if count else sys.maxsize
    output = os.dup(1)
    gc.collect()
    gc.freeze()
    while first < end:
        size = min(BATCH, end - first)
        process = os.fork()
        if process == 0:
            batch(target, first, size)
            return
        status = os.waitpid(process, 0)[1]
        following = first + size
        if status:
            number = read("current").partition(b"\n")[0]
            following = int(number) + 1 if number else following
        os.write(output, b"%d %d %d\n" % (following, int(read("cut") or 0), status))
        if status:
            # Until the files have been read.
            os.read(0, 1)
        for name in os.listdir():
            if name not in ("current", "stderr", "cut", "worker"):
                confinement.remove(name)
        first = following


def main():
    mode, name, *arguments = sys.argv[1:]
    target = TARGETS[name]
    warnings.simplefilter("ignore")
    if mode == "replay":
        list(programs.import_all())
    else:
        target.prepare(os.environ.get("TAIPAN_FUZZ_CORPUS", ""))
    if mode == "run":
        run(target, int(arguments[0]), int(arguments[1]))
    elif mode == "show":
        sys.stdout.buffer.write(generate(target, int(arguments[0])))
    else:
        limits = Limits()
        inputs = [read(path) for path in arguments]
        confinement.limit_resources(CPU_SECONDS, MEMORY)
        confinement.confine()
        for data in inputs:
            outcome = execute(target, limits, data)
            print(f"{type(outcome).__name__}: {outcome!s:.200}" if outcome else "done", flush=True)


if __name__ == "__main__":
    main()
