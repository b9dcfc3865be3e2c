"""One-way constraints in the manner of DeltaBlue: a graph of objects, planning and propagation by small methods."""

from harness import run

REQUIRED, STRONG, MEDIUM, WEAK, WEAKEST = range(5)


class Variable:
    def __init__(self, value):
        self.value, self.constraints, self.determined_by = value, [], None
        self.mark, self.strength, self.stay = 0, WEAKEST, True


class Constraint:
    def __init__(self, planner, strength):
        self.planner, self.strength = planner, strength

    def install(self):
        for variable in self.variables():
            variable.constraints.append(self)
        self.planner.add(self)

    def satisfied(self):
        return self.output() is not None and self.output().determined_by is self


class Edit(Constraint):
    def __init__(self, planner, variable, strength):
        super().__init__(planner, strength)
        self.variable, self.active = variable, False
        self.install()

    def variables(self):
        return [self.variable]

    def inputs(self):
        return []

    def output(self):
        return self.variable if self.active else None

    def choose(self, mark):
        self.active = self.variable.mark != mark and self.strength < self.variable.strength
        return self.active

    def forget(self):
        self.active = False

    def is_input(self):
        return True

    def recalculate(self):
        self.variable.strength, self.variable.stay = self.strength, False

    def execute(self):
        pass


class Scale(Constraint):
    """out = in * factor + offset, in either direction."""

    def __init__(self, planner, source, target, factor, offset, strength):
        super().__init__(planner, strength)
        self.source, self.target, self.factor, self.offset = source, target, factor, offset
        self.direction = 0
        self.install()

    def variables(self):
        return [self.source, self.target]

    def inputs(self):
        return [self.source if self.direction > 0 else self.target]

    def output(self):
        if self.direction == 0:
            return None
        return self.target if self.direction > 0 else self.source

    def choose(self, mark):
        a, b = self.source, self.target
        if a.mark == mark:
            self.direction = 1 if b.mark != mark and self.strength < b.strength else 0
        elif b.mark == mark:
            self.direction = -1 if a.mark != mark and self.strength < a.strength else 0
        elif a.strength > b.strength:
            self.direction = -1 if self.strength < a.strength else 0
        else:
            self.direction = 1 if self.strength < b.strength else 0
        return self.direction != 0

    def forget(self):
        self.direction = 0

    def is_input(self):
        return False

    def recalculate(self):
        source, target = self.inputs()[0], self.output()
        target.strength = max(self.strength, source.strength)
        target.stay = source.stay
        if target.stay:
            self.execute()

    def execute(self):
        if self.direction > 0:
            self.target.value = self.source.value * self.factor + self.offset
        else:
            self.source.value = (self.target.value - self.offset) // self.factor


class Planner:
    def __init__(self):
        self.mark = 0

    def next_mark(self):
        self.mark += 1
        return self.mark

    def add(self, constraint):
        mark = self.next_mark()
        overridden = self.satisfy(constraint, mark)
        while overridden is not None:
            overridden = self.satisfy(overridden, mark)

    def satisfy(self, constraint, mark):
        if not constraint.choose(mark):
            return None
        for variable in constraint.inputs():
            variable.mark = mark
        out = constraint.output()
        overridden = out.determined_by
        if overridden is not None:
            overridden.forget()
        out.determined_by = constraint
        self.propagate(constraint, mark)
        out.mark = mark
        return overridden

    def propagate(self, constraint, mark):
        todo = [constraint]
        while todo:
            each = todo.pop()
            if each.output().mark == mark:
                continue
            each.recalculate()
            todo.extend(self.consumers(each.output()))

    def consumers(self, variable):
        return [c for c in variable.constraints if c is not variable.determined_by and c.satisfied()]

    def plan(self, edits):
        mark = self.next_mark()
        plan, hot = [], [edit for edit in edits if edit.satisfied()]
        while hot:
            constraint = hot.pop()
            out = constraint.output()
            if out.mark != mark and all(v.mark == mark or v.stay for v in constraint.inputs()):
                plan.append(constraint)
                out.mark = mark
                hot.extend(self.consumers(out))
        return plan


def chain(length, edits):
    planner = Planner()
    variables = [Variable(0) for _ in range(length + 1)]
    for at, (a, b) in enumerate(zip(variables, variables[1:])):
        Scale(planner, a, b, 1 + at % 2, at % 3, REQUIRED)
    edit = Edit(planner, variables[0], MEDIUM)
    plan = planner.plan([edit])
    total = 0
    for value in range(edits):
        variables[0].value = value
        for constraint in plan:
            constraint.execute()
        total += variables[-1].value & 0xFFFF
    return total, len(plan)


def fan(width):
    planner = Planner()
    source = Variable(10)
    targets = [Variable(n) for n in range(width)]
    for n, target in enumerate(targets):
        Edit(planner, target, WEAK)
        Scale(planner, source, target, 10, n, REQUIRED)
    edit = Edit(planner, source, STRONG)
    plan = planner.plan([edit])
    total = 0
    for value in range(30):
        source.value = value
        for constraint in plan:
            constraint.execute()
        total += sum(target.value for target in targets)
    return total, len(plan)


run(lambda: (chain(60, 300), fan(150)))
