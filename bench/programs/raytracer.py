"""A small ray tracer: vectors as objects with operators."""

from harness import run


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x, self.y, self.z = x, y, z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def unit(self):
        return self * (1.0 / self.dot(self) ** 0.5)


class Sphere:
    def __init__(self, centre, radius, colour, mirror):
        self.centre, self.radius, self.colour, self.mirror = centre, radius, colour, mirror

    def hit(self, origin, direction):
        to = self.centre - origin
        along = to.dot(direction)
        square = self.radius ** 2 - to.dot(to) + along * along
        if along < 0.0 or square < 0.0:
            return None
        distance = along - square ** 0.5
        return distance if distance > 1e-6 else None

    def normal(self, point):
        return (point - self.centre).unit()


class Floor:
    colour, mirror = 0.4, 0.1

    def hit(self, origin, direction):
        if direction.y >= -1e-6:
            return None
        return (-1.0 - origin.y) / direction.y

    def normal(self, point):
        return Vector(0.0, 1.0, 0.0)


SCENE = [Sphere(Vector(0.0, 0.0, 5.0), 1.0, 0.9, 0.3), Sphere(Vector(1.5, 0.5, 4.0), 0.6, 0.6, 0.2),
         Sphere(Vector(-1.4, -0.3, 4.2), 0.7, 0.7, 0.0), Floor()]
LIGHT = Vector(4.0, 6.0, 0.0)


def trace(origin, direction, depth):
    nearest, thing = 1e9, None
    for each in SCENE:
        distance = each.hit(origin, direction)
        if distance is not None and distance < nearest:
            nearest, thing = distance, each
    if thing is None:
        return 0.1 + 0.2 * max(direction.y, 0.0)
    point = origin + direction * nearest
    normal = thing.normal(point)
    to_light = (LIGHT - point).unit()
    start = point + normal * 1e-4
    shaded = any(each.hit(start, to_light) is not None for each in SCENE)
    brightness = 0.1 if shaded else max(0.1, normal.dot(to_light))
    colour = thing.colour * brightness
    if thing.mirror and depth:
        colour += thing.mirror * trace(start, direction - normal * (2.0 * direction.dot(normal)), depth - 1)
    return colour


def work(width=44, height=32):
    total = 0.0
    for y in range(height):
        for x in range(width):
            direction = Vector((x - width / 2) / width * 1.6, (height / 2 - y) / height * 1.2, 1.0).unit()
            total += trace(Vector(0.0, 0.0, 0.0), direction, 2)
    return round(total, 6)


run(work)
