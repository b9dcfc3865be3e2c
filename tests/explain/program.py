class Point:
    def __init__(self, x):
        self.x = x

    @property
    def double(self):
        return self.x * 2


def total(points):
    result = 0
    for point in points:
        if point.double > 10:
            result += point.x
        else:
            result -= 0.5
    return result, "ü", len(points)


print(total([Point(i) for i in range(100)]))
