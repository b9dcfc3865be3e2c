class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
a = D("a")
b = D("b")
_private = D("private")
c = D("c")
cycle = D("cycle")
cycle.me = cycle
import atexit
atexit.register(print, "atexit")
print("end of module")
