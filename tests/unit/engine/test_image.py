"""Images of the probes: kept, read again, and trusted only where they can be."""

import contextlib
import os
import random
from pathlib import Path

import pytest

from iotrace.engine import cache
from iotrace.engine.image import Function, Image, MapSpec
from iotrace.engine.program import Limits
from iotrace.report.detail import Detail

IMAGE = Image(
    maps={"threads": MapSpec(2, 4, 656, 2048, 1024, '["thread", [], "struct"]')},
    functions=(
        Function("sys_enter", "on_sys_enter", ("a", "b"), "twAAAAAAAAA=", ((3, "threads"),)),
    ),
    unavailable={"pickup": "no tracepoint"},
)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "cache"
    monkeypatch.setattr(cache, "cache_directory", lambda: place)
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


def test_what_was_stored_is_loaded(directory: Path) -> None:
    cache.store_image("key", IMAGE)
    assert cache.load_image("key") == IMAGE
    assert cache.load_image("another") is None


def test_a_folder_that_others_may_write_is_not_used(directory: Path) -> None:
    cache.store_image("key", IMAGE)
    directory.chmod(0o777)
    assert cache.load_image("key") is None


def test_a_planted_link_is_not_followed(directory: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    directory.symlink_to(elsewhere)
    cache.store_image("key", IMAGE)
    assert list(elsewhere.iterdir()) == []


def test_a_changed_file_is_not_loaded(directory: Path) -> None:
    cache.store_image("key", IMAGE)
    path = directory / "key"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert cache.load_image("key") is None


def test_the_oldest_images_go(directory: Path) -> None:
    for number in range(19):
        cache.store_image(f"key{number}", IMAGE)
        os.utime(directory / f"key{number}", ns=(number, number))
    cache.store_image("last", IMAGE)
    kept = {path.name for path in directory.iterdir()}
    assert len(kept) == 16
    assert {"last", "key18"} <= kept
    assert "key0" not in kept


def test_the_key_depends_on_limits_absent_features_and_the_namespace() -> None:
    keys = {
        cache.image_key(Limits(), frozenset(), False),
        cache.image_key(Limits(), frozenset(), True),
        cache.image_key(Limits(threads=512), frozenset(), False),
        cache.image_key(Limits(), frozenset({"sk_data_ready"}), False),
        cache.image_key(Limits(detail=Detail.LIGHT), frozenset(), False),
    }
    assert len(keys) == 5
    assert cache.image_key(Limits(), frozenset(), False) in keys
