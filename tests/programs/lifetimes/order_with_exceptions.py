class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
def inner():
    a = D("inner local")
    raise KeyError("k")
def outer():
    b = D("outer local")
    inner()
try:
    outer()
except KeyError as e:
    print("caught", e)
print("after")
try:
    raise ValueError(D("argument"))
except ValueError:
    print("caught")
print("after")
try:
    try:
        raise ValueError(D("first"))
    except ValueError:
        raise KeyError(D("second"))
except KeyError as e:
    print("caught", type(e.__context__).__name__)
print("after")
try:
    raise ValueError(D("x")) from KeyError(D("cause"))
except ValueError as e:
    pass
print("after")
saved = None
try:
    outer()
except KeyError as e:
    saved = e
print("saved")
saved = None
print("dropped")
class E(Exception):
    def __del__(self): print("del E")
try:
    raise E
except E as e:
    print("in handler")
print("after E")
