"""An operating system's scheduler, in the manner of Richards: tasks, queues, states, methods by class."""

from harness import run

IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = range(6)
DEVICE, WORK = 0, 1


class Packet:
    def __init__(self, link, ident, kind):
        self.link, self.ident, self.kind = link, ident, kind
        self.datum = 0
        self.data = [0] * 4

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        last = queue
        while last.link is not None:
            last = last.link
        last.link = self
        return queue


class Task:
    def __init__(self, scheduler, ident, priority, queue):
        self.scheduler, self.ident, self.priority, self.queue = scheduler, ident, priority, queue
        self.waiting = queue is None and ident != IDLE
        self.held = False
        scheduler.add(self)

    def take(self):
        packet = self.queue
        if packet is not None:
            self.queue = packet.link
        return packet

    def receive(self, packet, current):
        empty = self.queue is None
        self.queue = packet.append_to(self.queue)
        if empty:
            self.waiting = False
            if self.priority > current.priority:
                return self
        return current

    def wait(self):
        self.waiting = True
        return self

    def ready(self):
        return not self.held and (not self.waiting or self.queue is not None)


class IdleTask(Task):
    def __init__(self, scheduler, count):
        Task.__init__(self, scheduler, IDLE, 0, None)
        self.control, self.count = 1, count

    def step(self):
        self.count -= 1
        if self.count == 0:
            return self.scheduler.hold(self)
        if self.control & 1 == 0:
            self.control //= 2
            return self.scheduler.release(DEVICE_A)
        self.control = self.control // 2 ^ 0xD008
        return self.scheduler.release(DEVICE_B)


class WorkerTask(Task):
    def __init__(self, scheduler, queue):
        Task.__init__(self, scheduler, WORKER, 1000, queue)
        self.target, self.letter = HANDLER_A, 0

    def step(self):
        packet = self.take()
        if packet is None:
            return self.wait()
        self.target = HANDLER_B if self.target == HANDLER_A else HANDLER_A
        packet.ident, packet.datum = self.target, 0
        data, letter = packet.data, self.letter
        for at in range(4):
            letter = letter % 26 + 1
            data[at] = 64 + letter
        self.letter = letter
        return self.scheduler.send(packet)


class HandlerTask(Task):
    def __init__(self, scheduler, ident, priority, queue):
        Task.__init__(self, scheduler, ident, priority, queue)
        self.work = self.devices = None

    def step(self):
        packet = self.take()
        if packet is not None:
            if packet.kind == WORK:
                self.work = packet.append_to(self.work)
            else:
                self.devices = packet.append_to(self.devices)
        work = self.work
        if work is not None:
            if work.datum >= 4:
                self.work = work.link
                return self.scheduler.send(work)
            device = self.devices
            if device is not None:
                self.devices = device.link
                device.datum = work.data[work.datum]
                work.datum += 1
                return self.scheduler.send(device)
        return self.wait()


class DeviceTask(Task):
    def __init__(self, scheduler, ident, priority):
        Task.__init__(self, scheduler, ident, priority, None)
        self.pending = None

    def step(self):
        packet = self.take()
        if packet is None:
            if self.pending is None:
                return self.wait()
            packet, self.pending = self.pending, None
            return self.scheduler.send(packet)
        self.pending = packet
        return self.scheduler.hold(self)


class Scheduler:
    def __init__(self):
        self.tasks, self.order = {}, []
        self.sent = self.holds = 0
        self.current = None

    def add(self, task):
        self.tasks[task.ident] = task
        self.order.insert(0, task)

    def send(self, packet):
        self.sent += 1
        target = self.tasks[packet.ident]
        packet.ident = self.current.ident
        return target.receive(packet, self.current)

    def hold(self, task):
        self.holds += 1
        task.held = True
        return None

    def release(self, ident):
        task = self.tasks[ident]
        task.held = False
        return task if task.priority > self.current.priority else self.current

    def run(self):
        task = None
        while True:
            if task is None or not task.ready():
                for task in self.order:
                    if task.ready():
                        break
                else:
                    return
            self.current = task
            task = task.step()


def work():
    scheduler = Scheduler()
    IdleTask(scheduler, 6000)
    queue = Packet(Packet(None, WORKER, WORK), WORKER, WORK)
    WorkerTask(scheduler, queue)
    for handler, device, priority in ((HANDLER_A, DEVICE_A, 2000), (HANDLER_B, DEVICE_B, 3000)):
        queue = None
        for _ in range(3):
            queue = Packet(queue, device, DEVICE)
        HandlerTask(scheduler, handler, priority, queue)
    DeviceTask(scheduler, DEVICE_A, 4000)
    DeviceTask(scheduler, DEVICE_B, 5000)
    scheduler.run()
    return scheduler.sent, scheduler.holds


run(work)
