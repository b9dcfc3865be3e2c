"""Attribute loads behind guards: other shapes, other classes, descriptors that come later, unset slots."""

import sys


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


class Other:
    def __init__(self, y, x):
        self.y = y
        self.x = x


class Slotted:
    __slots__ = ("x", "y")


def total(point, count):
    i = result = 0
    while i < count:
        result = result + point.x * 2 - point.y
        i += 1
    return result


def over(points):
    i = result = 0
    count = len(points)
    while i < count:
        point = points[i]
        result = result + point.x
        i += 1
    return result


def changing(point, count):
    i = result = 0
    while i < count:
        result = result + point.x
        if i == 120:
            Point.x = property(lambda self: 1000)
        if i == 160:
            del Point.x
        if i == 200:
            point.__dict__["x"] = 7
        if i == 240:
            point.z = 1
        i += 1
    return result


def objects(point, count):
    """The attribute is an object, whose references count."""
    i = 0
    before = sys.getrefcount(point.x)
    while i < count:
        text = point.x
        i += 1
    del text
    return before == sys.getrefcount(point.x)


def chain(node, count):
    i = result = 0
    while i < count:
        result = result + node.x.x.y
        i += 1
    return result


print(total(Point(3, 4), 500))
print(total(Point(0.5, 0.25), 500))
print(total(Other(3, 4), 500))
slotted = Slotted()
slotted.x, slotted.y = 5, 6
print(total(slotted, 500))
print(over([Point(i, 0) for i in range(200)] + [Other(0, i) for i in range(200)]))
print(changing(Point(1, 2), 300))
print(objects(Point("a text that nobody else has " + str(len(sys.argv)), 0), 300))
print(chain(Point(Point(Point(1, 2), 3), 4), 300))
try:
    over([Point(1, 1)] * 100 + [Slotted()])
except AttributeError as error:
    print(error)
