"""Planets under gravity: float arithmetic on attributes."""

from harness import run


class Body:
    def __init__(self, x, y, z, vx, vy, vz, mass):
        self.x, self.y, self.z = x, y, z
        self.vx, self.vy, self.vz = vx, vy, vz
        self.mass = mass


def system():
    bodies = [
        Body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.478),
        Body(4.84, -1.16, -0.10, 0.606, 2.81, -0.02, 0.0377),
        Body(8.34, 4.12, -0.40, -1.01, 1.82, 0.008, 0.0113),
        Body(12.89, -15.11, -0.22, 1.08, 0.87, -0.01, 0.0017),
        Body(15.38, -25.92, 0.18, 0.98, 0.59, -0.034, 0.002),
    ]
    sun = bodies[0]
    sun.vx = -sum(b.vx * b.mass for b in bodies[1:]) / sun.mass
    sun.vy = -sum(b.vy * b.mass for b in bodies[1:]) / sun.mass
    sun.vz = -sum(b.vz * b.mass for b in bodies[1:]) / sun.mass
    return bodies


def advance(pairs, bodies, dt, steps):
    for _ in range(steps):
        for a, b in pairs:
            dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
            square = dx * dx + dy * dy + dz * dz
            pull = dt / (square * square ** 0.5)
            am, bm = a.mass * pull, b.mass * pull
            a.vx -= dx * bm
            a.vy -= dy * bm
            a.vz -= dz * bm
            b.vx += dx * am
            b.vy += dy * am
            b.vz += dz * am
        for body in bodies:
            body.x += dt * body.vx
            body.y += dt * body.vy
            body.z += dt * body.vz


def energy(pairs, bodies):
    total = sum(b.mass * (b.vx ** 2 + b.vy ** 2 + b.vz ** 2) / 2 for b in bodies)
    for a, b in pairs:
        distance = ((a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2) ** 0.5
        total -= a.mass * b.mass / distance
    return total


def work():
    bodies = system()
    pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1:]]
    advance(pairs, bodies, 0.01, 8000)
    return round(energy(pairs, bodies), 9)


run(work)
