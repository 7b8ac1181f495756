"""What cannot be traced: each error says what, why, and what to paste; never a traceback."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from iotrace.engine import btf, probe_sources
from iotrace.engine.map_limits import Limits
from iotrace.errors import Unsupported
from iotrace.tracing.trace import Trace
from tests.kernel.command import Ended, iotrace
from tests.kernel.targets import Target
from tests.kernel.tracing import tracing

NOBODY = 65534
PR_CAPBSET_DROP, LAST_CAPABILITY = 24, 40
KTHREADD = 2


def _assert_told(ended: Ended, code: int, what: str) -> None:
    """One line each for what happened, why, and what to paste."""
    assert (ended.code, ended.stdout) == (code, "")
    lines = ended.stderr.splitlines()
    assert len(lines) == 3, ended.stderr
    assert lines[0].startswith("iotrace: ")
    assert what in lines[0]
    assert lines[1].startswith("  why:  ")
    assert lines[2].startswith("  try:  ")


def _ended_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_no_such_process() -> None:
    pid = _ended_pid()
    _assert_told(iotrace("attach", pid), 4, f"no process {pid}")


def test_a_kernel_thread() -> None:
    _assert_told(iotrace("attach", KTHREADD), 2, "kernel thread")


def test_a_thread_instead_of_its_process() -> None:
    with Target("blocked.py") as target:
        tid = target.facts["threads"]["read"]["tid"]
        ended = iotrace("attach", tid)
    _assert_told(ended, 2, f"{tid} is a thread of process {target.pid}")
    assert ended.stderr.endswith(f"iotrace attach {target.pid}\n")


def test_a_process_that_has_ended_but_was_not_waited_for() -> None:
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    ended = iotrace("attach", zombie.pid)
    zombie.wait()
    _assert_told(ended, 4, "ended")


def _drop_capabilities() -> None:
    prctl = ctypes.CDLL(None).prctl
    for capability in range(LAST_CAPABILITY + 1):
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def test_root_without_capabilities() -> None:
    with Target("blocked.py") as target:
        ended = iotrace("attach", target.pid, preexec_fn=_drop_capabilities)
    _assert_told(ended, 3, "needs more privileges")
    assert "sudo" in ended.stderr


def test_not_root() -> None:
    # Imported before the user changes, who may not be allowed to read where the modules lie.
    program = (
        "import os, sys, iotrace.output.text, iotrace.cli.attach\n"
        "import iotrace.tracing.session, iotrace.tracing.trace_options\n"
        "from iotrace.cli.main import main\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "main()"
    )
    with Target("blocked.py") as target:
        done = subprocess.run(
            [sys.executable, "-c", program, "attach", str(target.pid)],
            capture_output=True,
            text=True,
        )
    ended = Ended(done.returncode, done.stdout, done.stderr)
    _assert_told(ended, 3, "needs more privileges")
    assert f"user id {NOBODY}" in ended.stderr


def test_a_python_without_bcc(tmp_path: Path) -> None:
    (tmp_path / "bcc.py").write_text("raise ImportError('No module named bcc')\n")
    hidden = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with Target("blocked.py") as target:
        ended = iotrace("attach", target.pid, env=hidden)
    _assert_told(ended, 5, "cannot import bcc")
    assert "apt-get install python3-bpfcc" in ended.stderr


@pytest.mark.parametrize("tracepoint", ["sys_enter", "sys_exit", "sched_switch"])
def test_a_tracepoint_that_nothing_works_without(tracepoint: str) -> None:
    with pytest.raises(Unsupported, match=f"no tracepoint {tracepoint}") as caught:
        Trace(Limits(), frozenset({tracepoint}))
    assert caught.value.why
    assert caught.value.paste


def test_a_kernel_without_types(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(btf, "VMLINUX", tmp_path / "vmlinux")
    with pytest.raises(Unsupported, match="does not describe its own types") as caught:
        Trace(Limits(threads=512, reserved=64))  # limits that no other test has compiled for
    assert "CONFIG_DEBUG_INFO_BTF" in caught.value.why
    assert caught.value.paste


def test_probes_that_do_not_compile_name_the_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "probes"
    shutil.copytree(probe_sources.probes_directory(), broken)
    records = broken / "records.h"
    number = records.read_text().count("\n") + 1
    records.write_text(f'{records.read_text()}_Static_assert(0, "no room");\n')
    monkeypatch.setattr(probe_sources, "probes_directory", lambda: broken)
    with pytest.raises(Unsupported, match="could not be compiled") as caught:
        Trace(Limits(threads=512, reserved=64))
    assert f"Line {number} of probes/records.h is wrong." in caught.value.why
    assert "no room" not in caught.value.why
    assert "no room" in caught.value.details


def test_more_threads_than_there_is_room_for() -> None:
    with (
        Target("blocked.py") as target,
        Trace(Limits(reserved=3)) as trace,
        pytest.raises(Unsupported, match="more threads than this trace has room for"),
    ):
        trace.follow(target.pid, True)


def test_no_room_is_a_loss_that_is_counted() -> None:
    limits = Limits(calls=7)
    with Target("calls.py") as target, tracing(target.pid, limits=limits) as trace:
        target.go()
        target.wait_until_finished()
        losses = trace.snapshot().losses
    assert losses.calls > 0
    assert losses.threads == losses.descriptors == losses.loops == 0
