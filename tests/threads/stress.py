"""Random programs of several threads that share what they work on.

    stress.py [--seed N] [--minutes M] [--programs P] [--threads T] [--steps S] [--collect C] [--patience SECONDS]

A program is given by its seed: some shared objects (lists, dicts, sets, deques, instances, classes, generators, iterators,
weak references, modules) and for each thread a run of random operations on them. With --collect, a collection begins whenever
a thread has made C containers more than it has given up: with 1, at every second container. A program that takes longer
than the patience shows where its threads are, and ends the run. Operations may fail with the exceptions that such
races have in Python; nothing else may happen: no other exception, no crash, no hang. When a program is over and what it
made is collected, as many instances of its classes are alive as before.
"""

import argparse
import collections
import faulthandler
import gc
import importlib
import os
import random
import sys
import tempfile
import threading
import time
import weakref

#: What operations on objects that others change may raise.
EXPECTED = (
    IndexError, KeyError, ValueError, RuntimeError, StopIteration, AttributeError, TypeError, ReferenceError, ZeroDivisionError,
)


class Live:
    """How many tracked objects there are. Finalisers may run anywhere, so they take no lock: they append to a deque."""

    born = collections.deque()
    dead = collections.deque()

    @classmethod
    def count(cls):
        return len(cls.born) - len(cls.dead)


class Tracked:
    def __init__(self, value=0):
        self.value = value
        self.other = None
        Live.born.append(None)

    def __del__(self):
        Live.dead.append(None)

    def add(self, n):
        self.value += n
        return self.value

    def __eq__(self, other):
        return self is other

    def __hash__(self):
        return id(self) & 0xFFFF

    def __lt__(self, other):
        return id(self) < id(other)


class Slotted(Tracked):
    __slots__ = ("left", "right")


class Plain:
    def __init__(self, value):
        self.value = value


class Replacing(Tracked):
    """Its finaliser works on what the threads share, and may keep the object."""

    def __init__(self, world, value=0):
        super().__init__(value)
        self.world = world

    def __del__(self):
        world, self.world = self.world, None
        if world is not None:
            world.plain[0].value = self.value
            world.sets[0].discard(self.value)
            if self.value % 4 == 0 and len(world.kept) < 50:
                # From then on it is finalised no more.
                world.kept.append(self)
        super().__del__()


class Failing(Exception):
    def __init__(self, value):
        super().__init__(value)
        self.value = value


class Descriptor:
    def __get__(self, instance, owner=None):
        return owner if instance is None else instance.value

    def __set__(self, instance, value):
        instance.value = value


#: What modules that are imported while the threads run consist of.
MODULE = """
from threading import Lock
import {other}
NUMBERS = list(range({number}))
class Inside:
    count = 0
    def next(self):
        type(self).count += 1
        return self.count
def total():
    return sum(NUMBERS)
"""
#: The modules import each other in a circle.
MODULES = [f"stressed{n}" for n in range(4)]


def make_class(number):
    return type(f"Made{number}", (Tracked,), {"kind": number, "twice": lambda self: self.value * 2})


class World:
    """What the threads share."""

    def __init__(self, seed):
        source = random.Random(seed)
        self.lists = [[source.randrange(100) for _ in range(source.randrange(20))] for _ in range(3)]
        self.dicts = [{source.randrange(50): Tracked() for _ in range(10)} for _ in range(3)]
        self.names = {f"name{i}": i for i in range(20)}
        self.sets = [set(range(source.randrange(30))) for _ in range(2)]
        self.deques = [collections.deque(range(10), maxlen=source.choice([None, 20])) for _ in range(2)]
        self.instances = [Tracked(i) for i in range(4)] + [Slotted(i) for i in range(2)]
        self.plain = [Plain(i) for i in range(4)]
        self.classes = [make_class(i) for i in range(3)]
        self.references = [weakref.ref(self.instances[0])]
        self.generators = [self.numbers(1000) for _ in range(2)]
        self.iterators = [iter(self.lists[0]), iter(range(10**6)), iter(self.dicts[0])]
        self.weak_values = weakref.WeakValueDictionary()
        self.weak_keys = weakref.WeakKeyDictionary()
        self.kept = []
        self.caught = [None] * 4
        self.functions = [self.adder(i) for i in range(3)]
        self.iterators += [zip(self.lists[1], self.lists[2]), enumerate(self.lists[2])]
        self.lock = threading.Lock()
        self.counter = 0
        self.guarded = 0

    def adder(self, n):
        total = n

        def add(by=1, *more, key=0):
            nonlocal total
            total += by + key
            return total

        return add

    def numbers(self, n):
        for i in range(n):
            yield Tracked(i) if i % 10 == 0 else i


