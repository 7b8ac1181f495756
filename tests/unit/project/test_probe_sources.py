"""The probes' sources: each says its license, and none is compiled twice or not at all."""

from __future__ import annotations

from iotrace.engine import program
from tests.unit.project.places import PACKAGES

_PROBES = PACKAGES["iotrace.probes"]
_LICENSE = "/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */\n"


def test_every_source_says_its_license() -> None:
    sources = sorted(_PROBES.rglob("*.[ch]"))
    assert len(sources) > 30
    assert [path.name for path in sources if not path.read_text().startswith(_LICENSE)] == []


def test_every_source_is_compiled_in_one_place() -> None:
    optional = tuple(program._OPTIONAL_SOURCES.values())
    compiled = (*program.BASE_SOURCES, *program.LATE_SOURCES, *optional)
    assert sorted(compiled) == sorted(path.name for path in _PROBES.glob("*.c"))
