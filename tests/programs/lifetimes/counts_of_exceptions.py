import sys
o = object()
base = sys.getrefcount(o)
def fail(x):
    raise ValueError(x)
try:
    fail(o)
except ValueError as e:
    print(sys.getrefcount(o) - base, sys.getrefcount(e))
print(sys.getrefcount(o) - base)
kept = None
try:
    fail(o)
except ValueError as e:
    kept = e
print(sys.getrefcount(o) - base)
kept.__traceback__ = None
print(sys.getrefcount(o) - base)
kept = None
print(sys.getrefcount(o) - base)
def deep(n, x):
    if n == 0:
        1 / 0
    deep(n - 1, x)
try:
    deep(5, o)
except ZeroDivisionError as e:
    print(sys.getrefcount(o) - base)
print(sys.getrefcount(o) - base)
try:
    try:
        fail(o)
    finally:
        print(sys.getrefcount(o) - base)
except ValueError:
    pass
print(sys.getrefcount(o) - base)
