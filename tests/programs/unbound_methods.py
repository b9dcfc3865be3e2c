"""Methods of built-in types called without being looked up on an object: the register of a `self` has what was there before."""
append = list.append
join = str.join
upper = str.upper
def garbage(n):
    # Its words stay where the next call is made.
    values = [object() for _ in range(n)]
    return values.__len__() + len(values)
def run(target, n):
    texts = []
    for k in range(n):
        append(target, garbage(3))
        garbage(2); append(target, upper("x"))
        texts.append(join("-", ("a", str(k))))
        garbage(1)
        append(texts, upper("done"))
    return texts
print(len(run([], 50)), run([], 3))
