"""Which CPython a process is."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.procfs.elf import parse_elf
from iotrace.procfs.maps import parse_maps, read_maps
from iotrace.procfs.python import Interpreter, identify, parse_version_hex, read_python

from . import samples
from .elf_image import DATA_ADDRESS, DATA_OFFSET, elf_image
from .test_elf import reader

VERSION = platform.python_version().removesuffix("+")


def identified(image: bytes, path: str = "/usr/bin/x") -> Interpreter | None:
    read = reader(image)
    return identify(parse_elf(read), read, path)


def test_the_interpreter_that_runs_this_test() -> None:
    build = read_python(os.getpid())
    assert build is not None
    exact = build.version == VERSION
    assert exact or (sys.version_info < (3, 11) and VERSION.startswith(f"{build.version}."))
    runtime = ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime")
    assert build.runtime_address == ctypes.addressof(runtime)
    assert build.path in {mapping.path for mapping in read_maps(os.getpid())}
    assert build.free_threaded == bool(getattr(sys, "abiflags", "").count("t"))


def test_another_process_with_it(spawn) -> None:
    child = spawn("")
    own = read_python(os.getpid())
    build = read_python(child.pid)
    assert own is not None
    assert build is not None
    assert (build.version, build.path) == (own.version, own.path)


def test_a_process_that_is_none() -> None:
    sleeper = shutil.which("sleep")
    assert sleeper is not None
    with subprocess.Popen([sleeper, "100"]) as child:
        assert read_python(child.pid) is None
        child.kill()


def test_a_process_that_is_gone(spawn) -> None:
    child = spawn("")
    child.popen.communicate()
    with pytest.raises(NoSuchProcess):
        read_python(child.pid)


def test_version_numbers() -> None:
    assert parse_version_hex(0x030B02F0) == "3.11.2"
    assert parse_version_hex(0x030E00C1) == "3.14.0rc1"
    assert parse_version_hex(0x030F00A7) == "3.15.0a7"
    assert parse_version_hex(0x030B02E0) is None
    assert parse_version_hex(0) is None
    assert parse_version_hex(0xFFFFFFFFFFFFFFF0) is None


def test_the_version_symbol() -> None:
    symbols = {"_PyRuntime": DATA_ADDRESS + 8, "Py_Version": DATA_ADDRESS}
    image = elf_image(symbols, data=struct.pack("<Q", 0x030B02F0) + bytes(24))
    assert identified(image) == Interpreter("3.11.2", DATA_ADDRESS + 8, free_threaded=False)


@pytest.mark.parametrize("free_threaded", [0, 1])
def test_the_description_in_the_runtime(free_threaded: int) -> None:
    data = b"xdebugpy" + struct.pack("<QQ", 0x030D00F0, free_threaded)
    found = identified(elf_image({"_PyRuntime": DATA_ADDRESS}, data=data))
    assert found == Interpreter("3.13.0", DATA_ADDRESS, bool(free_threaded))


@pytest.mark.parametrize(
    ("path", "constants", "version"),
    [
        ("/usr/bin/python3.9", b"x\x003.9.18\0y", "3.9.18"),
        ("/usr/lib/libpython3.10.so.1.0", b"/opt/3.10.13\0OpenSSL 3.0.2\x003.9.1\0", "3.10.13"),
        ("/usr/lib/libpython3.8.so.1.0", b"3.8.1\0/opt/3.8.2\0", "3.8"),
        ("/usr/lib/libpython3.9.so.1.0", b"3.9.0rc2\0", "3.9.0rc2"),
        ("/usr/lib/libpython3.9.so.1.0", b"3.9.7+\0", "3.9.7"),
        ("/usr/bin/python3.9", b"13.9.18\0", "3.9"),
        ("/usr/bin/python", b"3.9.18\0", "3"),
        ("/opt/python3.9/bin/uwsgi", b"3.9.18\0", "3"),
    ],
)
def test_the_version_in_name_and_constants(path: str, constants: bytes, version: str) -> None:
    image = elf_image({"_PyRuntime": DATA_ADDRESS}, data=bytes(24), constants=constants)
    assert identified(image, path) == Interpreter(version, DATA_ADDRESS, free_threaded=False)


def test_one_from_before_the_runtime_symbol() -> None:
    image = elf_image({"Py_GetVersion": 0x400010}, constants=b"2.7.18\0")
    assert identified(image, "/usr/bin/python2.7") == Interpreter("2.7.18", None, False)
    assert identified(image, "/usr/bin/x") is None


def test_a_version_that_is_not_in_the_file_is_not_read() -> None:
    symbols = {"_PyRuntime": DATA_ADDRESS, "Py_Version": DATA_ADDRESS + 32}
    image = elf_image(symbols, data=bytes(64), in_file=16)
    assert identified(image) == Interpreter("3", DATA_ADDRESS, free_threaded=False)


def test_a_program_that_only_uses_python_is_not_it() -> None:
    assert identified(elf_image({"_PyRuntime": None, "Py_GetVersion": None})) is None


def fake_process(tree, images: dict[str, bytes], exe: str) -> str:
    files: dict[str, bytes | str] = {f"7/root{path}": image for path, image in images.items()}
    lines = [
        f"7f0000{number}01000-7f0000{number}02000 rw-p 00001000 fe:00 97 {path}\n"
        f"7f0000{number}00000-7f0000{number}01000 r-xp 00000000 fe:00 97 {path}\n"
        for number, path in enumerate(images, start=4)
    ]
    return tree(files | {"7/maps": "".join(lines).encode(), "7/exe": exe})


def test_the_library_holds_it_when_the_program_does_not(tree) -> None:
    runtime = {"_PyRuntime": DATA_ADDRESS}
    described = b"xdebugpy" + struct.pack("<QQ", 0x030D00F0, 0)
    root = fake_process(
        tree,
        {
            "/usr/lib/other.so": elf_image(runtime, data=described),
            "/usr/bin/python3.13": elf_image({"_PyRuntime": None}, data=described),
            "/usr/lib/libpython3.13.so.1.0": elf_image(runtime, data=described),
        },
        exe="/usr/bin/python3.13",
    )
    build = read_python(7, root)
    assert build is not None
    assert (build.version, build.path) == ("3.13.0", "/usr/lib/libpython3.13.so.1.0")
    assert build.load_bias == 0x7F0000600000 - 0x400000
    assert build.runtime_address == DATA_ADDRESS + build.load_bias


def test_a_program_of_any_name_that_embeds_it(tree) -> None:
    image = elf_image({"_PyRuntime": DATA_ADDRESS}, data=bytes(24))
    build = read_python(7, fake_process(tree, {"/usr/sbin/uwsgi": image}, exe="/usr/sbin/uwsgi"))
    assert build is not None
    assert (build.version, build.path) == ("3", "/usr/sbin/uwsgi")


def test_the_program_itself_comes_first(tree) -> None:
    old, new = (
        elf_image({"_PyRuntime": DATA_ADDRESS}, data=b"xdebugpy" + struct.pack("<QQ", version, 0))
        for version in (0x030D00F0, 0x030E01F0)
    )
    images = {"/usr/lib/libpython3.13.so": old, "/usr/sbin/server": new}
    build = read_python(7, fake_process(tree, images, exe="/usr/sbin/server"))
    assert build is not None
    assert (build.version, build.path) == ("3.14.1", "/usr/sbin/server")


@pytest.mark.parametrize("content", [b"", b"no ELF", elf_image({"_PyRuntime": 1})[:200]])
def test_files_that_cannot_be_read_as_elf(tree, content: bytes) -> None:
    root = fake_process(tree, {"/usr/bin/python3": content}, exe="/usr/bin/python3")
    assert read_python(7, root) is None


def test_a_pipe_in_the_place_of_the_program_is_not_waited_for(tree) -> None:
    root = fake_process(tree, {"/usr/bin/python3": b""}, exe="/usr/bin/python3")
    program = Path(root) / "7/root/usr/bin/python3"
    program.unlink()
    os.mkfifo(program)
    assert read_python(7, root) is None


def test_maps() -> None:
    mappings = parse_maps(samples.MAPS)
    assert [(one.start, one.end, one.permissions, one.offset, one.inode) for one in mappings] == [
        (0x400000, 0x41F000, "r--p", 0, 1835),
        (0x41F000, 0x6C1000, "r-xp", 0x1F000, 1835),
        (0x7F78A2E4F000, 0x7F78A2E51000, "r--p", 0x2000, 97),
    ]
    assert [one.path for one in mappings] == [
        "/usr/bin/python3.11",
        "/usr/bin/python3.11",
        "/tmp/a b\nc (deleted)",
    ]


def test_the_image_of_these_tests_is_where_they_think() -> None:
    assert elf_image({}, data=b"here")[DATA_OFFSET:].startswith(b"here")
