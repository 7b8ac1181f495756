# SPDX-License-Identifier: Apache-2.0
"""A report as JSON: the schema ``iotrace.report/1``, exactly (docs/report.schema.json)."""

from __future__ import annotations

import io
import json
from typing import Any

from iotrace.report.codec import to_dict
from iotrace.report.model import Report


def render(report: Report) -> str:
    """The report as one JSON object in ASCII, with a line break at its end.

    Everything is in it: no row is cut, no text shortened. Bytes of a name that are no text (lone
    surrogates, which strict JSON readers refuse) appear as ``\\udcff`` in the text itself.
    """
    return dump(to_dict(report))


def dump(data: object) -> str:
    """Any plain data in the same way."""
    # dumps would hold each token as a text of its own until the end: twenty times the result.
    text = io.StringIO()
    json.dump(_whole(data), text, indent=2, allow_nan=False)
    text.write("\n")
    return text.getvalue()


def render_line(report: Report) -> str:
    """The same on one line: a stream of reports (JSON Lines), one of which ends where it ends.

    Reports of an interval have its number in ``interval``; the last one, of the whole trace, has
    null there.
    """
    return json.dumps(_whole(to_dict(report)), separators=(",", ":"), allow_nan=False) + "\n"


def _whole(value: Any) -> Any:
    """The same data with texts that every JSON reader takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value
