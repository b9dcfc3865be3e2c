"""Coroutines on a scheduler of our own and on asyncio: await chains, many small tasks, queues, async generators."""

import asyncio

from harness import run


class Switch:
    def __await__(self):
        yield self


async def leaf(n):
    await Switch()
    return n


async def chain(depth, n):
    return await leaf(n) if depth == 0 else 1 + await chain(depth - 1, n)


def drive(coroutines):
    ready, total = list(coroutines), 0
    while ready:
        again = []
        for coroutine in ready:
            try:
                coroutine.send(None)
                again.append(coroutine)
            except StopIteration as stop:
                total += stop.value
        ready = again
    return total


async def produce(queue, n):
    for i in range(n):
        await queue.put(i)
    await queue.put(None)


async def consume(queue):
    total = 0
    while (item := await queue.get()) is not None:
        total += item
    return total


async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def tree(depth):
    if depth == 0:
        await asyncio.sleep(0)
        return 1
    return sum(await asyncio.gather(*(tree(depth - 1) for _ in range(3))))


async def everything():
    queue = asyncio.Queue(10)
    _, total = await asyncio.gather(produce(queue, 600), consume(queue))
    return total, sum([i async for i in ticks(400)]), await tree(5)


def work():
    return drive(chain(i % 12, i) for i in range(1500)), asyncio.run(everything())


run(work)
