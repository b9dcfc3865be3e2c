"""Building and taking apart strings: concatenation, join, format, split, replace, encode."""

from harness import run


def concatenate(n):
    text = ""
    for i in range(n):
        text += chr(97 + i % 26)
    return len(text)


def words(n):
    text = " ".join("word%d" % (i % 100) for i in range(n))
    counts = {}
    for word in text.split():
        word = word.upper().lower().strip("w").replace("or", "0r")
        counts[word] = counts.get(word, 0) + 1
    return len(text), len(counts), max(counts.values())


def formats(n):
    out = []
    for i in range(n):
        out.append(f"{i:>6}|{i / 3:.2f}|{'x' * (i % 5)!r}|{i:#x}")
        out.append("%s-%05d" % (i, i))
        out.append("{}:{name}".format(i, name="n"))
    return len("\n".join(out).encode("utf-8"))


def scan(n):
    line = "key=value; other=thing; last=one\n"
    found = 0
    for _ in range(n):
        for part in line.rstrip().split("; "):
            key, _, value = part.partition("=")
            if key.startswith("o") or value.endswith("e") and "alu" in value:
                found += line.find(value) + value.count("e")
    return found


def reverse(n):
    total = 0
    for i in range(n):
        text = str(i)
        if text == text[::-1]:
            total += ord(text[0]) + len(text.zfill(8))
    return total


run(lambda: (concatenate(20000), words(6000), formats(2500), scan(3000), reverse(20000)))
