"""Reports in, metrics out."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_fd_to_metric_families
from prometheus_client.parser import text_string_to_metric_families

from iotrace.metrics import catalogue as metrics
from iotrace.metrics.catalogue import METRICS, Metric
from iotrace.metrics.groups import OTHER, Group
from iotrace.metrics.labels import exemplar_labels
from iotrace.metrics.prometheus import exposition, negotiated
from iotrace.metrics.running_totals import (
    EDGES_NS,
    KEPT_INTERVALS,
    MOST_GROUPS,
    Exemplar,
    Histogram,
    Totals,
)
from iotrace.report.model import GroupLimits, Report
from iotrace.report.process_totals import totals_of
from iotrace.snapshot import histogram as kernel_histogram
from tests.unit import reports
from tests.unit.request_rows import LISTENER, upstream

SHOP = Group("shop", "shop.service", "")
MS = 1_000_000


def _value(totals: Totals, metric: Metric, *labels: str, group: Group | None = SHOP) -> float:
    found = {
        (sample.metric, sample.group, sample.labels): sample.value for sample in totals.samples()
    }
    value = found.get((metric, group, labels), 0)
    assert not isinstance(value, Histogram)
    return value


def _added(*made: Report) -> Totals:
    totals = Totals()
    for report in made:
        totals.add(report, lambda process: SHOP)
    return totals


def test_the_states_of_all_threads_add_up_to_their_lifetimes() -> None:
    report = reports.event_loop()
    totals = _added(report, report)
    states = [s.value for s in totals.samples() if s.metric is metrics.THREAD_TIME]
    lifetime_ns = sum(totals_of(process).lifetime_ns for process in report.processes)
    assert sum(value for value in states if not isinstance(value, Histogram)) == 2 * lifetime_ns


def test_edges_of_buckets_are_edges_of_the_kernel_s_histogram() -> None:
    """So that no count has to be divided between two buckets."""
    edges = set()
    for bucket in range(kernel_histogram.BUCKETS):
        edges.update(kernel_histogram.bounds_ns(bucket))
    assert set(EDGES_NS) <= edges


def test_requests_are_counted_by_latency_and_their_parts_add_up() -> None:
    buckets = ((900_000, 1 << 20, 3), (1 << 20, 1_100_000, 4), (1 << 40, (1 << 40) + 9, 1))
    latency = replace(LISTENER.latency_ns, histogram=buckets)
    row = replace(LISTENER, latency_ns=latency, unanswered=2, oldest_unanswered_ns=7 * MS)
    totals = _added(reports.report(reports.process(requests=(row,))))
    (histogram,) = (s.value for s in totals.samples() if s.metric is metrics.REQUEST_DURATION)
    assert isinstance(histogram, Histogram)
    assert histogram.counts[:2] == [3, 4]
    assert histogram.counts[-1] == 1
    assert histogram.sum_ns == sum(tier.latency_ns for tier in row.tiers)
    parts = [_value(totals, metrics.REQUEST_PARTS, p) for p in ("queue", "pickup", "service")]
    assert sum(parts) == histogram.sum_ns
    assert _value(totals, metrics.REQUESTS_OWED) == 2
    assert _value(totals, metrics.REQUEST_AGE) == 7 * MS


def test_what_a_report_has_since_the_beginning_is_counted_by_its_growth() -> None:
    def made(throttled_ns: int, faults: int) -> Report:
        limits = GroupLimits("/shop", 0.5, throttled_ns)
        workers = (
            reports.process(pid=pid, limits=limits, major_faults=faults) for pid in (700, 701)
        )
        return reports.report(*workers)

    totals = _added(made(5 * MS, 1), made(8 * MS, 1))
    assert _value(totals, metrics.THROTTLED) == 8 * MS  # once for the group, not for each process
    assert _value(totals, metrics.MAJOR_FAULTS) == 2


def test_a_measure_is_of_the_last_interval_and_goes_with_its_process() -> None:
    one = reports.report(
        reports.process(upstreams=(replace(upstream("db:1", "tcp", "poll"), unanswered=3),))
    )
    totals = _added(one)
    assert _value(totals, metrics.UPSTREAMS_OWED) == 3
    totals.add(reports.report(), lambda process: SHOP)
    assert _value(totals, metrics.UPSTREAMS_OWED) == 0
    assert _value(totals, metrics.PROCESSES) == 0


def test_findings_stand_until_the_next_judgement() -> None:
    judged = reports.event_loop()
    assert judged.findings
    finding = judged.findings[0]
    labels = finding.id, finding.severity
    unjudged = replace(
        judged, findings=(), processes=tuple(replace(p, model=None) for p in judged.processes)
    )
    totals = _added(judged)
    assert _value(totals, metrics.FINDINGS, *labels) == 1
    totals.add(unjudged, lambda process: SHOP)
    assert _value(totals, metrics.FINDINGS, *labels) == 1
    model = judged.processes[0].model
    assert model is not None
    pid, python = str(judged.processes[0].pid), judged.processes[0].python or ""
    assert _value(totals, metrics.PROCESS, pid, model.id, python) == 1
    totals.add(replace(judged, findings=()), lambda process: SHOP)
    assert _value(totals, metrics.FINDINGS, *labels) == 0


def test_groups_that_are_gone_are_forgotten() -> None:
    totals = _added(reports.event_loop())
    for _ in range(KEPT_INTERVALS):
        assert any(sample.group == SHOP for sample in totals.samples())
        totals.add(reports.report(), lambda process: SHOP)
    assert not any(sample.group == SHOP for sample in totals.samples())


def test_more_groups_than_there_is_room_for_are_one() -> None:
    totals = Totals()
    crowd = [reports.process(pid=pid) for pid in range(1, MOST_GROUPS + 4)]
    totals.add(reports.report(*crowd), lambda process: Group(f"p{process.pid}"))
    assert _value(totals, metrics.PROCESSES, group=OTHER) == 3
    assert _value(totals, metrics.AGENT_LEFT_OUT, group=None) == 3


def test_a_counter_never_falls() -> None:
    report = reports.prefork(3)
    totals = Totals()
    before: dict[object, float] = {}
    for _ in range(3):
        totals.add(report, lambda process: SHOP)
        for sample in totals.samples():
            if sample.metric.kind is metrics.Kind.COUNTER and not isinstance(
                sample.value, Histogram
            ):
                key = sample.metric, sample.labels, sample.group
                assert sample.value >= before.get(key, 0)
                before[key] = sample.value


def test_the_text_is_what_prometheus_reads() -> None:
    hostile = reports.hostile()
    row = replace(LISTENER, latency_ns=replace(LISTENER.latency_ns, histogram=((1, 2, 3),)))
    server = reports.process(requests=(row,), upstreams=(upstream("x", "tcp", "poll"),))
    totals = Totals()
    totals.add(hostile, lambda process: Group('quo"te\\\n', "unit", "container"))
    totals.add(reports.report(server), lambda process: SHOP)
    families = {
        f.name: f for f in text_string_to_metric_families(exposition(totals.samples()).decode())
    }
    (count,) = (
        sample
        for sample in families["iotrace_request_duration_seconds"].samples
        if sample.name.endswith("_count") and sample.labels["program"] == "shop"
    )
    assert count.value == 3
    assert count.labels == {"program": "shop", "unit": "shop.service", "container": ""}
    programs = {s.labels["program"] for s in families["iotrace_thread_time_seconds"].samples}
    assert 'quo"te\\\n' in programs
    known = {metric.name for metric in METRICS} | {m.exposed_name for m in METRICS}
    assert families.keys() <= known


def test_series_of_one_program_are_few() -> None:
    """A server with requests, upstreams and a loop, whatever its threads and descriptors."""
    row = replace(LISTENER, latency_ns=replace(LISTENER.latency_ns, histogram=((1, 2, 3),)))
    far = upstream("x", "tcp", "poll")
    far = replace(far, theirs_ns=replace(far.theirs_ns, histogram=((1, 2, 3),)))
    busy = replace(reports.event_loop().processes[0], requests=(row,), upstreams=(far, far))
    text = exposition(_added(reports.report(busy)).samples()).decode()
    series = [line for line in text.splitlines() if 'program="shop"' in line]
    assert len(series) < 60


def test_a_slow_request_is_the_exemplar_of_its_bucket() -> None:
    latency = replace(LISTENER.latency_ns, histogram=((100 * MS, 140 * MS, 3),))
    totals = _added(
        reports.report(reports.process(requests=(replace(LISTENER, latency_ns=latency),)))
    )
    text, content_type = negotiated(totals.samples(), "application/openmetrics-text")
    assert content_type.startswith("application/openmetrics-text")
    families = {f.name: f for f in text_fd_to_metric_families(io.StringIO(text.decode()))}
    buckets = families["iotrace_request_duration_seconds"].samples
    (told,) = (one for one in buckets if one.exemplar is not None)
    assert told.exemplar is not None
    assert told.exemplar.labels == {"line": "orders.py:88 get", "call": "clock_nanosleep"}
    assert told.exemplar.value == 0.133 <= float(told.labels["le"])


def test_long_lines_of_exemplars_are_cut_as_openmetrics_wants() -> None:
    labels = exemplar_labels(Exemplar(1, "x" * 500 + ".py:1 last", "call" * 50))
    assert sum(len(name) + len(value) for name, value in labels.items()) <= 128
    assert labels["line"].endswith(".py:1 last")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_are_in_base_units_and_one_of_each(metric: Metric) -> None:
    assert metric.name.startswith("iotrace_")
    assert not metric.name.endswith("_total")
    assert sum(other.name == metric.name for other in METRICS) == 1
    if "time" in metric.name or "duration" in metric.name:
        assert metric.name.endswith("_seconds")
