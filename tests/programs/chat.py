"""A chat server with clients, over loopback, on asyncio: streams, queues, tasks, timeouts, cancellation, a clean end."""

import asyncio
import contextlib
import contextvars
from collections import Counter

who = contextvars.ContextVar("who", default="nobody")
events = []


def note(text):
    events.append(f"{who.get()}: {text}")


class Room:
    def __init__(self, name):
        self.name, self.members, self.history = name, {}, []

    def say(self, sender, text):
        line = f"[{self.name}] {sender}: {text}"
        self.history.append(line)
        for member in self.members.values():
            member.outbox.put_nowait(line)


class Session:
    def __init__(self, server, reader, writer):
        self.server, self.reader, self.writer = server, reader, writer
        self.outbox = asyncio.Queue()
        self.name = self.room = None
        self.counts = Counter()

    async def run(self):
        try:
            async with asyncio.timeout(10):
                self.name = (await self.line()).removeprefix("NAME ")
            who.set(f"session {self.name}")
            if self.name in self.server.sessions:
                await self.reply("ERR name taken")
                return
            self.server.sessions[self.name] = self
            await self.reply(f"OK {self.name}")
            async with asyncio.TaskGroup() as group:
                pump = group.create_task(self.pump(), name=f"pump-{self.name}")
                await self.listen()
                pump.cancel()
        except ConnectionError as error:
            note(f"lost: {error}")
        finally:
            self.server.sessions.pop(self.name, None)
            self.leave()
            self.writer.close()
            with contextlib.suppress(ConnectionError):
                await self.writer.wait_closed()
            note(f"ended {sorted(self.counts.items())}")

    async def line(self):
        data = await self.reader.readline()
        if not data:
            raise ConnectionResetError("the client went away")
        return data.decode().rstrip("\n")

    async def reply(self, text):
        self.writer.write(f"{text}\n".encode())
        await self.writer.drain()

    async def pump(self):
        while True:
            await self.reply(await self.outbox.get())
            self.counts["out"] += 1

    async def listen(self):
        while True:
            command, _, rest = (await self.line()).partition(" ")
            self.counts["in"] += 1
            match command:
                case "JOIN":
                    self.leave()
                    self.room = self.server.room(rest)
                    self.room.members[self.name] = self
                    self.outbox.put_nowait(f"JOINED {rest} ({len(self.room.members)})")
                case "SAY" if self.room:
                    self.room.say(self.name, rest)
                case "SAY":
                    self.outbox.put_nowait("ERR join a room first")
                case "SLOW":
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(asyncio.sleep(30), float(rest))
                    self.outbox.put_nowait("SLEPT")
                case "WHO":
                    self.outbox.put_nowait("WHO " + " ".join(sorted(self.server.sessions)))
                case "QUIT":
                    while not self.outbox.empty():
                        await asyncio.sleep(0)
                    await self.reply("BYE")
                    return
                case _:
                    self.outbox.put_nowait(f"ERR what is {command}?")

    def leave(self):
        if self.room:
            self.room.members.pop(self.name, None)
            self.room = None


class Server:
    def __init__(self):
        self.rooms, self.sessions, self.done = {}, {}, []

    def room(self, name):
        return self.rooms.setdefault(name, Room(name))

    async def handle(self, reader, writer):
        try:
            await Session(self, reader, writer).run()
        except* ConnectionResetError as group:
            note(f"group of {len(group.exceptions)}")

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.handle, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc):
        self.server.close()
        await self.server.wait_closed()


class Client:
    def __init__(self, name):
        self.name = name

    async def connect(self, port):
        who.set(f"client {self.name}")
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        return await self.ask(f"NAME {self.name}")

    async def ask(self, line):
        self.writer.write(line.encode() + b"\n")
        return await self.next()

    async def next(self):
        return (await asyncio.wait_for(self.reader.readline(), 10)).decode().rstrip("\n")

    async def take(self, count):
        return [await self.next() for _ in range(count)]

    async def quit(self):
        answer = await self.ask("QUIT")
        rest = await self.reader.read()
        self.writer.close()
        await self.writer.wait_closed()
        return answer, rest

    def __aiter__(self):
        return self

    async def __anext__(self):
        line = await self.next()
        if line.endswith("end"):
            raise StopAsyncIteration
        return line


