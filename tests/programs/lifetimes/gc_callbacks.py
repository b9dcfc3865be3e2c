import gc
gc.disable()
gc.collect()
log = []
def callback(phase, info):
    log.append((phase, info["generation"], info["collected"], info["uncollectable"]))
gc.callbacks.append(callback)
class C: pass
c = C(); c.c = c
del c
gc.collect()
gc.collect(0)
gc.callbacks.remove(callback)
gc.collect()
for line in log:
    print(line)
def bad(phase, info):
    if phase == "start":
        raise ValueError("in callback")
import sys
sys.unraisablehook = lambda a: print("unraisable", a.exc_value)
gc.callbacks.append(bad)
gc.collect()
gc.callbacks.clear()
print("end")
