"""probes/README.md lists every source of the probes and every map."""

from __future__ import annotations

import re

from tests.unit.project.markdown import names, table
from tests.unit.project.places import PACKAGES

_PROBES = PACKAGES["iotrace.probes"]
_MAP = re.compile(r"^BPF_(\w+)\((.*)\);$", re.MULTILINE)
_NAME_COMES = {"TABLE": 3, "F_TABLE": 3}
"""Which argument of bcc's macro is the map's name; of the others it is the first."""


def test_every_source_is_listed() -> None:
    listed = [names(source)[0] for source, _ in table("probes/README.md", "source", "what it does")]
    assert sorted(listed) == sorted(path.name for path in _PROBES.glob("*.[ch]"))


def test_every_map_is_listed() -> None:
    columns = ("map", "holds", "written by", "read by", "deleted by")
    listed = [names(row[0])[0] for row in table("probes/README.md", *columns)]
    declared = [
        arguments.split(",")[_NAME_COMES.get(kind, 0)].strip()
        for path in sorted(_PROBES.glob("*.c"))
        for kind, arguments in _MAP.findall(path.read_text())
    ]
    assert "threads" in declared
    assert "targets" in declared
    assert sorted(listed) == sorted(declared)
