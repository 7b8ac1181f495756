# SPDX-License-Identifier: Apache-2.0
"""Metrics over OTLP, by OpenTelemetry's SDK and its exporter. Takes the extra ``otlp``.

Counters are cumulative: what could not be pushed is in what is pushed next. Names are those that
Prometheus shows, with dots and without units: ``iotrace_request_duration_seconds`` is
``iotrace.request.duration`` in "s", of which engines make the former again.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Buckets,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as Exported
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from iotrace.metrics.catalogue import GROUP_LABELS, Kind, Metric
from iotrace.metrics.exponential import SCALE, run_of
from iotrace.metrics.labels import exemplar_labels, plain
from iotrace.metrics.running_totals import Histogram, Sample

_NS = 1e9
_UNITS = {"_seconds": "s", "_bytes": "By", "_ratio": "1"}
_NAMESPACES = ("request", "upstream", "eventloop", "thread", "agent", "accept_queue", "cpu", "gil")
_TIMEOUT_S = 10.0
_CUMULATIVE = AggregationTemporality.CUMULATIVE


def otlp_name(metric: Metric) -> tuple[str, str]:
    """The name, and the unit."""
    name = "iotrace." + metric.name.removeprefix("iotrace_")
    unit = next((suffix for suffix in _UNITS if name.endswith(suffix)), "")
    name = name.removesuffix(unit)
    for namespace in _NAMESPACES:
        name = name.replace(f"iotrace.{namespace}_", f"iotrace.{namespace}.")
    return name + (".info" if metric.kind is Kind.INFO else ""), _UNITS.get(unit, "")


class Times:
    """When figures were counted, as OTLP wants it: wall time.

    A step of the clock moves the beginning along, so that it never comes after what it began.
    """

    def __init__(self, wall_ns: int, now_ns: int) -> None:
        """``now_ns``: on CLOCK_MONOTONIC, now."""
        self._begun_ns = now_ns
        self._start_ns = wall_ns

    def of(self, wall_ns: int, now_ns: int) -> tuple[int, int]:
        """The beginning, and now."""
        start_ns = wall_ns - (now_ns - self._begun_ns)
        if abs(start_ns - self._start_ns) > _NS:
            self._start_ns = start_ns
        return self._start_ns, max(wall_ns, self._start_ns)


def metrics_data(
    samples: Iterable[Sample], start_ns: int, at_ns: int, host: str, version: str
) -> MetricsData:
    """All of them as points of that time; both are nanoseconds since 1970."""
    by_metric: dict[Metric, list[Sample]] = {}
    for sample in samples:
        by_metric.setdefault(sample.metric, []).append(sample)
    resource = Resource(
        {"service.name": "iotrace-agent", "service.version": version, "host.name": plain(host)}
    )
    exported = [_exported(metric, found, start_ns, at_ns) for metric, found in by_metric.items()]
    scope = ScopeMetrics(InstrumentationScope("iotrace", version), exported, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _exported(metric: Metric, samples: list[Sample], start_ns: int, at_ns: int) -> Exported:
    name, unit = otlp_name(metric)
    data: Sum | Gauge | ExponentialHistogram
    if metric.kind is Kind.HISTOGRAM:
        histograms = [_histogram_point(sample, start_ns, at_ns) for sample in samples]
        data = ExponentialHistogram(histograms, _CUMULATIVE)
    else:
        points = [_point(sample, start_ns, at_ns, unit) for sample in samples]
        data = Sum(points, _CUMULATIVE, True) if metric.kind is Kind.COUNTER else Gauge(points)
    return Exported(name, metric.help, unit, data)


def _attributes(sample: Sample) -> dict[str, str]:
    names = sample.metric.labels if sample.group is None else (*GROUP_LABELS, *sample.metric.labels)
    values = (*(sample.group or ()), *sample.labels)
    return {name: plain(value) for name, value in zip(names, values, strict=True) if value}


def _point(sample: Sample, start_ns: int, at_ns: int, unit: str) -> NumberDataPoint:
    assert not isinstance(sample.value, Histogram)
    value = sample.value / _NS if unit == "s" else sample.value
    return NumberDataPoint(_attributes(sample), start_ns, at_ns, value)


def _histogram_point(sample: Sample, start_ns: int, at_ns: int) -> ExponentialHistogramDataPoint:
    histogram = sample.value
    assert isinstance(histogram, Histogram)
    offset, counts = run_of(histogram.exponential)
    unknown: float = None  # type: ignore[assignment]  # optional in the protocol
    return ExponentialHistogramDataPoint(
        attributes=_attributes(sample),
        start_time_unix_nano=start_ns,
        time_unix_nano=at_ns,
        count=sum(counts),
        sum=histogram.sum_ns / _NS,
        scale=SCALE,
        zero_count=0,
        positive=Buckets(offset, counts),
        negative=Buckets(0, ()),
        flags=0,
        min=unknown,
        max=unknown,
        exemplars=[  # each once: it is dated
            Exemplar(exemplar_labels(one), one.value_ns / _NS, at_ns)
            for one in histogram.fresh.values()
        ],
    )


class Client:
    """Pushes to one endpoint. Headers, certificates and compression: OTEL_EXPORTER_OTLP_*."""

    def __init__(self, url: str, version: str) -> None:
        self._version = version
        self._host = socket.gethostname()
        self._said = _LastWords()
        logger = logging.getLogger("opentelemetry")
        logger.addHandler(self._said)
        logger.propagate = False
        self._exporter = OTLPMetricExporter(endpoint=url, timeout=_TIMEOUT_S)

    def push(self, samples: Iterable[Sample], start_ns: int, at_ns: int) -> str:
        """Why it did not succeed within 10 s; "": it did."""
        self._said.words = ""
        data = metrics_data(samples, start_ns, at_ns, self._host, self._version)
        if self._exporter.export(data) is MetricExportResult.SUCCESS:
            return ""
        return self._said.words or "it was refused"


class _LastWords(logging.Handler):
    """The exporter tells its log alone why it failed."""

    words = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.words = record.getMessage()
