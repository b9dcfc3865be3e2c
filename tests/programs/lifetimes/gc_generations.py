import gc
gc.disable()
for i in range(3):
    gc.collect()
print(gc.get_threshold())
gc.set_threshold(100, 5, 7)
print(gc.get_threshold())
gc.set_threshold(2000)
print(gc.isenabled())
gc.enable()
print(gc.isenabled())
gc.disable()
class C: pass
def garbage():
    c = C(); c.me = c
garbage()
print(gc.collect(0))
garbage()
print(gc.collect(1))
garbage()
print(gc.collect(2))
for bad in (-1, 3):
    try:
        gc.collect(bad)
    except ValueError as e:
        print(e)
stats = gc.get_stats()
print(len(stats), sorted(stats[0]))
print(type(gc.get_count()), len(gc.get_count()))
before = gc.get_stats()[2]["collections"]
gc.collect()
print(gc.get_stats()[2]["collections"] - before)
