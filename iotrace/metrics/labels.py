# SPDX-License-Identifier: Apache-2.0
"""What a traced program's words become as values of labels."""

from __future__ import annotations

from iotrace.metrics.running_totals import Exemplar

_LONGEST_LABEL = 128
_LONGEST_LINE, _LONGEST_CALL = 80, 32
"""OpenMetrics allows an exemplar 128 characters of labels in all, names included."""


def plain(label: str) -> str:
    """Without what is no text (names of files that are not UTF-8), and no longer than a name."""
    return label[:_LONGEST_LABEL].encode("utf-8", "replace").decode()


def exemplar_labels(exemplar: Exemplar) -> dict[str, str]:
    """The end of a long line says more than its beginning."""
    line = plain(exemplar.line[-_LONGEST_LINE:])
    return {"line": line, "call": plain(exemplar.call[:_LONGEST_CALL])}
