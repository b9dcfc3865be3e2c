class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
def value():
    d = D("local")
    return "value"
print(value())
def itself():
    d = D("returned")
    return d
itself()
print("after")
x = itself()
print("kept")
x = itself()
print("replaced")
def in_finally():
    d = D("d")
    try:
        return D("result")
    finally:
        print("finally")
in_finally()
def swallow():
    try:
        return D("lost")
    finally:
        return "kept"
import warnings
print(swallow())
def raises():
    d = D("in raising")
    raise ValueError
try:
    raises()
except ValueError:
    print("handler")
print("after handler")
del x
