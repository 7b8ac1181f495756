"""Starting a server that will not start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from iotrace.servers import launch
from iotrace.servers.launch import RunningServer, running

from iotrace.errors import ExitCode, IotraceError, Unsupported

_ENDS_SLOWLY = """
import signal, sys, time
def leave(number, _):
    signal.signal(number, signal.SIG_DFL)
    time.sleep(0.3)  # fifteen times as long as it has
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
while True:
    signal.pause()
"""
_MISSES_ONE = """
import signal, sys
asked = []
def leave(number, _):
    asked.append(number)
    if len(asked) == 2:
        sys.exit(7)
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
while True:
    signal.pause()
"""


def test_wrong_usage_is_a_failure_to_start(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(IotraceError) as failure, running("blocking", ["--no-such-option"]):
        pass
    assert failure.value.what == "the server did not get ready"
    assert failure.value.why == f"it ended with status {int(ExitCode.USAGE)}"
    assert "--no-such-option" in capfd.readouterr().err


def test_without_its_binding_async_io_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "uring_api.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(Unsupported) as failure, running("async_io"):
        pass
    assert failure.value.code == ExitCode.UNSUPPORTED
    assert capfd.readouterr().err.splitlines() == [
        "async-io cannot run here",
        "the Python package uring-api is missing: pip install 'iotrace[uring]'",
    ]


@pytest.mark.parametrize(
    ("program", "status"),
    [
        # While Python ends it has no handlers: a second SIGTERM would be a violent end.
        pytest.param(_ENDS_SLOWLY, 0, id="takes long to end: asked once"),
        pytest.param(_MISSES_ONE, 7, id="missed the signal: asked again"),
    ],
)
def test_a_server_is_asked_until_it_ends(
    program: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "ASK_AGAIN_S", 0.02)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "ready\n"
        assert RunningServer(process, 0).stop() == status
