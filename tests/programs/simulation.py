"""An event-driven simulation: customers, queues, servers with breakdowns, on a heap of events; processes are generators."""

import heapq
import itertools
import random
import statistics
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Callable


@dataclass(order=True)
class Event:
    time: float
    priority: int
    serial: int
    action: Callable = field(compare=False)
    cancelled: bool = field(default=False, compare=False)


class Simulator:
    def __init__(self):
        self.now, self.heap, self.serial, self.fired = 0.0, [], itertools.count(), 0

    def at(self, delay, action, priority=0):
        event = Event(self.now + delay, priority, next(self.serial), action)
        heapq.heappush(self.heap, event)
        return event

    def process(self, generator):
        self.at(0, lambda: self.step(generator))
        return generator

    def step(self, generator, value=None):
        try:
            request = generator.send(value)
        except StopIteration:
            return
        match request:
            case int() | float() as delay:
                self.at(delay, lambda: self.step(generator))
            case Acquire(resource):
                resource.request(lambda: self.step(generator, self.now))
            case _:
                raise TypeError(f"a process asked for {request!r}")

    def run(self, until):
        while self.heap and self.heap[0].time <= until:
            event = heapq.heappop(self.heap)
            if event.cancelled:
                continue
            self.now = event.time
            self.fired += 1
            event.action()
        self.now = until


class Resource:
    def __init__(self, sim, capacity, name):
        self.sim, self.capacity, self.name = sim, capacity, name
        self.busy, self.waiting, self.longest = 0, deque(), 0
        self.area, self.last = 0.0, 0.0

    def account(self):
        self.area += self.busy * (self.sim.now - self.last)
        self.last = self.sim.now

    def request(self, resume):
        self.account()
        if self.busy < self.capacity:
            self.busy += 1
            self.sim.at(0, resume, priority=-1)
        else:
            self.waiting.append(resume)
            self.longest = max(self.longest, len(self.waiting))

    def release(self):
        self.account()
        if self.waiting:
            self.sim.at(0, self.waiting.popleft(), priority=-1)
        else:
            self.busy -= 1

    def utilisation(self):
        self.account()
        return self.area / (self.sim.now * self.capacity)


@dataclass(frozen=True)
class Acquire:
    resource: Resource


class Shop:
    def __init__(self, seed, clerks, rate):
        self.sim, self.rng = Simulator(), random.Random(seed)
        self.clerks = Resource(self.sim, clerks, "clerks")
        self.till = Resource(self.sim, 1, "till")
        self.rate = rate
        self.waits, self.stays, self.outcomes = [], [], Counter()
        self.sim.process(self.arrivals())
        self.sim.process(self.breakdowns())

    def arrivals(self):
        for number in itertools.count(1):
            yield self.rng.expovariate(self.rate)
            self.sim.process(self.customer(number))

    def customer(self, number):
        arrived = self.sim.now
        if len(self.clerks.waiting) > 12:
            self.outcomes["turned away"] += 1
            return
        patience = self.rng.uniform(5, 40)
        state = {"gone": False}

        def give_up():
            state["gone"] = True

        timer = self.sim.at(patience, give_up)
        served = yield Acquire(self.clerks)
        timer.cancelled = True
        if state["gone"]:
            self.outcomes["gave up"] += 1
            self.clerks.release()
            return
        self.waits.append(served - arrived)
        yield self.rng.triangular(1, 9, 3)
        self.clerks.release()
        if self.rng.random() < 0.8:
            yield Acquire(self.till)
            yield 0.5 + self.rng.random()
            self.till.release()
            self.outcomes["bought"] += 1
        else:
            self.outcomes["left"] += 1
        self.stays.append(self.sim.now - arrived)

    def breakdowns(self):
        while True:
            yield self.rng.gauss(120, 10)
            yield Acquire(self.till)
            self.outcomes["till broke"] += 1
            yield self.rng.uniform(3, 8)
            self.till.release()

    def report(self):
        sim = self.sim
        print(f"{sim.fired} events, {sum(self.outcomes.values())} outcomes, {len(sim.heap)} events left")
        for outcome, count in sorted(self.outcomes.items()):
            print(f"  {outcome:<12}{count:>6}")
        for resource in (self.clerks, self.till):
            print(f"  {resource.name}: {resource.utilisation():.1%} used, longest queue {resource.longest}")
        for name, values in (("wait", self.waits), ("stay", self.stays)):
            mean, sd = statistics.fmean(values), statistics.stdev(values)
            quartiles = ", ".join(f"{q:.2f}" for q in statistics.quantiles(values, n=4))
            print(f"  {name}: mean {mean:.3f} sd {sd:.3f} quartiles {quartiles} max {max(values):.2f}")
        histogram = Counter(int(wait // 5) for wait in self.waits)
        for bucket in range(max(histogram) + 1):
            print(f"  {bucket * 5:>3}-{bucket * 5 + 4:<3} {'#' * (histogram[bucket] // 8)}")


def mm1_check():
    """A queue whose mean is known: the simulated one must come close."""
    sim, rng = Simulator(), random.Random(7)
    server, waits = Resource(sim, 1, "server"), []

    def job():
        begun = sim.now
        yield Acquire(server)
        waits.append(sim.now - begun)
        yield rng.expovariate(1.0)
        server.release()

    def source():
        while True:
            yield rng.expovariate(0.5)
            sim.process(job())

    sim.process(source())
    sim.run(until=40_000)
    mean = statistics.fmean(waits)
    print(f"M/M/1: {len(waits)} jobs, mean wait {mean:.4f}, theory 1, {'close' if abs(mean - 1) < 0.1 else 'off'}")


def main():
    for seed, clerks, rate in [(1, 2, 0.4), (2, 3, 0.7), (3, 3, 0.5)]:
        shop = Shop(seed, clerks, rate)
        shop.sim.run(until=1000)
        print(f"seed {seed}, {clerks} clerks, {rate} customers a minute:", end=" ")
        shop.report()
    mm1_check()
    sim = Simulator()
    sim.process(iter([None, "x"]) and (x for x in ["bad"]))
    try:
        sim.run(1)
    except TypeError as error:
        print(error)
    order = []
    for priority, name in [(1, "late"), (0, "a"), (0, "b"), (-1, "first")]:
        sim.at(5, lambda name=name: order.append((sim.now, name)), priority)
    sim.at(2, lambda: order.append((sim.now, "early")))
    sim.at(3, lambda: order.append("never")).cancelled = True
    sim.run(10)
    print(order)


main()
