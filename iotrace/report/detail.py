# SPDX-License-Identifier: Apache-2.0
"""How much of a process a trace looks at, and what it cannot know then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Any


class Detail(str, Enum):
    """What the probes are attached to, from the most expensive to the cheapest."""

    FULL = "full"
    """Every system call, the scheduler, sockets."""
    SOCKETS = "sockets"
    """The scheduler, and every read and write of a socket; no other system calls."""
    LIGHT = "light"
    """The scheduler alone: what a thread sleeps in, and when it runs."""

    def gives(self, least: Detail) -> bool:
        """Whether it knows all that ``least`` knows."""
        order = list(Detail)
        return order.index(self) <= order.index(least)

    @property
    def unavailable(self) -> dict[str, str]:
        """Column -> why it is n/a in this detail."""
        if self is Detail.FULL:
            return {}
        light = dict.fromkeys(_CALLS, "{} detail has no probe on system calls")
        if self is Detail.LIGHT:
            light |= dict.fromkeys(_SOCKETS, "{} detail has no probe on sockets")
        else:
            light |= dict.fromkeys(_NOT_SOCKETS, "{} detail sees reads and writes of sockets only")
        return {column: reason.format(self.value) for column, reason in light.items()}


FULL: Mapping[str, Detail] = {"least": Detail.FULL}
SOCKETS: Mapping[str, Detail] = {"least": Detail.SOCKETS}
"""Metadata of a field of a row: the least detail that knows it."""


def unknown_fields(row: type, detail: Detail) -> dict[str, Any]:
    """The fields that this detail does not know, each None, for ``dataclasses.replace``."""
    return {
        field.name: None
        for field in fields(row)
        if not detail.gives(field.metadata.get("least", Detail.LIGHT))
    }


_CALLS = (
    "user and kernel apart (cpu is both)",
    "number of system calls",
    "latency, waits_ns",
    "iterations, ready, empty, timeout; busy of iterations that did not sleep",
    "GIL tax",
    "python lines",
)
_SOCKETS = (
    "copy, copies_ns",
    "count, errors, EAGAIN, bytes, in, out",
    "pickup",
    "signals",
    "operations",
    "requests",
)
_NOT_SOCKETS = (
    "count, errors, EAGAIN, bytes, in, out, copy of all but sockets",
    "queue of requests (it is in their pickup)",
)
