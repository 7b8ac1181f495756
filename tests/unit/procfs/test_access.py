"""Why the kernel refuses a look into a process, by the capabilities that this one has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from iotrace.errors import NoSuchProcess, PermissionDenied
from iotrace.procfs import access
from iotrace.procfs.access import lacking, why_refused
from iotrace.procfs.files import ProcessErrors

_PTRACE, _READ_SEARCH, _OVERRIDE = 1 << 19, 1 << 2, 1 << 1


@pytest.mark.parametrize(
    ("held", "others", "expected"),
    [
        (0, True, ("CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH")),
        (_PTRACE, True, ("CAP_DAC_READ_SEARCH",)),
        (_READ_SEARCH, True, ("CAP_SYS_PTRACE",)),
        (_PTRACE | _OVERRIDE, True, ()),
        (0, False, ("CAP_SYS_PTRACE",)),
        (_PTRACE, False, ()),
    ],
)
def test_what_is_lacking(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    held: int,
    others: bool,
    expected: tuple[str, ...],
) -> None:
    (tmp_path / "7").mkdir()
    user = (tmp_path / "7").stat().st_uid
    monkeypatch.setattr(access, "_effective", lambda: held)
    monkeypatch.setattr(os, "geteuid", lambda: user + others)
    assert lacking(7, str(tmp_path)) == expected
    why = why_refused(7, str(tmp_path))
    assert all(name in why for name in expected)
    assert ("security module" in why) == (not expected)


def _refuse(root: Path) -> None:
    with ProcessErrors(7, str(root)):
        raise PermissionError(13, "no", f"{root}/7/mem")


def test_a_refusal_says_why(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    with pytest.raises(PermissionDenied) as refused:
        _refuse(tmp_path)
    assert "/7/mem: " in refused.value.why


def test_the_files_of_a_process_that_has_ended_are_root_s(tmp_path: Path) -> None:
    """Until it is waited for: to say that a capability is lacking would be wrong."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text("7 (x) Z 1 7 7 0 -1")
    with pytest.raises(NoSuchProcess):
        _refuse(tmp_path)
