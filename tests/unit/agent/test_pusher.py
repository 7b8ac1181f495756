"""The process that pushes: in order, again after a failure, counted where it gives up."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from iotrace.agent import pusher as pusher_module
from iotrace.agent.pusher import Pusher, State, When
from iotrace.errors import Unsupported
from tests.waiting import wait_until

DEADLINE_S = 20


class _Receiver(http.server.ThreadingHTTPServer):
    """Takes frames, unless it is ``down``; answers when it is ``free`` to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.down = False
        self.taken: list[tuple[bytes, int]] = []
        self.free = threading.Event()
        self.free.set()
        self.asked_ns: list[int] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        self.server.asked_ns.append(time.monotonic_ns())
        frame = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.server.down:
            self.server.taken.append((frame, int(self.headers["When"])))
        self.server.free.wait(DEADLINE_S)
        self.send_response(503 if self.server.down else 200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


class _Endpoint:
    """Says so in plain HTTP."""

    def __init__(self, url: str) -> None:
        self._port = int(url.rpartition(":")[2])

    def now(self) -> When:
        return 0, time.monotonic_ns()

    def push(self, frame: bytes, when: When) -> str:
        client = http.client.HTTPConnection("127.0.0.1", self._port, timeout=DEADLINE_S)
        with contextlib.closing(client):
            client.request("POST", "/", body=frame, headers={"When": str(when[1])})
            status = client.getresponse().status
        return "" if status == http.client.OK else f"answered {status}"


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    with _Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def pusher(receiver: _Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pusher]:
    monkeypatch.setattr(pusher_module, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(pusher_module, "_LONGEST_PAUSE_S", 0.05)
    yield Pusher(f"http://127.0.0.1:{receiver.server_port}", _Endpoint)


def _wait(pusher: Pusher, condition: Callable[[State], bool]) -> State:
    wait_until(lambda: condition(pusher.poll()), "what is pushed", deadline_s=DEADLINE_S)
    return pusher.poll()


def test_intervals_arrive_in_their_order(receiver: _Receiver, pusher: Pusher) -> None:
    for number in range(20):
        pusher.publish(b"%d" % number)
    assert pusher.close() == State(pushed=20)
    assert [frame for frame, _ in receiver.taken] == [b"%d" % number for number in range(20)]


def test_what_could_not_be_pushed_is_pushed_later_with_the_time_that_it_is_of(
    receiver: _Receiver, pusher: Pusher
) -> None:
    receiver.down = True
    for number in range(3):
        pusher.publish(b"%d" % number)
    assert _wait(pusher, lambda state: state.waiting == 3 and bool(state.why)).lost == 0
    recovered_ns = time.monotonic_ns()
    receiver.down = False
    assert _wait(pusher, lambda state: state.pushed == 3) == State(pushed=3)
    pusher.close()
    assert [frame for frame, _ in receiver.taken] == [b"0", b"1", b"2"]
    assert all(at_ns < recovered_ns for _, at_ns in receiver.taken)


def test_tries_are_bounded_and_losses_counted(receiver: _Receiver, pusher: Pusher) -> None:
    receiver.down = True
    pusher.publish(b"x")
    state = _wait(pusher, lambda state: state.lost == 1)
    assert state == State(lost=1, why="answered 503")
    assert len(receiver.asked_ns) == 8
    pusher.close()


def test_so_many_wait_and_no_more(receiver: _Receiver, pusher: Pusher) -> None:
    receiver.down = True
    for number in range(300):
        pusher.publish(b"%d" % number)
    state = _wait(pusher, lambda state: state.lost + state.waiting == 300)
    assert state.waiting <= pusher_module._MOST_WAITING
    receiver.down = False
    state = _wait(pusher, lambda state: state.waiting == 0)
    assert state.pushed + state.lost == 300
    assert receiver.taken[-1][0] == b"299"
    pusher.close()


def test_one_that_is_under_way_is_not_told_lost(receiver: _Receiver, pusher: Pusher) -> None:
    """What is told of losses is a counter: it never goes back."""
    receiver.free.clear()
    pusher.publish(b"0")
    wait_until(lambda: receiver.taken, "the first to be under way")
    for number in range(1, 300):
        pusher.publish(b"%d" % number)
    most = pusher_module._MOST_WAITING
    full = State(lost=300 - most, waiting=most)
    assert _wait(pusher, lambda state: state.lost >= full.lost) == full
    receiver.free.set()
    assert _wait(pusher, lambda state: not state.waiting) == State(pushed=most, lost=full.lost)
    pusher.close()


def test_a_loss_is_no_answer_of_the_endpoint(receiver: _Receiver, pusher: Pusher) -> None:
    """Why it does not answer is told until it does."""
    receiver.down = True
    pusher.publish(b"0")
    _wait(pusher, lambda state: bool(state.why))
    receiver.free.clear()
    for number in range(1, 100):
        pusher.publish(b"%d" % number)
    state = _wait(pusher, lambda state: state.lost + state.waiting == 100)
    assert state.why == "answered 503"
    receiver.down = False
    receiver.free.set()
    pusher.close()


def test_what_is_left_at_the_end_is_lost_and_counted(receiver: _Receiver, pusher: Pusher) -> None:
    receiver.down = True
    pusher.publish(b"x")
    pusher.publish(b"y")
    begun = time.monotonic()
    state = pusher.close()
    assert state == State(lost=2, why="answered 503")
    assert time.monotonic() - begun < DEADLINE_S
    # The end cuts a pause short, but one.
    gaps = [after - before for before, after in itertools.pairwise(receiver.asked_ns)]
    assert len(gaps) == 2 * 8 - 1
    assert sum(gap < 0.01e9 for gap in gaps) <= 1


def test_one_that_is_under_way_at_the_end_is_lost_once(
    receiver: _Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pusher_module, "_LAST_S", 0.2)
    pusher = Pusher(f"http://127.0.0.1:{receiver.server_port}", _Endpoint)
    receiver.free.clear()
    pusher.publish(b"x")
    wait_until(lambda: receiver.taken, "it to be under way")
    pusher.publish(b"y")
    assert pusher.close() == State(lost=2)
    receiver.free.set()


def test_who_pushes_is_nobody_and_holds_nothing_of_its_parent(pusher: Pusher) -> None:
    held = os.open("/dev/null", os.O_RDONLY)
    try:
        pusher.publish(b"x")
        _wait(pusher, lambda state: state.pushed == 1)
        status = Path(f"/proc/{pusher.pid}/status").read_text().splitlines()
        facts = dict(line.split(":\t", 1) for line in status if ":\t" in line)
        for sets in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert int(facts[sets], 16) == 0
        if os.geteuid() == 0:
            assert set(facts["Uid"].split()) == {"65534"}
            links = [str(link.readlink()) for link in Path(f"/proc/{pusher.pid}/fd").iterdir()]
            assert len([link for link in links if not link.startswith("/dev/null")]) == 2
    finally:
        os.close(held)
        pusher.close()


def test_an_end_of_the_process_is_told(pusher: Pusher) -> None:
    os.kill(pusher.pid, 9)
    os.waitpid(pusher.pid, 0)
    with pytest.raises(Unsupported, match="not pushed any more"):
        pusher.publish(b"x")
    pusher.close()
