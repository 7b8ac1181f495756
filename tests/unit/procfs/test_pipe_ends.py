"""Who could write to a pipe: found among all processes, by their descriptors."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotrace.procfs.pipe_ends import readers_of, writers_of


def test_a_child_that_has_inherited_the_writing_end() -> None:
    read, write = os.pipe()
    inode = os.fstat(read).st_ino
    child = subprocess.Popen(["sleep", "60"], stdout=write)
    try:
        os.close(write)
        assert writers_of(inode).seen == ((child.pid, os.getpid(), "sleep"),)
    finally:
        child.kill()
        child.wait()
        os.close(read)


def test_who_only_reads_is_no_writer() -> None:
    read, write = os.pipe()
    os.close(write)
    try:
        assert writers_of(os.fstat(read).st_ino).seen == ()
        assert [pid for pid, _, _ in readers_of(os.fstat(read).st_ino).seen] == [os.getpid()]
    finally:
        os.close(read)


def _proc(root: Path, *processes: tuple[int, str]) -> str:
    for pid, name in processes:
        (root / str(pid) / "fd").mkdir(parents=True)
        (root / str(pid) / "stat").write_text(f"{pid} ({name}) S 1 {' '.join(['0'] * 48)}")
    return str(root)


def test_who_sees_not_all_of_the_host_knows_of_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container, or where other users' processes may not be looked into."""
    host = _proc(tmp_path / "host", (2, "kthreadd"), (7, "python3"))
    assert writers_of(81, host).complete
    assert not writers_of(81, _proc(tmp_path / "container", (2, "sh"), (7, "python3"))).complete
    listed = Path.iterdir

    def refuses(path: Path) -> Iterator[Path]:
        if path == Path(host, "7", "fd"):
            raise PermissionError(path)
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuses)
    assert not writers_of(81, host).complete


@pytest.mark.parametrize(
    ("parent", "started", "complete"), [(5, 10, True), (1, 10, False), (5, 40, False)]
)
def test_an_older_process_that_may_not_be_looked_into_has_inherited_no_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parent: int, started: int, complete: bool
) -> None:
    """Unless it is the parent of one that has it, and may have made it."""
    host = _proc(tmp_path, (1, "init"), (2, "kthreadd"), (7, "python3"))
    for pid, whose, since in ((1, 0, started), (7, parent, 20)):
        fields = ["0"] * 48
        fields[17] = str(since)
        (tmp_path / str(pid) / "stat").write_text(f"{pid} (x) S {whose} {' '.join(fields)}")
    (tmp_path / "7" / "fd" / "3").symlink_to("pipe:[81]")
    listed = Path.iterdir

    def refuses(path: Path) -> Iterator[Path]:
        if path == Path(host, "1", "fd"):
            raise PermissionError(path)
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuses)
    found = writers_of(81, host)
    assert [pid for pid, _, _ in found.seen] == [7]
    assert found.complete is complete
