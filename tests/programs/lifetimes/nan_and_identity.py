nan = float("nan")
other = float("nan")
print(nan is other, nan == nan, [nan] == [nan], [nan] == [other], nan in [nan], other in [nan])
print({nan: 1}.get(nan), {nan: 1}.get(other), len({nan, other, nan}))
print((nan,) == (nan,), (nan,) == (other,), [nan, other].index(other), [nan, other].count(nan))
inf = float("inf")
x = inf - inf
print([x] == [x], [x] == [inf - inf], {x} == {x})
import math
print([math.nan] == [math.nan], [math.nan] == [-math.nan], hash(nan) == hash(nan))
z = 0.0
print([z] == [-z], z is -z, {0.0: 1}.get(-0.0))
c = complex(nan, 1)
print(c == c, [c] == [c], c in [c])
import copy, pickle
print(copy.copy(nan) is nan, copy.deepcopy([nan])[0] is nan, pickle.loads(pickle.dumps(nan)) is nan)
m = max([nan, 1.0]), min([1.0, nan]), sorted([2.0, nan, 1.0])
print(m)
