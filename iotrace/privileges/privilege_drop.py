# SPDX-License-Identifier: Apache-2.0
"""Give privileges back as soon as they have done their work.

After the probes are attached only /proc and the maps are still read: that takes three
capabilities (man capabilities(7)). Before anything is rendered or a file is opened, even those
are put away.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator

from iotrace.errors import PermissionDenied
from iotrace.privileges.caller import Caller, set_groups, sudo_caller
from iotrace.privileges.capabilities import CAPABILITIES, capability_sets

_LOOKING = ("CAP_BPF", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH")
"""Reading maps (before 5.19 even those that we hold), and other users' files in /proc."""
_WRITING = ("CAP_DAC_OVERRIDE",)
"""Where root itself calls: its own files may lie in others' directories."""
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_VERSION_3 = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3, include/uapi/linux/capability.h"""

_libc = ctypes.CDLL(None, use_errno=True)


def _mask(names: tuple[str, ...]) -> int:
    return sum(1 << CAPABILITIES[name] for name in names)


def _set(effective: int, permitted: int) -> None:
    """capset(2) of this process, which has one thread; nothing is inheritable any more."""
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    low, high = 0xFFFFFFFF, 32
    data = (ctypes.c_uint32 * 6)(
        *(effective & low, permitted & low, 0, effective >> high, permitted >> high, 0)
    )
    if _libc.capset(header, data):
        number = ctypes.get_errno()
        raise PermissionDenied(
            "iotrace cannot give its privileges back.", why=f"capset: {os.strerror(number)}."
        )


class Privileges:
    """What this process may still do. Made right after the probes were attached."""

    def __init__(self, resting: int, looking: int) -> None:
        self._resting = resting
        self._looking = looking

    @classmethod
    def drop_to_looking(cls) -> Privileges:
        """Keep what looking takes; under sudo, be the user who called it, for good.

        Raises PermissionDenied where the kernel will not let go.
        """
        caller = sudo_caller()
        by_root = caller is None and os.geteuid() == 0
        _, permitted = capability_sets()
        resting = permitted & _mask(_WRITING) if by_root else 0
        looking = permitted & _mask(_LOOKING) | resting
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
        if caller is not None:
            _become_keeping(caller)
        _set(looking, looking)
        return cls(resting, looking)

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Render and write inside; look again afterwards."""
        _set(self._resting, self._looking)
        try:
            yield
        finally:
            _set(self._looking, self._looking)

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """The other way round: look inside, where ``resting`` is all around."""
        _set(self._looking, self._looking)
        try:
            yield
        finally:
            _set(self._resting, self._looking)

    def give_up(self) -> None:
        """The last look is over."""
        self._looking = self._resting
        _set(self._resting, self._resting)


def drop_all() -> None:
    """Be the user who called, with no privileges: for what only reads files and prints.

    Raises as ``drop_to_looking`` does.
    """
    try:
        _, permitted = capability_sets()
    except OSError:
        return  # reports are printed elsewhere than on Linux, too
    if permitted:
        Privileges.drop_to_looking().give_up()


def _become_keeping(caller: Caller) -> None:
    """That user's ids, but our permitted capabilities."""
    if _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0):
        raise PermissionDenied("iotrace cannot give its privileges back.", why="prctl failed.")
    set_groups(caller)
    os.setresgid(caller.gid, caller.gid, caller.gid)
    os.setresuid(caller.uid, caller.uid, caller.uid)
    _libc.prctl(_PR_SET_KEEPCAPS, 0, 0, 0, 0)
    os.environ.update(HOME=caller.home, USER=caller.name, LOGNAME=caller.name)
