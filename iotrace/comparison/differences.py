# SPDX-License-Identifier: Apache-2.0
"""Compare two recordings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from statistics import median

from iotrace.comparison.compared_figures import Key, figures_of, knows_requests, meaning
from iotrace.comparison.comparison import SCHEMA, Comparison, Difference, FindingChange, Side
from iotrace.comparison.statistic import FEWEST_SAMPLES, exceeds, noise
from iotrace.errors import UsageError
from iotrace.recording.recording import Recording
from iotrace.report.model import Report

_Series = dict[Key, list[float]]

_MOST_ROWS = 16_384
"""Twice the kernel's table of calls (engine/program.py, Limits)."""


def compare(a: Recording, b: Recording, names: tuple[str, str]) -> Comparison:
    """What ``b`` has that ``a`` has not, and the other way round; ``names``: of the two.

    Raises UsageError where they have more rows than a trace gives.
    """
    for recording, name in zip((a, b), names, strict=True):
        _require_comparable(recording.report, name)
    whole_a, whole_b = figures_of(a.report), figures_of(b.report)
    wanted = whole_a.keys() | whole_b.keys()
    series_a, series_b = _series(a.samples, wanted), _series(b.samples, wanted)
    differences: dict[str, list[Difference]] = defaultdict(list)
    alike = a.report.detail == b.report.detail
    both_know = knows_requests(a.report) and knows_requests(b.report)
    for key in dict.fromkeys((*whole_a, *whole_b)):
        before, after = whole_a.get(key), whole_b.get(key)
        if not alike and (before is None or after is None):
            continue  # the other one's detail may not know it
        if key.section in ("requests", "upstreams") and not both_know:
            continue
        if before or after:
            differences[key.section].append(
                _difference(
                    key,
                    before,
                    after,
                    series_a.get(key, []),
                    series_b.get(key, []),
                    least=_resolution_of_whole(key, whole_a, whole_b),
                )
            )
    gone, new = _findings(a.report, b.report)
    return Comparison(
        schema=SCHEMA,
        a=_side(a, names[0]),
        b=_side(b, names[1]),
        processes=tuple(differences["processes"]),
        states=tuple(differences["states"]),
        calls=tuple(differences["calls"]),
        loops=tuple(differences["loops"]),
        findings_gone=gone,
        findings_new=new,
        requests=tuple(differences["requests"]),
        upstreams=tuple(differences["upstreams"]),
    )


def regressions(comparison: Comparison, percent: float) -> tuple[Difference, ...]:
    """The figures that are worse, beyond the noise, by more than ``percent`` of what they were."""
    return tuple(
        difference
        for difference in comparison.differences
        if difference.verdict == "worse"
        and (difference.change is None or 100 * difference.change > percent)
    )


def _side(recording: Recording, name: str) -> Side:
    report = recording.report
    return Side(
        name,
        report.iotrace,
        report.started_at,
        report.duration_ns,
        len(recording.samples),
        report.detail,
        report.judged_by,
        report.quality.unavailable.get("requests", ""),
    )


def _require_comparable(report: Report, name: str) -> None:
    rows = sum(
        1 + len(one.calls) + len(one.loops) + len(one.requests) + len(one.upstreams)
        for one in report.processes
    )
    if rows > _MOST_ROWS:
        raise UsageError(
            f"{name} is too large to be compared.",
            why=f"It has {rows:,} processes, calls, loops, listeners and peers; "
            f"{_MOST_ROWS:,} are compared.",
            paste="iotrace report FILE",
        )


def _series(samples: Sequence[Report], wanted: Set[Key]) -> _Series:
    """The values of each figure; what an interval has nothing of is 0 if it is a rate or a time."""
    series: _Series = {}
    for number, figures in enumerate(map(figures_of, samples)):  # one sample in memory at a time
        for key in figures.keys() & wanted:
            if key not in series:
                series[key] = [0.0] * number if _is_sum(key) else []
            series[key].append(figures[key])
        for key, values in series.items():
            if key not in figures and _is_sum(key):
                values.append(0.0)
    return series


def _is_sum(key: Key) -> bool:
    return key.figure in ("per_s", "s_per_s", "sleeps_per_s")


def _resolution_of_whole(key: Key, a: Mapping[Key, float], b: Mapping[Key, float]) -> float:
    """By how much the figure that this one is a part of can be told apart."""
    what = meaning(key)
    whole = key._replace(figure=what.whole)
    return what.resolution * max(a.get(whole, 0.0), b.get(whole, 0.0))


def _difference(
    key: Key,
    a: float | None,
    b: float | None,
    series_a: list[float],
    series_b: list[float],
    least: float,
) -> Difference:
    what = meaning(key)
    limit = noise(series_a, series_b, what.resolution)
    if limit is not None:
        limit = max(limit, least)
    return Difference(
        process=key.process,
        what=key.what,
        figure=key.figure,
        a=a,
        b=b,
        change=None if not a or b is None else (b - a) / a,
        noise=limit,
        verdict=_verdict(a, b, limit, series_a, series_b, what.less_is_better),
    )


def _verdict(
    a: float | None,
    b: float | None,
    limit: float | None,
    series_a: list[float],
    series_b: list[float],
    less_is_better: bool,
) -> str:
    if a is None or b is None:
        return "new" if a is None else "gone"
    if limit is None:
        return "unknown"
    more = median(series_b) > median(series_a)
    # The samples and the whole must agree: else a few intervals made all the difference.
    if not exceeds(series_a, series_b, limit) or more != (b > a):
        return "same"
    if not less_is_better:
        return "changed"
    return "worse" if more else "better"


def _findings(a: Report, b: Report) -> tuple[tuple[FindingChange, ...], tuple[FindingChange, ...]]:
    """Gone and new: what is now the symptom of another finding is neither."""
    return _only_in(a, b), _only_in(b, a)


def _only_in(one: Report, other: Report) -> tuple[FindingChange, ...]:
    there = {*_by_rule(other), *_symptoms(other)}
    return tuple(
        change
        for rule, change in _by_rule(one).items()
        if rule not in there and change.id not in other.unchecked
    )


def _symptoms(report: Report) -> set[tuple[str, str]]:
    names = {process.pid: process.name for process in report.processes}
    return {
        (names.get(symptom.pid, ""), symptom.id)
        for finding in report.findings
        for symptom in finding.symptoms
    }


def _by_rule(report: Report) -> dict[tuple[str, str], FindingChange]:
    names = {process.pid: process.name for process in report.processes}
    found: dict[tuple[str, str], FindingChange] = {}
    for finding in report.findings:
        process = names.get(finding.pid, "")
        found.setdefault(
            (process, finding.id),
            FindingChange(process, finding.id, finding.severity, finding.title, finding.cost_ns),
        )
    return found


def require_samples(comparison: Comparison) -> None:
    """Raises UsageError if one side has too few samples to tell a regression from noise."""
    for side in (comparison.a, comparison.b):
        if side.samples < FEWEST_SAMPLES:
            raise UsageError(
                f"{side.name} has {side.samples} interval samples: too few to judge by.",
                why=f"At least {FEWEST_SAMPLES} are needed to tell a difference from noise.",
                paste="sudo iotrace record -d 30 -o FILE PID",
            )
