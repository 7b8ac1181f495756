"""The process that answers Prometheus, asked by real clients."""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import socket
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_fd_to_metric_families
from prometheus_client.parser import text_string_to_metric_families

from iotrace.agent import exporter as exporter_module
from iotrace.agent.exporter import Exporter
from iotrace.agent.listen import Address, open_listener, parse_address
from iotrace.errors import UsageError
from iotrace.metrics.catalogue import PROCESSES, REQUEST_DURATION
from iotrace.metrics.groups import Group
from iotrace.metrics.running_totals import Histogram, Sample
from iotrace.metrics.wire import pack

TEXT = b"# HELP x y\nx 1.0\n"
DEADLINE_S = 20


def _as_it_is(frame: bytes, accept: str) -> tuple[bytes, str]:
    return frame, f"text/plain; of={len(accept)}"


def _exporter(listener: socket.socket, address: Address, hosts: Collection[str]) -> Exporter:
    return Exporter(listener, address, hosts, render=_as_it_is)


@pytest.fixture
def served() -> Iterator[Exporter]:
    listener = open_listener(Address("127.0.0.1", 0))
    address = Address("127.0.0.1", listener.getsockname()[1])
    with contextlib.closing(_exporter(listener, address, {"localhost", "node1"})) as exporter:
        yield exporter


def _get(exporter: Exporter, path: str = "/metrics", host: str | None = None) -> tuple[int, bytes]:
    client = http.client.HTTPConnection("127.0.0.1", exporter.address.port, timeout=DEADLINE_S)
    with contextlib.closing(client):
        client.request("GET", path, headers={} if host is None else {"Host": host})
        answer = client.getresponse()
        return answer.status, answer.read()


def _get_published(exporter: Exporter, text: bytes) -> tuple[int, bytes]:
    """As soon as it is there: the other process takes it in its own time."""
    exporter.publish(text)
    until = time.monotonic() + DEADLINE_S
    while (answer := _get(exporter)) != (200, text):
        assert time.monotonic() < until, answer
    return answer


def test_the_last_text_is_served(served: Exporter) -> None:
    assert _get(served)[0] == 503
    assert _get_published(served, TEXT) == (200, TEXT)
    long = TEXT * 100_000
    assert _get_published(served, long) == (200, long)
    assert _get(served, "/")[0] == 404


@pytest.mark.parametrize("host", ["127.0.0.1:9463", "[::1]:9463", "node1", "Node1:80", "localhost"])
def test_addresses_and_own_names_may_be_asked(served: Exporter, host: str) -> None:
    _get_published(served, TEXT)
    assert _get(served, host=host) == (200, TEXT)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9463", "127.0.0.1.evil.example"])
def test_other_names_are_refused(served: Exporter, host: str) -> None:
    _get_published(served, TEXT)
    status, answer = _get(served, host=host)
    assert status == 403
    assert TEXT not in answer


def test_who_serves_is_nobody_and_holds_nothing_of_its_parent() -> None:
    held = os.open("/dev/null", os.O_RDONLY)
    try:
        listener = open_listener(Address("127.0.0.1", 0))
        address = Address("127.0.0.1", listener.getsockname()[1])
        with contextlib.closing(_exporter(listener, address, ())) as exporter:
            _get_published(exporter, TEXT)
            status = Path(f"/proc/{exporter.pid}/status").read_text().splitlines()
            facts = dict(line.split(":\t", 1) for line in status if ":\t" in line)
            for sets in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
                assert int(facts[sets], 16) == 0
            assert facts["NoNewPrivs"] == "1"
            if os.geteuid() == 0:
                assert set(facts["Uid"].split()) == {"65534"}
                links = Path(f"/proc/{exporter.pid}/fd").iterdir()
                kinds = sorted(str(link.readlink()).partition(":")[0] for link in links)
                assert kinds.count("socket") <= 2
                assert kinds.count("pipe") == 1
    finally:
        os.close(held)


def test_slow_clients_keep_no_one_waiting_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporter_module, "_PATIENCE_S", 0.3)
    listener = open_listener(Address("127.0.0.1", 0))
    address = Address("127.0.0.1", listener.getsockname()[1])
    with contextlib.ExitStack() as ends:
        exporter = ends.enter_context(contextlib.closing(_exporter(listener, address, ())))
        slow = [
            ends.enter_context(socket.create_connection(("127.0.0.1", address.port)))
            for _ in range(20)
        ]
        for client in slow:
            with contextlib.suppress(OSError):  # more than there is room for are closed at once
                client.sendall(b"GET /metrics HT")
        exporter.publish(TEXT)
        until = time.monotonic() + DEADLINE_S
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if _get(exporter) == (200, TEXT):
                    break
            assert time.monotonic() < until
        for client in slow:
            client.settimeout(DEADLINE_S)
            with contextlib.suppress(ConnectionResetError):
                while client.recv(1000):
                    pass


