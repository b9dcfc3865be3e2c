"""Frames that a destructor asks for while their locals die outlive them."""

import sys

frames = []


class Watcher:
    def __del__(self):
        try:
            frames.append(sys._getframe(1))
        except ValueError:
            pass


def one(argument):
    watcher = Watcher()
    other = [argument]
    return other[0]


def generator():
    watcher = Watcher()
    yield 1


def deep(n):
    watcher = Watcher()
    return deep(n - 1) if n else 0


def churn(a, b, c):
    d, e = [a], [b]
    return d + e + [c]


for i in range(20):
    one(i)
    list(generator())
deep(30)
for i in range(1000):
    churn(i, str(i), [i])
print(len(frames) > 20)
for frame in frames:
    assert frame.f_code.co_name in ("one", "generator", "deep", "<module>"), frame
    assert isinstance(dict(frame.f_locals), dict) and frame.f_lineno > 0
    names = [frame.f_code.co_name]
    while frame := frame.f_back:
        names.append(frame.f_code.co_name)
    assert len(names) < 40 and set(names) <= {"one", "generator", "deep", "<module>"}, names
print("all can be looked at")
