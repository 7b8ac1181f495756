# SPDX-License-Identifier: Apache-2.0
"""Look-ups of names that wait for a thread of asyncio's executor: told with the full pool, and no
part of what making a connection takes."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from iotrace.verdict.connecting_tasks import connecting_tasks
from iotrace.verdict.process_profile import profile_of
from tests.unit.verdict import hangs
from tests.unit.verdict.made import S, event_loop, findings
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


def test_a_name_is_no_part_of_a_connection() -> None:
    for places, counts in ((_WAITS, False), (_CHAT, True)):
        sleeps = "lib/asyncio/selector_events.py:634 BaseSelectorEventLoop.sock_connect"
        row = wait_of(*(places if not counts else (sleeps, *places)))
        one = replace(event_loop(), tasks=with_tasks(row).tasks)
        assert bool(connecting_tasks(profile_of(one, 10 * S))) is counts
