"""Calls out of compiled code: tracebacks, frames, locals, exceptions, and what callees change."""

import gc
import sys
import traceback


def peek():
    frame = sys._getframe(1)
    return frame.f_lineno - frame.f_code.co_firstlineno, sorted(frame.f_locals.items())


def locals_of_caller(count):
    i, x, seen = 0, 0.5, None
    while i < count:
        x = x + 0.25
        i += 1
        if i == count - 1:
            seen = peek()
    return seen


def change():
    sys._getframe(1).f_locals["i"] += 10


def changed_by_callee(count):
    i = turns = 0
    while i < count:
        i += 1
        turns += 1
        if turns == 100:
            change()
    return i, turns


def fail(i):
    if i == 150:
        raise ValueError(i)
    return i


def raises(count):
    i = total = 0
    while i < count:
        total = total + \
            fail(i)
        i += 1
    return total


def catches(count):
    i = total = caught = 0
    while i < count:
        try:
            total = total + fail(i)
        except ValueError as error:
            caught = caught + error.args[0]
        finally:
            i += 1
    return total, caught


def divides(count):
    i = 200
    while i >= count:
        10 // i
        i -= 1


def recursive(depth):
    i = total = 0
    while i < 60:
        total += i
        i += 1
    return total if depth == 0 else total + recursive(depth - 1)


def endless(n):
    i = 0
    while i < 50:
        i += 1
    return endless(n + 1)


def generator(count):
    i = 0
    while i < count:
        sent = yield i * 2
        i = i + 1 + (sent or 0)


def collects(count):
    i, kept = 0, []
    while i < count:
        cycle = []
        cycle.append(cycle)
        i += 1
        if i == 100:
            gc.collect()
    return i


class Dies:
    def __del__(self):
        frame = sys._getframe(1)
        log.append((frame.f_lineno - frame.f_code.co_firstlineno, frame.f_locals["i"]))


log = []


def destructors(count):
    i, x = 0, None
    while i < count:
        x = Dies() if i % 50 == 0 else None
        i += 1
    return i


def traced(count):
    i, events = 0, []
    while i < count:
        i += 1
        if i == 100:
            sys.settrace(lambda frame, event, arg: events.append(event))
            peek()
            sys.settrace(None)
    return i, events


for function, argument in [(raises, 300), (divides, -5)]:
    try:
        function(argument)
    except (ValueError, ZeroDivisionError):
        print(traceback.format_exc())
print(locals_of_caller(200))
print(changed_by_callee(300))
print(catches(300))
print(recursive(20))
try:
    endless(0)
except RecursionError as error:
    print(error, error.__traceback__.tb_next.tb_lineno - endless.__code__.co_firstlineno)
numbers = generator(200)
print(sum(numbers))
numbers = generator(200)
next(numbers)
print([numbers.send(1) for _ in range(60)][-1])
print(collects(200))
print(destructors(300), log)
print(traced(200))
