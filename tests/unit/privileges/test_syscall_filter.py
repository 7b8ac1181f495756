"""What refuses a system call in spite of the capabilities."""

from __future__ import annotations

from pathlib import Path

import pytest

from iotrace.errors import PermissionDenied
from iotrace.privileges import syscall_filter
from iotrace.privileges.syscall_filter import BPF, in_user_namespace, is_filtered, require_bpf_call


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("         0          0 4294967295\n", False),
        ("         0       1000          1\n", True),
        ("         0          0      65536\n", True),
        ("", True),
    ],
)
def test_a_user_namespace_is_told_by_its_map(tmp_path: Path, text: str, below: bool) -> None:
    (tmp_path / "uid_map").write_text(text)
    assert in_user_namespace(tmp_path / "uid_map") is below
    assert not in_user_namespace(tmp_path / "none")


def test_without_a_filter_nothing_is_filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syscall_filter, "_has_filter", lambda: False)
    assert not is_filtered(BPF)


@pytest.mark.parametrize(("below", "word"), [(True, "rootless"), (False, "seccomp")])
def test_each_cause_has_its_error(monkeypatch: pytest.MonkeyPatch, below: bool, word: str) -> None:
    monkeypatch.setattr(syscall_filter, "in_user_namespace", lambda: below)
    monkeypatch.setattr(syscall_filter, "is_filtered", lambda numbers: numbers is BPF)
    with pytest.raises(PermissionDenied) as refused:
        require_bpf_call()
    assert word in f"{refused.value.what} {refused.value.why}"
    assert refused.value.paste
