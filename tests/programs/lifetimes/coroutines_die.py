import sys, warnings
warnings.simplefilter("always")
warnings.showwarning = lambda m, c, *a, **k: print(c.__name__, m)
class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
async def co(x):
    y = D("local")
    await A()
class A:
    def __await__(self):
        try:
            yield
        finally:
            print("awaitable over")
c = co(D("argument"))
del c
print("never awaited")
c = co(D("argument"))
c.send(None)
del c
print("suspended")
c = co(1)
c.close()
del c
async def agen():
    try:
        yield D("yielded")
    finally:
        print("agen over")
g = agen()
try:
    g.asend(None).send(None)
except StopIteration as e:
    print(e.value.n)
    del e
del g
print("end")
