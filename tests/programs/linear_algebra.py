"""Matrices over any field: elimination, LU, QR, eigenvalues by iteration, exact fractions, floats and integers mod p."""

import math
import operator
from fractions import Fraction
from functools import cached_property, reduce
from itertools import permutations, product, starmap


class Singular(ArithmeticError):
    pass


class Mod:
    __slots__ = ("n", "p")

    def __init__(self, n, p=101):
        self.n, self.p = n % p, p

    def lift(self, other):
        return Mod(other, self.p) if isinstance(other, int) else other

    def __add__(self, other):
        return Mod(self.n + self.lift(other).n, self.p)

    def __sub__(self, other):
        return Mod(self.n - self.lift(other).n, self.p)

    def __mul__(self, other):
        return Mod(self.n * self.lift(other).n, self.p)

    def __truediv__(self, other):
        return self * Mod(pow(self.lift(other).n, -1, self.p), self.p)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return Mod(-self.n, self.p)

    def __eq__(self, other):
        return self.n == self.lift(other).n

    def __hash__(self):
        return hash(self.n)

    def __abs__(self):
        return self.n

    def __repr__(self):
        return f"{self.n}"


class Matrix:
    def __init__(self, rows):
        self.rows = [list(row) for row in rows]
        if len({len(row) for row in self.rows}) != 1:
            raise ValueError("rows of different lengths")

    @classmethod
    def identity(cls, n, one=1):
        return cls([[one if i == j else one * 0 for j in range(n)] for i in range(n)])

    @classmethod
    def build(cls, m, n, function):
        return cls([[function(i, j) for j in range(n)] for i in range(m)])

    @property
    def shape(self):
        return len(self.rows), len(self.rows[0])

    @cached_property
    def T(self):
        return Matrix(zip(*self.rows))

    def __getitem__(self, key):
        match key:
            case (int(i), int(j)):
                return self.rows[i][j]
            case (slice() as i, slice() as j):
                return Matrix([row[j] for row in self.rows[i]])
            case int(i):
                return self.rows[i]
        raise TypeError(f"bad index {key!r}")

    def map(self, function):
        return Matrix([[function(x) for x in row] for row in self.rows])

    def zip(self, other, function):
        if self.shape != other.shape:
            raise ValueError(f"shapes {self.shape} and {other.shape}")
        return Matrix([list(map(function, a, b)) for a, b in zip(self.rows, other.rows)])

    def __add__(self, other):
        return self.zip(other, operator.add)

    def __sub__(self, other):
        return self.zip(other, operator.sub)

    def __mul__(self, scalar):
        return self.map(lambda x: x * scalar)

    __rmul__ = __mul__

    def __neg__(self):
        return self.map(operator.neg)

    def __matmul__(self, other):
        if self.shape[1] != other.shape[0]:
            raise ValueError(f"shapes {self.shape} and {other.shape}")
        columns = other.T.rows
        return Matrix([[sum(starmap(operator.mul, zip(row, column))) for column in columns] for row in self.rows])

    def __pow__(self, n):
        if n < 0:
            return self.inverse() ** -n
        result, base = Matrix.identity(self.shape[0], self.rows[0][0] ** 0 if not isinstance(self[0, 0], Mod) else Mod(1)), self
        while n:
            if n & 1:
                result = result @ base
            base, n = base @ base, n >> 1
        return result

    def __eq__(self, other):
        return isinstance(other, Matrix) and self.rows == other.rows

    def close(self, other, tolerance=1e-9):
        return all(math.isclose(a, b, abs_tol=tolerance) for r, s in zip(self.rows, other.rows) for a, b in zip(r, s))

    def __str__(self):
        cells = [[f"{x:.4f}" if isinstance(x, float) else str(x) for x in row] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*cells)]
        return "\n".join("[" + "  ".join(cell.rjust(width) for cell, width in zip(row, widths)) + "]" for row in cells)

    def lu(self):
        """P, L, U with P A = L U, and the sign of the permutation."""
        n, _ = self.shape
        u, order, sign = [row[:] for row in self.rows], list(range(n)), 1
        lower = [[u[0][0] * 0] * n for _ in range(n)]
        for k in range(n):
            pivot = max(range(k, n), key=lambda i: abs(u[i][k]))
            if u[pivot][k] == 0:
                raise Singular("the matrix is singular")
            if pivot != k:
                u[k], u[pivot], lower[k], lower[pivot] = u[pivot], u[k], lower[pivot], lower[k]
                order[k], order[pivot] = order[pivot], order[k]
                sign = -sign
            for i in range(k + 1, n):
                factor = lower[i][k] = u[i][k] / u[k][k]
                u[i] = [x - factor * y for x, y in zip(u[i], u[k])]
        for i in range(n):
            lower[i][i] = u[0][0] * 0 + 1
        return order, Matrix(lower), Matrix(u), sign

    def det(self):
        try:
            _, _, u, sign = self.lu()
        except Singular:
            return self[0, 0] * 0
        return reduce(operator.mul, (u[i, i] for i in range(self.shape[0])), sign)

    def det_by_definition(self):
        n = self.shape[0]
        total = 0
        for order in permutations(range(n)):
            inversions = sum(a > b for i, a in enumerate(order) for b in order[i + 1:])
            total = total + math.prod((self[i, j] for i, j in enumerate(order)), start=(-1) ** inversions)
        return total

    def solve(self, b):
        order, lower, u, _ = self.lu()
        n, x = len(order), []
        for i, source in enumerate(order):
            x.append(b[source] - sum(lower[i, j] * x[j] for j in range(i)))
        for i in reversed(range(n)):
            x[i] = (x[i] - sum(u[i, j] * x[j] for j in range(i + 1, n))) / u[i, i]
        return x

    def inverse(self):
        n = self.shape[0]
        unit = Matrix.identity(n, self[0, 0] * 0 + 1)
        return Matrix([self.solve(column) for column in unit.T.rows]).T

    def qr(self):
        q = []
        for column in self.T.rows:
            v = column[:]
            for u in q:
                dot = math.sumprod(u, column)
                v = [a - dot * b for a, b in zip(v, u)]
            norm = math.hypot(*v)
            if norm < 1e-12:
                raise Singular("the columns are dependent")
            q.append([a / norm for a in v])
        q = Matrix(q).T
        return q, q.T @ self

    def eigenvalues(self, steps=200):
        a = self
        for _ in range(steps):
            q, r = a.qr()
            a = r @ q
        return sorted((a[i, i] for i in range(a.shape[0])), reverse=True)

    def rank(self):
        rows, rank = [row[:] for row in self.rows], 0
        for k in range(self.shape[1]):
            pivot = next((i for i in range(rank, len(rows)) if rows[i][k] != 0), None)
            if pivot is None:
                continue
            rows[rank], rows[pivot] = rows[pivot], rows[rank]
            for i in range(rank + 1, len(rows)):
                factor = rows[i][k] / rows[rank][k]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[rank])]
            rank += 1
        return rank


