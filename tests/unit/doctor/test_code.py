"""Who can change the code that root runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from iotrace.doctor import code
from iotrace.doctor.check import Status

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files of two users take root")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "opt/venv/bin"
    path.mkdir(parents=True)
    (path / "python").touch()
    return path / "python"


def test_what_is_root_s_alone(place: Path) -> None:
    assert code.writable_by_others([place]) is None
    assert code.writable_by_others([place.parent / "not there"]) is None


@pytest.mark.parametrize("above", [0, 1, 2])
def test_another_user_s_file_or_directory(place: Path, above: int) -> None:
    theirs = (place, *place.parents)[above]
    os.chown(theirs, 65534, 65534)
    assert code.writable_by_others([place]) == f"{theirs} can be written to by user nobody"
    os.chown(theirs, 4242, 4242)
    assert code.writable_by_others([place]) == f"{theirs} can be written to by user 4242"


def test_a_directory_of_everybody_s(place: Path) -> None:
    place.parent.chmod(0o777)
    assert "by everybody" in (code.writable_by_others([place]) or "")
    place.parent.chmod(0o1777)
    assert code.writable_by_others([place]) is None


def test_a_directory_of_a_group_s(place: Path) -> None:
    place.parent.chmod(0o775)
    assert code.writable_by_others([place]) is None, "root's own group"
    os.chown(place.parent, 0, 4242)
    assert "by group 4242" in (code.writable_by_others([place]) or "")


def test_where_a_link_leads(place: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.touch()
    place.unlink()
    place.symlink_to(elsewhere)
    assert code.writable_by_others([place]) is None
    os.chown(elsewhere, 65534, 65534)
    assert f"{elsewhere} can" in (code.writable_by_others([place]) or "")


def test_doctor_tells(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [str(place.parent)])
    monkeypatch.setattr("sys.executable", str(place))
    monkeypatch.setattr("sys.prefix", str(place.parent))
    os.chown(place.parent, 65534, 65534)
    told = code.check()
    assert told.status is Status.DEGRADED
    assert f"{place.parent} can be written to by user nobody" in told.detail
    assert "/opt/iotrace" in told.paste["debian"]
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    assert code.check().status is Status.OK
