"""``iotrace record --last``: nothing is written until it happens, then what led to it is."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from iotrace.recording.recording_reader import read_recording
from tests.kernel.command import iotrace, started, wait_until_tracing
from tests.kernel.targets import Target
from tests.waiting import DEADLINE_S, wait_until


def test_what_led_to_a_signal_is_dumped(tmp_path: Path) -> None:
    options = ("--last", "2", "--after", "0.2", "-i", "0.2", "--cool-down", "1", "--timeline")
    with Target("calls.py", "pipes") as target:
        command = ("record", target.pid, *options, "--on", "SIGUSR1", "-o", tmp_path)
        with started(*command) as process:
            wait_until_tracing(process)
            assert not list(tmp_path.iterdir())
            target.go()
            os.kill(process.pid, signal.SIGUSR1)
            wait_until(lambda: list(tmp_path.glob("*.iot")), "the dump")
            os.kill(process.pid, signal.SIGUSR1)  # while it cools down: nothing
            process.terminate()
            _, errors = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, errors
        assert "1 dumps were written" in errors
    (dump,) = tmp_path.glob("*.iot")
    recording = read_recording(dump)
    assert any("because of SIGUSR1" in note for note in recording.report.quality.notes)
    assert target.pid in {process.pid for process in recording.report.processes}
    exported = iotrace("report", dump, "-f", "chrome")
    assert exported.code == 0
    assert '"ph": "X"' in exported.stdout or '"ph":"X"' in exported.stdout


def test_a_folder_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    with Target("blocked.py") as target:
        missing = tmp_path / "none"
        ended = iotrace(
            "record", target.pid, "--last", "5", "--on", "SIGUSR1", "-o", missing, "-d", "5"
        )
    assert ended.code == 2
    assert "cannot be written" in ended.stderr
