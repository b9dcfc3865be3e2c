import sys, traceback
class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
def f():
    d = D("in f")
    1 / 0
try:
    f()
except ZeroDivisionError as e:
    tb = e.__traceback__
print("tb kept")
print(tb.tb_next.tb_frame.f_locals["d"].n)
tb.tb_next.tb_frame.clear()
print("cleared")
del tb
try:
    f()
except ZeroDivisionError as e:
    err = e
traceback.clear_frames(err.__traceback__)
print("frames cleared")
del err
try:
    f()
except ZeroDivisionError as e:
    err = e.with_traceback(None)
print("without traceback")
print(err.__traceback__)
def g():
    try:
        f()
    except ZeroDivisionError as e:
        return e
e = g()
print("returned")
del e
print("end")
