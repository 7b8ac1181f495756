# SPDX-License-Identifier: Apache-2.0
"""Where the control groups of a process lie in a tree of files.

``/proc/PID/cgroup`` names the groups, ``/proc/PID/mountinfo`` what a mount shows. To whoever reads
them both are relative to the reader's own cgroup namespace, whosever they are: a group outside of
it begins with ``/..`` (cgroup_namespaces(7)).
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

from iotrace.errors import Unsupported
from iotrace.procfs.files import (
    PROC,
    ProcessErrors,
    TooLarge,
    read_file,
    read_process_lines,
    text_of,
)
from iotrace.procfs.mounts import unescaped
from iotrace.procfs.statfs import file_system_type
from iotrace.procfs.target_files import find_inside, open_inside

_LINE = re.compile(rb"^\d+:([^:\n]*):(/[^\n]*)$", re.MULTILINE)
_VERSION_2 = ""
_KINDS = (b"cgroup", b"cgroup2")
_MAGICS = (0x27E0EB, 0x63677270)
"""CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC: include/uapi/linux/magic.h."""
_MOST_LEVELS = 64
"""A path has 4,096 characters at most; groups are not nested that deep in earnest."""
_MOST_FOLDERS = 1 << 11
_MOUNTINFO_BYTES = 1 << 23
"""A node with a thousand containers has a thousand lines of a kilobyte."""
_FILE_BYTES = 1 << 16


class OutOfSight(Unsupported):
    """No mount of this tree shows the control group of a process."""


@dataclass(frozen=True, slots=True)
class CgroupMount:
    """A mount of a hierarchy, or of a part of one.

    ``controllers``: of version 1, beside other mount options; {""} for version 2. ``top``: the
    group that is shown at ``point``, named as in ``/proc/PID/cgroup``.
    """

    controllers: frozenset[str]
    top: str
    point: str


@dataclass(frozen=True, slots=True)
class CgroupTree:
    """The control groups that a process sees. ``read``: a file of it, ``folders``: the names of
    the directories in a directory of it; both by path, both raise ``OSError``.
    """

    mounts: tuple[CgroupMount, ...]
    read: Callable[[str], bytes]
    folders: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Level:
    """One group and its directory.

    ``group``: its path from the root of the hierarchy, "/" for the root; where that is not seen,
    from the cgroup namespace of whoever reads it ("/../other").
    """

    group: str
    directory: str


@cache
def own_tree() -> CgroupTree:
    """What this process sees itself. Only the kernel answers: reading it never waits."""
    return CgroupTree(parse_cgroup_mounts(read_file(f"{PROC}/self/mountinfo")), read_file, _folders)


def tree_seen_by(pid: int, root: str = PROC) -> CgroupTree:
    """What another process sees; it decides how long reading that takes.

    Raises ``NoSuchProcess``, ``PermissionDenied``, ``OutOfSight``.
    """
    try:
        with ProcessErrors(pid, root):
            os.stat(f"{root}/{pid}/root")  # noqa: PTH116
            mounts = b"".join(read_process_lines(pid, "mountinfo", root, _MOUNTINFO_BYTES))
    except TooLarge as error:
        raise OutOfSight(f"process {pid} has too many mounts to look for", why=str(error)) from None
    inside = partial(_read_inside, pid, root)
    return CgroupTree(parse_cgroup_mounts(mounts), inside, partial(_folders_inside, pid, root))


def parse_cgroup_mounts(data: bytes) -> tuple[CgroupMount, ...]:
    """Of a mountinfo file (proc_pid_mountinfo(5)), without those that later mounts cover."""
    found: list[CgroupMount] = []
    for line in data.split(b"\n"):
        before, _, after = line.partition(b" - ")
        fields, rest = before.split(b" "), after.split(b" ")
        if len(fields) < 6 or len(rest) < 3:
            continue
        top, point = unescaped(fields[3]), unescaped(fields[4])
        below = point.rstrip("/") + "/"
        found = [one for one in found if not f"{one.point}/".startswith(below)]
        if rest[0] in _KINDS:
            options = rest[2].decode("ascii", "replace").split(",")
            controllers = options if rest[0] == _KINDS[0] else [_VERSION_2]
            found.append(CgroupMount(frozenset(controllers), top, point))
    return tuple(found)


def levels(pid: int, controller: str, tree: CgroupTree, root: str = PROC) -> tuple[Level, ...]:
    """The group of a process that ``controller`` acts on, and all above it, the narrowest first.

    () where the kernel has none. Raises ``NoSuchProcess``, ``PermissionDenied``, ``OutOfSight``.
    """
    with ProcessErrors(pid, root):
        groups = read_file(f"{root}/{pid}/cgroup")
    named = {
        name: text_of(path)
        for names, path in _LINE.findall(groups)
        for name in names.decode("ascii", "replace").split(",")
    }
    which = controller if controller in named else _VERSION_2
    if which not in named:
        return ()
    for mount in tree.mounts:
        if which in mount.controllers and (found := _place(named[which], mount, tree)) is not None:
            return tuple(_upwards(mount, found))
    raise OutOfSight(
        f"the control group {named[which]} of process {pid} cannot be seen from here",
        why=f"no mount of {controller or 'version 2'} control groups shows it",
    )


def _place(path: str, mount: CgroupMount, tree: CgroupTree) -> tuple[str, ...] | None:
    """Names from the top of a mount down to a group; None: the mount does not show it."""
    ups, names = _split(path)
    top_ups, top_names = _split(mount.top)
    if ".." in names or len(names) > _MOST_LEVELS:
        return None
    if ups == top_ups:
        below = len(top_names)
        return names[below:] if names[:below] == top_names else None
    if ups > top_ups or top_names:
        return None
    # Between the top and where the path begins are groups that we are in ourselves, and our own
    # namespace hides their names: only one of those there has such a group in it.
    return _found_below(mount.point, top_ups - ups, names, tree)


def _found_below(
    point: str, depth: int, names: tuple[str, ...], tree: CgroupTree
) -> tuple[str, ...] | None:
    prefixes: list[tuple[str, ...]] = [()]
    try:
        for _ in range(depth):
            prefixes = [
                (*prefix, name)
                for prefix in prefixes
                for name in tree.folders("/".join((point, *prefix)))
            ]
            if len(prefixes) > _MOST_FOLDERS:
                return None
    except OSError:
        return None
    found = [prefix for prefix in prefixes if _is_there("/".join((point, *prefix, *names)), tree)]
    return (*found[0], *names) if len(found) == 1 else None


def _is_there(path: str, tree: CgroupTree) -> bool:
    try:
        tree.folders(path)
    except OSError:
        return False
    return True


def _split(path: str) -> tuple[int, tuple[str, ...]]:
    """How many levels up a path goes, and the names that it goes down from there."""
    parts = [part for part in path.split("/") if part]
    ups = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    return ups, tuple(parts[ups:])


def _upwards(mount: CgroupMount, names: tuple[str, ...]) -> Iterator[Level]:
    top = mount.top.rstrip("/") if _split(mount.top)[1] else ""
    for depth in range(len(names), -1, -1):
        below = "".join(f"/{name}" for name in names[:depth])
        yield Level(f"{top}{below}" or "/", f"{mount.point.rstrip('/')}{below}")


def _folders(path: str) -> list[str]:
    with os.scandir(path) as entries:
        return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


def _read_inside(pid: int, root: str, path: str) -> bytes:
    found = open_inside(pid, path, root)
    try:
        _require_cgroup(found)
        return read_file(f"{PROC}/self/fd/{found}", most_bytes=_FILE_BYTES)
    finally:
        os.close(found)


def _folders_inside(pid: int, root: str, path: str) -> list[str]:
    found = find_inside(pid, path, root)
    try:
        _require_cgroup(found)
        return _folders(f"{PROC}/self/fd/{found}")
    finally:
        os.close(found)


def _require_cgroup(fd: int) -> None:
    """Not a file that the process made up: it can mount what it likes there."""
    if file_system_type(fd) not in _MAGICS:
        raise OSError(errno.EINVAL, "not a file of a control group")
