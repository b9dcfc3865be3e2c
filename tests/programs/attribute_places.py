"""Attributes in the object, beside it, in a dict and in the class, and how they hide one another while code runs."""


class Point:
    shared = 5

    def __init__(self):
        self.x = 1
        self.y = 2

    def method(self):
        return self.x

    @property
    def computed(self):
        return "computed"


def watch(point):
    seen = []
    for step in range(5):
        seen.append((point.x, point.y, point.shared, point.method(), point.computed))
        if step == 2:
            point.__dict__["shared"] = 7
        if step == 3:
            point.__dict__["method"] = lambda: "own"
        point.x = step
    return seen


plain, in_dict, replaced = Point(), Point(), Point()
vars(in_dict)
replaced.__dict__ = {"y": 9, "x": 8}
for point in plain, in_dict, replaced, Point():
    print(watch(point))

without = Point()
del vars(without)["x"]
try:
    watch(without)
except AttributeError as error:
    print(error)

# The same names at other places of their dicts.
turned = Point()
turned.__dict__ = {"y": 2, "z": 3, "x": 1}
for _ in range(3):
    for point in in_dict, turned, replaced:
        point.x += 1
        point.y = point.x
        print(point.x, point.y, list(vars(point)))


class Fallback:
    kept = 3

    def __init__(self):
        self.own = 1

    def __getattr__(self, name):
        return f"fallback {name}"

    def method(self):
        return self.own

    @property
    def failing(self):
        raise AttributeError("failing")


def look(object):
    return [(object.own, object.kept, object.method(), object.missing, object.failing) for _ in range(4)]


fallback = Fallback()
print(look(fallback))
vars(fallback)
print(look(fallback))
del fallback.own
print(look(fallback))
Fallback.kept = 4
print(look(fallback))
del Fallback.kept
print(look(fallback))


class Growing:
    pass


objects = []
for count in range(200):
    growing = Growing()
    objects.append(growing)
    for number in range(count % 40):
        setattr(growing, f"field{number}", number)


def total(object):
    result = 0
    for _ in range(3):
        result += getattr(object, "field7", 0)
        if hasattr(object, "field30"):
            object.field30 += 1
            result += object.field30
    return result


def last(object):
    try:
        return object.field30
    except AttributeError:
        return None


print(sum(map(total, objects)), [last(object) for object in objects].count(None))
print(sum(len(vars(object)) for object in objects), sum(map(total, objects)))
