"""Classes in motion: attributes, properties, slots, inheritance, descriptors, class attributes that change."""

from harness import run


class Base:
    kind, made = "base", 0

    def __init__(self, value):
        self.value = value
        type(self).made += 1

    def area(self):
        return self.value

    def describe(self):
        return self.area() + len(self.kind)

    @property
    def double(self):
        return self.value * 2

    @double.setter
    def double(self, value):
        self.value = value // 2

    @classmethod
    def make(cls, value):
        return cls(value)

    @staticmethod
    def clamp(value):
        return value if value < 1000 else value - 1000


class Square(Base):
    kind = "square"

    def area(self):
        return self.value * self.value % 1000


class Circle(Base):
    kind = "circle"

    def area(self):
        return super().area() * 3

    def __getattr__(self, name):
        if name == "radius":
            return self.value
        raise AttributeError(name)


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Slotted(self.x + other.x, self.y + other.y)

    def __eq__(self, other):
        return self.x == other.x and self.y == other.y


class Limited:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        return self if instance is None else instance.__dict__[self.name]

    def __set__(self, instance, value):
        instance.__dict__[self.name] = min(value, 100)


class Holder:
    level = Limited()


def work():
    total = 0
    shapes = [kind.make(i) for i in range(300) for kind in (Base, Square, Circle)]
    for _ in range(6):
        for shape in shapes:
            total += shape.describe()
            shape.double = shape.double + 2
            total = Base.clamp(total)
    for shape in shapes:
        if isinstance(shape, Circle):
            total += shape.radius
        shape.extra = total & 7
        total += getattr(shape, "extra") + hasattr(shape, "missing")
        del shape.extra
    point = Slotted(0, 0)
    for i in range(5000):
        point = point + Slotted(i, 1)
    holder = Holder()
    for i in range(4000):
        holder.level = i
        total += holder.level
    for i in range(60):
        Square.kind = "s" * i
        total += shapes[1].describe()
        dynamic = type(f"Dynamic{i}", (Base,), {"area": lambda self: 1})
        total += dynamic(i).describe()
    Square.kind = "square"
    Base.made = 0
    return total, point.x, point == Slotted(point.x, 5000)


run(work)
