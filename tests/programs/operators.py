"""Operators of classes: order, reflected methods, lifetimes of operands; mixed numbers; assignment to slices."""
import sys, gc
class V:
    def __init__(self, x): self.x = x
    def __add__(self, o):
        if isinstance(o, V): return V(self.x + o.x)
        if isinstance(o, int): return V(self.x + o)
        return NotImplemented
    def __radd__(self, o): return ('radd', o, self.x)
    def __sub__(self, o): raise ValueError('sub')
    def __mul__(self, o): return NotImplemented
    def __iadd__(self, o): self.x += 100; return self
    def __truediv__(self, o): yield o
    def __floordiv__(self, a, b=7): return (a, b)
    def __matmul__(self, o):
        o = o + 1
        self = None
        return o
    def __repr__(self): return 'V(%r)' % self.x
    def __del__(self): deleted.append(self.x)
deleted = []
class W(V):
    def __radd__(self, o): return ('W.radd', o)
class X(V): pass
v = V(1); w = V(2)
print(v + w, v + 3, 4 + v, v + W(5), v + X(5))
try: v + 'a'
except TypeError as e: print(e)
try: v * 2
except TypeError as e: print(e)
try: v * 'ab'
except TypeError as e: print(e)
try: v * V(9)
except TypeError as e: print(e)
try: v - 1
except ValueError as e: print(e, e.__traceback__.tb_next.tb_frame.f_code.co_name, e.__traceback__.tb_next.tb_frame.f_locals['self'])
try: V(77) - V(78)
except ValueError as e: print(e)
print('deleted', sorted(deleted)); deleted.clear()
a = v; a += 1; print(a is v, a)
print(list(v / 3), v // 2, v @ 5)
print('deleted', deleted)
def temp(): return V(50) + V(60) + V(70)
print(temp()); print('deleted', sorted(deleted)); deleted.clear()
for i in range(3000):
    x = V(i) + V(1)
    try: V(1) - x
    except ValueError: pass
    try: V(1) * x
    except TypeError: pass
print(len(deleted), sys.getrefcount(v), sys.getrefcount(w))
class R:
    def __add__(self, o): return self + o
try: R() + 1
except RecursionError as e: print(e)
class T:
    def __add__(self, o):
        fr = sys._getframe(1)
        return fr.f_lineno - fr.f_code.co_firstlineno, sorted(sys._getframe().f_locals)
print(T() + 1)
class L(list):
    def __add__(self, o): return NotImplemented
try: print(L([1]) + [2])
except TypeError as e: print(e)
class S(str):
    def __mod__(self, o): return ('mod', o)
    def __mul__(self, n): return 'mul'
print(S('a') % 3, S('a') * 3, 3 * S('a'))
class G:
    def __or__(self, o): return o
    def __ror__(self, o): return ('ror', o)
print(G() | int, int | G(), {1} | G(), G() | None)
def tr(f, e, a): return tr
class Y:
    def __add__(self, o):
        sys.settrace(tr); return NotImplemented
    def __radd__(self, o): return 'radd'
class Z:
    def __radd__(self, o): return 'Zradd'
def h():
    z = Y() + Z()
    return z
print(h()); sys.settrace(None)
def gen():
    y = yield 1
    z = V(1) + (yield 2)
    yield z
g = gen(); next(g); g.send(5); print(g.send(V(6)))
print(1.5 * 2, 2 * 1.5, 3 - 0.5, 0.5 - 3, 7 / 2.0, 2.0 / 7, 10**300 * 1.5, (2**53+1) * 1.0, (2**53+1) + 0.5, 2.5 // 1, 1 // 0.3)
try: 1 / 0.0
except ZeroDivisionError as e: print(e)
try: 1.0 / 0
except ZeroDivisionError as e: print(e)
x = 5; x *= 1.5; x -= 1; x /= 2; print(x)
l = [1,2,3,4,5]; l[1:3] = l[::-1]; print(l); l[:2] = [9]; print(l); l[0:2] = [7, 8]; print(l); m=[1,2]; l[:2]=m; print(l, m); l[5:1] = [0]; print(l); l[::-1]; print(l[3::-1], l[-1:1:-1], l[::-2], l[1:1:-1])
l[:] = l; print(l); l[1:2] = (i for i in 'ab'); print(l)
try: l[1:2] = 5
except TypeError as e: print(e)
