"""No more rights than needed, and none any more when something is rendered or opened."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotrace.errors import ExitCode
from iotrace.privileges.capabilities import CAPABILITIES
from iotrace.procfs.children import read_children
from iotrace.recording.recording_reader import read_recording
from iotrace.report.codec import loads
from tests.kernel.faults.harness import IOTRACE, Tracer, Worker, one_line, programs_of
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, check_ledger, check_verdict, process_of
from tests.waiting import wait_until

NOBODY = 65534
AS_SUDO = {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
NEEDED = ("bpf", "perfmon")
FOR_OTHERS = (*NEEDED, "sys_ptrace", "dac_read_search")
LOOKING = sum(1 << CAPABILITIES[n] for n in ("CAP_BPF", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"))


def as_nobody(*capabilities: str) -> tuple[str, ...]:
    """The prefix that runs a program as nobody with these capabilities and no others."""
    wanted = ",".join(f"+{name}" for name in capabilities)
    held = (f"--inh-caps={wanted}", f"--ambient-caps={wanted}") if capabilities else ()
    bounding = f"--bounding-set=-all{',' + wanted if wanted else ''}"
    ids = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return ("setpriv", *ids, *held, bounding)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory of nobody's, which nobody can reach."""
    path = Path(f"/tmp/iotrace-test-{os.getpid()}-{time.monotonic_ns()}")
    path.mkdir()
    os.chown(path, NOBODY, NOBODY)
    yield path
    shutil.rmtree(path)


def _trace(target: Target, folder: Path, *prefix: str) -> tuple[int, str, str]:
    process = subprocess.Popen(
        [*prefix, *IOTRACE, "attach", str(target.pid), "-f", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(folder), "HOME": str(folder)},
    )
    wait_until(lambda: process.poll() is not None or len(programs_of(process.pid)) > 8, "it")
    wait_until(lambda: process.poll() is not None or _waits(process.pid), "it to wait")
    target.go()
    target.wait_until_finished()
    target.results()
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def _waits(pid: int) -> bool:
    from tests.kernel.waiting import sleeps_in

    return sleeps_in(pid, pid, "rt_sigtimedwait")


WITH = ("sys_ptrace", "dac_read_search")
"""With one of these alone most is as with none."""


@pytest.mark.parametrize("whose", ["own", "root's"])
def test_two_capabilities_are_enough(folder: Path, whose: str) -> None:
    """For one's own programs; another's need two more, to be looked into in /proc."""
    prefix = as_nobody() if whose == "own" else ()
    capabilities = NEEDED if whose == "own" else FOR_OTHERS
    with Target("calls.py", prefix=prefix) as target:
        status, out, err = _trace(target, folder, *as_nobody(*capabilities))
        assert status == 0, err
    report = loads(out)
    check_ledger(report)
    process = process_of(report, target.pid)
    assert call_of(process, "read", "pipe").calls == 101 + 13
    assert process.python
    assert set(report.quality.unavailable) == {"probe_ns"}


@pytest.mark.parametrize(
    "held", [(), *(pytest.param((one,), marks=pytest.mark.thorough) for one in WITH)]
)
def test_another_s_program_without_the_two_more(folder: Path, held: tuple[str, ...]) -> None:
    """The counts are right all the same; what /proc would tell is named as not known, and why."""
    with Target("calls.py") as target:
        status, out, err = _trace(target, folder, *as_nobody(*NEEDED, *held))
        assert status == 0, err
    report = loads(out)
    process = process_of(report, target.pid)
    assert call_of(process, "read", "pipe").calls == 101 + 13
    unavailable = report.quality.unavailable
    lacking = [f"CAP_{name.upper()}" for name in FOR_OTHERS[2:] if name not in held]
    for what in (
        "calls in progress at attach",
        f"some facts of process {target.pid}",
        f"python lines and GIL waits of process {target.pid}",
    ):
        named = re.findall(r"CAP_\w+", unavailable[what])
        assert named == lacking, unavailable[what]
    assert (process.python is None) == ("sys_ptrace" not in held)


@pytest.mark.parametrize("held", [(), ("bpf",), ("perfmon",)])
def test_a_capability_that_is_missing_is_named(folder: Path, held: tuple[str, ...]) -> None:
    with Worker() as worker:
        done = subprocess.run(
            [*as_nobody(*held), *IOTRACE, "attach", str(worker.pid)],
            capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "HOME": str(folder)},
        )  # fmt: skip
    assert done.returncode == ExitCode.PERMISSION
    one_line(done.stderr)
    for name in NEEDED:
        assert (f"CAP_{name.upper()}" in done.stderr) == (name not in held)


