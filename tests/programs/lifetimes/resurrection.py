import gc, weakref
saved = []
class R:
    def __del__(self):
        print("del")
        saved.append(self)
r = R()
del r
print(len(saved))
saved.clear()
print("no second time")
r = R()
w = weakref.ref(r)
del r
print(w() is None, len(saved))
print(gc.is_finalized(saved[0]))
saved.clear()
class Old:
    count = 0
    def __del__(self):
        Old.count += 1
        if Old.count < 3:
            saved.append(self)
Old()
saved.pop()
print(Old.count)
class Cycle:
    def __init__(self): self.me = self
    def __del__(self): print("cycle del"); saved.append(self)
Cycle()
print(gc.collect() > 0, len(saved))
saved.clear()
print(gc.collect() > 0)
