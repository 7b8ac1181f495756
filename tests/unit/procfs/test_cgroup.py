"""Throttling by a CPU limit, of both versions of control groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs.cgroup import read_throttled_ns


def _made(tmp_path: Path, groups: str, files: dict[str, str]) -> tuple[str, str]:
    (tmp_path / "proc" / "7").mkdir(parents=True)
    (tmp_path / "proc" / "7" / "cgroup").write_text(groups)
    for name, content in files.items():
        place = tmp_path / "cgroup" / name
        place.parent.mkdir(parents=True)
        place.write_text(content)
    return str(tmp_path / "proc"), str(tmp_path / "cgroup")


@pytest.mark.parametrize(
    ("groups", "file"),
    [
        ("0::/web.slice/a\n", "web.slice/a/cpu.stat"),
        ("0::/\n", "cpu.stat"),
        ("4:memory:/other\n0::/web.slice\n", "unified/web.slice/cpu.stat"),
    ],
)
def test_version_2_counts_microseconds(tmp_path: Path, groups: str, file: str) -> None:
    made = _made(tmp_path, groups, {file: "usage_usec 5\nnr_throttled 3\nthrottled_usec 997\n"})
    assert read_throttled_ns(7, *made) == 997_000


def test_version_1_counts_nanoseconds(tmp_path: Path) -> None:
    files = {"cpu,cpuacct/web/cpu.stat": "nr_periods 9\nnr_throttled 3\nthrottled_time 997\n"}
    made = _made(tmp_path, "4:memory:/other\n1:cpu,cpuacct:/web\n", files)
    assert read_throttled_ns(7, *made) == 997


@pytest.mark.parametrize(
    "groups", ["", "nonsense\n", "0::/../../etc\n", "4:memory:/web\n", "0::/gone\n"]
)
def test_no_limit_is_none(tmp_path: Path, groups: str) -> None:
    made = _made(tmp_path, groups, {"web/cpu.stat": "usage_usec 5\n"})
    assert read_throttled_ns(7, *made) is None


def test_a_process_that_has_ended(tmp_path: Path) -> None:
    with pytest.raises(NoSuchProcess):
        read_throttled_ns(7, str(tmp_path), str(tmp_path))
