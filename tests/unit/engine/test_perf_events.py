"""Why the kernel refuses the sampling clock."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from iotrace.doctor import kernel
from iotrace.doctor.check import Status
from iotrace.engine import perf_events
from iotrace.engine.bpf_syscall import KernelRefusal
from iotrace.engine.perf_events import paranoia, why_refused

_PERFMON, _ADMIN = 1 << 38, 1 << 21


@pytest.mark.parametrize(
    ("number", "level", "held", "filtered", "word"),
    [
        (errno.EACCES, 3, _PERFMON, False, "perf_event_paranoid is 3"),
        (errno.EACCES, 4, _PERFMON, False, "perf_event_paranoid is 4"),
        (errno.EACCES, 3, _ADMIN, False, "Permission denied"),
        (errno.EACCES, 2, _PERFMON, False, "Permission denied"),
        (errno.EPERM, 3, _PERFMON, True, "seccomp"),
        (errno.ENOSYS, 3, _PERFMON, True, "seccomp"),
        (errno.EMFILE, 3, _PERFMON, True, "Too many open files"),
    ],
)
def test_each_cause_is_named(
    monkeypatch: pytest.MonkeyPatch, number: int, level: int, held: int, filtered: bool, word: str
) -> None:
    monkeypatch.setattr(perf_events, "paranoia", lambda: level)
    monkeypatch.setattr(perf_events, "effective_capabilities", lambda: held)
    monkeypatch.setattr(perf_events, "is_filtered", lambda numbers: filtered)
    assert word in why_refused(KernelRefusal("open a clock", number))


def test_the_setting_is_read(tmp_path: Path) -> None:
    (tmp_path / "setting").write_text("-1\n")
    assert paranoia(tmp_path / "setting") == -1
    (tmp_path / "setting").write_text("3\n")
    assert paranoia(tmp_path / "setting") == 3
    assert paranoia(tmp_path / "none") == -1


def test_the_doctor_gives_the_line_for_debian_s_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> list[int]:
        raise KernelRefusal("open a clock on CPU 0", errno.EACCES)

    monkeypatch.setattr(kernel, "_sample", refuse)
    for module in (kernel, perf_events):
        monkeypatch.setattr(module, "paranoia", lambda: 3)
        monkeypatch.setattr(module, "is_filtered", lambda numbers: False)
    monkeypatch.setattr(perf_events, "effective_capabilities", lambda: _PERFMON)
    answer = kernel._clock()
    assert answer.status is Status.DEGRADED
    assert "perf_event_paranoid is 3" in answer.detail
    assert answer.paste["debian"] == "sudo sysctl -w kernel.perf_event_paranoid=2"
