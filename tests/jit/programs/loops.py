"""Loops of all kinds: what is not compiled is executed by the interpreter between what is."""


def nested(count):
    total = 0
    for i in range(count):
        for j in range(i):
            if j % 3 == 0:
                continue
            if j > 40:
                break
            total += i * j
        else:
            total -= 1
    return total


def pairs(count):
    table = {i: i * i for i in range(count)}
    total = 0
    for key, value in table.items():
        total += key * 2 + value
    return total, [key for key in table if key % 7 == 0][-1]


def closures(count):
    total = 0

    def add(n):
        nonlocal total
        total += n

    i = 0
    while i < count:
        add(i)
        i += 1
    return total


def strings(count):
    text = ""
    i = 0
    while i < count:
        text += chr(97 + i % 26)
        if text.endswith("z"):
            text = text[:-1] + "-"
        i += 1
    return text


def matches(count):
    i, seen = 0, {"pair": 0, "int": 0, "none": 0}
    values = [(1, 2), 5, None]
    while i < count:
        match values[i % 3]:
            case (a, b):
                seen["pair"] += a + b
            case int():
                seen["int"] += 1
            case None:
                seen["none"] += 1
        i += 1
    return seen


def unbound(count):
    i = 0
    while i < count:
        if i == 100:
            del unused
        unused = i
        if i == 120:
            del unused
            return unused
        i += 1


def withs(count):
    class Manager:
        def __enter__(self):
            return 1

        def __exit__(self, *exc):
            return True

    i = total = 0
    while i < count:
        with Manager() as one:
            total += one
            if i % 10 == 0:
                raise KeyError
            total += one
        i += 1
    return total


def fibonacci(n):
    a, b = 0, 1
    while n:
        a, b = b, a + b
        n -= 1
    return a


async def asynchronous(count):
    i = 0
    while i < count:
        await step()
        i += 1
    return i


async def step():
    return 1


print(nested(80))
print(pairs(300))
print(closures(300))
print(strings(200))
print(matches(300))
try:
    print(unbound(300))
except UnboundLocalError as error:
    print(error)
print(withs(200))
print(fibonacci(200))
try:
    asynchronous(200).send(None)
except StopIteration as done:
    print(done.value)
i = 0
total = 0
while i < 500:
    total += i
    i += 1
print(total)
