# SPDX-License-Identifier: Apache-2.0
"""IO140: a client that waits in a select, which tells of no descriptor, for its only peer."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import OneSided, OpenSockets, Process
from tests.unit.verdict.made import S, findings, in_call, process, thread

_MUTE = OneSided("10.0.0.9:443", False, 1, 9 * S, 1)
_SELECTS = "lib/site-packages/scapy/supersocket.py:295 SuperSocket.select"
_REQUEST = "lib/site-packages/scapy/layers/http.py:867 HTTP_Client.request"


def _asks(*places: str, count: int = 1, mute: OneSided = _MUTE, syscall: str = "pselect6") -> bool:
    row = replace(thread(poll=10 * S), in_call=in_call(syscall, "", *places))
    sockets = OpenSockets(count, (), 0, 0, one_sided=(mute,))
    one: Process = replace(process([row]), sockets=sockets)
    found = findings(one)
    if "IO140" not in found:
        return False
    assert "hangs in pselect6 from 10.0.0.9:443: no answer comes" in found["IO140"].title
    return True


def test_a_client_that_asked_its_only_peer_hangs_in_a_select() -> None:
    assert _asks(_SELECTS, _REQUEST, "probe.py:11 main")


_PYVISA = "lib/site-packages/pyvisa/resources/messagebased.py:647 MessageBasedResource.query"


def test_a_select_that_another_library_makes_may_be_for_something_else() -> None:
    reads = "lib/site-packages/serial/serialposix.py:565 Serial.read"
    assert not _asks(reads, _PYVISA, "bench.py:9 main")
    assert not _asks(reads, "lib/site-packages/serial/rs485.py:20 RS485.request", "bench.py:9 main")
    watches = "lib/site-packages/inotify/adapters.py:190 Inotify.event_gen"
    asks = "lib/site-packages/cache/store.py:20 Store.get"
    assert not _asks(watches, asks, "watch.py:9 main", syscall="epoll_wait")
    expects = "lib/site-packages/pexpect/utils.py:143 select_ignore_interrupts"
    assert not _asks(
        expects, "lib/site-packages/netshell/shell.py:9 Shell.execute", "run.py:9 main"
    )
    child = "lib/subprocess.py:2021 Popen._communicate"
    assert not _asks(
        "lib/selectors.py:415 select", child, "lib/subprocess.py:9 call", "run.py:9 main"
    )


def test_a_library_that_selects_with_selectors_asks_itself() -> None:
    assert _asks(
        "lib/selectors.py:314 SelectSelector.select", _SELECTS, _REQUEST, "probe.py:11 main"
    )


def test_who_may_wait_for_something_else_does_not() -> None:
    assert not _asks(_SELECTS, "probe.py:11 main")  # it does not say that it asks
    assert not _asks(_SELECTS, _REQUEST)  # a library's own thread
    assert not _asks(_SELECTS, _REQUEST, "probe.py:11 main", count=2)
    heard = replace(_MUTE, silent_ns=S)
    assert not _asks(_SELECTS, _REQUEST, "probe.py:11 main", mute=heard)
    accepted = replace(_MUTE, accepted=True)
    assert not _asks(_SELECTS, _REQUEST, "probe.py:11 main", mute=accepted)
    log = replace(_MUTE, segments=11)
    assert not _asks(_SELECTS, _REQUEST, "probe.py:11 main", mute=log)
