import threading
class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n, threading.current_thread().name)
def work(x):
    y = D("local")
    x = None
    print("work over")
t = threading.Thread(target=work, args=(D("argument"),), name="worker")
t.start()
t.join()
print("joined")
local = threading.local()
local.x = D("main local")
def set_local():
    local.x = D("thread local")
t = threading.Thread(target=set_local, name="second")
t.start()
t.join()
print("thread local gone")
del local.x
print("end")
