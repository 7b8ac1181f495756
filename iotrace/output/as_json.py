# SPDX-License-Identifier: Apache-2.0
"""A report as JSON: the schema ``iotrace.report/1``, exactly (docs/report.schema.json)."""

from __future__ import annotations

import json

from iotrace.output.json_text import dump, whole
from iotrace.report.codec import to_dict
from iotrace.report.model import Report


def render(report: Report) -> str:
    """The report as one JSON object in ASCII, with a line break at its end.

    Everything is in it: no row is cut, no text shortened. Bytes of a name that are no text (lone
    surrogates, which strict JSON readers refuse) appear as ``\\udcff`` in the text itself.
    """
    return dump(to_dict(report))


def render_line(report: Report) -> str:
    """The same on one line: a stream of reports (JSON Lines), one of which ends where it ends.

    Reports of an interval have its number in ``interval``; the last one, of the whole trace, has
    null there.
    """
    return json.dumps(whole(to_dict(report)), separators=(",", ":"), allow_nan=False) + "\n"
