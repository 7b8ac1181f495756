"""The doctor on this kernel, and on one that lacks something."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from iotrace.doctor import kernel
from iotrace.doctor.check import Status
from iotrace.engine.tracepoints import PROBES, Probe
from iotrace.errors import ExitCode
from iotrace.procfs.files import ABSENT_VARIABLE
from tests.kernel.faults.harness import IOTRACE
from tests.kernel.test_least_privilege import as_nobody


def _checks(*prefix: str, absent: str = "") -> tuple[int, list[tuple[str, str]]]:
    """The exit code; features and their status."""
    done = subprocess.run(
        [*prefix, *IOTRACE, "doctor", "-f", "json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, ABSENT_VARIABLE: absent, "HOME": "/nonexistent"},
    )
    checks = json.loads(done.stdout)["checks"]
    return done.returncode, [(check["feature"], check["status"]) for check in checks]


def _told(*prefix: str, absent: str = "") -> tuple[int, dict[str, str]]:
    status, checks = _checks(*prefix, absent=absent)
    return status, dict(checks)


@pytest.fixture
def python() -> Iterator[str]:
    """One that runs, by its feature."""
    program = "print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield f"Python {platform.python_version()}"
        running.kill()


def test_all_is_well_here(python: str) -> None:
    status, checks = _checks()
    told = dict(checks)
    assert status == ExitCode.OK
    assert (python, "ok") in checks
    assert {f"tracepoint {probe.tracepoint}" for probe in PROBES} <= told.keys()
    assert "missing" not in told.values()


@pytest.mark.parametrize(
    "name", ["sched_switch", pytest.param("sk_data_ready", marks=pytest.mark.thorough)]
)
def test_a_tracepoint_that_is_not_there(name: str) -> None:
    status, told = _told(absent=name)
    needed = name == "sched_switch"
    assert told[f"tracepoint {name}"] == ("missing" if needed else "degraded")
    assert status == (ExitCode.UNSUPPORTED if needed else ExitCode.OK)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.tracepoint)
def test_what_is_lost_with_each_tracepoint(probe: Probe) -> None:
    checks = {check.feature: check for check in kernel.checks(frozenset({probe.tracepoint}))}
    lacking = {name for name, check in checks.items() if check.status is not Status.OK}
    (told,) = (checks[name] for name in lacking)
    assert told.feature == f"tracepoint {probe.tracepoint}"
    if probe.loses:
        assert told.loses.startswith("; ".join(probe.loses))
    else:
        assert told.loses == "everything"


def test_nobody_cannot_attach() -> None:
    status, told = _told(*as_nobody())
    assert status == ExitCode.UNSUPPORTED
    assert told["CAP_BPF"] == told["CAP_PERFMON"] == "missing"
    assert told["BPF maps"] == told["raw tracepoints"] == "missing"
    assert told["BTF"] == "ok"


def test_what_only_root_may_look_into_does_not_matter() -> None:
    """tracefs, as most machines have it mounted."""
    tracefs = "/sys/kernel/tracing"
    mounted = f'mountpoint -q {tracefs} || mount -t tracefs none {tracefs}; exec "$@"'
    status, told = _told("unshare", "--mount", "sh", "-c", mounted, "sh", *as_nobody())
    assert status == ExitCode.UNSUPPORTED
    assert told["tracefs"] == "ok"


def test_two_capabilities_are_enough() -> None:
    status, told = _told(*as_nobody("bpf", "perfmon"))
    assert status == ExitCode.OK
    assert told["CAP_SYS_PTRACE"] == "degraded"


def test_a_dry_run_attaches_and_detaches() -> None:
    done = subprocess.run(
        [*IOTRACE, "attach", "--dry-run"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0
    attached = re.match(r"(\d+) probes attached", done.stderr)
    assert attached is not None, done.stderr
    assert int(attached[1]) >= len(PROBES)  # and those that walk Python's stacks
    assert not done.stdout
