"""Questions to a reader: answered, failed, or given up in time."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs.children import read_children
from iotrace.procfs.descriptors import read_descriptors as procfs_descriptors
from iotrace.procfs.sockets import read_sockets as procfs_sockets
from iotrace.target_reader import server
from iotrace.target_reader.opened import read_descriptors, read_sockets
from iotrace.target_reader.pool import LANES
from iotrace.target_reader.programs import read_program
from iotrace.target_reader.reader import (
    MOST_BLOCKED_OF_USER,
    MOST_FAILURES,
    NotAnswering,
    TargetReader,
)
from iotrace.target_reader.threads import read_activities
from tests.waiting import wait_until

_DEADLINE_S = 20.0
_OWN = os.getpid()


def _hang(_session: object, pid: int) -> None:
    time.sleep(3600)


def _compute(_session: object, pid: int) -> int:
    until_ns = time.monotonic_ns() + 1_300_000_000
    while time.monotonic_ns() < until_ns:
        pass
    return pid


def _exhaust(_session: object, pid: int) -> int:
    return len(bytearray(1 << 30))


def _recurse(_session: object, pid: int) -> int:
    return _recurse(_session, pid)


def _endless(_session: object, pid: int) -> list[bytes]:
    return [bytes(1 << 20) for _ in range(20)]


def _import(_session: object, pid: int) -> int:
    return int(importlib.import_module("module_of_a_reader").ANSWER)


def _write(_session: object, pid: int, path: str) -> int:
    return Path(path).write_text("something")


def _rights(_session: object, pid: int) -> tuple[str, list[str]]:
    links = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with suppress(FileNotFoundError):  # that of the directory itself
            links.append(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115
    return Path("/proc/self/status").read_text(), links


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[TargetReader]:
    for question in (_hang, _compute, _exhaust, _recurse, _endless, _rights):
        monkeypatch.setitem(server.QUESTIONS, question.__name__, question)
    with TargetReader() as made:
        yield made


def _readers(parent: int = _OWN) -> list[int]:
    """The spawner first."""
    pids = read_children(parent)
    return [pid for pid in pids if _name(pid) == "iotrace-readers"]


def _name(pid: int) -> str:
    """ "" once it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _wait(condition: Callable[[], bool], what: str) -> None:
    wait_until(condition, what, deadline_s=_DEADLINE_S)


def test_it_answers(reader: TargetReader) -> None:
    assert str(_OWN) in Path(f"/proc/{_OWN}/stat").read_text()
    assert read_program(reader, _OWN).exe == str(Path("/proc/self/exe").readlink())
    assert read_activities(reader, _OWN, [_OWN]).keys() == {_OWN}
    assert reader.cpu_ns() > 0
    assert not reader.reasons()


def test_what_is_open_is_as_it_is(reader: TargetReader) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socketpair()[0] as pair:
        found, is_all = read_descriptors(reader, _OWN, 1000)
        assert is_all
        # Not files: where a log is shared with other processes, its position moves meanwhile.
        still = {
            fd: one for fd, one in procfs_descriptors(_OWN, found).items() if one.kind != "file"
        }
        assert still == {fd: one for fd, one in found.items() if one.kind != "file"}
        assert {one.fileno() for one in (listener, pair)} <= still.keys()
        inodes = [found[one.fileno()].inode or 0 for one in (listener, pair)]
        sockets = read_sockets(reader, _OWN, inodes)
        assert sockets[inodes[0]].local == f"127.0.0.1:{listener.getsockname()[1]}"
        assert sockets == procfs_sockets(_OWN, inodes)
    assert not reader.reasons()


def test_descriptors_that_are_left_out_are_told(reader: TargetReader) -> None:
    found, is_all = read_descriptors(reader, _OWN, 2)
    assert (len(found), is_all) == (2, False)
    assert reader.reasons()


def test_errors_of_ours_arrive_as_they_were_raised(reader: TargetReader) -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    with pytest.raises(NoSuchProcess) as raised:
        read_program(reader, child.pid)
    assert str(child.pid) in raised.value.what
    assert raised.value.paste
    assert not reader.reasons()


def test_one_that_hangs_is_given_up_and_others_are_answered(reader: TargetReader) -> None:
    begin = time.monotonic()
    with pytest.raises(NotAnswering):
        reader.ask("_hang", _OWN)
    assert 0.9 < time.monotonic() - begin < 10
    assert read_program(reader, os.getppid()).cmdline
    assert "no answer in" in reader.reasons()[f"some facts of process {_OWN}"]


def test_one_that_computes_is_waited_for(reader: TargetReader) -> None:
    assert reader.ask("_compute", _OWN) == _OWN
    assert not reader.reasons()


