"""What is said where a process takes no frames: why it does not, and nothing untrue."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from iotrace.agent import channel as channel_module
from iotrace.agent.channel import channel, frames, hand_on
from iotrace.errors import Unsupported


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    reading, writing = channel()
    yield reading, writing
    for end in (reading, writing):
        with contextlib.suppress(OSError):
            os.close(end)


def _hand_on(writing: int, frame: bytes) -> None:
    hand_on(writing, frame, "Metrics are not served", "answers at :80")


def test_frames_arrive_as_they_are(ends: tuple[int, int]) -> None:
    reading, writing = ends
    for frame in (b"one", b"", b"three"):
        _hand_on(writing, frame)
    os.close(writing)
    assert list(frames(reading)) == [b"one", b"", b"three"]


def test_one_that_has_ended(ends: tuple[int, int]) -> None:
    reading, writing = ends
    os.close(reading)
    with pytest.raises(Unsupported) as error:
        _hand_on(writing, b"x")
    assert error.value.what == "Metrics are not served any more."
    assert error.value.why == "The process that answers at :80 does not take metrics: Broken pipe."


def test_one_that_takes_nothing(ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "_PATIENCE_S", 0.1)
    with pytest.raises(Unsupported, match="not served any more") as error:
        _hand_on(ends[1], b"x" * (1 << 20))
    assert error.value.why.endswith("does not take metrics: Connection timed out.")
