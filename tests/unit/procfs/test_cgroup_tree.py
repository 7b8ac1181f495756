"""Where control groups lie: mounts of a part, and cgroup namespaces that hide the rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs.cgroup_tree import (
    CgroupMount,
    Level,
    OutOfSight,
    levels,
    own_tree,
    parse_cgroup_mounts,
    tree_seen_by,
)
from tests.unit.procfs.cgroup_files import made

_INFO = rb"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs cgroup rw,mode=755
32 31 0:29 /../.. /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 /a\040b /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate
42 31 0:39 / /sys/fs/cgroup - cgroup
"""


def test_mounts_of_control_groups_are_told_from_others() -> None:
    """Of the first nothing is to be seen: a tmpfs was mounted over it."""
    assert parse_cgroup_mounts(_INFO) == (
        CgroupMount(frozenset({"rw", "cpu", "cpuacct"}), "/../..", "/sys/fs/cgroup/cpu,cpuacct"),
        CgroupMount(frozenset({""}), "/a b", "/sys/fs/cgroup/unified"),
    )


def _named(tmp_path: Path, group: str, top: str, *folders: str) -> list[tuple[str, str]]:
    """The levels of a process of ``group``, where a mount shows ``top`` with these folders."""
    files = {f"{folder}/cpu.stat": "" for folder in ("x", *folders)}
    tree, root = made(tmp_path, f"0::{group}\n", files, {"": top})
    found: tuple[Level, ...] = levels(7, "cpu", tree, root)
    below = len(str(tmp_path / "cgroup"))
    return [(one.group, one.directory[below:]) for one in found]


@pytest.mark.parametrize(
    ("group", "top", "folders", "expected"),
    [
        ("/a/b", "/", (), [("/a/b", "/a/b"), ("/a", "/a"), ("/", "")]),
        # What runc mounts without a cgroup namespace: the container's own group only.
        ("/a/b/c", "/a/b", (), [("/a/b/c", "/c"), ("/a/b", "")]),
        # A process that has a cgroup namespace of its own, too.
        ("/../b", "/../b", (), [("/../b", "")]),
        ("/../b/in", "/../b", (), [("/../b/in", "/in"), ("/../b", "")]),
        # The whole hierarchy, and the process has nothing in common with us but its root.
        ("/../../a/b", "/../..", (), [("/a/b", "/a/b"), ("/a", "/a"), ("/", "")]),
        ("/../..", "/../..", (), [("/", "")]),
        # The process is in a group beside ours, whose parent has a name that we do not see.
        ("/../b", "/../..", ("pods/b", "own"), [("/pods/b", "/pods/b"), ("/pods", "/pods"),
                                                 ("/", "")]),
    ],
)  # fmt: skip
def test_the_levels_of_a_group(
    tmp_path: Path,
    group: str,
    top: str,
    folders: tuple[str, ...],
    expected: list[tuple[str, str]],
) -> None:
    assert _named(tmp_path, group, top, *folders) == expected


@pytest.mark.parametrize(
    ("group", "top", "folders"),
    [
        ("/other", "/a/b", ()),
        ("/a", "/a/b", ()),
        ("/../b", "/", ()),
        ("/../b", "/../c", ()),
        ("/../b", "/../../c", ("b",)),
        ("/../b", "/../..", ("pods/b", "system/b")),  # which of the two cannot be told
        ("/../b", "/../..", ()),
        ("/..", "/../..", ("pods",)),
    ],
)
def test_a_group_that_a_mount_does_not_show(
    tmp_path: Path, group: str, top: str, folders: tuple[str, ...]
) -> None:
    with pytest.raises(OutOfSight):
        _named(tmp_path, group, top, *folders)


def test_version_1_decides_where_it_has_the_controller(tmp_path: Path) -> None:
    """Both are mounted, and a process is in a group of each."""
    files = {"cpu,cpuacct/web/cpu.stat": "", "unified/app/cpu.stat": ""}
    tree, root = made(tmp_path, "1:cpu,cpuacct:/web\n0::/app\n", files)
    assert [one.group for one in levels(7, "cpu", tree, root)] == ["/web", "/"]
    assert [one.group for one in levels(7, "memory", tree, root)] == ["/app", "/"]


def test_another_process_of_this_namespace_sees_what_we_see() -> None:
    ours, its = own_tree(), tree_seen_by(os.getppid())
    assert its.mounts == ours.mounts
    if not ours.mounts:
        pytest.skip("no control groups are mounted here")
    point = ours.mounts[0].point
    assert sorted(its.folders(point)) == sorted(ours.folders(point))
    assert its.read(f"{point}/cgroup.procs")


def test_a_file_that_is_not_the_kernel_s_is_refused() -> None:
    tree = tree_seen_by(os.getpid())
    with pytest.raises(OSError):
        tree.read("/etc/passwd")
    with pytest.raises(OSError):
        tree.folders("/etc")


def test_a_process_that_has_ended() -> None:
    with pytest.raises(NoSuchProcess):
        tree_seen_by(1 << 30)


def test_mounts_without_end_are_not_looked_through(tmp_path: Path) -> None:
    (tmp_path / "7" / "root").mkdir(parents=True)
    line = b"22 1 254:0 / /very/long/name rw,relatime - ext4 /dev/vda1 rw\n"
    (tmp_path / "7" / "mountinfo").write_bytes(line * (1 << 18))
    with pytest.raises(OutOfSight):
        tree_seen_by(7, str(tmp_path))
