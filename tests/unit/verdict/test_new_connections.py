# SPDX-License-Identifier: Apache-2.0
"""Connections that are made anew: what that costs, and what else follows from it."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process, Stalls
from iotrace.report.stacks import CpuSample, Frame, StallCause
from tests.unit.verdict import elsewhere
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    event_loop,
    findings,
    judged,
    listener,
    thread,
)
from tests.unit.verdict.made_tasks import wait_of, with_slow_requests

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


_SMTP = "lib/site-packages/aiosmtplib"
_SENDS = (
    "lib/site-packages/fastapi_mail/fastmail.py:112 FastMail.send_message",
    "app.py:29 newsletter",
    "lib/site-packages/starlette/routing.py:76 app",
)
_READS = (
    "lib/asyncio/tasks.py:466 wait_for",
    f"{_SMTP}/protocol.py:252 SMTPProtocol.read_response",
)


def _mailing(
    logging_in: int, sending: int, login: str = f"{_SMTP}/smtp.py:1055 SMTP.login"
) -> Process:
    """So many tasks at a time log in, and so many send, in requests that take a second each."""
    logs_in = wait_of(*_READS, login, *_SENDS, tasks=logging_in, longest=0)
    sends = wait_of(*_READS, f"{_SMTP}/smtp.py:881 SMTP.data", *_SENDS, tasks=sending, longest=0)
    one = with_slow_requests(logs_in, sends)
    (made,) = elsewhere.new_connections(True)
    (calls,) = made.upstreams
    row = descriptor(8, local="127.0.0.1:51008", peer=calls.peer, opened=200)
    return replace(one, upstreams=(calls,), descriptors=(*one.descriptors, row))


def test_tasks_that_log_in_for_each_message_are_told_of_their_connections() -> None:
    found = judged(_mailing(3, 1)).findings
    assert found[0].id == "IO179"
    assert "30 s of waiting (75 % of all waiting for this peer)" in found[0].title
    assert found[0].lines[0].startswith("srv/app.py:29 newsletter: 3 asyncio tasks")
    assert "IO185" not in [one.id for one in found]


def test_tasks_that_mostly_send_are_not() -> None:
    assert "IO179" not in findings(_mailing(1, 9))


def test_a_login_of_a_framework_asks_with_a_client_of_its_own() -> None:
    """What waits is a query, not the connection."""
    login = "lib/site-packages/fastapi_login/manager.py:55 LoginManager.login"
    assert "IO179" not in findings(_mailing(3, 1, login))
