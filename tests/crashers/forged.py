"""Code objects that no compiler makes, and arguments that functions of the runtime's own do not expect."""

import gc
import io
import sys
import threading
import time
import types
from opcode import opmap

from attempts import attempt, raises


def forge(*instructions, **changes):
    """A function of these instructions: (name, oparg), without the caches behind them."""
    units = bytes(number for name, oparg in instructions for number in (opmap[name], oparg))
    code = (lambda: 0).__code__
    changes = {"co_consts": (None, 1), "co_stacksize": 10, "co_exceptiontable": b"", **changes}
    return types.FunctionType(code.replace(co_code=units, **changes), globals(), "forged")


# The result is a copy of what else is on the stack.
made = forge(("RESUME", 0), ("BUILD_LIST", 0), ("COPY", 1), ("RETURN_VALUE", 0))
kept = [attempt("a copy is returned", made) for _ in range(1000)]
gc.collect()
if any(type(each) is not list for each in kept):
    raise AssertionError("a list expected")
del kept

# What is no exception is handled.
for handled in (1, None, [], ValueError, "a"):
    changes = {"co_consts": (None, handled)}
    start = ("RESUME", 0), ("LOAD_CONST", 1), ("PUSH_EXC_INFO", 0)
    for rest in (
        [("LOAD_CONST", 0), ("GET_ITER", 0), ("RETURN_VALUE", 0)],
        [("RERAISE", 0)],
        [("RAISE_VARARGS", 0)],
        [("POP_EXCEPT", 0), ("POP_EXCEPT", 0), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)],
        [("LOAD_CONST", 1), ("CHECK_EXC_MATCH", 0), ("RETURN_VALUE", 0)],
        [("LOAD_CONST", 1), ("CHECK_EG_MATCH", 0), ("RETURN_VALUE", 0)],
        [("LOAD_CONST", 0), ("RETURN_VALUE", 0)],
    ):
        function = attempt("forged", forge, *start, *rest, **changes)
        attempt(f"{handled!r} is handled", function)
        attempt("and what follows", lambda: 1 / 0)
        attempt("and what is handled", sys.exc_info)


class Splitting(ExceptionGroup):
    def split(self, condition):
        return 1, 2


def split():
    try:
        raise Splitting("a", [ValueError()])
    except* KeyError:
        1 / 0


attempt("split into what is no exception", split)

# Hooks for exceptions, without one.
kept, sys.stderr = sys.stderr, io.StringIO()
for value in (1, None, "a", ValueError, []):
    attempt("excepthook", sys.__excepthook__, type(value), value, None)
    attempt("excepthook", sys.excepthook, value, value, value)
    attempt("unraisablehook", sys.unraisablehook, types.SimpleNamespace(exc_type=value, exc_value=value, exc_traceback=value, err_msg=value, object=value))
    hook = attempt("arguments", threading.ExceptHookArgs, (value, value, value, value))
    attempt("threads", threading.excepthook, hook)
sys.stderr = kept

raises(OSError, "a thread that is none", time.pthread_getcpuclockid, 4)


# A raw stream that makes what it is to read into smaller.
class Shrinking(io.RawIOBase):
    def readable(self):
        return True

    def readinto(self, buffer):
        array = buffer.obj
        buffer.release()
        array.clear()
        return 5


for use in (lambda it: it.read(3), lambda it: it.peek(1), lambda it: it.readline(), lambda it: it.read1(1), lambda it: it.readinto(bytearray(10))):
    attempt("shrinking", use, io.BufferedReader(Shrinking()))
