"""Processes that wait for peers, name servers and files, and their twins that hardly do."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import (
    Connected,
    FileLockWait,
    Listener,
    OpenSockets,
    Overflowed,
    Process,
    Silent,
)
from iotrace.report.requests import Requests, Upstream
from iotrace.report.times import Durations, Percentiles
from tests.unit.verdict.made import (
    MS,
    US,
    S,
    blocking,
    call,
    descriptor,
    event_loop,
    in_call,
    line,
    line_of,
    process,
    thread,
)
from tests.unit.verdict.made_tasks import ASKS, wait_of, with_tasks


def silent_peer(wrong: bool) -> tuple[Process, ...]:
    # A segment lost now and then is sent again once or twice, within half a second.
    one = with_tasks(wait_of(*ASKS))
    silent = Silent("10.0.0.9:443", False, 2, 3 if wrong else 1, 1_400 * MS if wrong else 200 * MS)
    known = (Connected(silent.peer, 2, 0),)
    assert one.sockets is not None
    return (replace(one, sockets=replace(one.sockets, connected=known, silent=(silent,))),)


def connecting(wrong: bool) -> tuple[Process, ...]:
    asleep = 3 * S if wrong else 3 * MS
    one = blocking(wait=6 * S, connect=asleep)
    return (replace(one, calls=(*one.calls, call("connect", "tcp", 101, wait=asleep))),)


def one_peer(wrong: bool) -> tuple[Process, ...]:
    one = blocking(wait=7 * S)
    local = "127.0.0.1:51000" if wrong else "127.0.0.1:8000"
    upstream = descriptor(8, local=local, peer="10.0.0.9:5432", wait=6 * S, nonblocking=False)
    return (replace(one, descriptors=(*one.descriptors, upstream)),)


def tail(wrong: bool) -> tuple[Process, ...]:
    (one,) = one_peer(True)
    # 5 ms for most; 12 of them 0.4 s, or 120, that are not to be called few.
    late = 12 if wrong else 120
    buckets = ((4 * MS, 6 * MS, 588), (268 * MS, 403 * MS, late))
    times = Percentiles(5 * MS, 5 * MS, 5 * MS, 400 * MS, 402 * MS, buckets)
    return (replace(one, lines=(line("recvfrom", "tcp", 8, 588 + late, times=times),)),)


def file_lock(wrong: bool) -> tuple[Process, ...]:
    asleep = 5 * S if wrong else 40 * MS
    locks = call("flock", "file", 31, wait=asleep, longest=450 * MS)
    waits = (FileLockWait("flock", "/srv/state.lock", 4321, "python3"),)
    one = blocking(wait=4 * S, file=asleep)
    return (replace(one, calls=(*one.calls, locks), file_lock_waits=waits if wrong else ()),)


def slow_file(wrong: bool) -> tuple[Process, ...]:
    # As much time, but in calls of which none is long: a disk at its usual work.
    writes = call("fsync", "file", 41, wait=4 * S, longest=(400 if wrong else 9) * MS)
    one = blocking(wait=4 * S, file=4 * S)
    file = replace(
        descriptor(5, kind="file", local="/srv/log", peer="", wait=4 * S),
        file_system="nfs4 at /srv from nas:/srv",
    )
    return (replace(one, calls=(*one.calls, writes), descriptors=(*one.descriptors, file)),)


def silent_dns(wrong: bool) -> tuple[Process, ...]:
    # Nothing came back in 5 s; or the answers came, in 20 ms each.
    asleep = 5_005 * MS if wrong else 60 * MS
    one = blocking(wait=4 * S, poll=asleep)
    dead, good = (
        descriptor(
            fd, kind="udp", local="10.0.0.7:40001", peer=f"10.0.0.{server}:53", opened=3,
            polled=polled, bytes_in=answered,
        )
        for fd, server, polled, answered in (
            (9, 2, asleep, 0 if wrong else 300), (10, 3, MS, 300),
        )
    )  # fmt: skip
    return (replace(one, descriptors=(*one.descriptors, dead, good)),)


def nagle(wrong: bool) -> tuple[Process, ...]:
    # Head and body in two sends, or in one: then the wait is the client's own pause.
    times = Percentiles(
        44 * MS, 44 * MS, 44 * MS, 44 * MS, 44 * MS, ((33_554_432, 50_331_648, 97),)
    )
    server = blocking()
    sends = call("sendto", "tcp", 200 if wrong else 100, bytes=2_000)
    rows = (replace(descriptor(7, nonblocking=False, wait=9 * S), nodelay=False),)
    reads = line("recvfrom", "tcp", 7, 97, times=times, functions=("readinto", "handle"))
    return (replace(server, calls=(*server.calls[:2], sends), descriptors=rows, lines=(reads,)),)


def overflow(wrong: bool) -> tuple[Process, ...]:
    server = blocking(wait=S, sleep=8 * S)
    listener = Listener("127.0.0.1:8000", 2, 1, 7 if wrong else 1)
    slow = line("clock_nanosleep", "", -1, 53, total=8 * S, functions=("look_up",))
    sockets = OpenSockets(2, ("127.0.0.1:8000",), 2, 0, (listener,))
    return (replace(server, lines=(slow,), sockets=sockets),)


def closed_window(wrong: bool) -> tuple[Process, ...]:
    # Without data left it was a slow reader that has caught up.
    row = replace(descriptor(8), window_closed_ns=6 * S, unsent_bytes=2_500_000 if wrong else 0)
    one = event_loop()
    return (replace(one, descriptors=(one.descriptors[0], row)),)


def lost_packets(wrong: bool) -> tuple[Process, ...]:
    buckets = ((805_306_368, 1_073_741_824, 5 if wrong else 1),)
    times = Percentiles(S, S, S, S, 1_030 * MS, buckets)
    client = blocking(wait=4 * S, poll=5 * S)
    connects = line("poll", "", 9, 5, times=times, functions=("create_connection", "fetch"))
    return (replace(client, lines=(connects,)),)


def child_polling(wrong: bool) -> tuple[Process, ...]:
    # The same sleeps; in the twin the program's own.
    file = "/usr/lib/python3.11/subprocess.py" if wrong else "/srv/server.py"
    server = blocking(wait=5 * S, sleep=4 * S)
    sleeps = line(
        "clock_nanosleep",
        "",
        -1,
        83,
        total=4 * S,
        functions=("Popen._wait", "Popen.wait"),
        file=file,
    )
    return (replace(server, lines=(sleeps,)),)


def round_trips(wrong: bool) -> tuple[Process, ...]:
    """IO162: 40 questions to Redis for each request, and 4."""
    theirs = Durations(40_000, *(100 * US,) * 5)
    answered = Durations(1_000 if wrong else 10_000, *(MS,) * 5)
    requests = Requests(
        "127.0.0.1:8000", 9, answered.count, 0, None, answered, None, None, None, None
    )
    redis = Upstream("10.0.0.9:6379", "tcp", 40_000, 1, 0, None, theirs, None, None, 0, {})
    one = blocking(wait=5 * S)
    return (replace(one, requests=(requests,), upstreams=(redis,)),)


def unreachable(wrong: bool) -> tuple[Process, ...]:
    """Requests that wait for a broker; in the twin only a thread of its own does."""
    handler = ("app.py:18 signup", "lib/site-packages/flask/app.py:9 Flask.wsgi_app")
    own = ("lib/threading.py:975 Thread.run",)
    sleeps = in_call(
        "clock_nanosleep", "", "lib/site-packages/kombu/utils/functional.py:351 retry_over_time",
        *(handler if wrong else own),
    )  # fmt: skip
    one = blocking(wait=4 * S, sleep=5 * S)
    broker = Upstream("10.0.0.9:5672", "tcp", 0, 0, 0, None, None, None, None, 17, {})
    lines = (line_of(sleeps, 17, 5 * S, 400 * MS),)
    return (replace(one, upstreams=(broker,), lines=lines),)


def convoy(wrong: bool) -> tuple[Process, ...]:
    """Five threads wait for a row that another has while it asks; in the twin two ask at a time."""
    handler = ("app.py:{} order", "lib/site-packages/flask/app.py:9 Flask.wsgi_app")
    rows, lines, peers = [], [], []
    for fd, line_number, peer, at_once, waited in (
        (8, 17, "10.0.0.9:3306", 6, 40 * S),
        (9, 18, "10.0.0.8:443", 1 if wrong else 2, 9 * S),
    ):
        asks = in_call("recvfrom", "tcp", handler[0].format(line_number), handler[1], fd=fd)
        rows.append(descriptor(fd, local=f"127.0.0.1:{51_000 + fd}", peer=peer, wait=waited))
        lines.append(line_of(asks, 9, waited, 5 * S))
        theirs = Durations(9, *(S,) * 5, histogram=((S, S, 9),))
        peers.append(Upstream(peer, "tcp", 9, at_once, 0, None, theirs, None, None, 0, {}))
    one = blocking(wait=9 * S)
    return (
        replace(
            one,
            descriptors=(*one.descriptors, *rows),
            lines=tuple(lines),
            upstreams=tuple(peers),
        ),
    )


def new_connections(wrong: bool) -> tuple[Process, ...]:
    """A handshake for each call; in the twin as much time goes to waiting for answers."""
    asking = ("app.py:9 index", "lib/site-packages/flask/app.py:9 Flask.wsgi_app")
    shakes = in_call("poll", "tcp", "lib/ssl.py:1379 SSLSocket.do_handshake", *asking, fd=8)
    reads = in_call("recvfrom", "tcp", "lib/ssl.py:1134 SSLSocket.read", *asking, fd=8)
    peer = "10.0.0.9:443"
    one = blocking(wait=S)
    row = descriptor(8, local="127.0.0.1:51008", peer=peer, wait=5 * S, opened=200)
    lines = (line_of(shakes if wrong else reads, 200, 4 * S, 40 * MS),)
    times = Durations(200, *(MS,) * 5)
    calls = Upstream(peer, "tcp", 400, 1, 0, None, None, None, times, 0, {})
    return (replace(one, descriptors=(*one.descriptors, row), lines=lines, upstreams=(calls,)),)


def stop_and_wait(wrong: bool) -> tuple[Process, ...]:
    """IO205: 200 pieces of 32 kB, a round trip of 40 ms each; the twin has four under way."""
    peer = "10.0.0.9:22"
    writes = in_call(
        "poll", "tcp", "lib/site-packages/paramiko/packet.py:301 Packetizer.read_all",
        "upload.py:9 send", fd=8,
    )  # fmt: skip
    row = descriptor(
        8, local="10.0.0.7:51008", peer=peer, polled=8 * S, opened=1, bytes_in=20_000,
        bytes_out=6_400_000,
    )  # fmt: skip
    theirs = Durations(200, *(40 * MS,) * 5)
    calls = Upstream(peer, "tcp", 200, 1 if wrong else 4, 0, None, theirs, None, None, 0, {})
    one = process([thread(poll=8 * S, user=2 * S)], descriptors=[row])
    lines = (line_of(writes, 200, 8 * S, 41 * MS),)
    sockets = OpenSockets(1, (), 0, 0)
    return (replace(one, lines=lines, upstreams=(calls,), sockets=sockets),)


def dropped_datagrams(wrong: bool) -> tuple[Process, ...]:
    """IO198: 900 of 2000 were dropped, for a reader that has little to do; or a few."""
    reads = call("recvfrom", "udp", 1_100, bytes=110_000)
    bound = descriptor(5, kind="udp", local="0.0.0.0:8125", peer="", bytes_out=0)
    one = process([thread(user=S, poll=9 * S)], [reads], (), [bound])
    overflowed = Overflowed("0.0.0.0:8125", "", 900 if wrong else 3)
    return (
        replace(one, sockets=OpenSockets(1, ("127.0.0.1:8000",), 0, 0, overflowed=(overflowed,))),
    )


def unix_backlog(wrong: bool) -> tuple[Process, ...]:
    """IO199: connect on a unix socket waits; in the twin, one by TCP."""
    kind = "unix" if wrong else "tcp"
    one = blocking(wait=3 * S, connect=6 * S)
    connects = call("connect", kind, 40, wait=6 * S, longest=400 * MS)
    times = Durations(40, MS, MS, MS, MS, MS)
    asked = Upstream("unix:lockd.sock", kind, 40, 1, 0, None, times, None, None, 0, {})
    return (replace(one, calls=(*one.calls, connects), upstreams=(asked,)),)


def closed_too_soon(wrong: bool) -> tuple[Process, ...]:
    """IO215: a proxy keeps connections for longer; the twin's had one client that did."""
    lost = 2 if wrong else 1
    row = Requests("0.0.0.0:8000", 20, 398, 0, None, *[Durations(398, *(2 * MS,) * 5)] * 5)
    row = replace(
        row,
        after_close=lost,
        after_close_idle_ns=lost * 5 * S,
        after_close_ns=lost * 20 * MS,
        after_close_peer="10.0.0.1",
    )
    return (replace(blocking(wait=6 * S), requests=(row,)),)


