import gc
gc.disable()
gc.collect()
print(gc.get_debug())
gc.set_debug(gc.DEBUG_SAVEALL)
class C: pass
c = C(); c.c = c
del c
print(gc.collect(), len(gc.garbage), [type(o).__name__ for o in gc.garbage])
gc.set_debug(0)
gc.garbage.clear()
print(gc.collect() >= 1)
print(gc.DEBUG_STATS, gc.DEBUG_COLLECTABLE, gc.DEBUG_UNCOLLECTABLE, gc.DEBUG_SAVEALL, gc.DEBUG_LEAK)