def main():
    hilbert = Matrix.build(4, 4, lambda i, j: Fraction(1, i + j + 1))
    print(hilbert, hilbert.inverse(), sep="\n")
    print("det", hilbert.det(), hilbert.det_by_definition(), hilbert @ hilbert.inverse() == Matrix.identity(4))

    a = Matrix([[2.0, 1.0, -1.0], [-3.0, -1.0, 2.0], [-2.0, 1.0, 2.0]])
    print("solution", [round(x, 10) for x in a.solve([8.0, -11.0, -3.0])])
    order, lower, upper, sign = a.lu()
    print(order, sign, lower, upper, sep="\n")
    print((lower @ upper).close(Matrix([a[i] for i in order])))
    q, r = a.qr()
    print("QR", (q @ r).close(a), (q.T @ q).close(Matrix.identity(3, 1.0)))

    symmetric = Matrix([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])
    values = symmetric.eigenvalues()
    print("eigenvalues", " ".join(f"{x:.6f}" for x in values), f"trace {sum(values):.6f} det {math.prod(values):.6f}")

    m = Matrix.build(5, 5, lambda i, j: Mod((i + 2) ** j))
    print(m, "inverse", m.inverse(), sep="\n")
    print("mod 101:", m.det(), m.det_by_definition(), all(x == (i == j) for i, row in enumerate((m @ m.inverse()).rows)
                                                          for j, x in enumerate(row)))

    fibonacci = Matrix([[1, 1], [1, 0]])
    print("fib", [(fibonacci ** n)[0, 1] for n in (0, 1, 10, 90, 200)])
    big = Matrix.build(12, 12, lambda i, j: Fraction((i * j + i + j) % 13))
    print("12x12 det", big.det(), "rank", big.rank(), Matrix([[1, 2], [2, 4]]).map(Fraction).rank())
    print(big[2:4, ::5], big.T[0] == [row[0] for row in big.rows], (-2 * a + a * 3 - a).rows)

    for attempt in [lambda: Matrix([[1, 2], [3]]), lambda: a @ fibonacci, lambda: a + fibonacci,
                    lambda: Matrix([[1.0, 2.0], [2.0, 4.0]]).inverse(), lambda: a["x"],
                    lambda: Matrix([[1.0, 1.0], [1.0, 1.0]]).qr(), lambda: Mod(5) / Mod(0)]:
        try:
            print(attempt())
        except Exception as error:
            print(f"{type(error).__name__}: {error}")
    print(sum(x * y for x, y in product(range(20), repeat=2)), Matrix([[1.0, 2.0], [2.0, 4.0]]).det())


main()
