"""Images of the probes: kept, read again, and trusted only where they can be."""

import contextlib
import errno
import os
import random
from pathlib import Path
from typing import cast

import pytest

from iotrace.engine import image_cache, image_source
from iotrace.engine.compile_workers import CompileWorkers
from iotrace.engine.image import Function, Image, MapSpec
from iotrace.engine.map_limits import Limits
from iotrace.report.detail import Detail

IMAGE = Image(
    maps={"threads": MapSpec(2, 4, 656, 2048, 1024, '["thread", [], "struct"]')},
    functions=(
        Function("sys_enter", "on_sys_enter", ("a", "b"), "twAAAAAAAAA=", ((3, "threads"),)),
    ),
    unavailable={"pickup": "no tracepoint"},
    own_prelude=True,
)

KEY = f"{image_cache._VERSION}-key"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "cache"
    monkeypatch.setattr(image_cache, "cache_directory", lambda: place)
    monkeypatch.setattr(image_cache, "_OWNER", os.geteuid())
    return place


def test_an_image_survives_the_pipe() -> None:
    assert Image.from_bytes(IMAGE.to_bytes()) == IMAGE


def test_damaged_images_are_refused() -> None:
    data = IMAGE.to_bytes()
    generator = random.Random(7)
    for _ in range(211):
        damaged = bytearray(data)
        damaged[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
        with contextlib.suppress(ValueError):  # zlib's last byte has bits that mean nothing
            assert Image.from_bytes(bytes(damaged)) == IMAGE


@pytest.mark.parametrize(
    "name", ["vocabulary/waits.py", "vocabulary/calls.py", "engine/constants.py"]
)
def test_another_vocabulary_is_another_image(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a new reason to wait met records that have no room for it."""
    read = Path.read_bytes
    before = image_cache.image_key("sources", Limits(), frozenset(), False)
    assert before == image_cache.image_key("sources", Limits(), frozenset(), False)
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: read(path) + b"#" * str(path).endswith(name)
    )
    assert before != image_cache.image_key("sources", Limits(), frozenset(), False), name


def test_what_was_stored_is_loaded(directory: Path) -> None:
    image_cache.store_image(KEY, IMAGE)
    assert image_cache.load_image(KEY) == IMAGE
    assert image_cache.load_image("another") is None


def test_a_folder_that_others_may_write_is_not_used(directory: Path) -> None:
    image_cache.store_image(KEY, IMAGE)
    directory.chmod(0o777)
    assert image_cache.load_image(KEY) is None


def test_a_planted_link_is_not_followed(directory: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    directory.symlink_to(elsewhere)
    image_cache.store_image(KEY, IMAGE)
    assert list(elsewhere.iterdir()) == []


def test_a_changed_file_is_not_loaded(directory: Path) -> None:
    image_cache.store_image(KEY, IMAGE)
    path = directory / KEY
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert image_cache.load_image(KEY) is None


def test_a_file_that_others_may_write_is_not_loaded(directory: Path) -> None:
    image_cache.store_image(KEY, IMAGE)
    (directory / KEY).chmod(0o622)
    assert image_cache.load_image(KEY) is None


def test_a_file_of_two_names_is_not_loaded(directory: Path, tmp_path: Path) -> None:
    image_cache.store_image(KEY, IMAGE)
    (tmp_path / "other").hardlink_to(directory / KEY)
    assert image_cache.load_image(KEY) is None


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o757])
def test_a_directory_that_others_can_replace_is_not_used(
    tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "shared" / "below" / "cache"
    monkeypatch.setattr(image_cache, "cache_directory", lambda: place)
    monkeypatch.setattr(image_cache, "_OWNER", os.geteuid())
    image_cache.store_image(KEY, IMAGE)
    assert image_cache.load_image(KEY) == IMAGE
    assert not image_cache.obstacle()
    (tmp_path / "shared").chmod(mode)
    assert image_cache.load_image(KEY) is None
    assert "another user may write" in image_cache.obstacle()
    image_cache.store_image("another", IMAGE)
    assert [path.name for path in place.iterdir()] == [KEY]
    (tmp_path / "shared").chmod(mode | 0o1000)  # sticky: what is in it stays its owner's
    assert image_cache.load_image(KEY) == IMAGE


def test_another_user_keeps_no_images(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_cache, "_OWNER", 0)
    directory.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(directory, 4242, 4242)
    image_cache.store_image(KEY, IMAGE)
    assert list(directory.iterdir()) == []
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    assert "for root only" in image_cache.obstacle()


def test_what_is_not_written_whole_is_not_there(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "rename", full)
    image_cache.store_image(KEY, IMAGE)
    assert list(directory.iterdir()) == []


def _key(number: int) -> str:
    return f"{image_cache._VERSION}-{number}"


def test_the_oldest_images_go_and_those_of_other_versions(directory: Path) -> None:
    for number in range(image_cache._KEPT + 3):
        image_cache.store_image(_key(number), IMAGE)
        os.utime(directory / _key(number), ns=(number, number))
    (directory / "of-version-1").touch()
    image_cache.store_image(_key(99), IMAGE)
    kept = {path.name for path in directory.iterdir()}
    assert len(kept) == image_cache._KEPT, "images in the cache"
    assert {_key(99), _key(image_cache._KEPT + 2)} <= kept
    assert not {_key(0), "of-version-1"} & kept


def test_the_key_depends_on_sources_limits_absent_features_and_the_namespace() -> None:
    keys = {
        image_cache.image_key("", Limits(), frozenset(), False),
        image_cache.image_key("", Limits(), frozenset(), True),
        image_cache.image_key("", Limits(threads=512), frozenset(), False),
        image_cache.image_key("", Limits(), frozenset({"sk_data_ready"}), False),
        image_cache.image_key("", Limits(detail=Detail.LIGHT), frozenset(), False),
        image_cache.image_key("other sources", Limits(), frozenset(), False),
    }
    assert len(keys) == 6
    assert image_cache.image_key("", Limits(), frozenset(), False) in keys


def test_sources_that_are_replaced_meanwhile_name_no_image(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade while the probes are compiled: of before, of after, or of both."""

    class Compiled:
        def request(self, *_: object) -> None: ...
        def early_parts(self) -> list[Image]:
            return [IMAGE]

        def late_parts(self) -> list[Image]:
            return []

        def close(self) -> None: ...

    digests = ["before", "after"]
    monkeypatch.setattr(image_source, "sources_digest", lambda: digests[0])
    for kept, replaced in (0, True), (1, False):
        made = image_source.ImageSource(Limits(), workers=cast(CompileWorkers, Compiled()))
        list(made.early_images())
        if replaced:
            digests.pop(0)
        made.late_functions()
        assert len(list(directory.glob("*"))) == kept
