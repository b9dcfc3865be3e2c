"""Objects whose special methods do something to others, and what programs made by `programs.py` find in their globals."""

import gc
import operator
import weakref

DEPTH = 3
MOST_ACTIONS = 400


class Stage:
    """What one program works on: its variables, its actions and where it is in them."""

    def __init__(self):
        self.variables = {}
        self.actions = []
        self.answers = []
        self.at = 0
        self.depth = 0
        self.done = 0

    def act(self):
        """Runs the next action, unless it is one that has led here too often."""
        self.done += 1
        if not self.actions or self.depth >= DEPTH or self.done > MOST_ACTIONS:
            return
        self.at += 1
        self.depth += 1
        try:
            self.actions[self.at % len(self.actions)]()
        finally:
            self.depth -= 1

    def answer(self, plausible):
        """Acts, and then answers, mostly plausibly."""
        self.act()
        self.at += 1
        if self.at % 11 == 0 and self.answers:
            return self.answers[self.at % len(self.answers)]
        answer = plausible[self.at % len(plausible)]
        if isinstance(answer, type) and issubclass(answer, BaseException):
            raise answer
        return answer


stage = Stage()

INTS = (0, 1, -1, 2, 5, 100, 1 << 31, (1 << 63) - 1, -(1 << 63), 1 << 64, ValueError, True)
TRUTHS = (True, False, NotImplemented, False, True, KeyError, 1)
TEXTS = ("", "a", "é" * 3, "\ud800", "\U00010000" * 40, "name", LookupError)
PLAUSIBLE = {
    **dict.fromkeys("__index__ __int__ __len__ __length_hint__ __hash__ __trunc__ __round__ __sizeof__".split(), INTS),
    **dict.fromkeys("__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __bool__ __contains__ __instancecheck__ __exit__".split(), TRUTHS),
    **dict.fromkeys("__repr__ __str__ __format__ __fspath__ __dir__".split(), TEXTS),
    "__bytes__": (b"", b"a" * 100, None),
    "__float__": (0.0, 1.5, float("nan"), float("inf"), OverflowError),
    "__complex__": (1j, 0j),
    "__reduce__": ((list, ()), (dict, (), None, iter([1]), iter([(1, 2)])), "name", (int, (1,), {"a": 1})),
    "__reduce_ex__": ((list, ()), (object, ()), (set, ([1],))),
    "__getnewargs_ex__": (((), {}), ((1,), {})),
    "__getstate__": (None, {}, {"a": 1}, (None, {"b": 2}), 5),
    "__mro_entries__": ((), (object,), (dict,)),
    "__buffer__": (memoryview(b"abc"), memoryview(bytearray(5))),
}
OTHERS = """__add__ __sub__ __mul__ __matmul__ __truediv__ __floordiv__ __mod__ __divmod__ __pow__ __lshift__ __rshift__ __and__
    __xor__ __or__ __radd__ __rsub__ __rmul__ __rmatmul__ __rtruediv__ __rfloordiv__ __rmod__ __rdivmod__ __rpow__ __rlshift__
    __rrshift__ __rand__ __rxor__ __ror__ __iadd__ __isub__ __imul__ __imatmul__ __itruediv__ __ifloordiv__ __imod__ __ipow__
    __ilshift__ __irshift__ __iand__ __ixor__ __ior__ __neg__ __pos__ __abs__ __invert__ __ceil__ __floor__
    __getitem__ __setitem__ __delitem__ __missing__ __reversed__ __call__ __enter__ __get__ __set__ __delete__
    __set_name__ __copy__ __deepcopy__ __setstate__ __await__ __aiter__ __anext__ __class_getitem__ __init_subclass__
    read readinto write seek tell flush close readline keys items __getattr__""".split()
FROM_CLASS = {"__class_getitem__", "__init_subclass__", "__reduce__", "__reduce_ex__", "__getnewargs_ex__", "__mro_entries__"}


def method(name, plausible):
    def function(self, *arguments, **keywords):
        return stage.answer(plausible)

    function.__name__ = name
    return function


def some_value():
    return tuple(stage.variables.values()) or (1,)


def other(name):
    def function(self, *arguments, **keywords):
        return stage.answer(some_value() + (NotImplemented, 1, "a", self, TypeError))

    function.__name__ = name
    return function


METHODS = {name: method(name, plausible) for name, plausible in PLAUSIBLE.items()}
METHODS |= {name: other(name) for name in OTHERS}


def iterate(self):
    return stage.answer((iter([1, self]), self, reversed([1, 2]), iter("ab")))


def following(self):
    return stage.answer((1, "a", self, StopIteration, None))


def finalize(self):
    stage.act()


def hash_of_identity(self):
    stage.act()
    return 7


METHODS |= {"__iter__": iterate, "__next__": following, "__del__": finalize}
# What is compared and hashed by identity can be found again.
HASHES = ("__hash__", "__eq__")


def hostile(base, names, keyed=True):
    """A subclass of `base` with these of the methods above."""
    namespace = {name: METHODS[name] for name in names if name in METHODS}
    if keyed and "__hash__" in namespace:
        namespace["__hash__"] = hash_of_identity
    try:
        return type("H" + base.__name__, (base,), namespace)
    except TypeError:
        return base


class Meta(type):
    def __instancecheck__(self, instance):
        return stage.answer(TRUTHS)

    def __subclasscheck__(self, cls):
        return stage.answer(TRUTHS)

    def mro(self):
        stage.act()
        return type.mro(self)

    def __eq__(self, other):
        return stage.answer(TRUTHS)

    __hash__ = type.__hash__

    def __del__(self):
        stage.act()


class Watched:
    """Its attributes do something when they are asked for."""

    def __getattribute__(self, name):
        stage.act()
        return object.__getattribute__(self, name)

    def __setattr__(self, name, value):
        stage.act()
        object.__setattr__(self, name, value)

    @property
    def __class__(self):
        return stage.answer((list, Watched, int, dict, tuple, str))


class Slots:
    __slots__ = ("a", "b", "__weakref__", "__dict__")

    def __del__(self):
        stage.act()


class SlotsToo:
    __slots__ = ("a", "b", "__weakref__", "__dict__")


class Plain:
    pass


class PlainToo:
    x = 1

    def __del__(self):
        stage.act()


def globals_of_program():
    """The names that a program is run with. `T` tries something, `A` adds an action, `S` tries a statement."""
    stage.__init__()

    def T(function):
        try:
            return function()
        except Exception as error:
            return error

    def S(text):
        try:
            exec(text, names)
        except Exception as error:
            stage.variables[7] = error

    def G(count=1):
        for _ in range(count):
            yield stage.answer(some_value())

    async def C():
        stage.act()
        return stage.answer(some_value())

    async def AG():
        for _ in range(3):
            yield stage.answer(some_value())

    def callback(*arguments, **keywords):
        return stage.answer(some_value() + (None, TypeError))

    names = {
        "V": stage.variables, "A": stage.actions.append, "W": stage.answers, "T": T, "S": S, "G": G, "C": C, "AG": AG, "F": callback,
        "H": hostile, "Meta": Meta, "Watched": Watched, "Slots": Slots, "SlotsToo": SlotsToo, "Plain": Plain, "PlainToo": PlainToo,
        "act": stage.act, "gc": gc, "weakref": weakref, "operator": operator, "__name__": "__fuzz__", "__builtins__": __builtins__,
    }
    return names
