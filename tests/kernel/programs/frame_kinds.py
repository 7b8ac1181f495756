"""Sleeps in every kind of frame that Python has, and notes where, as sys._getframe() says it."""

import asyncio
import contextlib
import contextvars
import functools
import gc
import re
import signal
import sys
import threading
import time
import weakref

from gate import finished, ready

S = 0.003
nap = time.sleep
places = set()
EVALUATED = compile("(\n\nnote(), nap(S))", "evaluated.py", "eval")


def note():
    """Where the caller is, with all who called it, innermost first."""
    frame, found = sys._getframe(1), []
    while frame is not None:
        code = frame.f_code
        name = getattr(code, "co_qualname", code.co_name)
        found.append((name, code.co_filename, frame.f_lineno))
        frame = frame.f_back
    places.add(tuple(found))


def plain():
    return [1,
            2, (note(), nap(S))]  # fmt: skip


def many_lines(*numbers, **named):
    return sum(
        number
        for number in (
            *numbers,
            len((note(), nap(S))),
            *named.values(),
        )
    )


def generator():
    for _ in range(2):
        yield (note(), nap(S))
        try:
            raise ValueError
        except ValueError:
            note(), nap(S)
        finally:
            note(), nap(S)


def delegating():
    yield from generator()


def deep(n):
    if n:
        deep(
            n - 1)  # fmt: skip
    else:
        note(), nap(S)


def closure(word):
    def inside():
        return word, note(), nap(S)

    return inside


def wrapped(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@wrapped
def decorated(a, b=2):
    note(), nap(S)
    return a + b


@functools.lru_cache(None)
def cached(number):
    note(), nap(S)
    return number


class Kind:
    note(), nap(S)

    def __lt__(self, other):
        note(), nap(S)
        return True

    def __getattr__(self, name):
        note(), nap(S)
        return 5

    @property
    def value(self):
        return (note(), nap(S))

    @staticmethod
    def static():
        note(), nap(S)

    @classmethod
    def of_class(cls):
        note(), nap(S)

    def __init_subclass__(cls):
        note(), nap(S)

    def __call__(self):
        return [note() or nap(S) for _ in range(1)]

    def __enter__(self):
        note(), nap(S)

    def __exit__(self, *error):
        note(), nap(S)

    def __del__(self):
        note(), nap(S)


class Meta(type):
    def __new__(mcs, name, bases, members):
        note(), nap(S)
        return super().__new__(mcs, name, bases, members)


@contextlib.contextmanager
def managed():
    note(), nap(S)
    yield
    note(), nap(S)


def thrown_into():
    try:
        yield
    except KeyError:
        note(), nap(S)
        yield


async def leaf():
    note(), nap(S)
    await asyncio.sleep(0)
    note(), nap(S)


async def numbers():
    for number in range(2):
        note(), nap(S)
        yield number


@contextlib.asynccontextmanager
async def awaited_manager():
    await leaf()
    yield
    note(), nap(S)


async def middle():
    await leaf(
    )  # fmt: skip
    async for _ in numbers():
        note(), nap(S)
    return [(note(), nap(S)) async for _ in numbers()]


async def main():
    await asyncio.create_task(middle())
    async with awaited_manager():
        await asyncio.gather(leaf(), middle())
    done = asyncio.Event()
    asyncio.get_running_loop().call_soon(lambda: (note(), nap(S), done.set()))
    await done.wait()


def hot(turns):
    """Long enough for the JIT."""
    total = 0
    for turn in range(turns):
        total += turn
        if turn % 5000 == 4999:
            note(), nap(S)
        total ^= 3
    while total > 10:
        total >>= 1
        total += hot_inside(total)
    return total


def hot_inside(number):
    if number < 100:
        note(), nap(S)
    return 0


def on_signal(number, frame):
    note(), nap(S)


def once():
    plain()
    many_lines(1, 2, three=3)
    list(generator())
    list(delegating())
    deep(16)
    closure("x")()
    decorated(1)
    cached(time.time_ns())
    sorted([Kind(), Kind()])
    sorted([3, 2], key=lambda value: (note(), nap(S), value)[2])
    Kind().missing  # noqa: B018
    Kind().value  # noqa: B018
    Kind.static()
    Kind.of_class()
    Kind()()
    with Kind():
        note(), nap(S)
    type("Sub", (Kind,), {})
    Meta("Made", (), {})
    with managed():
        note(), nap(S)
    thrower = thrown_into()
    next(thrower)
    thrower.throw(KeyError())
    [(note(), nap(S)) for _ in range(2)]
    {key: (note(), nap(S)) for key in range(2)}
    list(map(lambda _: (note(), nap(S)), range(2)))  # noqa: C417
    list((note(), nap(S)) for _ in range(2))  # noqa: C400
    re.sub("a", lambda match: str((note(), nap(S))), "ba")
    functools.partial(decorated, 1)(b=3)
    functools.reduce(lambda a, b: (note(), nap(S), a)[2], (1, 2))
    contextvars.copy_context().run(plain)
    # Nobody keeps this code object: another one may be in its place when it is looked at.
    exec(compile("import time\n\n\nnote(), nap(S)\n", "made_up.py", "exec"), globals())
    eval(EVALUATED, globals())
    signal.raise_signal(signal.SIGALRM)
    cell = Kind.__new__(Kind)
    weakref.finalize(cell, plain)
    del cell
    gc.collect()
    asyncio.run(main())
    thread = threading.Thread(target=deep, args=(3,))
    thread.start()
    thread.join()
    hot(20_000)


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, on_signal)
    ready()
    places.clear()
    for _ in range(int(sys.argv[1])):
        once()
    finished(places=sorted(places))