OPERATIONS = []


def operation(function):
    OPERATIONS.append(function)
    return function


@operation
def append(world, source):
    source.choice(world.lists).append(source.choice([1, "text", (1, 2), Tracked(3), 1.5, None]))


@operation
def pop(world, source):
    source.choice(world.lists).pop()


@operation
def index(world, source):
    found = source.choice(world.lists)
    return found[source.randrange(-5, 25)]


@operation
def assign(world, source):
    found = source.choice(world.lists)
    found[source.randrange(0, 15)] = Tracked(1) if source.random() < 0.5 else source.randrange(9)


@operation
def cut(world, source):
    found = source.choice(world.lists)
    if len(found) > 40:
        del found[10:]
    elif source.random() < 0.3:
        found[2:4] = [7, 8, 9]
    else:
        return found[1:5]


@operation
def extend(world, source):
    source.choice(world.lists).extend(source.choice(world.lists)[:5])


@operation
def walk(world, source):
    n = 0
    for item in source.choice(world.lists):
        n += 1
        if n > 50:
            break


@operation
def sort(world, source):
    found = source.choice(world.lists)
    found.sort(key=id)
    found.reverse()


@operation
def put(world, source):
    source.choice(world.dicts)[source.randrange(50)] = Tracked(source.randrange(5))


@operation
def get(world, source):
    return source.choice(world.dicts).get(source.randrange(50))


@operation
def remove(world, source):
    del source.choice(world.dicts)[source.randrange(50)]


@operation
def pop_key(world, source):
    return source.choice(world.dicts).pop(source.randrange(50), None)


@operation
def items(world, source):
    return [value for key, value in source.choice(world.dicts).items()]


@operation
def snapshot(world, source):
    return list(source.choice(world.dicts)), dict(source.choice(world.dicts)), source.choice(world.lists).copy()


@operation
def update(world, source):
    source.choice(world.dicts).update(source.choice(world.dicts))


@operation
def name(world, source):
    key = f"name{source.randrange(30)}"
    world.names[key] = world.names.get(key, 0) + 1


@operation
def member(world, source):
    found = source.choice(world.sets)
    found.add(source.randrange(40))
    found.discard(source.randrange(40))
    return source.randrange(40) in found


@operation
def combine(world, source):
    return world.sets[0] | world.sets[1], world.sets[0] & world.sets[1]


@operation
def ends(world, source):
    found = source.choice(world.deques)
    found.append(Tracked(2))
    found.appendleft(source.randrange(10))
    found.pop()
    found.popleft()


@operation
def attribute(world, source):
    found = source.choice(world.instances)
    found.value = source.randrange(10)
    found.other = source.choice(world.instances + [None, None])
    return found.value, found.add(1)


@operation
def new_attribute(world, source):
    found = source.choice(world.instances)
    setattr(found, f"extra{source.randrange(40)}", Tracked(4))
    return getattr(found, f"extra{source.randrange(40)}")


@operation
def delete_attribute(world, source):
    delattr(source.choice(world.instances), f"extra{source.randrange(40)}")


@operation
def namespace(world, source):
    found = source.choice(world.plain)
    found.__dict__[f"item{source.randrange(5)}"] = source.randrange(5)
    found.value += 1
    return found.value


@operation
def replace(world, source):
    world.instances[source.randrange(4)] = source.choice(world.classes)(source.randrange(10))


@operation
def method(world, source):
    cls = source.choice(world.classes)
    n = source.randrange(5)
    setattr(cls, f"method{n}", lambda self: n)
    return cls(3).twice(), getattr(cls(1), f"method{source.randrange(5)}")()


