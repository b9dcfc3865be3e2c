import sys
class D:
    def __del__(self):
        raise ValueError("in del")
def hook(args):
    print("unraisable", args.exc_type.__name__, args.exc_value, args.err_msg.partition(" at 0x")[0], args.object)
sys.unraisablehook = hook
D()
d = D()
d = None
x = [D(), D()]
del x
def f():
    d = D()
    return 1
print(f())
try:
    d = D()
    1 / 0
except ZeroDivisionError as e:
    del d
    print(e.__context__)
class E:
    def __del__(self): print(missing)
E()
class G:
    def __del__(self):
        try:
            1 / 0
        except ZeroDivisionError:
            print("handled in del")
try:
    raise KeyError("outside")
except KeyError:
    G()
    print(sys.exception())
