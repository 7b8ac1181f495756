# SPDX-License-Identifier: Apache-2.0
"""Print the answers: a table for readers, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable

from iotrace.doctor.check import Check, Status
from iotrace.doctor.examine import can_attach
from iotrace.output.text import escape

SCHEMA = "iotrace.doctor/1"
_STATUS_WIDTH = 9
_AS_ABOVE = "as above"


def as_table(checks: tuple[Check, ...], place: str) -> str:
    """A line a feature; below those that lack something, what is lost and the line to paste."""
    width = max((len(check.feature) for check in checks), default=0)
    indent = " " * (_STATUS_WIDTH + width + 2)
    lines, pasted = [], set()
    for check in checks:
        status = f"{check.status.value:<{_STATUS_WIDTH}}"
        lines.append(f"{status} {check.feature:<{width}} {escape(check.detail)}")
        if check.status is Status.OK:
            continue
        lines.append(f"{indent}n/a:   {escape(check.loses)}")
        if place in check.paste:
            line = check.paste[place]
            lines.append(f"{indent}paste: {_AS_ABOVE if line in pasted else escape(line)}")
            pasted.add(line)
    return "\n".join([*lines, "", _summary(checks, place)])


def _summary(checks: Iterable[Check], place: str) -> str:
    checks = tuple(checks)
    lacking = [check.feature for check in checks if check.status is Status.DEGRADED]
    missing = [check for check in checks if check.status is Status.MISSING]
    if missing:
        names = ", ".join(check.feature for check in missing)
        first = next((check.paste[place] for check in missing if place in check.paste), None)
        told = f"iotrace cannot attach here. Missing: {names}."
        return f"{told}\nBegin with: {escape(first)}" if first else told
    if lacking:
        return f"iotrace can attach here. Lacking, see above: {', '.join(lacking)}."
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
