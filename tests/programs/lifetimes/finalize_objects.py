import weakref
class C: pass
c = C()
f = weakref.finalize(c, print, "called", 1, end="!\n")
print(f.alive, f.peek()[0] is c, f.peek()[2:])
f()
print(f.alive, f(), f.peek(), f.detach())
del c
c = C()
f = weakref.finalize(c, lambda: print("at death"))
del c
print(f.alive)
c = C()
f = weakref.finalize(c, lambda: print("never"))
print(f.detach()[0] is c)
del c
c = C()
first = weakref.finalize(c, print, "first")
second = weakref.finalize(c, print, "second")
del c
keep = C()
one = weakref.finalize(keep, print, "at exit, one")
two = weakref.finalize(keep, print, "at exit, two")
three = weakref.finalize(keep, print, "not at exit")
three.atexit = False
print("end of program")
