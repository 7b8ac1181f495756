# SPDX-License-Identifier: Apache-2.0
"""What compiles the probes: bcc, imported for real in a child; its clang; memory; the cache."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from iotrace.doctor import suggested_commands
from iotrace.doctor.check import Check, Status, degraded, missing, ok
from iotrace.engine.cache_directory import cache_directory
from iotrace.engine.image_cache import obstacle
from iotrace.procfs.cgroup import MemoryLimit, read_memory_limit
from iotrace.procfs.cgroup_tree import OutOfSight, own_tree
from iotrace.procfs.host import read_host
from iotrace.procfs.statfs import file_system_type

_CHILD_SECONDS = 60
_FIND_IOTRACE = "import sys; sys.path.append(sys.argv[1])\n"
_IMPORT_BCC = "from iotrace.engine.compiler import describe_bcc; print(describe_bcc())"
_COMPILE = "from iotrace.engine.compiler import try_compiler; try_compiler()"
_SOURCES = Path(__file__).parents[2]
_OVERLAY = 0x794C7630
"""OVERLAYFS_SUPER_MAGIC, include/uapi/linux/magic.h"""
_NEEDED_BYTES = 256 << 20
"""For clang in the child (130 MB) and the maps."""


def checks() -> tuple[Check, ...]:
    """All of them."""
    bcc = _bcc()
    compiler = (_clang(),) if bcc.status is Status.OK else ()
    return (bcc, *compiler, _memory(), _memlock(), _cache())


def _run(program: str) -> tuple[int, str]:
    """Exit code and words of a Python program in a child of its own.

    Isolated and in /: without that Python imports from the current directory first.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _FIND_IOTRACE + program, str(_SOURCES)],
            cwd="/",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_CHILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, f"no answer within {_CHILD_SECONDS} s"
    return done.returncode, (done.stdout if not done.returncode else done.stderr).strip()


def _last_line(words: str) -> str:
    return words.splitlines()[-1] if words else "no reason given"


def _bcc() -> Check:
    code, words = _run(_IMPORT_BCC)
    if code:
        return missing(
            "bcc", f"{sys.executable} cannot import it: {_last_line(words)}", suggested_commands.BCC
        )
    return ok("bcc", words)


def _clang() -> Check:
    code, words = _run(_COMPILE)
    if code:
        return missing(
            "clang", f"bcc's compiler fails: {_last_line(words)}", suggested_commands.BCC
        )
    return ok("clang", "bcc compiled a program with it")


def _memory() -> Check:
    host = read_host()
    available = host.available_bytes if host.available_bytes is not None else host.memory_bytes
    detail = f"{available >> 20} MiB available"
    limit = _own_limit()
    if limit is not None and limit.left_bytes < available:
        available = limit.left_bytes
        detail = f"{max(0, available) >> 20} MiB left in this control group (a container's limit)"
    if available < _NEEDED_BYTES:
        return degraded(
            "memory",
            detail,
            "perhaps everything: compiling takes 130 MB, the tables up to 60 MB",
            suggested_commands.everywhere("free -m"),
        )
    return ok("memory", detail)


def _own_limit() -> MemoryLimit | None:
    try:
        return read_memory_limit(os.getpid(), own_tree())
    except OutOfSight:  # no control groups are mounted here
        return None


def _memlock() -> Check:
    """Kernels before 5.11 count maps against it; iotrace lifts it where it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return ok(
        "RLIMIT_MEMLOCK",
        ("no limit" if hard == resource.RLIM_INFINITY else f"{hard >> 10} KiB")
        + " (from Linux 5.11 on it does not matter)",
    )


def _cache() -> Check:
    directory = cache_directory()
    if reason := obstacle():
        return degraded(
            "cache",
            reason,
            "quick attaching: each run compiles anew",
            suggested_commands.everywhere(f"sudo ls -ld {directory}"),
        )
    if on_overlay(directory):
        return degraded(
            "cache",
            f"{directory} is in this container's own layer, and goes with it",
            "quick attaching: each fresh container compiles anew",
            suggested_commands.CACHE,
        )
    return ok("cache", f"{directory}{'' if directory.exists() else ' (not made yet)'}")


def on_overlay(path: Path) -> bool:
    """Whether a directory, or the one that it would be made in, is on a container's upper layer."""
    while not path.exists():
        path = path.parent
    fd = os.open(path, os.O_PATH)
    try:
        return file_system_type(fd) == _OVERLAY
    finally:
        os.close(fd)
