class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
def gen():
    d = D("in generator")
    try:
        yield 1
        yield 2
    except GeneratorExit:
        print("exit")
        raise
    finally:
        print("finally")
g = gen()
next(g)
del g
print("--")
g = gen()
del g
print("never started")
g = gen()
print(list(g))
print("exhausted")
del g
g = gen()
next(g)
g.close()
print("closed")
del g
def stubborn():
    while True:
        try:
            yield
        except GeneratorExit:
            return "value"
g = stubborn()
next(g)
print(g.close())
def refuses():
    try:
        yield
    except GeneratorExit:
        yield
import sys
sys.unraisablehook = lambda a: print("unraisable", a.exc_value)
g = refuses()
next(g)
del g
print("end")
