# SPDX-License-Identifier: Apache-2.0
"""Look-ups of names that wait for a thread of asyncio's executor: told with the full pool, and no
part of what making a connection takes."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from iotrace.report.stacks import Line
from iotrace.verdict.connecting_tasks import connecting_tasks
from iotrace.verdict.process_profile import profile_of
from tests.unit.verdict import hangs
from tests.unit.verdict.made import S, event_loop, findings, in_call, line_of
from tests.unit.verdict.made_tasks import wait_of, with_tasks

_CONNECTOR = "lib/site-packages/aiohttp/connector.py"
_CHAT = (
    f"{_CONNECTOR}:548 BaseConnector.connect",
    "lib/site-packages/aiohttp/client.py:703 ClientSession._request",
    "app.py:21 chat",
    "lib/site-packages/aiohttp/web_app.py:569 Application._handle",
)
_WAITS = (f"{_CONNECTOR}:995 TCPConnector._resolve_host", *_CHAT)
_LOOKS_UP = (
    "lib/asyncio/base_events.py:867 BaseEventLoop.getaddrinfo",
    "lib/site-packages/aiohttp/resolver.py:36 ThreadedResolver.resolve",
)


def _full(*looks_up: str) -> Process:
    (one,) = hangs.full_pool(True)
    rows = (wait_of(*_WAITS, tasks=3), wait_of(*looks_up, tasks=3))
    return replace(one, tasks=with_tasks(*rows).tasks)


def test_look_ups_that_queue_for_a_full_executor_are_told() -> None:
    found = findings(_full(*_LOOKS_UP))["IO142"]
    assert found.title.endswith("other work queues behind: look-ups of names (getaddrinfo), too")
    assert found.lines[1].startswith("srv/app.py:21 chat: 3 asyncio tasks")
    assert found.evidence["tasks_that_wait_for_look_ups"] == 3
    assert "aiodns" in found.advice


def test_a_resolver_without_threads_does_not_wait_for_one() -> None:
    found = findings(_full("lib/site-packages/aiohttp/resolver.py:105 AsyncResolver.resolve"))
    assert "look-ups" not in found["IO142"].title


def _looking(total: int, tid: int = 701) -> Line:
    """Slow look-ups in threads of an executor."""
    looks = "lib/socket.py:962 getaddrinfo"
    asks = in_call("poll", "udp", looks, "lib/concurrent/futures/thread.py:58 _WorkItem.run")
    return line_of(asks, 4, total, 5 * S, tid)


def test_where_the_threads_look_names_up_the_name_server_is_slow() -> None:
    slow = replace(_full(*_LOOKS_UP), lines=(_looking(18 * S),))
    found = findings(slow)["IO142"]
    assert found.title.endswith("; they look names up (getaddrinfo), and the name server is slow")
    assert found.advice.startswith("The name server is slow")
    assert "executor of its own (run_in_executor" not in found.advice
    assert found.evidence["tasks_that_wait_for_look_ups"] == 3


def test_quick_look_ups_in_some_thread_do_not_keep_others() -> None:
    quick = replace(_full(*_LOOKS_UP), lines=(_looking(S),))
    assert findings(quick)["IO142"].title.endswith("look-ups of names (getaddrinfo), too")


def test_an_executor_that_may_not_be_asyncios_keeps_no_look_ups() -> None:
    one = _full(*_LOOKS_UP)
    named = [replace(row, name=f"ThreadPoolExec{row.tid}"[:15]) for row in one.threads]
    others = replace(one, lines=(_looking(8 * S, 703),))  # in threads of asyncio's, most likely
    free = replace(one, threads=(*one.threads, hangs.idle(703)))
    for each in (replace(one, threads=tuple(named)), others, free):
        found = findings(each)["IO142"]
        assert found.title.endswith("other work queues behind")
        assert "look" not in found.advice
        assert "tasks_that_wait_for_look_ups" not in found.evidence


def test_a_name_is_no_part_of_a_connection() -> None:
    for places, counts in ((_WAITS, False), (_CHAT, True)):
        sleeps = "lib/asyncio/selector_events.py:634 BaseSelectorEventLoop.sock_connect"
        row = wait_of(*(places if not counts else (sleeps, *places)))
        one = replace(event_loop(), tasks=with_tasks(row).tasks)
        assert bool(connecting_tasks(profile_of(one, 10 * S))) is counts
