"""Limits of CPU time and of memory, of both versions of control groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs.cgroup import read_memory_left, read_throttled_ns


def _made(tmp_path: Path, groups: str, files: dict[str, str]) -> tuple[str, str]:
    (tmp_path / "proc" / "7").mkdir(parents=True)
    (tmp_path / "proc" / "7" / "cgroup").write_text(groups)
    for name, content in files.items():
        place = tmp_path / "cgroup" / name
        place.parent.mkdir(parents=True, exist_ok=True)
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


def test_the_memory_left_is_that_of_the_narrowest_group(tmp_path: Path) -> None:
    files = {
        "memory.max": "max\n",
        "web.slice/memory.max": "1000\n",
        "web.slice/memory.current": "900\n",
        "web.slice/memory.stat": "anon 1\ninactive_file 301\n",
        "web.slice/a/memory.max": "500\n",
        "web.slice/a/memory.current": "23\n",
    }
    assert read_memory_left(7, *_made(tmp_path, "0::/web.slice/a\n", files)) == 401


def test_the_memory_left_of_version_1(tmp_path: Path) -> None:
    files = {
        "memory/memory.limit_in_bytes": "9223372036854771712\n",  # its word for none
        "memory/memory.usage_in_bytes": "7\n",
        "memory/web/memory.limit_in_bytes": "1000\n",
        "memory/web/memory.usage_in_bytes": "900\n",
        "memory/web/memory.stat": "inactive_file 7\ntotal_inactive_file 11\n",
    }
    assert read_memory_left(7, *_made(tmp_path, "4:memory:/web\n1:cpu:/other\n", files)) == 111


def test_no_limit_of_memory_is_none(tmp_path: Path) -> None:
    files = {"memory/memory.limit_in_bytes": "x\n", "web/memory.max": "max\n"}
    assert read_memory_left(7, *_made(tmp_path, "4:memory:/\n0::/web\n", files)) is None


def test_a_process_that_has_ended(tmp_path: Path) -> None:
    with pytest.raises(NoSuchProcess):
        read_throttled_ns(7, str(tmp_path), str(tmp_path))
