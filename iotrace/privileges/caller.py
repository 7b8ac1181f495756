# SPDX-License-Identifier: Apache-2.0
"""Who called sudo: programs are started and files are written as that user."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The user behind sudo."""

    uid: int
    gid: int
    name: str
    home: str


def sudo_caller() -> Caller | None:
    """From SUDO_UID and SUDO_GID (man sudo(8)); None when not root, or not under sudo."""
    uid, gid = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() != 0 or not uid.isdecimal() or not gid.isdecimal() or not int(uid):
        return None
    try:
        entry = pwd.getpwuid(int(uid))
    except KeyError:
        return Caller(int(uid), int(gid), uid, "/")
    return Caller(int(uid), int(gid), entry.pw_name, entry.pw_dir)


def set_groups(caller: Caller) -> None:
    """That user's groups; where the host does not know them, that user's own group alone."""
    try:
        os.initgroups(caller.name, caller.gid)
    except OSError:
        os.setgroups([caller.gid])


def become(caller: Caller) -> None:
    """Be that user for good, as a login would: groups, ids, the environment's names."""
    set_groups(caller)
    os.setgid(caller.gid)
    os.setuid(caller.uid)
    os.environ.update(HOME=caller.home, USER=caller.name, LOGNAME=caller.name)


@contextlib.contextmanager
def acting_as(caller: Caller | None) -> Iterator[None]:
    """Open files with that user's rights and ownership inside."""
    if caller is None:
        yield
        return
    groups, gid = os.getgroups(), os.getegid()
    try:
        set_groups(caller)
        os.setegid(caller.gid)
        os.seteuid(caller.uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)
