"""LRU caches and decorators: with and without arguments, on functions, methods and classes, stacked and introspected."""

import functools
import inspect
import operator
import threading
import warnings
import weakref
from collections import OrderedDict


class LRU:
    """A cache on a doubly linked list of nodes, as one writes it in an interview."""

    class Node:
        __slots__ = ("key", "value", "before", "after")

        def __init__(self, key=None, value=None):
            self.key, self.value, self.before, self.after = key, value, self, self

    def __init__(self, capacity, on_evict=None):
        if capacity < 1:
            raise ValueError("capacity must be positive")
        self.capacity, self.on_evict = capacity, on_evict
        self.nodes, self.root = {}, self.Node()
        self.hits = self.misses = 0

    def _unlink(self, node):
        node.before.after, node.after.before = node.after, node.before

    def _push(self, node):
        last = self.root.before
        node.before, node.after = last, self.root
        last.after = self.root.before = node

    def __getitem__(self, key):
        try:
            node = self.nodes[key]
        except KeyError:
            self.misses += 1
            raise
        self.hits += 1
        self._unlink(node)
        self._push(node)
        return node.value

    def __setitem__(self, key, value):
        if key in self.nodes:
            self._unlink(self.nodes[key])
        elif len(self.nodes) == self.capacity:
            oldest = self.root.after
            self._unlink(oldest)
            del self.nodes[oldest.key]
            if self.on_evict:
                self.on_evict(oldest.key, oldest.value)
        node = self.nodes[key] = self.Node(key, value)
        self._push(node)

    def __delitem__(self, key):
        self._unlink(self.nodes.pop(key))

    def __iter__(self):
        node = self.root.after
        while node is not self.root:
            yield node.key
            node = node.after

    def __reversed__(self):
        node = self.root.before
        while node is not self.root:
            yield node.key
            node = node.before

    def __len__(self):
        return len(self.nodes)

    def __contains__(self, key):
        return key in self.nodes

    def __repr__(self):
        return f"LRU({', '.join(f'{key!r}: {self.nodes[key].value!r}' for key in self)})"


def memoize(function=None, /, *, size=128, key=None):
    """Works as @memoize and as @memoize(size=...)."""
    if function is None:
        return functools.partial(memoize, size=size, key=key)
    cache, lock = LRU(size), threading.RLock()

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        k = key(*args, **kwargs) if key else (args, frozenset(kwargs.items()))
        with lock:
            try:
                return cache[k]
            except KeyError:
                result = cache[k] = function(*args, **kwargs)
                return result

    wrapper.cache = cache
    return wrapper


class traced:
    """A decorator that is a descriptor, so that it works on methods."""

    depth = 0

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        shown = ", ".join([*map(repr, args), *(f"{k}={v!r}" for k, v in kwargs.items())])
        print("  " * traced.depth + f"{self.__name__}({shown})")
        traced.depth += 1
        try:
            result = self.__wrapped__(*args, **kwargs)
        except Exception as error:
            print("  " * (traced.depth - 1) + f"!! {type(error).__name__}")
            raise
        finally:
            traced.depth -= 1
        print("  " * traced.depth + f"-> {result!r}")
        return result

    def __get__(self, instance, owner=None):
        return self if instance is None else functools.partial(self, instance)


def retry(*exceptions, times=3):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            for attempt in range(1, times + 1):
                try:
                    return function(*args, attempt=attempt, **kwargs)
                except exceptions as error:
                    print(f"attempt {attempt}: {error}")
                    if attempt == times:
                        raise
        return wrapper
    return decorate


def typed(function):
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            wanted = signature.parameters[name].annotation
            if wanted is not inspect.Parameter.empty and not isinstance(value, wanted):
                raise TypeError(f"{name} must be {wanted.__name__}, not {type(value).__name__}")
        return function(*bound.args, **bound.kwargs)

    return wrapper


def comparable(*fields):
    def decorate(cls):
        key = operator.attrgetter(*fields)
        cls.__lt__ = lambda self, other: key(self) < key(other)
        cls.__eq__ = lambda self, other: key(self) == key(other)
        cls.__hash__ = lambda self: hash(key(self))
        return functools.total_ordering(cls)
    return decorate


