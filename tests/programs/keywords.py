"""Arguments by keyword, with defaults, and what they keep alive."""
def f(a,b,c): return a,b,c
def g(a,b=2,*,c,d=4): return a,b,c,d
def h(a,/,b,c=3): return a,b,c
def k(*,x=1,y): return x,y
def show(fn,*a,**k):
    try: return fn(*a,**k)
    except TypeError as e: return str(e)
print(f(a=1,b=2,c=3), f(1,c=3,b=2), f(c=1,a=2,b=3), g(1,c=3), g(1,c=5,b=6), g(c=1,a=2,d=9), h(1,b=2), h(1,c=2,b=5), k(y=2), k(y=1,x=[1]))
for src in ('f(1,a=2,b=3)','f(1,2)','f(a=1,b=2)','f(1,2,3,4)','f(1,2,c=3,d=4)','g(1)','g(c=1)','h(a=1,b=2)','h(1,2,3,b=4)','k(1)','k(x=1)','k(z=1,y=2)','f(a=1,a=2,b=3)','f(*(1,),**{"b":2,"c":3})','f(1,2,**{"a":1})'):
    try: print(src, eval(src))
    except (TypeError,SyntaxError) as e: print(src, type(e).__name__, e)
class D: 
    n=0
    def __init__(self): D.n+=1
    def __del__(self): D.n-=1
def m(p, q=D(), *, r=D(), s=None):
    p = q = None
    return r
for i in range(100):
    x=D(); m(p=x, s=D()); m(x, r=x); m(q=D(), p=D(), r=D(), s=x)
print(D.n)
def gen(a,b=1,*,c=2):
    yield a; yield b; yield c
print(list(gen(a=1)), list(gen(5,c=7)))
async def co(a,*,b): return a+b
try: co(a=1,b=2).send(None)
except StopIteration as e: print(e.value)
class C:
    def __init__(self, a, b=2, *, c=3): self.v=(a,b,c)
    def m(self, x, y=1): return self.v, x, y
    __call__ = m
print(C(a=1).v, C(1,c=5).v, C(1).m(x=2), C(1).m(y=2,x=3), C(9)(x=1), C.m(C(1),x=4))
bm=C(1).m
print(bm(x=3), bm(2,y=5))
f.__defaults__=(7,8); print(f(a=1), f(1,c=2)); g.__kwdefaults__={'c':5}; 
try: print(g(1))
except TypeError as e: print(e)
def many(a0=0,a1=1,a2=2,a3=3,a4=4,a5=5,a6=6,a7=7,a8=8,a9=9,b0=0,b1=1,b2=2,b3=3,b4=4,b5=5,b6=6,b7=7,b8=8,b9=9,c0=0,c1=1,c2=2,c3=3,c4=4,c5=5,c6=6,c7=7,c8=8,c9=9,d0=0,d1=1,d2=2,d3=3): return sum(locals().values())
print(many(d3=100), many(1,2,3,c9=50,b0=1))
def exact32(a0=0,a1=1,a2=2,a3=3,a4=4,a5=5,a6=6,a7=7,a8=8,a9=9,b0=0,b1=1,b2=2,b3=3,b4=4,b5=5,b6=6,b7=7,b8=8,b9=9,c0=0,c1=1,c2=2,c3=3,c4=4,c5=5,c6=6,c7=7,c8=8,c9=9,d0=0,d1=1): return sum(locals().values())
print(exact32(d1=100), exact32(1,2,3,c9=50,b0=1), exact32())