def test_one_that_never_comes_back_is_not_asked_again(reader: TargetReader) -> None:
    """A reader that cannot be killed: here the spawner that would kill it is stopped."""
    assert read_program(reader, _OWN)
    (spawner, _) = _readers()
    os.kill(spawner, signal.SIGSTOP)
    with pytest.raises(NotAnswering):
        reader.ask("_hang", _OWN)
    begin = time.monotonic()
    with pytest.raises(NotAnswering, match="does not answer"):
        reader.ask("_rights", _OWN)
    assert time.monotonic() - begin < 0.5
    os.kill(spawner, signal.SIGCONT)

    def answers() -> bool:
        try:
            return bool(reader.ask("_rights", _OWN))
        except NotAnswering:
            return False

    _wait(answers, "its reader to have died, and it to be asked again")


def test_nobody_is_asked_for_ever(reader: TargetReader) -> None:
    for _ in range(MOST_FAILURES):
        with pytest.raises(NotAnswering, match="could not be read"):
            reader.ask("_recurse", _OWN)
    with pytest.raises(NotAnswering, match="does not answer"):
        reader.ask("_rights", _OWN)
    reader.forget([_OWN])  # its number may come again
    assert reader.ask("_rights", _OWN)


def test_a_user_has_no_more_than_some_readers(
    reader: TargetReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = [subprocess.Popen(["sleep", "60"]) for _ in range(MOST_BLOCKED_OF_USER + 1)]
    monkeypatch.setattr(reader._pool, "blocked", lambda lane: True)
    try:
        for child in children[:-1]:
            with pytest.raises(NotAnswering, match="could not be read"):
                reader.ask("_hang", child.pid)
        with pytest.raises(NotAnswering, match="is not asked"):
            read_program(reader, children[-1].pid)
        assert MOST_BLOCKED_OF_USER < LANES
    finally:
        for child in children:
            child.kill()
            child.wait()


@pytest.mark.parametrize(
    ("question", "why"),
    [("_exhaust", "MemoryError"), ("_recurse", "RecursionError"), ("_endless", "20 MiB")],
)
def test_what_fails_fails_alone(reader: TargetReader, question: str, why: str) -> None:
    with pytest.raises(NotAnswering) as raised:
        reader.ask(question, _OWN)
    assert why in raised.value.why
    assert why in reader.reasons()[f"some facts of process {_OWN}"]
    assert reader.ask("_rights", os.getppid())


def test_a_reader_that_is_killed_is_replaced(reader: TargetReader) -> None:
    assert read_program(reader, _OWN)
    (spawner, first) = _readers()
    os.kill(first, signal.SIGKILL)
    _wait(lambda: first not in _readers(), "it to be dead")
    _wait(lambda: _answers(reader), "another one")
    assert _readers()[0] == spawner


def _answers(reader: TargetReader) -> bool:
    try:
        return bool(read_program(reader, _OWN))
    except NotAnswering:
        return False


def test_without_a_spawner_nothing_hangs(reader: TargetReader) -> None:
    assert read_program(reader, _OWN)
    os.kill(_readers()[0], signal.SIGKILL)
    _wait(lambda: not _readers()[1:], "its reader to end with it")
    begin = time.monotonic()
    with pytest.raises(NotAnswering):
        read_program(reader, _OWN)
    assert time.monotonic() - begin < 5


def test_what_it_imports_first_is_written_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It may write no file: the kernel would kill it for that."""
    (tmp_path / "module_of_a_reader.py").write_text("ANSWER = 43\n")
    monkeypatch.syspath_prepend(tmp_path)
    for question in (_import, _write):
        monkeypatch.setitem(server.QUESTIONS, question.__name__, question)
    with TargetReader() as reader:
        assert reader.ask("_import", _OWN) == 43
        with pytest.raises(NotAnswering) as raised:
            reader.ask("_write", _OWN, str(tmp_path / "written"))
        assert "OSError" in raised.value.why
    assert not (tmp_path / "__pycache__").exists()


def test_it_holds_nothing(reader: TargetReader, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        status, links = reader.ask("_rights", _OWN)
        assert file.name not in links
    assert len([link for link in links if link.startswith("pipe:")]) == 2
    assert {link for link in links if not link.startswith("pipe:")} == {"/dev/null"}
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    kept = 1 << 2 | 1 << 19 | 1 << 40  # CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, ..._RESTORE
    assert not int(fields["CapEff"], 16) & ~kept
    assert not int(fields["CapPrm"], 16) & ~kept
    assert fields["NoNewPrivs"].strip() == "1"


def test_nothing_is_left() -> None:
    with TargetReader() as reader:
        assert read_program(reader, _OWN)
        mine = _readers()
        assert len(mine) == 2
    _wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in mine), "them to be gone")
    reader.close()  # again