def singleton(cls):
    instances = weakref.WeakValueDictionary()
    original = cls.__new__

    def new(kind, *args):
        instance = instances.get(args)
        if instance is None:
            instance = original(kind)
            instances[args] = instance
        return instance

    cls.__new__ = staticmethod(new)
    cls.alive = staticmethod(lambda: len(instances))
    return cls


@memoize
def fib(n):
    """The nth Fibonacci number."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)


@traced
@memoize(size=3, key=lambda text, **kwargs: text.lower())
def shout(text, *, mark="!"):
    return text.upper() + mark


class Tree:
    def __init__(self, value, *children):
        self.value, self.children = value, children

    @traced
    def total(self, scale=1):
        return self.value * scale + sum(child.total(scale=scale) for child in self.children)

    @functools.cached_property
    def size(self):
        print("computing the size of", self)
        return 1 + sum(child.size for child in self.children)

    @functools.singledispatchmethod
    def find(self, wanted):
        raise TypeError(f"cannot look for {type(wanted).__name__}")

    @find.register
    def _(self, wanted: int):
        return [node for node in self.walk() if node.value == wanted]

    @find.register(list)
    @find.register(tuple)
    def _(self, wanted):
        return [self.find(each) for each in wanted]

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()

    def __repr__(self):
        return f"Tree({self.value})"


@retry(ValueError, ZeroDivisionError, times=3)
def fragile(limit, *, attempt):
    if attempt < limit:
        raise ValueError(f"{attempt} is too early")
    return f"worked at {attempt}"


@typed
def repeat(text: str, times: int = 2, *rest, sep: str = " ") -> str:
    return sep.join([text] * times)


@comparable("major", "minor")
class Version:
    def __init__(self, text):
        self.major, self.minor = map(int, text.split("."))

    def __repr__(self):
        return f"v{self.major}.{self.minor}"


@singleton
class Colour:
    def __init__(self, name):
        self.name = name


def main():
    evicted = []
    cache = LRU(3, on_evict=lambda key, value: evicted.append((key, value)))
    for number, key in enumerate("abcadbe"):
        cache[key] = number
        try:
            cache["a"]
        except KeyError as error:
            print("missing", error)
    print(cache, list(reversed(cache)), evicted, cache.hits, cache.misses)
    del cache["a"]
    print(len(cache), "a" in cache, list(cache))
    model, ours = OrderedDict(), LRU(5)
    for step in range(2000):
        key = step * step % 23
        if key in model:
            assert ours[key] == model[key]
            model.move_to_end(key)
        else:
            if len(model) == 5:
                model.popitem(last=False)
            model[key] = ours[key] = step
    print("the model agrees:", list(model) == list(ours))

    print(fib(120), fib.cache.hits, fib.cache.misses, fib.__name__, fib.__doc__, fib.__wrapped__ is not fib)
    for word in ["one", "ONE", "two", "three", "four", "One"]:
        shout(word)
    print(shout("x", mark="?"), shout.calls, inspect.signature(shout))
    tree = Tree(1, Tree(2, Tree(3)), Tree(4))
    print(tree.total(10), tree.size, tree.size, Tree.total.calls)
    print(tree.find(3), tree.find([1, (4, 9)]))
    for call in [lambda: tree.find("x"), lambda: fragile(2), lambda: fragile(9), lambda: repeat("ab", 3, sep="-"),
                 lambda: repeat("ab", "3"), lambda: repeat(), lambda: LRU(0), lambda: fragile(2, attempt=1)]:
        try:
            print(call())
        except Exception as error:
            print(f"{type(error).__name__}: {error}")
    versions = [Version(text) for text in ("3.14", "2.7", "3.9", "3.14")]
    print(sorted(versions), max(versions) >= versions[0], len(set(versions)), versions[1] <= versions[2])
    red, also_red, blue = Colour("red"), Colour("red"), Colour("blue")
    print(red is also_red, red is blue, Colour.alive())
    del red, also_red
    print(Colour.alive())

    @functools.lru_cache(maxsize=2)
    def square(n):
        return n * n

    print([square(n) for n in (1, 2, 1, 3, 2)], square.cache_info(), functools.reduce(operator.mul, range(1, 10)))
    compose = functools.reduce(lambda f, g: lambda x: g(f(x)), [str, len, functools.partial(pow, 2)])
    print(compose(12345), functools.partial(int, base=2)("1011"), functools.partial(print, 1, sep="-"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning)
        print(caught[0].category.__name__, caught[0].message)


main()