@operation
def replace_class(world, source):
    n = source.randrange(3)
    world.classes[n] = make_class(n)


@operation
def refer(world, source):
    found = source.choice(world.instances)
    world.references.append(weakref.ref(found, (lambda reference: None) if source.random() < 0.5 else None))
    if len(world.references) > 30:
        del world.references[:20]


@operation
def follow(world, source):
    found = source.choice(world.references)()
    return found is None or found.value


@operation
def cycle(world, source):
    one, two = Tracked(1), Tracked(2)
    one.other, two.other = two, one
    return one


@operation
def generate(world, source):
    n = source.randrange(2)
    try:
        return next(world.generators[n])
    except StopIteration:
        world.generators[n] = world.numbers(1000)


@operation
def iterate(world, source):
    return next(source.choice(world.iterators))


@operation
def new_iterator(world, source):
    world.iterators[source.randrange(5)] = iter(source.choice(world.lists + world.dicts + world.sets))


@operation
def count(world, source):
    world.counter += 1
    with world.lock:
        world.guarded += 1


@operation
def fail(world, source):
    try:
        return 1 // source.randrange(2) + [].pop()
    except (ZeroDivisionError, IndexError) as error:
        return error.__traceback__.tb_lineno


@operation
def close_over(world, source):
    value = Tracked(5)

    def inner():
        return value.add(1)

    return inner() + inner()


@operation
def own_work(world, source):
    own = [Tracked(i) for i in range(5)]
    total = 0
    for item in own:
        total += item.add(2)
    return {str(i): i for i in range(10)}, total


@operation
def text(world, source):
    return "-".join([str(i) for i in range(10)]).split("-"), f"{source.random():.3f}"


@operation
def rotate(world, source):
    found = source.choice(world.deques)
    found.rotate(source.randrange(-3, 4))
    found.extend(range(source.randrange(4)))
    while len(found) > 60:
        found.popleft()
    return [item for item in found]


@operation
def slots(world, source):
    found = world.instances[source.randrange(4, 6)]
    found.left, found.right = Tracked(1), found
    del found.right
    return found.left.value


@operation
def class_attribute(world, source):
    cls = source.choice(world.classes)
    name = f"shared{source.randrange(4)}"
    if source.random() < 0.3:
        delattr(cls, name)
    else:
        setattr(cls, name, source.choice([1, Tracked(6), "text", Descriptor(), property(lambda self: self.value)]))
    return getattr(cls(2), name), getattr(source.choice(world.instances), name)


@operation
def bases(world, source):
    cls = source.choice(world.classes)
    derived = type("Derived", (cls,), {"add": lambda self, n: super(derived, self).add(n + 1)})
    made = derived(1)
    made.__class__ = cls if source.random() < 0.5 else derived
    return made.add(2), cls.__subclasses__(), isinstance(made, cls)


@operation
def resume(world, source):
    found = source.choice(world.generators)
    if source.random() < 0.1:
        found.close()
    elif source.random() < 0.2:
        found.throw(ValueError("thrown"))
    else:
        return [item for _, item in zip(range(3), found)]


@operation
def weak_value(world, source):
    key = source.randrange(20)
    made = Tracked(key)
    world.weak_values[key] = source.choice([made, source.choice(world.instances)])
    return world.weak_values.get(source.randrange(20)), len(world.weak_values)


@operation
def weak_key(world, source):
    world.weak_keys[source.choice(world.instances)] = source.randrange(10)
    world.weak_keys[Tracked(1)] = Tracked(2)
    return list(world.weak_keys.items())


@operation
def finalize(world, source):
    made = Replacing(world, source.randrange(8))
    made.other = made if source.random() < 0.5 else None
    weakref.finalize(made, world.plain[1].__dict__.get, "value").atexit = False
    if source.random() < 0.1:
        world.kept.clear()


@operation
def import_module(world, source):
    name = source.choice(MODULES)
    if source.random() < 0.2:
        sys.modules.pop(name, None)
    module = importlib.import_module(name)
    return module.total(), module.Inside().next()


