import sys
b = bytearray(b"abc")
base = sys.getrefcount(b)
m = memoryview(b)
print(sys.getrefcount(b) - base > 0)
n = m[1:]
try:
    b.append(1)
except BufferError as e:
    print(e)
m.release()
try:
    b.append(1)
except BufferError as e:
    print(e)
del n
b.append(1)
print(b, sys.getrefcount(b) - base)
with memoryview(b) as v:
    print(v[0])
try:
    v[0]
except ValueError as e:
    print(e)
class D(bytearray):
    def __del__(self): print("del", bytes(self))
m = memoryview(D(b"kept"))
print(bytes(m))
del m
print("end")
