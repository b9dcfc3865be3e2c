"""Mandelbrot set by float loops, and again by complex numbers."""

from harness import run


def floats(width, height, limit):
    inside = 0
    for row in range(height):
        ci = 2.0 * row / height - 1.0
        for column in range(width):
            cr = 2.0 * column / width - 1.5
            zr = zi = 0.0
            for _ in range(limit):
                rr, ii = zr * zr, zi * zi
                if rr + ii > 4.0:
                    break
                zi = 2.0 * zr * zi + ci
                zr = rr - ii + cr
            else:
                inside += 1
    return inside


def complexes(width, height, limit):
    inside = 0
    for row in range(height):
        for column in range(width):
            z, c = 0j, complex(2.0 * column / width - 1.5, 2.0 * row / height - 1.0)
            for _ in range(limit):
                if abs(z) > 2.0:
                    break
                z = z * z + c
            else:
                inside += 1
    return inside


run(lambda: (floats(80, 60, 50), complexes(40, 30, 50)))
