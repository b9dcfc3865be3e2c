"""Attributes whose places change while one and the same instruction reads them."""


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def method(self):
        return self.y


class Sub(Point):
    pass


def read(point, count, change):
    out = []
    for step in range(count):
        out.append(point.x)
        change(step, point)
    return out


def call(point, count, change):
    out = []
    for step in range(count):
        out.append(point.method())
        change(step, point)
    return out


def becomes_a_property(step, point):
    if step == 3:
        type(point).x = property(lambda self: 1000)
    if step == 6:
        del type(point).x


def becomes_another_method(step, point):
    if step == 3:
        type(point).method = lambda self: self.x * 100
    if step == 6:
        type(point).method = property(lambda self: lambda: "of a property")
    if step == 9:
        point.method = lambda: "its own"


for cls in Point, Sub, Point:
    print(read(cls(1, 2), 10, becomes_a_property))
    print(read(cls("text", 2), 10, becomes_a_property))
for cls in Sub, Point:
    try:
        print(call(cls(1, 2), 10, becomes_another_method))
    except AttributeError as error:
        print(error)
