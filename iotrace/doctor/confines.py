# SPDX-License-Identifier: Apache-2.0
"""Where we are: PID and time namespaces, a container; tracefs; io_uring."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from pathlib import Path

from iotrace.doctor import suggested_commands
from iotrace.doctor.check import Check, degraded, missing, ok
from iotrace.engine.pid_namespace import clock_is_shifted, namespace_of_proc
from iotrace.errors import Unsupported
from iotrace.privileges.capabilities import CAPABILITIES, effective_capabilities
from iotrace.procfs.cgroup_tree import own_tree

_IO_URING_SETUP = {"x86_64": 425, "aarch64": 425}
_INITIAL_CGROUP_NAMESPACE = 0xEFFFFFFB
"""PROC_CGROUP_INIT_INO, include/linux/proc_ns.h"""
_TRACEFS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
_CONTAINER_MARKS = {
    "/.dockerenv": "Docker",
    "/run/.containerenv": "Podman",
    "/var/run/secrets/kubernetes.io": "Kubernetes",
}


def checks() -> tuple[Check, ...]:
    """All of them."""
    return (_pids(), _clock(), _container(), _control_groups(), _tracefs(), _io_uring())


def _pids() -> Check:
    try:
        inode = namespace_of_proc()
    except Unsupported as error:
        return missing(
            "PID namespace", f"{error.what} {error.why}", suggested_commands.everywhere(error.paste)
        )
    if inode is None:
        return ok("PID namespace", "the host's own")
    return ok("PID namespace", f"pid:[{inode}], a container's: only its processes can be traced")


def _clock() -> Check:
    if clock_is_shifted():
        return missing(
            "time namespace",
            "this process's monotonic clock is not the kernel's",
            suggested_commands.everywhere("nsenter --target 1 --time iotrace ..."),
        )
    return ok("time namespace", "the kernel's own clock")


def _container() -> Check:
    for path, name in _CONTAINER_MARKS.items():
        if os.access(path, os.F_OK):  # Path.exists() fails where a directory may not be searched
            return ok("container", f"{name} ({path})")
    return ok("container", "no sign of one")


def _control_groups() -> Check:
    """Whose CPU quotas and memory limits can be seen."""
    tops = {mount.top for mount in own_tree().mounts}
    whole = tops == {"/"} and not _hides_groups()
    if whole:
        return ok("control groups", "all of this host's are seen")
    if effective_capabilities() >> CAPABILITIES["CAP_SYS_PTRACE"] & 1:
        return ok(
            "control groups",
            "of this container; those of others are looked up where they see them themselves",
        )
    return degraded(
        "control groups",
        "only this container's are seen, and without CAP_SYS_PTRACE not what others see",
        "throttling and memory limits of other containers",
        suggested_commands.PRIVILEGES,
    )


def _hides_groups(namespace: Path = Path("/proc/self/ns/cgroup")) -> bool:
    """Whether this process is in a cgroup namespace of its own."""
    try:
        return namespace.stat().st_ino != _INITIAL_CGROUP_NAMESPACE
    except OSError:
        return False


def _tracefs() -> Check:
    if any(map(os.path.ismount, _TRACEFS)):  # only root may look into it
        return ok("tracefs", "mounted")
    return ok("tracefs", "not mounted (iotrace does without)")


def _io_uring() -> Check:
    """io_uring_setup(0, NULL): EFAULT or EINVAL from a kernel that has it (man io_uring_setup)."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(_IO_URING_SETUP.get(platform.machine(), 425), 0, None)
    number = 0 if result >= 0 else ctypes.get_errno()
    if result >= 0:
        os.close(result)
    if number in (0, errno.EFAULT, errno.EINVAL):
        return ok("io_uring", "there")
    loses = "operations of io_uring, of programs here"
    detail = (
        f"{os.strerror(number)}: {'not built in' if number == errno.ENOSYS else 'switched off'}"
    )
    return degraded(
        "io_uring", detail, loses, suggested_commands.sysctl("kernel.io_uring_disabled=0")
    )
