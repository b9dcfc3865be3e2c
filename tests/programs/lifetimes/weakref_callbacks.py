import weakref
class C: pass
def callback(ref): print("callback", ref is r, ref() is None)
c = C()
r = weakref.ref(c, callback)
print(r() is c)
del c
print("dead", r())
c = C()
refs = [weakref.ref(c, lambda ref, i=i: print("cb", i)) for i in range(4)]
del c
c = C()
r1 = weakref.ref(c); r2 = weakref.ref(c)
print(r1 is r2, weakref.getweakrefcount(c), len(weakref.getweakrefs(c)))
r3 = weakref.ref(c, lambda r: print("r3 called"))
print(r3 is r1, weakref.getweakrefcount(c), r1 == r3, hash(r1) == hash(c))
del c
print(r1(), r1 == r3, r1 == r2)
c = C()
r = weakref.ref(c, lambda ref: print("not called"))
del r, c
print("ref died first")
c = C()
p = weakref.proxy(c, lambda p: print("proxy callback"))
c.x = 3
print(p.x)
del c
try:
    p.x
except ReferenceError as e:
    print(e)
