"""Calls at a known depth of Python frames, or in asyncio tasks that are awaited by others.

Reads lines: "depth calls cold", and "task calls cold" or "callback calls cold" (each of those calls
on a line of its own, so that each is the first that its line makes). Answers each with a line.
Argument: "asyncio" to import that, which a process with tasks has done.
"""

import os
import sys

if "asyncio" in sys.argv:
    import asyncio

call = os.getppid
ONE, OTHER = bytearray(1 << 24), bytearray(1 << 24)


def scrub():
    """So much that the caches hold nothing else afterwards."""
    ONE[:] = OTHER


def at_depth(depth, calls, cold):
    if depth > 1:
        at_depth(depth - 1, calls, cold)
    elif cold:
        for _ in range(calls):
            scrub()
            call()
    else:
        for _ in range(calls):
            call()


def each_on_its_line(calls, cold):
    text = "def made():\n" + "    scrub(); call()\n" * calls if cold else None
    scope = {"call": call, "scrub": scrub}
    exec(text or "def made():\n" + "    call()\n" * calls, scope)
    return scope["made"]


async def leaf(made):
    made()


async def middle(made):
    await asyncio.create_task(leaf(made), name="leaf")


async def outer(made):
    await asyncio.gather(asyncio.create_task(middle(made), name="middle"))


async def in_callback(made):
    def leaf():
        made()
        done.set_result(None)

    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(leaf)
    await done


print(os.getpid(), flush=True)
for line in sys.stdin:
    where, calls, cold = line.split()
    if where.isdigit():
        at_depth(int(where), int(calls), int(cold))
    else:
        made = each_on_its_line(int(calls), int(cold))
        asyncio.run(outer(made) if where == "task" else in_callback(made))
    print(flush=True)
