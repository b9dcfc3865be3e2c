import sys
class D:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)
def f():
    try:
        raise ValueError(D("arg"))
    except ValueError:
        return sys.exception() is not None, sys.exc_info()[0]
print(f())
print(sys.exc_info())
def nested():
    try:
        raise KeyError(D("outer"))
    except KeyError:
        try:
            raise ValueError(D("inner"))
        except ValueError as e:
            print(type(e.__context__).__name__)
        print("inner over")
    print("outer over")
nested()
def again():
    try:
        raise ValueError(D("again"))
    except ValueError:
        try:
            raise
        except ValueError:
            print("reraised")
    print("end")
again()
