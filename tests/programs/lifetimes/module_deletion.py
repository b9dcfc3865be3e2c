import sys, types
class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
m = types.ModuleType("m")
m.a = D("a")
m._b = D("b")
m.c = D("c")
print(sys.getrefcount(m))
del m
print("--")
source = "class E:\n    def __del__(self): print('E', name)\nname = 'module name'\ne = E()\ndef f(): return e\n"
m = types.ModuleType("n")
exec(source, m.__dict__)
del m
import gc
gc.collect()
print("end")
