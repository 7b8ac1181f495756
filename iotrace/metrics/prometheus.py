# SPDX-License-Identifier: Apache-2.0
"""Metrics as text: Prometheus's exposition format, or OpenMetrics, by prometheus_client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from iotrace.metrics.catalogue import GROUP_LABELS, Kind, Metric
from iotrace.metrics.labels import exemplar_labels, plain
from iotrace.metrics.running_totals import EDGES_NS, Histogram, Sample

_NS = 1e9
_PLAIN, _OPENMETRICS = "text/plain; version=0.0.4", "application/openmetrics-text; version=1.0.0"


def exposition(samples: Iterable[Sample]) -> bytes:
    """The text format, version 0.0.4, which node_exporter collects."""
    return generate_latest(_registry(samples))


def accepted(accept: str) -> str:
    """One of the two formats that there are, whatever versions a client's header Accept names.

    OpenMetrics alone has exemplars.
    """
    try:
        content_type = choose_encoder(accept)[1]
    except (TypeError, ValueError):  # of a version that is no number
        return _PLAIN
    return _OPENMETRICS if content_type.startswith("application/openmetrics-text") else _PLAIN


def negotiated(samples: Iterable[Sample], accept: str) -> tuple[bytes, str]:
    """The format that a client asks for by its header Accept, and what it is called."""
    encode, content_type = choose_encoder(accepted(accept))
    return encode(_registry(samples)), content_type


def _registry(samples: Iterable[Sample]) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(tuple(samples)))
    return registry


class _Once(Collector):
    """The samples by metric, in the order of the catalogue's names."""

    def __init__(self, samples: tuple[Sample, ...]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Family]:
        families: dict[str, Family] = {}
        for sample in sorted(self._samples, key=lambda sample: sample.metric.name):
            metric = sample.metric
            if metric.name not in families:
                families[metric.name] = _family(metric)
            _add(families[metric.name], sample)
        yield from families.values()


def _family(metric: Metric) -> Family:
    labels = metric.labels if metric.of_agent else (*GROUP_LABELS, *metric.labels)
    made: dict[Kind, Callable[..., Family]] = {
        Kind.COUNTER: CounterMetricFamily,
        Kind.GAUGE: GaugeMetricFamily,
        Kind.HISTOGRAM: HistogramMetricFamily,
        Kind.INFO: InfoMetricFamily,
    }
    return made[metric.kind](metric.name, metric.help, labels=labels)


def _add(family: Family, sample: Sample) -> None:
    labels = [plain(label) for label in (*(sample.group or ()), *sample.labels)]
    if isinstance(family, HistogramMetricFamily) and isinstance(sample.value, Histogram):
        family.add_metric(labels, _buckets(sample.value), sample.value.sum_ns / _NS)
    elif isinstance(family, InfoMetricFamily):
        family.add_metric(labels, {})
    elif isinstance(family, CounterMetricFamily | GaugeMetricFamily):
        assert not isinstance(sample.value, Histogram)
        family.add_metric(labels, sample.value / (_NS if _is_time(sample.metric) else 1))


def _buckets(
    histogram: Histogram,
) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
    """Added up, each with its upper edge in seconds, and an exemplar."""
    edges = [*(f"{edge / _NS:.9f}".rstrip("0").rstrip(".") for edge in EDGES_NS), "+Inf"]
    total = 0
    buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
    for place, (edge, count) in enumerate(zip(edges, histogram.counts, strict=True)):
        total += count
        slow = histogram.exemplars.get(place)
        if slow is None:
            buckets.append((edge, float(total)))
        else:
            exemplar = Exemplar(exemplar_labels(slow), slow.value_ns / _NS)
            buckets.append((edge, float(total), exemplar))
    return buckets


def _is_time(metric: Metric) -> bool:
    """Samples of times are in nanoseconds."""
    return metric.name.endswith("_seconds")
