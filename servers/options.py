# SPDX-License-Identifier: Apache-2.0
"""The command line of the reference servers: one place for the options that they share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LEVEL_TRIGGERED = ("--slow-accept-ms", "--never-accept", "--no-read")


@dataclass(frozen=True, slots=True)
class Options:
    """Where a server listens and what it does wrong on purpose (by default nothing)."""

    host: str = "127.0.0.1"
    port: int = 0
    sleep_ns: int = 0
    slow_accept_ns: int = 0
    never_accept: bool = False
    no_read: bool = False
    stop_early_bytes: int = 0
    slow_handler_ns: int = 0


def milliseconds(text: str) -> int:
    """``text`` in milliseconds, as nanoseconds. Raises ValueError below 0 or when no number."""
    value_ns = round(float(text) * 1_000_000)
    if value_ns < 0:
        raise ValueError("negative time")
    return value_ns


def natural(text: str) -> int:
    """``text`` as a whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise ValueError("less than 1")
    return value


_MILLISECONDS: dict[str, Any] = {"type": milliseconds, "default": 0, "metavar": "MS"}

_VARIANTS: dict[str, dict[str, Any]] = {
    "--sleep-ms": {
        **_MILLISECONDS,
        "dest": "sleep_ns",
        "help": "sleep this long when a round of polling found nothing (default: 0, spin)",
    },
    "--slow-accept-ms": {
        **_MILLISECONDS,
        "dest": "slow_accept_ns",
        "help": "let a new connection wait this long before it is accepted",
    },
    "--never-accept": {
        "action": "store_true",
        "help": "watch the listening socket but never accept: it stays ready",
    },
    "--no-read": {
        "action": "store_true",
        "help": "watch the connections but never read: they stay ready",
    },
    "--stop-early": {
        "type": natural,
        "dest": "stop_early_bytes",
        "metavar": "BYTES",
        "nargs": "?",
        "const": 1024,
        "default": 0,
        "help": "after an edge read once, at most so much (default: 1024), and leave the rest",
    },
    "--slow-handler-ms": {
        **_MILLISECONDS,
        "dest": "slow_handler_ns",
        "help": "sleep this long over each message; whoever shares the thread waits too",
    },
}


def parse(
    description: str, variants: Sequence[str] = (), arguments: Sequence[str] | None = None
) -> Options:
    """The options of a server that offers ``variants`` (names as on the command line).

    Ends the program with exit status 2 when they make no sense, as argparse does.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    parser = argparse.ArgumentParser(
        prog=f"python -m {spec.name}" if spec else None,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port (default: 0, any free one)")
    for name in variants:
        parser.add_argument(name, **_VARIANTS[name])
    return Options(**vars(parser.parse_args(arguments)))
