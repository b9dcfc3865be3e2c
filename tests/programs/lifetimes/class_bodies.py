class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
class C:
    a = D("a")
    b = D("b")
    a = D("a2")
    print("in body")
    del b
    print("b deleted")
print("class made")
C.a = None
print("replaced")
import gc
C.d = D("with the class")
del C
print("name deleted")
gc.collect()
print("collected")
def make():
    local = D("closed over")
    class K:
        def m(self): return local
    return K
K = make()
print(K().m().n)
del K
gc.collect()
print("end")
