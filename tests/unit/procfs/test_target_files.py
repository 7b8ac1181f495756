"""Only regular files of a process's own tree are opened, whatever a name leads to."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from iotrace.procfs import target_files
from iotrace.procfs.target_files import open_inside, open_mapped

_NO_DRIVER = os.makedev(511, 7)
"""To open it would fail with ENXIO."""


@pytest.fixture(params=["openat2", "step by step"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """As this kernel does it, and as one before 5.6."""
    if request.param == "step by step":
        monkeypatch.setattr(target_files, "_openat2", lambda top, path: None)
    elif target_files._openat2(os.open("/", os.O_PATH | os.O_CLOEXEC), "/") is None:
        pytest.skip("no openat2 here")
    return str(request.param)


def _inside(tree, files: dict[str, bytes | str]) -> str:
    return str(tree({f"7/root{path}": content for path, content in files.items()}))


def _content(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def test_a_file(tree, way: str) -> None:
    root = _inside(tree, {"/usr/bin/python3": b"it"})
    assert _content(open_inside(7, "/usr/bin/python3", root)) == b"it"
    assert _content(open_mapped(7, 0x1000, 0x2000, "/usr/bin/python3", root)) == b"it"


@pytest.mark.parametrize("kind", ["fifo", "device", "directory", "socket"])
def test_nothing_else_is_opened(tree, way: str, kind: str) -> None:
    root = _inside(tree, {"/bin/other": b""})
    path = Path(root) / "7/root/bin/python3"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        if os.geteuid():
            pytest.skip("only root makes device nodes")
        os.mknod(path, stat.S_IFCHR | 0o666, _NO_DRIVER)
    elif kind == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o666)
    else:
        path.mkdir()
    with pytest.raises(OSError, match="not a regular file"):
        open_inside(7, "/bin/python3", root)


def test_no_one_sees_a_fifo_opened(tree, way: str) -> None:
    root = _inside(tree, {"/bin/other": b""})
    path = Path(root) / "7/root/bin/python3"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    with pytest.raises(OSError, match="not a regular file"):
        open_inside(7, "/bin/python3", root)
    os.close(writer)
    with pytest.raises(OSError) as refused:
        os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    assert refused.value.errno == errno.ENXIO


@pytest.mark.parametrize("link", ["/etc/hostname", "../../../../../../../../etc/hostname"])
def test_a_link_does_not_lead_out_of_the_tree(tree, way: str, link: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"the host's")
    for target in (link, str(outside), f"/proc/self/root{outside}"):
        root = _inside(tree, {"/bin/other": b""})
        path = Path(root) / "7/root/bin/python3"
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        with pytest.raises(OSError):
            open_inside(7, "/bin/python3", root)


def test_an_absolute_link_leads_to_the_tree(tree, way: str) -> None:
    root = _inside(tree, {"/opt/real": b"inside"})
    (Path(root) / "7/root/python3").symlink_to("/opt/real")
    if way == "openat2":
        assert _content(open_inside(7, "/python3", root)) == b"inside"
    else:
        with pytest.raises(OSError):
            open_inside(7, "/python3", root)


def test_a_name_that_leads_upwards(tree, way: str) -> None:
    root = _inside(tree, {"/bin/python3": b"it"})
    (Path(root) / "7/secret").write_bytes(b"outside")
    with pytest.raises(OSError):
        open_inside(7, "/../secret", root)
