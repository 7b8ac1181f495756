"""The text of the probes: complete, so that the compiler looks for no header of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from iotrace.engine import probe_sources
from iotrace.engine.probe_sources import (
    header_tree,
    joined_sources,
    probes_directory,
    sources_digest,
)


def test_no_header_is_left_to_be_searched_for() -> None:
    sources = sorted(path.name for path in probes_directory().glob("*.c"))
    text = joined_sources(sources)
    assert "struct thread {" in text
    assert re.findall(r"^\s*#\s*include.*$", text, re.MULTILINE) == []


def test_the_headers_that_are_searched_for_are_in_our_tree() -> None:
    files = (*header_tree().glob("**/*.h"), probes_directory() / "prelude.h")
    included = {
        name for path in files for name in re.findall(r"#\s*include\s*(\S+)", path.read_text())
    }
    assert included
    for name in included:
        assert name.startswith("<")
        assert (header_tree() / "include" / name.strip("<>")).exists()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.c").write_text('first\n#include "b.h"\n#include "e.h"\nlast\n')
    (tmp_path / "b.h").write_text('#include "c.h"\nsecond of b\n')
    (tmp_path / "c.h").write_text("of c\n")
    (tmp_path / "e.h").write_text("of e\n")
    (tmp_path / "headers").mkdir()
    (tmp_path / "headers/d.h").write_text("of d\n")
    monkeypatch.setattr(probe_sources, "probes_directory", lambda: tmp_path)
    return tmp_path


def test_compiler_output_names_file_and_line(tree: Path) -> None:
    place, found = ("", 0), {}
    for line in joined_sources(["a.c"]).splitlines():
        if mark := re.fullmatch(r'#line (\d+) "(.+)"', line):
            place = mark[2], int(mark[1])
        else:
            if line:
                found[line] = place
            place = place[0], place[1] + 1
    assert found == {
        "first": ("a.c", 1),
        "of c": ("c.h", 1),
        "second of b": ("b.h", 2),
        "of e": ("e.h", 1),
        "last": ("a.c", 4),
    }


def test_the_digest_is_of_every_file_its_name_and_its_place(tree: Path) -> None:
    seen = {sources_digest()}
    assert {sources_digest()} == seen
    (tree / "headers/d.h").write_text("of e\n")
    seen.add(sources_digest())
    (tree / "headers/d.h").rename(tree / "headers/f.h")
    seen.add(sources_digest())
    (tree / "headers/f.h").rename(tree / "f.h")
    seen.add(sources_digest())
    assert len(seen) == 4
