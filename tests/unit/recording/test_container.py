"""The file format: what is written is read, what is damaged is refused in one line."""

import random
import struct
from pathlib import Path

import pytest

from iotrace.errors import ExitCode
from iotrace.recording import container
from iotrace.recording.container import BadRecording
from iotrace.recording.recording import Recording, as_sample
from iotrace.recording.recording_reader import read_recording
from iotrace.report.codec import BadReport
from iotrace.timeline.recorded_events import BadTimeline
from tests.unit import reports
from tests.unit.random_reports import random_report
from tests.unit.recording.damage import container_parts, outcome, sealed, tally, written
from tests.unit.timeline.made import blocking_read


def reason(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(BadRecording) as refused:
        read_recording(path)
    assert refused.value.code is ExitCode.USAGE
    return refused.value.what.removeprefix(f"{path}: ") + "; " + refused.value.why


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.iot"
    written(path)
    recording = read_recording(path)
    assert recording.report == reports.thread_pool(3)
    assert [sample.interval for sample in recording.samples] == [1, 2, 3]
    assert read_recording(path, samples=False) == Recording(reports.thread_pool(3))


def test_a_timeline_is_read_where_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.iot"
    written(path)
    assert read_recording(path).timeline is None
    assert read_recording(path, timeline=True).timeline == blocking_read()


def test_a_timeline_of_no_sense(tmp_path: Path) -> None:
    whole = container_parts(written(tmp_path / "x"))
    parts = [(container.REPORT, whole[-1]), (container.EVENTS, b"x"), (container.NAMES, b"{}")]
    (tmp_path / "x").write_bytes(sealed(parts))
    with pytest.raises(BadTimeline) as refused:
        read_recording(tmp_path / "x", timeline=True)
    assert refused.value.what == f"{tmp_path}/x: this recording's timeline is damaged"
    assert read_recording(tmp_path / "x").report == reports.thread_pool(3)


@pytest.mark.parametrize("seed", range(23))
def test_any_report_comes_back(tmp_path: Path, seed: int) -> None:
    from iotrace.recording.recording_writer import RecordingWriter

    report = random_report(seed)
    writer = RecordingWriter(tmp_path / "x.iot", None, 1 << 30)
    writer.add_sample(report)
    writer.finish(report)
    recording = read_recording(tmp_path / "x.iot")
    assert recording == Recording(report, (as_sample(report),))
    assert recording.samples[0].findings == ()


def test_a_report_as_json_is_read_too(tmp_path: Path) -> None:
    from iotrace.output import as_json

    (tmp_path / "x.json").write_text(as_json.render(reports.event_loop()))
    assert read_recording(tmp_path / "x.json") == Recording(reports.event_loop())
    (tmp_path / "x.json").write_text('{"a": 1}')
    with pytest.raises(BadReport, match=r"x\.json: this is not an iotrace report"):
        read_recording(tmp_path / "x.json")


def test_an_empty_file(tmp_path: Path) -> None:
    assert reason(tmp_path / "x", b"").startswith("the file is empty; ")


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"\x89PNG\r\n\x1a\n" * 9, b"\x7fELF", b"x" * 99])
def test_a_foreign_file(tmp_path: Path, data: bytes) -> None:
    assert reason(tmp_path / "x", data).startswith("this is not a recording; ")


def test_a_newer_file(tmp_path: Path) -> None:
    newer = sealed([(b"NEWS", b"x")], struct.pack(">HH", container.VERSION + 1, 0))
    assert reason(tmp_path / "x", newer) == (
        "this recording has the version 2 of the file format; "
        "this iotrace reads up to version 1; a newer one made it"
    )


def test_every_length_that_is_cut_short(tmp_path: Path) -> None:
    whole = written(tmp_path / "x", samples=1)
    step = max(1, len(whole) // 211)
    for length in (*range(1, 60), *range(60, len(whole), step)):
        assert reason(tmp_path / "x", whole[:length]).startswith("this recording is cut short; ")


def test_every_flipped_bit(tmp_path: Path) -> None:
    path = tmp_path / "x"
    whole = written(path, samples=1)
    original = read_recording(path, timeline=True)
    places = {*range(60), *random.Random(7).sample(range(len(whole)), 211), len(whole) - 1}
    for place in places:
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            assert outcome(path, bytes(flipped), original).startswith("this ")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (sealed([]), "it holds no report"),
        (sealed([(b"JUNK", b"")]), "a part's head makes no sense"),
        (sealed([]) + b"x", "there is more after its end"),
        (sealed([], b"\0\0\0\0"), "its version makes no sense"),
        (sealed([], b"\0\1\0\1"), "its version makes no sense"),
        (container.header() + container.end(bytes(32)), "the checksum of the whole does not match"),
    ],
)
def test_what_nobody_writes(tmp_path: Path, data: bytes, why: str) -> None:
    assert reason(tmp_path / "x", data) == f"this recording is damaged; {why}"


def test_two_reports(tmp_path: Path) -> None:
    plain = container_parts(written(tmp_path / "x"))[-1]
    twice = sealed([(container.REPORT, plain)] * 2)
    assert reason(tmp_path / "x", twice) == "this recording is damaged; it holds two reports"


def test_a_bomb_takes_no_more_memory_than_it_says(tmp_path: Path) -> None:
    import zlib

    packed = zlib.compress(bytes(50_000_000))
    checked = struct.pack(">4sII", container.REPORT, len(packed), 100)
    crc = zlib.crc32(packed, zlib.crc32(checked)).to_bytes(4, "big")
    data = container.header() + checked + crc + packed
    assert "a part is not as long as it says" in reason(tmp_path / "x", data)


def test_a_length_that_is_out_of_all_proportion(tmp_path: Path) -> None:
    checked = struct.pack(">4sIII", container.REPORT, 2**32 - 1, 2**28 + 1, 0)
    assert "head makes no sense" in reason(tmp_path / "x", container.header() + checked)
    checked = struct.pack(">4sIII", container.REPORT, 2**32 - 1, 5, 0)
    assert "cut short" in reason(tmp_path / "x", container.header() + checked)


def test_a_part_too_long_to_be_read_back_is_not_written() -> None:
    class Long(bytes):
        def __len__(self) -> int:
            return 2**28 + 1

    with pytest.raises(ValueError, match="a part of 268435457 bytes"):
        container.part(container.REPORT, Long())


def test_damaged_and_forged_files_at_random(tmp_path: Path) -> None:
    """The long form: python -m tests.unit.recording.damage 10000."""
    broken, forged = tally(307, seed=11, directory=tmp_path)
    assert broken["another report"] == 0
    assert sum(broken.values()) == sum(forged.values()) == 307
    assert broken["this recording is damaged"] > 0
    assert broken["this recording is cut short"] > 0
