"""_Py_DebugOffsets: each member is read from where the versions have it, or all is refused."""

from __future__ import annotations

import struct

import pytest

from iotrace.pystack.described import SECTIONS, Described, member_names, read_described
from iotrace.pystack.memory import Unreadable

_RUNTIME = 0x5000
_PLACES = {
    (3, 13): {
        "runtime_state.interpreters_head": 40,
        "interpreter_frame.owner": 264,
        "unicode_object.asciiobject_size": 560,
    },
    (3, 14): {
        "interpreter_frame.stackpointer": 296,
        "set_object.table": 512,
        "gen_object.gi_iframe": 680,
        "debugger_support.debugger_script_path_size": 752,
    },
    (3, 15): {
        "thread_state.gil_requested": 280,
        "heap_type_object.ht_cached_keys": 536,
        "gen_object.gi_iframe": 808,
        "debugger_support.debugger_script_path_size": 880,
    },
}
"""Version -> where in the struct some members are: offsetof(_Py_DebugOffsets, ...)."""


class _Image:
    """A runtime at _RUNTIME."""

    def __init__(self, version: int, words: list[int], cookie: bytes = b"xdebugpy") -> None:
        self._data = cookie + struct.pack(f"<Q{len(words)}Q", version, *words)

    def read(self, address: int, size: int) -> bytes:
        at = address - _RUNTIME
        if at < 0 or at + size > len(self._data):
            raise Unreadable("outside")
        return self._data[at : at + size]


def _read(version: tuple[int, int], words: list[int], cookie: bytes = b"xdebugpy") -> Described:
    return read_described(
        _Image(version[0] << 24 | version[1] << 16 | 0xF0, words, cookie), _RUNTIME
    )


@pytest.mark.parametrize("version", SECTIONS)
def test_each_member_is_where_the_version_has_it(version: tuple[int, int]) -> None:
    names = member_names(version)
    found = _read(version, [0, *range(24, 24 + 8 * len(names), 8)])
    assert found.version == version
    assert not found.free_threaded
    assert {name: found[name] for name in _PLACES[version]} == _PLACES[version]
    assert _read(version, [1] * (1 + len(names))).free_threaded


@pytest.mark.parametrize("version", SECTIONS)
def test_what_cannot_be_is_refused(version: tuple[int, int]) -> None:
    words = [0] * (1 + len(member_names(version)))
    with pytest.raises(Unreadable, match="does not describe itself"):
        _read(version, words, b"xdebuggy")
    with pytest.raises(Unreadable, match=r"thread_state\.next is at"):
        place = 1 + member_names(version).index("thread_state.next")
        _read(version, [*words[:place], 1 << 40, *words[place + 1 :]])
    with pytest.raises(Unreadable, match="outside"):
        _read(version, words[:-1])


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(Unreadable, match="a known Python"):
        _read((3, 99), [0] * 200)
