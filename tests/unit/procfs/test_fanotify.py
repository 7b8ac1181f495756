# SPDX-License-Identifier: Apache-2.0
"""Who has to allow accesses to files: found among all processes, by their descriptors."""

from __future__ import annotations

import os
from pathlib import Path

from iotrace.procfs.fanotify import deciders, waits_for_permission

_FLAGS = "pos:\t0\nflags:\t02\nmnt_id:\t9\nfanotify flags:4 event-flags:0\n"
_OPENS = "fanotify ino:1a sdev:2 mflags:0 mask:10000 ignored_mask:0 fhandle-bytes:8\n"
_TELLS = "fanotify mnt_id:12 mflags:0 mask:8 ignored_mask:40000000\n"


def _process(root: Path, pid: int, name: str, target: str, info: str) -> None:
    home = root / str(pid)
    for folder in ("fd", "fdinfo"):
        (home / folder).mkdir(parents=True)
    (home / "stat").write_text(f"{pid} ({name}) S 1 {' '.join(['0'] * 48)}")
    (home / "fd" / "3").symlink_to(target)
    (home / "fdinfo" / "3").write_text(info)


def test_who_is_asked_and_not_who_is_only_told(tmp_path: Path) -> None:
    link = "anon_inode:[fanotify]"
    _process(tmp_path, 901, "clamonacc", link, _FLAGS + _TELLS + _OPENS)
    _process(tmp_path, 902, "indexer", link, _FLAGS + _TELLS)
    _process(tmp_path, 903, "python3", "/srv/fanotify.log", _FLAGS + _OPENS)
    assert deciders(str(tmp_path)) == ("901 clamonacc",)


def test_a_thread_waits_for_it_by_the_function_it_sleeps_in(tmp_path: Path) -> None:
    for tid, where in ((7, "fanotify_handle_event"), (8, "folio_wait_bit_common"), (9, "0")):
        (tmp_path / "7" / "task" / str(tid)).mkdir(parents=True)
        (tmp_path / "7" / "task" / str(tid) / "wchan").write_text(where)
    found = [waits_for_permission(7, tid, str(tmp_path)) for tid in (7, 8, 9, 10)]
    assert found == [True, False, False, False]


def test_this_process_waits_for_nobody() -> None:
    assert not waits_for_permission(os.getpid(), os.getpid())
