"""Print the answers: a table for readers, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable

from iotrace.doctor.check import Check, Status
from iotrace.doctor.examine import can_attach
from iotrace.output.text import escape

SCHEMA = "iotrace.doctor/1"
_WIDTH = 28


def as_table(checks: tuple[Check, ...], place: str) -> str:
    """A line a feature; below those that lack something, what is lost and the line to paste."""
    lines = []
    for check in checks:
        lines.append(f"{check.status.value:<9} {check.feature:<{_WIDTH}} {escape(check.detail)}")
        if check.status is Status.OK:
            continue
        lines.append(f"{'':<9} {'':<{_WIDTH}} n/a:   {escape(check.loses)}")
        if place in check.paste:
            lines.append(f"{'':<9} {'':<{_WIDTH}} paste: {escape(check.paste[place])}")
    return "\n".join([*lines, "", _summary(checks), ""])


def _summary(checks: Iterable[Check]) -> str:
    checks = tuple(checks)
    lacking = sum(check.status is Status.DEGRADED for check in checks)
    if not can_attach(checks):
        return "iotrace cannot attach here: see what is missing above."
    if lacking:
        what = "features are" if lacking > 1 else "feature is"
        return f"iotrace can attach here; {lacking} {what} lacking."
    return "iotrace can attach here, with everything."


def as_json(checks: tuple[Check, ...], place: str) -> str:
    """``{"schema", "can_attach", "place", "checks": [...]}``; ``paste`` has every place."""
    return json.dumps(
        {
            "schema": SCHEMA,
            "can_attach": can_attach(checks),
            "place": place,
            "checks": [
                {
                    "feature": check.feature,
                    "status": check.status.value,
                    "detail": check.detail,
                    "loses": check.loses,
                    "paste": dict(check.paste),
                }
                for check in checks
            ],
        },
        indent=1,
    )
