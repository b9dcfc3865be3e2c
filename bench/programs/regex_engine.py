"""A backtracking regular-expression engine in Python, run on text: closures, recursion, character sets."""

from harness import run


def compile_regex(pattern):
    node, at = parse_alternatives(pattern, 0)
    assert at == len(pattern)
    return node


def parse_alternatives(pattern, at):
    branches = []
    while True:
        items = []
        while at < len(pattern) and pattern[at] not in "|)":
            item, at = parse_item(pattern, at)
            if at < len(pattern) and pattern[at] in "*+?":
                item = {"*": star, "+": plus, "?": optional}[pattern[at]](item)
                at += 1
            items.append(item)
        branches.append(sequence(items))
        if at == len(pattern) or pattern[at] == ")":
            return (branches[0] if len(branches) == 1 else alternatives(branches)), at
        at += 1


def parse_item(pattern, at):
    char = pattern[at]
    if char == "(":
        node, at = parse_alternatives(pattern, at + 1)
        return node, at + 1
    if char == ".":
        return one(lambda c: True), at + 1
    if char == "[":
        end = pattern.index("]", at)
        body, allowed, i = pattern[at + 1:end], set(), 0
        while i < len(body):
            if i + 2 < len(body) and body[i + 1] == "-":
                allowed.update(map(chr, range(ord(body[i]), ord(body[i + 2]) + 1)))
                i += 3
            else:
                allowed.add(body[i])
                i += 1
        return one(allowed.__contains__), end + 1
    if char == "\\":
        return one({"d": str.isdigit, "w": str.isalnum, "s": str.isspace}[pattern[at + 1]]), at + 2
    return one(lambda c: c == char), at + 1


def one(test):
    def match(text, at, then):
        return at < len(text) and test(text[at]) and then(at + 1)
    return match


def sequence(items):
    def match(text, at, then):
        def step(number, at):
            if number == len(items):
                return then(at)
            return items[number](text, at, lambda end: step(number + 1, end))
        return step(0, at)
    return match


def alternatives(branches):
    def match(text, at, then):
        for branch in branches:
            if (end := branch(text, at, then)) is not False:
                return end
        return False
    return match


def star(item):
    def match(text, at, then):
        end = item(text, at, lambda end: end > at and match(text, end, then))
        return end if end is not False else then(at)
    return match


def plus(item):
    more = star(item)

    def match(text, at, then):
        return item(text, at, lambda end: more(text, end, then))
    return match


def optional(item):
    def match(text, at, then):
        end = item(text, at, then)
        return end if end is not False else then(at)
    return match


def find_all(node, text):
    found, at = [], 0
    while at <= len(text):
        end = node(text, at, lambda end: end)
        if end is False or end == at:
            at += 1
        else:
            found.append(text[at:end])
            at = end
    return found


TEXT = "The 12 quick foxes, bob@mail.example and x.y@z.org, ran 3.14 miles on 2024-03-01; aaaaaab. " * 6
PATTERNS = [r"[a-z]+@[a-z]+(.[a-z]+)*", r"\d+-\d\d-\d\d", r"(a|aa)+b", r"\w+\s\w+", r"(quick|slow|ran)\s.", r"\d+(.\d+)?"]


def work():
    return [len(find_all(compile_regex(pattern), TEXT)) for pattern in PATTERNS]


run(work)
