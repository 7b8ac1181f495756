# SPDX-License-Identifier: Apache-2.0
"""Print the answers: a table for readers, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable

from iotrace.doctor.check import Check, Status
from iotrace.doctor.examine import can_attach
from iotrace.output.text import escape, wrap

SCHEMA = "iotrace.doctor/1"
_STATUS_WIDTH = 9
_AS_ABOVE = "as above"
_LABEL = " " * len("paste: ")


def as_table(checks: tuple[Check, ...], place: str, columns: int) -> str:
    """Of each feature what it is; below those that lack something, what is lost and the line to
    paste, which is not broken."""
    width = max((len(check.feature) for check in checks), default=0)
    indent = " " * (_STATUS_WIDTH + width + 2)
    lines: list[str] = []
    pasted = set()
    for check in checks:
        status = f"{check.status.value:<{_STATUS_WIDTH}}"
        begin = f"{status} {check.feature:<{width}} "
        lines += wrap(escape(check.detail), columns, indent=indent, first=begin)
        if check.status is Status.OK:
            continue
        lost = wrap(
            escape(check.loses), columns, indent=f"{indent}{_LABEL}", first=f"{indent}n/a:   "
        )
        lines += lost
        if place in check.paste:
            line = check.paste[place]
            lines.append(f"{indent}paste: {_AS_ABOVE if line in pasted else escape(line)}")
            pasted.add(line)
    return "\n".join([*lines, "", *_summary(checks, place, columns)])


def _summary(checks: Iterable[Check], place: str, columns: int) -> list[str]:
    checks = tuple(checks)
    lacking = [check.feature for check in checks if check.status is Status.DEGRADED]
    missing = [check for check in checks if check.status is Status.MISSING]
    if missing:
        names = ", ".join(check.feature for check in missing)
        first = next((check.paste[place] for check in missing if place in check.paste), None)
        told = wrap(f"iotrace cannot attach here. Missing: {names}.", columns)
        return [*told, f"Begin with: {escape(first)}"] if first else told
    if lacking:
        return wrap(f"iotrace can attach here. Lacking, see above: {', '.join(lacking)}.", columns)
    return ["iotrace can attach here, with everything."]


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
