# SPDX-License-Identifier: Apache-2.0
"""A process for each request."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.classify.process_tree import forks
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule

FORKS_PER_SECOND = 20
COST_SHARE = 0.1
"""Of the time traced, that the children spend in the kernel: fork, page faults, exit."""


def _price(profile: ProcessProfile) -> Iterator[Hit]:
    model = profile.process.model
    if model is None or model.shape != "process per request" or not profile.children:
        return
    born = [one for one in profile.children if forks([one])]
    begun = forks(born)
    kernel = sum(one.total.kernel_ns for one in born)
    if profile.per_second(begun) < FORKS_PER_SECOND or kernel < COST_SHARE * profile.wall_ns:
        return
    cpu = sum(one.total.cpu_ns for one in born)
    yield Hit(
        {
            "forks": begun,
            "forks_per_second": round(profile.per_second(begun), 1),
            "kernel_per_process_ns": kernel // begun,
            "cpu_per_process_ns": cpu // begun,
            "kernel_share_ratio": round(kernel / max(1, cpu), 3),
        },
        kernel,
    )


PRICE = Rule(
    "IO115",
    "A process per request: forking costs more than serving",
    "Fork the workers once and let each serve many connections (pre-forking: gunicorn, "
    "multiprocessing.Pool, socket.SO_REUSEPORT), or serve in threads.",
    _price,
    cost=Cost.CPU,
)
