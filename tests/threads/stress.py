"""Random programs of several threads that share what they work on.

    stress.py [--seed N] [--minutes M] [--threads T] [--steps S]

A program is given by its seed: some shared objects (lists, dicts, sets, deques, instances, classes, generators, iterators,
weak references) and for each thread a run of random operations on them. Operations may fail with the exceptions that such
races have in Python; nothing else may happen: no other exception, no crash, no hang. When a program is over and what it
made is collected, as many instances of its classes are alive as before.
"""

import argparse
import collections
import faulthandler
import gc
import random
import sys
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
        self.lock = threading.Lock()
        self.counter = 0
        self.guarded = 0

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
    world.iterators[source.randrange(3)] = iter(source.choice(world.lists + world.dicts + world.sets))


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
    world = running = thread = None
    for _ in range(4):
        gc.collect()
    if Live.count() != before:
        return f"{Live.count() - before} objects are lost"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--steps", type=int, default=2000)
    options = parser.parse_args()
    faulthandler.enable()
    deadline = time.monotonic() + options.minutes * 60
    seed = options.seed
    done = 0
    while done < options.programs or time.monotonic() < deadline:
        faulthandler.dump_traceback_later(120, exit=True)
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
