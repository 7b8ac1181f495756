# SPDX-License-Identifier: Apache-2.0
"""Every check, in the order in which a reader wants them."""

from __future__ import annotations

from iotrace.doctor import code, confines, kernel, pythons, rights, tools, trial
from iotrace.doctor.check import Check, Status


def examine(absent: frozenset[str] = frozenset()) -> tuple[Check, ...]:
    """Try everything; the probes themselves only where nothing that they need is missing.

    ``absent``: features to treat as if they were not there.
    """
    found = (
        *rights.checks(),
        code.check(),
        *kernel.checks(absent),
        *tools.checks(),
        *confines.checks(),
        *pythons.checks(),
    )
    return (*found, *trial.checks(absent)) if can_attach(found) else found


def can_attach(checks: tuple[Check, ...]) -> bool:
    """Whether ``attach`` can work at all."""
    return all(check.status is not Status.MISSING for check in checks)
