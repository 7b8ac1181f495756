# SPDX-License-Identifier: Apache-2.0
"""What is advised about a call that hangs."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Finding
from tests.unit.verdict import hangs
from tests.unit.verdict.made import PID, S, findings, in_call, process, thread


def test_what_a_consumer_of_kafka_does_not_do_meanwhile_is_told() -> None:
    http = "lib/http/client.py:1303 HTTPConnection.getresponse"
    places = (http, "worker.py:13 process", *hangs.HANDLER)
    reads = in_call("recvfrom", "tcp", *places, fd=7, peer="10.0.0.9:80")
    one = process([hangs.waiting(PID, reads, recv=10 * S)])
    for name, told in (("rdk:broker1", True), ("worker", False)):
        beside = replace(thread(PID + 1, poll=10 * S), name=name)
        found = findings(replace(one, threads=(*one.threads, beside)))["IO140"]
        assert isinstance(found, Finding)
        assert ("does not call poll() meanwhile" in found.advice) is told
