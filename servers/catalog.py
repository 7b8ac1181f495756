# SPDX-License-Identifier: Apache-2.0
"""The I/O models: what ``iotrace models`` lists, and how each one's server is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from iotrace.errors import UsageError


@dataclass(frozen=True, slots=True)
class Variant:
    """A server that is wrong on purpose, and the load that shows it.

    ``arguments`` are the server's, ``load`` those of ``python -m iotrace.servers.load``.
    """

    id: str
    sentence: str
    arguments: tuple[str, ...]
    load: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerModel:
    """One I/O model and its reference server ``iotrace.servers.<module>``.

    ``title``: the textbook's name. ``synchronous``: the copy from the kernel blocks the caller
    (Stevens, UNIX Network Programming, vol. 1, ch. 6). ``per_request_connection``: the model is
    about requests that come on a connection each, so its load reconnects. ``unavailable`` tells
    why this host cannot run it (None: it can).
    """

    id: str
    title: str
    sentence: str
    module: str
    synchronous: bool = True
    per_request_connection: bool = False
    variants: tuple[Variant, ...] = ()
    unavailable: Callable[[], str | None] = lambda: None


def find(model_id: str) -> ServerModel:
    """The model of that id. Raises UsageError, which names them all, when there is none."""
    for model in MODELS:
        if model.id == model_id:
            return model
    known = ", ".join(model.id for model in MODELS)
    raise UsageError(f"there is no model {model_id!r}", why=f"the models are {known}")


def _no_uring() -> str | None:
    from iotrace.servers.uring import unavailable  # its binding is large: load it when asked

    return unavailable()


_SLOW_HANDLER = Variant(
    "slow-handler",
    "the handler sleeps 20 ms over each message, and everybody else waits for it",
    ("--slow-handler-ms", "20"),
    ("--connections", "5", "--requests", "100"),
)
_LEVEL_TRIGGERED = (
    Variant(
        "slow-accept",
        "new connections are accepted 100 ms late; until then the call returns at once",
        ("--slow-accept-ms", "100"),
        ("--connections", "5", "--requests", "50"),
    ),
    Variant(
        "never-accept",
        "new connections are never accepted: the listener stays ready, and the loop spins",
        ("--never-accept",),
        ("--connections", "1", "--requests", "1", "--timeout", "2"),
    ),
    Variant(
        "no-read",
        "what arrives is never read: the connection stays ready, and the loop spins",
        ("--no-read",),
        ("--connections", "1", "--requests", "1", "--timeout", "2"),
    ),
    _SLOW_HANDLER,
)

MODELS = (
    ServerModel(
        "blocking",
        "blocking I/O",
        "One thread, one client at a time: it sleeps in recv until a message is there.",
        "blocking",
    ),
    ServerModel(
        "nonblocking",
        "non-blocking I/O",
        "No call ever sleeps; the server asks every socket again and again.",
        "nonblocking",
        variants=(
            Variant(
                "sleep",
                "sleeps 10 ms after a round that found nothing: little CPU, but late",
                ("--sleep-ms", "10"),
                # No multiple of the sleep: the data comes in the middle of one.
                ("--requests", "50", "--delay-ms", "34"),
            ),
            Variant(
                "slow-accept",
                "asks for new connections every 100 ms only",
                ("--slow-accept-ms", "100"),
                ("--requests", "20", "--reconnect"),
            ),
            _SLOW_HANDLER,
        ),
    ),
    ServerModel(
        "select",
        "I/O multiplexing (select)",
        "One call sleeps for all sockets, up to descriptor 1023; recv then finds its data ready.",
        "select_",
        variants=_LEVEL_TRIGGERED,
    ),
    ServerModel(
        "poll",
        "I/O multiplexing (poll)",
        "Like select without its limit; the whole list is still searched in every call.",
        "poll",
        variants=_LEVEL_TRIGGERED,
    ),
    ServerModel(
        "epoll",
        "I/O multiplexing (epoll), level-triggered",
        "The kernel keeps the list and returns the ready sockets, as long as they are ready.",
        "epoll",
        variants=_LEVEL_TRIGGERED,
    ),
    ServerModel(
        "epoll-et",
        "I/O multiplexing (epoll), edge-triggered",
        "The kernel tells once that data has come; the server reads until there is no more.",
        "epoll_et",
        variants=(
            Variant(
                "stop-early",
                "reads once after an edge and leaves the rest behind until the next one",
                ("--stop-early", "1020"),
                (
                    *("--requests", "40", "--payload", "1000", "--pipeline", "2"),
                    *("--delay-ms", "50", "--timeout", "1"),
                ),
            ),
            _SLOW_HANDLER,
        ),
    ),
    ServerModel(
        "selectors",
        "portable selector",
        "Python's DefaultSelector with a callback for each socket: on Linux it is epoll.",
        "selectors_",
        variants=(_SLOW_HANDLER,),
    ),
    ServerModel(
        "signal",
        "signal-driven I/O",
        "The kernel sends SIGIO when data is ready; the handler reads it.",
        "signal_",
        variants=(_SLOW_HANDLER,),
    ),
    ServerModel(
        "async-io",
        "asynchronous I/O (io_uring)",
        "The kernel waits and copies, and tells when it is done; no call of the server reads.",
        "async_io",
        synchronous=False,
        variants=(_SLOW_HANDLER,),
        unavailable=_no_uring,
    ),
    ServerModel(
        "asyncio",
        '"asynchronous" in Python',
        "Coroutines on one event loop; underneath is epoll, and the loop itself copies.",
        "asyncio_",
        variants=(_SLOW_HANDLER,),
    ),
    ServerModel(
        "fork",
        "process per request",
        "The parent accepts and forks; a child serves each request and ends.",
        "fork",
        per_request_connection=True,
    ),
    ServerModel(
        "thread",
        "thread per request",
        "The main thread accepts; a new thread serves each request and ends.",
        "thread",
        per_request_connection=True,
    ),
    ServerModel(
        "event-queue",
        "event-driven",
        "One loop takes events from a queue and calls the handler bound to each kind.",
        "event_queue",
        variants=(_SLOW_HANDLER,),
    ),
)
