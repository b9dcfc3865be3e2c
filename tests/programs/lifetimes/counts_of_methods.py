import sys
class C:
    def m(self):
        return sys.getrefcount(self)
    @property
    def p(self):
        return sys.getrefcount(self)
    @classmethod
    def c(cls):
        return cls
    @staticmethod
    def s(x):
        return sys.getrefcount(x)
    def __getattr__(self, name):
        return sys.getrefcount(self)
    def __len__(self):
        self.seen = sys.getrefcount(self)
        return 1
    def __add__(self, other):
        return sys.getrefcount(self), sys.getrefcount(other)
    def __getitem__(self, i):
        return sys.getrefcount(self)
    def __call__(self):
        return sys.getrefcount(self)
    def __iter__(self):
        yield sys.getrefcount(self)
c = C()
print(sys.getrefcount(c))
print(c.m(), C.m(c), c.p, c.s(c), c.missing)
bound = c.m
print(sys.getrefcount(c), bound())
methods = [c.m for _ in range(3)]
print(sys.getrefcount(c))
del bound, methods
print(sys.getrefcount(c), sys.getrefcount(bound := c.m), sys.getrefcount(bound.__self__))
del bound
len(c)
print(c.seen)
print(c[0], c())
print(C().m(), C()(), C()[0])
def f():
    c = C()
    return c.m(), c.p, c(), c[0], c.s(c)
print(f())
