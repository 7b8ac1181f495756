"""report and compare on the command line: they need no root."""

import json
import os
import random
import subprocess
import sys
import time
import types
from dataclasses import replace
from pathlib import Path

import pytest

from iotrace import __version__
from iotrace.output import formats
from iotrace.output.view_options import View
from iotrace.recording.recording_reader import read_recording
from iotrace.recording.recording_writer import DEFAULT_MAX_BYTES, RecordingWriter
from iotrace.report.model import Lost
from iotrace.timeline.recorded_events import Opened
from iotrace.verdict.judge import judge_recorded
from tests.unit import reports
from tests.unit.comparison.test_compare import recorded, server
from tests.unit.recording.damage import written
from tests.unit.timeline.perfetto_reader import check
from tests.unit.verdict.test_rules import MADE


def iotrace(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "iotrace", *map(str, arguments)],
        capture_output=True, text=True, timeout=60, env={**os.environ, **environment},
    )  # fmt: skip


def keep(path: Path, report: reports.Report, seed: int = 1) -> Path:
    writer = RecordingWriter(path, None, DEFAULT_MAX_BYTES)
    for sample in recorded(report, seed=seed).samples:
        writer.add_sample(sample)
    writer.finish(report)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("recordings")
    return {
        "a": keep(directory / "a.iot", server()),
        "same": keep(directory / "same.iot", server(), seed=2),
        "slow": keep(directory / "slow.iot", server(2.0), seed=3),
    }


@pytest.mark.parametrize("fmt", ["table", "json", "csv", "github", "html-report"])
def test_report_prints_what_was_recorded(files: dict[str, Path], fmt: str) -> None:
    done = iotrace("report", files["a"], "--as-recorded", "-f", fmt)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == formats.render(server(), fmt, View())


@pytest.mark.parametrize("fmt", ["table", "json", "csv", "github", "html-report"])
def test_report_judges_by_the_rules_of_this_version(tmp_path: Path, fmt: str) -> None:
    stalled = MADE["IO103"](True)
    file = keep(tmp_path / "x.iot", replace(reports.report(*stalled), iotrace="0.0.9"))
    done = iotrace("report", file, "-f", fmt)
    assert (done.returncode, done.stderr) == (0, "")
    (judged,) = judge_recorded(read_recording(file).report)
    assert [finding.id for finding in judged.findings] == ["IO103"]
    assert done.stdout == formats.render(judged, fmt, View())


def test_compare_judges_both(tmp_path: Path) -> None:
    both = [
        keep(tmp_path / str(wrong), reports.report(*MADE["IO103"](wrong)))
        for wrong in (False, True)
    ]
    done = iotrace("compare", *both)
    assert "New findings (1)\n" in done.stdout
    assert f"Both are judged by the rules of iotrace {__version__}." in done.stdout


def test_json_lines_are_the_samples_and_the_whole(files: dict[str, Path]) -> None:
    lines = iotrace("report", files["a"], "-f", "jsonl").stdout.splitlines()
    assert [json.loads(line)["interval"] for line in lines] == [*range(1, 11), None]


def test_incomplete_figures_are_told_by_the_exit_code(tmp_path: Path) -> None:
    lost = replace(server(), quality=replace(server().quality, lost=Lost(ring=1)))
    assert iotrace("report", keep(tmp_path / "x.iot", lost)).returncode == 6