async def scenario():
    async with Server() as server:
        ann, bob, cy = clients = [Client(name) for name in ("ann", "bob", "cy")]
        print(await asyncio.gather(*(client.connect(server.port) for client in clients)))
        print(await Client("ann").connect(server.port))
        for client in clients:
            print(await client.ask("JOIN lobby"))
        print(await ann.ask("SAY hello"), await bob.next(), await cy.next())
        print(await cy.ask("JOIN attic"), await cy.ask("SAY alone"), await bob.ask("WHO"), await bob.ask("DANCE"))

        for number in range(20):
            ann.writer.write(f"SAY {number} {'x' * number}\n".encode())
        ann.writer.write(b"SAY end\n")
        got = [line async for line in bob]
        mine = await ann.take(21)
        print(len(got), got == mine[:20], got[3], mine[-1], len(server.rooms["lobby"].history))

        loop = asyncio.get_running_loop()
        begun = loop.time()
        print(await cy.ask("SLOW 0.05"), 0.04 < loop.time() - begun < 5)
        print(await ann.quit(), await bob.quit())
        cy.writer.close()
        while server.sessions:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        print(sorted(server.rooms), [len(room.members) for room in server.rooms.values()])


async def primitives():
    lock, order = asyncio.Lock(), []

    async def worker(name, semaphore, barrier):
        async with semaphore:
            order.append(f"{name}+")
            await asyncio.sleep(0)
            async with lock:
                order.append(f"{name}.")
            order.append(f"{name}-")
        await barrier.wait()

    semaphore, barrier = asyncio.Semaphore(2), asyncio.Barrier(3)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker(name, semaphore, barrier), name=name) for name in "abc"]
    print(order, [task.get_name() for task in tasks], all(task.done() for task in tasks))

    async def fail(delay, error):
        await asyncio.sleep(delay)
        raise error

    async def forever():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            order.append(f"cancelled {error.args}")
            raise

    order.clear()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(forever())
            group.create_task(fail(0.01, ValueError("first")))
            group.create_task(fail(0.01, KeyError("second")))
    except* ValueError as errors:
        print("values", errors.exceptions)
    except* KeyError as errors:
        print("keys", errors.exceptions)
    print(order)
    results = await asyncio.gather(fail(0, OSError("x")), asyncio.sleep(0, "fine"), return_exceptions=True)
    print(results)
    task = asyncio.create_task(forever())
    await asyncio.sleep(0)
    task.cancel("enough")
    try:
        await task
    except asyncio.CancelledError as error:
        print("caught", error.args, task.cancelled(), task.cancelling())
    done, waiting = await asyncio.wait([asyncio.ensure_future(asyncio.sleep(d, d)) for d in (0, 30)], timeout=0.2)
    print(len(done), len(waiting), [t.result() for t in done])
    for each in waiting:
        each.cancel()

    async def numbers(n):
        try:
            for i in range(n):
                await asyncio.sleep(0)
                yield i
        finally:
            order.append("generator closed")

    async with contextlib.aclosing(numbers(10)) as source:
        async for value in source:
            if value == 3:
                break
    print(order[-1], [x async for x in numbers(4) if x % 2], {x: x * x async for x in numbers(3)})

    queue = asyncio.PriorityQueue()

    async def producer():
        for item in (3, 1, 2):
            await queue.put(item)
        queue.shutdown()

    async def consumer():
        got = []
        with contextlib.suppress(asyncio.QueueShutDown):
            while True:
                got.append(await queue.get())
                queue.task_done()
        return got

    print((await asyncio.gather(producer(), consumer()))[1], await asyncio.to_thread(sum, [1, 2, 3]))
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)
    except TimeoutError as error:
        print("timeout", repr(error.__cause__))
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.001, future.set_result, "later")
    print(await asyncio.shield(future))


asyncio.run(scenario())
print(*sorted(events), sep="\n")
asyncio.run(primitives())
with asyncio.Runner() as runner:
    print(runner.run(asyncio.sleep(0, "runner")), who.get())
