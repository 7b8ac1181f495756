"""Files: there whole or not at all, never through a link, bounded, with clear errors."""

import errno
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from iotrace.errors import PermissionDenied, UsageError
from iotrace.privileges.caller import Caller
from iotrace.privileges.safe_file import SafeFile
from iotrace.recording import recording_writer
from iotrace.recording.recording_reader import read_recording
from iotrace.recording.recording_writer import RecordingWriter
from iotrace.report import big_json
from tests.unit import reports


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_the_name_leads_to_the_whole_file_only(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")
    file = SafeFile(path, None)
    file.write(b"one")
    file.write(b"two")
    assert path.read_bytes() == b"before"
    assert len(names(tmp_path)) == 2
    file.commit()
    assert path.read_bytes() == b"onetwo"
    assert names(tmp_path) == ["x"]
    file.abort()
    assert path.read_bytes() == b"onetwo"
    assert file.bytes == 6


def test_what_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    file = SafeFile(tmp_path / "x", None)
    file.write(b"one")
    file.abort()
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", ["link", "dangling", "fifo", "directory"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret").write_text("secret")
    path = tmp_path / "x"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / ("secret" if kind == "link" else "nothing"))
    with pytest.raises(UsageError, match="is no file"):
        SafeFile(path, None)
    assert names(tmp_path) == ["secret", "x"]


def test_a_link_planted_meanwhile_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    file = SafeFile(tmp_path / "x", None)
    (tmp_path / "x").symlink_to("secret")
    with pytest.raises(UsageError, match="is no file"):
        file.commit()
    file.abort()
    assert (tmp_path / "secret").read_text() == "secret"
    assert names(tmp_path) == ["secret", "x"]


def test_no_such_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        SafeFile(tmp_path / "nowhere" / "x", None)
    assert refused.value.why == "No such file or directory."


def test_a_full_disk_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SafeFile(tmp_path / "x", None)

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(UsageError) as refused:
        file.write(b"x")
    assert (refused.value.what, refused.value.why) == (
        f"{tmp_path / 'x'} cannot be written.",
        "No space left on device.",
    )
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_devices_are_not_replaced() -> None:
    with pytest.raises(UsageError, match="is no file"):
        SafeFile(Path("/dev/full"), None)
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_the_file_is_the_callers() -> None:
    # Not tmp_path: pytest's own directories are closed to others.
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        caller = Caller(uid=65534, gid=65534, name="nobody", home="/")
        with pytest.raises(UsageError) as refused:
            SafeFile(directory / "x", caller)
        assert refused.value.why == "Permission denied."
        mine = directory / "mine"
        mine.mkdir()
        os.chown(mine, 65534, 65534)
        file = SafeFile(mine / "x", caller)
        file.write(b"x")
        file.commit()
        assert ((mine / "x").stat().st_uid, (mine / "x").stat().st_gid) == (65534, 65534)


def test_samples_without_room_are_counted_in_the_report(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "x", None, 12_000)
    for number in range(1, 98):
        writer.add_sample(replace(reports.thread_pool(3), interval=number))
    writer.finish(reports.thread_pool(3))
    recording = read_recording(tmp_path / "x")
    assert writer.left_out == 97 - len(recording.samples) > 0
    assert writer.samples == len(recording.samples) > 0
    assert (tmp_path / "x").stat().st_size <= 12_000
    (note,) = recording.report.quality.notes
    assert note.startswith(f"{writer.left_out} of 97 interval samples were left out")


def test_a_report_that_is_too_large_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "x", None, 1_000)
    with pytest.raises(UsageError, match="larger than --max-size"):
        writer.finish(reports.event_loop())
    assert names(tmp_path) == []


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        read_recording(tmp_path / "nothing")
    assert refused.value.why == "No such file or directory."
    with pytest.raises(UsageError, match="is no file"):
        read_recording(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UsageError, match="is no file"):
        read_recording(tmp_path / "fifo")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "x").touch(mode=0o000)
    with pytest.raises(PermissionDenied):
        read_recording(tmp_path / "x")


def test_a_report_too_large_to_be_read_is_kept_without_its_details(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = reports.thread_pool(3)
    for limit, value in (("MOST_BYTES", 9_000), ("MOST_VALUES", 300)):
        with monkeypatch.context() as changed:
            changed.setattr(big_json, limit, value)
            writer = RecordingWriter(tmp_path / "x", None, 1 << 20)
            writer.finish(report)
            kept = read_recording(tmp_path / "x").report
        assert [len(process.calls) for process in kept.processes] == [
            len(process.calls) for process in report.processes
        ]
        assert not any(process.descriptors for process in kept.processes)
        (note,) = kept.quality.notes
        assert "were left out of the recording: it " in note


def test_events_and_samples_are_written_no_more_than_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_writer, "MOST_EVENTS", 100)
    monkeypatch.setattr(recording_writer, "MOST_SAMPLES_BYTES", 20_000)
    writer = RecordingWriter(tmp_path / "x", None, 1 << 20)
    assert writer.add_events(bytes(32 * 60))
    assert not writer.add_events(bytes(32 * 60))
    for _ in range(9):
        writer.add_sample(reports.thread_pool(3))
    writer.finish(reports.thread_pool(3))
    recording = read_recording(tmp_path / "x")
    assert writer.left_out == 9 - len(recording.samples) > 0
    assert "there is no room for them" in recording.report.quality.notes[0]