def test_a_damaged_file_is_one_clear_error(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "x.iot").write_bytes(files["a"].read_bytes()[:-9])
    (tmp_path / "out").write_text("kept")
    done = iotrace("report", tmp_path / "x.iot", "-o", tmp_path / "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == f"iotrace: {tmp_path}/x.iot: this recording is cut short"
    assert (tmp_path / "out").read_text() == "kept"


def test_compare_the_same(files: dict[str, Path]) -> None:
    done = iotrace("compare", files["a"], files["same"], "--fail-on-regression", "0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "same" in done.stdout and "worse" not in done.stdout.partition("within it")[2]


def test_compare_with_a_regression(files: dict[str, Path]) -> None:
    done = iotrace("compare", files["a"], files["slow"], "--fail-on-regression", "50")
    assert done.returncode == 10
    assert done.stderr.startswith(
        "iotrace: worse: api, recvfrom tcp, mean: 2.01 ms -> 4.02 ms (+100.0 %)\n"
    )
    assert iotrace("compare", files["a"], files["slow"]).returncode == 0
    gentle = iotrace("compare", files["a"], files["slow"], "--fail-on-regression", "150")
    assert (gentle.returncode, gentle.stderr) == (0, "")


def test_compare_as_json(files: dict[str, Path]) -> None:
    data = json.loads(iotrace("compare", files["a"], files["slow"], "-f", "json").stdout)
    assert data["schema"] == "iotrace.comparison/1"


def test_no_judgement_without_samples(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(iotrace("report", files["a"], "-f", "json").stdout)
    done = iotrace("compare", files["a"], tmp_path / "x.json", "--fail-on-regression", "5")
    assert done.returncode == 2
    assert "too few to judge by" in done.stderr
    assert iotrace("compare", files["a"], tmp_path / "x.json").returncode == 0


def test_colours_where_they_are_asked_for(files: dict[str, Path]) -> None:
    assert "\x1b[1m" in iotrace("report", files["a"], "--color", NO_COLOR="1").stdout
    assert "\x1b" not in iotrace("report", files["a"]).stdout


def test_record_says_what_it_needs(tmp_path: Path) -> None:
    assert iotrace("record", "1").returncode == 2
    assert "no size" in iotrace("record", "-o", "x", "--max-size", "much", "1").stderr
    assert not (tmp_path / "x").exists()


@pytest.fixture(scope="module")
def timeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("timeline") / "x.iot"
    written(path)
    return path


def test_a_timeline_for_chrome(timeline: Path, tmp_path: Path) -> None:
    done = iotrace("report", timeline, "-f", "chrome", "-o", tmp_path / "x.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (tmp_path / "x.json").read_text()
    assert "recvfrom" in {event["name"] for event in json.loads(text)["traceEvents"]}
    assert iotrace("report", timeline, "-f", "chrome").stdout == text


def test_a_timeline_for_perfetto(timeline: Path, tmp_path: Path) -> None:
    pytest.importorskip("perfetto")
    done = iotrace("report", timeline, "-f", "perfetto", "-o", tmp_path / "x.perfetto")
    assert (done.returncode, done.stderr) == (0, "")
    assert check((tmp_path / "x.perfetto").read_bytes())["flows"] == 1


def test_no_timeline_no_export(files: dict[str, Path], tmp_path: Path) -> None:
    done = iotrace("report", files["a"], "-f", "chrome", "-o", tmp_path / "x")
    assert done.returncode == 2
    assert done.stderr.startswith("iotrace: this recording has no timeline\n")
    assert not (tmp_path / "x").exists()
    done = iotrace("compare", files["a"], files["a"], "-f", "perfetto")
    assert done.returncode == 2


def test_a_timeline_that_has_no_more_room_ends_and_says_so(tmp_path: Path) -> None:
    pytest.importorskip("bcc")
    from iotrace.cli.recording_sink import Recorder

    recorder = Recorder(str(tmp_path / "x.iot"), 16_000, timeline=True)
    trace = FakeTrace()
    for _ in range(7):
        recorder.tick(trace)  # type: ignore[arg-type]
    assert trace.switched == [False]
    recorder.finish(server())
    recording = read_recording(tmp_path / "x.iot", timeline=True)
    assert recording.timeline is not None
    assert len(recording.timeline.packed) == 2 * len(trace.noise)
    assert recording.timeline.opened == (Opened(7, 3, 99, recording.timeline.opened[0].at_ns),)
    (note,) = recording.report.quality.notes
    assert note.startswith("the timeline ends after ")


class FakeTrace:
    """Streams the same 4,000 bytes that zlib cannot pack, each time."""

    def __init__(self) -> None:
        self.noise = random.Random(1).randbytes(32 * 125)
        self.switched: list[bool] = []
        self.probes = types.SimpleNamespace(call_names={45: "recvfrom"})
        self.started_ns = time.monotonic_ns()

    def timeline(self, on: bool) -> None:
        self.switched.append(on)

    def packed_events(self) -> bytes:
        return self.noise

    def opened(self) -> list[tuple[int, int, int]]:
        return [(7, 3, 99)]


def test_pages_one_after_the_other_are_no_page() -> None:
    from iotrace.cli.options import Shown
    from iotrace.cli.printer import Printer
    from iotrace.errors import UsageError

    with pytest.raises(UsageError, match="html-report holds one report"):
        Printer(Shown(fmt="html-report"), intervals=True)
    Printer(Shown(fmt="html-report"))
    Printer(Shown(fmt="jsonl"), intervals=True)
