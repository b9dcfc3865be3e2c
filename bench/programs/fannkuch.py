"""Pancake flips over all permutations: list indexing and slices."""

from harness import run


def fannkuch(n):
    perm, count = list(range(n)), list(range(1, n + 1))
    most = checksum = number = 0
    r = n
    while True:
        while r != 1:
            count[r - 1] = r
            r -= 1
        if perm[0]:
            flips, p = 0, perm[:]
            while k := p[0]:
                p[:k + 1] = p[k::-1]
                flips += 1
            if flips > most:
                most = flips
            checksum += flips if number % 2 == 0 else -flips
        number += 1
        while True:
            if r == n:
                return checksum, most
            perm.insert(r, perm.pop(0))
            count[r] -= 1
            if count[r] > 0:
                break
            r += 1


run(lambda: fannkuch(8))
