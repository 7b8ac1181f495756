# SPDX-License-Identifier: Apache-2.0
"""Connections that are made anew: what that costs, and what else follows from it."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process, Stalls
from iotrace.report.stacks import CpuSample, Frame, StallCause
from tests.unit.verdict import elsewhere
from tests.unit.verdict.made import MS, PID, S, call, event_loop, findings, judged, listener, thread

ASKS = Frame("weather", "/srv/app.py", 12, True)
ELSE = Frame("rank", "/srv/app.py", 30)
CONTEXT = Frame("create_default_context", "/usr/lib/python3.11/ssl.py", 770)
SHAKES = Frame("SSLSocket.do_handshake", "/usr/lib/python3.11/ssl.py", 1379)


def _sample(samples: int, *frames: Frame) -> CpuSample:
    return CpuSample(PID, samples, samples * 5 * MS, 0, 0, 0, len(frames) - 1, frames)


def _computes(connecting: Frame, samples: int) -> Process:
    """A loop that computes 5 s of 10, so many of 1,000 samples of that for connections."""
    (made,) = elsewhere.new_connections(True)
    rows = (_sample(samples, connecting, ASKS), _sample(1_000 - samples, ELSE))
    stalls = Stalls(90, 4 * S, 4 * S, 0, {}, None, (
        StallCause("cpu", "", "", None, 90, 4 * S, 0, 0, 0, 4 * S, 50 * MS, 1, (CONTEXT, ASKS)),
    ))  # fmt: skip
    loop = event_loop(stalls=stalls, busy=60 * MS)
    return replace(
        loop,
        threads=(thread(user=5 * S, poll=5 * S),),
        cpu_samples=rows,
        upstreams=made.upstreams,
        descriptors=(*loop.descriptors, *made.descriptors),
        sockets=listener(),
    )


def test_a_tls_context_for_each_connection_is_named_as_what_costs() -> None:
    found = findings(_computes(CONTEXT, 900))["IO179"]
    assert "100 % of what that takes is making TLS contexts" in found.title
    assert "about 4.5 s of CPU time (90 % of the program's), 22.5 ms for each" in found.title
    assert found.lines[0].startswith("srv/app.py:12 weather -> ssl.py:770 create_default_context")
    assert "verify=context" in found.advice
    shakes = findings(_computes(SHAKES, 900))["IO179"]
    assert "making them (connect, handshake, login) takes about 4.5 s" in shakes.title
    assert "verify=context" not in shakes.advice
    # urllib3 loads certificates there, in C, and shakes hands in frames below.
    wraps = Frame("ssl_wrap_socket", "/lib/site-packages/urllib3/util/ssl_.py", 440)
    assert "making TLS contexts" in findings(_computes(wraps, 900))["IO179"].title


def test_cpu_time_is_that_of_the_samples_and_its_share_of_what_they_are_of() -> None:
    """The table of lines on a CPU says no more either."""
    one = _computes(SHAKES, 500)
    for took, share in ((7 * S, "50 %"), (8 * S, "31.2 %")):  # samples are of 5 s
        known = replace(one, threads=(thread(user=took, poll=10 * S - took),))
        title = findings(known)["IO179"].title
        assert f"about 2.5 s of CPU time ({share} of the program's)" in title


def test_look_ups_of_names_are_not_told_as_connecting() -> None:
    """getaddrinfo is called where a connection is made, and waits for a name server."""
    (made,) = elsewhere.new_connections(True)
    (shakes,) = made.lines
    name = Frame("getaddrinfo", "/usr/lib/python3.11/socket.py", 962)
    looks = replace(shakes, own=shakes.own + 1, stack=(name, *shakes.stack))
    assert "IO179" in findings(made)
    assert "IO179" not in findings(replace(made, lines=(looks,)))


def test_stalls_that_make_connections_are_one_finding_with_them() -> None:
    for samples, told in ((900, ["IO179"]), (300, ["IO103", "IO179"])):
        found = judged(_computes(CONTEXT, samples)).findings
        assert [one.id for one in found if one.id in ("IO103", "IO179")] == told


def test_the_gil_that_handshakes_keep_is_an_effect_of_them() -> None:
    waits = call("futex", "gil", 9_001, wait=5 * S)
    for samples, told in ((900, False), (260, True)):
        one = _computes(SHAKES, samples)
        seen = replace(one, calls=(*one.calls, waits))
        assert ("IO113" in [row.id for row in judged(seen).findings]) is told
