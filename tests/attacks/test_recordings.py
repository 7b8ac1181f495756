"""Recordings that somebody made to be read: small files that cost memory, time or the disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iotrace.errors import ExitCode
from iotrace.recording import container
from iotrace.report.codec import to_dict
from iotrace.timeline.recorded_events import EVENT
from iotrace.timeline.tracks import ENTER, EXIT
from tests.attacks.victim import Happens, root_runs
from tests.unit import reports
from tests.unit.recording.damage import sealed

MOST_BYTES = 150 * 1000 * 1000
MOST_SECONDS = 20.0  # of a machine that does other things as well; refused ones take less than 2

Parts = list[tuple[bytes, bytes]]


def _json(**changes: Any) -> bytes:
    data = {**to_dict(reports.thread_pool(3)), **changes}
    return json.dumps(data, separators=(",", ":")).encode()


def _repeated(item: bytes, count: int) -> bytes:
    """A report whose processes are this, so many times."""
    return _json(processes=[0]).replace(
        b'"processes":[0]', b'"processes":[' + b",".join([item] * count) + b"]"
    )


def _process(**changes: Any) -> bytes:
    process = {**to_dict(reports.thread_pool(3))["processes"][0], **changes}
    return json.dumps(process, separators=(",", ":")).encode()


def _plain_process() -> bytes:
    empty = dict(threads=[], calls=[], descriptors=[], loops=[], cmdline=[], lines=[])
    return _process(**empty)


def _timeline(events: bytes) -> Parts:
    names = b'{"calls":{"0":"read"},"opened":[]}'
    return [(container.REPORT, _json()), (container.EVENTS, events), (container.NAMES, names)]


def _events(count: int, step: int, threads: int) -> bytes:
    """From the last to the first where ``step`` is negative."""
    rows = (
        EVENT.pack(2**40 + at * step, at, 1 + at % threads, 1 + at % threads, 3, ENTER + at % 2, 0)
        for at in range(count)
    )
    return b"".join(rows)


assert EXIT == ENTER + 1

_REFUSED: dict[str, tuple[tuple[str, ...], Callable[[], Parts]]] = {
    "12 million empty lists": (
        (), lambda: [(container.REPORT, _repeated(b"[]", 12_000_000))]
    ),
    "10 million empty lists": (
        (), lambda: [(container.REPORT, _repeated(b"[]", 10_000_000))]
    ),
    "a million empty objects": (
        (), lambda: [(container.REPORT, _repeated(b"{}", 1_000_000))]
    ),
    "6 million arguments of a process": (
        (), lambda: [(container.REPORT, _repeated(_process(cmdline=["ab"] * 6_000_000), 1))]
    ),
    "30 million lists one in another": (
        (), lambda: [(container.REPORT, b'{"schema":' + b"[" * 30_000_000)]
    ),
    "8 million events of nothing but zeros": (
        ("-f", "chrome"), lambda: _timeline(bytes(EVENT.size * 8_000_000))
    ),
    "300,000 events from the last to the first": (
        ("-f", "chrome"), lambda: _timeline(_events(300_000, -7919, 3))
    ),
    "events of 60,000 threads": (
        ("-f", "chrome"), lambda: _timeline(_events(60_000, 7919, 60_000))
    ),
    "a million names of descriptors": (
        ("-f", "chrome"),
        lambda: [
            *_timeline(b"")[:2],
            (container.NAMES, b'{"calls":{},"opened":[' + b"[],".join([b""] * 1_000_000) + b"[]]}"),
        ],
    ),
    "an escape as the name of a call": (
        ("-f", "perfetto"),
        lambda: [
            *_timeline(b"")[:2],
            (container.NAMES, b'{"calls":{"0":"\\u001b[2J"},"opened":[]}'),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", _REFUSED)
def test_a_recording_that_is_refused(attack: str, roots_directory: Path, happens: Happens) -> None:
    options, parts = _REFUSED[attack]
    path = roots_directory / "hostile.iot"
    path.write_bytes(sealed(parts()))
    ended = root_runs("report", path, *options, "-o", roots_directory / "out")
    assert ended.code == ExitCode.USAGE, ended
    assert "too large to be" in ended.stderr or "timeline is damaged" in ended.stderr, ended
    assert not (roots_directory / "out").exists()
    assert ended.peak_bytes < MOST_BYTES
    assert ended.seconds < MOST_SECONDS
    size = path.stat().st_size
    happens(
        f"a recording of {attack}, {size:,} bytes",
        f"{ended.summary()} ({ended.peak_bytes >> 20} MiB)",
    )


def _bomb(kind: bytes) -> bytes:
    """The same part of 100 MB a hundred times: the file has 10 MB."""
    data = container.header() + container.part(container.REPORT, _json())
    data += container.part(kind, bytes(100_000_000)) * 100
    return data + container.end(hashlib.sha256(data).digest())


_READ: dict[str, tuple[tuple[str, ...], Callable[[], bytes]]] = {
    "10 GB of events that nobody asked for": ((), lambda: _bomb(container.EVENTS)),
    "10 GB of samples that nobody asked for": ((), lambda: _bomb(container.SAMPLE)),
    "20,000 processes": (
        ("-f", "html-report"),
        lambda: sealed([(container.REPORT, _repeated(_plain_process(), 20_000))]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", _READ)
def test_a_recording_that_is_printed(attack: str, roots_directory: Path, happens: Happens) -> None:
    options, made = _READ[attack]
    path = roots_directory / "hostile.iot"
    path.write_bytes(made())
    ended = root_runs("report", path, *options)
    assert ended.code == 0, ended.stderr
    assert ended.peak_bytes < MOST_BYTES
    assert ended.seconds < MOST_SECONDS
    happens(
        f"a recording of {attack}, {path.stat().st_size:,} bytes",
        f"exit 0, printed ({ended.peak_bytes >> 20} MiB, {ended.seconds:.1f} s)",
    )


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        (container.SAMPLE, ("compare",)),
        (container.SAMPLE, ("report", "-f", "jsonl")),
        (container.EVENTS, ("report", "-f", "chrome")),
        (container.EVENTS, ("report", "-f", "perfetto")),
    ],
)
def test_a_bomb_that_is_asked_for(
    kind: bytes, command: tuple[str, ...], roots_directory: Path, happens: Happens
) -> None:
    path = roots_directory / "hostile.iot"
    path.write_bytes(_bomb(kind))
    files = (path, path) if command == ("compare",) else (path,)
    ended = root_runs(*command, *files, "-o", roots_directory / "out")
    assert ended.code == ExitCode.USAGE, ended
    assert not (roots_directory / "out").exists()
    assert ended.peak_bytes < MOST_BYTES
    assert ended.seconds < MOST_SECONDS
    happens(
        f"{' '.join(command)} of a recording of 10 GB of {kind.decode()}, 10 MB",
        f"{ended.summary()} ({ended.peak_bytes >> 20} MiB)",
    )
