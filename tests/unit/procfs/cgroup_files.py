"""Control groups made of plain files, of both versions, as a process 7 sees them."""

from __future__ import annotations

import os
from pathlib import Path

from iotrace.procfs.cgroup_tree import CgroupMount, CgroupTree


def made(
    tmp_path: Path, groups: str, files: dict[str, str], tops: dict[str, str] | None = None
) -> tuple[CgroupTree, str]:
    """The tree, and a /proc with the groups of process 7.

    ``files``: below the mounts: those of version 1 are named after their controllers, that of
    version 2 is at the top, or "unified". ``tops``: what mounts show that do not show all.
    """
    (tmp_path / "proc" / "7").mkdir(parents=True)
    (tmp_path / "proc" / "7" / "cgroup").write_text(groups)
    for name, content in files.items():
        place = tmp_path / "cgroup" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    mounts = []
    for folder in ("cpu,cpuacct", "memory", "unified", ""):
        point = tmp_path / "cgroup" / folder
        if point.is_dir() or not folder:
            controllers = frozenset({""} if folder in ("unified", "") else folder.split(","))
            top = (tops or {}).get(folder, "/")
            mounts.append(CgroupMount(controllers, top, str(point)))
    return CgroupTree(tuple(mounts), _read, _folders), str(tmp_path / "proc")


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _folders(path: str) -> list[str]:
    return [entry.name for entry in os.scandir(path) if entry.is_dir()]