def cut_off(wrong: bool) -> tuple[Process, ...]:
    """IO209: idle connections are closed as they are used; the twin's peer was started anew."""
    lost = 9 if wrong else 4
    theirs = Durations(391, *(60 * MS,) * 5)
    asked = Upstream("10.0.0.9:443", "tcp", 391, 2, 0, None, theirs, None, None, 0, {})
    asked = replace(asked, cut_off=lost, cut_off_ns=lost * 30 * MS)
    return (replace(blocking(wait=6 * S), upstreams=(asked,)),)


def full_pipe(wrong: bool) -> tuple[Process, ...]:
    """IO212: the program's own lines wait for who reads its log; or a library's thread does, that
    feeds the processes which work for it."""
    times = Percentiles(400 * MS, 400 * MS, 500 * MS, 500 * MS, 500 * MS)
    own = ("emit", "handle") if wrong else ("_feed",)
    folder = "/srv" if wrong else "/usr/lib/python3.11/multiprocessing"
    one = blocking(wait=3 * S, sleep=S)
    writes = call("write", "pipe", 700, wait=6 * S, longest=500 * MS)
    held = line("write", "pipe", 2, 15, times=times, functions=own, file=f"{folder}/server.py")
    row = descriptor(2, kind="pipe", local="pipe:[81]", peer="", bytes_in=0)
    calls, lines, descriptors = (*one.calls, writes), (*one.lines, held), (*one.descriptors, row)
    return (replace(one, calls=calls, lines=lines, descriptors=descriptors),)