def test_a_client_gets_the_format_that_it_asks_for() -> None:
    histogram = Histogram()
    histogram.add([(1 << 20, 1 << 21, 3)])
    samples = [
        Sample(PROCESSES, Group("shop"), (), 2),
        Sample(REQUEST_DURATION, Group("shop"), (), histogram),
    ]
    listener = open_listener(Address("127.0.0.1", 0))
    address = Address("127.0.0.1", listener.getsockname()[1])
    with contextlib.closing(Exporter(listener, address, ())) as exporter:
        exporter.publish(pack(samples))
        until = time.monotonic() + DEADLINE_S
        while _get(exporter)[0] != 200:
            assert time.monotonic() < until
        plain = _ask(exporter, "text/plain")
        assert plain[0].startswith("text/plain")
        names = {one.name for one in text_string_to_metric_families(plain[1])}
        assert names == {"iotrace_processes", "iotrace_request_duration_seconds"}
        found = _ask(exporter, "application/openmetrics-text; version=1.0.0")
        assert found[0].startswith("application/openmetrics-text")
        families = {one.name: one for one in text_fd_to_metric_families(io.StringIO(found[1]))}
    assert [one.value for one in families["iotrace_processes"].samples] == [2]
    buckets = families["iotrace_request_duration_seconds"].samples
    assert [one.value for one in buckets if one.labels.get("le") in ("0.001048576", "+Inf")] == [
        0,
        3,
    ]


def test_a_text_is_made_once_in_each_format_whatever_is_asked_for() -> None:
    made = []

    def counted(frame: bytes, accept: str) -> tuple[bytes, str]:
        made.append(accept)
        return b"%d" % len(made), accept

    listener = open_listener(Address("127.0.0.1", 0))
    address = Address("127.0.0.1", listener.getsockname()[1])
    with contextlib.closing(Exporter(listener, address, (), render=counted)) as exporter:
        _get_published(exporter, b"1")
        for number in range(20):
            version = f"version=1.0.{number}; escaping=x{number}"
            plain = "text/plain; version=0.0.4"
            assert _ask(exporter, f"text/plain; {version}") == (plain, "1")
            assert _ask(exporter, f"application/openmetrics-text; version=x{number}")[0] == plain
            asked = f"application/openmetrics-text; {version}"
            assert _ask(exporter, asked) == ("application/openmetrics-text; version=1.0.0", "2")


def _ask(exporter: Exporter, accept: str) -> tuple[str, str]:
    client = http.client.HTTPConnection("127.0.0.1", exporter.address.port, timeout=DEADLINE_S)
    with contextlib.closing(client):
        client.request("GET", "/metrics", headers={"Accept": accept})
        answer = client.getresponse()
        return answer.headers["Content-Type"], answer.read().decode()


def test_a_unix_socket(tmp_path: Path) -> None:
    address = Address(path=str(tmp_path / "metrics.sock"))
    for _ in range(2):  # what the first leaves behind does not keep the second out
        listener = open_listener(address)
        with contextlib.closing(_exporter(listener, address, ())) as exporter:
            assert (tmp_path / "metrics.sock").stat().st_mode & 0o7 == 0
            exporter.publish(TEXT)
            answer = b""
            until = time.monotonic() + DEADLINE_S
            while TEXT not in answer:
                assert time.monotonic() < until
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(address.path)
                    client.sendall(b"GET /metrics HTTP/1.0\r\nHost: any.example\r\n\r\n")
                    answer = b"".join(iter(lambda: client.recv(1000), b""))
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError, match="Metrics cannot be served at unix:"):
        open_listener(Address(path=str(tmp_path / "file")))
    assert (tmp_path / "file").read_text() == "kept"


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError) as error:
        open_listener(Address("127.0.0.1", taken.getsockname()[1]))
    assert error.value.paste == "ss -ltnp"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9463", Address("127.0.0.1", 9463)),
        (":80", Address("127.0.0.1", 80)),
        ("[::1]:9", Address("::1", 9)),
        ("unix:/run/x.sock", Address(path="/run/x.sock")),
    ],
)
def test_addresses_are_parsed(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(text).is_loopback


@pytest.mark.parametrize("text", ["", "9463", "host:80", "1.2.3.4:99999", "unix:x", ":-1", "::"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_address(text)
