"""Dictionaries and sets: counting, grouping, inversion, set algebra, tuple keys, deletion."""

from harness import run


def work():
    numbers, seed = [], 1
    for _ in range(15000):
        seed = seed * 48271 % 2147483647
        numbers.append(seed % 5000)
    counts = {}
    for number in numbers:
        if number in counts:
            counts[number] += 1
        else:
            counts[number] = 1
    groups = {}
    for number, count in counts.items():
        groups.setdefault(count, []).append(number)
    inverted = {count: frozenset(group) for count, group in groups.items()}
    evens, threes = {n for n in numbers if n % 2 == 0}, {n for n in numbers if n % 3 == 0}
    algebra = len(evens | threes), len(evens & threes), len(evens - threes), len(evens ^ threes)
    grid = {(x, y): x * y for x in range(80) for y in range(80)}
    total = sum(grid[x, y] for x in range(0, 80, 3) for y in range(80) if (x, y) in grid)
    queue = {}
    for step in range(15000):
        queue[step] = step
        if len(queue) > 50:
            del queue[step - 50]
    names = {f"name{n % 700}": n for n in range(8000)}
    hits = sum(1 for n in range(8000) if f"name{n}" in names)
    merged = {**names, "extra": 1} | {"more": 2}
    return len(counts), sorted(groups)[:3], len(inverted), algebra, total, len(queue), hits, len(merged)


run(work)
