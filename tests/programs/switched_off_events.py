"""Code in which all events are switched off: what watches it afterwards is told again from the next call on."""

import sys

monitoring = sys.monitoring
events = monitoring.events
TOOL = 3
log = []


def branchy(n):
    total = 0
    for i in range(n):
        total += i
    return total


def recurse(n):
    if n == 0:
        again()
        return 0
    return recurse(n - 1) + 1


def again():
    pass


def raises():
    raise KeyError("x")


def count():
    yield 1
    yield 2


def start(code, offset):
    log.append(("start", code.co_name))
    return monitoring.DISABLE


def line(code, number):
    log.append(("line", code.co_name, number - code.co_firstlineno))
    return monitoring.DISABLE


def returns(code, offset, value):
    log.append(("return", code.co_name, value))
    return monitoring.DISABLE


def show(title):
    print(title)
    for entry in log:
        print("   ", *entry)
    log.clear()


def watch(*codes, local=events.LINE | events.PY_RETURN):
    for function in codes:
        monitoring.set_local_events(TOOL, function.__code__, local)


monitoring.use_tool_id(TOOL, "test")
monitoring.register_callback(TOOL, events.PY_START, start)
monitoring.register_callback(TOOL, events.LINE, line)
monitoring.register_callback(TOOL, events.PY_RETURN, returns)
watch(branchy, again, raises, count)
monitoring.set_events(TOOL, events.PY_START)

for turn in range(3):
    branchy(3)
    show(f"branchy {turn}")
for turn in range(3):
    try:
        raises()
    except KeyError as error:
        print(error, error.__traceback__.tb_next.tb_lineno - raises.__code__.co_firstlineno)
    list(count())
    show(f"raises and count {turn}")

monitoring.restart_events()
branchy(1)
show("restarted")
branchy(1)
show("and off again")

# Frames that run when something changes are told, too.
recurse(3)
recurse(3)
show("recursion")


def again():
    watch(recurse)


recurse(3)
show("watched from within")
recurse(3)
show("off again")


def again():
    monitoring.restart_events()


recurse(3)
show("restarted from within")

# A trace function, and another tool.
OTHER = 4
monitoring.use_tool_id(OTHER, "other")


watch(branchy, local=0)


def trace(frame, event, argument):
    if frame.f_code is branchy.__code__:
        log.append(("trace", event))
    return trace


branchy(1)
branchy(1)
log.clear()
sys.settrace(trace)
branchy(1)
sys.settrace(None)
show("traced")
branchy(1)
show("not traced")
monitoring.register_callback(OTHER, events.RAISE, lambda code, offset, error: log.append(("raise", code.co_name)))
monitoring.set_events(OTHER, events.RAISE)
for turn in range(2):
    try:
        raises()
    except KeyError:
        pass
show("raise")
monitoring.set_events(OTHER, 0)
monitoring.free_tool_id(OTHER)
monitoring.set_events(TOOL, 0)
monitoring.free_tool_id(TOOL)
branchy(1)
show("nobody")
