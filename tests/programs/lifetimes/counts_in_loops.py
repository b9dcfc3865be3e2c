import sys
items = [object() for _ in range(3)]
for item in items:
    print(sys.getrefcount(item), end=" ")
print(sys.getrefcount(items[-1]), sys.getrefcount(items[0]), sys.getrefcount(items))
for item in (object() for _ in range(2)):
    print(sys.getrefcount(item), end=" ")
print()
def f():
    items = [object() for _ in range(3)]
    for item in items:
        print(sys.getrefcount(item), sys.getrefcount(items), end=" ")
    print(sys.getrefcount(items))
    for i, item in enumerate(items):
        print(sys.getrefcount(item), end=" ")
    for item, other in zip(items, items):
        print(sys.getrefcount(item), end=" ")
    d = dict.fromkeys("ab", items[0])
    for k, v in d.items():
        print(sys.getrefcount(v), end=" ")
    print([sys.getrefcount(x) for x in items], {sys.getrefcount(x) for x in items})
f()
