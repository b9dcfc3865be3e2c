import sys
for immortal in (None, True, False, ..., NotImplemented, 0, 1, -5, 256, "", "a", (), b"", b"x", int, object, len):
    print(repr(immortal), sys.getrefcount(immortal) > 1_000_000 or type(immortal).__name__)
print(sys.getrefcount(None) == sys.getrefcount(True))
x = None
y = [None] * 100
print(sys.getrefcount(None) == sys.getrefcount(None))
