"""Ints that overflow the machine's, floats that leave the immediate ones, and loops that meet both."""


def ints(count):
    total, square, i = 0, 1, 0
    while i < count:
        total = total + i * 3 - 1
        square = square * 3
        if square > 10**9:
            square = square - 10**9 + i
        i += 1
    return total, square


def floats(count):
    x, y, i = 0.5, 2.0, 0
    while i < count:
        x = x * 1.0001 + y * 0.5 - 0.25
        y = y - x * 0.001
        if y < -100.0:
            y = y + 100.0
        i += 1
    return x, y


def overflow(count):
    n, i = 1, 0
    while i < count:
        n = n * 7 + i
        i += 1
    return n


def extremes(count):
    x, i = 1.0, 0
    seen = []
    while i < count:
        x = x * 1e10
        if i == 60:
            seen.append(x)
            x = 1e-300
        if i == 90:
            seen.append(x)
            x = -0.0
        i += 1
    return seen, x


def mixed(count):
    x, i = 0, 0
    while i < count:
        if i == 70:
            x = 0.5
        if i == 140:
            x = 10**30
        if i == 150:
            x = 3 + 4j
        x = x + i
        i += 1
    return x


def comparisons(count):
    i, kinds = 0, [0, 0, 0, 0, 0, 0]
    x = 0.0
    while i < count:
        a, b = i - 50, 100 - i
        if a < b:
            kinds[0] += 1
        if a <= b:
            kinds[1] += 1
        if a == b:
            kinds[2] += 1
        if a != b:
            kinds[3] += 1
        if x > 20.5:
            kinds[4] += 1
        if x >= 20.5:
            kinds[5] += 1
        equal = a == b
        if equal:
            x = x + 100.0
        x = x + 0.5
        i += 1
    return kinds, x


class Number:
    def __init__(self, value):
        self.value = value

    def __add__(self, other):
        return Number(self.value + other)

    def __lt__(self, other):
        return self.value < other

    def __del__(self):
        gone.append(self.value)


gone = []


def objects(count):
    number = Number(0)
    while number < count:
        number = number + 2
    return number.value


print(ints(1000))
print(floats(1000))
print(overflow(200))
print(extremes(200))
print(mixed(200))
print(comparisons(300))
print(objects(300), len(gone), gone[:3], gone[-3:])