def _masks(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t") for line in lines if ":\t" in line)


def _blocked_while_printing(tracer: Tracer, write_end: int) -> dict[str, str]:
    """Fill the pipe that it prints to; what rights it has when it hangs in write()."""
    os.set_blocking(write_end, False)
    try:
        while True:
            os.write(write_end, b"\n" * 4096)
    except BlockingIOError:
        os.set_blocking(write_end, True)
    number = {"x86_64": "1 ", "aarch64": "64 "}[os.uname().machine]
    call = Path(f"/proc/{tracer.pid}/syscall")
    wait_until(lambda: call.read_text().startswith(number), "it to print")
    return _masks(tracer.pid)


@pytest.mark.parametrize("options", [(), ("-i", "0.3")])
def test_under_sudo_nothing_is_rendered_with_privileges(options: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with (
        Worker() as worker,
        Tracer("attach", worker.pid, "-f", "json", *options, stdout=writer, env=AS_SUDO) as tracer,
    ):
        tracer.wait_until_attached()
        watching = _masks(tracer.pid)
        if not options:
            tracer.signal(signal.SIGINT)
        printing = _blocked_while_printing(tracer, writer)
        os.close(writer)
        os.close(reader)
    for masks in (watching, printing):
        assert set(masks["Uid"].split()) == set(masks["Gid"].split()) == {str(NOBODY)}
        assert set(masks["Groups"].split()) <= {str(NOBODY)}
    assert int(watching["CapEff"], 16) == int(watching["CapPrm"], 16) == LOOKING
    assert int(printing["CapEff"], 16) == 0
    assert int(printing["CapPrm"], 16) == (LOOKING if options else 0)


def test_under_sudo_all_is_seen_that_root_sees() -> None:
    with (
        Target("calls.py") as target,
        Tracer("attach", target.pid, "-f", "json", env=AS_SUDO) as tracer,
    ):
        tracer.wait_until_attached()
        target.go()
        target.wait_until_finished()
        target.results()
        report = tracer.report()
    check_ledger(report)
    process = process_of(report, target.pid)
    assert call_of(process, "read", "pipe").calls == 101 + 13
    assert process.python
    assert set(report.quality.unavailable) == {"probe_ns"}


def test_the_output_belongs_to_the_caller(folder: Path) -> None:
    path = folder / "report.json"
    with (
        Worker() as worker,
        Tracer("attach", worker.pid, "-d", "0.2", "-f", "json", "-o", path, env=AS_SUDO) as tracer,
    ):
        status, _, err = tracer.wait()
    assert status == 0, err
    assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, NOBODY)
    assert loads(path.read_text()).processes


@pytest.mark.parametrize("trick", ["link", "dangling link", "pipe", "another's file", "root's dir"])
@pytest.mark.parametrize("caller", ["root", "sudo"])
def test_no_trick_with_the_output(folder: Path, trick: str, caller: str) -> None:
    """Planted in a shared directory by another user."""
    if (trick, caller) == ("root's dir", "root"):
        return  # root may
    folder.chmod(0o1777)
    path, victim = folder / "report", folder / "victim"
    victim.write_text("precious")
    if trick == "link":
        path.symlink_to(victim)
    elif trick == "dangling link":
        path.symlink_to(folder / "made")
    elif trick == "pipe":
        os.mkfifo(path)
    elif trick == "another's file":
        path.write_text("")
        os.chown(path, 4242, 4242)
        path.chmod(0o666)
    else:
        os.chown(folder, 0, 0)
        folder.chmod(0o755)
    with (
        Worker() as worker,
        Tracer(
            "attach", worker.pid, "-d", "9", "-o", path, env=AS_SUDO if caller == "sudo" else {}
        ) as tracer,
    ):
        status, _, err = tracer.wait()
    assert status == ExitCode.USAGE, err
    one_line(err)
    assert victim.read_text() == "precious"
    assert not (folder / "made").exists()
    if trick == "pipe":
        assert stat.S_ISFIFO(path.lstat().st_mode)


def test_run_starts_the_program_as_the_caller() -> None:
    program = (
        "import os; print(os.getresuid(), os.getresgid(), os.getgroups()); "
        "print(open('/proc/self/status').read())"
    )
    with Tracer("run", "--", sys.executable, "-c", program, env=AS_SUDO) as tracer:
        status, out, err = tracer.wait()
    assert status == 0, err
    ids, _, rest = out.partition("\n")
    assert ids == f"{(NOBODY,) * 3} {(NOBODY,) * 3} [{NOBODY}]"
    masks = dict(line.split(":\t") for line in rest.splitlines() if ":\t" in line)
    assert int(masks["CapEff"], 16) == int(masks["CapPrm"], 16) == int(masks["CapAmb"], 16) == 0


def test_nothing_listens() -> None:
    with Worker() as worker, Tracer("attach", worker.pid) as tracer:
        tracer.wait_until_attached()
        links = [str(fd.readlink()) for fd in Path(f"/proc/{tracer.pid}/fd").iterdir()]
        tracer.signal(2)
        tracer.wait()
    assert not [link for link in links if link.startswith("socket:")]


@contextlib.contextmanager
def _full_pipe() -> Iterator[tuple[int, int]]:
    """A small pipe: who prints a page to it hangs in write()."""
    reader, writer = os.pipe()
    try:
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def _has_no_rights(pid: int) -> None:
    masks = _masks(pid)
    assert set(masks["Uid"].split()) == set(masks["Gid"].split()) == {str(NOBODY)}
    assert int(masks["CapEff"], 16) == int(masks["CapPrm"], 16) == int(masks["CapInh"], 16) == 0


def _started_by(pid: int) -> dict[str, int]:
    """Modules that the children of a process run -> their pids."""
    words = {}
    for child in read_children(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            words[child] = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
    return {line[2].decode(): child for child, line in words.items() if line[1:2] == [b"-m"]}


def test_the_demo_s_server_and_load_are_the_caller_s() -> None:
    """And when it draws, it has no rights either."""
    with (
        _full_pipe() as (_, writer),
        Tracer("demo", "--model", "thread", "-d", "2", stdout=writer, env=AS_SUDO) as tracer,
    ):
        wanted = {"iotrace.servers.load_process", "iotrace.servers.thread"}
        wait_until(lambda: wanted <= _started_by(tracer.pid).keys(), "the server and the load")
        started = _started_by(tracer.pid)
        for module in wanted:
            _has_no_rights(started[module])
        assert int(_masks(tracer.pid)["CapPrm"], 16) == LOOKING
        assert _blocked_while_printing(tracer, writer)["CapPrm"] == "0" * 16
        _has_no_rights(tracer.pid)


def test_the_demo_s_output_belongs_to_the_caller(folder: Path) -> None:
    path = folder / "report.json"
    with Tracer("demo", "-d", "0.3", "-f", "json", "-o", path, env=AS_SUDO) as tracer:
        status, _, err = tracer.wait()
    assert status == 0, err
    assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, NOBODY)
    (server, *_) = loads(path.read_text()).processes
    assert server.python


@pytest.mark.parametrize("how", ["report", "compare"])
def test_a_recording_is_read_and_printed_without_rights(folder: Path, how: str) -> None:
    made = folder / "made.iot"
    with Worker() as worker:
        options = ("-o", made, "-d", "0.5", "-i", "0.1")
        with Tracer("record", *options, worker.pid, env=AS_SUDO) as tracer:
            status, _, err = tracer.wait()
    assert status == 0, err
    assert made.stat().st_uid == NOBODY
    check_verdict(read_recording(made).report)
    files = (made, made) if how == "compare" else (made,)
    with (
        _full_pipe() as (_, writer),
        Tracer(how, *files, stdout=writer, env=AS_SUDO) as tracer,
    ):
        _blocked_while_printing(tracer, writer)
        _has_no_rights(tracer.pid)
    exported = folder / "report.html"
    with Tracer("report", made, "-f", "html-report", "-o", exported, env=AS_SUDO) as tracer:
        status, _, err = tracer.wait()
    assert status == 0, err
    assert (exported.stat().st_uid, exported.stat().st_gid) == (NOBODY, NOBODY)


def test_what_only_root_may_read_stays_unread(folder: Path) -> None:
    """Under sudo a recording is read with the caller's rights."""
    secret = folder / "secret"
    secret.write_text("precious")
    secret.chmod(0o600)
    with Tracer("report", secret, env=AS_SUDO) as tracer:
        status, out, err = tracer.wait()
    assert status == ExitCode.PERMISSION
    one_line(err)
    assert "Permission denied" in err
    assert "precious" not in out + err