@operation
def raise_shared(world, source):
    n = source.randrange(4)
    try:
        try:
            raise Failing(Tracked(n))
        except Failing as error:
            if source.random() < 0.5:
                raise (world.caught[source.randrange(4)] or ValueError(n)) from error
            raise
    except (Failing, ValueError) as error:
        world.caught[n] = error.with_traceback(None) if source.random() < 0.5 else error
        error.__context__ = None
        error.add_note("seen")
        if len(error.__notes__) > 5:
            del error.__notes__


@operation
def call_shared(world, source):
    found = source.choice(world.functions)
    if source.random() < 0.1:
        found.__defaults__ = (source.randrange(3),)
        found.label = Tracked(1)
        world.functions[source.randrange(3)] = world.adder(1)
    return found(), found(1, 2, key=3), getattr(found, "label", None)


@operation
def set_operations(world, source):
    found = source.choice(world.sets)
    found.update(range(source.randrange(10)))
    found ^= {source.randrange(40)}
    found.pop()
    return sorted(found), frozenset(found) <= found, found.copy()


@operation
def sizes(world, source):
    return (
        [len(found) for found in world.lists + world.dicts + world.sets + world.deques],
        world.lists[0] == world.lists[1],
        world.dicts[0] == world.dicts[1],
        repr(world.lists[2]),
        max(world.sets[0], default=0),
    )


@operation
def order(world, source):
    found = source.choice(world.dicts)
    found.setdefault(source.randrange(50), Tracked(1))
    key, value = found.popitem()
    found[key] = value
    return list(reversed(found)), found | {1: 2}


@operation
def locals_of_others(world, source):
    for frame in sys._current_frames().values():
        if frame is not sys._getframe():
            return frame.f_lineno, frame.f_code.co_name


def run(number, seed, world, steps, problems, guarded):
    source = random.Random(f"{seed} {number}")
    done = 0
    for _ in range(steps):
        operation = source.choice(OPERATIONS)
        try:
            operation(world, source)
        except EXPECTED:
            pass
        except BaseException as error:
            problems.append((operation.__name__, repr(error)))
            return
        if operation is count:
            done += 1
    guarded.append(done)


def program(seed, threads, steps):
    """Runs one program; what is wrong with it, or None."""
    before = Live.count()
    world = World(seed)
    for name in MODULES:
        sys.modules.pop(name, None)
    problems, guarded = [], []
    running = [
        threading.Thread(target=run, args=(number, seed, world, steps, problems, guarded)) for number in range(threads)
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if problems:
        return problems
    if sum(guarded) != world.guarded:
        return f"{sum(guarded)} increments under a lock made {world.guarded}"
    world.kept.clear()
    world = running = thread = None
    for _ in range(6):
        gc.collect()
    if Live.count() != before:
        return f"{Live.count() - before} objects are lost"


def write_modules(directory):
    for n, name in enumerate(MODULES):
        with open(os.path.join(directory, f"{name}.py"), "w") as file:
            file.write(MODULE.format(other=MODULES[(n + 1) % len(MODULES)], number=n + 3))
    sys.path.insert(0, directory)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--collect", type=int, default=0)
    parser.add_argument("--patience", type=float, default=120.0)
    options = parser.parse_args()
    faulthandler.enable()
    # Functions and classes that are there before the first thread is may live for ever.
    threading.Thread(target=int).start()
    if options.collect:
        gc.set_threshold(options.collect, 10, 10)
    with tempfile.TemporaryDirectory() as directory:
        write_modules(directory)
        return run_programs(options)


def run_programs(options):
    deadline = time.monotonic() + options.minutes * 60
    seed = options.seed
    done = 0
    while done < options.programs or time.monotonic() < deadline:
        faulthandler.dump_traceback_later(options.patience, exit=True)
        problem = program(seed, options.threads, options.steps)
        if problem:
            print(f"seed {seed}: {problem}")
            return 1
        seed += 1
        done += 1
    faulthandler.cancel_dump_traceback_later()
    print(f"{done} programs, seeds {options.seed} to {seed - 1}: nothing wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main())
