# SPDX-License-Identifier: Apache-2.0
"""Requests that come on kept connections which the server has just closed, as they were idle."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.report.requests import Requests
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rule

LEAST = 2
"""While it was traced. Each is an error for who asked, but one may be of a client that was about to
leave."""
LEAST_MANY = 5
HIGH_SHARE = 0.1
"""Of all requests: so many errors are a fault that users tell of."""


def _closed(profile: ProcessProfile) -> Iterator[Hit]:
    for row in profile.process.requests:
        if row.after_close >= LEAST:
            yield _hit(row, profile)


def _hit(row: Requests, profile: ProcessProfile) -> Hit:
    idle_ns = row.after_close_idle_ns // row.after_close
    after_ns = row.after_close_ns // row.after_close
    came = row.exchanges + row.after_close
    grave = row.after_close >= max(LEAST_MANY, HIGH_SHARE * came)
    return Hit(
        {
            "listener": row.listener,
            "peer": row.after_close_peer,
            "reset": row.after_close,
            "answered": row.exchanges,
            "reset_per_second": round(profile.per_second(row.after_close), 2),
            "closed_after_idle_ns": idle_ns,
            "came_after_close_ns": after_ns,
        },
        None,
        severity="high" if grave else "medium",
        title=f"Requests are lost: {row.after_close:,} of {plural(came, 'request')} to "
        f"{row.listener} ({share(row.after_close, came)}), the latest from "
        f"{row.after_close_peer}, came on kept-alive connections that this server had closed "
        f"when they had been idle for {duration(idle_ns)}, and got a reset. They came "
        f"{duration(after_ns)} after the close on average",
    )


CLOSED = Rule(
    "IO215",
    "Requests are lost: the server closes kept connections too soon",
    "Have the server keep idle connections for longer than the proxy or load balancer in front of "
    "it keeps them (uvicorn: --timeout-keep-alive, gunicorn and hypercorn: --keep-alive, waitress: "
    "--channel-timeout, aiohttp: keepalive_timeout), or that one close them sooner (nginx: "
    "keepalive_timeout of the upstream). Whoever asks should ask again where that does no harm.",
    _closed,
    least=Detail.SOCKETS,
)
