"""Starting a server that will not start."""

from __future__ import annotations

from pathlib import Path

import pytest
from iotrace.servers.launch import running

from iotrace.errors import ExitCode, IotraceError, Unsupported


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
