"""Sorting: the built-in with keys, and quick, merge and heap sort in Python."""

from harness import run


def numbers(n):
    out, seed = [], 7
    for _ in range(n):
        seed = seed * 16807 % 2147483647
        out.append(seed % 100003)
    return out


def quick(items, low, high):
    while low < high:
        pivot = items[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while items[i] < pivot:
                i += 1
            while items[j] > pivot:
                j -= 1
            if i <= j:
                items[i], items[j] = items[j], items[i]
                i += 1
                j -= 1
        quick(items, low, j)
        low = i


def merge(items):
    if len(items) < 2:
        return items
    middle = len(items) // 2
    left, right = merge(items[:middle]), merge(items[middle:])
    out, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            out.append(left[i])
            i += 1
        else:
            out.append(right[j])
            j += 1
    return out + left[i:] + right[j:]


def heap(items):
    def sift(start, end):
        root = start
        while (child := 2 * root + 1) < end:
            if child + 1 < end and items[child] < items[child + 1]:
                child += 1
            if items[root] >= items[child]:
                return
            items[root], items[child] = items[child], items[root]
            root = child

    for start in range(len(items) // 2 - 1, -1, -1):
        sift(start, len(items))
    for end in range(len(items) - 1, 0, -1):
        items[0], items[end] = items[end], items[0]
        sift(0, end)
    return items


def work():
    data = numbers(4000)
    expected = sorted(data)
    by_quick = data[:]
    quick(by_quick, 0, len(by_quick) - 1)
    assert by_quick == expected == merge(data) == heap(data[:])
    records = [(n % 100, str(n), n / 7) for n in numbers(8000)]
    by_key = sorted(records, key=lambda record: (record[0], -record[2]))
    by_key.sort(key=lambda record: record[1], reverse=True)
    return expected[:3], by_key[0], by_key[-1]


run(work)
