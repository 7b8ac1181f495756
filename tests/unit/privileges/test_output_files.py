"""Output files: written where the user meant, whole or not at all, or refused."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotrace.errors import UsageError
from iotrace.privileges.caller_files import open_as_caller
from iotrace.privileges.output_place import find_place
from iotrace.privileges.safe_file import PRIVATE, PUBLIC, SafeFile

OTHER = 4242
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make another user's files")


@pytest.fixture(autouse=True)
def _a_known_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def written(path: Path, *, growing: bool = False) -> None:
    file = open_as_caller(str(path), growing=growing)
    file.stream.write("new")
    file.commit()
    file.close()


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as error:
        open_as_caller(str(path))
    return error.value.why


def test_a_report_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text("old")
    file = open_as_caller(str(path))
    file.stream.write("new")
    file.stream.flush()
    assert path.read_text() == "old"
    file.commit()
    assert path.read_text() == "new"
    file.close()
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_given_up_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text("old")
    file = open_as_caller(str(path))
    file.stream.write("new")
    file.close()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_growing_report_can_be_read_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text("old")
    file = open_as_caller(str(path), growing=True)
    assert path.read_text() == ""
    file.stream.write("one")
    file.stream.flush()
    assert path.read_text() == "one"
    file.close()
    assert path.read_text() == "one"


@pytest.mark.parametrize("growing", [False, True])
def test_who_has_the_old_file_open_does_not_see_the_new_one(tmp_path: Path, growing: bool) -> None:
    path = tmp_path / "report"
    path.write_text("old")
    (tmp_path / "other name").hardlink_to(path)
    with path.open() as opened:
        written(path, growing=growing)
        assert opened.read() == "old"
    assert (tmp_path / "other name").read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize(
    ("wanted", "umask", "before", "after"),
    [
        (PUBLIC, 0o022, None, 0o644),
        (PUBLIC, 0o077, None, 0o600),
        (PUBLIC, 0o022, 0o600, 0o600),
        (PUBLIC, 0o022, 0o666, 0o644),
        (PUBLIC, 0o022, 0o400, 0o600),
        (PRIVATE, 0o000, None, 0o600),
        (PRIVATE, 0o022, 0o644, 0o600),
    ],
)
def test_the_mode(tmp_path: Path, wanted: int, umask: int, before: int | None, after: int) -> None:
    path = tmp_path / "x"
    if before is not None:
        path.touch()
        path.chmod(before)
    os.umask(umask)
    file = SafeFile(path, None, wanted)
    (temporary,) = (one for one in tmp_path.iterdir() if one != path)
    assert mode_of(temporary) == after
    file.commit()
    assert mode_of(path) == after


def test_links_that_nobody_else_can_make_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real" / "below").mkdir(parents=True)
    (tmp_path / "relative").symlink_to("real")
    (tmp_path / "absolute").symlink_to(tmp_path / "relative" / "below")
    written(tmp_path / "absolute" / ".." / "below" / "report")
    assert (tmp_path / "real" / "below" / "report").read_text() == "new"
    (tmp_path / "circle").symlink_to("circle")
    assert "links" in refused(tmp_path / "circle" / "x")


def test_a_name_in_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path("report"))
    assert (tmp_path / "report").read_text() == "new"


@pytest.mark.parametrize("name", ["/", "..", "made/.."])
def test_a_directory_is_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "made").mkdir()
    assert refused(tmp_path / name) == "Is a directory."


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "made").touch()
    assert refused(tmp_path / "made" / "x") == "Not a directory."


@pytest.mark.skipif(not Path("/proc/self/root").exists(), reason="needs /proc")
def test_a_link_of_proc_is_not_taken_by_its_text(tmp_path: Path) -> None:
    """In a container, /proc/PID/root/tmp is another directory than /tmp."""
    (tmp_path / "gone").mkdir()
    inside = os.open(tmp_path / "gone", os.O_RDONLY)
    (tmp_path / "gone").rmdir()
    (tmp_path / "gone (deleted)").mkdir()
    assert "/proc" in refused(Path(f"/proc/self/fd/{inside}/x"))
    os.close(inside)


def test_a_pipe_of_ones_own_and_a_device(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refused(pipe) == "It is a pipe that nobody reads."
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    written(pipe)
    assert os.read(reader, 100) == b"new"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    written(Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


@as_root
@pytest.mark.parametrize("whose", ["another's", "shared", "sticky"])
def test_in_a_directory_that_others_write_to(whose: str) -> None:
    """A new file is made there, one's own is replaced, another's is refused."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod({"another's": 0o755, "shared": 0o777, "sticky": 0o1777}[whose])
        if whose == "another's":
            os.chown(directory, OTHER, OTHER)
        written(directory / "report")
        written(directory / "report")
        assert (directory / "report").read_text() == "new"
        os.chown(directory / "report", OTHER, OTHER)
        assert "Another user put it there" in refused(directory / "report")
        (directory / "link").symlink_to("/tmp")
        follows = whose == "sticky"
        if follows:
            os.close(find_place(directory / "link" / "x").directory)
        else:
            assert "link" in refused(directory / "link" / "x")
        os.lchown(directory / "link", OTHER, OTHER)
        assert "link" in refused(directory / "link" / "x")


@as_root
def test_what_root_may_replace_in_its_own_directory(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.touch()
    os.chown(path, OTHER, OTHER)
    written(path)
    assert (path.read_text(), path.stat().st_uid) == ("new", 0)
    os.mkfifo(tmp_path / "pipe")
    os.chown(tmp_path / "pipe", OTHER, OTHER)
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert "pipe of another user" in refused(tmp_path / "pipe")
    os.close(reader)


_AS_OTHER = """
import os, sys
os.setgroups([]); os.setgid(4242); os.setuid(4242)
from tests.unit.privileges.test_output_files import Path, written
written(Path(sys.argv[1]))
"""


@as_root
def test_a_file_in_a_directory_that_is_closed_is_written_in_place() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        path = directory / "report"
        path.write_text("old and longer")
        os.chown(path, OTHER, OTHER)
        inode = path.stat().st_ino
        subprocess.run([sys.executable, "-c", _AS_OTHER, path], check=True)
        assert (path.read_text(), path.stat().st_ino) == ("new", inode)


_ON_A_MOUNT_POINT = """
set -e
mount --bind "$1/real" "$1/report"
"$2" -c 'import sys
from tests.unit.privileges.test_output_files import Path, written
written(Path(sys.argv[1]))' "$1/report"
"""


@as_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare (util-linux)")
def test_a_file_that_is_a_mount_point_is_written_in_place(tmp_path: Path) -> None:
    """As a container's volume may be a single file."""
    (tmp_path / "real").write_text("old and longer")
    (tmp_path / "report").write_text("covered")
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _ON_A_MOUNT_POINT]
    tried = subprocess.run(["unshare", "--mount", "true"], check=False)
    if tried.returncode:
        pytest.skip("no mount namespaces here")
    subprocess.run([*command, "sh", tmp_path, sys.executable], check=True)
    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "report").read_text() == "covered"
