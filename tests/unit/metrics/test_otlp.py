"""Samples over OTLP: an exporter of OpenTelemetry's, a receiver, protobuf."""

from __future__ import annotations

import http.server
import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from iotrace.metrics import catalogue as metrics
from iotrace.metrics.catalogue import METRICS
from iotrace.metrics.exponential import SCALE, index_of
from iotrace.metrics.groups import Group
from iotrace.metrics.otlp import Client, Times, otlp_name
from iotrace.metrics.prometheus import negotiated
from iotrace.metrics.running_totals import Histogram, Sample, Totals
from iotrace.snapshot import histogram as kernel_histogram
from tests.unit import reports
from tests.unit.request_rows import LISTENER

SHOP = Group("shop", "shop.service", "")
S = 1_000_000_000
START_NS, AT_NS = 1_700_000_000 * S, 1_700_000_010 * S


class _Receiver(http.server.HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.bodies: list[bytes] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    with _Receiver() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def _received(receiver: _Receiver, *samples: Sample) -> dict[str, Any]:
    client = Client(f"http://127.0.0.1:{receiver.server_port}/v1/metrics", "1.2")
    assert client.push(samples, START_NS, AT_NS) == ""
    request = ExportMetricsServiceRequest.FromString(receiver.bodies[-1])
    (resource,) = request.resource_metrics
    names = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert names["service.name"] == "iotrace-agent"
    (scope,) = resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def _labels(point: Any) -> dict[str, str]:
    return {one.key: one.value.string_value for one in point.attributes}


def test_counters_are_cumulative_and_in_seconds(receiver: _Receiver) -> None:
    found = _received(
        receiver,
        Sample(metrics.THREAD_TIME, SHOP, ("runq",), 1_500_000_000),
        Sample(metrics.THREAD_TIME, SHOP, ("user",), 250_000_000),
        Sample(metrics.PROCESSES, SHOP, (), 3),
    )
    time = found["iotrace.thread.time"]
    assert (time.unit, time.sum.is_monotonic, time.sum.aggregation_temporality) == ("s", True, 2)
    values = {_labels(point)["state"]: point.as_double for point in time.sum.data_points}
    assert values == {"runq": 1.5, "user": 0.25}
    point = time.sum.data_points[0]
    assert (point.start_time_unix_nano, point.time_unix_nano) == (START_NS, AT_NS)
    assert _labels(point) == {"program": "shop", "unit": "shop.service", "state": "runq"}
    assert [point.as_int for point in found["iotrace.processes"].gauge.data_points] == [3]


_KINDS = pytest.mark.parametrize(
    ("sub_bits", "buckets"),
    [
        (kernel_histogram.SUB_BITS, kernel_histogram.BUCKETS),
        (kernel_histogram.FINE_SUB_BITS, kernel_histogram.FINE_BUCKETS),
    ],
)
"""Of eighths of a power of two, and those of requests: of sixteenths."""


@_KINDS
def test_a_histogram_is_exponential_and_keeps_every_count(
    receiver: _Receiver, sub_bits: int, buckets: int
) -> None:
    histogram = Histogram()
    kept = [
        (*kernel_histogram.bounds_ns(bucket, sub_bits), bucket + 1)
        for bucket in range(buckets * 2 // 5, buckets * 3 // 4)
    ]
    histogram.add(kept, 7 * S)
    found = _received(receiver, Sample(metrics.REQUEST_DURATION, SHOP, (), histogram))
    metric = found["iotrace.request.duration"]
    (point,) = metric.exponential_histogram.data_points
    assert metric.exponential_histogram.aggregation_temporality == 2
    assert (point.scale, point.sum, metric.unit) == (SCALE, 7.0, "s")
    total = sum(count for _, _, count in kept)
    assert point.count == sum(point.positive.bucket_counts) == total
    # Each count is in the bucket that the middle of its own lies in.
    for from_ns, to_ns, count in kept:
        index = index_of(from_ns, to_ns)
        middle = (from_ns + to_ns) / 2 / S
        assert 2 ** (index / 8) < middle <= 2 ** ((index + 1) / 8)
        assert point.positive.bucket_counts[index - point.positive.offset] >= count


@_KINDS
def test_a_value_is_one_bucket_off_at_most(sub_bits: int, buckets: int) -> None:
    for bucket in range(1, buckets - 1):
        from_ns, to_ns = kernel_histogram.bounds_ns(bucket, sub_bits)
        index = index_of(from_ns, to_ns)
        for value in (from_ns, to_ns - 1):
            exact = math.ceil(math.log2(value / S) * 8) - 1
            assert abs(exact - index) <= 1


def test_an_exemplar_is_pushed_once_with_the_time_of_its_interval(receiver: _Receiver) -> None:
    totals = Totals()
    told = []
    for row in (LISTENER, replace(LISTENER, exemplars=())):
        totals.add(reports.report(reports.process(requests=(row,))), lambda process: SHOP)
        metric = _received(receiver, *totals.samples())["iotrace.request.duration"]
        (point,) = metric.exponential_histogram.data_points
        told.append([(one.as_double, one.time_unix_nano) for one in point.exemplars])
    assert told == [[(0.133, AT_NS)], []]
    text, _ = negotiated(totals.samples(), "application/openmetrics-text")
    assert text.count(b"# {") == 1  # it has no time there, and is the last one of its bucket


def test_what_the_endpoint_says_is_told(receiver: _Receiver) -> None:
    client = Client(f"http://127.0.0.1:{receiver.server_port}/v1/metrics", "1.2")
    receiver.status = 400
    assert "400" in client.push((), START_NS, AT_NS)
    receiver.status = 200
    assert client.push((), START_NS, AT_NS) == ""


def test_names_are_told_apart_and_have_units() -> None:
    names = [otlp_name(metric) for metric in METRICS]
    assert len(set(names)) == len(METRICS)
    assert otlp_name(metrics.LOOP_TIME) == ("iotrace.eventloop.time", "s")
    assert otlp_name(metrics.PROCESS) == ("iotrace.process.info", "")
    assert otlp_name(metrics.AGENT_UNACCOUNTED) == ("iotrace.agent.unaccounted", "1")


@pytest.mark.parametrize("step_s", [-3600, 0, 3600])
def test_a_step_of_the_clock_moves_the_beginning_along(step_s: int) -> None:
    times = Times(START_NS, 5 * S)
    assert times.of(START_NS + 10 * S, 15 * S) == (START_NS, START_NS + 10 * S)
    step_ns = step_s * S
    start_ns, at_ns = times.of(START_NS + 20 * S + step_ns, 25 * S)
    assert (start_ns, at_ns) == (START_NS + step_ns, START_NS + 20 * S + step_ns)
    assert times.of(at_ns + 10 * S, 35 * S) == (start_ns, at_ns + 10 * S)


def test_a_clock_that_is_slewed_leaves_the_beginning_alone() -> None:
    times = Times(START_NS, 0)
    assert times.of(START_NS + 10 * S + S // 2, 10 * S)[0] == START_NS
