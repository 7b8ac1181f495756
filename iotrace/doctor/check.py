# SPDX-License-Identifier: Apache-2.0
"""One answer of the doctor: a feature, how it stands, what is lost, what to paste."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Status(Enum):
    """How a feature stands. With anything ``MISSING``, ``attach`` cannot work."""

    OK = "ok"
    DEGRADED = "degraded"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """One feature. ``detail``: what was seen; ``loses``: what is n/a without it ("" for nothing).

    ``paste``: the command that fixes it, by place (see ``suggested_commands.PLACES``); empty where
    there is nothing to fix, or no command that would.
    """

    feature: str
    status: Status
    detail: str
    loses: str = ""
    paste: Mapping[str, str] = field(default_factory=dict)


def ok(feature: str, detail: str) -> Check:
    """All is well."""
    return Check(feature, Status.OK, detail)


def degraded(
    feature: str, detail: str, loses: str, paste: Mapping[str, str] | None = None
) -> Check:
    """Tracing works, something is n/a."""
    return Check(feature, Status.DEGRADED, detail, loses, paste or {})


def missing(feature: str, detail: str, paste: Mapping[str, str] | None = None) -> Check:
    """Nothing can be traced without it."""
    return Check(feature, Status.MISSING, detail, "everything", paste or {})
